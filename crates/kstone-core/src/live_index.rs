//! The index of live records: finds the newest version of a key, unless that is a tombstone, with one probe.
//!
//! ```text
//! slots   [ 3 │ 3 │ 7 │ – │ 12 │ 15 │ 15 │ 16 │ – │ … ]      hashes, in order, with gaps; each near hash × homes / 2^19
//! ```
//!
//! Open addressing with linear probing, where each slot is 8 bytes: a record's address and 19 bits of hash of its
//! partition key's checksum and its sort key ([`Uncounted`]). Slots are in the order of their hashes, and of their keys
//! where those are equal. So an absent key is known by the first slot that is not below it, keys that collide on purpose
//! are found by halving, and a hash says where its slot belongs: growing and removing touch no record.
//!
//! # Invariants
//! - It holds the address of each record that a look-up finds, and no other; a run of the same tree holds its count.
//! - A record is overwritten or buried only where no run of the tree is shared: then nobody reads it without a count, but
//!   under the lock.
//! - Between the place where a hash belongs and its slot there is no gap. The last slot is always one.
//!
//! Owned by a tree, guarded as it is.

use std::cmp::Ordering;

use crate::key::{KeyRef, Route, Tag};
use crate::raw::counted::prefetch;
use crate::raw::uncounted::Uncounted;
use crate::record::{Glance, Lent, Record, RecordRef};

/// So many slots are looked at one by one before halving what is left.
const NEAR: usize = 16;
/// How full it is when it grows, as a fraction: fuller, it would look at twice the slots for a little less memory.
const FULL: (usize, usize) = (4, 5);
/// The fewest slots of an index that holds anything.
const SLOTS_MIN: usize = 8;

/// The slots, in order.
#[derive(Clone, Default)]
pub(crate) struct LiveIndex {
    slots: Vec<Uncounted>,
    /// How many of the slots hashes are spread over; behind them is space for those that are pushed over the end.
    homes: usize,
    records: usize,
}

/// A slot, or a place between two, and the hash that leads to it. Outdated by every change of the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    at: usize,
    hash: u32,
    tag: Tag,
}

/// What the first slot of a hash holds.
#[derive(Clone, Copy)]
pub(crate) struct Probe(Uncounted);

impl Probe {
    /// There is no slot of the hash.
    pub(crate) const NOTHING: Self = Self(Uncounted::NONE);
}

impl LiveIndex {
    /// What is in the slot of a record.
    #[inline]
    pub(crate) fn slot_of(route: Route, record: &Record) -> Uncounted {
        Uncounted::of(&record.0, hash_of(route, record.key_ref()))
    }

    /// An index of these, in any order. Costs a sort of words: records are touched where hashes are equal.
    ///
    /// # Errors
    /// A record whose key stands twice.
    pub(crate) fn of_slots(mut slots: Vec<Uncounted>) -> Result<Self, Record> {
        slots.sort_unstable_by_key(|slot| slot.bits());
        for equals in slots.chunk_by_mut(|a, b| a.hash() == b.hash()).filter(|equals| equals.len() > 1) {
            let record = |slot: &Uncounted| Lent::of(*slot, Tag::FIRST);
            let order = |a: &Uncounted, b: &Uncounted| {
                let (a, b) = (record(a), record(b));
                (a.pk(), a.sk()).cmp(&(b.pk(), b.sk()))
            };
            equals.sort_by(order);
            if let Some(pair) = equals.windows(2).find(|pair| order(&pair[0], &pair[1]).is_eq()) {
                return Err(Record::clone(&record(&pair[1])));
            }
        }
        let mut index = Self { records: slots.len(), slots, homes: 0 };
        if index.records > 0 {
            let mut wanted = SLOTS_MIN;
            while index.records * FULL.1 > homes_in(wanted) * FULL.0 {
                wanted = larger(wanted);
            }
            index.rebuild(wanted);
        }
        Ok(index)
    }

    /// The live item of a key whose lengths [`RecordRef::short_key`] takes and whose partition key has this checksum,
    /// where a look at a few slots says it: without a call, and without the parts of a handle that only others need.
    #[inline(always)]
    pub(crate) fn glance(&self, checksum: u32, pk: &[u8], sk: &[u8]) -> Result<RecordRef<'_>, Glance> {
        let hash = hash_of_item(checksum, sk);
        let Some(slot) = self.near_not_below(hash) else { return Err(Glance::Unclear) };
        if slot.hash() != hash {
            return Err(Glance::Nothing);
        }
        let record: RecordRef<'_> = slot.look();
        record.prefetch_second_line();
        if record.has_short_key(pk, sk) { Ok(record) } else { Err(Glance::Unclear) }
    }

    /// The live record of this key.
    #[inline(always)]
    pub(crate) fn get(&self, route: Route, key: KeyRef<'_>) -> Option<Lent<'_>> {
        self.confirm(self.probe(hash_of(route, key)), route.tag, key)
    }

    /// Asks for the slots of a hash ahead of [`LiveIndex::probe`]: [`LiveIndex::get`] in three steps, for callers that take
    /// each for many keys before the next, so that their cache misses overlap.
    #[inline(always)]
    pub(crate) fn prefetch(&self, hash: u32) {
        prefetch(self.slots.as_ptr().wrapping_add(self.home(hash)));
    }

    /// The second step: the first slot of the hash, whose record is asked for.
    #[inline(always)]
    pub(crate) fn probe(&self, hash: u32) -> Probe {
        let slot = self.near_not_below(hash).or_else(|| self.slots.get(self.first_far_not_below(hash)).copied());
        match slot {
            Some(slot) if slot.hash() == hash => {
                Lent::of(slot, Tag::FIRST).prefetch_item();
                Probe(slot)
            }
            _ => Probe::NOTHING,
        }
    }

    /// The third: the record of the key, which is nearly always that of the first slot.
    #[inline(always)]
    pub(crate) fn confirm(&self, probe: Probe, tag: Tag, key: KeyRef<'_>) -> Option<Lent<'_>> {
        if probe.0.is_none() {
            return None;
        }
        let record = Lent::of(probe.0, tag);
        if record.has_key(key) {
            return Some(record);
        }
        self.get_among_equals(probe.0.hash(), key.pk(), key.sk()).map(|slot| Lent::of(slot, tag))
    }

    /// The slot of a key. Its parts come one by one: a key that is passed as a whole goes through memory.
    #[cold]
    #[inline(never)]
    fn get_among_equals(&self, hash: u32, pk: &[u8], sk: &[u8]) -> Option<Uncounted> {
        let found = self.find_among_equals(self.first_not_below(hash), hash, pk, sk);
        found.ok().map(|at| self.slots[at])
    }

    /// Where the live record of this key is, or where it would be.
    #[inline(always)]
    pub(crate) fn find(&self, route: Route, key: KeyRef<'_>) -> Result<Place, Place> {
        let hash = hash_of(route, key);
        let at = self.first_not_below(hash);
        let place = |at| Place { at, hash, tag: route.tag };
        match self.slots.get(at).filter(|slot| slot.hash() == hash) {
            None => Err(place(at)),
            Some(first) if Lent::of(*first, route.tag).has_key(key) => Ok(place(at)),
            Some(_) => self.find_among_equals(at, hash, key.pk(), key.sk()).map(place).map_err(place),
        }
    }

    /// The record of a key that another index found this place for, or found none.
    pub(crate) fn get_at(&self, place: Place, key: KeyRef<'_>) -> Option<Lent<'_>> {
        let found = self.find_hashed(place.hash, key.pk(), key.sk());
        found.ok().map(|at| Lent::of(self.slots[at], place.tag))
    }

    /// Puts a record in, in the place of one of the same key, whose place another index found.
    pub(crate) fn put(&mut self, place: Place, record: &Record) {
        self.put_slot(Uncounted::of(&record.0, place.hash));
    }

    /// The same of all of another index.
    pub(crate) fn put_all(&mut self, other: &Self) {
        other.filled().for_each(|slot| self.put_slot(slot));
    }

    fn put_slot(&mut self, slot: Uncounted) {
        match self.place_of(slot) {
            Ok(at) => self.slots[at] = slot,
            Err(at) => self.insert_slot(at, slot),
        }
    }

    /// Takes the records out whose keys another index holds.
    pub(crate) fn remove_all(&mut self, other: &Self) {
        for slot in other.filled() {
            if let Ok(at) = self.place_of(slot) {
                let _gone = self.remove(Place { at, hash: slot.hash(), tag: Tag::FIRST });
            }
        }
    }

    /// Of how many of its keys another index holds a record, too.
    #[cfg(test)]
    pub(crate) fn shared_with(&self, other: &Self) -> usize {
        self.filled().filter(|slot| other.place_of(*slot).is_ok()).count()
    }

    fn filled(&self) -> impl Iterator<Item = Uncounted> {
        self.slots.iter().copied().filter(|slot| !slot.is_none())
    }

    /// Adds a record where [`LiveIndex::find`] found none.
    #[inline(always)]
    pub(crate) fn insert(&mut self, place: Place, record: &Record) {
        self.insert_slot(place.at, Uncounted::of(&record.0, place.hash));
    }

    #[inline(always)]
    fn insert_slot(&mut self, mut at: usize, slot: Uncounted) {
        if (self.records + 1) * FULL.1 > self.homes * FULL.0 {
            at = self.grow(slot);
        }
        self.records += 1;
        // Each of those behind it goes on by one, up to the next gap.
        let mut pushed = slot;
        for slot in &mut self.slots[at..] {
            std::mem::swap(slot, &mut pushed);
            if pushed.is_none() {
                break;
            }
        }
        if self.slots.last().is_some_and(|last| !last.is_none()) {
            self.lengthen();
        }
    }

    /// Puts a newer version of the same key in the place of the record, which is returned.
    #[inline]
    pub(crate) fn replace(&mut self, place: Place, record: &Record) -> Lent<'_> {
        Lent::of(std::mem::replace(&mut self.slots[place.at], Uncounted::of(&record.0, place.hash)), place.tag)
    }

    /// Writes a body of the same length over the record's, where nobody else has it; whether it has. For a tree whose
    /// runs nobody shares.
    #[inline]
    pub(crate) fn overwrite(&mut self, place: Place, body: &[u8]) -> bool {
        self.slots[place.at].overwrite(body)
    }

    /// Makes a tombstone of the record, where nobody else has it; whether it has. For a tree whose runs nobody shares.
    #[inline]
    pub(crate) fn bury(&mut self, place: Place) -> bool {
        self.slots[place.at].bury()
    }

    /// Takes the record out, which is returned.
    pub(crate) fn remove(&mut self, place: Place) -> Lent<'_> {
        let record = Lent::of(self.slots[place.at], place.tag);
        let behind = place.at + 1;
        let is_pushed = |(at, slot): (usize, &Uncounted)| !slot.is_none() && self.home(slot.hash()) < behind + at;
        let pushed = self.slots[behind..].iter().enumerate().take_while(|slot| is_pushed(*slot)).count();
        self.slots.copy_within(behind..behind + pushed, place.at);
        self.slots[place.at + pushed] = Uncounted::NONE;
        self.records -= 1;
        if self.records * 4 < self.slots.len() && (self.slots.len() > SLOTS_MIN || self.records == 0) {
            self.shrink();
        }
        record
    }

    pub(crate) fn len(&self) -> usize {
        self.records
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Uncounted>()
    }

    /// The heap bytes once it has grown next, at most, in even steps for each record: what a limit counts, so that no
    /// single write adds much.
    pub(crate) fn charged_bytes(&self) -> usize {
        self.bytes().max(Self::charged_bytes_of(self.records))
    }

    /// The same for so many records.
    pub(crate) const fn charged_bytes_of(records: usize) -> usize {
        records * 15 + 128
    }

    /// The first slot at or behind its place that no smaller hash is in; without slots, 0.
    #[inline(always)]
    fn first_not_below(&self, hash: u32) -> usize {
        let home = self.home(hash);
        let end = self.slots.len().min(home + NEAR);
        let mut at = home;
        while at < end {
            if self.slots[at].is_not_below(hash) {
                return at;
            }
            at += 1;
        }
        self.first_far_not_below(hash)
    }

    /// What is in that slot, where it is among the first few.
    #[inline(always)]
    fn near_not_below(&self, hash: u32) -> Option<Uncounted> {
        let home = self.home(hash);
        let is_not_below = |slot: &&Uncounted| slot.is_not_below(hash);
        match self.slots.get(home..home + NEAR) {
            // As many as the compiler knows: it takes the loop apart.
            Some(near) => near.iter().find(is_not_below).copied(),
            None => self.slots.get(home..)?.iter().find(is_not_below).copied(),
        }
    }

    #[cold]
    #[inline(never)]
    fn first_far_not_below(&self, hash: u32) -> usize {
        let home = self.home(hash);
        // All that is behind a gap has a larger hash, as the gap itself has.
        home + self.slots[home..].partition_point(|slot| !slot.is_not_below(hash))
    }

    #[inline(always)]
    fn home(&self, hash: u32) -> usize {
        home_of(hash, self.homes)
    }

    /// The place of a key among the slots of its hash, which begin here and are in the order of their keys.
    #[cold]
    #[inline(never)]
    fn find_among_equals(&self, first: usize, hash: u32, pk: &[u8], sk: &[u8]) -> Result<usize, usize> {
        let slots = &self.slots[first..];
        let equals = &slots[..slots.partition_point(|slot| slot.hash() <= hash)];
        let order = |slot: &Uncounted| {
            let record = Lent::of(*slot, Tag::FIRST);
            (record.pk(), record.sk()).cmp(&(pk, sk))
        };
        let below = equals.partition_point(|slot| order(slot) == Ordering::Less);
        match equals.get(below) {
            Some(slot) if order(slot) == Ordering::Equal => Ok(first + below),
            _ => Err(first + below),
        }
    }

    /// Where a key of this hash is, or where it would be.
    fn find_hashed(&self, hash: u32, pk: &[u8], sk: &[u8]) -> Result<usize, usize> {
        self.find_among_equals(self.first_not_below(hash), hash, pk, sk)
    }

    /// Where the key of a record of another index is, or where it would be.
    fn place_of(&self, slot: Uncounted) -> Result<usize, usize> {
        let record = Lent::of(slot, Tag::FIRST);
        self.find_hashed(slot.hash(), record.pk(), record.sk())
    }

    /// Makes the index larger; where a record belongs then that it does not hold.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, slot: Uncounted) -> usize {
        let mut count = SLOTS_MIN;
        while (self.records + 1) * FULL.1 > homes_in(count) * FULL.0 {
            count = larger(count);
        }
        self.rebuild(count);
        self.place_of(slot).unwrap_or_else(|at| at)
    }

    /// Moves all to so many slots.
    fn rebuild(&mut self, count: usize) {
        let homes = homes_in(count);
        let mut left = self.slots.iter();
        // The next record, and where it belongs: behind the end where there is none.
        let mut take = || {
            for slot in left.by_ref() {
                if !slot.is_none() {
                    return (*slot, home_of(slot.hash(), homes));
                }
            }
            (Uncounted::NONE, usize::MAX)
        };
        let (mut next, mut belongs) = take();
        let slot_at = |at: usize| {
            if at < belongs {
                return Uncounted::NONE;
            }
            let slot = next;
            (next, belongs) = take();
            slot
        };
        // One after the other, without a question whether there is space for it.
        let mut slots: Vec<Uncounted> = (0..count).map(slot_at).collect();
        let mut pushed_over = Vec::new();
        while !next.is_none() {
            pushed_over.push(next);
            next = take().0;
        }
        slots.reserve_exact(pushed_over.len());
        slots.append(&mut pushed_over);
        (self.slots, self.homes) = (slots, homes);
        if self.slots.last().is_some_and(|last| !last.is_none()) {
            self.lengthen();
        }
    }

    /// Adds slots at the end: many hashes that belong there were pushed over it.
    #[cold]
    fn lengthen(&mut self) {
        let more = (self.slots.len() / 8).clamp(4, 64);
        self.slots.reserve_exact(more);
        self.slots.resize(self.slots.len() + more, Uncounted::NONE);
    }

    #[cold]
    fn shrink(&mut self) {
        if self.records == 0 {
            *self = Self::default();
            return;
        }
        let mut slots = 0;
        while slots * 5 < self.records * 8 {
            slots = larger(slots);
        }
        if slots < self.slots.len() {
            self.rebuild(slots);
        }
    }
}

/// How many of so many slots hashes are spread over.
fn homes_in(slots: usize) -> usize {
    slots - (slots / 16).clamp(2, 32)
}

/// Where a hash belongs.
#[inline(always)]
fn home_of(hash: u32, homes: usize) -> usize {
    ((u64::from(hash) * homes as u64) >> Uncounted::HASH_BITS) as usize
}

/// The next number of slots: half of a power of two more, so that a record is moved to two more indexes on average.
fn larger(slots: usize) -> usize {
    if slots < SLOTS_MIN { SLOTS_MIN } else { slots + (1 << slots.ilog2()) / 2 }
}

/// Eighteen bits of hash above one for the keyspace, which records do not know themselves.
#[inline(always)]
pub(crate) fn hash_of(route: Route, key: KeyRef<'_>) -> u32 {
    if route.tag <= Tag::LAST_ITEM {
        return hash_of_item(route.checksum, key.sk());
    }
    // The tag tells apart entries of several indexes for one partition.
    let partition = u64::from(route.checksum) | u64::from(route.tag.0) << u32::BITS;
    (hash_bits(partition, key.sk()) | 1).min(Uncounted::HASH_LAST - 2)
}

/// The hash of an item: even, so never the last.
#[inline(always)]
fn hash_of_item(checksum: u32, sk: &[u8]) -> u32 {
    hash_bits(u64::from(checksum), sk) & !1
}

#[inline(always)]
fn hash_bits(partition: u64, sk: &[u8]) -> u32 {
    const SEED: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = match sk {
        [] => partition.wrapping_mul(SEED),
        sk => mix(partition.wrapping_mul(SEED), sk),
    };
    (mixed >> (u64::BITS - Uncounted::HASH_BITS)) as u32
}

/// Mixes bytes into a hash, eight at a time.
fn mix(hash: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let last = rest.iter().fold(rest.len() as u64, |word, byte| word << u8::BITS | u64::from(*byte));
    let words = words.iter().map(|word| u64::from_le_bytes(*word)).chain(std::iter::once(last));
    words.fold(hash, |hash, word| {
        let product = u128::from(hash ^ word) * 0xA076_1D64_78BD_642F;
        product as u64 ^ (product >> u64::BITS) as u64
    })
}

#[cfg(test)]
mod tests;
