//! Requests, times and files that mean harm: an answer comes, memory stays bounded, and nothing leads out of a bucket.

#![expect(clippy::unwrap_used, reason = "an account that is not as it should be fails the test")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/";

fn answer(account: &Account, operation: &str, request: &Value) -> (u16, Value) {
    let mut response = Response::default();
    let service = if operation.contains("Shard") || operation.contains("Stream") || operation == "GetRecords" {
        "DynamoDBStreams_20120810"
    } else {
        "DynamoDB_20120810"
    };
    account.call(&format!("{service}.{operation}"), request.to_string().as_bytes(), &mut response);
    (response.status(), serde_json::from_slice(response.body()).unwrap_or(Value::Null))
}

fn call(account: &Account, operation: &str, request: Value) -> Value {
    let (status, body) = answer(account, operation, &request);
    assert_eq!(status, 200, "{operation} {request}: {body}");
    body
}

/// The name of the exception and its message.
fn refused(account: &Account, operation: &str, request: Value) -> (String, String) {
    let (status, body) = answer(account, operation, &request);
    assert_eq!(status, 400, "{operation} {request}: {body}");
    let kind = body["__type"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned();
    (kind, body["message"].as_str().unwrap_or_default().to_owned())
}

fn create(account: &Account, name: &str) {
    let (definitions, schema) = key();
    let members = json!({"TableName": name, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": definitions,
        "KeySchema": schema, "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}});
    call(account, "CreateTable", members);
}

fn key() -> (Value, Value) {
    (json!([{"AttributeName": "id", "AttributeType": "S"}]), json!([{"AttributeName": "id", "KeyType": "HASH"}]))
}

fn with_recovery(account: &Account, name: &str, is_on: bool) {
    let asked = json!({"TableName": name, "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": is_on}});
    call(account, "UpdateContinuousBackups", asked);
}

#[test]
fn a_write_of_a_batch_without_its_item_or_key_is_refused() {
    let account = Account::open(AccountOptions::default()).unwrap();
    create(&account, "orders");
    for (write, missing) in [("PutRequest", "putRequest.item"), ("DeleteRequest", "deleteRequest.key")] {
        let good = json!({"PutRequest": {"Item": {"id": {"S": "a"}}}});
        let (kind, message) =
            refused(&account, "BatchWriteItem", json!({"RequestItems": {"orders": [good, {write: {}}]}}));
        assert_eq!(kind, "ValidationException");
        assert_eq!(
            message,
            format!(
                "1 validation error detected: Value null at 'requestItems.orders.member.2.member.{missing}' failed to \
                 satisfy constraint: Member must not be null"
            )
        );
    }
    assert_eq!(call(&account, "Scan", json!({"TableName": "orders"}))["Count"], 0);
}

#[test]
fn places_at_the_end_of_all_numbers_are_places_in_a_stream() {
    let account = Account::open(AccountOptions::default()).unwrap();
    create(&account, "orders");
    call(&account, "PutItem", json!({"TableName": "orders", "Item": {"id": {"S": "a"}}}));
    let stream = call(&account, "ListStreams", json!({}))["Streams"][0]["StreamArn"].clone();
    let described = call(&account, "DescribeStream", json!({"StreamArn": stream}));
    let shard = &described["StreamDescription"]["Shards"][0]["ShardId"];
    let asked = json!({"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
        "SequenceNumber": "9".repeat(38)});
    let iterator = call(&account, "GetShardIterator", asked)["ShardIterator"].clone();
    assert_eq!(call(&account, "GetRecords", json!({"ShardIterator": iterator}))["Records"], json!([]));
    // One that nobody gave out.
    let mut bytes = vec![1];
    bytes.extend_from_slice(&u64::MAX.to_be_bytes());
    bytes.extend_from_slice(&i64::MAX.to_be_bytes());
    let forged = format!("{}|1|{}", stream.as_str().unwrap(), STANDARD.encode(bytes));
    assert_eq!(call(&account, "GetRecords", json!({"ShardIterator": forged}))["Records"], json!([]));
}

#[test]
fn any_time_is_a_time() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("bucket")).unwrap();
    let options = AccountOptions { files_root: Some(root.path().to_owned()), ..AccountOptions::default() };
    let account = Account::open(options).unwrap();
    account.set_time(i64::MIN);
    create(&account, "orders");
    with_recovery(&account, "orders", true);
    let minutes = (0..9).map(|minute| i64::MIN + 61 * minute);
    for time in minutes.chain([-1, 1, i64::MAX / 1000, i64::MAX - 1, i64::MAX, i64::MIN, 7, i64::MAX]) {
        account.set_time(time);
        for _ in 0..3 {
            let stream = |members| json!({"TableName": "orders", "StreamSpecification": members});
            call(&account, "UpdateTable", stream(json!({"StreamEnabled": false})));
            call(&account, "UpdateTable", stream(json!({"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"})));
            let policy = json!({"ResourceArn": format!("{ARN}orders"), "Policy": json!({"a": time}).to_string()});
            call(&account, "PutResourcePolicy", policy);
            let policy = json!({"ResourceArn": format!("{ARN}orders"), "Policy": json!({"b": time}).to_string()});
            call(&account, "PutResourcePolicy", policy);
        }
        call(&account, "PutItem", json!({"TableName": "orders", "Item": {"id": {"S": "a"}}}));
        for (from, to) in [(-1e300, 1e300), (-9.3e15, 9.2e15), (-9.3e15, -9.3e15), (0.0, 1e3)] {
            let window = json!({"ExportFromTime": from, "ExportToTime": to});
            let request = json!({"TableArn": format!("{ARN}orders"), "S3Bucket": "bucket",
                "ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": window});
            answer(&account, "ExportTableToPointInTime", &request);
        }
        call(&account, "DescribeContinuousBackups", json!({"TableName": "orders"}));
        call(&account, "DescribeTable", json!({"TableName": "orders"}));
    }
}

#[test]
fn a_snapshot_brings_a_table_back_that_is_being_deleted() {
    let account = Account::open(AccountOptions { transition_seconds: 10, ..AccountOptions::default() }).unwrap();
    account.set_time(1000);
    create(&account, "orders");
    account.set_time(2000);
    call(&account, "PutItem", json!({"TableName": "orders", "Item": {"id": {"S": "a"}}}));
    let mut snapshot = Vec::new();
    account.snapshot_save_to(&mut snapshot).unwrap();
    call(&account, "DeleteTable", json!({"TableName": "orders"}));
    assert_eq!(account.snapshot_load_from(&snapshot[..]).unwrap(), 1);
    for time in [2000, 3000] {
        account.set_time(time);
        assert_eq!(call(&account, "Scan", json!({"TableName": "orders"}))["Count"], 1);
    }
    call(&account, "DeleteTable", json!({"TableName": "orders"}));
    account.set_time(4000);
    create(&account, "orders");
}

fn import(account: &Account, table: &str, members: Value) -> Value {
    let (definitions, schema) = key();
    let mut request = json!({"InputFormat": "DYNAMODB_JSON", "S3BucketSource": {"S3Bucket": "bucket"},
        "TableCreationParameters": {"TableName": table, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": definitions, "KeySchema": schema}});
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let arn = call(account, "ImportTable", request)["ImportTableDescription"]["ImportArn"].clone();
    call(account, "DescribeImport", json!({"ImportArn": arn}))["ImportTableDescription"].clone()
}

fn with_bucket() -> (tempfile::TempDir, Account) {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("bucket")).unwrap();
    let options = AccountOptions { files_root: Some(root.path().to_owned()), ..AccountOptions::default() };
    (root, Account::open(options).unwrap())
}

/// What `work` gives, if it comes to an end.
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(Duration::from_secs(60)).unwrap()
}

#[cfg(unix)]
#[test]
fn links_in_a_bucket_lead_nowhere() {
    use std::os::unix::fs::symlink;
    let (root, account) = with_bucket();
    let outside = root.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret.json"), "{\"Item\":{\"id\":{\"S\":\"secret\"}}}\n").unwrap();
    let bucket = root.path().join("bucket");
    for name in ["one", "two", "three"] {
        symlink(&bucket, bucket.join(name)).unwrap();
    }
    symlink(&outside, bucket.join("away")).unwrap();
    symlink(outside.join("secret.json"), bucket.join("away.json")).unwrap();
    let sees = account.clone();
    let imported = in_time(move || import(&sees, "imported", json!({})));
    assert_eq!(imported["ProcessedItemCount"], 0, "{imported}");
    create(&account, "orders");
    with_recovery(&account, "orders", true);
    let request = json!({"TableArn": format!("{ARN}orders"), "S3Bucket": "bucket", "S3Prefix": "away"});
    let arn = call(&account, "ExportTableToPointInTime", request)["ExportDescription"]["ExportArn"].clone();
    let export = call(&account, "DescribeExport", json!({"ExportArn": arn}))["ExportDescription"].clone();
    assert_eq!(export["ExportStatus"], "FAILED");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

fn packed(path: &Path, chunk: &[u8], times: usize) {
    let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(chunk).unwrap());
    encoder.finish().unwrap();
}

#[test]
fn a_row_without_an_end_is_not_kept_in_memory() {
    let (root, account) = with_bucket();
    let path = root.path().join("bucket/bomb.csv.gz");
    for (at, chunk) in [&[b'a'; 1 << 16], &[b','; 1 << 16], &[b'"'; 1 << 16]].into_iter().enumerate() {
        packed(&path, chunk, 32);
        let asked = json!({"InputFormat": "CSV", "InputCompressionType": "GZIP"});
        let imported = import(&account, &format!("imported{at}"), asked);
        // The row is an error, and not the names of columns.
        assert_eq!((&imported["ImportStatus"], &imported["ErrorCount"]), (&json!("FAILED"), &json!(1)), "{imported}");
    }
    let mut rows = fs::File::create(root.path().join("bucket/rows.csv")).unwrap();
    fs::remove_file(path).unwrap();
    writeln!(rows, "id,value").unwrap();
    (0..100).for_each(|at| writeln!(rows, "{at},{}", "v".repeat(100_000)).unwrap());
    let imported = import(&account, "rows", json!({"InputFormat": "CSV"}));
    assert_eq!(imported["ImportedItemCount"], 100, "what is longer than one row in all is read: {imported}");
}

#[test]
fn what_is_remembered_of_imports_is_bounded_in_bytes() {
    let (_root, account) = with_bucket();
    let header: Vec<String> = (0..100).map(|at| format!("{at}{}", "x".repeat(60_000))).collect();
    let asked = json!({"InputFormat": "CSV", "S3BucketSource": {"S3Bucket": "missing"},
        "InputFormatOptions": {"Csv": {"HeaderList": header}}});
    let first = import(&account, "imported", asked.clone())["ImportArn"].clone();
    assert_eq!(answer(&account, "DescribeImport", &json!({"ImportArn": first})).0, 200);
    for _ in 0..12 {
        import(&account, "imported", asked.clone());
    }
    let (kind, _) = refused(&account, "DescribeImport", json!({"ImportArn": first}));
    assert_eq!(kind, "ImportNotFoundException");
    assert!(!call(&account, "ListImports", json!({}))["ImportSummaryList"].as_array().unwrap().is_empty());
}

#[test]
fn a_restored_table_is_whole_when_it_is_first_seen() {
    let account = Account::open(AccountOptions::default()).unwrap();
    create(&account, "orders");
    for at in 0..2000 {
        let item = json!({"id": {"S": at.to_string()}, "text": {"S": "x".repeat(100)}});
        call(&account, "PutItem", json!({"TableName": "orders", "Item": item}));
    }
    let backup = call(&account, "CreateBackup", json!({"TableName": "orders", "BackupName": "backup"}));
    for at in 0..5 {
        let table = format!("restored{at}");
        let (is_seen, seen) = mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let item = json!({"TableName": table, "Item": {"id": {"S": "another"}}});
                while answer(&account, "PutItem", &item).0 != 200 {}
                is_seen.send(call(&account, "Scan", json!({"TableName": table}))["Count"].clone()).unwrap();
            });
            let arn = &backup["BackupDetails"]["BackupArn"];
            call(&account, "RestoreTableFromBackup", json!({"BackupArn": arn, "TargetTableName": table}));
            assert_eq!(seen.recv().unwrap(), 2001);
        });
    }
}
