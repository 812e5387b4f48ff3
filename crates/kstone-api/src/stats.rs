//! What a database says of itself.

use kstone_core::engine::EngineStats;

/// What a database holds; see [`EngineStats`] for the fields' meanings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(remote = "EngineStats")]
struct StatsFields {
    items: u64,
    live_bytes: usize,
    total_bytes: usize,
    memtable_records: u64,
    wal_records: u64,
    sst_records: u64,
    ssts: u64,
    ssts_per_stripe_max: u64,
    tombstones: u64,
    flushes: u64,
    compactions: u64,
}

/// What a database holds and has done. Serialises as one object of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Stats(#[serde(with = "StatsFields")] pub(crate) EngineStats);

impl std::ops::Deref for Stats {
    type Target = EngineStats;

    fn deref(&self) -> &EngineStats {
        &self.0
    }
}
