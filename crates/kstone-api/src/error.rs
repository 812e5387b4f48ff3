//! What can go wrong: few kinds, each telling the caller what to do about it. The storage engine's own errors
//! ([`kstone_core::Error`]) become the kinds of the same names.
//!
//! What is refused says why as data ([`Refusal`]): each layer has one table of its reasons, which makes their texts, in
//! kstone's words and in DynamoDB's.

mod refusal;
mod texts;

use std::sync::Arc;
use std::{fmt, io};

/// Whose words a refusal is said in, which layer of DynamoDB says it, and the reasons of the layer of keys and items.
pub use kstone_core::error::{Dialect, Family, Reason as StorageReason};
use kstone_core::error::{LimitText, Unit};
use kstone_core::record::Record;
pub use refusal::Refusal;
pub use texts::{JsonPlace, Reason, Rule};

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. A failed call changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key, an item or a request is not acceptable: fix the argument that the text names.
    #[error("{0}")]
    Invalid(Refusal),
    /// A documented size limit is passed: make the thing smaller.
    #[error("{}", LimitText { what, unit: *unit, limit: *limit, found: *found, at: at.as_deref() })]
    Limit {
        /// What is too large, such as "Item size".
        what: &'static str,
        /// The unit of `limit` and `found`.
        unit: Unit,
        /// The documented limit.
        limit: usize,
        /// The size found.
        found: usize,
        /// Where in the input, where that is known: an attribute's path, a line and a column.
        at: Option<Box<str>>,
    },
    /// The condition of a write does not hold; nothing was written.
    #[error("The conditional request failed")]
    ConditionFailed {
        /// The item that made it fail, where the request asked for it and there is one.
        item: Option<Record>,
    },
    /// An item is to be inserted under a key that has one; nothing was written.
    #[error("Duplicate primary key exists in table")]
    DuplicateItem,
    /// There is no table of this name: a statement names one that this is not, or an account has none.
    #[error("Requested resource not found: Table: {name} not found{}", called(is.as_deref()))]
    TableNotFound {
        /// The name asked for.
        name: String,
        /// Of a statement: the name that its table has, that in the schema, or `items` where it has none.
        is: Option<String>,
    },
    /// An account has a table of this name already.
    #[error("Table already exists: {name}")]
    TableExists {
        /// The name.
        name: String,
    },
    /// A transaction was cancelled: nothing of it was written. The reasons say which of its operations failed and why.
    #[error("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes(reasons))]
    TransactionCanceled {
        /// One for each operation, in their order; none for those that would have succeeded.
        reasons: Vec<Option<CancellationReason>>,
    },
    /// A reader of the change stream fell behind: what follows `after` is no longer all there. What the reader has lost
    /// has to come from another source, a scan for example; the stream itself goes on at `oldest`, which is read after
    /// `oldest - 1`.
    #[error("the stream dropped what followed sequence number {after}: go on after {}", oldest.saturating_sub(1))]
    Trimmed {
        /// What the reader had read.
        after: u64,
        /// The sequence number of the oldest record that is kept, or of the next one to come where none is.
        oldest: u64,
    },
    /// Data from outside fails its checks, a snapshot or a file to import: repair it, or take another copy of it.
    #[error("{file}, {at}: {what}")]
    Corrupt {
        /// What was read.
        file: Box<str>,
        /// Where it is wrong.
        at: Position,
        /// What is wrong there.
        what: String,
    },
    /// The operating system refused to read or write a file.
    #[error("cannot {action} {file}: {source}")]
    Io {
        /// What was to be done: "read", "write".
        action: &'static str,
        /// Which file.
        file: Box<str>,
        /// What the operating system said.
        source: IoCause,
    },
    /// The call was ended by its interruption flag before it was done.
    #[error("interrupted")]
    Interrupted,
    /// A write panicked earlier, so the database may be half changed: open a new one.
    #[error("an earlier write to this database panicked; it refuses further use")]
    Poisoned,
}

fn called(is: Option<&str>) -> String {
    is.map_or_else(String::new, |is| format!("; this table is called {is}"))
}

impl Error {
    /// What it says in a dialect: `to_string` is kstone's.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        match self {
            Self::Invalid(refusal) => refusal.text(dialect),
            Self::Limit { what, unit, limit, found, at } => {
                dialect.text_of(&LimitText { what, unit: *unit, limit: *limit, found: *found, at: at.as_deref() })
            }
            Self::TableNotFound { name, .. } if dialect == Dialect::DynamoDb => {
                Self::TableNotFound { name: name.clone(), is: None }.to_string()
            }
            other => other.to_string(),
        }
    }

    /// Which layer of DynamoDB says it.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Invalid(refusal) => refusal.family(),
            _ => Family::Data,
        }
    }

    /// An [`Error::Limit`] that does not say where.
    pub fn limit(what: &'static str, unit: Unit, limit: usize, found: usize) -> Self {
        Self::Limit { what, unit, limit, found, at: None }
    }

    /// An [`Error::Corrupt`].
    pub fn corrupt(file: &str, at: Position, what: impl Into<String>) -> Self {
        Self::Corrupt { file: file.into(), at, what: what.into() }
    }

    /// An [`Error::Io`]: what was to be done with which file, and what the operating system said.
    pub fn io(action: &'static str, file: &str, source: io::Error) -> Self {
        Self::Io { action, file: file.into(), source: IoCause(Arc::new(source)) }
    }
}

impl From<kstone_core::Error> for Error {
    fn from(error: kstone_core::Error) -> Self {
        use kstone_core::Error as Core;
        match error {
            Core::Invalid(refusal) => Self::Invalid(Refusal::Storage(refusal)),
            Core::Limit { what, unit, limit, found, at } => Self::Limit { what, unit, limit, found, at },
            Core::Poisoned => Self::Poisoned,
            Core::Closed => Reason::TableDeleted.into(),
        }
    }
}

impl From<Reason> for Error {
    #[cold]
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason.into())
    }
}

/// What an expression or a statement is refused for; what is too large in it is a limit.
impl From<kstone_expr::Refusal> for Error {
    #[cold]
    #[inline(never)]
    fn from(refusal: kstone_expr::Refusal) -> Self {
        refusal.below().map_or_else(|| Self::Invalid(Refusal::Expression(refusal)), Self::from)
    }
}

/// The same, of no text.
impl From<kstone_expr::Reason> for Error {
    fn from(reason: kstone_expr::Reason) -> Self {
        kstone_expr::Refusal::from(reason).into()
    }
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// So many bytes behind its beginning.
    Byte(u64),
    /// In this line, the first being 1.
    Line(u64),
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Byte(offset) => write!(f, "byte {offset}"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

/// An [`io::Error`], shared. Two are equal that are of one kind and say the same.
#[derive(Debug, Clone)]
pub struct IoCause(Arc<io::Error>);

impl IoCause {
    /// The error itself.
    #[must_use]
    pub fn get(&self) -> &io::Error {
        &self.0
    }
}

impl fmt::Display for IoCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for IoCause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for IoCause {
    fn eq(&self, other: &Self) -> bool {
        self.0.kind() == other.0.kind() && self.0.to_string() == other.0.to_string()
    }
}

impl Eq for IoCause {}

/// Why an operation cancelled its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CancellationReason {
    /// DynamoDB's code, such as `ConditionalCheckFailed` or `ValidationError`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The item that made a condition fail, where the operation asked for it and there is one.
    pub item: Option<Record>,
    /// What the operation alone would have failed with.
    pub cause: Error,
}

impl CancellationReason {
    /// The reason that an operation's own error is.
    pub fn of(cause: Error) -> Self {
        let message = cause.to_string();
        let (code, item) = match &cause {
            Error::ConditionFailed { item } => ("ConditionalCheckFailed", item.clone()),
            Error::DuplicateItem => ("DuplicateItem", None),
            _ => ("ValidationError", None),
        };
        Self { code, message, item, cause }
    }
}

fn codes(reasons: &[Option<CancellationReason>]) -> String {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.as_ref().map_or("None", |reason| reason.code)).collect();
    codes.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Callers match on kinds and read texts; neither depends on the layer that refused.
    #[test]
    fn an_error_of_the_engine_keeps_its_kind_and_its_text() {
        use kstone_core::Error as Core;
        let limit = Core::Limit { what: "Item size", unit: Unit::Bytes, limit: 1, found: 2, at: Some("line 3".into()) };
        for core in [
            Core::from(StorageReason::KeyMismatch),
            limit,
            Core::limit("Item size", Unit::Levels, 1, 2),
            Core::Poisoned,
        ] {
            let error = Error::from(core.clone());
            assert_eq!(error.to_string(), core.to_string());
            assert!(matches!(
                (&core, &error),
                (Core::Invalid(_), Error::Invalid(_))
                    | (Core::Limit { .. }, Error::Limit { .. })
                    | (Core::Poisoned, Error::Poisoned)
            ));
        }
        let text = "Item size has exceeded the maximum allowed size: the limit is 1 bytes, found 2 (line 3)";
        let limit =
            Error::Limit { what: "Item size", unit: Unit::Bytes, limit: 1, found: 2, at: Some("line 3".into()) };
        assert_eq!(limit.to_string(), text);
    }
}
