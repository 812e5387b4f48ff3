//! Merging two runs into one: what compaction does.

use crate::record::Record;
use crate::run::{Run, Weight};

/// How far ahead records of a wide partition, which are compared by key, are asked for.
const MERGE_AHEAD: usize = 64;

/// Two sorted runs as one; the newer one's version of a key wins. With nothing older below them, tombstones go.
///
/// Hidden versions and spent tombstones are added to `garbage`, to be released where no lock is held. Costs a look at
/// each handle and its move; records are touched only where tags are equal.
pub(crate) fn merge_runs(newer: Run, older: Run, drop_tombstones: bool, garbage: &mut Vec<Record>) -> Run {
    let mut weight = Weight {
        bytes: newer.weight.bytes + older.weight.bytes,
        tombstones: newer.weight.tombstones + older.weight.tombstones,
    };
    let drop_tombstones = drop_tombstones && weight.tombstones > 0;
    prefetch_ties(&newer.records, &older.records);
    let mut records = Vec::with_capacity(newer.records.len() + older.records.len());
    let mut discard = |record: Record| {
        weight.subtract(&record);
        garbage.push(record);
    };
    let mut older_records = older.records;
    if drop_tombstones && older.weight.tombstones > 0 {
        older_records.extract_if(.., |record| record.is_tombstone()).for_each(&mut discard);
    }
    let mut older = older_records.into_iter();
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
                older.by_ref().take(1).for_each(&mut discard);
            }
        }
        if drop_tombstones && new.is_tombstone() {
            discard(new);
        } else {
            records.push(new);
        }
    }
    records.extend(older);
    Run { records, weight }
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
        Run { weight: Weight::of(&records), records }
    }

    #[test]
    fn newer_versions_win_and_hidden_ones_are_handed_back() {
        let newer = vec![put("a", b"new"), tombstone("b")];
        let older = vec![put("a", b"old"), put("b", b""), put("c", b"")];
        let mut garbage = Vec::new();
        let merged = merge_runs(run(newer), run(older), false, &mut garbage);
        let expected: [(&[u8], &[u8], bool); 3] = [(b"a", b"new", false), (b"b", b"", true), (b"c", b"", false)];
        assert_eq!(shape(&merged.records), expected);
        assert_eq!(shape(&garbage), [(&b"a"[..], &b"old"[..], false), (b"b", b"", false)]);
        assert_eq!(merged.weight, Weight::of(&merged.records));
    }

    #[test]
    fn tombstones_go_with_nothing_left_to_hide() {
        let mut garbage = Vec::new();
        let newer = run(vec![tombstone("a"), tombstone("z")]);
        let merged = merge_runs(newer, run(vec![put("a", b""), put("c", b"")]), true, &mut garbage);
        assert_eq!(shape(&merged.records), [(&b"c"[..], &b""[..], false)]);
        assert_eq!(garbage.len(), 3);
        assert_eq!(merged.weight, Weight::of(&merged.records));
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
            let merged = merge_runs(run(newer), run(older), drop_tombstones, &mut garbage);
            map.retain(|_, record| !(drop_tombstones && record.is_tombstone()));
            assert!(merged.records.iter().zip(map.values()).all(|(merged, expected)| merged.same(expected)));
            assert_eq!((merged.records.len(), merged.records.len() + garbage.len()), (map.len(), total));
            assert_eq!(merged.weight, Weight::of(&merged.records));
        }
    }
}
