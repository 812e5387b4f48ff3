//! Work on a sequence whose parts this thread reads one after another, shared with helper threads where the process may use
//! more than one processor. The results are taken in the order of the parts.
//!
//! ```text
//! this thread   read 0 ─ work 0 ─ read 1 ─ read 2 ─ read 3 ─ read 4 ─ work 4 ─ take 0, 1, 2 ─ …
//! helper                                   work 1 ───── work 2 ───── work 3 ─ …
//! ```
//!
//! Helpers are started with the second part, so that what has one part starts none, and have ended when the call
//! returns. A part that no helper is free for is worked on here; where no thread can be started, all are, and so they are
//! in a child process. Where `read` itself forks the process, the child has neither the helpers nor what they were at.
//!
//! # Invariants
//! - Parts are read and results taken on the calling thread alone. An error ends it as if there were no helpers: results
//!   of earlier parts are taken first.
//! - At most `PENDING_MAX` parts are read and not taken.
//! - Helpers block all signals: those are for threads of the host.
//!
//! # Thread safety
//! The work is called by several threads at once.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread::{self, Builder, JoinHandle, available_parallelism};

use parking_lot::{Condvar, Mutex};

use crate::raw::signals::with_signals_blocked;

/// The process that the first engine was made in.
static HOME: AtomicU32 = AtomicU32::new(0);

/// Whether this is the first process that asked, and not a child of it: what another thread of the parent was at in the
/// moment of the fork may keep a new thread waiting for ever.
pub(crate) fn is_at_home() -> bool {
    is_home_of(&HOME, std::process::id())
}

fn is_home_of(home: &AtomicU32, process: u32) -> bool {
    home.compare_exchange(0, process, Relaxed, Relaxed).is_ok() || home.load(Relaxed) == process
}

/// More helpers than that have nothing to do: reading takes a part of the time, too.
const HELPERS_MAX: usize = 3;
/// How many parts wait for a helper at most.
const WAITING_MAX: usize = 2;
/// How many parts are read and not taken at most.
const PENDING_MAX: usize = 8;
/// Work is shallow: a parser of bounded depth at most.
const STACK_BYTES: usize = 256 << 10;

/// Calls `work` for each part that `read` gives, and `take` for each result, in the order of the parts.
///
/// # Errors
/// The first one that `read` or `take` returns, in the order of the parts. A `read` that may fork the
/// process returns one in the child.
pub fn in_order<I: Send + 'static, O: Send + 'static, E>(
    mut read: impl FnMut() -> Result<Option<I>, E>,
    work: impl Fn(I) -> O + Send + Sync + 'static,
    take: impl FnMut(O) -> Result<(), E>,
) -> Result<(), E> {
    let mut results = Results { pending: VecDeque::new(), first: 0, take };
    let mut helpers = Helpers { shared: Arc::new(Shared::new(work)), threads: Vec::new(), process: std::process::id() };
    let mut number = 0;
    let ended = loop {
        match read() {
            Ok(Some(part)) => {
                if number == 1 {
                    helpers.start();
                }
                results.pending.push_back(None);
                if let Some(part) = helpers.offer(number, part) {
                    results.set(number, (helpers.shared.work)(part));
                }
                number += 1;
                helpers.collect(&mut results);
                results.take_ready()?;
                while results.pending.len() == PENDING_MAX {
                    helpers.wait(&mut results);
                    results.take_ready()?;
                }
            }
            Ok(None) => break Ok(()),
            Err(error) if helpers.are_in_the_parent() => {
                // Nothing of them is touched: their lock may be held for ever, and there is no end of theirs to wait for.
                std::mem::forget(helpers);
                return Err(error);
            }
            Err(error) => break Err(error),
        }
    };
    while !results.pending.is_empty() {
        helpers.wait(&mut results);
        results.take_ready()?;
    }
    ended
}

/// Results that are not taken yet, and what takes them.
struct Results<O, T> {
    /// From part number `first` on; none where its work is not done.
    pending: VecDeque<Option<O>>,
    first: usize,
    take: T,
}

impl<O, T> Results<O, T> {
    fn set(&mut self, number: usize, result: O) {
        self.pending[number - self.first] = Some(result);
    }

    fn take_ready<E>(&mut self) -> Result<(), E>
    where
        T: FnMut(O) -> Result<(), E>,
    {
        while let Some(result) = self.pending.front_mut().and_then(Option::take) {
            self.pending.pop_front();
            self.first += 1;
            (self.take)(result)?;
        }
        Ok(())
    }
}

/// What threads share; the lock is held to hand parts and results over.
struct Shared<I, O, W> {
    state: Mutex<State<I, O>>,
    changed: Condvar,
    work: W,
}

struct State<I, O> {
    /// Parts that no thread is at, with their numbers.
    waiting: VecDeque<(usize, I)>,
    done: Vec<(usize, thread::Result<O>)>,
    /// Helpers are to end.
    closed: bool,
}

impl<I, O, W: Fn(I) -> O> Shared<I, O, W> {
    fn new(work: W) -> Self {
        let state = State { waiting: VecDeque::new(), done: Vec::new(), closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new(), work }
    }

    /// What a helper does until it is to end.
    fn help(&self) {
        let mut state = self.state.lock();
        while !state.closed {
            let Some((number, part)) = state.waiting.pop_front() else {
                self.changed.wait(&mut state);
                continue;
            };
            drop(state);
            // A panic goes on in the calling thread, which otherwise waited for ever.
            let result = catch_unwind(AssertUnwindSafe(|| (self.work)(part)));
            state = self.state.lock();
            state.done.push((number, result));
            self.changed.notify_all();
        }
    }
}

/// The threads, which have ended when this is dropped.
struct Helpers<I, O, W: Fn(I) -> O> {
    shared: Arc<Shared<I, O, W>>,
    threads: Vec<JoinHandle<()>>,
    /// That of the threads.
    process: u32,
}

impl<I: Send + 'static, O: Send + 'static, W: Fn(I) -> O + Send + Sync + 'static> Helpers<I, O, W> {
    /// One for each further processor that the process may use, as far as threads can be had.
    fn start(&mut self) {
        if !is_at_home() {
            return;
        }
        let more = available_parallelism().map_or(0, |processors| processors.get() - 1);
        for _ in 0..more.min(HELPERS_MAX) {
            let shared = Arc::clone(&self.shared);
            let builder = Builder::new().name("kstone-helper".into()).stack_size(STACK_BYTES);
            // A thread inherits the mask of the one that starts it.
            let Ok(thread) = with_signals_blocked(|| builder.spawn(move || shared.help())) else { return };
            self.threads.push(thread);
        }
    }

    /// Whether the threads are those of the process that this one was forked from.
    fn are_in_the_parent(&self) -> bool {
        !self.threads.is_empty() && std::process::id() != self.process
    }

    /// Gives the part to a helper, or back where none is free.
    fn offer(&self, number: usize, part: I) -> Option<I> {
        if self.threads.is_empty() {
            return Some(part);
        }
        let mut state = self.shared.state.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Some(part);
        }
        state.waiting.push_back((number, part));
        self.shared.changed.notify_all();
        None
    }

    /// Fetches what helpers have done.
    fn collect<T>(&self, results: &mut Results<O, T>) {
        let done = std::mem::take(&mut self.shared.state.lock().done);
        for (number, result) in done {
            results.set(number, result.unwrap_or_else(|panic| resume_unwind(panic)));
        }
    }

    /// Works on a part that waits for a helper; where none does, waits until a helper has done one.
    fn wait<T>(&self, results: &mut Results<O, T>) {
        let mut state = self.shared.state.lock();
        while state.done.is_empty() {
            if let Some((number, part)) = state.waiting.pop_front() {
                drop(state);
                return results.set(number, (self.shared.work)(part));
            }
            self.shared.changed.wait(&mut state);
        }
        drop(state);
        self.collect(results);
    }
}

impl<I, O, W: Fn(I) -> O> Drop for Helpers<I, O, W> {
    fn drop(&mut self) {
        self.shared.state.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            thread.join().expect("a helper catches the panics of its work");
        }
    }
}

#[cfg(test)]
mod tests;
