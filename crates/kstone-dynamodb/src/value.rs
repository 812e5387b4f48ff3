//! Attribute values: what DynamoDB demands of one wherever it stands, and how many bytes it counts.
//!
//! The order of checks within a value is dynalite's (`validations/index.js`, `validateAttributeValue`): numbers, `NULL`,
//! empty sets, numbers and duplicates in sets, what is inside, and last whether there is one type.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::echo::Echo;
use crate::number;
use crate::refusal::Layer;
use crate::texts::Text;
use crate::view::{Structure, Value};

/// How many levels of values there may be, the outermost one included (facts 19).
pub const MAX_LEVELS: usize = 32;
/// The most bytes of an item (facts 20).
pub const MAX_ITEM_BYTES: usize = 409_600;

/// A type of values, by its member's place in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    S,
    N,
    B,
    Ss,
    Ns,
    Bs,
    M,
    L,
    Null,
    Bool,
}

/// The types in the order in which the service looks at them; the first that is there is a value's type.
const TYPES: [(Type, &str); 10] = [
    (Type::S, "S"),
    (Type::B, "B"),
    (Type::N, "N"),
    (Type::Bool, "BOOL"),
    (Type::Null, "NULL"),
    (Type::Bs, "BS"),
    (Type::Ns, "NS"),
    (Type::Ss, "SS"),
    (Type::L, "L"),
    (Type::M, "M"),
];

/// The member of an attribute value, looked up by its place.
fn member<'a>(of: &Structure<'a>, name: Type) -> Option<Value<'a>> {
    of.at(name as usize)
}

/// The type of a value that [`check`] has accepted, and what it holds.
pub(crate) fn typed(value: Value<'_>) -> Option<(kstone_api::Type, Value<'_>)> {
    use kstone_api::Type::{B, BS, Bool, L, M, N, NS, Null, S, SS};
    /// By the places of their members.
    const STORED: [kstone_api::Type; 10] = [S, N, B, SS, NS, BS, M, L, Null, Bool];
    if let Some((at, inner)) = value.only_member() {
        return Some((STORED[at], inner));
    }
    let of = value.structure();
    TYPES.into_iter().find_map(|(name, _)| Some((STORED[name as usize], member(&of, name)?)))
}

/// Whether `value` is one that DynamoDB takes.
///
/// `layer`: whose words what is wrong with numbers and sets is said in.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(value: Value<'_>, layer: Layer) -> Result<(), Text> {
    if value.is_of_plain_values() { Ok(()) } else { check_level(value, layer, 0) }
}

/// Whether a value holds values that are deeper in it than they may be.
pub fn is_too_deep(value: Value<'_>) -> bool {
    is_too_deep_from(value, 0)
}

fn is_too_deep_from(value: Value<'_>, level: usize) -> bool {
    let inside = |inner| is_too_deep_from(inner, level + 1);
    let of = value.structure();
    level >= MAX_LEVELS
        || member(&of, Type::L).is_some_and(|list| list.elements().any(inside))
        || member(&of, Type::M).is_some_and(|map| map.entries().any(|(_, inner)| inside(inner)))
}

fn check_level(value: Value<'_>, layer: Layer, level: usize) -> Result<(), Text> {
    if level >= MAX_LEVELS {
        return Err(Text::NestedTooDeep);
    }
    // What most values are, without looking for other types.
    match value.only_member() {
        Some((at, _)) if [Type::S as usize, Type::B as usize, Type::Bool as usize].contains(&at) => return Ok(()),
        Some((at, number)) if at == Type::N as usize => return number::check(&number.text(), layer),
        _ => {}
    }
    let of = value.structure();
    let types = TYPES.iter().filter(|(name, _)| member(&of, *name).is_some()).count();
    if types == 0 {
        return Err(Text::EmptyValue);
    }
    check_plain(&of, layer)?;
    if let Some(list) = member(&of, Type::L) {
        list.elements().try_for_each(|inner| check_level(inner, layer, level + 1))?;
    }
    if let Some(map) = member(&of, Type::M) {
        for (name, inner) in map.entries() {
            if name.is("") {
                return Err(Text::EmptyAttributeName);
            }
            check_level(inner, layer, level + 1)?;
        }
    }
    if types > 1 { Err(Text::SeveralTypes) } else { Ok(()) }
}

/// What holds no other values. Apart, so that the frames of the recursion stay small.
#[inline(never)]
fn check_plain(of: &Structure<'_>, layer: Layer) -> Result<(), Text> {
    if let Some(number) = member(of, Type::N) {
        number::check(&number.text(), layer)?;
    }
    if member(of, Type::Null).is_some_and(|null| !null.boolean()) {
        return Err(Text::NullNotTrue);
    }
    for (set, text) in
        [(Type::Bs, Text::NullInBinarySet), (Type::Ns, Text::NullInNumberSet), (Type::Ss, Text::NullInStringSet)]
    {
        if member(of, set).is_some_and(|set| set.elements().any(|member| member.is_null())) {
            return Err(text);
        }
    }
    if let Some(set) = member(of, Type::Bs) {
        check_set(set, Text::EmptyBinarySet, false, |set| Text::DuplicateBinaries { set: echo_binaries(set, layer) })?;
    }
    if let Some(set) = member(of, Type::Ns) {
        if set.count() == 0 {
            return Err(Text::EmptyNumberSet);
        }
        set.elements().try_for_each(|number| number::check(&number.text(), layer))?;
        check_set(set, Text::EmptyNumberSet, true, |_| match layer {
            Layer::Older => Text::DuplicateNumbers,
            Layer::Newer => Text::DuplicateNumbersInvalid,
        })?;
    }
    if let Some(set) = member(of, Type::Ss) {
        check_set(set, Text::EmptyStringSet, false, |set| Text::DuplicateStrings { set: echo_strings(set, layer) })?;
    }
    Ok(())
}

/// The strings of a set that has one of them twice.
fn echo_strings(set: &[Cow<'_, str>], layer: Layer) -> Echo {
    match layer {
        Layer::Older => Echo::list(set),
        Layer::Newer => Echo::quoted_list(up_to_the_repeat(set, |text| text.as_bytes().to_vec()), ", "),
    }
}

/// The same of binaries, in Base64.
fn echo_binaries(set: &[Cow<'_, str>], layer: Layer) -> Echo {
    match layer {
        Layer::Older => Echo::list(set),
        Layer::Newer => {
            let bytes = |text: &str| STANDARD.decode(text).unwrap_or_default();
            Echo::quoted_list(up_to_the_repeat(set, bytes), ",")
        }
    }
}

/// A set as the newer layer prints it: what it has read before the first repeat, in the order of its bytes; then the
/// repeat and the rest as they were sent (parity, `error-messages/valueLayers`).
fn up_to_the_repeat<'s>(set: &'s [Cow<'_, str>], bytes: impl Fn(&str) -> Vec<u8>) -> Vec<&'s str> {
    let mut read = BTreeMap::new();
    let repeat = set.iter().position(|text| read.insert(bytes(text), &**text).is_some()).unwrap_or(set.len());
    read.into_values().chain(set[repeat..].iter().map(|text| &**text)).collect()
}

/// A set has members, each once; of numbers, each value once.
fn check_set(
    set: Value<'_>,
    empty: Text,
    is_numbers: bool,
    duplicate: impl FnOnce(&[Cow<'_, str>]) -> Text,
) -> Result<(), Text> {
    let members: Vec<Cow<'_, str>> = set.elements().map(|member| member.text()).collect();
    if members.is_empty() {
        return Err(empty);
    }
    let mut sorted: Vec<Cow<'_, str>> = if is_numbers {
        members.iter().map(|text| number::canonical(text)).collect::<Result<_, _>>()?
    } else {
        members.iter().map(|text| Cow::Borrowed(&**text)).collect()
    };
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) { Err(duplicate(&members)) } else { Ok(()) }
}

/// A value's type; `None` where it has none.
#[must_use]
pub fn type_of(value: Value<'_>) -> Option<&'static str> {
    let of = value.structure();
    TYPES.into_iter().find(|(name, _)| member(&of, *name).is_some()).map(|(_, name)| name)
}

/// The order of two values of the same type; `None` where the type has no order.
#[must_use]
pub fn compare(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    let (a, b) = (a.structure(), b.structure());
    let both = |name| Some((member(&a, name)?.text(), member(&b, name)?.text()));
    if let Some((a, b)) = both(Type::S) {
        return Some(a.as_bytes().cmp(b.as_bytes()));
    }
    if let Some((a, b)) = both(Type::N) {
        return Some(kstone_core::number::compare(&number::canonical(&a).ok()?, &number::canonical(&b).ok()?));
    }
    let (a, b) = both(Type::B)?;
    Some(STANDARD.decode(&*a).ok()?.cmp(&STANDARD.decode(&*b).ok()?))
}

/// Whether an item is larger than DynamoDB takes.
#[must_use]
pub fn is_item_too_large(item: Value<'_>) -> bool {
    // Nothing is counted for more bytes than its JSON has.
    item.json().len() > MAX_ITEM_BYTES && item_size(item) > MAX_ITEM_BYTES
}

/// The bytes that DynamoDB counts for an item: names and values (facts 20).
#[must_use]
pub fn item_size(item: Value<'_>) -> usize {
    item.entries().map(|(name, value)| name.decode().len() + size(value, 0)).sum()
}

/// The bytes of one value that [`check`] has accepted, and of its first levels otherwise.
fn size(value: Value<'_>, level: usize) -> usize {
    let of = value.structure();
    let sum = |set: Value<'_>, one: fn(&str) -> usize| set.elements().map(|member| one(&member.text())).sum::<usize>();
    if let Some(text) = member(&of, Type::S) {
        return text.text().len();
    }
    if let Some(bytes) = member(&of, Type::B) {
        return binary_size(&bytes.text());
    }
    if let Some(number) = member(&of, Type::N) {
        return number::size(&number.text());
    }
    if let Some(set) = member(&of, Type::Ss) {
        return sum(set, str::len);
    }
    if let Some(set) = member(&of, Type::Ns) {
        return sum(set, number::size);
    }
    if let Some(set) = member(&of, Type::Bs) {
        return sum(set, binary_size);
    }
    if level >= MAX_LEVELS {
        return 0;
    }
    if let Some(list) = member(&of, Type::L) {
        return 3 + list.elements().map(|inner| 1 + size(inner, level + 1)).sum::<usize>();
    }
    if let Some(map) = member(&of, Type::M) {
        let entry =
            |(name, inner): (crate::json::Quoted<'_>, Value<'_>)| name.decode().len() + 1 + size(inner, level + 1);
        return 3 + map.entries().map(entry).sum::<usize>();
    }
    1
}

/// The bytes that Base64 stands for.
fn binary_size(text: &str) -> usize {
    text.len() / 4 * 3 - text.bytes().rev().take_while(|&b| b == b'=').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{TYPES, check};
    use crate::model;
    use crate::read::{Scratch, read};
    use crate::view::{Document, Structure};

    /// Attribute values, right ones and wrong ones.
    fn values() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just(r#"{"S":"a"}"#),
            Just(r#"{"N":"12"}"#),
            Just(r#"{"N":"1e400"}"#),
            Just(r#"{"N":""}"#),
            Just(r#"{"N":"123456789012345678901234567890123456789"}"#),
            Just(r#"{"NULL":true}"#),
            Just(r#"{"NULL":false}"#),
            Just(r#"{"SS":[]}"#),
            Just(r#"{"NS":["1","1.0"]}"#),
            Just(r#"{"BOOL":false}"#),
            Just("{}"),
            Just("null"),
            Just(r#"{"S":"a","N":"1"}"#),
            Just(r#"{"S":null}"#),
            Just(r#"{"x":1}"#),
            Just(r#"{"S":"a","x":[]}"#),
            Just(r#"{"S":"a","S":"b"}"#),
            Just(r#"{"B":"YQ=="}"#),
        ];
        leaf.prop_map(str::to_owned).prop_recursive(40, 60, 3, |inner| {
            let list = proptest::collection::vec(inner.clone(), 0..3);
            prop_oneof![
                list.prop_map(|all| format!("{{\"L\":[{}]}}", all.join(","))),
                inner.prop_map(|one| format!("{{\"M\":{{\"a\":{one}}}}}")),
            ]
        })
    }

    proptest! {
        #[test]
        fn in_plain_values_there_is_nothing_to_find(key in values()) {
            let body = format!("{{\"Key\":{{\"a\":{key}}}}}");
            let operation = model::operation("DynamoDB_20120810.GetItem").unwrap();
            let mut scratch = Scratch::default();
            let read = read(&body, Some(operation), &mut scratch).unwrap();
            let answer = |is_plain| {
                let document = Document { body: &body, shadowed: &scratch.shadowed, is_plain };
                let key = Structure::new(document, operation.input, read.members).get("Key").unwrap();
                key.entries().try_for_each(|(_, value)| check(value, crate::refusal::Layer::Older))
            };
            if read.is_plain {
                prop_assert_eq!(answer(true), answer(false));
            }
        }
    }

    #[test]
    fn types_are_the_members_of_the_model_by_their_places() {
        let shapes = model::all_shapes().iter().filter(|shape| shape.name == "AttributeValue");
        for shape in shapes {
            assert_eq!(shape.members().len(), TYPES.len());
            for (place, name) in TYPES {
                assert_eq!(shape.members()[place as usize].name, name);
            }
        }
    }
}
