//! Threads that write, read and change several tables of one account at once.
//!
//! Each run prints its seed; `KSTONE_SEED=n` repeats it, `KSTONE_TORTURE_ROUNDS=n` makes each thread's work longer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use kstone_api::{
    Account, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeyType, KeystoneValue as Value, LocalSecondaryIndex,
    Operation, Query, Record, Result, Scan, StreamSpecification, StreamViewType, TableSchema, Write,
};

const THREADS: usize = 8;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

fn rounds(default: u64) -> u64 {
    from_environment("KSTONE_TORTURE_ROUNDS").unwrap_or(default)
}

/// A seed for each thread of a test.
fn seeds() -> impl Iterator<Item = u64> {
    let seed = from_environment("KSTONE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("KSTONE_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    std::iter::repeat_with(move || random.u64(..))
}

/// Fails instead of hanging: threads that wait for each other never say that they are done.
fn watched(run: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    let (done, is_done) = mpsc::channel();
    let running = thread::spawn(move || {
        let outcome = run();
        // Nobody hears it where the test has failed already.
        let _heard = done.send(());
        outcome
    });
    if is_done.recv_timeout(Duration::from_secs(600)) == Err(RecvTimeoutError::Timeout) {
        eprintln!("threads wait for each other");
        std::process::exit(101);
    }
    running.join().expect("no panic")
}

fn number(item: &Item, name: &str) -> i64 {
    item[name].as_number().expect("a number").parse().expect("an integer")
}

/// A way to write a small whole number.
fn spelled(n: u64, random: &mut Rng) -> String {
    match random.u8(..5) {
        0 => format!("{n}.0"),
        1 => format!("0{n}"),
        2 => format!("{n}e0"),
        3 => format!("{n}0e-1"),
        _ => n.to_string(),
    }
}

/// Accounts in tables of several schemas: one is plain, the others are watched for one reason or several.
struct Bank;

impl Bank {
    const TABLES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
    const ACCOUNTS: u64 = 6;
    const CENTS: i64 = 100;

    fn open() -> Result<Account> {
        let schema = |name: &str| TableSchema::new().name(name).partition_key("owner", KeyType::N);
        let account = Account::create_in_memory();
        account.create_table(schema("alpha"))?;
        account.create_table(schema("beta").add_global_index(GlobalSecondaryIndex::new("by-cents", "cents")))?;
        account.create_table(schema("gamma").with_stream(StreamSpecification::new(StreamViewType::NewAndOldImages)))?;
        account.create_table(schema("delta").with_ttl("ends"))?;
        for table in Self::TABLES {
            for owner in 0..Self::ACCOUNTS {
                let item = ItemBuilder::new().number("owner", owner as i64).number("cents", Self::CENTS).build();
                account.table(table)?.put_item(item)?;
            }
        }
        Ok(account)
    }

    /// Moves cents between accounts in random tables; whether it could.
    fn transfer(account: &Account, random: &mut Rng) -> Result<bool> {
        let mut places: Vec<(&str, u64)> =
            (0..random.usize(2..6)).map(|_| (Self::TABLES[random.usize(..4)], random.u64(..Self::ACCOUNTS))).collect();
        places.sort_unstable();
        places.dedup();
        random.shuffle(&mut places);
        let Some((from, to)) = places.split_first() else { return Ok(false) };
        let cents = random.i64(1..40);
        let write = |owner: u64, cents: i64, random: &mut Rng| {
            let owner = spelled(owner, random);
            Write::update(owner.as_bytes(), "SET cents = cents + :c").value(":c", Value::number(cents))
        };
        let of_all = cents * to.len() as i64;
        let take = write(from.1, -of_all, random).condition("cents >= :n").value(":n", Value::number(of_all));
        let mut writes = vec![(from.0, take)];
        writes.extend(to.iter().map(|(table, owner)| (*table, write(*owner, cents, random))));
        random.shuffle(&mut writes);
        let done = match random.bool() {
            true => account.transact_write(&writes),
            false => {
                let operations: Vec<_> =
                    writes.into_iter().map(|(table, write)| (table, Operation::from(write))).collect();
                let error_of = |failed: kstone_api::TransactError| match failed.reasons.is_empty() {
                    true => failed.error,
                    false => Error::TransactionCanceled { reasons: failed.reasons },
                };
                account.transact(&operations).map(drop).map_err(error_of)
            }
        };
        match done {
            Ok(()) => Ok(true),
            Err(Error::TransactionCanceled { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn sum(account: &Account, random: &mut Rng) -> Result<i64> {
        let owners = Self::TABLES.iter().flat_map(|table| (0..Self::ACCOUNTS).map(move |owner| (*table, owner)));
        let mut keys: Vec<(&str, Key)> =
            owners.map(|(table, owner)| (table, Key::new(spelled(owner, random)))).collect();
        random.shuffle(&mut keys);
        let found = if random.bool() { account.transact_get(&keys)? } else { account.batch_get(&keys)? };
        Ok(found.iter().map(|record| number(&record.as_ref().expect("there").item().to_item(), "cents")).sum())
    }

    fn expected() -> i64 {
        Self::TABLES.len() as i64 * Self::ACCOUNTS as i64 * Self::CENTS
    }
}

/// Whatever is moved between tables, no reader of all of them and no fork ever sees another sum.
#[test]
fn what_is_moved_between_tables_is_never_missing_and_never_there_twice() -> Result<()> {
    watched(|| {
        let account = Bank::open()?;
        let writers_left = AtomicUsize::new(THREADS - 2);
        let moved = AtomicUsize::new(0);
        thread::scope(|scope| {
            let mut seeds = seeds();
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (account, writers_left, moved) = (&account, &writers_left, &moved);
                    let mut random = Rng::with_seed(seeds.next().expect("endless"));
                    scope.spawn(move || -> Result<()> {
                        if thread < THREADS - 2 {
                            let outcome = (0..rounds(3000)).try_for_each(|_| {
                                let done = Bank::transfer(account, &mut random)?;
                                moved.fetch_add(usize::from(done), Ordering::Relaxed);
                                Ok(())
                            });
                            writers_left.fetch_sub(1, Ordering::Relaxed);
                            return outcome;
                        }
                        while writers_left.load(Ordering::Relaxed) > 0 {
                            assert_eq!(Bank::sum(account, &mut random)?, Bank::expected());
                            if random.u8(..50) == 0 {
                                assert_eq!(Bank::sum(&account.fork()?, &mut random)?, Bank::expected(), "a fork");
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })?;
        assert!(moved.load(Ordering::Relaxed) > 0);
        assert_eq!(Bank::sum(&account, &mut Rng::new())?, Bank::expected());
        let beta = account.table("beta")?;
        let cents: BTreeSet<i64> = beta.scan(Scan::new())?.items.iter().map(|item| number(item, "cents")).collect();
        let of_index = cents.into_iter().map(|cents| -> Result<usize> {
            let query = Query::new().index("by-cents").key_condition_expression("cents = :c");
            Ok(beta.query(query.expression_value(":c", Value::number(cents)))?.count)
        });
        let of_index = of_index.sum::<Result<usize>>()?;
        assert_eq!(of_index, Bank::ACCOUNTS as usize, "each item has one entry, under its number");
        Ok(())
    })
}

const COLOURS: [&str; 3] = ["red", "green", "blue"];

/// Transactions give items of two tables the same colour and number at once: the indexes of both agree with the items.
#[test]
fn the_indexes_of_two_tables_agree_with_the_items_of_both() -> Result<()> {
    watched(|| {
        let account = Account::create_in_memory();
        for name in ["left", "right"] {
            account.create_table(
                TableSchema::new()
                    .name(name)
                    .add_global_index(GlobalSecondaryIndex::new("by-colour", "colour").sort_key("n"))
                    .add_local_index(LocalSecondaryIndex::new("by-n", "n")),
            )?;
        }
        // A batch holds no updates.
        let writes = |kinds: u8, random: &mut Rng| -> Vec<(&'static str, Write)> {
            let pk = format!("p{}", random.u8(..6));
            let item = ItemBuilder::new().string("colour", COLOURS[random.usize(..3)]).number("n", random.i64(..50));
            let kind = random.u8(..kinds);
            let write = |table| {
                let write = match kind {
                    0 => Write::delete(pk.as_bytes()),
                    1..4 => Write::put(pk.as_bytes(), item.clone().build()),
                    _ => Write::update(pk.as_bytes(), "REMOVE n"),
                };
                (table, write.sort_key(b"s"))
            };
            if random.bool() { vec![write("left"), write("right")] } else { vec![write("right"), write("left")] }
        };
        thread::scope(|scope| {
            let mut seeds = seeds();
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let account = &account;
                    let mut random = Rng::with_seed(seeds.next().expect("endless"));
                    scope.spawn(move || -> Result<()> {
                        for _ in 0..rounds(3000) {
                            match thread {
                                0 => {
                                    let keys = ["left", "right"].map(|table| (table, Key::with_sk("p1", "s")));
                                    let found = account.transact_get(&keys)?;
                                    let items: Vec<Option<Item>> =
                                        found.iter().map(|it| it.as_ref().map(|it| it.item().to_item())).collect();
                                    assert_eq!(items[0], items[1], "both are written at one moment");
                                }
                                1 => account.batch_write(&writes(4, &mut random))?,
                                _ => account.transact_write(&writes(5, &mut random))?,
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })?;
        let all = ["left", "right"].map(|name| {
            let table = account.table(name).expect("there");
            let page = |found: Vec<Record>| -> Vec<(String, Item)> {
                let shown = |it: &Record| (String::from_utf8_lossy(it.pk()).into_owned(), it.item().to_item());
                found.iter().map(shown).collect()
            };
            let items = page(table.scan_page(&Scan::new()).expect("read").records);
            for colour in COLOURS {
                let query = Query::new().index("by-colour").partition_key(colour.as_bytes());
                let mut of_index = page(table.query_page(&query).expect("read").records);
                assert!(of_index.is_sorted_by_key(|(_, item)| number(item, "n")));
                of_index.sort_by(|one, other| one.0.cmp(&other.0));
                let is_of = |item: &Item| item.contains_key("n") && item["colour"] == Value::string(colour);
                let mut expected: Vec<_> = items.iter().filter(|(_, item)| is_of(item)).cloned().collect();
                expected.sort_by(|one, other| one.0.cmp(&other.0));
                assert_eq!(of_index, expected, "{name}, {colour}");
            }
            for pk in (0..6).map(|pk| format!("p{pk}")) {
                let query = Query::new().index("by-n").partition_key(pk.as_bytes());
                let expected = items.iter().filter(|(of, item)| *of == pk && item.contains_key("n")).count();
                assert_eq!(table.query(query).expect("read").count, expected, "{name}, {pk}");
            }
            items
        });
        assert_eq!(all[0], all[1]);
        Ok(())
    })
}

/// One step of a thread that does anything with any tables.
fn anything(account: &Account, random: &mut Rng) -> Result<()> {
    const NAMES: [&str; 5] = ["ant", "bee", "cow", "dog", "eel"];
    let name = |random: &mut Rng| NAMES[random.usize(..5)];
    let schema = |random: &mut Rng| {
        let schema = TableSchema::new().name(name(random)).partition_key("id", KeyType::N);
        let schema = match random.bool() {
            true => schema.add_global_index(GlobalSecondaryIndex::new("by-colour", "colour")),
            false => schema,
        };
        let schema = if random.bool() { schema.with_ttl("ends") } else { schema };
        let stream = StreamSpecification::new(StreamViewType::NewImage);
        if random.bool() { schema.with_stream(stream) } else { schema }
    };
    let item = |random: &mut Rng| {
        ItemBuilder::new().string("colour", COLOURS[random.usize(..3)]).number("ends", random.i64(0..3) * 2_000_000_000)
    };
    let id = |random: &mut Rng| spelled(random.u64(..20), random);
    let list = |most: usize, random: &mut Rng| -> Vec<(&str, String)> {
        let mut wanted: Vec<(&str, u64)> =
            (0..random.usize(1..most)).map(|_| (name(random), random.u64(..20))).collect();
        wanted.sort_unstable();
        wanted.dedup();
        random.shuffle(&mut wanted);
        wanted.into_iter().map(|(table, id)| (table, spelled(id, random))).collect()
    };
    let write = |id: &str, random: &mut Rng| match random.u8(..4) {
        0 => Write::delete(id.as_bytes()),
        1 => Write::put(id.as_bytes(), item(random).build()).condition("attribute_not_exists(id)"),
        2 => Write::update(id.as_bytes(), "SET colour = :c").value(":c", Value::string(COLOURS[random.usize(..3)])),
        _ => Write::put(id.as_bytes(), item(random).build()),
    };
    match random.u8(..100) {
        0..10 => account.create_table(schema(random)).map(drop),
        10..14 => account.drop_table(name(random)),
        14..20 => {
            let schema = schema(random);
            account.table(schema.table_name().unwrap_or_default())?.configure(schema)
        }
        20..24 => account.fork().and_then(|fork| {
            let tables = fork.table_names();
            tables.iter().try_for_each(|table| fork.table(table)?.count().map(drop))
        }),
        24 => account.clear(),
        25..40 => {
            let keys: Vec<_> = list(20, random).into_iter().map(|(table, id)| (table, Key::new(id))).collect();
            account.transact_get(&keys).map(drop)
        }
        40..50 => {
            let id = id(random);
            account.table(name(random))?.write(write(&id, random)).map(drop)
        }
        50..60 => {
            let puts = list(100, random);
            let puts: Vec<_> =
                puts.iter().map(|(table, id)| (*table, Write::put(id.as_bytes(), item(random).build()))).collect();
            account.batch_write(&puts)
        }
        60..64 => account.table(name(random))?.scan(Scan::new()).map(drop),
        _ => {
            let writes = list(12, random);
            let writes: Vec<_> = writes.iter().map(|(table, id)| (*table, write(id, random))).collect();
            account.transact_write(&writes)
        }
    }
}

/// Threads that take the locks of random sets of tables, while others create, drop, change, clear and fork them, wait for
/// each other no longer than the others work.
#[test]
fn threads_with_random_sets_of_tables_all_get_on() -> Result<()> {
    watched(|| {
        let account = Account::create_in_memory();
        let done = AtomicUsize::new(0);
        thread::scope(|scope| {
            let mut seeds = seeds();
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let (account, done) = (&account, &done);
                    let mut random = Rng::with_seed(seeds.next().expect("endless"));
                    scope.spawn(move || -> Result<()> {
                        for _ in 0..rounds(2000) {
                            match anything(account, &mut random) {
                                Ok(()) => _ = done.fetch_add(1, Ordering::Relaxed),
                                Err(
                                    Error::TableNotFound { .. }
                                    | Error::TableExists { .. }
                                    | Error::ConditionFailed { .. }
                                    | Error::TransactionCanceled { .. },
                                ) => {}
                                // Of a call of one table by its handle.
                                Err(Error::Invalid(text)) if text.to_string().contains("the table was deleted") => {}
                                Err(error) => return Err(error),
                            }
                        }
                        Ok(())
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })?;
        assert!(done.load(Ordering::Relaxed) as u64 > rounds(2000), "a good part of it was done");
        for name in account.table_names() {
            let table = account.table(&name)?;
            table.put_item(ItemBuilder::new().number("id", 1).build())?;
            assert_eq!(account.transact_get(&[(&table, Key::new("1.0"))])?.iter().flatten().count(), 1);
            let items = table.scan(Scan::new())?.items;
            for colour in COLOURS.into_iter().filter(|_| !table.schema().global_indexes().is_empty()) {
                let of_index = table.query(Query::new().index("by-colour").partition_key(colour.as_bytes()))?.count;
                let expected = items.iter().filter(|item| item.get("colour") == Some(&Value::string(colour)));
                assert_eq!(of_index, expected.count(), "{name}, {colour}");
            }
        }
        Ok(())
    })
}

/// What a transaction says of a table that is dropped meanwhile is so in the other one, too: done or not.
#[test]
fn a_transaction_with_a_table_that_is_dropped_meanwhile_is_done_or_not_as_it_says() -> Result<()> {
    watched(|| {
        let account = Account::create_in_memory();
        let steady = account.create_table(TableSchema::new().name("steady").partition_key("id", KeyType::N))?;
        let (writers_left, done) = (AtomicUsize::new(THREADS - 1), AtomicUsize::new(0));
        let dropped = thread::scope(|scope| -> Result<u64> {
            let writers: Vec<_> = (0..THREADS - 1)
                .map(|thread| {
                    let (account, writers_left, done) = (&account, &writers_left, &done);
                    scope.spawn(move || -> Result<()> {
                        let outcome = (0..rounds(2000)).try_for_each(|round| {
                            let id = format!("{thread}{round}");
                            let add = Write::update(b"1", "ADD n :one").value(":one", Value::number(1));
                            // Time has passed for it at once, so that each write has something to clean.
                            let ends = ItemBuilder::new().number("ends", 1_700_000_000).build();
                            let writes = [("steady", add), ("fleeting", Write::put(id.as_bytes(), ends))];
                            match account.transact_write(&writes) {
                                Ok(()) => _ = done.fetch_add(1, Ordering::Relaxed),
                                Err(Error::TableNotFound { name, .. }) => assert_eq!(name, "fleeting"),
                                Err(error) => return Err(error),
                            }
                            Ok(())
                        });
                        writers_left.fetch_sub(1, Ordering::Relaxed);
                        outcome
                    })
                })
                .collect();
            let mut dropped = 0;
            while writers_left.load(Ordering::Relaxed) > 0 {
                let schema = TableSchema::new().name("fleeting").partition_key("id", KeyType::N).with_ttl("ends");
                account.create_table(schema)?;
                thread::yield_now();
                account.drop_table("fleeting")?;
                dropped += 1;
            }
            writers.into_iter().try_for_each(|thread| thread.join().expect("no panic")).map(|()| dropped)
        })?;
        assert!(dropped > 1);
        let counted = steady.get(b"1")?.map_or(0, |item| number(&item, "n"));
        assert_eq!(counted, done.load(Ordering::Relaxed) as i64);
        Ok(())
    })
}
