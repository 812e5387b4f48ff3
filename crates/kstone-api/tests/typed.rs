//! Tables whose keys have names and types.

use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, Key, KeyType, KeystoneValue as Value, Operation, Query,
    Result, Scan, StreamViewType, TableSchema, TransactWriteRequest, Write,
};

fn scores() -> TableSchema {
    TableSchema::new().partition_key("player", KeyType::S).sort_key("score", KeyType::N)
}

fn database() -> Result<Database> {
    Database::create_in_memory_with_schema(scores())
}

fn item(user: &str, score: i64, won: bool) -> Item {
    ItemBuilder::new().string("player", user).number("score", score).bool("won", won).build()
}

#[test]
fn an_item_is_put_under_its_own_key_and_comes_back_whole() -> Result<()> {
    let db = database()?;
    db.put_item(item("ann", -12, true))?;
    assert_eq!(db.get_with_sk(b"ann", b"-12")?, Some(item("ann", -12, true)));
    assert_eq!(db.get_with_sk(b"ann", b"-12.0")?, Some(item("ann", -12, true)), "however the number is written");
    let record = db.get_record(b"ann", b"-12")?.expect("put");
    assert_eq!(record.item().get("score").and_then(|score| score.as_number()), Some("-12"));
    assert_eq!(record.item().iter().map(|(name, _)| name).collect::<Vec<_>>(), ["player", "score", "won"]);
    assert!(!record.body().windows(4).any(|bytes| bytes == b"player"), "the key is stored once");
    db.delete_with_sk(b"ann", b"-12")?;
    assert_eq!(db.get_with_sk(b"ann", b"-12")?, None);
    Ok(())
}

#[test]
fn a_key_may_be_given_with_the_item_that_has_it_or_has_not() -> Result<()> {
    let db = database()?;
    let won = ItemBuilder::new().bool("won", true).build();
    db.put_with_sk(b"ann", b"1", won.clone())?;
    db.put_with_sk(b"bob", b"2", item("bob", 2, true))?;
    assert_eq!(db.get_with_sk(b"ann", b"1")?, Some(item("ann", 1, true)));
    assert_eq!(db.get_with_sk(b"bob", b"2")?, Some(item("bob", 2, true)));
    let refused = db.put_with_sk(b"ann", b"1", item("bob", 1, true)).unwrap_err().to_string();
    assert!(refused.contains("the attribute player must equal the item's key"), "{refused}");
    Ok(())
}

#[test]
fn what_is_no_key_is_refused_by_name_and_changes_nothing() -> Result<()> {
    let db = database()?;
    let refused = |item: Item| db.put_item(item).unwrap_err().to_string();
    let of_user = |user: Value| Item::from([("player".to_owned(), user), ("score".to_owned(), Value::number(1))]);
    assert!(refused(of_user(Value::number(1))).ends_with("Type mismatch for key player expected: S actual: N"));
    assert!(refused(of_user(Value::string(""))).ends_with("cannot contain an empty string value. Key: player"));
    assert!(refused(Item::new()).ends_with("Missing the key player in the item"));
    assert!(matches!(db.put_item(of_user(Value::string("x".repeat(2049)))), Err(Error::Limit { .. })));
    for (pk, sk) in [(&b"ann"[..], &b"twelve"[..]), (b"ann", b""), (b"\xFF", b"1"), (b"", b"1"), (b"ann", b"1e400")] {
        assert!(db.put_with_sk(pk, sk, Item::new()).is_err(), "{pk:?} {sk:?}");
        assert!(db.get_with_sk(pk, sk).is_err(), "{pk:?} {sk:?}");
        assert!(db.delete_with_sk(pk, sk).is_err(), "{pk:?} {sk:?}");
        let write = Write::update(pk, "SET a = player").sort_key(sk);
        assert!(db.write(write).is_err());
    }
    let alone = Database::create_in_memory_with_schema(TableSchema::new().partition_key("id", KeyType::B))?;
    assert!(alone.put_with_sk(b"a", b"b", Item::new()).is_err(), "a sort key that the table has not");
    alone.put(b"\xFF", Item::new())?;
    assert_eq!(db.count()?, 0);
    Ok(())
}

#[test]
fn expressions_use_the_tables_own_names() -> Result<()> {
    let db = database()?;
    let insert = || Write::put(b"ann", item("ann", 3, false)).sort_key(b"3").condition("attribute_not_exists(player)");
    db.write(insert())?;
    assert!(matches!(db.write(insert()), Err(Error::ConditionFailed { .. })));
    let update = |text: &str| Write::update(b"ann", text).sort_key(b"3").value(":n", Value::number(1));
    db.write(update("SET pk = score + :n").condition("score > :n"))?;
    let found = db.get_with_sk(b"ann", b"3")?.expect("there");
    assert_eq!(found["pk"], Value::number(4), "pk is a name as any");
    assert_eq!(found["score"], Value::number(3));
    let refused = db.write(update("SET score = :n")).unwrap_err().to_string();
    assert!(refused.contains("Cannot update attribute score. This attribute is part of the key"), "{refused}");
    let made = db.write(Write::update(b"new", "SET won = :n").sort_key(b"9").value(":n", Value::number(1)))?;
    assert!(made.is_none());
    assert_eq!(db.get_with_sk(b"new", b"9")?.expect("made").len(), 3);
    Ok(())
}

#[test]
fn transactions_and_batches_know_one_key_however_it_is_written() -> Result<()> {
    let db = database()?;
    let put = |score: &str| Write::put(b"ann", ItemBuilder::new().bool("won", true).build()).sort_key(score.as_bytes());
    let twice = TransactWriteRequest::new().write(put("1")).write(put("1.0"));
    assert!(db.transact_write(twice).unwrap_err().to_string().contains("multiple operations"));
    assert!(db.batch_write(&[put("2"), put("2e0")]).unwrap_err().to_string().contains("duplicates"));
    db.transact_write(TransactWriteRequest::new().write(put("1")).write(put("2")))?;
    let found = db.transact_get(&[Key::with_sk("ann", "1.00"), Key::with_sk("ann", "7")])?;
    assert_eq!(found[0].as_ref().map(|record| record.item().to_item()), Some(item("ann", 1, true)));
    assert!(found[1].is_none());
    assert!(db.batch_get(&[Key::with_sk("ann", "1"), Key::with_sk("ann", "1.0")]).is_err());
    let operations = [Operation::from(Key::with_sk("ann", "2")), put("5").into()];
    let found = db.operate_each(&operations).map_err(|failed| failed.error)?;
    assert!(found[0].is_some() && db.count()? == 3);
    Ok(())
}

#[test]
fn writes_take_the_key_of_their_item() -> Result<()> {
    let db = database()?;
    let put = |user: &str, score: i64| Write::put_item(&item(user, score, true));
    db.transact_write(TransactWriteRequest::new().write(put("ann", 1)?).write(put("bob", 1)?))?;
    db.batch_write(&[put("ann", 2)?, put("ann", 3)?])?;
    assert_eq!(db.get_with_sk(b"bob", b"1")?, Some(item("bob", 1, true)));
    let insert = put("ann", 1)?.condition("attribute_not_exists(score)");
    assert!(matches!(db.write(insert.clone()), Err(Error::ConditionFailed { .. })));
    let twice = TransactWriteRequest::new().write(put("ann", 4)?).write(Write::delete(b"ann").sort_key(b"4.0"));
    assert!(db.transact_write(twice).unwrap_err().to_string().contains("multiple operations"));
    assert!(db.batch_write(&[put("ann", 5)?, put("ann", 5)?]).unwrap_err().to_string().contains("duplicates"));
    let refused = db.write(Write::put_item(&Item::new())?).unwrap_err().to_string();
    assert!(refused.ends_with("Missing the key player in the item"), "{refused}");
    assert_eq!(db.count()?, 4);

    let untyped = Database::create_in_memory()?;
    let of = |pk: &str| ItemBuilder::new().string("pk", pk).number("n", 1).build();
    untyped.batch_write(&[Write::put_item(&of("a"))?, Write::put_item(&of("b"))?])?;
    assert!(untyped.get(b"b")?.is_some());
    let twice = [Write::put_item(&of("c"))?, Write::delete(b"c")];
    assert!(untyped.batch_write(&twice).unwrap_err().to_string().contains("duplicates"));
    Ok(())
}

#[test]
fn what_is_no_key_of_a_table_without_numbers_is_refused_by_every_read() -> Result<()> {
    let schema = TableSchema::new().partition_key("id", KeyType::S).sort_key("at", KeyType::B);
    let db = Database::create_in_memory_with_schema(schema)?;
    let nothing = |record: kstone_api::RecordRef<'_>| panic!("{:?}", record.pk());
    for there_is_a_tree in [false, true] {
        // A glance says nothing of what is not there, so that what is no key is refused by the look that follows.
        assert_eq!(db.glance(b"a", b"", nothing), kstone_api::Glance::Unclear, "{there_is_a_tree}");
        assert!(db.get(b"a").unwrap_err().to_string().contains("sort key at is missing"));
        db.put_with_sk(b"a", b"x", Item::new())?;
    }
    assert_eq!(db.glance(b"a", b"x", |record| record.item().len() == 2), kstone_api::Glance::Item);
    Ok(())
}

#[test]
fn numbers_are_in_the_order_of_numbers() -> Result<()> {
    let db = database()?;
    for score in [5, -3, 100, 20, 0, 7] {
        db.put_item(item("ann", score, true))?;
    }
    let scores = |query: Query| -> Result<Vec<String>> {
        let page = db.query(query)?;
        Ok(page.items.iter().map(|item| item["score"].as_number().expect("a number").clone()).collect())
    };
    assert_eq!(scores(Query::new().partition_key(b"ann"))?, ["-3", "0", "5", "7", "20", "100"]);
    Ok(())
}

#[test]
fn a_table_keeps_its_key_and_a_snapshot_has_it() -> Result<()> {
    let db = database()?;
    db.put_item(item("ann", 1, true))?;
    assert!(db.configure(TableSchema::new()).is_err(), "a typed table stays typed");
    assert!(db.configure(TableSchema::new().partition_key("player", KeyType::S)).is_err());
    db.configure(scores().with_ttl("until"))?;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("scores.kstone");
    db.save_snapshot(&path)?;
    let again = Database::open_snapshot(&path)?;
    assert_eq!(again.schema(), db.schema());
    assert_eq!(again.get_with_sk(b"ann", b"1")?, Some(item("ann", 1, true)));
    again.put_item(item("bob", 2, true))?;
    assert_eq!(again.scan(Scan::new())?.items.len(), 2);
    let other = Database::create_in_memory_with_schema(TableSchema::new().partition_key("id", KeyType::S))?;
    assert!(other.load_snapshot(&path).is_err());
    assert_eq!(other.schema(), TableSchema::new().partition_key("id", KeyType::S));
    Ok(())
}

#[test]
fn an_empty_table_becomes_typed_and_one_with_items_does_not() -> Result<()> {
    let by = GlobalSecondaryIndex::new("by-team", "team");
    let schema = scores().add_global_index(by).with_ttl("until").with_stream(StreamViewType::NewImage);
    let db = Database::create_in_memory()?;
    let fork = db.fork()?;
    db.put(b"a", Item::new())?;
    assert!(db.configure(schema.clone()).unwrap_err().to_string().contains("cannot be changed"));
    assert_eq!((db.schema(), db.count()?), (TableSchema::new(), 1));
    fork.configure(schema.clone())?;
    assert_eq!(fork.schema(), schema);
    fork.put_item(item("ann", 2, true))?;
    assert_eq!(fork.get_with_sk(b"ann", b"2.0")?, Some(item("ann", 2, true)));
    assert!(fork.put(b"a", Item::new()).is_err());
    assert_eq!(fork.read_stream(0, 9)?.len(), 1);
    db.clear()?;
    db.configure(scores())?;
    db.put_item(item("ann", 2, true))?;
    assert_eq!(db.count()?, 1);
    Ok(())
}

#[test]
fn an_untyped_table_takes_the_key_from_an_item_too() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put_item(ItemBuilder::new().string("pk", "a").string("sk", "b").number("n", 1).build())?;
    assert!(db.get_with_sk(b"a", b"b")?.is_some());
    let refused = db.put_item(ItemBuilder::new().number("n", 1).build()).unwrap_err().to_string();
    assert!(refused.ends_with("Missing the key pk in the item"), "{refused}");
    Ok(())
}

#[test]
fn a_schema_names_and_types_its_key_in_json() -> Result<()> {
    let text = r#"{"partition_key":{"name":"player","type":"S"},"sort_key":{"name":"score","type":"N"}}"#;
    assert_eq!(TableSchema::from_json(text)?, scores());
    assert_eq!(scores().to_json(), text);
    for wrong in [
        r#"{"sort_key":{"name":"score","type":"N"}}"#,
        r#"{"partition_key":{"name":"player","type":"L"}}"#,
        r#"{"partition_key":{"name":"","type":"S"}}"#,
        r#"{"partition_key":"player"}"#,
        r#"{"partition_key":{"name":"a","type":"S"},"sort_key":{"name":"a","type":"S"}}"#,
    ] {
        assert!(TableSchema::from_json(wrong).is_err(), "{wrong}");
    }
    Ok(())
}
