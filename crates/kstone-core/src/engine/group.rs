//! What engines share that belong together, such as the tables of an account.

use std::sync::Arc;

use super::compactor::Compactor;
use super::memory_budget::MemoryBudget;
use super::store::Store;
use super::{Engine, EngineOptions, EngineOrdinal};
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::in_order;

/// Engines of the same options, and what they share: the memory limit and the thread that
/// compacts, where the options ask for them. Clones are
/// the same group; the thread stops with the last of them and the last engine.
///
/// ```
/// use kstone_core::engine::{EngineGroup, EngineOptions, EngineOrdinal};
/// let group = EngineGroup::new(EngineOptions { background_compaction: true, ..EngineOptions::default() })?;
/// let (orders, stock) = (group.engine(EngineOrdinal(1)), group.engine(EngineOrdinal(2)));
/// assert_eq!((orders.count()?, stock.count()?), (0, 0));
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Clone)]
pub struct EngineGroup {
    options: EngineOptions,
    compactor: Option<Arc<Compactor>>,
    /// Where there is a memory limit.
    budget: Option<Arc<MemoryBudget>>,
}

impl EngineGroup {
    /// A group without engines.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range, and where no thread can be started.
    pub fn new(options: EngineOptions) -> Result<Self> {
        options.check()?;
        in_order::is_at_home();
        let compactor = options.background_compaction.then(Compactor::start).transpose()?.map(Arc::new);
        let budget = |max| MemoryBudget::new(max, options.eviction, options.memtable_max_records);
        let budget = options.memory_max_bytes.map(budget).map(Arc::new);
        Ok(Self { options, compactor, budget })
    }

    /// An empty engine of this ordinal: some hundred bytes.
    pub fn engine(&self, ordinal: EngineOrdinal) -> Engine {
        self.engine_over(Store::new(EngineOptions { ordinal, ..self.options }, self.budget.as_ref()))
    }

    pub(super) fn engine_over(&self, store: Store) -> Engine {
        Engine { store: Arc::new(store), compactor: self.compactor.clone() }
    }
}
