//! Expressions against tables of cases in `data/expressions`, grouped by function and by the types of the operands.
//!
//! A case is `[expression, outcome]`: true or false, a value, or the text of the error. A long expression is a list of
//! texts and of `[text, count]`. Names and values come from the file's pool, those that the expression mentions; a case
//! that brings its own, because it is about them, is an object.

#![expect(clippy::unwrap_used, reason = "a table that is not as it should be fails the test")]

use std::slice;

use kstone_api::KeyRef;
use kstone_api::expression::{
    Binder, Condition, ExpressionCache, KeyCondition, KeySchema, Kind, Parameters, Projection, ReturnValues,
    SortCondition, Subject, Update,
};
use kstone_api::json::{JsonForm, item_from_str, item_to_string, value_to_string};
use kstone_api::{Item, ItemRef, ItemWriter, KeyPart, KeyType, ValueRef};
use serde_json::Value as Json;

/// One file of cases.
struct Table {
    file: &'static str,
    json: Json,
}

/// One case, whatever its spelling.
struct Case<'a> {
    expression: String,
    outcome: &'a Json,
    whole: &'a Json,
    place: String,
}

impl Table {
    fn read(file: &'static str) -> Self {
        let path = format!("{}/tests/data/expressions/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { file, json: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")) }
    }

    fn cases(&self) -> Vec<Case<'_>> {
        let mut cases = Vec::new();
        for group in self.json["groups"].as_array().unwrap() {
            for whole in group["cases"].as_array().unwrap() {
                let (expression, outcome) = match whole {
                    Json::Array(pair) => (&pair[0], &pair[1]),
                    object => (&object["expr"], &object["error"]),
                };
                let expression = text(expression);
                let shown: String = expression.chars().take(80).collect();
                let place = format!("{} / {} / {shown}", self.file, group["group"].as_str().unwrap());
                cases.push(Case { expression, outcome, whole, place });
            }
        }
        cases
    }

    fn item(&self, key: &str) -> ItemWriter {
        self.json.get(key).map_or_else(ItemWriter::new, item)
    }

    fn key(&self, name: &str, default: &str) -> Vec<u8> {
        self.json.get(name).and_then(Json::as_str).unwrap_or(default).as_bytes().to_vec()
    }

    /// The case's own parameters, or those of the pool that its expression mentions.
    fn parameters(&self, case: &Case<'_>) -> Result<Parameters, kstone_api::Error> {
        let own = case.whole.is_object() && (case.whole.get("names").is_some() || case.whole.get("values").is_some());
        let source = if own { case.whole } else { &self.json };
        let mentioned = mentions(&case.expression);
        let wanted = |key: &str| own || mentioned.iter().any(|word| word == key);
        let names = source.get("names").and_then(Json::as_object).cloned().unwrap_or_default();
        let names: Vec<_> = names.iter().filter(|(key, _)| wanted(key)).collect();
        let values = source.get("values").and_then(Json::as_object).cloned().unwrap_or_default();
        let values: Item = values
            .iter()
            .filter(|(key, _)| wanted(key))
            .map(|(key, value)| {
                // By serde, which lets pass what is no set.
                (key.clone(), serde_json::from_value(value.clone()).unwrap())
            })
            .collect();
        let names = names.iter().map(|(key, name)| (key.as_str(), name.as_str().unwrap()));
        Ok(Parameters::from_maps(names, &values)?)
    }
}

/// The `#names` and `:values` in a text.
fn mentions(text: &str) -> Vec<String> {
    let starts = text.char_indices().filter(|(_, sign)| matches!(sign, '#' | ':'));
    let word = |start: usize| {
        let rest = &text[start + 1..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        text[start..=start + end].to_owned()
    };
    starts.map(|(start, _)| word(start)).collect()
}

fn text(parts: &Json) -> String {
    match parts {
        Json::String(text) => text.clone(),
        Json::Array(parts) => parts
            .iter()
            .map(|part| match part {
                Json::Array(run) => run[0].as_str().unwrap().repeat(run[1].as_u64().unwrap() as usize),
                part => text(part),
            })
            .collect(),
        other => panic!("no expression: {other}"),
    }
}

fn item(json: &Json) -> ItemWriter {
    item_from_str(&json.to_string(), JsonForm::Typed).unwrap()
}

fn canonical(json: &Json) -> String {
    shown(item(json).finish())
}

fn shown(body: &[u8]) -> String {
    item_to_string(ItemRef::validate(body).expect("a body in every detail"), JsonForm::Typed)
}

/// Compares an outcome that may be an error's text.
fn check<T>(
    failures: &mut Vec<String>,
    case: &Case<'_>,
    found: Result<T, kstone_api::Error>,
    fits: impl FnOnce(&T) -> Option<String>,
) {
    let failure = match (&found, case.outcome.as_str()) {
        (Err(error), Some(text)) if error.to_string() == text => None,
        (Err(error), expected) => Some(format!("expected {expected:?}, got the error {error}")),
        (Ok(_), Some(text)) => Some(format!("accepted, expected the error {text}")),
        (Ok(value), None) => fits(value),
    };
    failures.extend(failure.map(|failure| format!("{}: {failure}", case.place)));
}

fn report(failures: &[String]) {
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

fn kind_of(table: &Table) -> Kind {
    match table.json["kind"].as_str().unwrap() {
        "FilterExpression" => Kind::Filter,
        _ => Kind::Condition,
    }
}

fn conditions(file: &'static str) {
    let table = Table::read(file);
    let mut item = table.item("item");
    let (pk, sk) = (table.key("pk", "user#1"), table.key("sk", "2024"));
    let subject =
        if table.json.get("absent").is_some() { Subject::absent() } else { Subject::new(&pk, &sk, item.as_item()) };
    let cache = ExpressionCache::new();
    let mut failures = Vec::new();
    for case in table.cases() {
        let evaluate = || {
            let parameters = table.parameters(&case)?;
            let mut binder = Binder::new(&parameters);
            let fresh = Condition::parse(kind_of(&table), &case.expression, &mut binder)?;
            binder.finish()?;
            for _ in 0..2 {
                let cached = cache.condition(kind_of(&table), &case.expression, &mut Binder::new(&parameters))?;
                assert_eq!(cached.evaluate(&subject), fresh.evaluate(&subject), "{}", case.place);
            }
            Ok(fresh.evaluate(&subject))
        };
        let expected = case.outcome.as_bool().or_else(|| case.whole.get("holds")?.as_bool());
        check(&mut failures, &case, evaluate(), |&found| {
            (Some(found) != expected).then(|| format!("expected {expected:?}, got {found}"))
        });
    }
    report(&failures);
}

#[test]
fn comparators_by_the_types_of_their_operands() {
    conditions("comparisons.json");
}

#[test]
fn between_in_and_logic() {
    conditions("logic.json");
}

#[test]
fn functions_by_the_types_of_their_operands() {
    conditions("functions.json");
}

#[test]
fn text_that_is_ill_formed_or_too_much() {
    conditions("syntax.json");
}

#[test]
fn names_and_values() {
    conditions("names.json");
}

#[test]
fn conditions_on_no_item() {
    conditions("absent.json");
}

#[test]
fn projections() {
    let table = Table::read("projections.json");
    let mut whole = table.item("item");
    let (pk, sk) = (table.key("pk", ""), table.key("sk", ""));
    let subject = Subject::new(&pk, &sk, whole.as_item());
    let mut failures = Vec::new();
    for case in table.cases() {
        let apply = || {
            let parameters = table.parameters(&case)?;
            let mut binder = Binder::new(&parameters);
            let projection = Projection::parse(&case.expression, &mut binder)?;
            binder.finish()?;
            Ok(projection.apply(&subject))
        };
        check(&mut failures, &case, apply(), |body| {
            let (found, expected) = (shown(body), canonical(case.outcome));
            (found != expected).then(|| format!("expected {expected}, got {found}"))
        });
    }
    report(&failures);
}

#[test]
fn updates() {
    let table = Table::read("updates.json");
    let mut old = table.item("item");
    let (pk, sk) = (table.key("pk", ""), table.key("sk", ""));
    let before = old.finish().to_vec();
    let mut failures = Vec::new();
    for case in table.cases() {
        let apply = || {
            let parameters = table.parameters(&case)?;
            let mut binder = Binder::new(&parameters);
            let update = Update::parse(&case.expression, &mut binder)?;
            binder.finish()?;
            Ok(update.apply(KeyRef::new(&pk, &sk).expect("a key"), Some(ItemRef::new(&before)))?)
        };
        check(&mut failures, &case, apply(), |body| {
            let (found, expected) = (shown(body.as_deref().unwrap_or_default()), canonical(case.outcome));
            (found != expected).then(|| format!("expected {expected}, got {found}"))
        });
    }
    report(&failures);
}

#[test]
fn returned_values() {
    let table = Table::read("returned.json");
    let mut old = table.item("item");
    let (pk, sk) = (table.key("pk", ""), table.key("sk", ""));
    let mut failures = Vec::new();
    for case in table.cases() {
        let absent = case.whole.get("absent").is_some();
        let old = (!absent).then(|| old.as_item());
        let parameters = table.parameters(&case).unwrap();
        let update = Update::parse(&case.expression, &mut Binder::new(&parameters)).unwrap();
        check(
            &mut failures,
            &case,
            update.apply(KeyRef::new(&pk, &sk).expect("a key"), old).map_err(Into::into),
            |body| {
                let before = old.map_or(Subject::absent(), |item| Subject::new(&pk, &sk, item));
                let after = body.as_deref().map_or(before, |body| Subject::new(&pk, &sk, ItemRef::new(body)));
                let wanted = case.whole.as_object().unwrap().iter();
                let mut wanted = wanted.filter_map(|(name, json)| Some((name, ReturnValues::from_name(name)?, json)));
                wanted.find_map(|(name, which, json)| {
                    let found = update.returned(which, &before, &after).map(|body| shown(&body));
                    let expected = (!json.is_null()).then(|| canonical(json));
                    (found != expected).then(|| format!("{name}: expected {expected:?}, got {found:?}"))
                })
            },
        );
    }
    report(&failures);
}

#[test]
fn key_conditions() {
    let table = Table::read("key_conditions.json");
    let mut failures = Vec::new();
    for case in table.cases() {
        let attribute = |json: &Json| {
            let types: Vec<_> = json[1].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
            let name = json[0].as_str().unwrap().to_owned();
            match types[..] {
                [type_] => KeyPart::new(name, KeyType::from_name(type_).unwrap()),
                ["S", "N", "B"] => KeyPart::of_any_type(name),
                _ => panic!("{types:?}"),
            }
        };
        let schema = case.whole.get("schema");
        let partition = schema.map(|schema| attribute(&schema["partition"]));
        let sort = schema.and_then(|schema| schema.get("sort")).map(attribute);
        let schema = partition.as_ref().map_or(KeySchema::ITEMS, |partition| KeySchema {
            partition: slice::from_ref(partition),
            sort: sort.as_slice(),
        });
        let read = || {
            let parameters = table.parameters(&case)?;
            let mut binder = Binder::new(&parameters);
            let condition = KeyCondition::parse(&case.expression, schema, &mut binder)?;
            binder.finish()?;
            Ok(format!("{} {}", plain(condition.partition()), shown_sort(condition.sort())))
        };
        let expected = if case.outcome.is_null() { &case.whole["reads"] } else { case.outcome };
        check(&mut failures, &case, read(), |found| {
            let expected = format!("{} {}", expected[0].as_str().unwrap(), expected[1].as_str().unwrap());
            (*found != expected).then(|| format!("expected {expected}, got {found}"))
        });
    }
    report(&failures);
}

fn plain(value: ValueRef<'_>) -> String {
    value_to_string(value, JsonForm::Plain).trim_matches('"').to_owned()
}

fn shown_sort(sort: SortCondition<'_>) -> String {
    match sort {
        SortCondition::Any => "any".to_owned(),
        SortCondition::Eq(value) => format!("= {}", plain(value)),
        SortCondition::Lt(value) => format!("< {}", plain(value)),
        SortCondition::Le(value) => format!("<= {}", plain(value)),
        SortCondition::Gt(value) => format!("> {}", plain(value)),
        SortCondition::Ge(value) => format!(">= {}", plain(value)),
        SortCondition::Between(low, high) => format!("between {} {}", plain(low), plain(high)),
        SortCondition::BeginsWith(prefix) => format!("begins_with {}", plain(prefix)),
    }
}

/// The tables stay what they were meant to be: broad, and more invalid than valid.
#[test]
fn there_are_many_cases_and_most_are_invalid() {
    let files = [
        "absent.json",
        "comparisons.json",
        "functions.json",
        "key_conditions.json",
        "logic.json",
        "names.json",
        "projections.json",
        "returned.json",
        "syntax.json",
        "updates.json",
    ];
    let tables: Vec<_> = files.into_iter().map(Table::read).collect();
    let cases: Vec<_> = tables.iter().flat_map(Table::cases).collect();
    let invalid = cases.iter().filter(|case| case.outcome.is_string()).count();
    assert!(cases.len() >= 400, "{} cases", cases.len());
    assert!(2 * invalid > cases.len(), "{invalid} of {} cases are invalid", cases.len());
}
