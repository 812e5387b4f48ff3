//! Every reason of the table is said by a case here, in both dialects.

use std::collections::BTreeSet;

use kstone_core::item::{ItemRef, ItemWriter, encode};
use kstone_core::key::KeyRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::value::{Item, Value};
use kstone_expr::expression::build::{Node, Path};
use kstone_expr::expression::{
    Binder, Condition, ExpressionCache, KeyCondition, KeySchema, Kind, Parameters, Preparing, Projection, Update,
    binder_of_names,
};
use kstone_expr::{Dialect, Place, Reason, Refusal};

/// A refusal with what it says: kstone's text, and DynamoDB's where that is another one.
type Case = (Refusal, &'static str, Option<&'static str>);

fn values() -> Item {
    let values = [
        (":n", Value::number(5)),
        (":low", Value::number(9)),
        (":s", Value::string("be")),
        (":empty", Value::string("")),
        (":l", Value::list([Value::number(1)])),
        (":long", Value::string("x".repeat(300_000))),
        (":deep", (0..32).fold(Value::null(), |inner, _| Value::list([inner]))),
        (":max", Value::number("9.9E125")),
    ];
    values.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The values that a text mentions.
fn parameters(text: &str) -> Parameters {
    let used = |name: &str| text.split(|c: char| !c.is_alphanumeric() && c != ':').any(|word| word == name);
    Parameters::from_maps([], &values().into_iter().filter(|(name, _)| used(name)).collect()).expect("well-formed")
}

fn condition(text: &str) -> Refusal {
    Condition::parse(Kind::Condition, text, &mut Binder::new(&parameters(text))).expect_err(text)
}

fn update(text: &str) -> Refusal {
    Update::parse(text, &mut Binder::new(&parameters(text))).expect_err(text)
}

fn key(text: &str) -> Refusal {
    KeyCondition::parse(text, KeySchema::ITEMS, &mut Binder::new(&parameters(text))).expect_err(text)
}

fn projection(text: &str) -> Refusal {
    Projection::parse(text, &mut Binder::new(&parameters(text))).expect_err(text)
}

/// What an update refuses once it sees the item.
fn applied(text: &str) -> Refusal {
    let update = Update::parse(text, &mut Binder::new(&parameters(text))).expect(text);
    let item = Item::from([
        ("a".to_owned(), Value::number(5)),
        ("s".to_owned(), Value::string("x".repeat(200_000))),
        ("m".to_owned(), Value::map::<String>([])),
        ("x".to_owned(), Value::number("9.9E125")),
    ]);
    let key = KeyRef::new(b"k", b"").expect("a key");
    update.apply(key, Some(ItemRef::new(&encode(&item).expect("well-formed")))).expect_err(text)
}

fn given(names: &[(&str, &str)], values: &[(&str, Value)]) -> Result<Parameters, Refusal> {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Parameters::from_maps(names.iter().copied(), &values)
}

fn unused(names: &[(&str, &str)], values: &[(&str, Value)]) -> Refusal {
    Binder::new(&given(names, values).expect("well-formed")).finish().expect_err("refused")
}

#[rustfmt::skip]
fn of_form() -> Vec<Case> {
    let many = vec!["a=:n"; 152].join(" OR ");
    let listed = format!("a IN ({})", vec!["b"; 101].join(","));
    let unnamed = Node::exists(Path::attribute("")).condition(Kind::Filter, KeyLayout::untyped());
    vec![
        (condition(&"a".repeat(4097)), "Invalid ConditionExpression: Expression size has exceeded the maximum allowed size; expression size: 4097", None),
        (projection(" "), "Invalid ProjectionExpression: The expression can not be empty;", None),
        (update("SET a = = :n"), "Invalid UpdateExpression: Syntax error; token: \"=\", near: \"= = :n\"", None),
        (condition("a = "), "Invalid ConditionExpression: Syntax error; token: \"<EOF>\", near: \"=\"", None),
        (condition("((a = :n))"), "Invalid ConditionExpression: The expression has redundant parentheses;", None),
        (condition(&many), "Invalid ConditionExpression: The expression contains too many operators; operator count: 301", None),
        (projection(&format!("a{}", "[0]".repeat(32))), "Invalid ProjectionExpression: The document path has too many nesting levels; nesting levels: 33", None),
        (projection("a[4294967295]"), "Invalid ProjectionExpression: List index is not within the allowable range; index: [4294967295]", None),
        (update("REMOVE name"), "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name", None),
        (update("REMOVE a remove b"), "Invalid UpdateExpression: The \"REMOVE\" section can only be used once in an update expression;", None),
        (condition(&listed), "Invalid ConditionExpression: The IN operator is provided with too many operands; number of operands: 101", None),
        (unnamed.expect_err("refused"), "Invalid FilterExpression: the name of an attribute cannot be empty",
            Some("Invalid FilterExpression: ExpressionAttributeNames contains invalid value: Empty attribute name")),
    ]
}

#[rustfmt::skip]
fn of_functions() -> Vec<Case> {
    vec![
        (condition("f(a)"), "Invalid ConditionExpression: Invalid function name; function: f", None),
        (condition("size(a)"), "Invalid ConditionExpression: The function is not allowed to be used this way in an expression; function: size", None),
        (update("SET a = list_append(list_append(b, :l), :l)"), "Invalid UpdateExpression: The function is not allowed to be used this way in an expression; function: list_append", None),
        (condition("if_not_exists(a, :n) = :n"), "Invalid ConditionExpression: The function is not allowed in a condition expression; function: if_not_exists", None),
        (update("SET a = size(b)"), "Invalid UpdateExpression: The function is not allowed in an update expression; function: size", None),
        (condition("contains(a)"), "Invalid ConditionExpression: Incorrect number of operands for operator or function; operator or function: contains, number of operands: 1", None),
        (condition("begins_with(a, :n)"), "Invalid ConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N", None),
        (update("SET a = b + :s"), "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, operand type: S", None),
        (update("ADD a :s"), "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING", None),
        (condition("attribute_exists(:n)"), "Invalid ConditionExpression: Operator or function requires a document path; operator or function: attribute_exists", None),
        (condition("contains(a.b[1], a.b[1])"), "Invalid ConditionExpression: The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a, b, [1]]", None),
        (condition("a BETWEEN :n AND :s"), "Invalid ConditionExpression: The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {S:be}", None),
        (condition("a BETWEEN :low AND :n"), "Invalid ConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {N:5}", None),
        (condition("attribute_type(a, :s)"), "Invalid ConditionExpression: Invalid attribute type name found; type: be, valid types: {S,SS,N,NS,B,BS,BOOL,NULL,L,M}", None),
        (projection("a.b, c, a"), "Invalid ProjectionExpression: Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]", None),
        (update("SET a.b = :n REMOVE a[0]"), "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]", None),
    ]
}

#[rustfmt::skip]
fn of_names_and_values() -> Vec<Case> {
    let (nothing, long) = (Parameters::new(), format!("#{}", "n".repeat(255)));
    let named = |text| Condition::parse(Kind::Filter, text, &mut Binder::new(&nothing)).expect_err("refused");
    let refused = |names: &[(&str, &str)], values: &[(&str, Value)]| given(names, values).expect_err("refused");
    let mut bag = ItemWriter::new();
    bag.set_i64("#n", 1).expect("well-formed");
    let cache = ExpressionCache::new();
    let mut preparing = Preparing::new(&cache);
    preparing.condition(Kind::Condition, "a = :n OR b = :s", &mut Binder::new(&nothing)).expect("well-formed");
    let prepared = preparing.finish().check(1).expect_err("refused");
    let none = Preparing::new(&cache).finish().check(2).expect_err("refused");
    let with_value = parameters(":n");
    let among = binder_of_names(&with_value).expect_err("refused");
    let empty_set = Value::string_set(Vec::<String>::new());
    vec![
        (named("#n = :n"), "Invalid FilterExpression: An expression attribute name used in the document path is not defined; attribute name: #n", None),
        (named("a = :n"), "Invalid FilterExpression: An expression attribute value used in expression is not defined; attribute value: :n", None),
        (unused(&[("#a", "a"), ("#b", "b")], &[]), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#a, #b}", None),
        (unused(&[], &[(":n", Value::number(1))]), "Value provided in ExpressionAttributeValues unused in expressions: keys: {:n}", None),
        (refused(&[("n", "a")], &[]), "ExpressionAttributeNames contains invalid key: Syntax error; key: \"n\"", None),
        (refused(&[], &[(":a-b", Value::null())]), "ExpressionAttributeValues contains invalid key: Syntax error; key: \":a-b\"", None),
        (refused(&[(&long, "a")], &[]), "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; length of key: 256",
            Some("ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256")),
        (refused(&[], &[(&long.replace('#', ":"), Value::null())]), "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long; length of key: 256",
            Some("ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;")),
        (Parameters::from_bag(bag.as_item()).expect_err("refused"), "ExpressionAttributeNames contains invalid value: a name must be a text that is not empty; key: #n",
            Some("ExpressionAttributeNames contains invalid value: Empty attribute name for key #n")),
        (refused(&[], &[(":v", empty_set)]), "ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may not be empty for key :v", None),
        (prepared, "Number of values does not match what was prepared, which has 2 parameters (:n, :s): found 1", None),
        (none, "Number of values does not match what was prepared, which has no parameters: found 2", None),
        (among, ":n is a value: what is prepared takes #names alone, and its values at every run", None),
    ]
}

#[rustfmt::skip]
fn of_keys() -> Vec<Case> {
    let nothing = Parameters::new();
    let filter = Condition::parse(Kind::Filter, "attribute_exists(sk)", &mut Binder::new(&nothing)).expect("well-formed");
    vec![
        (filter.refuse_attributes(&["pk", "sk"]).expect_err("refused"), "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk", None),
        (update("SET pk = :n"), "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key", None),
        (key("pk = :s OR sk = :s"), "Invalid operator used in KeyConditionExpression: OR", None),
        (key("pk = :s AND pk = :s"), "KeyConditionExpressions must only contain one condition per key", None),
        (key("pk = :s AND sk = :s AND a = :s"), "Conditions can be of length 1 or 2 only", None),
        (key("sk = :s"), "Query condition missed key schema element: pk", None),
        (key("pk > :s"), "Query key condition not supported", None),
        (key("size(pk) = :n"), "KeyConditionExpressions cannot contain nested operations", None),
        (key("pk.a = :s"), "KeyConditionExpressions cannot have conditions on nested attributes", None),
        (key("pk = sk"), "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition", None),
        (key(":s = :s"), "Invalid condition in KeyConditionExpression: No key attribute specified", None),
        (key("pk = :s AND begins_with(:s, sk)"), "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand", None),
        (key("pk = :n"), "One or more parameter values were invalid: Condition parameter type does not match schema type", None),
        (key("pk = :empty"), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk", None),
    ]
}

#[rustfmt::skip]
fn of_items() -> Vec<Case> {
    vec![
        (applied("SET a.b = :n"), "The document path provided in the update expression is invalid for update", None),
        (applied("SET a = gone"), "The provided expression refers to an attribute that does not exist in the item", None),
        (applied("SET b = a + s"), "An operand in the update expression has an incorrect data type", None),
        (applied("SET b = :long"), "Item size to update has exceeded the maximum allowed size: the limit is 409600 bytes, found 500015",
            Some("Item size to update has exceeded the maximum allowed size")),
        (applied("SET m.b = :deep"), "Nesting Levels has exceeded the maximum allowed size: the limit is 32 levels, found 33",
            Some("Nesting Levels have exceeded supported limits")),
        (applied("SET b = x + :max"), "Number overflow. Attempting to store a number with magnitude larger than supported range", None),
    ]
}

#[test]
fn every_reason_is_said_in_both_dialects() {
    let cases = [of_form(), of_functions(), of_names_and_values(), of_keys(), of_items()].concat();
    let mut said = BTreeSet::new();
    for (refusal, kstone, dynamodb) in &cases {
        assert_eq!(refusal.to_string(), *kstone);
        assert_eq!(refusal.text(Dialect::Kstone), *kstone);
        assert_eq!(refusal.text(Dialect::DynamoDb), dynamodb.unwrap_or(kstone));
        said.insert(refusal.reason().name());
    }
    let unsaid: Vec<_> = Reason::NAMES.iter().filter(|name| !said.contains(*name)).collect();
    assert!(unsaid.is_empty(), "no case says {unsaid:?}");
}

#[test]
fn a_parse_is_refused_at_its_place() {
    for (refusal, at, len) in [
        (condition("a = = :n"), 4, 1),
        (condition("a = "), 4, 0),
        (condition("äb = :n"), 0, 2),
        (projection("a, b[99999999999]"), 5, 11),
        (update("SET a = b REMOVE )"), 17, 1),
        (condition("a = :n AND"), 10, 0),
        (condition("a = :n AND f (b)"), 11, 1),
        (condition("a = :n OR date = :n"), 10, 4),
    ] {
        assert_eq!(refusal.place(), Some(Place { at, len }), "{refusal}");
        assert!(refusal.expression().is_some(), "{refusal}");
    }
    assert_eq!(condition("a BETWEEN :low AND :n").place(), None, "no one place is at fault");
}
