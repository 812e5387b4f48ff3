//! The tag before every pointer handed out, which says what the pointer points at.
//!
//! A tag is written when a handle is made and when it is released, never in between: reading one needs no lock.

use kstone_api::Record;

/// What lies behind a pointer: the `u16` directly before it. Its last byte alone tells a record from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Tag(u16);

impl Tag {
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
    /// A cursor.
    pub(crate) const CURSOR: Self = Self(0xC025);
    /// A batch of operations.
    pub(crate) const BATCH: Self = Self(0xBA7C);
    /// What was prepared.
    pub(crate) const PREPARED: Self = Self(0x9E9A);
    /// An account.
    pub(crate) const ACCOUNT: Self = Self(0xACC7);
    /// What an account answered.
    pub(crate) const RESPONSE: Self = Self(0xA25E);
    /// Text that the caller releases.
    pub(crate) const TEXT: Self = Self(0x7E93);
    /// Text that belongs to the library or to an error.
    pub(crate) const BORROWED_TEXT: Self = Self(0x7EB5);
    /// What was something once.
    pub(crate) const FREED: Self = Self(0xDEAD);

    const ALL: [Self; 16] = [
        Self::RECORD,
        Self::DATABASE,
        Self::ERROR,
        Self::BUILT_ITEM,
        Self::BORROWED_ITEM,
        Self::LENT_ITEM,
        Self::PAGE,
        Self::ITERATOR,
        Self::CURSOR,
        Self::BATCH,
        Self::PREPARED,
        Self::ACCOUNT,
        Self::RESPONSE,
        Self::TEXT,
        Self::BORROWED_TEXT,
        Self::FREED,
    ];
}

const _: () = {
    let mut left = 0;
    while left < Tag::ALL.len() {
        let mut right = 0;
        while right < left {
            assert!(Tag::ALL[left].0 != Tag::ALL[right].0, "two tags are the same");
            assert!(Tag::ALL[left].0.to_ne_bytes()[1] != Record::MAGIC, "a tag could be a record's");
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
pub(crate) unsafe fn tag_of<T>(pointer: *const T) -> Tag {
    // SAFETY: the caller says that the two bytes before `pointer` may be read.
    let bytes = unsafe { pointer.cast::<[u8; 2]>().sub(1).read() };
    if bytes[1] == Record::MAGIC { Tag::RECORD } else { Tag(u16::from_ne_bytes(bytes)) }
}
