//! The names and values that expressions leave open: `#name` and `:value`.
//!
//! ```text
//! bag      one item in the stored form:  #n S "name"   :min N 18   :v L […]
//! entries  where each lies in it, ascending by name, found by halving
//! ```
//! Thread safety: immutable once made; clones share the bag.

use std::sync::Arc;

use crate::refusal::{Refusal, Result};
use crate::texts::Reason;
use kstone_core::error::Unit;
use kstone_core::item::{ItemRef, ItemWriter, NAME_MAX_BYTES, ValueRef};
use kstone_core::value::{Item, Type};

use super::PLACEHOLDER_MAX_BYTES;

/// What `#names` and `:values` stand for, for the expressions of one request.
///
/// Rust callers give maps, foreign ones a single bag in the stored form, where `#name` entries are texts.
///
/// ```
/// use kstone_expr::expression::Parameters;
/// use kstone_core::{item::ItemWriter, value::{Item, Value}};
///
/// let values = Item::from([(":min".to_string(), Value::number(18))]);
/// let from_maps = Parameters::from_maps([("#y", "year")], &values).unwrap();
///
/// let mut bag = ItemWriter::new();
/// bag.set_str("#y", "year").unwrap().set_i64(":min", 18).unwrap();
/// assert_eq!(Parameters::from_bag(bag.as_item()).unwrap(), from_maps);
/// assert!(Parameters::from_maps([("y", "year")], &values).is_err());
/// ```
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    bag: Arc<[u8]>,
    entries: Arc<[ParameterEntry]>,
}

#[derive(Debug, Clone, Copy)]
struct ParameterEntry {
    /// Where the name lies in the bag.
    name: (u32, u32),
    slot: Slot,
}

/// Where a value lies in a bag.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    type_: Type,
    start: u32,
    end: u32,
}

impl Slot {
    /// Puts a value behind a bag, which an item's limits keep far below 4 GiB; where it lies then.
    pub fn append(bag: &mut Vec<u8>, value: ValueRef<'_>) -> Self {
        let start = bag.len() as u32;
        bag.extend_from_slice(value.payload());
        Self { type_: value.type_(), start, end: bag.len() as u32 }
    }

    /// The value that lies here in the bag.
    pub fn read(self, bag: &[u8]) -> ValueRef<'_> {
        ValueRef::from_parts(self.type_, &bag[self.start as usize..self.end as usize])
    }
}

impl Parameters {
    /// No names and no values. Allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Parameters from a map of names and one of values. Costs an encoding of the values and two allocations.
    ///
    /// # Errors
    /// [`Refusal`] for a name that does not begin with `#`, a value's that does not begin with `:`, one of other
    /// characters than letters, digits and `_`, and for values that no item can hold; [`Reason::Limit`] where they exceed
    /// an item's limits.
    pub fn from_maps<'a>(names: impl IntoIterator<Item = (&'a str, &'a str)>, values: &Item) -> Result<Self> {
        let mut bag = ItemWriter::new();
        for (alias, name) in names {
            check_key(alias, '#')?;
            bag.set_str(alias, name)?;
        }
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        for (key, value) in sorted {
            check_key(key, ':')?;
            bag.set_value(key, value).map_err(|error| invalid_value(error, key))?;
        }
        Self::from_bag(bag.as_item())
    }

    /// Parameters from one bag in the stored form: `#name` entries are texts, `:value` entries anything. Copies it.
    ///
    /// # Errors
    /// As [`Parameters::from_maps`].
    pub fn from_bag(bag: ItemRef<'_>) -> Result<Self> {
        let bytes = bag.as_bytes();
        let at = |part: &[u8]| {
            // Both point into the bag, which a body's limit keeps far below 4 GiB.
            let start = (part.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize) as u32;
            (start, start + part.len() as u32)
        };
        let mut entries = Vec::new();
        for (key, value) in bag {
            check_key(key, if key.starts_with('#') { '#' } else { ':' })?;
            if key.starts_with('#') && value.as_str().is_none_or(str::is_empty) {
                return Err(Reason::NoName { key: key.into() }.into());
            }
            if key.starts_with('#') && value.payload().len() > NAME_MAX_BYTES {
                return Err(Refusal::limit("Attribute name", Unit::Bytes, NAME_MAX_BYTES, value.payload().len()));
            }
            let (start, end) = at(value.payload());
            entries.push(ParameterEntry { name: at(key.as_bytes()), slot: Slot { type_: value.type_(), start, end } });
        }
        Ok(Self { bag: bytes.into(), entries: entries.into() })
    }

    /// How many names and values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn bag(&self) -> &Arc<[u8]> {
        &self.bag
    }

    /// The key of an entry, with its sign.
    pub(super) fn key(&self, entry: usize) -> &[u8] {
        let (start, end) = self.entries[entry].name;
        &self.bag[start as usize..end as usize]
    }

    /// The entry of this key, and where its value lies.
    pub(super) fn find(&self, key: &str) -> Option<(usize, Slot)> {
        let compare =
            |entry: &ParameterEntry| self.bag[entry.name.0 as usize..entry.name.1 as usize].cmp(key.as_bytes());
        let at = self.entries.binary_search_by(compare).ok()?;
        Some((at, self.entries[at].slot))
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.bag == other.bag
    }
}

impl Eq for Parameters {}

/// Refuses a key that no expression can name.
fn check_key(key: &str, sign: char) -> Result<()> {
    let (is_name, size) = (sign == '#', key.len());
    if size > PLACEHOLDER_MAX_BYTES {
        return Err(if is_name { Reason::NameKeyTooLong { size } } else { Reason::ValueKeyTooLong { size } }.into());
    }
    let word = key.strip_prefix(sign).unwrap_or_default();
    if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        let key = key.into();
        return Err(if is_name { Reason::NameKeySyntax { key } } else { Reason::ValueKeySyntax { key } }.into());
    }
    Ok(())
}

/// A refusal of the value under `key`.
fn invalid_value(error: kstone_core::Error, key: &str) -> Refusal {
    match error {
        kstone_core::Error::Invalid(refusal) => {
            let refusal = refusal.without_attribute(key);
            Reason::InvalidValue { refusal, key: key.into() }.into()
        }
        other => other.into(),
    }
}
