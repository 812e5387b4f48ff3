//! All tables of an account as they were at one moment, to be read.
//!
//! ```text
//! Account::view ─► the stripes of all tables locked, ascending ─► a count more on each tree ─► AccountView
//!                     TableView: the state in force, the trees, the time that decides what has expired ◄──┘
//! ```
//! A view is read by the requests of a table: they are prepared against the state that was in force, and meet the records
//! of the view instead of those of the engine.
//!
//! # Thread safety
//! A view never changes: any number of threads may read it, and no lock is taken for it.

use std::io::{BufWriter, Write};
use std::sync::Arc;

use kstone_core::engine::PointInTimeView;
use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;
use kstone_core::value::Item;

use super::environment::Environment;
use super::{Account, at_one_moment};
use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::model::schema::TableSchema;
use crate::request::extent::{Rest, lent};
use crate::request::page::{Page, PageEnd, QueryResult};
use crate::request::page_limits::{ReadSizes, page_limits};
use crate::request::query::Query;
use crate::request::read::Read;
use crate::request::read_request::ReadRequest;
use crate::request::scan::Scan;
use crate::request::selection::Measured;
use crate::table::state::{ReadContext, TableState};
use crate::transfer::export::write_items;

/// All tables of an account as they were at one moment, to be read: a transaction shows in all of its tables or in none.
/// Outlives the account. See [`Account::view`].
#[derive(Clone)]
pub struct AccountView {
    /// Ascending by their names.
    tables: Vec<TableView>,
}

/// A table as it was at the moment of an [`AccountView`]. Reads are those of a [`Table`](crate::Table) and answer as it
/// would have answered then: by the schema that was in force, without what had expired. What expires later stays.
///
/// Costs what the table's reads cost, without a lock. Look-ups count in no statistics, and no item is used by them where
/// that tells what to evict.
#[derive(Clone)]
pub struct TableView {
    state: Arc<TableState>,
    view: PointInTimeView,
    environment: Arc<Environment>,
    /// The time of the moment, of no interest where nothing expires.
    now: i64,
    interrupt: Option<Interrupt>,
}

impl Account {
    /// All tables as they are now, for as long as the view is kept.
    ///
    /// Costs a lock and a count for each stripe of each table that holds items, as [`Account::fork`] does; writers wait for
    /// that and for nothing else. Memory grows by what is overwritten and deleted while the view is kept.
    ///
    /// ```
    /// use kstone_api::{Account, ItemBuilder, KeyType, Scan, TableSchema, Write};
    /// let account = Account::create_in_memory();
    /// for name in ["orders", "stock"] {
    ///     account.create_table(TableSchema::new().name(name).partition_key("id", KeyType::S))?;
    /// }
    /// let put = |id: &str| Write::put(id.as_bytes(), ItemBuilder::new().string("id", id).build());
    /// let view = account.view()?;
    /// account.transact_write(&[("orders", put("order#1")), ("stock", put("pen"))])?;
    ///
    /// assert_eq!(view.table_names().collect::<Vec<_>>(), ["orders", "stock"]);
    /// assert!(view.table("orders")?.get(b"order#1")?.is_none());
    /// assert_eq!(view.table("stock")?.scan(Scan::new())?.count, 0);
    /// assert_eq!(account.view()?.tables().map(|table| table.count()).sum::<u64>(), 2);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Poisoned`]; [`Error::Invalid`] in a callback of a load or a change of this account.
    pub fn view(&self) -> Result<AccountView> {
        let _no_change = self.changing()?;
        let (tables, _) = self.all_tables();
        for (_, table) in &tables {
            table.engine().put_in_order()?;
        }
        let mut views = at_one_moment(&tables, |table, locked| {
            let state = table.state();
            let (now, environment) = (table.now_for(&state), Arc::clone(&self.shared.environment));
            TableView { state, view: locked.view(), environment, now, interrupt: self.interrupt.clone() }
        })?;
        views.sort_unstable_by(|one, other| one.name().cmp(other.name()));
        Ok(AccountView { tables: views })
    }
}

impl AccountView {
    /// The tables, ascending by their names.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &TableView> {
        self.tables.iter()
    }

    /// Their names, ascending.
    pub fn table_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tables.iter().map(TableView::name)
    }

    /// The table of this name.
    ///
    /// # Errors
    /// [`Error::TableNotFound`].
    pub fn table(&self, name: &str) -> Result<&TableView> {
        match self.tables.binary_search_by(|table| table.name().cmp(name)) {
            Ok(at) => Ok(&self.tables[at]),
            Err(_) => Err(Error::TableNotFound { name: name.to_owned(), is: None }),
        }
    }
}

impl TableView {
    /// The name of the table.
    #[must_use]
    pub fn name(&self) -> &str {
        self.state.schema.table_name().unwrap_or_default()
    }

    /// The schema that was in force.
    #[must_use]
    pub fn schema(&self) -> &TableSchema {
        &self.state.schema
    }

    /// The item of a partition key alone, copied out.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for a key that cannot be.
    pub fn get(&self, pk: &[u8]) -> Result<Option<Item>> {
        self.get_with_sk(pk, &[])
    }

    /// The item of a partition key and a sort key, copied out.
    ///
    /// # Errors
    /// As [`TableView::get`].
    pub fn get_with_sk(&self, pk: &[u8], sk: &[u8]) -> Result<Option<Item>> {
        Ok(self.get_record(pk, sk)?.map(|record| record.item().to_item()))
    }

    /// The item of a key, shared: no bytes are copied.
    ///
    /// # Errors
    /// As [`TableView::get`].
    pub fn get_record(&self, pk: &[u8], sk: &[u8]) -> Result<Option<Record>> {
        let key = TableKey::of_bytes(self.state.keys, pk, sk)?;
        Ok(self.view.get(key.get()).filter(|record| !self.state.is_hidden(record, self.now)))
    }

    /// One page of a partition, copied out. A query with a filter and without a partition runs as a scan.
    ///
    /// # Errors
    /// As [`TableView::read`].
    pub fn query(&self, query: Query) -> Result<QueryResult> {
        self.read(&query.request_or_scan()?).map(|page| page.with_token().into())
    }

    /// One page of the table, copied out.
    ///
    /// # Errors
    /// As [`TableView::read`].
    pub fn scan(&self, scan: Scan) -> Result<QueryResult> {
        self.read(&scan.request()?).map(|page| page.with_token().into())
    }

    /// One page of a partition or of a share of the table, shared. Its token is good for this view and for the table.
    ///
    /// # Errors
    /// As [`Table::read`](crate::Table::read), but for [`Error::Poisoned`].
    pub fn read(&self, request: &ReadRequest<'_>) -> Result<Page<Record, PageEnd>> {
        self.check_interrupt()?;
        let limits = page_limits(request.limit)?;
        let Read { extent, selection, last, measures, .. } = request.plan(self.read_context())?;
        let page = match extent.behind(last.as_ref().map(lent)) {
            Rest::Range(keyspace, pk, range, reverse) => self.view.query_in(keyspace, pk, range, reverse, limits),
            Rest::Share(share) => self.view.scan(share, limits),
        };
        let shape = || extent.shape(selection.index());
        if !measures {
            return Page::new(page, shape, &selection, &self.view);
        }
        let examined = selection.bytes_of(&page.records);
        let measured = Measured::of(&self.view);
        let page = Page::new(page, shape, &selection, &measured)?;
        Ok(Page { sizes: ReadSizes { examined, ..measured.sizes() }, ..page })
    }

    /// How many items there were, expired ones that had not been removed included. Costs a look at each stripe.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.view.items()
    }

    /// As [`Table::export_json`](crate::Table::export_json): every item as a line of JSON; how many.
    ///
    /// # Errors
    /// [`Error::Io`] where `out` refuses; [`Error::Interrupted`].
    pub fn export_json(&self, out: impl Write) -> Result<u64> {
        let mut out = BufWriter::new(out);
        let exported = self.export_to(&mut out, "the output")?;
        out.flush().map_err(|error| Error::io("write", "the output", error))?;
        Ok(exported)
    }

    /// The same to what errors call by this name.
    pub(crate) fn export_to(&self, out: &mut impl Write, name: &str) -> Result<u64> {
        write_items((&self.state, &self.view), self.now, out, name, self.interrupt.as_ref())
    }

    /// What was in force, and what there was: expired items included.
    pub(crate) fn parts(&self) -> (&TableState, &PointInTimeView) {
        (&self.state, &self.view)
    }

    fn read_context(&self) -> ReadContext<'_> {
        ReadContext { cache: self.environment.expressions(), table: Arc::clone(&self.state), now: self.now }
    }

    fn check_interrupt(&self) -> Result<()> {
        self.interrupt.as_ref().map_or(Ok(()), Interrupt::check)
    }
}
