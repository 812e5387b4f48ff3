//! Runs every call: panics are stopped, failures become a status and an error object.
//!
//! # Invariants
//! - [`enter`] and [`read`] let no panic through: it becomes `KSTONE_ERR_PANIC`, or an accessor's empty answer.
//! - The success path neither allocates nor formats.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;

use ffi_support::{ErrorCode, ExternError, call_with_output};

use super::contract::by_contract;
use super::error_object::{self, ErrorObject};
use super::failure::Failure;
use super::status::{KSTONE_ERR_PANIC, Status};

/// The whole body of an exported function that returns a status: `entry!(err, { … })`, or without `err`.
macro_rules! entry {
    ($err:expr, $body:block) => {
        $crate::boundary::by_contract!($crate::boundary::guard::enter($err, || $body))
    };
    ($body:block) => {
        $crate::boundary::entry!(std::ptr::null_mut(), $body)
    };
}
pub(crate) use entry;

/// The whole body of an exported function that returns its answer itself: `accessor!(empty, answer)`.
macro_rules! accessor {
    ($empty:expr, $answer:expr) => {
        $crate::boundary::by_contract!($crate::boundary::guard::read($empty, || $answer))
    };
}
pub(crate) use accessor;

/// Runs the body of a function that returns a status. A failure, or a panic, goes to `err` where that is not NULL.
///
/// # Safety
/// `err` is NULL or may be written.
#[inline]
pub(crate) unsafe fn enter(err: *mut *mut ErrorObject, body: impl FnOnce() -> Result<Status, Failure>) -> Status {
    let mut report = ExternError::success();
    let status = call_with_output(
        &mut report,
        AssertUnwindSafe(|| match stop_nul(body) {
            Ok(status) => status,
            Err(failure) => by_contract!(deliver(err, &failure)),
        }),
    );
    if report.get_code() == ErrorCode::SUCCESS {
        return status;
    }
    by_contract!(deliver(err, &panic_of(report)))
}

/// Runs the body of an accessor, which answers `empty` where it panics.
#[inline]
pub(crate) fn read<T>(empty: T, body: impl FnOnce() -> T) -> T {
    let mut answer = empty;
    let mut report = ExternError::success();
    call_with_output(&mut report, AssertUnwindSafe(|| answer = stop_nul(body)));
    if report.get_code() != ErrorCode::SUCCESS {
        drop(panic_of(report));
    }
    answer
}

/// Passes a panic on with a text that ffi-support can hand over: one with a NUL inside would make it panic itself,
/// outside of what it guards.
#[inline]
fn stop_nul<T>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| resume_unwind(Box::new(panic_text(&*payload))))
}

#[cold]
fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no text");
    text.replace('\0', "\\0")
}

/// The failure that a report of a panic stands for.
#[cold]
fn panic_of(report: ExternError) -> Failure {
    // SAFETY: nobody else holds the report or its text.
    let text = unsafe { report.get_and_consume_message() };
    Failure::new(KSTONE_ERR_PANIC, format!("the library panicked: {}", text.unwrap_or_default()))
}

/// Hands an error to the caller and says its status.
///
/// # Safety
/// `err` is NULL or may be written.
#[cold]
unsafe fn deliver(err: *mut *mut ErrorObject, failure: &Failure) -> Status {
    if let Some(err) = NonNull::new(err) {
        // SAFETY: not NULL, so it may be written.
        unsafe { err.write(error_object::hand_out(failure)) };
    }
    failure.status()
}
