//! One run of the statement fuzzer: whatever the text is, executing it ends, panics nowhere, and fails without having
//! changed anything.
//!
//! A test of `kstone-api` includes this file and drives it with mutations from a seed, so it knows no other module here.

use std::cell::RefCell;

use kstone_api::{
    Database, GlobalSecondaryIndex, KeyType, KeystoneValue, LocalSecondaryIndex, Projection, Record, Scan, Statement,
    TableSchema,
};

/// How many runs a database serves: what they insert would otherwise add up.
const RUNS_PER_DATABASE: u32 = 2_000;

thread_local! {
    static DATABASES: RefCell<(u32, [Database; 2])> = RefCell::new((0, filled()));
}

/// Executes bytes as a statement, if they are text, with as many parameters as it has question marks: on an untyped table
/// and on a typed one.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let databases = DATABASES.with_borrow_mut(|(runs, databases)| {
        *runs += 1;
        if *runs % RUNS_PER_DATABASE == 0 {
            *databases = filled();
        }
        databases.clone()
    });
    databases.iter().for_each(|database| run_on(database, text));
}

fn run_on(database: &Database, text: &str) {
    let before = items(database);
    let mut statement = Statement::new(text);
    for number in 0..text.matches('?').count() {
        statement = statement.parameter(match number % 3 {
            0 => KeystoneValue::string("a"),
            1 => KeystoneValue::number(1),
            _ => KeystoneValue::list([KeystoneValue::binary([0xFF])]),
        });
    }
    match database.execute_statement(&statement) {
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(items(database), before, "a statement failed and changed something: {text}");
        }
        Ok(result) => {
            for row in &result.records {
                kstone_api::ItemRef::validate(row.body()).expect("a row is an item in every detail");
            }
            if let Some(token) = result.token {
                database.execute_statement(&statement.token(&token)).expect("a token fits its statement");
            }
        }
    }
    // Its text as a statement of a transaction must not panic either.
    drop(database.execute_transaction(&[Statement::new(text)]));
}

/// Databases with items for statements to meet: an untyped one with indexes, and a typed one whose key has a number.
fn filled() -> [Database; 2] {
    let untyped = TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("by-n", "n").projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("by-s", "s").sort_key("n"));
    let typed = TableSchema::new().partition_key("pk", KeyType::S).sort_key("n", KeyType::N);
    [untyped, typed].map(|schema| {
        let database = Database::create_in_memory_with_schema(schema).expect("the schema is valid");
        for (n, (pk, sk)) in [("a", ""), ("a", "1"), ("a", "2"), ("b", "1")].into_iter().enumerate() {
            let sort = if sk.is_empty() { String::new() } else { format!("'sk': '{sk}', ") };
            let rest =
                "'s': 'x', 'l': [1, {'k': 'v'}], 'm': {'c': NULL}, 't': <<'a', 'b'>>, 'u': <<1, 2.5>>, 'o': TRUE";
            let insert = Statement::new(format!("INSERT INTO items VALUE {{'pk': '{pk}', {sort}'n': {n}, {rest}}}"));
            database.execute_statement(&insert).expect("the statement is valid");
        }
        database
    })
}

fn items(database: &Database) -> Vec<Record> {
    database.scan_page(&Scan::new()).expect("a scan of everything").records
}
