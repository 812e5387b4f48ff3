//! Pages: the records of a partition or of a share of the table, as they are at one moment.

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
pub struct RecordPage {
    /// The records, as they were at one moment.
    pub records: Vec<Record>,
    /// Whether a limit ended the page: there may be more.
    pub limited: bool,
}

impl Engine {
    /// One page of a partition, in the order of the sort keys or in reverse, as it is at one moment.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn query(&self, pk: &[u8], range: SortKeyRange<'_>, reverse: bool, limits: PageLimits) -> Result<RecordPage> {
        self.query_in(Keyspace::Items, pk, range, reverse, limits)
    }

    /// As [`Engine::query`], in any keyspace.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn query_in(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> Result<RecordPage> {
        let (stripe, span) = partition_span(keyspace, pk, range);
        let mut page = PageBuffer::new(limits);
        let held = self.store.read(stripe)?;
        let limited = held.tree().is_some_and(|tree| page.fill(&mut tree.view().merge(span, reverse), Record::clone));
        drop(held);
        if self.evicts() {
            page.records.iter().for_each(Record::mark_used);
        }
        Ok(RecordPage { records: page.records, limited })
    }

    /// One page of a share of the table in scan order, as it is at one moment. Does not count as using the items.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        let mut page = PageBuffer::new(limits);
        let mut locked = Vec::new();
        let mut limited = false;
        for (stripe, span) in range.spans() {
            let held = self.store.read(stripe)?;
            limited = held.tree().is_some_and(|tree| page.fill(&mut tree.view().merge(span, false), Record::clone));
            locked.push(held);
            if limited {
                break;
            }
        }
        Ok(RecordPage { records: page.records, limited })
    }
}

pub(super) fn partition_span<'a>(
    keyspace: Keyspace,
    pk: &'a [u8],
    (from, to): SortKeyRange<'a>,
) -> (StripeId, Span<'a>) {
    let Route { stripe, tag } = Route::of(pk, keyspace);
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
