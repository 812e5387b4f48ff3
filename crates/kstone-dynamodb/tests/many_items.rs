//! Batches and transactions as a whole: what happens at once, what a token stands for, what is left over.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

/// An account with tables `left` and `right` of the key `pk`.
fn account() -> Account {
    let account = Account::open(AccountOptions::default()).unwrap();
    for name in ["left", "right"] {
        done(
            &account,
            "CreateTable",
            &json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}]}),
        );
    }
    account
}

fn call(account: &Account, operation: &str, request: &Value) -> (u16, Value) {
    let mut response = Response::default();
    account.call(&format!("DynamoDB_20120810.{operation}"), request.to_string().as_bytes(), &mut response);
    (response.status(), serde_json::from_slice(response.body()).unwrap())
}

fn done(account: &Account, operation: &str, request: &Value) -> Value {
    let (status, body) = call(account, operation, request);
    assert_eq!(status, 200, "{operation}: {body}");
    body
}

fn add(table: &str, key: &str) -> Value {
    json!({"Update": {"TableName": table, "Key": {"pk": {"S": key}}, "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}}}})
}

fn get(table: &str, key: &str) -> Value {
    json!({"Get": {"TableName": table, "Key": {"pk": {"S": key}}}})
}

#[test]
fn threads_with_one_token_do_the_work_once() {
    let account = account();
    let threads = 4;
    for round in 0..50 {
        let barrier = Barrier::new(threads);
        let request = json!({"ClientRequestToken": format!("round-{round}"),
            "TransactItems": [add("left", "a"), add("right", "a")]});
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    barrier.wait();
                    done(&account, "TransactWriteItems", &request);
                });
            }
        });
        let read = done(&account, "TransactGetItems", &json!({"TransactItems": [get("left", "a"), get("right", "a")]}));
        for at in 0..2 {
            assert_eq!(read["Responses"][at]["Item"]["n"]["N"], (round + 1).to_string(), "after round {round}");
        }
    }
}

#[test]
fn a_transaction_over_tables_is_never_seen_half() {
    let account = account();
    let is_over = AtomicBool::new(false);
    let both = json!({"TransactItems": [add("left", "a"), add("right", "a")]});
    thread::scope(|scope| {
        let writers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..2_000 {
                        done(&account, "TransactWriteItems", &both);
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let request = json!({"TransactItems": [get("right", "a"), get("left", "a")]});
            let mut reads = 0;
            while !is_over.load(Ordering::Relaxed) || reads == 0 {
                let read = done(&account, "TransactGetItems", &request);
                assert_eq!(read["Responses"][0], read["Responses"][1]);
                reads += 1;
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
    let read = done(&account, "TransactGetItems", &json!({"TransactItems": [get("left", "a")]}));
    assert_eq!(read["Responses"][0]["Item"]["n"]["N"], "4000");
}

#[test]
fn keys_beyond_sixteen_megabytes_are_left_over_in_the_form_of_a_request() {
    let account = account();
    let large = "x".repeat(400_000);
    let key = |at: usize| json!({"pk": {"S": format!("key {at}")}});
    for at in 0..50 {
        let item = json!({"pk": {"S": format!("key {at}")}, "p": {"S": large}, "at": {"N": at.to_string()}});
        done(&account, "PutItem", &json!({"TableName": if at < 45 { "left" } else { "right" }, "Item": item}));
    }
    let part = |range: std::ops::Range<usize>| {
        json!({"Keys": range.map(key).collect::<Vec<_>>(), "ConsistentRead": true, "ProjectionExpression": "#a",
            "ExpressionAttributeNames": {"#a": "at"}})
    };
    let mut request = json!({"RequestItems": {"left": part(0..45), "right": part(45..50)}});
    let read = done(&account, "BatchGetItem", &request);
    let count = |read: &Value, table: &str| read["Responses"][table].as_array().map_or(0, Vec::len);
    // Each counts for its 400 KB, though little of it is shown.
    assert_eq!((count(&read, "left"), count(&read, "right")), (41, 0));
    assert_eq!(read["UnprocessedKeys"], json!({"left": part(41..45), "right": part(45..50)}));
    request["RequestItems"] = read["UnprocessedKeys"].clone();
    let rest = done(&account, "BatchGetItem", &request);
    assert_eq!((count(&rest, "left"), count(&rest, "right")), (4, 5));
    assert_eq!(rest["UnprocessedKeys"], json!({}));
}

#[test]
fn a_batch_that_is_refused_writes_nothing() {
    let account = account();
    let put = |key: &str| json!({"PutRequest": {"Item": {"pk": {"S": key}}}});
    let request = json!({"RequestItems": {"left": [put("a"), put("b")], "right": [put("c"), put("")]}});
    assert_eq!(call(&account, "BatchWriteItem", &request).0, 400);
    let items = |table: &str| account.table(table).unwrap().stats().unwrap().items;
    assert_eq!((items("left"), items("right")), (0, 0));
}
