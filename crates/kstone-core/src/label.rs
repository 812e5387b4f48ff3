//! What a record of a typed table says of its key: which layout it has, and the text of its numbers.
//!
//! Items show their key attributes among the others, also when the table is gone, and views lend the text of a number,
//! which the key does not hold. So a record of a typed table carries a *label* behind its body:
//!
//! ```text
//! label   layout u16 │ length of the partition key's text u8 │ of the sort key's u8 │ the texts         little-endian
//! ```
//!
//! Layouts are interned for the life of the process, since records outlive their tables: equal ones have one number, and
//! there are at most [`LAYOUTS_MAX`], some hundred bytes each.
//!
//! Thread safety: any thread; looking a layout up takes no lock.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::OnceLock;

use parking_lot::Mutex;

use crate::buffer::Buffer;
use crate::error::{Error, Result, Unit};
use crate::key_layout::{KeyLayout, KeyPart, KeyType};
use crate::value::Type;

/// How many different layouts a process can have.
pub const LAYOUTS_MAX: usize = CHUNK * CHUNK - 1;
impl KeyLayout {
    /// The layout of a typed table as what keys are made with. Equal ones are interned once.
    ///
    /// # Errors
    /// [`Error::Limit`] where there are [`LAYOUTS_MAX`] different layouts already.
    pub fn intern(&self) -> Result<&'static InternedLayout> {
        debug_assert!(self.is_typed(), "keys of an untyped table carry no label");
        let mut known = KNOWN.lock();
        if let Some(interned) = known.get(self) {
            return Ok(interned);
        }
        // 0 is the number of no layout.
        let number = known.len() + 1;
        if number > LAYOUTS_MAX {
            return Err(Error::limit("Number of different key layouts", Unit::Entries, LAYOUTS_MAX, number));
        }
        let interned: &'static InternedLayout = Box::leak(Box::new(InternedLayout::new(self.clone(), number as u16)));
        let chunk = LAYOUTS[number / CHUNK].get_or_init(|| Box::new([const { OnceLock::new() }; CHUNK]));
        let _never_set_before = chunk[number % CHUNK].set(interned);
        known.insert(&interned.layout, interned);
        Ok(interned)
    }
}

const CHUNK: usize = 256;
type Chunk = Box<[OnceLock<&'static InternedLayout>; CHUNK]>;
/// A tree, whose memory is found from its root: tools that look for lost memory take what a hash table holds for lost.
static KNOWN: Mutex<BTreeMap<&KeyLayout, &InternedLayout>> = Mutex::new(BTreeMap::new());
static LAYOUTS: [OnceLock<Chunk>; CHUNK] = [const { OnceLock::new() }; CHUNK];

/// A layout that has a number, by which records know it.
#[derive(Debug)]
pub struct InternedLayout {
    layout: KeyLayout,
    /// The label of a key without numbers.
    plain_label: [u8; HEAD],
    /// Whether the sort key's name comes before the partition key's.
    sort_first: bool,
    has_numbers: bool,
    /// The first byte of the name that comes last: attributes behind it are none of the key.
    pub(crate) last_first_byte: u8,
}

impl Deref for InternedLayout {
    type Target = KeyLayout;

    fn deref(&self) -> &KeyLayout {
        &self.layout
    }
}

/// Layouts are interned: equal ones are one.
impl PartialEq for InternedLayout {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for InternedLayout {}

impl InternedLayout {
    fn new(layout: KeyLayout, number: u16) -> Self {
        let [low, high] = number.to_le_bytes();
        let sort_first = layout.sort().is_some_and(|sort| sort.name() < layout.partition().name());
        let has_numbers = layout.parts().any(|part| part.type_() == Some(KeyType::N));
        let last_first_byte = layout.parts().filter_map(|part| part.name().bytes().next()).max().unwrap_or_default();
        Self { layout, plain_label: [low, high, 0, 0], sort_first, has_numbers, last_first_byte }
    }

    /// The parts of the key in the order of their names.
    #[inline]
    pub(crate) fn by_name(&self) -> (&KeyPart, Option<&KeyPart>) {
        match self.layout.sort() {
            Some(sort) if self.sort_first => (sort, Some(self.layout.partition())),
            sort => (self.layout.partition(), sort),
        }
    }

    #[inline]
    pub(crate) fn is_sort_first(&self) -> bool {
        self.sort_first
    }

    /// The label of a key without numbers.
    #[inline]
    pub(crate) fn plain_label(&self) -> Label<'_> {
        Label::new(&self.plain_label)
    }

    /// Whether a part of the key is a number, so that its bytes are not the attribute's own.
    #[must_use]
    pub fn has_numbers(&self) -> bool {
        self.has_numbers
    }
}

/// How many bytes of a label are put together on the stack: numbers of more digits than this leaves are few.
pub(crate) const LABEL_ON_STACK_BYTES: usize = 64;
/// How many bytes of a label come before the texts.
const HEAD: usize = 4;
pub(crate) const PK_TEXT_AT: usize = 2;
pub(crate) const SK_TEXT_AT: usize = 3;

/// What a record of a typed table says of its key; empty for all others. See the module.
#[derive(Clone, Copy, Default)]
pub struct Label<'a>(&'a [u8]);

impl<'a> Label<'a> {
    /// A label in these bytes.
    #[inline]
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes that a record keeps.
    #[inline]
    pub(crate) const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Appends the same without a layout, for a record whose body is all that it shows. Of a key without numbers nothing
    /// is left to say.
    pub(crate) fn put_without_names(self, out: &mut impl Buffer) {
        if let Some([_, _, texts @ ..]) = self.0.first_chunk::<HEAD>()
            && *texts != [0, 0]
        {
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&self.0[2..]);
        }
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The layout that names the parts of the key.
    #[must_use]
    pub fn layout(self) -> Option<&'static InternedLayout> {
        let number = usize::from(u16::from_le_bytes(*self.0.first_chunk()?));
        LAYOUTS[number / CHUNK].get()?[number % CHUNK].get().copied()
    }

    /// The text of the partition key, where that is a number.
    #[must_use]
    pub fn pk_number(self) -> Option<&'a [u8]> {
        let len = usize::from(*self.0.get(PK_TEXT_AT)?);
        if len == 0 { None } else { self.0.get(HEAD..HEAD + len) }
    }

    /// The text of the sort key, where that is a number.
    #[must_use]
    pub fn sk_number(self) -> Option<&'a [u8]> {
        let (pk_len, len) = (usize::from(*self.0.get(PK_TEXT_AT)?), usize::from(*self.0.get(SK_TEXT_AT)?));
        if len == 0 { None } else { self.0.get(HEAD + pk_len..HEAD + pk_len + len) }
    }
}

/// A key with the names and types of its attributes.
#[derive(Debug, Clone, Copy)]
pub struct NamedKey<'a> {
    layout: &'static InternedLayout,
    /// The payloads of the attributes: of a number its text.
    pk: &'a [u8],
    sk: &'a [u8],
}

impl<'a> NamedKey<'a> {
    /// The key of these bytes with its label; none where the label names nothing.
    #[must_use]
    pub fn new(pk: &'a [u8], sk: &'a [u8], label: Label<'a>) -> Option<Self> {
        let layout = label.layout()?;
        Some(Self { layout, pk: label.pk_number().unwrap_or(pk), sk: label.sk_number().unwrap_or(sk) })
    }

    /// The layout.
    #[must_use]
    pub fn layout(self) -> &'static InternedLayout {
        self.layout
    }

    /// The attribute that is number `at`, from 0, in the order of the names: its name, type and payload.
    #[must_use]
    pub fn attribute(self, at: usize) -> Option<(&'static str, Type, &'a [u8])> {
        let is_sort = match (self.layout.sort(), at) {
            (None, 0) => false,
            (Some(_), 0 | 1) => (at == 0) == self.layout.sort_first,
            _ => return None,
        };
        Some(if is_sort { self.sort()? } else { self.partition() })
    }

    /// The attribute of this name: its type and payload.
    #[must_use]
    pub fn named(self, name: &[u8]) -> Option<(Type, &'a [u8])> {
        let of_name =
            |(own, type_, payload): (&str, Type, &'a [u8])| (own.as_bytes() == name).then_some((type_, payload));
        of_name(self.partition()).or_else(|| of_name(self.sort()?))
    }

    fn partition(self) -> (&'static str, Type, &'a [u8]) {
        let part = self.layout.partition();
        (part.name(), type_of(part), self.pk)
    }

    fn sort(self) -> Option<(&'static str, Type, &'a [u8])> {
        let part = self.layout.sort()?;
        Some((part.name(), type_of(part), self.sk))
    }
}

/// The type of the values of a typed table's key attribute.
fn type_of(part: &KeyPart) -> Type {
    part.type_().map_or(Type::S, KeyType::type_)
}
