use super::*;

const STRIPE: &str = "p";

fn key(sk: &str) -> KeyRef<'_> {
    KeyRef::new(STRIPE.as_bytes(), sk.as_bytes()).expect("valid key")
}

fn policy(wal_records: u64) -> Policy {
    Policy { stripe: key("").route().stripe, wal_records, merge_later: false }
}

fn put(tree: &mut Tree, sk: &str, body: &[u8], wal_records: u64) {
    drop(apply(tree, Record::put(key(sk), body), policy(wal_records)));
}

fn apply(tree: &mut Tree, record: Record, policy: Policy) -> Garbage {
    tree.apply(record.key_ref().route(), record, policy)
}

fn delete(tree: &mut Tree, sk: &str, wal_records: u64) {
    drop(apply(tree, Record::tombstone(key(sk)), policy(wal_records)));
}

fn flush(tree: &mut Tree) {
    let mut garbage = Garbage::default();
    tree.flush(policy(1).stripe, &mut garbage);
}

fn body(tree: &Tree, sk: &str) -> Option<Vec<u8>> {
    tree.get(key(sk).route(), key(sk)).map(|record| record.body().to_vec())
}

/// What reading the log from the start over the SSTs would give is what the memtable shows.
fn assert_wal_replays_to_memtable(tree: &Tree) {
    let mut replayed = std::collections::BTreeMap::new();
    for record in tree.wal.records() {
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
fn superseded_records_do_not_pin_more_than_an_eighth_of_what_is_live_and_half_a_kib() {
    let mut tree = Tree::default();
    for i in 0..50_000 {
        put(&mut tree, &(i % 7).to_string(), &[0; 100], 60_000);
        let held: usize = tree.wal.records().iter().map(Record::footprint).sum();
        let live = tree.memtable.weight().bytes;
        let slack = live / 8 + WAL_SLACK_BYTES + 200;
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
fn a_divergent_tree_goes_its_own_way_and_copies_no_record() {
    let mut tree = Tree::default();
    for sk in ["a", "b"] {
        put(&mut tree, sk, b"flushed", 1000);
    }
    flush(&mut tree);
    put(&mut tree, "a", b"before", 1000);
    let before = tree.get(key("a").route(), key("a")).expect("present").clone();
    let mut other = tree.divergent(policy(1).stripe, &mut Garbage::default());
    assert!(other.get(key("a").route(), key("a")).expect("present").same(&before));
    put(&mut other, "a", b"after", 1000);
    delete(&mut other, "b", 1000);
    other.compact_all(policy(1).stripe, &mut Garbage::default());
    put(&mut tree, "c", b"", 1000);
    assert_eq!(
        (body(&tree, "a").as_deref(), body(&other, "a").as_deref()),
        (Some(&b"before"[..]), Some(&b"after"[..]))
    );
    assert_eq!((body(&tree, "b").as_deref(), body(&other, "b")), (Some(&b"flushed"[..]), None));
    assert_eq!(body(&other, "c"), None);
}

#[test]
fn forking_and_writing_again_and_again_keeps_ssts_few() {
    let mut tree = Tree::default();
    for i in 0..2000 {
        put(&mut tree, &format!("{:02}", i % 20), b"some bytes", 1000);
        let forked = std::mem::take(&mut tree);
        tree = forked.divergent(policy(1).stripe, &mut Garbage::default());
        assert!(tree.ssts().len() <= DIVERGENT_SSTS_MAX, "{} SSTs after {i} forks", tree.ssts().len());
    }
    let (live, total) = (tree.view().items().map(Record::footprint).sum::<usize>(), tree.bytes().total());
    assert!(total < live * 5 / 2 + 2048, "{total} bytes for {live} live ones");
}

/// All bytes are counted, in constant time, as counting them one by one gives.
fn assert_bytes_are_counted(tree: &Tree) {
    let records: usize = tree.memtable.records().map(Record::footprint).sum();
    assert_eq!(tree.memtable.weight().bytes, records);
    let ssts: usize = tree.ssts().iter().flat_map(|sst| sst.records()).map(Record::footprint).sum();
    assert_eq!(tree.sst_totals.weight.bytes, ssts);
    let shown = |record: &Record| tree.memtable.get(record.tag(), record.key_ref()).is_some_and(|now| now.same(record));
    let logged = tree.wal.records().iter();
    let superseded: usize = logged.filter(|record| !shown(record)).map(Record::footprint).sum();
    assert_eq!(tree.wal.superseded_bytes(), superseded);
}

#[test]
fn bytes_stay_counted_and_bounded_whatever_is_written() {
    let mut random = fastrand::Rng::with_seed(11);
    let mut tree = Tree::default();
    for round in 0..20_000 {
        let sk = format!("{:02}", random.u32(..60));
        match random.u32(..3) {
            0 if round / 2000 % 2 == 1 => delete(&mut tree, &sk, 100),
            _ => put(&mut tree, &sk, &[0; 200][..random.usize(100..200)], 100),
        }
        if round % 100 == 0 {
            assert_bytes_are_counted(&tree);
        }
        let live: usize = tree.view().items().map(Record::footprint).sum();
        let total = tree.bytes().total();
        assert!(total < live * 5 / 2 + 2048, "{total} bytes for {live} live ones after {round} writes");
    }
}

#[test]
fn merging_without_the_lock_gives_what_merging_under_it_gives() {
    let policy = Policy { merge_later: true, ..policy(50) };
    let mut tree = Tree::default();
    for i in 0..400 {
        let record = Record::put(key(&format!("{:03}", i * 7 % 370)), &[0; 50]);
        let later = apply(&mut tree, record, policy);
        assert!(tree.ssts().len() < UNMERGED_SSTS_MAX);
        drop(later);
    }
    assert!(tree.ssts().len() > 6, "nothing was merged yet");
    let merging = tree.begin_merge(Work::Some, policy.stripe, &mut Garbage::default()).expect("something to merge");
    drop(apply(&mut tree, Record::put(key("meanwhile"), b""), policy));
    flush(&mut tree);
    let merged = merging.merge();
    let mut garbage = Garbage::default();
    assert!(tree.end_merge(&merging, merged, &mut garbage));
    assert!(garbage.items().count() == 30, "hidden versions are handed out");
    assert!(!tree.end_merge(&merging, Default::default(), &mut garbage), "those SSTs are gone");
    assert!((0..370).all(|i| body(&tree, &format!("{i:03}")).is_some()) && body(&tree, "meanwhile").is_some());

    for i in 0..100 {
        drop(apply(&mut tree, Record::tombstone(key(&format!("{i:03}"))), policy));
    }
    let merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default()).expect("tombstones");
    drop(apply(&mut tree, Record::put(key("007"), b"again"), policy));
    let merged = merging.merge();
    assert!(tree.end_merge(&merging, merged, &mut Garbage::default()));
    let left: Vec<&[u8]> = tree.view().items().map(Record::sk).collect();
    assert!(left.len() == 272 && left[..2] == [&b"007"[..], b"100"] && left[271] == b"meanwhile");
    assert_eq!((tree.sst_totals.weight.tombstones, tree.hidden_bytes), (0, 0));
}

/// A stripe that was cleared and written to again has SSTs of the same names: the merge of the old ones is not for it.
#[test]
fn a_merge_of_a_tree_that_was_cleared_meanwhile_brings_nothing_back() {
    let policy = Policy { merge_later: true, ..policy(50) };
    let filled = |prefix: &str| {
        let mut tree = Tree::default();
        for i in 0..400 {
            drop(apply(&mut tree, Record::put(key(&format!("{prefix}{i:03}")), &[0; 50]), policy));
        }
        tree
    };
    let mut tree = filled("old");
    let merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default()).expect("something to merge");
    let merged = merging.merge();
    let mut tree = filled("new");
    flush(&mut tree);
    let names = |ssts: &[MemorySstReader]| ssts.iter().map(|sst| sst.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&merging.ssts), names(tree.ssts()));
    assert!(!tree.end_merge(&merging, merged, &mut Garbage::default()));
    assert!((0..400).all(|i| body(&tree, &format!("new{i:03}")).is_some()) && body(&tree, "old000").is_none());
}

/// A writer that gets ahead of the thread merges what is new, and nothing of what the thread is at.
#[test]
fn a_writer_does_not_wait_for_a_large_merge_of_another_thread() {
    let policy = Policy { merge_later: true, ..policy(100) };
    let mut tree = Tree::default();
    let put = |tree: &mut Tree, i: usize| {
        drop(apply(tree, Record::put(key(&format!("{:06}", i * 7919 % 100_000)), &[0; 50]), policy))
    };
    (0..50_000).for_each(|i| put(&mut tree, i));
    let merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default()).expect("something to merge");
    let begun = tree.ssts().len();
    for i in 50_000..58_000 {
        put(&mut tree, i);
        assert!(tree.ssts().len() <= begun + UNMERGED_SSTS_MAX + 2, "{} SSTs after {i} writes", tree.ssts().len());
    }
    let merged = merging.merge();
    assert!(tree.end_merge(&merging, merged, &mut Garbage::default()), "the writer left those alone");
    assert!(tree.ssts().len() <= UNMERGED_SSTS_MAX + 3 && tree.ssts()[0].len() == 50_000);
    assert!((0..58_000).step_by(97).all(|i| body(&tree, &format!("{:06}", i * 7919 % 100_000)).is_some()));

    // What a writer merges after all is gone when the thread comes with it.
    let merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default()).expect("something to merge");
    put(&mut tree, 99_999);
    tree.compact_all(policy.stripe, &mut Garbage::default());
    let merged = merging.merge();
    assert!(!tree.end_merge(&merging, merged, &mut Garbage::default()));
    assert_eq!((tree.ssts().len(), tree.ssts()[0].len(), tree.merging_ssts), (1, 58_001, 0));
}

#[test]
fn what_another_thread_is_to_merge_hides_at_most_a_quarter_of_what_is_shown() {
    let policy = Policy { merge_later: true, ..policy(100) };
    let mut tree = Tree::default();
    for i in 0..20_000 {
        // Nobody merges later.
        drop(apply(&mut tree, Record::put(key(&format!("{:04}", i * 7919 % 1000)), &[0; 50]), policy));
        let live: usize = tree.view().items().map(Record::footprint).sum();
        let held = tree.record_bytes();
        assert!(held <= live + live / 4 + live / 4, "{held} bytes of records, {live} live, after {i} writes");
    }
}

#[test]
fn flush_and_compaction_move_records_rather_than_copy_them() {
    let mut tree = Tree::default();
    let record = Record::put(key("a"), b"bytes");
    drop(apply(&mut tree, record.clone(), policy(1000)));
    flush(&mut tree);
    put(&mut tree, "b", b"", 1000);
    let mut garbage = Garbage::default();
    tree.compact_all(policy(1).stripe, &mut garbage);
    assert!(tree.get(key("a").route(), key("a")).expect("present").same(&record));
}

#[test]
fn deleted_records_do_not_stay_in_ssts_past_a_quarter_of_what_is_live() {
    let mut tree = Tree::default();
    for i in 0..500 {
        put(&mut tree, &format!("{i:03}"), &[0; 2000], 60_000);
    }
    flush(&mut tree);
    for i in 0..500 {
        delete(&mut tree, &format!("{i:03}"), 60_000);
        let held = tree.record_bytes();
        let live = (499 - i) * (2000 + 28);
        assert!(held <= live + live / 4 + HIDDEN_SLACK_BYTES + 4096, "{held} bytes held, {live} live");
    }
    assert!((1..40).contains(&tree.compactions), "{} compactions", tree.compactions);
}

#[test]
fn items_by_age_come_from_older_ssts_first_and_are_the_newest_versions() {
    let mut tree = Tree::default();
    for sks in [&["a", "b", "c"][..], &["d", "b"]] {
        sks.iter().for_each(|sk| put(&mut tree, sk, b"", 1000));
        flush(&mut tree);
    }
    put(&mut tree, "a", b"", 1000);
    let sks: Vec<&[u8]> = tree.items_by_age().map(Record::sk).collect();
    assert_eq!(sks, [b"c", b"b", b"d", b"a"]);
}

/// Moving a run's handles once more than needed is a tenth of a merge.
#[test]
fn a_merge_begins_with_the_newest_run_as_it_is() {
    let sst = |sks: &[&str]| {
        let mut tree = Tree::default();
        sks.iter().for_each(|sk| put(&mut tree, sk, b"", 1000));
        flush(&mut tree);
        tree.ssts.split_off(0).remove(0)
    };
    let newest = sst(&["a", "b", "c"]);
    let handles = newest.records().as_ptr();
    let mut garbage = Vec::new();
    let merged = merge(vec![newest], false, &mut garbage);
    assert!(std::ptr::eq(merged.records.as_ptr(), handles), "moved, not copied");
    let merged = merge(vec![sst(&["a", "d"]), sst(&["b"]), sst(&["b", "c"])], true, &mut garbage);
    let sks: Vec<_> = merged.records.iter().map(Record::sk).collect();
    assert_eq!((sks, garbage.len()), (vec![&b"a"[..], b"b", b"c", b"d"], 1));
    assert_eq!(merged.weight, Weight::of(&merged.records));
    assert!(merge(Vec::new(), true, &mut garbage).records.is_empty());
}

#[test]
fn merging_one_sst_with_nothing_older_takes_its_tombstones_out() {
    let records = vec![Record::put(key("a"), b""), Record::tombstone(key("b"))];
    let run = Run { weight: Weight::of(&records), records };
    let mut garbage = Vec::new();
    let merged = merge(vec![MemorySstReader::from_run("s".into(), run)], true, &mut garbage);
    assert_eq!((merged.records.len(), merged.weight.tombstones, garbage.len()), (1, 0, 1));
}
