//! The engine: routes keys to stripes, and is the one place that takes more than one stripe's lock.
//!
//! # Lock order
//! Ascending by [`EngineOrdinal`], and in each engine by [`StripeId`], always. A read of one key or one partition takes one lock, shared; a page of a scan takes
//! the locks of the stripes it passes, shared, and keeps them until the page is full, so that no page shows half of a
//! [`Engine::commit`]; a point-in-time view takes all of them, also where a writer takes it for a reader who
//! [awaits](Engine::await_view) one. No lock is held while a caller reads a record, and the
//! garbage of a change is freed after the locks.
//!
//! # Thread safety
//! Every call may be made from any thread at any time. A write that panics leaves the engine poisoned: from then on
//! every call is [`Error::Poisoned`].

use std::sync::Arc;

#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{STRIPES, StripeId};
use crate::label::InternedLayout;
use crate::mode::Flags;

mod across;
mod awaited_view;
mod commit;
mod compactor;
mod cursor;
mod exclusive;
mod fill;
mod fork;
mod group;
mod lock_place;
mod maintenance;
mod memory_budget;
mod one_stripe;
mod options;
mod pages;
mod point_in_time;
mod read;
mod scan_range;
mod stats;
mod store;
mod stripes;
mod write;

use compactor::Compactor;
use store::Store;

pub use crate::page_buffer::PageLimits;
pub use across::{EngineKeys, Present, commit_across, read_across};
pub use awaited_view::AwaitedView;
pub use commit::{Commit, INLINE_WRITES, KeyWrite, Writes, Writing};
pub use cursor::Cursor;
pub use exclusive::{Exclusive, exclusive_across};
pub use fill::{Filled, Filling, FillingPart};
pub use group::EngineGroup;
pub use memory_budget::{Charge, MEMORY_MAX_BYTES_MIN, Reservation};
pub use one_stripe::OneStripe;
pub use options::{EngineOptions, EngineOrdinal, Eviction, MEMTABLE_MAX_RECORDS, MEMTABLE_MAX_RECORDS_LIMIT};
pub use pages::{CountPage, RecordPage, SortKeyRange};
pub use point_in_time::PointInTimeView;
pub use read::GLANCE_KEY_BYTES;
pub use scan_range::{SEGMENTS_MAX, ScanRange};
pub use stats::EngineStats;

/// What the owner of an [`Engine`] wants to be asked about, since items are more to it than records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watch {
    /// Writes concern more than their record: [`Engine::put_unwatched`] and its like write nothing.
    pub writes: bool,
    /// Items may be hidden: [`Engine::look`] asks whether they are.
    pub reads: bool,
    /// Of which layout keys are, which carry its label then; none of an untyped table.
    pub layout: Option<&'static InternedLayout>,
}

/// 256 stripes, each a small LSM tree behind its own lock. They are made at the first write.
pub struct Engine {
    store: Arc<Store>,
    compactor: Option<Arc<Compactor>>,
}

impl Engine {
    /// An empty engine, the only one of its group: some hundred bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range.
    pub fn new(options: EngineOptions) -> Result<Self> {
        Ok(EngineGroup::new(options)?.engine(options.ordinal))
    }

    /// A place to gather what an empty engine is to be filled with.
    pub fn filling(&self) -> Filling<'_> {
        Filling::new(self)
    }

    /// Says what the owner of this engine wants to be asked. To be called where nobody else has the engine, or under the
    /// locks of all stripes ([`Engine::exclusive`]): a call under way was asked before.
    pub fn watch(&self, watch: Watch) {
        self.store.mode.set(Flags::WATCHED, watch.writes);
        self.store.mode.set(Flags::HIDES, watch.reads);
        self.store.mode.set(Flags::TYPED, watch.layout.is_some());
        self.store.mode.set(Flags::NUMBERED, watch.layout.is_some_and(InternedLayout::has_numbers));
    }

    /// Whether the owner of this engine hides some of its items, so that what is read has to be shown to it.
    #[inline]
    pub fn hides_items(&self) -> bool {
        self.store.mode.flags().has(Flags::HIDES)
    }

    /// How many items there are, at one moment: locks each stripe (shared) for a look at a number.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn count(&self) -> Result<u64> {
        self.count_with(None, || ()).map(|(items, ())| items)
    }

    /// How many items there are, or entries of the index of this number. `at_the_moment` runs while the locks are held.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn count_with<T>(&self, index: Option<u16>, at_the_moment: impl FnOnce() -> T) -> Result<(u64, T)> {
        let _no_first_write = self.store.put_off_first_use()?;
        let stripes = self.store.stripes();
        let mut locked = Vec::with_capacity(STRIPES);
        let mut count = 0;
        for id in StripeId::all() {
            let held = stripes.read(id)?;
            count += held.tree().map_or(0, |tree| match index {
                None => tree.live().items.records as u64,
                Some(index) => tree.live().entries_of(index).into(),
            });
            locked.push(held);
        }
        Ok((count, at_the_moment()))
    }

    /// What is held, at one moment: locks each stripe (shared) for a look at its numbers.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn stats(&self) -> Result<EngineStats> {
        EngineStats::of(&self.store)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(compactor) = &self.compactor {
            compactor.forget(&self.store);
        }
    }
}

#[cfg(test)]
mod tests;
