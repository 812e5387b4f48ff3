//! When the first item of each stripe may expire: a bound, so that what has expired is found without looking
//! everywhere.
//!
//! A sweep goes over a stripe some records at a time, as far apart as its callers like, removes what has expired and
//! finds out when the next item will.
//!
//! ```text
//! writes ──► noted ◄── what a sweep leaves          begin: noted = never
//!   └──────► earliest, the bound                    end:   earliest = noted
//! ```
//!
//! # Invariant
//! No item of a stripe expires before its bound. A write notes its item under the stripe's lock: a sweep that begins
//! before has the note, one that begins after it finds the item.
//!
//! Thread safety: atomics; one thread at a time sweeps a stripe.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use kstone_core::key::{Key, STRIPES, StripeId};
use kstone_core::record::Record;
use parking_lot::{Mutex, MutexGuard};

pub(crate) struct Expiries {
    stripes: Box<[StripeExpiries]>,
    /// Of the keys of sweeps under way.
    key_bytes: AtomicUsize,
}

struct StripeExpiries {
    earliest: AtomicI64,
    /// What was noted since the sweep began that is under way.
    noted: AtomicI64,
    sweep: Mutex<Progress>,
}

/// Of the sweep of a stripe.
#[derive(Default)]
enum Progress {
    #[default]
    Ended,
    /// Behind the record of this key; at the stripe's beginning where there is none. The key alone: a record would keep
    /// an item that is long gone.
    At(Option<Key>),
}

/// A sweep of a stripe, while this thread goes on with it.
pub(crate) struct Sweep<'a> {
    stripe: &'a StripeExpiries,
    key_bytes: &'a AtomicUsize,
    progress: MutexGuard<'a, Progress>,
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

    fn of(stripes: impl Iterator<Item = StripeExpiries>) -> Self {
        Self { stripes: stripes.collect(), key_bytes: AtomicUsize::new(0) }
    }

    fn all(earliest: i64) -> Self {
        Self::of((0..STRIPES).map(|_| StripeExpiries::new(earliest)))
    }

    /// Notes that an item of the stripe expires then. To be called under the stripe's lock, with the item's write.
    pub(crate) fn note(&self, stripe: StripeId, expires_at: i64) {
        self.stripes[stripe.index()].note(expires_at);
    }

    /// Notes that any item may have expired: after the clock was set back.
    pub(crate) fn forget(&self) {
        self.stripes.iter().for_each(|stripe| stripe.note(i64::MIN));
    }

    /// Whether an item of the stripe may have expired.
    pub(crate) fn is_due(&self, stripe: StripeId, now: i64) -> bool {
        self.stripes[stripe.index()].earliest.load(Ordering::SeqCst) < now
    }

    /// Bytes that this takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.stripes) + self.key_bytes.load(Ordering::Relaxed)
    }

    /// A stripe in which an item may have expired.
    pub(crate) fn due(&self, now: i64) -> Option<StripeId> {
        StripeId::all().find(|stripe| self.is_due(*stripe, now))
    }

    /// The sweep that is under way, or a new one; none where another thread is at it.
    pub(crate) fn try_sweep(&self, stripe: StripeId) -> Option<Sweep<'_>> {
        let stripe = &self.stripes[stripe.index()];
        let sweep = Sweep { stripe, key_bytes: &self.key_bytes, progress: stripe.sweep.try_lock()? };
        Some(if matches!(*sweep.progress, Progress::Ended) { sweep.begun_anew() } else { sweep })
    }

    /// A new sweep. Waits for a thread that is at one.
    pub(crate) fn sweep(&self, stripe: StripeId) -> Sweep<'_> {
        let stripe = &self.stripes[stripe.index()];
        Sweep { stripe, key_bytes: &self.key_bytes, progress: stripe.sweep.lock() }.begun_anew()
    }
}

impl StripeExpiries {
    fn new(earliest: i64) -> Self {
        Self { earliest: AtomicI64::new(earliest), noted: AtomicI64::new(i64::MAX), sweep: Mutex::default() }
    }

    fn note(&self, expires_at: i64) {
        self.noted.fetch_min(expires_at, Ordering::SeqCst);
        self.earliest.fetch_min(expires_at, Ordering::SeqCst);
    }
}

impl Progress {
    fn key_bytes(&self) -> usize {
        match self {
            Self::At(Some(key)) => key.pk.len() + key.sk.as_ref().map_or(0, |sk| sk.len()),
            Self::At(None) | Self::Ended => 0,
        }
    }
}

impl Sweep<'_> {
    fn set(&mut self, progress: Progress) {
        self.key_bytes.fetch_add(progress.key_bytes(), Ordering::Relaxed);
        self.key_bytes.fetch_sub(self.progress.key_bytes(), Ordering::Relaxed);
        *self.progress = progress;
    }

    fn begun_anew(mut self) -> Self {
        self.set(Progress::At(None));
        self.stripe.noted.store(i64::MAX, Ordering::SeqCst);
        self
    }

    /// The key behind which it goes on.
    pub(crate) fn last(&self) -> Option<&Key> {
        match &*self.progress {
            Progress::At(last) => last.as_ref(),
            Progress::Ended => None,
        }
    }

    /// Notes that it leaves an item that expires then.
    pub(crate) fn leave(&self, expires_at: i64) {
        self.stripe.noted.fetch_min(expires_at, Ordering::SeqCst);
    }

    /// Goes on behind this record next time.
    pub(crate) fn reach(&mut self, last: &Record) {
        self.set(Progress::At(Some(last.key())));
    }

    /// It has seen the whole stripe.
    pub(crate) fn end(mut self) {
        self.set(Progress::Ended);
        loop {
            let noted = self.stripe.noted.load(Ordering::SeqCst);
            self.stripe.earliest.store(noted, Ordering::SeqCst);
            // A writer that notes something only now lowers the bound by itself.
            if self.stripe.noted.load(Ordering::SeqCst) == noted {
                return;
            }
        }
    }
}

/// The bounds as they are; no sweep is under way. What a sweep has noted counts, too: it may be about to end, and what
/// it has stored may be older than that.
impl Clone for Expiries {
    fn clone(&self) -> Self {
        let bound =
            |stripe: &StripeExpiries| stripe.earliest.load(Ordering::SeqCst).min(stripe.noted.load(Ordering::SeqCst));
        let stripes = self.stripes.iter().map(|stripe| StripeExpiries::new(bound(stripe)));
        Self::of(stripes)
    }
}

#[cfg(test)]
mod tests {
    use kstone_core::key::KeyRef;

    use super::*;

    #[test]
    fn a_stripe_is_due_from_its_first_expiry_until_it_is_swept() {
        let expiries = Expiries::none();
        let stripes: Vec<StripeId> = StripeId::all().collect();
        expiries.note(stripes[7], 100);
        expiries.note(stripes[7], 200);
        assert_eq!((expiries.due(100), expiries.due(101)), (None, Some(stripes[7])));
        let sweep = expiries.sweep(stripes[7]);
        assert!(expiries.try_sweep(stripes[7]).is_none(), "one thread at a time");
        sweep.leave(200);
        sweep.end();
        assert_eq!((expiries.due(200), expiries.due(201)), (None, Some(stripes[7])));
        assert_eq!(expiries.clone().due(201), Some(stripes[7]));
        assert_eq!(Expiries::unknown().due(i64::MIN + 1), Some(stripes[0]));
    }

    #[test]
    fn a_sweep_goes_on_where_it_was_and_keeps_what_is_noted_meanwhile() {
        let expiries = Expiries::unknown();
        let stripe = StripeId::all().next().expect("there are some");
        let record = Record::put(KeyRef::new(b"a", b"").expect("valid"), b"");
        let mut sweep = expiries.try_sweep(stripe).expect("free");
        assert!(sweep.last().is_none());
        let empty = expiries.bytes();
        sweep.reach(&record);
        drop(sweep);
        assert_eq!(expiries.bytes(), empty + 1, "the key alone is kept, and counted");
        assert!(expiries.is_due(stripe, 0), "half a sweep lifts no bound");
        assert!(expiries.clone().is_due(stripe, 0), "not that of a fork either");
        expiries.note(stripe, 300);
        let sweep = expiries.try_sweep(stripe).expect("free");
        assert!(sweep.last() == Some(&record.key()));
        sweep.leave(400);
        sweep.end();
        assert!(!expiries.is_due(stripe, 300) && expiries.is_due(stripe, 301));
        assert!(expiries.try_sweep(stripe).expect("free").last().is_none(), "the next one begins anew");

        // An item was noted between the two looks of a sweep's end.
        expiries.stripes[stripe.index()].noted.store(200, Ordering::SeqCst);
        assert!(expiries.clone().is_due(stripe, 201), "the clone of a sweep's end");
    }
}
