//! The order of the bytes, that they end themselves, and that nothing else is read.

use std::cmp::Ordering;

use kstone_core::number;
use kstone_core::value::Value;
use proptest::prelude::*;

use super::*;

fn bytes(value: KeyValue<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    value.put(&mut out);
    out
}

/// The order that is to be met: type, then DynamoDB's within it.
fn expected_order(a: KeyValue<'_>, b: KeyValue<'_>) -> Ordering {
    match (a, b) {
        (KeyValue::N(a), KeyValue::N(b)) => number::compare(a, b),
        (KeyValue::N(_), _) => Ordering::Less,
        (_, KeyValue::N(_)) => Ordering::Greater,
        (a, b) => a.as_bytes().cmp(b.as_bytes()),
    }
}

/// Values that are close to each other, with what is special to the encoding in them. Shared with the tests of ranges.
pub(in crate::table::index) fn values() -> impl Strategy<Value = Value> {
    let number = |text: String| number::canonical(&text).ok().map(|text| Value::N(text.into_owned()));
    let letters = prop::sample::select(vec!['\0', '\u{1}', 'a', 'b', 'é', '\u{10FFFF}']);
    let byte = prop::sample::select(vec![0_u8, 1, 2, b'a', 0xFE, 0xFF]);
    prop_oneof![
        "-?(0|[1-9][0-9]?)(\\.[05])?".prop_filter_map("in range", number),
        "-?[1-9]E(-130|-1|0|2|125)".prop_filter_map("in range", number),
        prop::collection::vec(letters, 1..4).prop_map(|letters| Value::S(letters.into_iter().collect())),
        prop::collection::vec(byte, 1..4).prop_map(|bytes| Value::B(bytes.into())),
    ]
}

pub(in crate::table::index) fn key_value(value: &Value) -> KeyValue<'_> {
    match value {
        Value::N(text) => KeyValue::N(text),
        Value::S(text) => KeyValue::S(text),
        Value::B(bytes) => KeyValue::B(bytes),
        other => panic!("{other:?} is no key"),
    }
}

#[test]
fn golden_bytes_are_those_of_the_diagram() {
    let cases: [(KeyValue<'_>, &[u8]); 6] = [
        (KeyValue::N("12"), &[1, 0xC1, 0x18]),
        (KeyValue::S("a"), &[2, b'a', 0, 1]),
        (KeyValue::S("a\0"), &[2, b'a', 0, 0xFF, 0, 1]),
        (KeyValue::B(&[0, 0xFF]), &[2, 0, 0xFF, 0xFF, 0, 1]),
        (KeyValue::B(&[0, 1]), &[2, 0, 0xFF, 1, 0, 1]),
        (KeyValue::B(&[]), &[2, 0, 1]),
    ];
    for (value, expected) in cases {
        assert_eq!(bytes(value), expected, "{value}");
    }
}

#[test]
fn order_is_numbers_then_text_and_binary_by_their_bytes() {
    let ascending = [
        KeyValue::N("-1000"),
        KeyValue::N("-2"),
        KeyValue::N("0"),
        KeyValue::N("9"),
        KeyValue::N("10"),
        KeyValue::S("\0"),
        KeyValue::S("\0\0"),
        KeyValue::B(&[0, 1]),
        KeyValue::B(&[0, 0xFF]),
        KeyValue::S("\u{1}"),
        KeyValue::S("10"),
        KeyValue::S("9"),
        KeyValue::S("B"),
        KeyValue::S("a"),
        KeyValue::S("a\0"),
        KeyValue::S("a\0b"),
        KeyValue::S("a\u{1}"),
        KeyValue::S("aa"),
        KeyValue::B(&[0x7F]),
        KeyValue::B(&[0x80]),
        KeyValue::S("é"),
        KeyValue::B(&[0xC4]),
        KeyValue::B(&[0xFF]),
        KeyValue::B(&[0xFF, 0xFF]),
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(bytes(*a).cmp(&bytes(*b)), i.cmp(&j), "{a} and {b}");
        }
    }
    assert_eq!(bytes(KeyValue::S("a")), bytes(KeyValue::B(b"a")));
}

#[test]
fn key_bytes_are_text_where_they_are_utf8() {
    assert_eq!(KeyValue::of_bytes(b"user#1"), KeyValue::S("user#1"));
    assert_eq!(KeyValue::of_bytes(&[0xFF]), KeyValue::B(&[0xFF]));
    assert_eq!(
        KeyValue::of_bytes("é".as_bytes().split_at(1).0),
        KeyValue::B(&[0xC3]),
        "a prefix may end inside a letter"
    );
}

#[test]
fn only_numbers_text_and_bytes_are_key_values() {
    let mut writer = kstone_core::item::ItemWriter::new();
    writer.set_num("n", "1.50").unwrap().set_str("s", "x").unwrap().set_bin("b", &[1]).unwrap();
    writer.set_bool("t", true).unwrap().set_null("z").unwrap();
    let set = Value::SS(vec!["a".to_owned()]);
    writer.set_value("ss", &set).unwrap().set_value("l", &Value::L(vec![])).unwrap();
    writer.set_value("m", &Value::M(Default::default())).unwrap();
    let item = writer.as_item();
    let value = |name: &str| KeyValue::of_value(item.get(name).unwrap());
    assert_eq!(value("n"), Some(KeyValue::N("1.5")));
    assert_eq!(value("s"), Some(KeyValue::S("x")));
    assert_eq!(value("b"), Some(KeyValue::B(&[1])));
    for name in ["t", "z", "ss", "l", "m"] {
        assert_eq!(value(name), None, "{name}");
    }
}

#[test]
fn what_is_no_value_is_not_taken() {
    let refused: [&[u8]; 12] = [
        &[],
        &[0],
        &[4, b'a', 0, 1],
        &[1],
        &[1, 0xC1],
        &[1, 0xC1, 0x19],
        &[2],
        &[2, b'a'],
        &[2, b'a', 0],
        &[2, b'a', 0, 0xFF],
        &[2, b'a', 0, 2, 0, 1],
        &[3, 0, 0, 1],
    ];
    for mut cursor in refused {
        let before = cursor;
        assert_eq!(skip(&mut cursor), None, "{before:?}");
        assert_eq!(cursor, before, "the cursor stays");
    }
}

/// Values of one type: numbers of up to 38 digits of any size, text and bytes with what is special to the encoding.
fn of_type(type_: u8) -> BoxedStrategy<Value> {
    let number = |text: String| number::canonical(&text).ok().map(|text| Value::N(text.into_owned()));
    match type_ {
        0 => prop_oneof![
            "-?[1-9][0-9]{0,37}(E-?(1[0-2]?[0-9]|[0-9]))?".prop_filter_map("in range", number),
            // Close to each other: the last of 38 digits tells.
            "-?9{36}[0-9]{2}E-?(0|1|87)".prop_filter_map("in range", number),
            "-?(0|0?\\.0{0,3}[1-9]{1,4})".prop_filter_map("in range", number),
        ]
        .boxed(),
        1 => "[\\x00\\x01aé\u{10FFFF}]{1,4}".prop_map(Value::S).boxed(),
        _ => prop::collection::vec(prop::sample::select(vec![0_u8, 1, 2, b'a', 0xFE, 0xFF]), 1..5)
            .prop_map(|bytes| Value::B(bytes.into()))
            .boxed(),
    }
}

/// Two keys of up to four attributes, of the same types.
fn two_keys() -> impl Strategy<Value = (Vec<Value>, Vec<Value>)> {
    prop::collection::vec(0_u8..3, 1..=4).prop_flat_map(|types| {
        let pairs = types.into_iter().map(|type_| {
            (of_type(type_), of_type(type_), any::<bool>())
                .prop_map(|(one, other, same)| if same { (one.clone(), one) } else { (one, other) })
        });
        pairs.collect::<Vec<_>>().prop_map(|pairs| pairs.into_iter().unzip())
    })
}

proptest! {
    #[test]
    fn keys_of_several_attributes_order_as_their_values_one_after_the_other((one, other) in two_keys()) {
        let all = |values: &[Value]| {
            let mut out = Vec::new();
            values.iter().for_each(|value| key_value(value).put(&mut out));
            out
        };
        let orders = one.iter().zip(&other).map(|(one, other)| expected_order(key_value(one), key_value(other)));
        let expected = orders.fold(Ordering::Equal, Ordering::then);
        prop_assert_eq!(all(&one).cmp(&all(&other)), expected, "{:?} and {:?}", one, other);
        // Whatever follows, that order stays.
        let (low, high) = ([all(&one), vec![0]].concat(), [all(&other), vec![0xFF]].concat());
        prop_assert_eq!(low.cmp(&high), expected.then(Ordering::Less));
        let mut rest = &*low;
        for _ in &one {
            prop_assert!(skip(&mut rest).is_some());
        }
        prop_assert_eq!(rest, [0]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn encoded_order_is_the_order_of_values_whatever_follows(
        a in values(), b in values(), x: Vec<u8>, y: Vec<u8>,
    ) {
        let (a, b) = (key_value(&a), key_value(&b));
        let order = expected_order(a, b);
        prop_assert_eq!(bytes(a).cmp(&bytes(b)), order, "{} and {}", a, b);
        let key = |value, rest: &[u8]| [bytes(value), rest.to_vec()].concat();
        prop_assert_eq!(key(a, &x).cmp(&key(b, &y)), order.then_with(|| x.cmp(&y)));
        prop_assert!(order.is_eq() || !bytes(a).starts_with(&bytes(b)), "{} begins {}", b, a);
    }

    #[test]
    fn a_value_is_taken_whole_and_nothing_else(value in values(), rest: Vec<u8>) {
        let value = bytes(key_value(&value));
        let key = [value.clone(), rest.clone()].concat();
        let mut cursor = key.as_slice();
        prop_assert_eq!(skip(&mut cursor), Some(value.as_slice()));
        prop_assert_eq!(cursor, rest.as_slice());
    }

    #[test]
    fn taking_from_garbage_never_panics(garbage: Vec<u8>) {
        let mut cursor = garbage.as_slice();
        let _ = skip(&mut cursor);
    }
}
