//! The options of a database.

use std::ffi::c_char;

use kstone_api::{DatabaseOptions, Eviction, TableSchema};

use crate::boundary::{Failure, by_contract, c_struct, has_length, known_flags, text};

/// How a database is to be. Set struct_size to sizeof(kstone_options) and everything else to 0, then what you want:
/// 0 always means the default. A program that was compiled against an older header passes a shorter struct, which
/// works.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Options {
    /// sizeof(kstone_options), in bytes.
    pub struct_size: usize,
    /// Indexes, expiry and a change stream, as JSON; NULL: none. All members may be left out, none may be unknown:
    /// {"name":"items", "partition_key":{"name":"user","type":"S"}, "sort_key":{"name":"score","type":"N"},
    /// "local_indexes":[{"name":"by-email","sort_key":"email","projection":"ALL"}],
    /// "global_indexes":[{"name":"by-status","partition_key":"status","sort_key":"age","projection":["name"]}],
    /// "ttl_attribute":"expires_at", "stream":{"view_type":"NEW_IMAGE","capacity":1000}}. partition_key and sort_key
    /// make the table a typed one: names of up to 255 characters, types S, N and B. The key of an index may have types,
    /// too: "sort_key":{"name":"age","type":"N"}, of a global one also a list of up to four such. A projection is "ALL"
    /// (the default), "KEYS_ONLY" or a list of attribute names. An item without an index's key attributes is not in it;
    /// one whose time, in seconds since 1970, has passed by up to five years is invisible to every read and write,
    /// unless "ttl_visible":true shows and updates it until it is removed, as DynamoDB does. Names have 3 to 255
    /// letters, digits, dots, hyphens and underscores; up to 5 local and 20 global indexes; capacity is 1 to 16,777,216
    /// records.
    pub schema_json: *const c_char,
    /// How many bytes schema_json has, or KSTONE_STRLEN.
    pub schema_json_len: usize,
    /// After how many writes a stripe (there are 256) turns what it has collected into a sorted run: 1 to 65,536, or 0
    /// for 1000.
    /// Smaller saves a little memory where keys are overwritten often, larger writes a little faster.
    pub memtable_max_records: u64,
    /// The most bytes that the database may take, as total_bytes of kstone_stats_json counts: 0 for no limit, otherwise
    /// at least 1,048,576. A write that might pass it evicts first: expired items, then what eviction says. Where that
    /// is not enough, the write is KSTONE_ERR_LIMIT and changes nothing; reads and deletes go on. A write keeps some
    /// KiB for each stripe it touches; a stream gets a quarter of the limit; what iterators, pages and items in your
    /// hands keep of the past is not counted.
    pub memory_max_bytes: u64,
    /// What is evicted at the limit: KSTONE_EVICT_NONE or KSTONE_EVICT_LRU, which needs memory_max_bytes.
    pub eviction: u32,
    /// KSTONE_OPEN_BACKGROUND_COMPACTION or 0.
    pub flags: u32,
}

c_struct!(
    Options,
    "kstone_options",
    [struct_size, schema_json, schema_json_len, memtable_max_records, memory_max_bytes, eviction, flags]
);

/// Items are never dropped to save memory.
pub const KSTONE_EVICT_NONE: u32 = 0;
/// The items that were not used for the longest time go first, approximately: a read sets a mark, and a marked item
/// gets a second chance (the CLOCK policy; F. J. Corbato, "A Paging Experiment with the Multics System", 1968). Gets
/// and queries use an item, scans and iterators do not. Evicted items leave the indexes too, and a stream says REMOVE
/// with the userIdentity kstone:eviction.
pub const KSTONE_EVICT_LRU: u32 = 1;

/// Flag of kstone_options: sorted runs are merged on a thread of the database's own rather than by the calls that
/// write, where one call in many otherwise waits until its stripe is merged: the larger a partition, the longer. The
/// thread ends when the database is freed.
pub const KSTONE_OPEN_BACKGROUND_COMPACTION: u32 = 1;

impl Options {
    /// The options as the API takes them.
    pub(crate) fn to_api(self) -> Result<DatabaseOptions, Failure> {
        let eviction = match self.eviction {
            KSTONE_EVICT_NONE => Eviction::None,
            KSTONE_EVICT_LRU => Eviction::Lru,
            other => return Err(Failure::invalid(format!("kstone_options.eviction is {other}: it is KSTONE_EVICT_*"))),
        };
        known_flags(self.flags, KSTONE_OPEN_BACKGROUND_COMPACTION)?;
        // A number that does not fit is far beyond what the API allows, or no limit at all.
        let number = |field: u64| usize::try_from(field).unwrap_or(usize::MAX);
        Ok(DatabaseOptions {
            memtable_max_records: number(self.memtable_max_records),
            memory_max_bytes: number(self.memory_max_bytes),
            eviction,
            background_compaction: self.flags & KSTONE_OPEN_BACKGROUND_COMPACTION != 0,
        })
    }
}

/// The schema of a text. NULL and empty: none is given.
pub(crate) unsafe fn schema_of(json: *const c_char, len: usize) -> Result<TableSchema, Failure> {
    if json.is_null() && len == 0 {
        return Ok(TableSchema::new());
    }
    has_length(json, len, "schema_json")?;
    Ok(TableSchema::from_json(by_contract!(text(json, len, "schema_json"))?)?)
}
