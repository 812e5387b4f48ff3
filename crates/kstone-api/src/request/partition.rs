//! A query of one partition for whole items: the request that is made most often, for which nothing has to be parsed.

use std::ops::Bound;

use kstone_core::engine::SortKeyRange;
use kstone_core::key::KeyRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::typed_key::PartScratch;

use crate::error::Result;
use crate::request::extent::range_shape;
use crate::request::key_range::{behind, check_keys};
use crate::request::sort_key::SortKeyCondition;
use crate::request::token;

/// What a [`ReadRequest`](crate::ReadRequest) of one partition is without an index, expressions and a choice of what to
/// return.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartitionQuery<'a> {
    pub(crate) partition_key: &'a [u8],
    pub(crate) sort_key: SortKeyCondition<&'a [u8]>,
    pub(crate) reverse: bool,
    pub(crate) limit: Option<usize>,
    pub(crate) token: Option<&'a [u8]>,
}

/// What the numbers of a query's keys are made in.
#[derive(Default)]
pub(crate) struct QueryScratch {
    partition: PartScratch,
    sort: [PartScratch; 2],
}

impl QueryScratch {
    /// What keys hold of a partition and a condition on its sort keys, in the place of what callers call them, in a table of
    /// this layout.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for what is no value of a key attribute.
    pub(crate) fn encode<'b>(
        &'b mut self,
        layout: &KeyLayout,
        partition_key: &'b [u8],
        sort_key: &SortKeyCondition<&'b [u8]>,
    ) -> Result<(&'b [u8], SortKeyCondition<&'b [u8]>)> {
        Ok((
            layout.partition().key_bytes(partition_key, &mut self.partition)?,
            sort_key.encoded(layout.sort(), &mut self.sort)?,
        ))
    }
}

impl<'a> PartitionQuery<'a> {
    /// The query of what keys hold, in a table of this layout.
    ///
    /// # Errors
    /// As [`QueryScratch::encode`].
    pub(crate) fn encoded<'b>(self, layout: &KeyLayout, scratch: &'b mut QueryScratch) -> Result<PartitionQuery<'b>>
    where
        'a: 'b,
    {
        let (partition_key, sort_key) = scratch.encode(layout, self.partition_key, &self.sort_key)?;
        Ok(PartitionQuery { partition_key, sort_key, ..self })
    }

    /// Checks the query's keys and calls back with the range of its sort keys, and the sort key that its token says it goes on
    /// behind.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) and [`Error::Limit`](crate::Error::Limit) for keys that no item has, and for
    /// a token of another query.
    pub(crate) fn with_range<T>(
        &self,
        check: impl FnOnce(&[u8]) -> Result<()>,
        read: impl FnOnce(SortKeyRange<'_>) -> T,
    ) -> Result<T> {
        let Self { partition_key, sort_key, reverse, token, .. } = *self;
        if let (SortKeyCondition::Any, None) = (&sort_key, token) {
            KeyRef::new(partition_key, &[])?;
            return Ok(read((Bound::Unbounded, Bound::Unbounded)));
        }
        check_keys(partition_key, &sort_key)?;
        let mut prefix_end = Vec::new();
        let range = sort_key.bounds(&mut prefix_end)?;
        let Some(token) = token else { return Ok(read(range)) };
        let sk = token::decode_in(token, range_shape("", partition_key, range, reverse), partition_key)?;
        check(sk)?;
        Ok(read(behind(range, sk, reverse)))
    }

    /// The token of a page that ended at this sort key.
    pub(crate) fn token_at(&self, sk: &[u8]) -> Vec<u8> {
        let mut prefix_end = Vec::new();
        let range = self.sort_key.bounds(&mut prefix_end).expect("the page was read between these bounds");
        token::encode(range_shape("", self.partition_key, range, self.reverse), self.partition_key, sk)
    }
}
