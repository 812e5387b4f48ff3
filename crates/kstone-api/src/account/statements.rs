//! Transactions of statements about several tables.

use kstone_core::key::KeyRef;
use kstone_core::typed_key::MadeKey;

use super::Account;
use super::named::NamesTable;
#[cfg(doc)]
use crate::TRANSACTION_MAX;
use crate::error::{Error, Reason, Result};
use crate::partiql::many::{Call, check_kinds};
use crate::partiql::{PreparedStatement, Reading, Statement, StatementOutcome, write_of};
use crate::request::operation::TransactError;
use crate::request::page_limits::ReadSizes;
use crate::request::transaction::{TRANSACTION_MAX as MOST, check_list, parts, twice_in};
use crate::request::write::Prepared;
use crate::table::commit::tables::{SeveralTables, Tables};
use crate::table::commit::{self, Settle};
use kstone_expr::partiql::parsed::Verb;

impl Account {
    /// Reads a statement without asking for its table, for callers that find the table by the name in it.
    ///
    /// # Errors
    /// As [`Table::prepare_statement`](crate::Table::prepare_statement), as far as no table is needed to tell.
    pub fn read_statement(&self, text: &str) -> Result<PreparedStatement> {
        Ok(PreparedStatement::of(text, self.shared.environment.statements().get(text)?))
    }

    /// Executes all of the statements or none: isolated, at one moment of all tables. All of them SELECTs of one item each,
    /// or all of them writes, next to which `EXISTS (SELECT …)` is a condition on another item. Each is about the table that
    /// is given with it, whatever table it names.
    ///
    /// ```
    /// use kstone_api::{Account, KeyType, Statement, TableSchema};
    /// let account = Account::create_in_memory();
    /// for name in ["stock", "orders"] {
    ///     account.create_table(TableSchema::new().name(name).partition_key("id", KeyType::S))?;
    /// }
    /// let put = |table: &str| Statement::new(format!("INSERT INTO {table} VALUE {{'id': 'a'}}"));
    /// account.execute_transaction(&[("stock", put("stock")), ("orders", put("orders"))]).unwrap();
    /// assert_eq!((account.table("stock")?.count()?, account.table("orders")?.count()?), (1, 1));
    /// let failed = account.execute_transaction(&[("stock", put("stock")), ("orders", put("orders"))]).unwrap_err();
    /// assert!(failed.reasons.iter().all(|reason| reason.as_ref().is_some_and(|reason| reason.code == "DuplicateItem")));
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::transact_statements`](crate::Table::transact_statements); [`Error::TableNotFound`], also for a table that
    /// is dropped meanwhile; [`Error::Limit`] for more than [`TRANSACTION_MAX`] of all tables together.
    pub fn execute_transaction<N: NamesTable>(
        &self,
        statements: &[(N, Statement)],
    ) -> Result<Vec<StatementOutcome>, TransactError> {
        check_list(statements.len(), ("TransactStatements", MOST))?;
        let tables = self.tables_of(statements.iter().map(|(table, _)| table))?.keeping_outcomes();
        let call = |(at, (_, statement)): (usize, &(N, Statement))| {
            Call::of(tables.of(at), statement).map_err(|error| TransactError::of(at, error))
        };
        let calls: Vec<Call> = statements.iter().enumerate().map(call).collect::<Result<_, _>>()?;
        check_kinds("ExecuteTransaction", calls.iter())?;
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for (at, ((_, statement), call)) in statements.iter().zip(&calls).enumerate() {
            let of = |error: Error| TransactError::of(at, error);
            let keys = tables.of(at).keys();
            match &call.parsed.verb {
                Verb::Select(select) if select.target.index.is_some() => {
                    return Err(of(Error::from(Reason::IndexInTransaction)));
                }
                Verb::Select(select) => reads.push(call.key_of("ExecuteTransaction", select, keys).map_err(of)?),
                verb => {
                    let write = write_of(verb, &call.bound, keys).map_err(of)?;
                    if write.returning().is_some() {
                        return Err(of(Error::from(Reason::ReturningInTransaction)));
                    }
                    writes.push(write.prepared(statement.return_old_on_failure));
                }
            }
        }
        let named: Vec<KeyRef<'_>> =
            reads.iter().map(MadeKey::key_ref).chain(writes.iter().map(|write| write.key.get())).collect();
        if let Some(at) = twice_in(named.iter().enumerate().map(|(at, key)| (tables.place(at), parts(*key)))) {
            return Err(TransactError::of(at, Error::from(Reason::DuplicateOperations)));
        }
        if writes.is_empty() { self.read_all(&tables, &calls, &named) } else { write_all(&tables, &writes) }
    }

    fn read_all(
        &self,
        tables: &SeveralTables,
        calls: &[Call],
        keys: &[KeyRef<'_>],
    ) -> Result<Vec<StatementOutcome>, TransactError> {
        let moment = tables.read_in_transaction(keys)?;
        let rows = calls.iter().zip(moment.found).enumerate().map(|(at, (call, found))| {
            let Verb::Select(select) = &call.parsed.verb else { return Ok(StatementOutcome::default()) };
            let row = || -> Result<StatementOutcome> {
                let state = &moment.states[tables.place(at)];
                let reading = Reading::new(tables.of(at), state, select, &call.bound, moment.now, true)?;
                let mut sizes = ReadSizes::default();
                reading.measure(found.as_slice(), &mut sizes)?;
                Ok(StatementOutcome { result: reading.row_of(found)?, write: None, sizes, last_key: None })
            };
            row().map_err(|error| TransactError::of(at, error))
        });
        rows.collect()
    }
}

fn write_all(tables: &SeveralTables, writes: &[Prepared<'_>]) -> Result<Vec<StatementOutcome>, TransactError> {
    let committed = commit::commit(tables, writes, Settle::EveryReason).map_err(|error| tables.explain(error));
    committed.map_err(TransactError::of_commit)?;
    let outcomes = tables.take_outcomes().into_iter();
    Ok(outcomes.map(|outcome| StatementOutcome { write: Some(outcome), ..StatementOutcome::default() }).collect())
}
