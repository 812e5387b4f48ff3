//! Scan.

use super::steps;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Layer;
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression", "FilterExpression"],
        legacy: &["AttributesToGet", "ScanFilter", "ConditionalOperator"],
        parsed: &["FilterExpression", "ProjectionExpression"],
    },
    steps: &[
        mixing,
        conditional_operator,
        steps::attributes_to_get,
        scan_filter,
        steps::start_key,
        segments,
        expressions,
        select,
    ],
};

fn scan_filter(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    legacy::conditions(input, "ScanFilter", rules.layer())
}

/// A segment is one of several (facts 53; parity, `error-messages/scan`).
fn segments(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let number = |name: &str| input.get(name).map(|value| value.integer());
    match (number("Segment"), number("TotalSegments")) {
        (Some(_), None) => Err(Text::TotalSegmentsMissing),
        (None, Some(_)) => Err(Text::SegmentMissing),
        (Some(segment), Some(total)) if segment >= total => Err(Text::SegmentTooHigh { segment, total }),
        _ => Ok(()),
    }
}

/// The newer layer puts its prefix before this alone (dynoxide's changelog of 1.4.0).
fn select(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    steps::select(input, if rules.layer() == Layer::Newer { "1 validation error detected: " } else { "" })
}
