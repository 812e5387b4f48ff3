//! Steps that several operations take.

use crate::pipeline::Rules;
use crate::refusal::Layer;
use crate::texts::Text;
use crate::value;
use crate::view::{Structure, Value};

/// Each value of the member `Key` is one.
pub(super) fn key(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    values(rules, input.get("Key"))
}

/// Each value of the member `Item` is one.
pub(super) fn item(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    values(rules, input.get("Item"))
}

/// Each value of a map of attributes is one.
pub(super) fn values(rules: &Rules<'_>, map: Option<Value<'_>>) -> Result<(), Text> {
    let Some(map) = map.filter(|map| !map.is_of_plain_values()) else { return Ok(()) };
    // A name of the item that is empty comes first, one in its values after values that are too deep (parity,
    // `validation-ordering/deepRequests`).
    if map.entries().any(|(name, _)| name.is("")) {
        return Err(Text::EmptyAttributeName);
    }
    let checked = map.entries().try_for_each(|(_, of_value)| value::check(of_value, rules.layer()));
    match checked {
        Err(Text::EmptyAttributeName) if map.entries().any(|(_, of_value)| value::is_too_deep(of_value)) => {
            Err(Text::NestedTooDeep)
        }
        checked => checked,
    }
}

/// The member `Item` is not too large.
pub(super) fn item_size(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    match input.get("Item") {
        Some(item) if value::is_item_too_large(item) => Err(Text::ItemTooLarge),
        _ => Ok(()),
    }
}

/// What was there before is all that this operation can return (facts 39).
pub(super) fn return_values_old_or_none(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    match input.get("ReturnValues") {
        Some(values) if !matches!(&*values.text(), "ALL_OLD" | "NONE") => Err(Text::ReturnValuesOldOrNone),
        _ => Ok(()),
    }
}

/// Expected has entries that make sense.
pub(super) fn expected(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    crate::legacy::expected(input, rules.layer())
}

/// Each attribute is asked for once.
pub(super) fn attributes_to_get(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    crate::legacy::attributes_to_get(input)
}

/// The values of ExclusiveStartKey. What is wrong with a number or a set is said as it is, all else behind a prefix
/// (dynalite, `validations/query.js`); by Query's newer layer only that there is not one type (dynoxide's changelog of
/// 1.3.0).
pub(super) fn start_key(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(key) = input.get("ExclusiveStartKey") else { return Ok(()) };
    key.entries().try_for_each(|(_, of_value)| value::check(of_value, rules.layer())).map_err(|reason| {
        let is_bare = if rules.operation() == "Query" && rules.layer() == Layer::Newer {
            !matches!(reason, Text::EmptyValue | Text::SeveralTypes)
        } else {
            reason.is_of_number_or_duplicate() || reason == Text::EmptyNumberSet
        };
        if is_bare { reason } else { Text::StartKeyValue { reason: Box::new(reason) } }
    })
}

/// Select goes with what is selected (facts 56; dynoxide's changelog of 0.11.2; moto, `validate_select`).
pub(super) fn select(input: &Structure<'_>, prefix: &'static str) -> Result<(), Text> {
    let Some(select) = input.get("Select") else { return Ok(()) };
    let parameter = ["ProjectionExpression", "AttributesToGet"].into_iter().find(|name| input.has(name));
    let select = match &*select.text() {
        "SPECIFIC_ATTRIBUTES" if parameter.is_none() => return Err(Text::SelectWithoutAttributes { prefix }),
        "SPECIFIC_ATTRIBUTES" => return Ok(()),
        "COUNT" => "only the Count",
        "ALL_ATTRIBUTES" => "ALL_ATTRIBUTES",
        _ => "ALL_PROJECTED_ATTRIBUTES",
    };
    if let Some(parameter) = parameter {
        return Err(Text::SelectWithAttributes { prefix, parameter, select });
    }
    if select == "ALL_PROJECTED_ATTRIBUTES" && !input.has("IndexName") {
        return Err(Text::SelectWithoutIndex { prefix });
    }
    Ok(())
}
