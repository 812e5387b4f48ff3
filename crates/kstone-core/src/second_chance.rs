//! Which items of a stripe to evict: the second-chance queue, also known as CLOCK.
//!
//! ```text
//! oldest ► [ a ][ b•][ c ][ d•] ◄ written last       • read since it was looked at
//!            │    └──► loses its mark and goes to the end, as if it were written now
//!            └──► evicted
//! ```
//!
//! A write puts its item at the end, a read sets one bit in the record and moves nothing. A search for a victim starts
//! with the oldest: an item that was read since it was last looked at gets a second chance, one in each search. A queue in
//! which nobody is left without one gives nobody: the search goes on in other stripes, whose items are older by then, and
//! where it comes back it takes the oldest. Each entry is moved once
//! for each time it was read at least once, so finding a victim is O(1) amortised. That approximates LRU, and needs
//! neither a lock nor a list on the way of a read: F. J. Corbató, "A Paging Experiment with the Multics System" (1968).
//!
//! The queue holds handles, also of versions that are no longer current. Once those pin more than an eighth of the tree
//! a round begins that drops them, some with each change of the stripe. Where a tree came ready-made, of a fork or a
//! snapshot, the queue is made of it when it is first needed: its SSTs say about which items are older.
//!
//! Forks share records, so whether a version is current only a look into the tree can say, which is dear. What a tree
//! releases is marked, and a round looks up only what is marked: everything else the tree itself still holds.
//!
//! Not synchronised: the stripe's lock guards it.

use std::collections::VecDeque;

use crate::record::{Record, SeqNo};

/// Versions that are no longer current may pin this much, and an eighth of what is current.
const RELEASED_SLACK_BYTES: usize = 512;
/// How many entries a round looks at with each change of the stripe.
const ROUND_STEP: usize = 32;

#[derive(Default)]
pub(crate) struct SecondChance {
    queue: VecDeque<Queued>,
    /// Bytes of entries that the tree has released, at most.
    released_bytes: usize,
    /// Bytes of victims that the tree will release: they are not in the queue any more.
    victim_bytes: usize,
    round: Option<Round>,
}

struct Queued {
    /// When it was put at the end.
    since: SeqNo,
    /// None where a round has dropped it.
    record: Option<Record>,
}

/// A round over the queue that drops what is not current any more.
struct Round {
    /// How many entries it has looked at.
    seen: usize,
    /// Bytes that the tree has released since it began.
    released_bytes: usize,
}

impl SecondChance {
    /// The queue of these items, oldest first. When each was written is not known: they are taken to be spread evenly
    /// up to now, so that no stripe's seem older than another's.
    pub(crate) fn over<'a>(items: impl Iterator<Item = &'a Record>, now: SeqNo) -> Self {
        let records: Vec<&Record> = items.collect();
        let since = |place: usize| (u128::from(now.0) * place as u128 / records.len() as u128) as u64;
        let entry =
            |(at, record): (usize, &&Record)| Queued { since: SeqNo(since(at + 1)), record: Some((*record).clone()) };
        Self { queue: records.iter().enumerate().map(entry).collect(), ..Self::default() }
    }

    /// Adds an item that is being written.
    pub(crate) fn push(&mut self, record: Record, since: SeqNo) {
        if self.queue.len() == self.queue.capacity() {
            self.queue.reserve_exact(spare(self.queue.len()));
        }
        self.queue.push_back(Queued { since, record: Some(record) });
    }

    /// Since when the oldest entry is where it is.
    pub(crate) fn oldest(&self) -> Option<SeqNo> {
        self.queue.front().map(|entry| entry.since)
    }

    /// Takes out the items to evict next, at least so many bytes of them or all that have had their chance: one that was
    /// read since it was put where it is gets it, unless that was in this search, whose number `search` is. So a search
    /// that comes back to a queue finds somebody there.
    pub(crate) fn take_victims(
        &mut self,
        bytes: usize,
        (search, now): (SeqNo, SeqNo),
        is_current: impl Fn(&Record) -> bool,
    ) -> Vec<Record> {
        let mut victims = Vec::new();
        let (mut taken, mut passed) = (0, 0);
        for _ in 0..self.queue.len() {
            if taken >= bytes {
                break;
            }
            let Some(Queued { since, record }) = self.queue.pop_front() else { break };
            passed += 1;
            let Some(record) = record else { continue };
            if !is_current(&record) {
                self.released_bytes = self.released_bytes.saturating_sub(record.footprint());
            } else if since < search && record.take_used() {
                self.queue.push_back(Queued { since: now, record: Some(record) });
            } else {
                taken += record.footprint();
                victims.push(record);
            }
        }
        if let Some(round) = &mut self.round {
            round.seen = round.seen.saturating_sub(passed);
        }
        self.victim_bytes += taken;
        self.fit();
        victims
    }

    /// Notes what the tree has released, and how many bytes it holds. Begins a round where that pins too much.
    pub(crate) fn note_released<'a>(&mut self, items: impl Iterator<Item = &'a Record>, tree_bytes: usize) {
        let bytes: usize = items.inspect(|item| item.mark_released()).map(Record::footprint).sum();
        let of_victims = bytes.min(self.victim_bytes);
        self.victim_bytes -= of_victims;
        if self.queue.is_empty() {
            return;
        }
        let bytes = bytes - of_victims;
        self.released_bytes += bytes;
        match &mut self.round {
            Some(round) => round.released_bytes += bytes,
            None if self.released_bytes > RELEASED_SLACK_BYTES + tree_bytes / 8 => {
                self.round = Some(Round { seen: 0, released_bytes: 0 });
            }
            None => {}
        }
    }

    /// Goes on with the round, if there is one: drops some of what is not current any more.
    pub(crate) fn purge_some(&mut self, is_current: impl Fn(&Record) -> bool) {
        let Some(round) = &mut self.round else { return };
        let seen = self.queue.len().min(round.seen + ROUND_STEP);
        for entry in self.queue.range_mut(round.seen..seen) {
            entry.record.take_if(|record| record.is_released() && !is_current(record));
        }
        round.seen = seen;
        if seen < self.queue.len() {
            return;
        }
        self.released_bytes = round.released_bytes;
        self.round = None;
        self.queue.retain(|entry| entry.record.is_some());
        self.fit();
    }

    /// Drops all that is not current any more.
    pub(crate) fn purge(&mut self, is_current: impl Fn(&Record) -> bool) {
        self.round = Some(Round { seen: 0, released_bytes: 0 });
        while self.round.is_some() {
            self.purge_some(&is_current);
        }
    }

    /// Bytes that nothing else holds.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.queue.capacity() * size_of::<Queued>() + self.released_bytes
    }

    /// Bytes that nothing else holds, with the space that the next items will take: what a limit counts, so that a
    /// queue that grows does not pass it.
    pub(crate) fn charged_bytes(&self) -> usize {
        self.bytes().max(Self::bytes_of(self.queue.len()) + self.released_bytes)
    }

    /// What a queue of so many items takes at most.
    pub(crate) fn bytes_of(items: usize) -> usize {
        size_of::<Self>() + (items + spare(items)) * size_of::<Queued>()
    }

    /// Gives back what a queue that has become shorter does not need.
    fn fit(&mut self) {
        let (len, capacity) = (self.queue.len(), self.queue.capacity());
        if len == 0 {
            (self.released_bytes, self.round) = (0, None);
        }
        if capacity > len + len / 4 + spare(len) {
            self.queue.shrink_to(len + spare(len));
        }
    }
}

const _: () = assert!(size_of::<Queued>() == 16, "an entry is two words");

/// How much space a queue of so many items keeps free: not as much again, since it is memory all the same.
fn spare(items: usize) -> usize {
    items / 16 + 4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    fn item(pk: &str) -> Record {
        Record::put(KeyRef::new(pk.as_bytes(), b"").expect("valid key"), b"body")
    }

    /// A thousand items, or ten, whose keys tell their places.
    fn items(count: usize) -> Vec<Record> {
        (0..count).map(|i| item(&format!("{i}"))).collect()
    }

    fn place(record: &Record) -> usize {
        String::from_utf8_lossy(record.pk()).parse().expect("a number")
    }

    fn pks(records: &[Record]) -> Vec<&[u8]> {
        records.iter().map(Record::pk).collect()
    }

    /// A search that begins at this moment.
    fn at(now: u64) -> (SeqNo, SeqNo) {
        (SeqNo(now), SeqNo(now))
    }

    #[test]
    fn the_oldest_goes_first_and_what_was_read_gets_a_second_chance() {
        let [a, b, c] = [item("a"), item("b"), item("c")];
        let mut queue = SecondChance::over([&a, &b, &c].into_iter(), SeqNo(3));
        a.mark_used();
        assert_eq!(queue.oldest(), Some(SeqNo(1)));
        assert_eq!(pks(&queue.take_victims(1, at(9), |_| true)), [b"b"]);
        assert_eq!(pks(&queue.take_victims(1, at(9), |_| true)), [b"c"]);
        assert_eq!(queue.oldest(), Some(SeqNo(9)));
        assert_eq!(pks(&queue.take_victims(1, at(9), |_| true)), [b"a"]);
        assert!(queue.take_victims(1, at(9), |_| true).is_empty());
    }

    #[test]
    fn a_read_gives_one_chance_and_no_more() {
        let [a, b, c] = [item("a"), item("b"), item("c")];
        let mut queue = SecondChance::over([&a, &b].into_iter(), SeqNo(2));
        a.mark_used();
        assert_eq!(pks(&queue.take_victims(1, at(2), |_| true)), [b"b"]);
        queue.push(c, SeqNo(3));
        assert_eq!(pks(&queue.take_victims(1, at(3), |_| true)), [b"a"], "nobody has read it since");
    }

    #[test]
    fn where_everything_was_read_all_wait_anew_and_the_oldest_goes_when_the_search_comes_back() {
        for number in [1, 10] {
            let items = items(number);
            let mut queue = SecondChance::over(items.iter(), SeqNo(10));
            items.iter().for_each(Record::mark_used);
            assert!(queue.take_victims(1, at(50), |_| true).is_empty());
            assert_eq!(queue.oldest(), Some(SeqNo(50)), "older ones of other stripes go first");
            items.iter().for_each(Record::mark_used);
            assert_eq!(pks(&queue.take_victims(1, at(50), |_| true)), [b"0"]);
        }
    }

    #[test]
    fn versions_that_are_not_current_are_passed_over_and_purged() {
        let [old, new, other] = [item("a"), item("a"), item("b")];
        let mut queue = SecondChance::default();
        for (since, record) in (1..).zip([&old, &other, &new]) {
            queue.push(record.clone(), SeqNo(since));
        }
        queue.note_released([&old].into_iter(), usize::MAX);
        assert!(queue.round.is_none());
        queue.note_released([].into_iter(), 0);
        assert!(queue.round.is_none(), "that little may be pinned");
        queue.purge(|record| !record.same(&old));
        assert_eq!((queue.queue.len(), queue.oldest(), queue.released_bytes), (2, Some(SeqNo(2)), 0));
        queue.push(old.clone(), SeqNo(4));
        assert_eq!(queue.take_victims(usize::MAX, at(9), |record| !record.same(&old)).len(), 2);
        assert_eq!(queue.queue.len(), 0);
    }

    #[test]
    fn what_another_tree_released_stays_where_it_is_current() {
        let items = items(10);
        let mut queue = SecondChance::over(items.iter(), SeqNo(100));
        items.iter().for_each(Record::mark_released);
        queue.purge(|record| place(record) > 4);
        assert_eq!((queue.queue.len(), queue.oldest()), (5, Some(SeqNo(60))));
    }

    #[test]
    fn a_round_takes_a_few_steps_at_a_time_and_frees_all_that_was_released_before_it() {
        let items = items(1000);
        let mut queue = SecondChance::over(items.iter(), SeqNo(1000));
        let looked_up = std::cell::Cell::new(0);
        let is_current = |record: &Record| {
            looked_up.set(looked_up.get() + 1);
            place(record) >= 500
        };
        queue.note_released(items[..500].iter(), 0);
        let mut steps = 0;
        while queue.round.is_some() {
            let before = looked_up.get();
            queue.purge_some(is_current);
            steps += 1;
            assert!(looked_up.get() - before <= ROUND_STEP);
            if steps == 3 {
                // Victims are taken and items are written and released meanwhile.
                let victims = queue.take_victims(1, at(2000), |record| place(record) >= 500);
                assert_eq!(pks(&victims), [b"500"]);
                queue.note_released(victims.iter(), 0);
                queue.push(item("3000"), SeqNo(3000));
                queue.note_released(items[900..910].iter(), 0);
            }
        }
        assert_eq!((queue.queue.len(), queue.released_bytes), (500, 10 * items[900].footprint()));
        assert!(queue.queue.capacity() <= 500 + 500 / 4 + spare(500));
        assert!(items[..500].iter().all(|item| !queue.queue.iter().flat_map(|e| &e.record).any(|r| r.same(item))));
    }
}
