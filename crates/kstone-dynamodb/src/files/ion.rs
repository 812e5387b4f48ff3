//! Items as Ion text, as exports have them (facts 5.1): numbers are decimals, sets are annotated lists.
//!
//! ```text
//! $ion_1_0 {Item:{id:"a",total:1.5,tags:$dynamodb_SS::["x","y"],blob:{{AAE=}}}}
//! ```

use kstone_api::ItemRef;

/// How deep values nest, which items are checked for.
const MAX_DEPTH: usize = 64;

/// Appends an item.
pub(crate) fn write_item(out: &mut String, item: ItemRef<'_>) {
    // Values come from the stored form by way of JSON, which knows all of it.
    let json = kstone_api::json::item_to_string(item, kstone_api::json::JsonForm::Typed);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
    write_fields(out, &value, 0);
}

fn write_fields(out: &mut String, fields: &serde_json::Value, depth: usize) {
    out.push('{');
    for (at, (name, value)) in fields.as_object().into_iter().flatten().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::Value::from(name.as_str()).to_string());
        out.push(':');
        write_value(out, value, depth + 1);
    }
    out.push('}');
}

/// Appends a value, as `{"S":"a"}` has it.
fn write_value(out: &mut String, value: &serde_json::Value, depth: usize) {
    let Some((type_, payload)) = value.as_object().and_then(|object| object.iter().next()) else { return };
    if depth > MAX_DEPTH {
        return;
    }
    match (type_.as_str(), payload) {
        ("S", text) => out.push_str(&text.to_string()),
        ("N", number) => out.push_str(&decimal(number.as_str().unwrap_or_default())),
        ("B", bytes) => out.push_str(&format!("{{{{{}}}}}", bytes.as_str().unwrap_or_default())),
        ("BOOL", value) => out.push_str(&value.to_string()),
        ("NULL", _) => out.push_str("null"),
        ("L", list) => write_list(out, list, |out, element| write_value(out, element, depth + 1)),
        ("M", map) => write_fields(out, map, depth),
        (set, list) => {
            out.push_str(&format!("$dynamodb_{set}::"));
            let of = &set[..1];
            write_list(out, list, |out, element| write_value(out, &serde_json::json!({of: element}), depth + 1));
        }
    }
}

fn write_list(out: &mut String, list: &serde_json::Value, mut write: impl FnMut(&mut String, &serde_json::Value)) {
    out.push('[');
    for (at, element) in list.as_array().into_iter().flatten().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, element);
    }
    out.push(']');
}

/// A number as Ion's decimals are written: with a point, or a `d` before the exponent.
fn decimal(number: &str) -> String {
    match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => format!("{digits}d{exponent}"),
        None if number.contains('.') => number.to_owned(),
        None => format!("{number}."),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ion_text;
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let json = r#"{"b":{"B":"AAE="},"bs":{"BS":["AAE=","Ag=="]},"f":{"BOOL":false},"l":{"L":[{"S":"x\n\"ä"},{"L":[]}]},"m":{"M":{"a b":{"NULL":true}}},"n":{"N":"1"},"ns":{"NS":["-1.5","100"]},"ss":{"SS":["p","q"]}}"#;
        let item = kstone_api::json::item_from_str(json, kstone_api::json::JsonForm::Typed);
        let mut item = item.expect("an item");
        let mut text = "$ion_1_0 {Item:".to_owned();
        write_item(&mut text, item.as_item());
        text.push('}');
        let read = ion_text::document(&text).expect("Ion");
        let again = kstone_api::json::item_from_str(&read, kstone_api::json::JsonForm::Typed);
        assert_eq!(again.expect("an item").as_item().as_bytes(), item.as_item().as_bytes(), "{text}\n{read}");
    }

    #[test]
    fn numbers_are_decimals() {
        for (number, written) in [("1", "1."), ("-1.5", "-1.5"), ("1E+100", "1d+100"), ("0", "0.")] {
            assert_eq!(decimal(number), written);
        }
    }
}
