//! UpdateItem.

use super::steps;
use crate::expressions::{Parameters, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["UpdateExpression", "ConditionExpression"],
        legacy: &["AttributeUpdates", "Expected"],
        parsed: &["UpdateExpression", "ConditionExpression"],
    },
    steps: &[mixing, steps::key, attribute_updates, steps::expected, expressions],
};

fn attribute_updates(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    legacy::attribute_updates(input, rules.is_new())
}
