//! How many items and index entries a tree shows, and their bytes: kept with every write, so that nobody has to count.

use crate::key::INDEX_ID_BYTES;
use crate::record::Record;

/// What a tree shows, items and index entries apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct LiveCounts {
    pub(crate) items: LiveCount,
    pub(crate) index_entries: LiveCount,
    /// The entries of each index that has or had some, ascending by its number.
    by_index: Vec<(u16, u32)>,
}

/// Records of one keyspace that a look-up finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LiveCount {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl LiveCounts {
    /// Counts a record that is not a tombstone; its footprint.
    #[inline(always)]
    pub(crate) fn add(&mut self, record: &Record) -> usize {
        let bytes = record.footprint();
        match record.is_item() {
            true => self.items.add(bytes),
            false => self.add_entry(record, bytes),
        }
        bytes
    }

    #[inline(never)]
    fn add_entry(&mut self, record: &Record, bytes: usize) {
        self.index_entries.add(bytes);
        let index = index_of(record);
        match self.place_of(index) {
            Ok(at) => self.by_index[at].1 += 1,
            Err(at) => {
                self.by_index.reserve_exact(1);
                self.by_index.insert(at, (index, 1));
            }
        }
    }

    /// Adds what was counted apart.
    pub(crate) fn add_all(&mut self, other: &Self) {
        for (count, more) in [(&mut self.items, other.items), (&mut self.index_entries, other.index_entries)] {
            count.records += more.records;
            count.bytes += more.bytes;
        }
        for &(index, entries) in &other.by_index {
            match self.place_of(index) {
                Ok(at) => self.by_index[at].1 += entries,
                Err(at) => self.by_index.insert(at, (index, entries)),
            }
        }
    }

    /// Takes a record out that was counted.
    #[inline(always)]
    pub(crate) fn subtract(&mut self, record: &Record) {
        if record.is_item() {
            return self.items.subtract(record);
        }
        self.subtract_entry(record);
    }

    #[inline(never)]
    fn subtract_entry(&mut self, record: &Record) {
        self.index_entries.subtract(record);
        let Ok(at) = self.place_of(index_of(record)) else { return };
        self.by_index[at].1 -= 1;
        if self.by_index[at].1 == 0 {
            self.by_index.remove(at);
            self.by_index.shrink_to_fit();
        }
    }

    /// How many entries of the index of this number there are.
    pub(crate) fn entries_of(&self, index: u16) -> u32 {
        self.place_of(index).map_or(0, |at| self.by_index[at].1)
    }

    fn place_of(&self, index: u16) -> Result<usize, usize> {
        self.by_index.binary_search_by_key(&index, |(other, _)| *other)
    }

    /// Records of both keyspaces.
    pub(crate) fn records(&self) -> usize {
        self.items.records + self.index_entries.records
    }

    /// Bytes of both keyspaces.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.items.bytes + self.index_entries.bytes
    }

    /// Heap bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.by_index.capacity() * size_of::<(u16, u32)>()
    }
}

impl LiveCount {
    #[inline(always)]
    fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes;
    }

    #[inline]
    fn subtract(&mut self, record: &Record) {
        self.records -= 1;
        self.bytes -= record.footprint();
    }
}

/// The number of the index that an entry is of: its key begins with it.
fn index_of(entry: &Record) -> u16 {
    entry.pk().first_chunk::<INDEX_ID_BYTES>().map_or(0, |number| u16::from_be_bytes(*number))
}
