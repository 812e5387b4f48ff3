//! A key attribute of an index: where its value comes from, and what it may be.
//!
//! `pk` and `sk` are the table's key, S where it is UTF-8 and B otherwise, as everywhere; any other name is an
//! attribute of the item. DynamoDB declares one type for a key attribute and refuses all others; types are not declared
//! here, so S, N and B are welcome and the others are refused in the same words.

use crate::error::{Error, Result};
use kstone_core::item::ItemRef;
use kstone_core::key::{PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};

use super::KeyValue;

/// What a key attribute is in its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Partition,
    Sort,
}

impl Role {
    fn max_bytes(self) -> usize {
        match self {
            Self::Partition => PARTITION_KEY_MAX_BYTES,
            Self::Sort => SORT_KEY_MAX_BYTES,
        }
    }
}

/// An item of the table with its key.
#[derive(Clone, Copy)]
pub(super) struct TableItem<'a> {
    pub(super) pk: &'a [u8],
    pub(super) sk: &'a [u8],
    pub(super) item: ItemRef<'a>,
}

/// One of the attributes that make up the key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyAttribute {
    pub(super) name: Box<str>,
    role: Role,
}

impl KeyAttribute {
    pub(super) fn new(name: &str, role: Role) -> Self {
        Self { name: name.into(), role }
    }

    /// The attribute's value in an item, for the index of this name.
    pub(super) fn value_in<'a>(&self, index: &str, source: &TableItem<'a>) -> Result<Option<KeyValue<'a>>> {
        let name = &*self.name;
        let value = match name {
            "pk" => KeyValue::of_bytes(source.pk),
            "sk" if source.sk.is_empty() => return Ok(None),
            "sk" => KeyValue::of_bytes(source.sk),
            _ => {
                let Some(value) = source.item.get(name) else { return Ok(None) };
                KeyValue::of_value(value).ok_or_else(|| {
                    Error::Invalid(format!(
                        "One or more parameter values were invalid: Type mismatch for Index Key {name} \
                         Expected: S, N or B Actual: {} IndexName: {index}",
                        value.type_().name()
                    ))
                })?
            }
        };
        if let Some(kind) = value.empty_kind() {
            return Err(Error::Invalid(format!(
                "One or more parameter values are not valid. A value specified for a secondary index key is not \
                 supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. \
                 IndexName: {index}, IndexKey: {name}"
            )));
        }
        let max = self.role.max_bytes();
        match value.key_bytes() {
            bytes if bytes > max => Err(Error::Invalid(format!(
                "One or more parameter values were invalid: Size limit exceeded for Index Key {name} \
                 Actual Size: {bytes} bytes Max Size: {max} bytes IndexName: {index}"
            ))),
            _ => Ok(Some(value)),
        }
    }

    /// Checks a value that a query compares the attribute with.
    pub(super) fn check_operand(&self, value: KeyValue<'_>) -> Result<()> {
        if let Some(kind) = value.empty_kind() {
            return Err(Error::Invalid(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an \
                 empty {kind} value. Key: {}",
                self.name
            )));
        }
        let (bytes, max) = (value.key_bytes(), self.role.max_bytes());
        if bytes > max {
            let what = match self.role {
                Role::Partition => "Partition key size",
                Role::Sort => "Sort key size",
            };
            return Err(Error::limit(what, kstone_core::error::Unit::Bytes, max, bytes));
        }
        Ok(())
    }
}
