//! Building an [`Item`] in one expression.

use std::collections::HashMap;

use kstone_core::value::{Item, ToNumber, Value};

/// Builds an [`Item`] attribute by attribute. Of a name given twice the last value stays.
///
/// Nothing fails here: what no item may hold, such as an empty set or a float that is not finite, is refused when the
/// item is put, with the name of the attribute. Each call costs a map insertion and copies of what it borrows.
///
/// ```
/// use kstone_api::{ItemBuilder, KeystoneValue};
///
/// let user = ItemBuilder::new()
///     .string("name", "Alice")
///     .number("created_at", 1704067200)
///     .number("rating", 4.5)
///     .bool("active", true)
///     .string_set("tags", ["admin", "beta"])
///     .value("address", KeystoneValue::map([("city", KeystoneValue::string("Oslo"))]))
///     .build();
/// assert_eq!(user["name"].as_string(), Some("Alice"));
/// assert_eq!(user["created_at"].as_number(), Some(&"1704067200".to_string()));
/// ```
#[derive(Debug, Clone, Default)]
pub struct ItemBuilder {
    item: Item,
}

impl ItemBuilder {
    /// An item without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets text (S).
    #[must_use]
    pub fn string(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.value(name, Value::string(text))
    }

    /// Sets a number (N): an integer, a float, or decimal text for digits that a float does not have.
    #[must_use]
    pub fn number(self, name: impl Into<String>, number: impl ToNumber) -> Self {
        self.value(name, Value::number(number))
    }

    /// Sets bytes (B).
    #[must_use]
    pub fn binary(self, name: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        self.value(name, Value::binary(bytes))
    }

    /// Sets true or false (BOOL).
    #[must_use]
    pub fn bool(self, name: impl Into<String>, value: bool) -> Self {
        self.value(name, Value::Bool(value))
    }

    /// Sets null (NULL).
    #[must_use]
    pub fn null(self, name: impl Into<String>) -> Self {
        self.value(name, Value::Null)
    }

    /// Sets a list (L).
    #[must_use]
    pub fn list(self, name: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        self.value(name, Value::list(values))
    }

    /// Sets a map (M), which another builder can make.
    ///
    /// ```
    /// use kstone_api::ItemBuilder;
    ///
    /// let city = ItemBuilder::new().string("city", "Oslo").build();
    /// let user = ItemBuilder::new().map("address", city).build();
    /// assert_eq!(user["address"].as_map().unwrap()["city"].as_string(), Some("Oslo"));
    /// ```
    #[must_use]
    pub fn map(self, name: impl Into<String>, entries: HashMap<String, Value>) -> Self {
        self.value(name, Value::M(entries))
    }

    /// Sets a set of texts (SS).
    #[must_use]
    pub fn string_set<T: Into<String>>(self, name: impl Into<String>, texts: impl IntoIterator<Item = T>) -> Self {
        self.value(name, Value::string_set(texts))
    }

    /// Sets a set of numbers (NS).
    #[must_use]
    pub fn number_set<T: ToNumber>(self, name: impl Into<String>, numbers: impl IntoIterator<Item = T>) -> Self {
        self.value(name, Value::number_set(numbers))
    }

    /// Sets a set of bytes (BS).
    #[must_use]
    pub fn binary_set<T: AsRef<[u8]>>(self, name: impl Into<String>, elements: impl IntoIterator<Item = T>) -> Self {
        self.value(name, Value::binary_set(elements))
    }

    /// Sets a value of any type.
    #[must_use]
    pub fn value(mut self, name: impl Into<String>, value: Value) -> Self {
        self.item.insert(name.into(), value);
        self
    }

    /// The item.
    #[must_use]
    pub fn build(self) -> Item {
        self.item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_sets_its_type() {
        let item = ItemBuilder::new()
            .string("S", "text".to_owned())
            .number("N", 1)
            .binary("B", b"bytes")
            .bool("BOOL", true)
            .null("NULL")
            .list("L", [Value::Null])
            .map("M", HashMap::new())
            .string_set("SS", vec!["a"])
            .number_set("NS", [1.5])
            .binary_set("BS", [[1]])
            .build();
        assert_eq!(item.len(), 10);
        for (name, value) in &item {
            assert_eq!(value.type_().name(), name);
        }
    }

    #[test]
    fn the_last_value_of_a_name_stays() {
        let item = ItemBuilder::new().number("n", 1).string("n", "two").build();
        assert_eq!(item, Item::from([("n".to_owned(), Value::string("two"))]));
    }

    #[test]
    fn names_and_texts_may_be_owned_or_borrowed() {
        let text = String::from("x");
        let item = ItemBuilder::new().string(&text, &text).string(text.clone(), format!("{text}y")).build();
        assert_eq!(item["x"].as_string(), Some("xy"));
    }

    #[test]
    fn what_no_item_may_hold_is_refused_when_it_is_encoded() {
        for item in [
            ItemBuilder::new().number("n", f64::NAN).build(),
            ItemBuilder::new().number("n", "ten").build(),
            ItemBuilder::new().string("", "unnamed").build(),
            ItemBuilder::new().string_set("s", [""; 0]).build(),
            ItemBuilder::new().number_set("s", [1, 1]).build(),
        ] {
            assert!(kstone_core::item::encode(&item).is_err(), "{item:?}");
        }
    }
}
