//! Items, keys and values of requests as the tables below take them.
//!
//! Thread safety: plain values.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kstone_api::json::{JsonForm, read_item};
use kstone_api::{ItemWriter, KeyLayout, KeyPart, KeyType};

use crate::call::Call;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::Value;

/// An item, or a bag of values, of a request in its stored form.
///
/// # Errors
/// What no item may hold.
pub(crate) fn stored(call: &Call<'_>, map: Value<'_>) -> Result<ItemWriter, Refusal> {
    let mut item = ItemWriter::new();
    read_item(&mut item, map.json(), JsonForm::Typed).map_err(|error| call.below(&error))?;
    Ok(item)
}

/// A key of a request: the bytes of its parts, as [`kstone_api::Table::get_record`] takes them.
pub(crate) struct RequestKey<'a> {
    pub(crate) pk: Cow<'a, [u8]>,
    /// Empty where the table has no sort key.
    pub(crate) sk: Cow<'a, [u8]>,
}

/// The key that a map of attributes is: exactly those of the table's key, of their types.
///
/// # Errors
/// A ValidationException for any other map.
pub(crate) fn key<'a>(map: Value<'a>, layout: &KeyLayout) -> Result<RequestKey<'a>, Refusal> {
    let mut found: [Option<Cow<'a, [u8]>>; 2] = [None, None];
    for (name, value) in map.entries() {
        let name = name.decode();
        let at = layout.parts().position(|part| part.name() == name);
        let at = at.ok_or_else(|| Refusal::validation(Text::KeyElementMismatch))?;
        let part = layout.parts().nth(at).expect("a place among them");
        found[at] = Some(part_bytes(part, value)?);
    }
    let [pk, sk] = found;
    let pk = pk.ok_or_else(|| Refusal::validation(Text::KeyElementMismatch))?;
    if sk.is_some() != layout.sort().is_some() {
        return Err(Refusal::validation(Text::KeyElementMismatch));
    }
    Ok(RequestKey { pk, sk: sk.unwrap_or_default() })
}

fn part_bytes<'a>(part: &KeyPart, value: Value<'a>) -> Result<Cow<'a, [u8]>, Refusal> {
    let wanted = part.type_().unwrap_or(KeyType::S);
    let of = value.structure();
    let Some(found) = of.get(wanted.name()) else {
        return Err(Refusal::validation(Text::KeyElementMismatch));
    };
    Ok(match (wanted, found.text()) {
        (KeyType::B, text) => {
            let bytes = STANDARD.decode(&*text);
            Cow::Owned(bytes.map_err(|_| Refusal::validation(Text::KeyElementMismatch))?)
        }
        (_, Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        (_, Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
    })
}
