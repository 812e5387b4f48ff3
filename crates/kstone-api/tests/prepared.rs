//! Prepared writes, queries and statements: what one text did once, its prepared form does at every run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use kstone_api::expression::{Parameters, ReturnValues};
use kstone_api::{
    Database, Error, GlobalSecondaryIndex, Item, ItemBuilder, KeystoneValue, Operation, PreparedValues, Query, Result,
    Select, Statement, TableSchema, Type, ValueRef, Write, WriteRun, WriteTemplate,
};

fn values(values: &[KeystoneValue]) -> PreparedValues {
    PreparedValues::encode(values).unwrap()
}

fn number(number: i64) -> KeystoneValue {
    KeystoneValue::number(number)
}

fn text(text: &str) -> KeystoneValue {
    KeystoneValue::string(text)
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

fn n_of(db: &Database, pk: &[u8]) -> Option<String> {
    db.get(pk).unwrap()?.get("n")?.as_number().cloned()
}

#[test]
fn an_update_runs_many_times_with_other_values_and_keys() -> Result<()> {
    let db = Database::create_in_memory()?;
    let template = WriteTemplate::update("SET #n = if_not_exists(#n, :zero) + :by").name("#n", "n");
    let add = db.prepare_write(&template.condition("attribute_not_exists(closed) AND :by > :zero"))?;
    assert_eq!(add.parameters().collect::<Vec<_>>(), [":zero", ":by"]);
    for (key, by, sum) in [("a", 2, "2"), ("b", 5, "5"), ("a", 40, "42")] {
        let given = values(&[number(0), number(by)]);
        let run = WriteRun::of_key(key.as_bytes(), b"");
        let new = add.run(&db, &run.values(&given.lent()).return_values(ReturnValues::AllNew))?.unwrap();
        assert_eq!(new.item().get("n").and_then(ValueRef::as_number), Some(sum));
    }
    let given = values(&[number(0), number(-1)]);
    let refused = add.run(&db, &WriteRun::of_key(b"a", b"").values(&given.lent()));
    assert_eq!(refused, Err(Error::ConditionFailed { item: None }));
    assert_eq!((n_of(&db, b"a").unwrap().as_str(), n_of(&db, b"b").unwrap().as_str()), ("42", "5"));
    Ok(())
}

/// Every pair of a template and its one-shot form, with values of every type, does and refuses the same.
#[test]
fn a_prepared_write_does_what_the_write_does() {
    let some = [
        number(1),
        text("x"),
        KeystoneValue::bool(true),
        KeystoneValue::null(),
        KeystoneValue::list([number(1), text("y")]),
        KeystoneValue::map([("m", number(7))]),
        KeystoneValue::SS(vec!["a".into(), "b".into()]),
        KeystoneValue::NS(vec!["1".into(), "2".into()]),
    ];
    let updates = [
        "SET n = :v",
        "SET n = n + :v",
        "SET n = :v - n",
        "SET l = list_append(l, :v)",
        "SET a.b = :v",
        "ADD n :v",
        "ADD s :v",
        "DELETE s :v",
        "SET n = :v, o = :v REMOVE l[0]",
    ];
    let conditions = [None, Some("n = :v"), Some("n < :v AND attribute_exists(l)"), Some("attribute_type(n, :v)")];
    let item = || {
        ItemBuilder::new()
            .number("n", 5)
            .value("l", KeystoneValue::list([number(1)]))
            .value("a", KeystoneValue::map([("b", text("c"))]))
            .value("s", KeystoneValue::NS(vec!["2".into(), "3".into()]))
            .build()
    };
    for update in updates {
        for condition in conditions {
            let (plain, prepared) = (Database::create_in_memory().unwrap(), Database::create_in_memory().unwrap());
            let mut template = WriteTemplate::update(update).return_old_on_failure();
            template = condition.map_or(template.clone(), |condition| template.condition(condition));
            let write = prepared.prepare_write(&template).unwrap();
            for value in &some {
                plain.put(b"k", item()).unwrap();
                prepared.put(b"k", item()).unwrap();
                let mut once = Write::update(b"k", update).value(":v", value.clone()).return_old_on_failure();
                once = condition.map_or(once.clone(), |condition| once.condition(condition));
                let once = plain.write(once.return_values(ReturnValues::UpdatedNew));
                let given = values(std::slice::from_ref(value));
                let run = WriteRun::of_key(b"k", b"").return_values(ReturnValues::UpdatedNew);
                let many = write.run(&prepared, &run.values(&given.lent()));
                assert_eq!(many, once, "{update} {condition:?} {value:?}");
                assert_eq!(prepared.get(b"k").unwrap(), plain.get(b"k").unwrap(), "{update} {condition:?} {value:?}");
            }
        }
    }
}

#[test]
fn puts_deletes_and_checks_are_prepared() -> Result<()> {
    let db = Database::create_in_memory()?;
    let mut item = kstone_api::ItemWriter::new();
    item.set_i64("n", 1)?;
    let body = item.finish();
    let insert = db.prepare_write(&WriteTemplate::put().condition("attribute_not_exists(pk)"))?;
    let run = WriteRun::of_key(b"a", b"s").item(body);
    insert.run(&db, &run)?;
    assert_eq!(insert.run(&db, &run), Err(Error::ConditionFailed { item: None }));
    let names = Parameters::from_maps([("#n", "n")], &Item::new())?;
    let delete = db.prepare_write(&WriteTemplate::delete().condition("#n = :n").names(names))?;
    let (one, two) = (values(&[number(1)]), values(&[number(2)]));
    let run = WriteRun::of_key(b"a", b"s").return_values(ReturnValues::AllOld);
    assert!(matches!(delete.run(&db, &run.values(&two.lent())), Err(Error::ConditionFailed { .. })));
    let check = db.prepare_write(&WriteTemplate::check("n = :n"))?;
    let of_check = |given: &PreparedValues| {
        let operation = Operation::from(check.bound(&WriteRun::of_key(b"a", b"s").values(&given.lent())).unwrap());
        db.transact(&[operation, Write::put(b"other", Item::new()).into()])
    };
    assert_eq!(of_check(&two).unwrap_err().operation, Some(0));
    of_check(&one).unwrap();
    assert!(db.get(b"other")?.is_some());
    assert!(delete.run(&db, &run.values(&one.lent()))?.is_some());
    assert_eq!(db.get_with_sk(b"a", b"s")?, None);
    Ok(())
}

#[test]
fn what_is_bound_to_a_batch_is_a_copy() -> Result<()> {
    let db = Database::create_in_memory()?;
    let set = db.prepare_write(&WriteTemplate::update("SET n = :n").condition("attribute_not_exists(n) OR n < :n"))?;
    let put = db.prepare_write(&WriteTemplate::put())?;
    let mut operations: Vec<Operation> = Vec::new();
    for at in 1..=3 {
        let key = format!("k{at}");
        let given = values(&[number(at)]);
        operations.push(set.bound(&WriteRun::of_key(key.as_bytes(), b"").values(&given.lent()))?.into());
    }
    let body = kstone_api::ItemWriter::new().set_i64("n", 9)?.finish().to_vec();
    operations.push(put.bound(&WriteRun::of_key(b"k4", b"").item(&body))?.into());
    drop((set, put, body));
    db.transact(&operations).unwrap();
    assert_eq!((n_of(&db, b"k3").as_deref(), n_of(&db, b"k4").as_deref()), (Some("3"), Some("9")));
    // The same operations again: now the conditions do not hold.
    assert_eq!(db.transact(&operations).unwrap_err().operation, Some(0));
    assert_eq!(db.operate_each(&operations[3..]).unwrap(), []);
    Ok(())
}

#[test]
fn what_is_wrong_is_said_when_it_is_prepared_as_far_as_no_value_is_needed() -> Result<()> {
    let db = Database::create_in_memory()?;
    let update = |text: &str| message(db.prepare_write(&WriteTemplate::update(text)));
    assert!(update("SET n = ").starts_with("Invalid UpdateExpression: Syntax error"));
    assert!(update("SET #n = :v").contains("attribute name: #n"));
    assert!(update("SET pk = :v").contains("Cannot update attribute pk"));
    assert!(update("SET a = :v, a.b = :v").contains("paths overlap"));
    let template = WriteTemplate::update("SET n = :v").name("#n", "n");
    assert!(message(db.prepare_write(&template)).contains("unused in expressions: keys: {#n}"));
    let fixed = Parameters::from_maps([], &Item::from([(":v".to_owned(), number(1))]))?;
    let template = WriteTemplate::update("SET n = :v").names(fixed);
    assert!(message(db.prepare_write(&template)).starts_with(":v is a value"));
    let size = WriteTemplate::check("size(a, b) = :v");
    assert!(message(db.prepare_write(&size)).starts_with("Invalid ConditionExpression"));

    let query = |query: Query| message(db.prepare_query(&query));
    assert!(query(Query::new().key_condition_expression("pk > :p")).contains("Query key condition not supported"));
    assert!(query(Query::new().index("none").key_condition_expression("a = :p")).contains("none"));
    let counts = Query::new().key_condition_expression("pk = :p").projection_expression("a").select(Select::Count);
    assert!(query(counts).contains("Cannot specify the ProjectionExpression"));
    assert!(query(Query::new().partition_key(b"p").token(b"t")).contains("token"));

    let statement = |text: &str| message(db.prepare_statement(text));
    assert!(statement("SELECT FROM items").contains("Statement wasn't well formed"));
    assert!(statement("SELECT * FROM other").contains("other not found"));
    assert!(statement("SELECT * FROM items.\"none\" WHERE a = 1").contains("none"));
    Ok(())
}

#[test]
fn a_run_refuses_values_that_do_not_fit_and_changes_nothing() -> Result<()> {
    let db = Database::create_in_memory()?;
    let update = db.prepare_write(&WriteTemplate::update("SET n = n + :a").condition("m = :b"))?;
    let run = |given: &[KeystoneValue]| {
        let given = values(given);
        message(update.run(&db, &WriteRun::of_key(b"k", b"").values(&given.lent())))
    };
    let wrong_number = "which has 2 parameters (:a, :b): found";
    assert!(run(&[]).ends_with(&format!("{wrong_number} 0")), "{}", run(&[]));
    assert!(run(&[number(1), number(2), number(3)]).ends_with(&format!("{wrong_number} 3")));
    assert!(run(&[text("x"), number(1)]).contains("Incorrect operand type for operator or function; operator"));
    let empty_key = update.run(&db, &WriteRun::of_key(b"", b"").values(&values(&[number(1), number(1)]).lent()));
    assert!(matches!(empty_key, Err(Error::Invalid(_))));
    let with_item = WriteRun::of_key(b"k", b"").item(&[]);
    let given = values(&[number(1), number(2)]);
    assert!(message(update.run(&db, &with_item.values(&given.lent()))).contains("which is no put"));
    let put = db.prepare_write(&WriteTemplate::put())?;
    assert!(message(put.run(&db, &WriteRun::of_key(b"k", b""))).contains("needs the item"));
    assert!(message(put.run(&db, &with_item.values(&given.lent()))).contains("no parameters: found 2"));
    let new = WriteRun::of_key(b"k", b"").item(&[]).return_values(ReturnValues::AllNew);
    assert!(message(put.run(&db, &new)).contains("returns NONE or ALL_OLD"));
    let returning = WriteRun::of_key(b"k", b"").item(&[]).return_values(ReturnValues::AllOld);
    assert!(message(put.bound(&returning)).contains("returns nothing"));

    let query = db.prepare_query(&Query::new().key_condition_expression("pk = :p"))?;
    assert!(message(query.run(&db, &[], None, None)).contains("1 parameter (:p): found 0"));
    assert!(message(query.run(&db, &values(&[number(1)]).lent(), None, None)).contains("does not match schema type"));
    assert!(message(query.run(&db, &values(&[text("p")]).lent(), Some(0), None)).to_lowercase().contains("limit"));

    let insert = db.prepare_statement("INSERT INTO items VALUE {'pk': ?, 'n': ?}")?;
    assert!(message(insert.run(&db, &values(&[text("a")]).lent())).contains("2 parameters (?1, ?2): found 1"));
    assert!(message(insert.run(&db, &values(&[number(1), number(1)]).lent())).contains("Type mismatch for key pk"));
    let page = insert.run_page(&db, &values(&[text("a"), number(1)]).lent(), None, Some(b"token"));
    assert!(message(page).contains("a write has no pages"));
    assert!(message(PreparedValues::encode(&[number(1), KeystoneValue::SS(Vec::new())])).ends_with("(value 2)"));
    assert_eq!(db.count()?, 0);
    Ok(())
}

#[test]
fn a_query_reads_page_after_page_and_as_an_iterator() -> Result<()> {
    let db = Database::create_in_memory()?;
    for n in 0..20 {
        let item = ItemBuilder::new().number("n", n).string("tag", if n % 2 == 0 { "even" } else { "odd" }).build();
        db.put_with_sk(b"p", format!("{n:02}").as_bytes(), item)?;
    }
    let request = Query::new()
        .key_condition_expression("pk = :p AND sk >= :from")
        .filter_expression("#t = :tag AND n < :below")
        .projection_expression("#t, n")
        .expression_name("#t", "tag")
        .reverse(true);
    let prepared = db.prepare_query(&request)?;
    assert_eq!(prepared.parameters().collect::<Vec<_>>(), [":p", ":from", ":tag", ":below"]);
    let given = [text("p"), text("04"), text("odd"), number(15)];
    let once = [":p", ":from", ":tag", ":below"].into_iter().zip(&given);
    let once = once.fold(request, |request, (name, value)| request.expression_value(name, value.clone()));
    let given = values(&given);
    let (mut token, mut pages): (Option<Vec<u8>>, usize) = (None, 0);
    loop {
        let asked = once.clone().limit(3);
        let expected = match &token {
            None => db.query_page(&asked)?,
            Some(token) => db.query_page(&asked.token(token))?,
        };
        let page = prepared.run(&db, &given.lent(), Some(3), token.as_deref())?;
        assert_eq!((&page.records, page.count, page.scanned), (&expected.records, expected.count, expected.scanned));
        assert_eq!(page.token, expected.token, "tokens go on with either");
        pages += 1;
        token = page.token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, 6);
    let all: Vec<_> = prepared.iter(&db, &given.lent(), None)?.collect();
    assert_eq!(all, db.iter_query(&once)?.collect::<Vec<_>>());
    assert_eq!(all.len(), 5);
    assert!(all[0].item().get("pk").is_none(), "projected");
    assert_eq!(prepared.iter(&db, &given.lent(), Some(8))?.count(), 1);
    Ok(())
}

/// What a key condition asks is read once: whatever the values of a run are, its page or its refusal is that of the query
/// as text.
#[test]
fn a_key_condition_that_was_read_once_gives_or_refuses_what_its_text_does() -> Result<()> {
    let by_n = GlobalSecondaryIndex::new("by-n", "pk").sort_key("n");
    let db = Database::create_in_memory_with_schema(TableSchema::new().add_global_index(by_n))?;
    for n in 0..12 {
        let item = ItemBuilder::new().string("pk", "p").number("n", n % 5).build();
        db.put_with_sk(b"p", format!("{n:02}").as_bytes(), item)?;
    }
    let operands = [
        text("p"),
        text("04"),
        text("10"),
        text(""),
        number(3),
        number(10),
        number(-1),
        KeystoneValue::binary(&b"07"[..]),
        KeystoneValue::binary(&b""[..]),
        KeystoneValue::Bool(true),
        KeystoneValue::Null,
        KeystoneValue::list([number(1)]),
    ];
    let asked = ["", "S = :a", "S < :a", ":a <= S", "S BETWEEN :a AND :b", "begins_with(S, :a)"];
    let operands = &operands[..];
    for (index, sort, condition) in asked.iter().flat_map(|asked| [(None, "sk", asked), (Some("by-n"), "n", asked)]) {
        let condition = condition.replace('S', sort);
        let text_of = if condition.is_empty() { "pk = :p".to_owned() } else { format!("pk = :p AND {condition}") };
        let mut query = Query::new().key_condition_expression(&text_of).limit(3);
        if let Some(index) = index {
            query = query.index(index);
        }
        let prepared = db.prepare_query(&query)?;
        let names: Vec<&str> = prepared.parameters().collect();
        let pairs = operands.iter().flat_map(|a| operands.iter().map(move |b| (a, b)));
        for (p, (a, b)) in operands[..5].iter().flat_map(|p| pairs.clone().map(move |pair| (p, pair))) {
            let of = |name: &str| {
                if name == ":p" {
                    p
                } else if name == ":a" {
                    a
                } else {
                    b
                }
            };
            let given = names.iter().map(|name| of(name).clone()).collect::<Vec<_>>();
            let asked = names.iter().fold(query.clone(), |query, name| query.expression_value(name, of(name).clone()));
            let given = values(&given);
            let shown = |page: kstone_api::Page| (page.records, page.count, page.token);
            let (found, expected) = (prepared.run(&db, &given.lent(), None, None), db.query_page(&asked));
            assert_eq!(found.map(shown), expected.map(shown), "{text_of} {p:?} {a:?} {b:?}");
        }
    }
    Ok(())
}

#[test]
fn statements_give_what_they_give_unprepared() -> Result<()> {
    let db = Database::create_in_memory()?;
    let insert = db.prepare_statement("INSERT INTO items VALUE {'pk': ?, 'sk': ?, 'n': ?, 'l': [?, 1]}")?;
    for n in 0..10 {
        insert.run(&db, &values(&[text("p"), text(&n.to_string()), number(n), text("x")]).lent())?;
    }
    let cases: [(&str, Vec<KeystoneValue>); 6] = [
        ("SELECT * FROM items WHERE pk = ? AND sk = ?", vec![text("p"), text("3")]),
        ("SELECT n FROM items WHERE pk = 'p' AND n BETWEEN ? AND ? ORDER BY sk DESC", vec![number(2), number(5)]),
        ("SELECT COUNT(*) AS c FROM items WHERE n IN [?, ?, 7]", vec![number(1), number(2)]),
        ("SELECT * FROM items WHERE l = [?, 1] LIMIT ?", vec![text("x"), number(3)]),
        ("UPDATE items SET n = n + ? WHERE pk = ? AND sk = '0' RETURNING ALL NEW *", vec![number(5), text("p")]),
        ("DELETE FROM items WHERE pk = ? AND sk = ?", vec![text("p"), text("9")]),
    ];
    for (text, given) in cases {
        let (left, right) = (db.fork()?, db.fork()?);
        let once = left.execute_statement(&Statement::new(text).parameters(given.clone()))?;
        let prepared = db.prepare_statement(text)?;
        assert_eq!(prepared.run(&right, &values(&given).lent())?, once, "{text}");
        let all = Statement::new("SELECT * FROM items");
        assert_eq!(left.execute_statement(&all)?, right.execute_statement(&all)?, "{text}");
    }
    // A token of either goes on with the other.
    let select = db.prepare_statement("SELECT * FROM items WHERE pk = ?")?;
    let given = values(&[text("p")]);
    let first = select.run_page(&db, &given.lent(), Some(4), None)?;
    let once = Statement::new(select.text()).parameter(text("p")).limit(4);
    assert_eq!(db.execute_statement(&once)?.token, first.token);
    let rest = select.run_page(&db, &given.lent(), None, first.token.as_deref())?;
    assert_eq!((first.records.len(), rest.records.len()), (4, 6));
    Ok(())
}

#[test]
fn statements_are_bound_to_batches_and_transactions() -> Result<()> {
    let db = Database::create_in_memory()?;
    let insert = db.prepare_statement("INSERT INTO items VALUE {'pk': ?, 'n': ?}")?;
    let update = db.prepare_statement("UPDATE items SET n = n + ? WHERE pk = ?")?;
    let inserts: Vec<Statement> =
        (0..200).map(|n| insert.bound(&values(&[text(&format!("k{n}")), number(n)]).lent())).collect::<Result<_>>()?;
    assert!(db.batch_execute_statement(&inserts)?.iter().all(std::result::Result::is_ok));
    let both = [
        update.bound(&values(&[number(100), text("k1")]).lent())?,
        insert.bound(&values(&[text("new"), number(1)]).lent())?,
    ];
    db.execute_transaction(&both)?;
    assert_eq!((n_of(&db, b"k1").as_deref(), n_of(&db, b"new").as_deref()), (Some("101"), Some("1")));
    let failed = db.execute_each(&both).unwrap_err();
    assert_eq!((failed.operation, failed.error), (Some(1), Error::DuplicateItem));
    assert_eq!(n_of(&db, b"k1").as_deref(), Some("201"));
    assert!(message(insert.bound(&[])).contains("found 0"));
    Ok(())
}

#[test]
fn it_runs_on_forks_and_other_databases_and_outlives_its_own() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"a", ItemBuilder::new().number("n", 1).build())?;
    let add = db.prepare_write(&WriteTemplate::update("SET n = n + :by"))?;
    let count = db.prepare_statement("SELECT COUNT(*) AS c FROM items")?;
    let query = db.prepare_query(&Query::new().key_condition_expression("pk = :p"))?;
    let (fork, other) = (db.fork()?, Database::create_in_memory()?);
    let given = values(&[number(1)]);
    add.run(&fork, &WriteRun::of_key(b"a", b"").values(&given.lent()))?;
    assert_eq!((n_of(&db, b"a").as_deref(), n_of(&fork, b"a").as_deref()), (Some("1"), Some("2")));
    drop(db);
    add.run(&fork, &WriteRun::of_key(b"a", b"").values(&given.lent()))?;
    assert_eq!(n_of(&fork, b"a").as_deref(), Some("3"));
    assert_eq!(query.run(&other, &values(&[text("a")]).lent(), None, None)?.count, 0);
    drop(fork);
    assert_eq!(count.run(&other, &[])?.items()[0]["c"].as_number().map(String::as_str), Some("0"));
    Ok(())
}

#[test]
fn a_changed_schema_is_followed_or_refused() -> Result<()> {
    let by_tag = || TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-tag", "tag"));
    let db = Database::create_in_memory_with_schema(by_tag())?;
    db.put(b"a", ItemBuilder::new().string("tag", "x").number("n", 1).build())?;
    let query = db.prepare_query(&Query::new().index("by-tag").key_condition_expression("tag = :t"))?;
    let named = db.prepare_statement("SELECT * FROM items.\"by-tag\" WHERE tag = ?")?;
    let unnamed = db.prepare_statement("SELECT * FROM items WHERE tag = ?")?;
    let x = values(&[text("x")]);
    let x = x.lent();
    assert_eq!((query.run(&db, &x, None, None)?.count, named.run(&db, &x)?.records.len()), (1, 1));
    db.configure(TableSchema::new())?;
    let gone = "The table does not have the specified index: by-tag";
    assert_eq!(message(query.run(&db, &x, None, None)), gone);
    assert_eq!(message(named.run(&db, &x)), gone);
    assert_eq!(unnamed.run(&db, &x)?.records.len(), 1, "planned anew: a scan");
    // The same name, another key.
    db.configure(TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-tag", "n")))?;
    assert!(message(query.run(&db, &x, None, None)).contains("Query condition missed key schema element"));
    db.configure(TableSchema::new())?;
    db.configure(by_tag())?;
    assert_eq!((query.run(&db, &x, None, None)?.count, named.run(&db, &x)?.records.len()), (1, 1));
    Ok(())
}

#[test]
fn many_threads_run_one_at_once() -> Result<()> {
    let db = Database::create_in_memory()?;
    let add = db.prepare_write(&WriteTemplate::update("ADD n :by"))?;
    let select = db.prepare_statement("SELECT n FROM items WHERE pk = ? AND sk IS MISSING")?;
    std::thread::scope(|scope| {
        for thread in 0..4i64 {
            let (db, add, select) = (&db, &add, &select);
            scope.spawn(move || {
                let own = format!("own{thread}");
                for round in 1..=500 {
                    let by = values(&[number(thread + 1)]);
                    add.run(db, &WriteRun::of_key(b"all", b"").values(&by.lent())).unwrap();
                    add.run(db, &WriteRun::of_key(own.as_bytes(), b"").values(&by.lent())).unwrap();
                    let found = select.run(db, &[ValueRef::from_parts(Type::S, own.as_bytes())]).unwrap();
                    let expected = (round * (thread + 1)).to_string();
                    assert_eq!(found.records[0].item().get("n").and_then(ValueRef::as_number), Some(&*expected));
                }
            });
        }
    });
    assert_eq!(n_of(&db, b"all").as_deref(), Some("5000"));
    Ok(())
}
