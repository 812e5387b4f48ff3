//! Secondary indexes, through the public API: what they hold, in which order, and that they never disagree with the items.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeystoneValue, LocalSecondaryIndex, Projection,
    Query, Record, Result, Scan, Select, SortKeyCondition, Statement, TableSchema, TransactWriteRequest, Write,
};
use raise::Raise;

mod raise;

fn number(n: i64) -> KeystoneValue {
    KeystoneValue::number(n)
}

fn pks(db: &Database, query: Query) -> Result<Vec<String>> {
    let page = db.query_page(&query.build())?;
    Ok(page.records.iter().map(|record| String::from_utf8_lossy(record.pk()).into_owned()).collect())
}

fn by_status() -> TableSchema {
    TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-status", "status").sort_key("age"))
}

fn status(value: &[u8]) -> Query {
    Query::new().index("by-status").partition_key(value)
}

fn user(status: &str, age: i64) -> Item {
    ItemBuilder::new().string("status", status).number("age", age).build()
}

#[test]
fn a_global_index_orders_by_its_own_key_and_follows_every_write() -> Result<()> {
    let db = Database::create_in_memory_with_schema(by_status())?;
    for (pk, age) in [("a", 10), ("b", 9), ("c", -1), ("d", 100)] {
        db.put(pk.as_bytes(), user("open", age))?;
    }
    assert_eq!(pks(&db, status(b"open"))?, ["c", "b", "a", "d"], "numbers in the order of numbers");
    assert_eq!(pks(&db, status(b"open").reverse(true).limit(2))?, ["d", "a"]);
    db.put(b"a", user("shut", 10))?;
    db.delete(b"b")?;
    db.write(Write::update(b"c", "SET age = :n").value(":n", number(500)))?;
    db.write(Write::update(b"d", "REMOVE #s").name("#s", "status"))?;
    assert_eq!(pks(&db, status(b"open"))?, ["c"], "an item without the attribute is not in the index");
    assert_eq!(pks(&db, status(b"shut"))?, ["a"]);
    db.compact()?;
    assert_eq!(pks(&db, status(b"open"))?, ["c"]);
    assert_eq!(db.scan(Scan::new())?.count, 3, "entries stay out of scans of the table");
    assert_eq!(db.scan(Scan::new().index("by-status"))?.count, 2);
    assert_eq!(db.stats()?.items, 3);
    Ok(())
}

#[test]
fn a_number_as_index_key_is_queried_by_expression() -> Result<()> {
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-age", "age").sort_key("score"));
    let db = Database::create_in_memory_with_schema(schema)?;
    for (pk, age, score) in [("a", 30, 5), ("b", 30, 50), ("c", 31, 7), ("d", 30, -5)] {
        db.put(pk.as_bytes(), ItemBuilder::new().number("age", age).number("score", score).build())?;
    }
    let query =
        |text: &str| Query::new().index("by-age").key_condition_expression(text).expression_value(":a", number(30));
    assert_eq!(pks(&db, query("age = :a"))?, ["d", "a", "b"]);
    assert_eq!(pks(&db, query("age = :a AND score > :s").expression_value(":s", number(0)))?, ["a", "b"]);
    let between = query("age = :a AND score BETWEEN :l AND :h");
    assert_eq!(pks(&db, between.expression_value(":l", number(-5)).expression_value(":h", number(5)))?, ["d", "a"]);
    assert!(db.query(query("pk = :a")).is_err(), "the table's key is not the index's");
    Ok(())
}

#[test]
fn a_local_index_sorts_a_partition_by_another_attribute() -> Result<()> {
    let schema = TableSchema::new().add_local_index(LocalSecondaryIndex::new("by-email", "email"));
    let db = Database::create_in_memory_with_schema(schema)?;
    for (sk, email) in [("1", "zoe@x"), ("2", "adam@x"), ("3", "mia@x")] {
        db.put_with_sk(b"team", sk.as_bytes(), ItemBuilder::new().string("email", email).build())?;
        db.put_with_sk(b"other", sk.as_bytes(), ItemBuilder::new().string("email", email).build())?;
    }
    let query = Query::new().index("by-email").partition_key(b"team");
    let page = db.query_page(&query.clone().sort_key(SortKeyCondition::Ge(b"b".to_vec())))?;
    let sks: Vec<_> = page.records.iter().map(Record::sk).collect();
    assert_eq!((sks, page.records[0].pk()), (vec![&b"3"[..], b"1"], &b"team"[..]));
    Ok(())
}

#[test]
fn projections_decide_what_entries_hold() -> Result<()> {
    let index = |name: &str, projection| GlobalSecondaryIndex::new(name, "status").projection(projection);
    let schema = TableSchema::new()
        .add_global_index(index("everything", Projection::All))
        .add_global_index(index("keys-only", Projection::KeysOnly))
        .add_global_index(index("included", Projection::Include(vec!["name".to_string()])));
    let db = Database::create_in_memory_with_schema(schema)?;
    let item = ItemBuilder::new().string("status", "open").string("name", "n").number("age", 1).build();
    db.put(b"a", item.clone())?;
    let found = |name: &str| db.query(Query::new().index(name).partition_key(b"open").build()).map(|page| page.items);
    assert_eq!(found("everything")?, [item]);
    assert_eq!(found("keys-only")?, [ItemBuilder::new().string("status", "open").build()]);
    assert_eq!(found("included")?, [ItemBuilder::new().string("status", "open").string("name", "n").build()]);
    Ok(())
}

#[test]
fn an_attribute_that_cannot_be_a_key_is_refused_and_nothing_changes() -> Result<()> {
    let db = Database::create_in_memory_with_schema(by_status())?;
    let refused = [
        db.put(b"a", ItemBuilder::new().bool("status", true).build()),
        db.put(b"a", ItemBuilder::new().string("status", "").number("age", 1).build()),
        db.put(b"a", ItemBuilder::new().string("status", "s".repeat(2049)).number("age", 1).build()),
    ];
    for outcome in refused {
        assert!(matches!(&outcome, Err(Error::Invalid(text)) if text.to_string().contains("by-status")), "{outcome:?}");
    }
    let transaction = TransactWriteRequest::new()
        .write(Write::put(b"fine", user("open", 1)))
        .write(Write::put(b"a", ItemBuilder::new().bool("status", true).build()));
    assert!(matches!(db.transact_write(transaction), Err(Error::TransactionCanceled { reasons })
        if reasons[0].is_none() && reasons[1].as_ref().is_some_and(|reason| reason.code == "ValidationError")));
    assert_eq!(db.stats()?.items, 0);
    assert!(matches!(db.query(Query::new().index("no-such").partition_key(b"x")), Err(Error::Invalid(_))));
    Ok(())
}

#[test]
fn index_pages_filters_and_iterators_work_as_on_the_table() -> Result<()> {
    let db = Database::create_in_memory_with_schema(by_status())?;
    for i in 0..50 {
        db.put(format!("u{i:02}").as_bytes(), user("open", i))?;
    }
    let mut seen = Vec::new();
    let mut query = status(b"open").limit(7);
    loop {
        let page = db.query(query.clone())?;
        seen.extend(page.items.iter().map(|item| item["age"].as_number().cloned()));
        let Some(token) = page.token else { break };
        assert!(db.query(status(b"shut").token(&token)).is_err(), "a token fits its own request alone");
        query = query.token(&token);
    }
    assert_eq!(seen, (0..50).map(|i: i64| Some(i.to_string())).collect::<Vec<_>>());
    let filtered = status(b"open").filter_expression("contains(nick, :x) OR attribute_not_exists(nick)");
    let filtered = db.query(filtered.expression_value(":x", KeystoneValue::string("x")).limit(10))?;
    assert_eq!((filtered.count, filtered.scanned_count), (10, 10));
    assert!(db.query(status(b"open").filter_expression("age > :n").expression_value(":n", number(1))).is_err());
    let keys = db.query(status(b"open").select(Select::KeysOnly).limit(1))?;
    assert_eq!(keys.items, [ItemBuilder::new().string("pk", "u00").build()]);
    let iterator = db.iter_query(&status(b"open").reverse(true))?;
    db.clear()?;
    let ages: Vec<_> = iterator.map(|record| record.pk().to_vec()).collect();
    assert_eq!((ages.len(), ages[0].as_slice()), (50, &b"u49"[..]));
    assert_eq!(db.query(status(b"open"))?.count, 0);
    Ok(())
}

#[test]
fn indexes_are_added_and_dropped_while_writes_go_on() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..5000 {
        db.put(format!("u{i}").as_bytes(), user("open", i))?;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        let _done = Raise(&done);
        scope.spawn(|| {
            for i in 0_i64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let pk = format!("u{}", i % 5000);
                match i % 3 {
                    0 => db.put(pk.as_bytes(), user("shut", i)),
                    1 => db.delete(pk.as_bytes()),
                    _ => db.put(pk.as_bytes(), user("open", i)),
                }
                .expect("written");
            }
        });
        for _ in 0..5 {
            db.configure(by_status())?;
            db.configure(TableSchema::new())?;
        }
        db.configure(by_status())?;
        Ok(())
    })?;
    assert_agree(&db)
}

/// A read of an index shows all of it or says that there is none, whatever becomes of it meanwhile.
#[test]
fn an_index_that_is_dropped_is_never_read_in_part() -> Result<()> {
    const ITEMS: usize = 1500;
    let db = Database::create_in_memory_with_schema(by_status())?;
    for i in 0..ITEMS as i64 {
        db.put(format!("u{i}").as_bytes(), user("open", i))?;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| -> Result<()> {
        scope.spawn(|| {
            let _done = Raise(&done);
            for _ in 0..60 {
                db.configure(TableSchema::new()).expect("dropped");
                db.configure(by_status()).expect("added");
            }
        });
        let open = Query::new().index("by-status").partition_key(b"open");
        // Statements of many ranges, which take their time.
        let others: String = (0..40).map(|i| format!(", 'other{i}'")).collect();
        let ranges = format!("FROM items.\"by-status\" WHERE status IN ('open'{others})");
        let statement = Statement::new(format!("SELECT * {ranges}"));
        let grouped = Statement::new(format!("SELECT COUNT(*) AS n {ranges}"));
        let mut complete = 0;
        let mut ended = false;
        while !ended {
            // The last round sees the index that stays.
            ended = done.load(Ordering::Relaxed);
            let counts = [
                db.query_page(&open).map(|page| page.count),
                db.scan_page(&Scan::new().index("by-status")).map(|page| page.count),
                db.iter_query(&open).map(Iterator::count),
                db.iter_scan(&Scan::new().index("by-status")).map(Iterator::count),
                db.execute_statement(&statement).map(|result| result.items().len()),
                db.execute_statement(&grouped).map(|result| {
                    let rows = result.items();
                    rows.first().map_or(0, |row| row["n"].as_number().expect("a number").parse().expect("a count"))
                }),
            ];
            for (at, count) in counts.into_iter().enumerate() {
                match count {
                    Ok(count) => {
                        assert_eq!(count, ITEMS, "read {at}");
                        complete += 1;
                    }
                    Err(Error::Invalid(text)) => assert!(text.to_string().contains("by-status"), "{text}"),
                    Err(other) => return Err(other),
                }
            }
        }
        assert!(complete > 0);
        Ok(())
    })
}

/// Every item has its entry and every entry its item, in all of both.
fn assert_agree(db: &Database) -> Result<()> {
    let attributes = |record: &Record| {
        let item = record.item().to_item();
        (record.pk().to_vec(), item["status"].clone().as_bytes().to_vec(), item["age"].as_number().cloned())
    };
    let items: HashSet<_> = db.iter_scan(&Scan::new())?.map(|record| attributes(&record)).collect();
    let entries: Vec<_> = db.iter_scan(&Scan::new().index("by-status"))?.map(|record| attributes(&record)).collect();
    assert_eq!(entries.len(), items.len());
    assert_eq!(entries.into_iter().collect::<HashSet<_>>(), items);
    Ok(())
}

#[test]
fn no_index_query_ever_returns_an_item_under_another_key() -> Result<()> {
    let db = Database::create_in_memory_with_schema(by_status())?;
    let statuses = ["red", "green", "blue", "white"];
    for i in 0..1000 {
        db.put(format!("u{i}").as_bytes(), user(statuses[i as usize % 4], i))?;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _done = Raise(&done);
        let writers: Vec<_> = (0..8_u64)
            .map(|thread| {
                let db = &db;
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(thread);
                    for _ in 0..1500 {
                        let (pk, status) = (format!("u{}", random.u32(..1000)), statuses[random.usize(..4)]);
                        match random.u8(..4) {
                            0 => db.delete(pk.as_bytes()),
                            _ => db.put(pk.as_bytes(), user(status, random.i64(..100))),
                        }
                        .expect("written");
                    }
                })
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for name in statuses {
                        let page = db.query_page(&status(name.as_bytes())).expect("queried");
                        let ages: Vec<i64> = page
                            .records
                            .iter()
                            .map(|record| {
                                assert_eq!(record.item().get("status").and_then(|value| value.as_str()), Some(name));
                                let age = record.item().get("age").and_then(|age| age.as_number()).expect("present");
                                age.parse().expect("a number")
                            })
                            .collect();
                        assert!(ages.is_sorted());
                    }
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().expect("no writer panics"));
    });
    assert_agree(&db)
}

/// All accounts lie in one partition of a global index: one query of it shows every transfer whole.
#[test]
fn an_index_query_never_shows_half_a_transaction() -> Result<()> {
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("bank", "bank"));
    let db = Database::create_in_memory_with_schema(schema)?;
    let keys: Vec<Key> = (0..10).map(|i| Key::new(format!("account{i}"))).collect();
    for key in &keys {
        db.put(&key.pk, ItemBuilder::new().string("bank", "b").number("n", 100).build())?;
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let moved = Raise(&done);
        let movers: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (db, keys) = (&db, &keys);
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(thread);
                    for _ in 0..1500 {
                        let from = random.usize(..keys.len());
                        let to = (from + random.usize(1..keys.len())) % keys.len();
                        let cents = number(random.i64(1..9));
                        let take = Write::update(&keys[from].pk, "SET n = n - :c").value(":c", cents.clone());
                        let give = Write::update(&keys[to].pk, "SET n = n + :c").value(":c", cents);
                        db.transact_write(TransactWriteRequest::new().write(take).write(give)).expect("moved");
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) || reads == 0 {
                let page = db.query(Query::new().index("bank").partition_key(b"b").build()).expect("queried");
                let amount = |item: &Item| item["n"].as_number().and_then(|text| text.parse::<i64>().ok());
                assert_eq!((page.count, page.items.iter().filter_map(amount).sum::<i64>()), (10, 1000));
                reads += 1;
            }
        });
        movers.into_iter().for_each(|mover| mover.join().expect("no mover panics"));
        drop(moved);
        reader.join().expect("the sum never differs");
    });
    Ok(())
}

/// Pages go on behind items with equal sort values, also where the item that a page ended with is gone.
#[test]
fn pages_over_ties_show_each_item_once_while_items_are_deleted() -> Result<()> {
    for (reverse, limit) in [(false, 1), (true, 1), (false, 3), (true, 3), (false, 7)] {
        let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-g", "g").sort_key("n"));
        let db = Database::create_in_memory_with_schema(schema)?;
        for i in 0..50_i64 {
            let item = ItemBuilder::new().string("g", "x").number("n", i / 10 % 2).build();
            db.put_with_sk(format!("p{}", 97 * i % 50).as_bytes(), &[i as u8 + 1], item)?;
        }
        let (mut seen, mut token) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let query = Query::new().index("by-g").partition_key(b"x").reverse(reverse).limit(limit);
            let page = db.query_page(&token.iter().fold(query, |query, token| query.token(token)))?;
            seen.extend(page.records.iter().map(|record| record.sk().to_vec()));
            if let Some(last) = page.records.last() {
                db.delete_with_sk(last.pk(), last.sk())?;
            }
            token = page.token;
            if token.is_none() {
                break;
            }
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((all, seen.len()), (50, 50), "by {limit}, reverse: {reverse}");
    }
    Ok(())
}
