//! Several statements at once: batches, which only save calls, and transactions, which happen as one.
//!
//! DynamoDB's rules hold: all of them read or all of them write, each one item, whose whole key its WHERE clause names.
//!
//! Thread safety: any thread.

use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::item::ItemRef;
use kstone_core::key::KeyRef;
use kstone_core::label::InternedLayout;
use kstone_core::typed_key::MadeKey;

use super::select::Reading;
use super::statement::{Statement, StatementResult, StatementRun};
use super::write::whole_key;
use super::{check_table, write_of};
use crate::expression::BoundParameters;
use crate::request::operation::TransactError;
use crate::request::transaction::{Moment, TRANSACTION_MAX, check_list, check_some, twice_in};
use crate::request::write::Prepared;
use crate::table::Table;
use crate::table::commit::Settle;
use crate::table::state::{TableState, layout_of};
use kstone_expr::partiql::parsed::{Parsed, Select, Verb};

/// A statement with its values.
pub(crate) struct Call {
    pub(crate) parsed: Arc<Parsed>,
    pub(crate) bound: BoundParameters<'static>,
}

impl Table {
    /// Executes each of the statements by itself, in their order, and says what each returned: all of them SELECTs of
    /// one item each, or all of them writes.
    ///
    /// There may be any number of them: DynamoDB's 25 are a limit of its wire.
    ///
    /// # Errors
    /// [`Error::Invalid`] for no statement and for reads next to writes. Nothing is done then. What is wrong with one
    /// statement is its own result.
    pub fn batch_execute_statement(&self, statements: &[Statement]) -> Result<Vec<Result<StatementResult>>> {
        check_some(statements.len(), "Statements")?;
        let calls: Vec<Result<Call>> = statements.iter().map(|statement| self.call(statement)).collect();
        check_kinds("BatchExecuteStatement", calls.iter().flatten())?;
        let table = self.state();
        let now = self.now_for(&table);
        let each = statements.iter().zip(calls);
        Ok(each.map(|(statement, call)| self.run_call(statement, &call?, (&table, now))).collect())
    }

    /// Executes one statement after the other until one fails: each as [`Table::batch_execute_statement`] takes it,
    /// reads and writes mixed as you like, any number of them.
    ///
    /// # Errors
    /// As [`Table::execute_statement`], saying which statement it was. What can be said of a statement without the
    /// item that is there is found before the first one is executed; otherwise the statements before it are done.
    pub fn execute_each(&self, statements: &[Statement]) -> std::result::Result<Vec<StatementResult>, TransactError> {
        check_some(statements.len(), "Statements")?;
        let of_statement = |at: usize| move |error: Error| TransactError { operation: Some(at), ..error.into() };
        let table = self.state();
        let mut calls = Vec::with_capacity(statements.len());
        for (at, statement) in statements.iter().enumerate() {
            let call = self.call(statement).and_then(|call| call.check(&table).map(|()| call));
            calls.push(call.map_err(of_statement(at))?);
        }
        let mut results = Vec::with_capacity(statements.len());
        for (at, (statement, call)) in statements.iter().zip(&calls).enumerate() {
            let table = self.state();
            let now = self.now_for(&table);
            results.push(self.run_call(statement, call, (&table, now)).map_err(of_statement(at))?);
        }
        Ok(results)
    }

    /// Executes a statement of a batch, which reads by this table at this time.
    fn run_call(
        &self,
        statement: &Statement,
        call: &Call,
        (table, now): (&Arc<TableState>, i64),
    ) -> Result<StatementResult> {
        self.check_interrupt()?;
        if let Verb::Select(select) = &call.parsed.verb {
            let key = call.key_of("BatchExecuteStatement", select, table.keys)?;
            let found = self.engine().get(key.key_ref())?;
            return Reading::new(self, table, select, &call.bound, now, false)?.row_of(found);
        }
        let run = StatementRun {
            text: statement.text(),
            parsed: &call.parsed,
            given: &[],
            limit: None,
            token: None,
            return_old_on_failure: statement.return_old_on_failure,
        };
        self.run_bound(run, &call.bound)
    }

    /// Executes all of the statements or none: isolated, at one moment. All of them SELECTs of one item each, or all of
    /// them writes, next to which `EXISTS (SELECT …)` is a condition on another item.
    ///
    /// ```
    /// use kstone_api::{Database, Error, Statement};
    /// let db = Database::create_in_memory()?;
    /// let seat = [
    ///     Statement::new("INSERT INTO items VALUE {'pk': 'seat#1', 'who': 'Alice'}"),
    ///     Statement::new("UPDATE items SET seats = seats - 1 WHERE pk = 'flight#1' AND seats > 0"),
    /// ];
    /// assert!(matches!(db.execute_transaction(&seat), Err(Error::TransactionCanceled { .. })));
    /// db.execute_statement(&Statement::new("INSERT INTO items VALUE {'pk': 'flight#1', 'seats': 1}"))?;
    /// db.execute_transaction(&seat)?;
    /// assert!(db.get(b"seat#1")?.is_some());
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::TransactionCanceled`] with a reason for each statement that cannot be done as things stand;
    /// [`Error::Invalid`] for a malformed statement, none at all, reads next to writes, RETURNING, or two with one key;
    /// [`Error::Limit`] for more than [`TRANSACTION_MAX`]; otherwise as [`Table::execute_statement`]. Nothing is
    /// written then.
    pub fn execute_transaction(&self, statements: &[Statement]) -> Result<Vec<StatementResult>> {
        self.transact_statements(statements).map_err(|failed| match (failed.operation, failed.error) {
            _ if !failed.reasons.is_empty() => Error::TransactionCanceled { reasons: failed.reasons },
            (Some(at), Error::Invalid(refusal)) => Error::from(Reason::InTransaction { at, refusal }),
            (_, error) => error,
        })
    }

    /// As [`Table::execute_transaction`], with an error that says which statement is at fault.
    ///
    /// # Errors
    /// As there.
    pub fn transact_statements(
        &self,
        statements: &[Statement],
    ) -> std::result::Result<Vec<StatementResult>, TransactError> {
        check_list(statements.len(), ("TransactStatements", TRANSACTION_MAX))?;
        let of_statement = |at: usize| move |error: Error| TransactError { operation: Some(at), ..error.into() };
        let mut calls = Vec::with_capacity(statements.len());
        for (at, statement) in statements.iter().enumerate() {
            calls.push(self.call(statement).map_err(of_statement(at))?);
        }
        check_kinds("ExecuteTransaction", calls.iter())?;
        let table = self.state();
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for (at, (statement, call)) in statements.iter().zip(&calls).enumerate() {
            match &call.parsed.verb {
                Verb::Select(select) => {
                    if select.target.index.is_some() {
                        return Err(of_statement(at)(Error::from(Reason::IndexInTransaction)));
                    }
                    reads.push(call.key_of("ExecuteTransaction", select, table.keys).map_err(of_statement(at))?);
                }
                verb => {
                    let write = write_of(verb, &call.bound, table.keys).map_err(of_statement(at))?;
                    if write.returning().is_some() {
                        return Err(of_statement(at)(Error::from(Reason::ReturningInTransaction)));
                    }
                    writes.push(write.prepared(statement.return_old_on_failure));
                }
            }
        }
        let keys: Vec<KeyRef<'_>> =
            reads.iter().map(MadeKey::key_ref).chain(writes.iter().map(|write| write.key.get())).collect();
        if let Some(at) = twice_in(keys.iter().map(|key| (key.pk(), key.sk()))) {
            return Err(of_statement(at)(Error::from(Reason::DuplicateOperations)));
        }
        if writes.is_empty() { self.read_all(&calls, &keys) } else { self.write_all(&writes) }
    }

    fn read_all(
        &self,
        calls: &[Call],
        keys: &[KeyRef<'_>],
    ) -> std::result::Result<Vec<StatementResult>, TransactError> {
        let Moment { table, now, found } = self.transaction_reads(keys)?;
        let rows = calls.iter().zip(found).enumerate().map(|(at, (call, found))| match &call.parsed.verb {
            Verb::Select(select) => Reading::new(self, &table, select, &call.bound, now, false)
                .and_then(|reading| reading.row_of(found))
                .map_err(|error| TransactError { operation: Some(at), ..error.into() }),
            _ => Ok(StatementResult::default()),
        });
        rows.collect()
    }

    fn write_all(&self, writes: &[Prepared<'_>]) -> std::result::Result<Vec<StatementResult>, TransactError> {
        match self.commit_prepared(writes, Settle::EveryReason) {
            Ok(_) => Ok(writes.iter().map(|_| StatementResult::default()).collect()),
            Err(Error::TransactionCanceled { reasons }) => Err(TransactError::cancelled(reasons)),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a statement about this table and binds its values.
    fn call(&self, statement: &Statement) -> Result<Call> {
        if statement.limit.is_some() || statement.token.is_some() {
            return Err(Error::from(Reason::BatchWithToken));
        }
        let call = Call::of(self, statement)?;
        check_table(call.parsed.target(), &self.state())?;
        Ok(call)
    }
}

/// Refuses reads next to writes.
pub(crate) fn check_kinds<'a>(api: &'static str, calls: impl Iterator<Item = &'a Call>) -> Result<()> {
    let mut reads = calls.map(|call| matches!(call.parsed.verb, Verb::Select(_)));
    let first = reads.next();
    if reads.all(|read| Some(read) == first) {
        return Ok(());
    }
    Err(Error::from(Reason::ReadsAndWrites { api }))
}

impl Call {
    /// Reads a statement and binds its values, whatever table it names.
    pub(crate) fn of(table: &Table, statement: &Statement) -> Result<Self> {
        let parsed = statement.parsed(table.statements(), table.state().layout())?;
        let parameters = statement.encoded_parameters()?;
        let mut made = Vec::new();
        let values = parsed.values.bind(&parsed.values.given(ItemRef::new(&parameters))?, &mut made)?;
        let bound = BoundParameters::lent(&values).into_owned();
        drop(values);
        Ok(Self { parsed, bound })
    }

    /// What can be said of the statement without the item that is there.
    fn check(&self, table: &TableState) -> Result<()> {
        match &self.parsed.verb {
            Verb::Select(select) => self.key_of("BatchExecuteStatement", select, table.keys).map(drop),
            verb => write_of(verb, &self.bound, table.keys)?.prepared(false).check(table),
        }
    }

    /// The key of the one item that a SELECT is about.
    pub(crate) fn key_of(
        &self,
        api: &'static str,
        select: &Select,
        keys: Option<&'static InternedLayout>,
    ) -> Result<MadeKey> {
        let is_plain = !self.parsed.explain
            && select.target.index.is_none()
            && select.groups.is_none()
            && select.order_by.is_empty()
            && select.limit.is_none()
            && select.offset.is_none();
        let key = select.condition.as_ref().and_then(|condition| condition.whole_key(layout_of(keys)));
        match key {
            Some(key) if is_plain => whole_key(key, &self.bound, keys),
            Some(_) => Err(Error::from(Reason::SelectOfMore { api })),
            None => Err(Error::from(Reason::SelectWithoutKey { api })),
        }
    }
}
