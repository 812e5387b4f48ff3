//! What DynamoDB says of tables in addition to what they hold: identifiers, states, billing, tags.
//!
//! ```text
//! name or ARN ─► Catalog ─► CatalogTable ── Table        keys, indexes, stream, TTL: the table's own schema
//!                                        ── Settings     what only DynamoDB's interface knows, kept in snapshots
//!                                        ── Phase        CREATING, UPDATING … and until when
//! ```
//! A table's entry is replaced as a whole: who found one sees it as it was.
//!
//! Thread safety: looks take a read lock for a moment; changes take their turns.

pub(crate) mod arn;
pub(crate) mod definition;
pub(crate) mod description;
pub(crate) mod index_phase;
pub(crate) mod phase;
pub(crate) mod recovery;
pub(crate) mod settings;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use kstone_api::{KeyLayout, Table};
use parking_lot::{Mutex, RwLock};

use self::arn::Place;
use self::index_phase::IndexPhase;
use self::phase::Phase;
use self::recovery::Recovering;
use self::settings::Settings;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// The tables of an account by name.
pub(crate) struct Catalog {
    tables: RwLock<BTreeMap<Box<str>, Arc<CatalogTable>>>,
    /// Held by whoever makes, changes or drops a table, or forks the account.
    pub(crate) changing: Mutex<()>,
    /// Where its tables are.
    pub(crate) place: Place,
    /// Whose time it is.
    clock: kstone_api::Account,
}

/// A table, and what is known of it.
#[derive(Clone)]
pub(crate) struct CatalogTable {
    pub(crate) name: Box<str>,
    pub(crate) table: Table,
    /// Names and types of its key.
    pub(crate) layout: KeyLayout,
    /// What only DynamoDB's interface knows of it.
    pub(crate) settings: Settings,
    /// What is being done to it.
    pub(crate) phase: Phase,
    /// What is being done to its indexes.
    pub(crate) index_phases: Vec<IndexPhase>,
    /// What can be restored of it, where recovery to points in time is on.
    pub(crate) moments: Recovering,
}

impl CatalogTable {
    /// A table to which nothing is being done.
    pub(crate) fn settled(name: Box<str>, table: Table, layout: KeyLayout, settings: Settings) -> Self {
        Self { name, table, layout, settings, phase: Phase::Settled, index_phases: Vec::new(), moments: None }
    }

    /// Whether nobody has to ask for the time before its items are used.
    #[inline]
    fn is_plain(&self) -> bool {
        self.phase.is_settled() && self.moments.is_none()
    }

    /// Takes the moment that is due to be kept, if one is.
    pub(crate) fn keep_moment(&self, catalog: &Catalog) {
        if let Some(moments) = self.moments.as_ref().filter(|moments| moments.is_due(catalog.now())) {
            moments.take(&self.table, &self.settings, catalog.now_millis());
        }
    }

    /// What is being done to an index at this time, if anything.
    pub(crate) fn index_phase(&self, name: &str, now: i64) -> Option<&IndexPhase> {
        self.index_phases.iter().find(|phase| phase.name == name && phase.is_under_way(now))
    }
}

impl Catalog {
    pub(crate) fn new(place: Place, clock: kstone_api::Account) -> Self {
        Self { tables: RwLock::default(), changing: Mutex::default(), place, clock }
    }

    /// The table whose items a request is about, by its name or its ARN.
    ///
    /// # Errors
    /// ResourceNotFoundException, also for one that is not there yet or no longer.
    pub(crate) fn table(&self, name: &str) -> Result<Arc<CatalogTable>, Refusal> {
        let found = self.tables.read().get(self.place.table_name(name)?).cloned();
        match found {
            Some(table) if table.is_plain() => Ok(table),
            Some(table) if table.phase.has_items(self.now()) => {
                table.keep_moment(self);
                Ok(table)
            }
            _ => Err(Refusal::new(RefusalKind::ResourceNotFound, Text::ResourceNotFound)),
        }
    }

    /// The table that a request describes or changes, by its name or its ARN.
    ///
    /// # Errors
    /// ResourceNotFoundException.
    pub(crate) fn described(&self, name: &str) -> Result<Arc<CatalogTable>, Refusal> {
        let name = self.place.table_name(name)?;
        self.entry(name)
            .ok_or_else(|| Refusal::new(RefusalKind::ResourceNotFound, Text::TableNotFound { name: name.to_owned() }))
    }

    /// The table of this name, unless it is gone.
    pub(crate) fn entry(&self, name: &str) -> Option<Arc<CatalogTable>> {
        let found = self.tables.read().get(name).cloned();
        found.filter(|table| table.phase.is_settled() || !table.phase.is_over(self.now()))
    }

    /// Puts a table into the catalog, in the place of one of the same name.
    pub(crate) fn insert(&self, table: CatalogTable) -> Arc<CatalogTable> {
        let table = Arc::new(table);
        self.tables.write().insert(table.name.clone(), Arc::clone(&table));
        table
    }

    /// Puts a table into the catalog that is being deleted, and forgets those that are gone.
    pub(crate) fn insert_leaving(&self, table: CatalogTable) {
        let now = self.now();
        let mut tables = self.tables.write();
        tables.retain(|_, known| !known.phase.is_over(now));
        tables.insert(table.name.clone(), Arc::new(table));
    }

    pub(crate) fn remove(&self, name: &str) {
        self.tables.write().remove(name);
    }

    /// At most so many names behind this one, which need not be one, ascending by their bytes.
    pub(crate) fn names_after(&self, name: &str, most: usize) -> Vec<Box<str>> {
        let now = self.now();
        let tables = self.tables.read();
        let behind = tables.range::<str, _>((Bound::Excluded(name), Bound::Unbounded));
        behind.filter(|(_, table)| !table.phase.is_over(now)).take(most).map(|(name, _)| name.clone()).collect()
    }

    /// All tables that are there, by name.
    pub(crate) fn all(&self, now: i64) -> Vec<Arc<CatalogTable>> {
        self.tables.read().values().filter(|table| !table.phase.is_over(now)).cloned().collect()
    }

    /// The time, in epoch seconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_epoch_seconds()
    }

    /// The time, in epoch milliseconds.
    pub(crate) fn now_millis(&self) -> i64 {
        self.clock.now_epoch_millis()
    }
}

#[cfg(test)]
mod tests {
    use kstone_api::{KeyType, TableSchema};

    use super::*;

    #[test]
    fn tables_that_are_gone_are_forgotten() {
        let account = kstone_api::Account::create_in_memory();
        let catalog = Catalog::new(Place::new("us-east-1", "000000000000"), account.clone());
        for at in 1..100 {
            account.set_time(at * 10);
            let schema = TableSchema::new().name("orders").partition_key("id", KeyType::S);
            let table = account.create_table(schema).expect("created");
            let layout = table.schema().key_layout().expect("a schema").expect("a typed key");
            account.drop_table("orders").expect("dropped");
            let settled = CatalogTable::settled(format!("orders-{at}").into(), table, layout, Settings::default());
            catalog.insert_leaving(CatalogTable { phase: Phase::Deleting(at * 10 + 15), ..settled });
        }
        assert_eq!(catalog.tables.read().len(), 2, "the one before is being deleted still");
    }
}
