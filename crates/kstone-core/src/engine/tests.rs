use std::collections::BTreeSet;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::error::Error;
use crate::key::{Key, KeyRef, Keyspace, STRIPES};
use crate::record::{Glance, Record};
use crate::second_chance::SecondChance;

const NO_LIMIT: PageLimits = PageLimits::NONE;

fn engine() -> Engine {
    Engine::new(EngineOptions::default()).expect("created")
}

fn key(pk: &str) -> KeyRef<'_> {
    KeyRef::new(pk.as_bytes(), b"").expect("valid key")
}

/// Raises the flag that other threads wait for when it is dropped, also where an assertion fails.
struct Raise<'a>(&'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn pks(page: &RecordPage) -> Vec<String> {
    page.records.iter().map(|record| String::from_utf8_lossy(record.pk()).into_owned()).collect()
}

#[test]
fn an_empty_engine_has_made_no_trees() {
    let stats = engine().stats().expect("counted");
    assert_eq!((stats.total_bytes, stats.base_bytes), (Store::BYTES, Store::BYTES));
    const { assert!(Store::BYTES <= 1 << 10 && Store::STRIPES_BYTES == 16 << 10) };
}

#[test]
fn clearing_does_not_forget_what_was_done() {
    let engine = engine();
    engine.put(key("a"), b"").expect("put");
    engine.flush().expect("flushed");
    engine.delete(key("a")).expect("deleted");
    engine.compact().expect("compacted");
    let before = engine.stats().expect("counted");
    engine.clear().expect("cleared");
    let after = engine.stats().expect("counted");
    assert!(before.flushes > 0 && before.compactions > 0);
    assert_eq!((after.flushes, after.compactions), (before.flushes, before.compactions));
}

#[test]
fn options_outside_their_range_are_refused_by_name() {
    for memtable_max_records in [0, MEMTABLE_MAX_RECORDS_LIMIT + 1] {
        let options = EngineOptions { memtable_max_records, ..EngineOptions::default() };
        let refused = Engine::new(options).err().expect("refused").to_string();
        assert!(refused.contains("memtable_max_records") && refused.contains(&memtable_max_records.to_string()));
    }
}

#[test]
fn delete_flush_scan_never_brings_an_item_back() {
    let engine = engine();
    for i in 0..1000 {
        engine.put(key(&format!("k{i}")), b"v").expect("put");
    }
    engine.flush().expect("flushed");
    for i in 0..1000 {
        engine.delete(key(&format!("k{i}"))).expect("deleted");
    }
    for _ in 0..3 {
        assert!(engine.scan(ScanRange::all(), NO_LIMIT).expect("scanned").records.is_empty());
        assert!(engine.get(key("k7")).expect("read").is_none());
        engine.flush().expect("flushed");
    }
    engine.compact().expect("compacted");
    let stats = engine.stats().expect("counted");
    assert_eq!((stats.items, stats.sst_records, stats.tombstones), (0, 0, 0));
}

#[test]
fn writes_are_counted_whatever_becomes_of_their_records() {
    let engine = engine();
    assert_eq!(engine.writes(), 0);
    engine.put(key("a"), b"").expect("put");
    engine.put(key("b"), b"").expect("put");
    engine.put(key("b"), b"").expect("put");
    engine.delete(key("b")).expect("deleted");
    assert_eq!(engine.writes(), 4);
    engine.commit(&[key("c")], |_| Ok::<_, Error>((vec![Record::put(key("c"), b"")], ()))).expect("committed");
    for _ in 0..2 {
        assert_eq!(engine.writes(), 5);
        engine.get(key("a")).expect("got");
        engine.flush().expect("flushed");
        engine.compact().expect("compacted");
    }
    engine.clear().expect("cleared");
    assert_eq!(engine.writes(), 5, "nothing was written");
    engine.put(key("a"), b"").expect("put");
    assert_eq!(engine.writes(), 6);
}

#[test]
fn a_fork_goes_on_with_the_count_of_writes() {
    let engine = engine();
    engine.put(key("gone"), b"").expect("put");
    engine.clear().expect("cleared");
    engine.put(key("a"), b"").expect("put");
    let (fork, ()) = engine.fork(|| ()).expect("forked");
    assert_eq!(fork.writes(), 2);
    for (written, pk) in (3..).zip(["a", "b"]) {
        fork.put(key(pk), b"").expect("put");
        assert_eq!((fork.writes(), engine.writes()), (written, 2));
    }
}

#[test]
fn watched_engines_write_nothing_unasked_and_ask_before_they_show() {
    let engine = engine();
    assert!(engine.put_unwatched(key("a"), b"1").expect("put"));
    engine.watch(Watch { writes: true, reads: true, layout: None });
    assert!(!engine.put_unwatched(key("a"), b"2").expect("not put"));
    assert!(!engine.delete_unwatched(key("a")).expect("not deleted"));
    let look = |hides| engine.look(key("a"), |record| record.body() == b"1" && hides, |record| record.body().to_vec());
    assert_eq!((look(false), look(true)), (Ok(Some(b"1".to_vec())), Ok(None)));
    engine.watch(Watch { writes: true, ..Watch::default() });
    assert_eq!(look(true), Ok(Some(b"1".to_vec())), "nobody is asked");
    engine.watch(Watch::default());
    assert!(engine.delete_unwatched(key("a")).expect("deleted"));
    assert_eq!(look(false), Ok(None));
}

/// Trees are none, one, and shared; keys are of all lengths about the longest that a glance takes, items short and long.
#[test]
fn a_glance_says_what_a_look_says_or_nothing() {
    let engine = engine();
    engine.put(key("first, so that the processor is known"), b"").expect("put");
    let bytes: Vec<u8> = (0..200).collect();
    let lengths = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 62, 63, 64, 128, 129];
    let parts = lengths.into_iter().flat_map(|pk| [0, 1, 5, 8, 16, 17, 63, 64].map(|sk| (pk, sk)));
    let keys: Vec<_> = parts.map(|(pk, sk)| KeyRef::new(&bytes[..pk], &bytes[1..][..sk]).expect("valid")).collect();
    let same = |engine: &Engine, key: KeyRef<'_>| {
        let before = engine.stats().expect("counted");
        let mut shown = None;
        let glance = engine.glance(key.pk(), key.sk(), |record| {
            shown = Some((record.pk().to_vec(), record.sk().to_vec(), record.body().as_ptr()));
            true
        });
        let after = engine.stats().expect("counted");
        let more = (after.hits - before.hits, after.misses - before.misses);
        let found = engine.get(key).expect("got");
        match glance {
            Glance::Item => {
                let found = found.expect("there");
                let expected = (key.pk().to_vec(), key.sk().to_vec(), found.body().as_ptr());
                assert_eq!((shown, more), (Some(expected), (1, 0)));
                true
            }
            Glance::Nothing => {
                assert!(found.is_none() && shown.is_none() && more == (0, 1));
                true
            }
            Glance::Unclear => {
                assert_eq!(more, (0, 0), "the look-up that follows counts");
                false
            }
        }
    };
    let clear = |engine: &Engine| keys.iter().filter(|key| same(engine, **key)).count();
    let none = clear(&engine);
    let items = [vec![1; 10], vec![2; 5000], crate::item::ItemWriter::new().finish().to_vec()];
    keys.iter().zip(items.iter().cycle()).step_by(2).for_each(|(key, body)| engine.put(*key, body).expect("put"));
    let some = clear(&engine);
    let (fork, ()) = engine.fork(|| ()).expect("forked");
    let shared = clear(&fork);
    keys.iter().step_by(3).for_each(|key| fork.delete(*key).expect("deleted"));
    let all = [none, some, shared, clear(&fork), clear(&engine)];
    if cfg!(target_arch = "x86_64") {
        assert!(all.iter().all(|clear| *clear > keys.len() / 2), "{all:?} of {}", keys.len());
    }
    assert_eq!(engine.glance(b"", b"", |_| true), Glance::Unclear);
}

#[test]
fn a_glance_that_its_taker_declines_is_no_look_up() {
    let engine = engine();
    engine.put(key("a"), b"1").expect("put");
    let mut bodies = Vec::new();
    let glance = engine.glance(b"a", b"", |record| {
        bodies.push(record.body().to_vec());
        false
    });
    let stats = engine.stats().expect("counted");
    assert_eq!((glance, stats.hits, stats.misses), (Glance::Unclear, 0, 0));
    if cfg!(target_arch = "x86_64") {
        assert_eq!(bodies, [b"1".to_vec()]);
    }
}

#[test]
fn a_glance_says_nothing_where_more_than_a_look_is_asked_of_reads() {
    let (memory_max_bytes, eviction) = (Some(1 << 30), Eviction::Lru);
    let evicts = EngineOptions { memory_max_bytes, eviction, ..EngineOptions::default() };
    let engine = Engine::new(evicts).expect("created");
    engine.put(key("a"), b"1").expect("put");
    assert_eq!(engine.glance(b"a", b"", |_| true), Glance::Unclear);
    let engine = self::engine();
    engine.put(key("a"), b"1").expect("put");
    engine.watch(Watch { reads: true, ..Watch::default() });
    assert_eq!(engine.glance(b"a", b"", |_| true), Glance::Unclear);
    engine.watch(Watch { writes: true, ..Watch::default() });
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _ = engine.commit(&[key("b")], |_| -> Result<(Vec<Record>, ())> { panic!("decided badly") });
    }));
    assert!(panicked.is_err());
    assert_eq!(engine.glance(b"a", b"", |_| true), Glance::Unclear);
}

/// One partition is wide, some keys come twice, some are absent; trees have memtables, SSTs and forks.
#[test]
fn many_keys_are_looked_for_as_one_is() {
    let engine = Engine::new(EngineOptions { memtable_max_records: 7, ..EngineOptions::default() }).expect("created");
    let mut random = fastrand::Rng::with_seed(1);
    let names: Vec<(String, String)> = (0..700)
        .map(|_| match random.u32(..3) {
            0 => ("wide".to_owned(), random.u32(..300).to_string()),
            _ => (random.u32(..300).to_string(), String::new()),
        })
        .collect();
    let keys: Vec<_> = names.iter().map(|(pk, sk)| KeyRef::new(pk.as_bytes(), sk.as_bytes()).expect("valid")).collect();
    for key in keys.iter().filter(|_| random.bool()).collect::<Vec<_>>() {
        engine.put(*key, key.sk()).expect("put");
    }
    let (fork, ()) = engine.fork(|| ()).expect("forked");
    keys[..100].iter().for_each(|key| fork.delete(*key).expect("deleted"));
    for engine in [&engine, &fork] {
        let one_by_one: Vec<_> = keys.iter().map(|key| engine.get(*key).expect("got")).collect();
        assert!(one_by_one.iter().flatten().count() > 50 && one_by_one.iter().any(Option::is_none));
        for count in [0, 1, 15, 16, 17, keys.len()] {
            let before = engine.stats().expect("counted");
            let mut many = Vec::new();
            let take = |at, found: Option<&Record>| many.push((at, found.cloned()));
            engine.look_many(count, |at| keys[at], |_| false, take).expect("looked");
            let expected: Vec<_> = one_by_one[..count].iter().cloned().enumerate().collect();
            assert_eq!(many, expected);
            let after = engine.stats().expect("counted");
            assert_eq!(after.hits + after.misses, before.hits + before.misses + count as u64);
            assert_eq!(engine.get_many(&keys[..count]).expect("got"), one_by_one[..count]);
        }
    }
    engine.watch(Watch { writes: true, reads: true, layout: None });
    let mut shown = 0;
    engine
        .look_many(
            keys.len(),
            |at| keys[at],
            |record| record.pk() == b"wide",
            |_, found| {
                assert!(found.is_none_or(|record| record.pk() != b"wide"));
                shown += usize::from(found.is_some());
            },
        )
        .expect("looked");
    assert!(shown > 50);
    assert_eq!(engine.put_many_unwatched(&[(keys[0], b"1"), (keys[1], b"2")]).expect("not put"), [0, 1]);
}

#[test]
fn many_items_are_put_as_one_after_the_other() {
    let [engine, other] = [engine(), engine()];
    let names: Vec<[u8; 2]> = (0..3000_u32).map(|i| ((i * 7) as u16 % 2000).to_be_bytes()).collect();
    let bodies: Vec<[u8; 4]> = (0..3000_u32).map(u32::to_be_bytes).collect();
    let puts: Vec<(KeyRef<'_>, &[u8])> =
        names.iter().zip(&bodies).map(|(pk, body)| (KeyRef::new(pk, b"").expect("valid"), &body[..])).collect();
    assert!(engine.put_many_unwatched(&puts).expect("put").is_empty());
    puts.iter().for_each(|(key, body)| other.put(*key, body).expect("put"));
    assert_eq!((engine.count(), engine.writes()), (other.count(), other.writes()));
    for (key, _) in &puts {
        assert_eq!(engine.get(*key), other.get(*key));
    }
}

#[test]
fn index_entries_stay_out_of_queries_and_scans() {
    let engine = engine();
    let entry = Key::new(b"\0\x01a".as_slice()).in_keyspace(Keyspace::Index);
    let entry = entry.as_key_ref().expect("valid key");
    engine.put(key("a"), b"item").expect("put");
    engine.put(entry, b"entry").expect("put");
    engine.flush().expect("flushed");
    assert_eq!(pks(&engine.scan(ScanRange::all(), NO_LIMIT).expect("scanned")), ["a"]);
    let partition = engine.query(b"a", (Bound::Unbounded, Bound::Unbounded), false, NO_LIMIT).expect("queried");
    assert_eq!(partition.records.len(), 1);
    assert_eq!(engine.get(entry).expect("read").expect("present").body(), b"entry");
    assert_eq!(engine.get(key("a")).expect("read").expect("present").body(), b"item");
    assert_eq!(engine.stats().expect("counted").items, 1);
}

#[test]
fn a_commit_refuses_keys_it_has_not_named_and_changes_nothing() {
    let engine = engine();
    let outcome =
        engine.commit(&[key("a")], |_| Ok((vec![Record::put(key("a"), b""), Record::put(key("b"), b"")], ())));
    assert!(matches!(outcome, Err(Error::Invalid(refusal)) if refusal.to_string().contains("\"b\"")));
    assert_eq!(engine.stats().expect("counted").items, 0);
}

#[test]
fn a_write_that_panics_poisons_every_later_call() {
    let engine = engine();
    engine.put(key("a"), b"").expect("put");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _ = engine.commit(&[key("a")], |_| -> Result<(Vec<Record>, ())> { panic!("decided badly") });
    }));
    assert!(panicked.is_err());
    assert_eq!(engine.get(key("a")).err(), Some(Error::Poisoned));
    assert_eq!(engine.put(key("a"), b"").err(), Some(Error::Poisoned));
    assert_eq!(engine.delete(key("a")).err(), Some(Error::Poisoned));
    assert_eq!(engine.scan(ScanRange::all(), NO_LIMIT).err(), Some(Error::Poisoned));
    assert_eq!(engine.query(b"a", (Bound::Unbounded, Bound::Unbounded), false, NO_LIMIT).err(), Some(Error::Poisoned));
    assert_eq!(engine.flush().err(), Some(Error::Poisoned));
    assert_eq!(engine.compact().err(), Some(Error::Poisoned));
    assert_eq!(engine.clear().err(), Some(Error::Poisoned));
    assert_eq!(engine.view().err(), Some(Error::Poisoned));
    assert_eq!(engine.stats().err(), Some(Error::Poisoned));
}

/// A destructor may write while a panic of somebody else is under way.
#[test]
fn a_write_during_a_panic_of_somebody_else_poisons_nothing() {
    struct WritesWhenDropped<'a>(&'a Engine);
    impl Drop for WritesWhenDropped<'_> {
        fn drop(&mut self) {
            self.0.put(key("a"), b"at the end").expect("put");
            self.0.commit(&[key("b")], |_| Ok::<_, Error>((vec![Record::put(key("b"), b"")], ()))).expect("committed");
            self.0.flush().expect("flushed");
        }
    }
    let engine = engine();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _writes = WritesWhenDropped(&engine);
        panic!("of somebody else");
    }));
    assert!(panicked.is_err());
    assert_eq!(engine.get(key("a")).expect("sound").expect("present").body(), b"at the end");
    assert_eq!(engine.stats().expect("sound").items, 2);
}

/// A writer that was let into a half-changed tree would return with success.
#[test]
fn writers_that_wait_for_a_lock_during_a_panic_are_refused() {
    let engine = engine();
    let (under_lock, waiting) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let panics = scope.spawn(|| {
            catch_unwind(AssertUnwindSafe(|| {
                let _ = engine.commit(&[key("a")], |_| -> Result<(Vec<Record>, ())> {
                    under_lock.store(true, Ordering::SeqCst);
                    while waiting.load(Ordering::SeqCst) < 4 {
                        std::thread::yield_now();
                    }
                    // They look at the database before they wait for its lock, if ever they do.
                    std::thread::sleep(std::time::Duration::from_millis(20));
                    panic!("half changed");
                });
            }))
        });
        while !under_lock.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let waiters: [_; 4] = std::array::from_fn(|_| {
            scope.spawn(|| {
                waiting.fetch_add(1, Ordering::SeqCst);
                engine.put(key("a"), b"late").err()
            })
        });
        for waiter in waiters {
            assert_eq!(waiter.join().expect("no panic"), Some(Error::Poisoned));
        }
        assert!(panics.join().expect("caught").is_err());
    });
    assert_eq!(engine.get(key("a")).err(), Some(Error::Poisoned));
}

#[test]
fn no_page_shows_half_of_a_commit() {
    let engine = engine();
    let pairs: Vec<_> = (0..20).map(|i| (format!("left{i}"), format!("right{i}"))).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _done = Raise(&done);
            for round in 0..300_u32 {
                for (left, right) in &pairs {
                    let keys = [key(left), key(right)];
                    let records = keys.map(|key| Record::put(key, &round.to_le_bytes())).into();
                    engine.commit(&keys, |_| Ok::<_, Error>((records, ()))).expect("committed");
                }
            }
        });
        while !done.load(Ordering::Relaxed) {
            let page = engine.scan(ScanRange::all(), NO_LIMIT).expect("scanned");
            for (left, right) in &pairs {
                let body = |pk: &str| {
                    page.records.iter().find(|record| record.pk() == pk.as_bytes()).map(|record| record.body().to_vec())
                };
                assert_eq!(body(left), body(right), "{left} and {right} were written as one");
            }
        }
    });
}

#[test]
fn crossing_commits_do_not_deadlock() {
    let engine = engine();
    let names: Vec<_> = (0..8).map(|i| format!("key{i}")).collect();
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let (engine, names) = (&engine, &names);
            scope.spawn(move || {
                for round in 0..2000 {
                    let mut keys: Vec<_> = (0..3).map(|i| key(&names[(thread * 5 + round * 3 + i * 7) % 8])).collect();
                    if round % 2 == 0 {
                        keys.reverse();
                    }
                    let records = keys.iter().map(|key| Record::put(*key, b"")).collect();
                    engine.commit(&keys, |_| Ok::<_, Error>((records, ()))).expect("committed");
                }
            });
        }
    });
    assert_eq!(engine.stats().expect("counted").items, 8);
}

#[test]
fn pages_stay_exact_while_other_threads_write_other_partitions() {
    let engine = engine();
    let mine = |i: usize| format!("{i:04}");
    for i in 0..2000 {
        engine.put(KeyRef::new(b"mine", mine(i).as_bytes()).expect("valid key"), b"").expect("put");
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Raise(&done);
        for thread in 0..2 {
            let (engine, done) = (&engine, &done);
            scope.spawn(move || {
                let mut i = 0_usize;
                while !done.load(Ordering::Relaxed) {
                    let pk = format!("other{thread}-{}", i % 5000);
                    if i % 3 == 2 { engine.delete(key(&pk)) } else { engine.put(key(&pk), b"") }.expect("written");
                    i += 1;
                }
            });
        }
        for _ in 0..50 {
            let mut at: Option<String> = None;
            let mut seen = 0;
            loop {
                let from = at.as_ref().map_or(Bound::Unbounded, |sk| Bound::Excluded(sk.as_bytes()));
                let limits = PageLimits::of_records(77);
                let page = engine.query(b"mine", (from, Bound::Unbounded), false, limits).expect("queried");
                for record in &page.records {
                    assert_eq!(record.sk(), mine(seen).as_bytes());
                    seen += 1;
                }
                if !page.limited {
                    break;
                }
                at = Some(mine(seen - 1));
            }
            assert_eq!(seen, 2000);
        }
    });
}

#[test]
fn a_scan_continues_where_its_page_ended_while_others_write() {
    let engine = engine();
    for i in 0..3000 {
        engine.put(key(&format!("stays{i}")), b"").expect("put");
    }
    let mut seen = std::collections::HashSet::new();
    let mut last: Option<Vec<u8>> = None;
    for round in 0.. {
        let range = last.as_ref().map_or(ScanRange::all(), |pk| ScanRange::all().after(pk, b""));
        let page = engine.scan(range, PageLimits::of_records(100)).expect("scanned");
        for pk in pks(&page).into_iter().filter(|pk| pk.starts_with("stays")) {
            assert!(seen.insert(pk), "a page repeated an item");
        }
        if !page.limited {
            break;
        }
        last = page.records.last().map(|record| record.pk().to_vec());
        for i in 0..200 {
            engine.put(key(&format!("new{round}-{i}")), b"").expect("put");
        }
        engine.delete(key(&format!("new{}-7", round / 2))).expect("deleted");
    }
    assert_eq!(seen.len(), 3000);
}

#[test]
fn dropping_the_engine_leaves_records_in_hand_good() {
    let engine = engine();
    engine.put(key("a"), b"body").expect("put");
    let record = engine.get(key("a")).expect("read").expect("present");
    let view = engine.view().expect("viewed");
    drop(engine);
    assert_eq!(record.body(), b"body");
    assert_eq!(view.scan(ScanRange::all(), NO_LIMIT).records.len(), 1);
}

/// The limit holds only as long as no write adds more than was set aside for it, however large memtables may grow.
#[test]
fn a_write_adds_no_more_than_is_reserved_for_it() {
    for memtable_max_records in [20, MEMTABLE_MAX_RECORDS, MEMTABLE_MAX_RECORDS_LIMIT] {
        let options =
            EngineOptions { memtable_max_records, memory_max_bytes: Some(usize::MAX), ..EngineOptions::default() };
        let engine = Engine::new(options).expect("valid options");
        let used = || engine.store.memory.as_ref().expect("a limit").used();
        for i in 0..memtable_max_records as u32 + 100 {
            let (sk, before) = (i.wrapping_mul(0x9E37_79B1).to_be_bytes(), used());
            let key = KeyRef::new(b"p", &sk).expect("valid key");
            let reserved = engine.growth_of(std::iter::once(Record::footprint_of(key, b"body")));
            engine.put(key, b"body").expect("put");
            let added = used().saturating_sub(before);
            assert!(added <= reserved, "write {i} of {memtable_max_records}: {added} added, {reserved} reserved");
        }
    }
}

/// Clearing gives back what the memory limit has counted, in every stripe; the stripes stay.
#[test]
fn a_cleared_engine_counts_what_an_empty_one_does_and_its_stripes() {
    for eviction in [Eviction::None, Eviction::Lru] {
        let options = EngineOptions { memory_max_bytes: Some(8 << 20), eviction, ..EngineOptions::default() };
        let engine = Engine::new(options).expect("valid options");
        let used = || engine.store.memory.as_ref().expect("a limit").used();
        let empty = used() + Store::STRIPES_BYTES;
        for round in 0..3 {
            for i in 0..2000 {
                engine.put(key(&format!("k{i}")), b"body").expect("put");
            }
            assert_eq!(engine.stats().expect("counted").stripes, STRIPES as u64);
            if round == 1 && eviction == Eviction::Lru {
                // Queues are made, and counted from then on.
                assert!(!engine.take_victims().expect("taken").is_empty());
            }
            assert!(used() > empty);
            engine.clear().expect("cleared");
            assert_eq!(used(), empty, "{eviction:?}, round {round}");
        }
    }
}

/// A program that has closed an engine may unload the library: no thread of it runs any more, and none holds its
/// memory.
#[test]
fn the_compaction_thread_is_gone_when_the_engine_is() {
    for round in 0..50 {
        let options =
            EngineOptions { background_compaction: true, memtable_max_records: 8, ..EngineOptions::default() };
        let engine = Engine::new(options).expect("valid options");
        for i in 0..round * 40 {
            engine.put(key(&format!("k{}", i % 300)), b"body").expect("put");
        }
        let store = Arc::downgrade(&engine.store);
        drop(engine);
        assert!(store.upgrade().is_none(), "the thread goes on in round {round}");
    }
}

/// One thread works for all engines of a group: who drops one of them has its memory back, and the others' work goes on.
#[test]
fn an_engine_of_a_group_is_gone_when_it_is_dropped_and_the_others_are_still_compacted() {
    let options = EngineOptions { background_compaction: true, memtable_max_records: 8, ..EngineOptions::default() };
    let group = EngineGroup::new(options).expect("valid options");
    let kept = group.engine(EngineOrdinal(0));
    let write = |engine: &Engine, i: usize| engine.put(key(&format!("k{}", i % 300)), b"body").expect("put");
    for round in 0..50 {
        let dropped = group.engine(EngineOrdinal(round + 1));
        (0..round as usize * 40).for_each(|i| [&kept, &dropped].into_iter().for_each(|engine| write(engine, i)));
        let store = Arc::downgrade(&dropped.store);
        drop(dropped);
        assert!(store.upgrade().is_none(), "the thread goes on in round {round}");
    }
    drop(group);
    let compactions = || kept.stats().expect("counted").compactions;
    let before = compactions();
    for i in (0_u64..).take_while(|_| compactions() == before) {
        kept.put(KeyRef::new(b"p", &i.to_be_bytes()).expect("valid"), b"body").expect("put");
    }
    let store = Arc::downgrade(&kept.store);
    drop(kept);
    assert!(store.upgrade().is_none());
}

/// A stripe's only item is no worse than the others: what was read since is spared, whichever stripe it is in.
#[test]
fn the_only_item_of_a_stripe_gets_its_second_chance() {
    let options =
        EngineOptions { memory_max_bytes: Some(16 << 20), eviction: Eviction::Lru, ..EngineOptions::default() };
    let engine = Engine::new(options).expect("created");
    let names: Vec<String> = (0..8).map(|i| format!("k{i}")).collect();
    let stripes: BTreeSet<StripeId> = names.iter().map(|name| key(name).stripe()).collect();
    assert_eq!(stripes.len(), names.len(), "each in a stripe of its own");
    names.iter().for_each(|name| engine.put(key(name), b"body").expect("put"));
    let read = |name: &str| assert!(engine.get(key(name)).expect("read").is_some());
    let evict = || {
        let victims = engine.take_victims().expect("taken");
        victims.iter().for_each(|victim| engine.delete(victim.key_ref()).expect("deleted"));
        victims.iter().map(|victim| String::from_utf8_lossy(victim.pk()).into_owned()).collect::<Vec<_>>()
    };
    read("k0");
    read("k2");
    assert_eq!([evict(), evict()], [["k1"], ["k3"]]);
    // Where all were read the oldest goes, after those that were spared before it have become older.
    ["k0", "k2", "k4", "k5", "k6", "k7"].into_iter().for_each(read);
    let left: Vec<String> = (0..6).flat_map(|_| evict()).collect();
    assert_eq!(left.iter().collect::<BTreeSet<_>>().len(), 6, "{left:?}");
    assert!(evict().is_empty());
}

/// What eviction keeps of versions that are gone goes with a compaction.
#[test]
fn compacting_leaves_nothing_in_the_queues_that_is_not_current() {
    let options =
        EngineOptions { memory_max_bytes: Some(16 << 20), eviction: Eviction::Lru, ..EngineOptions::default() };
    let engine = Engine::new(options).expect("valid options");
    let name = |i: usize| format!("k{i}");
    for i in 0..5000 {
        engine.put(key(&name(i)), &[0; 100]).expect("put");
    }
    while StripeId::all().any(|id| engine.store.read(id).expect("sound").queue().is_none()) {
        assert!(!engine.take_victims().expect("taken").is_empty());
    }
    for i in 0..600 {
        engine.put(key(&name(i * 8)), &[1; 100]).expect("put");
    }
    let pinning = || {
        let pins = |id: &StripeId| {
            let held = engine.store.read(*id).expect("sound");
            let items = held.tree().expect("a tree").live().items.records;
            held.queue_bytes() > SecondChance::bytes_of(items + items / 4)
        };
        StripeId::all().filter(pins).count()
    };
    assert!(pinning() > 100, "overwriting leaves old versions in queues");
    engine.compact().expect("compacted");
    assert_eq!(pinning(), 0);
}

#[test]
fn flushing_again_and_again_keeps_ssts_few() {
    let engine = engine();
    for i in 0..300 {
        engine.put(KeyRef::new(b"p", &u16::to_be_bytes(i)).expect("valid key"), b"body").expect("put");
        engine.flush().expect("flushed");
    }
    let stats = engine.stats().expect("counted");
    assert!(stats.flushes == 300 && stats.memtable_records == 0 && stats.ssts <= 8, "{stats:?}");
}

/// Every number, for a database small enough to count by hand.
#[test]
fn statistics_say_what_is_there_and_what_was_done() {
    let engine = engine();
    let of_p = |sk: &'static [u8]| KeyRef::new(b"p", sk).expect("valid key");
    let entry = Key::new(b"\0\x01a".as_slice()).in_keyspace(Keyspace::Index);
    let entry = entry.as_key_ref().expect("valid key");
    for sk in [b"1", b"2", b"3"] {
        engine.put(of_p(sk), b"body").expect("put");
    }
    engine.flush().expect("flushed");
    engine.put(key("q"), b"longer body").expect("put");
    engine.put(entry, b"entry").expect("put");
    engine.delete(of_p(b"1")).expect("deleted");
    let stripes: std::collections::HashSet<_> = [of_p(b"1"), key("q"), entry].map(|key| key.route().stripe).into();
    assert_eq!(stripes.len(), 3, "the numbers below are for three stripes");
    let live_bytes = 2 * Record::footprint_of(of_p(b"2"), b"body") + Record::footprint_of(key("q"), b"longer body");
    let before = engine.stats().expect("counted");
    let expected = EngineStats {
        items: 3,
        live_bytes,
        index_entries: 1,
        index_entry_bytes: Record::footprint_of(entry, b"entry"),
        memtable_records: 2,
        wal_records: 2,
        sst_records: 3,
        ssts: 1,
        stripes: 3,
        ssts_per_stripe_max: 1,
        tombstones: 1,
        flushes: 1,
        compactions: 0,
        ..before
    };
    assert_eq!(before, expected);
    assert!((before.ssts_per_stripe_mean() - 1.0 / 3.0).abs() < 1e-9);

    // Each stripe flushes or takes its tombstone out.
    engine.compact().expect("compacted");
    let after = engine.stats().expect("counted");
    let expected = EngineStats {
        items: 3,
        live_bytes,
        memtable_records: 0,
        wal_records: 0,
        sst_records: 4,
        ssts: 3,
        tombstones: 0,
        flushes: 3,
        compactions: 1,
        ssts_per_stripe_max: 1,
        ..after
    };
    assert_eq!(after, expected);
}
