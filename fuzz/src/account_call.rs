//! Sequences of requests to an account with tables: any bytes for targets and bodies.
//!
//! The first byte chooses whose texts are said. Each line behind it is a request: the target, a tab, the body. A target
//! without a dot is an operation of the current version.

use kstone_api::Database;
use kstone_api::clock::ClockSource;
use kstone_dynamodb::{Account, AccountOptions, Cohort, Response};
use serde_json::Value;

use crate::database::everything;

/// The most requests of a run.
const REQUESTS_MAX: usize = 40;
/// What all tables may take: enough for every run, and little enough to be reached.
const MEMORY_MAX_BYTES: usize = 2 * 1024 * 1024;

/// What requests find: tables with keys of every type, indexes, a stream and a few items. The names are those of
/// `kstone-dynamodb/tests/cases`, from which the corpus is made.
const SETUP: [(&str, &str); 8] = [
    (
        "CreateTable",
        r#"{"TableName":"things","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"}],
        "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}"#,
    ),
    (
        "CreateTable",
        r#"{"TableName":"rows","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"},
        {"AttributeName":"i","AttributeType":"N"}],
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
        "LocalSecondaryIndexes":[{"IndexName":"by-i","Projection":{"ProjectionType":"KEYS_ONLY"},
        "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"i","KeyType":"RANGE"}]}],
        "GlobalSecondaryIndexes":[{"IndexName":"of-i","Projection":{"ProjectionType":"ALL"},
        "KeySchema":[{"AttributeName":"i","KeyType":"HASH"}]}]}"#,
    ),
    (
        "CreateTable",
        r#"{"TableName":"numbers","BillingMode":"PAY_PER_REQUEST",
        "AttributeDefinitions":[{"AttributeName":"n","AttributeType":"N"},{"AttributeName":"b","AttributeType":"B"}],
        "KeySchema":[{"AttributeName":"n","KeyType":"HASH"},{"AttributeName":"b","KeyType":"RANGE"}]}"#,
    ),
    (
        "PutItem",
        r#"{"TableName":"things","Item":{"pk":{"S":"a"},"n":{"N":"1"},"s":{"S":"text"},"l":{"L":[{"N":"1"},{"S":"x"}]},
        "m":{"M":{"k":{"S":"v"}}},"ss":{"SS":["a","b"]},"ns":{"NS":["1","2"]},"bs":{"BS":["AP8="]},"z":{"NULL":true}}}"#,
    ),
    ("PutItem", r#"{"TableName":"things","Item":{"pk":{"S":"b"},"n":{"N":"2"}}}"#),
    ("PutItem", r#"{"TableName":"rows","Item":{"pk":{"S":"p"},"sk":{"S":"a"},"i":{"N":"0"},"even":{"BOOL":true}}}"#),
    ("PutItem", r#"{"TableName":"rows","Item":{"pk":{"S":"p"},"sk":{"S":"b"},"i":{"N":"1"},"even":{"BOOL":false}}}"#),
    ("PutItem", r#"{"TableName":"numbers","Item":{"n":{"N":"-1.5"},"b":{"B":"AP8="}}}"#),
];

/// One run.
///
/// # Panics
/// Where an answer is none of AWS's, and where a request that was refused has changed something.
pub fn run(data: &[u8]) {
    let Some((&first, lines)) = data.split_first() else { return };
    let cohort = if first & 1 == 0 { Cohort::Current } else { Cohort::Classic };
    let account = filled(cohort);
    let mut response = Response::default();
    for line in lines.split(|&byte| byte == b'\n').take(REQUESTS_MAX) {
        let at = line.iter().position(|&byte| byte == b'\t').unwrap_or(line.len());
        let (target, body) = (String::from_utf8_lossy(&line[..at]), line.get(at + 1..).unwrap_or_default());
        let before = state(&account);
        call(&account, &target, body, &mut response);
        if response.status() != 200 {
            assert_eq!(before, state(&account), "{target} was refused and changed something");
        }
    }
}

/// An account with tables and items.
fn filled(cohort: Cohort) -> Account {
    let clock = ClockSource::default();
    clock.set_time(1_700_000_000);
    let mut options = AccountOptions { clock, cohort, ..AccountOptions::default() };
    options.database.memory_max_bytes = MEMORY_MAX_BYTES;
    let account = Account::open(options).expect("the options are within their ranges");
    let mut response = Response::default();
    for (operation, body) in SETUP {
        call(&account, operation, body.as_bytes(), &mut response);
        assert_eq!(response.status(), 200, "{}", String::from_utf8_lossy(response.body()));
    }
    account
}

/// One request, whose answer is one of AWS's.
fn call(account: &Account, target: &str, body: &[u8], response: &mut Response) {
    match target.contains('.') {
        true => account.call(target, body, response),
        false => {
            let of_streams = matches!(target, "ListStreams" | "DescribeStream" | "GetShardIterator" | "GetRecords");
            let service = if of_streams { "DynamoDBStreams" } else { "DynamoDB" };
            account.call(&format!("{service}_20120810.{target}"), body, response);
        }
    }
    let answer: Value = serde_json::from_slice(response.body()).expect("an answer is JSON");
    let is_refused = answer.get("__type").is_some();
    assert_eq!(response.status(), if is_refused { 400 } else { 200 }, "{answer}");
}

/// Every table by name, and all that a caller can see of it.
fn state(account: &Account) -> Vec<(String, impl PartialEq + std::fmt::Debug + use<>)> {
    let mut response = Response::default();
    call(account, "ListTables", b"{}", &mut response);
    let answer: Value = serde_json::from_slice(response.body()).expect("an answer is JSON");
    let names = answer["TableNames"].as_array().expect("there is a list of names");
    let names = names.iter().map(|name| name.as_str().expect("a name is text").to_owned());
    let table = |name: &str| Database::from(account.table(name).expect("a table that is listed is there"));
    names.map(|name| (name.clone(), everything(&table(&name)))).collect()
}
