//! Engines that nobody has written to: they cost little, and their first write is like every other.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::engine::{
    Commit, Engine, EngineOptions, EngineOrdinal, FillingPart, PageLimits, Present, ScanRange, commit_across,
    exclusive_across, read_across,
};
use crate::error::Error;
use crate::key::{KeyRef, RoutedKey};
use crate::record::{Glance, Record};

const NO_LIMITS: PageLimits = PageLimits::NONE;

fn engine(ordinal: u32) -> Engine {
    Engine::new(EngineOptions { ordinal: EngineOrdinal(ordinal), ..EngineOptions::default() }).expect("created")
}

fn key(name: &[u8]) -> KeyRef<'_> {
    KeyRef::new(name, b"").expect("valid")
}

fn has_stripes(engine: &Engine) -> bool {
    !engine.store.stripes().are_shared()
}

/// Reads, views, forks, locks and work on everything: none of it is a reason to make stripes.
#[test]
fn an_engine_gets_its_stripes_with_its_first_write() {
    let (engine, other) = (engine(1), engine(2));
    assert_eq!(engine.get(key(b"a")), Ok(None));
    assert!(matches!(engine.glance(b"a", b"", |_| true), Glance::Nothing));
    assert_eq!(engine.get_many(&[key(b"a"), key(b"b")]).map(|found| found.len()), Ok(2));
    let mut looked = 0;
    engine.look_many(40, |_| key(b"a"), |_| false, |_, found| looked += usize::from(found.is_none())).expect("sound");
    assert_eq!(looked, 40);
    assert_eq!(engine.stats().expect("counted").misses, 1 + 1 + 2 + 40);
    assert_eq!((engine.count(), engine.writes()), (Ok(0), 0));
    assert!(engine.scan(ScanRange::all(), NO_LIMITS).expect("scanned").records.is_empty());
    assert_eq!(engine.count_scan(ScanRange::all(), NO_LIMITS).expect("scanned").count, 0);
    assert!(engine.view().expect("viewed").scan(ScanRange::all(), NO_LIMITS).records.is_empty());
    let partition = engine.view_of_partition(crate::key::Keyspace::Items, b"a").expect("viewed");
    assert!(partition.scan(ScanRange::all(), NO_LIMITS).records.is_empty());
    let awaited = engine.await_view().expect("awaited");
    assert!(awaited.scan(ScanRange::all(), NO_LIMITS).expect("scanned").records.is_empty());
    assert!(awaited.take().expect("taken").scan(ScanRange::all(), NO_LIMITS).records.is_empty());
    engine.flush().expect("flushed");
    engine.compact().expect("compacted");
    engine.clear().expect("cleared");
    assert_eq!(engine.exclusive(|locked| locked.is_empty()), Ok(true));
    assert_eq!(exclusive_across(&[&other, &engine], |all| all.len()), Ok(2));
    assert_eq!(read_across(&[(&engine, &[key(b"a")]), (&other, &[])]), Ok(vec![vec![None], vec![]]));
    let (fork, ()) = engine.fork(|| ()).expect("forked");
    assert!(![&engine, &other, &fork].into_iter().any(has_stripes));

    fork.put(key(b"a"), b"").expect("put");
    assert!(has_stripes(&fork) && !has_stripes(&engine) && engine.get(key(b"a")) == Ok(None));
    let of_fork = fork.stats().expect("counted").total_bytes - engine.stats().expect("counted").total_bytes;
    assert!(of_fork > Store::STRIPES_BYTES, "{of_fork}");
    assert_eq!(fork.get(key(b"b")), Ok(None));
    assert_eq!((fork.stats().expect("counted").misses, engine.stats().expect("counted").misses), (1, 46));

    let named = [(&engine, &[key(b"a")][..]), (&other, &[key(b"b")])];
    let put = |_: &Present<'_>| Ok::<_, Error>(([(1, Record::put(key(b"b"), b""))], ()));
    commit_across(&named, put, |()| ()).expect("committed");
    assert!(other.get(key(b"b")).expect("read").is_some());
}

/// A lock of a commit more, out of order: tried, not waited for.
#[test]
fn a_commit_takes_the_stripes_of_an_engine_that_has_none_where_nobody_is_at_it() {
    let (engine, empty) = (engine(2), engine(1));
    let name = RoutedKey::from(key(b"a"));
    let lock_both = || {
        let mut commit = Commit::new();
        commit.lock([(&engine, name.stripe())].into_iter()).expect("locked");
        commit.try_lock(&empty, name.stripe()).expect("sound")
    };
    assert_eq!(empty.exclusive(|_| lock_both()), Ok(false));
    assert!(!has_stripes(&empty) && lock_both() && has_stripes(&empty));
    empty.close().expect("closed");
    let closed = self::engine(3);
    closed.close().expect("closed");
    for closed in [&empty, &closed] {
        assert_eq!(closed.put(key(b"a"), b""), Err(Error::Closed));
        assert_eq!(closed.get(key(b"a")), Err(Error::Closed));
        assert_eq!(closed.flush(), Err(Error::Closed));
        assert_eq!(closed.view().map(drop), Err(Error::Closed));
        let mut commit = Commit::new();
        assert_eq!(commit.try_lock(closed, name.stripe()), Err(Error::Closed));
    }
}

#[test]
fn an_empty_engine_is_filled_at_once_and_nothing_else_writes_under_its_lock() {
    let engine = engine(1);
    let mut part = FillingPart::default();
    part.add(Record::put(key(b"loaded"), b""));
    let mut filling = engine.filling();
    filling.append(part);
    filling.sorted().expect("no key stands twice").install(0, || Ok::<_, Error>(())).expect("installed");
    assert!(engine.get(key(b"loaded")).expect("read").is_some());

    let engine = self::engine(2);
    let (writer, arrived) = (&engine, &Barrier::new(2));
    thread::scope(|scope| {
        let waiting = engine.exclusive(|locked| {
            let waiting = scope.spawn(move || {
                arrived.wait();
                writer.put(key(b"a"), b"").expect("put");
            });
            arrived.wait();
            (0..100).for_each(|_| thread::yield_now());
            assert!(locked.is_empty() && writer.count_now() == 0);
            waiting
        });
        waiting.expect("locked").join().expect("no panic");
    });
    assert_eq!(engine.count(), Ok(1));
}

impl Engine {
    /// How many items a look without the lock of the first use finds.
    fn count_now(&self) -> usize {
        self.scan(ScanRange::all(), NO_LIMITS).expect("scanned").records.len()
    }
}

/// Two threads write first to two engines, in pairs, and a third reads both at one moment, in either order of the
/// engines: never one half of a commit. So do awaited views, scans and counts of one of them.
#[test]
fn nobody_sees_a_part_of_the_first_write() {
    let names: Vec<[u8; 1]> = (0..8).map(|name| [name]).collect();
    let keys: Vec<KeyRef<'_>> = names.iter().map(|name| key(name)).collect();
    let keys = &keys[..];
    for round in 0..300 {
        let engines = [engine(1 + round % 2), engine(2 - round % 2)];
        let (first, second) = (&engines[0], &engines[1]);
        let (begin, done) = (&Barrier::new(5), &AtomicBool::new(false));
        thread::scope(|scope| {
            let writers = [0, 1].map(|writer| {
                scope.spawn(move || {
                    begin.wait();
                    for n in 0..4_u8 {
                        let own = &keys[writer * 4..][..4];
                        let put = |_: &Present<'_>| {
                            let records = own.iter().flat_map(|key| [0, 1].map(|at| (at, Record::put(*key, &[n]))));
                            Ok::<_, Error>((records.collect::<Vec<_>>(), ()))
                        };
                        commit_across(&[(first, own), (second, own)], put, |()| ()).expect("committed");
                    }
                })
            });
            let is_whole = |found: &[Option<Record>]| {
                found.chunks(4).all(|of_writer| {
                    let bodies = of_writer.iter().map(|record| record.as_ref().map(|record| record.body().to_vec()));
                    bodies.collect::<std::collections::HashSet<_>>().len() == 1
                })
            };
            scope.spawn(move || {
                begin.wait();
                while !done.load(Ordering::Relaxed) {
                    let found = read_across(&[(first, keys), (second, keys)]).expect("read");
                    assert!(found[0] == found[1] && is_whole(&found[0]), "{found:?}");
                }
            });
            scope.spawn(move || {
                begin.wait();
                while !done.load(Ordering::Relaxed) {
                    let view = first.await_view().expect("awaited");
                    let found = (0..2).map(|_| view.scan(ScanRange::all(), NO_LIMITS).expect("scanned").records.len());
                    let found: Vec<usize> = found.collect();
                    assert!(found[0] == found[1] && found[0].is_multiple_of(4), "{found:?}");
                }
            });
            begin.wait();
            for writer in writers {
                while !writer.is_finished() {
                    let count = second.count().expect("counted") as usize;
                    let scanned = second.scan(ScanRange::all(), NO_LIMITS).expect("scanned").records.len();
                    assert!(
                        count.is_multiple_of(4) && scanned.is_multiple_of(4) && count <= scanned,
                        "{count} {scanned}"
                    );
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!((first.count(), second.count()), (Ok(8), Ok(8)));
    }
}
