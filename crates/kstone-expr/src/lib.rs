//! DynamoDB's expressions and PartiQL's statements, as far as they are about values and paths and no table.
//!
//! ```text
//! expression   conditions, filters, key conditions, projections and updates: parsed, bound, evaluated on items in place
//! partiql      statements: parsed and lowered to the expressions' programs; what they read is planned a layer above
//! ```
//! Nothing here knows a table, a schema or an engine: what an expression looks at is a [`Subject`](expression::Subject),
//! an item under its key. On kstone-core's items and numbers alone.

pub mod expression;
pub mod partiql;
mod refusal;
mod texts;

pub use kstone_core::error::{Dialect, Family};
pub use refusal::{Place, Refusal, Result};
pub use texts::{Exceeded, Expected, Keys, Reason, ShownPath, ShownStep, ShownValue};
