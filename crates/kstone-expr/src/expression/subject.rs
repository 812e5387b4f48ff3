//! What an expression looks at: an item under its key, or that there is none.
//!
//! Thread safety: a plain borrow, `Copy`; what borrows a [`KeyView`] belongs to that one's thread.

use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::key_layout::KeyView;
use kstone_core::record::Record;
use kstone_core::utf8;
use kstone_core::value::Type;

/// The name of the attribute that stands for the partition key of an untyped table.
pub(super) const PARTITION_KEY: &str = "pk";
/// The name of the attribute that stands for the sort key of an untyped table.
pub(super) const SORT_KEY: &str = "sk";

/// The key of an item: the bytes of an untyped table, or seen through a table's layout.
#[derive(Debug, Clone, Copy)]
pub enum SubjectKey<'a> {
    /// Partition key and sort key as the attributes `pk` and `sk`; an empty sort key is none.
    Bytes(&'a [u8], &'a [u8]),
    /// The attributes that the table's layout names.
    Seen(&'a KeyView<'a>),
}

impl<'a> SubjectKey<'a> {
    /// The bytes of the partition key; empty where there is no item.
    #[must_use]
    #[inline]
    pub fn pk(self) -> &'a [u8] {
        match self {
            Self::Bytes(pk, _) => pk,
            Self::Seen(key) => key.pk(),
        }
    }

    /// The bytes of the sort key; empty where there is none.
    #[must_use]
    #[inline]
    pub fn sk(self) -> &'a [u8] {
        match self {
            Self::Bytes(_, sk) => sk,
            Self::Seen(key) => key.sk(),
        }
    }

    /// Whether the key's attributes are bytes without types of their own.
    #[inline]
    pub(super) fn is_untyped(self) -> bool {
        match self {
            Self::Bytes(..) => true,
            Self::Seen(key) => !key.layout().is_typed(),
        }
    }
}

/// An item under its key, or no item: then it has no attribute at all, not even those of a key.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    key: SubjectKey<'a>,
    item: ItemRef<'a>,
}

impl Default for Subject<'_> {
    fn default() -> Self {
        Self::absent()
    }
}

impl<'a> Subject<'a> {
    /// An item of an untyped table under this key; an empty `sk` is none.
    #[must_use]
    pub const fn new(pk: &'a [u8], sk: &'a [u8], item: ItemRef<'a>) -> Self {
        Self { key: SubjectKey::Bytes(pk, sk), item }
    }

    /// An item under its key.
    ///
    /// ```
    /// use kstone_core::item::ItemRef;
    /// use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType, KeyView};
    /// use kstone_expr::expression::{Binder, Condition, Kind, Parameters, Subject, SubjectKey};
    ///
    /// let layout = KeyLayout::new(KeyPart::new("user_id", KeyType::S), None)?;
    /// let nothing = Parameters::new();
    /// let mut binder = Binder::for_table(&nothing, &layout);
    /// let condition = Condition::parse(Kind::Condition, "attribute_exists(user_id)", &mut binder)?;
    /// let key = KeyView::new(&layout, b"ann", b"");
    /// assert!(condition.evaluate(&Subject::under(SubjectKey::Seen(&key), ItemRef::new(&[]))));
    /// # Ok::<(), kstone_expr::Error>(())
    /// ```
    #[must_use]
    pub const fn under(key: SubjectKey<'a>, item: ItemRef<'a>) -> Self {
        Self { key, item }
    }

    /// That there is no item.
    #[must_use]
    pub fn absent() -> Self {
        Self { key: SubjectKey::Bytes(&[], &[]), item: ItemRef::default() }
    }

    /// The item of a record of an untyped table; none for a tombstone.
    #[must_use]
    pub fn of_record(record: &'a Record) -> Self {
        if record.is_tombstone() { Self::absent() } else { Self::new(record.pk(), record.sk(), record.item()) }
    }

    /// Whether there is an item.
    #[must_use]
    #[inline]
    pub fn is_present(&self) -> bool {
        !self.pk().is_empty()
    }

    /// The item, without its key.
    #[must_use]
    pub fn item(&self) -> ItemRef<'a> {
        self.item
    }

    /// The key.
    #[must_use]
    #[inline]
    pub fn key(&self) -> SubjectKey<'a> {
        self.key
    }

    /// The bytes of the partition key; empty where there is no item.
    #[must_use]
    pub fn pk(&self) -> &'a [u8] {
        self.key.pk()
    }

    /// The bytes of the sort key; empty where there is none.
    #[must_use]
    pub fn sk(&self) -> &'a [u8] {
        self.key.sk()
    }

    /// Whether an attribute of this name is part of the key.
    #[inline]
    pub(super) fn is_key(&self, name: &str) -> bool {
        match self.key {
            SubjectKey::Bytes(..) => is_untyped_key(name),
            SubjectKey::Seen(key) => key.layout().has(name),
        }
    }

    /// The attribute of this name, of the key or of the item.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ValueRef<'a>> {
        match (self.key, name) {
            (SubjectKey::Bytes(pk, _), PARTITION_KEY) => key_value(pk),
            (SubjectKey::Bytes(_, sk), SORT_KEY) => key_value(sk),
            (SubjectKey::Seen(key), name) if key.layout().has(name) => key.get(name),
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
