//! Queries, scans, iterators, cursors and tokens of tables whose keys have names and types.

use kstone_api::{
    Database, Error, Item, ItemBuilder, KeyType, KeystoneValue as Value, PreparedValues, Query, QueryResult, ReadKeys,
    ReadRequest, Record, Result, Scan, Select, SortKeyCondition, TableSchema,
};

const SCORES: [&str; 8] = ["-12.5", "-3", "0", "0.5", "7", "20", "100", "1000000000000"];

fn scores() -> Result<Database> {
    let schema = TableSchema::new().partition_key("player", KeyType::S).sort_key("score", KeyType::N);
    let db = Database::create_in_memory_with_schema(schema)?;
    for (at, score) in SCORES.iter().enumerate().rev() {
        for player in ["ann", "bob"] {
            db.put_with_sk(player.as_bytes(), score.as_bytes(), ItemBuilder::new().number("place", at as i64).build())?;
        }
    }
    Ok(db)
}

fn shown(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item["score"].as_number().expect("a number").as_str()).collect()
}

fn of(player: &str) -> Query {
    Query::new().partition_key(player.as_bytes())
}

fn bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("refused").to_string()
}

#[test]
fn keys_are_given_as_the_text_of_their_values() -> Result<()> {
    let db = scores()?;
    let scores = |condition: SortKeyCondition| -> Result<Vec<String>> {
        let found = db.query(of("ann").sort_key(condition.clone()))?;
        let keys = ReadKeys::Partition { partition_key: b"ann", sort_key: SortKeyCondition::Any };
        assert_eq!(db.read(&ReadRequest { keys, ..ReadRequest::default() })?.count, SCORES.len());
        let iterated: Vec<Item> =
            db.iter_query(&of("ann").sort_key(condition))?.map(|record| record.item().to_item()).collect();
        assert_eq!(iterated, found.items);
        assert!(found.items.iter().all(|item| item["player"] == Value::string("ann")));
        Ok(shown(&found.items).into_iter().map(str::to_owned).collect())
    };
    assert_eq!(scores(SortKeyCondition::Any)?, SCORES);
    assert_eq!(scores(SortKeyCondition::Eq(bytes("7.0")))?, ["7"]);
    assert_eq!(scores(SortKeyCondition::Lt(bytes("0")))?, ["-12.5", "-3"]);
    assert_eq!(scores(SortKeyCondition::Le(bytes("0e5")))?, ["-12.5", "-3", "0"]);
    assert_eq!(scores(SortKeyCondition::Gt(bytes("99.9")))?, ["100", "1000000000000"]);
    assert_eq!(scores(SortKeyCondition::Ge(bytes("1E12")))?, ["1000000000000"]);
    assert_eq!(scores(SortKeyCondition::Between(bytes("-3"), bytes("7")))?, ["-3", "0", "0.5", "7"]);
    let reverse = db.query(of("ann").reverse(true).limit(2))?;
    assert_eq!(shown(&reverse.items), ["1000000000000", "100"]);
    Ok(())
}

#[test]
fn what_is_no_key_is_refused() -> Result<()> {
    let db = scores()?;
    let with = |condition: SortKeyCondition| refused(db.query(of("ann").sort_key(condition)));
    assert!(with(SortKeyCondition::Eq(bytes("seven"))).contains("the key attribute score is of type N"));
    assert_eq!(
        with(SortKeyCondition::BeginsWith(bytes("1"))),
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"
    );
    assert!(with(SortKeyCondition::Between(bytes("10"), bytes("9"))).contains("BETWEEN"));
    assert!(with(SortKeyCondition::Gt(Vec::new())).ends_with("Key: score"));
    assert!(refused(db.query(Query::new().partition_key(b"\xFF"))).contains("the key attribute player is of type S"));
    assert!(refused(db.query(Query::new())).ends_with("cannot contain an empty string value. Key: player"));
    let alone = Database::create_in_memory_with_schema(TableSchema::new().partition_key("id", KeyType::N))?;
    alone.put(b"5", Item::new())?;
    assert_eq!(alone.query(Query::new().partition_key(b"5.0"))?.count, 1);
    let sorted = Query::new().partition_key(b"5").sort_key(SortKeyCondition::Gt(bytes("1")));
    assert_eq!(refused(alone.query(sorted)), "Query key condition not supported");
    Ok(())
}

fn asked(text: &str) -> Query {
    Query::new()
        .key_condition_expression(text)
        .expression_value(":p", Value::string("ann"))
        .expression_value(":n", Value::number(7))
}

#[test]
fn key_conditions_use_the_tables_names_and_types() -> Result<()> {
    let db = scores()?;
    let found = db.query(asked("player = :p AND score >= :n"))?;
    assert_eq!(shown(&found.items), ["7", "20", "100", "1000000000000"]);
    let turned = db.query(asked("score < :n AND :p = player").reverse(true))?;
    assert_eq!(shown(&turned.items), ["0.5", "0", "-3", "-12.5"]);
    for (text, refusal) in [
        ("player = :n AND score = :p", "Condition parameter type does not match schema type"),
        ("player = :p AND score = :p AND score = :n", "must only contain one condition per key"),
        ("pk = :p AND score = :n", "Query condition missed key schema element: player"),
        ("player = :p AND place = :n", "Query condition missed key schema element: score"),
        (
            "player = :p AND begins_with(score, :n)",
            "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        ("player > :p AND score = :n", "Query key condition not supported"),
    ] {
        let refused = refused(db.query(asked(text)));
        assert!(refused.contains(refusal), "{text}: {refused}");
    }
    let both = asked("player = :p AND score = :n").partition_key(b"ann");
    assert!(refused(db.query(both)).contains("not both"));
    Ok(())
}

#[test]
fn filters_and_projections_see_the_key() -> Result<()> {
    let db = scores()?;
    let of_key = asked("player = :p AND score > :n").filter_expression("score > :n");
    assert!(refused(db.query(of_key)).contains("Primary key attribute: score"));
    let above = Scan::new().filter_expression("score > :n").expression_value(":n", Value::number(99));
    assert_eq!(db.scan(above)?.count, 4);
    let projected = db.query(asked("player = :p AND score = :n").projection_expression("score, place"))?;
    let expected = Item::from([("score".to_owned(), Value::number(7)), ("place".to_owned(), Value::number(4))]);
    assert_eq!(projected.items, [expected]);
    let keys = db.query(of("ann").limit(1).select(Select::KeysOnly))?;
    let expected = ItemBuilder::new().string("player", "ann").build();
    assert_eq!(keys.items.len(), 1);
    assert_eq!(keys.items[0]["player"], expected["player"]);
    assert_eq!((keys.items[0].len(), keys.items[0]["score"].as_number().map(String::as_str)), (2, Some("-12.5")));
    assert_eq!(db.query(of("bob").select(Select::Count))?.count, SCORES.len());
    assert_eq!(db.scan(Scan::new().select(Select::Count))?.count, 2 * SCORES.len());
    Ok(())
}

#[test]
fn prepared_queries_are_of_the_tables_key() -> Result<()> {
    let db = scores()?;
    let prepared =
        db.prepare_query(&Query::new().key_condition_expression("player = :p AND score BETWEEN :a AND :b"))?;
    let run = |values: [Value; 3], limit, token: Option<&[u8]>| {
        let values = PreparedValues::encode(&values)?;
        prepared.run(&db, &values.lent(), limit, token)
    };
    let values = || [Value::string("ann"), Value::number(-3), Value::number(20)];
    let page = run(values(), None, None)?;
    assert_eq!(page.count, 5);
    let first = run(values(), Some(3), None)?;
    assert_eq!(run(values(), None, first.token.as_deref())?.count, 2);
    let wrong = run([Value::string("ann"), Value::string("a"), Value::string("b")], None, None);
    assert!(refused(wrong).contains("Condition parameter type does not match schema type"));
    let reversed = run([Value::string("ann"), Value::number(20), Value::number(-3)], None, None);
    assert!(matches!(reversed, Err(Error::Invalid(_))));
    let other = TableSchema::new().partition_key("player", KeyType::S).sort_key("score", KeyType::S);
    let other = Database::create_in_memory_with_schema(other)?;
    other.put_with_sk(b"ann", b"b", Item::new())?;
    let texts = PreparedValues::encode(&[Value::string("ann"), Value::string("a"), Value::string("c")])?;
    assert_eq!(prepared.run(&other, &texts.lent(), None, None)?.count, 1, "the same names with other types");
    let filtered = Query::new().key_condition_expression("player = :p").filter_expression("place > :a");
    let filtered = db.prepare_query(&filtered)?;
    let values = PreparedValues::encode(&[Value::string("ann"), Value::number(5)])?;
    assert_eq!(filtered.iter(&db, &values.lent(), None)?.count(), 2);
    Ok(())
}

#[test]
fn a_cursor_seeks_numbers() -> Result<()> {
    let db = scores()?;
    let number = |record: Option<&Record>| {
        record.map(|record| record.item().get("score").and_then(|value| value.as_number()).map(str::to_owned))
    };
    let mut cursor = db.cursor_query(&of("ann"))?;
    assert_eq!(number(cursor.seek(b"ann", b"8")?), Some(Some("20".to_owned())));
    assert_eq!(number(cursor.prev()?), Some(Some("7".to_owned())));
    assert_eq!(number(cursor.seek(b"", b"-3.00")?), Some(Some("-3".to_owned())));
    assert_eq!(number(cursor.seek(b"ann", b"")?), Some(Some("-12.5".to_owned())));
    assert!(number(cursor.seek(b"ann", b"1e13")?).is_none());
    assert!(cursor.seek(b"ann", b"x").is_err());
    assert!(cursor.seek(b"bob", b"1").is_err());
    let mut cursor = db.cursor_scan(&Scan::new())?;
    assert_eq!(number(cursor.seek(b"bob", b"100.0")?), Some(Some("100".to_owned())));
    Ok(())
}

fn all_pages(db: &Database, query: &Query, limit: usize) -> Result<Vec<Item>> {
    let (mut items, mut token): (Vec<Item>, Option<Vec<u8>>) = (Vec::new(), None);
    loop {
        let query = query.clone().limit(limit);
        let QueryResult { items: more, token: next, .. } = db.query(match &token {
            Some(token) => query.token(token),
            None => query,
        })?;
        items.extend(more);
        match next {
            Some(next) => token = Some(next),
            None => return Ok(items),
        }
    }
}

#[test]
fn tokens_go_on_where_pages_end_and_fit_no_other_key() -> Result<()> {
    let db = scores()?;
    for limit in 1..=SCORES.len() + 1 {
        assert_eq!(shown(&all_pages(&db, &of("ann"), limit)?), SCORES);
        let filtered = of("ann").filter_expression("place <> :n").expression_value(":n", Value::number(3));
        assert_eq!(all_pages(&db, &filtered, limit)?.len(), SCORES.len() - 1);
        let mut seen = 0;
        let mut scan = Scan::new().limit(limit);
        loop {
            let page = db.scan(scan.clone())?;
            seen += page.count;
            let Some(token) = page.token else { break };
            scan = scan.token(&token);
        }
        assert_eq!(seen, 2 * SCORES.len());
    }
    let token = db.query(of("ann").limit(1))?.token.expect("more");
    for other in [
        of("bob"),
        of("ann").reverse(true),
        of("ann").sort_key(SortKeyCondition::Gt(bytes("1"))),
        of("ann").sort_key(SortKeyCondition::Eq(bytes("1"))),
    ] {
        assert!(refused(db.query(other.token(&token))).contains("belongs to another request"));
    }
    let same = db.query(of("ann").sort_key(SortKeyCondition::Gt(bytes("1.0"))).limit(1))?.token.expect("more");
    let same = of("ann").sort_key(SortKeyCondition::Gt(bytes("1"))).token(&same);
    assert_eq!(shown(&db.query(same)?.items), ["20", "100", "1000000000000"], "one number, however it is written");
    // A token that is whole but of a key of another type.
    let texts = TableSchema::new().partition_key("player", KeyType::S).sort_key("score", KeyType::S);
    let texts = Database::create_in_memory_with_schema(texts)?;
    for score in ["plain text", "more"] {
        texts.put_with_sk(b"ann", score.as_bytes(), Item::new())?;
    }
    let token = texts.query(of("ann").limit(1))?.token.expect("more");
    assert!(refused(db.query(of("ann").token(&token))).contains("belongs to another request"));
    let token = texts.scan(Scan::new().limit(1))?.token.expect("more");
    assert!(refused(db.scan(Scan::new().token(&token))).contains("belongs to another request"));
    Ok(())
}

fn key(player: &str, score: i64) -> Item {
    ItemBuilder::new().string("player", player).number("score", score).build()
}

#[test]
fn a_page_begins_behind_a_key_that_need_not_exist() -> Result<()> {
    let db = scores()?;
    let behind = |query: Query, score: i64| db.query(query.start_after(&key("ann", score))?);
    assert_eq!(shown(&behind(of("ann"), 8)?.items), ["20", "100", "1000000000000"]);
    assert_eq!(shown(&behind(of("ann"), 20)?.items), ["100", "1000000000000"]);
    assert_eq!(shown(&behind(of("ann").reverse(true), 0)?.items), ["-3", "-12.5"]);
    let page = behind(of("ann").limit(1), 8)?;
    let next = of("ann").token(&page.token.expect("more"));
    assert_eq!(shown(&db.query(next)?.items), ["100", "1000000000000"], "a token goes on from there");
    let range = || of("ann").sort_key(SortKeyCondition::Between(bytes("0"), bytes("20")));
    assert_eq!(shown(&behind(range(), 1)?.items), ["7", "20"]);
    let outside = "The provided starting key is outside query boundaries based on provided conditions";
    assert_eq!(refused(behind(range(), 21)), outside);
    assert_eq!(refused(behind(of("bob"), 1)), outside);
    let mismatch = "The provided starting key is invalid: The provided key element does not match the schema";
    let text = ItemBuilder::new().string("player", "ann").string("score", "1").build();
    let more = ItemBuilder::new().string("player", "ann").number("score", 1).number("place", 1).build();
    let less = ItemBuilder::new().string("player", "ann").build();
    for wrong in [text, more, less, Item::new()] {
        assert_eq!(refused(db.query(of("ann").start_after(&wrong)?)), mismatch);
        assert_eq!(refused(db.scan(Scan::new().start_after(&wrong)?)), mismatch);
    }
    let iterated = db.iter_query(&of("ann").start_after(&key("ann", 8))?)?.count();
    assert_eq!(iterated, 3);
    let token = db.query(of("ann").limit(1))?.token.expect("more");
    assert!(refused(behind(of("ann").token(&token), 1)).contains("not both"));
    assert!(db.cursor_query(&of("ann").start_after(&key("ann", 8))?).is_err());
    assert!(db.prepare_query(&of("ann").start_after(&key("ann", 8))?).is_err());
    Ok(())
}

#[test]
fn a_scan_begins_behind_a_key_of_its_segment() -> Result<()> {
    let db = scores()?;
    let all = db.scan(Scan::new())?.items;
    for (at, item) in all.iter().enumerate() {
        let start = Item::from(["player", "score"].map(|name| (name.to_owned(), item[name].clone())));
        let page = db.scan(Scan::new().start_after(&start)?)?;
        assert_eq!(page.items, all[at + 1..]);
        assert_eq!(db.iter_scan(&Scan::new().start_after(&start)?)?.count(), all.len() - at - 1);
    }
    let start = key("ann", 7);
    let in_segment = |segment| db.scan(Scan::new().segment(segment, 7).start_after(&start)?);
    let (mine, others): (Vec<_>, Vec<_>) = (0..7).map(in_segment).partition(Result::is_ok);
    assert_eq!((mine.len(), others.len()), (1, 6));
    assert!(
        refused(others.into_iter().next().expect("six")).contains("with correct Segment. TotalSegments: 7 Segment: ")
    );
    Ok(())
}

#[test]
fn binary_keys_are_in_the_order_of_unsigned_bytes() -> Result<()> {
    let schema = TableSchema::new().partition_key("p", KeyType::B).sort_key("s", KeyType::B);
    let db = Database::create_in_memory_with_schema(schema)?;
    let sorts = [&[0_u8][..], &[0, 0], &[1], b"a", &[0x7F], &[0x80], &[0xFF], &[0xFF, 0]];
    for sort in sorts {
        db.put_with_sk(&[0xFF, 0], sort, Item::new())?;
    }
    let page = db.query_page(&Query::new().partition_key(&[0xFF, 0]))?;
    let found: Vec<&[u8]> = page.records.iter().map(Record::sk).collect();
    assert_eq!(found, sorts);
    assert_eq!(
        page.records[3].item().get("s").and_then(|value| value.as_bytes()),
        Some(&b"a"[..]),
        "B, also where it is text"
    );
    let prefixed = Query::new().partition_key(&[0xFF, 0]).sort_key(SortKeyCondition::BeginsWith(vec![0xFF]));
    assert_eq!(db.query(prefixed)?.count, 2);
    Ok(())
}
