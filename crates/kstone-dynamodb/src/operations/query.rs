//! Query.
//!
//! ```text
//! expressions ─► table ─► index ─► start key and condition, attribute by attribute ─► the table's key in the start key
//!             ─► start key within the condition ─► filter ─► page
//! ```
//! The order is that of dynalite's `actions/query.js`, whose tests run against AWS.

use std::cmp::Ordering;

use kstone_api::expression::{Condition, KeyCondition, KeySchema, SortCondition};
use kstone_api::{KeyPart, ReadExpression, ReadKeys, ReadRequest, Type, ValueRef};

use super::item_pages::{self, Source, StartKey};
use super::{key_paths, steps};
use crate::answer::Answer;
use crate::bound::{self, Bound};
use crate::call::Call;
use crate::expressions::{Parameters, conditional_operator, expressions, mixing};
use crate::legacy;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Refusal;
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

/// Reads a page of a partition of the table or of an index.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let mut bound = bound::of(call, input, &PIPELINE.parameters)?;
    let table = call.table()?;
    let name = || input.get("IndexName").map(|name| name.text().into_owned()).unwrap_or_default();
    let source = Source::of(input, &table).ok_or_else(|| Refusal::validation(Text::NoIndex { name: name() }))?;
    source.refuse_consistent(input)?;
    let condition = bound.key_condition.take().expect("the rules have seen that there is one");
    let (start, condition) = start_and_condition(call, &source, condition)?;
    if let Some(start) = &start {
        start.check_table()?;
        within(start, &source, &condition)?;
    }
    key_paths::refuse_in_projection(&table, bound.projection.as_ref())?;
    refuse_keys_in_filter(call, &source, &bound)?;
    source.refuse_whole(input)?;
    key_paths::refuse_in_condition(&table, bound.filter.as_ref())?;
    let request = ReadRequest {
        keys: ReadKeys::Condition(ReadExpression::Bound(&condition)),
        reverse: input.get("ScanIndexForward").is_some_and(|forward| !forward.boolean()),
        filter: bound.filter.as_ref().map(ReadExpression::Bound),
        projection: bound.projection.as_ref().map(ReadExpression::Bound),
        ..ReadRequest::default()
    };
    let request = item_pages::fill(input, &source, start.as_ref(), request);
    let page = table.table.read(&request).map_err(|error| call.below(&error))?;
    item_pages::respond(call, &source, &page, answer)
}

/// The start key, where there is one, and the condition on the key that is read.
fn start_and_condition<'s>(
    call: &Call<'_>,
    source: &'s Source<'s>,
    condition: Condition<'static>,
) -> Result<(Option<StartKey<'s>>, KeyCondition<'static>), Refusal> {
    let start = call.input().get("ExclusiveStartKey");
    let start = start.map(|key| StartKey::of(source, key, Text::StartKeyInvalid)).transpose()?;
    if let Some(start) = &start {
        start.check(call, source.partition())?;
    }
    indexable(call.input(), source)?;
    let schema = KeySchema { partition: source.partition(), sort: source.sort() };
    let condition = KeyCondition::new(condition, schema).map_err(|refusal| bound::below(call, refusal))?;
    if let Some(start) = &start {
        start.check(call, source.sort())?;
    }
    Ok((start, condition))
}

/// KeyConditions are on the attributes of the key, and of operators that keys are found by.
fn indexable(input: &Structure<'_>, source: &Source<'_>) -> Result<(), Refusal> {
    let Some(conditions) = input.get("KeyConditions") else { return Ok(()) };
    let count = conditions.count();
    let of_table = source.index.is_none();
    if source.sort().is_empty() && count > source.partition().len() {
        return Err(Refusal::validation(Text::KeyConditionUnsupported));
    }
    let parts =
        source.partition().iter().map(|part| (part, true)).chain(source.sort().iter().map(|part| (part, false)));
    for (part, is_hash) in parts {
        let found = conditions.entries().filter(|(name, _)| name.is(part.name())).last();
        let Some((_, condition)) = found else {
            if is_hash || (count > source.partition().len() && (of_table || source.sort().len() == 1)) {
                let attribute = part.name().to_owned();
                return Err(Refusal::validation(Text::KeyConditionMissed { attribute }));
            }
            continue;
        };
        let operator = condition.structure().get("ComparisonOperator").map(|operator| operator.text());
        let operator = operator.unwrap_or_default();
        if matches!(&*operator, "NULL" | "NOT_NULL" | "NE" | "CONTAINS" | "NOT_CONTAINS" | "IN") {
            return Err(Refusal::validation(Text::NotIndexable));
        }
    }
    Ok(())
}

/// Refuses a start key that the query could not return.
fn within(start: &StartKey<'_>, source: &Source<'_>, condition: &KeyCondition<'_>) -> Result<(), Refusal> {
    let equals = |part: &KeyPart, wanted: ValueRef<'_>| {
        start.get(part).is_some_and(|value| order(value, wanted) == Some(Ordering::Equal))
    };
    let is_of_partition =
        source.partition().iter().zip(condition.partitions()).all(|(part, wanted)| equals(part, wanted));
    let count = condition.equal().count();
    let last = source.sort().get(count);
    let is_asked = !matches!(condition.sort(), SortCondition::Any);
    if !is_asked && count == 0 {
        return if is_of_partition { Ok(()) } else { Err(Refusal::validation(Text::StartKeyOutside)) };
    }
    let is_in_range = source.sort().iter().zip(condition.equal()).all(|(part, wanted)| equals(part, wanted))
        && last.is_none_or(|part| start.get(part).is_some_and(|value| meets(value, condition.sort())));
    match (is_in_range, is_of_partition) {
        (false, _) => Err(Refusal::validation(Text::StartKeyUnmatched)),
        (true, false) => Err(Refusal::validation(Text::QueryOfOneRow)),
        (true, true) => Ok(()),
    }
}

/// The order of two values of one type.
fn order(one: ValueRef<'_>, other: ValueRef<'_>) -> Option<Ordering> {
    if one.type_() != other.type_() {
        return None;
    }
    Some(match one.type_() {
        Type::N => kstone_core::number::compare_bytes(one.payload(), other.payload()),
        _ => one.payload().cmp(other.payload()),
    })
}

/// Whether a value is one that a condition asks for.
fn meets(value: ValueRef<'_>, condition: SortCondition<'_>) -> bool {
    let is = |wanted, test: fn(Ordering) -> bool| order(value, wanted).is_some_and(test);
    match condition {
        SortCondition::Any => true,
        SortCondition::Eq(wanted) => is(wanted, Ordering::is_eq),
        SortCondition::Lt(wanted) => is(wanted, Ordering::is_lt),
        SortCondition::Le(wanted) => is(wanted, Ordering::is_le),
        SortCondition::Gt(wanted) => is(wanted, Ordering::is_gt),
        SortCondition::Ge(wanted) => is(wanted, Ordering::is_ge),
        SortCondition::Between(low, high) => is(low, Ordering::is_ge) && is(high, Ordering::is_le),
        SortCondition::BeginsWith(prefix) => {
            value.type_() == prefix.type_() && value.payload().starts_with(prefix.payload())
        }
    }
}

/// A filter is not on the key that is read.
fn refuse_keys_in_filter(call: &Call<'_>, source: &Source<'_>, bound: &Bound) -> Result<(), Refusal> {
    let Some(filter) = &bound.filter else { return Ok(()) };
    for part in source.partition().iter().chain(source.sort()) {
        let refused = filter.refuse_attributes(&[part.name()]);
        if refused.is_err() && call.input().has("QueryFilter") {
            return Err(Refusal::validation(Text::QueryFilterOnKey { attribute: part.name().to_owned() }));
        }
        refused.map_err(|refusal| bound::below(call, refusal))?;
    }
    Ok(())
}
