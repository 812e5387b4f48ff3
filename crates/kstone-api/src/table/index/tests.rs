//! Which entry an item has, what it shows, what is refused, what changes; how indexes keep their numbers.

use kstone_core::item::ItemWriter;
use kstone_core::value::Value;
use proptest::prelude::*;

use super::*;

fn one(index: GlobalSecondaryIndex) -> Index {
    let schema = TableSchema::new().add_global_index(index);
    schema.validate().unwrap();
    Indexes::compile(&schema, &Indexes::default()).iter().next().unwrap().clone()
}

fn local(index: LocalSecondaryIndex) -> Index {
    let schema = TableSchema::new().add_local_index(index);
    schema.validate().unwrap();
    Indexes::compile(&schema, &Indexes::default()).iter().next().unwrap().clone()
}

fn by_status() -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::new("by-status", "status").sort_key("total")
}

fn order(status: &str, total: i64) -> ItemWriter {
    let mut item = ItemWriter::new();
    item.set_str("customer", "Alice").unwrap().set_str("status", status).unwrap().set_i64("total", total).unwrap();
    item
}

fn entry(index: &Index, mut item: ItemWriter) -> Option<Record> {
    index.entry(b"order#1", b"v1", item.as_item(), None).unwrap()
}

fn refused(index: &Index, mut item: ItemWriter) -> String {
    index.entry(b"order#1", b"v1", item.as_item(), None).expect_err("refused").to_string()
}

#[test]
fn a_global_entry_has_the_layout_of_the_diagram() {
    let index = one(by_status().projection(Projection::KeysOnly));
    let mut item = order("open", 12);
    let entry = index.entry(b"order#1", b"v1", item.as_item(), Some(0x0102)).unwrap().unwrap();
    assert_eq!(entry.pk(), b"\0\x01\x02open\0\x01");
    assert_eq!(entry.sk(), b"\x01\xC1\x18\0\x07order#1v1");
    assert_eq!(entry.body(), b"\x05\x02\x01\0\0\0\0\0\0\x06status\x01\x04open\x05total\x02\x0212");
}

#[test]
fn a_local_entry_has_the_layout_of_the_diagram() {
    let index = local(LocalSecondaryIndex::new("by-total", "total"));
    let mut item = order("open", 12);
    let entry = entry(&index, item.clone()).unwrap();
    assert_eq!(entry.pk(), b"\0\x01order#1");
    assert_eq!(entry.sk(), b"\x01\xC1\x18v1");
    assert_eq!(entry.body(), [b"\x06", item.finish()].concat());
}

#[test]
fn an_entry_gives_the_item_back_under_its_key() {
    for index in [one(by_status()), local(LocalSecondaryIndex::new("by-total", "total"))] {
        for (pk, sk) in [(&b"p"[..], &b""[..]), (b"p\0", b"\0\x01"), (&[0xFF; 2048], &[0; 1024])] {
            for expires_at in [None, Some(0), Some(i64::MIN), Some(i64::MAX)] {
                let mut item = order("open", 12);
                let record = index.entry(pk, sk, item.as_item(), expires_at).unwrap().unwrap();
                let read = IndexEntry::read(&record).unwrap();
                assert_eq!((read.index(), read.expires_at()), (index.id(), expires_at));
                assert_eq!((read.table_pk(), read.table_sk()), (pk, sk));
                assert_eq!(read.item(), item.as_item());
                let copy = read.to_item_record();
                assert_eq!((copy.pk(), copy.sk(), copy.body()), (pk, sk, item.finish()));
                assert_eq!(copy.key_ref(), read.table_key());
            }
        }
    }
}

#[test]
fn records_that_are_no_entries_read_as_none() {
    let item = Record::put(KeyRef::new(b"\0\x01order#1", b"sk").unwrap(), b"\x02");
    assert_eq!(IndexEntry::read(&item), None, "an item of the table");
    let record = |pk: &[u8], sk: &[u8], body: &[u8]| Record::put(KeyRef::index_entry(pk, sk).unwrap(), body);
    let entry = record(b"\0\x01p", b"", b"\x02");
    assert!(IndexEntry::read(&entry).is_some());
    assert_eq!(IndexEntry::read(&Record::tombstone(entry.key_ref())), None);
    for (pk, sk, body) in [
        (&b"\0\x01p"[..], &b""[..], &b""[..]), // no flags
        (b"\0\x01p", b"", b"\x03\0\0\0"),      // half a time
        (b"\0\x01p", b"", b"\x06"),            // no sort value
        (b"\0\x01p", b"\x02open", b"\x06"),    // half a sort value
        (b"\0\x01p", b"", b"\0"),              // no length
        (b"\0\x01p", b"\0\x05tab", b"\0"),     // half a key
        (b"\0\x01p", b"\0\0", b"\0"),          // an empty key
    ] {
        assert_eq!(IndexEntry::read(&record(pk, sk, body)), None, "{sk:?} {body:?}");
    }
}

#[test]
fn an_item_without_a_key_attribute_has_no_entry() {
    let index = one(by_status());
    let mut no_total = order("open", 1);
    no_total.remove("total");
    let mut no_status = order("open", 1);
    no_status.remove("status");
    assert!(entry(&index, order("open", 1)).is_some());
    assert!(entry(&index, no_total.clone()).is_none());
    assert!(entry(&index, no_status).is_none());
    assert!(entry(&index, ItemWriter::new()).is_none());
    assert!(entry(&local(LocalSecondaryIndex::new("by-total", "total")), no_total.clone()).is_none());
    assert!(entry(&one(GlobalSecondaryIndex::new("by-status", "status")), no_total).is_some());
    let nested = one(GlobalSecondaryIndex::new("by-city", "address.city"));
    let mut item = ItemWriter::new();
    item.set_value("address", &Value::map([("city", Value::S("Bern".to_owned()))])).unwrap();
    assert!(entry(&nested, item).is_none(), "a key attribute is a whole attribute");
}

#[test]
fn key_attributes_of_other_types_are_refused() {
    let index = one(by_status());
    let set = |name: &str, value: &Value| {
        let mut item = order("open", 1);
        item.set_value(name, value).unwrap();
        item
    };
    let refused_values = [
        ("BOOL", Value::Bool(true)),
        ("NULL", Value::Null),
        ("L", Value::L(vec![])),
        ("M", Value::M(Default::default())),
        ("SS", Value::SS(vec!["a".to_owned()])),
        ("NS", Value::NS(vec!["1".to_owned()])),
        ("BS", Value::BS(vec![b"a".to_vec().into()])),
    ];
    for (type_name, value) in &refused_values {
        for name in ["status", "total"] {
            assert_eq!(
                refused(&index, set(name, value)),
                format!(
                    "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: S, N or B \
                     Actual: {type_name} IndexName: by-status"
                )
            );
        }
        assert!(entry(&index, set("customer", value)).is_some(), "other attributes may be anything");
    }
    let mut alone = ItemWriter::new();
    alone.set_bool("total", true).unwrap();
    assert!(refused(&index, alone).contains("Index Key total"), "also where the other key attribute is missing");
}

#[test]
fn empty_key_attributes_are_refused() {
    let index = one(by_status());
    let text = "One or more parameter values are not valid. A value specified for a secondary index key is not \
                supported. The AttributeValue for a key attribute cannot contain an empty";
    assert_eq!(refused(&index, order("", 1)), format!("{text} string value. IndexName: by-status, IndexKey: status"));
    let mut binary = order("open", 1);
    binary.set_bin("total", &[]).unwrap();
    assert_eq!(refused(&index, binary), format!("{text} binary value. IndexName: by-status, IndexKey: total"));
}

#[test]
fn key_attributes_may_be_as_long_as_keys() {
    let index = one(by_status());
    let sized = |status: usize, total: usize| {
        let mut item = ItemWriter::new();
        item.set_str("status", &"s".repeat(status)).unwrap().set_bin("total", &vec![0; total]).unwrap();
        item
    };
    assert!(entry(&index, sized(2048, 1024)).is_some());
    let prefix = "One or more parameter values were invalid: Size limit exceeded for Index Key";
    assert_eq!(
        refused(&index, sized(2049, 1)),
        format!("{prefix} status Actual Size: 2049 bytes Max Size: 2048 bytes IndexName: by-status")
    );
    assert_eq!(
        refused(&index, sized(1, 1025)),
        format!("{prefix} total Actual Size: 1025 bytes Max Size: 1024 bytes IndexName: by-status")
    );
    let by_pk = one(GlobalSecondaryIndex::new("inverted", "sk").sort_key("pk"));
    let long_pk =
        by_pk.entry(&[b'p'; 1025], b"v1", ItemWriter::new().as_item(), None).expect_err("too long to sort by");
    assert!(long_pk.to_string().starts_with(&format!("{prefix} pk Actual Size: 1025 bytes")), "{long_pk}");
}

#[test]
fn the_table_s_key_is_a_key_attribute_whether_or_not_the_item_shows_it() {
    let index = one(GlobalSecondaryIndex::new("inverted", "sk").sort_key("pk"));
    let mut item = ItemWriter::new();
    let hidden = index.entry(b"order#1", b"v1", item.as_item(), None).unwrap().unwrap();
    item.set_str("pk", "order#1").unwrap().set_str("sk", "v1").unwrap();
    let shown = index.entry(b"order#1", b"v1", item.as_item(), None).unwrap().unwrap();
    assert_eq!((hidden.pk(), hidden.sk()), (shown.pk(), shown.sk()));
    assert_eq!(hidden.pk(), b"\0\x01\x02v1\0\x01");
    assert_eq!(hidden.sk(), b"\x02order#1\0\x01\0\x07order#1v1");
    let binary = index.entry(b"order#1", &[0xFF], item.as_item(), None).unwrap().unwrap();
    assert_eq!(binary.pk(), b"\0\x01\x02\xFF\0\x01", "bytes, whatever they spell");
    assert!(index.entry(b"order#1", b"", item.as_item(), None).unwrap().is_none(), "no sort key, no entry");
}

#[test]
fn projections_keep_what_they_say() {
    let projected = |projection: Projection| {
        let index = one(by_status().projection(projection));
        let mut item = order("open", 1);
        item.set_str("pk", "order#1").unwrap().set_str("sk", "v1").unwrap();
        item.set_value("address", &Value::map([("city", Value::S("Bern".to_owned()))])).unwrap();
        let record = entry(&index, item).unwrap();
        let names: Vec<String> =
            IndexEntry::read(&record).unwrap().item().iter().map(|(name, _)| name.to_owned()).collect();
        for name in ["pk", "sk", "status", "total", "customer", "address", "absent"] {
            assert!(!names.iter().any(|shown| shown == name) || index.projects(name), "{name}");
        }
        names
    };
    let include = |names: &[&str]| Projection::Include(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(projected(Projection::All), ["address", "customer", "pk", "sk", "status", "total"]);
    assert_eq!(projected(Projection::KeysOnly), ["pk", "sk", "status", "total"]);
    assert_eq!(projected(include(&["customer", "absent"])), ["customer", "pk", "sk", "status", "total"]);
    assert_eq!(projected(include(&["status", "address"])), ["address", "pk", "sk", "status", "total"]);
    assert_eq!(projected(include(&["address.city"])), ["pk", "sk", "status", "total"], "a path is no attribute");
}

fn version(mut item: ItemWriter) -> Record {
    Record::put(KeyRef::new(b"order#1", b"v1").unwrap(), item.finish())
}

/// The writes that lead from one version, with the time at which it expires, to another.
fn changes(index: &Index, old: Option<(&Record, Option<i64>)>, new: Option<(&Record, Option<i64>)>) -> Vec<Record> {
    let seen = |(record, expires_at)| Version::of(record, expires_at);
    let mut writes = Writes::new();
    index.change(old.map(seen).as_ref(), new.map(seen).as_ref(), Unchanged::Left, &mut writes).unwrap();
    assert!(writes.iter().all(|(route, record)| route.stripe() == record.key_ref().stripe()));
    writes.into_iter().map(|(_, record)| record).collect()
}

#[test]
fn only_what_an_entry_shows_changes_it() {
    let key_of = |record: &Record| (record.pk().to_vec(), record.sk().to_vec());
    let mut other = order("open", 1);
    other.set_str("customer", "Bob").unwrap();
    let mut outside = order("open", 1);
    outside.remove("total");
    let (open, other, paid, outside) =
        (version(order("open", 1)), version(other), version(order("paid", 1)), version(outside));

    let all = one(by_status());
    for index in [&one(by_status().projection(Projection::KeysOnly)), &all] {
        let before = index.entry(b"order#1", b"v1", open.item(), None).unwrap().unwrap();
        assert!(changes(index, Some((&open, None)), Some((&open, None))).is_empty());
        let changed = changes(index, Some((&open, None)), Some((&other, None)));
        if index.projects_all() {
            assert!(changed.len() == 1 && key_of(&changed[0]) == key_of(&before), "the same key, another body");
            assert_eq!(IndexEntry::read(&changed[0]).unwrap().item(), other.item());
        } else {
            assert!(changed.is_empty());
        }
        let moved = changes(index, Some((&open, None)), Some((&paid, None)));
        assert_eq!(moved.len(), 2);
        assert!(moved[0].is_tombstone() && key_of(&moved[0]) == key_of(&before));
        assert_eq!(Some(&moved[1]), index.entry(b"order#1", b"v1", paid.item(), None).unwrap().as_ref());
        for new in [None, Some((&outside, None))] {
            let gone = changes(index, Some((&open, None)), new);
            assert!(gone.len() == 1 && gone[0].is_tombstone() && key_of(&gone[0]) == key_of(&before));
        }
        for old in [None, Some((&outside, None))] {
            assert_eq!(changes(index, old, Some((&open, None))), std::slice::from_ref(&before));
        }
        assert!(changes(index, None, None).is_empty());
        let timed = changes(index, Some((&open, None)), Some((&open, Some(5))));
        assert_eq!(timed.len(), 1, "expiry is part of the entry");
        assert_eq!(IndexEntry::read(&timed[0]).unwrap().expires_at(), Some(5));
    }
}

fn two_indexes() -> Indexes {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("z-index", "z"))
        .add_local_index(LocalSecondaryIndex::new("a-index", "a"));
    Indexes::compile(&schema, &Indexes::default())
}

#[test]
fn the_first_index_by_name_reports() {
    let mut item = ItemWriter::new();
    item.set_bool("a", true).unwrap().set_bool("z", true).unwrap();
    let error = two_indexes().check(KeyRef::new(b"p", b"").unwrap(), item.as_item()).expect_err("refused");
    assert!(error.to_string().ends_with("IndexName: a-index"), "{error}");
}

#[test]
fn items_from_before_an_index_may_stay_outside_it() {
    let mut item = ItemWriter::new();
    item.set_bool("a", true).unwrap().set_str("z", "fine").unwrap();
    let indexes = two_indexes();
    assert!(indexes.check(KeyRef::new(b"p", b"").unwrap(), item.as_item()).is_err());
    let present = indexes.present_entries(KeyRef::new(b"p", b"").unwrap(), item.as_item(), None);
    assert_eq!(present.len(), 1);
    assert_eq!(IndexEntry::read(&present[0]).unwrap().index(), indexes.get("z-index").unwrap().id());
}

#[test]
fn an_index_keeps_its_number_while_it_is_the_same() {
    let first = two_indexes();
    let ids = |indexes: &Indexes| indexes.iter().map(|index| index.id().0).collect::<Vec<_>>();
    assert_eq!(ids(&first), [1, 2]);
    let schema = TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("a-index", "a").projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("m-index", "m"))
        .add_global_index(GlobalSecondaryIndex::new("z-index", "z"));
    let second = Indexes::compile(&schema, &first);
    assert_eq!(ids(&second), [3, 4, 2], "another projection is another index");
    let third = Indexes::compile(&TableSchema::new(), &second);
    assert!(third.is_empty());
    let fourth = Indexes::compile(&schema, &third);
    assert_eq!(ids(&fourth), [5, 6, 7], "numbers of indexes that are gone are not used again");
    assert_eq!(fourth.by_id(IndexId(6)).map(Index::name), Some("m-index"));
    assert_eq!((fourth.get("none"), fourth.by_id(IndexId(1))), (None, None));
}

#[test]
fn numbers_start_over_after_the_last_and_pass_those_in_use() {
    let kept = TableSchema::new().add_global_index(by_status());
    let mut indexes = Indexes::compile(&kept, &Indexes::default());
    indexes.last_id = IndexId(u16::MAX);
    let more = kept.add_global_index(GlobalSecondaryIndex::new("another", "x"));
    indexes = Indexes::compile(&more, &indexes);
    assert_eq!(indexes.get("by-status").map(Index::id), Some(IndexId(1)));
    assert_eq!(indexes.get("another").map(Index::id), Some(IndexId(0)));
    let again = Indexes::compile(&more.add_global_index(GlobalSecondaryIndex::new("third", "x")), &indexes);
    assert_eq!(again.get("third").map(Index::id), Some(IndexId(2)), "1 is taken");
}

#[test]
fn an_index_says_what_it_is() {
    let global = one(by_status().projection(Projection::KeysOnly));
    assert_eq!((global.name(), global.kind()), ("by-status", IndexKind::Global));
    assert_eq!((global.partition_attribute(), global.sort_attribute()), ("status", Some("total")));
    assert!(!global.projects_all() && global.projects("total") && !global.projects("customer"));
    let local = local(LocalSecondaryIndex::new("by-total", "total"));
    assert_eq!((local.partition_attribute(), local.sort_attribute()), ("pk", Some("total")));
    assert!(local.kind() == IndexKind::Local && local.projects_all() && local.projects("anything"));
}

proptest! {
    #[test]
    fn reading_garbage_never_panics(pk in prop::collection::vec(any::<u8>(), 3..40), sk: Vec<u8>, body: Vec<u8>) {
        let record = Record::put(KeyRef::index_entry(&pk, &sk).unwrap(), &body);
        if let Some(entry) = IndexEntry::read(&record) {
            prop_assert!(entry.to_item_record().pk().len() <= pk.len() + sk.len());
        }
    }
}
