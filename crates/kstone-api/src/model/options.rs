//! What a database is told when it is made.

use kstone_core::engine::{EngineOptions, EngineOrdinal, Eviction, MEMTABLE_MAX_RECORDS};

use crate::expression::EXPRESSION_CACHE_MAX_BYTES;

/// What a database can be told when it is made. The default of each number is 0, which means what it says there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DatabaseOptions {
    /// Writes that a stripe takes before its memtable becomes an SST: 0 for
    /// [`MEMTABLE_MAX_RECORDS`], at most
    /// [`MEMTABLE_MAX_RECORDS_LIMIT`](crate::MEMTABLE_MAX_RECORDS_LIMIT).
    pub memtable_max_records: usize,
    /// The most bytes that the database may take, as [`total_bytes`](kstone_core::engine::EngineStats::total_bytes)
    /// counts: 0 for no limit, otherwise at least [`MEMORY_MAX_BYTES_MIN`](crate::MEMORY_MAX_BYTES_MIN).
    ///
    /// A write that might pass it first evicts: expired items go, then what `eviction` says. Where there is none to be
    /// made the write fails with [`Error::Limit`](crate::Error::Limit) and changes nothing; reads and deletes go on.
    /// Writes keep some KiB for each stripe that they touch. A stream gets a quarter of the limit. What iterators,
    /// pages and items in the caller's hands keep of the past is not counted.
    pub memory_max_bytes: usize,
    /// What is evicted at the limit.
    pub eviction: Eviction,
    /// Whether SSTs are merged on a thread of the database's own rather than by the calls that write, of which one in
    /// many otherwise waits until its stripe is merged: the larger a partition, the longer. The thread stops with the
    /// database.
    pub background_compaction: bool,
}

impl DatabaseOptions {
    pub(crate) fn of_engine(self) -> EngineOptions {
        let Self { memtable_max_records, memory_max_bytes, eviction, background_compaction } = self;
        EngineOptions {
            memtable_max_records: if memtable_max_records == 0 { MEMTABLE_MAX_RECORDS } else { memtable_max_records },
            memory_max_bytes: Some(memory_max_bytes).filter(|max| *max > 0),
            eviction,
            background_compaction,
            ordinal: EngineOrdinal::default(),
        }
    }

    /// What a stream may pin of a limited database; 0 where there is no limit.
    pub(crate) fn stream_max_bytes(self) -> usize {
        stream_max_bytes_of(self.stream_share_bytes())
    }

    /// The most bytes that each of the four caches of texts keeps: together a sixteenth of a memory limit.
    pub(crate) fn cache_max_bytes(self) -> usize {
        match self.memory_max_bytes {
            0 => EXPRESSION_CACHE_MAX_BYTES,
            limit => (limit / 64).min(EXPRESSION_CACHE_MAX_BYTES),
        }
    }

    /// What is set aside for the stream of a limited database.
    pub(crate) fn stream_share_bytes(self) -> usize {
        (self.memory_max_bytes / 4).min(crate::table::stream::STREAM_MAX_BYTES / 8 * 9)
    }
}

/// What a stream may pin for which so many bytes are set aside.
pub(crate) fn stream_max_bytes_of(share_bytes: usize) -> usize {
    // With an eighth more and some slots for its ring, as `Stream::bytes` counts, it comes to its share.
    (share_bytes / 9 * 8).saturating_sub(4096)
}
