//! Which JSON an item is in, DynamoDB's typed form or plain, and what else a JSON object may be.

use kstone_core::value::Type;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::JsonForm;

/// The members of an object in their order, their values unread.
pub(super) struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    /// None where the text is no JSON object.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.get())
    }

    fn has(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.get(name).is_some())
    }

    /// Which form an item with this partition key is in: the key says it, in which no object is plain.
    pub(super) fn form(&self, partition_key: &str) -> JsonForm {
        let typed = match self.get(partition_key) {
            Some(key) => key.starts_with('{'),
            None => self.0.first().is_none_or(|(_, value)| is_typed_value(value.get())),
        };
        if typed { JsonForm::Typed } else { JsonForm::Plain }
    }

    /// What an object is that is met where people expect items.
    pub(super) fn is_no_item_but(&self) -> Option<&'static str> {
        if self.has(&["dataFileS3Key"]) || self.has(&["exportArn", "outputFormat"]) {
            Some("a manifest of an export: import the files of its folder data")
        } else if self.has(&["eventName", "dynamodb"]) {
            Some("a record of a stream")
        } else if self.has(&["PutRequest"]) || self.has(&["DeleteRequest"]) {
            Some("a request of BatchWriteItem: import what stands in its Item")
        } else if self.has(&["Responses", "UnprocessedKeys"]) {
            Some("a response of BatchGetItem: import the array under the table's name")
        } else if self.has(&["TableName", "KeySchema"])
            || self.get("Table").is_some_and(|v| v.contains("\"KeySchema\""))
        {
            Some("a table's description, without items")
        } else {
            None
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(InOrder).map(Members)
    }
}

/// Whether a text is an item with attributes, all of them in the typed form.
pub(super) fn is_typed(text: &[u8]) -> bool {
    let members = str::from_utf8(text).ok().and_then(Members::of);
    members
        .is_some_and(|members| !members.0.is_empty() && members.0.iter().all(|(_, value)| is_typed_value(value.get())))
}

/// Whether a value is an object of one member that is called as a type is.
fn is_typed_value(value: &str) -> bool {
    Members::of(value).is_some_and(|members| matches!(&members.0[..], [(name, _)] if Type::from_name(name).is_some()))
}
