//! A run: sorted records, one per key, as a flush or a merge makes them, and what they add up to.

use std::cmp::Ordering;
use std::mem::{self, ManuallyDrop};

use crate::record::Record;

/// Sorted records, one per key, and their bytes, so that nobody needs to touch the records to know.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) records: Vec<Record>,
    pub(crate) bytes: usize,
    /// Not sorted yet: of several records of one key the last one counts.
    pub(crate) is_as_written: bool,
}

impl Run {
    /// Sorted records, weighed.
    pub(crate) fn of(records: Vec<Record>) -> Self {
        Self { bytes: records.iter().map(Record::footprint).sum(), records, is_as_written: false }
    }

    /// Sorts the records; versions that newer ones hide are added to `garbage`.
    pub(crate) fn put_in_order(&mut self, garbage: &mut Vec<Record>) {
        if sort(&mut self.records) {
            let mut hidden = keep_newest(&mut self.records);
            self.bytes -= Hidden::of(&hidden).bytes;
            garbage.append(&mut hidden);
        }
        self.is_as_written = false;
    }
}

/// Fewer records are sorted by comparing them alone.
const FEW: usize = 64;

/// More than come together by chance.
const NEIGHBOURS_MAX: usize = 16;

/// Sorts records; of one key, the later ones stay behind. False where no two have one key; true where some may.
///
/// By counting how many have which leading bits of the tag, each goes to its few neighbours in one step: a comparison of
/// tags that come by chance is a guess that the processor gets wrong every other time. Records are touched where tags are
/// equal.
pub(crate) fn sort(records: &mut Vec<Record>) -> bool {
    if records.len() < FEW {
        records.sort_by(Record::order);
        return true;
    }
    let bits = (records.len().ilog2() + 1).min(u16::BITS);
    let bucket = |record: &Record| usize::from(record.tag().0) >> (u16::BITS - bits);
    let mut places = vec![0_u32; 1 << bits];
    records.iter().for_each(|record| places[bucket(record)] += 1);
    let (mut first, mut largest) = (0, 0);
    for place in &mut places {
        let count = mem::replace(place, first);
        first += count;
        largest = largest.max(count);
    }
    // Without drops: nothing is there yet when a record comes to its place.
    let mut sorted: Vec<Option<ManuallyDrop<Record>>> = records.iter().map(|_| None).collect();
    for record in mem::take(records) {
        let place = &mut places[bucket(&record)];
        sorted[*place as usize] = Some(ManuallyDrop::new(record));
        *place += 1;
    }
    let taken = |record: Option<ManuallyDrop<Record>>| record.expect("there is a place for each record, and no other");
    *records = sorted.into_iter().map(taken).map(ManuallyDrop::into_inner).collect();
    if largest as usize <= NEIGHBOURS_MAX {
        return sort_neighbours(records);
    }
    // Each place is its bucket's end now.
    let (mut first, mut may_have_same) = (0, false);
    for &end in &places {
        let neighbours = &mut records[first..end as usize];
        first = end as usize;
        if neighbours.len() > NEIGHBOURS_MAX {
            neighbours.sort_by(Record::order);
            may_have_same = true;
        } else {
            may_have_same |= sort_neighbours(neighbours);
        }
    }
    may_have_same
}

/// Sorts records that are near their places: each goes back past those that it comes before. Whether two have one key.
#[inline(always)]
fn sort_neighbours(records: &mut [Record]) -> bool {
    let mut has_same = false;
    for at in 1..records.len() {
        // Most are where they belong.
        if records[at - 1].tag() >= records[at].tag() {
            has_same |= put_back(records, at);
        }
    }
    has_same
}

/// Puts one record back where it belongs among those before it, which are in order. Whether one of them has its key.
fn put_back(records: &mut [Record], mut at: usize) -> bool {
    while at > 0 {
        match records[at - 1].order(&records[at]) {
            Ordering::Greater => records.swap(at - 1, at),
            order => return order.is_eq(),
        }
        at -= 1;
    }
    false
}

/// Drops all but the last of each key's versions from sorted records: what these were.
pub(crate) fn keep_newest(records: &mut Vec<Record>) -> Vec<Record> {
    let mut hidden = Vec::new();
    records.dedup_by(|newer, older| {
        let is_same = newer.tag() == older.tag() && newer.order(older).is_eq();
        if is_same {
            std::mem::swap(newer, older);
            hidden.push(newer.clone());
        }
        is_same
    });
    hidden
}

/// What runs hold and their tree does not show: versions that newer ones hide, and tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    pub(crate) bytes: usize,
    pub(crate) tombstones: usize,
}

impl Hidden {
    pub(crate) fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut hidden = Self::default();
        records.into_iter().for_each(|record| hidden.add(record));
        hidden
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.bytes += record.footprint();
        self.tombstones += usize::from(record.is_tombstone());
    }

    pub(crate) fn subtract(&mut self, gone: Self) {
        self.bytes -= gone.bytes;
        self.tombstones -= gone.tombstones;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    /// What a stable sort by comparison gives, for partitions of all widths and versions of one key.
    #[test]
    fn sorting_by_tags_is_sorting_by_comparison() {
        let mut random = fastrand::Rng::with_seed(9);
        for (count, partitions) in
            [(0, 1), (1, 1), (63, 9), (64, 9), (1000, 1), (1000, 7), (1000, 5000), (70_000, 9000)]
        {
            let mut records: Vec<Record> = (0..count)
                .map(|_| {
                    let (pk, sk) = (random.u32(..partitions).to_be_bytes(), [random.u8(..)]);
                    Record::put(KeyRef::new(&pk, &sk).expect("valid key"), b"")
                })
                .collect();
            let mut expected = records.clone();
            expected.sort_by(Record::order);
            let may_have_same = sort(&mut records);
            assert!(records.len() == count && records.iter().zip(&expected).all(|(a, b)| a.same(b)));
            let hidden = keep_newest(&mut records);
            let is_last = |at: usize| at + 1 == count || expected[at].order(&expected[at + 1]).is_ne();
            let newest = (0..count).filter(|at| is_last(*at)).map(|at| &expected[at]);
            assert!(records.iter().zip(newest).all(|(a, b)| a.same(b)));
            assert_eq!(records.len() + hidden.len(), count);
            assert!(may_have_same || hidden.is_empty());
        }
    }
}
