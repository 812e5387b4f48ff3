//! An answer against what is expected: the same value, except for what differs from run to run and lists without an order.
//! Sets have DynamoDB's order, that of their members (parity, `tier1/updateItem/basic`); other engines' have none.
//! `crates/kstone-differential/differential/matching.py` does the same with the answers of other engines.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::common::written_out;

/// Lists that have no order in DynamoDB, by the name of the member that holds them.
const UNORDERED: &[&str] =
    &["AttributeDefinitions", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "NonKeyAttributes", "Tags"];

/// An object with this name in it may have further members.
const MORE: &str = "⟪more⟫";

/// Texts that a scenario remembers of its answers.
pub(crate) type Remembered = BTreeMap<String, String>;

/// A request with what was remembered in it, and with repetitions written out.
pub(crate) fn request(text: &str, remembered: &Remembered) -> String {
    let mut text = text.to_owned();
    for (name, value) in remembered {
        let quoted = Value::String(value.clone()).to_string();
        text = text.replace(&format!("⟪of:{name}⟫"), &quoted[1..quoted.len() - 1]);
    }
    written_out(&text)
}

/// One comparison of two values at a place.
pub(crate) struct Matching<'a> {
    /// Members at the top whose lists have no order in this answer.
    pub(crate) unordered: &'a [String],
    pub(crate) remembered: &'a mut Remembered,
}

impl Matching<'_> {
    /// Says where the first difference is, if there is one.
    pub(crate) fn difference(&mut self, expected: &Value, actual: &Value, place: &str) -> Option<String> {
        let same = match (expected, actual) {
            (Value::String(text), _) if text.starts_with('⟪') && text.ends_with('⟫') && !text.contains('*') => {
                self.stands_for(text, actual)
            }
            (Value::String(text), Value::String(other)) => written_out(text) == *other,
            (Value::Number(number), Value::Number(other)) => number.as_f64() == other.as_f64(),
            (Value::Object(expected), Value::Object(actual)) => return self.in_objects(expected, actual, place),
            (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
                return self.in_lists(expected, actual, place);
            }
            _ => expected == actual,
        };
        (!same).then(|| format!("{place}: {} not {}", short(actual), short(expected)))
    }

    fn in_objects(
        &mut self,
        expected: &serde_json::Map<String, Value>,
        actual: &serde_json::Map<String, Value>,
        place: &str,
    ) -> Option<String> {
        for (name, value) in expected.iter().filter(|(name, _)| *name != MORE) {
            // A name may be long, too.
            let Some(other) = actual.get(&written_out(name)) else {
                return Some(format!("{place}.{name}: missing, not {}", short(value)));
            };
            if let Some(difference) = self.difference(value, other, &format!("{place}.{name}")) {
                return Some(difference);
            }
        }
        if expected.contains_key(MORE) {
            return None;
        }
        let expected_names: Vec<String> = expected.keys().map(|name| written_out(name)).collect();
        let other = actual.iter().find(|(name, _)| !expected_names.contains(name));
        other.map(|(name, value)| format!("{place}.{name}: {} not missing", short(value)))
    }

    fn in_lists(&mut self, expected: &[Value], actual: &[Value], place: &str) -> Option<String> {
        if !self.is_unordered(place) {
            let mut pairs = expected.iter().zip(actual).enumerate();
            return pairs.find_map(|(at, (value, other))| self.difference(value, other, &format!("{place}[{at}]")));
        }
        let mut left: Vec<&Value> = actual.iter().collect();
        for value in expected {
            match left.iter().position(|other| self.difference(value, other, "").is_none()) {
                Some(at) => drop(left.swap_remove(at)),
                None => return Some(format!("{place}: {} is not in it", short(value))),
            }
        }
        None
    }

    fn is_unordered(&self, place: &str) -> bool {
        let member = place.rsplit('.').next().unwrap_or_default();
        let is_batch = place.strip_prefix(".Responses.").is_some_and(|rest| !rest.contains(['.', '[']));
        is_batch || UNORDERED.contains(&member) || self.unordered.iter().any(|name| place == format!(".{name}"))
    }

    /// `⟪any⟫`, `⟪number⟫`, `⟪text⟫`, `⟪as:NAME⟫`, `⟪of:NAME⟫`.
    fn stands_for(&mut self, text: &str, actual: &Value) -> bool {
        let word = text.trim_start_matches('⟪').trim_end_matches('⟫');
        match (word.split_once(':'), actual) {
            (None, _) if word == "any" => true,
            (None, Value::Number(_)) => word == "number",
            (None, Value::String(_)) => word == "text",
            (Some(("as", name)), Value::String(text)) => {
                self.remembered.insert(name.to_owned(), text.clone());
                true
            }
            (Some(("of", name)), Value::String(text)) => self.remembered.get(name) == Some(text),
            _ => false,
        }
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 400 { text } else { text.chars().take(400).chain(['…']).collect() }
}
