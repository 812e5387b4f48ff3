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
            defined("at", "N"), defined("customer", "S"), defined("region", "B"), defined("state", "S"),
            defined("total", "N"),
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

/// A table with nothing but its key.
fn plain(name: &str) -> Value {
    json!({
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    })
}

fn add_index(name: &str) -> Value {
    json!({
        "TableName": "plain",
        "AttributeDefinitions": [{"AttributeName": "state", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": name,
            "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }}],
    })
}

/// Status of the table, and status and backfilling of its index.
fn states(description: &Value) -> (&Value, &Value, &Value) {
    let index = &description["GlobalSecondaryIndexes"][0];
    (&description["TableStatus"], &index["IndexStatus"], &index["Backfilling"])
}

fn described(account: &Account, name: &str) -> Value {
    call(account, "DescribeTable", json!({"TableName": name}))["Table"].clone()
}

#[test]
fn a_table_is_in_transition_for_as_long_as_the_account_was_told() {
    let account = account(AccountOptions { transition_seconds: 10, ..AccountOptions::default() });
    let get = json!({"TableName": "plain", "Key": {"id": {"S": "a"}}});
    call(&account, "CreateTable", plain("plain"));
    assert_eq!(described(&account, "plain")["TableStatus"], "CREATING");
    assert_eq!(answer(&account, "GetItem", &get).0, 400, "it has no items yet");
    for operation in ["DeleteTable", "UpdateTable"] {
        let request = if operation == "UpdateTable" { add_index("by-state") } else { json!({"TableName": "plain"}) };
        let (_, body) = answer(&account, operation, &request);
        assert!(body["message"].as_str().unwrap().ends_with("Table is being created: plain"), "{body}");
    }
    account.set_time(NOW + 10);
    assert_eq!(described(&account, "plain")["TableStatus"], "ACTIVE");
    call(&account, "GetItem", get.clone());

    let answered = call(&account, "UpdateTable", add_index("by-state"));
    assert_eq!(states(&answered["TableDescription"]), (&json!("UPDATING"), &json!("CREATING"), &json!(false)));
    for (second, table, index, backfilling) in [
        (10, "UPDATING", "CREATING", json!(false)),
        (14, "UPDATING", "CREATING", json!(false)),
        (15, "ACTIVE", "CREATING", json!(true)),
        (19, "ACTIVE", "CREATING", json!(true)),
        (20, "ACTIVE", "ACTIVE", Value::Null),
    ] {
        account.set_time(NOW + second);
        assert_eq!(states(&described(&account, "plain")), (&json!(table), &json!(index), &backfilling), "{second}");
        let limited = answer(&account, "UpdateTable", &add_index("two")).1["__type"].as_str().map(str::to_owned);
        match second {
            10..15 => assert!(limited.unwrap().ends_with("#ResourceInUseException"), "{second}"),
            15..20 => {
                assert!(limited.unwrap().ends_with("#LimitExceededException"), "{second}");
                let (_, body) = answer(&account, "DeleteTable", &json!({"TableName": "plain"}));
                assert!(body["message"].as_str().unwrap().contains("while indexes are being created"), "{body}");
            }
            _ => assert!(limited.is_none(), "{second}"),
        }
    }
    account.set_time(NOW + 40);
    let deleted = call(&account, "DeleteTable", json!({"TableName": "plain"}));
    assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
    assert_eq!(described(&account, "plain")["TableStatus"], "DELETING");
    assert_eq!(answer(&account, "GetItem", &get).0, 400, "it has no items any more");
    assert_eq!(answer(&account, "CreateTable", &plain("plain")).0, 400, "its name is taken");
    account.set_time(NOW + 50);
    assert_eq!(call(&account, "ListTables", json!({})), json!({"TableNames": []}));
    call(&account, "CreateTable", plain("plain"));
}

#[test]
fn an_index_that_is_added_holds_the_items_that_fit_it() {
    let account = account(AccountOptions::default());
    call(&account, "CreateTable", plain("plain"));
    for (id, state) in [("a", json!({"S": "open"})), ("b", json!({"N": "1"})), ("c", json!({"S": "open"}))] {
        call(&account, "PutItem", json!({"TableName": "plain", "Item": {"id": {"S": id}, "state": state}}));
    }
    call(&account, "UpdateTable", add_index("by-state"));
    let table = described(&account, "plain");
    assert_eq!(states(&table), (&json!("ACTIVE"), &json!("ACTIVE"), &Value::Null));
    assert_eq!(table["GlobalSecondaryIndexes"][0]["ItemCount"], 2);
    let wrong = json!({"TableName": "plain", "Item": {"id": {"S": "d"}, "state": {"N": "1"}}});
    assert_eq!(answer(&account, "PutItem", &wrong).0, 400, "writes fail from now on");
    let delete = json!({"TableName": "plain", "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": "by-state"}}]});
    let answered = call(&account, "UpdateTable", delete);
    assert_eq!(states(&answered["TableDescription"]), (&json!("UPDATING"), &json!("DELETING"), &Value::Null));
    let table = described(&account, "plain");
    assert!(table.get("GlobalSecondaryIndexes").is_none());
    assert_eq!(table["AttributeDefinitions"].as_array().unwrap().len(), 1, "what no key uses is defined no longer");
}

#[test]
fn an_index_keeps_the_type_that_an_attribute_has_already() {
    let account = account(AccountOptions::default());
    call(&account, "CreateTable", plain("plain"));
    let mut request = add_index("by-id");
    request["AttributeDefinitions"] = json!([{"AttributeName": "id", "AttributeType": "N"}]);
    request["GlobalSecondaryIndexUpdates"][0]["Create"]["KeySchema"][0]["AttributeName"] = json!("id");
    call(&account, "UpdateTable", request);
    assert_eq!(
        described(&account, "plain")["AttributeDefinitions"],
        json!([{"AttributeName": "id", "AttributeType": "S"}])
    );
}

#[test]
fn units_change_with_their_dates_and_the_answer_shows_the_old_ones() {
    let account = account(AccountOptions::default());
    let mut request = plain("plain");
    request["BillingMode"] = json!("PROVISIONED");
    request["ProvisionedThroughput"] = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 5});
    call(&account, "CreateTable", request);
    let update = |read: i64, write: i64| {
        let units = json!({"ReadCapacityUnits": read, "WriteCapacityUnits": write});
        call(&account, "UpdateTable", json!({"TableName": "plain", "ProvisionedThroughput": units}))
    };
    let answered = update(10, 5)["TableDescription"].clone();
    assert_eq!(
        (&answered["TableStatus"], &answered["ProvisionedThroughput"]["ReadCapacityUnits"]),
        (&json!("UPDATING"), &json!(5))
    );
    let units = described(&account, "plain")["ProvisionedThroughput"].clone();
    assert_eq!(units["ReadCapacityUnits"], 10);
    assert_eq!((&units["LastIncreaseDateTime"], units.get("LastDecreaseDateTime")), (&json!(1_700_000_000.0), None));
    for (at, decreases) in [(NOW + 1, 1), (NOW + 2, 2), (NOW + 86_400, 1)] {
        account.set_time(at);
        let present = described(&account, "plain")["ProvisionedThroughput"]["ReadCapacityUnits"].as_i64().unwrap();
        update(present - 1, 5);
        assert_eq!(described(&account, "plain")["ProvisionedThroughput"]["NumberOfDecreasesToday"], decreases);
    }
    assert!(described(&account, "plain").get("BillingModeSummary").is_none());
    call(&account, "UpdateTable", json!({"TableName": "plain", "BillingMode": "PAY_PER_REQUEST"}));
    let table = described(&account, "plain");
    assert_eq!(table["ProvisionedThroughput"]["ReadCapacityUnits"], 0);
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PAY_PER_REQUEST");
}

#[test]
fn limits_are_merged_and_removed_one_by_one() {
    let account = account(AccountOptions::default());
    call(&account, "CreateTable", plain("plain"));
    let update =
        |limits: Value| call(&account, "UpdateTable", json!({"TableName": "plain", "OnDemandThroughput": limits}));
    update(json!({"MaxReadRequestUnits": 10}));
    update(json!({"MaxWriteRequestUnits": 5}));
    assert_eq!(
        described(&account, "plain")["OnDemandThroughput"],
        json!({"MaxReadRequestUnits": 10, "MaxWriteRequestUnits": 5})
    );
    let answered = update(json!({"MaxReadRequestUnits": -1}));
    assert_eq!(answered["TableDescription"]["OnDemandThroughput"]["MaxReadRequestUnits"], -1);
    assert_eq!(described(&account, "plain")["OnDemandThroughput"], json!({"MaxWriteRequestUnits": 5}));
    update(json!({"MaxWriteRequestUnits": -1}));
    assert!(described(&account, "plain").get("OnDemandThroughput").is_none());
}

#[test]
fn a_stream_that_is_switched_on_anew_is_another_one() {
    let account = account(AccountOptions::default());
    call(&account, "CreateTable", plain("plain"));
    let switch = |on: bool| {
        let stream = if on {
            json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"})
        } else {
            json!({"StreamEnabled": false})
        };
        call(&account, "UpdateTable", json!({"TableName": "plain", "StreamSpecification": stream}));
        described(&account, "plain")
    };
    let first = switch(true)["LatestStreamArn"].clone();
    let off = switch(false);
    assert!(off.get("StreamSpecification").is_none());
    assert_eq!(off["LatestStreamArn"], first, "the last one is known by its name");
    account.set_time(NOW + 1);
    assert_ne!(switch(true)["LatestStreamArn"], first);
}
