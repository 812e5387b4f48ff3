//! What an account keeps in addition to its tables: backups, and records of exports and imports.
//!
//! A backup is a fork of its table. It outlives the table, and is gone when it is deleted or with the account; snapshots do
//! not hold it. Backups that nobody asked for, of deleted tables whose recovery was on, are the newest few.
//!
//! Thread safety: looks take a lock for a moment.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use kstone_api::{Table, TableSchema};
use parking_lot::RwLock;

use crate::catalog::settings::Settings;

/// The most backups that nobody asked for.
const MAX_SYSTEM_BACKUPS: usize = 4;
/// The most records of exports, and of imports, and the most bytes of either: what a request asked for is in them.
const MAX_RECORDS: usize = 10_000;
const MAX_RECORD_BYTES: usize = 64 << 20;

/// A table as it was, under a name of its own.
pub(crate) struct Backup {
    pub(crate) arn: String,
    pub(crate) name: String,
    pub(crate) table_name: Box<str>,
    /// In epoch milliseconds.
    pub(crate) created: i64,
    /// Until when it is kept, of one that nobody asked for.
    pub(crate) until: Option<i64>,
    pub(crate) table: Table,
    pub(crate) schema: TableSchema,
    pub(crate) settings: Settings,
    pub(crate) items: u64,
    pub(crate) bytes: usize,
}

/// An export or an import, done.
pub(crate) struct Record {
    pub(crate) arn: String,
    pub(crate) table_arn: String,
    /// The table's identifier.
    pub(crate) table_id: String,
    /// The token by which the request is known, and what it asked for.
    pub(crate) token: Option<(String, String)>,
    /// The description, in JSON.
    pub(crate) description: String,
    /// The summary in lists, in JSON.
    pub(crate) summary: String,
}

/// See the module. By ARN, which tables and times order.
#[derive(Default)]
pub(crate) struct Kept {
    backups: RwLock<BTreeMap<String, Arc<Backup>>>,
    pub(crate) exports: Records,
    pub(crate) imports: Records,
}

/// Records of one kind, the newest of them.
#[derive(Default)]
pub(crate) struct Records(RwLock<Newest>);

#[derive(Clone, Default)]
struct Newest {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Kept {
    /// The same for a fork of the account.
    pub(crate) fn forked(&self) -> Self {
        let (exports, imports) = (self.exports.forked(), self.imports.forked());
        Self { backups: RwLock::new(self.backups.read().clone()), exports, imports }
    }

    /// Keeps a backup.
    pub(crate) fn add(&self, backup: Backup) {
        let mut backups = self.backups.write();
        backups.insert(backup.arn.clone(), Arc::new(backup));
        let mut of_system: Vec<_> = backups.values().filter(|backup| backup.until.is_some()).cloned().collect();
        of_system.sort_by_key(|backup| backup.created);
        let surplus = of_system.len().saturating_sub(MAX_SYSTEM_BACKUPS);
        for backup in &of_system[..surplus] {
            backups.remove(&backup.arn);
        }
    }

    /// The backup of this ARN.
    pub(crate) fn backup(&self, arn: &str, now_millis: i64) -> Option<Arc<Backup>> {
        self.backups.read().get(arn).filter(|backup| !backup.is_over(now_millis)).cloned()
    }

    /// Forgets a backup.
    pub(crate) fn remove(&self, arn: &str) {
        self.backups.write().remove(arn);
    }

    /// All backups, the oldest first.
    pub(crate) fn backups(&self, now_millis: i64) -> Vec<Arc<Backup>> {
        let mut all: Vec<_> =
            self.backups.read().values().filter(|backup| !backup.is_over(now_millis)).cloned().collect();
        all.sort_by(|one, other| (one.created, &one.arn).cmp(&(other.created, &other.arn)));
        all
    }
}

impl Record {
    fn bytes(&self) -> usize {
        let token = self.token.as_ref().map_or(0, |(token, asked)| token.len() + asked.len());
        self.arn.len()
            + self.table_arn.len()
            + self.table_id.len()
            + token
            + self.description.len()
            + self.summary.len()
    }
}

impl Backup {
    fn is_over(&self, now_millis: i64) -> bool {
        self.until.is_some_and(|until| now_millis >= until)
    }
}

impl Records {
    fn forked(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }

    /// Keeps a record.
    pub(crate) fn add(&self, record: Record) {
        let mut newest = self.0.write();
        newest.bytes += record.bytes();
        newest.records.push_back(Arc::new(record));
        // The one that was made now stays, however much it holds.
        while newest.records.len() > MAX_RECORDS || (newest.bytes > MAX_RECORD_BYTES && newest.records.len() > 1) {
            newest.bytes -= newest.records.pop_front().map_or(0, |oldest| oldest.bytes());
        }
    }

    /// The record of this ARN.
    pub(crate) fn get(&self, arn: &str) -> Option<Arc<Record>> {
        self.find(|record| record.arn == arn)
    }

    /// The newest record that is so.
    pub(crate) fn find(&self, is_so: impl Fn(&Record) -> bool) -> Option<Arc<Record>> {
        self.0.read().records.iter().rev().find(|record| is_so(record)).cloned()
    }

    /// All of them, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Record>> {
        self.0.read().records.iter().rev().cloned().collect()
    }
}
