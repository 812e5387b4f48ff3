//! The thread that merges SSTs for the writers, where an option asks for it.
//!
//! ```text
//! writer   flush ─► "stripe 42 has SSTs to merge" ─► goes on
//! thread            begin: which SSTs (lock) ─► merge (no lock) ─► end: in their place, if they are still there (lock)
//! ```
//!
//! A writer still merges by itself what is newer than what this thread is at, where it gets far ahead, and everything
//! where that hides much of what is older: so SSTs stay few and memory bounded. The thread stops with the
//! engine, after the merge that it is at. A child process (`fork`) has no such thread: there writers merge what has
//! piled up.
//!
//! # Thread safety
//! The list of work has a lock of its own, which nobody holds while taking a stripe's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use parking_lot::{Condvar, Mutex};

use super::store::Store;
use crate::error::{Error, Reason, Result};
use crate::key::StripeId;
use crate::poison_lock::PoisonOnPanic;
use crate::raw::signals::with_signals_blocked;
use crate::tree::Work;

pub(super) struct Compactor {
    list: Arc<List>,
    thread: Option<JoinHandle<()>>,
    /// The process that the thread belongs to.
    process: u32,
}

#[derive(Default)]
struct List {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    work: BTreeMap<StripeId, Work>,
    stopping: bool,
}

impl Compactor {
    pub(super) fn start(store: Arc<Store>) -> Result<Self> {
        let list = Arc::new(List::default());
        let its_list = Arc::clone(&list);
        let run = move || {
            while let Some((stripe, work)) = its_list.next() {
                // Poisoned: nothing is to be gained any more.
                if store.merge_all_of(stripe, work).is_err() {
                    return;
                }
            }
        };
        // A thread inherits the mask: the signals of the host are for threads of the host.
        let thread = with_signals_blocked(|| Builder::new().name("kstone-compact".into()).spawn(run))
            .map_err(|error| Error::from(Reason::NoThread { error: error.to_string().into() }))?;
        Ok(Self { list, thread: Some(thread), process: std::process::id() })
    }

    /// Whether this is the process that the thread was started in, and not a child of it.
    fn is_at_home(&self) -> bool {
        std::process::id() == self.process
    }

    /// Notes what is to be done.
    pub(super) fn add(&self, stripe: StripeId, work: Work) {
        if !self.is_at_home() {
            return;
        }
        let mut state = self.list.state.lock();
        let noted = state.work.entry(stripe).or_insert(work);
        *noted = work.max(*noted);
        self.list.changed.notify_one();
    }
}

impl List {
    /// Waits for work; none when it is time to stop.
    fn next(&self) -> Option<(StripeId, Work)> {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return None;
            }
            if let Some(first) = state.work.pop_first() {
                return Some(first);
            }
            self.changed.wait(&mut state);
        }
    }
}

impl Drop for Compactor {
    fn drop(&mut self) {
        if !self.is_at_home() {
            // There is nobody to wait for, and the thread may have held the list's lock in the moment of the fork.
            std::mem::forget(self.thread.take());
            return;
        }
        self.list.state.lock().stopping = true;
        self.list.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // It ends by a panic only where it has poisoned the engine, which every call says.
            let _ended = thread.join();
        }
    }
}

impl Store {
    fn merge_all_of(&self, stripe: StripeId, work: Work) -> Result<()> {
        // The thread would be gone, and its work with it.
        let _poison = PoisonOnPanic::new(&self.mode);
        loop {
            let begun = self.change_tree(stripe, |tree, stripe, garbage| tree.begin_merge(work, stripe, garbage))?;
            let Some(merging) = begun.flatten() else { return Ok(()) };
            let merged = merging.merge();
            let ended = self.change_tree(stripe, |tree, _, garbage| tree.end_merge(&merging, merged, garbage))?;
            // A writer merged by itself meanwhile, or it was all that there was to do.
            if ended != Some(true) || work == Work::All {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_done_for_a_stripe_is_the_most_that_anyone_asked_for() {
        let compactor = Compactor { list: Arc::default(), thread: None, process: std::process::id() };
        let stripes: Vec<StripeId> = StripeId::all().collect();
        for (stripe, work) in [(1, Work::Some), (0, Work::All), (1, Work::All), (0, Work::Some)] {
            compactor.add(stripes[stripe], work);
        }
        for stripe in &stripes[..2] {
            assert_eq!(compactor.list.next(), Some((*stripe, Work::All)));
        }
        compactor.list.state.lock().stopping = true;
        compactor.add(stripes[0], Work::All);
        assert_eq!(compactor.list.next(), None, "it stops whatever is left to do");
    }
}
