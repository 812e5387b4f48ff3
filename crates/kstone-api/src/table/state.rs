//! What a database knows besides its items: the schema, compiled, and what follows from it for reads and writes.

use std::collections::HashSet;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{Watch, Writes};
use kstone_core::item::ItemRef;
use kstone_core::key::{KeyRef, Keyspace, StripeId};
use kstone_core::key_layout::KeyLayout;
use kstone_core::label::InternedLayout;
use kstone_core::record::Record;

use crate::expression::{ExpressionCache, Subject};
use crate::model::item_check::check_item;
use crate::model::schema::{StreamSpecification, TableSchema};
use crate::table::expiries::Expiries;
use crate::table::index::{Index, IndexEntry, IndexId, Indexes, Unchanged, Version};
use crate::table::retired::Retired;
use crate::table::stream::{Stream, StreamOptions};
use crate::table::ttl::{Ttl, has_passed, may_pass};

/// A schema in force. Replaced as a whole, never changed.
#[derive(Clone)]
pub(crate) struct TableState {
    pub(crate) schema: TableSchema,
    /// Of a typed table.
    pub(crate) keys: Option<&'static InternedLayout>,
    pub(crate) indexes: Indexes,
    /// The indexes of the schema that is to follow: written to, not read yet.
    pub(crate) filling: Option<Arc<FillingIndexes>>,
    /// Indexes that tables before this one had and whose entries may not all be released yet.
    pub(crate) retired: Vec<Arc<Retired>>,
    /// Indexes that may lack items which have their key attributes: they refused some when they were filled or loaded.
    /// Never forgotten as long as the index is there, since nobody counts when those items go.
    pub(crate) incomplete: HashSet<IndexId>,
    pub(crate) ttl: Option<Ttl>,
    /// Where there is a time to live.
    pub(crate) expiries: Option<Arc<Expiries>>,
    pub(crate) stream: Option<Arc<Stream>>,
    /// The last sequence number of the streams there were.
    pub(crate) stream_last: u64,
}

/// The database's side of a read: what is in force when it begins.
pub(crate) struct ReadContext<'a> {
    pub(crate) cache: &'a ExpressionCache,
    pub(crate) table: Arc<TableState>,
    pub(crate) now: i64,
}

/// Indexes that are being filled while those of the table are in use, and the attribute by which their entries expire.
pub(crate) struct FillingIndexes {
    indexes: Indexes,
    ttl: Option<Ttl>,
}

impl TableState {
    /// The names and types of its key.
    pub(crate) fn layout(&self) -> &'static KeyLayout {
        layout_of(self.keys)
    }

    /// The table of a new database, whose stream may pin so many bytes; 0: the stream's own bound.
    pub(crate) fn new(schema: TableSchema, stream_max_bytes: usize) -> Result<Self> {
        Self::following(schema, None, stream_max_bytes)
    }

    /// The table that takes the place of another. Where writes go on it is to be called under the locks of all stripes,
    /// since only then is it certain which number the stream gave last.
    pub(crate) fn following(schema: TableSchema, before: Option<&Self>, stream_max_bytes: usize) -> Result<Self> {
        schema.validate()?;
        let keys = schema.key_layout()?.map(|layout| layout.intern()).transpose()?;
        let ttl = schema.ttl_attribute().map(Ttl::new).transpose()?;
        let (indexes, retired) = match before {
            None => (Indexes::compile(&schema, &Indexes::default()), Vec::new()),
            Some(before) => {
                // Entries say when their item expires: by another attribute, each of them is another.
                let keeps = before.ttl == ttl;
                let retired: Vec<IndexId> = before.retired.iter().map(|retired| retired.id()).collect();
                let indexes = Indexes::compile_with(&schema, &before.indexes, (keeps, &retired));
                let retired = before.retiring(&before.indexes.without(&indexes));
                (indexes, retired)
            }
        };
        let still_there = |id: &IndexId| indexes.by_id(*id).is_some();
        let incomplete = before.iter().flat_map(|before| &before.incomplete).copied().filter(still_there).collect();
        let expiries = match (&ttl, before) {
            (None, _) => None,
            (Some(ttl), Some(before)) if before.ttl.as_ref() == Some(ttl) => before.expiries.clone(),
            (Some(_), Some(_)) => Some(Arc::new(Expiries::unknown())),
            (Some(_), None) => Some(Arc::new(Expiries::none())),
        };
        let stream_last = before.map_or(0, Self::last_in_stream);
        let stream = match (schema.stream(), before) {
            (None, _) => None,
            (Some(wanted), Some(before)) if before.schema.stream() == Some(wanted) => before.stream.clone(),
            (Some(wanted), _) => {
                let follows = stream_last > 0;
                let options = stream_options(wanted, stream_max_bytes);
                let stream = if follows { Stream::following(options, stream_last) } else { Stream::new(options) };
                Some(Arc::new(stream?))
            }
        };
        Ok(Self { schema, keys, indexes, filling: None, retired, incomplete, ttl, expiries, stream, stream_last })
    }

    /// The indexes that are retired, and these.
    fn retiring(&self, dropped: &Indexes) -> Vec<Arc<Retired>> {
        let left = self.retired.iter().filter(|retired| !retired.is_gone()).cloned();
        left.chain(dropped.iter().map(|index| Arc::new(Retired::new(index.id())))).collect()
    }

    /// The same, after indexes that `next` was to add came to nothing.
    pub(crate) fn without_those_of(&self, next: &Self) -> Self {
        Self { retired: self.retiring(&next.indexes.without(&self.indexes)), ..self.clone() }
    }

    /// The same for a fork. To be called in its moment, under the locks of all stripes: what is noted of items and changes
    /// must be that of the items it has.
    pub(crate) fn forked(&self) -> Self {
        let stream_last = self.last_in_stream();
        Self {
            expiries: self.expiries.as_ref().map(|expiries| Arc::new(Expiries::clone(expiries))),
            stream: self.stream.as_ref().map(|stream| Arc::new(stream.forked(stream_last))),
            retired: self.retired.iter().map(|retired| Arc::new(Retired::clone(retired))).collect(),
            stream_last,
            ..self.clone()
        }
    }

    /// The same, whose writes keep the indexes that `next` adds to it, too; none where it adds none.
    pub(crate) fn filling_for(&self, next: &Self) -> Option<Self> {
        let indexes = next.indexes.without(&self.indexes);
        let filling = FillingIndexes { indexes, ttl: next.ttl.clone() };
        (!filling.indexes.is_empty()).then(|| Self { filling: Some(Arc::new(filling)), ..self.clone() })
    }

    /// The same for items that nobody sees yet, which will be all there are.
    pub(crate) fn loading(&self) -> Self {
        Self { expiries: self.ttl.as_ref().map(|_| Arc::new(Expiries::none())), ..self.clone() }
    }

    /// The same, knowing that these indexes refused items that are in it.
    pub(crate) fn lacking(&self, refused: &HashSet<IndexId>) -> Self {
        Self { incomplete: self.incomplete.union(refused).copied().collect(), ..self.clone() }
    }

    /// Whether an index that may be read has every item that has its key attributes, so that it can stand for the table
    /// in a request that does not name it.
    pub(crate) fn is_complete(&self, index: &Index) -> bool {
        !self.incomplete.contains(&index.id())
    }

    /// The indexes that refuse an item that is there, those that are being filled included.
    pub(crate) fn refusing<'a>(&'a self, record: &'a Record) -> impl Iterator<Item = IndexId> + 'a {
        let all = [Some(&self.indexes), self.filling.as_ref().map(|filling| &filling.indexes)];
        all.into_iter().flatten().flat_map(|indexes| indexes.refusing(record))
    }

    /// The same with a stream that follows one which ended with the number `last`.
    pub(crate) fn restarted(&self, last: u64, stream_max_bytes: usize) -> Result<Self> {
        let following = |wanted| Stream::following(stream_options(wanted, stream_max_bytes), last);
        let stream = self.schema.stream().map(following).transpose()?;
        Ok(Self { stream: stream.map(Arc::new), stream_last: last, ..self.clone() })
    }

    /// The last sequence number that this table's streams have given.
    pub(crate) fn last_in_stream(&self) -> u64 {
        self.stream.as_ref().map_or(self.stream_last, |stream| stream.stats().last)
    }

    /// Whether items have entries, be it in indexes that are still being filled.
    pub(crate) fn has_indexes(&self) -> bool {
        !self.indexes.is_empty() || self.filling.is_some()
    }

    /// Whether a write removes some of what has expired, or of what dropped indexes left.
    pub(crate) fn needs_cleaning(&self) -> bool {
        self.expiries.is_some() || self.left_over().is_some()
    }

    /// Whether it matters what time it is: items expire, or a stream notes it.
    pub(crate) fn needs_time(&self) -> bool {
        self.ttl.is_some() || self.stream.is_some()
    }

    /// Whether a put concerns its item alone.
    pub(crate) fn is_plain(&self) -> bool {
        let has_retired = self.retired.iter().any(|retired| !retired.is_gone());
        !self.has_indexes() && self.ttl.is_none() && self.stream.is_none() && !has_retired
    }

    /// What the engine asks of this table.
    pub(crate) fn watch(&self) -> Watch {
        Watch { writes: !self.is_plain(), reads: self.ttl.is_some() && self.hides_expired(), layout: self.keys }
    }

    /// The index of this name, where it may be read.
    pub(crate) fn readable_index(&self, name: &str) -> Result<&Index> {
        match self.indexes.get(name) {
            Some(index) => Ok(index),
            None if self.filling.as_ref().is_some_and(|filling| filling.indexes.get(name).is_some()) => {
                Err(Error::from(Reason::Backfilling { name: name.into() }))
            }
            None => Err(Error::from(Reason::NoIndex { name: name.into() })),
        }
    }

    #[inline]
    pub(crate) fn expires_at(&self, item: ItemRef<'_>) -> Option<i64> {
        self.ttl.as_ref().and_then(|ttl| ttl.expires_at(item))
    }

    /// Whether the item's time has passed: it is to be removed.
    #[inline]
    pub(crate) fn is_expired(&self, record: &Record, now: i64) -> bool {
        let expires_at = match record.key_ref().keyspace() {
            Keyspace::Items => self.expires_at(record.item()),
            Keyspace::Index => IndexEntry::read(record).and_then(|entry| entry.expires_at()),
        };
        expires_at.is_some_and(|expires_at| has_passed(expires_at, now))
    }

    /// Whether no request sees the item, because its time has passed. See [`crate::ttl`] for the rule.
    #[inline]
    pub(crate) fn is_hidden(&self, record: &Record, now: i64) -> bool {
        self.ttl.is_some() && self.hides_expired() && self.is_expired(record, now)
    }

    /// Whether requests do not see what has expired.
    pub(crate) fn hides_expired(&self) -> bool {
        !self.schema.ttl_visible()
    }

    /// Notes when items expire, under the locks of their stripes.
    pub(crate) fn note_expiries<'a>(&self, items: impl Iterator<Item = (StripeId, &'a Record)>, now: i64) {
        let Some(expiries) = &self.expiries else { return };
        for (stripe, item) in items.filter(|(_, item)| !item.is_tombstone()) {
            if let Some(expires_at) = self.expires_at(item.item()).filter(|time| may_pass(*time, now)) {
                expiries.note(stripe, expires_at);
            }
        }
    }

    /// Checks all that can be said of a new version of an item without the version that is there: its size, that it
    /// agrees with its key, and that every index takes its attributes. Each door asks this before anything is written
    /// and before any condition is asked, as DynamoDB validates a request first.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] in DynamoDB's words.
    pub(crate) fn check_new(&self, key: KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
        check_item(&key, item)?;
        self.check_index_keys(key, Subject::under(key, item).item())
    }

    /// The part of [`TableState::check_new`] that depends on the schema.
    pub(crate) fn check_index_keys(&self, key: KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
        self.indexes.check(key, item)?;
        self.filling.as_ref().map_or(Ok(()), |filling| filling.indexes.check(key, item))
    }

    /// Adds the writes that keep the indexes, those that are being filled included, in step with a write of an item.
    ///
    /// # Errors
    /// [`Error::Invalid`] where an index refuses the new version.
    pub(crate) fn change_entries(&self, old: Option<&Record>, new: Option<&Record>, to: &mut Writes) -> Result<()> {
        let change = |indexes: &Indexes, ttl: Option<&Ttl>, unchanged: Unchanged, to: &mut Writes| {
            let version = |record| Version::of(record, ttl.and_then(|ttl| ttl.expires_at(Record::item(record))));
            let (old, new) = (old.map(version), new.filter(|new| !new.is_tombstone()).map(version));
            indexes.change(old.as_ref(), new.as_ref(), unchanged, to)
        };
        if !self.indexes.is_empty() {
            change(&self.indexes, self.ttl.as_ref(), Unchanged::Left, to)?;
        }
        let Some(filling) = &self.filling else { return Ok(()) };
        change(&filling.indexes, filling.ttl.as_ref(), Unchanged::Written, to)
    }

    /// The entries of an item that is in the table.
    pub(crate) fn present_entries(&self, record: &Record) -> Vec<Record> {
        let item = record.item();
        self.indexes.present_entries(record.key_ref(), item.without_key(), self.expires_at(item))
    }

    /// Adds the writes of an item's entries in indexes that are being filled; each that refuses the item is noted.
    pub(crate) fn fill_entries(&self, item: &Record, to: &mut Writes, refused: &mut HashSet<IndexId>) {
        let Some(filling) = &self.filling else { return };
        let expires_at = filling.ttl.as_ref().and_then(|ttl| ttl.expires_at(item.item()));
        filling.indexes.fill(&Version::of(item, expires_at), to, refused);
    }
}

/// The names and types of the keys of a table that is typed so, or not at all.
pub(crate) fn layout_of(keys: Option<&'static InternedLayout>) -> &'static KeyLayout {
    keys.map_or(KeyLayout::untyped(), |keys| keys)
}

fn stream_options(wanted: StreamSpecification, max_bytes: usize) -> StreamOptions {
    StreamOptions { view_type: wanted.view_type, capacity: wanted.capacity, max_bytes }
}
