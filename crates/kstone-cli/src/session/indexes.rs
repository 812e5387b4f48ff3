//! The indexes of a schema, as the shell shows and completes them.

use kstone_api::TableSchema;
use serde_json::Value;

/// One index. Read from the schema's JSON, which is its public form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) kind: &'static str,
    pub(crate) partition_key: String,
    pub(crate) sort_key: Option<String>,
    /// `ALL`, `KEYS_ONLY` or the names that are included.
    pub(crate) projection: String,
}

/// The columns of `.indexes`.
pub(crate) const COLUMNS: [&str; 5] = ["index", "kind", "partition_key", "sort_key", "projection"];

impl Index {
    /// What [`COLUMNS`] show of it.
    pub(crate) fn row(&self) -> [&str; 5] {
        let sort_key = self.sort_key.as_deref().unwrap_or_default();
        [&self.name, self.kind, &self.partition_key, sort_key, &self.projection]
    }
}

/// The indexes of a schema, local ones first.
pub(crate) fn indexes(schema: &TableSchema) -> Vec<Index> {
    let json: Value = serde_json::from_str(&schema.to_json()).expect("a schema writes JSON");
    // A local index is by the table's own partition key.
    let partition_key = json["partition_key"]["name"].as_str().unwrap_or("pk");
    let read = |list: &str, kind| {
        let list = json[list].as_array().cloned().unwrap_or_default();
        list.into_iter().map(move |index| read(&index, kind, partition_key)).collect::<Vec<_>>()
    };
    let mut indexes = read("local_indexes", "local");
    indexes.extend(read("global_indexes", "global"));
    indexes
}

fn read(index: &Value, kind: &'static str, partition_key: &str) -> Index {
    let text = |member: &str| index[member].as_str().map(str::to_owned);
    let projection = match &index["projection"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Value::String(all_or_keys) => all_or_keys.clone(),
        _ => "ALL".to_owned(),
    };
    Index {
        name: text("name").unwrap_or_default(),
        kind,
        partition_key: text("partition_key").unwrap_or_else(|| partition_key.to_owned()),
        sort_key: text("sort_key"),
        projection,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexes_are_read_with_their_keys_and_projections() {
        let schema = r#"{"local_indexes": [{"name": "by-date", "sort_key": "date", "projection": "KEYS_ONLY"}],
            "global_indexes": [{"name": "by-status", "partition_key": "status", "projection": ["a", "b"]},
                               {"name": "by-city", "partition_key": "city", "sort_key": "name"}]}"#;
        let indexes = indexes(&TableSchema::from_json(schema).unwrap());
        let shown: Vec<_> = indexes
            .iter()
            .map(|i| (&*i.name, i.kind, &*i.partition_key, i.sort_key.as_deref(), &*i.projection))
            .collect();
        assert_eq!(
            shown,
            [
                ("by-date", "local", "pk", Some("date"), "KEYS_ONLY"),
                ("by-status", "global", "status", None, "a, b"),
                ("by-city", "global", "city", Some("name"), "ALL"),
            ]
        );
    }

    #[test]
    fn a_local_index_is_by_the_partition_key_of_its_table() {
        let schema = r#"{"partition_key": {"name": "player", "type": "S"}, "sort_key": {"name": "score", "type": "N"},
            "local_indexes": [{"name": "by-date", "sort_key": "date"}]}"#;
        assert_eq!(indexes(&TableSchema::from_json(schema).unwrap())[0].partition_key, "player");
    }
}
