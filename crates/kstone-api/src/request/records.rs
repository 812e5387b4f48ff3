//! Iterators over the database as it was at one moment.

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{AwaitedView, Cursor, PageLimits, RecordPage};
use kstone_core::record::{Record, RecordRef};

use crate::interrupt::Interrupt;
use crate::request::extent::{Extent, Place, Rest, lent};
use crate::request::page_limits::{batch_limits, page_limits};
use crate::request::read::Read;
use crate::request::selection::{Selected, Selection};

/// How many records an iterator takes from its view at a time, and how many it takes at once where these are all there
/// are: then it needs no view.
pub(crate) const BATCH_RECORDS: usize = 256;
const BATCH: PageLimits = batch_limits(BATCH_RECORDS);
/// How many it takes first where its view is awaited, and then twice as many each time: most that are not read to the end
/// end soon.
const FIRST_BATCH_RECORDS: usize = 16;

/// The records of a query or a scan as they were when it was opened. Outlives the database.
///
/// Holds what was there then: memory that later writes replace is freed when the iterator is dropped.
pub struct Records {
    cursor: Cursor,
    /// The view of a scan that has read little yet, and how many records it takes next.
    awaited: Option<(AwaitedView, usize)>,
    extent: Extent,
    selection: Selection,
    /// Whether the selection has nothing to decide.
    shows_all: bool,
    /// How many may still be examined.
    left: usize,
    /// The key at which the last batch ended.
    last: Option<Place>,
    more: bool,
    /// What [`Records::advance`] lent last, where the selection made it.
    made: Option<Record>,
    interrupt: Option<Interrupt>,
    /// What ended it before its end.
    failed: Option<Error>,
}

/// The next record of all.
enum Found {
    /// The one that the cursor has come to.
    InView,
    /// One that the selection made.
    Made(Record),
}

impl Records {
    /// The records of a read that this cursor comes to.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a limit of 0 and for a count.
    pub(crate) fn new(cursor: Cursor, read: Read) -> Result<Self> {
        let Read { extent, selection, limit, last, .. } = read;
        if selection.counts() {
            return Err(Error::from(Reason::IteratorOfCount));
        }
        let left = page_limits(limit)?.records;
        let shows_all = selection.shows_all();
        let more = cursor.view().is_some();
        let (awaited, made, interrupt, failed) = (None, None, None, None);
        Ok(Self { cursor, awaited, extent, selection, shows_all, left, last, more, made, interrupt, failed })
    }

    /// The records of a share of the table, of a view that is not taken yet.
    ///
    /// # Errors
    /// As [`Records::new`].
    pub(crate) fn of_awaited(view: AwaitedView, read: Read) -> Result<Self> {
        let nothing = RecordPage { records: Vec::new(), limited: false };
        let records = Self::new(Cursor::over_page(nothing), read)?;
        Ok(Self { awaited: Some((view, FIRST_BATCH_RECORDS)), more: true, ..records })
    }

    /// What becomes of the records that it meets.
    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The same, ended by this flag where there is one.
    pub(crate) fn ended_by(self, interrupt: Option<Interrupt>) -> Self {
        Self { interrupt, ..self }
    }

    /// # Errors
    /// Where records are missing: [`Error::Interrupted`] where the iterator was ended by its flag, see
    /// [`Table::interrupted_by`](crate::Table::interrupted_by); [`Error::Poisoned`] where a write that was under way when it
    /// was opened has panicked.
    pub fn check_interrupt(&self) -> Result<()> {
        self.failed.clone().map_or(Ok(()), Err)
    }

    /// How many items are left, and how many of all were examined, where there is no limit. Copies nothing.
    ///
    /// # Errors
    /// As [`Records::check_interrupt`].
    pub(crate) fn count(mut self) -> Result<(usize, usize)> {
        self.selection = self.selection.counting();
        let mut count = 0;
        while self.find().is_some() {
            count += 1;
        }
        self.check_interrupt()?;
        Ok((count, self.examined()))
    }

    /// How many items were examined so far, where there is no limit.
    pub(crate) fn examined(&self) -> usize {
        usize::MAX - self.left
    }

    fn next_batch(&mut self) {
        if let Err(error) = self.take_from_awaited() {
            (self.failed, self.more) = (Some(error), false);
        } else if self.awaited.is_none() && self.more {
            self.take_from_view();
        }
        self.last = self.cursor.last_of_batch().map(|record| (record.pk().to_vec(), record.sk().to_vec()));
    }

    /// Takes a batch of a view that is not taken yet, or takes the view where much is read.
    fn take_from_awaited(&mut self) -> Result<()> {
        let rest = self.extent.behind(self.last.as_ref().map(lent));
        let (Some((view, most)), Rest::Share(share)) = (self.awaited.take(), rest) else { return Ok(()) };
        if most >= BATCH_RECORDS {
            self.cursor = Cursor::over(view.take()?);
            return Ok(());
        }
        let page = view.scan(share, batch_limits(most))?;
        self.more = page.limited;
        self.cursor = Cursor::over_page(page);
        // Where nothing follows, nobody has to take the view.
        self.awaited = self.more.then_some((view, 2 * most));
        Ok(())
    }

    fn take_from_view(&mut self) {
        self.more = match self.extent.behind(self.last.as_ref().map(lent)) {
            Rest::Range(keyspace, pk, range, reverse) => self.cursor.query_in(keyspace, pk, range, reverse, BATCH),
            Rest::Share(share) => self.cursor.scan(share, BATCH),
        };
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

    fn is_interrupted(&mut self) -> bool {
        let is_raised = self.interrupt.as_ref().is_some_and(Interrupt::is_raised);
        if is_raised {
            self.failed = Some(Error::Interrupted);
        }
        is_raised
    }

    #[inline]
    fn find(&mut self) -> Option<Found> {
        loop {
            if self.left == 0 {
                return None;
            }
            if !self.cursor.advance() {
                if !self.more || self.is_interrupted() {
                    return None;
                }
                self.next_batch();
                continue;
            }
            if self.shows_all {
                self.left -= 1;
                return Some(Found::InView);
            }
            let selected = self.selection.select(self.cursor.current()?, &self.cursor.view());
            let found = match selected.expect("a view can be read at any time") {
                Selected::Unseen => continue,
                Selected::LeftOut => None,
                Selected::AsItIs => Some(Found::InView),
                Selected::Made(record) => Some(Found::Made(record)),
            };
            self.left -= 1;
            if found.is_some() {
                return found;
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
