//! An item as the engine keeps it: one buffer in the stored form, written once, read in place.
//!
//! ```text
//! body    := entry*                      ascending by the bytes of the name, each name once
//! entry   := varint(name length) name value
//! value   := type:u8 varint(payload length) payload
//! type    := 1 S, 2 N, 3 B, 4 BOOL, 5 NULL, 6 L, 7 M, 8 SS, 9 NS, 10 BS
//! payload := S UTF-8 | N canonical decimal text | B bytes | BOOL one byte, 0 or 1 | NULL nothing | L value* | M entry*
//!            | SS, NS, BS (varint(length) bytes)+      SS and BS by their bytes, NS by number, each element once
//! varint  := unsigned LEB128 in its shortest form
//!
//! {"age": N 30, "name": S "Al"}   =   03 'a' 'g' 'e' 02 02 '3' '0'   04 'n' 'a' 'm' 'e' 01 02 'A' 'l'
//! ```
//!
//! This is version 1 of the form; bindings read it, and golden bytes in the tests hold it in place. Equal items have
//! equal bytes. [`ItemWriter`] grows a body, [`encode`] makes one of an [`Item`], [`ItemRef`] and [`ValueRef`] read it.
//! The record of a large item has a directory of its attributes in addition: see `item/directory.rs`.
//!
//! # Limits
//! | what | limit | where |
//! | --- | --- | --- |
//! | item, as DynamoDB counts it with its key | [`ITEM_MAX_BYTES`] | [`check_size`] when it is put; a writer earlier where sure |
//! | body, in bytes | [`BODY_MAX_BYTES`] | every set of a writer |
//! | attribute name, at any depth | 1 to [`NAME_MAX_BYTES`] bytes | every set |
//! | nesting | [`MAX_NESTING_LEVELS`] | every set |
//! | number | see [`crate::number`] | every set |
//! | set | at least one element, no two equal | every set |
//!
//! A level is a list or a map: a number at the top is at level 0, `[[1]]` has two levels. The limit on the body is no
//! limit of DynamoDB's: a number such as 1E-130 counts 2 bytes there and takes 132 here, written out. An item of other
//! types that DynamoDB takes always fits; one of some 8,000 numbers with a hundred zeros each does not.
//!
//! Invariant: reading never panics and never recurses deeper than [`MAX_NESTING_LEVELS`], whatever the bytes; what is
//! malformed reads as the end of what holds it. Thread safety: the views are plain borrows; a writer has one user.

use crate::error::{Error, Result, Unit};
use crate::key::KeyRef;
use crate::key_layout::KEY_NAME_MAX_CHARS;
use crate::label::NamedKey;
use crate::number::{self, MAX_CANONICAL_BYTES};
use crate::value::{Item, Type};

mod check;
pub(crate) mod directory;
mod keyed;
mod members;
mod nested;
pub mod parts;
mod path;
mod view;
mod wire;
mod writer;

pub use directory::HashedName;
pub use keyed::SplitItem;
pub use members::{Member, Members};
pub use nested::NestedWriter;
pub use view::{
    Attributes, BodyAttributes, Elements, ItemRef, NEAR_NAME_BYTES, RawAttributes, ValueRef, Values, is_plain_path,
};
pub use writer::{ItemWriter, check_name};

pub use crate::value::MAX_NESTING_LEVELS;

/// The most bytes that an item may have, as [`item_size`] counts them: 400 KB.
pub const ITEM_MAX_BYTES: usize = 400 * 1024;

/// The most bytes that a body may have: 1 MiB.
pub const BODY_MAX_BYTES: usize = 1 << 20;

/// The most bytes that the name of an attribute or of a map's entry may have.
pub const NAME_MAX_BYTES: usize = 65_535;

/// DynamoDB's fixed charge for a list or a map.
const CONTAINER_BYTES: usize = 3;
/// DynamoDB's charge for each element of a list and each entry of a map.
const ELEMENT_BYTES: usize = 1;

/// The stored form of an item. Costs a sort of the names and one copy.
///
/// # Errors
/// [`Error::Invalid`] for a name, number or set that no item may have, naming the attribute; [`Error::Limit`] for one
/// of the module's limits other than the item's size with its key.
///
/// ```
/// use kstone_core::item::{ItemRef, encode};
/// use kstone_core::value::{Item, Value};
///
/// let item = Item::from([("age".to_string(), Value::number(30))]);
/// let body = encode(&item).unwrap();
/// assert_eq!(body, b"\x03age\x02\x0230");
/// assert_eq!(ItemRef::new(&body).to_item(), item);
/// ```
pub fn encode(item: &Item) -> Result<Vec<u8>> {
    let mut attributes: Vec<_> = item.iter().collect();
    attributes.sort_unstable_by_key(|(name, _)| *name);
    let mut writer = ItemWriter::new();
    for (name, value) in attributes {
        writer.set_value(name, value)?;
    }
    Ok(writer.into_body())
}

/// The bytes that DynamoDB counts for an item under this key.
///
/// An attribute counts its name and its value: text and bytes their length, a number what [`number::size`] says, BOOL
/// and NULL 1, a list or map 3 plus 1 for each element plus the elements, a set its elements. The key counts as its
/// attributes, of an untyped table `pk` and, where it is not empty, `sk`; once, whether or not the item holds them itself.
/// The rules are
/// those of the Developer Guide, "DynamoDB item sizes and formats"; the fixed storage charge of 100 bytes is not part
/// of an item's size.
///
/// Passes over the item once.
///
/// ```
/// use kstone_core::item::{ItemWriter, item_size};
/// use kstone_core::key::KeyRef;
///
/// let mut item = ItemWriter::new();
/// item.set_str("name", "Alice").unwrap();
/// let key = KeyRef::new(b"user#1", b"").unwrap();
/// assert_eq!(item_size(key, item.as_item()), (2 + 6) + (4 + 5));
/// ```
#[must_use]
pub fn item_size(key: KeyRef<'_>, item: ItemRef<'_>) -> usize {
    let attributes = item.body_attributes();
    if !key.label().is_empty() {
        return key_size(key) + attributes.map(|(name, value)| attribute_size(name, value, key)).sum::<usize>();
    }
    plain_key_size(key) + attributes.map(|(name, value)| plain_size(name, value, key)).sum::<usize>()
}

/// What the key of an untyped table counts.
#[inline]
fn plain_key_size(key: KeyRef<'_>) -> usize {
    2 + key.pk().len() + if key.sk().is_empty() { 0 } else { 2 + key.sk().len() }
}

/// What the attributes of a key count.
fn key_size(key: KeyRef<'_>) -> usize {
    let Some(named) = NamedKey::new(key.pk(), key.sk(), key.label()) else {
        return plain_key_size(key);
    };
    let attributes = (0..).map_while(|at| named.attribute(at));
    attributes.map(|(name, type_, payload)| name.len() + value_size(ValueRef::from_parts(type_, payload), 0)).sum()
}

/// What an attribute of an item under this key counts; one of the key counts with that.
fn attribute_size(name: &[u8], value: ValueRef<'_>, key: KeyRef<'_>) -> usize {
    match NamedKey::new(key.pk(), key.sk(), key.label()) {
        None => plain_size(name, value, key),
        Some(named) if named.named(name).is_some() => 0,
        Some(_) => named_size(name, value),
    }
}

/// The same in an untyped table.
#[inline(always)]
fn plain_size(name: &[u8], value: ValueRef<'_>, key: KeyRef<'_>) -> usize {
    if name == b"pk" || (name == b"sk" && !key.sk().is_empty()) { 0 } else { named_size(name, value) }
}

/// What a value counts with its name.
#[inline(always)]
fn named_size(name: &[u8], value: ValueRef<'_>) -> usize {
    name.len()
        + match value.type_() {
            // Not a call for what most values are.
            Type::S | Type::B => value.payload().len(),
            _ => value_size(value, 0),
        }
}

/// Refuses an item that is too large to be put under this key. Costs a comparison while the body has less than half of
/// the limit, a pass over the item beyond.
///
/// # Errors
/// [`Error::Limit`] for [`ITEM_MAX_BYTES`] or [`BODY_MAX_BYTES`].
#[inline]
pub fn check_size(key: &KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
    // No value counts more than twice its stored bytes: an empty list in a list, 4 bytes for 2, is the worst. Names of key
    // attributes are short.
    let body = item.as_bytes().len();
    let names_and_numbers = 2 * 4 * KEY_NAME_MAX_CHARS + 2 * MAX_CANONICAL_BYTES;
    if 2 * body + names_and_numbers + key.pk().len() + key.sk().len() <= ITEM_MAX_BYTES {
        return Ok(());
    }
    check_counted_size(*key, item)
}

#[inline(never)]
fn check_counted_size(key: KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
    let (found, body) = (item_size(key, item), item.as_bytes().len());
    if found > ITEM_MAX_BYTES {
        return Err(item_too_large(found));
    }
    if body > BODY_MAX_BYTES {
        return Err(body_too_large(body));
    }
    Ok(())
}

fn item_too_large(found: usize) -> Error {
    Error::limit("Item size", Unit::Bytes, ITEM_MAX_BYTES, found)
}

fn body_too_large(found: usize) -> Error {
    Error::limit("Item size as stored", Unit::Bytes, BODY_MAX_BYTES, found)
}

/// The bytes that DynamoDB counts for a value, without a name: see [`item_size`].
#[must_use]
pub fn counted_size(value: ValueRef<'_>) -> usize {
    value_size(value, 0)
}

/// [`value_size`] of values inside this many levels; what is nested too deep to be valid counts nothing.
fn value_size(value: ValueRef<'_>, levels: usize) -> usize {
    let inner = levels + 1;
    match value.type_() {
        Type::S | Type::B => value.payload().len(),
        Type::N => value.as_number().map_or(0, number::size),
        Type::Bool | Type::Null => 1,
        Type::SS | Type::BS => value.set().map(<[u8]>::len).sum(),
        Type::NS => value.set().filter_map(|text| str::from_utf8(text).ok()).map(number::size).sum(),
        _ if levels == MAX_NESTING_LEVELS => 0,
        Type::L => CONTAINER_BYTES + value.list().map(|v| ELEMENT_BYTES + value_size(v, inner)).sum::<usize>(),
        Type::M => {
            let entries = value.entries().body_attributes();
            CONTAINER_BYTES + entries.map(|(name, v)| ELEMENT_BYTES + name.len() + value_size(v, inner)).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests;
