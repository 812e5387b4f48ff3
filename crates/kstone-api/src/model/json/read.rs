//! Reading items and values: one pass over the text, straight into the stored form.
//!
//! ```text
//! text    {"n":1,"m":{"b":true,"a":"x"}}
//! out     … 'm' M ? 'b' BOOL 1 'a' S x        members as they come; their places in `entries`
//!         … 'm' M 8 'a' S x 'b' BOOL 1        at the object's end: sorted where they were not, behind their length
//! ```
//! Recursion is no deeper than items nest. What goes wrong unwinds as a [`Fault`], which gathers the way to it; nothing
//! is kept for errors meanwhile. Only then is the text given to `serde_json`, whose word on syntax counts before any
//! complaint about meaning: text that is no JSON is always refused as that, with line and column. Strings with escapes
//! are its business, too.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::error::{Error, JsonPlace, Reason, Refusal, Result, StorageReason};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_core::error::Unit;
use kstone_core::item::{ITEM_MAX_BYTES, ItemWriter, MAX_NESTING_LEVELS, ValueRef, check_name, parts};
use kstone_core::number;
use kstone_core::value::{Type, Value};
use serde_json::value::RawValue;

use super::JsonForm;
use super::plain::plain_len;

/// The most bytes of a name or type in an error's text.
const QUOTED_CHARS: usize = 64;

/// Replaces the attributes of `writer`; on an error it is empty.
pub(super) fn item(writer: &mut ItemWriter, text: &str, form: JsonForm) -> Result<()> {
    let mut reader = Reader::new(text, form);
    let read = writer.fill(|body| {
        reader.item(body)?;
        reader.end()
    });
    read.map_err(|fault| fault.into_error(text))
}

/// A value: its type and payload. Errors name it `name` where that is not empty.
pub(super) fn value(name: &str, text: &str, form: JsonForm) -> Result<(Type, Vec<u8>)> {
    let mut reader = Reader::new(text, form);
    let mut stored = Vec::with_capacity(text.len().min(ITEM_MAX_BYTES));
    let read = reader.value(&mut stored, 0).and_then(|()| reader.end());
    read.map_err(|fault| if name.is_empty() { fault } else { fault.inside(|| Step::Name(name.to_owned())) })
        .map_err(|fault| fault.into_error(text))?;
    let mut list = ValueRef::from_parts(Type::L, &stored).list();
    let value = list.next().expect("a value was read");
    Ok((value.type_(), value.payload().to_vec()))
}

struct Reader<'t> {
    text: &'t str,
    /// What is read next.
    at: usize,
    form: JsonForm,
    /// What DynamoDB would count for what has been read, so that reading stops where no item can follow.
    size: usize,
    /// The members of the objects that are being read, the innermost last.
    entries: Vec<OutputMember<'t>>,
    /// For putting members in order, kept for its capacity.
    spare: Vec<u8>,
}

/// A member of an object that has been read.
struct OutputMember<'t> {
    name: Cow<'t, str>,
    /// Where it lies in the output.
    start: usize,
    end: usize,
    /// Where its value is in the text.
    at: usize,
}

type Read<T> = std::result::Result<T, Box<Fault>>;

impl<'t> Reader<'t> {
    fn new(text: &'t str, form: JsonForm) -> Self {
        Self { text, at: 0, form, size: 0, entries: Vec::new(), spare: Vec::new() }
    }

    /// Appends the attributes of the object that is next.
    fn item(&mut self, body: &mut Vec<u8>) -> Read<()> {
        body.reserve(self.text.len().min(ITEM_MAX_BYTES));
        if !self.takes(b'{') {
            return Err(Fault::invalid(self.at, Reason::NoObject));
        }
        self.members(body, 0, 0)
    }

    /// Appends the value that is next, which is inside this many lists and maps.
    fn value(&mut self, out: &mut Vec<u8>, levels: usize) -> Read<()> {
        match self.form {
            JsonForm::Typed => self.typed(out, levels),
            JsonForm::Plain => self.plain(out, levels),
        }
    }

    fn plain(&mut self, out: &mut Vec<u8>, levels: usize) -> Read<()> {
        match self.peek() {
            b'"' => self.string(out),
            b'{' => self.map(out, levels),
            b'[' => self.list(out, levels),
            b't' | b'f' => self.bool(out),
            b'n' => self.null(out, "null"),
            _ => {
                let at = self.at;
                let text = self.number_token()?;
                self.number(out, at, text)
            }
        }
    }

    /// An object of one member, the type's name and the payload.
    fn typed(&mut self, out: &mut Vec<u8>, levels: usize) -> Read<()> {
        let at = self.open(b'{', "an attribute value such as {\"S\": \"text\"}")?;
        if self.takes(b'}') {
            return Err(Fault::invalid(at, Reason::ValueEmpty));
        }
        let name = self.name()?;
        let type_ =
            Type::from_name(&name).ok_or_else(|| Fault::invalid(at, Reason::NoType { name: quoted(&name).into() }))?;
        self.payload(out, type_, levels)?;
        if self.takes(b'}') {
            return Ok(());
        }
        Err(Fault::invalid(at, Reason::SeveralTypes))
    }

    fn payload(&mut self, out: &mut Vec<u8>, type_: Type, levels: usize) -> Read<()> {
        match type_ {
            Type::S => self.string(out),
            Type::N => {
                let (at, text) = self.number_text()?;
                self.number(out, at, &text)
            }
            Type::B => {
                let bytes = self.base64()?;
                scalar(out, Type::B, &bytes);
                Ok(())
            }
            Type::Bool => self.bool(out),
            Type::Null => self.null(out, "true"),
            Type::L => self.list(out, levels),
            Type::M => self.map(out, levels),
            Type::SS | Type::NS | Type::BS => self.set(out, type_),
        }
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Read<()> {
        let text = self.text_token("a string")?.1;
        self.count(text.len())?;
        scalar(out, Type::S, text.as_bytes());
        Ok(())
    }

    fn bool(&mut self, out: &mut Vec<u8>) -> Read<()> {
        let (word, value) = match self.peek() {
            b't' => ("true", 1),
            b'f' => ("false", 0),
            _ => return Err(Fault::invalid(self.at, Reason::NoBool)),
        };
        self.word(word)?;
        self.count(1)?;
        scalar(out, Type::Bool, &[value]);
        Ok(())
    }

    /// NULL, which is `word` here.
    fn null(&mut self, out: &mut Vec<u8>, word: &str) -> Read<()> {
        if self.peek() != word.as_bytes()[0] {
            return Err(Fault::invalid(self.at, Reason::NullNotTrue));
        }
        self.word(word)?;
        self.count(1)?;
        scalar(out, Type::Null, &[]);
        Ok(())
    }

    fn number(&mut self, out: &mut Vec<u8>, at: usize, text: &str) -> Read<()> {
        let canonical = number::canonical(text).map_err(|error| Fault::of(error, at))?;
        self.count(number::size(&canonical))?;
        scalar(out, Type::N, canonical.as_bytes());
        Ok(())
    }

    /// The text of a number in the typed form, and where it stands.
    fn number_text(&mut self) -> Read<(usize, Cow<'t, str>)> {
        self.text_token("a number as a string")
    }

    fn base64(&mut self) -> Read<Vec<u8>> {
        let (at, text) = self.text_token("bytes as base64 text")?;
        let bytes = STANDARD
            .decode(&*text)
            .map_err(|error| Fault::invalid(at, Reason::NotBase64 { error: error.to_string().into() }))?;
        self.count(bytes.len())?;
        Ok(bytes)
    }

    fn list(&mut self, out: &mut Vec<u8>, levels: usize) -> Read<()> {
        let at = self.open(b'[', "a list")?;
        self.enter(at, levels)?;
        parts::append_framed(out, Type::L, |out| {
            self.elements(|reader| {
                reader.count(1)?;
                reader.value(out, levels + 1)
            })
        })
    }

    fn map(&mut self, out: &mut Vec<u8>, levels: usize) -> Read<()> {
        let at = self.open(b'{', "a map")?;
        self.enter(at, levels)?;
        parts::append_framed(out, Type::M, |out| self.members(out, levels + 1, 1))
    }

    fn set(&mut self, out: &mut Vec<u8>, type_: Type) -> Read<()> {
        let at = self.open(b'[', "an array of the set's elements")?;
        let set = match type_ {
            Type::SS => Value::SS(self.gathered(|reader| {
                let text = reader.text_token("a string")?.1;
                reader.count(text.len())?;
                Ok(text.into_owned())
            })?),
            Type::NS => Value::NS(self.gathered(|reader| {
                let (at, text) = reader.number_text()?;
                let canonical = number::canonical(&text).map_err(|error| Fault::of(error, at))?;
                reader.count(number::size(&canonical))?;
                Ok(canonical.into_owned())
            })?),
            _ => Value::BS(self.gathered(|reader| Ok(reader.base64()?.into()))?),
        };
        parts::append_owned(out, &set).map_err(|error| Fault::of(error, at))
    }

    /// The elements of a set, whose bracket has been taken.
    fn gathered<T>(&mut self, mut read: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut elements = Vec::new();
        self.elements(|reader| {
            elements.push(read(reader)?);
            // Empty elements count nothing, but only one of them can differ from the others.
            if elements.len() > ITEM_MAX_BYTES { Err(too_large(elements.len()).into()) } else { Ok(()) }
        })?;
        Ok(elements)
    }

    /// The elements of an array whose bracket has been taken, up to the one that closes it.
    fn elements(&mut self, mut read: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        if self.takes(b']') {
            return Ok(());
        }
        for index in 0.. {
            read(self).map_err(|fault| fault.inside(|| Step::Index(index)))?;
            if !self.takes(b',') {
                break;
            }
        }
        self.take(b']')
    }

    /// Appends the members of an object whose brace has been taken, up to the one that closes it: attributes inside
    /// this many lists and maps, each of which counts its name and `extra` bytes.
    fn members(&mut self, out: &mut Vec<u8>, levels: usize, extra: usize) -> Read<()> {
        let (start, first) = (out.len(), self.entries.len());
        let mut in_order = true;
        if self.takes(b'}') {
            return Ok(());
        }
        loop {
            let name = self.name()?;
            self.peek();
            let at = self.at;
            if name.is_empty() {
                return Err(Fault::of(StorageReason::EmptyAttributeName.into(), at));
            }
            check_name(&name)?;
            self.count(name.len() + extra)?;
            in_order &= self.entries[first..].last().is_none_or(|last| last.name < name);
            let entry_start = out.len();
            parts::append_name(out, &name);
            self.value(out, levels).map_err(|fault| fault.inside(|| Step::Name(name.clone().into_owned())))?;
            self.entries.push(OutputMember { name, start: entry_start, end: out.len(), at });
            if !self.takes(b',') {
                break;
            }
        }
        self.take(b'}')?;
        if !in_order {
            self.put_in_order(&mut out[start..], first, start)?;
        }
        self.entries.truncate(first);
        Ok(())
    }

    /// Sorts the members from `first` on, which fill `payload`; it begins at `start` of the output.
    fn put_in_order(&mut self, payload: &mut [u8], first: usize, start: usize) -> Read<()> {
        let entries = &mut self.entries[first..];
        entries.sort_unstable_by(|a, b| (&a.name, a.at).cmp(&(&b.name, b.at)));
        let again = entries.windows(2).filter(|pair| pair[0].name == pair[1].name).map(|pair| &pair[1]);
        if let Some(entry) = again.min_by_key(|entry| entry.at) {
            let fault = Fault::invalid(entry.at, Reason::NameTwice);
            return Err(fault.inside(|| Step::Name(entry.name.clone().into_owned())));
        }
        self.spare.clear();
        for entry in entries {
            self.spare.extend_from_slice(&payload[entry.start - start..entry.end - start]);
        }
        payload.copy_from_slice(&self.spare);
        Ok(())
    }

    /// Goes into a list or a map that is inside this many.
    fn enter(&mut self, at: usize, levels: usize) -> Read<()> {
        if levels == MAX_NESTING_LEVELS {
            return Err(Fault::new(at, What::TooDeep(levels + 1)));
        }
        self.count(3)
    }

    #[inline]
    fn count(&mut self, bytes: usize) -> Read<()> {
        self.size += bytes;
        if self.size > ITEM_MAX_BYTES { Err(too_large(self.size).into()) } else { Ok(()) }
    }

    /// The next byte that is no space, not taken; 0, which begins nothing, where there is none.
    #[inline]
    fn peek(&mut self) -> u8 {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next.copied().unwrap_or(0),
            }
        }
    }

    /// Takes the next byte that is no space if it is this one.
    #[inline]
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Takes this byte, which must be next but for spaces.
    #[inline]
    fn take(&mut self, byte: u8) -> Read<()> {
        if self.takes(byte) { Ok(()) } else { Err(self.syntax()) }
    }

    /// Takes the byte that opens an object or an array and says where it was; something else is not `what` is needed.
    #[inline]
    fn open(&mut self, byte: u8, what: &'static str) -> Read<usize> {
        if self.takes(byte) { Ok(self.at - 1) } else { Err(self.unexpected(what)) }
    }

    /// The text must be at its end.
    fn end(&mut self) -> Read<()> {
        if self.peek() == 0 && self.at == self.text.len() { Ok(()) } else { Err(self.syntax()) }
    }

    fn word(&mut self, word: &str) -> Read<()> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(self.syntax());
        }
        self.at += word.len();
        Ok(())
    }

    /// The name of a member, and the colon behind it.
    fn name(&mut self) -> Read<Cow<'t, str>> {
        if self.peek() != b'"' {
            return Err(self.syntax());
        }
        let name = self.quoted_text()?;
        self.take(b':')?;
        Ok(name)
    }

    /// A string, which is `what` is needed, and where it stands.
    fn text_token(&mut self, what: &'static str) -> Read<(usize, Cow<'t, str>)> {
        if self.peek() != b'"' {
            return Err(self.unexpected(what));
        }
        let at = self.at;
        Ok((at, self.quoted_text()?))
    }

    /// The string that begins here.
    #[inline]
    fn quoted_text(&mut self) -> Read<Cow<'t, str>> {
        let start = self.at + 1;
        let end = start + plain_len(&self.text.as_bytes()[start..]);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return self.escaped_text(end);
        }
        self.at = end + 1;
        Ok(Cow::Borrowed(&self.text[start..end]))
    }

    /// The string that begins here and is plain up to `at`.
    #[cold]
    fn escaped_text(&mut self, mut at: usize) -> Read<Cow<'t, str>> {
        while self.text.as_bytes().get(at) == Some(&b'\\') {
            // What is escaped may be a quote; it is looked at later.
            at = (at + 2).min(self.text.len());
            if !self.text.is_char_boundary(at) {
                return Err(self.syntax());
            }
            at += plain_len(&self.text.as_bytes()[at..]);
        }
        if self.text.as_bytes().get(at) != Some(&b'"') {
            return Err(self.syntax());
        }
        let token = &self.text[self.at..=at];
        let text: String = serde_json::from_str(token)
            .map_err(|error| Fault::invalid(self.at, Reason::JsonSyntax { error: plain_text(&error) }))?;
        self.at = at + 1;
        Ok(Cow::Owned(text))
    }

    /// A number as JSON writes it.
    fn number_token(&mut self) -> Read<&'t str> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        let whole = digits(at.min(bytes.len()));
        let mut well_formed = whole == 1 || (whole > 1 && bytes[at] != b'0');
        at += whole;
        if bytes.get(at) == Some(&b'.') {
            let fraction = digits(at + 1);
            well_formed &= fraction > 0;
            at += 1 + fraction;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            let exponent = digits(at);
            well_formed &= exponent > 0;
            at += exponent;
        }
        if !well_formed {
            return Err(self.syntax());
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    #[cold]
    fn syntax(&self) -> Box<Fault> {
        Fault::invalid(self.at, Reason::NoJson)
    }

    /// What is next is not `what` is needed.
    #[cold]
    fn unexpected(&self, what: &'static str) -> Box<Fault> {
        let found = match self.text.as_bytes().get(self.at) {
            Some(b'{') => "an object",
            Some(b'[') => "an array",
            Some(b'"') => "a string",
            Some(b't' | b'f') => "true or false",
            Some(b'n') => "null",
            _ => "a number",
        };
        Fault::invalid(self.at, Reason::JsonExpected { what, found })
    }
}

/// Appends a value that holds no others.
#[inline]
fn scalar(out: &mut Vec<u8>, type_: Type, payload: &[u8]) {
    parts::append_value(out, ValueRef::from_parts(type_, payload));
}

/// What is wrong and where.
struct Fault {
    what: What,
    /// The byte of the text.
    at: usize,
    /// The way to the value, from its end.
    path: Vec<Step>,
}

enum What {
    /// Something that is said with its place.
    Invalid(Refusal),
    /// So many lists and maps in each other.
    TooDeep(usize),
    /// Something that is said without.
    Other(Error),
}

/// A step of the way to a value.
enum Step {
    Name(String),
    Index(usize),
}

impl From<Error> for Box<Fault> {
    fn from(error: Error) -> Self {
        Fault::new(0, What::Other(error))
    }
}

impl From<kstone_core::Error> for Box<Fault> {
    fn from(error: kstone_core::Error) -> Self {
        Error::from(error).into()
    }
}

impl Fault {
    #[cold]
    fn new(at: usize, what: What) -> Box<Self> {
        Box::new(Self { what, at, path: Vec::new() })
    }

    #[cold]
    fn invalid(at: usize, refusal: impl Into<Refusal>) -> Box<Self> {
        Self::new(at, What::Invalid(refusal.into()))
    }

    /// An error of a part, which lies here.
    #[cold]
    fn of(error: kstone_core::Error, at: usize) -> Box<Self> {
        match Error::from(error) {
            Error::Invalid(refusal) => Self::invalid(at, refusal),
            other => Self::new(at, What::Other(other)),
        }
    }

    /// The same, seen from what holds the value.
    #[cold]
    fn inside(mut self: Box<Self>, step: impl FnOnce() -> Step) -> Box<Self> {
        self.path.push(step());
        self
    }

    /// What callers are told of a text that begins on this line of a file. Where it is no JSON, that.
    #[cold]
    fn into_error(self, text: &str) -> Error {
        if let Err(error) = serde_json::from_str::<&RawValue>(text) {
            let (line, column) = (error.line(), error.column());
            return Reason::JsonSyntaxAt { error: plain_text(&error), line, column }.into();
        }
        let place = self.place(text);
        match self.what {
            What::Invalid(refusal) => Reason::At { refusal, place }.into(),
            What::TooDeep(found) => Error::Limit {
                what: "Nesting Levels",
                unit: Unit::Levels,
                limit: MAX_NESTING_LEVELS,
                found,
                at: Some(place.to_string().into()),
            },
            What::Other(error) => error,
        }
    }

    /// Which attribute, and where in the text, which begins on this line of a file.
    fn place(&self, text: &str) -> JsonPlace {
        let before = &text.as_bytes()[..self.at.min(text.len())];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        let mut attribute = String::new();
        for (i, step) in self.path.iter().rev().enumerate() {
            match step {
                Step::Index(index) => write!(attribute, "[{index}]"),
                Step::Name(name) => write!(attribute, "{}{}", if i == 0 { "" } else { "." }, quoted(name)),
            }
            .expect("writing to a String cannot fail");
        }
        JsonPlace { attribute: attribute.into(), line, column }
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
fn plain_text(error: &serde_json::Error) -> Box<str> {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text[..end].into()
}
