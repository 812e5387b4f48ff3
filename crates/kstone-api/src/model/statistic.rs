//! The numbers of [`Stats`], one by one.

use crate::model::stats::Stats;

/// One number of [`Stats`]. The codes are part of the C ABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Statistic {
    /// Items.
    Items = 1,
    /// Bytes of the items' records.
    LiveBytes = 2,
    /// Bytes of everything.
    TotalBytes = 3,
    /// The most that `TotalBytes` may come to; 0: no limit.
    MemoryMaxBytes = 4,
    /// Entries of secondary indexes, those of dropped ones included until their memory is given back.
    IndexEntries = 5,
    /// Bytes of those entries' records.
    IndexEntryBytes = 6,
    /// Bytes of the records in memtables, and of their handles.
    MemtableBytes = 7,
    /// Bytes of the records in SSTs, and of their handles.
    SstBytes = 8,
    /// Bytes of what finds records.
    FilterBytes = 9,
    /// Bytes that WALs hold in addition to memtables: always 0, since a memtable is its WAL.
    WalBytes = 10,
    /// Bytes of the queues of eviction.
    EvictionBytes = 11,
    /// Bytes of the engine without any record.
    BaseBytes = 12,
    /// Bytes of the change stream.
    StreamBytes = 13,
    /// Records in memtables.
    MemtableRecords = 14,
    /// Records in WALs: those of the memtables.
    WalRecords = 15,
    /// Records in SSTs.
    SstRecords = 16,
    /// Records of the change stream.
    StreamRecords = 17,
    /// Tombstones.
    Tombstones = 18,
    /// SSTs.
    Ssts = 19,
    /// Stripes that hold anything.
    Stripes = 20,
    /// SSTs of the stripe that has most.
    SstsPerStripeMax = 21,
    /// Memtables that became an SST, ever.
    Flushes = 22,
    /// Merges of SSTs, ever.
    Compactions = 23,
    /// Items evicted, ever.
    Evictions = 24,
    /// Look-ups by key that found an item, ever.
    Hits = 25,
    /// Look-ups by key that found none, ever.
    Misses = 26,
}

impl Statistic {
    /// All of them, by ascending code.
    pub const ALL: [Self; 26] = [
        Self::Items,
        Self::LiveBytes,
        Self::TotalBytes,
        Self::MemoryMaxBytes,
        Self::IndexEntries,
        Self::IndexEntryBytes,
        Self::MemtableBytes,
        Self::SstBytes,
        Self::FilterBytes,
        Self::WalBytes,
        Self::EvictionBytes,
        Self::BaseBytes,
        Self::StreamBytes,
        Self::MemtableRecords,
        Self::WalRecords,
        Self::SstRecords,
        Self::StreamRecords,
        Self::Tombstones,
        Self::Ssts,
        Self::Stripes,
        Self::SstsPerStripeMax,
        Self::Flushes,
        Self::Compactions,
        Self::Evictions,
        Self::Hits,
        Self::Misses,
    ];

    /// The statistic of this code.
    ///
    /// ```
    /// use kstone_api::Statistic;
    /// assert_eq!(Statistic::from_code(Statistic::Items as u32), Some(Statistic::Items));
    /// assert_eq!(Statistic::from_code(0), None);
    /// ```
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.get((code as usize).wrapping_sub(1)).copied()
    }
}

impl Stats {
    /// One number of these.
    #[must_use]
    pub fn get(&self, statistic: Statistic) -> u64 {
        let bytes = |bytes: usize| bytes as u64;
        match statistic {
            Statistic::Items => self.items,
            Statistic::LiveBytes => bytes(self.live_bytes),
            Statistic::TotalBytes => bytes(self.total_bytes),
            Statistic::MemoryMaxBytes => bytes(self.memory_max_bytes),
            Statistic::IndexEntries => self.index_entries,
            Statistic::IndexEntryBytes => bytes(self.index_entry_bytes),
            Statistic::MemtableBytes => bytes(self.memtable_bytes),
            Statistic::SstBytes => bytes(self.sst_bytes),
            Statistic::FilterBytes => bytes(self.filter_bytes),
            Statistic::WalBytes => bytes(self.wal_bytes),
            Statistic::EvictionBytes => bytes(self.eviction_bytes),
            Statistic::BaseBytes => bytes(self.base_bytes),
            Statistic::StreamBytes => bytes(self.stream_bytes),
            Statistic::MemtableRecords => self.memtable_records,
            Statistic::WalRecords => self.wal_records,
            Statistic::SstRecords => self.sst_records,
            Statistic::StreamRecords => self.stream_records,
            Statistic::Tombstones => self.tombstones,
            Statistic::Ssts => self.ssts,
            Statistic::Stripes => self.stripes,
            Statistic::SstsPerStripeMax => self.ssts_per_stripe_max,
            Statistic::Flushes => self.flushes,
            Statistic::Compactions => self.compactions,
            Statistic::Evictions => self.evictions,
            Statistic::Hits => self.hits,
            Statistic::Misses => self.misses,
        }
    }
}
