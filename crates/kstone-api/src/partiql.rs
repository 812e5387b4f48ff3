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
use kstone_core::label::InternedLayout;
pub use kstone_expr::partiql::STATEMENT_MAX_CHARS;
pub(crate) use kstone_expr::partiql::StatementCache;
use kstone_expr::partiql::parsed::{Select, Target, Verb};

use crate::expression::BoundParameters;
use crate::table::Table;
use crate::table::state::TableState;

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
mod select;
mod statement;
mod write;

pub use outcome::{StatementOutcome, StatementSizes};
pub use prepared::PreparedStatement;
pub(crate) use select::Reading;
use statement::StatementRun;
pub use statement::{Statement, StatementResult};
use write::{StatementWrite, returned_row};

/// What the table is called in statements where its schema has no name.
const UNNAMED_TABLE: &str = "items";

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

/// Refuses a statement about another table.
fn check_table(target: &Target, table: &TableState) -> Result<()> {
    let is = table.schema.table_name().unwrap_or(UNNAMED_TABLE);
    if *target.table == *is {
        return Ok(());
    }
    Err(Error::TableNotFound { name: target.table.to_string(), is: Some(is.to_owned()) })
}

/// The write that a statement is; a SELECT is none.
pub(crate) fn write_of<'v>(
    verb: &Verb,
    bound: &BoundParameters<'v>,
    keys: Option<&'static InternedLayout>,
) -> Result<StatementWrite<'v>> {
    match verb {
        Verb::Insert(insert) => StatementWrite::insert(insert, bound, keys),
        Verb::Update(update) => StatementWrite::update(update, bound, keys),
        Verb::Delete(delete) => StatementWrite::delete(delete, bound, keys),
        Verb::Exists(select) => exists(select, bound, keys),
        Verb::Select(_) => Err(Error::from(Reason::SelectAsWrite)),
    }
}

/// The check that EXISTS is.
fn exists<'v>(
    select: &Select,
    bound: &BoundParameters<'v>,
    keys: Option<&'static InternedLayout>,
) -> Result<StatementWrite<'v>> {
    let clause = select.condition.as_ref().ok_or(kstone_expr::Reason::IncompleteKey)?;
    StatementWrite::exists(clause, bound, keys)
}
