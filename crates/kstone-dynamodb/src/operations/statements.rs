//! ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: the values of their parameters. What their statements
//! say is another layer's.

use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Layer;
use crate::texts::Text;
use crate::value;
use crate::view::Structure;

pub(super) const ONE: Pipeline = Pipeline::of(&[parameters]);
pub(super) const BATCH: Pipeline = Pipeline::of(&[in_statements]);
pub(super) const TRANSACTION: Pipeline = Pipeline::of(&[in_transaction]);

fn parameters(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(parameters) = input.get("Parameters") else { return Ok(()) };
    parameters.elements().try_for_each(|of_value| value::check(of_value, Layer::Older))
}

fn in_statements(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    each(rules, input, "Statements")
}

fn in_transaction(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    each(rules, input, "TransactStatements")
}

fn each(rules: &Rules<'_>, input: &Structure<'_>, list: &str) -> Result<(), Text> {
    let Some(statements) = input.get(list) else { return Ok(()) };
    statements.elements().try_for_each(|statement| parameters(rules, &statement.structure()))
}
