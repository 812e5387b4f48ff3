//! What the service does otherwise than its public model says: the order in which it prints enums, names that it checks,
//! bounds that it checks later or not at all.
//!
//! Sources: `parity` is the public conformance suite whose expectations were measured on AWS, `dynalite` the emulator whose
//! tests run against AWS; `facts` are numbered in the design notes. Nothing here is a guess unless it says so.

use super::{Bounds, Kind, Service, Shape, ShapeId};

/// The pattern of table and index names.
pub const NAME_PATTERN: &str = "[a-zA-Z0-9_.-]+";

/// An enum's values in the order in which AWS prints them (dynalite, `validations/*.js`; parity,
/// `captures/2026-06-09`); the model's order where nothing is known.
#[must_use]
pub fn printed_values(shape: &Shape) -> &'static [&'static str] {
    match shape.name {
        "ReturnValue" => &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"],
        "Select" => &["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"],
        "ConditionalOperator" => &["OR", "AND"],
        "ScalarAttributeType" => &["B", "N", "S"],
        "ProjectionType" => &["ALL", "INCLUDE", "KEYS_ONLY"],
        "ComparisonOperator" => &[
            "IN",
            "NULL",
            "BETWEEN",
            "LT",
            "NOT_CONTAINS",
            "EQ",
            "GT",
            "NOT_NULL",
            "NE",
            "LE",
            "BEGINS_WITH",
            "GE",
            "CONTAINS",
        ],
        _ => match shape.kind {
            Kind::Text { values, .. } => values,
            _ => &[],
        },
    }
}

/// How an operation checks the name of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableNameRule {
    /// The member's constraints alone, from 1 to 255 characters: reads and writes of items.
    Items,
    /// A sentence of its own where it is missing, then constraints from 3 to 255: CreateTable (parity,
    /// `error-messages/createTable`).
    Create,
    /// Sentences of their own where it is missing and for its length: what acts on a table (dynalite,
    /// `validations/updateTable.js`).
    Table,
}

/// How `operation` checks the name of its table.
#[must_use]
pub fn table_name_rule(operation: &str) -> TableNameRule {
    match operation {
        "CreateTable" => TableNameRule::Create,
        "UpdateTable" | "DeleteTable" | "DescribeTable" | "DescribeTimeToLive" | "UpdateTimeToLive" => {
            TableNameRule::Table
        }
        _ => TableNameRule::Items,
    }
}

/// Whether a member that the model makes optional is demanded, or the other way round, by the structure's name.
#[must_use]
pub fn required(structure: &str, member: &str, model: bool) -> bool {
    match (structure, member) {
        // The model has them optional for tables that join a global table (facts 2.1; dynalite).
        ("CreateTableInput", "AttributeDefinitions" | "KeySchema") => true,
        // Checked by sentences of their own (dynalite, `validations/tagResource.js` and others).
        ("TagResourceInput" | "UntagResourceInput" | "ListTagsOfResourceInput", "ResourceArn" | "Tags" | "TagKeys") => {
            false
        }
        _ => model,
    }
}

/// The bounds of a list's, map's or text's length or of a number, where the service has others than the model.
#[must_use]
pub fn bounds(structure: &str, member: &str, model: Bounds) -> Bounds {
    match (structure, member) {
        // parity, `captures/2026-06-09`, `c_ct_3keys`.
        ("CreateTableInput", "KeySchema") => Bounds(Some(1), Some(2)),
        // An index of a table can have no more than a table's keys; a global one has up to eight (facts 2.1).
        ("LocalSecondaryIndex", "KeySchema") => Bounds(Some(1), Some(2)),
        // dynalite, `validations/query.js` and others.
        (_, "AttributesToGet") => Bounds(Some(1), Some(255)),
        // Sentences of their own say it later (parity, `error-messages/vectorIndexes`).
        ("VectorIndex" | "CreateVectorIndexAction", "Dimensions") => Bounds(model.0, None),
        // Empty maps have a sentence of their own (parity, `error-messages/batchGetItem`).
        ("BatchGetItemInput" | "BatchWriteItemInput", "RequestItems") => Bounds(None, model.1),
        // The API's reference says these where the model does not.
        ("ListStreamsInput" | "DescribeStreamInput", "Limit") => Bounds(Some(1), Some(100)),
        ("GetRecordsInput", "Limit") => Bounds(Some(1), Some(1000)),
        _ => model,
    }
}

/// The Java class that the service's messages name for a shape, without its package.
#[must_use]
pub fn class_name(id: ShapeId) -> &'static str {
    id.shape().name
}

/// The package of a service's classes. That of streams is a guess.
#[must_use]
pub fn package(service: Service) -> &'static str {
    match service {
        Service::DynamoDb => "com.amazonaws.dynamodb.v20120810",
        Service::Streams => "com.amazonaws.dynamodb.streams.v20120810",
    }
}

/// The members of a structure that the older layer looks at first, in its order (parity, `captures/2026-06-09` and
/// `captures/cross-region-latest` for the three writes; dynalite's order of declarations for the others). What is not
/// named follows in the model's order.
#[must_use]
pub fn first_members(structure: &str) -> &'static [&'static str] {
    match structure {
        "PutItemInput" | "DeleteItemInput" => {
            &["ReturnValues", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "TableName"]
        }
        "UpdateItemInput" => &[
            "ReturnConsumedCapacity",
            "TableName",
            "ReturnItemCollectionMetrics",
            "ReturnValues",
            "ConditionalOperator",
            "Key",
        ],
        // parity, `validation-ordering/createTable`.
        "CreateTableInput" => &["AttributeDefinitions", "TableName", "KeySchema", "GlobalSecondaryIndexes"],
        "GetItemInput" => &["ReturnConsumedCapacity", "AttributesToGet", "TableName"],
        "QueryInput" => &[
            "Select",
            "IndexName",
            "ReturnConsumedCapacity",
            "QueryFilter",
            "TableName",
            "ConditionalOperator",
            "AttributesToGet",
            "Limit",
        ],
        "ScanInput" => &[
            "Select",
            "IndexName",
            "TotalSegments",
            "ReturnConsumedCapacity",
            "TableName",
            "ConditionalOperator",
            "ScanFilter",
            "Segment",
            "Limit",
        ],
        // parity, `validation-ordering/transactions`.
        "TransactWriteItemsInput" => &["ClientRequestToken"],
        "ProvisionedThroughput" => &["WriteCapacityUnits", "ReadCapacityUnits"],
        _ => &[],
    }
}

/// Whether a constraint on this member is said in the newer form, `Value at 'Limit'`, in every cohort (parity,
/// `error-messages/query` and `error-messages/batchGetItem`; captured for SearchVectors on 2026-08-13: dynoxide,
/// `actions/search_vectors.rs`).
#[must_use]
pub fn hides_value(structure: &str, member: &str) -> bool {
    matches!(
        (structure, member),
        ("QueryInput", "Limit") | ("KeysAndAttributes", "Keys") | ("SearchVectorsInput", "IndexName" | "SearchVector")
    )
}

/// What Java's classes hold in addition to the model's members, as they are printed (parity, `captures/2026-06-09`,
/// `c_bw_over25`; newer captures print object numbers instead, which nothing can repeat).
#[must_use]
pub fn printed_after(structure: &str) -> &'static str {
    match structure {
        "PutRequest" => ", workloadProfileName=null",
        _ => "",
    }
}

/// An attribute value's members in the order in which Java prints them; those that the model does not have are always
/// null (the same capture).
pub const PRINTED_VALUE: [&str; 16] = [
    "S",
    "N",
    "B",
    "INT",
    "DECIMAL",
    "DOUBLE",
    "SS",
    "NS",
    "BS",
    "INTSET",
    "DECIMALSET",
    "DOUBLESET",
    "M",
    "L",
    "NULL",
    "BOOL",
];
