//! Every sentence that this crate refuses with.
//!
//! `tests/refusals.rs` has a case for every line and pins both texts.

use std::fmt;

use super::Error;

crate::texts! {
    /// Why the engine, a key, an item or a number is refused, with what a sentence about it quotes.
    pub enum Reason;

    // Numbers.
    NoNumber Data "The parameter cannot be converted to a numeric value";
    NotNumeric { text: Box<str> } Data "The parameter cannot be converted to a numeric value: {text}";
    NumberOverflow Data "Number overflow. Attempting to store a number with magnitude larger than supported range";
    NumberUnderflow Data "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    NumberTooPrecise Data "Attempting to store more than 38 significant digits in a Number";
    DividedByZero Data "a number cannot be divided by 0";

    // Items and values.
    EmptyAttributeName Data "an attribute name may not be empty";
    EmptyStringSet Request "One or more parameter values were invalid: An string set  may not be empty";
    EmptyNumberSet Request "One or more parameter values were invalid: An number set  may not be empty";
    EmptyBinarySet Request "One or more parameter values were invalid: Binary sets should not be empty";
    DuplicateStrings { set: Listed } Request "One or more parameter values were invalid: Input collection [{set}] contains duplicates.";
    DuplicateNumbers { set: Listed } Request "One or more parameter values were invalid: Input collection [{set}] contains duplicates." | "Input collection contains duplicates";
    DuplicateBinaries { set: Listed } Request "One or more parameter values were invalid: Input collection [{set}] contains duplicates." | "One or more parameter values were invalid: Input collection [{set}]of type BS contains duplicates.";
    NotAnItem { flaw: Flaw, at: usize } Data "not an item: {flaw} at byte {at}";
    NotAValue { type_: &'static str, flaw: Flaw } Data "not a value of type {type_}: {flaw}";
    NoMember { at: usize } Data "not a value in its stored form: no member begins at byte {at}";
    PathSyntax { path: Box<str>, expected: &'static str, at: usize } Data "invalid attribute path {path:?}: expected {expected} at byte {at}";

    // Lists, maps and sets that are written member by member.
    HoldsNothing { type_: &'static str } Data "only L, M, SS, NS and BS hold other values, {type_} does not";
    NothingOpen Data "no list, map or set is open";
    NothingOpenInside Data "no list, map or set is open inside another one";
    StillOpen Data "an attribute is complete when only its outermost list, map or set is open";
    ElementNamed { holder: &'static str } Data "an element of {holder} has no name";
    ElementType { set: &'static str, needed: &'static str, found: &'static str } Data "an element of {set} is of type {needed}, not {found}";

    // Keys.
    EmptyPartitionKey Data "One or more parameter values are not valid: the partition key is empty, it needs 1 to 2048 bytes" | "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk";
    ShortEntryKey { found: usize, index: usize } Data "the partition key of an index entry has {found} bytes, it needs {index} for the index and more for the partition";
    EmptyKeyName Data "the name of a key attribute cannot be empty";
    KeyNamedTwice { name: Box<str> } Data "partition key and sort key are both called {name}: they are two" | "Both the Hash Key and the Range Key element in the KeySchema have the same name";
    SortKeyMissing { name: Box<str> } Data "the sort key {name} is missing: the table has one" | "The provided key element does not match the schema";
    SortKeyUnknown { partition: Box<str> } Data "the table has no sort key: its key is {partition} alone" | "The provided key element does not match the schema";
    KeyNotText { name: Box<str>, type_: &'static str, error: Box<str> } Data "the key attribute {name} is of type {type_}: {error}" | "The provided key element does not match the schema";
    KeyNotNumber { name: Box<str>, error: Error } Data "the key attribute {name} is of type N: {error}" | "{error:#}";
    KeyBytes { name: Box<str> } Data "the key attribute {name} is of type N: its bytes are no number's";
    KeyMissing { name: Box<str> } Data "One or more parameter values were invalid: Missing the key {name} in the item";
    KeyType { name: Box<str>, expected: OneOf, found: &'static str } Data "One or more parameter values were invalid: Type mismatch for key {name} expected: {expected} actual: {found}";
    KeyEmpty { kind: &'static str, name: Box<str> } Data "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {name}";
    KeyDiffers { name: Box<str> } Data "One or more parameter values were invalid: the attribute {name} must equal the item's key where it is present";
    KeyMismatch Data "The provided key element does not match the schema";

    // The engine.
    SegmentTooHigh { segment: u32, segments: u32 } Data "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not less than TotalSegments: {segments}";
    MemtableRecords { found: usize, max: usize } Data "memtable_max_records is {found}, it may be 1 to {max}";
    MemoryTooSmall { found: usize, min: usize } Data "memory_max_bytes is {found}, it must be at least {min}";
    EvictionUnlimited Data "eviction needs a limit: set memory_max_bytes";
    NoThread { error: Box<str> } Data "no thread for background_compaction: {error}";
    NotEmpty Data "the database is not empty, and only an empty one can be filled";
    OrdinalTwice { ordinal: u32 } Data "two engines that are locked together have the ordinal {ordinal}: each needs one of its own";
    EngineTwice Data "an engine stands twice among those to be locked";
    KeyNotNamed { record: Box<str> } Data "a commit wrote a key that it had not named: {record}";
}

crate::texts! {
    /// What is wrong with bytes that are to be an item or a value.
    pub enum Flaw;
    EmptyName Data "an empty name";
    LongName Data "a name that is too long";
    NameOrder Data "a name out of order";
    NameNotUtf8 Data "a name that is not UTF-8";
    UnknownType Data "an unknown type";
    LengthBeyondEnd Data "a length that reaches beyond the end";
    EndlessLength Data "a length that does not end";
    LongLength Data "a length that is not in its shortest form";
    TooDeep Data "a level of nesting too many";
    ElementOrder Data "a set's element out of order";
    EmptySet Data "an empty set";
    TextNotUtf8 Data "text that is not UTF-8";
    OtherNumber Data "a number that is not canonical";
    OtherBool Data "a BOOL that is neither 0 nor 1";
    OtherNull Data "a NULL that is not empty";
}

/// Elements of a list, with commas between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed(pub Box<[Box<str>]>);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// What something may be: `S or B`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOf(pub Box<[&'static str]>);

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" or "))
    }
}
