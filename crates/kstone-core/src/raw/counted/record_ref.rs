//! A look into a record that somebody else holds.

use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

use super::shape::{HEADER_LEN, Header, LONG_LEN, Lengths, LongLengths, Shape};
use super::{IS_LABELLED, LABEL_HEAD, LINE_BYTES, count, prefetch, release};

/// A record that somebody else holds, without a count of one's own.
#[derive(Clone, Copy)]
pub struct RecordRef<'a>(pub(super) NonNull<Header>, PhantomData<&'a Header>);

impl<'a> RecordRef<'a> {
    /// The longest part of a key whose length fits the header.
    pub(crate) const SHORT_KEY_BYTES: usize = Shape::KEY_MASK as usize;

    /// What lies behind an address that [`Record::into_raw`](crate::record::Record::into_raw) gave.
    ///
    /// # Safety
    /// The count that was given away is not taken back during `'a`.
    #[inline]
    pub unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: by contract, the header precedes the data and is alive.
        Self(unsafe { raw.sub(HEADER_LEN) }.cast(), PhantomData)
    }

    /// Releases a count that [`Record::into_raw`](crate::record::Record::into_raw) gave away.
    ///
    /// # Safety
    /// `raw` came from there and its count has not been taken back yet.
    #[inline]
    pub unsafe fn release_raw(raw: NonNull<u8>) {
        // SAFETY: by contract, the header precedes the data, and the count is there to be given back.
        unsafe { release(raw.sub(HEADER_LEN).cast()) }
    }

    /// The record behind a header that somebody holds a count of during `'a`.
    #[inline(always)]
    pub(in crate::raw) fn of(header: NonNull<Header>) -> Self {
        Self(header, PhantomData)
    }

    /// Takes a count of its own and gives it away, as [`Record::into_raw`](crate::record::Record::into_raw) does.
    #[inline(always)]
    pub fn to_raw(self) -> NonNull<u8> {
        count(&self.header().state);
        self.data()
    }

    pub(super) fn header(self) -> &'a Header {
        // SAFETY: somebody holds a count during 'a, so the header is alive and, but for atomics, unchanging.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn data(self) -> NonNull<u8> {
        // SAFETY: the data begins HEADER_LEN bytes behind the header, in the same allocation.
        unsafe { self.0.cast::<u8>().add(HEADER_LEN) }
    }

    pub(super) fn slice(self, from: usize, len: usize) -> &'a [u8] {
        // SAFETY: callers pass ranges made of the record's lengths, which lie inside the allocation; the bytes are
        // initialised and never change while somebody holds a count.
        unsafe { std::slice::from_raw_parts(self.data().as_ptr().add(from), len) }
    }

    #[inline(always)]
    pub(super) fn shape(self) -> Shape {
        Shape(u32::from_le_bytes(self.header().shape))
    }

    #[inline(always)]
    pub(super) fn lengths(self) -> Lengths {
        let shape = self.shape();
        if shape.is_long() {
            let LongLengths { body, pk, sk, directory, .. } = *self.long_lengths();
            let (pk, sk, body) = (usize::from(pk), usize::from(sk), body as usize);
            return Lengths { pk, sk, body, directory: Some(directory as usize) };
        }
        let part = |at, mask| (shape.0 >> at & mask) as usize;
        Lengths {
            pk: part(Shape::PK_AT, Shape::KEY_MASK),
            sk: part(Shape::SK_AT, Shape::KEY_MASK),
            body: part(0, Shape::BODY_MASK),
            directory: None,
        }
    }

    /// The lengths of a record that is long.
    #[inline(always)]
    pub(super) fn long_lengths(self) -> &'a LongLengths {
        debug_assert!(self.shape().is_long());
        // SAFETY: before the header of a long record, in the same allocation, lie its lengths, which never change.
        unsafe { self.0.cast::<LongLengths>().sub(1).as_ref() }
    }

    /// The partition key.
    #[inline]
    pub fn pk(self) -> &'a [u8] {
        self.slice(0, self.lengths().pk)
    }

    /// The sort key; empty where there is none.
    #[inline]
    pub fn sk(self) -> &'a [u8] {
        let lengths = self.lengths();
        self.slice(lengths.pk, lengths.sk)
    }

    /// The item in its stored form; empty for a tombstone.
    #[inline]
    pub fn body(self) -> &'a [u8] {
        self.directory_and_body().1
    }

    /// The directory of a large item, empty where there is none, and the item in its stored form.
    #[inline(always)]
    pub(crate) fn directory_and_body(self) -> (&'a [u8], &'a [u8]) {
        let Lengths { pk, sk, body, directory } = self.lengths();
        let Some(directory) = directory else { return (&[], self.slice(pk + sk, body)) };
        (self.slice(pk + sk, directory), self.slice(pk + sk + directory, body))
    }

    /// The item in its stored form, of a record that keeps nothing else for it: of any small item.
    #[inline(always)]
    pub fn short_body(self) -> Option<&'a [u8]> {
        let Lengths { pk, sk, body, directory: None } = self.lengths() else { return None };
        Some(self.slice(pk + sk, body))
    }

    /// Whether there is a label, so that the item may show more than its stored form holds.
    #[must_use]
    #[inline(always)]
    pub fn is_labelled(self) -> bool {
        self.header().state.load(Ordering::Relaxed) & IS_LABELLED != 0
    }

    /// The label; empty where there is none.
    #[inline]
    pub(crate) fn label_bytes(self) -> &'a [u8] {
        if !self.is_labelled() {
            return &[];
        }
        let at = self.lengths().data();
        let &[_, _, one, other] = self.slice(at, LABEL_HEAD) else { return &[] };
        self.slice(at, LABEL_HEAD + usize::from(one) + usize::from(other))
    }

    /// Whether the record keeps the size of its item, with a directory or without.
    #[inline]
    pub(super) fn has_finder(self) -> bool {
        self.kept_size().is_some()
    }

    /// The size of the item, where it is kept.
    #[inline]
    pub(crate) fn kept_size(self) -> Option<usize> {
        let size = if self.shape().is_long() { self.long_lengths().size } else { 0 };
        (size != 0).then_some(size as usize)
    }

    /// The partition key and the sort key, cheaper than one after the other.
    #[inline(always)]
    pub(crate) fn key(self) -> (&'a [u8], &'a [u8]) {
        let lengths = self.lengths();
        (self.slice(0, lengths.pk), self.slice(lengths.pk, lengths.sk))
    }

    /// Partition key, sort key and body, cheaper than one after the other.
    #[inline(always)]
    pub(crate) fn all(self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        let Lengths { pk, sk, .. } = self.lengths();
        (self.slice(0, pk), self.slice(pk, sk), self.body())
    }

    /// Partition key, sort key, directory and body, cheaper than one after the other.
    #[inline(always)]
    pub(crate) fn all_parts(self) -> (&'a [u8], &'a [u8], &'a [u8], &'a [u8]) {
        let Lengths { pk, sk, body, directory } = self.lengths();
        let directory = directory.unwrap_or(0);
        let (pk_bytes, sk_bytes) = (self.slice(0, pk), self.slice(pk, sk));
        (pk_bytes, sk_bytes, self.slice(pk + sk, directory), self.slice(pk + sk + directory, body))
    }

    /// The partition key and the sort key where they have these lengths, which are no more than
    /// [`RecordRef::SHORT_KEY_BYTES`] each, the first one not 0: cheaper than to compare with [`RecordRef::key`].
    #[inline(always)]
    pub(crate) fn short_key(self, pk: usize, sk: usize) -> Option<(&'a [u8], &'a [u8])> {
        let shape = self.shape();
        let wanted = (sk as u32) << Shape::KEY_BITS | pk as u32;
        if shape.0 >> Shape::PK_AT & ((1 << (2 * Shape::KEY_BITS)) - 1) != wanted {
            // The bits of a long record say no length.
            let long = shape.is_long().then(|| self.long_lengths())?;
            if (usize::from(long.pk), usize::from(long.sk)) != (pk, sk) {
                return None;
            }
        }
        Some((self.slice(0, pk), self.slice(pk, sk)))
    }

    /// Asks for the record's second cache line ahead of its use: the first is about to be read.
    #[inline(always)]
    pub(crate) fn prefetch_second_line(self) {
        prefetch(self.0.as_ptr().wrapping_byte_add(LINE_BYTES));
    }

    /// How many bytes keys and body are.
    #[inline(always)]
    pub(crate) fn data_len(self) -> usize {
        let Lengths { pk, sk, body, .. } = self.lengths();
        pk + sk + body
    }

    #[inline]
    pub(super) fn footprint(self) -> usize {
        let lengths = self.lengths();
        HEADER_LEN + lengths.directory.map_or(0, |_| LONG_LEN) + lengths.data() + self.label_bytes().len()
    }
}
