//! UpdateItem.

use super::steps;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["UpdateExpression", "ConditionExpression"],
        legacy: &["AttributeUpdates", "Expected", "ConditionalOperator"],
        parsed: &["UpdateExpression", "ConditionExpression"],
    },
    steps: &[mixing, conditional_operator, steps::key, attribute_updates, steps::expected, expressions],
};

fn attribute_updates(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    legacy::attribute_updates(input, rules.is_new())
}
