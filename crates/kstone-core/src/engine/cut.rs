//! The database as it was at one moment: trees that a stripe shares until it is written to next.

#[cfg(doc)]
use super::Engine;
use super::{RecordPage, ScanRange, SortKeyRange, partition_span};
use crate::key::{Keyspace, StripeId};
use crate::merge::{PageBuffer, PageLimits, View};
use crate::record::Record;
use crate::shared_tree::SharedTree;

/// The database, or a partition's stripe, at one moment. Costs memory only for what is changed after it.
pub struct Cut {
    stripes: Vec<(StripeId, SharedTree)>,
}

impl Cut {
    pub(super) fn new(stripes: Vec<(StripeId, SharedTree)>) -> Self {
        Self { stripes }
    }

    /// As [`Engine::query`], at the moment of the cut.
    pub fn query(&self, pk: &[u8], range: SortKeyRange<'_>, reverse: bool, limits: PageLimits) -> RecordPage {
        self.query_in(Keyspace::Items, pk, range, reverse, limits)
    }

    /// As [`Engine::query_in`], at the moment of the cut.
    pub fn query_in(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited = self.fill_query(&mut page, keyspace, pk, range, reverse, Record::clone);
        RecordPage { records: page.records, limited }
    }

    /// As [`Engine::scan`], at the moment of the cut.
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited = self.fill_scan(&mut page, range, Record::clone);
        RecordPage { records: page.records, limited }
    }

    /// Takes a query's records into a page; whether that is full.
    pub(crate) fn fill_query<T>(
        &self,
        page: &mut PageBuffer<T>,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        handle: impl Fn(&Record) -> T,
    ) -> bool {
        let (stripe, span) = partition_span(keyspace, pk, range);
        self.view(stripe).is_some_and(|view| page.fill(&mut view.merge(span, reverse), handle))
    }

    /// Takes a scan's records into a page; whether that is full.
    pub(crate) fn fill_scan<T>(
        &self,
        page: &mut PageBuffer<T>,
        range: ScanRange<'_>,
        handle: impl Fn(&Record) -> T,
    ) -> bool {
        range.spans().any(|(stripe, span)| {
            self.view(stripe).is_some_and(|view| page.fill(&mut view.merge(span, false), &handle))
        })
    }

    fn view(&self, stripe: StripeId) -> Option<View<'_>> {
        let at = self.stripes.binary_search_by_key(&stripe, |(id, _)| *id).ok()?;
        Some(self.stripes[at].1.view())
    }
}
