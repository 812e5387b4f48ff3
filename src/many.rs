//! Many items in one call: gets whose cache misses overlap, and puts that take each stripe's lock once.

use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;

use kstone_api::{KeyRef, RecordRef};

use crate::boundary::{ErrorObject, Failure, KSTONE_OK, Out, Status, by_contract, entry, key_bytes, usual_key_bytes};
use crate::database::{Db, database};
use crate::item_view::{Item, View};

/// Gets many items in one call: each of out becomes the item under the key of its place, or NULL where there is none.
/// The arrays have count elements each; sks and sk_lens may both be NULL, then no key has a sort key. A key may come
/// twice.
///
/// The items need not be of one moment: where others write meanwhile some may be older than others, as with calls of
/// kstone_get one after the other. Gets of a kstone_batch with KSTONE_BATCH_ATOMIC are of one moment.
///
/// Ownership: each of out is yours, release it with kstone_free.
/// Errors: as kstone_get, and KSTONE_ERR_MISUSE where an array is NULL; kstone_error_index says which key is wrong.
/// Nothing is written to out then.
/// Cost: a look-up for each key; the memory that they wait for is asked for ahead, 16 keys at a time, so that many
/// keys take a fraction of as many calls. Nothing is allocated or copied.
/// Threads: any.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_get_many(
    db: *const Db,
    pks: *const *const c_void,
    pk_lens: *const usize,
    sks: *const *const c_void,
    sk_lens: *const usize,
    count: usize,
    out: *mut *mut Item,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let keys = Keys::new((pks, pk_lens), (sks, sk_lens), count)?;
        let database = database(db)?;
        if count == 0 {
            return Ok(KSTONE_OK);
        }
        Out::new(out, "out")?;
        (0..count).try_for_each(|at| keys.at(at).map(drop))?;
        let mut written = 0;
        let key = |at| keys.looked_at(at);
        let looked = database.look_many(count, key, |at, record| {
            let item = record.map_or(ptr::null_mut(), |record| RecordRef::from(record).to_raw().as_ptr().cast());
            // `out` has `count` elements, and `at` is one of them.
            out.add(at).write(item);
            written = at + 1;
        });
        if looked.is_err() {
            for place in (0..written).map(|at| out.add(at)) {
                if let Some(item) = NonNull::new(place.replace(ptr::null_mut())) {
                    RecordRef::release_raw(item.cast());
                }
            }
        }
        looked?;
        Ok(KSTONE_OK)
    })
}

/// Puts many items in one call, each as kstone_put would and in their order: of several under one key the last one
/// stays. The arrays have count elements each; sks and sk_lens may both be NULL, then no key has a sort key.
///
/// Each item is stored by itself: readers may see some before the others. A kstone_batch with KSTONE_BATCH_ATOMIC
/// stores its items as one. All keys and items are looked at before anything is stored: where one is refused nothing
/// is. Where the memory limit is reached on the way, what was stored before stays. So it does where another thread
/// changes the schema during the call, and the new one refuses an item that is yet to be stored.
///
/// Errors: as kstone_put, and KSTONE_ERR_MISUSE where an array is NULL; kstone_error_index says which element is
/// wrong.
/// Cost: that of the puts, but for the calls and the locks: each stripe's is taken once for some thousands of items. In
/// a database that has indexes, a stream, a TTL attribute or a memory limit the items are stored one by one.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_put_many(
    db: *mut Db,
    pks: *const *const c_void,
    pk_lens: *const usize,
    sks: *const *const c_void,
    sk_lens: *const usize,
    items: *const *const Item,
    count: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let keys = Keys::new((pks, pk_lens), (sks, sk_lens), count)?;
        let database = database(db)?;
        if items.is_null() && count > 0 {
            return Err(refuse_array("items"));
        }
        let view = |at| {
            // `items` has `count` elements.
            View::new(items.add(at).read()).map_err(|failure| failure.of_operation(at))
        };
        let views = (0..count).map(view).collect::<Result<Vec<_>, _>>()?;
        let mut made: Vec<_> = views.iter().map(|_| Vec::new()).collect();
        let put = |(at, (view, made))| Ok((keys.at(at)?, View::whole(view, made)));
        let puts = views.iter().zip(&mut made).enumerate().map(put).collect::<Result<Vec<_>, Failure>>()?;
        database.put_many(&puts)?;
        Ok(KSTONE_OK)
    })
}

/// One part of each key: an array of pointers and one of lengths.
type Part = (*const *const c_void, *const usize);

/// Keys in arrays: partition keys, and sort keys where there are any.
struct Keys {
    pks: Part,
    sks: Option<Part>,
}

impl Keys {
    fn new(pks: Part, sks: Part, count: usize) -> Result<Self, Failure> {
        let names = [(pks.0.is_null(), "pks"), (pks.1.is_null(), "pk_lens")];
        if let Some((_, name)) = names.into_iter().find(|(is_null, _)| *is_null && count > 0) {
            return Err(refuse_array(name));
        }
        let sks = match (sks.0.is_null(), sks.1.is_null()) {
            (true, true) => None,
            (false, false) => Some(sks),
            (true, false) => return Err(refuse_array("sks, unlike sk_lens,")),
            (false, true) => return Err(refuse_array("sk_lens, unlike sks,")),
        };
        Ok(Self { pks, sks })
    }

    /// A key, with its lengths checked.
    ///
    /// # Safety
    /// As `boundary::contract` says; the arrays have more elements than `at`.
    #[inline(always)]
    unsafe fn at<'a>(&self, at: usize) -> Result<KeyRef<'a>, Failure> {
        match by_contract!(self.usual(at)) {
            Some(key) => Ok(key),
            None => by_contract!(self.unusual(at)),
        }
    }

    /// The same of what nearly every key is; none says nothing.
    ///
    /// # Safety
    /// As for [`Keys::at`].
    #[inline(always)]
    unsafe fn usual<'a>(&self, at: usize) -> Option<KeyRef<'a>> {
        let (pk, sk) = by_contract!(self.parts(at));
        let (pk, sk) = by_contract!(usual_key_bytes(pk, sk))?;
        KeyRef::new(pk, sk).ok()
    }

    /// A key that was found good before.
    ///
    /// # Safety
    /// As for [`Keys::at`], which took it.
    #[inline(always)]
    unsafe fn looked_at<'a>(&self, at: usize) -> KeyRef<'a> {
        let ((pk, pk_len), (sk, sk_len)) = by_contract!(self.parts(at));
        let sk = if sk_len == 0 { NonNull::dangling().as_ptr() } else { sk.cast() };
        // SAFETY: the pointers were not NULL, but of what is empty, which is not read.
        let (pk, sk) = unsafe { (slice::from_raw_parts(pk.cast(), pk_len), slice::from_raw_parts(sk, sk_len)) };
        KeyRef::new(pk, sk).expect("every key was looked at")
    }

    #[cold]
    #[inline(never)]
    unsafe fn unusual<'a>(&self, at: usize) -> Result<KeyRef<'a>, Failure> {
        let (pk, sk) = by_contract!(self.parts(at));
        let key = by_contract!(key_bytes(pk, sk)).and_then(|(pk, sk)| Ok(KeyRef::new(pk, sk)?));
        key.map_err(|failure| failure.of_operation(at))
    }

    /// The pointers and lengths of a key.
    ///
    /// # Safety
    /// As for [`Keys::at`].
    #[inline(always)]
    unsafe fn parts(&self, at: usize) -> ((*const c_void, usize), (*const c_void, usize)) {
        // SAFETY: the arrays have that many elements.
        let part = |(data, len): Part| unsafe { (data.add(at).read(), len.add(at).read()) };
        (part(self.pks), self.sks.map_or((ptr::null(), 0), part))
    }
}

#[cold]
fn refuse_array(name: &str) -> Failure {
    Failure::misuse(format!("{name} is NULL: it needs an element for each key"))
}
