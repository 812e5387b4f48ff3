//! What a commit will write, table by table, and by what it decides that.

use kstone_core::engine::{Commit, Engine, INLINE_WRITES, KeyWrite, Writes};
use kstone_core::key::{KeyRef, RoutedKey, StripeId};
use kstone_core::record::Record;
use smallvec::SmallVec;
use std::sync::Arc;

use super::outcome::WriteOutcome;
use super::tables::Tables;
use super::{Keys, Returned, Settle};
use crate::error::{CancellationReason, Error, Result};
use crate::request::transaction::check_transaction_size;
use crate::request::write::{ItemChange, MadeBody, Prepared};
use crate::table::state::TableState;
use crate::table::stream::{Change as StreamChange, Garbage, Remover, Stream};

/// The items that are there, under the keys of the writes.
pub(super) type Olds<'a> = SmallVec<[Option<&'a Record>; INLINE_WRITES]>;

/// What a commit will write.
pub(super) struct CommitPlan<'a, T: Tables> {
    tables: &'a T,
    items: SmallVec<[ItemWrite<'a>; INLINE_WRITES]>,
    /// Of each table.
    entries: T::Each<Writes>,
    returned: Returned,
}

/// A version of an item to be written.
pub(super) struct ItemWrite<'a> {
    pub(super) write: KeyWrite<'a>,
    /// Which of the writes it is of, and so which of the items it replaces.
    pub(super) of: usize,
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
pub(super) fn put_of<'a>(write: &'a KeyWrite<'_>) -> Option<(KeyRef<'a>, &'a [u8])> {
    match write {
        KeyWrite::Put(key, body) => Some((key.key(), body)),
        KeyWrite::Record(_, record) => (!record.is_tombstone()).then(|| (record.key_ref(), record.body())),
        KeyWrite::Delete(_) => None,
    }
}

impl<'a, T: Tables> CommitPlan<'a, T> {
    pub(super) fn new(tables: &'a T) -> Self {
        let entries = tables.each(|_, _| Writes::new());
        Self { tables, items: SmallVec::new(), entries, returned: Returned::new() }
    }

    /// Adds what the writes come to, given the items that are there. What it holds after an error is of no use.
    pub(super) fn add_all<'t>(
        &mut self,
        terms: impl Fn(usize) -> Terms<'t>,
        (writes, keys, olds): (&'a [Prepared<'_>], &'a Keys<'_>, &Olds<'_>),
        settle: Settle,
    ) -> Result<()> {
        // As long as nothing fails there are none.
        let mut reasons: Vec<Option<CancellationReason>> = Vec::new();
        for (at, write) in writes.iter().enumerate() {
            let place = self.tables.place(at);
            match terms(place).decide(write, (&keys[at], olds[at]), &mut self.entries.as_mut()[place]) {
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

    /// Adds the removal of an item.
    pub(super) fn remove<'t>(
        &mut self,
        terms: impl Fn(usize) -> Terms<'t>,
        (key, record): (&RoutedKey<'_>, &Record),
        by: Remover,
    ) -> Result<()> {
        let tombstone = Record::tombstone_of(key);
        if let Some(table) = terms(0).table {
            table.change_entries(Some(record), Some(&tombstone), &mut self.entries.as_mut()[0])?;
        }
        let write = KeyWrite::Record(key.route(), tombstone);
        self.items.push(ItemWrite { write, of: 0, removed_by: Some(by) });
        Ok(())
    }

    /// The items of the table at this place.
    pub(super) fn items_of(&self, place: usize) -> impl Iterator<Item = &ItemWrite<'a>> + Clone {
        self.items.iter().filter(move |item| self.tables.place(item.of) == place)
    }

    fn entries_of(&self, place: usize) -> &Writes {
        &self.entries.as_ref()[place]
    }

    /// What is written to the table at this place, where there are records of it.
    pub(super) fn records_of(&self, place: usize) -> impl Iterator<Item = &Record> + Clone {
        let entries = self.entries_of(place).iter().map(|(_, record)| record);
        self.items_of(place).filter_map(ItemWrite::record).chain(entries)
    }

    pub(super) fn stripes_of(&self, place: usize) -> impl Iterator<Item = StripeId> {
        let entries = self.entries_of(place).iter().map(|(route, _)| route.stripe());
        self.items_of(place).map(|item| item.write.stripe()).chain(entries)
    }

    /// Where the entries lie.
    pub(super) fn entry_stripes(&self) -> impl Iterator<Item = (&'a Engine, StripeId)> {
        let of_tables = self.entries.as_ref().iter().enumerate();
        of_tables.flat_map(|(place, entries)| {
            let engine = self.tables.table(place).engine();
            entries.iter().map(move |(route, _)| (engine, route.stripe()))
        })
    }

    /// What becomes of the item of each write, given the states by which the tables decided.
    pub(super) fn outcomes<'s>(
        &self,
        olds: &Olds<'_>,
        states: impl Fn(usize) -> Option<&'s Arc<TableState>>,
        now: i64,
    ) -> Vec<WriteOutcome> {
        let mut items = self.items.iter().peekable();
        let of_write = |(at, returned): (usize, &Option<Record>)| {
            let table = states(self.tables.place(at))?;
            let old = olds[at].filter(|old| !table.is_hidden(old, now));
            let new = match items.next_if(|item| item.of == at) {
                None => old,
                Some(item) => item.record().filter(|record| !record.is_tombstone()),
            };
            Some(WriteOutcome::new(returned.clone(), (old.cloned(), new.cloned()), Arc::clone(table)))
        };
        self.returned.iter().enumerate().filter_map(of_write).collect()
    }

    /// Notes when the items expire, and what they change in the streams, while the locks are held; what that is to be
    /// dropped after them.
    pub(super) fn note<'t>(
        &self,
        terms: impl Fn(usize) -> Terms<'t>,
        mut changes: T::Each<StreamChanges>,
    ) -> T::Each<Option<Garbage>> {
        self.tables.each(|place, _| {
            let changes = std::mem::take(&mut changes.as_mut()[place]);
            terms(place).note(self.items_of(place), changes)
        })
    }

    /// Writes everything; what it returns of the items.
    #[inline]
    pub(super) fn carry_out(mut self, commit: Commit<'_>) -> Returned {
        let mut writing = commit.writing();
        for item in self.items.drain(..) {
            writing.write(self.tables.of(item.of).engine(), item.write);
        }
        for (place, entries) in self.entries.as_mut().iter_mut().enumerate() {
            for entry in entries.drain(..) {
                writing.write(self.tables.table(place).engine(), entry.into());
            }
        }
        writing.finish();
        self.returned
    }
}

/// By what a commit decides in one table.
#[derive(Clone, Copy)]
pub(super) struct Terms<'t> {
    /// Whose indexes, stream or memory limit have to know the records that are written. None where a write concerns its
    /// item alone: then the engine makes records where it has to.
    pub(super) table: Option<&'t TableState>,
    pub(super) now: i64,
}

impl Terms<'_> {
    /// What a write returns and what it writes, given the item that is there; the writes of its index entries are added.
    pub(super) fn decide<'w>(
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
    pub(super) fn stream_growth<'i, 'w: 'i>(
        self,
        items: impl Iterator<Item = &'i ItemWrite<'w>>,
        olds: &Olds<'_>,
    ) -> usize {
        if self.table.is_none_or(|table| table.stream.is_none()) {
            return 0;
        }
        let growth = |item: &ItemWrite<'_>| Some(Stream::growth_of(olds[item.of], item.record()?));
        items.filter_map(growth).sum()
    }

    /// What the writes change, for the stream; nothing where there is none.
    pub(super) fn stream_changes<'i, 'w: 'i, 'o>(
        self,
        items: impl Iterator<Item = &'i ItemWrite<'w>>,
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
    pub(super) fn note<'i, 'w: 'i>(
        self,
        items: impl Iterator<Item = &'i ItemWrite<'w>>,
        changes: StreamChanges,
    ) -> Option<Garbage> {
        let table = self.table?;
        table.note_expiries(items.filter_map(|item| Some((item.write.stripe(), item.record()?))), self.now);
        table.stream.as_ref().map(|stream| stream.append(changes, self.now))
    }
}

pub(super) type StreamChanges = SmallVec<[StreamChange; 1]>;
