//! A reason together with the place that it is true of, and whose words it is said in.

use std::fmt;

use super::Reason;

/// Which layer of the service a sentence comes from: whether the validation layer that AWS rolled out since June 2026 puts
/// `1 validation error detected: ` before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Of the request alone: with that prefix.
    Request,
    /// Of data, structure and limits: bare.
    Data,
}

/// Whose words a refusal is said in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// kstone's: with sizes and limits, and with the place.
    Kstone,
    /// DynamoDB's.
    DynamoDb,
}

impl Dialect {
    /// What is shown in this dialect: DynamoDB's is the alternate form.
    #[must_use]
    pub fn text_of(self, shown: &impl fmt::Display) -> String {
        match self {
            Self::Kstone => format!("{shown}"),
            Self::DynamoDb => format!("{shown:#}"),
        }
    }
}

/// Why a key, an item or a call is refused. What was refused changed nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    reason: Reason,
    /// The path of the attribute that is at fault, where one is.
    attribute: Option<Box<str>>,
}

impl Refusal {
    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The path of the attribute that is at fault, where one is: `a.b[2]`.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        self.0.attribute.as_deref()
    }

    /// Which layer of the service says it.
    #[must_use]
    pub fn family(&self) -> Family {
        self.0.reason.family()
    }

    /// What it says in a dialect.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        dialect.text_of(self)
    }

    /// The same, at fault being the attribute of this path.
    #[must_use]
    pub fn in_attribute(mut self, path: Box<str>) -> Self {
        self.0.attribute = Some(path);
        self
    }

    /// The same, where it names this attribute, without it: for a text that names it anyway.
    #[must_use]
    pub fn without_attribute(mut self, path: &str) -> Self {
        self.0.attribute = self.0.attribute.filter(|attribute| **attribute != *path);
        self
    }
}

/// kstone's text; the alternate form is DynamoDB's, which names no attribute.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.reason.fmt(f)?;
        match &self.0.attribute {
            Some(path) if !f.alternate() => write!(f, " (attribute {path})"),
            _ => Ok(()),
        }
    }
}

impl From<Reason> for Refusal {
    #[cold]
    #[inline(never)]
    fn from(reason: Reason) -> Self {
        Self(Box::new(Parts { reason, attribute: None }))
    }
}
