//! Look-ups of single keys.

use smallvec::SmallVec;

use super::Engine;
use super::stripes::Stripes;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, RoutedKey, STRIPES, StripeId, StripeSet, Tag, crc32_of_short};
use crate::live_index::{Probe, hash_of};
use crate::mode::Flags;
use crate::poison_lock;
use crate::record::{Glance, Lent, Record, RecordRef};
use crate::stripe::ReadGuard;
use crate::tree::{Tree, TreeIndex};

impl Engine {
    /// The item of this key, shared: no bytes are copied.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn get(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        self.look(key, |_| false, Record::clone)
    }

    /// Shows the item of a short key to `take`, which says whether that was all, where nothing but a look is to be done and a
    /// few slots are enough: half the instructions of [`Engine::look`], since nothing can fail.
    #[inline(always)]
    pub fn glance(&self, pk: &[u8], sk: &[u8], take: impl FnOnce(RecordRef<'_>) -> bool) -> Glance {
        let store = &*self.store;
        let is_short = pk.len().wrapping_sub(1) < GLANCE_KEY_BYTES && sk.len() <= GLANCE_KEY_BYTES;
        if !is_short || !store.mode.flags().reads_are_plain() {
            return Glance::Unclear;
        }
        let Some(checksum) = crc32_of_short(pk) else { return Glance::Unclear };
        let stripe = store.stripe(StripeId::of(checksum));
        let (held, flags) = stripe.read_with_flags(&store.mode);
        // This answer counts; the one before the lock spares databases of which more is asked the lock.
        if !flags.reads_are_plain() {
            return Glance::Unclear;
        }
        let Some(tree) = held.tree() else {
            return if flags.has(Flags::TYPED) { Glance::Unclear } else { store.count_nothing(stripe) };
        };
        match tree.index().glance(checksum, pk, sk) {
            Ok(record) => stripe.count_glance(if take(record) { Glance::Item } else { Glance::Unclear }),
            // What is no key of the table's layout is refused, which a glance cannot.
            Err(Glance::Nothing) if flags.has(Flags::TYPED) => Glance::Unclear,
            Err(glance) => stripe.count_glance(glance),
        }
    }

    /// Shows the item of this key to `take` while its stripe is locked (shared): what that does should be short, and
    /// must not call the engine. Where reads are [watched](Engine::watch) it is shown to `hides` first, which says
    /// whether it is to be passed over.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    pub fn look<T>(
        &self,
        key: KeyRef<'_>,
        hides: impl FnOnce(&Record) -> bool,
        take: impl FnOnce(&Record) -> T,
    ) -> Result<Option<T>> {
        let route = key.route();
        let stripe = self.store.stripe(route.stripe);
        let (held, flags) = stripe.read_with_flags(&self.store.mode);
        let is_plain = flags.reads_are_plain();
        if !is_plain {
            flags.check()?;
        }
        let Some(tree) = held.tree() else {
            self.store.count_nothing(stripe);
            return Ok(None);
        };
        let found = tree.get(route, key);
        stripe.count(found.is_some());
        let found = found.filter(|record| is_plain || is_shown(flags, record, hides));
        Ok(found.map(|record| take(&record)))
    }

    /// As [`Engine::look`] for many keys, in their order: `take` is shown the place of each and what is there. The items
    /// need not be of one moment: keys are looked for in groups, so that their cache misses overlap, and no lock is kept
    /// from one group to the next.
    ///
    /// # Errors
    /// [`Error::Poisoned`], after some keys perhaps.
    pub fn look_many<'k>(
        &self,
        count: usize,
        key: impl Fn(usize) -> KeyRef<'k>,
        hides: impl Fn(&Record) -> bool,
        mut take: impl FnMut(usize, Option<&Record>),
    ) -> Result<()> {
        let mut stripes = StripesToRead::none(self);
        for first in (0..count).step_by(GROUP) {
            let key = |at| key(first + at);
            let group = Group::of(GROUP.min(count - first), |at| key(at).into());
            stripes.add(group.stripes().iter().copied())?;
            stripes.look(&group, key, |at, found| {
                stripes.count(group.stripes[at], found.is_some());
                let is_shown =
                    |record: &Lent<'_>| stripes.flags.reads_are_plain() || is_shown(stripes.flags, record, &hides);
                take(first + at, found.filter(is_shown).as_deref());
            });
            stripes.release();
        }
        Ok(())
    }

    /// The items of several keys as they are at one moment: no [`Engine::commit`] lies between them.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_many(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |stripes, stripe, found| stripes.count(stripe, found))
    }

    /// As [`Engine::get_many`] before a write: no hit and no miss.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn present(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |_, _, _| ())
    }

    /// Notes that the item of this key was used, as [`Engine::get`] does, where that tells what to evict.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn note_use(&self, key: KeyRef<'_>) -> Result<()> {
        if self.evicts() {
            let route = key.route();
            let held = self.store.read(route.stripe)?;
            held.tree().and_then(|tree| tree.get(route, key)).inspect(|record| record.mark_used());
        }
        Ok(())
    }

    fn look_up(
        &self,
        keys: &[KeyRef<'_>],
        count: impl Fn(&StripesToRead<'_>, StripeId, bool),
    ) -> Result<Vec<Option<Record>>> {
        let keys: Vec<RoutedKey<'_>> = keys.iter().map(|key| RoutedKey::from(*key)).collect();
        let mut stripes = StripesToRead::none(self);
        stripes.add(keys.iter().map(RoutedKey::stripe))?;
        Ok(stripes.look_up(&keys, count))
    }
}

impl StripesToRead<'_> {
    /// The items of these keys, whose stripes are locked.
    pub(super) fn look_up(&self, keys: &[RoutedKey<'_>], count: impl Fn(&Self, StripeId, bool)) -> Vec<Option<Record>> {
        let mut all = Vec::with_capacity(keys.len());
        for keys in keys.chunks(GROUP) {
            let group = Group::of(keys.len(), |at| keys[at]);
            self.look(
                &group,
                |at| keys[at].key(),
                |at, found| {
                    count(self, group.stripes[at], found.is_some());
                    found.as_ref().filter(|_| self.flags.has(Flags::EVICTS)).inspect(|record| record.mark_used());
                    all.push(found.map(|record| record.clone()));
                },
            );
        }
        all
    }
}

/// The longest part of a key of which [`Engine::glance`] says something.
pub const GLANCE_KEY_BYTES: usize = RecordRef::SHORT_KEY_BYTES;

/// How many keys are looked for together: as many cache misses overlap.
const GROUP: usize = 16;

/// What up to [`GROUP`] keys say about where their records are, each in an array of its own: a value that is stored and
/// read as a whole waits for no other. The keys themselves stay where the caller has them.
struct Group {
    len: usize,
    stripes: [StripeId; GROUP],
    tags: [Tag; GROUP],
    hashes: [u32; GROUP],
}

impl Group {
    #[inline(always)]
    fn of<'k>(len: usize, key: impl Fn(usize) -> RoutedKey<'k>) -> Self {
        let mut group = Self { len, stripes: [StripeId::of(0); GROUP], tags: [Tag::FIRST; GROUP], hashes: [0; GROUP] };
        for at in 0..len.min(GROUP) {
            let key = key(at);
            let route = key.route();
            group.stripes[at] = route.stripe;
            group.tags[at] = route.tag;
            group.hashes[at] = hash_of(route, key.key());
        }
        group
    }

    #[inline(always)]
    fn stripes(&self) -> &[StripeId] {
        &self.stripes[..self.len.min(GROUP)]
    }
}

/// Stripes that are locked to be read, each once.
pub(super) struct StripesToRead<'a> {
    stripes: Stripes<'a>,
    locked: SmallVec<[ReadGuard<'a>; GROUP]>,
    /// For each stripe that is locked, where among them.
    places: [u8; STRIPES],
    /// Of the moment when all of them were locked.
    flags: Flags,
    /// Keeps an engine that has no stripes of its own from getting some, where other engines are read at the same moment.
    _first_use: Option<poison_lock::ReadGuard<'a, ()>>,
}

impl<'a> StripesToRead<'a> {
    fn none(engine: &'a Engine) -> Self {
        let stripes = engine.store.stripes();
        Self { stripes, locked: SmallVec::new(), places: [0; STRIPES], flags: Flags::default(), _first_use: None }
    }

    /// Those of these keys, which stay as they are while the result is kept, also in an engine that is empty.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub(super) fn lock<'k, 'l: 'k>(
        engine: &'a Engine,
        keys: impl IntoIterator<Item = &'k RoutedKey<'l>>,
    ) -> Result<Self> {
        let first_use = engine.store.put_off_first_use()?;
        let mut stripes = Self { _first_use: first_use, ..Self::none(engine) };
        stripes.add(keys.into_iter().map(RoutedKey::stripe))?;
        Ok(stripes)
    }

    /// Locks these, where none is locked yet.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    #[inline(always)]
    fn add(&mut self, stripes: impl Iterator<Item = StripeId>) -> Result<()> {
        let mut wanted = StripeSet::default();
        stripes.for_each(|stripe| wanted.add(stripe));
        for stripe in wanted.iter() {
            self.places[stripe.index()] = self.locked.len() as u8;
            self.locked.push(self.stripes.read(stripe)?);
        }
        self.flags = self.stripes.flags();
        Ok(())
    }

    fn release(&mut self) {
        self.locked.clear();
    }

    /// Notes whether a look-up found an item.
    #[inline(always)]
    pub(super) fn count(&self, stripe: StripeId, found: bool) {
        self.stripes.count(self.stripes.get(stripe), found);
    }

    #[inline(always)]
    fn index_of(&self, stripe: StripeId) -> Option<&TreeIndex> {
        let place = self.places[stripe.index()];
        self.locked[usize::from(place)].tree().map(Tree::index)
    }

    /// Looks for the keys of a group, whose stripes are locked: each step for all of them before the next.
    #[inline(always)]
    fn look<'k>(
        &self,
        group: &Group,
        key: impl Fn(usize) -> KeyRef<'k>,
        mut take: impl FnMut(usize, Option<Lent<'_>>),
    ) {
        let len = group.len.min(GROUP);
        let mut indexes = [None; GROUP];
        #[expect(clippy::needless_range_loop, reason = "a place is one in all arrays of the group")]
        for at in 0..len {
            indexes[at] = self.index_of(group.stripes[at]).inspect(|index| index.prefetch(group.hashes[at]));
        }
        let mut probes = [Probe::NOTHING; GROUP];
        for at in 0..len {
            probes[at] = indexes[at].map_or(Probe::NOTHING, |index| index.probe(group.hashes[at]));
        }
        for at in 0..len {
            take(at, indexes[at].and_then(|index| index.confirm(probes[at], group.tags[at], key(at))));
        }
    }
}

/// Whether a read shows what it found, where more is to be asked: notes its use, too, where that tells what to evict.
#[cold]
#[inline(never)]
fn is_shown(flags: Flags, record: &Record, hides: impl FnOnce(&Record) -> bool) -> bool {
    if flags.has(Flags::EVICTS) {
        record.mark_used();
    }
    !(flags.has(Flags::HIDES) && hides(record))
}
