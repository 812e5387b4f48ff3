//! Building items: new handles, setters, JSON.

use std::borrow::Cow;
use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use kstone_api::ItemWriter;
use kstone_api::json;

use crate::boundary::guard;
use crate::boundary::handle::refuse_handle;
use crate::boundary::status::{KSTONE_NOT_FOUND, KSTONE_OK, Status};
use crate::boundary::tag::{Tag, tag_of};
use crate::boundary::{ErrorObject, Failure, Out, by_contract, bytes, entry, text};
use crate::built_item::{self, BuiltItem};
use crate::item_view::Item;
use crate::json_form::form_of;

/// A built item that came in, to be changed.
///
/// # Safety
/// `item` is NULL or a live handle of this library of any kind, used by nobody else.
#[inline]
pub(crate) unsafe fn built<'a>(item: *mut Item) -> Result<&'a mut BuiltItem, Failure> {
    if item.is_null() {
        return Err(refuse_handle("a kstone_item", true));
    }
    // SAFETY: a live handle, so its kind lies before it and says what the pointer points at.
    unsafe {
        match tag_of(item) {
            Tag::BUILT_ITEM => Ok(&mut *item.cast::<BuiltItem>()),
            Tag::RECORD | Tag::BORROWED_ITEM | Tag::LENT_ITEM => {
                Err(Failure::misuse("an item that was read cannot be changed: kstone_item_clone makes one that can"))
            }
            _ => Err(refuse_handle("a kstone_item", false)),
        }
    }
}

/// What the setters share.
#[inline]
unsafe fn set_with(
    it: *mut Item,
    name: *const c_char,
    name_len: usize,
    err: *mut *mut ErrorObject,
    set: impl FnOnce(&mut ItemWriter, &str) -> Result<(), Failure>,
) -> Status {
    entry!(err, {
        let name = text(name, name_len, "name")?;
        let item = built(it)?;
        if item.is_open() {
            item.nested().add(name, |member, name| set(member, name))?;
            return Ok(KSTONE_OK);
        }
        let writer = item.writer();
        // A name may have been borrowed from the item itself; see `detached`.
        let own_name = writer.overlaps(name.as_bytes()).then(|| name.to_owned());
        set(writer, own_name.as_deref().unwrap_or(name))?;
        Ok(KSTONE_OK)
    })
}

/// Bytes that a change of the item leaves where they are: a copy of them where they were borrowed from the item.
fn detached<'a>(writer: &ItemWriter, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    if writer.overlaps(bytes) { Cow::Owned(bytes.to_vec()) } else { Cow::Borrowed(bytes) }
}

/// As [`detached`], for text.
fn detached_text<'a>(writer: &ItemWriter, text: &'a str) -> Cow<'a, str> {
    if writer.overlaps(text.as_bytes()) { Cow::Owned(text.to_owned()) } else { Cow::Borrowed(text) }
}

/// An item without attributes, to be filled.
///
/// Ownership: it is yours, release it with kstone_free. Putting it copies it, so one item may be changed and put many
/// times.
/// Cost: a few nanoseconds; the memory of the items a thread freed last is used again.
#[must_use]
#[unsafe(no_mangle)]
pub extern "C" fn kstone_item_new() -> *mut Item {
    guard::read(ptr::null_mut(), || built_item::take().hand_out().cast())
}

/// Sets a text, which may be empty and may hold NULs.
///
/// Errors of all setters: KSTONE_ERR_MISUSE where it is NULL or an item that was read; KSTONE_ERR_INVALID where the
/// name is empty, or name or text are not UTF-8; KSTONE_ERR_LIMIT where the name is too long, the value alone is larger
/// than 400 KB, or the item would take more than 1 MiB. (What DynamoDB allows an item in all, 400 KB with its key, is
/// checked when it is put.) A setter that fails leaves the item as it was.
/// Cost of all setters: a copy of name and value, cheapest in the order of the names' bytes; names in any other order
/// are sorted once, when the item is read or put.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_str(
    it: *mut Item,
    name: *const c_char,
    name_len: usize,
    v: *const c_char,
    v_len: usize,
) -> Status {
    by_contract!({
        set_with(it, name, name_len, ptr::null_mut(), |writer, name| {
            let v = detached_text(writer, text(v, v_len, "v")?);
            writer.set_str(name, &v)?;
            Ok(())
        })
    })
}

/// Sets a number from decimal text: "3", "-0.5", "6.02E23". It is kept exactly, with up to 38 significant digits and
/// magnitudes from 1E-130 to 9.99E+125, as DynamoDB does; equal numbers are equal however they were written.
///
/// Errors: as kstone_item_set_str, and KSTONE_ERR_INVALID where the text is no number or not within these bounds;
/// KSTONE_ERR_LIMIT for text of more than 1024 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_num(
    it: *mut Item,
    name: *const c_char,
    name_len: usize,
    v: *const c_char,
    v_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    by_contract!({
        set_with(it, name, name_len, err, |writer, name| {
            let v = detached_text(writer, text(v, v_len, "v")?);
            writer.set_num(name, &v)?;
            Ok(())
        })
    })
}

/// Sets a number from an integer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_i64(it: *mut Item, name: *const c_char, name_len: usize, v: i64) -> Status {
    by_contract!({
        set_with(it, name, name_len, ptr::null_mut(), |writer, name| {
            writer.set_i64(name, v)?;
            Ok(())
        })
    })
}

/// Sets a number from a double: the shortest decimal that reads back as the same double.
///
/// Errors: as kstone_item_set_str, and KSTONE_ERR_INVALID for an infinity, a NaN, and what lies beyond the bounds that
/// kstone_item_set_num names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_f64(it: *mut Item, name: *const c_char, name_len: usize, v: f64) -> Status {
    by_contract!({
        set_with(it, name, name_len, ptr::null_mut(), |writer, name| {
            writer.set_f64(name, v)?;
            Ok(())
        })
    })
}

/// Sets bytes. KSTONE_STRLEN is not for bytes: it is KSTONE_ERR_MISUSE.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_bin(
    it: *mut Item,
    name: *const c_char,
    name_len: usize,
    v: *const c_void,
    v_len: usize,
) -> Status {
    by_contract!({
        set_with(it, name, name_len, ptr::null_mut(), |writer, name| {
            let v = detached(writer, bytes(v, v_len, "v")?);
            writer.set_bin(name, &v)?;
            Ok(())
        })
    })
}

/// Sets a truth value: 0 is false, all else is true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_bool(it: *mut Item, name: *const c_char, name_len: usize, v: c_int) -> Status {
    by_contract!({
        set_with(it, name, name_len, ptr::null_mut(), |writer, name| {
            writer.set_bool(name, v != 0)?;
            Ok(())
        })
    })
}

/// Sets NULL, which is a value of its own: the attribute is there and says that it is nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_null(it: *mut Item, name: *const c_char, name_len: usize) -> Status {
    by_contract!({
        set_with(it, name, name_len, ptr::null_mut(), |writer, name| {
            writer.set_null(name)?;
            Ok(())
        })
    })
}

/// Takes an attribute away.
///
/// Returns KSTONE_NOT_FOUND where the item has none of that name.
/// Cost: the size of the item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_remove(it: *mut Item, name: *const c_char, name_len: usize) -> Status {
    entry!({
        let name = text(name, name_len, "name")?;
        let item = built(it)?;
        item.check_complete()?;
        let writer = item.writer();
        let name = detached_text(writer, name);
        Ok(if writer.remove(&name) { KSTONE_OK } else { KSTONE_NOT_FOUND })
    })
}

/// Sets any value from JSON, and is the way to lists, maps and sets. Typed form: {"SS":["a","b"]}, {"L":[{"N":"1"}]}.
/// With KSTONE_JSON_PLAIN: ["a",1,null] and so on, where a string becomes S, a number N, an object M, an array L.
///
/// Errors: as kstone_item_set_str, and KSTONE_ERR_INVALID where the JSON or a value in it is not acceptable; the
/// message says where.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_set_json(
    it: *mut Item,
    name: *const c_char,
    name_len: usize,
    json: *const c_char,
    json_len: usize,
    flags: u32,
    err: *mut *mut ErrorObject,
) -> Status {
    by_contract!({
        set_with(it, name, name_len, err, |writer, name| {
            let form = form_of(flags)?;
            let json = detached_text(writer, text(json, json_len, "json")?);
            Ok(json::set_from_str(writer, name, &json, form)?)
        })
    })
}

/// A built item from a JSON object, in DynamoDB's typed form or, with KSTONE_JSON_PLAIN, as plain JSON. Numbers keep
/// all their digits.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where the text is no JSON object (the message says line and column), holds a name twice,
/// or a value in it is not acceptable (the message says the path); KSTONE_ERR_LIMIT where the item is too large or too
/// deep.
/// Cost: the length of the text.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_from_json(
    json: *const c_char,
    len: usize,
    flags: u32,
    out: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let form = form_of(flags)?;
        let mut item = built_item::take();
        json::read_item(item.value().writer(), text(json, len, "json")?, form)?;
        out.set(item.hand_out().cast());
        Ok(KSTONE_OK)
    })
}
