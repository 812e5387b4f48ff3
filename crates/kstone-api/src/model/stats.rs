//! What a database says of itself.

use kstone_core::engine::EngineStats;

use crate::table::stream::StreamStats;

/// What a database holds and has done: the engine's fields, in whose `total_bytes` the stream is counted too, and in
/// whose `base_bytes` parsed texts and what is known of expiry. Serialises as one object of numbers.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Stats {
    #[serde(flatten)]
    engine: EngineStats,
    /// SSTs of a stripe that holds anything, on average.
    pub ssts_per_stripe_mean: f64,
    /// Records that the stream keeps.
    pub stream_records: u64,
    /// Bytes that the stream costs; see [`crate::table::stream`].
    pub stream_bytes: usize,
}

impl Stats {
    pub(crate) fn new(mut engine: EngineStats, stream: Option<StreamStats>, apart_bytes: usize) -> Self {
        let (stream_records, stream_bytes) = stream.map_or((0, 0), |stream| (stream.records, stream.bytes));
        engine.base_bytes += apart_bytes;
        engine.total_bytes += stream_bytes + apart_bytes;
        Self { ssts_per_stripe_mean: engine.ssts_per_stripe_mean(), engine, stream_records, stream_bytes }
    }
}

impl std::ops::Deref for Stats {
    type Target = EngineStats;

    fn deref(&self) -> &EngineStats {
        &self.engine
    }
}
