//! Filling an empty engine at once: for a snapshot that is loaded.
//!
//! Records are gathered in parts, by any number of threads, weighed as they come, and appended in the order of the parts.
//! They are sorted and made into trees where no lock is held; the locks are taken for a look whether there is still
//! nothing and an exchange of pointers.

use super::Engine;
use super::store::Store;
use crate::error::{Error, Reason, Result};
use crate::in_order::in_order;
use crate::key::{Route, STRIPES, StripeId};
use crate::live_counts::LiveCounts;
use crate::live_index::LiveIndex;
use crate::raw::uncounted::Uncounted;
use crate::record::Record;
use crate::run::Run;
use crate::stripe::charged_bytes;
use crate::tree::Tree;

/// From so many records on, their trees are made by several threads.
const SHARED_RECORDS: usize = 16_384;

/// Records that an engine is to be filled with, seen by nobody until [`Filled::install`].
///
/// ```
/// use kstone_core::engine::{Engine, EngineOptions, FillingPart};
/// use kstone_core::{key::KeyRef, record::Record};
/// let engine = Engine::new(EngineOptions::default())?;
/// let mut part = FillingPart::default();
/// part.add(Record::put(KeyRef::new(b"a", b"")?, &[]));
/// let mut filling = engine.filling();
/// filling.append(part);
/// filling.sorted().expect("no key stands twice").install(0, || Ok::<_, kstone_core::Error>(()))?;
/// assert!(engine.get(KeyRef::new(b"a", b"")?)?.is_some());
/// # Ok::<(), kstone_core::Error>(())
/// ```
pub struct Filling<'a> {
    engine: &'a Engine,
    stripes: Vec<Gathered>,
    records: usize,
    bytes: usize,
}

/// Some of the records that an engine is to be filled with, gathered by one thread.
#[derive(Default)]
pub struct FillingPart {
    /// In the order in which they were met first.
    stripes: Vec<(StripeId, Gathered)>,
    /// The place of each stripe in that list, from 1.
    places: Vec<u16>,
}

/// The records of one stripe, those of each keyspace by themselves: who reads items in order meets their entries in none.
#[derive(Default)]
struct Gathered {
    items: Keyspaced,
    entries: Keyspaced,
    live: LiveCounts,
    slots: Vec<Uncounted>,
}

/// Records of one keyspace, and whether they came in their order.
#[derive(Default)]
struct Keyspaced {
    run: Run,
    is_unordered: bool,
}

impl FillingPart {
    /// Adds a record of either keyspace, no tombstone; in the order of a scan they are sorted for nothing.
    pub fn add(&mut self, record: Record) {
        let route = record.key_ref().route();
        self.places.resize(STRIPES, 0);
        let place = &mut self.places[route.stripe.index()];
        if *place == 0 {
            self.stripes.push((route.stripe, Gathered::default()));
            *place = self.stripes.len() as u16;
        }
        self.stripes[usize::from(*place) - 1].1.add(route, record);
    }
}

impl Gathered {
    fn add(&mut self, route: Route, record: Record) {
        self.slots.push(LiveIndex::slot_of(route, &record));
        self.live.add(&record);
        let part = if record.is_item() { &mut self.items } else { &mut self.entries };
        part.run.bytes += record.footprint();
        // Both have just been made, so this touches no cold memory.
        part.is_unordered |= part.run.records.last().is_some_and(|last| last.order(&record).is_ge());
        part.run.records.push(record);
    }

    fn append(&mut self, mut other: Self) {
        self.items.append(other.items);
        self.entries.append(other.entries);
        self.live.add_all(&other.live);
        self.slots.append(&mut other.slots);
    }

    fn records(&self) -> usize {
        self.items.run.records.len() + self.entries.run.records.len()
    }

    fn bytes(&self) -> usize {
        self.items.run.bytes + self.entries.run.bytes
    }

    /// The tree of the records, or one whose key stands twice.
    fn into_tree(self, stripe: StripeId) -> std::result::Result<Box<Tree>, Record> {
        let index = LiveIndex::of_slots(self.slots)?;
        let (mut run, mut entries) = (self.items.sorted(), self.entries.sorted());
        // Items are before entries, as their tags are.
        run.records.append(&mut entries.records);
        run.bytes += entries.bytes;
        Ok(Box::new(Tree::of_run(stripe, run, self.live, index)))
    }
}

impl Keyspaced {
    fn append(&mut self, mut other: Self) {
        let (last, first) = (self.run.records.last(), other.run.records.first());
        self.is_unordered |=
            other.is_unordered || last.zip(first).is_some_and(|(last, first)| last.order(first).is_ge());
        self.run.records.append(&mut other.run.records);
        self.run.bytes += other.run.bytes;
    }

    fn sorted(mut self) -> Run {
        if self.is_unordered {
            self.run.records.sort_by(Record::order);
        }
        self.run
    }
}

impl<'a> Filling<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine, stripes: (0..STRIPES).map(|_| Gathered::default()).collect(), records: 0, bytes: 0 }
    }

    /// Adds the records of a part; parts in the order of a scan are sorted for nothing.
    pub fn append(&mut self, part: FillingPart) {
        for (stripe, gathered) in part.stripes {
            self.records += gathered.records();
            self.bytes += gathered.bytes();
            self.stripes[stripe.index()].append(gathered);
        }
    }

    /// # Errors
    /// [`Error::Limit`] where the records so far do not fit the memory limit.
    pub fn check_limit(&self) -> Result<()> {
        if self.engine.may_fit(self.bytes) { Ok(()) } else { Err(self.engine.memory_exceeded(self.bytes)) }
    }

    /// The records in their order: O(n) where they came in it, O(n log n) otherwise. Where they are many, on more than
    /// one processor.
    ///
    /// # Errors
    /// A record whose key stands twice.
    pub fn sorted(self) -> std::result::Result<Filled<'a>, Record> {
        let mut trees = Vec::new();
        let mut filled = StripeId::all().zip(self.stripes).filter(|(_, gathered)| gathered.records() > 0);
        let tree_of = |(stripe, gathered): (StripeId, Gathered)| Ok((stripe, gathered.into_tree(stripe)?));
        let take = |tree: std::result::Result<_, Record>| {
            trees.push(tree?);
            Ok(())
        };
        if self.records < SHARED_RECORDS {
            filled.map(tree_of).try_for_each(take)?;
        } else {
            in_order(|| Ok(filled.next()), tree_of, take)?;
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
        self.make_stripes(outside)?;
        self.engine.exclusive(|locked| {
            if !locked.is_empty() {
                return Err(Error::from(Reason::NotEmpty).into());
            }
            let evicts = self.engine.evicts();
            let bytes = self.trees.iter().map(|(_, tree)| charged_bytes(tree, evicts)).sum();
            if self.engine.try_reserve(bytes, outside).is_none() {
                return Err(self.engine.memory_exceeded(bytes + outside).into());
            }
            commit()?;
            for (stripe, tree) in self.trees {
                locked.replace(stripe, tree);
            }
            Ok(())
        })?
    }

    /// Sees to it that the engine has stripes, before anything is locked.
    fn make_stripes(&self, outside: usize) -> Result<()> {
        let store = &self.engine.store;
        if !store.stripes().are_shared() {
            return Ok(());
        }
        let Some(_until_they_are_counted) = self.engine.try_reserve(Store::STRIPES_BYTES, outside) else {
            return Err(self.engine.memory_exceeded(Store::STRIPES_BYTES + outside));
        };
        store.own_stripes()
    }
}

#[cfg(test)]
mod tests;
