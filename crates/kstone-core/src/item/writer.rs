//! Growing a body attribute by attribute.
//!
//! ```text
//! body    [ entries in order, names unique | entries as they came ]
//!                                          ^ ordered
//! ```
//! An attribute whose name is greater than all before it is appended where it belongs, with no look at the rest. Any
//! other is appended too, and the tail is sorted in once it outgrows the front, or when the body is asked for: of a
//! name set twice the later value stays. So a set costs O(log n) amortised, whatever the order, and what
//! has been overwritten never outweighs the rest by more than some KiB. (A body within a few bytes of its limit is put
//! in order at each set instead.)
//!
//! Thread safety: one user at a time, as `&mut` says.

use std::io::Write as _;

use super::{
    BODY_MAX_BYTES, ITEM_MAX_BYTES, ItemRef, NAME_MAX_BYTES, ValueRef, body_too_large, item_too_large, value_size, wire,
};
use crate::error::{Error, Result, Unit};
use crate::number;
use crate::value::{Type, Value};

mod values;

use values::Fault;
pub(super) use values::{check_elements, check_levels};

/// How many bytes of unsorted tail are left alone however small the front is.
const TAIL_BYTES: usize = 4096;
/// More bytes than the decimal text of any `f64` has: sign, point and 325 digits behind the zero.
const FLOAT_TEXT_BYTES: usize = 352;

/// Builds an item in its stored form.
///
/// Each setter adds an attribute or replaces the one of that name, and returns the writer, so that calls chain. A set
/// that fails changes nothing. Setting in ascending order of names is fastest: it appends to one buffer, some 10 ns
/// in addition to the copy, without allocation while the buffer's capacity lasts, which [`ItemWriter::clear`] keeps.
///
/// # Errors
/// Every setter gives [`Error::Invalid`] for an empty name, or [`Error::Limit`] where the name is longer than
/// [`NAME_MAX_BYTES`], where the body would exceed [`BODY_MAX_BYTES`] or where one value alone exceeds
/// [`ITEM_MAX_BYTES`]. What the whole item comes to with its key is checked when it is put.
///
/// ```
/// use kstone_core::item::ItemWriter;
///
/// let mut item = ItemWriter::new();
/// item.set_i64("age", 30)?.set_str("name", "Al")?;
/// assert_eq!(item.finish(), b"\x03age\x02\x0230\x04name\x01\x02Al");
/// item.clear();
/// assert_eq!(item.finish(), b"");
/// # Ok::<(), kstone_core::error::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct ItemWriter {
    body: Vec<u8>,
    /// Bytes of `body` that are in order.
    ordered: usize,
    /// Where the greatest name of the ordered part lies; empty where that part is.
    last_name: (usize, usize),
    /// Spare buffers for putting the tail in order, kept for their capacity.
    spare: Vec<u8>,
    entries: Vec<AttributeSpan>,
}

/// Where an entry and its name lie in the body.
#[derive(Debug, Clone, Copy)]
struct AttributeSpan {
    start: usize,
    name: (usize, usize),
    end: usize,
}

impl ItemWriter {
    /// An empty item. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that starts with this item, copied: the way to change one that was read. What is malformed in it is
    /// left out.
    #[must_use]
    pub fn from_item(item: ItemRef<'_>) -> Self {
        let mut writer = Self { body: Vec::with_capacity(item.as_bytes().len()), ..Self::default() };
        for (name, value) in item {
            // One that is refused was not written by a writer.
            let _ = check_name(name).and_then(|()| writer.append(name, value.type_(), value.payload()).map(drop));
        }
        writer
    }

    /// Sets text. See the type for errors.
    #[inline]
    pub fn set_str(&mut self, name: &str, text: &str) -> Result<&mut Self> {
        self.set_payload(name, Type::S, text.as_bytes())
    }

    /// Sets a number given as decimal text in any spelling.
    ///
    /// # Errors
    /// Besides those of the type, those of [`number::canonical`], naming the attribute.
    pub fn set_num(&mut self, name: &str, text: &str) -> Result<&mut Self> {
        match number::canonical(text) {
            Ok(canonical) => self.set_payload(name, Type::N, canonical.as_bytes()),
            Err(error) => Err(Fault::from(error).in_attribute(name)),
        }
    }

    /// Sets an integer. See the type for errors.
    pub fn set_i64(&mut self, name: &str, integer: i64) -> Result<&mut Self> {
        let mut text = [0; number::INTEGER_MAX_BYTES];
        self.set_payload(name, Type::N, number::integer(integer, &mut text))
    }

    /// Sets a float as the shortest decimal that reads back as the same float.
    ///
    /// # Errors
    /// Besides those of the type, [`Error::Invalid`] for a float that is not finite, or closer to or further from zero
    /// than DynamoDB's numbers reach.
    pub fn set_f64(&mut self, name: &str, number: f64) -> Result<&mut Self> {
        let mut text = [0; FLOAT_TEXT_BYTES];
        let mut rest = &mut text[..];
        write!(rest, "{number}").expect("every f64 fits the buffer");
        let len = FLOAT_TEXT_BYTES - rest.len();
        let text = str::from_utf8(&text[..len]).expect("the text of a float is ASCII");
        self.set_num(name, text)
    }

    /// Sets bytes. See the type for errors.
    #[inline]
    pub fn set_bin(&mut self, name: &str, bytes: &[u8]) -> Result<&mut Self> {
        self.set_payload(name, Type::B, bytes)
    }

    /// Sets true or false. See the type for errors.
    pub fn set_bool(&mut self, name: &str, value: bool) -> Result<&mut Self> {
        self.set_payload(name, Type::Bool, &[u8::from(value)])
    }

    /// Sets null. See the type for errors.
    pub fn set_null(&mut self, name: &str) -> Result<&mut Self> {
        self.set_payload(name, Type::Null, &[])
    }

    /// Sets a value of any type. Sorts the names of maps and the elements of sets.
    ///
    /// # Errors
    /// Besides those of the type: [`Error::Invalid`] with DynamoDB's text, and the path of the culprit, for a text that
    /// is no number, an empty set, a set with an element twice, or a map with an empty name; [`Error::Limit`] for
    /// nesting beyond [`super::MAX_NESTING_LEVELS`].
    pub fn set_value(&mut self, name: &str, value: &Value) -> Result<&mut Self> {
        match value {
            Value::S(text) => return self.set_str(name, text),
            Value::B(bytes) => return self.set_bin(name, bytes),
            _ => {}
        }
        check_name(name)?;
        let start = self.begin(name);
        let bound = start + BODY_MAX_BYTES;
        if let Err(fault) = values::write(&mut self.body, value, 0, bound) {
            self.body.truncate(start);
            let size = name.len() + if fault.is_body_too_large() { values::size(value, 0) } else { 0 };
            return Err(if size > ITEM_MAX_BYTES { item_too_large(size) } else { fault.in_attribute(name) });
        }
        self.end(start, name)
    }

    /// Sets a value that is in the stored form already, taken as it is.
    ///
    /// # Errors
    /// Those of the type, but that for one large value.
    pub fn set_ref(&mut self, name: &str, value: ValueRef<'_>) -> Result<&mut Self> {
        check_name(name)?;
        self.append(name, value.type_(), value.payload())
    }

    /// Replaces all attributes by those that `fill` appends in the stored form, in the order of their names and each
    /// once, as [`super::parts`] has it. On an error the item is empty.
    ///
    /// # Errors
    /// Those of `fill`; [`Error::Limit`] where the body exceeds [`BODY_MAX_BYTES`].
    pub fn fill<E: From<Error>>(
        &mut self,
        fill: impl FnOnce(&mut Vec<u8>) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.clear();
        let filled = fill(&mut self.body).and_then(|()| match self.body.len() {
            len if len > BODY_MAX_BYTES => Err(body_too_large(len).into()),
            _ => Ok(()),
        });
        if filled.is_err() {
            self.clear();
            return filled;
        }
        self.ordered = self.body.len();
        self.last_name = self.spans().last().map_or((0, 0), |entry| entry.name);
        filled
    }

    /// Takes an attribute away; says whether it was there. Puts the body in order and moves what follows it.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(entry) = self.find(name) else { return false };
        self.body.drain(entry.start..entry.end);
        self.ordered = self.body.len();
        self.last_name = self.spans().last().map_or((0, 0), |entry| entry.name);
        true
    }

    /// The body so far, in order. Costs nothing where attributes came in order.
    #[inline]
    pub fn finish(&mut self) -> &[u8] {
        if self.ordered != self.body.len() {
            self.put_in_order();
        }
        &self.body
    }

    /// The body so far, where it is in order.
    #[inline]
    #[must_use]
    pub fn finished(&self) -> Option<&[u8]> {
        (self.ordered == self.body.len()).then_some(&self.body)
    }

    /// [`ItemWriter::finish`] as a view to read from.
    pub fn as_item(&mut self) -> ItemRef<'_> {
        ItemRef::new(self.finish())
    }

    /// [`ItemWriter::finish`], handing over the buffer.
    #[must_use]
    pub fn into_body(mut self) -> Vec<u8> {
        self.finish();
        self.body
    }

    /// Takes all attributes away and keeps the capacity.
    #[inline]
    pub fn clear(&mut self) {
        self.body.clear();
        self.ordered = 0;
        self.last_name = (0, 0);
    }

    /// Whether these bytes lie in memory of this writer, which any change may move: for foreign callers, whom no
    /// compiler keeps from setting an attribute to what they have just read of the same item.
    #[inline]
    #[must_use]
    pub fn overlaps(&self, bytes: &[u8]) -> bool {
        let held = |buffer: &Vec<u8>| {
            let start = buffer.as_ptr() as usize;
            let (from, to) = (bytes.as_ptr() as usize, bytes.as_ptr() as usize + bytes.len());
            !bytes.is_empty() && from < start + buffer.capacity() && to > start
        };
        held(&self.body) || held(&self.spare)
    }

    /// Bytes of memory that this writer holds, used or not.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.body.capacity() + self.spare.capacity() + self.entries.capacity() * size_of::<AttributeSpan>()
    }

    #[inline]
    fn set_payload(&mut self, name: &str, type_: Type, payload: &[u8]) -> Result<&mut Self> {
        check_name(name)?;
        if payload.len() > ITEM_MAX_BYTES {
            return Err(item_too_large(name.len() + payload.len()));
        }
        self.append(name, type_, payload)
    }

    #[inline]
    fn append(&mut self, name: &str, type_: Type, payload: &[u8]) -> Result<&mut Self> {
        let most = name.len() + payload.len() + 1 + 2 * wire::VARINT_MAX_BYTES;
        if self.body.len() + most > BODY_MAX_BYTES {
            return self.append_tight(name, type_, payload);
        }
        self.body.reserve(most);
        let start = self.begin(name);
        self.body.push(type_.code());
        wire::put_bytes(&mut self.body, payload);
        self.end(start, name)
    }

    /// [`ItemWriter::append`] where the body may become too long. The body does not move before it is known to fit: C
    /// callers keep what they borrowed from an item where a setter fails.
    #[cold]
    fn append_tight(&mut self, name: &str, type_: Type, payload: &[u8]) -> Result<&mut Self> {
        let mut entry = Vec::new();
        wire::put_bytes(&mut entry, name.as_bytes());
        entry.push(type_.code());
        wire::put_bytes(&mut entry, payload);
        self.append_entry(&entry, name)
    }

    /// Appends the name; returns where the entry starts. The value follows, then [`ItemWriter::end`].
    #[inline]
    fn begin(&mut self, name: &str) -> usize {
        let start = self.body.len();
        wire::put_bytes(&mut self.body, name.as_bytes());
        start
    }

    /// Takes the entry from `start` to the end of the body into the item.
    #[inline]
    fn end(&mut self, start: usize, name: &str) -> Result<&mut Self> {
        if self.body.len() > BODY_MAX_BYTES {
            return self.end_tight(start, name);
        }
        let (last_start, last_end) = self.last_name;
        if self.ordered == start && self.body[last_start..last_end] < *name.as_bytes() {
            let name_start = start + wire::varint_len(name.len());
            self.last_name = (name_start, name_start + name.len());
            self.ordered = self.body.len();
        } else if self.body.len() - self.ordered > self.ordered.max(TAIL_BYTES) {
            self.put_in_order();
        }
        Ok(self)
    }

    /// [`ItemWriter::end`] where the body would be too long, unless what is overwritten is left out of it.
    #[cold]
    fn end_tight(&mut self, start: usize, name: &str) -> Result<&mut Self> {
        let entry = self.body.split_off(start);
        self.append_entry(&entry, name)
    }

    /// Takes an entry into the item if the body is not too long with it and without the entry that it replaces.
    fn append_entry(&mut self, entry: &[u8], name: &str) -> Result<&mut Self> {
        if self.body.len() + entry.len() > BODY_MAX_BYTES {
            let old = self.find(name);
            let len = self.body.len() - old.map_or(0, |old| old.end - old.start) + entry.len();
            if len > BODY_MAX_BYTES {
                let kept = self.views().filter(|(other, _)| *other != name.as_bytes());
                let added = ItemRef::new(entry);
                let sizes = kept.chain(added.body_attributes()).map(|(name, value)| name.len() + value_size(value, 0));
                let size: usize = sizes.sum();
                return Err(if size > ITEM_MAX_BYTES { item_too_large(size) } else { body_too_large(len) });
            }
            self.remove(name);
        }
        let start = self.body.len();
        self.body.extend_from_slice(entry);
        self.end(start, name)
    }

    /// Sorts the tail in; of entries of one name the last stays.
    #[cold]
    fn put_in_order(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.clear();
        entries.extend(self.spans());
        let body = &self.body;
        let name_of = |entry: &AttributeSpan| &body[entry.name.0..entry.name.1];
        // Stable, so that of equal names the one set last comes last; and quick on a front that is in order already.
        entries.sort_by(|a, b| name_of(a).cmp(name_of(b)));
        self.spare.clear();
        self.last_name = (0, 0);
        for (i, entry) in entries.iter().enumerate() {
            let overwritten = entries.get(i + 1).is_some_and(|next| name_of(next) == name_of(entry));
            if !overwritten {
                let moved = self.spare.len();
                self.spare.extend_from_slice(&body[entry.start..entry.end]);
                self.last_name = (moved + entry.name.0 - entry.start, moved + entry.name.1 - entry.start);
            }
        }
        std::mem::swap(&mut self.body, &mut self.spare);
        self.ordered = self.body.len();
        self.entries = entries;
    }

    /// Where the attribute of this name lies, after putting the body in order.
    fn find(&mut self, name: &str) -> Option<AttributeSpan> {
        self.finish();
        self.spans().find(|entry| &self.body[entry.name.0..entry.name.1] == name.as_bytes())
    }

    fn views(&self) -> impl Iterator<Item = (&[u8], ValueRef<'_>)> {
        ItemRef::new(&self.body).body_attributes()
    }

    /// The entries as they lie in the body.
    fn spans(&self) -> impl Iterator<Item = AttributeSpan> + '_ {
        let len = self.body.len();
        let mut attributes = ItemRef::new(&self.body).body_attributes();
        std::iter::from_fn(move || {
            let start = len - attributes.rest().len();
            let (name, value) = attributes.next()?;
            let end = len - attributes.rest().len();
            // From the end backwards: payload, its length, type, name.
            let payload = value.payload().len();
            let name_end = end - payload - wire::varint_len(payload) - 1;
            Some(AttributeSpan { start, name: (name_end - name.len(), name_end), end })
        })
    }
}

/// Appends a value that may be any. Where that fails, a piece of it stays.
pub(super) fn append_value_of(out: &mut Vec<u8>, value: &Value) -> Result<()> {
    let bound = out.len() + BODY_MAX_BYTES;
    values::write(out, value, 0, bound).map_err(Fault::into_error)
}

/// Refuses names that no attribute and no map's entry can have.
///
/// # Errors
/// [`Error::Invalid`] for an empty name, [`Error::Limit`] for one of more than [`NAME_MAX_BYTES`].
#[inline]
pub fn check_name(name: &str) -> Result<()> {
    values::check_name(name).map_err(Fault::into_error)
}

/// The same error, saying that it is about this attribute.
pub(super) fn in_attribute(error: Error, name: &str) -> Error {
    Fault::from(error).in_attribute(name)
}

/// [`Error::Limit`] for a name.
fn name_too_long(found: usize) -> Error {
    Error::limit("Attribute name", Unit::Bytes, NAME_MAX_BYTES, found)
}

#[cfg(test)]
mod tests;
