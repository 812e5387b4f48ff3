//! The commit: deciding and writing under the locks of several stripes, as one.
//!
//! ```text
//! begin ─► lock the stripes of all keys, ascending ─► look, decide ─► lock more, if they are free ─► write ─► unlock
//! ```
//! Which stripes a write needs may depend on the items that are there, as with index entries. Waiting for such a lock
//! out of its order could be waiting for each other; trying to take it never is. Where it is not free nothing was
//! written yet: the caller gives up its locks and takes all of them in their order.
//!
//! A write that needs one stripe is [`OneStripe`], which has no lists and becomes a [`Commit`] where it needs more.
//! Nothing is allocated for up to [`INLINE_WRITES`] stripes and records.

use std::cmp::Ordering;
use std::sync::atomic::Ordering::Relaxed;

use smallvec::SmallVec;

use super::Engine;
use crate::error::{Error, Result};
use crate::key::{KeyRef, Route, RoutedKey, StripeId, StripeSet};
use crate::mode::Flags;
use crate::record::{Lent, Record};
use crate::stripe::{StripeState, WriteGuard};
use crate::tree::Garbage;

/// How many stripes and records a commit takes without an allocation.
pub const INLINE_WRITES: usize = 4;

/// Records to be written, and where each belongs.
pub type Writes = SmallVec<[(Route, Record); INLINE_WRITES]>;

/// What a commit writes to one key.
#[derive(Debug)]
pub enum KeyWrite<'a> {
    /// An item of this body. It gets a record of its own only where it cannot be written over the older version.
    Put(&'a RoutedKey<'a>, &'a [u8]),
    /// No item.
    Delete(&'a RoutedKey<'a>),
    /// This record, which others may hold, too.
    Record(Route, Record),
}

impl KeyWrite<'_> {
    /// The stripe of the key.
    #[inline]
    pub fn stripe(&self) -> StripeId {
        match self {
            Self::Put(key, _) | Self::Delete(key) => key.stripe(),
            Self::Record(route, _) => route.stripe(),
        }
    }
}

impl From<(Route, Record)> for KeyWrite<'_> {
    #[inline]
    fn from((route, record): (Route, Record)) -> Self {
        Self::Record(route, record)
    }
}

/// One stripe that is locked for a write.
///
/// ```
/// use kstone_core::engine::{Engine, EngineOptions, KeyWrite};
/// use kstone_core::key::{KeyRef, RoutedKey};
/// let engine = Engine::new(EngineOptions::default())?;
/// let key = RoutedKey::from(KeyRef::new(b"a", b"")?);
/// let stripe = engine.lock_stripe(key.stripe())?;
/// if stripe.get(&key).is_none() {
///     stripe.write(KeyWrite::Put(&key, b""));
/// }
/// assert!(engine.get(key.key())?.is_some());
/// # Ok::<(), kstone_core::Error>(())
/// ```
pub struct OneStripe<'a> {
    engine: &'a Engine,
    stripe: StripeId,
    held: WriteGuard<'a>,
    flags: Flags,
}

impl<'a> OneStripe<'a> {
    /// Whether writes concern more than their record: see [`Engine::watch`].
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.flags.has(Flags::WATCHED)
    }

    /// The record of this key, which must belong to the stripe.
    #[inline]
    pub fn get(&self, key: &RoutedKey<'_>) -> Option<Lent<'_>> {
        debug_assert_eq!(key.stripe(), self.stripe, "looking into the stripe of another key");
        self.held.tree()?.get(key.route(), key.key())
    }

    /// Writes to a key of the stripe, and releases the lock.
    ///
    /// # Panics
    /// In debug builds, where the key is of another stripe: the engine is poisoned then.
    #[inline]
    pub fn write(mut self, write: KeyWrite<'_>) {
        debug_assert_eq!(write.stripe(), self.stripe, "the stripe of a write is locked");
        let (engine, stripe) = (self.engine, self.stripe);
        let garbage = engine.write_key(&mut self.held, write);
        drop(self);
        engine.finish(stripe, garbage);
    }

    /// The same lock, to be joined by others.
    pub fn into_commit(self) -> Commit<'a> {
        let mut locked = SmallVec::new();
        locked.push((self.stripe, self.held));
        Commit { engine: self.engine, locked }
    }
}

/// Stripes that are locked for a write, and the records that are there. Nothing is written unless
/// [`Commit::write`] is called; nothing fails from then on.
///
/// ```
/// use kstone_core::engine::{Engine, EngineOptions};
/// use kstone_core::{key::KeyRef, key::RoutedKey, record::Record};
/// let engine = Engine::new(EngineOptions::default())?;
/// let key = RoutedKey::from(KeyRef::new(b"a", b"")?);
/// let mut commit = engine.begin();
/// commit.lock([key.stripe()].into_iter())?;
/// if commit.get(&key).is_none() {
///     commit.write([(key.route(), Record::put_pieces(&key, &[]))]);
/// }
/// assert!(engine.get(key.key())?.is_some());
/// # Ok::<(), kstone_core::Error>(())
/// ```
pub struct Commit<'a> {
    engine: &'a Engine,
    /// By stripe.
    locked: SmallVec<[(StripeId, WriteGuard<'a>); INLINE_WRITES]>,
}

impl<'a> Commit<'a> {
    /// Waits for the locks of these stripes, each once, in their order. To be called once.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline]
    pub fn lock(&mut self, mut stripes: impl Iterator<Item = StripeId>) -> Result<()> {
        debug_assert!(self.locked.is_empty(), "waiting for a lock while others are held");
        let Some(first) = stripes.next() else { return Ok(()) };
        let Some(second) = stripes.next() else { return self.add(first) };
        let mut wanted = StripeSet::default();
        [first, second].into_iter().chain(stripes).for_each(|stripe| wanted.add(stripe));
        wanted.iter().try_for_each(|stripe| self.add(stripe))
    }

    fn add(&mut self, stripe: StripeId) -> Result<()> {
        debug_assert!(self.locked.last().is_none_or(|(last, _)| *last < stripe), "locks are taken in ascending order");
        self.locked.push((stripe, self.engine.store.write(stripe)?));
        Ok(())
    }

    /// Locks one stripe more, where that takes no waiting; whether it is locked now.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline]
    pub fn try_lock(&mut self, stripe: StripeId) -> Result<bool> {
        let Err(place) = self.locked.binary_search_by_key(&stripe, |(id, _)| *id) else { return Ok(true) };
        let Some(guard) = self.engine.store.try_write(stripe)? else { return Ok(false) };
        self.locked.insert(place, (stripe, guard));
        Ok(true)
    }

    /// The record of this key; none, too, where its stripe is not locked.
    #[inline]
    pub fn get(&self, key: &RoutedKey<'_>) -> Option<Lent<'_>> {
        let place = self.place(key.stripe())?;
        self.locked[place].1.tree()?.get(key.route(), key.key())
    }

    fn place(&self, stripe: StripeId) -> Option<usize> {
        self.locked.binary_search_by_key(&stripe, |(id, _)| *id).ok()
    }

    /// Writes to these keys, whose stripes must be locked, and releases the locks. Nobody sees a part of it.
    ///
    /// # Panics
    /// Where a stripe is not locked: the engine is poisoned then.
    pub fn write<'w>(self, writes: impl IntoIterator<Item = impl Into<KeyWrite<'w>>>) {
        let mut writing = self.writing();
        for write in writes {
            writing.write(write.into());
        }
        writing.finish();
    }

    /// As [`Commit::write`], for what changes nothing that anybody sees: [`Engine::writes`] does not rise.
    ///
    /// # Panics
    /// As [`Commit::write`].
    pub fn write_uncounted<'w>(self, writes: impl IntoIterator<Item = impl Into<KeyWrite<'w>>>) {
        let past_writes = &self.engine.store.counters.past_writes;
        let mut writing = self.writing();
        for write in writes {
            let counted = writing.write(write.into());
            past_writes.fetch_sub(counted, Relaxed);
        }
        writing.finish();
    }

    /// For writes one by one, which nobody sees before all are done.
    #[inline]
    pub fn writing(self) -> Writing<'a> {
        Writing { commit: self, garbage: SmallVec::new() }
    }
}

/// A commit whose writes are being done: none may be left out any more.
pub struct Writing<'a> {
    commit: Commit<'a>,
    garbage: SmallVec<[(StripeId, Garbage); INLINE_WRITES]>,
}

impl Writing<'_> {
    /// Writes to a key, whose stripe must be locked; by how much [`Engine::writes`] rises.
    ///
    /// # Panics
    /// Where the stripe is not locked: the engine is poisoned then.
    #[inline]
    pub fn write(&mut self, write: KeyWrite<'_>) -> u64 {
        let stripe = write.stripe();
        let place = self.commit.place(stripe).expect("the stripe of a write is locked");
        let held = &mut self.commit.locked[place].1;
        let written = |held: &StripeState| held.tree().map_or(0, |tree| tree.writes);
        let before = written(held);
        self.garbage.push((stripe, self.commit.engine.write_key(held, write)));
        written(held) - before
    }

    /// Releases the locks.
    #[inline]
    pub fn finish(self) {
        let Self { commit, garbage } = self;
        let engine = commit.engine;
        drop(commit);
        for (stripe, garbage) in garbage {
            engine.finish(stripe, garbage);
        }
    }
}

impl Engine {
    /// Waits for the lock of one stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline]
    pub fn lock_stripe(&self, stripe: StripeId) -> Result<OneStripe<'_>> {
        let (held, flags) = self.store.stripe(stripe).write_with_flags(&self.store.mode)?;
        Ok(OneStripe { engine: self, stripe, held, flags })
    }

    /// A commit that holds no lock yet.
    #[inline]
    pub fn begin(&self) -> Commit<'_> {
        Commit { engine: self, locked: SmallVec::new() }
    }

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
        let named = NamedKeys::of(keys);
        let mut commit = self.begin();
        commit.lock(named.0.iter().map(RoutedKey::stripe))?;
        let present = Present { commit };
        let (records, outcome) = decide(&present)?;
        let mut writes = Writes::with_capacity(records.len());
        for record in records {
            let Some(route) = named.route_of(record.key_ref()) else {
                return Err(Error::invalid(format!("a commit wrote a key that it had not named: {record:?}")).into());
            };
            writes.push((route, record));
        }
        present.commit.write(writes);
        Ok(outcome)
    }
}

/// The keys that a commit may write, in the order of their stripes and tags: sorted before the locks are taken, so that
/// each look-up under them is O(log n).
struct NamedKeys<'a>(SmallVec<[RoutedKey<'a>; INLINE_WRITES]>);

impl<'a> NamedKeys<'a> {
    fn of(keys: &[KeyRef<'a>]) -> Self {
        let mut named: SmallVec<_> = keys.iter().copied().map(RoutedKey::from).collect();
        named.sort_unstable_by(order);
        Self(named)
    }

    /// Where this key belongs, if it is named.
    fn route_of(&self, key: KeyRef<'_>) -> Option<Route> {
        let key = RoutedKey::from(key);
        self.0.binary_search_by(|named| order(named, &key)).ok().map(|_| key.route())
    }
}

/// By stripe, tag and key; the tag tells items from index entries.
fn order(key: &RoutedKey<'_>, other: &RoutedKey<'_>) -> Ordering {
    #[cfg(test)]
    tests::COMPARISONS.with(|count| count.set(count.get() + 1));
    let by_route = (key.stripe(), key.route().tag).cmp(&(other.stripe(), other.route().tag));
    by_route.then_with(|| (key.key().pk(), key.key().sk()).cmp(&(other.key().pk(), other.key().sk())))
}

/// The present items, under the locks of a [`Engine::commit`].
pub struct Present<'a> {
    commit: Commit<'a>,
}

impl Present<'_> {
    /// The item of this key; none, too, where the commit did not name a key of its stripe.
    pub fn get(&self, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.commit.get(&key.into())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::engine::EngineOptions;

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
        let entry = KeyRef::index_entry(b"\0\x01a", b"s").expect("valid");
        let other = KeyRef::new(b"b", b"").expect("valid");
        for copies in [1, 4] {
            let named = NamedKeys::of(&[vec![key; copies], vec![other]].concat());
            assert_eq!(named.route_of(key), Some(key.route()));
            assert_eq!(named.route_of(entry), None);
            assert_eq!(named.route_of(KeyRef::new(b"b", b"s").expect("valid")), None);
        }
    }

    /// A commit waits for the locks of its keys and takes what it needs beyond them only where it is free: of two that
    /// want each other's stripes none waits for ever, and one that gives up has changed nothing.
    #[test]
    fn what_is_locked_out_of_order_is_tried_alone() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let names: Vec<[u8; 1]> = (0..8).map(|name| [name]).collect();
        let mut keys: Vec<RoutedKey<'_>> =
            names.iter().map(|name| KeyRef::new(name, b"").expect("valid").into()).collect();
        keys.sort_by_key(RoutedKey::stripe);
        let (low, high) = (keys[0], keys[7]);
        let mut first = engine.begin();
        first.lock([high.stripe()].into_iter()).expect("locked");
        assert!(first.try_lock(high.stripe()).expect("sound"), "what is locked is");
        let mut second = engine.begin();
        second.lock([low.stripe()].into_iter()).expect("locked");
        assert!(!second.try_lock(high.stripe()).expect("sound"));
        assert!(!first.try_lock(low.stripe()).expect("sound"));
        drop(second);
        assert!(first.try_lock(low.stripe()).expect("sound"), "below what is held");
        let put = |key: &RoutedKey<'_>| (key.route(), Record::put_pieces(key, &[b"", b""]));
        first.write([put(&high), put(&low)]);
        assert_eq!(engine.stats().expect("counted").items, 2);
        assert!(engine.get(low.key()).expect("sound").is_some() && engine.get(high.key()).expect("sound").is_some());
    }

    #[test]
    fn a_commit_locks_each_stripe_once_whatever_the_order_of_its_keys() {
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let names: Vec<[u8; 2]> = (0..600_u16).map(u16::to_be_bytes).collect();
        let keys: Vec<RoutedKey<'_>> =
            names.iter().rev().map(|name| KeyRef::new(name, b"").expect("valid").into()).collect();
        let mut commit = engine.begin();
        commit.lock(keys.iter().map(RoutedKey::stripe)).expect("locked");
        assert!(commit.locked.is_sorted_by(|a, b| a.0 < b.0));
        commit.write(keys.iter().map(|key| (key.route(), Record::put_pieces(key, &[]))));
        assert_eq!(engine.stats().expect("counted").items, 600);
    }
}
