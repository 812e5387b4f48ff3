//! Pages: what one read returns, shared or copied out.

use crate::error::{Error, Result};
use kstone_core::engine::{CountPage, PageLimits, RecordPage};
use kstone_core::item::{ItemWriter, item_size};
use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::value::Item;

use crate::request::read::{Items, Selection};
use crate::request::token;
use crate::table::index::IndexEntry;

/// The most bytes a page holds, DynamoDB's.
pub(crate) const PAGE_MAX_BYTES: usize = 1 << 20;

/// One page of records. See [`Database::query_page`](crate::Database::query_page).
#[derive(Debug, Default)]
pub struct Page {
    /// The records, shared with the database; none for [`Select::Count`](crate::Select::Count).
    pub records: Vec<Record>,
    /// How many items the page returns or counts.
    pub count: usize,
    /// How many items were examined.
    pub scanned: usize,
    /// Where the next page goes on; none at the end. As in DynamoDB, a page that ends at its limit has one, even if
    /// nothing follows.
    pub token: Option<Vec<u8>>,
}

/// One page of items, owned. See [`Database::query`](crate::Database::query).
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

impl Page {
    /// `shape` is asked for where there is a token to make.
    ///
    /// # Errors
    /// What `items` returns.
    pub(crate) fn new(
        page: RecordPage,
        shape: impl FnOnce() -> u32,
        selection: &Selection,
        items: &impl Items,
    ) -> Result<Self> {
        let RecordPage { records: met, limited } = page;
        let token = met.last().filter(|_| limited).map(|last| token::encode(shape(), last.pk(), last.sk()));
        let (records, count, scanned) = selection.apply_all(met, items)?;
        Ok(Self { records, count, scanned, token })
    }

    /// A page of a number. `shape` as for [`Page::new`].
    pub(crate) fn of_count(page: CountPage, shape: impl FnOnce() -> u32) -> Self {
        let token = page.last.map(|last| token::encode(shape(), last.pk(), last.sk()));
        Self { records: Vec::new(), count: page.count, scanned: page.count, token }
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

/// The record with its key, as the attributes `pk` and `sk`, for its item.
pub(crate) fn keys_only(record: &Record) -> Record {
    let mut writer = ItemWriter::new();
    for (name, key) in [("pk", record.pk()), ("sk", record.sk())] {
        match std::str::from_utf8(key) {
            Ok("") => continue,
            Ok(text) => writer.set_str(name, text),
            Err(_) => writer.set_bin(name, key),
        }
        .expect("a key is far smaller than an item may be");
    }
    let key = KeyRef::new(record.pk(), record.sk()).expect("a record's key was checked when it was put");
    Record::put(key, writer.finish())
}

/// How much a page may hold under the limit of a request. It ends as DynamoDB's does: with the item at which the sizes of
/// the items reach 1 MiB.
pub(crate) fn page_limits(limit: Option<usize>) -> Result<PageLimits> {
    match limit {
        Some(0) => Err(Error::invalid("Limit must be greater than or equal to 1")),
        limit => Ok(PageLimits { records: limit.unwrap_or(usize::MAX), bytes: PAGE_MAX_BYTES, size: examined_bytes }),
    }
}

/// What a record counts towards the size of a page: its item's size, or that of what an index entry shows of its item.
pub(crate) fn examined_bytes(record: &Record) -> usize {
    match IndexEntry::read(record) {
        Some(entry) => item_size(entry.table_pk(), entry.table_sk(), entry.item()),
        None => item_size(record.pk(), record.sk(), record.item()),
    }
}

/// How much of a table is held at once by what goes over all of it.
pub(crate) const fn batch_limits(records: usize) -> PageLimits {
    PageLimits { records, bytes: PAGE_MAX_BYTES, size: Record::data_len }
}
