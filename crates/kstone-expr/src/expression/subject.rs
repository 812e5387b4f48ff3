//! What an expression looks at: an item under its key, or that there is none.
//!
//! Thread safety: a plain borrow, `Copy`.

use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::record::Record;
use kstone_core::utf8;
use kstone_core::value::Type;

/// The name of the attribute that stands for the partition key.
pub(super) const PARTITION_KEY: &str = "pk";
/// The name of the attribute that stands for the sort key.
pub(super) const SORT_KEY: &str = "sk";

/// An item under its key, or no item: then it has no attribute at all, not even `pk`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    pk: &'a [u8],
    sk: &'a [u8],
    item: ItemRef<'a>,
}

impl<'a> Subject<'a> {
    /// An item under this key; an empty `sk` is none.
    #[must_use]
    pub const fn new(pk: &'a [u8], sk: &'a [u8], item: ItemRef<'a>) -> Self {
        Self { pk, sk, item }
    }

    /// That there is no item.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// The item of a record; none for a tombstone.
    #[must_use]
    pub fn of_record(record: &'a Record) -> Self {
        if record.is_tombstone() { Self::absent() } else { Self::new(record.pk(), record.sk(), record.item()) }
    }

    /// The item, without its key.
    #[must_use]
    pub fn item(&self) -> ItemRef<'a> {
        self.item
    }

    /// The partition key; empty where there is no item.
    #[must_use]
    pub fn pk(&self) -> &'a [u8] {
        self.pk
    }

    /// The sort key; empty where there is none.
    #[must_use]
    pub fn sk(&self) -> &'a [u8] {
        self.sk
    }

    /// Whether an attribute of this name is the key.
    pub(super) fn is_key(name: &str) -> bool {
        matches!(name, PARTITION_KEY | SORT_KEY)
    }

    /// The attribute of this name, `pk` and `sk` being the key.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ValueRef<'a>> {
        match name {
            PARTITION_KEY => key_value(self.pk),
            SORT_KEY => key_value(self.sk),
            _ => self.item.get(name),
        }
    }
}

/// A key as it is shown: S where it is UTF-8, B otherwise; none where it is empty. Where it is compared its type does
/// not matter.
#[must_use]
pub fn key_value(key: &[u8]) -> Option<ValueRef<'_>> {
    let type_ = if utf8(key).is_ok() { Type::S } else { Type::B };
    (!key.is_empty()).then(|| ValueRef::from_parts(type_, key))
}
