//! One stripe's tree: memtable, WAL segment and SSTs, which only ever change together.
//!
//! ```text
//! write ──► WAL ──► memtable ──(the WAL has taken N records)──► SST ──(several of a size)──► fewer SSTs
//! read  ──► memtable, then SSTs newest first
//! ```
//!
//! # Invariants
//! - What the WAL holds and the memtable does not show is superseded, and stays below half of the live bytes + 4 KiB.
//! - A tombstone exists only where an SST may hold something for it to hide.
//! - What tombstones hide stays below half of what the SSTs hold otherwise + 64 KiB: past that the stripe is compacted.
//! - What a change lets go of is handed back as [`Garbage`], so that memory is freed where no lock is held.
//!
//! Not synchronised: the engine holds the stripe's lock.

use crate::compaction;
use crate::key::{KeyRef, StripeId, Tag};
use crate::memory_sst::{MemorySstReader, SstDirectory};
use crate::memory_wal::{Lsn, WalSegment};
use crate::memtable::Memtable;
use crate::merge::{Run, View, merge_runs, release};
use crate::record::Record;

/// Superseded records in the WAL may pin this much, and half of what is live.
const WAL_SLACK_BYTES: usize = 4096;

#[derive(Default)]
pub(crate) struct Tree {
    memtable: Memtable,
    wal: WalSegment,
    ssts: SstDirectory,
    generation: u64,
    /// What deletes since the last whole merge have hidden in SSTs.
    hidden_bytes: usize,
    pub(crate) flushes: u64,
    pub(crate) compactions: u64,
}

/// What a change let go of.
#[derive(Default)]
#[must_use = "garbage is dropped after the lock is let go"]
pub(crate) struct Garbage {
    /// The version that a write replaced in the memtable.
    #[expect(dead_code, reason = "held only to be dropped after the lock")]
    replaced: Option<Record>,
    wal: Vec<(Lsn, Record)>,
    merged: Vec<Record>,
}

impl Drop for Garbage {
    fn drop(&mut self) {
        release(std::mem::take(&mut self.wal), |(_, record)| record);
        release(std::mem::take(&mut self.merged), |record| record);
    }
}

/// Deleted records may stay in SSTs up to this much, and half of what else is there.
const HIDDEN_SLACK_BYTES: usize = 64 << 10;

/// When the trees of an engine flush, and as whom they name their SSTs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlushPolicy {
    pub(crate) stripe: StripeId,
    pub(crate) wal_records: u64,
}

impl Tree {
    pub(crate) fn view(&self) -> View<'_> {
        View { memtable: Some(&self.memtable), ssts: self.ssts.readers() }
    }

    /// The newest version of the key, unless that is a tombstone.
    pub(crate) fn get(&self, tag: Tag, key: KeyRef<'_>) -> Option<&Record> {
        let newest = self.memtable.get(tag, key).or_else(|| self.find_in_ssts(tag, key));
        newest.filter(|record| !record.is_tombstone())
    }

    /// Makes the record the newest version of its key. Flushes and compacts when it is time.
    pub(crate) fn apply(&mut self, record: Record, policy: FlushPolicy) -> Garbage {
        self.wal.append(record.clone());
        let hidden = if record.is_tombstone() { self.hidden_by(&record) } else { None };
        self.hidden_bytes += hidden.unwrap_or(0);
        let replaced = if record.is_tombstone() && hidden.is_none() {
            // Neither the deleted version nor the tombstone is needed, but the log still holds both.
            self.wal.note_superseded(record.footprint());
            self.memtable.remove(record.tag(), record.key_ref())
        } else {
            self.memtable.insert(record)
        };
        if let Some(old) = &replaced {
            self.wal.note_superseded(old.footprint());
        }
        let mut garbage = Garbage { replaced, wal: Vec::new(), merged: Vec::new() };
        if self.hides_too_much() {
            self.compact_all(policy.stripe, &mut garbage);
        } else if self.wal.unflushed() >= policy.wal_records {
            self.flush(policy.stripe, &mut garbage);
            self.compact_some(policy.stripe, &mut garbage);
        } else if self.wal_pins_too_much() {
            let memtable = &self.memtable;
            self.wal.drop_superseded(|record| {
                memtable.get(record.tag(), record.key_ref()).is_some_and(|current| current.same(record))
            });
        }
        garbage
    }

    /// Turns the memtable into the newest SST and empties the log.
    pub(crate) fn flush(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        garbage.wal = self.wal.clear();
        let memtable = std::mem::take(&mut self.memtable);
        if memtable.is_empty() {
            return;
        }
        self.flushes += 1;
        self.store(stripe, memtable.into_run());
    }

    /// Merges SSTs while the policy names some.
    pub(crate) fn compact_some(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        while let Some(count) = compaction::newest_to_merge(self.ssts.readers()) {
            self.merge_newest(stripe, count, garbage);
        }
    }

    /// Flushes and merges everything into one SST without tombstones.
    pub(crate) fn compact_all(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.flush(stripe, garbage);
        let ssts = self.ssts.readers();
        if ssts.len() > 1 || ssts.iter().any(|sst| sst.weight().tombstones > 0) {
            self.merge_newest(stripe, ssts.len(), garbage);
        }
    }

    /// SSTs that hold everything as of now; later writes go elsewhere.
    pub(crate) fn freeze(&mut self, stripe: StripeId, garbage: &mut Garbage) -> Vec<MemorySstReader> {
        self.flush(stripe, garbage);
        self.compact_some(stripe, garbage);
        self.ssts.readers().to_vec()
    }

    pub(crate) fn memtable(&self) -> &Memtable {
        &self.memtable
    }

    pub(crate) fn wal(&self) -> &WalSegment {
        &self.wal
    }

    pub(crate) fn ssts(&self) -> &[MemorySstReader] {
        self.ssts.readers()
    }

    fn find_in_ssts(&self, tag: Tag, key: KeyRef<'_>) -> Option<&Record> {
        self.ssts.readers().iter().rev().find_map(|sst| sst.find(tag, key))
    }

    /// The bytes of the item in an SST that the tombstone has to hide; none where it has nothing to hide. Counts an item
    /// again that a tombstone in the memtable hides already, which only compacts a little early.
    fn hidden_by(&self, tombstone: &Record) -> Option<usize> {
        let newest = self.find_in_ssts(tombstone.tag(), tombstone.key_ref())?;
        (!newest.is_tombstone()).then(|| newest.footprint())
    }

    fn hides_too_much(&self) -> bool {
        let Some(hidden) = self.hidden_bytes.checked_sub(HIDDEN_SLACK_BYTES) else { return false };
        hidden > self.sst_bytes().saturating_sub(self.hidden_bytes) / 2
    }

    fn sst_bytes(&self) -> usize {
        self.ssts.readers().iter().map(|sst| sst.weight().bytes).sum()
    }

    fn wal_pins_too_much(&self) -> bool {
        let Some(pinned) = self.wal.superseded_bytes().checked_sub(WAL_SLACK_BYTES) else { return false };
        pinned > (self.memtable.weight().bytes + self.sst_bytes()) / 2
    }

    fn store(&mut self, stripe: StripeId, run: Run) {
        self.generation += 1;
        let name = format!("stripe-{:03}-{:012}.sst", stripe.index(), self.generation);
        self.ssts.store(name.clone(), MemorySstReader::from_run(name, run));
    }

    fn merge_newest(&mut self, stripe: StripeId, count: usize, garbage: &mut Garbage) {
        let first = self.ssts.readers().len() - count;
        if first == 0 {
            self.hidden_bytes = 0;
        }
        let mut merged = Run::default();
        for (at, reader) in self.ssts.split_off(first).into_iter().enumerate().rev() {
            let nothing_is_older = first + at == 0;
            merged = merge_runs(merged, reader.into_run(), nothing_is_older, &mut garbage.merged);
        }
        self.compactions += 1;
        if !merged.records.is_empty() {
            self.store(stripe, merged);
        }
    }
}

#[cfg(test)]
mod tests;
