//! Sorted string tables, in memory: immutable runs of records.
//!
//! ```text
//! directory  [ 0   4   9   9  15 … ]     one bucket per leading bits of the tag: where its records begin
//! records    [••••│•••••││••••••│ …]     sorted by (tag, partition key, sort key)
//! filter     over the keys of wide partitions, where there are any and a writer made the SST
//! ```
//!
//! A look-up reads one slot of the directory and a few handles next to each other; it touches a record only where the
//! tag is equal. A partition's records are one slice.
//!
//! # Thread safety
//! A [`MemorySstReader`] is shared by count and immutable where it is; a [`MemorySstStore`] may be used from any thread.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;
use crate::filter::{Filter, WIDE_RECORDS};
use crate::key::{Edge, Key, KeyRef, Keyspace, Route, SortEdge, Tag};
use crate::record::Record;
use crate::run::Run;
use crate::search::{asked_tag_run, between, find_in, position_of, seek_in};
use crate::span::Span;

mod store;
mod tag_directory;

use tag_directory::{BUCKET_RECORDS, TagDirectory};

pub use store::MemorySstStore;
pub(crate) use store::SstDirectory;

/// What an `Arc` keeps in addition to its value.
const ARC_COUNTS_BYTES: usize = 2 * size_of::<usize>();

/// Collects records in any order and makes an SST of them.
#[derive(Default)]
pub struct MemorySstWriter {
    records: Vec<Record>,
}

impl MemorySstWriter {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record. Of records with one key, the one added last is kept.
    pub fn add(&mut self, record: Record) {
        self.records.push(record);
    }

    /// Sorts the records and builds the SST: O(n log n) comparisons, most of which touch no record.
    ///
    /// # Errors
    /// None today; the signature is the disk writer's.
    pub fn finish(self, name: impl Into<String>) -> Result<MemorySstReader> {
        let mut sorted = self.records;
        sorted.sort_by(Record::order);
        let mut records: Vec<Record> = Vec::with_capacity(sorted.len());
        for record in sorted {
            match records.last_mut() {
                Some(last) if last.order(&record).is_eq() => *last = record,
                _ => records.push(record),
            }
        }
        let filter = Filter::over_wide_runs(&records).map(Box::new);
        Ok(MemorySstReader::new(name.into(), Run::of(records), filter))
    }
}

/// An immutable, sorted run of records. Cloning shares it.
#[derive(Clone)]
pub struct MemorySstReader {
    sst: Arc<Sst>,
}

struct Sst {
    name: String,
    records: Vec<Record>,
    directory: TagDirectory,
    /// Boxed: few SSTs have one.
    filter: Option<Box<Filter>>,
    record_bytes: usize,
    /// Its records are not sorted yet: nothing but a merge looks into it.
    is_as_written: bool,
}

impl MemorySstReader {
    /// What an SST takes at most in addition to its records, a handle for each and a byte of directory for each.
    pub(crate) const EMPTY_BYTES_MAX: usize = ARC_COUNTS_BYTES + size_of::<Sst>() + 64;

    /// The record with this key, a tombstone included. Constant time in a narrow partition, O(log n) in a wide one.
    pub fn get(&self, key: &Key) -> Option<&Record> {
        let key = key.as_key_ref().ok()?;
        self.find(key.route().tag, key)
    }

    /// Every record in key order. Sorts the handles first: O(n log n).
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        let mut records: Vec<&Record> = self.sst.records.iter().collect();
        let is_index = |record: &Record| record.tag() > Tag::LAST_ITEM;
        records.sort_by(|a, b| is_index(a).cmp(&is_index(b)).then_with(|| (a.pk(), a.sk()).cmp(&(b.pk(), b.sk()))));
        records.into_iter()
    }

    /// The items whose partition key is `pk`, in sort-key order: those whose encoded keys share that prefix.
    pub fn scan_prefix(&self, pk: &Bytes) -> impl Iterator<Item = &Record> {
        let tag = Route::of(pk, Keyspace::Items).tag;
        let from = self.seek(tag, Edge::Partition(pk, SortEdge::Start));
        let to = self.seek(tag, Edge::Partition(pk, SortEdge::End));
        self.sst.records[from..to].iter()
    }

    /// The SST's name.
    pub fn name(&self) -> &str {
        &self.sst.name
    }

    /// How many records it holds, tombstones included.
    pub fn len(&self) -> usize {
        self.sst.records.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.sst.records.is_empty()
    }

    /// An SST of a stripe: without a filter, since look-ups of single keys do not come to it.
    pub(crate) fn from_run(name: String, run: Run) -> Self {
        Self::new(name, run, None)
    }

    fn new(name: String, run: Run, filter: Option<Box<Filter>>) -> Self {
        let Run { mut records, bytes: record_bytes, is_as_written } = run;
        let in_order = if is_as_written { &[] } else { &records[..] };
        debug_assert!(in_order.windows(2).all(|pair| pair[0].order(&pair[1]).is_lt()), "sorted, one record per key");
        let directory = TagDirectory::over(in_order);
        records.shrink_to_fit();
        Self { sst: Arc::new(Sst { name, records, directory, filter, record_bytes, is_as_written }) }
    }

    #[inline(always)]
    pub(crate) fn find(&self, tag: Tag, key: KeyRef<'_>) -> Option<&Record> {
        let bucket = self.sst.records.get(self.sst.directory.bucket(tag))?;
        let records = &bucket[first_of_tag(bucket, tag)?..];
        match &self.sst.filter {
            Some(filter) if !Self::may_contain(filter, records, tag, key) => None,
            _ => find_in(records, tag, key),
        }
    }

    /// Whether records that begin with this tag may hold the key, as far as the filter knows.
    #[inline(never)]
    fn may_contain(filter: &Filter, records: &[Record], tag: Tag, key: KeyRef<'_>) -> bool {
        let is_wide = records.get(WIDE_RECORDS).is_some_and(|record| record.tag() == tag);
        !is_wide || filter.may_contain(tag, key.sk())
    }

    /// The records of a span.
    pub(crate) fn between(&self, span: Span<'_>) -> &[Record] {
        debug_assert!(!self.is_as_written(), "what is not in order would be missing");
        let records = &self.sst.records;
        let Some(tag) = span.only_tag() else {
            let (from, to) = (self.seek(span.from.tag, span.from.edge), self.seek(span.to.tag, span.to.edge));
            return records.get(from..to).unwrap_or_default();
        };
        let bucket = &records[self.sst.directory.bucket(tag)];
        let Some(first) = first_of_tag(bucket, tag) else { return &[] };
        between(asked_tag_run(&bucket[first..], tag), span.from.edge, span.to.edge)
    }

    /// The first place that is not before the edge among the records of this tag.
    fn seek(&self, tag: Tag, edge: Edge<'_>) -> usize {
        let bucket = self.sst.directory.bucket(tag);
        bucket.start + seek_in(&self.sst.records[bucket], tag, edge)
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.sst.records
    }

    /// Whether its records are not sorted yet, so that it is to be merged before anything is looked for in it.
    pub(crate) fn is_as_written(&self) -> bool {
        self.sst.is_as_written
    }

    /// Bytes of the records.
    pub(crate) fn record_bytes(&self) -> usize {
        self.sst.record_bytes
    }

    /// Whether somebody else holds it, too.
    pub(crate) fn is_shared(&mut self) -> bool {
        // Not a look at the count alone: what the others have read is read then.
        Arc::get_mut(&mut self.sst).is_none()
    }

    /// Where this record itself is.
    fn position(&self, record: &Record) -> Option<usize> {
        debug_assert!(!self.is_as_written(), "what is not in order is sorted before");
        let bucket = self.sst.directory.bucket(record.tag());
        Some(bucket.start + position_of(self.sst.records.get(bucket)?, record)?)
    }

    /// Puts a newer version of a key in the place of the older one, which is returned; or returns the newer one where
    /// somebody else holds the SST, too.
    fn exchange(&mut self, at: usize, new: Record) -> std::result::Result<Record, Record> {
        let Some(sst) = Arc::get_mut(&mut self.sst) else { return Err(new) };
        let old = mem::replace(&mut sst.records[at], new);
        sst.record_bytes = sst.record_bytes + sst.records[at].footprint() - old.footprint();
        Ok(old)
    }

    /// Heap bytes of the SST itself and its handles.
    pub(crate) fn run_bytes(&self) -> usize {
        let sst = &*self.sst;
        ARC_COUNTS_BYTES + size_of::<Sst>() + sst.name.capacity() + sst.records.capacity() * size_of::<Record>()
    }

    /// Heap bytes of directory and filter.
    pub(crate) fn index_bytes(&self) -> usize {
        let sst = &*self.sst;
        sst.directory.bytes() + sst.filter.as_ref().map_or(0, |filter| filter.bytes())
    }

    /// The records: moved out where this is the only reader, otherwise each counted once more.
    pub(crate) fn into_run(mut self) -> Run {
        let (bytes, is_as_written) = (self.sst.record_bytes, self.sst.is_as_written);
        // Not try_unwrap, which orders with a fence: ThreadSanitizer knows no fences.
        let records = match Arc::get_mut(&mut self.sst) {
            Some(sst) => mem::take(&mut sst.records),
            None => self.sst.records.clone(),
        };
        Run { records, bytes, is_as_written }
    }
}

/// Where the first record of the tag is. Looks at one handle after another, which in a bucket of the usual size costs
/// less than halving it.
#[inline(always)]
fn first_of_tag(bucket: &[Record], tag: Tag) -> Option<usize> {
    let at = match bucket.len() <= 4 * BUCKET_RECORDS {
        true => bucket.iter().position(|record| record.tag() >= tag)?,
        false => bucket.partition_point(|record| record.tag() < tag),
    };
    bucket.get(at).filter(|record| record.tag() == tag).map(|_| at)
}

#[cfg(test)]
mod tests;
