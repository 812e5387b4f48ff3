//! Query and Scan over more than a page, and by several at once.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use std::collections::BTreeSet;

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

fn done(account: &Account, operation: &str, request: &Value) -> Value {
    let mut response = Response::default();
    account.call(&format!("DynamoDB_20120810.{operation}"), request.to_string().as_bytes(), &mut response);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(response.status(), 200, "{operation} {request}: {body}");
    body
}

/// An account with a table `rows` of the key `pk`, `sk` and an index of `i`, and so many items of so many bytes.
fn account(items: usize, bytes: usize) -> Account {
    let account = Account::open(AccountOptions::default()).unwrap();
    let definition = |name: &str, type_: &str| json!({"AttributeName": name, "AttributeType": type_});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    done(
        &account,
        "CreateTable",
        &json!({"TableName": "rows", "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "AttributeDefinitions": [definition("pk", "S"), definition("sk", "N"), definition("i", "N")],
            "GlobalSecondaryIndexes": [{"IndexName": "by_i", "KeySchema": [key("i", "HASH")],
                "Projection": {"ProjectionType": "ALL"}}]}),
    );
    for at in 0..items {
        let item = json!({"pk": {"S": format!("p{}", at % 7)}, "sk": {"N": at.to_string()},
            "i": {"N": (at % 3).to_string()}, "x": {"S": "x".repeat(bytes)}});
        done(&account, "PutItem", &json!({"TableName": "rows", "Item": item}));
    }
    account
}

/// All pages of a request: how many, and the sort keys of their items in order.
fn pages(account: &Account, operation: &str, request: &Value) -> (usize, Vec<String>) {
    let mut request = request.clone();
    let (mut count, mut keys) = (0, Vec::new());
    loop {
        let page = done(account, operation, &request);
        count += 1;
        let items = page["Items"].as_array().unwrap();
        assert_eq!(page["Count"], items.len());
        keys.extend(items.iter().map(|item| item["sk"]["N"].as_str().unwrap().to_owned()));
        let Some(last) = page.get("LastEvaluatedKey") else { return (count, keys) };
        request["ExclusiveStartKey"] = last.clone();
    }
}

#[test]
fn a_page_ends_at_a_megabyte_of_what_it_examines() {
    let account = account(40, 60_000);
    let request = json!({"TableName": "rows", "ReturnConsumedCapacity": "TOTAL"});
    let page = done(&account, "Scan", &request);
    // Each is of 60,000 bytes and a few: the eighteenth passes a megabyte.
    assert_eq!(page["Count"], 18);
    assert_eq!(page["ConsumedCapacity"]["CapacityUnits"], 132.0);
    assert_eq!(pages(&account, "Scan", &request).0, 3);
    for request in [
        json!({"TableName": "rows", "ProjectionExpression": "sk"}),
        json!({"TableName": "rows", "FilterExpression": "attribute_exists(x)"}),
        json!({"TableName": "rows", "IndexName": "by_i"}),
        json!({"TableName": "rows", "IndexName": "by_i", "ProjectionExpression": "sk"}),
    ] {
        let (count, keys) = pages(&account, "Scan", &request);
        let all: BTreeSet<_> = keys.iter().collect();
        assert_eq!((count, keys.len(), all.len()), (3, 40, 40), "{request}");
    }
    let nothing = json!({"TableName": "rows", "FilterExpression": "attribute_not_exists(x)"});
    let page = done(&account, "Scan", &nothing);
    assert_eq!((&page["Count"], &page["ScannedCount"]), (&json!(0), &json!(18)));
    assert!(page["LastEvaluatedKey"].is_object());
    let counted = done(&account, "Scan", &json!({"TableName": "rows", "Select": "COUNT"}));
    assert_eq!((&counted["Count"], counted["LastEvaluatedKey"].is_object()), (&json!(18), true));
    let query = json!({"TableName": "rows", "IndexName": "by_i", "KeyConditionExpression": "i = :i",
        "ExpressionAttributeValues": {":i": {"N": "0"}}, "Select": "COUNT"});
    assert_eq!(done(&account, "Query", &query)["Count"], 14, "of fourteen the last is within a megabyte");
}

#[test]
fn pages_of_any_length_are_the_items_in_their_order() {
    let account = account(60, 10);
    let whole = json!({"TableName": "rows", "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "p1"}}});
    let of_index = json!({"TableName": "rows", "IndexName": "by_i", "KeyConditionExpression": "i = :i",
        "ExpressionAttributeValues": {":i": {"N": "1"}}});
    for forward in [true, false] {
        for request in [&whole, &of_index] {
            let mut request = request.clone();
            request["ScanIndexForward"] = json!(forward);
            let (_, expected) = pages(&account, "Query", &request);
            for limit in 1..=expected.len() + 1 {
                request["Limit"] = json!(limit);
                let (count, keys) = pages(&account, "Query", &request);
                assert_eq!(keys, expected, "{request}");
                assert_eq!(count, expected.len() / limit + 1, "{request}");
            }
        }
    }
}

#[test]
fn segments_are_disjoint_and_complete() {
    let account = account(60, 10);
    for (segments, index) in [(1, None), (2, None), (7, None), (100, None), (3, Some("by_i"))] {
        let mut all = Vec::new();
        for segment in 0..segments {
            let mut request = json!({"TableName": "rows", "Segment": segment, "TotalSegments": segments, "Limit": 4});
            if let Some(index) = index {
                request["IndexName"] = json!(index);
            }
            let (_, keys) = pages(&account, "Scan", &request);
            all.extend(keys);
        }
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (60, 60), "{segments} segments of {index:?}");
    }
}

#[test]
fn a_start_key_of_another_segment_is_refused() {
    let account = account(60, 10);
    let whole = done(&account, "Scan", &json!({"TableName": "rows", "Limit": 1}));
    let mut response = Response::default();
    let mut refusals = 0;
    for segment in 0..4 {
        let request = json!({"TableName": "rows", "Segment": segment, "TotalSegments": 4,
            "ExclusiveStartKey": whole["LastEvaluatedKey"]});
        account.call("DynamoDB_20120810.Scan", request.to_string().as_bytes(), &mut response);
        if response.status() == 400 {
            let body: Value = serde_json::from_slice(response.body()).unwrap();
            assert_eq!(
                body["message"],
                format!(
                    "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with \
                     correct Segment. TotalSegments: 4 Segment: {segment}"
                )
            );
            refusals += 1;
        }
    }
    assert_eq!(refusals, 3);
}
