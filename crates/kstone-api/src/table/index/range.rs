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

use std::borrow::Cow;
use std::ops::Bound;

use crate::error::{Error, Reason, Result};
use kstone_core::key_layout::KeyPart;
use kstone_core::number;

use super::{Index, IndexKind, KeyValue};
use crate::request::key_range::KeyRange;
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

impl<'a> From<SortKeyCondition<KeyValue<'a>>> for KeyCondition<'a> {
    fn from(condition: SortKeyCondition<KeyValue<'a>>) -> Self {
        match condition {
            SortKeyCondition::Any => Self::Any,
            SortKeyCondition::Eq(value) => Self::Eq(value),
            SortKeyCondition::Lt(value) => Self::Lt(value),
            SortKeyCondition::Le(value) => Self::Le(value),
            SortKeyCondition::Gt(value) => Self::Gt(value),
            SortKeyCondition::Ge(value) => Self::Ge(value),
            SortKeyCondition::Between(low, high) => Self::Between(low, high),
            SortKeyCondition::BeginsWith(value) => Self::BeginsWith(value),
        }
    }
}

type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

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
    pub fn range(&self, partition: KeyValue<'_>, condition: KeyCondition<'_>) -> Result<KeyRange> {
        self.range_of(&[partition], &[], condition)
    }

    /// The entries with these values of the partition attributes and of the first sort attributes, whose values of the next
    /// sort attribute meet the condition.
    ///
    /// # Errors
    /// As [`Index::range`], and for values that are not those of all partition attributes.
    pub fn range_of(
        &self,
        partition: &[KeyValue<'_>],
        equal: &[KeyValue<'_>],
        condition: KeyCondition<'_>,
    ) -> Result<KeyRange> {
        if partition.len() != self.partition.len() {
            let (index, names) = (self.name(), self.partition.iter().map(KeyPart::name).collect::<Vec<_>>());
            return Err(Error::from(Reason::PartitionParts { index: index.into(), names: names.join(", ").into() }));
        }
        for (at, value) in partition.iter().enumerate() {
            self.partition_attribute_at(at).map_or(Ok(()), |attribute| attribute.check_operand(*value))?;
        }
        let mut table_pk = Vec::new();
        if self.kind == IndexKind::Local {
            partition.iter().for_each(|value| value.put_table_key(&mut table_pk));
        }
        let mut pk = Vec::new();
        self.put_partition(partition, &table_pk, &mut pk);
        let bounds = self.sort_key_bounds(equal, condition)?;
        Ok(KeyRange::new(pk, bounds))
    }

    /// As [`Index::range`], where a caller names values by their bytes: the text of S and N, the bytes of B.
    ///
    /// # Errors
    /// As [`Index::range`]; [`Error::Invalid`] for bytes that are no value of the attribute's type.
    pub(crate) fn range_of_bytes(&self, partition: &[u8], condition: &SortKeyCondition<&[u8]>) -> Result<KeyRange> {
        let Some(of_partition) = self.partition_attribute_at(0) else { return Err(not_supported()) };
        let partition = of_partition.value_bytes(partition)?;
        let (_, low, high) = condition.parts();
        let of_sort = self.sort_attribute_at(0);
        let bytes = |bytes| of_sort.map_or(Ok(Cow::Borrowed(bytes)), |sort| sort.value_bytes(bytes));
        let is_between = matches!(condition, SortKeyCondition::Between(..));
        let low = if let SortKeyCondition::Any = condition { Cow::Borrowed(low) } else { bytes(low)? };
        let high = if is_between { bytes(high)? } else { Cow::Borrowed(high) };
        let mut operands = [&*low, &*high].into_iter();
        let value = |bytes| of_sort.map_or(KeyValue::of_bytes(bytes), |sort| sort.value_of_bytes(bytes));
        let condition = condition.map(|_| value(operands.next().unwrap_or_default())).into();
        self.range(of_partition.value_of_bytes(&partition), condition)
    }

    fn sort_key_bounds(&self, equal: &[KeyValue<'_>], condition: KeyCondition<'_>) -> Result<Bounds> {
        use Bound::{Excluded, Included, Unbounded};
        let mut prefix = Vec::new();
        for (at, value) in equal.iter().enumerate() {
            self.sort_attribute_at(at).ok_or_else(not_supported)?.check_operand(*value)?;
            value.put(&mut prefix);
        }
        if condition == KeyCondition::Any {
            return Ok(match equal {
                [] => (Unbounded, Unbounded),
                _ => (Included(prefix.clone()), Excluded(end_of(prefix))),
            });
        }
        let sort = self.sort_attribute_at(equal.len()).ok_or_else(not_supported)?;
        let bytes = |value: KeyValue<'_>| -> Result<Vec<u8>> {
            sort.check_operand(value)?;
            let mut out = prefix.clone();
            value.put(&mut out);
            Ok(out)
        };
        let end = |value| bytes(value).map(end_of);
        let of_type = |value: KeyValue<'_>, behind: u8| {
            let mut out = prefix.clone();
            out.push(value.type_byte() + behind);
            out
        };
        Ok(match condition {
            KeyCondition::Any => (Unbounded, Unbounded),
            KeyCondition::Eq(value) => (Included(bytes(value)?), Excluded(end(value)?)),
            KeyCondition::Lt(value) => (Included(of_type(value, 0)), Excluded(bytes(value)?)),
            KeyCondition::Le(value) => (Included(of_type(value, 0)), Excluded(end(value)?)),
            KeyCondition::Gt(value) => (Included(end(value)?), Excluded(of_type(value, 1))),
            KeyCondition::Ge(value) => (Included(bytes(value)?), Excluded(of_type(value, 1))),
            KeyCondition::Between(low, high) => {
                check_between(low, high)?;
                (Included(bytes(low)?), Excluded(end(high)?))
            }
            KeyCondition::BeginsWith(KeyValue::N(_)) => {
                return Err(Error::from(Reason::PrefixOfNumber));
            }
            KeyCondition::BeginsWith(value) => {
                sort.check_operand(value)?;
                let mut start = prefix.clone();
                value.put_start(&mut start);
                (Included(start.clone()), Excluded(end_of(start)))
            }
        })
    }
}

fn not_supported() -> Error {
    Error::from(Reason::KeyConditionUnsupported)
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
    let shown = || (low.to_string().into(), high.to_string().into());
    if low.type_byte() != high.type_byte() {
        let (low, high) = shown();
        return Err(Reason::BoundTypes { low, high }.into());
    }
    if order.is_gt() {
        let (low, high) = shown();
        return Err(Reason::BoundsReversed { low, high }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
