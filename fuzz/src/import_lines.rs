//! Files that are imported.

use std::io::{BufReader, Cursor};

use kstone_api::{Database, ImportOptions};

use crate::database;

/// The bit of the options that says to skip bad records: only then can a stream be imported, and a part of a file.
const SKIP: u8 = 4;

/// Takes bytes as an import file, its first byte as the options. What is imported exports as a file that imports the
/// same; a file that is refused whole has put nothing.
pub fn run(data: &[u8]) {
    let Some((choice, file)) = data.split_first() else { return };
    let options = options(*choice);
    let database = Database::create_in_memory_with_schema(database::indexed_schema()).expect("the schema is valid");
    match database.import_json(Cursor::new(file), &options) {
        Ok(report) => {
            let mut export = Vec::new();
            database.export_json(&mut export).expect("an export to memory");
            let again = Database::create_in_memory().expect("an empty database");
            again.import_json(Cursor::new(&export), &ImportOptions::new()).expect("an export can be imported");
            assert_eq!(database::items(&again), database::items(&database));
            if *choice & SKIP == 0 {
                return;
            }
            let in_pieces = Database::create_in_memory_with_schema(database::indexed_schema()).expect("the schema");
            let stream = BufReader::with_capacity(3, file);
            let streamed = in_pieces.import_json_stream(stream, &options).expect("the same file");
            assert_eq!(streamed.loaded, report.loaded);
            assert_eq!(database::items(&in_pieces), database::items(&database));
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            if *choice & SKIP == 0 {
                assert!(database::items(&database).is_empty(), "a refused file has put items: {error}");
            }
        }
    }
}

fn options(choice: u8) -> ImportOptions {
    let mut options = ImportOptions::new();
    if choice & 1 != 0 {
        options = options.partition_key("id");
    }
    if choice & 2 != 0 {
        options = options.sort_key("at");
    }
    if choice & SKIP != 0 {
        options = options.skip_bad_records();
    }
    options
}
