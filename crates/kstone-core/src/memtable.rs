//! The memtable: the newest versions of a stripe, always in order.
//!
//! ```text
//! tags     [ 3    9    9   40 ]        the first tag of each leaf, together in a cache line or two
//! leaves   [•••] [•••] [••] [•••]      up to 32 records each, sorted by (tag, partition key, sort key)
//! ```
//!
//! A look-up narrows by tags alone and touches a record only where the tag is equal. An insert moves at most one leaf;
//! nothing is ever sorted later, so a query reads it as it is and a flush is a concatenation.
//!
//! Most look-ups are for a key that has left for an SST. A bitmap with one bit for 8 neighbouring tags answers those
//! from one cache line of 512 bytes that stay warm. It is made when a second leaf is; bits are forgotten with the
//! memtable.
//!
//! Owned by a stripe, guarded by its lock.

use crate::key::{Edge, KeyRef, SortEdge, TAG_HASH_BITS, Tag};
use crate::record::Record;
use crate::run::{Run, Weight};
#[cfg(test)]
use crate::search::find_in;
use crate::search::{place_in, seek_in, tag_run};
use crate::source::Source;
use crate::span::Span;

const LEAF_MAX: usize = 32;

/// A place between two records: before `leaves[leaf][slot]`. Normalised: `slot` is inside its leaf, or the slot is
/// (number of leaves, 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    leaf: usize,
    slot: usize,
}

#[derive(Default)]
pub(crate) struct Memtable {
    seen: SeenTags,
    tags: Vec<Tag>,
    leaves: Vec<Vec<Record>>,
    len: usize,
    weight: Weight,
    /// Handles that fit the leaves without a reallocation.
    leaf_slots: usize,
}

/// Which tags may be present: false answers are certain.
#[derive(Default)]
struct SeenTags(Vec<u64>);

impl SeenTags {
    const TAGS_PER_BIT_LOG2: u32 = 3;
    const WORDS: usize = (1 << (TAG_HASH_BITS - Self::TAGS_PER_BIT_LOG2)) / u64::BITS as usize;

    /// Items and index entries share bits.
    fn place(tag: Tag) -> (usize, u64) {
        let bit = usize::from(tag.0 >> Self::TAGS_PER_BIT_LOG2);
        (bit / u64::BITS as usize % Self::WORDS, 1 << (bit % u64::BITS as usize))
    }

    /// Whether nothing is noted yet, so that anything may be present.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn insert(&mut self, tag: Tag) {
        self.0.resize(Self::WORDS, 0);
        let (word, bit) = Self::place(tag);
        self.0[word] |= bit;
    }

    #[inline(always)]
    fn may_contain(&self, tag: Tag) -> bool {
        let (word, bit) = Self::place(tag);
        self.0.get(word).is_none_or(|bits| bits & bit != 0)
    }
}

impl Memtable {
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn weight(&self) -> Weight {
        self.weight
    }

    #[cfg(test)]
    pub(crate) fn get(&self, tag: Tag, key: KeyRef<'_>) -> Option<&Record> {
        if self.seen.may_contain(tag) { self.find(tag, key) } else { None }
    }

    #[cfg(test)]
    fn find(&self, tag: Tag, key: KeyRef<'_>) -> Option<&Record> {
        let leaf = self.leaves.get(self.leaf_of(tag, key))?;
        find_in(&leaf[leaf.partition_point(|record| record.tag() < tag)..], tag, key)
    }

    /// Adds the record, or puts it in the place of the one with its key, which is returned.
    pub(crate) fn insert(&mut self, record: Record) -> Option<Record> {
        self.weight.add(&record);
        let tag = record.tag();
        if self.is_empty() {
            self.insert_first(record);
            return None;
        }
        let (at, is_present) = self.place_of(tag, record.key_ref());
        if is_present {
            let replaced = std::mem::replace(&mut self.leaves[at.leaf][at.slot], record);
            self.weight.subtract(&replaced);
            return Some(replaced);
        }
        self.len += 1;
        self.insert_at(at, record);
        if !self.seen.is_empty() {
            self.seen.insert(tag);
        }
        None
    }

    /// Takes the record with this key out.
    pub(crate) fn remove(&mut self, tag: Tag, key: KeyRef<'_>) -> Option<Record> {
        if self.is_empty() {
            return None;
        }
        let (at, is_present) = self.place_of(tag, key);
        if !is_present {
            return None;
        }
        let leaf = &mut self.leaves[at.leaf];
        let record = leaf.remove(at.slot);
        self.len -= 1;
        self.weight.subtract(&record);
        if self.len == 0 {
            *self = Self::default();
        } else if leaf.is_empty() {
            self.leaf_slots -= leaf.capacity();
            self.leaves.remove(at.leaf);
            self.tags.remove(at.leaf);
        } else {
            self.tags[at.leaf] = leaf[0].tag();
        }
        Some(record)
    }

    /// All records in order; the memtable is spent.
    pub(crate) fn into_run(self) -> Run {
        let mut records = Vec::with_capacity(self.len);
        for mut leaf in self.leaves {
            records.append(&mut leaf);
        }
        Run { records, weight: self.weight }
    }

    /// All records in order, each counted once more.
    pub(crate) fn to_run(&self) -> Run {
        let mut records = Vec::with_capacity(self.len);
        records.extend(self.records().cloned());
        Run { records, weight: self.weight }
    }

    /// All records in order.
    pub(crate) fn records(&self) -> impl Iterator<Item = &Record> {
        self.leaves.iter().flatten()
    }

    /// The first place that is not before the edge among the records of this tag.
    fn seek(&self, tag: Tag, edge: Edge<'_>) -> Slot {
        // The place lies in a leaf that begins below it; with equal tags only the leaf's first record can tell.
        let below = self.tags.partition_point(|&first| first < tag);
        let before = match self.tags.get(below) == Some(&tag) {
            false => 0,
            true => {
                let equal = self.tags[below..].partition_point(|&first| first == tag);
                self.leaves[below..below + equal].partition_point(|leaf| leaf[0].is_before(edge))
            }
        };
        let Some(leaf) = (below + before).checked_sub(1) else { return Slot { leaf: 0, slot: 0 } };
        self.normal(Slot { leaf, slot: seek_in(&self.leaves[leaf], tag, edge) })
    }

    /// The records of a span, in order or in reverse.
    pub(crate) fn between(&self, span: Span<'_>, reverse: bool) -> Source<'_> {
        let only = span.only_tag();
        if only.is_some_and(|tag| !self.seen.may_contain(tag)) {
            return Source::default();
        }
        let from = self.seek(span.from.tag, span.from.edge);
        if let (Some(tag), Some(leaf)) = (only, self.leaves.get(from.leaf)) {
            let rest = &leaf[from.slot..];
            let run = tag_run(rest, tag);
            // The tag's records end in this leaf, as they nearly always do: no need to look for their end.
            if run.len() < rest.len() {
                return Source::of_run(&run[..place_in(run, span.to.edge)]);
            }
        }
        let to = self.seek(span.to.tag, span.to.edge);
        if from >= to {
            return Source::default();
        }
        if from.leaf == to.leaf {
            return Source::of_run(&self.leaves[from.leaf][from.slot..to.slot]);
        }
        let last = self.leaves.get(to.leaf).map_or(&[][..], |leaf| &leaf[..to.slot]);
        Source::of_runs(&self.leaves[from.leaf][from.slot..], &self.leaves[from.leaf + 1..to.leaf], last, reverse)
    }

    /// Heap bytes of the leaves.
    pub(crate) fn leaf_bytes(&self) -> usize {
        self.leaves.capacity() * size_of::<Vec<Record>>() + self.leaf_slots * size_of::<Record>()
    }

    /// Heap bytes of what finds a leaf.
    pub(crate) fn index_bytes(&self) -> usize {
        self.seen.0.capacity() * size_of::<u64>() + self.tags.capacity() * size_of::<Tag>()
    }

    fn normal(&self, at: Slot) -> Slot {
        match self.leaves.get(at.leaf) {
            Some(leaf) if at.slot >= leaf.len() => Slot { leaf: at.leaf + 1, slot: 0 },
            _ => at,
        }
    }

    /// The leaf that holds the key, or would: the last that begins no later, or the first.
    #[inline]
    fn leaf_of(&self, tag: Tag, key: KeyRef<'_>) -> usize {
        let below = self.tags.partition_point(|&first| first < tag);
        let upto = match self.tags.get(below) == Some(&tag) {
            false => below,
            true => below + Self::leaves_upto(&self.tags[below..], &self.leaves[below..], tag, key),
        };
        upto.saturating_sub(1)
    }

    /// How many of these leaves begin with the tag and no later than the key.
    #[cold]
    fn leaves_upto(tags: &[Tag], leaves: &[Vec<Record>], tag: Tag, key: KeyRef<'_>) -> usize {
        let equal = tags.partition_point(|&first| first == tag);
        let edge = Edge::Partition(key.pk(), SortEdge::After(key.sk()));
        leaves[..equal].partition_point(|leaf| leaf[0].is_before(edge))
    }

    /// Where the record with this key is, or where it belongs; there must be a leaf. The slot may be its leaf's end.
    #[inline]
    fn place_of(&self, tag: Tag, key: KeyRef<'_>) -> (Slot, bool) {
        let leaf = self.leaf_of(tag, key);
        let records = &self.leaves[leaf];
        let below = records.partition_point(|record| record.tag() < tag);
        if records.get(below).is_none_or(|record| record.tag() != tag) {
            return (Slot { leaf, slot: below }, false);
        }
        let run = tag_run(&records[below..], tag);
        let at = place_in(run, Edge::Partition(key.pk(), SortEdge::Before(key.sk())));
        let is_present = run.get(at).is_some_and(|record| record.has_key(key));
        (Slot { leaf, slot: below + at }, is_present)
    }

    fn insert_first(&mut self, record: Record) {
        self.tags.push(record.tag());
        let leaf = vec![record];
        self.leaf_slots = leaf.capacity();
        self.leaves.push(leaf);
        self.len = 1;
    }

    fn insert_at(&mut self, at: Slot, record: Record) {
        let Slot { leaf: mut index, mut slot } = at;
        if self.leaves[index].len() == LEAF_MAX {
            self.split(index);
            if slot > LEAF_MAX / 2 {
                (index, slot) = (index + 1, slot - LEAF_MAX / 2);
            }
        }
        let leaf = &mut self.leaves[index];
        let slots = leaf.capacity();
        leaf.insert(slot, record);
        self.leaf_slots += leaf.capacity() - slots;
        self.tags[index] = leaf[0].tag();
    }

    /// Moves the upper half of a leaf into one of its own.
    fn split(&mut self, index: usize) {
        let mut upper = Vec::with_capacity(LEAF_MAX);
        upper.extend(self.leaves[index].drain(LEAF_MAX / 2..));
        self.leaf_slots += upper.capacity();
        self.tags.insert(index + 1, upper[0].tag());
        self.leaves.insert(index + 1, upper);
        if self.seen.is_empty() {
            self.leaves.iter().flatten().for_each(|record| self.seen.insert(record.tag()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::Merge;
    use crate::span::StripeEdge;

    fn key(pk: &str) -> KeyRef<'_> {
        KeyRef::new(pk.as_bytes(), b"").expect("valid key")
    }

    fn put(memtable: &mut Memtable, pk: &str, sk: &str, body: &[u8]) -> Option<Record> {
        memtable.insert(Record::put(KeyRef::new(pk.as_bytes(), sk.as_bytes()).expect("valid key"), body))
    }

    #[test]
    fn records_of_many_leaves_are_found_in_order_and_removed() {
        let mut memtable = Memtable::default();
        for i in 0..1000 {
            assert!(put(&mut memtable, &format!("pk{}", i * 7 % 1000), "", b"").is_none());
        }
        assert_eq!(memtable.len(), 1000);
        assert!(memtable.leaves.len() > 1000 / LEAF_MAX);
        for i in 0..1000 {
            let pk = format!("pk{i}");
            assert_eq!(memtable.get(key(&pk).route().tag, key(&pk)).expect("present").pk(), pk.as_bytes());
        }
        for i in (0..1000).step_by(2) {
            let pk = format!("pk{i}");
            assert!(memtable.remove(key(&pk).route().tag, key(&pk)).is_some());
            assert!(memtable.remove(key(&pk).route().tag, key(&pk)).is_none());
        }
        let records = memtable.into_run().records;
        assert_eq!(records.len(), 500);
        assert!(records.windows(2).all(|pair| pair[0].order(&pair[1]).is_lt()));
    }

    #[test]
    fn one_wide_partition_spans_leaves_and_is_read_both_ways() {
        let mut memtable = Memtable::default();
        for i in 0..500 {
            put(&mut memtable, "wide", &format!("{:03}", i * 3 % 500), b"");
        }
        let tag = key("wide").route().tag;
        let read = |from: SortEdge<'_>, to: SortEdge<'_>, reverse| -> Vec<String> {
            let place = |edge| StripeEdge { tag, edge: Edge::Partition(b"wide", edge) };
            let span = Span { from: place(from), to: place(to) };
            let source = memtable.between(span, reverse);
            let merge = Merge::of([source], reverse, true);
            merge.map(|record| String::from_utf8_lossy(record.sk()).into_owned()).collect()
        };
        for (from, to) in [(100, 400), (0, 500), (0, 1), (7, 7), (250, 260), (480, 500)] {
            let sks = [format!("{from:03}"), format!("{to:03}")];
            let [low, high] = [SortEdge::Before(sks[0].as_bytes()), SortEdge::Before(sks[1].as_bytes())];
            let mut expected: Vec<String> = (from..to).map(|i| format!("{i:03}")).collect();
            assert_eq!(read(low, high, false), expected);
            expected.reverse();
            assert_eq!(read(low, high, true), expected);
        }
        assert_eq!(read(SortEdge::Start, SortEdge::End, true).len(), 500);
        assert_eq!(read(SortEdge::Before(b"3"), SortEdge::Before(b"2"), false).len(), 0);
    }

    #[test]
    fn replacing_returns_the_older_version_and_counts_bytes_once() {
        let mut memtable = Memtable::default();
        put(&mut memtable, "a", "1", b"short");
        let bytes = memtable.weight().bytes;
        let old = put(&mut memtable, "a", "1", b"longer!").expect("replaced");
        assert_eq!(old.body(), b"short");
        assert_eq!((memtable.len(), memtable.weight().bytes), (1, bytes + 2));
        memtable.remove(old.tag(), KeyRef::new(b"a", b"1").expect("valid key"));
        assert_eq!((memtable.len(), memtable.weight().bytes, memtable.leaves.len()), (0, 0, 0));
    }

    #[test]
    fn seek_past_everything_is_the_end() {
        let mut memtable = Memtable::default();
        assert_eq!(memtable.seek(Tag::FIRST, Edge::TagStart), Slot { leaf: 0, slot: 0 });
        put(&mut memtable, "a", "", b"");
        assert_eq!(memtable.seek(Tag(u16::MAX), Edge::TagEnd), Slot { leaf: 1, slot: 0 });
    }
}
