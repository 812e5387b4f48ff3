//! A run: sorted records, one per key, as a flush or a merge makes them, and what they add up to.

use crate::record::Record;

/// Sorted records, one per key, and their bytes, so that nobody needs to touch the records to know.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) records: Vec<Record>,
    pub(crate) bytes: usize,
}

impl Run {
    /// Sorted records, weighed.
    pub(crate) fn of(records: Vec<Record>) -> Self {
        Self { bytes: records.iter().map(Record::footprint).sum(), records }
    }
}

/// What runs hold and their tree does not show: versions that newer ones hide, and tombstones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Hidden {
    pub(crate) bytes: usize,
    pub(crate) tombstones: usize,
}

impl Hidden {
    pub(crate) fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut hidden = Self::default();
        records.into_iter().for_each(|record| hidden.add(record));
        hidden
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.bytes += record.footprint();
        self.tombstones += usize::from(record.is_tombstone());
    }

    pub(crate) fn subtract(&mut self, gone: Self) {
        self.bytes -= gone.bytes;
        self.tombstones -= gone.tombstones;
    }
}
