//! Statuses: the numbers, what they mean, and the DynamoDB exceptions they stand for.
//!
//! `TABLE` is the one place that ties them together. Numbers are never reused or renumbered: bindings in other
//! languages write them down.

use super::text::{LentText, lent_text};

/// The outcome of a call: 0 is success, above 0 is no error, below 0 is an error.
pub type Status = i32;

/// Success.
pub const KSTONE_OK: i32 = 0;
/// No error: there is no item under that key, or nothing at that path.
pub const KSTONE_NOT_FOUND: i32 = 1;
/// No error: the iterator has come to its end.
pub const KSTONE_DONE: i32 = 2;
/// An argument is NULL or impossible, or a handle is of the wrong kind: fix the program.
pub const KSTONE_ERR_MISUSE: i32 = -1;
/// A key, item, request or JSON text is not acceptable: fix what the message names.
pub const KSTONE_ERR_INVALID: i32 = -2;
/// The condition of a write did not hold: nothing was written.
pub const KSTONE_ERR_CONDITION_FAILED: i32 = -3;
/// Another transaction was in the way: try again. Not returned yet.
pub const KSTONE_ERR_CONFLICT: i32 = -4;
/// A documented size limit is passed: the message names the limit and the size found.
pub const KSTONE_ERR_LIMIT: i32 = -5;
/// The attribute is of another type than the function reads.
pub const KSTONE_ERR_TYPE: i32 = -6;
/// A snapshot or a file to import fails its checks: the message says where, and nothing was loaded.
pub const KSTONE_ERR_CORRUPT: i32 = -7;
/// The operating system refused to read or write a file: the message names the file and the cause.
pub const KSTONE_ERR_IO: i32 = -8;
/// The library failed inside, which is a bug in it. A database whose write failed so refuses further use, with this
/// status: free it and open another.
pub const KSTONE_ERR_PANIC: i32 = -9;
/// A reader of the change stream fell behind what the stream keeps.
pub const KSTONE_ERR_TRIMMED: i32 = -10;

/// What belongs to a status.
pub(crate) struct Row {
    code: Status,
    /// A phrase for people.
    pub(crate) text: LentText,
    /// The exception that DynamoDB throws in such a case, empty where it has none.
    pub(crate) exception: LentText,
}

const VALIDATION: &str = "ValidationException";
const SERVER_ERROR: &str = "InternalServerError";

/// Code ↔ text ↔ exception. DynamoDB answers keys and items beyond their limits with a ValidationException too.
static TABLE: [Row; 13] = [
    row(KSTONE_OK, lent_text!("success"), lent_text!("")),
    row(KSTONE_NOT_FOUND, lent_text!("not found"), lent_text!("")),
    row(KSTONE_DONE, lent_text!("no more items"), lent_text!("")),
    row(KSTONE_ERR_MISUSE, lent_text!("misuse of the library"), lent_text!("")),
    row(KSTONE_ERR_INVALID, lent_text!("invalid key, item or request"), lent_text!(VALIDATION)),
    row(KSTONE_ERR_CONDITION_FAILED, lent_text!("the condition did not hold"), CONDITION_FAILED),
    row(
        KSTONE_ERR_CONFLICT,
        lent_text!("conflict with another transaction"),
        lent_text!("TransactionConflictException"),
    ),
    row(KSTONE_ERR_LIMIT, lent_text!("a size limit is exceeded"), lent_text!(VALIDATION)),
    row(KSTONE_ERR_TYPE, lent_text!("the attribute is of another type"), lent_text!(VALIDATION)),
    row(KSTONE_ERR_CORRUPT, lent_text!("the data is corrupt"), lent_text!("")),
    row(KSTONE_ERR_IO, lent_text!("input or output failed"), lent_text!("")),
    row(KSTONE_ERR_PANIC, lent_text!("internal failure"), lent_text!(SERVER_ERROR)),
    row(KSTONE_ERR_TRIMMED, lent_text!("the stream no longer holds this"), lent_text!("TrimmedDataAccessException")),
];
const CONDITION_FAILED: LentText = lent_text!("ConditionalCheckFailedException");
static UNKNOWN: Row = row(i32::MIN, lent_text!("unknown status"), lent_text!(""));

const fn row(code: Status, text: LentText, exception: LentText) -> Row {
    Row { code, text, exception }
}

/// The row of a status, also of one that is not ours.
pub(crate) fn row_of(status: Status) -> &'static Row {
    TABLE.iter().find(|row| row.code == status).unwrap_or(&UNKNOWN)
}
