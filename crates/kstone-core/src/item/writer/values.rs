//! Writing a [`Value`], with all that it holds, into a body.
//!
//! Recursion stops at [`MAX_NESTING_LEVELS`] and growth at the caller's bound, so neither a deep nor a large value can
//! exhaust anything.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::super::{
    BODY_MAX_BYTES, CONTAINER_BYTES, ELEMENT_BYTES, ITEM_MAX_BYTES, MAX_NESTING_LEVELS, NAME_MAX_BYTES, body_too_large,
    item_too_large, wire,
};
use super::name_too_long;
use crate::error::{Error, Listed, Reason, Result, Unit};
use crate::number::{self, quoted};
use crate::value::{Type, Value};

/// The most bytes of bytes in an error's text.
const QUOTED_BYTES: usize = 32;
/// The most elements of a set in an error's text.
const QUOTED_ELEMENTS: usize = 8;

/// Why a value cannot be written, and where in it the culprit is.
#[derive(Debug)]
pub(super) struct Fault {
    error: Error,
    /// The way to the culprit, from the value on: `.b[2]`.
    path: String,
}

type Written = std::result::Result<(), Fault>;

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        Error::from(reason).into()
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, path: String::new() }
    }
}

impl Fault {
    fn at_index(mut self, index: usize) -> Self {
        self.path.insert_str(0, &format!("[{index}]"));
        self
    }

    fn at_name(mut self, name: &str) -> Self {
        self.path.insert_str(0, &format!(".{}", quoted(name)));
        self
    }

    /// The error, saying that the culprit is in this attribute.
    pub(super) fn in_attribute(self, name: &str) -> Error {
        match self.error {
            Error::Invalid(refusal) => {
                Error::Invalid(refusal.in_attribute(format!("{}{}", quoted(name), self.path).into()))
            }
            other => other,
        }
    }

    /// Whether the body would have been too long.
    pub(super) fn is_body_too_large(&self) -> bool {
        matches!(self.error, Error::Limit { limit: BODY_MAX_BYTES, .. })
    }

    pub(super) fn into_error(self) -> Error {
        self.error
    }
}

/// Refuses names that no attribute and no map's entry can have.
#[inline]
pub(super) fn check_name(name: &str) -> Written {
    if name.is_empty() {
        return Err(Reason::EmptyAttributeName.into());
    }
    if name.len() > NAME_MAX_BYTES {
        return Err(name_too_long(name.len()).into());
    }
    Ok(())
}

/// Appends `value`, which is inside this many levels. On a fault `out` has grown by a piece, to be taken off; it never
/// grows much beyond `bound`.
pub(super) fn write(out: &mut Vec<u8>, value: &Value, levels: usize, bound: usize) -> Written {
    check_bound(out, bound)?;
    match value {
        Value::S(text) => scalar(out, Type::S, text.as_bytes()),
        Value::N(text) => scalar(out, Type::N, number::canonical(text)?.as_bytes()),
        Value::B(bytes) => scalar(out, Type::B, bytes),
        Value::Bool(value) => scalar(out, Type::Bool, &[u8::from(*value)]),
        Value::Null => scalar(out, Type::Null, &[]),
        Value::L(values) => {
            check_levels(levels)?;
            framed(out, Type::L, |out| {
                let write_one = |(i, value)| write(out, value, levels + 1, bound).map_err(|f| f.at_index(i));
                values.iter().enumerate().try_for_each(write_one)
            })
        }
        Value::M(entries) => {
            check_levels(levels)?;
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            framed(out, Type::M, |out| {
                entries.into_iter().try_for_each(|(name, value)| {
                    check_name(name)?;
                    wire::put_bytes(out, name.as_bytes());
                    write(out, value, levels + 1, bound).map_err(|f| f.at_name(name))
                })
            })
        }
        Value::SS(texts) => {
            let elements = sorted(texts.iter().map(String::as_str).collect(), Ord::cmp);
            check_set(&elements, Type::SS, |text| quoted(text))?;
            elements_of(out, Type::SS, elements.iter().map(|text| text.as_bytes()), bound)
        }
        Value::NS(texts) => {
            let numbers = texts.iter().enumerate().map(|(i, text)| number_at(i, text));
            let numbers = numbers.collect::<std::result::Result<Vec<_>, Fault>>()?;
            let elements = sorted(numbers, |a, b| number::compare(a, b));
            check_set(&elements, Type::NS, |text| Cow::Borrowed(text))?;
            elements_of(out, Type::NS, elements.iter().map(|text| text.as_bytes()), bound)
        }
        Value::BS(binaries) => {
            let elements = sorted(binaries.iter().map(|bytes| &bytes[..]).collect(), Ord::cmp);
            check_set(&elements, Type::BS, |bytes| hex(bytes).into())?;
            elements_of(out, Type::BS, elements.iter().copied(), bound)
        }
    }
}

/// The bytes that DynamoDB counts for `value`, as far as it can be stored at all.
pub(super) fn size(value: &Value, levels: usize) -> usize {
    let number = |text: &String| number::canonical(text).map_or(0, |text| number::size(&text));
    let inner = levels + 1;
    match value {
        Value::S(text) => text.len(),
        Value::B(bytes) => bytes.len(),
        Value::N(text) => number(text),
        Value::Bool(_) | Value::Null => 1,
        Value::SS(texts) => texts.iter().map(String::len).sum(),
        Value::NS(texts) => texts.iter().map(number).sum(),
        Value::BS(elements) => elements.iter().map(|bytes| bytes.len()).sum(),
        _ if levels == MAX_NESTING_LEVELS => 0,
        Value::L(values) => CONTAINER_BYTES + values.iter().map(|v| ELEMENT_BYTES + size(v, inner)).sum::<usize>(),
        Value::M(entries) => {
            let entries = entries.iter().map(|(name, v)| ELEMENT_BYTES + name.len() + size(v, inner));
            CONTAINER_BYTES + entries.sum::<usize>()
        }
    }
}

/// Refuses what has grown beyond `bound`, which is a body's limit beyond where the value started.
fn check_bound(out: &[u8], bound: usize) -> Written {
    if out.len() > bound { Err(body_too_large(out.len() - bound + BODY_MAX_BYTES).into()) } else { Ok(()) }
}

/// Refuses one more list or map inside this many.
pub(in super::super) fn check_levels(levels: usize) -> Result<()> {
    if levels < MAX_NESTING_LEVELS {
        return Ok(());
    }
    let found = levels + 1;
    Err(Error::limit("Nesting Levels", Unit::Levels, MAX_NESTING_LEVELS, found))
}

fn scalar(out: &mut Vec<u8>, type_: Type, payload: &[u8]) -> Written {
    if payload.len() > ITEM_MAX_BYTES {
        return Err(item_too_large(payload.len()).into());
    }
    out.push(type_.code());
    wire::put_bytes(out, payload);
    Ok(())
}

/// A type and payload.
fn framed(out: &mut Vec<u8>, type_: Type, payload: impl FnOnce(&mut Vec<u8>) -> Written) -> Written {
    out.push(type_.code());
    wire::framed(out, payload)
}

fn number_at(index: usize, text: &str) -> std::result::Result<Cow<'_, str>, Fault> {
    number::canonical(text).map_err(|error| Fault::from(error).at_index(index))
}

fn sorted<T>(mut elements: Vec<T>, order: impl FnMut(&T, &T) -> std::cmp::Ordering) -> Vec<T> {
    elements.sort_unstable_by(order);
    elements
}

/// Refuses what is no set of this type, given its elements in order as the stored form has them.
pub(in super::super) fn check_elements(sorted: &[&[u8]], type_: Type) -> Result<()> {
    let shown = |bytes: &[u8]| match (type_, str::from_utf8(bytes)) {
        (Type::SS, Ok(text)) => quoted(text).into_owned(),
        (Type::NS, Ok(text)) => text.to_owned(),
        _ => hex(bytes),
    };
    check_set(sorted, type_, |bytes| shown(bytes).into()).map_err(Fault::into_error)
}

/// Refuses what is no set, in DynamoDB's words.
fn check_set<T: PartialEq>(sorted: &[T], type_: Type, show: impl Fn(&T) -> Cow<'_, str>) -> Written {
    if sorted.is_empty() {
        return Err(Fault::from(match type_ {
            Type::SS => Reason::EmptyStringSet,
            Type::NS => Reason::EmptyNumberSet,
            _ => Reason::EmptyBinarySet,
        }));
    }
    if sorted.windows(2).all(|pair| pair[0] != pair[1]) {
        return Ok(());
    }
    let mut shown: Vec<Box<str>> = sorted.iter().take(QUOTED_ELEMENTS).map(|element| show(element).into()).collect();
    if sorted.len() > QUOTED_ELEMENTS {
        shown.push("…".into());
    }
    let set = Listed(shown.into());
    Err(Fault::from(match type_ {
        Type::SS => Reason::DuplicateStrings { set },
        Type::NS => Reason::DuplicateNumbers { set },
        _ => Reason::DuplicateBinaries { set },
    }))
}

fn elements_of<'a>(
    out: &mut Vec<u8>,
    type_: Type,
    mut elements: impl Iterator<Item = &'a [u8]>,
    bound: usize,
) -> Written {
    framed(out, type_, |out| {
        elements.try_for_each(|element| {
            if element.len() > ITEM_MAX_BYTES {
                return Err(item_too_large(element.len()).into());
            }
            wire::put_bytes(out, element);
            check_bound(out, bound)
        })
    })
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes.iter().take(QUOTED_BYTES) {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}
