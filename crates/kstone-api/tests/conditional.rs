//! Conditional writes, updates, filters, batches and transactions, through the public API.

use std::sync::atomic::{AtomicUsize, Ordering};

use kstone_api::expression::ReturnValues;
use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeystoneValue, Query, Record, Result, Scan, Select,
    SortKeyCondition, TableSchema, TransactWriteRequest, Write,
};

fn number(n: i64) -> KeystoneValue {
    KeystoneValue::number(n)
}

fn item(n: i64) -> Item {
    ItemBuilder::new().number("n", n).build()
}

fn n_of(db: &Database, pk: &str) -> Result<Option<i64>> {
    let item = db.get(pk.as_bytes())?;
    Ok(item.and_then(|item| item["n"].as_number().and_then(|text| text.parse().ok())))
}

fn body(record: Option<Record>) -> Option<Item> {
    record.map(|record| record.item().to_item())
}

#[test]
fn a_put_on_condition_writes_or_changes_nothing() -> Result<()> {
    let db = Database::create_in_memory()?;
    let insert = |n| Write::put(b"a", item(n)).condition("attribute_not_exists(pk)");
    assert_eq!(db.write(insert(1))?, None);
    assert_eq!(db.write(insert(2)), Err(Error::ConditionFailed { item: None }));
    let Err(Error::ConditionFailed { item: Some(old) }) = db.write(insert(2).return_old_on_failure()) else {
        panic!("the old item was asked for");
    };
    assert_eq!(old.item().to_item(), item(1));
    let replaced = Write::put(b"a", item(3)).condition("n = :n").value(":n", number(1));
    assert_eq!(body(db.write(replaced.return_values(ReturnValues::AllOld))?), Some(item(1)));
    assert_eq!(n_of(&db, "a")?, Some(3));
    Ok(())
}

#[test]
fn a_delete_on_condition_returns_what_was_there() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put_with_sk(b"a", b"s", item(1))?;
    let delete = || Write::delete(b"a").sort_key(b"s").condition("n > :min").name("#x", "n").value(":min", number(5));
    assert!(
        matches!(db.write(delete()), Err(Error::Invalid(text)) if text.to_string().contains("unused")),
        "#x is not used"
    );
    let delete =
        |min| Write::delete(b"a").sort_key(b"s").condition("#n > :min").name("#n", "n").value(":min", number(min));
    assert!(matches!(db.write(delete(5)), Err(Error::ConditionFailed { .. })));
    assert_eq!(body(db.write(delete(0).return_values(ReturnValues::AllOld))?), Some(item(1)));
    assert_eq!(db.write(Write::delete(b"a").return_values(ReturnValues::AllOld))?, None);
    Ok(())
}

#[test]
fn an_update_returns_what_is_asked_of_it() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"a", ItemBuilder::new().number("n", 1).string("name", "x").build())?;
    let add = |values| {
        db.write(Write::update(b"a", "SET n = n + :one").value(":one", number(1)).return_values(values)).map(body)
    };
    assert_eq!(add(ReturnValues::None)?, None);
    assert_eq!(add(ReturnValues::UpdatedOld)?, Some(item(2)));
    assert_eq!(add(ReturnValues::UpdatedNew)?, Some(item(4)));
    assert_eq!(add(ReturnValues::AllOld)?, Some(ItemBuilder::new().number("n", 4).string("name", "x").build()));
    assert_eq!(add(ReturnValues::AllNew)?, Some(ItemBuilder::new().number("n", 6).string("name", "x").build()));
    let refused = db.write(Write::put(b"a", item(0)).return_values(ReturnValues::AllNew));
    assert!(matches!(refused, Err(Error::Invalid(_))));
    let refused = db.write(Write::update(b"a", "SET sum_of = sum_of + :one").value(":one", number(1)));
    assert!(matches!(refused, Err(Error::Invalid(_))));
    assert_eq!(n_of(&db, "a")?, Some(6), "a refused update changes nothing");
    Ok(())
}

#[test]
fn an_update_that_makes_an_item_too_large_changes_nothing() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"a", ItemBuilder::new().string("half", "x".repeat(300_000)).build())?;
    let half = KeystoneValue::string("y".repeat(300_000));
    let refused = db.write(Write::update(b"a", "SET second_half = :half").value(":half", half));
    assert!(matches!(refused, Err(Error::Limit { what: "Item size to update", .. })), "{refused:?}");
    assert!(!db.get(b"a")?.expect("present").contains_key("second_half"));
    Ok(())
}

#[test]
fn of_racing_writers_exactly_one_wins() -> Result<()> {
    let db = Database::create_in_memory()?;
    for round in 0..200 {
        let won = AtomicUsize::new(0);
        let pk = format!("round{round}");
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (db, won, pk) = (&db, &won, &pk);
                scope.spawn(move || {
                    let write = Write::put(pk.as_bytes(), item(thread)).condition("attribute_not_exists(pk)");
                    match db.write(write) {
                        Ok(_) => won.fetch_add(1, Ordering::Relaxed),
                        Err(Error::ConditionFailed { .. }) => 0,
                        Err(other) => panic!("{other}"),
                    };
                });
            }
        });
        assert_eq!(won.into_inner(), 1);
    }
    Ok(())
}

#[test]
fn counters_lose_no_update() -> Result<()> {
    let db = Database::create_in_memory()?;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..500 {
                    db.write(Write::update(b"counter", "ADD n :one").value(":one", number(1))).expect("counted");
                }
            });
        }
    });
    assert_eq!(n_of(&db, "counter")?, Some(2000));
    Ok(())
}

#[test]
fn a_filter_bounds_what_is_returned_and_the_limit_what_is_examined() -> Result<()> {
    let db = Database::create_in_memory()?;
    for n in 0..10 {
        db.put_with_sk(b"p", format!("{n}").as_bytes(), item(n))?;
    }
    let even = || Query::new().partition_key(b"p").filter_expression("n IN (:a, :b, :c)");
    let even =
        || even().expression_value(":a", number(0)).expression_value(":b", number(2)).expression_value(":c", number(8));
    let page = db.query(even().limit(5).build())?;
    assert_eq!((page.items, page.count, page.scanned_count), (vec![item(0), item(2)], 2, 5));
    let next = db.query(even().limit(5).token(&page.token.expect("more")).build())?;
    assert_eq!((next.items, next.count, next.scanned_count), (vec![item(8)], 1, 5));
    let counted = db.query(even().select(Select::Count).build())?;
    assert_eq!((counted.items.len(), counted.count, counted.scanned_count), (0, 3, 10));
    let scanned = db.scan(Scan::new().filter_expression("n > :n").expression_value(":n", number(6)))?;
    assert_eq!((scanned.count, scanned.scanned_count), (3, 10));
    let iterated = db.iter_query(&even().limit(5))?;
    assert_eq!(iterated.count(), 2, "the limit bounds what is examined");
    let refused =
        db.query(Query::new().partition_key(b"p").filter_expression("sk = :n").expression_value(":n", number(1)));
    assert!(matches!(refused, Err(Error::Invalid(text)) if text.to_string().contains("Primary key attribute: sk")));
    Ok(())
}

#[test]
fn a_key_condition_is_the_same_query() -> Result<()> {
    let db = Database::create_in_memory()?;
    for n in 0..10 {
        db.put_with_sk(b"p", format!("{n}").as_bytes(), item(n))?;
    }
    let text = |text: &str| KeystoneValue::string(text);
    let by_expression = Query::new()
        .key_condition_expression("pk = :p AND sk BETWEEN :low AND :high")
        .expression_value(":p", text("p"))
        .expression_value(":low", text("3"))
        .expression_value(":high", text("5"));
    let by_key = Query::new().partition_key(b"p").sort_key(SortKeyCondition::Between(b"3".into(), b"5".into()));
    assert_eq!(db.query(by_expression.clone())?, db.query(by_key)?);
    assert!(db.query(by_expression.partition_key(b"p")).is_err(), "one of them, not both");
    let binary = Query::new().key_condition_expression("pk = :p").expression_value(":p", KeystoneValue::binary(b"p"));
    assert_eq!(db.query(binary)?.count, 10, "a binary value is good for any key");
    let number = Query::new().key_condition_expression("pk = :p").expression_value(":p", KeystoneValue::number(1));
    assert!(
        matches!(db.query(number), Err(Error::Invalid(text)) if text.to_string().contains("does not match schema type"))
    );
    Ok(())
}

#[test]
fn a_projection_returns_parts_under_the_same_key() -> Result<()> {
    let db = Database::create_in_memory()?;
    let map = KeystoneValue::map([("x", number(1)), ("y", number(2))]);
    db.put_with_sk(b"p", b"s", ItemBuilder::new().value("m", map).number("n", 3).build())?;
    let page = db.query_page(&Query::new().partition_key(b"p").projection_expression("m.y, pk"))?;
    let expected = Item::from([
        ("m".to_string(), KeystoneValue::map([("y", number(2))])),
        ("pk".to_string(), KeystoneValue::string("p")),
    ]);
    assert_eq!((page.records[0].item().to_item(), page.records[0].sk()), (expected, &b"s"[..]));
    assert!(db.query(Query::new().partition_key(b"p").projection_expression("n").select(Select::Count)).is_err());
    Ok(())
}

#[test]
fn a_transaction_does_all_or_nothing_and_says_why() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"a", item(1))?;
    db.put(b"b", item(1))?;
    let request = |min| {
        TransactWriteRequest::new()
            .write(Write::put(b"new", item(9)))
            .write(Write::update(b"a", "SET n = n + :n").value(":n", number(1)))
            .write(Write::check(b"b", "n >= :min").value(":min", number(min)).return_old_on_failure())
            .write(Write::delete(b"gone"))
    };
    let Err(error @ Error::TransactionCanceled { .. }) = db.transact_write(request(2)) else { panic!("cancelled") };
    assert!(error.to_string().ends_with("specific reasons [None, None, ConditionalCheckFailed, None]"), "{error}");
    let Error::TransactionCanceled { reasons } = error else { unreachable!("matched above") };
    let reason = reasons[2].as_ref().expect("the check failed");
    assert_eq!(reason.item.as_ref().map(|old| old.item().to_item()), Some(item(1)));
    assert_eq!((n_of(&db, "a")?, n_of(&db, "new")?), (Some(1), None));
    db.transact_write(request(1))?;
    assert_eq!((n_of(&db, "a")?, n_of(&db, "new")?), (Some(2), Some(9)));
    let broken = TransactWriteRequest::new()
        .write(Write::update(b"a", "SET n = absent_one + :n").value(":n", number(1)))
        .write(Write::delete(b"b"));
    assert!(matches!(db.transact_write(broken), Err(Error::TransactionCanceled { reasons })
        if reasons[0].as_ref().is_some_and(|reason| reason.code == "ValidationError") && reasons[1].is_none()));
    assert_eq!(n_of(&db, "b")?, Some(1));
    Ok(())
}

#[test]
fn transactions_keep_their_limits_and_batches_have_none() -> Result<()> {
    let db = Database::create_in_memory()?;
    let keys = |count: usize| (0..count).map(|i| Key::new(format!("k{i}"))).collect::<Vec<_>>();
    let puts = |count: usize| (0..count).map(|i| Write::put(format!("k{i}").as_bytes(), item(1))).collect::<Vec<_>>();
    let transaction =
        |writes: Vec<Write>| writes.into_iter().fold(TransactWriteRequest::new(), TransactWriteRequest::write);
    db.batch_write(&puts(3_000))?;
    assert_eq!(db.count()?, 3_000);
    db.transact_write(transaction(puts(100)))?;
    assert!(matches!(db.transact_write(transaction(puts(101))), Err(Error::Limit { limit: 100, found: 101, .. })));
    assert_eq!(db.batch_get(&keys(3_001))?.iter().flatten().count(), 3_000);
    assert!(db.transact_get(&keys(101)).is_err());
    assert_eq!(db.transact_get(&keys(100))?.len(), 100);
    assert!(
        db.transact_get(&[]).is_err()
            && db.batch_write(&[]).is_err()
            && db.transact_write(transaction(vec![])).is_err()
    );
    let twice = || vec![Write::put(b"a", item(1)), Write::delete(b"a")];
    assert!(
        matches!(db.transact_write(transaction(twice())), Err(Error::Invalid(text)) if text.to_string().contains("multiple operations"))
    );
    assert!(matches!(db.batch_write(&twice()), Err(Error::Invalid(text)) if text.to_string().contains("duplicates")));
    assert!(db.batch_get(&[Key::new("a"), Key::new("a")]).is_err());
    let conditional = [Write::put(b"a", item(1)).condition("attribute_exists(pk)")];
    assert!(matches!(db.batch_write(&conditional), Err(Error::Invalid(_))));
    let absent = db.batch_get(&[Key::new("k0"), Key::new("never")])?;
    assert!(absent[0].is_some() && absent[1].is_none());
    Ok(())
}

/// 100,000 times money moves between accounts in transactions, on 8 threads; a reader of all of them at once, by their
/// keys, in one partition of a global index or by a scan, always sees the same sum.
#[test]
fn a_bank_never_loses_or_makes_money() -> Result<()> {
    const ACCOUNTS: usize = 20;
    const TRANSFERS_PER_THREAD: usize = 12_500;
    let bank = GlobalSecondaryIndex::new("by-bank", "bank");
    let db = Database::create_in_memory_with_schema(TableSchema::new().add_global_index(bank))?;
    let keys: Vec<Key> = (0..ACCOUNTS).map(|i| Key::new(format!("account{i}"))).collect();
    for key in &keys {
        db.put(&key.pk, ItemBuilder::new().number("n", 1000).string("bank", "b").build())?;
    }
    let sum = || -> Result<i64> {
        let records = db.transact_get(&keys)?;
        let amount = |record: &Record| record.item().get("n")?.as_number()?.parse::<i64>().ok();
        Ok(records.iter().flatten().filter_map(amount).sum())
    };
    let running = AtomicUsize::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (db, keys, running) = (&db, &keys, &running);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                for _ in 0..TRANSFERS_PER_THREAD {
                    let from = random.usize(..ACCOUNTS);
                    let to = (from + random.usize(1..ACCOUNTS)) % ACCOUNTS;
                    let cents = number(random.i64(1..50));
                    let take = Write::update(&keys[from].pk, "SET n = n - :c").condition("n >= :c");
                    let give = Write::update(&keys[to].pk, "SET n = n + :c");
                    let transfer = TransactWriteRequest::new()
                        .write(take.value(":c", cents.clone()))
                        .write(give.value(":c", cents));
                    match db.transact_write(transfer) {
                        Ok(()) | Err(Error::TransactionCanceled { .. }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
                running.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while running.load(Ordering::Relaxed) > 0 {
            assert_eq!(sum().expect("read"), 1000 * ACCOUNTS as i64);
            let amount = |item: &Item| item["n"].as_number().and_then(|text| text.parse::<i64>().ok());
            let in_index = db.query(Query::new().index("by-bank").partition_key(b"b").build()).expect("queried");
            let scanned = db.scan(Scan::new()).expect("scanned");
            for page in [in_index, scanned] {
                assert_eq!(page.count, ACCOUNTS);
                assert_eq!(page.items.iter().filter_map(amount).sum::<i64>(), 1000 * ACCOUNTS as i64);
            }
        }
    });
    assert_eq!(sum()?, 1000 * ACCOUNTS as i64);
    Ok(())
}

/// Found by an attack: an update made an attribute whose name no item may have.
#[test]
fn a_name_that_no_attribute_may_have_is_refused_as_a_placeholder() -> Result<()> {
    let db = Database::create_in_memory()?;
    let named = |len: usize| {
        let name = "x".repeat(len);
        db.write(Write::update(b"a", "SET #n = :v").name("#n", &name).value(":v", number(1)))
    };
    assert!(named(65_535).is_ok());
    assert!(matches!(named(65_536), Err(Error::Limit { what: "Attribute name", found: 65_536, .. })));
    Ok(())
}

/// Their expressions are evaluated while no stripe is locked, so that each may find the item changed under its locks:
/// it starts over, and in the end all of them were done.
#[test]
fn a_large_item_is_updated_by_threads_at_once() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"large", ItemBuilder::new().binary("payload", vec![1; 100 << 10]).number("n", 0).build())?;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    let add = Write::update(b"large", "ADD n :one").condition("attribute_exists(payload)");
                    db.write(add.value(":one", KeystoneValue::number(1))).expect("written");
                }
            });
        }
    });
    assert_eq!(db.get(b"large")?.expect("present")["n"].as_number(), Some(&"800".to_owned()));
    Ok(())
}

/// DynamoDB takes indexes up to 4294967294; a SET beyond the end of a list appends.
#[test]
fn an_index_far_beyond_a_list_appends() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"a", Item::from([("l".to_owned(), KeystoneValue::list([number(1)]))]))?;
    for (index, n) in [(4_294_967_294_u32, 3), (2_147_483_648, 2)] {
        db.write(Write::update(b"a", &format!("SET l[{index}] = :n")).value(":n", number(n)))?;
    }
    db.write(Write::update(b"a", "REMOVE l[4294967294]"))?;
    assert_eq!(db.get(b"a")?.expect("present")["l"], KeystoneValue::list([number(1), number(3), number(2)]));
    assert!(db.write(Write::update(b"a", "REMOVE l[4294967295]")).is_err());
    Ok(())
}
