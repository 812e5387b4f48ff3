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
//! Nothing is allocated but the records that are written and what is returned, for up to [`INLINE_WRITES`] of them. One
//! write is done at once without any list: see [`one`].

use std::sync::Arc;

use crate::error::{CancellationReason, Error, Result};
use kstone_core::engine::{Commit, Engine, INLINE_WRITES, KeyWrite, Writes};
use kstone_core::key::{KeyRef, RoutedKey, StripeId};
use kstone_core::record::{Lent, Record};
use smallvec::SmallVec;

use crate::request::transaction::check_transaction_size;
use crate::request::write::{ItemChange, MadeBody, Prepared};
use crate::table::Table;
use crate::table::state::TableState;
use crate::table::stream::{Change as StreamChange, Garbage, Remover, Stream};

mod one;

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
struct CommitPlan<'a> {
    items: SmallVec<[ItemWrite<'a>; INLINE_WRITES]>,
    entries: Writes,
    returned: Returned,
}

/// A version of an item to be written.
struct ItemWrite<'a> {
    write: KeyWrite<'a>,
    /// Which of the writes it is of, and so which of the items it replaces.
    of: usize,
    /// What removes the old item before the write, or instead of one, where that is not the write itself.
    removed_by: Option<Remover>,
}

impl ItemWrite<'_> {
    /// The record, where it has one already.
    fn record(&self) -> Option<&Record> {
        match &self.write {
            KeyWrite::Record(_, record) => Some(record),
            KeyWrite::Put(..) | KeyWrite::Delete(_) => None,
        }
    }
}

/// Key and body of an item that is put.
fn put_of<'a>(write: &'a KeyWrite<'_>) -> Option<(KeyRef<'a>, &'a [u8])> {
    match write {
        KeyWrite::Put(key, body) => Some((key.key(), body)),
        KeyWrite::Record(_, record) => (!record.is_tombstone()).then(|| (record.key_ref(), record.body())),
        KeyWrite::Delete(_) => None,
    }
}

impl CommitPlan<'_> {
    fn records(&self) -> impl Iterator<Item = &Record> + Clone {
        self.items.iter().filter_map(ItemWrite::record).chain(self.entries.iter().map(|(_, record)| record))
    }

    fn stripes(&self) -> impl Iterator<Item = StripeId> {
        let items = self.items.iter().map(|item| item.write.stripe());
        items.chain(self.entries.iter().map(|(route, _)| route.stripe()))
    }

    /// Writes everything; what it returns of the items.
    #[inline]
    fn carry_out(&mut self, engine: &Engine, commit: Commit<'_>) -> Returned {
        let mut writing = commit.writing();
        for item in self.items.drain(..) {
            writing.write(engine, item.write);
        }
        for entry in self.entries.drain(..) {
            writing.write(engine, entry.into());
        }
        writing.finish();
        std::mem::take(&mut self.returned)
    }
}

/// By what a commit decides.
#[derive(Clone, Copy)]
struct Terms<'t> {
    /// Whose indexes, stream or memory limit have to know the records that are written. None where a write concerns its
    /// item alone: then the engine makes records where it has to.
    table: Option<&'t TableState>,
    now: i64,
}

impl Table {
    /// Decides all writes on the items that are there and does them, as one; what each returns of its item.
    pub(crate) fn commit_prepared(&self, writes: &[Prepared<'_>], settle: Settle) -> Result<Returned> {
        let keys: Keys<'_> = writes.iter().map(|write| write.key.get().into()).collect();
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
        let engine = self.engine();
        let mut commit = Commit::new();
        commit.lock(keys.iter().map(|key| (engine, key.stripe())))?;
        let table = self.engine().writes_are_watched().then(|| self.state_in_force());
        if table.is_none()
            && let Some(unasked) = keys.iter().zip(writes).map(|(key, write)| write.unasked(key)).collect()
        {
            return write_unasked(engine, commit, unasked, settle).map(Some);
        }
        let terms = self.terms(table.as_deref());
        let lent: SmallVec<[Option<Lent<'_>>; INLINE_WRITES]> =
            keys.iter().map(|key| commit.get(engine, key)).collect();
        let olds: Olds<'_> = lent.iter().map(Option::as_deref).collect();
        if evaluated_bytes(writes, &olds) > evaluation_max_bytes {
            return Ok(None);
        }
        let mut plan = CommitPlan::default();
        plan.add_all(terms, (writes, keys, &olds), settle)?;
        let changes = terms.stream_changes(&plan.items, |item| olds[item.of]);
        drop(olds);
        drop(lent);
        for (route, _) in &plan.entries {
            if !commit.try_lock(engine, route.stripe())? {
                return Ok(None);
            }
        }
        let garbage = terms.note(&plan.items, changes);
        let now = terms.now;
        let cleaning = table.and_then(|table| table.needs_cleaning().then(|| Arc::clone(&table)));
        let returned = plan.carry_out(engine, commit);
        drop(garbage);
        if let Some(table) = cleaning {
            self.clean_near(&table, keys, now)?;
        }
        Ok(Some(returned))
    }

    /// By what writes are decided under their locks: this table is in force, unless it is plain.
    fn terms<'t>(&self, table: Option<&'t Arc<TableState>>) -> Terms<'t> {
        let now = table.map_or(0, |table| self.now_for(table));
        Terms { table: table.map(|table| &**table), now }
    }

    /// Decides first. None where an item or the schema changed meanwhile.
    fn commit_if_unchanged(
        &self,
        writes: &[Prepared<'_>],
        keys: &Keys<'_>,
        settle: Settle,
    ) -> Result<Option<Returned>> {
        let table = self.state();
        let terms = self.terms(Some(&table));
        let named: Vec<KeyRef<'_>> = keys.iter().map(RoutedKey::key).collect();
        let present = self.engine().present(&named)?;
        let olds: Olds<'_> = present.iter().map(Option::as_ref).collect();
        let mut plan = CommitPlan::default();
        plan.add_all(terms, (writes, keys, &olds), settle)?;
        let _reserved = self.reserve(plan.records(), terms.stream_growth(&plan.items, &olds))?;
        let engine = self.engine();
        let mut commit = Commit::new();
        let stripes = keys.iter().map(RoutedKey::stripe).chain(plan.stripes());
        commit.lock(stripes.map(|stripe| (engine, stripe)))?;
        let unchanged = keys.iter().zip(&olds).all(|(key, old)| match (commit.get(engine, key), old) {
            (Some(now), Some(then)) => now.same(then),
            (None, None) => true,
            _ => false,
        });
        if !unchanged || !self.is_current(&table) {
            return Ok(None);
        }
        let changes = terms.stream_changes(&plan.items, |item| olds[item.of]);
        let garbage = terms.note(&plan.items, changes);
        let stripes: SmallVec<[StripeId; 2 * INLINE_WRITES]> = plan.stripes().collect();
        let returned = plan.carry_out(engine, commit);
        drop(garbage);
        self.keep_to_limit(|| stripes.into_iter())?;
        self.clean_near(&table, keys, terms.now)?;
        Ok(Some(returned))
    }

    /// After a write: removes some of what has expired and of what dropped indexes left.
    fn clean_near(&self, table: &Arc<TableState>, keys: &[RoutedKey<'_>], now: i64) -> Result<()> {
        self.remove_expired_near(table, keys, now)?;
        keys.first().map_or(Ok(()), |key| self.release_some(table, key.stripe()))
    }
}

/// Writes where nothing is asked of the items that are there.
fn write_unasked(
    engine: &Engine,
    commit: Commit<'_>,
    writes: SmallVec<[KeyWrite<'_>; INLINE_WRITES]>,
    settle: Settle,
) -> Result<Returned> {
    if settle == Settle::EveryReason {
        check_transaction_size(|| writes.iter().filter_map(put_of))?;
    }
    let returned = Returned::from_elem(None, writes.len());
    commit.write(engine, writes);
    Ok(returned)
}

/// The bytes of items that expressions are asked of.
fn evaluated_bytes(writes: &[Prepared<'_>], olds: &Olds<'_>) -> usize {
    let asked = writes.iter().zip(olds).filter(|(write, _)| write.has_expression());
    asked.filter_map(|(_, old)| *old).map(|old| old.body().len()).sum()
}

impl<'w> CommitPlan<'w> {
    /// Adds what the writes come to, given the items that are there. What it holds after an error is of no use.
    fn add_all(
        &mut self,
        terms: Terms<'_>,
        (writes, keys, olds): (&'w [Prepared<'_>], &'w Keys<'_>, &Olds<'_>),
        settle: Settle,
    ) -> Result<()> {
        // As long as nothing fails there are none.
        let mut reasons: Vec<Option<CancellationReason>> = Vec::new();
        for (at, write) in writes.iter().enumerate() {
            match terms.decide(write, (&keys[at], olds[at]), &mut self.entries) {
                Ok((returned, item)) => {
                    self.returned.push(returned);
                    self.items.extend(item.map(|item| ItemWrite { of: at, ..item }));
                }
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
            check_transaction_size(|| self.items.iter().filter_map(|item| put_of(&item.write)))?;
        }
        Ok(())
    }
}

impl Terms<'_> {
    /// What a write returns and what it writes, given the item that is there; the writes of its index entries are added.
    fn decide<'w>(
        self,
        write: &'w Prepared<'_>,
        (key, old): (&'w RoutedKey<'w>, Option<&Record>),
        entries: &mut Writes,
    ) -> Result<(Option<Record>, Option<ItemWrite<'w>>)> {
        let mut made = MadeBody::new();
        let Some(table) = self.table else {
            let ItemChange { new, returned } = write.decide(key, old, &mut made)?;
            let write = new.kept(key, &made);
            return Ok((returned, write.map(|write| ItemWrite { write, of: 0, removed_by: None })));
        };
        let is_expired = old.is_some_and(|old| table.is_hidden(old, self.now));
        if write.is_conditional() {
            // Otherwise making the entries finds the same.
            write.check(table)?;
        }
        let ItemChange { new, returned } = write.decide(key, old.filter(|_| !is_expired), &mut made)?;
        let Some(record) = new.record(key, &made) else { return Ok((returned, None)) };
        table.change_entries(old, Some(&record), entries)?;
        let removed_by = is_expired.then_some(Remover::TimeToLive);
        Ok((returned, Some(ItemWrite { write: KeyWrite::Record(key.route(), record), of: 0, removed_by })))
    }

    /// What the stream may grow by when these writes are noted in it.
    fn stream_growth(self, items: &[ItemWrite<'_>], olds: &Olds<'_>) -> usize {
        if self.table.is_none_or(|table| table.stream.is_none()) {
            return 0;
        }
        let growth = |item: &ItemWrite<'_>| Some(Stream::growth_of(olds[item.of], item.record()?));
        items.iter().filter_map(growth).sum()
    }

    /// What the writes change, for the stream; nothing where there is none.
    fn stream_changes<'o>(
        self,
        items: &[ItemWrite<'_>],
        old: impl Fn(&ItemWrite<'_>) -> Option<&'o Record>,
    ) -> StreamChanges {
        let Some(stream) = self.table.and_then(|table| table.stream.as_ref()) else { return StreamChanges::new() };
        let mut changes = StreamChanges::new();
        for item in items {
            let old = old(item);
            changes.extend(old.zip(item.removed_by).map(|(old, by)| stream.removal(old, by)));
            let change = |record| stream.change(old.filter(|_| item.removed_by.is_none()), record);
            changes.extend(item.record().and_then(change));
        }
        changes
    }

    /// Notes when the items expire, and what they change in the stream, while the locks are held; what that is to be
    /// dropped after them.
    fn note(self, items: &[ItemWrite<'_>], changes: StreamChanges) -> Option<Garbage> {
        let table = self.table?;
        table.note_expiries(items.iter().filter_map(|item| Some((item.write.stripe(), item.record()?))), self.now);
        table.stream.as_ref().map(|stream| stream.append(changes, self.now))
    }
}

type StreamChanges = SmallVec<[StreamChange; 1]>;

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
        let write = KeyWrite::Record(key.route(), tombstone);
        plan.items.push(ItemWrite { write, of: 0, removed_by: Some(by) });
        let engine = self.engine();
        let mut commit = Commit::new();
        commit.lock(plan.stripes().map(|stripe| (engine, stripe)))?;
        if !self.is_current(table) || !commit.get(engine, &key).is_some_and(|now| now.same(record)) {
            return Ok(false);
        }
        let terms = Terms { table: Some(table), now };
        let changes = terms.stream_changes(&plan.items, |_| Some(record));
        let garbage = terms.note(&plan.items, changes);
        plan.carry_out(engine, commit);
        drop(garbage);
        Ok(true)
    }
}
