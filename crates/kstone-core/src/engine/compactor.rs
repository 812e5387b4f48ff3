//! The thread that merges SSTs for the writers, where an option asks for it.
//!
//! ```text
//! writer   flush ─► "stripe 42 has SSTs to merge" ─► goes on
//! thread            begin: which SSTs (lock) ─► merge (no lock) ─► end: in their place, if they are still there (lock)
//! ```
//!
//! A writer still merges by itself what is newer than what this thread is at, where it gets far ahead, and everything
//! where that hides much of what is older: so SSTs stay few and memory bounded. One thread works for all engines of a
//! [group](super::EngineGroup), and stops with the last of them, after the merge that it is at; an engine that is dropped
//! waits for a merge of its own. A child process (`fork`) has no such thread: there writers merge what has piled up.
//!
//! # Thread safety
//! The list of work has a lock of its own, which nobody holds while taking a stripe's.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
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
    /// There is more to do, or nothing any more.
    changed: Condvar,
    /// The thread has done with a stripe.
    done: Condvar,
}

#[derive(Default)]
struct State {
    work: BTreeMap<(StoreId, StripeId), (Weak<Store>, Work)>,
    /// Whose stripe the thread is at.
    at: Option<StoreId>,
    stopping: bool,
}

/// Tells the stores of a list apart: an address, which none other gets as long as there is work of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct StoreId(usize);

impl StoreId {
    fn of(store: &Arc<Store>) -> Self {
        Self(Arc::as_ptr(store).addr())
    }
}

impl Compactor {
    pub(super) fn start() -> Result<Self> {
        let list = Arc::new(List::default());
        let its_list = Arc::clone(&list);
        let run = move || {
            while let Some((store, stripe, work)) = its_list.next() {
                // Poisoned by that, or before: every call of that engine says so, and the others go on.
                let _ended = catch_unwind(AssertUnwindSafe(|| store.merge_all_of(stripe, work)));
                drop(store);
                its_list.note_done();
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
    pub(super) fn add(&self, store: &Arc<Store>, stripe: StripeId, work: Work) {
        if !self.is_at_home() {
            return;
        }
        let mut state = self.list.state.lock();
        let noted = state.work.entry((StoreId::of(store), stripe)).or_insert_with(|| (Arc::downgrade(store), work));
        noted.1 = work.max(noted.1);
        self.list.changed.notify_one();
    }

    /// Forgets what is to be done for an engine, and waits until the thread is not at it any more.
    pub(super) fn forget(&self, store: &Arc<Store>) {
        if !self.is_at_home() {
            return;
        }
        let id = StoreId::of(store);
        let mut state = self.list.state.lock();
        state.work.retain(|(other, _), _| *other != id);
        while state.at == Some(id) {
            self.list.done.wait(&mut state);
        }
    }
}

impl List {
    /// Waits for work; none when it is time to stop.
    fn next(&self) -> Option<(Arc<Store>, StripeId, Work)> {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return None;
            }
            match state.work.pop_first() {
                None => self.changed.wait(&mut state),
                Some(((id, stripe), (store, work))) => {
                    if let Some(store) = store.upgrade() {
                        state.at = Some(id);
                        return Some((store, stripe, work));
                    }
                }
            }
        }
    }

    fn note_done(&self) {
        self.state.lock().at = None;
        self.done.notify_all();
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
            // It ends without a panic.
            let _ended = thread.join();
        }
    }
}

impl Store {
    fn merge_all_of(&self, stripe: StripeId, work: Work) -> Result<()> {
        // Half of its work would be done.
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
    use crate::engine::{Engine, EngineOptions};

    #[test]
    fn what_is_to_be_done_for_a_stripe_is_the_most_that_anyone_asked_for() {
        let compactor = Compactor { list: Arc::default(), thread: None, process: std::process::id() };
        let engines = [(); 2].map(|()| Engine::new(EngineOptions::default()).expect("created"));
        let [one, other] = engines.each_ref().map(|engine| &engine.store);
        let stripes: Vec<StripeId> = StripeId::all().collect();
        for (store, stripe, work) in [
            (one, 1, Work::Some),
            (one, 0, Work::All),
            (one, 1, Work::All),
            (one, 0, Work::Some),
            (other, 0, Work::Some),
        ] {
            compactor.add(store, stripes[stripe], work);
        }
        let mut of_one = 0;
        for _ in 0..3 {
            let (store, stripe, work) = compactor.list.next().expect("work");
            match Arc::ptr_eq(&store, one) {
                true => {
                    assert_eq!((stripe, work), (stripes[of_one], Work::All));
                    of_one += 1;
                }
                false => assert_eq!((stripe, work), (stripes[0], Work::Some)),
            }
            compactor.list.note_done();
        }
        assert_eq!(of_one, 2);
        compactor.add(one, stripes[0], Work::All);
        compactor.add(other, stripes[0], Work::All);
        compactor.forget(one);
        assert!(compactor.list.next().is_some_and(|(store, ..)| Arc::ptr_eq(&store, other)), "one is forgotten");
        compactor.list.state.lock().stopping = true;
        compactor.add(one, stripes[0], Work::All);
        assert!(compactor.list.next().is_none(), "it stops whatever is left to do");
    }
}
