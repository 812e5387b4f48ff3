//! Pages: what one read returns, shared or copied out.

use std::borrow::Borrow;

use crate::error::Result;
use kstone_core::engine::{CountPage, RecordPage};
use kstone_core::record::Record;
use kstone_core::value::Item;

use crate::request::page_limits::ReadSizes;
use crate::request::partition::PartitionQuery;
use crate::request::selection::{Items, Selection};
use crate::request::sort_key::SortKeyCondition;
use crate::request::token;

/// What a page keeps each of its records in: a record, or what has it inside.
pub trait PageRecord: From<Record> + Borrow<Record> {}

impl<R: From<Record> + Borrow<Record>> PageRecord for R {}

/// One page of records. See [`Table::read`](crate::Table::read). `T` is a token, or what says where the page ended.
#[derive(Debug, Default)]
pub struct Page<R = Record, T = Option<Vec<u8>>> {
    /// The records, shared with the database; none for [`Select::Count`](crate::Select::Count).
    pub records: Vec<R>,
    /// How many items the page returns or counts.
    pub count: usize,
    /// How many items were examined.
    pub scanned: usize,
    /// How large these are, where [`ReadRequest::measures`](crate::ReadRequest::measures) asks for it; 0 otherwise.
    pub sizes: ReadSizes,
    /// Where the next page goes on; none at the end. As in DynamoDB, a page that ends at its limit has one, even if
    /// nothing follows.
    pub token: T,
}

/// Where a page ended. Most callers never ask for the token of a page that ended at its limit.
#[derive(Debug, Default)]
pub struct PageEnd(Ending);

#[derive(Debug, Default)]
enum Ending {
    /// Nothing follows.
    #[default]
    Nothing,
    /// At the last of the page's records, which are all that a query of a partition met.
    AtLast { sort_key: SortKeyCondition, reverse: bool },
    /// Behind this record, which the page may not show, in an extent of this shape.
    Behind { last: Record, shape: u32 },
}

impl PageEnd {
    /// Behind this record, where there is one, of an extent whose shape is asked for then.
    fn behind(last: Option<Record>, shape: impl FnOnce() -> u32) -> Self {
        Self(last.map_or(Ending::Nothing, |last| Ending::Behind { last, shape: shape() }))
    }

    /// The token of the page, which has this as its last record; none where nothing follows.
    #[must_use]
    pub fn token(&self, last_shown: Option<&Record>) -> Option<Vec<u8>> {
        match &self.0 {
            Ending::Nothing => None,
            Ending::AtLast { sort_key, reverse } => last_shown.map(|last| {
                let (partition_key, sort_key) = (last.pk(), sort_key.borrowed());
                PartitionQuery { partition_key, sort_key, reverse: *reverse, limit: None, token: None }
                    .token_at(last.sk())
            }),
            Ending::Behind { last, shape } => Some(token::encode(*shape, last.pk(), last.sk())),
        }
    }

    /// The record that was examined last, where the page ended at its limit.
    pub(crate) fn last<'r>(&'r self, last_shown: Option<&'r Record>) -> Option<&'r Record> {
        match &self.0 {
            Ending::Nothing => None,
            Ending::AtLast { .. } => last_shown,
            Ending::Behind { last, .. } => Some(last),
        }
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

impl<R: PageRecord> Page<R, PageEnd> {
    /// What a request shows of the records that it met. `shape` is asked for where the page ended at its limit.
    ///
    /// # Errors
    /// What `items` returns.
    pub(crate) fn new(
        page: RecordPage,
        shape: impl FnOnce() -> u32,
        selection: &Selection,
        items: &impl Items,
    ) -> Result<Self> {
        let end = PageEnd::behind(page.records.last().filter(|_| page.limited).cloned(), shape);
        let (records, count, scanned) = selection.apply_all(page.records, items)?;
        Ok(Self { records, count, scanned, sizes: ReadSizes::default(), token: end })
    }

    /// All records that a request met, as they are. `shape` as for [`Page::new`].
    pub(crate) fn whole(page: RecordPage<R>, shape: impl FnOnce() -> u32) -> Self {
        let last = page.records.last().filter(|_| page.limited).map(|last| last.borrow().clone());
        let (token, count) = (PageEnd::behind(last, shape), page.records.len());
        Self { records: page.records, count, scanned: count, sizes: ReadSizes::default(), token }
    }

    /// A page of a number. `shape` as for [`Page::new`].
    pub(crate) fn of_count(page: CountPage, shape: impl FnOnce() -> u32) -> Self {
        let token = PageEnd::behind(page.last, shape);
        Self { records: Vec::new(), count: page.count, scanned: page.count, sizes: ReadSizes::default(), token }
    }

    /// All records that a query met, as they are.
    pub(crate) fn of_partition(page: RecordPage<R>, query: &PartitionQuery<'_>) -> Self {
        let end = || Ending::AtLast { sort_key: query.sort_key.to_owned(), reverse: query.reverse };
        let token = PageEnd(if page.limited { end() } else { Ending::Nothing });
        let count = page.records.len();
        Self { records: page.records, count, scanned: count, sizes: ReadSizes::default(), token }
    }

    /// The last record of the page.
    pub(crate) fn last_shown(&self) -> Option<&Record> {
        self.records.last().map(R::borrow)
    }

    /// The same with its token.
    #[must_use]
    pub fn with_token(self) -> Page<R> {
        let token = self.token.token(self.last_shown());
        let Self { records, count, scanned, sizes, .. } = self;
        Page { records, count, scanned, sizes, token }
    }
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
