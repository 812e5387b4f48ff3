//! Expiry and the change stream, through the public API. The clock is set by hand; nothing waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kstone_api::clock::{Clock, ClockSource, ManualClock};
use kstone_api::expression::ReturnValues;
use kstone_api::stream::{EventName, Remover};
use kstone_api::ttl::TTL_PAST_MAX_SECONDS;
use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, LocalSecondaryIndex, Operation,
    Projection, Query, Result, Scan, Select, Statement, StreamSpecification, StreamViewType, TableSchema,
    TransactWriteRequest, Write,
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
    assert!(removals.iter().all(|record| record.remover() == Some(Remover::TimeToLive)));
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
    let events: Vec<_> = db.read_stream(0, 10)?.iter().map(|r| (r.event_name(), r.remover())).collect();
    let removed = (EventName::Remove, Some(Remover::TimeToLive));
    let expected = [(EventName::Insert, None), removed, (EventName::Insert, None), removed];
    assert_eq!(events, expected, "the delete met an expired item, whose removal is the TTL's");
    Ok(())
}

/// What each door sees of an item.
fn seen_by_every_door(db: &Database, key: &str) -> Result<Vec<(&'static str, bool)>> {
    let of_key = || Query::new().partition_key(key.as_bytes());
    let by_status = Query::new().index("by-status").partition_key(b"open");
    let select = Statement::new(format!("SELECT * FROM items WHERE pk = '{key}'"));
    let exists = Write::check(key.as_bytes(), "attribute_exists(pk)");
    let mut lines = Vec::new();
    db.export_json(&mut lines)?;
    let fork = db.fork()?;
    Ok(vec![
        ("get", db.get(key.as_bytes())?.is_some()),
        ("batch get", db.batch_get(&[Key::new(key.to_owned())])?[0].is_some()),
        ("transact get", db.transact_get(&[Key::new(key.to_owned())])?[0].is_some()),
        ("query", db.query(of_key())?.count == 1),
        ("iterator", db.iter_query(&of_key())?.count() == 1),
        ("index", db.iter_query(&by_status)?.any(|record| record.pk() == key.as_bytes())),
        ("scan", db.iter_scan(&Scan::new())?.any(|record| record.pk() == key.as_bytes())),
        ("statement", db.execute_statement(&select)?.records.len() == 1),
        ("statements", db.execute_transaction(std::slice::from_ref(&select))?[0].records.len() == 1),
        ("export", String::from_utf8_lossy(&lines).contains(&format!("\"{key}\""))),
        ("check", db.transact(&[Operation::from(exists)]).is_ok()),
        ("condition", fork.write(Write::delete(key.as_bytes()).condition("attribute_exists(pk)")).is_ok()),
    ])
}

/// What each kind of write makes of an item whose `n` was 1: whether it found it.
fn found_by_every_write(db: &Database, key: &str) -> Result<Vec<(&'static str, bool)>> {
    let n_of = |db: &Database| -> Result<Option<String>> {
        Ok(db.get(key.as_bytes())?.and_then(|item| item.get("n").and_then(|n| n.as_number().cloned())))
    };
    let add = || Write::update(key.as_bytes(), "ADD n :one SET #u = :later").name("#u", "until");
    let add = || add().value(":one", kstone_api::KeystoneValue::number(1));
    let add = || add().value(":later", kstone_api::KeystoneValue::number(START + 1_000_000));
    let old = |write: Write| write.return_values(ReturnValues::AllOld);
    let update = db.fork()?;
    update.write(add())?;
    let transaction = db.fork()?;
    transaction.transact_write(TransactWriteRequest::new().write(add()))?;
    let statement = db.fork()?;
    let text = format!("UPDATE items SET n = n + 1 WHERE pk = '{key}'");
    let insert = Statement::new(format!("INSERT INTO items VALUE {{'pk': '{key}'}}"));
    Ok(vec![
        ("update", n_of(&update)? == Some("2".to_owned())),
        ("transaction", n_of(&transaction)? == Some("2".to_owned())),
        ("statement", statement.execute_statement(&Statement::new(text)).is_ok()),
        ("insert", db.fork()?.execute_statement(&insert) == Err(Error::DuplicateItem)),
        ("put", db.fork()?.write(old(Write::put(key.as_bytes(), Item::new())))?.is_some()),
        ("delete", db.fork()?.write(old(Write::delete(key.as_bytes())))?.is_some()),
    ])
}

/// One rule, whatever the door: an item past its time is there for all of them, or for none.
#[test]
fn every_door_keeps_to_the_rule_of_the_table() -> Result<()> {
    for (visible, schema) in [(false, by_until()), (true, by_until().with_ttl_visible())] {
        let (db, clock) = database(schema)?;
        let item =
            |until: i64| ItemBuilder::new().string("status", "open").number("until", until).number("n", 1).build();
        for (key, until) in
            [("over", START), ("later", START + 1_000_000), ("long-over", START - TTL_PAST_MAX_SECONDS - 1)]
        {
            db.put(key.as_bytes(), item(until))?;
        }
        clock.advance(1);
        for (key, is_there) in [("over", visible), ("later", true), ("long-over", true)] {
            for (door, sees) in seen_by_every_door(&db, key)?.into_iter().chain(found_by_every_write(&db, key)?) {
                assert_eq!(sees, is_there, "{door} of {key}, visible: {visible}");
            }
        }
        assert_eq!((db.purge_expired()?, db.stats()?.items), (1, 2), "visible: {visible}");
        assert_eq!(db.read_stream(3, 9)?[0].remover(), Some(Remover::TimeToLive));
    }
    Ok(())
}

fn by_until() -> TableSchema {
    let index = GlobalSecondaryIndex::new("by-status", "status");
    TableSchema::new().with_ttl("until").add_global_index(index).with_stream(StreamViewType::KeysOnly)
}

/// Where what has expired is seen, a write replaces or removes it as any other item, and does not sweep.
#[test]
fn a_visible_item_is_modified_by_writes_and_removed_by_purges_alone() -> Result<()> {
    let (db, clock) = database(by_until().with_ttl_visible())?;
    let item = |n: i64| ItemBuilder::new().number("until", START).number("n", n).build();
    db.put(b"a", item(1))?;
    clock.advance(10);
    db.put(b"a", item(2))?;
    db.put(b"a", item(3))?;
    assert_eq!(db.get(b"a")?, Some(item(3)));
    db.delete(b"a")?;
    let told: Vec<_> = db.read_stream(0, 9)?.iter().map(|record| (record.event_name(), record.remover())).collect();
    let (modify, remove) = ((EventName::Modify, None), (EventName::Remove, Some(Remover::Caller)));
    assert_eq!(told, [(EventName::Insert, None), modify, modify, remove]);
    let error = TableSchema::from_json(r#"{"ttl_visible": true}"#).unwrap_err();
    assert!(error.to_string().contains("takes a ttl_attribute"), "{error}");
    let schema = by_until().with_ttl_visible();
    assert_eq!(TableSchema::from_json(&schema.to_json())?, schema);
    Ok(())
}

/// Items that never expire keep no stripe due, so that neither writes nor the memory limit look for them for ever.
#[test]
fn an_item_whose_time_is_long_past_is_never_removed() -> Result<()> {
    let options = DatabaseOptions { memory_max_bytes: 1 << 20, ..DatabaseOptions::default() };
    let clock = ClockSource::new(Arc::new(ManualClock::new(START)));
    let db = Database::create_in_memory_with(options, TableSchema::new().with_ttl("until"), clock)?;
    let item = || ItemBuilder::new().number("until", 0).binary("b", vec![1; 50_000]).build();
    let mut held = 0_u8;
    let refused = loop {
        match db.put(&[held], item()) {
            Ok(()) => held += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, Error::Limit { .. }) && held > 5, "{refused} after {held}");
    assert_eq!((db.purge_expired()?, db.stats()?.items), (0, u64::from(held)));
    db.set_time(100);
    assert_eq!(db.get(&[0])?, None, "set back, the clock makes it expire after all");
    assert_eq!((db.purge_expired()?, db.stats()?.items), (usize::from(held), 0));
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

/// A clock that moves on each time it is asked.
struct Restless(AtomicI64);

impl Clock for Restless {
    fn now_epoch_seconds(&self) -> i64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[test]
fn a_request_asks_the_clock_once() -> Result<()> {
    let clock = Arc::new(Restless(AtomicI64::new(START)));
    let schema = TableSchema::new()
        .with_ttl("until")
        .add_local_index(LocalSecondaryIndex::new("by-n", "n").projection(Projection::KeysOnly));
    let source = ClockSource::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let db = Database::create_in_memory_with(DatabaseOptions::default(), schema, source)?;
    let keys: Vec<Key> = (0..5).map(|n| Key::with_sk("p", format!("{n}"))).collect();
    let item = |n: i64| ItemBuilder::new().number("until", START + 1_000).number("n", n).string("text", "x").build();
    for (key, n) in keys.iter().zip(0..) {
        db.put_with_sk(&key.pk, key.sk.as_deref().unwrap_or_default(), item(n))?;
    }
    let selects: Vec<Statement> =
        (0..5).map(|n| Statement::new(format!("SELECT * FROM items WHERE pk = 'p' AND sk = '{n}'"))).collect();
    let local = Statement::new("SELECT text FROM items.\"by-n\" WHERE pk = 'p' AND n >= 0");
    let puts = || keys.iter().zip(0..).map(|(key, n)| Write::put(b"p", item(n)).sort_key(key.sk.as_deref().unwrap()));
    type Request<'a> = (&'a str, Box<dyn FnMut() -> usize + 'a>);
    let mut requests: Vec<Request<'_>> = vec![
        ("batch get", Box::new(|| db.batch_get(&keys).unwrap().iter().flatten().count())),
        ("transact get", Box::new(|| db.transact_get(&keys).unwrap().iter().flatten().count())),
        ("query", Box::new(|| db.query(Query::new().partition_key(b"p")).unwrap().count)),
        ("scan", Box::new(|| db.scan(Scan::new()).unwrap().count)),
        ("iterator", Box::new(|| db.iter_scan(&Scan::new()).unwrap().count())),
        ("statements", Box::new(|| db.execute_transaction(&selects).unwrap().len())),
        ("batch of statements", Box::new(|| db.batch_execute_statement(&selects).unwrap().len())),
        ("fetching index", Box::new(|| db.execute_statement(&local).unwrap().records.len())),
        (
            "transaction",
            Box::new(|| {
                db.transact_write(puts().fold(TransactWriteRequest::new(), TransactWriteRequest::write)).unwrap();
                5
            }),
        ),
        (
            "batch",
            Box::new(|| {
                db.batch_write(&puts().collect::<Vec<_>>()).unwrap();
                5
            }),
        ),
    ];
    for (request, run) in &mut requests {
        let before = clock.0.load(Ordering::Relaxed);
        assert_eq!(run(), 5, "{request}");
        assert_eq!(clock.0.load(Ordering::Relaxed) - before, 1, "{request}");
    }
    Ok(())
}

/// A count asks nothing of the records only where no time to live hides one.
#[test]
fn a_count_leaves_out_what_has_expired_unless_that_is_visible() -> Result<()> {
    let schema = TableSchema::new().with_ttl("t");
    for (schema, expected) in [(schema.clone(), 1), (schema.with_ttl_visible(), 2)] {
        let db = Database::create_in_memory_with_schema(schema)?;
        db.put_with_sk(b"p", b"gone", ItemBuilder::new().number("t", 1_700_000_000).build())?;
        db.put_with_sk(b"p", b"here", ItemBuilder::new().build())?;
        assert_eq!(db.query_page(&Query::new().partition_key(b"p").select(Select::Count))?.count, expected);
        assert_eq!(db.scan_page(&Scan::new().select(Select::Count))?.count, expected);
    }
    Ok(())
}
