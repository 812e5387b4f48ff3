//! A value as Java prints it, for answers that quote what is wrong.
//!
//! `[a, b]`, `{name=value}`, `KeySchemaElement(attributeName=pk, keyType=HASH)`. Quotations are bounded in length
//! ([`Echo`]) and in depth, since this recurses and callers may have 48 KiB of stack.

use crate::echo::Echo;
use crate::model::Kind;
use crate::model::observed::{PRINTED_VALUE, class_name, printed_after};
use crate::view::{Structure, Value};

/// How deep a quotation goes.
const MAX_DEPTH: usize = 12;

/// The quotation of a value.
#[must_use]
pub(crate) fn show(value: Value<'_>) -> Echo {
    let mut echo = Echo::default();
    print(&mut echo, value, 0);
    echo
}

/// The quotation of JSON as it was sent, without the white space between its tokens.
#[must_use]
pub(crate) fn show_json(json: &str) -> Echo {
    let (mut is_text, mut is_escaped) = (false, false);
    let kept = json.chars().filter(|&c| {
        let is_kept = is_text || !c.is_ascii_whitespace();
        is_text = if is_text { c != '"' || is_escaped } else { c == '"' };
        is_escaped = is_text && c == '\\' && !is_escaped;
        is_kept
    });
    Echo::of(&kept.take(crate::echo::MAX_BYTES).collect::<String>())
}

/// A member's name as Java's fields have it.
pub(crate) fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn print(echo: &mut Echo, value: Value<'_>, depth: usize) {
    if depth > MAX_DEPTH || echo.is_full() {
        return echo.push("...");
    }
    if value.is_null() {
        return echo.push("null");
    }
    match value.shape().shape().kind {
        Kind::Text { .. } | Kind::Blob => echo.push(&value.text()),
        Kind::Boolean => echo.push(if value.boolean() { "true" } else { "false" }),
        Kind::Integer(_) | Kind::Long(_) => echo.push(&value.integer().to_string()),
        Kind::Double(_) | Kind::Timestamp => echo.push(value.json()),
        Kind::List { .. } => list(echo, value, depth),
        Kind::Map { .. } => map(echo, value, depth),
        Kind::Structure(_) => structure(echo, &value.structure(), depth),
    }
}

fn list(echo: &mut Echo, value: Value<'_>, depth: usize) {
    echo.push("[");
    for (at, element) in value.elements().enumerate() {
        if echo.is_full() {
            break;
        }
        echo.push(if at == 0 { "" } else { ", " });
        print(echo, element, depth + 1);
    }
    echo.push("]");
}

fn map(echo: &mut Echo, value: Value<'_>, depth: usize) {
    echo.push("{");
    for (at, (name, value)) in value.entries().enumerate() {
        if echo.is_full() {
            break;
        }
        echo.push(if at == 0 { "" } else { ", " });
        echo.push(&name.decode());
        echo.push("=");
        print(echo, value, depth + 1);
    }
    echo.push("}");
}

fn structure(echo: &mut Echo, value: &Structure<'_>, depth: usize) {
    let shape = value.shape().shape();
    echo.push(class_name(value.shape()));
    echo.push("(");
    let is_value = value.shape().is_attribute_value();
    let names = shape.members().iter().map(|member| member.name);
    let names: Vec<&str> = if is_value { PRINTED_VALUE.to_vec() } else { names.collect() };
    for (at, name) in names.into_iter().enumerate() {
        echo.push(if at == 0 { "" } else { ", " });
        echo.push(&lower_first(name));
        echo.push("=");
        let index = shape.members().iter().position(|member| member.name == name);
        match index.and_then(|index| value.at(index)) {
            Some(member) => print(echo, member, depth + 1),
            None => echo.push("null"),
        }
    }
    echo.push(printed_after(shape.name));
    echo.push(")");
}
