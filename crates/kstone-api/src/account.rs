//! Accounts: tables that share a clock, caches and options, and that are seen and written together.
//!
//! ```text
//! Account ──► catalog: name ─► Table ──► engine, state
//!    └──────────► Environment ◄──┘       options, clock, caches
//! ```
//! # Locks
//! The catalog's lock is held for a look or an exchange, never while a stripe is locked. What needs the tables to stay as
//! they are for longer, such as a fork, takes the turn of `changing`, which every change of the catalog takes. Stripes of
//! several tables are locked ascending by the tables' ordinals, which are given once and never again.

pub(crate) mod environment;
pub(crate) mod limited;
mod named;
mod operations;
mod reads;
mod statements;
pub(crate) mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use kstone_core::Error as CoreError;
use kstone_core::engine::{Engine, EngineOrdinal, Exclusive, exclusive_across};
use parking_lot::{Mutex, RwLock};

use self::environment::Environment;
pub use self::named::NamesTable;
pub use self::view::{AccountView, TableView};
use crate::error::{Error, Reason, Result};
use crate::expression::ExpressionCache;
use crate::interrupt::Interrupt;
use crate::model::clock::{Clock, ClockSource};
use crate::model::options::DatabaseOptions;
use crate::model::progress::SnapshotProgress;
use crate::model::schema::TableSchema;
use crate::table::Table;
use crate::table::one_at_a_time::{OneAtATime, Turn};
use crate::table::stream::Stream;

/// Named tables in memory. Clones share it; dropping the last one, and the last handle of its tables, frees everything.
///
/// Calls may be made from any thread at any time. Tables are created, changed and dropped while others are read and
/// written.
///
/// ```
/// use kstone_api::{Account, ItemBuilder, KeyType, TableSchema};
/// let account = Account::create_in_memory();
/// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
/// account.create_table(TableSchema::new().name("orders").partition_key("number", KeyType::N))?;
/// users.put_item(ItemBuilder::new().string("id", "ann").build())?;
/// assert_eq!(account.table_names(), ["orders", "users"]);
///
/// let fork = account.fork()?;
/// fork.table("users")?.delete(b"ann")?;
/// assert!(account.table("users")?.get(b"ann")?.is_some());
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Clone)]
pub struct Account {
    shared: Arc<Shared>,
    /// What ends long calls through this handle, and through the tables that it gives.
    interrupt: Option<Interrupt>,
}

struct Shared {
    environment: Arc<Environment>,
    catalog: RwLock<Catalog>,
    changing: OneAtATime,
    snapshot_progress: Mutex<SnapshotProgress>,
}

#[derive(Default)]
struct Catalog {
    tables: BTreeMap<Box<str>, Table>,
    /// The ordinal given last.
    last_ordinal: u32,
}

impl Account {
    /// An account without tables, with the default options. Costs an allocation.
    #[must_use]
    pub fn create_in_memory() -> Self {
        Self::create_in_memory_with(DatabaseOptions::default(), ClockSource::default())
    }

    /// An account without tables, with options and a clock that all its tables share. Options out of their range are
    /// refused when the first table is created.
    #[must_use]
    pub fn create_in_memory_with(options: DatabaseOptions, clock: ClockSource) -> Self {
        Self::of(Arc::new(Environment::new(options, clock)), Catalog::default())
    }

    /// Refuses options that are out of their range, as the first table would.
    ///
    /// # Errors
    /// [`Error::Invalid`]; also where a thread is asked for and none can be started.
    ///
    /// ```
    /// use kstone_api::clock::ClockSource;
    /// use kstone_api::{Account, DatabaseOptions};
    /// let options = DatabaseOptions { memory_max_bytes: 1, ..DatabaseOptions::default() };
    /// assert!(Account::create_in_memory_with(options, ClockSource::default()).check_options().is_err());
    /// ```
    pub fn check_options(&self) -> Result<()> {
        self.shared.environment.group().map(drop)
    }

    fn of(environment: Arc<Environment>, catalog: Catalog) -> Self {
        let (catalog, changing) = (RwLock::new(catalog), OneAtATime::default());
        let shared = Shared { environment, catalog, changing, snapshot_progress: Mutex::default() };
        Self { shared: Arc::new(shared), interrupt: None }
    }

    /// The same account by a handle whose long calls, and those of the tables it gives, end when the flag is raised.
    #[must_use]
    pub fn interrupted_by(&self, interrupt: &Interrupt) -> Self {
        Self { shared: Arc::clone(&self.shared), interrupt: Some(interrupt.clone()) }
    }

    /// Creates a table of this schema, which must have a name.
    ///
    /// # Errors
    /// [`Error::TableExists`]; [`Error::Invalid`] for a schema without a name or one that DynamoDB would refuse, and for
    /// options of the account that are out of their range.
    pub fn create_table(&self, schema: TableSchema) -> Result<Table> {
        let _no_other_change = self.changing()?;
        let name: Box<str> = match schema.table_name() {
            Some(name) => name.into(),
            None => return Err(Error::from(Reason::TableUnnamed)),
        };
        if self.shared.catalog.read().tables.contains_key(&name) {
            return Err(Error::TableExists { name: name.into() });
        }
        let table = self.new_table(schema)?;
        self.shared.catalog.write().tables.insert(name, table.clone());
        Ok(self.handle(table))
    }

    /// A table that is not in the catalog yet.
    fn new_table(&self, schema: TableSchema) -> Result<Table> {
        let ordinal = {
            let mut catalog = self.shared.catalog.write();
            let exhausted = || Error::from(Reason::TooManyTables);
            catalog.last_ordinal = catalog.last_ordinal.checked_add(1).ok_or_else(exhausted)?;
            EngineOrdinal(catalog.last_ordinal)
        };
        Table::create(Arc::clone(&self.shared.environment), schema, ordinal)
    }

    /// Adds tables that `load` makes by the function that it is given, all of them at once or none.
    pub(crate) fn add_tables(
        &self,
        load: impl FnOnce(&mut dyn FnMut(TableSchema) -> Result<Table>) -> Result<(Vec<Table>, u64)>,
    ) -> Result<u64> {
        let _no_other_change = self.changing()?;
        let mut names = BTreeSet::new();
        let mut create = |schema: TableSchema| {
            let name = schema.table_name().unwrap_or_default();
            if self.shared.catalog.read().tables.contains_key(name) || !names.insert(name.to_owned()) {
                return Err(Error::TableExists { name: name.to_owned() });
            }
            self.new_table(schema)
        };
        let (tables, items) = load(&mut create)?;
        let named = tables.into_iter().map(|table| (table.schema().table_name().unwrap_or_default().into(), table));
        self.shared.catalog.write().tables.extend(named.collect::<Vec<(Box<str>, Table)>>());
        Ok(items)
    }

    pub(crate) fn interrupt(&self) -> Option<&Interrupt> {
        self.interrupt.as_ref()
    }

    pub(crate) fn progress_cell(&self) -> &Mutex<SnapshotProgress> {
        &self.shared.snapshot_progress
    }

    /// The turn of this thread to change which tables there are, or to have them stay.
    fn changing(&self) -> Result<Turn<'_>> {
        self.shared.changing.enter(Reason::AccountBusy)
    }

    /// The table of this name.
    ///
    /// # Errors
    /// [`Error::TableNotFound`].
    pub fn table(&self, name: &str) -> Result<Table> {
        match self.shared.catalog.read().tables.get(name) {
            Some(table) => Ok(self.handle(table.clone())),
            None => Err(Error::TableNotFound { name: name.to_owned(), is: None }),
        }
    }

    /// What was read of expressions, whatever the tables: for callers that parse expressions themselves.
    #[must_use]
    pub fn expressions(&self) -> &ExpressionCache {
        self.shared.environment.expressions()
    }

    /// The time of all tables.
    #[must_use]
    pub fn now_epoch_seconds(&self) -> i64 {
        self.shared.environment.clock.now_epoch_seconds()
    }

    /// The time of all tables, in milliseconds.
    #[must_use]
    pub fn now_epoch_millis(&self) -> i64 {
        self.shared.environment.clock.now_epoch_millis()
    }

    fn handle(&self, table: Table) -> Table {
        match &self.interrupt {
            Some(interrupt) => table.interrupted_by(interrupt),
            None => table,
        }
    }

    /// The names of all tables, ascending.
    #[must_use]
    pub fn table_names(&self) -> Vec<String> {
        self.table_names_after("", usize::MAX)
    }

    /// At most so many names of tables, ascending, behind this one, which need not be one.
    #[must_use]
    pub fn table_names_after(&self, name: &str, most: usize) -> Vec<String> {
        let catalog = self.shared.catalog.read();
        let behind = catalog.tables.range::<str, _>((Bound::Excluded(name), Bound::Unbounded));
        behind.take(most).map(|(name, _)| name.to_string()).collect()
    }

    /// How many tables there are.
    #[must_use]
    pub fn table_count(&self) -> usize {
        self.shared.catalog.read().tables.len()
    }

    /// Drops a table with everything in it: handles that are left, and calls that wait for it, are refused from then on.
    /// Reads that hold a point-in-time view of it go on, and its stream can still be read. Waits for a change of its schema
    /// that is under way.
    ///
    /// # Errors
    /// [`Error::TableNotFound`]. One that is poisoned is dropped, too.
    pub fn drop_table(&self, name: &str) -> Result<()> {
        let _no_other_change = self.changing()?;
        let table = self.table(name)?;
        let _no_change_of_schema = table.configuring()?;
        match table.engine().close() {
            // A table that a panic has poisoned refuses everything as it is, and an account must get rid of it.
            Ok(()) | Err(CoreError::Poisoned) => {}
            Err(error) => return Err(error.into()),
        }
        self.shared.catalog.write().tables.remove(name);
        Ok(())
    }

    /// An account of its own that holds what this one holds now, all tables at one moment: writes on either side never
    /// show on the other. See [`Table::fork`]; costs a lock and a count for each stripe of each table that holds items.
    ///
    /// # Errors
    /// [`Error::Poisoned`]; [`Error::Invalid`] in a callback of a load or a change of this account.
    pub fn fork(&self) -> Result<Self> {
        let _no_change = self.changing()?;
        let (tables, last_ordinal) = self.all_tables();
        let _no_change_of_schema = tables.iter().map(|(_, table)| table.configuring()).collect::<Result<Vec<_>>>()?;
        for (_, table) in &tables {
            table.engine().prepare_fork()?;
        }
        let environment = Arc::new(self.shared.environment.forked());
        let group = environment.group()?;
        let forks = at_one_moment(&tables, |table, locked| (table.state().forked(), locked.fork(&group)))?;
        let forked = tables
            .iter()
            .zip(forks)
            .map(|((name, _), (state, engine))| (name.clone(), Table::of(engine, Arc::clone(&environment), state)));
        let catalog = Catalog { tables: forked.collect(), last_ordinal };
        Ok(Self { interrupt: self.interrupt.clone(), ..Self::of(environment, catalog) })
    }

    /// Removes every item of every table, at one moment; the tables stay. See [`Table::clear`].
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<()> {
        let _no_change = self.changing()?;
        let (tables, _) = self.all_tables();
        let cleared = at_one_moment(&tables, |table, locked| {
            locked.clear();
            table.state().stream.as_deref().map(Stream::clear)
        });
        cleared.map(drop)
    }

    /// All tables, in the order in which their stripes are locked, and the ordinal given last.
    fn all_tables(&self) -> (Vec<(Box<str>, Table)>, u32) {
        let catalog = self.shared.catalog.read();
        let mut tables: Vec<_> = catalog.tables.iter().map(|(name, table)| (name.clone(), table.clone())).collect();
        tables.sort_unstable_by_key(|(_, table)| table.engine().ordinal());
        (tables, catalog.last_ordinal)
    }

    /// Fixes the time of all tables, in epoch seconds; 0 goes back to the clock. For tests.
    pub fn set_time(&self, epoch_seconds: i64) {
        let clock = &self.shared.environment.clock;
        let before = clock.now_epoch_seconds();
        clock.set_time(epoch_seconds);
        if clock.now_epoch_seconds() < before {
            // What had passed for good may expire after all.
            self.all_tables().0.iter().for_each(|(_, table)| table.forget_expiries());
        }
    }
}

/// What this gives for each of these tables, which ascend by their ordinals, while the stripes of all of them are locked.
fn at_one_moment<T>(
    tables: &[(Box<str>, Table)],
    mut see: impl FnMut(&Table, &mut Exclusive<'_>) -> T,
) -> Result<Vec<T>> {
    let engines: Vec<&Engine> = tables.iter().map(|(_, table)| table.engine()).collect();
    let seen = exclusive_across(&engines, |locked| {
        tables.iter().zip(locked).map(|((_, table), locked)| see(table, locked)).collect()
    });
    Ok(seen?)
}
