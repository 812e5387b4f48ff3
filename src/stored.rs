//! The stored form across the boundary: an item, or a page of them, as bytes in one call.

use std::ffi::c_void;

use kstone_api::{Glance, ItemRef, Record, RecordRef};

use crate::boundary::status::KSTONE_NOT_FOUND;
use crate::boundary::{
    ErrorObject, Failure, KSTONE_OK, Out, OutBytes, Status, accessor, borrow, by_contract, bytes, entry, key_bytes,
};
use crate::built_item::hand_out_copy;
use crate::database::{Db, database, glance};
use crate::item::Bytes;
use crate::item_view::{Item, View};
use crate::page::PageObject;

/// The stored form of an item, built or read. Empty for an item without attributes, for NULL, and for what is no item.
/// Of an item that was read from a typed table the key attributes are not in it, since they are stored in the key:
/// kstone_item_key_at says them, and a kstone_item_clone has all of them in its stored form.
///
/// Ownership: borrowed. The bytes stay valid until the item is changed or freed, or what it was borrowed from is.
/// Cost: none for an item that was read; a built one whose attributes were not set in order is put in order first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_bytes(it: *const Item) -> Bytes {
    accessor!(
        Bytes::EMPTY,
        match View::new(it) {
            Ok(view) => Bytes::of(view.body()),
            Err(_) => Bytes::EMPTY,
        }
    )
}

/// A built item from a stored form, wherever that comes from: every byte is checked.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where the bytes are no stored form, the message says why and at which byte;
/// KSTONE_ERR_LIMIT where they are more than 1 MiB.
/// Cost: one pass over the bytes, and a copy.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_item_from_bytes(
    body: *const c_void,
    body_len: usize,
    out: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        out.set(hand_out_copy(ItemRef::new(checked(body, body_len)?)).cast());
        Ok(KSTONE_OK)
    })
}

/// kstone_item_from_bytes and kstone_put in one, without the item between them.
///
/// Errors: those of both.
/// Cost: that of kstone_put, and one pass over the bytes.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put_bytes(
    db: *mut Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    body: *const c_void,
    body_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        database(db)?.put_body(pk, sk, checked(body, body_len)?)?;
        Ok(KSTONE_OK)
    })
}

/// The item under a key, copied into your buffer in its stored form, key attributes of a typed table included. *len
/// becomes the length of the item, whatever the capacity of the buffer: where it is more than capacity, nothing was
/// copied. Call again with a buffer of *len bytes then, and look at *len again, since others may have put a longer
/// item meanwhile. A buffer of capacity 0 may be NULL, and asks for the length alone.
///
/// Returns KSTONE_NOT_FOUND where there is no item; buffer and *len are then left alone.
/// Errors: as kstone_get, and KSTONE_ERR_MISUSE where buffer is NULL and capacity is not 0.
/// Cost: one look-up and the copy; nothing is allocated, unless the table is typed. Writers of items near this one
/// wait for the copy.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_get_bytes(
    db: *const Db,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    buffer: *mut c_void,
    capacity: usize,
    len: *mut usize,
    err: *mut *mut ErrorObject,
) -> Status {
    if let (Some(buffer), false) = (by_contract!(OutBytes::new(buffer, capacity)), len.is_null()) {
        let copy = |record: RecordRef<'_>| {
            if record.is_labelled() {
                return false;
            }
            by_contract!(len.write(buffer.copy(record.body())));
            true
        };
        match by_contract!(glance(db, (pk, pk_len), (sk, sk_len), copy)) {
            Glance::Item => return KSTONE_OK,
            Glance::Nothing => return KSTONE_NOT_FOUND,
            Glance::Unclear => {}
        }
    }
    entry!(err, {
        let len = Out::new(len, "len")?;
        let (pk, sk) = key_bytes((pk, pk_len), (sk, sk_len))?;
        let buffer = OutBytes::or_refuse(buffer, capacity)?;
        let Some(copied) = database(db)?.look(pk, sk, |record| copy_whole(record, buffer))? else {
            return Ok(KSTONE_NOT_FOUND);
        };
        len.set(copied);
        Ok(KSTONE_OK)
    })
}

fn copy_whole(record: &Record, buffer: OutBytes) -> usize {
    let mut made = Vec::new();
    buffer.copy(View::Stored(record.into()).whole(&mut made))
}

/// All items of a page in one buffer, one after the other, in the page's order. Empty where the page has no items, for
/// NULL, and for what is no page. Each item is
///
/// - a head of 8 bytes: the length of the partition key in 2 bytes, that of the sort key in 2, that of the stored form
///   in 4, all unsigned, the least significant byte first;
/// - the partition key and the sort key as kstone_item_pk and kstone_item_sk give them, and the stored form, key
///   attributes of a typed table included.
///
/// The key is the table's, also where the page came through an index. What a get of a batch did not find has a head
/// too, so that the i-th head belongs to the i-th get: its lengths are 0, 0 and 0xFFFFFFFF, and nothing follows it.
///
/// Ownership: borrowed from the page: it is gone when the page is freed.
/// Cost: a copy of the items, made by the first call and kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_page_bytes(p: *const PageObject) -> Bytes {
    accessor!(Bytes::EMPTY, borrow(p).map_or(Bytes::EMPTY, |page| Bytes::of(page.stored())))
}

/// A stored form that came in, checked.
unsafe fn checked<'a>(body: *const c_void, body_len: usize) -> Result<&'a [u8], Failure> {
    let body = by_contract!(bytes(body, body_len, "body"))?;
    Ok(ItemRef::validate(body)?.as_bytes())
}
