//! Snapshot files.

use std::io::Write;

use kstone_api::Database;

use crate::database;

/// Takes bytes as a snapshot, as they are or, with an odd first byte, with the checksums made right, so that what is
/// behind them is reached. A file is loaded as a whole or not at all, and what is loaded saves as the same database.
pub fn run(data: &[u8]) {
    let Some((choice, file)) = data.split_first() else { return };
    let file = if choice % 2 == 1 { with_checksums(file) } else { file.to_vec() };
    let mut on_disk = tempfile::NamedTempFile::new().expect("a temporary file");
    on_disk.write_all(&file).expect("written");
    let database = Database::create_in_memory().expect("an empty database");
    match database.load_snapshot(on_disk.path()) {
        Ok(count) => {
            database.set_time(0);
            if database.schema().ttl_attribute().is_none() {
                assert_eq!(database::items(&database).len() as u64, count);
            }
            let saved = tempfile::NamedTempFile::new().expect("a temporary file");
            assert_eq!(database.save_snapshot(saved.path()).expect("saved"), count);
            let again = Database::create_in_memory().expect("an empty database");
            again.set_time(0);
            assert_eq!(again.load_snapshot(saved.path()).expect("what is saved can be loaded"), count);
            assert_eq!(database::items(&again), database::items(&database));
            assert_eq!(again.schema(), database.schema());
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert!(database::items(&database).is_empty(), "a refused file was loaded in part: {error}");
            assert_eq!(database.schema().to_json(), Database::create_in_memory().expect("one").schema().to_json());
        }
    }
}

/// The file with the checksum that belongs behind the head and behind each whole block (docs/snapshot-format.md).
fn with_checksums(file: &[u8]) -> Vec<u8> {
    const MAGIC_AND_VERSION: usize = 12;
    const BLOCK_HEAD: usize = 8;
    const CRC: usize = 4;
    let mut file = file.to_vec();
    let mut crc = crc32fast::Hasher::new();
    let (mut at, mut covered) = (0, MAGIC_AND_VERSION);
    while at + covered + CRC <= file.len() {
        crc.update(&file[at..at + covered]);
        at += covered;
        file[at..at + CRC].copy_from_slice(&crc.clone().finalize().to_le_bytes());
        at += CRC;
        let Some(len) = file.get(at + 4..at + BLOCK_HEAD) else { break };
        covered = BLOCK_HEAD + u32::from_le_bytes(len.try_into().expect("four bytes")) as usize;
    }
    file
}
