//! Writes of single keys, and what every write does under its stripe's lock.

use std::sync::atomic::Ordering;

use super::Engine;
use super::commit::KeyWrite;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Route, StripeId};
use crate::mode::Flags;
use crate::record::Record;
use crate::stripe::StripeState;
use crate::tree::{Garbage, Policy, Tree, Work};

impl Engine {
    /// Makes the item, in its stored form, the newest version of the key.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put(&self, key: KeyRef<'_>, body: &[u8]) -> Result<()> {
        self.write(key, Some(body), |_| true).map(drop)
    }

    /// Removes the item of this key, if there is one.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete(&self, key: KeyRef<'_>) -> Result<()> {
        self.write(key, None, |_| true).map(drop)
    }

    /// As [`Engine::put`], unless writes are [watched](Engine::watch), or keys are typed and this one is not, or the other
    /// way round: false, and nothing is written.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn put_unwatched(&self, key: KeyRef<'_>, body: &[u8]) -> Result<bool> {
        self.write(key, Some(body), |flags| is_unwatched(flags, key))
    }

    /// As [`Engine::put_unwatched`] for many items, in their order; each stripe's lock is taken once. Readers may see some
    /// of them before the others. The places of those that were not put, since writes were watched by then.
    ///
    /// # Errors
    /// [`Error::Poisoned`], after some items perhaps.
    pub fn put_many_unwatched(&self, puts: &[(KeyRef<'_>, &[u8])]) -> Result<Vec<usize>> {
        let mut routed: Vec<(Route, usize)> = puts.iter().enumerate().map(|(at, (key, _))| (key.route(), at)).collect();
        // Stable: of several items of one key the last one stays.
        routed.sort_by_key(|(route, _)| route.stripe);
        let mut left_out = Vec::new();
        for of_stripe in routed.chunk_by(|(one, _), (other, _)| one.stripe == other.stripe) {
            let stripe = of_stripe[0].0.stripe;
            let record =
                |(route, at): &(Route, usize)| (*route, Record::routed_put(route.tag, puts[*at].0, puts[*at].1));
            let records: Vec<(Route, Record)> = of_stripe.iter().map(record).collect();
            let (mut held, flags) = self.store.write_beyond_views(stripe)?;
            if !of_stripe.iter().all(|(_, at)| is_unwatched(flags, puts[*at].0)) {
                left_out.extend(of_stripe.iter().map(|(_, at)| *at));
                continue;
            }
            let apply = |(route, record)| self.apply(route, &mut held, record);
            let garbage: Vec<Garbage> = records.into_iter().map(apply).collect();
            drop(held);
            garbage.into_iter().for_each(|garbage| self.finish(stripe, garbage));
        }
        left_out.sort_unstable();
        Ok(left_out)
    }

    /// As [`Engine::delete`], where [`Engine::put_unwatched`] would put; otherwise false, and nothing is written.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn delete_unwatched(&self, key: KeyRef<'_>) -> Result<bool> {
        self.write(key, None, |flags| is_unwatched(flags, key))
    }

    /// Whether writes are watched, without a lock: for what would be done in vain.
    pub fn writes_are_watched(&self) -> bool {
        self.store.mode.flags().has(Flags::WATCHED)
    }

    #[inline(always)]
    fn write(&self, key: KeyRef<'_>, body: Option<&[u8]>, allowed: impl FnOnce(Flags) -> bool) -> Result<bool> {
        let route = key.route();
        let (mut held, flags) = self.store.write_beyond_views(route.stripe)?;
        if !allowed(flags) {
            return Ok(false);
        }
        let garbage = self.write_body(&mut held, (route, key), body, flags.has(Flags::EVICTS));
        drop(held);
        self.finish(route.stripe, garbage);
        Ok(true)
    }

    /// Makes this the item of the key, or removes it.
    #[inline(always)]
    fn write_body(
        &self,
        held: &mut StripeState,
        (route, key): (Route, KeyRef<'_>),
        body: Option<&[u8]>,
        evicts: bool,
    ) -> Garbage {
        match body {
            _ if evicts => self.apply(route, held, Record::routed(route.tag, key, body)),
            Some(body) => self.change(route.stripe, held, |tree, policy| tree.put(route, key, body, policy)),
            // Nothing to delete is no reason to make a tree.
            None if held.tree().is_none() => Garbage::default(),
            None => self.change(route.stripe, held, |tree, policy| tree.delete(route, key, policy)),
        }
    }

    /// What a commit does to a key whose stripe is locked.
    #[inline]
    pub(super) fn write_key(&self, held: &mut StripeState, write: KeyWrite<'_>) -> Garbage {
        let (key, body) = match write {
            KeyWrite::Record(route, record) => return self.apply(route, held, record),
            KeyWrite::Put(key, body) => (key, Some(body)),
            KeyWrite::Delete(key) => (key, None),
        };
        self.write_body(held, (key.route(), key.key()), body, self.evicts())
    }

    /// How many records were written: it rises with every record, and with nothing else. A fork goes on from the number
    /// of the original. Locks each stripe (shared) for a look at a number.
    pub fn writes(&self) -> u64 {
        let store = &self.store;
        let locked: Vec<_> = store.stripes().iter().map(|stripe| stripe.read_with_flags(&store.mode).0).collect();
        let written = locked.iter().filter_map(|held| held.tree()).map(|tree| tree.writes);
        // What is taken off it for writes that nobody sees may be more than it is.
        store.counters.past_writes.load(Ordering::Relaxed).wrapping_add(written.sum::<u64>())
    }

    pub(super) fn apply(&self, route: Route, held: &mut StripeState, record: Record) -> Garbage {
        if record.is_tombstone() && held.tree().is_none() {
            return Garbage::default();
        }
        if let Some(memory) = self.store.memory.as_ref().filter(|memory| memory.evicts()) {
            held.queue_written(&record, memory.budget().next_seq());
        }
        self.change(route.stripe, held, |tree, policy| tree.apply(route, record, policy))
    }

    #[inline]
    fn change(
        &self,
        stripe: StripeId,
        held: &mut StripeState,
        change: impl FnOnce(&mut Tree, Policy) -> Garbage,
    ) -> Garbage {
        let options = &self.store.options;
        let policy =
            Policy { stripe, wal_records: options.memtable_max_records, merge_later: options.background_compaction };
        let garbage = change(held.tree_mut(stripe), policy);
        if let Some(memory) = &self.store.memory {
            held.note_released(&garbage);
            memory.count(stripe, held);
        }
        garbage
    }

    /// What is left to do after a change, when no lock is held.
    #[inline(always)]
    pub(super) fn finish(&self, stripe: StripeId, garbage: Garbage) {
        if let Some(work) = garbage.work {
            self.leave_to_compactor(stripe, work);
        }
        self.store.free(garbage);
    }

    #[cold]
    #[inline(never)]
    fn leave_to_compactor(&self, stripe: StripeId, work: Work) {
        if let Some(compactor) = &self.compactor {
            compactor.add(&self.store, stripe, work);
        }
    }
}

/// Whether a write of this key concerns its record alone, and the key is of the engine's layout.
#[inline(always)]
pub(super) fn is_unwatched(flags: Flags, key: KeyRef<'_>) -> bool {
    !flags.has(Flags::WATCHED) && flags.has(Flags::TYPED) != key.label().is_empty()
}
