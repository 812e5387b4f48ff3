//! Statements by DynamoDB's rules alone, with what became of their items: what it takes to answer as DynamoDB does and to
//! count what a statement costs.

use super::many;
use super::select::{Met, Reading};
use super::statement::{Statement, StatementResult};
use super::verb::write_of;
use super::write::returned_row;
use crate::error::{Error, Reason, Result};
use crate::expression::BoundParameters;
use crate::request::page_limits::ReadSizes;
use crate::table::Table;
use crate::table::commit::outcome::WriteOutcome;
use crate::table::commit::tables::SeveralTables;
use crate::table::commit::{self, Settle};
use kstone_core::item::ItemRef;
use kstone_core::key::Key;
use kstone_expr::partiql::parsed::{InsertItem, Verb};

/// What a statement returned, and what it did to its item where it is a write.
#[derive(Debug, Clone, Default)]
pub struct StatementOutcome {
    /// What it returned.
    pub result: StatementResult,
    /// What became of the item of a write.
    pub write: Option<WriteOutcome>,
    /// How large the items are that a read looked at.
    pub sizes: ReadSizes,
    /// The key of what a page examined last, where it has a token: as [`Table::last_key`] gives it.
    pub last_key: Option<Vec<u8>>,
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
                let mut met = Met::default();
                let result = reading.run_measured(statement.run(&parsed, &given), &mut met)?;
                let last = met.last.filter(|_| result.token.is_some());
                let last_key = last.map(|last| self.key_to_go_on(&last)).transpose()?;
                Ok(StatementOutcome { result, write: None, sizes: met.sizes, last_key })
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
        let mut sizes = ReadSizes::default();
        reading.measure(found.as_slice(), &mut sizes)?;
        Ok(StatementOutcome { result: reading.row_of(found)?, write: None, sizes, last_key: None })
    }

    /// The key of the one item that a statement is about; none where it names no whole key, or its parameters do not fit.
    ///
    /// ```
    /// use kstone_api::{Account, Key, KeyType, Statement, TableSchema};
    /// let account = Account::create_in_memory();
    /// let users = account.create_table(TableSchema::new().name("users").partition_key("id", KeyType::S))?;
    /// let named = |text: &str| users.key_named_by(&Statement::new(text));
    /// assert_eq!(named("DELETE FROM users WHERE id = 'ann'"), Some(Key::new("ann")));
    /// assert_eq!(named("SELECT * FROM users WHERE age = 3"), None);
    /// # Ok::<(), kstone_api::Error>(())
    /// ```
    #[must_use]
    pub fn key_named_by(&self, statement: &Statement) -> Option<Key> {
        let call = many::Call::of(self, statement).ok()?;
        let table = self.state();
        let payload = |value: u16| call.bound.value(value).payload().to_vec();
        let condition = match &call.parsed.verb {
            Verb::Select(select) | Verb::Exists(select) => select.condition.as_ref()?,
            Verb::Update(update) => &update.condition,
            Verb::Delete(delete) => &delete.condition,
            Verb::Insert(insert) => {
                let layout = table.layout();
                let of = |name: &str| match &insert.item {
                    InsertItem::Whole(item) => Some(call.bound.value(*item).map()?.get(name)?.payload().to_vec()),
                    InsertItem::Attributes(attributes) => {
                        let found = attributes.iter().find(|(other, _)| **other == *name);
                        found.map(|(_, value)| payload(*value))
                    }
                };
                let pk = of(layout.partition().name())?;
                return Some(match layout.sort() {
                    None => Key::new(pk),
                    Some(sort) => Key::with_sk(pk, of(sort.name())?),
                });
            }
        };
        let key = condition.whole_key(table.layout())?;
        Some(match key.sk {
            None => Key::new(payload(key.pk)),
            Some(sk) => Key::with_sk(payload(key.pk), payload(sk)),
        })
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
        Ok(StatementOutcome { result, write: Some(outcome), sizes: ReadSizes::default(), last_key: None })
    }
}
