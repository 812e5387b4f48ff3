use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::Database;
use crate::{DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, LocalSecondaryIndex, Query, TableSchema};

const KINDS: u32 = 7;

fn item(i: u32) -> Item {
    ItemBuilder::new().string("kind", format!("k{}", i % KINDS)).number("n", i).string("text", "x".repeat(60)).build()
}

fn indexed() -> TableSchema {
    let local = LocalSecondaryIndex::new("by-n", "n");
    TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-kind", "kind")).add_local_index(local)
}

fn filled(schema: TableSchema, items: u32) -> Result<Database> {
    let db = Database::create_in_memory_with_schema(schema)?;
    (0..items).try_for_each(|i| db.put(&i.to_be_bytes(), item(i)))?;
    Ok(db)
}

/// The items that the index shows, which must be those of the table.
fn check_index(db: &Database) -> Result<usize> {
    let keys = |records: &[Record]| records.iter().map(|record| record.pk().to_vec()).collect::<Vec<_>>();
    let mut shown = Vec::new();
    for kind in 0..KINDS {
        let query = Query::new().index("by-kind").partition_key(format!("k{kind}").as_bytes()).build();
        for record in db.iter_query(&query)? {
            assert_eq!(record.item().get("kind").and_then(|kind| kind.as_str()), Some(&*format!("k{kind}")));
            shown.push(record);
        }
    }
    let shown = keys(&shown);
    let distinct: BTreeSet<_> = shown.iter().cloned().collect();
    assert_eq!(distinct.len(), shown.len(), "an item is shown once");
    let items: Vec<Record> = db.iter_scan(&crate::Scan::new())?.collect();
    assert_eq!(distinct, keys(&items).into_iter().collect());
    Ok(shown.len())
}

fn entries(db: &Database) -> Result<u64> {
    Ok(db.stats()?.index_entries)
}

/// Nothing is looked at when an index is dropped; its entries are not seen, and are memory that is counted until the
/// writes that follow have released them.
#[test]
fn a_dropped_index_is_gone_at_once_and_its_memory_with_the_writes_that_follow() -> Result<()> {
    let db = filled(indexed(), 12_000)?;
    let plain_bytes = filled(TableSchema::new(), 12_000)?.stats()?.total_bytes;
    let (before, written) = (db.stats()?, db.writes());
    db.configure(TableSchema::new())?;
    let after = db.stats()?;
    assert_eq!((after.index_entries, db.writes()), (before.index_entries, written), "no entry was looked at");
    assert!(after.total_bytes + 1000 > before.total_bytes, "what is not released yet is counted");
    assert!(matches!(db.query(Query::new().index("by-kind").partition_key(b"k1")), Err(Error::Invalid(_))));
    assert!(!db.state().is_plain());

    let mut left = entries(&db)?;
    let mut writes = 0;
    while left > 0 {
        db.put(b"one stripe", item(0))?;
        writes += 1;
        let now = entries(&db)?;
        assert!(left - now <= 16 && (now < left || writes < 4000), "a write releases a few");
        left = now;
    }
    // Once each stripe has been found empty, the table is as one that never had an index.
    (0..2 * STRIPES).try_for_each(|_| db.put(b"one stripe", item(0)))?;
    assert!(db.state().is_plain() && !db.engine().writes_are_watched());
    let bytes = db.stats()?.total_bytes;
    // What deletes leave in each stripe: up to a quarter of its records and a little more.
    let most = plain_bytes + plain_bytes / 4 + STRIPES * 1024;
    assert!(bytes < most, "{bytes} bytes, without an index {plain_bytes}, with it {}", before.total_bytes);
    assert!(bytes < before.total_bytes, "{bytes} bytes, with the index {}", before.total_bytes);
    db.compact()?;
    let bytes = db.stats()?.total_bytes;
    // The index of live records keeps slots for up to three times as many.
    assert!(bytes < plain_bytes + plain_bytes / 6, "{bytes} bytes, without an index {plain_bytes}");
    Ok(())
}

#[test]
fn a_compaction_releases_everything_and_is_no_write() -> Result<()> {
    let db = filled(indexed(), 2000)?;
    db.configure(TableSchema::new())?;
    let written = db.writes();
    db.compact()?;
    let stats = db.stats()?;
    assert_eq!((stats.index_entries, stats.sst_records, stats.tombstones), (0, 2000, 0));
    assert_eq!(db.writes(), written, "nothing that anybody sees has changed");
    assert!(db.state().is_plain() && !db.engine().writes_are_watched());
    assert_eq!(db.count()?, 2000);
    Ok(())
}

/// More indexes come and go than there are numbers that differ modulo the slots, some of them while entries of earlier
/// ones are left: none ever shows what another one left.
#[test]
fn indexes_that_come_and_go_never_show_what_others_left() -> Result<()> {
    let db = filled(TableSchema::new(), 150)?;
    let mut random = fastrand::Rng::with_seed(11);
    for round in 0..100_u32 {
        db.configure(indexed())?;
        let retired: BTreeSet<u16> = db.state().retired.iter().map(|retired| retired.id().0 % 64).collect();
        assert!(db.state().indexes.iter().all(|index| !retired.contains(&(index.id().0 % 64))), "round {round}");
        assert_eq!(check_index(&db)?, db.count()? as usize, "round {round}");
        for _ in 0..random.u32(..12) {
            let i = random.u32(..150);
            if random.bool() { db.put(&i.to_be_bytes(), item(random.u32(..)))? } else { db.delete(&i.to_be_bytes())? }
        }
        db.configure(TableSchema::new())?;
        for _ in 0..random.u32(..12) {
            let i = random.u32(..150);
            if random.bool() { db.put(&i.to_be_bytes(), item(random.u32(..)))? } else { db.delete(&i.to_be_bytes())? }
        }
    }
    let held: u64 = entries(&db)?;
    assert!(held <= 150 * 2 * (RETIRED_MAX as u64 + 3), "{held} entries of dropped indexes are held");
    db.compact()?;
    assert_eq!(entries(&db)?, 0);
    Ok(())
}

/// Writers never stop, readers ask the index whenever it is there.
#[test]
fn an_index_is_dropped_and_added_again_under_writes() -> Result<()> {
    let db = filled(indexed(), 600)?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let writers: Vec<_> = (0..2_u64)
            .map(|seed| {
                let (db, done) = (&db, &done);
                scope.spawn(move || -> Result<u32> {
                    let mut random = fastrand::Rng::with_seed(seed);
                    let mut writes = 0;
                    while !done.load(Ordering::Relaxed) {
                        let key = random.u32(..600).to_be_bytes();
                        if random.u8(..4) == 0 {
                            db.delete(&key)?
                        } else {
                            db.put(&key, item(random.u32(..)))?
                        }
                        writes += 1;
                    }
                    Ok(writes)
                })
            })
            .collect();
        for _ in 0..25 {
            db.configure(TableSchema::new())?;
            db.configure(indexed())?;
        }
        done.store(true, Ordering::Relaxed);
        for writer in writers {
            assert!(writer.join().expect("no panic")? > 0);
        }
        Ok(())
    })?;
    assert_eq!(check_index(&db)?, db.count()? as usize);
    db.compact()?;
    assert_eq!(entries(&db)?, 2 * db.count()?);
    Ok(())
}

#[test]
fn a_fork_releases_by_itself() -> Result<()> {
    let db = filled(indexed(), 1000)?;
    db.configure(TableSchema::new())?;
    (0..20).try_for_each(|_| db.put(b"a", item(1)))?;
    let fork = db.fork()?;
    let at_fork = entries(&db)?;
    assert!(at_fork > 0 && entries(&fork)? == at_fork);
    db.compact()?;
    assert_eq!((entries(&db)?, entries(&fork)?), (0, at_fork));
    fork.configure(indexed())?;
    assert_eq!(check_index(&fork)?, 1001);
    fork.compact()?;
    assert_eq!(entries(&fork)?, 2002);
    assert!(!db.state().has_indexes() && db.count()? == 1001);
    Ok(())
}

/// A database at its limit goes on with the memory of an index that was dropped.
#[test]
fn the_limit_gives_the_memory_of_dropped_indexes_to_writes() -> Result<()> {
    let options = DatabaseOptions { memory_max_bytes: 8 << 20, ..DatabaseOptions::default() };
    let db = Database::create_in_memory_with(options, indexed(), crate::clock::ClockSource::default())?;
    let mut items = 0_u32;
    while db.put(&items.to_be_bytes(), item(items)).is_ok() {
        items += 1;
    }
    db.configure(TableSchema::new())?;
    let held = entries(&db)?;
    assert!(held == 2 * u64::from(items));
    (items..2 * items).try_for_each(|i| db.put(&i.to_be_bytes(), item(i)))?;
    assert!(entries(&db)? < held && db.stats()?.total_bytes <= 8 << 20);
    assert_eq!(db.count()?, 2 * u64::from(items));
    Ok(())
}

/// A database without items is empty, whatever entries of dropped indexes it still holds.
#[test]
fn a_snapshot_is_loaded_where_entries_of_a_dropped_index_are_left() -> Result<()> {
    let mut saved = Vec::new();
    filled(indexed(), 10)?.save_snapshot_to(&mut saved)?;
    let db = filled(indexed(), 3)?;
    db.configure(TableSchema::new())?;
    (0..3_u32).try_for_each(|i| db.delete(&i.to_be_bytes()))?;
    assert!(entries(&db)? > 0 && db.count()? == 0, "some are left");
    assert_eq!(db.load_snapshot_from(&saved[..])?, 10);
    assert_eq!((check_index(&db)?, entries(&db)?), (10, 20));
    Ok(())
}
