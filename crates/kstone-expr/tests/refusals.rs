//! Every reason of the table is said by a case here, in both dialects.

use std::collections::BTreeSet;

use kstone_core::item::{ItemRef, ItemWriter, encode};
use kstone_core::key::KeyRef;
use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
use kstone_core::value::{Item, Value};
use kstone_expr::expression::build::{Node, Path};
use kstone_expr::expression::{
    Binder, Condition, ExpressionCache, KeyCondition, KeySchema, Kind, Parameters, Preparing, Projection, Update,
    binder_of_names,
};
use kstone_expr::partiql::StatementCache;
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
        (projection(""), "Invalid ProjectionExpression: The expression can not be empty;", None),
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
        (update("ADD a :s"), "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING", Some("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND")),
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
    let [a, b, c] = ["a", "b", "c"].map(|name| KeyPart::new(name, KeyType::S));
    let composite = KeySchema { partition: &[a], sort: &[b, c] };
    let [d, e] = ["d", "e"].map(|name| KeyPart::new(name, KeyType::S));
    let of_two = KeySchema { partition: &[d, e], sort: &[] };
    let hash_gap = KeyCondition::parse("d > :s", of_two, &mut Binder::new(&parameters(":s")));
    let gap = KeyCondition::parse("a = :s AND c = :s", composite, &mut Binder::new(&parameters(":s")));
    let filter = Condition::parse(Kind::Filter, "attribute_exists(sk)", &mut Binder::new(&nothing)).expect("well-formed");
    vec![
        (filter.refuse_attributes(&["pk", "sk"]).expect_err("refused"), "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk", None),
        (update("SET pk = :n"), "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key", None),
        (key("pk = :s OR sk = :s"), "Invalid operator used in KeyConditionExpression: OR", None),
        (key("pk = :s AND pk = :s"), "KeyConditionExpressions must only contain one condition per key", Some("Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key")),
        (key("pk = :s AND sk = :s AND a = :s"), "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)", None),
        (key("sk = :s"), "Query condition missed key schema element: pk", None),
        (hash_gap.expect_err("refused"), "HASH key attributes d, e must have equality conditions specified in the query", None),
        (gap.expect_err("refused"), "RANGE key attributes b must have equality conditions specified in the query because a condition is present on key attribute c", None),
        (key("pk > :s"), "Query key condition not supported", None),
        (key("size(pk) = :n"), "KeyConditionExpressions cannot contain nested operations", None),
        (key("pk.a = :s"), "KeyConditionExpressions cannot have conditions on nested attributes", Some("Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes")),
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

/// A statement that is refused, the text at which it is, whether it is well-formed, and what is wrong.
type StatementCase = (&'static str, &'static str, bool, &'static str);

#[rustfmt::skip]
const STATEMENTS: &[StatementCase] = &[
    ("SELECT * FORM t", "FORM t", false, "expected FROM, found \"FORM\""),
    ("UPDATE t WHERE a = 1", "WHERE", false, "expected SET or REMOVE, found \"WHERE\""),
    ("FETCH a", "FETCH", false, "Expected data manipulation: SELECT, INSERT, UPDATE or DELETE"),
    ("SELECT * FROM t; SELECT", ";", false, "a statement ends with its semicolon: one statement at a time"),
    ("SELECT /* FROM t", "/*", false, "the comment that begins here has no end: */ is missing"),
    ("SELECT * FROM \"t", "\"t", false, "the name that begins here has no end: \" is missing"),
    ("SELECT ~", "~", false, "a statement has no use for '~' here"),
    ("SELECT limit FROM t", "limit", false, "limit is a keyword: as a name it is written \"limit\""),
    ("SELECT \"\" FROM t", "\"\"", false, "a name cannot be empty"),
    ("INSERT INTO t VALUE {'a': -b}", "b}", false, "expected a number"),
    ("SELECT a[b] FROM t", "b]", false, "expected the number of a list's element, or a name between single quotes"),
    ("INSERT INTO t VALUE {'a': 1, 'a': 2}", "'a': 2", false, "the name 'a' stands twice in one tuple"),
    ("INSERT INTO t VALUE 5", "5", false, "an item is a tuple: {'pk': 'a', 'price': 1}"),
    ("INSERT INTO t VALUE {'a': <<>>}", "<<", false, "Empty bags are not supported"),
    ("INSERT INTO t VALUE {'a': <<1, 'a'>>}", "<<", false, "a set holds either texts, or numbers, or binary values"),
    ("SELECT f(a) FROM t", "f(", false, "a SELECT list holds paths and COUNT, SUM, MIN, MAX and AVG"),
    ("SELECT * FROM t a", "a", true, "Aliasing is not supported"),
    ("SELECT * FROM t GROUP BY a", "a", true, "SELECT * cannot be grouped: name the columns"),
    ("SELECT b FROM t GROUP BY a", "b FROM", true, "the column b is neither in GROUP BY nor in COUNT, SUM, MIN, MAX or AVG"),
    ("SELECT a, b.a FROM t", "b.a", true, "two columns are called a: give one another name with AS"),
    ("SELECT COUNT(*) FROM t ORDER BY a", "a", true, "rows of groups are ordered by their columns, a is none"),
    ("SELECT * FROM t LIMIT 1.5", "1.5", false, "LIMIT takes a whole number that is not negative"),
    ("SELECT * FROM t WHERE 1 IS NULL", "IS", false, "IS asks about an attribute or a path"),
    ("SELECT * FROM t WHERE exists(a)", "exists", false, "EXISTS can only be used in transactions, as a statement of its own"),
    ("SELECT * FROM t WHERE a = contains(b, c)", "contains", false, "contains is no value: it is true or false"),
    ("SELECT * FROM t WHERE f(a)", "f(", false, "Invalid function name; function: f"),
    ("UPDATE t.i SET a = 1 WHERE pk = 'a'", "i", true, "This operation is not supported on an index"),
    ("DELETE FROM t WHERE pk = 'a' RETURNING MODIFIED NEW *", "RETURNING", true, "Invalid returning clause: RETURNING MODIFIED NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements"),
    ("DELETE FROM t", "", true, "Where clause does not contain a mandatory equality on all key attributes"),
    ("UPDATE t SET a = set_add(a) WHERE pk = 'a'", "set_add", true, "SET_ADD must have exactly two arguments"),
    ("UPDATE t SET a = set_add(b, <<1>>) WHERE pk = 'a'", "set_add(b,", true, "The first argument to SET_ADD must equal the assignment value"),
    ("UPDATE t SET a = set_delete(a, 1) WHERE pk = 'a'", "1)", true, "The second argument to SET_DELETE must be a value with type SET"),
    ("UPDATE t SET a = if_not_exists(1, 2) WHERE pk = 'a'", "if_not", true, "the first argument of if_not_exists is a path"),
    ("UPDATE t SET a = 1 + list_append(b, c) WHERE pk = 'a'", "list", true, "list_append is the whole of what a path is set to"),
    ("UPDATE t SET a = list_append(1 + 2, b) WHERE pk = 'a'", "1 +", true, "+ and - stand between two operands, once"),
    ("INSERT INTO t VALUE {'': 1}", "1}", false, "the name of an attribute cannot be empty"),
    ("SELECT * FROM t.i.x", ".x", true, "A path may contain at most 2 components in the FROM clause"),
];

/// Statements, and what DynamoDB says of them: `!` stands for what it says of those that are not well-formed. Those up to the
/// blank line were captured on AWS.
const IN_DYNAMODBS_WORDS: &[(&str, &str)] = &[
    ("SELECT * FROM t WHERE pk = 1 foo", "!Unexpected token after expression"),
    ("SELECT * FROM t WHERE pk = 1 e5", "!Unexpected token after expression"),
    ("INSERT INTO t VALUE {'pk': 97} foo", "!Unexpected token after expression"),
    ("UPDATE t SET a = 9 WHERE pk = 97 foo", "!Unexpected token after expression"),
    ("DELETE FROM t WHERE pk = 97 foo", "!Unexpected token after expression"),
    ("SELECT * FROM t WHERE pk = 1)", "!Unexpected token after expression"),
    ("DELETE FROM t WHERE pk = 97 ORDER BY pk", "!Unexpected token after expression"),
    ("SELECT * FROM t ORDER BY pk WHERE pk = 1", "!Unexpected token after expression"),
    ("SELECT * FROM t WHERE pk = 1e2147483648", "!"),
    ("SELECT * FROM t WHERE pk = 1e99999999999", "!"),
    ("SELECT * FROM t WHERE pk = 1.5e-2147483647", "!"),
    ("SELECT * FROM t WHERE pk = 1 # note", "!"),
    ("SELECT * FROM t WHERE pk = 1 /* note", "!"),
    ("SELECT * FROM \"t", "!"),
    ("SELECT * FROM \"t\" a WHERE pk = 'x'", "Aliasing is not supported"),
    ("SELECT * FROM \"t\" AS a WHERE pk = 'x'", "Aliasing is not supported"),
    ("UPDATE \"t\" a SET b = 3 WHERE pk = 'x'", "Aliasing is not supported"),
    ("DELETE FROM \"t\" a WHERE pk = 'x'", "Aliasing is not supported"),
    ("INSERT INTO \"t\" a VALUE {'pk': 'x'}", "!Unexpected token after expression"),
    (
        "SELECT * FROM t WHERE pk = 1e126",
        "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
    ),
    (
        "SELECT * FROM t WHERE pk = 1e-131",
        "Number underflow. Attempting to store a number with magnitude smaller than supported range under root",
    ),
    (
        "SELECT * FROM t WHERE pk = 123456789012345678901234567890123456789",
        "Attempting to store more than 38 significant digits in a Number under root",
    ),
    (
        "INSERT INTO t VALUE {'pk': 1e126}",
        "Number overflow. Attempting to store a number with magnitude larger than supported range under root",
    ),
    (
        "UPDATE t SET a = 1e-131 WHERE pk = 97",
        "Number underflow. Attempting to store a number with magnitude smaller than supported range under root",
    ),
    (
        "INSERT INTO t VALUE {'pk': 97, 'm': {'x': 1e126}}",
        "Number overflow. Attempting to store a number with magnitude larger than supported range under root.x",
    ),
    (
        "INSERT INTO t VALUE {'pk': 97, 'l': [1, 1e126]}",
        "Number overflow. Attempting to store a number with magnitude larger than supported range under root[1]",
    ),
    ("SELECT * FROM t WHERE", "!Unexpected term"),
    ("SELECT * FROM t WHERE;", "!Unexpected term"),
    ("SELECT * FROM t WHERE   ", "!Unexpected term"),
    ("SELECT pk FROM t WHERE", "!Unexpected term"),
    ("UPDATE t SET a = 1 WHERE", "!Unexpected term"),
    ("DELETE FROM t WHERE", "!Unexpected term"),
    ("SELECT * FROM t WHERE NOT", "!Unexpected term"),
    ("SELECT * FROM t WHERE (", "!Unexpected term"),
    ("SELECT * FROM t WHERE pk = 'p1' AND", "!Missing right-hand side expression of infix operator"),
    ("SELECT * FROM t WHERE pk = 'p1' OR", "!Missing right-hand side expression of infix operator"),
    ("SELECT * FROM t WHERE ORDER BY pk", "!Unexpected keyword"),
    ("SELECT * FROM t WHERE pk = 'a' AND x IS FOO", "!Expected type name"),
    ("SELECT * FROM t WHERE IS NULL", "!Unexpected operator"),
    ("SELECT * FROM t WHERE pk = LIKE", "!Unexpected operator"),
    ("DELETE FROM", "!Expected identifier for simple path"),
    ("DELETE FROM;", "!Expected identifier for simple path"),
    ("DELETE FROM WHERE pk = 'a'", "!Expected identifier for simple path"),
    ("SELECT * FROM", "!Unexpected term"),
    ("SLECT * FROM t WHERE pk = 'a'", "!Expected data manipulation"),
    ("FROM t SET c = 1 WHERE pk = 'a'", "!Unexpected token after expression"),
    ("FROM t SET c = 1 WHERE pk = 'a' SET d = 2", "!Unexpected token after expression"),
    ("SELECT COUNT(*) FROM t", "Unexpected path component at 1:8:5"),
    ("SELECT attribute_exists(ss) FROM t", "Unexpected path component at 1:8:16"),
    (
        "SELECT * FROM t WHERE attribute_exists('ss')",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ),
    (
        "SELECT * FROM t WHERE attribute_exists(?)",
        "Operator or function requires a document path; operator or function: attribute_exists",
    ),
    (
        "SELECT * FROM t WHERE attribute_exists()",
        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 0",
    ),
    (
        "SELECT * FROM t WHERE attribute_exists(ss, ns)",
        "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
    ),
    ("SELECT * FROM t WHERE pk = 'a' AND EXISTS(ss)", "Unrecognized function: exists at 1:36:6"),
    ("SELECT * FROM t WHERE set_add(ss, <<'x'>>) = ss", "Unrecognized function: set_add at 1:23:7"),
    (
        "UPDATE t SET t = set_add(ss, <<'x'>>) WHERE pk = 'a'",
        "The first argument to SET_ADD must equal the assignment value at 1:18:7",
    ),
    (
        "UPDATE t SET ss = set_add(<<'a'>>, <<'b'>>) WHERE pk = 'a'",
        "The first argument to SET_ADD must equal the assignment value at 1:19:7",
    ),
    (
        "UPDATE t SET ss = set_add(ss, 'x') WHERE pk = 'a'",
        "The second argument to SET_ADD must be a value with type SET at 1:27:2",
    ),
    (
        "UPDATE t SET ss = set_add(ss, ['x']) WHERE pk = 'a'",
        "The second argument to SET_ADD must be a value with type SET at 1:27:2",
    ),
    ("UPDATE t SET ss = set_add(ss) WHERE pk = 'a'", "SET_ADD must have exactly two arguments at 1:19:7"),
    (
        "UPDATE t SET ss = set_delete(ss, <<'x'>>, <<'y'>>) WHERE pk = 'a'",
        "SET_DELETE must have exactly two arguments at 1:19:10",
    ),
    ("UPDATE t SET ss = set_add(ss, <<>>) WHERE pk = 'a'", "Empty bags are not supported"),
    (
        "UPDATE t SET ss = set_add(ss, <<'x', 'x'>>) WHERE pk = 'a'",
        "One or more parameter values were invalid: Input collection [x, x] contains duplicates.",
    ),
    (
        "INSERT INTO t VALUE {'pk': 'a', 'ss': set_add(<<'a'>>, <<'b'>>)}",
        "Unsupported data type: set_add under key root at 1:39:7",
    ),
    (
        "DELETE FROM t WHERE pk = 'a' RETURNING MODIFIED OLD *",
        "Invalid returning clause: RETURNING MODIFIED OLD *. Only RETURNING ALL OLD * is allowed in DELETE statements.",
    ),
    (
        "INSERT INTO \"t\".\"i\" VALUE {'pk': 'w1'}",
        "FROM clause may only contain a single table name in data manipulation statements at 1:13:3",
    ),
    ("UPDATE \"t\".\"i\" SET a = 1 WHERE pk = 'p'", "This operation is not supported on an index"),
    ("DELETE FROM \"t\".\"i\" WHERE pk = 'p'", "This operation is not supported on an index"),
    ("SELECT * FROM \"t\".\"i\".\"x\" WHERE pk = 'p'", "A path may contain at most 2 components in the FROM clause"),
    ("SELECT * FROM \"t\".\"\" WHERE pk = 'p'", "Path component cannot be an empty string"),
    ("SELECT * FROM \"\" WHERE pk = 'p'", "Path component cannot be an empty string"),
    ("SELECT a, b.a FROM t", "Duplicate identifiers in select clause: a"),
    ("SELECT * FROM t\nWHERE f(a)", "Unrecognized function: f at 2:7:1"),
    ("SELECT * FROM t; SELECT", "!Unexpected token after expression"),
];

/// What goes beyond DynamoDB's dialect, and what DynamoDB says of it.
const BEYOND: &[(&str, &str)] = &[
    ("SELECT id FROM dbimp_page LIMIT 5", "Unsupported clause: LIMIT at 1:33:1"),
    ("SELECT a FROM t OFFSET 10", "Unsupported clause: OFFSET at 1:24:2"),
    ("SELECT a FROM t GROUP BY a", "Unsupported clause: GROUP BY at 1:26:1"),
    ("SELECT MAX(b) FROM t", "Unexpected path component at 1:8:3"),
    ("SELECT a AS b FROM t", "Aliasing is not supported"),
    ("EXPLAIN SELECT a FROM t", "Statement wasn't well formed, can't be processed: Expected data manipulation"),
];

#[test]
fn dynamodb_says_of_statements_what_it_was_heard_to_say() {
    let mut wrong = Vec::new();
    for &(text, said) in IN_DYNAMODBS_WORDS {
        let expected = said
            .strip_prefix('!')
            .map_or(said.to_owned(), |detail| format!("Statement wasn't well formed, can't be processed: {detail}"));
        let cache = StatementCache::with_max_bytes(0);
        match cache.get(text).map(|parsed| parsed.beyond.clone()) {
            Err(refusal) | Ok(Some(refusal)) if refusal.text(Dialect::DynamoDb) == expected => {}
            Err(refusal) | Ok(Some(refusal)) => {
                wrong.push(format!("{text}\n  {}\n  not {expected}", refusal.text(Dialect::DynamoDb)));
            }
            Ok(None) => wrong.push(format!("{text}: accepted")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_goes_beyond_dynamodbs_dialect_is_accepted_and_marked() {
    for &(text, said) in BEYOND {
        let parsed = StatementCache::with_max_bytes(0).get(text).expect(text);
        let beyond = parsed.beyond.as_ref().expect(text);
        assert_eq!(beyond.text(Dialect::DynamoDb), said, "{text}");
    }
    for text in ["SELECT a, b.c FROM t.i WHERE a = 1 ORDER BY b", "DELETE FROM t WHERE a = 1", "INSERT INTO t VALUE ?"]
    {
        assert_eq!(StatementCache::with_max_bytes(0).get(text).expect(text).beyond, None, "{text}");
    }
}

fn statement(text: &str) -> Refusal {
    StatementCache::with_max_bytes(1 << 20).get(text).expect_err(text)
}

#[test]
fn a_statement_is_refused_at_its_place_with_an_excerpt() {
    for &(text, at, is_well_formed, what) in STATEMENTS {
        let refusal = statement(text);
        let place = refusal.place().expect("a place");
        assert!(text[place.at..].starts_with(at), "{text}: {place:?}");
        let word = text[place.at..].split_whitespace().next().map_or(0, str::len);
        assert_eq!(place.len, word, "{text}");
        let (column, excerpt) = (place.at + 1, format!("\n  {text}\n  {:1$}^", "", place.at));
        let kstone = match is_well_formed {
            true => format!("{what}: line 1, column {column}{excerpt}"),
            false => {
                format!("Statement wasn't well formed, can't be processed: line 1, column {column}: {what}{excerpt}")
            }
        };
        assert_eq!(refusal.to_string(), kstone);
        assert_eq!(refusal.below(), None, "{text}");
    }
}

/// What is refused of statements that are too long to be shown whole, and what DynamoDB says of it.
fn of_long_statements() -> [(Refusal, &'static str); 4] {
    let nested = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(33), close.repeat(33));
    let conditions = format!("SELECT * FROM t WHERE {}", nested("(", "a = 1", ")"));
    let values = format!("INSERT INTO t VALUE {{'a': {}}}", nested("[", "1", "]"));
    let functions = format!("UPDATE t SET a = {} WHERE b = 1", nested("f(", "1", ")"));
    let steps = format!("SELECT a{} FROM t", "[0]".repeat(32));
    [
        (statement(&conditions), "conditions nest in each other at most 32 levels deep"),
        (statement(&values), "values nest in each other at most 32 levels deep"),
        (statement(&functions), "functions nest in each other at most 32 levels deep"),
        (statement(&steps), "a path has at most 32 steps"),
    ]
}

#[test]
fn what_nests_too_deep_in_a_statement_is_refused() {
    for (refusal, what) in of_long_statements() {
        let ill_formed = "Statement wasn't well formed, can't be processed";
        assert_eq!(refusal.text(Dialect::DynamoDb), format!("{ill_formed}: {what}"));
        let text = refusal.to_string();
        assert!(
            text.starts_with(&format!("{ill_formed}: line 1, column ")) && text.contains(&format!(": {what}\n  …"))
        );
    }
}

#[rustfmt::skip]
fn of_statements() -> Vec<Case> {
    let no_set = Refusal::from(Reason::NoSet { function: "SET_ADD".into() });
    let parsed = StatementCache::with_max_bytes(0).get("SELECT * FROM t WHERE a = ? AND b = ?").expect("well-formed");
    let count = parsed.values.bind(&[], &mut Vec::new()).map(drop).expect_err("refused");
    vec![
        (no_set, "The second argument to SET_ADD must be a value with type SET", None),
        (count, "Number of parameters in request and statement don't match. The statement has 2, the request 0",
            Some("Number of parameters in request and statement don't match.")),
        (statement(&"a".repeat(9000)), "Statement has exceeded the maximum allowed size: the limit is 8192 characters, found 9000",
            Some("Statement has exceeded the maximum allowed size")),
    ]
}

#[test]
fn every_reason_is_said_in_both_dialects() {
    let cases = [of_form(), of_functions(), of_names_and_values(), of_keys(), of_items(), of_statements()].concat();
    let mut said = BTreeSet::new();
    for (refusal, kstone, dynamodb) in &cases {
        assert_eq!(refusal.to_string(), *kstone);
        assert_eq!(refusal.text(Dialect::Kstone), *kstone);
        assert_eq!(refusal.text(Dialect::DynamoDb), dynamodb.unwrap_or(kstone));
        said.insert(refusal.reason().name());
    }
    said.extend(STATEMENTS.iter().map(|(text, ..)| statement(text).reason().name()));
    let beyond = |text: &str| StatementCache::with_max_bytes(0).get(text).ok()?.beyond.clone();
    said.extend(BEYOND.iter().filter_map(|(text, _)| beyond(text)).map(|refusal| refusal.reason().name()));
    said.extend(of_long_statements().iter().map(|(refusal, _)| refusal.reason().name()));
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
