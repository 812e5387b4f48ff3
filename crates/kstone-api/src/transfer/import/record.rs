//! What a record of an import does: which item it puts, or which key it deletes.

use crate::error::{Error, Reason, Result};
use kstone_core::item::{ItemRef, ItemWriter, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::typed_key::KeyScratch;
use kstone_core::value::Type;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::form::Members;
use super::records::RecordText;
use super::{IMPORT_LINE_MAX_BYTES, ImportOptions};
use crate::model::json::{JsonForm, read_item};
use crate::table::state::TableState;

/// The attributes that are the key of an untyped table itself and do not stay in an item.
const KEY: [&str; 2] = ["pk", "sk"];

/// What a record does to the database.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// Puts an item.
    Put,
    /// Deletes the item with this key.
    Delete,
}

/// What a record says, the bytes of it in a buffer that many share.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) action: Action,
    /// Where its partition key begins, its sort key, its body, and where that ends.
    bounds: [usize; 4],
}

impl Change {
    /// Appends the key, as callers give it, and what `body` appends.
    fn append(action: Action, key: KeyRef<'_>, to: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) -> Self {
        let pk = to.len();
        to.extend_from_slice(key.label().pk_number().unwrap_or(key.pk()));
        let sk = to.len();
        to.extend_from_slice(key.label().sk_number().unwrap_or(key.sk()));
        let item = to.len();
        body(to);
        Self { action, bounds: [pk, sk, item, to.len()] }
    }

    /// Partition key, sort key and body, in the buffer that the change is in.
    pub(super) fn parts(self, buffer: &[u8]) -> [&[u8]; 3] {
        let [pk, sk, item, end] = self.bounds;
        [&buffer[pk..sk], &buffer[sk..item], &buffer[item..end]]
    }
}

/// Reads the records of one input, which are all in one form.
pub(super) struct RecordReader<'a> {
    options: &'a ImportOptions,
    /// As the options say, or as the first record does.
    form: Option<JsonForm>,
    /// What a record is read into, kept for its capacity.
    item: ItemWriter,
}

impl<'a> RecordReader<'a> {
    pub(super) fn new(options: &'a ImportOptions) -> Self {
        Self { options, form: options.form, item: ItemWriter::new() }
    }

    pub(super) fn of_form(options: &'a ImportOptions, form: JsonForm) -> Self {
        Self { form: Some(form), ..Self::new(options) }
    }

    /// The form of the input, where it is settled.
    pub(super) fn form(&self) -> Option<JsonForm> {
        self.form
    }

    /// Reads a record, checked in every respect that its write checks, and appends it to the buffer; none for a blank
    /// line. On an error the buffer is as it was.
    pub(super) fn read(
        &mut self,
        table: &TableState,
        text: RecordText<'_>,
        to: &mut Vec<u8>,
    ) -> Result<Option<Change>> {
        let too_long = |what| Error::from(Reason::RecordTooLong { what, max: IMPORT_LINE_MAX_BYTES });
        let bytes = text.map_err(too_long)?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        let text = str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
        let before = to.len();
        self.change(table, text, to).map(Some).map_err(|error| {
            to.truncate(before);
            match Members::of(text).and_then(|members| members.is_no_item_but()) {
                Some(what) => Error::from(Reason::NoItemBut { what }),
                None => error,
            }
        })
    }

    fn change(&mut self, table: &TableState, text: &str, to: &mut Vec<u8>) -> Result<Change> {
        let form = self.form_of(table, text);
        match first_name(text) {
            "Item" if form == JsonForm::Typed && !self.reads_exported(text) => match serde_json::from_str(text) {
                Ok(Wrapped { item }) => read_item_within(&mut self.item, text, item)?,
                Err(_) => read_item(&mut self.item, text, form)?,
            },
            "Item" if form == JsonForm::Typed => {}
            "Metadata" | "Keys" | "NewImage" | "OldImage" if form == JsonForm::Typed => {
                match serde_json::from_str(text) {
                    Ok(changed) => return self.changed(table, text, &changed, to),
                    Err(_) => read_item(&mut self.item, text, form)?,
                }
            }
            _ => read_item(&mut self.item, text, form)?,
        }
        self.put(table, form, to)
    }

    /// Reads the item of a line that is as exports write it, without a look at the whole line before. Where it is not,
    /// says so.
    fn reads_exported(&mut self, line: &str) -> bool {
        let item = line.strip_prefix("{\"Item\":").and_then(|rest| rest.strip_suffix('}'));
        item.is_some_and(|item| read_item(&mut self.item, item, JsonForm::Typed).is_ok())
    }

    fn changed(&mut self, table: &TableState, text: &str, changed: &Changed<'_>, to: &mut Vec<u8>) -> Result<Change> {
        let form = JsonForm::Typed;
        let mut keys = ItemWriter::new();
        let Some(item) = changed.new_image else {
            read_item_within(&mut keys, text, changed.keys)?;
            let scratch = &mut KeyScratch::default();
            let key = match table.keys {
                Some(layout) => layout.key_of(keys.as_item(), scratch)?,
                None => key_of(self.options, keys.as_item(), form)?,
            };
            return Ok(Change::append(Action::Delete, key, to, |_| ()));
        };
        read_item_within(&mut self.item, text, item)?;
        read_item_within(&mut keys, text, changed.keys)?;
        check_keys(keys.as_item(), self.item.as_item())?;
        self.put(table, form, to)
    }

    /// Appends the item that was read.
    fn put(&mut self, table: &TableState, form: JsonForm, to: &mut Vec<u8>) -> Result<Change> {
        let item = self.item.as_item();
        let scratch = &mut KeyScratch::default();
        let (key, put) = match table.keys {
            Some(layout) => {
                let split = layout.split(item, scratch)?;
                (split.key, Change::append(Action::Put, split.key, to, |to| split.put_rest(to)))
            }
            None => {
                let key = key_of(self.options, item, form)?;
                (key, Change::append(Action::Put, key, to, |to| copy_without_key(to, item, key, form)))
            }
        };
        let [.., body] = put.parts(to);
        table.check_new(key, ItemRef::new(body))?;
        Ok(put)
    }

    /// The form of the input. The first record that is an object settles it.
    fn form_of(&mut self, table: &TableState, text: &str) -> JsonForm {
        if self.form.is_none() {
            let wraps = |text| serde_json::from_str(text).is_ok_and(|Wrapped { item }| item.get().starts_with('{'));
            let partition_key = self.options.partition_key.as_deref().unwrap_or(table.layout().partition().name());
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
fn read_item_within(writer: &mut ItemWriter, text: &str, item: &RawValue) -> Result<()> {
    read_item(writer, item.get(), JsonForm::Typed).or_else(|_| {
        // Once more with blanks for what stands before it.
        let before = &text[..item.get().as_ptr() as usize - text.as_ptr() as usize];
        let blanks = before.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
        read_item(writer, &blanks.chain(item.get().chars()).collect::<String>(), JsonForm::Typed)
    })
}

/// Refuses a change whose item is not the one that its keys name: one of the two is damaged.
fn check_keys(keys: ItemRef<'_>, item: ItemRef<'_>) -> Result<()> {
    match keys.iter().find(|(name, value)| item.get(name) != Some(*value)) {
        Some((name, _)) => Err(Error::from(Reason::KeysDiffer { name: name.into() })),
        None => Ok(()),
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Error {
    let line = memchr::memchr_iter(b'\n', &bytes[..valid]).count() + 1;
    let column = valid - memchr::memrchr(b'\n', &bytes[..valid]).map_or(0, |end| end + 1) + 1;
    Error::from(Reason::NotUtf8 { line, column })
}

/// The key of an item of an untyped table.
fn key_of<'a>(options: &ImportOptions, item: ItemRef<'a>, form: JsonForm) -> Result<KeyRef<'a>> {
    let missing = |name: &str| Error::from(Reason::ImportKeyMissing { name: name.into() });
    let pk_name = options.partition_key.as_deref().unwrap_or(KEY[0]);
    let pk = key_bytes(item, pk_name, form)?.ok_or_else(|| missing(pk_name))?;
    let sk = match &options.sort_key {
        Some(name) => key_bytes(item, name, form)?.ok_or_else(|| missing(name))?,
        None if options.partition_key.is_some() => &[],
        None => key_bytes(item, KEY[1], form)?.unwrap_or_default(),
    };
    Ok(KeyRef::new(pk, sk)?)
}

/// The bytes of a key attribute: text, bytes, or the canonical text of a number. In the plain form any number may become
/// text; the typed form says that it is meant to stay a number, which `pk` and `sk` cannot.
fn key_bytes<'a>(item: ItemRef<'a>, name: &str, form: JsonForm) -> Result<Option<&'a [u8]>> {
    let Some(value) = item.get(name) else { return Ok(None) };
    match value.type_() {
        Type::N if KEY.contains(&name) && form == JsonForm::Typed => {
            Err(Error::from(Reason::ImportKeyNumber { name: name.into() }))
        }
        Type::S | Type::B | Type::N if value.payload().is_empty() => {
            Err(Error::from(Reason::ImportKeyEmpty { name: name.into() }))
        }
        Type::S | Type::B | Type::N => Ok(Some(value.payload())),
        other => Err(Error::from(Reason::ImportKeyType { name: name.into(), type_: other.name() })),
    }
}

/// Appends the body without the attributes `pk` and `sk` that say what the key says.
fn copy_without_key(to: &mut Vec<u8>, item: ItemRef<'_>, key: KeyRef<'_>, form: JsonForm) {
    let says = |value: ValueRef<'_>, key: &[u8]| {
        let may_be_key =
            matches!(value.type_(), Type::S | Type::B) || value.type_() == Type::N && form == JsonForm::Plain;
        may_be_key && value.payload() == key
    };
    let of_key =
        [(KEY[0], key.pk()), (KEY[1], key.sk())].map(|(name, key)| item.get(name).is_some_and(|v| says(v, key)));
    item.copy_where(to, |name| !KEY.iter().zip(of_key).any(|(key, of_key)| of_key && name == *key));
}
