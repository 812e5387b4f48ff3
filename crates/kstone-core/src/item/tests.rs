//! The stored form in golden bytes, reading it, its size, and bytes that are no body.

use proptest::prelude::*;

use super::*;
use crate::key::KeyRef;
use crate::value::{Value, tests::values};

fn body_of(value: Value) -> Vec<u8> {
    encode(&Item::from([("a".to_owned(), value)])).unwrap()
}

#[test]
fn stored_form_v1_of_every_type_keeps_its_bytes() {
    let golden: [(Value, &[u8]); 14] = [
        (Value::string("hé"), b"\x01a\x01\x03h\xc3\xa9"),
        (Value::string(""), b"\x01a\x01\x00"),
        (Value::number("-1.50E2"), b"\x01a\x02\x04-150"),
        (Value::binary([0, 255]), b"\x01a\x03\x02\x00\xff"),
        (Value::bool(false), b"\x01a\x04\x01\x00"),
        (Value::bool(true), b"\x01a\x04\x01\x01"),
        (Value::null(), b"\x01a\x05\x00"),
        (Value::list([]), b"\x01a\x06\x00"),
        (Value::list([Value::number(1), Value::string("x")]), b"\x01a\x06\x06\x02\x011\x01\x01x"),
        (Value::map([("z", Value::null()), ("b", Value::bool(true))]), b"\x01a\x07\x09\x01b\x04\x01\x01\x01z\x05\x00"),
        (Value::string_set(["b", "a", "ab"]), b"\x01a\x08\x07\x01a\x02ab\x01b"),
        (Value::number_set(["10", "9", "-1", "0.50"]), b"\x01a\x09\x0c\x02-1\x030.5\x019\x0210"),
        (Value::binary_set([&[2][..], &[1, 0], &[1]]), b"\x01a\x0a\x07\x01\x01\x02\x01\x00\x01\x02"),
        (
            Value::map([("l", Value::list([Value::map([("n", Value::number(7))]), Value::list([])]))]),
            b"\x01a\x07\x0d\x01l\x06\x09\x07\x05\x01n\x02\x017\x06\x00",
        ),
    ];
    for (value, bytes) in golden {
        let body = body_of(value.clone());
        assert_eq!(body, bytes, "{value:?}");
        assert_eq!(ItemRef::validate(&body).unwrap().get("a").unwrap().to_value(), value);
    }
}

#[test]
fn long_payloads_have_long_lengths() {
    let text = "x".repeat(300);
    let mut expected = b"\x01a\x06\xaf\x02\x01\xac\x02".to_vec();
    expected.extend_from_slice(text.as_bytes());
    assert_eq!(body_of(Value::list([Value::string(text)])), expected);
}

#[test]
fn the_same_item_has_the_same_bytes_however_built() {
    let numbers = [("1E1", ["b", "a"]), ("10.0", ["a", "b"])];
    let [first, second] = numbers.map(|(n, set)| body_of(Value::list([Value::number(n), Value::string_set(set)])));
    assert_eq!(first, second);
}

#[test]
fn get_finds_each_name_and_no_other() {
    let names = ["a", "ab", "b", "ba", "é"];
    let item: Item = names.iter().map(|name| ((*name).to_owned(), Value::string(*name))).collect();
    let body = encode(&item).unwrap();
    let item = ItemRef::new(&body);
    for name in names {
        assert_eq!(item.get(name).unwrap().as_str(), Some(name));
    }
    for name in ["", "A", "aa", "abc", "c", "z", "è", "\u{10ffff}", "a\0"] {
        assert_eq!(item.get(name), None, "{name:?}");
    }
    assert_eq!((item.len(), item.is_empty()), (5, false));
    assert_eq!((ItemRef::default().len(), ItemRef::default().is_empty()), (0, true));
}

#[test]
fn each_view_answers_for_its_type_alone() {
    let mut writer = ItemWriter::new();
    let values = [
        Value::string("s"),
        Value::number(1),
        Value::binary("b"),
        Value::bool(true),
        Value::null(),
        Value::list([Value::null()]),
        Value::map([("m", Value::null())]),
        Value::string_set(["s"]),
        Value::number_set([1]),
        Value::binary_set(["b"]),
    ];
    for value in &values {
        writer.set_value(value.type_().name(), value).unwrap();
    }
    for (name, value) in writer.as_item() {
        let type_ = value.type_();
        assert_eq!(type_.name(), name);
        assert_eq!(value.as_str().is_some(), type_ == Type::S);
        assert_eq!(value.as_number().is_some(), type_ == Type::N);
        assert_eq!(value.as_bytes().is_some(), type_ == Type::B);
        assert_eq!(value.as_bool().is_some(), type_ == Type::Bool);
        assert_eq!(value.is_null(), type_ == Type::Null);
        assert_eq!(value.list().count(), usize::from(type_ == Type::L));
        assert_eq!(value.map().is_some(), type_ == Type::M);
        assert_eq!(value.set().count(), usize::from(matches!(type_, Type::SS | Type::NS | Type::BS)));
    }
}

#[test]
fn paths_lead_through_maps_and_lists() {
    let leaf = Value::map([("c", Value::string("found"))]);
    let mut writer = ItemWriter::new();
    writer.set_value("a", &Value::map([("b", Value::list([Value::list([leaf]), Value::number(1)]))])).unwrap();
    writer.set_str("x.y", "dotted").unwrap();
    let item = writer.as_item();
    assert_eq!(item.at_path("a.b[0][0].c").unwrap().unwrap().as_str(), Some("found"));
    assert_eq!(item.at_path("a.b[1]").unwrap().unwrap().as_number(), Some("1"));
    assert_eq!(item.at_path("a.b[0001]").unwrap().unwrap().as_number(), Some("1"));
    assert_eq!(item.at_path("a").unwrap().unwrap().type_(), Type::M);
    for nowhere in [
        "b",
        "a.x",
        "a.b.c",
        "a.b[2]",
        "a.b[1][0]",
        "a.b[1].c",
        "a[0]",
        "x.y",
        "a.b[99999999999999999999999]",
        "a.b[0][0].c.d",
        "é",
    ] {
        assert_eq!(item.at_path(nowhere).unwrap(), None, "{nowhere}");
    }
}

#[test]
fn a_path_that_does_not_parse_is_refused_at_its_byte() {
    let cases = [
        ("", 0),
        (".", 0),
        (".a", 0),
        ("a.", 2),
        ("a..b", 2),
        ("[0]", 0),
        ("a[", 2),
        ("a[]", 2),
        ("a[x]", 2),
        ("a[-1]", 2),
        ("a[+1]", 2),
        ("a[ 1]", 2),
        ("a[1", 3),
        ("a[1x]", 3),
        ("a[1]b", 4),
        ("a[1]é", 4),
        ("a[1]]", 4),
        ("a]", 1),
        ("]", 0),
        ("a.[0]", 2),
        ("a[0].", 5),
        ("nowhere.b[", 10),
        ("a[1٣]", 3),
    ];
    for (path, at) in cases {
        let error = ItemRef::default().at_path(path).unwrap_err().to_string();
        assert!(
            error.starts_with("invalid attribute path") && error.ends_with(&format!("at byte {at}")),
            "{path}: {error}"
        );
    }
}

#[test]
fn item_size_counts_as_the_developer_guide_says() {
    let size = |value: Value| item_size(KeyRef::new(b"k", b"").unwrap(), ItemRef::new(&body_of(value))) - 3 - 1;
    let cases = [
        (Value::string("hé"), 3),
        (Value::string(""), 0),
        (Value::number(0), 1),
        (Value::number(12345), 4),
        (Value::number("-12345.6"), 6),
        (Value::number("123.5"), 4),
        (Value::number("1E100"), 2),
        (Value::binary([0; 7]), 7),
        (Value::bool(true), 1),
        (Value::null(), 1),
        (Value::list([]), 3),
        (Value::list([Value::string("xy"), Value::null()]), 3 + (1 + 2) + (1 + 1)),
        (Value::map::<&str>([]), 3),
        (Value::map([("name", Value::string("xy"))]), 3 + 1 + 4 + 2),
        (Value::list([Value::list([])]), 3 + 1 + 3),
        (Value::string_set(["a", "bc"]), 3),
        (Value::number_set([1, -1]), 2 + 3),
        (Value::binary_set(["a", "bc"]), 3),
    ];
    for (value, expected) in cases {
        assert_eq!(size(value.clone()), expected, "{value:?}");
    }
}

#[test]
fn the_key_counts_once_whether_or_not_the_item_holds_it() {
    let mut item = ItemWriter::new();
    item.set_str("a", "x").unwrap();
    assert_eq!(item_size(KeyRef::new(b"user", b"").unwrap(), item.as_item()), 6 + 2);
    assert_eq!(item_size(KeyRef::new(b"user", b"2024").unwrap(), item.as_item()), 6 + 6 + 2);
    item.set_str("pk", "user").unwrap().set_str("sk", "2024").unwrap();
    assert_eq!(item_size(KeyRef::new(b"user", b"2024").unwrap(), item.as_item()), 6 + 6 + 2);
    assert_eq!(
        item_size(KeyRef::new(b"user", b"").unwrap(), item.as_item()),
        6 + 6 + 2,
        "without a sort key, sk is an attribute as any"
    );
}

#[test]
fn an_item_of_400_kb_passes_and_one_byte_more_does_not() {
    let mut item = ItemWriter::new();
    item.set_str("a", &"x".repeat(ITEM_MAX_BYTES - 1 - 2 - 4)).unwrap();
    assert_eq!(item_size(KeyRef::new(b"user", b"").unwrap(), item.as_item()), ITEM_MAX_BYTES);
    check_size(&KeyRef::new(b"user", b"").unwrap(), item.as_item()).unwrap();
    let found = ITEM_MAX_BYTES + 1;
    let refused = Error::limit("Item size", Unit::Bytes, ITEM_MAX_BYTES, found);
    assert_eq!(check_size(&KeyRef::new(b"user1", b"").unwrap(), item.as_item()).unwrap_err(), refused);
    assert!(refused.to_string().starts_with("Item size has exceeded the maximum allowed size"));
    item.set_null("b").unwrap();
    assert!(check_size(&KeyRef::new(b"user", b"").unwrap(), item.as_item()).is_err());
}

#[test]
fn an_item_is_small_enough_for_its_size_but_too_large_to_store() {
    let numbers = |count| Value::list((0..count).map(|_| Value::number("1E-130")));
    let mut item = ItemWriter::new();
    item.set_value("a", &numbers(4_000)).unwrap().set_value("b", &numbers(3_000)).unwrap();
    check_size(&KeyRef::new(b"k", b"").unwrap(), item.as_item()).unwrap();
    let refused = item.set_value("c", &numbers(4_000)).unwrap_err();
    assert!(matches!(refused, Error::Limit { what: "Item size as stored", limit: BODY_MAX_BYTES, .. }));
}

#[test]
fn encode_names_what_is_wrong() {
    let refused = |name: &str, value| encode(&Item::from([(name.to_owned(), value)])).unwrap_err().to_string();
    assert_eq!(refused("", Value::null()), "an attribute name may not be empty");
    assert_eq!(
        refused("n", Value::number(f64::NAN)),
        "The parameter cannot be converted to a numeric value: NaN (attribute n)"
    );
    assert!(refused("n", Value::number(f64::INFINITY)).starts_with("The parameter cannot be converted"));
    assert!(refused("n", Value::number(u128::MAX)).starts_with("Attempting to store more than 38 significant digits"));
    assert_eq!(encode(&Item::new()).unwrap(), b"");
}

#[test]
fn bytes_that_are_no_body_are_refused_with_reason_and_place() {
    let cases: [(&[u8], &str); 36] = [
        (b"\x01", "reaches beyond the end"),
        (b"\x80", "does not end"),
        (b"\xff\xff\xff\xff\xff", "does not end"),
        (b"\x00\x05\x00", "an empty name"),
        (b"\x81\x00a\x05\x00", "shortest form"),
        (b"\x01a", "reaches beyond the end"),
        (b"\x01a\x05", "does not end"),
        (b"\x01a\x00\x00", "an unknown type"),
        (b"\x01a\x0b\x00", "an unknown type"),
        (b"\x01a\xff\x00", "an unknown type"),
        (b"\x01a\x01\x02x", "reaches beyond the end"),
        (b"\x01\xff\x05\x00", "not UTF-8"),
        (b"\x01a\x05\x00\x01a\x05\x00", "out of order"),
        (b"\x01b\x05\x00\x01a\x05\x00", "out of order"),
        (b"\x01a\x01\x01\xff", "not UTF-8"),
        (b"\x01a\x01\x81\x00x", "shortest form"),
        (b"\x01a\x02\x00", "not canonical"),
        (b"\x01a\x02\x031.0", "not canonical"),
        (b"\x01a\x02\x02-0", "not canonical"),
        (b"\x01a\x02\x031E3", "not canonical"),
        (b"\x01a\x02\x01\xff", "not canonical"),
        (b"\x01a\x04\x00", "neither 0 nor 1"),
        (b"\x01a\x04\x01\x02", "neither 0 nor 1"),
        (b"\x01a\x04\x02\x00\x00", "neither 0 nor 1"),
        (b"\x01a\x05\x01\x00", "not empty"),
        (b"\x01a\x06\x01\x05", "does not end"),
        (b"\x01a\x06\x03\x01\x02x\x05\x00", "beyond the end"),
        (b"\x01a\x07\x02\x01b", "reaches beyond the end"),
        (b"\x01a\x08\x00", "an empty set"),
        (b"\x01a\x08\x04\x01a\x01a", "out of order"),
        (b"\x01a\x08\x04\x01b\x01a", "out of order"),
        (b"\x01a\x08\x02\x01\xff", "not UTF-8"),
        (b"\x01a\x09\x05\x0210\x019", "out of order"),
        (b"\x01a\x09\x02\x01x", "not canonical"),
        (b"\x01a\x0a\x04\x01b\x01a", "out of order"),
        (b"\x01a\x0a\x02\x02a\x05\x00", "beyond the end"),
    ];
    for (bytes, reason) in cases {
        let error = ItemRef::validate(bytes).expect_err(&format!("{bytes:?}")).to_string();
        assert!(error.starts_with("not an item: ") && error.contains(reason), "{bytes:?}: {error}");
        read_everything(ItemRef::new(bytes));
    }
    assert!(ItemRef::validate(&vec![0; BODY_MAX_BYTES + 1]).is_err());
    assert!(ItemRef::validate(b"").is_ok());
}

/// A list in a list and so on, this many levels, as bytes.
fn nested_body(levels: usize) -> Vec<u8> {
    let mut value = vec![5, 0];
    for _ in 0..levels {
        let mut outer = vec![6];
        wire::put_bytes(&mut outer, &value);
        value = outer;
    }
    [b"\x01a", &value[..]].concat()
}

#[test]
fn hostile_depth_is_refused_and_read_without_harm() {
    assert!(ItemRef::validate(&nested_body(MAX_NESTING_LEVELS)).is_ok());
    for levels in [MAX_NESTING_LEVELS + 1, 10_000] {
        let body = nested_body(levels);
        assert!(ItemRef::validate(&body).unwrap_err().to_string().contains("a level of nesting too many"));
        read_everything(ItemRef::new(&body));
    }
}

/// Calls every reader; none may panic.
fn read_everything(item: ItemRef<'_>) {
    let _ = (
        item.len(),
        item.is_empty(),
        item.to_item(),
        item_size(KeyRef::new(b"k", b"s").unwrap(), item),
        check_size(&KeyRef::new(b"k", b"s").unwrap(), item),
    );
    let _ = (
        item.get("a"),
        item.at_path("a.b[0].c").unwrap(),
        format!("{item:?}"),
        ItemWriter::from_item(item).into_body(),
    );
    for (name, value) in item {
        let _ = (
            name,
            value.type_(),
            value.payload(),
            value.as_str(),
            value.as_number(),
            value.as_bytes(),
            value.as_bool(),
        );
        let _ = (
            value.is_null(),
            value.list().count(),
            value.map().map(ItemRef::len),
            value.set().count(),
            value.to_value(),
        );
    }
}

fn items() -> impl Strategy<Value = Item> {
    prop::collection::hash_map(".{1,8}", values(), 0..6)
}

proptest! {
    #[test]
    fn an_item_reads_back_as_it_was_written(item in items()) {
        let body = encode(&item).unwrap();
        let read = ItemRef::validate(&body).unwrap();
        prop_assert_eq!(read.to_item(), item.clone());
        prop_assert_eq!(read.len(), item.len());
        for (name, value) in &item {
            prop_assert_eq!(&read.get(name).unwrap().to_value(), value);
        }
    }

    #[test]
    fn a_size_is_at_most_twice_the_body_and_the_key(item in items(), pk in "[a-z]{1,9}", sk in "[a-z]{0,9}") {
        let body = encode(&item).unwrap();
        let size = item_size(KeyRef::new(pk.as_bytes(), sk.as_bytes()).unwrap(), ItemRef::new(&body));
        prop_assert!(size <= 2 * body.len() + 4 + pk.len() + sk.len());
    }

    #[test]
    fn bytes_that_pass_as_a_body_are_what_a_writer_writes(item in items(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut body = encode(&item).unwrap();
        for (at, byte) in changes {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        read_everything(ItemRef::new(&body));
        if let Ok(valid) = ItemRef::validate(&body) {
            prop_assert_eq!(encode(&valid.to_item()).unwrap(), body);
        }
    }

    #[test]
    fn a_body_cut_short_is_read_without_harm(item in items(), at in any::<prop::sample::Index>()) {
        let body = encode(&item).unwrap();
        let cut = &body[..at.index(body.len() + 1)];
        read_everything(ItemRef::new(cut));
        if let Ok(valid) = ItemRef::validate(cut) {
            prop_assert_eq!(encode(&valid.to_item()).unwrap(), cut);
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(prop_oneof![0..12u8, any::<u8>()], 0..200)) {
        read_everything(ItemRef::new(&bytes));
        if let Ok(valid) = ItemRef::validate(&bytes) {
            prop_assert_eq!(encode(&valid.to_item()).unwrap(), bytes);
        }
    }

    #[test]
    fn any_path_answers(path in "[a-c.\\[\\]0-9é]{0,12}") {
        let mut writer = ItemWriter::new();
        writer.set_value("a", &Value::list([Value::map([("b", Value::null())])])).unwrap();
        let _ = writer.as_item().at_path(&path);
    }
}

/// Names of every length about the longest that is near, alone and after others, with each separator at each place.
#[test]
fn a_near_attribute_is_what_its_path_leads_to() {
    let long = vec![7; 20_000];
    for len in 1..=20 {
        let plain = "k".repeat(len);
        let names = (0..len).flat_map(|at| ['.', '[', ']'].map(|separator| (at, separator))).map(|(at, separator)| {
            let mut name = plain.clone();
            name.replace_range(at..=at, separator.encode_utf8(&mut [0; 4]));
            name
        });
        for name in std::iter::once(plain.clone()).chain(names) {
            for before in ["", "a", "kk", "k".repeat(len + 1).as_str()] {
                let mut writer = ItemWriter::new();
                if !before.is_empty() {
                    writer.set_bin(before, &long[..200]).expect("set");
                }
                writer.set_i64(&name, 5).expect("set");
                let item = writer.as_item();
                match item.get_near(name.as_bytes()) {
                    Some(value) => assert_eq!(item.at_path(&name).ok().flatten(), Some(value), "{name}"),
                    None => assert!(len > 16 || name != plain, "{name} after {before:?}"),
                }
                assert_eq!(
                    item.get_near(&name.as_bytes()[1..]),
                    item.get(&name[1..]),
                    "none of this name but {before}"
                );
                assert_eq!(item.get_near(b"z"), None);
            }
        }
    }
    let mut writer = ItemWriter::new();
    writer.set_bin("long", &long).expect("set");
    assert_eq!(writer.as_item().get_near(b"long"), None, "it says nothing of long values");
}
