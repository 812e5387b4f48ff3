//! Copies of an account: forks, and snapshots in files.
//!
//! ```text
//! fork       tables at one moment, what the catalog says of them, streams that ended; streams that are on begin empty
//! snapshot   a snapshot of the tables ── annotated with what the catalog says of them, as JSON
//! ```
//! A file that holds tables alone, whoever saved it, loads, too: what nobody says of a table is made up for it.
//!
//! Thread safety: each takes the turn of those who change tables.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use kstone_api::{Error, KeyLayout, Table};
use serde::{Deserialize, Serialize};

use crate::account::{Account, Shared};
use crate::catalog::recovery::{self, Moments};
use crate::catalog::settings::{Billing, Settings};
use crate::catalog::{Catalog, CatalogTable};
use crate::operations::new_id;

/// What the annotation of a snapshot says, in JSON.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Annotation {
    tables: BTreeMap<String, Settings>,
}

impl Account {
    /// An account of its own that holds what this one holds now, all tables at one moment: writes on either side never show
    /// on the other. Costs some tens of microseconds for each table. Backups and moments to restore are shared; tokens of
    /// idempotent requests are not.
    ///
    /// ```
    /// use kstone_dynamodb::{Account, AccountOptions, Response};
    /// let account = Account::open(AccountOptions::default())?;
    /// let mut response = Response::default();
    /// account.call("DynamoDB_20120810.CreateTable", br#"{"TableName":"music","BillingMode":"PAY_PER_REQUEST",
    ///     "AttributeDefinitions":[{"AttributeName":"artist","AttributeType":"S"}],
    ///     "KeySchema":[{"AttributeName":"artist","KeyType":"HASH"}]}"#, &mut response);
    /// let fork = account.fork()?;
    /// fork.call("DynamoDB_20120810.DeleteTable", br#"{"TableName":"music"}"#, &mut response);
    /// account.call("DynamoDB_20120810.ListTables", b"{}", &mut response);
    /// assert_eq!(response.body(), br#"{"TableNames":["music"]}"#);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Poisoned`], as [`kstone_api::Account::fork`].
    pub fn fork(&self) -> Result<Self, Error> {
        let shared = &self.shared;
        let _no_change = shared.catalog.changing.lock();
        let tables = shared.tables.fork()?;
        let catalog = shared.catalog.forked(&tables);
        let streams = shared.streams.forked(|name| tables.table(name).ok());
        let (options, idempotency) = (shared.options.clone(), Default::default());
        let kept = shared.kept.forked();
        Ok(Self { shared: Arc::new(Shared { options, tables, catalog, idempotency, streams, kept }) })
    }

    /// Removes every item of every table, at one moment; the tables stay, with all that is known of them.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<(), Error> {
        let _no_change = self.shared.catalog.changing.lock();
        self.shared.tables.clear()
    }

    /// Writes all tables as they are at one moment to a file, in the place of one that is there, with what DynamoDB's
    /// operations know of them; how many items they have. As [`kstone_api::Account::save_snapshot`], which also says what
    /// becomes of streams. Backups are not in it.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Limit`] for more than 64 MiB of settings; [`Error::Poisoned`].
    pub fn snapshot_save(&self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let _no_change = self.shared.catalog.changing.lock();
        self.shared.tables.save_snapshot_annotated(path, &self.annotation())
    }

    /// As [`Account::snapshot_save`], to anything that takes bytes.
    ///
    /// # Errors
    /// As there.
    pub fn snapshot_save_to(&self, out: impl Write) -> Result<u64, Error> {
        let _no_change = self.shared.catalog.changing.lock();
        self.shared.tables.save_snapshot_annotated_to(out, &self.annotation())
    }

    /// Makes the tables of a snapshot, all at once; how many items they have. No table of the account may have a name of
    /// one of them.
    ///
    /// # Errors
    /// [`Error::Corrupt`] and [`Error::Io`]; [`Error::TableExists`]; [`Error::Limit`] where the items do not fit the memory
    /// limit. Nothing is changed then.
    pub fn snapshot_load(&self, path: impl AsRef<Path>) -> Result<u64, Error> {
        let _no_change = self.shared.catalog.changing.lock();
        let (items, annotation) = self.shared.tables.load_snapshot_annotated(path)?;
        self.shared.know_tables(&annotation);
        Ok(items)
    }

    /// As [`Account::snapshot_load`], from the bytes of a snapshot.
    ///
    /// # Errors
    /// As there.
    pub fn snapshot_load_from(&self, input: impl Read) -> Result<u64, Error> {
        let _no_change = self.shared.catalog.changing.lock();
        let (items, annotation) = self.shared.tables.load_snapshot_annotated_from(input)?;
        self.shared.know_tables(&annotation);
        Ok(items)
    }

    /// What the tables hold and have done, as JSON: `{"tables":{"music":{"items":1,…}}}`, with the numbers of
    /// [`kstone_api::Stats`].
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn stats_json(&self) -> Result<String, Error> {
        #[derive(Serialize)]
        struct AccountStats {
            tables: BTreeMap<Box<str>, kstone_api::Stats>,
        }
        let tables = self.shared.catalog.all(i64::MIN);
        let stats = tables
            .iter()
            .filter(|table| table.phase.has_items(i64::MAX))
            .map(|table| Ok::<_, Error>((table.name.clone(), table.table.stats()?)));
        let stats = AccountStats { tables: stats.collect::<Result<_, _>>()? };
        Ok(serde_json::to_string(&stats).expect("numbers are JSON"))
    }

    fn annotation(&self) -> Vec<u8> {
        let tables = self.shared.catalog.all(self.shared.catalog.now());
        let tables = tables.iter().map(|table| (table.name.to_string(), table.settings.clone()));
        serde_json::to_vec(&Annotation { tables: tables.collect() }).expect("settings are JSON")
    }
}

impl Shared {
    /// Takes tables into the catalog that are there and that it does not know, with what an annotation says of them.
    fn know_tables(&self, annotation: &[u8]) {
        // Somebody else's annotation says nothing that is understood here.
        let mut annotation: Annotation = serde_json::from_slice(annotation).unwrap_or_default();
        for name in self.tables.table_names() {
            // The name of one that is being deleted is free to the tables below.
            if self.catalog.entry(&name).is_some_and(|known| known.phase.has_items(i64::MAX)) {
                continue;
            }
            let Ok(table) = self.tables.table(&name) else { continue };
            let mut settings = annotation.tables.remove(&name).unwrap_or_else(|| self.made_up(&table));
            let layout = layout_of(&table);
            if table.change_stream().is_some() {
                let label = self.streams.opened(&table, &name, &layout, self.catalog.now_millis());
                settings.stream_label = Some(label);
            }
            let mut entry = CatalogTable::settled(name.into(), table, layout, settings);
            if let Some(recovery) = &mut entry.settings.recovery {
                // Moments are not in the file: the first is now.
                recovery.since = self.catalog.now_millis();
                let first = recovery::now(&entry.table, &entry.settings, self.catalog.now_millis());
                entry.moments = first.ok().map(|first| Arc::new(Moments::beginning(first)));
            }
            self.catalog.insert(entry);
        }
    }

    /// What is said of a table that DynamoDB's operations did not make: it is paid for by request.
    fn made_up(&self, _: &Table) -> Settings {
        let now = self.catalog.now_millis();
        let billing = Billing { on_demand: true, on_demand_since: Some(now) };
        Settings { id: new_id(), created_millis: now, billing, ..Settings::default() }
    }
}

/// Names and types of a table's key; of an untyped one, the names that it has.
pub(crate) fn layout_of(table: &Table) -> KeyLayout {
    table.schema().key_layout().ok().flatten().unwrap_or_else(|| KeyLayout::untyped().clone())
}

impl Catalog {
    /// That of a fork, whose tables these are.
    fn forked(&self, tables: &kstone_api::Account) -> Self {
        let catalog = Self::new(self.place.clone(), tables.clone());
        for entry in self.all(i64::MIN) {
            // A table that is being deleted holds nothing, and is described all the same.
            let table = tables.table(&entry.name).unwrap_or_else(|_| entry.table.clone());
            let moments = entry.moments.as_ref().map(|moments| Arc::new(moments.forked()));
            catalog.insert(CatalogTable { table, moments, ..CatalogTable::clone(&entry) });
        }
        catalog
    }
}
