//! The golden bytes of `docs/stored-form.md`, which every binding reads, are what the library writes and accepts.

use kstone_api::ItemRef;
use kstone_api::json::{JsonForm, item_from_str, item_to_string};

const PAGE: &str = include_str!("../../../docs/stored-form.md");

/// The table's rows: an item in typed JSON, and its bytes.
fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` |"));
    let byte = |digits| u8::from_str_radix(digits, 16).expect("bytes are hexadecimal");
    rows.map(|(json, hex)| (json, hex.trim().trim_matches('`').split_whitespace().map(byte).collect())).collect()
}

#[test]
fn the_documented_bytes_are_those_of_the_library() {
    let golden = golden();
    assert!(golden.len() >= 20, "{golden:?}");
    for (json, bytes) in golden {
        let mut item = item_from_str(json, JsonForm::Typed).expect(json);
        assert_eq!(item.finish(), bytes, "{json}");
        let read = ItemRef::validate(&bytes).expect(json);
        assert_eq!(item_to_string(read, JsonForm::Typed), json);
    }
}

#[test]
fn the_documented_lengths_and_refusal_are_those_of_the_library() {
    let mut item = item_from_str(&format!(r#"{{"a":{{"S":"{}"}}}}"#, "x".repeat(300)), JsonForm::Typed).expect("text");
    assert!(item.finish().starts_with(b"\x01a\x01\xac\x02x"));
    assert!(PAGE.contains("begins `01 ac 02`"));
    let error = ItemRef::validate(b"\x01b\x05\x00\x01a\x05\x00").expect_err("b comes before a").to_string();
    assert_eq!(error, "not an item: a name out of order at byte 6");
    assert!(PAGE.replace('\n', " ").contains(&error));
}
