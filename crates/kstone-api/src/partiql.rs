//! PartiQL: DynamoDB's dialect of it, on this engine.
//!
//! ```text
//! text ─► Parsed ─► values bound ─► plan ─► rows
//!      kstone_expr::partiql         write ─► the one write path
//! ```
//! `docs/partiql.md` is the dialect's reference. Conditions run on the expressions' evaluator, updates as theirs do,
//! reads on the pages and iterators of query and scan, writes on [`crate::table::commit`].
//!
//! Invariants: no statement makes a parse or an execution panic, or recurse deeper than an item nests; a plan
//! never decides what is returned. Thread safety: any thread.

use crate::error::{Error, Reason, Result};
use kstone_core::item::ItemRef;
pub use kstone_expr::partiql::STATEMENT_MAX_CHARS;
use kstone_expr::partiql::parsed::Verb;

use crate::expression::BoundParameters;
use crate::table::Table;

mod bounds;
mod collect;
mod explain;
mod groups;
mod key;
pub(crate) mod many;
mod order;
mod outcome;
mod plan;
mod prepared;
mod projection;
mod rows;
mod run;
mod select;
mod statement;
mod target;
mod verb;
mod write;

pub use outcome::StatementOutcome;
pub use prepared::PreparedStatement;
pub(crate) use select::Reading;
use statement::StatementRun;
pub use statement::{Statement, StatementResult};
use target::check_table;
pub(crate) use verb::write_of;
use write::returned_row;

impl Table {
    /// Executes a statement. See `docs/partiql.md` for the dialect.
    ///
    /// # Errors
    /// [`Error::Invalid`] with line, column and an excerpt for a statement that is not well-formed or asks for what is
    /// not there, and for parameters that do not fit; [`Error::TableNotFound`]; [`Error::DuplicateItem`] for an INSERT
    /// of a key that is there; [`Error::ConditionFailed`] for an UPDATE or DELETE whose WHERE clause does not hold;
    /// [`Error::Limit`] for a statement of more than [`STATEMENT_MAX_CHARS`], an item that is too large, or more rows
    /// than can be sorted; [`Error::Poisoned`]. Nothing is written then.
    pub fn execute_statement(&self, statement: &Statement) -> Result<StatementResult> {
        let parsed = statement.parsed(self.statements(), self.state().layout())?;
        let parameters = statement.encoded_parameters()?;
        let given = parsed.values.given(ItemRef::new(&parameters))?;
        self.run_statement(StatementRun {
            text: statement.text(),
            parsed: &parsed,
            given: &given,
            limit: statement.limit,
            token: statement.token.as_deref(),
            return_old_on_failure: statement.return_old_on_failure,
        })
    }

    fn run_statement(&self, run: StatementRun<'_>) -> Result<StatementResult> {
        self.check_interrupt()?;
        let mut made = Vec::new();
        let values = run.parsed.values.bind(run.given, &mut made)?;
        self.run_bound(run, &BoundParameters::lent(&values))
    }

    /// A statement whose values are bound.
    fn run_bound(&self, run: StatementRun<'_>, bound: &BoundParameters<'_>) -> Result<StatementResult> {
        let table = self.state();
        check_table(run.parsed.target(), &table)?;
        let write = match &run.parsed.verb {
            Verb::Select(select) => {
                return Reading::new(self, &table, select, bound, self.now_for(&table), false)?.run(run);
            }
            Verb::Exists(_) => {
                return Err(Error::from(Reason::ExistsAlone));
            }
            verb => write_of(verb, bound, table.keys)?,
        };
        if run.token.is_some() {
            return Err(Error::from(Reason::WriteWithToken));
        }
        let returning = write.returning();
        let returned = self.write_prepared(&write.prepared(run.return_old_on_failure))?;
        let Some(returning) = returning else { return Ok(StatementResult::default()) };
        let rows = returned.into_iter().map(|record| returned_row(returning, record));
        Ok(StatementResult::of_rows(rows.collect()))
    }
}
