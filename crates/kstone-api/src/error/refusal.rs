//! A refusal of any layer, kept as the data that it is.

use std::fmt;

use kstone_core::error::{Dialect, Family};

use super::Reason;

/// Why a key, an item, an expression or a request is refused, by the layer that refused it. What was refused changed
/// nothing.
///
/// ```
/// use kstone_api::error::{Dialect, Refusal, StorageReason};
/// use kstone_api::{Database, Error};
///
/// let db = Database::create_in_memory()?;
/// let Err(Error::Invalid(refusal)) = db.get(b"") else { panic!("a key without bytes") };
/// assert!(matches!(&refusal, Refusal::Storage(storage) if storage.reason() == &StorageReason::EmptyPartitionKey));
/// assert!(refusal.to_string().ends_with("the partition key is empty, it needs 1 to 2048 bytes"));
/// assert!(refusal.text(Dialect::DynamoDb).ends_with("cannot contain an empty string value. Key: pk"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Of a key, an item, a number or the engine.
    Storage(kstone_core::error::Refusal),
    /// Of an expression or a statement.
    Expression(kstone_expr::Refusal),
    /// Of a request, a schema, a file or anything else of this layer.
    Request(Box<Reason>),
}

impl Refusal {
    /// The reason's name in its layer's table.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Storage(refusal) => refusal.reason().name(),
            Self::Expression(refusal) => refusal.reason().name(),
            Self::Request(reason) => reason.name(),
        }
    }

    /// Which layer of DynamoDB says it: whether its validation layer puts a prefix before it.
    #[must_use]
    pub fn family(&self) -> Family {
        match self {
            Self::Storage(refusal) => refusal.family(),
            Self::Expression(refusal) => refusal.family(),
            Self::Request(reason) => match &**reason {
                Reason::At { refusal, .. }
                | Reason::InColumn { refusal, .. }
                | Reason::ValueInvalid { refusal, .. }
                | Reason::InTransaction { refusal, .. } => refusal.family(),
                reason => reason.family(),
            },
        }
    }

    /// What it says in a dialect.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        dialect.text_of(self)
    }
}

/// kstone's text; the alternate form is DynamoDB's.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Storage(refusal) => refusal.fmt(f),
            Self::Expression(refusal) => refusal.fmt(f),
            Self::Request(reason) => reason.fmt(f),
        }
    }
}

impl From<kstone_core::error::Refusal> for Refusal {
    fn from(refusal: kstone_core::error::Refusal) -> Self {
        Self::Storage(refusal)
    }
}

impl From<Reason> for Refusal {
    #[cold]
    #[inline(never)]
    fn from(reason: Reason) -> Self {
        Self::Request(Box::new(reason))
    }
}
