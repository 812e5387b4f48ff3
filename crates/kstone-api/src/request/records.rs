//! Iterators over the database as it was at one moment.

use crate::error::{Error, Result};
use kstone_core::engine::{Cursor, PageLimits, PointInTimeView};
use kstone_core::key::Keyspace;
use kstone_core::record::{Record, RecordRef};

use crate::interrupt::Interrupt;
use crate::request::page::{batch_limits, page_limits};
use crate::request::query::Query;
use crate::request::read::Selection;
use crate::request::scan::Scan;
use crate::table::index::IndexRange;

/// How many records an iterator takes from its view at a time.
const BATCH: PageLimits = batch_limits(256);

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
    cursor: Cursor,
    source: IterSource,
    selection: Selection,
    /// Whether the selection has nothing to decide.
    shows_all: bool,
    /// How many may still be examined.
    left: usize,
    /// The key at which the last batch ended.
    last: Option<(Vec<u8>, Vec<u8>)>,
    more: bool,
    /// What [`Records::advance`] lent last, where the selection made it.
    made: Option<Record>,
    interrupt: Option<Interrupt>,
    interrupted: bool,
}

/// The next record of all.
enum Found {
    /// The one that the cursor has come to.
    InView,
    /// One that the selection made.
    Made(Record),
}

impl Records {
    pub(crate) fn new(
        view: PointInTimeView,
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
        let cursor = Cursor::over(view);
        let (made, interrupt) = (None, None);
        Ok(Self { cursor, source, selection, shows_all, left, last, more: true, made, interrupt, interrupted: false })
    }

    /// The same, ended by this flag where there is one.
    pub(crate) fn ended_by(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// # Errors
    /// [`Error::Interrupted`] where the iterator was ended by its flag, so that records are missing: see
    /// [`Database::interrupted_by`](crate::Database::interrupted_by).
    pub fn check_interrupt(&self) -> Result<()> {
        if self.interrupted { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// How many items were examined so far, where there is no limit.
    pub(crate) fn examined(&self) -> usize {
        usize::MAX - self.left
    }

    fn next_batch(&mut self) {
        let cursor = &mut self.cursor;
        let last = self.last.as_ref().map(|(pk, sk)| (pk.as_slice(), sk.as_slice()));
        self.more = match &self.source {
            IterSource::Query(query) => query.with_range(last.map(|(_, sk)| sk), |range| {
                cursor.query_in(Keyspace::Items, &query.partition_key, range, query.reverse, BATCH)
            }),
            IterSource::Entries(range, reverse) => {
                let range = last.map_or_else(|| range.clone(), |(_, sk)| range.clone().behind(sk, *reverse));
                Ok(cursor.query_in(Keyspace::Index, range.pk(), range.sort_keys(), *reverse, BATCH))
            }
            IterSource::Scan(scan) => scan.range(self.selection.index()).map(|range| {
                let range = last.map_or(range, |(pk, sk)| range.after(pk, sk));
                cursor.scan(range, BATCH)
            }),
        }
        .expect("the request was checked when the iterator was opened");
        self.last = self.cursor.last_of_batch().map(|record| (record.pk().to_vec(), record.sk().to_vec()));
    }

    /// The next record, lent until the next call: cheaper than [`Iterator::next`], which counts another user of it.
    #[inline]
    pub fn advance(&mut self) -> Option<RecordRef<'_>> {
        let record = match self.find()? {
            Found::InView => self.cursor.current(),
            Found::Made(record) => Some(&*self.made.insert(record)),
        };
        record.map(RecordRef::from)
    }

    #[inline]
    fn find(&mut self) -> Option<Found> {
        loop {
            if self.left == 0 {
                return None;
            }
            if self.cursor.is_at_end() && self.more {
                if self.interrupt.as_ref().is_some_and(Interrupt::is_raised) {
                    self.interrupted = true;
                    return None;
                }
                self.next_batch();
            }
            if !self.cursor.advance() {
                return None;
            }
            if self.shows_all {
                self.left -= 1;
                return Some(Found::InView);
            }
            let Some(record) = self.selection.examine(self.cursor.current()?.clone()) else { continue };
            self.left -= 1;
            let selected = self.selection.apply(record, self.cursor.view());
            if let Some(selected) = selected.expect("a view can be read at any time") {
                return Some(Found::Made(selected));
            }
        }
    }
}

impl Iterator for Records {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        match self.find()? {
            Found::InView => self.cursor.current().cloned(),
            Found::Made(record) => Some(record),
        }
    }
}
