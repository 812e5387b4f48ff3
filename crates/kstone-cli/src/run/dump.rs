//! `.dump`: a database as statements and commands that make it again.
//!
//! An item is an INSERT where a statement can say it, and otherwise `.put` with its typed JSON: values of bytes, what
//! nests deeply, and what is longer than a statement may be. Indexes follow the items, since they may have left some out
//! that could not be put while they are there.

use std::collections::{BTreeMap, HashMap};

use kstone_api::json::{JsonForm, item_to_string};
use kstone_api::{ItemRef, KeystoneValue, STATEMENT_MAX_CHARS, Statement};

use crate::failure::Failure;
use crate::output::Screen;
use crate::session::Session;

/// How deep values may nest in what is written as a statement.
const NESTING_MAX_LEVELS: usize = 16;

/// Prints the schema, then every item, then the indexes.
///
/// # Errors
/// Where the database cannot be read or the output not be written; [`Failure::Interrupted`].
pub(super) fn dump(session: &Session) -> Result<(), Failure> {
    let mut out = session.results();
    let written = write(session, &mut out);
    let was_paged = out.is_paged();
    match written.and(out.finish().map_err(Failure::from)) {
        Err(Failure::PipeClosed) if was_paged => Ok(()),
        other => other,
    }
}

fn write(session: &Session, out: &mut Screen<'_>) -> Result<(), Failure> {
    let schema = session.db().schema();
    let table = quoted(schema.table_name().unwrap_or("items"), '"');
    writeln!(out, "-- kstone {}: .read makes this database again.", env!("CARGO_PKG_VERSION"))?;
    let first = schema.clone().without_indexes();
    writeln!(out, ".schema {}", word(&first.to_json())?)?;
    let all = Statement::new(format!("SELECT * FROM {table}"));
    let mut page = session.db().execute_statement(&all)?;
    loop {
        for record in &page.records {
            session.interrupt().check()?;
            match insert(&table, record.item()) {
                Some(statement) => out.text(&statement)?,
                None => writeln!(out, ".put {}", word(&item_to_string(record.item(), JsonForm::Typed))?)?,
            }
        }
        let Some(token) = page.token else { break };
        page = session.db().execute_statement(&all.clone().token(&token))?;
    }
    if schema != first {
        writeln!(out, ".schema {}", word(&schema.to_json())?)?;
    }
    Ok(())
}

/// A word of a dot command.
fn word(text: &str) -> Result<String, Failure> {
    let quoted = shlex::try_quote(text).map_err(|error| Failure::message(error.to_string()))?;
    Ok(quoted.into_owned())
}

/// The statement that inserts an item; none where no statement can.
fn insert(table: &str, item: ItemRef<'_>) -> Option<String> {
    let mut text = format!("INSERT INTO {table} VALUE ");
    tuple(&item.to_item(), 1, &mut text)?;
    text.push_str(";\n");
    (text.chars().count() <= STATEMENT_MAX_CHARS).then_some(text)
}

/// Names in order, so that a dump of the same items is the same.
fn tuple(entries: &HashMap<String, KeystoneValue>, level: usize, text: &mut String) -> Option<()> {
    let entries: BTreeMap<_, _> = entries.iter().collect();
    text.push('{');
    for (at, (name, value)) in entries.into_iter().enumerate() {
        text.push_str(if at > 0 { ", " } else { "" });
        text.push_str(&quoted(name, '\''));
        text.push_str(": ");
        literal(value, level, text)?;
    }
    text.push('}');
    Some(())
}

/// A value as PartiQL writes it.
fn literal(value: &KeystoneValue, level: usize, text: &mut String) -> Option<()> {
    if level > NESTING_MAX_LEVELS {
        return None;
    }
    match value {
        KeystoneValue::S(string) => text.push_str(&quoted(string, '\'')),
        KeystoneValue::N(number) => text.push_str(number),
        KeystoneValue::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
        KeystoneValue::Null => text.push_str("null"),
        KeystoneValue::M(entries) => tuple(entries, level + 1, text)?,
        KeystoneValue::L(values) => {
            text.push('[');
            for (at, value) in values.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                literal(value, level + 1, text)?;
            }
            text.push(']');
        }
        KeystoneValue::SS(strings) => {
            let strings: Vec<_> = strings.iter().map(|string| quoted(string, '\'')).collect();
            text.push_str(&format!("<<{}>>", strings.join(", ")));
        }
        KeystoneValue::NS(numbers) => text.push_str(&format!("<<{}>>", numbers.join(", "))),
        KeystoneValue::B(_) | KeystoneValue::BS(_) => return None,
    }
    Some(())
}

fn quoted(text: &str, quote: char) -> String {
    format!("{quote}{}{quote}", text.replace(quote, &format!("{quote}{quote}")))
}
