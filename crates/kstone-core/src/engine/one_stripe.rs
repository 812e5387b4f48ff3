//! The simplest commit: one stripe, locked for a write.

use super::Engine;
use super::commit::{Commit, KeyWrite, Locked};
use super::write::is_unwatched;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, RoutedKey, StripeId};
use crate::mode::Flags;
use crate::record::Lent;
use crate::stripe::WriteGuard;

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
    /// Whether a write of this key concerns more than its record, or is none of this engine's layout: see
    /// [`Engine::watch`].
    #[inline]
    pub fn is_watched(&self, key: KeyRef<'_>) -> bool {
        !is_unwatched(self.flags, key)
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
    #[inline]
    pub fn into_commit(self) -> Commit<'a> {
        let Self { engine, stripe, held, .. } = self;
        Commit::of(Locked { place: engine.lock_place(stripe), engine, held })
    }
}

impl Engine {
    /// Waits for the lock of one stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`], [`Error::Closed`].
    #[inline]
    pub fn lock_stripe(&self, stripe: StripeId) -> Result<OneStripe<'_>> {
        let (held, flags) = self.store.write_beyond_views(stripe)?;
        Ok(OneStripe { engine: self, stripe, held, flags })
    }
}
