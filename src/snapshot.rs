//! Snapshots: the whole database in a file, and back.

use std::ffi::c_char;

use crate::boundary::{ErrorObject, KSTONE_OK, Out, Status, entry, file_path};
use crate::cancellation::Uncancelled;
use crate::database::{Db, database, database_as_a_whole};

/// Writes the database as it is now to a file, replacing one that exists. The file is written next to its
/// place, synced and renamed into it: a crash at any moment leaves the old file or the new one, never a part of one. (A
/// process that is killed may leave a file .kstone-*.tmp in the directory, which can be deleted.)
///
/// Errors: KSTONE_ERR_IO, naming the file and the cause; KSTONE_ERR_INVALID where the path is empty, holds a NUL or is
/// that of something else than a file. The file is then as it was.
/// Cost: two passes over the items and a copy of them to the disk. Memory: some hundred KiB, and what is overwritten
/// meanwhile.
/// Threads: any; writers wait for the point-in-time view, not for the file.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_snapshot_save(
    db: *const Db,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        database(db)?.save_snapshot(file_path(path, path_len, "path")?)?;
        Ok(KSTONE_OK)
    })
}

/// Fills an empty database from a snapshot: schema and items appear at once, after all of the file was read and
/// checked. The schema of the file takes the place of the database's own; its other options stay. A reader of the
/// stream gets KSTONE_ERR_TRIMMED, since what is loaded was never in the stream. A file of an account is loaded where it
/// has one table.
///
/// Errors: KSTONE_ERR_CORRUPT where any byte of the file is wrong, with the place; KSTONE_ERR_IO; KSTONE_ERR_INVALID
/// where the database holds an item, or gets one meanwhile, for a path as in kstone_snapshot_save, for a file of
/// another version, and for a table of an account; KSTONE_ERR_LIMIT where the items do not fit memory_max_bytes.
/// Nothing is loaded then.
/// Cost: a read of the file, a check and a copy of each item, and its index entries; the work on a large file is shared
/// with up to three threads of the library's, which have ended when this returns.
/// Threads: any; reads and writes go on meanwhile, kstone_fork and kstone_configure wait.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_snapshot_load(
    db: *mut Db,
    path: *const c_char,
    path_len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        database_as_a_whole(db, "kstone_account_snapshot_load")?.load_snapshot(file_path(path, path_len, "path")?)?;
        Ok(KSTONE_OK)
    })
}

/// How far the save or load has come that another thread has at work on this database: *done of *total items. total is
/// 0 until they are counted. Where none is at work, what the last one came to; where several are, the one that moved
/// last. done and total may be NULL.
///
/// Errors: none of its own.
/// Cost: tens of nanoseconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_snapshot_progress(
    db: *const Db,
    done: *mut u64,
    total: *mut u64,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let progress = database(db)?.snapshot_progress();
        if let Some(done) = Out::optional(done) {
            done.set(progress.done);
        }
        if let Some(total) = Out::optional(total) {
            total.set(progress.total);
        }
        Ok(KSTONE_OK)
    })
}
