//! Query.

use super::steps;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression", "FilterExpression", "KeyConditionExpression"],
        legacy: &["AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"],
        parsed: &["KeyConditionExpression", "FilterExpression", "ProjectionExpression"],
    },
    steps: &[
        mixing,
        conditional_operator,
        query_filter,
        steps::attributes_to_get,
        steps::start_key,
        key_condition,
        expressions,
        select,
        key_conditions,
    ],
};

fn query_filter(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    legacy::conditions(input, "QueryFilter", rules.layer())
}

/// There is a condition on the key, in one form or the other.
fn key_condition(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    if input.has("KeyConditions") || input.has("KeyConditionExpression") {
        Ok(())
    } else {
        Err(Text::KeyConditionMissing)
    }
}

/// Query puts a prefix before what it says of Select, in every cohort; Scan does not (ExtendDB, its test of wordings,
/// captured in us-east-1).
fn select(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    steps::select(input, "1 validation error detected: ")
}

fn key_conditions(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    legacy::conditions(input, "KeyConditions", rules.layer())?;
    match input.get("KeyConditions") {
        Some(conditions) if !matches!(conditions.count(), 1 | 2) => Err(Text::KeyConditionCount),
        _ => Ok(()),
    }
}
