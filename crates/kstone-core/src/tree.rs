//! One stripe's tree: index, memtable and SSTs, which only ever change together.
//!
//! ```text
//! point       index of the live records ──► record
//! new key     index, log = memtable ──(N records)──► SST ──(16 SSTs, or a reader comes)──► fewer SSTs
//! known key   the older version is overwritten where nobody else has it; else the newer one takes its slot in its run
//! query       memtable, put in order, and SSTs, newest first
//! ```
//!
//! # Invariants
//! - What it shows is what its index holds; each of those records is in the memtable or in an SST, and newest there.
//! - A version is hidden by a newer one, or by a tombstone, only where its SST is shared with a fork, a view or a merge of
//!   another thread; all others are exchanged or buried in place.
//! - What is hidden, and tombstones, stay below a quarter of what is shown: past that the tree is compacted as a whole, and
//!   where it shows nothing it holds nothing. So nothing has to be called to get memory back.
//!
//! The garbage of a change is handed back as [`Garbage`], so that memory is freed where no lock is held.
//!
//! Not synchronised: the engine holds the stripe's lock.

use crate::compaction;
use crate::key::{KeyRef, Route, StripeId};
use crate::live_counts::LiveCounts;
use crate::live_index::{LiveIndex, Place};
use crate::memory_sst::{MemorySstReader, SstDirectory};
use crate::memtable::Memtable;
use crate::merge_runs::{merge_all, without_tombstones};
use crate::prefetch::release;
use crate::record::{Lent, Record};
use crate::run::{Hidden, Run};
use crate::shared::Shared;
use crate::span::Span;

mod index;
mod view;

use index::Found;
pub(crate) use index::TreeIndex;
pub(crate) use view::TreeView;

/// What is hidden, and tombstones, may take this much, and a quarter of what is shown.
const HIDDEN_SLACK_BYTES: usize = 512;
/// So many SSTs that nobody merges a writer merges itself.
const UNMERGED_SSTS_MAX: usize = 16;
/// A tree that diverges from a shared one merges no sooner: most forks are short-lived.
const DIVERGENT_SSTS_MAX: usize = 6;

#[derive(Default)]
pub(crate) struct Tree {
    index: TreeIndex,
    /// What it shows; a flush and a merge change nothing of it.
    live: LiveCounts,
    /// What it holds and does not show.
    hidden: Hidden,
    memtable: Memtable,
    ssts: SstDirectory,
    sst_totals: SstTotals,
    /// Whether somebody else may hold one of the SSTs.
    has_shared_ssts: bool,
    /// Whether the next reader merges SSTs.
    is_merge_due: bool,
    /// How many of the oldest SSTs another thread is merging, or leaves alone while it does.
    merging_ssts: usize,
    generation: u64,
    /// Writes ever, whatever became of their records.
    pub(crate) writes: u64,
    pub(crate) flushes: u64,
    pub(crate) compactions: u64,
}

/// What the SSTs of a tree add up to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SstTotals {
    /// Tombstones and hidden versions included.
    pub(crate) records: usize,
    /// Bytes of the runs of handles.
    pub(crate) run_bytes: usize,
    /// Bytes of directories.
    pub(crate) index_bytes: usize,
}

/// Bytes of a tree by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TreeBytes {
    /// Records in the memtable, and their handles.
    pub(crate) memtable: usize,
    /// Records in SSTs, hidden versions included, and their handles.
    pub(crate) ssts: usize,
    /// What finds records: the index and the directories of SSTs.
    pub(crate) index: usize,
}

impl TreeBytes {
    /// The sum of the parts, and the tree itself.
    pub(crate) fn total(self) -> usize {
        size_of::<Tree>() + self.memtable + self.ssts + self.index
    }
}

/// Records that a change of the tree released.
#[derive(Default)]
#[must_use = "garbage is dropped after the lock is released"]
pub(crate) struct Garbage {
    /// The version in whose place a write put its own.
    replaced: Option<Record>,
    /// Boxed: most writes release nothing, or the one version that they replace.
    merged: Option<Box<Merged>>,
    /// What was left to be merged by another thread.
    pub(crate) work: Option<Work>,
}

impl Garbage {
    /// The items that the tree does not hold any more.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Record> {
        let merged = self.merged.iter().flat_map(|merged| &merged.records);
        self.replaced.iter().chain(merged).filter(|record| record.is_item() && !record.is_tombstone())
    }

    /// Bytes of hidden versions and tombstones that are not held any more.
    #[inline]
    pub(crate) fn merged_bytes(&self) -> usize {
        self.merged.as_ref().map_or(0, |merged| merged.bytes)
    }
}

/// Hidden versions and tombstones that were left out, and a base that is not needed any more.
#[derive(Default)]
struct Merged {
    records: Vec<Record>,
    bytes: usize,
    base: Option<Shared<Tree>>,
}

impl Drop for Merged {
    fn drop(&mut self) {
        release(std::mem::take(&mut self.records));
    }
}

/// When the trees of an engine flush and compact, and as whom they name their SSTs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) stripe: StripeId,
    pub(crate) wal_records: usize,
    /// Whether merging is left to another thread, as long as that keeps up.
    pub(crate) merge_later: bool,
}

/// What a write leaves to be merged, where that is left to another thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// The newest SSTs, while the policy names some.
    Some,
    /// Everything, to get rid of what is hidden.
    All,
}

/// SSTs to be merged while the tree goes on without its lock.
pub(crate) struct Merging {
    ssts: Vec<MemorySstReader>,
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
    /// What a tree takes at most once all that it held is gone: itself, and the handles of a few SSTs.
    pub(crate) const EMPTY_BYTES: usize =
        size_of::<Self>() + 16 * size_of::<MemorySstReader>() + LiveIndex::charged_bytes_of(0);

    /// A tree of one SST, which shows this much.
    pub(crate) fn of_run(stripe: StripeId, run: Run, live: LiveCounts, index: LiveIndex) -> Self {
        let mut tree = Self { live, index: index.into(), ..Self::default() };
        tree.store(stripe, run);
        tree
    }

    /// Whether it shows no record of either keyspace.
    pub(crate) fn is_empty(&self) -> bool {
        self.live.bytes() == 0
    }

    /// What it holds, for spans of which [`Tree::is_in_order`].
    pub(crate) fn view(&self) -> TreeView<'_> {
        TreeView { memtable: Some(&self.memtable), ssts: self.ssts.readers() }
    }

    /// The newest version of the key, unless that is a tombstone.
    #[inline(always)]
    pub(crate) fn get(&self, route: Route, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.index.get(route, key)
    }

    /// What finds the newest version of a key.
    #[inline(always)]
    pub(crate) fn index(&self) -> &TreeIndex {
        &self.index
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

    /// Makes this the item of the key: without a record of its own, where that can be.
    #[inline(always)]
    pub(crate) fn put(&mut self, route: Route, key: KeyRef<'_>, body: &[u8], policy: Policy) -> Garbage {
        self.writes += 1;
        let mut garbage = Garbage::default();
        let is_alone = self.has_ssts_alone(&mut garbage);
        let found = self.index.find(route, key);
        if let Found::Own(place) = found
            && is_alone
            && self.index.overwrite(place, body)
        {
            return garbage;
        }
        self.write(found, Record::routed_put(route.tag, key, body), policy, garbage)
    }

    /// Removes the item of the key.
    pub(crate) fn delete(&mut self, route: Route, key: KeyRef<'_>, policy: Policy) -> Garbage {
        self.writes += 1;
        let mut garbage = Garbage::default();
        let is_alone = self.has_ssts_alone(&mut garbage);
        match self.index.find(route, key) {
            Found::Nowhere(_) => garbage,
            Found::Own(place) if is_alone && self.index.bury(place) => {
                let buried = self.index.remove(place, key);
                self.live.subtract(&buried);
                self.hidden.add(&buried);
                self.keep_bounds(policy, &mut garbage);
                garbage
            }
            found => self.write_tombstone(found, Record::routed_tombstone(route.tag, key), policy, garbage),
        }
    }

    /// Makes the record the newest version of its key.
    pub(crate) fn apply(&mut self, route: Route, record: Record, policy: Policy) -> Garbage {
        self.writes += 1;
        let mut garbage = Garbage::default();
        let is_alone = self.has_ssts_alone(&mut garbage);
        let found = self.index.find(route, record.key_ref());
        match (found, record.is_tombstone()) {
            (Found::Nowhere(_), true) => garbage,
            (found, true) => self.write_tombstone(found, record, policy, garbage),
            // Nobody knows the new record: what it says may stand in the old one.
            (Found::Own(place), false)
                if record.is_held_once() && is_alone && self.index.overwrite(place, record.body()) =>
            {
                garbage.replaced = Some(record);
                garbage
            }
            (found, false) => self.write(found, record, policy, garbage),
        }
    }

    fn write(&mut self, found: Found, record: Record, policy: Policy, mut garbage: Garbage) -> Garbage {
        self.live.add(&record);
        match found {
            Found::Own(place) => {
                self.order_to_exchange();
                let old = self.index.replace(place, &record);
                self.live.subtract(&old);
                match self.memtable.exchange(&old, record).or_else(|record| self.ssts.exchange(&old, record)) {
                    Ok(old) => {
                        garbage.replaced = Some(old);
                        return garbage;
                    }
                    Err(record) => {
                        self.hidden.add(&old);
                        self.memtable.append(record);
                    }
                }
            }
            Found::Nowhere(place) => {
                self.index.insert(place, &record);
                self.memtable.append(record);
            }
            Found::Below(place) => {
                self.hide_below(place, &record);
                self.index.insert(place, &record);
                self.memtable.append(record);
            }
        }
        self.keep_bounds(policy, &mut garbage);
        garbage
    }

    fn write_tombstone(&mut self, found: Found, tombstone: Record, policy: Policy, mut garbage: Garbage) -> Garbage {
        self.hidden.add(&tombstone);
        match found {
            Found::Own(place) => {
                self.order_to_exchange();
                let old = self.index.remove(place, tombstone.key_ref());
                self.live.subtract(&old);
                match self.memtable.exchange(&old, tombstone).or_else(|record| self.ssts.exchange(&old, record)) {
                    Ok(old) => garbage.replaced = Some(old),
                    Err(tombstone) => {
                        self.hidden.add(&old);
                        self.memtable.append(tombstone);
                    }
                }
            }
            Found::Below(place) | Found::Nowhere(place) => {
                self.hide_below(place, &tombstone);
                self.index.remove_below(place, tombstone.key_ref());
                self.memtable.append(tombstone);
            }
        }
        self.keep_bounds(policy, &mut garbage);
        garbage
    }

    /// Counts the version of a key in a base as hidden by a newer one, which no exchange reaches.
    #[cold]
    fn hide_below(&mut self, place: Place, newer: &Record) {
        if let Some(old) = self.index.below(place, newer.key_ref()) {
            self.live.subtract(&old);
            self.hidden.add(&old);
        }
    }

    /// Flushes and compacts when it is time.
    #[inline]
    fn keep_bounds(&mut self, policy: Policy, garbage: &mut Garbage) {
        if self.hides_more_than_a(4) {
            self.drop_hidden(policy, garbage);
        } else if self.memtable.len() >= policy.wal_records {
            self.flush_in_turn(policy, garbage);
        }
    }

    #[cold]
    fn drop_hidden(&mut self, policy: Policy, garbage: &mut Garbage) {
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
    fn flush_in_turn(&mut self, policy: Policy, garbage: &mut Garbage) {
        self.flush(policy.stripe, garbage);
        if policy.merge_later {
            garbage.work = Some(Work::Some);
        }
        if self.ssts.readers().len() - self.merging_ssts >= UNMERGED_SSTS_MAX {
            self.compact_above(self.merging_ssts, policy.stripe, garbage);
        }
        self.is_merge_due = !policy.merge_later && compaction::newest_to_merge(self.ssts.readers()).is_some();
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

    fn put_memtable_in_order(&mut self, garbage: &mut Garbage) {
        let gone = self.memtable.put_in_order();
        self.discard(gone, garbage);
    }

    /// Notes that hidden versions and tombstones are held no more.
    fn discard(&mut self, gone: Vec<Record>, garbage: &mut Garbage) {
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
    fn discard_versions(&mut self, gone: Vec<Record>, garbage: &mut Garbage) {
        if !gone.is_empty() {
            self.flatten_index(garbage);
        }
        self.discard(gone, garbage);
    }

    /// Turns the memtable into the newest SST.
    pub(crate) fn flush(&mut self, stripe: StripeId, garbage: &mut Garbage) {
        self.put_memtable_in_order(garbage);
        if self.memtable.is_empty() {
            return;
        }
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
    fn compact_above(&mut self, oldest: usize, stripe: StripeId, garbage: &mut Garbage) {
        while let Some(count) = compaction::newest_to_merge(&self.ssts.readers()[oldest..]) {
            self.merge_newest(stripe, count, false, garbage);
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
        is_one && self.hidden.bytes == 0
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

    /// A tree of one's own that holds what a shared one holds, which stays as it is for the others that share it.
    pub(crate) fn divergent(shared: &Shared<Self>, stripe: StripeId, garbage: &mut Garbage) -> Self {
        let mut tree = Self {
            index: TreeIndex::over(shared),
            memtable: shared.memtable.following(),
            ssts: shared.ssts.clone(),
            has_shared_ssts: true,
            live: shared.live.clone(),
            ..**shared
        };
        if !shared.memtable.is_empty() {
            tree.flushes += 1;
            tree.store(stripe, shared.memtable.to_run());
            if tree.ssts.readers().len() > DIVERGENT_SSTS_MAX {
                tree.compact_some(stripe, garbage);
            }
        }
        tree
    }

    /// Notes that others have shared the tree, so that they may hold its SSTs still.
    pub(crate) fn note_shared(&mut self) {
        self.has_shared_ssts = true;
    }

    pub(crate) fn memtable(&self) -> &Memtable {
        &self.memtable
    }

    pub(crate) fn ssts(&self) -> &[MemorySstReader] {
        self.ssts.readers()
    }

    /// What it shows. Constant time.
    pub(crate) fn live(&self) -> &LiveCounts {
        &self.live
    }

    /// What it holds and does not show. Constant time.
    pub(crate) fn hidden(&self) -> Hidden {
        self.hidden
    }

    pub(crate) fn sst_totals(&self) -> SstTotals {
        self.sst_totals
    }

    /// Bytes by part. Constant time.
    #[inline]
    pub(crate) fn bytes(&self) -> TreeBytes {
        let in_memtable = self.memtable.record_bytes();
        TreeBytes {
            memtable: in_memtable + self.memtable.handle_bytes(),
            ssts: self.record_bytes() - in_memtable + self.sst_totals.run_bytes + self.ssts.handle_bytes(),
            index: self.index.bytes() + self.live.heap_bytes() + self.sst_totals.index_bytes,
        }
    }

    /// The same as a limit counts them: with what the index takes once it has grown, and what a flush and merges add. So
    /// no single write adds much, and compacting adds nothing.
    pub(crate) fn charged_bytes(&self) -> usize {
        let mut bytes = self.bytes();
        let directories = self.sst_totals.index_bytes.max(self.sst_totals.records + self.memtable.len());
        bytes.index = self.index.charged_bytes(self.live.records()) + directories;
        if !self.memtable.is_empty() {
            bytes.ssts += MemorySstReader::EMPTY_BYTES_MAX;
        }
        bytes.total()
    }

    /// Bytes of all records, hidden versions included.
    pub(crate) fn record_bytes(&self) -> usize {
        self.live.bytes() + self.hidden.bytes
    }

    /// Whether tombstones and what is hidden take more than this part of what is shown. Where nothing is, anything is
    /// too much.
    #[inline]
    fn hides_more_than_a(&self, part: usize) -> bool {
        match self.live.bytes() {
            0 => self.hidden.bytes > 0,
            live => self.hidden.bytes > live / part + HIDDEN_SLACK_BYTES,
        }
    }

    /// Whether nobody else holds one of the SSTs. To be asked before anything is looked for in the index.
    #[inline]
    fn has_ssts_alone(&mut self, garbage: &mut Garbage) -> bool {
        if self.has_shared_ssts {
            self.look_for_others(garbage);
        }
        !self.has_shared_ssts
    }

    #[cold]
    fn look_for_others(&mut self, garbage: &mut Garbage) {
        if let Some(base) = self.index.settle() {
            garbage.merged.get_or_insert_default().base = Some(base);
        }
        self.has_shared_ssts = self.index.is_layered() || self.ssts.are_shared();
    }

    fn flatten_index(&mut self, garbage: &mut Garbage) {
        if let Some(base) = self.index.flatten() {
            garbage.merged.get_or_insert_default().base = Some(base);
        }
    }

    /// Before a record is looked for in the memtable: an ordered one is searched by halves.
    fn order_to_exchange(&mut self) {
        if self.memtable.has_much_unordered() {
            // A few tombstones.
            self.put_memtable_in_order(&mut Garbage::default());
        }
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
            totals.run_bytes += sst.run_bytes();
            totals.index_bytes += sst.index_bytes();
        }
        self.sst_totals = totals;
    }

    fn merge_newest(&mut self, stripe: StripeId, count: usize, drops_tombstones: bool, garbage: &mut Garbage) {
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
}

/// SSTs, oldest first, as one run, without tombstones where nothing is older.
fn merge(ssts: Vec<MemorySstReader>, drops_tombstones: bool, garbage: &mut Vec<Record>) -> Run {
    let merged = merge_all(ssts.into_iter().map(MemorySstReader::into_run).collect(), garbage);
    if drops_tombstones { without_tombstones(merged, garbage) } else { merged }
}

#[cfg(test)]
mod tests;
