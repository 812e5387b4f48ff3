//! Items: setters, getters, JSON.

use super::*;
use crate::access::{kstone_get_json, kstone_put_json};
use crate::item::{kstone_item_at, kstone_item_clone, kstone_item_count, kstone_item_get_f64, kstone_item_to_json};
use crate::item_build::*;
use crate::json_form::KSTONE_JSON_PLAIN;

/// An item with an attribute of every type, set out of order.
fn full() -> *mut Item {
    let item = kstone_item_new();
    let none = ptr::null_mut();
    let json = |name: &str, json: &str| {
        // SAFETY: live handles, slices of ours.
        let status = unsafe { kstone_item_set_json(item, chars(name), name.len(), chars(json), json.len(), 0, none) };
        assert_eq!(status, KSTONE_OK);
    };
    json("ss", r#"{"SS":["b","a"]}"#);
    // SAFETY: live handles, slices of ours.
    let statuses = unsafe {
        [
            kstone_item_set_str(item, chars("s"), 1, chars("text"), 4),
            kstone_item_set_num(item, chars("n"), 1, chars("+012.50e1"), 9, none),
            kstone_item_set_bin(item, chars("b"), 1, data(b"\0\xFF"), 2),
            kstone_item_set_bool(item, chars("yes"), 3, -5),
            kstone_item_set_bool(item, chars("no"), 2, 0),
            kstone_item_set_null(item, chars("z"), 1),
            kstone_item_set_i64(item, chars("i"), 1, i64::MIN),
            kstone_item_set_f64(item, chars("f"), 1, 0.1),
        ]
    };
    assert_eq!(statuses, [KSTONE_OK; 8]);
    json("m", r#"{"M":{"l":{"L":[{"N":"7"},{"S":"x"}]}}}"#);
    item
}

fn json_of(item: *const Item, flags: u32) -> String {
    let (mut text, mut len) = (ptr::null_mut(), 0);
    // SAFETY: live handles, variables of ours.
    assert_eq!(unsafe { kstone_item_to_json(item, flags, &mut text, &mut len, ptr::null_mut()) }, KSTONE_OK);
    let json = string(text);
    assert_eq!(json.len(), len);
    free(text);
    json
}

#[test]
fn every_type_comes_back_with_its_bytes() {
    let built = full();
    let db = open();
    // SAFETY: live handles, slices of ours.
    unsafe { kstone_put(db, data(b"k"), 1, ptr::null(), 0, built, ptr::null_mut()) };
    let read = get(db, b"k", b"").expect("it was put");
    // SAFETY: live handles.
    let copy = unsafe { kstone_item_clone(read) };
    for item in [built, read, copy] {
        assert_eq!(value(item, "s"), (KSTONE_OK, 1, b"text".to_vec()));
        assert_eq!(value(item, "n"), (KSTONE_OK, 2, b"125".to_vec()));
        assert_eq!(value(item, "b"), (KSTONE_OK, 3, b"\0\xFF".to_vec()));
        assert_eq!(value(item, "yes"), (KSTONE_OK, 4, vec![1]));
        assert_eq!(value(item, "no"), (KSTONE_OK, 4, vec![0]));
        assert_eq!(value(item, "z"), (KSTONE_OK, 5, vec![]));
        assert_eq!(value(item, "m.l").1, 6);
        assert_eq!(value(item, "m").1, 7);
        assert_eq!(value(item, "ss"), (KSTONE_OK, 8, b"\x01a\x01b".to_vec()));
        assert_eq!(value(item, "m.l[1]"), (KSTONE_OK, 1, b"x".to_vec()));
        for nowhere in ["absent", "m.l[2]", "m.x", "s.x", "s[0]", "ss[0]"] {
            assert_eq!(value(item, nowhere).0, KSTONE_NOT_FOUND, "{nowhere}");
        }
        for no_path in ["", ".", "m.", "m.l[", "m.l[x]", "m]"] {
            assert_eq!(value(item, no_path).0, KSTONE_ERR_INVALID, "{no_path}");
        }
        free(item);
    }
    free(db);
}

#[test]
fn numbers_are_read_where_they_fit() {
    let item = full();
    let int = |path: &str| {
        let mut out = 77;
        // SAFETY: live handles, slices of ours.
        (unsafe { kstone_item_get_i64(item, chars(path), path.len(), &mut out) }, out)
    };
    let float = |path: &str| {
        let mut out = 77.0;
        // SAFETY: live handles, slices of ours.
        (unsafe { kstone_item_get_f64(item, chars(path), path.len(), &mut out) }, out)
    };
    assert_eq!(int("i"), (KSTONE_OK, i64::MIN));
    assert_eq!(int("m.l[0]"), (KSTONE_OK, 7));
    assert_eq!(float("f"), (KSTONE_OK, 0.1));
    assert_eq!(float("i"), (KSTONE_OK, i64::MIN as f64));
    assert_eq!((int("f"), int("s")), ((KSTONE_ERR_TYPE, 77), (KSTONE_ERR_TYPE, 77)));
    assert_eq!((float("yes"), float("absent")), ((KSTONE_ERR_TYPE, 77.0), (KSTONE_NOT_FOUND, 77.0)));
    // SAFETY: live handles, slices of ours.
    unsafe {
        kstone_item_set_num(item, chars("n"), 1, chars("9223372036854775808"), 19, ptr::null_mut());
        for wrong in [f64::NAN, f64::INFINITY, 1e126] {
            assert_eq!(kstone_item_set_f64(item, chars("f"), 1, wrong), KSTONE_ERR_INVALID);
        }
    }
    assert_eq!((int("n").0, float("n"), float("f").1), (KSTONE_ERR_TYPE, (KSTONE_OK, 9223372036854775808.0), 0.1));
    free(item);
}

#[test]
fn attributes_are_walked_in_the_order_of_their_names() {
    let item = full();
    let mut names = Vec::new();
    let mut out = Value { r#type: 77, reserved: 0, bytes: Bytes::EMPTY };
    let mut name = Bytes::EMPTY;
    // SAFETY: live handles, variables of ours.
    unsafe {
        while kstone_item_at(item, names.len(), &mut name, &mut out) == KSTONE_OK {
            names.push(String::from_utf8(bytes_of(name).to_vec()).expect("names are UTF-8"));
        }
        assert_eq!(names, ["b", "f", "i", "m", "n", "no", "s", "ss", "yes", "z"]);
        assert_eq!(kstone_item_count(item), names.len());
        assert_eq!(kstone_item_at(item, usize::MAX, &mut name, &mut out), KSTONE_NOT_FOUND);
    }
    assert_eq!(bytes_of(name), b"z");
    free(item);
}

#[test]
fn setting_replaces_and_removing_removes() {
    let item = numbered(1);
    // SAFETY: live handles, slices of ours.
    unsafe {
        kstone_item_set_i64(item, chars("n"), 1, 2);
        assert_eq!((number_of(item), kstone_item_count(item)), (2, 1));
        assert_eq!(kstone_item_remove(item, chars("x"), 1), KSTONE_NOT_FOUND);
        assert_eq!(kstone_item_remove(item, chars("n"), 1), KSTONE_OK);
        assert_eq!((kstone_item_remove(item, chars("n"), 1), kstone_item_count(item)), (KSTONE_NOT_FOUND, 0));
    }
    free(item);
}

#[test]
fn a_setter_that_fails_changes_nothing() {
    let item = numbered(1);
    let long = "x".repeat(70_000);
    // SAFETY: live handles, slices of ours.
    unsafe {
        let set_num = |text: &str| {
            fails(KSTONE_ERR_INVALID, |err| kstone_item_set_num(item, chars("n"), 1, chars(text), text.len(), err))
        };
        assert!(set_num("abc").contains("abc"));
        set_num("");
        set_num("1e126");
        assert_eq!(kstone_item_set_i64(item, chars(&long), long.len(), 2), KSTONE_ERR_LIMIT);
        for json in ["", "{", "{\"N\":1}", "{\"SS\":[]}", "{\"Q\":\"x\"}", "{\"S\":\"a\",\"N\":\"1\"}"] {
            fails(KSTONE_ERR_INVALID, |err| kstone_item_set_json(item, chars("n"), 1, chars(json), json.len(), 0, err));
        }
        fails(KSTONE_ERR_INVALID, |err| kstone_item_set_json(item, chars("n"), 1, chars("1"), 1, 2, err));
        assert_eq!((number_of(item), kstone_item_count(item)), (1, 1));
    }
    free(item);
}

#[test]
fn json_goes_both_ways() {
    let typed = r#"{"a":{"N":"12345678901234567890.5"},"l":{"L":[{"BOOL":true},{"NULL":true}]},"s":{"S":"é\u0000"}}"#;
    let plain = r#"{"a":12345678901234567890.5,"l":[true,null],"s":"é\u0000"}"#;
    for (text, flags) in [(typed, 0), (plain, KSTONE_JSON_PLAIN)] {
        let mut item = ptr::null_mut();
        // SAFETY: live handles, slices and variables of ours.
        unsafe {
            succeeds(KSTONE_OK, |err| kstone_item_from_json(chars(text), text.len(), flags, &mut item, err));
            assert_eq!(kstone_item_set_null(item, chars("z"), 1), KSTONE_OK, "it is a built item");
            assert_eq!(kstone_item_remove(item, chars("z"), 1), KSTONE_OK);
        }
        assert_eq!((json_of(item, 0).as_str(), json_of(item, KSTONE_JSON_PLAIN).as_str()), (typed, plain));
        free(item);
    }
    let mut item = untouched();
    for wrong in ["", "[]", "{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"y\"}}", "{\"a\":1}", "{} x"] {
        // SAFETY: slices and variables of ours.
        fails(KSTONE_ERR_INVALID, |err| unsafe { kstone_item_from_json(chars(wrong), wrong.len(), 0, &mut item, err) });
    }
    assert_eq!(item, untouched::<Item>());
}

#[test]
fn items_are_put_and_got_as_json() {
    let db = open();
    let json = r#"{"n":1}"#;
    let (mut text, mut len) = (ptr::null_mut(), 0);
    let flags = KSTONE_JSON_PLAIN;
    // SAFETY: live handles, slices and variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| {
            kstone_put_json(db, data(b"k"), 1, data(b"s"), 1, chars(json), json.len(), flags, err)
        });
        succeeds(KSTONE_OK, |err| kstone_get_json(db, data(b"k"), 1, data(b"s"), 1, 0, &mut text, &mut len, err));
        fails(KSTONE_ERR_INVALID, |err| {
            kstone_put_json(db, data(b"k"), 1, data(b"s"), 1, chars(json), json.len(), 4, err)
        });
        fails(KSTONE_ERR_MISUSE, |err| kstone_put_json(db, data(b"k"), 1, data(b"s"), 1, ptr::null(), 7, flags, err));
    }
    assert_eq!((string(text).as_str(), len), (r#"{"n":{"N":"1"}}"#, 15));
    free(text);
    free(db);
}
