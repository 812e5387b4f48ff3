//! Expiry and the change stream, through the public API. The clock is set by hand; nothing waits.

use std::sync::Arc;

use kstone_api::clock::{ClockSource, ManualClock};
use kstone_api::stream::EventName;
use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, Query, Result, Scan,
    StreamSpecification, StreamViewType, TableSchema, TransactWriteRequest, Write,
};

const START: i64 = 1_700_000_000;

fn session(expires_at: i64) -> Item {
    ItemBuilder::new().string("status", "open").number("expires_at", expires_at).build()
}

fn database(schema: TableSchema) -> Result<(Database, Arc<ManualClock>)> {
    let clock = Arc::new(ManualClock::new(START));
    let source = ClockSource::new(clock.clone());
    Ok((Database::create_in_memory_with(DatabaseOptions::default(), schema, source)?, clock))
}

fn expiring() -> TableSchema {
    let index = GlobalSecondaryIndex::new("by-status", "status");
    TableSchema::new().with_ttl("expires_at").add_global_index(index).with_stream(StreamViewType::NewAndOldImages)
}

#[test]
fn an_expired_item_is_invisible_to_every_read_at_once() -> Result<()> {
    let (db, clock) = database(expiring())?;
    db.put(b"short", session(START + 10))?;
    db.put(b"long", session(START + 1000))?;
    db.put(b"never", ItemBuilder::new().string("status", "open").build())?;
    let counts = || -> Result<[usize; 6]> {
        let by_status = Query::new().index("by-status").partition_key(b"open");
        Ok([
            db.scan(Scan::new())?.count,
            db.query(Query::new().partition_key(b"short"))?.count,
            db.query(by_status.clone())?.count,
            db.iter_scan(&Scan::new())?.count(),
            db.iter_query(&by_status)?.count(),
            db.transact_get(&[Key::new("short"), Key::new("long")])?.iter().flatten().count(),
        ])
    };
    clock.advance(10);
    assert_eq!(counts()?, [3, 1, 3, 3, 3, 2], "an item is there in its own second");
    assert!(db.get(b"short")?.is_some());
    clock.advance(1);
    assert_eq!(counts()?, [2, 0, 2, 2, 2, 1]);
    assert!(db.get(b"short")?.is_none() && db.batch_get(&[Key::new("short")])?[0].is_none());
    let insert = Write::put(b"short", session(START + 500)).condition("attribute_not_exists(pk)");
    db.write(insert)?;
    assert_eq!(counts()?, [3, 1, 3, 3, 3, 2], "what has expired is not there for conditions either");
    db.set_time(START + 2000);
    assert_eq!(counts()?, [1, 0, 1, 1, 1, 0]);
    db.set_time(0);
    assert_eq!(counts()?, [3, 1, 3, 3, 3, 2], "0 goes back to the clock");
    Ok(())
}

#[test]
fn purging_frees_items_and_entries_and_says_so_in_the_stream() -> Result<()> {
    let (db, clock) = database(expiring())?;
    for i in 0..100 {
        db.put(format!("s{i}").as_bytes(), session(START + i))?;
    }
    clock.advance(50);
    let before = db.stats()?.items;
    assert_eq!((before, db.purge_expired()?, db.purge_expired()?), (100, 50, 0));
    assert_eq!(db.stats()?.items, 50);
    let removals: Vec<_> = db.read_stream(100, 1000)?;
    assert_eq!(removals.len(), 50);
    assert!(removals.iter().all(|record| record.event_name() == EventName::Remove && record.user_identity().is_some()));
    clock.advance(50);
    db.compact()?;
    let stats = db.stats()?;
    assert_eq!((stats.items, stats.sst_records + stats.memtable_records), (0, 0), "compaction frees them too");
    Ok(())
}

#[test]
fn a_write_removes_a_few_expired_items_and_all_of_them_go_in_the_end() -> Result<()> {
    let (db, clock) = database(TableSchema::new().with_ttl("expires_at"))?;
    for i in 0..10_000_i64 {
        db.put_with_sk(b"one partition", &i.to_be_bytes(), session(START + i % 2 * 1000))?;
    }
    clock.advance(1);
    let mut items = db.stats()?.items;
    let mut writes = 0;
    while items > 5001 {
        // Also items that the sweep has passed, or has still to come by.
        let i = if writes % 2 == 0 { 1 } else { 9_999_i64 };
        db.put_with_sk(b"one partition", &i.to_be_bytes(), session(START + 1000))?;
        let now = db.stats()?.items;
        assert!(items - now <= 64, "one write removed {} items", items - now);
        items = now;
        writes += 1;
        assert!(writes < 200, "{items} items are left after {writes} writes");
    }
    clock.advance(1000);
    for _ in 0..200 {
        db.put_with_sk(b"one partition", b"", session(START + 5000))?;
    }
    assert_eq!(db.stats()?.items, 1);
    Ok(())
}

/// Items that come while others expire are not forgotten.
#[test]
fn what_is_written_while_stripes_are_swept_expires_in_its_time() -> Result<()> {
    let (db, clock) = database(TableSchema::new().with_ttl("expires_at"))?;
    for round in 0..30 {
        std::thread::scope(|scope| {
            for thread in 0..3_u8 {
                let db = &db;
                scope.spawn(move || {
                    for i in 0..300_u16 {
                        let key = [&[thread, round][..], &i.to_be_bytes()].concat();
                        db.put(&key, session(START + i64::from(round))).expect("put");
                    }
                });
            }
            scope.spawn(|| clock.advance(1));
        });
    }
    clock.advance(1000);
    // A few writes to every stripe, of items that stay.
    for i in 0..3000_u16 {
        db.put(&i.to_be_bytes(), session(START + 5000))?;
    }
    assert_eq!(db.stats()?.items, 3000);
    Ok(())
}

#[test]
fn a_write_over_an_expired_item_is_a_removal_and_an_insert() -> Result<()> {
    let (db, clock) = database(expiring())?;
    db.put(b"s", session(START))?;
    clock.advance(1);
    db.put(b"s", session(START + 100))?;
    clock.advance(100);
    db.delete(b"s")?;
    let events: Vec<_> = db.read_stream(0, 10)?.iter().map(|r| (r.event_name(), r.user_identity().is_some())).collect();
    let expected =
        [(EventName::Insert, false), (EventName::Remove, true), (EventName::Insert, false), (EventName::Remove, true)];
    assert_eq!(events, expected, "the delete met an expired item, whose removal is the TTL's");
    Ok(())
}

#[test]
fn the_stream_tells_of_every_change_in_order() -> Result<()> {
    let (db, _) = database(TableSchema::new().with_stream(StreamViewType::NewAndOldImages))?;
    let item = |n: i64| ItemBuilder::new().number("n", n).build();
    db.put(b"a", item(1))?;
    db.put(b"a", item(2))?;
    db.put(b"a", item(2))?;
    db.delete(b"a")?;
    db.delete(b"a")?;
    let both = TransactWriteRequest::new().write(Write::put(b"b", item(3))).write(Write::put(b"c", item(4)));
    db.transact_write(both)?;
    assert!(db.write(Write::put(b"b", item(9)).condition("attribute_not_exists(pk)")).is_err());
    let records = db.read_stream(0, 100)?;
    let told: Vec<_> = records
        .iter()
        .map(|record| {
            let n = |image: Option<&kstone_api::Record>| image.map(|image| image.item().to_item());
            (record.event_name(), record.pk().to_vec(), n(record.old_image()), n(record.new_image()))
        })
        .collect();
    let expected = vec![
        (EventName::Insert, b"a".to_vec(), None, Some(item(1))),
        (EventName::Modify, b"a".to_vec(), Some(item(1)), Some(item(2))),
        (EventName::Remove, b"a".to_vec(), Some(item(2)), None),
        (EventName::Insert, b"b".to_vec(), None, Some(item(3))),
        (EventName::Insert, b"c".to_vec(), None, Some(item(4))),
    ];
    assert_eq!(told, expected);
    assert!(records.windows(2).all(|pair| pair[0].sequence_number() + 1 == pair[1].sequence_number()));
    assert_eq!(db.read_stream(4, 100)?.len(), 1);
    Ok(())
}

#[test]
fn a_reader_that_fell_behind_is_told_so() -> Result<()> {
    let stream = StreamSpecification::new(StreamViewType::KeysOnly).capacity(10);
    let (db, _) = database(TableSchema::new().with_stream(stream))?;
    for i in 0..100_u8 {
        db.put(&[i], Item::new())?;
    }
    assert_eq!(db.read_stream(0, 100).unwrap_err(), Error::Trimmed { after: 0, oldest: 91 });
    assert_eq!(db.read_stream(90, 100)?.len(), 10);
    db.configure(TableSchema::new())?;
    assert!(matches!(db.read_stream(0, 1), Err(Error::Invalid(_))));
    db.configure(TableSchema::new().with_stream(stream))?;
    db.put(b"again", Item::new())?;
    assert!(matches!(db.read_stream(100, 1), Err(Error::Trimmed { .. })), "numbers never start again");
    Ok(())
}

#[test]
fn replaying_the_stream_of_racing_writers_gives_the_table() -> Result<()> {
    let (db, _) = database(TableSchema::new().with_stream(StreamViewType::NewImage))?;
    std::thread::scope(|scope| {
        for thread in 0..4_u64 {
            let db = &db;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                for i in 0..2000 {
                    let pk = [random.u8(..50)];
                    match random.u8(..3) {
                        0 => db.delete(&pk),
                        _ => db.put(&pk, ItemBuilder::new().number("n", i).number("by", thread as i64).build()),
                    }
                    .expect("written");
                }
            });
        }
    });
    let mut replayed = std::collections::BTreeMap::new();
    let mut after = 0;
    loop {
        let records = db.read_stream(after, 1000)?;
        let Some(last) = records.last() else { break };
        after = last.sequence_number();
        for record in records {
            match record.new_image() {
                Some(image) => replayed.insert(record.pk().to_vec(), image.item().to_item()),
                None => replayed.remove(record.pk()),
            };
        }
    }
    let table: std::collections::BTreeMap<_, _> =
        db.iter_scan(&Scan::new())?.map(|record| (record.pk().to_vec(), record.item().to_item())).collect();
    assert_eq!(replayed, table);
    Ok(())
}
