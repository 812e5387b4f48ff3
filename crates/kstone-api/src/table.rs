//! What a database knows besides its items: the schema, compiled, and what follows from it for reads and writes.

use std::collections::HashSet;
use std::sync::Arc;

use kstone_core::item::ItemRef;
use kstone_core::key::Keyspace;
use kstone_core::record::Record;
use kstone_core::{Error, Result};

use crate::index::{Index, IndexEntry, IndexId, Indexes};
use crate::schema::TableSchema;
use crate::stream::{Stream, StreamOptions};
use crate::ttl::{Ttl, has_passed};

/// A schema in force. Replaced as a whole, never changed.
pub(crate) struct Table {
    pub(crate) schema: TableSchema,
    pub(crate) indexes: Indexes,
    /// Indexes that are being filled: written to, not read yet.
    pub(crate) filling: HashSet<IndexId>,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) stream: Option<Arc<Stream>>,
    /// The last sequence number of the streams there were.
    pub(crate) stream_last: u64,
}

impl Table {
    /// The table of a new database.
    pub(crate) fn new(schema: TableSchema) -> Result<Self> {
        Self::following(schema, None)
    }

    /// The table that takes the place of another; indexes that the other had not are marked as being filled.
    pub(crate) fn following(schema: TableSchema, before: Option<&Self>) -> Result<Self> {
        schema.validate()?;
        let none = Indexes::default();
        let old_indexes = before.map_or(&none, |table| &table.indexes);
        let indexes = Indexes::compile(&schema, old_indexes);
        let is_new = |index: &&Index| old_indexes.by_id(index.id()).is_none();
        let filling = before.map_or_else(HashSet::new, |before| {
            let new = indexes.iter().filter(is_new).map(Index::id);
            new.chain(before.filling.iter().copied()).filter(|id| indexes.by_id(*id).is_some()).collect()
        });
        let ttl = schema.ttl_attribute().map(Ttl::new).transpose()?;
        let mut stream_last = before.map_or(0, |table| table.stream_last);
        if let Some(stream) = before.and_then(|table| table.stream.as_ref()) {
            stream_last = stream.stats().last;
        }
        let stream = match (schema.stream(), before) {
            (None, _) => None,
            (Some(wanted), Some(before)) if before.schema.stream() == Some(wanted) => before.stream.clone(),
            (Some(wanted), _) => {
                let options = StreamOptions { capacity: wanted.capacity, ..StreamOptions::new(wanted.view_type) };
                let follows = stream_last > 0;
                let stream = if follows { Stream::following(options, stream_last) } else { Stream::new(options) };
                Some(Arc::new(stream?))
            }
        };
        Ok(Self { schema, indexes, filling, ttl, stream, stream_last })
    }

    /// The same with every index filled.
    pub(crate) fn filled(&self) -> Self {
        Self {
            schema: self.schema.clone(),
            indexes: self.indexes.clone(),
            filling: HashSet::new(),
            ttl: self.ttl.clone(),
            stream: self.stream.clone(),
            stream_last: self.stream_last,
        }
    }

    /// Whether a put concerns its item alone.
    pub(crate) fn is_plain(&self) -> bool {
        self.indexes.is_empty() && self.ttl.is_none() && self.stream.is_none()
    }

    /// The index of this name, where it may be read.
    pub(crate) fn readable_index(&self, name: &str) -> Result<&Index> {
        match self.indexes.get(name) {
            Some(index) if self.filling.contains(&index.id()) => {
                Err(Error::invalid(format!("Cannot read from backfilling global secondary index: {name}")))
            }
            Some(index) => Ok(index),
            None => Err(Error::invalid(format!("The table does not have the specified index: {name}"))),
        }
    }

    pub(crate) fn expires_at(&self, item: ItemRef<'_>) -> Option<i64> {
        self.ttl.as_ref().and_then(|ttl| ttl.expires_at(item))
    }

    /// Whether the item's time has passed: no read shows it.
    pub(crate) fn is_expired(&self, record: &Record, now: i64) -> bool {
        let expires_at = match record.key_ref().keyspace() {
            Keyspace::Items => self.expires_at(record.item()),
            Keyspace::Index => IndexEntry::read(record).and_then(|entry| entry.expires_at()),
        };
        expires_at.is_some_and(|expires_at| has_passed(expires_at, now))
    }

    /// The entries of an item that is in the table.
    pub(crate) fn present_entries(&self, record: &Record) -> Vec<Record> {
        let item = record.item();
        self.indexes.present_entries(record.pk(), record.sk(), item, self.expires_at(item))
    }

    /// The entries of an item that is to be written.
    pub(crate) fn entries(&self, record: &Record) -> Result<Vec<Record>> {
        let item = record.item();
        self.indexes.entries(record.pk(), record.sk(), item, self.expires_at(item))
    }
}
