//! Changing the schema of a database that holds data, while reads and writes go on.
//!
//! ```text
//! in force      before ──► before, filling the new indexes ──► after          a step that fails: before again
//!                     │                                   │
//!                     all locks                           all locks           entries of dropped indexes: `retired.rs`
//! ```
//! 1. Everything about the schema that can be wrong is found.
//! 2. Where there are new indexes, the table in force is exchanged for one whose writes keep them, too; page by page the
//!    items that are there get their entries. Indexes, expiry and stream stay those of before; readers see no difference.
//!    The entries of a page are made and sorted where nobody waits, then written under the locks of all their stripes
//!    at once. An item that was written meanwhile is left out: each write of an item makes its entries in the indexes
//!    that are being filled, also those that stay as they were.
//! 3. The new table is put in force: schema, indexes, expiry and stream at once. Nothing fails from here on.
//!
//! Each exchange is made under the locks of all stripes. No write is under way then: one that decided under the old
//! table finds out under its locks and starts over, and a new stream goes on exactly where the old one ended.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{Commit, ScanRange, Writes};
use kstone_core::key::{Route, RoutedKey};
use kstone_core::record::Record;

use crate::model::schema::TableSchema;
use crate::request::page_limits::batch_limits;
use crate::table::Table;
use crate::table::index::IndexId;
use crate::table::pager::Pager;
use crate::table::state::TableState;

/// How many items get their entries at once: the stripes are locked for some tens of microseconds.
const FILLED_AT_ONCE: usize = 256;

impl Table {
    /// Puts a schema in the place of the one there is: indexes, TTL and stream, and the names and types of the key where an
    /// untyped table has no items yet. Returns when new indexes are filled;
    /// reads and writes go on meanwhile. Items that a new index refuses are left out of it, as in DynamoDB's backfill.
    /// Dropping an index costs the same whatever it holds: its entries are seen no more at once, and their memory is
    /// given back bit by bit with the writes that follow, or by [`Table::compact`]. A table of an account keeps its name,
    /// which the schema may leave out.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a schema that is none or that renames a table of an account, [`Error::Limit`] where a new index does not fit the memory limit,
    /// [`Error::Interrupted`]; nothing is changed then. [`Error::Poisoned`].
    pub fn configure(&self, schema: TableSchema) -> Result<()> {
        self.configure_with(schema, FILLED_AT_ONCE, |entries| self.write_entries(entries))
    }

    fn configure_with(
        &self,
        schema: TableSchema,
        at_once: usize,
        fill: impl FnMut(NewEntries<'_>) -> Result<()>,
    ) -> Result<()> {
        let _one_at_a_time = self.configuring()?;
        let schema = self.keeping_name(schema)?;
        let before = self.state();
        self.free_slots(&before)?;
        let next = TableState::following(schema.clone(), Some(&before), self.stream_max_bytes())?;
        if next.keys != before.keys {
            return self.configure_key(schema, &before);
        }
        let refused = match before.filling_for(&next) {
            Some(filling) => self.fill_all(&before, (&next, filling), at_once, fill)?,
            None => HashSet::new(),
        };
        let follow = || -> Result<()> {
            let table = TableState::following(schema, Some(&before), self.stream_max_bytes())?;
            self.install(Arc::new(table.lacking(&refused)));
            Ok(())
        };
        self.engine().exclusive(|_| follow())?
    }

    /// The schema with the name that an account knows the table by.
    fn keeping_name(&self, schema: TableSchema) -> Result<TableSchema> {
        let Some(name) = self.name_in_account() else { return Ok(schema) };
        match schema.table_name() {
            Some(other) if other != name => Err(Reason::NameFixed { name: name.into(), other: other.into() }.into()),
            _ => Ok(schema.name(name)),
        }
    }

    /// Puts a schema with another key in force, which an untyped table without items takes: no index has to be filled.
    fn configure_key(&self, schema: TableSchema, before: &TableState) -> Result<()> {
        self.engine().exclusive(|locked| {
            if before.keys.is_some() || !locked.is_empty() {
                return Err(Error::from(Reason::KeyFixed));
            }
            self.install(Arc::new(TableState::following(schema, Some(before), self.stream_max_bytes())?));
            Ok(())
        })?
    }

    /// Gives every item its entries in the new indexes of the table that is to follow, so many items at once; those
    /// indexes that refuse some. On failure the table is `before` again.
    fn fill_all(
        &self,
        before: &Arc<TableState>,
        (next, filling): (&TableState, TableState),
        at_once: usize,
        mut fill: impl FnMut(NewEntries<'_>) -> Result<()>,
    ) -> Result<HashSet<IndexId>> {
        let filling = Arc::new(filling);
        let install = |table: Arc<TableState>| self.engine().exclusive(|_| self.install(table));
        install(Arc::clone(&filling))?;
        let mut refused = HashSet::new();
        let filled = Pager::over(self.engine(), ScanRange::all(), batch_limits(at_once))
            .ended_by(self.interrupt.as_ref())
            .try_for_each(|items| fill(NewEntries::of(&filling, &items?, &mut refused)));
        if filled.is_err() {
            // No memory for the entries, or interrupted.
            install(Arc::new(before.without_those_of(next)))?;
            self.release_all(&self.state())?;
        }
        refused.retain(|id| before.indexes.by_id(*id).is_none());
        filled.map(|()| refused)
    }

    /// Puts a table in force. Takes no stripe's lock: the caller holds all of them.
    pub(crate) fn install(&self, table: Arc<TableState>) {
        let watch = table.watch();
        self.set_state(table);
        self.engine().watch(watch);
    }

    /// Gives those items their entries that nobody has written meanwhile; [`TableState::change_entries`] has made the others.
    fn write_entries(&self, new: NewEntries<'_>) -> Result<()> {
        let NewEntries { items, entries } = new;
        if entries.is_empty() {
            return Ok(());
        }
        let _reserved = self.reserve(self.growth_of_records(entries.iter().map(|entry| &entry.record), 0))?;
        let items: Vec<(RoutedKey<'_>, &Record)> =
            items.iter().map(|item| (RoutedKey::from(item.key_ref()), item)).collect();
        let engine = self.engine();
        let mut commit = Commit::new();
        let of_items = items.iter().map(|(key, _)| key.stripe());
        let stripes = of_items.chain(entries.iter().map(|entry| entry.route.stripe()));
        commit.lock(stripes.map(|stripe| (engine, stripe)))?;
        let is_same =
            |(key, item): &(RoutedKey<'_>, &Record)| commit.get(engine, key).is_some_and(|now| now.same(item));
        let same: Vec<bool> = items.iter().map(is_same).collect();
        let entries = entries.into_iter().filter(|entry| same[entry.item]);
        commit.write(engine, entries.map(|entry| (entry.route, entry.record)));
        Ok(())
    }
}

/// The entries of some items in indexes that are being filled, in the order in which they lie.
struct NewEntries<'a> {
    items: &'a [Record],
    entries: Vec<NewEntry>,
}

struct NewEntry {
    route: Route,
    record: Record,
    /// Which of the items it is of.
    item: usize,
}

impl<'a> NewEntries<'a> {
    fn of(table: &TableState, items: &'a [Record], refused: &mut HashSet<IndexId>) -> Self {
        let mut entries = Vec::with_capacity(items.len());
        let mut writes = Writes::new();
        for (at, item) in items.iter().enumerate() {
            table.fill_entries(item, &mut writes, refused);
            entries.extend(writes.drain(..).map(|(route, record)| NewEntry { route, record, item: at }));
        }
        entries.sort_unstable_by_key(|entry| entry.route.place());
        Self { items, entries }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Database;
    use crate::Error;
    use crate::clock::{Clock, ClockSource, ManualClock};
    use crate::{
        DatabaseOptions, GlobalSecondaryIndex, Item, ItemBuilder, Projection, Query, StreamSpecification,
        StreamViewType,
    };
    use kstone_core::item::encode;
    use kstone_core::key::KeyRef;

    const ITEMS: u8 = 20;

    fn before() -> TableSchema {
        TableSchema::new()
            .add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"))
            .with_ttl("until")
            .with_stream(StreamSpecification::new(StreamViewType::NewImage))
    }

    /// Everything is another: an index more, the time to live by another attribute, another stream.
    fn after() -> TableSchema {
        TableSchema::new()
            .add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"))
            .add_global_index(GlobalSecondaryIndex::new("by-until", "until"))
            .with_ttl("other")
            .with_stream(StreamSpecification::new(StreamViewType::KeysOnly))
    }

    fn item(until: i64) -> Item {
        ItemBuilder::new().string("kind", "k").number("until", until).number("other", 5000).build()
    }

    fn database() -> Result<(Database, Arc<ManualClock>)> {
        let clock = Arc::new(ManualClock::new(1000));
        let source = ClockSource::new(Arc::clone(&clock) as Arc<dyn Clock>);
        let db = Database::create_in_memory_with(DatabaseOptions::default(), before(), source)?;
        for i in 0..ITEMS {
            db.put(&[i], item(1000 + i64::from(i)))?;
        }
        Ok((db, clock))
    }

    fn of_kind(db: &Database) -> Result<usize> {
        Ok(db.query(Query::new().index("by-kind").partition_key(b"k"))?.count)
    }

    /// What a caller and the engine can tell of a database.
    fn state(db: &Database) -> Result<(String, Vec<u64>, usize, usize, u64, bool)> {
        let numbers = db.read_stream(0, 1000)?.iter().map(|record| record.sequence_number()).collect();
        db.engine().compact()?;
        let stats = db.engine().stats()?;
        let due = db.state().expiries.as_ref().and_then(|expiries| expiries.due(1005)).is_some();
        let records = stats.sst_records + stats.memtable_records;
        Ok((db.schema().to_json(), numbers, of_kind(db)?, stats.live_bytes, records, due))
    }

    #[test]
    fn a_configure_that_fails_at_any_step_leaves_everything_as_it_was() -> Result<()> {
        let (db, clock) = database()?;
        let untouched = state(&db)?;
        for fails_at in 0..=u32::from(ITEMS) - 1 {
            let mut filled = 0;
            let failed = db.configure_with(after(), 1, |entries| {
                if filled == fails_at {
                    return Err(Error::from(Reason::NoOutcome));
                }
                filled += 1;
                db.write_entries(entries)
            });
            assert_eq!(failed, Err(Error::from(Reason::NoOutcome)));
            assert_eq!(state(&db)?, untouched, "failed at item {fails_at}");
        }
        let bad_stream = after().with_stream(StreamSpecification::new(StreamViewType::NewImage).capacity(0));
        assert!(db.configure(bad_stream).is_err());
        assert_eq!(state(&db)?, untouched, "failed at once");

        // What was noted of expiry is still good, and what is written goes on in the same stream.
        clock.set(1010);
        assert_eq!(db.purge_expired()?, 10);
        let records = db.read_stream(u64::from(ITEMS), 100)?;
        assert_eq!(records.first().map(|record| record.sequence_number()), Some(u64::from(ITEMS) + 1));
        assert!(records[0].view_type() == StreamViewType::NewImage && records.len() == 10);
        Ok(())
    }

    /// What is written while indexes are filled that come to nothing is in the stream, in the old indexes and in no
    /// other.
    #[test]
    fn writes_during_a_configure_that_fails_are_kept_as_any_others() -> Result<()> {
        let (db, _) = database()?;
        let failed = db.configure_with(after(), 1, |entries| {
            let Some(record) = entries.items.first() else { return Ok(()) };
            db.put(&[record.pk()[0], 1], item(9000))?;
            assert!(db.schema() == before() && of_kind(&db)? >= usize::from(ITEMS), "readers see no difference");
            let error = db.query(Query::new().index("by-until").partition_key(b"k")).unwrap_err();
            assert!(error.to_string().contains("Cannot read from backfilling"), "{error}");
            if record.pk() == [ITEMS / 2] { Err(Error::from(Reason::NoOutcome)) } else { db.write_entries(entries) }
        });
        assert!(failed.is_err());
        let written = of_kind(&db)? - usize::from(ITEMS);
        assert!(written > 0);
        assert_eq!(db.read_stream(u64::from(ITEMS), 1000)?.len(), written);
        db.engine().compact()?;
        let stats = db.engine().stats()?;
        assert_eq!(stats.sst_records, 2 * (u64::from(ITEMS) + written as u64), "an item and one entry each");
        Ok(())
    }

    /// What an index shows of an item may stay the same in a write after the item was read to be filled in.
    #[test]
    fn a_new_index_has_the_entry_of_every_item_whatever_was_written_meanwhile() -> Result<()> {
        let item = |kind: &str, shown: i64, other: i64| {
            ItemBuilder::new().string("kind", kind).number("shown", shown).number("other", other).build()
        };
        let meanwhile = |db: &Database, pk: &[u8], write: usize| match write {
            0 => db.put(pk, item("k", 1, 1)),
            1 => db.put(pk, item("k", 1, 2)),
            2 => db.put(pk, item("k", 2, 1)),
            3 => db.put(pk, item("l", 1, 1)),
            4 => db.delete(pk),
            5 => db.delete(pk).and_then(|()| db.put(pk, item("k", 1, 1))),
            6 => db.put(pk, item("l", 1, 1)).and_then(|()| db.put(pk, item("k", 1, 1))),
            7 => db.put(pk, item("k", 1, 2)).and_then(|()| db.put(pk, item("k", 1, 1))),
            8 => db.put_many(&[(KeyRef::new(pk, b"")?, &encode(&item("k", 1, 2))?)]).map_err(|failed| failed.error),
            _ => Ok(()),
        };
        for projection in [Projection::All, Projection::KeysOnly, Projection::Include(vec!["shown".to_owned()])] {
            for at_once in [1, 7, 100] {
                let db = Database::create_in_memory()?;
                let names = || (0..ITEMS).map(|i| [i]);
                names().try_for_each(|pk| db.put(&pk, item("k", 1, 1)))?;
                let index = GlobalSecondaryIndex::new("by-kind", "kind").projection(projection.clone());
                db.configure_with(TableSchema::new().add_global_index(index), at_once, |entries| {
                    for item in entries.items {
                        meanwhile(&db, item.pk(), usize::from(item.pk()[0]) % 10)?;
                    }
                    db.write_entries(entries)
                })?;
                let table = db.state();
                let mut expected = Vec::new();
                for items in Pager::over(db.engine(), ScanRange::all(), batch_limits(100)) {
                    expected.extend(items?.iter().flat_map(|item| table.present_entries(item)));
                }
                let id = table.readable_index("by-kind")?.id();
                let mut entries = db.engine().scan(ScanRange::all().of_index(id.0), batch_limits(100))?.records;
                for records in [&mut expected, &mut entries] {
                    records.sort_by(|one, other| (one.pk(), one.sk()).cmp(&(other.pk(), other.sk())));
                }
                assert_eq!(entries.len(), usize::from(ITEMS - ITEMS / 10));
                assert_eq!(entries, expected, "{projection:?}, {at_once} at once");
            }
        }
        Ok(())
    }

    /// The stream that follows begins where the old one ended, not where it was when the change of the schema began.
    #[test]
    fn a_new_stream_follows_what_was_written_while_its_table_was_prepared() -> Result<()> {
        let (db, _) = database()?;
        let mut last = u64::from(ITEMS);
        for schema in [after(), before().with_ttl("kind")] {
            db.configure_with(schema, 1, |entries| {
                if let Some(record) = entries.items.first().filter(|record| record.pk().len() == 1) {
                    db.put(&[record.pk()[0], 1, last as u8], item(9000 + last as i64))?;
                    last += 1;
                }
                db.write_entries(entries)
            })?;
            assert!(matches!(db.read_stream(last, 1), Err(Error::Trimmed { oldest, .. }) if oldest == last + 2));
            db.put(b"next", item(9000 + last as i64))?;
            last += 2;
            assert_eq!(db.read_stream(last - 1, 1)?[0].sequence_number(), last);
        }
        Ok(())
    }

    #[test]
    fn another_time_to_live_holds_in_indexes_that_stay() -> Result<()> {
        let (db, clock) = database()?;
        assert_eq!(of_kind(&db)?, usize::from(ITEMS));
        db.configure(before().with_ttl("other"))?;
        clock.set(4000);
        assert_eq!(of_kind(&db)?, usize::from(ITEMS), "by the other attribute nothing has expired");
        clock.set(5001);
        assert_eq!((of_kind(&db)?, db.purge_expired()?), (0, usize::from(ITEMS)));
        db.compact()?;
        assert_eq!(db.engine().stats()?.sst_records, 0, "no entry of the old index is left");
        Ok(())
    }
}
