//! Schemas as JSON.

use kstone_api::{Database, TableSchema};

use crate::database;

/// Takes bytes as a schema: one that is accepted is written as it is read, and can be given to a database with items; one
/// that is refused leaves the database as it was.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let schema = match TableSchema::from_json(text) {
        Ok(schema) => schema,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let again = TableSchema::from_json(&schema.to_json()).expect("what is written can be read");
    assert_eq!(again, schema);
    let database = database::filled();
    let items = database::items(&database);
    let before = database::everything(&database);
    match database.configure(schema.clone()) {
        Ok(()) => {
            assert_eq!(database.schema(), schema);
            let created = Database::create_in_memory_with_schema(schema).expect("a database took this schema");
            assert!(database::items(&created).is_empty());
            database.set_time(0);
            assert_eq!(database::items(&database), items);
            database::everything(&database);
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(database::everything(&database), before, "a refused schema changed something: {error}");
            // A table keeps its key: one with types is good for a new database only.
            let is_typed = schema.key_layout().is_ok_and(|layout| layout.is_some());
            let created = Database::create_in_memory_with_schema(schema);
            assert_eq!(created.is_ok(), is_typed);
        }
    }
}
