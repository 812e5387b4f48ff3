//! PartiQL: DynamoDB's dialect of it, on this engine.
//!
//! ```text
//! text ─► tokens ─► Ast ─► Parsed ─► values bound ─► plan ─► rows
//!         lexer   grammar  lower   │                 write ─► the one write path
//!                                  └─ StatementCache: a text is read once
//! ```
//! `docs/partiql.md` is the dialect's reference. Conditions run on the expressions' evaluator, updates as theirs do,
//! reads on the pages and iterators of query and scan, writes on [`crate::table::commit`].
//!
//! Invariants: no statement makes a parse or an execution panic, or recurse deeper than [`NESTING_MAX_LEVELS`]; a plan
//! never decides what is returned. Thread safety: any thread; the cache holds its lock for a look-up alone.

use std::sync::Arc;

use crate::error::{Error, Result};
use kstone_core::error::Unit;
use kstone_core::item::ItemRef;

use crate::expression::{BoundParameters, Texts};
use crate::table::Table;
use crate::table::state::TableState;

mod asks;
mod ast;
mod collect;
mod condition_grammar;
mod explain;
mod fault;
mod grammar;
mod groups;
mod lexer;
mod lower;
mod lower_condition;
mod lower_write;
mod many;
mod order;
mod parsed;
mod plan;
mod prepared;
mod projection;
mod rows;
mod select;
mod statement;
mod value_grammar;
mod values;
mod write;

use parsed::{Parsed, Select, Target, Verb};
pub use prepared::PreparedStatement;
use select::Reading;
use statement::StatementRun;
pub use statement::{Statement, StatementResult};
use write::{StatementWrite, returned_row};

/// The most characters that a statement may have, DynamoDB's.
pub const STATEMENT_MAX_CHARS: usize = 8192;
/// How deep conditions, values and functions may nest in each other.
const NESTING_MAX_LEVELS: usize = kstone_core::item::MAX_NESTING_LEVELS;
/// The longest statement that is remembered, in bytes: those of many kilobytes hold their values in their text, and do
/// not come again.
const CACHED_MAX_BYTES: usize = 2048;
/// What the table is called in statements where its schema has no name.
const UNNAMED_TABLE: &str = "items";

/// Statements by their texts.
pub(crate) struct StatementCache(Texts<Parsed>);

impl StatementCache {
    pub(crate) fn with_max_bytes(max_bytes: usize) -> Self {
        Self(Texts::new(max_bytes))
    }

    /// Bytes that are kept, as charged.
    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }

    fn get(&self, text: &str) -> Result<Arc<Parsed>> {
        let parse = |text: &str| lower::parse(text).map_err(|fault| fault.into_error(text));
        if text.len() <= CACHED_MAX_BYTES {
            return self.0.get(text, parse);
        }
        match text.chars().count() {
            chars if chars > STATEMENT_MAX_CHARS => {
                Err(Error::limit("Statement", Unit::Characters, STATEMENT_MAX_CHARS, chars))
            }
            _ => parse(text).map(Arc::new),
        }
    }
}

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
        let parsed = statement.parsed(self.statements())?;
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
                return Reading::new(self, &table, select, bound, self.now_for(&table))?.run(run);
            }
            Verb::Exists(_) => {
                return Err(Error::invalid("EXISTS can only be used in ExecuteTransaction write requests."));
            }
            verb => verb.write(bound)?,
        };
        if run.token.is_some() {
            return Err(Error::invalid("The provided page token belongs to another request: a write has no pages"));
        }
        let (key, returning) = (write.key.clone(), write.returning());
        let returned = self.write_prepared(&write.under(key.as_key_ref()?, run.return_old_on_failure))?;
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
    Err(Error::TableNotFound { name: target.table.to_string(), is: is.to_owned() })
}

impl Parsed {
    fn target(&self) -> &Target {
        match &self.verb {
            Verb::Select(select) | Verb::Exists(select) => &select.target,
            Verb::Insert(insert) => &insert.target,
            Verb::Update(update) => &update.target,
            Verb::Delete(delete) => &delete.target,
        }
    }
}

impl Verb {
    /// The write that the statement is; a SELECT is none.
    fn write<'v>(&self, bound: &BoundParameters<'v>) -> Result<StatementWrite<'v>> {
        match self {
            Self::Insert(insert) => StatementWrite::insert(insert, bound),
            Self::Update(update) => StatementWrite::update(update, bound),
            Self::Delete(delete) => StatementWrite::delete(delete, bound),
            Self::Exists(select) => exists(select, bound),
            Self::Select(_) => Err(Error::invalid("a SELECT is no write")),
        }
    }
}

/// The check that EXISTS is.
fn exists<'v>(select: &Select, bound: &BoundParameters<'v>) -> Result<StatementWrite<'v>> {
    let whole = select.condition.as_ref().and_then(|clause| Some((clause, clause.whole_key()?)));
    let (clause, key) = whole.ok_or_else(|| Error::invalid(lower_write::INCOMPLETE_KEY))?;
    StatementWrite::exists(clause, key, bound)
}
