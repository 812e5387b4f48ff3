//! The commit: deciding and writing under the locks of several stripes, as one. They may be of several engines.
//!
//! ```text
//! lock the stripes of all keys, ascending ─► look, decide ─► lock more, if they are free ─► write ─► unlock
//! ```
//! Which stripes a write needs may depend on the items that are there, as with index entries. Waiting for such a lock
//! out of its order could be waiting for each other; trying to take it never is. Where it is not free nothing was
//! written yet: the caller gives up its locks and takes all of them in their order.
//!
//! Nothing is allocated for up to [`INLINE_WRITES`] stripes and records. A write that needs one stripe is
//! [`OneStripe`](super::OneStripe), which has no lists.

use std::sync::atomic::Ordering::Relaxed;

use smallvec::SmallVec;

use super::Engine;
use super::lock_place::{LockPlace, check_ordinals};
use crate::error::Result;
use crate::key::{Route, RoutedKey, StripeId, StripeSet};
use crate::mode::Flags;
use crate::record::{Lent, Record};
use crate::stripe::WriteGuard;
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

/// Stripes that are locked for a write, and the records that are there. Nothing is written before [`Commit::write`] or
/// [`Commit::writing`] is called; nothing fails from then on.
///
/// ```
/// use kstone_core::engine::{Commit, Engine, EngineOptions, EngineOrdinal};
/// use kstone_core::{key::KeyRef, key::RoutedKey, record::Record};
/// let engine = |number| {
///     Engine::new(EngineOptions { ordinal: EngineOrdinal(number), ..EngineOptions::default() })
/// };
/// let (accounts, log) = (engine(1)?, engine(2)?);
/// let key = RoutedKey::from(KeyRef::new(b"a", b"")?);
/// let mut commit = Commit::new();
/// commit.lock([(&accounts, key.stripe()), (&log, key.stripe())].into_iter())?;
/// if commit.get(&accounts, &key).is_none() {
///     let record = Record::put_pieces(&key, &[]);
///     let mut writing = commit.writing();
///     writing.write(&accounts, (key.route(), record.clone()).into());
///     writing.write(&log, (key.route(), record).into());
///     writing.finish();
/// }
/// assert!(accounts.get(key.key())?.is_some() && log.get(key.key())?.is_some());
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Default)]
pub struct Commit<'a> {
    /// Ascending.
    locked: SmallVec<[Locked<'a>; INLINE_WRITES]>,
}

/// A stripe that is locked.
pub(super) struct Locked<'a> {
    pub(super) place: LockPlace,
    pub(super) engine: &'a Engine,
    pub(super) held: WriteGuard<'a>,
}

impl<'a> Commit<'a> {
    /// A commit that holds no lock yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A commit that holds this lock.
    #[inline]
    pub(super) fn of(locked: Locked<'a>) -> Self {
        let mut commit = Self::new();
        commit.locked.push(locked);
        commit
    }

    /// Waits for the locks of these stripes, each once, in their order. To be called once.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned) and [`Error::Closed`](crate::Error::Closed) of any of the engines;
    /// [`Error::Invalid`](crate::Error::Invalid) where two engines have one ordinal.
    #[inline]
    pub fn lock(&mut self, stripes: impl Iterator<Item = (&'a Engine, StripeId)>) -> Result<()> {
        debug_assert!(self.locked.is_empty(), "waiting for a lock while others are held");
        let mut wanted: SmallVec<[(LockPlace, &'a Engine); 2 * INLINE_WRITES]> =
            stripes.map(|(engine, stripe)| (engine.lock_place(stripe), engine)).collect();
        wanted.sort_unstable_by_key(|(place, _)| *place);
        check_ordinals(wanted.iter().map(|(_, engine)| *engine))?;
        wanted.dedup_by_key(|(place, _)| *place);
        for (place, engine) in wanted {
            self.locked.push(Locked { place, engine, held: engine.store.write(place.stripe())? });
        }
        if self.locked.iter().any(|locked| locked.engine.store.mode.flags().has(Flags::AWAITED)) {
            self.lock_beyond_views()?;
        }
        Ok(())
    }

    /// Takes the views that are awaited of the engines whose stripes are locked, and locks these again.
    #[cold]
    #[inline(never)]
    fn lock_beyond_views(&mut self) -> Result<()> {
        let wanted: Vec<(LockPlace, &'a Engine)> =
            self.locked.drain(..).map(|locked| (locked.place, locked.engine)).collect();
        for of_engine in wanted.chunk_by(|(_, one), (_, other)| std::ptr::eq(*one, *other)) {
            let engine = of_engine[0].1;
            let mut stripes = StripeSet::default();
            of_engine.iter().for_each(|(place, _)| stripes.add(place.stripe()));
            let locked = engine.store.lock_beyond_views(&stripes)?.into_iter();
            let locked = locked.map(|(stripe, held)| Locked { place: engine.lock_place(stripe), engine, held });
            self.locked.extend(locked);
        }
        Ok(())
    }

    /// Locks one stripe more, where that takes no waiting; whether it is locked now.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned), [`Error::Closed`](crate::Error::Closed).
    #[inline]
    pub fn try_lock(&mut self, engine: &'a Engine, stripe: StripeId) -> Result<bool> {
        let place = engine.lock_place(stripe);
        let Err(at) = self.find(place) else { return Ok(true) };
        let Some(held) = engine.store.try_write(stripe)? else { return Ok(false) };
        self.locked.insert(at, Locked { place, engine, held });
        Ok(true)
    }

    /// The record of this key; none, too, where its stripe is not locked.
    #[inline]
    pub fn get(&self, engine: &Engine, key: &RoutedKey<'_>) -> Option<Lent<'_>> {
        let at = self.find(engine.lock_place(key.stripe())).ok()?;
        self.locked[at].held.tree()?.get(key.route(), key.key())
    }

    #[inline]
    fn find(&self, place: LockPlace) -> std::result::Result<usize, usize> {
        self.locked.binary_search_by_key(&place, |locked| locked.place)
    }

    /// Writes to these keys of an engine, whose stripes must be locked, and releases the locks. Nobody sees a part of it.
    ///
    /// # Panics
    /// Where a stripe is not locked: the engine is poisoned then.
    pub fn write<'w>(self, engine: &Engine, writes: impl IntoIterator<Item = impl Into<KeyWrite<'w>>>) {
        let mut writing = self.writing();
        for write in writes {
            writing.write(engine, write.into());
        }
        writing.finish();
    }

    /// As [`Commit::write`], for what changes nothing that anybody sees: [`Engine::writes`] does not rise.
    ///
    /// # Panics
    /// As [`Commit::write`].
    pub fn write_uncounted<'w>(self, engine: &Engine, writes: impl IntoIterator<Item = impl Into<KeyWrite<'w>>>) {
        let mut writing = self.writing();
        let before = writing.commit.written();
        for write in writes {
            writing.write(engine, write.into());
        }
        engine.store.counters.past_writes.fetch_sub(writing.commit.written() - before, Relaxed);
        writing.finish();
    }

    /// How many writes the stripes that are locked have had.
    fn written(&self) -> u64 {
        self.locked.iter().filter_map(|locked| locked.held.tree()).map(|tree| tree.writes).sum()
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
    garbage: SmallVec<[(&'a Engine, StripeId, Garbage); INLINE_WRITES]>,
}

impl Writing<'_> {
    /// Writes to a key, whose stripe must be locked.
    ///
    /// # Panics
    /// Where the stripe is not locked: the engines are poisoned then.
    #[inline]
    pub fn write(&mut self, engine: &Engine, write: KeyWrite<'_>) {
        let stripe = write.stripe();
        let at = self.commit.find(engine.lock_place(stripe)).expect("the stripe of a write is locked");
        let Locked { engine, held, .. } = &mut self.commit.locked[at];
        let garbage = engine.write_key(held, write);
        if !garbage.is_empty() {
            self.garbage.push((engine, stripe, garbage));
        }
    }

    /// Releases the locks.
    #[inline]
    pub fn finish(self) {
        let Self { commit, garbage } = self;
        drop(commit);
        for (engine, stripe, garbage) in garbage {
            engine.finish(stripe, garbage);
        }
    }
}

#[cfg(test)]
mod tests;
