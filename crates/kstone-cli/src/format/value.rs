//! One value as text.

use kstone_api::ValueRef;
use kstone_api::json::{JsonForm, value_to_string};

/// The value as plain JSON without blanks.
pub(crate) fn json(value: ValueRef<'_>) -> String {
    value_to_string(value, JsonForm::Plain)
}

/// A name as a JSON string.
pub(crate) fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// The value as a person or a spreadsheet reads it: text and bytes without quotes, the rest as JSON.
pub(crate) fn plain(value: ValueRef<'_>) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => json(value).trim_matches('"').to_owned(),
    }
}
