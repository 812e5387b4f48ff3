//! A fork: an engine that begins with everything that another one holds.

use std::sync::atomic::Ordering;

use super::Engine;
use super::store::{Counters, Store, stripes};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::StripeId;
use crate::stripe::Stripe;

impl Engine {
    /// An engine of the same options that holds what this one holds now, shares all of it, and goes its own way from
    /// here. Costs a lock and a count for each stripe; `at_the_moment` runs while all of them are held.
    ///
    /// The first write to a stripe on either side then costs, once, a list of the stripe's SSTs, and a run of the
    /// handles in its memtable.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn fork<T>(&self, at_the_moment: impl FnOnce() -> T) -> Result<(Self, T)> {
        let mut locked = self.lock(StripeId::all())?;
        let seen = at_the_moment();
        let last_seq = self.store.counters.last_seq.load(Ordering::Relaxed);
        let mut shared = locked.iter_mut().map(|(_, held)| held.share());
        let mut stripes = stripes(|_| Stripe::sharing(shared.next().expect("a tree or none for each stripe")));
        let budget = self.store.budget.as_ref().map(|budget| budget.forked(&mut stripes[..]));
        drop(locked);
        let store = Store { counters: Counters::from(last_seq), options: self.store.options, budget, stripes };
        Ok((Self::start(store)?, seen))
    }
}
