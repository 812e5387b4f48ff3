//! Conditional writes and updates.

use super::*;
use crate::error::{kstone_error_index, kstone_error_item};
use crate::item::{kstone_item_count, kstone_item_pk, kstone_item_sk};
use crate::write::*;

/// Puts {"n": number} under ("k", "s") on a condition.
fn put_if(db: *mut Db, number: i64, cond: *const Cond, old: *mut *mut Item, err: *mut *mut ErrorObject) -> Status {
    let item = numbered(number);
    // SAFETY: live handles, slices and variables of ours.
    let status = unsafe { kstone_put_if(db, data(b"k"), 1, data(b"s"), 1, item, cond, old, err) };
    free(item);
    status
}

fn delete_if(db: *mut Db, cond: *const Cond, old: *mut *mut Item, err: *mut *mut ErrorObject) -> Status {
    // SAFETY: live handles, slices and variables of ours.
    unsafe { kstone_delete_if(db, data(b"k"), 1, data(b"s"), 1, cond, old, err) }
}

struct Change {
    expr: &'static str,
    params: *const Item,
    cond: *const Cond,
    return_values: u32,
}

fn update(db: *mut Db, change: &Change, returned: *mut *mut Item, err: *mut *mut ErrorObject) -> Status {
    let (expr, len) = (chars(change.expr), change.expr.len());
    let (params, cond, values) = (change.params, change.cond, change.return_values);
    // SAFETY: live handles, slices and variables of ours.
    unsafe { kstone_update(db, data(b"k"), 1, data(b"s"), 1, expr, len, params, cond, values, returned, err) }
}

fn number_in(db: *const Db) -> Option<i64> {
    let item = get(db, b"k", b"s")?;
    let number = number_of(item);
    free(item);
    Some(number)
}

#[test]
fn a_write_on_a_condition_writes_or_fails_and_changes_nothing() {
    let db = open();
    let absent = cond("attribute_not_exists(pk)", ptr::null());
    succeeds(KSTONE_OK, |err| put_if(db, 1, &absent, ptr::null_mut(), err));
    let mut old = untouched();
    fails(KSTONE_ERR_CONDITION_FAILED, |err| put_if(db, 2, &absent, &mut old, err));
    fails(KSTONE_ERR_CONDITION_FAILED, |err| delete_if(db, &absent, &mut old, err));
    let add = Change { expr: "SET n = n + n", params: ptr::null(), cond: &absent, return_values: 0 };
    fails(KSTONE_ERR_CONDITION_FAILED, |err| update(db, &add, &mut old, err));
    assert_eq!((number_in(db), old), (Some(1), untouched()));

    let params = bag(&[(":n", 1)]);
    let present = cond("n = :n", params);
    succeeds(KSTONE_OK, |err| put_if(db, 3, &present, ptr::null_mut(), err));
    fails(KSTONE_ERR_CONDITION_FAILED, |err| delete_if(db, &present, ptr::null_mut(), err));
    assert_eq!(number_in(db), Some(3));
    succeeds(KSTONE_OK, |err| delete_if(db, ptr::null(), ptr::null_mut(), err));
    assert_eq!(number_in(db), None);
    free(params);
    free(db);
}

#[test]
fn a_write_returns_the_old_item_or_null() {
    let db = open();
    let mut old = untouched();
    succeeds(KSTONE_OK, |err| put_if(db, 1, ptr::null(), &mut old, err));
    assert!(old.is_null());
    succeeds(KSTONE_OK, |err| put_if(db, 2, ptr::null(), &mut old, err));
    let first = old;
    succeeds(KSTONE_OK, |err| delete_if(db, ptr::null(), &mut old, err));
    assert_eq!((number_of(first), number_of(old)), (1, 2));
    free(db);
    // SAFETY: live handles.
    unsafe {
        assert_eq!((bytes_of(kstone_item_pk(old)), bytes_of(kstone_item_sk(old))), (&b"k"[..], &b"s"[..]));
    }
    free(first);
    free(old);
}

#[test]
fn an_error_has_the_old_item_where_that_was_asked_for() {
    let db = open();
    put(db, b"k", b"s", 7);
    let failing = |return_old, expr| {
        let mut err = ptr::null_mut();
        let cond = Cond { return_old, ..cond(expr, ptr::null()) };
        assert_eq!(put_if(db, 8, &cond, ptr::null_mut(), &mut err), KSTONE_ERR_CONDITION_FAILED);
        err
    };
    let (without, with) = (failing(0, "attribute_not_exists(pk)"), failing(1, "attribute_not_exists(pk)"));
    delete(db, b"k", b"s");
    let absent = failing(1, "attribute_exists(pk)");
    free(db);
    // SAFETY: live handles.
    unsafe {
        let item = kstone_error_item(with);
        for _ in 0..2 {
            assert_eq!((number_of(item), bytes_of(kstone_item_sk(item))), (7, &b"s"[..]));
            free(item);
        }
        assert_eq!(kstone_error_index(with), -1);
        assert!(kstone_error_item(without).is_null() && kstone_error_item(absent).is_null());
    }
    for err in [without, with, absent] {
        free(err);
    }
}

#[test]
fn an_update_returns_what_is_asked_of_it() {
    let db = open();
    let params = bag(&[(":one", 1)]);
    let mut returned = untouched();
    let with = |return_values| Change { expr: "ADD n :one SET m = :one", params, cond: ptr::null(), return_values };
    succeeds(KSTONE_OK, |err| update(db, &with(KSTONE_RETURN_ALL_OLD), &mut returned, err));
    assert!(returned.is_null(), "there was no item");
    let cases = [
        (KSTONE_RETURN_ALL_OLD, Some((1, 2))),
        (KSTONE_RETURN_UPDATED_OLD, Some((2, 2))),
        (KSTONE_RETURN_ALL_NEW, Some((4, 2))),
        (KSTONE_RETURN_UPDATED_NEW, Some((5, 2))),
        (KSTONE_RETURN_NONE, None),
    ];
    for (return_values, expected) in cases {
        succeeds(KSTONE_OK, |err| update(db, &with(return_values), &mut returned, err));
        // SAFETY: live handles.
        let found = (!returned.is_null()).then(|| unsafe { (number_of(returned), kstone_item_count(returned)) });
        assert_eq!(found, expected, "return_values {return_values}");
        free(returned);
    }
    succeeds(KSTONE_OK, |err| update(db, &with(KSTONE_RETURN_ALL_NEW), ptr::null_mut(), err));
    assert_eq!(number_in(db), Some(7));
    let message = fails(KSTONE_ERR_INVALID, |err| update(db, &with(5), &mut returned, err));
    assert!(message.contains("return_values"), "{message}");
    let remove = Change { expr: "REMOVE absent_one", params: ptr::null(), ..with(KSTONE_RETURN_UPDATED_NEW) };
    succeeds(KSTONE_OK, |err| update(db, &remove, &mut returned, err));
    assert!(returned.is_null(), "nothing is there");
    free(params);
    free(db);
}

#[test]
fn each_expression_reads_its_own_bag() {
    let db = open();
    put(db, b"k", b"s", 1);
    let (one, five, both) = (bag(&[(":v", 1)]), bag(&[(":v", 5)]), bag(&[(":v", 1), (":w", 1)]));
    let add = |params, cond: *const Cond| Change { expr: "SET n = n + :v", params, cond, return_values: 0 };
    let own = cond("n < :v", five);
    succeeds(KSTONE_OK, |err| update(db, &add(one, &own), ptr::null_mut(), err));
    let shared = cond("n > :w", ptr::null());
    succeeds(KSTONE_OK, |err| update(db, &add(both, &shared), ptr::null_mut(), err));
    assert_eq!(number_in(db), Some(3));

    let unused = "unused in expressions";
    let message = fails(KSTONE_ERR_INVALID, |err| update(db, &add(both, ptr::null()), ptr::null_mut(), err));
    assert!(message.contains(unused) && message.contains(":w"), "{message}");
    let message = fails(KSTONE_ERR_INVALID, |err| update(db, &add(both, &own), ptr::null_mut(), err));
    assert!(message.contains(unused), "{message}");
    let message = fails(KSTONE_ERR_INVALID, |err| put_if(db, 1, &cond("n = :w", both), ptr::null_mut(), err));
    assert!(message.contains(unused) && message.contains(":v"), "{message}");
    let bare = Cond { expr: ptr::null(), expr_len: 0, ..own };
    let message = fails(KSTONE_ERR_INVALID, |err| put_if(db, 1, &bare, ptr::null_mut(), err));
    assert!(message.contains(unused), "a bag without an expression: {message}");
    let message = fails(KSTONE_ERR_INVALID, |err| put_if(db, 1, &shared, ptr::null_mut(), err));
    assert!(message.contains("not defined") && message.contains(":w"), "{message}");
    assert_eq!(number_in(db), Some(3));
    for item in [one, five, both] {
        free(item);
    }
    free(db);
}

#[test]
fn a_bag_may_be_the_item_itself_or_one_that_was_read() {
    let db = open();
    let both = bag(&[(":n", 1)]);
    let same = cond("attribute_not_exists(n) OR n < :n", both);
    // SAFETY: live handles, slices of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_put_if(db, data(b"k"), 1, data(b"s"), 1, both, &same, ptr::null_mut(), err));
    }
    let stored = get(db, b"k", b"s").expect("it was put");
    let change = Change { expr: "SET n = :n", params: stored, cond: ptr::null(), return_values: 0 };
    succeeds(KSTONE_OK, |err| update(db, &change, ptr::null_mut(), err));
    assert_eq!(number_in(db), Some(1));
    free(stored);
    free(both);
    free(db);
}

#[test]
fn a_cond_is_refused_by_the_name_of_the_field() {
    let db = open();
    let good = cond("attribute_not_exists(pk)", ptr::null());
    let other = bag(&[("n", 1)]);
    let cases = [
        (KSTONE_ERR_INVALID, Cond { expr_len: 0, ..good }, "kstone_cond.expr"),
        (KSTONE_ERR_INVALID, Cond { expr: c"".as_ptr(), expr_len: KSTONE_STRLEN, ..good }, "kstone_cond.expr"),
        (KSTONE_ERR_MISUSE, Cond { expr: ptr::null(), ..good }, "kstone_cond.expr"),
        (KSTONE_ERR_INVALID, Cond { return_old: 2, ..good }, "kstone_cond.return_old"),
        (KSTONE_ERR_INVALID, Cond { reserved: 1, ..good }, "kstone_cond.reserved"),
        (KSTONE_ERR_INVALID, Cond { struct_size: 0, ..good }, "kstone_cond.struct_size"),
        (KSTONE_ERR_INVALID, Cond { struct_size: size_of::<Cond>() - 1, ..good }, "kstone_cond.struct_size"),
        (KSTONE_ERR_INVALID, Cond { params: other, ..good }, "invalid key"),
        (KSTONE_ERR_MISUSE, Cond { params: db.cast(), ..good }, "kstone_item"),
        (KSTONE_ERR_INVALID, cond("n = ", ptr::null()), "Syntax error"),
        (KSTONE_ERR_INVALID, cond("size = n", ptr::null()), "reserved"),
    ];
    for (status, cond, part) in cases {
        let message = fails(status, |err| put_if(db, 1, &cond, ptr::null_mut(), err));
        assert!(message.contains(part), "{part}: {message}");
        let message = fails(status, |err| delete_if(db, &cond, ptr::null_mut(), err));
        assert!(message.contains(part), "{part}: {message}");
    }
    let empty = Change { expr: "", params: ptr::null(), cond: ptr::null(), return_values: 0 };
    fails(KSTONE_ERR_INVALID, |err| update(db, &empty, ptr::null_mut(), err));
    // An older struct ends before its bag; what lies beyond is nonsense, and must not be read.
    let older = Cond { struct_size: std::mem::offset_of!(Cond, params), params: untouched(), return_old: 9, ..good };
    assert_eq!(number_in(db), None);
    succeeds(KSTONE_OK, |err| put_if(db, 1, &older, ptr::null_mut(), err));
    free(other);
    free(db);
}

#[test]
fn what_an_update_cannot_do_changes_nothing() {
    let db = open();
    put(db, b"k", b"s", 1);
    let long = kstone_item_new();
    let text = "x".repeat(300_000);
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_item_set_str(long, c":x".as_ptr(), 2, chars(&text), text.len()) };
    assert_eq!(status, KSTONE_OK);
    let with = |expr, params| Change { expr, params, cond: ptr::null(), return_values: KSTONE_RETURN_ALL_NEW };
    let cases = [
        (KSTONE_ERR_INVALID, with("SET n = absent_one", ptr::null())),
        (KSTONE_ERR_INVALID, with("SET pk = n", ptr::null())),
        (KSTONE_ERR_INVALID, with("SET n = n REMOVE n", ptr::null())),
        (KSTONE_ERR_INVALID, with("SET n = n +", ptr::null())),
        (KSTONE_ERR_LIMIT, with("SET a = :x, b = :x", long)),
    ];
    for (status, change) in cases {
        let mut returned = untouched();
        fails(status, |err| update(db, &change, &mut returned, err));
        assert_eq!(returned, untouched(), "{}", change.expr);
    }
    assert_eq!(number_in(db), Some(1));
    free(long);
    free(db);
}

/// Kilobytes of this process that are in memory.
#[cfg(all(target_os = "linux", feature = "mimalloc"))]
fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("Linux says it");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of kB")
}

#[cfg(all(target_os = "linux", feature = "mimalloc"))]
#[test]
fn compacting_gives_the_memory_of_what_was_deleted_back_to_the_system() {
    const ITEMS: i64 = 300_000;
    let db = open();
    let before = resident_kib();
    for number in 0..ITEMS {
        put(db, &number.to_be_bytes(), b"", number);
    }
    let grown = resident_kib() - before;
    for number in 0..ITEMS {
        let key = number.to_be_bytes();
        // SAFETY: a live handle, a key of ours.
        let deleted = unsafe { kstone_delete(db, key.as_ptr().cast(), key.len(), ptr::null(), 0, ptr::null_mut()) };
        assert_eq!(deleted, KSTONE_OK);
    }
    // SAFETY: a live handle.
    assert_eq!(unsafe { crate::maintenance::kstone_compact(db, ptr::null_mut()) }, KSTONE_OK);
    let left = resident_kib().saturating_sub(before);
    assert!(grown > 12_000 && left < grown / 2, "grown by {grown} KiB, {left} of them left");
    free(db);
}
