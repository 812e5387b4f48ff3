//! DeleteItem.

use super::steps;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::pipeline::Pipeline;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ConditionExpression"],
        legacy: &["Expected", "ConditionalOperator"],
        parsed: &["ConditionExpression"],
    },
    steps: &[mixing, conditional_operator, steps::key, steps::return_values_old_or_none, steps::expected, expressions],
};
