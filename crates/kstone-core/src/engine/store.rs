//! What an engine and its compaction thread share: the stripes and what is counted for all of them.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::EngineOptions;
use super::awaited_view::Awaited;
use super::memory_budget::MemoryBudget;
use crate::error::Result;
use crate::freed::Freed;
use crate::key::{STRIPES, StripeId};
use crate::mode::{Flags, Mode};
use crate::span::Span;
use crate::stripe::{ReadGuard, Stripe, StripeState, WriteGuard};
use crate::tree::{Garbage, Tree};

/// What an engine and its compaction thread share: a few cache lines, and one for each stripe.
pub(super) struct Store {
    pub(super) counters: Counters,
    pub(super) mode: Mode,
    pub(super) options: EngineOptions,
    pub(super) budget: Option<MemoryBudget>,
    /// The views that somebody awaits.
    pub(super) awaited: Mutex<Awaited>,
    /// Made on the heap: 16 KiB are too much for the stack of a small thread.
    pub(super) stripes: Box<[Stripe; STRIPES]>,
}

/// On a cache line of its own: what changes it should not let reads of what is next to it miss.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Counters {
    /// Of the writes of an engine that evicts.
    pub(super) last_seq: AtomicU64,
    /// Records that were written to trees that are gone.
    pub(super) past_writes: AtomicU64,
    /// Of trees that are gone.
    pub(super) past_flushes: AtomicU64,
    pub(super) past_compactions: AtomicU64,
    pub(super) freed: Freed,
}

/// Every stripe, made one by one.
pub(super) fn stripes(make: impl FnMut(StripeId) -> Stripe) -> Box<[Stripe; STRIPES]> {
    let stripes: Box<[Stripe]> = StripeId::all().map(make).collect();
    stripes.try_into().unwrap_or_else(|_| unreachable!("one for each of the ids"))
}

impl Store {
    pub(super) fn new(
        options: EngineOptions,
        counters: Counters,
        budget: Option<MemoryBudget>,
        stripes: Box<[Stripe; STRIPES]>,
    ) -> Self {
        let mode = Mode::default();
        mode.set(Flags::EVICTS, budget.as_ref().is_some_and(MemoryBudget::evicts));
        Self { counters, mode, options, budget, awaited: Mutex::default(), stripes }
    }

    /// Bytes of a store without records.
    pub(super) const BYTES: usize = size_of::<Self>() + size_of::<[Stripe; STRIPES]>();

    #[inline]
    pub(super) fn stripe(&self, id: StripeId) -> &Stripe {
        &self.stripes[id.index()]
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn read(&self, id: StripeId) -> Result<ReadGuard<'_>> {
        self.stripe(id).read(&self.mode)
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn write(&self, id: StripeId) -> Result<WriteGuard<'_>> {
        self.stripe(id).write(&self.mode)
    }

    /// The lock of a stripe more for a write that holds others, where it is free and no view is awaited: one that was
    /// opened meanwhile may have been shown this stripe before the write, and the others after it.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn try_write(&self, id: StripeId) -> Result<Option<WriteGuard<'_>>> {
        let held = self.stripe(id).try_write(&self.mode)?;
        Ok(held.filter(|_| !self.mode.flags().has(Flags::AWAITED)))
    }

    /// As [`Store::read`], of a tree whose records of this span, or all of them, are in order. Where they are not, that is
    /// the first reader's work: sorting what was written, and the merges that writers have left.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn read_in_order(&self, id: StripeId, span: Option<Span<'_>>) -> Result<ReadGuard<'_>> {
        let held = self.read(id)?;
        let is_in_order = |tree: &Tree| span.map_or_else(|| tree.is_all_in_order(), |span| tree.is_in_order(span));
        if held.tree().is_none_or(is_in_order) {
            return Ok(held);
        }
        drop(held);
        self.put_in_order(id)
    }

    #[cold]
    fn put_in_order(&self, id: StripeId) -> Result<ReadGuard<'_>> {
        let mut held = self.write(id)?;
        let garbage = held.put_in_order(id);
        self.count(id, &mut held);
        let held = held.downgrade();
        drop(garbage);
        Ok(held)
    }

    /// Puts a stripe in order ahead of a fork, and what a fork would copy of it handle by handle into an SST.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    pub(super) fn prepare_fork(&self, id: StripeId) -> Result<()> {
        if self.read(id)?.tree().is_none_or(Tree::is_ready_to_fork) {
            return Ok(());
        }
        let mut held = self.write(id)?;
        let garbage = held.prepare_fork(id);
        self.count(id, &mut held);
        drop(held);
        self.free(garbage);
        Ok(())
    }

    /// Changes a stripe's tree, if there is one, under its lock, which is released before the garbage is dropped.
    pub(super) fn change_tree<T>(
        &self,
        id: StripeId,
        change: impl FnOnce(&mut Tree, StripeId, &mut Garbage) -> T,
    ) -> Result<Option<T>> {
        let mut garbage = Garbage::default();
        let mut held = self.write(id)?;
        if held.tree().is_none() {
            return Ok(None);
        }
        let result = change(held.tree_mut(id), id, &mut garbage);
        held.note_released(&garbage);
        self.count(id, &mut held);
        drop(held);
        self.free(garbage);
        Ok(Some(result))
    }

    /// Frees what a change left, where no lock is held.
    #[inline]
    pub(super) fn free(&self, garbage: Garbage) {
        let merged_bytes = garbage.drop_all();
        if merged_bytes > 0 {
            self.counters.freed.note(merged_bytes, || self.is_empty());
        }
    }

    /// Whether there is no record, as far as a look at one stripe after another can say.
    fn is_empty(&self) -> bool {
        let is_empty = |id| self.read(id).is_ok_and(|held| held.tree().is_none_or(Tree::is_empty));
        StripeId::all().all(is_empty)
    }

    /// Keeps what a tree that is about to go has counted.
    pub(super) fn note_past(&self, held: &StripeState) {
        if let Some(tree) = held.tree() {
            self.counters.past_writes.fetch_add(tree.writes, Ordering::Relaxed);
            self.counters.past_flushes.fetch_add(tree.flushes, Ordering::Relaxed);
            self.counters.past_compactions.fetch_add(tree.compactions, Ordering::Relaxed);
        }
    }

    /// Keeps the memory limit informed; to be called after every change of a stripe, under its lock.
    #[inline]
    pub(super) fn count(&self, id: StripeId, held: &mut StripeState) {
        if let Some(budget) = &self.budget {
            budget.count(id, held);
        }
    }
}
