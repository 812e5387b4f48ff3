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
//! Nothing is allocated but the records that are written and what is returned, for up to [`INLINE_WRITES`] of them.

use std::sync::Arc;

use crate::error::{CancellationReason, Error, Result};
use kstone_core::engine::{Commit, INLINE_WRITES, Writes};
use kstone_core::key::{KeyRef, Route, RoutedKey, StripeId};
use kstone_core::record::{Lent, Record};
use smallvec::SmallVec;

use crate::request::transaction::check_transaction_size;
use crate::request::write::Prepared;
use crate::table::Table;
use crate::table::state::TableState;
use crate::table::stream::{Change as StreamChange, Garbage, Remover, Stream};

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
/// The items that are there, under the keys of the writes.
type Olds<'a> = SmallVec<[Option<&'a Record>; INLINE_WRITES]>;

/// What a commit will write.
#[derive(Default)]
struct CommitPlan {
    items: SmallVec<[ItemWrite; INLINE_WRITES]>,
    entries: Writes,
    returned: Returned,
}

/// A version of an item to be written.
struct ItemWrite {
    route: Route,
    record: Record,
    /// Which of the writes it is of, and so which of the items it replaces.
    write: usize,
    /// What removes the old item before the write, or instead of one, where that is not the write itself.
    removed_by: Option<Remover>,
}

impl CommitPlan {
    fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.items.iter().map(|item| &item.record).chain(self.entries.iter().map(|(_, record)| record))
    }

    fn stripes(&self) -> impl Iterator<Item = StripeId> {
        let items = self.items.iter().map(|item| item.route.stripe());
        items.chain(self.entries.iter().map(|(route, _)| route.stripe()))
    }

    /// Writes everything; what it returns of the items.
    #[inline]
    fn carry_out(&mut self, commit: Commit<'_>) -> Returned {
        let items = self.items.drain(..).map(|item| (item.route, item.record));
        commit.write(items.chain(self.entries.drain(..)));
        std::mem::take(&mut self.returned)
    }
}

impl Table {
    /// Decides all writes on the items that are there and does them, as one; what each returns of its item.
    pub(crate) fn commit_prepared(&self, writes: &[Prepared<'_>], settle: Settle) -> Result<Returned> {
        let keys: Keys<'_> = writes.iter().map(|write| write.key.into()).collect();
        let mut attempts = 0;
        loop {
            let evaluation_max_bytes = match attempts {
                _ if self.engine().is_limited() => None,
                0 => Some(LOCKED_EVALUATION_MAX_BYTES),
                1..=UNLOCKED_EVALUATIONS_MAX => None,
                _ => Some(usize::MAX),
            };
            if let Some(max_bytes) = evaluation_max_bytes
                && let Some(returned) = self.commit_at_once(writes, &keys, (settle, max_bytes))?
            {
                return Ok(returned);
            }
            if let Some(returned) = self.commit_if_unchanged(writes, &keys, settle)? {
                return Ok(returned);
            }
            attempts += 1;
        }
    }

    /// Decides under the locks. None where expressions would be asked of more than so many bytes of items, or a stripe
    /// of an index entry is not free.
    fn commit_at_once(
        &self,
        writes: &[Prepared<'_>],
        keys: &Keys<'_>,
        (settle, evaluation_max_bytes): (Settle, usize),
    ) -> Result<Option<Returned>> {
        let mut commit = self.engine().begin();
        commit.lock(keys.iter().map(RoutedKey::stripe))?;
        let table = self.state_in_force();
        let now = self.now_for(&table);
        let lent: SmallVec<[Option<Lent<'_>>; INLINE_WRITES]> = keys.iter().map(|key| commit.get(key)).collect();
        let olds: Olds<'_> = lent.iter().map(Option::as_deref).collect();
        if evaluated_bytes(writes, &olds) > evaluation_max_bytes {
            return Ok(None);
        }
        let mut plan = CommitPlan::default();
        plan.add_all(&table, now, (writes, keys, &olds), settle)?;
        let changes = stream_changes(&table, &plan, &olds);
        drop(olds);
        drop(lent);
        for (route, _) in &plan.entries {
            if !commit.try_lock(route.stripe())? {
                return Ok(None);
            }
        }
        let garbage = note(&table, now, &plan, changes);
        let cleaning = (table.expiries.is_some() || table.left_over().is_some()).then(|| Arc::clone(&table));
        drop(table);
        let returned = plan.carry_out(commit);
        drop(garbage);
        if let Some(table) = cleaning {
            self.clean_near(&table, keys, now)?;
        }
        Ok(Some(returned))
    }

    /// Decides first. None where an item or the schema changed meanwhile.
    fn commit_if_unchanged(
        &self,
        writes: &[Prepared<'_>],
        keys: &Keys<'_>,
        settle: Settle,
    ) -> Result<Option<Returned>> {
        let table = self.state();
        let now = self.now_for(&table);
        let named: Vec<KeyRef<'_>> = keys.iter().map(RoutedKey::key).collect();
        let present = self.engine().present(&named)?;
        let olds: Olds<'_> = present.iter().map(Option::as_ref).collect();
        let mut plan = CommitPlan::default();
        plan.add_all(&table, now, (writes, keys, &olds), settle)?;
        let _reserved = self.reserve(plan.records(), stream_growth(&table, &plan, &olds))?;
        let mut commit = self.engine().begin();
        commit.lock(keys.iter().map(RoutedKey::stripe).chain(plan.stripes()))?;
        let unchanged = keys.iter().zip(&olds).all(|(key, old)| match (commit.get(key), old) {
            (Some(now), Some(then)) => now.same(then),
            (None, None) => true,
            _ => false,
        });
        if !unchanged || !self.is_current(&table) {
            return Ok(None);
        }
        let changes = stream_changes(&table, &plan, &olds);
        let garbage = note(&table, now, &plan, changes);
        let stripes: SmallVec<[StripeId; 2 * INLINE_WRITES]> = plan.stripes().collect();
        let returned = plan.carry_out(commit);
        drop(garbage);
        self.keep_to_limit(|| stripes.into_iter())?;
        self.clean_near(&table, keys, now)?;
        Ok(Some(returned))
    }

    /// After a write: removes some of what has expired and of what dropped indexes left.
    fn clean_near(&self, table: &Arc<TableState>, keys: &Keys<'_>, now: i64) -> Result<()> {
        self.remove_expired_near(table, keys, now)?;
        keys.first().map_or(Ok(()), |key| self.release_some(table, key.stripe()))
    }
}

/// The bytes of items that expressions are asked of.
fn evaluated_bytes(writes: &[Prepared<'_>], olds: &Olds<'_>) -> usize {
    let asked = writes.iter().zip(olds).filter(|(write, _)| write.has_expression());
    asked.filter_map(|(_, old)| *old).map(|old| old.body().len()).sum()
}

impl CommitPlan {
    /// Adds what the writes come to, given the items that are there. What it holds after an error is of no use.
    fn add_all(
        &mut self,
        table: &TableState,
        now: i64,
        (writes, keys, olds): (&[Prepared<'_>], &Keys<'_>, &Olds<'_>),
        settle: Settle,
    ) -> Result<()> {
        // As long as nothing fails there are none.
        let mut reasons: Vec<Option<CancellationReason>> = Vec::new();
        for (at, write) in writes.iter().enumerate() {
            match self.add(table, now, (write, at), (&keys[at], olds[at])) {
                Ok(()) => {}
                Err(error) if settle == Settle::FirstError => return Err(error),
                Err(error) => {
                    reasons.resize(writes.len(), None);
                    reasons[at] = Some(CancellationReason::of(error));
                }
            }
        }
        if !reasons.is_empty() {
            return Err(Error::TransactionCanceled { reasons });
        }
        if settle == Settle::EveryReason {
            let written = self.items.iter().map(|item| &item.record);
            check_transaction_size(|| written.clone().filter(|record| !record.is_tombstone()))?;
        }
        Ok(())
    }

    /// Adds what a write comes to.
    fn add(
        &mut self,
        table: &TableState,
        now: i64,
        (write, at): (&Prepared<'_>, usize),
        (key, old): (&RoutedKey<'_>, Option<&Record>),
    ) -> Result<()> {
        let is_expired = old.is_some_and(|old| table.is_hidden(old, now));
        if write.asks_of_item() {
            // Otherwise making the entries finds the same.
            write.check(table)?;
        }
        let change = write.decide(key, old.filter(|_| !is_expired))?;
        self.returned.push(change.returned);
        let Some(record) = change.record else { return Ok(()) };
        table.change_entries(old, Some(&record), &mut self.entries)?;
        let removed_by = is_expired.then_some(Remover::TimeToLive);
        self.items.push(ItemWrite { route: key.route(), record, write: at, removed_by });
        Ok(())
    }
}

/// What the stream may grow by when these writes are noted in it.
fn stream_growth(table: &TableState, plan: &CommitPlan, olds: &Olds<'_>) -> usize {
    if table.stream.is_none() {
        return 0;
    }
    plan.items.iter().map(|item| Stream::growth_of(olds[item.write], &item.record)).sum()
}

type StreamChanges = SmallVec<[StreamChange; 1]>;

/// What the writes change, for the stream; nothing where there is none.
fn stream_changes(table: &TableState, plan: &CommitPlan, olds: &Olds<'_>) -> StreamChanges {
    let Some(stream) = &table.stream else { return StreamChanges::new() };
    let changes = plan.items.iter().flat_map(|item| {
        let old = olds[item.write];
        let removal = old.zip(item.removed_by).map(|(old, by)| stream.removal(old, by));
        let change = stream.change(old.filter(|_| item.removed_by.is_none()), &item.record);
        removal.into_iter().chain(change)
    });
    changes.collect()
}

/// Notes when the items expire, and what they change in the stream, while the locks are held; what that is to be
/// dropped after them.
fn note(table: &TableState, now: i64, plan: &CommitPlan, changes: StreamChanges) -> Option<Garbage> {
    table.note_expiries(plan.items.iter().map(|item| (item.route.stripe(), &item.record)), now);
    table.stream.as_ref().map(|stream| stream.append(changes, now))
}

impl Table {
    /// Removes an item with its entries, if it is still that one; whether it was.
    pub(crate) fn remove_if_same(
        &self,
        table: &Arc<TableState>,
        record: &Record,
        now: i64,
        by: Remover,
    ) -> Result<bool> {
        let key = RoutedKey::from(record.key_ref());
        let mut plan = CommitPlan::default();
        let tombstone = Record::tombstone_of(&key);
        table.change_entries(Some(record), Some(&tombstone), &mut plan.entries)?;
        plan.items.push(ItemWrite { route: key.route(), record: tombstone, write: 0, removed_by: Some(by) });
        let mut commit = self.engine().begin();
        commit.lock(plan.stripes())?;
        if !self.is_current(table) || !commit.get(&key).is_some_and(|now| now.same(record)) {
            return Ok(false);
        }
        let changes = stream_changes(table, &plan, &Olds::from_slice(&[Some(record)]));
        let garbage = note(table, now, &plan, changes);
        plan.carry_out(commit);
        drop(garbage);
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
