//! The C functions that build an item member by member and read the values in it, with Rust's types around them.

use std::ptr::null_mut;

use kstone_c_abi::access::{kstone_get, kstone_put};
use kstone_c_abi::boundary::status::{KSTONE_DONE, KSTONE_NOT_FOUND, KSTONE_OK, Status};
use kstone_c_abi::item::{Bytes, Value, kstone_item_count, kstone_item_get};
use kstone_c_abi::item_build::{
    kstone_item_new, kstone_item_remove, kstone_item_set_bin, kstone_item_set_bool, kstone_item_set_i64,
    kstone_item_set_json, kstone_item_set_null, kstone_item_set_str,
};
use kstone_c_abi::item_view::Item;
use kstone_c_abi::nested::{kstone_item_cancel, kstone_item_close, kstone_item_open};
use kstone_c_abi::value::{kstone_value_at, kstone_value_count, kstone_value_find, kstone_value_next};

use super::calls::{Database, Handle, bytes, checked, output, slice, text};
use super::model::Key;

/// An item that is built, or that was read.
pub(super) struct Building(Handle<Item>);

/// A value of an item that is still there.
pub(super) struct Found(Value);

// SAFETY, for all that follows: every pointer is that of a live handle, of a slice with its length, or of an output.

impl Building {
    pub(super) fn new() -> Self {
        Self(Handle(kstone_item_new()))
    }

    pub(super) fn open(&self, name: &str, type_: u32) -> Status {
        let (name, name_len) = text(name);
        checked(|error| unsafe { kstone_item_open(self.0.0, name, name_len, type_, error) })
    }

    pub(super) fn close(&self) -> Status {
        checked(|error| unsafe { kstone_item_close(self.0.0, error) })
    }

    pub(super) fn cancel(&self) -> Status {
        unsafe { kstone_item_cancel(self.0.0) }
    }

    pub(super) fn remove(&self, name: &str) -> Status {
        let (name, name_len) = text(name);
        unsafe { kstone_item_remove(self.0.0, name, name_len) }
    }

    pub(super) fn set_text(&self, name: &str, value: &str) -> Status {
        let ((name, name_len), (value, value_len)) = (text(name), text(value));
        unsafe { kstone_item_set_str(self.0.0, name, name_len, value, value_len) }
    }

    pub(super) fn set_number(&self, name: &str, value: i64) -> Status {
        let (name, name_len) = text(name);
        unsafe { kstone_item_set_i64(self.0.0, name, name_len, value) }
    }

    pub(super) fn set_bytes(&self, name: &str, value: &[u8]) -> Status {
        let ((name, name_len), (value, value_len)) = (text(name), slice(value));
        unsafe { kstone_item_set_bin(self.0.0, name, name_len, value, value_len) }
    }

    pub(super) fn set_truth(&self, name: &str, value: bool) -> Status {
        let (name, name_len) = text(name);
        unsafe { kstone_item_set_bool(self.0.0, name, name_len, value.into()) }
    }

    pub(super) fn set_null(&self, name: &str) -> Status {
        let (name, name_len) = text(name);
        unsafe { kstone_item_set_null(self.0.0, name, name_len) }
    }

    pub(super) fn set_json(&self, name: &str, json: &str) -> Status {
        let ((name, name_len), (json, json_len)) = (text(name), text(json));
        checked(|error| unsafe { kstone_item_set_json(self.0.0, name, name_len, json, json_len, 0, error) })
    }

    pub(super) fn count(&self) -> usize {
        unsafe { kstone_item_count(self.0.0) }
    }

    pub(super) fn find(&self, name: &str) -> Option<Found> {
        let (name, name_len) = text(name);
        found(|_, value| unsafe { kstone_item_get(self.0.0, name, name_len, value) }).map(|(_, value)| value)
    }

    /// Puts the item, and reads it.
    pub(super) fn put_and_get(&self, db: &Database, key: &Key) -> Self {
        let ((pk, pk_len), (sk, sk_len)) = (slice(&key.0), slice(&key.1));
        let put = |error| unsafe { kstone_put(db.0, pk, pk_len, sk, sk_len, self.0.0, error) };
        assert_eq!(checked(put), KSTONE_OK);
        let mut out = null_mut();
        let status = checked(|error| unsafe { kstone_get(db.0, pk, pk_len, sk, sk_len, &raw mut out, error) });
        Self(output(status, out).expect("what was put"))
    }
}

impl Found {
    pub(super) fn type_(&self) -> u32 {
        self.0.r#type
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        bytes(self.0.bytes)
    }

    pub(super) fn count(&self) -> usize {
        unsafe { kstone_value_count(&raw const self.0) }
    }

    pub(super) fn at(&self, at: usize) -> Option<Self> {
        found(|name, value| unsafe { kstone_value_at(&raw const self.0, at, name, value) }).map(|(_, value)| value)
    }

    pub(super) fn find(&self, name: &str) -> Option<Self> {
        let (name, name_len) = text(name);
        let found = found(|_, value| unsafe { kstone_value_find(&raw const self.0, name, name_len, value) });
        found.map(|(_, value)| value)
    }

    /// All members with their names, which are empty in a list or set.
    pub(super) fn members(&self) -> Vec<(String, Self)> {
        let mut position = 0;
        let next =
            || found(|name, value| unsafe { kstone_value_next(&raw const self.0, &raw mut position, name, value) });
        std::iter::from_fn(next).collect()
    }
}

/// A name and a value, as the call writes them on success.
fn found(call: impl FnOnce(*mut Bytes, *mut Value) -> Status) -> Option<(String, Found)> {
    // SAFETY: structs of integers and pointers, which may all be 0.
    let (mut name, mut value) = unsafe { std::mem::zeroed::<(Bytes, Value)>() };
    match call(&raw mut name, &raw mut value) {
        KSTONE_OK => Some((String::from_utf8(bytes(name)).expect("a name is text"), Found(value))),
        KSTONE_DONE | KSTONE_NOT_FOUND => None,
        status => panic!("status {status}"),
    }
}
