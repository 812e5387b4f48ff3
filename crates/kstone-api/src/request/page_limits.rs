//! How much a page may hold, and what counts towards that.

use kstone_core::engine::PageLimits;
use kstone_core::item::item_size;
use kstone_core::key::Keyspace;
use kstone_core::record::Record;

use crate::error::{Error, Reason, Result};
use crate::table::index::IndexEntry;

/// The most bytes a page holds, DynamoDB's.
pub(crate) const PAGE_MAX_BYTES: usize = 1 << 20;

/// How large the items are that a read looked at, as DynamoDB counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadSizes {
    /// Of the items that were examined, in bytes: of an index, what that holds of them.
    pub examined: usize,
    /// Of the items that were read after their entries, since the index does not hold all that is shown, in bytes.
    pub fetched: usize,
    /// The same in units of 4 KiB, to which each item is rounded up.
    pub fetched_units: usize,
}

/// The bytes that a read unit of DynamoDB covers.
const UNIT_BYTES: usize = 4096;

impl ReadSizes {
    /// Adds an item that was read after its entry, where it was there.
    pub(crate) fn add_fetched(&mut self, item: Option<&Record>) {
        let bytes = item.map_or(0, Record::item_size);
        self.fetched += bytes;
        self.fetched_units += bytes.div_ceil(UNIT_BYTES);
    }
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
