//! Requests that name a ClientRequestToken are carried out once: for ten minutes the same request with the same token is
//! answered without doing its work again (facts 75).
//!
//! ```text
//! take_turn(token, request) ─┬─► First: nobody has used it ──► the work ──► done   (not done: as if never begun)
//!                            ├─► Again: the same request was done
//!                            ├─► waits while another call is at it
//!                            └─► refused: another request was done under the token
//! ```
//! Each operation has tokens of its own. The ten minutes begin when the work is done and go by the account's clock.
//!
//! Thread safety: calls with one token take their turns; others do not wait for them.

use std::collections::{HashMap, VecDeque};

use parking_lot::{Condvar, Mutex};

use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// How long a token is remembered.
const KEPT_SECONDS: i64 = 600;
/// The most tokens that are remembered, some 60 MB of them; the oldest are forgotten first.
const KEPT_MAX: usize = 1 << 18;

/// The tokens of an account, by operation.
#[derive(Default)]
pub(crate) struct Idempotency {
    pub(crate) transact_write_items: Tokens,
    pub(crate) execute_transaction: Tokens,
}

/// The tokens of an operation.
#[derive(Default)]
pub(crate) struct Tokens {
    known: Mutex<Known>,
    /// A call has come to its end.
    ended: Condvar,
}

#[derive(Default)]
struct Known {
    tokens: HashMap<Box<str>, State, foldhash::fast::RandomState>,
    /// Those that were done, in the order of their ends.
    done: VecDeque<(i64, Box<str>)>,
}

#[derive(Clone, Copy)]
enum State {
    /// A call is at it.
    Running,
    /// A request of this number was done.
    Done { request: u64, at: i64 },
}

/// What a call with a token is to do.
pub(crate) enum Turn<'t> {
    /// The work; [`Running::done`] says that it is done.
    First(Running<'t>),
    /// Nothing, it was done.
    Again,
}

/// The turn of a call that does the work. Without [`Running::done`] the token is as if it had never been used.
pub(crate) struct Running<'t> {
    tokens: &'t Tokens,
    token: &'t str,
    done: Option<State>,
}

impl Tokens {
    /// Waits until no other call with this token is under way, and says what this one is to do. `request` is the number of
    /// its contents, see [`number_of`](crate::canonical::number_of).
    ///
    /// # Errors
    /// IdempotentParameterMismatchException for a token under which another request was done.
    pub(crate) fn take_turn<'t>(&'t self, token: &'t str, request: u64, now: i64) -> Result<Turn<'t>, Refusal> {
        let mut known = self.known.lock();
        loop {
            match known.tokens.get(token).copied() {
                Some(State::Running) => self.ended.wait(&mut known),
                Some(State::Done { request: of_token, at }) if now < at.saturating_add(KEPT_SECONDS) => {
                    return if of_token == request { Ok(Turn::Again) } else { Err(mismatch()) };
                }
                Some(State::Done { .. }) | None => break,
            }
        }
        known.forget(now);
        known.tokens.insert(token.into(), State::Running);
        Ok(Turn::First(Running { tokens: self, token, done: None }))
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.known.lock().tokens.len()
    }
}

impl Known {
    /// Forgets a few that are old or too many: more than one comes to, so that they do not grow in number.
    fn forget(&mut self, now: i64) {
        for _ in 0..2 {
            let Some((at, _)) = self.done.front() else { return };
            if at.saturating_add(KEPT_SECONDS) > now && self.done.len() < KEPT_MAX {
                return;
            }
            let Some((at, token)) = self.done.pop_front() else { return };
            // It may have been used again since then.
            if matches!(self.tokens.get(&token), Some(State::Done { at: last, .. }) if *last == at) {
                self.tokens.remove(&token);
            }
        }
    }
}

impl Running<'_> {
    /// The work is done, that of the request of this number.
    pub(crate) fn done(mut self, request: u64, now: i64) {
        self.done = Some(State::Done { request, at: now });
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut known = self.tokens.known.lock();
        match self.done {
            None => drop(known.tokens.remove(self.token)),
            Some(done @ State::Done { at, .. }) => {
                known.tokens.insert(self.token.into(), done);
                known.done.push_back((at, self.token.into()));
            }
            Some(State::Running) => {}
        }
        drop(known);
        self.tokens.ended.notify_all();
    }
}

#[cold]
fn mismatch() -> Refusal {
    Refusal::new(RefusalKind::IdempotentParameterMismatch, Text::TokenMismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_first(tokens: &Tokens, token: &str, request: u64, now: i64) -> bool {
        match tokens.take_turn(token, request, now).unwrap() {
            Turn::First(running) => {
                running.done(request, now);
                true
            }
            Turn::Again => false,
        }
    }

    #[test]
    fn a_token_is_good_for_one_request_and_ten_minutes() {
        let tokens = Tokens::default();
        assert!(is_first(&tokens, "a", 1, 1000));
        assert!(!is_first(&tokens, "a", 1, 1599));
        assert!(tokens.take_turn("a", 2, 1599).is_err());
        assert!(is_first(&tokens, "b", 2, 1599));
        assert!(is_first(&tokens, "a", 2, 1600), "ten minutes later it is a new one");
        assert!(!is_first(&tokens, "a", 2, 1700));
    }

    #[test]
    fn what_was_not_done_is_as_if_it_had_never_begun() {
        let tokens = Tokens::default();
        drop(tokens.take_turn("a", 1, 0).unwrap());
        assert!(is_first(&tokens, "a", 2, 0));
    }

    #[test]
    fn tokens_are_forgotten_when_their_time_is_over() {
        let tokens = Tokens::default();
        for at in 0..100 {
            assert!(is_first(&tokens, &at.to_string(), 1, at));
        }
        assert_eq!(tokens.len(), 100);
        for at in 0..100 {
            assert!(is_first(&tokens, &format!("b{at}"), 1, 10_000));
        }
        assert_eq!(tokens.len(), 100, "each new one takes the place of an old one at least");
    }

    #[test]
    fn what_is_known_of_tokens_is_bounded_also_when_the_time_goes_back() {
        let tokens = Tokens::default();
        assert!(is_first(&tokens, "of the future", 1, i64::MAX));
        for at in 0..KEPT_MAX as i64 + 1000 {
            assert!(is_first(&tokens, "a", 1, at * KEPT_SECONDS));
        }
        assert!(tokens.known.lock().done.len() <= KEPT_MAX);
    }

    #[test]
    fn a_second_call_waits_for_the_first() {
        let tokens = Tokens::default();
        let Turn::First(running) = tokens.take_turn("a", 1, 0).unwrap() else { panic!("nobody was here") };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| is_first(&tokens, "a", 1, 0));
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!second.is_finished());
            running.done(1, 0);
            assert!(!second.join().unwrap());
        });
    }
}
