//! The database as a whole: opening, emptying, its statistics.

use std::ffi::c_void;
use std::slice;

use kstone_api::clock::ClockSource;
use kstone_api::{Database, GLANCE_KEY_BYTES, Glance, RecordRef, Table};

use crate::boundary::handle::borrowed;
use crate::boundary::{
    ErrorObject, Failure, Handle, KSTONE_OK, Out, Status, Tag, Tagged, borrow, by_contract, entry, hand_out,
    read_struct,
};
use crate::cancellation::Uncancelled;
use crate::options::{Options, schema_of};

/// A database in memory, or a table of an account.
pub struct Db {
    database: Database,
    /// What is of the account alone is refused then.
    is_of_account: bool,
}

const _: () = {
    const fn may_be_shared<T: Send + Sync>() {}
    may_be_shared::<Db>();
};

impl Tagged for Db {
    const TAG: Tag = Tag::DATABASE;
    const NAME: &'static str = "a kstone_db";
}

impl Db {
    fn new(database: Database) -> Self {
        Self { database, is_of_account: false }
    }

    /// A table of an account.
    pub(crate) fn of_account(table: Table) -> Self {
        Self { database: table.into(), is_of_account: true }
    }
}

/// The database behind a handle that came in.
///
/// # Safety
/// `db` is NULL or a live handle.
#[inline]
pub(crate) unsafe fn database<'a>(db: *const Db) -> Result<&'a Database, Failure> {
    by_contract!(borrow(db)).map(|db| &db.database)
}

/// The same for what a table of an account leaves to its account, which does it by what `instead` names.
///
/// # Safety
/// As for [`database`].
pub(crate) unsafe fn database_as_a_whole<'a>(db: *const Db, instead: &str) -> Result<&'a Database, Failure> {
    let db = by_contract!(borrow(db))?;
    match db.is_of_account {
        false => Ok(&db.database),
        true => Err(Failure::invalid(format!("this is a table of an account, which does that: {instead}"))),
    }
}

/// What a quick look says of a key, where the arguments are the usual ones; nothing of it can fail or panic.
///
/// # Safety
/// As for [`database`] and [`key_bytes`](crate::boundary::key_bytes).
#[inline(always)]
pub(crate) unsafe fn glance(
    db: *const Db,
    (pk, pk_len): (*const c_void, usize),
    (sk, sk_len): (*const c_void, usize),
    take: impl FnOnce(RecordRef<'_>) -> bool,
) -> Glance {
    let is_short = pk_len.wrapping_sub(1) < GLANCE_KEY_BYTES && sk_len <= GLANCE_KEY_BYTES;
    if !is_short || pk.is_null() || (sk_len > 0 && sk.is_null()) {
        return Glance::Unclear;
    }
    // SAFETY: keys that are not NULL and short, and not read where they are empty; the caller vouches for the rest.
    unsafe {
        let Some(db) = borrowed(db) else { return Glance::Unclear };
        let sk = if sk_len == 0 { &[] } else { slice::from_raw_parts(sk.cast(), sk_len) };
        db.database.glance(slice::from_raw_parts(pk.cast(), pk_len), sk, take)
    }
}

/// Releases a database that the caller gives back.
///
/// # Safety
/// `db` was handed out and is used no more.
pub(crate) unsafe fn release(db: *mut Db) {
    let _uncancelled = Uncancelled::new();
    drop(by_contract!(Handle::take_back(db)));
}

/// Opens an empty database. options may be NULL: all defaults.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: KSTONE_ERR_INVALID where an option is out of range, not known or not served yet.
/// Cost: microseconds.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_open_memory(
    options: *const Options,
    out: *mut *mut Db,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let out = Out::new(out, "out")?;
        let options = read_struct(options)?;
        let schema = schema_of(options.schema_json, options.schema_json_len)?;
        let database = Database::create_in_memory_with(options.to_api()?, schema, ClockSource::default())?;
        kstone_api::when_much_is_freed(crate::give_memory_back);
        out.set(hand_out(Db::new(database)));
        Ok(KSTONE_OK)
    })
}

/// Makes a database of its own that holds what db holds now and shares its memory: writes on either side never show on
/// the other. The fixture for tests: fill one database, give each test a fork. The fork has db's options, schema and
/// time; its change stream is empty and goes on with db's sequence numbers; its statistics count what is shared as its
/// own. db may be freed before it.
///
/// Ownership: *out is yours, release it with kstone_free.
/// Errors: as kstone_clear.
/// Cost: some tens of microseconds, whatever the number of items; the first write to each of the 256 stripes
/// afterwards, on either side, some more. Memory grows by what is written from then on.
/// Threads: any; waits for a change of the schema, and for a load of a snapshot into db, that are under way.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_fork(db: *const Db, out: *mut *mut Db, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let out = Out::new(out, "out")?;
        out.set(hand_out(Db::new(database(db)?.fork()?)));
        Ok(KSTONE_OK)
    })
}

/// Deletes all items. Readers at work see all of them or go on with what they hold; pages, iterators and items that
/// were handed out stay as they are. Memory that is free then goes back to the system.
///
/// Errors: none of its own (KSTONE_ERR_PANIC where an earlier write failed inside).
/// Cost: that of freeing the items, and of giving back what all databases of the process have free.
/// Threads: any; writers wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_clear(db: *mut Db, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        database(db)?.clear()?;
        crate::give_memory_back();
        Ok(KSTONE_OK)
    })
}
