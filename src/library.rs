//! The library as such: its version, and the one function that releases everything.

use std::ffi::{c_char, c_void};
use std::ptr::NonNull;

use kstone_api::RecordRef;

use crate::boundary::Tag;
use crate::boundary::tag::tag_of;
use crate::boundary::text::{OwnedText, lent_text};
use crate::boundary::{error_object, guard};
use crate::{account, batch, built_item, cursor, database, iter, page, prepared, response};

/// The version of the library that is loaded, as "MAJOR.MINOR.PATCH". Borrowed, and valid for as long as the library is
/// loaded. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn kstone_version() -> *const c_char {
    lent_text!(env!("CARGO_PKG_VERSION")).as_ptr()
}

/// The same as a number that can be compared: MAJOR * 10000 + MINOR * 100 + PATCH. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn kstone_version_number() -> u32 {
    const NUMBER: u32 = 10_000 * part(env!("CARGO_PKG_VERSION_MAJOR"))
        + 100 * part(env!("CARGO_PKG_VERSION_MINOR"))
        + part(env!("CARGO_PKG_VERSION_PATCH"));
    NUMBER
}

const fn part(digits: &str) -> u32 {
    let mut value = 0;
    let mut at = 0;
    while at < digits.len() {
        value = 10 * value + (digits.as_bytes()[at] - b'0') as u32;
        at += 1;
    }
    value
}

/// Releases everything that this library hands out: a database, account, response, item, page, iterator, cursor, batch,
/// prepared request, error or text.
/// NULL is fine. What is borrowed (returned as const) is left alone, because its parent releases it. Everything is
/// released once; using it afterwards is undefined. The data of a kstone_bytes or kstone_value is no handle: it points
/// into an item or page and is never given to this function.
///
/// Freeing an item that was read drops a reference; the item's bytes go with the last one. Freeing a database releases
/// all that is stored, except for what items, pages, iterators and cursors still refer to: they stay valid. So it is
/// with an account, whose tables also stay for as long as a database of kstone_account_table is not freed.
///
/// Cost: an item or text, about as much as free; a page, the number of its items; a database, the number of its items.
/// A database with KSTONE_OPEN_BACKGROUND_COMPACTION also waits for the merge that its thread is at, and for the
/// thread.
/// Threads: nobody else may use the handle, or anything borrowed from it, while it is freed or later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_free(p: *mut c_void) {
    let Some(handle) = NonNull::new(p) else { return };
    // SAFETY: `p` was handed out by this library, so its kind lies before it and says what it is; nobody uses it
    // after this call. Nothing of this panics but what `release_guarded` guards.
    unsafe {
        match tag_of(p) {
            Tag::RECORD => RecordRef::release_raw(handle.cast()),
            tag => release_guarded(p, tag),
        }
    }
}

/// What kstone_free does with anything but an item that was read.
///
/// # Safety
/// `p` was handed out by this library and has this tag; nobody uses it any more.
#[inline(never)]
unsafe extern "C" fn release_guarded(p: *mut c_void, tag: Tag) {
    // SAFETY: the tag says what `p` is, and nobody uses it after this call.
    guard::read((), || unsafe {
        match tag {
            Tag::BUILT_ITEM => built_item::release(p.cast()),
            Tag::TEXT => OwnedText::release(p.cast()),
            Tag::PAGE => page::release(p.cast()),
            Tag::ITERATOR => iter::release(p.cast()),
            Tag::CURSOR => cursor::release(p.cast()),
            Tag::BATCH => batch::release(p.cast()),
            Tag::PREPARED => prepared::release(p.cast()),
            Tag::ACCOUNT => account::release(p.cast()),
            Tag::RESPONSE => response::release(p.cast()),
            Tag::ERROR => error_object::release(p.cast()),
            Tag::DATABASE => database::release(p.cast()),
            // Borrowed, or not ours at all.
            _ => {}
        }
    });
}
