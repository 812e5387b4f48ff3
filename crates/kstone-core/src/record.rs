//! The record: what memtable, WAL and SSTs hold and what a read hands out.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

use crate::buffer::StackBuffer;
use crate::item::directory::{self, Scratch};
use crate::item::{ItemRef, ValueRef, item_size};
use crate::key::{Edge, Key, KeyRef, Keyspace, RoutedKey, TAG_HASH_BITS, Tag};
use crate::label::{LABEL_ON_STACK_BYTES, Label, NamedKey};
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
    /// Costs one allocation and one copy; of an item of more than some hundred bytes a pass over its attributes too, to
    /// keep its size and a directory of it.
    pub fn put(key: KeyRef<'_>, body: &[u8]) -> Self {
        Self::routed_put(key.route().tag, key, body)
    }

    /// A row that was computed and lies under no key: its partition key is empty.
    pub fn computed(body: &[u8]) -> Self {
        Self::row(KeyRef::of_record(&[], &[], Keyspace::Items, Label::default()), body)
    }

    /// What a request shows of an item, which is nothing but the body. As [`Record::put`] for what is not stored: no
    /// directory is made of it.
    pub fn row(key: KeyRef<'_>, body: &[u8]) -> Self {
        let mut label = StackBuffer::<LABEL_ON_STACK_BYTES>::new();
        key.label().put_without_names(&mut label);
        Self::new(RecordKind::Put, key.route().tag, key.with_label(Label::new(&label)), &[body])
    }

    /// A whole item as a row: its key attributes are shown, too.
    pub fn whole_row(key: KeyRef<'_>, body: &[u8]) -> Self {
        Self::new(RecordKind::Put, key.route().tag, key, &[body])
    }

    /// The mark that hides every older version of the key.
    pub fn tombstone(key: KeyRef<'_>) -> Self {
        Self::routed_tombstone(key.route().tag, key)
    }

    /// As [`Record::put`] of a body that lies in pieces, for a caller that has routed the key already.
    #[inline]
    pub fn put_pieces(key: &RoutedKey<'_>, body: &[&[u8]]) -> Self {
        let (tag, key) = (key.route().tag, key.key());
        match body {
            [body] => Self::routed_put(tag, key, body),
            _ if may_have_finder(key, body.iter().map(|piece| piece.len()).sum()) => {
                Self::large_put(tag, key, &body.concat())
            }
            _ => Self::new(RecordKind::Put, tag, key, body),
        }
    }

    /// As [`Record::tombstone`], for a caller that has routed the key already.
    pub fn tombstone_of(key: &RoutedKey<'_>) -> Self {
        Self::routed_tombstone(key.route().tag, key.key())
    }

    /// As [`Record::put`], for a caller that has routed the key already.
    #[inline]
    pub(crate) fn routed_put(tag: Tag, key: KeyRef<'_>, body: &[u8]) -> Self {
        if may_have_finder(key, body.len()) {
            return Self::large_put(tag, key, body);
        }
        Self::new(RecordKind::Put, tag, key, &[body])
    }

    #[inline(never)]
    fn large_put(tag: Tag, key: KeyRef<'_>, body: &[u8]) -> Self {
        let mut scratch = Scratch::new();
        let Some(survey) = scratch.survey(key, body) else {
            return Self::new(RecordKind::Put, tag, key, &[body]);
        };
        let (kind, pieces) = (RecordKind::Put, [survey.hashes, survey.offsets, body]);
        let parts = Parts { kind, tag, pk: key.pk(), sk: key.sk(), body: &pieces, label: key.label().as_bytes() };
        Self(Counted::with_finder(&parts, survey.finder()))
    }

    #[inline(always)]
    fn new(kind: RecordKind, tag: Tag, key: KeyRef<'_>, body: &[&[u8]]) -> Self {
        Self(Counted::new(&Parts { kind, tag, pk: key.pk(), sk: key.sk(), body, label: key.label().as_bytes() }))
    }

    /// As [`Record::tombstone`], for a caller that has routed the key already.
    pub(crate) fn routed_tombstone(tag: Tag, key: KeyRef<'_>) -> Self {
        Self::new(RecordKind::Tombstone, tag, key, &[])
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
    #[inline]
    pub fn item(&self) -> ItemRef<'_> {
        self.0.parts().item()
    }

    /// The item's size with its key, as [`item_size`] counts it. A large item's is kept with it.
    #[inline]
    pub fn item_size(&self) -> usize {
        let kept = self.0.parts().kept_size();
        kept.unwrap_or_else(|| item_size(self.key_ref(), ItemRef::new(self.body())))
    }

    /// Whether this marks a deletion.
    pub fn is_tombstone(&self) -> bool {
        self.0.kind() == RecordKind::Tombstone
    }

    /// Bytes that this record holds, keys and header included.
    pub fn footprint(&self) -> usize {
        self.0.footprint()
    }

    /// How many bytes key and body are.
    #[inline(always)]
    pub fn data_len(&self) -> usize {
        self.0.parts().data_len()
    }

    /// How many bytes its label is.
    #[inline(always)]
    pub(crate) fn label_len(&self) -> usize {
        let parts = self.0.parts();
        if parts.is_labelled() { parts.label_bytes().len() } else { 0 }
    }

    /// Partition key, sort key and body, cheaper than one after the other.
    #[inline(always)]
    pub fn parts(&self) -> (&[u8], &[u8], &[u8]) {
        self.0.parts().all()
    }

    /// What the [footprint](Record::footprint) of [`Record::put`] of this key and body is.
    pub fn footprint_of(key: KeyRef<'_>, body: &[u8]) -> usize {
        let directory = if may_have_finder(key, body.len()) { directory_of(key, body) } else { None };
        Lengths { pk: key.pk().len(), sk: key.sk().len(), body: body.len(), directory }
            .footprint(key.label().as_bytes().len())
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
    #[inline(always)]
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

    /// Where its key belongs. Does not touch the record.
    #[inline]
    pub fn keyspace(&self) -> Keyspace {
        if self.is_item() { Keyspace::Items } else { Keyspace::Index }
    }

    /// The key with its keyspace, borrowed.
    pub fn key_ref(&self) -> KeyRef<'_> {
        let (pk, sk) = self.0.parts().key();
        KeyRef::of_record(pk, sk, self.keyspace(), self.0.parts().label())
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

/// Whether this is an item large enough for a look at what to keep with it.
#[inline(always)]
fn may_have_finder(key: KeyRef<'_>, body: usize) -> bool {
    body >= directory::BODY_MIN_BYTES && key.keyspace() == Keyspace::Items
}

/// How long the directory is, where the record keeps the size of its item.
#[inline(never)]
fn directory_of(key: KeyRef<'_>, body: &[u8]) -> Option<usize> {
    Scratch::new().survey(key, body).map(|survey| survey.finder().directory)
}

impl<'a> RecordRef<'a> {
    /// The item, read in place.
    #[inline(always)]
    pub fn item(self) -> ItemRef<'a> {
        let (directory, body) = self.directory_and_body();
        let named = || {
            let (pk, sk) = self.key();
            NamedKey::new(pk, sk, self.label())
        };
        ItemRef::of_record(body, directory, if self.is_labelled() { named() } else { None })
    }

    /// Partition key and sort key as callers give them: of a number its text, which the key's bytes are not.
    #[must_use]
    #[inline]
    pub fn shown_key(self) -> (&'a [u8], &'a [u8]) {
        let ((pk, sk), label) = (self.key(), self.label());
        (label.pk_number().unwrap_or(pk), label.sk_number().unwrap_or(sk))
    }

    /// Partition key, sort key and item, cheaper than one after the other.
    #[inline(always)]
    pub fn key_and_item(self) -> (&'a [u8], &'a [u8], ItemRef<'a>) {
        let (pk, sk, directory, body) = self.all_parts();
        let key = if self.is_labelled() { NamedKey::new(pk, sk, self.label()) } else { None };
        (pk, sk, ItemRef::of_record(body, directory, key))
    }

    /// What the record's table said of its key.
    #[inline]
    pub fn label(self) -> Label<'a> {
        Label::new(self.label_bytes())
    }

    /// Whether this is the record of a key whose lengths [`RecordRef::short_key`] takes.
    #[inline(always)]
    pub(crate) fn has_short_key(self, pk: &[u8], sk: &[u8]) -> bool {
        match self.short_key(pk.len(), sk.len()) {
            Some((own_pk, own_sk)) => same_bytes(own_pk, pk) && (sk.is_empty() || same_bytes(own_sk, sk)),
            None => false,
        }
    }

    /// [`ItemRef::get_raw`] of the item, for callers that ask no more of it.
    #[inline(always)]
    pub fn get_raw(self, name: &[u8]) -> Option<ValueRef<'a>> {
        match self.short_body() {
            Some(body) if !self.is_labelled() => ItemRef::new(body).get_raw(name),
            _ => self.get_of_long(name),
        }
    }

    /// [`ItemRef::get_raw`] of the item of a record that has no [`RecordRef::short_body`].
    #[inline(never)]
    pub fn get_of_long(self, name: &[u8]) -> Option<ValueRef<'a>> {
        self.item().get_raw(name)
    }
}

impl<'a> From<&'a Record> for RecordRef<'a> {
    #[inline]
    fn from(record: &'a Record) -> Self {
        record.0.parts()
    }
}

/// What a quick look-up says of a key, which asks no more than nearly every look-up has to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// It has an item.
    Item,
    /// It has none.
    Nothing,
    /// Nothing: a look-up that asks everything will.
    Unclear,
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
