//! Several writes or reads at once: batches, which only save calls, and transactions, which happen as one.

use std::collections::HashSet;

use crate::error::CancellationReason;
use crate::error::{Error, Result};
use kstone_core::error::Unit;
use kstone_core::key::{Key, KeyRef};
use kstone_core::record::Record;

use crate::database::Database;
use crate::request::write::{Change, Prepared, Write};

/// The most writes of a batch, DynamoDB's.
pub const BATCH_WRITES_MAX: usize = 25;
/// The most reads of a batch, DynamoDB's.
pub const BATCH_GETS_MAX: usize = 100;
/// The most operations of a transaction, DynamoDB's.
pub const TRANSACTION_MAX: usize = 100;

/// Writes that happen as one, or not at all.
///
/// ```
/// use kstone_api::{Database, Error, Item, KeystoneValue, TransactWriteRequest, Write};
/// let db = Database::create_in_memory()?;
/// let account = |cents: i64| Item::from([("cents".to_string(), KeystoneValue::number(cents))]);
/// db.put(b"alice", account(500))?;
/// db.put(b"bob", account(0))?;
/// let transfer = |cents: i64| {
///     let take = Write::update(b"alice", "SET cents = cents - :c").condition("cents >= :c");
///     let give = Write::update(b"bob", "SET cents = cents + :c");
///     let cents = KeystoneValue::number(cents);
///     TransactWriteRequest::new().write(take.value(":c", cents.clone())).write(give.value(":c", cents))
/// };
/// db.transact_write(transfer(300))?;
/// assert!(matches!(db.transact_write(transfer(300)), Err(Error::TransactionCanceled { .. })));
/// assert_eq!(db.get(b"bob")?.unwrap()["cents"].as_number(), Some(&"300".to_string()));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TransactWriteRequest {
    writes: Vec<Write>,
}

impl TransactWriteRequest {
    /// A transaction without operations yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One operation more. Each must have a key of its own.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }
}

impl Database {
    /// Does all of the writes or none: isolated, at one moment.
    ///
    /// # Errors
    /// [`Error::TransactionCanceled`] with a reason for each operation that cannot be done as things stand;
    /// [`Error::Invalid`] for a malformed operation, none at all, or two with one key; [`Error::Limit`] for more than
    /// [`TRANSACTION_MAX`]; [`Error::Poisoned`].
    pub fn transact_write(&self, request: TransactWriteRequest) -> Result<()> {
        check_keys(
            request.writes.iter().map(Write::key),
            ("TransactItems", TRANSACTION_MAX),
            "Transaction request cannot include multiple operations on one item",
        )?;
        let prepared = self.prepare(&request.writes)?;
        self.commit_prepared(&prepared, all_or_nothing).map(drop)
    }

    /// The items of these keys as they are at one moment, none where there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no key, two alike or one that cannot be; [`Error::Limit`] for more than
    /// [`TRANSACTION_MAX`]; [`Error::Poisoned`].
    pub fn transact_get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let text = "Transaction request cannot include multiple operations on one item";
        check_keys(keys.iter().cloned(), ("TransactItems", TRANSACTION_MAX), text)?;
        let keys: Vec<KeyRef<'_>> = keys.iter().map(Key::as_key_ref).collect::<kstone_core::Result<_>>()?;
        let found = self.engine().get_many(&keys)?;
        Ok(found.into_iter().map(|record| record.filter(|record| self.is_visible(record))).collect())
    }

    /// Does each of the puts and deletes by itself. In memory none is left over.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a write that is no plain put or delete, none at all, or two with one key;
    /// [`Error::Limit`] for more than [`BATCH_WRITES_MAX`]; nothing is written then. [`Error::Poisoned`].
    pub fn batch_write(&self, writes: &[Write]) -> Result<()> {
        let text = "Provided list of item keys contains duplicates";
        check_keys(writes.iter().map(Write::key), ("RequestItems", BATCH_WRITES_MAX), text)?;
        if !writes.iter().all(Write::is_plain) {
            return Err(Error::invalid("a batch holds puts and deletes without conditions; use a transaction"));
        }
        for prepared in self.prepare(writes)? {
            self.commit_prepared(std::slice::from_ref(&prepared), |outcomes| outcomes.into_iter().collect())?;
        }
        Ok(())
    }

    /// The items of these keys, each as it is when it is read, none where there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no key, two alike or one that cannot be; [`Error::Limit`] for more than
    /// [`BATCH_GETS_MAX`]; [`Error::Poisoned`].
    pub fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Record>>> {
        let text = "Provided list of item keys contains duplicates";
        check_keys(keys.iter().cloned(), ("RequestItems", BATCH_GETS_MAX), text)?;
        keys.iter().map(|key| self.get_record(&key.pk, key.sk.as_deref().unwrap_or_default())).collect()
    }

    fn prepare<'a>(&self, writes: &'a [Write]) -> Result<Vec<Prepared<'a>>> {
        writes.iter().map(|write| write.prepare(self.expressions())).collect()
    }
}

/// All changes, or why not one of them is done.
pub(crate) fn all_or_nothing(outcomes: Vec<Result<Change>>) -> Result<Vec<Change>> {
    if outcomes.iter().all(Result::is_ok) {
        return outcomes.into_iter().collect();
    }
    let reasons = outcomes.into_iter().map(|outcome| outcome.err().map(CancellationReason::of)).collect();
    Err(Error::TransactionCanceled { reasons })
}

fn check_keys(keys: impl ExactSizeIterator<Item = Key>, list: (&'static str, usize), twice: &str) -> Result<()> {
    check_list(keys.len(), list)?;
    twice_in(keys).map_or(Ok(()), |_| Err(Error::invalid(twice)))
}

/// Refuses a list that is empty or too long.
pub(crate) fn check_list(found: usize, (what, limit): (&'static str, usize)) -> Result<()> {
    match found {
        0 => Err(Error::invalid(format!("{what} must not be empty"))),
        found if found > limit => Err(Error::limit(what, Unit::Entries, limit, found)),
        _ => Ok(()),
    }
}

/// Where a key comes for the second time.
pub(crate) fn twice_in(mut keys: impl Iterator<Item = Key>) -> Option<usize> {
    let mut seen = HashSet::new();
    keys.position(|key| !seen.insert(key))
}
