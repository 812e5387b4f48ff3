use super::*;

fn put(pk: &str, sk: &str, body: &[u8]) -> Record {
    Record::put(KeyRef::new(pk.as_bytes(), sk.as_bytes()).expect("valid key"), body)
}

fn sst(records: impl IntoIterator<Item = Record>) -> MemorySstReader {
    let mut writer = MemorySstWriter::new();
    for record in records {
        writer.add(record);
    }
    writer.finish("test.sst").expect("finished")
}

fn keys<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<(String, String)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("test keys are text");
    records.map(|record| (text(record.pk()), text(record.sk()))).collect()
}

#[test]
fn every_record_is_found_and_no_other() {
    for count in [0, 1, 3, 100, 5000] {
        let sst = sst((0..count).map(|i| put(&format!("pk{i}"), "", b"")));
        assert_eq!(sst.len(), count);
        for i in 0..count {
            let pk = format!("pk{i}");
            assert_eq!(sst.get(&Key::new(pk.clone())).expect("present").pk(), pk.as_bytes());
            assert!(sst.get(&Key::new(format!("absent{i}"))).is_none());
            assert!(sst.get(&Key::with_sk(pk, "x")).is_none());
        }
    }
}

#[test]
fn iter_is_in_key_order() {
    let added = [put("b", "", b""), put("aa", "2", b""), put("a", "z", b""), put("aa", "1", b""), put("a", "", b"")];
    let expected = [("a", ""), ("a", "z"), ("aa", "1"), ("aa", "2"), ("b", "")];
    let expected: Vec<_> = expected.map(|(pk, sk)| (pk.to_owned(), sk.to_owned())).into();
    assert_eq!(keys(sst(added).iter()), expected);
}

#[test]
fn scan_prefix_gives_one_partition_in_sort_key_order() {
    let others = (0..100).map(|i| put(&format!("other{i}"), "1", b""));
    let sst = sst(others.chain(["3", "1", "2"].map(|sk| put("mine", sk, b""))));
    let found: Vec<_> = keys(sst.scan_prefix(&Bytes::from("mine"))).into_iter().map(|(_, sk)| sk).collect();
    assert_eq!(found, ["1", "2", "3"]);
    assert_eq!(sst.scan_prefix(&Bytes::from("min")).count(), 0);
}

#[test]
fn of_records_with_one_key_the_last_added_is_kept() {
    let sst = sst([put("a", "", b"first"), put("b", "", b""), put("a", "", b"second")]);
    assert_eq!((sst.len(), sst.get(&Key::new("a")).expect("present").body()), (2, &b"second"[..]));
}

#[test]
fn wide_partition_answers_through_its_filter() {
    let sst = sst((0..1000).map(|i| put("wide", &format!("{i:04}"), b"")));
    assert!(sst.sst.filter.is_some());
    assert!((0..1000).all(|i| sst.get(&Key::with_sk("wide", format!("{i:04}"))).is_some()));
    assert!((0..1000).all(|i| sst.get(&Key::with_sk("wide", format!("{i:04}x"))).is_none()));
}

#[test]
fn store_is_a_directory_of_names() {
    let store = MemorySstStore::new();
    store.store("b.sst", sst([put("a", "", b"")]));
    store.store("a.sst", sst([]));
    store.store("b.sst", sst([put("a", "", b""), put("b", "", b"")]));
    assert_eq!(store.list_names(), ["a.sst", "b.sst"]);
    let held = store.get("b.sst").expect("stored");
    assert_eq!((held.name(), held.len()), ("b.sst", 2));
    assert!(store.delete("b.sst") && !store.delete("b.sst") && store.get("b.sst").is_none());
    assert_eq!(held.len(), 2, "a reader keeps what it holds");
    store.clear();
    assert!(store.list_names().is_empty());
}

#[test]
fn records_move_out_of_an_sst_that_nobody_else_reads() {
    let record = put("a", "", b"");
    let alone = sst([record.clone()]);
    assert!(alone.into_run().records[0].same(&record));
    let shared = sst([record.clone()]);
    let other = shared.clone();
    assert!(shared.into_run().records[0].same(&other.records()[0]));
}

#[test]
fn the_directory_of_more_records_than_two_bytes_count_finds_them_all() {
    for records in [usize::from(u16::MAX), usize::from(u16::MAX) + 1, 70_000] {
        let mut writer = MemorySstWriter::new();
        for i in 0..records as u32 {
            writer.add(Record::put(KeyRef::new(&i.to_be_bytes(), b"").expect("valid key"), b""));
        }
        let sst = writer.finish("large").expect("built");
        assert_eq!(sst.sst.directory.has_wide_starts(), records > usize::from(u16::MAX));
        let find = |i: u32| sst.get(&Key::new(i.to_be_bytes().to_vec()));
        assert!((0..records as u32).all(|i| find(i).is_some_and(|record| record.pk() == i.to_be_bytes())));
        assert!((records as u32..2 * records as u32).all(|i| find(i).is_none()));
    }
}

#[test]
fn an_sst_takes_no_more_than_a_limit_sets_aside_for_it() {
    for count in [1, 2, 7, 8, 31, 100, 4095, 5000, 70_000] {
        let records: Vec<_> = (0..count).map(|i| put(&format!("pk{i}"), "", b"")).collect();
        let mut sorted = records;
        sorted.sort_by(Record::order);
        let sst = MemorySstReader::from_run("stripe-000-000000000001.sst".into(), Run::of(sorted));
        let taken = sst.run_bytes() + sst.index_bytes();
        assert!(taken <= MemorySstReader::EMPTY_BYTES_MAX + count * 9, "{taken} bytes for {count} records");
    }
}
