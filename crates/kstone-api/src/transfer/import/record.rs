//! What a record of an import does: which item it puts, or which key it deletes.

use crate::error::{Error, Result};
use kstone_core::item::{ItemRef, ItemWriter, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::record::Record;
use kstone_core::value::Type;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::ImportOptions;
use super::form::Members;
use crate::model::json::{JsonForm, item_from_str};
use crate::table::state::TableState;

/// The attributes that are the key itself and do not stay in an item.
const KEY: [&str; 2] = ["pk", "sk"];

/// What a record does to the database.
pub(super) enum ImportedChange {
    /// Puts an item.
    Put(Record),
    /// Deletes the item with this key.
    Delete { pk: Vec<u8>, sk: Vec<u8> },
}

/// Reads the records of one input, which are all in one form.
pub(super) struct RecordReader<'a> {
    options: &'a ImportOptions,
    /// As the options say, or as the first record does.
    form: Option<JsonForm>,
}

impl<'a> RecordReader<'a> {
    pub(super) fn new(options: &'a ImportOptions) -> Self {
        Self { options, form: options.form }
    }

    /// Reads a record, checked in every respect that its write checks; none for a blank line.
    pub(super) fn read(&mut self, table: &TableState, bytes: &[u8]) -> Result<Option<ImportedChange>> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let text = str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
        self.change(table, text).map(Some).map_err(|error| {
            match Members::of(text).and_then(|members| members.is_no_item_but()) {
                Some(what) => Error::invalid(format!("this is {what}")),
                None => error,
            }
        })
    }

    fn change(&mut self, table: &TableState, text: &str) -> Result<ImportedChange> {
        let form = self.form_of(text);
        if form == JsonForm::Plain {
            return self.put(table, &mut item_from_str(text, form)?, form);
        }
        match first_name(text) {
            "Item" => match serde_json::from_str(text) {
                Ok(Wrapped { item }) => self.put(table, &mut item_within(text, item)?, form),
                Err(_) => self.put(table, &mut item_from_str(text, form)?, form),
            },
            "Metadata" | "Keys" | "NewImage" | "OldImage" => match serde_json::from_str(text) {
                Ok(Changed { keys, new_image: Some(item), .. }) => {
                    let mut item = item_within(text, item)?;
                    check_keys(item_within(text, keys)?.as_item(), item.as_item())?;
                    self.put(table, &mut item, form)
                }
                Ok(Changed { keys, .. }) => {
                    let mut keys = item_within(text, keys)?;
                    let (pk, sk) = key_of(self.options, keys.as_item(), form)?;
                    let key = KeyRef::new(pk, sk)?;
                    Ok(ImportedChange::Delete { pk: key.pk().to_vec(), sk: key.sk().to_vec() })
                }
                Err(_) => self.put(table, &mut item_from_str(text, form)?, form),
            },
            _ => self.put(table, &mut item_from_str(text, form)?, form),
        }
    }

    fn put(&self, table: &TableState, item: &mut ItemWriter, form: JsonForm) -> Result<ImportedChange> {
        let item = item.as_item();
        let (pk, sk) = key_of(self.options, item, form)?;
        let key = KeyRef::new(pk, sk)?;
        let body = without_key(item, key, form);
        table.check_new(key, ItemRef::new(&body))?;
        Ok(ImportedChange::Put(Record::put(key, &body)))
    }

    /// The form of the input. The first record that is an object settles it.
    fn form_of(&mut self, text: &str) -> JsonForm {
        if self.form.is_none() {
            let wraps = |text| serde_json::from_str(text).is_ok_and(|Wrapped { item }| item.get().starts_with('{'));
            let partition_key = self.options.partition_key.as_deref().unwrap_or(KEY[0]);
            self.form = match first_name(text) {
                "Item" if wraps(text) => Some(JsonForm::Typed),
                "Metadata" | "Keys" if serde_json::from_str::<Changed<'_>>(text).is_ok() => Some(JsonForm::Typed),
                _ => Members::of(text).map(|members| members.form(partition_key)),
            };
        }
        self.form.unwrap_or_default()
    }
}

/// A line of a full export.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    #[serde(borrow, rename = "Item")]
    item: &'a RawValue,
}

/// A line of an incremental export: an item that was put, or, without a new image, one that was deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Changed<'a> {
    #[serde(rename = "Metadata")]
    _metadata: IgnoredAny,
    #[serde(borrow)]
    keys: &'a RawValue,
    #[serde(borrow)]
    new_image: Option<&'a RawValue>,
    #[serde(rename = "OldImage")]
    _old_image: Option<IgnoredAny>,
}

/// The name of an object's first member as it is written; empty where there is none.
fn first_name(text: &str) -> &str {
    let name = text.trim_start().strip_prefix('{').and_then(|members| members.trim_start().strip_prefix('"'));
    name.and_then(|name| name.split_once('"')).map_or("", |(name, _)| name)
}

/// Reads an item that is a part of the text. Errors count lines and columns of the whole text.
fn item_within(text: &str, item: &RawValue) -> Result<ItemWriter> {
    item_from_str(item.get(), JsonForm::Typed).or_else(|_| {
        // Once more with blanks for what stands before it.
        let before = &text[..item.get().as_ptr() as usize - text.as_ptr() as usize];
        let blanks = before.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        item_from_str(&blanks.chain(item.get().chars()).collect::<String>(), JsonForm::Typed)
    })
}

/// Refuses a change whose item is not the one that its keys name: one of the two is damaged.
fn check_keys(keys: ItemRef<'_>, item: ItemRef<'_>) -> Result<()> {
    match keys.iter().find(|(name, value)| item.get(name) != Some(*value)) {
        Some((name, _)) => Err(Error::invalid(format!("the attribute {name} of Keys is not that of NewImage"))),
        None => Ok(()),
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Error {
    let line = memchr::memchr_iter(b'\n', &bytes[..valid]).count() + 1;
    let column = valid - memchr::memrchr(b'\n', &bytes[..valid]).map_or(0, |end| end + 1) + 1;
    Error::invalid(format!("not UTF-8: line {line} column {column}"))
}

fn key_of<'a>(options: &ImportOptions, item: ItemRef<'a>, form: JsonForm) -> Result<(&'a [u8], &'a [u8])> {
    let missing = |name: &str| Error::invalid(format!("the key attribute {name} is missing"));
    let pk_name = options.partition_key.as_deref().unwrap_or(KEY[0]);
    let pk = key_bytes(item, pk_name, form)?.ok_or_else(|| missing(pk_name))?;
    let sk = match &options.sort_key {
        Some(name) => key_bytes(item, name, form)?.ok_or_else(|| missing(name))?,
        None if options.partition_key.is_some() => &[],
        None => key_bytes(item, KEY[1], form)?.unwrap_or_default(),
    };
    Ok((pk, sk))
}

/// The bytes of a key attribute: text, bytes, or the canonical text of a number. In the plain form any number may become
/// text; the typed form says that it is meant to stay a number, which `pk` and `sk` cannot.
fn key_bytes<'a>(item: ItemRef<'a>, name: &str, form: JsonForm) -> Result<Option<&'a [u8]>> {
    let Some(value) = item.get(name) else { return Ok(None) };
    match value.type_() {
        Type::N if KEY.contains(&name) && form == JsonForm::Typed => Err(Error::invalid(format!(
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
fn without_key(item: ItemRef<'_>, key: KeyRef<'_>, form: JsonForm) -> Vec<u8> {
    let says = |value: ValueRef<'_>, key: &[u8]| {
        let may_be_key =
            matches!(value.type_(), Type::S | Type::B) || value.type_() == Type::N && form == JsonForm::Plain;
        may_be_key && value.payload() == key
    };
    let of_key =
        [(KEY[0], key.pk()), (KEY[1], key.sk())].map(|(name, key)| item.get(name).is_some_and(|v| says(v, key)));
    let mut body = Vec::with_capacity(item.as_bytes().len());
    item.copy_where(&mut body, |name| !KEY.iter().zip(of_key).any(|(key, of_key)| of_key && name == *key));
    body
}
