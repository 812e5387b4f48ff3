//! Parsed expressions by their texts, so that a text is parsed once however often it is asked.
//!
//! A program asks few texts many times, with other values each time; what a text parses to depends on nothing else. One
//! map for each grammar, bounded in bytes, the text used longest ago leaving first: `lru`, on the hash table that is in the build
//! anyway. A look-up holds a lock for a hash and a comparison; parsing happens outside of it. Only what parses is kept.
//!
//! Thread safety: every method may be called from any thread. No two locks are held together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::refusal::Result;
use lru::LruCache;
use parking_lot::Mutex;

use super::ast::{ConditionAst, ProjectionAst, UpdateAst};
use super::bind::Binder;
use super::condition::Condition;
use super::key_condition::{KeyCondition, KeySchema};
use super::projection::{self, Projection};
use super::update::Update;
use super::{Kind, condition_parser, update_parser};

/// The most bytes that a cache keeps of each grammar if not told otherwise.
pub const EXPRESSION_CACHE_MAX_BYTES: usize = 256 << 10;

/// What a text is charged: for itself and its tree, which is largest where names and operators are of one letter, and
/// for its place in the map.
const fn charge_of(text: &str) -> usize {
    512 + 48 * text.len()
}

/// Keeps parsed expressions. Binding names and values is cheap and done for each request.
#[derive(Debug)]
pub struct ExpressionCache {
    /// Conditions, filters and key conditions share a grammar.
    conditions: Texts<ConditionAst>,
    projections: Texts<ProjectionAst>,
    updates: Texts<UpdateAst>,
}

impl ExpressionCache {
    /// A cache of [`EXPRESSION_CACHE_MAX_BYTES`] for each grammar. Allocates when first used.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_bytes(EXPRESSION_CACHE_MAX_BYTES)
    }

    /// A cache that keeps this many bytes of each grammar, as it charges them.
    #[must_use]
    pub fn with_max_bytes(max_bytes: usize) -> Self {
        Self { conditions: Texts::new(max_bytes), projections: Texts::new(max_bytes), updates: Texts::new(max_bytes) }
    }

    /// Bytes that are kept, as charged.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.conditions.bytes() + self.projections.bytes() + self.updates.bytes()
    }

    /// A condition or filter. `kind` says what errors call it.
    ///
    /// # Errors
    /// As [`Condition::parse`].
    pub fn condition(&self, kind: Kind, text: &str, binder: &mut Binder<'_>) -> Result<Condition<'static>> {
        Condition::bind(kind, self.parsed_condition(kind, text)?, binder)
    }

    /// What a condition, filter or key condition is parsed to.
    ///
    /// # Errors
    /// As [`Condition::parse`], for what is not well-formed.
    pub fn parsed_condition(&self, kind: Kind, text: &str) -> Result<Arc<ConditionAst>> {
        self.conditions.get(text, |text| condition_parser::parse(kind, text))
    }

    /// A key condition.
    ///
    /// # Errors
    /// As [`KeyCondition::parse`].
    pub fn key_condition(
        &self,
        text: &str,
        schema: KeySchema<'_>,
        binder: &mut Binder<'_>,
    ) -> Result<KeyCondition<'static>> {
        KeyCondition::bind(self.parsed_condition(Kind::KeyCondition, text)?, schema, binder)
    }

    /// A projection.
    ///
    /// # Errors
    /// As [`Projection::parse`].
    pub fn projection(&self, text: &str, binder: &mut Binder<'_>) -> Result<Projection> {
        Projection::bind(self.parsed_projection(text)?, binder)
    }

    pub(super) fn parsed_projection(&self, text: &str) -> Result<Arc<ProjectionAst>> {
        self.projections.get(text, projection::parse)
    }

    /// An update.
    ///
    /// # Errors
    /// As [`Update::parse`].
    pub fn update(&self, text: &str, binder: &mut Binder<'_>) -> Result<Update<'static>> {
        Update::bind(self.parsed_update(text)?, binder)
    }

    /// What an update is parsed to.
    ///
    /// # Errors
    /// As [`Update::parse`], for what is not well-formed.
    pub fn parsed_update(&self, text: &str) -> Result<Arc<UpdateAst>> {
        self.updates.get(text, update_parser::parse)
    }
}

impl Default for ExpressionCache {
    fn default() -> Self {
        Self::new()
    }
}

/// The trees of one grammar by their texts.
#[derive(Debug)]
pub struct Texts<T> {
    known: Mutex<LruCache<Box<str>, Arc<T>>>,
    /// What is charged for those that are known. Changed under the lock.
    bytes: AtomicUsize,
    max_bytes: usize,
}

impl<T> Texts<T> {
    /// A cache of this many bytes.
    pub fn new(max_bytes: usize) -> Self {
        // Unbounded as the map sees it, so that it allocates as it fills; `get` keeps the bound.
        Self { known: Mutex::new(LruCache::unbounded()), bytes: AtomicUsize::new(0), max_bytes }
    }

    /// Bytes that are kept, as charged.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// What a text is parsed to, by `parse` where it is not known.
    ///
    /// # Errors
    /// Those of `parse`.
    pub fn get<E>(&self, text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<Arc<T>, E> {
        if let Some(tree) = self.known.lock().get(text) {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(parse(text)?);
        if charge_of(text) > self.max_bytes {
            return Ok(tree);
        }
        let mut known = self.known.lock();
        let mut bytes = self.bytes();
        // Another thread may have parsed it meanwhile.
        if known.put(text.into(), Arc::clone(&tree)).is_none() {
            bytes += charge_of(text);
        }
        let mut left = Vec::new();
        while bytes > self.max_bytes
            && let Some((text, tree)) = known.pop_lru()
        {
            bytes -= charge_of(&text);
            left.push((text, tree));
        }
        self.bytes.store(bytes, Ordering::Relaxed);
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
        let cache = Texts::new(2 * charge_of("a"));
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
        assert_eq!(cache.bytes(), 2 * charge_of("a"));
    }

    /// What [`charge_of`] counts on: a tree is mostly of these, of which a letter or two make one.
    #[test]
    fn the_parts_of_a_tree_are_as_small_as_its_charge_supposes() {
        use super::super::ast::{Action, NewValue, OperandSource, Predicate, Segment};
        assert_eq!((size_of::<Predicate>(), size_of::<Action>(), size_of::<NewValue>()), (24, 24, 16));
        assert_eq!((size_of::<Segment>(), size_of::<OperandSource>()), (24, 6));
    }

    #[test]
    fn a_text_beyond_the_bound_is_parsed_and_not_kept() {
        let cache = Texts::new(charge_of("ab"));
        for text in ["abc", "abcd"] {
            assert!(cache.get(text, projection::parse).is_ok());
            assert_eq!((cache.bytes(), cache.known.lock().len()), (0, 0));
        }
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
        let cache = ExpressionCache::with_max_bytes(charge_of("a = b"));
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
