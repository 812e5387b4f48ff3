//! Pages: what one read returns, shared or copied out.

use std::borrow::Borrow;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{CountPage, PageLimits, RecordPage};
use kstone_core::item::{ItemWriter, item_size};
use kstone_core::key::Keyspace;
use kstone_core::record::Record;
use kstone_core::value::Item;

use crate::request::partition::PartitionQuery;
use crate::request::read::{Items, Selection};
use crate::request::sort_key::SortKeyCondition;
use crate::request::token;
use crate::table::index::IndexEntry;

/// The most bytes a page holds, DynamoDB's.
pub(crate) const PAGE_MAX_BYTES: usize = 1 << 20;

/// What a page keeps each of its records in: a record, or what has it inside.
pub trait PageRecord: From<Record> + Borrow<Record> {}

impl<R: From<Record> + Borrow<Record>> PageRecord for R {}

/// One page of records. See [`Table::query_page`](crate::Table::query_page). `T` is a token, or what one is made of
/// when it is asked for.
#[derive(Debug, Default)]
pub struct Page<R = Record, T = Option<Vec<u8>>> {
    /// The records, shared with the database; none for [`Select::Count`](crate::Select::Count).
    pub records: Vec<R>,
    /// How many items the page returns or counts.
    pub count: usize,
    /// How many items were examined.
    pub scanned: usize,
    /// Where the next page goes on; none at the end. As in DynamoDB, a page that ends at its limit has one, even if
    /// nothing follows.
    pub token: T,
}

/// Where a page ended. Most callers never ask for the token of a page that ended at its limit.
#[derive(Debug)]
pub enum PageEnd {
    /// Where everything ends, or at this token.
    Made(Option<Vec<u8>>),
    /// At the last of the page's records, which are all that this query met.
    AtLast(EndOfQuery),
}

/// A query of a partition of the table, as far as its token says what it is.
#[derive(Debug)]
pub struct EndOfQuery {
    sort_key: SortKeyCondition,
    reverse: bool,
}

impl PageEnd {
    /// The token of a page that had this as its last record; none where nothing follows.
    #[must_use]
    pub fn into_token(self, last: Option<&Record>) -> Option<Vec<u8>> {
        match self {
            Self::Made(token) => token,
            Self::AtLast(end) => last.map(|last| end.token(last)),
        }
    }
}

impl EndOfQuery {
    /// The token of a page that had this as its last record.
    #[must_use]
    pub fn token(&self, last: &Record) -> Vec<u8> {
        let (partition_key, sort_key) = (last.pk(), self.sort_key.borrowed());
        let query = PartitionQuery { partition_key, sort_key, reverse: self.reverse, ..PartitionQuery::default() };
        token::encode(query.shape(""), partition_key, last.sk())
    }
}

/// One page of items, owned. See [`Table::query`](crate::Table::query).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QueryResult {
    /// The items.
    pub items: Vec<Item>,
    /// How many items the page returns or counts.
    pub count: usize,
    /// How many items were examined.
    pub scanned_count: usize,
    /// As [`Page::token`].
    pub token: Option<Vec<u8>>,
}

impl<R: PageRecord> Page<R> {
    /// What a request shows of the records that it met. `shape` is asked for where there is a token to make.
    ///
    /// # Errors
    /// What `items` returns.
    pub(crate) fn new(
        page: RecordPage,
        shape: impl FnOnce() -> u32,
        selection: &Selection,
        items: &impl Items,
    ) -> Result<Self> {
        let token = token_behind(&page, shape);
        let (records, count, scanned) = selection.apply_all(page.records, items)?;
        Ok(Self { records, count, scanned, token })
    }

    /// The same with its end instead of its token.
    pub(crate) fn with_end(self) -> Page<R, PageEnd> {
        let Self { records, count, scanned, token } = self;
        Page { records, count, scanned, token: PageEnd::Made(token) }
    }

    /// All records that a request met, as they are. `shape` as for [`Page::new`].
    pub(crate) fn whole(page: RecordPage<R>, shape: impl FnOnce() -> u32) -> Self {
        let (token, count) = (token_behind(&page, shape), page.records.len());
        Self { records: page.records, count, scanned: count, token }
    }

    /// A page of a number. `shape` as for [`Page::new`].
    pub(crate) fn of_count(page: CountPage, shape: impl FnOnce() -> u32) -> Self {
        let token = page.last.map(|last| token::encode(shape(), last.pk(), last.sk()));
        Self { records: Vec::new(), count: page.count, scanned: page.count, token }
    }
}

impl<R: PageRecord> Page<R, PageEnd> {
    /// All records that a query met, as they are.
    pub(crate) fn of_partition(page: RecordPage<R>, query: &PartitionQuery<'_>) -> Self {
        let end = || EndOfQuery { sort_key: query.sort_key.to_owned(), reverse: query.reverse };
        let token = if page.limited { PageEnd::AtLast(end()) } else { PageEnd::Made(None) };
        let count = page.records.len();
        Self { records: page.records, count, scanned: count, token }
    }

    /// The same with its token.
    #[must_use]
    pub fn with_token(self) -> Page<R> {
        let Self { records, count, scanned, token } = self;
        let token = token.into_token(records.last().map(R::borrow));
        Page { records, count, scanned, token }
    }
}

/// Where the page after one that ended at its limit goes on.
fn token_behind<R: PageRecord>(page: &RecordPage<R>, shape: impl FnOnce() -> u32) -> Option<Vec<u8>> {
    let last: &Record = page.records.last().filter(|_| page.limited)?.borrow();
    Some(token::encode(shape(), last.pk(), last.sk()))
}

impl From<Page> for QueryResult {
    fn from(page: Page) -> Self {
        Self {
            items: page.records.iter().map(|record| record.item().to_item()).collect(),
            count: page.count,
            scanned_count: page.scanned,
            token: page.token,
        }
    }
}

/// A key as an item of the attributes `pk` and `sk`, in the stored form.
pub(crate) fn keys_only(pk: &[u8], sk: &[u8]) -> Vec<u8> {
    let mut writer = ItemWriter::new();
    for (name, key) in [("pk", pk), ("sk", sk)] {
        match std::str::from_utf8(key) {
            Ok("") => continue,
            Ok(text) => writer.set_str(name, text),
            Err(_) => writer.set_bin(name, key),
        }
        .expect("a key is far smaller than an item may be");
    }
    writer.into_body()
}

/// How much a page may hold under the limit of a request. It ends as DynamoDB's does: with the item at which the sizes of
/// the items reach 1 MiB.
pub(crate) fn page_limits(limit: Option<usize>) -> Result<PageLimits> {
    match limit {
        Some(0) => Err(Error::from(Reason::LimitZero)),
        limit => Ok(PageLimits { records: limit.unwrap_or(usize::MAX), bytes: PAGE_MAX_BYTES, size: examined_bytes }),
    }
}

/// What a record counts towards the size of a page: its item's size, or that of what an index entry shows of its item.
pub(crate) fn examined_bytes(record: &Record) -> usize {
    if record.keyspace() == Keyspace::Items {
        return record.item_size();
    }
    match IndexEntry::read(record) {
        Some(entry) => item_size(entry.table_key(), entry.item()),
        None => record.item_size(),
    }
}

/// How much of a table is held at once by what goes over all of it.
pub(crate) const fn batch_limits(records: usize) -> PageLimits {
    PageLimits { records, bytes: PAGE_MAX_BYTES, size: Record::data_len }
}
