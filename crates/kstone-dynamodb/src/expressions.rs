//! Expressions and the parameters that they replace: which may come together, and what can be said of names and values
//! without reading an expression. Their grammar is another layer's.

use crate::echo::Echo;
use crate::pipeline::Rules;
use crate::refusal::Layer;
use crate::texts::Text;
use crate::value;
use crate::view::{Structure, Value};

/// The most bytes of a name or value's key, its sign included (ExtendDB, its test of these maps, captured on AWS).
const MAX_KEY_BYTES: usize = 255;
/// The most bytes of an expression.
const MAX_EXPRESSION_BYTES: usize = 4096;

/// Which expressions an operation has, and which older parameters stand in their place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameters {
    /// In the order in which the service prints them.
    pub(crate) expressions: &'static [&'static str],
    /// In the same order.
    pub(crate) legacy: &'static [&'static str],
    /// In the order in which the service parses them.
    pub(crate) parsed: &'static [&'static str],
}

/// Expressions and older parameters do not mix; names and values come with expressions (facts 43; dynalite,
/// `validateExpressionParams`).
pub(crate) fn mixing(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let there = |names: &[&'static str]| -> Vec<&'static str> {
        names.iter().copied().filter(|name| input.has(name)).collect()
    };
    let parameters = rules.parameters();
    let expressions = there(parameters.expressions);
    let mut legacy = there(parameters.legacy);
    // Conditions on keys go with expressions other than for keys.
    if parameters.legacy.contains(&"KeyConditions") && !input.has("KeyConditionExpression") {
        legacy.retain(|name| *name != "KeyConditions");
    }
    if !expressions.is_empty() && !legacy.is_empty() {
        return Err(Text::Mixed { legacy: legacy.join(", "), expressions: expressions.join(", ") });
    }
    let member = |name: &str| input.shape().shape().has_member(name);
    if input.has("ExpressionAttributeNames") && expressions.is_empty() {
        return Err(Text::NamesWithoutExpressions);
    }
    if member("ExpressionAttributeValues") && input.has("ExpressionAttributeValues") {
        let with_values: Vec<&str> =
            parameters.expressions.iter().copied().filter(|name| *name != "ProjectionExpression").collect();
        if with_values.iter().all(|name| !input.has(name)) {
            return Err(Text::ValuesWithoutExpressions { missing: missing(&with_values, rules.is_new()) });
        }
    }
    Ok(())
}

/// ConditionalOperator joins two conditions or more, of a filter or of Expected (ExtendDB#213, captured on AWS).
pub(crate) fn conditional_operator(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    if !input.has("ConditionalOperator") {
        return Ok(());
    }
    let joined =
        ["Expected", "QueryFilter", "ScanFilter"].into_iter().find(|name| rules.parameters().legacy.contains(name));
    match joined.and_then(|name| input.get(name)).map_or(0, |conditions| conditions.count()) {
        0 => Err(Text::ConditionalOperatorAlone),
        1 => Err(Text::ConditionalOperatorOfOne),
        _ => Ok(()),
    }
}

/// `: UpdateExpression and ConditionExpression are null`, which the new layer leaves out (parity,
/// `captures/2026-06-09`, `b_put_eav_no_expr`).
fn missing(expressions: &[&str], is_new: bool) -> String {
    if is_new {
        return String::new();
    }
    let verb = if expressions.len() > 1 { "are" } else { "is" };
    format!(": {} {verb} null", expressions.join(" and "))
}

/// Names and values: there are some, spelled as they must be, and each value is one; then expressions, which are not
/// empty and not too long (dynalite, `validateExpressions`; dynoxide's changelog of 0.12.0).
pub(crate) fn expressions(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let has = |name: &str| input.shape().shape().has_member(name);
    if let Some(names) = input.get("ExpressionAttributeNames") {
        let too_long = |size| Text::NameKeyTooLong { size };
        names_or_values(names, '#', Text::NamesEmpty, too_long, |key| Text::NameKeySyntax { key })?;
        if let Some((key, _)) = names.entries().find(|(_, name)| name.quoted().0.is_empty()) {
            return Err(Text::NameEmpty { key: Echo::of(&key.decode()) });
        }
    }
    if has("ExpressionAttributeValues")
        && let Some(values) = input.get("ExpressionAttributeValues")
    {
        let too_long = |_| Text::ValueKeyTooLong;
        names_or_values(values, ':', Text::ValuesEmpty, too_long, |key| Text::ValueKeySyntax { key })?;
        for (key, of_value) in values.entries() {
            value::check(of_value, rules.layer()).map_err(|reason| {
                let named = names_the_value(rules, &reason);
                if named {
                    Text::ExpressionValue { reason: Box::new(reason), key: Echo::of(&key.decode()) }
                } else {
                    reason
                }
            })?;
        }
    }
    for parameter in rules.parameters().parsed {
        let Some(expression) = input.get(parameter) else { continue };
        let size = expression.text().len();
        if size == 0 {
            return Err(Text::ExpressionEmpty { parameter });
        }
        if size > MAX_EXPRESSION_BYTES {
            let size = if tells_size(rules, parameter) { format!(" expression size: {size}") } else { String::new() };
            return Err(Text::ExpressionTooLong { parameter, size });
        }
    }
    Ok(())
}

/// Whether what is wrong with an expression's value is said with the value's name before it. The layers differ, and
/// where a value has no type or two, the operations do (parity, `error-messages/valueLayers`; dynoxide's changelog of
/// 1.3.0 and 1.4.0; of nesting, parity's `captures/2026-08-12`, `o_upd_nested_32_eav`).
fn names_the_value(rules: &Rules<'_>, reason: &Text) -> bool {
    match (rules.layer(), reason) {
        (_, Text::NestedTooDeep) => false,
        (Layer::Older, _) => true,
        (Layer::Newer, Text::EmptyValue) => matches!(rules.operation(), "DeleteItem" | "Query"),
        (Layer::Newer, Text::SeveralTypes) => matches!(rules.operation(), "DeleteItem" | "UpdateItem"),
        (Layer::Newer, reason) => {
            matches!(reason, Text::EmptyStringSet | Text::EmptyNumberSet | Text::EmptyBinarySet)
        }
    }
}

/// Whether a text on an expression's length says the length: the older layer's does, and that on Scan's filter (dynoxide
/// 3.2.0); of transactions that on conditions does (parity, `validation-ordering/deepRequests`).
fn tells_size(rules: &Rules<'_>, parameter: &str) -> bool {
    parameter == "FilterExpression" && rules.operation() == "Scan"
        || rules.layer() == Layer::Older
            && match rules.operation() {
                "TransactGetItems" => false,
                "TransactWriteItems" => parameter != "UpdateExpression",
                _ => true,
            }
}

/// `#name` and `:value`.
fn names_or_values(
    map: Value<'_>,
    sign: char,
    empty: Text,
    too_long: impl Fn(usize) -> Text,
    wrong: impl Fn(Echo) -> Text,
) -> Result<(), Text> {
    if map.count() == 0 {
        return Err(empty);
    }
    for (key, _) in map.entries() {
        let key = key.decode();
        if key.len() > MAX_KEY_BYTES {
            return Err(too_long(key.len()));
        }
        let rest = key.strip_prefix(sign);
        let is_name = |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !rest.is_some_and(is_name) {
            return Err(wrong(Echo::of(&key)));
        }
    }
    Ok(())
}
