//! The one write path: items, their index entries and the stream change as one.
//!
//! ```text
//! simple       lock the items' stripes ─► decide ─► write ─► note in the stream
//! otherwise    read the items ─► decide, derive entries ─► lock all stripes ─► still those items? ─► write ─► note
//!                   ▲                                                                    │ no
//!                   └────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Otherwise: with indexes, a memory limit, or expressions over large items. Which stripes a write needs depends on the
//! entries of the item that is there, and memory is reserved before any lock is taken, so the item is read first and
//! looked at again under the locks. Another writer got ahead each time this starts over, so one of them always gets on.

use std::sync::Arc;

use crate::error::{Error, Result};
use kstone_core::key::{Key, KeyRef};
use kstone_core::record::Record;

use crate::database::Database;
use crate::request::write::{ItemChange, Prepared};
use crate::table::Table;
use crate::table::index;
use crate::table::stream::{Change as StreamChange, Garbage, Remover, Stream};

/// Makes one outcome of many: the changes to do, or the error to fail with.
pub(crate) type Settle = fn(Vec<Result<ItemChange>>) -> Result<Vec<ItemChange>>;

/// The most bytes of items that expressions are asked of while stripes are locked: some tens of microseconds. Where it
/// is more they are asked first, and the items looked at again under the locks.
const LOCKED_EVALUATION_MAX_BYTES: usize = 16 << 10;
/// How often that is tried before they are asked under the locks after all: other writers always get ahead of it.
const UNLOCKED_EVALUATIONS_MAX: usize = 8;

/// What a commit will write. Records of items come first.
struct CommitPlan {
    records: Vec<Record>,
    /// For each of the items' records, what it replaces.
    replaced: Vec<Replaced>,
    returned: Vec<Option<Record>>,
}

struct Replaced {
    old: Option<Record>,
    /// What removes the old item before the write, or instead of one, where that is not the write itself.
    removed_by: Option<Remover>,
}

/// What a commit leaves behind.
struct Done {
    replaced: Vec<Replaced>,
    returned: Vec<Option<Record>>,
    /// Dropped after the locks.
    garbage: Option<Garbage>,
}

impl Database {
    /// Decides all writes on the items that are there and does them, as one; what each returns of its item.
    pub(crate) fn commit_prepared(&self, writes: &[Prepared<'_>], settle: Settle) -> Result<Vec<Option<Record>>> {
        let mut attempts = 0;
        loop {
            let table = self.table();
            let now = self.now_for(&table);
            let done = if table.has_indexes() || self.engine().is_limited() {
                self.commit_if_unchanged(&table, now, writes, settle)?
            } else if attempts == 0 {
                self.commit_at_once(&table, now, writes, (settle, LOCKED_EVALUATION_MAX_BYTES))?
            } else if attempts <= UNLOCKED_EVALUATIONS_MAX {
                self.commit_if_unchanged(&table, now, writes, settle)?
            } else {
                self.commit_at_once(&table, now, writes, (settle, usize::MAX))?
            };
            attempts += 1;
            if let Some(done) = done {
                self.remove_expired_near(&table, writes.iter().map(|write| write.key), now)?;
                return Ok(done.returned);
            }
        }
    }

    /// Decides under the locks. None where the schema changed meanwhile, or where expressions would be asked of more
    /// than so many bytes of items.
    fn commit_at_once(
        &self,
        table: &Arc<Table>,
        now: i64,
        writes: &[Prepared<'_>],
        (settle, evaluation_max_bytes): (Settle, usize),
    ) -> Result<Option<Done>> {
        let keys: Vec<KeyRef<'_>> = writes.iter().map(|write| write.key).collect();
        self.engine().commit_observed(
            &keys,
            |present| {
                if !self.is_current(table) {
                    return Ok((Vec::new(), None));
                }
                let olds: Vec<Option<Record>> =
                    keys.iter().map(|key| present.get(*key).map(|record| record.clone())).collect();
                if evaluated_bytes(writes, &olds) > evaluation_max_bytes {
                    return Ok((Vec::new(), None));
                }
                let plan = plan(table, now, writes, olds, settle)?;
                Ok((plan.records, Some(Done { replaced: plan.replaced, returned: plan.returned, garbage: None })))
            },
            |records, done| note(table, now, records, done),
        )
    }

    /// Decides first. None where an item or the schema changed meanwhile.
    fn commit_if_unchanged(
        &self,
        table: &Arc<Table>,
        now: i64,
        writes: &[Prepared<'_>],
        settle: Settle,
    ) -> Result<Option<Done>> {
        let keys: Vec<KeyRef<'_>> = writes.iter().map(|write| write.key).collect();
        let olds = self.engine().present(&keys)?;
        let CommitPlan { records, replaced, returned } = plan(table, now, writes, olds.clone(), settle)?;
        let _reserved = self.reserve(&records, stream_growth(table, &replaced, &records))?;
        let all_keys: Vec<Key> = records.iter().map(Record::key).collect();
        let mut locked = keys.clone();
        for key in &all_keys {
            locked.push(key.as_key_ref()?);
        }
        let done = self.engine().commit_observed(
            &locked,
            |present| {
                let unchanged = keys.iter().zip(&olds).all(|(key, old)| match (present.get(*key), old) {
                    (Some(now), Some(then)) => now.same(then),
                    (None, None) => true,
                    _ => false,
                });
                if !unchanged || !self.is_current(table) {
                    return Ok::<_, Error>((Vec::new(), None));
                }
                Ok((records, Some(Done { replaced, returned, garbage: None })))
            },
            |records, done| note(table, now, records, done),
        )?;
        self.keep_to_limit(|| locked.iter().map(KeyRef::stripe))?;
        Ok(done)
    }
}

/// The bytes of items that expressions are asked of.
fn evaluated_bytes(writes: &[Prepared<'_>], olds: &[Option<Record>]) -> usize {
    let asked = writes.iter().zip(olds).filter(|(write, _)| write.has_expression());
    asked.filter_map(|(_, old)| old.as_ref()).map(|old| old.body().len()).sum()
}

/// What the stream may grow by when these records of items, followed by those of entries, are noted in it.
fn stream_growth(table: &Table, replaced: &[Replaced], records: &[Record]) -> usize {
    if table.stream.is_none() {
        return 0;
    }
    replaced.iter().zip(records).map(|(replaced, record)| Stream::growth_of(replaced.old.as_ref(), record)).sum()
}

/// What the writes come to, given the items that are there.
fn plan(
    table: &Table,
    now: i64,
    writes: &[Prepared<'_>],
    olds: Vec<Option<Record>>,
    settle: Settle,
) -> Result<CommitPlan> {
    let expired: Vec<bool> = olds.iter().map(|old| old.as_ref().is_some_and(|old| table.is_hidden(old, now))).collect();
    let outcomes = writes.iter().zip(&olds).zip(&expired).map(|((write, old), &expired)| {
        write.check(table)?;
        let mut change = write.decide(old.as_ref().filter(|_| !expired))?;
        change.entries = entry_changes(table, old.as_ref(), change.record.as_ref())?;
        Ok(change)
    });
    let changes = settle(outcomes.collect())?;
    let mut plan = CommitPlan { records: Vec::new(), replaced: Vec::new(), returned: Vec::new() };
    let mut entries = Vec::new();
    for ((change, old), expired) in changes.into_iter().zip(olds).zip(expired) {
        if let Some(record) = change.record {
            plan.records.push(record);
            plan.replaced.push(Replaced { old, removed_by: expired.then_some(Remover::TimeToLive) });
        }
        plan.returned.push(change.returned);
        entries.extend(change.entries);
    }
    plan.records.extend(entries);
    Ok(plan)
}

/// The records that keep the indexes in step with a change of an item; none where the item stays.
pub(crate) fn entry_changes(table: &Table, old: Option<&Record>, new: Option<&Record>) -> Result<Vec<Record>> {
    let Some(new) = new.filter(|_| table.has_indexes()) else { return Ok(Vec::new()) };
    let before = old.map_or_else(Vec::new, |old| table.present_entries(old));
    let after = if new.is_tombstone() { Vec::new() } else { table.entries(new)? };
    Ok(index::diff(&before, &after))
}

/// Notes when the numbered records expire, and what they change in the stream, while the locks are held.
fn note(table: &Table, now: i64, records: &[Record], done: &mut Option<Done>) {
    let Some(done) = done else { return };
    table.note_expiries(&records[..done.replaced.len()], now);
    let Some(stream) = &table.stream else { return };
    let changes =
        done.replaced.iter().zip(records).flat_map(|(replaced, record)| stream_changes(stream, replaced, record));
    let changes: Vec<StreamChange> = changes.collect();
    done.garbage = Some(stream.append(changes, now));
}

fn stream_changes(stream: &Stream, replaced: &Replaced, record: &Record) -> impl Iterator<Item = StreamChange> {
    let old = replaced.old.as_ref();
    let removal = old.zip(replaced.removed_by).map(|(old, by)| stream.removal(old, by));
    let change = stream.change(old.filter(|_| replaced.removed_by.is_none()), record);
    removal.into_iter().chain(change)
}

impl Database {
    /// Removes an item with its entries, if it is still that one; whether it was.
    pub(crate) fn remove_if_same(&self, table: &Arc<Table>, record: &Record, now: i64, by: Remover) -> Result<bool> {
        let key = record.key_ref();
        let entries = entry_changes(table, Some(record), Some(&Record::tombstone(key)))?;
        let entry_keys: Vec<Key> = entries.iter().map(Record::key).collect();
        let mut keys = vec![key];
        for key in &entry_keys {
            keys.push(key.as_key_ref()?);
        }
        let done = self.engine().commit_observed(
            &keys,
            |present| {
                if !self.is_current(table) || !present.get(key).is_some_and(|now| now.same(record)) {
                    return Ok::<_, Error>((Vec::new(), None));
                }
                let records = std::iter::once(Record::tombstone(key)).chain(entries).collect();
                let replaced = vec![Replaced { old: Some(record.clone()), removed_by: Some(by) }];
                Ok((records, Some(Done { replaced, returned: Vec::new(), garbage: None })))
            },
            |records, done| note(table, now, records, done),
        )?;
        Ok(done.is_some())
    }
}
