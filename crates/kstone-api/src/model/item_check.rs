//! What is asked of an item as a whole before it is written.

use crate::error::{Reason, Result, StorageReason};
use kstone_core::item::{self, ItemRef, ItemWriter, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::key_layout::{KeyLayout, KeyPart};
use kstone_core::value::Type;

/// Checks what DynamoDB checks of an item as a whole, and that it agrees with its key: expressions see the key as `pk`
/// and `sk`, so that an attribute of that name that says otherwise would make them lie.
#[inline]
pub(crate) fn check_item(key: &KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
    item::check_size(key, item)?;
    if key.label().is_empty() { check_key_attributes(key, item) } else { Ok(()) }
}

/// Checks the attributes of an item of an untyped table that are named as its key.
#[inline(never)]
fn check_key_attributes(key: &KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
    for (name, value) in item.body_attributes() {
        match name {
            b"pk" => check_key_attribute("pk", value, key.pk())?,
            b"sk" => check_key_attribute("sk", value, key.sk())?,
            // Names further on are greater still.
            [b't'..=0xff, ..] => break,
            _ => {}
        }
    }
    Ok(())
}

fn check_key_attribute(name: &'static str, value: ValueRef<'_>, key: &[u8]) -> Result<()> {
    if matches!(value.type_(), Type::S | Type::B) && value.payload() == key && !key.is_empty() {
        return Ok(());
    }
    Err(Reason::KeyAttributeDiffers { name }.into())
}

/// The key of an item of an untyped table that holds it: its attributes `pk` and, where it has one, `sk`.
pub(crate) fn untyped_key(item: ItemRef<'_>) -> Result<(&[u8], &[u8])> {
    let layout = KeyLayout::untyped();
    let payload = |part: &KeyPart| match item.get(part.name()) {
        None => Ok(None),
        Some(value) => part.check(value.type_(), value.payload()).map(|()| Some(value.payload())),
    };
    let name = || layout.partition().name().into();
    let pk =
        payload(layout.partition()).and_then(|pk| pk.ok_or_else(|| StorageReason::KeyMissing { name: name() }.into()));
    let sk = layout.sort().map_or(Ok(None), payload);
    Ok((pk?, sk?.unwrap_or_default()))
}

/// A key as an item of the attributes `pk` and `sk`, in the stored form.
pub(crate) fn keys_only(pk: &[u8], sk: &[u8]) -> Vec<u8> {
    let mut writer = ItemWriter::new();
    for (name, key) in [("pk", pk), ("sk", sk)] {
        match std::str::from_utf8(key) {
            Ok("") => continue,
            Ok(text) => writer.set_str(name, text),
            Err(_) => writer.set_bin(name, key),
        }
        .expect("a key is far smaller than an item may be");
    }
    writer.into_body()
}
