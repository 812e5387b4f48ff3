//! The record: what memtable, WAL and SSTs hold and what a read hands out.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::item::ItemRef;
use crate::key::{Edge, Key, KeyRef, Keyspace, RoutedKey, TAG_HASH_BITS, Tag};
use crate::raw::counted::{Counted, Lengths, MAGIC, Mark, Parts, RecordKind};
use crate::raw::uncounted::Uncounted;
use crate::same::same_bytes;

pub use crate::raw::counted::RecordRef;

/// The number of a write: one sequence per database, rising in the order of the writes to each key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SeqNo(pub u64);

/// One version of an item, or the mark that it was deleted (a tombstone). Immutable for whoever holds one.
///
/// A handle is 8 bytes; cloning it counts one more user of the same bytes, and the last one frees them. Any thread may
/// hold one, also after the database is gone.
///
/// ```
/// use kstone_core::{item::ItemWriter, key::KeyRef, record::Record};
/// let mut item = ItemWriter::new();
/// item.set_str("name", "Alice")?;
/// let record = Record::put(KeyRef::new(b"user#1", b"")?, item.finish());
/// assert_eq!(record.item().get("name").and_then(|name| name.as_str()), Some("Alice"));
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Record(pub(crate) Counted);

impl Record {
    /// The byte before the address that [`Record::into_raw`] gives.
    pub const MAGIC: u8 = MAGIC;

    /// A version of an item. `body` is in the stored form, as [`crate::item::ItemWriter`] makes it; under the key of an
    /// index entry ([`KeyRef::index_entry`]) it is whatever the index keeps there.
    ///
    /// Costs one allocation and one copy.
    pub fn put(key: KeyRef<'_>, body: &[u8]) -> Self {
        Self::routed_put(key.route().tag, key, body)
    }

    /// A row that was computed and lies under no key: its partition key is empty.
    pub fn computed(body: &[u8]) -> Self {
        Self::put(KeyRef::of_record(&[], &[], Keyspace::Items), body)
    }

    /// The mark that hides every older version of the key.
    pub fn tombstone(key: KeyRef<'_>) -> Self {
        Self::routed_tombstone(key.route().tag, key)
    }

    /// As [`Record::put`] of a body that lies in pieces, for a caller that has routed the key already.
    #[inline]
    pub fn put_pieces(key: &RoutedKey<'_>, body: &[&[u8]]) -> Self {
        let (tag, key) = (key.route().tag, key.key());
        Self(Counted::new(&Parts { kind: RecordKind::Put, tag, pk: key.pk(), sk: key.sk(), body }))
    }

    /// As [`Record::tombstone`], for a caller that has routed the key already.
    pub fn tombstone_of(key: &RoutedKey<'_>) -> Self {
        Self::routed_tombstone(key.route().tag, key.key())
    }

    /// As [`Record::put`], for a caller that has routed the key already.
    pub(crate) fn routed_put(tag: Tag, key: KeyRef<'_>, body: &[u8]) -> Self {
        let body = &[body];
        Self(Counted::new(&Parts { kind: RecordKind::Put, tag, pk: key.pk(), sk: key.sk(), body }))
    }

    /// As [`Record::tombstone`], for a caller that has routed the key already.
    pub(crate) fn routed_tombstone(tag: Tag, key: KeyRef<'_>) -> Self {
        Self(Counted::new(&Parts { kind: RecordKind::Tombstone, tag, pk: key.pk(), sk: key.sk(), body: &[] }))
    }

    /// A version of an item or, without a body, a tombstone.
    pub(crate) fn routed(tag: Tag, key: KeyRef<'_>, body: Option<&[u8]>) -> Self {
        body.map_or_else(|| Self::routed_tombstone(tag, key), |body| Self::routed_put(tag, key, body))
    }

    /// The partition key.
    pub fn pk(&self) -> &[u8] {
        self.0.pk()
    }

    /// The sort key; empty where there is none.
    pub fn sk(&self) -> &[u8] {
        self.0.sk()
    }

    /// The key, copied.
    pub fn key(&self) -> Key {
        let key = Key::with_sk(self.pk().to_vec(), self.sk().to_vec());
        key.in_keyspace(self.key_ref().keyspace())
    }

    /// The item in its stored form; empty for a tombstone.
    pub fn body(&self) -> &[u8] {
        self.0.body()
    }

    /// The item, read in place.
    pub fn item(&self) -> ItemRef<'_> {
        ItemRef::new(self.body())
    }

    /// Whether this marks a deletion.
    pub fn is_tombstone(&self) -> bool {
        self.0.kind() == RecordKind::Tombstone
    }

    /// Bytes that this record holds, keys and header included.
    pub fn footprint(&self) -> usize {
        self.0.footprint()
    }

    /// How many bytes keys and body are.
    #[inline(always)]
    pub fn data_len(&self) -> usize {
        self.0.parts().data_len()
    }

    /// What the [footprint](Record::footprint) of a record of this key and body is.
    pub fn footprint_of(key: KeyRef<'_>, body: &[u8]) -> usize {
        Lengths { pk: key.pk().len(), sk: key.sk().len(), body: body.len() }.footprint()
    }

    /// Whether both are the same version, not merely equal ones.
    pub fn same(&self, other: &Self) -> bool {
        self.0.same(&other.0)
    }

    /// Whether this is the only handle.
    pub(crate) fn is_held_once(&self) -> bool {
        self.0.is_counted_once()
    }

    /// Asks for the record's first cache line ahead of its use; never needed for correctness.
    pub fn prefetch(&self) {
        self.0.prefetch();
    }

    /// The same for a small item as a whole: two cache lines.
    #[inline]
    pub(crate) fn prefetch_item(&self) {
        self.0.prefetch_item();
    }

    /// Notes that a tree has released it.
    pub(crate) fn mark_released(&self) {
        self.0.set_mark(Mark::LetGo);
    }

    /// Whether some tree has released it. Where none has, every tree that ever held it holds it still.
    pub(crate) fn is_released(&self) -> bool {
        self.0.has_mark(Mark::LetGo)
    }

    /// Notes that somebody read it.
    #[inline]
    pub(crate) fn mark_used(&self) {
        if !self.0.has_mark(Mark::Used) {
            self.0.set_mark(Mark::Used);
        }
    }

    /// Whether somebody read it since this was asked last.
    pub(crate) fn take_used(&self) -> bool {
        self.0.take_mark(Mark::Used)
    }

    /// Gives this handle's count away as an address: that of the partition key, behind [`Record::MAGIC`]. For foreign
    /// callers, which read it through [`RecordRef::from_raw`] and bring it back to [`RecordRef::release_raw`].
    pub fn into_raw(self) -> NonNull<u8> {
        self.0.into_raw()
    }

    pub(crate) fn tag(&self) -> Tag {
        self.0.tag()
    }

    /// Whether this is an item rather than an entry of an index.
    pub(crate) fn is_item(&self) -> bool {
        self.tag() <= Tag::LAST_ITEM
    }

    /// The key with its keyspace, borrowed.
    pub fn key_ref(&self) -> KeyRef<'_> {
        let keyspace = if self.is_item() { Keyspace::Items } else { Keyspace::Index };
        KeyRef::of_record(self.pk(), self.sk(), keyspace)
    }

    /// The order inside a stripe: tag, partition key, sort key. Touches the records only where their tags are equal.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        self.tag().cmp(&other.tag()).then_with(|| self.0.parts().key().cmp(&other.0.parts().key()))
    }

    #[inline(always)]
    pub(crate) fn has_key(&self, key: KeyRef<'_>) -> bool {
        let (pk, sk) = self.0.parts().key();
        same_bytes(pk, key.pk()) && same_bytes(sk, key.sk())
    }

    /// Whether this record, whose tag is the edge's, lies before the edge.
    pub(crate) fn is_before(&self, edge: Edge<'_>) -> bool {
        let (pk, sk) = self.0.parts().key();
        edge.is_after(pk, sk)
    }
}

impl<'a> From<&'a Record> for RecordRef<'a> {
    #[inline]
    fn from(record: &'a Record) -> Self {
        record.0.parts()
    }
}

/// A record that a tree lends for as long as its lock is held; a clone of the [`Record`] counts and may be kept.
pub struct Lent<'a>(ManuallyDrop<Record>, PhantomData<&'a Record>);

impl Lent<'_> {
    /// What an uncounted handle leads to.
    #[inline(always)]
    pub(crate) fn of(handle: Uncounted, tag: Tag) -> Self {
        Self(ManuallyDrop::new(Record(ManuallyDrop::into_inner(handle.lend(tag)))), PhantomData)
    }
}

impl Deref for Lent<'_> {
    type Target = Record;

    #[inline(always)]
    fn deref(&self) -> &Record {
        &self.0
    }
}

/// Equal in key and content, whichever write made them.
impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
            || (self.order(other).is_eq() && self.is_tombstone() == other.is_tombstone() && self.body() == other.body())
    }
}

impl Eq for Record {}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("pk", &self.pk().escape_ascii().to_string())
            .field("sk", &self.sk().escape_ascii().to_string())
            .field("tombstone", &self.is_tombstone())
            .field("body_len", &self.body().len())
            .finish_non_exhaustive()
    }
}

const _: () = assert!(TAG_HASH_BITS < u16::BITS, "the keyspace needs a bit of the tag");
const _: () = assert!(size_of::<Option<Record>>() == 8, "a handle is 8 bytes");
