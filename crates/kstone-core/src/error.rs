//! What can go wrong in the storage engine: four kinds, each telling the caller what to do about it.
//!
//! What is refused says why as data: a [`Reason`] of `error/texts.rs`, whose table makes the text of it, in kstone's words
//! and in DynamoDB's.

mod refusal;
mod table;
mod texts;

use std::fmt;

pub use refusal::{Dialect, Family, Refusal};
pub use texts::{Flaw, Listed, OneOf, Reason};

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. A failed call changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// A key, an item or a request is not acceptable: fix the argument that the text names.
    Invalid(Refusal),
    /// A documented size limit is passed: make the thing smaller.
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
    /// A write panicked earlier, so the database may be half changed: open a new one.
    Poisoned,
    /// The table was deleted.
    Closed,
}

impl Error {
    /// An [`Error::Limit`] that does not say where.
    pub fn limit(what: &'static str, unit: Unit, limit: usize, found: usize) -> Self {
        Self::Limit { what, unit, limit, found, at: None }
    }

    /// Which layer of the service says it.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Invalid(refusal) => refusal.family(),
            Self::Limit { .. } | Self::Poisoned | Self::Closed => Family::Data,
        }
    }
}

/// kstone's text; the alternate form is DynamoDB's.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(refusal) => refusal.fmt(f),
            Self::Limit { what, unit, limit, found, at } => {
                LimitText { what, unit: *unit, limit: *limit, found: *found, at: at.as_deref() }.fmt(f)
            }
            Self::Poisoned => f.write_str("an earlier write to this database panicked; it refuses further use"),
            Self::Closed => f.write_str("the table was deleted"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Reason> for Error {
    #[cold]
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason.into())
    }
}

/// The text of an [`Error::Limit`], for the error types of the layers above.
#[derive(Debug, Clone, Copy)]
pub struct LimitText<'a> {
    /// What is too large.
    pub what: &'a str,
    /// The unit of both sizes.
    pub unit: Unit,
    /// The documented limit.
    pub limit: usize,
    /// The size found.
    pub found: usize,
    /// Where in the input, where that is known.
    pub at: Option<&'a str>,
}

/// kstone's text has both sizes, and the place; the alternate form, DynamoDB's, has neither.
impl fmt::Display for LimitText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, limit, found, at } = self;
        match (f.alternate(), unit) {
            (false, _) => {
                write!(f, "{what} has exceeded the maximum allowed size: the limit is {limit} {unit}, found {found}")?;
                at.map_or(Ok(()), |at| write!(f, " ({at})"))
            }
            (true, _) if *what == PARTITION_KEY => f.write_str(
                "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 \
                 bytes",
            ),
            (true, _) if *what == SORT_KEY => f.write_str(
                "One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size \
                 limit of 1024 bytes",
            ),
            (true, Unit::Levels) => write!(f, "{what} have exceeded supported limits"),
            (true, _) => write!(f, "{what} has exceeded the maximum allowed size"),
        }
    }
}

/// What an [`Error::Limit`] calls a partition key.
pub const PARTITION_KEY: &str = "Partition key size";
/// What an [`Error::Limit`] calls a sort key.
pub const SORT_KEY: &str = "Sort key size";

/// The unit of a size limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Levels of nesting.
    Levels,
    /// Entries of a list that the caller gave.
    Entries,
    /// Characters of a text.
    Characters,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Levels => "levels",
            Self::Entries => "entries",
            Self::Characters => "characters",
        })
    }
}
