//! Parsed expressions by their texts, so that a text is parsed once however often it is asked.
//!
//! A program asks few texts many times, with other values each time; what a text parses to depends on nothing else. One
//! map for each grammar, bounded, the text used longest ago leaving first: `lru`, on the hash table that is in the build
//! anyway. A look-up holds a lock for a hash and a comparison; parsing happens outside of it. Only what parses is kept.
//!
//! Thread safety: every method may be called from any thread. No two locks are held together.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::error::Result;
use lru::LruCache;
use parking_lot::Mutex;

use super::ast::{ConditionAst, ProjectionAst, UpdateAst};
use super::bind::Binder;
use super::condition::Condition;
use super::key_condition::{KeyCondition, KeySchema};
use super::projection::{self, Projection};
use super::update::Update;
use super::{Kind, condition_parser, update_parser};

/// How many texts of each grammar a cache keeps if not told otherwise. One takes about as many bytes as the text, and
/// some hundred more.
pub const EXPRESSION_CACHE_ENTRIES: usize = 512;

/// Keeps parsed expressions. Binding names and values is cheap and done for each request.
#[derive(Debug)]
pub struct ExpressionCache {
    /// Conditions, filters and key conditions share a grammar.
    conditions: Texts<ConditionAst>,
    projections: Texts<ProjectionAst>,
    updates: Texts<UpdateAst>,
}

impl ExpressionCache {
    /// A cache of [`EXPRESSION_CACHE_ENTRIES`]. Allocates when first used.
    #[must_use]
    pub fn new() -> Self {
        Self::with_entries(EXPRESSION_CACHE_ENTRIES)
    }

    /// A cache that keeps this many texts of each grammar, at least one.
    #[must_use]
    pub fn with_entries(entries: usize) -> Self {
        Self { conditions: Texts::new(entries), projections: Texts::new(entries), updates: Texts::new(entries) }
    }

    /// A condition or filter. `kind` says what errors call it.
    ///
    /// # Errors
    /// As [`Condition::parse`].
    pub fn condition(&self, kind: Kind, text: &str, binder: &mut Binder<'_>) -> Result<Condition> {
        Condition::bind(kind, self.conditions.get(text, |text| condition_parser::parse(kind, text))?, binder)
    }

    /// A key condition.
    ///
    /// # Errors
    /// As [`KeyCondition::parse`].
    pub fn key_condition(&self, text: &str, schema: KeySchema<'_>, binder: &mut Binder<'_>) -> Result<KeyCondition> {
        let parse = |text: &str| condition_parser::parse(Kind::KeyCondition, text);
        KeyCondition::bind(self.conditions.get(text, parse)?, schema, binder)
    }

    /// A projection.
    ///
    /// # Errors
    /// As [`Projection::parse`].
    pub fn projection(&self, text: &str, binder: &mut Binder<'_>) -> Result<Projection> {
        Projection::bind(self.projections.get(text, projection::parse)?, binder)
    }

    /// An update.
    ///
    /// # Errors
    /// As [`Update::parse`].
    pub fn update(&self, text: &str, binder: &mut Binder<'_>) -> Result<Update> {
        Update::bind(self.updates.get(text, update_parser::parse)?, binder)
    }
}

impl Default for ExpressionCache {
    fn default() -> Self {
        Self::new()
    }
}

/// The trees of one grammar by their texts.
#[derive(Debug)]
pub(crate) struct Texts<T> {
    known: Mutex<LruCache<Box<str>, Arc<T>>>,
    entries: NonZeroUsize,
}

impl<T> Texts<T> {
    pub(crate) fn new(entries: usize) -> Self {
        // Unbounded as the map sees it, so that it allocates as it fills; `get` keeps the bound.
        Self {
            known: Mutex::new(LruCache::unbounded()),
            entries: NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN),
        }
    }

    pub(crate) fn get(&self, text: &str, parse: impl FnOnce(&str) -> Result<T>) -> Result<Arc<T>> {
        if let Some(tree) = self.known.lock().get(text) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(parse(text)?);
        let mut known = self.known.lock();
        known.put(text.into(), Arc::clone(&tree));
        let left = if known.len() > self.entries.get() { known.pop_lru() } else { None };
        drop(known);
        drop(left);
        Ok(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Parameters;
    use super::*;

    #[test]
    fn a_text_is_parsed_once_and_the_one_used_longest_ago_leaves() {
        let cache = Texts::new(2);
        let parses = std::cell::Cell::new(0);
        let get = |text: &str| {
            let parse = |text: &str| {
                parses.set(parses.get() + 1);
                projection::parse(text)
            };
            cache.get(text, parse).map(drop)
        };
        get("a").unwrap();
        get("b").unwrap();
        get("a").unwrap();
        assert_eq!(parses.get(), 2);
        get("c").unwrap();
        get("a").unwrap();
        assert_eq!(parses.get(), 3, "b has left, not a");
        get("b").unwrap();
        assert_eq!((parses.get(), cache.known.lock().len()), (4, 2));
    }

    #[test]
    fn what_does_not_parse_is_not_kept() {
        let cache = ExpressionCache::new();
        let nothing = Parameters::new();
        for kind in [Kind::Condition, Kind::Filter] {
            let error = cache.condition(kind, "a = ", &mut Binder::new(&nothing)).unwrap_err().to_string();
            assert!(error.starts_with(&format!("Invalid {}: Syntax error", kind.name())), "{error}");
        }
        assert_eq!(cache.conditions.known.lock().len(), 0);
    }

    #[test]
    fn one_text_serves_as_condition_filter_and_update() {
        let cache = ExpressionCache::with_entries(0);
        let nothing = Parameters::new();
        for _ in 0..2 {
            assert!(cache.condition(Kind::Filter, "a = b", &mut Binder::new(&nothing)).is_ok());
            assert!(cache.update("REMOVE a", &mut Binder::new(&nothing)).is_ok());
            assert!(cache.projection("a", &mut Binder::new(&nothing)).is_ok());
            assert!(cache.key_condition("a = b", KeySchema::ITEMS, &mut Binder::new(&nothing)).is_err());
        }
        assert_eq!(cache.conditions.known.lock().len(), 1);
    }
}
