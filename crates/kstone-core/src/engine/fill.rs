//! Filling an empty engine at once: for a snapshot that is loaded.
//!
//! Records are weighed as they come, sorted and made into trees where no lock is held; the locks are taken
//! for a look whether there is still nothing and an exchange of pointers.

use super::Engine;
use crate::error::{Error, Result};
use crate::key::{STRIPES, StripeId};
use crate::live_counts::LiveCounts;
use crate::live_index::LiveIndex;
use crate::record::Record;
use crate::run::Run;
use crate::stripe::charged_bytes;
use crate::tree::Tree;

/// Records that an engine is to be filled with, seen by nobody until [`Filled::install`].
///
/// ```
/// use kstone_core::engine::{Engine, EngineOptions};
/// use kstone_core::{key::KeyRef, record::Record};
/// let engine = Engine::new(EngineOptions::default())?;
/// let mut filling = engine.filling();
/// filling.add(Record::put(KeyRef::new(b"a", b"")?, &[]));
/// filling.sorted().expect("no key stands twice").install(0, || Ok::<_, kstone_core::Error>(()))?;
/// assert!(engine.get(KeyRef::new(b"a", b"")?)?.is_some());
/// # Ok::<(), kstone_core::Error>(())
/// ```
pub struct Filling<'a> {
    engine: &'a Engine,
    runs: Vec<(Run, LiveCounts, LiveIndex)>,
    /// A record whose key stands twice.
    twice: Option<Record>,
}

impl<'a> Filling<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine, runs: (0..STRIPES).map(|_| Default::default()).collect(), twice: None }
    }

    /// Adds a record of either keyspace, no tombstone; in the order of a scan they are sorted for nothing.
    pub fn add(&mut self, record: Record) {
        let route = record.key_ref().route();
        let (run, live, index) = &mut self.runs[route.stripe.index()];
        match index.find(route, record.key_ref()) {
            Ok(_) => return self.twice = Some(record),
            Err(place) => index.insert(place, &record),
        }
        live.add(&record);
        run.bytes += record.footprint();
        run.records.push(record);
    }

    /// # Errors
    /// [`Error::Limit`] where the records so far do not fit the memory limit.
    pub fn check_limit(&self) -> Result<()> {
        let bytes = self.runs.iter().map(|(run, ..)| run.bytes).sum();
        if self.engine.may_fit(bytes)? { Ok(()) } else { Err(self.engine.memory_exceeded(bytes)) }
    }

    /// The records in their order: O(n) where they came in it, O(n log n) otherwise.
    ///
    /// # Errors
    /// A record whose key stands twice.
    pub fn sorted(self) -> std::result::Result<Filled<'a>, Record> {
        if let Some(record) = self.twice {
            return Err(record);
        }
        let mut trees = Vec::new();
        let filled = StripeId::all().zip(self.runs).filter(|(_, (run, ..))| !run.records.is_empty());
        for (stripe, (mut run, live, index)) in filled {
            run.records.sort_by(Record::order);
            trees.push((stripe, Box::new(Tree::of_run(stripe, run, live, index))));
        }
        Ok(Filled { engine: self.engine, trees })
    }
}

/// What [`Filling`] has gathered, ready to be installed.
pub struct Filled<'a> {
    engine: &'a Engine,
    trees: Vec<(StripeId, Box<Tree>)>,
}

impl Filled<'_> {
    /// Puts everything in the place of nothing, as one: no reader sees a part of it. `commit` runs under the locks of
    /// all stripes, once nothing but itself can fail any more. The caller holds `outside` bytes that are counted, too.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the engine holds a record; [`Error::Limit`] where the records do not fit its memory
    /// limit; what `commit` returns; [`Error::Poisoned`]. Nothing is changed then.
    pub fn install<E: From<Error>>(self, outside: usize, commit: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let store = &self.engine.store;
        let mut locked = self.engine.lock(StripeId::all())?;
        if locked.iter().any(|(_, held)| held.tree().is_some_and(|tree| !tree.is_empty())) {
            return Err(Error::invalid("the database is not empty, and only an empty one can be filled").into());
        }
        let evicts = self.engine.evicts();
        let bytes = self.trees.iter().map(|(_, tree)| charged_bytes(tree, evicts)).sum();
        if self.engine.try_reserve(bytes, outside).is_none() {
            return Err(self.engine.memory_exceeded(bytes + outside).into());
        }
        commit()?;
        let mut replaced = Vec::new();
        for (stripe, tree) in self.trees {
            let held = &mut locked[stripe.index()].1;
            store.note_past(held);
            replaced.push(held.replace(tree));
            store.count(stripe, held);
        }
        drop(locked);
        drop(replaced);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
