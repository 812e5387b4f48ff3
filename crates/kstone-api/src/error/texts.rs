//! Every sentence that this crate refuses with itself.
//!
//! `tests/refusals.rs` has a case for every line and pins both texts.

use std::fmt;

use super::Refusal;

kstone_core::texts! {
    /// Why a call is refused by the layer of tables and requests, with what a sentence about it quotes.
    pub enum Reason;

    // Accounts and tables.
    TableDeleted Data "the table was deleted" | "Requested resource not found";
    TableUnnamed Data "the schema of a table in an account needs a name";
    TooManyTables Data "the account has created as many tables as it can in its life: 4,294,967,295";
    OtherAccount Data "the table is of another account";
    NoOutcome Data "the write has no outcome";
    KeyFixed Data "the names and types of a table's key cannot be changed, its items lie under them";
    NameFixed { name: Box<str>, other: Box<str> } Data "a table keeps its name in its account: this one is called {name}, its new schema {other}";
    KeyTypedMeanwhile Data "the table's keys became typed by a load while this write was prepared";
    Busy Data "this database is being loaded or configured by the caller of this function: a callback of that can neither load, configure nor fork the database";
    AccountBusy Data "this account is being loaded by the caller of this function: a callback of that can read and write its tables, but neither change, load, fork, clear, view nor save the account";
    Backfilling { name: Box<str> } Data "Cannot read from backfilling global secondary index: {name}";
    NoIndex { name: Box<str> } Data "The table does not have the specified index: {name}";

    // Schemas.
    VisibleForever Data "ttl_visible says how items expire, which takes a ttl_attribute";
    SortKeyAlone { sort: Box<str> } Data "the schema has a sort_key, {sort}, and no partition_key: a typed table needs one";
    StreamCapacity { found: usize, max: usize } Data "stream.capacity is {found}, it may be 1 to {max} records";
    UntypedDeclared { name: Box<str> } Data "{name} is the key of a table without declared types: as a key attribute of an index it has none";
    TwoTypes { name: Box<str>, first: &'static str, second: &'static str } Data "the key attribute {name} is declared as {first} and as {second}: it has one type";
    KeyPartCount { place: Box<str>, found: usize, least: usize, most: usize } Data "{place} has {found} attributes, it may have {least} to {most}";
    SameKeyNames { index: Box<str>, attribute: Box<str> } Data "Both the Hash Key and the Range Key element in the KeySchema have the same name (index {index}, attribute {attribute})" | "Both the Hash Key and the Range Key element in the KeySchema have the same name";
    SchemaSyntax { error: Box<str> } Data "invalid schema: {error}";
    BreaksRule { value: Box<str>, place: Box<str>, rule: Rule } Data "1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: Member must {rule}";
    IndexTwice { name: Box<str> } Data "One or more parameter values were invalid: Duplicate index name: {name}";
    TooManyLocalIndexes { limit: usize } Data "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of {limit}";
    TooManyGlobalIndexes { limit: usize } Data "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of {limit}";
    TooManyProjected { found: usize, limit: usize } Data "One or more parameter values were invalid: the INCLUDE projections of all indexes name {found} attributes together, the limit is {limit}";
    ProjectsNothing { index: Box<str> } Data "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified (index {index})" | "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified";
    ProjectedTwice { attribute: Box<str>, index: Box<str> } Data "One or more parameter values were invalid: Duplicate element in NonKeyAttributes: {attribute} (index {index})";
    TtlNameLength { most: usize, found: usize } Data "TimeToLive AttributeName must have between 1 and {most} characters, found {found}";

    // Items in JSON.
    NoObject Data "an item is a JSON object";
    ValueEmpty Data "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
    SeveralTypes Data "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
    NoBool Data "BOOL must be true or false";
    NullNotTrue Request "Null attribute value types must have the value of true" | "One or more parameter values were invalid: Null attribute value types must have the value of true";
    NameTwice Data "the name stands twice in its object";
    NoJson Data "invalid JSON";
    NoType { name: Box<str> } Data "{name:?} is not an attribute type";
    NotBase64 { error: Box<str> } Data "not base64: {error}";
    JsonSyntax { error: Box<str> } Data "invalid JSON: {error}";
    JsonExpected { what: &'static str, found: &'static str } Data "expected {what}, found {found}";
    At { refusal: Refusal, place: JsonPlace } Data "{refusal} ({place})" | "{refusal:#}";
    JsonSyntaxAt { error: Box<str>, line: usize, column: usize } Data "invalid JSON: {error} at line {line} column {column}";

    // Statements.
    ExistsAlone Data "EXISTS can only be used in ExecuteTransaction write requests.";
    WriteWithToken Data "The provided page token belongs to another request: a write has no pages";
    SelectAsWrite Data "a SELECT is no write";
    IndexInTransaction Data "Reads on indices are not supported within transactions" | "Reads on indices are not supported within transactions.";
    ReturningInTransaction Data "RETURNING clause is not supported in ExecuteTransaction.";
    BatchWithToken Data "a statement of a batch or a transaction is about one item: it has no pages";
    GroupedWithToken Data "a statement that groups or sorts its rows returns them in one page, without a token: bound it with LIMIT";
    InColumn { column: Box<str>, refusal: Refusal } Data "{column}: {refusal}" | "{refusal:#}";
    AggregateOperand { found: &'static str } Request "Incorrect operand type for operator or function; operand type: {found}";
    InTransaction { at: usize, refusal: Refusal } Data "Validation failed in TransactStatements[{at}]: {refusal}" | "Validation failed in TransactStatements[{at}]: {refusal:#}";
    ReadsAndWrites { api: &'static str } Data "{api} API does not support both read and write operations in the same request.";
    SelectOfMore { api: &'static str } Data "Select statements within {api} read one item: without EXPLAIN, an index, aggregates, GROUP BY, ORDER BY, LIMIT and OFFSET" | "Select statements within {api} must specify the primary key in the where clause.";
    SelectWithoutKey { api: &'static str } Data "Select statements within {api} must specify the primary key in the where clause.";
    TooManyPartitions { most: usize, count: usize } Data "The IN operator is provided with too many operands for a partition key, of which it takes {most}; number of operands: {count}";
    CountOperand { clause: &'static str } Data "{clause} takes a whole number that is not negative";
    ParameterName { name: Box<str> } Data "the parameters of a statement are called ?1, ?2 and so on: {name} is none";
    ItemParameter { type_: &'static str } Data "an item is of type M, the parameter is of type {type_}";

    // Reads.
    OperandMistyped Data "One or more parameter values were invalid: Condition parameter type does not match schema type";
    KeyConditionUnsupported Data "Query key condition not supported";
    PrefixOfNumber Request "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N";
    RangeReversed Data "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound";
    TwoKeyConditions Data "a query has a KeyConditionExpression or a partition key, not both";
    LimitZero Data "Limit must be greater than or equal to 1";
    ProjectionOfCount Data "Cannot specify the ProjectionExpression when choosing to get only counts or keys";
    IteratorOfCount Data "an iterator returns items, it cannot return their count";
    CursorOfCount Data "a cursor returns items, it cannot return their count";
    CursorLimit Data "a cursor has no limit: it goes as far as it is told to";
    CursorToken Data "a cursor takes no token: it can seek to a key";
    SeekWithoutSort Data "a cursor cannot seek to a sort key in a table that has none";
    SeekInIndex Data "a cursor over an index cannot seek: its query may have a condition";
    SeekOutside Data "a cursor over a partition cannot seek to a key of another partition";
    StartPrepared Data "a token, or a key to start after, belongs to a run of what is prepared";
    BoundPrepared Data "what is prepared has its expressions as texts: an expression with values cannot be prepared";
    StartOutside Data "The provided starting key is outside query boundaries based on provided conditions";
    StartMismatch Data "The provided starting key is invalid: The provided key element does not match the schema";
    StartTwice Data "a read begins where a token says or behind a key, not both";
    TokenDamaged Data "The provided page token is damaged or is not a page token";
    TokenOfAnother Data "The provided page token belongs to another request";
    BoundTypes { low: Box<str>, high: Box<str> } Request "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}";
    BoundsReversed { low: Box<str>, high: Box<str> } Request "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {low}, upper bound operand: AttributeValue: {high}";
    StartSegment { segments: u32, segment: u32 } Data "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: {segments} Segment: {segment}";
    TokenVersion { found: u8, known: u8 } Data "The provided page token is of version {found}, not {known}";
    FilterNotProjected { index: Box<str>, names: Box<str> } Data "One or more parameter values were invalid: Secondary index {index} does not project one or more filter attributes: [{names}]";
    WholeItems { index: Box<str> } Data "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index {index} because its projection type is not ALL";
    NotProjected { kind: &'static str, index: Box<str>, names: Box<str> } Data "One or more parameter values were invalid: {kind} secondary index {index} does not project [{names}]";
    PartitionParts { index: Box<str>, names: Box<str> } Data "a query of the index {index} names a value of each of its partition attributes: {names}";

    // Writes.
    KeyAttributeDiffers { name: &'static str } Data "One or more parameter values were invalid: the attribute {name} must equal the item's key where it is present: type S or B with the bytes of the key";
    ValueInvalid { refusal: Refusal, number: usize } Data "{refusal} (value {number})" | "{refusal:#}";
    BatchCondition Data "a batch holds puts and deletes without conditions; use a transaction";
    DuplicateKeys Data "Provided list of item keys contains duplicates";
    DuplicateOperations Data "Transaction request cannot include multiple operations on one item";
    PreparedForOther Data "the write was prepared for a table whose key has other names or types";
    PutWithoutItem Data "a put needs the item that it stores";
    ItemWithoutPut Data "an item is given to what was prepared, which is no put";
    BatchReturns Data "a write of a batch returns nothing of its item";
    ReturnsOldOrNone Request "Return values set to invalid value: a put or a delete returns NONE or ALL_OLD" | "ReturnValues can only be ALL_OLD or NONE";
    ListEmpty { what: &'static str } Data "{what} must not be empty";
    IndexKeyType { name: Box<str>, expected: Box<str>, found: &'static str, index: Box<str> } Data "One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: {expected} Actual: {found} IndexName: {index}";
    IndexKeyEmpty { kind: &'static str, index: Box<str>, name: Box<str> } Data "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} value. IndexName: {index}, IndexKey: {name}";
    IndexKeySize { name: Box<str>, bytes: usize, max: usize, index: Box<str> } Data "One or more parameter values were invalid: Size limit exceeded for Index Key {name} Actual Size: {bytes} bytes Max Size: {max} bytes IndexName: {index}";

    // Streams.
    NoStream Data "the table has no stream: its schema must ask for one";
    CapacityTooLarge { max: usize, found: usize } Data "the capacity of a stream must be at most {max} records, found {found}";
    ViewType { name: Box<str> } Data "Value '{name}' at 'streamViewType' must be one of KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES";

    // Files.
    ImportKeyUnnamed Data "the name of a key attribute is empty";
    ImportForked Data "the process was forked while an import was read: the import goes on in its parent alone";
    CatalogLength Data "a catalog of the wrong length";
    RecordBeyondBlock Data "a record that reaches beyond its block";
    OtherKey Data "the file's table has a key of other names or types than the one that it is loaded into";
    LoadForked Data "the process was forked while a snapshot was read: the load goes on in its parent alone";
    LoadIntoItems Data "a snapshot is loaded into an empty database, and this one holds items";
    NoHeader Data "the first block is no header";
    HeaderShort Data "a header that is too short";
    SchemaNotUtf8 Data "a schema that is not UTF-8";
    KeyAttributeTwice Data "the item holds an attribute of its key a second time";
    EndLength Data "an end of the wrong length";
    NoFile { name: Box<str> } Data "{name} is there and is not a file: it cannot be written over";
    ImportKeyNamed { given: Box<str>, own: Box<str> } Data "the table's schema names its key: {given} cannot stand for {own}";
    ImportKeyTwice { name: Box<str> } Data "{name} cannot be both the partition key and the sort key";
    ReadOnce { name: Box<str> } Data "{name} can be read only once, so it can be imported only where bad records are skipped, or end the import with what came before them in the database";
    RecordTooLong { what: &'static str, max: usize } Data "{what} is longer than {max} bytes";
    NoItemBut { what: &'static str } Data "this is {what}";
    KeysDiffer { name: Box<str> } Data "the attribute {name} of Keys is not that of NewImage";
    NotUtf8 { line: usize, column: usize } Data "not UTF-8: line {line} column {column}";
    ImportKeyMissing { name: Box<str> } Data "the key attribute {name} is missing";
    ImportKeyNumber { name: Box<str> } Data "the key attribute {name} is a number: pk and sk are the key itself, which is text or bytes; a number can be the key under any other name, since it stays in the item then";
    ImportKeyEmpty { name: Box<str> } Data "the key attribute {name} is empty";
    ImportKeyType { name: Box<str>, type_: &'static str } Data "the key attribute {name} is of type {type_}, it may be S, B or N";
    SnapshotVersion { name: Box<str>, version: u32, one_table: u32, catalog: u32 } Data "{name} is a snapshot of version {version}: this library reads versions {one_table} and {catalog}";
    SeveralTables { name: Box<str>, tables: u32 } Data "{name} is a snapshot of {tables} tables: it is loaded into an account";
    BlockKind { found: u32, wanted: u32 } Data "a block of kind {found}, where one of kind {wanted} stands";
    StreamNumber { last: u64 } Data "a stream cannot have come to number {last}";
    ItemCount { header: u64, end: u64, found: u64 } Data "the header counts {header} items, the end {end}, there are {found}";
}

/// What a value of a schema must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// Of at least so many characters.
    LengthFrom(usize),
    /// Of at most so many characters.
    LengthTo(usize),
    /// Of the characters that names have.
    NameCharacters,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthFrom(least) => write!(f, "have length greater than or equal to {least}"),
            Self::LengthTo(most) => write!(f, "have length less than or equal to {most}"),
            Self::NameCharacters => f.write_str("satisfy regular expression pattern: [a-zA-Z0-9_.-]+"),
        }
    }
}

/// A place in a text of JSON: which attribute, and where in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPlace {
    /// The path of the attribute, `a.b[2]`; empty outside of any.
    pub attribute: Box<str>,
    /// The line, the first being 1.
    pub line: usize,
    /// The column in bytes, the first being 1.
    pub column: usize,
}

impl fmt::Display for JsonPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attribute, line, column } = self;
        if !attribute.is_empty() {
            write!(f, "attribute {attribute}, ")?;
        }
        write!(f, "line {line} column {column}")
    }
}
