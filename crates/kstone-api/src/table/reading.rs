//! Reading a table in order: pages of queries and scans, and iterators.

use kstone_core::engine::{CountPage, Cursor, PageLimits, RecordPage, SortKeyRange};
use kstone_core::key::Keyspace;
use kstone_core::record::Record;

use super::Table;
#[cfg(doc)]
use crate::Select;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::request::page::{Page, PageEnd, PageRecord, QueryResult, batch_limits, page_limits};
use crate::request::partition::{PartitionQuery, QueryScratch};
use crate::request::query::Query;
use crate::request::read::{Keyed, ReadContext, Selection};
use crate::request::records::{BATCH_RECORDS, IterSource, Records};
use crate::request::scan::Scan;
use crate::request::start::check_place;
use crate::request::token;
use crate::table::index::{IndexEntry, IndexId};

/// What an iterator reads when it is opened.
enum AtOnce {
    Nothing,
    /// All that it may examine, which is so much.
    Examined(usize),
    /// All that there is, where that is little.
    All,
}

impl Table {
    /// One page of a partition, copied out. A query with a filter and without a partition runs as a scan.
    ///
    /// # Errors
    /// As [`Table::query_page`].
    pub fn query(&self, query: Query) -> Result<QueryResult> {
        match query.without_partition() {
            Some(scan) => self.scan(scan),
            None => self.query_page(&query).map(QueryResult::from),
        }
    }

    /// One page of a partition, shared, as it is at one moment. Visits the records of the range alone.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a missing partition key, a limit of 0, a BETWEEN whose ends are the wrong way round, or a
    /// token of another request; [`Error::Limit`] for keys that are too long; [`Error::Poisoned`].
    pub fn query_page(&self, query: &Query) -> Result<Page> {
        self.query_page_as(query)
    }

    /// As [`Table::query_page`], each record in what the caller keeps it in.
    ///
    /// # Errors
    /// As [`Table::query_page`].
    pub fn query_page_as<R: PageRecord>(&self, query: &Query) -> Result<Page<R>> {
        if let Some(query) = query.of_whole_items()
            && let Some(page) = self.plain_page(&query)?
        {
            return Ok(page.with_token());
        }
        self.page_of(query.limit, |context| query.prepare(context))
    }

    /// The page of a query that `prepare` gives, which has this limit.
    pub(crate) fn page_of<'q, R: PageRecord>(
        &self,
        limit: Option<usize>,
        prepare: impl FnOnce(ReadContext<'_>) -> Result<(Keyed<'q>, Selection)>,
    ) -> Result<Page<R>> {
        self.check_interrupt()?;
        let limits = page_limits(limit)?;
        let (keyed, selection) = prepare(self.read_context())?;
        let (query, start) = (&keyed.query, keyed.start(&selection)?);
        let last_sk = start.as_deref();
        // Where the items of entries are noted as used, their entries have to be looked at.
        if selection.counts_all() && !(keyed.entries.is_some() && self.engine().evicts()) {
            let counted = self.count_of(&keyed, last_sk, limits)?;
            self.refuse_dropped_index(&selection)?;
            return Ok(Page::of_count(counted, || query.shape()));
        }
        let page = self.records_of(&keyed, last_sk, limits)?;
        self.refuse_dropped_index(&selection)?;
        Page::new(page, || query.shape(), &selection, self)
    }

    /// As [`Table::query_page_as`], for whole items of the table: allocates the page and nothing else.
    ///
    /// # Errors
    /// As [`Table::query_page`].
    pub fn query_partition_as<R: PageRecord>(&self, query: &PartitionQuery<'_>) -> Result<Page<R, PageEnd>> {
        match self.plain_page(query)? {
            Some(page) => Ok(page),
            None => self.query_page_as(&query.to_query()).map(Page::with_end),
        }
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
        let last_sk = query.token.map(|token| token::decode_in(token, query.shape(""), pk)).transpose()?;
        if let Some(sk) = last_sk {
            check_place(self.keys(), pk, sk)?;
        }
        let page = query
            .with_range(last_sk, |range| self.engine().query_as(Keyspace::Items, pk, range, query.reverse, limits))??;
        Ok((!self.engine().hides_items()).then(|| Page::of_partition(page, query)))
    }

    /// The records that a query is about, behind the sort key where the last page ended.
    pub(crate) fn records_of(
        &self,
        keyed: &Keyed<'_>,
        last_sk: Option<&[u8]>,
        limits: PageLimits,
    ) -> Result<RecordPage> {
        let reverse = keyed.query.reverse;
        let read = |keyspace, pk: &[u8], range: SortKeyRange<'_>| {
            self.engine().query_as::<Record>(keyspace, pk, range, reverse, limits)
        };
        let page = keyed.with_range(last_sk, read)??;
        if keyed.entries.is_some() {
            self.note_use_of_items(&page.records)?;
        }
        Ok(page)
    }

    /// How many records that are, without a reference to any but the last. Marks the items of no entries as used.
    pub(crate) fn count_of(&self, keyed: &Keyed<'_>, last_sk: Option<&[u8]>, limits: PageLimits) -> Result<CountPage> {
        let reverse = keyed.query.reverse;
        let count = |keyspace, pk: &[u8], range: SortKeyRange<'_>| {
            self.engine().count_query(keyspace, pk, range, reverse, limits)
        };
        Ok(keyed.with_range(last_sk, count)??)
    }

    /// Notes that the items of these entries were used, where that tells what to evict.
    fn note_use_of_items(&self, entries: &[Record]) -> Result<()> {
        if !self.engine().evicts() {
            return Ok(());
        }
        let mut entries = entries.iter().filter_map(IndexEntry::read);
        entries.try_for_each(|entry| Ok(self.engine().note_use(entry.table_key())?))
    }

    /// One page of the table, copied out.
    ///
    /// # Errors
    /// As [`Table::scan_page`].
    pub fn scan(&self, scan: Scan) -> Result<QueryResult> {
        self.scan_page(&scan).map(QueryResult::from)
    }

    /// One page of the table, shared, as it is at one moment.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a segment that is not one of the segments, a limit of 0 or a token of another request;
    /// [`Error::Poisoned`].
    pub fn scan_page(&self, scan: &Scan) -> Result<Page> {
        self.scan_page_as(scan)
    }

    /// As [`Table::scan_page`], each record in what the caller keeps it in.
    ///
    /// # Errors
    /// As [`Table::scan_page`].
    pub fn scan_page_as<R: PageRecord>(&self, scan: &Scan) -> Result<Page<R>> {
        self.check_interrupt()?;
        let limits = page_limits(scan.limit)?;
        let selection = scan.prepare(self.read_context())?;
        let index = selection.index();
        let start = scan.start(&selection)?;
        let last = start.as_ref().map(|(pk, sk)| (&**pk, &**sk));
        if scan.is_whole()
            && let Some(count) = selection.kept_count(self)?
        {
            return Ok(Page { records: Vec::new(), count, scanned: count, token: None });
        }
        if selection.counts_all() && index.is_none() {
            let counted = self.engine().count_scan(scan.range_after(None, last)?, limits)?;
            return Ok(Page::of_count(counted, || scan.shape(None)));
        }
        if selection.shows_all() {
            let page = self.engine().scan_as(scan.range_after(index, last)?, limits)?;
            return Ok(Page::whole(page, || scan.shape(index)));
        }
        let page = self.scan_records(scan, index, last, limits)?;
        self.refuse_dropped_index(&selection)?;
        Page::new(page, || scan.shape(index), &selection, self)
    }

    /// The records that a scan is about, behind the key where the last page ended.
    pub(crate) fn scan_records(
        &self,
        scan: &Scan,
        index: Option<IndexId>,
        last: Option<(&[u8], &[u8])>,
        limits: PageLimits,
    ) -> Result<RecordPage> {
        Ok(self.engine().scan(scan.range_after(index, last)?, limits)?)
    }

    /// The items of a query one by one, as the database is now, whatever is written meanwhile.
    ///
    /// A limit bounds the items in all; a token is where an earlier page of the query ended.
    ///
    /// # Errors
    /// As [`Table::query_page`]; [`Error::Invalid`] for [`Select::Count`].
    pub fn iter_query(&self, query: &Query) -> Result<Records> {
        let (keyed, selection) = query.prepare(self.read_context())?;
        self.iter_prepared(keyed, selection)
    }

    /// The records of a query whose expressions are known.
    pub(crate) fn iter_prepared(&self, keyed: Keyed<'_>, selection: Selection) -> Result<Records> {
        let last = keyed.start(&selection)?.map(|sk| (keyed.partition().to_vec(), sk.into_owned()));
        self.iter_keyed(keyed, selection, last)
    }

    /// The records of a query whose key condition is known, as they are now.
    pub(crate) fn iter_keyed(
        &self,
        keyed: Keyed<'_>,
        selection: Selection,
        last: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Records> {
        let (limit, reverse) = (keyed.query.limit, keyed.query.reverse);
        let last_sk = last.as_ref().map(|(_, sk)| sk.as_slice());
        let short = |keyspace, pk: &[u8], range: SortKeyRange<'_>| match self.iterated_at_once(limit, &selection) {
            AtOnce::Nothing => Ok(None),
            AtOnce::Examined(most) => {
                let page = self.engine().query_as(keyspace, pk, range, reverse, batch_limits(most))?;
                Ok((!page.limited || page.records.len() == most).then_some(page))
            }
            AtOnce::All => self.engine().query_if_short(keyspace, pk, range, reverse, BATCH_RECORDS),
        };
        let cursor = match keyed.with_range(last_sk, short)?? {
            Some(page) => Cursor::over_page(page),
            None => {
                Cursor::over(keyed.with_range(None, |keyspace, pk, _| self.engine().view_of_partition(keyspace, pk))??)
            }
        };
        self.refuse_dropped_index(&selection)?;
        let source = match keyed.entries {
            None => IterSource::Query(keyed.query.into_owned()),
            Some(range) => IterSource::Entries(range, reverse),
        };
        Records::new(cursor, source, limit, selection, last).map(|records| records.ended_by(self.interrupt.clone()))
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

    /// To be called after a read: an index that was dropped meanwhile may have been read in part.
    pub(crate) fn refuse_dropped_index(&self, selection: &Selection) -> Result<()> {
        if selection.reads_index() { selection.check_index(&self.state()) } else { Ok(()) }
    }

    /// The items of a scan one by one, as the database is now, whatever is written meanwhile.
    ///
    /// A limit bounds the items in all; a token is where an earlier page of the scan ended.
    ///
    /// # Errors
    /// As [`Table::scan_page`]; [`Error::Invalid`] for [`Select::Count`].
    pub fn iter_scan(&self, scan: &Scan) -> Result<Records> {
        let selection = scan.prepare(self.read_context())?;
        let last = scan.start(&selection)?.map(|(pk, sk)| (pk.into_owned(), sk.into_owned()));
        self.iter_scanned(scan.clone(), selection, last)
    }

    /// The records of a scan, as they are now.
    pub(crate) fn iter_scanned(
        &self,
        scan: Scan,
        selection: Selection,
        last: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Records> {
        let limit = scan.limit;
        let range = scan.range_after(selection.index(), last.as_ref().map(|(pk, sk)| (&pk[..], &sk[..])))?;
        let page = match self.iterated_at_once(limit, &selection) {
            AtOnce::Nothing => None,
            AtOnce::Examined(most) => {
                let page = self.engine().scan(range, batch_limits(most))?;
                (!page.limited || page.records.len() == most).then_some(page)
            }
            AtOnce::All => self.engine().scan_if_short(range, BATCH_RECORDS)?,
        };
        let records = match page {
            Some(page) => Records::new(Cursor::over_page(page), IterSource::Scan(scan), limit, selection, last)?,
            // The items of entries are read at the same moment.
            None if selection.fetches() => {
                Records::new(Cursor::over(self.engine().view()?), IterSource::Scan(scan), limit, selection, last)?
            }
            None => Records::of_awaited(self.engine().await_view()?, scan, selection, last)?,
        };
        self.refuse_dropped_index(records.selection())?;
        Ok(records.ended_by(self.interrupt.clone()))
    }
}
