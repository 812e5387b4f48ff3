//! Error objects: what a call that failed says about it.

use std::ffi::c_char;
use std::ptr;

use crate::boundary::{Failure, read};
use crate::handle::{self, Handle, Kind, Kinded, Slot};
use crate::item::Item;
use crate::status::{KSTONE_OK, Status, row_of};
use crate::text::{LentText, OwnedText, lent_text};

/// ERRORS
///
/// What a failed call says about itself. A function that takes a kstone_error ** writes one there when, and only when,
/// it returns a status below 0; pass NULL where the status is enough. Each error is its caller's alone, so nothing
/// about errors depends on the thread. An error stays good for as long as it is kept, also when the database is freed.
/// One thread at a time may use it.
///
/// ```c
/// static int report(kstone_status status, kstone_error *err) {
///     if (status >= 0) {
///         return 0;
///     }
///     fprintf(stderr, "%s: %s (%s)\n", kstone_status_text(status), kstone_error_message(err),
///             kstone_error_name(err));
///     kstone_free(err);
///     return 1;
/// }
/// ```
pub struct Error {
    code: Status,
    operation: i32,
    exception: LentText,
    message: OwnedText,
    item: Slot,
}

impl Kinded for Error {
    const KIND: Kind = Kind::ERROR;
    const NAME: &'static str = "a kstone_error";
}

impl Drop for Error {
    fn drop(&mut self) {
        // SAFETY: the text was made for this error, and nobody may use it after the error.
        unsafe { OwnedText::release(self.message.as_ptr()) }
    }
}

/// An error object for the caller. A NUL in the message is written out, so that C sees all of it.
pub(crate) fn hand_out(failure: &Failure) -> *mut Error {
    let text = failure.message();
    let message = match text.contains('\0') {
        true => OwnedText::for_handle(&text.replace('\0', "\\0")),
        false => OwnedText::for_handle(text),
    };
    handle::hand_out(Error {
        code: failure.status(),
        operation: failure.operation(),
        exception: failure.exception(),
        message,
        item: Slot::new(failure.item().cloned()),
    })
}

/// Releases an error that the caller gives back.
///
/// # Safety
/// `error` was handed out and is used no more.
pub(crate) unsafe fn release(error: *mut Error) {
    // SAFETY: as this function's.
    drop(unsafe { Handle::take_back(error) });
}

/// A short phrase for a status, such as "not found". Never NULL: a status that this version does not know gets a
/// phrase too. Borrowed, and good for as long as the library is loaded. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn kstone_status_text(status: Status) -> *const c_char {
    row_of(status).text.as_ptr()
}

/// The status that came with the error. KSTONE_OK for NULL.
///
/// # Safety
/// `e` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_code(e: *const Error) -> Status {
    // SAFETY: as this function's.
    read(KSTONE_OK, || unsafe { handle::borrow(e) }.map_or(KSTONE_OK, |error| error.code))
}

/// The name of the exception that DynamoDB throws in such a case, such as "ValidationException"; empty where DynamoDB
/// has none, and for NULL. Where an operation cancels an atomic batch the name is "TransactionCanceledException",
/// whatever the code. Never NULL. Borrowed, and good for as long as the library is loaded.
///
/// # Safety
/// `e` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_name(e: *const Error) -> *const c_char {
    // SAFETY: as this function's.
    read(lent_text!(""), || unsafe { handle::borrow(e) }.map_or(lent_text!(""), |error| error.exception)).as_ptr()
}

/// What went wrong, for people: it names the argument, and the limit and the size found where there is one. The
/// wording may change between versions. UTF-8, empty for NULL, never NULL. Borrowed from the error.
///
/// # Safety
/// `e` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_message(e: *const Error) -> *const c_char {
    let empty = lent_text!("").as_ptr();
    // SAFETY: as this function's.
    read(empty, || unsafe { handle::borrow(e) }.map_or(empty, |error| error.message.as_ptr()))
}

/// Which operation of a batch failed, counted from 0 in the order in which they were added; -1 where the call ran no
/// batch or the batch as a whole is at fault, and for NULL.
///
/// # Safety
/// `e` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_index(e: *const Error) -> i32 {
    // SAFETY: as this function's.
    read(-1, || unsafe { handle::borrow(e) }.map_or(-1, |error| error.operation))
}

/// The item that made a condition fail, where kstone_cond.return_old asked for it; NULL where it did not, where there
/// was no item, and for NULL. It is the stored item, not a copy. Borrowed from the error: kstone_free leaves it alone,
/// and it is gone when the error is freed.
///
/// # Safety
/// `e` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_item(e: *const Error) -> *const Item {
    read(ptr::null(), || {
        // SAFETY: as this function's.
        match unsafe { handle::borrow(e) } {
            Ok(error) if error.item.record().is_some() => Slot::lend(&raw const error.item).cast(),
            _ => ptr::null(),
        }
    })
}
