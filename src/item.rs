//! Reading items.

use std::ffi::c_char;
use std::ptr;

use kstone_api::{ItemRef, RecordRef, ValueRef, is_plain_path};

use crate::boundary::status::{KSTONE_ERR_TYPE, KSTONE_NOT_FOUND, KSTONE_OK, Status};
use crate::boundary::{ErrorObject, Failure, Out, accessor, by_contract, entry, set_text, text_bytes};
use crate::built_item;
use crate::item_view::{Item, View, built_body, named_in, near_name, record_body};
use crate::json_form::form_of;
use crate::nearest::nearest_double;

/// Bytes that belong to something else: never NUL-terminated, never to be freed. Empty is (NULL, 0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Bytes {
    /// The first byte; NULL where there is none.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

impl Bytes {
    pub(crate) const EMPTY: Self = Self { data: ptr::null(), len: 0 };

    /// The bytes as C borrows them.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes {
            [] => Self::EMPTY,
            bytes => Self { data: bytes.as_ptr(), len: bytes.len() },
        }
    }
}

/// One attribute's value, borrowed from its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Value {
    /// One of KSTONE_TYPE_S and so on.
    pub r#type: u32,
    /// 0.
    pub reserved: u32,
    /// S: the text, in UTF-8. N: the number as decimal text, such as "-12.5": no exponent, no superfluous zero.
    /// B: the bytes. BOOL: one byte, 1 or 0. NULL: empty. L, M and sets: the stored form of what they hold, which
    /// kstone_value_at, kstone_value_next and kstone_value_find read, and into which a path leads.
    pub bytes: Bytes,
}

impl Value {
    pub(crate) fn of(value: ValueRef<'_>) -> Self {
        Self { r#type: value.type_() as u32, reserved: 0, bytes: Bytes::of(value.payload()) }
    }
}

/// Text.
pub const KSTONE_TYPE_S: u32 = 1;
/// A number: exact decimal of up to 38 digits.
pub const KSTONE_TYPE_N: u32 = 2;
/// Bytes.
pub const KSTONE_TYPE_B: u32 = 3;
/// True or false.
pub const KSTONE_TYPE_BOOL: u32 = 4;
/// NULL.
pub const KSTONE_TYPE_NULL: u32 = 5;
/// A list of values.
pub const KSTONE_TYPE_L: u32 = 6;
/// A map of names to values.
pub const KSTONE_TYPE_M: u32 = 7;
/// A set of texts.
pub const KSTONE_TYPE_SS: u32 = 8;
/// A set of numbers.
pub const KSTONE_TYPE_NS: u32 = 9;
/// A set of bytes.
pub const KSTONE_TYPE_BS: u32 = 10;

/// A built item with the same attributes as another, whichever sort that is: the way to change an item that was read.
/// NULL where it is NULL or no item.
///
/// Ownership: the copy is yours, release it with kstone_free.
/// Cost: a copy of the item.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_clone(it: *const Item) -> *mut Item {
    accessor!(
        ptr::null_mut(),
        match View::new(it) {
            Ok(view) => built_item::hand_out_copy(view.item()).cast(),
            Err(_) => ptr::null_mut(),
        }
    )
}

/// The value of the attribute that path leads to: a name ("title"), and from there members of maps and elements of
/// lists, counted from 0 (`address.city`, `tags[0]`, `orders[2].total`). A name that holds a dot or a bracket cannot be
/// written in a path; kstone_item_at finds it.
///
/// Returns KSTONE_NOT_FOUND where the path leads nowhere.
/// Ownership: the bytes of *out are borrowed. They stay valid until the item is changed or freed, or what it was
/// borrowed from is.
/// Errors: KSTONE_ERR_INVALID where path is not UTF-8 or no path.
/// Cost: the number of attributes before it; nothing is allocated or copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_get(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut Value,
) -> Status {
    if let (Some(body), false) = (by_contract!(record_body(it)), out.is_null())
        && let Some(value) = by_contract!(named_in(body, path, path_len))
    {
        by_contract!(out.write(Value::of(value)));
        return KSTONE_OK;
    }
    by_contract!(get_of_built(it, path, path_len, out))
}

/// kstone_item_get of an item that was not read. It has the same arguments, so that it is jumped to.
#[inline(never)]
unsafe extern "C" fn get_of_built(it: *const Item, path: *const c_char, path_len: usize, out: *mut Value) -> Status {
    // A path into a value would be looked for in vain.
    if let Some(name) = by_contract!(near_name(path, path_len)).filter(|name| is_plain_path(name))
        && let (Some(body), false) = (by_contract!(built_body(it)), out.is_null())
        && let Some(value) = ItemRef::new(body).get_near(name)
    {
        by_contract!(out.write(Value::of(value)));
        return KSTONE_OK;
    }
    by_contract!(get_value(it, path, path_len, out))
}

/// kstone_item_get where it is more than a look. It has the same arguments, so that it is jumped to.
#[inline(never)]
unsafe extern "C" fn get_value(it: *const Item, path: *const c_char, path_len: usize, out: *mut Value) -> Status {
    by_contract!(get_with(it, path, path_len, out, |value| Ok(Value::of(value))))
}

/// The same for a number that fits an int64_t.
///
/// Errors: as kstone_item_get, and KSTONE_ERR_TYPE where the attribute is no N, has a fraction, or does not fit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_get_i64(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut i64,
) -> Status {
    by_contract!(get_with(it, path, path_len, out, |value| number(value, "an int64_t", |digits| digits.parse().ok())))
}

/// The same for a number as the nearest double; a number has up to 38 digits, a double about 16. The rounding mode of
/// the thread (fesetround) changes nothing.
///
/// Errors: as kstone_item_get, and KSTONE_ERR_TYPE where the attribute is no N.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_get_f64(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut f64,
) -> Status {
    by_contract!(get_with(it, path, path_len, out, |value| number(value, "a double", nearest_double)))
}

/// What the three getters share.
#[inline]
unsafe fn get_with<T>(
    it: *const Item,
    path: *const c_char,
    path_len: usize,
    out: *mut T,
    convert: impl FnOnce(ValueRef<'_>) -> Result<T, Failure>,
) -> Status {
    entry!({
        let out = Out::new(out, "out")?;
        let path = text_bytes(path, path_len, "path")?;
        let view = View::new(it)?;
        let Some(value) = view.at_path(path)? else {
            return Ok(KSTONE_NOT_FOUND);
        };
        out.set(convert(value)?);
        Ok(KSTONE_OK)
    })
}

fn number<T>(value: ValueRef<'_>, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Failure> {
    value
        .as_number()
        .and_then(parse)
        .ok_or_else(|| Failure::new(KSTONE_ERR_TYPE, format!("the attribute is not {what}")))
}

/// How many attributes the item has. 0 for NULL.
///
/// Cost: the number of attributes; nothing is allocated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_count(it: *const Item) -> usize {
    accessor!(
        0,
        match View::new(it) {
            Ok(view) => view.item().len(),
            Err(_) => 0,
        }
    )
}

/// The name and value of attribute i, counted from 0 in the order of the names' bytes. Both outputs are needed.
///
/// Returns KSTONE_NOT_FOUND from kstone_item_count on.
/// Ownership: as kstone_item_get, the name too.
/// Cost: i steps of a few nanoseconds; reading all n attributes so takes n * n / 2 steps.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_at(it: *const Item, i: usize, name: *mut Bytes, out: *mut Value) -> Status {
    entry!({
        let (name_out, out) = (Out::new(name, "name")?, Out::new(out, "out")?);
        let view = View::new(it)?;
        let Some((name, value)) = view.item().iter().nth(i) else {
            return Ok(KSTONE_NOT_FOUND);
        };
        name_out.set(Bytes::of(name.as_bytes()));
        out.set(Value::of(value));
        Ok(KSTONE_OK)
    })
}

/// The partition key of an item that was read, borrowed from it, as kstone_get takes it: a number as its text. Empty
/// for a built item and for NULL.
///
/// Cost: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_pk(it: *const Item) -> Bytes {
    by_contract!(key_part(it, |record| record.shown_key().0))
}

/// The sort key of an item that was read, borrowed from it, as kstone_item_pk. Empty where it has none, for a built
/// item and for NULL.
///
/// Cost: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_sk(it: *const Item) -> Bytes {
    by_contract!(key_part(it, |record| record.shown_key().1))
}

/// The name and value of attribute i, counted from 0 in the order of the names' bytes, among those that an item of a
/// typed table has in its key and not in its stored form: kstone_item_bytes does not show them, all other functions
/// do. Both outputs are needed.
///
/// Returns KSTONE_NOT_FOUND from their number on, which is 1 or 2: at once for any other item.
/// Ownership: as kstone_item_get; the name stays valid for as long as the library is loaded.
/// Cost: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_key_at(it: *const Item, i: usize, name: *mut Bytes, out: *mut Value) -> Status {
    entry!({
        let (name_out, out) = (Out::new(name, "name")?, Out::new(out, "out")?);
        let key = View::new(it)?.item().named_key();
        let Some((name, type_, payload)) = key.and_then(|key| key.attribute(i)) else {
            return Ok(KSTONE_NOT_FOUND);
        };
        name_out.set(Bytes::of(name.as_bytes()));
        out.set(Value::of(ValueRef::from_parts(type_, payload)));
        Ok(KSTONE_OK)
    })
}

/// # Safety
/// `it` is NULL or a live handle.
unsafe fn key_part(it: *const Item, part: impl FnOnce(RecordRef<'_>) -> &[u8]) -> Bytes {
    accessor!(
        Bytes::EMPTY,
        match View::new(it) {
            Ok(view) => view.record().map_or(Bytes::EMPTY, |record| Bytes::of(part(record))),
            Err(_) => Bytes::EMPTY,
        }
    )
}

/// The item's attributes as a JSON object: DynamoDB's typed form, {"age":{"N":"30"}}, or with KSTONE_JSON_PLAIN
/// {"age":30}. Plain JSON has no bytes and no sets: B becomes base64 text, a set becomes a list. Numbers are written
/// with all their digits. The key of an untyped table is no attribute and is not written: put attributes pk and sk
/// into the item if its JSON is to show them.
///
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: KSTONE_ERR_INVALID where flags holds an unknown bit.
/// Cost: the size of the item.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_to_json(
    it: *const Item,
    flags: u32,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
        let form = form_of(flags)?;
        let view = View::new(it)?;
        Ok(set_text(out, out_len, &kstone_api::json::item_to_string(view.item(), form)))
    })
}
