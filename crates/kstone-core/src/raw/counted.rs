//! The counted record: key and item in one immutable allocation, behind an 8-byte handle.
//!
//! ```text
//! handle (NonNull, 8 bytes):   tag:16 │ address:48
//!                                        │
//!            ┌───────────────────────────┘
//! header     ▼ 0                     4                                  7
//!            │ state u32 (atomic)    │ body 12 │ pk 6 │ sk 6 bits       │ MAGIC u8 │
//! data at 8  │ partition key │ sort key │ body (stored form of the item) │
//!
//! state      │ count 28 │ tombstone │released│ used │ labelled │
//!
//! long:      │ body u32 │ size u32 │ directory u32 │ pk u16 │ sk u16 │ header │ pk │ sk │ directory │ body │
//! labelled:  … │ body │ label                                                (see `key_layout`)
//! ```
//!
//! A record with a longer key or body is long, and so is one that keeps the size of its item or a directory of it
//! ([`Finder`]): its 12 bits are all ones, and its lengths stand before the header, in 16 bytes more.
//!
//! Eight bytes, because an item of a hundred bytes and its key should be two cache lines and one block of 128 bytes.
//! Tags in handles let a search pass over records without touching them: a cold record costs a cache miss, and only
//! the one that is looked for should. The magic is the last thing before the data, so that the C ABI, which hands out
//! the address of the data, can tell a record from its other handles.
//!
//! # Invariants
//! - Header and data are written before the handle is shared and never after, but for the count and the marks (atomic),
//!   and for a record that has one count, which its holder may overwrite or bury (`uncounted.rs`).
//! - A count that passes half its range stays there for good: such a record is never freed, rather than freed too early.
//!
//! # Thread safety
//! Handles may be cloned, read and dropped from any thread.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::tag::Tag;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("kstone packs 16 bits of hash next to a 48-bit address: it needs a 64-bit target");

/// What a record says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Put,
    Tombstone,
}

#[repr(C, align(8))]
pub(super) struct Header {
    state: AtomicU32,
    /// See [`Shape`]; little-endian, so that the magic is the last byte.
    shape: [u8; 4],
}

/// The lengths of a record that is long, before its header.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
struct LongLengths {
    body: u32,
    /// The size of the item, not of the record; 0 where it is not kept.
    size: u32,
    directory: u32,
    pk: u16,
    sk: u16,
}

/// What is noted of a record while others read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Mark {
    /// It was read since eviction last looked.
    Used = 2,
    /// A tree that held it has released it; others, of forks, may show it still.
    LetGo = 4,
}

/// In the state: written once. A label lies behind the body.
const IS_LABELLED: u32 = 1;
/// In the state: written once, or when the record is buried.
const IS_TOMBSTONE: u32 = 8;
/// In the state: one handle more.
const ONE: u32 = 16;
/// Counts from here on are stuck, …
const STUCK: u32 = 1 << 31;
/// … and are kept half way up from there, where no number of threads at once brings them back or over the end.
const STUCK_MIDDLE: u32 = STUCK | STUCK >> 1;

const ADDRESS_BITS: u32 = 48;
const ADDRESS_MASK: usize = (1 << ADDRESS_BITS) - 1;
const HEADER_LEN: usize = size_of::<Header>();
const LONG_LEN: usize = size_of::<LongLengths>();
const LINE_BYTES: usize = 64;
/// How many bytes of a label say how much follows them.
const LABEL_HEAD: usize = 4;

pub(crate) const MAGIC: u8 = 0x6B;

/// The lengths of a record's parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) pk: usize,
    pub(crate) sk: usize,
    pub(crate) body: usize,
    /// That of the directory, where the record keeps the size of its item.
    pub(crate) directory: Option<usize>,
}

impl Lengths {
    fn data(self) -> usize {
        self.pk + self.sk + self.directory.unwrap_or(0) + self.body
    }

    /// Bytes of the allocation of such a record with a label of this length.
    pub(crate) fn footprint(self, label: usize) -> usize {
        Shape::short(self).unwrap_or(Shape::LONG).before_data() + self.data() + label
    }
}

/// The upper half of the header: lengths, where they fit, and the magic.
#[derive(Clone, Copy)]
struct Shape(u32);

impl Shape {
    const BODY_BITS: u32 = 12;
    const KEY_BITS: u32 = 6;
    const PK_AT: u32 = Self::BODY_BITS;
    const SK_AT: u32 = Self::PK_AT + Self::KEY_BITS;
    const MAGIC_AT: u32 = Self::SK_AT + Self::KEY_BITS;
    const BODY_MASK: u32 = (1 << Self::BODY_BITS) - 1;
    const KEY_MASK: u32 = (1 << Self::KEY_BITS) - 1;
    /// What a body's bits say where the record is long.
    const LONG_BODY: u32 = Self::BODY_MASK;

    const MAGIC: u32 = (MAGIC as u32) << Self::MAGIC_AT;
    /// That of a long record.
    const LONG: Self = Self(Self::MAGIC | Self::LONG_BODY);

    /// That of a record that is not long.
    #[inline(always)]
    fn short(lengths: Lengths) -> Option<Self> {
        let Lengths { pk, sk, body, directory } = lengths;
        let is_long_key = pk > Self::KEY_MASK as usize || sk > Self::KEY_MASK as usize;
        if is_long_key || body >= Self::LONG_BODY as usize || directory.is_some() {
            return None;
        }
        Some(Self(Self::MAGIC | (sk as u32) << Self::SK_AT | (pk as u32) << Self::PK_AT | body as u32))
    }

    #[inline]
    fn is_long(self) -> bool {
        self.0 & Self::BODY_MASK == Self::LONG_BODY
    }

    /// Where the data begins in the allocation.
    #[inline]
    fn before_data(self) -> usize {
        HEADER_LEN + if self.is_long() { LONG_LEN } else { 0 }
    }
}

const _: () = assert!(Shape::MAGIC_AT + u8::BITS == u32::BITS, "the magic is the last byte");
const _: () = assert!(HEADER_LEN == 8 && LONG_LEN == 16);

/// A counted handle of a record; see the module.
#[repr(transparent)]
pub(crate) struct Counted(NonNull<Header>);

// SAFETY: what the handle points at is immutable but for an atomic word, so it may be used and dropped from any thread.
unsafe impl Send for Counted {}
// SAFETY: as for Send; `&Counted` gives only reads and the atomic word.
unsafe impl Sync for Counted {}

/// The parts a record is made of.
pub(crate) struct Parts<'a> {
    pub(crate) kind: RecordKind,
    pub(crate) tag: Tag,
    pub(crate) pk: &'a [u8],
    pub(crate) sk: &'a [u8],
    /// The body in pieces, one after the other.
    pub(crate) body: &'a [&'a [u8]],
    /// Empty, or 4 bytes whose last two say how much follows.
    pub(crate) label: &'a [u8],
}

impl Parts<'_> {
    /// Bytes of all pieces of the body.
    #[inline(always)]
    fn body_len(&self) -> usize {
        self.body.iter().map(|piece| piece.len()).sum()
    }
}

/// What a record of a large item keeps in addition to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finder {
    /// The size of the item, not of the record.
    pub(crate) item_size: usize,
    /// How many bytes of [`Parts::body`] are the directory, which lies before the body.
    pub(crate) directory: usize,
}

impl Counted {
    /// One allocation, one copy of each part.
    ///
    /// # Panics
    /// Where a key is longer than 65,535 bytes or the body longer than 4 GiB: callers check documented limits far
    /// below. Where the system's addresses do not fit 48 bits.
    #[inline(always)]
    pub(crate) fn new(parts: &Parts<'_>) -> Self {
        let lengths = Lengths { pk: parts.pk.len(), sk: parts.sk.len(), body: parts.body_len(), directory: None };
        let Some(shape) = Shape::short(lengths) else { return Self::long(parts, None) };
        let start = allocate(layout_of(HEADER_LEN, lengths, parts.label.len()));
        // SAFETY: the allocation holds the header and the parts, nothing else refers to it, and it does not overlap them.
        unsafe { Self::write(start.cast(), shape, parts) }
    }

    /// As [`Counted::new`], with the directory of the item as the first pieces of the body.
    pub(crate) fn with_finder(parts: &Parts<'_>, finder: Finder) -> Self {
        Self::long(parts, Some(finder))
    }

    #[inline(never)]
    fn long(parts: &Parts<'_>, finder: Option<Finder>) -> Self {
        let directory = finder.map(|finder| finder.directory);
        let body = parts.body_len() - directory.unwrap_or(0);
        let lengths = Lengths { pk: parts.pk.len(), sk: parts.sk.len(), body, directory };
        let start = allocate(layout_of(LONG_LEN + HEADER_LEN, lengths, parts.label.len())).cast::<LongLengths>();
        let long = LongLengths {
            body: u32::try_from(body).expect("an item is far smaller than 4 GiB"),
            size: finder.map_or(0, |finder| u32::try_from(finder.item_size).unwrap_or(0)),
            directory: u32::try_from(directory.unwrap_or(0)).expect("a directory is smaller than the body"),
            pk: u16::try_from(lengths.pk).expect("keys are within their limits"),
            sk: u16::try_from(lengths.sk).expect("keys are within their limits"),
        };
        // SAFETY: the allocation holds the long lengths, the header and the parts, one after the other and each aligned;
        // nothing else refers to it, and it does not overlap the parts.
        unsafe {
            start.write(long);
            Self::write(start.add(1).cast(), Shape::LONG, parts)
        }
    }

    /// Makes a record of what nothing was written to yet.
    ///
    /// # Safety
    /// There is space for a header and the parts behind one another, which nothing else refers to and which overlaps none
    /// of them.
    #[inline(always)]
    unsafe fn write(header: NonNull<Header>, shape: Shape, parts: &Parts<'_>) -> Self {
        let tombstone = if parts.kind == RecordKind::Tombstone { IS_TOMBSTONE } else { 0 };
        let labelled = if parts.label.is_empty() { 0 } else { IS_LABELLED };
        let state = AtomicU32::new(ONE | tombstone | labelled);
        // SAFETY: by contract.
        unsafe {
            header.write(Header { state, shape: shape.0.to_le_bytes() });
            let mut at = header.add(1).cast::<u8>().as_ptr();
            for key in [parts.pk, parts.sk] {
                copy_short(key, at);
                at = at.add(key.len());
            }
            for piece in parts.body {
                at.copy_from_nonoverlapping(piece.as_ptr(), piece.len());
                at = at.add(piece.len());
            }
            if !parts.label.is_empty() {
                at.copy_from_nonoverlapping(parts.label.as_ptr(), parts.label.len());
            }
        }
        Self::pack(header, parts.tag)
    }

    /// A handle that stands for a count that the caller has.
    #[inline(always)]
    pub(super) fn pack(header: NonNull<Header>, tag: Tag) -> Self {
        let bits = usize::from(tag.0) << ADDRESS_BITS;
        Self(header.map_addr(|address| address | bits))
    }

    #[inline(always)]
    pub(super) fn address(&self) -> NonNull<Header> {
        let bare = self.0.as_ptr().map_addr(|bits| bits & ADDRESS_MASK);
        // SAFETY: the handle was packed from a non-null address that fits the mask.
        unsafe { NonNull::new_unchecked(bare) }
    }

    /// What the handle refers to.
    #[inline]
    pub(crate) fn parts(&self) -> RecordRef<'_> {
        RecordRef(self.address(), PhantomData)
    }

    fn state(&self) -> &AtomicU32 {
        &self.parts().header().state
    }

    /// Read from the handle alone: does not touch the record.
    #[inline]
    pub(crate) fn tag(&self) -> Tag {
        Tag((self.0.addr().get() >> ADDRESS_BITS) as u16)
    }

    #[inline]
    pub(crate) fn pk(&self) -> &[u8] {
        self.parts().pk()
    }

    #[inline]
    pub(crate) fn sk(&self) -> &[u8] {
        self.parts().sk()
    }

    #[inline]
    pub(crate) fn body(&self) -> &[u8] {
        self.parts().body()
    }

    /// Bytes of the allocation.
    #[inline]
    pub(crate) fn footprint(&self) -> usize {
        self.parts().footprint()
    }

    #[inline]
    pub(crate) fn kind(&self) -> RecordKind {
        if self.state().load(Ordering::Relaxed) & IS_TOMBSTONE == 0 { RecordKind::Put } else { RecordKind::Tombstone }
    }

    #[inline]
    pub(crate) fn has_mark(&self, mark: Mark) -> bool {
        self.state().load(Ordering::Relaxed) & mark as u32 != 0
    }

    pub(crate) fn set_mark(&self, mark: Mark) {
        self.state().fetch_or(mark as u32, Ordering::Relaxed);
    }

    /// Takes the mark away; whether it was there.
    pub(crate) fn take_mark(&self, mark: Mark) -> bool {
        self.has_mark(mark) && self.state().fetch_and(!(mark as u32), Ordering::Relaxed) & mark as u32 != 0
    }

    /// Whether there is one count. The reads of those who had others are over then.
    #[inline]
    pub(crate) fn is_counted_once(&self) -> bool {
        self.state().load(Ordering::Acquire) / ONE == 1
    }

    /// Writes a body of the same length over this one, where there is one count and nothing is kept that follows from the
    /// body; whether it has.
    ///
    /// # Safety
    /// Nobody reads the record meanwhile who has no count.
    #[inline]
    pub(super) unsafe fn overwrite(&self, body: &[u8]) -> bool {
        let parts = self.parts();
        let lengths = parts.lengths();
        if lengths.body != body.len() || parts.has_finder() || !self.is_counted_once() {
            return false;
        }
        // SAFETY: the allocation holds a body of this length behind the keys; by contract and by the count, nobody else
        // refers to it, and who passes bytes of a record holds a count of it.
        unsafe {
            let at = parts.data().as_ptr().add(lengths.pk + lengths.sk);
            at.copy_from_nonoverlapping(body.as_ptr(), body.len());
        }
        true
    }

    /// Makes a tombstone of the record, where there is one count; whether it has. Its body stays what it takes.
    #[inline]
    pub(super) fn bury(&self) -> bool {
        let is_mine = self.is_counted_once();
        if is_mine {
            self.state().fetch_or(IS_TOMBSTONE, Ordering::Relaxed);
        }
        is_mine
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

    /// Asks for the first two: header, key and the body of a small item. The first alone would let the body's
    /// misses begin only when the header has come.
    #[inline]
    pub(crate) fn prefetch_item(&self) {
        (0..2).for_each(|line| self.prefetch_line(line));
    }

    #[inline]
    fn prefetch_line(&self, line: usize) {
        prefetch(self.address().as_ptr().wrapping_byte_add(line * LINE_BYTES));
    }

    /// Gives the count away as the address of the data.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> NonNull<u8> {
        let data = self.parts().data();
        std::mem::forget(self);
        data
    }
}

/// A record that somebody else holds, without a count of one's own.
#[derive(Clone, Copy)]
pub struct RecordRef<'a>(NonNull<Header>, PhantomData<&'a Header>);

impl<'a> RecordRef<'a> {
    /// The longest part of a key whose length fits the header.
    pub(crate) const SHORT_KEY_BYTES: usize = Shape::KEY_MASK as usize;

    /// What lies behind an address that [`Record::into_raw`](crate::record::Record::into_raw) gave.
    ///
    /// # Safety
    /// The count that was given away is not taken back during `'a`.
    #[inline]
    pub unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: by contract, the header precedes the data and is alive.
        Self(unsafe { raw.sub(HEADER_LEN) }.cast(), PhantomData)
    }

    /// Releases a count that [`Record::into_raw`](crate::record::Record::into_raw) gave away.
    ///
    /// # Safety
    /// `raw` came from there and its count has not been taken back yet.
    #[inline]
    pub unsafe fn release_raw(raw: NonNull<u8>) {
        // SAFETY: by contract, the header precedes the data, and the count is there to be given back.
        unsafe { release(raw.sub(HEADER_LEN).cast()) }
    }

    /// The record behind a header that somebody holds a count of during `'a`.
    #[inline(always)]
    pub(super) fn of(header: NonNull<Header>) -> Self {
        Self(header, PhantomData)
    }

    /// A handle with a count of its own.
    #[inline(always)]
    pub(crate) fn counted(self, tag: Tag) -> Counted {
        count(&self.header().state);
        Counted::pack(self.0, tag)
    }

    fn header(self) -> &'a Header {
        // SAFETY: somebody holds a count during 'a, so the header is alive and, but for atomics, unchanging.
        unsafe { self.0.as_ref() }
    }

    fn data(self) -> NonNull<u8> {
        // SAFETY: the data begins HEADER_LEN bytes behind the header, in the same allocation.
        unsafe { self.0.cast::<u8>().add(HEADER_LEN) }
    }

    fn slice(self, from: usize, len: usize) -> &'a [u8] {
        // SAFETY: callers pass ranges made of the record's lengths, which lie inside the allocation; the bytes are
        // initialised and never change while somebody holds a count.
        unsafe { std::slice::from_raw_parts(self.data().as_ptr().add(from), len) }
    }

    #[inline(always)]
    fn shape(self) -> Shape {
        Shape(u32::from_le_bytes(self.header().shape))
    }

    #[inline(always)]
    fn lengths(self) -> Lengths {
        let shape = self.shape();
        if shape.is_long() {
            let LongLengths { body, pk, sk, directory, .. } = *self.long_lengths();
            let (pk, sk, body) = (usize::from(pk), usize::from(sk), body as usize);
            return Lengths { pk, sk, body, directory: Some(directory as usize) };
        }
        let part = |at, mask| (shape.0 >> at & mask) as usize;
        Lengths {
            pk: part(Shape::PK_AT, Shape::KEY_MASK),
            sk: part(Shape::SK_AT, Shape::KEY_MASK),
            body: part(0, Shape::BODY_MASK),
            directory: None,
        }
    }

    /// The lengths of a record that is long.
    #[inline(always)]
    fn long_lengths(self) -> &'a LongLengths {
        debug_assert!(self.shape().is_long());
        // SAFETY: before the header of a long record, in the same allocation, lie its lengths, which never change.
        unsafe { self.0.cast::<LongLengths>().sub(1).as_ref() }
    }

    /// The partition key.
    #[inline]
    pub fn pk(self) -> &'a [u8] {
        self.slice(0, self.lengths().pk)
    }

    /// The sort key; empty where there is none.
    #[inline]
    pub fn sk(self) -> &'a [u8] {
        let lengths = self.lengths();
        self.slice(lengths.pk, lengths.sk)
    }

    /// The item in its stored form; empty for a tombstone.
    #[inline]
    pub fn body(self) -> &'a [u8] {
        self.directory_and_body().1
    }

    /// The directory of a large item, empty where there is none, and the item in its stored form.
    #[inline(always)]
    pub(crate) fn directory_and_body(self) -> (&'a [u8], &'a [u8]) {
        let Lengths { pk, sk, body, directory } = self.lengths();
        let Some(directory) = directory else { return (&[], self.slice(pk + sk, body)) };
        (self.slice(pk + sk, directory), self.slice(pk + sk + directory, body))
    }

    /// The item in its stored form, of a record that keeps nothing else for it: of any small item.
    #[inline(always)]
    pub fn short_body(self) -> Option<&'a [u8]> {
        let Lengths { pk, sk, body, directory: None } = self.lengths() else { return None };
        Some(self.slice(pk + sk, body))
    }

    /// Whether there is a label.
    #[inline(always)]
    pub(crate) fn is_labelled(self) -> bool {
        self.header().state.load(Ordering::Relaxed) & IS_LABELLED != 0
    }

    /// The label; empty where there is none.
    #[inline]
    pub(crate) fn label_bytes(self) -> &'a [u8] {
        if !self.is_labelled() {
            return &[];
        }
        let at = self.lengths().data();
        let &[_, _, one, other] = self.slice(at, LABEL_HEAD) else { return &[] };
        self.slice(at, LABEL_HEAD + usize::from(one) + usize::from(other))
    }

    /// Whether the record keeps the size of its item, with a directory or without.
    #[inline]
    fn has_finder(self) -> bool {
        self.kept_size().is_some()
    }

    /// The size of the item, where it is kept.
    #[inline]
    pub(crate) fn kept_size(self) -> Option<usize> {
        let size = if self.shape().is_long() { self.long_lengths().size } else { 0 };
        (size != 0).then_some(size as usize)
    }

    /// The partition key and the sort key, cheaper than one after the other.
    #[inline(always)]
    pub(crate) fn key(self) -> (&'a [u8], &'a [u8]) {
        let lengths = self.lengths();
        (self.slice(0, lengths.pk), self.slice(lengths.pk, lengths.sk))
    }

    /// Partition key, sort key and body, cheaper than one after the other.
    #[inline(always)]
    pub(crate) fn all(self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let Lengths { pk, sk, .. } = self.lengths();
        (self.slice(0, pk), self.slice(pk, sk), self.body())
    }

    /// The partition key and the sort key where they have these lengths, which are no more than
    /// [`RecordRef::SHORT_KEY_BYTES`] each, the first one not 0: cheaper than to compare with [`RecordRef::key`].
    #[inline(always)]
    pub(crate) fn short_key(self, pk: usize, sk: usize) -> Option<(&'a [u8], &'a [u8])> {
        let shape = self.shape();
        let wanted = (sk as u32) << Shape::KEY_BITS | pk as u32;
        if shape.0 >> Shape::PK_AT & ((1 << (2 * Shape::KEY_BITS)) - 1) != wanted {
            // The bits of a long record say no length.
            let long = shape.is_long().then(|| self.long_lengths())?;
            if (usize::from(long.pk), usize::from(long.sk)) != (pk, sk) {
                return None;
            }
        }
        Some((self.slice(0, pk), self.slice(pk, sk)))
    }

    /// Asks for the record's second cache line ahead of its use: the first is about to be read.
    #[inline(always)]
    pub(crate) fn prefetch_second_line(self) {
        prefetch(self.0.as_ptr().wrapping_byte_add(LINE_BYTES));
    }

    /// How many bytes keys and body are.
    #[inline(always)]
    pub(crate) fn data_len(self) -> usize {
        let Lengths { pk, sk, body, .. } = self.lengths();
        pk + sk + body
    }

    #[inline]
    fn footprint(self) -> usize {
        let lengths = self.lengths();
        HEADER_LEN + lengths.directory.map_or(0, |_| LONG_LEN) + lengths.data() + self.label_bytes().len()
    }
}

/// Asks for the cache line at a place ahead of its use.
#[inline(always)]
pub(crate) fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint; it reads nothing architecturally, so that any address may be given.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Copies bytes: those of a short key as they were written, eight at a time, without a call.
///
/// # Safety
/// There is space for them at `to`, which they do not overlap.
#[inline(always)]
unsafe fn copy_short(bytes: &[u8], to: *mut u8) {
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        // SAFETY: both lie in the space for the bytes; they may overlap each other.
        (Some(first), Some(last)) if bytes.len() <= 16 => unsafe {
            to.cast::<[u8; 8]>().write(*first);
            to.add(bytes.len() - 8).cast::<[u8; 8]>().write(*last);
        },
        _ if bytes.is_empty() => {}
        // SAFETY: by contract.
        _ => unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) },
    }
}

/// What a record takes whose data begins so far from the beginning.
#[inline]
fn layout_of(before_data: usize, lengths: Lengths, label: usize) -> Layout {
    Layout::from_size_align(before_data + lengths.data() + label, align_of::<Header>())
        .expect("a record is far smaller than isize::MAX")
}

/// Memory for a record, whose address fits a handle.
#[inline(always)]
fn allocate(layout: Layout) -> NonNull<u8> {
    // SAFETY: the layout of a record is not empty, it holds at least the header.
    let start = unsafe { alloc(layout) };
    let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
    assert!(start.addr().get() & !ADDRESS_MASK == 0, "addresses of this system do not fit 48 bits");
    start
}

impl Clone for Counted {
    #[inline(always)]
    fn clone(&self) -> Self {
        count(self.state());
        Self(self.0)
    }
}

impl Drop for Counted {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the handle's own count, which nobody gives back a second time.
        unsafe { release(self.address()) }
    }
}

/// Takes one count more of a record that somebody holds.
#[inline(always)]
fn count(state: &AtomicU32) {
    #[cfg(test)]
    CLONES.with(|count| count.set(count.get() + 1));
    if state.fetch_add(ONE, Ordering::Relaxed) >= STUCK {
        keep_stuck(state, ONE.wrapping_neg());
    }
}

/// Gives back one count.
///
/// # Safety
/// The header is that of a record of which a count is there to be given back.
#[inline(always)]
unsafe fn release(header: NonNull<Header>) {
    // SAFETY: a count is left, so the header is there.
    let before = unsafe { header.as_ref() }.state.fetch_sub(ONE, Ordering::Release);
    // Counts of one handle wrap around to far above those that are stuck.
    if before.wrapping_sub(2 * ONE) >= STUCK - 2 * ONE {
        // SAFETY: the count that was given back was the last one, or a stuck one.
        unsafe { release_last_or_stuck(header, before) };
    }
}

/// The rest of [`release`] for the last count, and for one that is stuck.
///
/// # Safety
/// `before` is what the state was when the count was given back, and one of those.
#[cold]
#[inline(never)]
unsafe fn release_last_or_stuck(header: NonNull<Header>, before: u32) {
    let parts = RecordRef(header, PhantomData);
    let state = &parts.header().state;
    if before >= STUCK {
        return keep_stuck(state, ONE);
    }
    // A load, where a fence would do: ThreadSanitizer knows no fences.
    state.load(Ordering::Acquire);
    let (shape, label) = (parts.shape(), parts.label_bytes().len());
    let layout = layout_of(shape.before_data(), parts.lengths(), label);
    // SAFETY: the last count is gone, so nothing refers to the allocation, which was made with this layout and begins so
    // far before the data.
    unsafe { dealloc(parts.data().sub(shape.before_data()).as_ptr(), layout) };
}

/// Takes a change back from a count that is stuck, and brings it half way up.
#[cold]
#[inline(never)]
fn keep_stuck(state: &AtomicU32, back: u32) {
    state.fetch_or(STUCK_MIDDLE, Ordering::Relaxed);
    state.fetch_add(back, Ordering::Relaxed);
}

#[cfg(test)]
thread_local! {
    /// References that this thread has taken.
    pub(crate) static CLONES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Counted {
        Counted::new(&Parts {
            kind: RecordKind::Put,
            tag: Tag(0xABCD),
            pk: b"pk",
            sk: b"sort",
            body: &[b"the ", b"body"],
            label: b"",
        })
    }

    #[test]
    fn parts_are_read_back() {
        let record = sample();
        assert_eq!((record.pk(), record.sk(), record.body()), (&b"pk"[..], &b"sort"[..], &b"the body"[..]));
        assert_eq!((record.tag(), record.kind()), (Tag(0xABCD), RecordKind::Put));
        assert_eq!(record.footprint(), 8 + 2 + 4 + 8);
    }

    #[test]
    fn parts_of_every_length_are_read_back_and_marks_do_not_touch_them() {
        let bytes: Vec<u8> = (0..70_000_u32).map(|i| i as u8).collect();
        let (key_lens, body_lens) = ([0, 1, 62, 63, 64, 65, 2048, 65_535], [0, 1, 4093, 4094, 4095, 4096, 70_000]);
        for (pk_len, sk_len) in key_lens.iter().flat_map(|&pk| key_lens.map(|sk| (pk, sk))) {
            for body_len in body_lens {
                let (pk, sk, body) = (&bytes[..pk_len], &bytes[1..][..sk_len], &bytes[..body_len]);
                let record = Counted::new(&Parts {
                    kind: RecordKind::Tombstone,
                    tag: Tag(7),
                    pk,
                    sk,
                    body: &[body],
                    label: b"",
                });
                [Mark::Used, Mark::LetGo].iter().for_each(|&mark| record.set_mark(mark));
                let other = record.clone();
                assert_eq!((other.pk(), other.sk(), other.body()), (pk, sk, body));
                assert_eq!(other.kind(), RecordKind::Tombstone);
                if pk_len > 0 && pk_len.max(sk_len) <= RecordRef::SHORT_KEY_BYTES {
                    let of_lengths = |pk, sk| record.parts().short_key(pk, sk);
                    assert_eq!(of_lengths(pk_len, sk_len), Some((pk, sk)));
                    assert!(pk_len == 1 || of_lengths(pk_len - 1, sk_len).is_none());
                    assert!(sk_len == 0 || of_lengths(pk_len, sk_len - 1).is_none());
                }
                let is_long = pk_len > 63 || sk_len > 63 || body_len > 4094;
                let lengths = Lengths { pk: pk_len, sk: sk_len, body: body_len, directory: None };
                let expected = if is_long { 24 } else { 8 } + pk_len + sk_len + body_len;
                assert_eq!((other.footprint(), lengths.footprint(0)), (expected, expected));
            }
        }
    }

    #[test]
    fn a_directory_and_the_size_of_an_item_are_read_back_next_to_the_other_parts() {
        let bytes: Vec<u8> = (0..9000_u32).map(|i| i as u8).collect();
        for (pk, body, hashes, offsets) in [(1, 0, 0, 0), (16, 300, 8, 16), (64, 5000, 300, 600), (2048, 9000, 0, 0)] {
            let (size, directory) = (7 + body, [&bytes[..hashes], &bytes[1..=offsets]].concat());
            let (pk, sk, body) = (&bytes[..pk], &bytes[2..9], &bytes[..body]);
            let finder = Finder { item_size: size, directory: directory.len() };
            let pieces = [&directory[..], body];
            let parts = Parts { kind: RecordKind::Put, tag: Tag(7), pk, sk, body: &pieces, label: b"" };
            let record = Counted::with_finder(&parts, finder);
            let of_record = record.parts();
            assert_eq!((record.pk(), record.sk(), record.body()), (pk, sk, body));
            assert_eq!(of_record.directory_and_body(), (&directory[..], body));
            assert_eq!((of_record.kept_size(), of_record.data_len()), (Some(size), pk.len() + 7 + body.len()));
            assert_eq!(record.footprint(), 24 + of_record.data_len() + directory.len());
        }
        assert_eq!(sample().parts().kept_size(), None);
    }

    #[test]
    fn an_item_of_a_hundred_bytes_under_a_key_of_16_is_two_cache_lines() {
        assert_eq!(Lengths { pk: 16, sk: 0, body: 4 + 100, directory: None }.footprint(0), 2 * 64);
    }

    #[test]
    fn marks_stand_side_by_side_and_are_taken_once() {
        let record = sample();
        record.set_mark(Mark::Used);
        record.set_mark(Mark::LetGo);
        assert!(record.take_mark(Mark::Used) && !record.take_mark(Mark::Used));
        assert!(record.has_mark(Mark::LetGo) && !record.has_mark(Mark::Used));
    }

    #[test]
    fn empty_parts_are_read_back() {
        let record =
            Counted::new(&Parts { kind: RecordKind::Tombstone, tag: Tag(0), pk: b"", sk: b"", body: &[], label: b"" });
        assert!(record.pk().is_empty() && record.sk().is_empty() && record.body().is_empty());
    }

    fn count(record: &Counted) -> u32 {
        record.state().load(Ordering::Relaxed) / ONE
    }

    #[test]
    fn what_was_given_away_is_read_behind_the_magic_and_released_once() {
        let record = crate::record::Record(sample());
        let raw = record.clone().into_raw();
        // SAFETY: the byte before the data is the header's last.
        assert_eq!(unsafe { raw.sub(1).read() }, MAGIC);
        // SAFETY: just given away.
        assert_eq!(unsafe { crate::record::RecordRef::from_raw(raw) }.body(), b"the body");
        assert_eq!(count(&record.0), 2);
        // SAFETY: the same.
        unsafe { RecordRef::release_raw(raw) };
        assert_eq!(count(&record.0), 1);
    }

    #[test]
    fn a_count_past_half_its_range_is_stuck_rather_than_freed() {
        let record = sample();
        record.set_mark(Mark::Used);
        let fresh = record.state().load(Ordering::Relaxed);
        for (handles, name) in [(2, "a clone first"), (0, "a drop first")] {
            record.state().store(STUCK | fresh, Ordering::Relaxed);
            let held: Vec<Counted> = (0..handles).map(|_| record.clone()).collect();
            // SAFETY: the count is stuck, so that one handle too many does no harm.
            drop(unsafe { std::ptr::read(&raw const record) });
            drop(held);
            assert!(record.state().load(Ordering::Relaxed) >= STUCK_MIDDLE, "{name}");
            assert!(record.has_mark(Mark::Used) && !record.has_mark(Mark::LetGo), "{name}");
        }
        record.state().store(fresh, Ordering::Relaxed);
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
        assert_eq!(count(&record), 1);
    }
}
