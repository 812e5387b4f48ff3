//! Cursors: a place among items at a point in time, which goes forward, back, and to any key.

use std::ffi::c_void;
use std::ptr;

use kstone_api::{Cursor, Error, Record};

use crate::boundary::status::KSTONE_DONE;
use crate::boundary::{
    ErrorObject, Handle, KSTONE_OK, Out, Slot, Status, Tag, Tagged, accessor, borrow, borrow_mut, by_contract, bytes,
    entry, hand_out, read_struct,
};
use crate::database::{Db, database};
use crate::item_view::Item;
use crate::spec::QuerySpec;

/// A cursor over items, at a point in time.
pub struct CursorObject {
    cursor: Cursor,
    /// The item that the cursor is on, as callers borrow it.
    current: Slot,
}

impl Tagged for CursorObject {
    const TAG: Tag = Tag::CURSOR;
    const NAME: &'static str = "a kstone_cursor";
}

/// Releases a cursor that the caller gives back.
///
/// # Safety
/// `cursor` was handed out and is used no more.
pub(crate) unsafe fn release(cursor: *mut CursorObject) {
    drop(by_contract!(Handle::take_back(cursor)));
}

/// Opens a cursor over one partition (spec->pk or key_expr is set) or over all items or a segment of them (neither is
/// set), before the first of them. spec may be NULL: all items. Filters, projections and an index are as in
/// kstone_iter_open; limit and token are KSTONE_ERR_INVALID, since a cursor goes as far as it is told to and seeks.
///
/// The order is that of kstone_query or kstone_scan: with KSTONE_QUERY_REVERSE, from the greatest sort key down, so
/// that "next" and "behind" are towards lesser sort keys. Over all items it is the library's own order, in which those
/// of a partition stand together by their sort keys.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors, cost: as kstone_iter_open.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_open(
    db: *const Db,
    spec: *const QuerySpec,
    out: *mut *mut CursorObject,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let database = database(db)?;
        let spec = read_struct(spec)?;
        spec.check_uncounted()?;
        let cursor = database.cursor(&spec.read_request()?)?;
        out.set(hand_out(CursorObject { cursor, current: Slot::new(None) }));
        Ok(KSTONE_OK)
    })
}

/// Goes to the first item.
///
/// Returns, of all moves, KSTONE_DONE where there is no item to go to: the cursor is then before the first item or
/// behind the last one, from where kstone_cursor_next or kstone_cursor_prev goes back to it. *out is left alone.
/// Ownership, of all moves: *out is borrowed from the cursor, and good until the next move or until the cursor is
/// freed. out may be NULL: kstone_cursor_item says the same.
/// Errors, of all moves: KSTONE_ERR_MISUSE; the cursor stays where it was.
/// Cost: a search in each sorted run.
/// Threads, of all moves: one at a time; the database may be used by others, and freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_first(
    it: *mut CursorObject,
    out: *mut *const Item,
    err: *mut *mut ErrorObject,
) -> Status {
    by_contract!(go(it, out, err, |cursor| cursor.first()))
}

/// Goes to the last item. Otherwise as kstone_cursor_first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_last(
    it: *mut CursorObject,
    out: *mut *const Item,
    err: *mut *mut ErrorObject,
) -> Status {
    by_contract!(go(it, out, err, |cursor| cursor.last()))
}

/// Goes to the first item at this key or behind it, or, where there is none, behind the last item. In a partition pk
/// may be (NULL, 0), and is the partition otherwise; sk (NULL, 0) is before all other sort keys. Over all items, the
/// key need not be there: its place in the library's order is found all the same.
///
/// Returns, ownership, threads: as kstone_cursor_first.
/// Errors: as kstone_cursor_first; KSTONE_ERR_INVALID for the key of another partition, for no pk where the cursor is
/// over all items, and for a cursor over an index, whose spec may have a condition instead; KSTONE_ERR_LIMIT for a key
/// that is too long.
/// Cost: a search in each sorted run, whatever the distance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_seek(
    it: *mut CursorObject,
    pk: *const c_void,
    pk_len: usize,
    sk: *const c_void,
    sk_len: usize,
    out: *mut *const Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (pk, sk) = (bytes(pk, pk_len, "pk")?, bytes(sk, sk_len, "sk")?);
        let out = Out::optional(out);
        let cursor = borrow_mut(it)?;
        let shown = cursor.cursor.seek(pk, sk)?.cloned();
        Ok(show(it, shown, out))
    })
}

/// Goes to the next item: from before the first one to the first, from the last one to behind it, where it stays.
///
/// Returns, ownership, errors, threads: as kstone_cursor_first.
/// Cost: a step, or as many as the filter passes over. References to the items are taken 16 at a time, then 32, and so
/// on up to 256; the items are not copied but for what a projection returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_next(
    it: *mut CursorObject,
    out: *mut *const Item,
    err: *mut *mut ErrorObject,
) -> Status {
    by_contract!(go(it, out, err, |cursor| cursor.next()))
}

/// Goes to the item before: from behind the last one to the last, from the first one to before it, where it stays.
/// Otherwise as kstone_cursor_next.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_prev(
    it: *mut CursorObject,
    out: *mut *const Item,
    err: *mut *mut ErrorObject,
) -> Status {
    by_contract!(go(it, out, err, |cursor| cursor.prev()))
}

/// The item that the cursor is on, borrowed from it as by a move. NULL before the first item and behind the last one,
/// and for NULL.
///
/// Cost: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_cursor_item(it: *const CursorObject) -> *const Item {
    accessor!(ptr::null(), {
        match borrow(it) {
            Ok(cursor) if cursor.current.record().is_some() => Slot::lend(&raw const (*it).current).cast(),
            _ => ptr::null(),
        }
    })
}

/// What moves without a key share.
///
/// # Safety
/// As for those.
unsafe fn go(
    it: *mut CursorObject,
    out: *mut *const Item,
    err: *mut *mut ErrorObject,
    step: impl FnOnce(&mut Cursor) -> Result<Option<&Record>, Error>,
) -> Status {
    entry!(err, {
        let out = Out::optional(out);
        let cursor = borrow_mut(it)?;
        let shown = step(&mut cursor.cursor)?.cloned();
        Ok(show(it, shown, out))
    })
}

/// Lends the item that the cursor has come to, instead of the one before.
///
/// # Safety
/// `it` is a live cursor that nobody else uses.
unsafe fn show(it: *mut CursorObject, shown: Option<Record>, out: Option<Out<*const Item>>) -> Status {
    let is_there = shown.is_some();
    // SAFETY: a live cursor, used by this call alone.
    let slot = unsafe {
        (*it).current.replace(shown);
        &raw const (*it).current
    };
    match (is_there, out) {
        (false, _) => KSTONE_DONE,
        (true, None) => KSTONE_OK,
        (true, Some(out)) => {
            out.set(Slot::lend(slot).cast());
            KSTONE_OK
        }
    }
}
