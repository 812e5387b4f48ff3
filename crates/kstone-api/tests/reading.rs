//! Queries, scans, pages, tokens and iterators, through the public API.

use kstone_api::{
    Database, DatabaseOptions, Error, Item, ItemBuilder, KeystoneValue, LocalSecondaryIndex, Query, Result, Scan,
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
