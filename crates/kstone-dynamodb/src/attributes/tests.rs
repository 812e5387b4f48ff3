//! Items that are read on as plain ones are what they are value by value.

use kstone_api::{ItemRef, KeyPart};
use proptest::prelude::*;

use super::*;
use crate::model;
use crate::read::{Scratch, read};
use crate::view::{Document, Structure};

/// The body of an item and its key attributes, with or without a look at whether it is plain.
fn written(json: &str, as_plain: bool) -> Option<(Vec<u8>, String)> {
    let body = format!("{{\"Item\":{json}}}");
    let operation = model::operation("DynamoDB_20120810.PutItem").unwrap();
    let mut scratch = Scratch::default();
    let read = read(&body, Some(operation), &mut scratch).unwrap();
    assert!(read.mistake.is_none(), "{json}");
    if !read.is_plain || !scratch.shadowed.is_empty() {
        return None;
    }
    let document = Document { body: &body, shadowed: &scratch.shadowed, is_plain: as_plain };
    let map = Structure::new(document, operation.input, read.members).get("Item").unwrap();
    let layout = KeyLayout::new(KeyPart::new("pk", KeyType::S), Some(KeyPart::new("n", KeyType::N))).unwrap();
    let (mut out, mut key) = (Vec::new(), KeyAttributes::default());
    if map.is_plain() {
        plain::put_map(&mut out, map, Some((&layout, &mut key))).unwrap();
    } else {
        let mut entries = Entries::new();
        for (name, value) in map.entries() {
            let (type_, inner) = value::typed(value).unwrap();
            if !key.take(&layout, name, (type_, inner.quoted())).unwrap() {
                entries.push((name.decode(), value));
            }
        }
        put_in_order(&mut entries, &mut out).unwrap();
    }
    ItemRef::validate(&out).unwrap();
    Some((out, format!("{key:?}")))
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![Just("a"), Just("b"), Just("n"), Just("pk"), Just("\\u0061c"), Just("p\\u006b"), Just(r#"\"ä"#)]
        .prop_map(str::to_owned)
}

fn values() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(r#"{"S":"a"}"#),
        Just(r#"{ "S" : "\u00e4\n" , "x" : [{"y":"]"}] }"#),
        Just(r#"{"x":null,"S":""}"#),
        Just(r#"{"N":"0120"}"#),
        Just(r#"{"N":"5"}"#),
        Just(r#"{"B":"AAE="}"#),
        Just(r#"{"BOOL":true}"#),
        Just(r#"{"BOOL":"false"}"#),
        Just(r#"{"BOOL":"TRUE"}"#),
        Just(r#"{ "\u0053":"b"}"#),
        Just(r#"{"L":[]}"#),
        Just(r#"{"M":{}}"#),
    ];
    leaf.prop_map(str::to_owned).prop_recursive(4, 30, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        let map = proptest::collection::vec((names(), inner), 0..4);
        prop_oneof![
            list.prop_map(|all| format!("{{\"L\":[{}]}}", all.join(" , "))),
            map.prop_map(|all| format!("{{\"M\":{}}}", object(&all))),
        ]
    })
}

fn object(members: &[(String, String)]) -> String {
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
    format!("{{{}}}", members.join(","))
}

proptest! {
    #[test]
    fn plain_items_are_read_on_as_value_by_value(members in proptest::collection::vec((names(), values()), 0..7)) {
        let json = object(&members);
        prop_assert_eq!(written(&json, true), written(&json, false), "{}", json);
    }
}

#[test]
fn what_is_tried_is_mostly_plain() {
    assert!(
        written(r#"{"pk":{"S":"a"},"n":{"N":"007"},"a":{"L":[{"M":{"z":{"BOOL":true},"b":{"B":""}}}]}}"#, true)
            .is_some()
    );
}
