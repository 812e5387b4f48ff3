//! A stripe: one lock around one tree, which forks and iterators may share.
//!
//! ```text
//! own      ──fork or view─►  shared ◄── fork, iterator        one count more on the tree, nothing else
//!  ▲                           │
//!  └──── the next write ◄──────┘      takes the tree back where nobody shares it any more; otherwise its own tree of
//!                                     the same SSTs, with the shared memtable as the newest of them
//! ```
//!
//! # Invariants
//! - A shared tree never changes.
//! - A stripe is one cache line: taking one stripe's lock does not slow down a thread that takes its neighbour's.
//!
//! # Thread safety
//! The lock guards the tree. The counts of hits and misses are loaded and stored, not added atomically, since they are
//! noted by every read: two threads that read one stripe in the same instant may count once.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::key::StripeId;
use crate::mode::{Flags, Mode};
use crate::poison_lock::{self, PoisonLock};
use crate::record::{Glance, Record, SeqNo};
use crate::second_chance::SecondChance;
use crate::shared::Shared;
use crate::tree::{Garbage, Tree};

/// See the module.
#[repr(align(64))]
pub(crate) struct Stripe {
    lock: PoisonLock<StripeState>,
    hits: AtomicU64,
    misses: AtomicU64,
}

pub(crate) type ReadGuard<'a> = poison_lock::ReadGuard<'a, StripeState>;
pub(crate) type WriteGuard<'a> = poison_lock::WriteGuard<'a, StripeState>;

impl Stripe {
    /// A stripe that holds nothing.
    pub(crate) const fn empty() -> Self {
        let state = StripeState { tree_slot: TreeSlot::Nothing, counted_bytes: 0, queue: None };
        Self { lock: PoisonLock::new(state), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// Has it hold nothing for good.
    pub(crate) fn never_write(&'static self) {
        self.lock.read_for_good();
    }

    /// A stripe that begins with a tree that others hold too.
    pub(crate) fn sharing(tree: Option<Shared<Tree>>) -> Self {
        let tree_slot = tree.map_or(TreeSlot::Nothing, TreeSlot::Shared);
        Self { lock: PoisonLock::new(StripeState { tree_slot, ..StripeState::default() }), ..Self::empty() }
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(crate) fn read(&self, mode: &Mode) -> Result<ReadGuard<'_>> {
        self.lock.read(mode)
    }

    /// Access to read, also to what is poisoned, and what the flags are under the lock.
    #[inline(always)]
    pub(crate) fn read_with_flags(&self, mode: &Mode) -> (ReadGuard<'_>, Flags) {
        self.lock.read_with_flags(mode)
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline]
    pub(crate) fn write_with_flags<'a>(&'a self, mode: &'a Mode) -> Result<(WriteGuard<'a>, Flags)> {
        self.lock.write_with_flags(mode)
    }

    /// # Errors
    /// [`Error::Poisoned`](crate::error::Error::Poisoned).
    #[inline(always)]
    pub(crate) fn try_write_with_flags<'a>(&'a self, mode: &'a Mode) -> Result<Option<(WriteGuard<'a>, Flags)>> {
        self.lock.try_write_with_flags(mode)
    }

    /// What the lock guards, where nobody else has the stripe.
    pub(crate) fn get_mut(&mut self) -> &mut StripeState {
        self.lock.get_mut()
    }

    /// Notes whether a look-up found an item.
    #[inline]
    pub(crate) fn count(&self, found: bool) {
        let counter = if found { &self.hits } else { &self.misses };
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// The same of a glance: one that is unclear is no look-up.
    #[inline(always)]
    pub(crate) fn count_glance(&self, glance: Glance) -> Glance {
        match glance {
            Glance::Item => self.count(true),
            Glance::Nothing => self.count(false),
            Glance::Unclear => {}
        }
        glance
    }

    /// Look-ups that found an item, and those that did not.
    pub(crate) fn hits_and_misses(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }
}

/// What the lock guards.
#[derive(Default)]
pub(crate) struct StripeState {
    tree_slot: TreeSlot,
    /// The bytes that the memory limit has counted for this stripe.
    counted_bytes: usize,
    /// Where least recently used items are evicted; none where the tree came from a fork or a load, until it is needed.
    queue: Option<Box<SecondChance>>,
}

/// A tree is made at the first write: an empty database allocates none.
#[derive(Default)]
enum TreeSlot {
    #[default]
    Nothing,
    Own(Box<Tree>),
    Shared(Shared<Tree>),
}

/// What a stripe held, to be dropped.
pub(crate) struct StripeContents {
    _tree: TreeSlot,
    _queue: Option<Box<SecondChance>>,
}

impl StripeState {
    #[inline]
    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.tree_slot.tree()
    }

    /// The tree, to be changed: one that is shared stays as it is for the others.
    #[inline]
    pub(crate) fn tree_mut(&mut self, stripe: StripeId) -> &mut Tree {
        if !matches!(self.tree_slot, TreeSlot::Own(_)) {
            self.own(stripe);
        }
        match &mut self.tree_slot {
            TreeSlot::Own(tree) => tree,
            TreeSlot::Nothing | TreeSlot::Shared(_) => unreachable!("made its own above"),
        }
    }

    #[cold]
    fn own(&mut self, stripe: StripeId) {
        let mut garbage = Garbage::default();
        let tree = match std::mem::take(&mut self.tree_slot) {
            TreeSlot::Nothing => Tree::default(),
            TreeSlot::Shared(mut tree) => match tree.get_mut() {
                Some(tree) => {
                    tree.note_shared();
                    std::mem::take(tree)
                }
                None => Tree::divergent(&tree, stripe, &mut garbage),
            },
            TreeSlot::Own(tree) => *tree,
        };
        self.tree_slot = TreeSlot::Own(Box::new(tree));
        // Dropped under the lock, but the others that share the tree hold it, too.
        self.note_released(&garbage);
    }

    /// Puts the tree in order, so that it can be read; a shared one is.
    #[cold]
    pub(crate) fn put_in_order(&mut self, stripe: StripeId) -> Garbage {
        self.arrange(|tree, garbage| tree.put_in_order(stripe, garbage))
    }

    /// Whether [`StripeState::prepare_fork`] has nothing to do: a tree that is shared is not even looked at.
    #[inline]
    pub(crate) fn is_ready_to_fork(&self) -> bool {
        match &self.tree_slot {
            TreeSlot::Own(tree) => tree.is_ready_to_fork(),
            TreeSlot::Nothing | TreeSlot::Shared(_) => true,
        }
    }

    /// Asks for the memory of a shared tree's count, for whoever is going to share it once more: counts are counted one
    /// after the other, and so would be waited for.
    #[inline]
    pub(crate) fn prefetch_shared(&self) {
        if let TreeSlot::Shared(tree) = &self.tree_slot {
            tree.prefetch();
        }
    }

    /// The same ahead of a fork.
    #[cold]
    pub(crate) fn prepare_fork(&mut self, stripe: StripeId) -> Garbage {
        self.arrange(|tree, garbage| tree.prepare_fork(stripe, garbage))
    }

    fn arrange(&mut self, arrange: impl FnOnce(&mut Tree, &mut Garbage)) -> Garbage {
        let mut garbage = Garbage::default();
        if let TreeSlot::Own(tree) = &mut self.tree_slot {
            arrange(tree, &mut garbage);
            self.note_released(&garbage);
        }
        garbage
    }

    /// The tree as it is now, in order, for as long as the result is kept; none where there is none.
    pub(crate) fn share(&mut self, stripe: StripeId) -> Option<Shared<Tree>> {
        if let TreeSlot::Own(tree) = &self.tree_slot
            && !tree.is_all_in_order()
        {
            // Dropped under the lock: a few tombstones, since the tree was in order a moment ago.
            let _garbage = self.put_in_order(stripe);
        }
        self.tree_slot = match std::mem::take(&mut self.tree_slot) {
            TreeSlot::Own(tree) => TreeSlot::Shared(Shared::new(*tree)),
            other => other,
        };
        match &self.tree_slot {
            TreeSlot::Shared(tree) => Some(tree.clone()),
            TreeSlot::Nothing | TreeSlot::Own(_) => None,
        }
    }

    /// Bytes of the queue of those to evict.
    #[inline]
    pub(crate) fn queue_bytes(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.bytes())
    }

    /// Takes everything out; what that was, to be dropped after the lock.
    pub(crate) fn clear(&mut self) -> StripeContents {
        StripeContents { _tree: std::mem::take(&mut self.tree_slot), _queue: self.queue.take() }
    }

    /// Takes everything out and puts a tree in its place.
    pub(crate) fn replace(&mut self, tree: Box<Tree>) -> StripeContents {
        let before = self.clear();
        self.tree_slot = TreeSlot::Own(tree);
        before
    }

    /// Counts the bytes there are now; what had been counted, and what is counted now.
    pub(crate) fn count_bytes(&mut self, evicts: bool) -> (usize, usize) {
        let now = match (&self.queue, self.tree()) {
            (Some(queue), tree) => queue.charged_bytes() + tree.map_or(0, Tree::charged_bytes),
            (None, Some(tree)) => charged_bytes(tree, evicts),
            (None, None) => 0,
        };
        (std::mem::replace(&mut self.counted_bytes, now), now)
    }

    /// Adds a record that is about to be written to the queue, which begins with the stripe's first.
    pub(crate) fn queue_written(&mut self, record: &Record, seq: SeqNo) {
        if self.tree().is_none() {
            self.queue = Some(Box::default());
        }
        if record.is_tombstone() || !record.is_item() {
            return;
        }
        match &mut self.queue {
            Some(queue) => queue.push(record.clone(), seq),
            // It may take the place of an old one: a queue that is made of the tree sees that it is new.
            None => record.mark_used(),
        }
    }

    /// Keeps the queue in step with a change of the tree that left this garbage.
    pub(crate) fn note_released(&mut self, garbage: &Garbage) {
        let (Some(queue), Some(tree)) = (&mut self.queue, self.tree_slot.tree()) else { return };
        queue.note_released(garbage.items(), tree.record_bytes());
        queue.purge_some(|record| tree.is_current(record));
    }

    /// Drops all from the queue that the tree does not hold.
    pub(crate) fn purge_queue(&mut self) {
        if let (Some(queue), Some(tree)) = (&mut self.queue, self.tree_slot.tree()) {
            queue.purge(|record| tree.is_current(record));
        }
    }

    /// The items to evict next, at least so many bytes of them or all that a search of this number takes.
    pub(crate) fn take_victims(&mut self, bytes: usize, search: SeqNo, now: SeqNo) -> Vec<Record> {
        let Some(tree) = self.tree_slot.tree() else { return Vec::new() };
        let queue = self.queue.get_or_insert_with(|| Box::new(SecondChance::over(tree.items_by_age(), now)));
        queue.take_victims(bytes, (search, now), |record| tree.is_current(record))
    }

    /// The items in the order in which they would be evicted, where that is known.
    pub(crate) fn queue(&self) -> Option<&SecondChance> {
        self.queue.as_deref()
    }
}

/// Bytes of a tree, and of its queue, which is still to be made, where there will be one.
pub(crate) fn charged_bytes(tree: &Tree, evicts: bool) -> usize {
    let items = tree.memtable().len() + tree.sst_totals().records;
    tree.charged_bytes() + if evicts { SecondChance::bytes_of(items) } else { 0 }
}

impl TreeSlot {
    #[inline]
    fn tree(&self) -> Option<&Tree> {
        match self {
            Self::Nothing => None,
            Self::Own(tree) => Some(tree),
            Self::Shared(tree) => Some(tree),
        }
    }
}

const _: () = assert!(size_of::<Stripe>() == 64, "a stripe is a cache line");
