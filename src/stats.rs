//! Numbers about a database.

use std::ffi::c_char;

use crate::boundary::status::KSTONE_ERR_PANIC;
use crate::boundary::{ErrorObject, Failure, Out, Status, entry, set_text};
use crate::database::{Db, database};

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
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_stats_json(
    db: *const Db,
    out: *mut *mut c_char,
    out_len: *mut usize,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let (out, out_len) = (Out::new(out, "out")?, Out::new(out_len, "out_len")?);
        let stats = database(db)?.stats()?;
        let json = serde_json::to_string(&stats)
            .map_err(|error| Failure::new(KSTONE_ERR_PANIC, format!("the statistics are no JSON: {error}")))?;
        Ok(set_text(out, out_len, &json))
    })
}
