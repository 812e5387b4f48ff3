//! What an error object says.

use std::ffi::c_char;
use std::ptr;

use crate::boundary::status::row_of;
use crate::boundary::text::lent_text;
use crate::boundary::{ErrorObject, KSTONE_OK, Slot, Status, accessor, borrow};
use crate::item_view::Item;

/// A short phrase for a status, such as "not found". Never NULL: a status that this version does not know gets a
/// phrase too. Borrowed, and valid for as long as the library is loaded. Any thread.
#[unsafe(no_mangle)]
pub extern "C" fn kstone_status_text(status: Status) -> *const c_char {
    row_of(status).text.as_ptr()
}

/// The status that came with the error. KSTONE_OK for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_code(e: *const ErrorObject) -> Status {
    accessor!(KSTONE_OK, borrow(e).map_or(KSTONE_OK, |error| error.code))
}

/// The name of the exception that DynamoDB throws in such a case, such as "ValidationException"; empty where DynamoDB
/// has none, and for NULL. Where an operation cancels an atomic batch the name is "TransactionCanceledException",
/// whatever the code. Never NULL. Borrowed, and valid for as long as the library is loaded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_name(e: *const ErrorObject) -> *const c_char {
    accessor!(lent_text!(""), borrow(e).map_or(lent_text!(""), |error| error.exception)).as_ptr()
}

/// What went wrong, for people: it names the argument, and the limit and the size found where there is one. The
/// wording may change between versions. UTF-8, empty for NULL, never NULL. Borrowed from the error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_message(e: *const ErrorObject) -> *const c_char {
    let empty = lent_text!("").as_ptr();
    accessor!(empty, borrow(e).map_or(empty, |error| error.message.as_ptr()))
}

/// Which operation of a batch failed, counted from 0 in the order in which they were added, or which element of
/// kstone_get_many and kstone_put_many is wrong; -1 where the call is another or as a whole at fault, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_index(e: *const ErrorObject) -> i32 {
    accessor!(-1, borrow(e).map_or(-1, |error| error.operation))
}

/// The item that made a condition fail, where kstone_cond.return_old asked for it; NULL where it did not, where there
/// was no item, and for NULL. It is the stored item, not a copy. Borrowed from the error: kstone_free leaves it alone,
/// and it is gone when the error is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kstone_error_item(e: *const ErrorObject) -> *const Item {
    accessor!(ptr::null(), {
        match borrow(e) {
            Ok(error) if error.item.record().is_some() => Slot::lend(&raw const error.item).cast(),
            _ => ptr::null(),
        }
    })
}
