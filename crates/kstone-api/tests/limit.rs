//! The memory limit: what happens to writes, and what is evicted.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kstone_api::clock::{ClockSource, ManualClock};
use kstone_api::stream::{EventName, UserIdentity};
use kstone_api::{
    Account, Database, DatabaseOptions, Error, Eviction, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeystoneValue,
    Projection, Query, Result, Scan, SnapshotProgress, StreamViewType, Table, TableSchema, TransactWriteRequest, Write,
};
use raise::Raise;

mod raise;

const LIMIT: usize = 2 << 20;

fn limited(eviction: Eviction) -> DatabaseOptions {
    DatabaseOptions { memory_max_bytes: LIMIT, eviction, ..DatabaseOptions::default() }
}

fn open(eviction: Eviction, schema: TableSchema) -> Result<Database> {
    Database::create_in_memory_with(limited(eviction), schema, ClockSource::default())
}

fn key(i: usize) -> Vec<u8> {
    format!("key-{i:08}").into_bytes()
}

fn item(i: usize) -> Item {
    let group = format!("group-{}", i % 10);
    ItemBuilder::new().number("i", i as i64).string("group", group).string("text", "x".repeat(150)).build()
}

fn assert_below_limit(db: &Database) -> Result<()> {
    let stats = db.stats()?;
    assert!(stats.total_bytes <= LIMIT, "{stats:?}");
    Ok(())
}

/// Puts items from this one on until the limit; the first that did not fit.
fn fill(db: &Database, from: usize) -> Result<usize> {
    for i in from.. {
        match db.put(&key(i), item(i)) {
            Ok(()) => {}
            Err(Error::Limit { what, limit: LIMIT, found, .. }) => {
                assert!(what.contains("memory_max_bytes") && found > LIMIT);
                return Ok(i);
            }
            Err(error) => return Err(error),
        }
    }
    unreachable!("memory is not endless")
}

#[test]
fn options_are_checked() {
    let refused = |options| Database::create_in_memory_with_options(options).err().expect("refused").to_string();
    let small = DatabaseOptions { memory_max_bytes: 1000, ..DatabaseOptions::default() };
    assert!(refused(small).contains("memory_max_bytes is 1000"));
    let no_limit = DatabaseOptions { eviction: Eviction::Lru, ..DatabaseOptions::default() };
    assert!(refused(no_limit).contains("memory_max_bytes"));
}

#[test]
fn without_eviction_a_full_database_refuses_writes_and_changes_nothing() -> Result<()> {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-group", "group"))
        .with_stream(StreamViewType::KeysOnly);
    let db = open(Eviction::None, schema)?;
    let full = fill(&db, 0)?;
    assert!(full > 2000, "{full} items fit");
    assert_below_limit(&db)?;
    let before = (db.scan(Scan::new())?.items, db.stats()?.index_entries, db.stats()?.stream_records);

    assert!(matches!(db.put(&key(full), item(full)), Err(Error::Limit { .. })));
    let grow = Write::update(&key(3), "SET more = :v").value(":v", KeystoneValue::string("y".repeat(100_000)));
    assert!(matches!(db.write(grow), Err(Error::Limit { .. })));
    let both = TransactWriteRequest::new()
        .write(Write::delete(&key(5)))
        .write(Write::put(&key(full), ItemBuilder::new().string("text", "x".repeat(200_000)).build()));
    assert!(matches!(db.transact_write(both), Err(Error::Limit { .. })));
    let after = (db.scan(Scan::new())?.items, db.stats()?.index_entries, db.stats()?.stream_records);
    assert_eq!(before, after);

    assert!(db.get(&key(7))?.is_some());
    for i in 0..full / 2 {
        db.delete(&key(i))?;
    }
    let again = fill(&db, full)?;
    assert!(again - full > full / 5, "{} items fit where {} were deleted", again - full, full / 2);
    assert_below_limit(&db)
}

#[test]
fn overwriting_goes_on_in_a_full_database() -> Result<()> {
    let db = open(Eviction::None, TableSchema::new())?;
    let full = fill(&db, 0)?;
    // Two versions fit at once for a moment.
    for i in 0..200 {
        db.delete(&key(i))?;
    }
    for round in 0..20 {
        for i in 200..full {
            db.put(&key(i), item(i + round))?;
        }
        assert_below_limit(&db)?;
    }
    Ok(())
}

#[test]
fn an_item_that_fits_no_empty_database_evicts_nothing() -> Result<()> {
    let options = DatabaseOptions { memory_max_bytes: 1 << 20, eviction: Eviction::Lru, ..Default::default() };
    let db = Database::create_in_memory_with_options(options)?;
    db.put(b"here", item(1))?;
    let large = |i: usize| ItemBuilder::new().string("text", "x".repeat(390_000 + i)).build();
    let all = (0..4).fold(TransactWriteRequest::new(), |all, i| all.write(Write::put(&key(i), large(i))));
    assert!(matches!(db.transact_write(all), Err(Error::Limit { .. })));
    assert!(db.get(b"here")?.is_some());
    assert_eq!(db.stats()?.evictions, 0);
    Ok(())
}

/// Whatever its size, a write that fails has evicted nothing.
#[test]
fn a_transaction_that_does_not_fit_an_emptied_database_evicts_nothing() -> Result<()> {
    let mut outcomes = [0; 2];
    for kib in (400..1030).step_by(10) {
        let options = DatabaseOptions { memory_max_bytes: 1 << 20, eviction: Eviction::Lru, ..Default::default() };
        let db = Database::create_in_memory_with_options(options)?;
        (0..600).try_for_each(|i| db.put(&key(i), item(i)))?;
        let part =
            |i: usize| ItemBuilder::new().string("text", "x".repeat(kib * 1024 / 4)).number("i", i as i64).build();
        let all = (0..4).fold(TransactWriteRequest::new(), |all, i| all.write(Write::put(&key(1000 + i), part(i))));
        let fits = match db.transact_write(all) {
            Ok(()) => true,
            Err(Error::Limit { .. }) => false,
            Err(other) => panic!("{other}"),
        };
        outcomes[usize::from(fits)] += 1;
        let stats = db.stats()?;
        assert!(fits || (stats.evictions, stats.items) == (0, 600), "{kib} KiB: {stats:?}");
        assert!(stats.total_bytes <= 1 << 20, "{kib} KiB: {stats:?}");
    }
    assert!(outcomes.iter().all(|count| *count > 5), "some failed, some did not: {outcomes:?}");
    Ok(())
}

#[test]
fn deletes_in_a_full_database_do_not_pass_the_limit() -> Result<()> {
    for text_bytes in [0, 150] {
        let db = open(Eviction::None, TableSchema::new())?;
        let item = |i: usize| ItemBuilder::new().number("i", i as i64).string("text", "x".repeat(text_bytes)).build();
        let mut full = 0;
        while db.put(&key(full), item(full)).is_ok() {
            full += 1;
        }
        for i in 0..full {
            db.delete(&key(i))?;
            if i < 1000 || i % 50 == 0 {
                assert_below_limit(&db)?;
            }
        }
        assert_eq!(db.stats()?.items, 0);
    }
    Ok(())
}

/// What hides the entries of an index that is dropped takes memory, too.
#[test]
fn dropping_an_index_of_a_full_database_does_not_pass_the_limit() -> Result<()> {
    let indexed = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-group", "group").projection(Projection::KeysOnly));
    let db = open(Eviction::None, indexed)?;
    let large = |i: usize| {
        let group = format!("group-{i}");
        ItemBuilder::new().number("i", i as i64).string("group", group).string("text", "x".repeat(600)).build()
    };
    let full = (0..).find(|&i| db.put(&key(i), large(i)).is_err()).expect("memory is not endless");
    // Into SSTs, where deletes have something to hide; then full again.
    db.compact()?;
    let bare = |i: usize| ItemBuilder::new().number("i", i as i64).build();
    (full..).find(|&i| db.put(&key(i), bare(i)).is_err());
    assert_below_limit(&db)?;
    db.configure(TableSchema::new())?;
    assert_below_limit(&db)?;
    let mut left = db.stats()?.index_entries;
    for i in 0.. {
        db.put(&key(i % 100), bare(i))?;
        let now = db.stats()?.index_entries;
        assert!(now <= left, "writes release entries and add none");
        left = now;
        if left == 0 {
            break;
        }
        if i % 10 == 0 {
            assert_below_limit(&db)?;
        }
    }
    assert_below_limit(&db)
}

/// Items of all sizes come and go under a stream and an index: the limit holds after every call, and deletes always go.
#[test]
fn the_limit_counts_streams_and_indexes_and_deletes_go_on() -> Result<()> {
    let views = [StreamViewType::KeysOnly, StreamViewType::NewAndOldImages];
    for (view, eviction, indexed) in views
        .iter()
        .flat_map(|&view| [(view, Eviction::None, true), (view, Eviction::Lru, false), (view, Eviction::Lru, true)])
    {
        for text_bytes in [200, 3_000, 60_000] {
            let mut schema = TableSchema::new().with_stream(view);
            if indexed {
                schema = schema.add_global_index(GlobalSecondaryIndex::new("by-group", "group"));
            }
            let db = open(eviction, schema)?;
            let mut random = fastrand::Rng::with_seed(text_bytes as u64);
            let mut refused = 0;
            for round in 0..3_000 {
                let i = random.usize(..2_000);
                let text = "x".repeat(random.usize(..text_bytes));
                let grown = ItemBuilder::new().string("group", format!("group-{}", round % 10)).string("text", text);
                match random.u8(..6) {
                    0 => db.delete(&key(i))?,
                    _ => match db.put(&key(i), grown.build()) {
                        Ok(()) => {}
                        Err(Error::Limit { .. }) if eviction == Eviction::None => refused += 1,
                        Err(other) => panic!("{view:?}, {eviction:?}, indexed {indexed}: {other}"),
                    },
                }
                let stats = db.stats()?;
                assert!(stats.total_bytes <= LIMIT, "{view:?}, {eviction:?}, indexed {indexed}, {round}: {stats:?}");
            }
            let stats = db.stats()?;
            assert!(text_bytes == 200 || refused > 100 || stats.evictions > 100, "{view:?}, {eviction:?}: {stats:?}");
        }
    }
    Ok(())
}

#[test]
fn the_limit_holds_while_threads_write_at_once() -> Result<()> {
    for eviction in [Eviction::None, Eviction::Lru] {
        let db = open(eviction, TableSchema::new())?;
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _done = Raise(&done);
            let writers: Vec<_> = (0..4)
                .map(|thread| {
                    let db = &db;
                    scope.spawn(move || {
                        for i in 0..8000 {
                            match db.put(&key(thread * 10_000 + i), item(i)) {
                                Ok(()) => {}
                                Err(Error::Limit { .. }) if eviction == Eviction::None => return,
                                Err(error) => panic!("{error}"),
                            }
                        }
                    })
                })
                .collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_below_limit(&db).expect("counted");
                }
            });
            writers.into_iter().for_each(|writer| writer.join().expect("wrote"));
        });
        assert_below_limit(&db)?;
        assert!(db.stats()?.items > 4000);
    }
    Ok(())
}

#[test]
fn evicted_items_leave_the_indexes_and_the_stream_says_who_removed_them() -> Result<()> {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-group", "group"))
        .with_stream(StreamViewType::KeysOnly);
    let db = open(Eviction::Lru, schema)?;
    let (mut read, mut removed) = (0, HashSet::new());
    for i in 0..12_000 {
        db.put(&key(i), item(i))?;
        if i % 500 == 0 || i == 11_999 {
            for record in db.read_stream(read, 1000)? {
                read = record.sequence_number();
                if record.event_name() == EventName::Remove {
                    assert_eq!(record.user_identity(), Some(UserIdentity::EVICTION));
                    removed.insert(record.pk().to_vec());
                }
            }
        }
    }
    let stats = db.stats()?;
    assert!(stats.evictions > 5000 && stats.items + stats.evictions == 12_000, "{stats:?}");
    assert_eq!(stats.index_entries, stats.items);
    assert!(removed.len() > 1000);
    assert!(removed.iter().all(|pk| db.get(pk).expect("read").is_none()));
    let mut indexed = 0;
    for group in 0..10 {
        let query = Query::new().index("by-group").partition_key(format!("group-{group}").as_bytes());
        indexed += db.iter_query(&query)?.count() as u64;
    }
    assert_eq!(indexed, stats.items);
    assert_below_limit(&db)
}

/// Reads these items of the partition `used`, and counts them.
type Look = fn(&Database, &[Key]) -> Result<usize>;

/// Every kind of read of keys and partitions counts as using the item.
#[test]
fn what_was_read_stays_and_what_was_not_goes() -> Result<()> {
    let looks: [(&str, Look); 4] = [
        ("get", |db, keys| {
            let get = |key: &Key| db.get_with_sk(&key.pk, key.sk.as_deref().unwrap_or_default());
            Ok(keys.iter().filter_map(|key| get(key).transpose()).collect::<Result<Vec<_>>>()?.len())
        }),
        ("query", |db, _| Ok(db.query(Query::new().partition_key(b"used").build())?.count)),
        ("batch_get", |db, keys| Ok(db.batch_get(keys)?.into_iter().flatten().count())),
        ("transact_get", |db, keys| Ok(db.transact_get(keys)?.into_iter().flatten().count())),
    ];
    for (name, look) in looks {
        let db = open(Eviction::Lru, TableSchema::new())?;
        let keys: Vec<Key> = (0..50).map(|i| Key::with_sk("used", key(i))).collect();
        for i in 0..50 {
            db.put_with_sk(b"used", &key(i), item(i))?;
            db.put_with_sk(b"unused", &key(i), item(i))?;
        }
        for i in 100..20_000 {
            db.put(&key(i), item(i))?;
            if i % 20 == 0 {
                assert_eq!(look(&db, &keys)?, 50, "by {name}: they were used all the time");
            }
        }
        assert_eq!(db.query(Query::new().partition_key(b"unused").build())?.count, 0, "{name}");
    }
    Ok(())
}

/// A look at the whole table is no use of its items: it would make all of them alike.
#[test]
fn scans_and_iterators_do_not_use_what_they_show() -> Result<()> {
    let looks: [fn(&Database) -> Result<usize>; 2] =
        [|db| Ok(db.scan_page(&Scan::new())?.count), |db| Ok(db.iter_scan(&Scan::new())?.count())];
    for look in looks {
        let db = open(Eviction::Lru, TableSchema::new())?;
        for i in 0..12_000 {
            db.put(&key(i), item(i))?;
            if i % 40 == 0 {
                (0..20).try_for_each(|used| db.get(&key(used)).map(|found| assert!(i < used || found.is_some())))?;
                assert!(look(&db)? > 0);
            }
        }
        assert!(db.stats()?.evictions > 3000);
    }
    Ok(())
}

#[test]
fn what_an_index_showed_was_used() -> Result<()> {
    let db = open(Eviction::Lru, TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-group", "group")))?;
    let of_group = |group: &str| ItemBuilder::new().string("group", group).string("text", "x".repeat(150)).build();
    for i in 0..50 {
        db.put(&key(i), of_group("used"))?;
    }
    for i in 50..20_000 {
        db.put(&key(i), of_group(&format!("other-{}", i % 100)))?;
        if i % 20 == 0 {
            assert_eq!(db.query(Query::new().index("by-group").partition_key(b"used").build())?.count, 50);
        }
    }
    assert!(db.stats()?.evictions > 10_000);
    Ok(())
}

#[test]
fn expired_items_go_before_any_other() -> Result<()> {
    for eviction in [Eviction::None, Eviction::Lru] {
        let clock = Arc::new(ManualClock::new(1000));
        let schema = TableSchema::new().with_ttl("until");
        let db = Database::create_in_memory_with(limited(eviction), schema, ClockSource::new(clock.clone()))?;
        let with_end = |i: usize, until: i64| {
            let mut item = item(i);
            item.insert("until".to_owned(), KeystoneValue::number(until));
            item
        };
        // The oldest stay for good, the newest expire.
        for i in 0..3000 {
            db.put(&key(i), with_end(i, if i < 1500 { 9_000_000 } else { 2000 }))?;
        }
        clock.set(2001);
        for i in 3000..4500 {
            db.put(&key(i), with_end(i, 9_000_000))?;
        }
        assert_eq!(db.stats()?.evictions, 0, "{eviction:?}");
        assert!((0..1500).chain(3000..4500).all(|i| db.get(&key(i)).expect("read").is_some()));
        assert_below_limit(&db)?;
    }
    Ok(())
}

/// Expired items are evicted also where nobody writes, and before items that were used longer ago.
#[test]
fn expired_items_of_other_stripes_go_before_older_ones() -> Result<()> {
    for eviction in [Eviction::None, Eviction::Lru] {
        let clock = Arc::new(ManualClock::new(1000));
        let schema = TableSchema::new().with_ttl("until");
        let db = Database::create_in_memory_with(limited(eviction), schema, ClockSource::new(clock.clone()))?;
        let until = |i: usize, until: i64| {
            let mut item = item(i);
            item.insert("until".to_owned(), KeystoneValue::number(until));
            item
        };
        let put = |pk: &[u8], i: usize, end: i64| db.put_with_sk(pk, &key(i), until(i, end));
        (0..3500).try_for_each(|i| put(b"oldest", i, 9_000_000))?;
        (0..3500).try_for_each(|i| put(b"expires", i, 2000))?;
        clock.set(2001);
        for i in 0..3500 {
            put(b"newest", i, 9_000_000)?;
        }
        let stats = db.stats()?;
        assert_eq!((stats.evictions, stats.items), (0, 7000), "{eviction:?}");
    }
    Ok(())
}

/// Memory that another thread is about to free, or has just freed, is waited for.
#[test]
fn no_write_fails_where_others_evict() -> Result<()> {
    let options = DatabaseOptions { memory_max_bytes: 1 << 20, eviction: Eviction::Lru, ..DatabaseOptions::default() };
    let db = Database::create_in_memory_with_options(options)?;
    let failed = std::sync::Mutex::new(None);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (db, failed) = (&db, &failed);
            scope.spawn(move || {
                for i in 0..400 {
                    // Two of them fill the database.
                    let large = ItemBuilder::new().string("text", "x".repeat(390_000 + i)).build();
                    if let Err(error) = db.put(&key(thread * 1000 + i), large) {
                        *failed.lock().expect("not poisoned") = Some(error);
                    }
                    if i % 50 == 0 {
                        db.clear().expect("cleared");
                    }
                }
            });
        }
    });
    assert_eq!(failed.into_inner().expect("not poisoned"), None);
    Ok(())
}

#[test]
fn expired_items_leave_memory_without_a_call_while_others_are_written() -> Result<()> {
    let clock = Arc::new(ManualClock::new(1000));
    let schema = TableSchema::new().with_ttl("until");
    let options = DatabaseOptions::default();
    let db = Database::create_in_memory_with(options, schema, ClockSource::new(clock.clone()))?;
    for round in 0..20 {
        for i in 0..2000 {
            let mut item = item(i);
            item.insert("until".to_owned(), KeystoneValue::number(1000 + round));
            db.put(&key(round as usize * 2000 + i), item)?;
        }
        clock.advance(1);
    }
    let stats = db.stats()?;
    assert!(stats.items < 6000, "{} of 40,000 items, all but 4,000 of them expired, are still there", stats.items);
    Ok(())
}

#[test]
fn a_new_index_beyond_the_limit_leaves_the_schema_as_it_was() -> Result<()> {
    let db = open(Eviction::None, TableSchema::new().name("full"))?;
    let full = fill(&db, 0)?;
    let before = db.schema();
    let wanted = before.clone().add_global_index(GlobalSecondaryIndex::new("by-group", "group"));
    assert!(matches!(db.configure(wanted), Err(Error::Limit { .. })));
    assert_eq!((db.schema(), db.stats()?.index_entries), (before, 0));
    assert!(db.query(Query::new().index("by-group").partition_key(b"group-1").build()).is_err());
    assert_eq!(db.stats()?.items, full as u64);
    Ok(())
}

#[test]
fn a_fork_has_a_limit_of_its_own() -> Result<()> {
    let db = open(Eviction::Lru, TableSchema::new())?;
    for i in 0..20_000 {
        db.put(&key(i), item(i))?;
    }
    let fork = db.fork()?;
    let items = db.stats()?.items;
    for i in 20_000..40_000 {
        fork.put(&key(i), item(i))?;
    }
    assert_below_limit(&fork)?;
    assert!(fork.stats()?.evictions > 10_000 && fork.get(&key(39_999))?.is_some());
    assert_eq!(db.stats()?.items, items);
    assert!(db.get(&key(19_999))?.is_some() && db.get(&key(39_999))?.is_none());
    Ok(())
}

#[test]
fn a_fork_of_a_full_database_is_full_until_something_is_deleted_in_it() -> Result<()> {
    let db = open(Eviction::None, TableSchema::new())?;
    let full = fill(&db, 0)?;
    let fork = db.fork()?;
    let large = || ItemBuilder::new().string("text", "x".repeat(50_000)).build();
    assert!(matches!(fork.put(b"large", large()), Err(Error::Limit { limit: LIMIT, .. })));
    assert_eq!(fork.stats()?.items, full as u64);
    (0..full / 2).try_for_each(|i| fork.delete(&key(i)))?;
    fork.put(b"large", large())?;
    assert_below_limit(&fork)?;
    assert!(matches!(db.put(b"large", large()), Err(Error::Limit { limit: LIMIT, .. })));
    assert_eq!(db.stats()?.items, full as u64);
    Ok(())
}

/// A fork that overwrites what it shares says nothing about the original, where it is as evictable as before.
#[test]
fn what_a_fork_overwrites_can_be_evicted_from_the_original() -> Result<()> {
    let db = open(Eviction::Lru, TableSchema::new())?;
    for i in 0..4000 {
        db.put(&key(i), item(i))?;
    }
    let fork = db.fork()?;
    for i in 4000..6000 {
        db.put(&key(i), item(i))?;
    }
    for i in 0..4000 {
        fork.put(&key(i), item(i + 1))?;
    }
    for i in 6000..30_000 {
        db.put(&key(i), item(i))?;
    }
    let old = (0..4000).filter(|i| db.get(&key(*i)).expect("read").is_some()).count();
    assert_eq!(old, 0, "the oldest of all are still there");
    Ok(())
}

/// Keys by rank, each as often as Zipf says: the cumulative shares, searched.
struct Zipf {
    shares: Vec<f64>,
    random: fastrand::Rng,
}

impl Zipf {
    fn new(keys: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let mut shares: Vec<f64> = (1..=keys)
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        shares.iter_mut().for_each(|share| *share /= sum);
        Self { shares, random: fastrand::Rng::with_seed(42) }
    }

    fn next(&mut self) -> usize {
        let at = self.random.f64();
        self.shares.partition_point(|share| *share < at)
    }
}

/// A cache of Zipf-distributed keys hits at most 3 points less often than exact LRU of as many items does.
#[test]
fn eviction_hits_nearly_as_often_as_exact_lru() -> Result<()> {
    for exponent in [0.7, 0.9, 1.1] {
        let mut zipf = Zipf::new(30_000, exponent);
        let trace: Vec<usize> = (0..150_000).map(|_| zipf.next()).collect();
        let db = open(Eviction::Lru, TableSchema::new())?;
        let mut hits = 0;
        let mut most_items = 0;
        let warm = trace.len() / 3;
        for (at, &i) in trace.iter().enumerate() {
            if db.get(&key(i))?.is_some() {
                hits += usize::from(at >= warm);
            } else {
                db.put(&key(i), item(i))?;
            }
            if at % 10_000 == 0 {
                most_items = most_items.max(db.stats()?.items);
            }
        }
        let mut exact = lru::LruCache::new(std::num::NonZero::new(most_items as usize).expect("items"));
        let mut exact_hits = 0;
        for (at, &i) in trace.iter().enumerate() {
            if exact.get(&i).is_some() {
                exact_hits += usize::from(at >= warm);
            } else {
                exact.put(i, ());
            }
        }
        let percent = |hits: usize| hits as f64 * 100.0 / (trace.len() - warm) as f64;
        let (ours, exact) = (percent(hits), percent(exact_hits));
        println!("Zipf {exponent}: {ours:.1} % hits, exact LRU of {most_items} items {exact:.1} %");
        assert!(ours >= exact - 3.0, "{ours:.1} % hits, exact LRU {exact:.1} %");
        let stats = db.stats()?;
        assert_eq!(stats.hits + stats.misses, trace.len() as u64);
        assert!(stats.evictions > 1000);
    }
    Ok(())
}

#[test]
fn hits_and_misses_of_every_kind_of_look_up_are_counted() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"a", Item::new())?;
    assert!(db.get(b"a")?.is_some() && db.get(b"b")?.is_none());
    db.transact_get(&[Key::new("a"), Key::new("b"), Key::new("c")])?;
    db.batch_get(&[Key::new("a")])?;
    let stats = db.stats()?;
    assert_eq!((stats.hits, stats.misses), (3, 3));
    assert_eq!(db.fork()?.stats()?.hits, 0, "a fork counts its own");

    // Writes look their items up, too, but nobody asked for those.
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-group", "group"));
    let db = open(Eviction::Lru, schema)?;
    db.put(b"a", item(1))?;
    db.put(b"a", item(2))?;
    db.write(Write::update(b"a", "SET i = i + :i").value(":i", KeystoneValue::number(1)))?;
    db.transact_write(TransactWriteRequest::new().write(Write::delete(b"a")).write(Write::put(b"b", item(1))))?;
    assert_eq!((db.stats()?.hits, db.stats()?.misses), (0, 0));
    Ok(())
}

fn compaction_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|name| name.trim() == "kstone-compact").count()
}

/// A thread names itself once it runs.
fn wait_for_compaction_threads(count: usize) {
    wait_until(|| compaction_threads() == count);
    assert_eq!(compaction_threads(), count);
}

/// Waits for what another thread does, for a while.
fn wait_until(is_done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if is_done() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn background_compaction_bounds_memory_and_stops_with_the_database() -> Result<()> {
    let before = compaction_threads();
    let options = DatabaseOptions { memtable_max_records: 50, background_compaction: true, ..Default::default() };
    let db = Database::create_in_memory_with_options(options)?;
    let fork = db.fork()?;
    wait_for_compaction_threads(before + 2);
    for i in 0..120_000 {
        db.put(&key(i % 30_000), item(i))?;
        if i % 2 == 0 {
            fork.put(&key(i), item(i))?;
        }
    }
    let stats = db.stats()?;
    assert_eq!((stats.items, fork.stats()?.items), (30_000, 60_000));
    assert!(stats.total_bytes < stats.live_bytes * 5 / 2, "{stats:?}");
    // Nobody reads in order, and yet what was flushed ends up as one SST a stripe: how many merges that takes depends on
    // how many flushes each of them finds.
    for db in [&db, &fork] {
        wait_until(|| db.stats().is_ok_and(|stats| stats.ssts_per_stripe_max == 1));
        let stats = db.stats()?;
        assert!(stats.flushes > 256 && stats.ssts_per_stripe_max == 1 && stats.ssts <= 256, "{stats:?}");
    }
    for i in 0..30_000 {
        db.delete(&key(i))?;
    }
    let clone = db.clone();
    drop((db, fork));
    assert_eq!(clone.scan(Scan::new())?.count, 0);
    drop(clone);
    wait_for_compaction_threads(before);
    Ok(())
}

#[test]
fn a_snapshot_that_does_not_fit_is_refused_and_one_that_does_keeps_to_the_limit() -> Result<()> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot");
    let large = Database::create_in_memory()?;
    for i in 0..10_000 {
        large.put(&key(i), item(i))?;
    }
    large.save_snapshot(&path)?;
    for eviction in [Eviction::None, Eviction::Lru] {
        let db = open(eviction, TableSchema::new())?;
        assert!(matches!(db.load_snapshot(&path), Err(Error::Limit { .. })));
        assert_eq!(db.stats()?.items, 0);
    }
    for i in 5000..10_000 {
        large.delete(&key(i))?;
    }
    large.save_snapshot(&path)?;
    let db = open(Eviction::Lru, TableSchema::new())?;
    assert_eq!(db.load_snapshot(&path)?, 5000);
    assert_below_limit(&db)?;
    for i in 5000..20_000 {
        db.put(&key(i), item(i))?;
    }
    assert_below_limit(&db)?;
    assert!(db.get(&key(7))?.is_none() && db.get(&key(19_999))?.is_some());
    Ok(())
}

/// What does not fit is given up where that shows, not when all of it is in memory.
#[test]
fn a_load_ends_where_it_passes_the_limit() -> Result<()> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot");
    let large = Database::create_in_memory()?;
    (0..40_000).try_for_each(|i| large.put(&key(i), item(i)))?;
    large.save_snapshot(&path)?;
    let db = open(Eviction::Lru, TableSchema::new())?;
    let mut reached = SnapshotProgress::default();
    let outcome = db.load_snapshot_with(&path, |progress| {
        reached = progress;
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::Limit { limit: LIMIT, .. })));
    assert!(reached.total == 40_000 && reached.done < 20_000, "{reached:?}");
    assert_eq!(db.stats()?.items, 0);
    Ok(())
}

/// A stream has a quarter of the limit set aside: what is loaded leaves it that.
#[test]
fn a_load_leaves_the_bytes_set_aside_for_the_stream() -> Result<()> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot");
    for (schema, fits) in
        [(TableSchema::new(), true), (TableSchema::new().with_stream(StreamViewType::KeysOnly), false)]
    {
        let source = Database::create_in_memory_with_schema(schema)?;
        (0..7000).try_for_each(|i| source.put(&key(i), item(i)))?;
        source.save_snapshot(&path)?;
        let db = open(Eviction::None, TableSchema::new())?;
        let outcome = db.load_snapshot(&path);
        match fits {
            true => assert_eq!(outcome, Ok(7000)),
            false => assert!(matches!(outcome, Err(Error::Limit { limit: LIMIT, .. })), "{outcome:?}"),
        }
        let stats = db.stats()?;
        assert!(
            !fits || stats.total_bytes > LIMIT * 3 / 4,
            "the test needs what fits without a stream alone: {stats:?}"
        );
        assert_eq!(stats.items, if fits { 7000 } else { 0 });
    }
    Ok(())
}

fn account(eviction: Eviction, names: [&str; 2]) -> Result<(Account, [Table; 2])> {
    let account = Account::create_in_memory_with(limited(eviction), ClockSource::default());
    let table = |name: &str| account.create_table(TableSchema::new().name(name));
    let tables = [table(names[0])?, table(names[1])?];
    Ok((account, tables))
}

/// What tables take together; what parsed texts take is counted with each.
fn bytes_of(tables: &[Table]) -> Result<usize> {
    tables.iter().try_fold(0, |bytes, table| Ok(bytes + table.stats()?.total_bytes))
}

/// Puts items from this one on until the limit of the account; the first that did not fit.
fn fill_table(table: &Table, from: usize) -> Result<usize> {
    for i in from.. {
        match table.put(&key(i), item(i)) {
            Ok(()) => {}
            Err(Error::Limit { what, limit: LIMIT, .. }) if what.contains("memory_max_bytes") => return Ok(i),
            Err(error) => return Err(error),
        }
    }
    unreachable!("memory is not endless")
}

#[test]
fn the_tables_of_an_account_share_its_limit_and_a_dropped_one_gives_its_bytes_back() -> Result<()> {
    let (account, tables) = account(Eviction::None, ["one", "other"])?;
    let [one, other] = &tables;
    let alone = fill(&open(Eviction::None, TableSchema::new())?, 0)?;
    let full = fill_table(one, 0)?;
    assert!(full > alone * 9 / 10, "{full} items fit where {alone} did");
    assert!(bytes_of(&tables)? <= LIMIT);
    assert!(fill_table(other, 0)? < 10, "there is no memory left for the other table");
    assert_eq!(other.stats()?.memory_max_bytes, LIMIT);

    let fork = account.fork()?;
    let [of_fork, other_of_fork] = [fork.table("one")?, fork.table("other")?];
    account.drop_table("one")?;
    let fits = fill_table(other, 10)?;
    assert!(fits > alone * 9 / 10, "{fits} items fit after the drop where {alone} did");
    assert!(bytes_of(std::slice::from_ref(other))? <= LIMIT);
    assert!(fill_table(&other_of_fork, 10)? < 20 && of_fork.stats()?.items == full as u64);
    fork.drop_table("one")?;
    drop(of_fork);
    assert!(fill_table(&other_of_fork, 20)? > alone * 9 / 10, "a fork has a budget of its own");
    Ok(())
}

/// What nobody has used for longest goes, in whichever table it is, with its entries and with a record in its stream.
#[test]
fn a_write_to_one_table_evicts_the_oldest_items_of_another() -> Result<()> {
    let account = Account::create_in_memory_with(limited(Eviction::Lru), ClockSource::default());
    let by_group = GlobalSecondaryIndex::new("by-group", "group");
    let old_schema = TableSchema::new().name("old").add_global_index(by_group).with_stream(StreamViewType::KeysOnly);
    let tables = [account.create_table(old_schema)?, account.create_table(TableSchema::new().name("new"))?];
    let [old, new] = &tables;
    (0..1000).try_for_each(|i| old.put(&key(i), item(i)))?;
    for i in 0..20_000 {
        new.put(&key(i), item(i))?;
        assert!(i % 500 != 0 || bytes_of(&tables)? <= LIMIT, "{i}");
    }
    let (of_old, of_new) = (old.stats()?, new.stats()?);
    assert_eq!((of_old.items, of_old.index_entries, of_old.evictions), (0, 0, 1000), "{of_old:?}");
    assert!(of_new.evictions > 0 && of_new.items > 1000, "{of_new:?}");
    let last = old.read_stream(1000, 1000).or_else(|_| old.read_stream(1999, 1))?;
    let removed = last.last().expect("the last removal");
    assert_eq!((removed.sequence_number(), removed.event_name()), (2000, EventName::Remove));
    Ok(())
}

/// Transactions over both tables and puts of either, from several threads: none waits for itself or for another for good,
/// and together they keep to the limit.
#[test]
fn writers_of_several_tables_share_one_limit() -> Result<()> {
    let (account, tables) = account(Eviction::Lru, ["one", "other"])?;
    std::thread::scope(|scope| {
        let (account, tables) = (&account, &tables);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn(move || -> Result<()> {
                    for i in 0..3000 {
                        let own = key(writer * 10_000 + i);
                        match i % 3 {
                            0 => tables[writer % 2].put(&own, item(i))?,
                            1 => tables[1 - writer % 2].put(&own, item(i))?,
                            _ => {
                                let both = TransactWriteRequest::new()
                                    .write(Write::put(&own, item(i)))
                                    .write(Write::put(&key(100_000 + i), item(i)));
                                tables[writer % 2].transact_write(both)?;
                            }
                        }
                        if i % 100 == 0 {
                            account.create_table(TableSchema::new().name(format!("t{writer}-{i}")))?;
                            account.drop_table(&format!("t{writer}-{i}"))?;
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("no panic"))
    })?;
    assert!(bytes_of(&tables)? <= LIMIT);
    assert!(tables.iter().all(|table| table.stats().is_ok_and(|stats| stats.items > 100)));
    Ok(())
}

/// Streams share what is set aside for one, however many there are.
#[test]
fn the_streams_of_an_account_share_what_one_would_have() -> Result<()> {
    let account = Account::create_in_memory_with(limited(Eviction::Lru), ClockSource::default());
    let schema = |i: usize| TableSchema::new().name(format!("table-{i}")).with_stream(StreamViewType::NewAndOldImages);
    let mut tables = vec![account.create_table(schema(0))?];
    let overwrite = |table: &Table| (0..4000).try_for_each(|i| table.put(&key(i % 200), item(i)));
    overwrite(&tables[0])?;
    let alone = tables[0].stats()?.stream_bytes;
    for i in 1..8 {
        tables.push(account.create_table(schema(i))?);
        overwrite(&tables[i])?;
    }
    let of_streams = tables.iter().map(|table| Ok(table.stats()?.stream_bytes)).collect::<Result<Vec<_>>>()?;
    assert!(of_streams.iter().sum::<usize>() <= LIMIT / 4, "{of_streams:?}");
    assert!(alone > LIMIT / 5 && of_streams.iter().all(|bytes| *bytes > alone / 20), "{alone}, {of_streams:?}");
    assert!(bytes_of(&tables)? <= LIMIT);
    Ok(())
}
