//! Iterators over the database as it was at one moment.

use kstone_core::engine::{Cut, PageLimits};
use kstone_core::key::Keyspace;
use kstone_core::record::Record;
use kstone_core::{Error, Result};

use crate::index::IndexRange;
use crate::page::{PAGE_MAX_BYTES, page_limits};
use crate::query::Query;
use crate::read::Selection;
use crate::scan::Scan;

/// How many records an iterator takes from its cut at a time.
const BATCH: PageLimits = PageLimits { records: 256, bytes: PAGE_MAX_BYTES };

pub(crate) enum IterSource {
    Query(Query),
    /// Entries of an index, in order or in reverse.
    Entries(IndexRange, bool),
    Scan(Scan),
}

/// The records of a query or a scan as they were when it was opened. Outlives the database.
///
/// Holds what was there then: memory that later writes replace is freed when the iterator is dropped.
pub struct Records {
    cut: Cut,
    source: IterSource,
    selection: Selection,
    /// Whether the selection has nothing to decide.
    shows_all: bool,
    /// How many may still be examined.
    left: usize,
    batch: std::vec::IntoIter<Record>,
    /// The key at which the last batch ended.
    last: Option<(Vec<u8>, Vec<u8>)>,
    more: bool,
}

impl Records {
    pub(crate) fn new(
        cut: Cut,
        source: IterSource,
        limit: Option<usize>,
        selection: Selection,
        last: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Self> {
        if selection.counts() {
            return Err(Error::invalid("an iterator returns items, it cannot return their count"));
        }
        let left = page_limits(limit)?.records;
        let shows_all = selection.shows_all();
        Ok(Self { cut, source, selection, shows_all, left, batch: Vec::new().into_iter(), last, more: true })
    }

    /// How many items were examined so far, where there is no limit.
    pub(crate) fn examined(&self) -> usize {
        usize::MAX - self.left
    }

    fn next_batch(&mut self) {
        let last = self.last.as_ref().map(|(pk, sk)| (pk.as_slice(), sk.as_slice()));
        let page = match &self.source {
            IterSource::Query(query) => query.with_range(last.map(|(_, sk)| sk), |range| {
                self.cut.query(&query.partition_key, range, query.reverse, BATCH)
            }),
            IterSource::Entries(range, reverse) => {
                let range = last.map_or_else(|| range.clone(), |(_, sk)| range.clone().behind(sk, *reverse));
                Ok(self.cut.query_in(Keyspace::Index, range.pk(), range.sort_keys(), *reverse, BATCH))
            }
            IterSource::Scan(scan) => scan.range().map(|range| {
                let range = last.map_or(range, |(pk, sk)| range.after(pk, sk));
                self.cut.scan(range, BATCH)
            }),
        }
        .expect("the request was checked when the iterator was opened");
        self.more = page.limited;
        self.last = page.records.last().map(|record| (record.pk().to_vec(), record.sk().to_vec()));
        self.batch = page.records.into_iter();
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if self.left == 0 {
                return None;
            }
            if self.batch.as_slice().is_empty() && self.more {
                self.next_batch();
            }
            let record = self.batch.next()?;
            if self.shows_all {
                self.left -= 1;
                return Some(record);
            }
            let Some(record) = self.selection.examine(record) else { continue };
            self.left -= 1;
            if let Some(selected) = self.selection.apply(record) {
                return Some(selected);
            }
        }
    }
}
