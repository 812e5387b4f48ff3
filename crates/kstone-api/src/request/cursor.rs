//! Cursors: a place among the items of one moment that goes forward, back and to any key.
//!
//! ```text
//! Start      item 0   item 1   …   item n-1      End
//!   └─ next ──► └─ next ─►  ◄─ prev ─┘  ◄── prev ─┘        seek(key): the first item at the key or behind it
//! ```
//! Order and bounds are those of the query or scan: with a query in reverse, "behind" is towards lesser sort keys.
//! Records are taken from the point-in-time view in batches, which are more and more records as long as the cursor goes
//! on in one direction, so that a seek costs no more than it shows.
//!
//! Thread safety: a cursor has one user; it needs nothing of the database, which may go on or be dropped.

use std::ops::Bound;

use kstone_core::engine::{PointInTimeView, RecordPage};
use kstone_core::key::KeyRef;
use kstone_core::key_layout::KeyPart;
use kstone_core::label::InternedLayout;
use kstone_core::record::Record;
use kstone_core::typed_key::PartScratch;

use crate::error::{Error, Reason, Result};
use crate::interrupt::Interrupt;
use crate::request::extent::{Extent, Rest};
use crate::request::page_limits::batch_limits;
use crate::request::query::Query;
use crate::request::read_request::{ReadRequest, ReadStart};
use crate::request::scan::Scan;
use crate::request::selection::{Selected, Selection};
use crate::table::Table;

/// How many records the first batch after a seek has.
const BATCH_RECORDS_MIN: usize = 16;
/// How many records a batch has at most.
const BATCH_RECORDS_MAX: usize = 256;

/// A place among the items of a query or scan as they were when the cursor was opened. Outlives the database.
///
/// Holds what was there then: memory that later writes replace is freed when the cursor is dropped.
///
/// ```
/// use kstone_api::{Database, Item, Query};
/// let db = Database::create_in_memory()?;
/// for day in ["mon", "sat", "tue"] {
///     db.put_with_sk(b"log", day.as_bytes(), Item::new())?;
/// }
/// let mut cursor = db.cursor_query(&Query::new().partition_key(b"log"))?;
/// let sk = |record: Option<&kstone_api::Record>| record.map(|record| record.sk().to_vec());
/// assert_eq!(sk(cursor.seek(b"log", b"n")?), Some(b"sat".to_vec()));
/// assert_eq!(sk(cursor.prev()?), Some(b"mon".to_vec()));
/// assert_eq!(sk(cursor.prev()?), None);
/// assert_eq!(sk(cursor.next()?), Some(b"mon".to_vec()));
/// assert_eq!(sk(cursor.last()?), Some(b"tue".to_vec()));
/// # Ok::<(), kstone_api::Error>(())
/// ```
pub struct Cursor {
    view: PointInTimeView,
    /// What the cursor goes over.
    extent: Extent,
    selection: Selection,
    interrupt: Option<Interrupt>,
    /// The layout of the keys of a typed table.
    keys: Option<&'static InternedLayout>,
    /// Records that follow one another, in the cursor's order.
    batch: Vec<Record>,
    /// Whether no record lies before the batch.
    begins: bool,
    /// Whether no record lies behind the batch.
    ends: bool,
    place: CursorPlace,
    /// How many records the next batch has, as long as the cursor goes on in this direction.
    batch_records: usize,
    forward: bool,
    /// What the request shows of the record at the place.
    current: Option<Record>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CursorPlace {
    Start,
    /// On this record of the batch.
    On(usize),
    End,
}

/// From where on a batch is taken.
#[derive(Clone, Copy)]
enum FromWhere<'a> {
    /// From one end of everything.
    Edge,
    /// From this key on, the key included.
    Key(&'a [u8], &'a [u8]),
    /// From behind this key on.
    Behind(&'a [u8], &'a [u8]),
}

impl Table {
    /// A cursor over the items of a query, before the first of them. See [`Cursor`].
    ///
    /// # Errors
    /// As [`Table::cursor`].
    pub fn cursor_query(&self, query: &Query) -> Result<Cursor> {
        self.cursor(&query.request()?)
    }

    /// A cursor over the items of a scan, before the first of them. See [`Cursor`].
    ///
    /// # Errors
    /// As [`Table::cursor`].
    pub fn cursor_scan(&self, scan: &Scan) -> Result<Cursor> {
        self.cursor(&scan.request()?)
    }

    /// A cursor over the items of a request, before the first of them. See [`Cursor`].
    ///
    /// Costs as [`Table::iter`].
    ///
    /// # Errors
    /// As there; [`Error::Invalid`] for a request with a limit or a start, which a cursor has no use for.
    pub fn cursor(&self, request: &ReadRequest<'_>) -> Result<Cursor> {
        if request.limit.is_some() {
            return Err(Error::from(Reason::CursorLimit));
        }
        if request.start != ReadStart::First {
            return Err(Error::from(Reason::CursorToken));
        }
        let read = request.plan(self.read_context())?;
        let view = match read.extent.behind(None) {
            Rest::Range(keyspace, pk, ..) => self.engine().view_of_partition(keyspace, pk)?,
            Rest::Share(_) => self.engine().view()?,
        };
        self.refuse_dropped_index(&read.selection)?;
        if read.selection.counts() {
            return Err(Error::from(Reason::CursorOfCount));
        }
        Ok(Cursor {
            view,
            extent: read.extent,
            selection: read.selection,
            interrupt: self.interrupt.clone(),
            keys: self.keys(),
            batch: Vec::new(),
            begins: false,
            ends: false,
            place: CursorPlace::Start,
            batch_records: BATCH_RECORDS_MIN,
            forward: true,
            current: None,
        })
    }
}

/// What keys hold of a part of a key that a cursor is to seek; nothing where the caller does not say it.
fn part_of_seek<'a>(part: Option<&KeyPart>, value: &'a [u8], scratch: &'a mut PartScratch) -> Result<&'a [u8]> {
    match part {
        _ if value.is_empty() => Ok(value),
        Some(part) => Ok(part.key_bytes(value, scratch)?),
        None => Err(Error::from(Reason::SeekWithoutSort)),
    }
}

impl Cursor {
    /// The item that the cursor is on; none before the first, behind the last, and where the last move failed.
    #[must_use]
    pub fn current(&self) -> Option<&Record> {
        self.current.as_ref()
    }

    /// Goes to the first item.
    ///
    /// # Errors
    /// [`Error::Interrupted`], as for every move; the cursor is then where the interruption found it, on no item.
    pub fn first(&mut self) -> Result<Option<&Record>> {
        self.place = CursorPlace::Start;
        self.next()
    }

    /// Goes to the last item.
    ///
    /// # Errors
    /// As [`Cursor::first`].
    pub fn last(&mut self) -> Result<Option<&Record>> {
        self.place = CursorPlace::End;
        self.prev()
    }

    /// Goes to the first item at this key or behind it in the cursor's order; to the end where there is none.
    ///
    /// In a partition `pk` is its key, or empty. In a table with types both are the text of S and N or the bytes of B; without
    /// a sort key the cursor goes to where the partition begins.
    ///
    /// Costs a search in each sorted run, whatever the distance.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the key of another partition, for an empty partition key of a whole table, and for a
    /// cursor over an index; [`Error::Limit`] for a key that is too long: the cursor stays where it was then. As
    /// [`Cursor::first`].
    pub fn seek(&mut self, pk: &[u8], sk: &[u8]) -> Result<Option<&Record>> {
        let (mut pk_scratch, mut sk_scratch) = (PartScratch::new(), PartScratch::new());
        let (pk, sk) = match self.keys {
            None => (pk, sk),
            Some(layout) => (
                part_of_seek(Some(layout.partition()), pk, &mut pk_scratch)?,
                part_of_seek(layout.sort(), sk, &mut sk_scratch)?,
            ),
        };
        match self.extent.partition() {
            _ if self.selection.reads_index() => {
                return Err(Error::from(Reason::SeekInIndex));
            }
            Some(own) if pk.is_empty() => drop(KeyRef::new(own, sk)?),
            Some(own) if own != pk => {
                return Err(Error::from(Reason::SeekOutside));
            }
            _ => drop(KeyRef::new(pk, sk)?),
        }
        (self.forward, self.batch_records) = (true, BATCH_RECORDS_MIN);
        self.current = None;
        let page = self.read(FromWhere::Key(pk, sk), true)?;
        (self.batch, self.begins, self.ends) = (page.records, false, !page.limited);
        self.place = if self.batch.is_empty() { CursorPlace::End } else { CursorPlace::On(0) };
        self.settle(true)
    }

    /// Goes to the next item; behind the last one, to the end.
    ///
    /// Costs a step, or as many as the filter passes over.
    ///
    /// # Errors
    /// As [`Cursor::first`].
    #[expect(clippy::should_implement_trait, reason = "it fails and lends, which an Iterator cannot")]
    pub fn next(&mut self) -> Result<Option<&Record>> {
        self.current = None;
        self.step(true)?;
        self.settle(true)
    }

    /// Goes to the item before; before the first one, to the start.
    ///
    /// Costs as [`Cursor::next`].
    ///
    /// # Errors
    /// As [`Cursor::first`].
    pub fn prev(&mut self) -> Result<Option<&Record>> {
        self.current = None;
        self.step(false)?;
        self.settle(false)
    }

    /// Goes on until the record at the place is one that the request shows.
    fn settle(&mut self, forward: bool) -> Result<Option<&Record>> {
        while let CursorPlace::On(at) = self.place {
            let shown = match self.selection.select(&self.batch[at], &self.view)? {
                Selected::Unseen | Selected::LeftOut => None,
                Selected::AsItIs => Some(self.batch[at].clone()),
                Selected::Made(record) => Some(record),
            };
            if let Some(shown) = shown {
                return Ok(Some(self.current.insert(shown)));
            }
            self.step(forward)?;
        }
        Ok(None)
    }

    /// Moves the place by one record.
    fn step(&mut self, forward: bool) -> Result<()> {
        let known = if forward { self.ends } else { self.begins };
        let last = self.batch.len().checked_sub(1);
        self.place = match (self.place, forward) {
            (CursorPlace::End, true) | (CursorPlace::Start, false) => return Ok(()),
            (CursorPlace::On(at), true) if Some(at) < last => CursorPlace::On(at + 1),
            (CursorPlace::On(at), false) if at > 0 => CursorPlace::On(at - 1),
            (CursorPlace::On(_), true) if known => CursorPlace::End,
            (CursorPlace::On(_), false) if known => CursorPlace::Start,
            (CursorPlace::On(at), _) => {
                let record = self.batch[at].clone();
                return self.load(FromWhere::Behind(record.pk(), record.sk()), forward);
            }
            (CursorPlace::Start, true) if self.begins && last.is_some() => CursorPlace::On(0),
            (CursorPlace::End, false) if self.ends && last.is_some() => CursorPlace::On(last.unwrap_or_default()),
            (CursorPlace::Start, true) | (CursorPlace::End, false) => return self.load(FromWhere::Edge, forward),
        };
        Ok(())
    }

    /// Takes the next batch in this direction, and goes to its record that is nearest.
    fn load(&mut self, from: FromWhere<'_>, forward: bool) -> Result<()> {
        if self.forward != forward {
            (self.forward, self.batch_records) = (forward, BATCH_RECORDS_MIN);
        }
        let mut page = self.read(from, forward)?;
        self.batch_records = (self.batch_records * 2).min(BATCH_RECORDS_MAX);
        let from_edge = matches!(from, FromWhere::Edge);
        if page.records.is_empty() {
            // Of an old batch that ends here all stays true.
            if forward {
                self.ends = true
            } else {
                self.begins = true
            }
            if from_edge {
                (self.begins, self.ends) = (true, true);
                self.batch.clear();
            }
            self.place = if forward { CursorPlace::End } else { CursorPlace::Start };
            return Ok(());
        }
        if !forward {
            page.records.reverse();
        }
        let at_the_other_end = !page.limited;
        (self.begins, self.ends) = if forward { (from_edge, at_the_other_end) } else { (at_the_other_end, from_edge) };
        self.place = CursorPlace::On(if forward { 0 } else { page.records.len() - 1 });
        self.batch = page.records;
        Ok(())
    }

    /// Records from a place on in this direction, the nearest first.
    fn read(&self, from: FromWhere<'_>, forward: bool) -> Result<RecordPage> {
        self.interrupt.as_ref().map_or(Ok(()), Interrupt::check)?;
        let limits = batch_limits(self.batch_records);
        Ok(match self.extent.behind(None) {
            Rest::Range(keyspace, pk, (mut low, mut high), reverse) => {
                let descending = forward == reverse;
                let near = match from {
                    FromWhere::Edge => Bound::Unbounded,
                    FromWhere::Key(_, sk) => Bound::Included(sk),
                    FromWhere::Behind(_, sk) => Bound::Excluded(sk),
                };
                let edge = if descending { &mut high } else { &mut low };
                *edge = tighter(*edge, near, descending);
                if is_empty(low, high) {
                    return Ok(RecordPage { records: Vec::new(), limited: false });
                }
                self.view.query_in(keyspace, pk, (low, high), descending, limits)
            }
            Rest::Share(share) => match (from, forward) {
                (FromWhere::Edge, true) => self.view.scan(share, limits),
                (FromWhere::Edge, false) => self.view.scan_reverse(share, limits),
                (FromWhere::Key(pk, sk), _) => self.view.scan(share.from(pk, sk), limits),
                (FromWhere::Behind(pk, sk), true) => self.view.scan(share.after(pk, sk), limits),
                (FromWhere::Behind(pk, sk), false) => self.view.scan_reverse(share.before(pk, sk), limits),
            },
        })
    }
}

/// The one of two bounds at the same end of a range that leaves less of it.
fn tighter<'a>(edge: Bound<&'a [u8]>, other: Bound<&'a [u8]>, upper: bool) -> Bound<&'a [u8]> {
    let (Bound::Included(key) | Bound::Excluded(key)) = edge else { return other };
    let (Bound::Included(other_key) | Bound::Excluded(other_key)) = other else { return edge };
    match key.cmp(other_key) {
        std::cmp::Ordering::Equal if matches!(edge, Bound::Excluded(_)) => edge,
        std::cmp::Ordering::Equal => other,
        order if order.is_lt() == upper => edge,
        _ => other,
    }
}

/// Whether no key lies between these bounds.
fn is_empty(low: Bound<&[u8]>, high: Bound<&[u8]>) -> bool {
    match (low, high) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        (Bound::Included(low), Bound::Included(high)) => low > high,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => low >= high,
    }
}
