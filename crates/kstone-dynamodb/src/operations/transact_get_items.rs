//! TransactGetItems: each get has the rules of a read. The order between them and a table's is not captured. Names and values may come
//! without an expression here (ExtendDB#169, captured on AWS).

use super::steps;
use crate::expressions::{Parameters, expressions};
use crate::pipeline::{self, Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[gets]);

/// Of one get.
const GET: Pipeline = Pipeline {
    parameters: Parameters { expressions: &["ProjectionExpression"], legacy: &[], parsed: &["ProjectionExpression"] },
    steps: &[steps::key, expressions],
};

fn gets(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(items) = input.get("TransactItems") else { return Ok(()) };
    items.elements().try_for_each(|item| match item.structure().get("Get") {
        Some(get) => pipeline::part(&GET, rules, &get.structure()),
        None => Ok(()),
    })
}
