//! Times the operations on one item, JSON in and JSON out, on one thread.
//!
//! ```text
//! cargo run --release -p kstone-dynamodb --example operations [ROUNDS [OPERATION]]
//! ```
//! Given an operation it does that alone, for tools that count instructions.

#![expect(clippy::expect_used, reason = "a program to measure with ends where something is wrong")]
#![expect(clippy::print_stdout, reason = "it shows what it measured")]

use std::time::Instant;

use kstone_dynamodb::{Account, AccountOptions, Response};

/// How many items there are.
const ITEMS: usize = 1000;

/// A name, an operation, and its request with the key left open.
const REQUESTS: [(&str, &str, &str); 6] = [
    (
        "PutItem",
        "PutItem",
        r#"{"TableName":"users","Item":{"id":{"S":"user#KEY"},"name":{"S":"Nina Simone"},"age":{"N":"42"},"active":{"BOOL":true},"city":{"S":"Tryon, North Carolina"}}}"#,
    ),
    ("GetItem", "GetItem", r#"{"TableName":"users","Key":{"id":{"S":"user#KEY"}}}"#),
    (
        "UpdateItem",
        "UpdateItem",
        r#"{"TableName":"users","Key":{"id":{"S":"user#KEY"}},"UpdateExpression":"SET n = n + :x","ExpressionAttributeValues":{":x":{"N":"1"}}}"#,
    ),
    (
        "PutItem-condition",
        "PutItem",
        r##"{"TableName":"users","Item":{"id":{"S":"user#KEY"},"n":{"N":"1"},"name":{"S":"Nina Simone"}},"ConditionExpression":"attribute_exists(#i)","ExpressionAttributeNames":{"#i":"id"}}"##,
    ),
    (
        "GetItem-projection",
        "GetItem",
        r#"{"TableName":"users","Key":{"id":{"S":"user#KEY"}},"ProjectionExpression":"n, id","ReturnConsumedCapacity":"TOTAL"}"#,
    ),
    ("DeleteItem", "DeleteItem", r#"{"TableName":"users","Key":{"id":{"S":"user#KEY"}}}"#),
];

const TABLE: &str = r#"{"TableName":"users","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}]}"#;

fn call(account: &Account, target: &str, body: &[u8], response: &mut Response) {
    account.call(target, body, response);
    assert_eq!(response.status(), 200, "{}", String::from_utf8_lossy(response.body()));
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().map_or(200, |rounds| rounds.parse().expect("a number of rounds"));
    let only = arguments.next();
    let account = Account::open(AccountOptions::default()).expect("an account");
    let mut response = Response::default();
    call(&account, "DynamoDB_20120810.CreateTable", TABLE.as_bytes(), &mut response);
    let bodies =
        |request: &str| -> Vec<String> { (0..ITEMS).map(|key| request.replace("KEY", &format!("{key:04}"))).collect() };
    let first = r#"{"TableName":"users","Item":{"id":{"S":"user#KEY"},"name":{"S":"Nina Simone"},"age":{"N":"42"},"active":{"BOOL":true},"n":{"N":"1"}}}"#;
    let fill = |response: &mut Response| {
        for body in bodies(first) {
            call(&account, "DynamoDB_20120810.PutItem", body.as_bytes(), response);
        }
    };
    for (name, operation, request) in REQUESTS {
        if only.as_deref().is_some_and(|only| only != name) {
            continue;
        }
        fill(&mut response);
        let (target, bodies) = (format!("DynamoDB_20120810.{operation}"), bodies(request));
        let mut best = f64::INFINITY;
        for _ in 0..rounds {
            let start = Instant::now();
            for body in &bodies {
                call(&account, &target, body.as_bytes(), &mut response);
            }
            best = best.min(start.elapsed().as_secs_f64() / ITEMS as f64);
        }
        println!("{name:<20} {:8.0} ns", best * 1e9);
    }
}
