//! Indexes whose key attributes have types: one or several of each sort, in tables with types and without.

use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, KeyType, KeystoneValue as Value, LocalSecondaryIndex,
    Projection, Query, Record, Result, Scan, Select, SortKeyCondition, Statement, TableSchema, TransactWriteRequest,
    Write,
};

fn orders() -> TableSchema {
    TableSchema::new().partition_key("customer", KeyType::S).sort_key("ticket", KeyType::N)
}

fn by_status() -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::on("by-status").partition_key("phase", KeyType::S).sort_key("amount", KeyType::N).into()
}

fn order(customer: &str, number: i64, status: &str, total: i64) -> Item {
    ItemBuilder::new()
        .string("customer", customer)
        .number("ticket", number)
        .string("phase", status)
        .number("amount", total)
        .string("remark", "whole")
        .build()
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("refused").to_string()
}

fn numbers(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item["ticket"].as_number().expect("a number").as_str()).collect()
}

fn database(schema: TableSchema) -> Result<Database> {
    let db = Database::create_in_memory_with_schema(schema)?;
    db.put_item(order("ann", 1, "open", 100))?;
    db.put_item(order("bob", 2, "open", 20))?;
    db.put_item(order("ann", 3, "open", -5))?;
    db.put_item(order("cyd", 4, "paid", 7))?;
    Ok(db)
}

#[test]
fn entries_show_the_key_of_their_items() -> Result<()> {
    for projection in [Projection::All, Projection::KeysOnly, Projection::Include(vec!["remark".to_owned()])] {
        let local = LocalSecondaryIndex::typed("by-total", "amount", KeyType::N).projection(projection.clone());
        let db =
            database(orders().add_global_index(by_status().projection(projection.clone())).add_local_index(local))?;
        let open = Query::new().index("by-status").partition_key(b"open");
        let found = db.query(open.clone())?;
        assert_eq!(numbers(&found.items), ["3", "2", "1"], "by their totals");
        let whole = order("ann", 3, "open", -5);
        let shown = &found.items[0];
        assert!(shown.iter().all(|(name, value)| whole.get(name) == Some(value)));
        let names = match projection {
            Projection::KeysOnly => 4,
            _ => 5,
        };
        let names = if let Projection::Include(_) = projection { 5 } else { names };
        assert_eq!(shown.len(), names, "{shown:?}");
        let records: Vec<Record> = db.iter_query(&open)?.collect();
        assert_eq!(records[2].item().to_item(), found.items[2]);
        assert_eq!(db.get_record(b"ann", b"1")?.expect("there").key_ref(), records[2].key_ref());
        let keys = db.query(open.clone().select(Select::KeysOnly))?.items;
        assert!(keys.iter().all(|item| item.len() == 2) && numbers(&keys) == ["3", "2", "1"]);
        assert_eq!(db.query(open.clone().select(Select::Count))?.count, 3);
        let projected = db.query(open.projection_expression("customer, amount"))?.items;
        assert_eq!(projected[1], ItemBuilder::new().string("customer", "bob").number("amount", 20).build());
        let of_ann = Query::new().index("by-total").partition_key(b"ann");
        let above = of_ann.clone().sort_key(SortKeyCondition::Gt(b"0.5".to_vec()));
        assert_eq!(numbers(&db.query(of_ann)?.items), ["3", "1"]);
        assert_eq!(numbers(&db.query(above)?.items), ["1"]);
        assert_eq!(db.scan(Scan::new().index("by-total"))?.count, 4);
        let mut cursor = db.cursor_query(&Query::new().index("by-status").partition_key(b"open"))?;
        let first = cursor.last()?.and_then(|record| record.item().get("ticket")?.as_number().map(str::to_owned));
        assert_eq!(first.as_deref(), Some("1"));
    }
    Ok(())
}

#[test]
fn a_local_index_fetches_what_it_does_not_hold() -> Result<()> {
    let local = LocalSecondaryIndex::typed("by-total", "amount", KeyType::N).projection(Projection::KeysOnly);
    let db = database(orders().add_local_index(local))?;
    let query = Query::new().index("by-total").partition_key(b"ann").projection_expression("remark, ticket");
    let found = db.query(query)?.items;
    assert_eq!(numbers(&found), ["3", "1"]);
    assert!(found.iter().all(|item| item["remark"] == Value::string("whole")));
    Ok(())
}

#[test]
fn the_tables_sort_key_may_be_an_indexs_partition() -> Result<()> {
    let inverted =
        GlobalSecondaryIndex::on("inverted").partition_key("ticket", KeyType::N).sort_key("customer", KeyType::S);
    let db = database(orders().add_global_index(inverted))?;
    let found = db.query(Query::new().index("inverted").partition_key(b"2.0"))?.items;
    assert_eq!(found, [order("bob", 2, "open", 20)]);
    let named = Query::new()
        .index("inverted")
        .key_condition_expression("ticket = :n AND begins_with(customer, :c)")
        .expression_value(":n", Value::number(3))
        .expression_value(":c", Value::string("a"));
    assert_eq!(db.query(named)?.items, [order("ann", 3, "open", -5)]);
    Ok(())
}

/// Why a transaction of this write is refused.
#[test]
fn an_index_by_the_tables_key_takes_its_types() -> Result<()> {
    let inverted = GlobalSecondaryIndex::new("inverted", "ticket").sort_key("customer");
    let again = LocalSecondaryIndex::new("again", "ticket");
    let db = database(orders().add_global_index(inverted).add_local_index(again))?;
    let query = Query::new().index("inverted").partition_key(b"3.0");
    assert_eq!(numbers(&db.query(query.clone())?.items), ["3"]);
    assert_eq!(db.query(query.sort_key(SortKeyCondition::Eq(b"ann".to_vec())))?.count, 1);
    let above = Query::new().index("again").partition_key(b"ann").sort_key(SortKeyCondition::Gt(b"1e0".to_vec()));
    assert_eq!(numbers(&db.query(above)?.items), ["3"]);
    let text = Query::new().index("inverted").partition_key(b"three");
    assert!(refused(db.query(text)).starts_with("the key attribute ticket is of type N"));
    let text = Query::new().index("inverted").key_condition_expression("ticket = :t");
    assert!(refused(db.query(text.expression_value(":t", Value::string("3")))).contains("does not match schema type"));
    Ok(())
}

fn cancelled(db: &Database, write: Write) -> String {
    match db.transact_write(TransactWriteRequest::new().write(write)) {
        Err(Error::TransactionCanceled { reasons }) => reasons[0].as_ref().expect("a reason").message.clone(),
        other => refused(other),
    }
}

const TYPE_TEXT: &str = "One or more parameter values were invalid: Type mismatch for Index Key amount Expected: N Actual: S \
                         IndexName: by-status";
const EMPTY_TEXT: &str = "One or more parameter values are not valid. A value specified for a secondary index key is not \
                          supported. The AttributeValue for a key attribute cannot contain an empty string value. \
                          IndexName: by-status, IndexKey: phase";

#[test]
fn wrong_and_empty_values_are_refused_on_every_write_path() -> Result<()> {
    let db = database(orders().add_global_index(by_status()))?;
    let mut text = order("ann", 1, "open", 1);
    text.insert("amount".to_owned(), Value::string("1"));
    let empty = order("ann", 1, "", 1);
    for (item, expected) in [(text, TYPE_TEXT), (empty, EMPTY_TEXT)] {
        let put = || Write::put(b"ann", item.clone()).sort_key(b"1");
        assert!(refused(db.put_item(item.clone())).ends_with(expected));
        assert!(refused(db.put_with_sk(b"ann", b"1", item.clone())).ends_with(expected));
        assert!(refused(db.write(put())).ends_with(expected));
        assert!(refused(db.write(put().condition("attribute_exists(customer)"))).ends_with(expected));
        assert!(refused(db.batch_write(&[put()])).ends_with(expected));
        assert!(cancelled(&db, put()).ends_with(expected));
    }
    for (name, value, expected) in [("amount", Value::string("1"), TYPE_TEXT), ("phase", Value::string(""), EMPTY_TEXT)]
    {
        let update = || Write::update(b"ann", "SET #n = :v").sort_key(b"1").name("#n", name).value(":v", value.clone());
        assert!(refused(db.write(update())).ends_with(expected));
        assert!(cancelled(&db, update()).ends_with(expected));
    }
    assert_eq!(db.get_with_sk(b"ann", b"1")?, Some(order("ann", 1, "open", 100)), "nothing has changed");
    assert_eq!(db.scan(Scan::new().index("by-status"))?.count, 4);
    Ok(())
}

#[test]
fn a_backfill_leaves_out_what_a_write_would_be_refused_for() -> Result<()> {
    let db = database(orders())?;
    let mut text = order("dan", 5, "open", 1);
    text.insert("amount".to_owned(), Value::string("1"));
    db.put_item(text.clone())?;
    let mut without = order("eve", 6, "open", 1);
    without.remove("amount");
    db.put_item(without)?;
    db.configure(orders().add_global_index(by_status()))?;
    let open = || Query::new().index("by-status").partition_key(b"open");
    assert_eq!(numbers(&db.query(open())?.items), ["3", "2", "1"]);
    assert!(refused(db.put_item(text)).ends_with(TYPE_TEXT));
    db.write(Write::update(b"dan", "SET amount = :n").sort_key(b"5").value(":n", Value::number(50)))?;
    assert_eq!(numbers(&db.query(open())?.items), ["3", "2", "5", "1"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("orders.kstone");
    db.save_snapshot(&path)?;
    let again = Database::open_snapshot(&path)?;
    assert_eq!(again.query(open())?.items, db.query(open())?.items);
    let fork = db.fork()?;
    fork.delete_with_sk(b"dan", b"5")?;
    assert_eq!((fork.query(open())?.count, db.query(open())?.count), (3, 4));
    Ok(())
}

fn multi() -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::on("multi")
        .partition_key("h", KeyType::S)
        .partition_key("g", KeyType::N)
        .sort_key("a", KeyType::S)
        .sort_key("b", KeyType::N)
        .sort_key("c", KeyType::B)
        .into()
}

fn tournament() -> Result<Database> {
    let schema = TableSchema::new().partition_key("id", KeyType::S).add_global_index(multi());
    let db = Database::create_in_memory_with_schema(schema)?;
    let mut id = 0;
    for h in ["x", "x\0"] {
        for g in [1, 10] {
            for a in ["", "T", "T\0", "U"] {
                for b in [-1, 0, 20] {
                    for c in [&b"\0"[..], b"\0\0", b"\xFF"] {
                        let mut item =
                            ItemBuilder::new().string("id", format!("{id:03}")).string("h", h).number("g", g);
                        item = item.number("b", b);
                        let mut item = item.build();
                        item.insert("c".to_owned(), Value::B(c.to_vec().into()));
                        if !a.is_empty() {
                            item.insert("a".to_owned(), Value::string(a));
                        }
                        db.put_item(item)?;
                        id += 1;
                    }
                }
            }
        }
    }
    Ok(db)
}

fn asked(condition: &str) -> Query {
    let mut query = Query::new().index("multi").key_condition_expression(condition);
    let values = [
        (":h", Value::string("x")),
        (":g", Value::number(1)),
        (":a", Value::string("T")),
        (":b", Value::number(0)),
        (":c", Value::B(b"\0".to_vec().into())),
    ];
    for (name, value) in values {
        if condition.contains(name) {
            query = query.expression_value(name, value);
        }
    }
    query
}

#[test]
fn an_index_of_several_attributes_takes_equalities_and_one_range() -> Result<()> {
    let db = tournament()?;
    let count = |condition: &str| -> Result<usize> { Ok(db.query(asked(condition))?.count) };
    assert_eq!(count("h = :h AND g = :g")?, 27);
    assert_eq!(count("g = :g AND a = :a AND h = :h")?, 9);
    assert_eq!(count("h = :h AND g = :g AND begins_with(a, :a)")?, 18);
    assert_eq!(count("h = :h AND g = :g AND a > :a")?, 18);
    assert_eq!(count("h = :h AND g = :g AND a = :a AND b >= :b")?, 6);
    assert_eq!(count("h = :h AND g = :g AND a = :a AND b < :b")?, 3);
    assert_eq!(count("h = :h AND g = :g AND a = :a AND b = :b AND c > :c")?, 2);
    assert_eq!(count("c = :c AND b = :b AND a = :a AND g = :g AND h = :h")?, 1);
    assert_eq!(count("h = :h AND g = :g AND a = :a AND b = :b AND begins_with(c, :c)")?, 2);
    assert_eq!(db.scan(Scan::new().index("multi"))?.count, 4 * 27, "items without a are not in it");
    for (condition, refusal) in [
        ("h = :h", "HASH key attributes g must have equality conditions specified in the query"),
        ("g = :g AND a = :a", "HASH key attributes h must have equality conditions specified in the query"),
        (
            "h = :h AND g = :g AND b = :b",
            "RANGE key attributes a must have equality conditions specified in the query because a condition is present on \
             key attribute b",
        ),
        (
            "h = :h AND g = :g AND a > :a AND b = :b",
            "RANGE key attributes a must have equality conditions specified in the query because a condition is present on \
             key attribute b",
        ),
        ("h > :h AND g = :g", "HASH key attributes h must have equality conditions specified in the query"),
        ("h = :g AND g = :g", "Condition parameter type does not match schema type"),
        ("h = :h AND g = :g AND a = :b", "Condition parameter type does not match schema type"),
        ("h = :h AND g = :g AND a = :a AND id = :h", "Query condition missed key schema element: b"),
    ] {
        let refused = refused(db.query(asked(condition)));
        assert!(refused.contains(refusal), "{condition}: {refused}");
    }
    let bytes = Query::new().index("multi").partition_key(b"x");
    assert!(refused(db.query(bytes)).ends_with("names a value of each of its partition attributes: h, g"));
    let of_key = asked("h = :h AND g = :g AND a = :a").filter_expression("c = :h");
    assert!(refused(db.query(of_key)).contains("Primary key attribute: c"));
    Ok(())
}

#[test]
fn prepared_queries_of_several_attributes() -> Result<()> {
    let db = tournament()?;
    let text = "h = :h AND g = :g AND a = :a AND b BETWEEN :b AND :b2";
    let prepared = db.prepare_query(&Query::new().index("multi").key_condition_expression(text))?;
    let run = |g: Value| {
        let values = [Value::string("x"), g, Value::string("T"), Value::number(-1), Value::number(0)];
        let values = kstone_api::PreparedValues::encode(&values)?;
        prepared.run(&db, &values.lent(), None, None)
    };
    assert_eq!((run(Value::number(1))?.count, run(Value::number(10))?.count, run(Value::number(3))?.count), (6, 6, 0));
    assert!(refused(run(Value::string("1"))).contains("Condition parameter type does not match schema type"));
    Ok(())
}

#[test]
fn pages_of_an_index_begin_behind_any_of_its_keys() -> Result<()> {
    let db = tournament()?;
    let query = || asked("h = :h AND g = :g AND a = :a");
    let all = db.query(query())?.items;
    for (at, item) in all.iter().enumerate() {
        let page = db.query(query().start_after(item)?)?;
        assert_eq!(page.items, all[at + 1..]);
        let before = db.query(query().reverse(true).start_after(item)?)?;
        assert_eq!(before.count, at);
    }
    let mut absent = all[4].clone();
    absent.insert("id".to_owned(), Value::string("zzz"));
    assert_eq!(db.query(query().start_after(&absent)?)?.items, all[5..], "ties lie by the table's key");
    let outside = "The provided starting key is outside query boundaries based on provided conditions";
    for (name, value) in [("a", Value::string("U")), ("g", Value::number(2))] {
        let mut other = all[0].clone();
        other.insert(name.to_owned(), value);
        assert_eq!(refused(db.query(query().start_after(&other)?)), outside);
    }
    let mut lacking = all[0].clone();
    lacking.remove("b");
    let mismatch = "The provided starting key is invalid: The provided key element does not match the schema";
    assert_eq!(refused(db.query(query().start_after(&lacking)?)), mismatch);
    let scanned = db.scan(Scan::new().index("multi"))?.items;
    assert_eq!(db.scan(Scan::new().index("multi").start_after(&scanned[7])?)?.items, scanned[8..]);
    Ok(())
}

#[test]
fn a_schema_says_the_types_of_its_indexes_in_json() -> Result<()> {
    let schema = TableSchema::new()
        .partition_key("id", KeyType::S)
        .add_local_index(LocalSecondaryIndex::typed("by-n", "n", KeyType::N))
        .add_local_index(LocalSecondaryIndex::new("by-any", "any"))
        .add_global_index(multi().projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("plain", "p").sort_key("s"))
        .add_global_index(GlobalSecondaryIndex::on("one").partition_key("id", KeyType::S));
    let text = schema.to_json();
    assert!(text.contains(r#"{"name":"by-n","sort_key":{"name":"n","type":"N"}}"#), "{text}");
    assert!(text.contains(r#""partition_key":[{"name":"h","type":"S"},{"name":"g","type":"N"}]"#), "{text}");
    assert!(text.contains(r#"{"name":"plain","partition_key":"p","sort_key":"s"}"#), "{text}");
    assert!(text.contains(r#"{"name":"one","partition_key":{"name":"id","type":"S"}}"#), "{text}");
    assert_eq!(TableSchema::from_json(&text)?, schema);
    for wrong in [
        r#""partition_key": []"#,
        r#""partition_key": ["a"]"#,
        r#""partition_key": {"name": "a"}"#,
        r#""partition_key": {"name": "a", "type": "L"}"#,
        r#""partition_key": 5"#,
        r#""partition_key": "a", "sort_key": null"#,
        r#""partition_key": [{"name": "a", "type": "S"}, {"name": "a", "type": "S"}]"#,
        r#""partition_key": [{"name":"a","type":"S"},{"name":"b","type":"S"},{"name":"c","type":"S"},{"name":"d","type":"S"},{"name":"e","type":"S"}]"#,
    ] {
        let text = format!(r#"{{"global_indexes": [{{"name": "index", {wrong}}}]}}"#);
        assert!(TableSchema::from_json(&text).is_err(), "{wrong}");
    }
    let list = r#"{"local_indexes": [{"name": "index", "sort_key": [{"name": "a", "type": "S"}]}]}"#;
    assert!(TableSchema::from_json(list).is_err(), "a local index has one sort attribute");
    Ok(())
}

#[test]
fn an_attribute_has_one_type() {
    let typed = |index: GlobalSecondaryIndex| orders().add_global_index(index);
    let on = || GlobalSecondaryIndex::on("other");
    for (schema, expected) in [
        (typed(on().partition_key("ticket", KeyType::S).into()), "ticket is declared as N and as S: it has one type"),
        (
            typed(by_status()).add_global_index(on().partition_key("amount", KeyType::B)),
            "amount is declared as N and as B: it has one type",
        ),
        (typed(on().into()), "partition_key has 0 attributes, it may have 1 to 4"),
        (
            TableSchema::new().add_global_index(on().partition_key("sk", KeyType::S)),
            "sk is the key of a table without declared types",
        ),
        (typed(on().partition_key("a", KeyType::S).sort_key("a", KeyType::S).into()), "have the same name"),
    ] {
        let refused = schema.validate().unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn an_untyped_table_may_have_typed_indexes() -> Result<()> {
    let db = Database::create_in_memory_with_schema(TableSchema::new().add_global_index(by_status()))?;
    db.put(b"one", ItemBuilder::new().string("phase", "open").number("amount", 5).build())?;
    assert!(
        refused(db.put(b"two", ItemBuilder::new().string("phase", "open").string("amount", "5").build()))
            .ends_with(TYPE_TEXT)
    );
    let above = Query::new().index("by-status").partition_key(b"open").sort_key(SortKeyCondition::Ge(b"5.0".to_vec()));
    assert_eq!(db.query(above)?.count, 1);
    Ok(())
}

#[test]
fn statements_read_typed_indexes() -> Result<()> {
    let db = database(orders().name("orders").add_global_index(by_status()))?;
    let read = |text: &str| -> Result<Vec<Item>> {
        let found = db.execute_statement(&Statement::new(text))?;
        Ok(found.records.iter().map(|record| record.item().to_item()).collect())
    };
    let named = r#"SELECT * FROM orders."by-status" WHERE phase = 'open' AND amount > 0"#;
    assert_eq!(numbers(&read(named)?), ["2", "1"]);
    let unnamed = "SELECT * FROM orders WHERE phase = 'open' AND amount > 0 AND amount < 50";
    assert_eq!(read(unnamed)?, [order("bob", 2, "open", 20)]);
    for text in ["SELECT * FROM orders WHERE phase = 'open' AND amount > 'x'", "SELECT * FROM orders WHERE phase = 5"] {
        assert!(read(text)?.is_empty(), "{text}: no value of another type is there");
    }
    let other = r#"SELECT * FROM orders."by-status" WHERE phase = 5"#;
    assert!(refused(read(other)).contains("Condition parameter type does not match schema type"));
    let several = TableSchema::new().name("games").partition_key("id", KeyType::S).add_global_index(multi());
    let games = tournament()?;
    games.configure(several)?;
    let found =
        games.execute_statement(&Statement::new("SELECT id FROM games.multi WHERE h = 'x' AND g = 1 AND b = 0"))?;
    assert_eq!(found.records.len(), 9);
    Ok(())
}
