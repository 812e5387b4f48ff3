//! GetItem, PutItem, UpdateItem and DeleteItem as a whole: what one request leaves is what the next one finds.

#![expect(clippy::unwrap_used, reason = "a step that fails, fails the test")]

use kstone_dynamodb::{Account, AccountOptions, Response};
use serde_json::{Value, json};

/// An account with a table `things` of the key `pk`, and one `rows` of `pk` and the number `sk`.
struct Tables {
    account: Account,
    response: Response,
}

impl Tables {
    fn new() -> Self {
        let account = Account::open(AccountOptions::default()).unwrap();
        let mut tables = Self { account, response: Response::default() };
        let definition = |name: &str, type_: &str| json!({"AttributeName": name, "AttributeType": type_});
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        tables.done(
            "CreateTable",
            json!({"TableName": "things", "BillingMode": "PAY_PER_REQUEST", "KeySchema": [key("pk", "HASH")],
                "AttributeDefinitions": [definition("pk", "S")]}),
        );
        tables.done(
            "CreateTable",
            json!({"TableName": "rows", "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
                "AttributeDefinitions": [definition("pk", "S"), definition("sk", "N")]}),
        );
        tables
    }

    fn call(&mut self, operation: &str, request: Value) -> (u16, Value) {
        let target = format!("DynamoDB_20120810.{operation}");
        self.account.call(&target, request.to_string().as_bytes(), &mut self.response);
        (self.response.status(), serde_json::from_slice(self.response.body()).unwrap())
    }

    fn done(&mut self, operation: &str, request: Value) -> Value {
        let shown = request.to_string();
        let (status, body) = self.call(operation, request);
        assert_eq!(status, 200, "{operation} {shown}: {body}");
        body
    }

    /// The kind and the sentence of a refusal.
    fn refused(&mut self, operation: &str, request: Value) -> (String, String) {
        let shown = request.to_string();
        let (status, body) = self.call(operation, request);
        assert_eq!(status, 400, "{operation} {shown}: {body}");
        let kind = body["__type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
        (kind, body["message"].as_str().unwrap_or_default().to_owned())
    }

    fn item(&mut self, key: &str) -> Value {
        self.done("GetItem", json!({"TableName": "things", "Key": {"pk": {"S": key}}}))["Item"].clone()
    }
}

/// Values of every type, and how they come back: numbers in their canonical form, sets and names in order.
#[test]
fn values_of_every_type_come_back() {
    let mut tables = Tables::new();
    let given = json!({"z": {"S": "ä\"\\\n"}, "pk": {"S": "a"}, "n": {"N": "-01.50E1"}, "b": {"B": "AAE="},
        "ss": {"SS": ["b", "a"]}, "ns": {"NS": ["10", "9.0"]}, "bs": {"BS": ["Yg==", "YQ=="]}, "t": {"BOOL": true},
        "null": {"NULL": true}, "l": {"L": [{"M": {"y": {"S": "1"}, "x": {"L": []}}}, {"NS": ["1"]}]}, "e": {"S": ""}});
    let stored = json!({"z": {"S": "ä\"\\\n"}, "pk": {"S": "a"}, "n": {"N": "-15"}, "b": {"B": "AAE="},
        "ss": {"SS": ["a", "b"]}, "ns": {"NS": ["9", "10"]}, "bs": {"BS": ["YQ==", "Yg=="]}, "t": {"BOOL": true},
        "null": {"NULL": true}, "l": {"L": [{"M": {"y": {"S": "1"}, "x": {"L": []}}}, {"NS": ["1"]}]}, "e": {"S": ""}});
    assert_eq!(tables.done("PutItem", json!({"TableName": "things", "Item": given})), json!({}));
    assert_eq!(tables.item("a"), stored);
    let again = json!({"TableName": "things", "Item": {"pk": {"S": "a"}}, "ReturnValues": "ALL_OLD"});
    assert_eq!(tables.done("PutItem", again)["Attributes"], stored);
    let delete = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "ReturnValues": "ALL_OLD"});
    assert_eq!(tables.done("DeleteItem", delete.clone()), json!({"Attributes": {"pk": {"S": "a"}}}));
    assert_eq!(tables.done("DeleteItem", delete), json!({}));
}

#[test]
fn of_names_that_come_twice_the_last_counts() {
    let mut tables = Tables::new();
    let body = br#"{"TableName":"things","Item":{"a":{"S":"1"},"pk":{"S":"x"},"\u0061":{"M":{"b":{"S":"1"},"b":{"N":"2"}}},"pk":{"S":"a"}}}"#;
    tables.account.call("DynamoDB_20120810.PutItem", body, &mut tables.response);
    assert_eq!(tables.response.status(), 200);
    assert_eq!(tables.item("a"), json!({"pk": {"S": "a"}, "a": {"M": {"b": {"N": "2"}}}}));
}

#[test]
fn numbers_of_keys_are_the_same_key_however_they_are_spelled() {
    let mut tables = Tables::new();
    let put =
        |sk: &str, v: &str| json!({"TableName": "rows", "Item": {"pk": {"S": "a"}, "sk": {"N": sk}, "v": {"S": v}}});
    tables.done("PutItem", put("1e2", "first"));
    tables.done("PutItem", put("100.0", "second"));
    let get = json!({"TableName": "rows", "Key": {"sk": {"N": "+100"}, "pk": {"S": "a"}}});
    assert_eq!(
        tables.done("GetItem", get),
        json!({"Item": {"pk": {"S": "a"}, "sk": {"N": "100"}, "v": {"S": "second"}}})
    );
}

#[test]
fn keys_are_refused_as_aws_refuses_them() {
    let mut tables = Tables::new();
    let mismatch = "The provided key element does not match the schema";
    let empty = "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk";
    for (key, text) in [
        (json!({"x": {"S": "a"}}), mismatch),
        (json!({"pk": {"N": "1"}}), mismatch),
        (json!({"pk": {"S": "a"}, "x": {"S": "a"}}), mismatch),
        (json!({}), mismatch),
        (json!({"pk": {"S": ""}}), empty),
        (
            json!({"pk": {"S": "a".repeat(2049)}}),
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes",
        ),
    ] {
        for operation in ["GetItem", "DeleteItem", "UpdateItem"] {
            let (_, said) = tables.refused(operation, json!({"TableName": "things", "Key": key}));
            assert_eq!(said, text, "{operation} {key}");
        }
    }
    for (item, text) in [
        (json!({"x": {"S": "a"}}), "One or more parameter values were invalid: Missing the key pk in the item"),
        (
            json!({"pk": {"N": "1"}}),
            "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N",
        ),
        (json!({"pk": {"S": ""}}), empty),
    ] {
        let (_, said) = tables.refused("PutItem", json!({"TableName": "things", "Item": item}));
        assert_eq!(said, text, "{item}");
    }
}

#[test]
fn updates_do_what_they_say_and_return_what_is_asked_for() {
    let mut tables = Tables::new();
    let mut update = |expression: &str, values: Value, returns: &str| {
        let request = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": expression,
            "ExpressionAttributeValues": values, "ReturnValues": returns});
        tables.done("UpdateItem", request)["Attributes"].clone()
    };
    let one = json!({":x": {"N": "1"}});
    assert_eq!(update("SET n = if_not_exists(n, :x) + :x", one.clone(), "UPDATED_NEW"), json!({"n": {"N": "2"}}));
    assert_eq!(update("SET n = n + :x", one.clone(), "UPDATED_OLD"), json!({"n": {"N": "2"}}));
    assert_eq!(update("ADD n :x", one.clone(), "ALL_OLD"), json!({"pk": {"S": "a"}, "n": {"N": "3"}}));
    assert_eq!(update("ADD n :x", one.clone(), "ALL_NEW"), json!({"pk": {"S": "a"}, "n": {"N": "5"}}));
    assert_eq!(update("SET l = :x", json!({":x": {"L": [{"N": "1"}]}}), "NONE"), Value::Null);
    let appended = update("SET l = list_append(l, :x)", json!({":x": {"L": [{"S": "b"}]}}), "UPDATED_NEW");
    assert_eq!(appended, json!({"l": {"L": [{"N": "1"}, {"S": "b"}]}}));
    assert_eq!(update("SET x = :x", one, "UPDATED_OLD"), Value::Null);
}

#[test]
fn an_update_of_nothing_makes_an_item_of_its_key() {
    let mut tables = Tables::new();
    let request = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
    assert_eq!(tables.done("UpdateItem", request.clone()), json!({}));
    assert_eq!(tables.item("a"), json!({"pk": {"S": "a"}}));
    let mut with_map = request;
    with_map["Key"]["pk"]["S"] = json!("b");
    with_map["AttributeUpdates"] = json!({});
    tables.done("UpdateItem", with_map);
    assert_eq!(tables.item("b"), json!({"pk": {"S": "b"}}));
}

#[test]
fn a_condition_that_fails_hands_the_item_out_where_that_is_asked_for() {
    let mut tables = Tables::new();
    tables.done("PutItem", json!({"TableName": "things", "Item": {"pk": {"S": "a"}, "n": {"N": "1"}}}));
    let mut put =
        json!({"TableName": "things", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"});
    let (status, body) = tables.call("PutItem", put.clone());
    let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
    assert_eq!((status, &body), (400, &json!({"__type": failed, "message": "The conditional request failed"})));
    put["ReturnValuesOnConditionCheckFailure"] = json!("ALL_OLD");
    let (_, body) = tables.call("PutItem", put);
    assert_eq!(body["Item"], json!({"pk": {"S": "a"}, "n": {"N": "1"}}));
    let delete = json!({"TableName": "things", "Key": {"pk": {"S": "b"}}, "ConditionExpression": "attribute_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD"});
    let (_, body) = tables.call("DeleteItem", delete);
    assert_eq!(body.get("Item"), None, "there is none");
}

#[test]
fn expressions_are_read_before_the_table_is_looked_for() {
    let mut tables = Tables::new();
    let refused = |tables: &mut Tables, members: Value| {
        let mut request = json!({"TableName": "nowhere", "Key": {"pk": {"S": "a"}}});
        members.as_object().unwrap().iter().for_each(|(name, value)| request[name] = value.clone());
        tables.refused("DeleteItem", request)
    };
    for (members, text) in [
        (
            json!({"ConditionExpression": "a = = b"}),
            "Invalid ConditionExpression: Syntax error; token: \"=\", near: \"= = b\"",
        ),
        (
            json!({"ConditionExpression": "size = :x", "ExpressionAttributeValues": {":x": {"N": "1"}}}),
            "Invalid ConditionExpression: Attribute name is a reserved keyword; reserved keyword: size",
        ),
        (
            json!({"ConditionExpression": "#a = :x", "ExpressionAttributeValues": {":x": {"N": "1"}}}),
            "Invalid ConditionExpression: An expression attribute name used in the document path is not defined; attribute name: #a",
        ),
        (
            json!({"ConditionExpression": "a = :x", "ExpressionAttributeValues": {":x": {"N": "1"}, ":y": {"N": "1"}},
                "ExpressionAttributeNames": {"#b": "b"}}),
            "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
        ),
        (
            json!({"ConditionExpression": "a = :x", "ExpressionAttributeValues": {":x": {"N": "1"}, ":y": {"N": "1"}}}),
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:y}",
        ),
    ] {
        let (kind, said) = refused(&mut tables, members.clone());
        assert_eq!(
            (&*kind, said),
            ("ValidationException", format!("1 validation error detected: {text}")),
            "{members}"
        );
    }
    let (kind, _) = refused(&mut tables, json!({"ConditionExpression": "attribute_exists(a)"}));
    assert_eq!(kind, "ResourceNotFoundException");
}

#[test]
fn a_key_is_not_updated() {
    let mut tables = Tables::new();
    let text =
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key";
    let request = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "REMOVE pk"});
    assert_eq!(tables.refused("UpdateItem", request).1, text);
    let request =
        json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "AttributeUpdates": {"pk": {"Action": "DELETE"}}});
    assert_eq!(tables.refused("UpdateItem", request).1, text);
    let request = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET sk = :x",
        "ExpressionAttributeValues": {":x": {"N": "1"}}});
    tables.done("UpdateItem", request);
}

#[test]
fn projections_leave_what_they_name() {
    let mut tables = Tables::new();
    let item = json!({"pk": {"S": "a"}, "n": {"N": "1"}, "l": {"L": [{"S": "0"}, {"S": "1"}, {"S": "2"}]}});
    tables.done("PutItem", json!({"TableName": "things", "Item": item}));
    for (members, left) in [
        (
            json!({"ProjectionExpression": "l[2], pk, l[0]"}),
            json!({"pk": {"S": "a"}, "l": {"L": [{"S": "0"}, {"S": "2"}]}}),
        ),
        (json!({"ProjectionExpression": "#n", "ExpressionAttributeNames": {"#n": "n"}}), json!({"n": {"N": "1"}})),
        (json!({"ProjectionExpression": "x"}), json!({})),
        (json!({"AttributesToGet": ["n", "size"]}), json!({"n": {"N": "1"}})),
    ] {
        let mut request = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
        members.as_object().unwrap().iter().for_each(|(name, value)| request[name] = value.clone());
        assert_eq!(tables.done("GetItem", request), json!({"Item": left}), "{members}");
    }
}

#[test]
fn the_parameters_from_before_expressions_do_what_these_do() {
    let mut tables = Tables::new();
    let key = json!({"pk": {"S": "a"}});
    let update =
        |updates: Value| json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "AttributeUpdates": updates});
    tables.done("UpdateItem", update(json!({"x": {"Action": "DELETE"}})));
    assert_eq!(tables.item("a"), Value::Null, "removing makes no item");
    tables.done(
        "UpdateItem",
        update(json!({"n": {"Action": "ADD", "Value": {"N": "2"}}, "s": {"Value": {"SS": ["a", "b"]}},
            "l": {"Action": "ADD", "Value": {"L": [{"S": "x"}]}}, "size": {"Action": "PUT", "Value": {"S": "big"}}})),
    );
    tables.done(
        "UpdateItem",
        update(json!({"n": {"Action": "ADD", "Value": {"N": "3"}}, "s": {"Action": "DELETE", "Value": {"SS": ["b"]}},
            "l": {"Action": "ADD", "Value": {"L": [{"S": "y"}]}}, "size": {"Action": "DELETE"}})),
    );
    let expected = json!({"pk": {"S": "a"}, "n": {"N": "5"}, "s": {"SS": ["a"]}, "l": {"L": [{"S": "x"}, {"S": "y"}]}});
    assert_eq!(tables.item("a"), expected);
    let mut holds = |expected: Value, operator: Option<&str>| {
        let mut request = json!({"TableName": "things", "Key": key, "Expected": expected, "AttributeUpdates": {}});
        operator.into_iter().for_each(|operator| request["ConditionalOperator"] = json!(operator));
        tables.call("UpdateItem", request).0 == 200
    };
    let compare = |operator: &str, values: Value| json!({"ComparisonOperator": operator, "AttributeValueList": values});
    assert!(holds(json!({"n": {"Value": {"N": "5.0"}}}), None));
    assert!(!holds(json!({"n": {"Exists": false}}), None));
    assert!(holds(json!({"x": {"Exists": false}}), None));
    for (attribute, operator, values, is_true) in [
        ("n", "EQ", json!([{"N": "5"}]), true),
        ("n", "NE", json!([{"N": "5"}]), false),
        ("x", "NE", json!([{"N": "5"}]), true),
        ("n", "LT", json!([{"N": "6"}]), true),
        ("n", "LE", json!([{"N": "4"}]), false),
        ("n", "GT", json!([{"S": "4"}]), false),
        ("n", "GE", json!([{"N": "5"}]), true),
        ("n", "BETWEEN", json!([{"N": "5"}, {"N": "6"}]), true),
        ("n", "IN", json!([{"N": "4"}, {"N": "5"}]), true),
        ("n", "NULL", json!([]), false),
        ("n", "NOT_NULL", json!([]), true),
        ("s", "CONTAINS", json!([{"S": "a"}]), true),
        ("x", "CONTAINS", json!([{"S": "a"}]), false),
        ("s", "NOT_CONTAINS", json!([{"S": "b"}]), true),
        ("x", "NOT_CONTAINS", json!([{"S": "b"}]), true),
        ("pk", "BEGINS_WITH", json!([{"S": "a"}]), true),
    ] {
        let expected = json!({attribute: compare(operator, values)});
        assert_eq!(holds(expected.clone(), None), is_true, "{expected}");
    }
    let two = json!({"n": {"Value": {"N": "5"}}, "x": {"Value": {"N": "5"}}});
    assert!(!holds(two.clone(), None));
    assert!(!holds(two.clone(), Some("AND")));
    assert!(holds(two, Some("OR")));
}

#[test]
fn capacity_is_told_where_it_is_asked_for() {
    let mut tables = Tables::new();
    let mut units = |operation: &str, request: Value| {
        let mut request = request;
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let consumed = tables.done(operation, request)["ConsumedCapacity"].clone();
        assert_eq!(consumed["TableName"], "things");
        assert_eq!(consumed["CapacityUnits"], consumed["Table"]["CapacityUnits"]);
        consumed["CapacityUnits"].as_f64().unwrap()
    };
    let key = json!({"TableName": "things", "Key": {"pk": {"S": "a"}}});
    let put = |bytes: usize| json!({"TableName": "things", "Item": {"pk": {"S": "a"}, "v": {"S": "x".repeat(bytes)}}});
    assert_eq!(units("GetItem", key.clone()), 0.5);
    assert_eq!(units("DeleteItem", key.clone()), 1.0);
    // pk, a and v are four bytes.
    assert_eq!(units("PutItem", put(8192 - 4)), 8.0);
    assert_eq!(units("GetItem", key.clone()), 1.0);
    assert_eq!(units("PutItem", put(1)), 8.0, "the larger of both counts");
    assert_eq!(units("PutItem", put(8192 - 3)), 9.0);
    let mut consistent = key.clone();
    consistent["ConsistentRead"] = json!(true);
    assert_eq!(units("GetItem", consistent), 3.0);
    assert_eq!(units("DeleteItem", key), 9.0);
}

#[test]
fn an_update_cannot_make_an_item_too_large() {
    let mut tables = Tables::new();
    let update = |bytes: usize| {
        json!({"TableName": "things", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET v = :v",
            "ExpressionAttributeValues": {":v": {"S": "x".repeat(bytes)}}})
    };
    let (_, text) = tables.refused("UpdateItem", update(409_600));
    assert_eq!(text, "Item size to update has exceeded the maximum allowed size");
    tables.done("UpdateItem", update(400_000));
}

/// What an update is charged for its request was found on AWS (dynoxide 3.2.0, `update_item_size_captures`).
#[test]
fn an_update_is_held_to_its_charge_and_to_the_finished_item() {
    let too_large =
        ("ValidationException".to_owned(), "Item size to update has exceeded the maximum allowed size".to_owned());
    let text = |bytes: usize| json!({":v": {"S": "x".repeat(bytes)}});
    let update = |key: &str, expression: &str, values: Value| {
        json!({"TableName": "things", "Key": {"pk": {"S": key}}, "UpdateExpression": expression,
            "ExpressionAttributeValues": values})
    };
    let mut tables = Tables::new();
    // 3 for the update, 19 for SET and 1 for the name; the finished item then has 409,581 bytes.
    let most = 409_600 - 3 - 19 - 1;
    tables.done("UpdateItem", update("a", "SET b = :v", text(most)));
    assert_eq!(tables.refused("UpdateItem", update("a", "SET b = :v", text(most + 1))), too_large);
    // A value counts at every use, however short the request is; the charge comes before the condition.
    let several: Vec<String> = (0..110).map(|i| format!("a{i:03} = :v")).collect();
    let mut repeated = update("a", &format!("SET {}", several.join(", ")), text(3_800));
    repeated["ConditionExpression"] = json!("attribute_not_exists(pk)");
    assert_eq!(tables.refused("UpdateItem", repeated), too_large);
    // The key is no part of the charge: with a long one the finished item is what is too large.
    let long = "k".repeat(100);
    let whole = 409_600 - 2 - 100 - 1;
    tables.done("UpdateItem", update(&long, "SET b = :v", text(whole)));
    assert_eq!(tables.refused("UpdateItem", update(&long, "SET b = :v", text(whole + 1))), too_large);
}

#[test]
fn attribute_updates_and_transactions_are_held_to_the_finished_item_alone() {
    let mut tables = Tables::new();
    let whole = 409_600 - 2 - 1 - 1;
    let value = |bytes: usize| json!({"S": "x".repeat(bytes)});
    let legacy = |bytes| {
        json!({"TableName": "things", "Key": {"pk": {"S": "a"}},
            "AttributeUpdates": {"b": {"Action": "PUT", "Value": value(bytes)}}})
    };
    tables.done("UpdateItem", legacy(whole));
    let said = tables.refused("UpdateItem", legacy(whole + 1)).1;
    assert_eq!(said, "Item size to update has exceeded the maximum allowed size");
    let transaction = |bytes| {
        json!({"TransactItems": [{"Update": {"TableName": "things", "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "SET b = :v", "ExpressionAttributeValues": {":v": value(bytes)}}}]})
    };
    tables.done("TransactWriteItems", transaction(whole));
    assert_eq!(tables.refused("TransactWriteItems", transaction(whole + 1)).0, "TransactionCanceledException");
}
