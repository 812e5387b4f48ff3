//! Directories against reading a body from the front.

use proptest::prelude::*;

use super::*;
use crate::engine::{Engine, EngineOptions};
use crate::item::{BODY_MAX_BYTES, ITEM_MAX_BYTES, ItemWriter, encode, item_size};
use crate::key::KeyRef;
use crate::record::Record;
use crate::value::{Item, Value, tests::values};

fn key() -> KeyRef<'static> {
    KeyRef::new(b"user#1", b"profile").unwrap()
}

/// The directory that a record makes of a body.
fn directory_of(body: &[u8]) -> Vec<u8> {
    let mut scratch = Scratch::new();
    scratch
        .survey(KeyRef::new(b"p", b"").unwrap(), body)
        .map_or_else(Vec::new, |survey| [survey.hashes, survey.offsets].concat())
}

/// Reading the stored item gives what reading its body from the front gives.
fn check_record(body: &[u8], others: &[&str]) {
    let (record, plain) = (Record::put(key(), body), ItemRef::new(body));
    assert_eq!(record.body(), body);
    assert_eq!(record.item_size(), item_size(key(), plain));
    assert_eq!(record.footprint(), Record::footprint_of(key(), body));
    assert!(record.footprint() <= 24 + record.data_len() + body.len() * 5 / 16, "{}", record.footprint());
    for name in plain.iter().map(|(name, _)| name).chain(others.iter().copied()) {
        assert_eq!(record.item().get(name), plain.get(name), "{name}");
        assert_eq!(record.item().get_hashed(HashedName::new(name)), plain.get(name), "{name}");
        assert_eq!(record.item().at_path(name), plain.at_path(name), "{name}");
    }
}

fn wide(attributes: usize, bytes: usize) -> Vec<u8> {
    let mut item = ItemWriter::new();
    for i in 0..attributes {
        item.set_str(&format!("attribute-{i:05}"), &"x".repeat(bytes)).unwrap();
    }
    item.finish().to_vec()
}

#[test]
fn items_have_directories_from_some_size_and_some_attributes_on() {
    let has_one = |attributes, bytes| Record::put(key(), &wide(attributes, bytes)).item().has_directory();
    assert!(has_one(8, 100) && has_one(8, 20) && has_one(20, 1) && has_one(5000, 10));
    assert!(!has_one(7, 100) && !has_one(8, 10) && !has_one(0, 0));
    let mut tiny = ItemWriter::new();
    for i in 0..500_u32 {
        tiny.set_null(&format!("{i:x}")).unwrap();
    }
    let tiny = Record::put(key(), tiny.finish());
    assert!(!tiny.item().has_directory());
    assert_eq!(tiny.item_size(), item_size(key(), tiny.item()));
    let entry = KeyRef::index_entry(b"\0\0x", b"").unwrap();
    assert!(!Record::put(entry, &wide(20, 50)).item().has_directory(), "an entry of an index is no item");
    assert!(!Record::row(key(), &wide(20, 50)).item().has_directory(), "a row is read once");
}

/// The entry alone is read: what lies before it might be anything.
#[test]
fn a_look_up_does_not_read_the_attributes_before_it() {
    let mut body = wide(20, 40);
    let directory = directory_of(&body);
    // Without an end of the first name's length nothing is found from the front.
    body[0] = 0xff;
    let (plain, with) = (ItemRef::new(&body), ItemRef::of_record(&body, &directory, None));
    for i in 1..20 {
        let name = format!("attribute-{i:05}");
        assert_eq!(plain.get(&name), None);
        assert_eq!(with.get(&name).and_then(ValueRef::as_str), Some(&*"x".repeat(40)), "{name}");
    }
}

#[test]
fn names_of_one_hash_are_told_apart() {
    let hash = hash_of(b"name-000000");
    let names: Vec<String> = (0..20_000).map(|i| format!("name-{i:06}")).collect();
    let alike: Vec<&str> = names.iter().map(String::as_str).filter(|name| hash_of(name.as_bytes()) == hash).collect();
    assert!(alike.len() > 40, "{}", alike.len());
    let mut item = ItemWriter::new();
    for name in &alike[..20] {
        item.set_str(name, &format!("the value of {name}")).unwrap();
    }
    check_record(item.finish(), &alike);
}

#[test]
fn hashes_of_usual_names_differ() {
    let of = |make: fn(u32) -> String| {
        let names: Vec<String> = (0..200).map(make).collect();
        let hashes: std::collections::BTreeSet<u8> = names.iter().map(|name| hash_of(name.as_bytes())).collect();
        hashes.len()
    };
    let random = 256.0 * (1.0 - (-200.0_f64 / 256.0).exp());
    for hashes in [
        of(|i| format!("{i}")),
        of(|i| format!("f{i}")),
        of(|i| format!("field{i:02}")),
        of(|i| format!("attribute-{i:05}")),
        of(|i| format!("a-{i}-and-a-long-name-behind-it")),
    ] {
        assert!(hashes as f64 > random * 0.8, "{hashes} different of 200, {random} by chance");
    }
}

#[test]
fn the_largest_items_are_found_in_as_well() {
    for (attributes, bytes) in [(20, 3_000), (20, 3_280), (20, 20_000), (300, 1_200), (6_000, 40), (20_000, 2)] {
        let body = wide(attributes, bytes);
        assert!(body.len() <= BODY_MAX_BYTES && (attributes == 20_000 || body.len() <= ITEM_MAX_BYTES));
        let record = Record::put(key(), &body);
        assert!(record.item().has_directory());
        for i in (0..attributes).step_by(97).chain([attributes - 1]) {
            let name = format!("attribute-{i:05}");
            assert_eq!(record.item().get(&name).map(|value| value.payload().len()), Some(bytes), "{name}");
        }
        assert_eq!(record.item().get("attribute-99999"), None);
        assert_eq!(record.item_size(), item_size(key(), ItemRef::new(&body)));
    }
}

#[test]
fn nested_maps_are_read_behind_a_directory() {
    let mut item = ItemWriter::new();
    item.set_value("m", &Value::map((0..50).map(|i| (format!("k{i}"), Value::list([Value::number(i)]))))).unwrap();
    for i in 0..20 {
        item.set_i64(&format!("number-{i}"), i).unwrap();
    }
    let body = item.finish().to_vec();
    let record = Record::put(key(), &body);
    assert!(record.item().has_directory());
    for path in ["m.k49[0]", "m.k7[0]", "m.k50", "number-13", "m", "n.m"] {
        assert_eq!(record.item().at_path(path), ItemRef::new(&body).at_path(path), "{path}");
    }
}

/// The engine writes a body of the same length over the one that is there, where nothing follows from it.
#[test]
fn an_item_that_is_overwritten_by_one_of_its_length_is_found_in() {
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let document = |first: char| {
        let mut item = ItemWriter::new();
        for i in 0..20_u8 {
            item.set_i64(&format!("{first}{}", "x".repeat(usize::from(if first == 'a' { i } else { 19 - i }))), 7)
                .unwrap();
        }
        item.set_bin("filler", &[0; 300]).unwrap();
        item.finish().to_vec()
    };
    let (first, second) = (document('a'), document('b'));
    assert_eq!(first.len(), second.len());
    for (body, other) in [(&first, &second), (&second, &first), (&first, &second)] {
        engine.put(key(), body).unwrap();
        let found = engine.get(key()).unwrap().unwrap();
        assert_eq!(found.body(), body);
        for (name, value) in ItemRef::new(body) {
            assert_eq!(found.item().get(name), Some(value), "{name}");
        }
        assert!(ItemRef::new(other).iter().all(|(name, _)| name == "filler" || found.item().get(name).is_none()));
    }
}

fn items() -> impl Strategy<Value = Item> {
    let names = prop_oneof![
        "[a-c]{1,3}",
        "[a-z]{1,12}",
        "field-[0-9]{1,2}",
        Just("pk".to_owned()),
        Just("sk".to_owned()),
        ".{1,9}"
    ];
    prop::collection::hash_map(names, values(), 0..40)
}

proptest! {
    #[test]
    fn every_attribute_is_found_where_reading_from_the_front_finds_it(item in items(), other in "[a-c]{1,2}|field-[0-9]{1,2}") {
        check_record(&encode(&item).unwrap(), &[&other, "", "nowhere"]);
    }

    /// Also of a body that is not one a directory says nothing else than the body.
    #[test]
    fn any_directory_of_any_body_is_read_without_harm(
        item in items(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        directory in prop::option::of(prop::collection::vec(any::<u8>(), 0..100)),
        end in any::<prop::sample::Index>(),
    ) {
        let mut body = encode(&item).unwrap();
        let directory = directory.unwrap_or_else(|| directory_of(&body));
        for (at, byte) in changes {
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
            }
        }
        body.truncate(end.index(body.len() + 1));
        check_inside(ItemRef::of_record(&body, &directory, None), &item);
        let record = Record::put(key(), &body);
        prop_assert_eq!(record.body(), &body[..]);
        check_inside(record.item(), &item);
    }
}

/// What is found lies in the body.
fn check_inside(found_in: ItemRef<'_>, names: &Item) {
    let body = found_in.as_bytes().as_ptr_range();
    for name in names.keys() {
        found_in.prefetch(HashedName::new(name));
        if let Some(found) = found_in.get(name) {
            let found = found.payload().as_ptr_range();
            assert!(body.start <= found.start && found.end <= body.end);
        }
    }
}
