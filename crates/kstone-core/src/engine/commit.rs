//! The commit: deciding and writing under the locks of several stripes, as one.

use std::cmp::Ordering;

use super::Engine;
use crate::error::{Error, Result};
use crate::key::{KeyRef, Route, StripeId};
use crate::record::{Lent, Record};
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
        let named = NamedKeys::of(keys);
        let mut present = Present { locked: self.lock(named.stripes())?, named: &named };
        let (records, mut outcome) = decide(&present)?;
        let mut routes = Vec::with_capacity(records.len());
        for record in &records {
            let Some(route) = named.find(record.key_ref()) else {
                return Err(Error::invalid(format!("a commit wrote a key that it had not named: {record:?}")).into());
            };
            routes.push(route);
        }
        observe(&records, &mut outcome);
        let written = records.into_iter().zip(routes).map(|(record, route)| {
            let at = present.position(route.stripe).expect("the stripes of all keys are locked");
            (route.stripe, self.apply(route, &mut present.locked[at].1, record, self.next_seq()))
        });
        let garbage: Vec<(StripeId, Garbage)> = written.collect();
        drop(present);
        for (stripe, garbage) in garbage {
            self.finish(stripe, garbage);
        }
        Ok(outcome)
    }
}

/// The keys that a commit may write, in the order of their stripes and tags. Sorted before the locks are taken, so that
/// each look-up under them is O(log n); among few, comparing keys is cheaper than the hash that a route takes.
struct NamedKeys<'a>(Vec<(Route, KeyRef<'a>)>);

impl<'a> NamedKeys<'a> {
    const FEW: usize = 4;

    fn of(keys: &[KeyRef<'a>]) -> Self {
        let mut named: Vec<_> = keys.iter().map(|key| (key.route(), *key)).collect();
        named.sort_unstable_by(order);
        Self(named)
    }

    /// Each stripe once, ascending.
    fn stripes(&self) -> impl Iterator<Item = StripeId> {
        self.0.chunk_by(|a, b| a.0.stripe == b.0.stripe).map(|of_one| of_one[0].0.stripe)
    }

    /// The route of this key, where it is named.
    fn find(&self, key: KeyRef<'_>) -> Option<Route> {
        if self.0.len() <= Self::FEW {
            return self.find_among_few(key);
        }
        let route = key.route();
        self.0.binary_search_by(|named| order(named, &(route, key))).ok().map(|_| route)
    }

    /// The route of any key.
    fn route_of(&self, key: KeyRef<'_>) -> Route {
        let named = if self.0.len() <= Self::FEW { self.find_among_few(key) } else { None };
        named.unwrap_or_else(|| key.route())
    }

    fn find_among_few(&self, key: KeyRef<'_>) -> Option<Route> {
        self.0.iter().find(|(_, named)| named.is_same(key)).map(|(route, _)| *route)
    }
}

/// By stripe, tag and key; the tag tells items from index entries.
fn order((route, key): &(Route, KeyRef<'_>), (other_route, other): &(Route, KeyRef<'_>)) -> Ordering {
    #[cfg(test)]
    tests::COMPARISONS.with(|count| count.set(count.get() + 1));
    let by_route = (route.stripe, route.tag).cmp(&(other_route.stripe, other_route.tag));
    by_route.then_with(|| (key.pk(), key.sk()).cmp(&(other.pk(), other.sk())))
}

/// The present items, under the locks of a [`Engine::commit`].
pub struct Present<'a> {
    locked: Vec<(StripeId, WriteGuard<'a>)>,
    named: &'a NamedKeys<'a>,
}

impl Present<'_> {
    /// The item of this key; none, too, where the commit did not name a key of its stripe.
    pub fn get(&self, key: KeyRef<'_>) -> Option<Lent<'_>> {
        let route = self.named.route_of(key);
        let at = self.position(route.stripe)?;
        self.locked[at].1.tree()?.get(route, key)
    }

    fn position(&self, stripe: StripeId) -> Option<usize> {
        self.locked.binary_search_by_key(&stripe, |(id, _)| *id).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::engine::EngineOptions;
    use crate::key::Keyspace;

    thread_local! {
        pub(super) static COMPARISONS: Cell<usize> = const { Cell::new(0) };
    }

    /// A transaction on a table of many indexes writes thousands of records under its locks.
    #[test]
    fn a_commit_compares_its_keys_n_log_n_times() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        for count in [100_usize, 4000] {
            let names: Vec<_> = (0..count as u32).map(u32::to_be_bytes).collect();
            let keys: Vec<_> = names.iter().map(|name| KeyRef::new(&name[..3], &name[3..]).expect("valid")).collect();
            let records: Vec<_> = keys.iter().map(|key| Record::put(*key, b"")).collect();
            COMPARISONS.set(0);
            engine.commit(&keys, |_| Ok::<_, Error>((records, ()))).expect("committed");
            let compared = COMPARISONS.get();
            assert!(compared >= count && compared <= 4 * count * count.ilog2() as usize, "{compared} of {count} keys");
        }
        assert_eq!(engine.stats().expect("counted").items, 4000);
    }

    #[test]
    fn a_key_is_named_in_its_keyspace_alone() {
        let key = KeyRef::new(b"\0\x01a", b"s").expect("valid");
        let entry = KeyRef::of_record(b"\0\x01a", b"s", Keyspace::Index);
        let other = KeyRef::new(b"b", b"").expect("valid");
        for copies in [1, NamedKeys::FEW] {
            let named = NamedKeys::of(&[vec![key; copies], vec![other]].concat());
            assert_eq!(named.find(key), Some(key.route()));
            assert_eq!(named.find(entry), None);
            assert_eq!(named.find(KeyRef::new(b"b", b"s").expect("valid")), None);
            assert!(named.stripes().is_sorted() && named.stripes().count() == 2);
            for asked in [key, entry, other] {
                let (found, routed) = (named.route_of(asked), asked.route());
                assert_eq!(found, routed);
            }
        }
    }
}
