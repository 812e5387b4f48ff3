//! Merging runs into one: what compaction does.

use crate::prefetch::PREFETCH_AHEAD;
use crate::record::Record;
use crate::run::{Hidden, Run};

/// A partition of more records is wide.
const WIDE: usize = 64;
/// How far ahead records of a wide partition, which are compared by key, are asked for.
const MERGE_AHEAD: usize = 64;

/// Runs, oldest first, as one; of each key the newest version stays, a tombstone too.
pub(crate) fn merge_all(mut runs: Vec<Run>, garbage: &mut Vec<Record>) -> Run {
    let is_one = runs.len() == 1 && !runs[0].is_as_written;
    if !is_one && !runs.iter().any(has_wide_partition) {
        return merge_by_sorting(runs, garbage);
    }
    runs.iter_mut().filter(|run| run.is_as_written).for_each(|run| run.put_in_order(garbage));
    // The smallest neighbours first, so that each handle is moved a few times whatever the sizes.
    while runs.len() > 1 {
        let len_with_next = |at: &usize| runs[*at].records.len() + runs[at + 1].records.len();
        let at = (0..runs.len() - 1).min_by_key(len_with_next).expect("there are two");
        let newer = runs.remove(at + 1);
        runs[at] = merge_runs(newer, std::mem::take(&mut runs[at]), garbage);
    }
    runs.pop().unwrap_or_default()
}

/// Whether many records of a sorted run share a tag, so that they have to be compared by key.
fn has_wide_partition(run: &Run) -> bool {
    if run.is_as_written {
        return false;
    }
    let is_wide = |pair: &[Record]| pair[0].tag() == pair[pair.len() - 1].tag();
    run.records.windows(WIDE / 2 + 1).step_by(WIDE / 2).any(is_wide)
}

/// Where tags tell most records apart, sorting them anew by tag is cheaper than a comparison for each.
fn merge_by_sorting(runs: Vec<Run>, garbage: &mut Vec<Record>) -> Run {
    let mut merged = Run::default();
    merged.records.reserve_exact(runs.iter().map(|run| run.records.len()).sum());
    for mut run in runs {
        merged.bytes += run.bytes;
        merged.records.append(&mut run.records);
    }
    merged.put_in_order(garbage);
    merged
}

/// The run without its tombstones, for where nothing older is below it. Touches each record.
pub(crate) fn without_tombstones(mut run: Run, garbage: &mut Vec<Record>) -> Run {
    let records = &mut run.records;
    let mut kept = 0;
    for at in 0..records.len() {
        if let Some(ahead) = records.get(at + PREFETCH_AHEAD) {
            ahead.prefetch();
        }
        if !records[at].is_tombstone() {
            records.swap(kept, at);
            kept += 1;
        }
    }
    run.bytes -= Hidden::of(&records[kept..]).bytes;
    garbage.extend(records.drain(kept..));
    run
}

/// Two sorted runs as one; the newer one's version of a key wins.
///
/// Hidden versions are added to `garbage`, to be released where no lock is held. Costs a look at each handle and its
/// move; records are touched only where tags are equal.
fn merge_runs(newer: Run, older: Run, garbage: &mut Vec<Record>) -> Run {
    prefetch_ties(&newer.records, &older.records);
    let mut bytes = newer.bytes + older.bytes;
    let mut records = Vec::with_capacity(newer.records.len() + older.records.len());
    let mut older = older.records.into_iter();
    // How many of the next older records were asked for.
    let mut asked: usize = 0;
    for new in newer.records {
        let below = older.as_slice().iter().take_while(|old| old.tag() < new.tag()).count();
        records.extend(older.by_ref().take(below));
        if older.as_slice().first().is_some_and(|old| old.tag() == new.tag()) {
            if older.as_slice().get(1).is_some_and(|old| old.tag() == new.tag()) {
                asked = ask_ahead(older.as_slice(), if below > 0 { 0 } else { asked });
            }
            let before = count_before(older.as_slice(), &new);
            asked = asked.saturating_sub(before);
            records.extend(older.by_ref().take(before));
            if older.as_slice().first().is_some_and(|old| old.order(&new).is_eq()) {
                let hidden = older.by_ref().take(1).inspect(|hidden| bytes -= hidden.footprint());
                garbage.extend(hidden);
            }
        }
        records.push(new);
    }
    records.extend(older);
    Run { records, bytes, is_as_written: false }
}

/// Asks for the next records of the first one's partition, so many of which were asked for; how many those are now.
fn ask_ahead(records: &[Record], asked: usize) -> usize {
    let same = |record: &&Record| record.tag() == records[0].tag();
    let ahead = records.iter().take(MERGE_AHEAD).skip(asked).take_while(same);
    asked + ahead.inspect(|record| record.prefetch()).count()
}

/// How many of the sorted records come before this one: looks 1, 2, 4, … places ahead, then in between.
fn count_before(records: &[Record], record: &Record) -> usize {
    let is_before = |other: &Record| other.order(record).is_lt();
    let mut reach = 1;
    while records.get(reach - 1).is_some_and(is_before) {
        reach *= 2;
    }
    let (known, end) = (reach / 2, records.len().min(reach - 1));
    known + records[known..end].partition_point(is_before)
}

/// Asks for the records that a merge will have to compare by key: those whose tags are equal. Cold records cost a merge
/// of overwritten keys most of its time, and their cache misses can overlap.
fn prefetch_ties(newer: &[Record], older: &[Record]) {
    let mut at = 0;
    for new in newer {
        at += older[at..].iter().take_while(|old| old.tag() < new.tag()).count();
        if let Some(old) = older.get(at).filter(|old| old.tag() == new.tag()) {
            old.prefetch();
            new.prefetch();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    fn put(sk: &str, body: &[u8]) -> Record {
        Record::put(KeyRef::new(b"p", sk.as_bytes()).expect("valid key"), body)
    }

    fn tombstone(sk: &str) -> Record {
        Record::tombstone(KeyRef::new(b"p", sk.as_bytes()).expect("valid key"))
    }

    fn shape(records: &[Record]) -> Vec<(&[u8], &[u8], bool)> {
        records.iter().map(|record| (record.sk(), record.body(), record.is_tombstone())).collect()
    }

    fn run(records: Vec<Record>) -> Run {
        Run::of(records)
    }

    #[test]
    fn newer_versions_win_and_hidden_ones_are_handed_back() {
        let newer = vec![put("a", b"new"), tombstone("b")];
        let older = vec![put("a", b"old"), put("b", b""), put("c", b"")];
        let mut garbage = Vec::new();
        let merged = merge_runs(run(newer), run(older), &mut garbage);
        let expected: [(&[u8], &[u8], bool); 3] = [(b"a", b"new", false), (b"b", b"", true), (b"c", b"", false)];
        assert_eq!(shape(&merged.records), expected);
        assert_eq!(shape(&garbage), [(&b"a"[..], &b"old"[..], false), (b"b", b"", false)]);
        assert_eq!(merged.bytes, Run::of(merged.records).bytes);
    }

    #[test]
    fn tombstones_go_with_nothing_left_to_hide() {
        let mut garbage = Vec::new();
        let newer = run(vec![tombstone("a"), tombstone("z")]);
        let merged = merge_runs(newer, run(vec![put("a", b""), put("c", b"")]), &mut garbage);
        let merged = without_tombstones(merged, &mut garbage);
        assert_eq!(shape(&merged.records), [(&b"c"[..], &b""[..], false)]);
        assert_eq!(garbage.len(), 3);
        assert_eq!(merged.bytes, Run::of(merged.records).bytes);
    }

    /// Whatever is wide or narrow, sorted or not: as if each record were put into a map.
    #[test]
    fn runs_as_they_were_written_are_merged_with_sorted_ones() {
        let mut random = fastrand::Rng::with_seed(8);
        for round in 0..300 {
            let partitions = [1, 4, 1000][round % 3];
            let mut map = std::collections::BTreeMap::new();
            let mut total = 0;
            let runs: Vec<Run> = (0..random.usize(1..5))
                .map(|_| {
                    let record = |random: &mut fastrand::Rng| {
                        let (pk, sk) = (random.u16(..partitions).to_be_bytes(), random.u8(..200).to_be_bytes());
                        Record::put(KeyRef::new(&pk, &sk).expect("valid key"), b"")
                    };
                    let records: Vec<Record> = (0..random.usize(1..400)).map(|_| record(&mut random)).collect();
                    let mut run = Run { is_as_written: true, ..Run::of(records) };
                    if random.bool() {
                        run.put_in_order(&mut Vec::new());
                    }
                    total += run.records.len();
                    map.extend(run.records.iter().map(|r| ((r.tag().0, r.pk().to_vec(), r.sk().to_vec()), r.clone())));
                    run
                })
                .collect();
            let mut garbage = Vec::new();
            let merged = merge_all(runs, &mut garbage);
            assert!(!merged.is_as_written && merged.records.len() == map.len() && total == map.len() + garbage.len());
            assert!(merged.records.iter().zip(map.values()).all(|(merged, expected)| merged.same(expected)));
            assert_eq!(merged.bytes, Run::of(merged.records).bytes);
        }
    }

    #[test]
    fn merging_runs_of_any_sizes_gives_what_inserting_one_into_a_map_gives() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..300 {
            let mut runs = [Vec::new(), Vec::new()];
            let mut map = std::collections::BTreeMap::new();
            for (records, most) in runs.iter_mut().zip([200, 20]).rev() {
                let mut sks: Vec<u16> = (0..random.usize(..most)).map(|_| random.u16(..300)).collect();
                sks.sort_unstable();
                sks.dedup();
                for sk in sks.into_iter().map(|sk| format!("{sk:03}")) {
                    let record = if random.bool() { put(&sk, b"x") } else { tombstone(&sk) };
                    records.push(record);
                }
            }
            let [newer, older] = runs;
            map.extend(older.iter().chain(&newer).map(|record| (record.sk().to_vec(), record.clone())));
            let total = newer.len() + older.len();
            let drop_tombstones = random.bool();
            let mut garbage = Vec::new();
            let mut merged = merge_runs(run(newer), run(older), &mut garbage);
            if drop_tombstones {
                merged = without_tombstones(merged, &mut garbage);
            }
            map.retain(|_, record| !(drop_tombstones && record.is_tombstone()));
            assert!(merged.records.iter().zip(map.values()).all(|(merged, expected)| merged.same(expected)));
            assert_eq!((merged.records.len(), merged.records.len() + garbage.len()), (map.len(), total));
            assert_eq!(merged.bytes, Run::of(merged.records).bytes);
        }
    }
    #[test]
    fn several_runs_give_what_writing_them_one_after_another_gives() {
        let mut random = fastrand::Rng::with_seed(8);
        // In one wide partition, and in many.
        for (partitions, count) in [(1, 300), (400, 300), (400, 20)] {
            let mut map = std::collections::BTreeMap::new();
            let mut written = 0;
            let runs = (0..6_u8).map(|age| {
                let mut records = std::collections::BTreeMap::new();
                for _ in 0..random.usize(..count) {
                    let (pk, sk) = (random.u16(..partitions).to_be_bytes(), random.u16(..300).to_be_bytes());
                    let record = Record::put(KeyRef::new(&pk, &sk).expect("valid"), &[age]);
                    let place = (record.tag().0, pk, sk);
                    records.insert(place, record);
                }
                written += records.len();
                map.extend(records.iter().map(|(place, record)| (*place, record.clone())));
                run(records.into_values().collect())
            });
            let mut garbage = Vec::new();
            let merged = merge_all(runs.collect(), &mut garbage);
            assert!(merged.records.iter().zip(map.values()).all(|(merged, expected)| merged.same(expected)));
            assert_eq!((merged.records.len(), merged.records.len() + garbage.len()), (map.len(), written));
            assert_eq!(merged.bytes, Run::of(merged.records).bytes);
        }
        assert!(merge_all(Vec::new(), &mut Vec::new()).records.is_empty());
    }
}
