//! The extern functions, called as a C program would call them.

use std::ffi::{CStr, c_char, c_void};
use std::ptr;

use crate::access::{kstone_delete, kstone_get, kstone_put};
use crate::boundary::ErrorObject;
use crate::boundary::arguments::KSTONE_STRLEN;
use crate::boundary::status::*;
use crate::cond::Cond;
use crate::database::{Db, kstone_open_memory};
use crate::error::{kstone_error_code, kstone_error_message, kstone_error_name};
use crate::item::{Bytes, Value, kstone_item_get, kstone_item_get_i64};
use crate::item_build::{kstone_item_new, kstone_item_set_i64, kstone_item_set_str};
use crate::item_view::Item;
use crate::library::kstone_free;
use crate::spec::QuerySpec;

mod accounts;
mod arguments;
mod batches;
mod filters;
mod handles;
mod header;
mod items;
mod layers;
mod pages;
mod panics;
mod stored;
mod structs;
mod writes;

/// A pointer that is written nowhere: for outputs that must stay untouched.
fn untouched<T>() -> *mut T {
    ptr::without_provenance_mut(0x5A5A_5A50)
}

fn chars(text: &str) -> *const c_char {
    text.as_ptr().cast()
}

fn data(bytes: &[u8]) -> *const c_void {
    bytes.as_ptr().cast()
}

fn free<T>(pointer: *const T) {
    // SAFETY: the tests free what they were handed, once.
    unsafe { kstone_free(pointer.cast_mut().cast()) }
}

fn open() -> *mut Db {
    let mut db = ptr::null_mut();
    // SAFETY: the outputs are variables of ours.
    assert_eq!(unsafe { kstone_open_memory(ptr::null(), &mut db, ptr::null_mut()) }, KSTONE_OK);
    db
}

/// An item {"n": number}.
fn numbered(number: i64) -> *mut Item {
    let item = kstone_item_new();
    // SAFETY: the item is live, the name is a C string.
    assert_eq!(unsafe { kstone_item_set_i64(item, c"n".as_ptr(), KSTONE_STRLEN, number) }, KSTONE_OK);
    item
}

/// The n of [`numbered`].
fn number_of(item: *const Item) -> i64 {
    let mut number = i64::MIN;
    // SAFETY: the item is live, the name is a C string.
    assert_eq!(unsafe { kstone_item_get_i64(item, c"n".as_ptr(), KSTONE_STRLEN, &mut number) }, KSTONE_OK);
    number
}

fn put(db: *mut Db, pk: &[u8], sk: &[u8], number: i64) {
    let item = numbered(number);
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_put(db, data(pk), pk.len(), data(sk), sk.len(), item, ptr::null_mut()) };
    assert_eq!(status, KSTONE_OK);
    free(item);
}

fn delete(db: *mut Db, pk: &[u8], sk: &[u8]) {
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_delete(db, data(pk), pk.len(), data(sk), sk.len(), ptr::null_mut()) };
    assert_eq!(status, KSTONE_OK);
}

fn get(db: *const Db, pk: &[u8], sk: &[u8]) -> Option<*mut Item> {
    let mut item = untouched();
    // SAFETY: live handles, slices and variables of ours.
    match unsafe { kstone_get(db, data(pk), pk.len(), data(sk), sk.len(), &mut item, ptr::null_mut()) } {
        KSTONE_OK => Some(item),
        KSTONE_NOT_FOUND => {
            assert_eq!(item, untouched());
            None
        }
        status => panic!("kstone_get: {status}"),
    }
}

/// A value copied out: its type and bytes.
fn value(item: *const Item, path: &str) -> (Status, u32, Vec<u8>) {
    let mut value = Value { r#type: 77, reserved: 77, bytes: Bytes::EMPTY };
    // SAFETY: the item is live, the path a slice of ours.
    let status = unsafe { kstone_item_get(item, chars(path), path.len(), &mut value) };
    if status == KSTONE_OK {
        assert_eq!(value.reserved, 0);
    }
    (status, value.r#type, bytes_of(value.bytes).to_vec())
}

fn bytes_of<'a>(bytes: Bytes) -> &'a [u8] {
    match bytes.data.is_null() {
        true => {
            assert_eq!(bytes.len, 0);
            &[]
        }
        // SAFETY: the library says that so many bytes are there; the tests look at them before the owner changes.
        false => unsafe { std::slice::from_raw_parts(bytes.data, bytes.len) },
    }
}

fn string(text: *const c_char) -> String {
    assert!(!text.is_null());
    // SAFETY: text of the library ends with a NUL.
    unsafe { CStr::from_ptr(text) }.to_str().expect("text is UTF-8").to_owned()
}

/// A call that must fail with this status and an error object that says the same; returns the message.
fn fails(status: Status, call: impl FnOnce(*mut *mut ErrorObject) -> Status) -> String {
    let mut err = ptr::null_mut();
    assert_eq!(call(&mut err), status);
    assert!(!err.is_null(), "an error object comes with {status}");
    // SAFETY: the error is live.
    let (code, message, name) =
        unsafe { (kstone_error_code(err), string(kstone_error_message(err)), string(kstone_error_name(err))) };
    assert_eq!(code, status);
    assert!(!message.is_empty());
    let expected = match status {
        KSTONE_ERR_INVALID | KSTONE_ERR_LIMIT | KSTONE_ERR_TYPE => "ValidationException",
        KSTONE_ERR_CONDITION_FAILED => "ConditionalCheckFailedException",
        KSTONE_ERR_PANIC => "InternalServerError",
        _ => "",
    };
    assert_eq!(name, expected);
    free(err);
    message
}

/// A call that must not touch its error pointer.
fn succeeds(status: Status, call: impl FnOnce(*mut *mut ErrorObject) -> Status) {
    let mut err = untouched();
    assert_eq!(call(&mut err), status);
    assert_eq!(err, untouched());
}

fn spec() -> QuerySpec {
    // SAFETY: zero bits are a value, as `CStruct` says.
    let mut spec: QuerySpec = unsafe { std::mem::zeroed() };
    spec.struct_size = size_of::<QuerySpec>();
    spec
}

fn spec_of(pk: &[u8]) -> QuerySpec {
    QuerySpec { pk: data(pk), pk_len: pk.len(), ..spec() }
}

/// A bag of numbers.
fn bag(entries: &[(&str, i64)]) -> *mut Item {
    let bag = kstone_item_new();
    for (name, number) in entries {
        // SAFETY: live handles, slices of ours.
        assert_eq!(unsafe { kstone_item_set_i64(bag, chars(name), name.len(), *number) }, KSTONE_OK);
    }
    bag
}

/// A bag of texts.
fn texts(entries: &[(&str, &str)]) -> *mut Item {
    let bag = kstone_item_new();
    for (name, text) in entries {
        // SAFETY: live handles, slices of ours.
        let status = unsafe { kstone_item_set_str(bag, chars(name), name.len(), chars(text), text.len()) };
        assert_eq!(status, KSTONE_OK);
    }
    bag
}

fn cond(expr: &str, params: *const Item) -> Cond {
    Cond { struct_size: size_of::<Cond>(), expr: chars(expr), expr_len: expr.len(), params, return_old: 0, reserved: 0 }
}
