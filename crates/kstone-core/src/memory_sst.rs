//! Sorted string tables, in memory: immutable runs of records.
//!
//! ```text
//! directory  [ 0   4   9   9  15 … ]     one bucket per leading bits of the tag: where its records begin
//! records    [••••│•••••││••••••│ …]     sorted by (tag, partition key, sort key)
//! filter     over the keys of wide partitions, where there are any
//! ```
//!
//! A look-up reads one slot of the directory and a few handles beside each other; it touches a record only where the
//! tag is equal. A partition's records are one slice.
//!
//! # Thread safety
//! A [`MemorySstReader`] is immutable and shared by count; a [`MemorySstStore`] may be used from any thread.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::error::Result;
use crate::filter::{Filter, WIDE_RECORDS};
use crate::key::{Edge, Key, KeyRef, Keyspace, Route, SortEdge, Tag};
use crate::memtable::{find_in, place_in, seek_in, tag_run};
use crate::merge::{Run, Span, Weight};
use crate::record::Record;

/// How many records a bucket of the directory holds on average, about: half a cache line of handles.
const BUCKET_RECORDS: usize = 4;

/// A run of one tag that is no longer is asked for as a whole before its ends are looked at.
const SMALL_RUN: usize = 16;

/// What an `Arc` keeps beside its value.
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
        let weight = Weight::of(&records);
        Ok(MemorySstReader::from_run(name.into(), Run { records, weight }))
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
    directory: Directory,
    /// Boxed: few SSTs have one.
    filter: Option<Box<Filter>>,
    weight: Weight,
}

impl MemorySstReader {
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

    pub(crate) fn from_run(name: String, run: Run) -> Self {
        let Run { mut records, weight } = run;
        debug_assert!(records.windows(2).all(|pair| pair[0].order(&pair[1]).is_lt()), "sorted, one record per key");
        records.shrink_to_fit();
        let directory = Directory::over(&records);
        let filter = Filter::over_wide_runs(&records).map(Box::new);
        Self { sst: Arc::new(Sst { name, records, directory, filter, weight }) }
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
        let records = &self.sst.records;
        let Some(tag) = span.only_tag() else {
            let (from, to) = (self.seek(span.from.tag, span.from.edge), self.seek(span.to.tag, span.to.edge));
            return records.get(from..to).unwrap_or_default();
        };
        let bucket = &records[self.sst.directory.bucket(tag)];
        let Some(first) = first_of_tag(bucket, tag) else { return &[] };
        let run = tag_run(&bucket[first..], tag);
        if run.len() <= SMALL_RUN {
            run.iter().for_each(Record::prefetch_item);
        }
        let from = place_in(run, span.from.edge);
        let to = from + place_in(&run[from..], span.to.edge);
        &run[from..to]
    }

    /// The first place that is not before the edge among the records of this tag.
    fn seek(&self, tag: Tag, edge: Edge<'_>) -> usize {
        let bucket = self.sst.directory.bucket(tag);
        bucket.start + seek_in(&self.sst.records[bucket], tag, edge)
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.sst.records
    }

    pub(crate) fn weight(&self) -> Weight {
        self.sst.weight
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
        let weight = self.sst.weight;
        // Not try_unwrap, which orders with a fence: ThreadSanitizer knows no fences.
        let records = match Arc::get_mut(&mut self.sst) {
            Some(sst) => mem::take(&mut sst.records),
            None => self.sst.records.clone(),
        };
        Run { records, weight }
    }
}

/// Where the first record of the tag is. Looks at one handle after another, which in a bucket of the usual size costs less
/// than halving it.
#[inline(always)]
fn first_of_tag(bucket: &[Record], tag: Tag) -> Option<usize> {
    let at = match bucket.len() <= 4 * BUCKET_RECORDS {
        true => bucket.iter().position(|record| record.tag() >= tag)?,
        false => bucket.partition_point(|record| record.tag() < tag),
    };
    bucket.get(at).filter(|record| record.tag() == tag).map(|_| at)
}

/// Where the records of each bucket of tags begin, from the first record's bucket to the last one's.
struct Directory {
    shift: u32,
    first_bucket: usize,
    starts: Starts,
}

/// In two bytes each where they fit, so that the directories of a large table stay in a near cache.
enum Starts {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Directory {
    fn over(records: &[Record]) -> Self {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Self { shift: 0, first_bucket: 0, starts: Starts::Narrow(Vec::new()) };
        };
        // Items use half of the tags, so one bit more than the number of buckets asks for.
        let bits = ((records.len() / BUCKET_RECORDS).max(1).ilog2() + 1).min(u16::BITS);
        let shift = u16::BITS - bits;
        let bucket = |record: &Record| usize::from(record.tag().0) >> shift;
        let first_bucket = bucket(first);
        let buckets = bucket(last) - first_bucket + 1;
        let starts = |push: &mut dyn FnMut(usize)| {
            let mut next = first_bucket;
            for (at, record) in records.iter().enumerate() {
                while next <= bucket(record) {
                    push(at);
                    next += 1;
                }
            }
            push(records.len());
        };
        let starts = if records.len() <= usize::from(u16::MAX) {
            let mut narrow = Vec::with_capacity(buckets + 1);
            starts(&mut |at| narrow.push(at as u16));
            Starts::Narrow(narrow)
        } else {
            let mut wide = Vec::with_capacity(buckets + 1);
            starts(&mut |at| wide.push(u32::try_from(at).expect("a stripe holds fewer than 2^32 records")));
            Starts::Wide(wide)
        };
        Self { shift, first_bucket, starts }
    }

    #[inline(always)]
    fn bucket(&self, tag: Tag) -> Range<usize> {
        let bucket = usize::from(tag.0) >> self.shift;
        let Some(at) = bucket.checked_sub(self.first_bucket) else { return 0..0 };
        match &self.starts {
            Starts::Narrow(starts) => bucket_at(starts, at),
            Starts::Wide(starts) => bucket_at(starts, at),
        }
    }

    fn bytes(&self) -> usize {
        match &self.starts {
            Starts::Narrow(starts) => starts.capacity() * size_of::<u16>(),
            Starts::Wide(starts) => starts.capacity() * size_of::<u32>(),
        }
    }
}

#[inline(always)]
fn bucket_at<T: Copy + Into<u32>>(starts: &[T], at: usize) -> Range<usize> {
    let place = |start: &T| (*start).into() as usize;
    match starts.get(at..at + 2) {
        Some([from, to]) => place(from)..place(to),
        _ => {
            let end = starts.last().map_or(0, place);
            end..end
        }
    }
}

/// SSTs by name, in the order of their names. A stripe owns one and names its SSTs by age, so that the newest is last.
#[derive(Clone, Default)]
pub(crate) struct SstDirectory {
    readers: Vec<MemorySstReader>,
}

impl SstDirectory {
    /// Keeps the SST under its name; one that was kept under that name goes.
    pub(crate) fn store(&mut self, name: String, sst: MemorySstReader) {
        let sst = sst.renamed(name);
        match self.position(sst.name()) {
            Ok(at) => self.readers[at] = sst,
            Err(at) => self.readers.insert(at, sst),
        }
    }

    pub(crate) fn delete(&mut self, name: &str) -> Option<MemorySstReader> {
        self.position(name).ok().map(|at| self.readers.remove(at))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&MemorySstReader> {
        self.position(name).ok().map(|at| &self.readers[at])
    }

    /// Every SST, oldest name first.
    pub(crate) fn readers(&self) -> &[MemorySstReader] {
        &self.readers
    }

    /// Puts one run, unless it is empty, in the place of these SSTs, which stand side by side, and under the name of the
    /// last of them; false where they are not all there.
    pub(crate) fn replace(&mut self, these: &[MemorySstReader], run: Run) -> bool {
        let Some(name) = these.last().map(|last| last.name().to_owned()) else { return false };
        let Ok(first) = self.position(these[0].name()) else { return false };
        let places = first..first + these.len();
        let is_same = |(a, b): (&MemorySstReader, &MemorySstReader)| Arc::ptr_eq(&a.sst, &b.sst);
        if !self.readers.get(places.clone()).is_some_and(|there| there.iter().zip(these).all(is_same)) {
            return false;
        }
        let merged = (!run.records.is_empty()).then(|| MemorySstReader::from_run(name, run));
        self.readers.splice(places, merged);
        true
    }

    /// Heap bytes beside the SSTs.
    pub(crate) fn handle_bytes(&self) -> usize {
        self.readers.capacity() * size_of::<MemorySstReader>()
    }

    /// Takes out the newest SSTs, all but the first `at`.
    pub(crate) fn split_off(&mut self, at: usize) -> Vec<MemorySstReader> {
        self.readers.split_off(at)
    }

    fn position(&self, name: &str) -> std::result::Result<usize, usize> {
        self.readers.binary_search_by(|reader| reader.name().cmp(name))
    }
}

impl MemorySstReader {
    /// The same records under another name.
    fn renamed(self, name: String) -> Self {
        if self.name() == name {
            return self;
        }
        Self::from_run(name, self.into_run())
    }
}

/// Named SSTs that threads may share, like a directory of files. Clones share one store.
///
/// ```
/// use kstone_core::memory_sst::{MemorySstStore, MemorySstWriter};
/// use kstone_core::{key::{Key, KeyRef}, record::Record};
/// let store = MemorySstStore::new();
/// let mut writer = MemorySstWriter::new();
/// writer.add(Record::put(KeyRef::new(b"a", b"")?, &[]));
/// store.store("stripe-042-001.sst", writer.finish("stripe-042-001.sst")?);
/// let sst = store.get("stripe-042-001.sst").expect("stored");
/// assert!(sst.get(&Key::new("a")).is_some());
/// assert!(store.delete("stripe-042-001.sst"));
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct MemorySstStore {
    directory: Arc<Mutex<SstDirectory>>,
}

impl MemorySstStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps the SST under this name, in the place of one that had it. Shares the records, copies none.
    pub fn store(&self, name: impl Into<String>, sst: MemorySstReader) {
        self.directory.lock().store(name.into(), sst);
    }

    /// The SST of this name, shared.
    pub fn get(&self, name: &str) -> Option<MemorySstReader> {
        self.directory.lock().get(name).cloned()
    }

    /// Forgets the SST of this name; whether there was one. Readers that hold it keep it.
    pub fn delete(&self, name: &str) -> bool {
        let removed = self.directory.lock().delete(name);
        removed.is_some()
    }

    /// Every name, in order.
    pub fn list_names(&self) -> Vec<String> {
        self.directory.lock().readers().iter().map(|sst| sst.name().to_owned()).collect()
    }

    /// Forgets every SST.
    pub fn clear(&self) {
        let removed = std::mem::take(&mut *self.directory.lock());
        drop(removed);
    }
}

#[cfg(test)]
mod tests;
