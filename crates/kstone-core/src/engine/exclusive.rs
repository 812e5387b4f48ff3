//! An engine of which one caller holds every stripe.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::lock_place::check_ordinals;
use super::point_in_time::PointInTimeView;
use super::store::Store;
use super::stripes::{AllStripes, new_stripes};
use super::{Engine, EngineGroup};
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Reason, Result};
use crate::key::StripeId;
use crate::mode::Flags;
use crate::stripe::{Stripe, StripeContents};
use crate::tree::Tree;

/// The locks of all stripes of an engine: no write is under way, and none begins before they are released.
pub struct Exclusive<'a> {
    engine: &'a Engine,
    // Released before what was taken out is dropped: fields are dropped in their order.
    all: AllStripes<'a>,
    taken_out: Vec<StripeContents>,
}

impl Engine {
    /// Runs this while the locks of all stripes are held.
    ///
    /// # Errors
    /// [`Error::Poisoned`], [`Error::Closed`].
    pub fn exclusive<T>(&self, run: impl FnOnce(&mut Exclusive<'_>) -> T) -> Result<T> {
        self.lock_exclusive().map(|mut locked| run(&mut locked))
    }

    fn lock_exclusive(&self) -> Result<Exclusive<'_>> {
        let mut all = self.store.lock_all()?;
        self.store.take_awaited_views(&mut all.locked);
        Ok(Exclusive { engine: self, all, taken_out: Vec::new() })
    }

    /// Removes everything and refuses every read and write from then on, those included that wait for a lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`], [`Error::Closed`].
    pub fn close(&self) -> Result<()> {
        self.exclusive(|locked| locked.close())
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.store.mode.flags().has(Flags::CLOSED)
    }
}

/// Runs this while the locks of all stripes of several engines are held, given in the order of the engines' ordinals: one
/// moment of all of them. Costs an allocation for each engine that was written to.
///
/// ```
/// use kstone_core::engine::{Engine, EngineOptions, EngineOrdinal, exclusive_across};
/// let engine = |number| {
///     Engine::new(EngineOptions { ordinal: EngineOrdinal(number), ..EngineOptions::default() })
/// };
/// let engines = [engine(1)?, engine(2)?];
/// let all_empty = exclusive_across(&engines.each_ref(), |all| all.iter().all(|locked| locked.is_empty()))?;
/// assert!(all_empty);
/// # Ok::<(), kstone_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Poisoned`] and [`Error::Closed`] of any of the engines; [`Error::Invalid`] where two of them have one ordinal,
/// or where one stands twice among them.
pub fn exclusive_across<T>(engines: &[&Engine], run: impl FnOnce(&mut [Exclusive<'_>]) -> T) -> Result<T> {
    let mut ascending = engines.to_vec();
    ascending.sort_unstable_by_key(|engine| engine.ordinal());
    check_ordinals(ascending.iter().copied())?;
    if ascending.windows(2).any(|two| std::ptr::eq(two[0], two[1])) {
        return Err(Reason::EngineTwice.into());
    }
    let mut locked: Vec<Exclusive<'_>> = ascending.into_iter().map(Engine::lock_exclusive).collect::<Result<_>>()?;
    Ok(run(&mut locked))
}

impl<'a> Exclusive<'a> {
    /// The engine.
    pub fn engine(&self) -> &'a Engine {
        self.engine
    }

    /// As [`Engine::fork`] into a group, which should have the options of the original's, at the moment of these locks.
    /// [`Engine::prepare_fork`] called before makes it cheap.
    pub fn fork(&mut self, group: &EngineGroup) -> Engine {
        let forked = group.engine(self.engine.ordinal());
        self.share_with(&forked.store);
        forked
    }

    /// As [`Engine::view`], at the moment of these locks.
    pub fn view(&mut self) -> PointInTimeView {
        PointInTimeView::of(&mut self.all.locked)
    }

    /// Whether the engine holds no record.
    pub fn is_empty(&self) -> bool {
        self.all.locked.iter().all(|(_, held)| held.tree().is_none_or(Tree::is_empty))
    }

    /// Removes everything, as one: nobody sees a part of it.
    pub fn clear(&mut self) {
        self.taken_out.reserve(self.all.locked.len());
        for (id, held) in &mut self.all.locked {
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

    /// Puts a tree in the place of what a stripe holds, in an engine that has stripes.
    pub(super) fn replace(&mut self, stripe: StripeId, tree: Box<Tree>) {
        let held = self.all.get_mut(stripe);
        self.engine.store.note_past(held);
        self.taken_out.push(held.replace(tree));
        self.engine.store.count(stripe, held);
    }

    /// Gives an engine that has just been made what this one holds: they share the trees.
    fn share_with(&mut self, fork: &Store) {
        let store: &Arc<Store> = &self.engine.store;
        fork.counters.past_writes.store(store.counters.past_writes.load(Ordering::Relaxed), Ordering::Relaxed);
        if let (Some(of_fork), Some(of_original)) = (&fork.memory, &store.memory) {
            of_fork.follow(of_original);
        }
        if self.all.locked.is_empty() {
            return;
        }
        let mut shared = self.all.locked.iter_mut().map(|(id, held)| held.share(*id));
        let mut stripes = new_stripes(|_| Stripe::sharing(shared.next().expect("a tree or none for each stripe")));
        if let Some(memory) = &fork.memory {
            memory.count_stripes();
            StripeId::all().zip(&mut stripes[..]).for_each(|(id, stripe)| memory.count(id, stripe.get_mut()));
        }
        fork.stripes.set(stripes);
    }
}
