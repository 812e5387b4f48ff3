//! Every reason of the table is said by a case here, in both dialects, and no text is put together anywhere else.

use std::collections::BTreeSet;
use std::path::Path;

use kstone_core::engine::{
    Engine, EngineOptions, EngineOrdinal, Eviction, Present, ScanRange, commit_across, exclusive_across,
};
use kstone_core::error::{Dialect, Error, Family, Flaw, Reason, Refusal};
use kstone_core::item::{ItemRef, ItemWriter, NestedWriter, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
use kstone_core::number::{self, Sum};
use kstone_core::record::Record;
use kstone_core::typed_key::KeyScratch;
use kstone_core::value::{Type, Value};

/// A refusal with what it says: kstone's text, and DynamoDB's where that is another one.
type Case = (Refusal, &'static str, Option<&'static str>);

#[track_caller]
fn refused<T>(result: Result<T, Error>) -> Refusal {
    match result.map(drop) {
        Err(Error::Invalid(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[rustfmt::skip]
fn of_numbers() -> Vec<Case> {
    let number = |text: &str| refused(number::canonical(text));
    vec![
        (number(""), "The parameter cannot be converted to a numeric value", None),
        (number("1x"), "The parameter cannot be converted to a numeric value: 1x", None),
        (number("1E126"), "Number overflow. Attempting to store a number with magnitude larger than supported range", None),
        (number("1E-131"), "Number underflow. Attempting to store a number with magnitude smaller than supported range", None),
        (number(&"9".repeat(39)), "Attempting to store more than 38 significant digits in a Number", None),
        (refused(Sum::default().mean(0)), "a number cannot be divided by 0", None),
    ]
}

#[rustfmt::skip]
fn of_items() -> Vec<Case> {
    let set = |value: Value| refused(ItemWriter::new().set_value("a", &value));
    let path = |path: &str| refused(ItemRef::new(b"").at_path(path));
    let in_list = Value::list([Value::map([("b.c", Value::N("x".into()))])]);
    let member = ValueRef::from_parts(Type::L, b"\xff").members().expect("a list").next().expect("a member");
    vec![
        (refused(ItemWriter::new().set_str("", "a")), "an attribute name may not be empty", None),
        (set(Value::SS(vec![])), "One or more parameter values were invalid: An string set  may not be empty (attribute a)",
            Some("One or more parameter values were invalid: An string set  may not be empty")),
        (set(Value::NS(vec![])), "One or more parameter values were invalid: An number set  may not be empty (attribute a)",
            Some("One or more parameter values were invalid: An number set  may not be empty")),
        (set(Value::BS(vec![])), "One or more parameter values were invalid: Binary sets should not be empty (attribute a)",
            Some("One or more parameter values were invalid: Binary sets should not be empty")),
        (set(Value::string_set(["b", "b"])), "One or more parameter values were invalid: Input collection [b, b] contains duplicates. (attribute a)",
            Some("One or more parameter values were invalid: Input collection [b, b] contains duplicates.")),
        (set(Value::number_set(["1", "1.0"])), "One or more parameter values were invalid: Input collection [1, 1] contains duplicates. (attribute a)",
            Some("Input collection contains duplicates")),
        (set(Value::BS(vec![vec![1].into(), vec![1].into()])), "One or more parameter values were invalid: Input collection [01, 01] contains duplicates. (attribute a)",
            Some("One or more parameter values were invalid: Input collection [01, 01]of type BS contains duplicates.")),
        (set(in_list), "The parameter cannot be converted to a numeric value: x (attribute a[0].b.c)",
            Some("The parameter cannot be converted to a numeric value: x")),
        (refused(ItemRef::validate(b"\x00")), "not an item: an empty name at byte 1", None),
        (refused(ValueRef::validate(Type::Bool, b"\x02")), "not a value of type BOOL: a BOOL that is neither 0 nor 1", None),
        (refused(member), "not a value in its stored form: no member begins at byte 0", None),
        (path("a..b"), "invalid attribute path \"a..b\": expected an attribute name at byte 2", None),
        (path("a[b]"), "invalid attribute path \"a[b]\": expected an index at byte 2", None),
        (path("a[0"), "invalid attribute path \"a[0\": expected ']' at byte 3", None),
        (path("a[0]b"), "invalid attribute path \"a[0]b\": expected '.' or '[' at byte 4", None),
    ]
}

#[rustfmt::skip]
fn of_nested() -> Vec<Case> {
    let add = |open: Option<Type>, name: &str| {
        let mut nested = NestedWriter::default();
        if let Some(type_) = open {
            nested.open("a", type_).expect("opened");
        }
        refused(nested.add(name, |item, name| item.set_str(name, "x").map(drop)))
    };
    let mut inside = NestedWriter::default();
    inside.open("a", Type::L).expect("opened");
    let close = refused(inside.close());
    inside.open("", Type::L).expect("opened");
    vec![
        (refused(NestedWriter::default().open("a", Type::S)), "only L, M, SS, NS and BS hold other values, S does not", None),
        (add(None, ""), "no list, map or set is open", None),
        (close, "no list, map or set is open inside another one", None),
        (refused(inside.attribute().map(drop)), "an attribute is complete when only its outermost list, map or set is open", None),
        (add(Some(Type::L), "b"), "an element of a list has no name", None),
        (add(Some(Type::NS), ""), "an element of a set of numbers (NS) is of type N, not S", None),
    ]
}

#[rustfmt::skip]
fn of_keys() -> Vec<Case> {
    let layout = |sort: Option<KeyPart>| KeyLayout::new(KeyPart::new("part", KeyType::S), sort);
    let typed = layout(Some(KeyPart::new("order", KeyType::N))).expect("a layout").intern().expect("interned");
    let alone = layout(None).expect("a layout").intern().expect("interned");
    let item = |value: Value| {
        let mut item = ItemWriter::new();
        item.set_str("part", "a").expect("set").set_value("order", &value).expect("set");
        item.into_body()
    };
    let split = |value: Value| refused(typed.split(ItemRef::new(&item(value)), &mut KeyScratch::default()).map(drop));
    let bytes = |pk: &[u8], sk: &[u8]| refused(typed.key_of_bytes(pk, sk, &mut KeyScratch::default()).map(drop));
    let no_sort = ItemWriter::new().set_str("part", "a").expect("set").as_item().as_bytes().to_vec();
    let (mut scratch, five) = (KeyScratch::default(), item(Value::number(5)));
    let key = typed.key_of_bytes(b"a", b"4", &mut scratch).expect("a key");
    let differs = refused(typed.split_under(key, ItemRef::new(&five)).map(drop));
    let mismatch = refused(typed.key_of(ItemRef::new(&no_sort), &mut KeyScratch::default()).map(drop));
    let schema = Some("The provided key element does not match the schema");
    vec![
        (refused(KeyRef::new(b"", b"")), "One or more parameter values are not valid: the partition key is empty, it needs 1 to 2048 bytes",
            Some("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk")),
        (refused(KeyRef::index_entry(b"i", b"")), "the partition key of an index entry has 1 bytes, it needs 2 for the index and more for the partition", None),
        (refused(layout(Some(KeyPart::new("", KeyType::S)))), "the name of a key attribute cannot be empty", None),
        (refused(layout(Some(KeyPart::new("part", KeyType::S)))), "partition key and sort key are both called part: they are two",
            Some("Both the Hash Key and the Range Key element in the KeySchema have the same name")),
        (bytes(b"a", b""), "the sort key order is missing: the table has one", schema),
        (refused(alone.key_of_bytes(b"a", b"b", &mut KeyScratch::default()).map(drop)), "the table has no sort key: its key is part alone", schema),
        (bytes(b"\xff", b"1"), "the key attribute part is of type S: invalid utf-8 sequence of 1 bytes from index 0", schema),
        (bytes(b"a", b"x"), "the key attribute order is of type N: The parameter cannot be converted to a numeric value: x",
            Some("The parameter cannot be converted to a numeric value: x")),
        (refused(typed.key_of_encoded(b"a", b"\xff", &mut KeyScratch::default()).map(drop)), "the key attribute order is of type N: its bytes are no number's", None),
        (refused(typed.split(ItemRef::new(&no_sort), &mut KeyScratch::default()).map(drop)), "One or more parameter values were invalid: Missing the key order in the item", None),
        (split(Value::string("x")), "One or more parameter values were invalid: Type mismatch for key order expected: N actual: S", None),
        (refused(KeyLayout::untyped().partition().check(Type::N, b"1")), "One or more parameter values were invalid: Type mismatch for key pk expected: S or B actual: N", None),
        (refused(KeyLayout::untyped().partition().check(Type::B, b"")), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: pk", None),
        (differs, "One or more parameter values were invalid: the attribute order must equal the item's key where it is present", None),
        (mismatch, "The provided key element does not match the schema", None),
    ]
}

#[rustfmt::skip]
fn of_the_engine() -> Vec<Case> {
    let options = |change: fn(&mut EngineOptions)| {
        let mut options = EngineOptions { ordinal: EngineOrdinal(4), ..EngineOptions::default() };
        change(&mut options);
        Engine::new(options)
    };
    let (engine, other) = (options(|_| ()).expect("created"), options(|_| ()).expect("created"));
    let keys = [KeyRef::new(b"a", b"").expect("a key"), KeyRef::new(b"b", b"").expect("a key")];
    let write = |_: &Present<'_>| Ok::<_, Error>(([(0, Record::put(keys[1], b""))], ()));
    let unnamed = refused(commit_across(&[(&engine, &keys[..1])], write, |()| ()));
    let ordinals = refused(commit_across(&[(&engine, &keys[..1]), (&other, &keys[..1])], write, |()| ()));
    let twice = refused(exclusive_across(&[&engine, &engine], |_| ()));
    let filled = engine.filling().sorted().expect("no records");
    engine.put(keys[0], b"").expect("put");
    let not_empty = refused(filled.install(0, || Ok::<_, Error>(())));
    let no_thread = Refusal::from(Reason::NoThread { error: "too many threads".into() });
    vec![
        (refused(ScanRange::segment(2, 2)), "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2", None),
        (refused(options(|options| options.memtable_max_records = 0)), "memtable_max_records is 0, it may be 1 to 65536", None),
        (refused(options(|options| options.memory_max_bytes = Some(1))), "memory_max_bytes is 1, it must be at least 1048576", None),
        (refused(options(|options| options.eviction = Eviction::Lru)), "eviction needs a limit: set memory_max_bytes", None),
        (no_thread, "no thread for background_compaction: too many threads", None),
        (not_empty, "the database is not empty, and only an empty one can be filled", None),
        (ordinals, "two engines that are locked together have the ordinal 4: each needs one of its own", None),
        (twice, "an engine stands twice among those to be locked", None),
        (unnamed, "a commit wrote a key that it had not named: Record { pk: \"b\", sk: \"\", tombstone: false, body_len: 0, .. }", None),
    ]
}

#[test]
fn every_reason_is_said_in_both_dialects() {
    let cases = [of_numbers(), of_items(), of_nested(), of_keys(), of_the_engine()].concat();
    let mut said = BTreeSet::new();
    for (refusal, kstone, dynamodb) in &cases {
        assert_eq!(refusal.to_string(), *kstone);
        assert_eq!(refusal.text(Dialect::Kstone), *kstone);
        assert_eq!(refusal.text(Dialect::DynamoDb), dynamodb.unwrap_or(kstone));
        let error = Error::from(refusal.reason().clone());
        assert_eq!(error.family(), refusal.family());
        said.insert(refusal.reason().name());
    }
    let unsaid: Vec<_> = Reason::NAMES.iter().filter(|name| !said.contains(*name)).collect();
    assert!(unsaid.is_empty(), "no case says {unsaid:?}");
}

#[test]
fn only_what_a_set_breaks_is_of_the_request_alone() {
    assert_eq!(Reason::EmptyStringSet.family(), Family::Request);
    assert_eq!(Reason::NumberOverflow.family(), Family::Data);
}

/// A length as the stored form has it.
fn varint(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

#[test]
fn every_flaw_is_found() {
    let body = |bytes: &[u8]| match refused(ItemRef::validate(bytes).map(drop)).reason() {
        Reason::NotAnItem { flaw, .. } => flaw.clone(),
        other => panic!("{other:?}"),
    };
    let value = |type_: Type, payload: &[u8]| match refused(ValueRef::validate(type_, payload).map(drop)).reason() {
        Reason::NotAValue { flaw, .. } => flaw.clone(),
        other => panic!("{other:?}"),
    };
    let null = [Type::Null.code(), 0];
    let named = |name: &[u8]| [&varint(name.len())[..], name, &null].concat();
    let deep = (0..33).fold(Vec::new(), |inner, _| [&[Type::L.code()][..], &varint(inner.len()), &inner].concat());
    let cases = [
        (body(b"\x00"), "an empty name"),
        (body(&named(&vec![b'n'; kstone_core::item::NAME_MAX_BYTES + 1])), "a name that is too long"),
        (body(&[named(b"b"), named(b"a")].concat()), "a name out of order"),
        (body(&named(b"\xff")), "a name that is not UTF-8"),
        (body(b"\x01a\xee\x00"), "an unknown type"),
        (body(b"\x05a"), "a length that reaches beyond the end"),
        (body(b"\x80"), "a length that does not end"),
        (body(b"\x81\x00a"), "a length that is not in its shortest form"),
        (value(Type::L, &deep), "a level of nesting too many"),
        (value(Type::SS, b"\x01b\x01a"), "a set's element out of order"),
        (value(Type::NS, b""), "an empty set"),
        (value(Type::S, b"\xff"), "text that is not UTF-8"),
        (value(Type::N, b"01"), "a number that is not canonical"),
        (value(Type::Bool, b"\x02"), "a BOOL that is neither 0 nor 1"),
        (value(Type::Null, b"a"), "a NULL that is not empty"),
    ];
    let found: BTreeSet<_> = cases.iter().map(|(flaw, text)| (flaw.name(), flaw.to_string() == *text)).collect();
    assert_eq!(found, Flaw::NAMES.iter().map(|name| (*name, true)).collect());
}

/// DynamoDB's texts of limits have no numbers, and two of them are its own.
#[test]
fn a_limit_is_said_in_both_dialects() {
    let (long, name) = (vec![b'a'; 2049], "n".repeat(65_536));
    let text = |result: Result<(), Error>, dialect: Dialect| dialect.text_of(&result.expect_err("too large"));
    let (partition, sort) = (KeyRef::new(&long, b"").map(drop), KeyRef::new(b"a", &long[..1025]).map(drop));
    let named = ItemWriter::new().set_null(&name).map(drop);
    let nested = (0..33).fold(Value::Null, |inner, _| Value::list([inner]));
    let nested = ItemWriter::new().set_value("a", &nested).map(drop);
    let over = "has exceeded the maximum allowed size";
    for (result, kstone, dynamodb) in [
        (
            partition,
            format!("Partition key size {over}: the limit is 2048 bytes, found 2049"),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
                .to_owned(),
        ),
        (
            sort,
            format!("Sort key size {over}: the limit is 1024 bytes, found 1025"),
            "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of \
             1024 bytes"
                .to_owned(),
        ),
        (named, format!("Attribute name {over}: the limit is 65535 bytes, found 65536"), format!("Attribute name {over}")),
        (
            nested,
            format!("Nesting Levels {over}: the limit is 32 levels, found 33"),
            "Nesting Levels have exceeded supported limits".to_owned(),
        ),
    ] {
        assert_eq!(text(result.clone(), Dialect::Kstone), kstone);
        assert_eq!(text(result, Dialect::DynamoDb), dynamodb);
    }
}

fn sources(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).expect("the crate's sources") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => sources(&path, check),
            false => check(&path, &std::fs::read_to_string(&path).expect("readable")),
        }
    }
}

/// The sources know reasons alone: what an error says is made of the table.
#[test]
fn no_text_of_a_refusal_is_put_together_outside_of_the_table() {
    let mut files = 0;
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        files += 1;
        for put_together in ["Error::invalid(", "Error::Invalid(format!", "Invalid(\""] {
            assert!(!text.contains(put_together), "{} has {put_together}", path.display());
        }
    });
    assert!(files > 50, "{files} files were read");
}
