//! What has to see all records before its first row: rows of groups, and rows in an order that records do not lie in.
//! Beyond DynamoDB.
//!
//! Records come from point-in-time views, so each range is seen as it was at one moment. Memory is bounded by
//! [`COLLECT_MAX_BYTES`], whatever the table holds; where LIMIT says how many rows are wanted, no more than about twice
//! as many are held.

use crate::error::Result;
use kstone_core::record::Record;

use super::bounds::{COLLECT_MAX_BYTES, check_bytes};
use super::groups::Groups;
use super::order::compare;
use super::plan::Range;
use super::select::Reading;
use super::statement::StatementResult;
use crate::interrupt::sort_by;
use crate::request::read::Read;

/// How many rows beyond those wanted are held before the rest is released.
const SLACK_ROWS: usize = 1024;

/// All rows of a SELECT.
///
/// # Errors
/// [`Error::Limit`] for more than [`COLLECT_MAX_BYTES`]; [`Error::Invalid`] for an aggregate of values that it cannot
/// take.
pub(super) fn collect(mut reading: Reading<'_>) -> Result<StatementResult> {
    let ranges = std::mem::take(&mut reading.plan.ranges);
    let mut groups = Groups::new(reading.select, reading.bound);
    let mut sorter = Sorter::new(&reading);
    let mut scanned = 0;
    let counts = groups.as_ref().is_some_and(Groups::only_count);
    for range in ranges {
        if counts {
            let (count, examined) = count(&reading, range)?;
            groups.iter_mut().for_each(|groups| groups.count(count));
            scanned += examined;
            continue;
        }
        let mut take = |record: Record| match &mut groups {
            Some(groups) => groups.take(&record),
            None => sorter.push(record),
        };
        let records = match range {
            Range::Get(key) => {
                let found: Vec<Record> = reading.database.get_by_key(key.key_ref())?.into_iter().collect();
                let (selected, _, examined) = reading.selection().apply_all(found, reading.database)?;
                scanned += examined;
                selected.into_iter().try_for_each(&mut take)?;
                continue;
            }
            Range::Read(extent) => reading.database.iter_read(Read::all(extent, reading.selection())),
        };
        let mut records = records?;
        records.by_ref().try_for_each(&mut take)?;
        records.check_interrupt()?;
        scanned += records.examined();
    }
    let interrupt = reading.database.interrupt.as_ref();
    let rows = match groups {
        Some(groups) => {
            let mut rows = groups.into_rows(interrupt)?;
            sort_by(&mut rows, interrupt, |a, b| compare(&reading.select.order_by, reading.bound, a, b))?;
            rows.into_iter().skip(reading.offset).take(reading.limit.unwrap_or(usize::MAX)).collect()
        }
        None => sorter.into_records()?.iter().skip(reading.offset).map(|record| reading.row(record)).collect(),
    };
    Ok(StatementResult { scanned, ..StatementResult::of_rows(rows) })
}

/// How many items of a range the statement is about, and how many were examined to know.
fn count(reading: &Reading<'_>, range: Range) -> Result<(usize, usize)> {
    let database = reading.database;
    match range {
        Range::Get(key) => {
            let found: Vec<Record> = database.get_by_key(key.key_ref())?.into_iter().collect();
            let (_, count, examined) = reading.selection().counting().apply_all::<Record>(found, database)?;
            Ok((count, examined))
        }
        Range::Read(extent) => database.count_all(extent, reading.selection()),
    }
}

/// Keeps records in order, and no more than are wanted.
struct Sorter<'a> {
    reading: &'a Reading<'a>,
    records: Vec<Record>,
    bytes: usize,
    /// How many of the first records are wanted.
    wanted: usize,
}

impl<'a> Sorter<'a> {
    fn new(reading: &'a Reading<'a>) -> Self {
        let wanted = reading.limit.map_or(usize::MAX, |limit| limit.saturating_add(reading.offset));
        Self { reading, records: Vec::new(), bytes: 0, wanted }
    }

    fn push(&mut self, record: Record) -> Result<()> {
        self.bytes += record.footprint();
        self.records.push(record);
        let is_over = self.bytes > COLLECT_MAX_BYTES;
        if self.records.len() >= self.wanted.saturating_mul(2).saturating_add(SLACK_ROWS) || is_over {
            self.prune()?;
        }
        check_bytes("The rows to be sorted", self.bytes)
    }

    /// Releases what is not wanted.
    fn prune(&mut self) -> Result<()> {
        if self.records.len() > self.wanted {
            self.sort()?;
            self.records.truncate(self.wanted);
            self.bytes = self.records.iter().map(Record::footprint).sum();
        }
        Ok(())
    }

    fn sort(&mut self) -> Result<()> {
        let Reading { database, select, bound, .. } = self.reading;
        // Stable: records that are equal stay in the order in which they were read.
        sort_by(&mut self.records, database.interrupt.as_ref(), |a, b| compare(&select.order_by, bound, a, b))
    }

    fn into_records(mut self) -> Result<Vec<Record>> {
        self.sort()?;
        self.records.truncate(self.wanted);
        Ok(self.records)
    }
}
