//! Reading and writing single items.

use std::ffi::{c_char, c_void};

use kstone_api::json;

use crate::boundary::{Out, bytes, enter, text};
use crate::database::{Db, database, set_text};
use crate::error::Error;
use crate::item::{Item, View};
use crate::item_build::form_of;
use crate::status::{KSTONE_NOT_FOUND, KSTONE_OK, Status};

/// READING AND WRITING
///
/// An item is stored under a partition key of 1 to 2048 bytes and, optionally, a sort key of up to 1024 bytes; an
/// empty sort key (NULL, 0) is no sort key. Items of one partition are kept in the order of their sort keys' bytes, and
/// kstone_query reads ranges of them. Keys are bytes: they may hold NULs, so their lengths are always given.
///
/// ```c
/// static kstone_status move_book(kstone_db *db, const char *from, size_t from_len, const char *to, size_t to_len,
///                                kstone_error **err) {
///     kstone_item *book = NULL;
///     kstone_status status = kstone_get(db, "books", 5, from, from_len, &book, err);
///     if (status != KSTONE_OK) {
///         return status;
///     }
///     status = kstone_put(db, "books", 5, to, to_len, book, err);
///     kstone_free(book);
///     return status == KSTONE_OK ? kstone_delete(db, "books", 5, from, from_len, err) : status;
/// }
/// ```
///
/// Stores a copy of the item under a key, in place of what was there. The item may be built, read or borrowed, and may
/// come from another database.
///
/// Errors: KSTONE_ERR_INVALID where the partition key is empty, or an attribute named pk or sk says something else than
/// the key; KSTONE_ERR_LIMIT where a key is too long or the item, with its key and as DynamoDB counts, is larger than
/// 400 KB: the key counts as attributes named pk and sk. A put that fails changes nothing.
/// Cost: one allocation and one copy of the item; now and then a stripe's flush on top, tens of microseconds, and
/// seldom the merging of a whole stripe: a millisecond for some ten thousand items under one partition key.
/// Threads: any. Writes to different partitions seldom wait for each other.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    item: *const Item,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
            let database = database(db)?;
            let mut view = View::new(item)?;
            database.put_body(pk, sk, view.body()?)?;
            Ok(KSTONE_OK)
        })
    }
}

/// The item under a key. It is not copied: *out refers to the stored item, which stays as it is when the key is
/// overwritten or deleted later.
///
/// Returns KSTONE_NOT_FOUND where there is none; *out is then left alone.
/// Ownership: *out is yours, release it with kstone_free. An item that is kept keeps its memory.
/// Errors: KSTONE_ERR_INVALID where the partition key is empty; KSTONE_ERR_LIMIT where a key is too long.
/// Cost: one look-up; nothing is allocated or copied.
/// Threads: any.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_get(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    out: *mut *mut Item,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let out = Out::new(out, "out")?;
            let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
            let Some(record) = database(db)?.get_record(pk, sk)? else {
                return Ok(KSTONE_NOT_FOUND);
            };
            out.set(record.into_raw().as_ptr().cast());
            Ok(KSTONE_OK)
        })
    }
}

/// Deletes the item under a key. KSTONE_OK also where there is none, as in DynamoDB.
///
/// Errors: as kstone_get.
/// Cost: that of putting an empty item, and a look-up.
/// Threads: any.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_delete(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
            database(db)?.delete_with_sk(pk, sk)?;
            Ok(KSTONE_OK)
        })
    }
}

/// kstone_item_from_json and kstone_put in one.
///
/// Errors: those of both.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put_json(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    json: *const c_char,
    json_len: usize,
    flags: u32,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
            let form = form_of(flags)?;
            let database = database(db)?;
            let mut item = json::item_from_str(text(json, json_len, "json")?, form)?;
            database.put_body(pk, sk, item.finish())?;
            Ok(KSTONE_OK)
        })
    }
}

/// kstone_get and kstone_item_to_json in one.
///
/// Returns KSTONE_NOT_FOUND where there is no item.
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: those of both.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_get_json(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    flags: u32,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
            let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
            let form = form_of(flags)?;
            let Some(record) = database(db)?.get_record(pk, sk)? else {
                return Ok(KSTONE_NOT_FOUND);
            };
            Ok(set_text(out, out_len, &json::item_to_string(record.item(), form)))
        })
    }
}
