//! Giving an expression its names and values, and seeing that none is missing or left over.
//!
//! Thread safety: one request, one binder; what it makes is immutable.

use std::sync::Arc;

use crate::refusal::Result;
use crate::texts::{Keys, Reason};
use kstone_core::item::ValueRef;
use kstone_core::key_layout::KeyLayout;
use kstone_core::value::Type;
use smallvec::SmallVec;

use super::Kind;
use super::ast::Symbols;
use super::parameters::{Parameters, Slot};

/// Binds the expressions of one request to its parameters and knows which of them were used.
///
/// DynamoDB looks at a request as a whole: a name or value that none of its expressions uses is an error. So bind them
/// all through one binder, then call [`Binder::finish`].
#[derive(Debug)]
pub struct Binder<'a> {
    parameters: &'a Parameters,
    /// None before the table is known.
    layout: Option<&'a KeyLayout>,
    used: SmallVec<[bool; 16]>,
}

impl<'a> Binder<'a> {
    /// A binder for these parameters, all unused, and for an untyped table.
    #[must_use]
    pub fn new(parameters: &'a Parameters) -> Self {
        Self::for_table(parameters, KeyLayout::untyped())
    }

    /// The same for a table of this key.
    #[must_use]
    pub fn for_table(parameters: &'a Parameters, layout: &'a KeyLayout) -> Self {
        Self { layout: Some(layout), ..Self::before_table(parameters) }
    }

    /// The same for expressions whose table is looked for after them, which is a typed one. That an update leaves its key
    /// alone is then for [`Update::refuse_key`](super::Update::refuse_key) to see.
    #[must_use]
    pub fn before_table(parameters: &'a Parameters) -> Self {
        Self { parameters, layout: None, used: SmallVec::from_elem(false, parameters.len()) }
    }

    /// The key of the table that the expressions are about, where it is known.
    pub(super) fn layout(&self) -> Option<&'a KeyLayout> {
        self.layout
    }

    /// Ends the binding.
    ///
    /// # Errors
    /// [`Refusal`](crate::Refusal) naming the names, or else the values, that no expression used.
    pub fn finish(self) -> Result<()> {
        let unused = |sign: u8| -> Box<[Box<str>]> {
            let keys = (0..self.used.len()).filter(|&at| !self.used[at]).map(|at| self.parameters.key(at));
            keys.filter(|key| key.first() == Some(&sign)).map(|key| String::from_utf8_lossy(key).into()).collect()
        };
        let (names, values) = (Keys(unused(b'#')), Keys(unused(b':')));
        if !names.0.is_empty() {
            return Err(Reason::UnusedNames { keys: names }.into());
        }
        if !values.0.is_empty() {
            return Err(Reason::UnusedValues { keys: values }.into());
        }
        Ok(())
    }

    /// What the symbols of an expression stand for.
    pub(super) fn bind(&mut self, kind: Kind, symbols: &Symbols) -> Result<BoundParameters<'static>> {
        let names = self.names(kind, symbols)?;
        let mut values = Vec::with_capacity(symbols.values.len());
        for value in &symbols.values {
            let undefined = || kind.refuse(Reason::UndefinedValue { key: value.clone() });
            values.push(self.find(value).ok_or_else(undefined)?);
        }
        Ok(self.bound(names, values))
    }

    /// What the symbols stand for as far as values are defined, and how many of them are before the first that is not.
    pub(super) fn bind_first(&mut self, kind: Kind, symbols: &Symbols) -> Result<(BoundParameters<'static>, usize)> {
        let names = self.names(kind, symbols)?;
        let values: Vec<Slot> = symbols.values.iter().map_while(|value| self.find(value)).collect();
        let defined = values.len();
        Ok((self.bound(names, values), defined))
    }

    fn bound(&self, names: Vec<Box<str>>, values: Vec<Slot>) -> BoundParameters<'static> {
        let values = BoundValues::Bag(Arc::clone(self.parameters.bag()), values.into());
        BoundParameters { names: names.into(), values }
    }

    /// What the `#names` of an expression stand for.
    pub(super) fn names(&mut self, kind: Kind, symbols: &Symbols) -> Result<Vec<Box<str>>> {
        let mut names = Vec::with_capacity(symbols.aliases.len());
        for alias in &symbols.aliases {
            let undefined = || kind.refuse(Reason::UndefinedName { key: alias.clone() });
            let name = self.find(alias).ok_or_else(undefined)?.read(self.parameters.bag());
            names.push(name.as_str().unwrap_or_default().into());
        }
        Ok(names)
    }

    fn find(&mut self, key: &str) -> Option<Slot> {
        let (entry, slot) = self.parameters.find(key)?;
        self.used[entry] = true;
        Some(slot)
    }
}

/// What the `#names` and `:values` of one expression stand for, by their indexes.
#[derive(Debug, Clone)]
pub struct BoundParameters<'v> {
    names: Box<[Box<str>]>,
    values: BoundValues<'v>,
}

/// Where values lie.
#[derive(Debug, Clone)]
enum BoundValues<'v> {
    /// In a bag that is kept with them.
    Bag(Arc<[u8]>, Arc<[Slot]>),
    /// With the caller, who lends them for one call.
    Lent(&'v [ValueRef<'v>]),
    /// The same, those at these positions.
    Chosen(&'v [ValueRef<'v>], &'v [u16]),
}

impl<'v> BoundParameters<'v> {
    /// Values that the caller lends, for what has no `#names`.
    pub fn lent(values: &'v [ValueRef<'v>]) -> Self {
        Self { names: Box::default(), values: BoundValues::Lent(values) }
    }

    /// The values at these positions of those that the caller lends, for what has no `#names`.
    pub fn chosen(values: &'v [ValueRef<'v>], positions: &'v [u16]) -> Self {
        Self { names: Box::default(), values: BoundValues::Chosen(values, positions) }
    }

    /// Values in a bag of their own, for what has no `#names`.
    pub(super) fn owned(bag: Vec<u8>, slots: Vec<Slot>) -> BoundParameters<'static> {
        BoundParameters { names: Box::default(), values: BoundValues::Bag(bag.into(), slots.into()) }
    }

    /// The same with values of its own: a copy of those that are lent.
    pub fn into_owned(self) -> BoundParameters<'static> {
        let own = |values: &mut dyn Iterator<Item = ValueRef<'_>>| {
            let (mut bag, mut slots) = (Vec::new(), Vec::new());
            for value in values {
                slots.push(Slot::append(&mut bag, value));
            }
            BoundValues::Bag(bag.into(), slots.into())
        };
        let values = match self.values {
            BoundValues::Bag(bag, slots) => BoundValues::Bag(bag, slots),
            BoundValues::Lent(values) => own(&mut values.iter().copied()),
            BoundValues::Chosen(values, positions) => {
                own(&mut positions.iter().map(|&position| values[usize::from(position)]))
            }
        };
        BoundParameters { names: self.names, values }
    }

    #[inline]
    pub(super) fn name(&self, alias: u16) -> &str {
        &self.names[usize::from(alias)]
    }

    #[inline]
    /// The value of this index.
    pub fn value(&self, value: u16) -> ValueRef<'_> {
        match &self.values {
            BoundValues::Bag(bag, slots) => slots[usize::from(value)].read(bag),
            BoundValues::Lent(values) => values[usize::from(value)],
            BoundValues::Chosen(values, positions) => values[usize::from(positions[usize::from(value)])],
        }
    }

    /// The type of the value of this index.
    pub fn type_of(&self, value: u16) -> Type {
        self.value(value).type_()
    }
}
