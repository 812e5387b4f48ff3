//! Statements that are read once and run many times.
//!
//! Thread safety: immutable; any number of threads run one at once.

use std::sync::Arc;

use crate::error::Result;
use kstone_core::item::ValueRef;

use super::statement::{Statement, StatementResult, StatementRun};
use super::target::check_table;
use crate::expression::{BoundParameters, Condition, Kind, ParameterNames};
use crate::table::Table;
use kstone_expr::partiql::parsed::{Parsed, Select, Verb};

/// A statement that is parsed, to be run any number of times by any number of threads at once: the values of its `?`
/// come with each run. It belongs to no database: it runs on the one that it was prepared with, on forks of it and on
/// any other, and outlives them. What it reads is planned at every run, by its values and by the schema in force then,
/// so that a change of the schema is no matter. Clones share it.
///
/// ```
/// use kstone_api::{Database, KeystoneValue, PreparedValues};
/// let db = Database::create_in_memory()?;
/// let insert = db.prepare_statement("INSERT INTO items VALUE {'pk': ?, 'price': ?}")?;
/// for (name, price) in [("tea", 3), ("milk", 1)] {
///     let values = PreparedValues::encode(&[KeystoneValue::string(name), KeystoneValue::number(price)])?;
///     insert.run(&db, &values.lent())?;
/// }
/// assert_eq!(db.count()?, 2);
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PreparedStatement {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    text: Arc<str>,
    parsed: Arc<Parsed>,
    parameters: ParameterNames,
}

impl Table {
    /// Reads a statement once, for many runs.
    ///
    /// # Errors
    /// As [`Table::execute_statement`], as far as no value is needed to tell.
    pub fn prepare_statement(&self, text: &str) -> Result<PreparedStatement> {
        let parsed = self.statements().get(text)?;
        let table = self.state();
        parsed.check_key(text, table.layout())?;
        check_table(parsed.target(), &table)?;
        if let Some(index) = &parsed.target().index {
            table.readable_index(index)?;
        }
        Ok(PreparedStatement::of(text, parsed))
    }
}

impl PreparedStatement {
    pub(crate) fn of(text: &str, parsed: Arc<Parsed>) -> Self {
        let parameters = ParameterNames::numbered(parsed.values.parameters());
        Self { shared: Arc::new(Shared { text: text.into(), parsed, parameters }) }
    }

    /// What it says, taken apart.
    #[must_use]
    pub fn says(&self) -> &Parsed {
        &self.shared.parsed
    }

    /// The statement as it was given.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.shared.text
    }

    /// The names of its parameters: `?1`, `?2` and so on.
    pub fn parameters(&self) -> impl ExactSizeIterator<Item = &str> {
        self.shared.parameters.iter()
    }

    /// Executes it once with these values, which are lent for the run.
    ///
    /// # Errors
    /// As [`Table::execute_statement`].
    pub fn run(&self, database: &Table, values: &[ValueRef<'_>]) -> Result<StatementResult> {
        self.run_page(database, values, None, None)
    }

    /// The same for one page: `limit` and `token` are those of [`Statement`].
    ///
    /// # Errors
    /// As [`Table::execute_statement`].
    pub fn run_page(
        &self,
        database: &Table,
        values: &[ValueRef<'_>],
        limit: Option<usize>,
        token: Option<&[u8]>,
    ) -> Result<StatementResult> {
        self.shared.parameters.check(values.len())?;
        database.run_statement(StatementRun {
            text: &self.shared.text,
            parsed: &self.shared.parsed,
            given: values,
            limit,
            token,
            return_old_on_failure: false,
        })
    }

    /// Whether the condition of a SELECT takes these values, whatever its table is; of anything else nothing is asked.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for a value of a type that an operator does not take, and for values that
    /// are not as many as the parameters.
    pub fn check_operands(&self, values: &[ValueRef<'_>]) -> Result<()> {
        let Verb::Select(Select { condition: Some(condition), .. }) = &self.shared.parsed.verb else { return Ok(()) };
        let mut made = Vec::new();
        let bound = self.shared.parsed.values.bind(values, &mut made)?;
        Condition::new(Kind::Where, Arc::clone(&condition.ast), BoundParameters::lent(&bound), None)?;
        Ok(())
    }

    /// The statement with the values of one run, copied: for a batch or a transaction.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for values that are not as many as the parameters.
    pub fn bound(&self, values: &[ValueRef<'_>]) -> Result<Statement> {
        self.shared.parameters.check(values.len())?;
        Statement::of_parsed((Arc::clone(&self.shared.text), Arc::clone(&self.shared.parsed)), values)
    }
}
