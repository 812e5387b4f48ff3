//! Items in the stored form, from outside.

use kstone_api::json::{JsonForm, item_from_str, item_to_string};
use kstone_api::{Database, ItemRef, ItemWriter};

/// Takes bytes as a stored item: what is accepted is the one form of that item, whichever way it is written again.
pub fn run(data: &[u8]) {
    let item = match ItemRef::validate(data) {
        Ok(item) => item,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let typed = item_to_string(item, JsonForm::Typed);
    let mut from_json = item_from_str(&typed, JsonForm::Typed).expect("the JSON of an item");
    assert_eq!(from_json.as_item().as_bytes(), data, "through JSON: {typed}");
    let mut rebuilt = ItemWriter::new();
    for (name, value) in item.to_item() {
        rebuilt.set_value(&name, &value).expect("a value of an item");
    }
    assert_eq!(rebuilt.finish(), data, "attribute by attribute: {typed}");
    for (name, value) in item {
        assert_eq!(item.get(name), Some(value));
    }
    let database = Database::create_in_memory().expect("an empty database");
    if database.put_body(b"key", b"", data).is_ok() {
        let stored = database.get_record(b"key", b"").expect("a key").expect("it was put");
        assert_eq!(stored.body(), data);
        for (name, value) in item {
            assert_eq!(stored.item().get(name), Some(value));
        }
    }
}
