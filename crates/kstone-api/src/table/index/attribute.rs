//! A key attribute of an index: where its value comes from, and what it may be.
//!
//! In an untyped table `pk` and `sk` are the table's key, S where it is UTF-8 and B otherwise, as everywhere; any other name
//! is an attribute of the item. Where the schema declares a type, values of all others are refused in DynamoDB's words; where
//! it declares none, S, N and B are welcome.

use std::borrow::Cow;

use crate::error::{Error, Reason, Result, StorageReason};
use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::key::{KeyRef, PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};
use kstone_core::key_layout::{KeyPart, KeyType};
use kstone_core::{number, utf8};

use crate::expression::Subject;

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

/// An item of the table under its key; that of a typed table shows its key.
#[derive(Clone, Copy)]
pub(super) struct TableItem<'a> {
    pub(super) key: KeyRef<'a>,
    pub(super) item: ItemRef<'a>,
}

impl<'a> TableItem<'a> {
    /// The body of an item under its key.
    pub(super) fn under(key: KeyRef<'a>, item: ItemRef<'a>) -> Self {
        Self { key, item: Subject::under(key, item).item() }
    }
}

/// One of the attributes that make up the key of an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeyAttribute<'i> {
    pub(super) part: &'i KeyPart,
    pub(super) role: Role,
    /// Whether `pk` and `sk` are the table's key.
    pub(super) of_untyped: bool,
}

impl<'i> KeyAttribute<'i> {
    fn name(&self) -> &'i str {
        self.part.name()
    }

    /// The types that its values may have, as refusals say them.
    fn types(&self) -> String {
        let names: Vec<&str> = self.part.types().iter().map(|type_| type_.name()).collect();
        match names.as_slice() {
            [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
            _ => names.concat(),
        }
    }

    /// The attribute's value in an item, for the index of this name.
    pub(super) fn value_in<'a>(&self, index: &str, source: &TableItem<'a>) -> Result<Option<KeyValue<'a>>> {
        let name = self.name();
        let value = match name {
            "pk" if self.of_untyped => KeyValue::of_bytes(source.key.pk()),
            "sk" if self.of_untyped && source.key.sk().is_empty() => return Ok(None),
            "sk" if self.of_untyped => KeyValue::of_bytes(source.key.sk()),
            _ => {
                let Some(value) = source.item.get(name) else { return Ok(None) };
                self.value_of(value).ok_or_else(|| {
                    Error::from(Reason::IndexKeyType {
                        name: name.into(),
                        expected: self.types().to_string().into(),
                        found: value.type_().name(),
                        index: index.into(),
                    })
                })?
            }
        };
        if let Some(kind) = value.empty_kind() {
            return Err(Error::from(Reason::IndexKeyEmpty { kind, index: index.into(), name: name.into() }));
        }
        let max = self.role.max_bytes();
        match value.key_bytes() {
            bytes if bytes > max => {
                Err(Error::from(Reason::IndexKeySize { name: name.into(), bytes, max, index: index.into() }))
            }
            _ => Ok(Some(value)),
        }
    }

    /// A value as one of the attribute's; none where it is of another type.
    fn value_of<'a>(&self, value: ValueRef<'a>) -> Option<KeyValue<'a>> {
        KeyValue::of_value(value).filter(|_| self.part.types().contains(&value.type_()))
    }

    /// The value that a caller names by its bytes, the text of a number or any other text included, in their right form.
    pub(super) fn value_bytes<'a>(&self, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
        match self.part.type_() {
            Some(KeyType::N) => {
                let text = utf8(bytes).map_err(|error| self.part.refuse_text(error))?;
                let canonical = number::canonical(text).map_err(|error| self.part.refuse_number(error))?;
                Ok(match canonical {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                })
            }
            Some(KeyType::S) => {
                Ok(utf8(bytes).map(|_| Cow::Borrowed(bytes)).map_err(|error| self.part.refuse_text(error))?)
            }
            Some(KeyType::B) | None => Ok(Cow::Borrowed(bytes)),
        }
    }

    /// The value of these bytes, as [`KeyAttribute::value_bytes`] gives them.
    pub(super) fn value_of_bytes<'a>(&self, bytes: &'a [u8]) -> KeyValue<'a> {
        let type_ = match self.part.type_() {
            None => return KeyValue::of_bytes(bytes),
            Some(type_) => type_.type_(),
        };
        KeyValue::of_value(ValueRef::from_parts(type_, bytes)).unwrap_or(KeyValue::B(bytes))
    }

    /// Checks a value that a query compares the attribute with.
    pub(super) fn check_operand(&self, value: KeyValue<'_>) -> Result<()> {
        if !self.part.types().contains(&value.type_()) {
            return Err(Error::from(Reason::OperandMistyped));
        }
        if let Some(kind) = value.empty_kind() {
            return Err(Error::from(kstone_core::Error::from(StorageReason::KeyEmpty {
                kind,
                name: self.name().into(),
            })));
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
