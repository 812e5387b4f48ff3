//! When the first item of each stripe may expire: a bound, so that what has expired is found without looking everywhere.
//!
//! # Invariant
//! No item of a stripe expires before its bound. A write lowers it before its item can be seen; a sweep of the stripe
//! lifts it, and then lowers it to what it finds.
//!
//! Thread safety: atomics.

use std::sync::atomic::{AtomicI64, Ordering};

use kstone_core::key::{STRIPES, StripeId};

use crate::ttl::has_passed;

pub(crate) struct Expiries {
    earliest: Box<[AtomicI64]>,
}

impl Expiries {
    /// Of a table without items.
    pub(crate) fn none() -> Self {
        Self::all(i64::MAX)
    }

    /// Of a table whose items nobody has looked at.
    pub(crate) fn unknown() -> Self {
        Self::all(i64::MIN)
    }

    fn all(earliest: i64) -> Self {
        Self { earliest: (0..STRIPES).map(|_| AtomicI64::new(earliest)).collect() }
    }

    /// Notes that an item of the stripe expires then. To be called before the item can be seen.
    pub(crate) fn note(&self, stripe: StripeId, expires_at: i64) {
        self.earliest[stripe.index()].fetch_min(expires_at, Ordering::SeqCst);
    }

    /// Before a sweep that notes each item that it leaves.
    pub(crate) fn begin_sweep(&self, stripe: StripeId) {
        self.earliest[stripe.index()].store(i64::MAX, Ordering::SeqCst);
    }

    /// Whether an item of the stripe may have expired.
    pub(crate) fn is_due(&self, stripe: StripeId, now: i64) -> bool {
        has_passed(self.earliest[stripe.index()].load(Ordering::SeqCst), now)
    }

    /// A stripe in which an item may have expired.
    pub(crate) fn due(&self, now: i64) -> Option<StripeId> {
        StripeId::all().find(|stripe| self.is_due(*stripe, now))
    }
}

impl Clone for Expiries {
    fn clone(&self) -> Self {
        let earliest = self.earliest.iter().map(|earliest| AtomicI64::new(earliest.load(Ordering::SeqCst)));
        Self { earliest: earliest.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stripe_is_due_from_its_first_expiry_until_it_is_swept() {
        let expiries = Expiries::none();
        let stripes: Vec<StripeId> = StripeId::all().collect();
        expiries.note(stripes[7], 100);
        expiries.note(stripes[7], 200);
        assert_eq!((expiries.due(100), expiries.due(101)), (None, Some(stripes[7])));
        expiries.begin_sweep(stripes[7]);
        assert_eq!(expiries.due(i64::MAX), None);
        expiries.note(stripes[7], 200);
        assert_eq!((expiries.due(200), expiries.due(201)), (None, Some(stripes[7])));
        assert_eq!(expiries.clone().due(201), Some(stripes[7]));
        assert_eq!(Expiries::unknown().due(i64::MIN + 1), Some(stripes[0]));
    }
}
