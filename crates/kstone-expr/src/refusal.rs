//! Why an expression or a statement is refused: what is wrong, of what, and where.
//!
//! ```text
//! parsers, binding, evaluation ──▶ Refusal { Reason, of which expression, Place } ──texts.rs──▶ kstone's text
//!                                                                                          └──▶ DynamoDB's
//! ```
//! Thread safety: plain values.

use std::fmt;

use kstone_core::error::{Dialect, Family, Unit};

use crate::expression::Kind;
use crate::texts::in_statement::InStatement;
use crate::texts::{Exceeded, Reason};

/// The result of a fallible call of this crate.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// How many bytes stand before it.
    pub at: usize,
    /// How many bytes it has.
    pub len: usize,
}

/// Why an expression or a statement is refused. What was refused changed nothing.
///
/// ```
/// use kstone_expr::expression::{Binder, Kind, Parameters, Update};
/// use kstone_expr::{Dialect, Place, Reason};
///
/// let nothing = Parameters::new();
/// let refusal = Update::parse("SET a = = b", &mut Binder::new(&nothing)).unwrap_err();
/// assert!(matches!(refusal.reason(), Reason::SyntaxError { token, .. } if &**token == "="));
/// assert_eq!(refusal.expression(), Some(Kind::Update));
/// assert_eq!(refusal.place(), Some(Place { at: 8, len: 1 }));
/// let text = "Invalid UpdateExpression: Syntax error; token: \"=\", near: \"= = b\"";
/// assert_eq!(refusal.text(Dialect::DynamoDb), text);
/// assert_eq!(refusal.to_string(), text, "kstone's text, here the same");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    reason: Reason,
    /// Which expression's text names.
    expression: Option<Kind>,
    place: Option<Place>,
    statement: Option<InStatement>,
}

impl Refusal {
    /// What is wrong.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The expression that its text names, where it names one.
    #[must_use]
    pub fn expression(&self) -> Option<Kind> {
        self.0.expression
    }

    /// Where in the expression's or the statement's text, where one place is at fault.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.0.place
    }

    /// Which layer of the service says it.
    #[must_use]
    pub fn family(&self) -> Family {
        match &self.0.reason {
            Reason::Below { error } => error.family(),
            reason => reason.family(),
        }
    }

    /// What it says in a dialect.
    #[must_use]
    pub fn text(&self, dialect: Dialect) -> String {
        dialect.text_of(self)
    }

    /// What the layer below refused, or what is too large, where it is that and the text says nothing else.
    #[must_use]
    pub fn below(&self) -> Option<kstone_core::Error> {
        match &self.0.reason {
            _ if self.0.statement.is_some() => None,
            Reason::Limit { limit: Exceeded { what, unit, limit, found } } => {
                Some(kstone_core::Error::limit(what, *unit, *limit, *found))
            }
            Reason::Below { error } => Some(error.clone()),
            _ => None,
        }
    }

    pub(crate) fn limit(what: &'static str, unit: Unit, limit: usize, found: usize) -> Self {
        Reason::Limit { limit: Exceeded { what, unit, limit, found } }.into()
    }

    /// The same of this expression, at a place in its text.
    pub(crate) fn of(reason: Reason, kind: Kind, place: Option<Place>) -> Self {
        let expression = (kind != Kind::Where).then_some(kind);
        Self(Box::new(Parts { reason, expression, place, statement: None }))
    }

    /// The same of a statement, at a place that lies between two of its characters.
    pub(crate) fn in_statement(reason: Reason, place: Place, statement: InStatement) -> Self {
        Self(Box::new(Parts { reason, expression: None, place: Some(place), statement: Some(statement) }))
    }
}

/// kstone's text; the alternate form is DynamoDB's.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(statement), Some(place)) = (&self.0.statement, self.0.place) {
            return statement.write(f, &self.0.reason, place.at);
        }
        if let Some(kind) = self.0.expression {
            write!(f, "Invalid {}: ", kind.name())?;
        }
        self.0.reason.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl From<Reason> for Refusal {
    #[cold]
    fn from(reason: Reason) -> Self {
        Self(Box::new(Parts { reason, expression: None, place: None, statement: None }))
    }
}

impl From<kstone_core::Error> for Refusal {
    #[cold]
    fn from(error: kstone_core::Error) -> Self {
        Reason::Below { error }.into()
    }
}
