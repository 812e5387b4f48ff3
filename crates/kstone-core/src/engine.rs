//! The engine: routes keys to stripes, and is the one place that takes more than one stripe's lock.
//!
//! # Lock order
//! Ascending by [`StripeId`], always. A read of one key or one partition takes one lock, shared; a page of a scan takes
//! the locks of the stripes it passes, shared, and keeps them until the page is full, so that no page shows half of a
//! [`Engine::commit`]; a cut takes all of them. No lock is held while a caller reads a record, and memory that a change
//! lets go of is freed after the locks.
//!
//! # Thread safety
//! Every call may be made from any thread at any time. A write that panics leaves the engine poisoned: from then on
//! every call is [`Error::Poisoned`].

use std::ops::Bound;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{RwLock, RwLockWriteGuard};

use crate::error::{Error, Result, Unit};
use crate::key::{Edge, KeyRef, Keyspace, Route, STRIPES, SortEdge, StripeId, TAG_HASH_BITS, Tag};
use crate::memory_sst::MemorySstReader;
use crate::merge::{PageBuffer, Place, Span, View};
use crate::record::{Record, SeqNo};
use crate::stripe::{FlushPolicy, Garbage, Tree};

pub use crate::merge::PageLimits;

/// The records a stripe's WAL takes before a flush, unless an option says otherwise.
pub const MEMTABLE_MAX_RECORDS: usize = 1000;
/// The most that the option may ask for.
pub const MEMTABLE_MAX_RECORDS_LIMIT: usize = 1 << 16;

/// What an [`Engine`] can be told when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Records that a stripe's WAL takes before its memtable becomes an SST: 1 to [`MEMTABLE_MAX_RECORDS_LIMIT`].
    pub memtable_max_records: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self { memtable_max_records: MEMTABLE_MAX_RECORDS }
    }
}

/// The sort keys that a query wants, as bounds on their bytes.
pub type SortKeyRange<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Records in order, and whether the page ended at its limit rather than at the end of the range.
#[derive(Debug, Default)]
pub struct RecordPage {
    /// The records, as they were at one moment.
    pub records: Vec<Record>,
    /// Whether a limit ended the page: there may be more.
    pub limited: bool,
}

/// A share of the table in scan order: stripe, hash of the partition, partition key, sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanRange<'a> {
    /// Places are numbered by stripe, then by the hash bits of the tag.
    first: u32,
    end: u32,
    after: Option<(&'a [u8], &'a [u8])>,
    keyspace: Keyspace,
}

const PLACES_PER_STRIPE: u32 = 1 << TAG_HASH_BITS;
const PLACES: u32 = PLACES_PER_STRIPE * STRIPES as u32;
/// The most segments a scan may be split into, DynamoDB's.
pub const SEGMENTS_MAX: u32 = 1_000_000;

impl<'a> ScanRange<'a> {
    /// The whole table.
    pub fn all() -> Self {
        Self { first: 0, end: PLACES, after: None, keyspace: Keyspace::Items }
    }

    /// One of `segments` shares that together hold every item once.
    ///
    /// # Errors
    /// [`Error::Invalid`] where `segment` is not below `segments`; [`Error::Limit`] for more than [`SEGMENTS_MAX`].
    pub fn segment(segment: u32, segments: u32) -> Result<Self> {
        if segments > SEGMENTS_MAX {
            let (limit, found) = (SEGMENTS_MAX as usize, segments as usize);
            return Err(Error::limit("TotalSegments", Unit::Entries, limit, found));
        }
        if segment >= segments {
            return Err(Error::invalid(format!(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: \
                 Segment: {segment} is not less than TotalSegments: {segments}"
            )));
        }
        let place = |segment: u32| (u64::from(PLACES) * u64::from(segment) / u64::from(segments)) as u32;
        Ok(Self { first: place(segment), end: place(segment + 1), ..Self::all() })
    }

    /// The same share from behind this key on.
    #[must_use]
    pub fn after(self, pk: &'a [u8], sk: &'a [u8]) -> Self {
        Self { after: Some((pk, sk)), ..self }
    }

    /// The same share of what another keyspace holds.
    #[must_use]
    pub fn in_keyspace(self, keyspace: Keyspace) -> Self {
        Self { keyspace, ..self }
    }

    /// The part that lies in each stripe, in order.
    fn spans(self) -> impl Iterator<Item = (StripeId, Span<'a>)> {
        StripeId::all().filter_map(move |stripe| {
            let base = stripe.index() as u32 * PLACES_PER_STRIPE;
            let first = self.first.clamp(base, base + PLACES_PER_STRIPE) - base;
            let end = self.end.clamp(base, base + PLACES_PER_STRIPE) - base;
            if first >= end {
                return None;
            }
            let keyspace = (self.keyspace as u16) << TAG_HASH_BITS;
            let mut from = Place { tag: Tag(keyspace | first as u16), edge: Edge::TagStart };
            let to = Place { tag: Tag(keyspace | (end - 1) as u16), edge: Edge::TagEnd };
            if let Some((pk, sk)) = self.after {
                let last = Route::of(pk, self.keyspace);
                if stripe < last.stripe || (stripe == last.stripe && to.tag < last.tag) {
                    return None;
                }
                if stripe == last.stripe && last.tag >= from.tag {
                    from = Place { tag: last.tag, edge: Edge::Partition(pk, SortEdge::After(sk)) };
                }
            }
            Some((stripe, Span { from, to }))
        })
    }
}

/// 256 stripes, each a small LSM tree behind its own lock.
pub struct Engine {
    /// A tree is made at the first write to its stripe: an empty engine is 4 KiB.
    stripes: Box<[RwLock<Option<Box<Tree>>>]>,
    counters: Counters,
    options: EngineOptions,
}

/// On a cache line of its own: every write changes it, and reads of `stripes` should not miss for that.
#[repr(align(128))]
struct Counters {
    last_seq: AtomicU64,
    poisoned: AtomicBool,
}

type StripeGuard<'a> = RwLockWriteGuard<'a, Option<Box<Tree>>>;

impl Engine {
    /// An empty engine: one allocation of a few KiB.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an option outside its range.
    pub fn new(options: EngineOptions) -> Result<Self> {
        if !(1..=MEMTABLE_MAX_RECORDS_LIMIT).contains(&options.memtable_max_records) {
            return Err(Error::invalid(format!(
                "memtable_max_records is {}, it may be 1 to {MEMTABLE_MAX_RECORDS_LIMIT}",
                options.memtable_max_records
            )));
        }
        Ok(Self {
            stripes: (0..STRIPES).map(|_| RwLock::default()).collect(),
            counters: Counters { last_seq: AtomicU64::new(0), poisoned: AtomicBool::new(false) },
            options,
        })
    }

    /// The item of this key, shared: no bytes are copied.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        self.check()?;
        let route = key.route();
        let stripe = self.stripe(route.stripe).read();
        Ok(stripe.as_ref().and_then(|tree| tree.get(route.tag, key)).cloned())
    }

    /// The items of several keys as they are at one moment: no [`Engine::commit`] lies between them.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_many(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.check()?;
        let routes: Vec<Route> = keys.iter().map(KeyRef::route).collect();
        let mut stripes: Vec<StripeId> = routes.iter().map(|route| route.stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let locked: Vec<_> = stripes.iter().map(|&id| self.stripe(id).read()).collect();
        let find = |(key, route): (&KeyRef<'_>, &Route)| {
            let at = stripes.binary_search(&route.stripe).expect("the stripes of all keys are locked");
            locked[at].as_ref()?.get(route.tag, *key).cloned()
        };
        Ok(keys.iter().zip(&routes).map(find).collect())
    }

    /// As [`Engine::put`], or nothing (none) where `allowed` says no under the lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put_if(&self, key: KeyRef<'_>, body: &[u8], allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        let route = key.route();
        self.write(route.stripe, Record::routed_put(route.tag, key, body), allowed)
    }

    /// As [`Engine::delete`], or nothing (none) where `allowed` says no under the lock.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete_if(&self, key: KeyRef<'_>, allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        let route = key.route();
        self.write(route.stripe, Record::routed_tombstone(route.tag, key), allowed)
    }

    /// Returns when every write that holds a lock now has let it go.
    pub fn barrier(&self) {
        for id in StripeId::all() {
            drop(self.stripe(id).write());
        }
    }

    /// Makes the item, in its stored form, the newest version of the key.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn put(&self, key: KeyRef<'_>, body: &[u8]) -> Result<SeqNo> {
        Ok(self.put_if(key, body, || true)?.expect("always allowed"))
    }

    /// Removes the item of this key, if there is one.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn delete(&self, key: KeyRef<'_>) -> Result<SeqNo> {
        Ok(self.delete_if(key, || true)?.expect("always allowed"))
    }

    /// Decides and writes under the locks of all the keys' stripes, as one: nobody sees a part of it.
    ///
    /// `decide` is shown the present items and returns the records to write, which must have keys among `keys`. Nothing
    /// is written where it returns an error.
    ///
    /// # Errors
    /// What `decide` returns; [`Error::Invalid`] for a record of another key; [`Error::Poisoned`], also for every later
    /// call if `decide` panics.
    pub fn commit<T>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T)>,
    ) -> Result<T> {
        self.commit_observed(keys, decide, |_, _| ())
    }

    /// As [`Engine::commit`]; `observe` is shown the numbered records and the outcome while the locks are held, so that
    /// what it notes is in the order of the writes. Nothing fails after it.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn commit_observed<T>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T)>,
        observe: impl FnOnce(&[Record], &mut T),
    ) -> Result<T> {
        self.check()?;
        let _poison = PoisonOnPanic(&self.counters.poisoned);
        let mut stripes: Vec<StripeId> = keys.iter().map(|key| key.route().stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let mut present = Present { locked: self.lock(stripes.into_iter()) };
        let (mut records, mut outcome) = decide(&present)?;
        if let Some(stray) = records.iter().find(|record| !keys.contains(&record.key_ref())) {
            return Err(Error::invalid(format!("a commit wrote a key that it had not named: {stray:?}")));
        }
        records.iter_mut().for_each(|record| record.set_seq(self.next_seq()));
        observe(&records, &mut outcome);
        let garbage: Vec<Garbage> = records
            .into_iter()
            .map(|record| {
                let stripe = record.key_ref().route().stripe;
                let at = present.position(stripe).expect("the stripes of all keys are locked");
                self.apply(stripe, &mut present.locked[at].1, record)
            })
            .collect();
        drop(present);
        drop(garbage);
        Ok(outcome)
    }

    /// One page of a partition, in the order of the sort keys or in reverse, as it is at one moment.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn query(&self, pk: &[u8], range: SortKeyRange<'_>, reverse: bool, limits: PageLimits) -> Result<RecordPage> {
        self.query_in(Keyspace::Items, pk, range, reverse, limits)
    }

    /// As [`Engine::query`], in any keyspace.
    ///
    /// # Errors
    /// As [`Engine::query`].
    pub fn query_in(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> Result<RecordPage> {
        self.check()?;
        let (stripe, span) = partition_span(keyspace, pk, range);
        let mut page = PageBuffer::new(limits);
        let stripe = self.stripe(stripe).read();
        let limited = stripe.as_ref().is_some_and(|tree| page.fill(&mut tree.view().merge(span, reverse)));
        Ok(RecordPage { records: page.records, limited })
    }

    /// One page of a share of the table in scan order, as it is at one moment.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        self.check()?;
        let mut page = PageBuffer::new(limits);
        let mut locked = Vec::new();
        let limited = range.spans().any(|(stripe, span)| {
            let stripe = self.stripe(stripe).read();
            let full = stripe.as_ref().is_some_and(|tree| page.fill(&mut tree.view().merge(span, false)));
            locked.push(stripe);
            full
        });
        Ok(RecordPage { records: page.records, limited })
    }

    /// The whole table as it is now, for as long as the cut is kept. Writers wait while every memtable becomes an SST:
    /// a few µs for each stripe that was written to.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn cut(&self) -> Result<Cut> {
        self.cut_stripes(StripeId::all())
    }

    /// As [`Engine::cut`], for the stripe of one partition.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn cut_partition(&self, keyspace: Keyspace, pk: &[u8]) -> Result<Cut> {
        self.cut_stripes(std::iter::once(Route::of(pk, keyspace).stripe))
    }

    /// Makes an SST of every memtable, stripe by stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn flush(&self) -> Result<()> {
        self.for_each_tree(|tree, stripe, garbage| {
            tree.flush(stripe, garbage);
            tree.compact_some(stripe, garbage);
        })
    }

    /// Merges each stripe into one SST without tombstones or hidden versions, stripe by stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn compact(&self) -> Result<()> {
        self.for_each_tree(Tree::compact_all)
    }

    /// Removes everything, as one: nobody sees a part of it.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<()> {
        self.check()?;
        let mut locked = self.lock(StripeId::all());
        let trees: Vec<_> = locked.iter_mut().map(|(_, stripe)| stripe.take()).collect();
        drop(locked);
        drop(trees);
        Ok(())
    }

    /// Counts what is held; walks every record, one stripe locked (shared) at a time.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn stats(&self) -> Result<EngineStats> {
        self.check()?;
        let mut stats =
            EngineStats { total_bytes: STRIPES * size_of::<RwLock<Option<Box<Tree>>>>(), ..Default::default() };
        for stripe in &self.stripes {
            if let Some(tree) = &*stripe.read() {
                stats.add(tree);
            }
        }
        Ok(stats)
    }

    fn check(&self) -> Result<()> {
        if self.counters.poisoned.load(Ordering::Relaxed) { Err(Error::Poisoned) } else { Ok(()) }
    }

    fn stripe(&self, id: StripeId) -> &RwLock<Option<Box<Tree>>> {
        &self.stripes[id.index()]
    }

    fn lock(&self, ascending: impl Iterator<Item = StripeId>) -> Vec<(StripeId, StripeGuard<'_>)> {
        let mut locked: Vec<(StripeId, StripeGuard<'_>)> = Vec::new();
        for id in ascending {
            debug_assert!(locked.last().is_none_or(|(last, _)| *last < id), "locks are taken in ascending order");
            locked.push((id, self.stripe(id).write()));
        }
        locked
    }

    fn write(&self, stripe: StripeId, mut record: Record, allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        self.check()?;
        let _poison = PoisonOnPanic(&self.counters.poisoned);
        let mut guard = self.stripe(stripe).write();
        if !allowed() {
            return Ok(None);
        }
        // Under the lock, so that the numbers of a key rise with its versions.
        let seq = self.next_seq();
        record.set_seq(seq);
        let garbage = self.apply(stripe, &mut guard, record);
        drop(guard);
        drop(garbage);
        Ok(Some(seq))
    }

    fn next_seq(&self) -> SeqNo {
        SeqNo(self.counters.last_seq.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn apply(&self, stripe: StripeId, tree: &mut Option<Box<Tree>>, record: Record) -> Garbage {
        let policy = FlushPolicy { stripe, wal_records: self.options.memtable_max_records as u64 };
        tree.get_or_insert_default().apply(record, policy)
    }

    fn cut_stripes(&self, ids: impl Iterator<Item = StripeId>) -> Result<Cut> {
        self.check()?;
        let _poison = PoisonOnPanic(&self.counters.poisoned);
        let mut garbage = Vec::new();
        let mut stripes = Vec::new();
        let mut locked = self.lock(ids);
        for (id, stripe) in &mut locked {
            if let Some(tree) = &mut **stripe {
                let mut dropped = Garbage::default();
                stripes.push((*id, tree.freeze(*id, &mut dropped)));
                garbage.push(dropped);
            }
        }
        drop(locked);
        drop(garbage);
        Ok(Cut { stripes })
    }

    fn for_each_tree(&self, change: impl Fn(&mut Tree, StripeId, &mut Garbage)) -> Result<()> {
        for id in StripeId::all() {
            self.check()?;
            let _poison = PoisonOnPanic(&self.counters.poisoned);
            let mut garbage = Garbage::default();
            let mut stripe = self.stripe(id).write();
            if let Some(tree) = &mut *stripe {
                change(tree, id, &mut garbage);
            }
            drop(stripe);
            drop(garbage);
        }
        Ok(())
    }
}

struct PoisonOnPanic<'a>(&'a AtomicBool);

impl Drop for PoisonOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// The present items, under the locks of a [`Engine::commit`].
pub struct Present<'a> {
    locked: Vec<(StripeId, StripeGuard<'a>)>,
}

impl Present<'_> {
    /// The item of this key; none, too, where the commit did not name a key of its stripe.
    pub fn get(&self, key: KeyRef<'_>) -> Option<&Record> {
        let route = key.route();
        let at = self.position(route.stripe)?;
        self.locked[at].1.as_ref()?.get(route.tag, key)
    }

    fn position(&self, stripe: StripeId) -> Option<usize> {
        self.locked.binary_search_by_key(&stripe, |(id, _)| *id).ok()
    }
}

/// The database, or a partition's stripe, at one moment. Costs memory only for what is changed after it.
pub struct Cut {
    stripes: Vec<(StripeId, Vec<MemorySstReader>)>,
}

impl Cut {
    /// As [`Engine::query`], at the moment of the cut.
    pub fn query(&self, pk: &[u8], range: SortKeyRange<'_>, reverse: bool, limits: PageLimits) -> RecordPage {
        self.query_in(Keyspace::Items, pk, range, reverse, limits)
    }

    /// As [`Engine::query_in`], at the moment of the cut.
    pub fn query_in(
        &self,
        keyspace: Keyspace,
        pk: &[u8],
        range: SortKeyRange<'_>,
        reverse: bool,
        limits: PageLimits,
    ) -> RecordPage {
        let (stripe, span) = partition_span(keyspace, pk, range);
        let mut page = PageBuffer::new(limits);
        let limited = self.view(stripe).is_some_and(|view| page.fill(&mut view.merge(span, reverse)));
        RecordPage { records: page.records, limited }
    }

    /// As [`Engine::scan`], at the moment of the cut.
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> RecordPage {
        let mut page = PageBuffer::new(limits);
        let limited = range
            .spans()
            .any(|(stripe, span)| self.view(stripe).is_some_and(|view| page.fill(&mut view.merge(span, false))));
        RecordPage { records: page.records, limited }
    }

    fn view(&self, stripe: StripeId) -> Option<View<'_>> {
        let at = self.stripes.binary_search_by_key(&stripe, |(id, _)| *id).ok()?;
        Some(View { memtable: None, ssts: &self.stripes[at].1 })
    }
}

fn partition_span<'a>(keyspace: Keyspace, pk: &'a [u8], (from, to): SortKeyRange<'a>) -> (StripeId, Span<'a>) {
    let Route { stripe, tag } = Route::of(pk, keyspace);
    let from = match from {
        Bound::Unbounded => SortEdge::Start,
        Bound::Included(sk) => SortEdge::Before(sk),
        Bound::Excluded(sk) => SortEdge::After(sk),
    };
    let to = match to {
        Bound::Unbounded => SortEdge::End,
        Bound::Included(sk) => SortEdge::After(sk),
        Bound::Excluded(sk) => SortEdge::Before(sk),
    };
    let place = |edge| Place { tag, edge: Edge::Partition(pk, edge) };
    (stripe, Span { from: place(from), to: place(to) })
}

/// What an engine holds. Bytes count allocations as they were asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EngineStats {
    /// Items that a scan would return.
    pub items: u64,
    /// Bytes of those items' records: keys, stored form and header.
    pub live_bytes: usize,
    /// Bytes of all records and of what finds them.
    pub total_bytes: usize,
    /// Records in memtables, tombstones included.
    pub memtable_records: u64,
    /// Records in WALs.
    pub wal_records: u64,
    /// Records in SSTs, tombstones and hidden versions included.
    pub sst_records: u64,
    /// SSTs.
    pub ssts: u64,
    /// SSTs of the stripe that has most.
    pub ssts_per_stripe_max: u64,
    /// Marks of deletions that still hide something.
    pub tombstones: u64,
    /// Memtables that became an SST, ever.
    pub flushes: u64,
    /// Merges of SSTs, ever.
    pub compactions: u64,
}

impl EngineStats {
    fn add(&mut self, tree: &Tree) {
        let everything = Span {
            from: Place { tag: Tag::FIRST, edge: Edge::TagStart },
            to: Place { tag: Tag::LAST_ITEM, edge: Edge::TagEnd },
        };
        for record in tree.view().merge(everything, false) {
            self.items += 1;
            self.live_bytes += record.footprint();
        }
        let (memtable, wal) = (tree.memtable(), tree.wal());
        self.memtable_records += memtable.len() as u64;
        self.wal_records += wal.records().len() as u64;
        self.ssts += tree.ssts().len() as u64;
        self.ssts_per_stripe_max = self.ssts_per_stripe_max.max(tree.ssts().len() as u64);
        self.tombstones += memtable.weight().tombstones as u64;
        self.total_bytes += size_of::<Tree>() + memtable.weight().bytes + memtable.index_bytes();
        self.total_bytes += wal.superseded_bytes() + wal.index_bytes();
        for sst in tree.ssts() {
            self.sst_records += sst.len() as u64;
            self.tombstones += sst.weight().tombstones as u64;
            self.total_bytes += sst.weight().bytes + sst.index_bytes();
        }
        self.flushes += tree.flushes;
        self.compactions += tree.compactions;
    }
}

#[cfg(test)]
mod tests;
