//! Streams, searches of vectors and transactions of statements while other threads write, and with much in them.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

fn account() -> Account {
    let account = Account::open(AccountOptions::default()).unwrap();
    account.set_time(NOW);
    account
}

fn call(account: &Account, target: &str, request: &Value) -> (u16, Value) {
    let of_streams = matches!(target, "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords");
    let service = if of_streams { "DynamoDBStreams_20120810" } else { "DynamoDB_20120810" };
    let mut response = Response::default();
    account.call(&format!("{service}.{target}"), request.to_string().as_bytes(), &mut response);
    (response.status(), serde_json::from_slice(response.body()).unwrap())
}

fn done(account: &Account, operation: &str, request: &Value) -> Value {
    let (status, body) = call(account, operation, request);
    assert_eq!(status, 200, "{operation}: {body}");
    body
}

/// Makes a table of the key `pk` with what else CreateTable takes.
fn create(account: &Account, name: &str, more: &Value) {
    let mut request = json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]});
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    done(account, "CreateTable", &request);
}

fn put(account: &Account, table: &str, item: &Value) {
    done(account, "PutItem", &json!({"TableName": table, "Item": item}));
}

fn streamed() -> Value {
    json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}})
}

/// An iterator of a table's only stream.
fn iterator(account: &Account, table: &str, kind: &str) -> Value {
    let listed = done(account, "ListStreams", &json!({"TableName": table}));
    let arn = &listed["Streams"][0]["StreamArn"];
    let described = done(account, "DescribeStream", &json!({"StreamArn": arn}));
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let request = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": kind});
    done(account, "GetShardIterator", &request)["ShardIterator"].clone()
}

fn records(account: &Account, iterator: &mut Value) -> Vec<Value> {
    let mut read = done(account, "GetRecords", &json!({"ShardIterator": iterator}));
    *iterator = read["NextShardIterator"].take();
    read["Records"].as_array().unwrap().clone()
}

#[test]
fn a_reader_of_a_stream_sees_each_write_once_in_order() {
    let account = account();
    create(&account, "table", &streamed());
    let writes = 2_000;
    let mut place = iterator(&account, "table", "TRIM_HORIZON");
    thread::scope(|scope| {
        for writer in 0..3 {
            let account = &account;
            scope.spawn(move || {
                for at in 0..writes {
                    put(account, "table", &json!({"pk": {"S": format!("{writer}")}, "n": {"N": at.to_string()}}));
                }
            });
        }
        let (mut last, mut next) = (String::new(), [0; 3]);
        while next.iter().sum::<usize>() < 3 * writes {
            for record in records(&account, &mut place) {
                let change = &record["dynamodb"];
                let number = change["SequenceNumber"].as_str().unwrap();
                assert_eq!(number.len(), 21);
                assert!(*number > *last, "{number} after {last}");
                number.clone_into(&mut last);
                let writer: usize = change["Keys"]["pk"]["S"].as_str().unwrap().parse().unwrap();
                let expected = next[writer];
                assert_eq!(change["NewImage"]["n"]["N"], expected.to_string());
                let before = expected.checked_sub(1).map(|before| before.to_string());
                assert_eq!(change["OldImage"]["n"]["N"].as_str(), before.as_deref());
                assert_eq!(record["eventName"], if expected == 0 { "INSERT" } else { "MODIFY" });
                next[writer] += 1;
            }
        }
    });
    assert_eq!(records(&account, &mut place), Vec::<Value>::new());
}

#[test]
fn who_falls_behind_is_told() {
    let account = account();
    create(&account, "table", &streamed());
    put(&account, "table", &json!({"pk": {"S": "first"}}));
    let mut place = iterator(&account, "table", "TRIM_HORIZON");
    assert_eq!(records(&account, &mut place).len(), 1);
    // More than a stream holds.
    for at in 0..70_000 {
        put(&account, "table", &json!({"pk": {"S": "one"}, "n": {"N": at.to_string()}}));
    }
    let (status, body) = call(&account, "GetRecords", &json!({"ShardIterator": place}));
    assert_eq!(status, 400, "{body}");
    assert!(body["__type"].as_str().unwrap().ends_with("#TrimmedDataAccessException"), "{body}");
    let mut oldest = iterator(&account, "table", "TRIM_HORIZON");
    let first = records(&account, &mut oldest);
    assert_eq!(first[0]["eventName"], "MODIFY");
}

#[test]
fn removals_by_time_to_live_name_dynamodb() {
    let account = account();
    create(&account, "table", &streamed());
    let expiry = json!({"TableName": "table", "TimeToLiveSpecification": {"AttributeName": "until", "Enabled": true}});
    done(&account, "UpdateTimeToLive", &expiry);
    put(&account, "table", &json!({"pk": {"S": "a"}, "until": {"N": (NOW + 10).to_string()}}));
    put(&account, "table", &json!({"pk": {"S": "b"}, "until": {"N": (NOW + 10).to_string()}}));
    done(&account, "DeleteItem", &json!({"TableName": "table", "Key": {"pk": {"S": "b"}}}));
    account.set_time(NOW + 100);
    assert_eq!(account.table("table").unwrap().purge_expired().unwrap(), 1);
    let mut place = iterator(&account, "table", "TRIM_HORIZON");
    let read = records(&account, &mut place);
    let removals: Vec<&Value> = read.iter().filter(|record| record["eventName"] == "REMOVE").collect();
    assert_eq!(removals.len(), 2);
    assert!(removals[0].get("userIdentity").is_none());
    assert_eq!(removals[1]["userIdentity"], json!({"PrincipalId": "dynamodb.amazonaws.com", "Type": "Service"}));
    assert_eq!(removals[1]["dynamodb"]["OldImage"]["pk"]["S"], "a");
}

#[test]
fn a_transaction_of_statements_is_never_seen_half() {
    let account = account();
    for table in ["left", "right"] {
        create(&account, table, &json!({}));
        put(&account, table, &json!({"pk": {"S": "a"}, "n": {"N": "0"}}));
    }
    let one = |table: &str| json!({"Statement": format!("UPDATE \"{table}\" SET n = n + 1 WHERE pk = 'a'")});
    let of = |table: &str| json!({"Statement": format!("SELECT n FROM \"{table}\" WHERE pk = ?"), "Parameters": [{"S": "a"}]});
    let (writes, reads) = ([one("left"), one("right")], [of("right"), of("left")]);
    let is_over = AtomicBool::new(false);
    let last = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                let is_last = is_over.load(Ordering::Relaxed);
                let read = done(&account, "ExecuteTransaction", &json!({"TransactStatements": reads}));
                assert_eq!(read["Responses"][0], read["Responses"][1]);
                if is_last {
                    return read["Responses"][0]["Item"]["n"]["N"].clone();
                }
            }
        });
        let writer = || {
            (0..1_000).for_each(|_| drop(done(&account, "ExecuteTransaction", &json!({"TransactStatements": writes}))))
        };
        let writers = [scope.spawn(writer), scope.spawn(writer)];
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    assert_eq!(last, "2000");
}

fn vector_index(distance: &str, dimensions: usize) -> Value {
    json!({"VectorIndexes": [{"IndexName": "vix", "VectorAttribute": {"AttributeName": "e"}, "Dimensions": dimensions,
        "DistanceFunction": distance, "Projection": {"ProjectionType": "KEYS_ONLY"}}]})
}

fn in_json(vector: &[f64]) -> Value {
    vector.iter().map(|number| json!({"N": number.to_string()})).collect()
}

fn search(account: &Account, vector: &[f64], most: usize) -> Vec<(String, f64)> {
    let request = json!({"TableName": "table", "IndexName": "vix", "SearchVector": in_json(vector), "TopK": most});
    let read = done(account, "SearchVectors", &request);
    let found = |one: &Value| (one["Item"]["pk"]["S"].as_str().unwrap().to_owned(), one["Score"].as_f64().unwrap());
    read["SearchResults"].as_array().unwrap().iter().map(found).collect()
}

/// As README's formulas say, and nothing else.
fn score(distance: &str, a: &[f64], b: &[f64]) -> f64 {
    let sum = |f: fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| f(*a, *b)).sum::<f64>();
    match distance {
        "COSINE" => 1.0 - sum(|a, b| a * b) / (sum(|a, _| a * a).sqrt() * sum(|_, b| b * b).sqrt()),
        "EUCLIDEAN" => sum(|a, b| (a - b) * (a - b)).sqrt(),
        _ => sum(|a, b| a * b),
    }
}

#[test]
fn a_search_finds_what_a_look_at_all_items_finds() {
    for distance in ["COSINE", "EUCLIDEAN", "DOT_PRODUCT"] {
        let mut random = fastrand::Rng::with_seed(17);
        // Quarters are the same as floats, and many are equal.
        let mut vector = || -> Vec<f64> { (0..4).map(|_| f64::from(random.i8(-8..9)) / 4.0 + 0.125).collect() };
        let account = account();
        create(&account, "table", &vector_index(distance, 4));
        let mut all = Vec::new();
        for at in 0..500 {
            let (key, vector) = (format!("{at:03}"), vector());
            put(&account, "table", &json!({"pk": {"S": key}, "e": {"L": in_json(&vector)}}));
            all.push((key, vector));
        }
        for most in [1, 7, 100] {
            let asked = vector();
            let mut expected: Vec<(String, f64)> =
                all.iter().map(|(key, vector)| (key.clone(), score(distance, &asked, vector))).collect();
            let sign = if distance == "DOT_PRODUCT" { -1.0 } else { 1.0 };
            expected.sort_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)));
            let found = search(&account, &asked, most);
            assert_eq!(found.len(), most);
            for (at, ((key, score_found), (_, score_expected))) in found.iter().zip(&expected).enumerate() {
                assert!((score_found - score_expected).abs() < 1e-9, "{distance} {at}: {score_found} {score_expected}");
                let own = &all.iter().find(|(other, _)| other == key).unwrap().1;
                assert!((score(distance, &asked, own) - score_found).abs() < 1e-9);
            }
            // Of those that are as near, the lesser key.
            let is_ordered =
                |pair: &[(String, f64)]| pair[0].1.to_bits() != pair[1].1.to_bits() || pair[0].0 < pair[1].0;
            assert!(found.windows(2).all(is_ordered), "{found:?}");
            assert_eq!(found, search(&account, &asked, most));
        }
    }
}

#[test]
fn searches_go_on_while_items_are_written() {
    let account = account();
    create(&account, "table", &vector_index("EUCLIDEAN", 2));
    let of = |number: f64| json!({"L": in_json(&[number, 0.0])});
    for at in 0..100 {
        put(&account, "table", &json!({"pk": {"S": format!("still {at}")}, "e": of(1000.0 + f64::from(at))}));
    }
    // One item goes back and forth between two places: a search sees it at one of them, once.
    put(&account, "table", &json!({"pk": {"S": "moving"}, "e": of(1.0)}));
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for at in 0..3_000 {
                put(&account, "table", &json!({"pk": {"S": "moving"}, "e": of(if at % 2 == 0 { 2.0 } else { 1.0 })}));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        loop {
            let is_last = is_over.load(Ordering::Relaxed);
            let found = search(&account, &[0.0, 0.0], 100);
            assert_eq!(found.len(), 100);
            assert_eq!(found[0].0, "moving");
            assert!([1.0, 2.0].contains(&found[0].1), "{}", found[0].1);
            assert!(found[1..].iter().all(|(key, _)| key.starts_with("still")));
            if is_last {
                break;
            }
        }
    });
}
