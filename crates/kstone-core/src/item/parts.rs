//! Putting a body together from pieces that are in the stored form already, as an update or a projection does.
//!
//! But for [`append_owned`] nothing is checked: the caller appends what it read from a body or made canonical itself,
//! names in ascending order, elements of sets in theirs, and keeps the whole within an item's limits.
//! [`super::ItemWriter`] is for values from outside.
//!
//! ```
//! use kstone_core::item::{ItemRef, ItemWriter, ValueRef, parts};
//! use kstone_core::value::Type;
//!
//! let mut item = ItemWriter::new();
//! item.set_str("name", "Al").unwrap();
//! let (mut map, mut body) = (Vec::new(), Vec::new());
//! parts::append_entry(&mut map, "n", item.as_item().get("name").unwrap());
//! parts::append_entry(&mut body, "m", ValueRef::from_parts(Type::M, &map));
//! assert_eq!(ItemRef::new(&body).at_path("m.n").unwrap().unwrap().as_str(), Some("Al"));
//! ```

use super::writer::append_value_of;
use super::{ValueRef, wire};
use crate::buffer::Buffer;
use crate::error::Result;
use crate::value::{Type, Value};

/// Appends a name to a body, or to the payload of a map; its value must follow.
#[inline]
pub fn append_name(body: &mut impl Buffer, name: &str) {
    wire::put_bytes(body, name.as_bytes());
}

/// Appends a value of this type whose payload `write` appends. Where that fails, a piece of it stays.
///
/// # Errors
/// Those of `write`.
#[inline]
pub fn append_framed<B: Buffer, E>(
    list: &mut B,
    type_: Type,
    write: impl FnOnce(&mut B) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    list.push(type_.code());
    wire::framed(list, write)
}

/// Appends an owned value to the payload of a list: the one function here that checks what it is given.
///
/// # Errors
/// As [`super::ItemWriter::set_value`], naming no attribute. A piece of the value stays.
pub fn append_owned(list: &mut Vec<u8>, value: &Value) -> Result<()> {
    append_value_of(list, value)
}

/// Appends an entry to a body, or to the payload of a map.
pub fn append_entry(body: &mut impl Buffer, name: &str, value: ValueRef<'_>) {
    wire::put_bytes(body, name.as_bytes());
    append_value(body, value);
}

/// Appends a value to the payload of a list.
pub fn append_value(list: &mut impl Buffer, value: ValueRef<'_>) {
    list.push(value.type_().code());
    wire::put_bytes(list, value.payload());
}

/// Appends an element to the payload of a set.
pub fn append_element(set: &mut impl Buffer, element: &[u8]) {
    wire::put_bytes(set, element);
}
