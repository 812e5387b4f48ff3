//! Names and values for the placeholders that a text happens to hold.

use std::collections::BTreeMap;

use kstone_api::expression::Parameters;
use kstone_api::{ItemWriter, KeystoneValue};

/// Names that `#x` may stand for: plain, reserved, with dots, the key's.
const NAMES: [&str; 8] = ["n", "s", "l", "m", "a.b", "pk", "sk", "size"];

/// Parameters for every placeholder in `text`, and for no other: each is chosen by its own letters.
pub(crate) fn for_text(text: &str) -> Parameters {
    let mut placeholders = BTreeMap::new();
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices(['#', ':']) {
        let letters = bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let placeholder = &text[at..=at + letters];
        if letters > 0 && placeholder.len() <= kstone_api::expression::PLACEHOLDER_MAX_BYTES {
            placeholders.insert(placeholder, bytes[at + letters]);
        }
    }
    let mut bag = ItemWriter::new();
    for (placeholder, last) in placeholders.into_iter().take(100) {
        let set = match placeholder.starts_with('#') {
            true => bag.set_str(placeholder, NAMES[usize::from(last) % NAMES.len()]),
            false => bag.set_value(placeholder, &value(last)),
        };
        set.expect("a short name and a small value");
    }
    Parameters::from_bag(bag.as_item()).expect("the bag holds names and values")
}

/// A value of any type.
fn value(choice: u8) -> KeystoneValue {
    match choice % 12 {
        0 => KeystoneValue::string("a"),
        1 => KeystoneValue::number(1),
        2 => KeystoneValue::number(-2.5),
        3 => KeystoneValue::binary([0xFF]),
        4 => KeystoneValue::bool(true),
        5 => KeystoneValue::null(),
        6 => KeystoneValue::list([KeystoneValue::number(2)]),
        7 => KeystoneValue::map([("k", KeystoneValue::string("v"))]),
        8 => KeystoneValue::string_set(["a", "c"]),
        9 => KeystoneValue::number_set([1, 9]),
        10 => KeystoneValue::binary_set([b"\xFF"]),
        _ => KeystoneValue::string(""),
    }
}
