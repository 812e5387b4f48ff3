//! Filters, projections and key conditions of queries, scans and iterators.

use super::*;
use crate::item::{kstone_item_count, kstone_item_sk};
use crate::iter::{kstone_iter_next, kstone_iter_open};
use crate::page::*;
use crate::spec::*;

/// Sort keys 0 to 9 of partitions p and q, numbered like them.
fn filled() -> *mut Db {
    let db = open();
    for number in 0..10 {
        for pk in [b"p", b"q"] {
            put(db, pk, number.to_string().as_bytes(), number);
        }
    }
    db
}

fn with<'a>(spec: &'a mut QuerySpec, filter: &'static str, params: *const Item) -> &'a mut QuerySpec {
    (spec.filter, spec.filter_len, spec.params) = (chars(filter), filter.len(), params);
    spec
}

fn page_of(db: *const Db, spec: &QuerySpec) -> *mut PageObject {
    let mut page = ptr::null_mut();
    let query = spec.has_pk() || !spec.key_expr.is_null();
    // SAFETY: live handles, variables of ours.
    succeeds(KSTONE_OK, |err| unsafe {
        if query { kstone_query(db, spec, &mut page, err) } else { kstone_scan(db, spec, &mut page, err) }
    });
    page
}

/// The numbers on a page, how many it counts and how many were examined.
fn found(page: *const PageObject) -> (Vec<i64>, usize, usize) {
    // SAFETY: live handles.
    unsafe {
        let items = (0..).map(|i| kstone_page_item(page, i)).take_while(|item| !item.is_null());
        (items.map(number_of).collect(), kstone_page_count(page), kstone_page_scanned(page))
    }
}

fn read(db: *const Db, spec: &QuerySpec) -> (Vec<i64>, usize, usize) {
    let page = page_of(db, spec);
    let answer = found(page);
    free(page);
    answer
}

fn iterate(db: *const Db, spec: &QuerySpec) -> Vec<i64> {
    let (mut iter, mut item, mut numbers) = (ptr::null_mut(), ptr::null(), Vec::new());
    // SAFETY: live handles, variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_iter_open(db, spec, &mut iter, err));
        while kstone_iter_next(iter, &mut item, ptr::null_mut()) == KSTONE_OK {
            numbers.push(number_of(item));
        }
    }
    free(iter);
    numbers
}

#[test]
fn a_filter_bounds_what_is_returned_and_the_limit_what_is_examined() {
    let db = filled();
    let params = bag(&[(":min", 3)]);
    let mut spec = spec_of(b"p");
    with(&mut spec, "n > :min", params);
    assert_eq!(read(db, &spec), (vec![4, 5, 6, 7, 8, 9], 6, 10));
    spec.limit = 6;
    let first = page_of(db, &spec);
    assert_eq!(found(first), (vec![4, 5], 2, 6));
    // SAFETY: live handles.
    let token = unsafe { kstone_page_token(first) };
    let rest = QuerySpec { token: token.data.cast(), token_len: token.len, ..spec };
    assert_eq!(read(db, &rest), (vec![6, 7, 8, 9], 4, 4));
    free(first);
    assert_eq!(iterate(db, &spec), [4, 5], "examined, not returned");
    spec.limit = 3;
    let empty = page_of(db, &spec);
    assert_eq!(found(empty), (vec![], 0, 3));
    // SAFETY: live handles.
    assert!(unsafe { kstone_page_token(empty) }.len > 0);
    free(empty);
    let counting = QuerySpec { limit: 0, flags: KSTONE_QUERY_COUNT, ..spec };
    assert_eq!(read(db, &counting), (vec![], 6, 10));
    let all = QuerySpec { pk: ptr::null(), pk_len: 0, ..counting };
    assert_eq!(read(db, &all), (vec![], 12, 20));
    assert_eq!(iterate(db, &QuerySpec { flags: 0, ..all }).len(), 12);
    free(params);
    free(db);
}

#[test]
fn a_key_expression_is_the_same_query() {
    let db = filled();
    let params = texts(&[(":p", "p"), (":low", "3"), (":high", "5")]);
    let text = "pk = :p AND sk BETWEEN :low AND :high";
    let spec = QuerySpec { key_expr: chars(text), key_expr_len: text.len(), params, ..spec() };
    assert_eq!(read(db, &spec), (vec![3, 4, 5], 3, 3));
    assert_eq!(iterate(db, &spec), [3, 4, 5]);
    let reversed = QuerySpec { flags: KSTONE_QUERY_REVERSE, limit: 2, ..spec };
    let first = page_of(db, &reversed);
    assert_eq!(found(first).0, [5, 4]);
    // SAFETY: live handles.
    let token = unsafe { kstone_page_token(first) };
    assert_eq!(read(db, &QuerySpec { token: token.data.cast(), token_len: token.len, ..reversed }).0, [3]);
    free(first);
    let mut page = untouched();
    // SAFETY: live handles, variables of ours.
    unsafe {
        let both = QuerySpec { pk: data(b"p"), pk_len: 1, ..spec };
        let message = fails(KSTONE_ERR_INVALID, |err| kstone_query(db, &both, &mut page, err));
        assert!(message.contains("key_expr"), "{message}");
        let sorted = QuerySpec { sk_op: KSTONE_SK_GT, sk1: data(b"1"), sk1_len: 1, ..spec };
        let message = fails(KSTONE_ERR_INVALID, |err| kstone_query(db, &sorted, &mut page, err));
        assert!(message.contains("key_expr"), "{message}");
    }
    assert_eq!(page, untouched());
    free(params);
    free(db);
}

#[test]
fn a_projection_returns_parts_under_the_same_key() {
    let db = filled();
    let names = texts(&[("#n", "n")]);
    let text = c"#n, sk".as_ptr();
    let parts = QuerySpec { projection: text, projection_len: KSTONE_STRLEN, params: names, ..spec_of(b"p") };
    let page = page_of(db, &QuerySpec { limit: 2, ..parts });
    // SAFETY: live handles.
    unsafe {
        let item = kstone_page_item(page, 1);
        assert_eq!((number_of(item), kstone_item_count(item)), (1, 2));
        assert_eq!((value(item, "sk").2, bytes_of(kstone_item_sk(item))), (b"1".to_vec(), &b"1"[..]));
    }
    free(page);
    assert_eq!(iterate(db, &parts).len(), 10);
    let scanned = QuerySpec { pk: ptr::null(), pk_len: 0, ..parts };
    assert_eq!(read(db, &scanned).1, 20);
    let mut page = untouched();
    for flags in [KSTONE_QUERY_COUNT, KSTONE_QUERY_KEYS_ONLY] {
        // SAFETY: live handles, variables of ours.
        fails(KSTONE_ERR_INVALID, |err| unsafe { kstone_query(db, &QuerySpec { flags, ..parts }, &mut page, err) });
    }
    free(names);
    free(db);
}

#[test]
fn what_is_wrong_with_an_expression_is_said() {
    let db = filled();
    let (min, unused) = (bag(&[(":min", 3)]), bag(&[(":min", 3), (":other", 1)]));
    let filter = |filter: &'static str, params| *with(&mut spec(), filter, params);
    let projection = QuerySpec { projection: c"n, n".as_ptr(), projection_len: KSTONE_STRLEN, ..spec() };
    let not_utf8 = QuerySpec { filter: c"\xff".as_ptr(), filter_len: 1, ..spec() };
    let both = [
        (KSTONE_ERR_INVALID, filter("n > ", ptr::null()), "Syntax error"),
        (KSTONE_ERR_INVALID, filter("n > :min", ptr::null()), ":min"),
        (KSTONE_ERR_INVALID, filter("n > :min", unused), ":other"),
        (KSTONE_ERR_INVALID, QuerySpec { params: min, ..spec() }, "unused"),
        (KSTONE_ERR_INVALID, filter("", min), "kstone_query_spec.filter"),
        (KSTONE_ERR_INVALID, not_utf8, "kstone_query_spec.filter"),
        (KSTONE_ERR_INVALID, projection, "overlap"),
        (KSTONE_ERR_MISUSE, QuerySpec { filter_len: 1, ..spec() }, "kstone_query_spec.filter"),
        (KSTONE_ERR_MISUSE, QuerySpec { projection_len: 1, ..spec() }, "kstone_query_spec.projection"),
        (KSTONE_ERR_MISUSE, QuerySpec { params: db.cast(), ..spec() }, "kstone_item"),
    ];
    let (mut page, mut iter) = (untouched(), untouched());
    // SAFETY: live handles, variables of ours.
    unsafe {
        for (status, spec, part) in both {
            let keyed = QuerySpec { pk: data(b"p"), pk_len: 1, ..spec };
            for message in [
                fails(status, |err| kstone_scan(db, &spec, &mut page, err)),
                fails(status, |err| kstone_query(db, &keyed, &mut page, err)),
                fails(status, |err| kstone_iter_open(db, &spec, &mut iter, err)),
                fails(status, |err| kstone_iter_open(db, &keyed, &mut iter, err)),
            ] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
        let lone = QuerySpec { key_expr_len: 3, ..spec() };
        let message = fails(KSTONE_ERR_MISUSE, |err| kstone_query(db, &lone, &mut page, err));
        assert!(message.contains("key_expr"), "{message}");
        let on_key = QuerySpec { pk: data(b"p"), pk_len: 1, ..filter("sk = :min", min) };
        let message = fails(KSTONE_ERR_INVALID, |err| kstone_query(db, &on_key, &mut page, err));
        assert!(message.contains("sk"), "{message}");
    }
    assert_eq!((page, iter), (untouched(), untouched()));
    free(min);
    free(unused);
    free(db);
}
