//! Error objects: what a call that failed says about it.

use super::contract::by_contract;
use super::failure::Failure;
use super::handle::{self, Handle, Slot, Tagged};
use super::status::Status;
use super::tag::Tag;
use super::text::{LentText, OwnedText};

/// What a failed call says about itself. Any number of threads may read one at once.
pub struct ErrorObject {
    pub(crate) code: Status,
    pub(crate) operation: i32,
    pub(crate) exception: LentText,
    pub(crate) message: OwnedText,
    pub(crate) item: Slot,
}

impl Tagged for ErrorObject {
    const TAG: Tag = Tag::ERROR;
    const NAME: &'static str = "a kstone_error";
}

impl Drop for ErrorObject {
    fn drop(&mut self) {
        // SAFETY: the text was made for this error, and nobody may use it after the error.
        unsafe { OwnedText::release(self.message.as_ptr()) }
    }
}

/// An error object for the caller. A NUL in the message is written out, so that C sees all of it.
pub(crate) fn hand_out(failure: &Failure) -> *mut ErrorObject {
    let text = failure.message();
    let message = match text.contains('\0') {
        true => OwnedText::for_handle(&text.replace('\0', "\\0")),
        false => OwnedText::for_handle(text),
    };
    handle::hand_out(ErrorObject {
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
pub(crate) unsafe fn release(error: *mut ErrorObject) {
    drop(by_contract!(Handle::take_back(error)));
}
