//! What can go wrong below the API: few kinds, each telling the caller what to do about it.

use std::fmt;

/// The result of a fallible call of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed. A failed call changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key, an item or a request is not acceptable: mend the argument that the text names.
    #[error("{0}")]
    Invalid(String),
    /// A documented size limit is passed: make the thing smaller.
    #[error("{what} has exceeded the maximum allowed size: the limit is {limit} {unit}, found {found}{}", Place(at))]
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

struct Place<'a>(&'a Option<Box<str>>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |place| write!(f, " ({place})"))
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
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Levels => "levels",
            Self::Entries => "entries",
        })
    }
}
