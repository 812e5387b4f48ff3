//! The keys of a typed table: values of key attributes made into the bytes of keys.
//!
//! What `key_layout.rs` shows in its diagram is done here.

use std::borrow::Cow;
use std::str::Utf8Error;

use crate::buffer::{Buffer, StackBuffer};
use crate::error::{Error, Reason, Result};
use crate::key::{KeyRef, Keyspace};
use crate::key_layout::{KeyPart, KeyType};
use crate::label::{InternedLayout, LABEL_ON_STACK_BYTES, Label, PK_TEXT_AT, SK_TEXT_AT};
use crate::number::{self, ordered};
use crate::utf8;
use crate::value::Type;

impl InternedLayout {
    /// The key of these values, the payloads of key attributes that were found to be of the layout's types: text of S, bytes
    /// of B, canonical text of N. No sort key of a table that has one is empty.
    ///
    /// # Errors
    /// As [`KeyRef::new`].
    pub fn key<'a>(&'static self, pk: &'a [u8], sk: &'a [u8], scratch: &'a mut KeyScratch) -> Result<KeyRef<'a>> {
        let number = |part: Option<&KeyPart>, value: &'a [u8]| match part {
            Some(part) if part.type_() == Some(KeyType::N) => utf8(value).ok(),
            _ => None,
        };
        let numbers = (number(Some(self.partition()), pk), number(self.sort(), sk));
        self.made(pk, sk, numbers, scratch)
    }

    /// The key that these bytes of a caller name: the text of S and N, the bytes of B.
    ///
    /// # Errors
    /// [`Error::Invalid`] for text that is no UTF-8, a number that is none, a sort key that is missing or one too many;
    /// as [`KeyRef::new`].
    pub fn key_of_bytes<'a>(
        &'static self,
        pk: &'a [u8],
        sk: &'a [u8],
        scratch: &'a mut KeyScratch,
    ) -> Result<KeyRef<'a>> {
        self.check_sort_key(sk)?;
        let canonical = |part: &KeyPart, bytes: &'a [u8]| -> Result<Option<Cow<'a, str>>> {
            match part.type_() {
                Some(KeyType::S) => utf8(bytes).map(|_| None).map_err(|error| part.refuse_text(error)),
                None | Some(KeyType::B) => Ok(None),
                Some(KeyType::N) => {
                    let text = utf8(bytes).map_err(|error| part.refuse_text(error))?;
                    number::canonical(text).map(Some).map_err(|error| part.refuse_number(error))
                }
            }
        };
        let pk_number = canonical(self.partition(), pk)?;
        let sk_number = self.sort().map_or(Ok(None), |part| canonical(part, sk))?;
        self.made(pk, sk, (pk_number.as_deref(), sk_number.as_deref()), scratch)
    }

    /// As [`InternedLayout::key_of_bytes`] of a layout [without numbers](InternedLayout::has_numbers), whose keys are the
    /// bytes themselves.
    ///
    /// # Errors
    /// As there.
    #[inline(always)]
    pub fn key_of_plain_bytes<'a>(&'static self, pk: &'a [u8], sk: &'a [u8]) -> Result<KeyRef<'a>> {
        debug_assert!(!self.has_numbers(), "numbers are made into other bytes");
        self.partition().check_plain(pk)?;
        match self.sort() {
            Some(sort) if !sk.is_empty() => sort.check_plain(sk)?,
            None if sk.is_empty() => {}
            _ => self.check_sort_key(sk)?,
        }
        Ok(KeyRef::new(pk, sk)?.with_label(self.plain_label()))
    }

    /// The key of which these are the bytes in a record: for what kept no label.
    ///
    /// # Errors
    /// [`Error::Invalid`] where they are not those of a key of this layout.
    pub fn key_of_encoded<'a>(
        &'static self,
        pk: &'a [u8],
        sk: &'a [u8],
        scratch: &'a mut KeyScratch,
    ) -> Result<KeyRef<'a>> {
        self.check_sort_key(sk)?;
        let decoded = |part: &KeyPart, bytes: &[u8]| -> Result<Option<String>> {
            match part.type_() {
                Some(KeyType::S) => utf8(bytes).map(|_| None).map_err(|error| part.refuse_text(error)),
                None | Some(KeyType::B) => Ok(None),
                Some(KeyType::N) => {
                    let mut rest = bytes;
                    let text = ordered::decode(&mut rest).filter(|_| rest.is_empty());
                    text.map(Some).ok_or_else(|| Reason::KeyBytes { name: part.name().into() }.into())
                }
            }
        };
        let pk_number = decoded(self.partition(), pk)?;
        let sk_number = self.sort().map_or(Ok(None), |part| decoded(part, sk))?;
        self.made(pk, sk, (pk_number.as_deref(), sk_number.as_deref()), scratch)
    }

    #[inline(never)]
    fn check_sort_key(&self, sk: &[u8]) -> Result<()> {
        match self.sort() {
            Some(sort) if sk.is_empty() => Err(Reason::SortKeyMissing { name: sort.name().into() }.into()),
            None if !sk.is_empty() => Err(Reason::SortKeyUnknown { partition: self.partition().name().into() }.into()),
            _ => Ok(()),
        }
    }

    /// The key of these bytes, those of numbers made of their canonical text.
    fn made<'a>(
        &'static self,
        pk: &'a [u8],
        sk: &'a [u8],
        (pk_number, sk_number): (Option<&str>, Option<&str>),
        scratch: &'a mut KeyScratch,
    ) -> Result<KeyRef<'a>> {
        if pk_number.is_none() && sk_number.is_none() {
            return Ok(KeyRef::new(pk, sk)?.with_label(self.plain_label()));
        }
        *scratch = KeyScratch::default();
        let KeyScratch { pk: pk_bytes, sk: sk_bytes, label } = scratch;
        label.extend_from_slice(self.plain_label().as_bytes());
        for (number, out, len_at) in [(pk_number, &mut *pk_bytes, PK_TEXT_AT), (sk_number, &mut *sk_bytes, SK_TEXT_AT)]
        {
            if let Some(text) = number {
                ordered::encode(text, out);
                label.extend_from_slice(text.as_bytes());
                label[len_at] = text.len() as u8;
            }
        }
        let pk = if pk_number.is_some() { &pk_bytes[..] } else { pk };
        let sk = if sk_number.is_some() { &sk_bytes[..] } else { sk };
        Ok(KeyRef::new(pk, sk)?.with_label(Label::new(&label[..])))
    }
}

impl KeyPart {
    /// The bytes that keys hold of this attribute where a caller names its value by the text of S and N or the bytes of B:
    /// those of a number are made in `scratch`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for text that is no UTF-8, a number that is none, and a value that is empty.
    pub fn key_bytes<'a>(&self, value: &'a [u8], scratch: &'a mut PartScratch) -> Result<&'a [u8]> {
        let type_ = self.type_().map_or(Type::B, KeyType::type_);
        if value.is_empty() {
            return Err(self.refuse_empty(type_));
        }
        if type_ == Type::B {
            return Ok(value);
        }
        let text = utf8(value).map_err(|error| self.refuse_text(error))?;
        if type_ == Type::S {
            return Ok(value);
        }
        let canonical = number::canonical(text).map_err(|error| self.refuse_number(error))?;
        *scratch = PartScratch::new();
        ordered::encode(&canonical, scratch);
        Ok(scratch)
    }

    /// Refuses bytes that are to be text and are none.
    #[inline]
    fn check_plain(&self, bytes: &[u8]) -> Result<()> {
        if self.type_() == Some(KeyType::S) {
            utf8(bytes).map_err(|error| self.refuse_text(error))?;
        }
        Ok(())
    }

    /// What text that is not UTF-8 is refused with.
    #[cold]
    #[must_use]
    pub fn refuse_text(&self, error: Utf8Error) -> Error {
        let type_ = self.type_().map_or("bytes", KeyType::name);
        Reason::KeyNotText { name: self.name().into(), type_, error: error.to_string().into() }.into()
    }

    /// What text that is no number is refused with.
    #[cold]
    #[must_use]
    pub fn refuse_number(&self, error: Error) -> Error {
        Reason::KeyNotNumber { name: self.name().into(), error }.into()
    }
}

/// What the bytes of a number are made in, on the stack.
pub type PartScratch = StackBuffer<{ ordered::MAX_BYTES }>;

/// What the bytes of a key's numbers are made in, on the stack.
#[derive(Default)]
pub struct KeyScratch {
    pk: PartScratch,
    sk: PartScratch,
    label: StackBuffer<LABEL_ON_STACK_BYTES>,
}

/// A key of a table: lent by the caller, or, where its numbers had to be made into other bytes, owned.
#[derive(Debug, Clone)]
pub enum TableKey<'a> {
    /// The bytes are the caller's own.
    Lent(KeyRef<'a>),
    /// They were made.
    Made(Box<MadeKey>),
}

/// A key with bytes of its own.
#[derive(Debug, Clone)]
pub struct MadeKey {
    /// Partition key, sort key and label.
    bytes: Box<[u8]>,
    sk_at: usize,
    label_at: usize,
}

impl<'a> TableKey<'a> {
    /// The key that these bytes of a caller name in a table of this layout: the text of S and N, the bytes of B; in an
    /// untyped table any bytes.
    ///
    /// # Errors
    /// As [`InternedLayout::key_of_bytes`] and [`KeyRef::new`].
    #[inline]
    pub fn of_bytes(keys: Option<&'static InternedLayout>, pk: &'a [u8], sk: &'a [u8]) -> Result<Self> {
        match keys {
            None => Ok(Self::Lent(KeyRef::new(pk, sk)?)),
            Some(layout) if layout.has_numbers() => {
                let mut scratch = KeyScratch::default();
                Ok(Self::Made(Box::new(MadeKey::of(layout.key_of_bytes(pk, sk, &mut scratch)?))))
            }
            Some(layout) => layout.key_of_plain_bytes(pk, sk).map(Self::Lent),
        }
    }

    /// The key.
    #[inline]
    #[must_use]
    pub fn get(&self) -> KeyRef<'_> {
        match self {
            Self::Lent(key) => *key,
            Self::Made(made) => made.key_ref(),
        }
    }
}

impl<'a> From<KeyRef<'a>> for TableKey<'a> {
    fn from(key: KeyRef<'a>) -> Self {
        Self::Lent(key)
    }
}

impl MadeKey {
    /// A copy of a key of an item.
    #[must_use]
    pub fn of(key: KeyRef<'_>) -> Self {
        let (pk, sk, label) = (key.pk(), key.sk(), key.label().as_bytes());
        Self { bytes: [pk, sk, label].concat().into(), sk_at: pk.len(), label_at: pk.len() + sk.len() }
    }

    /// The key.
    #[must_use]
    pub fn key_ref(&self) -> KeyRef<'_> {
        let (pk, sk) = (&self.bytes[..self.sk_at], &self.bytes[self.sk_at..self.label_at]);
        KeyRef::of_record(pk, sk, Keyspace::Items, Label::new(&self.bytes[self.label_at..]))
    }
}
