//! A fork: an engine that begins with everything that another one holds.

use super::{Engine, EngineGroup};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::StripeId;

impl Engine {
    /// An engine of the same options that holds what this one holds now, shares all of it, and goes its own way from
    /// here. Costs a lock and a count for each stripe; `at_the_moment` runs while all of them are held.
    ///
    /// The first write to a stripe on either side then costs, once, a list of the stripe's SSTs, and a run of the
    /// handles in its memtable, which are few: what more was written since the last fork becomes an SST first, and is
    /// shared as such.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn fork<T>(&self, at_the_moment: impl FnOnce() -> T) -> Result<(Self, T)> {
        self.fork_into(&EngineGroup::new(self.store.options)?, at_the_moment)
    }

    /// As [`Engine::fork`], into a group that has the options of this engine.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn fork_into<T>(&self, group: &EngineGroup, at_the_moment: impl FnOnce() -> T) -> Result<(Self, T)> {
        self.prepare_fork()?;
        self.exclusive(|locked| {
            let seen = at_the_moment();
            (locked.fork(group), seen)
        })
    }

    /// Does ahead what a fork would otherwise leave to the first writes after it, stripe by stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn prepare_fork(&self) -> Result<()> {
        if self.store.stripes().are_shared() {
            return Ok(());
        }
        StripeId::all().try_for_each(|id| self.store.prepare_fork(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;
    use crate::key::KeyRef;
    use crate::raw::counted::CLONES;

    /// References of records are what a copy of handles takes, and most of what it costs.
    #[test]
    fn the_first_write_to_a_stripe_of_a_fork_takes_references_of_a_few_records() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let put = |engine: &Engine, sk: u32, body: &[u8]| {
            let sk = sk.to_be_bytes();
            engine.put(KeyRef::new(b"one stripe", &sk).expect("valid key"), body).expect("put");
        };
        let mut number = 0;
        for more in [900, 64, 65, 3] {
            (number..number + more).for_each(|sk| put(&engine, sk, b"old"));
            number += more;
            let (fork, ()) = engine.fork(|| ()).expect("forked");
            CLONES.set(0);
            put(&fork, 7, b"new");
            put(&engine, 8, b"new");
            assert!(CLONES.get() <= 2 * 64, "{} references after {more} writes", CLONES.get());
            let of = |engine: &Engine, sk: u32| {
                let key = sk.to_be_bytes();
                let found = engine.get(KeyRef::new(b"one stripe", &key).expect("valid key")).expect("read");
                found.map(|record| record.body().to_vec())
            };
            let [old, new] = [b"old", b"new"].map(|body| Some(body.to_vec()));
            assert_eq!((of(&fork, 7), of(&fork, number - 1)), (new.clone(), old.clone()));
            assert_eq!((of(&engine, 8), of(&engine, number - 1), of(&fork, number)), (new, old, None));
        }
    }
}
