//! What an input may be: typed and plain, lines and arrays, responses and exports.

use super::*;

/// The keys and the attribute `v` of what an input has put, in order; with how many it deleted.
#[track_caller]
fn imported(text: impl AsRef<[u8]>) -> (Vec<String>, u64) {
    let text = text.as_ref();
    let db = empty();
    db.put(b"old", ItemBuilder::new().build()).expect("put");
    let report = import(&db, text).unwrap_or_else(|error| panic!("{error}: {}", text.escape_ascii()));
    let streamed = empty();
    streamed.put(b"old", ItemBuilder::new().build()).expect("put");
    let options = ImportOptions::new().in_one_pass();
    assert_eq!(streamed.import_json_stream(BufReader::with_capacity(3, text), &options), Ok(report.clone()));
    assert_eq!(export(&streamed), export(&db));
    let shown = |record: &kstone_core::record::Record| {
        let v = record.item().get("v").map_or(String::new(), |v| format!("={}", v.as_number().unwrap_or("?")));
        format!("{}{}{v}", record.pk().escape_ascii(), if record.sk().is_empty() { "" } else { "+" })
    };
    let mut items: Vec<String> =
        db.iter_scan(&Scan::new()).expect("opened").map(|record| shown(&record)).filter(|item| item != "old").collect();
    items.sort();
    (items, report.deleted)
}

#[track_caller]
fn refused_whole(text: impl AsRef<[u8]>) -> String {
    let db = empty();
    let error = import(&db, text).expect_err("refused").to_string();
    assert_eq!(count(&db), 0);
    error.strip_prefix("the input, ").unwrap_or_else(|| panic!("no place: {error}")).to_owned()
}

#[test]
fn items_come_in_every_layout_and_form() {
    let both = (vec!["a=1".to_owned(), "b=2".to_owned()], 0);
    let typed = [r#"{"pk":{"S":"a"},"v":{"N":"1"}}"#, r#"{"v":{"N":"2"},"pk":{"S":"b"}}"#];
    let plain = [r#"{"pk":"a","v":1}"#, r#"{"v":2.0,"pk":"b"}"#];
    let wrapped = typed.map(|item| format!("{{\"Item\":{item}}}"));
    for [a, b] in [typed.map(str::to_owned), plain.map(str::to_owned), wrapped] {
        for text in [
            format!("{a}\n{b}\n"),
            format!("\u{feff}{a}\r\n\r\n{b}"),
            format!("[{a},{b}]"),
            format!("\u{feff} [\n  {a}\n , {b}\n]\n"),
            format!("[{a}]\n[]\n[{b}]"),
            format!("{}\n{}", a.replacen('{', "{\n", 1), b.replacen('{', "{\n", 1)),
        ] {
            assert_eq!(imported(&text), both, "{text}");
        }
    }
    for [a, b] in [typed] {
        for text in [
            format!(r#"{{"Items":[{a},{b}],"Count":2,"ScannedCount":2,"ConsumedCapacity":null}}"#),
            format!("{{\n    \"Items\": [\n        {a},\n        {b}\n    ],\n    \"Count\": 2\n}}\n"),
            format!(r#"{{"Count":2,"Items":[{a},{b}],"LastEvaluatedKey":{{"pk":{{"S":"b"}}}},"ScannedCount":2}}"#),
            format!("{{\"Items\":[{a}],\"Count\":1}}\n{{\"Items\":[{b}],\"Count\":1}}\n{{\"Items\":[],\"Count\":0}}\n"),
        ] {
            assert_eq!(imported(&text), both, "{text}");
        }
    }
    for nothing in ["", "\n\n", "\u{feff}", "[]", "[\n]\n", r#"{"Items":[],"Count":0,"ScannedCount":0}"#] {
        assert_eq!(imported(nothing), (vec![], 0), "{nothing}");
    }
}

#[test]
fn an_attribute_may_be_called_as_a_wrapper_is() {
    let db = empty();
    let options = ImportOptions::new().partition_key("Item").in_one_pass();
    let lines = "{\"Item\":\"Widget\",\"price\":1}\n{ \"Item\" : \"Gadget\" }\n";
    assert_eq!(db.import_json_stream(lines.as_bytes(), &options).expect("imported").loaded, 2);
    assert_eq!(db.get(b"Widget").expect("read").expect("there").len(), 2);
    assert!(db.get(b"Gadget").expect("read").is_some());
    for text in [
        r#"{"pk":"a","Item":"Widget","v":1}"#,
        r#"{"Item":"Widget","pk":"a","v":1}"#,
        r#"{"Items":["x"],"pk":"a","v":1}"#,
        r#"{"Items":[{"sku":"x"},{"sku":"y"}],"pk":"a","v":1}"#,
        r#"{"Items":[],"pk":"a","v":1}"#,
        r#"{"Count":3,"pk":"a","v":1}"#,
        r#"{"Count":3,"ScannedCount":3,"pk":"a","v":1}"#,
        r#"{"Metadata":{},"Keys":{},"pk":"a","v":1}"#,
        r#"{ "Item" : { "pk" : { "S" : "a" } , "v" : { "N" : "1" } } }"#,
        r#"{"pk":{"S":"a"},"v":{"N":"1"},"m":{"M":{}}}"#,
        r#"{"m":{"S":"is plain"},"pk":"a","v":1}"#,
    ] {
        assert_eq!(imported(text).0, ["a=1"], "{text}");
        assert_eq!(imported(format!("[\n{text}\n]")).0, ["a=1"], "{text}");
    }
}

#[test]
fn incremental_exports_put_and_delete() {
    let metadata = r#""Metadata":{"WriteTimestampMicros":{"N":"1680109764000000"}}"#;
    let lines = [
        format!(r#"{{{metadata},"Keys":{{"pk":{{"S":"a"}}}},"NewImage":{{"pk":{{"S":"a"}},"v":{{"N":"1"}}}}}}"#),
        format!(
            r#"{{{metadata},"Keys":{{"pk":{{"S":"b"}}}},"OldImage":{{"pk":{{"S":"b"}}}},"NewImage":{{"pk":{{"S":"b"}},"v":{{"N":"2"}}}}}}"#
        ),
        format!(r#"{{{metadata},"Keys":{{"pk":{{"S":"old"}}}},"OldImage":{{"pk":{{"S":"old"}}}}}}"#),
        format!(r#"{{{metadata},"Keys":{{"pk":{{"S":"never there"}}}}}}"#),
    ];
    assert_eq!(imported(lines.join("\n")), (vec!["a=1".to_owned(), "b=2".to_owned()], 2));
    let db = empty();
    db.put(b"old", ItemBuilder::new().build()).expect("put");
    import(&db, &lines[2]).expect("imported");
    assert_eq!(count(&db), 0);
}

#[test]
fn the_item_of_a_change_is_the_one_that_its_keys_name() {
    for (keys, image, attribute) in [
        (r#""pk":{"S":"a"}"#, r#""pk":{"S":"b"}"#, "pk"),
        (r#""pk":{"S":"a"}"#, r#""pk":{"B":"YQ=="}"#, "pk"),
        (r#""pk":{"S":"a"},"sk":{"S":"1"}"#, r#""pk":{"S":"a"},"sk":{"S":"2"}"#, "sk"),
        (r#""id":{"N":"1"}"#, r#""pk":{"S":"a"}"#, "id"),
    ] {
        let line = format!(r#"{{"Metadata":{{}},"Keys":{{{keys}}},"NewImage":{{{image}}}}}"#);
        assert_eq!(refused_whole(line), format!("line 1: the attribute {attribute} of Keys is not that of NewImage"));
    }
}

#[test]
fn plain_keys_follow_the_table_of_the_module() {
    assert_eq!(imported(r#"{"pk":1.50,"sk":2,"v":1}"#).0, ["1.5+=1"]);
    assert_eq!(refused_whole(r#"{"pk":"a","sk":"","v":1}"#), "line 1: the key attribute sk is empty");
    assert_eq!(refused_whole(r#"{"pk":"","v":1}"#), "line 1: the key attribute pk is empty");
    assert_eq!(refused_whole(r#"{"v":1}"#), "line 1: the key attribute pk is missing");
    assert_eq!(refused_whole(r#"{"pk":["a"]}"#), "line 1: the key attribute pk is of type L, it may be S, B or N");
}

#[test]
fn an_error_names_the_one_line_that_is_wrong() {
    for (text, error) in [
        ("[\n{\"pk\":\"a\"},\n{\"pk\":\"b\",\n \"v\":1e999}\n]", "line 4: Number overflow."),
        ("[\n{\"pk\":\"a\"},\n  {\"v\":\"b\"}\n]", "line 3: the key attribute pk is missing"),
        ("{\"pk\":\"a\"}\n{\"pk\":\"b\"\n{\"pk\":\"c\"}\n", "line 2: invalid JSON"),
        ("{\"pk\":\"a\"}\n{\"pk\":\"b\",\"v\":tru}\n", "line 2: invalid JSON: expected"),
        (
            "[{\"pk\":\"a\"}\n{\"pk\":\"b\"}]",
            "line 2: expected a comma or the end of the array after an item (column 1)",
        ),
        ("[\n{\"pk\":\"a\"},\n", "line 3: the input ends within an array of items: it is truncated (column 1)"),
        (
            "[\n{\"pk\":\"a\"},\n {\"pk\":\"b\n\n\n",
            "line 3: what begins here has no end: the input is truncated (column 2)",
        ),
        ("{\n\"pk\":\"a\"", "line 1: the item that begins here has no end: the input is truncated (column 1)"),
        ("{\n\"pk\":\"a\"}\nx", "line 3: expected an item or an array of items (column 1)"),
        ("{\"Items\":[{\"pk\":{\"S\":\"a\"}}],\n\"other\":1}", "line 2: a response of Scan or Query has no \"other\""),
        ("[1]", "line 1: an item is a JSON object (column 2)"),
        ("[{\"pk\":\"a\"},]", "line 1: a value is missing (column 13)"),
    ] {
        let said = refused_whole(text);
        assert!(said.starts_with(error), "{text}: {said}");
        assert_eq!(said.matches("line ").count(), 1, "{said}");
    }
    assert!(refused_whole("[\n {\"pk\":\"\u{e9}\",\"v\":1e999}\n]").ends_with("column 17)"));
    assert_eq!(refused_whole(b"[\n{\"pk\":\"a\",\n  \"v\":\"\xff\"}]"), "line 3: not UTF-8: column 8");
}

#[test]
fn what_is_no_text_of_items_is_called_by_its_name() {
    for (head, what) in [
        (&b"\xe0\x01\x00\xea\x00"[..], "Amazon Ion"),
        (b"$ion_1_0 {Item:{}}", "Amazon Ion"),
        (b"\x89KSNAP\r\n....", "a snapshot"),
        (b"\xff\xfe{\0", "UTF-16"),
        (b"PAR1....", "Parquet"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"BZh9....", "bzip2"),
        (b"\xfd7zXZ\0..", "xz"),
        (b"\x28\xb5\x2f\xfd..", "zstd"),
    ] {
        let error = refused_whole(head);
        assert!(error.starts_with("line 1: this is ") && error.contains(what), "{error}");
    }
}

#[test]
fn one_pass_keeps_what_came_before_the_bad_record() {
    for text in ["{\"pk\":\"a\"}\n{\"pk\":[]}\n{\"pk\":\"c\"}\n", "[{\"pk\":\"a\"},\n{\"pk\":[]},{\"pk\":\"c\"}]"] {
        let db = empty();
        let error = db.import_json_stream(text.as_bytes(), &ImportOptions::new().in_one_pass()).expect_err("refused");
        assert!(error.to_string().starts_with("the input, line 2: the key attribute pk is of type L"), "{error}");
        assert_eq!(count(&db), 1);
        assert!(db.get(b"a").expect("read").is_some());
    }
}

#[test]
fn bad_items_of_an_array_are_skipped_up_to_where_items_cannot_be_told_apart() {
    let skip = ImportOptions::new().skip_bad_records();
    let db = empty();
    let text = "[{\"pk\":\"a\"},\n3,\n{\"pk\":[]},{\"pk\":tru},\n{\"pk\":\"e\"}]";
    let report = db.import_json_stream(text.as_bytes(), &skip).expect("imported");
    assert_eq!((report.loaded, report.skipped), (2, 3));
    assert_eq!(report.first_skipped.iter().map(|skipped| skipped.line).collect::<Vec<_>>(), [2, 3, 3]);
    let error = db.import_json_stream(&b"[{\"pk\":\"f\"} 7"[..], &skip).expect_err("refused").to_string();
    assert!(error.starts_with("the input, line 1: expected a comma"), "{error}");
    assert!(db.get(b"f").expect("read").is_some());
    let long = format!("[{{\"pk\":\"a\",\"v\":\"{}\"}},{{\"pk\":\"g\"}}]", "x".repeat(IMPORT_LINE_MAX_BYTES));
    let report = db.import_json_stream(long.as_bytes(), &skip).expect("imported");
    assert_eq!((report.loaded, report.first_skipped[0].what.as_str()), (1, "the item is longer than 8388608 bytes"));
}

#[test]
fn the_form_can_be_given() {
    let form = |form| ImportOptions::new().form(form).in_one_pass();
    let db = empty();
    let text = r#"{"pk":"a","Item":{"S":"x"}}"#;
    assert!(db.import_json_stream(text.as_bytes(), &form(JsonForm::Typed)).is_err());
    db.import_json_stream(text.as_bytes(), &form(JsonForm::Plain)).expect("imported");
    assert_eq!(db.get(b"a").expect("read").expect("there")["Item"], Value::map([("S", Value::string("x"))]));
    // The first record decides; the others are held to it.
    let error = refused_whole("{\"pk\":\"a\"}\n{\"Item\":{\"pk\":{\"S\":\"b\"}}}\n");
    assert_eq!(error, "line 2: the key attribute pk is missing");
}

#[test]
fn compressed_inputs_are_imported_as_others_are() {
    use std::io::Write as _;
    let zipped = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).and_then(|()| encoder.finish()).expect("compressed")
    };
    let lines = b"{\"pk\":\"a\",\"v\":1}\n{\"pk\":\"b\",\"v\":2}\n";
    let whole = zipped(lines);
    for bytes in [
        whole.clone(),
        [zipped(&lines[..9]), zipped(&lines[9..])].concat(),
        zipped(&[b"\xef\xbb\xbf", &lines[..]].concat()),
    ] {
        assert_eq!(imported(bytes).0, ["a=1", "b=2"]);
    }
    let db = empty();
    let error = import(&db, &whole[..whole.len() - 4]).expect_err("refused").to_string();
    assert_eq!(error, "cannot read the input: the gzip data ends in the middle: the file is truncated");
    assert_eq!(count(&db), 0);
    assert!(refused_whole(zipped(&whole)).contains("compressed by gzip twice"));
}
