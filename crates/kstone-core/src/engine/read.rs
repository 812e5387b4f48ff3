//! Look-ups of single keys.

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Route, StripeId};
use crate::mode::Flags;
use crate::record::Record;
use crate::stripe::{ReadGuard, Stripe};

impl Engine {
    /// The item of this key, shared: no bytes are copied.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn get(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        self.look(key, |_| false, Record::clone)
    }

    /// Shows the item of this key to `take` while its stripe is locked (shared): what that does should be short, and
    /// must not call the engine. Where reads are [watched](Engine::watch) it is shown to `hides` first, which says
    /// whether it is to be passed over.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn look<T>(
        &self,
        key: KeyRef<'_>,
        hides: impl FnOnce(&Record) -> bool,
        take: impl FnOnce(&Record) -> T,
    ) -> Result<Option<T>> {
        let route = key.route();
        let stripe = self.store.stripe(route.stripe);
        let (held, flags) = stripe.read_with_flags(&self.store.mode);
        if !flags.reads_are_plain() {
            return look_where_flagged(stripe, (held, flags), (route, key), hides, take);
        }
        let found = held.tree().and_then(|tree| tree.get(route, key));
        stripe.count(found.is_some());
        Ok(found.map(|record| take(&record)))
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

/// The rest of [`Engine::look`] where more is to be done than to look.
#[inline(never)]
fn look_where_flagged<T>(
    stripe: &Stripe,
    (held, flags): (ReadGuard<'_>, Flags),
    (route, key): (Route, KeyRef<'_>),
    hides: impl FnOnce(&Record) -> bool,
    take: impl FnOnce(&Record) -> T,
) -> Result<Option<T>> {
    flags.check()?;
    let found = held.tree().and_then(|tree| tree.get(route, key));
    stripe.count(found.is_some());
    if flags.has(Flags::EVICTS) {
        found.as_ref().inspect(|record| record.mark_used());
    }
    Ok(found.filter(|record| !(flags.has(Flags::HIDES) && hides(record))).map(|record| take(&record)))
}
