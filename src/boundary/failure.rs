//! Why a call fails, before it becomes a status and an error object.

use std::borrow::Cow;

use kstone_api::expression::Refusal;
use kstone_api::{CoreError, Error, Record, TransactError};

use super::status::{
    KSTONE_ERR_CONDITION_FAILED, KSTONE_ERR_CORRUPT, KSTONE_ERR_INVALID, KSTONE_ERR_IO, KSTONE_ERR_LIMIT,
    KSTONE_ERR_MISUSE, KSTONE_ERR_PANIC, KSTONE_ERR_TRIMMED, Status, row_of,
};
use super::text::{LentText, lent_text};

/// Why a call fails: a status below 0, a message for people, and what else an error object says.
#[derive(Debug)]
pub(crate) struct Failure(Box<Parts>);

/// What a failure says: on the heap, so that what a call returns where it does not fail fits registers.
#[derive(Debug)]
struct Parts {
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
        let (exception, message) = (row_of(status).exception, message.into());
        Self(Box::new(Parts { status, operation: -1, exception, message, item: None }))
    }

    /// The same of one operation of a batch, counted from 0.
    pub(crate) fn of_operation(mut self, operation: usize) -> Self {
        self.0.operation = i32::try_from(operation).unwrap_or(i32::MAX);
        self
    }

    /// The same with another exception's name than the status has.
    pub(crate) fn with_exception(mut self, exception: LentText) -> Self {
        self.0.exception = exception;
        self
    }

    /// The same with another message.
    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.0.message = message.into();
        self
    }

    /// The same with the item that made a condition fail.
    pub(crate) fn with_item(mut self, item: Option<Record>) -> Self {
        self.0.item = item;
        self
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
        self.0.status
    }

    /// Which operation of a batch failed, or -1.
    pub(crate) fn operation(&self) -> i32 {
        self.0.operation
    }

    /// The name of DynamoDB's exception, empty where it has none.
    pub(crate) fn exception(&self) -> LentText {
        self.0.exception
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// The item that made a condition fail, where the caller asked for it.
    pub(crate) fn item(&self) -> Option<&Record> {
        self.0.item.as_ref()
    }
}

impl From<Error> for Failure {
    #[cold]
    #[inline(never)]
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::ConditionFailed { item } => Self::new(KSTONE_ERR_CONDITION_FAILED, message).with_item(item),
            Error::DuplicateItem => {
                Self::new(KSTONE_ERR_CONDITION_FAILED, message).with_exception(lent_text!("DuplicateItemException"))
            }
            Error::TableNotFound { .. } => {
                Self::new(KSTONE_ERR_INVALID, message).with_exception(lent_text!("ResourceNotFoundException"))
            }
            Error::Limit { .. } => Self::new(KSTONE_ERR_LIMIT, message),
            Error::Poisoned => Self::new(KSTONE_ERR_PANIC, message),
            Error::Trimmed { .. } => Self::new(KSTONE_ERR_TRIMMED, message),
            Error::Corrupt { .. } => Self::new(KSTONE_ERR_CORRUPT, message),
            Error::Io { .. } => Self::new(KSTONE_ERR_IO, message),
            _ => Self::new(KSTONE_ERR_INVALID, message),
        }
    }
}

impl From<Refusal> for Failure {
    #[cold]
    fn from(refusal: Refusal) -> Self {
        Error::from(refusal).into()
    }
}

impl From<CoreError> for Failure {
    #[cold]
    #[inline(never)]
    fn from(error: CoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<TransactError> for Failure {
    fn from(error: TransactError) -> Self {
        let message = error.to_string();
        let mut failure = Self::from(error.error).with_message(message);
        if let Some(operation) = error.operation {
            failure = failure.of_operation(operation);
        }
        match error.reasons.is_empty() {
            true => failure,
            false => failure.with_exception(lent_text!("TransactionCanceledException")),
        }
    }
}
