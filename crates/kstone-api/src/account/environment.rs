//! What the tables of an account share.

use std::sync::Arc;

use crate::expression::ExpressionCache;
use crate::model::clock::{Clock, ClockSource};
use crate::model::options::DatabaseOptions;
use crate::partiql::StatementCache;

/// Options, clock and caches of an account. Each of its tables holds it.
pub(crate) struct Environment {
    pub(crate) options: DatabaseOptions,
    pub(crate) clock: ClockSource,
    /// Shared with forks.
    caches: Arc<Caches>,
}

/// What was read of texts, whatever the schema.
struct Caches {
    expressions: ExpressionCache,
    statements: StatementCache,
}

impl Environment {
    pub(crate) fn new(options: DatabaseOptions, clock: ClockSource) -> Self {
        let max_bytes = options.cache_max_bytes();
        let expressions = ExpressionCache::with_max_bytes(max_bytes);
        let caches = Caches { expressions, statements: StatementCache::with_max_bytes(max_bytes) };
        Self { options, clock, caches: Arc::new(caches) }
    }

    /// That of a fork: the same options, a clock that shows the same time and is set by itself.
    pub(crate) fn forked(&self) -> Self {
        Self { options: self.options, clock: self.clock.clone(), caches: Arc::clone(&self.caches) }
    }

    /// The time; of no interest, and not asked for, where nobody asks.
    #[inline]
    pub(crate) fn now_for(&self, is_asked: bool) -> i64 {
        if is_asked { self.clock.now_epoch_seconds() } else { 0 }
    }

    pub(crate) fn expressions(&self) -> &ExpressionCache {
        &self.caches.expressions
    }

    pub(crate) fn statements(&self) -> &StatementCache {
        &self.caches.statements
    }

    /// Bytes of what was read of texts.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.expressions().bytes() + self.statements().bytes()
    }
}
