//! What is done to all of an engine: flushing, compacting, clearing.

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{STRIPES, StripeId};
use crate::tree::Tree;

impl Engine {
    /// Runs this while the locks of all stripes are held: no write is under way, and none begins.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn with_all_locks<T>(&self, run: impl FnOnce() -> T) -> Result<T> {
        let _locked = self.lock(StripeId::all())?;
        Ok(run())
    }

    /// Makes an SST of every memtable, stripe by stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn flush(&self) -> Result<()> {
        StripeId::all().try_for_each(|id| {
            let flushed = self.store.change_tree(id, |tree, stripe, garbage| {
                tree.flush(stripe, garbage);
                tree.compact_some(stripe, garbage);
            });
            flushed.map(drop)
        })
    }

    /// Merges each stripe into one SST without tombstones or hidden versions, stripe by stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn compact(&self) -> Result<()> {
        StripeId::all().try_for_each(|id| {
            self.store.change_tree(id, Tree::compact_all)?;
            if self.evicts() {
                let mut held = self.store.write(id)?;
                held.purge_queue();
                self.store.count(id, &mut held);
            }
            Ok(())
        })
    }

    /// Removes everything, as one: nobody sees a part of it.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<()> {
        self.clear_observed(|| ())
    }

    /// As [`Engine::clear`]; `observe` runs while all locks are held, so that what it does is done with what was written
    /// before, and nothing else.
    ///
    /// # Errors
    /// As [`Engine::clear`].
    pub fn clear_observed<T>(&self, observe: impl FnOnce() -> T) -> Result<T> {
        let mut locked = self.lock(StripeId::all())?;
        let observed = observe();
        let mut cleared = Vec::with_capacity(STRIPES);
        for (id, held) in &mut locked {
            self.store.note_past(held);
            cleared.push(held.clear());
            self.store.count(*id, held);
        }
        drop(locked);
        drop(cleared);
        Ok(observed)
    }
}
