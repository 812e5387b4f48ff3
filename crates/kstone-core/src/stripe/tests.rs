use super::*;

const STRIPE: &str = "p";

fn key(sk: &str) -> KeyRef<'_> {
    KeyRef::new(STRIPE.as_bytes(), sk.as_bytes()).expect("valid key")
}

fn policy(wal_records: u64) -> FlushPolicy {
    FlushPolicy { stripe: key("").route().stripe, wal_records }
}

fn put(tree: &mut Tree, sk: &str, body: &[u8], wal_records: u64) {
    drop(tree.apply(Record::put(key(sk), body), policy(wal_records)));
}

fn delete(tree: &mut Tree, sk: &str, wal_records: u64) {
    drop(tree.apply(Record::tombstone(key(sk)), policy(wal_records)));
}

fn flush(tree: &mut Tree) {
    let mut garbage = Garbage::default();
    tree.flush(policy(1).stripe, &mut garbage);
}

fn body(tree: &Tree, sk: &str) -> Option<Vec<u8>> {
    tree.get(key(sk).route().tag, key(sk)).map(|record| record.body().to_vec())
}

/// What reading the log from the start over the SSTs would give is what the memtable shows.
fn assert_wal_replays_to_memtable(tree: &Tree) {
    let mut replayed = std::collections::BTreeMap::new();
    for (_, record) in tree.wal.records() {
        replayed.insert(record.sk().to_vec(), record.clone());
    }
    for (sk, newest) in replayed {
        let sk = std::str::from_utf8(&sk).expect("test keys are text");
        match tree.memtable.get(newest.tag(), key(sk)) {
            Some(shown) => assert!(shown.same(&newest), "{sk}"),
            None => assert!(newest.is_tombstone(), "{sk} is in the log and not in the memtable"),
        }
    }
}

#[test]
fn overwriting_one_key_flushes_after_the_wal_took_its_records() {
    let mut tree = Tree::default();
    for i in 0..999 {
        put(&mut tree, "a", i.to_string().as_bytes(), 1000);
    }
    assert_eq!((tree.flushes, tree.memtable.len()), (0, 1));
    put(&mut tree, "a", b"last", 1000);
    assert_eq!((tree.flushes, tree.memtable.len(), tree.wal.unflushed()), (1, 0, 0));
    assert_eq!(body(&tree, "a").as_deref(), Some(&b"last"[..]));
}

#[test]
fn superseded_records_do_not_pin_more_than_half_of_what_is_live_and_4_kib() {
    let mut tree = Tree::default();
    for i in 0..50_000 {
        put(&mut tree, &(i % 7).to_string(), &[0; 100], 60_000);
        let held: usize = tree.wal.records().iter().map(|(_, record)| record.footprint()).sum();
        let live = tree.memtable.weight().bytes;
        let slack = live / 2 + WAL_SLACK_BYTES + 200;
        assert!(held - live <= slack, "the log holds {held} bytes, {live} of them live, after {i} writes");
    }
    assert_eq!((tree.flushes, tree.wal.unflushed()), (0, 50_000));
    assert_wal_replays_to_memtable(&tree);
}

#[test]
fn deleting_what_no_sst_holds_leaves_no_tombstone() {
    let mut tree = Tree::default();
    put(&mut tree, "a", b"", 1000);
    delete(&mut tree, "a", 1000);
    delete(&mut tree, "never there", 1000);
    assert!(tree.memtable.is_empty());
    assert_eq!(tree.wal.unflushed(), 3, "deletes are logged all the same");
    assert_wal_replays_to_memtable(&tree);
}

#[test]
fn a_delete_hides_older_versions_in_ssts_until_compaction_drops_both() {
    let mut tree = Tree::default();
    put(&mut tree, "a", b"old", 1000);
    flush(&mut tree);
    put(&mut tree, "b", b"", 1000);
    flush(&mut tree);
    delete(&mut tree, "a", 1000);
    assert_eq!((body(&tree, "a"), tree.memtable.weight().tombstones), (None, 1));
    flush(&mut tree);
    assert_eq!(body(&tree, "a"), None);
    delete(&mut tree, "a", 1000);
    assert!(tree.memtable.is_empty(), "the tombstone in an SST is enough");
    let mut garbage = Garbage::default();
    tree.compact_all(policy(1).stripe, &mut garbage);
    assert_eq!(garbage.merged.len(), 2, "the old version and its tombstone");
    assert_eq!((tree.ssts().len(), tree.ssts()[0].len(), tree.ssts()[0].weight().tombstones), (1, 1, 0));
    assert_eq!((body(&tree, "a"), body(&tree, "b").as_deref()), (None, Some(&b""[..])));
}

#[test]
fn a_merge_that_stops_above_the_oldest_sst_keeps_its_tombstones() {
    let mut tree = Tree::default();
    for i in 0..100 {
        put(&mut tree, &format!("{i:03}"), b"", 1000);
    }
    flush(&mut tree);
    delete(&mut tree, "050", 1000);
    flush(&mut tree);
    put(&mut tree, "x", b"", 1000);
    flush(&mut tree);
    let mut garbage = Garbage::default();
    tree.compact_some(policy(1).stripe, &mut garbage);
    assert_eq!((tree.ssts().len(), tree.ssts()[1].weight().tombstones), (2, 1));
    assert_eq!(body(&tree, "050"), None);
}

#[test]
fn automatic_compaction_keeps_ssts_few_and_named_by_age() {
    let mut tree = Tree::default();
    for i in 0..20_000 {
        put(&mut tree, &format!("{:05}", i * 7919 % 20_000), b"", 100);
        assert!(tree.ssts().len() <= 6, "{} SSTs after {i} writes", tree.ssts().len());
    }
    assert_eq!(tree.flushes, 200);
    assert!(tree.ssts().iter().map(MemorySstReader::name).is_sorted());
    assert!(tree.ssts()[0].name().starts_with("stripe-"));
    assert!((0..20_000).all(|i| body(&tree, &format!("{i:05}")).is_some()));
}

#[test]
fn frozen_ssts_do_not_see_later_writes() {
    let mut tree = Tree::default();
    put(&mut tree, "a", b"before", 1000);
    let mut garbage = Garbage::default();
    let frozen = tree.freeze(policy(1).stripe, &mut garbage);
    put(&mut tree, "a", b"after", 1000);
    tree.compact_all(policy(1).stripe, &mut garbage);
    let then = frozen.iter().rev().find_map(|sst| sst.find(key("a").route().tag, key("a"))).expect("present");
    assert_eq!((then.body(), body(&tree, "a").as_deref()), (&b"before"[..], Some(&b"after"[..])));
}

#[test]
fn flush_and_compaction_move_records_rather_than_copy_them() {
    let mut tree = Tree::default();
    let record = Record::put(key("a"), b"bytes");
    drop(tree.apply(record.clone(), policy(1000)));
    flush(&mut tree);
    put(&mut tree, "b", b"", 1000);
    let mut garbage = Garbage::default();
    tree.compact_all(policy(1).stripe, &mut garbage);
    assert!(tree.get(record.tag(), key("a")).expect("present").same(&record));
}

#[test]
fn deleted_records_do_not_stay_in_ssts_past_half_of_what_is_live_and_64_kib() {
    let mut tree = Tree::default();
    for i in 0..500 {
        put(&mut tree, &format!("{i:03}"), &[0; 2000], 60_000);
    }
    flush(&mut tree);
    for i in 0..500 {
        delete(&mut tree, &format!("{i:03}"), 60_000);
        let held = tree.sst_bytes();
        let live = (499 - i) * (2000 + 28);
        assert!(held <= live + live / 2 + HIDDEN_SLACK_BYTES + 4096, "{held} bytes held, {live} live");
    }
    assert!(tree.compactions > 0 && tree.flushes < 20);
}
