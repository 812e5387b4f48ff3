//! Writes of single keys, and what every write does under its stripe's lock.

use std::sync::atomic::Ordering;

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Route, StripeId};
use crate::record::{Record, SeqNo};
use crate::stripe::StripeState;
use crate::tree::{Garbage, Policy};

impl Engine {
    /// Makes the item, in its stored form, the newest version of the key.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put(&self, key: KeyRef<'_>, body: &[u8]) -> Result<SeqNo> {
        Ok(self.put_if(key, body, || true)?.expect("always allowed"))
    }

    /// Removes the item of this key, if there is one.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete(&self, key: KeyRef<'_>) -> Result<SeqNo> {
        Ok(self.delete_if(key, || true)?.expect("always allowed"))
    }

    /// As [`Engine::put`], or nothing (none) where `allowed` says no under the lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put_if(&self, key: KeyRef<'_>, body: &[u8], allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        let route = key.route();
        self.write(route, Record::routed_put(route.tag, key, body), allowed)
    }

    /// As [`Engine::delete`], or nothing (none) where `allowed` says no under the lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete_if(&self, key: KeyRef<'_>, allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        let route = key.route();
        self.write(route, Record::routed_tombstone(route.tag, key), allowed)
    }

    fn write(&self, route: Route, record: Record, allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        let mut held = self.store.write(route.stripe)?;
        if !allowed() {
            return Ok(None);
        }
        // Under the lock, so that the numbers of a key rise with its versions.
        let seq = self.next_seq();
        let garbage = self.apply(route, &mut held, record, seq);
        drop(held);
        self.finish(route.stripe, garbage);
        Ok(Some(seq))
    }

    /// The number of the last write, 0 before the first: it rises with every record that is written, and with nothing
    /// else. A fork goes on from the number of the original.
    pub fn last_seq(&self) -> SeqNo {
        SeqNo(self.store.counters.last_seq.load(Ordering::Relaxed))
    }

    pub(super) fn next_seq(&self) -> SeqNo {
        SeqNo(self.store.counters.last_seq.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(super) fn apply(&self, route: Route, held: &mut StripeState, record: Record, seq: SeqNo) -> Garbage {
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
            held.queue_written(&record, seq);
        }
        let garbage = held.tree_mut(stripe).apply(route, record, policy);
        held.note_released(&garbage);
        budget.count(stripe, held);
        garbage
    }

    /// What is left to do after a change, when no lock is held.
    pub(super) fn finish(&self, stripe: StripeId, garbage: Garbage) {
        if let (Some(compactor), Some(work)) = (&self.compactor, garbage.work) {
            compactor.add(stripe, work);
        }
        drop(garbage);
    }
}
