//! Values of key attributes, and their bytes inside the keys of entries.
//!
//! ```text
//! N      01 │ the number, order-preserving (see `kstone_core::number::ordered`)
//! S, B   02 │ the bytes with 00 written as 00 FF │ 00 01
//! ```
//!
//! The order of these bytes is DynamoDB's order within a type: numbers by value, text by its UTF-8 bytes, binary by
//! unsigned bytes. Between types, which DynamoDB never has in one index, numbers come first, and text and binary are
//! bytes alike, as in the table's key: no key attribute has a declared type, so that what a value's bytes happen to
//! spell decides nothing. A condition speaks of numbers or of bytes, and its range never leaves that byte.
//!
//! No value's bytes are the start of another's: whatever follows them in a key, equal values stay together and values
//! keep their order.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_core::buffer::Buffer;
use kstone_core::item::ValueRef;
use kstone_core::key::{END_MARK, put_escaped};
use kstone_core::number::ordered;
use kstone_core::value::Type;

/// The value of a key attribute: a number, text or bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum KeyValue<'a> {
    /// A number as canonical text.
    N(&'a str),
    /// Text.
    S(&'a str),
    /// Bytes.
    B(&'a [u8]),
}

impl<'a> KeyValue<'a> {
    /// Bytes of a key as a value: S where they are UTF-8, B otherwise, as `pk` and `sk` are shown.
    pub fn of_bytes(bytes: &'a [u8]) -> Self {
        std::str::from_utf8(bytes).map_or(Self::B(bytes), Self::S)
    }

    /// An attribute's value; `None` where it is of a type that no key can have.
    pub fn of_value(value: ValueRef<'a>) -> Option<Self> {
        match value.type_() {
            Type::N => value.as_number().map(Self::N),
            Type::S => value.as_str().map(Self::S),
            Type::B => value.as_bytes().map(Self::B),
            _ => None,
        }
    }

    /// The value's type.
    pub fn type_(self) -> Type {
        match self {
            Self::N(_) => Type::N,
            Self::S(_) => Type::S,
            Self::B(_) => Type::B,
        }
    }

    /// The bytes of text or binary; those of a number are its text.
    pub(super) fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::N(text) | Self::S(text) => text.as_bytes(),
            Self::B(bytes) => bytes,
        }
    }

    /// The bytes that count towards a key's limit: every number fits.
    pub(super) fn key_bytes(self) -> usize {
        match self {
            Self::N(_) => 0,
            Self::S(_) | Self::B(_) => self.as_bytes().len(),
        }
    }

    /// What DynamoDB calls the value where it is empty, as no key may be.
    pub(super) fn empty_kind(self) -> Option<&'static str> {
        match self {
            Self::S("") => Some("string"),
            Self::B([]) => Some("binary"),
            _ => None,
        }
    }

    /// The byte that the bytes of all numbers, or of all other values, begin with.
    pub(super) fn type_byte(self) -> u8 {
        match self {
            Self::N(_) => 1,
            Self::S(_) | Self::B(_) => 2,
        }
    }

    /// Appends the value's bytes.
    pub(super) fn put(self, out: &mut impl Buffer) {
        self.put_start(out);
        if !matches!(self, Self::N(_)) {
            out.extend_from_slice(&END_MARK);
        }
    }

    /// Appends the bytes that the partition key of a table's item has where this is its value.
    pub(super) fn put_table_key(self, out: &mut impl Buffer) {
        match self {
            Self::N(text) => ordered::encode(text, out),
            Self::S(_) | Self::B(_) => out.extend_from_slice(self.as_bytes()),
        }
    }

    /// Appends what the bytes of all text, or all binary, that begins with this one begin with. A number's bytes.
    pub(super) fn put_start(self, out: &mut impl Buffer) {
        out.push(self.type_byte());
        match self {
            Self::N(text) => ordered::encode(text, out),
            Self::S(_) | Self::B(_) => put_escaped(out, self.as_bytes()),
        }
    }
}

/// Takes a value's bytes from the front of `cursor`; `None` where there are none.
pub(super) fn skip<'a>(cursor: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&type_byte, mut rest) = cursor.split_first()?;
    match type_byte {
        1 => drop(ordered::skip(&mut rest)?),
        2 => loop {
            let zero = rest.iter().position(|&byte| byte == 0)?;
            let follower = *rest.get(zero + 1)?;
            rest = &rest[zero + 2..];
            match follower {
                0xFF => {}
                1 => break,
                _ => return None,
            }
        },
        _ => return None,
    }
    let (bytes, _) = cursor.split_at(cursor.len() - rest.len());
    *cursor = rest;
    Some(bytes)
}

/// As DynamoDB's errors show a value: `{N:5}`. Bytes are base64.
impl fmt::Display for KeyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::N(text) | Self::S(text) => write!(f, "{{{}:{text}}}", self.type_().name()),
            Self::B(bytes) => write!(f, "{{B:{}}}", STANDARD.encode(bytes)),
        }
    }
}

impl fmt::Debug for KeyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
pub(super) mod tests;
