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
        self.put_in_order(StripeId::all())?;
        let mut locked = self.lock(StripeId::all())?;
        let seen = at_the_moment();
        let mut shared = locked.iter_mut().map(|(id, held)| held.share(*id));
        let mut stripes = stripes(|_| Stripe::sharing(shared.next().expect("a tree or none for each stripe")));
        let budget = self.store.budget.as_ref().map(|budget| budget.forked(&mut stripes[..]));
        let (of_original, counters) = (&self.store.counters, Counters::default());
        counters.last_seq.store(of_original.last_seq.load(Ordering::Relaxed), Ordering::Relaxed);
        counters.past_writes.store(of_original.past_writes.load(Ordering::Relaxed), Ordering::Relaxed);
        drop(locked);
        Ok((Self::start(Store::new(self.store.options, counters, budget, stripes))?, seen))
    }
}
