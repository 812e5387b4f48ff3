//! Reads and writes in one list: each by itself, or all of them as one.

use std::fmt;

use crate::error::{CancellationReason, Reason};
use crate::error::{Error, Result};
use kstone_core::key::{Key, KeyRef};
use kstone_core::record::Record;
use kstone_core::typed_key::TableKey;

use crate::request::operation_list::OperationList;
use crate::request::parsed_write::ParsedWrite;
use crate::request::prepared_write::BoundWrite;
use crate::request::transaction::{TRANSACTION_MAX, check_list, parts, parts_of, twice_in};
use crate::request::write::{Prepared, Write, WriteContext};
use crate::table::Table;
use crate::table::commit::Settle;

/// A read or a write of one item.
#[derive(Debug, Clone)]
pub enum Operation {
    /// The item of this key as it is.
    Get(Key),
    /// A put, an update, a delete or a check.
    Write(Box<Write>),
    /// The same, prepared, with the values of this run.
    Prepared(Box<BoundWrite>),
    /// The same, of expressions that are parsed and bound.
    Parsed(Box<ParsedWrite<'static>>),
}

/// Why [`Table::transact`] did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactError {
    /// The first operation at fault, counted from 0; none where it is the list as a whole, or the database.
    pub operation: Option<usize>,
    /// What is wrong, as the operation alone would have failed.
    pub error: Error,
    /// Where the items that are there decided it: a reason for each operation that could not be done. Empty where the
    /// request could never be done.
    pub reasons: Vec<Option<CancellationReason>>,
}

impl TransactError {
    /// That of this operation.
    pub(crate) fn of(operation: usize, error: Error) -> Self {
        Self { operation: Some(operation), ..error.into() }
    }

    /// That of a commit.
    pub(crate) fn of_commit(error: Error) -> Self {
        match error {
            Error::TransactionCanceled { reasons } => Self::cancelled(reasons),
            error => error.into(),
        }
    }

    /// The error of the first operation that could not be done.
    pub(crate) fn cancelled(reasons: Vec<Option<CancellationReason>>) -> Self {
        let first = reasons.iter().enumerate().find_map(|(at, reason)| Some((at, reason.as_ref()?.cause.clone())));
        match first {
            Some((at, error)) => Self { operation: Some(at), error, reasons },
            None => Error::TransactionCanceled { reasons }.into(),
        }
    }
}

impl fmt::Display for TransactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.operation, self.reasons.is_empty()) {
            (Some(operation), false) => {
                let cancelled = Error::TransactionCanceled { reasons: self.reasons.clone() };
                write!(f, "{cancelled}; operation {operation}: {}", self.error)
            }
            _ => self.error.fmt(f),
        }
    }
}

impl std::error::Error for TransactError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl From<Error> for TransactError {
    fn from(error: Error) -> Self {
        Self { operation: None, error, reasons: Vec::new() }
    }
}

impl From<Key> for Operation {
    fn from(key: Key) -> Self {
        Self::Get(key)
    }
}

impl From<Write> for Operation {
    fn from(write: Write) -> Self {
        Self::Write(Box::new(write))
    }
}

impl From<BoundWrite> for Operation {
    fn from(write: BoundWrite) -> Self {
        Self::Prepared(Box::new(write))
    }
}

impl From<ParsedWrite<'static>> for Operation {
    fn from(write: ParsedWrite<'static>) -> Self {
        Self::Parsed(Box::new(write))
    }
}

impl Operation {
    pub(crate) fn prepare(&self, context: &WriteContext<'_>) -> Result<Prepared<'_>> {
        match self {
            Self::Get(key) => {
                let (pk, sk) = parts_of(key);
                Ok(Prepared::get(TableKey::of_bytes(context.keys, pk, sk)?))
            }
            Self::Write(write) => write.prepare(context),
            Self::Prepared(write) => write.prepare(context),
            Self::Parsed(write) => write.prepare(context),
        }
    }
}

impl Table {
    /// Does one operation: the item of a get, or what a write returns of its item.
    ///
    /// # Errors
    /// As [`Table::get_record`] and [`Table::write`].
    pub fn operate(&self, operation: &Operation) -> Result<Option<Record>> {
        if let Operation::Get(key) = operation {
            return self.get_record(&key.pk, key.sk.as_deref().unwrap_or_default());
        }
        self.write_prepared(&operation.prepare(&self.write_context())?)
    }

    /// Does one operation after the other, as calls of their own would, until one fails: the items of the gets, in
    /// their order, none where there is none.
    ///
    /// # Errors
    /// As [`Table::operate`], saying which operation it was. What can be said of an operation without the item that
    /// is there is found before the first one is done: keys, items, expressions, keys of indexes. A condition that does
    /// not hold, an update that its item does not fit, or a memory limit that it does not fit ends the list where it
    /// is: the operations before it are done then.
    pub fn operate_each(&self, operations: &[Operation]) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        self.do_each(&prepare_all(operations.iter().map(|operation| operation.prepare(&self.write_context())))?)
    }

    /// As [`Table::operate_each`].
    ///
    /// # Errors
    /// As [`Table::operate_each`].
    pub fn operate_list(&self, list: &OperationList) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        self.do_each(&prepare_all(list.prepare(&self.write_context()))?)
    }

    fn do_each(&self, prepared: &[Prepared<'_>]) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        let table = self.state();
        let of = |at: usize| move |error: Error| TransactError { operation: Some(at), ..error.into() };
        prepared.iter().enumerate().try_for_each(|(at, prepared)| prepared.check(&table).map_err(of(at)))?;
        let mut found = Vec::new();
        let mut at = 0;
        while at < prepared.len() {
            let gets = prepared[at..].iter().take_while(|prepared| prepared.is_get()).count();
            // Those that follow each other are one call, in which cache misses overlap.
            let key = |get: usize| prepared[at + get].key.get();
            self.look_many(gets, key, |_, record| found.push(record.cloned())).map_err(of(at))?;
            at += gets;
            if let Some(write) = prepared.get(at) {
                self.write_prepared(write).map_err(of(at))?;
                at += 1;
            }
        }
        Ok(found)
    }

    /// Does all of the operations or none: isolated, at one moment. The items of the gets, in their order, none where
    /// there is none.
    ///
    /// ```
    /// use kstone_api::{Database, Error, Item, Key, Operation, Write};
    /// let db = Database::create_in_memory()?;
    /// db.put(b"ticket", Item::new())?;
    /// let take = Write::delete(b"ticket").condition("attribute_exists(pk)");
    /// let take = [Operation::from(Key::new("seat")), take.into()];
    /// assert_eq!(db.transact(&take).unwrap(), [None]);
    /// let error = db.transact(&take).unwrap_err();
    /// assert_eq!((error.operation, error.error), (Some(1), Error::ConditionFailed { item: None }));
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::transact_write`] and [`Table::transact_get`].
    pub fn transact(&self, operations: &[Operation]) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        check_list(operations.len(), TRANSACTION)?;
        self.do_all(&prepare_all(operations.iter().map(|operation| operation.prepare(&self.write_context())))?)
    }

    /// As [`Table::transact`].
    ///
    /// # Errors
    /// As [`Table::transact`].
    pub fn transact_list(&self, list: &OperationList) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        check_list(list.len(), TRANSACTION)?;
        self.do_all(&prepare_all(list.prepare(&self.write_context()))?)
    }

    fn do_all(&self, prepared: &[Prepared<'_>]) -> std::result::Result<Vec<Option<Record>>, TransactError> {
        if let Some(at) = twice_in(prepared.iter().map(|prepared| parts(prepared.key.get()))) {
            return Err(TransactError::of(at, Error::from(Reason::DuplicateOperations)));
        }
        if prepared.iter().all(Prepared::is_get) {
            let keys: Vec<KeyRef<'_>> = prepared.iter().map(|prepared| prepared.key.get()).collect();
            return Ok(self.transaction_reads(&keys)?.found);
        }
        let returned = self.commit_prepared(prepared, Settle::EveryReason).map_err(TransactError::of_commit)?;
        let of_gets = prepared.iter().zip(returned).filter(|(prepared, _)| prepared.is_get());
        Ok(of_gets.map(|(_, item)| item).collect())
    }
}

/// What a list of these is called, and how many it may hold.
pub(crate) const TRANSACTION: (&str, usize) = ("TransactItems", TRANSACTION_MAX);

/// All of them, or which could not be prepared.
pub(crate) fn prepare_all<'a>(
    prepared: impl ExactSizeIterator<Item = Result<Prepared<'a>>>,
) -> std::result::Result<Vec<Prepared<'a>>, TransactError> {
    let mut all = Vec::with_capacity(prepared.len());
    for (at, prepared) in prepared.enumerate() {
        all.push(prepared.map_err(|error| TransactError::of(at, error))?);
    }
    Ok(all)
}
