//! What a line of an import says: an item and its key.

use crate::error::{Error, Result};
use kstone_core::item::{ItemRef, ItemWriter, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::value::Type;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{ImportOptions, Line};
use crate::IMPORT_LINE_MAX_BYTES;
use crate::model::json::{JsonForm, item_from_str};
use crate::table::Table;

/// The attributes that are the key itself and do not stay in an item.
const KEY: [&str; 2] = ["pk", "sk"];

/// Reads a line into a record to be put, checked in every respect that a put checks; none for a blank one.
pub(super) fn read(options: &ImportOptions, table: &Table, line: &Line<'_>) -> Result<Option<Record>> {
    let Line::Bytes(bytes) = line else {
        return Err(Error::invalid(format!("the line is longer than {IMPORT_LINE_MAX_BYTES} bytes")));
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let text = str::from_utf8(bytes)
        .map_err(|error| Error::invalid(format!("the line is not UTF-8: column {}", error.valid_up_to() + 1)))?;
    let mut item = item_of(text)?;
    let item = item.as_item();
    let (pk, sk) = key_of(options, item)?;
    let key = KeyRef::new(pk, sk)?;
    let body = without_key(item, key);
    table.check_new(key, ItemRef::new(&body))?;
    Ok(Some(Record::put(key, &body)))
}

/// A line of an export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    #[serde(borrow, rename = "Item")]
    item: &'a RawValue,
}

/// The item on a line: what the member `Item` holds where it is the only one, the line itself elsewhere.
fn item_of(line: &str) -> Result<ItemWriter> {
    // An array would do for serde, too.
    let is_object = line.trim_start().starts_with('{');
    let wrapped = serde_json::from_str::<Wrapped<'_>>(line).ok().filter(|_| is_object);
    let Some(Wrapped { item }) = wrapped else { return item_from_str(line, JsonForm::Typed).map_err(by_column) };
    item_from_str(item.get(), JsonForm::Typed).or_else(|_| {
        // Once more with spaces for what stands before it, so that the error counts the columns of the line.
        let before = item.get().as_ptr() as usize - line.as_ptr() as usize;
        item_from_str(&(" ".repeat(before) + item.get()), JsonForm::Typed).map_err(by_column)
    })
}

/// The same about a text of one line, whose number others say.
fn by_column(error: Error) -> Error {
    let mut text = error.to_string();
    if let Some(at) = text.rfind("line 1 column") {
        text.replace_range(at..at + "line 1 ".len(), "");
    }
    Error::invalid(text)
}

fn key_of<'a>(options: &ImportOptions, item: ItemRef<'a>) -> Result<(&'a [u8], &'a [u8])> {
    let missing = |name: &str| Error::invalid(format!("the key attribute {name} is missing"));
    let pk_name = options.partition_key.as_deref().unwrap_or(KEY[0]);
    let pk = key_bytes(item, pk_name)?.ok_or_else(|| missing(pk_name))?;
    let sk = match &options.sort_key {
        Some(name) => key_bytes(item, name)?.ok_or_else(|| missing(name))?,
        None if options.partition_key.is_some() => &[],
        None => key_bytes(item, KEY[1])?.unwrap_or_default(),
    };
    Ok((pk, sk))
}

/// The bytes of a key attribute: text, bytes, or the canonical text of a number.
fn key_bytes<'a>(item: ItemRef<'a>, name: &str) -> Result<Option<&'a [u8]>> {
    let Some(value) = item.get(name) else { return Ok(None) };
    match value.type_() {
        Type::N if KEY.contains(&name) => Err(Error::invalid(format!(
            "the key attribute {name} is a number: pk and sk are the key itself, which is text or bytes; a number can be \
             the key under any other name, since it stays in the item then"
        ))),
        Type::S | Type::B | Type::N if value.payload().is_empty() => {
            Err(Error::invalid(format!("the key attribute {name} is empty")))
        }
        Type::S | Type::B | Type::N => Ok(Some(value.payload())),
        other => {
            Err(Error::invalid(format!("the key attribute {name} is of type {}, it may be S, B or N", other.name())))
        }
    }
}

/// The body without the attributes `pk` and `sk` that say what the key says.
fn without_key(item: ItemRef<'_>, key: KeyRef<'_>) -> Vec<u8> {
    let says = |value: ValueRef<'_>, key: &[u8]| matches!(value.type_(), Type::S | Type::B) && value.payload() == key;
    let of_key =
        [(KEY[0], key.pk()), (KEY[1], key.sk())].map(|(name, key)| item.get(name).is_some_and(|v| says(v, key)));
    let mut body = Vec::with_capacity(item.as_bytes().len());
    item.copy_where(&mut body, |name| !KEY.iter().zip(of_key).any(|(key, of_key)| of_key && name == *key));
    body
}
