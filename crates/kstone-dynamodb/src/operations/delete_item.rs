//! DeleteItem.

use super::steps;
use crate::expressions::{Parameters, expressions, mixing};
use crate::pipeline::Pipeline;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ConditionExpression"],
        legacy: &["Expected"],
        parsed: &["ConditionExpression"],
    },
    steps: &[mixing, steps::key, steps::return_values_old_or_none, steps::expected, expressions],
};
