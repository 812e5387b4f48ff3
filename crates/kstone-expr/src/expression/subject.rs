//! What an expression looks at: an item under its key, or that there is none.
//!
//! Thread safety: a plain borrow, `Copy`.

use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::label::NamedKey;
use kstone_core::record::{Record, RecordRef};
use kstone_core::utf8;
use kstone_core::value::Type;

/// The name of the attribute that stands for the partition key of an untyped table.
pub(super) const PARTITION_KEY: &str = "pk";
/// The name of the attribute that stands for the sort key of an untyped table.
pub(super) const SORT_KEY: &str = "sk";

/// An item under its key, or no item: then it has no attribute at all, not even those of a key. An item of a typed table
/// shows its key among its attributes; in that of an untyped one `pk` and `sk` are the key, which is bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    pk: &'a [u8],
    sk: &'a [u8],
    item: ItemRef<'a>,
}

impl<'a> Subject<'a> {
    /// An item under the bytes of its key; an empty `sk` is none.
    #[must_use]
    pub const fn new(pk: &'a [u8], sk: &'a [u8], item: ItemRef<'a>) -> Self {
        Self { pk, sk, item }
    }

    /// The body of an item under its key, which an item of a typed table shows.
    ///
    /// ```
    /// use kstone_core::item::ItemRef;
    /// use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
    /// use kstone_core::typed_key::KeyScratch;
    /// use kstone_expr::expression::{Binder, Condition, Kind, Parameters, Subject};
    ///
    /// let layout = KeyLayout::new(KeyPart::new("user_id", KeyType::S), None)?;
    /// let nothing = Parameters::new();
    /// let mut binder = Binder::for_table(&nothing, &layout);
    /// let condition = Condition::parse(Kind::Condition, "attribute_exists(user_id)", &mut binder)?;
    /// let mut scratch = KeyScratch::default();
    /// let key = layout.intern()?.key_of_bytes(b"ann", b"", &mut scratch)?;
    /// assert!(condition.evaluate(&Subject::under(key, ItemRef::new(&[]))));
    /// # Ok::<(), kstone_expr::Refusal>(())
    /// ```
    #[must_use]
    pub fn under(key: KeyRef<'a>, item: ItemRef<'a>) -> Self {
        let (pk, sk) = (key.pk(), key.sk());
        Self { pk, sk, item: item.with_key(NamedKey::new(pk, sk, key.label())) }
    }

    /// That there is no item.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// The item of a record; none for a tombstone.
    #[inline]
    #[must_use]
    pub fn of_record(record: &'a Record) -> Self {
        if record.is_tombstone() {
            return Self::absent();
        }
        let (pk, sk, item) = RecordRef::from(record).key_and_item();
        Self::new(pk, sk, item)
    }

    /// Whether there is an item.
    #[must_use]
    #[inline]
    pub fn is_present(&self) -> bool {
        !self.pk().is_empty()
    }

    /// The item; without its key in an untyped table.
    #[must_use]
    pub fn item(&self) -> ItemRef<'a> {
        self.item
    }

    /// The bytes of the partition key; empty where there is no item.
    #[must_use]
    pub fn pk(&self) -> &'a [u8] {
        self.pk
    }

    /// The bytes of the sort key; empty where there is none.
    #[must_use]
    pub fn sk(&self) -> &'a [u8] {
        self.sk
    }

    /// Whether an attribute of this name is the key of an untyped table.
    #[inline]
    pub(super) fn is_key(&self, name: &str) -> bool {
        is_untyped_key(name) && self.item.named_key().is_none()
    }

    /// The attribute of this name, of the key or of the item.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ValueRef<'a>> {
        match name {
            PARTITION_KEY if self.is_key(name) => key_value(self.pk),
            SORT_KEY if self.is_key(name) => key_value(self.sk),
            _ => self.item.get(name),
        }
    }
}

/// Whether an untyped table's key has an attribute of this name.
#[inline]
pub(super) fn is_untyped_key(name: &str) -> bool {
    matches!(name, PARTITION_KEY | SORT_KEY)
}

/// A key of an untyped table as it is shown: S where it is UTF-8, B otherwise; none where it is empty. Where it is
/// compared its type does not matter.
#[must_use]
pub fn key_value(key: &[u8]) -> Option<ValueRef<'_>> {
    let type_ = if utf8(key).is_ok() { Type::S } else { Type::B };
    (!key.is_empty()).then(|| ValueRef::from_parts(type_, key))
}
