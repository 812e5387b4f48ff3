//! Every reason of the table is said by a case here, in both dialects, and no text is put together anywhere else.
//!
//! What a call says is asked of the call. What takes a damaged file, a forked process or another thread has its own tests,
//! which look for the kind of the error; here its reason is made, and says what it says.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use kstone_api::error::{Dialect, Family, Reason, Refusal, Rule};
use kstone_api::expression::ReturnValues;
use kstone_api::json::JsonForm;
use kstone_api::{
    Account, CoreError, Database, Error, GlobalSecondaryIndex, ItemBuilder, ItemWriter, Key, KeyType, KeystoneValue,
    LocalSecondaryIndex, PreparedValues, Projection, Query, Scan, Select, Statement, StreamViewType, TableSchema,
    TransactWriteRequest, Write, json,
};
use kstone_api::{ImportOptions, WriteRun, WriteTemplate};

/// A refusal with what it says: kstone's text, and DynamoDB's where that is another one.
type Case = (Refusal, &'static str, Option<&'static str>);

#[track_caller]
fn refused<T>(result: Result<T, Error>) -> Refusal {
    match result.map(drop) {
        Err(Error::Invalid(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn made(reason: Reason) -> Refusal {
    reason.into()
}

fn text(text: &str) -> Box<str> {
    text.into()
}

fn schema() -> TableSchema {
    TableSchema::new()
        .add_local_index(LocalSecondaryIndex::new("local", "at").projection(Projection::KeysOnly))
        .add_global_index(GlobalSecondaryIndex::new("global", "status").projection(Projection::KeysOnly))
}

fn database() -> Database {
    Database::create_in_memory_with_schema(schema()).expect("created")
}

#[rustfmt::skip]
fn of_tables() -> Vec<Case> {
    let account = Account::create_in_memory();
    let changed = TableSchema::new().partition_key("id", KeyType::S);
    let filled = database();
    filled.put(b"a", ItemBuilder::new().build()).expect("put");
    vec![
        (refused(account.create_table(TableSchema::new())), "the schema of a table in an account needs a name", None),
        (refused(filled.configure(changed)), "the names and types of a table's key cannot be changed, its items lie under them", None),
        (refused(database().query(Query::new().index("gone").partition_key(b"a"))), "The table does not have the specified index: gone", None),
        (refused(Err::<(), _>(Error::from(CoreError::Closed))), "the table was deleted", Some("Requested resource not found")),
        (made(Reason::NameFixed { name: text("old"), other: text("new") }), "a table keeps its name in its account: this one is called old, its new schema new", None),
        (made(Reason::TooManyTables), "the account has created as many tables as it can in its life: 4,294,967,295", None),
        (made(Reason::OtherAccount), "the table is of another account", None),
        (made(Reason::NoOutcome), "the write has no outcome", None),
        (made(Reason::KeyTypedMeanwhile), "the table's keys became typed by a load while this write was prepared", None),
        (made(Reason::Busy), "this database is being loaded or configured by the caller of this function: a callback of that can neither load, configure nor fork the database", None),
        (made(Reason::AccountBusy), "this account is being loaded by the caller of this function: a callback of that can read and write its tables, but neither change, load, fork, clear, view nor save the account", None),
        (made(Reason::Backfilling { name: text("global") }), "Cannot read from backfilling global secondary index: global", None),
        (refused(database().read_stream(0, 1)), "the table has no stream: its schema must ask for one", None),
        (refused("NEW".parse::<StreamViewType>()), "Value 'NEW' at 'streamViewType' must be one of KEYS_ONLY, NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES", None),
        (made(Reason::CapacityTooLarge { max: 10, found: 11 }), "the capacity of a stream must be at most 10 records, found 11", None),
    ]
}

#[rustfmt::skip]
fn of_schemas() -> Vec<Case> {
    let json = |text: &str| refused(TableSchema::from_json(text));
    let valid = |schema: TableSchema| refused(schema.validate());
    let global = |name: &str| GlobalSecondaryIndex::new(name, "a");
    let many = |schema: TableSchema, count: usize| (0..count).fold(schema, |schema, i| schema.add_global_index(global(&format!("index-{i}"))));
    let locals = (0..6).fold(TableSchema::new(), |schema, i| schema.add_local_index(LocalSecondaryIndex::new(format!("index-{i}"), "a")));
    let include = |names: Vec<String>| TableSchema::new().add_global_index(global("index").projection(Projection::Include(names)));
    let hundred = (0..101).map(|i| format!("n{i}")).collect();
    vec![
        (json("{\"ttl_visible\": true}"), "ttl_visible says how items expire, which takes a ttl_attribute", None),
        (valid(TableSchema::new().sort_key("at", KeyType::N)), "the schema has a sort_key, at, and no partition_key: a typed table needs one", None),
        (json("{\"stream\": {\"view_type\": \"NEW_IMAGE\", \"capacity\": 0}}"), "stream.capacity is 0, it may be 1 to 16777216 records", None),
        (made(Reason::UntypedDeclared { name: text("pk") }), "pk is the key of a table without declared types: as a key attribute of an index it has none", None),
        (made(Reason::TwoTypes { name: text("a"), first: "S", second: "N" }), "the key attribute a is declared as S and as N: it has one type", None),
        (made(Reason::KeyPartCount { place: text("sort_key"), found: 5, least: 0, most: 4 }), "sort_key has 5 attributes, it may have 0 to 4", None),
        (valid(TableSchema::new().add_global_index(global("by-a").sort_key("a"))), "Both the Hash Key and the Range Key element in the KeySchema have the same name (index by-a, attribute a)",
            Some("Both the Hash Key and the Range Key element in the KeySchema have the same name")),
        (json("{"), "invalid schema: EOF while parsing an object at line 1 column 1", None),
        (valid(TableSchema::new().name("a!b")), "1 validation error detected: Value 'a!b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", None),
        (valid(TableSchema::new().name("a")), "1 validation error detected: Value 'a' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 3", None),
        (made(Reason::BreaksRule { value: text("a…"), place: text("name"), rule: Rule::LengthTo(255) }), "1 validation error detected: Value 'a…' at 'name' failed to satisfy constraint: Member must have length less than or equal to 255", None),
        (valid(many(many(TableSchema::new(), 1), 1)), "One or more parameter values were invalid: Duplicate index name: index-0", None),
        (valid(locals), "One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5", None),
        (valid(many(TableSchema::new(), 21)), "One or more parameter values were invalid: GlobalSecondaryIndex count exceeds the per-table limit of 20", None),
        (valid(include(hundred)), "One or more parameter values were invalid: the INCLUDE projections of all indexes name 101 attributes together, the limit is 100", None),
        (valid(include(vec![])), "One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified (index index)",
            Some("One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified")),
        (valid(include(vec!["x".into(), "x".into()])), "One or more parameter values were invalid: Duplicate element in NonKeyAttributes: x (index index)", None),
        (made(Reason::TtlNameLength { most: 255, found: 0 }), "TimeToLive AttributeName must have between 1 and 255 characters, found 0", None),
    ]
}

#[rustfmt::skip]
fn of_json() -> Vec<Case> {
    let item = |text: &str| refused(json::item_from_str(text, JsonForm::Typed));
    vec![
        (item("[]"), "an item is a JSON object (line 1 column 1)", Some("an item is a JSON object")),
        (item("{\"a\": {}}"), "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes (attribute a, line 1 column 7)",
            Some("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")),
        (item("{\"a\": {\"S\": \"x\", \"N\": \"1\"}}"), "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes (attribute a, line 1 column 7)",
            Some("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")),
        (item("{\"a\": {\"BOOL\": 1}}"), "BOOL must be true or false (attribute a, line 1 column 16)", Some("BOOL must be true or false")),
        (item("{\"a\": {\"NULL\": false}}"), "Null attribute value types must have the value of true (attribute a, line 1 column 16)",
            Some("One or more parameter values were invalid: Null attribute value types must have the value of true")),
        (item("{\"a\": {\"M\": {\"b\": {\"N\": \"x\"}}}}"), "The parameter cannot be converted to a numeric value: x (attribute a.b, line 1 column 25)",
            Some("The parameter cannot be converted to a numeric value: x")),
        (item("{\"a\": {\"NULL\": true}, \"a\": {\"NULL\": true}}"), "the name stands twice in its object (attribute a, line 1 column 28)", Some("the name stands twice in its object")),
        (item("{\"a\": {\"X\": 1}}"), "\"X\" is not an attribute type (attribute a, line 1 column 7)", Some("\"X\" is not an attribute type")),
        (item("{\"a\": {\"B\": \"!\"}}"), "not base64: Invalid symbol 33, offset 0. (attribute a, line 1 column 13)", Some("not base64: Invalid symbol 33, offset 0.")),
        (item("{\"a\": {\"S\": 1}}"), "expected a string, found a number (attribute a, line 1 column 13)", Some("expected a string, found a number")),
        (item("{"), "invalid JSON: EOF while parsing an object at line 1 column 1", None),
        (made(Reason::NoJson), "invalid JSON", None),
        (made(Reason::JsonSyntax { error: text("lone surrogate") }), "invalid JSON: lone surrogate", None),
    ]
}

#[rustfmt::skip]
fn of_statements() -> Vec<Case> {
    let db = database();
    db.put(b"a", ItemBuilder::new().string("s", "x").build()).expect("put");
    let run = |text: &str| refused(db.execute_statement(&Statement::new(text)));
    let transact = |texts: &[&str]| refused(db.execute_transaction(&texts.iter().map(|text| Statement::new(*text)).collect::<Vec<_>>()));
    let with_token = |text: &str| refused(db.execute_statement(&Statement::new(text).token(b"t")));
    let listed: Vec<String> = (0..51).map(|i| format!("'{i}'")).collect();
    let partitions = format!("SELECT * FROM items WHERE pk IN [{}]", listed.join(","));
    let mut bag = ItemWriter::new();
    bag.set_null("x").expect("set");
    let insert = Statement::new("INSERT INTO items VALUE ?").parameter(KeystoneValue::number(1));
    vec![
        (run("EXISTS(SELECT * FROM items WHERE pk = 'a')"), "EXISTS can only be used in ExecuteTransaction write requests.", None),
        (with_token("DELETE FROM items WHERE pk = 'a'"), "The provided page token belongs to another request: a write has no pages", None),
        (with_token("SELECT COUNT(*) FROM items"), "a statement that groups or sorts its rows returns them in one page, without a token: bound it with LIMIT", None),
        (with_token("SELECT * FROM items"), "The provided page token is damaged or is not a page token", None),
        (run("SELECT SUM(s) FROM items"), "SUM(s): Incorrect operand type for operator or function; operand type: S", Some("Incorrect operand type for operator or function; operand type: S")),
        (transact(&["SELECT * FROM items.local WHERE pk = 'a'"]), "Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions", Some("Validation failed in TransactStatements[0]: Reads on indices are not supported within transactions.")),
        (transact(&["DELETE FROM items WHERE pk = 'a' RETURNING ALL OLD *"]), "Validation failed in TransactStatements[0]: RETURNING clause is not supported in ExecuteTransaction.", None),
        (transact(&["DELETE FROM items WHERE pk = 'a'", "SELECT * FROM items WHERE pk = 'b'"]), "ExecuteTransaction API does not support both read and write operations in the same request.", None),
        (transact(&["SELECT * FROM items WHERE pk = 'a' LIMIT 1"]), "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction read one item: without EXPLAIN, an index, aggregates, GROUP BY, ORDER BY, LIMIT and OFFSET", Some("Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction must specify the primary key in the where clause.")),
        (transact(&["SELECT * FROM items"]), "Validation failed in TransactStatements[0]: Select statements within ExecuteTransaction must specify the primary key in the where clause.", None),
        (refused(db.execute_transaction(&[Statement::new("DELETE FROM items WHERE pk = 'a'").token(b"t")])), "Validation failed in TransactStatements[0]: a statement of a batch or a transaction is about one item: it has no pages", None),
        (run(&partitions), "The IN operator is provided with too many operands for a partition key, of which it takes 50; number of operands: 51", None),
        (refused(db.execute_statement(&Statement::new("SELECT * FROM items LIMIT ?").parameter(KeystoneValue::string("x")))), "LIMIT takes a whole number that is not negative", None),
        (refused(Statement::new("SELECT * FROM items").parameters_bag(bag.as_item())), "the parameters of a statement are called ?1, ?2 and so on: x is none", None),
        (refused(db.execute_statement(&insert)), "an item is of type M, the parameter is of type N", None),
        (made(Reason::SelectAsWrite), "a SELECT is no write", None),
    ]
}

#[rustfmt::skip]
fn of_reads() -> Vec<Case> {
    let typed = Database::create_in_memory_with_schema(TableSchema::new().partition_key("id", KeyType::S)).expect("created");
    let db = database();
    let query = || Query::new().partition_key(b"a");
    let cursor = |query: Query| refused(db.cursor_query(&query).map(drop));
    let seek = |query: Query, pk: &[u8], sk: &[u8]| refused(db.cursor_query(&query).expect("a cursor").seek(pk, sk).map(drop));
    let global = || Query::new().index("global").partition_key(b"x");
    let extra = |query: Query| refused(db.query(query.filter_expression("extra < :v").expression_value(":v", KeystoneValue::number(0))));
    vec![
        (refused(db.query(query().key_condition_expression("pk = :p").expression_value(":p", KeystoneValue::string("a")))), "a query has a KeyConditionExpression or a partition key, not both", None),
        (refused(db.query(query().limit(0))), "Limit must be greater than or equal to 1", None),
        (refused(db.query(query().select(Select::Count).projection_expression("a"))), "Cannot specify the ProjectionExpression when choosing to get only counts or keys", None),
        (cursor(query().select(Select::Count)), "a cursor returns items, it cannot return their count", None),
        (cursor(query().limit(1)), "a cursor has no limit: it goes as far as it is told to", None),
        (cursor(query().token(b"t")), "a cursor takes no token: it can seek to a key", None),
        (seek(query(), b"b", b""), "a cursor over a partition cannot seek to a key of another partition", None),
        (seek(global(), b"x", b""), "a cursor over an index cannot seek: its query may have a condition", None),
        (refused(typed.cursor_query(&Query::new().partition_key(b"a")).expect("a cursor").seek(b"a", b"b").map(drop)), "a cursor cannot seek to a sort key in a table that has none", None),
        (refused(db.prepare_query(&query().token(b"t")).map(drop)), "a token, or a key to start after, belongs to a run of what is prepared", None),
        (refused(db.query(query().token(b"t"))), "The provided page token is damaged or is not a page token", None),
        (extra(global()), "One or more parameter values were invalid: Secondary index global does not project one or more filter attributes: [extra]", None),
        (refused(db.query(global().select(Select::Whole))), "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index global because its projection type is not ALL", None),
        (refused(db.query(global().projection_expression("extra"))), "One or more parameter values were invalid: Global secondary index global does not project [extra]", None),
        (refused(db.iter_scan(&Scan::new().select(Select::Count)).map(drop)), "an iterator returns items, it cannot return their count", None),
        (made(Reason::OperandMistyped), "One or more parameter values were invalid: Condition parameter type does not match schema type", None),
        (made(Reason::KeyConditionUnsupported), "Query key condition not supported", None),
        (made(Reason::PrefixOfNumber), "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N", None),
        (made(Reason::RangeReversed), "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound", None),
        (made(Reason::StartOutside), "The provided starting key is outside query boundaries based on provided conditions", None),
        (made(Reason::StartMismatch), "The provided starting key is invalid: The provided key element does not match the schema", None),
        (made(Reason::BoundPrepared), "what is prepared has its expressions as texts: an expression with values cannot be prepared", None),
        (made(Reason::StartTwice), "a read begins where a token says or behind a key, not both", None),
        (made(Reason::TokenOfAnother), "The provided page token belongs to another request", None),
        (made(Reason::TokenVersion { found: 9, known: 3 }), "The provided page token is of version 9, not 3", None),
        (made(Reason::StartSegment { segments: 2, segment: 1 }), "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 1", None),
        (made(Reason::BoundTypes { low: text("{N:5}"), high: text("{S:be}") }), "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {S:be}", None),
        (made(Reason::BoundsReversed { low: text("{N:5}"), high: text("{N:4}") }), "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:4}", None),
        (made(Reason::PartitionParts { index: text("by-place"), names: text("country, city") }), "a query of the index by-place names a value of each of its partition attributes: country, city", None),
    ]
}

#[rustfmt::skip]
fn of_writes() -> Vec<Case> {
    let db = database();
    let put = |name: &str, value: KeystoneValue| refused(db.put(b"a", [(name.to_owned(), value)].into()));
    let twice = || [Write::delete(b"a"), Write::delete(b"a")];
    let transact = |writes: [Write; 2]| writes.into_iter().fold(TransactWriteRequest::new(), TransactWriteRequest::write);
    let prepared = db.prepare_write(&WriteTemplate::put()).expect("prepared");
    let deleting = db.prepare_write(&WriteTemplate::delete()).expect("prepared");
    let values = PreparedValues::encode(&[KeystoneValue::null(), KeystoneValue::N("x".into())]);
    vec![
        (put("pk", KeystoneValue::string("b")), "One or more parameter values were invalid: the attribute pk must equal the item's key where it is present: type S or B with the bytes of the key", None),
        (refused(values), "The parameter cannot be converted to a numeric value: x (value 2)", Some("The parameter cannot be converted to a numeric value: x")),
        (refused(db.batch_write(&[Write::delete(b"a").condition("attribute_exists(a)")])), "a batch holds puts and deletes without conditions; use a transaction", None),
        (refused(db.batch_write(&twice())), "Provided list of item keys contains duplicates", None),
        (refused(db.transact_write(transact(twice()))), "Transaction request cannot include multiple operations on one item", None),
        (refused(db.batch_get(&Vec::<Key>::new())), "RequestItems must not be empty", None),
        (refused(prepared.run(&db, &WriteRun::of_key(b"a", b""))), "a put needs the item that it stores", None),
        (refused(deleting.run(&db, &WriteRun::of_key(b"a", b"").item(b""))), "an item is given to what was prepared, which is no put", None),
        (refused(db.write(Write::delete(b"a").return_values(ReturnValues::AllNew))), "Return values set to invalid value: a put or a delete returns NONE or ALL_OLD", Some("ReturnValues can only be ALL_OLD or NONE")),
        (put("status", KeystoneValue::null()), "One or more parameter values were invalid: Type mismatch for Index Key status Expected: S, N or B Actual: NULL IndexName: global", None),
        (put("status", KeystoneValue::string("")), "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: global, IndexKey: status", None),
        (put("at", KeystoneValue::string("x".repeat(1025))), "One or more parameter values were invalid: Size limit exceeded for Index Key at Actual Size: 1025 bytes Max Size: 1024 bytes IndexName: local", None),
        (made(Reason::PreparedForOther), "the write was prepared for a table whose key has other names or types", None),
        (made(Reason::BatchReturns), "a write of a batch returns nothing of its item", None),
    ]
}

#[rustfmt::skip]
fn of_files() -> Vec<Case> {
    let db = database();
    let import = |options: ImportOptions| refused(db.import_json(Cursor::new("x"), &options));
    let directory = std::env::temp_dir();
    let no_file = refused(db.save_snapshot(&directory));
    let Refusal::Request(reason) = &no_file else { panic!("{no_file:?}") };
    assert!(matches!(&**reason, Reason::NoFile { name } if **name == *directory.to_string_lossy()), "{no_file}");
    vec![
        (made(Reason::NoFile { name: text("folder") }), "folder is there and is not a file: it cannot be written over", None),
        (import(ImportOptions::new().partition_key("")), "the name of a key attribute is empty", None),
        (import(ImportOptions::new().partition_key("a").sort_key("a")), "a cannot be both the partition key and the sort key", None),
        (made(Reason::ImportKeyNamed { given: text("a"), own: text("id") }), "the table's schema names its key: a cannot stand for id", None),
        (made(Reason::ReadOnce { name: text("pipe") }), "pipe can be read only once, so it can be imported only where bad records are skipped, or end the import with what came before them in the database", None),
        (made(Reason::ImportForked), "the process was forked while an import was read: the import goes on in its parent alone", None),
        (made(Reason::RecordTooLong { what: "the line", max: 9 }), "the line is longer than 9 bytes", None),
        (made(Reason::NoItemBut { what: "a table" }), "this is a table", None),
        (made(Reason::KeysDiffer { name: text("a") }), "the attribute a of Keys is not that of NewImage", None),
        (made(Reason::NotUtf8 { line: 1, column: 2 }), "not UTF-8: line 1 column 2", None),
        (made(Reason::ImportKeyMissing { name: text("a") }), "the key attribute a is missing", None),
        (made(Reason::ImportKeyNumber { name: text("pk") }), "the key attribute pk is a number: pk and sk are the key itself, which is text or bytes; a number can be the key under any other name, since it stays in the item then", None),
        (made(Reason::ImportKeyEmpty { name: text("a") }), "the key attribute a is empty", None),
        (made(Reason::ImportKeyType { name: text("a"), type_: "M" }), "the key attribute a is of type M, it may be S, B or N", None),
        (made(Reason::CatalogLength), "a catalog of the wrong length", None),
        (made(Reason::RecordBeyondBlock), "a record that reaches beyond its block", None),
        (made(Reason::OtherKey), "the file's table has a key of other names or types than the one that it is loaded into", None),
        (made(Reason::LoadForked), "the process was forked while a snapshot was read: the load goes on in its parent alone", None),
        (made(Reason::LoadIntoItems), "a snapshot is loaded into an empty database, and this one holds items", None),
        (made(Reason::NoHeader), "the first block is no header", None),
        (made(Reason::HeaderShort), "a header that is too short", None),
        (made(Reason::SchemaNotUtf8), "a schema that is not UTF-8", None),
        (made(Reason::KeyAttributeTwice), "the item holds an attribute of its key a second time", None),
        (made(Reason::EndLength), "an end of the wrong length", None),
        (made(Reason::SnapshotVersion { name: text("file"), version: 3, one_table: 1, catalog: 2 }), "file is a snapshot of version 3: this library reads versions 1 and 2", None),
        (made(Reason::SeveralTables { name: text("file"), tables: 2 }), "file is a snapshot of 2 tables: it is loaded into an account", None),
        (made(Reason::BlockKind { found: 1, wanted: 2 }), "a block of kind 1, where one of kind 2 stands", None),
        (made(Reason::StreamNumber { last: 7 }), "a stream cannot have come to number 7", None),
        (made(Reason::ItemCount { header: 1, end: 2, found: 3 }), "the header counts 1 items, the end 2, there are 3", None),
    ]
}

/// The names of a refusal's reason and of what it wraps.
fn note(refusal: &Refusal, said: &mut BTreeSet<&'static str>) {
    said.insert(refusal.name());
    let Refusal::Request(reason) = refusal else { return };
    match &**reason {
        Reason::At { refusal, .. }
        | Reason::ValueInvalid { refusal, .. }
        | Reason::InColumn { refusal, .. }
        | Reason::InTransaction { refusal, .. } => {
            assert_eq!(Refusal::family(&made((**reason).clone())), refusal.family());
            note(refusal, said);
        }
        _ => {}
    }
}

#[test]
fn every_reason_is_said_in_both_dialects() {
    let cases = [of_tables(), of_schemas(), of_json(), of_statements(), of_reads(), of_writes(), of_files()].concat();
    let mut said = BTreeSet::new();
    for (refusal, kstone, dynamodb) in &cases {
        assert_eq!(refusal.to_string(), *kstone);
        let error = Error::Invalid(refusal.clone());
        assert_eq!((error.to_string(), error.text(Dialect::Kstone)), ((*kstone).to_owned(), (*kstone).to_owned()));
        assert_eq!(error.text(Dialect::DynamoDb), dynamodb.unwrap_or(kstone));
        assert_eq!(error.family(), refusal.family());
        note(refusal, &mut said);
    }
    let unsaid: Vec<_> = Reason::NAMES.iter().filter(|name| !said.contains(*name)).collect();
    assert!(unsaid.is_empty(), "no case says {unsaid:?}");
}

/// What an expression or a statement is refused for reaches callers as it is.
#[test]
fn refusals_of_expressions_and_statements_are_kept() {
    let db = database();
    let filter = Query::new().partition_key(b"a").filter_expression("a = = :n");
    let refusal = refused(db.query(filter));
    let Refusal::Expression(expression) = &refusal else { panic!("{refusal:?}") };
    assert_eq!((expression.reason().name(), refusal.family()), ("SyntaxError", Family::Request));
    assert_eq!(expression.place().map(|place| (place.at, place.len)), Some((4, 1)));
    let refusal = refused(db.execute_statement(&Statement::new("SELECT * FORM items")));
    assert!(refusal.to_string().contains("line 1, column 10: expected FROM, found \"FORM\"\n  SELECT * FORM items\n"));
    let bare = "Statement wasn't well formed, can't be processed: Unexpected token after expression";
    assert_eq!(refusal.text(Dialect::DynamoDb), bare);
    let long = refused(db.execute_transaction(&[Statement::new("SELECT * FORM items")]));
    assert_eq!(long.text(Dialect::DynamoDb), format!("Validation failed in TransactStatements[0]: {bare}"));
}

/// Errors that are no refusals say their own in both.
#[test]
fn limits_and_missing_tables_are_said_in_both_dialects() {
    let long = database().get(&[0; 2049]).expect_err("too long");
    assert_eq!(
        long.text(Dialect::DynamoDb),
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
    );
    assert_eq!(long.text(Dialect::Kstone), long.to_string());
    let missing = database().execute_statement(&Statement::new("SELECT * FROM gone")).expect_err("no table");
    assert_eq!(missing.to_string(), "Requested resource not found: Table: gone not found; this table is called items");
    assert_eq!(missing.text(Dialect::DynamoDb), "Requested resource not found: Table: gone not found");
}

fn sources(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).expect("the crate's sources") {
        let path = entry.expect("readable").path();
        match path.is_dir() {
            true => sources(&path, check),
            false => check(&path, &std::fs::read_to_string(&path).expect("readable")),
        }
    }
}

/// The sources know reasons alone: what an error says is made of the table.
#[test]
fn no_text_of_a_refusal_is_put_together_outside_of_the_table() {
    let mut files = 0;
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut |path, text| {
        files += 1;
        for put_together in ["Error::invalid(", "Error::Invalid(format!", "Invalid(\""] {
            assert!(!text.contains(put_together), "{} has {put_together}", path.display());
        }
    });
    assert!(files > 50, "{files} files were read");
}
