//! Constructors, equality and the typed JSON form of values.

use std::mem::size_of;

use proptest::prelude::*;

use super::*;

#[test]
fn codes_and_names_of_types_lead_back() {
    for (i, type_) in Type::ALL.into_iter().enumerate() {
        assert_eq!(usize::from(type_.code()), i + 1);
        assert_eq!(Type::from_code(type_.code()), Some(type_));
        assert_eq!(Type::from_name(type_.name()), Some(type_));
    }
    assert_eq!((Type::from_code(0), Type::from_code(11), Type::from_code(255)), (None, None, None));
    assert_eq!((Type::from_name("s"), Type::from_name("")), (None, None));
}

#[test]
fn each_accessor_answers_for_its_type_alone() {
    let values = [
        Value::string("a"),
        Value::number(1),
        Value::binary([1]),
        Value::bool(true),
        Value::null(),
        Value::list([]),
        Value::map::<&str>([]),
        Value::string_set(["a"]),
        Value::number_set([1]),
        Value::binary_set([[1]]),
    ];
    for (value, type_) in values.iter().zip(Type::ALL) {
        assert_eq!(value.type_(), type_);
        assert_eq!(value.as_string().is_some(), type_ == Type::S);
        assert_eq!(value.as_number().is_some(), type_ == Type::N);
        assert_eq!(value.as_binary().is_some(), type_ == Type::B);
        assert_eq!(value.as_bool().is_some(), type_ == Type::Bool);
        assert_eq!(value.is_null(), type_ == Type::Null);
        assert_eq!(value.as_list().is_some(), type_ == Type::L);
        assert_eq!(value.as_map().is_some(), type_ == Type::M);
        assert_eq!(value.as_string_set().is_some(), type_ == Type::SS);
        assert_eq!(value.as_number_set().is_some(), type_ == Type::NS);
        assert_eq!(value.as_binary_set().is_some(), type_ == Type::BS);
        assert_eq!(value.as_bytes().is_empty(), !matches!(type_, Type::S | Type::N | Type::B));
    }
}

#[test]
fn a_float_is_its_shortest_decimal() {
    let cases = [
        (0.1, "0.1"),
        (1.0, "1"),
        (-0.0, "0"),
        (1e21, "1000000000000000000000"),
        (0.000_001, "0.000001"),
        (-2.5, "-2.5"),
    ];
    for (float, text) in cases {
        assert_eq!(Value::number(float).as_number().unwrap(), text);
    }
    assert_eq!(Value::number(0.1f32).as_number().unwrap(), "0.1");
    assert_eq!(Value::number(-0.0f32).as_number().unwrap(), "0");
}

#[test]
fn every_integer_type_is_a_number() {
    let values = [
        Value::number(7i8),
        Value::number(7i16),
        Value::number(7i32),
        Value::number(7i64),
        Value::number(7i128),
        Value::number(7isize),
        Value::number(7u8),
        Value::number(7u16),
        Value::number(7u32),
        Value::number(7u64),
        Value::number(7u128),
        Value::number(7usize),
        Value::number(7f32),
        Value::number(7f64),
        Value::number("7"),
        Value::number("7".to_owned()),
        Value::from(7i32),
        Value::from(7i64),
        Value::from(7f64),
    ];
    assert!(values.iter().all(|value| value.as_number().unwrap() == "7"));
}

#[test]
fn numbers_are_equal_however_written() {
    assert_eq!(Value::number("1E3"), Value::number(1000));
    assert_eq!(Value::number("-0"), Value::number("0.00"));
    assert_ne!(Value::number("1.0000001"), Value::number(1));
    assert_ne!(Value::number("ten"), Value::number("10"));
    assert_eq!(Value::number("ten"), Value::number("ten"));
    assert_ne!(Value::number("1"), Value::string("1"));
}

#[test]
fn sets_are_equal_whatever_their_order() {
    assert_eq!(Value::string_set(["a", "b"]), Value::string_set(["b", "a"]));
    assert_eq!(Value::number_set(["1", "2.0"]), Value::number_set(["2", "1E0"]));
    assert_eq!(Value::binary_set(["a", "b"]), Value::binary_set(["b", "a"]));
    assert_ne!(Value::string_set(["a", "b"]), Value::string_set(["a"]));
    assert_ne!(Value::string_set(["a", "a", "b"]), Value::string_set(["a", "b", "b"]));
    assert_ne!(Value::list([Value::null(), Value::bool(true)]), Value::list([Value::bool(true), Value::null()]));
}

#[test]
fn a_value_stays_small() {
    assert!(size_of::<Value>() <= 56, "{}", size_of::<Value>());
}

fn from_json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn typed_json_of_every_type_is_as_dynamodb_writes_it() {
    let cases = [
        (Value::string("a\"b"), r#"{"S":"a\"b"}"#),
        (Value::number("12345678901234567890.5"), r#"{"N":"12345678901234567890.5"}"#),
        (Value::binary([0xfb, 0xff]), r#"{"B":"+/8="}"#),
        (Value::bool(false), r#"{"BOOL":false}"#),
        (Value::null(), r#"{"NULL":true}"#),
        (Value::list([Value::null()]), r#"{"L":[{"NULL":true}]}"#),
        (Value::map([("b", Value::null()), ("a", Value::number(1))]), r#"{"M":{"a":{"N":"1"},"b":{"NULL":true}}}"#),
        (Value::string_set(["b", "a"]), r#"{"SS":["b","a"]}"#),
        (Value::number_set([1, 2]), r#"{"NS":["1","2"]}"#),
        (Value::binary_set(["hi"]), r#"{"BS":["aGk="]}"#),
    ];
    for (value, text) in cases {
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
        assert_eq!(from_json(text).unwrap(), value);
    }
}

#[test]
fn a_list_of_items_is_written_as_json_in_one_call() {
    let items = vec![Item::from([("id".to_owned(), Value::number(1))])];
    let text = serde_json::to_string_pretty(&items).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Item>>(&text).unwrap(), items);
}

#[test]
fn typed_json_that_is_no_value_is_refused() {
    let texts = [
        "{}",
        "[]",
        "1",
        "null",
        "\"S\"",
        r#"{"S":1}"#,
        r#"{"S":null}"#,
        r#"{"s":"a"}"#,
        r#"{"X":"a"}"#,
        r#"{"":"a"}"#,
        r#"{"N":1}"#,
        r#"{"N":""}"#,
        r#"{"N":"ten"}"#,
        r#"{"N":"1E126"}"#,
        r#"{"B":"*"}"#,
        r#"{"B":"aGk"}"#,
        r#"{"B":"-_8="}"#,
        r#"{"B":1}"#,
        r#"{"BOOL":"true"}"#,
        r#"{"BOOL":1}"#,
        r#"{"NULL":false}"#,
        r#"{"NULL":null}"#,
        r#"{"L":{}}"#,
        r#"{"L":["a"]}"#,
        r#"{"L":[{}]}"#,
        r#"{"M":[]}"#,
        r#"{"M":{"a":1}}"#,
        r#"{"SS":"a"}"#,
        r#"{"SS":[1]}"#,
        r#"{"NS":[1]}"#,
        r#"{"NS":["x"]}"#,
        r#"{"BS":["*"]}"#,
        r#"{"S":"a","N":"1"}"#,
        r#"{"S":"a","S":"a"}"#,
        r#"{"M":{"a":{"NULL":true},"a":{"NULL":true}}}"#,
    ];
    for text in texts {
        assert!(from_json(text).is_err(), "{text}");
    }
}

#[test]
fn typed_json_nests_as_deep_as_an_item() {
    let nested = |levels: usize| format!("{}{{\"NULL\":true}}{}", r#"{"L":["#.repeat(levels), "]}".repeat(levels));
    assert!(from_json(&nested(MAX_NESTING_LEVELS)).is_ok());
    let error = from_json(&nested(MAX_NESTING_LEVELS + 1)).unwrap_err().to_string();
    assert!(error.starts_with("Nesting Levels have exceeded supported limits"), "{error}");
    assert!(from_json(&nested(100_000)).is_err());
}

/// Values that an item may hold, with canonical numbers and sets in order.
pub(crate) fn values() -> impl Strategy<Value = Value> {
    let number = || {
        prop_oneof![
            any::<i64>().prop_map(|n| n.to_string()),
            "-?[1-9][0-9]{0,20}(\\.[0-9]{0,10}[1-9])?",
            Just("0".to_owned())
        ]
    };
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::S),
        number().prop_map(Value::N),
        any::<Vec<u8>>().prop_map(Value::binary),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        prop::collection::btree_set(any::<String>(), 1..5).prop_map(Value::string_set),
        prop::collection::btree_set(number(), 1..5).prop_map(Value::number_set),
        prop::collection::btree_set(any::<Vec<u8>>(), 1..5).prop_map(Value::binary_set),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::L),
            prop::collection::hash_map(".{1,6}", inner, 0..6).prop_map(Value::M),
        ]
    })
}

proptest! {
    #[test]
    fn typed_json_reads_back(value in values()) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(from_json(&text).unwrap(), value);
    }

    #[test]
    fn a_finite_float_reads_back_as_itself(float in any::<f64>().prop_filter("finite", |float| float.is_finite())) {
        let value = Value::number(float);
        prop_assert_eq!(number::to_f64(value.as_number().unwrap()), Some(float));
    }
}
