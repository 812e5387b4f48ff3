use std::cmp::Ordering;

use proptest::prelude::*;

use super::*;
use crate::item::ItemWriter;
use crate::number;
use crate::value::Value;

fn encoded(part: &KeyPart, value: &Value) -> Result<Vec<u8>, KeyFault> {
    let mut item = ItemWriter::new();
    item.set_value("v", value).expect("a value");
    let mut out = Vec::new();
    part.encode(item.as_item().get("v").expect("set"), &mut out).map(|()| out)
}

fn typed(partition: KeyType, sort: KeyType) -> KeyLayout {
    KeyLayout::new(KeyPart::new("part", partition), Some(KeyPart::new("order", sort))).expect("a layout")
}

fn value_of(type_: KeyType) -> BoxedStrategy<Value> {
    match type_ {
        KeyType::S => ".{1,12}".prop_map(Value::S).boxed(),
        KeyType::N => (-99_999_999i64..=99_999_999, -120i32..=110)
            .prop_map(|(digits, power)| {
                let text = format!("{digits}E{power}");
                Value::N(number::canonical(&text).expect("in range").into_owned())
            })
            .boxed(),
        KeyType::B => prop::collection::vec(any::<u8>(), 1..12).prop_map(|bytes| Value::B(bytes.into())).boxed(),
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::N(a), Value::N(b)) => number::compare(a, b),
        (Value::S(a), Value::S(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::B(a), Value::B(b)) => a.cmp(b),
        _ => unreachable!("values of one type"),
    }
}

proptest! {
    #[test]
    fn bytes_of_a_key_order_as_its_values_and_are_seen_as_them(
        ((partition, sort), (a, b, c)) in (prop::sample::select(&KeyType::ALL[..]), prop::sample::select(&KeyType::ALL[..]))
            .prop_flat_map(|(p, s)| (Just((p, s)), (value_of(s), value_of(s), value_of(p))))
    ) {
        let layout = typed(partition, sort);
        let (sort, partition) = (layout.sort().expect("a sort key"), layout.partition());
        let (low, high) = (encoded(sort, &a).expect("fits"), encoded(sort, &b).expect("fits"));
        prop_assert_eq!(low.cmp(&high), order(&a, &b));
        let pk = encoded(partition, &c).expect("fits");
        let key = KeyView::new(&layout, &pk, &low);
        for _ in 0..2 {
            prop_assert_eq!(key.get("part").map(ValueRef::to_value), Some(c.clone()));
            prop_assert_eq!(key.get("order").map(ValueRef::to_value), Some(a.clone()));
        }
        let mut digits = Vec::new();
        prop_assert_eq!(sort.decode(&low, &mut digits).map(ValueRef::to_value), Some(a.clone()));
        let attributes: Vec<_> = key.attributes().map(|(name, value)| (name, value.to_value())).collect();
        prop_assert_eq!(attributes, [("order", a), ("part", c)]);
    }
}

#[test]
fn a_value_that_is_no_key_is_refused_by_name() {
    let layout = typed(KeyType::S, KeyType::N);
    let (partition, sort) = (layout.partition(), layout.sort().expect("a sort key"));
    let text = |fault: Result<Vec<u8>, KeyFault>| fault.expect_err("refused").to_string();
    let mismatch = "One or more parameter values were invalid: Type mismatch for key";
    assert_eq!(text(encoded(partition, &Value::number(1))), format!("{mismatch} part expected: S actual: N"));
    assert_eq!(text(encoded(sort, &Value::string("1"))), format!("{mismatch} order expected: N actual: S"));
    let untyped = KeyLayout::untyped().partition();
    assert_eq!(text(encoded(untyped, &Value::Bool(true))), format!("{mismatch} pk expected: S or B actual: BOOL"));
    let empty = |kind, name| {
        format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty \
             {kind} value. Key: {name}"
        )
    };
    assert_eq!(text(encoded(partition, &Value::string(""))), empty("string", "part"));
    let bytes = KeyPart::new("b", KeyType::B);
    assert_eq!(text(encoded(&bytes, &Value::B(Vec::new().into()))), empty("binary", "b"));
    let missing = KeyFault::Missing { name: "part".into() };
    assert_eq!(missing.to_string(), "One or more parameter values were invalid: Missing the key part in the item");
    let long = vec![b'x'; PARTITION_KEY_MAX_BYTES + 1];
    for (pk, sk, what) in [(&long[..], &long[..], "Partition key size"), (b"p", &long, "Sort key size")] {
        let fault = layout.check_lengths(pk, sk).expect_err("refused");
        assert!(matches!(&fault, KeyFault::TooLong { what: is, .. } if *is == what));
        assert!(matches!(Error::from(fault.clone()), Error::Limit { what: is, .. } if is == what));
        assert_eq!(Error::from(fault.clone()).to_string(), fault.to_string());
    }
    assert_eq!(layout.check_lengths(&long[1..], &long[..SORT_KEY_MAX_BYTES]), Ok(()));
}

#[test]
fn an_untyped_key_is_bytes_shown_as_text_where_they_are() {
    let layout = KeyLayout::untyped();
    assert!(!layout.is_typed() && layout.has("pk") && layout.has("sk") && !layout.has("p"));
    let key = KeyView::new(layout, b"ann", &[0xFF]);
    assert_eq!(key.get("pk").and_then(ValueRef::as_str), Some("ann"));
    assert_eq!(key.get("sk").and_then(ValueRef::as_bytes), Some(&[0xFF][..]));
    let alone = KeyView::new(layout, b"ann", b"");
    assert!(alone.get("sk").is_none() && alone.attributes().count() == 1);
    assert!(KeyView::new(layout, b"", b"").get("pk").is_none(), "no item, no key");
    for value in [Value::string("ann"), Value::B(b"ann".to_vec().into())] {
        assert_eq!(encoded(layout.partition(), &value).as_deref(), Ok(&b"ann"[..]));
    }
}

#[test]
fn bytes_that_are_no_number_are_shown_as_none() {
    let layout = typed(KeyType::N, KeyType::N);
    for garbage in [&b"\xC1\xFF"[..], b"\xC1", b"\xC1\x18x", b""] {
        let key = KeyView::new(&layout, garbage, garbage);
        assert!(key.get("part").is_none() && key.get("order").is_none() && key.attributes().next().is_none());
    }
}

#[test]
fn names_of_a_key_are_two_and_neither_empty_nor_too_long() {
    let part = |name: &str| KeyPart::new(name.to_owned(), KeyType::S);
    let refused = |partition, sort| KeyLayout::new(partition, sort).expect_err("refused").to_string();
    assert_eq!(refused(part("a"), Some(part("a"))), "partition key and sort key are both called a: they are two");
    assert_eq!(refused(part(""), None), "the name of a key attribute cannot be empty");
    assert_eq!(refused(part("a"), Some(part(""))), "the name of a key attribute cannot be empty");
    assert!(refused(part(&"ä".repeat(KEY_NAME_MAX_CHARS + 1)), None).starts_with("Key attribute name has exceeded"));
    assert!(KeyLayout::new(part(&"ä".repeat(KEY_NAME_MAX_CHARS)), None).is_ok());
    for type_ in KeyType::ALL {
        assert_eq!(KeyType::from_name(type_.name()), Some(type_));
    }
    assert_eq!(KeyType::from_name("SS"), None);
}
