//! Panics: rule 8.

use kstone_api::KeyRef;

use super::*;
use crate::boundary::guard::{enter, read};
use crate::database::{database, kstone_clear};
use crate::iter::kstone_iter_open;
use crate::maintenance::kstone_flush;
use crate::page::kstone_scan;
use crate::stats::kstone_stats_json;

#[test]
fn a_panic_becomes_an_error() {
    // SAFETY: `enter` gives an error pointer that may be written.
    let message = fails(KSTONE_ERR_PANIC, |err| unsafe { enter(err, || panic!("injected {}", 1)) });
    assert!(message.contains("injected 1"), "{message}");
    // SAFETY: NULL is fine.
    assert_eq!(unsafe { enter(ptr::null_mut(), || panic!("injected")) }, KSTONE_ERR_PANIC);
    assert_eq!(read(5, || panic!("injected")), 5);
}

#[test]
fn a_panic_whose_text_holds_a_nul_becomes_an_error_too() {
    // SAFETY: `enter` gives an error pointer that may be written.
    let message = fails(KSTONE_ERR_PANIC, |err| unsafe { enter(err, || panic!("before\0after")) });
    assert!(message.contains("before\\0after"), "{message}");
    // SAFETY: as above.
    let message = fails(KSTONE_ERR_PANIC, |err| unsafe { enter(err, || std::panic::panic_any(7)) });
    assert!(message.contains("no text"), "{message}");
}

#[test]
fn a_database_whose_write_panicked_refuses_further_use() {
    let db = open();
    put(db, b"k", b"", 1);
    let (other, before) = (open(), get(db, b"k", b"").expect("it was put"));
    let key = KeyRef::new(b"k", b"").expect("a key");
    // SAFETY: live handles; `enter` gives an error pointer that may be written.
    let message = fails(KSTONE_ERR_PANIC, |err| unsafe {
        enter(err, || Ok(database(db)?.commit_with(&[key], |_| panic!("injected"))?))
    });
    assert!(message.contains("injected"), "{message}");

    let (mut item, mut page, mut iter) = (untouched(), untouched(), untouched());
    let (mut text, mut len) = (untouched(), 77);
    let built = numbered(2);
    // SAFETY: live handles, slices and variables of ours.
    unsafe {
        let k = data(b"k");
        let refusals = [
            fails(KSTONE_ERR_PANIC, |err| kstone_put(db, k, 1, ptr::null(), 0, built, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_get(db, k, 1, ptr::null(), 0, &mut item, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_delete(db, k, 1, ptr::null(), 0, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_scan(db, ptr::null(), &mut page, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_iter_open(db, ptr::null(), &mut iter, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_flush(db, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_clear(db, err)),
            fails(KSTONE_ERR_PANIC, |err| kstone_stats_json(db, &mut text, &mut len, err)),
        ];
        assert!(refusals.iter().all(|message| message.contains("refuses")), "{refusals:?}");
    }
    assert_eq!((item, page, iter, text, len), (untouched(), untouched(), untouched(), untouched(), 77));
    // What was read before stays good, and other databases do not mind.
    assert_eq!(number_of(before), 1);
    put(other, b"k", b"", 1);
    for pointer in [before.cast::<c_void>(), built.cast(), db.cast(), other.cast()] {
        free(pointer);
    }
}
