//! Reading several sorted sources as one, newest first: what every read of more than one key goes through.
//!
//! ```text
//! heads    [ b·9 c d  newest │ d·7  older │ e·2 ]     by their next records, the newest of equal keys first
//!            └──┬──┘
//!            a stretch: what lies before the next head
//! ```
//! A head keeps what its next record is mostly told apart by, its rank: the tag or, in one partition, the first bytes of
//! the sort key. So a stretch is found by comparing numbers, and in a scan without touching a record. A few records of one
//! partition, as most queries find, are put in order one by one instead: that costs less than a stretch for each.

use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::prefetch::PREFETCH_AHEAD;
use crate::record::Record;
use crate::search::SMALL_RUN;
use crate::source::Source;

/// So many records of one partition are few.
const FEW: usize = 16;

/// The live records of several sources in order: of each key the newest version, none where that is a tombstone.
pub(crate) struct Merge<'a> {
    /// By their next records; none is empty.
    heads: SmallVec<[Head<'a>; 4]>,
    /// In the place of heads.
    few: Few<'a>,
    pub(crate) reverse: bool,
    /// Whether all records have one partition key.
    one_partition: bool,
}

/// The newest versions of all keys of one partition, in order.
struct Few<'a> {
    ranks: [u64; FEW],
    records: [Option<&'a Record>; FEW],
    len: usize,
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
    /// A merge of no source, to be read in order or in reverse. Sorted by sort key alone where all records are of one
    /// partition.
    #[inline(always)]
    pub(crate) fn new(reverse: bool, one_partition: bool) -> Self {
        let few = Few { ranks: [0; FEW], records: [None; FEW], len: 0 };
        Self { heads: SmallVec::new(), few, reverse, one_partition }
    }

    /// Adds a source of the same span as the others, which are newer.
    #[inline(always)]
    pub(crate) fn add(&mut self, source: Source<'a>) {
        if source.is_empty() {
            return;
        }
        if !self.one_partition || source.len() > SMALL_RUN {
            source.prefetch_first(self.reverse);
        }
        let age = self.heads.len();
        self.heads.push(Head { rank: 0, source, age });
    }

    /// To be called when all sources were added.
    #[inline(always)]
    pub(crate) fn begin(&mut self) {
        if self.heads.len() < 2 {
            return;
        }
        if self.one_partition && self.heads.iter().map(|head| head.source.len()).sum::<usize>() <= FEW {
            self.order_few();
        } else {
            self.order_heads();
        }
    }

    #[inline(never)]
    fn order_heads(&mut self) {
        let (reverse, one_partition) = (self.reverse, self.one_partition);
        self.heads.iter_mut().for_each(|head| head.rank(reverse, one_partition));
        (0..self.heads.len() - 1).rev().for_each(|at| self.settle(at));
    }

    /// The most records that are left.
    pub(crate) fn len_at_most(&self) -> usize {
        self.few.len + self.heads.iter().map(|head| head.source.len()).sum::<usize>()
    }

    /// Puts all records of the sources, which are the newest first, in order.
    fn order_few(&mut self) {
        let reverse = self.reverse;
        for head in &self.heads {
            let run = head.source.run();
            match reverse {
                false => run.iter().for_each(|record| self.few.insert(record, false)),
                true => run.iter().rev().for_each(|record| self.few.insert(record, true)),
            }
        }
        self.heads.clear();
    }

    /// The newest versions where all records are few, tombstones too; none where they are not.
    #[inline]
    pub(crate) fn few(&self) -> impl Iterator<Item = &'a Record> + use<'a, '_> {
        self.few.records[..self.few.len].iter().flatten().copied()
    }

    /// The newest versions that come next, at most so many, tombstones too: records of one source that were asked for
    /// ahead, to be read from the end where the merge is read in reverse. None at the end.
    #[inline]
    pub(crate) fn next_stretch(&mut self, most: usize) -> &'a [Record] {
        let most = most.min(PREFETCH_AHEAD);
        let (reverse, one_partition) = (self.reverse, self.one_partition);
        match self.heads.as_mut_slice() {
            [] => &[],
            [only] => {
                let stretch = only.source.take(most, reverse);
                if only.source.is_empty() {
                    self.heads.clear();
                }
                stretch
            }
            [first, second, ..] => match first.len_before(second.rank, most, reverse, one_partition) {
                0 => self.next_of_equal_ranks(),
                len => {
                    let stretch = first.source.take(len, reverse);
                    self.place_first();
                    stretch
                }
            },
        }
    }

    /// The first record, and no older version of it after that.
    #[inline(never)]
    fn next_of_equal_ranks(&mut self) -> &'a [Record] {
        let rank = self.heads[0].rank;
        let newest = self.heads[0].source.take(1, self.reverse);
        self.place_first();
        while let Some(head) = self.heads.first_mut()
            && head.rank == rank
            && let Some(older) = head.source.peek(self.reverse)
            && newest.iter().all(|newest| self.order(older, newest).is_eq())
        {
            self.heads[0].source.take(1, self.reverse);
            self.place_first();
        }
        newest
    }

    /// Puts the first head, whose next record is another, in its new place.
    #[inline]
    fn place_first(&mut self) {
        let first = &mut self.heads[0];
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
        let (reverse, one_partition) = (self.reverse, self.one_partition);
        let heads = self.heads.as_mut_slice();
        while let Some([head, next]) = heads.get_mut(at..at + 2) {
            if head.rank < next.rank || head.rank == next.rank && head.is_before(next, reverse, one_partition) {
                return;
            }
            std::mem::swap(head, next);
            at += 1;
        }
    }

    /// The order in which records are read, versions of one key being equal.
    fn order(&self, record: &Record, other: &Record) -> Ordering {
        order(record, other, self.reverse, self.one_partition)
    }
}

impl<'a> Few<'a> {
    /// Puts a record of one partition in its place among those of newer sources, unless one of them is a newer version of
    /// it.
    #[inline(always)]
    fn insert(&mut self, record: &'a Record, reverse: bool) {
        let rank = rank(record, reverse, true);
        let mut at = self.len.min(FEW - 1);
        while at > 0 && self.ranks[at - 1] > rank {
            (self.ranks[at], self.records[at]) = (self.ranks[at - 1], self.records[at - 1]);
            at -= 1;
        }
        (self.ranks[at], self.records[at]) = (rank, Some(record));
        self.len += 1;
        if at > 0 && self.ranks[at - 1] == rank {
            self.settle_equal(at, reverse);
        }
    }

    /// Puts the record at this place, which may belong before others of its rank, where it belongs.
    #[cold]
    #[inline(never)]
    fn settle_equal(&mut self, mut at: usize, reverse: bool) {
        while at > 0 && self.ranks[at - 1] == self.ranks[at] {
            let (Some(other), Some(record)) = (self.records[at - 1], self.records[at]) else { return };
            match order(other, record, reverse, true) {
                Ordering::Less => return,
                // An older version of what a newer source holds.
                Ordering::Equal => {
                    self.ranks[at..self.len].rotate_left(1);
                    self.records[at..self.len].rotate_left(1);
                    self.len -= 1;
                    return;
                }
                Ordering::Greater => self.records.swap(at - 1, at),
            }
            at -= 1;
        }
    }
}

fn order(record: &Record, other: &Record, reverse: bool, one_partition: bool) -> Ordering {
    let order = if one_partition { record.sk().cmp(other.sk()) } else { record.order(other) };
    if reverse { order.reverse() } else { order }
}

impl Head<'_> {
    /// Ranks the next record.
    #[inline]
    fn rank(&mut self, reverse: bool, one_partition: bool) {
        if let Some(next) = self.source.peek(reverse) {
            self.rank = rank(next, reverse, one_partition);
        }
    }

    /// How many of its next records, at most so many, come before one of this rank, as far as ranks tell.
    #[inline]
    fn len_before(&self, other: u64, most: usize, reverse: bool, one_partition: bool) -> usize {
        let is_before = |record: &&Record| rank(record, reverse, one_partition) < other;
        let run = self.source.run();
        match reverse {
            false => run.iter().take(most).take_while(is_before).count(),
            true => run.iter().rev().take(most).take_while(is_before).count(),
        }
    }

    /// Whether its next record comes before that of a head of the same rank.
    #[inline(never)]
    fn is_before(&self, other: &Self, reverse: bool, one_partition: bool) -> bool {
        match (self.source.peek(reverse), other.source.peek(reverse)) {
            (Some(next), Some(others)) => {
                order(next, others, reverse, one_partition).then(self.age.cmp(&other.age)).is_lt()
            }
            (next, _) => next.is_some(),
        }
    }
}

#[inline(always)]
fn rank(record: &Record, reverse: bool, one_partition: bool) -> u64 {
    // The tag is in the handle; the sort key has to be touched.
    let rank = if one_partition { first_bytes(record.sk()) } else { u64::from(record.tag().0) };
    if reverse { !rank } else { rank }
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

#[cfg(test)]
impl<'a> Merge<'a> {
    /// A merge of these sources, newest first.
    pub(crate) fn of(sources: impl IntoIterator<Item = Source<'a>>, reverse: bool, one_partition: bool) -> Self {
        let mut merge = Self::new(reverse, one_partition);
        sources.into_iter().for_each(|source| merge.add(source));
        merge.begin();
        merge
    }

    /// All live records.
    pub(crate) fn live(&mut self) -> Vec<&'a Record> {
        let mut all: Vec<&Record> = self.few().collect();
        while let Some(next) = self.next_stretch(1).first() {
            all.push(next);
        }
        all.retain(|record| !record.is_tombstone());
        all
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
            most in 1_usize..20,
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
            let mut shown: Vec<&Record> = merge.few().filter(|record| !record.is_tombstone()).collect();
            loop {
                let stretch = merge.next_stretch(most);
                if stretch.is_empty() {
                    break;
                }
                prop_assert!(stretch.len() <= most);
                let live = |record: &&Record| !record.is_tombstone();
                match reverse {
                    false => shown.extend(stretch.iter().filter(live)),
                    true => shown.extend(stretch.iter().rev().filter(live)),
                }
            }
            let mut expected: Vec<&Record> = newest.values().filter(|record| !record.is_tombstone()).collect();
            if reverse {
                expected.reverse();
            }
            prop_assert!(shown.len() == expected.len() && shown.iter().zip(&expected).all(|(a, b)| a.same(b)));
            prop_assert!((newest.len()..=runs.iter().map(Vec::len).sum()).contains(&left));
            prop_assert_eq!(merge.len_at_most(), merge.few().count());
        }
    }
}
