//! Memory that became free: whoever brings an allocator along is told when there is much of it.
//!
//! Allocators give memory back bit by bit and while they are used; a program that deleted everything may have no use for
//! one any more.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So much is much, …
const MUCH_BYTES: usize = 32 << 20;
/// … and so much where nothing else is left.
const MUCH_OF_ALL_BYTES: usize = 1 << 20;

static GIVE_BACK: OnceLock<fn()> = OnceLock::new();

/// Has this function called, by the thread that freed it, when much memory became free; no lock is held then. To be set
/// once in a process, later ones are not called.
pub fn when_much_is_freed(give_back: fn()) {
    // The first one stays.
    let _is_set = GIVE_BACK.set(give_back);
}

/// What an engine has freed.
#[derive(Default)]
pub(crate) struct Freed {
    /// Bytes since memory was given back.
    recently: AtomicUsize,
    /// Bytes since that was done because nothing was left.
    since_empty: AtomicUsize,
}

impl Freed {
    /// Notes bytes that were freed; `is_empty` says whether nothing is left, and is asked only where that decides.
    #[cold]
    pub(crate) fn note(&self, bytes: usize, is_empty: impl FnOnce() -> bool) {
        let recently = self.recently.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let since_empty = self.since_empty.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let nothing_is_left = since_empty >= MUCH_OF_ALL_BYTES && is_empty();
        if !nothing_is_left && recently < MUCH_BYTES {
            return;
        }
        self.recently.store(0, Ordering::Relaxed);
        if nothing_is_left {
            self.since_empty.store(0, Ordering::Relaxed);
        }
        if let Some(give_back) = GIVE_BACK.get() {
            give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Engine, EngineOptions};
    use crate::key::KeyRef;

    thread_local! {
        /// The thread that freed it calls: other tests run on others.
        static CALLS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[test]
    fn memory_is_given_back_when_much_is_freed_and_when_all_is() {
        when_much_is_freed(|| CALLS.set(CALLS.get() + 1));
        let engine = Engine::new(EngineOptions::default()).expect("created");
        let names: Vec<[u8; 2]> = (0..3000_u16).map(u16::to_be_bytes).collect();
        let write = |put: bool, names: &[[u8; 2]]| {
            for name in names {
                let key = KeyRef::new(name, b"").expect("valid key");
                if put { engine.put(key, &[0; 1000]) } else { engine.delete(key) }.expect("written");
            }
            CALLS.get()
        };
        assert_eq!(write(true, &names), 0);
        assert_eq!(write(false, &names[1..]), 0, "there is something left");
        assert_eq!(write(false, &names[..1]), 1);
        assert_eq!((write(true, &names[..9]), write(false, &names[..9])), (1, 1), "that is not much");
        for _ in 0..12 {
            write(true, &names);
            write(false, &names[1..]);
        }
        assert_eq!(CALLS.get(), 2, "36 MB");
    }
}
