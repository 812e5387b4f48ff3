//! `pthread_cancel`: a thread is not cancelled while it is inside of the library.
//!
//! A cancelled thread unwinds from where it is, which Rust's frames do not take: the process would end. That can happen
//! at a cancellation point of the C library's (files, random numbers for a hash table, waiting for a thread), so every
//! function that comes to one holds an [`Uncancelled`]. The others come to none, and pay for nothing.
//!
//! # Thread safety
//! The state is its thread's.

use std::ffi::c_int;
use std::marker::PhantomData;

/// Puts off the cancellation of this thread for as long as it lives. The request is kept: the program's next
/// cancellation point finds it.
pub(crate) struct Uncancelled {
    before: c_int,
    /// It may not go to another thread.
    _its_thread: PhantomData<*const ()>,
}

impl Uncancelled {
    /// Cancellation is off from here.
    pub(crate) fn new() -> Self {
        Self { before: set_state(PTHREAD_CANCEL_DISABLE), _its_thread: PhantomData }
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        set_state(self.before);
    }
}

const PTHREAD_CANCEL_DISABLE: c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

/// Sets the thread's state; what it was before.
#[cfg(all(unix, not(target_os = "android")))]
fn set_state(state: c_int) -> c_int {
    unsafe extern "C" {
        // The libc crate has it for few systems.
        fn pthread_setcancelstate(state: c_int, before: *mut c_int) -> c_int;
    }
    let mut before = state;
    // SAFETY: the state is one that the C library knows, and `before` may be written.
    unsafe { pthread_setcancelstate(state, &raw mut before) };
    before
}

/// Threads cannot be cancelled here.
#[cfg(not(all(unix, not(target_os = "android"))))]
fn set_state(state: c_int) -> c_int {
    state
}
