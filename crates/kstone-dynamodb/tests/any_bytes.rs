//! Any bytes are good input: an answer comes, in bounded time and memory, and what is accepted is what a JSON tree of the
//! same body holds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::OnceLock;

use kstone_dynamodb::model::{Kind, operations};
use kstone_dynamodb::{Cohort, Scratch, Structure, Value, parse};
use proptest::prelude::*;
use serde_json::Value as Json;

/// Targets of all operations, and some of none.
fn targets() -> &'static [String] {
    static TARGETS: OnceLock<Vec<String>> = OnceLock::new();
    TARGETS.get_or_init(|| {
        let prefixes = ["DynamoDB_20120810", "DynamoDBStreams_20120810"];
        let all = operations().iter().flat_map(|one| prefixes.map(|prefix| format!("{prefix}.{}", one.name)));
        all.chain(["x".to_owned(), String::new(), ".".to_owned()]).collect()
    })
}

/// The requests of the recorded cases, which mutations start from.
fn seeds() -> &'static [(String, String)] {
    static SEEDS: OnceLock<Vec<(String, String)>> = OnceLock::new();
    SEEDS.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        let mut seeds = Vec::new();
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        for file in entries.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl")) {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                // A tree nests less deep than one of the cases does.
                let Ok(case) = serde_json::from_str::<Json>(line) else { continue };
                let target = case["target"].as_str().unwrap();
                let target =
                    if target.contains('.') { target.to_owned() } else { format!("DynamoDB_20120810.{target}") };
                if !line.contains('⟪') && !case["request"].is_null() {
                    seeds.push((target, case["request"].to_string()));
                }
            }
        }
        seeds.sort();
        seeds
    })
}

/// A refusal is JSON with a type, whatever the request was.
fn check_answer(target: &str, body: &[u8]) {
    for cohort in [Cohort::Current, Cohort::Classic] {
        if let Err(refusal) = parse(target, body, cohort, &mut Scratch::default()) {
            let answer: Json = serde_json::from_str(&refusal.body()).unwrap();
            assert_eq!(refusal.status(), 400);
            assert!(answer["__type"].as_str().unwrap().starts_with("com.amazon"));
        }
    }
}

/// Whether a structure holds what a tree holds.
fn assert_same_structure(ours: &Structure<'_>, tree: &Json) {
    for member in ours.shape().shape().members() {
        let theirs = &tree[member.name];
        match ours.get(member.name) {
            None => assert!(theirs.is_null(), "{} is absent, not {theirs}", member.name),
            Some(value) => assert_same(value, theirs),
        }
    }
}

fn assert_same(ours: Value<'_>, tree: &Json) {
    if ours.is_null() {
        return assert!(tree.is_null());
    }
    match ours.shape().shape().kind {
        Kind::Text { .. } | Kind::Blob => assert_eq!(ours.text(), tree.as_str().unwrap()),
        Kind::List { .. } => {
            let theirs = tree.as_array().unwrap();
            assert_eq!(ours.count(), theirs.len());
            ours.elements().zip(theirs).for_each(|(ours, theirs)| assert_same(ours, theirs));
        }
        Kind::Map { .. } => {
            let theirs = tree.as_object().unwrap();
            assert_eq!(ours.count(), theirs.len());
            ours.entries().for_each(|(name, value)| assert_same(value, &theirs[&*name.decode()]));
        }
        Kind::Structure(_) => assert_same_structure(&ours.structure(), tree),
        Kind::Boolean => assert_eq!(Some(ours.boolean()), tree.as_bool().or(Some(ours.boolean()))),
        Kind::Integer(_) | Kind::Long(_) | Kind::Double(_) | Kind::Timestamp => {
            assert_eq!(ours.json().parse::<f64>().unwrap(), tree.as_f64().unwrap());
        }
    }
}

/// JSON text with names that requests know, names that come twice, and escapes.
fn json() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        Just("S"),
        Just("N"),
        Just("M"),
        Just("L"),
        Just("SS"),
        Just("NULL"),
        Just("BOOL"),
        Just("B"),
        Just("a"),
        Just("\\u0061"),
        Just("TableName"),
        Just("Key"),
        Just("Item"),
        Just("Keys"),
        Just("ConsistentRead"),
    ];
    let blank = prop_oneof![4 => Just(""), 1 => Just(" \n")];
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("1".to_owned()),
        Just("-1.5e3".to_owned()),
        Just("\"\"".to_owned()),
        Just("\"abc\"".to_owned()),
        Just("\"\\\"]}\\ud83d\\ude00\"".to_owned()),
        Just("\"12\"".to_owned()),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let members = proptest::collection::vec((name.clone(), blank.clone(), inner.clone()), 0..6);
        let object = members.prop_map(|members| {
            let members: Vec<_> =
                members.iter().map(|(name, blank, value)| format!("{blank}\"{name}\"{blank}:{value}{blank}")).collect();
            format!("{{{}}}", members.join(","))
        });
        let array = proptest::collection::vec(inner, 0..6).prop_map(|inner| format!("[ {}]", inner.join(" ,")));
        prop_oneof![3 => object, 1 => array]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(at in 0usize..1000, body in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_answer(&targets()[at % targets().len()], &body);
    }

    #[test]
    fn any_text_is_a_target(target in ".{0,40}") {
        check_answer(&target, b"{}");
    }

    #[test]
    fn any_json_gets_an_answer(at in 0usize..1000, body in json()) {
        check_answer(&targets()[at % targets().len()], body.as_bytes());
    }

    #[test]
    fn changed_requests_get_an_answer(
        seed in any::<proptest::sample::Index>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0..3u8), 1..4),
    ) {
        let (target, body) = &seeds()[seed.index(seeds().len())];
        let mut body = body.clone().into_bytes();
        for (place, byte, how) in changes {
            let place = place.index(body.len() + 1);
            match how {
                0 => body.insert(place, byte),
                1 if place < body.len() => { body.remove(place); }
                _ if place < body.len() => body[place] = byte,
                _ => {}
            }
        }
        check_answer(target, &body);
    }

    #[test]
    fn what_is_accepted_is_what_a_tree_holds(key in json(), names in json()) {
        // Whatever is accepted of this: keys are checked, unknown members are not.
        let body = format!("{{\"TableName\":\"abc\",\"Key\":{{\"k\":{key}}},\"x\":{names},\"Key\":{{\"k\":{key},\"l\":{key}}}}}");
        let mut scratch = Scratch::default();
        if let Ok(request) = parse("DynamoDB_20120810.GetItem", body.as_bytes(), Cohort::Classic, &mut scratch) {
            assert_same_structure(request.input(), &serde_json::from_str(&body).unwrap());
        }
    }
}

#[test]
fn recorded_requests_are_read_as_a_tree_holds_them() {
    let mut accepted = 0;
    for (target, body) in seeds() {
        let mut scratch = Scratch::default();
        if let Ok(request) = parse(target, body.as_bytes(), Cohort::Current, &mut scratch) {
            assert_same_structure(request.input(), &serde_json::from_str(body).unwrap());
            accepted += 1;
        }
    }
    assert!(accepted > 100, "{accepted}");
}

/// Bodies of two megabytes that cost as much as there is.
fn worst_bodies() -> Vec<(&'static str, String)> {
    let size = 2 << 20;
    let filled = |before: &str, one: &str, after: &str| {
        format!("{before}{}{after}", one.repeat(size / one.len()).trim_end_matches(','))
    };
    vec![
        ("PutItem", filled("{\"TableName\":\"abc\",\"Item\":{", "\"a\":{\"S\":\"\"},", "}}")),
        ("PutItem", filled("{\"TableName\":\"abc\",\"Item\":{\"a\":{\"L\":[", "{\"S\":\"\"},", "]}}}")),
        ("PutItem", filled("{\"TableName\":\"abc\",\"Item\":{\"a\":{\"SS\":[", "\"\",", "]}}}")),
        ("PutItem", filled("{\"TableName\":\"abc\",\"Item\":{\"a\":{\"N\":\"", "0", "\"}}}")),
        ("PutItem", filled("{\"TableName\":\"", "\\u0000", "\"}")),
        ("BatchWriteItem", filled("{\"RequestItems\":{\"abc\":[", "{\"PutRequest\":{\"Item\":{}}},", "]}}")),
        ("BatchWriteItem", filled("{\"RequestItems\":{", "\"abc\":[{}],", "}}")),
        ("BatchGetItem", filled("{\"RequestItems\":{\"abc\":{\"Keys\":[", "{\"a\":{\"S\":\"\"}},", "]}}}")),
        ("CreateTable", filled("{\"TableName\":\"abc\",\"KeySchema\":[", "{},", "],\"AttributeDefinitions\":[]}")),
        ("CreateTable", many_indexes(size / 220)),
        ("UpdateTable", many_index_updates(size / 40)),
        ("Query", filled("{\"TableName\":\"abc\",\"QueryFilter\":{\"", "a", "\":{}}}")),
        ("Query", filled("{\"TableName\":\"abc\",\"KeyConditions\":{", "\"a\":{},", "}}")),
        ("ListTables", filled("{", "\"a\":[[]],", "}")),
        ("ListTables", "[".repeat(size)),
    ]
}

/// A table of `count` indexes, each of a key of its own, each in order.
fn many_indexes(count: usize) -> String {
    let list = |one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(",");
    let key = |name: &str| format!("{{\"AttributeName\":\"{name}\",\"KeyType\":\"HASH\"}}");
    let definition = |at: usize| format!("{{\"AttributeName\":\"k{at}\",\"AttributeType\":\"S\"}}");
    let index = |at: usize| {
        let key = key(&format!("k{at}"));
        format!("{{\"IndexName\":\"index{at}\",\"KeySchema\":[{key}],\"Projection\":{{\"ProjectionType\":\"ALL\"}}}}")
    };
    format!(
        "{{\"TableName\":\"abc\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":[{}],\"AttributeDefinitions\":[{}],\
         \"GlobalSecondaryIndexes\":[{}]}}",
        key("k0"),
        list(&definition),
        list(&index)
    )
}

/// As many updates of indexes.
fn many_index_updates(count: usize) -> String {
    let updates: Vec<String> = (0..count).map(|at| format!("{{\"Delete\":{{\"IndexName\":\"index{at}\"}}}}")).collect();
    format!("{{\"TableName\":\"abc\",\"GlobalSecondaryIndexUpdates\":[{}]}}", updates.join(","))
}

#[test]
fn the_largest_bodies_get_answers_of_bounded_length() {
    let mut scratch = Scratch::default();
    for (operation, body) in worst_bodies() {
        for cohort in [Cohort::Current, Cohort::Classic] {
            let target = format!("DynamoDB_20120810.{operation}");
            if let Err(refusal) = parse(&target, body.as_bytes(), cohort, &mut scratch) {
                // Ten quotations of a quarter of a megabyte, six bytes a character where it is escaped.
                assert!(refusal.body().len() < 20 << 20, "{operation}: {}", refusal.body().len());
            }
        }
    }
}

#[test]
fn everything_works_on_a_stack_of_48_kibibytes() {
    let nested = |levels: usize| {
        let inner = "{\"M\":{\"a\":".repeat(levels) + "{\"S\":\"x\"}" + &"}}".repeat(levels);
        let lists = "{\"L\":[".repeat(levels) + "{\"N\":\"1\"}" + &"]}".repeat(levels);
        format!("{{\"TableName\":\"abc\",\"Item\":{{\"a\":{inner},\"b\":{lists}}}}}")
    };
    let shown = format!(
        "{{\"RequestItems\":{{\"a;\":[{{\"PutRequest\":{{\"Item\":{{\"a\":{}{{}}{}}}}}}}]}}}}",
        "{\"M\":{\"a\":".repeat(300),
        "}}".repeat(300)
    );
    let bodies = [nested(31), nested(400), shown];
    let run = move || {
        let mut scratch = Scratch::default();
        for (target, body) in ["PutItem", "PutItem", "BatchWriteItem"].iter().zip(&bodies) {
            let target = format!("DynamoDB_20120810.{target}");
            if let Err(refusal) = parse(&target, body.as_bytes(), Cohort::Current, &mut scratch) {
                assert_eq!(refusal.status(), 400);
            }
        }
    };
    std::thread::Builder::new().stack_size(48 * 1024).spawn(run).unwrap().join().unwrap();
}
