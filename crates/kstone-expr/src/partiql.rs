//! PartiQL's front end: statements of DynamoDB's dialect, read and lowered to the expressions' programs.
//!
//! ```text
//! text ─► tokens ─► Ast ─► Parsed ─► values bound
//!         lexer   grammar  lower   │
//!                                  └─ StatementCache: a text is read once
//! ```
//! `docs/partiql.md` is the dialect's reference. What a statement reads is planned, and what it writes is written, by the
//! layer that has tables.
//!
//! Invariants: no statement makes a parse panic, or recurse deeper than an item nests. Thread safety: any thread;
//! the cache holds its lock for a look-up alone.

use std::sync::Arc;

use kstone_core::error::Unit;

use crate::expression::Texts;
use crate::refusal::{Refusal, Result};

mod asks;
mod ast;
mod condition_grammar;
mod dynamodb;
mod fault;
mod grammar;
mod lexer;
mod lower;
mod lower_condition;
mod lower_write;
pub mod parsed;
mod value_grammar;
pub mod values;

pub use ast::{Aggregate, Returning};
pub use lower::count_of;
pub use lower_write::is_set;
use parsed::Parsed;

/// The most characters that a statement may have, DynamoDB's.
pub const STATEMENT_MAX_CHARS: usize = 8192;
/// How deep conditions, values and functions may nest in each other.
const NESTING_MAX_LEVELS: usize = kstone_core::item::MAX_NESTING_LEVELS;
/// The longest statement that is remembered, in bytes: those of many kilobytes hold their values in their text, and do
/// not come again.
const CACHED_MAX_BYTES: usize = 2048;

/// Statements by their texts.
#[derive(Debug)]
pub struct StatementCache(Texts<Parsed>);

impl StatementCache {
    /// A cache that keeps this many bytes, as it charges them.
    #[must_use]
    pub fn with_max_bytes(max_bytes: usize) -> Self {
        Self(Texts::new(max_bytes))
    }

    /// Bytes that are kept, as charged.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// What a statement says, parsed now or before.
    ///
    /// # Errors
    /// [`Refusal`] with the place of what is not well-formed, and for a statement
    /// of more than [`STATEMENT_MAX_CHARS`].
    pub fn get(&self, text: &str) -> Result<Arc<Parsed>> {
        let parse = |text: &str| lower::parse(text).map_err(|fault| fault.into_refusal(text));
        if text.len() <= CACHED_MAX_BYTES {
            return self.0.get(text, parse);
        }
        match text.chars().count() {
            chars if chars > STATEMENT_MAX_CHARS => {
                Err(Refusal::limit("Statement", Unit::Characters, STATEMENT_MAX_CHARS, chars))
            }
            _ => parse(text).map(Arc::new),
        }
    }
}
