//! A value that several share by count, such as the tree of a stripe, its forks and iterators.
//!
//! This is an `Arc` whose users also say with an atomic of their own when they are done. `Arc` orders its last drop
//! behind the others with a fence, which is right, but ThreadSanitizer knows no fences: where a merge later takes the
//! records out of an SST that nobody else holds any more, it would see a race with an iterator that read them long ago.
//!
//! Thread safety: as `Arc`.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::raw::counted::prefetch;

/// See the module.
pub(crate) struct Shared<T>(Arc<Inner<T>>);

struct Inner<T> {
    value: T,
    /// Whether any user has released it; what counts is the order that this makes.
    released: AtomicBool,
}

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new(Inner { value, released: AtomicBool::new(false) }))
    }

    /// The value, to be changed; none while somebody else shares it.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        // Not try_unwrap, which orders with a fence.
        Arc::get_mut(&mut self.0).map(|inner| &mut inner.value)
    }
}

impl<T> Shared<T> {
    /// Asks for the memory of the count ahead of its use; never needed for correctness.
    #[inline]
    pub(crate) fn prefetch(&self) {
        // `Arc` keeps its two counts before what they count.
        prefetch(Arc::as_ptr(&self.0).cast::<u8>().wrapping_sub(2 * size_of::<usize>()));
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        self.0.released.swap(true, Ordering::Release);
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        self.released.load(Ordering::Acquire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_user_may_change_what_is_shared() {
        let mut one = Shared::new(1);
        assert!(one.get_mut().is_some());
        let other = one.clone();
        assert!(one.get_mut().is_none());
        assert!(std::ptr::eq(&*one, &*other));
        drop(other);
        assert!(one.get_mut().is_some());
    }
}
