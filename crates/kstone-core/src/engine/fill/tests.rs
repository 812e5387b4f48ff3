use super::*;
use crate::engine::{EngineOptions, PageLimits, ScanRange};
use crate::key::{KeyRef, Keyspace};

fn engine() -> Engine {
    Engine::new(EngineOptions::default()).expect("created")
}

fn key(pk: &[u8]) -> KeyRef<'_> {
    KeyRef::new(pk, b"").expect("valid key")
}

fn filled(engine: &Engine) -> Filled<'_> {
    let mut filling = engine.filling();
    for part in (0..3000_u32).rev().collect::<Vec<_>>().chunks(700) {
        let mut records = FillingPart::default();
        for i in part {
            records.add(Record::put(key(&i.to_be_bytes()), b"v"));
            records.add(Record::put(KeyRef::index_entry(&i.to_be_bytes(), b"").expect("valid key"), b"e"));
        }
        filling.append(records);
    }
    filling.sorted().expect("no key stands twice")
}

fn count(engine: &Engine, keyspace: Keyspace) -> usize {
    let everything = PageLimits::NONE;
    engine.scan(ScanRange::all().in_keyspace(keyspace), everything).expect("scanned").records.len()
}

#[test]
fn what_is_filled_is_as_if_it_had_been_put() {
    let engine = engine();
    filled(&engine).install(0, || Ok::<_, Error>(())).expect("installed");
    let other = self::engine();
    for i in 0..3000_u32 {
        other.put(key(&i.to_be_bytes()), b"v").expect("put");
    }
    assert_eq!((count(&engine, Keyspace::Items), count(&engine, Keyspace::Index)), (3000, 3000));
    let all = PageLimits::NONE;
    let records = |engine: &Engine| engine.scan(ScanRange::all(), all).expect("scanned").records;
    assert_eq!(records(&engine), records(&other));
    engine.put(key(&[0, 0, 0, 7]), b"w").expect("put");
    assert_eq!(engine.get(key(&[0, 0, 0, 7])).expect("read").expect("there").body(), b"w");
    assert_eq!(engine.stats().expect("counted").items, 3000);
}

#[test]
fn filling_does_not_forget_what_was_done() {
    let engine = engine();
    engine.put(key(&[0, 0, 0, 7]), b"v").expect("put");
    engine.flush().expect("flushed");
    engine.delete(key(&[0, 0, 0, 7])).expect("deleted");
    engine.compact().expect("compacted");
    let before = engine.stats().expect("counted");
    assert!(before.flushes > 0 && before.compactions > 0);
    filled(&engine).install(0, || Ok::<_, Error>(())).expect("installed");
    let after = engine.stats().expect("counted");
    assert_eq!((after.flushes, after.compactions), (before.flushes, before.compactions));
}

#[test]
fn an_engine_that_holds_anything_is_not_filled() {
    for keyspace in [Keyspace::Items, Keyspace::Index] {
        let engine = engine();
        let other = Record::put(key(b"other"), b"").key().in_keyspace(keyspace);
        let other = other.as_key_ref().expect("valid key");
        let filled = filled(&engine);
        engine.put(other, b"").expect("put");
        let refused = filled.install(0, || panic!("nothing is committed"));
        assert!(matches!(refused, Err(Error::Invalid(_))));
        assert_eq!(count(&engine, Keyspace::Items) + count(&engine, Keyspace::Index), 1);
    }
}

#[test]
fn an_engine_that_held_something_once_is_empty() {
    let engine = engine();
    let filled = filled(&engine);
    for i in 0..3000_u32 {
        engine.put(key(&i.to_le_bytes()), b"").expect("put");
        if i % 500 == 0 {
            engine.flush().expect("flushed");
        }
    }
    for i in 0..3000_u32 {
        engine.delete(key(&i.to_le_bytes())).expect("deleted");
    }
    filled.install(0, || Ok::<_, Error>(())).expect("installed");
    assert_eq!(count(&engine, Keyspace::Items), 3000);
}

#[test]
fn what_commit_refuses_is_not_filled() {
    let engine = engine();
    let refused = filled(&engine).install(0, || Err(Error::from(Reason::NothingOpen)));
    assert_eq!(refused, Err(Error::from(Reason::NothingOpen)));
    assert_eq!(count(&engine, Keyspace::Items), 0);
}

#[test]
fn a_key_that_stands_twice_is_handed_back() {
    let engine = engine();
    for parts in [&[&[b"a", b"b", b"a"][..]][..], &[&[b"a"], &[b"b", b"a"]], &[&[b"b", b"a", b"a"]]] {
        let mut filling = engine.filling();
        for pks in parts {
            let mut part = FillingPart::default();
            pks.iter().for_each(|pk| part.add(Record::put(key(&pk[..]), b"")));
            filling.append(part);
        }
        assert_eq!(filling.sorted().err().map(|record| record.pk().to_vec()), Some(b"a".to_vec()));
    }
}

#[test]
fn readers_see_all_of_it_or_nothing() {
    let engine = engine();
    let filled = filled(&engine);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                match count(&engine, Keyspace::Items) {
                    0 => {}
                    items => return items,
                }
            }
        });
        filled.install(0, || Ok::<_, Error>(())).expect("installed");
        assert_eq!(reader.join().expect("read"), 3000);
    });
}

/// In scan order, backwards and mixed, in parts of several sizes, and so many that threads share them.
#[test]
fn parts_in_any_order_fill_alike() {
    let other = engine();
    for i in 0..40_000_u32 {
        other.put(key(&i.to_be_bytes()), b"v").expect("put");
    }
    let all = other.scan(ScanRange::all(), PageLimits::NONE).expect("scanned").records;
    let mut random = fastrand::Rng::with_seed(7);
    for part_records in [1_000, 16_000, 40_000] {
        for order in 0..3 {
            let mut records = all.clone();
            match order {
                0 => {}
                1 => records.reverse(),
                _ => random.shuffle(&mut records),
            }
            let engine = engine();
            let mut filling = engine.filling();
            for some in records.chunks(part_records) {
                let mut part = FillingPart::default();
                some.iter().for_each(|record| part.add(Record::put(record.key_ref(), record.body())));
                filling.append(part);
            }
            filling.sorted().expect("no key twice").install(0, || Ok::<_, Error>(())).expect("installed");
            assert_eq!(engine.scan(ScanRange::all(), PageLimits::NONE).expect("scanned").records, all);
            assert!(all.iter().all(|record| engine.get(record.key_ref()).expect("read").is_some()));
            assert!(engine.get(key(b"absent")).expect("read").is_none());
            engine.delete(all[17].key_ref()).expect("deleted");
            assert_eq!(engine.stats().expect("counted").items, 39_999);
        }
    }
}
