//! The part of the table that a scan covers: places of stripes.

use crate::error::{Error, Reason, Result, Unit};
use crate::key::{Edge, INDEX_SLOT_BITS, Keyspace, Route, STRIPES, SortEdge, StripeId, TAG_HASH_BITS, Tag};
use crate::live_counts::LiveCounts;
use crate::span::{Span, StripeEdge};

/// A share of the table in scan order: stripe, hash of the partition, partition key, sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanRange<'a> {
    /// Places are numbered by stripe, then by the hash bits of the tag.
    first: u32,
    end: u32,
    /// Where in a partition the range begins.
    lower: Option<(&'a [u8], SortEdge<'a>)>,
    /// Where in a partition the range ends.
    upper: Option<(&'a [u8], SortEdge<'a>)>,
    keyspace: Keyspace,
    /// The one index whose entries are meant, in the keyspace of indexes.
    index: Option<u16>,
}

const PLACES_PER_STRIPE: u32 = 1 << TAG_HASH_BITS;
const PLACES: u32 = PLACES_PER_STRIPE * STRIPES as u32;
/// The most segments a scan may be split into, DynamoDB's.
pub const SEGMENTS_MAX: u32 = 1_000_000;

impl<'a> ScanRange<'a> {
    /// The whole table.
    pub fn all() -> Self {
        Self { first: 0, end: PLACES, lower: None, upper: None, keyspace: Keyspace::Items, index: None }
    }

    /// One of `segments` shares that together hold every item once.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `segment` is not below `segments`; [`Error::Limit`] for more than [`SEGMENTS_MAX`].
    pub fn segment(segment: u32, segments: u32) -> Result<Self> {
        if segments > SEGMENTS_MAX {
            let (limit, found) = (SEGMENTS_MAX as usize, segments as usize);
            return Err(Error::limit("TotalSegments", Unit::Entries, limit, found));
        }
        if segment >= segments {
            return Err(Reason::SegmentTooHigh { segment, segments }.into());
        }
        let place = |segment: u32| (u64::from(PLACES) * u64::from(segment) / u64::from(segments)) as u32;
        Ok(Self { first: place(segment), end: place(segment + 1), ..Self::all() })
    }

    /// The same share from behind this key on.
    #[must_use]
    pub fn after(self, pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self { lower: Some((pk, SortEdge::After(sk))), ..self }
    }

    /// The same share from this key on, the key included.
    #[must_use]
    pub fn from(self, pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self { lower: Some((pk, SortEdge::Before(sk))), ..self }
    }

    /// The same share up to this key, the key left out.
    #[must_use]
    pub fn before(self, pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self { upper: Some((pk, SortEdge::Before(sk))), ..self }
    }

    /// The same share of what another keyspace holds.
    #[must_use]
    pub fn in_keyspace(self, keyspace: Keyspace) -> Self {
        Self { keyspace, ..self }
    }

    /// The same share of the entries of one index, which lie together in each stripe.
    #[must_use]
    pub fn of_index(self, index: u16) -> Self {
        Self { keyspace: Keyspace::Index, index: Some(index), ..self }
    }

    /// Whether a partition of this key is in the share, wherever that begins and ends.
    #[must_use]
    pub fn has_partition(self, pk: &[u8]) -> bool {
        let route = Route::of(pk, self.keyspace);
        let shared = Self { lower: None, upper: None, ..self };
        let of_stripe = shared.spans().find(|(stripe, _)| *stripe == route.stripe);
        of_stripe.is_some_and(|(_, span)| (span.from.tag..=span.to.tag).contains(&route.tag))
    }

    /// How many of these live records may be of the range, which covers all places or some.
    pub(super) fn live_in(self, live: &LiveCounts) -> usize {
        match (self.keyspace, self.index) {
            (Keyspace::Items, _) => live.items.records,
            (Keyspace::Index, None) => live.index_entries.records,
            (Keyspace::Index, Some(index)) => live.entries_of(index) as usize,
        }
    }

    /// The first and the last tag of these places of a stripe; none where no tag is theirs.
    fn tags(self, first: u32, end: u32) -> Option<(Tag, Tag)> {
        let (base, first, end) = match (self.keyspace, self.index) {
            (Keyspace::Items, _) => (0, first, end),
            (Keyspace::Index, None) => (1 << TAG_HASH_BITS, first, end),
            (Keyspace::Index, Some(index)) => {
                (Tag::first_of_index(index).0, first >> INDEX_SLOT_BITS, end >> INDEX_SLOT_BITS)
            }
        };
        (first < end).then(|| (Tag(base | first as u16), Tag(base | (end - 1) as u16)))
    }

    /// The part that lies in each stripe, in order.
    pub(super) fn spans(self) -> impl DoubleEndedIterator<Item = (StripeId, Span<'a>)> {
        // Once, not for each stripe: a checksum costs as much as the rest of this together.
        let routed = |(pk, edge)| (Route::of(pk, self.keyspace), Edge::Partition(pk, edge));
        let (lower, upper) = (self.lower.map(routed), self.upper.map(routed));
        StripeId::all().filter_map(move |stripe| {
            let base = stripe.index() as u32 * PLACES_PER_STRIPE;
            let first = self.first.clamp(base, base + PLACES_PER_STRIPE) - base;
            let end = self.end.clamp(base, base + PLACES_PER_STRIPE) - base;
            let (first, last) = self.tags(first, end)?;
            let mut from = StripeEdge { tag: first, edge: Edge::TagStart };
            let mut to = StripeEdge { tag: last, edge: Edge::TagEnd };
            if let Some((last, edge)) = upper {
                if stripe > last.stripe || (stripe == last.stripe && from.tag > last.tag) {
                    return None;
                }
                if stripe == last.stripe && last.tag <= to.tag {
                    to = StripeEdge { tag: last.tag, edge };
                }
            }
            if let Some((first, edge)) = lower {
                if stripe < first.stripe || (stripe == first.stripe && to.tag < first.tag) {
                    return None;
                }
                if stripe == first.stripe && first.tag >= from.tag {
                    from = StripeEdge { tag: first.tag, edge };
                }
            }
            Some((stripe, Span { from, to }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_split_the_places_without_gap_or_overlap() {
        for segments in [1, 2, 3, 255, 256, 257, SEGMENTS_MAX] {
            let mut end = 0;
            for segment in 0..segments {
                let range = ScanRange::segment(segment, segments).expect("valid");
                assert_eq!(range.first, end);
                end = range.end;
            }
            assert_eq!(end, PLACES);
        }
        assert!(matches!(ScanRange::segment(2, 2), Err(Error::Invalid(_))));
        assert!(matches!(ScanRange::segment(0, 0), Err(Error::Invalid(_))));
        assert!(matches!(ScanRange::segment(0, SEGMENTS_MAX + 1), Err(Error::Limit { .. })));
    }

    #[test]
    fn a_range_from_a_key_takes_its_checksum_once() {
        let range = ScanRange::all().after(b"a", b"").before(b"b", b"");
        crate::key::CHECKSUMS.set(0);
        let _spans: Vec<_> = range.spans().collect();
        assert_eq!(crate::key::CHECKSUMS.get(), 2, "one for each end");
    }
}
