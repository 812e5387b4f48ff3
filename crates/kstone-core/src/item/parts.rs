//! Putting a body together from pieces that are in the stored form already, as an update or a projection does.
//!
//! Nothing is checked: the caller appends what it read from a body or made canonical itself, names in ascending order,
//! elements of sets in theirs, and keeps the whole within an item's limits. [`super::ItemWriter`] is for values from
//! elsewhere. Thread safety: free functions without state.
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

use super::{ValueRef, wire};

/// Appends an entry to a body, or to the payload of a map.
pub fn append_entry(body: &mut Vec<u8>, name: &str, value: ValueRef<'_>) {
    wire::put_bytes(body, name.as_bytes());
    append_value(body, value);
}

/// Appends a value to the payload of a list.
pub fn append_value(list: &mut Vec<u8>, value: ValueRef<'_>) {
    list.push(value.type_().code());
    wire::put_bytes(list, value.payload());
}

/// Appends an element to the payload of a set.
pub fn append_element(set: &mut Vec<u8>, element: &[u8]) {
    wire::put_bytes(set, element);
}
