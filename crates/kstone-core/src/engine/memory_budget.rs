//! The memory limit: what is counted against it, and how items are evicted for it.
//!
//! ```text
//! a writer     reserve what the write may add ─► fits? ─► lock, write, count what it did add, release the rest
//!                    ▲                             │ no, and no lock is held
//!                    └── compact a stripe, or have the oldest items of one stripe removed
//! ```
//!
//! # Invariants
//! - What is counted, reserved and allowed: counted + reserved ≤ the limit, but for deletes, which always go on.
//! - A write reserves at least what it adds ([`Engine::growth_of`]).
//!
//! # Thread safety
//! Counters are atomic; each stripe's bytes are counted under its lock.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::store::Store;
use super::{Engine, Eviction};
use crate::error::{Error, Result, Unit};
use crate::key::{STRIPES, StripeId};
use crate::record::{Record, SeqNo};
use crate::second_chance::SecondChance;
use crate::stripe::StripeState;
use crate::tree::Tree;

/// The least that a limit may be: below it the stripes themselves would not leave bytes for items.
pub const MEMORY_MAX_BYTES_MIN: usize = 1 << 20;

/// Handles of a new record: in the log, in the index and, later, in an SST and its directory.
const HANDLE_BYTES: usize = 64;
/// What a new tree, its first SST and the free places of a log may add at once.
const STRUCTURE_BYTES: usize = 3072;

/// What the limit of an engine has counted. See the module.
pub(super) struct MemoryBudget {
    max_bytes: usize,
    eviction: Eviction,
    /// Counted, and reserved.
    used: AtomicUsize,
    /// Writes that have reserved bytes, and threads that are evicting.
    under_way: AtomicUsize,
    evictions: AtomicU64,
    /// For each stripe, since when its oldest item waits, at most; [`NOTHING`] for an empty one.
    oldest: Box<[AtomicU64]>,
    /// What one write may add in addition to its records.
    structure_bytes: usize,
}

const NOTHING: u64 = u64::MAX;

impl MemoryBudget {
    pub(super) fn new(max_bytes: usize, eviction: Eviction, memtable_max_records: usize) -> Self {
        let budget = Self {
            max_bytes,
            eviction,
            used: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            evictions: AtomicU64::new(0),
            oldest: (0..STRIPES).map(|_| AtomicU64::new(NOTHING)).collect(),
            // A long log grows by a 16th of its handles.
            structure_bytes: STRUCTURE_BYTES + memtable_max_records,
        };
        budget.used.store(Store::BYTES + budget.bytes(), Ordering::Relaxed);
        budget
    }

    /// Counts the stripes that a store got. A write that causes that has reserved them ([`Engine::growth_of`]).
    pub(super) fn count_stripes(&self) {
        self.used.fetch_add(Store::STRIPES_BYTES, Ordering::Relaxed);
    }

    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Bytes that are counted or reserved.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.oldest.len() * size_of::<AtomicU64>()
    }

    pub(super) fn evicts(&self) -> bool {
        self.eviction == Eviction::Lru
    }

    /// Counts what a stripe holds now. To be called under its lock after every change.
    pub(super) fn count(&self, id: StripeId, held: &mut StripeState) {
        let (before, now) = held.count_bytes(self.evicts());
        if now >= before {
            self.used.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.used.fetch_sub(before - now, Ordering::Relaxed);
        }
        let oldest = &self.oldest[id.index()];
        let since = match held.queue() {
            Some(queue) => queue.oldest().map_or(NOTHING, |since| since.0),
            None if held.tree().is_none() => NOTHING,
            // The oldest there is, until a queue knows better.
            None => 0,
        };
        oldest.store(since, Ordering::Relaxed);
    }

    fn try_reserve(&self, bytes: usize, outside: usize) -> bool {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = used.checked_add(outside).is_some_and(|used| used <= self.max_bytes);
        if !fits {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// The stripe whose oldest item is the oldest of all.
    fn oldest_stripe(&self) -> Option<StripeId> {
        let since = |id: &StripeId| self.oldest[id.index()].load(Ordering::Relaxed);
        StripeId::all().min_by_key(since).filter(|id| since(id) != NOTHING)
    }
}

/// Bytes that a write may add, until it is done.
#[must_use = "what is reserved is free again when this is dropped"]
pub struct Reservation<'a> {
    budget: Option<(&'a MemoryBudget, usize)>,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if let Some((budget, bytes)) = self.budget {
            budget.used.fetch_sub(bytes, Ordering::Relaxed);
            budget.under_way.fetch_sub(1, Ordering::Release);
        }
    }
}

impl Engine {
    /// Whether there is a memory limit.
    pub fn is_limited(&self) -> bool {
        self.store.budget.is_some()
    }

    /// Whether items are evicted to stay below the memory limit.
    pub fn evicts(&self) -> bool {
        self.store.budget.as_ref().is_some_and(MemoryBudget::evicts)
    }

    /// The most that writing records of these [footprints](Record::footprint) may add to what is counted. They may
    /// belong to a stripe each, and be the first ones.
    pub fn growth_of(&self, footprints: impl Iterator<Item = usize>) -> usize {
        let Some(budget) = &self.store.budget else { return 0 };
        let stripes = if self.store.stripes().are_shared() { Store::STRIPES_BYTES } else { 0 };
        stripes + footprints.map(|footprint| footprint + HANDLE_BYTES + budget.structure_bytes).sum::<usize>()
    }

    /// Sets aside so many bytes, if they fit the limit together with the `outside` bytes that the caller holds.
    /// Always fits where there is no limit.
    pub fn try_reserve(&self, bytes: usize, outside: usize) -> Option<Reservation<'_>> {
        // Under way first: a thread that finds the limit reached must find the writer that reached it.
        let mut reservation = self.reclaiming();
        if let Some((budget, reserved)) = &mut reservation.budget {
            if !budget.try_reserve(bytes, outside) {
                return None;
            }
            *reserved = bytes;
        }
        Some(reservation)
    }

    /// To be held while items are evicted: a thread that finds nothing to evict waits for this.
    pub fn reclaiming(&self) -> Reservation<'_> {
        let begin = |budget: &MemoryBudget| budget.under_way.fetch_add(1, Ordering::Relaxed);
        self.store.budget.as_ref().map(begin);
        Reservation { budget: self.store.budget.as_ref().map(|budget| (budget, 0)) }
    }

    /// Whether others have reserved bytes, or are evicting: more may fit when they are done.
    pub fn is_reclaiming(&self) -> bool {
        self.store.budget.as_ref().is_some_and(|budget| budget.under_way.load(Ordering::Acquire) > 0)
    }

    /// Whether so many bytes would fit if everything were removed that can be.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn may_fit(&self, bytes: usize) -> Result<bool> {
        let Some(budget) = &self.store.budget else { return Ok(true) };
        let queue_bytes = if budget.evicts() { SecondChance::bytes_of(0) } else { 0 };
        let mut trees = 0;
        let stripes = self.store.stripes();
        for id in StripeId::all() {
            trees += usize::from(stripes.read(id)?.tree().is_some());
        }
        let stays = self.store.bytes() + budget.bytes() + trees * (Tree::EMPTY_BYTES + queue_bytes);
        Ok(bytes.checked_add(stays).is_some_and(|bytes| bytes <= budget.max_bytes))
    }

    /// Whether what is counted has passed the limit, together with the `outside` bytes that the caller holds:
    /// deletes go on whatever they add.
    pub fn is_over_limit(&self, outside: usize) -> bool {
        let used = |budget: &MemoryBudget| budget.used.load(Ordering::Relaxed);
        self.store.budget.as_ref().is_some_and(|budget| used(budget).saturating_add(outside) > budget.max_bytes)
    }

    /// The error of a write that would need so many bytes that cannot be freed.
    pub fn memory_exceeded(&self, bytes: usize) -> Error {
        let used = |budget: &MemoryBudget| (budget.max_bytes, budget.used.load(Ordering::Relaxed));
        let (limit, used) = self.store.budget.as_ref().map_or((0, 0), used);
        Error::limit("Memory (memory_max_bytes)", Unit::Bytes, limit, used.saturating_add(bytes))
    }

    /// Compacts one stripe that is not compact; false where there is none.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn reclaim(&self) -> Result<bool> {
        for id in StripeId::all() {
            let is_compact = self.store.read(id)?.tree().is_none_or(Tree::is_compact);
            if !is_compact {
                self.store.change_tree(id, Tree::compact_all)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The items to evict next: a 64th, and at least one, of the stripe whose oldest item is the oldest of all, so that
    /// compacting it costs each of them a few moves of handles. They are still there: the caller deletes those that
    /// have not changed, then [compacts](Engine::compact_stripe) their stripe, since only that frees them. None where
    /// nothing is left.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn take_victims(&self) -> Result<Vec<Record>> {
        let Some(budget) = &self.store.budget else { return Ok(Vec::new()) };
        while let Some(id) = budget.oldest_stripe() {
            let mut held = self.store.write(id)?;
            let now = SeqNo(self.store.counters.last_seq.load(Ordering::Relaxed));
            let bytes = held.tree().map_or(0, Tree::record_bytes) / 64;
            let victims = held.take_victims(bytes.max(1), now);
            budget.count(id, &mut held);
            if !victims.is_empty() {
                return Ok(victims);
            }
        }
        Ok(Vec::new())
    }

    /// Counts items that were evicted.
    pub fn note_evictions(&self, items: u64) {
        if let Some(budget) = &self.store.budget {
            budget.evictions.fetch_add(items, Ordering::Relaxed);
        }
    }

    /// Compacts one stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn compact_stripe(&self, id: StripeId) -> Result<()> {
        self.store.change_tree(id, Tree::compact_all).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two threads that reserve in the same instant what does not fit together, one gets it.
    #[test]
    fn what_does_not_fit_together_is_never_reserved_at_once() {
        let budget = MemoryBudget::new(MEMORY_MAX_BYTES_MIN, Eviction::None, 1000);
        let bytes = (budget.max_bytes - budget.used()) / 2 + 1;
        let (arrived, got) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let meet = |arrivals: usize| {
            arrived.fetch_add(1, Ordering::SeqCst);
            for waited in 0.. {
                if arrived.load(Ordering::SeqCst) >= arrivals {
                    return;
                }
                // Where there is one processor, or too few, the other one needs it.
                if waited % 1000 == 999 { std::thread::yield_now() } else { std::hint::spin_loop() }
            }
        };
        std::thread::scope(|scope| {
            let reserve = || {
                for round in 0..20_000 {
                    meet(4 * round + 2);
                    let reserved = budget.try_reserve(bytes, 0);
                    got.fetch_add(usize::from(reserved), Ordering::SeqCst);
                    meet(4 * round + 4);
                    assert_eq!(got.load(Ordering::SeqCst), round + 1);
                    if reserved {
                        budget.used.fetch_sub(bytes, Ordering::Relaxed);
                    }
                }
            };
            scope.spawn(reserve);
            scope.spawn(reserve);
        });
    }
}
