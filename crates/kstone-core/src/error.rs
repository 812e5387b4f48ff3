//! What can go wrong in the storage engine: four kinds, each telling the caller what to do about it.

use std::fmt;

/// The result of a fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. A failed call changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key, an item or a request is not acceptable: fix the argument that the text names.
    #[error("{0}")]
    Invalid(String),
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
    /// A write panicked earlier, so the database may be half changed: open a new one.
    #[error("an earlier write to this database panicked; it refuses further use")]
    Poisoned,
    /// The table was deleted.
    #[error("the table was deleted")]
    Closed,
}

impl Error {
    /// An [`Error::Invalid`] with this text.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self::Invalid(text.into())
    }

    /// An [`Error::Limit`] that does not say where.
    pub fn limit(what: &'static str, unit: Unit, limit: usize, found: usize) -> Self {
        Self::Limit { what, unit, limit, found, at: None }
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

impl fmt::Display for LimitText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, limit, found, at } = self;
        write!(f, "{what} has exceeded the maximum allowed size: the limit is {limit} {unit}, found {found}")?;
        at.map_or(Ok(()), |at| write!(f, " ({at})"))
    }
}

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
