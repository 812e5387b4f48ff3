//! Indexes that were dropped while entries of theirs are still in the stripes.
//!
//! Dropping an index is an exchange of the table: nobody reads an entry of a number that no index of the table has. The
//! entries are released afterwards: some with each write, those of a stripe where memory is short, all by a compaction.
//! Until then they are memory that is counted, and their number and their part of the stripes are given to no other
//! index.
//!
//! ```text
//! in force ──dropped──► retired: left in 256 stripes ──a write──► left in 255 ──► … ──► gone: its number is free again
//! ```
//!
//! # Invariant
//! A stripe that is not noted as left holds no entry. Nothing adds one: writes that began before the index was dropped
//! are over, or find out under their locks that the table is another.
//!
//! Thread safety: atomics.

use std::sync::atomic::{AtomicU64, Ordering};

use kstone_core::key::{STRIPES, StripeId};

use crate::table::index::IndexId;

/// One of them.
#[derive(Debug)]
pub(crate) struct Retired {
    id: IndexId,
    /// A bit for each stripe that may hold some of its entries.
    left: [AtomicU64; STRIPES / 64],
}

impl Retired {
    pub(crate) fn new(id: IndexId) -> Self {
        Self { id, left: [const { AtomicU64::new(u64::MAX) }; STRIPES / 64] }
    }

    pub(crate) fn id(&self) -> IndexId {
        self.id
    }

    /// Whether no entry is left.
    pub(crate) fn is_gone(&self) -> bool {
        self.left.iter().all(|word| word.load(Ordering::SeqCst) == 0)
    }

    /// This stripe, where it may hold entries, or else another one that may.
    pub(super) fn next(&self, preferred: StripeId) -> Option<StripeId> {
        let holds =
            |stripe: &StripeId| self.left[stripe.index() / 64].load(Ordering::SeqCst) & 1 << (stripe.index() % 64) != 0;
        std::iter::once(preferred).chain(StripeId::all()).find(holds)
    }

    /// Notes that this stripe holds none any more.
    pub(super) fn note_released(&self, stripe: StripeId) {
        self.left[stripe.index() / 64].fetch_and(!(1 << (stripe.index() % 64)), Ordering::SeqCst);
    }
}

/// What a fork has to release by itself. To be made under all locks.
impl Clone for Retired {
    fn clone(&self) -> Self {
        let left = self.left.each_ref().map(|word| AtomicU64::new(word.load(Ordering::SeqCst)));
        Self { id: self.id, left }
    }
}
