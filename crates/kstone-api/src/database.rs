//! The database: what callers do with keys and items, on the engine's keys and records.

use std::sync::Arc;

use kstone_core::Result;
use kstone_core::engine::{Engine, EngineOptions, MEMTABLE_MAX_RECORDS, Present};
use kstone_core::item::{self, ItemRef};
use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::value::Item;

use crate::item_check::check_item;
use crate::page::{Page, QueryResult, page_limits};
use crate::query::Query;
use crate::records::{IterSource, Records};
use crate::scan::Scan;
use crate::stats::Stats;
use crate::token;
#[cfg(doc)]
use crate::{Error, ItemWriter, Select};

/// What a database can be told when it is made. Zero means the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DatabaseOptions {
    /// Writes that a stripe takes before its memtable becomes an SST: 0 for
    /// [`MEMTABLE_MAX_RECORDS`], at most
    /// [`MEMTABLE_MAX_RECORDS_LIMIT`](crate::MEMTABLE_MAX_RECORDS_LIMIT).
    pub memtable_max_records: usize,
}

/// A database in memory. Clones share it; dropping the last one frees everything.
///
/// Calls may be made from any thread at any time; each sees the effect of every call that returned before it began.
/// Keys are bytes: 1 to 2048 of partition key, up to 1024 of sort key, none being no sort key. An item comes back as
/// it was put, numbers in canonical form; it may take 400 KB as DynamoDB counts. Where an item has attributes named
/// `pk` or `sk`, they must equal its key (as S where the key is UTF-8, as B elsewhere).
#[derive(Clone)]
pub struct Database {
    engine: Arc<Engine>,
}

impl Database {
    /// An empty database with the default options. Costs microseconds and a few KiB.
    ///
    /// # Errors
    /// None today.
    pub fn create_in_memory() -> Result<Self> {
        Self::create_in_memory_with_options(DatabaseOptions::default())
    }

    /// An empty database.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range.
    pub fn create_in_memory_with_options(options: DatabaseOptions) -> Result<Self> {
        let memtable_max_records = match options.memtable_max_records {
            0 => MEMTABLE_MAX_RECORDS,
            records => records,
        };
        Ok(Self { engine: Arc::new(Engine::new(EngineOptions { memtable_max_records })?) })
    }

    /// Stores the item under a partition key alone, in the place of the one that was there.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for a key or an item that DynamoDB would refuse; [`Error::Poisoned`].
    pub fn put(&self, pk: &[u8], item: Item) -> Result<()> {
        self.put_with_sk(pk, &[], item)
    }

    /// Stores the item under a partition key and a sort key.
    ///
    /// # Errors
    /// As [`Database::put`].
    pub fn put_with_sk(&self, pk: &[u8], sk: &[u8], item: Item) -> Result<()> {
        self.put_body(pk, sk, &item::encode(&item)?)
    }

    /// Stores an item in its stored form, as [`ItemWriter::finish`] gives it: one copy of its bytes.
    ///
    /// # Errors
    /// As [`Database::put`].
    pub fn put_body(&self, pk: &[u8], sk: &[u8], body: &[u8]) -> Result<()> {
        let key = KeyRef::new(pk, sk)?;
        check_item(key, ItemRef::new(body))?;
        self.engine.put(key, body).map(drop)
    }

    /// The item of a partition key alone, copied out.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for a key that cannot be; [`Error::Poisoned`].
    pub fn get(&self, pk: &[u8]) -> Result<Option<Item>> {
        self.get_with_sk(pk, &[])
    }

    /// The item of a partition key and a sort key, copied out.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub fn get_with_sk(&self, pk: &[u8], sk: &[u8]) -> Result<Option<Item>> {
        Ok(self.get_record(pk, sk)?.map(|record| record.item().to_item()))
    }

    /// The item of a key, shared: no bytes are copied. It stays good whatever happens to the database.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub fn get_record(&self, pk: &[u8], sk: &[u8]) -> Result<Option<Record>> {
        self.engine.get(KeyRef::new(pk, sk)?)
    }

    /// Removes the item of a partition key alone. Removing what is not there is no error.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub fn delete(&self, pk: &[u8]) -> Result<()> {
        self.delete_with_sk(pk, &[])
    }

    /// Removes the item of a partition key and a sort key.
    ///
    /// # Errors
    /// As [`Database::get`].
    pub fn delete_with_sk(&self, pk: &[u8], sk: &[u8]) -> Result<()> {
        self.engine.delete(KeyRef::new(pk, sk)?).map(drop)
    }

    /// One page of a partition, copied out.
    ///
    /// # Errors
    /// As [`Database::query_page`].
    pub fn query(&self, query: Query) -> Result<QueryResult> {
        self.query_page(&query).map(QueryResult::from)
    }

    /// One page of a partition, shared, as it is at one moment. Visits the records of the range alone.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a missing partition key, a limit of 0, a BETWEEN whose ends are the wrong way round, or a
    /// token of another request; [`Error::Limit`] for keys that are too long; [`Error::Poisoned`].
    pub fn query_page(&self, query: &Query) -> Result<Page> {
        let limits = page_limits(query.limit)?;
        let shape = query.shape();
        let ended_at = query.token.as_deref().map(|token| token::decode(token, shape)).transpose()?;
        let page = query.with_range(ended_at.map(|(_, sk)| sk), |range| {
            self.engine.query(&query.partition_key, range, query.reverse, limits)
        })??;
        Ok(Page::new(page, shape, query.select))
    }

    /// One page of the table, copied out.
    ///
    /// # Errors
    /// As [`Database::scan_page`].
    pub fn scan(&self, scan: Scan) -> Result<QueryResult> {
        self.scan_page(&scan).map(QueryResult::from)
    }

    /// One page of the table, shared, as it is at one moment.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a segment that is not one of the segments, a limit of 0 or a token of another request;
    /// [`Error::Poisoned`].
    pub fn scan_page(&self, scan: &Scan) -> Result<Page> {
        let limits = page_limits(scan.limit)?;
        let shape = scan.shape();
        let mut range = scan.range()?;
        if let Some(token) = &scan.token {
            let (pk, sk) = token::decode(token, shape)?;
            range = range.after(pk, sk);
        }
        let page = self.engine.scan(range, limits)?;
        Ok(Page::new(page, shape, scan.select))
    }

    /// The items of a query one by one, as the database is now, whatever is written meanwhile.
    ///
    /// A limit bounds the items in all; a token is where an earlier page of the query ended.
    ///
    /// # Errors
    /// As [`Database::query_page`]; [`Error::Invalid`] for [`Select::Count`].
    pub fn iter_query(&self, query: &Query) -> Result<Records> {
        let last = query.token.as_deref().map(|token| token::decode_owned(token, query.shape())).transpose()?;
        query.with_range(None, |_| ())?;
        let source = IterSource::Query(Query { token: None, ..query.clone() });
        Records::new(self.engine.cut_partition(&query.partition_key)?, source, query.limit, query.select, last)
    }

    /// The items of a scan one by one, as the database is now, whatever is written meanwhile.
    ///
    /// A limit bounds the items in all; a token is where an earlier page of the scan ended.
    ///
    /// # Errors
    /// As [`Database::scan_page`]; [`Error::Invalid`] for [`Select::Count`].
    pub fn iter_scan(&self, scan: &Scan) -> Result<Records> {
        let last = scan.token.as_deref().map(|token| token::decode_owned(token, scan.shape())).transpose()?;
        scan.range()?;
        let source = IterSource::Scan(Scan { token: None, ..scan.clone() });
        Records::new(self.engine.cut()?, source, scan.limit, scan.select, last)
    }

    /// Decides and writes as one under the locks of all `keys`; see
    /// [`Engine::commit`](kstone_core::engine::Engine::commit).
    ///
    /// # Errors
    /// As there.
    pub fn commit_with<T>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T)>,
    ) -> Result<T> {
        self.engine.commit(keys, decide)
    }

    /// Makes an SST of every memtable. Never needed; for tests and measurements.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn flush(&self) -> Result<()> {
        self.engine.flush()
    }

    /// Merges every stripe into one SST and frees what deleted and overwritten items held. Never needed.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn compact(&self) -> Result<()> {
        self.engine.compact()
    }

    /// Removes every item, as one: no reader sees a part of it.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<()> {
        self.engine.clear()
    }

    /// Counts what is held. Walks every item: O(n).
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn stats(&self) -> Result<Stats> {
        self.engine.stats().map(Stats)
    }
}
