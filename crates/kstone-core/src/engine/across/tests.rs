use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use super::*;
use crate::engine::{EngineOptions, EngineOrdinal};
use crate::item::{ItemRef, ItemWriter};

thread_local! {
    pub(super) static COMPARISONS: Cell<usize> = const { Cell::new(0) };
}

fn engine(ordinal: u32) -> Engine {
    Engine::new(EngineOptions { ordinal: EngineOrdinal(ordinal), ..EngineOptions::default() }).expect("created")
}

/// A transaction on a table of many indexes writes thousands of records under its locks.
#[test]
fn a_commit_compares_its_keys_n_log_n_times() {
    let engine = Engine::new(EngineOptions::default()).expect("created");
    for count in [100_usize, 4000] {
        let names: Vec<_> = (0..count as u32).map(u32::to_be_bytes).collect();
        let keys: Vec<_> = names.iter().map(|name| KeyRef::new(&name[..3], &name[3..]).expect("valid")).collect();
        let records: Vec<_> = keys.iter().map(|key| Record::put(*key, b"")).collect();
        COMPARISONS.set(0);
        engine.commit(&keys, |_| Ok::<_, Error>((records, ()))).expect("committed");
        let compared = COMPARISONS.get();
        assert!(compared >= count && compared <= 4 * count * count.ilog2() as usize, "{compared} of {count} keys");
    }
    assert_eq!(engine.stats().expect("counted").items, 4000);
}

#[test]
fn a_key_is_named_in_its_engine_and_keyspace_alone() {
    let (engine, another) = (engine(1), engine(2));
    let key = KeyRef::new(b"\0\x01a", b"s").expect("valid");
    let entry = KeyRef::index_entry(b"\0\x01a", b"s").expect("valid");
    let other = KeyRef::new(b"b", b"").expect("valid");
    for copies in [1, 4] {
        let keys = [vec![key; copies], vec![other]].concat();
        let named = NamedKeys::of(&[(&engine, &keys)]);
        assert!(named.has(&engine, key.into()));
        assert!(!named.has(&engine, entry.into()));
        assert!(!named.has(&engine, KeyRef::new(b"b", b"s").expect("valid").into()));
        assert!(!named.has(&another, key.into()));
    }
}

const ENGINES: usize = 3;
const ACCOUNTS: usize = 40;
const THREADS: usize = 8;
const START: i64 = 1000;

fn account(number: usize) -> [u8; 1] {
    [number as u8]
}

fn body(cents: i64) -> Vec<u8> {
    ItemWriter::new().set_i64("cents", cents).expect("set").finish().to_vec()
}

fn cents(record: &Record) -> i64 {
    let number = ItemRef::new(record.body()).get("cents").and_then(|cents| cents.as_number()).expect("an account");
    number.parse().expect("whole cents")
}

fn bank() -> Vec<Engine> {
    // Not in the order in which they are named.
    let engines: Vec<Engine> = [7, 3, 5].into_iter().map(engine).collect();
    for engine in &engines {
        for number in 0..ACCOUNTS {
            engine.put(KeyRef::new(&account(number), b"").expect("valid"), &body(START)).expect("put");
        }
    }
    engines
}

/// Moves money between random accounts of random engines, which are named in any order, one perhaps twice.
fn transfer(engines: &[Engine], random: &mut fastrand::Rng) {
    let mut names: Vec<(usize, [u8; 1])> = Vec::new();
    while names.len() < 2 + random.usize(..4) {
        let name = (random.usize(..engines.len()), account(random.usize(..ACCOUNTS)));
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let keys: Vec<[KeyRef<'_>; 1]> = names.iter().map(|(_, pk)| [KeyRef::new(pk, b"").expect("valid")]).collect();
    let named: Vec<EngineKeys<'_>> = names.iter().zip(&keys).map(|((at, _), key)| (&engines[*at], &key[..])).collect();
    let amount = random.i64(1..50);
    let moved = commit_across(
        &named,
        |present| {
            let balance = |at: usize| cents(&present.get_in(at, keys[at][0]).expect("there"));
            if balance(0) < amount {
                return Err(Error::from(Reason::NothingOpen));
            }
            let last = keys.len() - 1;
            let record = |at: usize, change: i64| (at, Record::put(keys[at][0], &body(balance(at) + change)));
            Ok((vec![record(0, -amount), record(last, amount)], ()))
        },
        |()| (),
    );
    assert!(moved == Ok(()) || moved == Err(Error::from(Reason::NothingOpen)), "{moved:?}");
}

/// The sum of all accounts, as it is at one moment.
fn sum(engines: &[Engine]) -> i64 {
    let names: Vec<[u8; 1]> = (0..ACCOUNTS).map(account).collect();
    let keys: Vec<KeyRef<'_>> = names.iter().map(|pk| KeyRef::new(pk, b"").expect("valid")).collect();
    let (half, rest) = keys.split_at(ACCOUNTS / 2);
    // Each engine twice: a lock is taken once.
    let named: Vec<EngineKeys<'_>> = engines.iter().flat_map(|engine| [(engine, half), (engine, rest)]).collect();
    let found = read_across(&named).expect("read");
    found.iter().flatten().map(|record| cents(record.as_ref().expect("there"))).sum()
}

/// Nobody waits for ever, no money comes or goes, and no reader sees it on its way.
#[test]
fn money_moves_between_engines_and_its_sum_stays() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let engines = bank();
    let (transfers, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let expected = START * (ACCOUNTS * ENGINES) as i64;
    thread::scope(|scope| {
        let movers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (engines, transfers) = (&engines, &transfers);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed ^ thread as u64);
                    for _ in 0..2000 {
                        transfer(engines, &mut random);
                        transfers.fetch_add(1, Relaxed);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Relaxed) {
                assert_eq!(sum(&engines), expected);
            }
        });
        movers.into_iter().for_each(|mover| mover.join().expect("no panic"));
        done.store(true, Relaxed);
    });
    assert_eq!(transfers.load(Relaxed), (THREADS * 2000) as u64);
    assert_eq!(sum(&engines), expected);
}

#[test]
fn what_one_engine_refuses_is_written_in_none() {
    let (first, second) = (engine(1), engine(2));
    let key = [KeyRef::new(b"a", b"").expect("valid")];
    let other = KeyRef::new(b"b", b"").expect("valid");
    let keys = [(&first, &key[..]), (&second, &key[..])];
    let write = |records: Vec<(usize, Record)>, fails: bool| {
        let noted = Cell::new(false);
        let decide = |_: &Present<'_>| if fails { Err(Error::from(Reason::NothingOpen)) } else { Ok((records, ())) };
        (commit_across(&keys, decide, |()| noted.set(true)), noted.get())
    };
    let put = |at: usize, key: KeyRef<'_>| (at, Record::put(key, b""));
    let unnamed = |wrong: (usize, Record)| {
        let (result, noted) = write(vec![put(0, key[0]), wrong], false);
        assert!(!noted && result.unwrap_err().to_string().contains("had not named"));
    };
    unnamed(put(1, other));
    unnamed(put(2, key[0]));
    assert_eq!(write(vec![put(0, key[0])], true), (Err(Error::from(Reason::NothingOpen)), false));
    assert_eq!(read_across(&keys), Ok(vec![vec![None], vec![None]]));
    assert_eq!(write(vec![put(0, key[0]), put(1, key[0])], false), (Ok(()), true));
    assert!(read_across(&keys).expect("read").iter().flatten().all(Option::is_some));
}

/// The note is made before anybody can see what was written, and while nobody can write.
#[test]
fn what_is_noted_of_a_commit_is_in_the_order_of_the_commits() {
    let (first, second) = (engine(1), engine(2));
    let key = [KeyRef::new(b"a", b"").expect("valid")];
    for engine in [&first, &second] {
        engine.put(key[0], &body(0)).expect("put");
    }
    let notes = parking_lot::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for swapped in [false, true, false, true] {
            let (first, second, notes) = (&first, &second, &notes);
            scope.spawn(move || {
                let keys = if swapped {
                    [(second, &key[..]), (first, &key[..])]
                } else {
                    [(first, &key[..]), (second, &key[..])]
                };
                for _ in 0..500 {
                    let next = |present: &Present<'_>| {
                        let next = cents(&present.get(key[0]).expect("there")) + 1;
                        let put = |at| (at, Record::put(key[0], &body(next)));
                        Ok::<_, Error>(([put(0), put(1)], next))
                    };
                    commit_across(&keys, next, |next| notes.lock().push(*next)).expect("committed");
                }
            });
        }
    });
    assert_eq!(*notes.lock(), (1..=2000).collect::<Vec<i64>>());
}

#[test]
fn two_engines_of_one_ordinal_are_never_locked_together() {
    let (first, second) = (engine(4), engine(4));
    let keys = [KeyRef::new(b"a", b"").expect("valid"), KeyRef::new(b"b", b"").expect("valid")];
    let named = [(&first, &keys[..1]), (&second, &keys[1..])];
    let refused = Err(Reason::OrdinalTwice { ordinal: 4 }.into());
    let decide = |_: &Present<'_>| Ok::<_, Error>(([(0, Record::put(keys[0], b""))], ()));
    assert_eq!(commit_across(&named, decide, |()| ()), refused);
    assert_eq!(read_across(&named).map(drop), refused);
    assert_eq!(first.count(), Ok(0));
    assert!(commit_across(&[named[0], named[0]], decide, |()| ()).is_ok(), "one engine may be named twice");
}

#[test]
fn a_closed_engine_refuses_what_waited_for_its_locks_too() {
    let (kept, closed) = (engine(1), engine(2));
    let key = [KeyRef::new(b"a", b"").expect("valid")];
    closed.put(key[0], b"").expect("put");
    let keys = [(&kept, &key[..]), (&closed, &key[..])];
    let write = || {
        let put = |_: &Present<'_>| Ok::<_, Error>(([0, 1].map(|at| (at, Record::put(key[0], b""))), ()));
        commit_across(&keys, put, |()| panic!("nothing is noted"))
    };
    thread::scope(|scope| {
        let waiting = closed.exclusive(|locked| {
            let writers = [scope.spawn(|| write().unwrap_err()), scope.spawn(|| closed.put(key[0], b"").unwrap_err())];
            let reader = scope.spawn(|| closed.get(key[0]).map(drop).unwrap_err());
            thread::yield_now();
            locked.close();
            (writers, reader)
        });
        let (writers, reader) = waiting.expect("locked");
        for call in writers.into_iter().chain([reader]) {
            assert_eq!(call.join().expect("no panic"), Error::Closed);
        }
    });
    assert_eq!(read_across(&keys), Err(Error::Closed));
    assert_eq!(closed.count(), Err(Error::Closed));
    assert_eq!(closed.view().map(drop), Err(Error::Closed));
    assert_eq!(
        closed.scan(crate::engine::ScanRange::all(), crate::engine::PageLimits::of_records(1)).map(drop),
        Err(Error::Closed)
    );
    assert_eq!(closed.fork(|| ()).map(drop), Err(Error::Closed));
    assert_eq!(closed.close(), Err(Error::Closed));
    assert_eq!(kept.get(key[0]), Ok(None), "nothing was written where nothing is closed");
}
