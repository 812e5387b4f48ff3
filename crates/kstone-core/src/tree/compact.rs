//! How a tree keeps its bounds: what is flushed, put in order, merged and dropped, and when.
//!
//! ```text
//! full log ──► SST, as it was written ──► the next who needs an order, or the sixteenth SST: sorted and merged at once
//! ```
//!
//! What readers or another thread may look into meanwhile, and what forks share, is sorted when it is flushed.

use super::{Garbage, Policy, SstTotals, Tree, Work};
use crate::compaction;
use crate::key::StripeId;
use crate::memory_sst::MemorySstReader;
use crate::merge_runs::{merge_all, without_tombstones};
use crate::record::Record;
use crate::run::{Hidden, Run};
use crate::span::Span;

/// What is hidden, and tombstones, may take this much, and a quarter of what is shown.
pub(super) const HIDDEN_SLACK_BYTES: usize = 512;
/// So many SSTs that nobody merges a writer merges itself.
pub(super) const UNMERGED_SSTS_MAX: usize = 16;

/// A fork copies so many handles of a memtable, and counts each of their records, sooner than it makes an SST of them.
const COPIED_MAX: usize = 64;

/// SSTs to be merged while the tree goes on without its lock.
pub(crate) struct Merging {
    pub(super) ssts: Vec<MemorySstReader>,
    drops_tombstones: bool,
}

impl Merging {
    /// Merges; what it leaves out, too, which is still held by the tree.
    pub(crate) fn merge(&self) -> (Run, Vec<Record>) {
        let mut left_out = Vec::new();
        (merge(self.ssts.clone(), self.drops_tombstones, &mut left_out), left_out)
    }
}

impl Tree {
    #[cold]
    pub(super) fn drop_hidden(&mut self, policy: Policy, garbage: &mut Garbage) {
        if self.ssts.readers().is_empty() {
            let gone = self.memtable.take_tombstones();
            self.discard(gone, garbage);
        } else if policy.merge_later && !self.hides_more_than_a(2) {
            garbage.work = Some(Work::All);
        } else {
            self.compact_all(policy.stripe, garbage);
        }
    }

    #[cold]
    pub(super) fn flush_in_turn(&mut self, policy: Policy, garbage: &mut Garbage) {
        if policy.merge_later {
            self.flush(policy.stripe, garbage);
            garbage.work = Some(Work::Some);
        } else if self.has_shared_ssts {
            self.flush(policy.stripe, garbage);
        } else {
            self.store_memtable(policy.stripe);
        }
        if self.ssts.readers().len() - self.merging_ssts >= UNMERGED_SSTS_MAX {
            self.compact_above(self.merging_ssts, policy.stripe, garbage);
        }
        let is_left = |tree: &Self| !policy.merge_later && compaction::newest_to_merge(tree.ssts.readers()).is_some();
        self.is_merge_due = self.unsorted_ssts(0).is_some() || is_left(self);
    }

    /// Whether the records of the span can be read in order, and soon.
    pub(crate) fn is_in_order(&self, span: Span<'_>) -> bool {
        !self.is_merge_due && self.memtable.is_in_order(span)
    }

    /// Whether all can.
    pub(crate) fn is_all_in_order(&self) -> bool {
        !self.is_merge_due && self.memtable.is_all_in_order()
    }

    /// Makes it so.
    pub(crate) fn put_in_order(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.put_memtable_in_order(garbage);
        if self.is_merge_due {
            self.compact_some(stripe, garbage);
        }
    }

    /// Whether it is in order, and a tree that goes its own way from it copies a few handles at most.
    pub(crate) fn is_ready_to_fork(&self) -> bool {
        self.is_all_in_order() && self.memtable.len() <= COPIED_MAX
    }

    /// Makes it so.
    pub(crate) fn prepare_fork(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.put_in_order(stripe, garbage);
        if self.memtable.len() > COPIED_MAX {
            self.flush(stripe, garbage);
        }
    }

    pub(super) fn put_memtable_in_order(&mut self, garbage: &mut Garbage) {
        let gone = self.memtable.put_in_order();
        self.discard(gone, garbage);
    }

    /// Notes that hidden versions and tombstones are held no more.
    pub(super) fn discard(&mut self, gone: Vec<Record>, garbage: &mut Garbage) {
        if gone.is_empty() {
            return;
        }
        let weight = Hidden::of(&gone);
        self.hidden.subtract(weight);
        let merged = garbage.merged.get_or_insert_default();
        merged.bytes += weight.bytes;
        merged.records.extend(gone);
    }

    /// The same of what a merge of SSTs left out, which a base would keep.
    pub(super) fn discard_versions(&mut self, gone: Vec<Record>, garbage: &mut Garbage) {
        if !gone.is_empty() {
            self.flatten_index(garbage);
        }
        self.discard(gone, garbage);
    }

    /// Turns the memtable into the newest SST.
    pub(crate) fn flush(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.put_memtable_in_order(garbage);
        if !self.memtable.is_empty() {
            self.store_memtable(stripe);
        }
    }

    fn store_memtable(&mut self, stripe: StripeId) {
        self.flushes += 1;
        let run = self.memtable.take_run();
        self.store(stripe, run);
    }

    /// Merges SSTs while the policy names some.
    pub(crate) fn compact_some(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.compact_above(0, stripe, garbage);
        self.is_merge_due = false;
    }

    /// The same without so many of the oldest.
    pub(super) fn compact_above(&mut self, oldest: usize, stripe: StripeId, garbage: &mut Garbage) {
        let to_merge = |tree: &Self| {
            let in_turn = compaction::newest_to_merge(&tree.ssts.readers()[oldest..]);
            in_turn.max(tree.unsorted_ssts(oldest))
        };
        while let Some(count) = to_merge(self) {
            self.merge_newest(stripe, count, false, garbage);
        }
    }

    /// How many of the newest SSTs are to be merged to have all sorted that are not among the oldest; none where they are.
    fn unsorted_ssts(&self, oldest: usize) -> Option<usize> {
        let ssts = &self.ssts.readers()[oldest..];
        ssts.iter().position(MemorySstReader::is_as_written).map(|first| ssts.len() - first)
    }

    /// Sorts what is not, so that a record can be looked for in the SSTs.
    pub(super) fn sort_ssts(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        if self.is_merge_due && self.unsorted_ssts(0).is_some() {
            self.compact_some(stripe, garbage);
        }
    }

    /// Flushes and merges everything into one SST without tombstones.
    pub(crate) fn compact_all(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.flush(stripe, garbage);
        self.is_merge_due = false;
        self.flatten_index(garbage);
        if !self.is_compact() {
            self.merge_newest(stripe, self.ssts.readers().len(), self.hidden.tombstones > 0, garbage);
        }
    }

    /// Whether compacting everything would give nothing back.
    pub(crate) fn is_compact(&self) -> bool {
        let is_one = self.memtable.is_empty() && self.ssts.readers().len() <= 1 && !self.index.is_layered();
        is_one && self.hidden.bytes == 0 && self.unsorted_ssts(0).is_none()
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
        let drops_tombstones = work == Work::All && self.hidden.tombstones > 0;
        let merging = Merging { drops_tombstones, ssts: ssts[ssts.len() - count..].to_vec() };
        self.merging_ssts = ssts.len();
        self.has_shared_ssts = true;
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
        self.discard_versions(left_out, garbage);
        self.compactions += 1;
        self.note_ssts();
        true
    }

    pub(super) fn flatten_index(&mut self, garbage: &mut Garbage) {
        if let Some(base) = self.index.flatten() {
            garbage.merged.get_or_insert_default().base = Some(base);
        }
    }

    pub(super) fn merge_newest(
        &mut self,
        stripe: StripeId,
        count: usize,
        drops_tombstones: bool,
        garbage: &mut Garbage,
    ) {
        let first = self.ssts.readers().len() - count;
        if first < self.merging_ssts {
            // The other thread finds them gone.
            self.merging_ssts = 0;
        }
        let mut gone = Vec::new();
        let merged = merge(self.ssts.split_off(first), drops_tombstones, &mut gone);
        self.discard_versions(gone, garbage);
        self.compactions += 1;
        if merged.records.is_empty() {
            self.note_ssts();
        } else {
            self.store(stripe, merged);
        }
    }

    /// Whether tombstones and what is hidden take more than this part of what is shown. Where nothing is, anything is
    /// too much.
    #[inline]
    pub(super) fn hides_more_than_a(&self, part: usize) -> bool {
        match self.live.bytes() {
            0 => self.hidden.bytes > 0,
            live => self.hidden.bytes > live / part + HIDDEN_SLACK_BYTES,
        }
    }

    pub(super) fn store(&mut self, stripe: StripeId, run: Run) {
        self.generation += 1;
        let name = format!("stripe-{:03}-{:012}.sst", stripe.index(), self.generation);
        self.ssts.store(name.clone(), MemorySstReader::from_run(name, run));
        self.note_ssts();
    }

    fn note_ssts(&mut self) {
        let mut totals = SstTotals::default();
        for sst in self.ssts.readers() {
            totals.records += sst.len();
            totals.run_bytes += sst.run_bytes();
            totals.index_bytes += sst.index_bytes();
        }
        self.sst_totals = totals;
    }
}

/// SSTs, oldest first, as one run, without tombstones where nothing is older.
pub(super) fn merge(ssts: Vec<MemorySstReader>, drops_tombstones: bool, garbage: &mut Vec<Record>) -> Run {
    let merged = merge_all(ssts.into_iter().map(MemorySstReader::into_run).collect(), garbage);
    if drops_tombstones { without_tombstones(merged, garbage) } else { merged }
}
