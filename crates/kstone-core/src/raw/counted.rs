//! The counted record: key and item in one immutable allocation, behind an 8-byte handle.
//!
//! ```text
//! handle (NonNull, 8 bytes):   tag:16 │ address:48
//!                                        │
//!            ┌───────────────────────────┘
//! header     ▼ 0        4          8               14      16       18       20    21    22
//!            │ count u32│ body u32 │ seq u48       │tag u16│pk u16  │sk u16  │kind │marks│ MAGIC u16 │
//! data at 24 │ partition key │ sort key │ body (stored form of the item) │
//! ```
//!
//! Tags in handles let a search pass over records without touching them: a cold record costs a cache miss, and only
//! the one that is looked for should. The magic is the last thing before the data, so that the C ABI, which hands out
//! the address of the data, can tell a record from its other handles.
//!
//! # Invariants
//! - Header and data are written before the handle is shared and never after, but for the count and the marks (atomic)
//!   and, through `&mut` on the only handle, the sequence number.
//! - A count that passes half its range stays there for good: such a record is never freed, rather than freed too early.
//!
//! # Thread safety
//! Handles may be cloned, read and dropped from any thread.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use crate::key::Tag;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("kstone packs 16 bits of hash beside a 48-bit address: it needs a 64-bit target");

/// What a record says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Put = 1,
    Tombstone = 2,
}

#[repr(C)]
struct Header {
    count: AtomicU32,
    body_len: u32,
    /// Sequence number in the low 48 bits, tag above.
    seq_and_tag: u64,
    pk_len: u16,
    sk_len: u16,
    kind: Kind,
    marks: AtomicU8,
    magic: u16,
}

/// What is noted of a record while others read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    /// A newer version took its place in the memtable that it was in.
    Superseded = 1,
    /// It was read since eviction last looked.
    Used = 2,
    /// A tree that held it has let it go; others, of forks, may show it still.
    LetGo = 4,
}

pub(crate) const HEADER_LEN: usize = size_of::<Header>();
const ADDRESS_BITS: u32 = 48;
const ADDRESS_MASK: usize = (1 << ADDRESS_BITS) - 1;
const SEQ_MASK: u64 = (1 << ADDRESS_BITS) - 1;
/// Counts from here on are stuck.
const STUCK: u32 = 1 << 31;

pub(crate) const MAGIC: u16 = 0x6B52;

/// A counted handle of a record; see the module.
#[repr(transparent)]
pub(crate) struct Counted(NonNull<Header>);

// SAFETY: what the handle points at is immutable but for an atomic count (and the sequence number, which is written
// through `&mut` on the only handle), so it may be used and dropped from any thread.
unsafe impl Send for Counted {}
// SAFETY: as for Send; `&Counted` gives only reads and the atomic count.
unsafe impl Sync for Counted {}

/// The parts a record is made of; the body comes in one piece.
pub(crate) struct Parts<'a> {
    pub(crate) kind: Kind,
    pub(crate) tag: Tag,
    pub(crate) pk: &'a [u8],
    pub(crate) sk: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Counted {
    /// One allocation, one copy of each part.
    ///
    /// # Panics
    /// Where a key is longer than 65,535 bytes or the body longer than 4 GiB: callers check documented limits far
    /// below. Where the system's addresses do not fit 48 bits.
    pub(crate) fn new(parts: &Parts<'_>) -> Self {
        let header = Header {
            count: AtomicU32::new(1),
            body_len: u32::try_from(parts.body.len()).expect("an item is far smaller than 4 GiB"),
            seq_and_tag: u64::from(parts.tag.0) << ADDRESS_BITS,
            pk_len: u16::try_from(parts.pk.len()).expect("keys are within their limits"),
            sk_len: u16::try_from(parts.sk.len()).expect("keys are within their limits"),
            kind: parts.kind,
            marks: AtomicU8::new(0),
            magic: MAGIC,
        };
        let layout = layout_of(parts.pk.len() + parts.sk.len() + parts.body.len());
        // SAFETY: the layout is not empty, it holds at least the header.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        assert!(start.addr().get() & !ADDRESS_MASK == 0, "addresses of this system do not fit 48 bits");
        // SAFETY: the allocation is HEADER_LEN + the three lengths long and aligned for a Header, nothing else refers to
        // it yet, and the parts cannot overlap it.
        unsafe {
            start.cast::<Header>().write(header);
            let mut at = start.as_ptr().add(HEADER_LEN);
            for part in [parts.pk, parts.sk, parts.body] {
                at.copy_from_nonoverlapping(part.as_ptr(), part.len());
                at = at.add(part.len());
            }
        }
        Self::pack(start.cast(), parts.tag)
    }

    fn pack(header: NonNull<Header>, tag: Tag) -> Self {
        let bits = usize::from(tag.0) << ADDRESS_BITS;
        Self(header.map_addr(|address| address | bits))
    }

    fn address(&self) -> NonNull<Header> {
        let bare = self.0.as_ptr().map_addr(|bits| bits & ADDRESS_MASK);
        // SAFETY: the handle was packed from a non-null address that fits the mask.
        unsafe { NonNull::new_unchecked(bare) }
    }

    fn header(&self) -> &Header {
        // SAFETY: the handle holds a count, so the header is alive and, but for atomics, unchanging.
        unsafe { self.address().as_ref() }
    }

    fn data(&self) -> NonNull<u8> {
        // SAFETY: the data begins HEADER_LEN bytes into the same allocation.
        unsafe { self.address().cast::<u8>().add(HEADER_LEN) }
    }

    fn slice(&self, from: usize, len: usize) -> &[u8] {
        // SAFETY: callers pass ranges made of the header's lengths, which lie inside the allocation; the bytes are
        // initialised and never change while a handle lives, and the result borrows the handle.
        unsafe { std::slice::from_raw_parts(self.data().as_ptr().add(from), len) }
    }

    /// Read from the handle alone: does not touch the record.
    #[inline]
    pub(crate) fn tag(&self) -> Tag {
        Tag((self.0.addr().get() >> ADDRESS_BITS) as u16)
    }

    #[inline]
    pub(crate) fn pk(&self) -> &[u8] {
        self.slice(0, usize::from(self.header().pk_len))
    }

    #[inline]
    pub(crate) fn sk(&self) -> &[u8] {
        let header = self.header();
        self.slice(usize::from(header.pk_len), usize::from(header.sk_len))
    }

    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        let header = self.header();
        self.slice(usize::from(header.pk_len) + usize::from(header.sk_len), header.body_len as usize)
    }

    #[inline]
    pub(crate) fn kind(&self) -> Kind {
        self.header().kind
    }

    #[inline]
    pub(crate) fn seq(&self) -> u64 {
        self.header().seq_and_tag & SEQ_MASK
    }

    /// Bytes of the allocation.
    #[inline]
    pub(crate) fn footprint(&self) -> usize {
        HEADER_LEN + self.data_len()
    }

    fn data_len(&self) -> usize {
        let header = self.header();
        usize::from(header.pk_len) + usize::from(header.sk_len) + header.body_len as usize
    }

    /// Numbers the record.
    ///
    /// # Panics
    /// Where another handle exists or the number does not fit 48 bits.
    pub(crate) fn set_seq(&mut self, seq: u64) {
        assert!(seq <= SEQ_MASK, "sequence numbers fit 48 bits");
        assert_eq!(self.header().count.load(Ordering::Relaxed), 1, "a record is numbered before it is shared");
        let tagged = u64::from(self.tag().0) << ADDRESS_BITS | seq;
        // SAFETY: this is the only handle (asserted) and it is borrowed mutably, so nothing else reads the field.
        unsafe { (*self.address().as_ptr()).seq_and_tag = tagged };
    }

    #[inline]
    pub(crate) fn has_mark(&self, mark: Mark) -> bool {
        self.header().marks.load(Ordering::Relaxed) & mark as u8 != 0
    }

    pub(crate) fn set_mark(&self, mark: Mark) {
        self.header().marks.fetch_or(mark as u8, Ordering::Relaxed);
    }

    /// Takes the mark away; whether it was there.
    pub(crate) fn take_mark(&self, mark: Mark) -> bool {
        self.has_mark(mark) && self.header().marks.fetch_and(!(mark as u8), Ordering::Relaxed) & mark as u8 != 0
    }

    /// Whether both handles are of one record.
    #[inline]
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Asks for the record's first cache line ahead of its use.
    #[inline]
    pub(crate) fn prefetch(&self) {
        self.prefetch_line(0);
    }

    /// Asks for the first three: header, key and the body of a small item. The first alone would let the body's
    /// misses begin only when the header has come.
    #[inline]
    pub(crate) fn prefetch_item(&self) {
        (0..3).for_each(|line| self.prefetch_line(line));
    }

    #[inline]
    fn prefetch_line(&self, line: usize) {
        const LINE_BYTES: usize = 64;
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch is a hint; it reads nothing architecturally, so that any address may be given.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(self.address().as_ptr().cast::<i8>().wrapping_add(line * LINE_BYTES));
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line * LINE_BYTES;
    }

    /// Gives the count away as the address of the data.
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        let data = self.data();
        std::mem::forget(self);
        data
    }

    /// Takes back a count that [`Counted::into_raw`] gave away.
    ///
    /// # Safety
    /// `data` came from `into_raw` and its count was not taken back yet.
    pub(crate) unsafe fn from_raw(data: NonNull<u8>) -> Self {
        // SAFETY: by contract, the header precedes the data and is alive.
        unsafe {
            let header = data.sub(HEADER_LEN).cast::<Header>();
            let tag = Tag(((*header.as_ptr()).seq_and_tag >> ADDRESS_BITS) as u16);
            Self::pack(header, tag)
        }
    }
}

impl crate::record::Record {
    /// Takes back a count that [`Record::into_raw`](Self::into_raw) gave away.
    ///
    /// # Safety
    /// `raw` came from [`Record::into_raw`](Self::into_raw) and its count has not been taken back yet.
    pub unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { Counted::from_raw(raw) })
    }
}

fn layout_of(data_len: usize) -> Layout {
    Layout::from_size_align(HEADER_LEN + data_len, align_of::<Header>())
        .expect("a record is far smaller than isize::MAX")
}

impl Clone for Counted {
    #[inline]
    fn clone(&self) -> Self {
        let count = &self.header().count;
        if count.fetch_add(1, Ordering::Relaxed) >= STUCK {
            count.store(STUCK | STUCK >> 1, Ordering::Relaxed);
        }
        Self(self.0)
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        let count = &self.header().count;
        match count.fetch_sub(1, Ordering::Release) {
            1 => {
                // A load, where a fence would do: ThreadSanitizer knows no fences.
                count.load(Ordering::Acquire);
                let layout = layout_of(self.data_len());
                // SAFETY: the last count is gone, so nothing refers to the allocation, which was made with this layout.
                unsafe { dealloc(self.address().as_ptr().cast(), layout) };
            }
            before if before >= STUCK => count.store(STUCK | STUCK >> 1, Ordering::Relaxed),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Counted {
        Counted::new(&Parts { kind: Kind::Put, tag: Tag(0xABCD), pk: b"pk", sk: b"sort", body: b"the body" })
    }

    #[test]
    fn parts_are_read_back() {
        let record = sample();
        assert_eq!((record.pk(), record.sk(), record.body()), (&b"pk"[..], &b"sort"[..], &b"the body"[..]));
        assert_eq!((record.tag(), record.kind(), record.seq()), (Tag(0xABCD), Kind::Put, 0));
        assert_eq!(record.footprint(), 24 + 2 + 4 + 8);
    }

    #[test]
    fn marks_stand_side_by_side_and_are_taken_once() {
        let record = sample();
        record.set_mark(Mark::Used);
        record.set_mark(Mark::Superseded);
        assert!(record.take_mark(Mark::Used) && !record.take_mark(Mark::Used));
        assert!(record.has_mark(Mark::Superseded) && !record.has_mark(Mark::Used));
    }

    #[test]
    fn empty_parts_are_read_back() {
        let record = Counted::new(&Parts { kind: Kind::Tombstone, tag: Tag(0), pk: b"", sk: b"", body: b"" });
        assert!(record.pk().is_empty() && record.sk().is_empty() && record.body().is_empty());
    }

    #[test]
    fn raw_round_trip_keeps_tag_count_and_magic() {
        let record = sample();
        let raw = record.clone().into_raw();
        // SAFETY: two bytes before the data lie inside the header.
        assert_eq!(unsafe { raw.sub(2).cast::<u16>().read() }, MAGIC);
        // SAFETY: just given away.
        let back = unsafe { Counted::from_raw(raw) };
        assert!(back.same(&record));
        assert_eq!(back.tag(), Tag(0xABCD));
        assert_eq!(record.header().count.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn sequence_number_is_set_beside_the_tag() {
        let mut record = sample();
        record.set_seq(SEQ_MASK);
        assert_eq!((record.seq(), record.tag()), (SEQ_MASK, Tag(0xABCD)));
        // SAFETY: the count given away is taken back at once.
        let back = unsafe { Counted::from_raw(record.into_raw()) };
        assert_eq!(back.tag(), Tag(0xABCD));
    }

    #[test]
    #[should_panic(expected = "before it is shared")]
    fn shared_record_is_not_renumbered() {
        let mut record = sample();
        let _other = record.clone();
        record.set_seq(1);
    }

    #[test]
    fn a_count_past_half_its_range_is_stuck_rather_than_freed() {
        let record = sample();
        record.header().count.store(STUCK, Ordering::Relaxed);
        drop(record.clone());
        drop(record.clone());
        assert!(record.header().count.load(Ordering::Relaxed) >= STUCK);
        record.header().count.store(1, Ordering::Relaxed);
    }

    #[test]
    fn threads_share_one_record_and_free_it_once() {
        let record = sample();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let mine = record.clone();
                scope.spawn(move || {
                    for _ in 0..1000 {
                        assert_eq!(mine.clone().pk(), b"pk");
                    }
                });
            }
        });
        assert_eq!(record.header().count.load(Ordering::Relaxed), 1);
    }
}
