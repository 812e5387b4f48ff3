//! Queries, scans, pages, tokens and iterators, through the public API.

use kstone_api::{
    Database, DatabaseOptions, Error, GlobalSecondaryIndex, Item, ItemBuilder, ItemRef, KeyType, KeystoneValue,
    LocalSecondaryIndex, Projection, Query, ReadExpression, ReadKeys, ReadRequest, ReadSizes, ReadStart, Result, Scan,
    Select, SortKeyCondition, TableSchema,
};

const PARTITION: &[u8] = b"letters";

/// One partition of sort keys, and others around it; half of it in SSTs.
fn database(sort_keys: &[&[u8]]) -> Result<Database> {
    let db = Database::create_in_memory()?;
    for (at, sk) in sort_keys.iter().enumerate() {
        for pk in [PARTITION, b"letter", b"letters2"] {
            db.put_with_sk(pk, sk, ItemBuilder::new().binary("sk copy", sk).build())?;
        }
        if at == sort_keys.len() / 2 {
            db.flush()?;
        }
    }
    Ok(db)
}

fn sort_keys(items: &[Item]) -> Vec<Vec<u8>> {
    items.iter().map(|item| item["sk copy"].as_bytes().to_vec()).collect()
}

fn queried(db: &Database, condition: SortKeyCondition) -> Result<Vec<Vec<u8>>> {
    Ok(sort_keys(&db.query(Query::new().partition_key(PARTITION).sort_key(condition).build())?.items))
}

#[test]
fn every_condition_selects_by_the_bytes_of_the_sort_key() -> Result<()> {
    use SortKeyCondition::{Any, BeginsWith, Between, Eq, Ge, Gt, Le, Lt};
    let keys: [&[u8]; 7] = [b"a", b"a\0", b"aa", b"ab", b"b", b"\xFF", b"\xFF\xFF"];
    let db = database(&keys)?;
    let key = |bytes: &[u8]| bytes.to_vec();
    let cases: [(SortKeyCondition, &[&[u8]]); 17] = [
        (Any, &keys),
        (Eq(key(b"aa")), &keys[2..3]),
        (Eq(key(b"ac")), &[]),
        (Lt(key(b"aa")), &keys[..2]),
        (Le(key(b"aa")), &keys[..3]),
        (Gt(key(b"aa")), &keys[3..]),
        (Ge(key(b"aa")), &keys[2..]),
        (Lt(key(b"")), &[]),
        (Ge(key(b"")), &keys),
        (Between(key(b"a\0"), key(b"ab")), &keys[1..4]),
        (Between(key(b"b"), key(b"b")), &keys[4..5]),
        (BeginsWith(key(b"a")), &keys[..4]),
        (BeginsWith(key(b"aa")), &keys[2..3]),
        (BeginsWith(key(b"\xFF")), &keys[5..]),
        (BeginsWith(key(b"\xFF\xFF")), &keys[6..]),
        (BeginsWith(key(b"")), &keys),
        (BeginsWith(key(b"c")), &[]),
    ];
    for (condition, expected) in cases {
        assert_eq!(queried(&db, condition.clone())?, expected, "{condition:?}");
    }
    Ok(())
}

#[test]
fn a_partition_without_sort_keys_is_one_item() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put(b"p", ItemBuilder::new().string("name", "no sort key").build())?;
    db.put_with_sk(b"p", b"s", ItemBuilder::new().build())?;
    assert_eq!(db.query(Query::new().partition_key(b"p").build())?.count, 2);
    db.delete(b"p")?;
    assert_eq!(db.query(Query::new().partition_key(b"p").build())?.count, 1);
    Ok(())
}

#[test]
fn pages_in_both_directions_join_to_the_whole() -> Result<()> {
    let keys: Vec<Vec<u8>> = (0..50_u8).map(|i| format!("{i:02}").into_bytes()).collect();
    let db = database(&keys.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
    for reverse in [false, true] {
        for limit in [1, 7, 50, 51] {
            let mut found = Vec::new();
            let mut query = Query::new().partition_key(PARTITION).reverse(reverse).limit(limit);
            loop {
                let page = db.query(query.clone().build())?;
                assert!(page.count <= limit && page.count == page.items.len() && page.scanned_count == page.count);
                found.extend(sort_keys(&page.items));
                let Some(token) = page.token else { break };
                query = query.token(&token);
            }
            let mut expected = keys.clone();
            if reverse {
                expected.reverse();
            }
            assert_eq!(found, expected, "reverse {reverse}, limit {limit}");
        }
    }
    Ok(())
}

#[test]
fn a_page_without_a_limit_ends_at_one_mebibyte() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..5_u8 {
        db.put_with_sk(b"p", &[i], ItemBuilder::new().binary("b", vec![0; 300_000]).build())?;
    }
    let first = db.query(Query::new().partition_key(b"p").build())?;
    assert_eq!((first.count, first.token.is_some()), (4, true));
    let second = db.query(Query::new().partition_key(b"p").token(&first.token.expect("more")).build())?;
    assert_eq!((second.count, second.token), (1, None));
    assert_eq!(db.scan(Scan::new())?.count, 4, "the item that reaches 1 MiB is the last");
    Ok(())
}

#[test]
fn a_page_counts_the_sizes_of_items_as_dynamodb_does() -> Result<()> {
    // 1,048 booleans count 4 for the name and 1 for the value, where 7 are stored; "order" and a number of two digits
    // 7; "pk" and "p" 3; "sk" and two bytes 4. So the 200th item is the first with which the page reaches 1,048,576
    // bytes.
    const ITEM_BYTES: usize = 1_048 * 5 + 7 + 3 + 4;
    let expected = (1_usize << 20).div_ceil(ITEM_BYTES);
    let schema = TableSchema::new().add_local_index(LocalSecondaryIndex::new("by-order", "order"));
    let db = Database::create_in_memory_with_schema(schema)?;
    let flags: Vec<_> = (0..1_048).map(|n| (format!("{n:04}"), KeystoneValue::bool(true))).collect();
    for i in 0..250_u16 {
        let order = ("order".to_owned(), KeystoneValue::number(10 + i % 90));
        db.put_with_sk(b"p", &i.to_be_bytes(), flags.iter().cloned().chain([order]).collect())?;
    }
    let page = db.query_page(&Query::new().partition_key(b"p").build())?;
    assert_eq!((page.scanned, page.token.is_some()), (expected, true));
    let counted = db.query_page(&Query::new().partition_key(b"p").select(Select::Count).build())?;
    assert_eq!(counted.count, expected);
    assert_eq!(db.scan_page(&Scan::new())?.scanned, expected);
    let of_index = db.query_page(&Query::new().index("by-order").partition_key(b"p").build())?;
    assert_eq!((of_index.scanned, of_index.token.is_some()), (expected, true));
    Ok(())
}

#[test]
fn tokens_fit_their_own_request_alone_but_any_limit() -> Result<()> {
    let db = database(&[b"1", b"2", b"3"])?;
    let query = || Query::new().partition_key(PARTITION);
    let token = db.query(query().limit(1).build())?.token.expect("more");
    assert_eq!(db.query(query().limit(9).token(&token).build())?.count, 2);
    let others = [
        query().reverse(true),
        Query::new().partition_key(b"letter"),
        query().sort_key(SortKeyCondition::Ge(b"1".to_vec())),
    ];
    for other in others {
        assert!(matches!(db.query(other.token(&token).build()), Err(Error::Invalid(_))));
    }
    assert!(matches!(db.scan(Scan::new().token(&token)), Err(Error::Invalid(_))));
    let token = db.scan(Scan::new().segment(0, 1).limit(1))?.token.expect("more");
    assert!(db.scan(Scan::new().token(&token)).is_ok(), "one segment of one is the whole");
    assert!(matches!(db.scan(Scan::new().segment(0, 2).token(&token)), Err(Error::Invalid(_))));
    assert!(matches!(db.query(query().token(&token).build()), Err(Error::Invalid(_))));
    assert!(matches!(db.query(query().token(b"").build()), Err(Error::Invalid(_))));
    Ok(())
}

#[test]
fn count_returns_no_items_and_keys_only_returns_the_key_as_attributes() -> Result<()> {
    let db = Database::create_in_memory()?;
    db.put_with_sk(b"p", b"\xFF", ItemBuilder::new().string("name", "x").build())?;
    db.put(b"p", ItemBuilder::new().string("name", "y").build())?;
    let count = db.query(Query::new().partition_key(b"p").select(Select::Count).build())?;
    assert_eq!((count.count, count.scanned_count, count.items.len()), (2, 2, 0));
    let keys = db.query(Query::new().partition_key(b"p").select(Select::KeysOnly).build())?;
    let pk = || ("pk".to_string(), KeystoneValue::string("p"));
    let expected = [Item::from([pk()]), Item::from([pk(), ("sk".to_string(), KeystoneValue::binary(b"\xFF"))])];
    assert_eq!(keys.items, expected);
    assert_eq!(db.scan(Scan::new().select(Select::Count).limit(1))?.count, 1);
    Ok(())
}

#[test]
fn requests_that_cannot_be_are_refused() -> Result<()> {
    let db = Database::create_in_memory()?;
    let refused = |query: Query| db.query(query.build()).expect_err("refused").to_string();
    assert!(refused(Query::new()).contains("partition key is empty"));
    assert!(refused(Query::new().partition_key(b"p").limit(0)).contains("Limit"));
    let backwards = SortKeyCondition::Between(b"b".to_vec(), b"a".to_vec());
    assert!(refused(Query::new().partition_key(b"p").sort_key(backwards)).contains("BETWEEN"));
    let long = SortKeyCondition::BeginsWith(vec![0; 1025]);
    assert!(refused(Query::new().partition_key(b"p").sort_key(long)).contains("1025"));
    let long = SortKeyCondition::Between(vec![0; 2], vec![1; 1025]);
    assert!(refused(Query::new().partition_key(b"p").sort_key(long)).contains("1025"));
    assert!(refused(Query::new().partition_key(&[0; 2049])).contains("2049"));
    assert!(db.scan(Scan::new().limit(0)).is_err());
    assert!(db.scan(Scan::new().segment(3, 3)).is_err());
    assert!(db.iter_query(&Query::new().partition_key(b"p").select(Select::Count)).is_err());
    let options = DatabaseOptions { memtable_max_records: 1 << 20, ..DatabaseOptions::default() };
    assert!(Database::create_in_memory_with_options(options).is_err());
    Ok(())
}

#[test]
fn iterators_see_the_database_as_it_was_and_outlive_it() -> Result<()> {
    let db = database(&[b"1", b"2", b"3", b"4"])?;
    let query = Query::new().partition_key(PARTITION).reverse(true).build();
    let (queried, scanned) = (db.iter_query(&query)?, db.iter_scan(&Scan::new())?);
    let limited = db.iter_query(&query.clone().limit(2))?;
    let after = db.query(query.clone().limit(1))?.token.expect("more");
    let continued = db.iter_query(&query.token(&after))?;
    db.delete_with_sk(PARTITION, b"2")?;
    db.put_with_sk(PARTITION, b"5", Item::new())?;
    db.clear()?;
    drop(db);
    let keys = |records: kstone_api::Records| records.map(|record| record.sk().to_vec()).collect::<Vec<_>>();
    assert_eq!(keys(queried), [b"4", b"3", b"2", b"1"]);
    assert_eq!(keys(limited), [b"4", b"3"]);
    assert_eq!(keys(continued), [b"3", b"2", b"1"]);
    assert_eq!(scanned.count(), 12);
    Ok(())
}

#[test]
fn an_iterator_goes_on_beyond_one_batch() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..1000 {
        db.put_with_sk(b"p", format!("{i:04}").as_bytes(), Item::new())?;
    }
    let keys: Vec<_> = db.iter_query(&Query::new().partition_key(b"p"))?.map(|record| record.sk().to_vec()).collect();
    assert!(keys.len() == 1000 && keys.is_sorted());
    assert_eq!(db.iter_scan(&Scan::new().segment(0, 1).select(Select::KeysOnly))?.count(), 1000);
    Ok(())
}

#[test]
fn segments_together_return_each_item_once() -> Result<()> {
    let db = Database::create_in_memory()?;
    for i in 0..2000 {
        db.put(format!("{i}").as_bytes(), ItemBuilder::new().number("i", i).build())?;
    }
    for segments in [2, 5, 256, 1000] {
        let mut seen = std::collections::HashSet::new();
        for segment in 0..segments {
            let mut scan = Scan::new().segment(segment, segments).limit(64);
            loop {
                let page = db.scan(scan.clone())?;
                for item in &page.items {
                    assert!(seen.insert(item["i"].as_number().cloned()));
                }
                let Some(token) = page.token else { break };
                scan = scan.token(&token);
            }
        }
        assert_eq!(seen.len(), 2000, "{segments} segments");
    }
    Ok(())
}

/// What DynamoDB's face of a read needs: pages by the last key, sizes of what was examined, and the counts.
#[test]
fn a_read_goes_on_behind_the_key_that_it_examined_last_and_says_how_much_it_examined() -> Result<()> {
    let schema = TableSchema::new()
        .partition_key("user", KeyType::S)
        .sort_key("score", KeyType::N)
        .add_global_index(GlobalSecondaryIndex::new("by-team", "team").sort_key("rank"));
    let typed = Database::create_in_memory_with_schema(schema)?;
    let untyped = Database::create_in_memory_with_schema(
        TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-team", "team")),
    )?;
    for i in 0..20_i64 {
        let item =
            |item: ItemBuilder| item.string("team", "red").number("rank", i % 3).string("filler", "x".repeat(50));
        typed.put_item(item(ItemBuilder::new().string("user", "ann").number("score", i)).build())?;
        untyped.put_with_sk(b"ann", &[b'a' + i as u8], item(ItemBuilder::new()).build())?;
    }
    let of = |partition_key, sort_key| ReadKeys::Partition { partition_key, sort_key };
    let requests = [
        ReadRequest { keys: of(b"ann", SortKeyCondition::Any), ..ReadRequest::default() },
        ReadRequest { keys: of(b"ann", SortKeyCondition::Any), reverse: true, ..ReadRequest::default() },
        ReadRequest { keys: of(b"red", SortKeyCondition::Any), index: Some("by-team"), ..ReadRequest::default() },
        ReadRequest { keys: ReadKeys::ALL, ..ReadRequest::default() },
        ReadRequest { keys: ReadKeys::ALL, index: Some("by-team"), ..ReadRequest::default() },
        ReadRequest {
            keys: ReadKeys::ALL,
            filter: Some("attribute_not_exists(filler)".into()),
            ..ReadRequest::default()
        },
        ReadRequest { keys: ReadKeys::ALL, select: Select::Count, ..ReadRequest::default() },
    ];
    for db in [&typed, &untyped] {
        for request in &requests {
            let measured = ReadRequest { measures: true, ..request.clone() };
            let all = db.read(&measured)?;
            assert_eq!(all.scanned, 20, "{request:?}");
            assert!(all.sizes.examined > 20 * 50 && db.last_key(&all)?.is_none(), "{request:?}");
            assert_eq!(db.read(request)?.sizes, ReadSizes::default(), "sizes are not looked at unasked");
            let (mut count, mut scanned, mut bytes, mut pages) = (0, 0, 0, 0);
            let mut keys = Vec::new();
            let mut last: Option<Vec<u8>> = None;
            loop {
                let start = last.as_deref().map_or(ReadStart::First, |key| ReadStart::After(ItemRef::new(key)));
                let page = db.read(&ReadRequest { start, limit: Some(6), ..measured.clone() })?;
                let plain = db.read(&ReadRequest { start, limit: Some(6), ..request.clone() })?;
                assert_eq!((plain.count, db.last_key(&plain)?), (page.count, db.last_key(&page)?), "{request:?}");
                (count, scanned, bytes, pages) =
                    (count + page.count, scanned + page.scanned, bytes + page.sizes.examined, pages + 1);
                keys.extend(page.records.iter().map(|record| record.key()));
                let Some(key) = db.last_key(&page)? else { break };
                last = Some(key);
            }
            assert_eq!((count, scanned, bytes, pages), (all.count, 20, all.sizes.examined, 4), "{request:?}");
            assert_eq!(keys, all.records.iter().map(|record| record.key()).collect::<Vec<_>>(), "{request:?}");
        }
    }
    Ok(())
}

/// A local index that does not hold what is shown reads the items, too: they count by themselves.
#[test]
fn the_items_that_a_local_index_fetches_are_measured_apart() -> Result<()> {
    let index = LocalSecondaryIndex::new("by-n", "n").projection(Projection::KeysOnly);
    let db = Database::create_in_memory_with_schema(TableSchema::new().add_local_index(index))?;
    for i in 0..3_i64 {
        db.put_with_sk(
            b"p",
            &[b'a' + i as u8],
            ItemBuilder::new().number("n", i).string("t", "x".repeat(5000)).build(),
        )?;
    }
    let keys = ReadKeys::Partition { partition_key: b"p", sort_key: SortKeyCondition::Any };
    let request = ReadRequest { keys, index: Some("by-n"), measures: true, ..ReadRequest::default() };
    let sizes = db.read(&request)?.sizes;
    assert!(sizes.examined < 100 && sizes.fetched == 0 && sizes.fetched_units == 0, "{sizes:?}");
    let shown = db.read(&ReadRequest { projection: Some("t".into()), ..request })?;
    assert_eq!((shown.count, shown.sizes.examined, shown.sizes.fetched_units), (3, sizes.examined, 6));
    assert!((15_000..15_100).contains(&shown.sizes.fetched), "{:?}", shown.sizes);
    Ok(())
}

/// Expressions that somebody else has read and bound say the same as texts.
#[test]
fn bound_expressions_are_as_good_as_texts() -> Result<()> {
    use kstone_api::expression::{Binder, Condition, KeyCondition, KeySchema, Kind, Parameters, Projection};
    let schema = TableSchema::new().partition_key("player", KeyType::S).sort_key("score", KeyType::N);
    let db = Database::create_in_memory_with_schema(schema.clone())?;
    for i in 0..10_i64 {
        db.put_item(ItemBuilder::new().string("player", "ann").number("score", i).number("v", i % 2).build())?;
    }
    let values = Item::from([
        (":u".to_owned(), KeystoneValue::string("ann")),
        (":from".to_owned(), KeystoneValue::number(4)),
        (":v".to_owned(), KeystoneValue::number(1)),
    ]);
    let parameters = Parameters::from_maps(std::iter::empty::<(&str, &str)>(), &values)?;
    let layout = schema.key_layout()?.expect("typed");
    let mut binder = Binder::for_table(&parameters, &layout);
    let [key, filter, projection] = ["player = :u AND score >= :from", "v = :v", "score"];
    let condition = KeyCondition::parse(key, KeySchema::of(&layout), &mut binder)?;
    let bound_filter = Condition::parse(Kind::Filter, filter, &mut binder)?;
    let bound_projection = Projection::parse(projection, &mut binder)?;
    binder.finish()?;
    let bound = ReadRequest {
        keys: ReadKeys::Condition(ReadExpression::Bound(&condition)),
        filter: Some(ReadExpression::Bound(&bound_filter)),
        projection: Some(ReadExpression::Bound(&bound_projection)),
        ..ReadRequest::default()
    };
    let texts = ReadRequest {
        keys: ReadKeys::Condition(key.into()),
        filter: Some(filter.into()),
        projection: Some(projection.into()),
        parameters: Some(parameters.clone()),
        ..ReadRequest::default()
    };
    let [bound, texts] = [db.read(&bound)?, db.read(&texts)?];
    assert_eq!((bound.count, bound.scanned), (3, 6));
    assert_eq!(bound.records, texts.records);
    Ok(())
}
