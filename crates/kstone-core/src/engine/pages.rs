//! Pages: the records of a partition or of a share of the table, as they are at one moment.

use std::borrow::Borrow;
use std::ops::Bound;

use super::{Engine, ScanRange};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{Edge, Keyspace, Route, SortEdge, StripeId};
use crate::page_buffer::{PageBuffer, PageLimits};
use crate::record::Record;
use crate::span::{Span, StripeEdge};

/// The sort keys that a query wants, as bounds on their bytes.
pub type SortKeyRange<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Records in order, and whether the page ended at its limit rather than at the end of the range.
#[derive(Debug, Default)]
pub struct RecordPage<R = Record> {
    /// The records, as they were at one moment.
    pub records: Vec<R>,
    /// Whether a limit ended the page: there may be more.
    pub limited: bool,
}

/// How many records a page has, without the records.
#[derive(Debug, Default)]
pub struct CountPage {
    /// The number of records.
    pub count: usize,
    /// The last of them, where the page ended at its limit rather than at the end of the range.
    pub last: Option<Record>,
}

impl Engine {
    /// One page of a partition, in the order of the sort keys or in reverse, as it is at one moment.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn query(&self, pk: &[u8], range: SortKeyRange<'_>, reverse: bool, limits: PageLimits) -> Result<RecordPage> {
        self.query_as(Keyspace::Items, pk, range, reverse, limits)
    }

    /// As [`Engine::query`], in any keyspace, each record in what the caller keeps it in.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn query_as<R: From<Record> + Borrow<Record>>(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> Result<RecordPage<R>> {
        let (stripe, span) = partition_span(keyspace, pk, range);
        let mut page = PageBuffer::new(limits);
        let held = self.store.read_in_order(stripe, Some(span))?;
        let limited =
            held.tree().is_some_and(|tree| tree.view().merge(span, reverse, |merge| page.fill(merge, counted)));
        drop(held);
        if self.evicts() {
            page.records.iter().for_each(|record: &R| record.borrow().mark_used());
        }
        Ok(RecordPage { records: page.records, limited })
    }

    /// One page of a share of the table in scan order, as it is at one moment. Does not count as using the items.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        self.scan_as(range, limits)
    }

    /// As [`Engine::scan`], each record in what the caller keeps it in.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    pub fn scan_as<R: From<Record> + Borrow<Record>>(
        &self,
        range: ScanRange<'_>,
        limits: PageLimits,
    ) -> Result<RecordPage<R>> {
        let mut page = PageBuffer::new(limits);
        let mut locked = Vec::new();
        let mut limited = false;
        let stripes = self.store.stripes();
        for (stripe, span) in range.spans() {
            let held = stripes.read_in_order(stripe, Some(span))?;
            limited = held.tree().is_some_and(|tree| tree.view().merge(span, false, |merge| page.fill(merge, counted)));
            locked.push(held);
            if limited {
                break;
            }
        }
        Ok(RecordPage { records: page.records, limited })
    }

    /// All records of a partition's range, where these are no more than so many. Does not count as using the items.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn query_if_short(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        most: usize,
    ) -> Result<Option<RecordPage>> {
        let (stripe, span) = partition_span(keyspace, pk, range);
        let held = self.store.read_in_order(stripe, Some(span))?;
        let mut page = PageBuffer::<&Record>::new(PageLimits::of_records(most + 1));
        let is_long =
            held.tree().is_some_and(|tree| tree.view().merge(span, reverse, |merge| page.fill(merge, |record| record)));
        Ok((!is_long).then(|| RecordPage::counting(&page)))
    }

    /// All records of a scan's range, where the stripes hold no more than so many items or entries in all: where they
    /// hold more, that costs a look at the first of them.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    pub fn scan_if_short(&self, range: ScanRange<'_>, most: usize) -> Result<Option<RecordPage>> {
        let mut locked = Vec::new();
        let mut records = 0;
        let stripes = self.store.stripes();
        for (stripe, span) in range.spans() {
            let held = stripes.read_in_order(stripe, Some(span))?;
            records += held.tree().map_or(0, |tree| range.live_in(tree.live()));
            if records > most {
                return Ok(None);
            }
            locked.push((held, span));
        }
        let mut page = PageBuffer::<&Record>::new(PageLimits::NONE);
        for (tree, span) in locked.iter().filter_map(|(held, span)| Some((held.tree()?, span))) {
            tree.view().merge(*span, false, |merge| page.fill(merge, |record| record));
        }
        Ok(Some(RecordPage::counting(&page)))
    }

    /// The count of the page that [`Engine::query`] returns. Takes no reference to a record but the last.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn count_query(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> Result<CountPage> {
        let (stripe, span) = partition_span(keyspace, pk, range);
        let held = self.store.read_in_order(stripe, Some(span))?;
        let mut page = PageBuffer::<&Record>::new(limits);
        let limited =
            held.tree().is_some_and(|tree| tree.view().merge(span, reverse, |merge| page.fill(merge, |record| record)));
        if self.evicts() {
            page.records.iter().for_each(|record| record.mark_used());
        }
        Ok(CountPage::of(&page, limited))
    }

    /// The count of the page that [`Engine::scan`] returns. Takes no reference to a record but the last; locks all
    /// stripes of the range at once.
    ///
    /// # Errors
    /// As [`Engine::scan`].
    pub fn count_scan(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<CountPage> {
        let stripes = self.store.stripes();
        let locked = range.spans().map(|(stripe, span)| Ok((stripes.read_in_order(stripe, Some(span))?, span)));
        let locked: Vec<_> = locked.collect::<Result<_>>()?;
        let mut page = PageBuffer::<&Record>::new(limits);
        let limited = locked.iter().any(|(held, span)| {
            held.tree().is_some_and(|tree| tree.view().merge(*span, false, |merge| page.fill(merge, |record| record)))
        });
        Ok(CountPage::of(&page, limited))
    }
}

/// The record, counted once more.
#[inline(always)]
fn counted<R: From<Record>>(record: &Record) -> R {
    R::from(record.clone())
}

impl RecordPage {
    /// The records of a page that is not limited, each counted once more.
    fn counting(page: &PageBuffer<&Record>) -> Self {
        Self { records: page.records.iter().copied().cloned().collect(), limited: false }
    }
}

impl CountPage {
    fn of(page: &PageBuffer<&Record>, limited: bool) -> Self {
        let last = page.records.last().filter(|_| limited);
        Self { count: page.records.len(), last: last.map(|record| Record::clone(record)) }
    }
}

pub(super) fn partition_span<'a>(
    keyspace: Keyspace,
    pk: &'a [u8],
    (from, to): SortKeyRange<'a>,
) -> (StripeId, Span<'a>) {
    let Route { stripe, tag, .. } = Route::of(pk, keyspace);
    let from = match from {
        Bound::Unbounded => SortEdge::Start,
        Bound::Included(sk) => SortEdge::Before(sk),
        Bound::Excluded(sk) => SortEdge::After(sk),
    };
    let to = match to {
        Bound::Unbounded => SortEdge::End,
        Bound::Included(sk) => SortEdge::After(sk),
        Bound::Excluded(sk) => SortEdge::Before(sk),
    };
    let place = |edge| StripeEdge { tag, edge: Edge::Partition(pk, edge) };
    (stripe, Span { from: place(from), to: place(to) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;
    use crate::key::KeyRef;
    use crate::raw::counted::CLONES;

    /// Queries and scans that count took a reference to every record that they met.
    #[test]
    fn a_count_takes_a_reference_to_no_record_but_the_last() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        for i in 0..600_u32 {
            engine.put(KeyRef::new(b"p", &i.to_be_bytes()).expect("valid"), b"").expect("put");
        }
        let range = (Bound::Unbounded, Bound::Unbounded);
        for (limits, count, references) in [(PageLimits::NONE, 600, 0), (PageLimits::of_records(500), 500, 1)] {
            CLONES.set(0);
            assert_eq!(engine.count_query(Keyspace::Items, b"p", range, false, limits).expect("counted").count, count);
            assert_eq!(engine.count_scan(ScanRange::all(), limits).expect("counted").count, count);
            assert_eq!(CLONES.get(), 2 * references);
            assert_eq!(
                engine.query(b"p", range, false, limits).expect("queried").records.len(),
                CLONES.get() - 2 * references
            );
        }
    }

    /// A count ends where the page of the same limits ends, also where a limit is met at the end of a stripe.
    #[test]
    fn a_count_is_that_of_the_page() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        for i in 0..600_u32 {
            let key = if i % 2 == 0 { format!("p{i}") } else { "p".to_owned() };
            engine.put(KeyRef::new(key.as_bytes(), &i.to_be_bytes()).expect("valid"), &[0; 10]).expect("put");
        }
        let ended_at = |page: &RecordPage| page.records.last().filter(|_| page.limited).map(Record::key);
        for records in [1, 2, 7, 299, 300, 301, 599, 600, usize::MAX] {
            for bytes in [0, 500, usize::MAX] {
                let limits = PageLimits { records, bytes, ..PageLimits::NONE };
                let (page, count) =
                    (engine.scan(ScanRange::all(), limits), engine.count_scan(ScanRange::all(), limits));
                let (page, count) = (page.expect("scanned"), count.expect("counted"));
                assert_eq!((count.count, count.last.map(|last| last.key())), (page.records.len(), ended_at(&page)));
                for reverse in [false, true] {
                    let range = (Bound::Unbounded, Bound::Unbounded);
                    let page = engine.query(b"p", range, reverse, limits).expect("queried");
                    let count = engine.count_query(Keyspace::Items, b"p", range, reverse, limits).expect("counted");
                    assert_eq!((count.count, count.last.map(|last| last.key())), (page.records.len(), ended_at(&page)));
                }
            }
        }
    }
}
