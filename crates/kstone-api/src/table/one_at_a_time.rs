//! A lock around what is done one at a time: configuring, forking, loading, changes of an account's tables.
//!
//! A load calls back into its caller's code, which may ask the same database for one of them again. That would wait for
//! itself; here it is refused.
//!
//! Thread safety: any thread.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, MutexGuard};

use crate::error::{Error, Reason, Result};

/// The lock, and the thread that has it.
#[derive(Default)]
pub(crate) struct OneAtATime {
    lock: Mutex<()>,
    /// [`this_thread`] of the holder; 0 where there is none.
    holder: AtomicUsize,
}

/// The right to go on, until it is dropped.
pub(crate) struct Turn<'a> {
    holder: &'a AtomicUsize,
    _guard: MutexGuard<'a, ()>,
}

impl OneAtATime {
    /// Waits for the turn of this thread.
    ///
    /// # Errors
    /// [`Error::Invalid`] for this reason where this thread has it already.
    pub(crate) fn enter(&self, busy: Reason) -> Result<Turn<'_>> {
        // Only this thread can have written its own number, so there is no race to see it.
        if self.holder.load(Ordering::Relaxed) == this_thread() {
            return Err(Error::from(busy));
        }
        let guard = self.lock.lock();
        self.holder.store(this_thread(), Ordering::Relaxed);
        Ok(Turn { holder: &self.holder, _guard: guard })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.holder.store(0, Ordering::Relaxed);
    }
}

/// A number that no other live thread has: the address of something of its own. (Asking the standard library would
/// allocate for a thread that it did not start.)
fn this_thread() -> usize {
    thread_local! {
        static OWN: u8 = const { 0 };
    }
    OWN.try_with(|own| std::ptr::from_ref(own).addr()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_turn_of_one_thread_is_refused_and_another_thread_waits() {
        let one = OneAtATime::default();
        let turn = one.enter(Reason::Busy).expect("free");
        assert!(one.enter(Reason::Busy).is_err());
        std::thread::scope(|scope| {
            let other = scope.spawn(|| one.enter(Reason::Busy).map(drop).is_ok());
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert!(!other.is_finished(), "it waits");
            drop(turn);
            assert!(other.join().expect("joined"));
        });
        assert!(one.enter(Reason::Busy).is_ok());
    }
}
