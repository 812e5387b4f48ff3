use super::compact::{HIDDEN_SLACK_BYTES, Merging, UNMERGED_SSTS_MAX, merge};
use super::*;
use crate::shared::Shared;

const STRIPE: &str = "p";

fn key(sk: &str) -> KeyRef<'_> {
    KeyRef::new(STRIPE.as_bytes(), sk.as_bytes()).expect("valid key")
}

fn policy(wal_records: usize) -> Policy {
    Policy { stripe: key("").route().stripe, wal_records, merge_later: false }
}

fn put(tree: &mut Tree, sk: &str, body: &[u8], wal_records: usize) {
    drop(tree.put(key(sk).route(), key(sk), body, policy(wal_records)));
}

fn apply(tree: &mut Tree, record: Record, policy: Policy) -> Garbage {
    tree.apply(record.key_ref().route(), record, policy)
}

/// Two trees that go their own ways from one, which is in order.
fn diverge(tree: Tree) -> (Tree, Tree) {
    let shared = Shared::new(tree);
    (divergent(&shared), divergent(&shared))
}

fn divergent(shared: &Shared<Tree>) -> Tree {
    Tree::divergent(shared, policy(1).stripe, &mut Garbage::default())
}

fn key_and_body_bytes(body: usize) -> usize {
    Record::footprint_of(key("000"), &vec![0; body])
}

fn delete(tree: &mut Tree, sk: &str, wal_records: usize) {
    drop(tree.delete(key(sk).route(), key(sk), policy(wal_records)));
}

fn flush(tree: &mut Tree) {
    let mut garbage = Garbage::default();
    tree.flush(policy(1).stripe, &mut garbage);
}

fn body(tree: &Tree, sk: &str) -> Option<Vec<u8>> {
    tree.get(key(sk).route(), key(sk)).map(|record| record.body().to_vec())
}

/// What the tree shows, in order.
fn items(tree: &mut Tree) -> Vec<Record> {
    put_in_order(tree);
    tree.view().items().into_iter().cloned().collect()
}

fn put_in_order(tree: &mut Tree) {
    tree.put_in_order(policy(1).stripe, &mut Garbage::default());
}

fn compact_all(tree: &mut Tree) -> Garbage {
    let mut garbage = Garbage::default();
    tree.compact_all(policy(1).stripe, &mut garbage);
    garbage
}

fn merged_len(garbage: &Garbage) -> usize {
    garbage.merged.as_ref().map_or(0, |merged| merged.records.len())
}

impl Tree {
    /// What the tree knows without a look is what a look at all of its records gives.
    fn check(&self) {
        let mut newest = std::collections::BTreeMap::new();
        let (mut live, mut all) = (LiveCounts::default(), Hidden::default());
        for sst in self.ssts() {
            assert_eq!(sst.record_bytes(), sst.records().iter().map(Record::footprint).sum::<usize>());
        }
        assert_eq!(self.memtable.record_bytes(), self.memtable.records().iter().map(Record::footprint).sum::<usize>());
        for record in self.ssts().iter().flat_map(|sst| sst.records()).chain(self.memtable.records()) {
            all.add(record);
            newest.insert((record.tag().0, record.pk(), record.sk()), record);
        }
        newest.retain(|_, record| !record.is_tombstone());
        for record in newest.values() {
            assert!(self.is_current(record), "{record:?} is the newest and is found");
            live.add(record);
        }
        assert_eq!((self.index.count(), &self.live), (newest.len(), &live));
        assert_eq!(self.hidden, Hidden { bytes: all.bytes - live.bytes(), ..all });
        assert_eq!(self.sst_totals.records, self.ssts().iter().map(MemorySstReader::len).sum::<usize>());
    }
}

#[test]
fn overwriting_writes_no_second_version() {
    for flushed in [false, true] {
        let mut tree = Tree::default();
        put(&mut tree, "a", b"0000", 1000);
        if flushed {
            flush(&mut tree);
        }
        let before = tree.get(key("a").route(), key("a")).expect("present").pk().as_ptr();
        for i in 0..2000 {
            put(&mut tree, "a", format!("{i:04}").as_bytes(), 1000);
        }
        let now = tree.get(key("a").route(), key("a")).expect("present");
        assert_eq!((now.pk().as_ptr(), now.body()), (before, &b"1999"[..]), "it is where it was");
        put(&mut tree, "a", b"of another length", 1000);
        assert_eq!(body(&tree, "a").as_deref(), Some(&b"of another length"[..]));
        assert_eq!(tree.memtable.len() + tree.sst_totals.records, 1);
        assert_eq!((tree.hidden, tree.flushes), (Hidden::default(), u64::from(flushed)));
        tree.check();
    }
}

#[test]
fn a_flush_comes_with_the_record_that_fills_the_log() {
    let mut tree = Tree::default();
    (0..99).for_each(|i| put(&mut tree, &i.to_string(), b"", 100));
    assert_eq!((tree.flushes, tree.memtable.len()), (0, 99));
    put(&mut tree, "last", b"", 100);
    assert_eq!((tree.flushes, tree.memtable.len(), tree.ssts()[0].len()), (1, 0, 100));
}

#[test]
fn what_fills_the_log_is_sorted_once_by_the_first_who_needs_an_order() {
    let filled = || {
        let mut tree = Tree::default();
        put(&mut tree, "again", b"old", 100);
        delete(&mut tree, "again", 100);
        put(&mut tree, "again", b"new", 100);
        (0..1500).for_each(|i| put(&mut tree, &format!("{:04}", i * 77 % 1500), b"0000", 100));
        assert!(tree.ssts().len() == 15 && tree.ssts().iter().all(MemorySstReader::is_as_written));
        assert_eq!((tree.compactions, body(&tree, "again").as_deref()), (0, Some(&b"new"[..])));
        assert!((0..1500).all(|i| body(&tree, &format!("{i:04}")).is_some()));
        assert!(!tree.is_all_in_order() && !tree.is_compact());
        tree.check();
        tree
    };
    let assert_sorted = |tree: &mut Tree, what: &str| {
        assert!(tree.ssts().len() == 1 && !tree.ssts()[0].is_as_written(), "{what}");
        tree.check();
        let items = items(tree);
        assert!(items.len() == 1501 && items.is_sorted_by(|a, b| a.sk() < b.sk()), "{what}");
    };
    let mut read = filled();
    put_in_order(&mut read);
    assert_sorted(&mut read, "by a reader");
    assert_eq!(read.hidden, Hidden::default());
    let mut overwritten = filled();
    (0..1500).for_each(|i| put(&mut overwritten, &format!("{i:04}"), b"01", 100));
    assert_sorted(&mut overwritten, "by a version of another length, which takes the older one's place");
    assert_eq!((overwritten.memtable.len(), overwritten.compactions), (1, 1));
    let mut deleted = filled();
    let kept = deleted.get(key("0007").route(), key("0007")).expect("present").clone();
    delete(&mut deleted, "0007", 100);
    assert!(deleted.get(key("0007").route(), key("0007")).is_none() && !kept.is_tombstone());
    put(&mut deleted, "0007", b"0000", 100);
    assert_sorted(&mut deleted, "by a tombstone for a record that a caller holds");
    let mut one = Tree::default();
    (0..100).for_each(|i| put(&mut one, &format!("{:02}", 99 - i), b"", 100));
    drop(compact_all(&mut one));
    assert!(one.is_compact() && items(&mut one).is_sorted_by(|a, b| a.sk() < b.sk()), "one SST is sorted, too");
    let mut full = filled();
    (0..100).for_each(|i| put(&mut full, &format!("{:04}", 2000 - i), b"", 100));
    assert!(full.ssts().len() == 1 && !full.ssts()[0].is_as_written(), "a writer sorts the sixteenth with the others");
}

/// A handle that a caller holds, a fork and a view show what they showed.
#[test]
fn what_somebody_else_has_is_neither_overwritten_nor_buried() {
    for flushed in [false, true] {
        let mut tree = Tree::default();
        for sk in ["a", "b", "c"] {
            put(&mut tree, sk, b"old", 1000);
        }
        if flushed {
            flush(&mut tree);
        }
        let held: Vec<Record> =
            ["a", "b"].map(|sk| tree.get(key(sk).route(), key(sk)).expect("present").clone()).into();
        put(&mut tree, "a", b"new", 1000);
        delete(&mut tree, "b", 1000);
        assert!(held.iter().all(|record| record.body() == b"old" && !record.is_tombstone()));
        assert_eq!((body(&tree, "a").as_deref(), body(&tree, "b")), (Some(&b"new"[..]), None));
        tree.check();
        put_in_order(&mut tree);
        let (mut tree, other) = diverge(tree);
        put(&mut tree, "a", b"3rd", 1000);
        delete(&mut tree, "c", 1000);
        assert_eq!(
            (body(&other, "a").as_deref(), body(&other, "c").as_deref()),
            (Some(&b"new"[..]), Some(&b"old"[..]))
        );
        assert_eq!((body(&tree, "a").as_deref(), body(&tree, "c")), (Some(&b"3rd"[..]), None));
        tree.check();
        other.check();
        drop(other);
        drop(compact_all(&mut tree));
        let before = tree.get(key("a").route(), key("a")).expect("present").pk().as_ptr();
        put(&mut tree, "a", b"4th", 1000);
        assert_eq!(
            tree.get(key("a").route(), key("a")).expect("present").pk().as_ptr(),
            before,
            "nobody has it any more"
        );
    }
}

#[test]
fn deleting_what_is_not_there_writes_nothing() {
    let mut tree = Tree::default();
    delete(&mut tree, "never there", 1000);
    put(&mut tree, "a", b"", 1000);
    put(&mut tree, "b", b"", 1000);
    delete(&mut tree, "a", 1000);
    delete(&mut tree, "a", 1000);
    assert_eq!((tree.memtable.len(), tree.hidden.tombstones), (2, 1));
    put(&mut tree, "a", b"again", 1000);
    assert_eq!(items(&mut tree).len(), 2);
    assert_eq!((tree.memtable.len(), tree.hidden), (2, Hidden::default()));
}

#[test]
fn a_tree_that_shows_nothing_holds_nothing() {
    for flushed in [false, true] {
        let mut tree = Tree::default();
        for round in 0..3 {
            (0..30).for_each(|i| put(&mut tree, &i.to_string(), &[0; 20], 1000));
            if flushed {
                flush(&mut tree);
            }
            (0..30).for_each(|i| delete(&mut tree, &i.to_string(), 1000));
            assert_eq!((tree.record_bytes(), tree.sst_totals.records, tree.memtable.len()), (0, 0, 0), "round {round}");
            assert!(tree.bytes().total() < size_of::<Tree>() + 512, "{:?}", tree.bytes());
        }
    }
}

#[test]
fn a_queue_of_a_few_items_makes_no_sst() {
    let mut tree = Tree::default();
    for i in 0..5000_usize {
        put(&mut tree, &i.to_string(), &[0; 50], 1000);
        if let Some(before) = i.checked_sub(3) {
            delete(&mut tree, &before.to_string(), 1000);
        }
        assert!(tree.bytes().total() < size_of::<Tree>() + 2048);
    }
    assert_eq!((tree.flushes, items(&mut tree).len()), (0, 3));
    tree.check();
}

#[test]
fn a_delete_hides_older_versions_in_ssts_until_compaction_drops_both() {
    let mut shared = Tree::default();
    for sk in ["a", "b", "c"] {
        put(&mut shared, sk, b"old", 1000);
        flush(&mut shared);
    }
    put_in_order(&mut shared);
    let shared = Shared::new(shared);
    let mut tree = divergent(&shared);
    delete(&mut tree, "a", 1000);
    assert_eq!((body(&tree, "a"), tree.memtable.len(), tree.hidden.tombstones), (None, 1, 1));
    flush(&mut tree);
    assert_eq!((body(&tree, "a"), items(&mut tree).len()), (None, 2));
    tree.check();
    let garbage = compact_all(&mut tree);
    assert_eq!(merged_len(&garbage), 2, "the old version and its tombstone");
    assert_eq!((tree.ssts().len(), tree.ssts()[0].len(), tree.hidden), (1, 2, Hidden::default()));
    delete(&mut tree, "b", 1000);
    assert_eq!((body(&tree, "b"), tree.memtable.len(), tree.hidden.tombstones), (None, 0, 1), "buried where it is");
    assert_eq!((items(&mut tree).len(), shared.view().items().len()), (1, 3));
    assert_eq!(merged_len(&compact_all(&mut tree)), 1);
}

#[test]
fn a_merge_that_stops_above_the_oldest_sst_keeps_its_tombstones() {
    let mut tree = Tree::default();
    for i in 0..100 {
        put(&mut tree, &format!("{i:03}"), b"", 1000);
    }
    flush(&mut tree);
    let mut tree = divergent(&Shared::new(tree));
    delete(&mut tree, "050", 1000);
    flush(&mut tree);
    put(&mut tree, "x", b"", 1000);
    flush(&mut tree);
    let mut garbage = Garbage::default();
    tree.compact_some(policy(1).stripe, &mut garbage);
    assert_eq!((tree.ssts().len(), tree.ssts()[1].len(), tree.hidden.tombstones), (2, 2, 1));
    assert_eq!(body(&tree, "050"), None);
}

#[test]
fn automatic_compaction_keeps_ssts_few_and_named_by_age() {
    let mut tree = Tree::default();
    for i in 0..20_000 {
        put(&mut tree, &format!("{:05}", i * 7919 % 20_000), b"", 100);
        assert!(tree.ssts().len() <= UNMERGED_SSTS_MAX, "{} SSTs after {i} writes", tree.ssts().len());
        if i % 1700 == 0 {
            put_in_order(&mut tree);
            assert!(tree.ssts().len() <= 4, "a reader merges what writers have left");
        }
    }
    assert_eq!(tree.flushes, 200);
    tree.check();
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
    let (mut tree, mut other) = diverge(tree);
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
fn what_diverges_has_an_index_of_its_differences_until_they_are_many_or_nobody_else_has_the_rest() {
    let filled = || {
        let mut tree = Tree::default();
        (0..2000).for_each(|i| put(&mut tree, &format!("{i:04}"), b"", 1000));
        put_in_order(&mut tree);
        Shared::new(tree)
    };
    let shared = filled();
    let mut tree = divergent(&shared);
    let before = tree.index.bytes();
    for i in 0..250 {
        match i % 2 {
            0 => put(&mut tree, &format!("{i:04}"), b"new", 1000),
            _ => delete(&mut tree, &format!("{i:04}"), 1000),
        }
        assert!(tree.index.is_layered(), "an eighth may differ");
        assert!(tree.index.bytes() < before + 1024 + 13 * i, "what is as it was is not copied");
    }
    put_in_order(&mut tree);
    let mut grandchild = divergent(&Shared::new(tree));
    delete(&mut grandchild, "0000", 1000);
    assert!(grandchild.index.is_layered(), "it has the same rest");
    put(&mut grandchild, "more", b"", 1000);
    put(&mut grandchild, "much more", b"", 1000);
    assert!(!grandchild.index.is_layered(), "more than an eighth differs");
    assert_eq!((body(&grandchild, "0000"), body(&grandchild, "0001"), body(&grandchild, "0003")), (None, None, None));
    assert_eq!(body(&grandchild, "0002").as_deref(), Some(&b"new"[..]));
    grandchild.check();

    let mut tree = divergent(&shared);
    put(&mut tree, "0000", b"new", 1000);
    drop(shared);
    put(&mut tree, "0001", b"new", 1000);
    assert!(!tree.index.is_layered(), "nobody else has the rest");
    tree.check();
    let compacted = filled();
    let mut tree = divergent(&compacted);
    drop(compact_all(&mut tree));
    assert!(!tree.index.is_layered() && tree.is_compact(), "compacting everything holds nothing of the others");
}

#[test]
fn forking_and_writing_again_and_again_keeps_ssts_few() {
    let mut tree = Tree::default();
    for i in 0..2000 {
        put(&mut tree, &format!("{:02}", i % 20), b"some bytes", 1000);
        put_in_order(&mut tree);
        tree = divergent(&Shared::new(tree));
        assert!(tree.ssts().len() <= DIVERGENT_SSTS_MAX, "{} SSTs after {i} forks", tree.ssts().len());
    }
    let (live, total) = (tree.live().bytes(), tree.bytes().total());
    assert!(total < live * 5 / 2 + 2048, "{total} bytes for {live} live ones");
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
            tree.check();
        }
        let (live, total) = (tree.live().bytes(), tree.bytes().total());
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
    for i in 0..5 {
        drop(apply(&mut tree, Record::put(key(&format!("{i:03}")), b"newer"), policy));
    }
    assert_eq!(tree.hidden.bytes, 5 * key_and_body_bytes(50), "what is being merged is not changed");
    flush(&mut tree);
    let merged = merging.merge();
    let mut garbage = Garbage::default();
    assert!(tree.end_merge(&merging, merged, &mut garbage));
    tree.check();
    assert_eq!(body(&tree, "004").as_deref(), Some(&b"newer"[..]));
    tree.compact_all(policy.stripe, &mut garbage);
    assert!(garbage.items().count() == 5, "hidden versions are handed out");
    assert!(!tree.end_merge(&merging, Default::default(), &mut garbage), "those SSTs are gone");
    assert!((0..370).all(|i| body(&tree, &format!("{i:03}")).is_some()) && body(&tree, "meanwhile").is_some());

    for i in 0..100 {
        drop(apply(&mut tree, Record::tombstone(key(&format!("{i:03}"))), policy));
    }
    let merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default()).expect("tombstones");
    drop(apply(&mut tree, Record::put(key("007"), b"again"), policy));
    let merged = merging.merge();
    assert!(tree.end_merge(&merging, merged, &mut Garbage::default()));
    let left = items(&mut tree);
    let left: Vec<&[u8]> = left.iter().map(Record::sk).collect();
    assert!(left.len() == 272 && left[..2] == [&b"007"[..], b"100"] && left[271] == b"meanwhile");
    assert_eq!(tree.hidden, Hidden::default());
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
fn what_another_thread_is_to_merge_hides_at_most_half_of_what_is_shown() {
    let policy = Policy { merge_later: true, ..policy(100) };
    let mut tree = Tree::default();
    let mut merging = None;
    for i in 0..20_000 {
        drop(apply(&mut tree, Record::put(key(&format!("{:04}", i * 7919 % 1000)), &[0; 50]), policy));
        if i == 1000 {
            // It takes its time.
            merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default());
        }
        let (live, held) = (tree.live().bytes(), tree.record_bytes());
        assert!(
            held <= live + live / 2 + HIDDEN_SLACK_BYTES + 100,
            "{held} bytes of records, {live} live, after {i} writes"
        );
    }
    assert!(merging.is_some());
    tree.check();
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
    assert_eq!(sks, [b"a", b"b", b"c", b"d"], "newer versions are where the older ones were");
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
    assert_eq!(merged.bytes, Run::of(merged.records).bytes);
    assert!(merge(Vec::new(), true, &mut garbage).records.is_empty());
}

#[test]
fn merging_one_sst_with_nothing_older_takes_its_tombstones_out() {
    let records = vec![Record::put(key("a"), b""), Record::tombstone(key("b"))];
    let run = Run::of(records);
    let mut garbage = Vec::new();
    let merged = merge(vec![MemorySstReader::from_run("s".into(), run)], true, &mut garbage);
    assert_eq!((merged.records.len(), garbage.len()), (1, 1));
}

/// Trees that fork, are viewed, merged by another thread and read by callers who keep what they read.
#[test]
fn whatever_shares_a_tree_sees_its_own_versions_alone() {
    let mut random = fastrand::Rng::with_seed(4);
    for (keys, rounds) in [(70, 60_000), (1000, 20_000)] {
        share_and_write(keys, rounds, &mut random);
    }
}

fn share_and_write(keys: u32, rounds: u32, random: &mut fastrand::Rng) {
    type Model = std::collections::BTreeMap<String, (Vec<u8>, Option<Record>)>;
    let mut family: Vec<(Tree, Model)> = vec![Default::default()];
    let mut views: Vec<(Shared<Tree>, Model)> = Vec::new();
    let mut merging: Option<Merging> = None;
    for round in 0..rounds {
        let (one, size) = (random.usize(..family.len()), family.len());
        let (tree, model) = &mut family[one];
        let sk = format!("{:02}", random.u32(..keys));
        let policy = Policy { merge_later: random.bool(), ..policy(10) };
        let bytes = random.u64(..).to_le_bytes()[..random.usize(2..5)].to_vec();
        match random.u32(..100) {
            0 if size < 4 => {
                put_in_order(tree);
                let fork;
                (*tree, fork) = diverge(std::mem::take(tree));
                let model = model.clone();
                family.push((fork, model));
            }
            1 if size > 1 => drop(family.swap_remove(one)),
            2 if one == 0 => {
                // A view, and the tree that goes on.
                put_in_order(tree);
                let view = Shared::new(std::mem::take(tree));
                *tree = divergent(&view);
                views.push((view, model.clone()));
            }
            3..6 if !views.is_empty() => drop(views.swap_remove(random.usize(..views.len()))),
            6 if one == 0 => merging = tree.begin_merge(Work::All, policy.stripe, &mut Garbage::default()),
            7 if one == 0 => {
                if let Some(merging) = merging.take() {
                    let merged = merging.merge();
                    tree.end_merge(&merging, merged, &mut Garbage::default());
                }
            }
            8 => put_in_order(tree),
            9 => flush(tree),
            10 => drop(compact_all(tree)),
            11..20 => {
                if let Some((_, kept)) = model.get_mut(&sk) {
                    *kept = tree.get(key(&sk).route(), key(&sk)).map(|record| record.clone());
                }
            }
            20..50 => {
                drop(tree.delete(key(&sk).route(), key(&sk), policy));
                model.remove(&sk);
            }
            50..60 => {
                drop(apply(tree, Record::put(key(&sk), &bytes), policy));
                model.insert(sk, (bytes, None));
            }
            _ => {
                drop(tree.put(key(&sk).route(), key(&sk), &bytes, policy));
                model.insert(sk, (bytes, None));
            }
        }
        if round % 20 == 0 {
            family.iter().for_each(|(tree, _)| tree.check());
            let views = views.iter().map(|(view, model)| (&**view, model));
            for (tree, model) in family.iter().map(|(tree, model)| (tree, model)).chain(views) {
                assert_eq!(tree.index.count(), model.len());
                for (sk, (bytes, kept)) in model {
                    assert_eq!(body(tree, sk).as_ref(), Some(bytes));
                    assert!(kept.as_ref().is_none_or(|kept| kept.body() == bytes && !kept.is_tombstone()));
                }
            }
        }
        while views.len() > 4 {
            views.remove(0);
        }
    }
}
