//! What DynamoDB's interface knows of a table and the table itself does not: kept by forks and in snapshots.
//!
//! Thread safety: plain values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a table was told by DynamoDB's operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    /// The identifier that no other table has.
    pub(crate) id: String,
    /// When it was made, in epoch milliseconds.
    pub(crate) created_millis: i64,
    /// Names and types of attributes of keys, as they were defined.
    pub(crate) definitions: Vec<(String, String)>,
    pub(crate) billing: Billing,
    pub(crate) throughput: Throughput,
    pub(crate) on_demand: Option<OnDemand>,
    pub(crate) warm: Option<Warm>,
    pub(crate) class: Option<Class>,
    pub(crate) protected: bool,
    pub(crate) encryption: Option<Encryption>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) policy: Option<Policy>,
    /// What the stream in force is called.
    pub(crate) stream_label: Option<String>,
    /// Of global indexes, by name.
    pub(crate) indexes: BTreeMap<String, IndexSettings>,
    pub(crate) vectors: Vec<VectorIndex>,
    /// Of the table, by the empty name, and of its global indexes.
    pub(crate) insights: BTreeMap<String, Insights>,
    pub(crate) recovery: Option<Recovery>,
    pub(crate) restored: Option<Restored>,
}

impl Settings {
    /// Adds definitions of attributes that are not defined yet.
    pub(crate) fn define(&mut self, definitions: Vec<(String, String)>) {
        for (name, type_) in definitions {
            if !self.definitions.iter().any(|(known, _)| *known == name) {
                self.definitions.push((name, type_));
            }
        }
    }
}

/// Who pays for what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Billing {
    /// Whether requests are paid for, one by one.
    pub(crate) on_demand: bool,
    /// When they were so last, in epoch milliseconds, if ever.
    pub(crate) on_demand_since: Option<i64>,
}

/// What is provisioned; nothing where requests are paid for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Throughput {
    pub(crate) read: i64,
    pub(crate) write: i64,
    /// When it was changed, in epoch milliseconds.
    pub(crate) increased: Option<i64>,
    pub(crate) decreased: Option<i64>,
    /// How often it was lowered on the day of `decreased`.
    pub(crate) decreases: i64,
}

/// The most that is paid for by request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct OnDemand {
    pub(crate) read: Option<i64>,
    pub(crate) write: Option<i64>,
}

/// What is kept ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Warm {
    pub(crate) read: Option<i64>,
    pub(crate) write: Option<i64>,
}

/// What storage costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Class {
    pub(crate) name: String,
    /// When it was changed, in epoch milliseconds, if ever.
    pub(crate) changed: Option<i64>,
}

/// Which key would encrypt the table, if it were AWS's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Encryption {
    pub(crate) key_arn: String,
}

/// A resource policy, which nobody enforces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Policy {
    pub(crate) text: String,
    pub(crate) revision: String,
}

/// Whether contributors are to be counted, which nobody does.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Insights {
    pub(crate) enabled: bool,
    pub(crate) mode: String,
    /// When that was said, in epoch milliseconds.
    pub(crate) changed: i64,
}

/// Recovery to points in time, where it is on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Recovery {
    /// For how many days moments are kept.
    pub(crate) days: i64,
    /// Since when it is on, in epoch milliseconds.
    pub(crate) since: i64,
}

/// What a table was restored from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Restored {
    pub(crate) backup_arn: Option<String>,
    pub(crate) table_arn: String,
    /// The moment of the items, in epoch milliseconds.
    pub(crate) moment: i64,
}

/// What a global index was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct IndexSettings {
    pub(crate) throughput: Throughput,
    pub(crate) on_demand: Option<OnDemand>,
    pub(crate) warm: Option<Warm>,
}

/// An index of vectors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct VectorIndex {
    pub(crate) name: String,
    /// The attribute that holds the vectors.
    pub(crate) attribute: String,
    pub(crate) dimensions: i64,
    /// DynamoDB's name of it.
    pub(crate) distance: String,
    /// Attributes and what they are for: HASH or INLINE_FILTER.
    pub(crate) search_schema: Vec<(String, String)>,
    /// DynamoDB's name of it.
    pub(crate) projection: String,
    pub(crate) included: Vec<String>,
}
