//! Iterators over little take what they show when they are opened: at one moment, as those over much do, and without a
//! view, so that no write has to make a tree of its own.

use std::sync::atomic::{AtomicBool, Ordering};

use kstone_api::{
    Database, Item, ItemBuilder, LocalSecondaryIndex, Query, Record, Records, Result, Scan, Statistic, TableSchema,
    TransactWriteRequest, Write,
};

fn numbered(number: i64) -> Item {
    ItemBuilder::new().number("n", number).build()
}

fn number(record: &Record) -> String {
    record.item().get("n").and_then(|number| number.as_number()).expect("a number").to_owned()
}

fn partition() -> Query {
    Query::new().partition_key(b"p")
}

/// Every iterator of a table of few items, or of few of its items.
fn iterators(db: &Database, items: usize) -> Result<Vec<Records>> {
    Ok(vec![
        db.iter_scan(&Scan::new())?,
        db.iter_scan(&Scan::new().limit(items))?,
        db.iter_scan(&Scan::new().segment(0, 1).limit(items))?,
        db.iter_query(&partition())?,
        db.iter_query(&partition().reverse(true).limit(items))?,
    ])
}

#[test]
fn an_iterator_over_little_shows_one_moment_of_commits_under_way() -> Result<()> {
    let db = Database::create_in_memory()?;
    let write_all = |number: i64| {
        let keys = (0..8_u8).map(|sk| (b"p".to_vec(), sk)).chain((0..8_u8).map(|pk| (vec![pk], pk)));
        keys.fold(TransactWriteRequest::new(), |request, (pk, sk)| {
            request.write(Write::put(&pk, numbered(number)).sort_key(&[sk]))
        })
    };
    db.transact_write(write_all(0))?;
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let writer = scope.spawn(|| -> Result<i64> {
            let mut written = 0;
            while !done.load(Ordering::Relaxed) {
                written += 1;
                db.transact_write(write_all(written))?;
            }
            Ok(written)
        });
        for _ in 0..400 {
            for iterator in iterators(&db, 8)? {
                let numbers: Vec<String> = iterator.map(|record| number(&record)).collect();
                assert!(numbers.len() >= 8 && numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(writer.join().expect("no panic")? > 1, "commits were under way");
        Ok(())
    })
}

#[test]
fn an_iterator_over_little_shows_its_moment_and_costs_no_writer_a_tree() -> Result<()> {
    let db = Database::create_in_memory()?;
    for sk in 0..100_u8 {
        db.put_with_sk(b"p", &[sk], numbered(0))?;
    }
    let flushes = || db.stat(Statistic::Flushes);
    let mut open = iterators(&db, 100)?;
    for sk in 0..100_u8 {
        db.put_with_sk(b"p", &[sk], numbered(1))?;
    }
    assert_eq!(flushes()?, 0, "no tree was shared");
    for iterator in &mut open {
        let numbers: Vec<String> = iterator.by_ref().map(|record| number(&record)).collect();
        assert!(numbers.len() == 100 && numbers.iter().all(|number| number == "0"));
    }
    // One over more does share it, and shows its moment, too.
    for sk in 0..300_u16 {
        db.put_with_sk(b"p", &sk.to_be_bytes(), numbered(2))?;
    }
    let open: [fn(&Database) -> Result<Records>; 3] =
        [|db| db.iter_scan(&Scan::new()), |db| db.iter_query(&partition()), |db| db.iter_scan(&Scan::new().limit(399))];
    for (round, open) in (0_u8..).zip(open) {
        // What a tree has in its memtable when it is shared becomes an SST.
        db.put_with_sk(b"p", &[round; 3], numbered(3))?;
        let (long, before) = (open(&db)?, flushes()?);
        db.put_with_sk(b"p", &7_u16.to_be_bytes(), numbered(3))?;
        assert!(flushes()? > before);
        assert!(long.count() >= 399);
    }
    Ok(())
}

/// An iterator over much that is dropped before anybody writes costs no writer a tree; one that is still open shows its
/// moment, however little it had read, and after the database is gone.
#[test]
fn an_iterator_over_much_takes_a_view_when_somebody_writes() -> Result<()> {
    let db = Database::create_in_memory()?;
    let put_all = |number: i64| (0..2000_u16).try_for_each(|pk| db.put(&pk.to_be_bytes(), numbered(number)));
    put_all(0)?;
    let flushes = || db.stat(Statistic::Flushes);
    for read in [0, 10, 100] {
        assert_eq!(db.iter_scan(&Scan::new())?.take(read).count(), read);
    }
    put_all(0)?;
    assert_eq!(flushes()?, 0, "no tree was shared");
    let read = [0, 1, 16, 17, 240, 241, 1999, 2000];
    let mut open = read.map(|read| (read, db.iter_scan(&Scan::new()).expect("opened")));
    let mut first: Vec<usize> = open.iter_mut().map(|(read, records)| records.take(*read).count()).collect();
    put_all(1)?;
    assert!(flushes()? > 0, "the trees are shared");
    db.clear()?;
    drop(db);
    for ((_, records), read) in open.iter_mut().zip(&mut first) {
        for record in records.by_ref() {
            assert_eq!(number(&record), "0");
            *read += 1;
        }
        records.check_interrupt()?;
        assert_eq!(*read, 2000);
    }
    Ok(())
}

/// Where a page ended by its bytes, what an iterator may still show is read from a view.
#[test]
fn a_limit_of_large_items_is_kept_to_as_well() -> Result<()> {
    let db = Database::create_in_memory()?;
    for sk in 0..9_u8 {
        db.put_with_sk(b"p", &[sk], ItemBuilder::new().binary("v", vec![sk; 300_000]).build())?;
    }
    for limit in 1..=10 {
        assert_eq!(db.iter_scan(&Scan::new().limit(limit))?.count(), limit.min(9));
        assert_eq!(db.iter_query(&partition().limit(limit))?.count(), limit.min(9));
        let first = db.query_page(&partition().limit(1))?.token.expect("there is more");
        assert_eq!(db.iter_query(&partition().limit(limit).token(&first))?.count(), limit.min(8));
    }
    Ok(())
}

/// Items that have expired do not count towards a limit, and items that entries lead to are of the entries' moment.
#[test]
fn what_a_page_alone_cannot_tell_is_read_from_a_view() -> Result<()> {
    let index = LocalSecondaryIndex::new("by-n", "n").projection(kstone_api::Projection::KeysOnly);
    let db = Database::create_in_memory_with_schema(TableSchema::new().with_ttl("until").add_local_index(index))?;
    db.set_time(1_700_000_000);
    for sk in 0..40_u8 {
        let expired = i64::from(sk % 2) * 2 - 1;
        let item = ItemBuilder::new().number("n", sk).number("until", 1_700_000_000 + expired).string("v", "old");
        db.put_with_sk(b"p", &[sk], item.build())?;
    }
    assert_eq!(db.iter_scan(&Scan::new().limit(15))?.count(), 15);
    assert_eq!(db.iter_query(&partition().limit(15))?.count(), 15);
    let fetching = partition().index("by-n").projection_expression("v");
    let open = db.iter_query(&fetching)?;
    for sk in 0..40_u8 {
        db.delete_with_sk(b"p", &[sk])?;
    }
    assert_eq!(open.filter(|record| record.item().get("v").is_some()).count(), 20);
    Ok(())
}
