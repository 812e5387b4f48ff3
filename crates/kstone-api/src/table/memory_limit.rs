//! The memory budget of writes: what has expired is evicted first, then, where the options say so, what was not used
//! for long.
//!
//! ```text
//! reserve ─► fits? ── yes ─► write
//!    ▲         no
//!    ├── entries of dropped indexes in one stripe released        all of these in whichever table of the account:
//!    ├── expired items of one stripe removed
//!    ├── NONE: one stripe compacted; nothing left to compact: the write fails
//!    └── LRU:  the oldest items of the stripe that holds the oldest removed, and that stripe compacted
//! ```
//!
//! No lock is held meanwhile; what is removed leaves the indexes with it, and the stream names the remover.

use std::collections::BTreeSet;
use std::sync::Arc;

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use kstone_core::engine::{PageLimits, Reservation, ScanRange};
use kstone_core::key::{STRIPES, StripeId};
use kstone_core::record::Record;

use crate::interrupt::Interrupt;
use crate::model::options::stream_max_bytes_of;
use crate::table::Table;
use crate::table::expiries::Sweep;
use crate::table::pager::Pager;
use crate::table::state::TableState;
use crate::table::stream::{Remover, Stream};
use crate::table::ttl::may_pass;

/// How many records of a stripe one write looks at to find what has expired.
const SWEEP_STEP: PageLimits = PageLimits::of_records(512);
/// How many items it removes.
const SWEEP_REMOVALS: usize = 64;

impl Table {
    /// The most that writing these records, and so many bytes more to the stream, may add to what is counted. Deletes
    /// alone need nothing, they always go on; nor does anything where there is no limit.
    pub(crate) fn growth_of_records<'a>(
        &self,
        records: impl Iterator<Item = &'a Record> + Clone,
        stream_growth: usize,
    ) -> usize {
        if !self.engine().is_limited() || records.clone().all(Record::is_tombstone) {
            return 0;
        }
        self.growth(records.map(Record::footprint), stream_growth)
    }

    /// The same for records of these footprints.
    pub(crate) fn growth(&self, footprints: impl Iterator<Item = usize>, stream_growth: usize) -> usize {
        self.charge_apart();
        let beyond_share = self.state().stream.as_deref().map_or(0, |stream| {
            let bytes = stream.bytes();
            (bytes + stream_growth).saturating_sub(self.stream_share_bytes().max(bytes))
        });
        self.engine().growth_of(footprints) + beyond_share
    }

    /// Has the memory limit count what the engine does not hold.
    pub(crate) fn charge_apart(&self) {
        let table = self.state();
        // The stream has its share, whether it takes it or not; its newest record may be larger.
        let of_stream = |stream: &Stream| {
            let share = self.stream_share_bytes();
            if stream.bytes() > share {
                drop(stream.trim(stream_max_bytes_of(share)));
            }
            share.max(stream.bytes())
        };
        let of_expiries = table.expiries.as_ref().map_or(0, |expiries| expiries.bytes());
        self.apart().set(table.stream.as_deref().map_or(0, of_stream) + of_expiries);
        self.environment().limited.charge_texts(self.engine(), self.environment().cache_bytes());
    }

    /// Sets so many bytes aside, where there are any to set aside.
    ///
    /// # Errors
    /// [`Error::Limit`] where nothing more can be evicted; [`Error::Poisoned`].
    pub(crate) fn reserve(&self, bytes: usize) -> Result<Option<Reservation<'_>>> {
        if bytes == 0 { Ok(None) } else { self.reserve_bytes(bytes).map(Some) }
    }

    /// Sets so many bytes aside.
    ///
    /// # Errors
    /// As [`Table::reserve`].
    pub(crate) fn reserve_bytes(&self, bytes: usize) -> Result<Reservation<'_>> {
        let mut nothing_left = false;
        loop {
            if let Some(reserved) = self.engine().try_reserve(bytes, 0) {
                return Ok(reserved);
            }
            // Others may have evicted between the two looks.
            if nothing_left || !self.engine().may_fit(bytes) {
                return Err(self.engine().memory_exceeded(bytes).into());
            }
            // Before the look: what is being written meanwhile may be evicted once it is.
            let others = self.engine().is_reclaiming();
            let made = {
                let _under_way = self.engine().reclaiming();
                self.reclaim_some()?
            };
            if !made && (others || self.engine().is_reclaiming()) {
                std::thread::yield_now();
            } else {
                nothing_left = !made;
            }
        }
    }

    /// After deletes in these stripes: where what they added has passed the limit, compaction gives back more than
    /// that.
    pub(crate) fn keep_to_limit<S: Iterator<Item = StripeId>>(&self, stripes: impl FnOnce() -> S) -> Result<()> {
        if !self.engine().is_limited() {
            return Ok(());
        }
        self.charge_apart();
        if !self.engine().is_over_limit() {
            return Ok(());
        }
        let stripes: BTreeSet<StripeId> = stripes().collect();
        stripes.into_iter().try_for_each(|stripe| Ok(self.engine().compact_stripe(stripe)?))
    }

    /// Evicts once, in whichever table of the account; false where nothing can be done.
    fn reclaim_some(&self) -> Result<bool> {
        let tables = self.environment().limited.all();
        for release in [Self::release_dropped, Self::remove_some_expired] {
            if self.first_of(&tables, release)?.is_some() {
                return Ok(true);
            }
        }
        let mut candidates: Vec<&Self> = if self.engine().evicts() { tables.iter().collect() } else { Vec::new() };
        let search = self.engine().begin_search();
        while let Some((at, since)) = oldest_of(&candidates) {
            let table = candidates[at];
            if table.engine().find_oldest() != Some(since) {
                // It is not as old as was known.
                continue;
            }
            let of_others = candidates.iter().enumerate().filter(|(other, _)| *other != at);
            let others = of_others.filter_map(|(_, other)| other.engine().oldest_at_most()).min().unwrap_or(u64::MAX);
            if self.first_of(std::slice::from_ref(table), |table| table.evict_older_than(others, search))?.is_some() {
                return Ok(true);
            }
            // What was used meanwhile waits anew, and the others are older.
            if table.engine().find_oldest().is_none_or(|since| since <= others) {
                candidates.swap_remove(at);
            }
        }
        Ok(self.first_of(&tables, |table| Ok(table.engine().reclaim()?))?.is_some())
    }

    /// The first of these tables that could give memory back in this way. One that is dropped or poisoned meanwhile cannot;
    /// every call of it says so.
    fn first_of<'t>(&self, tables: &'t [Self], way: impl Fn(&Self) -> Result<bool>) -> Result<Option<&'t Self>> {
        for table in tables {
            match way(table) {
                Ok(true) => {
                    table.charge_apart();
                    return Ok(Some(table));
                }
                Ok(false) => {}
                Err(error) if table.engine().ordinal() == self.engine().ordinal() => return Err(error),
                Err(_) => {}
            }
        }
        Ok(None)
    }

    /// Releases entries of dropped indexes in a stripe.
    fn release_dropped(&self) -> Result<bool> {
        self.release_stripe(&self.state())
    }

    /// Removes what has expired in a stripe.
    fn remove_some_expired(&self) -> Result<bool> {
        let table = self.state();
        let now = self.now_for(&table);
        let Some(stripe) = table.expiries.as_ref().and_then(|expiries| expiries.due(now)) else { return Ok(false) };
        // The write that needs the memory goes on.
        self.remove_expired_in(&table, stripe, now, None)?;
        self.engine().compact_stripe(stripe)?;
        Ok(true)
    }

    /// Evicts the items that wait for it longest, as long as that is since this number at least.
    fn evict_older_than(&self, since: u64, search: u64) -> Result<bool> {
        let victims = self.engine().take_victims_older_than(since, search)?;
        let Some(first) = victims.first() else { return Ok(false) };
        let stripe = first.key_ref().stripe();
        let table = self.state();
        self.evict_all(&victims, self.now_for(&table))?;
        self.engine().compact_stripe(stripe)?;
        Ok(true)
    }

    /// Removes those of these items that nobody has changed since they were chosen, and counts them.
    fn evict_all(&self, victims: &[Record], now: i64) -> Result<()> {
        let mut evicted = 0;
        for victim in victims {
            evicted += u64::from(self.evict(victim, now)?);
        }
        self.engine().note_evictions(evicted);
        Ok(())
    }

    /// Removes an item that nothing but this could evict again, whatever becomes of the schema meanwhile; false where
    /// it is not the same any more.
    fn evict(&self, victim: &Record, now: i64) -> Result<bool> {
        loop {
            let table = self.state();
            if self.remove_if_same(&table, victim, now, Remover::Eviction)? {
                return Ok(true);
            }
            if self.is_current(&table) {
                return Ok(false);
            }
        }
    }

    /// Removes what has expired, everywhere; how many items that were.
    ///
    /// # Errors
    /// [`Error::Interrupted`], where a part of them is removed, each from its indexes, too; [`Error::Poisoned`].
    pub fn purge_expired(&self) -> Result<usize> {
        let table = self.state();
        let now = self.now_for(&table);
        let Some(expiries) = &table.expiries else { return Ok(0) };
        let mut purged = 0;
        for stripe in StripeId::all().filter(|stripe| expiries.is_due(*stripe, now)) {
            purged += self.remove_expired_in(&table, stripe, now, self.interrupt.as_ref())?;
        }
        Ok(purged)
    }

    /// After a write: removes some of what has expired in the stripes of its keys, so that the memory of expired items
    /// comes back without a call, and no write waits for more than a few of them.
    pub(crate) fn remove_expired_near(
        &self,
        table: &Arc<TableState>,
        stripes: impl Iterator<Item = StripeId>,
        now: i64,
    ) -> Result<()> {
        let Some(expiries) = table.expiries.as_ref().filter(|_| table.hides_expired()) else { return Ok(()) };
        for stripe in stripes.filter(|stripe| expiries.is_due(*stripe, now)) {
            if let Some(sweep) = expiries.try_sweep(stripe) {
                self.go_on_with(sweep, table, stripe, now)?;
                self.keep_to_limit(|| std::iter::once(stripe))?;
            }
        }
        Ok(())
    }

    /// Removes all that has expired in a stripe; how many items that were.
    fn remove_expired_in(
        &self,
        table: &Arc<TableState>,
        stripe: StripeId,
        now: i64,
        interrupt: Option<&Interrupt>,
    ) -> Result<usize> {
        let Some(expiries) = &table.expiries else { return Ok(0) };
        let mut removed = 0;
        let mut sweep = Some(expiries.sweep(stripe));
        while let Some(under_way) = sweep {
            interrupt.map_or(Ok(()), Interrupt::check)?;
            let step;
            (sweep, step) = self.go_on_with(under_way, table, stripe, now)?;
            removed += step;
        }
        Ok(removed)
    }

    /// Goes on with a sweep for a few records; none where that was its end, and how many items it removed.
    fn go_on_with<'a>(
        &self,
        mut sweep: Sweep<'a>,
        table: &Arc<TableState>,
        stripe: StripeId,
        now: i64,
    ) -> Result<(Option<Sweep<'a>>, usize)> {
        let range = ScanRange::segment(stripe.index() as u32, STRIPES as u32)?;
        let range = match sweep.last() {
            Some(last) => range.after(&last.pk, last.sk.as_deref().unwrap_or_default()),
            None => range,
        };
        let mut pager = Pager::over(self.engine(), range, SWEEP_STEP);
        let records = pager.next().transpose()?.unwrap_or_default();
        let mut removed = 0;
        let mut seen = 0;
        for record in &records {
            if removed == SWEEP_REMOVALS {
                break;
            }
            if table.is_expired(record, now) && self.remove_if_same(table, record, now, Remover::TimeToLive)? {
                removed += 1;
            } else if let Some(expires_at) = table.expires_at(record.item()).filter(|time| may_pass(*time, now)) {
                sweep.leave(expires_at);
            }
            seen += 1;
        }
        if !pager.is_at_end() || seen < records.len() {
            if let Some(last) = seen.checked_sub(1) {
                sweep.reach(&records[last]);
            }
            return Ok((Some(sweep), removed));
        }
        sweep.end();
        Ok((None, removed))
    }
}

/// The place of the table whose oldest item seems to be the oldest of all, and since when that waits.
fn oldest_of(tables: &[&Table]) -> Option<(usize, u64)> {
    let oldest = |(at, table): (usize, &&Table)| Some((at, table.engine().oldest_at_most()?));
    tables.iter().enumerate().filter_map(oldest).min_by_key(|(_, since)| *since)
}

#[cfg(test)]
mod tests {
    use kstone_core::engine::Eviction;

    use super::*;
    use crate::Database;
    use crate::{DatabaseOptions, Item, ItemBuilder, TableSchema};

    /// The schema changes after the table was looked up and before the victim's stripe is locked.
    #[test]
    fn a_victim_is_evicted_whatever_becomes_of_the_schema_meanwhile() -> Result<()> {
        let options =
            DatabaseOptions { memory_max_bytes: 4 << 20, eviction: Eviction::Lru, ..DatabaseOptions::default() };
        let db = Database::create_in_memory_with_options(options)?;
        db.put(b"a", Item::new())?;
        let victims = db.engine().take_victims()?;
        std::thread::scope(|scope| -> Result<()> {
            let evicting = db.engine().commit(&[victims[0].key_ref()], |_| {
                let table = db.state();
                let looked_up = Arc::strong_count(&table);
                let evicting = scope.spawn(|| db.evict_all(&victims, 0));
                while Arc::strong_count(&table) == looked_up {
                    std::thread::yield_now();
                }
                db.install(Arc::new(TableState::following(TableSchema::new().name("later"), Some(&table), 0)?));
                Ok::<_, crate::Error>((Vec::new(), evicting))
            })?;
            evicting.join().expect("no panic")
        })?;
        assert_eq!((db.stats()?.evictions, db.stats()?.items), (1, 0));
        Ok(())
    }

    /// Between the choice of the victims and their removal others write: what they wrote stays.
    #[test]
    fn a_victim_that_was_written_or_deleted_meanwhile_is_not_evicted() -> Result<()> {
        let options =
            DatabaseOptions { memory_max_bytes: 4 << 20, eviction: Eviction::Lru, ..DatabaseOptions::default() };
        let db = Database::create_in_memory_with_options(options)?;
        // One partition, so that one stripe has many victims.
        for i in 0..2000_u32 {
            db.put_with_sk(b"p", &i.to_be_bytes(), ItemBuilder::new().string("text", "x".repeat(100)).build())?;
        }
        let victims = db.engine().take_victims()?;
        assert!(victims.len() > 10);
        db.put_with_sk(b"p", victims[0].sk(), Item::new())?;
        db.delete_with_sk(b"p", victims[1].sk())?;
        let before = db.stats()?;
        db.evict_all(&victims, 0)?;
        let stats = db.stats()?;
        let evicted = victims.len() as u64 - 2;
        assert_eq!((stats.evictions, stats.items), (evicted, before.items - evicted));
        assert_eq!(db.get_with_sk(b"p", victims[0].sk())?, Some(Item::new()));
        Ok(())
    }
}
