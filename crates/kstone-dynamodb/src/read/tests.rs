use super::*;
use crate::model::operation;

/// The members of a GetItem that a body has, as name and JSON.
fn members(body: &str) -> Result<Vec<(&'static str, String)>, NotJson> {
    let operation = operation("DynamoDB_20120810.GetItem").unwrap();
    let read = read(body, Some(operation), &mut Scratch::default())?;
    let names = operation.input.shape().members().iter().map(|member| member.name);
    let there = names.zip(read.members).filter(|(_, span)| !span.is_absent());
    Ok(there.map(|(name, span)| (name, body[span.start as usize..span.end as usize].to_owned())).collect())
}

#[test]
fn members_are_found_where_they_are() {
    let body =
        r#" { "Key" : {"a":{"S":"}]\""}} , "TableName":"t", "Other": [{"TableName":"no"}], "ConsistentRead" : true }"#;
    let found = members(body).unwrap();
    let expected = [("TableName", "\"t\""), ("Key", r#"{"a":{"S":"}]\""}}"#), ("ConsistentRead", "true")];
    assert_eq!(found, expected.map(|(name, json)| (name, json.to_owned())));
}

#[test]
fn names_inside_of_members_are_no_members() {
    let found = members(r#"{"Key":{"TableName":{"S":"a"}},"Unknown":{"Key":1}}"#).unwrap();
    assert_eq!(found, [("Key", r#"{"TableName":{"S":"a"}}"#.to_owned())]);
}

#[test]
fn null_is_absent_and_the_last_of_two_counts() {
    assert_eq!(members(r#"{"TableName":null}"#).unwrap(), []);
    assert_eq!(members(r#"{"TableName":"a","TableName":"b"}"#).unwrap(), [("TableName", "\"b\"".to_owned())]);
    assert_eq!(members(r#"{"TableName":"a","\u0054ableName":null}"#).unwrap(), []);
}

#[test]
fn hidden_entries_are_listed_in_order() {
    let operation = operation("DynamoDB_20120810.GetItem").unwrap();
    let mut scratch = Scratch::default();
    let body =
        r#"{"Key":{"b":{"S":"1"},"a":{"M":{"x":{"S":"2"},"x":{"S":"3"}}},"\u0062":{"S":"4"},"a":{},"b":{"S":"5"}}}"#;
    read(body, Some(operation), &mut scratch).unwrap();
    let hidden: Vec<&str> = scratch.shadowed.iter().map(|&at| &body[at as usize..at as usize + 8]).collect();
    assert_eq!(hidden, ["\"b\":{\"S\"", "\"a\":{\"M\"", "\"x\":{\"S\"", "\"\\u0062\""]);
}

#[test]
fn what_was_read_before_leaves_nothing() {
    let operation = operation("DynamoDB_20120810.GetItem").unwrap();
    let mut scratch = Scratch::default();
    read(r#"{"Key":{"a":{},"a":{}}}"#, Some(operation), &mut scratch).unwrap();
    assert_eq!(scratch.shadowed.len(), 1);
    assert!(read(r#"{"Key":{"a":{"#, Some(operation), &mut scratch).is_err());
    let read = read("{}", Some(operation), &mut scratch).unwrap();
    assert!(scratch.shadowed.is_empty() && read.members.iter().all(|span| span.is_absent()));
}

#[test]
fn a_body_that_is_no_json_is_that_whatever_else_is_wrong() {
    for body in [r#"{"TableName":5,"Key":"#, r#"{"TableName":5}}"#, r#"{"TableName":[1,}"#] {
        assert_eq!(members(body), Err(NotJson), "{body}");
    }
}

#[test]
fn nesting_ends_at_the_limit_and_takes_no_stack() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(members(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(members(&nested(MAX_DEPTH + 1)), Err(NotJson));
}
