//! The pager: all records of a range page by page, for what goes over many of them and may be interrupted between two
//! pages. Exports, saves, the filling of indexes and the removal of what has expired read with it.
//!
//! Of the engine each page is as it is when it is read; of a view all pages are of the view's moment. Expired items are
//! among the records.

use std::sync::Arc;

use kstone_core::engine::{Engine, PageLimits, PointInTimeView, RecordPage, ScanRange};
use kstone_core::record::Record;

use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::request::page_limits::batch_limits;
use crate::table::Table;
use crate::table::state::TableState;

/// How much is held of what is read as a whole.
const WHOLE: PageLimits = batch_limits(1000);

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

/// What pages are read of.
pub(crate) trait Paged {
    fn page(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage>;
}

impl Paged for Engine {
    fn page(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        Ok(self.scan(range, limits)?)
    }
}

impl Paged for PointInTimeView {
    fn page(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        Ok(self.scan(range, limits))
    }
}

/// The records of a range in scan order, a page at a time. After an error there is none.
pub(crate) struct Pager<'a, S> {
    source: &'a S,
    range: ScanRange<'a>,
    limits: PageLimits,
    interrupt: Option<&'a Interrupt>,
    last: Option<Record>,
    ended: bool,
}

impl<'a> Pager<'a, PointInTimeView> {
    /// All items of a view.
    pub(crate) fn of_view(view: &'a PointInTimeView, interrupt: Option<&'a Interrupt>) -> Self {
        Self::over(view, ScanRange::all(), WHOLE).ended_by(interrupt)
    }
}

impl<'a, S: Paged> Pager<'a, S> {
    /// The records of this range, so much of them at a time.
    pub(crate) fn over(source: &'a S, range: ScanRange<'a>, limits: PageLimits) -> Self {
        Self { source, range, limits, interrupt: None, last: None, ended: false }
    }

    /// The same, ended by this flag where there is one: looked at before each page.
    pub(crate) fn ended_by(self, interrupt: Option<&'a Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// Whether nothing follows the pages that were read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.ended
    }

    fn read(&mut self) -> Result<Vec<Record>> {
        self.interrupt.map_or(Ok(()), Interrupt::check)?;
        let range = self.last.as_ref().map_or(self.range, |last| self.range.after(last.pk(), last.sk()));
        let page = self.source.page(range, self.limits)?;
        self.ended = !page.limited;
        self.last = page.records.last().cloned();
        Ok(page.records)
    }
}

impl<S: Paged> Iterator for Pager<'_, S> {
    type Item = Result<Vec<Record>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let page = self.read();
        self.ended |= page.is_err();
        Some(page)
    }
}

#[cfg(test)]
mod tests {
    use kstone_core::key::KeyRef;

    use super::*;
    use crate::Database;
    use crate::error::Error;
    use crate::model::schema::TableSchema;

    /// The schema changes and an item is written after the table was looked up and before the view is made.
    #[test]
    fn a_view_comes_with_the_table_that_was_in_force_at_its_moment() -> Result<()> {
        let db = Database::create_in_memory()?;
        let key = KeyRef::new(b"later", b"")?;
        std::thread::scope(|scope| {
            let view = db.engine().commit(&[key], |_| {
                // No view is taken while this holds a lock.
                let table = db.state();
                let looked_up = Arc::strong_count(&table);
                let view = scope.spawn(|| {
                    let (table, view) = db.view_with_table().expect("view");
                    (table.schema.table_name().map(str::to_owned), view.scan(ScanRange::all(), WHOLE).records.len())
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

    #[test]
    fn a_pager_gives_every_record_once_and_ends_where_its_flag_is_raised() -> Result<()> {
        let db = Database::create_in_memory()?;
        for i in 0..10_u8 {
            db.put(&[b'k', i], crate::Item::new())?;
        }
        let (_, view) = db.view_with_table()?;
        let limits = PageLimits::of_records(3);
        let sizes = |pages: Vec<Vec<Record>>| pages.iter().map(Vec::len).collect::<Vec<_>>();
        let of_view = Pager::over(&view, ScanRange::all(), limits).collect::<Result<_>>()?;
        let of_engine = Pager::over(db.engine(), ScanRange::all(), limits).collect::<Result<_>>()?;
        assert_eq!((sizes(of_view), sizes(of_engine)), (vec![3, 3, 3, 1], vec![3, 3, 3, 1]));

        let interrupt = Interrupt::new();
        let mut pager = Pager::over(&view, ScanRange::all(), limits).ended_by(Some(&interrupt));
        assert!(pager.next().is_some_and(|page| page.is_ok()) && !pager.is_at_end());
        interrupt.raise();
        assert!(matches!(pager.next(), Some(Err(Error::Interrupted))));
        assert!(pager.next().is_none() && pager.is_at_end());
        Ok(())
    }
}
