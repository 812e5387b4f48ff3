//! What a table's keys are made of: the names and the types of the partition key and of the sort key, and how their
//! values lie in a key's bytes.
//!
//! ```text
//! S, B       the bytes as they are                             "ann"    61 6E 6E
//! N          an order-preserving code, number/ordered.rs       12       C1 18
//! untyped    S and B alike, their bytes: shown as S where these are UTF-8, as B in all other cases
//! ```
//! So the order of a key's bytes is the order of its values, and the engine knows nothing of types. A key's attributes
//! lie in the key alone: who writes an item [takes](KeyPart::encode) them out of it, who reads one [sees](KeyView) them
//! in it.
//!
//! Thread safety: layouts are immutable; a [`KeyView`] belongs to one thread.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use crate::buffer::{Buffer, StackBuffer};
use crate::error::{Error, Unit};
use crate::item::ValueRef;
use crate::key::{PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};
use crate::number::ordered;
use crate::utf8;
use crate::value::Type;

/// The most characters of the name of a key attribute, DynamoDB's.
pub const KEY_NAME_MAX_CHARS: usize = 255;

/// The type of an attribute of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// An attribute of a table's key: its name, and the type of its values where the table declares one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    name: Cow<'static, str>,
    type_: Option<KeyType>,
}

impl KeyPart {
    /// An attribute of this name and type.
    pub fn new(name: impl Into<Cow<'static, str>>, type_: KeyType) -> Self {
        Self { name: name.into(), type_: Some(type_) }
    }

    const fn bytes(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), type_: None }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its values; none in an untyped table, where they are bytes, given as S or as B.
    #[must_use]
    pub fn type_(&self) -> Option<KeyType> {
        self.type_
    }

    /// The types that its values may have.
    #[must_use]
    pub fn types(&self) -> &'static [Type] {
        match self.type_ {
            None => &[Type::S, Type::B],
            Some(KeyType::S) => &[Type::S],
            Some(KeyType::N) => &[Type::N],
            Some(KeyType::B) => &[Type::B],
        }
    }

    /// Appends a value's bytes, as they lie in a key. Allocates nothing.
    ///
    /// # Errors
    /// [`KeyFault::WrongType`], and [`KeyFault::Empty`]: no key attribute is empty.
    pub fn encode(&self, value: ValueRef<'_>, out: &mut impl Buffer) -> Result<(), KeyFault> {
        let found = value.type_();
        if !self.types().contains(&found) {
            return Err(KeyFault::WrongType { name: self.name.as_ref().into(), expected: self.types(), found });
        }
        if value.payload().is_empty() {
            return Err(KeyFault::Empty { name: self.name.as_ref().into(), type_: found });
        }
        match value.as_number() {
            Some(number) => ordered::encode(number, out),
            None => out.extend_from_slice(value.payload()),
        }
        Ok(())
    }

    /// The value of these bytes of a key, the digits of a number being put into `digits`; none where the key lacks this
    /// part, or where a number is to be read from bytes that are none.
    pub fn decode<'a>(&self, key: &'a [u8], digits: &'a mut impl Buffer) -> Option<ValueRef<'a>> {
        match self.type_ {
            Some(KeyType::N) => number(key, digits).map(|()| ValueRef::from_parts(Type::N, &*digits)),
            _ => self.plain(key),
        }
    }

    /// The value of these bytes, which are no number's.
    #[inline]
    fn plain<'a>(&self, key: &'a [u8]) -> Option<ValueRef<'a>> {
        let type_ = match self.type_ {
            None if utf8(key).is_err() => Type::B,
            None | Some(KeyType::S) => Type::S,
            Some(_) => Type::B,
        };
        (!key.is_empty()).then(|| ValueRef::from_parts(type_, key))
    }
}

/// The names and types of a table's key.
///
/// ```
/// use kstone_core::item::ItemWriter;
/// use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType, KeyView};
///
/// let user = KeyPart::new("user_id", KeyType::S);
/// let layout = KeyLayout::new(user, Some(KeyPart::new("score", KeyType::N)))?;
///
/// // Into the key: a number's bytes order as numbers do.
/// let mut item = ItemWriter::new();
/// item.set_str("user_id", "ann")?.set_i64("score", 1200)?;
/// let (mut pk, mut sk) = (Vec::new(), Vec::new());
/// layout.partition().encode(item.as_item().get("user_id").unwrap(), &mut pk)?;
/// layout.sort().unwrap().encode(item.as_item().get("score").unwrap(), &mut sk)?;
///
/// // And out of it.
/// let key = KeyView::new(&layout, &pk, &sk);
/// assert_eq!(key.get("user_id").unwrap().as_str(), Some("ann"));
/// assert_eq!(key.get("score").unwrap().as_number(), Some("1200"));
/// assert!(key.get("pk").is_none());
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
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
                0 => return Err(Error::invalid("the name of a key attribute cannot be empty")),
                found if found > KEY_NAME_MAX_CHARS => {
                    return Err(Error::limit("Key attribute name", Unit::Characters, KEY_NAME_MAX_CHARS, found));
                }
                _ => {}
            }
        }
        if sort.as_ref().is_some_and(|sort| sort.name == partition.name) {
            let name = &partition.name;
            return Err(Error::invalid(format!("partition key and sort key are both called {name}: they are two")));
        }
        Ok(Self { partition, sort })
    }

    /// The key of an untyped table: `pk` and, where an item has one, `sk`, which are bytes.
    #[must_use]
    pub fn untyped() -> &'static Self {
        &UNTYPED
    }

    /// Whether the table declares the types of its key. An item of a typed table has all attributes of its key; in an
    /// untyped one S and B of the same bytes are the same key, and the sort key may be missing.
    #[must_use]
    #[inline]
    pub fn is_typed(&self) -> bool {
        self.partition.type_.is_some()
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

    /// Whether an attribute of this name is part of the key.
    #[must_use]
    #[inline]
    pub fn has(&self, name: &str) -> bool {
        *self.partition.name == *name || self.sort.as_ref().is_some_and(|sort| *sort.name == *name)
    }

    /// Refuses bytes that are too long for a key.
    ///
    /// # Errors
    /// [`KeyFault::TooLong`], of the partition key first.
    pub fn check_lengths(&self, pk: &[u8], sk: &[u8]) -> Result<(), KeyFault> {
        let too_long = |what, limit, key: &[u8]| KeyFault::TooLong { what, limit, found: key.len() };
        match () {
            () if pk.len() > PARTITION_KEY_MAX_BYTES => {
                Err(too_long("Partition key size", PARTITION_KEY_MAX_BYTES, pk))
            }
            () if sk.len() > SORT_KEY_MAX_BYTES => Err(too_long("Sort key size", SORT_KEY_MAX_BYTES, sk)),
            () => Ok(()),
        }
    }
}

/// Why a value cannot be an attribute of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// The item has no such attribute.
    Missing {
        /// The attribute.
        name: Box<str>,
    },
    /// The value is of another type than the key declares.
    WrongType {
        /// The attribute.
        name: Box<str>,
        /// The types that it may have.
        expected: &'static [Type],
        /// The type that it has.
        found: Type,
    },
    /// The value has no bytes.
    Empty {
        /// The attribute.
        name: Box<str>,
        /// Its type.
        type_: Type,
    },
    /// The value has too many bytes.
    TooLong {
        /// What is too long.
        what: &'static str,
        /// The most bytes.
        limit: usize,
        /// The bytes that it has.
        found: usize,
    },
}

impl fmt::Display for KeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name } => {
                write!(f, "One or more parameter values were invalid: Missing the key {name} in the item")
            }
            Self::WrongType { name, expected, found } => {
                let expected: Vec<&str> = expected.iter().map(|type_| type_.name()).collect();
                let (expected, found) = (expected.join(" or "), found.name());
                write!(
                    f,
                    "One or more parameter values were invalid: Type mismatch for key {name} expected: {expected} \
                     actual: {found}"
                )
            }
            Self::Empty { name, type_ } => {
                let kind = if *type_ == Type::B { "binary" } else { "string" };
                write!(
                    f,
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain \
                     an empty {kind} value. Key: {name}"
                )
            }
            Self::TooLong { what, limit, found } => Error::limit(what, Unit::Bytes, *limit, *found).fmt(f),
        }
    }
}

impl From<KeyFault> for Error {
    fn from(fault: KeyFault) -> Self {
        match fault {
            KeyFault::TooLong { what, limit, found } => Self::limit(what, Unit::Bytes, limit, found),
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// Appends the digits of the number that these bytes of a key are.
fn number(mut key: &[u8], digits: &mut impl Buffer) -> Option<()> {
    ordered::decode_to(&mut key, digits)?;
    key.is_empty().then_some(())
}

/// The digits of most numbers.
type Digits = StackBuffer<48>;

/// A key seen as the attributes that it is. Numbers are decoded when they are first asked for.
pub struct KeyView<'a> {
    layout: &'a KeyLayout,
    pk: &'a [u8],
    sk: &'a [u8],
    digits: [OnceCell<Option<Digits>>; 2],
}

impl<'a> KeyView<'a> {
    /// The key of these bytes; an empty `sk` is none. Costs nothing.
    #[must_use]
    #[inline]
    pub const fn new(layout: &'a KeyLayout, pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self { layout, pk, sk, digits: [const { OnceCell::new() }; 2] }
    }

    /// The layout that it is seen through.
    #[must_use]
    #[inline]
    pub fn layout(&self) -> &'a KeyLayout {
        self.layout
    }

    /// The bytes of the partition key.
    #[must_use]
    #[inline]
    pub fn pk(&self) -> &'a [u8] {
        self.pk
    }

    /// The bytes of the sort key; empty where there is none.
    #[must_use]
    #[inline]
    pub fn sk(&self) -> &'a [u8] {
        self.sk
    }

    /// The value of the attribute of this name, where the key has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        let (partition, sort) = (&self.layout.partition, self.layout.sort.as_ref());
        if *partition.name == *name {
            return self.value(partition, self.pk, 0);
        }
        sort.filter(|sort| *sort.name == *name).and_then(|sort| self.value(sort, self.sk, 1))
    }

    /// The attributes that the key has, ascending by name.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let partition = (&self.layout.partition, self.pk, 0);
        let mut parts = [Some(partition), self.layout.sort.as_ref().map(|sort| (sort, self.sk, 1))];
        parts.sort_by_key(|part| part.map(|(part, ..)| &part.name));
        parts.into_iter().flatten().filter_map(|(part, key, at)| Some((part.name(), self.value(part, key, at)?)))
    }

    #[inline]
    fn value<'s>(&'s self, part: &KeyPart, key: &'s [u8], at: usize) -> Option<ValueRef<'s>> {
        if part.type_ != Some(KeyType::N) {
            return part.plain(key);
        }
        let digits = self.digits[at].get_or_init(|| {
            let mut digits = Digits::new();
            number(key, &mut digits).map(|()| digits)
        });
        digits.as_ref().map(|digits| ValueRef::from_parts(Type::N, digits))
    }
}

impl fmt::Debug for KeyView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.attributes()).finish()
    }
}

#[cfg(test)]
mod tests;
