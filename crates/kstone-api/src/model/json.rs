//! Items as JSON text, in DynamoDB's typed form or plain.
//!
//! | type | [`JsonForm::Typed`] | [`JsonForm::Plain`], out | plain, in |
//! | --- | --- | --- | --- |
//! | S | `{"S":"text"}` | `"text"` | a string |
//! | N | `{"N":"30"}` | `30`, every digit | a number, every digit |
//! | B | `{"B":"aGk="}` | `"aGk="` | |
//! | BOOL | `{"BOOL":true}` | `true` | `true`, `false` |
//! | NULL | `{"NULL":true}` | `null` | `null` |
//! | L | `{"L":[…]}` | `[…]` | an array |
//! | M | `{"M":{…}}` | `{…}` | an object |
//! | SS, NS, BS | `{"SS":["a"]}`, `{"NS":["1"]}`, `{"BS":["aGk="]}` | an array | |
//!
//! Bytes are base64 of the standard alphabet, padded. Numbers never pass through a float. The typed form reads back as
//! the same item; plain JSON has no sign for bytes and sets, so they read back as strings and lists.
//!
//! Reading refuses whatever it would have to guess about: a name that stands twice in an object, an unknown type, a
//! value of no or of two types. Errors say which attribute, as a path such as `m.l[0]`, and at which line and column.
//! Work and memory are bounded by the length of the text and by an item's limits, nesting by
//! [`MAX_NESTING_LEVELS`](kstone_core::item::MAX_NESTING_LEVELS).

use crate::error::Result;
use kstone_core::item::{ItemRef, ItemWriter, ValueRef};
use kstone_core::record::Record;
use kstone_core::value::Value;

mod plain;
mod read;
mod write;

pub use plain::plain_len;

/// Which JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JsonForm {
    /// DynamoDB's: each value under the name of its type, as in `{"age":{"N":"30"}}`. Loses nothing.
    #[default]
    Typed,
    /// Everyday JSON, as in `{"age":30}`.
    Plain,
}

/// Reads an item: a JSON object.
///
/// Costs one pass over the text, and one copy; where names are not in the order of their bytes, another of their
/// object.
///
/// # Errors
/// [`Error::Invalid`](crate::Error::Invalid) for text that is no such item, saying where;
/// [`Error::Limit`](crate::Error::Limit) for an item that is larger or deeper than
/// any may be.
///
/// ```
/// use kstone_api::json::{JsonForm, item_from_str};
///
/// let mut item = item_from_str(r#"{"name":{"S":"Alice"},"age":{"N":"30"}}"#, JsonForm::Typed).unwrap();
/// assert_eq!(item.as_item().get("age").unwrap().as_number(), Some("30"));
///
/// let error = item_from_str(r#"{"m":{"l":[1,1e999]}}"#, JsonForm::Plain).unwrap_err().to_string();
/// assert!(error.starts_with("Number overflow.") && error.ends_with("(attribute m.l[1], line 1 column 14)"));
/// ```
pub fn item_from_str(text: &str, form: JsonForm) -> Result<ItemWriter> {
    let mut item = ItemWriter::new();
    read_item(&mut item, text, form)?;
    Ok(item)
}

/// [`item_from_str`] into a writer, in place of its attributes, for callers that read many. On an error it is empty.
///
/// # Errors
/// As [`item_from_str`].
pub fn read_item(item: &mut ItemWriter, text: &str, form: JsonForm) -> Result<()> {
    read::item(item, text, form)
}

/// Reads one value, such as `{"N":"30"}` or, plain, `30`.
///
/// # Errors
/// As [`item_from_str`].
///
/// ```
/// use kstone_api::KeystoneValue;
/// use kstone_api::json::{JsonForm, value_from_str};
///
/// let value = value_from_str("[1.50, null]", JsonForm::Plain).unwrap();
/// assert_eq!(value, KeystoneValue::list([KeystoneValue::number(1.5), KeystoneValue::null()]));
/// ```
pub fn value_from_str(text: &str, form: JsonForm) -> Result<Value> {
    let (type_, payload) = read::value("", text, form)?;
    Ok(ValueRef::from_parts(type_, &payload).to_value())
}

/// Sets an attribute to the value that [`value_from_str`] would give. Errors name the attribute; the item is then as it
/// was.
///
/// # Errors
/// As [`value_from_str`], and those of [`ItemWriter::set_value`].
pub fn set_from_str(item: &mut ItemWriter, name: &str, text: &str, form: JsonForm) -> Result<()> {
    let (type_, payload) = read::value(name, text, form)?;
    Ok(item.set_ref(name, ValueRef::from_parts(type_, &payload)).map(drop)?)
}

/// Writes an item, without spaces, its attributes in the order of their names.
///
/// ```
/// use kstone_api::json::{JsonForm, item_from_str, item_to_string};
///
/// let mut item = item_from_str(r#"{"n": 10000000000000000000000001.5}"#, JsonForm::Plain).unwrap();
/// assert_eq!(item_to_string(item.as_item(), JsonForm::Plain), r#"{"n":10000000000000000000000001.5}"#);
/// assert_eq!(item_to_string(item.as_item(), JsonForm::Typed), r#"{"n":{"N":"10000000000000000000000001.5"}}"#);
/// ```
#[must_use]
pub fn item_to_string(item: ItemRef<'_>, form: JsonForm) -> String {
    // Typed values take a dozen bytes more than stored ones, plain ones a few.
    let mut out = String::with_capacity(2 * item.as_bytes().len() + 2);
    write_item(&mut out, item, form);
    out
}

/// Writes one value.
#[must_use]
pub fn value_to_string(value: ValueRef<'_>, form: JsonForm) -> String {
    let mut out = String::new();
    write::value(&mut out, value, form, 0);
    out
}

/// [`item_to_string`] at the end of `out`, for callers that write many.
pub fn write_item(out: &mut String, item: ItemRef<'_>, form: JsonForm) {
    write::item(out, item, form, 0);
}

/// Appends the line of an item in an export, its end included.
pub(crate) fn write_line(out: &mut String, record: &Record) {
    write::line(out, record);
}

#[cfg(test)]
mod tests;
