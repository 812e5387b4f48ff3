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
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::key::{Edge, KeyRef, Keyspace, Route, STRIPES, SortEdge, StripeId};
use crate::merge::{PageBuffer, Place, Span};
use crate::record::{Record, SeqNo};
use crate::stripe::{Held, Stripe, WriteGuard};
use crate::tree::{Garbage, Policy, Tree};

mod compactor;
mod cut;
mod fill;
mod room;
mod scan_range;
mod stats;

use compactor::Compactor;
use room::Room;

pub use crate::merge::PageLimits;
pub use crate::raw::walk::Walk;
pub use cut::Cut;
pub use fill::{Filled, Filling};
pub use room::{MEMORY_MAX_BYTES_MIN, Reservation};
pub use scan_range::{SEGMENTS_MAX, ScanRange};
pub use stats::EngineStats;

/// The records a stripe's WAL takes before a flush, unless an option says otherwise.
pub const MEMTABLE_MAX_RECORDS: usize = 1000;
/// The most that the option may ask for.
pub const MEMTABLE_MAX_RECORDS_LIMIT: usize = 1 << 16;

/// What an [`Engine`] can be told when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineOptions {
    /// Records that a stripe's WAL takes before its memtable becomes an SST: 1 to [`MEMTABLE_MAX_RECORDS_LIMIT`].
    pub memtable_max_records: usize,
    /// What [`EngineStats::total_bytes`] may come to, at least [`MEMORY_MAX_BYTES_MIN`]; none: no limit. The engine
    /// counts; its caller reserves what it writes and makes room ([`Engine::try_reserve`]).
    pub memory_max_bytes: Option<usize>,
    /// What makes room at the limit.
    pub eviction: Eviction,
    /// Whether SSTs are merged on a thread of the engine's own rather than by who writes.
    pub background_compaction: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            memtable_max_records: MEMTABLE_MAX_RECORDS,
            memory_max_bytes: None,
            eviction: Eviction::None,
            background_compaction: false,
        }
    }
}

/// What makes room at the memory limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Eviction {
    /// Nothing: a write that would pass the limit fails.
    #[default]
    None,
    /// The items that were not used for the longest time go, approximately: second chance, also known as CLOCK (F. J.
    /// Corbató, "A Paging Experiment with the Multics System", 1968). A read sets one bit, finding a victim is O(1)
    /// amortised.
    Lru,
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

/// 256 stripes, each a small LSM tree behind its own lock.
pub struct Engine {
    store: Arc<Store>,
    compactor: Option<Compactor>,
}

/// What an engine and its compaction thread share. One allocation: a cache line for each stripe and a few more.
struct Store {
    counters: Counters,
    options: EngineOptions,
    room: Option<Room>,
    stripes: [Stripe; STRIPES],
}

/// On a cache line of its own: every write changes it, and reads of what is beside it should not miss for that.
#[repr(align(128))]
struct Counters {
    last_seq: AtomicU64,
    poisoned: AtomicBool,
    /// Of trees that are gone.
    past_flushes: AtomicU64,
    past_compactions: AtomicU64,
}

impl Store {
    #[inline]
    fn check(&self) -> Result<()> {
        if self.counters.poisoned.load(Ordering::Relaxed) { Err(Error::Poisoned) } else { Ok(()) }
    }

    #[inline]
    fn stripe(&self, id: StripeId) -> &Stripe {
        &self.stripes[id.index()]
    }

    /// Changes a stripe's tree, if there is one, under its lock, which is let go before the garbage is dropped.
    fn change_tree<T>(
        &self,
        id: StripeId,
        change: impl FnOnce(&mut Tree, StripeId, &mut Garbage) -> T,
    ) -> Result<Option<T>> {
        self.check()?;
        let _poison = PoisonOnPanic(&self.counters.poisoned);
        let mut garbage = Garbage::default();
        let mut held = self.stripe(id).write();
        if held.tree().is_none() {
            return Ok(None);
        }
        let result = change(held.tree_mut(id), id, &mut garbage);
        held.note_let_go(&garbage);
        self.count(id, &mut held);
        drop(held);
        drop(garbage);
        Ok(Some(result))
    }

    /// Keeps what a tree that is about to go has counted.
    fn note_past(&self, held: &Held) {
        if let Some(tree) = held.tree() {
            self.counters.past_flushes.fetch_add(tree.flushes, Ordering::Relaxed);
            self.counters.past_compactions.fetch_add(tree.compactions, Ordering::Relaxed);
        }
    }

    /// Keeps the memory limit informed; to be called after every change of a stripe, under its lock.
    #[inline]
    fn count(&self, id: StripeId, held: &mut Held) {
        if let Some(room) = &self.room {
            room.count(id, held);
        }
    }
}

impl Engine {
    /// An empty engine: one allocation of 17 KiB.
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
        if let Some(max) = options.memory_max_bytes.filter(|max| *max < MEMORY_MAX_BYTES_MIN) {
            return Err(Error::invalid(format!(
                "memory_max_bytes is {max}, it must be at least {MEMORY_MAX_BYTES_MIN}"
            )));
        }
        if options.eviction != Eviction::None && options.memory_max_bytes.is_none() {
            return Err(Error::invalid("eviction needs a limit: set memory_max_bytes"));
        }
        let room = |max| Room::new(max, options.eviction, options.memtable_max_records, size_of::<Store>());
        let room = options.memory_max_bytes.map(room);
        Self::start(Store {
            counters: Counters::from(0),
            options,
            room,
            stripes: [(); STRIPES].map(|()| Stripe::default()),
        })
    }

    /// An engine of the same options that holds what this one holds now, shares all of it, and goes its own way from
    /// here. Costs a lock and a count for each stripe; `at_the_cut` runs while all of them are held.
    ///
    /// The first write to a stripe on either side then costs, once, a list of the stripe's SSTs, and a run of the
    /// handles in its memtable.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn fork<T>(&self, at_the_cut: impl FnOnce() -> T) -> Result<(Self, T)> {
        self.store.check()?;
        let _poison = PoisonOnPanic(&self.store.counters.poisoned);
        let mut locked = self.lock(StripeId::all());
        let seen = at_the_cut();
        let last_seq = self.store.counters.last_seq.load(Ordering::Relaxed);
        let mut shared = locked.iter_mut().map(|(_, held)| held.share());
        let stripes = [(); STRIPES].map(|()| Stripe::sharing(shared.next().expect("a tree or none for each stripe")));
        let room = self.store.room.as_ref().map(|room| room.forked(&stripes));
        drop(locked);
        let store = Store { counters: Counters::from(last_seq), options: self.store.options, room, stripes };
        Ok((Self::start(store)?, seen))
    }

    fn start(store: Store) -> Result<Self> {
        let store = Arc::new(store);
        let compactor = match store.options.background_compaction {
            true => Some(Compactor::start(Arc::clone(&store))?),
            false => None,
        };
        Ok(Self { store, compactor })
    }

    /// The item of this key, shared: no bytes are copied.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn get(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        self.store.check()?;
        let route = key.route();
        let stripe = self.store.stripe(route.stripe);
        let held = stripe.read();
        let found = held.tree().and_then(|tree| tree.get(route.tag, key));
        stripe.count(found.is_some());
        if self.evicts() {
            found.inspect(|record| record.mark_used());
        }
        Ok(found.cloned())
    }

    /// The items of several keys as they are at one moment: no [`Engine::commit`] lies between them.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_many(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |stripe, found| stripe.count(found))
    }

    /// As [`Engine::get_many`] for who is about to write: no hit and no miss.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn present(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |_, _| ())
    }

    /// Notes that the item of this key was used, as [`Engine::get`] does, where that tells what to evict.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn note_use(&self, key: KeyRef<'_>) -> Result<()> {
        self.store.check()?;
        if self.evicts() {
            let route = key.route();
            let held = self.store.stripe(route.stripe).read();
            held.tree().and_then(|tree| tree.get(route.tag, key)).inspect(|record| record.mark_used());
        }
        Ok(())
    }

    fn look_up(&self, keys: &[KeyRef<'_>], count: impl Fn(&Stripe, bool)) -> Result<Vec<Option<Record>>> {
        self.store.check()?;
        let routes: Vec<Route> = keys.iter().map(KeyRef::route).collect();
        let mut stripes: Vec<StripeId> = routes.iter().map(|route| route.stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let locked: Vec<_> = stripes.iter().map(|&id| self.store.stripe(id).read()).collect();
        let evicts = self.evicts();
        let find = |(key, route): (&KeyRef<'_>, &Route)| {
            let at = stripes.binary_search(&route.stripe).expect("the stripes of all keys are locked");
            let found = locked[at].tree().and_then(|tree| tree.get(route.tag, *key));
            count(self.store.stripe(route.stripe), found.is_some());
            found.filter(|_| evicts).inspect(|record| record.mark_used());
            found.cloned()
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
            drop(self.store.stripe(id).write());
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
    pub fn commit<T, E: From<Error>>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T), E>,
    ) -> Result<T, E> {
        self.commit_observed(keys, decide, |_, _| ())
    }

    /// As [`Engine::commit`]; `observe` is shown the records and the outcome while the locks are held, so that
    /// what it notes is in the order of the writes. Nothing fails after it.
    ///
    /// # Errors
    /// As [`Engine::commit`].
    pub fn commit_observed<T, E: From<Error>>(
        &self,
        keys: &[KeyRef<'_>],
        decide: impl FnOnce(&Present<'_>) -> Result<(Vec<Record>, T), E>,
        observe: impl FnOnce(&[Record], &mut T),
    ) -> Result<T, E> {
        self.store.check()?;
        let _poison = PoisonOnPanic(&self.store.counters.poisoned);
        let mut stripes: Vec<StripeId> = keys.iter().map(|key| key.route().stripe).collect();
        stripes.sort_unstable();
        stripes.dedup();
        let mut present = Present { locked: self.lock(stripes.iter().copied()) };
        let (records, mut outcome) = decide(&present)?;
        if let Some(stray) = records.iter().find(|record| !keys.contains(&record.key_ref())) {
            return Err(Error::invalid(format!("a commit wrote a key that it had not named: {stray:?}")).into());
        }
        observe(&records, &mut outcome);
        let garbage: Vec<(StripeId, Garbage)> = records
            .into_iter()
            .map(|record| {
                let stripe = record.key_ref().route().stripe;
                let at = present.position(stripe).expect("the stripes of all keys are locked");
                (stripe, self.apply(stripe, &mut present.locked[at].1, record, self.next_seq()))
            })
            .collect();
        drop(present);
        for (stripe, garbage) in garbage {
            self.finish(stripe, garbage);
        }
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
        self.store.check()?;
        let (stripe, span) = partition_span(keyspace, pk, range);
        let mut page = PageBuffer::new(limits);
        let held = self.store.stripe(stripe).read();
        let limited = held.tree().is_some_and(|tree| page.fill(&mut tree.view().merge(span, reverse), Record::clone));
        drop(held);
        if self.evicts() {
            page.records.iter().for_each(Record::mark_used);
        }
        Ok(RecordPage { records: page.records, limited })
    }

    /// One page of a share of the table in scan order, as it is at one moment. Does not count as using the items.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn scan(&self, range: ScanRange<'_>, limits: PageLimits) -> Result<RecordPage> {
        self.store.check()?;
        let mut page = PageBuffer::new(limits);
        let mut locked = Vec::new();
        let limited = range.spans().any(|(stripe, span)| {
            let held = self.store.stripe(stripe).read();
            let full = held.tree().is_some_and(|tree| page.fill(&mut tree.view().merge(span, false), Record::clone));
            locked.push(held);
            full
        });
        Ok(RecordPage { records: page.records, limited })
    }

    /// The whole table as it is now, for as long as the cut is kept. Writers wait for a lock and a count for each stripe.
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
        StripeId::all().try_for_each(|id| {
            let flushed = self.store.change_tree(id, |tree, stripe, garbage| {
                tree.flush(stripe, garbage);
                tree.compact_some(stripe, garbage);
            });
            flushed.map(drop)
        })
    }

    /// Merges each stripe into one SST without tombstones or hidden versions, stripe by stripe.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn compact(&self) -> Result<()> {
        StripeId::all().try_for_each(|id| {
            self.store.change_tree(id, Tree::compact_all)?;
            if self.evicts() {
                let mut held = self.store.stripe(id).write();
                held.purge_queue();
                self.store.count(id, &mut held);
            }
            Ok(())
        })
    }

    /// Removes everything, as one: nobody sees a part of it.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn clear(&self) -> Result<()> {
        self.clear_observed(|| ())
    }

    /// As [`Engine::clear`]; `observe` runs while all locks are held, so that what it does is done with what was written
    /// before, and nothing else.
    ///
    /// # Errors
    /// As [`Engine::clear`].
    pub fn clear_observed<T>(&self, observe: impl FnOnce() -> T) -> Result<T> {
        self.store.check()?;
        let _poison = PoisonOnPanic(&self.store.counters.poisoned);
        let mut locked = self.lock(StripeId::all());
        let observed = observe();
        let mut cleared = Vec::with_capacity(STRIPES);
        for (id, held) in &mut locked {
            self.store.note_past(held);
            cleared.push(held.clear());
            self.store.count(*id, held);
        }
        drop(locked);
        drop(cleared);
        Ok(observed)
    }

    /// A place to gather what an empty engine is to be filled with.
    pub fn filling(&self) -> Filling<'_> {
        Filling::new(self)
    }

    /// Counts what is held: bytes at one moment, for which all stripes are locked (shared) briefly; items by a walk over
    /// every record, one stripe after another.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn stats(&self) -> Result<EngineStats> {
        self.store.check()?;
        Ok(EngineStats::of(&self.store))
    }

    fn lock(&self, ascending: impl Iterator<Item = StripeId>) -> Vec<(StripeId, WriteGuard<'_>)> {
        let mut locked: Vec<(StripeId, WriteGuard<'_>)> = Vec::new();
        for id in ascending {
            debug_assert!(locked.last().is_none_or(|(last, _)| *last < id), "locks are taken in ascending order");
            locked.push((id, self.store.stripe(id).write()));
        }
        locked
    }

    fn write(&self, stripe: StripeId, record: Record, allowed: impl FnOnce() -> bool) -> Result<Option<SeqNo>> {
        self.store.check()?;
        let _poison = PoisonOnPanic(&self.store.counters.poisoned);
        let mut held = self.store.stripe(stripe).write();
        if !allowed() {
            return Ok(None);
        }
        // Under the lock, so that the numbers of a key rise with its versions.
        let seq = self.next_seq();
        let garbage = self.apply(stripe, &mut held, record, seq);
        drop(held);
        self.finish(stripe, garbage);
        Ok(Some(seq))
    }

    fn next_seq(&self) -> SeqNo {
        SeqNo(self.store.counters.last_seq.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn apply(&self, stripe: StripeId, held: &mut Held, record: Record, seq: SeqNo) -> Garbage {
        let options = &self.store.options;
        let policy = Policy {
            stripe,
            wal_records: options.memtable_max_records as u64,
            merge_later: options.background_compaction,
        };
        if record.is_tombstone() && held.tree().is_none() {
            // Nothing to delete is no reason to make a tree.
            return Garbage::default();
        }
        let Some(room) = &self.store.room else { return held.tree_mut(stripe).apply(record, policy) };
        if room.evicts() {
            held.queue_written(&record, seq);
        }
        let garbage = held.tree_mut(stripe).apply(record, policy);
        held.note_let_go(&garbage);
        room.count(stripe, held);
        garbage
    }

    /// What is left to do after a change, when no lock is held.
    fn finish(&self, stripe: StripeId, garbage: Garbage) {
        if let (Some(compactor), Some(work)) = (&self.compactor, garbage.work) {
            compactor.add(stripe, work);
        }
        drop(garbage);
    }

    fn cut_stripes(&self, ids: impl Iterator<Item = StripeId>) -> Result<Cut> {
        self.store.check()?;
        let _poison = PoisonOnPanic(&self.store.counters.poisoned);
        let mut locked = self.lock(ids);
        let stripes = locked.iter_mut().filter_map(|(id, held)| Some((*id, held.share()?))).collect();
        Ok(Cut::new(stripes))
    }
}

impl From<u64> for Counters {
    fn from(last_seq: u64) -> Self {
        Self {
            last_seq: AtomicU64::new(last_seq),
            poisoned: AtomicBool::new(false),
            past_flushes: AtomicU64::new(0),
            past_compactions: AtomicU64::new(0),
        }
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
    locked: Vec<(StripeId, WriteGuard<'a>)>,
}

impl Present<'_> {
    /// The item of this key; none, too, where the commit did not name a key of its stripe.
    pub fn get(&self, key: KeyRef<'_>) -> Option<&Record> {
        let route = key.route();
        let at = self.position(route.stripe)?;
        self.locked[at].1.tree()?.get(route.tag, key)
    }

    fn position(&self, stripe: StripeId) -> Option<usize> {
        self.locked.binary_search_by_key(&stripe, |(id, _)| *id).ok()
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

#[cfg(test)]
mod tests;
