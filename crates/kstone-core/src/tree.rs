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

use crate::key::{KeyRef, Route, StripeId};
use crate::live_counts::LiveCounts;
use crate::live_index::LiveIndex;
use crate::memory_sst::{MemorySstReader, SstDirectory};
use crate::memtable::Memtable;
use crate::prefetch::release;
use crate::record::{Lent, Record};
use crate::run::{Hidden, Run};
use crate::shared::Shared;

mod compact;
mod index;
mod view;
mod write;

pub(crate) use index::TreeIndex;
pub(crate) use view::TreeView;

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
    /// Whether there is nothing to drop and nothing to be merged.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.replaced.is_none() && self.merged.is_none() && self.work.is_none()
    }

    /// The items that the tree does not hold any more.
    pub(crate) fn items(&self) -> impl Iterator<Item = &Record> {
        let merged = self.merged.iter().flat_map(|merged| &merged.records);
        self.replaced.iter().chain(merged).filter(|record| record.is_item() && !record.is_tombstone())
    }

    /// Drops it; bytes of hidden versions and tombstones that are not held any more.
    #[inline(always)]
    pub(crate) fn drop_all(self) -> usize {
        // Apart, since there is hardly ever anything merged.
        let Self { replaced, merged, work: _ } = self;
        drop(replaced);
        merged.map_or(0, Merged::drop_all)
    }
}

/// Hidden versions and tombstones that were left out, and a base that is not needed any more.
#[derive(Default)]
struct Merged {
    records: Vec<Record>,
    bytes: usize,
    base: Option<Shared<Tree>>,
}

impl Merged {
    #[cold]
    #[inline(never)]
    #[expect(clippy::boxed_local, reason = "it is dropped with its box")]
    fn drop_all(self: Box<Self>) -> usize {
        self.bytes
    }
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
}

#[cfg(test)]
mod tests;
