//! What an engine can be told when it is made.

use super::MEMORY_MAX_BYTES_MIN;
#[cfg(doc)]
use super::{Engine, EngineStats};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Reason, Result};

/// The records a stripe's WAL takes before a flush, unless an option says otherwise.
pub const MEMTABLE_MAX_RECORDS: usize = 1000;

/// The most that the option may ask for.
pub const MEMTABLE_MAX_RECORDS_LIMIT: usize = 1 << 16;

/// What an [`Engine`] can be told when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Records that a stripe's WAL takes before its memtable becomes an SST: 1 to [`MEMTABLE_MAX_RECORDS_LIMIT`].
    pub memtable_max_records: usize,
    /// What [`EngineStats::total_bytes`] may come to, at least [`MEMORY_MAX_BYTES_MIN`]; none: no limit. The engine
    /// counts; its caller reserves what it writes and evicts ([`Engine::try_reserve`]).
    pub memory_max_bytes: Option<usize>,
    /// What is evicted at the limit.
    pub eviction: Eviction,
    /// Whether SSTs are merged on a thread of the engine's own rather than by the writers.
    pub background_compaction: bool,
    /// Where the engine stands among those whose stripes are locked together. A fork has that of its original.
    pub ordinal: EngineOrdinal,
}

/// The number of an engine, by which locks of several engines are taken in one order: given by the caller that makes the
/// engines, and never to two that are used together, be it one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EngineOrdinal(pub u32);

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            memtable_max_records: MEMTABLE_MAX_RECORDS,
            memory_max_bytes: None,
            eviction: Eviction::None,
            background_compaction: false,
            ordinal: EngineOrdinal::default(),
        }
    }
}

impl EngineOptions {
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range.
    pub(super) fn check(&self) -> Result<()> {
        if !(1..=MEMTABLE_MAX_RECORDS_LIMIT).contains(&self.memtable_max_records) {
            return Err(
                Reason::MemtableRecords { found: self.memtable_max_records, max: MEMTABLE_MAX_RECORDS_LIMIT }.into()
            );
        }
        if let Some(max) = self.memory_max_bytes.filter(|max| *max < MEMORY_MAX_BYTES_MIN) {
            return Err(Reason::MemoryTooSmall { found: max, min: MEMORY_MAX_BYTES_MIN }.into());
        }
        if self.eviction != Eviction::None && self.memory_max_bytes.is_none() {
            return Err(Reason::EvictionUnlimited.into());
        }
        Ok(())
    }
}

/// What is evicted at the memory limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Eviction {
    /// Nothing: a write that would pass the limit fails.
    #[default]
    None,
    /// The items that were not used for the longest time go, approximately: second chance, also known as CLOCK (F. J.
    /// Corbató, "A Paging Experiment with the Multics System", 1968). A read sets one bit, finding a victim is O(1)
    /// amortised.
    Lru,
}
