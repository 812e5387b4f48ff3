//! The uncounted handle: where a record is and a hash of its key, in one word, without a count of its own.
//!
//! ```text
//! hash:19 │ address / 8:45        handles in the order of their bits are in the order of their hashes
//! ```
//!
//! # Invariants
//! Nothing here can check them; what holds such handles keeps to them:
//! - A handle is looked into only while somebody else holds a count of the record.
//! - A record is overwritten or buried only where nobody reads it who holds no count: where the holder of the count is
//!   locked for this thread alone, and lends its records to nobody.
//!
//! # Thread safety
//! As references to what they point at.

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};

use super::counted::{Counted, Header, RecordRef};
use crate::tag::Tag;

const ADDRESS_BITS: u32 = 45;
/// Addresses are multiples of 8.
const FREE_BITS: u32 = 3;

/// See the module.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Uncounted(*mut Header);

// SAFETY: what the handle points at may be read and counted from any thread, as with a counted one.
unsafe impl Send for Uncounted {}
// SAFETY: as for Send.
unsafe impl Sync for Uncounted {}

impl Uncounted {
    /// Of how many bits a hash is.
    pub(crate) const HASH_BITS: u32 = u64::BITS - ADDRESS_BITS;
    /// The last hash; no record has it, since it is that of [`Uncounted::NONE`].
    pub(crate) const HASH_LAST: u32 = (1 << Self::HASH_BITS) - 1;
    /// The handle of no record, behind all others.
    pub(crate) const NONE: Self = Self(ptr::without_provenance_mut(usize::MAX));

    #[inline]
    pub(crate) fn of(record: &Counted, hash: u32) -> Self {
        debug_assert!(hash < Self::HASH_LAST, "the last hash is that of no record");
        Self(record.address().as_ptr().map_addr(|address| (address >> FREE_BITS) | (hash as usize) << ADDRESS_BITS))
    }

    /// Whether it is the handle of no record.
    #[inline(always)]
    pub(crate) fn is_none(self) -> bool {
        self.0.addr() == usize::MAX
    }

    /// A number that is in the order of the hashes.
    #[inline]
    pub(crate) fn bits(self) -> usize {
        self.0.addr()
    }

    #[inline(always)]
    pub(crate) fn hash(self) -> u32 {
        (self.0.addr() >> ADDRESS_BITS) as u32
    }

    /// Whether its hash is this one or a greater one.
    #[inline(always)]
    pub(crate) fn is_not_below(self, hash: u32) -> bool {
        self.0.addr() >= (hash as usize) << ADDRESS_BITS
    }

    /// The record as if by a counted handle, which is never dropped. Not to be asked of [`Uncounted::NONE`].
    #[inline(always)]
    pub(crate) fn lend(self, tag: Tag) -> ManuallyDrop<Counted> {
        ManuallyDrop::new(Counted::pack(self.header(), tag))
    }

    /// The record, without its tag. Not to be asked of [`Uncounted::NONE`].
    #[inline(always)]
    pub(crate) fn look<'a>(self) -> RecordRef<'a> {
        RecordRef::of(self.header())
    }

    #[inline(always)]
    fn header(self) -> NonNull<Header> {
        let address = |bits: usize| bits << Self::HASH_BITS >> (Self::HASH_BITS - FREE_BITS);
        // SAFETY: a handle is made of a non-null address, and only the hash was added to it.
        unsafe { NonNull::new_unchecked(self.0.map_addr(address)) }
    }

    /// Writes a body of the same length over the record's, where that has one count; whether it has.
    #[inline]
    pub(crate) fn overwrite(self, body: &[u8]) -> bool {
        // SAFETY: the holder of this handle keeps to the module's invariants.
        unsafe { self.lend(Tag::FIRST).overwrite(body) }
    }

    /// Makes a tombstone of the record, where that has one count; whether it has.
    #[inline]
    pub(crate) fn bury(self) -> bool {
        self.lend(Tag::FIRST).bury()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::counted::{Finder, Parts, RecordKind};

    #[test]
    fn a_handle_gives_back_the_record_and_the_hash_that_it_was_made_of() {
        for hash in [0, 1, 77_777, Uncounted::HASH_LAST - 1] {
            let parts =
                Parts { kind: RecordKind::Put, tag: Tag(0xABCD), pk: b"pk", sk: b"", body: &[b"body"], label: b"" };
            let record = Counted::new(&parts);
            let handle = Uncounted::of(&record, hash);
            assert_eq!(handle.hash(), hash);
            let lent = handle.lend(Tag(0xABCD));
            assert!(lent.same(&record) && lent.tag() == Tag(0xABCD) && lent.body() == b"body");
        }
        assert_eq!(Uncounted::NONE.hash(), Uncounted::HASH_LAST);
    }

    #[test]
    fn what_has_one_count_is_overwritten_by_as_many_bytes_and_buried_and_nothing_else() {
        let parts = Parts { kind: RecordKind::Put, tag: Tag(1), pk: b"pk", sk: b"s", body: &[b"body"], label: b"" };
        let record = Counted::new(&parts);
        let handle = Uncounted::of(&record, 7);
        let read = record.clone();
        assert!(!handle.overwrite(b"next") && !handle.bury());
        assert_eq!((read.body(), read.kind()), (&b"body"[..], RecordKind::Put));
        drop(read);
        assert!(!handle.overwrite(b"longer") && !handle.overwrite(b"sho"));
        assert!(handle.overwrite(b"next"));
        assert_eq!((record.pk(), record.sk(), record.body()), (&b"pk"[..], &b"s"[..], &b"next"[..]));
        assert!(handle.bury());
        assert_eq!((record.kind(), record.footprint()), (RecordKind::Tombstone, 8 + 2 + 1 + 4));
    }

    #[test]
    fn a_record_that_keeps_what_follows_from_its_body_is_not_overwritten() {
        let parts = Parts {
            kind: RecordKind::Put,
            tag: Tag(1),
            pk: b"pk",
            sk: b"s",
            body: &[b"directory", b"body"],
            label: b"",
        };
        for directory in [0, 9] {
            let record = Counted::with_finder(&parts, Finder { item_size: 1, directory });
            assert!(!Uncounted::of(&record, 7).overwrite(b"else"));
        }
    }
}
