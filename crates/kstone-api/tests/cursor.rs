//! Cursors against a sorted map: random seeks and steps over one moment while others write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, ItemBuilder, KeystoneValue, Query, Record, Scan, Select,
    SortKeyCondition, TableSchema,
};

type Keys = Vec<(Vec<u8>, Vec<u8>)>;

fn small_memtables() -> Database {
    let options = DatabaseOptions { memtable_max_records: 16, ..DatabaseOptions::default() };
    Database::create_in_memory_with_options(options).expect("created")
}

fn key(record: Option<&Record>) -> Option<(Vec<u8>, Vec<u8>)> {
    record.map(|record| (record.pk().to_vec(), record.sk().to_vec()))
}

/// A cursor by the book: a list and a place between `0` and `len + 1`, the items being at `1..=len`.
struct Model {
    keys: Keys,
    place: usize,
}

impl Model {
    fn at(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.place.checked_sub(1).and_then(|at| self.keys.get(at)).cloned()
    }

    fn go(&mut self, place: usize) -> Option<(Vec<u8>, Vec<u8>)> {
        self.place = place.min(self.keys.len() + 1);
        self.at()
    }
}

/// Does random moves on both, and compares after each.
fn compare(
    random: &mut fastrand::Rng,
    cursor: &mut kstone_api::Cursor,
    keys: Keys,
    descending: Option<bool>,
    moves: usize,
) {
    let mut model = Model { keys, place: 0 };
    for _ in 0..moves {
        let (found, expected) = match random.u8(..12) {
            0 => (key(cursor.first().expect("moved")), model.go(1)),
            1 => (key(cursor.last().expect("moved")), model.go(model.keys.len())),
            2 | 3 => {
                let near = model.keys.get(random.usize(..=model.keys.len())).cloned();
                let (pk, sk) = near.unwrap_or_else(|| (Vec::new(), random.u16(..).to_be_bytes().to_vec()));
                let sk = if random.bool() { sk } else { random.u16(..700).to_be_bytes().to_vec() };
                let mut all = model.keys.iter();
                // The order of a whole table is the library's own: only keys that are there have a known place.
                if pk.is_empty() && descending.is_none() {
                    continue;
                }
                let place = match descending {
                    Some(false) => all.position(|(_, other)| *other >= sk),
                    Some(true) => all.position(|(_, other)| *other <= sk),
                    None => match all.position(|other| *other == (pk.clone(), sk.clone())) {
                        Some(place) => Some(place),
                        None => continue,
                    },
                };
                let place = place.map_or(model.keys.len() + 1, |at| at + 1);
                (key(cursor.seek(&pk, &sk).expect("moved")), model.go(place))
            }
            4..8 => (key(cursor.next().expect("moved")), model.go(model.place + 1)),
            _ => (key(cursor.prev().expect("moved")), model.go(model.place.saturating_sub(1))),
        };
        assert_eq!(found, expected, "at {} of {}", model.place, model.keys.len());
        assert_eq!(key(cursor.current()), expected);
    }
}

/// Raises a flag when it is dropped, also by a check that fails.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Puts and deletes until it is told to stop.
fn write_on(db: &Database, stop: &AtomicBool) {
    let mut random = fastrand::Rng::with_seed(3);
    while !stop.load(Ordering::Relaxed) {
        let (pk, sk) = (format!("p{}", random.u8(..6)), random.u16(..700).to_be_bytes());
        match random.u8(..3) {
            0 => db.delete_with_sk(pk.as_bytes(), &sk).expect("deleted"),
            _ => db.put_with_sk(pk.as_bytes(), &sk, ItemBuilder::new().number("n", 0).build()).expect("put"),
        }
    }
}

#[test]
fn random_moves_show_one_moment_whatever_is_written_meanwhile() {
    let db = small_memtables();
    let mut random = fastrand::Rng::with_seed(29);
    let mut map = BTreeMap::new();
    for _ in 0..4000 {
        let (pk, sk) = (format!("p{}", random.u8(..6)), random.u16(..600).to_be_bytes());
        if random.u8(..3) == 0 {
            db.delete_with_sk(pk.as_bytes(), &sk).unwrap();
            map.remove(&(pk.into_bytes(), sk.to_vec()));
        } else {
            let n = random.i32(..10);
            db.put_with_sk(pk.as_bytes(), &sk, ItemBuilder::new().number("n", n).build()).unwrap();
            map.insert((pk.into_bytes(), sk.to_vec()), n);
        }
    }
    let partition: Vec<_> = map.iter().filter(|((pk, _), _)| pk == b"p1").map(|(key, n)| (key.clone(), *n)).collect();
    let keys = |keep: &dyn Fn(&[u8], i32) -> bool| -> Keys {
        partition.iter().filter(|((_, sk), n)| keep(sk, *n)).map(|(key, _)| key.clone()).collect()
    };
    let (low, high) = (100_u16.to_be_bytes(), 400_u16.to_be_bytes());
    let of = || Query::new().partition_key(b"p1");
    let between = SortKeyCondition::Between(low.to_vec(), high.to_vec());
    let mut cursors = Vec::new();
    for reverse in [false, true] {
        let in_order = |mut keys: Keys| {
            if reverse {
                keys.reverse();
            }
            keys
        };
        let open = |query: Query| db.cursor_query(&query.reverse(reverse)).unwrap();
        cursors.push((open(of()), in_order(keys(&|_, _| true)), Some(reverse)));
        let bounded = in_order(keys(&|sk, _| low[..] <= *sk && *sk <= high[..]));
        cursors.push((open(of().sort_key(between.clone())), bounded, Some(reverse)));
        let filtered = of().filter_expression("n = :n").expression_value(":n", KeystoneValue::number(-7));
        cursors.push((open(filtered), in_order(keys(&|_, n| n == -7)), Some(reverse)));
        let few = of().filter_expression("n = :n").expression_value(":n", KeystoneValue::number(7));
        cursors.push((open(few), in_order(keys(&|_, n| n == 7)), Some(reverse)));
        cursors.push((open(Query::new().partition_key(b"nobody")), Vec::new(), Some(reverse)));
    }
    for (segment, segments) in [(0, 1), (0, 3), (1, 3), (2, 3)] {
        let scan = Scan::new().segment(segment, segments);
        let all: Keys = db.iter_scan(&scan).unwrap().map(|r| (r.pk().to_vec(), r.sk().to_vec())).collect();
        assert!(segments > 1 || all.len() == map.len());
        cursors.push((db.cursor_scan(&scan).unwrap(), all, None));
    }
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| write_on(&db, &stop));
        let _at_the_end = Stop(&stop);
        for (mut cursor, keys, descending) in cursors {
            compare(&mut random, &mut cursor, keys, descending, 1500);
        }
    });
}

#[test]
fn a_cursor_outlives_its_database_and_what_was_cleared() {
    let db = small_memtables();
    for i in 0..1000_u16 {
        db.put_with_sk(b"p", &i.to_be_bytes(), ItemBuilder::new().number("n", i).build()).unwrap();
    }
    let mut cursor = db.cursor_query(&Query::new().partition_key(b"p")).unwrap();
    db.clear().unwrap();
    drop(db);
    let mut seen = 0;
    while cursor.next().unwrap().is_some() {
        seen += 1;
    }
    assert_eq!(seen, 1000);
    while cursor.prev().unwrap().is_some() {
        seen -= 1;
    }
    assert_eq!(seen, 0);
}

#[test]
fn projections_and_indexes_show_what_iterators_show() {
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-team", "team").sort_key("age"));
    let db = Database::create_in_memory_with_schema(schema).unwrap();
    for i in 0..50_u8 {
        let item = ItemBuilder::new().string("team", if i % 2 == 0 { "red" } else { "blue" }).number("age", 50 - i);
        db.put(&[i], item.string("name", "x").build()).unwrap();
    }
    let query = Query::new().index("by-team").partition_key(b"red").projection_expression("age");
    let expected: Vec<_> = db.iter_query(&query).unwrap().map(|record| record.body().to_vec()).collect();
    let mut cursor = db.cursor_query(&query).unwrap();
    let mut found = Vec::new();
    while let Some(record) = cursor.next().unwrap() {
        found.push(record.body().to_vec());
    }
    assert_eq!((found.len(), &found), (25, &expected));
    found.clear();
    while let Some(record) = cursor.prev().unwrap() {
        found.push(record.body().to_vec());
    }
    found.reverse();
    assert_eq!(found, expected);
    assert!(matches!(cursor.seek(b"", b"red"), Err(Error::Invalid(_))));
    let mut entries = db.cursor_scan(&Scan::new().index("by-team")).unwrap();
    let last = key(entries.last().unwrap());
    let scanned = db.iter_scan(&Scan::new().index("by-team")).unwrap().last();
    assert_eq!(last, key(scanned.as_ref()));
}

#[test]
fn what_a_cursor_cannot_do_is_refused_and_leaves_it_where_it_was() {
    let db = small_memtables();
    db.put_with_sk(b"p", b"a", ItemBuilder::new().build()).unwrap();
    let refused = |query: Query| assert!(matches!(db.cursor_query(&query), Err(Error::Invalid(_))));
    refused(Query::new().partition_key(b"p").limit(1));
    refused(Query::new().partition_key(b"p").token(b"t"));
    refused(Query::new().partition_key(b"p").select(Select::Count));
    refused(Query::new());
    assert!(db.cursor_scan(&Scan::new().limit(1)).is_err() && db.cursor_scan(&Scan::new().segment(2, 2)).is_err());
    let mut cursor = db.cursor_query(&Query::new().partition_key(b"p")).unwrap();
    let there = key(cursor.first().unwrap());
    assert!(there.is_some());
    assert!(matches!(cursor.seek(b"q", b"a"), Err(Error::Invalid(_))));
    assert!(matches!(cursor.seek(b"p", &[0; 1025]), Err(Error::Limit { .. })));
    assert_eq!(key(cursor.current()), there);
    assert_eq!(key(cursor.seek(b"", b"").unwrap()), there);
    assert!(matches!(db.cursor_scan(&Scan::new()).unwrap().seek(b"", b"a"), Err(Error::Invalid(_))));
}
