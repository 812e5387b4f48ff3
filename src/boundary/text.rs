//! C strings with a kind before them: text that callers release, and text they borrow.
//!
//! ```text
//! OwnedText      size: usize   u16 × 3 unused   kind   characters NUL     one allocation
//! StaticText                   u16 × 3 unused   kind   characters NUL     in the library's read-only data
//! ```
//!
//! # Thread safety
//! Text never changes once it is made.

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_char;
use std::mem::{align_of, offset_of, size_of};
use std::ptr::NonNull;

use super::tag::Tag;

#[repr(C)]
struct Header {
    size: usize,
    unused: [u16; 3],
    tag: Tag,
}

const _: () = assert!(offset_of!(Header, tag) + size_of::<Tag>() == size_of::<Header>());

/// Text in an allocation of its own, NUL-terminated. Not released when dropped: its pointer is what owns it.
#[derive(Clone, Copy)]
pub(crate) struct OwnedText(NonNull<c_char>);

impl OwnedText {
    /// Text that the caller releases through `kstone_free`.
    pub(crate) fn for_caller(text: &str) -> Self {
        Self::new(text, Tag::TEXT)
    }

    /// Text that belongs to a handle, which releases it: `kstone_free` leaves it alone.
    pub(crate) fn for_handle(text: &str) -> Self {
        Self::new(text, Tag::BORROWED_TEXT)
    }

    fn new(text: &str, tag: Tag) -> Self {
        let size = size_of::<Header>() + text.len() + 1;
        let layout = Self::layout(size);
        // SAFETY: the layout is not empty. Header, characters and NUL together are `size` bytes, so all writes stay
        // inside the allocation, which is aligned for the header.
        unsafe {
            let Some(start) = NonNull::new(alloc(layout)) else { handle_alloc_error(layout) };
            start.cast::<Header>().write(Header { size, unused: [0; 3], tag });
            let characters = start.add(size_of::<Header>());
            characters.copy_from_nonoverlapping(NonNull::from(text.as_bytes()).cast(), text.len());
            characters.add(text.len()).write(0);
            Self(characters.cast())
        }
    }

    /// The characters.
    pub(crate) fn as_ptr(self) -> *mut c_char {
        self.0.as_ptr()
    }

    /// Releases the text.
    ///
    /// # Safety
    /// `characters` came from [`OwnedText::as_ptr`] and is used no more.
    pub(crate) unsafe fn release(characters: *mut c_char) {
        // SAFETY: the header lies before the characters and says how large the allocation is. The volatile write is
        // for those who use the text afterwards by mistake.
        unsafe {
            let header = characters.byte_sub(size_of::<Header>()).cast::<Header>();
            let size = (*header).size;
            (&raw mut (*header).tag).write_volatile(Tag::FREED);
            dealloc(header.cast(), Self::layout(size));
        }
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, align_of::<Header>()).expect("text in memory is smaller than isize::MAX")
    }
}

/// Text in the library's own data, `N` counting the NUL.
#[repr(C, align(8))]
pub(crate) struct StaticText<const N: usize> {
    unused: [u16; 3],
    tag: Tag,
    characters: [u8; N],
}

impl<const N: usize> StaticText<N> {
    /// `text` and a NUL.
    pub(crate) const fn new(text: &str) -> Self {
        let mut characters = [0; N];
        let mut at = 0;
        while at < text.len() {
            characters[at] = text.as_bytes()[at];
            at += 1;
        }
        Self { unused: [0; 3], tag: Tag::BORROWED_TEXT, characters }
    }

    /// The text as callers borrow it.
    pub(crate) const fn lend(&'static self) -> LentText {
        let start: *const Self = self;
        // SAFETY: the offset stays inside the static.
        LentText(unsafe { start.cast::<u8>().add(offset_of!(Self, characters)).cast() })
    }
}

/// Text that lives as long as the library.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LentText(*const c_char);

// SAFETY: it points at a static that never changes.
unsafe impl Send for LentText {}
// SAFETY: as for Send.
unsafe impl Sync for LentText {}

impl LentText {
    /// The characters.
    pub(crate) const fn as_ptr(self) -> *const c_char {
        self.0
    }
}

/// A [`LentText`] of a literal or constant.
macro_rules! lent_text {
    ($text:expr) => {{
        static TEXT: $crate::boundary::text::StaticText<{ $text.len() + 1 }> =
            $crate::boundary::text::StaticText::new($text);
        TEXT.lend()
    }};
}
pub(crate) use lent_text;
