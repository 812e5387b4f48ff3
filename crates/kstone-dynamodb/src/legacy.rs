//! The parameters that were there before expressions: Expected, KeyConditions, QueryFilter, ScanFilter, AttributeUpdates,
//! AttributesToGet (facts 42 to 46; dynalite, `validations/index.js`).

pub(crate) mod lower;

use std::cmp::Ordering;

use crate::echo::Echo;
use crate::refusal::Layer;
use crate::texts::Text;
use crate::value;
use crate::view::{Structure, Value};

/// Each attribute is asked for once.
pub(crate) fn attributes_to_get(input: &Structure<'_>) -> Result<(), Text> {
    let Some(list) = input.get("AttributesToGet") else { return Ok(()) };
    let mut names: Vec<_> = list.elements().map(|name| name.text()).enumerate().collect();
    names.sort_unstable_by(|(a_at, a), (b_at, b)| a.cmp(b).then(a_at.cmp(b_at)));
    // The one whose repetition comes first, as a reader from the left finds it.
    let repeated = names.windows(2).filter(|pair| pair[0].1 == pair[1].1).min_by_key(|pair| pair[1].0);
    match repeated {
        Some(pair) => Err(Text::DuplicateAttribute { attribute: Echo::of(&pair[0].1) }),
        None => Ok(()),
    }
}

/// Expected: each entry is a value, an existence or a comparison, and not two of them.
pub(crate) fn expected(input: &Structure<'_>, layer: Layer) -> Result<(), Text> {
    let Some(map) = input.get("Expected") else { return Ok(()) };
    for (name, entry) in map.entries() {
        let attribute = || Echo::of(&name.decode());
        let entry = entry.structure();
        let list = entry.get("AttributeValueList");
        let one = entry.get("Value");
        if list.is_some() && one.is_some() {
            return Err(Text::ValueAndList { attribute: attribute() });
        }
        match entry.get("ComparisonOperator") {
            Some(operator) => comparison(&entry, &operator.text(), layer, &attribute)?,
            None if list.is_some() => return Err(Text::ListWithoutOperator { attribute: attribute() }),
            None => existence(&entry, layer, &attribute)?,
        }
    }
    Ok(())
}

fn comparison(entry: &Structure<'_>, operator: &str, layer: Layer, attribute: &impl Fn() -> Echo) -> Result<(), Text> {
    let values = entry.get("AttributeValueList").into_iter().flat_map(|list| list.elements());
    values.chain(entry.get("Value")).try_for_each(|of_value| value::check(of_value, layer))?;
    if entry.has("Exists") {
        return Err(Text::ExistsAndOperator { attribute: attribute() });
    }
    let list = entry.get("AttributeValueList");
    let takes_none = matches!(operator, "NULL" | "NOT_NULL");
    if !takes_none && list.is_none() && !entry.has("Value") {
        return Err(Text::OperatorWithoutValue { operator: operator.to_owned(), attribute: attribute() });
    }
    let count = list.map_or(usize::from(entry.has("Value")), |list| list.count());
    if !takes(operator, count) {
        return Err(Text::ArgumentCount { operator: operator.to_owned() });
    }
    let values = || list.into_iter().flat_map(|list| list.elements()).chain(entry.get("Value"));
    if let Some(list) = list {
        same_type(list)?;
    }
    for of_value in values() {
        let kind = value::type_of(of_value).unwrap_or("S");
        if !compares(operator, kind) {
            return Err(Text::ArgumentType { operator: operator.to_owned(), kind });
        }
    }
    list.map_or(Ok(()), |list| bounds_in_order(operator, list))
}

fn existence(entry: &Structure<'_>, layer: Layer, attribute: &impl Fn() -> Echo) -> Result<(), Text> {
    let exists = entry.get("Exists").map(|exists| exists.boolean());
    match (exists, entry.get("Value")) {
        (None | Some(true), None) => {
            let exists = if exists.is_none() { "null" } else { "true" };
            Err(Text::ExistsWithoutValue { exists, attribute: attribute() })
        }
        (Some(false), Some(_)) => Err(Text::ValueWithoutExists { attribute: attribute() }),
        (_, Some(of_value)) => value::check(of_value, layer),
        (Some(false), None) => Ok(()),
    }
}

/// KeyConditions, QueryFilter or ScanFilter.
pub(crate) fn conditions(input: &Structure<'_>, parameter: &str, layer: Layer) -> Result<(), Text> {
    let Some(map) = input.get(parameter) else { return Ok(()) };
    map.entries().try_for_each(|(_, condition)| one_condition(&condition.structure(), layer))
}

fn one_condition(condition: &Structure<'_>, layer: Layer) -> Result<(), Text> {
    let operator = condition.get("ComparisonOperator").map(|operator| operator.text()).unwrap_or_default();
    let list = condition.get("AttributeValueList");
    if let Some(list) = list {
        list.elements().try_for_each(|of_value| value::check(of_value, layer))?;
    }
    if !takes(&operator, list.map_or(0, |list| list.count())) {
        return Err(Text::ArgumentCount { operator: operator.into_owned() });
    }
    let Some(list) = list else { return Ok(()) };
    same_type(list)?;
    for of_value in list.elements() {
        let kind = value::type_of(of_value).unwrap_or("S");
        if !compares(&operator, kind) {
            return Err(Text::ArgumentType { operator: operator.into_owned(), kind });
        }
    }
    bounds_in_order(&operator, list)
}

/// How many values an operator takes.
fn takes(operator: &str, count: usize) -> bool {
    match operator {
        "NULL" | "NOT_NULL" => count == 0,
        "IN" => count > 0,
        "BETWEEN" => count == 2,
        _ => count == 1,
    }
}

/// Which types an operator compares with.
fn compares(operator: &str, kind: &str) -> bool {
    match operator {
        // Of every type (AWS's documentation of Condition; dynoxide 3.2.0).
        "EQ" | "NE" => true,
        "BEGINS_WITH" => matches!(kind, "S" | "B"),
        "NULL" | "NOT_NULL" => true,
        _ => matches!(kind, "S" | "N" | "B"),
    }
}

fn same_type(list: Value<'_>) -> Result<(), Text> {
    let mut kinds = list.elements().map(value::type_of);
    let Some(first) = kinds.next() else { return Ok(()) };
    if kinds.all(|kind| kind == first) { Ok(()) } else { Err(Text::ArgumentTypesDiffer) }
}

fn bounds_in_order(operator: &str, list: Value<'_>) -> Result<(), Text> {
    let mut values = list.elements();
    match (operator, values.next(), values.next()) {
        ("BETWEEN", Some(low), Some(high)) if value::compare(low, high) == Some(Ordering::Greater) => {
            Err(Text::BoundsReversed)
        }
        _ => Ok(()),
    }
}

/// AttributeUpdates: a value goes with an action that takes its type (dynalite, `validations/updateItem.js`).
pub(crate) fn attribute_updates(input: &Structure<'_>, layer: Layer) -> Result<(), Text> {
    let Some(map) = input.get("AttributeUpdates") else { return Ok(()) };
    for (_, update) in map.entries() {
        let update = update.structure();
        let action = update.get("Action").map(|action| action.text()).unwrap_or_default();
        let Some(of_value) = update.get("Value") else {
            if action == "DELETE" {
                continue;
            }
            return Err(Text::UpdateWithoutValue);
        };
        value::check(of_value, layer)?;
        let kind = value::type_of(of_value).unwrap_or("S");
        let is_set = matches!(kind, "SS" | "NS" | "BS");
        match &*action {
            "DELETE" if !is_set => {
                return Err(Text::UpdateActionType { action: "DELETE action with value is not supported", kind });
            }
            "ADD" if !is_set && !matches!(kind, "L" | "N") => {
                return Err(Text::UpdateActionType { action: "ADD action is not supported", kind });
            }
            _ => {}
        }
    }
    Ok(())
}
