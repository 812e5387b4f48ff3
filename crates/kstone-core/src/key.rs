//! Keys: what addresses an item, which stripe it lives in, and the order it has there.
//!
//! Two orders exist. [`Key::encode`] gives the order that callers see: keyspace, partition key, sort key.
//! Inside a stripe records are ordered by (tag, partition key, sort key), so that a partition is found through a
//! hash and its items still lie together in sort-key order:
//!
//! ```text
//! crc32(pk) = c ──► c % 256                          the stripe
//!             └──► top 15 bits of c × 0x9E3779B1     the tag, below the keyspace bit
//!
//! tag u16:  0 hhhhhhhhhhhhhhh      of items: 15 bits of hash
//!           1 iiiiii hhhhhhhhh     of index entries: 6 bits of the index's number, 9 bits of hash
//! ```
//!
//! Items are therefore one contiguous half of a stripe, and the entries of each index one contiguous part of the other:
//! a scan of items never meets an index entry, and a scan of an index none of another, as long as no two indexes of a
//! table have numbers that are equal modulo [`INDEX_SLOTS`].
//!
//! The partition key of an index entry begins with the number of its index, which takes no part in the crc:
//!
//! ```text
//! index u16 big-endian │ the partition           crc32(the partition) = c
//! ```
//!
//! So an entry whose partition is that of its item, as in a local index, lies in the stripe of its item: writing both
//! takes one lock.

use std::cmp::Ordering;
use std::fmt;

use bytes::Bytes;

use crate::buffer::Buffer;
use crate::error::{Error, PARTITION_KEY, Reason, Result, SORT_KEY, Unit};
use crate::label::Label;
use crate::raw::checksum;

pub use crate::tag::INDEX_SLOTS;
pub(crate) use crate::tag::{INDEX_SLOT_BITS, TAG_HASH_BITS, Tag};

/// How many stripes an engine has.
pub const STRIPES: usize = 256;
/// The longest partition key in bytes, DynamoDB's.
pub const PARTITION_KEY_MAX_BYTES: usize = 2048;
/// The longest sort key in bytes, DynamoDB's.
pub const SORT_KEY_MAX_BYTES: usize = 1024;
/// The longest partition key or sort key of an index entry in bytes: each holds several keys, encoded.
pub const ENTRY_KEY_MAX_BYTES: usize = u16::MAX as usize;
/// How many bytes of an index entry's partition key name its index.
pub const INDEX_ID_BYTES: usize = 2;
/// What ends an escaped byte string; see [`put_escaped`].
pub const END_MARK: [u8; 2] = [0, 1];
/// What a record is: part of the table or part of an index. The first byte of [`Key::encode`].
///
/// As wide as a register: a [`KeyRef`] then has no padding, which would be copied together with the byte before it, by
/// a load that waits until the store of that byte has left the processor's store buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(usize)]
pub enum Keyspace {
    /// An item of the table.
    #[default]
    Items = 0,
    /// An entry of a secondary index, kept out of scans of the table.
    Index = 1,
}

/// A partition key and an optional sort key, owned. An empty sort key is no sort key.
///
/// ```
/// use kstone_core::key::Key;
/// let short = Key::with_sk("user", "b");
/// let long = Key::with_sk("user", "aa");
/// assert!(long.encode() < short.encode(), "the bytes decide, not the lengths");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The partition key.
    pub pk: Bytes,
    /// The sort key.
    pub sk: Option<Bytes>,
    keyspace: Keyspace,
}

impl Key {
    /// The key of an item that has no sort key.
    pub fn new(pk: impl Into<Bytes>) -> Self {
        Self { pk: pk.into(), sk: None, keyspace: Keyspace::Items }
    }

    /// The key of an item under a partition key and a sort key.
    pub fn with_sk(pk: impl Into<Bytes>, sk: impl Into<Bytes>) -> Self {
        let sk = sk.into();
        Self { pk: pk.into(), sk: (!sk.is_empty()).then_some(sk), keyspace: Keyspace::Items }
    }

    /// The same key in another keyspace.
    #[must_use]
    pub fn in_keyspace(mut self, keyspace: Keyspace) -> Self {
        self.keyspace = keyspace;
        self
    }

    /// Where this key belongs.
    pub fn keyspace(&self) -> Keyspace {
        self.keyspace
    }

    /// One byte string whose order is the order of (keyspace, partition key, sort key).
    ///
    /// ```text
    /// keyspace │ pk with every 00 written as 00 FF │ 00 01 │ sk
    /// ```
    ///
    /// The end mark 00 01 sorts below anything that can follow a shared start of two partition keys.
    pub fn encode(&self) -> Bytes {
        let sk = self.sk.as_deref().unwrap_or_default();
        let mut out = Vec::with_capacity(1 + self.pk.len() + 2 + sk.len());
        out.push(self.keyspace as u8);
        put_escaped(&mut out, &self.pk);
        out.extend_from_slice(&END_MARK);
        out.extend_from_slice(sk);
        Bytes::from(out)
    }

    /// The same key, borrowed and checked.
    ///
    /// # Errors
    /// As [`KeyRef::new`] or, in the index keyspace, [`KeyRef::index_entry`].
    pub fn as_key_ref(&self) -> Result<KeyRef<'_>> {
        let sk = self.sk.as_deref().unwrap_or_default();
        match self.keyspace {
            Keyspace::Items => KeyRef::new(&self.pk, sk),
            Keyspace::Index => KeyRef::index_entry(&self.pk, sk),
        }
    }
}

/// Appends `bytes` with every 00 written as 00 FF. With [`END_MARK`] behind them, byte strings so written end
/// themselves and keep their order, whatever follows:
///
/// ```text
/// "a"    61 00 01              before
/// "a\0"  61 00 FF 00 01        before
/// "a\1"  61 01 00 01
/// ```
pub fn put_escaped(out: &mut impl Buffer, bytes: &[u8]) {
    if !bytes.contains(&0) {
        // Nearly all are.
        out.extend_from_slice(bytes);
        return;
    }
    for (i, piece) in bytes.split(|&byte| byte == 0).enumerate() {
        if i > 0 {
            out.extend_from_slice(&[0, 0xFF]);
        }
        out.extend_from_slice(piece);
    }
}

/// A borrowed key whose lengths are within the limits of its keyspace. An empty sort key is no sort key.
///
/// A key of a typed table carries a [`Label`], which records that are made under it keep. It takes no part in comparisons.
#[derive(Clone, Copy)]
pub struct KeyRef<'a> {
    pk: &'a [u8],
    sk: &'a [u8],
    keyspace: Keyspace,
    label: Label<'a>,
}

impl<'a> KeyRef<'a> {
    /// Checks the lengths: 1 to 2048 bytes of partition key, up to 1024 bytes of sort key.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty partition key, [`Error::Limit`] for a key that is too long.
    #[inline]
    pub fn new(pk: &'a [u8], sk: &'a [u8]) -> Result<Self> {
        if pk.is_empty() {
            return Err(refuse_empty());
        }
        check_length(PARTITION_KEY, pk, PARTITION_KEY_MAX_BYTES)?;
        check_length(SORT_KEY, sk, SORT_KEY_MAX_BYTES)?;
        Ok(Self { pk, sk, keyspace: Keyspace::Items, label: Label::default() })
    }

    /// The key of an index entry: [`INDEX_ID_BYTES`] of index and at least one byte of partition; up to
    /// [`ENTRY_KEY_MAX_BYTES`] each of partition key and sort key.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a partition key that is too short, [`Error::Limit`] for a key that is too long.
    pub fn index_entry(pk: &'a [u8], sk: &'a [u8]) -> Result<Self> {
        if pk.len() <= INDEX_ID_BYTES {
            return Err(Reason::ShortEntryKey { found: pk.len(), index: INDEX_ID_BYTES }.into());
        }
        check_length("Index entry partition key size", pk, ENTRY_KEY_MAX_BYTES)?;
        check_length("Index entry sort key size", sk, ENTRY_KEY_MAX_BYTES)?;
        Ok(Self { pk, sk, keyspace: Keyspace::Index, label: Label::default() })
    }

    /// The partition key.
    pub fn pk(&self) -> &'a [u8] {
        self.pk
    }

    /// The sort key; empty where there is none.
    pub fn sk(&self) -> &'a [u8] {
        self.sk
    }

    /// The key of a record, whose lengths were checked when it was made.
    #[inline(always)]
    pub(crate) fn of_record(pk: &'a [u8], sk: &'a [u8], keyspace: Keyspace, label: Label<'a>) -> Self {
        Self { pk, sk, keyspace, label }
    }

    /// The same with the label of a typed table's key.
    #[inline(always)]
    #[must_use]
    pub fn with_label(self, label: Label<'a>) -> Self {
        Self { label, ..self }
    }

    /// What a typed table says of the key.
    #[inline(always)]
    pub fn label(&self) -> Label<'a> {
        self.label
    }

    /// Where this key belongs.
    pub fn keyspace(&self) -> Keyspace {
        self.keyspace
    }

    /// The stripe that it belongs to.
    pub fn stripe(&self) -> StripeId {
        self.route().stripe
    }

    #[inline(always)]
    pub(crate) fn route(&self) -> Route {
        Route::of(self.pk, self.keyspace)
    }
}

impl PartialEq for KeyRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.pk, self.sk, self.keyspace) == (other.pk, other.sk, other.keyspace)
    }
}

impl Eq for KeyRef<'_> {}

impl fmt::Debug for KeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyRef");
        shown.field("pk", &self.pk.escape_ascii().to_string()).field("sk", &self.sk.escape_ascii().to_string());
        shown.field("keyspace", &self.keyspace).finish_non_exhaustive()
    }
}

/// A key and where its record lives, which takes a checksum of the partition key to say: for what asks several times.
#[derive(Debug, Clone, Copy)]
pub struct RoutedKey<'a> {
    key: KeyRef<'a>,
    route: Route,
}

impl<'a> RoutedKey<'a> {
    /// The key.
    #[inline]
    pub fn key(&self) -> KeyRef<'a> {
        self.key
    }

    /// The stripe that it belongs to.
    #[inline]
    pub fn stripe(&self) -> StripeId {
        self.route.stripe
    }

    /// Where its record lives.
    #[inline]
    pub fn route(&self) -> Route {
        self.route
    }
}

impl<'a> From<KeyRef<'a>> for RoutedKey<'a> {
    #[inline]
    fn from(key: KeyRef<'a>) -> Self {
        Self { key, route: key.route() }
    }
}

#[cold]
#[inline(never)]
fn refuse_empty() -> Error {
    Reason::EmptyPartitionKey.into()
}

#[inline(always)]
fn check_length(what: &'static str, key: &[u8], limit: usize) -> Result<()> {
    if key.len() > limit { Err(refuse_length(what, key, limit)) } else { Ok(()) }
}

#[cold]
#[inline(never)]
fn refuse_length(what: &'static str, key: &[u8], limit: usize) -> Error {
    Error::limit(what, Unit::Bytes, limit, key.len())
}

/// One of the [`STRIPES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StripeId(u8);

impl StripeId {
    /// Where the records of a partition of this checksum live: its low byte.
    #[inline(always)]
    pub(crate) fn of(checksum: u32) -> Self {
        Self(checksum as u8)
    }

    /// Every stripe, ascending: the order in which locks are taken.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> + Clone {
        (0..=u8::MAX).map(Self)
    }

    /// The stripe's place among all, from 0.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Some of the stripes.
#[derive(Default)]
pub(crate) struct StripeSet([u64; STRIPES / 64]);

impl StripeSet {
    #[inline]
    pub(crate) fn add(&mut self, stripe: StripeId) {
        self.0[stripe.index() / 64] |= 1 << (stripe.index() % 64);
    }

    pub(crate) fn contains(&self, stripe: StripeId) -> bool {
        self.0[stripe.index() / 64] & 1 << (stripe.index() % 64) != 0
    }

    /// Ascending.
    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = StripeId> {
        let of_word = |(at, mut left): (usize, u64)| {
            std::iter::from_fn(move || {
                let bit = left.trailing_zeros();
                (left != 0).then(|| {
                    left &= left - 1;
                    StripeId((64 * at as u32 + bit) as u8)
                })
            })
        };
        self.0.into_iter().enumerate().flat_map(of_word)
    }
}

/// Where the records of a partition live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub(crate) stripe: StripeId,
    pub(crate) tag: Tag,
    /// The checksum that both follow from.
    pub(crate) checksum: u32,
}

impl Route {
    /// The stripe.
    #[inline]
    pub fn stripe(self) -> StripeId {
        self.stripe
    }

    /// Orders what is written by where it lies.
    #[inline]
    pub fn place(self) -> impl Ord {
        (self.stripe, self.tag)
    }

    #[inline(always)]
    pub(crate) fn of(pk: &[u8], keyspace: Keyspace) -> Self {
        match keyspace {
            Keyspace::Items => Self::of_item(crc32(pk)),
            Keyspace::Index => Self::of_entry(pk),
        }
    }

    /// That of an item whose partition key has this checksum.
    #[inline(always)]
    pub(crate) fn of_item(checksum: u32) -> Self {
        Self::with(checksum, Tag)
    }

    #[inline(never)]
    fn of_entry(pk: &[u8]) -> Self {
        let (index, partition) = match pk.split_first_chunk() {
            Some((index, partition)) => (u16::from_be_bytes(*index), partition),
            None => (0, pk),
        };
        Self::with(crc32(partition), |hash| Tag(Tag::first_of_index(index).0 | (hash >> INDEX_SLOT_BITS)))
    }

    #[inline(always)]
    fn with(checksum: u32, tag: impl FnOnce(u16) -> Tag) -> Self {
        // Multiplying spreads the bits that do not say the stripe over the top ones, which alone would follow the structure
        // of the keys: a crc is linear.
        let hash = (checksum.wrapping_mul(0x9E37_79B1) >> (u32::BITS - TAG_HASH_BITS)) as u16;
        Self { stripe: StripeId::of(checksum), tag: tag(hash), checksum }
    }
}

#[cfg(test)]
thread_local! {
    /// How many checksums this thread has taken.
    pub(crate) static CHECKSUMS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// The checksum that decides where a partition lives.
#[inline(always)]
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    #[cfg(test)]
    CHECKSUMS.with(|count| count.set(count.get() + 1));
    checksum::crc32(bytes)
}

/// The same of a key that is not long, where it takes no call; none says nothing.
#[inline(always)]
pub(crate) fn crc32_of_short(bytes: &[u8]) -> Option<u32> {
    #[cfg(test)]
    CHECKSUMS.with(|count| count.set(count.get() + 1));
    checksum::crc32_of_short(bytes)
}

/// A position among the records of one tag: each lies before it or after it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Edge<'a> {
    /// Before every record of the tag.
    TagStart,
    /// After every record of the tag.
    TagEnd,
    /// Between the records of a partition.
    Partition(&'a [u8], SortEdge<'a>),
}

/// A position among one partition's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortEdge<'a> {
    /// Before the partition's first record.
    Start,
    /// Just before this sort key.
    Before(&'a [u8]),
    /// Just after this sort key.
    After(&'a [u8]),
    /// After the partition's last record.
    End,
}

impl Edge<'_> {
    /// Whether the record of this key, whose tag is the edge's, lies before the position.
    pub(crate) fn is_after(&self, pk: &[u8], sk: &[u8]) -> bool {
        match self {
            Self::TagStart => false,
            Self::TagEnd => true,
            Self::Partition(edge_pk, sort) => match pk.cmp(edge_pk) {
                Ordering::Less => true,
                Ordering::Greater => false,
                Ordering::Equal => match sort {
                    SortEdge::Start => false,
                    SortEdge::Before(edge_sk) => sk < *edge_sk,
                    SortEdge::After(edge_sk) => sk <= *edge_sk,
                    SortEdge::End => true,
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_order_is_partition_key_then_sort_key() {
        let ordered = [
            Key::new(b"\0".as_slice()),
            Key::with_sk(b"\0".as_slice(), b"\0".as_slice()),
            Key::new(b"\0\0".as_slice()),
            Key::new(b"\0\x01".as_slice()),
            Key::new(b"\x01".as_slice()),
            Key::new("a"),
            Key::with_sk("a", b"\0".as_slice()),
            Key::with_sk("a", "aa"),
            Key::with_sk("a", "b"),
            Key::with_sk("a", b"\xFF\xFF".as_slice()),
            Key::new(b"a\0".as_slice()),
            Key::new("aa"),
            Key::new("b"),
            Key::new(b"\xFF".as_slice()),
            Key::new("a").in_keyspace(Keyspace::Index),
        ];
        for pair in ordered.windows(2) {
            assert!(pair[0].encode() < pair[1].encode(), "{:?} before {:?}", pair[0], pair[1]);
        }
    }

    #[test]
    fn keyspace_is_the_first_encoded_byte_and_the_top_bit_of_the_tag() {
        let item = Key::new("a");
        let entry = Key::new(b"\0\x01a".as_slice()).in_keyspace(Keyspace::Index);
        assert_eq!((item.encode()[0], entry.encode()[0]), (0, 1));
        let route = |key: &Key| key.as_key_ref().expect("valid").route();
        assert!(route(&item).tag <= Tag::LAST_ITEM);
        assert!(route(&entry).tag > Tag::LAST_ITEM);
    }

    #[test]
    fn entries_of_a_partition_share_the_stripe_of_its_items_and_differ_in_tag() {
        for partition in ["a", "user#1", "state", "\0"] {
            let item = Route::of(partition.as_bytes(), Keyspace::Items);
            let mut tags: Vec<Tag> = (0_u16..=24)
                .map(|index| {
                    let entry = Route::of(&[&index.to_be_bytes(), partition.as_bytes()].concat(), Keyspace::Index);
                    assert_eq!(entry.stripe, item.stripe, "{partition} in index {index}");
                    entry.tag
                })
                .collect();
            tags.sort_unstable();
            tags.dedup();
            assert_eq!(tags.len(), 25, "{partition}");
        }
    }

    #[test]
    fn entry_keys_may_be_longer_but_need_an_index_and_a_partition() {
        let long = vec![0_u8; ENTRY_KEY_MAX_BYTES + 1];
        let fits = &long[..ENTRY_KEY_MAX_BYTES];
        assert_eq!(KeyRef::index_entry(fits, fits).map(|key| key.keyspace()), Ok(Keyspace::Index));
        assert!(KeyRef::index_entry(&[0, 1, 2], &[]).is_ok());
        for short in [&[][..], &[0], &[0, 1]] {
            assert!(matches!(KeyRef::index_entry(short, &[]), Err(Error::Invalid(_))), "{short:?}");
        }
        for (pk, sk) in [(&long[..], &[][..]), (fits, &long)] {
            assert!(matches!(KeyRef::index_entry(pk, sk), Err(Error::Limit { limit: 65_535, found: 65_536, .. })));
        }
    }

    #[test]
    fn a_set_of_stripes_gives_each_once_in_their_order() {
        let mut set = StripeSet::default();
        assert_eq!(set.iter().next(), None);
        let some = [255_u8, 0, 64, 63, 64, 7, 128];
        some.iter().for_each(|stripe| set.add(StripeId(*stripe)));
        assert_eq!(set.iter().map(StripeId::index).collect::<Vec<_>>(), [0, 7, 63, 64, 128, 255]);
    }

    #[test]
    fn stripe_is_the_crc32_of_the_partition_key_modulo_256() {
        for pk in ["a", "user#1", "state"] {
            let expected = crc32fast::hash(pk.as_bytes()) as usize % STRIPES;
            assert_eq!(Route::of(pk.as_bytes(), Keyspace::Items).stripe.index(), expected);
        }
    }

    #[test]
    fn key_lengths_outside_the_limits_are_refused_by_name_and_size() {
        let long = [0_u8; 2049];
        assert!(KeyRef::new(&long[..2048], &long[..1024]).is_ok());
        assert!(matches!(KeyRef::new(b"", b""), Err(Error::Invalid(_))));
        let text = |pk, sk| KeyRef::new(pk, sk).expect_err("too long").to_string();
        assert_eq!(
            text(&long, b""),
            "Partition key size has exceeded the maximum allowed size: the limit is 2048 bytes, found 2049"
        );
        assert_eq!(
            text(b"a", &long[..1025]),
            "Sort key size has exceeded the maximum allowed size: the limit is 1024 bytes, found 1025"
        );
    }
}
