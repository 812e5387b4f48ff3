//! One stripe's tree: memtable, WAL segment and SSTs, which only ever change together.
//!
//! ```text
//! write ──► WAL ──► memtable ──(the WAL has taken N records)──► SST ──(several of a size)──► fewer SSTs
//! read  ──► memtable, then SSTs newest first
//! ```
//!
//! # Invariants
//! Memory in addition to the newest versions is bounded, so that nothing has to be called to get it back:
//! - What the WAL holds and the memtable does not show is superseded, and stays below an eighth of the tree's records.
//! - What tombstones hide stays below a quarter of the rest: past that the tree is compacted as a whole.
//! - What newer versions hide in SSTs is bounded by the sizes of the runs (`compaction.rs`), and for the memtable by a look
//!   at what it overlaps each time it has grown to half of the SSTs and twice that, …
//! - A tombstone exists only where an SST may hold something for it to hide.
//!
//! The garbage of a change is handed back as [`Garbage`], so that memory is freed where no lock is held.
//!
//! Not synchronised: the engine holds the stripe's lock.

use crate::compaction;
use crate::key::{KeyRef, Route, StripeId, Tag};
use crate::live_counts::LiveCounts;
use crate::live_index::LiveIndex;
use crate::memory_sst::{MemorySstReader, SstDirectory};
use crate::memory_wal::WalSegment;
use crate::memtable::Memtable;
use crate::merge_runs::merge_runs;
use crate::prefetch::release;
use crate::record::{Lent, Record};
use crate::run::{Run, Weight};

mod view;

pub(crate) use view::TreeView;

/// Superseded records in the WAL and their handles may take this much, and an eighth of what the tree holds.
const WAL_SLACK_BYTES: usize = 256;
/// Deleted records and their tombstones may take this much, and a quarter of what else the tree holds.
const HIDDEN_SLACK_BYTES: usize = 512;
/// So many SSTs that no other thread merges yet a writer merges itself, wherever merging is to be done.
const UNMERGED_SSTS_MAX: usize = 16;
/// A tree that diverges from a shared one merges no sooner: most forks are short-lived.
const DIVERGENT_SSTS_MAX: usize = 6;
/// A memtable of fewer bytes is not worth a look at what it overlaps.
const OVERLAP_MIN_BYTES: usize = 512;
/// How many of its records are looked at.
const OVERLAP_SAMPLES: usize = 32;

#[derive(Default)]
pub(crate) struct Tree {
    /// Finds what it shows.
    index: LiveIndex,
    memtable: Memtable,
    wal: WalSegment,
    ssts: SstDirectory,
    /// Of the SSTs, so that a write needs not touch them.
    sst_totals: SstTotals,
    generation: u64,
    /// What deletes since the last whole merge have hidden in SSTs, and their tombstones.
    hidden_bytes: usize,
    /// Bytes that SSTs left for another thread to merge hide in older ones, about.
    unmerged_bytes: usize,
    /// How many of the oldest SSTs another thread is merging, or leaves alone while it does.
    merging_ssts: usize,
    /// How large the memtable is when what it overlaps is looked at next; 0 where there is no SST.
    overlap_check_bytes: usize,
    /// What it shows; a flush and a merge change nothing of it.
    live: LiveCounts,
    pub(crate) flushes: u64,
    pub(crate) compactions: u64,
}

/// What the SSTs of a tree add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SstTotals {
    pub(crate) records: usize,
    pub(crate) weight: Weight,
    /// Bytes of the runs of handles.
    pub(crate) run_bytes: usize,
    /// Bytes of directories and filters.
    pub(crate) index_bytes: usize,
}

/// Bytes of a tree by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TreeBytes {
    /// Records in the memtable, and their handles.
    pub(crate) memtable: usize,
    /// Superseded records in the WAL, and the handles of all that it holds.
    pub(crate) wal: usize,
    /// Records in SSTs, hidden versions included, and their handles.
    pub(crate) ssts: usize,
    /// What finds records: directories, filters, the memtable's tags.
    pub(crate) index: usize,
}

impl TreeBytes {
    /// The sum of the parts, and the tree itself.
    pub(crate) fn total(self) -> usize {
        size_of::<Tree>() + self.memtable + self.wal + self.ssts + self.index
    }
}

/// Records that a change of the tree released.
#[derive(Default)]
#[must_use = "garbage is dropped after the lock is released"]
pub(crate) struct Garbage {
    /// The version that a write replaced in the memtable.
    replaced: Option<Record>,
    wal: Vec<Record>,
    merged: Vec<Record>,
    /// What was left to be merged by another thread.
    pub(crate) work: Option<Work>,
}

impl Garbage {
    /// The items that the tree does not hold any more.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Record> {
        self.replaced.iter().chain(&self.merged).filter(|record| record.is_item() && !record.is_tombstone())
    }
}

impl Drop for Garbage {
    #[inline]
    fn drop(&mut self) {
        // Most writes release nothing, or the one version that they replace.
        if self.wal.is_empty() && self.merged.is_empty() {
            return;
        }
        release(std::mem::take(&mut self.wal));
        release(std::mem::take(&mut self.merged));
    }
}

/// When the trees of an engine flush and compact, and as whom they name their SSTs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) stripe: StripeId,
    pub(crate) wal_records: u64,
    /// Whether merging is left to another thread, as long as that keeps up.
    pub(crate) merge_later: bool,
}

/// What a write leaves to be merged, where that is left to another thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// The newest SSTs, while the policy names some.
    Some,
    /// Everything, to get rid of what tombstones hide.
    All,
}

/// SSTs to be merged while the tree goes on without its lock.
pub(crate) struct Merging {
    ssts: Vec<MemorySstReader>,
    nothing_is_older: bool,
    hidden_bytes: usize,
    unmerged_bytes: usize,
}

impl Merging {
    /// Merges; what it leaves out, too, which is still held by the tree.
    pub(crate) fn merge(&self) -> (Run, Vec<Record>) {
        let mut left_out = Vec::new();
        (merge(self.ssts.clone(), self.nothing_is_older, &mut left_out), left_out)
    }
}

impl Tree {
    /// What a tree takes at most once all that it held is gone: itself, and the handles of a few SSTs.
    pub(crate) const EMPTY_BYTES: usize =
        size_of::<Self>() + 16 * size_of::<MemorySstReader>() + LiveIndex::charged_bytes_of(0);

    /// A tree of one SST, which shows this much.
    pub(crate) fn of_run(stripe: StripeId, run: Run, live: LiveCounts, index: LiveIndex) -> Self {
        let mut tree = Self { live, index, ..Self::default() };
        tree.store(stripe, run);
        tree
    }

    /// Whether it shows no record of either keyspace.
    pub(crate) fn is_empty(&self) -> bool {
        self.index.len() == 0
    }

    pub(crate) fn view(&self) -> TreeView<'_> {
        TreeView { memtable: Some(&self.memtable), ssts: self.ssts.readers() }
    }

    /// The newest version of the key, unless that is a tombstone.
    #[inline(always)]
    pub(crate) fn get(&self, route: Route, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.index.get(route, key)
    }

    /// The items, those of older SSTs first. Costs a look-up for each record.
    pub(crate) fn items_by_age(&self) -> impl Iterator<Item = &Record> {
        let records = self.ssts.readers().iter().flat_map(MemorySstReader::records).chain(self.memtable.records());
        records.filter(|record| record.is_item() && self.is_current(record))
    }

    /// Whether this is the version that a look-up of its key finds.
    pub(crate) fn is_current(&self, record: &Record) -> bool {
        let key = record.key_ref();
        self.get(key.route(), key).is_some_and(|current| current.same(record))
    }

    /// Makes the record the newest version of its key. Flushes and compacts when it is time.
    pub(crate) fn apply(&mut self, route: Route, record: Record, policy: Policy) -> Garbage {
        self.wal.append(record.clone());
        let replaced =
            if record.is_tombstone() { self.insert_tombstone(route, record) } else { self.insert_put(route, record) };
        if let Some(old) = &replaced {
            self.wal.note_superseded(old);
        }
        let mut garbage = Garbage { replaced, wal: Vec::new(), merged: Vec::new(), work: None };
        if self.hides_more_than_a(4) {
            if policy.merge_later && !self.hides_more_than_a(1) {
                garbage.work = Some(Work::All);
            } else {
                self.compact_all(policy.stripe, &mut garbage);
            }
        } else if self.wal.unflushed() >= policy.wal_records || self.overlaps_too_much() {
            if policy.merge_later {
                self.unmerged_bytes += self.overlap_bytes();
            }
            self.flush(policy.stripe, &mut garbage);
            if policy.merge_later && self.hides_little() {
                garbage.work = Some(Work::Some);
                if self.ssts.readers().len() - self.merging_ssts >= UNMERGED_SSTS_MAX {
                    self.compact_above(self.merging_ssts, policy.stripe, &mut garbage);
                }
            } else {
                self.compact_some(policy.stripe, &mut garbage);
            }
        } else if self.wal_pins_too_much() {
            garbage.wal = self.wal.drop_superseded();
        }
        garbage
    }

    /// Turns the memtable into the newest SST and empties the log.
    pub(crate) fn flush(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        garbage.wal.append(&mut self.wal.clear());
        let memtable = std::mem::take(&mut self.memtable);
        if memtable.is_empty() {
            return;
        }
        self.flushes += 1;
        self.store(stripe, memtable.into_run());
    }

    /// Merges SSTs while the policy names some.
    pub(crate) fn compact_some(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.compact_above(0, stripe, garbage);
        self.unmerged_bytes = 0;
    }

    /// The same without so many of the oldest.
    fn compact_above(&mut self, oldest: usize, stripe: StripeId, garbage: &mut Garbage) {
        while let Some(count) = compaction::newest_to_merge(&self.ssts.readers()[oldest..]) {
            self.merge_newest(stripe, count, garbage);
        }
    }

    /// Flushes and merges everything into one SST without tombstones.
    pub(crate) fn compact_all(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.flush(stripe, garbage);
        self.unmerged_bytes = 0;
        if !self.is_compact() {
            self.merge_newest(stripe, self.ssts.readers().len(), garbage);
        }
    }

    /// Whether compacting everything would give nothing back.
    pub(crate) fn is_compact(&self) -> bool {
        let ssts = self.ssts.readers().len();
        self.wal.is_empty() && self.memtable.is_empty() && ssts <= 1 && self.sst_totals.weight.tombstones == 0
    }

    /// What to merge next, for a thread that does it without the lock.
    pub(crate) fn begin_merge(&mut self, work: Work, stripe: StripeId, garbage: &mut Garbage) -> Option<Merging> {
        if work == Work::All {
            self.flush(stripe, garbage);
        }
        let ssts = self.ssts.readers();
        let count = match work {
            Work::Some => compaction::newest_to_merge(ssts)?,
            Work::All => ssts.len(),
        };
        if self.is_compact() {
            return None;
        }
        let hidden_bytes = if count == ssts.len() { self.hidden_bytes } else { 0 };
        let merging = Merging {
            nothing_is_older: count == ssts.len(),
            ssts: ssts[ssts.len() - count..].to_vec(),
            hidden_bytes,
            unmerged_bytes: self.unmerged_bytes,
        };
        self.merging_ssts = ssts.len();
        Some(merging)
    }

    /// Puts the merged run in the place of the SSTs it was made of; false where they are not all there any more.
    pub(crate) fn end_merge(
        &mut self,
        merging: &Merging,
        (merged, left_out): (Run, Vec<Record>),
        garbage: &mut Garbage,
    ) -> bool {
        self.merging_ssts = 0;
        if !self.ssts.replace(&merging.ssts, merged) {
            return false;
        }
        garbage.merged = left_out;
        self.hidden_bytes = self.hidden_bytes.saturating_sub(merging.hidden_bytes);
        self.unmerged_bytes = self.unmerged_bytes.saturating_sub(merging.unmerged_bytes);
        self.compactions += 1;
        self.note_ssts();
        true
    }

    /// A tree of one's own that holds what this one holds, which stays as it is for the others that share it.
    pub(crate) fn divergent(&self, stripe: StripeId, garbage: &mut Garbage) -> Self {
        let mut tree = Self {
            index: self.index.clone(),
            memtable: Memtable::default(),
            wal: self.wal.following(),
            ssts: self.ssts.clone(),
            ..*self
        };
        if !self.memtable.is_empty() {
            tree.flushes += 1;
            tree.store(stripe, self.memtable.to_run());
            if tree.ssts.readers().len() > DIVERGENT_SSTS_MAX {
                tree.compact_some(stripe, garbage);
            }
        }
        tree
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

    /// What it shows. Constant time.
    pub(crate) fn live(&self) -> LiveCounts {
        self.live
    }

    pub(crate) fn sst_totals(&self) -> SstTotals {
        self.sst_totals
    }

    /// Bytes by part. Constant time.
    #[inline]
    pub(crate) fn bytes(&self) -> TreeBytes {
        TreeBytes {
            memtable: self.memtable.weight().bytes + self.memtable.leaf_bytes(),
            wal: self.wal.superseded_bytes() + self.wal.handle_bytes(),
            ssts: self.sst_totals.weight.bytes + self.sst_totals.run_bytes + self.ssts.handle_bytes(),
            index: self.index.bytes() + self.memtable.index_bytes() + self.sst_totals.index_bytes,
        }
    }

    /// The same as a limit counts them: so that no single write adds much.
    pub(crate) fn charged_bytes(&self) -> usize {
        self.bytes().total() - self.index.bytes() + self.index.charged_bytes()
    }

    #[inline(always)]
    fn find_in_ssts(&self, tag: Tag, key: KeyRef<'_>) -> Option<&Record> {
        newest_in(&self.ssts, tag, key)
    }

    /// What the version replaces in the memtable.
    fn insert_put(&mut self, route: Route, record: Record) -> Option<Record> {
        self.live.add(&record);
        match self.index.find(route, record.key_ref()) {
            Ok(place) => {
                self.live.subtract(&self.index.at(place));
                self.index.replace(place, &record);
            }
            Err(place) => self.index.insert(place, &record),
        }
        self.memtable.insert(record)
    }

    /// What the tombstone replaces in the memtable, where it goes only if an SST has something for it to hide.
    fn insert_tombstone(&mut self, route: Route, tombstone: Record) -> Option<Record> {
        if let Ok(place) = self.index.find(route, tombstone.key_ref()) {
            self.live.subtract(&self.index.at(place));
            self.index.remove(place);
        }
        let (tag, footprint) = (tombstone.tag(), tombstone.footprint());
        let in_ssts = newest_in(&self.ssts, tag, tombstone.key_ref()).filter(|found| !found.is_tombstone());
        let Some(hidden) = in_ssts else {
            // Neither the deleted version nor the tombstone is needed, but the log still holds both.
            self.wal.note_superseded(&tombstone);
            return self.memtable.remove(tag, tombstone.key_ref());
        };
        let replaced = self.memtable.insert(tombstone);
        if !replaced.as_ref().is_some_and(Record::is_tombstone) {
            self.hidden_bytes += hidden.footprint() + footprint;
        }
        replaced
    }

    /// Bytes of all records, hidden versions included.
    pub(crate) fn record_bytes(&self) -> usize {
        self.memtable.weight().bytes + self.sst_totals.weight.bytes
    }

    /// Whether tombstones and what they hide take more than this part of the rest.
    fn hides_more_than_a(&self, part: usize) -> bool {
        let Some(hidden) = self.hidden_bytes.checked_sub(HIDDEN_SLACK_BYTES) else { return false };
        hidden > self.record_bytes().saturating_sub(self.hidden_bytes) / part
    }

    fn wal_pins_too_much(&self) -> bool {
        let Some(pinned) = self.wal.pinned_bytes().checked_sub(WAL_SLACK_BYTES) else { return false };
        pinned > self.record_bytes() / 8
    }

    /// Whether the memtable is large compared with the SSTs and much of it hides versions there. Looks when the
    /// memtable has doubled since it last did, and then at a few of its records.
    fn overlaps_too_much(&mut self) -> bool {
        if self.overlap_check_bytes == 0 || self.memtable.weight().bytes < self.overlap_check_bytes {
            return false;
        }
        self.overlap_check_bytes *= 2;
        self.overlap_bytes() * 4 >= self.memtable.weight().bytes
    }

    /// How many bytes of the memtable hide versions in SSTs, by a look at a few of its records.
    fn overlap_bytes(&self) -> usize {
        let step = self.memtable.len().div_ceil(OVERLAP_SAMPLES).max(1);
        let (mut sampled, mut hiding) = (0, 0);
        for record in self.memtable.records().step_by(step) {
            sampled += 1;
            hiding += usize::from(self.find_in_ssts(record.tag(), record.key_ref()).is_some());
        }
        self.memtable.weight().bytes * hiding / sampled.max(1)
    }

    /// Whether SSTs that were not merged yet hide little enough to wait for another thread.
    fn hides_little(&self) -> bool {
        let shown = self.record_bytes().saturating_sub(self.unmerged_bytes);
        self.unmerged_bytes <= shown / 4
    }

    fn store(&mut self, stripe: StripeId, run: Run) {
        self.generation += 1;
        let name = format!("stripe-{:03}-{:012}.sst", stripe.index(), self.generation);
        self.ssts.store(name.clone(), MemorySstReader::from_run(name, run));
        self.note_ssts();
    }

    fn note_ssts(&mut self) {
        let mut totals = SstTotals::default();
        for sst in self.ssts.readers() {
            totals.records += sst.len();
            totals.weight.bytes += sst.weight().bytes;
            totals.weight.tombstones += sst.weight().tombstones;
            totals.run_bytes += sst.run_bytes();
            totals.index_bytes += sst.index_bytes();
        }
        self.sst_totals = totals;
        let is_there = usize::from(totals.records > 0);
        self.overlap_check_bytes = is_there * (totals.weight.bytes / 2).max(OVERLAP_MIN_BYTES);
    }

    fn merge_newest(&mut self, stripe: StripeId, count: usize, garbage: &mut Garbage) {
        let first = self.ssts.readers().len() - count;
        if first == 0 {
            self.hidden_bytes = 0;
        }
        if first < self.merging_ssts {
            // The other thread finds them gone.
            self.merging_ssts = 0;
        }
        let merged = merge(self.ssts.split_off(first), first == 0, &mut garbage.merged);
        self.compactions += 1;
        if merged.records.is_empty() {
            self.note_ssts();
        } else {
            self.store(stripe, merged);
        }
    }
}

/// The newest version that SSTs hold of a key, a tombstone too.
#[inline(always)]
fn newest_in<'a>(ssts: &'a SstDirectory, tag: Tag, key: KeyRef<'_>) -> Option<&'a Record> {
    for sst in ssts.readers().iter().rev() {
        if let Some(record) = sst.find(tag, key) {
            return Some(record);
        }
    }
    None
}

/// SSTs, oldest first, as one run; tombstones go where `nothing_is_older`.
fn merge(ssts: Vec<MemorySstReader>, nothing_is_older: bool, garbage: &mut Vec<Record>) -> Run {
    let mut runs = ssts.into_iter().map(MemorySstReader::into_run).enumerate().rev();
    let Some((oldest, newest)) = runs.next() else { return Run::default() };
    if oldest == 0 && nothing_is_older && newest.weight.tombstones > 0 {
        return merge_runs(Run::default(), newest, true, garbage);
    }
    // The newest run is the first of the result, not copied into it.
    runs.fold(newest, |merged, (at, older)| merge_runs(merged, older, nothing_is_older && at == 0, garbage))
}

#[cfg(test)]
mod tests;
