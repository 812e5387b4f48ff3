//! A run: sorted records, one per key, as a flush or a merge makes them, and what they add up to.

use crate::record::Record;

/// What a run of records adds up to, kept so that nobody needs to touch the records to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Weight {
    pub(crate) bytes: usize,
    pub(crate) tombstones: usize,
}

impl Weight {
    pub(crate) fn of(records: &[Record]) -> Self {
        let mut weight = Self::default();
        records.iter().for_each(|record| weight.add(record));
        weight
    }

    pub(crate) fn add(&mut self, record: &Record) {
        self.bytes += record.footprint();
        self.tombstones += usize::from(record.is_tombstone());
    }

    pub(crate) fn subtract(&mut self, record: &Record) {
        self.bytes -= record.footprint();
        self.tombstones -= usize::from(record.is_tombstone());
    }
}

/// Sorted records, one per key, and what they add up to.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) records: Vec<Record>,
    pub(crate) weight: Weight,
}
