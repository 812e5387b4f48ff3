//! Every way in: a request with one bad element, wherever it stands, changes nothing.

use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, ImportOptions, Item, ItemBuilder, KeystoneValue, Operation,
    Result, Scan, Statement, StreamSpecification, StreamViewType, TRANSACTION_MAX_BYTES, TableSchema,
    TransactWriteRequest, Write,
};

const ELEMENTS: usize = 5;

fn schema() -> TableSchema {
    TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-status", "status").sort_key("rank"))
        .with_ttl("until")
        .with_stream(StreamSpecification::new(StreamViewType::NewAndOldImages))
}

/// What a caller can see of a database: items, how many entries and stream records, bytes, the schema.
type State = (Vec<(Vec<u8>, Item)>, usize, u64, usize, String);

fn state(db: &Database) -> Result<State> {
    let items = db.iter_scan(&Scan::new())?.map(|record| (record.pk().to_vec(), record.item().to_item())).collect();
    let entries = Scan::new().index("by-status");
    let stats = db.stats()?;
    Ok((items, db.iter_scan(&entries)?.count(), stats.stream_records, stats.total_bytes, db.schema().to_json()))
}

fn good(n: usize) -> Item {
    ItemBuilder::new().string("status", "open").number("rank", n as i64).number("n", 7).build()
}

/// Items that are wrong whatever is there.
fn bad_items() -> Vec<(&'static str, Item)> {
    let with = |name: &str, value: KeystoneValue| Item::from([(name.to_owned(), value)]);
    vec![
        ("a list in an index key", with("status", KeystoneValue::list([]))),
        ("an empty index key", with("status", KeystoneValue::string(""))),
        ("a long index key", with("status", KeystoneValue::string("x".repeat(2049)))),
        ("a set in a sort key", with("rank", KeystoneValue::string_set(["a"]))),
        ("too large", with("b", KeystoneValue::binary(vec![0; 400 << 10]))),
        ("no number", with("n", KeystoneValue::N("1x".to_owned()))),
        ("another key", with("pk", KeystoneValue::string("other"))),
    ]
}

fn pk(n: usize) -> String {
    format!("k{n}")
}

/// A list of writes whose element `at` is `bad`.
fn writes(at: usize, bad: &Write) -> Vec<Write> {
    (0..ELEMENTS).map(|n| if n == at { bad.clone() } else { Write::put(pk(n).as_bytes(), good(n + 100)) }).collect()
}

fn refused(db: &Database, what: &str, request: impl FnOnce() -> bool) -> Result<()> {
    let before = state(db)?;
    assert!(request(), "{what} was not refused");
    // What a parse has left in a cache is no change.
    let after = state(db)?;
    assert_eq!((&before.0, before.1, before.2, &before.4), (&after.0, after.1, after.2, &after.4), "{what}");
    Ok(())
}

fn filled() -> Result<Database> {
    let db = Database::create_in_memory_with_schema(schema())?;
    for n in 0..ELEMENTS {
        db.put(pk(n).as_bytes(), good(n))?;
    }
    Ok(db)
}

#[test]
fn one_bad_item_anywhere_in_a_request_changes_nothing() -> Result<()> {
    let db = filled()?;
    for (what, item) in bad_items() {
        for at in 0..ELEMENTS {
            let key = pk(at);
            let bad = Write::put(key.as_bytes(), item.clone());
            refused(&db, what, || db.put(key.as_bytes(), item.clone()).is_err())?;
            refused(&db, what, || db.batch_write(&writes(at, &bad)).is_err())?;
            let transaction =
                writes(at, &bad).into_iter().fold(TransactWriteRequest::new(), TransactWriteRequest::write);
            refused(&db, what, || db.transact_write(transaction).is_err())?;
            let mut operations: Vec<Operation> = writes(at, &bad).into_iter().map(Operation::from).collect();
            operations.insert(0, Operation::from(kstone_api::Key::new("absent")));
            refused(&db, what, || db.operate_each(&operations).is_err_and(|error| error.operation == Some(at + 1)))?;
            refused(&db, what, || db.transact(&operations).is_err_and(|error| error.operation == Some(at + 1)))?;
        }
    }
    Ok(())
}

#[test]
fn one_bad_statement_anywhere_changes_nothing() -> Result<()> {
    let db = filled()?;
    let bad = [
        "INSERT INTO items VALUE {'pk': 'new', 'status': []}",
        "INSERT INTO items VALUE {'pk': 'new', 'status': ''}",
        "INSERT INTO items VALUE {'pk': '', 'status': 'open'}",
        "INSERT INTO other VALUE {'pk': 'new'}",
        "UPDATE items SET pk = 'x' WHERE pk = 'k0'",
        "DELETE FROM items WHERE pk =",
    ];
    for text in bad {
        for at in 0..ELEMENTS {
            let good = |n: usize| Statement::new(format!("INSERT INTO items VALUE {{'pk': 'n{n}', 'status': 'new'}}"));
            let statements: Vec<Statement> =
                (0..ELEMENTS).map(|n| if n == at { Statement::new(text) } else { good(n) }).collect();
            refused(&db, text, || db.execute_statement(&statements[at]).is_err())?;
            refused(&db, text, || db.execute_each(&statements).is_err_and(|error| error.operation == Some(at)))?;
            refused(&db, text, || db.execute_transaction(&statements).is_err())?;
        }
    }
    Ok(())
}

#[test]
fn one_bad_line_of_an_import_puts_nothing() -> Result<()> {
    let db = filled()?;
    for bad in
        [r#"{"pk":{"S":"x"},"status":{"L":[]}}"#, r#"{"pk":{"S":"x"},"status":{"S":""}}"#, r#"{"pk":{"S":""}}"#, "{"]
    {
        for at in 0..ELEMENTS {
            let good = |n: usize| format!(r#"{{"pk":{{"S":"i{n}"}},"status":{{"S":"open"}}}}"#);
            let lines: Vec<String> = (0..ELEMENTS).map(|n| if n == at { bad.to_owned() } else { good(n) }).collect();
            let input = std::io::Cursor::new(lines.join("\n"));
            refused(&db, bad, || db.import_json(input, &ImportOptions::new()).is_err())?;
        }
    }
    Ok(())
}

/// An update is decided under the locks, and what it makes of its item is checked there, before anything is written.
#[test]
fn an_update_that_an_index_refuses_changes_nothing_of_its_transaction() -> Result<()> {
    let db = filled()?;
    for at in 0..ELEMENTS {
        let key = pk(at);
        for (expression, value) in [
            ("SET #s = :v", KeystoneValue::list([])),
            ("SET #s = :v", KeystoneValue::string("")),
            ("SET n = n + missing, #s = :v", KeystoneValue::string("open")),
        ] {
            let bad = || Write::update(key.as_bytes(), expression).name("#s", "status").value(":v", value.clone());
            refused(&db, expression, || db.write(bad()).is_err())?;
            let transaction =
                writes(at, &bad()).into_iter().fold(TransactWriteRequest::new(), TransactWriteRequest::write);
            refused(&db, expression, || db.transact_write(transaction).is_err())?;
        }
    }
    Ok(())
}

/// DynamoDB validates a request before it asks its condition.
#[test]
fn a_bad_item_is_refused_before_its_condition_is_asked() -> Result<()> {
    let db = filled()?;
    let item = Item::from([("status".to_owned(), KeystoneValue::list([]))]);
    let fails = Write::put(b"k0", item).condition("attribute_not_exists(pk)");
    assert!(
        matches!(db.write(fails), Err(Error::Invalid(text)) if text.to_string().contains("Type mismatch for Index Key status"))
    );
    Ok(())
}

#[test]
fn a_batch_that_does_not_fit_the_memory_limit_puts_nothing() -> Result<()> {
    let options = DatabaseOptions { memory_max_bytes: 2 << 20, ..DatabaseOptions::default() };
    let db = Database::create_in_memory_with(options, TableSchema::new(), Default::default())?;
    let item = || ItemBuilder::new().binary("b", vec![7; 200 << 10]).build();
    let batch = |count: u8| (0..count).map(|n| Write::put(&[n], item())).collect::<Vec<_>>();
    let total = db.stats()?.total_bytes;
    assert!(matches!(db.batch_write(&batch(20)), Err(Error::Limit { .. })));
    assert_eq!((db.stats()?.items, db.stats()?.total_bytes), (0, total));
    db.batch_write(&batch(5))?;
    assert_eq!(db.stats()?.items, 5, "what was reserved for the failed batch is free again");
    Ok(())
}

#[test]
fn the_items_of_a_transaction_take_4_mb_together_and_no_more() -> Result<()> {
    let db = Database::create_in_memory()?;
    // A name of one byte, a key of three and its name of two.
    let item = |bytes: usize| ItemBuilder::new().binary("b", vec![7; bytes - 6]).build();
    let transaction = |last: usize| {
        let full = 400 << 10;
        let write = |n: usize| {
            let bytes = if n == 10 { TRANSACTION_MAX_BYTES - 10 * full + last } else { full };
            Write::put(format!("{n:03}").as_bytes(), item(bytes))
        };
        (0..11).map(write).fold(TransactWriteRequest::new(), TransactWriteRequest::write)
    };
    let error = db.transact_write(transaction(1)).unwrap_err();
    assert!(
        matches!(error, Error::Limit { limit: TRANSACTION_MAX_BYTES, found, .. } if found == TRANSACTION_MAX_BYTES + 1)
    );
    assert_eq!(db.stats()?.items, 0);
    db.transact_write(transaction(0))?;
    let keys: Vec<_> = (0..11).map(|n| kstone_api::Key::new(format!("{n:03}"))).collect();
    assert_eq!(db.transact_get(&keys)?.len(), 11);
    db.put(b"010", item(400 << 10))?;
    assert!(matches!(db.transact_get(&keys), Err(Error::Limit { .. })), "reads together, too");
    assert_eq!(db.batch_get(&keys)?.len(), 11, "a batch leaves nothing over");
    Ok(())
}
