//! The signals that a thread blocks.

/// Runs this with all signals blocked, which a thread that it starts inherits; afterwards the mask is what it was.
#[cfg(unix)]
pub(crate) fn with_signals_blocked<T>(run: impl FnOnce() -> T) -> T {
    use std::mem::MaybeUninit;

    /// Restores the mask, also where `run` panics.
    struct Restore(libc::sigset_t);

    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: the set is one that the C library filled; the old mask is not asked for.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
        }
    }

    let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: `sigfillset` initialises `all`.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: `all` is initialised, and `before` has the type that is written there.
    let refused = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, all.as_ptr(), before.as_mut_ptr()) };
    // It refuses an unknown way of changing the mask only, and SIG_BLOCK is known.
    assert_eq!(refused, 0, "SIG_BLOCK is a way of changing the mask");
    // SAFETY: the call that has succeeded wrote the mask there.
    let _restore = Restore(unsafe { before.assume_init() });
    run()
}

#[cfg(not(unix))]
pub(crate) fn with_signals_blocked<T>(run: impl FnOnce() -> T) -> T {
    run()
}
