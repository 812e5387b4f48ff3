//! Views of an account: all tables at one moment, and what is read of them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kstone_api::clock::ClockSource;
use kstone_api::{
    Account, AccountView, DatabaseOptions, Error, GlobalSecondaryIndex, Interrupt, Item, ItemBuilder, KeyType,
    KeystoneValue as Value, LocalSecondaryIndex, Query, Result, Scan, Select, TableSchema, TableView, Write,
};

fn of_key(name: &str) -> TableSchema {
    TableSchema::new().name(name).partition_key("id", KeyType::N)
}

fn numbered(id: i64, n: i64) -> Item {
    ItemBuilder::new().number("id", id).number("n", n).build()
}

/// The number of an item in a view; what it is in no table without the item.
fn number(table: &TableView, id: &str) -> Option<i64> {
    let item = table.get(id.as_bytes()).expect("read")?;
    item["n"].as_number().map(|text| text.parse().expect("a whole number"))
}

#[test]
fn a_transaction_shows_in_all_of_its_tables_or_in_none() -> Result<()> {
    const TABLES: [&str; 3] = ["beta", "alpha", "gamma"];
    let account = Account::create_in_memory();
    for name in TABLES {
        let schema = match name {
            "beta" => of_key(name).add_global_index(GlobalSecondaryIndex::new("by-n", "n")),
            _ => of_key(name),
        };
        account.create_table(schema)?.put_item(numbered(1, 0))?;
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        let add =
                            |name| (name, Write::update(b"1", "SET n = n + :one").value(":one", Value::number(1)));
                        match account.transact_write(&TABLES.map(add)) {
                            Ok(()) | Err(Error::TransactionCanceled { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        let mut last = 0;
        for _ in 0..300 {
            let view = account.view().expect("viewed");
            let seen = TABLES.map(|name| number(view.table(name).expect("there"), "1").expect("there"));
            assert!(seen.iter().all(|n| *n == seen[0]), "a transaction is seen in part: {seen:?}");
            let by_number = Query::new()
                .index("by-n")
                .key_condition_expression("n = :n")
                .expression_value(":n", Value::number(seen[0]));
            assert_eq!(view.table("beta").expect("there").query(by_number.build()).expect("read").count, 1);
            assert!(seen[0] >= last, "a later view shows no less");
            last = seen[0];
        }
        done.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().expect("no panic"));
    });
    Ok(())
}

/// An account of a table with indexes and one without, and all that a reader may ask of both.
fn filled() -> Result<Account> {
    let account = Account::create_in_memory();
    let orders = TableSchema::new()
        .name("orders")
        .partition_key("customer", KeyType::S)
        .sort_key("number", KeyType::N)
        .add_local_index(LocalSecondaryIndex::new("by-cents", "cents"))
        .add_global_index(GlobalSecondaryIndex::new("by-state", "state"));
    let orders = account.create_table(orders)?;
    for number in 0..40 {
        let item = ItemBuilder::new()
            .string("customer", if number % 2 == 0 { "ann" } else { "bob" })
            .number("number", number)
            .number("cents", 1000 - number)
            .string("state", if number % 3 == 0 { "open" } else { "sent" });
        orders.put_item(item.build())?;
    }
    let plain = account.create_table(TableSchema::new().name("plain"))?;
    for n in 0..700_u32 {
        plain.put(format!("key{n}").as_bytes(), ItemBuilder::new().number("n", n).build())?;
    }
    Ok(account)
}

/// All that readers are shown, page by page.
fn read_all(mut query: impl FnMut(&str, Query) -> kstone_api::QueryResult) -> Vec<Vec<Item>> {
    let queries = [
        Query::new().partition_key(b"ann").limit(7),
        Query::new()
            .partition_key(b"bob")
            .reverse(true)
            .limit(6)
            .filter_expression("cents > :t")
            .expression_value(":t", Value::number(975)),
        Query::new().index("by-cents").partition_key(b"ann").limit(9),
        Query::new().index("by-state").partition_key(b"open").limit(5).projection_expression("customer, cents"),
        Query::new().index("by-state").partition_key(b"sent").select(Select::KeysOnly),
    ];
    let mut seen = Vec::new();
    for query_of in queries {
        let mut of_query = Vec::new();
        let mut token: Option<Vec<u8>> = None;
        loop {
            let asked = match token {
                None => query_of.clone().build(),
                Some(token) => query_of.clone().token(&token).build(),
            };
            let page = query("orders", asked);
            of_query.extend(page.items);
            token = page.token;
            if token.is_none() {
                break;
            }
        }
        seen.push(of_query);
    }
    seen
}

#[test]
fn a_view_answers_as_its_tables_answered_at_its_moment() -> Result<()> {
    let account = filled()?;
    let of_tables =
        |account: &Account| read_all(|table, query| account.table(table).expect("there").query(query).expect("read"));
    let of_view =
        |view: &AccountView| read_all(|table, query| view.table(table).expect("there").query(query).expect("read"));
    let scanned = |page: kstone_api::QueryResult| (page.items, page.count, page.scanned_count);
    let scan = || Scan::new().filter_expression("n < :n").expression_value(":n", Value::number(300));

    let view = account.view()?;
    let then = of_tables(&account);
    assert!(then.iter().all(|items| !items.is_empty()));
    let scanned_then = scanned(account.table("plain")?.scan(scan())?);
    let mut exported_then = Vec::new();
    account.table("orders")?.export_json(&mut exported_then)?;
    // Everything changes: items, schemas and tables.
    account
        .table("orders")?
        .write(Write::update(b"ann", "SET cents = :t").sort_key(b"2").value(":t", Value::number(1)))?;
    account.table("orders")?.delete_with_sk(b"bob", b"7")?;
    account.table("plain")?.clear()?;
    assert_ne!(of_tables(&account), then);
    let orders = account.table("orders")?;
    let without_index = orders.schema().without_indexes();
    orders.configure(without_index)?;
    account.drop_table("plain")?;
    account.create_table(of_key("later"))?;

    assert_eq!(of_view(&view), then);
    let (plain, orders) = (view.table("plain")?, view.table("orders")?);
    assert_eq!(scanned(plain.scan(scan())?), scanned_then);
    assert_eq!((plain.count(), orders.count()), (700, 40));
    assert_eq!(plain.scan(Scan::new().select(Select::Count))?.count, 700);
    assert_eq!(plain.get(b"key7")?, Some(ItemBuilder::new().number("n", 7).build()));
    assert_eq!(plain.get(b"key700")?, None);
    let two = orders.get_with_sk(b"ann", b"2")?.expect("there");
    assert_eq!(two["cents"].as_number().map(String::as_str), Some("998"));
    let mut exported = Vec::new();
    assert_eq!(orders.export_json(&mut exported)?, 40);
    assert!(exported == exported_then);
    assert_eq!(view.table_names().collect::<Vec<_>>(), ["orders", "plain"]);
    assert_eq!(orders.schema().table_name(), Some("orders"));
    assert!(matches!(view.table("later"), Err(Error::TableNotFound { .. })));
    let kept = view.clone();
    drop((view, account));
    assert_eq!(of_view(&kept), then, "a view outlives its account");
    Ok(())
}

#[test]
fn what_is_refused_by_a_table_is_refused_by_its_view() -> Result<()> {
    let account = filled()?;
    let view = account.view()?;
    let (table, seen) = (account.table("orders")?, view.table("orders")?);
    let queries = [
        Query::new().partition_key(b"ann").limit(0),
        Query::new().partition_key(b""),
        Query::new().partition_key(b"ann").token(b"no token"),
        Query::new().index("nothing").partition_key(b"ann"),
        Query::new()
            .partition_key(b"ann")
            .filter_expression("customer = :c")
            .expression_value(":c", Value::string("ann")),
    ];
    for query in queries {
        let query = query.build();
        assert_eq!(seen.query(query.clone()), table.query(query.clone()));
        assert!(seen.query(query).is_err());
    }
    assert_eq!(seen.get(b"ann").map(drop), table.get(b"ann").map(drop));
    assert_eq!(seen.scan(Scan::new().limit(0)).map(drop), table.scan(Scan::new().limit(0)).map(drop));
    let interrupt = Interrupt::new();
    let interrupted = account.interrupted_by(&interrupt).view()?;
    interrupt.raise();
    assert_eq!(interrupted.table("orders")?.scan(Scan::new()).map(drop), Err(Error::Interrupted));
    assert_eq!(interrupted.table("orders")?.export_json(std::io::sink()), Err(Error::Interrupted));
    Ok(())
}

#[test]
fn what_expires_after_the_moment_of_a_view_stays_in_it() -> Result<()> {
    let account = Account::create_in_memory_with(DatabaseOptions::default(), ClockSource::default());
    account.set_time(1000);
    let table = account.create_table(of_key("sessions").with_ttl("ends"))?;
    for (id, ends) in [(1, 900), (2, 1100), (3, 5000)] {
        table.put_item(ItemBuilder::new().number("id", id).number("ends", ends).number("n", id).build())?;
    }
    let view = account.view()?;
    account.set_time(2000);
    table.purge_expired()?;
    let seen = view.table("sessions")?;
    let shown = ["1", "2", "3"].map(|id| number(seen, id));
    assert_eq!(shown, [None, Some(2), Some(3)]);
    assert_eq!(seen.scan(Scan::new())?.count, 2);
    assert_eq!(account.view()?.table("sessions")?.scan(Scan::new())?.count, 1);
    Ok(())
}

/// What would wait for the load itself, for ever.
#[test]
fn a_callback_of_a_load_is_refused_what_would_wait_for_the_load() -> Result<()> {
    let mut bytes = Vec::new();
    filled()?.save_snapshot_to(&mut bytes)?;
    let directory = tempfile::tempdir().expect("a folder");
    let path = directory.path().join("account.kstone");
    std::fs::write(&path, bytes).expect("written");
    let account = Account::create_in_memory();
    let there = account.create_table(of_key("there"))?;
    let mut refused = Vec::new();
    account.load_snapshot_with(&path, |_| {
        there.put_item(numbered(1, 1))?;
        refused.extend([
            account.view().map(drop),
            account.fork().map(drop),
            account.clear(),
            account.create_table(of_key("another")).map(drop),
            account.drop_table("there"),
            account.save_snapshot_to(std::io::sink()).map(drop),
        ]);
        Ok(())
    })?;
    assert!(refused.len() >= 6);
    for refusal in refused {
        let text = refusal.expect_err("refused").to_string();
        assert!(text.starts_with("this account is being loaded by the caller of this function"), "{text}");
    }
    assert_eq!(account.view()?.table_names().collect::<Vec<_>>(), ["orders", "plain", "there"]);
    assert_eq!(number(account.view()?.table("there")?, "1"), Some(1));
    Ok(())
}
