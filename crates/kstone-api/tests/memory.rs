//! What a database takes is given back: a counting allocator around everything it does.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait's implementation")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use kstone_api::{
    Account, Database, DatabaseOptions, Eviction, GlobalSecondaryIndex, ItemBuilder, KeyType, Query, Result, Scan,
    Statement, StreamViewType, TableSchema, Write,
};

struct Counting;

thread_local! {
    /// Of this thread alone: the test runner's own threads allocate too, when they like.
    static HELD_BYTES: Cell<isize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    HELD_BYTES.with(|held| held.set(held.get() + bytes));
}

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> isize {
    HELD_BYTES.with(Cell::get)
}

#[test]
fn memory_is_small_when_empty_counted_when_full_and_freed_with_the_last_clone() -> Result<()> {
    let before = held();
    let db = Database::create_in_memory()?;
    assert!(held() - before < 2 * 1024, "an empty database takes {} bytes", held() - before);

    for i in 0..50_000 {
        let item = ItemBuilder::new().number("i", i).string("text", "some text that takes a little room").build();
        db.put_with_sk(format!("p{}", i % 5000).as_bytes(), format!("{i}").as_bytes(), item)?;
        if i % 3 == 0 {
            db.delete_with_sk(format!("p{}", i % 4000).as_bytes(), format!("{i}").as_bytes())?;
        }
    }
    let (counted, held_now) = (db.stats()?.total_bytes as f64, (held() - before) as f64);
    assert!((counted / held_now - 1.0).abs() < 0.15, "stats say {counted} bytes, the allocator {held_now}");

    let iterator = db.iter_scan(&Scan::new())?;
    let page = db.query_page(&Query::new().partition_key(b"p1"))?;
    let clone = db.clone();
    drop((db, iterator, page));
    assert!(held() - before > 1 << 20, "a clone keeps the database");
    drop(clone);
    assert_eq!(held(), before, "dropping the last clone frees everything");
    Ok(())
}

/// Stripes come with the first write, and with nothing that is done before.
#[test]
fn a_thousand_empty_tables_are_small_and_so_is_what_is_done_to_them() -> Result<()> {
    let schema = |i: usize| TableSchema::new().name(format!("table-{i}")).partition_key("id", KeyType::S);
    // The names of keys are kept for the life of the process.
    Account::create_in_memory().create_table(schema(0))?;
    let before = held();
    let account = Account::create_in_memory();
    (0..1000).try_for_each(|i| account.create_table(schema(i)).map(drop))?;
    let created = held() - before;
    assert!(created <= 4 << 20, "1,000 empty tables take {created} bytes");
    for name in account.table_names() {
        let table = account.table(&name)?;
        assert!(table.get(b"a")?.is_none() && table.scan(Scan::new())?.items.is_empty());
        assert_eq!((table.purge_expired()?, table.query(Query::new().partition_key(b"a").build())?.count), (0, 0));
    }
    account.clear()?;
    assert!(
        held() - before <= created + (1 << 10),
        "reads and clearing have added {} bytes",
        held() - before - created
    );
    let fork = account.fork()?;
    assert!(held() - before <= 2 * created + (1 << 10), "a fork takes {} bytes", held() - before - created);
    fork.table("table-7")?.put_item(ItemBuilder::new().string("id", "a").build())?;
    assert!(held() - before <= 2 * created + (20 << 10), "a write adds {} bytes", held() - before - 2 * created);
    drop((account, fork));
    assert_eq!(held(), before);
    Ok(())
}

fn item(i: usize, text_bytes: usize) -> kstone_api::Item {
    ItemBuilder::new().number("i", i as i64).string("text", "x".repeat(text_bytes)).build()
}

fn key(i: usize) -> Vec<u8> {
    format!("key-{i:012}").into_bytes()
}

/// What the database holds now, by the allocator.
struct Held(isize);

impl Held {
    fn now(&self) -> f64 {
        (held() - self.0) as f64
    }

    fn assert_counted_by(&self, db: &Database, when: &str) -> Result<()> {
        let stats = db.stats()?;
        let (counted, held) = (stats.total_bytes as f64, self.now());
        assert!(
            (counted / held - 1.0).abs() < 0.15,
            "{when}: stats say {counted} bytes, the allocator {held}: {stats:?}"
        );
        let parts = stats.memtable_bytes + stats.sst_bytes + stats.filter_bytes + stats.wal_bytes;
        let parts = parts + stats.eviction_bytes + stats.base_bytes + stats.stream_bytes;
        assert_eq!(parts, stats.total_bytes, "{when}: the parts add up");
        Ok(())
    }
}

#[test]
fn total_bytes_is_what_the_allocator_holds_whatever_was_done() -> Result<()> {
    let plain = TableSchema::new();
    let indexed = plain.clone().add_global_index(GlobalSecondaryIndex::new("by-i", "i"));
    let streamed = plain.clone().with_stream(StreamViewType::NewAndOldImages);
    let limited = DatabaseOptions { memory_max_bytes: 2 << 20, eviction: Eviction::Lru, ..DatabaseOptions::default() };
    for (schema, options) in [
        (plain.clone(), DatabaseOptions::default()),
        (indexed, DatabaseOptions::default()),
        (streamed, DatabaseOptions::default()),
        (plain, limited),
    ] {
        let held = Held(held());
        let db = Database::create_in_memory_with(options, schema, Default::default())?;
        for i in 0..20_000 {
            db.put(&key(i), item(i, 50))?;
        }
        held.assert_counted_by(&db, "loaded")?;
        for i in 0..30_000 {
            db.put(&key(i * 7 % 10_000), item(i, 80))?;
        }
        held.assert_counted_by(&db, "overwritten")?;
        for i in (0..20_000).filter(|i| i % 3 > 0) {
            db.delete(&key(i))?;
        }
        held.assert_counted_by(&db, "two thirds deleted")?;
        db.flush()?;
        held.assert_counted_by(&db, "flushed")?;
        db.compact()?;
        held.assert_counted_by(&db, "compacted")?;
    }
    Ok(())
}

/// Overwrites 10,000 keys many times over, and looks after each write.
fn assert_overwriting_is_bounded(
    db: &Database,
    before: &Held,
    rounds: usize,
    bodies: &[Vec<u8>],
    slack: f64,
) -> Result<()> {
    const KEYS: usize = 10_000;
    let keys: Vec<Vec<u8>> = (0..KEYS).map(key).collect();
    let mine: usize = keys.iter().map(Vec::capacity).sum::<usize>() + keys.capacity() * size_of::<Vec<u8>>();
    for key in &keys {
        db.put_body(key, b"", &bodies[0])?;
    }
    let stats = db.stats()?;
    let live = (stats.live_bytes + stats.index_entry_bytes) as f64;
    for round in 0..rounds {
        for (i, key) in keys.iter().enumerate() {
            // In order, against it, and one key many times.
            let key = match round % 10 {
                9 => &keys[i / 500],
                even if even % 2 == 0 => key,
                _ => &keys[KEYS - 1 - i],
            };
            db.put_body(key, b"", &bodies[round % bodies.len()])?;
            let holds = before.now() - mine as f64;
            assert!(holds < live * 2.5 + slack, "{holds} bytes, {live} of them live, in round {round}");
        }
    }
    assert_eq!(db.stats()?.live_bytes, stats.live_bytes);
    Ok(())
}

#[test]
fn overwriting_never_holds_more_than_two_and_a_half_times_what_is_live() -> Result<()> {
    let body =
        |i: usize| kstone_api::ItemWriter::new().set_str("text", &format!("{i:0100}")).expect("fits").finish().to_vec();
    let bodies = [body(1), body(2)];
    let before = Held(held());
    assert_overwriting_is_bounded(&Database::create_in_memory()?, &before, 500, &bodies, 0.0)
}

/// Items of a few bytes are less than what a stripe takes by itself: a KiB of that is allowed.
#[test]
fn overwriting_empty_items_never_holds_more_than_that_and_a_kib_a_stripe() -> Result<()> {
    let before = Held(held());
    assert_overwriting_is_bounded(&Database::create_in_memory()?, &before, 100, &[Vec::new()], 256.0 * 1024.0)
}

#[test]
fn overwriting_is_bounded_with_an_index_and_with_a_queue_of_those_to_evict() -> Result<()> {
    let by_group = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-group", "group"));
    let evicting = DatabaseOptions { memory_max_bytes: 3 << 20, eviction: Eviction::Lru, ..DatabaseOptions::default() };
    let body = |group: &str| {
        let mut item = kstone_api::ItemWriter::new();
        item.set_str("group", group).expect("fits").set_str("text", &"x".repeat(100)).expect("fits").finish().to_vec()
    };
    let bodies = ["one", "two", "six"].map(body);
    for (schema, options) in [(by_group, DatabaseOptions::default()), (TableSchema::new(), evicting)] {
        let before = Held(held());
        let db = Database::create_in_memory_with(options, schema, Default::default())?;
        // So many that others were evicted, and there is a queue.
        for i in (0..30_000).filter(|_| options.eviction == Eviction::Lru) {
            db.put_body(&key(100_000 + i), b"", &bodies[0])?;
        }
        for i in (0..30_000).filter(|_| options.eviction == Eviction::Lru) {
            db.delete(&key(100_000 + i))?;
        }
        assert_overwriting_is_bounded(&db, &before, 60, &bodies, 0.0)?;
        assert!(options.eviction == Eviction::None || db.stats()?.evictions > 1000);
    }
    Ok(())
}

#[test]
fn deleting_everything_gives_memory_back_without_a_call() -> Result<()> {
    let indexed = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-i", "i"));
    let evicting = DatabaseOptions { memory_max_bytes: 8 << 20, eviction: Eviction::Lru, ..DatabaseOptions::default() };
    for (schema, options) in [
        (TableSchema::new(), DatabaseOptions::default()),
        (indexed, DatabaseOptions::default()),
        (TableSchema::new(), evicting),
    ] {
        for count in [300, 5_000, 60_000] {
            for partition in [1, 100, 60_000] {
                let key = |i: usize| match partition {
                    1 => (key(i), Vec::new()),
                    wide => (key(i / wide), key(i)),
                };
                let before = Held(held());
                let db = Database::create_in_memory_with(options, schema.clone(), Default::default())?;
                for (pk, sk) in (0..count).map(key) {
                    db.put_with_sk(&pk, &sk, item(7, 100))?;
                }
                let peak = db.stats()?.total_bytes;
                for (pk, sk) in (0..count).map(key) {
                    db.delete_with_sk(&pk, &sk)?;
                }
                let (left, held) = (db.stats()?.total_bytes, before.now());
                let most = peak / 20 + 256 * 1024;
                let what = format!("{count} in partitions of {partition}");
                assert!(left <= most && held <= most as f64, "{what}: {left} counted, {held} held, of {peak}");
            }
        }
    }
    Ok(())
}

#[test]
fn a_fork_takes_memory_for_what_differs_alone() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..50_000 {
        db.put(&key(i), item(i, 100))?;
    }
    let total = db.stats()?.total_bytes as f64;
    let before = Held(held());
    let fork = db.fork()?;
    assert!(before.now() < 160.0 * 1024.0, "a fork takes {} bytes", before.now());
    fork.put(&key(7), item(8, 100))?;
    assert!(before.now() < 170.0 * 1024.0, "one write takes {} bytes", before.now());
    for i in 0..500 {
        fork.put(&key(i), item(i + 1, 100))?;
    }
    assert!(before.now() < total / 8.0, "500 of 50,000 items take {} bytes of {total}", before.now());
    drop(fork);
    for i in 0..50_000 {
        db.put(&key(i), item(i, 100))?;
    }
    let grown = before.now();
    assert!(grown < total * 0.75, "what only the fork held is gone: {grown} bytes more than {total}");
    Ok(())
}

/// However many texts are asked, and however large their trees: what is remembered of them is bounded, and counted.
#[test]
fn what_is_remembered_of_expressions_is_bounded_and_counted() -> Result<()> {
    let before = held();
    let db = Database::create_in_memory()?;
    let dense = |i: usize, each: &str, by: &str| -> String {
        let first = format!("a{i}{}", each.trim_start_matches('a'));
        std::iter::once(first).chain((0..120).map(|_| each.to_owned())).collect::<Vec<_>>().join(by)
    };
    for i in 0..500 {
        let filter = Scan::new().filter_expression(&dense(i, "a=b", " OR "));
        db.scan(filter)?;
        let names: Vec<String> = (0..400).map(|n| format!("q{n}")).collect();
        db.scan(Scan::new().projection_expression(&format!("r{i},{}", names.join(","))))?;
        let removes: Vec<String> = (0..300).map(|n| format!("q{n}")).collect();
        db.write(Write::update(b"p", &format!("REMOVE r{i},{}", removes.join(","))))?;
        let statement = format!("SELECT r{i} FROM items WHERE {}", dense(i, "a=b", " OR "));
        db.execute_statement(&Statement::new(statement))?;
    }
    let (counted, held_now) = (db.stats()?.total_bytes as isize, held() - before);
    assert!(held_now < 5 * (256 << 10), "{held_now} bytes are held for texts");
    assert!(held_now < counted + 8192, "{held_now} bytes are held, {counted} are counted");
    drop(db);
    assert_eq!(held(), before);
    Ok(())
}
