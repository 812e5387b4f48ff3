//! The memtable: the log of a stripe, which is put in order when it is read in order.
//!
//! ```text
//! log   [ a  d  k  m  q │ c  x  b ]
//!         in order        as they were written
//! ```
//!
//! A write appends; a look-up of one key does not come here (`live_index.rs`). A flush, and a query or a scan that meets
//! what is not in order, sorts it: by tags, which stand in the handles, so that records are touched only where those are
//! equal.
//!
//! # Invariants
//! - Of a key there is at most one version that is no tombstone; of several the one written last counts.
//!
//! Owned by a stripe, guarded by its lock.

use crate::memory_wal::WalSegment;
use crate::record::Record;
use crate::run::{Hidden, Run, keep_newest, sort};
use crate::search::{asked_tag_run, between, position_of, seek_in};
use crate::span::Span;

/// So few records that are not in order are put in their places one by one.
const FEW: usize = 8;
/// More records that are not in order are sorted before one of them is looked for, by its key or by its partition.
const UNORDERED_MAX: usize = 64;

#[derive(Default)]
pub(crate) struct Memtable {
    log: WalSegment,
    /// How many of the first are in order, each key once.
    ordered: usize,
    bytes: usize,
}

impl Memtable {
    /// An empty one whose log goes on with the numbers of this.
    pub(crate) fn following(&self) -> Self {
        Self { log: self.log.following(), ..Self::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many records it holds, tombstones included.
    pub(crate) fn len(&self) -> usize {
        self.records().len()
    }

    /// The records; in order where [`Memtable::put_in_order`] was called since the last write.
    pub(crate) fn records(&self) -> &[Record] {
        self.log.records()
    }

    /// Bytes of the records.
    pub(crate) fn record_bytes(&self) -> usize {
        self.bytes
    }

    /// Heap bytes of the handles.
    pub(crate) fn handle_bytes(&self) -> usize {
        self.log.handle_bytes()
    }

    /// Adds the newest version of its key.
    pub(crate) fn append(&mut self, record: Record) {
        let bytes = record.footprint();
        self.append_weighed(record, bytes);
    }

    /// The same of a record whose footprint is known.
    #[inline(always)]
    pub(crate) fn append_weighed(&mut self, record: Record, bytes: usize) {
        self.bytes += bytes;
        self.log.append(record);
    }

    /// Puts a newer version of a key in the place of this record, which is returned; or returns the newer one where the
    /// record is not here.
    pub(crate) fn exchange(&mut self, old: &Record, new: Record) -> Result<Record, Record> {
        let records = self.log.records_mut();
        let (ordered, unordered) = records.split_at(self.ordered);
        let at = position_of(ordered, old)
            .or_else(|| Some(self.ordered + unordered.iter().rposition(|record| record.same(old))?));
        let Some(at) = at else { return Err(new) };
        self.bytes = self.bytes + new.footprint() - old.footprint();
        Ok(std::mem::replace(&mut records[at], new))
    }

    /// Whether so much is not in order that a record is found sooner once it is.
    pub(crate) fn has_much_unordered(&self) -> bool {
        self.len() - self.ordered > UNORDERED_MAX
    }

    /// Whether [`Memtable::between`] may be asked for this span: all of its records are in order. Of many that are not
    /// it says no without a look, so that their first reader sorts them and none of those that follow looks through them.
    pub(crate) fn is_in_order(&self, span: Span<'_>) -> bool {
        let unordered = &self.records()[self.ordered..];
        match span.only_tag() {
            Some(tag) => !self.has_much_unordered() && unordered.iter().all(|record| record.tag() != tag),
            None => unordered.is_empty(),
        }
    }

    /// Whether that is so for every span.
    pub(crate) fn is_all_in_order(&self) -> bool {
        self.ordered == self.len()
    }

    /// Puts all in order; tombstones that newer versions hide go, and are returned.
    pub(crate) fn put_in_order(&mut self) -> Vec<Record> {
        let mut hidden = Vec::new();
        let records = self.log.records_mut();
        if records.len() - self.ordered > FEW {
            if sort(records) {
                hidden = keep_newest(records);
            }
            self.ordered = records.len();
        }
        while self.ordered < records.len() {
            let (before, rest) = records.split_at_mut(self.ordered);
            let place = before.partition_point(|record| record.order(&rest[0]).is_lt());
            if before.get(place).is_some_and(|record| record.order(&rest[0]).is_eq()) {
                let newer = records.remove(self.ordered);
                hidden.push(std::mem::replace(&mut records[place], newer));
            } else {
                records[place..=self.ordered].rotate_right(1);
                self.ordered += 1;
            }
        }
        self.bytes -= Hidden::of(&hidden).bytes;
        hidden
    }

    /// Takes the tombstones out, for a tree where they have nothing to hide.
    pub(crate) fn take_tombstones(&mut self) -> Vec<Record> {
        let records = self.log.records_mut();
        let mut ordered = self.ordered;
        let mut at = 0;
        let is_tombstone = |record: &mut Record| {
            let goes = record.is_tombstone();
            ordered -= usize::from(goes && at < self.ordered);
            at += 1;
            goes
        };
        let taken: Vec<Record> = records.extract_if(.., is_tombstone).collect();
        self.ordered = ordered;
        self.bytes -= Hidden::of(&taken).bytes;
        self.log.fit();
        taken
    }

    /// All records, in order or as they were written; the memtable is empty then.
    pub(crate) fn take_run(&mut self) -> Run {
        let is_as_written = !self.is_all_in_order();
        self.ordered = 0;
        Run { bytes: std::mem::take(&mut self.bytes), records: self.log.clear(), is_as_written }
    }

    /// All records, which are in order, each counted once more.
    pub(crate) fn to_run(&self) -> Run {
        debug_assert!(self.ordered == self.len(), "a run is made of what is in order");
        Run { bytes: self.bytes, records: self.records().to_vec(), is_as_written: false }
    }

    /// The records of a span that are in order.
    pub(crate) fn between(&self, span: Span<'_>) -> &[Record] {
        debug_assert!(self.is_in_order(span), "what is not in order would be missing");
        let ordered = &self.records()[..self.ordered];
        let Some(tag) = span.only_tag() else {
            let from = seek_in(ordered, span.from.tag, span.from.edge);
            let to = from + seek_in(&ordered[from..], span.to.tag, span.to.edge);
            return &ordered[from..to];
        };
        let below = ordered.partition_point(|record| record.tag() < tag);
        between(asked_tag_run(&ordered[below..], tag), span.from.edge, span.to.edge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Edge, KeyRef, SortEdge};
    use crate::merge::Merge;
    use crate::source::Source;
    use crate::span::StripeEdge;

    fn record(pk: &str, sk: &str, body: &[u8]) -> Record {
        Record::put(KeyRef::new(pk.as_bytes(), sk.as_bytes()).expect("valid key"), body)
    }

    fn span<'a>(pk: &'a str, from: SortEdge<'a>, to: SortEdge<'a>) -> Span<'a> {
        let tag = KeyRef::new(pk.as_bytes(), b"").expect("valid key").route().tag;
        let place = |edge| StripeEdge { tag, edge: Edge::Partition(pk.as_bytes(), edge) };
        Span { from: place(from), to: place(to) }
    }

    #[test]
    fn what_was_appended_in_any_order_is_read_in_order_both_ways() {
        for (count, few) in [(500, 500), (500, 5), (20, 1)] {
            let mut memtable = Memtable::default();
            let sk = |i: usize| format!("{:03}", i * 3 % 500);
            for i in 0..count {
                memtable.append(record("wide", &sk(i), b""));
                memtable.append(record(&format!("pk{i}"), "", b""));
                if i % few == few - 1 {
                    assert!(memtable.put_in_order().is_empty());
                }
            }
            assert!(memtable.is_in_order(span("wide", SortEdge::Start, SortEdge::End)));
            assert!(memtable.records().windows(2).all(|pair| pair[0].order(&pair[1]).is_lt()));
            assert_eq!(memtable.record_bytes(), memtable.records().iter().map(Record::footprint).sum::<usize>());
            let mut all: Vec<String> = (0..count).map(sk).collect();
            all.sort();
            for (from, to) in [("100", "400"), ("000", "999"), ("007", "007"), ("250", "260")] {
                let range = span("wide", SortEdge::Before(from.as_bytes()), SortEdge::Before(to.as_bytes()));
                let mut expected: Vec<&str> =
                    all.iter().map(String::as_str).filter(|sk| (from..to).contains(sk)).collect();
                for reverse in [false, true] {
                    let mut merge = Merge::of([Source::of_run(memtable.between(range))], reverse, true);
                    let found: Vec<_> = merge
                        .live()
                        .into_iter()
                        .map(|record| String::from_utf8_lossy(record.sk()).into_owned())
                        .collect();
                    assert_eq!(found, expected);
                    expected.reverse();
                }
            }
        }
    }

    #[test]
    fn a_partition_is_in_order_whatever_was_written_to_others() {
        let mut memtable = Memtable::default();
        memtable.append(record("a", "2", b""));
        memtable.put_in_order();
        memtable.append(record("b", "", b""));
        assert!(memtable.is_in_order(span("a", SortEdge::Start, SortEdge::End)));
        assert!(!memtable.is_in_order(span("b", SortEdge::Start, SortEdge::End)));
        memtable.append(record("a", "1", b""));
        assert!(!memtable.is_in_order(span("a", SortEdge::Start, SortEdge::End)));
    }

    #[test]
    fn many_records_that_are_not_in_order_are_sorted_once_whichever_partition_is_read() {
        let mut memtable = Memtable::default();
        for i in 0..=UNORDERED_MAX {
            assert!(memtable.is_in_order(span("a", SortEdge::Start, SortEdge::End)), "a look at {i} is cheap");
            memtable.append(record(&format!("pk{i}"), "", b""));
        }
        assert!(!memtable.is_in_order(span("a", SortEdge::Start, SortEdge::End)));
        memtable.put_in_order();
        assert!(memtable.is_in_order(span("a", SortEdge::Start, SortEdge::End)));
    }

    #[test]
    fn of_a_key_that_was_deleted_and_put_again_the_last_version_stays() {
        for others in [0, 100] {
            let mut memtable = Memtable::default();
            let tombstone = Record::tombstone(KeyRef::new(b"a", b"").expect("valid key"));
            let newest = record("a", "", b"newest");
            memtable.append(tombstone.clone());
            if others == 0 {
                memtable.put_in_order();
            }
            (0..others).for_each(|i| memtable.append(record(&format!("pk{i}"), "", b"")));
            memtable.append(tombstone.clone());
            memtable.append(newest.clone());
            let hidden = memtable.put_in_order();
            assert!(hidden.len() == 2 && hidden.iter().all(|record| record.same(&tombstone)));
            assert_eq!(memtable.len(), others + 1);
            assert!(memtable.records().iter().any(|record| record.same(&newest)));
            assert_eq!(memtable.record_bytes(), memtable.records().iter().map(Record::footprint).sum::<usize>());
        }
    }

    #[test]
    fn a_version_takes_the_place_of_an_older_one_wherever_that_is() {
        let mut memtable = Memtable::default();
        let olds: Vec<Record> = (0..40).map(|i| record("wide", &format!("{i:02}"), b"old")).collect();
        olds[..20].iter().for_each(|old| memtable.append(old.clone()));
        memtable.put_in_order();
        olds[20..].iter().for_each(|old| memtable.append(old.clone()));
        for old in &olds {
            let new = record("wide", std::str::from_utf8(old.sk()).expect("text"), b"longer");
            assert!(memtable.exchange(old, new.clone()).is_ok_and(|gone| gone.same(old)));
            assert!(memtable.exchange(old, new.clone()).is_err_and(|refused| refused.same(&new)), "it is gone");
        }
        assert!(memtable.put_in_order().is_empty());
        assert!(memtable.len() == 40 && memtable.records().iter().all(|record| record.body() == b"longer"));
        assert_eq!(memtable.record_bytes(), memtable.records().iter().map(Record::footprint).sum::<usize>());
    }

    #[test]
    fn tombstones_are_taken_out_and_the_rest_stays_in_order() {
        let mut memtable = Memtable::default();
        for i in 0..30 {
            let pk = format!("pk{i}");
            let key = KeyRef::new(pk.as_bytes(), b"").expect("valid key");
            memtable.append(if i % 3 == 0 { Record::tombstone(key) } else { Record::put(key, b"") });
            if i == 20 {
                memtable.put_in_order();
            }
        }
        assert_eq!(memtable.take_tombstones().len(), 10);
        memtable.put_in_order();
        let run = memtable.take_run();
        assert!(run.records.len() == 20 && run.records.windows(2).all(|pair| pair[0].order(&pair[1]).is_lt()));
        assert_eq!((run.bytes, memtable.len(), memtable.record_bytes()), (Run::of(run.records).bytes, 0, 0));
    }
}
