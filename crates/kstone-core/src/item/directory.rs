//! The directory of a large item: where each attribute lies in the body, found without a look at those before it.
//!
//! ```text
//! directory := hash*  offset*          one of each for every attribute, in the order of the body
//! hash      := u8                      of the attribute's name
//! offset    := u16 or u32              of its entry in the body, the least significant byte first;
//!                                      u16 where the body has fewer than 65,536 bytes
//! ```
//! It is no part of the stored form, which stays as bindings and files know it: a record makes it of its body and keeps
//! it in front of it. A look-up compares eight hashes at a time and reads the entries whose hash is that of the name,
//! nearly always the one that is asked for: so it touches the directory, which follows the record's key, and one place
//! of the body.
//!
//! Not every item has one. Where attributes are few a pass over them costs no more, and where they are tiny a directory
//! would take memory out of proportion: it takes less than a third of the body, usually less than a tenth.
//!
//! Invariant: what a directory says is checked against the body, so that a wrong one leads nowhere; nothing panics.

use super::{ItemRef, ValueRef, wire};
use crate::key::KeyRef;
use crate::raw::counted::Finder;
use crate::same::same_bytes;
use crate::value::Type;

/// Bodies that have fewer bytes are read from the front.
pub(crate) const BODY_MIN_BYTES: usize = 256;
/// The fewest attributes of an item that has a directory; a look-up compares as many hashes at a time.
const ATTRIBUTES_MIN: usize = 8;
/// The fewest bytes of a body, for each attribute, of an item that has a directory.
const BODY_BYTES_EACH: usize = 16;
/// The most bytes of a directory that is made without an allocation: those of any body of up to 2 KiB.
const ON_STACK_BYTES: usize = 384;

/// What one pass over a large item finds out.
pub(crate) struct Survey<'a> {
    /// The item's size, as [`item_size`](super::item_size) counts it.
    pub(crate) size: usize,
    /// The directory in its two parts; both are empty where the item has none.
    pub(crate) hashes: &'a [u8],
    pub(crate) offsets: &'a [u8],
}

impl Survey<'_> {
    /// What the record keeps.
    pub(crate) fn finder(&self) -> Finder {
        Finder { item_size: self.size, directory: self.hashes.len() + self.offsets.len() }
    }
}

/// The name of an attribute with its hash: what is asked of many items.
#[derive(Debug, Clone, Copy)]
pub struct HashedName<'a> {
    pub(super) name: &'a [u8],
    hash: u8,
}

impl<'a> HashedName<'a> {
    /// Costs some nanoseconds.
    #[inline]
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        Self::of(name.as_bytes())
    }

    #[inline]
    pub(super) fn of(name: &'a [u8]) -> Self {
        Self { name, hash: hash_of(name) }
    }
}

/// Memory for a directory that is being made.
pub(crate) struct Scratch {
    small: [u8; ON_STACK_BYTES],
    large: Vec<u8>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { small: [0; ON_STACK_BYTES], large: Vec::new() }
    }

    /// Passes over an item's body once. None where nothing is worth being kept: of an item of a few plain attributes.
    pub(crate) fn survey(&mut self, key: KeyRef<'_>, body: &[u8]) -> Option<Survey<'_>> {
        let (most, width) = (body.len() / BODY_BYTES_EACH, offset_width(body));
        let directory = match self.small.get_mut(..most * (1 + width)) {
            Some(small) => small,
            None => {
                self.large.resize(most * (1 + width), 0);
                &mut self.large
            }
        };
        let (hashes, offsets) = directory.split_at_mut(most);
        let mut size = super::key_size(key);
        let (mut count, mut holds_others) = (0, false);
        let mut attributes = ItemRef::new(body).body_attributes();
        loop {
            let offset = body.len() - attributes.rest().len();
            let Some((name, value)) = attributes.next() else { break };
            let place = offsets.get_mut(count * width..(count + 1) * width);
            if let (Some(hash), Some(place)) = (hashes.get_mut(count), place) {
                *hash = hash_of(name);
                match place {
                    [low, high] => [*low, *high] = (offset as u16).to_le_bytes(),
                    _ => place.copy_from_slice(&(offset as u32).to_le_bytes()),
                }
            }
            count += 1;
            holds_others |= value.type_() > Type::Null;
            size += super::attribute_size(name, value, key);
        }
        if count < ATTRIBUTES_MIN && !holds_others {
            return None;
        }
        let kept = if (ATTRIBUTES_MIN..=most).contains(&count) { count } else { 0 };
        Some(Survey { size, hashes: &hashes[..kept], offsets: &offsets[..kept * width] })
    }
}

/// The attribute of this name in a body of this directory.
pub(super) fn find<'a>(body: &'a [u8], directory: &[u8], name: HashedName<'_>) -> Option<ValueRef<'a>> {
    search(body, directory, name.hash, |mut entry| {
        let found = wire::take_bytes(&mut entry)?;
        let (type_, payload) = wire::take_value(&mut entry)?;
        same_bytes(found, name.name).then_some(ValueRef::from_parts(type_, payload))
    })
}

/// Where the attribute of this name lies, if there is one: a guess by its hash, which does not touch the body.
pub(super) fn guess<'a>(body: &'a [u8], directory: &[u8], name: HashedName<'_>) -> Option<&'a [u8]> {
    search(body, directory, name.hash, Some)
}

/// What `take` makes of the first entry that it takes, of those whose hash is that of the name.
#[inline(always)]
fn search<'a, T>(body: &'a [u8], directory: &[u8], hash: u8, mut take: impl FnMut(&'a [u8]) -> Option<T>) -> Option<T> {
    let width = offset_width(body);
    let count = if width == 2 { directory.len() / 3 } else { directory.len() / 5 };
    let (hashes, offsets) = directory.split_at(count);
    let wanted = u64::from(hash) * EACH_BYTE;
    let mut among = |word: &[u8; 8], first: usize| {
        let mut equal = zero_bytes(u64::from_le_bytes(*word) ^ wanted);
        while equal != 0 {
            let index = first + equal.trailing_zeros() as usize / 8;
            let taken = offset_at(offsets, width, index).and_then(|at| body.get(at..)).and_then(&mut take);
            if taken.is_some() {
                return taken;
            }
            equal &= equal - 1;
        }
        None
    };
    let (words, rest) = hashes.as_chunks();
    for (at, word) in words.iter().enumerate() {
        if let Some(taken) = among(word, 8 * at) {
            return Some(taken);
        }
    }
    // The last eight, some of which have been compared already.
    let last = if rest.is_empty() { None } else { hashes.last_chunk() };
    last.and_then(|word| among(word, count - 8))
}

#[inline]
fn offset_at(offsets: &[u8], width: usize, index: usize) -> Option<usize> {
    if width == 2 {
        let offset = offsets.get(2 * index..)?.first_chunk()?;
        return Some(u16::from_le_bytes(*offset).into());
    }
    let offset = offsets.get(4 * index..)?.first_chunk()?;
    Some(u32::from_le_bytes(*offset) as usize)
}

const EACH_BYTE: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The high bit of each byte that is zero, and maybe of some behind the first of them.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(EACH_BYTE) & !word & HIGH_BITS
}

/// How many bytes an offset into this body takes.
fn offset_width(body: &[u8]) -> usize {
    if body.len() <= usize::from(u16::MAX) { 2 } else { 4 }
}

/// A hash of a name: of its length, its first eight bytes and its last, which tell the names of an item apart.
#[inline]
fn hash_of(name: &[u8]) -> u8 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let (first, last) = match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => short(name),
    };
    ((first ^ name.len() as u64).wrapping_mul(ODD) ^ last).wrapping_mul(ODD).to_le_bytes()[7]
}

/// All bytes of a name that has fewer than eight.
#[inline]
fn short(name: &[u8]) -> (u64, u64) {
    match (name.first_chunk(), name.last_chunk()) {
        (Some(first), Some(last)) => (u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into()),
        _ => match name {
            [first, .., last] => (u64::from(*first) | u64::from(name[name.len() / 2]) << 8, (*last).into()),
            [only] => ((*only).into(), 0),
            [] => (0, 0),
        },
    }
}

#[cfg(test)]
mod tests;
