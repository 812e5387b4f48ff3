//! Reading several sorted sources as one, newest first: what every read of more than one key goes through.
//!
//! ```text
//! heads    [ b·9  newest │ b·7  older │ d·2 ]     by their next records, the newest of equal keys first
//!            └─ next: b·9; the older version of b is passed over, and both heads move to their places
//! ```
//! A head keeps what its next record is mostly told apart by: the tag or, in one partition, the first bytes of the sort
//! key. So most steps compare two numbers and touch the one record that they return.

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::record::Record;
use crate::source::Source;

/// An iterator over the live records of several sources in order: of each key the newest version, none where that is a
/// tombstone.
pub(crate) struct Merge<'a> {
    /// By their next records; none is empty.
    heads: SmallVec<[Head<'a>; 4]>,
    reverse: bool,
    /// Whether all records have one partition key.
    one_partition: bool,
}

/// A source, and what its next record is.
struct Head<'a> {
    /// Lower where the record comes earlier; of equal ones, the records decide.
    rank: u64,
    source: Source<'a>,
    /// 0 for the newest.
    age: usize,
}

impl<'a> Merge<'a> {
    /// Sources of one span, newest first, to be read in order or in reverse. Sorted by sort key alone where all of
    /// their records are of one partition.
    pub(crate) fn of(sources: impl IntoIterator<Item = Source<'a>>, reverse: bool, one_partition: bool) -> Self {
        let mut merge = Self { heads: SmallVec::new(), reverse, one_partition };
        for (age, source) in sources.into_iter().filter(|source| !source.is_empty()).enumerate() {
            source.prefetch_first(reverse);
            merge.heads.push(Head { rank: 0, source, age });
        }
        if merge.heads.len() > 1 {
            merge.heads.iter_mut().for_each(|head| head.rank(reverse, one_partition));
            (0..merge.heads.len() - 1).rev().for_each(|at| merge.settle(at));
        }
        merge
    }

    /// The most records that are left.
    pub(crate) fn len_at_most(&self) -> usize {
        self.heads.iter().map(|head| head.source.len()).sum()
    }

    /// The next newest version, a tombstone too.
    #[inline(always)]
    fn next_version(&mut self) -> Option<&'a Record> {
        match self.heads.as_mut_slice() {
            [] => None,
            [only] => {
                let record = only.source.peek(self.reverse)?;
                only.source.pop(self.reverse);
                Some(record)
            }
            _ => self.next_of_several(),
        }
    }

    fn next_of_several(&mut self) -> Option<&'a Record> {
        let Head { rank, source, .. } = &self.heads[0];
        let (rank, record) = (*rank, source.peek(self.reverse)?);
        self.pass_first();
        while let Some(next) = self.heads.first()
            && next.rank == rank
            && self.order(next.source.peek(self.reverse)?, record).is_eq()
        {
            self.pass_first();
        }
        Some(record)
    }

    /// Passes over the next record of the first head, which goes to its new place.
    #[inline]
    fn pass_first(&mut self) {
        let first = &mut self.heads[0];
        first.source.pop(self.reverse);
        if first.source.is_empty() {
            self.heads.remove(0);
            return;
        }
        first.rank(self.reverse, self.one_partition);
        self.settle(0);
    }

    /// Moves the head at this place behind those that come before it, which are in order.
    #[inline]
    fn settle(&mut self, mut at: usize) {
        while at + 1 < self.heads.len() && self.is_before(&self.heads[at + 1], &self.heads[at]) {
            self.heads.swap(at, at + 1);
            at += 1;
        }
    }

    #[inline]
    fn is_before(&self, head: &Head<'a>, other: &Head<'a>) -> bool {
        if head.rank != other.rank {
            return head.rank < other.rank;
        }
        let (Some(record), Some(other_record)) = (head.source.peek(self.reverse), other.source.peek(self.reverse))
        else {
            return false;
        };
        self.order(record, other_record).then(head.age.cmp(&other.age)).is_lt()
    }

    /// The order in which the records are read, versions of one key being equal.
    fn order(&self, record: &Record, other: &Record) -> Ordering {
        let order = if self.one_partition { record.sk().cmp(other.sk()) } else { record.order(other) };
        if self.reverse { order.reverse() } else { order }
    }
}

impl Head<'_> {
    /// Ranks the next record.
    #[inline]
    fn rank(&mut self, reverse: bool, one_partition: bool) {
        let Some(record) = self.source.peek(reverse) else { return };
        // The tag is in the handle; the sort key would have to be touched.
        let rank = if one_partition { first_bytes(record.sk()) } else { u64::from(record.tag().0) };
        self.rank = if reverse { !rank } else { rank };
    }
}

/// The first eight bytes as a number; where there are fewer, zeros follow.
#[inline]
fn first_bytes(bytes: &[u8]) -> u64 {
    match bytes.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let number = bytes.iter().fold(0, |number, byte| number << u8::BITS | u64::from(*byte));
            number << (u64::BITS - bytes.len().max(1) as u32 * u8::BITS)
        }
    }
}

impl<'a> Iterator for Merge<'a> {
    type Item = &'a Record;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a Record> {
        loop {
            let record = self.next_version()?;
            if !record.is_tombstone() {
                return Some(record);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::key::KeyRef;

    #[test]
    fn first_bytes_are_in_the_order_of_the_keys_or_equal() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut key = || -> Vec<u8> { (0..random.usize(0..12)).map(|_| random.u8(0..3) * 127).collect() };
        for _ in 0..20_000 {
            let (a, b) = (key(), key());
            let order = first_bytes(&a).cmp(&first_bytes(&b));
            assert!(order.is_eq() || order == a.cmp(&b), "{a:?} {b:?}");
            assert!(order.is_ne() || a == b || a.len().max(b.len()) > 8 || a.ends_with(&[0]) || b.ends_with(&[0]));
        }
    }

    proptest! {
        /// Up to nine sources with versions of the same keys, from either end, in one partition or
        /// over several: what a map of the newest versions has.
        #[test]
        fn a_merge_shows_the_newest_version_of_each_key(
            sources in prop::collection::vec(
                prop::collection::btree_map((0_u8..4, prop::collection::vec(0_u8..3, 0..10)), any::<bool>(), 0..40), 0..9),
            one_partition: bool,
            reverse: bool,
        ) {
            let mut newest = BTreeMap::new();
            let mut runs = Vec::new();
            for (age, source) in sources.iter().enumerate() {
                let mut records = Vec::new();
                for ((partition, sk), is_put) in source {
                    let pk = if one_partition { [0] } else { [*partition] };
                    let key = KeyRef::new(&pk, sk).expect("valid");
                    let record = if *is_put { Record::put(key, &[age as u8]) } else { Record::tombstone(key) };
                    records.push(record);
                }
                records.sort_by(Record::order);
                records.dedup_by(|a, b| a.order(b).is_eq());
                for record in &records {
                    let place = (record.tag().0, record.pk().to_vec(), record.sk().to_vec());
                    newest.entry(place).or_insert_with(|| record.clone());
                }
                runs.push(records);
            }
            let sources = runs.iter().map(|run| Source::of_run(run));
            let mut merge = Merge::of(sources, reverse, one_partition);
            let left = merge.len_at_most();
            let shown: Vec<&Record> = merge.by_ref().collect();
            let mut expected: Vec<&Record> = newest.values().filter(|record| !record.is_tombstone()).collect();
            if reverse {
                expected.reverse();
            }
            prop_assert!(shown.len() == expected.len() && shown.iter().zip(&expected).all(|(a, b)| a.same(b)));
            prop_assert!(left == runs.iter().map(Vec::len).sum::<usize>() && merge.len_at_most() == 0);
        }
    }
}
