//! What a table's keys are made of: the names and the types of the partition key and of the sort key, and how their
//! values lie in a key's bytes.
//!
//! ```text
//! S, B       the bytes as they are                             "ann"    61 6E 6E
//! N          an order-preserving code, number/ordered.rs       12       C1 18
//! untyped    S and B alike, their bytes: shown as S where these are UTF-8, as B in all other cases
//! ```
//! So the order of a key's bytes is the order of its values, and the engine knows nothing of types. A key's attributes
//! lie in the key alone: what writes an item takes them out of it (`item/keyed.rs`), and records carry a label
//! (`label.rs`) by which their items show them again.
//!
//! Thread safety: layouts are immutable.

use std::borrow::Cow;

use crate::error::{Error, OneOf, Reason, Unit};
use crate::value::Type;

/// The most characters of the name of a key attribute, DynamoDB's.
pub const KEY_NAME_MAX_CHARS: usize = 255;

/// The type of an attribute of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyType {
    /// Text.
    S,
    /// A number.
    N,
    /// Bytes.
    B,
}

impl KeyType {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::S, Self::N, Self::B];

    /// DynamoDB's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.type_().name()
    }

    /// The one of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|type_| type_.name() == name)
    }

    /// The type of its values.
    #[must_use]
    pub fn type_(self) -> Type {
        match self {
            Self::S => Type::S,
            Self::N => Type::N,
            Self::B => Type::B,
        }
    }
}

/// An attribute of the key of a table or an index: its name, and the type of its values where the schema declares one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPart {
    name: Cow<'static, str>,
    types: PartTypes,
}

/// The types that the values of a key attribute may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum PartTypes {
    /// The one that is declared.
    One(KeyType),
    /// Those of bytes: S and B, which are the same key.
    Bytes,
    /// All that a key can have.
    Any,
}

impl KeyPart {
    /// An attribute of this name and type.
    pub fn new(name: impl Into<Cow<'static, str>>, type_: KeyType) -> Self {
        Self { name: name.into(), types: PartTypes::One(type_) }
    }

    const fn bytes(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), types: PartTypes::Bytes }
    }

    /// An attribute of this name without a declared type, as the indexes of untyped tables have them: S, N or B.
    pub fn of_any_type(name: impl Into<Cow<'static, str>>) -> Self {
        Self { name: name.into(), types: PartTypes::Any }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its values where one is declared; the keys of an untyped table are bytes, given as S or as B.
    #[must_use]
    pub fn type_(&self) -> Option<KeyType> {
        match self.types {
            PartTypes::One(type_) => Some(type_),
            PartTypes::Bytes | PartTypes::Any => None,
        }
    }

    /// The types that its values may have.
    #[must_use]
    pub fn types(&self) -> &'static [Type] {
        match self.types {
            PartTypes::Bytes => &[Type::S, Type::B],
            PartTypes::Any => &[Type::S, Type::N, Type::B],
            PartTypes::One(KeyType::S) => &[Type::S],
            PartTypes::One(KeyType::N) => &[Type::N],
            PartTypes::One(KeyType::B) => &[Type::B],
        }
    }

    /// What is wrong with a value as this attribute of a key, given its type and payload.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another type, and for a value without bytes: no key attribute is empty.
    pub fn check(&self, found: Type, payload: &[u8]) -> Result<(), Error> {
        if !self.types().contains(&found) {
            return Err(self.refuse_type(found));
        }
        if payload.is_empty() {
            return Err(self.refuse_empty(found));
        }
        Ok(())
    }

    #[cold]
    pub(crate) fn refuse_empty(&self, type_: Type) -> Error {
        let kind = if type_ == Type::B { "binary" } else { "string" };
        Reason::KeyEmpty { kind, name: self.name().into() }.into()
    }

    #[cold]
    fn refuse_type(&self, found: Type) -> Error {
        let expected = OneOf(self.types().iter().map(|type_| type_.name()).collect());
        Reason::KeyType { name: self.name().into(), expected, found: found.name() }.into()
    }
}

/// The names and types of a table's key.
///
/// ```
/// use kstone_core::item::{ItemRef, ItemWriter};
/// use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
/// use kstone_core::record::Record;
/// use kstone_core::typed_key::KeyScratch;
///
/// let user = KeyPart::new("user_id", KeyType::S);
/// let layout = KeyLayout::new(user, Some(KeyPart::new("score", KeyType::N)))?.intern()?;
///
/// let mut item = ItemWriter::new();
/// item.set_str("user_id", "ann")?.set_i64("score", 1200)?.set_bool("active", true)?;
/// let (mut scratch, mut rest) = (KeyScratch::default(), Vec::new());
/// let split = layout.split(item.as_item(), &mut scratch)?;
/// split.put_rest(&mut rest);
/// assert_eq!(ItemRef::new(&rest).iter().count(), 1, "the key attributes live in the key");
///
/// let record = Record::put(split.key, &rest);
/// assert_eq!(record.item().get("score").unwrap().as_number(), Some("1200"));
/// assert_eq!(record.item().iter().count(), 3, "and are shown in the item");
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyLayout {
    partition: KeyPart,
    sort: Option<KeyPart>,
}

/// The layout of a table whose schema says nothing of keys.
static UNTYPED: KeyLayout = KeyLayout { partition: KeyPart::bytes("pk"), sort: Some(KeyPart::bytes("sk")) };

impl KeyLayout {
    /// A key of these attributes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for two of one name and for an empty name, [`Error::Limit`] for one that is too long.
    pub fn new(partition: KeyPart, sort: Option<KeyPart>) -> Result<Self, Error> {
        for part in std::iter::once(&partition).chain(&sort) {
            match part.name.chars().count() {
                0 => return Err(Reason::EmptyKeyName.into()),
                found if found > KEY_NAME_MAX_CHARS => {
                    return Err(Error::limit("Key attribute name", Unit::Characters, KEY_NAME_MAX_CHARS, found));
                }
                _ => {}
            }
        }
        if sort.as_ref().is_some_and(|sort| sort.name == partition.name) {
            let name = &partition.name;
            return Err(Reason::KeyNamedTwice { name: (&**name).into() }.into());
        }
        Ok(Self { partition, sort })
    }

    /// The key of an untyped table: `pk` and, where an item has one, `sk`, which are bytes.
    #[must_use]
    pub const fn untyped() -> &'static Self {
        &UNTYPED
    }

    /// Whether the table declares the types of its key. An item of a typed table has all attributes of its key; in an
    /// untyped one S and B of the same bytes are the same key, and the sort key may be missing.
    #[must_use]
    #[inline]
    pub fn is_typed(&self) -> bool {
        self.partition.type_().is_some()
    }

    /// The partition key.
    #[must_use]
    pub fn partition(&self) -> &KeyPart {
        &self.partition
    }

    /// The sort key; none where the key is the partition key alone.
    #[must_use]
    pub fn sort(&self) -> Option<&KeyPart> {
        self.sort.as_ref()
    }

    /// The partition key, as a list of one.
    #[must_use]
    pub const fn partitions(&self) -> &[KeyPart] {
        std::slice::from_ref(&self.partition)
    }

    /// The sort key, as a list of one or none.
    #[must_use]
    pub const fn sorts(&self) -> &[KeyPart] {
        self.sort.as_slice()
    }

    /// The partition key and, where there is one, the sort key.
    pub fn parts(&self) -> impl Iterator<Item = &KeyPart> {
        std::iter::once(&self.partition).chain(&self.sort)
    }

    /// Whether an attribute of this name is part of the key.
    #[must_use]
    #[inline]
    pub fn has(&self, name: &str) -> bool {
        *self.partition.name == *name || self.sort.as_ref().is_some_and(|sort| *sort.name == *name)
    }
}

#[cfg(test)]
mod tests;
