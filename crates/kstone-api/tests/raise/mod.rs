//! The end of a test with threads, also where an assertion fails: then the test fails, and does not wait for ever.

use std::sync::atomic::{AtomicBool, Ordering};

/// Raises the flag that others wait for when it is dropped.
pub(crate) struct Raise<'a>(pub(crate) &'a AtomicBool);

impl Drop for Raise<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
