//! An engine of which one caller holds every stripe.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Engine;
use super::store::{Counters, Store, stripes};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{STRIPES, StripeId};
use crate::mode::Flags;
use crate::stripe::{Stripe, StripeContents, WriteGuard};
use crate::tree::Tree;

/// The locks of all stripes of an engine: no write is under way, and none begins before they are released.
pub struct Exclusive<'a> {
    engine: &'a Engine,
    // Released before what was taken out is dropped: fields are dropped in their order.
    locked: Vec<(StripeId, WriteGuard<'a>)>,
    taken_out: Vec<StripeContents>,
}

impl Engine {
    /// Runs this while the locks of all stripes are held.
    ///
    /// # Errors
    /// [`Error::Poisoned`], [`Error::Closed`].
    pub fn exclusive<T>(&self, run: impl FnOnce(&mut Exclusive<'_>) -> T) -> Result<T> {
        let mut locked = self.lock(StripeId::all())?;
        self.store.take_awaited_views(&mut locked);
        Ok(run(&mut Exclusive { engine: self, locked, taken_out: Vec::new() }))
    }

    /// Removes everything and refuses every read and write from then on, those included that wait for a lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`], [`Error::Closed`].
    pub fn close(&self) -> Result<()> {
        self.exclusive(|locked| locked.close())
    }
}

impl Exclusive<'_> {
    /// Whether the engine holds no record.
    pub fn is_empty(&self) -> bool {
        self.locked.iter().all(|(_, held)| held.tree().is_none_or(Tree::is_empty))
    }

    /// Removes everything, as one: nobody sees a part of it.
    pub fn clear(&mut self) {
        self.taken_out.reserve(STRIPES);
        for (id, held) in &mut self.locked {
            self.engine.store.note_past(held);
            self.taken_out.push(held.clear());
            self.engine.store.count(*id, held);
        }
    }

    /// As [`Engine::close`].
    pub fn close(&mut self) {
        self.clear();
        self.engine.store.mode.set(Flags::CLOSED, true);
    }

    /// Puts a tree in the place of what a stripe holds.
    pub(super) fn replace(&mut self, stripe: StripeId, tree: Box<Tree>) {
        let held = &mut self.locked[stripe.index()].1;
        self.engine.store.note_past(held);
        self.taken_out.push(held.replace(tree));
        self.engine.store.count(stripe, held);
    }

    /// What a fork begins with: it shares the trees.
    pub(super) fn share(&mut self) -> Store {
        let store: &Arc<Store> = &self.engine.store;
        let mut shared = self.locked.iter_mut().map(|(id, held)| held.share(*id));
        let mut stripes = stripes(|_| Stripe::sharing(shared.next().expect("a tree or none for each stripe")));
        let budget = store.budget.as_ref().map(|budget| budget.forked(&mut stripes[..]));
        let (of_original, counters) = (&store.counters, Counters::default());
        counters.last_seq.store(of_original.last_seq.load(Ordering::Relaxed), Ordering::Relaxed);
        counters.past_writes.store(of_original.past_writes.load(Ordering::Relaxed), Ordering::Relaxed);
        Store::new(store.options, counters, budget, stripes)
    }
}
