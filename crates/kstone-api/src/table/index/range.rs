//! What a query through an index asks for, as bounds on the keys of entries.
//!
//! The bytes of a value end themselves, so all entries of one value, and no others, have sort keys from those bytes up
//! to their *end*: the bytes with the last one raised.
//!
//! ```text
//!           type      bytes of v        end of v        type + 1
//!            │  < v      │   = v           │    > v        │
//!            └───────────┴─────────────────┴───────────────┘
//!            <= v ends at the end of v, >= v begins at the bytes of v
//! ```

use std::ops::Bound;

use crate::error::{Error, Result};
use kstone_core::engine::SortKeyRange;
use kstone_core::number;

use super::{Index, IndexKind, KeyValue};
use crate::request::sort_key::SortKeyCondition;

/// A condition on the sort values of an index. It holds for numbers alone, or for text and binary alike, as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyCondition<'a> {
    /// Every value of every type.
    #[default]
    Any,
    /// Equal to this.
    Eq(KeyValue<'a>),
    /// Less than this.
    Lt(KeyValue<'a>),
    /// Less than or equal to this.
    Le(KeyValue<'a>),
    /// Greater than this.
    Gt(KeyValue<'a>),
    /// Greater than or equal to this.
    Ge(KeyValue<'a>),
    /// From the first to the second, both included.
    Between(KeyValue<'a>, KeyValue<'a>),
    /// Text or bytes that begin with this.
    BeginsWith(KeyValue<'a>),
}

/// A condition on bytes: those of text or of binary.
impl<'a> From<&'a SortKeyCondition> for KeyCondition<'a> {
    fn from(condition: &'a SortKeyCondition) -> Self {
        let value = |bytes: &'a Vec<u8>| KeyValue::of_bytes(bytes);
        match condition {
            SortKeyCondition::Any => Self::Any,
            SortKeyCondition::Eq(sk) => Self::Eq(value(sk)),
            SortKeyCondition::Lt(sk) => Self::Lt(value(sk)),
            SortKeyCondition::Le(sk) => Self::Le(value(sk)),
            SortKeyCondition::Gt(sk) => Self::Gt(value(sk)),
            SortKeyCondition::Ge(sk) => Self::Ge(value(sk)),
            SortKeyCondition::Between(low, high) => Self::Between(value(low), value(high)),
            SortKeyCondition::BeginsWith(sk) => Self::BeginsWith(value(sk)),
        }
    }
}

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The entries of one partition of an index that a query wants: a partition key and bounds on the sort keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRange {
    pk: Vec<u8>,
    from: Bound<Vec<u8>>,
    to: Bound<Vec<u8>>,
}

impl IndexRange {
    /// The partition key of the entries.
    pub fn pk(&self) -> &[u8] {
        &self.pk
    }

    /// The bounds on their sort keys.
    pub fn sort_keys(&self) -> SortKeyRange<'_> {
        (self.from.as_ref().map(Vec::as_slice), self.to.as_ref().map(Vec::as_slice))
    }

    /// What is left of the range behind the entry with this sort key, where a page ended. Never more than the range.
    #[must_use]
    pub fn behind(mut self, sk: &[u8], reverse: bool) -> Self {
        let edge = if reverse { &mut self.to } else { &mut self.from };
        let outside = match &*edge {
            Bound::Unbounded => false,
            Bound::Included(end) | Bound::Excluded(end) if reverse => sk > end.as_slice(),
            Bound::Included(end) | Bound::Excluded(end) => sk < end.as_slice(),
        };
        if !outside {
            *edge = Bound::Excluded(sk.to_vec());
        }
        self
    }
}

impl Index {
    /// The entries with this partition value whose sort values meet the condition.
    ///
    /// The partition value of a local index is the table's partition key, whose bytes alone count.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty value, for a number as a local index's partition, for a condition on an index
    /// without sort key, for BEGINS_WITH on a number and for a BETWEEN whose ends are of two types or the wrong way
    /// round; [`Error::Limit`] for a value longer than a key may be.
    ///
    /// ```
    /// use kstone_api::index::{Indexes, KeyCondition, KeyValue};
    /// use kstone_api::{GlobalSecondaryIndex, ItemWriter, TableSchema};
    ///
    /// let by_age = GlobalSecondaryIndex::new("by-age", "team").sort_key("age");
    /// let indexes = Indexes::compile(&TableSchema::new().add_global_index(by_age), &Indexes::default());
    /// let index = indexes.get("by-age").unwrap();
    ///
    /// let mut item = ItemWriter::new();
    /// item.set_str("team", "red")?.set_i64("age", 30)?;
    /// let entry = index.entry(b"user#1", b"", item.as_item(), None)?.unwrap();
    /// let range = index.range(KeyValue::S("red"), KeyCondition::Ge(KeyValue::N("9")))?;
    /// assert_eq!(entry.pk(), range.pk());
    /// assert!(std::ops::RangeBounds::<[u8]>::contains(&range.sort_keys(), entry.sk()));
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn range(&self, partition: KeyValue<'_>, condition: KeyCondition<'_>) -> Result<IndexRange> {
        self.partition.check_operand(partition)?;
        if self.kind == IndexKind::Local && matches!(partition, KeyValue::N(_)) {
            return Err(Error::invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type",
            ));
        }
        let mut pk = Vec::new();
        self.put_partition(partition, partition.as_bytes(), &mut pk);
        let (from, to) = self.sort_key_bounds(condition)?;
        Ok(IndexRange { pk, from, to })
    }

    fn sort_key_bounds(&self, condition: KeyCondition<'_>) -> Result<Bounds> {
        use Bound::{Excluded, Included, Unbounded};
        if condition == KeyCondition::Any {
            return Ok((Unbounded, Unbounded));
        }
        let Some(sort) = &self.sort else { return Err(Error::invalid("Query key condition not supported")) };
        let bytes = |value: KeyValue<'_>| -> Result<Vec<u8>> {
            sort.check_operand(value)?;
            let mut out = Vec::new();
            value.put(&mut out);
            Ok(out)
        };
        let end = |value| bytes(value).map(end_of);
        Ok(match condition {
            KeyCondition::Any => (Unbounded, Unbounded),
            KeyCondition::Eq(value) => (Included(bytes(value)?), Excluded(end(value)?)),
            KeyCondition::Lt(value) => (Included(vec![value.type_byte()]), Excluded(bytes(value)?)),
            KeyCondition::Le(value) => (Included(vec![value.type_byte()]), Excluded(end(value)?)),
            KeyCondition::Gt(value) => (Included(end(value)?), Excluded(vec![value.type_byte() + 1])),
            KeyCondition::Ge(value) => (Included(bytes(value)?), Excluded(vec![value.type_byte() + 1])),
            KeyCondition::Between(low, high) => {
                check_between(low, high)?;
                (Included(bytes(low)?), Excluded(end(high)?))
            }
            KeyCondition::BeginsWith(KeyValue::N(_)) => {
                return Err(Error::invalid(
                    "Incorrect operand type for operator or function; operator or function: begins_with, \
                     operand type: N",
                ));
            }
            KeyCondition::BeginsWith(value) => {
                sort.check_operand(value)?;
                let mut start = Vec::new();
                value.put_start(&mut start);
                (Included(start.clone()), Excluded(end_of(start)))
            }
        })
    }
}

/// The first bytes behind all that begin with these: the last byte that can be raised, raised.
fn end_of(mut start: Vec<u8>) -> Vec<u8> {
    while start.last() == Some(&0xFF) {
        start.pop();
    }
    *start.last_mut().expect("the type's byte is not FF") += 1;
    start
}

fn check_between(low: KeyValue<'_>, high: KeyValue<'_>) -> Result<()> {
    let order = match (low, high) {
        (KeyValue::N(low), KeyValue::N(high)) => number::compare(low, high),
        _ => low.as_bytes().cmp(high.as_bytes()),
    };
    let rule = if low.type_byte() != high.type_byte() {
        "requires same data type for lower and upper bounds"
    } else if order.is_gt() {
        "requires upper bound to be greater than or equal to lower bound"
    } else {
        return Ok(());
    };
    Err(Error::Invalid(format!(
        "The BETWEEN operator {rule}; lower bound operand: AttributeValue: {low}, \
         upper bound operand: AttributeValue: {high}"
    )))
}

#[cfg(test)]
mod tests;
