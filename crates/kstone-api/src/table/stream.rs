//! The change stream: what happened to which item, in order, for readers that poll.
//!
//! ```text
//! a write, under its stripes' locks             a reader, under none
//!   change(old, written) ─► append ─► ┌───────────────────────┐
//!                                     │ 17 │ 18 │ 19 │ … │ 42 │ ─► read(after 18) = 19, 20, …
//!   what falls out at the far end ◄── └───────────────────────┘     read(after 15) = Trimmed, oldest 17
//!   is freed after the locks           one ring, one short lock
//! ```
//!
//! # Invariants
//! 1. Every change gets the next sequence number, from 1 on. Those of one `append` stand side by side. Appending under
//!    the locks of the items' stripes makes this one total order agree with the order of the writes to each key.
//! 2. No reader loses a record silently: it gets the one after the last it has read, or [`Error::Trimmed`].
//! 3. Records hold counted references to versions of items; no byte of an item is copied. What is kept is bounded in
//!    number and in bytes, and the newest record is always there.
//!
//! # Memory
//! A version of an item that is still current belongs to the database, even if others refer to it. A record is charged
//! for the version that it superseded, which but for the stream could be freed, for its slot, and for a key of its own
//! where it holds no image. That is exact where old images are kept; for NEW_IMAGE it is the most that can be, since
//! the record that held the superseded version may be trimmed by now. It takes for granted that every version is
//! superseded under a change that is appended, or by an equal one.
//!
//! # Thread safety
//! Every call may be made from any thread. The ring's lock is taken last, after any stripe's, and under it nothing is
//! waited for, formatted, copied or freed; a reader holds it for 64 records at a time. What a reader got is its own.
//!
//! Sources: the Developer Guide, "Change data capture for DynamoDB Streams", and the API reference of DynamoDB Streams.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};

use crate::error::{Error, Reason, Result};
use kstone_core::record::Record;
use parking_lot::Mutex;

mod change;
mod json;
mod record;

pub use change::{Change, EventName, Remover, StreamViewType, UserIdentity};
pub use json::records_to_json;
pub use record::StreamRecord;

/// The records that a stream keeps, unless an option says otherwise.
pub const STREAM_CAPACITY: usize = 1 << 16;
/// The most records that the option may ask for.
pub const STREAM_CAPACITY_LIMIT: usize = 1 << 24;
/// The bytes that a stream may pin, unless an option says otherwise: more than one transaction of 100 items of 400 KB
/// supersedes, so that a reader that keeps up is not left behind by a single call.
pub const STREAM_MAX_BYTES: usize = 64 << 20;
/// The most records of one read, as in DynamoDB's GetRecords.
pub const READ_MAX_RECORDS: usize = 1000;
/// The most bytes of images of one read, as in DynamoDB's GetRecords; a single record may have more.
pub const READ_MAX_BYTES: usize = 1 << 20;

/// Records that a reader takes under one hold of the lock, so that writers do not wait for a long read.
const HOLD_RECORDS: usize = 64;

/// What a stream is told when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamOptions {
    /// What its records show.
    pub view_type: StreamViewType,
    /// Records to keep: 0 for [`STREAM_CAPACITY`], at most [`STREAM_CAPACITY_LIMIT`].
    pub capacity: usize,
    /// Bytes to pin, accounted as the module says: 0 for [`STREAM_MAX_BYTES`].
    pub max_bytes: usize,
}

impl StreamOptions {
    /// The default bounds, for records that show this.
    #[must_use]
    pub const fn new(view_type: StreamViewType) -> Self {
        Self { view_type, capacity: 0, max_bytes: 0 }
    }
}

/// The change stream of a database. See the module.
///
/// ```
/// use kstone_api::stream::{EventName, Stream, StreamOptions, StreamViewType};
/// use kstone_api::{Error, ItemWriter, KeyRef, Record};
///
/// let stream = Stream::new(StreamOptions { capacity: 2, ..StreamOptions::new(StreamViewType::NewImage) })?;
/// let key = KeyRef::new(b"user#1", b"")?;
/// let version = |n| Ok::<_, Error>(Record::put(key, ItemWriter::new().set_i64("n", n)?.finish()));
/// let (first, second) = (version(1)?, version(2)?);
///
/// drop(stream.append(stream.change(None, &first), 1_700_000_000));
/// drop(stream.append(stream.change(Some(&first), &second), 1_700_000_001));
/// let records = stream.read(0, 10)?;
/// assert_eq!(records[1].event_name(), EventName::Modify);
/// assert!(records[1].new_image().is_some_and(|image| image.same(&second)));
///
/// // The ring keeps two: a third change drops the first.
/// drop(stream.append(stream.change(Some(&second), &Record::tombstone(key)), 1_700_000_002));
/// assert_eq!(stream.read(0, 10).unwrap_err(), Error::Trimmed { after: 0, oldest: 2 });
/// assert_eq!(stream.read(1, 10)?.len(), 2);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Stream {
    /// Tells the events of one stream from those of another, by chance.
    id: u64,
    view_type: StreamViewType,
    capacity: usize,
    max_bytes: usize,
    ring: Mutex<Ring>,
}

impl Stream {
    /// An empty stream whose first record will have sequence number 1.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a capacity beyond [`STREAM_CAPACITY_LIMIT`].
    pub fn new(options: StreamOptions) -> Result<Self> {
        Self::starting_at(options, 1)
    }

    /// An empty stream in the place of an earlier one, whose [`StreamStats::last`] was this, for a database that is
    /// configured anew: a reader of the earlier one finds out that it missed something, whatever it had read.
    ///
    /// # Errors
    /// As [`Stream::new`].
    pub fn following(options: StreamOptions, last: u64) -> Result<Self> {
        Self::starting_at(options, last.saturating_add(2))
    }

    /// An empty stream of a fork, for readers that go on where they are: what comes has the numbers after `last`, and
    /// what the original had kept up to there is read from the original.
    #[must_use]
    pub fn forked(&self, last: u64) -> Self {
        Self {
            id: RandomState::new().hash_one(last),
            ring: Mutex::new(Ring { slots: VecDeque::new(), oldest: last + 1, pinned_bytes: 0 }),
            ..*self
        }
    }

    fn starting_at(options: StreamOptions, oldest: u64) -> Result<Self> {
        let capacity = match options.capacity {
            0 => STREAM_CAPACITY,
            capacity @ 1..=STREAM_CAPACITY_LIMIT => capacity,
            capacity => {
                return Err(Error::from(Reason::CapacityTooLarge { max: STREAM_CAPACITY_LIMIT, found: capacity }));
            }
        };
        Ok(Self {
            id: RandomState::new().hash_one(oldest),
            view_type: options.view_type,
            capacity,
            max_bytes: if options.max_bytes == 0 { STREAM_MAX_BYTES } else { options.max_bytes },
            ring: Mutex::new(Ring { slots: VecDeque::new(), oldest, pinned_bytes: 0 }),
        })
    }

    /// What its records show.
    #[must_use]
    pub const fn view_type(&self) -> StreamViewType {
        self.view_type
    }

    /// What a write changes: `written` is the new version or the tombstone that goes in the place of `old`. None where
    /// it changes nothing: an item equal to the one that was there, or a delete of what was not.
    ///
    /// Takes no lock of its own. Compares the two versions where their lengths are equal; allocates, a key and no more,
    /// only where the record holds no image: all of KEYS_ONLY, and an INSERT of OLD_IMAGE.
    #[must_use]
    pub fn change(&self, old: Option<&Record>, written: &Record) -> Option<Change> {
        Change::of_write(self.view_type, old, written)
    }

    /// The removal of an item by the database itself: by its time to live, as DynamoDB's service would, or at the
    /// memory limit. Where a write meets an expired item, this comes first and the write's own change then has no old
    /// version.
    ///
    /// Cost as for [`Stream::change`], a key being allocated for KEYS_ONLY and NEW_IMAGE.
    #[must_use]
    pub fn removal(&self, old: &Record, by: Remover) -> Change {
        Change::of_removal(self.view_type, old, by)
    }

    /// Appends the changes of one write, all of them side by side, at this time in seconds since the epoch.
    ///
    /// To be called while the locks of all the items' stripes are held. The changes should be there already: whatever
    /// the iterator does is done under the stream's lock, which is otherwise held for a push and, in a full ring, a pop
    /// of each. What comes back is to be dropped after the stripes' locks.
    pub fn append(&self, changes: impl IntoIterator<Item = Change>, now_epoch_seconds: i64) -> Garbage {
        let mut garbage = Garbage::default();
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_some() {
            let mut ring = self.ring.lock();
            for change in changes {
                let slot = Slot { change, created: now_epoch_seconds };
                ring.drop_oldest(slot.pinned_bytes(), self.capacity, self.max_bytes, &mut garbage);
                ring.push(slot);
            }
        }
        garbage
    }

    /// Drops the oldest until so many bytes are pinned at most, or the newest is left.
    pub(crate) fn trim(&self, max_bytes: usize) -> Garbage {
        let mut garbage = Garbage::default();
        let mut ring = self.ring.lock();
        while ring.slots.len() > 1 && ring.pinned_bytes > max_bytes {
            let slots = ring.slots.len();
            ring.drop_oldest(0, slots, usize::MAX, &mut garbage);
        }
        garbage
    }

    /// The records after this sequence number, oldest first: at most `max`, [`READ_MAX_RECORDS`], and what fits
    /// [`READ_MAX_BYTES`] but at least one. Empty where there are none yet, also after a number that is still to come.
    /// A reader starts after 0 and goes on after the [sequence number](StreamRecord::sequence_number) of the last
    /// record it got.
    ///
    /// Costs a count on each image; no lock is held for more than 64 records.
    ///
    /// # Errors
    /// [`Error::Trimmed`] where the record after `after` is kept no more; [`Error::Invalid`] where `max` is 0.
    pub fn read(&self, after: u64, max: usize) -> Result<Vec<StreamRecord>> {
        if max == 0 {
            return Err(Error::from(Reason::LimitZero));
        }
        let max = max.min(READ_MAX_RECORDS);
        let mut records: Vec<StreamRecord> = Vec::new();
        let mut bytes = 0;
        loop {
            let wanted = HOLD_RECORDS.min(max - records.len());
            let enough = records.len() + wanted;
            let after = records.last().map_or(after, StreamRecord::sequence_number);
            records.reserve(wanted);
            let ring = self.ring.lock();
            let slots = match ring.after(after) {
                Ok(slots) => slots,
                // Trimmed since the last hold: the next read says so.
                Err(_) if !records.is_empty() => return Ok(records),
                Err(error) => return Err(error),
            };
            for (sequence_number, slot) in slots.take(wanted) {
                bytes += slot.change.image_bytes();
                if bytes > READ_MAX_BYTES && !records.is_empty() {
                    return Ok(records);
                }
                records.push(StreamRecord::new(self.id, sequence_number, slot.created, slot.change.clone()));
            }
            if records.len() < enough || records.len() == max {
                return Ok(records);
            }
        }
    }

    /// The sequence number of the first record that is kept and was noted at this time or later, or of the next one to
    /// come where there is none: a reader that forgets what is older begins with it. Costs a binary search, so a clock that
    /// was set back makes it a rough one.
    #[must_use]
    pub fn first_since(&self, epoch_seconds: i64) -> u64 {
        let ring = self.ring.lock();
        ring.oldest + ring.slots.partition_point(|slot| slot.created < epoch_seconds) as u64
    }

    /// Drops everything, for a database that is cleared, whose items go without a change of their own. One
    /// sequence number is left out, so that every reader finds out, also one that had read all there was.
    pub fn clear(&self) -> Garbage {
        let mut ring = self.ring.lock();
        let oldest = ring.next() + 1;
        let old = std::mem::replace(&mut *ring, Ring { slots: VecDeque::new(), oldest, pinned_bytes: 0 });
        drop(ring);
        Garbage { first: None, rest: old.slots.into() }
    }

    /// Bytes that the stream costs, as the module accounts for them, slots that are free included: at most an eighth
    /// more than it may pin, and some slots.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.stats().bytes
    }

    /// What a change that supersedes `old` may add to [`Stream::bytes`].
    pub(crate) fn growth_of(old: Option<&Record>, written: &Record) -> usize {
        let key = Record::footprint_of(written.key_ref(), &[]);
        // Where an expired item is replaced, its removal is a change of its own.
        2 * (size_of::<Slot>() + key) + old.map_or(0, Record::footprint)
    }

    /// What the stream holds.
    #[must_use]
    pub fn stats(&self) -> StreamStats {
        let ring = self.ring.lock();
        let free_slots = ring.slots.capacity() - ring.slots.len();
        StreamStats {
            records: ring.slots.len() as u64,
            bytes: size_of::<Self>() + ring.pinned_bytes + free_slots * size_of::<Slot>(),
            oldest: ring.oldest,
            last: ring.next() - 1,
        }
    }
}

/// What a stream holds. Serialises as one object of integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct StreamStats {
    /// Records that are kept.
    pub records: u64,
    /// As [`Stream::bytes`].
    pub bytes: usize,
    /// The sequence number of the oldest record that is kept, or of the next one to come where none is: the whole of
    /// what is kept is read after `oldest - 1`.
    pub oldest: u64,
    /// The last sequence number given; what comes from now on is read after it.
    pub last: u64,
}

/// Records that a stream dropped, to be freed after the locks of the write that made it.
#[derive(Debug, Default)]
#[must_use = "drop it after the stripes' locks"]
pub struct Garbage {
    /// A full ring drops one record for each that comes: this saves the usual append an allocation.
    first: Option<Slot>,
    rest: Vec<Slot>,
}

impl Garbage {
    /// Adds what another append dropped.
    pub fn extend(&mut self, other: Self) {
        self.rest.extend(other.first);
        self.rest.extend(other.rest);
    }

    fn push(&mut self, slot: Slot) {
        match self.first {
            None => self.first = Some(slot),
            Some(_) => self.rest.push(slot),
        }
    }
}

/// A change in its place in the ring, which gives it its sequence number.
#[derive(Debug)]
struct Slot {
    change: Change,
    created: i64,
}

impl Slot {
    fn pinned_bytes(&self) -> usize {
        size_of::<Self>() + self.change.pinned_bytes()
    }
}

/// The newest changes. What the stream's lock guards.
#[derive(Debug)]
struct Ring {
    slots: VecDeque<Slot>,
    /// The sequence number of the first slot, or of the next one where there is none. At least 1.
    oldest: u64,
    /// The sum over the slots.
    pinned_bytes: usize,
}

impl Ring {
    /// The sequence number of the next change to come.
    fn next(&self) -> u64 {
        self.oldest + self.slots.len() as u64
    }

    /// How many free slots a ring of so many keeps: not as many again, since they are memory all the same.
    fn spare(slots: usize) -> usize {
        slots / 16 + 4
    }

    /// Drops the oldest until a slot that pins so many bytes fits, or nothing is left.
    fn drop_oldest(&mut self, bytes: usize, capacity: usize, max_bytes: usize, garbage: &mut Garbage) {
        while self.slots.len() >= capacity || self.pinned_bytes + bytes > max_bytes {
            let Some(slot) = self.slots.pop_front() else { return };
            self.oldest += 1;
            self.pinned_bytes -= slot.pinned_bytes();
            garbage.push(slot);
            let spare = Self::spare(self.slots.len());
            if self.slots.capacity() > self.slots.len() + 2 * spare {
                self.slots.shrink_to(self.slots.len() + spare);
            }
        }
    }

    fn push(&mut self, slot: Slot) {
        self.pinned_bytes += slot.pinned_bytes();
        if self.slots.len() == self.slots.capacity() {
            self.slots.reserve_exact(Self::spare(self.slots.len()));
        }
        self.slots.push_back(slot);
    }

    /// The slots after this sequence number, each with its own.
    fn after(&self, after: u64) -> Result<impl Iterator<Item = (u64, &Slot)>> {
        let before_oldest = self.oldest - 1;
        let Some(skipped) = after.checked_sub(before_oldest) else {
            return Err(Error::Trimmed { after, oldest: self.oldest });
        };
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX).min(self.slots.len());
        Ok((self.oldest + skipped as u64..).zip(self.slots.range(skipped..)))
    }
}

#[cfg(test)]
mod tests;
