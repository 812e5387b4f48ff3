//! What every call crosses: arguments in, outputs out, panics stopped.
//!
//! # Invariants
//! - `enter` and `read` let no panic through: it becomes `KSTONE_ERR_PANIC`, or an accessor's empty answer.
//! - The success path neither allocates nor formats.
//!
//! # Thread safety
//! No state.

use std::any::Any;
use std::borrow::Cow;
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::ptr::NonNull;
use std::slice;

use ffi_support::{ErrorCode, ExternError, call_with_output};
use kstone_api::{Record, utf8};

use crate::error::{self, Error};
use crate::status::{KSTONE_ERR_INVALID, KSTONE_ERR_MISUSE, KSTONE_ERR_PANIC, Status, row_of};
use crate::text::LentText;

/// As the length of a const char pointer: the text ends at its NUL. Lengths of const void pointers are always given.
pub const KSTONE_STRLEN: usize = -1isize as usize;

/// Why a call fails: a status below 0, a message for people, and what else an error object says.
#[derive(Debug)]
pub(crate) struct Failure {
    status: Status,
    /// Which operation of a batch failed, or -1.
    operation: i32,
    exception: LentText,
    message: Cow<'static, str>,
    /// The item that made a condition fail, where the caller asked for it.
    item: Option<Record>,
}

impl Failure {
    /// A failure with this status.
    #[cold]
    pub(crate) fn new(status: Status, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, operation: -1, exception: row_of(status).exception, message: message.into(), item: None }
    }

    /// The same of one operation of a batch, counted from 0.
    pub(crate) fn of_operation(self, operation: usize) -> Self {
        Self { operation: i32::try_from(operation).unwrap_or(i32::MAX), ..self }
    }

    /// The same with another exception's name than the status has.
    pub(crate) fn with_exception(self, exception: LentText) -> Self {
        Self { exception, ..self }
    }

    /// The same with another message.
    pub(crate) fn with_message(self, message: String) -> Self {
        Self { message: message.into(), ..self }
    }

    /// The same with the item that made a condition fail.
    pub(crate) fn with_item(self, item: Option<Record>) -> Self {
        Self { item, ..self }
    }

    /// The program is wrong.
    #[cold]
    pub(crate) fn misuse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(KSTONE_ERR_MISUSE, message)
    }

    /// The request is wrong.
    #[cold]
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(KSTONE_ERR_INVALID, message)
    }

    /// The status.
    pub(crate) fn status(&self) -> Status {
        self.status
    }

    /// Which operation of a batch failed, or -1.
    pub(crate) fn operation(&self) -> i32 {
        self.operation
    }

    /// The name of DynamoDB's exception, empty where it has none.
    pub(crate) fn exception(&self) -> LentText {
        self.exception
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The item that made a condition fail, where the caller asked for it.
    pub(crate) fn item(&self) -> Option<&Record> {
        self.item.as_ref()
    }
}

/// Runs the body of a function that returns a status. A failure, or a panic, goes to `err` where that is not NULL.
///
/// # Safety
/// `err` is NULL or may be written.
#[inline]
pub(crate) unsafe fn enter(err: *mut *mut Error, body: impl FnOnce() -> Result<Status, Failure>) -> Status {
    let mut report = ExternError::success();
    let status = call_with_output(
        &mut report,
        AssertUnwindSafe(|| match stop_nul(body) {
            Ok(status) => status,
            // SAFETY: as this function's.
            Err(failure) => unsafe { deliver(err, &failure) },
        }),
    );
    if report.get_code() == ErrorCode::SUCCESS {
        return status;
    }
    // SAFETY: as this function's.
    unsafe { deliver(err, &panic_of(report)) }
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
unsafe fn deliver(err: *mut *mut Error, failure: &Failure) -> Status {
    if let Some(err) = NonNull::new(err) {
        // SAFETY: not NULL, so it may be written.
        unsafe { err.write(error::hand_out(failure)) };
    }
    failure.status()
}

/// The bytes of a pointer and a length.
///
/// # Safety
/// `data` and `len` describe memory that may be read and does not change during `'a`, or are among what is refused.
#[inline]
pub(crate) unsafe fn bytes<'a>(data: *const c_void, len: usize, name: &'static str) -> Result<&'a [u8], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() || len > isize::MAX as usize {
        return Err(refuse_bytes(data, len, name));
    }
    // SAFETY: not NULL and no longer than memory can be; the caller vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(data.cast(), len) })
}

#[cold]
#[inline(never)]
fn refuse_bytes(data: *const c_void, len: usize, name: &str) -> Failure {
    Failure::misuse(if data.is_null() {
        format!("{name} is NULL, but its length is not 0")
    } else if len == KSTONE_STRLEN {
        format!("{name} is bytes, which may hold a NUL: KSTONE_STRLEN is for text alone")
    } else {
        format!("the length of {name} is impossible: {len}")
    })
}

/// The text of a pointer and a length, which may be [`KSTONE_STRLEN`].
///
/// # Safety
/// As for [`text_bytes`].
#[inline]
pub(crate) unsafe fn text<'a>(data: *const c_char, len: usize, name: &'static str) -> Result<&'a str, Failure> {
    // SAFETY: as this function's.
    checked_text(unsafe { text_bytes(data, len, name) }?, name)
}

/// The text of these bytes.
#[inline]
pub(crate) fn checked_text<'a>(bytes: &'a [u8], name: &'static str) -> Result<&'a str, Failure> {
    utf8(bytes).map_err(|error| {
        Failure::invalid(format!("{name} is not UTF-8: the byte at offset {} is wrong", error.valid_up_to()))
    })
}

/// The bytes of what should be text, not looked at.
///
/// # Safety
/// As for [`bytes`]; with [`KSTONE_STRLEN`] a NUL ends the text.
#[inline]
pub(crate) unsafe fn text_bytes<'a>(data: *const c_char, len: usize, name: &'static str) -> Result<&'a [u8], Failure> {
    let len = match len {
        // SAFETY: not NULL, so the caller vouches for a NUL.
        KSTONE_STRLEN if !data.is_null() => unsafe { libc::strlen(data) },
        len => len,
    };
    // SAFETY: as this function's.
    unsafe { bytes(data.cast(), len, name) }
}

/// The path of a pointer and a length, which may be [`KSTONE_STRLEN`]: on Unix any bytes but NUL, elsewhere UTF-8.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn path<'a>(data: *const c_char, len: usize, name: &'static str) -> Result<&'a Path, Failure> {
    // SAFETY: as this function's.
    let bytes = unsafe {
        let len = if len == KSTONE_STRLEN && !data.is_null() { libc::strlen(data) } else { len };
        bytes(data.cast(), len, name)
    }?;
    if bytes.is_empty() {
        return Err(Failure::invalid(format!("{name} is empty: it needs the name of a file")));
    }
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(Failure::invalid(format!("{name} holds a NUL at offset {at}: no file has such a name")));
    }
    #[cfg(unix)]
    return Ok(Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes)));
    #[cfg(not(unix))]
    // SAFETY: as this function's.
    return unsafe { text(data, len, name) }.map(Path::new);
}

#[cold]
#[inline(never)]
fn refuse_output(name: &str) -> Failure {
    Failure::misuse(format!("{name} is NULL: it takes the output"))
}

/// A place for an output, known not to be NULL.
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// Accepts an output pointer.
    ///
    /// # Safety
    /// `pointer` is NULL or may be written for as long as the place is kept.
    #[inline]
    pub(crate) unsafe fn new(pointer: *mut T, name: &'static str) -> Result<Self, Failure> {
        match NonNull::new(pointer) {
            Some(place) => Ok(Self(place)),
            None => Err(refuse_output(name)),
        }
    }

    /// Accepts an output pointer that may be NULL.
    ///
    /// # Safety
    /// As for [`Out::new`].
    pub(crate) unsafe fn optional(pointer: *mut T) -> Option<Self> {
        NonNull::new(pointer).map(Self)
    }

    /// Writes the output, after everything that can fail.
    #[inline]
    pub(crate) fn set(self, value: T) {
        // SAFETY: `new` was told that it may be written.
        unsafe { self.0.write(value) }
    }
}

/// Refuses flags that mean nothing yet.
pub(crate) fn known_flags(flags: u32, known: u32) -> Result<(), Failure> {
    match flags & !known {
        0 => Ok(()),
        unknown => Err(Failure::invalid(format!("flags: {unknown:#x} is not known here"))),
    }
}
