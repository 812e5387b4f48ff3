//! Statuses, errors, inputs and outputs: rules 1, 2, 4 and 6.

use super::*;
use crate::access::{kstone_get_json, kstone_put_json};
use crate::database::kstone_clear;
use crate::error::{kstone_error_index, kstone_error_item, kstone_status_text};
use crate::item::{
    kstone_item_at, kstone_item_clone, kstone_item_count, kstone_item_get_f64, kstone_item_pk, kstone_item_sk,
    kstone_item_to_json,
};
use crate::item_build::*;
use crate::iter::{kstone_iter_next, kstone_iter_open};
use crate::json_form::KSTONE_JSON_PLAIN;
use crate::maintenance::{kstone_compact, kstone_flush};
use crate::page::*;
use crate::stats::kstone_stats_json;

#[test]
fn statuses_are_the_documented_numbers_and_have_texts_of_their_own() {
    let codes = [
        (KSTONE_OK, 0),
        (KSTONE_NOT_FOUND, 1),
        (KSTONE_DONE, 2),
        (KSTONE_ERR_MISUSE, -1),
        (KSTONE_ERR_INVALID, -2),
        (KSTONE_ERR_CONDITION_FAILED, -3),
        (KSTONE_ERR_CONFLICT, -4),
        (KSTONE_ERR_LIMIT, -5),
        (KSTONE_ERR_TYPE, -6),
        (KSTONE_ERR_CORRUPT, -7),
        (KSTONE_ERR_IO, -8),
        (KSTONE_ERR_PANIC, -9),
        (KSTONE_ERR_TRIMMED, -10),
    ];
    let mut texts: Vec<String> = codes.iter().map(|(code, _)| string(kstone_status_text(*code))).collect();
    texts.push(string(kstone_status_text(99)));
    assert_eq!(string(kstone_status_text(i32::MIN)), string(kstone_status_text(99)));
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), codes.len() + 1);
    assert!(codes.iter().all(|(code, number)| code == number));
}

#[test]
fn an_error_object_comes_with_errors_alone() {
    let db = open();
    let mut out = ptr::null_mut();
    // SAFETY: live handles, slices and variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_delete(db, data(b"k"), 1, ptr::null(), 0, err));
        succeeds(KSTONE_NOT_FOUND, |err| kstone_get(db, data(b"k"), 1, ptr::null(), 0, &mut out, err));
        fails(KSTONE_ERR_INVALID, |err| kstone_get(db, ptr::null(), 0, ptr::null(), 0, &mut out, err));
        assert_eq!(kstone_get(db, ptr::null(), 0, ptr::null(), 0, &mut out, ptr::null_mut()), KSTONE_ERR_INVALID);
        fails(KSTONE_ERR_MISUSE, |err| kstone_delete(ptr::null_mut(), data(b"k"), 1, ptr::null(), 0, err));
    }
    free(db);
}

#[test]
fn an_error_says_code_name_message_and_no_operation() {
    let db = open();
    let key = [7; 2049];
    let mut err = ptr::null_mut();
    // SAFETY: live handles, slices and variables of ours.
    unsafe {
        assert_eq!(kstone_delete(db, data(&key), key.len(), ptr::null(), 0, &mut err), KSTONE_ERR_LIMIT);
        free(db);
        let message = string(kstone_error_message(err));
        assert!(message.contains("2048") && message.contains("2049"), "{message}");
        assert_eq!(string(kstone_error_name(err)), "ValidationException");
        assert_eq!(kstone_error_index(err), -1);
        assert!(kstone_error_item(err).is_null());
    }
    free(err);
}

#[test]
fn a_nul_in_a_message_hides_nothing_of_it() {
    let item = kstone_item_new();
    let number = b"1\0rest";
    // SAFETY: live handles, slices of ours.
    let message = fails(KSTONE_ERR_INVALID, |err| unsafe {
        kstone_item_set_num(item, chars("n"), 1, number.as_ptr().cast(), number.len(), err)
    });
    assert!(message.contains("rest"), "{message}");
    free(item);
}

#[test]
fn pointers_and_lengths_are_checked() {
    let db = open();
    let item = numbered(1);
    let put_key = |pk: *const c_void, pk_len, sk: *const c_void, sk_len, err| {
        // SAFETY: what does not describe memory is refused before it is read.
        unsafe { kstone_put(db, pk, pk_len, sk, sk_len, item, err) }
    };
    let key = data(b"key");
    let misuse = |pk, pk_len, sk, sk_len| fails(KSTONE_ERR_MISUSE, |err| put_key(pk, pk_len, sk, sk_len, err));
    assert!(misuse(ptr::null(), 3, ptr::null(), 0).contains("pk"));
    assert!(misuse(key, 3, ptr::null(), 3).contains("sk"));
    assert!(misuse(key, isize::MAX as usize + 1, ptr::null(), 0).contains("impossible"));
    assert!(misuse(key, KSTONE_STRLEN, ptr::null(), 0).contains("KSTONE_STRLEN"));
    assert!(misuse(ptr::null(), KSTONE_STRLEN, ptr::null(), 0).contains("NULL"));
    fails(KSTONE_ERR_INVALID, |err| put_key(ptr::null(), 0, key, 3, err));
    fails(KSTONE_ERR_INVALID, |err| put_key(key, 0, key, 3, err));
    // Nothing of this was written; an empty sort key is none, with and without a pointer.
    assert!(get(db, b"key", b"").is_none());
    succeeds(KSTONE_OK, |err| put_key(key, 3, key, 0, err));
    let found = get(db, b"key", b"").expect("it was put");
    free(found);
    free(item);
    free(db);
}

#[test]
fn strlen_is_for_text_alone() {
    let item = kstone_item_new();
    // SAFETY: live handles, C strings and slices of ours; what does not describe memory is refused before it is read.
    unsafe {
        let name = c"name".as_ptr();
        assert_eq!(kstone_item_set_str(item, name, KSTONE_STRLEN, c"Alice".as_ptr(), KSTONE_STRLEN), KSTONE_OK);
        assert_eq!(value(item, "name"), (KSTONE_OK, 1, b"Alice".to_vec()));
        assert_eq!(kstone_item_set_str(item, name, 2, chars("a\0b"), 3), KSTONE_OK);
        assert_eq!(value(item, "na"), (KSTONE_OK, 1, b"a\0b".to_vec()));
        let bytes = data(b"bytes");
        assert_eq!(kstone_item_set_bin(item, name, KSTONE_STRLEN, bytes, KSTONE_STRLEN), KSTONE_ERR_MISUSE);
        assert_eq!(kstone_item_set_str(item, ptr::null(), KSTONE_STRLEN, name, KSTONE_STRLEN), KSTONE_ERR_MISUSE);
        assert_eq!(kstone_item_set_str(item, name, KSTONE_STRLEN, ptr::null(), KSTONE_STRLEN), KSTONE_ERR_MISUSE);
        assert_eq!(kstone_item_count(item), 2);
    }
    free(item);
}

#[test]
fn empty_is_null_and_zero_both_ways() {
    let item = kstone_item_new();
    // SAFETY: live handles, slices of ours.
    unsafe {
        assert_eq!(kstone_item_set_str(item, chars("s"), 1, ptr::null(), 0), KSTONE_OK);
        assert_eq!(kstone_item_set_bin(item, chars("b"), 1, ptr::null(), 0), KSTONE_OK);
        assert_eq!(kstone_item_set_null(item, chars("z"), 1), KSTONE_OK);
        for name in ["s", "b", "z"] {
            let mut found = Value { r#type: 0, reserved: 0, bytes: Bytes { data: untouched(), len: 9 } };
            assert_eq!(kstone_item_get(item, chars(name), 1, &mut found), KSTONE_OK);
            assert_eq!(found.bytes, Bytes::EMPTY);
        }
        assert_eq!(kstone_item_set_i64(item, ptr::null(), 0, 1), KSTONE_ERR_INVALID);
    }
    free(item);
}

#[test]
fn text_must_be_utf8_and_the_message_says_where_it_is_not() {
    let item = kstone_item_new();
    let bad = b"12\xFF";
    // SAFETY: live handles, slices of ours.
    unsafe {
        let message =
            fails(KSTONE_ERR_INVALID, |err| kstone_item_set_num(item, chars("n"), 1, bad.as_ptr().cast(), 3, err));
        assert!(message.contains("offset 2"), "{message}");
        assert_eq!(kstone_item_set_i64(item, bad.as_ptr().cast(), 3, 1), KSTONE_ERR_INVALID);
        assert_eq!(kstone_item_set_str(item, chars("n"), 1, bad.as_ptr().cast(), 3), KSTONE_ERR_INVALID);
        assert_eq!(kstone_item_remove(item, bad.as_ptr().cast(), 3), KSTONE_ERR_INVALID);
        let mut number = 5;
        assert_eq!(kstone_item_get_i64(item, bad.as_ptr().cast(), 3, &mut number), KSTONE_ERR_INVALID);
        assert_eq!((number, kstone_item_count(item)), (5, 0));
    }
    free(item);
}

#[test]
fn inputs_are_copied() {
    let db = open();
    let item = kstone_item_new();
    let (mut name, mut text, mut key) = (*b"name", *b"text", *b"key");
    // SAFETY: live handles, arrays of ours.
    unsafe {
        kstone_item_set_str(item, name.as_ptr().cast(), 4, text.as_ptr().cast(), 4);
        name.fill(b'x');
        text.fill(b'x');
        kstone_put(db, data(&key), 3, data(&key), 3, item, ptr::null_mut());
        key.fill(b'x');
        kstone_item_set_null(item, chars("name"), 4);
    }
    free(item);
    let found = get(db, b"key", b"key").expect("it was put");
    assert_eq!(value(found, "name"), (KSTONE_OK, 1, b"text".to_vec()));
    free(found);
    free(db);
}

#[test]
fn a_put_that_fails_changes_nothing() {
    let db = open();
    put(db, b"k", b"", 1);
    let item = numbered(2);
    // SAFETY: live handles, slices of ours.
    unsafe {
        kstone_item_set_str(item, chars("pk"), 2, chars("other"), 5);
        fails(KSTONE_ERR_INVALID, |err| kstone_put(db, data(b"k"), 1, ptr::null(), 0, item, err));
        kstone_item_remove(item, chars("pk"), 2);
        kstone_item_set_str(item, chars("big"), 3, chars(&"x".repeat(409_000)), 409_000);
        kstone_item_set_str(item, chars("more"), 4, chars(&"x".repeat(1000)), 1000);
        fails(KSTONE_ERR_LIMIT, |err| kstone_put(db, data(b"k"), 1, ptr::null(), 0, item, err));
        fails(KSTONE_ERR_INVALID, |err| {
            kstone_put_json(db, data(b"k"), 1, ptr::null(), 0, chars("{\"n\":{\"N\":\"x\"}}"), 15, 0, err)
        });
    }
    let found = get(db, b"k", b"").expect("it was put");
    assert_eq!(number_of(found), 1);
    free(found);
    free(item);
    free(db);
}

/// Calls with `out` NULL, then with everything else wrong in turn: the outputs stay as they were.
#[test]
fn outputs_are_needed_and_written_on_success_alone() {
    let db = open();
    let item = numbered(1);
    let none = ptr::null_mut::<*mut ErrorObject>();
    let (k, bad) = (data(b"k"), 0x8000u32);
    let (mut text, mut len) = (untouched::<c_char>(), 77usize);
    let (mut page, mut iter, mut read) = (untouched::<PageObject>(), untouched(), untouched::<Item>());
    let mut lent = untouched::<Item>().cast_const();
    // SAFETY: live handles and variables of ours, or NULL, which is refused.
    unsafe {
        let misuses = [
            kstone_open_memory(ptr::null(), ptr::null_mut(), none),
            kstone_stats_json(db, ptr::null_mut(), &mut len, none),
            kstone_stats_json(db, &mut text, ptr::null_mut(), none),
            kstone_item_get(item, chars("n"), 1, ptr::null_mut()),
            kstone_item_get_i64(item, chars("n"), 1, ptr::null_mut()),
            kstone_item_get_f64(item, chars("n"), 1, ptr::null_mut()),
            kstone_item_at(item, 0, ptr::null_mut(), &mut Value { r#type: 0, reserved: 0, bytes: Bytes::EMPTY }),
            kstone_item_at(item, 0, &mut Bytes { ..Bytes::EMPTY }, ptr::null_mut()),
            kstone_item_from_json(chars("{}"), 2, 0, ptr::null_mut(), none),
            kstone_item_to_json(item, 0, ptr::null_mut(), &mut len, none),
            kstone_item_to_json(item, 0, &mut text, ptr::null_mut(), none),
            kstone_get(db, k, 1, ptr::null(), 0, ptr::null_mut(), none),
            kstone_get_json(db, k, 1, ptr::null(), 0, 0, ptr::null_mut(), &mut len, none),
            kstone_get_json(db, k, 1, ptr::null(), 0, 0, &mut text, ptr::null_mut(), none),
            kstone_query(db, &spec_of(b"k"), ptr::null_mut(), none),
            kstone_scan(db, ptr::null(), ptr::null_mut(), none),
            kstone_iter_open(db, ptr::null(), ptr::null_mut(), none),
            kstone_stats_json(ptr::null(), &mut text, &mut len, none),
            kstone_item_to_json(ptr::null(), 0, &mut text, &mut len, none),
            kstone_page_to_json(ptr::null(), 0, &mut text, &mut len, none),
            kstone_get(ptr::null(), k, 1, ptr::null(), 0, &mut read, none),
            kstone_get_json(ptr::null(), k, 1, ptr::null(), 0, 0, &mut text, &mut len, none),
            kstone_query(ptr::null(), &spec_of(b"k"), &mut page, none),
            kstone_scan(ptr::null(), ptr::null(), &mut page, none),
            kstone_iter_open(ptr::null(), ptr::null(), &mut iter, none),
            kstone_iter_next(ptr::null_mut(), &mut lent, none),
        ];
        assert_eq!(misuses, [KSTONE_ERR_MISUSE; 26]);
        let invalid = [
            kstone_item_to_json(item, bad, &mut text, &mut len, none),
            kstone_item_from_json(chars("{}"), 2, bad, &mut read, none),
            kstone_item_from_json(chars("{"), 1, 0, &mut read, none),
            kstone_get(db, ptr::null(), 0, ptr::null(), 0, &mut read, none),
            kstone_get_json(db, k, 1, ptr::null(), 0, bad, &mut text, &mut len, none),
            kstone_query(db, ptr::null(), &mut page, none),
            kstone_scan(db, &spec_of(b"k"), &mut page, none),
            kstone_iter_open(db, &QuerySpec { flags: bad, ..spec() }, &mut iter, none),
        ];
        assert_eq!(invalid, [KSTONE_ERR_INVALID; 8]);
        assert_eq!(kstone_get_json(db, k, 1, ptr::null(), 0, 0, &mut text, &mut len, none), KSTONE_NOT_FOUND);
    }
    assert_eq!((text, len, page), (untouched(), 77, untouched()));
    assert_eq!((iter, read, lent.cast_mut()), (untouched(), untouched(), untouched()));
    free(item);
    free(db);
}

#[test]
fn everything_takes_null() {
    let none = ptr::null_mut::<*mut ErrorObject>();
    let (item, key, text) = (ptr::null_mut::<Item>(), ptr::null::<c_void>(), ptr::null::<c_char>());
    // SAFETY: NULL is refused, or answered with nothing.
    unsafe {
        kstone_free(ptr::null_mut());
        let misuses = [
            kstone_clear(ptr::null_mut(), none),
            kstone_flush(ptr::null_mut(), none),
            kstone_compact(ptr::null_mut(), none),
            kstone_put(ptr::null_mut(), key, 0, key, 0, item, none),
            kstone_delete(ptr::null_mut(), key, 0, key, 0, none),
            kstone_put_json(ptr::null_mut(), key, 0, key, 0, text, 0, 0, none),
            kstone_item_set_str(item, text, 0, text, 0),
            kstone_item_set_num(item, text, 0, text, 0, none),
            kstone_item_set_i64(item, text, 0, 1),
            kstone_item_set_f64(item, text, 0, 1.0),
            kstone_item_set_bin(item, text, 0, key, 0),
            kstone_item_set_bool(item, text, 0, 1),
            kstone_item_set_null(item, text, 0),
            kstone_item_set_json(item, text, 0, chars("1"), 1, KSTONE_JSON_PLAIN, none),
            kstone_item_remove(item, text, 0),
        ];
        assert_eq!(misuses, [KSTONE_ERR_MISUSE; 15]);
        assert_eq!(kstone_error_code(ptr::null()), KSTONE_OK);
        assert_eq!(kstone_error_index(ptr::null()), -1);
        assert_eq!(string(kstone_error_name(ptr::null())) + &string(kstone_error_message(ptr::null())), "");
        assert!(kstone_error_item(ptr::null()).is_null());
        assert!(kstone_item_clone(item).is_null());
        assert_eq!(kstone_item_count(item), 0);
        assert_eq!((kstone_item_pk(item), kstone_item_sk(item)), (Bytes::EMPTY, Bytes::EMPTY));
        assert_eq!((kstone_page_count(ptr::null()), kstone_page_scanned(ptr::null())), (0, 0));
        assert!(kstone_page_item(ptr::null(), 0).is_null());
        assert_eq!(kstone_page_token(ptr::null()), Bytes::EMPTY);
    }
}
