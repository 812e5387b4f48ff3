//! The database as it was at one moment: trees that a stripe shares until it is written to next.

#[cfg(doc)]
use super::Engine;
use super::{RecordPage, ScanRange, SortKeyRange, partition_span};
use crate::key::{Keyspace, StripeId};
use crate::merge::{PageBuffer, PageLimits, View};
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
        let (stripe, span) = partition_span(keyspace, pk, range);
        let mut page = PageBuffer::new(limits);
        let limited = self.view(stripe).is_some_and(|view| page.fill(&mut view.merge(span, reverse)));
        RecordPage { records: page.records, limited }
    }

    /// As [`Engine::scan`], at the moment of the cut.
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited = range
            .spans()
            .any(|(stripe, span)| self.view(stripe).is_some_and(|view| page.fill(&mut view.merge(span, false))));
        RecordPage { records: page.records, limited }
    }

    fn view(&self, stripe: StripeId) -> Option<View<'_>> {
        let at = self.stripes.binary_search_by_key(&stripe, |(id, _)| *id).ok()?;
        Some(self.stripes[at].1.view())
    }
}
