//! Accounts: tables by name, and all of them at one moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kstone_api::clock::{Clock, ClockSource, ManualClock};
use kstone_api::{Account, DatabaseOptions, Error, ItemBuilder, KeyType, Result, TableSchema};

fn schema(name: &str) -> TableSchema {
    TableSchema::new().name(name).partition_key("id", KeyType::S)
}

fn item(id: &str, n: i64) -> kstone_api::Item {
    ItemBuilder::new().string("id", id).number("n", n).build()
}

#[test]
fn tables_are_created_found_listed_and_dropped() -> Result<()> {
    let account = Account::create_in_memory();
    assert!(account.table_names().is_empty());
    for name in ["ddd", "aaa", "ccc", "bbb"] {
        account.create_table(schema(name))?;
    }
    assert_eq!(account.table_names(), ["aaa", "bbb", "ccc", "ddd"]);
    assert_eq!(account.table_names_after("aab", 2), ["bbb", "ccc"]);
    assert_eq!(account.table_names_after("bbb", 9), ["ccc", "ddd"]);
    assert_eq!(account.create_table(schema("ccc")).map(drop), Err(Error::TableExists { name: "ccc".into() }));
    assert!(account.create_table(TableSchema::new()).is_err(), "without a name");
    assert!(account.create_table(TableSchema::new().name("x")).is_err(), "names have three characters");
    let table = account.table("ccc")?;
    table.put_item(item("one", 1))?;
    assert_eq!(account.table("ccc")?.count()?, 1, "handles are of one table");
    account.drop_table("ccc")?;
    assert_eq!(
        account.table("ccc").map(drop).unwrap_err().to_string(),
        "Requested resource not found: Table: ccc not found"
    );
    assert!(account.drop_table("ccc").is_err());
    let refusals = [
        table.put_item(item("two", 2)).unwrap_err(),
        table.get(b"one").unwrap_err(),
        table.scan(kstone_api::Scan::new()).map(drop).unwrap_err(),
        table.count().unwrap_err(),
        table.configure(schema("ccc")).unwrap_err(),
    ];
    for refused in refusals {
        assert!(refused.to_string().contains("the table was deleted"), "{refused}");
    }
    let streamed = account.create_table(schema("eee").with_stream(kstone_api::StreamViewType::NewImage))?;
    streamed.put_item(item("one", 1))?;
    account.drop_table("eee")?;
    assert_eq!(streamed.read_stream(0, 9)?.len(), 1, "a reader comes to the stream's end");
    account.create_table(schema("ccc"))?;
    assert_eq!(account.table("ccc")?.count()?, 0, "a table of the same name is another");
    assert_eq!(account.table_count(), 4);
    Ok(())
}

/// Readers never see a fork in which a pair of writes, made one after the other to two tables, is out of order.
#[test]
fn a_fork_is_one_moment_of_all_tables() -> Result<()> {
    let account = Account::create_in_memory();
    let (first, second) = (account.create_table(schema("first"))?, account.create_table(schema("second"))?);
    for table in [&first, &second] {
        table.put_item(item("n", 0))?;
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let writer = scope.spawn(|| -> Result<()> {
            for n in 1.. {
                first.put_item(item("n", n))?;
                second.put_item(item("n", n))?;
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
            Ok(())
        });
        for _ in 0..200 {
            let fork = account.fork()?;
            let n = |name: &str| -> Result<i64> {
                let item = fork.table(name)?.get(b"n")?.expect("put");
                Ok(item["n"].as_number().expect("a number").parse().expect("an integer"))
            };
            let (first, second) = (n("first")?, n("second")?);
            assert!(first == second || first == second + 1, "{first} and {second}");
        }
        done.store(true, Ordering::Relaxed);
        writer.join().expect("no panic")
    })?;
    let fork = account.fork()?;
    fork.table("first")?.delete(b"n")?;
    fork.create_table(schema("third"))?;
    fork.drop_table("second")?;
    assert!(account.table("first")?.get(b"n")?.is_some() && account.table("third").is_err());
    account.clear()?;
    assert!(account.table("second")?.count()? == 0 && account.table_count() == 2);
    Ok(())
}

#[test]
fn tables_come_and_go_while_others_are_read_written_and_forked() -> Result<()> {
    let account = Account::create_in_memory();
    let steady = account.create_table(schema("steady"))?;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let (account, steady) = (&account, &steady);
                scope.spawn(move || -> Result<()> {
                    for round in 0..50 {
                        let name = format!("table-{}", (thread + round) % 5);
                        match account.create_table(schema(&name)) {
                            Ok(table) => {
                                // Another thread may drop it at any time.
                                let _put_or_dropped = table.put_item(item("x", round));
                            }
                            Err(Error::TableExists { .. }) => match account.drop_table(&name) {
                                Ok(()) | Err(Error::TableNotFound { .. }) => {}
                                Err(error) => return Err(error),
                            },
                            Err(error) => return Err(error),
                        }
                        steady.put_item(item(&format!("{thread}-{round}"), round))?;
                        let fork = account.fork()?;
                        assert!(fork.table("steady")?.count()? > round as u64);
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    assert_eq!(steady.count()?, 200);
    Ok(())
}

#[test]
fn an_account_has_one_clock() -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(1000));
    let account = Account::create_in_memory_with(DatabaseOptions::default(), ClockSource::new(clock));
    let tables =
        [account.create_table(schema("one").with_ttl("n"))?, account.create_table(schema("two").with_ttl("n"))?];
    for table in &tables {
        table.put_item(item("x", 2000))?;
    }
    account.set_time(3000);
    assert!(tables.iter().all(|table| table.get(b"x").expect("read").is_none()));
    account.set_time(1500);
    assert!(tables.iter().all(|table| table.get(b"x").expect("read").is_some()));
    let fork = account.fork()?;
    fork.set_time(3000);
    assert!(fork.table("one")?.get(b"x")?.is_none() && account.table("one")?.get(b"x")?.is_some());
    Ok(())
}

#[test]
fn a_snapshot_is_one_moment_of_all_tables_and_comes_back_whole() -> Result<()> {
    let account = Account::create_in_memory();
    let users = account.create_table(schema("users").with_stream(kstone_api::StreamViewType::KeysOnly))?;
    let orders = TableSchema::new().name("orders").partition_key("user", KeyType::S).sort_key("number", KeyType::N);
    let orders = account.create_table(
        orders.add_global_index(kstone_api::GlobalSecondaryIndex::new("by-state", "state")).with_ttl("until"),
    )?;
    account.create_table(TableSchema::new().name("untyped"))?.put(b"key", item("x", 1))?;
    for n in 0..50 {
        users.put_item(item(&format!("user-{n}"), n))?;
        let order = ItemBuilder::new().string("user", "ann").number("number", n - 25).string("state", "open").build();
        orders.put_item(order)?;
    }
    let mut bytes = Vec::new();
    assert_eq!(account.save_snapshot_to(&mut bytes)?, 101);
    assert_eq!(account.snapshot_progress(), kstone_api::SnapshotProgress { done: 101, total: 101 });

    let again = Account::create_in_memory();
    again.create_table(schema("other"))?;
    assert_eq!(again.load_snapshot_from(&bytes[..])?, 101);
    assert_eq!(again.table_names(), ["orders", "other", "untyped", "users"]);
    for name in account.table_names() {
        let (before, after) = (account.table(&name)?, again.table(&name)?);
        assert_eq!(before.schema(), after.schema());
        let items = |table: &kstone_api::Table| -> Result<Vec<_>> {
            let mut items: Vec<_> = table
                .scan(kstone_api::Scan::new())?
                .items
                .iter()
                .map(|item| {
                    format!("{:?}", {
                        let mut attributes: Vec<_> = item.iter().collect();
                        attributes.sort_by_key(|(name, _)| (*name).clone());
                        attributes
                    })
                })
                .collect();
            items.sort();
            Ok(items)
        };
        assert_eq!(items(&before)?, items(&after)?);
    }
    let first = again.table("orders")?.get_with_sk(b"ann", b"-25")?.expect("loaded");
    assert_eq!(first["number"].as_number(), Some(&"-25".to_owned()));
    let refused = again.load_snapshot_from(&bytes[..]).unwrap_err();
    assert_eq!(refused, Error::TableExists { name: "orders".into() });
    assert_eq!(again.table_count(), 4, "all tables or none");
    let refused = kstone_api::Database::create_in_memory()?.load_snapshot_from(&bytes[..]).unwrap_err().to_string();
    assert_eq!(refused, "the input is a snapshot of 3 tables: it is loaded into an account");
    Ok(())
}

#[test]
fn a_file_of_one_table_is_a_table_of_an_account() -> Result<()> {
    let (untyped, typed) = (
        kstone_api::Database::create_in_memory()?,
        kstone_api::Database::create_in_memory_with_schema(schema("users"))?,
    );
    untyped.put(b"key", item("x", 1))?;
    typed.put_item(item("x", 1))?;
    let account = Account::create_in_memory();
    for database in [&untyped, &typed] {
        let mut bytes = Vec::new();
        database.save_snapshot_to(&mut bytes)?;
        assert_eq!(account.load_snapshot_from(&bytes[..])?, 1);
    }
    assert_eq!(account.table_names(), ["items", "users"]);
    assert!(account.table("items")?.get(b"key")?.is_some() && account.table("users")?.get(b"x")?.is_some());
    let mut bytes = Vec::new();
    account.drop_table("items")?;
    account.save_snapshot_to(&mut bytes)?;
    let database = kstone_api::Database::create_in_memory()?;
    assert_eq!(database.load_snapshot_from(&bytes[..])?, 1, "an account of one table is a database");
    assert_eq!(database.schema(), schema("users"));
    Ok(())
}

#[test]
fn an_export_writes_all_tables_as_they_are_at_one_moment() -> Result<()> {
    let account = Account::create_in_memory();
    for name in ["first", "second"] {
        account.create_table(schema(name))?.put_item(item("x", 1))?;
    }
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(account.export_json_files(folder.path())?, 2);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("written");
    assert_eq!(read("first.jsonl").lines().count(), 1);
    let mut names = Vec::new();
    let exported = account.export_json(|name| {
        names.push(name.to_owned());
        // What is written meanwhile is not in it.
        account.table("second")?.put_item(item("y", 2))?;
        Ok(std::io::sink())
    })?;
    assert_eq!((exported, names), (2, vec!["first".to_owned(), "second".to_owned()]));
    let refused = account
        .export_json(|_| Err::<std::io::Sink, _>(Error::from(kstone_api::error::Reason::NoOutcome)))
        .unwrap_err();
    assert_eq!(refused, Error::from(kstone_api::error::Reason::NoOutcome));
    assert!(account.export_json_files(folder.path().join("missing")).is_err());
    Ok(())
}

#[test]
fn a_table_keeps_the_name_that_its_account_knows_it_by() -> Result<()> {
    let account = Account::create_in_memory();
    let users = account.create_table(schema("users"))?;
    let refused = users.configure(schema("people")).unwrap_err().to_string();
    assert_eq!(refused, "a table keeps its name in its account: this one is called users, its new schema people");
    users.configure(TableSchema::new().partition_key("id", KeyType::S).with_ttl("until"))?;
    assert_eq!(users.schema(), schema("users").with_ttl("until"));

    let people = account.create_table(schema("people"))?;
    people.put_item(item("ann", 1))?;
    let nameless =
        kstone_api::Database::create_in_memory_with_schema(TableSchema::new().partition_key("id", KeyType::S))?;
    nameless.put_item(item("ann", 1))?;
    for from in [&people, &*nameless] {
        let mut bytes = Vec::new();
        from.save_snapshot_to(&mut bytes)?;
        users.clear()?;
        users.load_snapshot_from(&bytes[..])?;
        assert_eq!(
            (users.schema(), users.count()?),
            (schema("users"), 1),
            "what the file's table is called is its own"
        );
    }
    let mut bytes = Vec::new();
    account.fork()?.save_snapshot_to(&mut bytes)?;
    let again = Account::create_in_memory();
    again.load_snapshot_from(&bytes[..])?;
    assert_eq!(again.table_names(), ["people", "users"]);
    Ok(())
}

/// Otherwise no fork, snapshot or clear of the account would ever succeed again.
#[test]
fn a_table_that_a_panic_has_poisoned_can_be_dropped() -> Result<()> {
    let account = Account::create_in_memory();
    account.create_table(schema("sound"))?.put_item(item("x", 1))?;
    let poisoned = account.create_table(TableSchema::new().name("poisoned"))?;
    let panics = std::panic::AssertUnwindSafe(|| {
        let key = kstone_api::KeyRef::new(b"a", b"").expect("a key");
        poisoned.commit_with::<()>(&[key], |_| panic!("under the lock"))
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(poisoned.get(b"a"), Err(Error::Poisoned));
    assert_eq!(account.fork().map(drop), Err(Error::Poisoned));
    account.drop_table("poisoned")?;
    assert_eq!(account.fork()?.table("sound")?.count()?, 1);
    Ok(())
}
