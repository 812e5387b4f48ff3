//! Conditions on the sort keys of a partition, and the ranges of keys that they are.

use std::convert::Infallible;
use std::ops::Bound;

use kstone_core::engine::SortKeyRange;
use kstone_core::item::ValueRef;
use kstone_core::key_layout::{KeyPart, KeyType};
use kstone_core::typed_key::PartScratch;

use crate::error::{Error, Reason, Result};
use crate::expression::SortCondition;

/// A condition on the sort keys of a partition, which are owned or, as `SortKeyCondition<&[u8]>`, borrowed. Sort keys
/// are compared as bytes. An item without a sort key meets [`SortKeyCondition::Any`] and equality with the empty one, no
/// other: what is not there compares with nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortKeyCondition<K = Vec<u8>> {
    /// Every sort key, and no sort key.
    #[default]
    Any,
    /// Equal to this.
    Eq(K),
    /// Less than this.
    Lt(K),
    /// Less than or equal to this.
    Le(K),
    /// Greater than this.
    Gt(K),
    /// Greater than or equal to this.
    Ge(K),
    /// From the first to the second, both included.
    Between(K, K),
    /// Starting with these bytes.
    BeginsWith(K),
}

impl<K> SortKeyCondition<K> {
    /// The same condition with each of its keys in another form.
    pub(crate) fn map<'a, T>(&'a self, mut key: impl FnMut(&'a K) -> T) -> SortKeyCondition<T> {
        match self.try_map(|sk| Ok::<T, Infallible>(key(sk))) {
            Ok(condition) => condition,
        }
    }

    /// As [`SortKeyCondition::map`], unless a key has no such form.
    pub(crate) fn try_map<'a, T, E>(
        &'a self,
        mut key: impl FnMut(&'a K) -> std::result::Result<T, E>,
    ) -> std::result::Result<SortKeyCondition<T>, E> {
        Ok(match self {
            Self::Any => SortKeyCondition::Any,
            Self::Eq(sk) => SortKeyCondition::Eq(key(sk)?),
            Self::Lt(sk) => SortKeyCondition::Lt(key(sk)?),
            Self::Le(sk) => SortKeyCondition::Le(key(sk)?),
            Self::Gt(sk) => SortKeyCondition::Gt(key(sk)?),
            Self::Ge(sk) => SortKeyCondition::Ge(key(sk)?),
            Self::Between(low, high) => SortKeyCondition::Between(key(low)?, key(high)?),
            Self::BeginsWith(sk) => SortKeyCondition::BeginsWith(key(sk)?),
        })
    }
}

/// What an expression asks of a sort key.
impl<'a> From<SortCondition<'a>> for SortKeyCondition<ValueRef<'a>> {
    fn from(condition: SortCondition<'a>) -> Self {
        match condition {
            SortCondition::Any => Self::Any,
            SortCondition::Eq(value) => Self::Eq(value),
            SortCondition::Lt(value) => Self::Lt(value),
            SortCondition::Le(value) => Self::Le(value),
            SortCondition::Gt(value) => Self::Gt(value),
            SortCondition::Ge(value) => Self::Ge(value),
            SortCondition::Between(low, high) => Self::Between(low, high),
            SortCondition::BeginsWith(value) => Self::BeginsWith(value),
        }
    }
}

impl SortKeyCondition {
    /// The same condition, borrowed.
    pub(crate) fn borrowed(&self) -> SortKeyCondition<&[u8]> {
        self.map(Vec::as_slice)
    }
}

impl<'a> SortKeyCondition<&'a [u8]> {
    /// The same condition, owned.
    #[must_use]
    pub fn to_owned(&self) -> SortKeyCondition {
        self.map(|sk| sk.to_vec())
    }

    /// The same condition on what keys hold of a typed table's sort key, which numbers are made into.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a condition on a key without a sort key, for values that are none of its type, and for
    /// numbers that are to begin with something.
    pub(crate) fn encoded<'b>(
        &self,
        part: Option<&KeyPart>,
        [low_scratch, high_scratch]: &'b mut [PartScratch; 2],
    ) -> Result<SortKeyCondition<&'b [u8]>>
    where
        'a: 'b,
    {
        if let Self::Any = self {
            return Ok(SortKeyCondition::Any);
        }
        let Some(part) = part else { return Err(Error::from(Reason::KeyConditionUnsupported)) };
        if part.type_() == Some(KeyType::N) && matches!(self, Self::BeginsWith(_)) {
            return Err(Error::from(Reason::PrefixOfNumber));
        }
        let (_, low, high) = self.parts();
        let low = part.key_bytes(low, low_scratch)?;
        let high = if let Self::Between(..) = self { part.key_bytes(high, high_scratch)? } else { &[] };
        let mut operands = [low, high].into_iter();
        Ok(self.map(|_| operands.next().unwrap_or_default()))
    }

    /// A number for the comparison, and its operands; empty where there is none.
    pub(crate) fn parts(&self) -> (u8, &'a [u8], &'a [u8]) {
        match *self {
            Self::Any => (0, &[], &[]),
            Self::Eq(sk) => (1, sk, &[]),
            Self::Lt(sk) => (2, sk, &[]),
            Self::Le(sk) => (3, sk, &[]),
            Self::Gt(sk) => (4, sk, &[]),
            Self::Ge(sk) => (5, sk, &[]),
            Self::Between(low, high) => (6, low, high),
            Self::BeginsWith(sk) => (7, sk, &[]),
        }
    }

    /// The bounds of the condition; `prefix_end` lends them the end of a prefix's range.
    pub(crate) fn bounds<'b>(&self, prefix_end: &'b mut Vec<u8>) -> Result<SortKeyRange<'b>>
    where
        'a: 'b,
    {
        use Bound::{Excluded, Included, Unbounded};
        let (from, to): SortKeyRange<'b> = match *self {
            Self::Any => (Unbounded, Unbounded),
            Self::Eq(sk) => (Included(sk), Included(sk)),
            Self::Lt(sk) => (Unbounded, Excluded(sk)),
            Self::Le(sk) => (Unbounded, Included(sk)),
            Self::Gt(sk) => (Excluded(sk), Unbounded),
            Self::Ge(sk) => (Included(sk), Unbounded),
            Self::Between(low, high) if low > high => {
                return Err(Error::from(Reason::RangeReversed));
            }
            Self::Between(low, high) => (Included(low), Included(high)),
            Self::BeginsWith(prefix) => {
                // The first key behind every key with this prefix: its last byte that can be raised, raised.
                let Some(raised) = prefix.iter().rposition(|&byte| byte != 0xFF) else {
                    return Ok((behind_none(Included(prefix)), Unbounded));
                };
                prefix_end.clear();
                prefix_end.extend_from_slice(&prefix[..=raised]);
                prefix_end[raised] += 1;
                (Included(prefix), Excluded(prefix_end.as_slice()))
            }
        };
        let from = match self {
            Self::Any | Self::Eq(_) => from,
            _ => behind_none(from),
        };
        Ok((from, to))
    }
}

/// The lower bound without the item that has no sort key, whose place is before all others.
fn behind_none(from: Bound<&[u8]>) -> Bound<&[u8]> {
    match from {
        Bound::Unbounded | Bound::Included([]) => Bound::Excluded(&[]),
        other => other,
    }
}
