//! Forks and snapshots of accounts: items, and what DynamoDB's operations know of their tables.

#![expect(clippy::unwrap_used, reason = "an account that is not as it should be fails the test")]

use kstone_api::{ItemBuilder, KeyType, TableSchema};
use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000;

fn account() -> Account {
    let account = Account::open(AccountOptions::default()).unwrap();
    account.set_time(NOW);
    account
}

fn answer(account: &Account, operation: &str, request: &Value) -> (u16, Value) {
    let mut response = Response::default();
    account.call(&format!("DynamoDB_20120810.{operation}"), request.to_string().as_bytes(), &mut response);
    (response.status(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

fn call(account: &Account, operation: &str, request: Value) -> Value {
    let (status, body) = answer(account, operation, &request);
    assert_eq!(status, 200, "{operation} {request}: {body}");
    body
}

/// An account with a table that was told all there is to tell.
fn told() -> Account {
    let account = account();
    let table = json!({
        "TableName": "orders",
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "state", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6},
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-state",
            "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]},
            "ProvisionedThroughput": {"ReadCapacityUnits": 7, "WriteCapacityUnits": 8},
        }],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        "SSESpecification": {"Enabled": true},
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "DeletionProtectionEnabled": true,
        "Tags": [{"Key": "team", "Value": "blue"}],
        "ResourcePolicy": "{\"Statement\":[]}",
        "WarmThroughput": {"ReadUnitsPerSecond": 20, "WriteUnitsPerSecond": 20},
    });
    call(&account, "CreateTable", table);
    let ttl = json!({"TableName": "orders", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    call(&account, "UpdateTimeToLive", ttl);
    let insights = json!({"TableName": "orders", "IndexName": "by-state", "ContributorInsightsAction": "ENABLE"});
    call(&account, "UpdateContributorInsights", insights);
    let item = json!({"id": {"S": "a"}, "state": {"S": "open"}});
    call(&account, "PutItem", json!({"TableName": "orders", "Item": item}));
    account
}

/// All that the control plane says of the table.
fn everything(account: &Account) -> Vec<Value> {
    let (name, arn) = (json!({"TableName": "orders"}), "arn:aws:dynamodb:us-east-1:000000000000:table/orders");
    let of_index = json!({"TableName": "orders", "IndexName": "by-state"});
    vec![
        call(account, "DescribeTable", name.clone()),
        call(account, "DescribeTimeToLive", name),
        call(account, "ListTagsOfResource", json!({"ResourceArn": arn})),
        call(account, "GetResourcePolicy", json!({"ResourceArn": arn})),
        call(account, "DescribeContributorInsights", of_index),
    ]
}

#[test]
fn a_fork_knows_what_the_account_knew_and_is_changed_by_itself() {
    let account = told();
    let before = everything(&account);
    let fork = account.fork().unwrap();
    assert_eq!(everything(&fork), before);
    call(&fork, "UpdateTable", json!({"TableName": "orders", "DeletionProtectionEnabled": false}));
    call(&fork, "DeleteTable", json!({"TableName": "orders"}));
    assert_eq!(everything(&account), before);
    call(&account, "PutItem", json!({"TableName": "orders", "Item": {"id": {"S": "b"}}}));
    assert_eq!(call(&fork, "ListTables", json!({})), json!({"TableNames": []}));
    fork.set_time(NOW + 5);
    assert_eq!(everything(&account)[0]["Table"]["CreationDateTime"], 1_700_000_000.0);
}

/// The numbers of the records that an account has of the stream of this name, from the oldest on.
fn sequence_numbers(account: &Account, arn: &Value) -> Vec<String> {
    let ask = |operation: &str, request: Value| -> Value {
        let mut response = Response::default();
        let target = format!("DynamoDBStreams_20120810.{operation}");
        account.call(&target, request.to_string().as_bytes(), &mut response);
        assert_eq!(response.status(), 200, "{operation}: {}", String::from_utf8_lossy(response.body()));
        serde_json::from_slice(response.body()).unwrap()
    };
    let shard = ask("DescribeStream", json!({"StreamArn": arn}))["StreamDescription"]["Shards"][0]["ShardId"].clone();
    let place = json!({"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"});
    let iterator = ask("GetShardIterator", place)["ShardIterator"].clone();
    let records = ask("GetRecords", json!({"ShardIterator": iterator}))["Records"].as_array().unwrap().clone();
    records.iter().map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_fork_has_the_streams_that_ended_and_those_that_are_on_begin_empty_in_it() {
    let account = told();
    let stream = |enabled: bool| {
        let mut specification = json!({"StreamEnabled": enabled});
        if enabled {
            specification["StreamViewType"] = json!("KEYS_ONLY");
        }
        let request = json!({"TableName": "orders", "StreamSpecification": specification});
        call(&account, "UpdateTable", request)["TableDescription"]["LatestStreamArn"].clone()
    };
    let put = |account: &Account, id: &str| {
        call(account, "PutItem", json!({"TableName": "orders", "Item": {"id": {"S": id}}}));
    };
    let ended = stream(false);
    account.set_time(NOW + 1);
    let open = stream(true);
    put(&account, "b");
    let fork = account.fork().unwrap();
    assert_eq!(sequence_numbers(&fork, &ended), sequence_numbers(&account, &ended));
    assert_eq!(sequence_numbers(&fork, &ended).len(), 1);
    let before = sequence_numbers(&account, &open);
    assert_eq!((before.len(), sequence_numbers(&fork, &open).len()), (1, 0));
    put(&fork, "c");
    put(&account, "d");
    let of_account = sequence_numbers(&account, &open);
    assert_eq!((of_account.len(), sequence_numbers(&fork, &open)), (2, of_account[1..].to_vec()));
}

#[test]
fn a_snapshot_keeps_all_but_the_stream_which_begins_anew() {
    let account = told();
    let mut bytes = Vec::new();
    assert_eq!(account.snapshot_save_to(&mut bytes).unwrap(), 1);
    let again = self::account();
    again.set_time(NOW + 60);
    assert_eq!(again.snapshot_load_from(&bytes[..]).unwrap(), 1);
    let (mut before, mut after) = (everything(&account), everything(&again));
    let label = after[0]["Table"]["LatestStreamLabel"].clone();
    assert_eq!(label, "2023-11-14T22:14:20.000");
    for told in [&mut before, &mut after] {
        for member in ["LatestStreamLabel", "LatestStreamArn"] {
            told[0]["Table"][member] = Value::Null;
        }
    }
    assert_eq!(after, before);
    let key = json!({"TableName": "orders", "Key": {"id": {"S": "a"}}});
    assert_eq!(call(&again, "GetItem", key.clone()), call(&account, "GetItem", key));
    let twice = again.snapshot_load_from(&bytes[..]);
    assert!(matches!(twice, Err(kstone_api::Error::TableExists { .. })), "{twice:?}");
}

#[test]
fn a_snapshot_goes_through_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("account.kstone");
    told().snapshot_save(&path).unwrap();
    let again = account();
    assert_eq!(again.snapshot_load(&path).unwrap(), 1);
    assert_eq!(call(&again, "ListTables", json!({})), json!({"TableNames": ["orders"]}));
}

#[test]
fn tables_of_a_file_that_somebody_else_saved_are_described() {
    let other = kstone_api::Account::create_in_memory();
    let scores = TableSchema::new().name("scores").partition_key("user", KeyType::S).sort_key("score", KeyType::N);
    other
        .create_table(scores)
        .unwrap()
        .put_item(ItemBuilder::new().string("user", "ann").number("score", 1).build())
        .unwrap();
    other.create_table(TableSchema::new().name("untyped")).unwrap().put(b"k", ItemBuilder::new().build()).unwrap();
    for annotation in [&b""[..], b"[]", b"{\"tables\":{\"scores\":{\"id\":7}}}", b"\xff"] {
        let mut bytes = Vec::new();
        other.save_snapshot_annotated_to(&mut bytes, annotation).unwrap();
        let account = account();
        account.snapshot_load_from(&bytes[..]).unwrap();
        let scores = &call(&account, "DescribeTable", json!({"TableName": "scores"}))["Table"];
        assert_eq!((&scores["TableStatus"], &scores["ItemCount"]), (&json!("ACTIVE"), &json!(1)));
        assert_eq!(scores["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
        assert_eq!(scores["TableId"].as_str().unwrap().len(), 36);
        assert_eq!(scores["AttributeDefinitions"][0], json!({"AttributeName": "score", "AttributeType": "N"}));
        let untyped = &call(&account, "DescribeTable", json!({"TableName": "untyped"}))["Table"];
        assert_eq!(untyped["KeySchema"][0], json!({"AttributeName": "pk", "KeyType": "HASH"}));
    }
}

#[test]
fn statistics_are_those_of_each_table() {
    let stats: Value = serde_json::from_str(&told().stats_json().unwrap()).unwrap();
    assert_eq!(
        (&stats["tables"]["orders"]["items"], &stats["tables"]["orders"]["index_entries"]),
        (&json!(1), &json!(1))
    );
}
