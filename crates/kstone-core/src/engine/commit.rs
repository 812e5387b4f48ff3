//! The commit: deciding and writing under the locks of several stripes, as one.

use super::Engine;
use crate::error::{Error, Result};
use crate::key::{KeyRef, StripeId};
use crate::record::Record;
use crate::stripe::WriteGuard;
use crate::tree::Garbage;

impl Engine {
    /// Decides and writes under the locks of all the keys' stripes, as one: nobody sees a part of it.
    ///
    /// `decide` is shown the present items and returns the records to write, which must have keys among `keys`. Nothing
    /// is written where it returns an error.
    ///
    /// # Errors
    /// What `decide` returns; [`Error::Invalid`] for a record of another key; [`Error::Poisoned`], also for every later
    /// call if `decide` panics.
    pub fn commit<T, E: From<Error>>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T), E>,
    ) -> Result<T, E> {
        self.commit_observed(keys, decide, |_, _| ())
    }

    /// As [`Engine::commit`]; `observe` is shown the records and the outcome while the locks are held, so that
    /// what it notes is in the order of the writes. Nothing fails after it.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn commit_observed<T, E: From<Error>>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T), E>,
        observe: impl FnOnce(&[Record], &mut T),
    ) -> Result<T, E> {
        let mut stripes: Vec<StripeId> = keys.iter().map(|key| key.route().stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let mut present = Present { locked: self.lock(stripes.iter().copied())? };
        let (records, mut outcome) = decide(&present)?;
        if let Some(stray) = records.iter().find(|record| !keys.contains(&record.key_ref())) {
            return Err(Error::invalid(format!("a commit wrote a key that it had not named: {stray:?}")).into());
        }
        observe(&records, &mut outcome);
        let garbage: Vec<(StripeId, Garbage)> = records
            .into_iter()
            .map(|record| {
                let stripe = record.key_ref().route().stripe;
                let at = present.position(stripe).expect("the stripes of all keys are locked");
                (stripe, self.apply(stripe, &mut present.locked[at].1, record, self.next_seq()))
            })
            .collect();
        drop(present);
        for (stripe, garbage) in garbage {
            self.finish(stripe, garbage);
        }
        Ok(outcome)
    }
}

/// The present items, under the locks of a [`Engine::commit`].
pub struct Present<'a> {
    locked: Vec<(StripeId, WriteGuard<'a>)>,
}

impl Present<'_> {
    /// The item of this key; none, too, where the commit did not name a key of its stripe.
    pub fn get(&self, key: KeyRef<'_>) -> Option<&Record> {
        let route = key.route();
        let at = self.position(route.stripe)?;
        self.locked[at].1.tree()?.get(route.tag, key)
    }

    fn position(&self, stripe: StripeId) -> Option<usize> {
        self.locked.binary_search_by_key(&stripe, |(id, _)| *id).ok()
    }
}
