//! Writes of single keys, and what every write does under its stripe's lock.

use std::sync::atomic::Ordering;

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Route, StripeId};
use crate::mode::Flags;
use crate::record::{Record, SeqNo};
use crate::stripe::StripeState;
use crate::tree::{Garbage, Policy};

impl Engine {
    /// Makes the item, in its stored form, the newest version of the key.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put(&self, key: KeyRef<'_>, body: &[u8]) -> Result<()> {
        let route = key.route();
        self.write(route, Record::routed_put(route.tag, key, body), |_| true).map(drop)
    }

    /// Removes the item of this key, if there is one.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete(&self, key: KeyRef<'_>) -> Result<()> {
        let route = key.route();
        self.write(route, Record::routed_tombstone(route.tag, key), |_| true).map(drop)
    }

    /// As [`Engine::put`], unless writes are [watched](Engine::watch): false, and nothing is written.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put_unwatched(&self, key: KeyRef<'_>, body: &[u8]) -> Result<bool> {
        if self.writes_are_watched() {
            return Ok(false);
        }
        let route = key.route();
        self.write(route, Record::routed_put(route.tag, key, body), is_unwatched)
    }

    /// As [`Engine::delete`], unless writes are [watched](Engine::watch): false, and nothing is written.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete_unwatched(&self, key: KeyRef<'_>) -> Result<bool> {
        if self.writes_are_watched() {
            return Ok(false);
        }
        let route = key.route();
        self.write(route, Record::routed_tombstone(route.tag, key), is_unwatched)
    }

    /// Whether writes are watched, without a lock: for what would be done in vain.
    pub fn writes_are_watched(&self) -> bool {
        !is_unwatched(self.store.mode.flags())
    }

    #[inline(always)]
    fn write(&self, route: Route, record: Record, allowed: impl FnOnce(Flags) -> bool) -> Result<bool> {
        let (mut held, flags) = self.store.stripe(route.stripe).write_with_flags(&self.store.mode)?;
        if !allowed(flags) {
            return Ok(false);
        }
        let garbage = self.apply(route, &mut held, record);
        drop(held);
        self.finish(route.stripe, garbage);
        Ok(true)
    }

    /// How many records were written: it rises with every record, and with nothing else. A fork goes on from the number
    /// of the original. Locks each stripe (shared) for a look at the number of its log.
    pub fn writes(&self) -> u64 {
        let store = &self.store;
        let locked: Vec<_> = store.stripes.iter().map(|stripe| stripe.read_with_flags(&store.mode).0).collect();
        let logs = locked.iter().filter_map(|held| held.tree()).map(|tree| tree.wal().last().0);
        store.counters.past_writes.load(Ordering::Relaxed) + logs.sum::<u64>()
    }

    /// The number of a write to an engine that evicts, drawn under its stripe's lock.
    fn next_seq(&self) -> SeqNo {
        SeqNo(self.store.counters.last_seq.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(super) fn apply(&self, route: Route, held: &mut StripeState, record: Record) -> Garbage {
        let stripe = route.stripe;
        let options = &self.store.options;
        let policy = Policy {
            stripe,
            wal_records: options.memtable_max_records as u64,
            merge_later: options.background_compaction,
        };
        if record.is_tombstone() && held.tree().is_none() {
            // Nothing to delete is no reason to make a tree.
            return Garbage::default();
        }
        let Some(budget) = &self.store.budget else { return held.tree_mut(stripe).apply(route, record, policy) };
        if budget.evicts() {
            held.queue_written(&record, self.next_seq());
        }
        let garbage = held.tree_mut(stripe).apply(route, record, policy);
        held.note_released(&garbage);
        budget.count(stripe, held);
        garbage
    }

    /// What is left to do after a change, when no lock is held.
    #[inline]
    pub(super) fn finish(&self, stripe: StripeId, garbage: Garbage) {
        if let (Some(compactor), Some(work)) = (&self.compactor, garbage.work) {
            compactor.add(stripe, work);
        }
        drop(garbage);
    }
}

fn is_unwatched(flags: Flags) -> bool {
    !flags.has(Flags::WATCHED)
}
