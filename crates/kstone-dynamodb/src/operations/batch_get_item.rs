//! BatchGetItem: each table's part has the rules of a read, and all keys together are at most 100.

use std::collections::HashSet;

use super::steps;
use crate::expressions::{Parameters, expressions, mixing};
use crate::number;
use crate::pipeline::{self, Pipeline, Rules};
use crate::texts::Text;
use crate::value;
use crate::view::{Structure, Value};

/// The most keys of a request.
const MAX_KEYS: usize = 100;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[projections_alike, tables, count]);

/// Of one table.
const PART: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression"],
        legacy: &["AttributesToGet"],
        parsed: &["ProjectionExpression"],
    },
    steps: &[mixing, steps::attributes_to_get, expressions, keys],
};

fn parts<'a>(input: &Structure<'a>) -> impl Iterator<Item = Structure<'a>> {
    input.get("RequestItems").into_iter().flat_map(|items| items.entries()).map(|(_, part)| part.structure())
}

/// All tables are projected in one way (facts 71).
fn projections_alike(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let has = |name: &str| parts(input).any(|part| part.has(name));
    if has("AttributesToGet") && has("ProjectionExpression") {
        let (legacy, expressions) = ("AttributesToGet".to_owned(), "ProjectionExpression".to_owned());
        return Err(Text::Mixed { legacy, expressions });
    }
    Ok(())
}

fn tables(rules: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    parts(input).try_for_each(|part| pipeline::part(&PART, rules, &part))
}

fn count(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let keys: usize = parts(input).filter_map(|part| part.get("Keys")).map(|keys| keys.count()).sum();
    if keys > MAX_KEYS { Err(Text::TooManyGets) } else { Ok(()) }
}

/// Each key has values and comes once (facts 69).
fn keys(rules: &Rules<'_>, part: &Structure<'_>) -> Result<(), Text> {
    let Some(keys) = part.get("Keys") else { return Ok(()) };
    let mut seen = HashSet::new();
    for key in keys.elements() {
        steps::values(rules, Some(key))?;
        if !seen.insert(canonical(key)) {
            return Err(Text::DuplicateKeys);
        }
    }
    Ok(())
}

/// A text that two keys share where they are equal.
fn canonical(key: Value<'_>) -> String {
    let mut attributes: Vec<String> = key
        .entries()
        .map(|(name, of_value)| {
            // The values have been checked, so that each has a type.
            let kind = value::type_of(of_value).unwrap_or("S");
            let inner = of_value.structure().get(kind);
            let text = inner.map_or_else(String::new, |inner| match kind {
                "S" | "B" => inner.text().into_owned(),
                "N" => number::canonical(&inner.text()).map(|text| text.into_owned()).unwrap_or_default(),
                _ => inner.json().to_owned(),
            });
            let name = name.decode();
            // With lengths, so that no name and value look like others.
            format!("{}:{name}{kind}{}:{text}", name.len(), text.len())
        })
        .collect();
    attributes.sort_unstable();
    attributes.concat()
}
