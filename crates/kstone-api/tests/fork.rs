//! Forks: what is shared, what is not, and when they are made.

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, KeystoneValue, Query, Result, Scan, StreamViewType,
    TableSchema, TransactWriteRequest, Write,
};
use raise::Raise;

mod raise;

fn account(cents: i64) -> Item {
    Item::from([("cents".to_string(), KeystoneValue::number(cents))])
}

fn cents(db: &Database, pk: &str) -> Result<i64> {
    let item = db.get(pk.as_bytes())?.expect("present");
    Ok(item["cents"].as_number().and_then(|text| text.parse().ok()).expect("a number"))
}

#[test]
fn items_indexes_schema_and_time_go_their_own_ways() -> Result<()> {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-color", "color"))
        .with_ttl("until")
        .with_stream(StreamViewType::KeysOnly);
    let db = Database::create_in_memory_with_schema(schema.clone())?;
    db.set_time(1000);
    let colored = |color: &str| ItemBuilder::new().string("color", color).number("until", 2000).build();
    db.put(b"shared", colored("red"))?;
    let fork = db.fork()?;
    assert_eq!(fork.schema(), schema);

    let of_color = |db: &Database, color: &str| {
        db.query(Query::new().index("by-color").partition_key(color.as_bytes()).build()).map(|page| page.count)
    };
    fork.put(b"shared", colored("blue"))?;
    db.put(b"other", colored("red"))?;
    assert_eq!((of_color(&db, "red")?, of_color(&db, "blue")?), (2, 0));
    assert_eq!((of_color(&fork, "red")?, of_color(&fork, "blue")?), (0, 1));

    fork.set_time(3000);
    assert!(fork.get(b"shared")?.is_none() && db.get(b"shared")?.is_some());

    fork.configure(TableSchema::new())?;
    assert!(of_color(&fork, "blue").is_err());
    assert_eq!(of_color(&db, "red")?, 2);

    fork.clear()?;
    assert_eq!((fork.stats()?.items, db.stats()?.items), (0, 2));
    let again = db.fork()?;
    drop((db, fork));
    assert_eq!(of_color(&again, "red")?, 2, "a fork outlives what it was forked from");
    Ok(())
}

#[test]
fn a_reader_of_the_stream_goes_on_with_the_fork_where_it_was() -> Result<()> {
    let schema = TableSchema::new().with_stream(StreamViewType::KeysOnly);
    let db = Database::create_in_memory_with_schema(schema)?;
    for i in 0..5 {
        db.put(format!("{i}").as_bytes(), Item::new())?;
    }
    let fork = db.fork()?;
    assert!(fork.read_stream(5, 10)?.is_empty());
    assert_eq!(fork.read_stream(3, 10).unwrap_err(), Error::Trimmed { after: 3, oldest: 6 });
    fork.put(b"fork", Item::new())?;
    db.put(b"parent", Item::new())?;
    let keys = |db: &Database| -> Result<Vec<(u64, Vec<u8>)>> {
        Ok(db.read_stream(5, 10)?.iter().map(|record| (record.sequence_number(), record.pk().to_vec())).collect())
    };
    assert_eq!((keys(&fork)?, keys(&db)?), (vec![(6, b"fork".to_vec())], vec![(6, b"parent".to_vec())]));
    Ok(())
}

#[test]
fn a_fork_of_a_database_at_work_is_one_moment() -> Result<()> {
    const ACCOUNTS: usize = 50;
    let schema = TableSchema::new().with_stream(StreamViewType::KeysOnly);
    let db = Database::create_in_memory_with_schema(schema)?;
    let name = |i: usize| format!("account-{i}");
    for i in 0..ACCOUNTS {
        db.put(name(i).as_bytes(), account(1000))?;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Raise(&done);
        for thread in 0..3 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                while !done.load(Ordering::Relaxed) {
                    let (from, to) = (random.usize(..ACCOUNTS), random.usize(..ACCOUNTS));
                    if from == to {
                        continue;
                    }
                    let amount = KeystoneValue::number(random.i64(1..10));
                    let take =
                        Write::update(name(from).as_bytes(), "SET cents = cents - :c").value(":c", amount.clone());
                    let give = Write::update(name(to).as_bytes(), "SET cents = cents + :c").value(":c", amount);
                    db.transact_write(TransactWriteRequest::new().write(take).write(give)).expect("moved");
                }
            });
        }
        for _ in 0..300 {
            let fork = db.fork().expect("forked");
            let sum: i64 = (0..ACCOUNTS).map(|i| cents(&fork, &name(i)).expect("present")).sum();
            assert_eq!(sum, ACCOUNTS as i64 * 1000);
            fork.write(Write::update(name(0).as_bytes(), "SET cents = :z").value(":z", KeystoneValue::number(0)))
                .expect("written");
        }
    });
    let sum: i64 = (0..ACCOUNTS).map(|i| cents(&db, &name(i)).expect("present")).sum();
    assert_eq!(sum, ACCOUNTS as i64 * 1000);
    Ok(())
}

#[test]
fn a_fork_made_while_an_index_is_filled_has_all_of_it() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..20_000 {
        db.put(format!("{i}").as_bytes(), ItemBuilder::new().string("color", "red").build())?;
    }
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-color", "color"));
    std::thread::scope(|scope| {
        scope.spawn(|| db.configure(schema).expect("configured"));
        for _ in 0..20 {
            let fork = db.fork().expect("forked");
            let indexed = fork.stats().expect("counted").index_entries;
            let expected = if fork.schema().global_indexes().is_empty() { 0 } else { 20_000 };
            assert_eq!(indexed, expected);
        }
    });
    Ok(())
}

#[test]
fn clear_flush_compact_and_forks_behave_while_threads_read_and_write() -> Result<()> {
    let db = Database::create_in_memory()?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Raise(&done);
        for thread in 0..2_i64 {
            let (db, done) = (&db, &done);
            scope.spawn(move || {
                let mut i = 0;
                while !done.load(Ordering::Relaxed) {
                    let keys = [format!("left{thread}-{}", i % 500), format!("right{thread}-{}", i % 500)];
                    let put = |key: &String| Write::put(key.as_bytes(), account(i));
                    let both = TransactWriteRequest::new().write(put(&keys[0])).write(put(&keys[1]));
                    db.transact_write(both).expect("written");
                    i += 1;
                }
            });
        }
        for round in 0..300 {
            match round % 4 {
                0 => db.flush().expect("flushed"),
                1 => db.compact().expect("compacted"),
                2 => db.clear().expect("cleared"),
                _ => drop(db.fork().expect("forked")),
            }
            // Pairs are written as one and cleared as one, so a reader sees both or none.
            let all: Vec<_> = db.iter_scan(&Scan::new()).expect("opened").collect();
            let left = all.iter().filter(|record| record.pk().starts_with(b"left")).count();
            assert_eq!(left * 2, all.len());
        }
    });
    db.clear()?;
    db.compact()?;
    assert_eq!((db.stats()?.items, db.stats()?.sst_records, db.stats()?.memtable_records), (0, 0, 0));
    Ok(())
}

/// What has expired is found in a fork, too, where the original is purged in the moment of the fork.
#[test]
fn a_fork_made_during_a_purge_finds_all_that_has_expired_in_it() -> Result<()> {
    for _ in 0..100 {
        let db = Database::create_in_memory_with_schema(TableSchema::new().with_ttl("until"))?;
        db.set_time(1000);
        for i in 0..100 {
            db.put(format!("{i}").as_bytes(), ItemBuilder::new().number("until", 2000).build())?;
        }
        db.set_time(3000);
        let (start, purged) = (Barrier::new(2), AtomicBool::new(false));
        std::thread::scope(|scope| -> Result<()> {
            scope.spawn(|| {
                let _purged = Raise(&purged);
                start.wait();
                db.purge_expired().expect("purged");
            });
            start.wait();
            while !purged.load(Ordering::SeqCst) {
                let fork = db.fork()?;
                fork.purge_expired()?;
                assert_eq!(fork.stats()?.items, 0, "a purge of the fork has left what has expired");
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A clear takes the records of what it removes out of the stream, and no others.
#[test]
fn what_is_written_after_a_clear_is_in_the_stream() -> Result<()> {
    for round in 0..50 {
        let db = Database::create_in_memory_with_schema(TableSchema::new().with_stream(StreamViewType::KeysOnly))?;
        let written = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _written = Raise(&written);
                for i in 0..500 {
                    db.put(format!("{i}").as_bytes(), Item::new()).expect("put");
                }
            });
            while !written.load(Ordering::SeqCst) {
                db.clear().expect("cleared");
            }
        });
        let items: BTreeSet<Vec<u8>> = db.iter_scan(&Scan::new())?.map(|record| record.pk().to_vec()).collect();
        let oldest = match db.read_stream(0, 1) {
            Err(Error::Trimmed { oldest, .. }) => oldest,
            _ => 1,
        };
        let records = db.read_stream(oldest - 1, 1000)?;
        let noted = records.iter().map(|record| record.pk().to_vec()).collect();
        assert_eq!(items, noted, "in round {round}");
        assert_eq!(db.stats()?.stream_records, records.len() as u64);
    }
    Ok(())
}
