//! What the library does by itself, done now.

use crate::boundary::{ErrorObject, KSTONE_OK, Status, entry};
use crate::database::{Db, database};

/// Turns what each stripe has collected into sorted runs now. This happens by itself (see
/// kstone_options.memtable_max_records) and changes no answer; it is here for tests and measurements.
///
/// Errors: as kstone_clear.
/// Cost: tens of microseconds for 1000 collected records; stripes are done one after another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_flush(db: *mut Db, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        database(db)?.flush()?;
        Ok(KSTONE_OK)
    })
}

/// Merges the sorted runs of each stripe into one, drops what deletes have left behind, and gives the memory that is
/// free back to the system, as kstone_clear does too. Merging and dropping happen by themselves and change no answer;
/// memory that is free is used again, but much of it stays with the process until this is called.
///
/// Errors: as kstone_clear.
/// Cost: the number of records; stripes are done one after another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_compact(db: *mut Db, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        database(db)?.compact()?;
        crate::give_memory_back();
        Ok(KSTONE_OK)
    })
}
