//! Exports into buckets that are folders, and imports from them.

#![expect(clippy::unwrap_used, reason = "an account that is not as it should be fails the test")]

use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use kstone_dynamodb::{Account, AccountOptions, Response};
use md5::{Digest, Md5};
use serde_json::{Value, json};

const NOW: i64 = 1_700_000_000;
const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/orders";

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

fn refused(account: &Account, operation: &str, request: Value) -> (String, String) {
    let (status, body) = answer(account, operation, &request);
    assert_eq!(status, 400, "{operation} {request}: {body}");
    let kind = body["__type"].as_str().unwrap().rsplit_once('#').unwrap().1.to_owned();
    (kind, body["message"].as_str().unwrap_or_default().to_owned())
}

/// What every export is asked for of the table.
fn export(account: &Account, members: Value) -> Value {
    let mut request = json!({"TableArn": ARN, "S3Bucket": "bucket"});
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let answered = call(account, "ExportTableToPointInTime", request)["ExportDescription"].clone();
    assert_eq!(answered["ExportStatus"], "IN_PROGRESS");
    call(account, "DescribeExport", json!({"ExportArn": answered["ExportArn"]}))["ExportDescription"].clone()
}

fn items() -> Vec<Value> {
    vec![
        json!({"id": {"S": "a"}, "n": {"N": "1.5"}, "l": {"L": [{"BOOL": true}, {"NULL": true}, {"M": {"x y": {"S": "\"\\\n"}}}]}}),
        json!({"id": {"S": "b"}, "b": {"B": "AAE="}, "ss": {"SS": ["p", "q"]}, "ns": {"NS": ["1", "200"]}}),
        json!({"id": {"S": "c"}, "bs": {"BS": ["AAE=", "Ag=="]}, "e": {"S": ""}}),
    ]
}

fn put(account: &Account, table: &str, item: &Value) {
    call(account, "PutItem", json!({"TableName": table, "Item": item}));
}

/// An account whose bucket is a folder, with a table of three items that can be exported.
fn account(root: &Path) -> Account {
    fs::create_dir_all(root.join("bucket")).unwrap();
    let options = AccountOptions { files_root: Some(root.to_owned()), ..AccountOptions::default() };
    let account = Account::open(options).unwrap();
    account.set_time(NOW);
    call(&account, "CreateTable", parameters("orders"));
    items().iter().for_each(|item| put(&account, "orders", item));
    let recovery =
        json!({"TableName": "orders", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": true}});
    call(&account, "UpdateContinuousBackups", recovery);
    account
}

fn parameters(name: &str) -> Value {
    json!({
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    })
}

fn import(account: &Account, name: &str, members: Value) -> Value {
    let mut request = json!({
        "S3BucketSource": {"S3Bucket": "bucket"}, "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": parameters(name),
    });
    request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let answered = call(account, "ImportTable", request)["ImportTableDescription"].clone();
    assert_eq!(answered["ImportStatus"], "IN_PROGRESS");
    call(account, "DescribeImport", json!({"ImportArn": answered["ImportArn"]}))["ImportTableDescription"].clone()
}

fn get(account: &Account, table: &str, id: &str) -> Value {
    call(account, "GetItem", json!({"TableName": table, "Key": {"id": {"S": id}}}))["Item"].clone()
}

/// The lines of the data of an export, whose manifests are checked on the way.
fn lines(root: &Path, described: &Value) -> Vec<String> {
    let bucket = root.join("bucket");
    let read = |key: &str| fs::read(bucket.join(key)).unwrap();
    let md5 = |bytes: &[u8]| STANDARD.encode(Md5::digest(bytes));
    let manifest = described["ExportManifest"].as_str().unwrap();
    assert_eq!(md5(&read(manifest)).as_bytes(), read(&manifest.replace(".json", ".checksum")));
    let summary: Value = serde_json::from_slice(&read(manifest)).unwrap();
    assert_eq!((&summary["version"], &summary["itemCount"]), (&json!("2020-06-30"), &described["ItemCount"]));
    assert_eq!(
        (&summary["exportArn"], &summary["outputFormat"]),
        (&described["ExportArn"], &described["ExportFormat"])
    );
    let files_key = summary["manifestFilesS3Key"].as_str().unwrap();
    let files = read(files_key);
    assert_eq!(md5(&files).as_bytes(), read(&files_key.replace(".json", ".checksum")));
    assert!(bucket.join(manifest.replace("manifest-summary.json", "_started")).exists());
    let mut found = Vec::new();
    for line in String::from_utf8(files).unwrap().lines() {
        let file: Value = serde_json::from_str(line).unwrap();
        let packed = read(file["dataFileS3Key"].as_str().unwrap());
        assert_eq!(file["md5Checksum"], md5(&packed));
        let mut text = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert_eq!(file["itemCount"], text.lines().count());
        found.extend(text.lines().map(str::to_owned));
    }
    found
}

#[test]
fn what_is_exported_is_imported_again_in_both_formats() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    for (format, extension) in [("DYNAMODB_JSON", "json"), ("ION", "ion")] {
        let described = export(&account, json!({"ExportFormat": format, "S3Prefix": "/some/prefix"}));
        assert_eq!((&described["ExportStatus"], &described["ItemCount"]), (&json!("COMPLETED"), &json!(3)));
        assert_eq!(described["ExportTime"], 1_700_000_000.0);
        assert!(described.get("ExportType").is_none(), "AWS does not say it of a full one");
        let manifest = described["ExportManifest"].as_str().unwrap();
        assert!(manifest.starts_with("some/prefix/AWSDynamoDB/01700000000000-"), "{manifest}");
        assert_eq!(lines(root.path(), &described).len(), 3);
        let name = format!("again-{extension}");
        let data = manifest.replace("manifest-summary.json", "data/");
        let source = json!({"S3Bucket": "bucket", "S3KeyPrefix": data});
        let imported = import(
            &account,
            &name,
            json!({
                "S3BucketSource": source, "InputFormat": format, "InputCompressionType": "GZIP",
            }),
        );
        assert_eq!(
            (&imported["ImportStatus"], &imported["ImportedItemCount"]),
            (&json!("COMPLETED"), &json!(3)),
            "{imported}"
        );
        assert_eq!(imported["TableCreationParameters"], parameters(&name));
        for item in items() {
            assert_eq!(get(&account, &name, item["id"]["S"].as_str().unwrap()), item);
        }
    }
    let listed = call(&account, "ListExports", json!({"TableArn": ARN, "MaxResults": 1}));
    let next = call(&account, "ListExports", json!({"MaxResults": 1, "NextToken": listed["NextToken"]}));
    assert!(listed["ExportSummaries"][0]["ExportArn"] != next["ExportSummaries"][0]["ExportArn"]);
    assert!(next.get("NextToken").is_none());
    let imports = call(&account, "ListImports", json!({}));
    assert_eq!(imports["ImportSummaryList"].as_array().unwrap().len(), 2);
}

#[test]
fn changes_between_two_moments_are_exported_one_for_each_item() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    account.set_time(NOW + 901);
    put(&account, "orders", &json!({"id": {"S": "a"}, "n": {"N": "2"}}));
    put(&account, "orders", &json!({"id": {"S": "new"}}));
    call(&account, "DeleteItem", json!({"TableName": "orders", "Key": {"id": {"S": "c"}}}));
    let specification = |view: &str| json!({"ExportFromTime": NOW, "ExportToTime": NOW + 901, "ExportViewType": view});
    let changes = |view: &str| {
        let described = export(
            &account,
            json!({
                "ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": specification(view),
            }),
        );
        assert_eq!(described["ExportStatus"], "COMPLETED", "{described}");
        let mut lines: Vec<Value> =
            lines(root.path(), &described).iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.sort_by_key(|line| line["Keys"]["id"]["S"].to_string());
        lines
    };
    let with_old = changes("NEW_AND_OLD_IMAGES");
    assert_eq!(with_old.len(), 3);
    assert_eq!(with_old[0]["Metadata"]["WriteTimestampMicros"]["N"], "1700000901000000");
    assert_eq!((&with_old[0]["NewImage"]["n"]["N"], &with_old[0]["OldImage"]), (&json!("2"), &items()[0]));
    assert_eq!((with_old[1].get("NewImage"), &with_old[1]["OldImage"]), (None, &items()[2]));
    assert_eq!((&with_old[2]["NewImage"], with_old[2].get("OldImage")), (&json!({"id": {"S": "new"}}), None));
    assert!(changes("NEW_IMAGE").iter().all(|line| line.get("OldImage").is_none()));
}

#[test]
fn what_cannot_be_exported_is_refused_or_fails() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    let ask = |members: Value| {
        let mut request = json!({"TableArn": ARN, "S3Bucket": "bucket"});
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        refused(&account, "ExportTableToPointInTime", request)
    };
    let specification = |from: i64, to: i64| {
        ask(json!({
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {"ExportFromTime": from, "ExportToTime": to},
        }))
    };
    account.set_time(NOW + 3 * 86_400);
    for (refusal, kind, message) in [
        (ask(json!({"TableArn": "orders"})), "Validation", "tableArn is not a valid ARN"),
        (ask(json!({"TableArn": ARN.replace("orders", "none")})), "TableNotFound", "Table not found: "),
        (ask(json!({"S3SseKmsKeyId": "k"})), "Validation", "KMS Key Id is not supported"),
        (
            ask(json!({"FilterSpecification": {"FilterExpression": "n > 1"}})),
            "Validation",
            "FilterSpecification is not",
        ),
        (ask(json!({"ExportTime": NOW - 1})), "InvalidExportTime", "Export Time is invalid"),
        (ask(json!({"ExportTime": NOW + 300_000})), "InvalidExportTime", "Export Time is invalid"),
        (ask(json!({"IncrementalExportSpecification": {}})), "Validation", "Export Type expected to be Incremental"),
        (
            ask(json!({"ExportType": "FULL_EXPORT", "IncrementalExportSpecification": {}})),
            "Validation",
            "When Export Type is Full Export",
        ),
        (ask(json!({"ExportType": "INCREMENTAL_EXPORT"})), "Validation", "Incremental Export Specification expected"),
        (
            ask(json!({"ExportType": "INCREMENTAL_EXPORT", "IncrementalExportSpecification": {}})),
            "Validation",
            "ExportFromTime must be provided",
        ),
        (specification(NOW, NOW + 899), "InvalidExportTime", "less than 15 minutes"),
        (specification(NOW, NOW + 86_401), "InvalidExportTime", "greater than 24 hours"),
        (
            specification(NOW - 1, NOW + 899),
            "InvalidExportTime",
            "cannot be less than the table creation time : 2023-11-14T22:13:19Z",
        ),
        (
            specification(NOW + 3 * 86_400, NOW + 4 * 86_400),
            "InvalidExportTime",
            "cannot be greater than the current time : 2023-11-18T22:13:20Z",
        ),
        (
            refused(&account, "DescribeExport", json!({"ExportArn": ARN.to_owned() + "/x"})),
            "Validation",
            "Invalid Export ARN",
        ),
        (
            refused(&account, "DescribeExport", json!({"ExportArn": ARN.to_owned() + "/export/0"})),
            "ExportNotFound",
            "Export not found: Export not found: ",
        ),
    ] {
        assert!(refusal.0 == format!("{kind}Exception") && refusal.1.contains(message), "{refusal:?}");
    }
    let failed = export(&account, json!({"S3Bucket": "nowhere"}));
    assert_eq!((&failed["ExportStatus"], &failed["FailureCode"]), (&json!("FAILED"), &json!("S3NoSuchBucket")));
    let failed = export(&account, json!({"S3Prefix": "a/../../../outside"}));
    assert_eq!(failed["ExportStatus"], "FAILED", "a prefix leads nowhere else");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    call(
        &account,
        "UpdateContinuousBackups",
        json!({
            "TableName": "orders", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": false},
        }),
    );
    assert_eq!(ask(json!({})).0, "PointInTimeRecoveryUnavailableException");
}

#[test]
fn a_token_makes_one_export_of_several_requests() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    let request = json!({"TableArn": ARN, "S3Bucket": "bucket", "ClientToken": "t"});
    let of = |request: &Value| {
        call(&account, "ExportTableToPointInTime", request.clone())["ExportDescription"]["ExportArn"].clone()
    };
    assert_eq!(of(&request), of(&request));
    let mut other = request;
    other["S3Prefix"] = json!("other");
    assert_eq!(refused(&account, "ExportTableToPointInTime", other).0, "ExportConflictException");
}

#[test]
fn tables_are_imported_from_csv_with_and_without_a_header() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    let bucket = root.path().join("bucket");
    fs::write(bucket.join("with.csv"), "id,name\na,\"x, \"\"y\"\"\"\nb,\n").unwrap();
    fs::write(bucket.join("without.tsv"), "a\t1\nb\t2\n").unwrap();
    let of = |key: &str| json!({"S3Bucket": "bucket", "S3KeyPrefix": key});
    let done = import(&account, "with", json!({"S3BucketSource": of("with."), "InputFormat": "CSV"}));
    assert_eq!((&done["ImportStatus"], &done["ProcessedItemCount"]), (&json!("COMPLETED"), &json!(2)), "{done}");
    assert_eq!(get(&account, "with", "a"), json!({"id": {"S": "a"}, "name": {"S": "x, \"y\""}}));
    let mut parameters = parameters("without");
    parameters["AttributeDefinitions"][0]["AttributeType"] = json!("S");
    let options = json!({"Csv": {"Delimiter": "\t", "HeaderList": ["id", "n"]}});
    let done = import(
        &account,
        "without",
        json!({
            "S3BucketSource": of("without"), "InputFormat": "CSV", "InputFormatOptions": options,
            "TableCreationParameters": parameters,
        }),
    );
    assert_eq!(done["ImportStatus"], "COMPLETED");
    assert_eq!(get(&account, "without", "b"), json!({"id": {"S": "b"}, "n": {"S": "2"}}));
}

#[test]
fn a_record_that_is_no_item_fails_the_import_and_the_others_are_there() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    let bucket = root.path().join("bucket");
    fs::write(
        bucket.join("one.json"),
        "{\"Item\":{\"id\":{\"S\":\"a\"}}}\n{\"Item\":{\"x\":{\"S\":\"b\"}}}\n\n{\"Item\":{\"id\":{\"S\":\"c\"}}}",
    )
    .unwrap();
    let done = import(&account, "keys", json!({}));
    let counts = ["ProcessedItemCount", "ImportedItemCount", "ErrorCount"].map(|count| done[count].as_u64().unwrap());
    assert_eq!(
        (&done["ImportStatus"], &done["FailureCode"], counts),
        (&json!("FAILED"), &json!("ItemValidationError"), [3, 2, 1])
    );
    assert_eq!(get(&account, "keys", "c"), json!({"id": {"S": "c"}}));
    for (name, bytes, packing) in [
        ("garbage", &b"{\"Item\":{\"id\":{\"S\":\"a\"}}}\nx\n{\"Item\":{\"id\":{\"S\":\"c\"}}}"[..], "NONE"),
        ("binary", b"\xff\xfe\x00", "NONE"),
        ("unpacked", b"{\"Item\":{\"id\":{\"S\":\"a\"}}}", "GZIP"),
        ("unzstd", b"{\"Item\":{\"id\":{\"S\":\"a\"}}}", "ZSTD"),
    ] {
        fs::write(bucket.join("one.json"), bytes).unwrap();
        let done = import(&account, name, json!({"InputCompressionType": packing}));
        assert_eq!(done["ImportStatus"], "FAILED", "{name}: {done}");
    }
    assert_eq!(get(&account, "garbage", "c"), Value::Null, "an object ends where it is no JSON");
    for (name, members) in [
        ("empty", json!({"S3BucketSource": {"S3Bucket": "bucket", "S3KeyPrefix": "nothing"}})),
        ("nowhere", json!({"S3BucketSource": {"S3Bucket": "nowhere"}})),
    ] {
        let done = import(&account, name, members);
        let is_there = answer(&account, "DescribeTable", &json!({"TableName": name})).0 == 200;
        assert_eq!((done["ImportStatus"] == "COMPLETED", is_there), (name == "empty", name == "empty"), "{done}");
    }
}

#[test]
fn packed_objects_are_read() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(b"{\"Item\":{\"id\":{\"S\":\"a\"}}}\n").unwrap();
    fs::create_dir_all(root.path().join("bucket/gz/deep")).unwrap();
    fs::write(root.path().join("bucket/gz/deep/one.json.gz"), packed.finish().unwrap()).unwrap();
    let source = json!({"S3Bucket": "bucket", "S3KeyPrefix": "gz/"});
    let done = import(&account, "gzip", json!({"S3BucketSource": source, "InputCompressionType": "GZIP"}));
    assert_eq!((&done["ImportStatus"], &done["ImportedItemCount"]), (&json!("COMPLETED"), &json!(1)), "{done}");
    // A frame of Zstandard with one block that is not compressed, as RFC 8878 describes it.
    let line = b"{\"Item\":{\"id\":{\"S\":\"z\"}}}\n";
    let length = u32::try_from(line.len()).unwrap();
    let block = (length << 3 | 1).to_le_bytes();
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0x20, length as u8][..], &block[..3], line].concat();
    fs::create_dir_all(root.path().join("bucket/zst")).unwrap();
    fs::write(root.path().join("bucket/zst/one"), frame).unwrap();
    let source = json!({"S3Bucket": "bucket", "S3KeyPrefix": "zst/"});
    let done = import(&account, "zstd", json!({"S3BucketSource": source, "InputCompressionType": "ZSTD"}));
    assert_eq!((&done["ImportStatus"], &done["ImportedItemCount"]), (&json!("COMPLETED"), &json!(1)), "{done}");
}

#[test]
fn what_cannot_be_imported_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let account = account(root.path());
    let ask = |members: Value| {
        let mut request = json!({
            "S3BucketSource": {"S3Bucket": "bucket"}, "InputFormat": "DYNAMODB_JSON",
            "TableCreationParameters": parameters("again"),
        });
        request.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        refused(&account, "ImportTable", request)
    };
    let mut undefined = parameters("again");
    undefined["AttributeDefinitions"] = json!([]);
    for (refusal, kind, message) in [
        (
            ask(json!({"TableCreationParameters": parameters("orders")})),
            "ResourceInUse",
            "Table already exists: orders",
        ),
        (ask(json!({"TableCreationParameters": undefined})), "Validation", "Invalid KeySchema"),
        (
            ask(json!({"InputFormatOptions": {"Csv": {}}})),
            "Validation",
            "Unsupported InputFormatOptions for the given input format: DYNAMODB_JSON.",
        ),
        (
            refused(&account, "DescribeImport", json!({"ImportArn": ARN.to_owned() + "/x"})),
            "Validation",
            "Invalid Import ARN",
        ),
        (
            refused(&account, "DescribeImport", json!({"ImportArn": ARN.to_owned() + "/import/0"})),
            "ImportNotFound",
            "Import not found: ",
        ),
    ] {
        assert!(refusal.0 == format!("{kind}Exception") && refusal.1.contains(message), "{refusal:?}");
    }
    import(&account, "token", json!({"ClientToken": "t"}));
    assert_eq!(ask(json!({"ClientToken": "t"})).0, "ImportConflictException");
}

#[test]
fn without_a_folder_there_are_no_buckets() {
    let account = Account::open(AccountOptions::default()).unwrap();
    let export = json!({"TableArn": ARN, "S3Bucket": "bucket"});
    let import = json!({
        "S3BucketSource": {"S3Bucket": "bucket"}, "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": parameters("again"),
    });
    for (operation, request) in [("ExportTableToPointInTime", export), ("ImportTable", import)] {
        let (kind, message) = refused(&account, operation, request);
        assert!(kind == "ValidationException" && message.contains("needs files_root"), "{message}");
    }
}
