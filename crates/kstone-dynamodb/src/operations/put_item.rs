//! PutItem.

use super::steps;
use crate::expressions::{Parameters, expressions, mixing};
use crate::pipeline::Pipeline;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ConditionExpression"],
        legacy: &["Expected"],
        parsed: &["ConditionExpression"],
    },
    steps: &[mixing, steps::item, steps::return_values_old_or_none, steps::item_size, steps::expected, expressions],
};
