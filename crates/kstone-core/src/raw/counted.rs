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
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::tag::Tag;

mod record_ref;
mod shape;

pub use record_ref::RecordRef;
pub(super) use shape::Header;
use shape::{HEADER_LEN, LONG_LEN, LongLengths, Shape, layout_of};
pub(crate) use shape::{Lengths, MAGIC};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("kstone packs 16 bits of hash next to a 48-bit address: it needs a 64-bit target");

/// What a record says of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Put,
    Tombstone,
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
const LINE_BYTES: usize = 64;
/// How many bytes of a label say how much follows them.
const LABEL_HEAD: usize = 4;

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
        RecordRef::of(self.address())
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
    let parts = RecordRef::of(header);
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
mod tests;
