//! Items, keys and values of requests as the tables below take them.
//!
//! ```text
//! {"n":{"N":"1"},"pk":{"S":"a"},"l":{"L":[{"S":"x"}]}}  ─►  key  pk "a"
//!                                                           body "l" L[S "x"] "n" N 1       names ascending
//! ```
//! A value is written from its place in the body straight into the stored form; the one pass and the rules have seen that
//! it is one, so that nothing is left to be refused but what depends on a table. Recursion ends with the levels that a
//! value may have.
//!
//! Thread safety: plain values.

mod plain;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_api::error::StorageReason;
use kstone_api::{KeyLayout, KeyType, Type, ValueRef};
use kstone_core::buffer::{Buffer, StackBuffer};
use kstone_core::item::{BODY_MAX_BYTES, parts};
use kstone_core::number::compare_bytes;
use smallvec::SmallVec;

use crate::call::Call;
use crate::json::Quoted;
use crate::number;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::value;
use crate::view::Value;

/// The body of an item: of up to so many bytes on the stack.
pub(crate) type Body = StackBuffer<2048>;

/// A key of a request: the bytes of its parts, as [`kstone_api::Table::get_record`] takes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestKey<'a> {
    pub(crate) pk: Cow<'a, [u8]>,
    /// Empty where the table has no sort key.
    pub(crate) sk: Cow<'a, [u8]>,
}

/// What a map has of the attributes of a key.
#[derive(Debug, Default)]
struct KeyAttributes<'a> {
    values: [Option<Cow<'a, [u8]>>; 2],
    /// The types of those that have another one than the key's.
    mistyped: [Option<Type>; 2],
}

impl<'a> KeyAttributes<'a> {
    /// Takes an attribute, if it is one of the key.
    fn take(&mut self, layout: &KeyLayout, name: Quoted<'_>, value: (Type, Quoted<'a>)) -> Result<bool, Text> {
        let mut parts = layout.parts().enumerate();
        let Some((at, part)) = parts.find(|(_, part)| name.is(part.name())) else { return Ok(false) };
        let (type_, text) = value;
        if part.types().contains(&type_) {
            self.values[at] = Some(part_bytes(type_, text)?);
            self.mistyped[at] = None;
        } else {
            self.mistyped[at] = Some(type_);
        }
        Ok(true)
    }

    /// The key, whose attributes are all there and of their types.
    fn key(self, call: &Call<'_>, layout: &KeyLayout) -> Result<RequestKey<'a>, Refusal> {
        for (part, value) in layout.parts().zip(&self.values) {
            if value.as_ref().is_some_and(|value| value.is_empty()) {
                let type_ = part.type_().map_or(Type::S, KeyType::type_);
                part.check(type_, &[]).map_err(|error| call.below(&error.into()))?;
            }
        }
        let [pk, sk] = self.values;
        Ok(RequestKey { pk: pk.unwrap_or_default(), sk: sk.unwrap_or_default() })
    }
}

/// The key that a map of attributes is: exactly those of the table's key, of their types.
///
/// # Errors
/// A ValidationException for any other map, and for an attribute that is empty.
pub(crate) fn key<'a>(call: &Call<'_>, map: Value<'a>, layout: &KeyLayout) -> Result<RequestKey<'a>, Refusal> {
    let mismatch = || Refusal::validation(Text::KeyElementMismatch);
    let mut found = KeyAttributes::default();
    for (name, value) in map.entries() {
        let (type_, inner) = value::typed(value).ok_or_else(mismatch)?;
        if !found.take(layout, name, (type_, inner.quoted())).map_err(Refusal::validation)? {
            return Err(mismatch());
        }
    }
    let has_all = layout.parts().zip(&found.values).all(|(_, value)| value.is_some());
    if !has_all || found.mistyped.iter().any(Option::is_some) {
        return Err(mismatch());
    }
    found.key(call, layout)
}

/// Takes an item apart into its key and the body of its other attributes, which is appended to `body`.
///
/// # Errors
/// A ValidationException for an attribute of the key that is missing, of another type or empty.
pub(crate) fn item<'a>(
    call: &Call<'_>,
    map: Value<'a>,
    layout: &KeyLayout,
    body: &mut impl Buffer,
) -> Result<RequestKey<'a>, Refusal> {
    let mut found = KeyAttributes::default();
    if map.is_plain() {
        plain::put_map(body, map, Some((layout, &mut found))).map_err(Refusal::validation)?;
    } else {
        let mut entries = Entries::new();
        for (name, value) in map.entries() {
            let of_key = value::typed(value).map(|(type_, inner)| (type_, inner.quoted()));
            let of_key = of_key.ok_or_else(|| Refusal::validation(Text::EmptyValue))?;
            if !found.take(layout, name, of_key).map_err(Refusal::validation)? {
                entries.push((name.decode(), value));
            }
        }
        put_in_order(&mut entries, body).map_err(Refusal::validation)?;
    }
    for ((part, value), mistyped) in layout.parts().zip(&found.values).zip(found.mistyped) {
        match (value, mistyped) {
            (_, Some(type_)) => part.check(type_, &[0]).map_err(|error| call.below(&error.into()))?,
            (None, None) => {
                let missing = StorageReason::KeyMissing { name: part.name().into() };
                return Err(call.below(&kstone_core::Error::from(missing).into()));
            }
            (Some(_), None) => {}
        }
    }
    found.key(call, layout)
}

/// The bytes by which tables name a key attribute of this type.
fn part_bytes<'t>(type_: Type, text: Quoted<'t>) -> Result<Cow<'t, [u8]>, Text> {
    let bytes = |text: Cow<'t, str>| match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    Ok(match (type_, text.decode()) {
        (Type::B, text) => Cow::Owned(decoded_text(&text)?),
        (Type::N, Cow::Borrowed(text)) => bytes(number::canonical(text)?),
        (Type::N, Cow::Owned(text)) => Cow::Owned(number::canonical(&text)?.into_owned().into_bytes()),
        (_, text) => bytes(text),
    })
}

/// A value in its stored form.
#[derive(Debug, Clone)]
pub(crate) struct StoredValue {
    type_: Type,
    payload: Vec<u8>,
}

impl StoredValue {
    /// A value of a request that was checked.
    ///
    /// # Errors
    /// What no value may be.
    pub(crate) fn of(value: Value<'_>) -> Result<Self, Text> {
        let (type_, inner) = value::typed(value).ok_or(Text::EmptyValue)?;
        let mut payload = Vec::new();
        put_payload(&mut payload, type_, inner, 0)?;
        Ok(Self { type_, payload })
    }

    pub(crate) fn get(&self) -> ValueRef<'_> {
        ValueRef::from_parts(self.type_, &self.payload)
    }

    pub(crate) fn type_(&self) -> Type {
        self.type_
    }
}

/// The entries of a map, to be put in order.
type Entries<'a> = SmallVec<[(Cow<'a, str>, Value<'a>); 12]>;

/// Appends the attributes of a map, in the order of their names.
///
/// # Errors
/// What no value may be; values that are larger than any item.
pub(crate) fn put_map(out: &mut impl Buffer, map: Value<'_>) -> Result<(), Text> {
    if map.is_plain() {
        return plain::put_map(out, map, None);
    }
    let mut entries: Entries<'_> = map.entries().map(|(name, value)| (name.decode(), value)).collect();
    put_in_order(&mut entries, out)
}

fn put_in_order(entries: &mut Entries<'_>, out: &mut impl Buffer) -> Result<(), Text> {
    if !entries.is_sorted_by(|(a, _), (b, _)| a <= b) {
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    }
    entries.iter().try_for_each(|(name, value)| put_entry(out, name, *value, 0))
}

fn put_entry(out: &mut impl Buffer, name: &str, value: Value<'_>, levels: usize) -> Result<(), Text> {
    parts::append_name(out, name);
    put_value(out, value, levels)
}

/// Appends a value that is inside this many levels.
fn put_value(out: &mut impl Buffer, value: Value<'_>, levels: usize) -> Result<(), Text> {
    let (type_, inner) = value::typed(value).ok_or(Text::EmptyValue)?;
    parts::append_framed(out, type_, |out| put_payload(out, type_, inner, levels))
}

fn put_payload(out: &mut impl Buffer, type_: Type, inner: Value<'_>, levels: usize) -> Result<(), Text> {
    match type_ {
        Type::S => out.extend_from_slice(inner.text().as_bytes()),
        Type::N => out.extend_from_slice(number::canonical(&inner.text())?.as_bytes()),
        Type::B => put_base64(out, &inner.text())?,
        Type::Bool => out.push(u8::from(inner.boolean())),
        Type::Null => {}
        Type::SS | Type::NS | Type::BS => put_set(out, type_, inner)?,
        Type::L | Type::M if levels >= value::MAX_LEVELS => return Err(Text::NestedTooDeep),
        Type::L => inner.elements().try_for_each(|element| put_value(out, element, levels + 1))?,
        Type::M => put_nested_map(out, inner, levels + 1)?,
    }
    too_large(out)
}

/// A number of a few characters can be one of a hundred and thirty bytes.
fn too_large(out: &impl Buffer) -> Result<(), Text> {
    if out.len() > 2 * BODY_MAX_BYTES { Err(Text::ItemTooLarge) } else { Ok(()) }
}

/// Apart, and with its list on the heap, so that the frames of the recursion stay small.
#[inline(never)]
fn put_nested_map(out: &mut impl Buffer, map: Value<'_>, levels: usize) -> Result<(), Text> {
    let mut entries: Vec<(Cow<'_, str>, Value<'_>)> =
        map.entries().map(|(name, value)| (name.decode(), value)).collect();
    entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    entries.iter().try_for_each(|(name, value)| put_entry(out, name, *value, levels))
}

#[inline(never)]
fn put_set(out: &mut impl Buffer, type_: Type, set: Value<'_>) -> Result<(), Text> {
    let bytes = |element: Value<'_>| {
        let text = element.text();
        Ok(match type_ {
            Type::BS => decoded_text(&text)?,
            Type::NS => number::canonical(&text)?.into_owned().into_bytes(),
            _ => text.into_owned().into_bytes(),
        })
    };
    let mut elements = set.elements().map(bytes).collect::<Result<Vec<_>, Text>>()?;
    match type_ {
        Type::NS => elements.sort_unstable_by(|a, b| compare_bytes(a, b)),
        _ => elements.sort_unstable(),
    }
    elements.iter().for_each(|element| parts::append_element(out, element));
    Ok(())
}

#[inline(never)]
fn put_base64(out: &mut impl Buffer, text: &str) -> Result<(), Text> {
    out.extend_from_slice(&decoded_text(text)?);
    Ok(())
}

/// What the one pass has found to be Base64.
fn decoded_text(text: &str) -> Result<Vec<u8>, Text> {
    STANDARD.decode(text).map_err(|_| Text::NotBase64Type)
}

#[cfg(test)]
mod tests;
