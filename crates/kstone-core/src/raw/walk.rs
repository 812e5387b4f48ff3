//! A walk over what a cut holds, by handles that do not count.
//!
//! A count is an atomic addition when a record is met and another when it is done with: a tenth of a scan's time. A cut
//! holds its records anyway, for as long as the walk lives that owns it.
//!
//! # Invariants
//! - The handles of a batch are of records that `cut` holds. It is never given away, exchanged or changed: a tree that is
//!   shared does not change.
//!
//! Thread safety: as the cut's; whoever walks has it alone.

use std::mem::ManuallyDrop;
use std::ptr;

use crate::engine::{Cut, PageLimits, ScanRange, SortKeyRange};
use crate::key::Keyspace;
use crate::page_buffer::PageBuffer;
use crate::record::Record;

/// The records of a cut, batch by batch and one after another.
pub struct Walk {
    cut: Cut,
    batch: Vec<ManuallyDrop<Record>>,
    /// How many of the batch were passed, the current one included.
    passed: usize,
}

impl Walk {
    /// A walk over this cut that has no batch yet.
    pub fn over(cut: Cut) -> Self {
        Self { cut, batch: Vec::new(), passed: 0 }
    }

    /// Takes what [`Cut::query_in`] shows as the next batch; whether a limit ended it.
    pub fn query_in(
        &mut self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> bool {
        self.take(limits, |cut, page| cut.fill_query(page, keyspace, pk, range, reverse, uncounted))
    }

    /// Takes what [`Cut::scan`] shows as the next batch; whether a limit ended it.
    pub fn scan(&mut self, range: ScanRange<'_>, limits: PageLimits) -> bool {
        self.take(limits, |cut, page| cut.fill_scan(page, range, uncounted))
    }

    fn take(
        &mut self,
        limits: PageLimits,
        fill: impl FnOnce(&Cut, &mut PageBuffer<ManuallyDrop<Record>>) -> bool,
    ) -> bool {
        let mut batch = std::mem::take(&mut self.batch);
        batch.clear();
        let mut page = PageBuffer::within(batch, limits);
        let limited = fill(&self.cut, &mut page);
        (self.batch, self.passed) = (page.records, 0);
        limited
    }

    /// Whether the batch has no record behind the current one.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        self.passed == self.batch.len()
    }

    /// Goes on to the next record of the batch; false where there is none.
    #[inline]
    pub fn advance(&mut self) -> bool {
        let is_there = !self.is_at_end();
        self.passed += usize::from(is_there);
        is_there
    }

    /// The record that the walk has come to; none before the first of a batch.
    #[inline]
    pub fn current(&self) -> Option<&Record> {
        self.batch.get(self.passed.checked_sub(1)?).map(|record| &**record)
    }

    /// The last record of the batch.
    pub fn last_of_batch(&self) -> Option<&Record> {
        self.batch.last().map(|record| &**record)
    }
}

/// A handle that counts nothing when it is made or let go of.
#[inline]
fn uncounted(record: &Record) -> ManuallyDrop<Record> {
    // SAFETY: a handle is a pointer, which may be copied; the copy is never dropped, and is read only through `Walk`, while
    // the cut that it came from holds the record.
    ManuallyDrop::new(unsafe { ptr::read(record) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineOptions};
    use crate::key::KeyRef;

    const LIMITS: PageLimits = PageLimits { records: 7, bytes: usize::MAX };

    #[test]
    fn a_walk_shows_its_cut_whatever_becomes_of_the_engine_and_counts_nothing() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let key = |i: u32| i.to_be_bytes();
        for i in 0..10 {
            engine.put(KeyRef::new(b"p", &key(i)).expect("valid"), b"old").expect("put");
        }
        let mut walk = Walk::over(engine.cut().expect("cut"));
        assert!(walk.current().is_none() && walk.is_at_end() && !walk.advance());
        assert!(walk.scan(ScanRange::all(), LIMITS), "there are more than 7");
        for i in 0..10 {
            engine.put(KeyRef::new(b"p", &key(i)).expect("valid"), b"new").expect("put");
        }
        engine.compact().expect("compacted");
        engine.clear().expect("cleared");
        drop(engine);
        let mut kept = Vec::new();
        while walk.advance() {
            let record = walk.current().expect("there is one");
            assert_eq!((record.sk(), record.body()), (&key(kept.len() as u32)[..], &b"old"[..]));
            kept.push(record.clone());
        }
        assert!(kept.len() == 7 && walk.is_at_end() && walk.last_of_batch().is_some_and(|last| last.same(&kept[6])));
        let from = kept[6].sk().to_vec();
        let behind = (std::ops::Bound::Excluded(&from[..]), std::ops::Bound::Unbounded);
        assert!(!walk.query_in(Keyspace::Items, b"p", behind, false, LIMITS));
        let mut rest = 0;
        while walk.advance() {
            rest += 1;
        }
        assert_eq!(rest, 3);
        drop(walk);
        assert!(kept.iter().all(|record| record.body() == b"old"), "what was cloned counts, and is there still");
    }
}
