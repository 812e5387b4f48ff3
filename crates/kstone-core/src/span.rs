//! Spans: the records of a stripe from one place in its order to another.

use crate::key::{Edge, Tag};

/// A place between two records in the order of a stripe.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StripeEdge<'a> {
    pub(crate) tag: Tag,
    pub(crate) edge: Edge<'a>,
}

/// The records from one place to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span<'a> {
    pub(crate) from: StripeEdge<'a>,
    pub(crate) to: StripeEdge<'a>,
}

impl Span<'_> {
    /// The one tag of all its records, where they have but one.
    #[inline]
    pub(crate) fn only_tag(&self) -> Option<Tag> {
        (self.from.tag == self.to.tag).then_some(self.from.tag)
    }

    /// Whether it lies in one partition.
    pub(crate) fn is_in_one_partition(&self) -> bool {
        match (self.from.edge, self.to.edge) {
            (Edge::Partition(from, _), Edge::Partition(to, _)) => {
                self.from.tag == self.to.tag && (std::ptr::eq(from, to) || from == to)
            }
            _ => false,
        }
    }
}
