//! Reads and writes of several tables of an account as one.

use std::sync::Arc;

use kstone_api::clock::{Clock, ClockSource, ManualClock};
use kstone_api::{
    Account, DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeyType, KeystoneValue as Value,
    NamesTable, Operation, Projection, Query, Result, StreamSpecification, StreamViewType, Table, TableSchema, Write,
};

fn people() -> TableSchema {
    TableSchema::new()
        .name("people")
        .partition_key("name", KeyType::S)
        .add_global_index(GlobalSecondaryIndex::new("by-town", "town"))
        .with_stream(StreamSpecification::new(StreamViewType::KeysOnly))
}

fn scores() -> TableSchema {
    TableSchema::new().name("scores").partition_key("game", KeyType::S).sort_key("score", KeyType::N).with_ttl("ends")
}

/// `people` is watched for an index and a stream, `scores` for its time to live, `plain` not at all.
fn account() -> Result<(Account, Arc<ManualClock>)> {
    let clock = Arc::new(ManualClock::new(1000));
    let source = ClockSource::new(Arc::clone(&clock) as Arc<dyn Clock>);
    let account = Account::create_in_memory_with(DatabaseOptions::default(), source);
    account.create_table(people())?;
    account.create_table(scores())?;
    account.create_table(TableSchema::new().name("plain").partition_key("id", KeyType::B))?;
    Ok((account, clock))
}

fn person(name: &str, town: &str) -> Write {
    Write::put(name.as_bytes(), ItemBuilder::new().string("name", name).string("town", town).build())
}

fn score(game: &str, score: &str) -> Write {
    Write::put(game.as_bytes(), ItemBuilder::new().bool("won", true).build()).sort_key(score.as_bytes())
}

fn plain(id: &str) -> Write {
    Write::put(id.as_bytes(), ItemBuilder::new().number("n", 1).build())
}

fn of_town(account: &Account, town: &str) -> Result<usize> {
    Ok(account.table("people")?.query(Query::new().index("by-town").partition_key(town.as_bytes()))?.count)
}

fn counts(account: &Account) -> Result<[u64; 3]> {
    Ok([account.table("people")?.count()?, account.table("scores")?.count()?, account.table("plain")?.count()?])
}

fn codes(error: &Error) -> Vec<Option<&'static str>> {
    match error {
        Error::TransactionCanceled { reasons } => {
            reasons.iter().map(|reason| reason.as_ref().map(|reason| reason.code)).collect()
        }
        other => panic!("{other}"),
    }
}

#[test]
fn writes_to_several_tables_are_all_done_or_none() -> Result<()> {
    let (account, _) = account()?;
    let fresh = |write: Write| write.condition("attribute_not_exists(won)");
    account.transact_write(&[
        ("people", person("ann", "Rome")),
        ("scores", fresh(score("chess", "10"))),
        ("plain", plain("ann")),
        ("people", person("bob", "Rome")),
    ])?;
    assert_eq!(counts(&account)?, [2, 1, 1]);
    assert_eq!(of_town(&account, "Rome")?, 2);
    assert_eq!(account.table("people")?.read_stream(0, 10)?.len(), 2, "each table's stream has its own changes");

    let refused = account
        .transact_write(&[
            ("people", person("ann", "Oslo")),
            ("scores", fresh(score("chess", "1e1"))),
            ("plain", plain("new")),
            ("people", Write::update(b"bob", "ADD town :n").value(":n", Value::number(7))),
            ("plain", Write::check(b"ann", "n = :n").value(":n", Value::number(2))),
        ])
        .unwrap_err();
    let (failed, wrong) = (Some("ConditionalCheckFailed"), Some("ValidationError"));
    assert_eq!(codes(&refused), [None, failed, None, wrong, failed]);
    assert_eq!((counts(&account)?, of_town(&account, "Rome")?, of_town(&account, "Oslo")?), ([2, 1, 1], 2, 0));
    assert_eq!(account.table("people")?.read_stream(0, 10)?.len(), 2);

    // Where nothing is asked of any item and no table is watched, too.
    account.create_table(TableSchema::new().name("other").partition_key("id", KeyType::N))?;
    account.transact_write(&[("plain", plain("a")), ("other", plain("1")), ("plain", Write::delete(b"ann"))])?;
    assert_eq!((account.table("plain")?.count()?, account.table("other")?.count()?), (1, 1));
    Ok(())
}

#[test]
fn gets_and_writes_of_several_tables_are_one_moment() -> Result<()> {
    let (account, _) = account()?;
    let tables = [account.table("people")?, account.table("scores")?, account.table("plain")?];
    let key = |sk: &str| Key::with_sk("chess", sk.to_owned());
    let operations: [(&dyn NamesTable, Operation); 4] = [
        (&tables[1], key("2").into()),
        (&"people", person("ann", "Rome").into()),
        (&"plain".to_string(), Key::new("x").into()),
        (&tables[1], score("chess", "3").into()),
    ];
    assert_eq!(account.transact(&operations).expect("done"), [None, None]);
    let gets = [("scores", key("3.0")), ("people", Key::new("ann")), ("scores", key("4"))];
    let found = account.transact_get(&gets)?;
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(found[0].as_ref().map(|record| record.item().len()), Some(3), "with its key attributes");
    assert_eq!(account.batch_get(&gets)?, found);
    let gets = gets.map(|(table, key)| (table, Operation::from(key)));
    assert_eq!(account.transact(&gets).expect("read"), found);

    let failing = [
        ("people", Operation::from(Key::new("ann"))),
        (
            "scores",
            Write::check(b"chess", "won = :f")
                .sort_key(b"3")
                .value(":f", Value::bool(false))
                .return_old_on_failure()
                .into(),
        ),
    ];
    let failed = account.transact(&failing).unwrap_err();
    assert_eq!(failed.operation, Some(1));
    assert!(matches!(&failed.error, Error::ConditionFailed { item: Some(item) } if item.item().len() == 3));
    assert!(failed.reasons[0].is_none() && failed.reasons.len() == 2);
    Ok(())
}

#[test]
fn batches_of_several_tables() -> Result<()> {
    let (account, _) = account()?;
    let mut writes: Vec<(&str, Write)> = (0..300).map(|n| ("scores", score("chess", &n.to_string()))).collect();
    writes.push(("people", person("ann", "Rome")));
    writes.extend((0..300).map(|n| ("plain", plain(&n.to_string()))));
    account.batch_write(&writes)?;
    assert_eq!(counts(&account)?, [1, 300, 300]);
    assert!(account.batch_write(&[("plain", plain("1").condition("n = n"))]).is_err(), "no conditions");
    assert!(account.batch_write::<&str>(&[]).is_err() && account.batch_get::<&str>(&[]).is_err());
    let twice = account.batch_write(&[("scores", score("a", "1")), ("scores", score("a", "1.0"))]).unwrap_err();
    assert!(twice.to_string().contains("duplicates"), "{twice}");
    let keys: Vec<(&str, Key)> = (0..300)
        .flat_map(|n: i32| [("plain", Key::new(n.to_string())), ("scores", Key::with_sk("chess", format!("{n}.0")))])
        .collect();
    assert!(account.batch_get(&keys)?.iter().all(Option::is_some));
    account.batch_write(&[("people", Write::delete(b"ann")), ("plain", Write::delete(b"0"))])?;
    assert_eq!((counts(&account)?, of_town(&account, "Rome")?), ([0, 300, 299], 0));
    Ok(())
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() -> Result<()> {
    let (account, _) = account()?;
    let refused = |writes: &[(&str, Write)]| account.transact_write(writes).unwrap_err();
    assert!(matches!(refused(&[]), Error::Invalid(_)));
    let missing = refused(&[("plain", plain("a")), ("nowhere", plain("a"))]);
    assert_eq!(missing, Error::TableNotFound { name: "nowhere".into(), is: None });
    let many: Vec<(&str, Write)> =
        (0..101).map(|n| (if n % 2 == 0 { "plain" } else { "people" }, plain(&n.to_string()))).collect();
    assert!(matches!(refused(&many), Error::Limit { limit: 100, found: 101, .. }));
    account.transact_write(&many[..100])?;
    account.clear()?;
    let same_key = [("plain", plain("ann")), ("people", person("ann", "Rome")), ("plain", plain("ann"))];
    assert!(refused(&same_key).to_string().contains("multiple operations"));
    account.transact_write(&same_key[..2])?;
    let spelled = [("scores", score("a", "1")), ("plain", plain("b")), ("scores", score("a", "1.00"))];
    assert!(refused(&spelled).to_string().contains("multiple operations"));
    let operations = spelled.map(|(table, write)| (table, Operation::from(write)));
    assert_eq!(account.transact(&operations).unwrap_err().operation, Some(2));
    let one = ItemBuilder::new().string("game", "a").number("score", 1).build();
    let by_item = [("scores", score("a", "1.0")), ("plain", plain("b")), ("scores", Write::put_item(&one)?)];
    assert!(refused(&by_item).to_string().contains("multiple operations"), "the key of an item is one, too");
    account.transact_write(&by_item[1..])?;
    let keys = [("scores", Key::with_sk("a", "1")), ("scores", Key::with_sk("a", "1.0"))];
    assert!(account.transact_get(&keys).is_err() && account.batch_get(&keys).is_err());

    // Together they are too large, though those of each table are not.
    let large = || ItemBuilder::new().string("text", "x".repeat(350 << 10)).build();
    let of_table = |table: &'static str, most: u8| (0..most).map(move |n| (table, Write::put(&[b'k', n], large())));
    let too_large: Vec<(&str, Write)> = of_table("plain", 6).chain(of_table("people", 6)).collect();
    assert!(matches!(refused(&too_large), Error::Limit { what: "The items of a transaction", .. }));
    account.batch_write(&too_large)?;
    let keys: Vec<(&str, Key)> =
        (0..12_u8).map(|n| (if n < 6 { "plain" } else { "people" }, Key::new(vec![b'k', n % 6]))).collect();
    assert!(matches!(account.transact_get(&keys), Err(Error::Limit { .. })));
    assert_eq!(account.batch_get(&keys)?.len(), 12);

    let fork = account.fork()?;
    let foreign = fork.transact_write(&[(&account.table("plain")?, plain("a"))]).unwrap_err();
    assert!(foreign.to_string().contains("of another account"), "{foreign}");
    Ok(())
}

/// A handle that is left of a table that was dropped is refused by the table's name, and nothing is done in the others.
#[test]
fn a_table_that_was_dropped_is_named() -> Result<()> {
    let (account, _) = account()?;
    let (plain_table, scores_table) = (account.table("plain")?, account.table("scores")?);
    account.drop_table("scores")?;
    account.create_table(scores())?;
    let dropped = Error::TableNotFound { name: "scores".into(), is: None };
    let writes = [(&plain_table, plain("a")), (&scores_table, score("a", "1"))];
    assert_eq!(account.transact_write(&writes).unwrap_err(), dropped);
    assert_eq!(account.batch_write(&writes).unwrap_err(), dropped);
    let keys = [(&scores_table, Key::with_sk("a", "1")), (&plain_table, Key::new("a"))];
    assert_eq!(account.transact_get(&keys).unwrap_err(), dropped);
    assert_eq!(account.transact(&keys.map(|(table, key)| (table, key.into()))).unwrap_err().error, dropped);
    assert_eq!(counts(&account)?, [0, 0, 0]);
    Ok(())
}

#[test]
fn expiry_is_that_of_each_table_by_one_clock() -> Result<()> {
    let (account, clock) = account()?;
    account.create_table(
        TableSchema::new().name("visible").partition_key("id", KeyType::S).with_ttl("ends").with_ttl_visible(),
    )?;
    let until = |write: Write| write.value(":u", Value::number(2000));
    let update = |pk: &str| until(Write::update(pk.as_bytes(), "SET ends = :u"));
    account.transact_write(&[
        ("scores", update("a").sort_key(b"1")),
        ("visible", update("a")),
        ("plain", update("a")),
    ])?;
    let found = || -> Result<Vec<bool>> {
        let keys = [("scores", Key::with_sk("a", "1")), ("visible", Key::new("a")), ("plain", Key::new("a"))];
        let found = account.transact_get(&keys)?;
        assert_eq!(account.batch_get(&keys)?, found);
        Ok(found.iter().map(Option::is_some).collect())
    };
    assert_eq!(found()?, [true; 3]);
    clock.set(3000);
    assert_eq!(found()?, [false, true, true]);
    // The expired item is none to a condition, and is removed by what is written in its place.
    let outcomes = account
        .transact_with_outcomes(&[
            ("scores", score("a", "1").condition("attribute_not_exists(ends)").into()),
            ("visible", Operation::from(Write::check(b"a", "ends = :u").value(":u", Value::number(2000)))),
        ])
        .expect("done");
    assert!(outcomes[0].old().is_none() && outcomes[0].new_item().is_some());
    assert!(outcomes[1].old().is_some() && outcomes[1].new_item() == outcomes[1].old());
    Ok(())
}

#[test]
fn an_outcome_has_the_item_before_and_after_and_what_changed_in_the_indexes() -> Result<()> {
    let schema = TableSchema::new()
        .name("people")
        .partition_key("name", KeyType::S)
        .add_global_index(GlobalSecondaryIndex::new("by-town", "town").projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("by-trade", "trade"));
    let account = Account::create_in_memory();
    let people = account.create_table(schema)?;
    let plain_table = account.create_table(TableSchema::new().name("plain").partition_key("id", KeyType::S))?;
    type Change = (String, bool, bool, bool);
    let changes = |outcome: &kstone_api::WriteOutcome| -> Vec<Change> {
        let changes = outcome.index_changes().into_iter();
        changes.map(|it| (it.index, it.removed.is_some(), it.added.is_some(), it.in_place)).collect()
    };
    let change = |index: &str, removed, added, in_place| (index.to_owned(), removed, added, in_place);
    let item = |town: &str, trade: Option<&str>| -> Item {
        let item = ItemBuilder::new().string("name", "ann").string("town", town);
        trade.map_or(item.clone().build(), |trade| item.string("trade", trade).build())
    };
    let put = |item: Item| people.write_with_outcome(Write::put(b"ann", item));

    let created = put(item("Rome", Some("cook")))?;
    assert!(created.old().is_none());
    assert_eq!(created.new_item().map(|record| record.item().to_item()), Some(item("Rome", Some("cook"))));
    assert_eq!(changes(&created), [change("by-town", false, true, false), change("by-trade", false, true, false)]);
    let same = put(item("Rome", Some("cook")))?;
    assert_eq!((changes(&same), same.old().is_some()), (vec![], true));
    let moved = put(item("Oslo", Some("cook")))?;
    assert_eq!(changes(&moved), [change("by-town", true, true, false), change("by-trade", true, true, true)]);
    let shown = &moved.index_changes()[0];
    let town = |record: &Option<kstone_api::Record>| -> Option<String> {
        Some(record.as_ref()?.item().to_item()["town"].as_string()?.to_owned())
    };
    assert_eq!((town(&shown.removed), town(&shown.added)), (Some("Rome".into()), Some("Oslo".into())));
    let updated = people.write_with_outcome(Write::update(b"ann", "REMOVE trade"))?;
    assert_eq!(changes(&updated), [change("by-trade", true, false, false)]);
    let failed = people.write_with_outcome(Write::update(b"ann", "REMOVE town").condition("attribute_exists(trade)"));
    assert!(matches!(failed, Err(Error::ConditionFailed { .. })));

    let outcomes = account
        .transact_with_outcomes(&[
            (&people, Operation::from(Write::delete(b"ann"))),
            (&plain_table, Write::update(b"x", "SET n = :n").value(":n", Value::number(1)).into()),
            (&plain_table, Key::new("nobody").into()),
        ])
        .expect("done");
    assert_eq!(changes(&outcomes[0]), [change("by-town", true, false, false)]);
    assert!(outcomes[0].new_item().is_none() && outcomes[0].old().is_some());
    assert!(outcomes[1].old().is_none() && outcomes[1].new_item().is_some() && changes(&outcomes[1]).is_empty());
    assert!(outcomes[2].old().is_none() && outcomes[2].new_item().is_none() && outcomes.len() == 3);
    let reads = account.transact_with_outcomes(&[(&plain_table, Key::new("x").into())]).expect("read");
    assert!(reads[0].returned().is_some() && reads[0].old() == reads[0].new_item());
    let written = account.batch_write_with_outcomes(&[(&plain_table, plain("x")), (&people, person("bob", "Rome"))])?;
    assert!(written[0].old().is_some() && written[1].old().is_none() && written.len() == 2);
    Ok(())
}

#[test]
fn a_memory_limit_that_one_table_reaches_refuses_the_whole() -> Result<()> {
    let options = DatabaseOptions { memory_max_bytes: 2 << 20, ..DatabaseOptions::default() };
    let account = Account::create_in_memory_with(options, ClockSource::default());
    let tables: Vec<Table> = ["one", "two"]
        .into_iter()
        .map(|name| account.create_table(TableSchema::new().name(name).partition_key("id", KeyType::S)))
        .collect::<Result<_>>()?;
    let mut written = 0_u64;
    let refused = loop {
        let of_two = ItemBuilder::new().string("text", "x".repeat(100_000)).build();
        let writes = [
            (&tables[0], Write::update(b"n", "ADD n :one").value(":one", Value::number(1))),
            (&tables[1], Write::put(format!("{written}").as_bytes(), of_two)),
        ];
        match account.transact_write(&writes) {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 100, "the limit holds");
    };
    assert!(matches!(refused, Error::Limit { what: "Memory (memory_max_bytes)", .. }), "{refused}");
    assert!(written > 3);
    assert_eq!(tables[1].count()?, written);
    assert_eq!(tables[0].get(b"n")?.expect("there")["n"].as_number(), Some(&written.to_string()));
    // Deletes go on, and what they free is there for writes.
    account.transact_write(&[(&tables[1], Write::delete(b"0")), (&tables[1], Write::delete(b"1"))])?;
    account.transact_write(&[(&tables[0], plain("a")), (&tables[1], plain("b"))])?;
    Ok(())
}
