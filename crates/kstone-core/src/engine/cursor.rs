//! A cursor over what a point-in-time view shows, by borrowed records that count nothing.
//!
//! A count is an atomic addition when a record is met and another when it is done with: a tenth of a scan's time. The
//! view holds its records anyway, for as long as the cursor lives that owns it. Where a few records are all there is to
//! show, the cursor holds these instead: no stripe is shared then, and no writer has to make a tree of its own.
//!
//! Thread safety: as the view's; one thread at a time moves the cursor.

use self_cell::self_cell;

use super::{PageLimits, PointInTimeView, RecordPage, ScanRange, SortKeyRange};
use crate::key::Keyspace;
use crate::page_buffer::PageBuffer;
use crate::record::Record;

/// The records of a point-in-time view, batch by batch and one after another.
pub struct Cursor(Batches);

self_cell! {
    struct Batches {
        owner: Shown,
        #[covariant]
        dependent: Batch,
    }
}

/// What a cursor shows.
enum Shown {
    View(PointInTimeView),
    Page(RecordPage),
}

/// Records that were taken from the view at once.
#[derive(Default)]
struct Batch<'a> {
    records: Vec<&'a Record>,
    /// How many were passed, the current one included.
    passed: usize,
}

impl<'a> Batch<'a> {
    /// Takes other records in the place of these; whether a limit ended them.
    fn refill(&mut self, limits: PageLimits, fill: impl FnOnce(&mut PageBuffer<&'a Record>) -> bool) -> bool {
        let mut records = std::mem::take(&mut self.records);
        records.clear();
        let mut page = PageBuffer::within(records, limits);
        let limited = fill(&mut page);
        *self = Self { records: page.records, passed: 0 };
        limited
    }
}

impl Cursor {
    /// A cursor over this view that has no batch yet.
    pub fn over(view: PointInTimeView) -> Self {
        Self(Batches::new(Shown::View(view), |_| Batch::default()))
    }

    /// A cursor over the records of a page, its only batch.
    pub fn over_page(page: RecordPage) -> Self {
        Self(Batches::new(Shown::Page(page), |shown| match shown {
            Shown::Page(page) => Batch { records: page.records.iter().collect(), passed: 0 },
            Shown::View(_) => Batch::default(),
        }))
    }

    /// The view that the cursor goes over; none where it goes over a page.
    #[must_use]
    pub fn view(&self) -> Option<&PointInTimeView> {
        match self.0.borrow_owner() {
            Shown::View(view) => Some(view),
            Shown::Page(_) => None,
        }
    }

    /// Takes what [`PointInTimeView::query_in`] shows as the next batch; whether a limit ended it. Nothing follows a page.
    pub fn query_in(
        &mut self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> bool {
        self.0.with_dependent_mut(|shown, batch| {
            let Shown::View(view) = shown else { return false };
            batch.refill(limits, |page| view.fill_query(page, keyspace, pk, range, reverse, |record| record))
        })
    }

    /// Takes what [`PointInTimeView::scan`] shows as the next batch; whether a limit ended it. Nothing follows a page.
    pub fn scan(&mut self, range: ScanRange<'_>, limits: PageLimits) -> bool {
        self.0.with_dependent_mut(|shown, batch| {
            let Shown::View(view) = shown else { return false };
            batch.refill(limits, |page| view.fill_scan(page, range, |record| record))
        })
    }

    /// Whether the batch has no record behind the current one.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        let batch = self.0.borrow_dependent();
        batch.passed == batch.records.len()
    }

    /// Goes on to the next record of the batch; false where there is none.
    #[inline]
    pub fn advance(&mut self) -> bool {
        let is_there = !self.is_at_end();
        self.0.with_dependent_mut(|_, batch| batch.passed += usize::from(is_there));
        is_there
    }

    /// The record that the cursor has come to; none before the first of a batch.
    #[inline]
    pub fn current(&self) -> Option<&Record> {
        let batch = self.0.borrow_dependent();
        batch.records.get(batch.passed.checked_sub(1)?).copied()
    }

    /// The last record of the batch.
    pub fn last_of_batch(&self) -> Option<&Record> {
        self.0.borrow_dependent().records.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineOptions};
    use crate::key::KeyRef;

    const LIMITS: PageLimits = PageLimits::of_records(7);

    #[test]
    fn a_cursor_shows_its_view_whatever_becomes_of_the_engine() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let key = |i: u32| i.to_be_bytes();
        for i in 0..10 {
            engine.put(KeyRef::new(b"p", &key(i)).expect("valid"), b"old").expect("put");
        }
        let mut cursor = Cursor::over(engine.view().expect("a view"));
        assert!(cursor.current().is_none() && cursor.is_at_end() && !cursor.advance());
        assert!(cursor.scan(ScanRange::all(), LIMITS), "there are more than 7");
        for i in 0..10 {
            engine.put(KeyRef::new(b"p", &key(i)).expect("valid"), b"new").expect("put");
        }
        engine.compact().expect("compacted");
        engine.clear().expect("cleared");
        drop(engine);
        let mut kept = Vec::new();
        while cursor.advance() {
            let record = cursor.current().expect("there is one");
            assert_eq!((record.sk(), record.body()), (&key(kept.len() as u32)[..], &b"old"[..]));
            kept.push(record.clone());
        }
        assert!(
            kept.len() == 7 && cursor.is_at_end() && cursor.last_of_batch().is_some_and(|last| last.same(&kept[6]))
        );
        let from = kept[6].sk().to_vec();
        let behind = (std::ops::Bound::Excluded(&from[..]), std::ops::Bound::Unbounded);
        assert!(!cursor.query_in(Keyspace::Items, b"p", behind, false, LIMITS));
        let mut rest = 0;
        while cursor.advance() {
            rest += 1;
        }
        assert_eq!(rest, 3);
        drop(cursor);
        assert!(kept.iter().all(|record| record.body() == b"old"), "what was cloned counts, and is there still");
    }
}
