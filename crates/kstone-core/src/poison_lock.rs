//! A lock that refuses once a writer has panicked while it held one of its kind.
//!
//! ```text
//! writer A   ── holds the lock ── panics: poisons ── releases
//! writer B        waits for the lock ················ holds it: is it poisoned? ── yes: an error, nothing is changed
//! ```
//!
//! # Invariants
//! - Poison is looked at when the lock is held and set before it is released, so nobody sees what a panic left half
//!   changed.
//! - Only a panic that begins while the lock is held poisons: a write in a destructor that runs during somebody else's
//!   panic is a write like any other.
//!
//! # Thread safety
//! As a lock's. All locks of one engine share one [`Mode`].

use std::ops::{Deref, DerefMut};
use std::thread::panicking;

use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::mode::{Flags, Mode};

/// Poisons where a panic begins while this is kept.
pub(crate) struct PoisonOnPanic<'a> {
    mode: &'a Mode,
    was_panicking: bool,
}

impl<'a> PoisonOnPanic<'a> {
    /// For work that must not end half-way, with or without a lock.
    #[inline]
    pub(crate) fn new(mode: &'a Mode) -> Self {
        Self { mode, was_panicking: panicking() }
    }
}

impl Drop for PoisonOnPanic<'_> {
    #[inline]
    fn drop(&mut self) {
        if panicking() && !self.was_panicking {
            self.mode.set(Flags::POISONED, true);
        }
    }
}

/// See the module.
#[derive(Default)]
pub(crate) struct PoisonLock<T>(RwLock<T>);

pub(crate) type ReadGuard<'a, T> = RwLockReadGuard<'a, T>;

/// Exclusive access, which poisons where it ends by a panic.
pub(crate) struct WriteGuard<'a, T> {
    // Before the lock: fields are dropped in their order.
    _poison: PoisonOnPanic<'a>,
    guard: RwLockWriteGuard<'a, T>,
}

impl<T> PoisonLock<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(RwLock::new(value))
    }

    /// Shared access that is never given up: nobody gets exclusive access any more.
    pub(crate) fn read_for_good(&'static self) {
        std::mem::forget(self.0.read());
    }

    /// Shared access.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline]
    pub(crate) fn read<'a>(&'a self, mode: &Mode) -> Result<ReadGuard<'a, T>> {
        let (guard, flags) = self.read_with_flags(mode);
        flags.check()?;
        Ok(guard)
    }

    /// Shared access, also to what is poisoned, and what the flags are under the lock.
    #[inline(always)]
    pub(crate) fn read_with_flags<'a>(&'a self, mode: &Mode) -> (ReadGuard<'a, T>, Flags) {
        let guard = self.0.read();
        let flags = mode.flags();
        (guard, flags)
    }

    /// Exclusive access.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline]
    pub(crate) fn write<'a>(&'a self, mode: &'a Mode) -> Result<WriteGuard<'a, T>> {
        self.write_with_flags(mode).map(|(guard, _)| guard)
    }

    /// Exclusive access, and what the flags are under the lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline]
    pub(crate) fn write_with_flags<'a>(&'a self, mode: &'a Mode) -> Result<(WriteGuard<'a, T>, Flags)> {
        let guard = self.0.write();
        let flags = mode.flags();
        flags.check()?;
        Ok((WriteGuard { _poison: PoisonOnPanic::new(mode), guard }, flags))
    }

    /// The same where that is to be had at once.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub(crate) fn try_write_with_flags<'a>(&'a self, mode: &'a Mode) -> Result<Option<(WriteGuard<'a, T>, Flags)>> {
        let Some(guard) = self.0.try_write() else { return Ok(None) };
        let flags = mode.flags();
        flags.check()?;
        Ok(Some((WriteGuard { _poison: PoisonOnPanic::new(mode), guard }, flags)))
    }

    /// Access without a lock, where nobody else has any.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut()
    }
}

impl<'a, T> WriteGuard<'a, T> {
    /// Shared access from here on; no other writer comes in between.
    pub(crate) fn downgrade(self) -> ReadGuard<'a, T> {
        RwLockWriteGuard::downgrade(self.guard)
    }
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc::channel;

    use super::*;
    use crate::error::Error;

    #[test]
    fn a_panic_under_the_lock_poisons_every_lock_of_the_poison() {
        let (poison, one, other) = (Mode::default(), PoisonLock::new(1), PoisonLock::new(2));
        let read = catch_unwind(AssertUnwindSafe(|| {
            let _reading = one.read(&poison);
            panic!("a reader changes nothing");
        }));
        assert!(read.is_err() && *one.read(&poison).expect("not poisoned") == 1);
        let written = catch_unwind(AssertUnwindSafe(|| {
            *one.write(&poison).expect("not poisoned") = 3;
            let _writing = one.write(&poison);
            panic!("half changed");
        }));
        assert!(written.is_err());
        for lock in [&one, &other] {
            assert_eq!(lock.read(&poison).err(), Some(Error::Poisoned));
            assert_eq!(lock.write(&poison).err(), Some(Error::Poisoned));
        }
    }

    /// The writer has found the database sound and waits for the lock when the panic comes.
    #[test]
    fn a_writer_that_waited_during_the_panic_is_refused() {
        let (poison, lock) = (Mode::default(), PoisonLock::new(0));
        let (arrived, arrivals) = channel();
        std::thread::scope(|scope| {
            let (poison, lock) = (&poison, &lock);
            let holder = scope.spawn(move || {
                let panicked = catch_unwind(AssertUnwindSafe(|| {
                    let mut half_changed = lock.write(poison).expect("not poisoned");
                    *half_changed = 1;
                    arrivals.recv().expect("the other writer is about to wait");
                    panic!("half changed");
                }));
                assert!(panicked.is_err());
            });
            while !lock.0.is_locked() {
                std::thread::yield_now();
            }
            assert_eq!(poison.flags().check(), Ok(()), "nothing has happened yet");
            arrived.send(()).expect("the holder waits");
            // Gets the lock from the panicking holder, or comes just after it: the answer is the same.
            assert_eq!(lock.write(poison).err(), Some(Error::Poisoned));
            holder.join().expect("caught");
        });
    }

    #[test]
    fn a_write_in_a_destructor_during_another_panic_poisons_nothing() {
        struct WritesWhenDropped<'a>(&'a Mode, &'a PoisonLock<u32>);
        impl Drop for WritesWhenDropped<'_> {
            fn drop(&mut self) {
                *self.1.write(self.0).expect("not poisoned") += 1;
            }
        }
        let (poison, lock) = (Mode::default(), PoisonLock::new(0));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _writes = WritesWhenDropped(&poison, &lock);
            panic!("of somebody else");
        }));
        assert!(panicked.is_err());
        assert_eq!(*lock.read(&poison).expect("not poisoned"), 1);
    }
}
