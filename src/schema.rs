//! What a database has besides its items: indexes, expiry, a change stream.

use std::ffi::c_char;

use kstone_api::stream::records_to_json;

use crate::boundary::{ErrorObject, KSTONE_OK, Out, Status, entry, set_text};
use crate::cancellation::Uncancelled;
use crate::database::{Db, database, database_as_a_whole};
use crate::options::schema_of;

/// Replaces the schema of the database; NULL and 0: none. The names and types of its key stay as they are, but an
/// untyped database without items may get some. New indexes are filled before this returns, dropped ones are gone, and
/// reads and writes go on meanwhile. Items that a new index cannot hold are left out of it, as in DynamoDB's backfill.
/// See kstone_options.schema_json for the form.
///
/// Errors: KSTONE_ERR_INVALID for a schema that is none, saying what and where, and for a table of an account; nothing
/// is changed then.
/// Cost: one pass over all items where an index is new. Dropping an index takes microseconds whatever it holds: the
/// memory of its entries is given back bit by bit with the writes that follow, or by kstone_compact; until then
/// kstone_stats_json counts them.
/// Threads: any; a second call waits for the first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_configure(
    db: *mut Db,
    schema_json: *const c_char,
    len: usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let _uncancelled = Uncancelled::new();
        database_as_a_whole(db, "UpdateTable or UpdateTimeToLive")?.configure(schema_of(schema_json, len)?)?;
        Ok(KSTONE_OK)
    })
}

/// Fixes the time that decides what has expired, in seconds since 1970; 0 goes back to the system's clock. For tests.
///
/// Errors: KSTONE_ERR_INVALID for a table of an account.
/// Cost: none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_set_time(db: *mut Db, epoch_seconds: i64, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        database_as_a_whole(db, "kstone_account_set_time")?.set_time(epoch_seconds);
        Ok(KSTONE_OK)
    })
}

/// Removes the items whose time has passed, which no read shows any more, with their index entries. *purged says how
/// many; it may be NULL. A stream tells of each that TTL removed it. kstone_compact does the same on its way.
///
/// Errors: none of its own.
/// Cost: one pass over all items.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_purge_expired(db: *mut Db, purged: *mut usize, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        let count = database(db)?.purge_expired()?;
        if !purged.is_null() {
            Out::new(purged, "purged")?.set(count);
        }
        Ok(KSTONE_OK)
    })
}

/// The changes after a sequence number, oldest first, as DynamoDB's stream records: {"Records":[...]}. At most max of
/// them, at most 1000, at most about 1 MiB; none where nothing has changed since. Begin with 0; go on after the
/// dynamodb.SequenceNumber of the last record, which is decimal text with leading zeros. kstone_clear empties the
/// stream, and a stream that is configured anew goes on with the numbers of the old: a reader of before is then told
/// that it missed something.
///
/// Ownership: *json is yours, release it with kstone_free. *json_len does not count the NUL at its end.
/// Errors: KSTONE_ERR_TRIMMED where the stream no longer holds some of them: read the items anew, then go on where the
/// message says; KSTONE_ERR_INVALID where the schema asks for no stream, or max is 0.
/// Cost: the size of the records.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_stream_read(
    db: *const Db,
    after: u64,
    max: usize,
    json: *mut *mut c_char,
    json_len: *mut usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (json, json_len) = (Out::new(json, "json")?, Out::new(json_len, "json_len")?);
        let records = database(db)?.read_stream(after, max)?;
        Ok(set_text(json, json_len, &records_to_json(&records)))
    })
}
