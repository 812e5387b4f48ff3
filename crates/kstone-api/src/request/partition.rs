//! A query of one partition for whole items: all that it says is borrowed, and nothing has to be parsed.

use std::ops::Bound;

use kstone_core::engine::SortKeyRange;
use kstone_core::key::KeyRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::typed_key::PartScratch;

use crate::error::Result;
use crate::request::query::Query;
use crate::request::sort_key::SortKeyCondition;
use crate::request::token;

/// What [`Query`] is without an index, expressions and a choice of what to return: see
/// [`Table::query_partition_as`](crate::Table::query_partition_as).
#[derive(Debug, Clone, Copy, Default)]
pub struct PartitionQuery<'a> {
    /// The partition to read: 1 to 2048 bytes.
    pub partition_key: &'a [u8],
    /// Which of its sort keys.
    pub sort_key: SortKeyCondition<&'a [u8]>,
    /// Highest sort key first.
    pub reverse: bool,
    /// The most items to examine, at least 1.
    pub limit: Option<usize>,
    /// Where the last page of the same query ended.
    pub token: Option<&'a [u8]>,
}

/// What the numbers of a query's keys are made in.
#[derive(Default)]
pub(crate) struct QueryScratch {
    partition: PartScratch,
    sort: [PartScratch; 2],
}

impl<'a> PartitionQuery<'a> {
    /// The query of what keys hold, in the place of what callers call them, in a table of this layout.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for what is no value of a key attribute.
    pub(crate) fn encoded<'b>(self, layout: &KeyLayout, scratch: &'b mut QueryScratch) -> Result<PartitionQuery<'b>>
    where
        'a: 'b,
    {
        Ok(PartitionQuery {
            partition_key: layout.partition().key_bytes(self.partition_key, &mut scratch.partition)?,
            sort_key: self.sort_key.encoded(layout.sort(), &mut scratch.sort)?,
            ..self
        })
    }
    pub(crate) fn to_query(self) -> Query {
        let Self { partition_key, sort_key, reverse, limit, token } = self;
        Query {
            partition_key: partition_key.to_vec(),
            sort_key: sort_key.to_owned(),
            reverse,
            limit,
            token: token.map(<[u8]>::to_vec),
            ..Query::default()
        }
    }

    /// Checks the query's keys and calls back with the range of its sort keys behind `ended_at`.
    pub(crate) fn with_range<T>(&self, ended_at: Option<&[u8]>, read: impl FnOnce(SortKeyRange<'_>) -> T) -> Result<T> {
        if let (SortKeyCondition::Any, None) = (&self.sort_key, ended_at) {
            KeyRef::new(self.partition_key, &[])?;
            return Ok(read((Bound::Unbounded, Bound::Unbounded)));
        }
        let (_, low, high) = self.sort_key.parts();
        KeyRef::new(self.partition_key, low)?;
        KeyRef::new(self.partition_key, high)?;
        let mut prefix_end = Vec::new();
        let (mut from, mut to) = self.sort_key.bounds(&mut prefix_end)?;
        // A token goes on inside the condition, never outside: a page that ended before it cannot widen the range.
        if let Some(sk) = ended_at {
            match (self.reverse, from, to) {
                (false, Bound::Included(low) | Bound::Excluded(low), _) if sk < low => {}
                (true, _, Bound::Included(high) | Bound::Excluded(high)) if sk > high => {}
                (false, ..) => from = Bound::Excluded(sk),
                (true, ..) => to = Bound::Excluded(sk),
            }
        }
        Ok(read((from, to)))
    }

    /// What the query asks for of the table, or of the index of this name, in one number: its tokens fit no other.
    pub(crate) fn shape(&self, index: &str) -> u32 {
        let (condition, low, high) = self.sort_key.parts();
        let how = [condition, self.reverse.into()];
        token::shape(&[b"query", index.as_bytes(), self.partition_key, &how, low, high])
    }
}
