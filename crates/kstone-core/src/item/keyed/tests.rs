use proptest::prelude::*;

use super::*;
use crate::item::{ItemWriter, encode, item_size};
use crate::key_layout::{KeyLayout, KeyType};
use crate::record::Record;
use crate::value::{Item, Type, Value, tests::values};

fn layout(partition: (&str, KeyType), sort: Option<(&str, KeyType)>) -> &'static InternedLayout {
    let part = |(name, type_): (&str, KeyType)| KeyPart::new(name.to_owned(), type_);
    KeyLayout::new(part(partition), sort.map(part)).unwrap().intern().unwrap()
}

fn body(attributes: &[(&str, Value)]) -> Vec<u8> {
    encode(&attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()).unwrap()
}

fn stored(layout: &'static InternedLayout, body: &[u8]) -> Record {
    let mut scratch = KeyScratch::default();
    let split = layout.split(ItemRef::new(body), &mut scratch).unwrap();
    let mut rest = Vec::new();
    split.put_rest(&mut rest);
    Record::put(split.key, &rest)
}

#[test]
fn key_attributes_live_in_the_key_and_are_shown_in_the_item() {
    let users = layout(("user_id", KeyType::S), Some(("score", KeyType::N)));
    let whole =
        body(&[("age", 30.into()), ("score", Value::N("1.50".into())), ("user_id", "u1".into()), ("zip", "x".into())]);
    let record = stored(users, &whole);
    assert_eq!(record.pk(), b"u1");
    assert_eq!(record.sk(), [0xC1, 0x03, 0x64], "1.5 in the order of numbers");
    assert!(!record.body().windows(5).any(|bytes| bytes == b"score" || bytes == b"user_"));
    let item = record.item();
    assert_eq!(item.get("score").and_then(ValueRef::as_number), Some("1.5"));
    assert_eq!(item.get("user_id").and_then(ValueRef::as_str), Some("u1"));
    assert_eq!(item.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["age", "score", "user_id", "zip"]);
    assert_eq!(item, ItemRef::new(&item.to_body()));
    assert_eq!(
        item.to_body(),
        body(&[("age", 30.into()), ("score", Value::N("1.5".into())), ("user_id", "u1".into()), ("zip", "x".into())])
    );
    assert_eq!(record.item_size(), 7 + 2 + 5 + 3 + 3 + 2 + 3 + 1);
    assert_eq!(record.footprint(), Record::footprint_of(record.key_ref(), record.body()));
}

#[test]
fn what_is_wrong_with_a_key_attribute_is_said_by_its_name() {
    let users = layout(("user_id", KeyType::S), Some(("score", KeyType::N)));
    let split = |attributes: &[(&str, Value)]| {
        let body = body(attributes);
        let refused = users.split(ItemRef::new(&body), &mut KeyScratch::default()).map(drop).unwrap_err();
        refused.to_string()
    };
    let score = || ("score", Value::from(1));
    assert!(split(&[score()]).ends_with("Missing the key user_id in the item"));
    assert!(split(&[("user_id", 1.into()), score()]).ends_with("Type mismatch for key user_id expected: S actual: N"));
    assert!(split(&[("user_id", "".into()), score()]).ends_with("cannot contain an empty string value. Key: user_id"));
    assert!(split(&[("user_id", "u".into())]).ends_with("Missing the key score in the item"));
    assert!(split(&[("user_id", "u".repeat(2049).as_str().into()), score()]).contains("2048"));
    let bytes = layout(("b", KeyType::B), None);
    let empty = body(&[("b", Value::B(bytes::Bytes::new()))]);
    let refused = bytes.split(ItemRef::new(&empty), &mut KeyScratch::default()).map(drop).unwrap_err();
    assert!(refused.to_string().ends_with("cannot contain an empty binary value. Key: b"));
}

#[test]
fn a_key_that_is_given_agrees_with_the_item() {
    let users = layout(("user_id", KeyType::S), Some(("score", KeyType::N)));
    let mut scratch = KeyScratch::default();
    let key = users.key_of_bytes(b"u", b"1.50", &mut scratch).unwrap();
    let whole = body(&[("score", Value::N("1.5".into())), ("user_id", "u".into()), ("x", 1.into())]);
    let rest = body(&[("x", 1.into())]);
    for item in [&whole, &rest] {
        let split = users.split_under(key, ItemRef::new(item)).unwrap();
        assert_eq!(split.rest.concat(), rest);
    }
    let other = body(&[("score", Value::N("2".into()))]);
    assert!(users.split_under(key, ItemRef::new(&other)).is_err());
}

#[test]
fn a_request_names_an_item_by_its_key_attributes_and_no_others() {
    let users = layout(("user_id", KeyType::S), None);
    let of = |attributes: &[(&str, Value)]| {
        users.key_of(ItemRef::new(&body(attributes)), &mut KeyScratch::default()).map(|key| key.pk().to_vec())
    };
    assert_eq!(of(&[("user_id", "u".into())]).unwrap(), b"u");
    let mismatch = "The provided key element does not match the schema";
    for wrong in [&[][..], &[("user_id", 1.into())], &[("user_id", "u".into()), ("x", 1.into())], &[("x", "u".into())]]
    {
        assert_eq!(of(wrong).unwrap_err().to_string(), mismatch);
    }
    assert!(of(&[("user_id", "".into())]).unwrap_err().to_string().contains("empty string"));
}

#[test]
fn what_a_row_shows_is_its_body_and_its_key_is_still_text() {
    let scores = layout(("score", KeyType::N), None);
    let record = stored(scores, &body(&[("score", Value::N("-12".into())), ("x", 1.into())]));
    let row = Record::row(record.key_ref(), &body(&[("x", 1.into())]));
    assert_eq!(row.item().iter().count(), 1);
    assert_eq!(row.key_ref().label().pk_number(), Some(&b"-12"[..]));
    let whole = Record::whole_row(record.key_ref(), record.body());
    assert_eq!(whole.item(), record.item());
}

fn key_value(type_: KeyType) -> BoxedStrategy<Value> {
    match type_ {
        KeyType::S => "[a-z\u{e9}]{1,6}".prop_map(Value::S).boxed(),
        KeyType::B => proptest::collection::vec(any::<u8>(), 1..6).prop_map(|bytes| Value::B(bytes.into())).boxed(),
        KeyType::N => ("-?[1-9][0-9]{0,37}", -90_i32..80)
            .prop_map(|(digits, power)| {
                Value::N(crate::number::canonical(&format!("{digits}E{power}")).unwrap().into_owned())
            })
            .boxed(),
    }
}

fn key_type() -> impl Strategy<Value = KeyType> {
    prop_oneof![Just(KeyType::S), Just(KeyType::N), Just(KeyType::B)]
}

fn order(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::N(a), Value::N(b)) => crate::number::compare(a, b),
        (Value::S(a), Value::S(b)) => a.cmp(b),
        (Value::B(a), Value::B(b)) => a.cmp(b),
        _ => unreachable!("of one type"),
    }
}

proptest! {
    /// Whatever the names, types and other attributes: the stored record shows the item that was put, in every way of
    /// reading it, and counts it alike.
    #[test]
    fn a_stored_item_is_the_item_that_was_put(
        names in proptest::sample::subsequence(vec!["a", "k", "kk", "m", "z"], 2),
        swap in any::<bool>(),
        (types, pk, sk) in (key_type(), key_type()).prop_flat_map(|(a, b)| (Just((a, b)), key_value(a), key_value(b))),
        others in proptest::collection::hash_map("[a-o]{1,3}", values(), 0..12),
    ) {
        let (first, second) = if swap { (names[1], names[0]) } else { (names[0], names[1]) };
        let layout = layout((first, types.0), Some((second, types.1)));
        let mut item: Item = others;
        item.insert(first.to_owned(), pk);
        item.insert(second.to_owned(), sk);
        let whole = encode(&item).unwrap();
        let record = stored(layout, &whole);
        let shown = record.item();
        prop_assert_eq!(shown.to_item(), item.clone());
        prop_assert_eq!(shown.to_body(), whole.clone());
        prop_assert_eq!(shown.len(), item.len());
        for (name, value) in &item {
            prop_assert_eq!(shown.get(name).map(ValueRef::to_value), Some(value.clone()));
        }
        prop_assert!(shown.get("nothing").is_none());
        let mut some = Vec::new();
        shown.copy_where(&mut some, |name| name >= "k");
        let mut expected = Vec::new();
        ItemRef::new(&whole).copy_where(&mut expected, |name| name >= "k");
        prop_assert_eq!(some, expected);
        let sizes = ItemRef::new(&whole).iter().map(|(name, value)| {
            // An item of this attribute alone, less the key that is counted with it.
            let mut one = ItemWriter::new();
            one.set_value(name, &value.to_value()).unwrap();
            item_size(KeyRef::new(b"x", b"").unwrap(), one.as_item()) - 3
        });
        prop_assert_eq!(record.item_size(), sizes.sum::<usize>());
        // The key is read back from its bytes alone.
        let mut scratch = KeyScratch::default();
        let again = layout.key_of_encoded(record.pk(), record.sk(), &mut scratch).unwrap();
        prop_assert_eq!(Record::put(again, record.body()).item().to_item(), item);
    }

    /// The quick looks of puts say what the thorough ones say, or nothing.
    #[test]
    fn what_is_said_at_a_quick_look_is_what_a_thorough_one_says(
        names in proptest::sample::subsequence(vec!["a", "k", "kk", "m", "z"], 2),
        (swap, has_sort) in (any::<bool>(), any::<bool>()),
        (types, pk, sk) in (key_type(), key_type()).prop_flat_map(|(a, b)| (Just((a, b)), key_value(a), key_value(b))),
        left_out in proptest::option::weighted(0.3, 0_usize..2),
        others in proptest::collection::hash_map("[a-o]{1,3}", values(), 0..12),
    ) {
        let (first, second) = if swap { (names[1], names[0]) } else { (names[0], names[1]) };
        let layout = layout((first, types.0), has_sort.then_some((second, types.1)));
        let mut item: Item = others;
        item.insert(first.to_owned(), pk);
        item.insert(second.to_owned(), sk);
        if let Some(at) = left_out {
            item.remove([first, second][at]);
        }
        let whole = encode(&item).unwrap();
        let holds_one = layout.parts().any(|part| item.contains_key(part.name()));
        prop_assert!(layout.may_be_in(&whole) || !holds_one);
        let mut scratch = KeyScratch::default();
        let thorough = layout.split(ItemRef::new(&whole), &mut scratch);
        match (layout.split_near(&whole), thorough) {
            (Some(near), thorough) => {
                let thorough = thorough.unwrap();
                prop_assert_eq!(near.key, thorough.key);
                prop_assert_eq!(near.key.label().as_bytes(), thorough.key.label().as_bytes());
                prop_assert_eq!(near.rest.concat(), thorough.rest.concat());
            }
            (None, thorough) => prop_assert!(thorough.is_err() || layout.has_numbers()),
        }
    }

    /// Keys of one type order as their values do, 38 digits included.
    #[test]
    fn keys_order_as_their_values(
        (type_, a, b) in key_type().prop_flat_map(|type_| (Just(type_), key_value(type_), key_value(type_))),
    ) {
        let layout = layout(("p", KeyType::S), Some(("s", type_)));
        let key = |value: &Value| stored(layout, &body(&[("p", "p".into()), ("s", value.clone())])).sk().to_vec();
        prop_assert_eq!(key(&a).cmp(&key(&b)), order(&a, &b));
    }

    /// Bytes of callers name the same key as the attributes do.
    #[test]
    fn bytes_name_the_key_that_attributes_do(
        (types, pk, sk) in (key_type(), key_type()).prop_flat_map(|(a, b)| (Just((a, b)), key_value(a), key_value(b))),
    ) {
        let layout = layout(("p", types.0), Some(("s", types.1)));
        let record = stored(layout, &body(&[("p", pk), ("s", sk)]));
        let item = record.item();
        let payload = |name: &str| item.get(name).unwrap().payload().to_vec();
        let (pk, sk) = (payload("p"), payload("s"));
        let mut scratch = KeyScratch::default();
        let key = layout.key_of_bytes(&pk, &sk, &mut scratch).unwrap();
        prop_assert_eq!((key.pk(), key.sk()), (record.pk(), record.sk()));
        prop_assert_eq!(item.get("p").unwrap().type_(), types.0.type_());
        prop_assert!(Type::S != Type::N);
    }

    /// Bytes that are no key of the layout are refused, or are one; nothing panics.
    #[test]
    fn any_bytes_are_a_key_or_refused(pk in proptest::collection::vec(any::<u8>(), 0..9), sk in proptest::collection::vec(any::<u8>(), 0..9), a in key_type(), b in key_type()) {
        let layout = layout(("p", a), Some(("s", b)));
        let (mut one, mut other) = (KeyScratch::default(), KeyScratch::default());
        if let Ok(key) = layout.key_of_encoded(&pk, &sk, &mut one) {
            prop_assert_eq!((key.pk(), key.sk()), (&pk[..], &sk[..]));
        }
        if let Ok(key) = layout.key_of_bytes(&pk, &sk, &mut other) {
            prop_assert!(!key.pk().is_empty() && !key.sk().is_empty());
        }
    }
}

#[test]
fn layouts_are_interned_once() {
    let part = |name: &'static str| KeyPart::new(name, KeyType::S);
    let interned = |sort| KeyLayout::new(part("a"), sort).unwrap().intern().unwrap();
    assert!(std::ptr::eq(interned(Some(part("b"))), interned(Some(part("b")))));
    assert_ne!(interned(Some(part("b"))), interned(None));
}
