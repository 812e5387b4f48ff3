//! The header of a record, and what its parts' lengths say of its form.

use std::alloc::Layout;
use std::sync::atomic::AtomicU32;

/// The last byte of a header.
pub(crate) const MAGIC: u8 = 0x6B;
pub(super) const HEADER_LEN: usize = size_of::<Header>();
pub(super) const LONG_LEN: usize = size_of::<LongLengths>();

/// What lies before the data.
#[repr(C, align(8))]
pub(in crate::raw) struct Header {
    pub(super) state: AtomicU32,
    /// See [`Shape`]; little-endian, so that the magic is the last byte.
    pub(super) shape: [u8; 4],
}

/// The lengths of a record that is long, before its header.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(super) struct LongLengths {
    pub(super) body: u32,
    /// The size of the item, not of the record; 0 where it is not kept.
    pub(super) size: u32,
    pub(super) directory: u32,
    pub(super) pk: u16,
    pub(super) sk: u16,
}

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
    pub(super) fn data(self) -> usize {
        self.pk + self.sk + self.directory.unwrap_or(0) + self.body
    }

    /// Bytes of the allocation of such a record with a label of this length.
    pub(crate) fn footprint(self, label: usize) -> usize {
        Shape::short(self).unwrap_or(Shape::LONG).before_data() + self.data() + label
    }
}

/// The upper half of the header: lengths, where they fit, and the magic.
#[derive(Clone, Copy)]
pub(super) struct Shape(pub(super) u32);

impl Shape {
    pub(super) const BODY_BITS: u32 = 12;
    pub(super) const KEY_BITS: u32 = 6;
    pub(super) const PK_AT: u32 = Self::BODY_BITS;
    pub(super) const SK_AT: u32 = Self::PK_AT + Self::KEY_BITS;
    pub(super) const MAGIC_AT: u32 = Self::SK_AT + Self::KEY_BITS;
    pub(super) const BODY_MASK: u32 = (1 << Self::BODY_BITS) - 1;
    pub(super) const KEY_MASK: u32 = (1 << Self::KEY_BITS) - 1;
    /// What a body's bits say where the record is long.
    pub(super) const LONG_BODY: u32 = Self::BODY_MASK;

    pub(super) const MAGIC: u32 = (MAGIC as u32) << Self::MAGIC_AT;
    /// That of a long record.
    pub(super) const LONG: Self = Self(Self::MAGIC | Self::LONG_BODY);

    /// That of a record that is not long.
    #[inline(always)]
    pub(super) fn short(lengths: Lengths) -> Option<Self> {
        let Lengths { pk, sk, body, directory } = lengths;
        let is_long_key = pk > Self::KEY_MASK as usize || sk > Self::KEY_MASK as usize;
        if is_long_key || body >= Self::LONG_BODY as usize || directory.is_some() {
            return None;
        }
        Some(Self(Self::MAGIC | (sk as u32) << Self::SK_AT | (pk as u32) << Self::PK_AT | body as u32))
    }

    #[inline]
    pub(super) fn is_long(self) -> bool {
        self.0 & Self::BODY_MASK == Self::LONG_BODY
    }

    /// Where the data begins in the allocation.
    #[inline]
    pub(super) fn before_data(self) -> usize {
        HEADER_LEN + if self.is_long() { LONG_LEN } else { 0 }
    }
}

const _: () = assert!(Shape::MAGIC_AT + u8::BITS == u32::BITS, "the magic is the last byte");
const _: () = assert!(HEADER_LEN == 8 && LONG_LEN == 16);

/// What a record takes whose data begins so far from the beginning.
#[inline]
pub(super) fn layout_of(before_data: usize, lengths: Lengths, label: usize) -> Layout {
    Layout::from_size_align(before_data + lengths.data() + label, align_of::<Header>())
        .expect("a record is far smaller than isize::MAX")
}
