//! The parts of an entry that say which item it is of and what the index shows of it; see the diagram in [`super`].
//!
//! Invariant: reading trusts no byte; what is no entry reads as none.

use kstone_core::buffer::{Buffer, StackBuffer};
use kstone_core::item::ItemRef;
use kstone_core::key::{INDEX_ID_BYTES, KeyRef, Keyspace};
use kstone_core::record::Record;

use super::{IndexId, IndexKind, key_value};
use crate::expression::Subject;

/// The item expires; its time follows.
const EXPIRES: u8 = 1;
/// The entry is of a local index.
const LOCAL: u8 = 2;
/// How many sort values the sort key begins with: the bits from this one on.
const SORTS_SHIFT: u32 = 2;

/// Appends the table's key to the sort key of an entry. The length comes first, so that the key is read back in place:
/// entries of equal values lie by length of the table's partition key, partition key, sort key.
pub(super) fn put_table_key(kind: IndexKind, pk: &[u8], sk: &[u8], out: &mut impl Buffer) {
    if kind == IndexKind::Global {
        out.extend_from_slice(&(pk.len() as u16).to_be_bytes());
        out.extend_from_slice(pk);
    }
    out.extend_from_slice(sk);
}

/// What stands before the item in the body of an entry.
pub(super) fn head(kind: IndexKind, sorts: usize, expires_at: Option<i64>) -> StackBuffer<HEAD_MAX_BYTES> {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let mut head = StackBuffer::new();
    let flags = flag(expires_at.is_some(), EXPIRES) | flag(kind == IndexKind::Local, LOCAL);
    head.push(flags | (sorts as u8) << SORTS_SHIFT);
    if let Some(time) = expires_at {
        head.extend_from_slice(&time.to_le_bytes());
    }
    head
}

/// Flags and a time.
const HEAD_MAX_BYTES: usize = 1 + size_of::<i64>();

/// An entry of an index, read in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry<'a> {
    index: IndexId,
    key: KeyRef<'a>,
    expires_at: Option<i64>,
    item: ItemRef<'a>,
}

impl<'a> IndexEntry<'a> {
    /// Reads an entry; `None` for a record that is none: an item, a tombstone.
    ///
    /// Costs a pass over the sort value, copies nothing.
    pub fn read(record: &'a Record) -> Option<Self> {
        if record.keyspace() != Keyspace::Index {
            return None;
        }
        let (pk, mut sk, body) = record.parts();
        let (index, partition) = pk.split_first_chunk::<INDEX_ID_BYTES>()?;
        let (&flags, mut body) = body.split_first()?;
        let mut expires_at = None;
        if flags & EXPIRES != 0 {
            let (time, rest) = body.split_first_chunk()?;
            expires_at = Some(i64::from_le_bytes(*time));
            body = rest;
        }
        for _ in 0..flags >> SORTS_SHIFT {
            key_value::skip(&mut sk)?;
        }
        let mut pk = partition;
        if flags & LOCAL == 0 {
            let (len, rest) = sk.split_first_chunk()?;
            (pk, sk) = rest.split_at_checked(u16::from_be_bytes(*len).into())?;
        }
        let index = IndexId(u16::from_be_bytes(*index));
        // The entry has the label of its item's key.
        let key = KeyRef::new(pk, sk).ok()?.with_label(record.key_ref().label());
        Some(Self { index, key, expires_at, item: Subject::under(key, ItemRef::new(body)).item() })
    }

    /// The index it is of.
    pub fn index(&self) -> IndexId {
        self.index
    }

    /// The table's key of the item.
    pub fn table_key(&self) -> KeyRef<'a> {
        self.key
    }

    /// The table's partition key of the item.
    pub fn table_pk(&self) -> &'a [u8] {
        self.key.pk()
    }

    /// The table's sort key of the item; empty where it has none.
    pub fn table_sk(&self) -> &'a [u8] {
        self.key.sk()
    }

    /// The epoch second at which the item expires.
    pub fn expires_at(&self) -> Option<i64> {
        self.expires_at
    }

    /// What the index shows of the item.
    pub fn item(&self) -> ItemRef<'a> {
        self.item
    }

    /// What the index shows of the item, as a record under the table's key: what a query through the index returns. One
    /// allocation and one copy; the record has no sequence number.
    pub fn to_item_record(&self) -> Record {
        Record::whole_row(self.key, self.item.as_bytes())
    }
}
