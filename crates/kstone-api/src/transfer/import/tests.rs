use std::collections::HashMap;
use std::io::{self, Cursor, Read};

use kstone_core::value::{Item, Value};

use super::*;
use crate::Database;
use crate::table::stream::EventName;
use crate::{GlobalSecondaryIndex, ItemBuilder, Position, Scan, StreamViewType, TableSchema};

mod forms;
mod shared;

fn empty() -> Database {
    Database::create_in_memory().expect("created")
}

fn import(db: &Database, text: impl AsRef<[u8]>) -> Result<ImportReport> {
    db.import_json(Cursor::new(text), &ImportOptions::new())
}

fn export(db: &Database) -> String {
    let mut out = Vec::new();
    db.export_json(&mut out).expect("exported");
    String::from_utf8(out).expect("JSON is text")
}

fn count(db: &Database) -> usize {
    db.scan(Scan::new()).expect("scanned").count
}

/// What is wrong with a line, which is put between two good ones: nothing is loaded, or the two others.
#[track_caller]
fn refused_with(options: &ImportOptions, line: impl AsRef<[u8]>) -> String {
    let good = |key: &str| {
        let attributes = ["pk", "sk", "Artist", "SongTitle"].map(|name| format!(r#""{name}":{{"S":"{key}"}}"#));
        let own = if options.partition_key.is_some() { &attributes[2..] } else { &attributes[..2] };
        format!("{{\"Item\":{{{}}}}}\n", own.join(","))
    };
    let text = [good("first").as_bytes(), line.as_ref(), b"\n", good("last").as_bytes()].concat();
    let db = empty();
    let what = match db.import_json(Cursor::new(&text), options).expect_err("refused") {
        Error::Corrupt { at: Position::Line(2), what, .. } => what,
        other => panic!("not of line 2: {other}"),
    };
    assert_eq!(count(&db), 0, "{what}");
    let report = db.import_json(Cursor::new(&text), &options.clone().skip_bad_records()).expect("imported");
    let skipped = vec![SkippedRecord { line: 2, what: what.clone() }];
    assert_eq!(report, ImportReport { loaded: 2, skipped: 1, first_skipped: skipped, ..ImportReport::default() });
    assert_eq!(count(&db), 2);
    what
}

#[track_caller]
fn refused(line: impl AsRef<[u8]>) -> String {
    refused_with(&ImportOptions::new(), line)
}

#[track_caller]
fn check_refused(part: &str, line: impl AsRef<[u8]>) {
    let what = refused(line);
    assert!(what.contains(part), "{what:?} does not say {part:?}");
}

#[test]
fn what_is_no_record_is_refused_with_line_and_column() {
    for (part, line) in [
        ("EOF while parsing an object at column 1", "{"),
        ("at column 12", r#"{"Item":{}}x"#),
        ("an item is a JSON object (column 1)", "[]"),
        ("an item is a JSON object (column 1)", r#"[{"pk":{"S":"a"}}]"#),
        ("an item is a JSON object (column 1)", "1"),
        ("an item is a JSON object (column 9)", r#"{"Item":"x"}"#),
        ("the key attribute pk is missing", r#"{"Item":{}}"#),
        ("the key attribute pk is missing", "{}"),
        ("found a string (attribute pk, column 15)", r#"{"Item":{"pk":"a"}}"#),
        ("\"T\" is not an attribute type (attribute a, column 29)", r#"{"Item":{"pk":{"S":"a"},"a":{"T":1}}}"#),
        ("(attribute a.b[1], column", r#"{"Item":{"pk":{"S":"a"},"a":{"M":{"b":{"L":[{"S":""},{}]}}}}}"#),
        ("the name stands twice", r#"{"Item":{"pk":{"S":"a"},"x":{"S":""},"x":{"S":""}}}"#),
        ("is not an attribute type (attribute Item", r#"{"Item":{"pk":{"S":"a"}},"Item":{"pk":{"S":"a"}}}"#),
        ("is not an attribute type (attribute Item", r#"{"Item":{"pk":{"S":"a"}},"Other":1}"#),
        ("not base64", r#"{"Item":{"pk":{"B":"?"}}}"#),
        ("expected a number as a string", r#"{"Item":{"pk":{"S":"a"},"n":{"N":1}}}"#),
        ("Number overflow", r#"{"Item":{"pk":{"S":"a"},"n":{"N":"1e999"}}}"#),
        ("may not be empty (attribute s, column", r#"{"Item":{"pk":{"S":"a"},"s":{"SS":[]}}}"#),
        // What other exports of DynamoDB hold.
        ("the key attribute pk is missing", r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{}}"#),
        ("is not an attribute type (attribute Metadata", r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"x":1}"#),
        ("found an array (attribute Items", r#"{"Items":[{"pk":{"S":"a"}}],"Count":1}"#),
        ("\"Item\" is not an attribute", r#"{"Put":{"Item":{"pk":{"S":"a"}}}}"#),
        ("this is a request of BatchWriteItem", r#"{"PutRequest":{"Item":{"pk":{"S":"a"}}}}"#),
        ("this is a record of a stream", r#"{"eventID":"1","eventName":"INSERT","dynamodb":{"Keys":{}}}"#),
        ("this is a manifest of an export", r#"{"itemCount":8,"md5Checksum":"x","dataFileS3Key":"data/x.json.gz"}"#),
        ("this is a table's description", r#"{"Table":{"TableName":"a","KeySchema":[]}}"#),
        ("this is a response of BatchGetItem", r#"{"Responses":{"t":[]},"UnprocessedKeys":{}}"#),
    ] {
        check_refused(part, line);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    check_refused("not UTF-8: column 21", b"{\"Item\":{\"pk\":{\"S\":\"\xff\"}}}");
    check_refused("not UTF-8: column 1", b"\x80");
    check_refused("control character", b"{\"Item\":{\"pk\":{\"S\":\"\0\"}}}");
}

#[test]
fn keys_that_cannot_be_are_refused() {
    for (part, line) in [
        ("the key attribute pk is empty", r#"{"Item":{"pk":{"S":""}}}"#),
        ("the key attribute sk is empty", r#"{"Item":{"pk":{"S":"a"},"sk":{"B":""}}}"#),
        ("the key attribute pk is a number: pk and sk are the key itself", r#"{"Item":{"pk":{"N":"1"}}}"#),
        ("the key attribute sk is a number", r#"{"Item":{"pk":{"S":"a"},"sk":{"N":"1"}}}"#),
        ("the key attribute pk is of type BOOL, it may be S, B or N", r#"{"Item":{"pk":{"BOOL":true}}}"#),
        ("the key attribute sk is of type SS", r#"{"Item":{"pk":{"S":"a"},"sk":{"SS":["a"]}}}"#),
    ] {
        check_refused(part, line);
    }
    check_refused("Partition key size", format!(r#"{{"Item":{{"pk":{{"S":"{}"}}}}}}"#, "k".repeat(2049)));
    let songs = ImportOptions::new().partition_key("Artist").sort_key("SongTitle");
    for (part, line) in [
        ("the key attribute Artist is missing", r#"{"Item":{"pk":{"S":"a"}}}"#),
        ("the key attribute SongTitle is missing", r#"{"Item":{"Artist":{"S":"a"}}}"#),
        ("the key attribute Artist is of type NULL", r#"{"Item":{"Artist":{"NULL":true},"SongTitle":{"S":"a"}}}"#),
        // An attribute pk that is not the key would make expressions lie.
        ("the attribute pk must equal", r#"{"Item":{"Artist":{"S":"a"},"SongTitle":{"S":"b"},"pk":{"S":"c"}}}"#),
    ] {
        let what = refused_with(&songs, line);
        assert!(what.contains(part), "{what:?} does not say {part:?}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let of_text = |len| format!(r#"{{"Item":{{"pk":{{"S":"a"}},"t":{{"S":"{}"}}}}}}"#, "x".repeat(len));
    check_refused("Item size has exceeded", of_text(400 * 1024));
    check_refused("the line is longer than 8388608 bytes", of_text(IMPORT_LINE_MAX_BYTES));
    let nested = format!(r#"{{"Item":{{"pk":{{"S":"a"}},"l":{}{}}}}}"#, r#"{"L":["#.repeat(33), "]}".repeat(33));
    check_refused("Nesting Levels", nested);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    check_refused("an item is a JSON object", format!(r#"{{"Item":{deep}}}"#));
    check_refused("found an array (attribute l.x", format!(r#"{{"pk":{{"S":"a"}},"l":{{"M":{{"x":{deep}}}}}}}"#));
}

#[test]
fn what_an_index_refuses_is_found_before_anything_is_put() {
    let schema = TableSchema::new().add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"));
    let db = Database::create_in_memory_with_schema(schema).expect("created");
    let text = "{\"pk\":{\"S\":\"a\"}}\n{\"pk\":{\"S\":\"b\"},\"kind\":{\"BOOL\":true}}\n";
    let error = import(&db, text).expect_err("refused");
    assert!(error.to_string().starts_with("the input, line 2: ") && error.to_string().contains("by-kind"), "{error}");
    assert_eq!(count(&db), 0);
    let report = db.import_json_stream(text.as_bytes(), &ImportOptions::new().skip_bad_records()).expect("imported");
    assert_eq!((report.loaded, report.skipped, count(&db)), (1, 1, 1));
}

#[test]
fn blank_lines_line_ends_and_a_mark_are_passed_over() {
    let db = empty();
    let text = "\u{feff}{\"Item\":{\"pk\":{\"S\":\"a\"}}}\r\n\r\n  \t\n{ \"Item\" : {\"pk\":{\"S\":\"b\"}} } \n\n{\"pk\":{\"S\":\"c\"}}";
    assert_eq!(import(&db, text), Ok(ImportReport { loaded: 3, ..ImportReport::default() }));
    assert_eq!(count(&db), 3);
    assert_eq!(import(&empty(), ""), Ok(ImportReport::default()));
    // Their lines count.
    let error = import(&empty(), format!("{text}\r\n\r\nx")).expect_err("refused");
    assert!(error.to_string().starts_with("the input, line 8: "), "{error}");
}

#[test]
fn an_item_stands_alone_or_wrapped() {
    let db = empty();
    let lines = [
        r#"{"Item":{"pk":{"S":"wrapped"},"v":{"N":"1"}}}"#,
        r#"{"pk":{"S":"alone"},"v":{"N":"1"}}"#,
        r#"{"pk":{"S":"with one of that name"},"Item":{"M":{"v":{"N":"1"}}}}"#,
        r#"{"Item":{"pk":{"S":"wrapped with one of that name"},"Item":{"M":{"v":{"N":"1"}}}}}"#,
    ];
    assert_eq!(import(&db, lines.join("\n")).expect("imported").loaded, 4);
    let get = |pk: &str| db.get(pk.as_bytes()).expect("read").expect("imported");
    let one = || Item::from([("v".to_owned(), Value::number(1))]);
    assert_eq!((get("wrapped"), get("alone")), (one(), one()));
    let nested = Item::from([("Item".to_owned(), Value::map([("v", Value::number(1))]))]);
    assert_eq!((get("with one of that name"), get("wrapped with one of that name")), (nested.clone(), nested));
}

#[test]
fn keys_are_the_attributes_that_the_options_name() {
    let line = r#"{"Item":{"id":{"N":"1.50"},"at":{"B":"AP8="},"v":{"S":"x"}}}"#;
    let db = empty();
    let keyed = |options: ImportOptions| db.import_json(Cursor::new(line), &options).expect("imported").loaded;
    assert_eq!(keyed(ImportOptions::new().partition_key("id").sort_key("at")), 1);
    let item = db.get_with_sk(b"1.5", b"\0\xff").expect("read").expect("imported");
    assert_eq!(item["id"], Value::N("1.5".to_owned()));
    assert_eq!((item["at"].clone(), item.len()), (Value::binary(vec![0, 255]), 3));
    assert_eq!(keyed(ImportOptions::new().partition_key("v")), 1);
    assert_eq!(db.get(b"x").expect("read").expect("imported").len(), 3);
    // The default partition key with another sort key.
    let options = ImportOptions::new().sort_key("v");
    let report = db.import_json(Cursor::new(r#"{"pk":{"B":"/w=="},"v":{"S":"s"}}"#), &options).expect("imported");
    assert_eq!(report.loaded, 1);
    assert_eq!(db.get_with_sk(b"\xff", b"s").expect("read").expect("imported").len(), 1);
}

#[test]
fn key_attributes_that_cannot_be_are_refused_before_anything_is_read() {
    for options in [
        ImportOptions::new().partition_key(""),
        ImportOptions::new().sort_key(""),
        ImportOptions::new().sort_key("pk"),
        ImportOptions::new().partition_key("a").sort_key("a"),
    ] {
        assert!(matches!(empty().import_json(Cursor::new("x"), &options), Err(Error::Invalid(_))), "{options:?}");
    }
}

/// Can be read, and read once.
struct Pipe<'a>(&'a [u8]);

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() { Err(io::Error::other("the pipe broke")) } else { self.0.read(buffer) }
    }
}

impl Seek for Pipe<'_> {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::Error::from(io::ErrorKind::NotSeekable))
    }
}

#[test]
fn an_input_that_is_read_once_is_imported_only_where_records_are_skipped() {
    let db = empty();
    let line = b"{\"pk\":{\"S\":\"a\"}}\n";
    let once = db.import_json_stream(&line[..], &ImportOptions::new());
    assert!(matches!(once, Err(Error::Invalid(text)) if text.to_string().contains("only once")));
    let pipe = || BufReader::new(Pipe(line));
    assert!(matches!(db.import_json(pipe(), &ImportOptions::new()), Err(Error::Io { action: "read again", .. })));
    assert_eq!(count(&db), 0);
    let broken = db.import_json_stream(pipe(), &ImportOptions::new().skip_bad_records());
    assert!(matches!(&broken, Err(error @ Error::Io { .. }) if error.to_string().ends_with("the pipe broke")));
    assert_eq!(count(&db), 1, "what came before the end stays");
}

#[test]
fn an_import_starts_where_its_input_stands() {
    let mut input = Cursor::new("not this\n{\"pk\":{\"S\":\"a\"}}\n");
    input.set_position(9);
    assert_eq!(empty().import_json(input, &ImportOptions::new()).expect("imported").loaded, 1);
}

#[test]
fn only_the_first_reasons_are_kept() {
    let text = "x\n".repeat(25) + "{\"pk\":{\"S\":\"a\"}}\n";
    let report = empty().import_json_stream(text.as_bytes(), &ImportOptions::new().skip_bad_records()).expect("read");
    assert_eq!((report.loaded, report.skipped, report.first_skipped.len()), (1, 25, SKIPPED_SHOWN));
    assert_eq!(report.first_skipped[9].line, 10);
}

#[test]
fn imports_go_through_indexes_time_to_live_and_the_stream() {
    let schema = TableSchema::new()
        .add_global_index(GlobalSecondaryIndex::new("by-kind", "kind"))
        .with_ttl("expires")
        .with_stream(StreamViewType::NewImage);
    let db = Database::create_in_memory_with_schema(schema).expect("created");
    db.set_time(1_000);
    let lines = [
        r#"{"Item":{"pk":{"S":"a"},"kind":{"S":"k"}}}"#,
        r#"{"Item":{"pk":{"S":"b"},"kind":{"S":"k"},"expires":{"N":"500"}}}"#,
        r#"{"Item":{"pk":{"S":"a"},"kind":{"S":"other"}}}"#,
    ];
    assert_eq!(import(&db, lines.join("\n")).expect("imported").loaded, 3);
    assert_eq!(count(&db), 1);
    let of_kind =
        |kind: &str| db.query(crate::Query::new().index("by-kind").partition_key(kind.as_bytes())).expect("ok");
    assert_eq!((of_kind("k").count, of_kind("other").count), (0, 1));
    let mut events: Vec<_> = db.read_stream(0, 10).expect("read").iter().map(|record| record.event_name()).collect();
    // The expired item may be removed by any later write.
    events.retain(|event| *event != EventName::Remove);
    assert_eq!(events, [EventName::Insert, EventName::Insert, EventName::Modify]);
    assert!(!export(&db).contains("expires"), "what has expired is not exported");
}

#[test]
fn an_export_comes_back_as_it_was_put_and_exports_alike() {
    let everything = Item::from([
        ("s".to_owned(), Value::string("q\"uote \\ \u{0} \u{1f} \u{e9} \u{1f600} \u{2028}")),
        ("n".to_owned(), Value::N("-12345678901234567890.5".to_owned())),
        ("b".to_owned(), Value::binary(vec![0, 255])),
        ("t".to_owned(), Value::bool(true)),
        ("z".to_owned(), Value::null()),
        ("l".to_owned(), Value::list([Value::number(1), Value::list([]), Value::M(HashMap::new())])),
        ("m".to_owned(), Value::map([("k", Value::string("")), ("pk", Value::number(1))])),
        ("ss".to_owned(), Value::SS(vec!["".to_owned(), "b".to_owned()])),
        ("ns".to_owned(), Value::NS(vec!["-1".to_owned(), "1".to_owned(), "10".to_owned()])),
        ("bs".to_owned(), Value::BS(vec![vec![].into(), vec![1].into()])),
        ("aa before pk".to_owned(), Value::null()),
        ("Item".to_owned(), Value::null()),
    ]);
    let keys: [(&[u8], &[u8]); 7] = [
        (b"plain", b""),
        (b"plain", b"sorted"),
        (b"\0", b"\0"),
        (b"\xff\0\xff", b"\0\xff"),
        ("\u{e9} text".as_bytes(), b"\n\""),
        (b"\xff", b""),
        (b"sorted by text", "\u{1f600}".as_bytes()),
    ];
    let db = empty();
    for (pk, sk) in keys {
        db.put_with_sk(pk, sk, everything.clone()).expect("put");
    }
    db.put(b"nothing", Item::new()).expect("put");
    let text = export(&db);
    assert_eq!(text.lines().count(), 8);
    let again = empty();
    assert_eq!(import(&again, &text).expect("imported").loaded, 8);
    for (pk, sk) in keys {
        assert_eq!(again.get_with_sk(pk, sk), Ok(Some(everything.clone())), "{}", pk.escape_ascii());
    }
    assert_eq!(again.get(b"nothing"), Ok(Some(Item::new())));
    assert_eq!(export(&again), text);
    let records = |db: &Database| db.iter_scan(&Scan::new()).expect("opened").collect::<Vec<_>>();
    assert_eq!(records(&again), records(&db));
}

#[test]
fn an_item_that_carries_its_key_comes_back_without_it_and_exports_alike() {
    let db = empty();
    let item = ItemBuilder::new().string("pk", "a").string("sk", "b").string("aa", "c").build();
    db.put_with_sk(b"a", b"b", item).expect("put");
    let text = export(&db);
    assert_eq!(text, "{\"Item\":{\"pk\":{\"S\":\"a\"},\"sk\":{\"S\":\"b\"},\"aa\":{\"S\":\"c\"}}}\n");
    let again = empty();
    import(&again, &text).expect("imported");
    assert_eq!(again.get_with_sk(b"a", b"b"), Ok(Some(ItemBuilder::new().string("aa", "c").build())));
    assert_eq!(export(&again), text);
}

#[test]
fn a_table_with_keys_of_its_own_goes_out_and_comes_back() {
    let options = ImportOptions::new().partition_key("Artist").sort_key("SongTitle");
    let lines = "{\"Item\":{\"Artist\":{\"S\":\"Acme\"},\"SongTitle\":{\"S\":\"Day\"},\"Year\":{\"N\":\"1998\"}}}\n";
    let db = empty();
    db.import_json(Cursor::new(lines), &options).expect("imported");
    let text = export(&db);
    assert!(text.starts_with(r#"{"Item":{"pk":{"S":"Acme"},"sk":{"S":"Day"},"Artist":"#), "{text}");
    let again = empty();
    again.import_json(Cursor::new(&text), &options).expect("imported");
    assert_eq!(again.get_with_sk(b"Acme", b"Day"), db.get_with_sk(b"Acme", b"Day"));
    assert_eq!(again.get_with_sk(b"Acme", b"Day").expect("read").expect("there").len(), 3);
    assert_eq!(export(&again), text);
}
