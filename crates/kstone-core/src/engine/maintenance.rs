//! What is done to all of an engine: flushing, compacting, clearing.

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::StripeId;
use crate::tree::Tree;

impl Engine {
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
        self.exclusive(|locked| locked.clear())
    }
}
