//! Ownership and kinds of handles: rules 3, 5, 9 and 10.

use std::thread;

use super::*;
use crate::database::kstone_clear;
use crate::error::kstone_status_text;
use crate::item::{kstone_item_clone, kstone_item_count, kstone_item_pk, kstone_item_sk, kstone_item_to_json};
use crate::item_build::{kstone_item_set_null, kstone_item_set_str};
use crate::iter::{Iter, kstone_iter_next, kstone_iter_open};
use crate::library::{kstone_version, kstone_version_number};
use crate::maintenance::kstone_flush;
use crate::page::{PageObject, kstone_page_count, kstone_page_item, kstone_scan};
use crate::stats::kstone_stats_json;

fn scan(db: *const Db) -> *mut PageObject {
    let mut page = ptr::null_mut();
    // SAFETY: live handles, variables of ours.
    assert_eq!(unsafe { kstone_scan(db, ptr::null(), &mut page, ptr::null_mut()) }, KSTONE_OK);
    page
}

fn iterate(db: *const Db) -> *mut Iter {
    let mut iter = ptr::null_mut();
    // SAFETY: live handles, variables of ours.
    assert_eq!(unsafe { kstone_iter_open(db, ptr::null(), &mut iter, ptr::null_mut()) }, KSTONE_OK);
    iter
}

fn next(iter: *mut Iter) -> *const Item {
    let mut item = ptr::null();
    // SAFETY: live handles, variables of ours.
    assert_eq!(unsafe { kstone_iter_next(iter, &mut item, ptr::null_mut()) }, KSTONE_OK);
    item
}

#[test]
fn the_version_is_a_text_and_a_number() {
    let version = string(kstone_version());
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let parts: Vec<u32> = version.split('.').map(|part| part.parse().expect("a number")).collect();
    assert_eq!(kstone_version_number(), parts[0] * 10_000 + parts[1] * 100 + parts[2]);
}

#[test]
fn one_function_frees_everything_and_leaves_what_is_borrowed() {
    let db = open();
    put(db, b"k", b"", 1);
    let (page, iter, read) = (scan(db), iterate(db), get(db, b"k", b"").expect("it was put"));
    let (mut text, mut len, mut err) = (ptr::null_mut(), 0, ptr::null_mut());
    // SAFETY: live handles, variables of ours.
    let (of_page, message, name) = unsafe {
        kstone_stats_json(db, &mut text, &mut len, ptr::null_mut());
        kstone_delete(db, ptr::null(), 0, ptr::null(), 0, &mut err);
        (kstone_page_item(page, 0), kstone_error_message(err), kstone_error_name(err))
    };
    let of_iter = next(iter);
    for _ in 0..2 {
        free(of_page);
        free(of_iter);
        free(message);
        free(name);
        free(kstone_version());
        free(kstone_status_text(0));
    }
    assert_eq!((number_of(of_page), number_of(of_iter)), (1, 1));
    assert!(!string(message).is_empty() && !string(name).is_empty());
    assert_eq!(string(text).len(), len);
    for pointer in [db.cast::<c_void>(), page.cast(), iter.cast(), text.cast(), err.cast()] {
        free(pointer);
    }
    assert_eq!(number_of(read), 1);
    free(read);
}

#[test]
fn items_pages_and_iterators_outlive_database_and_changes() {
    let db = open();
    put(db, b"a", b"", 1);
    put(db, b"a", b"s", 2);
    let (read, page, iter) = (get(db, b"a", b"").expect("it was put"), scan(db), iterate(db));
    put(db, b"a", b"", 10);
    delete(db, b"a", b"s");
    // SAFETY: live handles.
    unsafe {
        kstone_flush(db, ptr::null_mut());
        kstone_clear(db, ptr::null_mut());
    }
    free(db);
    assert_eq!(number_of(read), 1);
    // SAFETY: live handles.
    unsafe {
        assert_eq!(bytes_of(kstone_item_pk(read)), b"a");
        assert_eq!(kstone_item_sk(read), Bytes::EMPTY);
        assert_eq!(kstone_page_count(page), 2);
        let second = kstone_page_item(page, 1);
        assert_eq!((number_of(kstone_page_item(page, 0)), number_of(second)), (1, 2));
        assert_eq!(bytes_of(kstone_item_sk(second)), b"s");
        assert!(kstone_page_item(page, 2).is_null());
    }
    assert_eq!(number_of(next(iter)), 1);
    assert_eq!(number_of(next(iter)), 2);
    let mut item = untouched::<Item>().cast_const();
    for _ in 0..2 {
        // SAFETY: live handles, variables of ours.
        succeeds(KSTONE_DONE, |err| unsafe { kstone_iter_next(iter, &mut item, err) });
    }
    assert_eq!(item.cast_mut(), untouched());
    free(read);
    free(page);
    free(iter);
}

#[test]
fn one_item_read_twice_is_freed_twice() {
    let db = open();
    put(db, b"k", b"", 1);
    let (first, second) = (get(db, b"k", b"").expect("it was put"), get(db, b"k", b"").expect("it was put"));
    assert_eq!(first, second, "reading copies nothing");
    delete(db, b"k", b"");
    free(first);
    assert_eq!(number_of(second), 1);
    free(second);
    free(db);
}

#[test]
fn what_was_read_cannot_be_changed_but_its_clone_can() {
    let db = open();
    put(db, b"k", b"", 1);
    let (page, iter, read) = (scan(db), iterate(db), get(db, b"k", b"").expect("it was put"));
    // SAFETY: live handles.
    let of_page = unsafe { kstone_page_item(page, 0) };
    for (pk, stored) in [(b"1", read.cast_const()), (b"2", of_page), (b"3", next(iter))] {
        // SAFETY: live handles, slices of ours.
        unsafe {
            assert_eq!(kstone_item_set_null(stored.cast_mut(), chars("z"), 1), KSTONE_ERR_MISUSE);
            let copy = kstone_item_clone(stored);
            assert_eq!(kstone_item_set_null(copy, chars("z"), 1), KSTONE_OK);
            assert_eq!((kstone_item_count(stored), kstone_item_count(copy)), (1, 2));
            assert_eq!((kstone_item_pk(copy), kstone_item_sk(copy)), (Bytes::EMPTY, Bytes::EMPTY));
            assert_eq!(kstone_put(db, data(pk), 1, ptr::null(), 0, stored, ptr::null_mut()), KSTONE_OK);
            assert_eq!(kstone_put(db, data(pk), 1, data(b"copy"), 4, copy, ptr::null_mut()), KSTONE_OK);
            free(copy);
        }
        for sk in [b"".as_slice(), b"copy"] {
            let found = get(db, pk, sk).expect("it was put");
            assert_eq!(number_of(found), 1);
            free(found);
        }
    }
    for pointer in [page.cast::<c_void>(), iter.cast(), read.cast(), db.cast()] {
        free(pointer);
    }
}

#[test]
fn a_handle_of_the_wrong_kind_is_refused() {
    let db = open();
    put(db, b"k", b"", 1);
    let (page, iter, built) = (scan(db), iterate(db), numbered(1));
    let read = get(db, b"k", b"").expect("it was put");
    let mut err = ptr::null_mut();
    // SAFETY: live handles, though of the wrong kind: their tags can be read.
    unsafe {
        kstone_delete(db, ptr::null(), 0, ptr::null(), 0, &mut err);
        let (mut out, mut lent, mut text, mut len) = (ptr::null_mut(), ptr::null(), ptr::null_mut(), 0);
        for wrong in [page.cast::<c_void>(), iter.cast(), built.cast(), read.cast(), err.cast()] {
            fails(KSTONE_ERR_MISUSE, |err| kstone_scan(wrong.cast(), ptr::null(), &mut out, err));
            fails(KSTONE_ERR_MISUSE, |err| kstone_delete(wrong.cast(), data(b"k"), 1, ptr::null(), 0, err));
        }
        for wrong in [page.cast::<c_void>(), db.cast(), err.cast(), kstone_version().cast_mut().cast()] {
            fails(KSTONE_ERR_MISUSE, |err| kstone_iter_next(wrong.cast(), &mut lent, err));
            fails(KSTONE_ERR_MISUSE, |err| kstone_put(db, data(b"k"), 1, ptr::null(), 0, wrong.cast(), err));
            fails(KSTONE_ERR_MISUSE, |err| kstone_item_to_json(wrong.cast(), 0, &mut text, &mut len, err));
            assert_eq!(kstone_item_set_null(wrong.cast(), chars("z"), 1), KSTONE_ERR_MISUSE);
            assert_eq!(kstone_item_count(wrong.cast()), 0);
            assert!(kstone_item_clone(wrong.cast()).is_null());
        }
        assert_eq!(kstone_page_count(db.cast()), 0);
        assert!(kstone_page_item(built.cast(), 0).is_null());
        assert_eq!(kstone_error_code(page.cast()), KSTONE_OK);
        assert_eq!(string(kstone_error_message(read.cast())), "");
    }
    for pointer in [page.cast::<c_void>(), iter.cast(), built.cast(), read.cast(), err.cast(), db.cast()] {
        free(pointer);
    }
}

#[test]
fn a_new_item_is_empty_even_where_an_old_ones_memory_serves_again() {
    let old = numbered(1);
    free(old);
    let items: Vec<_> = (0..6).map(|_| kstone_item_new()).collect();
    assert!(items.contains(&old), "the memory of a freed item is used again");
    // SAFETY: live handles.
    assert!(items.iter().all(|item| unsafe { kstone_item_count(*item) } == 0));
    let big = "x".repeat(100_000);
    for item in &items {
        // SAFETY: live handles, slices of ours.
        assert_eq!(unsafe { kstone_item_set_str(*item, chars("big"), 3, chars(&big), big.len()) }, KSTONE_OK);
        free(*item);
    }
}

#[test]
fn an_item_may_be_freed_by_another_thread() {
    let item = numbered(1).expose_provenance();
    let from_there = thread::spawn(move || {
        let item = ptr::with_exposed_provenance::<Item>(item);
        let number = number_of(item);
        free(item);
        (number, numbered(2).expose_provenance())
    });
    let (number, other) = from_there.join().expect("the thread ends");
    assert_eq!(number, 1);
    let other = ptr::with_exposed_provenance::<Item>(other);
    assert_eq!(number_of(other), 2);
    free(other);
}

#[test]
fn threads_share_a_database() {
    struct Shared(*mut Db);
    // SAFETY: a database may be used by any number of threads.
    unsafe impl Sync for Shared {}
    let db = Shared(open());
    thread::scope(|scope| {
        for thread in 0..8u8 {
            let db = &db;
            scope.spawn(move || {
                for round in 0..200u8 {
                    let key = [thread, round % 20];
                    put(db.0, b"all", &key, round.into());
                    let found = get(db.0, b"all", &key).expect("nobody else writes this key");
                    assert_eq!(number_of(found), i64::from(round));
                    free(found);
                    free(scan(db.0));
                }
            });
        }
    });
    let page = scan(db.0);
    // SAFETY: live handles.
    assert_eq!(unsafe { kstone_page_count(page) }, 160);
    free(page);
    free(db.0);
}
