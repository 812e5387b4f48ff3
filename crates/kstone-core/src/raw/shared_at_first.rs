//! A value that many share until one of them needs its own, which it then keeps.
//!
//! A look costs one load, as that of a box does, whether the value is shared or not.
//!
//! # Invariants
//! The address is that of the shared value, or of a box that belongs to this; it changes once, from the one to the other.
//!
//! # Thread safety
//! As a `OnceLock`'s: whoever finds the value of its own finds it as it was when it was set.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// See the module.
pub(crate) struct SharedAtFirst<T: 'static> {
    address: AtomicPtr<T>,
    shared: &'static T,
}

// SAFETY: it holds a `&'static T` and, perhaps, a `Box<T>`, which may be sent where `T` is `Sync` and `Send`.
unsafe impl<T: Send + Sync> Send for SharedAtFirst<T> {}
// SAFETY: as a `&'static T`'s and a `OnceLock<Box<T>>`'s.
unsafe impl<T: Send + Sync> Sync for SharedAtFirst<T> {}

impl<T> SharedAtFirst<T> {
    pub(crate) fn new(shared: &'static T) -> Self {
        Self { address: AtomicPtr::new(ptr::from_ref(shared).cast_mut()), shared }
    }

    /// The value: its own, where it has one by now.
    #[inline(always)]
    pub(crate) fn get(&self) -> &T {
        let address = self.address.load(Ordering::Acquire);
        // SAFETY: it is the address of a static, or of a box that is there until this is dropped; nobody changes either.
        unsafe { &*address }
    }

    /// Whether this is the shared value.
    #[inline(always)]
    pub(crate) fn is_shared(&self, value: &T) -> bool {
        ptr::eq(value, self.shared)
    }

    /// Gives it a value of its own, where it has none yet.
    pub(crate) fn set(&self, own: Box<T>) {
        let own = Box::into_raw(own);
        let shared = ptr::from_ref(self.shared).cast_mut();
        if self.address.compare_exchange(shared, own, Ordering::AcqRel, Ordering::Acquire).is_err() {
            // SAFETY: it was a box a moment ago, and nobody else has seen it.
            drop(unsafe { Box::from_raw(own) });
        }
    }
}

impl<T> Drop for SharedAtFirst<T> {
    fn drop(&mut self) {
        let address = *self.address.get_mut();
        if !ptr::eq(address, self.shared) {
            // SAFETY: what is not shared was a box, and nobody borrows it any more.
            drop(unsafe { Box::from_raw(address) });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    static SHARED: (u32, Option<Arc<()>>) = (7, None);

    #[test]
    fn one_of_several_values_is_kept_and_all_are_dropped_once() {
        let counted = Arc::new(());
        let value = SharedAtFirst::new(&SHARED);
        assert!(value.get().0 == 7 && value.is_shared(value.get()));
        thread::scope(|scope| {
            for own in 10..14 {
                let (value, counted) = (&value, Arc::clone(&counted));
                scope.spawn(move || {
                    value.set(Box::new((own, Some(counted))));
                    assert!(value.get().0 >= 10 && !value.is_shared(value.get()));
                });
            }
        });
        let kept = value.get().0;
        value.set(Box::new((99, Some(Arc::clone(&counted)))));
        assert_eq!((value.get().0, Arc::strong_count(&counted)), (kept, 2));
        drop(value);
        assert_eq!(Arc::strong_count(&counted), 1);
        drop(SharedAtFirst::new(&SHARED));
        assert_eq!(SHARED.0, 7);
    }
}
