//! What the tables of an account share.

use std::sync::Arc;

use kstone_core::engine::EngineGroup;
use parking_lot::Mutex;

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;

use crate::account::limited::LimitedTables;
use crate::expression::ExpressionCache;
use crate::model::clock::ClockSource;
use crate::model::options::DatabaseOptions;
use kstone_expr::partiql::StatementCache;

/// Options, clock and caches of an account. Each of its tables holds it.
pub(crate) struct Environment {
    pub(crate) options: DatabaseOptions,
    pub(crate) clock: ClockSource,
    /// Shared with forks.
    caches: Arc<Caches>,
    /// Made with the first table: an option may be out of its range.
    group: Mutex<Option<EngineGroup>>,
    pub(crate) limited: LimitedTables,
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
        Self { options, clock, caches: Arc::new(caches), group: Mutex::default(), limited: LimitedTables::default() }
    }

    /// That of a fork: the same options, a clock that shows the same time and is set by itself.
    pub(crate) fn forked(&self) -> Self {
        let (options, clock, caches) = (self.options, self.clock.clone(), Arc::clone(&self.caches));
        Self { options, clock, caches, group: Mutex::default(), limited: LimitedTables::default() }
    }

    /// What the engines of the tables share.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range, and where no thread can be started.
    pub(crate) fn group(&self) -> Result<EngineGroup> {
        let mut group = self.group.lock();
        match &*group {
            Some(group) => Ok(group.clone()),
            None => Ok(group.insert(EngineGroup::new(self.options.of_engine())?).clone()),
        }
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
