//! DynamoDB's expressions: conditions, filters, key conditions, projections and updates, parsed once and evaluated on
//! items where they lie.
//!
//! ```text
//! text ──parse──▶ tree ──bind names and values──▶ Condition, Update, … ──evaluate──▶ true | new body | …
//!         └── ExpressionCache keeps the trees ──┘
//! ```
//! The Developer Guide is the specification ("Using expressions in DynamoDB"), the service's own words are the errors'.
//! The item's key is seen as the attributes `pk` and `sk`, of type S where it is UTF-8 and of type B otherwise, so that
//! `attribute_not_exists(pk)` means that there is no such item.
//!
//! ```
//! use kstone_expr::expression::{Binder, ExpressionCache, Kind, Parameters, Subject};
//! use kstone_core::{item::ItemWriter, value::{Item, Value}};
//!
//! let cache = ExpressionCache::new(); let parameters = Parameters::from_maps([("#n", "name")],
//! &Item::from([(":n".into(), Value::string("Al"))]))?; let mut binder = Binder::new(&parameters); let
//! condition = cache.condition(Kind::Condition, "begins_with(#n, :n) AND attribute_exists(pk)", &mut binder)?;
//! binder.finish()?;
//!
//! let mut item = ItemWriter::new();
//! item.set_str("name", "Alice")?;
//! assert!(condition.evaluate(&Subject::new(b"user#1", b"", item.as_item())));
//! assert!(!condition.evaluate(&Subject::absent()));
//! # Ok::<(), kstone_expr::Refusal>(())
//! ```
//!
//! # Limits, DynamoDB's
//! | what | limit |
//! | --- | --- |
//! | text of an expression | [`EXPRESSION_MAX_BYTES`] |
//! | operators and functions in one | [`OPERATORS_MAX`] |
//! | operands of IN | 100 |
//! | levels of a path | [`PATH_MAX_LEVELS`] |
//! | a `#name` or `:value`, with its sign | [`PLACEHOLDER_MAX_BYTES`] |
//!
//! # Work
//! The paths of an expression are followed through an item in one pass, so that its attributes are looked at once,
//! however many paths there are; an operator or a function then reads its operands once. So the most that one
//! evaluation reads is an item for each of [`OPERATORS_MAX`] operators, and that only where all of them look at one
//! large value. Writes evaluate over large items before they lock anything.
//!
//! Invariants: no text and no item makes a parse or an evaluation panic or recurse deeper than
//! [`MAX_NESTING_LEVELS`](kstone_core::item::MAX_NESTING_LEVELS); a bound expression is immutable. Thread safety:
//! everything here is `Send` and `Sync`.

mod apply;
pub mod ast;
mod bind;
pub mod build;
mod cache;
mod charge;
mod condition;
mod condition_parser;
mod eval;
mod key_condition;
mod lexer;
mod parameters;
mod parser;
mod path;
mod prepared;
mod projection;
mod reserved;
mod resolve;
mod subject;
#[cfg(test)]
mod tests;
mod update;
mod update_parser;

pub use bind::{Binder, BoundParameters};
pub use cache::{EXPRESSION_CACHE_MAX_BYTES, ExpressionCache, Texts};
pub use condition::{Condition, ConditionOfMany, Equality};
pub use eval::order;
pub use key_condition::{KEY_PARTS_MAX, KeyCondition, KeyPlan, KeySchema, SortCondition};
pub use parameters::{Parameters, Slot};
pub use prepared::{Expression, ParameterNames, PreparedExpression, Preparing, binder_of_names};
pub use projection::Projection;
pub use subject::{Subject, key_value};
pub(crate) use update::order_of;
pub use update::{ReturnValues, Update, check_paths};

/// The most bytes that an expression's text may have.
pub const EXPRESSION_MAX_BYTES: usize = 4096;

/// The most operators and functions in one expression: comparators, BETWEEN, IN, AND, OR, NOT, `+`, `-` and functions.
pub const OPERATORS_MAX: usize = 300;

/// The most steps of a path, the attribute's name included.
pub const PATH_MAX_LEVELS: usize = 32;

/// The most bytes of a `#name` or `:value`, with its sign.
pub const PLACEHOLDER_MAX_BYTES: usize = 255;

/// Which of DynamoDB's expressions: errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Decides whether a write happens.
    Condition,
    /// Decides which of the items that were read are returned.
    Filter,
    /// Says which items are read.
    KeyCondition,
    /// Says which parts of an item are returned.
    Projection,
    /// Changes an item.
    Update,
    /// What a PartiQL statement asks of items.
    Where,
    /// Says among which vectors is searched.
    SearchCondition,
}

impl Kind {
    /// DynamoDB's name of it, such as `ConditionExpression`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Condition => "ConditionExpression",
            Self::Filter => "FilterExpression",
            Self::KeyCondition => "KeyConditionExpression",
            Self::Projection => "ProjectionExpression",
            Self::Update => "UpdateExpression",
            Self::Where => "WHERE clause",
            Self::SearchCondition => "SearchConditionExpression",
        }
    }
}
