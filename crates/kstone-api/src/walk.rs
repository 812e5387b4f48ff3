//! Walking the items of a cut page by page, for what reads all of them: snapshots and exports.

use std::sync::Arc;

use kstone_core::Result;
use kstone_core::engine::{Cut, PageLimits, ScanRange};
use kstone_core::record::Record;

use crate::database::Database;
use crate::page::PAGE_MAX_BYTES;
use crate::table::Table;

const PAGE: PageLimits = PageLimits { records: 1000, bytes: PAGE_MAX_BYTES };

impl Database {
    /// The database at one moment, and the table that was in force then.
    pub(crate) fn cut_with_table(&self) -> Result<(Arc<Table>, Cut)> {
        loop {
            let table = self.table();
            let cut = self.engine().cut()?;
            if self.is_current(&table) {
                return Ok((table, cut));
            }
        }
    }
}

/// The items of a cut in scan order, a page at a time, expired ones included.
pub(crate) struct Pages<'a> {
    cut: &'a Cut,
    last: Option<Record>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn of(cut: &'a Cut) -> Self {
        Self { cut, last: None, ended: false }
    }
}

impl Iterator for Pages<'_> {
    type Item = Vec<Record>;

    fn next(&mut self) -> Option<Vec<Record>> {
        if self.ended {
            return None;
        }
        let range = ScanRange::all();
        let range = self.last.as_ref().map_or(range, |last| range.after(last.pk(), last.sk()));
        let page = self.cut.scan(range, PAGE);
        self.ended = !page.limited;
        self.last = page.records.last().cloned();
        Some(page.records)
    }
}
