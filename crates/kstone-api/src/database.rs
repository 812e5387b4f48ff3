//! The database of one table: what most programs open.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use kstone_core::engine::EngineOrdinal;

use crate::account::environment::Environment;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::model::clock::ClockSource;
use crate::model::options::DatabaseOptions;
use crate::model::schema::TableSchema;
use crate::table::Table;

/// A database in memory: one [`Table`], whose methods all are the database's, too. Clones share it; dropping the last one
/// frees everything. For several tables that are written together see [`Account`](crate::Account).
#[derive(Clone)]
pub struct Database(Table);

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
        Self::create_in_memory_with(options, TableSchema::new(), ClockSource::default())
    }

    /// An empty database with a schema: indexes, TTL, a stream.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a schema that DynamoDB would refuse.
    ///
    /// ```
    /// use kstone_api::{Database, GlobalSecondaryIndex, ItemBuilder, KeystoneValue, Query, TableSchema};
    /// let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("status-index", "status"));
    /// let db = Database::create_in_memory_with_schema(schema)?;
    /// db.put(b"order#1", ItemBuilder::new().string("status", "open").build())?;
    /// let open = Query::new().index("status-index").partition_key(b"open").build();
    /// assert_eq!(db.query(open)?.count, 1);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn create_in_memory_with_schema(schema: TableSchema) -> Result<Self> {
        Self::create_in_memory_with(DatabaseOptions::default(), schema, ClockSource::default())
    }

    /// An empty database with options, a schema and a clock that says what has expired.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range and for a schema that DynamoDB would refuse.
    pub fn create_in_memory_with(options: DatabaseOptions, schema: TableSchema, clock: ClockSource) -> Result<Self> {
        Table::create(Arc::new(Environment::new(options, clock)), schema, EngineOrdinal::default()).map(Self)
    }

    /// A new database with what a snapshot holds, with the default options and the system's clock.
    ///
    /// # Errors
    /// As [`Table::load_snapshot`].
    pub fn open_snapshot(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_snapshot_with(path, DatabaseOptions::default(), ClockSource::default())
    }

    /// A new database with what a snapshot holds, with options and a clock.
    ///
    /// # Errors
    /// As [`Table::load_snapshot`]; [`Error::Invalid`] for an option outside its range.
    pub fn open_snapshot_with(path: impl AsRef<Path>, options: DatabaseOptions, clock: ClockSource) -> Result<Self> {
        let database = Self::create_in_memory_with(options, TableSchema::new(), clock)?;
        database.load_snapshot(path)?;
        Ok(database)
    }

    /// A database of its own that holds what this one holds now: see [`Table::fork`].
    ///
    /// # Errors
    /// As there.
    pub fn fork(&self) -> Result<Self> {
        self.0.fork().map(Self)
    }

    /// The same database by a handle whose long calls end when the flag is raised. Other handles know nothing of it.
    #[must_use]
    pub fn interrupted_by(&self, interrupt: &Interrupt) -> Self {
        Self(self.0.interrupted_by(interrupt))
    }
}

impl Deref for Database {
    type Target = Table;

    #[inline(always)]
    fn deref(&self) -> &Table {
        &self.0
    }
}

impl From<Table> for Database {
    fn from(table: Table) -> Self {
        Self(table)
    }
}
