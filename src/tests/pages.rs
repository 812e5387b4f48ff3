//! Queries, scans, pages and iterators.

use super::*;
use crate::item::{kstone_item_count, kstone_item_pk, kstone_item_sk};
use crate::iter::{kstone_iter_next, kstone_iter_open};
use crate::json_form::KSTONE_JSON_PLAIN;
use crate::page::*;
use crate::spec::*;

/// Sort keys "", "a", "aa", "ab", "b" and "c" of partition p, numbered from 0; and partitions q0 to q9.
fn filled() -> *mut Db {
    let db = open();
    for (number, sk) in ["", "a", "aa", "ab", "b", "c"].iter().enumerate() {
        put(db, b"p", sk.as_bytes(), number as i64);
    }
    for number in 0..10 {
        put(db, format!("q{number}").as_bytes(), b"", number);
    }
    db
}

fn numbers(page: *const PageObject) -> Vec<i64> {
    // SAFETY: live handles.
    unsafe { (0..kstone_page_count(page)).map(|i| number_of(kstone_page_item(page, i))).collect() }
}

fn query(db: *const Db, spec: QuerySpec) -> *mut PageObject {
    let mut page = ptr::null_mut();
    // SAFETY: live handles, variables of ours.
    succeeds(KSTONE_OK, |err| unsafe { kstone_query(db, &spec, &mut page, err) });
    page
}

fn scan(db: *const Db, spec: QuerySpec) -> *mut PageObject {
    let mut page = ptr::null_mut();
    // SAFETY: live handles, variables of ours.
    succeeds(KSTONE_OK, |err| unsafe { kstone_scan(db, &spec, &mut page, err) });
    page
}

fn queried(db: *const Db, spec: QuerySpec) -> Vec<i64> {
    let page = query(db, spec);
    let found = numbers(page);
    free(page);
    found
}

#[test]
fn every_condition_selects_its_range() {
    let db = filled();
    let with = |sk_op, sk1: &'static [u8], sk2: &'static [u8]| QuerySpec {
        sk_op,
        sk1: data(sk1),
        sk1_len: sk1.len(),
        sk2: data(sk2),
        sk2_len: sk2.len(),
        ..spec_of(b"p")
    };
    assert_eq!(queried(db, spec_of(b"p")), [0, 1, 2, 3, 4, 5]);
    assert_eq!(queried(db, with(KSTONE_SK_EQ, b"aa", b"")), [2]);
    assert_eq!(queried(db, with(KSTONE_SK_LT, b"aa", b"")), [1], "item 0 has no sort key");
    assert_eq!(queried(db, with(KSTONE_SK_LE, b"aa", b"")), [1, 2]);
    assert_eq!(queried(db, with(KSTONE_SK_GT, b"aa", b"")), [3, 4, 5]);
    assert_eq!(queried(db, with(KSTONE_SK_GE, b"aa", b"")), [2, 3, 4, 5]);
    assert_eq!(queried(db, with(KSTONE_SK_BETWEEN, b"aa", b"b")), [2, 3, 4]);
    assert_eq!(queried(db, with(KSTONE_SK_BEGINS_WITH, b"a", b"")), [1, 2, 3]);
    let reverse = QuerySpec { flags: KSTONE_QUERY_REVERSE, ..with(KSTONE_SK_BEGINS_WITH, b"a", b"") };
    assert_eq!(queried(db, reverse), [3, 2, 1]);
    assert_eq!(queried(db, spec_of(b"absent")), [0; 0]);
    let mut page = untouched();
    let backwards = with(KSTONE_SK_BETWEEN, b"b", b"aa");
    // SAFETY: live handles, variables of ours.
    fails(KSTONE_ERR_INVALID, |err| unsafe { kstone_query(db, &backwards, &mut page, err) });
    free(db);
}

#[test]
fn a_token_leads_to_the_next_page() {
    let db = filled();
    for flags in [0, KSTONE_QUERY_REVERSE] {
        let mut found = Vec::new();
        let mut spec = QuerySpec { limit: 4, flags, ..spec_of(b"p") };
        let first = query(db, spec);
        found.extend(numbers(first));
        // SAFETY: live handles.
        let token = unsafe { kstone_page_token(first) };
        assert_eq!(found.len(), 4);
        assert!(token.len > 0);
        (spec.token, spec.token_len) = (token.data.cast(), token.len);
        let second = query(db, spec);
        found.extend(numbers(second));
        // SAFETY: live handles.
        assert_eq!(unsafe { kstone_page_token(second) }, Bytes::EMPTY);
        let mut page = untouched();
        let other = QuerySpec { pk: data(b"q1"), pk_len: 2, ..spec };
        // SAFETY: live handles, variables of ours.
        fails(KSTONE_ERR_INVALID, |err| unsafe { kstone_query(db, &other, &mut page, err) });
        free(first);
        free(second);
        if flags != 0 {
            found.reverse();
        }
        assert_eq!(found, [0, 1, 2, 3, 4, 5]);
    }
    free(db);
}

#[test]
fn count_and_keys_only_hand_out_less() {
    let db = filled();
    let counted = query(db, QuerySpec { flags: KSTONE_QUERY_COUNT, ..spec_of(b"p") });
    let keys = query(db, QuerySpec { flags: KSTONE_QUERY_KEYS_ONLY, ..spec_of(b"p") });
    // SAFETY: live handles.
    unsafe {
        assert_eq!((kstone_page_count(counted), kstone_page_scanned(counted)), (6, 6));
        assert!(kstone_page_item(counted, 0).is_null());
        assert_eq!(kstone_page_count(keys), 6);
        let item = kstone_page_item(keys, 2);
        assert_eq!((bytes_of(kstone_item_pk(item)), bytes_of(kstone_item_sk(item))), (&b"p"[..], &b"aa"[..]));
        assert_eq!(kstone_item_count(item), 2);
        assert_eq!(value(item, "sk"), (KSTONE_OK, 1, b"aa".to_vec()));
    }
    free(counted);
    free(keys);
    free(db);
}

#[test]
fn segments_of_a_scan_are_all_items_once() {
    let db = filled();
    let whole = scan(db, spec());
    let mut expected = numbers(whole);
    expected.sort_unstable();
    let mut found = Vec::new();
    for segment in 0..3 {
        let mut spec = QuerySpec { segment, segments: 3, limit: 2, ..spec() };
        let mut last = ptr::null_mut();
        loop {
            let page = scan(db, spec);
            // The token was borrowed from the page before.
            free(last);
            last = page;
            found.extend(numbers(page));
            // SAFETY: live handles.
            let token = unsafe { kstone_page_token(page) };
            if token.len == 0 {
                break;
            }
            (spec.token, spec.token_len) = (token.data.cast(), token.len);
        }
        free(last);
    }
    found.sort_unstable();
    assert_eq!((found.len(), found), (16, expected));
    free(whole);
    free(db);
}

#[test]
fn a_page_is_json_too() {
    let db = filled();
    let page = query(db, QuerySpec { limit: 2, ..spec_of(b"p") });
    let (mut text, mut len) = (ptr::null_mut(), 0);
    // SAFETY: live handles, variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_page_to_json(page, KSTONE_JSON_PLAIN, &mut text, &mut len, err));
        assert_eq!(string(text), r#"{"Count":2,"Items":[{"n":0},{"n":1}],"ScannedCount":2}"#);
        assert_eq!(string(text).len(), len);
        fails(KSTONE_ERR_INVALID, |err| kstone_page_to_json(page, 2, &mut text, &mut len, err));
    }
    free(text);
    free(page);
    free(db);
}

#[test]
fn an_iterator_goes_through_a_partition_or_all() {
    let db = filled();
    let all = |spec: &QuerySpec| {
        let (mut iter, mut item, mut found) = (ptr::null_mut(), ptr::null(), Vec::new());
        // SAFETY: live handles, variables of ours.
        unsafe {
            succeeds(KSTONE_OK, |err| kstone_iter_open(db, spec, &mut iter, err));
            while kstone_iter_next(iter, &mut item, ptr::null_mut()) == KSTONE_OK {
                found.push(number_of(item));
            }
            // The last item went with the iterator's end.
            assert_eq!(kstone_item_count(item), 0);
        }
        free(iter);
        found
    };
    assert_eq!(all(&spec_of(b"p")), [0, 1, 2, 3, 4, 5]);
    assert_eq!(all(&QuerySpec { flags: KSTONE_QUERY_REVERSE, limit: 2, ..spec_of(b"p") }), [5, 4]);
    assert_eq!(all(&spec()).len(), 16);
    let halves = [0, 1].map(|segment| all(&QuerySpec { segment, segments: 2, ..spec() }).len());
    assert_eq!(halves.iter().sum::<usize>(), 16);
    let first = query(db, QuerySpec { limit: 3, ..spec_of(b"p") });
    // SAFETY: live handles.
    let token = unsafe { kstone_page_token(first) };
    assert_eq!(all(&QuerySpec { token: token.data.cast(), token_len: token.len, ..spec_of(b"p") }), [3, 4, 5]);
    free(first);
    free(db);
}
