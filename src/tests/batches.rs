//! Batches: atomic or each operation by itself.

use super::*;
use crate::batch::*;
use crate::error::{kstone_error_index, kstone_error_item};
use crate::json_form::KSTONE_JSON_PLAIN;
use crate::page::*;

fn add_put(batch: *mut Batch, pk: &str, number: i64, cond: *const Cond) {
    let item = numbered(number);
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_batch_put(batch, data(pk.as_bytes()), pk.len(), ptr::null(), 0, item, cond) };
    assert_eq!(status, KSTONE_OK);
    free(item);
}

fn add_update(batch: *mut Batch, pk: &str, expr: &str, params: *const Item) {
    let (pk, pk_len) = (data(pk.as_bytes()), pk.len());
    let (expr, len) = (chars(expr), expr.len());
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_batch_update(batch, pk, pk_len, ptr::null(), 0, expr, len, params, ptr::null()) };
    assert_eq!(status, KSTONE_OK);
}

fn add_check(batch: *mut Batch, pk: &str, cond: *const Cond) {
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_batch_check(batch, data(pk.as_bytes()), pk.len(), ptr::null(), 0, cond) };
    assert_eq!(status, KSTONE_OK);
}

fn add_delete(batch: *mut Batch, pk: &str) {
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_batch_delete(batch, data(pk.as_bytes()), pk.len(), ptr::null(), 0, ptr::null()) };
    assert_eq!(status, KSTONE_OK);
}

fn add_get(batch: *mut Batch, pk: &str) {
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_batch_get(batch, data(pk.as_bytes()), pk.len(), ptr::null(), 0) };
    assert_eq!(status, KSTONE_OK);
}

/// What the gets of the batch find.
fn run(db: *mut Db, batch: *mut Batch, flags: u32) -> Vec<Option<i64>> {
    let mut page = ptr::null_mut();
    // SAFETY: live handles, variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_batch_run(db, batch, flags, &mut page, err));
        let (count, scanned) = (kstone_page_count(page), kstone_page_scanned(page));
        assert_eq!((count, kstone_page_token(page)), (scanned, Bytes::EMPTY));
        let items = (0..count).map(|i| kstone_page_item(page, i));
        let numbers = items.map(|item| (!item.is_null()).then(|| number_of(item))).collect();
        assert!(kstone_page_item(page, count).is_null());
        free(page);
        numbers
    }
}

/// A run that fails: index, exception, message and the number of the error's item.
fn run_fails(db: *mut Db, batch: *mut Batch, flags: u32, status: Status) -> (i32, String, String, Option<i64>) {
    let (mut page, mut err) = (untouched(), ptr::null_mut());
    // SAFETY: live handles, variables of ours.
    unsafe {
        assert_eq!(kstone_batch_run(db, batch, flags, &mut page, &mut err), status);
        assert_eq!((page, kstone_error_code(err)), (untouched(), status));
        let item = kstone_error_item(err);
        let number = (!item.is_null()).then(|| number_of(item));
        let said = (kstone_error_index(err), string(kstone_error_name(err)), string(kstone_error_message(err)), number);
        free(err);
        said
    }
}

fn n_of(db: *const Db, pk: &str) -> Option<i64> {
    let item = get(db, pk.as_bytes(), b"")?;
    let number = number_of(item);
    free(item);
    Some(number)
}

#[test]
fn a_batch_runs_in_order_and_again() {
    let db = open();
    let batch = kstone_batch_new();
    let params = bag(&[(":one", 1)]);
    add_get(batch, "a");
    add_update(batch, "a", "ADD n :one", params);
    free(params);
    add_get(batch, "a");
    add_delete(batch, "gone");
    assert_eq!(run(db, batch, 0), [None, Some(1)]);
    assert_eq!(run(db, batch, 0), [Some(1), Some(2)]);
    // SAFETY: live handles.
    unsafe { succeeds(KSTONE_OK, |err| kstone_batch_run(db, batch, 0, ptr::null_mut(), err)) };
    assert_eq!(n_of(db, "a"), Some(3));
    let other = open();
    assert_eq!(run(other, batch, 0), [None, Some(1)]);
    free(batch);
    free(db);
    free(other);
}

#[test]
fn a_batch_by_itself_stops_at_the_first_failure() {
    let db = open();
    put(db, b"b", b"", 5);
    let batch = kstone_batch_new();
    add_put(batch, "a", 1, ptr::null());
    add_put(batch, "b", 2, &Cond { return_old: 1, ..cond("attribute_not_exists(pk)", ptr::null()) });
    add_put(batch, "c", 3, ptr::null());
    let (index, name, _, item) = run_fails(db, batch, 0, KSTONE_ERR_CONDITION_FAILED);
    assert_eq!((index, name.as_str(), item), (1, "ConditionalCheckFailedException", Some(5)));
    assert_eq!((n_of(db, "a"), n_of(db, "b"), n_of(db, "c")), (Some(1), Some(5), None));
    free(batch);
    free(db);
}

#[test]
fn an_atomic_batch_does_all_or_nothing() {
    let db = open();
    put(db, b"b", b"", 5);
    let batch = kstone_batch_new();
    let least = bag(&[(":least", 6)]);
    let enough = Cond { return_old: 1, ..cond("n >= :least", least) };
    add_get(batch, "a");
    add_put(batch, "a2", 1, ptr::null());
    add_check(batch, "b", &enough);
    add_put(batch, "c", 2, &Cond { return_old: 1, ..cond("attribute_exists(pk)", ptr::null()) });
    free(least);
    let (index, name, message, item) = run_fails(db, batch, KSTONE_BATCH_ATOMIC, KSTONE_ERR_CONDITION_FAILED);
    assert_eq!((index, name.as_str(), item), (2, "TransactionCanceledException", Some(5)));
    assert!(message.contains("[None, None, ConditionalCheckFailed, ConditionalCheckFailed]"), "{message}");
    assert_eq!((n_of(db, "a2"), n_of(db, "c")), (None, None));
    put(db, b"b", b"", 6);
    put(db, b"c", b"", 1);
    assert_eq!(run(db, batch, KSTONE_BATCH_ATOMIC), [None]);
    assert_eq!((n_of(db, "a2"), n_of(db, "c")), (Some(1), Some(2)));
    free(batch);
    free(db);
}

#[test]
fn gets_of_an_atomic_batch_see_the_moment_before_it() {
    let db = open();
    put(db, b"a", b"", 1);
    let gets = kstone_batch_new();
    for pk in ["a", "absent", "b"] {
        add_get(gets, pk);
    }
    assert_eq!(run(db, gets, KSTONE_BATCH_ATOMIC), [Some(1), None, None]);
    let mixed = kstone_batch_new();
    add_put(mixed, "b", 2, ptr::null());
    add_get(mixed, "a");
    add_delete(mixed, "c");
    add_get(mixed, "absent");
    assert_eq!(run(db, mixed, KSTONE_BATCH_ATOMIC), [Some(1), None]);
    assert_eq!(run(db, gets, KSTONE_BATCH_ATOMIC), [Some(1), None, Some(2)]);
    let (mut page, mut text, mut len) = (ptr::null_mut(), ptr::null_mut(), 0);
    // SAFETY: live handles, variables of ours.
    unsafe {
        succeeds(KSTONE_OK, |err| kstone_batch_run(db, gets, 0, &mut page, err));
        succeeds(KSTONE_OK, |err| kstone_page_to_json(page, KSTONE_JSON_PLAIN, &mut text, &mut len, err));
        assert_eq!(string(text), r#"{"Count":3,"Items":[{"n":1},null,{"n":2}],"ScannedCount":3}"#);
    }
    for pointer in [gets.cast::<c_void>(), mixed.cast(), page.cast(), text.cast(), db.cast()] {
        free(pointer);
    }
}

#[test]
fn what_is_wrong_with_an_operation_is_told_with_its_index() {
    let db = open();
    put(db, b"a", b"", 1);
    let huge = kstone_item_new();
    let text = "x".repeat(300_000);
    // SAFETY: live handles, slices of ours.
    let status = unsafe { kstone_item_set_str(huge, c":x".as_ptr(), 2, chars(&text), text.len()) };
    assert_eq!(status, KSTONE_OK);
    let cases: [(&str, *const Item, Status, &str, bool); 4] = [
        ("SET n = ", ptr::null(), KSTONE_ERR_INVALID, "Syntax error", false),
        ("SET n = :missing", ptr::null(), KSTONE_ERR_INVALID, ":missing", false),
        ("SET n = absent_one", ptr::null(), KSTONE_ERR_INVALID, "operation 2", true),
        ("SET b = :x, c = :x", huge, KSTONE_ERR_LIMIT, "operation 2", true),
    ];
    for (expr, params, status, part, cancels) in cases {
        let batch = kstone_batch_new();
        add_get(batch, "b");
        add_put(batch, "c", 1, ptr::null());
        add_update(batch, "a", expr, params);
        let (index, name, message, item) = run_fails(db, batch, KSTONE_BATCH_ATOMIC, status);
        let expected = if cancels { "TransactionCanceledException" } else { "ValidationException" };
        assert_eq!((index, name.as_str(), item), (2, expected, None), "{expr}");
        assert!(message.contains(part), "{message}");
        assert_eq!(n_of(db, "c"), None);
        // What can be checked without the items is checked before the first operation.
        let done = cancels.then_some(1);
        let (index, name, ..) = run_fails(db, batch, 0, status);
        assert_eq!((index, name.as_str(), n_of(db, "c")), (2, "ValidationException", done), "{expr}");
        delete(db, b"c", b"");
        free(batch);
    }
    free(huge);
    free(db);
}

#[test]
fn transactions_keep_dynamodbs_limits_and_batches_have_none() {
    let db = open();
    let of = |gets: usize, puts: usize| {
        let batch = kstone_batch_new();
        (0..gets).for_each(|number| add_get(batch, &format!("get{number}")));
        (0..puts).for_each(|number| add_put(batch, &format!("put{number}"), 1, ptr::null()));
        batch
    };
    let cases = [
        (of(101, 26), 0, KSTONE_OK),
        (of(0, 1_000), 0, KSTONE_OK),
        (of(40, 60), KSTONE_BATCH_ATOMIC, KSTONE_OK),
        (of(100, 0), KSTONE_BATCH_ATOMIC, KSTONE_OK),
        (of(100, 1), KSTONE_BATCH_ATOMIC, KSTONE_ERR_LIMIT),
        (of(0, 0), 0, KSTONE_ERR_INVALID),
        (of(0, 0), KSTONE_BATCH_ATOMIC, KSTONE_ERR_INVALID),
        (of(1, 0), 2, KSTONE_ERR_INVALID),
    ];
    for (at, (batch, flags, status)) in cases.into_iter().enumerate() {
        // SAFETY: live handles.
        unsafe { crate::database::kstone_clear(db, ptr::null_mut()) };
        if status == KSTONE_OK {
            run(db, batch, flags);
        } else {
            assert_eq!(run_fails(db, batch, flags, status).0, -1, "case {at}");
            assert_eq!(n_of(db, "put0"), None, "case {at}");
        }
        free(batch);
    }
    let twice = kstone_batch_new();
    for pk in ["a", "b", "a"] {
        add_put(twice, pk, 1, ptr::null());
    }
    let (index, _, message, _) = run_fails(db, twice, KSTONE_BATCH_ATOMIC, KSTONE_ERR_INVALID);
    assert_eq!((index, n_of(db, "a")), (2, None));
    assert!(message.contains("multiple operations on one item"), "{message}");
    assert_eq!(run(db, twice, 0), []);
    free(twice);
    free(db);
}

#[test]
fn what_cannot_be_added_is_refused_and_leaves_the_batch_alone() {
    let db = open();
    let (batch, item) = (kstone_batch_new(), numbered(1));
    let (long, none, k) = ([7; 2049], ptr::null(), data(b"k"));
    let empty = Cond { expr_len: 0, ..cond("x", ptr::null()) };
    let text = c"SET n = n".as_ptr();
    // SAFETY: live handles, slices of ours; what is wrong is refused before it is believed.
    let refusals = unsafe {
        [
            (KSTONE_ERR_MISUSE, kstone_batch_put(ptr::null_mut(), k, 1, none, 0, item, ptr::null())),
            (KSTONE_ERR_MISUSE, kstone_batch_put(item.cast(), k, 1, none, 0, item, ptr::null())),
            (KSTONE_ERR_MISUSE, kstone_batch_put(batch, k, 1, none, 0, ptr::null(), ptr::null())),
            (KSTONE_ERR_MISUSE, kstone_batch_put(batch, none, 1, none, 0, item, ptr::null())),
            (KSTONE_ERR_INVALID, kstone_batch_put(batch, none, 0, none, 0, item, ptr::null())),
            (KSTONE_ERR_INVALID, kstone_batch_put(batch, k, 1, none, 0, item, &empty)),
            (KSTONE_ERR_LIMIT, kstone_batch_get(batch, data(&long), 2049, none, 0)),
            (KSTONE_ERR_LIMIT, kstone_batch_delete(batch, k, 1, data(&long), 1025, ptr::null())),
            (KSTONE_ERR_INVALID, kstone_batch_check(batch, k, 1, none, 0, ptr::null())),
            (KSTONE_ERR_INVALID, kstone_batch_check(batch, k, 1, none, 0, &Cond { expr: ptr::null(), ..empty })),
            (KSTONE_ERR_INVALID, kstone_batch_update(batch, k, 1, none, 0, text, 0, ptr::null(), ptr::null())),
            (KSTONE_ERR_INVALID, kstone_batch_update(batch, k, 1, none, 0, text, 9, item, ptr::null())),
            (KSTONE_ERR_INVALID, kstone_batch_update(batch, k, 1, none, 0, c"\xff".as_ptr(), 1, item, ptr::null())),
        ]
    };
    for (at, (expected, found)) in refusals.into_iter().enumerate() {
        assert_eq!(expected, found, "case {at}");
    }
    add_get(batch, "k");
    assert_eq!(run(db, batch, 0), [None], "that is all there is in it");
    let mut page = untouched();
    // SAFETY: live handles, variables of ours.
    unsafe {
        fails(KSTONE_ERR_MISUSE, |err| kstone_batch_run(ptr::null_mut(), batch, 0, &mut page, err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_batch_run(db, ptr::null_mut(), 0, &mut page, err));
        fails(KSTONE_ERR_MISUSE, |err| kstone_batch_run(db, db.cast(), 0, &mut page, err));
    }
    assert_eq!(page, untouched());
    for pointer in [batch.cast::<c_void>(), item.cast(), db.cast()] {
        free(pointer);
    }
}

#[test]
fn no_reader_sees_half_of_an_atomic_batch() {
    let db = open() as usize;
    let swap = |number: i64| {
        let batch = kstone_batch_new();
        add_put(batch, "left", number, ptr::null());
        add_put(batch, "right", -number, ptr::null());
        batch as usize
    };
    let batches = [swap(1), swap(2)];
    let running = std::sync::atomic::AtomicUsize::new(batches.len());
    std::thread::scope(|scope| {
        for batch in batches {
            let running = &running;
            scope.spawn(move || {
                for _ in 0..300 {
                    assert_eq!(run(db as *mut Db, batch as *mut Batch, KSTONE_BATCH_ATOMIC), []);
                }
                running.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
            });
        }
        let both = kstone_batch_new();
        add_get(both, "left");
        add_get(both, "right");
        // A mixed batch reads under the locks of writers, a batch of gets under those of readers.
        let mixed = kstone_batch_new();
        add_get(mixed, "right");
        add_put(mixed, "third", 1, ptr::null());
        add_get(mixed, "left");
        while running.load(std::sync::atomic::Ordering::Relaxed) > 0 {
            for batch in [both, mixed] {
                let found = run(db as *mut Db, batch, KSTONE_BATCH_ATOMIC);
                assert_eq!(found.iter().flatten().sum::<i64>(), 0, "{found:?}");
            }
        }
        free(both);
        free(mixed);
    });
    for pointer in batches.into_iter().chain([db]) {
        free(pointer as *const c_void);
    }
}
