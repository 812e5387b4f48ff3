//! Keys that statements name: what a clause or an item says, as bytes of the table's key.
//!
//! Thread safety: borrows only.

use crate::error::{Error, Reason, Result};
use kstone_core::item::{ItemRef, ValueRef};
use kstone_core::key::KeyRef;
use kstone_core::key_layout::KeyPart;
use kstone_core::label::InternedLayout;
use kstone_core::typed_key::{KeyScratch, MadeKey, PartScratch};

use crate::expression::SortCondition;
use crate::model::item_check::untyped_key;
use crate::request::sort_key::SortKeyCondition;
use crate::table::state::layout_of;

/// The key of these values in a table of this layout; a table without sort key, and an item of an untyped one, has no
/// second.
///
/// # Errors
/// [`Error::Invalid`] for a value that is of another type than the table's key, or empty; as [`KeyRef::new`].
pub(super) fn named_key(
    keys: Option<&'static InternedLayout>,
    pk: ValueRef<'_>,
    sk: Option<ValueRef<'_>>,
) -> Result<MadeKey> {
    let layout = layout_of(keys);
    let pk = payload(layout.partition(), pk)?;
    let sk = layout.sort().zip(sk).map_or(Ok(&[][..]), |(part, sk)| payload(part, sk))?;
    Ok(match keys {
        None => MadeKey::of(KeyRef::new(pk, sk)?),
        Some(layout) => MadeKey::of(layout.key(pk, sk, &mut KeyScratch::default())?),
    })
}

/// The key that these key attributes of an item are.
///
/// # Errors
/// [`Error::Invalid`] naming the attribute that is missing, of another type or empty; as [`KeyRef::new`].
pub(super) fn key_of_item(keys: Option<&'static InternedLayout>, attributes: ItemRef<'_>) -> Result<MadeKey> {
    Ok(match keys {
        None => {
            let (pk, sk) = untyped_key(attributes)?;
            MadeKey::of(KeyRef::new(pk, sk)?)
        }
        Some(layout) => MadeKey::of(layout.split(attributes, &mut KeyScratch::default())?.key),
    })
}

/// The bytes that a value is in a key.
///
/// # Errors
/// [`Error::Invalid`] for a value that is of another type than the key, or empty.
pub(super) fn key_bytes(part: &KeyPart, value: ValueRef<'_>) -> Result<Vec<u8>> {
    Ok(part.key_bytes(payload(part, value)?, &mut PartScratch::default())?.to_vec())
}

/// A condition on the sort keys of items, as one on their bytes.
///
/// # Errors
/// As [`key_bytes`].
pub(super) fn sort_key_condition(part: &KeyPart, condition: SortCondition<'_>) -> Result<SortKeyCondition> {
    SortKeyCondition::from(condition).try_map(|value| key_bytes(part, *value))
}

/// Whether a value can be this attribute of a key.
pub(super) fn can_be(part: &KeyPart, max_bytes: usize, value: ValueRef<'_>) -> bool {
    part.check(value.type_(), value.payload()).is_ok() && value.payload().len() <= max_bytes
}

/// The payload of a value that a clause compares an attribute of the key with.
fn payload<'v>(part: &KeyPart, value: ValueRef<'v>) -> Result<&'v [u8]> {
    if !part.types().contains(&value.type_()) {
        return Err(Error::from(Reason::OperandMistyped));
    }
    part.check(value.type_(), value.payload())?;
    Ok(value.payload())
}
