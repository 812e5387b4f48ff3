//! Reading items and values.
//!
//! The text is scanned once for its syntax, without recursion; then each value is taken apart where it stands, as a
//! slice of the text, no deeper than items nest. So hostile depth exhausts nothing, numbers keep their digits, and an
//! error knows its line and column.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_core::error::{Error, Result, Unit};
use kstone_core::item::{ITEM_MAX_BYTES, ItemWriter, MAX_NESTING_LEVELS};
use kstone_core::number;
use kstone_core::value::{Type, Value};
use serde::Deserializer as _;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::JsonForm;

/// Names and types in an error's text are cut here.
const QUOTED_CHARS: usize = 64;

pub(super) fn item(text: &str, form: JsonForm) -> Result<ItemWriter> {
    let root = syntax(text, 1)?;
    Reader::new(text, form).item(root)
}

/// The item on a line of an export: what the member `Item` holds where it is the only one, the line itself elsewhere.
pub(super) fn line(text: &str, number: usize) -> Result<ItemWriter> {
    let root = syntax(text, number)?;
    let mut reader = Reader { first_line: number, ..Reader::new(text, JsonForm::Typed) };
    let (mut wrapped, mut members) = (None, 0);
    if kind(root) == Kind::Object {
        reader.each_member(root, |_, name, raw| {
            members += 1;
            wrapped = Some(raw).filter(|_| name == "Item" && members == 1);
            Ok(())
        })?;
    }
    reader.item(wrapped.unwrap_or(root))
}

/// A value; errors name it `name` where that is not empty.
pub(super) fn value(name: &str, text: &str, form: JsonForm) -> Result<Value> {
    let root = syntax(text, 1)?;
    let mut reader = Reader::new(text, form);
    if !name.is_empty() {
        reader.path.push(Step::Name(name.to_owned()));
    }
    reader.value(root, 0)
}

/// The whole text as one JSON value, checked for syntax.
fn syntax(text: &str, first_line: usize) -> Result<&RawValue> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (first_line - 1 + error.line(), error.column());
        Error::Invalid(format!("{} at line {line} column {column}", plain_text(&error)))
    })
}

/// What a JSON value is, as its first byte says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Object,
    Array,
    String,
    Bool(bool),
    Null,
    Number,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Bool(_) => "true or false",
            Self::Null => "null",
            Self::Number => "a number",
        }
    }
}

fn kind(raw: &RawValue) -> Kind {
    match raw.get().as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::String,
        Some(b't') => Kind::Bool(true),
        Some(b'f') => Kind::Bool(false),
        Some(b'n') => Kind::Null,
        _ => Kind::Number,
    }
}

/// A step of the way to the value being read.
enum Step {
    Name(String),
    Index(usize),
}

struct Reader<'t> {
    text: &'t str,
    /// Which line of a file the text begins on.
    first_line: usize,
    form: JsonForm,
    path: Vec<Step>,
    /// What DynamoDB would count for what has been read, so that reading stops where no item can follow.
    size: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, form: JsonForm) -> Self {
        Self { text, first_line: 1, form, path: Vec::new(), size: 0 }
    }

    /// The item that `raw` is.
    fn item(&mut self, raw: &'t RawValue) -> Result<ItemWriter> {
        let mut writer = ItemWriter::new();
        if kind(raw) != Kind::Object {
            return Err(self.error(raw, "an item is a JSON object"));
        }
        self.members(raw, |reader, name, raw| {
            let value = reader.value(raw, 0)?;
            writer.set_value(name, &value).map(drop)
        })?;
        Ok(writer)
    }

    /// The value `raw`, which is inside this many lists and maps.
    fn value(&mut self, raw: &'t RawValue, levels: usize) -> Result<Value> {
        match self.form {
            JsonForm::Typed => self.typed(raw, levels),
            JsonForm::Plain => self.plain(raw, levels),
        }
    }

    fn plain(&mut self, raw: &'t RawValue, levels: usize) -> Result<Value> {
        match kind(raw) {
            Kind::String => self.string(raw).map(Value::S),
            Kind::Number => self.number(raw, raw.get()).map(Value::N),
            Kind::Bool(value) => self.count(1).map(|()| Value::Bool(value)),
            Kind::Null => self.count(1).map(|()| Value::Null),
            Kind::Array => self.list(raw, levels),
            Kind::Object => self.map(raw, levels),
        }
    }

    /// An object of one member, the type's name and the payload.
    fn typed(&mut self, raw: &'t RawValue, levels: usize) -> Result<Value> {
        self.expect(raw, Kind::Object, "an attribute value such as {\"S\": \"text\"}")?;
        let mut value = None;
        self.each_member(raw, |reader, name, payload| {
            if value.is_some() {
                return Err(reader.error(
                    raw,
                    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the \
                     supported datatypes",
                ));
            }
            let type_ = Type::from_name(name)
                .ok_or_else(|| reader.error(raw, &format!("{:?} is not an attribute type", quoted(name))))?;
            value = Some(reader.payload(type_, payload, levels)?);
            Ok(())
        })?;
        value.ok_or_else(|| {
            self.error(raw, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
        })
    }

    fn payload(&mut self, type_: Type, raw: &'t RawValue, levels: usize) -> Result<Value> {
        Ok(match type_ {
            Type::S => Value::S(self.string(raw)?),
            Type::N => Value::N(self.number_text(raw)?),
            Type::B => Value::B(self.base64(raw)?.into()),
            Type::Bool => match kind(raw) {
                Kind::Bool(value) => self.count(1).map(|()| Value::Bool(value))?,
                _ => return Err(self.error(raw, "BOOL must be true or false")),
            },
            Type::Null => match kind(raw) {
                Kind::Bool(true) => self.count(1).map(|()| Value::Null)?,
                _ => return Err(self.error(raw, "Null attribute value types must have the value of true")),
            },
            Type::L => self.list(raw, levels)?,
            Type::M => self.map(raw, levels)?,
            Type::SS => Value::SS(self.set(raw, Self::string)?),
            Type::NS => Value::NS(self.set(raw, Self::number_text)?),
            Type::BS => Value::BS(self.set(raw, |reader, raw| Ok(reader.base64(raw)?.into()))?),
        })
    }

    fn list(&mut self, raw: &'t RawValue, levels: usize) -> Result<Value> {
        self.expect(raw, Kind::Array, "a list")?;
        self.enter(raw, levels)?;
        let mut values = Vec::new();
        self.elements(raw, |reader, raw| {
            reader.count(1)?;
            values.push(reader.value(raw, levels + 1)?);
            Ok(())
        })?;
        Ok(Value::L(values))
    }

    fn map(&mut self, raw: &'t RawValue, levels: usize) -> Result<Value> {
        self.expect(raw, Kind::Object, "a map")?;
        self.enter(raw, levels)?;
        let mut entries = HashMap::new();
        self.members(raw, |reader, name, raw| {
            reader.count(1)?;
            let value = reader.value(raw, levels + 1)?;
            entries.insert(name.to_owned(), value);
            Ok(())
        })?;
        Ok(Value::M(entries))
    }

    fn set<T>(
        &mut self,
        raw: &'t RawValue,
        mut read: impl FnMut(&mut Self, &'t RawValue) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.expect(raw, Kind::Array, "an array of the set's elements")?;
        let mut elements = Vec::new();
        self.elements(raw, |reader, raw| {
            elements.push(read(reader, raw)?);
            // Empty elements count nothing, but only one of them can differ from the others.
            if elements.len() > ITEM_MAX_BYTES { Err(too_large(elements.len())) } else { Ok(()) }
        })?;
        Ok(elements)
    }

    fn string(&mut self, raw: &'t RawValue) -> Result<String> {
        self.expect(raw, Kind::String, "a string")?;
        let text: String = serde_json::from_str(raw.get()).map_err(|error| self.error(raw, &plain_text(&error)))?;
        self.count(text.len())?;
        Ok(text)
    }

    fn number_text(&mut self, raw: &'t RawValue) -> Result<String> {
        self.expect(raw, Kind::String, "a number as a string")?;
        let text: String = serde_json::from_str(raw.get()).map_err(|error| self.error(raw, &plain_text(&error)))?;
        self.number(raw, &text)
    }

    fn number(&mut self, raw: &'t RawValue, text: &str) -> Result<String> {
        let canonical = number::canonical(text).map_err(|error| match error {
            Error::Invalid(text) => self.error(raw, &text),
            other => other,
        })?;
        self.count(number::size(&canonical))?;
        Ok(canonical.into_owned())
    }

    fn base64(&mut self, raw: &'t RawValue) -> Result<Vec<u8>> {
        self.expect(raw, Kind::String, "bytes as base64 text")?;
        let text: String = serde_json::from_str(raw.get()).map_err(|error| self.error(raw, &plain_text(&error)))?;
        let bytes = STANDARD.decode(text).map_err(|error| self.error(raw, &format!("not base64: {error}")))?;
        self.count(bytes.len())?;
        Ok(bytes)
    }

    /// The members of an object that holds attributes: each name once, part of the path.
    fn members(
        &mut self,
        raw: &'t RawValue,
        mut visit: impl FnMut(&mut Self, &str, &'t RawValue) -> Result<()>,
    ) -> Result<()> {
        let mut names = HashSet::new();
        self.each_member(raw, |reader, name, raw| {
            reader.path.push(Step::Name(name.to_owned()));
            if name.is_empty() {
                reader.path.pop();
                return Err(reader.error(raw, "an attribute name may not be empty"));
            }
            if !names.insert(name.to_owned()) {
                return Err(reader.error(raw, "the name stands twice in its object"));
            }
            reader.count(name.len())?;
            visit(reader, name, raw)?;
            reader.path.pop();
            Ok(())
        })
    }

    /// The elements of an array, their places part of the path.
    fn elements(
        &mut self,
        raw: &'t RawValue,
        mut visit: impl FnMut(&mut Self, &'t RawValue) -> Result<()>,
    ) -> Result<()> {
        let mut index = 0;
        let mut fault = None;
        let visitor = Each(|_: Option<&str>, raw| {
            self.path.push(Step::Index(index));
            visit(self, raw).map_err(|error| fault = Some(error))?;
            self.path.pop();
            index += 1;
            Ok(())
        });
        let outcome = serde_json::Deserializer::from_str(raw.get()).deserialize_seq(visitor);
        self.outcome(raw, outcome, fault)
    }

    /// The members of any object, as they stand.
    fn each_member(
        &mut self,
        raw: &'t RawValue,
        mut visit: impl FnMut(&mut Self, &str, &'t RawValue) -> Result<()>,
    ) -> Result<()> {
        let mut fault = None;
        let visitor = Each(|name: Option<&str>, raw| {
            visit(self, name.unwrap_or_default(), raw).map_err(|error| fault = Some(error))
        });
        let outcome = serde_json::Deserializer::from_str(raw.get()).deserialize_map(visitor);
        self.outcome(raw, outcome, fault)
    }

    /// What the visit ended in; else what the parser did, which the scan for syntax leaves little to find.
    fn outcome(&self, raw: &RawValue, outcome: serde_json::Result<()>, fault: Option<Error>) -> Result<()> {
        match fault {
            Some(fault) => Err(fault),
            None => outcome.map_err(|error| self.error(raw, &plain_text(&error))),
        }
    }

    fn expect(&self, raw: &RawValue, wanted: Kind, what: &str) -> Result<()> {
        let found = kind(raw);
        if found == wanted {
            return Ok(());
        }
        Err(self.error(raw, &format!("expected {what}, found {}", found.name())))
    }

    /// Goes into a list or a map that is inside this many.
    fn enter(&mut self, raw: &RawValue, levels: usize) -> Result<()> {
        if levels == MAX_NESTING_LEVELS {
            let (limit, found) = (MAX_NESTING_LEVELS, levels + 1);
            let at = Some(self.place(raw).into());
            return Err(Error::Limit { what: "Nesting Levels", unit: Unit::Levels, limit, found, at });
        }
        self.count(3)
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.size += bytes;
        if self.size > ITEM_MAX_BYTES { Err(too_large(self.size)) } else { Ok(()) }
    }

    /// An error at `raw`: what is wrong, in which attribute, where in the text.
    fn error(&self, raw: &RawValue, what: &str) -> Error {
        Error::Invalid(format!("{what} ({})", self.place(raw)))
    }

    fn place(&self, raw: &RawValue) -> String {
        // `raw` is a slice of `text`; the difference of their addresses is where it starts.
        let offset = (raw.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let before = &self.text.as_bytes()[..offset.min(self.text.len())];
        let line = self.first_line + before.iter().filter(|&&b| b == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|&&b| b != b'\n').count();
        let attribute = self.path();
        let attribute = if attribute.is_empty() { attribute } else { format!("attribute {attribute}, ") };
        format!("{attribute}line {line} column {column}")
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for (i, step) in self.path.iter().enumerate() {
            match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Name(name) => write!(path, "{}{}", if i == 0 { "" } else { "." }, quoted(name)),
            }
            .expect("writing to a String cannot fail");
        }
        path
    }
}

fn too_large(found: usize) -> Error {
    Error::limit("Item size", Unit::Bytes, ITEM_MAX_BYTES, found)
}

/// `text`, cut where it is long.
fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The parser's text without its place, which counts from the slice and not from the text.
fn plain_text(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    format!("invalid JSON: {}", &text[..end])
}

/// Hands over each member of an object or element of an array as it is read, so that none are gathered. The callback's
/// error is kept by the callback; here it only ends the visit.
struct Each<F>(F);

impl<'de, F> Visitor<'de> for Each<F>
where
    F: FnMut(Option<&str>, &'de RawValue) -> std::result::Result<(), ()>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> std::result::Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let raw = map.next_value()?;
            self.0(Some(&name), raw).map_err(|()| A::Error::custom("refused"))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> std::result::Result<(), A::Error> {
        while let Some(raw) = seq.next_element()? {
            self.0(None, raw).map_err(|()| A::Error::custom("refused"))?;
        }
        Ok(())
    }
}
