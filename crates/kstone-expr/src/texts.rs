//! Every sentence that this crate refuses with, in one table: name, fields, family, kstone's text and, where it is another
//! one, DynamoDB's.
//!
//! A reason alone says what is wrong; [`Refusal`](crate::Refusal) says of what, and where.
//!
//! `tests/refusals.rs` has a case for every line and pins both texts.

use std::fmt;

use kstone_core::error::{LimitText, Unit};
use kstone_core::item::ValueRef;
use kstone_core::value::Type;

pub(crate) mod in_statement;

kstone_core::texts! {
    /// What is wrong, with what a sentence about it quotes.
    pub enum Reason;

    // Texts of expressions: their form.
    ExpressionTooLong { size: usize } Request "Expression size has exceeded the maximum allowed size; expression size: {size}";
    ExpressionEmpty Request "The expression can not be empty;";
    SyntaxError { token: Box<str>, near: Box<str> } Request "Syntax error; token: \"{token}\", near: \"{near}\"";
    RedundantParentheses Request "The expression has redundant parentheses;";
    TooManyOperators { count: usize } Request "The expression contains too many operators; operator count: {count}";
    PathTooLong { levels: usize } Request "The document path has too many nesting levels; nesting levels: {levels}";
    IndexOutOfRange { index: Box<str> } Request "List index is not within the allowable range; index: [{index}]";
    ReservedWord { word: Box<str> } Request "Attribute name is a reserved keyword; reserved keyword: {word}";
    RepeatedSection { section: Box<str> } Request "The \"{section}\" section can only be used once in an update expression;";
    TooManyInOperands { count: usize } Request "The IN operator is provided with too many operands; number of operands: {count}";
    EmptyName Request "the name of an attribute cannot be empty" | "ExpressionAttributeNames contains invalid value: Empty attribute name";

    // Functions and operands.
    UnknownFunction { function: Box<str> } Request "Invalid function name; function: {function}";
    FunctionMisplaced { function: &'static str } Request "The function is not allowed to be used this way in an expression; function: {function}";
    NoFunctionOfConditions { function: Box<str> } Request "The function is not allowed in a condition expression; function: {function}";
    NoFunctionOfUpdates { function: Box<str> } Request "The function is not allowed in an update expression; function: {function}";
    OperandCount { function: Box<str>, count: usize } Request "Incorrect number of operands for operator or function; operator or function: {function}, number of operands: {count}";
    OperandType { function: &'static str, found: &'static str } Request "Incorrect operand type for operator or function; operator or function: {function}, operand type: {found}";
    ActionOperandType { action: &'static str, found: &'static str } Request "Incorrect operand type for operator or function; operator: {action}, operand type: {found}" | "Incorrect operand type for operator or function; operator: {action}, operand type: {found}, typeSet: ALLOWED_FOR_ADD_OPERAND";
    PathRequired { function: Box<str> } Request "Operator or function requires a document path; operator or function: {function}";
    SameOperand { operator: &'static str, path: ShownPath } Request "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {path}";
    BoundTypes { low: ShownValue, high: ShownValue } Request "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}";
    BoundsReversed { low: ShownValue, high: ShownValue } Request "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}";
    UnknownType { name: Box<str> } Request "Invalid attribute type name found; type: {name}, valid types: {{S,SS,N,NS,B,BS,BOOL,NULL,L,M}}";
    PathsOverlap { first: ShownPath, second: ShownPath } Request "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: {first}, path two: {second}";
    PathsConflict { first: ShownPath, second: ShownPath } Request "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: {first}, path two: {second}";

    // Names and values.
    UndefinedName { key: Box<str> } Request "An expression attribute name used in the document path is not defined; attribute name: {key}";
    UndefinedValue { key: Box<str> } Request "An expression attribute value used in expression is not defined; attribute value: {key}";
    UnusedNames { keys: Keys } Request "Value provided in ExpressionAttributeNames unused in expressions: keys: {{{keys}}}";
    UnusedValues { keys: Keys } Request "Value provided in ExpressionAttributeValues unused in expressions: keys: {{{keys}}}";
    NameKeySyntax { key: Box<str> } Request "ExpressionAttributeNames contains invalid key: Syntax error; key: \"{key}\"";
    ValueKeySyntax { key: Box<str> } Request "ExpressionAttributeValues contains invalid key: Syntax error; key: \"{key}\"";
    NameKeyTooLong { size: usize } Request "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; length of key: {size}" | "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: {size}";
    ValueKeyTooLong { size: usize } Request "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long; length of key: {size}" | "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;";
    NoName { key: Box<str> } Request "ExpressionAttributeNames contains invalid value: a name must be a text that is not empty; key: {key}" | "ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}";
    InvalidValue { refusal: kstone_core::error::Refusal, key: Box<str> } Request "ExpressionAttributeValues contains invalid value: {refusal} for key {key}" | "ExpressionAttributeValues contains invalid value: {refusal:#} for key {key}";
    PreparedValues { names: Keys, found: usize } Request "Number of values does not match what was prepared, which has {names:#}: found {found}";
    ValueAmongNames { key: Box<str> } Request "{key} is a value: what is prepared takes #names alone, and its values at every run";

    // Keys.
    FilterOnKey { attribute: Box<str> } Request "Filter Expression can only contain non-primary key attributes: Primary key attribute: {attribute}";
    KeyUpdated { attribute: Box<str> } Data "One or more parameter values were invalid: Cannot update attribute {attribute}. This attribute is part of the key";
    KeyOperator { operator: &'static str } Request "Invalid operator used in KeyConditionExpression: {operator}";
    KeyTwice Request "KeyConditionExpressions must only contain one condition per key" | "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key";
    KeyConditionCount { found: usize, most: usize } Request "The number of query conditions ({found}) exceeds the number of key attributes defined in the schema ({most})";
    KeyMissed { attribute: Box<str> } Data "Query condition missed key schema element: {attribute}";
    KeyHashGap { attributes: Keys } Data "HASH key attributes {attributes} must have equality conditions specified in the query";
    KeyGap { attributes: Keys, asked: Box<str> } Data "RANGE key attributes {attributes} must have equality conditions specified in the query because a condition is present on key attribute {asked}";
    KeyConditionUnsupported Data "Query key condition not supported";
    KeyNestedOperation Request "KeyConditionExpressions cannot contain nested operations";
    KeyNestedPath Request "KeyConditionExpressions cannot have conditions on nested attributes" | "Invalid KeyConditionExpression: KeyConditionExpressions cannot have conditions on nested attributes";
    KeyAttributes Request "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition";
    NoKeyAttribute Request "Invalid condition in KeyConditionExpression: No key attribute specified";
    KeyNotFirst { operator: &'static str } Request "Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute as its first operand";
    KeyType Data "One or more parameter values were invalid: Condition parameter type does not match schema type";
    EmptyKey { kind: &'static str, attribute: Box<str> } Data "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {attribute}";

    // What an update finds in the item.
    PathInvalid Data "The document path provided in the update expression is invalid for update";
    AttributeMissing Data "The provided expression refers to an attribute that does not exist in the item";
    OperandUnfit Data "An operand in the update expression has an incorrect data type";

    // Texts of statements.
    Expected { what: Expected, found: Box<str> } Data "expected {what}, found {found}";
    NoStatement Data "Expected data manipulation: SELECT, INSERT, UPDATE or DELETE";
    SecondStatement Data "a statement ends with its semicolon: one statement at a time";
    CommentOpen Data "the comment that begins here has no end: */ is missing";
    QuoteOpen { what: &'static str, quote: char } Data "the {what} that begins here has no end: {quote} is missing";
    UnknownCharacter { found: char } Data "a statement has no use for {found:?} here";
    Keyword { word: Box<str> } Data "{word} is a keyword: as a name it is written \"{word}\"";
    QuotedNameEmpty Data "a name cannot be empty";
    NumberExpected Data "expected a number";
    StepExpected Data "expected the number of a list's element, or a name between single quotes";
    TooManySteps { limit: usize } Data "a path has at most {limit} steps";
    TooDeep { what: &'static str, limit: usize } Data "{what} nest in each other at most {limit} levels deep";
    NameTwice { name: Box<str> } Data "the name '{name}' stands twice in one tuple";
    NoTuple Data "an item is a tuple: {{'pk': 'a', 'price': 1}}";
    EmptyBag Data "Empty bags are not supported";
    MixedBag Data "a set holds either texts, or numbers, or binary values";
    NoColumn Data "a SELECT list holds paths and COUNT, SUM, MIN, MAX and AVG";
    Aliased Data "Aliasing is not supported";
    TooManyComponents Data "A path may contain at most 2 components in the FROM clause";
    Unsupported { clause: &'static str } Data "{clause} is not of DynamoDB's dialect" | "Unsupported clause: {clause}";
    GroupedStar Data "SELECT * cannot be grouped: name the columns";
    UngroupedColumn { column: Box<str> } Data "the column {column} is neither in GROUP BY nor in COUNT, SUM, MIN, MAX or AVG";
    ColumnTwice { column: Box<str> } Data "two columns are called {column}: give one another name with AS";
    OrderOfGroups { path: Box<str> } Data "rows of groups are ordered by their columns, {path} is none";
    CountInvalid { clause: &'static str } Data "{clause} takes a whole number that is not negative";
    IsOfValue Data "IS asks about an attribute or a path";
    ExistsInside Data "EXISTS can only be used in transactions, as a statement of its own";
    PredicateAsValue { function: Box<str> } Data "{function} is no value: it is true or false";
    WriteOnIndex Data "This operation is not supported on an index";
    IncompleteKey Data "Where clause does not contain a mandatory equality on all key attributes";
    DeleteReturns { which: &'static str, when: &'static str } Data "Invalid returning clause: RETURNING {which} {when} *. Only RETURNING ALL OLD * is allowed in DELETE statements";
    SetFunctionArguments { function: Box<str> } Data "{function} must have exactly two arguments";
    SetFunctionTarget { function: Box<str> } Data "The first argument to {function} must equal the assignment value";
    NoSet { function: Box<str> } Data "The second argument to {function} must be a value with type SET";
    FirstNoPath Data "the first argument of if_not_exists is a path";
    FunctionInside { function: &'static str } Data "{function} is the whole of what a path is set to";
    OperatorTwice Data "+ and - stand between two operands, once";
    ParameterCount { wanted: usize, found: usize } Data "Number of parameters in request and statement don't match. The statement has {wanted}, the request {found}" | "Number of parameters in request and statement don't match.";

    // What the layer below refuses.
    Limit { limit: Exceeded } Data "{limit}" | "{limit:#}";
    Below { error: kstone_core::Error } Data "{error}" | "{error:#}";
}

/// What could stand at a place of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected(pub Box<[&'static str]>);

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((last, first)) = self.0.split_last() else { return f.write_str("something else") };
        for (at, what) in first.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            named(f, what)?;
        }
        f.write_str(if first.is_empty() { "" } else { " or " })?;
        named(f, last)
    }
}

/// A sign between quotes, anything else as it is.
fn named(f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
    let is_sign = what.chars().all(|c| c.is_ascii_punctuation());
    if is_sign { write!(f, "\"{what}\"") } else { f.write_str(what) }
}

/// A limit that is passed. Its text has the numbers; the alternate one, DynamoDB's, has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// What is too large.
    pub what: &'static str,
    /// The unit of both sizes.
    pub unit: Unit,
    /// The limit.
    pub limit: usize,
    /// The size found.
    pub found: usize,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, limit, found } = *self;
        LimitText { what, unit, limit, found, at: None }.fmt(f)
    }
}

/// `#names` and `:values`, as a list; the alternate form says how many parameters they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(pub Box<[Box<str>]>);

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.join(", ");
        match (f.alternate(), self.0.len()) {
            (false, _) => f.write_str(&names),
            (true, 0) => f.write_str("no parameters"),
            (true, 1) => write!(f, "1 parameter ({names})"),
            (true, count) => write!(f, "{count} parameters ({names})"),
        }
    }
}

/// A document path as DynamoDB's errors show it: `[a, b, [0]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPath(pub Box<[ShownStep]>);

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShownStep {
    /// Into a map.
    Name(Box<str>),
    /// Into a list.
    Index(u32),
}

impl fmt::Display for ShownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (at, step) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            match step {
                ShownStep::Name(name) => f.write_str(name)?,
                ShownStep::Index(index) => write!(f, "[{index}]")?,
            }
        }
        f.write_str("]")
    }
}

/// A value as DynamoDB's errors show it: `{N:5}`. Bytes are base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownValue {
    type_: Type,
    payload: Box<[u8]>,
}

impl ShownValue {
    pub(crate) fn of(value: ValueRef<'_>) -> Self {
        Self { type_: value.type_(), payload: value.payload().into() }
    }
}

impl fmt::Display for ShownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use base64::Engine as _;
        let value = ValueRef::from_parts(self.type_, &self.payload);
        write!(f, "{{{}:", self.type_.name())?;
        match value.as_str().or_else(|| value.as_number()) {
            Some(text) => f.write_str(text)?,
            None => f.write_str(&base64::engine::general_purpose::STANDARD.encode(&self.payload))?,
        }
        f.write_str("}")
    }
}
