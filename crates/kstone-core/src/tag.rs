//! The tag: what a record's handle tells of its key, so that a search need not touch the record. See [`crate::key`].

/// How many bits of a partition's hash a [`Tag`] holds.
pub(crate) const TAG_HASH_BITS: u32 = 15;
/// How many of those bits name the index of an entry.
pub(crate) const INDEX_SLOT_BITS: u32 = 6;
/// How many indexes can have their entries apart from each other: their numbers must differ modulo this.
pub const INDEX_SLOTS: u16 = 1 << INDEX_SLOT_BITS;

/// The leading part of a record's order inside its stripe: keyspace, index where it is an entry, and hash of the
/// partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tag(pub(crate) u16);

impl Tag {
    pub(crate) const FIRST: Self = Self(0);
    /// The last tag of an item.
    pub(crate) const LAST_ITEM: Self = Self((1 << TAG_HASH_BITS) - 1);

    /// The first tag that an entry of this index can have.
    pub(crate) fn first_of_index(index: u16) -> Self {
        Self((1 << TAG_HASH_BITS) | ((index % INDEX_SLOTS) << (TAG_HASH_BITS - INDEX_SLOT_BITS)))
    }
}
