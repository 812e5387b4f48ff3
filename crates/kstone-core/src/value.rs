//! An attribute's value as an owned Rust type, and the item as a map of them.
//!
//! [`Value`] is what Rust callers build and read; inside the engine an item is one buffer (see [`crate::item`]). The
//! types are DynamoDB's ten. A `Value` can hold what no item may (an empty set, text that is no number): the put that
//! encodes it refuses it, so that building a value never fails.
//!
//! Equality is DynamoDB's: numbers are equal however they are written, sets are equal whatever their order.
//!

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use bytes::Bytes;

use crate::number;

mod json;

/// How many lists and maps may hold each other.
pub const MAX_NESTING_LEVELS: usize = 32;

/// An item: its attributes by name.
pub type Item = HashMap<String, Value>;

/// The type of a value. The codes are part of the stored form and of the C ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Type {
    /// Text.
    S = 1,
    /// A number.
    N = 2,
    /// Bytes.
    B = 3,
    /// True or false.
    Bool = 4,
    /// Null.
    Null = 5,
    /// A list.
    L = 6,
    /// A map.
    M = 7,
    /// A set of texts.
    SS = 8,
    /// A set of numbers.
    NS = 9,
    /// A set of bytes.
    BS = 10,
}

impl Type {
    /// All types, by ascending code.
    pub const ALL: [Self; 10] =
        [Self::S, Self::N, Self::B, Self::Bool, Self::Null, Self::L, Self::M, Self::SS, Self::NS, Self::BS];

    /// The type of this code.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        // Not out of a table: types are their codes, so this is a comparison.
        Some(match code {
            1 => Self::S,
            2 => Self::N,
            3 => Self::B,
            4 => Self::Bool,
            5 => Self::Null,
            6 => Self::L,
            7 => Self::M,
            8 => Self::SS,
            9 => Self::NS,
            10 => Self::BS,
            _ => return None,
        })
    }

    /// The type's code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// DynamoDB's name of the type: `S`, `N`, `B`, `BOOL`, `NULL`, `L`, `M`, `SS`, `NS` or `BS`.
    ///
    /// ```
    /// use kstone_core::value::Type;
    ///
    /// assert_eq!(Type::Bool.name(), "BOOL");
    /// assert_eq!(Type::from_code(Type::Bool.code()), Some(Type::Bool));
    /// assert_eq!(Type::from_code(11), None);
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::S => "S",
            Self::N => "N",
            Self::B => "B",
            Self::Bool => "BOOL",
            Self::Null => "NULL",
            Self::L => "L",
            Self::M => "M",
            Self::SS => "SS",
            Self::NS => "NS",
            Self::BS => "BS",
        }
    }

    /// The type of a set's elements; none of a type that is no set.
    #[must_use]
    pub fn element(self) -> Option<Self> {
        match self {
            Self::SS => Some(Self::S),
            Self::NS => Some(Self::N),
            Self::BS => Some(Self::B),
            _ => None,
        }
    }

    /// The type of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|type_| type_.name() == name)
    }
}

/// An attribute's value.
///
/// ```
/// use kstone_core::value::Value;
///
/// let age = Value::number(30);
/// assert_eq!(age.as_number(), Some(&"30".to_string()));
/// assert_eq!(age, Value::number("30.0"));
/// assert_eq!(age.as_string(), None);
/// ```
#[derive(Debug, Clone)]
pub enum Value {
    /// Text.
    S(String),
    /// A number as decimal text; see [`crate::number`] for what is one.
    N(String),
    /// Bytes.
    B(Bytes),
    /// True or false.
    Bool(bool),
    /// Null.
    Null,
    /// A list.
    L(Vec<Value>),
    /// A map.
    M(HashMap<String, Value>),
    /// A set of texts, in any order; empty sets and duplicates are refused when the value is stored.
    SS(Vec<String>),
    /// A set of numbers, in any order; the same number written in two ways is a duplicate.
    NS(Vec<String>),
    /// A set of bytes, in any order.
    BS(Vec<Bytes>),
}

impl Value {
    /// Text.
    pub fn string(text: impl Into<String>) -> Self {
        Self::S(text.into())
    }

    /// A number: any integer, a float (its shortest decimal that reads back as the same float) or decimal text.
    ///
    /// Never fails: a float that is not finite, or text that is no number, is refused when the value is stored.
    pub fn number(number: impl ToNumber) -> Self {
        Self::N(number.to_number())
    }

    /// Bytes, copied. `Value::B` takes [`Bytes`] without a copy.
    pub fn binary(bytes: impl AsRef<[u8]>) -> Self {
        Self::B(Bytes::copy_from_slice(bytes.as_ref()))
    }

    /// True or false.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::Bool(value)
    }

    /// Null.
    #[must_use]
    pub fn null() -> Self {
        Self::Null
    }

    /// A list.
    pub fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::L(values.into_iter().collect())
    }

    /// A map. Of a name given twice the last value stays.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::M(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }

    /// A set of texts.
    pub fn string_set<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::SS(texts.into_iter().map(Into::into).collect())
    }

    /// A set of numbers.
    pub fn number_set<T: ToNumber>(numbers: impl IntoIterator<Item = T>) -> Self {
        Self::NS(numbers.into_iter().map(|number| number.to_number()).collect())
    }

    /// A set of bytes, copied.
    pub fn binary_set<T: AsRef<[u8]>>(elements: impl IntoIterator<Item = T>) -> Self {
        Self::BS(elements.into_iter().map(|bytes| Bytes::copy_from_slice(bytes.as_ref())).collect())
    }

    /// The value's type.
    #[must_use]
    pub fn type_(&self) -> Type {
        match self {
            Self::S(_) => Type::S,
            Self::N(_) => Type::N,
            Self::B(_) => Type::B,
            Self::Bool(_) => Type::Bool,
            Self::Null => Type::Null,
            Self::L(_) => Type::L,
            Self::M(_) => Type::M,
            Self::SS(_) => Type::SS,
            Self::NS(_) => Type::NS,
            Self::BS(_) => Type::BS,
        }
    }

    /// The text of an S.
    #[must_use]
    pub fn as_string(&self) -> Option<&str> {
        if let Self::S(text) = self { Some(text) } else { None }
    }

    /// The decimal text of an N, canonical if the value was read from a database.
    #[must_use]
    pub fn as_number(&self) -> Option<&String> {
        if let Self::N(text) = self { Some(text) } else { None }
    }

    /// The bytes of an S, N or B, such as serve as a key; empty for every other type.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::S(text) | Self::N(text) => text.as_bytes(),
            Self::B(bytes) => bytes,
            _ => &[],
        }
    }

    /// The bytes of a B.
    #[must_use]
    pub fn as_binary(&self) -> Option<&Bytes> {
        if let Self::B(bytes) = self { Some(bytes) } else { None }
    }

    /// What a BOOL says.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Whether this is NULL.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The values of an L.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::L(values) = self { Some(values) } else { None }
    }

    /// The entries of an M.
    #[must_use]
    pub fn as_map(&self) -> Option<&HashMap<String, Self>> {
        if let Self::M(entries) = self { Some(entries) } else { None }
    }

    /// The texts of an SS.
    #[must_use]
    pub fn as_string_set(&self) -> Option<&[String]> {
        if let Self::SS(texts) = self { Some(texts) } else { None }
    }

    /// The numbers of an NS.
    #[must_use]
    pub fn as_number_set(&self) -> Option<&[String]> {
        if let Self::NS(numbers) = self { Some(numbers) } else { None }
    }

    /// The elements of a BS.
    #[must_use]
    pub fn as_binary_set(&self) -> Option<&[Bytes]> {
        if let Self::BS(elements) = self { Some(elements) } else { None }
    }
}

/// Numbers are equal however written, sets whatever their order. Sets cost a sort.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::S(a), Self::S(b)) => a == b,
            (Self::N(a), Self::N(b)) => a == b || canonical_or_raw(a) == canonical_or_raw(b),
            (Self::B(a), Self::B(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Null, Self::Null) => true,
            (Self::L(a), Self::L(b)) => a == b,
            (Self::M(a), Self::M(b)) => a == b,
            (Self::SS(a), Self::SS(b)) => sorted(a) == sorted(b),
            (Self::NS(a), Self::NS(b)) => sorted_numbers(a) == sorted_numbers(b),
            (Self::BS(a), Self::BS(b)) => sorted(a) == sorted(b),
            _ => false,
        }
    }
}

impl Eq for Value {}

/// Canonical text, or the text itself where it is no number: then only the same text equals it.
fn canonical_or_raw(text: &str) -> Cow<'_, str> {
    number::canonical(text).unwrap_or(Cow::Borrowed(text))
}

fn sorted<T: Ord>(elements: &[T]) -> Vec<&T> {
    let mut sorted: Vec<&T> = elements.iter().collect();
    sorted.sort_unstable();
    sorted
}

/// Sorted as text: any one order will do to compare sets.
fn sorted_numbers(numbers: &[String]) -> Vec<Cow<'_, str>> {
    let mut sorted: Vec<_> = numbers.iter().map(|text| canonical_or_raw(text)).collect();
    sorted.sort_unstable();
    sorted
}

/// What can be given as a number: every integer type, `f32`, `f64` and decimal text.
///
/// The text is made here and checked when the value is stored, so this cannot fail.
pub trait ToNumber {
    /// The decimal text. Integers and finite floats in range give canonical text.
    fn to_number(&self) -> String;
}

macro_rules! integers_are_numbers {
    ($($integer:ty)*) => {$(
        impl ToNumber for $integer {
            fn to_number(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
integers_are_numbers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

macro_rules! floats_are_numbers {
    ($($float:ty)*) => {$(
        /// The shortest decimal that reads back as the same float. What is not finite becomes text that is no number.
        impl ToNumber for $float {
            fn to_number(&self) -> String {
                // Zero apart, because "-0" is not how zero is written.
                if self.partial_cmp(&0.0) == Some(Ordering::Equal) { "0".to_owned() } else { self.to_string() }
            }
        }
    )*};
}
floats_are_numbers!(f32 f64);

/// Kept as written, for instance where more digits are needed than a float has.
impl ToNumber for &str {
    fn to_number(&self) -> String {
        (*self).to_owned()
    }
}

/// Kept as written.
impl ToNumber for String {
    fn to_number(&self) -> String {
        self.clone()
    }
}

macro_rules! value_from {
    ($($from:ty => $make:expr),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(from: $from) -> Self {
                $make(from)
            }
        }
    )*};
}
value_from!(&str => Self::string, String => Self::S, bool => Self::Bool, i32 => Self::number, i64 => Self::number,
    f64 => Self::number, Bytes => Self::B);

#[cfg(test)]
pub(crate) mod tests;
