//! Requests of DynamoDB: the first byte chooses operation and cohort, the rest is the body.

use kstone_dynamodb::model::{Service, operations};
use kstone_dynamodb::{Cohort, Scratch, parse};

/// One run.
///
/// # Panics
/// Where a refusal is no answer.
pub fn run(data: &[u8]) {
    let Some((&first, body)) = data.split_first() else { return };
    let operation = &operations()[usize::from(first >> 1) % operations().len()];
    let prefix = match operation.service {
        Service::DynamoDb => "DynamoDB_20120810",
        Service::Streams => "DynamoDBStreams_20120810",
    };
    let cohort = if first & 1 == 0 { Cohort::Current } else { Cohort::Classic };
    let mut scratch = Scratch::default();
    if let Err(refusal) = parse(&format!("{prefix}.{}", operation.name), body, cohort, &mut scratch) {
        assert_eq!(refusal.status(), 400);
        assert!(refusal.body().starts_with("{\"__type\":\"com.amazon"));
    }
}
