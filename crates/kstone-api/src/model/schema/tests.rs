//! Schemas as they are built and as JSON; more that is refused than that is taken.

use super::*;
use crate::table::stream::{STREAM_CAPACITY, STREAM_CAPACITY_LIMIT, StreamViewType};

fn full() -> TableSchema {
    TableSchema::new()
        .name("orders")
        .add_local_index(LocalSecondaryIndex::new("by-date", "ordered_at"))
        .add_local_index(LocalSecondaryIndex::new("by-total", "total").projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("by-status", "status"))
        .add_global_index(
            GlobalSecondaryIndex::new("inverted", "sk")
                .sort_key("pk")
                .projection(Projection::Include(vec!["customer".to_owned(), "città".to_owned()])),
        )
        .with_ttl("expires_at")
        .with_stream(StreamSpecification::new(StreamViewType::NewImage).capacity(500))
}

const FULL_JSON: &str = concat!(
    r#"{"name":"orders","local_indexes":[{"name":"by-date","sort_key":"ordered_at"},"#,
    r#"{"name":"by-total","sort_key":"total","projection":"KEYS_ONLY"}],"global_indexes":["#,
    r#"{"name":"by-status","partition_key":"status"},{"name":"inverted","partition_key":"sk","sort_key":"pk","#,
    r#""projection":["customer","città"]}],"ttl_attribute":"expires_at","#,
    r#""stream":{"view_type":"NEW_IMAGE","capacity":500}}"#
);

fn invalid(schema: &TableSchema) -> String {
    schema.validate().expect_err("invalid").to_string()
}

fn refused(text: &str) -> String {
    match TableSchema::from_json(text) {
        Err(Error::Invalid(refusal)) => refusal.to_string(),
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn json_is_the_documented_shape_and_reads_back() {
    assert_eq!(full().to_json(), FULL_JSON);
    assert_eq!(TableSchema::from_json(FULL_JSON).unwrap(), full());
    assert_eq!(TableSchema::new().to_json(), "{}");
    assert_eq!(TableSchema::from_json(" {} ").unwrap(), TableSchema::new());
}

#[test]
fn what_json_leaves_out_is_the_default() {
    let text = r#"{"local_indexes": [], "global_indexes": [{"projection": "ALL", "partition_key": "a", "name": "by-a"}],
                   "stream": {"view_type": "KEYS_ONLY"}}"#;
    let schema = TableSchema::from_json(text).unwrap();
    let expected = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-a", "a"))
        .with_stream(StreamViewType::KeysOnly);
    assert_eq!(schema, expected);
    assert_eq!(schema.stream().map(|stream| stream.capacity), Some(STREAM_CAPACITY));
}

#[test]
fn every_view_type_has_its_name() {
    for (view_type, name) in [
        (StreamViewType::KeysOnly, "KEYS_ONLY"),
        (StreamViewType::NewImage, "NEW_IMAGE"),
        (StreamViewType::OldImage, "OLD_IMAGE"),
        (StreamViewType::NewAndOldImages, "NEW_AND_OLD_IMAGES"),
    ] {
        let text = format!(r#"{{"stream":{{"view_type":"{name}"}}}}"#);
        assert_eq!(TableSchema::from_json(&text).unwrap(), TableSchema::new().with_stream(view_type));
    }
}

#[test]
fn text_that_is_no_object_is_refused_with_its_place() {
    for text in
        ["", " ", "{", "}", "{}{}", "{} x", "{\"name\"}", "{\"name\":}", "{'name':'a'}", "{name:1}", "\u{feff}{}"]
    {
        let error = refused(text);
        assert!(error.starts_with("invalid schema: ") && error.contains(" at line 1 column "), "{text}: {error}");
    }
    for (text, found) in [
        ("null", "null"),
        ("true", "boolean `true`"),
        ("1", "integer `1`"),
        ("\"schema\"", "string \"schema\""),
        ("[]", "sequence"),
        ("[\"orders\",[],[],\"expires_at\"]", "sequence"),
    ] {
        let error = refused(text);
        assert!(error.contains(&format!("invalid type: {found}, expected an object")), "{text}: {error}");
    }
}

#[test]
fn unknown_and_repeated_members_are_refused_by_name() {
    for (text, expected) in [
        (r#"{"ttl":"a"}"#, "unknown field `ttl`"),
        (r#"{"Name":"abc"}"#, "unknown field `Name`"),
        (r#"{"":1}"#, "unknown field ``"),
        (r#"{"local_indexes":[{"name":"abc","sort_key":"a","partition_key":"b"}]}"#, "unknown field `partition_key`"),
        (r#"{"local_indexes":[{"name":"abc","sort_key":"a","unique":true}]}"#, "unknown field `unique`"),
        (
            r#"{"global_indexes":[{"name":"abc","partition_key":"a","projections":"ALL"}]}"#,
            "unknown field `projections`",
        ),
        (r#"{"stream":{"view_type":"KEYS_ONLY","shards":1}}"#, "unknown field `shards`"),
        (r#"{"name":"abc","name":"abc"}"#, "duplicate field `name`"),
        (r#"{"local_indexes":[],"local_indexes":[]}"#, "duplicate field `local_indexes`"),
        (r#"{"global_indexes":[],"global_indexes":[]}"#, "duplicate field `global_indexes`"),
        (r#"{"ttl_attribute":"a","ttl_attribute":"b"}"#, "duplicate field `ttl_attribute`"),
        (r#"{"stream":{"view_type":"KEYS_ONLY","view_type":"KEYS_ONLY"}}"#, "duplicate field `view_type`"),
        (r#"{"global_indexes":[{"name":"abc","name":"abd","partition_key":"a"}]}"#, "duplicate field `name`"),
        (r#"{"local_indexes":[{"sort_key":"a"}]}"#, "missing field `name`"),
        (r#"{"local_indexes":[{"name":"abc"}]}"#, "missing field `sort_key`"),
        (r#"{"global_indexes":[{"name":"abc","sort_key":"a"}]}"#, "missing field `partition_key`"),
        (r#"{"global_indexes":[{}]}"#, "missing field `name`"),
        (r#"{"stream":{"capacity":5}}"#, "missing field `view_type`"),
    ] {
        let error = refused(text);
        assert!(error.contains(expected) && error.contains(" at line 1 column "), "{text}: {error}");
    }
    let deep = refused("{\n  \"local_indexes\": [\n    {\"nam\": \"abc\"}\n  ]\n}");
    assert!(deep.contains("at line 3 column "), "{deep}");
}

#[test]
fn members_of_the_wrong_type_are_refused() {
    for text in [
        r#"{"name":null}"#,
        r#"{"name":1}"#,
        r#"{"name":["abc"]}"#,
        r#"{"name":{"abc":1}}"#,
        r#"{"ttl_attribute":null}"#,
        r#"{"ttl_attribute":true}"#,
        r#"{"local_indexes":null}"#,
        r#"{"local_indexes":{}}"#,
        r#"{"local_indexes":"by-a"}"#,
        r#"{"local_indexes":["by-a"]}"#,
        r#"{"local_indexes":[null]}"#,
        r#"{"local_indexes":[["by-a","a"]]}"#,
        r#"{"local_indexes":[{"name":1,"sort_key":"a"}]}"#,
        r#"{"local_indexes":[{"name":"by-a","sort_key":null}]}"#,
        r#"{"global_indexes":{"name":"by-a","partition_key":"a"}}"#,
        r#"{"global_indexes":[["by-a","a"]]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":["a"]}]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":"a","sort_key":null}]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":"a","projection":null}]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":"a","projection":true}]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":"a","projection":{"ALL":null}}]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":"a","projection":[1]}]}"#,
        r#"{"global_indexes":[{"name":"by-a","partition_key":"a","projection":[["a"]]}]}"#,
        r#"{"stream":null}"#,
        r#"{"stream":"KEYS_ONLY"}"#,
        r#"{"stream":["KEYS_ONLY"]}"#,
        r#"{"stream":{"view_type":null}}"#,
        r#"{"stream":{"view_type":1}}"#,
        r#"{"stream":{"view_type":{"KEYS_ONLY":null}}}"#,
        r#"{"stream":{"view_type":"KEYS_ONLY","capacity":"5"}}"#,
        r#"{"stream":{"view_type":"KEYS_ONLY","capacity":null}}"#,
        r#"{"stream":{"view_type":"KEYS_ONLY","capacity":1.5}}"#,
        r#"{"stream":{"view_type":"KEYS_ONLY","capacity":-1}}"#,
        r#"{"stream":{"view_type":"KEYS_ONLY","capacity":99999999999999999999}}"#,
    ] {
        let error = refused(text);
        let says_what = error.contains("invalid type: ") || error.contains("invalid value: ");
        assert!(says_what && error.contains(" at line 1 column "), "{text}: {error}");
    }
}

#[test]
fn words_that_are_none_are_refused_and_the_right_ones_named() {
    for word in ["", "all", "INCLUDE", "KEYS", "KEYS_ONLY "] {
        let text = format!(r#"{{"local_indexes":[{{"name":"by-a","sort_key":"a","projection":"{word}"}}]}}"#);
        let error = refused(&text);
        assert!(
            error.contains(&format!("\"{word}\", expected a projection: \"ALL\", \"KEYS_ONLY\" or a list")),
            "{error}"
        );
    }
    for word in ["", "keys_only", "ALL", "NEW", "NEW_AND_OLD_IMAGE"] {
        let error = refused(&format!(r#"{{"stream":{{"view_type":"{word}"}}}}"#));
        let known = "expected one of KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES";
        assert!(error.contains(&format!("unknown view_type \"{word}\", {known}")), "{error}");
    }
    let long = refused(&format!(r#"{{"stream":{{"view_type":"{}"}}}}"#, "é".repeat(5000)));
    assert!(long.len() < 300, "{long}");
}

#[test]
fn hostile_depth_and_length_are_refused_at_once() {
    let deep = "[".repeat(1_000_000);
    for text in [
        deep.clone(),
        format!(r#"{{"name":{deep}"#),
        format!(r#"{{"local_indexes":[{{"name":"abc","sort_key":"a","projection":[{deep}"#),
        format!(r#"{{"x":{deep}"#),
        "{\"stream\":".repeat(100_000),
    ] {
        assert!(refused(&text).len() < 500);
    }
}

#[test]
fn json_that_describes_an_invalid_schema_is_refused() {
    let error =
        refused(r#"{"global_indexes":[{"name":"by-a","partition_key":"a"},{"name":"b!","partition_key":"a"}]}"#);
    assert!(error.contains("'b!' at 'global_indexes[1].name'"), "{error}");
    assert!(refused(r#"{"local_indexes":[{"name":"by-a","sort_key":"a","projection":[]}]}"#).contains("INCLUDE"));
    assert!(refused(r#"{"stream":{"view_type":"KEYS_ONLY","capacity":0}}"#).contains("stream.capacity is 0"));
}

#[test]
fn names_are_3_to_255_of_the_allowed_characters() {
    let rule = |found: &str, place: &str, rule: &str| {
        format!(
            "1 validation error detected: Value '{found}' at '{place}' failed to satisfy constraint: Member must {rule}"
        )
    };
    let long = "n".repeat(256);
    let index = |name: &str| TableSchema::new().add_global_index(GlobalSecondaryIndex::new(name, "a"));
    for name in ["abc", "a.b", "A_1", "...", "---", &long[..255]] {
        assert_eq!(TableSchema::new().name(name).validate(), Ok(()), "{name}");
        assert_eq!(index(name).validate(), Ok(()), "{name}");
    }
    for name in ["", "a", "ab", "éé"] {
        let expected = rule(name, "name", "have length greater than or equal to 3");
        assert_eq!(invalid(&TableSchema::new().name(name)), expected);
        assert_eq!(invalid(&index(name)), expected.replace("'name'", "'global_indexes[0].name'"));
    }
    for name in ["a b", "a/b", "abc!", "ééé", "a\0b", "a#b", "abc\n"] {
        let expected = rule(name, "name", "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        assert_eq!(invalid(&TableSchema::new().name(name)), expected);
        assert_eq!(invalid(&index(name)), expected.replace("'name'", "'global_indexes[0].name'"));
        let local = TableSchema::new().add_local_index(LocalSecondaryIndex::new(name, "a"));
        assert_eq!(invalid(&local), expected.replace("'name'", "'local_indexes[0].name'"));
    }
    let too_long = invalid(&index(&long));
    assert!(too_long.ends_with("have length less than or equal to 255") && too_long.len() < 300, "{too_long}");
}

#[test]
fn names_of_attributes_have_1_to_255_characters() {
    let long = "é".repeat(256);
    let fits: String = "é".repeat(255);
    let everywhere = |name: &str| {
        [
            ("local_indexes[0].sort_key", TableSchema::new().add_local_index(LocalSecondaryIndex::new("idx", name))),
            (
                "global_indexes[0].partition_key",
                TableSchema::new().add_global_index(GlobalSecondaryIndex::new("idx", name)),
            ),
            (
                "global_indexes[0].sort_key",
                TableSchema::new().add_global_index(GlobalSecondaryIndex::new("idx", "a").sort_key(name)),
            ),
            (
                "local_indexes[0].projection[1]",
                TableSchema::new().add_local_index(
                    LocalSecondaryIndex::new("idx", "a")
                        .projection(Projection::Include(vec!["b".to_owned(), name.to_owned()])),
                ),
            ),
            ("ttl_attribute", TableSchema::new().with_ttl(name)),
        ]
    };
    for (_, schema) in everywhere(&fits).into_iter().chain(everywhere("any text, a.b[0] #:")) {
        assert_eq!(schema.validate(), Ok(()));
    }
    for (name, rule) in [("", "greater than or equal to 1"), (&long, "less than or equal to 255")] {
        for (place, schema) in everywhere(name) {
            let error = invalid(&schema);
            assert!(error.contains(&format!("at '{place}' ")) && error.ends_with(rule), "{error}");
        }
    }
}

fn with_indexes(local: usize, global: usize) -> TableSchema {
    let schema = (0..local).fold(TableSchema::new(), |schema, i| {
        schema.add_local_index(LocalSecondaryIndex::new(format!("local-{i}"), "a"))
    });
    (0..global).fold(schema, |schema, i| schema.add_global_index(GlobalSecondaryIndex::new(format!("global-{i}"), "a")))
}

#[test]
fn indexes_are_counted_and_their_names_differ() {
    assert_eq!(with_indexes(5, 20).validate(), Ok(()));
    assert_eq!(
        invalid(&with_indexes(6, 0)),
        "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5"
    );
    assert_eq!(
        invalid(&with_indexes(0, 21)),
        "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of 20"
    );
    let twice = "One or more parameter values were invalid: Duplicate index name: local-0";
    assert_eq!(invalid(&with_indexes(1, 0).add_local_index(LocalSecondaryIndex::new("local-0", "b"))), twice);
    assert_eq!(invalid(&with_indexes(1, 0).add_global_index(GlobalSecondaryIndex::new("local-0", "b"))), twice);
    assert_eq!(with_indexes(1, 0).add_global_index(GlobalSecondaryIndex::new("Local-0", "b")).validate(), Ok(()));
}

#[test]
fn the_two_keys_of_an_index_differ() {
    let text = "Both the Hash Key and the Range Key element in the KeySchema have the same name";
    let global = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-a", "a").sort_key("a"));
    assert_eq!(invalid(&global), format!("{text} (index by-a, attribute a)"));
    let local = TableSchema::new().add_local_index(LocalSecondaryIndex::new("by-pk", "pk"));
    assert_eq!(invalid(&local), format!("{text} (index by-pk, attribute pk)"));
    for allowed in [
        TableSchema::new().add_local_index(LocalSecondaryIndex::new("by-sk", "sk")),
        TableSchema::new().add_global_index(GlobalSecondaryIndex::new("inverted", "sk").sort_key("pk")),
        TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-pk", "pk").sort_key("sk")),
    ] {
        assert_eq!(allowed.validate(), Ok(()));
    }
}

#[test]
fn include_names_some_attributes_once_and_not_too_many() {
    let names = |count: usize| (0..count).map(|i| format!("a{i}")).collect::<Vec<_>>();
    let local = |names| LocalSecondaryIndex::new("by-a", "a").projection(Projection::Include(names));
    let global = |names| GlobalSecondaryIndex::new("by-b", "b").projection(Projection::Include(names));
    assert_eq!(
        invalid(&TableSchema::new().add_local_index(local(vec![]))),
        "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified \
         (index by-a)"
    );
    assert_eq!(
        invalid(&TableSchema::new().add_global_index(global(vec!["x".to_owned(), "y".to_owned(), "x".to_owned()]))),
        "One or more parameter values were invalid: Duplicate element in NonKeyAttributes: x (index by-b)"
    );
    let both = |a, b| TableSchema::new().add_local_index(local(names(a))).add_global_index(global(names(b)));
    assert_eq!(both(40, 60).validate(), Ok(()), "an attribute counts in each index");
    assert_eq!(
        invalid(&both(41, 60)),
        "One or more parameter values were invalid: the INCLUDE projections of all indexes name 101 attributes \
         together, the limit is 100"
    );
}

#[test]
fn a_stream_keeps_something_and_not_everything() {
    let keeps = |capacity| {
        TableSchema::new().with_stream(StreamSpecification::new(StreamViewType::OldImage).capacity(capacity))
    };
    for capacity in [1, STREAM_CAPACITY, STREAM_CAPACITY_LIMIT] {
        assert_eq!(keeps(capacity).validate(), Ok(()));
    }
    for capacity in [0, STREAM_CAPACITY_LIMIT + 1, usize::MAX] {
        let expected = format!("stream.capacity is {capacity}, it may be 1 to {STREAM_CAPACITY_LIMIT} records");
        assert_eq!(invalid(&keeps(capacity)), expected);
    }
}

#[test]
fn a_schema_shows_what_it_was_built_of() {
    let schema = full();
    assert_eq!((schema.table_name(), schema.ttl_attribute()), (Some("orders"), Some("expires_at")));
    assert_eq!((schema.local_indexes().len(), schema.global_indexes().len()), (2, 2));
    assert_eq!(schema.stream().map(|stream| stream.view_type), Some(StreamViewType::NewImage));
}

#[test]
fn a_schema_tells_of_its_indexes() {
    let local = LocalSecondaryIndex::new("by-date", "date").projection(Projection::KeysOnly);
    assert_eq!((local.index_name(), local.sort_attribute()), ("by-date", "date"));
    assert_eq!(local.projected(), &Projection::KeysOnly);
    let global = GlobalSecondaryIndex::new("by-status", "status");
    assert_eq!((global.index_name(), global.partition_attribute()), ("by-status", "status"));
    assert_eq!((global.sort_attribute(), global.projected()), (None, &Projection::All));
    assert_eq!(global.sort_key("date").sort_attribute(), Some("date"));
}

#[test]
fn what_a_schema_has_can_be_left_out_again() {
    let whole = TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("by-date", "at"))
        .add_global_index(GlobalSecondaryIndex::new("by-state", "state"))
        .with_ttl("until")
        .with_ttl_visible()
        .with_stream(StreamViewType::KeysOnly);
    let kept = whole.clone().without_global_index("by-date").without_local_index("by-state");
    assert_eq!(kept, whole, "each list has names of its own");
    let nothing = whole.without_global_index("by-state").without_local_index("by-date").without_ttl().without_stream();
    assert_eq!(nothing, TableSchema::new());
}
