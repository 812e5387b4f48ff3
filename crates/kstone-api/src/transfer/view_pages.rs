//! The items of a view page by page, for what reads all of them: snapshots and exports.

use std::sync::Arc;

use crate::error::Result;
use kstone_core::engine::{PageLimits, PointInTimeView, ScanRange};
use kstone_core::record::Record;

use crate::request::page::batch_limits;
use crate::table::Table;
use crate::table::state::TableState;

const PAGE: PageLimits = batch_limits(1000);

impl Table {
    /// The database at one moment, and the table that was in force then.
    pub(crate) fn view_with_table(&self) -> Result<(Arc<TableState>, PointInTimeView)> {
        loop {
            let table = self.state();
            let view = self.engine().view()?;
            if self.is_current(&table) {
                return Ok((table, view));
            }
        }
    }
}

/// The items of a view in scan order, a page at a time, expired ones included.
pub(crate) struct Pages<'a> {
    view: &'a PointInTimeView,
    last: Option<Record>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn of(view: &'a PointInTimeView) -> Self {
        Self { view, last: None, ended: false }
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
        let page = self.view.scan(range, PAGE);
        self.ended = !page.limited;
        self.last = page.records.last().cloned();
        Some(page.records)
    }
}

#[cfg(test)]
mod tests {
    use kstone_core::key::KeyRef;

    use super::*;
    use crate::Database;
    use crate::model::schema::TableSchema;

    /// The schema changes and an item is written after the table was looked up and before the view is made.
    #[test]
    fn a_cut_comes_with_the_table_that_was_in_force_at_it() -> Result<()> {
        let db = Database::create_in_memory()?;
        let key = KeyRef::new(b"later", b"")?;
        std::thread::scope(|scope| {
            let view = db.engine().commit(&[key], |_| {
                // No view is taken while this holds a lock.
                let table = db.state();
                let looked_up = Arc::strong_count(&table);
                let view = scope.spawn(|| {
                    let (table, view) = db.view_with_table().expect("view");
                    (table.schema.table_name().map(str::to_owned), view.scan(ScanRange::all(), PAGE).records.len())
                });
                while Arc::strong_count(&table) == looked_up {
                    std::thread::yield_now();
                }
                db.install(Arc::new(TableState::following(TableSchema::new().name("later"), Some(&table), 0)?));
                Ok::<_, crate::Error>((vec![Record::put(key, &[])], view))
            })?;
            assert_eq!(view.join().expect("view"), (Some("later".to_owned()), 1));
            Ok(())
        })
    }
}
