//! What an engine and its compaction thread share: the stripes and what is counted for all of them.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::EngineOptions;
use super::memory_budget::MemoryBudget;
use crate::error::{Error, Result};
use crate::key::{STRIPES, StripeId};
use crate::stripe::{Stripe, StripeState};
use crate::tree::{Garbage, Tree};

/// What an engine and its compaction thread share. One allocation: a cache line for each stripe and a few more.
pub(super) struct Store {
    pub(super) counters: Counters,
    pub(super) options: EngineOptions,
    pub(super) budget: Option<MemoryBudget>,
    pub(super) stripes: [Stripe; STRIPES],
}

/// On a cache line of its own: every write changes it, and reads of what is beside it should not miss for that.
#[repr(align(128))]
pub(super) struct Counters {
    pub(super) last_seq: AtomicU64,
    pub(super) poisoned: AtomicBool,
    /// Of trees that are gone.
    pub(super) past_flushes: AtomicU64,
    pub(super) past_compactions: AtomicU64,
}

impl Store {
    #[inline]
    pub(super) fn check(&self) -> Result<()> {
        if self.counters.poisoned.load(Ordering::Relaxed) { Err(Error::Poisoned) } else { Ok(()) }
    }

    #[inline]
    pub(super) fn stripe(&self, id: StripeId) -> &Stripe {
        &self.stripes[id.index()]
    }

    /// Changes a stripe's tree, if there is one, under its lock, which is let go before the garbage is dropped.
    pub(super) fn change_tree<T>(
        &self,
        id: StripeId,
        change: impl FnOnce(&mut Tree, StripeId, &mut Garbage) -> T,
    ) -> Result<Option<T>> {
        self.check()?;
        let _poison = PoisonOnPanic(&self.counters.poisoned);
        let mut garbage = Garbage::default();
        let mut held = self.stripe(id).write();
        if held.tree().is_none() {
            return Ok(None);
        }
        let result = change(held.tree_mut(id), id, &mut garbage);
        held.note_let_go(&garbage);
        self.count(id, &mut held);
        drop(held);
        drop(garbage);
        Ok(Some(result))
    }

    /// Keeps what a tree that is about to go has counted.
    pub(super) fn note_past(&self, held: &StripeState) {
        if let Some(tree) = held.tree() {
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

impl From<u64> for Counters {
    fn from(last_seq: u64) -> Self {
        Self {
            last_seq: AtomicU64::new(last_seq),
            poisoned: AtomicBool::new(false),
            past_flushes: AtomicU64::new(0),
            past_compactions: AtomicU64::new(0),
        }
    }
}

pub(super) struct PoisonOnPanic<'a>(pub(super) &'a AtomicBool);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}
