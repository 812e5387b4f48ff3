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
//! - Releasing a handle overwrites its kind with [`Kind::FREED`] first. Using a handle after that is undefined; the
//!   mark only gives such a mistake a chance of being told instead of believed.
//!
//! # Thread safety
//! Kinds are written when a handle is made and when it is released, never between, so reading one needs no lock.

use std::ffi::c_void;
use std::mem::{align_of, offset_of, size_of};

use kstone_api::{Record, RecordRef};

use crate::boundary::Failure;

/// What lies behind a pointer: the `u16` directly before it. Its last byte alone tells a record from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Kind(u16);

impl Kind {
    /// A counted record of the engine: an item that was read.
    pub(crate) const RECORD: Self = Self(u16::from_ne_bytes([0, Record::MAGIC]));
    /// A database.
    pub(crate) const DATABASE: Self = Self(0xD81B);
    /// An error.
    pub(crate) const ERROR: Self = Self(0xE52D);
    /// An item that the caller builds.
    pub(crate) const BUILT_ITEM: Self = Self(0xB14E);
    /// An item inside a page or an error, not to be released.
    pub(crate) const BORROWED_ITEM: Self = Self(0xB0A7);
    /// The item that an iterator has come to, not to be released.
    pub(crate) const LENT_ITEM: Self = Self(0x1E27);
    /// A page of a query or scan.
    pub(crate) const PAGE: Self = Self(0x9A6C);
    /// An iterator.
    pub(crate) const ITERATOR: Self = Self(0x17E6);
    /// A batch of operations.
    pub(crate) const BATCH: Self = Self(0xBA7C);
    /// Text that the caller releases.
    pub(crate) const TEXT: Self = Self(0x7E93);
    /// Text that belongs to the library or to an error.
    pub(crate) const BORROWED_TEXT: Self = Self(0x7EB5);
    /// What was something once.
    pub(crate) const FREED: Self = Self(0xDEAD);

    const ALL: [Self; 12] = [
        Self::RECORD,
        Self::DATABASE,
        Self::ERROR,
        Self::BUILT_ITEM,
        Self::BORROWED_ITEM,
        Self::LENT_ITEM,
        Self::PAGE,
        Self::ITERATOR,
        Self::BATCH,
        Self::TEXT,
        Self::BORROWED_TEXT,
        Self::FREED,
    ];
}

const _: () = {
    let mut left = 0;
    while left < Kind::ALL.len() {
        let mut right = 0;
        while right < left {
            assert!(Kind::ALL[left].0 != Kind::ALL[right].0, "two kinds share a tag");
            assert!(Kind::ALL[left].0.to_ne_bytes()[1] != Record::MAGIC, "a kind could be a record's");
            right += 1;
        }
        left += 1;
    }
};

/// The kind of what `pointer` points at.
///
/// # Safety
/// `pointer` came from this library and was not released, or at least the two bytes before it may be read.
#[inline]
pub(crate) unsafe fn kind_of<T>(pointer: *const T) -> Kind {
    // SAFETY: the caller says that the two bytes before `pointer` may be read.
    let bytes = unsafe { pointer.cast::<[u8; 2]>().sub(1).read() };
    if bytes[1] == Record::MAGIC { Kind::RECORD } else { Kind(u16::from_ne_bytes(bytes)) }
}

/// A type whose handles carry a kind of their own.
pub(crate) trait Kinded {
    /// The tag of its handles.
    const KIND: Kind;
    /// What a message calls it, with its article.
    const NAME: &'static str;
}

/// A value on the heap with its kind before it. What callers hold points at `value`.
#[repr(C, align(16))]
pub(crate) struct Handle<T> {
    unused: [u16; 7],
    kind: Kind,
    value: T,
}

impl<T: Kinded> Handle<T> {
    const VALUE_OFFSET: usize = {
        let offset = offset_of!(Handle<T>, value);
        assert!(offset == offset_of!(Handle<T>, kind) + size_of::<Kind>(), "nothing lies between kind and value");
        assert!(align_of::<T>() <= 16);
        offset
    };

    /// A handle that is not handed out yet.
    pub(crate) fn new(value: T) -> Box<Self> {
        Box::new(Self { unused: [0; 7], kind: Kind::FREED, value })
    }

    /// The value.
    pub(crate) fn value(&mut self) -> &mut T {
        &mut self.value
    }

    /// The pointer that callers hold, which owns the handle from now on.
    pub(crate) fn hand_out(mut self: Box<Self>) -> *mut T {
        self.kind = T::KIND;
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
            (&raw mut (*handle).kind).write_volatile(Kind::FREED);
            Box::from_raw(handle)
        }
    }
}

/// Puts `value` behind a handle and hands it out.
pub(crate) fn hand_out<T: Kinded>(value: T) -> *mut T {
    Handle::new(value).hand_out()
}

/// The value behind a handle that came in.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library of any kind, and nobody changes it during `'a`.
pub(crate) unsafe fn borrow<'a, T: Kinded>(pointer: *const T) -> Result<&'a T, Failure> {
    // SAFETY: checked for NULL and for its kind, so it points at a live `T`.
    unsafe {
        check::<T>(pointer)?;
        Ok(&*pointer)
    }
}

/// The value behind a handle that came in, to be changed.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library of any kind, and nobody else uses it during `'a`.
pub(crate) unsafe fn borrow_mut<'a, T: Kinded>(pointer: *mut T) -> Result<&'a mut T, Failure> {
    // SAFETY: checked for NULL and for its kind, so it points at a live `T`, and the caller has it alone.
    unsafe {
        check::<T>(pointer)?;
        Ok(&mut *pointer)
    }
}

/// Refuses NULL and handles of another kind.
///
/// # Safety
/// `pointer` is NULL or a live handle of this library of any kind.
unsafe fn check<T: Kinded>(pointer: *const T) -> Result<(), Failure> {
    // SAFETY: not NULL, so a handle of this library: the two bytes before it may be read. No record's are this kind's.
    if !pointer.is_null() && unsafe { pointer.cast::<Kind>().byte_sub(size_of::<Kind>()).read_unaligned() } == T::KIND {
        return Ok(());
    }
    Err(refuse_handle(T::NAME, pointer.is_null()))
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
    const KIND: Kind;
}

/// A record inside a page or an error, which has its count.
impl Slotted for Record {
    const KIND: Kind = Kind::BORROWED_ITEM;
}

/// A record that an iterator has come to, and holds.
impl Slotted for RecordRef<'_> {
    const KIND: Kind = Kind::LENT_ITEM;
}

/// A record, or none, with its kind before it. What callers borrow points at `record`.
#[repr(C)]
pub(crate) struct Slot<R = Record> {
    unused: [u16; 3],
    kind: Kind,
    record: Option<R>,
}

impl<R: Slotted> Slot<R> {
    const RECORD_OFFSET: usize = {
        let offset = offset_of!(Slot<R>, record);
        assert!(offset == offset_of!(Slot<R>, kind) + size_of::<Kind>(), "nothing lies between kind and record");
        offset
    };

    /// A slot, with or without its record.
    pub(crate) fn new(record: Option<R>) -> Self {
        Self { unused: [0; 3], kind: R::KIND, record }
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
