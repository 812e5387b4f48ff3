//! The one write path: items, their index entries and the stream change as one.
//!
//! ```text
//! at once      lock the items' stripes ─► decide, derive entries ─► lock their stripes, if free ─► note ─► write
//! otherwise    read the items ─► decide, derive entries ─► lock all stripes ─► still those items? ─► note ─► write
//!                   ▲                                                                    │ no
//!                   └────────────────────────────────────────────────────────────────────┘
//! ```
//! Otherwise: with a memory limit, since memory is reserved before any lock is taken; with expressions over large
//! items; and where a stripe of an entry is not free, for only locks in their order are waited for. The items are looked
//! at again under the locks then. Another writer got ahead each time this starts over, so one of them always gets on.
//!
//! The writes may be to several tables ([`Tables`]), of which one is the simple case: its stripes are locked, its state
//! looked up, its stream and its cleaning asked as those of each of several are.
//!
//! Nothing is allocated but the records that are written and what is returned, for up to [`INLINE_WRITES`] of them in one
//! table. One write is done at once without any list: see [`one`].

use std::sync::Arc;

use kstone_core::engine::{Commit, INLINE_WRITES, KeyWrite};
use kstone_core::key::{KeyRef, RoutedKey, StripeId};
use kstone_core::record::{Lent, Record};
use smallvec::SmallVec;

use self::plan::{CommitPlan, Olds, Terms, put_of};
use self::tables::Tables;
use crate::error::Result;
use crate::request::transaction::check_transaction_size;
use crate::request::write::Prepared;
use crate::table::Table;
use crate::table::state::TableState;
use crate::table::stream::Remover;

mod one;
pub(crate) mod outcome;
mod plan;
pub(crate) mod tables;

/// What becomes of several writes of which one cannot be done: none is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settle {
    /// The error is that of the first.
    FirstError,
    /// A transaction: the error says of each why it could not be done. What is put is bounded together.
    EveryReason,
}

/// What the writes of a commit return of their items.
pub(crate) type Returned = SmallVec<[Option<Record>; INLINE_WRITES]>;

/// The most bytes of items that expressions are asked of while stripes are locked: some tens of microseconds. Where it
/// is more they are asked first, and the items looked at again under the locks.
const LOCKED_EVALUATION_MAX_BYTES: usize = 16 << 10;
/// How often that is tried before they are asked under the locks after all: other writers always get ahead of it.
const UNLOCKED_EVALUATIONS_MAX: usize = 8;

type Keys<'a> = SmallVec<[RoutedKey<'a>; INLINE_WRITES]>;

/// Decides all writes on the items that are there and does them, as one; what each returns of its item.
pub(crate) fn commit<T: Tables>(tables: &T, writes: &[Prepared<'_>], settle: Settle) -> Result<Returned> {
    let keys: Keys<'_> = writes.iter().map(|write| write.key.get().into()).collect();
    // Tables that are written together have the same options.
    let is_limited = tables.table(0).engine().is_limited();
    let mut attempts = 0;
    loop {
        let evaluation_max_bytes = match attempts {
            _ if is_limited => None,
            0 => Some(LOCKED_EVALUATION_MAX_BYTES),
            1..=UNLOCKED_EVALUATIONS_MAX => None,
            _ => Some(usize::MAX),
        };
        if let Some(max_bytes) = evaluation_max_bytes
            && let Some(returned) = commit_at_once(tables, writes, &keys, (settle, max_bytes))?
        {
            return Ok(returned);
        }
        if let Some(returned) = commit_if_unchanged(tables, writes, &keys, settle)? {
            return Ok(returned);
        }
        attempts += 1;
    }
}

/// Decides under the locks. None where expressions would be asked of more than so many bytes of items, or a stripe of an
/// index entry is not free.
fn commit_at_once<T: Tables>(
    tables: &T,
    writes: &[Prepared<'_>],
    keys: &Keys<'_>,
    (settle, evaluation_max_bytes): (Settle, usize),
) -> Result<Option<Returned>> {
    let mut commit = Commit::new();
    commit.lock(keys.iter().enumerate().map(|(at, key)| (tables.of(at).engine(), key.stripe())))?;
    let watched = tables.each(|_, table| {
        (tables.keeps_outcomes() || table.engine().writes_are_watched()).then(|| table.state_in_force())
    });
    let states = watched.as_ref();
    if states.iter().all(Option::is_none)
        && let Some(unasked) = keys.iter().zip(writes).map(|(key, write)| write.unasked(key)).collect()
    {
        return write_unasked(tables, commit, unasked, settle).map(Some);
    }
    let now = tables.now(states.iter().flatten().map(|state| &***state));
    let terms = |place: usize| Terms { table: states[place].as_deref().map(|state| &**state), now };
    let lent: SmallVec<[Option<Lent<'_>>; INLINE_WRITES]> =
        keys.iter().enumerate().map(|(at, key)| commit.get(tables.of(at).engine(), key)).collect();
    let olds: Olds<'_> = lent.iter().map(Option::as_deref).collect();
    if evaluated_bytes(writes, &olds) > evaluation_max_bytes {
        return Ok(None);
    }
    let mut plan = CommitPlan::new(tables);
    plan.add_all(terms, (writes, keys, &olds), settle)?;
    if tables.keeps_outcomes() {
        tables.keep_outcomes(plan.outcomes(&olds, |place| states[place].as_deref(), now));
    }
    let changes = tables.each(|place, _| terms(place).stream_changes(plan.items_of(place), |item| olds[item.of]));
    drop(olds);
    drop(lent);
    for (engine, stripe) in plan.entry_stripes() {
        if !commit.try_lock(engine, stripe)? {
            return Ok(None);
        }
    }
    let garbage = plan.note(terms, changes);
    let cleaning = tables.each(|place, _| states[place].as_deref().filter(|state| state.needs_cleaning()).cloned());
    drop(watched);
    let returned = plan.carry_out(commit);
    drop(garbage);
    clean_near(tables, cleaning.as_ref(), keys, now)?;
    Ok(Some(returned))
}

/// Decides first. None where an item or a schema changed meanwhile.
fn commit_if_unchanged<T: Tables>(
    tables: &T,
    writes: &[Prepared<'_>],
    keys: &Keys<'_>,
    settle: Settle,
) -> Result<Option<Returned>> {
    let states = tables.each(|_, table| Some(table.state()));
    let states = states.as_ref();
    let now = tables.now(states.iter().flatten().map(|state| &**state));
    let terms = |place: usize| Terms { table: states[place].as_deref(), now };
    let present = tables.try_each(|place, table| {
        let of_table = keys.iter().enumerate().filter(|(at, _)| tables.place(*at) == place);
        let named: Vec<KeyRef<'_>> = of_table.map(|(_, key)| key.key()).collect();
        Ok(table.engine().present(&named)?)
    })?;
    let mut of_tables = tables.each(|place, _| present.as_ref()[place].iter());
    let next_of = |at| of_tables.as_mut()[tables.place(at)].next().and_then(Option::as_ref);
    let olds: Olds<'_> = (0..keys.len()).map(next_of).collect();
    let mut plan = CommitPlan::new(tables);
    plan.add_all(terms, (writes, keys, &olds), settle)?;
    // At once: a table that waited for memory while this holds some for another would wait for itself.
    let growth = tables.each(|place, table| {
        table.growth_of_records(plan.records_of(place), terms(place).stream_growth(plan.items_of(place), &olds))
    });
    let _reserved = tables.table(0).reserve(growth.as_ref().iter().sum())?;
    let mut commit = Commit::new();
    let stripes = keys.iter().enumerate().map(|(at, key)| (tables.of(at).engine(), key.stripe()));
    commit.lock(stripes.chain(plan.entry_stripes()))?;
    let unchanged = keys.iter().zip(&olds).enumerate().all(|(at, (key, old))| {
        match (commit.get(tables.of(at).engine(), key), old) {
            (Some(now), Some(then)) => now.same(then),
            (None, None) => true,
            _ => false,
        }
    });
    let current = tables.each(|place, table| states[place].as_ref().is_some_and(|state| table.is_current(state)));
    if !unchanged || current.as_ref().contains(&false) {
        return Ok(None);
    }
    if tables.keeps_outcomes() {
        tables.keep_outcomes(plan.outcomes(&olds, |place| states[place].as_ref(), now));
    }
    let changes = tables.each(|place, _| terms(place).stream_changes(plan.items_of(place), |item| olds[item.of]));
    let garbage = plan.note(terms, changes);
    let stripes = tables.each(|place, _| plan.stripes_of(place).collect::<SmallVec<[StripeId; 2 * INLINE_WRITES]>>());
    let returned = plan.carry_out(commit);
    drop(garbage);
    for (place, stripes) in stripes.as_ref().iter().enumerate() {
        let table = tables.table(place);
        unless_dropped(table, table.keep_to_limit(|| stripes.iter().copied()))?;
    }
    clean_near(tables, states, keys, now)?;
    Ok(Some(returned))
}

/// Writes where nothing is asked of the items that are there.
fn write_unasked<T: Tables>(
    tables: &T,
    commit: Commit<'_>,
    writes: SmallVec<[KeyWrite<'_>; INLINE_WRITES]>,
    settle: Settle,
) -> Result<Returned> {
    if settle == Settle::EveryReason {
        check_transaction_size(|| writes.iter().filter_map(put_of))?;
    }
    let returned = Returned::from_elem(None, writes.len());
    let mut writing = commit.writing();
    for (at, write) in writes.into_iter().enumerate() {
        writing.write(tables.of(at).engine(), write);
    }
    writing.finish();
    Ok(returned)
}

/// The bytes of items that expressions are asked of.
fn evaluated_bytes(writes: &[Prepared<'_>], olds: &Olds<'_>) -> usize {
    let asked = writes.iter().zip(olds).filter(|(write, _)| write.has_expression());
    asked.filter_map(|(_, old)| *old).map(|old| old.body().len()).sum()
}

/// After the writes: removes some of what has expired and of what dropped indexes left in the tables that are given.
fn clean_near<T: Tables>(
    tables: &T,
    states: &[Option<Arc<TableState>>],
    keys: &[RoutedKey<'_>],
    now: i64,
) -> Result<()> {
    for (place, state) in states.iter().enumerate() {
        let Some(state) = state else { continue };
        let of_table = keys.iter().enumerate().filter(|(at, _)| tables.place(*at) == place);
        let table = tables.table(place);
        unless_dropped(table, table.clean_near(state, of_table.map(|(_, key)| key.stripe()), now))?;
    }
    Ok(())
}

/// What is done after the writes has nothing left to do in a table that was dropped meanwhile, and they are done.
fn unless_dropped(table: &Table, outcome: Result<()>) -> Result<()> {
    outcome.or_else(|error| if table.engine().is_closed() { Ok(()) } else { Err(error) })
}

impl Table {
    /// As [`commit`] in this table.
    pub(crate) fn commit_prepared(&self, writes: &[Prepared<'_>], settle: Settle) -> Result<Returned> {
        commit(self, writes, settle)
    }

    /// After a write: removes some of what has expired and of what dropped indexes left.
    fn clean_near(
        &self,
        table: &Arc<TableState>,
        stripes: impl Iterator<Item = StripeId> + Clone,
        now: i64,
    ) -> Result<()> {
        let first = stripes.clone().next();
        self.remove_expired_near(table, stripes, now)?;
        first.map_or(Ok(()), |stripe| self.release_some(table, stripe))
    }

    /// Removes an item with its entries, if it is still that one; whether it was.
    pub(crate) fn remove_if_same(
        &self,
        table: &Arc<TableState>,
        record: &Record,
        now: i64,
        by: Remover,
    ) -> Result<bool> {
        let key = RoutedKey::from(record.key_ref());
        let mut plan = CommitPlan::new(self);
        let terms = |_| Terms { table: Some(table), now };
        plan.remove(terms, (&key, record), by)?;
        let engine = self.engine();
        let mut commit = Commit::new();
        commit.lock(plan.stripes_of(0).map(|stripe| (engine, stripe)))?;
        if !self.is_current(table) || !commit.get(engine, &key).is_some_and(|now| now.same(record)) {
            return Ok(false);
        }
        let changes = self.each(|place, _| terms(place).stream_changes(plan.items_of(place), |_| Some(record)));
        let garbage = plan.note(terms, changes);
        plan.carry_out(commit);
        drop(garbage);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
