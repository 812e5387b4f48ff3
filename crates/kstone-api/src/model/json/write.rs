//! Writing items and values. What is malformed in a body is written as null or left out, never as broken JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_core::item::{ItemRef, MAX_NESTING_LEVELS, ValueRef};
use kstone_core::number;
use kstone_core::record::Record;
use kstone_core::value::Type;

use super::JsonForm;
use super::plain::plain_len;
use crate::expression::key_value;

/// Appends an object of what is inside this many levels.
pub(super) fn item(out: &mut String, item: ItemRef<'_>, form: JsonForm, levels: usize) {
    members(out, item.iter(), form, levels);
}

/// Appends the line of an item in an export: its key first, of an untyped table as the attributes `pk` and `sk`, then what
/// else it has.
pub(super) fn line(out: &mut String, record: &Record) {
    let item = record.item();
    out.push_str("{\"Item\":");
    match item.named_key() {
        None => {
            let key = |name, bytes| key_value(bytes).map(|value| (name, value));
            let keys = key("pk", record.pk()).into_iter().chain(key("sk", record.sk()));
            let others = item.iter().filter(|(name, _)| !matches!(*name, "pk" | "sk"));
            members(out, keys.chain(others), JsonForm::Typed, 0);
        }
        Some(key) => {
            let keys = key.layout().parts().filter_map(|part| {
                let (type_, payload) = key.named(part.name().as_bytes())?;
                Some((part.name(), ValueRef::from_parts(type_, payload)))
            });
            members(out, keys.chain(item.without_key().iter()), JsonForm::Typed, 0);
        }
    }
    out.push_str("}\n");
}

fn members<'a>(
    out: &mut String,
    members: impl Iterator<Item = (&'a str, ValueRef<'a>)>,
    form: JsonForm,
    levels: usize,
) {
    out.push('{');
    for (i, (name, attribute)) in members.enumerate() {
        if i > 0 {
            out.push(',');
        }
        string(out, name);
        out.push(':');
        value(out, attribute, form, levels);
    }
    out.push('}');
}

/// Appends a value that is inside this many levels.
pub(super) fn value(out: &mut String, value: ValueRef<'_>, form: JsonForm, levels: usize) {
    if form == JsonForm::Plain {
        return payload(out, value, form, levels);
    }
    out.push_str("{\"");
    out.push_str(value.type_().name());
    out.push_str("\":");
    if value.is_null() {
        out.push_str("true");
    } else {
        payload(out, value, form, levels);
    }
    out.push('}');
}

fn payload(out: &mut String, value: ValueRef<'_>, form: JsonForm, levels: usize) {
    match value.type_() {
        Type::L | Type::M if levels == MAX_NESTING_LEVELS => out.push_str("null"),
        Type::S => string(out, value.as_str().unwrap_or_default()),
        Type::N => number_text(out, value.payload(), form),
        Type::B => binary(out, value.payload()),
        Type::Bool => out.push_str(if value.as_bool() == Some(true) { "true" } else { "false" }),
        Type::Null => out.push_str("null"),
        Type::L => array(out, value.list(), |out, element| self::value(out, element, form, levels + 1)),
        Type::M => item(out, value.map().unwrap_or_default(), form, levels + 1),
        Type::SS => array(out, value.set(), |out, text| string(out, str::from_utf8(text).unwrap_or_default())),
        Type::NS => array(out, value.set(), |out, text| number_text(out, text, form)),
        Type::BS => array(out, value.set(), binary),
    }
}

fn array<T>(out: &mut String, elements: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (i, element) in elements.enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

/// Canonical text is a JSON number as it stands.
fn number_text(out: &mut String, text: &[u8], form: JsonForm) {
    match (str::from_utf8(text), form) {
        (Ok(text), JsonForm::Plain) if number::is_canonical(text) => out.push_str(text),
        (_, JsonForm::Plain) | (Err(_), JsonForm::Typed) => out.push_str("null"),
        (Ok(text), JsonForm::Typed) => string(out, text),
    }
}

fn binary(out: &mut String, bytes: &[u8]) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// A JSON string: quotes, backslashes and control characters escaped, the rest as it is.
fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    loop {
        let at = plain_len(rest.as_bytes());
        out.push_str(&rest[..at]);
        let Some(&byte) = rest.as_bytes().get(at) else { break };
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
                out.push_str("\\u00");
                out.extend([digit(control >> 4), digit(control & 15)]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.push('"');
}
