//! Look-ups of single keys.

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Route, StripeId};
use crate::record::Record;
use crate::stripe::Stripe;

impl Engine {
    /// The item of this key, shared: no bytes are copied.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn get(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        let route = key.route();
        let stripe = self.store.stripe(route.stripe);
        let held = self.store.read(route.stripe)?;
        let found = held.tree().and_then(|tree| tree.get(route, key));
        stripe.count(found.is_some());
        if self.evicts() {
            found.as_ref().inspect(|record| record.mark_used());
        }
        Ok(found.map(|record| record.clone()))
    }

    /// The items of several keys as they are at one moment: no [`Engine::commit`] lies between them.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_many(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |stripe, found| stripe.count(found))
    }

    /// As [`Engine::get_many`] before a write: no hit and no miss.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn present(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |_, _| ())
    }

    /// Notes that the item of this key was used, as [`Engine::get`] does, where that tells what to evict.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn note_use(&self, key: KeyRef<'_>) -> Result<()> {
        if self.evicts() {
            let route = key.route();
            let held = self.store.read(route.stripe)?;
            held.tree().and_then(|tree| tree.get(route, key)).inspect(|record| record.mark_used());
        }
        Ok(())
    }

    fn look_up(&self, keys: &[KeyRef<'_>], count: impl Fn(&Stripe, bool)) -> Result<Vec<Option<Record>>> {
        let routes: Vec<Route> = keys.iter().map(KeyRef::route).collect();
        let mut stripes: Vec<StripeId> = routes.iter().map(|route| route.stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let locked = stripes.iter().map(|&id| self.store.read(id)).collect::<Result<Vec<_>>>()?;
        let evicts = self.evicts();
        let find = |(key, route): (&KeyRef<'_>, &Route)| {
            let at = stripes.binary_search(&route.stripe).expect("the stripes of all keys are locked");
            let found = locked[at].tree().and_then(|tree| tree.get(*route, *key));
            count(self.store.stripe(route.stripe), found.is_some());
            found.as_ref().filter(|_| evicts).inspect(|record| record.mark_used());
            found.map(|record| record.clone())
        };
        Ok(keys.iter().zip(&routes).map(find).collect())
    }
}
