//! One attribute of a stored item, copied out.

use std::ffi::{c_char, c_void};

use kstone_api::{Glance, ItemRef, Record, RecordRef, ValueRef, is_plain_path};

use crate::boundary::status::KSTONE_NOT_FOUND;
use crate::boundary::{
    ErrorObject, Failure, KSTONE_OK, Out, OutBytes, Status, by_contract, checked_text, entry, key_bytes, text_bytes,
};
use crate::database::{Db, database, glance};
use crate::item_view::named_in;

/// No value: what kstone_get_attribute says of an item that has no such attribute.
pub const KSTONE_TYPE_NONE: u32 = 0;

/// One attribute of the item under a key, copied into your buffer: kstone_get, kstone_item_get and a copy in one,
/// without the item between them. path is as for kstone_item_get. *type becomes the value's type, one of
/// KSTONE_TYPE_S and so on, and the buffer gets the bytes that a kstone_value has: the text of S and of N, the bytes
/// of B, one byte, 1 or 0, of BOOL, none of NULL, and of L, M and sets the stored form of what they hold, which
/// kstone_value_at and its like read from a kstone_value of this type and these bytes.
///
/// *len becomes the length of the value, whatever the capacity of the buffer: where it is more than capacity, nothing
/// was copied. Call again with a buffer of *len bytes then, and look at *len again, since others may have put a
/// longer value meanwhile. A buffer of capacity 0 may be NULL, and asks for type and length alone.
///
/// Returns KSTONE_NOT_FOUND where there is no item; buffer, *len and *type are then left alone. Where there is one
/// that path leads nowhere in, it returns KSTONE_OK, *type is KSTONE_TYPE_NONE and *len is 0.
/// Errors: as kstone_get and kstone_item_get, and KSTONE_ERR_MISUSE where buffer is NULL and capacity is not 0.
/// Cost: one look-up and the copy; nothing is allocated. Writers of items near this one wait for the copy.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_get_attribute(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    path: *const c_char,
    path_len: usize,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    r#type: *mut u32,
    err: *mut *mut ErrorObject,
) -> Status {
    let usual = match by_contract!(OutBytes::new(buffer, capacity)) {
        Some(buffer) if !len.is_null() && !r#type.is_null() => {
            let copy = |record: RecordRef<'_>| by_contract!(copy_near(record, (path, path_len), buffer, (len, r#type)));
            by_contract!(glance(db, (pk, pk_len), (sk, sk_len), copy))
        }
        _ => Glance::Unclear,
    };
    if usual == Glance::Item {
        return KSTONE_OK;
    }
    entry!(err, {
        let (len, type_out) = (Out::new(len, "len")?, Out::new(r#type, "type")?);
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        let path = Path::new(text_bytes(path, path_len, "path")?)?;
        let buffer = OutBytes::or_refuse(buffer, capacity)?;
        let copied = match usual {
            Glance::Nothing => None,
            _ => database(db)?.look(pk, sk, |record: &Record| {
                path.find(record.item()).map(|value| (value.type_() as u32, buffer.copy(value.payload())))
            })?,
        };
        let Some(Some((type_, bytes))) = copied else {
            path.check()?;
            if copied.is_none() {
                return Ok(KSTONE_NOT_FOUND);
            }
            type_out.set(KSTONE_TYPE_NONE);
            len.set(0);
            return Ok(KSTONE_OK);
        };
        type_out.set(type_);
        len.set(bytes);
        Ok(KSTONE_OK)
    })
}

/// Copies the attribute of a record that a path names, where a look at it is enough; whether it was.
///
/// # Safety
/// As for [`text_bytes`]; `len` and `type_` may be written.
#[inline(always)]
unsafe fn copy_near(
    record: RecordRef<'_>,
    (path, path_len): (*const c_char, usize),
    buffer: OutBytes,
    (len, type_): (*mut usize, *mut u32),
) -> bool {
    let value = record.short_body().and_then(|body| by_contract!(named_in(body, path, path_len)));
    let Some(value) = value else { return false };
    // SAFETY: by contract.
    unsafe {
        len.write(buffer.copy(value.payload()));
        type_.write(value.type_() as u32);
    }
    true
}

/// A path that came in.
enum Path<'a> {
    /// The name of an attribute, which is not known to be text: where one is found it is.
    Name(&'a [u8]),
    /// A path that leads into a value, and is one.
    Inner(&'a str),
}

impl<'a> Path<'a> {
    fn new(path: &'a [u8]) -> Result<Self, Failure> {
        if is_plain_path(path) {
            return Ok(Self::Name(path));
        }
        let text = checked_text(path, "path")?;
        ItemRef::default().at_path(text)?;
        Ok(Self::Inner(text))
    }

    #[inline(always)]
    fn find<'i>(&self, item: ItemRef<'i>) -> Option<ValueRef<'i>> {
        match self {
            Self::Name(name) => item.get_raw(name),
            Self::Inner(path) => item.at_path(path).ok().flatten(),
        }
    }

    /// Refuses what no attribute can be called.
    fn check(&self) -> Result<(), Failure> {
        match self {
            Self::Name(name) => checked_text(name, "path").map(drop),
            Self::Inner(_) => Ok(()),
        }
    }
}
