//! SSTs by name: a stripe's own, and the public store that threads share.

use std::sync::Arc;

use parking_lot::Mutex;

use super::MemorySstReader;
use crate::record::Record;
use crate::run::Run;

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

    /// Puts one run, unless it is empty, in the place of these SSTs, which stand side by side, and under the name of
    /// the last of them; false where they are not all there.
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

    /// Whether somebody else holds one of them, too.
    pub(crate) fn are_shared(&mut self) -> bool {
        self.readers.iter_mut().any(MemorySstReader::is_shared)
    }

    /// Puts a newer version of a key in the place of this record, which is returned; or returns the newer one where the
    /// record is in none of the SSTs, or in one that somebody else holds, too.
    pub(crate) fn exchange(&mut self, old: &Record, new: Record) -> std::result::Result<Record, Record> {
        let place = |(sst, reader): (usize, &MemorySstReader)| Some((sst, reader.position(old)?));
        match self.readers.iter().enumerate().rev().find_map(place) {
            Some((sst, at)) => self.readers[sst].exchange(at, new),
            None => Err(new),
        }
    }

    /// Heap bytes without the SSTs.
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
