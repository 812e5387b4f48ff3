//! What finds the live records of a tree: an index of its own, perhaps over the one of a tree that it shares with others.
//!
//! ```text
//! own       all of it, in most trees; what was written since, where there is a base
//! removed   which records of the base were deleted since
//! base      a shared tree, which never changes: its index is read, and its records stay as long as it is held
//! ```
//!
//! So a fork's first write to a stripe copies nothing of the index. A key is looked for in the own index first, then in
//! the base: where so much differs that both together cost more than a copy, or nobody else has the base any more, they
//! become one.
//!
//! # Invariants
//! - A base has no base: a look-up looks at two indexes at most.
//! - `removed` holds records of the base alone, and none whose key the own index holds is ever asked for.

use super::Tree;
use crate::key::{KeyRef, Keyspace, Route, Tag};
use crate::label::Label;
use crate::live_index::{LiveIndex, Place, Probe};
use crate::record::{Glance, Lent, Record, RecordRef};
use crate::shared::Shared;

/// So large a part of the base may differ, of which each write then copies as many slots.
const DIFFERENT: usize = 8;

/// See the module.
#[derive(Default)]
pub(crate) struct TreeIndex {
    own: LiveIndex,
    /// Boxed: most trees have none.
    base: Option<Box<Base>>,
}

struct Base {
    tree: Shared<Tree>,
    removed: LiveIndex,
}

/// Where a key is, or where it would be in the own index. Outdated by every change of the index.
#[derive(Clone, Copy)]
pub(super) enum Found {
    Own(Place),
    /// In the base.
    Below(Place),
    Nowhere(Place),
}

impl From<LiveIndex> for TreeIndex {
    fn from(own: LiveIndex) -> Self {
        Self { own, base: None }
    }
}

impl TreeIndex {
    /// The index of a tree that goes its own way from a shared one.
    pub(super) fn over(shared: &Shared<Tree>) -> Self {
        let (own, base) = match &shared.index.base {
            None => (LiveIndex::default(), Base { tree: shared.clone(), removed: LiveIndex::default() }),
            Some(base) => (shared.index.own.clone(), Base { tree: base.tree.clone(), removed: base.removed.clone() }),
        };
        Self { own, base: Some(Box::new(base)) }
    }

    /// As [`LiveIndex::glance`]; what the own index does not hold is unclear where there is a base.
    #[inline(always)]
    pub(crate) fn glance(&self, checksum: u32, pk: &[u8], sk: &[u8]) -> Result<RecordRef<'_>, Glance> {
        self.own.glance(checksum, pk, sk).map_err(|glance| match glance {
            Glance::Nothing if self.is_layered() => Glance::Unclear,
            glance => glance,
        })
    }

    /// The live record of this key.
    #[inline(always)]
    pub(crate) fn get(&self, route: Route, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.own.get(route, key).or_else(|| self.base.as_ref()?.get(route, key))
    }

    /// The first of three steps of [`TreeIndex::get`], as [`LiveIndex::prefetch`].
    #[inline(always)]
    pub(crate) fn prefetch(&self, hash: u32) {
        self.own.prefetch(hash);
    }

    /// The second.
    #[inline(always)]
    pub(crate) fn probe(&self, hash: u32) -> Probe {
        self.own.probe(hash)
    }

    /// The third.
    #[inline(always)]
    pub(crate) fn confirm(&self, probe: Probe, tag: Tag, key: KeyRef<'_>) -> Option<Lent<'_>> {
        match self.own.confirm(probe, tag, key) {
            None if self.is_layered() => self.get_below(key.pk(), key.sk(), key.keyspace()),
            found => found,
        }
    }

    /// The record of a key in the base. Its parts come one by one: a key that is passed as a whole goes through memory.
    #[cold]
    #[inline(never)]
    fn get_below(&self, pk: &[u8], sk: &[u8], keyspace: Keyspace) -> Option<Lent<'_>> {
        let key = KeyRef::of_record(pk, sk, keyspace, Label::default());
        self.base.as_ref()?.get(key.route(), key)
    }

    /// Where the live record of this key is.
    #[inline(always)]
    pub(super) fn find(&self, route: Route, key: KeyRef<'_>) -> Found {
        match (self.own.find(route, key), &self.base) {
            (Ok(place), _) => Found::Own(place),
            (Err(place), Some(base)) if base.get(route, key).is_some() => Found::Below(place),
            (Err(place), _) => Found::Nowhere(place),
        }
    }

    /// Adds a record of a key that is not in the own index.
    #[inline(always)]
    pub(super) fn insert(&mut self, place: Place, record: &Record) {
        self.own.insert(place, record);
    }

    /// The record of a key that is in the base.
    pub(super) fn below(&self, place: Place, key: KeyRef<'_>) -> Option<Lent<'_>> {
        let base = self.base.as_ref()?;
        base.records().get_at(place, key).filter(|_| base.removed.get_at(place, key).is_none())
    }

    /// As [`LiveIndex::replace`].
    #[inline]
    pub(super) fn replace(&mut self, place: Place, record: &Record) -> Lent<'_> {
        self.own.replace(place, record)
    }

    /// As [`LiveIndex::overwrite`].
    #[inline]
    pub(super) fn overwrite(&mut self, place: Place, body: &[u8]) -> bool {
        self.own.overwrite(place, body)
    }

    /// As [`LiveIndex::bury`].
    #[inline]
    pub(super) fn bury(&mut self, place: Place) -> bool {
        self.own.bury(place)
    }

    /// Takes the record of the own index out, which is returned; `key` is that of it, or the key itself.
    pub(super) fn remove(&mut self, place: Place, key: KeyRef<'_>) -> Lent<'_> {
        self.remove_below(place, key);
        self.own.remove(place)
    }

    /// Takes the record of the base out, if there is one.
    pub(super) fn remove_below(&mut self, place: Place, key: KeyRef<'_>) {
        if let Some(base) = &mut self.base {
            base.remove(place, key);
        }
    }

    /// Whether it has a base.
    #[inline(always)]
    pub(super) fn is_layered(&self) -> bool {
        self.base.is_some()
    }

    /// Makes one index of both where nobody else has the base, or too much differs; the base is returned then, to be
    /// dropped where no lock is held.
    pub(super) fn settle(&mut self) -> Option<Shared<Tree>> {
        let base = self.base.as_mut()?;
        let differences = self.own.len() + base.removed.len();
        let is_due = differences > base.records().len() / DIFFERENT || base.tree.get_mut().is_some();
        if is_due { self.flatten() } else { None }
    }

    /// Makes one index of both.
    pub(super) fn flatten(&mut self) -> Option<Shared<Tree>> {
        let Base { mut tree, removed } = *self.base.take()?;
        let mut all = match tree.get_mut() {
            Some(tree) => std::mem::take(&mut tree.index.own),
            None => tree.index.own.clone(),
        };
        all.remove_all(&removed);
        all.put_all(&self.own);
        self.own = all;
        Some(tree)
    }

    /// Heap bytes, and those of the base's.
    pub(super) fn bytes(&self) -> usize {
        self.own.bytes() + self.base.as_ref().map_or(0, |base| base.bytes(LiveIndex::bytes))
    }

    /// The same as [`LiveIndex::charged_bytes`], for so many live records.
    pub(super) fn charged_bytes(&self, records: usize) -> usize {
        let below = self.base.as_ref().map_or(0, |base| base.bytes(LiveIndex::charged_bytes));
        (self.own.charged_bytes() + below).max(LiveIndex::charged_bytes_of(records))
    }

    /// How many records it finds, counted anew.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        let below = self.base.as_ref().map_or(0, |base| {
            assert!(base.tree.index.base.is_none(), "a base has no base");
            let hidden = base.records().shared_with(&self.own) + base.removed.len();
            base.records().len() - (hidden - base.removed.shared_with(&self.own))
        });
        self.own.len() + below
    }
}

impl Base {
    fn records(&self) -> &LiveIndex {
        &self.tree.index.own
    }

    #[cold]
    #[inline(never)]
    fn get(&self, route: Route, key: KeyRef<'_>) -> Option<Lent<'_>> {
        let found = self.records().get(route, key)?;
        let is_removed = self.removed.len() > 0 && self.removed.get(route, key).is_some();
        (!is_removed).then_some(found)
    }

    fn remove(&mut self, place: Place, key: KeyRef<'_>) {
        if let Some(record) = self.tree.index.own.get_at(place, key) {
            self.removed.put(place, &record);
        }
    }

    fn bytes(&self, of: impl Fn(&LiveIndex) -> usize) -> usize {
        size_of::<Self>() + of(self.records()) + of(&self.removed)
    }
}
