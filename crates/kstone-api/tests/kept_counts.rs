//! Numbers that are kept are those that counting would give: of tables and of indexes, whatever was done to them.

use std::sync::Arc;

use kstone_api::clock::{ClockSource, ManualClock};
use kstone_api::{
    Database, DatabaseOptions, Eviction, GlobalSecondaryIndex, ItemBuilder, KeystoneValue, LocalSecondaryIndex, Query,
    Result, Scan, Select, Statement, TableSchema,
};

const START: i64 = 1_700_000_000;

fn schema(ttl: bool) -> TableSchema {
    let schema = TableSchema::new()
        .name("things")
        .add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"))
        .add_local_index(LocalSecondaryIndex::new("by-size", "size"));
    if ttl { schema.with_ttl("until") } else { schema }
}

fn random_item(random: &mut fastrand::Rng) -> kstone_api::Item {
    let mut item = ItemBuilder::new();
    if random.bool() {
        item = item.string("kind", format!("k{}", random.u8(..3)));
    }
    if random.bool() {
        item = item.number("size", random.u8(..5));
    }
    if random.bool() {
        item = item.number("until", START + random.i64(0..40));
    }
    item.build()
}

/// What a statement's one row says.
fn number(db: &Database, text: &str) -> Result<(usize, usize)> {
    let result = db.execute_statement(&Statement::new(text))?;
    let found = result.records[0].item().get("n").and_then(|n| n.as_number().map(str::to_owned));
    Ok((found.expect("a number").parse().expect("a whole one"), result.scanned))
}

/// Every way to ask for a number, compared with an iterator over what is counted.
fn check(db: &Database, what: &str) -> Result<()> {
    for index in [None, Some("by-kind"), Some("by-size")] {
        let of = |scan: Scan| index.into_iter().fold(scan, Scan::index);
        let expected = db.iter_scan(&of(Scan::new()))?.count();
        let counted = db.scan_page(&of(Scan::new()).select(Select::Count))?;
        assert_eq!((counted.count, counted.scanned, &counted.token), (expected, expected, &None), "{what}, {index:?}");
        let from = index.map_or("\"things\"".to_owned(), |index| format!("\"things\".\"{index}\""));
        let whole = number(db, &format!("SELECT COUNT(*) AS n FROM {from}"))?;
        assert_eq!(whole, (expected, expected), "{what}, {index:?}");
        let twice = number(db, &format!("SELECT COUNT(*) AS a, COUNT(*) AS n FROM {from}"))?;
        assert_eq!(twice.0, expected, "{what}, {index:?}");
    }
    for kind in 0..3 {
        let kind = format!("k{kind}");
        let query = Query::new().index("by-kind").partition_key(kind.as_bytes());
        let expected = db.iter_query(&query)?.count();
        assert_eq!(db.query_page(&query.select(Select::Count))?.count, expected, "{what}, {kind}");
        let text = format!("SELECT COUNT(*) AS n FROM \"things\".\"by-kind\" WHERE kind = '{kind}'");
        assert_eq!(number(db, &text)?.0, expected, "{what}, {kind}");
        let partition = format!("SELECT COUNT(*) AS n FROM \"things\" WHERE pk = 'p{}'", &kind[1..]);
        let query = Query::new().partition_key(format!("p{}", &kind[1..]).as_bytes());
        assert_eq!(number(db, &partition)?.0, db.iter_query(&query)?.count(), "{what}, {partition}");
    }
    Ok(())
}

fn write_some(db: &Database, random: &mut fastrand::Rng, writes: usize) -> Result<()> {
    for _ in 0..writes {
        let (pk, sk) = (format!("p{}", random.u8(..40)), [random.u8(..6)]);
        match random.u8(..4) {
            0 => db.delete_with_sk(pk.as_bytes(), &sk)?,
            _ => db.put_with_sk(pk.as_bytes(), &sk, random_item(random))?,
        }
    }
    Ok(())
}

#[test]
fn kept_numbers_are_those_of_a_walk_whatever_is_done() -> Result<()> {
    for (seed, ttl) in [(1, false), (2, true), (3, true)] {
        let mut random = fastrand::Rng::with_seed(seed);
        let clock = Arc::new(ManualClock::new(START));
        let source = ClockSource::new(clock.clone());
        let mut db = Database::create_in_memory_with(DatabaseOptions::default(), schema(ttl), source)?;
        for round in 0..60 {
            write_some(&db, &mut random, 40)?;
            let done = match random.u8(..9) {
                0 => db.flush().map(|()| "flush")?,
                1 => db.compact().map(|()| "compact")?,
                2 => {
                    let fork = db.fork()?;
                    write_some(&db, &mut random, 20)?;
                    check(&db, "the original")?;
                    db = fork;
                    "fork"
                }
                3 => db.clear().map(|()| "clear")?,
                4 => {
                    // The same index anew, under another number.
                    db.configure(TableSchema::new().name("things"))?;
                    assert_eq!(
                        db.scan_page(&Scan::new().select(Select::Count))?.count,
                        db.iter_scan(&Scan::new())?.count()
                    );
                    db.configure(schema(ttl)).map(|()| "indexes dropped and added")?
                }
                5 if ttl => {
                    clock.advance(random.i64(1..8));
                    "time passes"
                }
                6 if ttl => db.purge_expired().map(|_| "purge")?,
                7 => {
                    let file = tempfile::NamedTempFile::new().expect("a file");
                    db.save_snapshot(file.path())?;
                    db.clear()?;
                    db.load_snapshot(file.path()).map(|_| "load")?
                }
                _ => "writes",
            };
            check(&db, &format!("seed {seed}, round {round}, {done}"))?;
        }
    }
    Ok(())
}

#[test]
fn kept_numbers_follow_eviction() -> Result<()> {
    let (memory_max_bytes, eviction) = (2 << 20, Eviction::Lru);
    let options = DatabaseOptions { memory_max_bytes, eviction, ..DatabaseOptions::default() };
    let db = Database::create_in_memory_with(options, schema(false), ClockSource::default())?;
    for i in 0..20_000_u32 {
        let item = ItemBuilder::new().string("kind", "k1").binary("v", [0; 100]).build();
        db.put(format!("p{i}").as_bytes(), item)?;
    }
    assert!(db.count()? < 20_000, "something was evicted");
    check(&db, "after evictions")
}

/// A number of the clock's last second would count what has expired since.
#[test]
fn a_number_never_includes_what_has_expired() -> Result<()> {
    let clock = Arc::new(ManualClock::new(START));
    let db = Database::create_in_memory_with(
        DatabaseOptions::default(),
        schema(true),
        ClockSource::new(Arc::clone(&clock) as Arc<_>),
    )?;
    for i in 0..10_u8 {
        let item = ItemBuilder::new().string("kind", "k1").value("until", KeystoneValue::number(START + i64::from(i)));
        db.put(&[b'p', i], item.build())?;
    }
    for passed in 0..12_usize {
        let left = 10_usize.saturating_sub(passed);
        assert_eq!(number(&db, "SELECT COUNT(*) AS n FROM \"things\"")?.0, left);
        assert_eq!(db.scan_page(&Scan::new().index("by-kind").select(Select::Count))?.count, left);
        assert_eq!(db.count()?, 10, "none is removed by being counted");
        clock.advance(1);
    }
    Ok(())
}
