//! Numbers about a database.

use std::ffi::c_char;

use kstone_api::Statistic;

use crate::boundary::status::KSTONE_ERR_PANIC;
use crate::boundary::{ErrorObject, Failure, KSTONE_OK, Out, Status, entry, set_text};
use crate::database::{Db, database};

/// Items, expired ones that were not removed yet included.
pub const KSTONE_STAT_ITEMS: u32 = 1;
/// Bytes of the items' records: keys, stored form and header.
pub const KSTONE_STAT_LIVE_BYTES: u32 = 2;
/// Bytes of everything that the database holds.
pub const KSTONE_STAT_TOTAL_BYTES: u32 = 3;
/// The most that KSTONE_STAT_TOTAL_BYTES may come to; 0: no limit.
pub const KSTONE_STAT_MEMORY_MAX_BYTES: u32 = 4;
/// Entries of secondary indexes, those of dropped ones included until their memory is given back.
pub const KSTONE_STAT_INDEX_ENTRIES: u32 = 5;
/// Bytes of those entries' records.
pub const KSTONE_STAT_INDEX_ENTRY_BYTES: u32 = 6;
/// Bytes of the records in memtables, and of their handles.
pub const KSTONE_STAT_MEMTABLE_BYTES: u32 = 7;
/// Bytes of the records in sorted runs (SSTs), garbage included, and of their handles.
pub const KSTONE_STAT_SST_BYTES: u32 = 8;
/// Bytes of what finds records.
pub const KSTONE_STAT_FILTER_BYTES: u32 = 9;
/// Bytes that write-ahead logs hold in addition to memtables: always 0, since a memtable is its log.
pub const KSTONE_STAT_WAL_BYTES: u32 = 10;
/// Bytes of the queues of what to evict next.
pub const KSTONE_STAT_EVICTION_BYTES: u32 = 11;
/// Bytes of the database without any record.
pub const KSTONE_STAT_BASE_BYTES: u32 = 12;
/// Bytes of the change stream.
pub const KSTONE_STAT_STREAM_BYTES: u32 = 13;
/// Records in memtables.
pub const KSTONE_STAT_MEMTABLE_RECORDS: u32 = 14;
/// Records in write-ahead logs: those of the memtables.
pub const KSTONE_STAT_WAL_RECORDS: u32 = 15;
/// Records in sorted runs, garbage included.
pub const KSTONE_STAT_SST_RECORDS: u32 = 16;
/// Records of the change stream.
pub const KSTONE_STAT_STREAM_RECORDS: u32 = 17;
/// Marks of deletions that still hide something.
pub const KSTONE_STAT_TOMBSTONES: u32 = 18;
/// Sorted runs.
pub const KSTONE_STAT_SSTS: u32 = 19;
/// Stripes, of 256, that hold anything.
pub const KSTONE_STAT_STRIPES: u32 = 20;
/// Sorted runs of the stripe that has most.
pub const KSTONE_STAT_SSTS_PER_STRIPE_MAX: u32 = 21;
/// Memtables that became a sorted run since the database was opened.
pub const KSTONE_STAT_FLUSHES: u32 = 22;
/// Merges of sorted runs since the database was opened.
pub const KSTONE_STAT_COMPACTIONS: u32 = 23;
/// Items evicted since the database was opened.
pub const KSTONE_STAT_EVICTIONS: u32 = 24;
/// Look-ups by key that found an item since the database was opened.
pub const KSTONE_STAT_HITS: u32 = 25;
/// Look-ups by key that found none since the database was opened.
pub const KSTONE_STAT_MISSES: u32 = 26;

/// How many items the database has, expired ones that were not removed yet included: KSTONE_STAT_ITEMS.
///
/// Errors, cost, threads: as kstone_stat.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_count(db: *const Db, count: *mut u64, err: *mut *mut ErrorObject) -> Status {
    entry!(err, {
        let count = Out::new(count, "count")?;
        count.set(database(db)?.count()?);
        Ok(KSTONE_OK)
    })
}

/// One number about the database: statistic is KSTONE_STAT_ITEMS or another of those above.
///
/// Errors: KSTONE_ERR_INVALID for a statistic that this version does not know; KSTONE_ERR_PANIC as for kstone_clear.
/// Cost: as kstone_stats_json, without its text.
/// Threads: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_stat(
    db: *const Db,
    statistic: u32,
    value: *mut u64,
    err: *mut *mut ErrorObject,
) -> Status {
    entry!(err, {
        let value = Out::new(value, "value")?;
        let Some(known) = Statistic::from_code(statistic) else {
            return Err(Failure::invalid(format!("statistic: {statistic} is no KSTONE_STAT_ of this version")));
        };
        value.set(database(db)?.stat(known)?);
        Ok(KSTONE_OK)
    })
}

/// Numbers about the database as a JSON object, for people and dashboards; later versions may add members. Items, and
/// live_bytes of their records; total_bytes and its parts memtable_bytes, sst_bytes, filter_bytes (what finds
/// records), wal_bytes (always 0: a memtable is its own log), eviction_bytes, base_bytes, stream_bytes;
/// memory_max_bytes; index_entries and index_entry_bytes of secondary indexes; memtable_records, wal_records (the
/// same number), sst_records, stream_records; ssts, stripes (that hold anything), ssts_per_stripe_max and
/// ssts_per_stripe_mean; tombstones; and, since the database was opened, flushes, compactions, evictions, and hits and
/// misses of look-ups by key.
///
/// Ownership: *out is yours, release it with kstone_free. *out_len does not count the NUL at its end.
/// Errors: as kstone_clear.
/// Cost: a look at the numbers of each of 256 stripes, however many items there are; writers wait meanwhile.
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
