//! The memory limit: what is counted against it, and how items are evicted for it.
//!
//! ```text
//! a writer     reserve what the write may add ─► fits? ─► lock, write, count what it did add, release the rest
//!                    ▲                             │ no, and no lock is held
//!                    └── compact a stripe, or have the oldest items of one stripe removed
//! ```
//!
//! One budget is shared by all engines of a group: who finds it used up may evict in any of them.
//!
//! # Invariants
//! - What is counted, reserved and allowed: counted + reserved ≤ the limit, but for deletes, which always go on.
//! - A write reserves at least what it adds ([`Engine::growth_of`]).
//!
//! # Thread safety
//! Counters are atomic; each stripe's bytes are counted under its lock.

use std::sync::Arc;
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

/// What the limit of a group of engines has counted. See the module.
pub(super) struct MemoryBudget {
    max_bytes: usize,
    eviction: Eviction,
    /// What one write may add in addition to its records.
    structure_bytes: usize,
    /// Counted, and reserved.
    used: AtomicUsize,
    /// Of that, what is there without any record.
    fixed: AtomicUsize,
    /// Stripes that have a tree.
    trees: AtomicUsize,
    /// Writes that have reserved bytes, and threads that are evicting.
    under_way: AtomicUsize,
    /// The number of the last write.
    last_seq: AtomicU64,
}

/// What one engine takes of the budget of its group. It is given back when this is dropped.
pub(super) struct MemoryShare {
    budget: Arc<MemoryBudget>,
    used: AtomicUsize,
    fixed: AtomicUsize,
    trees: AtomicUsize,
    evictions: AtomicU64,
    /// For each stripe, since when its oldest item waits, at most; [`NOTHING`] for an empty one.
    oldest: Box<[AtomicU64]>,
    /// At most the least of these.
    oldest_of_all: AtomicU64,
}

const NOTHING: u64 = u64::MAX;

impl MemoryBudget {
    pub(super) fn new(max_bytes: usize, eviction: Eviction, memtable_max_records: usize) -> Self {
        Self {
            max_bytes,
            eviction,
            // A long log grows by a 16th of its handles.
            structure_bytes: STRUCTURE_BYTES + memtable_max_records,
            used: AtomicUsize::new(0),
            fixed: AtomicUsize::new(0),
            trees: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            last_seq: AtomicU64::new(0),
        }
    }

    pub(super) fn evicts(&self) -> bool {
        self.eviction == Eviction::Lru
    }

    /// The number of a write, drawn under its stripe's lock.
    pub(super) fn next_seq(&self) -> SeqNo {
        SeqNo(self.last_seq.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(super) fn last_seq(&self) -> SeqNo {
        SeqNo(self.last_seq.load(Ordering::Relaxed))
    }

    fn try_reserve(&self, bytes: usize, outside: usize) -> bool {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = used.checked_add(outside).is_some_and(|used| used <= self.max_bytes);
        if !fits {
            self.used.fetch_sub(bytes, Ordering::Relaxed);
        }
        fits
    }

    /// What would still be counted if everything were removed that can be.
    fn least_bytes(&self) -> usize {
        let queue_bytes = if self.evicts() { SecondChance::bytes_of(0) } else { 0 };
        let trees = self.trees.load(Ordering::Relaxed);
        self.fixed.load(Ordering::Relaxed) + trees * (Tree::EMPTY_BYTES + queue_bytes)
    }

    fn add_fixed(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        self.fixed.fetch_add(bytes, Ordering::Relaxed);
    }

    fn subtract_fixed(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
        self.fixed.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl MemoryShare {
    pub(super) fn new(budget: Arc<MemoryBudget>) -> Self {
        let share = Self {
            budget,
            used: AtomicUsize::new(0),
            fixed: AtomicUsize::new(0),
            trees: AtomicUsize::new(0),
            evictions: AtomicU64::new(0),
            oldest: (0..STRIPES).map(|_| AtomicU64::new(NOTHING)).collect(),
            oldest_of_all: AtomicU64::new(NOTHING),
        };
        share.count_fixed(Store::BYTES + share.bytes());
        share
    }

    /// Counts the stripes that a store got. A write that causes that has reserved them ([`Engine::growth_of`]).
    pub(super) fn count_stripes(&self) {
        self.count_fixed(Store::STRIPES_BYTES);
    }

    fn count_fixed(&self, bytes: usize) {
        self.fixed.fetch_add(bytes, Ordering::Relaxed);
        self.budget.add_fixed(bytes);
    }

    /// The writes of a fork are numbered from those of its original on.
    pub(super) fn follow(&self, original: &Self) {
        self.budget.last_seq.fetch_max(original.budget.last_seq().0, Ordering::Relaxed);
    }

    pub(super) fn budget(&self) -> &MemoryBudget {
        &self.budget
    }

    pub(super) fn max_bytes(&self) -> usize {
        self.budget.max_bytes
    }

    /// Bytes of the group that are counted or reserved.
    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.budget.used.load(Ordering::Relaxed)
    }

    pub(super) fn evictions(&self) -> u64 {
        self.evictions.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.oldest.len() * size_of::<AtomicU64>()
    }

    pub(super) fn evicts(&self) -> bool {
        self.budget.evicts()
    }

    /// Counts what a stripe holds now. To be called under its lock after every change.
    pub(super) fn count(&self, id: StripeId, held: &mut StripeState) {
        let (before, now) = held.count_bytes(self.evicts());
        if now >= before {
            self.used.fetch_add(now - before, Ordering::Relaxed);
            self.budget.used.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.used.fetch_sub(before - now, Ordering::Relaxed);
            self.budget.used.fetch_sub(before - now, Ordering::Relaxed);
        }
        match (before, now) {
            (0, 1..) => [&self.trees, &self.budget.trees].map(|trees| trees.fetch_add(1, Ordering::Relaxed)),
            (1.., 0) => [&self.trees, &self.budget.trees].map(|trees| trees.fetch_sub(1, Ordering::Relaxed)),
            _ => [0; 2],
        };
        let since = match held.queue() {
            Some(queue) => queue.oldest().map_or(NOTHING, |since| since.0),
            None if held.tree().is_none() => NOTHING,
            // The oldest there is, until a queue knows better.
            None => 0,
        };
        self.oldest[id.index()].store(since, Ordering::Relaxed);
        if since < self.oldest_of_all.load(Ordering::Relaxed) {
            self.oldest_of_all.fetch_min(since, Ordering::AcqRel);
        }
    }

    /// The stripe whose oldest item is the oldest of all.
    fn oldest_stripe(&self) -> Option<StripeId> {
        let since = |id: &StripeId| self.oldest_in(*id);
        StripeId::all().min_by_key(since).filter(|id| since(id) != NOTHING)
    }

    fn oldest_in(&self, id: StripeId) -> u64 {
        self.oldest[id.index()].load(Ordering::Relaxed)
    }

    /// Since when the oldest item waits, at most.
    fn oldest(&self) -> Option<u64> {
        Some(self.oldest_of_all.load(Ordering::Acquire)).filter(|since| *since != NOTHING)
    }

    /// The same, found anew.
    fn find_oldest(&self) -> Option<u64> {
        // Whoever adds an older one notes it before this, and is seen below, or after it.
        self.oldest_of_all.swap(NOTHING, Ordering::AcqRel);
        let least = self.oldest.iter().map(|since| since.load(Ordering::Relaxed)).min().unwrap_or(NOTHING);
        self.oldest_of_all.fetch_min(least, Ordering::AcqRel);
        self.oldest()
    }
}

impl Drop for MemoryShare {
    fn drop(&mut self) {
        self.budget.subtract_fixed(*self.fixed.get_mut());
        self.budget.used.fetch_sub(*self.used.get_mut(), Ordering::Relaxed);
        self.budget.trees.fetch_sub(*self.trees.get_mut(), Ordering::Relaxed);
    }
}

/// Bytes outside of the engines of a group that count against its budget, until this is dropped.
pub struct Charge {
    budget: Option<Arc<MemoryBudget>>,
    bytes: AtomicUsize,
}

impl Charge {
    /// Charges so many bytes instead of those before.
    pub fn set(&self, bytes: usize) {
        let Some(budget) = &self.budget else { return };
        let before = self.bytes.swap(bytes, Ordering::Relaxed);
        if bytes >= before { budget.add_fixed(bytes - before) } else { budget.subtract_fixed(before - bytes) }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
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
    fn budget(&self) -> Option<&MemoryBudget> {
        self.store.memory.as_ref().map(MemoryShare::budget)
    }

    /// Bytes that somebody holds outside of the engines and that count against the memory limit of its group: none yet.
    pub fn charge(&self) -> Charge {
        let budget = self.store.memory.as_ref().map(|memory| Arc::clone(&memory.budget));
        Charge { budget, bytes: AtomicUsize::new(0) }
    }

    /// Whether there is a memory limit.
    pub fn is_limited(&self) -> bool {
        self.store.memory.is_some()
    }

    /// Whether items are evicted to stay below the memory limit.
    pub fn evicts(&self) -> bool {
        self.budget().is_some_and(MemoryBudget::evicts)
    }

    /// The most that writing records of these [footprints](Record::footprint) may add to what is counted. They may
    /// belong to a stripe each, and be the first ones.
    pub fn growth_of(&self, footprints: impl Iterator<Item = usize>) -> usize {
        let Some(budget) = self.budget() else { return 0 };
        let stripes = if self.store.stripes().are_shared() { Store::STRIPES_BYTES } else { 0 };
        stripes + footprints.map(|footprint| footprint + HANDLE_BYTES + budget.structure_bytes).sum::<usize>()
    }

    /// Sets aside so many bytes, if they fit the limit of the group together with `outside` bytes that nobody has charged
    /// yet. Always fits where there is no limit.
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
        self.budget().map(begin);
        Reservation { budget: self.budget().map(|budget| (budget, 0)) }
    }

    /// Whether others have reserved bytes, or are evicting: more may fit when they are done.
    pub fn is_reclaiming(&self) -> bool {
        self.budget().is_some_and(|budget| budget.under_way.load(Ordering::Acquire) > 0)
    }

    /// Whether so many bytes would fit if everything were removed that can be, in all engines of the group.
    pub fn may_fit(&self, bytes: usize) -> bool {
        let may_fit = |budget: &MemoryBudget| {
            budget.least_bytes().checked_add(bytes).is_some_and(|bytes| bytes <= budget.max_bytes)
        };
        self.budget().is_none_or(may_fit)
    }

    /// Whether what is counted has passed the limit: deletes go on whatever they add.
    pub fn is_over_limit(&self) -> bool {
        self.budget().is_some_and(|budget| budget.used.load(Ordering::Relaxed) > budget.max_bytes)
    }

    /// The error of a write that would need so many bytes that cannot be freed.
    pub fn memory_exceeded(&self, bytes: usize) -> Error {
        let used = |budget: &MemoryBudget| (budget.max_bytes, budget.used.load(Ordering::Relaxed));
        let (limit, used) = self.budget().map_or((0, 0), used);
        Error::limit("Memory (memory_max_bytes)", Unit::Bytes, limit, used.saturating_add(bytes))
    }

    /// Since when its oldest item waits to be evicted, at most, by the numbers of its group's writes; none where it holds
    /// nothing. A look at a number.
    pub fn oldest_at_most(&self) -> Option<u64> {
        self.store.memory.as_ref()?.oldest()
    }

    /// The same, found anew by a look at a number of each stripe.
    pub fn find_oldest(&self) -> Option<u64> {
        self.store.memory.as_ref()?.find_oldest()
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
        self.take_victims_older_than(u64::MAX, self.begin_search())
    }

    /// The number of a search for victims, also in other engines of the group: what was read before is spared once in it.
    pub fn begin_search(&self) -> u64 {
        self.budget().map_or(0, |budget| budget.next_seq().0)
    }

    /// As [`Engine::take_victims`], as long as the oldest wait at least since this number, as other engines'
    /// [oldest](Engine::oldest_at_most) do: those that were used meanwhile wait anew, once in each
    /// [search](Engine::begin_search).
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn take_victims_older_than(&self, since: u64, search: u64) -> Result<Vec<Record>> {
        let Some(memory) = &self.store.memory else { return Ok(Vec::new()) };
        while let Some(id) = memory.oldest_stripe().filter(|id| memory.oldest_in(*id) <= since) {
            let mut held = self.store.write(id)?;
            let now = memory.budget().last_seq();
            let bytes = held.tree().map_or(0, Tree::record_bytes) / 64;
            let victims = held.take_victims(bytes.max(1), SeqNo(search), now);
            memory.count(id, &mut held);
            if !victims.is_empty() {
                return Ok(victims);
            }
        }
        Ok(Vec::new())
    }

    /// Counts items that were evicted.
    pub fn note_evictions(&self, items: u64) {
        if let Some(memory) = &self.store.memory {
            memory.evictions.fetch_add(items, Ordering::Relaxed);
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
        let bytes = budget.max_bytes / 2 + 1;
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
