//! Which items of a stripe to evict: the second-chance queue, also known as CLOCK.
//!
//! ```text
//! oldest ► [ a ][ b•][ c ][ d•] ◄ written last       • read since it was looked at
//!            │    └──► loses its mark and goes to the end, as if it were written now
//!            └──► evicted
//! ```
//!
//! A write puts its item at the end, a read sets one bit in the record and moves nothing. Who looks for a victim starts
//! with the oldest: an item that was read since it was last looked at gets a second chance. Each entry is moved once for
//! each time it was read at least once, so finding a victim is O(1) amortised. That approximates LRU, and needs neither
//! a lock nor a list on the way of a read: F. J. Corbató, "A Paging Experiment with the Multics System" (1968).
//!
//! The queue holds handles, also of versions that are no longer current; they are dropped before they pin more than an
//! eighth of the tree. It can always be made anew from the tree, oldest write first, and is made when it is first needed.
//!
//! Not synchronised: the stripe's lock guards it.

use std::collections::VecDeque;

use crate::record::{Record, SeqNo};

/// Versions that are no longer current may pin this much, and an eighth of what is current.
const SUPERSEDED_SLACK_BYTES: usize = 512;

#[derive(Default)]
pub(crate) struct SecondChance {
    queue: VecDeque<Entry>,
    /// Bytes of entries that are known to be superseded, at most.
    superseded_bytes: usize,
}

struct Entry {
    /// When it was put at the end.
    since: SeqNo,
    record: Record,
}

impl SecondChance {
    /// The queue of these items, by age.
    pub(crate) fn over<'a>(items: impl Iterator<Item = &'a Record>) -> Self {
        let mut entries: Vec<Entry> = items.map(|item| Entry { since: item.seq(), record: item.clone() }).collect();
        entries.sort_unstable_by_key(|entry| entry.since);
        Self { queue: entries.into(), superseded_bytes: 0 }
    }

    /// Adds an item that was just written.
    pub(crate) fn push(&mut self, record: Record) {
        if self.queue.len() == self.queue.capacity() {
            self.queue.reserve_exact(spare(self.queue.len()));
        }
        self.queue.push_back(Entry { since: record.seq(), record });
    }

    /// Since when the oldest entry is where it is.
    pub(crate) fn oldest(&self) -> Option<SeqNo> {
        self.queue.front().map(|entry| entry.since)
    }

    /// Takes out the items to evict next, at least so many bytes of them or all there are.
    pub(crate) fn take_victims(
        &mut self,
        bytes: usize,
        now: SeqNo,
        is_current: impl Fn(&Record) -> bool,
    ) -> Vec<Record> {
        let mut victims = Vec::new();
        let (mut taken, mut chances) = (0, self.queue.len());
        while taken < bytes
            && let Some(entry) = self.queue.pop_front()
        {
            if !is_current(&entry.record) {
                self.superseded_bytes = self.superseded_bytes.saturating_sub(entry.record.footprint());
            } else if chances > 0 && entry.record.take_used() {
                chances -= 1;
                self.queue.push_back(Entry { since: now, ..entry });
            } else {
                taken += entry.record.footprint();
                victims.push(entry.record);
            }
        }
        victims
    }

    /// Notes that versions of so many bytes are no longer current; whether they pin too much beside so many bytes.
    pub(crate) fn note_superseded(&mut self, bytes: usize, current_bytes: usize) -> bool {
        self.superseded_bytes += bytes;
        self.superseded_bytes > SUPERSEDED_SLACK_BYTES + current_bytes / 8
    }

    /// Drops what is not current any more.
    pub(crate) fn purge(&mut self, is_current: impl Fn(&Record) -> bool) {
        self.queue.retain(|entry| is_current(&entry.record));
        self.queue.shrink_to(self.queue.len() + spare(self.queue.len()));
        self.superseded_bytes = 0;
    }

    /// Bytes that nothing else holds.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.queue.capacity() * size_of::<Entry>() + self.superseded_bytes
    }
}

impl SecondChance {
    /// Bytes that nothing else holds, with the room that the next items will take: what a limit counts, so that a queue
    /// that grows does not pass it.
    pub(crate) fn charged_bytes(&self) -> usize {
        self.bytes().max(Self::bytes_of(self.queue.len()) + self.superseded_bytes)
    }

    /// What a queue of so many items takes at most.
    pub(crate) fn bytes_of(items: usize) -> usize {
        size_of::<Self>() + (items + spare(items)) * size_of::<Entry>()
    }
}

/// How much room a queue of so many items keeps free: not as much again, since it is memory all the same.
fn spare(items: usize) -> usize {
    items / 16 + 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    fn item(pk: &str, seq: u64) -> Record {
        let mut record = Record::put(KeyRef::new(pk.as_bytes(), b"").expect("valid key"), b"body");
        record.set_seq(SeqNo(seq));
        record
    }

    fn pks(records: &[Record]) -> Vec<&[u8]> {
        records.iter().map(Record::pk).collect()
    }

    #[test]
    fn the_oldest_goes_first_and_what_was_read_gets_a_second_chance() {
        let [a, b, c] = [item("a", 1), item("b", 2), item("c", 3)];
        let mut queue = SecondChance::over([&c, &a, &b].into_iter());
        a.mark_used();
        assert_eq!(queue.oldest(), Some(SeqNo(1)));
        assert_eq!(pks(&queue.take_victims(1, SeqNo(9), |_| true)), [b"b"]);
        assert_eq!(pks(&queue.take_victims(1, SeqNo(9), |_| true)), [b"c"]);
        assert_eq!(queue.oldest(), Some(SeqNo(9)));
        assert_eq!(pks(&queue.take_victims(1, SeqNo(9), |_| true)), [b"a"]);
        assert!(queue.take_victims(1, SeqNo(9), |_| true).is_empty());
    }

    #[test]
    fn where_everything_was_read_the_oldest_goes_after_one_round() {
        let items: Vec<Record> = (0..10).map(|i| item(&format!("{i}"), i)).collect();
        let mut queue = SecondChance::over(items.iter());
        items.iter().for_each(Record::mark_used);
        assert_eq!(pks(&queue.take_victims(1, SeqNo(50), |_| true)), [b"0"]);
    }

    #[test]
    fn versions_that_are_not_current_are_passed_over_and_purged() {
        let [old, new, other] = [item("a", 1), item("a", 3), item("b", 2)];
        let mut queue = SecondChance::default();
        for record in [&old, &other, &new] {
            queue.push(record.clone());
        }
        assert!(!queue.note_superseded(SUPERSEDED_SLACK_BYTES, 0));
        assert!(queue.note_superseded(old.footprint(), 0));
        queue.purge(|record| !record.same(&old));
        assert_eq!((queue.queue.len(), queue.oldest()), (2, Some(SeqNo(2))));
        queue.push(old.clone());
        assert_eq!(queue.take_victims(usize::MAX, SeqNo(9), |record| !record.same(&old)).len(), 2);
        assert_eq!(queue.queue.len(), 0);
    }
}
