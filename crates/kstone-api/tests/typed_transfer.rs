//! What goes in and out of tables whose keys have names and types: exports, imports, streams, and what expires.

use std::io::Cursor;
use std::sync::Arc;

use kstone_api::clock::{ClockSource, ManualClock};
use kstone_api::json::{JsonForm, item_to_string};
use kstone_api::stream::{Remover, records_to_json};
use kstone_api::{
    Database, DatabaseOptions, Error, ImportOptions, Item, ItemBuilder, KeyType, KeystoneValue as Value, Position,
    Result, Statement, StreamViewType, TableSchema, Write,
};

fn scores() -> TableSchema {
    TableSchema::new().partition_key("player", KeyType::S).sort_key("score", KeyType::N)
}

fn database(schema: TableSchema) -> Database {
    Database::create_in_memory_with_schema(schema).expect("a schema")
}

fn item(player: &str, score: &str) -> Item {
    Item::from([("player".to_owned(), Value::string(player)), ("score".to_owned(), Value::N(score.to_owned()))])
}

fn export(db: &Database) -> String {
    let mut lines = Vec::new();
    db.export_json(&mut lines).expect("exported");
    String::from_utf8(lines).expect("text")
}

fn import(db: &Database, text: &str) -> Result<kstone_api::ImportReport> {
    db.import_json(Cursor::new(text), &ImportOptions::new())
}

/// What is wrong with the second of two lines; nothing is loaded.
fn refused(line: &str) -> String {
    let db = database(scores());
    let text = format!("{{\"Item\":{{\"player\":{{\"S\":\"ann\"}},\"score\":{{\"N\":\"1\"}}}}}}\n{line}\n");
    let what = match import(&db, &text).expect_err(line) {
        Error::Corrupt { at: Position::Line(2), what, .. } => what,
        other => panic!("not of line 2: {other}"),
    };
    assert_eq!(db.count(), Ok(0), "{what}");
    what
}

#[test]
fn an_export_has_the_tables_key_first_and_comes_back_as_the_same_table() -> Result<()> {
    let db = database(scores());
    let mut whole = item("ann", "-12.50");
    whole.insert("a".to_owned(), Value::bool(true));
    whole.insert("pk".to_owned(), Value::number(7));
    db.put_item(whole)?;
    assert_eq!(
        export(&db),
        "{\"Item\":{\"player\":{\"S\":\"ann\"},\"score\":{\"N\":\"-12.5\"},\"a\":{\"BOOL\":true},\"pk\":{\"N\":\"7\"}}}\n"
    );
    for (pk, sk) in [(KeyType::S, KeyType::B), (KeyType::N, KeyType::S), (KeyType::B, KeyType::N)] {
        let schema = TableSchema::new().partition_key("z", pk).sort_key("a", sk);
        let value = |type_: KeyType, i: u8| match type_ {
            KeyType::S => Value::string(format!("é{i}")),
            KeyType::N => Value::number(f64::from(i) - 3.5),
            KeyType::B => Value::binary(vec![0xFF, i]),
        };
        let db = database(schema.clone());
        for i in 0..40_u8 {
            let item = [("z", value(pk, i % 4)), ("a", value(sk, i)), ("m", Value::number(i64::from(i)))];
            db.put_item(item.map(|(name, value)| (name.to_owned(), value)).into_iter().collect())?;
        }
        let text = export(&db);
        assert!(text.starts_with("{\"Item\":{\"z\":") && !text.contains("\"pk\""), "{text}");
        let again = database(schema);
        assert_eq!(import(&again, &text)?.loaded, 40);
        assert_eq!(export(&again), text);
        for i in 0..40_u8 {
            let bytes = |value: Value| match value {
                Value::S(text) | Value::N(text) => text.into_bytes(),
                Value::B(bytes) => bytes.to_vec(),
                other => panic!("{other:?}"),
            };
            let (pk, sk) = (bytes(value(pk, i % 4)), bytes(value(sk, i)));
            let found = again.get_record(&pk, &sk)?.expect("came back");
            let expected = db.get_record(&pk, &sk)?.expect("there");
            assert_eq!((found.body(), found.item().to_item()), (expected.body(), expected.item().to_item()));
        }
    }
    Ok(())
}

#[test]
fn every_form_of_an_import_takes_the_key_from_the_item() -> Result<()> {
    for text in [
        r#"{"player":{"S":"ann"},"score":{"N":"1.0"},"a":{"S":"x"}}"#,
        r#"{"a":"x","score":1.0,"player":"ann"}"#,
        r#"[{"player":"ann","score":1e0,"a":"x"}]"#,
        r#"{"Items":[{"player":{"S":"ann"},"score":{"N":"1"},"a":{"S":"x"}}],"Count":1}"#,
        r#"{"Metadata":{},"Keys":{"player":{"S":"ann"},"score":{"N":"1"}},"NewImage":{"player":{"S":"ann"},"score":{"N":"1.00"},"a":{"S":"x"}}}"#,
    ] {
        let db = database(scores());
        assert_eq!(import(&db, text)?.loaded, 1, "{text}");
        let found = db.get_record(b"ann", b"1")?.unwrap_or_else(|| panic!("{text}"));
        assert_eq!(item_to_string(found.item(), JsonForm::Plain), r#"{"a":"x","player":"ann","score":1}"#);
        assert!(!found.body().windows(6).any(|bytes| bytes == b"player"), "the key is stored once: {text}");
    }
    let db = database(scores());
    db.put_item(item("ann", "1"))?;
    let deleted = r#"{"Metadata":{},"Keys":{"score":{"N":"10e-1"},"player":{"S":"ann"}}}"#;
    assert_eq!(import(&db, deleted)?.deleted, 1);
    assert_eq!(db.count()?, 0);
    Ok(())
}

#[test]
fn what_has_not_the_tables_key_is_refused_with_its_line() {
    for (line, why) in [
        (r#"{"Item":{"pk":{"S":"ann"},"sk":{"S":"1"}}}"#, "Missing the key player in the item"),
        (r#"{"Item":{"player":{"S":"ann"}}}"#, "Missing the key score in the item"),
        (r#"{"Item":{"player":{"S":"ann"},"score":{"S":"1"}}}"#, "Type mismatch for key score expected: N actual: S"),
        (r#"{"Item":{"player":{"S":""},"score":{"N":"1"}}}"#, "empty string value. Key: player"),
        (r#"{"Metadata":{},"Keys":{"player":{"S":"ann"}}}"#, "The provided key element does not match the schema"),
        (
            r#"{"Metadata":{},"Keys":{"player":{"S":"ann"},"score":{"N":"1"},"a":{"N":"1"}}}"#,
            "The provided key element does not match the schema",
        ),
        (r#"{"DeleteRequest":{"Key":{"player":{"S":"ann"},"score":{"N":"1"}}}}"#, "a request of BatchWriteItem"),
    ] {
        let what = refused(line);
        assert!(what.contains(why), "{line}: {what}");
    }
    let plain = database(scores());
    let error = import(&plain, r#"{"player":1,"score":1}"#).unwrap_err().to_string();
    assert!(error.contains("Type mismatch for key player expected: S actual: N"), "{error}");
    let named = |options: ImportOptions| plain.import_json(Cursor::new("{}"), &options).unwrap_err().to_string();
    let options = ImportOptions::new().partition_key("player").sort_key("a");
    assert!(named(options).contains("the table's schema names its key: a cannot stand for score"));
    let options = ImportOptions::new().partition_key("pk");
    assert!(named(options).contains("pk cannot stand for player"));
    let options = ImportOptions::new().partition_key("player").sort_key("score");
    let text = r#"{"player":"ann","score":1}"#;
    assert_eq!(plain.import_json(Cursor::new(text), &options).map(|report| report.loaded), Ok(1));
}

#[test]
fn a_stream_shows_the_tables_key_and_whole_images() -> Result<()> {
    for view in StreamViewType::ALL {
        let db = database(scores().with_stream(view));
        db.put_item(item("ann", "1.0"))?;
        db.write(Write::update(b"ann", "SET n = score").sort_key(b"1"))?;
        db.delete_with_sk(b"ann", b"1.00")?;
        db.put_item(item("ann", "1"))?;
        db.execute_statement(&Statement::new("DELETE FROM items WHERE player = 'ann' AND score = 1"))?;
        let records = db.read_stream(0, 10)?;
        let text = records_to_json(&records);
        let key = r#""Keys":{"player":{"S":"ann"},"score":{"N":"1"}}"#;
        assert_eq!((records.len(), text.matches(key).count()), (5, 5), "{view}: {text}");
        assert!(!text.contains("\"pk\"") && !text.contains("\"sk\""), "{view}: {text}");
        let new = r#""NewImage":{"n":{"N":"1"},"player":{"S":"ann"},"score":{"N":"1"}}"#;
        let old = new.replace("New", "Old");
        let shows = |shows: bool| usize::from(shows);
        let (shows_new, shows_old) = (view.name().contains("NEW"), view.name().contains("OLD"));
        assert_eq!(text.matches(new).count(), shows(shows_new), "{view}: {text}");
        assert_eq!(text.matches(&old).count(), shows(shows_old), "{view}: {text}");
        // The names and values of the key: 6 + 3, and 5 + 2 of a number of one digit.
        let first = 16 * (1 + usize::from(shows_new));
        assert_eq!(records[0].size_bytes(), first, "{view}");
    }
    Ok(())
}

fn expiring(schema: TableSchema) -> Result<Database> {
    let clock = ClockSource::new(Arc::new(ManualClock::new(1_000)));
    Database::create_in_memory_with(DatabaseOptions::default(), schema, clock)
}

#[test]
fn items_that_expire_are_named_by_the_tables_key() -> Result<()> {
    let db = expiring(scores().with_ttl("until").with_stream(StreamViewType::KeysOnly))?;
    for (score, until) in [(1, 900), (2, 1_100)] {
        db.put_item(ItemBuilder::new().string("player", "ann").number("score", score).number("until", until).build())?;
    }
    assert_eq!((db.get_with_sk(b"ann", b"1")?, db.get_with_sk(b"ann", b"2")?.map(|item| item.len())), (None, Some(3)));
    assert_eq!(export(&db).lines().count(), 1);
    let left = db.execute_statement(&Statement::new("SELECT * FROM items WHERE player = 'ann' AND score <= 2"))?;
    assert_eq!(left.records.len(), 1);
    db.purge_expired()?;
    let removals: Vec<_> = db.read_stream(0, 9)?.into_iter().filter(|record| record.remover().is_some()).collect();
    let [removal] = &removals[..] else { panic!("{removals:?}") };
    assert_eq!(removal.remover(), Some(Remover::TimeToLive));
    let json = removal.to_json();
    assert!(json.contains(r#""Keys":{"player":{"S":"ann"},"score":{"N":"1"}}"#), "{json}");
    Ok(())
}

#[test]
fn the_time_to_live_may_be_an_attribute_of_the_key() -> Result<()> {
    let db = expiring(scores().with_ttl("score"))?;
    for score in ["900", "1100"] {
        db.put_item(item("ann", score))?;
    }
    assert_eq!(
        (db.get_with_sk(b"ann", b"900")?, db.get_with_sk(b"ann", b"1100")?.map(|item| item.len())),
        (None, Some(2))
    );
    db.purge_expired()?;
    assert_eq!(db.count()?, 1);
    let db = expiring(scores())?;
    db.put_item(item("ann", "901"))?;
    db.put_item(item("ann", "1101"))?;
    db.configure(scores().with_ttl("score"))?;
    assert_eq!(export(&db).lines().count(), 1);
    assert_eq!(db.get_with_sk(b"ann", b"901")?, None);
    Ok(())
}
