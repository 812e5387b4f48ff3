//! The database as a whole: opening, emptying, its statistics.

use std::ffi::c_char;

use kstone_api::Database;
use kstone_api::clock::ClockSource;

use crate::boundary::{Failure, Out, enter};
use crate::cancellation::Uncancelled;
use crate::error::Error;
use crate::handle::{Handle, Kind, Kinded, borrow, hand_out};
use crate::options::{Options, read_struct};
use crate::schema::schema;
use crate::status::{KSTONE_ERR_PANIC, KSTONE_OK, Status};
use crate::text::OwnedText;

/// DATABASES
///
/// A database in memory: nothing is written to disk unless a function is asked to (snapshots, exports), and all is
/// gone when it is freed. A database has no name; a program may open as many as it likes, and each costs a few KiB
/// while it is empty. Any number of threads may use one database at once.
///
/// ```c
/// static int first_steps(void) {
///     kstone_error *err = NULL;
///     kstone_db *db = NULL;
///     kstone_item *item = kstone_item_new();
///     kstone_item *found = NULL;
///     int64_t age = 0;
///     kstone_open_memory(NULL, &db, NULL);
///     kstone_item_set_str(item, "name", KSTONE_STRLEN, "Alice", KSTONE_STRLEN);
///     kstone_item_set_i64(item, "age", KSTONE_STRLEN, 30);
///     if (kstone_put(db, "user#1", 6, NULL, 0, item, &err) < 0) {
///         fprintf(stderr, "%s\n", kstone_error_message(err));
///     } else if (kstone_get(db, "user#1", 6, NULL, 0, &found, &err) == KSTONE_OK) {
///         kstone_item_get_i64(found, "age", KSTONE_STRLEN, &age);
///     }
///     kstone_free(found);
///     kstone_free(item);
///     kstone_free(db);
///     kstone_free(err);
///     return age == 30;
/// }
/// ```
pub struct Db(Database);

const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Db>();
};

impl Kinded for Db {
    const KIND: Kind = Kind::DATABASE;
    const NAME: &'static str = "a kstone_db";
}

/// The database behind a handle that came in.
///
/// # Safety
/// `db` is NULL or a live handle.
#[inline]
pub(crate) unsafe fn database<'a>(db: *const Db) -> Result<&'a Database, Failure> {
    // SAFETY: as this function's.
    unsafe { borrow(db) }.map(|db| &db.0)
}

/// Releases a database that the caller gives back.
///
/// # Safety
/// `db` was handed out and is used no more.
pub(crate) unsafe fn release(db: *mut Db) {
    let _uncancelled = Uncancelled::new();
    // SAFETY: as this function's.
    drop(unsafe { Handle::take_back(db) });
}

/// Opens an empty database. options may be NULL: all defaults.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where an option is out of range, not known or not served yet.
/// Cost: microseconds.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_open_memory(
    options: *const Options,
    out: *mut *mut Db,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let _uncancelled = Uncancelled::new();
            let out = Out::new(out, "out")?;
            let options = read_struct(options)?;
            let schema = schema(options.schema_json, options.schema_json_len)?;
            let database = Database::create_in_memory_with(options.to_api()?, schema, ClockSource::default())?;
            out.set(hand_out(Db(database)));
            Ok(KSTONE_OK)
        })
    }
}

/// Makes a database of its own that holds what db holds now and shares its memory: writes on either side never show on
/// the other. The fixture for tests: fill one database, give each test a fork. The fork has db's options, schema and
/// time; its change stream is empty and goes on with db's sequence numbers; its statistics count what is shared as its
/// own. db may be freed before it.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: as kstone_clear.
/// Cost: some tens of microseconds, whatever the number of items; the first write to each of the 256 stripes afterwards,
/// on either side, some more. Memory grows by what is written from then on.
/// Threads: any; waits for a change of the schema, and for a load of a snapshot into db, that are under way.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_fork(db: *const Db, out: *mut *mut Db, err: *mut *mut Error) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let _uncancelled = Uncancelled::new();
            let out = Out::new(out, "out")?;
            out.set(hand_out(Db(database(db)?.fork()?)));
            Ok(KSTONE_OK)
        })
    }
}

/// Deletes all items. Readers at work see all of them or go on with what they hold; pages, iterators and items that
/// were handed out stay as they are. Memory that is free then goes back to the system.
///
/// Errors: none of its own (KSTONE_ERR_PANIC where an earlier write failed inside).
/// Cost: that of freeing the items, and of giving back what all databases of the process have free.
/// Threads: any; writers wait.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_clear(db: *mut Db, err: *mut *mut Error) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let _uncancelled = Uncancelled::new();
            database(db)?.clear()?;
            give_memory_back();
            Ok(KSTONE_OK)
        })
    }
}

/// Turns what each stripe has collected into sorted runs now. This happens by itself (see
/// kstone_options.memtable_max_records) and changes no answer; it is here for tests and measurements.
///
/// Errors: as kstone_clear.
/// Cost: tens of microseconds for 1000 collected records; stripes are done one after another.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_flush(db: *mut Db, err: *mut *mut Error) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            database(db)?.flush()?;
            Ok(KSTONE_OK)
        })
    }
}

/// Merges the sorted runs of each stripe into one, drops what deletes have left behind, and gives the memory that is
/// free back to the system, as kstone_clear does too. Merging and dropping happen by themselves and change no answer;
/// memory that is free is used again, but much of it stays with the process until this is called.
///
/// Errors: as kstone_clear.
/// Cost: the number of records; stripes are done one after another.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_compact(db: *mut Db, err: *mut *mut Error) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            database(db)?.compact()?;
            give_memory_back();
            Ok(KSTONE_OK)
        })
    }
}

/// Numbers about the database as a JSON object, for people and dashboards; later versions may add members. Items, and
/// live_bytes of their records; total_bytes and its parts memtable_bytes, sst_bytes, filter_bytes (what finds
/// records), wal_bytes, eviction_bytes, base_bytes, stream_bytes; memory_max_bytes; index_entries and
/// index_entry_bytes of secondary indexes; memtable_records, wal_records, sst_records, stream_records; ssts, stripes
/// (that hold anything), ssts_per_stripe_max and ssts_per_stripe_mean; tombstones; and, since the database was
/// opened, flushes, compactions, evictions, and hits and misses of look-ups by key.
///
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: as kstone_clear.
/// Cost: a walk over all items, some tens of nanoseconds each; a writer waits for the walk over one of the 256 stripes
/// at most, and briefly while their bytes are added up.
///
/// # Safety
/// The arguments keep the conventions at the top of the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_stats_json(
    db: *const Db,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut Error,
) -> Status {
    // SAFETY: as this function's.
    unsafe {
        enter(err, || {
            let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
            let stats = database(db)?.stats()?;
            let json = serde_json::to_string(&stats)
                .map_err(|error| Failure::new(KSTONE_ERR_PANIC, format!("the statistics are no JSON: {error}")))?;
            Ok(set_text(out, out_len, &json))
        })
    }
}

/// What is free goes back to the system where the library's memory is its own.
fn give_memory_back() {
    #[cfg(feature = "mimalloc")]
    crate::allocator::give_back();
}

/// Writes a text and its length to their outputs.
pub(crate) fn set_text(out: Out<*mut c_char>, out_len: Out<usize>, text: &str) -> Status {
    out.set(OwnedText::for_caller(text).as_ptr());
    out_len.set(text.len());
    KSTONE_OK
}
