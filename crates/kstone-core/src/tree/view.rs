//! What a stripe's tree shows: its memtable and its SSTs, read as one.

#[cfg(test)]
use crate::key::{Edge, Tag};
use crate::memory_sst::MemorySstReader;
use crate::memtable::Memtable;
use crate::merge::Merge;
#[cfg(test)]
use crate::record::Record;
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
    pub(crate) fn items(&self) -> Vec<&'a Record> {
        let from = StripeEdge { tag: Tag::FIRST, edge: Edge::TagStart };
        let to = StripeEdge { tag: Tag::LAST_ITEM, edge: Edge::TagEnd };
        self.merge(Span { from, to }, false, |merge| merge.live())
    }

    /// Shows the live records of a span, in order or in reverse, to `read`: a merge is too large to be handed back.
    #[inline]
    pub(crate) fn merge<T>(&self, span: Span<'_>, reverse: bool, read: impl FnOnce(&mut Merge<'a>) -> T) -> T {
        let mut merge = Merge::new(reverse, span.is_in_one_partition());
        if let Some(memtable) = self.memtable {
            merge.add(Source::of_run(memtable.between(span)));
        }
        self.ssts.iter().rev().for_each(|sst| merge.add(Source::of_run(sst.between(span))));
        merge.begin();
        read(&mut merge)
    }
}
