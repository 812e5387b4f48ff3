//! Releasing the entries of dropped indexes: see [`crate::table::retired`].
//!
//! Thread safety: any thread; a stripe is locked for some entries at a time.

use crate::error::Result;
use kstone_core::engine::{PageLimits, ScanRange, Writes};
use kstone_core::key::{RoutedKey, STRIPES, StripeId};
use kstone_core::record::Record;

use crate::table::Table;
use crate::table::retired::Retired;
use crate::table::state::TableState;

/// How many entries one write releases.
const RELEASED_PER_WRITE: PageLimits = PageLimits::of_records(16);
/// How many are released at once where nobody waits for a single write.
const RELEASED_AT_ONCE: PageLimits = PageLimits::of_records(256);
/// How many indexes may be retired when the schema changes: there are slots for them and for those of two schemas.
const RETIRED_MAX: usize = 8;

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
        let range = ScanRange::segment(stripe.index() as u32, STRIPES as u32)?.of_index(retired.id().0);
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
