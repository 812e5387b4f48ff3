//! Statements by DynamoDB's rules alone, with what became of their items: what it takes to answer as DynamoDB does and to
//! count what a statement costs.

use kstone_core::record::Record;

use super::select::Reading;
use super::statement::{Statement, StatementResult};
use super::write::returned_row;
use super::{many, write_of};
use crate::error::{Error, Reason, Result};
use crate::expression::BoundParameters;
use crate::request::page::examined_bytes;
use crate::table::Table;
use crate::table::commit::outcome::WriteOutcome;
use crate::table::commit::tables::SeveralTables;
use crate::table::commit::{self, Settle};
use crate::table::index::IndexEntry;
use kstone_core::item::ItemRef;
use kstone_expr::partiql::parsed::Verb;

/// The bytes that a read unit of DynamoDB covers.
const UNIT_BYTES: usize = 4096;

/// What a statement returned, and what it did to its item where it is a write.
#[derive(Debug, Clone, Default)]
pub struct StatementOutcome {
    /// What it returned.
    pub result: StatementResult,
    /// What became of the item of a write.
    pub write: Option<WriteOutcome>,
    /// How large the items are that a read looked at.
    pub sizes: StatementSizes,
}

/// How large the items are that a SELECT looked at, as DynamoDB counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatementSizes {
    /// Of the items that were examined, in bytes: of an index, what that holds of them.
    pub examined: usize,
    /// The read units of the items that were read after their entries, since the index does not hold all that is shown.
    pub fetched_units: usize,
}

impl StatementSizes {
    /// Adds those of records that a SELECT met.
    pub(crate) fn add(&mut self, reading: &Reading<'_>, records: &[Record]) -> Result<()> {
        self.examined += records.iter().map(examined_bytes).sum::<usize>();
        if reading.plan.fetched.is_empty() {
            return Ok(());
        }
        for entry in records.iter().filter_map(IndexEntry::read) {
            let item = reading.database.engine().get(entry.table_key())?;
            self.fetched_units += item.map_or(0, |item| item.item_size().div_ceil(UNIT_BYTES));
        }
        Ok(())
    }
}

impl Table {
    /// Executes a statement by DynamoDB's rules: as [`Table::execute_statement`], but no index is read that the statement
    /// does not name, and whatever table the statement names it is about this one, which its caller has found.
    ///
    /// ```
    /// use kstone_api::{Account, KeyType, Statement, TableSchema};
    /// let account = Account::create_in_memory();
    /// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
    /// let insert = users.execute_with_outcome(&Statement::new("INSERT INTO users VALUE {'id': 'ann'}"))?;
    /// assert!(insert.write.is_some_and(|write| write.old().is_none() && write.new_item().is_some()));
    /// let select = users.execute_with_outcome(&Statement::new("SELECT * FROM users"))?;
    /// assert_eq!((select.result.records.len(), select.sizes.examined), (1, 5));
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::execute_statement`].
    pub fn execute_with_outcome(&self, statement: &Statement) -> Result<StatementOutcome> {
        let parsed = statement.parsed(self.statements(), self.state().layout())?;
        let parameters = statement.encoded_parameters()?;
        let given = parsed.values.given(ItemRef::new(&parameters))?;
        let mut made = Vec::new();
        let values = parsed.values.bind(&given, &mut made)?;
        let bound = BoundParameters::lent(&values);
        match &parsed.verb {
            Verb::Select(select) => {
                let table = self.state();
                let reading = Reading::new(self, &table, select, &bound, self.now_for(&table), true)?;
                let mut sizes = StatementSizes::default();
                let result = reading.run_measured(statement.run(&parsed, &given), &mut sizes)?;
                Ok(StatementOutcome { result, write: None, sizes })
            }
            Verb::Exists(_) => Err(Error::from(Reason::ExistsAlone)),
            _ if statement.token.is_some() => Err(Error::from(Reason::WriteWithToken)),
            verb => self.write_with_result(verb, &bound, statement.return_old_on_failure),
        }
    }

    /// Executes a statement of a batch by DynamoDB's rules: a SELECT of one item, or a write.
    ///
    /// # Errors
    /// As [`Table::execute_with_outcome`]; [`Error::Invalid`] for a SELECT that does not name one item.
    pub fn execute_in_batch(&self, statement: &Statement) -> Result<StatementOutcome> {
        let call = many::Call::of(self, statement)?;
        let Verb::Select(select) = &call.parsed.verb else {
            if matches!(call.parsed.verb, Verb::Exists(_)) {
                return Err(Error::from(Reason::ExistsAlone));
            }
            return self.write_with_result(&call.parsed.verb, &call.bound, statement.return_old_on_failure);
        };
        let table = self.state();
        let key = call.key_of("BatchExecuteStatement", select, table.keys)?;
        let found = self.engine().get(key.key_ref())?;
        let reading = Reading::new(self, &table, select, &call.bound, self.now_for(&table), true)?;
        let mut sizes = StatementSizes::default();
        sizes.add(&reading, found.as_slice())?;
        Ok(StatementOutcome { result: reading.row_of(found)?, write: None, sizes })
    }

    fn write_with_result(
        &self,
        verb: &Verb,
        bound: &BoundParameters<'_>,
        return_old_on_failure: bool,
    ) -> Result<StatementOutcome> {
        let write = write_of(verb, bound, self.keys())?;
        let returning = write.returning();
        let tables = SeveralTables::of(vec![self.clone()]).keeping_outcomes();
        commit::commit(&tables, &[write.prepared(return_old_on_failure)], Settle::FirstError)?;
        let outcome = tables.take_outcomes().pop().ok_or_else(|| Error::from(Reason::NoOutcome))?;
        let result = returning.map_or_else(StatementResult::default, |returning| {
            let rows = outcome.returned().map(|record| returned_row(returning, record.clone()));
            StatementResult::of_rows(rows.into_iter().collect())
        });
        Ok(StatementOutcome { result, write: Some(outcome), sizes: StatementSizes::default() })
    }
}
