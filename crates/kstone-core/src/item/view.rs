//! Reading a body in place: [`ItemRef`] over the whole, [`ValueRef`] over one value.
//!
//! Views borrow the body and copy nothing until asked to. They trust no byte: what is malformed reads as the end of
//! what holds it. Text is checked to be UTF-8 each time it is asked for, which for short text costs a few nanoseconds.
//!

use std::collections::HashMap;
use std::fmt;

use bytes::Bytes;

use super::directory::HashedName;
use super::path::{Segment, Segments};
use super::{MAX_NESTING_LEVELS, check, directory, wire};
use crate::buffer::Buffer;
use crate::error::Result;
use crate::label::NamedKey;
use crate::raw::counted::prefetch;
use crate::same::same_bytes;
use crate::utf8;
use crate::value::{Item, Type, Value};

/// The longest name that [`ItemRef::get_near`] finds.
pub const NEAR_NAME_BYTES: usize = 16;

/// An item in its stored form, or a map inside one. An item of a typed table shows its key attributes, which its stored
/// form does not hold, among the others.
///
/// ```
/// use kstone_core::item::ItemWriter;
///
/// let mut writer = ItemWriter::new();
/// writer.set_str("name", "Alice").unwrap().set_i64("age", 30).unwrap();
/// let item = writer.as_item();
/// assert_eq!(item.get("name").unwrap().as_str(), Some("Alice"));
/// assert_eq!(item.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["age", "name"]);
/// ```
#[derive(Clone, Copy, Default)]
pub struct ItemRef<'a> {
    body: &'a [u8],
    /// See [`directory`]; empty where there is none.
    directory: &'a [u8],
    /// The attributes that are not in the body.
    key: Option<NamedKey<'a>>,
}

impl<'a> ItemRef<'a> {
    /// A view of this body, taken as it is; [`ItemRef::validate`] looks at it first.
    #[must_use]
    pub const fn new(body: &'a [u8]) -> Self {
        Self { body, directory: &[], key: None }
    }

    /// A view of the body of a record that has this directory.
    #[inline(always)]
    pub(crate) const fn of_record(body: &'a [u8], directory: &'a [u8], key: Option<NamedKey<'a>>) -> Self {
        Self { body, directory, key }
    }

    /// The same with the attributes of this key, which it does not hold.
    #[must_use]
    pub const fn with_key(self, key: Option<NamedKey<'a>>) -> Self {
        Self { key, ..self }
    }

    /// The attributes of the key that the body does not hold.
    #[must_use]
    pub const fn named_key(self) -> Option<NamedKey<'a>> {
        self.key
    }

    /// The same without the attributes of its key.
    #[must_use]
    pub const fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    /// A view of bytes from outside, once they are found to be a body in every detail: order of names, shortest
    /// varints, UTF-8, canonical numbers, sets, nesting, length. Reads every byte once; allocates nothing.
    ///
    /// # Errors
    /// [`crate::error::Error::Invalid`] saying what is wrong and at which byte.
    pub fn validate(body: &'a [u8]) -> Result<Self> {
        check::body(body)?;
        Ok(Self::new(body))
    }

    /// The body, which the attributes of a typed table's key are not in.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.body
    }

    /// The value of the attribute of this name. In a large item that was stored it is looked up in a directory; in all
    /// others this passes over the attributes before it, skipping their values. No dots or brackets are read in `name`.
    #[inline]
    #[must_use]
    pub fn get(self, name: &str) -> Option<ValueRef<'a>> {
        self.get_raw(name.as_bytes())
    }

    /// [`ItemRef::get`] of a name that may not be UTF-8; no attribute has such a name.
    #[inline(always)]
    #[must_use]
    pub fn get_raw(self, name: &[u8]) -> Option<ValueRef<'a>> {
        if self.key.is_some() {
            return self.get_with_key(name);
        }
        if !self.directory.is_empty() {
            return self.look_up(HashedName::of(name));
        }
        let mut rest = self.body;
        while !rest.is_empty() {
            let found = wire::take_bytes(&mut rest)?;
            let (type_, payload) = wire::take_value(&mut rest)?;
            if same_bytes(found, name) {
                return Some(ValueRef { type_, payload });
            }
            // Names further on are greater still.
            if found.first() > name.first() {
                break;
            }
        }
        None
    }

    #[inline(never)]
    fn get_with_key(self, name: &[u8]) -> Option<ValueRef<'a>> {
        let of_key = self.key.and_then(|key| key.named(name));
        match of_key {
            Some((type_, payload)) => Some(ValueRef { type_, payload }),
            None => self.without_key().get_raw(name),
        }
    }

    /// The attribute that a path names, where the path is a short name alone and lengths are below 16 KiB; none says
    /// nothing. It calls nothing and has no loop but the one over the attributes, so that what it works with stays in
    /// registers: the usual look costs half as much.
    #[inline(always)]
    #[must_use]
    pub fn get_near(self, path: &[u8]) -> Option<ValueRef<'a>> {
        let (&first, behind_first) = path.split_first()?;
        if path.len() > NEAR_NAME_BYTES {
            return None;
        }
        let mut rest = self.body;
        loop {
            let entry = rest;
            let (name_len, code, payload) = wire::take_near(&mut rest)?;
            let (&own_first, own) = entry.get(1..)?.split_first()?;
            let is_same =
                || behind_first.is_empty() || same_bytes(own.get(..name_len - 1).unwrap_or_default(), behind_first);
            if own_first == first && name_len == path.len() && is_same() {
                let is_name = if behind_first.is_empty() { !is_separator(first) } else { is_plain_path(path) };
                return if is_name { Some(ValueRef { type_: Type::from_code(code)?, payload }) } else { None };
            }
            if own_first > first {
                return None;
            }
        }
    }

    /// [`ItemRef::get`] of a name that is asked of many items.
    #[inline]
    #[must_use]
    pub fn get_hashed(self, name: HashedName<'_>) -> Option<ValueRef<'a>> {
        if self.directory.is_empty() || self.key.is_some() { self.get_raw(name.name) } else { self.look_up(name) }
    }

    #[inline(never)]
    fn look_up(self, name: HashedName<'_>) -> Option<ValueRef<'a>> {
        directory::find(self.body, self.directory, name)
    }

    /// Asks the processor for the cache line at which the attribute of this name begins, where a directory tells; never
    /// needed for correctness.
    #[inline]
    pub fn prefetch(self, name: HashedName<'_>) {
        if !self.directory.is_empty()
            && let Some(entry) = directory::guess(self.body, self.directory, name)
        {
            prefetch(entry.as_ptr());
        }
    }

    /// Whether attributes are looked up in a directory.
    #[must_use]
    pub fn has_directory(self) -> bool {
        !self.directory.is_empty()
    }

    /// The value that a path such as `a.b[0].c` leads to: dots go into maps, brackets into lists, from 0. A dot always
    /// separates: an attribute whose own name has one is for [`ItemRef::get`]. Costs a pass per step.
    ///
    /// # Errors
    /// [`crate::error::Error::Invalid`] naming the byte, counted from 0, where `path` is not one, even if its
    /// beginning leads nowhere.
    ///
    /// ```
    /// use kstone_core::item::ItemWriter;
    /// use kstone_core::value::Value;
    ///
    /// let mut writer = ItemWriter::new();
    /// writer.set_value("m", &Value::map([("l", Value::list([Value::number(7)]))])).unwrap();
    /// let item = writer.as_item();
    /// assert_eq!(item.at_path("m.l[0]").unwrap().unwrap().as_number(), Some("7"));
    /// assert!(item.at_path("m.l[1]").unwrap().is_none());
    /// assert!(item.at_path("m.").is_err());
    /// ```
    pub fn at_path(self, path: &str) -> Result<Option<ValueRef<'a>>> {
        // Nearly every path is one name: three looks at each byte cost less than taking it apart.
        if is_plain_path(path.as_bytes()) {
            return Ok(self.get(path));
        }
        let mut segments = Segments::new(path);
        let mut found = self.get(segments.first()?);
        while let Some(segment) = segments.next()? {
            found = found.and_then(|value| match segment {
                Segment::Name(name) => value.map()?.get(name),
                Segment::Index(index) => value.list().nth(index),
            });
        }
        Ok(found)
    }

    /// The attributes, by ascending bytes of their names.
    #[must_use]
    pub fn iter(self) -> Attributes<'a> {
        Attributes(self.raw_iter())
    }

    /// The number of attributes. Passes over them.
    #[must_use]
    pub fn len(self) -> usize {
        self.iter().count()
    }

    /// Whether there are no attributes.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }

    /// Appends the attributes that `keep` takes, in the stored form: behind an empty `out` stands a body. `keep` is
    /// asked in the order of the names.
    ///
    /// ```
    /// use kstone_core::item::{ItemRef, ItemWriter};
    ///
    /// let mut writer = ItemWriter::new();
    /// writer.set_str("name", "Alice").unwrap().set_i64("age", 30).unwrap();
    /// let mut body = Vec::new();
    /// writer.as_item().copy_where(&mut body, |name| name == "age");
    /// assert_eq!(body, b"\x03age\x02\x0230");
    /// ```
    pub fn copy_where(self, out: &mut impl Buffer, mut keep: impl FnMut(&str) -> bool) {
        if self.key.is_some() {
            let kept = self.iter().filter(|(name, _)| keep(name));
            return kept.for_each(|(name, value)| value.put_named(name, out));
        }
        let mut attributes = self.iter();
        loop {
            let before = attributes.0.rest();
            let Some((name, _)) = attributes.next() else { return };
            if keep(name) {
                out.extend_from_slice(&before[..before.len() - attributes.0.rest().len()]);
            }
        }
    }

    /// The item as an owned map. Copies everything.
    #[must_use]
    pub fn to_item(self) -> Item {
        self.to_map(0)
    }

    fn to_map(self, levels: usize) -> HashMap<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_value_inside(levels))).collect()
    }

    /// The attributes, with names that are not looked at and may not be UTF-8.
    #[must_use]
    pub fn raw_iter(self) -> RawAttributes<'a> {
        RawAttributes { body: self.body_attributes(), key: self.key, given: 0 }
    }

    /// The same without the attributes of its key: those that its body holds.
    #[inline]
    #[must_use]
    pub fn body_attributes(self) -> BodyAttributes<'a> {
        BodyAttributes(self.body)
    }
}

/// Items are equal where their attributes are.
impl PartialEq for ItemRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.key, other.key) {
            (None, None) => self.body == other.body,
            _ => self.raw_iter().eq(other.raw_iter()),
        }
    }
}

impl Eq for ItemRef<'_> {}

impl<'a> IntoIterator for ItemRef<'a> {
    type Item = (&'a str, ValueRef<'a>);
    type IntoIter = Attributes<'a>;

    fn into_iter(self) -> Attributes<'a> {
        self.iter()
    }
}

/// A map of names to values.
impl fmt::Debug for ItemRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Whether a path is but a name, for which [`ItemRef::get_raw`] does without knowing it to be UTF-8. Looks at eight bytes
/// at a time, or at four.
#[inline(always)]
#[must_use]
pub fn is_plain_path(path: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (path.first_chunk(), path.last_chunk()) {
        let has_a_separator = |word: &[u8; 8]| has_a_separator(u64::from_ne_bytes(*word));
        if has_a_separator(first) | has_a_separator(last) {
            return false;
        }
        return path.len() <= 16 || !path.as_chunks().0.iter().any(has_a_separator);
    }
    if let (Some(first), Some(last)) = (path.first_chunk(), path.last_chunk()) {
        let both = u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last));
        return !has_a_separator(both);
    }
    match path {
        [] => false,
        [one] => !is_separator(*one),
        _ => !path.iter().copied().any(is_separator),
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'.' | b'[' | b']')
}

/// Whether one of eight bytes is `.`, `[` or `]`.
#[inline(always)]
fn has_a_separator(word: u64) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH_BITS: u64 = ONES << 7;
    // A byte that is zero borrows from its high bit; the lowest one that does is one.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let [dot, open, close] = [b'.', b'[', b']'].map(|byte| zero(word ^ (ONES * u64::from(byte))));
    (dot | open | close) & HIGH_BITS != 0
}

/// A value in its stored form. Equal values have equal bytes, so `==` is DynamoDB's equality.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ValueRef<'a> {
    type_: Type,
    payload: &'a [u8],
}

impl<'a> ValueRef<'a> {
    /// A value of this type with this payload, taken as they are, as [`ItemRef::new`] takes a body.
    #[inline]
    #[must_use]
    pub const fn from_parts(type_: Type, payload: &'a [u8]) -> Self {
        Self { type_, payload }
    }

    /// A value of this type with this payload, checked in every detail: for bytes that come from outside.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for what is not the payload of such a value, also for a number that is
    /// not canonical; [`Error::Limit`](crate::Error::Limit) for one that no item can hold.
    pub fn validate(type_: Type, payload: &'a [u8]) -> Result<Self> {
        check::value(type_, payload)?;
        Ok(Self { type_, payload })
    }

    /// The value's type.
    #[inline]
    #[must_use]
    pub const fn type_(self) -> Type {
        self.type_
    }

    /// The value's bytes: the text of S and N, the bytes of B, one byte 0 or 1 of BOOL, none of NULL, and of the other
    /// types the stored form of what they hold (see [`crate::item`]).
    #[inline]
    #[must_use]
    pub const fn payload(self) -> &'a [u8] {
        self.payload
    }

    /// Appends the value behind a name, as an attribute is in a body.
    pub fn put_named(self, name: &str, out: &mut impl Buffer) {
        wire::put_bytes(out, name.as_bytes());
        out.push(self.type_ as u8);
        wire::put_bytes(out, self.payload);
    }

    /// The text of an S.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<&'a str> {
        if self.type_ == Type::S { utf8(self.payload).ok() } else { None }
    }

    /// The canonical decimal text of an N; [`crate::number`] compares and converts it.
    #[inline]
    #[must_use]
    pub fn as_number(self) -> Option<&'a str> {
        if self.type_ == Type::N { utf8(self.payload).ok() } else { None }
    }

    /// The bytes of a B.
    #[inline]
    #[must_use]
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        if self.type_ == Type::B { Some(self.payload) } else { None }
    }

    /// What a BOOL says.
    #[inline]
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match (self.type_, self.payload) {
            (Type::Bool, [0]) => Some(false),
            (Type::Bool, [1]) => Some(true),
            _ => None,
        }
    }

    /// Whether this is NULL.
    #[inline]
    #[must_use]
    pub fn is_null(self) -> bool {
        self.type_ == Type::Null
    }

    /// The values of an L; nothing for any other type.
    #[must_use]
    pub fn list(self) -> Values<'a> {
        Values(if self.type_ == Type::L { self.payload } else { &[] })
    }

    /// The entries of an M, itself the form of an item.
    #[must_use]
    pub fn map(self) -> Option<ItemRef<'a>> {
        if self.type_ == Type::M { Some(ItemRef::new(self.payload)) } else { None }
    }

    /// The elements of an SS (UTF-8), NS (decimal text, ascending by number) or BS; nothing for any other type.
    #[must_use]
    pub fn set(self) -> Elements<'a> {
        Elements(if matches!(self.type_, Type::SS | Type::NS | Type::BS) { self.payload } else { &[] })
    }

    /// How many lists and maps hold each other in this value: none in a number, one in `[1]`. Passes over the value, no
    /// deeper than [`MAX_NESTING_LEVELS`].
    #[must_use]
    pub fn levels(self) -> usize {
        self.levels_up_to(MAX_NESTING_LEVELS)
    }

    fn levels_up_to(self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        let deepest = match self.type_ {
            Type::L => self.list().map(|value| value.levels_up_to(bound - 1)).max(),
            Type::M => self.entries().body_attributes().map(|(_, value)| value.levels_up_to(bound - 1)).max(),
            _ => return 0,
        };
        1 + deepest.unwrap_or(0)
    }

    /// The value as an owned one. Copies everything.
    #[must_use]
    pub fn to_value(self) -> Value {
        self.to_value_inside(0)
    }

    /// The entries of an M; none of any other type.
    pub(super) fn entries(self) -> ItemRef<'a> {
        self.map().unwrap_or_default()
    }

    /// The owned value of one inside this many levels. Malformed text, and what is nested too deep to be valid, reads
    /// as empty.
    fn to_value_inside(self, levels: usize) -> Value {
        let inner = levels + 1;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap_or_default();
        match self.type_ {
            Type::S => Value::S(text(self.payload)),
            Type::N => Value::N(text(self.payload)),
            Type::B => Value::B(Bytes::copy_from_slice(self.payload)),
            Type::Bool => Value::Bool(self.as_bool().unwrap_or_default()),
            Type::Null => Value::Null,
            Type::SS => Value::SS(self.set().map(text).collect()),
            Type::NS => Value::NS(self.set().map(text).collect()),
            Type::BS => Value::BS(self.set().map(Bytes::copy_from_slice).collect()),
            Type::L if levels == MAX_NESTING_LEVELS => Value::L(Vec::new()),
            Type::M if levels == MAX_NESTING_LEVELS => Value::M(HashMap::new()),
            Type::L => Value::L(self.list().map(|value| value.to_value_inside(inner)).collect()),
            Type::M => Value::M(self.entries().to_map(inner)),
        }
    }
}

impl fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_value().fmt(f)
    }
}

/// The attributes of an item; see [`ItemRef::iter`].
#[derive(Debug, Clone)]
pub struct Attributes<'a>(RawAttributes<'a>);

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.0.next()?;
        let Ok(name) = utf8(name) else {
            self.0 = RawAttributes::default();
            return None;
        };
        Some((name, value))
    }
}

/// The attributes that a body holds, with names that may not be UTF-8; see [`ItemRef::body_attributes`].
#[derive(Debug, Clone, Default)]
pub struct BodyAttributes<'a>(&'a [u8]);

impl<'a> BodyAttributes<'a> {
    /// The bytes not read yet: the attributes that are to come, in the stored form.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for BodyAttributes<'a> {
    type Item = (&'a [u8], ValueRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let mut cursor = self.0;
        // Whatever is malformed ends the iteration for good.
        self.0 = &[];
        let name = wire::take_bytes(&mut cursor)?;
        let (type_, payload) = wire::take_value(&mut cursor)?;
        self.0 = cursor;
        Some((name, ValueRef { type_, payload }))
    }
}

/// [`Attributes`] before their names are known to be UTF-8; see [`ItemRef::raw_iter`].
#[derive(Debug, Clone, Default)]
pub struct RawAttributes<'a> {
    body: BodyAttributes<'a>,
    /// The attributes that are not in the body, …
    key: Option<NamedKey<'a>>,
    /// … and how many of them were given.
    given: usize,
}

impl<'a> RawAttributes<'a> {
    /// The bytes not read yet: the attributes of the body that are to come, in the stored form.
    #[inline]
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.body.rest()
    }

    /// The next attribute, of the key or of the body.
    #[inline(never)]
    fn of_both(&mut self, key: NamedKey<'a>) -> Option<(&'a [u8], ValueRef<'a>)> {
        let Some((name, type_, payload)) = key.attribute(self.given) else {
            self.key = None;
            return self.body.next();
        };
        let mut ahead = self.rest();
        match wire::take_bytes(&mut ahead) {
            Some(of_body) if of_body < name.as_bytes() => self.body.next(),
            _ => {
                self.given += 1;
                Some((name.as_bytes(), ValueRef { type_, payload }))
            }
        }
    }
}

impl<'a> Iterator for RawAttributes<'a> {
    type Item = (&'a [u8], ValueRef<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self.key {
            None => self.body.next(),
            Some(key) => self.of_both(key),
        }
    }
}

/// The values of a list; see [`ValueRef::list`].
#[derive(Debug, Clone)]
pub struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The bytes not read yet: the values that are to come, in the stored form.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = ValueRef<'a>;

    fn next(&mut self) -> Option<ValueRef<'a>> {
        let mut cursor = self.0;
        self.0 = &[];
        let (type_, payload) = wire::take_value(&mut cursor)?;
        self.0 = cursor;
        Some(ValueRef { type_, payload })
    }
}

/// The elements of a set; see [`ValueRef::set`].
#[derive(Debug, Clone)]
pub struct Elements<'a>(&'a [u8]);

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let mut cursor = self.0;
        self.0 = &[];
        let element = wire::take_bytes(&mut cursor)?;
        self.0 = cursor;
        Some(element)
    }
}
