//! What is asked of an item as a whole before it is written.

use kstone_core::item::{self, ItemRef, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::value::Type;
use kstone_core::{Error, Result};

/// Checks what DynamoDB checks of an item as a whole, and that it agrees with its key.
pub(crate) fn check_item(key: KeyRef<'_>, item: ItemRef<'_>) -> Result<()> {
    item::check_size(key.pk(), key.sk(), item)?;
    check_key_attribute(item, "pk", key.pk())?;
    check_key_attribute(item, "sk", key.sk())
}

/// A key as a value: S where it is UTF-8, B elsewhere; none where it is empty.
pub(crate) fn key_value(key: &[u8]) -> Option<ValueRef<'_>> {
    let type_ = if str::from_utf8(key).is_ok() { Type::S } else { Type::B };
    (!key.is_empty()).then(|| ValueRef::from_parts(type_, key))
}

/// Expressions see the key as `pk` and `sk`; an attribute of that name that says otherwise would make them lie.
fn check_key_attribute(item: ItemRef<'_>, name: &str, key: &[u8]) -> Result<()> {
    let Some(value) = item.get(name) else { return Ok(()) };
    let expected = key_value(key);
    if expected == Some(value) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "One or more parameter values were invalid: the attribute {name} must equal the item's key where it is present: \
         type {} with the bytes of the key",
        expected.map_or(Type::S, ValueRef::type_).name()
    )))
}
