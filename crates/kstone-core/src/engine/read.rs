//! Look-ups of single keys.

use smallvec::SmallVec;

use super::Engine;
#[cfg(doc)]
use crate::error::Error;
use crate::error::Result;
use crate::key::{KeyRef, Route, RoutedKey, STRIPES, StripeId, StripeSet, crc32_of_short};
use crate::mode::Flags;
use crate::record::{Glance, Lent, Record, RecordRef};
use crate::stripe::{ReadGuard, Stripe};
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

    /// [`Engine::get`] of a short key for `take`, where nothing but a look is to be done and a few slots are enough: half the
    /// instructions, since nothing can fail.
    #[inline(always)]
    pub fn glance(&self, pk: &[u8], sk: &[u8], take: impl FnOnce(Record)) -> Glance {
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
        let Some(tree) = held.tree() else { return stripe.count_glance(Glance::Nothing) };
        match tree.index().glance(checksum, pk, sk) {
            Ok(record) => {
                take(Record(record.counted(Route::of_item(checksum).tag)));
                stripe.count_glance(Glance::Item)
            }
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
        let found = held.tree().and_then(|tree| tree.get(route, key));
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
        for first in (0..count).step_by(GROUP) {
            let places = first..count.min(first + GROUP);
            let keys: SmallVec<[RoutedKey<'k>; GROUP]> = places.map(|place| key(place).into()).collect();
            let stripes = StripesToRead::lock(self, &keys)?;
            stripes.look(&keys, |at, found| {
                self.store.stripe(keys[at].stripe()).count(found.is_some());
                let is_shown =
                    |record: &Lent<'_>| stripes.flags.reads_are_plain() || is_shown(stripes.flags, record, &hides);
                take(first + at, found.filter(is_shown).as_deref());
            });
        }
        Ok(())
    }

    /// The items of several keys as they are at one moment: no [`Engine::commit`] lies between them.
    ///
    /// # Errors
    /// [`Error::Poisoned`].
    pub fn get_many(&self, keys: &[KeyRef<'_>]) -> Result<Vec<Option<Record>>> {
        self.look_up(keys, |stripe, found| stripe.count(found))
    }

    /// As [`Engine::get_many`] before a write: no hit and no miss.
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
        if self.evicts() {
            let route = key.route();
            let held = self.store.read(route.stripe)?;
            held.tree().and_then(|tree| tree.get(route, key)).inspect(|record| record.mark_used());
        }
        Ok(())
    }

    fn look_up(&self, keys: &[KeyRef<'_>], count: impl Fn(&Stripe, bool)) -> Result<Vec<Option<Record>>> {
        let keys: Vec<RoutedKey<'_>> = keys.iter().map(|key| RoutedKey::from(*key)).collect();
        let stripes = StripesToRead::lock(self, &keys)?;
        Ok(self.look_up_in(&stripes, &keys, count))
    }

    /// The items of these keys, whose stripes are locked.
    pub(super) fn look_up_in(
        &self,
        stripes: &StripesToRead<'_>,
        keys: &[RoutedKey<'_>],
        count: impl Fn(&Stripe, bool),
    ) -> Vec<Option<Record>> {
        let mut all = Vec::with_capacity(keys.len());
        for group in keys.chunks(GROUP) {
            stripes.look(group, |at, found| {
                count(self.store.stripe(group[at].stripe()), found.is_some());
                found.as_ref().filter(|_| stripes.flags.has(Flags::EVICTS)).inspect(|record| record.mark_used());
                all.push(found.map(|record| record.clone()));
            });
        }
        all
    }
}

/// The longest part of a key of which [`Engine::glance`] says something.
pub const GLANCE_KEY_BYTES: usize = RecordRef::SHORT_KEY_BYTES;

/// How many keys are looked for together: as many cache misses overlap.
const GROUP: usize = 16;

/// Stripes that are locked to be read, each once.
pub(super) struct StripesToRead<'a> {
    locked: SmallVec<[ReadGuard<'a>; GROUP]>,
    /// For each stripe that is locked, where among them.
    places: [u8; STRIPES],
    /// Of the moment when all of them were locked.
    flags: Flags,
}

impl<'a> StripesToRead<'a> {
    /// # Errors
    /// [`Error::Poisoned`].
    pub(super) fn lock<'k, 'l: 'k>(
        engine: &'a Engine,
        keys: impl IntoIterator<Item = &'k RoutedKey<'l>>,
    ) -> Result<Self> {
        let mut wanted = StripeSet::default();
        keys.into_iter().for_each(|key| wanted.add(key.stripe()));
        let (mut locked, mut places) = (SmallVec::new(), [0; STRIPES]);
        for stripe in wanted.iter() {
            places[stripe.index()] = locked.len() as u8;
            locked.push(engine.store.read(stripe)?);
        }
        Ok(Self { locked, places, flags: engine.store.mode.flags() })
    }

    fn index_of(&self, key: &RoutedKey<'_>) -> Option<&TreeIndex> {
        let place = self.places[key.stripe().index()];
        self.locked[usize::from(place)].tree().map(Tree::index)
    }

    /// Looks for up to [`GROUP`] keys, whose stripes are locked: each step for all of them before the next.
    fn look(&self, keys: &[RoutedKey<'_>], mut take: impl FnMut(usize, Option<Lent<'_>>)) {
        let mut hashes = [0; GROUP];
        for (key, hash) in keys.iter().zip(&mut hashes) {
            *hash = self.index_of(key).map_or(0, |index| index.begin(key.route(), key.key()));
        }
        let mut probes = [None; GROUP];
        for ((key, hash), probe) in keys.iter().zip(hashes).zip(&mut probes) {
            *probe = self.index_of(key).and_then(|index| index.probe(hash));
        }
        for (at, (key, probe)) in keys.iter().zip(probes).enumerate() {
            take(at, self.index_of(key).and_then(|index| index.confirm(probe, key.route(), key.key())));
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
