//! The database that requests meet, and what is in one.

use kstone_api::{
    Database, GlobalSecondaryIndex, KeystoneValue, LocalSecondaryIndex, Projection, Record, Scan, StreamViewType,
    TableSchema,
};

/// Every kind of index and projection, and a stream.
pub(crate) fn indexed_schema() -> TableSchema {
    TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("by-n", "n").projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("by-s", "s").sort_key("n"))
        .with_stream(StreamViewType::NewAndOldImages)
}

/// Keys that the items of [`filled`] have, and one that none has.
pub(crate) const KEYS: [(&[u8], &[u8]); 6] =
    [(b"a", b""), (b"a", b"1"), (b"a", b"2"), (b"b", b"1"), (b"\xFF\x00", b"\x80"), (b"absent", b"")];

/// A database with items of every type under [`KEYS`] but the last.
pub(crate) fn filled() -> Database {
    let database = Database::create_in_memory_with_schema(indexed_schema()).expect("the schema is valid");
    for (number, (pk, sk)) in KEYS.iter().take(KEYS.len() - 1).enumerate() {
        let item = kstone_api::Item::from([
            ("n".to_owned(), KeystoneValue::number(number as i64)),
            ("s".to_owned(), KeystoneValue::string("x")),
            (
                "l".to_owned(),
                KeystoneValue::list([
                    KeystoneValue::number(1),
                    KeystoneValue::map([("k", KeystoneValue::string("v"))]),
                ]),
            ),
            ("m".to_owned(), KeystoneValue::map([("c", KeystoneValue::null())])),
            ("t".to_owned(), KeystoneValue::string_set(["a", "b"])),
            ("u".to_owned(), KeystoneValue::number_set([1.0, 2.5])),
            ("v".to_owned(), KeystoneValue::binary_set([b"\xFF"])),
            ("b".to_owned(), KeystoneValue::binary([0, 0xFF])),
            ("o".to_owned(), KeystoneValue::bool(true)),
        ]);
        database.put_with_sk(pk, sk, item).expect("the item is valid");
    }
    database
}

/// All items of a database, in scan order.
pub(crate) fn items(database: &Database) -> Vec<Record> {
    database.iter_scan(&Scan::new()).expect("a scan of everything").collect()
}

/// Everything about a database that a caller can see: items, index entries, schema and the stream's position.
pub(crate) fn everything(database: &Database) -> (Vec<Record>, Vec<Vec<Record>>, String, Vec<u64>) {
    let schema = database.schema();
    let names = schema.local_indexes().iter().map(|index| index.index_name());
    let names = names.chain(schema.global_indexes().iter().map(|index| index.index_name()));
    let entries = |name: &str| database.iter_scan(&Scan::new().index(name).build()).map(Iterator::collect);
    let entries = names.map(|name| entries(name).expect("a scan of an index")).collect();
    let numbers = match schema.stream() {
        Some(_) => database
            .read_stream(0, usize::MAX)
            .map_or_else(|_| Vec::new(), |records| records.iter().map(|record| record.sequence_number()).collect()),
        None => Vec::new(),
    };
    (items(database), entries, schema.to_json(), numbers)
}
