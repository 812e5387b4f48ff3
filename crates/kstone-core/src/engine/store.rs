//! What an engine and its compaction thread share: the stripes and what is counted for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::EngineOptions;
use super::awaited_view::Awaited;
use super::memory_budget::{MemoryBudget, MemoryShare};
use super::stripes::{StripeArray, stripes_of_empty_engines};
use crate::error::Result;
use crate::freed::Freed;
use crate::key::StripeId;
use crate::mode::{Flags, Mode};
use crate::poison_lock::PoisonLock;
use crate::raw::shared_at_first::SharedAtFirst;
use crate::record::Glance;
use crate::span::Span;
use crate::stripe::{ReadGuard, Stripe, StripeState, WriteGuard};
use crate::tree::{Garbage, Tree};

/// What an engine and its compaction thread share: a few cache lines, and one for each stripe once it was written to.
pub(super) struct Store {
    pub(super) counters: Counters,
    pub(super) mode: Mode,
    pub(super) options: EngineOptions,
    /// Where there is a memory limit.
    pub(super) memory: Option<MemoryShare>,
    /// The views that somebody awaits.
    pub(super) awaited: Mutex<Awaited>,
    pub(super) stripes: SharedAtFirst<StripeArray>,
    /// See [`super::stripes`].
    pub(super) first_use: PoisonLock<()>,
}

/// On a cache line of its own: what changes it should not let reads of what is next to it miss.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Counters {
    /// Records that were written to trees that are gone.
    pub(super) past_writes: AtomicU64,
    /// Of trees that are gone.
    pub(super) past_flushes: AtomicU64,
    pub(super) past_compactions: AtomicU64,
    /// Look-ups of single keys before the first write.
    pub(super) misses_before_use: AtomicU64,
    pub(super) freed: Freed,
}

impl Store {
    /// A store that holds nothing.
    pub(super) fn new(options: EngineOptions, budget: Option<&Arc<MemoryBudget>>) -> Self {
        let mode = Mode::default();
        mode.set(Flags::EVICTS, budget.is_some_and(|budget| budget.evicts()));
        Self {
            counters: Counters::default(),
            mode,
            options,
            memory: budget.cloned().map(MemoryShare::new),
            awaited: Mutex::default(),
            stripes: SharedAtFirst::new(stripes_of_empty_engines()),
            first_use: PoisonLock::new(()),
        }
    }

    /// Bytes of a store that was never written to.
    pub(super) const BYTES: usize = size_of::<Self>();
    /// Bytes of the stripes that it gets then.
    pub(super) const STRIPES_BYTES: usize = size_of::<StripeArray>();

    /// The stripe, to be read.
    #[inline]
    pub(super) fn stripe(&self, id: StripeId) -> &Stripe {
        self.stripes().get(id)
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn read(&self, id: StripeId) -> Result<ReadGuard<'_>> {
        self.stripes().read(id)
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn write(&self, id: StripeId) -> Result<WriteGuard<'_>> {
        self.write_with_flags(id).map(|(held, _)| held)
    }

    /// The lock of a stripe, and the flags under it. Stripes that the engine does not own are never free.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline(always)]
    pub(super) fn write_with_flags(&self, id: StripeId) -> Result<(WriteGuard<'_>, Flags)> {
        match self.stripe(id).try_write_with_flags(&self.mode)? {
            Some(held) => Ok(held),
            None => self.write_own(id),
        }
    }

    /// The lock of a stripe more for a write that holds others, where it is free and no view is awaited: one that was
    /// opened meanwhile may have been shown this stripe before the write, and the others after it.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn try_write(&self, id: StripeId) -> Result<Option<WriteGuard<'_>>> {
        let held = match self.stripe(id).try_write_with_flags(&self.mode)? {
            None if self.stripes().are_shared() => self.try_write_first(id)?,
            held => held,
        };
        Ok(held.filter(|(_, flags)| !flags.has(Flags::AWAITED)).map(|(held, _)| held))
    }

    #[cold]
    #[inline(never)]
    fn try_write_first(&self, id: StripeId) -> Result<Option<(WriteGuard<'_>, Flags)>> {
        if self.try_own_stripes()? { self.stripe(id).try_write_with_flags(&self.mode) } else { Ok(None) }
    }

    /// As [`Stripes::read_in_order`](super::stripes::Stripes::read_in_order), of a look at this stripe alone.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(super) fn read_in_order(&self, id: StripeId, span: Option<Span<'_>>) -> Result<ReadGuard<'_>> {
        self.stripes().read_in_order(id, span)
    }

    #[cold]
    pub(super) fn put_in_order(&self, id: StripeId) -> Result<ReadGuard<'_>> {
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
        if self.read(id)?.is_ready_to_fork() {
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
        if self.stripes().are_shared() {
            self.mode.flags().check()?;
            return Ok(None);
        }
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

    /// Counts a look-up that found nothing. An empty engine has no stripes of its own to count it in.
    #[cold]
    #[inline(never)]
    pub(super) fn count_nothing(&self, stripe: &Stripe) -> Glance {
        if self.stripes().are_shared() {
            self.counters.misses_before_use.fetch_add(1, Ordering::Relaxed);
        } else {
            stripe.count(false);
        }
        Glance::Nothing
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
        if let Some(memory) = &self.memory {
            memory.count(id, held);
        }
    }
}
