use std::io::{self, Read, Write};

use crate::error::{Error, Position, Reason, Result};
use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::value::{Item, Value};

use super::format::{BlockKind, BlockReader, BlockWriter, MAGIC, put_record};
use super::*;
use crate::{Database, TableSchema};
use crate::{GlobalSecondaryIndex, ItemBuilder, LocalSecondaryIndex, Query, Scan, StreamViewType};

mod evil;

fn save(db: &Database) -> Vec<u8> {
    let mut bytes = Vec::new();
    save_to(db, &mut bytes).expect("saved");
    bytes
}

fn save_to(db: &Database, out: impl Write) -> Result<u64> {
    save::save(db, out, "a test", &mut db.report(&mut |_| Ok(())))
}

fn load(db: &Database, input: impl Read) -> Result<u64> {
    load::load(db, input, "a test", &mut db.report(&mut |_| Ok(())))
}

fn empty() -> Database {
    Database::create_in_memory().expect("created")
}

/// Loads what must be refused; what the error says, and where.
fn refused(bytes: &[u8]) -> (String, Position) {
    let db = empty();
    let error = load(&db, bytes).expect_err("refused");
    assert_eq!(db.scan(Scan::new()).expect("scanned").count, 0, "something was loaded, and then: {error}");
    assert_eq!(db.schema(), TableSchema::new(), "the schema was loaded, and then: {error}");
    match error {
        Error::Corrupt { what, at, .. } => (what, at),
        other => panic!("not corrupt: {other}"),
    }
}

fn schema() -> TableSchema {
    TableSchema::new()
        .name("orders")
        .add_local_index(LocalSecondaryIndex::new("by-date", "date"))
        .add_global_index(GlobalSecondaryIndex::new("by-status", "status").sort_key("date"))
        .with_ttl("expires")
        .with_stream(StreamViewType::NewImage)
}

/// A few items of every type under keys of every kind, with a schema.
fn small() -> Database {
    let db = Database::create_in_memory_with_schema(schema()).expect("created");
    let everything = Item::from([
        ("s".to_owned(), Value::string("text \u{e9}")),
        ("n".to_owned(), Value::N("-12345678901234567890.5".to_owned())),
        ("b".to_owned(), Value::binary(vec![0, 255])),
        ("t".to_owned(), Value::bool(true)),
        ("z".to_owned(), Value::null()),
        ("l".to_owned(), Value::list([Value::number(1), Value::list([])])),
        ("m".to_owned(), Value::map([("k", Value::string(""))])),
        ("ss".to_owned(), Value::SS(vec!["a".to_owned(), "b".to_owned()])),
        ("ns".to_owned(), Value::NS(vec!["1".to_owned(), "10".to_owned()])),
        ("bs".to_owned(), Value::BS(vec![vec![0].into(), vec![1].into()])),
    ]);
    db.put(b"everything", everything).expect("put");
    db.put_with_sk(b"\0\xff", b"\xff\0", Item::new()).expect("put");
    for (i, status) in ["open", "paid", "open"].into_iter().enumerate() {
        let order = ItemBuilder::new().string("status", status).number("date", i as i64).build();
        db.put_with_sk(b"customer", format!("order#{i}").as_bytes(), order).expect("put");
    }
    db
}

/// Some blocks full of items.
fn large() -> Database {
    let db = empty();
    let mut random = fastrand::Rng::with_seed(7);
    for i in 0..256 {
        let bytes: Vec<u8> = (0..4000).map(|_| random.u8(..)).collect();
        let item = ItemBuilder::new().binary("data", bytes).build();
        db.put(format!("item#{i}").as_bytes(), item).expect("put");
    }
    db
}

fn items(db: &Database) -> Vec<Record> {
    db.iter_scan(&Scan::new()).expect("opened").collect()
}

#[test]
fn what_is_saved_is_what_comes_back() {
    for db in [small(), large(), empty()] {
        let bytes = save(&db);
        let again = empty();
        assert_eq!(load(&again, &bytes[..]), Ok(items(&db).len() as u64));
        assert_eq!(items(&again), items(&db));
        assert_eq!(again.schema(), db.schema());
        assert_eq!(again.stats().expect("counted").live_bytes, db.stats().expect("counted").live_bytes);
    }
}

#[test]
fn index_entries_are_made_anew() {
    let again = empty();
    load(&again, &save(&small())[..]).expect("loaded");
    let sort_keys = |query: Query| {
        let page = again.query_page(&query.build()).expect("queried");
        let text = |record: &Record| String::from_utf8_lossy(record.sk()).into_owned();
        page.records.iter().map(text).collect::<Vec<_>>()
    };
    assert_eq!(sort_keys(Query::new().index("by-status").partition_key(b"open")), ["order#0", "order#2"]);
    let newest_first = Query::new().index("by-date").partition_key(b"customer").reverse(true);
    assert_eq!(sort_keys(newest_first), ["order#2", "order#1", "order#0"]);
    // They are in step with their items from then on.
    again.delete_with_sk(b"customer", b"order#0").expect("deleted");
    assert_eq!(sort_keys(Query::new().index("by-status").partition_key(b"open")), ["order#2"]);
}

/// The bytes of docs/snapshot-format.md: they may never change in this version.
#[test]
fn the_format_is_what_its_document_shows() {
    let db = empty();
    db.put(b"user#1", ItemBuilder::new().number("age", 30).build()).expect("put");
    let expected = [
        &b"\x89KSNAP\r\n"[..],
        &[1, 0, 0, 0],
        &[0xb5, 0xaf, 0xd1, 0xbf],
        // The header: one item, no stream, an empty schema.
        &[1, 0, 0, 0, 18, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0],
        b"{}",
        &[0x37, 0xf5, 0xc7, 0x6c],
        // The items.
        &[2, 0, 0, 0, 22, 0, 0, 0],
        &[6, 0, 0, 0, 8, 0, 0, 0],
        b"user#1",
        b"\x03age\x02\x0230",
        &[0xe1, 0xeb, 0x53, 0x23],
        // The end: one item.
        &[3, 0, 0, 0, 8, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0xfe, 0xa2, 0x92, 0x43],
    ]
    .concat();
    assert_eq!(save(&db).escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[test]
fn every_flipped_bit_of_a_small_snapshot_is_found() {
    let mut bytes = save(&small());
    for bit in 0..8 * bytes.len() {
        bytes[bit / 8] ^= 1 << (bit % 8);
        refused(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(load(&empty(), &bytes[..]).is_ok());
}

#[test]
fn ten_thousand_random_flipped_bits_of_a_large_snapshot_are_found() {
    let mut bytes = save(&large());
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..10_000 {
        let bit = random.usize(..8 * bytes.len());
        bytes[bit / 8] ^= 1 << (bit % 8);
        refused(&bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(load(&empty(), &bytes[..]).is_ok());
}

#[test]
fn every_truncation_is_found() {
    let bytes = save(&small());
    for len in 0..bytes.len() {
        let (what, at) = refused(&bytes[..len]);
        assert_eq!((what.as_str(), at), ("the file ends inside the snapshot", Position::Byte(len as u64)));
    }
}

#[test]
fn truncations_of_a_large_snapshot_are_found() {
    let bytes = save(&large());
    let mut random = fastrand::Rng::with_seed(13);
    for _ in 0..500 {
        refused(&bytes[..random.usize(..bytes.len())]);
    }
}

#[test]
fn bytes_behind_the_end_are_found() {
    let bytes = save(&small());
    for behind in [&b"\0"[..], b"\n", &bytes] {
        let (what, at) = refused(&[&bytes[..], behind].concat());
        assert_eq!((what.as_str(), at), ("bytes behind the end of the snapshot", Position::Byte(bytes.len() as u64)));
    }
}

/// Where each block begins.
fn blocks_of(bytes: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 16;
    while at < bytes.len() {
        starts.push(at);
        at += 12 + u32::from_le_bytes(bytes[at + 4..at + 8].try_into().expect("four bytes")) as usize;
    }
    starts
}

#[test]
fn a_block_moved_doubled_or_left_out_is_found() {
    let bytes = save(&large());
    let starts = blocks_of(&bytes);
    let [_, first, second, third, ..] = starts[..] else { panic!("too few blocks: {starts:?}") };
    let (head, one, two, rest) = (&bytes[..first], &bytes[first..second], &bytes[second..third], &bytes[third..]);
    for other in [[head, two, one, rest], [head, one, one, rest], [head, one, &[], rest]] {
        assert!(refused(&other.concat()).0.contains("checksum"));
    }
    assert!(load(&empty(), &[head, one, two, rest].concat()[..]).is_ok());
}

/// Helpers may be at later blocks by then: the error is of the damaged block, at its checksum.
#[test]
fn a_flipped_bit_among_several_blocks_is_found_in_its_block() {
    let mut bytes = save(&large());
    let starts = blocks_of(&bytes);
    assert!(starts.len() > 5, "{starts:?}");
    let mut random = fastrand::Rng::with_seed(17);
    for block in starts.windows(2).skip(1) {
        let checksum = block[1] - 4;
        for _ in 0..20 {
            let bit = random.usize(8 * (block[0] + 8)..8 * checksum);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let (what, at) = refused(&bytes);
            assert!(what.starts_with("the checksum is "), "{what}");
            assert_eq!(at, Position::Byte(checksum as u64));
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn other_files_are_no_snapshots() {
    for other in ["SQLite format 3\0 and so on", "{\"Item\":{}}", "\u{89}KSNAP\n and on"] {
        assert_eq!(
            refused(other.as_bytes()),
            ("not a snapshot of kstone: it begins otherwise".to_owned(), Position::Byte(0))
        );
    }
}

#[test]
fn another_version_is_told_from_damage() {
    let mut head = MAGIC.to_vec();
    head.extend_from_slice(&3_u32.to_le_bytes());
    head.extend_from_slice(&crc32fast::hash(&head).to_le_bytes());
    let error = load(&empty(), &head[..]).expect_err("refused");
    assert!(
        matches!(&error, Error::Invalid(text) if text.to_string().contains("version 3") && text.to_string().contains("versions 1 and 2"))
    );
}

/// Gives or takes some bytes, and then the operating system has had enough.
struct Failing(usize);

fn broken() -> io::Error {
    io::Error::other("the disk is broken")
}

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let small = save(&small());
        let some = buffer.len().min(self.0);
        let at = small.len() / 2 - self.0;
        buffer[..some].copy_from_slice(&small[at..at + some]);
        self.0 -= some;
        if some == 0 { Err(broken()) } else { Ok(some) }
    }
}

impl Write for Failing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = bytes.len().min(self.0);
        self.0 -= some;
        if some == 0 { Err(broken()) } else { Ok(some) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_the_operating_system_refuses_is_an_io_error_with_its_cause() {
    let length = save(&small()).len();
    let read = load(&empty(), Failing(length / 2));
    assert_eq!(read, Err(Error::io("read", "a test", broken())));
    assert_eq!(read.expect_err("failed").to_string(), "cannot read a test: the disk is broken");
    for after in [0, 8, 13, 20, 100, length - 1] {
        assert_eq!(save_to(&small(), Failing(after)), Err(Error::io("write", "a test", broken())));
    }
}

#[test]
fn progress_counts_to_the_total_and_is_there_to_poll() {
    let db = large();
    let mut seen = Vec::new();
    let mut bytes = Vec::new();
    let mut note = |progress: SnapshotProgress| {
        assert_eq!(db.snapshot_progress(), progress);
        seen.push(progress);
        Ok(())
    };
    save::save(&db, &mut bytes, "a test", &mut db.report(&mut note)).expect("saved");
    let again = empty();
    assert_eq!(again.snapshot_progress(), SnapshotProgress::default());
    let saved = std::mem::take(&mut seen);
    let mut note = |progress| {
        seen.push(progress);
        Ok(())
    };
    load::load(&again, &bytes[..], "a test", &mut again.report(&mut note)).expect("loaded");
    for seen in [saved, seen] {
        assert_eq!(seen[0], SnapshotProgress { done: 0, total: 256 });
        assert_eq!(seen[seen.len() - 1], SnapshotProgress { done: 256, total: 256 });
        assert!(seen.is_sorted_by_key(|progress| progress.done) && seen.iter().all(|progress| progress.total == 256));
    }
    assert_eq!(again.snapshot_progress(), SnapshotProgress { done: 256, total: 256 });
}

#[test]
fn an_error_of_the_callback_ends_a_load_and_nothing_is_loaded() {
    let bytes = save(&large());
    let db = empty();
    let enough = || Error::from(Reason::NoOutcome);
    let mut stop = |progress: SnapshotProgress| if progress.done > 100 { Err(enough()) } else { Ok(()) };
    let outcome = load::load(&db, &bytes[..], "a test", &mut db.report(&mut stop));
    assert_eq!(outcome, Err(enough()));
    assert!(items(&db).is_empty());
}

/// Reads no more than is already on its way to the helpers.
#[test]
fn an_interrupted_load_of_many_blocks_ends_in_the_middle_and_nothing_is_loaded() {
    let db = large();
    for i in 0..4_096 {
        db.put(format!("more#{i}").as_bytes(), ItemBuilder::new().binary("data", vec![0; 4_000]).build()).expect("put");
    }
    let bytes = save(&db);
    let (into, interrupt) = (empty(), crate::Interrupt::new());
    let ended = into.interrupted_by(&interrupt);
    let mut raise = |progress: SnapshotProgress| {
        if progress.done > 0 {
            interrupt.raise();
        }
        Ok(())
    };
    let mut rest = &bytes[..];
    let outcome = load::load(&ended, &mut rest, "a test", &mut ended.report(&mut raise));
    assert_eq!(outcome, Err(Error::Interrupted));
    assert!(rest.len() > bytes.len() / 3, "{} of {} bytes were not read", rest.len(), bytes.len());
    assert!(items(&into).is_empty());
    interrupt.clear();
    assert_eq!(load(&ended, &bytes[..]), Ok(4_352));
}

/// The bytes of docs/snapshot-format.md: they may never change in this version.
#[test]
fn a_catalog_is_what_its_document_shows() {
    let schema = TableSchema::new().name("ages").partition_key("age", crate::KeyType::N);
    let account = Account::create_in_memory();
    let ages = account.create_table(schema).expect("created");
    ages.put_item(ItemBuilder::new().number("age", 30).bool("old", false).build()).expect("put");
    let mut bytes = Vec::new();
    account.save_snapshot_to(&mut bytes).expect("saved");
    let expected = [
        &b"\x89KSNAP\r\n"[..],
        &[2, 0, 0, 0],
        &[0x5b, 0x00, 0x64, 0xad],
        // The catalog: one table, one item.
        &[4, 0, 0, 0, 12, 0, 0, 0],
        &[1, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0xf0, 0x3a, 0xab, 0x3c],
        // The table: one item, no stream, its schema.
        &[1, 0, 0, 0, 73, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0, 0, 0, 0, 0, 0, 0, 0],
        br#"{"name":"ages","partition_key":{"name":"age","type":"N"}}"#,
        &[0xf1, 0x95, 0xaf, 0x4e],
        // Its items: 30 as an ordered number, and what is not in the key.
        &[2, 0, 0, 0, 17, 0, 0, 0],
        &[2, 0, 0, 0, 7, 0, 0, 0],
        &[0xc1, 0x3c],
        b"\x03old\x04\x01\0",
        &[0x7f, 0x22, 0x11, 0xb8],
        // The end of the table: one item.
        &[3, 0, 0, 0, 8, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0xa4, 0x14, 0xb7, 0x78],
        // The end: one table, one item.
        &[5, 0, 0, 0, 12, 0, 0, 0],
        &[1, 0, 0, 0],
        &[1, 0, 0, 0, 0, 0, 0, 0],
        &[0x1d, 0x90, 0xbc, 0xaf],
    ]
    .concat();
    assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
}
