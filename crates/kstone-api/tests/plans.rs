//! What an index may do for a request: help only while it is complete, show only what it holds, and cost only itself.

use std::collections::BTreeSet;

use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, KeystoneValue, LocalSecondaryIndex, Projection, Query,
    Record, Result, Scan, Select, Statement, TableSchema,
};

/// An attribute that an index may have as its key, or may refuse, or may do without.
fn awkward(rng: &mut fastrand::Rng, max_bytes: usize) -> Option<KeystoneValue> {
    Some(match rng.u8(0..14) {
        0 | 1 => return None,
        2 => KeystoneValue::string(""),
        3 => KeystoneValue::binary(*b""),
        4 => KeystoneValue::string("a".repeat(max_bytes + 1)),
        5 => KeystoneValue::bool(true),
        6 => KeystoneValue::null(),
        7 => KeystoneValue::list([KeystoneValue::string("a")]),
        8 => KeystoneValue::binary(*rng.choice(&[b"a", b"b", b"\xFF"]).expect("some")),
        9 | 10 => KeystoneValue::number(rng.i32(-2..4)),
        _ => KeystoneValue::string(*rng.choice(&["a", "b", "ab", "é"]).expect("some")),
    })
}

/// A table without indexes.
fn items(
    rng: &mut fastrand::Rng,
    value: impl Fn(&mut fastrand::Rng, usize) -> Option<KeystoneValue>,
) -> Result<Database> {
    let db = Database::create_in_memory()?;
    for pk in ["a", "b", "ab"] {
        for sk in ["", "a", "b", "c", "\u{e9}", "z"] {
            let mut item = Item::new();
            item.extend(value(rng, 2048).map(|value| ("g".to_owned(), value)));
            item.extend(value(rng, 1024).map(|value| ("n".to_owned(), value)));
            item.insert("x".to_owned(), KeystoneValue::number(rng.i32(0..5)));
            db.put_with_sk(pk.as_bytes(), sk.as_bytes(), item)?;
        }
    }
    Ok(db)
}

fn indexes() -> TableSchema {
    TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-g", "g"))
        .add_global_index(GlobalSecondaryIndex::new("by-g-n", "g").sort_key("n"))
        .add_global_index(GlobalSecondaryIndex::new("by-n-sk", "n").sort_key("sk").projection(Projection::KeysOnly))
        .add_local_index(LocalSecondaryIndex::new("local-n", "n"))
        .add_local_index(LocalSecondaryIndex::new("local-g", "g").projection(Projection::KeysOnly))
}

fn test(rng: &mut fastrand::Rng) -> String {
    let attribute = *rng.choice(&["g", "g", "n", "n", "pk", "sk"]).expect("some");
    let value = |rng: &mut fastrand::Rng| match rng.u8(0..6) {
        0 if !["pk", "sk"].contains(&attribute) => rng.i32(-2..4).to_string(),
        1 => "''".to_owned(),
        _ => format!("'{}'", rng.choice(&["a", "b", "ab", "z", "é"]).expect("some")),
    };
    let (one, two) = (value(rng), value(rng));
    match rng.u8(0..10) {
        0..=3 => format!("{attribute} = {one}"),
        4 => format!("{attribute} IN [{one}, {two}]"),
        5 => format!("{attribute} BETWEEN {one} AND {two}"),
        6 => format!("begins_with({attribute}, {one})"),
        7 => format!("{attribute} < {one}"),
        8 => format!("{attribute} >= {one}"),
        _ => format!("{attribute} IS {}MISSING", rng.choice(&["", "NOT "]).expect("some")),
    }
}

fn statement(rng: &mut fastrand::Rng) -> String {
    let list = *rng.choice(&["*", "pk, sk, n, g", "pk, sk", "COUNT(*) AS c", "g, COUNT(*) AS c"]).expect("some");
    let clause = (0..rng.usize(1..4)).map(|_| test(rng)).collect::<Vec<_>>().join(" AND ");
    let group = if list.starts_with("g,") { " GROUP BY g" } else { "" };
    let order = match list.contains("COUNT") {
        true => "",
        false => *rng
            .choice(&["", " ORDER BY n, pk, sk", " ORDER BY g DESC, pk, sk", " ORDER BY n DESC, pk, sk"])
            .expect("some"),
    };
    format!("SELECT {list} FROM items WHERE {clause}{group}{order}")
}

/// A row with its attributes in order.
fn shown(row: &Record) -> String {
    row.item().iter().map(|(name, value)| format!("{name}={:?} ", value.to_value())).collect()
}

fn rows(db: &Database, text: &str) -> Result<Vec<String>> {
    let found = db.execute_statement(&Statement::new(text))?;
    let mut rows: Vec<String> = found.records.iter().map(shown).collect();
    if !text.contains("ORDER BY") {
        rows.sort();
    }
    Ok(rows)
}

fn plan(db: &Database, text: &str) -> String {
    let plan = db.execute_statement(&Statement::new(format!("EXPLAIN {text}"))).expect("explained").items();
    let text = |name: &str| plan[0].get(name).and_then(|value| value.as_string()).unwrap_or_default().to_owned();
    format!("{} {}", text("plan"), text("index"))
}

fn loaded(db: &Database) -> Result<Database> {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("snapshot");
    db.save_snapshot(&path)?;
    Database::open_snapshot(&path)
}

fn seed() -> u64 {
    let seed = std::env::var("KSTONE_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("KSTONE_SEED={seed}");
    seed
}

#[test]
fn no_index_decides_which_rows_there_are() -> Result<()> {
    let seed = seed();
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..12 {
        let plain = items(&mut rng, awkward)?;
        let indexed = plain.fork()?;
        indexed.configure(indexes())?;
        let others = [("indexed", indexed.clone()), ("forked", indexed.fork()?), ("loaded", loaded(&indexed)?)];
        for _ in 0..150 {
            let text = statement(&mut rng);
            let expected = rows(&plain, &text);
            for (name, db) in &others {
                let found = rows(db, &text);
                match (&expected, &found) {
                    (Ok(expected), Ok(found)) => {
                        assert_eq!(found, expected, "KSTONE_SEED={seed} {name}, {}: {text}", plan(db, &text));
                    }
                    (expected, found) => assert!(expected.is_err() && found.is_err(), "KSTONE_SEED={seed} {text}"),
                }
            }
        }
    }
    Ok(())
}

#[test]
fn complete_indexes_help_unasked_and_change_nothing() -> Result<()> {
    let seed = seed();
    let mut rng = fastrand::Rng::with_seed(seed);
    let fitting = |rng: &mut fastrand::Rng, max_bytes| {
        let value = awkward(rng, max_bytes);
        value.filter(|value| match value {
            KeystoneValue::S(text) => (1..=max_bytes).contains(&text.len()),
            KeystoneValue::B(bytes) => !bytes.is_empty(),
            KeystoneValue::N(_) => true,
            _ => false,
        })
    };
    let plain = items(&mut rng, fitting)?;
    let indexed = plain.fork()?;
    indexed.configure(indexes())?;
    let mut plans = BTreeSet::new();
    for db in [&indexed, &indexed.fork()?, &loaded(&indexed)?] {
        plans.clear();
        for _ in 0..600 {
            let text = statement(&mut rng);
            let (Ok(expected), Ok(found)) = (rows(&plain, &text), rows(db, &text)) else { continue };
            let plan = plan(db, &text);
            assert_eq!(found, expected, "KSTONE_SEED={seed} {plan}: {text}");
            plans.insert(plan);
        }
        let used = |index: &str| plans.iter().any(|plan| plan.ends_with(index));
        assert!(used("by-g") && used("by-g-n") && used("local-n"), "KSTONE_SEED={seed} {plans:?}");
    }
    Ok(())
}

#[test]
fn an_index_that_left_items_out_helps_only_where_it_is_named() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"fine", ItemBuilder::new().string("g", "a").string("n", "m").build())?;
    db.put(b"empty", ItemBuilder::new().string("g", "a").string("n", "").build())?;
    db.configure(TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-g-n", "g").sort_key("n")))?;
    let text = "SELECT * FROM items WHERE g = 'a' AND n < 'z'";
    assert_eq!((rows(&db, text)?.len(), plan(&db, text).as_str()), (2, "scan "));
    assert_eq!(rows(&db, "SELECT * FROM items.\"by-g-n\" WHERE g = 'a' AND n < 'z'")?.len(), 1);
    // Another index that is added leaves it incomplete; one in its place is filled anew.
    let both = db.schema().add_global_index(GlobalSecondaryIndex::new("by-g", "g"));
    db.configure(both)?;
    assert_eq!(plan(&db, text), "index query by-g");
    db.delete(b"empty")?;
    db.configure(TableSchema::new())?;
    db.configure(TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-g-n", "g").sort_key("n")))?;
    assert_eq!((rows(&db, text)?.len(), plan(&db, text).as_str()), (1, "index query by-g-n"));
    Ok(())
}

/// What EXPLAIN says of the order of rows.
fn order(db: &Database, text: &str) -> String {
    let plan = db.execute_statement(&Statement::new(format!("EXPLAIN {text}"))).expect("explained").items();
    plan[0]["order"].as_string().expect("a text").to_owned()
}

/// An index gives the order where the clause says that every row is in it, and while it is complete: then nothing is
/// sorted, and rows come page by page.
#[test]
fn a_complete_index_that_gives_the_order_is_taken_and_nothing_is_sorted() -> Result<()> {
    const AS_READ: &str = "as read, which is the order asked for";
    let by = |name: &str, sort: &str| GlobalSecondaryIndex::new(name, "g").sort_key(sort);
    let schema = TableSchema::new()
        .add_global_index(by("by-a", "a"))
        .add_global_index(by("by-b", "b"))
        .add_local_index(LocalSecondaryIndex::new("local-b", "b"));
    let db = Database::create_in_memory()?;
    for i in 0..60_i64 {
        let item = ItemBuilder::new().string("g", "x").number("a", i * 7 % 60);
        let item = if i % 3 == 0 { item } else { item.number("b", i * 11 % 60) };
        db.put_with_sk(b"p", format!("{i:02}").as_bytes(), item.build())?;
    }
    let indexed = db.fork()?;
    indexed.configure(schema.clone())?;
    let ordered = [
        ("g = 'x' AND a > 3 AND b > 5 ORDER BY b", "index query by-b"),
        ("g = 'x' AND a > 3 AND b > 5 ORDER BY a DESC", "index query by-a"),
        ("g = 'x' AND b IS NOT MISSING ORDER BY b DESC", "index query by-b"),
        ("g = 'x' AND b IS NOT MISSING AND a >= 0 ORDER BY b", "index query by-b"),
        ("pk = 'p' AND b IS NOT MISSING ORDER BY b", "index query local-b"),
        ("pk = 'p' AND attribute_exists(b) ORDER BY b DESC", "index query local-b"),
    ];
    let sorted = [
        // Rows without b come first, and are in no index by it.
        ("g = 'x' AND a >= 0 ORDER BY b", "index query by-a"),
        ("pk = 'p' ORDER BY b", "query "),
        ("pk = 'p' AND b IS NOT MISSING ORDER BY a", "query "),
    ];
    for (clause, expected) in ordered.into_iter().chain(sorted) {
        let text = format!("SELECT b, a, sk FROM items WHERE {clause}");
        assert_eq!(plan(&indexed, &text), expected, "{text}");
        let is_ordered = ordered.contains(&(clause, expected));
        assert_eq!(order(&indexed, &text) == AS_READ, is_ordered, "{text}");
        let [mut found, mut expected] = [rows(&indexed, &text)?, rows(&db, &text)?];
        if !is_ordered {
            // Rows that are equal stay as they were read.
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected, "{text}");
    }
    let first = indexed.execute_statement(
        &Statement::new("SELECT * FROM items WHERE g = 'x' AND b IS NOT MISSING ORDER BY b").limit(5),
    )?;
    assert!(first.records.len() == 5 && first.token.is_some(), "a page of what is not sorted");

    // One item that an index refuses, and it gives nothing unasked any more.
    db.put_with_sk(b"p", b"zz", ItemBuilder::new().string("g", "x").string("b", "").number("a", 1).build())?;
    let incomplete = db.fork()?;
    incomplete.configure(schema)?;
    for (clause, _) in ordered {
        let text = format!("SELECT b, a, sk FROM items WHERE {clause}");
        let plan = plan(&incomplete, &text);
        assert!(!plan.ends_with("-b"), "{plan}: {text}");
        assert_eq!(rows(&incomplete, &text)?, rows(&db, &text)?, "{plan}: {text}");
    }
    Ok(())
}

/// A path is not the attribute that has its text as a name.
#[test]
fn a_path_with_dots_is_not_an_attribute_with_dots_in_its_name() -> Result<()> {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("dotted", "g").sort_key("a.b"))
        .add_global_index(GlobalSecondaryIndex::new("indexed", "h").sort_key("l[0]"));
    let db = Database::create_in_memory_with_schema(schema)?;
    for (pk, dotted, nested) in [("1", 1, 30), ("2", 2, 20), ("3", 3, 10)] {
        let map = KeystoneValue::map([("b", KeystoneValue::number(nested))]);
        let list = KeystoneValue::list([KeystoneValue::number(nested)]);
        let item = [
            ("g", KeystoneValue::string("x")),
            ("h", KeystoneValue::string("x")),
            ("a.b", KeystoneValue::number(dotted)),
            ("l[0]", KeystoneValue::number(dotted)),
            ("a", map),
            ("l", list),
        ];
        db.put(pk.as_bytes(), item.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())?;
    }
    let pks = |text: &str| -> Result<String> {
        let found = db.execute_statement(&Statement::new(text))?;
        Ok(found.records.iter().map(|row| String::from_utf8_lossy(row.pk()).into_owned()).collect())
    };
    for from in ["items", "items.\"dotted\""] {
        assert_eq!(pks(&format!("SELECT * FROM {from} WHERE g = 'x' ORDER BY a.b"))?, "321");
        assert_eq!(pks(&format!("SELECT * FROM {from} WHERE g = 'x' ORDER BY \"a.b\""))?, "123");
        assert_eq!(pks(&format!("SELECT * FROM {from} WHERE g = 'x' AND a.b = 20"))?, "2");
        assert_eq!(pks(&format!("SELECT * FROM {from} WHERE g = 'x' AND \"a.b\" = 2"))?, "2");
    }
    assert_eq!(pks("SELECT * FROM items WHERE h = 'x' ORDER BY l[0]")?, "321");
    assert_eq!(pks("SELECT * FROM items WHERE h = 'x' ORDER BY \"l[0]\"")?, "123");
    let text = "SELECT a.b, \"a.b\" FROM items WHERE pk = '1'";
    let row = db.execute_statement(&Statement::new(text))?.items().remove(0);
    assert_eq!((&row["b"], &row["a.b"]), (&KeystoneValue::number(30), &KeystoneValue::number(1)));
    let groups = "SELECT g AS \"a.b\", COUNT(*) AS c FROM items GROUP BY g ORDER BY a.b";
    assert!(db.execute_statement(&Statement::new(groups)).is_err(), "no column is the path a.b");
    Ok(())
}

fn projected() -> Result<Database> {
    let schema = TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("local", "n").projection(Projection::KeysOnly))
        .add_global_index(
            GlobalSecondaryIndex::new("global", "g")
                .sort_key("n")
                .projection(Projection::Include(vec!["shown".to_owned()])),
        );
    let db = Database::create_in_memory_with_schema(schema)?;
    for i in 0..300_i64 {
        let item = ItemBuilder::new().string("g", "x").number("n", i).number("shown", i).number("extra", -i).build();
        db.put_with_sk(b"p", format!("{i:03}").as_bytes(), item)?;
    }
    Ok(db)
}

/// Every way to read an index, as what it shows of its items.
fn all_ways(db: &Database, query: &Query, scan: &Scan) -> Vec<Result<Vec<Item>>> {
    let shown = |records: Vec<Record>| records.iter().map(|record| record.item().to_item()).collect::<Vec<_>>();
    let by_cursor = |cursor: Result<kstone_api::Cursor>| {
        let mut cursor = cursor?;
        let mut found = Vec::new();
        while let Some(record) = cursor.next()? {
            found.push(record.item().to_item());
        }
        Ok(found)
    };
    vec![
        db.query(query.clone()).map(|page| page.items),
        db.iter_query(query).map(|records| shown(records.collect())),
        by_cursor(db.cursor_query(query)),
        db.scan(scan.clone()).map(|page| page.items),
        db.iter_scan(scan).map(|records| shown(records.collect())),
        by_cursor(db.cursor_scan(scan)),
    ]
}

#[test]
fn a_local_index_fetches_what_it_does_not_hold_and_a_global_one_refuses_it() -> Result<()> {
    let db = projected()?;
    let local = Query::new().index("local").partition_key(b"p");
    let local_scan = Scan::new().index("local");
    let shown =
        |text: &str| (local.clone().projection_expression(text), local_scan.clone().projection_expression(text));
    let (query, scan) = shown("n, extra");
    for found in all_ways(&db, &query, &scan) {
        let found = found?;
        let expected = |i: i64| ItemBuilder::new().number("n", i).number("extra", -i).build();
        assert_eq!(found, (0..300).map(expected).collect::<Vec<_>>());
    }
    for found in all_ways(&db, &local, &local_scan) {
        let found = found?;
        assert!(found.iter().all(|item| item.get("extra").is_none()) && found.len() == 300, "as it is projected");
    }
    let global = Query::new().index("global").partition_key(b"x");
    let global_scan = Scan::new().index("global");
    let (query, scan) = (
        global.clone().projection_expression("shown, extra.x, remark"),
        global_scan.clone().projection_expression("shown, extra.x, remark"),
    );
    for refused in all_ways(&db, &query, &scan) {
        let text = "One or more parameter values were invalid: Global secondary index global does not project \
                    [extra, remark]";
        assert_eq!(refused.map_err(|error| error.to_string()), Err(text.to_owned()));
    }
    for (name, query, scan) in [("local", local, local_scan), ("global", global, global_scan)] {
        let filter = "extra < :v";
        let query = query.filter_expression(filter).expression_value(":v", KeystoneValue::number(0));
        let scan = scan.filter_expression(filter).expression_value(":v", KeystoneValue::number(0));
        for refused in all_ways(&db, &query, &scan) {
            let text = format!(
                "One or more parameter values were invalid: Secondary index {name} does not project one or more filter \
                 attributes: [extra]"
            );
            assert_eq!(refused.map_err(|error| error.to_string()), Err(text));
        }
    }
    Ok(())
}

#[test]
fn an_iterator_over_a_local_index_fetches_from_its_own_moment() -> Result<()> {
    let db = projected()?;
    let query = Query::new().index("local").partition_key(b"p").projection_expression("extra");
    let records = db.iter_query(&query)?;
    let mut cursor = db.cursor_query(&query)?;
    for i in 0..300 {
        let key = format!("{i:03}");
        match i % 2 {
            0 => db.delete_with_sk(b"p", key.as_bytes())?,
            _ => db.put_with_sk(b"p", key.as_bytes(), ItemBuilder::new().number("extra", 7).build())?,
        }
    }
    let mut seen = 0;
    for (i, record) in records.enumerate() {
        let expected = ItemBuilder::new().number("extra", -(i as i64)).build();
        assert_eq!(record.item().to_item(), expected);
        assert_eq!(cursor.next()?.map(|record| record.item().to_item()), Some(expected));
        seen += 1;
    }
    assert_eq!((seen, db.query(query)?.count), (300, 0));
    Ok(())
}

#[test]
fn a_scan_of_an_index_counts_its_own_entries_alone() -> Result<()> {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("few", "few"))
        .add_global_index(GlobalSecondaryIndex::new("many", "many"))
        .add_local_index(LocalSecondaryIndex::new("all", "many"));
    let db = Database::create_in_memory_with_schema(schema)?;
    for i in 0..2000_i64 {
        let item = ItemBuilder::new().number("many", i);
        let item = if i % 100 == 0 { item.number("few", i) } else { item };
        db.put_with_sk(format!("p{}", i % 50).as_bytes(), format!("{i}").as_bytes(), item.build())?;
    }
    for (index, entries) in [("few", 20), ("many", 2000), ("all", 2000)] {
        let scan = Scan::new().index(index);
        for limit in [1, 7, 20] {
            let mut seen = BTreeSet::new();
            let mut next = scan.clone().limit(limit);
            loop {
                let page = db.scan_page(&next)?;
                let is_last = page.token.is_none();
                assert!(
                    page.scanned == limit || is_last,
                    "{index}: a page of {} with a limit of {limit}",
                    page.scanned
                );
                seen.extend(page.records.iter().map(|record| record.sk().to_vec()));
                let Some(token) = page.token else { break };
                next = scan.clone().limit(limit).token(&token);
            }
            assert_eq!(seen.len(), entries, "{index} with a limit of {limit}");
        }
        let whole = db.scan(scan.clone().select(Select::Count))?;
        assert_eq!((whole.count, whole.scanned_count, whole.token), (entries, entries, None), "{index}");
        let parts = (0..7).map(|segment| db.scan(scan.clone().segment(segment, 7)).map(|page| page.count));
        assert_eq!(parts.sum::<Result<usize>>()?, entries, "{index} in segments");
        assert_eq!(db.iter_scan(&scan)?.count(), entries, "{index}");
    }
    // Indexes that come and go keep their places apart.
    for round in 0..70 {
        let name = format!("round-{round}");
        let schema = TableSchema::new()
            .add_global_index(GlobalSecondaryIndex::new("few", "few"))
            .add_global_index(GlobalSecondaryIndex::new(&name, "few").sort_key("sk"));
        db.configure(schema)?;
        for index in ["few", &name] {
            assert_eq!(db.scan(Scan::new().index(index).limit(20))?.count, 20, "{index} in round {round}");
        }
    }
    Ok(())
}

#[test]
fn sums_do_not_depend_on_the_order_of_the_rows() -> Result<()> {
    let nines = "9".repeat(38);
    let large = format!("1{}", "0".repeat(125));
    let numbers = [nines.as_str(), "0.5", "1", &large, &format!("-{large}"), "-0.25"].map(str::to_owned);
    let mut random = fastrand::Rng::with_seed(2);
    let mut seen = BTreeSet::new();
    for _ in 0..30 {
        let db = Database::create_in_memory()?;
        let mut order = numbers.to_vec();
        random.shuffle(&mut order);
        for (i, number) in order.into_iter().enumerate() {
            db.put_with_sk(b"p", &[b'a' + i as u8], Item::from([("n".to_owned(), KeystoneValue::N(number))]))?;
        }
        let text = "SELECT SUM(n) AS s, AVG(n) AS a, MIN(n) AS low, MAX(n) AS high FROM items WHERE pk = 'p'";
        seen.extend(db.execute_statement(&Statement::new(text))?.records.iter().map(shown));
        db.put_with_sk(b"q", b"1", Item::from([("n".to_owned(), KeystoneValue::N(format!("9{}", "0".repeat(125))))]))?;
        db.put_with_sk(b"q", b"2", Item::from([("n".to_owned(), KeystoneValue::N(format!("9{}", "0".repeat(125))))]))?;
        let error = db.execute_statement(&Statement::new("SELECT SUM(n) AS s FROM items WHERE pk = 'q'"));
        assert!(
            matches!(&error, Err(Error::Invalid(text)) if text.to_string().starts_with("s: Number overflow")),
            "{error:?}"
        );
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    // 10^38 - 1 + 0.5 + 1 - 0.25, rounded to 38 digits.
    assert!(seen.iter().all(|row| row.contains(&format!("1{}", "0".repeat(38)))), "{seen:?}");
    Ok(())
}
