//! Items and values as JSON, in both forms.

use kstone_api::ItemRef;
use kstone_api::json::{JsonForm, item_from_str, item_to_string, set_from_str, value_from_str};

/// Takes bytes as JSON of an item and of a value: what is read is an item in every detail and is written as JSON that
/// reads the same.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for form in [JsonForm::Typed, JsonForm::Plain] {
        match item_from_str(text, form) {
            Ok(mut item) => {
                ItemRef::validate(item.as_item().as_bytes()).expect("what JSON gives is an item");
                let typed = item_to_string(item.as_item(), JsonForm::Typed);
                let mut again = item_from_str(&typed, JsonForm::Typed).expect("what is written can be read");
                assert_eq!(again.as_item(), item.as_item(), "{text:?} as {typed:?}");
                // The plain form loses the types of sets and bytes, but stays JSON of an item.
                item_from_str(&item_to_string(item.as_item(), JsonForm::Plain), JsonForm::Plain)
                    .expect("the plain form is an item");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        let value = value_from_str(text, form);
        let mut item = item_from_str(r#"{"a":1,"z":2}"#, JsonForm::Plain).expect("an item");
        let before = item.as_item().as_bytes().to_vec();
        match set_from_str(&mut item, "m", text, form) {
            Ok(()) => {
                let set = item.as_item().get("m").expect("it was set").to_value();
                assert_eq!(Ok(set), value.map_err(|error| error.to_string()));
            }
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(item.as_item().as_bytes(), before, "an attribute was refused and the item changed");
            }
        }
    }
}
