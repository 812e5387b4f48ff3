//! Iterators: one item after another, without pages.

use kstone_api::{RecordRef, Records};

use crate::boundary::status::KSTONE_DONE;
use crate::boundary::{
    ErrorObject, Handle, KSTONE_OK, Out, Slot, Status, Tag, Tagged, borrow_mut, by_contract, entry, hand_out,
    read_struct,
};
use crate::database::{Db, database};
use crate::item_view::Item;
use crate::spec::QuerySpec;

/// An iterator over items, at a point in time.
pub struct Iter {
    /// None when it has come to its end.
    records: Option<Records>,
    /// Lent by `records`, until it goes on or ends.
    current: Slot<RecordRef<'static>>,
}

impl Iter {
    pub(crate) fn new(records: Records) -> Self {
        Self { records: Some(records), current: Slot::new(None) }
    }
}

impl Tagged for Iter {
    const TAG: Tag = Tag::ITERATOR;
    const NAME: &'static str = "a kstone_iter";
}

/// Releases an iterator that the caller gives back.
///
/// # Safety
/// `iter` was handed out and is used no more.
pub(crate) unsafe fn release(iter: *mut Iter) {
    drop(by_contract!(Handle::take_back(iter)));
}

/// Opens an iterator over one partition (spec->pk or key_expr is set, and all that kstone_query understands), or over
/// all items or a segment of them (neither is set, and all that kstone_scan understands). spec may be NULL: all items.
/// With limit the iterator ends after it has examined that many items in all; with token it goes on where a page of the
/// same query or scan ended. KSTONE_QUERY_COUNT is KSTONE_ERR_INVALID: kstone_query and kstone_scan count.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: as kstone_query or kstone_scan.
/// Cost: where there are no more than 256 items to examine, or limit is no more than that, a reference for each. In all
/// other cases a count for each stripe (one for a partition, 256 for all items); nothing is copied. An iterator over all
/// items takes these counts once it has examined some 250 of them, or at the next write, which waits for that. The
/// iterator then shares the stripes with the database, so the next write to each of them costs more, once: it makes a
/// tree of the stripe's own, for which the records collected since the last flush become a sorted run, which may be
/// merged.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_iter_open(
    db: *const Db,
    spec: *const QuerySpec,
    out: *mut *mut Iter,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let database = database(db)?;
        let spec = read_struct(spec)?;
        spec.check_uncounted()?;
        out.set(hand_out(Iter::new(database.iter(&spec.read_request()?)?)));
        Ok(KSTONE_OK)
    })
}

/// The next item.
///
/// Returns KSTONE_DONE at the end and from then on; *out is then left alone.
/// Ownership: *out is borrowed from the iterator. It is valid until the next call of this function with the same
/// iterator, or until the iterator is freed; kstone_put, kstone_item_clone and the getters take it.
/// Errors: KSTONE_ERR_MISUSE; KSTONE_ERR_PANIC where a write that was under way when the iterator was opened has
/// panicked since.
/// Cost: a step, and one for each item that the filter skips. Nothing is counted or copied, except for the keys with
/// KSTONE_QUERY_KEYS_ONLY and the parts that a projection returns.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_iter_next(it: *mut Iter, out: *mut *const Item, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        let out = Out::new(out, "out")?;
        let iter = borrow_mut(it)?;
        iter.current.replace(None);
        let Some(next) = iter.records.as_mut().and_then(Records::advance) else {
            if let Some(ended) = iter.records.take() {
                ended.check_interrupt()?;
            }
            return Ok(KSTONE_DONE);
        };
        // The records hold it until they go on or end, and with both it leaves the slot.
        iter.current.replace(Some(std::mem::transmute::<RecordRef<'_>, RecordRef<'static>>(next)));
        out.set(Slot::lend(&raw const (*it).current).cast());
        Ok(KSTONE_OK)
    })
}
