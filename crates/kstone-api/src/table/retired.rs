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

use crate::error::Result;
use kstone_core::engine::{PageLimits, ScanRange, Writes};
use kstone_core::key::{RoutedKey, STRIPES, StripeId};
use kstone_core::record::Record;

use crate::table::Table;
use crate::table::index::IndexId;
use crate::table::state::TableState;

/// How many entries one write releases.
const RELEASED_PER_WRITE: PageLimits = PageLimits::of_records(16);
/// How many are released at once where nobody waits for a single write.
const RELEASED_AT_ONCE: PageLimits = PageLimits::of_records(256);
/// How many indexes may be retired when the schema changes: there are slots for them and for those of two schemas.
const RETIRED_MAX: usize = 8;

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
    fn next(&self, preferred: StripeId) -> Option<StripeId> {
        let holds =
            |stripe: &StripeId| self.left[stripe.index() / 64].load(Ordering::SeqCst) & 1 << (stripe.index() % 64) != 0;
        std::iter::once(preferred).chain(StripeId::all()).find(holds)
    }

    fn note_released(&self, stripe: StripeId) {
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

impl TableState {
    /// An index that was dropped and has entries left.
    pub(crate) fn left_over(&self) -> Option<&Retired> {
        self.retired.iter().map(|retired| &**retired).find(|retired| !retired.is_gone())
    }
}

impl Table {
    /// After a write to this stripe: releases some entries of indexes that were dropped.
    ///
    /// # Errors
    /// [`Error::Poisoned`](crate::Error::Poisoned).
    pub(crate) fn release_some(&self, table: &TableState, near: StripeId) -> Result<()> {
        let Some(retired) = table.left_over() else { return Ok(()) };
        if let Some(stripe) = retired.next(near) {
            self.release_in(retired, stripe, RELEASED_PER_WRITE)?;
            self.keep_to_limit(|| std::iter::once(stripe))?;
        }
        self.note_plain()
    }

    /// Releases all entries of indexes that were dropped in one stripe that has some, and compacts it; false where none
    /// has.
    ///
    /// # Errors
    /// As [`Table::release_some`].
    pub(crate) fn release_stripe(&self, table: &TableState) -> Result<bool> {
        let first = StripeId::all().next().expect("there are stripes");
        let Some(retired) = table.left_over() else { return Ok(false) };
        let Some(stripe) = retired.next(first) else { return Ok(false) };
        while !self.release_in(retired, stripe, RELEASED_AT_ONCE)? {}
        self.engine().compact_stripe(stripe)?;
        self.note_plain()?;
        Ok(true)
    }

    /// Releases all entries of indexes that were dropped.
    ///
    /// # Errors
    /// As [`Table::release_some`].
    pub(crate) fn release_all(&self, table: &TableState) -> Result<()> {
        while self.release_stripe(table)? {}
        Ok(())
    }

    /// Before a change of the schema: leaves slots for new indexes.
    ///
    /// # Errors
    /// As [`Table::release_some`].
    pub(crate) fn free_slots(&self, table: &TableState) -> Result<()> {
        let left = table.retired.iter().filter(|retired| !retired.is_gone()).count();
        if left > RETIRED_MAX { self.release_all(table) } else { Ok(()) }
    }

    /// Releases this many entries in a stripe; whether none is left there.
    fn release_in(&self, retired: &Retired, stripe: StripeId, limits: PageLimits) -> Result<bool> {
        let range = ScanRange::segment(stripe.index() as u32, STRIPES as u32)?.of_index(retired.id.0);
        let page = self.engine().scan(range, limits)?;
        let engine = self.engine();
        let commit = engine.lock_stripe(stripe)?.into_commit();
        let keys = page.records.iter().map(|entry| RoutedKey::from(entry.key_ref()));
        let there = keys.filter(|key| commit.get(engine, key).is_some());
        let writes: Writes = there.map(|key| (key.route(), Record::tombstone_of(&key))).collect();
        commit.write_uncounted(engine, writes);
        if !page.limited {
            retired.note_released(stripe);
        }
        Ok(!page.limited)
    }
}

#[cfg(test)]
mod tests;
