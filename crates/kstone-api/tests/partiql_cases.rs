//! Statements against tables of cases in `data/partiql`.
//!
//! A file has a schema and items, put before each of its groups, and groups of cases. A case is `[statement, outcome]`
//! or, with parameters or a look at what a write left behind, an object. An outcome is the rows in typed JSON, in their
//! order; the text of the error, of which `@line:column text` stands for what is said of a statement that is not
//! well-formed there; or, where whole items are returned that only their order tells apart, the list of their keys. A
//! long statement is a list of texts and of `[text, count]`.
//!
//! Whatever fails leaves the table as it was, and every excerpt has its caret under the column that it names.

#![expect(clippy::unwrap_used, reason = "a table that is not as it should be fails the test")]

use kstone_api::json::{JsonForm, item_from_str, item_to_string, value_from_str};
use kstone_api::{Database, KeystoneValue, Record, Scan, Statement, TableSchema};
use serde_json::{Value as Json, json};

/// One file of cases.
struct Table {
    file: &'static str,
    json: Json,
}

/// One case, whatever its spelling.
struct Case<'a> {
    statement: String,
    parameters: Vec<KeystoneValue>,
    outcome: &'a Json,
    /// A statement that looks at what was written, and its rows.
    then: Option<(&'a Json, &'a Json)>,
}

impl Table {
    fn read(file: &'static str) -> Self {
        let path = format!("{}/tests/data/partiql/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { file, json: serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")) }
    }

    /// The table as every group finds it.
    fn database(&self) -> Database {
        let schema = self.json.get("schema").map(|schema| TableSchema::from_json(&schema.to_string()).unwrap());
        let db = Database::create_in_memory_with_schema(schema.unwrap_or_default()).unwrap();
        for item in self.json["items"].as_array().unwrap() {
            let mut body = item_from_str(&item.to_string(), JsonForm::Typed).unwrap();
            let key = |name: &str| item[name]["S"].as_str().unwrap_or_default().as_bytes().to_vec();
            db.put_body(&key("pk"), &key("sk"), body.finish()).unwrap();
        }
        db
    }

    fn run(&self) {
        let mut failures = Vec::new();
        for group in self.json["groups"].as_array().unwrap() {
            for case in group["cases"].as_array().unwrap().iter().map(Case::read) {
                let place = format!("{} / {} / {}", self.file, group["group"].as_str().unwrap(), case.shown());
                failures.extend(case.fails(&self.database()).map(|failure| format!("{place}: {failure}")));
            }
        }
        assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
    }
}

impl<'a> Case<'a> {
    fn read(json: &'a Json) -> Self {
        let (statement, outcome) = match json {
            Json::Array(pair) => (&pair[0], &pair[1]),
            object => (&object["statement"], object.get("rows").unwrap_or(&object["error"])),
        };
        let parameters = json.get("parameters").and_then(Json::as_array).into_iter().flatten();
        let value = |value: &Json| value_from_str(&value.to_string(), JsonForm::Typed).unwrap();
        let then = json.get("then").map(|then| (&then[0], &then[1]));
        Self { statement: text(statement), parameters: parameters.map(value).collect(), outcome, then }
    }

    fn shown(&self) -> String {
        self.statement.chars().take(100).collect()
    }

    /// What is not as it should be.
    fn fails(&self, db: &Database) -> Option<String> {
        let before = dump(db);
        let statement = Statement::new(self.statement.as_str()).parameters(self.parameters.clone());
        let found = db.execute_statement(&statement);
        if self.outcome.is_string() && db.execute_statement(&statement).err() != found.as_ref().err().cloned() {
            return Some("it fails otherwise the second time".to_owned());
        }
        match found {
            Err(error) if self.outcome.is_string() => {
                let message = error.to_string();
                let expected = self.outcome.as_str().unwrap();
                if first_line(&message) != full(expected) {
                    return Some(format!("expected {:?}, got the error {message}", full(expected)));
                }
                if let Some(failure) = caret_is_wrong(&self.statement, &message) {
                    return Some(failure);
                }
                (dump(db) != before).then(|| "it failed and changed something".to_owned())
            }
            Err(error) => Some(format!("expected {}, got the error {error}", self.outcome)),
            Ok(_) if self.outcome.is_string() => Some(format!("accepted, expected {}", self.outcome)),
            Ok(result) => {
                let failure = differs(self.outcome, &result.records);
                failure.or_else(|| {
                    let (statement, rows) = self.then?;
                    let found = db.execute_statement(&Statement::new(text(statement))).unwrap();
                    differs(rows, &found.records).map(|failure| format!("afterwards, {failure}"))
                })
            }
        }
    }
}

/// How the rows are not those that are expected.
fn differs(expected: &Json, records: &[Record]) -> Option<String> {
    let keys_only = expected.as_array().unwrap().first().is_some_and(Json::is_string);
    let found: Vec<Json> = records
        .iter()
        .map(|row| match keys_only {
            true => {
                let (pk, sk) = (String::from_utf8_lossy(row.pk()), String::from_utf8_lossy(row.sk()));
                json!(if sk.is_empty() { pk.into_owned() } else { format!("{pk}/{sk}") })
            }
            false => serde_json::from_str(&item_to_string(row.item(), JsonForm::Typed)).unwrap(),
        })
        .collect();
    let expected: Vec<Json> = expected.as_array().unwrap().iter().map(canonical).collect();
    (found != expected).then(|| format!("expected {}, got {}", json!(expected), json!(found)))
}

/// A row as it would be written: numbers canonical, sets in order.
fn canonical(row: &Json) -> Json {
    match row {
        Json::Object(_) => {
            let mut item = item_from_str(&row.to_string(), JsonForm::Typed).unwrap();
            serde_json::from_str(&item_to_string(item.as_item(), JsonForm::Typed)).unwrap()
        }
        other => other.clone(),
    }
}

/// Everything in the table.
fn dump(db: &Database) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
    let page = db.scan_page(&Scan::new()).unwrap();
    page.records.iter().map(|item| (item.pk().to_vec(), item.sk().to_vec(), item.body().to_vec())).collect()
}

/// The whole text of an abbreviated error.
fn full(expected: &str) -> String {
    match expected.strip_prefix('@').and_then(|rest| rest.split_once(' ')) {
        Some((place, text)) => {
            let (line, column) = place.split_once(':').unwrap();
            format!("Statement wasn't well formed, can't be processed: line {line}, column {column}: {text}")
        }
        None => expected.to_owned(),
    }
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// Looks whether the caret of an excerpt stands under the character that the message names.
fn caret_is_wrong(statement: &str, message: &str) -> Option<String> {
    let (_, rest) = first_line(message).split_once("line ")?;
    let number =
        |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap();
    let (line, column) = (number(rest), number(rest.split_once("column ")?.1));
    let lines: Vec<&str> = message.lines().collect();
    let [_, excerpt, caret] = lines[..] else { return Some(format!("no excerpt in {message}")) };
    let under = excerpt.chars().nth(caret.chars().count() - 1);
    let named = statement.split('\n').nth(line - 1).and_then(|line| line.chars().nth(column - 1));
    let named = named.map(|c| if c.is_control() { ' ' } else { c });
    (under != named).then(|| format!("the caret stands under {under:?}, the message names {named:?}: {message}"))
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
        other => panic!("no statement: {other}"),
    }
}

#[test]
fn select_lists_and_conditions() {
    Table::read("select.json").run();
}

#[test]
fn keys_indexes_and_order() {
    Table::read("keys.json").run();
}

#[test]
fn indexes_that_hold_not_all() {
    Table::read("indexes.json").run();
}

#[test]
fn literals_and_parameters() {
    Table::read("values.json").run();
}

#[test]
fn inserts_updates_and_deletes() {
    Table::read("writes.json").run();
}

#[test]
fn groups_and_bounds() {
    Table::read("groups.json").run();
}

#[test]
fn the_developer_guides_examples() {
    Table::read("guide.json").run();
    Table::read("music.json").run();
}

#[test]
fn text_that_is_ill_formed_or_too_much() {
    Table::read("syntax.json").run();
}

#[test]
fn there_are_enough_cases_and_more_that_fail() {
    let files = ["select", "keys", "indexes", "values", "writes", "groups", "guide", "music", "syntax"];
    let counted = files.map(|file| {
        let path = format!("{}/tests/data/partiql/{file}.json", env!("CARGO_MANIFEST_DIR"));
        let json: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let cases = json["groups"].as_array().unwrap().iter().flat_map(|group| group["cases"].as_array().unwrap());
        let invalid = cases.clone().filter(|case| Case::read(case).outcome.is_string()).count();
        (cases.count(), invalid)
    });
    let all: usize = counted.iter().map(|(all, _)| all).sum();
    let invalid: usize = counted.iter().map(|(_, invalid)| invalid).sum();
    assert!(all >= 300 && invalid > all - invalid, "{all} cases, {invalid} of them invalid");
}
