//! Reading and writing single items.

use std::ffi::{c_char, c_void};
use std::ptr;

use kstone_api::{Glance, RecordRef, json};

use crate::boundary::status::KSTONE_NOT_FOUND;
use crate::boundary::{ErrorObject, KSTONE_OK, Out, Status, by_contract, entry, key_bytes, set_text, text};
use crate::database::{Db, database, glance};
use crate::item_view::{Item, View};
use crate::json_form::form_of;

/// Stores a copy of the item under a key, in place of what was there. The item may be built, read or borrowed, and may
/// come from another database.
///
/// Errors: KSTONE_ERR_INVALID where the partition key is empty, or an attribute of the key's name (pk and sk in an
/// untyped table) says something else than the key; KSTONE_ERR_LIMIT where a key is too long or the item, with its key
/// and as DynamoDB counts, is larger than 400 KB: the key counts as attributes, of an untyped table named pk and sk. A
/// put that fails changes nothing.
/// Cost: one allocation and one copy of the item; now and then a stripe's flush on top, tens of microseconds, and
/// seldom the merging of a whole stripe: a millisecond for some ten thousand items under one partition key.
/// Threads: any. Writes to different partitions seldom wait for each other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    item: *const Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        let database = database(db)?;
        database.put_body(pk, sk, View::new(item)?.whole(&mut Vec::new()))?;
        Ok(KSTONE_OK)
    })
}

/// Stores a copy of the item under the key that its own attributes are: those that the schema names as the table's
/// key, pk and, where it has one, sk in an untyped table. In all other ways as kstone_put.
///
/// Errors: as kstone_put; KSTONE_ERR_INVALID naming the key attribute that is missing, empty or of another type than
/// the key's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put_item(db: *mut Db, item: *const Item, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        let database = database(db)?;
        database.put_item_body(View::new(item)?.whole(&mut Vec::new()))?;
        Ok(KSTONE_OK)
    })
}

/// The item under a key. It is not copied: *out refers to the stored item, which stays as it is when the key is
/// overwritten or deleted later.
///
/// Returns KSTONE_NOT_FOUND where there is none; *out is then left alone.
/// Ownership: *out is yours, release it with kstone_free. An item that is kept keeps its memory.
/// Errors: KSTONE_ERR_INVALID where the partition key is empty; KSTONE_ERR_LIMIT where a key is too long.
/// Cost: one look-up; nothing is allocated or copied.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_get(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    out: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    // Nearly all of a look has nothing to do for a sort key; where there is one is asked once.
    if sk_len != 0 {
        return by_contract!(get_with_sk(db, pk, pk_len, sk, sk_len, out, err));
    }
    if let Some(status) = by_contract!(glance_at(db, (pk, pk_len), (ptr::null(), 0), out)) {
        return status;
    }
    by_contract!(get(db, pk, pk_len, ptr::null(), 0, out, err))
}

/// kstone_get of a key with a sort key. It has the same arguments, so that it is jumped to.
#[inline(never)]
unsafe extern "C" fn get_with_sk(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    out: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    if let Some(status) = by_contract!(glance_at(db, (pk, pk_len), (sk, sk_len), out)) {
        return status;
    }
    by_contract!(get(db, pk, pk_len, sk, sk_len, out, err))
}

/// What kstone_get says where it is but a look; none says nothing.
#[inline(always)]
unsafe fn glance_at(
    db: *const Db,
    pk: (*const c_void, usize),
    sk: (*const c_void, usize),
    out: *mut *mut Item,
) -> Option<Status> {
    let hand_out = |record: RecordRef<'_>| {
        by_contract!(out.write(record.to_raw().as_ptr().cast()));
        true
    };
    if out.is_null() {
        return None;
    }
    match by_contract!(glance(db, pk, sk, hand_out)) {
        Glance::Item => Some(KSTONE_OK),
        Glance::Nothing => Some(KSTONE_NOT_FOUND),
        Glance::Unclear => None,
    }
}

/// kstone_get where it is more than a look. It has the same arguments, so that it is jumped to.
#[inline(never)]
unsafe extern "C" fn get(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    out: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        let Some(record) = database(db)?.get_record(pk, sk)? else {
            return Ok(KSTONE_NOT_FOUND);
        };
        out.set(record.into_raw().as_ptr().cast());
        Ok(KSTONE_OK)
    })
}

/// Deletes the item under a key. KSTONE_OK also where there is none, as in DynamoDB.
///
/// Errors: as kstone_get.
/// Cost: that of putting an empty item, and a look-up.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_delete(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        database(db)?.delete_with_sk(pk, sk)?;
        Ok(KSTONE_OK)
    })
}

/// kstone_item_from_json and kstone_put in one.
///
/// Errors: those of both.
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
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        let form = form_of(flags)?;
        let database = database(db)?;
        let mut item = json::item_from_str(text(json, json_len, "json")?, form)?;
        database.put_body(pk, sk, item.finish())?;
        Ok(KSTONE_OK)
    })
}

/// kstone_get and kstone_item_to_json in one.
///
/// Returns KSTONE_NOT_FOUND where there is no item.
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: those of both.
#[must_use]
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
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        let form = form_of(flags)?;
        let Some(record) = database(db)?.get_record(pk, sk)? else {
            return Ok(KSTONE_NOT_FOUND);
        };
        Ok(set_text(out, out_len, &json::item_to_string(record.item(), form)))
    })
}
