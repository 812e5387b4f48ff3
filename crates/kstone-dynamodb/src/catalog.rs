//! What DynamoDB says of tables in addition to what they hold: identifiers, states, billing, tags.
//!
//! Thread safety: looks take a read lock for a moment; changes take their turns.

use std::collections::BTreeMap;
use std::sync::Arc;

use kstone_api::{KeyLayout, Table};
use parking_lot::{Mutex, RwLock};

use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// The tables of an account by name.
#[derive(Default)]
pub(crate) struct Catalog {
    tables: RwLock<BTreeMap<Box<str>, Arc<CatalogTable>>>,
    /// Held by whoever makes, changes or drops a table, or forks the account.
    pub(crate) changing: Mutex<()>,
}

/// A table, and what is known of it.
pub(crate) struct CatalogTable {
    pub(crate) name: Box<str>,
    pub(crate) table: Table,
    /// Names and types of its key.
    pub(crate) layout: KeyLayout,
}

impl Catalog {
    /// The table that a request names, by its name or its ARN.
    ///
    /// # Errors
    /// ResourceNotFoundException.
    pub(crate) fn table(&self, name: &str) -> Result<Arc<CatalogTable>, Refusal> {
        let name = name.rsplit_once(":table/").map_or(name, |(_, name)| name);
        let found = self.tables.read().get(name).cloned();
        found.ok_or_else(|| Refusal::new(RefusalKind::ResourceNotFound, Text::ResourceNotFound))
    }

    pub(crate) fn insert(&self, table: CatalogTable) {
        self.tables.write().insert(table.name.clone(), Arc::new(table));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.tables.write().remove(name);
    }

    pub(crate) fn names(&self) -> Vec<Box<str>> {
        self.tables.read().keys().cloned().collect()
    }
}
