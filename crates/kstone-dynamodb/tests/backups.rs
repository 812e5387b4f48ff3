//! Backups, restores, recovery to points in time.

#![expect(clippy::unwrap_used, reason = "an account that is not as it should be fails the test")]

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000;

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

/// The exception and the sentence with which an operation is refused.
fn refused(account: &Account, operation: &str, request: Value) -> (String, String) {
    let (status, body) = answer(account, operation, &request);
    assert_eq!(status, 400, "{operation} {request}: {body}");
    let kind = body["__type"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned();
    (kind, body["message"].as_str().unwrap_or_default().to_owned())
}

/// An account with a table of all that a restore leaves off, and ten items.
fn account() -> Account {
    let account = Account::open(AccountOptions::default()).unwrap();
    account.set_time(NOW);
    let index = |name: &str, attribute: &str| {
        json!({
            "IndexName": name, "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        })
    };
    let defined = |name: &str, kind: &str| json!({"AttributeName": name, "AttributeType": kind});
    let table = json!({
        "TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [defined("id", "N"), defined("kind", "S"), defined("state", "S")],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [index("by-state", "state"), index("by-kind", "kind")],
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"},
        "Tags": [{"Key": "team", "Value": "blue"}],
        "DeletionProtectionEnabled": true,
    });
    call(&account, "CreateTable", table);
    let ttl = json!({"TableName": "orders", "TimeToLiveSpecification": {"Enabled": true, "AttributeName": "until"}});
    call(&account, "UpdateTimeToLive", ttl);
    (0..10).for_each(|id| put(&account, "orders", id));
    account
}

fn put(account: &Account, table: &str, id: i32) {
    let item = json!({"id": {"N": id.to_string()}, "state": {"S": "open"}, "kind": {"S": "k"}});
    call(account, "PutItem", json!({"TableName": table, "Item": item}));
}

fn items(account: &Account, table: &str) -> i64 {
    call(account, "DescribeTable", json!({"TableName": table}))["Table"]["ItemCount"].as_i64().unwrap()
}

fn backup(account: &Account, name: &str) -> Value {
    call(account, "CreateBackup", json!({"TableName": "orders", "BackupName": name}))["BackupDetails"]["BackupArn"]
        .clone()
}

#[test]
fn a_backup_is_the_table_as_it_was_and_outlives_it() {
    let account = account();
    let arn = backup(&account, "before");
    let prefix = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/backup/01700000000000-";
    assert!(arn.as_str().unwrap().starts_with(prefix), "{arn}");
    put(&account, "orders", 10);
    call(&account, "UpdateTable", json!({"TableName": "orders", "DeletionProtectionEnabled": false}));
    call(&account, "DeleteTable", json!({"TableName": "orders"}));
    let described = call(&account, "DescribeBackup", json!({"BackupArn": arn}))["BackupDescription"].clone();
    let details = &described["BackupDetails"];
    assert_eq!((&details["BackupStatus"], &details["BackupType"]), (&json!("AVAILABLE"), &json!("USER")));
    assert_eq!(described["SourceTableDetails"]["ItemCount"], 10);
    assert_eq!(described["SourceTableFeatureDetails"]["TimeToLiveDescription"]["AttributeName"], "until");
    assert_eq!(described["SourceTableFeatureDetails"]["GlobalSecondaryIndexes"].as_array().unwrap().len(), 2);

    let request = json!({"BackupArn": arn, "TargetTableName": "again"});
    let answered = call(&account, "RestoreTableFromBackup", request.clone())["TableDescription"].clone();
    assert_eq!(answered["RestoreSummary"]["RestoreInProgress"], true);
    let table = call(&account, "DescribeTable", json!({"TableName": "again"}))["Table"].clone();
    assert_eq!(table["RestoreSummary"]["SourceBackupArn"], arn);
    assert_eq!(table["RestoreSummary"]["RestoreInProgress"], false);
    assert_eq!((&table["ItemCount"], &table["GlobalSecondaryIndexes"][0]["ItemCount"]), (&json!(10), &json!(10)));
    for off in ["StreamSpecification", "LatestStreamArn"] {
        assert!(table.get(off).is_none(), "{off}");
    }
    assert_eq!(table["DeletionProtectionEnabled"], false);
    let ttl = call(&account, "DescribeTimeToLive", json!({"TableName": "again"}));
    assert_eq!(ttl["TimeToLiveDescription"]["TimeToLiveStatus"], "DISABLED");
    let tags = call(&account, "ListTagsOfResource", json!({"ResourceArn": table["TableArn"]}));
    assert_eq!(tags, json!({"Tags": []}));
    assert_eq!(refused(&account, "RestoreTableFromBackup", request).0, "TableAlreadyExistsException");

    let deleted = call(&account, "DeleteBackup", json!({"BackupArn": arn}));
    assert_eq!(deleted["BackupDescription"]["BackupDetails"]["BackupStatus"], "DELETED");
    for operation in ["DescribeBackup", "DeleteBackup"] {
        let (kind, message) = refused(&account, operation, json!({"BackupArn": arn}));
        assert_eq!(
            (&*kind, message),
            ("BackupNotFoundException", format!("Backup not found: {}", arn.as_str().unwrap()))
        );
    }
    put(&account, "again", 11);
    assert_eq!(items(&account, "again"), 11);
}

#[test]
fn a_restore_takes_some_of_the_indexes_and_another_way_to_pay() {
    let account = account();
    let arn = backup(&account, "before");
    let index = json!({
        "IndexName": "by-state", "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
        "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 2},
    });
    let mut request = json!({
        "BackupArn": arn, "TargetTableName": "again", "GlobalSecondaryIndexOverride": [index],
        "BillingModeOverride": "PROVISIONED",
    });
    assert_eq!(
        refused(&account, "RestoreTableFromBackup", request.clone()).1,
        "Invalid Request: Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED"
    );
    request["ProvisionedThroughputOverride"] = json!({"ReadCapacityUnits": 3, "WriteCapacityUnits": 4});
    call(&account, "RestoreTableFromBackup", request.clone());
    let table = call(&account, "DescribeTable", json!({"TableName": "again"}))["Table"].clone();
    assert_eq!(table["ProvisionedThroughput"]["WriteCapacityUnits"], 4);
    let indexes = table["GlobalSecondaryIndexes"].as_array().unwrap();
    assert_eq!((indexes.len(), &indexes[0]["ProvisionedThroughput"]["ReadCapacityUnits"]), (1, &json!(2)));
    assert_eq!(indexes[0]["ItemCount"], 10);
    assert_eq!(table["AttributeDefinitions"].as_array().unwrap().len(), 2);

    request["TargetTableName"] = json!("other");
    request["GlobalSecondaryIndexOverride"][0]["IndexName"] = json!("by-nothing");
    assert!(refused(&account, "RestoreTableFromBackup", request).1.contains("Index by-nothing does not match"));
    assert_eq!(call(&account, "ListTables", json!({})), json!({"TableNames": ["again", "orders"]}));
}

#[test]
fn backups_are_listed_in_pages_and_by_time_and_kind() {
    let account = account();
    let arns: Vec<Value> = (0..5)
        .map(|second| {
            account.set_time(NOW + second);
            backup(&account, "same-name")
        })
        .collect();
    let listed = |request: Value| {
        let page = call(&account, "ListBackups", request);
        let arns = page["BackupSummaries"].as_array().unwrap().iter().map(|summary| summary["BackupArn"].clone());
        (arns.collect::<Vec<_>>(), page.get("LastEvaluatedBackupArn").cloned())
    };
    assert_eq!(listed(json!({})), (arns.clone(), None));
    assert_eq!(listed(json!({"TableName": "orders", "Limit": 5})), (arns.clone(), None));
    assert_eq!(listed(json!({"TableName": "nothing"})).0, Vec::<Value>::new());
    let (page, last) = listed(json!({"Limit": 2}));
    assert_eq!((&page[..], last.as_ref()), (&arns[..2], Some(&arns[1])));
    assert_eq!(listed(json!({"ExclusiveStartBackupArn": arns[1]})).0, arns[2..]);
    assert_eq!(listed(json!({"TimeRangeLowerBound": NOW + 1, "TimeRangeUpperBound": NOW + 3})).0, arns[1..3]);
    assert_eq!(listed(json!({"BackupType": "SYSTEM"})).0, Vec::<Value>::new());
    let (_, message) = refused(&account, "ListBackups", json!({"TimeRangeLowerBound": 2, "TimeRangeUpperBound": 1}));
    assert!(message.ends_with("lower bound must be less than or equal to upper bound"), "{message}");
}

#[test]
fn what_is_no_backup_is_refused() {
    let account = account();
    let table_arn = "arn:aws:dynamodb:us-east-1:000000000000:table/orders";
    for arn in [table_arn.to_owned(), "x".repeat(40)] {
        assert_eq!(refused(&account, "DescribeBackup", json!({"BackupArn": arn})).1, "Invalid Backup ARN");
    }
    let missing = json!({"TableName": "nothing", "BackupName": "name"});
    assert_eq!(
        refused(&account, "CreateBackup", missing),
        ("TableNotFoundException".to_owned(), "Table not found: nothing".to_owned())
    );
    let gone = format!("{table_arn}/backup/01700000000000-00000000");
    let request = json!({"BackupArn": gone, "TargetTableName": "again"});
    assert_eq!(refused(&account, "RestoreTableFromBackup", request).0, "BackupNotFoundException");
}

fn recovery(account: &Account, on: bool) -> Value {
    let request = json!({
        "TableName": "orders", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": on},
    });
    call(account, "UpdateContinuousBackups", request)["ContinuousBackupsDescription"].clone()
}

#[test]
fn a_table_is_restored_to_the_newest_moment_that_was_kept() {
    let account = account();
    let restore = |target: &str, members: Value| {
        let mut request = json!({"SourceTableName": "orders", "TargetTableName": target});
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        request
    };
    let off = call(&account, "DescribeContinuousBackups", json!({"TableName": "orders"}));
    let status = |described: &Value| described["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"].clone();
    assert_eq!(status(&off["ContinuousBackupsDescription"]), "DISABLED");
    let (kind, _) =
        refused(&account, "RestoreTableToPointInTime", restore("early", json!({"UseLatestRestorableTime": true})));
    assert_eq!(kind, "PointInTimeRecoveryUnavailableException");
    let on = recovery(&account, true);
    assert_eq!(status(&on), "ENABLED");
    assert_eq!(on["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"], 35);
    assert_eq!(on["PointInTimeRecoveryDescription"]["EarliestRestorableDateTime"], 1_700_000_000.0);

    put(&account, "orders", 10);
    account.set_time(NOW + 61);
    // The table is used: its moment is kept before the item is there.
    put(&account, "orders", 11);
    account.set_time(NOW + 100);
    put(&account, "orders", 12);
    for (target, members, count, moment) in [
        ("latest", json!({"UseLatestRestorableTime": true}), 13, NOW + 100),
        ("now", json!({"RestoreDateTime": NOW + 100}), 13, NOW + 100),
        ("kept", json!({"RestoreDateTime": NOW + 99}), 11, NOW + 61),
        ("first", json!({"RestoreDateTime": NOW + 60}), 10, NOW),
    ] {
        let answered = call(&account, "RestoreTableToPointInTime", restore(target, members));
        assert_eq!(items(&account, target), count, "{target}");
        let said = &answered["TableDescription"]["RestoreSummary"]["RestoreDateTime"];
        assert_eq!(said.as_f64(), Some(moment as f64), "the moment that was restored, not the one asked for");
    }
    for moment in [NOW - 1, NOW + 101] {
        let (kind, _) =
            refused(&account, "RestoreTableToPointInTime", restore("never", json!({"RestoreDateTime": moment})));
        assert_eq!(kind, "InvalidRestoreTimeException");
    }
    for members in [json!({}), json!({"RestoreDateTime": NOW, "UseLatestRestorableTime": true})] {
        let (_, message) = refused(&account, "RestoreTableToPointInTime", restore("never", members));
        assert!(message.contains("Either one of RestoreDateTime or UseLatestRestorableTime"), "{message}");
    }
    assert_eq!(status(&recovery(&account, false)), "DISABLED");
}

#[test]
fn a_deleted_table_whose_recovery_was_on_leaves_a_backup_that_nobody_deletes() {
    let account = account();
    recovery(&account, true);
    call(&account, "UpdateTable", json!({"TableName": "orders", "DeletionProtectionEnabled": false}));
    call(&account, "DeleteTable", json!({"TableName": "orders"}));
    assert_eq!(call(&account, "ListBackups", json!({})), json!({"BackupSummaries": []}));
    let listed = call(&account, "ListBackups", json!({"BackupType": "ALL"}));
    let summary = &listed["BackupSummaries"][0];
    assert_eq!(
        (&summary["BackupName"], &summary["BackupType"]),
        (&json!("orders$DeletedTableBackup"), &json!("SYSTEM"))
    );
    let arn = &summary["BackupArn"];
    assert!(
        refused(&account, "DeleteBackup", json!({"BackupArn": arn}))
            .1
            .contains("not allowed to delete the system backup")
    );
    call(&account, "RestoreTableFromBackup", json!({"BackupArn": arn, "TargetTableName": "orders"}));
    assert_eq!(items(&account, "orders"), 10);
    account.set_time(NOW + 35 * 86_400);
    assert_eq!(call(&account, "ListBackups", json!({"BackupType": "ALL"})), json!({"BackupSummaries": []}));
}

#[test]
fn forks_share_backups_and_moments_and_keep_their_own() {
    let account = account();
    recovery(&account, true);
    let shared = backup(&account, "shared");
    let fork = account.fork().unwrap();
    let own = backup(&fork, "own");
    call(&fork, "DeleteBackup", json!({"BackupArn": shared}));
    call(&account, "DescribeBackup", json!({"BackupArn": shared}));
    assert_eq!(refused(&account, "DescribeBackup", json!({"BackupArn": own})).0, "BackupNotFoundException");
    fork.set_time(NOW + 100);
    put(&fork, "orders", 10);
    let request = json!({"SourceTableName": "orders", "TargetTableName": "again", "RestoreDateTime": NOW});
    call(&fork, "RestoreTableToPointInTime", request.clone());
    assert_eq!(items(&fork, "again"), 10);
    call(&account, "RestoreTableToPointInTime", request);
}
