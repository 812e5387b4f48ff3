//! Every sentence of AWS that this crate can say, in one table: name, fields, family, text.
//!
//! The family says whether the validation layer that AWS rolled out since June 2026 puts `1 validation error detected: `
//! before the sentence on the operations that it has taken over ([`Family::Request`]), or leaves it bare
//! ([`Family::Data`]) (parity, `captures/2026-06-09`; facts 9).
//!
//! Each text is held by a case: `every_text_is_said_by_a_case` in `tests/replay.rs` fails where one of these is said by no
//! request of `tests/cases/*.jsonl`. Where a text comes from, its case says. From `OfTables` on they are said where a table
//! is looked at, which scenarios do: `tests/cases/scenarios/*.jsonl`.

use std::fmt;

use crate::echo::Echo;

pub use kstone_api::error::Family;

macro_rules! texts {
    ($($name:ident $({ $($field:ident : $type:ty),+ })? $family:ident $format:literal;)*) => {
        /// A sentence of AWS with what it quotes.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the table is the documentation: each name stands next to its sentence")]
        pub enum Text { $($name $({ $($field: $type),+ })?,)* }

        impl Text {
            /// The names of all texts; those behind `OfTables` are said where a table is looked at.
            pub const NAMES: &[&str] = &[$(stringify!($name)),*];

            /// This text's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)* }
            }

            /// This text's family.
            #[must_use]
            pub fn family(&self) -> Family {
                match self { $(Self::$name { .. } => Family::$family,)* }
            }
        }

        impl fmt::Display for Text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$name $({ $($field),+ })? => write!(f, $format),)* }
            }
        }
    };
}

texts! {
    // Types of JSON: SerializationException.
    CannotConvert { token: &'static str, class: &'static str } Data "{token} cannot be converted to {class}";
    UnexpectedToken Data "Unexpected token received from parser";
    UnrecognizedClass { class: String } Data "Unrecognized collection type class {class}";
    UnrecognizedType { class: String } Data "Unrecognized collection type {class}";
    StartOfStructure Data "Start of structure or map found where not expected";
    UnexpectedFieldType Data "Unexpected field type";
    UnexpectedValueType Data "Unexpected value type in payload";
    ParameterizedCast Data "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class (sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')";
    NotBase64Type Data "only base-64-encoded strings are convertible to bytes";
    Base64Length { found: usize } Data "Base64 encoded length is expected a multiple of 4 bytes but found: {found}";
    Base64Character Data "Invalid last non-pad Base64 character dectected";
    FractionalInteger { number: String, column: usize } Data "invalid type: floating point `{number}`, expected i32 at line 1 column {column}";
    NullMember { wanted: &'static str, column: usize } Data "invalid type: null, expected {wanted} at line 1 column {column}";

    // Shapes.
    Constraints { violations: Violations } Data "{violations}";
    ParameterRequired { member: &'static str } Data "The parameter '{member}' is required but was not present in the request";
    TableNameLength Data "TableName must be at least 3 characters long and at most 255 characters long";
    RequestItemsRequired { operation: &'static str } Data "The requestItems parameter is required for {operation}";

    // Values.
    EmptyValue Data "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
    SeveralTypes Data "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
    NullNotTrue Request "One or more parameter values were invalid: Null attribute value types must have the value of true";
    EmptyStringSet Request "One or more parameter values were invalid: An string set  may not be empty";
    EmptyNumberSet Request "One or more parameter values were invalid: An number set  may not be empty";
    EmptyBinarySet Request "One or more parameter values were invalid: Binary sets should not be empty";
    NullInStringSet Request "One or more parameter values were invalid: An string set may not have a null string as a member";
    NullInNumberSet Request "One or more parameter values were invalid: An number set may not have a null number as a member";
    NullInBinarySet Request "One or more parameter values were invalid: Binary sets may not contain null or empty values";
    DuplicateStrings { set: Echo } Request "One or more parameter values were invalid: Input collection {set} contains duplicates.";
    DuplicateNumbers Request "Input collection contains duplicates";
    DuplicateNumbersInvalid Request "One or more parameter values were invalid: Input collection contains duplicates.";
    DuplicateBinaries { set: Echo } Request "One or more parameter values were invalid: Input collection {set}of type BS contains duplicates.";
    NotNumericEmpty Request "The parameter cannot be converted to a numeric value";
    NotNumeric { text: Echo } Request "The parameter cannot be converted to a numeric value: {text}";
    NumberOverflow Request "Number overflow. Attempting to store a number with magnitude larger than supported range";
    NumberUnderflow Request "Number underflow. Attempting to store a number with magnitude smaller than supported range";
    NumberTooPrecise Request "Attempting to store more than 38 significant digits in a Number";
    NestedTooDeep Request "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit";
    EmptyAttributeName Request "Empty attribute name";
    ItemTooLarge Data "Item size has exceeded the maximum allowed size";

    // Expressions and what stands in their place.
    Mixed { legacy: String, expressions: String } Request "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{legacy}}} Expression parameters: {{{expressions}}}";
    NamesWithoutExpressions Request "ExpressionAttributeNames can only be specified when using expressions";
    ValuesWithoutExpressions { missing: String } Request "ExpressionAttributeValues can only be specified when using expressions{missing}";
    NamesEmpty Request "ExpressionAttributeNames must not be empty";
    ValuesEmpty Request "ExpressionAttributeValues must not be empty";
    NameKeySyntax { key: Echo } Request "ExpressionAttributeNames contains invalid key: Syntax error; key: \"{key}\"";
    ValueKeySyntax { key: Echo } Request "ExpressionAttributeValues contains invalid key: Syntax error; key: \"{key}\"";
    NameKeyTooLong { size: usize } Request "ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: {size}";
    ValueKeyTooLong Request "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long;";
    NameEmpty { key: Echo } Request "ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}";
    ExpressionValue { reason: Box<Text>, key: Echo } Request "ExpressionAttributeValues contains invalid value: {reason} for key {key}";
    ExpressionEmpty { parameter: &'static str } Request "Invalid {parameter}: The expression can not be empty;";
    ExpressionTooLong { parameter: &'static str, size: String } Request "Invalid {parameter}: Expression size has exceeded the maximum allowed size;{size}";

    // Items: one, and many.
    ReturnValuesOldOrNone Request "ReturnValues can only be ALL_OLD or NONE";
    DuplicateAttribute { attribute: Echo } Data "One or more parameter values were invalid: Duplicate value in attribute name: {attribute}";
    DuplicateKeys Data "Provided list of item keys contains duplicates";
    TooManyGets Data "Too many items requested for the BatchGetItem call";
    TooManyWrites Data "Too many items requested for the BatchWriteItem call";
    OneTransactAction Data "TransactItems can only contain one of Check, Put, Update or Delete";
    NoTransactAction Data "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request";

    // Legacy parameters.
    ValueAndList { attribute: Echo } Request "One or more parameter values were invalid: Value and AttributeValueList cannot be used together for Attribute: {attribute}";
    ExistsAndOperator { attribute: Echo } Request "One or more parameter values were invalid: Exists and ComparisonOperator cannot be used together for Attribute: {attribute}";
    OperatorWithoutValue { operator: String, attribute: Echo } Request "One or more parameter values were invalid: Value or AttributeValueList must be used with ComparisonOperator: {operator} for Attribute: {attribute}";
    ListWithoutOperator { attribute: Echo } Request "One or more parameter values were invalid: AttributeValueList can only be used with a ComparisonOperator for Attribute: {attribute}";
    ExistsWithoutValue { exists: &'static str, attribute: Echo } Request "One or more parameter values were invalid: Value must be provided when Exists is {exists} for Attribute: {attribute}";
    ValueWithoutExists { attribute: Echo } Request "One or more parameter values were invalid: Value cannot be used when Exists is false for Attribute: {attribute}";
    ConditionalOperatorAlone Request "ConditionalOperator cannot be used without Filter or Expected";
    ConditionalOperatorUnknown Request "Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]";
    ConditionalOperatorOfOne Request "ConditionalOperator can only be used when Filter or Expected has two or more elements";
    ArgumentCount { operator: String } Request "One or more parameter values were invalid: Invalid number of argument(s) for the {operator} ComparisonOperator";
    ArgumentTypesDiffer Request "One or more parameter values were invalid: AttributeValues inside AttributeValueList must be of same type";
    ArgumentType { operator: String, kind: &'static str } Request "One or more parameter values were invalid: ComparisonOperator {operator} is not valid for {kind} AttributeValue type";
    BoundsReversed Request "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound";
    UpdateWithoutValue Data "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified";
    UpdateActionType { action: &'static str, kind: &'static str } Data "One or more parameter values were invalid: {action} for the type {kind}";

    // Pages.
    StartKeyValue { reason: Box<Text> } Data "The provided starting key is invalid: {reason}";
    KeyConditionMissing Data "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.";
    KeyConditionCount Data "Conditions can be of length 1 or 2 only";
    TotalSegmentsMissing Data "The TotalSegments parameter is required but was not present in the request when Segment parameter is present";
    SegmentMissing Data "The Segment parameter is required but was not present in the request when parameter TotalSegments is present";
    SegmentTooHigh { segment: i64, total: i64 } Data "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {segment} is not less than TotalSegments: {total}";
    SelectWithoutAttributes { prefix: &'static str } Data "{prefix}Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES";
    SelectWithAttributes { prefix: &'static str, parameter: &'static str, select: &'static str } Data "{prefix}Cannot specify the {parameter} when choosing to get {select}";
    SelectWithoutIndex { prefix: &'static str } Data "{prefix}ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName";
    TopKRange { value: i64 } Data "Provided TopK value '{value}' is out of valid range. The value must be between 1 and 100 inclusive";
    SearchVectorValue Data "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number attribute";

    // Tables.
    ThroughputOnDemand Data "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST";
    ThroughputMissing Data "One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED";
    ThroughputMissingInUpdate Data "One or more parameter values were invalid: ProvisionedThroughput must be specified when BillingMode is PROVISIONED";
    ThroughputTooHigh { value: i64, member: &'static str } Data "Given value {value} for {member} is out of bounds";
    KeyWithoutDefinition Data "Invalid KeySchema: Some index key attribute have no definition";
    KeysWithoutDefinitions { keys: Echo, definitions: Echo } Data "One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: {keys}, AttributeDefinitions: {definitions}";
    SameHashAndRange Data "Both the Hash Key and the Range Key element in the KeySchema have the same name";
    FirstKeyNotHash Data "Invalid KeySchema: The first KeySchemaElement is not a HASH key type";
    SecondKeyNotRange Data "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type";
    DefinitionsDoNotMatch Data "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions";
    DefinitionsUnused { definitions: Echo, keys: Echo } Data "One or more parameter values were invalid: Some AttributeDefinitions are not used. AttributeDefinitions: {definitions}, keys used: {keys}";
    IndexListEmpty { list: &'static str } Data "One or more parameter values were invalid: List of {list} is empty";
    LocalIndexWithoutRange Data "One or more parameter values were invalid: Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex";
    IndexWithoutRange { index: Echo } Data "One or more parameter values were invalid: Index KeySchema does not have a range key for index: {index}";
    IndexHashDiffers { index: Echo, index_key: Echo, table_key: Echo } Data "One or more parameter values were invalid: Index KeySchema does not have the same leading hash key as table KeySchema for index: {index}. index hash key: {index_key}, table hash key: {table_key}";
    ProjectionTypeMissing Data "One or more parameter values were invalid: Unknown ProjectionType: null";
    ProjectionWithAttributes { projection: String } Data "One or more parameter values were invalid: ProjectionType is {projection}, but NonKeyAttributes is specified";
    ProjectionWithoutAttributes Data "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified";
    DuplicateIndex { index: Echo } Data "One or more parameter values were invalid: Duplicate index name: {index}";
    TooManyLocalIndexes Data "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5";
    TooManyGlobalIndexes Data "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of 20";
    IndexThroughputOnDemand { index: Echo } Data "One or more parameter values were invalid: ProvisionedThroughput should not be specified for index: {index} when BillingMode is PAY_PER_REQUEST";
    VectorIndexProvisioned Data "One or more parameter values were invalid: Vector indexes are only supported for PAY_PER_REQUEST tables";
    VectorDimensions Data "One or more parameter values were invalid: Number of dimensions must be between 1 and 4096 inclusive.";
    SearchSchemaUndefined Data "One or more parameter values were invalid: One element in SearchSchema is not defined in attribute definitions";
    SearchSchemaHashes { count: usize } Data "One or more parameter values were invalid: Value '{count}' at 'SearchSchema' failed to satisfy constraint: Member must have HASH count less than or equal to 1";
    SearchSchemaDuplicate Data "One or more parameter values were invalid: SearchSchema contains a duplicate AttributeName";
    TooManyVectorIndexes Data "One or more parameter values were invalid: VectorIndex count exceeds the per-table limit of 5";
    VectorDimensionsConflict { attribute: Echo } Data "One or more parameter values were invalid: Conflicting attribute definition for '{attribute}'. All VectorIndexes on the same vector attribute must use the same dimensions.";
    VectorAttributeDefined { attribute: Echo } Data "One or more parameter values were invalid: Conflicting attribute definition for '{attribute}'. An attribute cannot be defined in AttributeDefinitions when used as a VectorAttribute.";
    StreamOffWithView Data "One or more parameter values were invalid: Table is being created with a stream disabled, UpdateViewType should not be specified";
    OnDemandLimitProvisioned { member: &'static str } Data "One or more parameter values were invalid: {member} for OnDemandThroughput cannot be specified when table BillingMode is PROVISIONED.";
    OnDemandLimitRange { member: &'static str } Data "One or more parameter values were invalid: Requested {member} for OnDemandThroughput for table is outside of valid range";
    WarmThroughput { member: &'static str, of: Echo, floor: &'static str } Data "One or more parameter values were invalid: Requested {member} for WarmThroughput for {of} is lower than {floor}";
    UpdateTableEmpty Data "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is required";
    IndexUpdateEmpty Data "One or more parameter values were invalid: One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null";
    IndexUpdatedTwice { index: Echo } Data "One or more parameter values were invalid: Only one global secondary index update per index is allowed simultaneously. Index: {index}";

    // Streams.
    SequenceNumberMissing Data "One or more parameter values were invalid: SequenceNumber cannot be null";
    SequenceNumberUnexpected Data "One or more parameter values were invalid: SequenceNumber should not be passed for this iterator type";
    SequenceNumberInvalid Data "Invalid SequenceNumber";
    // Ours, after those of the sequence number: AT_TIMESTAMP is young, and nobody has published what is said of it.
    TimestampMissing Data "One or more parameter values were invalid: Timestamp cannot be null";
    TimestampUnexpected Data "One or more parameter values were invalid: Timestamp should not be passed for this iterator type";

    // Tags.
    TableArnMissing Data "Invalid TableArn";
    TableArnInvalid { arn: Echo } Data "Invalid TableArn: Invalid ResourceArn provided as input {arn}";
    TagsMissing { member: &'static str } Data "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null";
    TagsEmpty { what: &'static str } Data "Atleast one {what} needs to be provided as Input.";
    NotAuthorized { operation: &'static str, arn: Echo } Data "User: arn:aws:iam::000000000000:user/kstone is not authorized to perform: dynamodb:{operation} on resource: {arn}";

    // What tables say.
    OfTables { text: String } Data "{text}";
    ResourceNotFound Data "Requested resource not found";
    TableNotFound { name: String } Data "Requested resource not found: Table: {name} not found";
    TableExists { name: String } Data "Table already exists: {name}";
    KeyElementMismatch Data "The provided key element does not match the schema";
    KeyPath { of: &'static str, attribute: String } Data "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: {of}: {attribute}";
    NoIndex { name: String } Data "The table does not have the specified index: {name}";
    ConsistentIndexRead Data "Consistent reads are not supported on global secondary indexes";
    SelectBeyondIndex { index: String } Data "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index {index} because its projection type is not ALL";
    StartKeyInvalid Data "The provided starting key is invalid";
    StartKeyOutside Data "The provided starting key is outside query boundaries based on provided conditions";
    StartKeyUnmatched Data "The provided starting key does not match the range key predicate";
    QueryOfOneRow Data "The query can return at most one row and cannot be restarted";
    KeyConditionUnsupported Data "Query key condition not supported";
    KeyConditionMissed { attribute: String } Data "Query condition missed key schema element: {attribute}";
    NotIndexable Data "Attempted conditional constraint is not an indexable operation";
    QueryFilterOnKey { attribute: String } Data "QueryFilter can only contain non-primary key attributes: Primary key attribute: {attribute}";
    TransactionCancelled { codes: String } Data "Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]";
    TransactionTooLarge Data "Transaction item size has exceeded the 4 MB limit";
    UpdateTypeMismatch Data "Type mismatch for attribute to update";
    UpdatedItemTooLarge Data "Item size to update has exceeded the maximum allowed size";
    UpdatedIndexKeyEmpty { kind: &'static str } Data "One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty {kind} value.";
    TokenMismatch Data "The request uses the same client token as a previous, but different, request.";
    StreamArnInvalid Data "Invalid StreamArn";
    StreamNotFound { arn: Echo } Data "Requested resource not found: Stream: {arn} not found";
    ShardNotFound Data "Requested resource not found: Shard does not exist";
    ShardIteratorInvalid Data "Invalid ShardIterator";
    ShardIteratorExpired Data "Iterator expired";
    Trimmed Data "The data you are trying to access has been trimmed";
    ConsistentStatement Data "Strongly consistent read is not supported on Global Secondary Indexes";
    SeveralKeyAttributes Data "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.";
    StatementIndexMissing Data "The table does not have the specified index";
    SearchComparator Data "Invalid SearchConditionExpression: Invalid comparator used in SearchConditionExpression";
    VectorIndexMissing { index: Echo } Data "The table does not have the specified index: {index}";
    SearchVectorDimensions { given: usize, expected: i64 } Data "Input search vector dimension {given} does not match vector index dimension {expected}";
    SearchOutsideSchema { attribute: Echo } Data "SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid attribute: {attribute}";
    SearchNested Data "Invalid SearchConditionExpression: SearchConditionExpression cannot have conditions on nested attributes";
    SearchTwice Data "Invalid SearchConditionExpression: SearchConditionExpression must only contain one condition per attribute";
    SearchWithoutHash Data "SearchConditionExpression must be provided when SearchSchema has a HASH key";
    SearchType { attribute: Echo, given: &'static str, expected: Echo } Data "Type of '{attribute}' attribute in SearchConditionExpression ({given}) does not match type in search schema ({expected})";
    SearchEmptyKey { attribute: Echo } Data "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {attribute}";
    VectorIndexScanned Data "Scan operation not supported on this index type";
    StatementParameterCount Data "Number of parameters in request and statement don't match.";
    OrderWithoutWhere Data "Must have WHERE clause in the statement when using ORDER BY clause.";
    OrderWithoutPartition Data "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.";
    OrderByOther { attribute: Echo } Data "Variable reference {attribute} in ORDER BY clause must be part of the primary key";
    ExistsWithoutCondition Data "EXISTS() must contain a single item read with additional condition";
    SelectByMoreThanKey { api: &'static str } Data "Select statements within {api} must specify the primary key in the where clause.";
    StatementTokenInvalid Data "Invalid NextToken";
    NextTokenOfAnother Data "The provided starting key is invalid";
    BatchOfReadsAndWrites Data "Read and write requests together in the same batch is not supported.";
    InTransactStatement { at: usize, message: Echo } Data "Validation failed in TransactStatements[{at}]: {message}";
    OperationUnsupported { operation: &'static str } Data "{operation} is not supported";

    // What tables say of changes: ack-api-quirks, `services/dynamodb`, captured in us-west-2 in October 2026, DDB-TABLE-442 and
    // the entries that it names.
    StreamOnWithoutView { what: &'static str } Data "One or more parameter values were invalid: {what}, UpdateViewType is required";
    StreamEnabledWithoutView Data "One or more parameter values were invalid: If stream is being enabled then UpdateViewType is required";
    StreamDisabledWithView Data "One or more parameter values were invalid: If stream is being disabled, then UpdateViewType must not be specified";
    StreamEnabledAlready { table: Box<str> } Data "Table already has an enabled stream: TableName: {table}";
    StreamMissing { table: Box<str> } Data "Table has no stream to disable: TableName: {table}";
    OnlyOperation { what: &'static str } Data "One or more parameter values were invalid: {what} modification must be the only operation in the request";
    WarmOnly Data "One or more parameter values were invalid: WarmThroughput must be the only operation in the request";
    WarmWithIndex Data "One or more parameter values were invalid: Create global secondary index cannot be specified when updating WarmThroughput";
    OnDemandWithOthers Data "One or more parameter values were invalid: OnDemandThroughput can only be combined with BillingMode in an UpdateTable request";
    StreamWithThroughput Data "One or more parameter values were invalid: You cannot modify stream status while updating table IOPS";
    IndexWithThroughput Data "One or more parameter values were invalid: You cannot create or delete index while updating table IOPS";
    IndexWithStream Data "One or more parameter values were invalid: You cannot create or delete index while changing stream status";
    SeveralIndexActions Data "One or more parameter values were invalid: Only one global secondary index action is allowed per GlobalSecondaryIndexUpdate object";
    EncryptionMember { member: &'static str } Data "One or more parameter values were invalid: {member} can not be specified if Enabled is false";
    EncryptionKeyWithoutType Data "One or more parameter values were invalid: SSEType KMS is required if KMSMasterKeyId is specified";
    EncryptionType Data "One or more parameter values were invalid: SSEType AES256 is not supported";
    EncryptedByDefault Data "One or more parameter values were invalid: Table is already encrypted by default";
    EncryptedWithKey Data "One or more parameter values were invalid: Table is already encrypted with given KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key";
    ThroughputUnchanged { of: String, read: i64, write: i64 } Data "The provisioned throughput for the {of} will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the {of}: {read}. Requested ReadCapacityUnits: {read}. Current WriteCapacityUnits provisioned for the {of}: {write}. Requested WriteCapacityUnits: {write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.";
    OnDemandLimitOfProvisioned { member: &'static str } Data "One or more parameter values were invalid: {member} for OnDemandThroughput cannot be specified when the table BillingMode is PROVISIONED";
    OnDemandLimitOutside { member: &'static str, of: String } Data "One or more parameter values were invalid: Requested {member} for OnDemandThroughput for {of} is outside of valid range";
    WarmLowered { member: &'static str, of: String } Data "One or more parameter values were invalid: Requested {member} for WarmThroughput for {of} is lower than current WarmThroughput, decreasing WarmThroughput is not supported";
    VectorTableProvisioned Data "One or more parameter values were invalid: Tables with vector indexes must be in PAY_PER_REQUEST mode";
    VectorNoList { attribute: String, index: String } Data "One or more parameter values were invalid. Invalid type for parameter {attribute}, Expected: 32-bit floating point number list IndexName: {index}";
    VectorSize { attribute: String, expected: i64, actual: usize, index: String } Data "One or more parameter values were invalid. Invalid size for parameter {attribute}, Expected: {expected}, Actual: {actual} IndexName: {index}";
    VectorElement { attribute: String, at: usize, type_: &'static str, index: String } Data "One or more parameter values were invalid. Invalid type for parameter {attribute}[{at}], Expected: 32-bit floating point number, Actual: {type_}. IndexName: {index}";
    VectorKeyEmpty { index: String, key: String } Data "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: {index}, IndexKey: {key}";
    IndexThroughputMissing { index: String } Data "One or more parameter values were invalid: ProvisionedThroughput must be specified for index: {index}";
    IndexThroughputUnspecified { index: Echo } Data "One or more parameter values were invalid: ProvisionedThroughput is not specified for index: {index}";
    IndexUnitsOnDemand { index: String } Data "One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified for index: {index} when BillingMode is PAY_PER_REQUEST";
    IndexUpdatesOnDemand { index: String } Data "One or more parameter values were invalid: The only Updates for index: {index} when TableThroughputMode is PAY_PER_REQUEST can be to OnDemandThroughput, WarmThroughput";
    IndexNotGlobal { verb: &'static str, index: String } Data "Cannot {verb} an index that is not a GlobalSecondaryIndex: {index}";
    IndexExists Data "Attempting to create an index which already exists";
    IndexUnknown { index: String, table: Box<str> } Data "Requested resource not found: Index {index} for table {table}";
    IndexDefinitionsMissing { index: String } Data "One or more parameter values were invalid: AttributeDefinitions is not specified for index: {index}";
    OneOnlineIndex Data "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table";
    TooManyIndexesOnline Data "Subscriber limit exceeded: GlobalSecondaryIndex count exceeds the per-table limit of 20";
    VectorRedefined { attribute: String, dimensions: i64, type_: &'static str, kind: &'static str } Data "One or more parameter values were invalid: Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. Existing schema: VectorIndexSchema:[VectorAttribute: key{{{attribute}:L:{dimensions}}}] New schema: Schema:[SchemaElement: key{{{attribute}:{type_}:{kind}}}]";
    DefinitionTwice { attribute: Echo } Data "Attribute Name is duplicated: {attribute}";
    KeyTwice Data "The KeySchema contains multiple key attributes with the same name";
    HashBehindRange Data "One or more parameter values were invalid: All HASH key attributes must precede RANGE key attributes in the KeySchema";
    TooManyKeys { kind: &'static str } Data "One or more parameter values were invalid: The KeySchema exceeds the maximum allowed number of {kind} key attributes";
    NonKeyTwice { attribute: Echo } Data "One or more parameter values were invalid: Duplicate element in NonKeyAttributes: {attribute}";
    Protected Data "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
    TableInPhase { phase: &'static str, table: Box<str> } Data "Attempt to change a resource which is still in use: Table is being {phase}: {table}";
    IndexesInPhase Data "Attempt to change a resource which is still in use: Cannot delete table while indexes are being created, updated, or deleted.";
    GlobalTables { member: &'static str } Data "{member} is not supported: an account of kstone is in one region, without global tables";
    NotHere { operation: &'static str, why: &'static str } Data "{operation} is not supported: {why}";

    // Names as ARNs (the same, DDB-TABLE-442).
    RegionOfArn { arn: Echo } Data "1 validation error detected: Invalid AWS region in '{arn}'";
    PartitionOfArn { arn: Echo } Data "1 validation error detected: Invalid AWS partition in '{arn}'";
    TypeOfArn { arn: Echo } Data "1 validation error detected: Invalid resource type in '{arn}'";
    AccessDenied Data "Access is denied";
    ArnStart { arn: Echo } Data "One or more parameter values were invalid: ARNs must start with 'arn:': {arn}";
    ArnOfOther { arn: Echo } Data "One or more parameter values were invalid: Provided Arn is not a DynamoDB resource arn: {arn}";
    ArnOfIndex { arn: Echo } Data "One or more parameter values were invalid: Invalid resource arn provided, only table or stream is accepted. Provided resource arn: {arn}";
    ArnElsewhere { arn: Echo } Data "One or more parameter values were invalid: Invalid resource Arn: {arn}";

    // Tags, times to live, policies (the same).
    TagPrefix { key: Echo } Data "Tag Key cannot be prefixed with aws:, Key: {key}";
    TagTwice { key: Echo } Data "Duplicate Tag Keys provided as input: Duplicate Tag Key found {key}";
    TagKeyInvalid { key: Echo } Data "The Tag Key provided is invalid, Key: {key}";
    TagValueInvalid { value: Echo } Data "The Tag Value provided is invalid, Value: {value}";
    TooManyTags Data "Number of Tags exceed the current limit for the provided ResourceArn";
    ResourceArnNotFound { arn: Echo } Data "Requested resource not found: ResourceArn: {arn} not found";
    TtlEnabledAlready Data "TimeToLive is already enabled";
    TtlDisabledAlready Data "TimeToLive is already disabled";
    TtlOtherAttribute { attribute: String } Data "TimeToLive is active on a different AttributeName: current AttributeName is {attribute}";
    TtlInPhase { phase: &'static str } Data "Cannot describe time to live while table is in {phase} state: Current table state is {phase}";
    PolicyMissing { arn: Echo } Data "Resource-based policy not found for the provided ResourceArn: {arn}";
    PolicyUnexpected { table: Box<str>, revision: String } Data "Resource-based policy not found for the provided ResourceArn: Requested policy update expecting none to be present for table {table}, but a policy exists with revision id {revision}.";
    PolicyRevision { table: Box<str>, expected: Echo, revision: String } Data "Resource-based policy not found for the provided ResourceArn: Requested update for policy with revision id {expected}, but the policy associated to target table {table} has revision id {revision}.";
    PolicyJson Data "One or more parameter values were invalid: Invalid policy document: This policy contains invalid Json";
    PolicyTooLarge Data "One or more parameter values were invalid: Maximum policy size of 20480 bytes exceeded";

    // Backups, exports, imports (the same, backup.md, export.md and import.md).
    TableNotThere { name: String } Data "Table not found: {name}";
    BackupArnInvalid Data "Invalid Backup ARN";
    BackupNotFound { arn: Echo } Data "Backup not found: {arn}";
    BackupTimes Data "One or more parameter values were invalid: Time range lower bound must be less than or equal to upper bound";
    BackupOfSystem { arn: Echo, until: String } Data "Invalid Request: User is not allowed to delete the system backup with arn {arn}. It will automatically expire on {until}";
    TargetExists { name: String } Data "Table already exists: {name}";
    RestoreIndexUnknown { index: String } Data "Invalid Request: Index {index} does not match a secondary index that existed in the source table and cannot be created during the restore operation";
    RestoreThroughputOnDemand Data "Invalid Request: Cannot override ProvisionedThroughput if BillingMode is overridden to PAY_PER_REQUEST";
    RestoreThroughputMissing Data "Invalid Request: Must override ProvisionedThroughput if BillingMode is overridden to PROVISIONED";
    RestoreTimeMissing Data "Invalid Request: Either one of RestoreDateTime or UseLatestRestorableTime must be specified, but not both";
    RestoreSource Data "Invalid Request: Must provide exactly one of: sourceTableArn, sourceTableName";
    RestoreTimeInvalid Data "The restore time is not in the range of the table's point in time recovery";
    RecoveryDisabled { table: Box<str> } Data "Point in time recovery is not enabled for table '{table}'";
    RecoveryPeriod Data "Invalid Request: Cannot specify RecoveryPeriodInDays when disabling point-in-time recovery.";
    ExportArnInvalid Data "Invalid Export ARN";
    ExportNotFound { arn: Echo } Data "Export not found: Export not found: {arn}";
    ExportTableArn Data "One or more parameter values were invalid: tableArn is not a valid ARN";
    ExportTime Data "Export Time is invalid";
    ExportTimeUnkept Data "Point in Time Recovery of this table has kept no moment of that time";
    ExportConflict Data "Export conflict: Duplicate request detected with conflicting parameters";
    ExportKey Data "Invalid Request: KMS Key Id is not supported for this encryption type";
    IncrementalType Data "Invalid Request: Export Type expected to be Incremental Export when incremental export specification is provided";
    IncrementalOfFull Data "Invalid Request: When Export Type is Full Export , Incremental Export Specification should not be provided";
    IncrementalMissing Data "Invalid Request: Incremental Export Specification expected when export type is set as Incremental Export";
    IncrementalFrom Data "Invalid Request: ExportFromTime must be provided in IncrementalExportSpecification";
    IncrementalShort Data "Difference between export period from time and export period to time is less than 15 minutes";
    IncrementalLong Data "Difference between export period from time and export period to time is greater than 24 hours";
    IncrementalBefore { moment: String } Data "Incremental export period from time cannot be less than the table creation time : {moment}";
    IncrementalAfter { moment: String } Data "Incremental export period to time cannot be greater than the current time : {moment}";
    ImportArnInvalid Data "Invalid Import ARN";
    ImportNotFound { arn: Echo } Data "Import not found: {arn}";
    ImportConflict Data "Import conflict: Duplicate request detected with conflicting parameters";
    ImportOptions { format: String } Data "Invalid Request: Unsupported InputFormatOptions for the given input format: {format}.";
    NextTokenInvalid { token: Echo } Data "Invalid Request: Provided nextToken is invalid: {token}";
    FilesRootMissing { operation: &'static str } Data "{operation} needs files_root, the folder of this account whose folders are its buckets: it was opened without one";
}

impl Text {
    /// Whether it is about the spelling of a number, or about a set that has a member twice.
    pub(crate) fn is_of_number_or_duplicate(&self) -> bool {
        matches!(
            self,
            Self::DuplicateStrings { .. }
                | Self::DuplicateNumbers
                | Self::DuplicateNumbersInvalid
                | Self::DuplicateBinaries { .. }
                | Self::NotNumericEmpty
                | Self::NotNumeric { .. }
                | Self::NumberTooPrecise
                | Self::NumberOverflow
                | Self::NumberUnderflow
        )
    }
}

/// What a shape's check found, in the order in which it is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "{} validation error{plural} detected: ", self.0.len())?;
        for (at, violation) in self.0.iter().enumerate() {
            let before = if at == 0 { "" } else { "; " };
            write!(f, "{before}{violation}")?;
        }
        Ok(())
    }
}

/// One constraint that a value does not satisfy, and how the service shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Violation {
    /// `Value 'x' at 'path' failed to satisfy constraint: …`; no value is `null`.
    Shown {
        /// What was there.
        value: Option<Echo>,
        /// Where, as `keySchema.1.member.keyType`.
        path: String,
        /// What it should be.
        constraint: Constraint,
    },
    /// `Value at 'Path' failed to satisfy constraint: …`: the newer form.
    Hidden {
        /// Where, as `RequestItems.T.member.Keys`.
        path: String,
        /// What it should be.
        constraint: Constraint,
    },
    /// The newer layer's sentence for ReturnValues, misspelt as the service has it (parity, `captures/2026-06-09`).
    ReturnValues,
    /// The newer layer's sentence for ReturnItemCollectionMetrics (the same capture).
    ItemCollectionMetrics,
    /// The newer layer's sentence for ConditionalOperator, of which AND is called ALL (parity,
    /// `validation-ordering/query` and `validation-ordering/deepRequests`).
    ConditionalOperator,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown { value: None, path, constraint } => {
                write!(f, "Value null at '{path}' failed to satisfy constraint: {constraint}")
            }
            Self::Shown { value: Some(value), path, constraint } => {
                write!(f, "Value '{value}' at '{path}' failed to satisfy constraint: {constraint}")
            }
            Self::Hidden { path, constraint } => {
                write!(f, "Value at '{path}' failed to satisfy constraint: {constraint}")
            }
            Self::ReturnValues => f.write_str(
                "Failed to satisfy constraint: Member must satisfy enum value set: \
                 [ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATE_NEW, NONE]",
            ),
            Self::ConditionalOperator => {
                f.write_str("Failed to satisfy constraint: Member must satisfy enum value set: [ALL, OR]")
            }
            Self::ItemCollectionMetrics => f.write_str("ReturnItemCollectionMetrics can only be SIZE or NONE"),
        }
    }
}

/// What a member must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// There.
    NotNull,
    /// At least so long.
    LengthFrom(i64),
    /// At most so long.
    LengthTo(i64),
    /// At least so much.
    ValueFrom(i64),
    /// At most so much.
    ValueTo(i64),
    /// Like this pattern.
    Pattern(&'static str),
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A map whose keys satisfy all of these.
    Keys(Vec<Constraint>),
    /// A map whose values satisfy all of these.
    Values(Vec<Constraint>),
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = |f: &mut fmt::Formatter<'_>, what: &str, all: &[Self]| {
            write!(f, "Map {what} must satisfy constraint: [")?;
            for (at, one) in all.iter().enumerate() {
                write!(f, "{}{one}", if at == 0 { "" } else { ", " })?;
            }
            f.write_str("]")
        };
        match self {
            Self::NotNull => f.write_str("Member must not be null"),
            Self::LengthFrom(least) => write!(f, "Member must have length greater than or equal to {least}"),
            Self::LengthTo(most) => write!(f, "Member must have length less than or equal to {most}"),
            Self::ValueFrom(least) => write!(f, "Member must have value greater than or equal to {least}"),
            Self::ValueTo(most) => write!(f, "Member must have value less than or equal to {most}"),
            Self::Pattern(pattern) => write!(f, "Member must satisfy regular expression pattern: {pattern}"),
            Self::OneOf(values) => write!(f, "Member must satisfy enum value set: [{}]", values.join(", ")),
            Self::Keys(all) => several(f, "keys", all),
            Self::Values(all) => several(f, "value", all),
        }
    }
}
