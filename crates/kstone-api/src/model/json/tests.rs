//! Both forms in and out; more text that is refused than that is read.

use std::time::{Duration, Instant};

use crate::error::Error;
use kstone_core::item::{ITEM_MAX_BYTES, MAX_NESTING_LEVELS, encode};
use kstone_core::value::Item;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use JsonForm::{Plain, Typed};

fn refused(text: &str, form: JsonForm) -> String {
    match item_from_str(text, form) {
        Err(Error::Invalid(refusal)) => refusal.to_string(),
        other => panic!("expected Invalid for {text}, got {other:?}"),
    }
}

fn written(text: &str, form: JsonForm, as_form: JsonForm) -> String {
    item_to_string(item_from_str(text, form).unwrap().as_item(), as_form)
}

#[test]
fn typed_form_of_every_type_reads_back_as_it_was_written() {
    let text = concat!(
        r#"{"b":{"B":"+/8="},"bool":{"BOOL":true},"bs":{"BS":["AA==","aGk="]},"l":{"L":[{"S":"x"},{"L":[]}]},"#,
        r#""m":{"M":{"a":{"N":"1"},"é":{"NULL":true}}},"n":{"N":"-0.5"},"ns":{"NS":["-1","9","10"]},"#,
        r#""null":{"NULL":true},"s":{"S":"\"\\\n\u0001/é€😀"},"ss":{"SS":["","a"]}}"#
    );
    assert_eq!(written(text, Typed, Typed), text);
}

#[test]
fn plain_form_writes_every_type() {
    let text = r#"{"b":{"B":"+/8="},"f":{"BOOL":false},"bs":{"BS":["AA=="]},"n":{"N":"1E3"},"z":{"NULL":true},
        "m":{"M":{"l":{"L":[{"S":"x"},{"N":"0.50"}]}}},"ns":{"NS":["10","9"]},"ss":{"SS":["b","a"]}}"#;
    assert_eq!(
        written(text, Typed, Plain),
        r#"{"b":"+/8=","bs":["AA=="],"f":false,"m":{"l":["x",0.5]},"n":1000,"ns":[9,10],"ss":["a","b"],"z":null}"#
    );
}

#[test]
fn plain_form_reads_json_as_it_is() {
    let text = r#" { "s" : "a" , "n" : -1.50e1, "t":true,"f":false,"z":null, "l":[1,[ ],"x"], "m":{"k":{}} } "#;
    assert_eq!(
        written(text, Plain, Typed),
        concat!(
            r#"{"f":{"BOOL":false},"l":{"L":[{"N":"1"},{"L":[]},{"S":"x"}]},"m":{"M":{"k":{"M":{}}}},"n":{"N":"-15"},"#,
            r#""s":{"S":"a"},"t":{"BOOL":true},"z":{"NULL":true}}"#
        )
    );
    assert_eq!(written("{}", Plain, Plain), "{}");
}

#[test]
fn numbers_keep_every_digit() {
    for digits in
        ["12345678901234567890123456789012345678", "0.1234567890123456789012345678901234567", "-9007199254740993"]
    {
        let plain = format!("{{\"n\":{digits}}}");
        assert_eq!(written(&plain, Plain, Plain), plain);
        assert_eq!(written(&format!("{{\"n\":{{\"N\":\"{digits}\"}}}}"), Typed, Plain), plain);
    }
    let largest = written(r#"{"n":1E125}"#, Plain, Plain);
    assert_eq!(largest.len(), r#"{"n":}"#.len() + 126);
    assert_eq!(written(&largest, Plain, Plain), largest);
}

#[test]
fn text_that_is_no_json_is_refused_at_its_line_and_column() {
    let texts = [
        "",
        " ",
        "{",
        "}",
        "{]",
        "[",
        "nul",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1}}",
        "{} {}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":NaN}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":[1,]}",
        "{\"a\":tru}",
        "\u{feff}{}",
        "{\"a\":1}//",
        "{\"a\":\"\\u12\"}",
    ];
    for text in texts {
        for form in [Plain, Typed] {
            let error = refused(text, form);
            assert!(error.starts_with("invalid JSON: ") && error.contains("at line 1 column "), "{text}: {error}");
        }
    }
    assert!(refused("{\n\"a\":1,\n  oops", Plain).contains("line 3 column 3"));
}

#[test]
fn escapes_that_are_no_text_are_refused() {
    for text in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00x"}"#, r#"{"a":{"\ud800":1}}"#, r#"{"\ud800":1}"#] {
        assert!(refused(text, Plain).starts_with("invalid JSON: "), "{text}");
    }
    assert_eq!(written(r#"{"a":"\ud83d\ude00\u0000"}"#, Plain, Plain), "{\"a\":\"😀\\u0000\"}");
}

#[test]
fn what_is_no_object_is_no_item() {
    for text in ["[]", "1", "\"a\"", "null", "true", "[{}]"] {
        for form in [Plain, Typed] {
            assert_eq!(refused(text, form), "an item is a JSON object (line 1 column 1)");
        }
    }
}

#[test]
fn a_name_that_stands_twice_is_refused_at_any_depth() {
    let twice = "the name stands twice in its object";
    assert_eq!(refused(r#"{"a":1,"a":1}"#, Plain), format!("{twice} (attribute a, line 1 column 12)"));
    assert_eq!(refused(r#"{"a":1,"\u0061":2}"#, Plain), format!("{twice} (attribute a, line 1 column 17)"));
    assert_eq!(
        refused("{\"l\":[0,\n{\"x\":1,\"x\":2}]}", Plain),
        format!("{twice} (attribute l[1].x, line 2 column 12)")
    );
    assert_eq!(refused(r#"{"a":{"S":"x"},"a":{"S":"x"}}"#, Typed), format!("{twice} (attribute a, line 1 column 20)"));
    assert!(refused(r#"{"m":{"M":{"a":{"S":"x"},"a":{"S":"x"}}}}"#, Typed).contains("attribute m.a, "));
}

#[test]
fn a_typed_value_that_is_none_is_refused_with_its_reason() {
    let cases = [
        ("1", "expected an attribute value such as {\"S\": \"text\"}, found a number"),
        ("\"x\"", "found a string"),
        ("null", "found null"),
        ("[]", "found an array"),
        ("true", "found true or false"),
        ("{}", "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
        (r#"{"S":"a","N":"1"}"#, "Supplied AttributeValue has more than one datatypes set"),
        (r#"{"S":"a","S":"a"}"#, "Supplied AttributeValue has more than one datatypes set"),
        (r#"{"X":"a"}"#, "\"X\" is not an attribute type"),
        (r#"{"s":"a"}"#, "\"s\" is not an attribute type"),
        (r#"{"":"a"}"#, "\"\" is not an attribute type"),
        (r#"{"S":1}"#, "expected a string, found a number"),
        (r#"{"S":null}"#, "expected a string, found null"),
        (r#"{"N":1}"#, "expected a number as a string, found a number"),
        (r#"{"N":""}"#, "The parameter cannot be converted to a numeric value"),
        (r#"{"N":"ten"}"#, "The parameter cannot be converted to a numeric value: ten"),
        (r#"{"N":"1E126"}"#, "Number overflow."),
        (r#"{"N":"1E-131"}"#, "Number underflow."),
        (r#"{"N":"123456789012345678901234567890123456789"}"#, "Attempting to store more than 38 significant digits"),
        (r#"{"B":"aGk"}"#, "not base64"),
        (r#"{"B":"*"}"#, "not base64"),
        (r#"{"B":"-_8="}"#, "not base64"),
        (r#"{"B":"aG k="}"#, "not base64"),
        (r#"{"B":[1]}"#, "expected bytes as base64 text, found an array"),
        (r#"{"BOOL":"true"}"#, "BOOL must be true or false"),
        (r#"{"BOOL":1}"#, "BOOL must be true or false"),
        (r#"{"NULL":false}"#, "Null attribute value types must have the value of true"),
        (r#"{"NULL":null}"#, "Null attribute value types must have the value of true"),
        (r#"{"L":{}}"#, "expected a list, found an object"),
        (r#"{"L":[1]}"#, "expected an attribute value"),
        (r#"{"M":[]}"#, "expected a map, found an array"),
        (r#"{"M":{"x":1}}"#, "expected an attribute value"),
        (r#"{"M":{"":{"S":"x"}}}"#, "an attribute name may not be empty"),
        (r#"{"SS":"a"}"#, "expected an array of the set's elements, found a string"),
        (r#"{"SS":[]}"#, "An string set  may not be empty"),
        (r#"{"SS":["a","a"]}"#, "contains duplicates"),
        (r#"{"SS":[1]}"#, "expected a string, found a number"),
        (r#"{"NS":[1]}"#, "expected a number as a string, found a number"),
        (r#"{"NS":["1","1.0"]}"#, "contains duplicates"),
        (r#"{"NS":["x"]}"#, "The parameter cannot be converted to a numeric value: x"),
        (r#"{"BS":["*"]}"#, "not base64"),
        (r#"{"BS":["AA==","AA=="]}"#, "contains duplicates"),
    ];
    for (value, reason) in cases {
        let error = refused(&format!("{{\"key\":{value}}}"), Typed);
        assert!(error.contains(reason) && error.contains("(attribute key"), "{value}: {error}");
    }
    assert_eq!(refused(r#"{"":{"S":"x"}}"#, Typed), "an attribute name may not be empty (line 1 column 5)");
}

#[test]
fn an_error_says_the_way_to_the_value() {
    let error = refused("{\"ok\":1,\n \"m\":{\"l\":[1,{\"n\":1e999}]}}", Plain);
    assert!(error.starts_with("Number overflow."));
    assert!(error.ends_with("(attribute m.l[1].n, line 2 column 19)"), "{error}");
    let error = refused(r#"{"m":{"M":{"s":{"NS":["1","x"]}}}}"#, Typed);
    assert!(error.ends_with("(attribute m.s[1], line 1 column 27)"), "{error}");
    let long = "n".repeat(10_000);
    assert!(refused(&format!("{{\"{long}\":{{\"{long}\":1}}}}"), Typed).len() < 300);
}

fn nested(levels: usize, form: JsonForm) -> String {
    match form {
        Plain => format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels)),
        Typed => format!("{{\"a\":{}{{\"N\":\"1\"}}{}}}", r#"{"L":["#.repeat(levels), "]}".repeat(levels)),
    }
}

#[test]
fn nesting_ends_at_32_levels_without_harm() {
    for form in [Plain, Typed] {
        let deepest = nested(MAX_NESTING_LEVELS, form);
        assert_eq!(written(&deepest, form, form), deepest);
        for levels in [MAX_NESTING_LEVELS + 1, 100, 1_000, 20_000] {
            let error = item_from_str(&nested(levels, form), form).unwrap_err();
            assert!(matches!(error, Error::Limit { what: "Nesting Levels", limit: 32, found: 33, .. }), "{error}");
            let error = error.to_string();
            assert!(error.contains("the limit is 32 levels, found 33"), "{error}");
            assert!(error.contains(&format!("(attribute a{}, line 1 ", "[0]".repeat(MAX_NESTING_LEVELS))), "{error}");
        }
        assert!(item_from_str(&"[".repeat(1_000_000), form).is_err());
    }
    assert!(value_from_str(&format!("{}{}", "[".repeat(32), "]".repeat(32)), Plain).is_ok());
    assert!(value_from_str(&format!("{}{}", "[".repeat(33), "]".repeat(33)), Plain).is_err());
}

#[test]
fn the_value_of_an_attribute_is_named_in_errors() {
    let mut item = item_from_str(r#"{"a":1,"m":2}"#, Plain).unwrap();
    let error = set_from_str(&mut item, "m", r#"{"l":[1e999]}"#, Plain).unwrap_err().to_string();
    assert!(error.ends_with("(attribute m.l[0], line 1 column 7)"), "{error}");
    assert!(set_from_str(&mut item, "", "1", Plain).is_err());
    assert_eq!(item_to_string(item.as_item(), Plain), r#"{"a":1,"m":2}"#);
    set_from_str(&mut item, "m", r#"{"y":[1],"x":{"N":"2"}}"#, Plain).unwrap();
    assert_eq!(item_to_string(item.as_item(), Plain), r#"{"a":1,"m":{"x":{"N":"2"},"y":[1]}}"#);
}

#[test]
fn reading_stops_where_no_item_can_follow() {
    let too_large = |text: &str, form| {
        let error = item_from_str(text, form).unwrap_err();
        assert!(
            matches!(error, Error::Limit { what: "Item size", limit: ITEM_MAX_BYTES, found, .. } if found < 500_000),
            "{error}"
        );
    };
    too_large(&format!("{{\"a\":[{}0]}}", "0,".repeat(500_000)), Plain);
    too_large(&format!("{{\"a\":[{}\"\"]}}", "\"\",".repeat(500_000)), Plain);
    too_large(&format!("{{\"a\":{{\"SS\":[{}\"\"]}}}}", "\"\",".repeat(500_000)), Typed);
    too_large(&format!("{{\"a\":{{\"L\":[{}{{\"NULL\":true}}]}}}}", "{\"NULL\":true},".repeat(500_000)), Typed);
    let text = "x".repeat(ITEM_MAX_BYTES);
    too_large(&format!("{{\"a\":\"{text}\"}}"), Plain);
    assert!(item_from_str(&format!("{{\"a\":\"{}\"}}", &text[1..]), Plain).is_ok());
    assert!(item_from_str(&format!("{{\"{text}\":1}}"), Plain).is_err());
}

#[test]
fn hostile_numbers_answer_at_once() {
    let started = Instant::now();
    assert!(refused(r#"{"n":1e999999999}"#, Plain).starts_with("Number overflow."));
    assert!(refused(r#"{"n":{"N":"1e-999999999"}}"#, Typed).starts_with("Number underflow."));
    assert!(item_from_str(&format!("{{\"n\":{}}}", "9".repeat(1_000_000)), Plain).is_err());
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn one_value_reads_in_both_forms() {
    assert_eq!(value_from_str(" 1.50 ", Plain).unwrap(), Value::number("1.5"));
    assert_eq!(value_from_str(r#"{"SS":["a"]}"#, Typed).unwrap(), Value::string_set(["a"]));
    for (text, form) in
        [("", Plain), ("1 2", Plain), ("1", Typed), ("{}", Typed), ("1e999", Plain), (r#"{"a":1,"a":2}"#, Plain)]
    {
        assert!(value_from_str(text, form).is_err(), "{text}");
    }
    let mut item = item_from_str(r#"{"a":{"NS":["2","10"]}}"#, Typed).unwrap();
    let value = item.as_item().get("a").unwrap();
    assert_eq!(value_to_string(value, Typed), r#"{"NS":["2","10"]}"#);
    assert_eq!(value_to_string(value, Plain), "[2,10]");
}

#[test]
fn a_malformed_body_is_still_written_as_json() {
    let bodies: [&[u8]; 9] = [
        b"\x01a\x01\x01\xff",
        b"\x01a\x02\x01x",
        b"\x01a\x02\x01\xff",
        b"\x01a\x04\x01\x07",
        b"\x01a\x06\x02\x02\x01",
        b"\x01a\x07\x02\xff\xff",
        b"\x01a\x09\x02\x01x",
        b"\x01\xff\x05\x00",
        b"\x05",
    ];
    for body in bodies {
        for form in [Plain, Typed] {
            let text = item_to_string(ItemRef::new(body), form);
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{body:?}: {text}");
        }
    }
}

#[test]
fn the_typed_form_is_the_one_serde_gives() {
    let item: Item = serde_json::from_str(r#"{"a":{"L":[{"N":"1"},{"B":"aGk="}]}}"#).unwrap();
    let body = encode(&item).unwrap();
    assert_eq!(item_to_string(ItemRef::new(&body), Typed), serde_json::to_string(&item).unwrap());
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<String>().prop_map(Value::S),
        any::<i64>().prop_map(Value::number),
        "-?[0-9]{1,20}(\\.[0-9]{1,17})?".prop_map(Value::N),
        any::<Vec<u8>>().prop_map(Value::binary),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
        prop::collection::btree_set(any::<String>(), 1..4).prop_map(Value::string_set),
        prop::collection::btree_set(any::<i32>(), 1..4).prop_map(Value::number_set),
        prop::collection::btree_set(any::<Vec<u8>>(), 1..4).prop_map(Value::binary_set),
    ];
    leaf.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::L),
            prop::collection::hash_map(".{1,6}", inner, 0..5).prop_map(Value::M),
        ]
    })
}

/// What is read is JSON, and what is refused as no JSON is none.
fn agrees_with_serde_json(text: &str) {
    match value_from_str(text, Plain) {
        Ok(_) => assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text:?} is no JSON"),
        Err(Error::Invalid(error)) if error.to_string().starts_with("invalid JSON") => {
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text:?} is JSON: {error}");
        }
        Err(_) => {}
    }
}

#[test]
fn syntax_is_what_serde_json_says_it_is() {
    let texts = [
        "0",
        "-0",
        "-",
        "00",
        "-01",
        "1.5",
        "1.",
        ".1",
        "1e5",
        "1E+5",
        "1e-5",
        "1e",
        "1e+",
        "1.5e3",
        "-1.5E-3",
        "1.e3",
        "0x1",
        "\u{e9}",
        "tru",
        "truE",
        "true ",
        "truefalse",
        "nul",
        "null\0",
        "\0",
        "[1 2]",
        "[,]",
        "[1,]",
        "{\"a\" 1}",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"\\\u{e9}\"",
        "\"\\u00e\"",
        "\"\t\"",
        "\"\u{7f}\"",
        "\"\u{e9}\u{1f600}\"",
        "\"12345678\"",
        "\"1234567\\n\"",
        "\"12345678\\n9\"",
        "\"1234567\n\"",
        "{\"a\":1}}",
        "{\"a\":1,\"\\u0062\":2}",
        "\u{a0}1",
    ];
    texts.into_iter().for_each(agrees_with_serde_json);
}

proptest! {
    #[test]
    fn any_text_is_json_where_serde_json_says_so(
        text in "[\\[\\]{}\",:a-eflnrstu0-9.\\\\ \n\u{0}\u{1f}é+-]{0,24}|\\[?-?[0-9.]{0,6}([eE][+-]?[0-9]{0,3})?\\]?|\"[ -~\u{0}-\u{ff}]{0,20}\"",
    ) {
        agrees_with_serde_json(&text);
    }

    #[test]
    fn names_in_any_order_make_the_same_item(names in prop::collection::hash_set(".{1,12}", 0..30), seed in any::<u64>()) {
        let mut names: Vec<String> = names.into_iter().collect();
        let item = |names: &[String]| {
            let members = names.iter().map(|name| format!("{}:[{{\"z\":1,{}:2}}]", json!(name), json!(name)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        };
        names.retain(|name| name != "z");
        let body = item_from_str(&item(&names), Plain).unwrap().into_body();
        prop_assert!(ItemRef::validate(&body).is_ok());
        fastrand::Rng::with_seed(seed).shuffle(&mut names);
        prop_assert_eq!(item_from_str(&item(&names), Plain).unwrap().into_body(), body);
    }

    #[test]
    fn typed_json_reads_back_as_the_same_bytes(item in prop::collection::hash_map(".{1,8}", values(), 0..5)) {
        let body = encode(&item).unwrap();
        let text = item_to_string(ItemRef::new(&body), Typed);
        prop_assert_eq!(item_from_str(&text, Typed).unwrap().into_body(), body);
        prop_assert_eq!(&serde_json::from_str::<Item>(&text).unwrap(), &item);
    }

    #[test]
    fn plain_json_is_json_and_settles_after_one_reading(item in prop::collection::hash_map(".{1,8}", values(), 0..5)) {
        let first = item_to_string(ItemRef::new(&encode(&item).unwrap()), Plain);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&first).is_ok());
        let second = item_from_str(&first, Plain).unwrap().into_body();
        prop_assert_eq!(item_to_string(ItemRef::new(&second), Plain), first);
    }

    #[test]
    fn any_text_answers_without_panic(text in "[\\[\\]{}\",:a-eSNL0-9.\\\\ \n]{0,40}") {
        for form in [Plain, Typed] {
            let _ = (item_from_str(&text, form), value_from_str(&text, form));
        }
    }

    #[test]
    fn json_with_a_byte_changed_answers_without_panic(
        item in prop::collection::hash_map("[a-c]{1,3}", values(), 1..5),
        at in any::<prop::sample::Index>(),
        with in any::<char>(),
    ) {
        for form in [Plain, Typed] {
            let text = item_to_string(ItemRef::new(&encode(&item).unwrap()), form);
            let mut chars: Vec<char> = text.chars().collect();
            let at = at.index(chars.len());
            chars[at] = with;
            let text: String = chars.into_iter().collect();
            agrees_with_serde_json(&text);
            if let Ok(item) = item_from_str(&text, form) {
                prop_assert!(ItemRef::validate(&item.into_body()).is_ok());
            }
        }
    }
}
