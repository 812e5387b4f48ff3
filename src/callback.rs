//! Snapshots, exports and imports through a function of the caller's, instead of a file.

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::io::{self, BufReader, Read, Write};

use crate::boundary::status::KSTONE_ERR_IO;
use crate::boundary::{ErrorObject, Failure, KSTONE_OK, Status, by_contract, entry, read_struct};
use crate::cancellation::Uncancelled;
use crate::database::{Db, database, database_as_a_whole};
use crate::import_spec::ImportSpec;
use crate::transfer::ImportOutputs;

/// Takes the next len bytes, which are at data until the function returns; len is never 0. Returns KSTONE_OK, or
/// another status to end the call that it was given to.
pub type WriteFn = Option<unsafe extern "C" fn(user_data: *mut c_void, data: *const c_void, len: usize) -> Status>;

/// Puts the next bytes into buffer, which takes capacity of them, and says in *len how many those are: as few
/// as it likes, 0 only at the end of the input. *len is 0 when it is called. Returns KSTONE_OK, or another status to
/// end the call that it was given to.
pub type ReadFn = Option<
    unsafe extern "C" fn(user_data: *mut c_void, buffer: *mut c_void, capacity: usize, len: *mut usize) -> Status,
>;

/// Writes the database as it is now, as kstone_snapshot_save does, to a function instead of a file: the same bytes.
///
/// Errors: what the function returns below 0, where it ends the save; KSTONE_ERR_IO where it does so with a status
/// above 0; KSTONE_ERR_MISUSE where the function is NULL. What was written until then is no snapshot: nothing loads
/// it.
/// Cost: as kstone_snapshot_save; some 64 KiB or more with each call of the function.
/// Threads: any. The function is called by this thread, before this function returns, and with no lock held: it may do
/// anything with this database but free it. See "Callbacks".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_snapshot_save_to(
    db: *const Db,
    write: WriteFn,
    user_data: *mut c_void,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let database = database(db)?;
        let mut callback = Callback::of(write, user_data, "write")?;
        let saved = database.save_snapshot_to(&mut callback);
        callback.outcome(saved.map_err(Failure::from))?;
        Ok(KSTONE_OK)
    })
}

/// Fills an empty database with a snapshot, as kstone_snapshot_load does, from a function instead of a file. The
/// function is called until it says that the input ends.
///
/// Errors: as kstone_snapshot_load; what the function returns below 0, where it ends the load, KSTONE_ERR_IO where it
/// does so with a status above 0; KSTONE_ERR_MISUSE where the function is NULL or says that it has put more bytes into
/// the buffer than it takes; KSTONE_ERR_INVALID in the child where the function calls fork and returns in both. Nothing
/// is loaded then.
/// Cost: as kstone_snapshot_load.
/// Threads: any. The function is called by this thread, before this function returns. It may use this database, but
/// neither free it nor change it as a whole: kstone_snapshot_load, kstone_snapshot_load_from, kstone_configure and
/// kstone_fork of this database would wait for the load, and are KSTONE_ERR_INVALID inside of it. See "Callbacks".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_snapshot_load_from(
    db: *mut Db,
    read: ReadFn,
    user_data: *mut c_void,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let database = database_as_a_whole(db, "kstone_account_snapshot_load")?;
        let mut callback = Callback::of(read, user_data, "read")?;
        let loaded = database.load_snapshot_from(&mut callback);
        callback.outcome(loaded.map_err(Failure::from))?;
        Ok(KSTONE_OK)
    })
}

/// Writes every item as a line of JSON, as kstone_export_json does, to a function instead of a file.
///
/// Errors, threads: as kstone_snapshot_save_to.
/// Cost: as kstone_export_json; some 8 KiB or more with each call of the function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_export_json_to(
    db: *const Db,
    write: WriteFn,
    user_data: *mut c_void,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let database = database(db)?;
        let mut callback = Callback::of(write, user_data, "write")?;
        let exported = database.export_json(&mut callback);
        callback.outcome(exported.map_err(Failure::from))?;
        Ok(KSTONE_OK)
    })
}

/// Puts an item for each line, as kstone_import_json does, from a function instead of a file. Since that can be read
/// only once, spec must have KSTONE_IMPORT_SKIP.
///
/// Ownership: as kstone_import_json.
/// Errors: as kstone_import_json, where a file fails, and as kstone_snapshot_load_from about the function;
/// KSTONE_ERR_INVALID without KSTONE_IMPORT_SKIP. What came before stays.
/// Cost: as kstone_import_json.
/// Threads: any. The function is called by this thread, before this function returns, and with no lock held: it may do
/// anything with this database but free it. See "Callbacks".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_import_json_from(
    db: *mut Db,
    read: ReadFn,
    user_data: *mut c_void,
    spec: *const ImportSpec,
    loaded: *mut usize,
    skipped: *mut usize,
    reasons: *mut *mut c_char,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        let outputs = ImportOutputs::new(loaded, skipped, reasons);
        let database = database(db)?;
        let options = read_struct(spec)?.to_api()?;
        let mut callback = Callback::of(read, user_data, "read")?;
        let imported = database.import_json_stream(BufReader::new(&mut callback), &options);
        let report = callback.outcome(imported.map_err(Failure::from))?;
        outputs.set(&report);
        Ok(KSTONE_OK)
    })
}

/// A function of the caller's as what bytes are read from or written to. When it has failed it is not called again.
struct Callback<F> {
    function: F,
    user_data: *mut c_void,
    failure: RefCell<Option<Failure>>,
}

impl<F> Callback<F> {
    /// # Errors
    /// A function is needed.
    fn of(function: Option<F>, user_data: *mut c_void, name: &str) -> Result<Self, Failure> {
        let function =
            function.ok_or_else(|| Failure::misuse(format!("{name} is NULL: it is the function to call")))?;
        Ok(Self { function, user_data, failure: RefCell::new(None) })
    }

    /// What came of it all: where the function failed, what it said.
    fn outcome<T>(self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        match self.failure.into_inner() {
            Some(failure) => Err(failure),
            None => outcome,
        }
    }

    fn fail<T>(&self, failure: Failure) -> io::Result<T> {
        *self.failure.borrow_mut() = Some(failure);
        Err(io::Error::other("the callback failed"))
    }

    /// Goes on where the function said that all is well.
    fn check(&self, status: Status) -> io::Result<()> {
        if status == KSTONE_OK {
            return Ok(());
        }
        let code = if status < 0 { status } else { KSTONE_ERR_IO };
        self.fail(Failure::new(code, format!("the callback ended the call: it returned {status}")))
    }

    fn check_good(&self) -> io::Result<()> {
        match *self.failure.borrow() {
            Some(_) => Err(io::Error::other("the callback has failed")),
            None => Ok(()),
        }
    }
}

impl Write for &mut Callback<unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> Status> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_good()?;
        if bytes.is_empty() {
            return Ok(0);
        }
        let status = by_contract!((self.function)(self.user_data, bytes.as_ptr().cast(), bytes.len()));
        self.check(status)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.check_good()
    }
}

impl Read for &mut Callback<unsafe extern "C" fn(*mut c_void, *mut c_void, usize, *mut usize) -> Status> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check_good()?;
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut len = 0;
        let capacity = buffer.len();
        let status = by_contract!((self.function)(self.user_data, buffer.as_mut_ptr().cast(), capacity, &raw mut len));
        self.check(status)?;
        if len > capacity {
            let text = format!("the callback says that it has read {len} bytes into a buffer of {capacity}");
            return self.fail(Failure::misuse(text));
        }
        Ok(len)
    }
}
