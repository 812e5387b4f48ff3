//! A raised flag ends each long call, soon, and changes nothing.

use std::io::{Cursor, Write};
use std::sync::Arc;

use kstone_api::clock::{ClockSource, ManualClock};
use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, ImportOptions, Interrupt, ItemBuilder, Query, Result, Scan,
    Statement, TableSchema,
};

const ITEMS: u64 = 3000;

fn filled() -> Result<Database> {
    let db = Database::create_in_memory()?;
    for i in 0..ITEMS {
        db.put(format!("item#{i:05}").as_bytes(), ItemBuilder::new().number("n", (i * 7919 % ITEMS) as i64).build())?;
    }
    Ok(db)
}

/// Raises a flag at the n-th write.
struct RaisingWriter {
    interrupt: Interrupt,
    writes: u64,
}

impl Write for RaisingWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writes += 1;
        self.interrupt.raise();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_raised_flag_ends_every_long_call_of_its_handle_alone() -> Result<()> {
    let db = filled()?;
    let interrupt = Interrupt::new();
    let ended = db.interrupted_by(&interrupt);
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    interrupt.raise();
    for text in [
        "SELECT * FROM items",
        "SELECT * FROM items ORDER BY n",
        "SELECT COUNT(*) FROM items",
        "SELECT n, COUNT(*) FROM items GROUP BY n ORDER BY n",
        "SELECT * FROM items WHERE pk = 'item#00001'",
    ] {
        assert_eq!(ended.execute_statement(&Statement::new(text)), Err(Error::Interrupted), "{text}");
        assert!(db.execute_statement(&Statement::new(text)).is_ok(), "{text}");
    }
    assert_eq!(ended.scan(Scan::new()), Err(Error::Interrupted));
    assert_eq!(ended.query(Query::new().partition_key(b"item#00001")), Err(Error::Interrupted));
    assert_eq!(ended.export_json_file(path("export")), Err(Error::Interrupted));
    assert_eq!(ended.save_snapshot(path("snapshot")), Err(Error::Interrupted));
    assert!(!path("export").exists() && !path("snapshot").exists());
    let lines = r#"{"Item":{"pk":{"S":"new"}}}"#;
    assert_eq!(ended.import_json(Cursor::new(lines), &ImportOptions::new()), Err(Error::Interrupted));
    assert_eq!(db.get(b"new")?, None);
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-n", "n"));
    assert_eq!(ended.configure(schema.clone()), Err(Error::Interrupted));
    assert_eq!(db.schema(), TableSchema::new());
    assert!(db.scan(Scan::new().index("by-n")).is_err());
    interrupt.clear();
    ended.configure(schema)?;
    assert_eq!(db.scan(Scan::new().index("by-n"))?.count, ITEMS as usize);
    Ok(())
}

#[test]
fn an_iterator_says_that_it_was_ended() -> Result<()> {
    let db = filled()?;
    let interrupt = Interrupt::new();
    let mut records = db.interrupted_by(&interrupt).iter_scan(&Scan::new())?;
    assert!(records.next().is_some());
    interrupt.raise();
    assert!((records.by_ref().count() as u64) < ITEMS - 1);
    assert_eq!(records.check_interrupt(), Err(Error::Interrupted));
    interrupt.clear();
    let mut records = db.interrupted_by(&interrupt).iter_scan(&Scan::new())?;
    assert_eq!(records.by_ref().count() as u64, ITEMS);
    assert_eq!(records.check_interrupt(), Ok(()));
    Ok(())
}

#[test]
fn an_export_that_is_interrupted_in_the_middle_ends_there() -> Result<()> {
    let db = filled()?;
    let interrupt = Interrupt::new();
    let mut out = RaisingWriter { interrupt: interrupt.clone(), writes: 0 };
    assert_eq!(db.interrupted_by(&interrupt).export_json(&mut out), Err(Error::Interrupted));
    let until_then = out.writes;
    let mut whole = RaisingWriter { interrupt: Interrupt::new(), writes: 0 };
    assert_eq!(db.export_json(&mut whole)?, ITEMS);
    assert!(until_then < whole.writes, "{until_then} of {} writes", whole.writes);
    Ok(())
}

/// The flag is raised after some of the expired items were removed, and while a writer goes on.
#[test]
fn a_purge_that_is_interrupted_leaves_whole_items_and_writes_go_on() -> Result<()> {
    let clock = Arc::new(ManualClock::new(1000));
    let schema = TableSchema::new().with_ttl("until").add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"));
    let db = Database::create_in_memory_with(DatabaseOptions::default(), schema, ClockSource::new(clock.clone()))?;
    for i in 0..ITEMS {
        let until = if i % 2 == 0 { 1001 } else { 9000 };
        let item = ItemBuilder::new().string("kind", "k").number("until", until).build();
        db.put_with_sk(b"p", format!("{i:05}").as_bytes(), item)?;
    }
    clock.set(2000);
    let interrupt = Interrupt::new();
    let ended = db.interrupted_by(&interrupt);
    interrupt.raise();
    assert_eq!(ended.purge_expired(), Err(Error::Interrupted));
    assert_eq!(ended.compact(), Err(Error::Interrupted));
    assert_eq!(db.count()?, ITEMS, "nothing was removed after the flag was raised");
    // A write of the same handle removes some of what has expired, as it would without the flag.
    ended.put_with_sk(b"p", b"written", ItemBuilder::new().string("kind", "k").build())?;
    let left = db.count()?;
    assert!(left < ITEMS && left > ITEMS / 2, "{left} left");
    let living = ITEMS as usize / 2 + 1;
    assert_eq!(db.query(Query::new().index("by-kind").partition_key(b"k"))?.count, living);
    interrupt.clear();
    let removed = ended.purge_expired()?;
    assert_eq!((db.count()?, left - removed as u64), (living as u64, living as u64));
    assert_eq!(db.query(Query::new().index("by-kind").partition_key(b"k"))?.count, living);
    Ok(())
}

/// The count of a large partition was one step that no flag ended.
#[test]
fn the_count_of_a_large_partition_is_interrupted() -> Result<()> {
    const MANY: u64 = 70_000;
    let db = Database::create_in_memory()?;
    for i in 0..MANY {
        db.put_body(b"p", &i.to_be_bytes(), &[])?;
    }
    let count = Statement::new("SELECT COUNT(*) AS items FROM items WHERE pk = 'p'");
    let counted = db.execute_statement(&count)?;
    assert_eq!((counted.items()[0]["items"].as_number(), counted.scanned), (Some(&MANY.to_string()), MANY as usize));
    let interrupt = Interrupt::new();
    let ended = db.interrupted_by(&interrupt);
    std::thread::scope(|scope| {
        let counting = scope.spawn(|| (0..1000).find_map(|_| ended.execute_statement(&count).err()));
        interrupt.raise();
        assert_eq!(counting.join().expect("no panic"), Some(Error::Interrupted));
    });
    Ok(())
}
