//! What a stripe's tree shows: its memtable and its SSTs, read as one.

#[cfg(test)]
use crate::key::{Edge, Tag};
use crate::memory_sst::MemorySstReader;
use crate::memtable::Memtable;
use crate::merge::Merge;
use crate::source::Source;
use crate::span::Span;
#[cfg(test)]
use crate::span::StripeEdge;

/// What a stripe holds at one moment: perhaps a memtable, and SSTs from oldest to newest.
#[derive(Clone, Copy)]
pub(crate) struct TreeView<'a> {
    pub(crate) memtable: Option<&'a Memtable>,
    pub(crate) ssts: &'a [MemorySstReader],
}

impl<'a> TreeView<'a> {
    /// All items.
    #[cfg(test)]
    pub(crate) fn items(&self) -> Merge<'a> {
        let from = StripeEdge { tag: Tag::FIRST, edge: Edge::TagStart };
        let to = StripeEdge { tag: Tag::LAST_ITEM, edge: Edge::TagEnd };
        self.merge(Span { from, to }, false)
    }

    /// The live records of a span, in order or in reverse.
    pub(crate) fn merge(&self, span: Span<'_>, reverse: bool) -> Merge<'a> {
        let memtable = self.memtable.map(|table| table.between(span));
        let ssts = self.ssts.iter().rev().map(|sst| sst.between(span));
        Merge::of(memtable.into_iter().chain(ssts).map(Source::of_run), reverse, span.is_in_one_partition())
    }
}
