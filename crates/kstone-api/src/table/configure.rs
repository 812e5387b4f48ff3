//! Changing the schema of a database that holds data, while reads and writes go on.
//!
//! 1. The new table is put in force. Writers that decided under the old one find out under their locks and start over.
//! 2. Every stripe's lock is taken and let go once, so that no write of the old table is still on its way.
//! 3. Page by page, items get their entries in new indexes, and entries of dropped indexes go. Writers keep the new
//!    indexes from step 1 on, so an item that changes meanwhile needs no help.
//! 4. The new indexes may be read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::Result;
use kstone_core::engine::{PageLimits, ScanRange};
use kstone_core::key::{Key, Keyspace};
use kstone_core::record::Record;

use crate::database::Database;
#[cfg(doc)]
use crate::error::Error;
use crate::model::schema::TableSchema;
use crate::request::page::PAGE_MAX_BYTES;
use crate::table::Table;
use crate::table::index::IndexEntry;

const PAGE: PageLimits = PageLimits { records: 1000, bytes: PAGE_MAX_BYTES };

impl Database {
    /// Puts a schema in the place of the one there is: indexes, TTL and stream. Returns when new indexes are filled;
    /// reads and writes go on meanwhile. Items that a new index refuses are left out of it, as in DynamoDB's backfill.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a schema that is none, [`Error::Limit`] where there is no room for a new index,
    /// [`Error::Interrupted`]; nothing is changed then. [`Error::Poisoned`].
    pub fn configure(&self, schema: TableSchema) -> Result<()> {
        let _one_at_a_time = self.configuring()?;
        let before = self.table();
        let table = Arc::new(Table::following(schema, Some(&before), self.stream_max_bytes())?);
        self.install(Arc::clone(&table));
        self.engine().barrier()?;
        if !table.filling.is_empty() {
            let filled = self.each_record(ScanRange::all(), |record| {
                self.check_interrupt()?;
                self.fill(&table, record)
            });
            if filled.is_err() {
                // No memory for the entries, or interrupted: as it was.
                self.install(Arc::clone(&before));
                self.engine().barrier()?;
                self.drop_strays(&before)?;
                return filled;
            }
        }
        let dropped = before.indexes.iter().any(|index| table.indexes.by_id(index.id()).is_none());
        if dropped {
            self.drop_strays(&table)?;
        }
        self.install(Arc::new(table.filled()));
        Ok(())
    }

    /// Puts a table in force. Takes no stripe's lock.
    pub(crate) fn install(&self, table: Arc<Table>) {
        self.plain_flag().store(false, Ordering::SeqCst);
        let plain = table.is_plain();
        self.set_table(table);
        self.plain_flag().store(plain, Ordering::SeqCst);
    }

    /// Visits the records of a range page by page, each as it is when its page is read.
    pub(crate) fn each_record(&self, range: ScanRange<'_>, mut visit: impl FnMut(&Record) -> Result<()>) -> Result<()> {
        let mut last: Option<Record> = None;
        loop {
            let range = last.as_ref().map_or(range, |last| range.after(last.pk(), last.sk()));
            let page = self.engine().scan(range, PAGE)?;
            page.records.iter().try_for_each(&mut visit)?;
            if !page.limited {
                return Ok(());
            }
            last = page.records.last().cloned();
        }
    }

    /// Gives an item its entries in the indexes that are being filled, if it is still that one.
    fn fill(&self, table: &Table, record: &Record) -> Result<()> {
        let mut entries = table.present_entries(record);
        entries.retain(|entry| IndexEntry::read(entry).is_some_and(|entry| table.filling.contains(&entry.index())));
        if entries.is_empty() {
            return Ok(());
        }
        let entry_keys: Vec<Key> = entries.iter().map(Record::key).collect();
        let mut keys = vec![record.key_ref()];
        for key in &entry_keys {
            keys.push(key.as_key_ref()?);
        }
        let _reserved = self.reserve(&entries, 0)?;
        self.engine().commit(&keys, |present| {
            let unchanged = present.get(record.key_ref()).is_some_and(|now| now.same(record));
            Ok((if unchanged { entries } else { Vec::new() }, ()))
        })
    }

    /// Drops the entries of indexes that the table does not have.
    fn drop_strays(&self, table: &Table) -> Result<()> {
        let entries = ScanRange::all().in_keyspace(Keyspace::Index);
        self.each_record(entries, |entry| self.drop_stray_entry(table, entry))
    }

    fn drop_stray_entry(&self, table: &Table, entry: &Record) -> Result<()> {
        let known = IndexEntry::read(entry).is_some_and(|entry| table.indexes.by_id(entry.index()).is_some());
        if known {
            return Ok(());
        }
        self.engine().delete(entry.key_ref())?;
        self.keep_to_limit(|| std::iter::once(entry.key_ref().stripe()))
    }
}
