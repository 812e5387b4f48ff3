//! Changing the schema of a database that holds data, while reads and writes go on.
//!
//! 1. The new table is put in force. Writers that decided under the old one find out under their locks and start over.
//! 2. Every stripe's lock is taken and let go once, so that no write of the old table is still on its way.
//! 3. Page by page, items get their entries in new indexes, and entries of dropped indexes go. Writers keep the new
//!    indexes from step 1 on, so an item that changes meanwhile needs no help.
//! 4. The new indexes may be read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use kstone_core::Result;
use kstone_core::engine::{PageLimits, ScanRange};
use kstone_core::key::{Key, Keyspace};
use kstone_core::record::Record;

use crate::database::Database;
use crate::index::IndexEntry;
use crate::page::PAGE_MAX_BYTES;
use crate::schema::TableSchema;
use crate::table::Table;
#[cfg(doc)]
use kstone_core::Error;

const PAGE: PageLimits = PageLimits { records: 1000, bytes: PAGE_MAX_BYTES };

impl Database {
    /// Puts a schema in the place of the one there is: indexes, TTL and stream. Returns when new indexes are filled;
    /// reads and writes go on meanwhile. Items that a new index refuses are left out of it, as in DynamoDB's backfill.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a schema that is none; nothing is changed then. [`Error::Poisoned`].
    pub fn configure(&self, schema: TableSchema) -> Result<()> {
        let _one_at_a_time = self.configuring();
        let before = self.table();
        let table = Arc::new(Table::following(schema, Some(&before))?);
        self.install(Arc::clone(&table));
        self.engine().barrier();
        if !table.filling.is_empty() {
            self.each_record(Keyspace::Items, |record| self.fill(&table, record))?;
        }
        let dropped = before.indexes.iter().any(|index| table.indexes.by_id(index.id()).is_none());
        if dropped {
            self.each_record(Keyspace::Index, |entry| self.drop_stray_entry(&table, entry))?;
        }
        self.install(Arc::new(table.filled()));
        Ok(())
    }

    /// Removes what has expired, everywhere; how many items that were.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn purge_expired(&self) -> Result<usize> {
        let mut purged = 0;
        self.each_record(Keyspace::Items, |record| {
            let table = self.table();
            let now = self.now_for(&table);
            if table.is_expired(record, now) && self.remove_expired(&table, record, now)? {
                purged += 1;
            }
            Ok(())
        })?;
        Ok(purged)
    }

    fn install(&self, table: Arc<Table>) {
        self.plain_flag().store(false, Ordering::SeqCst);
        let plain = table.is_plain();
        self.set_table(table);
        self.plain_flag().store(plain, Ordering::SeqCst);
    }

    fn each_record(&self, keyspace: Keyspace, mut visit: impl FnMut(&Record) -> Result<()>) -> Result<()> {
        let mut last: Option<Record> = None;
        loop {
            let range = ScanRange::all().in_keyspace(keyspace);
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
        self.engine().commit(&keys, |present| {
            let unchanged = present.get(record.key_ref()).is_some_and(|now| now.same(record));
            Ok((if unchanged { entries } else { Vec::new() }, ()))
        })
    }

    fn drop_stray_entry(&self, table: &Table, entry: &Record) -> Result<()> {
        let known = IndexEntry::read(entry).is_some_and(|entry| table.indexes.by_id(entry.index()).is_some());
        if known { Ok(()) } else { self.engine().delete(entry.key_ref()).map(drop) }
    }
}
