//! BatchGetItem: each table's part has the rules of a read, and all keys together are at most 100.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use kstone_api::expression::{Projection, Subject};
use kstone_api::{ItemRef, Key, Record, Table};

use super::many::{self, ConsumedByTable};
use super::{key_paths, steps};
use crate::answer::Answer;
use crate::attributes;
use crate::bound;
use crate::call::Call;
use crate::capacity::{Consumed, Detail, Units};
use crate::catalog::CatalogTable;
use crate::expressions::{Parameters, expressions, mixing};
use crate::number;
use crate::pipeline::{self, Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::value;
use crate::view::{Structure, Value};

/// The most keys of a request.
const MAX_KEYS: usize = 100;
/// The most bytes of items, as DynamoDB counts them, of an answer; keys beyond are left over.
const MAX_BYTES: usize = 16 << 20;

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

/// What a request asks of one table.
struct Part<'a> {
    /// As the request names it.
    name: Cow<'a, str>,
    members: Structure<'a>,
    projection: Option<Projection>,
    table: Arc<CatalogTable>,
    is_consistent: bool,
}

/// Looks all items up, at one moment of all tables.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let parts = parts_of(call)?;
    let mut wanted: Vec<(&Table, Key)> = Vec::new();
    for part in &parts {
        key_paths::refuse_in_projection(&part.table, part.projection.as_ref())?;
        for key in part.keys() {
            let key = attributes::key(call, key, &part.table.layout)?;
            wanted.push((&part.table.table, many::owned(&key)));
        }
    }
    let found = call.shared().tables.batch_get(&wanted);
    let found = found.map_err(|error| many::refused_as_a_whole(call, &error))?;
    let most = most_that_fit(&found);
    let mut consumed = ConsumedByTable::new(Detail::of(call.input()), Consumed::default());
    answer.object(|answer| {
        answer.name("Responses").object(|answer| {
            let mut left = &found[..most];
            for part in &parts {
                let (of_part, rest) = left.split_at(part.keys().count().min(left.len()));
                left = rest;
                part.write(answer, of_part, &mut consumed);
            }
        });
        answer.name("UnprocessedKeys").object(|answer| write_left_over(answer, &parts, most));
        consumed.write(answer);
    });
    Ok(())
}

/// The parts with their projections, which are read before any table is looked for.
fn parts_of<'a>(call: &Call<'a>) -> Result<Vec<Part<'a>>, Refusal> {
    let items = call.input().get("RequestItems").expect("a required member");
    let mut read = Vec::new();
    for (name, part) in items.entries() {
        let members = part.structure();
        let projection = bound::of(call, &members, &PART.parameters)?.projection;
        read.push((name.decode(), members, projection));
    }
    let with_table = |(name, members, projection): (Cow<'a, str>, Structure<'a>, Option<Projection>)| {
        let table = call.shared().catalog.table(&name)?;
        let is_consistent = members.get("ConsistentRead").is_some_and(|value| value.boolean());
        Ok(Part { name, members, projection, table, is_consistent })
    };
    read.into_iter().map(with_table).collect()
}

/// How many of the items, and of those that there are not, an answer holds.
fn most_that_fit(found: &[Option<Record>]) -> usize {
    let mut bytes = 0;
    let mut fits = |item: &Option<Record>| {
        bytes += item.as_ref().map_or(0, Record::item_size);
        bytes <= MAX_BYTES
    };
    found.iter().take_while(|item| fits(item)).count()
}

impl<'a> Part<'a> {
    fn keys(&self) -> impl Iterator<Item = Value<'a>> {
        self.members.get("Keys").into_iter().flat_map(|keys| keys.elements())
    }

    /// Writes what was found of the table.
    fn write(&self, answer: &mut Answer, found: &[Option<Record>], consumed: &mut ConsumedByTable) {
        answer.data_name(&self.name).list(|answer| {
            for item in found {
                if let Some(consumed) = consumed.of(&self.table) {
                    let bytes = item.as_ref().map_or(0, Record::item_size);
                    consumed.add_table(Units::of_read(bytes, self.is_consistent));
                }
                match (item, &self.projection) {
                    (None, _) => {}
                    (Some(item), None) => answer.item(item.item()),
                    (Some(item), Some(projection)) => {
                        answer.item(ItemRef::new(&projection.apply(&Subject::of_record(item))));
                    }
                }
            }
        });
    }
}

/// Writes the keys behind so many of them, as a request asks for them.
fn write_left_over(answer: &mut Answer, parts: &[Part<'_>], most: usize) {
    let mut done = most;
    for part in parts {
        let count = part.keys().count();
        let (of_part, is_over) = (done.min(count), done >= count);
        done -= of_part;
        if is_over {
            continue;
        }
        answer.data_name(&part.name).object(|answer| {
            answer.name("Keys").list(|answer| part.keys().skip(of_part).for_each(|key| answer.raw(key.json())));
            for name in ["ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames", "AttributesToGet"] {
                if let Some(value) = part.members.get(name) {
                    answer.name(name).raw(value.json());
                }
            }
        });
    }
}
