//! Ranges against a model: the entries that lie in a query's range are those of the items that its condition takes.

use std::cmp::Ordering;
use std::ops::RangeBounds;

use kstone_core::item::ItemWriter;
use kstone_core::record::Record;
use kstone_core::value::Value;
use proptest::prelude::*;

use super::*;
use crate::model::schema::{GlobalSecondaryIndex, LocalSecondaryIndex, TableSchema};
use crate::request::key_range::behind;
use crate::table::index::key_value::tests::{key_value, values};
use crate::table::index::{IndexEntry, Indexes};

fn indexes() -> Indexes {
    let schema = TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("local", "sort"))
        .add_global_index(GlobalSecondaryIndex::new("global", "partition").sort_key("sort"))
        .add_global_index(GlobalSecondaryIndex::new("unsorted", "partition"))
        .add_global_index(GlobalSecondaryIndex::new("inverted", "sk").sort_key("pk"));
    schema.validate().unwrap();
    Indexes::compile(&schema, &Indexes::default())
}

/// An item of the model: the table's key and, where it has them, the key attributes.
#[derive(Debug, Clone)]
struct TestItem {
    pk: Vec<u8>,
    sk: Vec<u8>,
    partition: Option<Value>,
    sort: Option<Value>,
}

impl TestItem {
    fn entry(&self, index: &Index) -> Option<Record> {
        let mut writer = ItemWriter::new();
        for (name, value) in [("partition", &self.partition), ("sort", &self.sort)] {
            if let Some(value) = value {
                writer.set_value(name, value).unwrap();
            }
        }
        index.entry(&self.pk, &self.sk, writer.as_item(), None).unwrap()
    }
}

fn table_keys() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let byte = || prop::sample::select(vec![0_u8, 1, 2, b'a', 0xFF]);
    (prop::collection::vec(byte(), 1..3), prop::collection::vec(byte(), 0..3))
}

fn items() -> impl Strategy<Value = Vec<TestItem>> {
    let sort = prop_oneof![1 => Just(None), 6 => values().prop_map(Some)];
    let partition = prop_oneof![1 => Just(None), 6 => partitions().prop_map(Some)];
    let item =
        (table_keys(), partition, sort).prop_map(|((pk, sk), partition, sort)| TestItem { pk, sk, partition, sort });
    prop::collection::vec(item, 1..40)
}

/// Few enough for items to meet, and some the start of another.
fn partitions() -> impl Strategy<Value = Value> {
    let text = |text: &str| Value::S(text.to_owned());
    let numbers = ["1", "10"].map(|number| Value::N(number.to_owned()));
    let texts = ["1", "a", "aa", "a\0", "a\0\u{1}"].map(text);
    let bytes = [&[b'a'][..], &[b'a', 0], &[0xFF]].map(|bytes| Value::B(bytes.to_vec().into()));
    prop::sample::select(numbers.into_iter().chain(texts).chain(bytes).collect::<Vec<_>>())
}

/// Which comparison, and its operands.
type Asked = (u8, Value, Value);

fn condition((comparison, low, high): &Asked) -> Option<KeyCondition<'_>> {
    let (low, high) = (key_value(low), key_value(high));
    Some(match comparison {
        0 => KeyCondition::Any,
        1 => KeyCondition::Eq(low),
        2 => KeyCondition::Lt(low),
        3 => KeyCondition::Le(low),
        4 => KeyCondition::Gt(low),
        5 => KeyCondition::Ge(low),
        6 if compare(low, high)?.is_gt() => KeyCondition::Between(high, low),
        6 => KeyCondition::Between(low, high),
        _ if low.type_byte() == 1 => return None,
        _ => KeyCondition::BeginsWith(low),
    })
}

/// DynamoDB's order, text and binary being bytes alike; none between numbers and those.
fn compare(a: KeyValue<'_>, b: KeyValue<'_>) -> Option<Ordering> {
    match (a, b) {
        (KeyValue::N(a), KeyValue::N(b)) => Some(number::compare(a, b)),
        (KeyValue::N(_), _) | (_, KeyValue::N(_)) => None,
        (a, b) => Some(a.as_bytes().cmp(b.as_bytes())),
    }
}

fn holds(condition: KeyCondition<'_>, value: KeyValue<'_>) -> bool {
    let is = |operand, wanted: fn(Ordering) -> bool| compare(value, operand).is_some_and(wanted);
    match condition {
        KeyCondition::Any => true,
        KeyCondition::Eq(operand) => is(operand, Ordering::is_eq),
        KeyCondition::Lt(operand) => is(operand, Ordering::is_lt),
        KeyCondition::Le(operand) => is(operand, Ordering::is_le),
        KeyCondition::Gt(operand) => is(operand, Ordering::is_gt),
        KeyCondition::Ge(operand) => is(operand, Ordering::is_ge),
        KeyCondition::Between(low, high) => is(low, Ordering::is_ge) && is(high, Ordering::is_le),
        KeyCondition::BeginsWith(start) => {
            value.type_byte() == start.type_byte() && value.as_bytes().starts_with(start.as_bytes())
        }
    }
}

fn lies_in(range: &KeyRange, entry: &Record) -> bool {
    entry.pk() == range.pk() && RangeBounds::<[u8]>::contains(&range.sort_keys(), entry.sk())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_global_range_holds_exactly_the_entries_that_the_condition_takes(
        items in items(), pick: prop::sample::Index, mut asked in (0_u8..8, values(), values()), near: bool,
    ) {
        let target = pick.get(&items);
        let Some(partition) = target.partition.clone() else { return Ok(()) };
        if let (true, Some(sort)) = (near, &target.sort) {
            asked.1 = sort.clone();
        }
        let indexes = indexes();
        let index = indexes.get("global").unwrap();
        let Some(condition) = condition(&asked) else { return Ok(()) };
        let range = index.range(key_value(&partition), condition).unwrap();
        for item in &items {
            let is_partition = |value: &Value| compare(key_value(value), key_value(&partition)).is_some_and(Ordering::is_eq);
            let expected = item.partition.as_ref().is_some_and(is_partition)
                && item.sort.as_ref().is_some_and(|sort| holds(condition, key_value(sort)));
            let found = item.entry(index).is_some_and(|entry| lies_in(&range, &entry));
            prop_assert_eq!(found, expected, "{:?} under {:?} {:?}", item, partition, condition);
        }
    }

    #[test]
    fn a_local_range_holds_exactly_the_entries_that_the_condition_takes(
        items in items(), pick: prop::sample::Index, mut asked in (0_u8..8, values(), values()), near: bool,
    ) {
        let target = pick.get(&items);
        let pk = target.pk.clone();
        if let (true, Some(sort)) = (near, &target.sort) {
            asked.1 = sort.clone();
        }
        let indexes = indexes();
        let index = indexes.get("local").unwrap();
        let Some(condition) = condition(&asked) else { return Ok(()) };
        let range = index.range(KeyValue::of_bytes(&pk), condition).unwrap();
        for item in &items {
            let expected = item.pk == pk && item.sort.as_ref().is_some_and(|sort| holds(condition, key_value(sort)));
            let found = item.entry(index).is_some_and(|entry| lies_in(&range, &entry));
            prop_assert_eq!(found, expected, "{:?} under {:?} {:?}", item, pk, condition);
        }
    }

    #[test]
    fn the_table_s_key_serves_as_the_key_of_an_index(items in items(), (pk, sk) in table_keys()) {
        let indexes = indexes();
        let index = indexes.get("inverted").unwrap();
        let range = index.range(KeyValue::of_bytes(&sk), KeyCondition::Eq(KeyValue::of_bytes(&pk)));
        prop_assert_eq!(range.is_err(), sk.is_empty());
        for item in &items {
            let entry = item.entry(index);
            prop_assert_eq!(entry.is_none(), item.sk.is_empty());
            if let (Some(entry), Ok(range)) = (entry, &range) {
                prop_assert_eq!(lies_in(range, &entry), (&item.pk, &item.sk) == (&pk, &sk));
            }
        }
    }

    #[test]
    fn entries_read_back_order_by_value_and_are_never_shared(items in items()) {
        let indexes = indexes();
        for index in indexes.iter() {
            let entries: Vec<_> = items.iter().filter_map(|item| Some((item, item.entry(index)?))).collect();
            for (item, entry) in &entries {
                let read = IndexEntry::read(entry).unwrap();
                prop_assert_eq!((read.table_pk(), read.table_sk()), (item.pk.as_slice(), item.sk.as_slice()));
                for (other, other_entry) in &entries {
                    let same_key = (entry.pk(), entry.sk()) == (other_entry.pk(), other_entry.sk());
                    let same_item = (&item.pk, &item.sk) == (&other.pk, &other.sk);
                    prop_assert!(!same_key || same_item, "{:?} and {:?} share an entry", item, other);
                    let (Some(a), Some(b)) = (&item.sort, &other.sort) else { continue };
                    if index.sort_attribute() == Some("sort") && entry.pk() == other_entry.pk() {
                        let order = compare(key_value(a), key_value(b)).unwrap_or(Ordering::Equal);
                        prop_assert!(order.is_eq() || entry.sk().cmp(other_entry.sk()) == order);
                    }
                }
            }
        }
    }
}

fn refused(index: &str, partition: KeyValue<'_>, condition: KeyCondition<'_>) -> String {
    indexes().get(index).unwrap().range(partition, condition).expect_err("refused").to_string()
}

#[test]
fn conditions_that_cannot_be_are_refused_in_dynamodb_s_words() {
    let p = KeyValue::S("p");
    let long = "x".repeat(2049);
    let empty =
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty";
    assert_eq!(refused("global", KeyValue::S(""), KeyCondition::Any), format!("{empty} string value. Key: partition"));
    assert_eq!(refused("global", KeyValue::B(b""), KeyCondition::Any), format!("{empty} binary value. Key: partition"));
    for condition in [
        KeyCondition::Eq(KeyValue::S("")),
        KeyCondition::Gt(KeyValue::S("")),
        KeyCondition::BeginsWith(KeyValue::S("")),
        KeyCondition::Between(KeyValue::S(""), KeyValue::S("a")),
    ] {
        assert_eq!(refused("global", p, condition), format!("{empty} string value. Key: sort"));
    }
    assert_eq!(
        refused("global", KeyValue::S(&long), KeyCondition::Any),
        "Partition key size has exceeded the maximum allowed size: the limit is 2048 bytes, found 2049"
    );
    for condition in
        [KeyCondition::Le(KeyValue::S(&long[..1025])), KeyCondition::BeginsWith(KeyValue::S(&long[..1025]))]
    {
        assert_eq!(
            refused("global", p, condition),
            "Sort key size has exceeded the maximum allowed size: the limit is 1024 bytes, found 1025"
        );
    }
    assert_eq!(
        refused("local", KeyValue::N("1"), KeyCondition::Any),
        "One or more parameter values were invalid: Condition parameter type does not match schema type"
    );
    assert_eq!(refused("unsorted", p, KeyCondition::Eq(p)), "Query key condition not supported");
    assert_eq!(
        refused("global", p, KeyCondition::BeginsWith(KeyValue::N("1"))),
        "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"
    );
}

#[test]
fn between_needs_ends_of_one_type_in_order() {
    let p = KeyValue::S("p");
    let between = |low, high| refused("global", p, KeyCondition::Between(low, high));
    assert_eq!(
        between(KeyValue::N("10"), KeyValue::N("9")),
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: \
         AttributeValue: {N:10}, upper bound operand: AttributeValue: {N:9}"
    );
    assert!(between(KeyValue::S("b"), KeyValue::S("a")).contains("{S:b}, upper bound operand: AttributeValue: {S:a}"));
    assert!(
        between(KeyValue::S("b"), KeyValue::B(b"a")).contains("{S:b}, upper bound operand: AttributeValue: {B:YQ==}")
    );
    assert!(between(KeyValue::B(&[2]), KeyValue::B(&[1])).contains("{B:Ag==}"));
    for (low, high) in [
        (KeyValue::S("1"), KeyValue::N("2")),
        (KeyValue::N("1"), KeyValue::S("2")),
        (KeyValue::B(b"a"), KeyValue::N("2")),
    ] {
        assert!(
            between(low, high).starts_with("The BETWEEN operator requires same data type for lower and upper bounds;")
        );
    }
    let indexes = indexes();
    let equal = KeyCondition::Between(KeyValue::N("5"), KeyValue::N("5"));
    assert!(indexes.get("global").unwrap().range(p, equal).is_ok());
}

#[test]
fn a_range_goes_on_behind_where_a_page_ended() {
    let indexes = indexes();
    let range = indexes.get("global").unwrap().range(KeyValue::S("p"), KeyCondition::Eq(KeyValue::N("1"))).unwrap();
    let (Bound::Included(low), Bound::Excluded(high)) = range.sort_keys() else { panic!("one value's range") };
    let inside = [low, b"there"].concat();
    let rest = |sk, reverse| behind(range.sort_keys(), sk, reverse);
    assert_eq!(rest(&inside, false), (Bound::Excluded(&*inside), Bound::Excluded(high)));
    assert_eq!(rest(&inside, true), (Bound::Included(low), Bound::Excluded(&*inside)));
    // A forged token never widens the range.
    assert_eq!(rest(b"", false), range.sort_keys());
    assert_eq!(rest(&[high, b"x"].concat(), true), range.sort_keys());
}

#[test]
fn conditions_on_bytes_become_conditions_on_text_or_binary() {
    let indexes = indexes();
    let index = indexes.get("global").unwrap();
    for (bytes, typed) in [
        (
            SortKeyCondition::Between(b"a".to_vec(), b"b".to_vec()),
            KeyCondition::Between(KeyValue::S("a"), KeyValue::S("b")),
        ),
        (SortKeyCondition::BeginsWith(vec![0xFF]), KeyCondition::BeginsWith(KeyValue::B(&[0xFF]))),
        (SortKeyCondition::Any, KeyCondition::Any),
    ] {
        assert_eq!(index.range_of_bytes(b"p", &bytes.borrowed()), index.range(KeyValue::S("p"), typed), "{bytes:?}");
    }
}
