//! Forks: isolated copies that share what has not changed.

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

use crate::table::Table;

impl Table {
    /// A table of its own that holds what this one holds now: writes on either side never show on the other.
    ///
    /// Costs some tens of microseconds, whatever the number of items; memory grows by what is written from then on. This
    /// is the fixture for tests: fill one database, give each test a fork of it. A fork has the options of the original,
    /// its schema, its clock with the time that is set, and an empty stream that goes on with the original's sequence
    /// numbers. Its statistics count what it shares as its own. Waits for a change of the schema and for a
    /// load of a snapshot that are under way.
    ///
    /// # Errors
    /// [`Error::Poisoned`]; [`Error::Invalid`] in a callback of a load of this database.
    ///
    /// ```
    /// use kstone_api::{Database, Item};
    /// let db = Database::create_in_memory()?;
    /// db.put(b"shared", Item::new())?;
    /// let fork = db.fork()?;
    /// fork.delete(b"shared")?;
    /// db.put(b"later", Item::new())?;
    /// assert!(db.get(b"shared")?.is_some() && fork.get(b"later")?.is_none());
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    pub fn fork(&self) -> Result<Self> {
        let _no_change_of_schema = self.configuring()?;
        let table = self.state();
        let environment = self.forked_environment();
        let (engine, table) = self.engine().fork_into(&environment.group()?, || table.forked())?;
        Ok(self.forked(engine, environment, table))
    }
}
