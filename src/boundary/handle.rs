//! The tag before every pointer handed out, and the memory layouts that put it there.
//!
//! ```text
//! Handle<T>, 16-byte aligned        u16 × 7 unused   kind   value: T …          pointer ──► value
//! Slot<R>, 8-byte aligned           u16 × 3 unused   kind   record: Option<R>   pointer ──► record
//! an item that was read             … header    u8 MAGIC  pk sk body          pointer ──► pk   (a Record, counted)
//! text (see `text`)                 …                kind   characters NUL      pointer ──► characters
//! ```
//!
//! # Invariants
//! - The `u16` directly before a pointer handed out is its kind for as long as it may be used; where its last byte is
//!   a record's magic, the other may be anything.
//! - Releasing a handle overwrites its kind with [`Tag::FREED`] first. Using a handle after that is undefined; the
//!   mark only gives such a mistake a chance of being told instead of believed.
//!
//! # Thread safety
//! Tags are written when a handle is made and when it is released, never between, so reading one needs no lock.

use std::borrow::Borrow;
use std::ffi::c_void;
use std::mem::{align_of, offset_of, size_of};

use kstone_api::{Record, RecordRef};

use super::failure::Failure;
use super::tag::Tag;

/// A type whose handles carry a kind of their own.
pub(crate) trait Tagged {
    /// The tag of its handles.
    const TAG: Tag;
    /// What a message calls it, with its article.
    const NAME: &'static str;
}

/// A value on the heap with its kind before it. What callers hold points at `value`.
#[repr(C, align(16))]
pub(crate) struct Handle<T> {
    unused: [u16; 7],
    tag: Tag,
    value: T,
}

impl<T: Tagged> Handle<T> {
    const VALUE_OFFSET: usize = {
        let offset = offset_of!(Handle<T>, value);
        assert!(offset == offset_of!(Handle<T>, tag) + size_of::<Tag>(), "nothing lies between kind and value");
        assert!(align_of::<T>() <= 16);
        offset
    };

    /// A handle that is not handed out yet.
    pub(crate) fn new(value: T) -> Box<Self> {
        Box::new(Self { unused: [0; 7], tag: Tag::FREED, value })
    }

    /// The value.
    pub(crate) fn value(&mut self) -> &mut T {
        &mut self.value
    }

    /// The pointer that callers hold, which owns the handle from now on.
    pub(crate) fn hand_out(mut self: Box<Self>) -> *mut T {
        self.tag = T::TAG;
        // SAFETY: the offset stays inside the allocation; the pointer keeps the right to all of it.
        unsafe { Box::into_raw(self).byte_add(Self::VALUE_OFFSET).cast::<T>() }
    }

    /// The handle behind a pointer that a caller gives back, marked as freed.
    ///
    /// # Safety
    /// `pointer` came from [`Handle::hand_out`] of the same type and is used no more.
    pub(crate) unsafe fn take_back(pointer: *mut T) -> Box<Self> {
        // SAFETY: `hand_out` made the pointer from a box at this offset. The volatile write stays although the
        // memory is about to be released: it is for those who use it afterwards by mistake.
        unsafe {
            let handle = pointer.byte_sub(Self::VALUE_OFFSET).cast::<Self>();
            (&raw mut (*handle).tag).write_volatile(Tag::FREED);
            Box::from_raw(handle)
        }
    }
}

/// Puts `value` behind a handle and hands it out.
pub(crate) fn hand_out<T: Tagged>(value: T) -> *mut T {
    Handle::new(value).hand_out()
}

/// The value behind a handle that came in; none for NULL and for handles of another kind.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library of any kind, and nobody changes it during `'a`.
#[inline(always)]
pub(crate) unsafe fn borrowed<'a, T: Tagged>(pointer: *const T) -> Option<&'a T> {
    // SAFETY: checked for NULL and for its kind, so it points at a live `T`.
    unsafe { is_one::<T>(pointer).then(|| &*pointer) }
}

/// The value behind a handle that came in.
///
/// # Safety
/// As for [`borrowed`].
pub(crate) unsafe fn borrow<'a, T: Tagged>(pointer: *const T) -> Result<&'a T, Failure> {
    // SAFETY: by contract.
    let value = unsafe { borrowed(pointer) };
    value.ok_or_else(|| refuse_handle(T::NAME, pointer.is_null()))
}

/// The value behind a handle that came in, to be changed.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library of any kind, and nobody else uses it during `'a`.
pub(crate) unsafe fn borrow_mut<'a, T: Tagged>(pointer: *mut T) -> Result<&'a mut T, Failure> {
    // SAFETY: checked for NULL and for its kind, so it points at a live `T`, and the caller has it alone.
    match unsafe { is_one(pointer.cast_const()) } {
        // SAFETY: as above.
        true => Ok(unsafe { &mut *pointer }),
        false => Err(refuse_handle(T::NAME, pointer.is_null())),
    }
}

/// Whether this is neither NULL nor a handle of another kind.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library of any kind.
#[inline(always)]
unsafe fn is_one<T: Tagged>(pointer: *const T) -> bool {
    // SAFETY: not NULL, so a handle of this library: the two bytes before it may be read. No record's are this kind's.
    !pointer.is_null() && unsafe { pointer.cast::<Tag>().byte_sub(size_of::<Tag>()).read_unaligned() } == T::TAG
}

/// The refusal of NULL, or of a handle of another kind than this.
#[cold]
#[inline(never)]
pub(crate) fn refuse_handle(needed: &str, is_null: bool) -> Failure {
    Failure::misuse(match is_null {
        true => format!("{needed} is needed, found NULL"),
        false => format!("{needed} is needed, found a handle of another kind or a freed one"),
    })
}

/// What a slot holds, and by which kind it is known.
pub(crate) trait Slotted {
    const TAG: Tag;
}

/// A record inside a page or an error, which has its count.
impl Slotted for Record {
    const TAG: Tag = Tag::BORROWED_ITEM;
}

impl From<Record> for Slot {
    #[inline(always)]
    fn from(record: Record) -> Self {
        Self::new(Some(record))
    }
}

/// Of a slot that was made of one.
impl Borrow<Record> for Slot {
    fn borrow(&self) -> &Record {
        self.record.as_ref().expect("a slot of a query has its record")
    }
}

/// A record that an iterator has come to, and holds.
impl Slotted for RecordRef<'_> {
    const TAG: Tag = Tag::LENT_ITEM;
}

/// A record, or none, with its kind before it. What callers borrow points at `record`.
#[repr(C)]
pub(crate) struct Slot<R = Record> {
    unused: [u16; 3],
    tag: Tag,
    record: Option<R>,
}

impl<R: Slotted> Slot<R> {
    const RECORD_OFFSET: usize = {
        let offset = offset_of!(Slot<R>, record);
        assert!(offset == offset_of!(Slot<R>, tag) + size_of::<Tag>(), "nothing lies between kind and record");
        offset
    };

    /// A slot, with or without its record.
    pub(crate) fn new(record: Option<R>) -> Self {
        Self { unused: [0; 3], tag: R::TAG, record }
    }

    /// The record.
    pub(crate) fn record(&self) -> Option<&R> {
        self.record.as_ref()
    }

    /// Exchanges the record: what was borrowed from this slot before is gone.
    pub(crate) fn replace(&mut self, record: Option<R>) {
        self.record = record;
    }

    /// The pointer that callers borrow, given one to the slot.
    pub(crate) fn lend(slot: *const Self) -> *const c_void {
        slot.wrapping_byte_add(Self::RECORD_OFFSET).cast()
    }

    /// The slot behind a borrowed pointer.
    ///
    /// # Safety
    /// `pointer` came from [`Slot::lend`] and the slot is still there, unchanged, during `'a`.
    pub(crate) unsafe fn of<'a>(pointer: *const c_void) -> &'a Self {
        // SAFETY: `lend` made the pointer from a slot at this offset.
        unsafe { &*pointer.byte_sub(Self::RECORD_OFFSET).cast::<Self>() }
    }
}
