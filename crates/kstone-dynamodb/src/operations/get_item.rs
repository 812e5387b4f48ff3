//! GetItem.

use super::steps;
use crate::expressions::{Parameters, expressions, mixing};
use crate::pipeline::Pipeline;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression"],
        legacy: &["AttributesToGet"],
        parsed: &["ProjectionExpression"],
    },
    steps: &[mixing, steps::key, steps::attributes_to_get, expressions],
};
