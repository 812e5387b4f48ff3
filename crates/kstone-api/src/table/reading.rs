//! Reading a table in order: pages, iterators, and how many items there are.
//!
//! ```text
//! ReadRequest ──plan──► Read ──► read: a page · iter: an iterator · cursor (request/cursor.rs) · count_all
//! ```

use std::borrow::Borrow;

use kstone_core::engine::{CountPage, Cursor, PageLimits, RecordPage};
use kstone_core::item::parts;
use kstone_core::key::{KeyRef, Keyspace};
use kstone_core::record::Record;

use super::Table;
#[cfg(doc)]
use crate::Select;
use crate::error::{Error, Reason, Result};
use crate::expression::Subject;
use crate::request::extent::{Extent, Rest, lent};
use crate::request::page::{Page, PageEnd, PageRecord, QueryResult};
use crate::request::page_limits::{ReadSizes, batch_limits, page_limits};
use crate::request::partition::{PartitionQuery, QueryScratch};
use crate::request::query::Query;
use crate::request::read::Read;
use crate::request::read_request::ReadRequest;
use crate::request::records::{BATCH_RECORDS, Records};
use crate::request::scan::Scan;
use crate::request::selection::{Items, Measured, Selection};
use crate::request::start::check_place;
use crate::table::index::IndexEntry;

/// How many records of a partition are counted under its lock.
const COUNTED_AT_ONCE: usize = 1 << 16;

/// What an iterator reads when it is opened.
enum AtOnce {
    Nothing,
    /// All that it may examine, which is so much.
    Examined(usize),
    /// All that there is, where that is little.
    All,
}

impl Items for Table {
    fn item(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        Ok(self.engine().get(key)?)
    }
}

impl Table {
    /// One page of a partition, copied out. A query with a filter and without a partition runs as a scan.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn query(&self, query: Query) -> Result<QueryResult> {
        self.read(&query.request_or_scan()?).map(|page| page.with_token().into())
    }

    /// One page of a partition, shared: [`Table::read`] with its token.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn query_page(&self, query: &Query) -> Result<Page> {
        self.read(&query.request()?).map(Page::with_token)
    }

    /// One page of the table, copied out.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn scan(&self, scan: Scan) -> Result<QueryResult> {
        self.scan_page(&scan).map(QueryResult::from)
    }

    /// One page of the table, shared: [`Table::read`] with its token.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn scan_page(&self, scan: &Scan) -> Result<Page> {
        self.read(&scan.request()?).map(Page::with_token)
    }

    /// One page of a partition or of a share of the table, shared, as it is at one moment. It ends when as many items were
    /// examined as the request's limit says, or with the item at which their sizes reach 1 MiB. Visits the records of the
    /// range alone; a page of whole items allocates its list and nothing else.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a missing partition key, a limit of 0, a BETWEEN whose ends are the wrong way round, a segment
    /// that is not one of the segments, or a token of another request; [`Error::Limit`] for keys that are too long;
    /// [`Error::Poisoned`].
    pub fn read(&self, request: &ReadRequest<'_>) -> Result<Page<Record, PageEnd>> {
        self.read_as(request)
    }

    /// As [`Table::read`], each record in what the caller keeps it in.
    ///
    /// # Errors
    /// As [`Table::read`].
    #[inline]
    pub fn read_as<R: PageRecord>(&self, request: &ReadRequest<'_>) -> Result<Page<R, PageEnd>> {
        if let Some(query) = request.of_whole_items()
            && let Some(page) = self.plain_page(&query)?
        {
            return Ok(page);
        }
        self.page_of(request.limit, || request.plan(self.read_context()))
    }

    /// The key of the item that a page examined last, in the stored form, where it ended at its limit: what
    /// [`ReadStart::After`](crate::ReadStart::After) takes. Has the attributes of the table's key and, of an index, those of
    /// its key.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the page is of an index that is gone.
    pub fn last_key<R: PageRecord>(&self, page: &Page<R, PageEnd>) -> Result<Option<Vec<u8>>> {
        page.token.last(page.last_shown()).map(|last| self.key_to_go_on(last)).transpose()
    }

    /// The key of a record of the table or of an index as [`Table::last_key`] gives it.
    pub(crate) fn key_to_go_on(&self, last: &Record) -> Result<Vec<u8>> {
        let state = self.state();
        let mut names: Vec<&str> = state.layout().parts().map(|part| part.name()).collect();
        let subject = match IndexEntry::read(last) {
            None => Subject::of_record(last),
            Some(entry) => {
                let gone = || Error::from(Reason::NoIndex { name: "".into() });
                let index = state.indexes.by_id(entry.index()).ok_or_else(gone)?;
                names.extend(index.key_schema().names());
                Subject::new(entry.table_pk(), entry.table_sk(), entry.item())
            }
        };
        names.sort_unstable();
        names.dedup();
        let mut key = Vec::new();
        for name in names {
            subject.get(name).into_iter().for_each(|value| parts::append_entry(&mut key, name, value));
        }
        Ok(key)
    }

    /// The page of a request that `plan` gives, which has this limit.
    pub(crate) fn page_of<R: PageRecord>(
        &self,
        limit: Option<usize>,
        plan: impl FnOnce() -> Result<Read>,
    ) -> Result<Page<R, PageEnd>> {
        self.check_interrupt()?;
        let limits = page_limits(limit)?;
        let Read { extent, selection, last, measures, .. } = plan()?;
        let shape = || extent.shape(selection.index());
        if extent.is_whole()
            && last.is_none()
            && limit.is_none()
            && !measures
            && let Some(count) = self.kept_count(&selection)?
        {
            return Ok(Page::of_count(CountPage { count, last: None }, shape));
        }
        let last = last.as_ref().map(lent);
        // Where the items of entries are noted as used, their entries have to be looked at.
        if selection.counts_all() && !measures && !(extent.is_of_entries() && self.engine().evicts()) {
            let counted = self.count_in(extent.behind(last), limits)?;
            self.refuse_dropped_index(&selection)?;
            return Ok(Page::of_count(counted, shape));
        }
        if selection.shows_all() && !measures {
            return Ok(Page::whole(self.records_in(extent.behind(last), limits)?, shape));
        }
        let page = self.records_used(&extent, extent.behind(last), limits)?;
        self.refuse_dropped_index(&selection)?;
        if !measures {
            return Page::new(page, shape, &selection, self);
        }
        let examined = selection.bytes_of(&page.records);
        let measured = Measured::of(self);
        let page = Page::new(page, shape, &selection, &measured)?;
        Ok(Page { sizes: ReadSizes { examined, ..measured.sizes() }, ..page })
    }

    /// The number of all items of the table or of the index, from what is kept of it; none where that is not what the request
    /// asks for, or may include items that have expired.
    fn kept_count(&self, selection: &Selection) -> Result<Option<usize>> {
        if !selection.asks_for_number() {
            return Ok(None);
        }
        let is_right = || self.is_current(selection.table()) && selection.none_has_expired();
        let index = selection.index().map(|index| index.id().0);
        let (count, is_right) = self.engine().count_with(index, is_right)?;
        Ok(usize::try_from(count).ok().filter(|_| is_right))
    }

    /// The page of a query where no item is hidden, so that records are shown as they are met.
    #[inline(always)]
    fn plain_page<R: PageRecord>(&self, query: &PartitionQuery<'_>) -> Result<Option<Page<R, PageEnd>>> {
        if self.engine().hides_items() {
            return Ok(None);
        }
        match self.keys() {
            None => self.plain_page_of(query),
            Some(layout) => self.plain_page_of(&query.encoded(layout, &mut QueryScratch::default())?),
        }
    }

    /// The same of a query of what keys hold.
    #[inline(always)]
    fn plain_page_of<R: PageRecord>(&self, query: &PartitionQuery<'_>) -> Result<Option<Page<R, PageEnd>>> {
        self.check_interrupt()?;
        let limits = page_limits(query.limit)?;
        let pk = query.partition_key;
        let check = |sk: &[u8]| check_place(self.keys(), pk, sk);
        let page = query
            .with_range(check, |range| self.engine().query_as(Keyspace::Items, pk, range, query.reverse, limits))??;
        Ok((!self.engine().hides_items()).then(|| Page::of_partition(page, query)))
    }

    /// The records of what is left of an extent.
    fn records_in<R: From<Record> + Borrow<Record>>(
        &self,
        rest: Rest<'_>,
        limits: PageLimits,
    ) -> Result<RecordPage<R>> {
        Ok(match rest {
            Rest::Range(keyspace, pk, range, reverse) => {
                self.engine().query_as(keyspace, pk, range, reverse, limits)?
            }
            Rest::Share(share) => self.engine().scan_as(share, limits)?,
        })
    }

    /// How many records that are, without a reference to any but the last. Marks the items of no entries as used.
    pub(crate) fn count_in(&self, rest: Rest<'_>, limits: PageLimits) -> Result<CountPage> {
        Ok(match rest {
            Rest::Range(keyspace, pk, range, reverse) => {
                self.engine().count_query(keyspace, pk, range, reverse, limits)?
            }
            Rest::Share(share) => self.engine().count_scan(share, limits)?,
        })
    }

    /// The records of what is left of an extent, the items of entries noted as used where that tells what to evict.
    pub(crate) fn records_used(&self, extent: &Extent, rest: Rest<'_>, limits: PageLimits) -> Result<RecordPage> {
        let page: RecordPage = self.records_in(rest, limits)?;
        if extent.is_of_entries() && self.engine().evicts() {
            let mut entries = page.records.iter().filter_map(IndexEntry::read);
            entries.try_for_each(|entry| self.engine().note_use(entry.table_key()))?;
        }
        Ok(page)
    }

    /// The items of a query one by one, as the database is now, whatever is written meanwhile.
    ///
    /// # Errors
    /// As [`Table::iter`].
    pub fn iter_query(&self, query: &Query) -> Result<Records> {
        self.iter(&query.request()?)
    }

    /// The items of a scan one by one, as the database is now, whatever is written meanwhile.
    ///
    /// # Errors
    /// As [`Table::iter`].
    pub fn iter_scan(&self, scan: &Scan) -> Result<Records> {
        self.iter(&scan.request()?)
    }

    /// The items of a request one by one, as the database is now, whatever is written meanwhile.
    ///
    /// A limit bounds the items in all; a token is where an earlier page of the request ended.
    ///
    /// # Errors
    /// As [`Table::read`]; [`Error::Invalid`] for [`Select::Count`].
    pub fn iter(&self, request: &ReadRequest<'_>) -> Result<Records> {
        self.iter_read(request.plan(self.read_context())?)
    }

    /// The records of a read, as they are now.
    pub(crate) fn iter_read(&self, read: Read) -> Result<Records> {
        let rest = read.extent.behind(read.last.as_ref().map(lent));
        let page = match self.iterated_at_once(read.limit, &read.selection) {
            AtOnce::Nothing => None,
            AtOnce::Examined(most) => {
                let page: RecordPage = self.records_in(rest, batch_limits(most))?;
                (!page.limited || page.records.len() == most).then_some(page)
            }
            AtOnce::All => match rest {
                Rest::Range(keyspace, pk, range, reverse) => {
                    self.engine().query_if_short(keyspace, pk, range, reverse, BATCH_RECORDS)?
                }
                Rest::Share(share) => self.engine().scan_if_short(share, BATCH_RECORDS)?,
            },
        };
        let records = match (page, rest) {
            (Some(page), _) => Records::new(Cursor::over_page(page), read)?,
            (None, Rest::Range(keyspace, pk, ..)) => {
                let view = self.engine().view_of_partition(keyspace, pk)?;
                Records::new(Cursor::over(view), read)?
            }
            // The items of entries are read at the same moment.
            (None, Rest::Share(_)) if read.selection.fetches() => {
                Records::new(Cursor::over(self.engine().view()?), read)?
            }
            (None, Rest::Share(_)) => Records::of_awaited(self.engine().await_view()?, read)?,
        };
        self.refuse_dropped_index(records.selection())?;
        Ok(records.ended_by(self.interrupt.clone()))
    }

    /// How much of what an iterator shows is read when it is opened, so that it needs no view.
    fn iterated_at_once(&self, limit: Option<usize>, selection: &Selection) -> AtOnce {
        match limit {
            // The items of entries have to be of the same moment.
            _ if selection.fetches() => AtOnce::Nothing,
            // A page of a query counts as use of its items.
            Some(limit) if limit <= BATCH_RECORDS && selection.examines_all() && !self.engine().evicts() => {
                AtOnce::Examined(limit)
            }
            Some(_) => AtOnce::Nothing,
            None => AtOnce::All,
        }
    }

    /// How many items a read without limit is about, and how many were examined to know. All of a table or of an index are
    /// known without looking at one.
    pub(crate) fn count_all(&self, extent: Extent, selection: Selection) -> Result<(usize, usize)> {
        let counting = selection.counting();
        if extent.is_whole()
            && let Some(count) = self.kept_count(&counting)?
        {
            return Ok((count, count));
        }
        if counting.counts_all() && extent.partition().is_some() {
            let counted = self.count_in(extent.behind(None), PageLimits::of_records(COUNTED_AT_ONCE))?;
            self.refuse_dropped_index(&counting)?;
            if counted.last.is_none() {
                return Ok((counted.count, counted.count));
            }
        }
        // Of a view, and so interrupted between two batches.
        self.iter_read(Read::all(extent, counting.showing()))?.count()
    }

    /// To be called after a read: an index that was dropped meanwhile may have been read in part.
    pub(crate) fn refuse_dropped_index(&self, selection: &Selection) -> Result<()> {
        if selection.reads_index() { selection.check_index(&self.state()) } else { Ok(()) }
    }
}
