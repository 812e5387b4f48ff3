//! Keys of an untyped table are bytes: every way to ask for them compares them as bytes, whatever they spell, with text
//! and with binary values. All keys of one and two bytes, against a model.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use kstone_api::{
    Database, GlobalSecondaryIndex, Item, ItemBuilder, KeystoneValue, LocalSecondaryIndex, Projection, Query, Record,
    Result, Scan, SortKeyCondition, Statement, TableSchema,
};

/// Some are UTF-8, some are not, some are the beginning of others.
const OPERANDS: [&[u8]; 8] = [&[0], b"a", &[0x7F, 0xFF], &[0x80], &[0xC3], &[0xC3, 0xA9], &[0xFF, 0x00], &[0xFF, 0xFF]];

const PARTITION: &[u8] = &[0xFE, b'p'];

fn all_keys() -> impl Iterator<Item = Vec<u8>> {
    let two = (0..=u16::MAX).map(|key| key.to_be_bytes().to_vec());
    (0..=u8::MAX).map(|key| vec![key]).chain(two)
}

/// A partition with all keys and one item without a sort key, and one of the same letters in another partition.
fn filled(schema: TableSchema, keys: impl Iterator<Item = Vec<u8>>) -> Result<Database> {
    let db = Database::create_in_memory_with_schema(schema)?;
    for key in keys {
        let value = if key[0] % 2 == 0 || std::str::from_utf8(&key).is_err() {
            KeystoneValue::binary(key.clone())
        } else {
            KeystoneValue::string(std::str::from_utf8(&key).expect("checked"))
        };
        db.put_with_sk(PARTITION, &key, Item::from([("g".to_owned(), value)]))?;
    }
    db.put(PARTITION, ItemBuilder::new().string("g", "none").build())?;
    db.put_with_sk(b"other", b"a", Item::new())?;
    Ok(db)
}

static ALL: LazyLock<Database> = LazyLock::new(|| filled(TableSchema::new(), all_keys()).expect("filled"));

/// An operand as a binary value, and as text where it is some.
fn as_values(operand: &[u8]) -> Vec<KeystoneValue> {
    let text = std::str::from_utf8(operand).ok().map(KeystoneValue::string);
    std::iter::once(KeystoneValue::binary(operand)).chain(text).collect()
}

/// A comparison as it is written, and whether it holds.
type Comparison = (&'static str, fn(&[u8], &[u8]) -> bool);

const COMPARISONS: [Comparison; 6] = [
    ("sk = :v", |key, operand| key == operand),
    ("sk < :v", |key, operand| key < operand),
    ("sk <= :v", |key, operand| key <= operand),
    ("sk > :v", |key, operand| key > operand),
    ("sk >= :v", |key, operand| key >= operand),
    ("begins_with(sk, :v)", |key, operand| key.starts_with(operand)),
];

fn expected(holds: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    all_keys().filter(|key| holds(key)).collect::<BTreeSet<_>>().into_iter().collect()
}

fn sort_keys(records: impl IntoIterator<Item = Record>) -> Vec<Vec<u8>> {
    records.into_iter().map(|record| record.sk().to_vec()).collect()
}

fn queried(query: &Query) -> Result<Vec<Vec<u8>>> {
    Ok(sort_keys(ALL.iter_query(query)?))
}

fn selected(db: &Database, text: &str, parameters: &[KeystoneValue]) -> Result<Vec<Vec<u8>>> {
    let statement = Statement::new(text).parameters(parameters.to_vec());
    let mut keys = Vec::new();
    let mut token: Option<Vec<u8>> = None;
    loop {
        let page = token.iter().fold(statement.clone(), |statement, token| statement.token(token));
        let result = db.execute_statement(&page)?;
        keys.extend(sort_keys(result.records));
        token = result.token;
        if token.is_none() {
            return Ok(keys);
        }
    }
}

fn by_expression(condition: &str, values: &[(&str, KeystoneValue)]) -> Query {
    let query = Query::new()
        .key_condition_expression(&format!("pk = :p AND {condition}"))
        .expression_value(":p", KeystoneValue::binary(PARTITION));
    values.iter().fold(query, |query, (name, value)| query.expression_value(name, value.clone()))
}

#[test]
fn key_conditions_compare_bytes() -> Result<()> {
    for operand in OPERANDS {
        for value in as_values(operand) {
            for (text, holds) in COMPARISONS {
                let found = queried(&by_expression(text, &[(":v", value.clone())]))?;
                assert_eq!(found, expected(|key| holds(key, operand)), "{text} with {value:?}");
            }
        }
        let raw: [fn(Vec<u8>) -> SortKeyCondition; 6] = [
            SortKeyCondition::Eq,
            SortKeyCondition::Lt,
            SortKeyCondition::Le,
            SortKeyCondition::Gt,
            SortKeyCondition::Ge,
            SortKeyCondition::BeginsWith,
        ];
        for ((text, holds), raw) in COMPARISONS.into_iter().zip(raw) {
            let found = queried(&Query::new().partition_key(PARTITION).sort_key(raw(operand.to_vec())))?;
            assert_eq!(found, expected(|key| holds(key, operand)), "{text} of the bytes {operand:?}");
        }
        for high in OPERANDS.iter().filter(|high| **high >= operand) {
            for (low_value, high_value) in as_values(operand).iter().zip(as_values(high).iter().rev()) {
                let values = [(":l", low_value.clone()), (":h", high_value.clone())];
                let found = queried(&by_expression("sk BETWEEN :l AND :h", &values))?;
                assert_eq!(found, expected(|key| operand <= key && key <= *high), "{low_value:?} to {high_value:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn filters_compare_bytes() -> Result<()> {
    let scanned = |filter: &str, values: &[(&str, KeystoneValue)]| -> Result<Vec<Vec<u8>>> {
        let scan = Scan::new().filter_expression(&format!("pk <> :o AND {filter}"));
        let scan = scan.expression_value(":o", KeystoneValue::binary(b"other"));
        let scan = values.iter().fold(scan, |scan, (name, value)| scan.expression_value(name, value.clone()));
        Ok(sort_keys(ALL.iter_scan(&scan)?))
    };
    for operand in &OPERANDS[1..5] {
        for value in as_values(operand) {
            for (text, holds) in COMPARISONS {
                let found = scanned(text, &[(":v", value.clone())])?;
                assert_eq!(found, expected(|key| holds(key, operand)), "{text} with {value:?}");
            }
            let found = scanned("sk <> :v AND attribute_exists(sk)", &[(":v", value.clone())])?;
            assert_eq!(found, expected(|key| key != *operand), "not {value:?}");
        }
    }
    let (low, high) = (KeystoneValue::string("a"), KeystoneValue::binary([0xC3]));
    let found = scanned("sk BETWEEN :l AND :h", &[(":l", low.clone()), (":h", high.clone())])?;
    assert_eq!(found, expected(|key| (&b"a"[..]..=&[0xC3][..]).contains(&key)));
    let found = scanned("sk IN (:l, :h)", &[(":l", KeystoneValue::binary(*b"a")), (":h", high)])?;
    assert_eq!(found, [vec![b'a'], vec![0xC3]]);
    let found = scanned("contains(sk, :l)", &[(":l", low)])?;
    assert_eq!(found, expected(|key| key.contains(&b'a')));
    assert_eq!(scanned("sk >= :n OR sk < :n OR sk = :n", &[(":n", KeystoneValue::number(1))])?.len(), 0);
    Ok(())
}

#[test]
fn a_key_is_compared_with_members_as_bytes() -> Result<()> {
    let db = Database::create_in_memory()?;
    let item = ItemBuilder::new().build();
    db.put_with_sk(b"p", b"q", item)?;
    let holds = |filter: &str, value: KeystoneValue| -> Result<bool> {
        let scan = Scan::new().filter_expression(filter).expression_value(":v", value);
        Ok(db.scan(scan)?.count == 1)
    };
    for (value, contains) in [
        (KeystoneValue::SS(vec!["p".to_owned()]), true),
        (KeystoneValue::BS(vec![b"p".to_vec().into()]), true),
        (KeystoneValue::BS(vec![b"q".to_vec().into()]), false),
        (KeystoneValue::list([KeystoneValue::number(1), KeystoneValue::binary(*b"p")]), true),
        (KeystoneValue::list([KeystoneValue::string("p")]), true),
        (KeystoneValue::list([KeystoneValue::list([KeystoneValue::string("p")])]), false),
        (KeystoneValue::string("apo"), true),
        (KeystoneValue::binary(*b"apo"), true),
    ] {
        assert_eq!(holds("contains(:v, pk)", value.clone())?, contains, "{value:?}");
    }
    assert!(holds("pk < sk AND pk <> sk AND pk <> :v", KeystoneValue::number(1))?);
    assert!(holds("attribute_type(pk, :v)", KeystoneValue::string("S"))?, "that is how it is shown");
    Ok(())
}

#[test]
fn partiql_compares_bytes_with_a_plan_and_in_a_scan() -> Result<()> {
    let partition = KeystoneValue::binary(PARTITION);
    for operand in &OPERANDS[1..5] {
        for value in as_values(operand) {
            for (text, holds) in COMPARISONS {
                let text = text.replace(":v", "?");
                let expected = expected(|key| holds(key, operand));
                let planned = format!("SELECT * FROM items WHERE pk = ? AND {text}");
                let parameters = [partition.clone(), value.clone()];
                assert_eq!(selected(&ALL, &planned, &parameters)?, expected, "{planned} with {value:?}");
                let scanned = format!("SELECT * FROM items WHERE pk <> 'other' AND {text} ORDER BY sk");
                assert_eq!(selected(&ALL, &scanned, &parameters[1..])?, expected, "{scanned} with {value:?}");
            }
        }
    }
    let (low, high) = (KeystoneValue::string("a"), KeystoneValue::binary([0xC3]));
    let between = expected(|key| (&b"a"[..]..=&[0xC3][..]).contains(&key));
    let parameters = [partition.clone(), low, high];
    assert_eq!(selected(&ALL, "SELECT * FROM items WHERE pk = ? AND sk BETWEEN ? AND ?", &parameters)?, between);
    let twice = [partition.clone(), KeystoneValue::binary(*b"a"), KeystoneValue::string("a")];
    assert_eq!(selected(&ALL, "SELECT * FROM items WHERE pk = ? AND sk IN [?, ?]", &twice)?, [b"a"]);
    Ok(())
}

#[test]
fn rows_are_ordered_and_grouped_by_the_bytes_of_their_keys() -> Result<()> {
    let ascending = expected(|_| true);
    let found = selected(&ALL, "SELECT * FROM items WHERE sk IS NOT MISSING AND pk <> 'other' ORDER BY sk", &[])?;
    assert_eq!(found, ascending);
    let descending =
        selected(&ALL, "SELECT sk FROM items WHERE sk IS NOT MISSING AND pk <> 'other' ORDER BY sk DESC", &[])?;
    assert!(descending.iter().rev().eq(&ascending));
    let text =
        "SELECT sk, COUNT(*) AS n, MAX(sk) AS sk_last FROM items WHERE sk IS NOT MISSING AND pk <> 'other' GROUP BY sk";
    let groups = ALL.execute_statement(&Statement::new(text))?.items();
    let shown = |item: &Item| match &item["sk"] {
        KeystoneValue::S(text) => text.as_bytes().to_vec(),
        KeystoneValue::B(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(groups.iter().map(shown).collect::<Vec<_>>(), ascending);
    let extremes = "SELECT MIN(sk) AS low, MAX(sk) AS high FROM items WHERE sk IS NOT MISSING AND pk <> 'other'";
    let extremes = ALL.execute_statement(&Statement::new(extremes))?.items();
    assert_eq!(extremes[0]["high"], KeystoneValue::binary([0xFF, 0xFF]));
    assert_eq!(extremes[0]["low"], KeystoneValue::string("\0"));
    Ok(())
}

/// A smaller set, which still has every first byte.
fn some_keys() -> impl Iterator<Item = Vec<u8>> {
    all_keys().filter(|key| key.len() == 1 || [0, b'a', 0x80, 0xA9, 0xFF].contains(&key[1]))
}

#[test]
fn indexes_compare_bytes_whether_text_or_binary() -> Result<()> {
    let keys_only = Projection::KeysOnly;
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("inverted", "pk").sort_key("sk").projection(keys_only))
        .add_global_index(GlobalSecondaryIndex::new("by-sk", "sk").sort_key("g"))
        .add_local_index(LocalSecondaryIndex::new("by-g", "g"));
    let db = filled(schema, some_keys())?;
    let expected = |holds: &dyn Fn(&[u8]) -> bool| {
        some_keys().filter(|key| holds(key)).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let found = |query: Query| -> Result<Vec<Vec<u8>>> {
        Ok(sort_keys(db.iter_query(&query)?).into_iter().filter(|key| !key.is_empty()).collect())
    };
    for operand in OPERANDS {
        for (text, holds) in COMPARISONS {
            let expected = expected(&|key| holds(key, operand));
            for value in as_values(operand) {
                let inverted = by_expression(text, &[(":v", value.clone())]).index("inverted");
                assert_eq!(found(inverted)?, expected, "inverted: {text} with {value:?}");
                let by_g = by_expression(&text.replace("sk", "g"), &[(":v", value.clone())]).index("by-g");
                assert_eq!(found(by_g)?, expected, "by-g: {text} with {value:?}");
            }
        }
        let from = Query::new().index("by-g").partition_key(PARTITION).sort_key(SortKeyCondition::Ge(operand.to_vec()));
        let reaches = |key: &[u8]| key >= operand;
        assert_eq!(found(from)?, expected(&reaches), "by-g from the bytes {operand:?}");
        let one = Query::new().index("by-sk").partition_key(operand);
        assert_eq!(found(one)?, expected(&|key| key == operand), "by-sk of the bytes {operand:?}");
        for value in as_values(operand) {
            let text = "SELECT * FROM items.\"by-sk\" WHERE sk IN [?, ?]";
            let twice = [value.clone(), KeystoneValue::binary(operand)];
            assert_eq!(selected(&db, text, &twice)?, expected(&|key| key == operand), "{value:?}");
        }
    }
    Ok(())
}

#[test]
fn an_attribute_that_repeats_the_key_may_be_text_or_binary() -> Result<()> {
    let db = Database::create_in_memory()?;
    let binary = Item::from([("pk".to_owned(), KeystoneValue::binary(*b"abc"))]);
    db.put(b"abc", binary.clone())?;
    assert_eq!(db.get(b"abc")?, Some(binary));
    assert!(db.put(b"abc", Item::from([("pk".to_owned(), KeystoneValue::binary(*b"abd"))])).is_err());
    assert!(db.put(b"1", Item::from([("pk".to_owned(), KeystoneValue::number(1))])).is_err());
    Ok(())
}

/// An item without a sort key has no attribute `sk`: a comparison with it is false, wherever it stands.
#[test]
fn an_item_without_a_sort_key_meets_no_comparison_of_it() -> Result<()> {
    let none: Vec<Vec<u8>> = vec![Vec::new()];
    for (text, _) in COMPARISONS {
        let value = KeystoneValue::string("\u{10FFFF}");
        let key_condition = queried(&by_expression(text, &[(":v", value.clone())]))?;
        assert!(!key_condition.contains(&none[0]), "{text} as a key condition");
        let scan = Scan::new().filter_expression(text).expression_value(":v", value.clone());
        assert!(!sort_keys(ALL.iter_scan(&scan)?).contains(&none[0]), "{text} as a filter");
        let statement = format!("SELECT * FROM items WHERE {}", text.replace(":v", "?"));
        assert!(!selected(&ALL, &statement, &[value])?.contains(&none[0]), "{statement}");
    }
    let raw = |condition| queried(&Query::new().partition_key(PARTITION).sort_key(condition));
    let high = vec![0xFF, 0xFF];
    for condition in [
        SortKeyCondition::Lt(high.clone()),
        SortKeyCondition::Le(high.clone()),
        SortKeyCondition::Between(Vec::new(), high),
        SortKeyCondition::Ge(Vec::new()),
        SortKeyCondition::Gt(Vec::new()),
        SortKeyCondition::BeginsWith(Vec::new()),
    ] {
        assert!(raw(condition.clone())?.iter().all(|key| !key.is_empty()), "{condition:?}");
    }
    assert_eq!(raw(SortKeyCondition::Le(Vec::new()))?, Vec::<Vec<u8>>::new());
    assert_eq!(raw(SortKeyCondition::Eq(Vec::new()))?, none, "no sort key is what the empty one is");
    assert_eq!(raw(SortKeyCondition::Any)?.len(), 256 + 65_536 + 1);
    Ok(())
}
