//! Key conditions, of tables and of their indexes.

use kstone_api::{Database, GlobalSecondaryIndex, IndexKeys, ItemBuilder, KeyType, Query, TableSchema};

use kstone_api::expression::Parameters;

use crate::{database, parameters};

thread_local! {
    static DATABASE: Database = filled();
    static TYPED: Database = typed();
}

/// An index of several attributes of each sort.
fn several() -> IndexKeys {
    let index = GlobalSecondaryIndex::on("several").partition_key("s", KeyType::S).partition_key("o", KeyType::N);
    index.sort_key("n", KeyType::N).sort_key("b", KeyType::B)
}

fn filled() -> Database {
    let database = database::filled();
    let index = GlobalSecondaryIndex::on("several").partition_key("s", KeyType::S).sort_key("n", KeyType::N);
    let schema = database::indexed_schema().add_global_index(index.sort_key("b", KeyType::B));
    database.configure(schema).expect("one more index");
    database
}

fn typed() -> Database {
    let schema = TableSchema::new().partition_key("s", KeyType::S).sort_key("n", KeyType::N);
    let database = Database::create_in_memory_with_schema(schema.add_global_index(several())).expect("a schema");
    for number in -3..3 {
        let item = ItemBuilder::new().string("s", "a").number("n", number).number("o", 1).binary("b", vec![0, 0xFF]);
        database.put_item(item.build()).expect("an item");
    }
    database
}

/// Takes bytes as the text of a key condition and queries by it: forward and in reverse, whole and item by item, the
/// answers are the same.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parameters = parameters::for_text(text);
    let databases = [(&DATABASE, &["by-n", "by-s", "several"][..]), (&TYPED, &["several"][..])];
    for (database, names) in databases {
        let indexes = std::iter::once(None).chain(names.iter().copied().map(Some));
        indexes.for_each(|index| check(&database.with(Clone::clone), index, text, &parameters));
    }
}

fn check(database: &Database, index: Option<&str>, text: &str, parameters: &Parameters) {
    let query = || {
        let query = Query::new().key_condition_expression(text).parameters(parameters.clone());
        match index {
            Some(name) => query.index(name),
            None => query,
        }
    };
    let page = match database.query_page(&query().build()) {
        Ok(page) => page,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let mut reversed = database.query_page(&query().reverse(true).build()).expect("the same query").records;
    reversed.reverse();
    assert_eq!(reversed, page.records, "{text:?} in reverse");
    let mut records = Vec::new();
    let mut token: Option<Vec<u8>> = None;
    loop {
        let query = query().limit(1);
        let query = token.take().map_or_else(|| query.clone(), |token| query.clone().token(&token));
        let one = database.query_page(&query.build()).expect("the same query");
        records.extend(one.records);
        assert!(records.len() <= page.records.len(), "{text:?} page by page gives too much");
        match one.token {
            Some(next) => token = Some(next.to_vec()),
            None => break,
        }
    }
    assert_eq!(records, page.records, "{text:?} page by page");
}
