//! What an engine holds and has done.

use std::sync::atomic::Ordering;

use super::store::Store;
use crate::error::Result;
use crate::key::StripeId;
use crate::stripe::{Stripe, StripeState};
use crate::tree::Tree;

/// What an engine holds and has done. Bytes count allocations as they were asked for; those of the parts, from
/// `memtable_bytes` to `base_bytes`, add up to `total_bytes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct EngineStats {
    /// Items that a scan would return.
    pub items: u64,
    /// Bytes of those items' records: keys, stored form and header.
    pub live_bytes: usize,
    /// Entries of secondary indexes, those of dropped ones included until their memory is given back.
    pub index_entries: u64,
    /// Bytes of those entries' records.
    pub index_entry_bytes: usize,
    /// Bytes of all records and of what finds them.
    pub total_bytes: usize,
    /// Bytes of the records in memtables, and of their handles.
    pub memtable_bytes: usize,
    /// Bytes of the records in SSTs, tombstones and hidden versions included, and of their handles.
    pub sst_bytes: usize,
    /// Bytes of what finds records: the index of live records and the directories of SSTs.
    pub filter_bytes: usize,
    /// Bytes that WALs hold in addition to the memtables: none, since a memtable is its WAL.
    pub wal_bytes: usize,
    /// Bytes of the queues of those to evict next.
    pub eviction_bytes: usize,
    /// Bytes of the engine, its stripes and their trees without any record.
    pub base_bytes: usize,
    /// The most that `total_bytes` may come to; 0: no limit.
    pub memory_max_bytes: usize,
    /// Records in memtables, tombstones included.
    pub memtable_records: u64,
    /// Records in WALs: those of the memtables.
    pub wal_records: u64,
    /// Records in SSTs, tombstones and hidden versions included.
    pub sst_records: u64,
    /// SSTs.
    pub ssts: u64,
    /// Stripes that hold anything.
    pub stripes: u64,
    /// SSTs of the stripe that has most.
    pub ssts_per_stripe_max: u64,
    /// Marks of deletions that still hide something.
    pub tombstones: u64,
    /// Memtables that became an SST, ever.
    pub flushes: u64,
    /// Merges of SSTs, ever.
    pub compactions: u64,
    /// Items that were evicted, ever.
    pub evictions: u64,
    /// Look-ups of one key that found an item, ever; two threads that read one stripe in the same instant may count
    /// once.
    pub hits: u64,
    /// Look-ups of one key that found none, ever; counted as hits are.
    pub misses: u64,
}

impl EngineStats {
    /// SSTs of a stripe that holds anything, on average.
    pub fn ssts_per_stripe_mean(&self) -> f64 {
        self.ssts as f64 / self.stripes.max(1) as f64
    }

    pub(super) fn of(store: &Store) -> Result<Self> {
        let mut stats = Self {
            flushes: store.counters.past_flushes.load(Ordering::Relaxed),
            compactions: store.counters.past_compactions.load(Ordering::Relaxed),
            misses: store.counters.misses_before_use.load(Ordering::Relaxed),
            ..Self::default()
        };
        stats.base_bytes = store.memory.as_ref().map_or(0, |memory| memory.bytes());
        // At one moment: memory that one stripe gives back may be taken by the next.
        let stripes = store.stripes();
        stats.base_bytes += Store::BYTES + if stripes.are_shared() { 0 } else { Store::STRIPES_BYTES };
        let locked = StripeId::all().map(|id| stripes.read(id)).collect::<Result<Vec<_>>>()?;
        locked.iter().for_each(|held| stats.add_bytes(held));
        drop(locked);
        let parts = [stats.memtable_bytes, stats.sst_bytes, stats.filter_bytes, stats.wal_bytes, stats.eviction_bytes];
        stats.total_bytes = stats.base_bytes + parts.iter().sum::<usize>();
        if let Some(memory) = &store.memory {
            (stats.memory_max_bytes, stats.evictions) = (memory.max_bytes(), memory.evictions());
        }
        for (hits, misses) in stripes.iter().map(Stripe::hits_and_misses) {
            stats.hits += hits;
            stats.misses += misses;
        }
        Ok(stats)
    }

    fn add_bytes(&mut self, held: &StripeState) {
        self.eviction_bytes += held.queue_bytes();
        let Some(tree) = held.tree() else { return };
        let (memtable, bytes, ssts, live) = (tree.memtable(), tree.bytes(), tree.sst_totals(), tree.live());
        self.items += live.items.records as u64;
        self.live_bytes += live.items.bytes;
        self.index_entries += live.index_entries.records as u64;
        self.index_entry_bytes += live.index_entries.bytes;
        self.memtable_bytes += bytes.memtable;
        self.sst_bytes += bytes.ssts;
        self.filter_bytes += bytes.index;
        self.base_bytes += size_of::<Tree>();
        self.memtable_records += memtable.len() as u64;
        self.wal_records += memtable.len() as u64;
        self.sst_records += ssts.records as u64;
        self.ssts += tree.ssts().len() as u64;
        self.stripes += 1;
        self.ssts_per_stripe_max = self.ssts_per_stripe_max.max(tree.ssts().len() as u64);
        self.tombstones += tree.hidden().tombstones as u64;
        self.flushes += tree.flushes;
        self.compactions += tree.compactions;
    }
}
