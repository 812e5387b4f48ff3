//! Building a list, a map or a set member by member, straight in the stored form.
//!
//! ```text
//! {"orders": [{"id": 7, …        open("orders", L)   open("", M)   add("id", N 7)
//!
//! payload    type M │ place of a length │ "id" N 7
//! frames     L from 0                   └ M from here: all that follows is the open map's
//! ```
//!
//! A container is closed by writing its length before it; a map or set whose members came out of order is put in order
//! then. Nothing is kept but the bytes and one frame for each open container.
//!
//! # Invariants
//! - A call that fails leaves the value as it was.
//! - The value, with the lengths that are still to be written, never exceeds [`BODY_MAX_BYTES`], nor its depth
//!   [`super::MAX_NESTING_LEVELS`].
//! - All of an open container's members are complete but for the container that is open inside it, which is the last.
//!
//! Thread safety: one user at a time, as `&mut` says.

use std::cmp::Ordering;

use super::writer::{check_elements, check_levels, check_name, in_attribute};
use super::{BODY_MAX_BYTES, ItemWriter, ValueRef, body_too_large, wire};
use crate::error::{Error, Reason, Result};
use crate::number;
use crate::value::Type;

/// What a member without a name is called in the texts of errors.
const NAMELESS: &str = "[]";

/// Builds one attribute whose value holds others.
///
/// ```
/// use kstone_core::item::{ItemWriter, NestedWriter};
/// use kstone_core::value::Type;
///
/// let mut tags = NestedWriter::default();
/// tags.open("tags", Type::SS)?;
/// tags.add("", |item, name| item.set_str(name, "used").map(drop))?;
/// tags.add("", |item, name| item.set_str(name, "novel").map(drop))?;
/// let (name, value) = tags.attribute()?;
/// let mut item = ItemWriter::new();
/// item.set_ref(name, value)?;
/// assert_eq!(item.finish(), b"\x04tags\x08\x0b\x05novel\x04used");
/// # Ok::<(), kstone_core::error::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct NestedWriter {
    name: String,
    payload: Vec<u8>,
    /// The open containers, the outermost first.
    frames: Vec<Frame>,
    /// Where single members are made and checked.
    member: ItemWriter,
    /// A spare buffer for putting members in order.
    spare: Vec<u8>,
}

/// An open container.
#[derive(Debug, Clone, Copy)]
struct Frame {
    type_: Type,
    /// Where its members start in the payload.
    start: usize,
    /// Where the last name or element lies, which is the greatest as long as they ascend.
    last: Option<(usize, usize)>,
    ascends: bool,
}

impl Frame {
    fn new(type_: Type, start: usize) -> Self {
        Self { type_, start, last: None, ascends: true }
    }
}

impl NestedWriter {
    /// How many containers are open. None: there is nothing to add to.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// Opens a list, a map or a set: as the attribute of this name where nothing is open, as a member of the open
    /// container otherwise; in a list, without a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a type that holds no others, for a name that is missing or has no place there, and inside
    /// a set; [`Error::Limit`] for a name that is too long, a value that is too large, and nesting beyond
    /// [`super::MAX_NESTING_LEVELS`].
    pub fn open(&mut self, name: &str, type_: Type) -> Result<()> {
        if !matches!(type_, Type::L | Type::M) && type_.element().is_none() {
            return Err(Reason::HoldsNothing { type_: type_.name() }.into());
        }
        if self.frames.is_empty() {
            check_name(name)?;
            name.clone_into(&mut self.name);
            self.payload.clear();
            self.frames.push(Frame::new(type_, 0));
            return Ok(());
        }
        self.check_place(name, type_)?;
        if type_.element().is_none() {
            check_levels(self.frames.len())?;
        }
        self.check_limit(name.len() + 1 + 2 * wire::VARINT_MAX_BYTES)?;
        self.begin_member(name);
        self.payload.push(type_.code());
        let start = wire::begin_frame(&mut self.payload);
        self.frames.push(Frame::new(type_, start));
        Ok(())
    }

    /// Adds a member to the open container: what `set` sets under the name that it is given, in an item that is empty.
    /// In a list or set `name` is empty. Of a map's members of one name the last one stays.
    ///
    /// # Errors
    /// Those of `set`; [`Error::Invalid`] for a name that is missing or has no place there, for a value that is none of
    /// an open set's, and where nothing is open; [`Error::Limit`] as [`NestedWriter::open`].
    pub fn add<E: From<Error>>(
        &mut self,
        name: &str,
        set: impl FnOnce(&mut ItemWriter, &str) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut member = std::mem::take(&mut self.member);
        member.clear();
        let added = set(&mut member, if name.is_empty() { NAMELESS } else { name }).and_then(|()| {
            let value = member.as_item().raw_iter().next();
            value.map_or(Ok(()), |(_, value)| self.add_ref(name, value)).map_err(E::from)
        });
        self.member = member;
        added
    }

    /// Closes the innermost container, which is inside another one.
    ///
    /// # Errors
    /// [`Error::Invalid`] in DynamoDB's words for a set that is empty or has an element twice, and where no container is
    /// open inside another one.
    pub fn close(&mut self) -> Result<()> {
        let &[.., _, inner] = self.frames.as_slice() else {
            return Err(Reason::NothingOpenInside.into());
        };
        self.put_in_order()?;
        wire::end_frame(&mut self.payload, inner.start);
        self.frames.pop();
        Ok(())
    }

    /// The attribute, when all but its outermost container are closed. It stays open: [`NestedWriter::clear`] ends it.
    ///
    /// # Errors
    /// [`Error::Invalid`] as for [`NestedWriter::close`], and where other than one container is open.
    pub fn attribute(&mut self) -> Result<(&str, ValueRef<'_>)> {
        let [outer] = self.frames.as_slice() else {
            return Err(Reason::StillOpen.into());
        };
        let type_ = outer.type_;
        self.put_in_order()?;
        Ok((&self.name, ValueRef::from_parts(type_, &self.payload)))
    }

    /// Drops what is open, and keeps the memory for the next attribute.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.payload.clear();
    }

    /// Bytes of memory that this writer holds, used or not.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let frames = self.frames.capacity() * size_of::<Frame>();
        self.name.capacity() + self.payload.capacity() + self.spare.capacity() + self.member.capacity() + frames
    }

    fn add_ref(&mut self, name: &str, value: ValueRef<'_>) -> Result<()> {
        self.check_place(name, value.type_())?;
        let levels = value.levels();
        if levels > 0 {
            check_levels(self.frames.len() + levels - 1)?;
        }
        self.check_limit(name.len() + value.payload().len() + 1 + 2 * wire::VARINT_MAX_BYTES)?;
        self.begin_member(name);
        let in_set = self.frames.last().is_some_and(|frame| frame.type_.element().is_some());
        if !in_set {
            self.payload.push(value.type_().code());
        }
        wire::put_bytes(&mut self.payload, value.payload());
        if in_set {
            self.note_last(value.payload().len());
        }
        Ok(())
    }

    /// Refuses a member that has no place in the open container.
    fn check_place(&self, name: &str, type_: Type) -> Result<()> {
        let Some(frame) = self.frames.last() else {
            return Err(Reason::NothingOpen.into());
        };
        if frame.type_ == Type::M {
            return check_name(name);
        }
        if !name.is_empty() {
            return Err(Reason::ElementNamed { holder: article(frame.type_) }.into());
        }
        match frame.type_.element() {
            Some(element) if element != type_ => {
                let (set, needed) = (article(frame.type_), element.name());
                Err(Reason::ElementType { set, needed, found: type_.name() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Refuses what would not fit with the lengths that are still to be written, unless a map has overwritten members.
    fn check_limit(&mut self, more_bytes: usize) -> Result<()> {
        let len = |writer: &Self| writer.payload.len() + writer.frames.len() * wire::VARINT_MAX_BYTES + more_bytes;
        if len(self) > BODY_MAX_BYTES && self.frames.last().is_some_and(|frame| frame.type_ == Type::M) {
            self.put_in_order()?;
        }
        if len(self) > BODY_MAX_BYTES { Err(body_too_large(len(self))) } else { Ok(()) }
    }

    /// Appends the name of a map's member.
    fn begin_member(&mut self, name: &str) {
        if self.frames.last().is_some_and(|frame| frame.type_ == Type::M) {
            wire::put_bytes(&mut self.payload, name.as_bytes());
            self.note_last(name.len());
        }
    }

    /// Notes that the last bytes of the payload are a name or an element.
    fn note_last(&mut self, len: usize) {
        let Some(frame) = self.frames.last_mut() else { return };
        let (start, end) = (self.payload.len() - len, self.payload.len());
        if let Some((last_start, last_end)) = frame.last {
            let last = &self.payload[last_start..last_end];
            frame.ascends &= order(frame.type_, last, &self.payload[start..end]).is_lt();
        }
        frame.last = Some((start, end));
    }

    /// Puts the members of the innermost container in order where it needs one, and refuses what is no set.
    fn put_in_order(&mut self) -> Result<()> {
        let Some(frame) = self.frames.last_mut() else { return Ok(()) };
        let is_set = frame.type_.element().is_some();
        if frame.ascends && !(is_set && self.payload.len() == frame.start) {
            return Ok(());
        }
        let members = &self.payload[frame.start..];
        self.spare.clear();
        if is_set {
            let mut elements: Vec<&[u8]> = ValueRef::from_parts(frame.type_, members).set().collect();
            elements.sort_unstable_by(|a, b| order(frame.type_, a, b));
            check_elements(&elements, frame.type_).map_err(|error| in_attribute(error, &self.name))?;
            elements.iter().for_each(|element| wire::put_bytes(&mut self.spare, element));
        } else {
            append_in_order(&mut self.spare, members);
        }
        self.payload.truncate(frame.start);
        self.payload.extend_from_slice(&self.spare);
        // Nothing says where the last name is now, so what comes next is taken for out of order.
        (frame.last, frame.ascends) = (None, false);
        Ok(())
    }
}

/// Appends the entries of a map by name; of those of one name the last.
fn append_in_order(out: &mut Vec<u8>, members: &[u8]) {
    let mut entries = Vec::new();
    let mut rest = ValueRef::from_parts(Type::M, members).entries().body_attributes();
    loop {
        let before = rest.rest();
        let Some((name, _)) = rest.next() else { break };
        entries.push((name, &before[..before.len() - rest.rest().len()]));
    }
    // Stable, so that of equal names the one added last comes last.
    entries.sort_by_key(|(name, _)| *name);
    for (i, (name, entry)) in entries.iter().enumerate() {
        if entries.get(i + 1).is_none_or(|(next, _)| next != name) {
            out.extend_from_slice(entry);
        }
    }
}

/// The order of a map's names or a set's elements.
fn order(type_: Type, left: &[u8], right: &[u8]) -> Ordering {
    match (type_, str::from_utf8(left), str::from_utf8(right)) {
        (Type::NS, Ok(left), Ok(right)) => number::compare(left, right),
        _ => left.cmp(right),
    }
}

fn article(type_: Type) -> &'static str {
    match type_ {
        Type::L => "a list",
        Type::SS => "a set of texts (SS)",
        Type::NS => "a set of numbers (NS)",
        Type::BS => "a set of bytes (BS)",
        _ => "a map",
    }
}

#[cfg(test)]
mod tests;
