//! Where the records of a read lie: a range of one partition, or a share of the table or of an index.
//!
//! ```text
//! ReadRequest ── key condition, index, state of the table ──► Extent ── behind the last key ──► Rest: what the engine reads
//! ```
//! Whatever reads in order goes over an extent: pages, iterators, cursors, counts and the plans of statements.
//!
//! Thread safety: plain values.

use std::ops::Bound;

use kstone_core::engine::{ScanRange, SortKeyRange};
use kstone_core::key::Keyspace;

use crate::error::Result;
use crate::request::key_range::{KeyRange, behind};
use crate::request::token;
use crate::table::index::{Index, IndexId};

/// Partition key and sort key of a record.
pub(crate) type Place = (Vec<u8>, Vec<u8>);
/// The same, lent.
pub(crate) type PlaceRef<'a> = (&'a [u8], &'a [u8]);

/// The same, lent.
pub(crate) fn lent(place: &Place) -> PlaceRef<'_> {
    (&place.0, &place.1)
}

/// Where the records of a read lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extent {
    /// In one partition, in the order of the sort keys or in reverse.
    Range { keyspace: Keyspace, keys: KeyRange, reverse: bool },
    /// In a share of the table or of an index, in the order of scans: this segment of so many.
    Share { share: ScanRange<'static>, segment: (u32, u32) },
}

/// What is left of an extent.
#[derive(Clone, Copy)]
pub(crate) enum Rest<'a> {
    /// Keyspace, partition, sort keys, and whether they are read in reverse.
    Range(Keyspace, &'a [u8], SortKeyRange<'a>, bool),
    Share(ScanRange<'a>),
}

impl Extent {
    /// Items of one partition.
    pub(crate) fn of_items(keys: KeyRange, reverse: bool) -> Self {
        Self::Range { keyspace: Keyspace::Items, keys, reverse }
    }

    /// Entries of one partition of an index.
    pub(crate) fn of_entries(keys: KeyRange, reverse: bool) -> Self {
        Self::Range { keyspace: Keyspace::Index, keys, reverse }
    }

    /// All items, or all entries of an index.
    pub(crate) fn whole(index: Option<IndexId>) -> Self {
        Self::share(ScanRange::all(), (0, 1), index)
    }

    /// One of so many shares of them.
    ///
    /// # Errors
    /// As [`ScanRange::segment`].
    pub(crate) fn segment((segment, segments): (u32, u32), index: Option<IndexId>) -> Result<Self> {
        Ok(Self::share(ScanRange::segment(segment, segments)?, (segment, segments), index))
    }

    fn share(share: ScanRange<'static>, segment: (u32, u32), index: Option<IndexId>) -> Self {
        Self::Share { share: index.map_or(share, |IndexId(index)| share.of_index(index)), segment }
    }

    /// What is left behind the record at this place, where there is one.
    pub(crate) fn behind<'a>(&'a self, last: Option<PlaceRef<'a>>) -> Rest<'a> {
        match self {
            Self::Range { keyspace, keys, reverse } => {
                let all = keys.sort_keys();
                Rest::Range(*keyspace, keys.pk(), last.map_or(all, |(_, sk)| behind(all, sk, *reverse)), *reverse)
            }
            Self::Share { share, .. } => Rest::Share(last.map_or(*share, |(pk, sk)| share.after(pk, sk))),
        }
    }

    /// Whether a record of this key lies in it.
    pub(crate) fn has(&self, (pk, sk): PlaceRef<'_>) -> bool {
        match self {
            Self::Range { keys, .. } => keys.has(pk, sk),
            Self::Share { share, .. } => share.has_partition(pk),
        }
    }

    /// Whether it is all of the table or of an index.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Share { segment: (0, 1), .. })
    }

    /// Whether entries of one partition of an index are read.
    pub(crate) fn is_of_entries(&self) -> bool {
        matches!(self, Self::Range { keyspace: Keyspace::Index, .. })
    }

    /// The partition of the records, where it is one.
    pub(crate) fn partition(&self) -> Option<&[u8]> {
        match self {
            Self::Range { keys, .. } => Some(keys.pk()),
            Self::Share { .. } => None,
        }
    }

    /// What is read, in one number: tokens fit no other extent, nor an index that took the number or the name of this one.
    pub(crate) fn shape(&self, index: Option<&Index>) -> u32 {
        match self {
            Self::Range { keys, reverse, .. } => {
                range_shape(index.map_or("", Index::name), keys.pk(), keys.sort_keys(), *reverse)
            }
            Self::Share { segment: (segment, segments), .. } => {
                let name = index.map_or("", Index::name).as_bytes();
                let id = IndexId::key_bytes(index.map(Index::id));
                token::shape(&[b"scan", name, &id, &segment.to_le_bytes(), &segments.to_le_bytes()])
            }
        }
    }
}

/// The shape of a range of one partition, of the table or of the index of this name.
pub(crate) fn range_shape(index: &str, pk: &[u8], (from, to): SortKeyRange<'_>, reverse: bool) -> u32 {
    let (from_kind, from) = parts(from);
    let (to_kind, to) = parts(to);
    token::shape(&[b"query", index.as_bytes(), pk, &[from_kind, to_kind, reverse.into()], from, to])
}

fn parts(bound: Bound<&[u8]>) -> (u8, &[u8]) {
    match bound {
        Bound::Unbounded => (0, &[]),
        Bound::Included(key) => (1, key),
        Bound::Excluded(key) => (2, key),
    }
}
