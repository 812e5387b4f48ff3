//! Which write a statement is.

use kstone_core::label::InternedLayout;
use kstone_expr::partiql::parsed::{Select, Verb};

use super::write::StatementWrite;
use crate::error::{Error, Reason, Result};
use crate::expression::BoundParameters;

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
