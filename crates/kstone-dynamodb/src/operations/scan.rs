//! Scan.
//!
//! ```text
//! expressions ─► table ─► index ─► start key (index, table, segment) ─► page
//! ```
//! The order is that of dynalite's `actions/scan.js`, whose tests run against AWS.

use kstone_api::{ReadExpression, ReadKeys, ReadRequest};

use super::item_pages::{self, Source, StartKey};
use super::{key_paths, steps};
use crate::answer::Answer;
use crate::bound;
use crate::call::Call;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::{Layer, Refusal};
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

/// Reads a page of the table, of an index, or of a segment of them.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let bound = bound::of(call, input, &PIPELINE.parameters)?;
    let table = call.table()?;
    let source = Source::of(input, &table).ok_or_else(|| no_index(input))?;
    source.refuse_consistent(input)?;
    let start = start_key(call, &source)?;
    source.refuse_whole(input)?;
    if let Some(start) = &start {
        start.check_table()?;
    }
    key_paths::refuse_in_projection(&table, bound.projection.as_ref())?;
    key_paths::refuse_in_condition(&table, bound.filter.as_ref())?;
    let number = |name: &str| input.get(name).and_then(|value| u32::try_from(value.integer()).ok());
    let segment = number("Segment").zip(number("TotalSegments"));
    let request = ReadRequest {
        keys: segment.map_or(ReadKeys::ALL, |(segment, segments)| ReadKeys::Segment { segment, segments }),
        filter: bound.filter.as_ref().map(ReadExpression::Bound),
        projection: bound.projection.as_ref().map(ReadExpression::Bound),
        ..ReadRequest::default()
    };
    let request = item_pages::fill(input, &source, start.as_ref(), request);
    let page = table.table.read(&request).map_err(|error| call.below(&error))?;
    item_pages::respond(call, &source, &page, answer)
}

/// A start key of an index that is not there is what is wrong first.
fn no_index(input: &Structure<'_>) -> Refusal {
    let name = input.get("IndexName").map(|name| name.text().into_owned()).unwrap_or_default();
    Refusal::validation(if input.has("ExclusiveStartKey") { Text::StartKeyInvalid } else { Text::NoIndex { name } })
}

fn start_key<'s>(call: &Call<'_>, source: &'s Source<'s>) -> Result<Option<StartKey<'s>>, Refusal> {
    let Some(key) = call.input().get("ExclusiveStartKey") else { return Ok(None) };
    let wrong_length = match &source.index {
        Some(_) => Text::StartKeyInvalid,
        None => Text::StartKeyValue { reason: Box::new(Text::KeyElementMismatch) },
    };
    let start = StartKey::of(source, key, wrong_length)?;
    if source.index.is_some() {
        start.check(call, source.partition())?;
        start.check(call, source.sort())?;
    }
    Ok(Some(start))
}
