//! Tables by DynamoDB's operations: what scenarios cannot say, since it is random, long or of time.

#![expect(clippy::unwrap_used, reason = "a table that is not as it should be fails the test")]

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000;

fn account(options: AccountOptions) -> Account {
    let account = Account::open(options).unwrap();
    account.set_time(NOW);
    account
}

/// Calls an operation: status and body.
fn answer(account: &Account, operation: &str, request: &Value) -> (u16, Value) {
    let mut response = Response::default();
    account.call(&format!("DynamoDB_20120810.{operation}"), request.to_string().as_bytes(), &mut response);
    let body = serde_json::from_slice(response.body()).unwrap_or_else(|error| panic!("{operation}: {error}"));
    (response.status(), body)
}

/// Calls an operation that is to be carried out.
fn call(account: &Account, operation: &str, request: Value) -> Value {
    let (status, body) = answer(account, operation, &request);
    assert_eq!(status, 200, "{operation} {request}: {body}");
    body
}

/// A table of every kind of index.
fn orders() -> Value {
    let element = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let defined = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    json!({
        "TableName": "orders",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            defined("customer", "S"), defined("at", "N"), defined("state", "S"), defined("total", "N"),
            defined("region", "B"),
        ],
        "KeySchema": [element("customer", "HASH"), element("at", "RANGE")],
        "LocalSecondaryIndexes": [{
            "IndexName": "by-total", "KeySchema": [element("customer", "HASH"), element("total", "RANGE")],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-state",
            "KeySchema": [
                element("state", "HASH"), element("region", "HASH"), element("total", "RANGE"), element("at", "RANGE"),
            ],
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"]},
        }],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
    })
}

#[test]
fn a_table_is_described_as_it_was_created() {
    let account = account(AccountOptions::default());
    let request = orders();
    let created = call(&account, "CreateTable", request.clone());
    assert_eq!(created["TableDescription"]["TableStatus"], "CREATING");
    let table = &call(&account, "DescribeTable", json!({"TableName": "orders"}))["Table"];
    assert_eq!(table["TableStatus"], "ACTIVE");
    for member in ["AttributeDefinitions", "KeySchema", "StreamSpecification", "TableName"] {
        assert_eq!(table[member], request[member], "{member}");
    }
    for list in ["LocalSecondaryIndexes", "GlobalSecondaryIndexes"] {
        for member in ["IndexName", "KeySchema", "Projection"] {
            assert_eq!(table[list][0][member], request[list][0][member], "{list}, {member}");
        }
        assert_eq!(table[list][0]["ItemCount"], 0);
    }
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders";
    assert_eq!(table["TableArn"], arn);
    assert_eq!(table["TableId"], created["TableDescription"]["TableId"]);
    assert_eq!(table["GlobalSecondaryIndexes"][0]["IndexArn"], format!("{arn}/index/by-state"));
    assert_eq!(table["LatestStreamArn"], format!("{arn}/stream/2023-11-14T22:13:20.000"));
    assert_eq!(table["CreationDateTime"], 1_700_000_000.0);
    assert_eq!(table["ProvisionedThroughput"]["ReadCapacityUnits"], 0);
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["WarmThroughput"]["Status"], "ACTIVE");
    assert_eq!(table["DeletionProtectionEnabled"], false);
    assert!(table.get("SSEDescription").is_none());
}

#[test]
fn items_are_counted_in_the_table_and_in_its_indexes() {
    let account = account(AccountOptions::default());
    call(&account, "CreateTable", orders());
    for at in 0..5 {
        let mut item = json!({"customer": {"S": "ann"}, "at": {"N": at.to_string()}, "total": {"N": "1"}});
        if at > 2 {
            item["state"] = json!({"S": "open"});
            item["region"] = json!({"B": "AAE="});
        }
        call(&account, "PutItem", json!({"TableName": "orders", "Item": item}));
    }
    let table = &call(&account, "DescribeTable", json!({"TableName": "orders"}))["Table"];
    assert_eq!(table["ItemCount"], 5);
    assert_eq!(table["LocalSecondaryIndexes"][0]["ItemCount"], 5);
    assert_eq!(table["GlobalSecondaryIndexes"][0]["ItemCount"], 2);
    for size in [&table["TableSizeBytes"], &table["GlobalSecondaryIndexes"][0]["IndexSizeBytes"]] {
        assert!(size.as_u64().unwrap() > 0);
    }
}

#[test]
fn tables_are_listed_in_pages_of_names_by_their_bytes() {
    let account = account(AccountOptions::default());
    let names = ["Abc", "Zzz", "aaa", "abc", "abc.d", "b-1"];
    for name in names.iter().rev() {
        let mut request = orders();
        request["TableName"] = json!(name);
        call(&account, "CreateTable", request);
    }
    assert_eq!(call(&account, "ListTables", json!({})), json!({"TableNames": names}));
    let page = call(&account, "ListTables", json!({"Limit": 2, "ExclusiveStartTableName": "Zzy"}));
    assert_eq!(page, json!({"TableNames": ["Zzz", "aaa"], "LastEvaluatedTableName": "aaa"}));
    let page = call(&account, "ListTables", json!({"Limit": 3, "ExclusiveStartTableName": "aaa"}));
    assert_eq!(page, json!({"TableNames": ["abc", "abc.d", "b-1"]}));
}
