//! How many items and index entries a tree shows, and their bytes: kept with every write, so that nobody has to count.

use crate::record::Record;

/// What a tree shows, items and index entries apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LiveCounts {
    pub(crate) items: LiveCount,
    pub(crate) index_entries: LiveCount,
}

/// Records of one keyspace that a look-up finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct LiveCount {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
}

impl LiveCounts {
    /// Counts a record that is not a tombstone.
    #[inline]
    pub(crate) fn add(&mut self, record: &Record) {
        let count = self.of_keyspace(record);
        count.records += 1;
        count.bytes += record.footprint();
    }

    /// Takes a record out that was counted.
    #[inline]
    pub(crate) fn subtract(&mut self, record: &Record) {
        let count = self.of_keyspace(record);
        count.records -= 1;
        count.bytes -= record.footprint();
    }

    /// Bytes of both keyspaces.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.items.bytes + self.index_entries.bytes
    }

    #[inline]
    fn of_keyspace(&mut self, record: &Record) -> &mut LiveCount {
        if record.is_item() { &mut self.items } else { &mut self.index_entries }
    }
}
