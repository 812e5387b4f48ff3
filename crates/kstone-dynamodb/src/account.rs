//! Accounts: tables as DynamoDB knows them, and what they are told when they are made.
//!
//! ```text
//! Account ──► kstone_api::Account       items, indexes, streams, TTL: the tables themselves
//!    └──────► Catalog                   what DynamoDB says of them in addition: identifiers, states, billing, tags
//! ```
//! Thread safety: calls may be made from any thread at any time.

use std::path::PathBuf;
use std::sync::Arc;

use kstone_api::clock::ClockSource;
use kstone_api::{DatabaseOptions, Error, Statistic, Table};

use crate::catalog::Catalog;
use crate::catalog::arn::Place;
use crate::idempotency::Idempotency;
use crate::kept::Kept;
use crate::refusal::Cohort;
use crate::streams::Streams;

const REGION_MAX_BYTES: usize = 32;
const ACCOUNT_ID_DIGITS: usize = 12;

/// What an account is told when it is made.
#[derive(Debug, Clone)]
pub struct AccountOptions {
    /// The region that its ARNs name: one that [`AccountOptions::is_region`] knows for one.
    pub region: String,
    /// The account's number, which its ARNs name: twelve digits, as [`AccountOptions::is_account_id`] has it.
    pub account_id: String,
    /// Memory limit, eviction and the like, for all tables together.
    pub database: DatabaseOptions,
    /// What its tables take for the time.
    pub clock: ClockSource,
    /// Whether items that have expired are gone at once, kstone's rule, or stay visible until something removes them,
    /// DynamoDB's.
    pub ttl_hidden: bool,
    /// For how many seconds a new table is CREATING, and one that is changed UPDATING.
    pub transition_seconds: i64,
    /// Whose validation texts are said.
    pub cohort: Cohort,
    /// The folder whose folders are the buckets of ExportTableToPointInTime and ImportTable, which are refused where there
    /// is none.
    pub files_root: Option<PathBuf>,
}

impl AccountOptions {
    /// Whether a region can be called so: up to 32 lower-case letters, digits and hyphens.
    ///
    /// ```
    /// use kstone_dynamodb::AccountOptions;
    ///
    /// assert!(AccountOptions::is_region("eu-central-1"));
    /// assert!(!AccountOptions::is_region("EU Central") && !AccountOptions::is_region(""));
    /// ```
    #[must_use]
    pub fn is_region(name: &str) -> bool {
        let is_of_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=REGION_MAX_BYTES).contains(&name.len()) && name.bytes().all(is_of_name)
    }

    /// Whether this is an account's number: twelve digits.
    #[must_use]
    pub fn is_account_id(number: &str) -> bool {
        number.len() == ACCOUNT_ID_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())
    }
}

impl Default for AccountOptions {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account_id: "000000000000".to_owned(),
            database: DatabaseOptions::default(),
            clock: ClockSource::default(),
            ttl_hidden: false,
            transition_seconds: 0,
            cohort: Cohort::Current,
            files_root: None,
        }
    }
}

/// DynamoDB in memory: an account's tables behind one function, [`Account::call`]. Clones share it.
#[derive(Clone)]
pub struct Account {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) options: AccountOptions,
    pub(crate) tables: kstone_api::Account,
    pub(crate) catalog: Catalog,
    pub(crate) idempotency: Idempotency,
    pub(crate) streams: Streams,
    /// Backups, exports, imports.
    pub(crate) kept: Kept,
}

impl Account {
    /// An account without tables.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range.
    pub fn open(options: AccountOptions) -> Result<Self, Error> {
        let tables = kstone_api::Account::create_in_memory_with(options.database, options.clock.clone());
        tables.check_options()?;
        let place = Place::new(&options.region, &options.account_id);
        let catalog = Catalog::new(place, tables.clone());
        let streams = Streams::new(&options.region, &options.account_id);
        Ok(Self {
            shared: Arc::new(Shared {
                options,
                tables,
                catalog,
                streams,
                idempotency: Idempotency::default(),
                kept: Kept::default(),
            }),
        })
    }

    /// The same tables as kstone's own interface has them.
    ///
    /// # Errors
    /// [`Error::TableNotFound`].
    pub fn table(&self, name: &str) -> Result<Table, Error> {
        self.shared.tables.table(name)
    }

    /// The region that its ARNs name.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.shared.options.region
    }

    /// What its tables take of memory, and how many there are. Costs a look at each stripe of each table.
    #[must_use]
    pub fn memory_bytes_and_tables(&self) -> (u64, u64) {
        let names = self.shared.tables.table_names();
        // A table that is dropped meanwhile takes nothing.
        let tables = names.iter().filter_map(|name| self.shared.tables.table(name).ok());
        let bytes = tables.filter_map(|table| table.stat(Statistic::TotalBytes).ok()).sum();
        (bytes, names.len() as u64)
    }

    /// Fixes the time of the account, in epoch seconds; 0 goes back to the clock.
    pub fn set_time(&self, epoch_seconds: i64) {
        self.shared.tables.set_time(epoch_seconds);
    }
}
