//! Giving an expression its names and values, and seeing that none is missing or left over.
//!
//! Thread safety: one request, one binder; what it makes is immutable.

use std::sync::Arc;

use crate::error::{Error, Result};
use kstone_core::item::ValueRef;
use kstone_core::value::Type;

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
    used: Vec<bool>,
}

impl<'a> Binder<'a> {
    /// A binder for these parameters, all unused.
    #[must_use]
    pub fn new(parameters: &'a Parameters) -> Self {
        Self { parameters, used: vec![false; parameters.len()] }
    }

    /// Ends the binding.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the names, or else the values, that no expression used.
    pub fn finish(self) -> Result<()> {
        let unused = |sign: u8| -> Vec<_> {
            let keys = (0..self.used.len()).filter(|&at| !self.used[at]).map(|at| self.parameters.key(at));
            keys.filter(|key| key.first() == Some(&sign)).map(String::from_utf8_lossy).collect()
        };
        for (sign, map) in [(b'#', "ExpressionAttributeNames"), (b':', "ExpressionAttributeValues")] {
            let keys = unused(sign);
            if !keys.is_empty() {
                let keys = keys.join(", ");
                return Err(Error::Invalid(format!("Value provided in {map} unused in expressions: keys: {{{keys}}}")));
            }
        }
        Ok(())
    }

    /// What the symbols of an expression stand for.
    pub(super) fn bind(&mut self, kind: Kind, symbols: &Symbols) -> Result<BoundParameters> {
        let mut find = |key: &str, what: &str| match self.parameters.find(key) {
            Some((entry, slot)) => {
                self.used[entry] = true;
                Ok(slot)
            }
            None => Err(kind.invalid(&format!("{what}: {key}"))),
        };
        let mut names = Vec::with_capacity(symbols.aliases.len());
        for alias in &symbols.aliases {
            let what = "An expression attribute name used in the document path is not defined; attribute name";
            let name = find(alias, what)?.read(self.parameters.bag());
            names.push(name.as_str().unwrap_or_default().into());
        }
        let mut values = Vec::with_capacity(symbols.values.len());
        for value in &symbols.values {
            let what = "An expression attribute value used in expression is not defined; attribute value";
            values.push(find(value, what)?);
        }
        Ok(BoundParameters { bag: Arc::clone(self.parameters.bag()), names: names.into(), values: values.into() })
    }
}

/// What the `#names` and `:values` of one expression stand for, by their indexes.
#[derive(Debug, Clone)]
pub(crate) struct BoundParameters {
    bag: Arc<[u8]>,
    names: Box<[Box<str>]>,
    values: Arc<[Slot]>,
}

impl BoundParameters {
    /// Values that lie in this bag, for what was parsed without `#names`.
    pub(crate) fn new(bag: Arc<[u8]>, values: Arc<[Slot]>) -> Self {
        Self { bag, names: Box::default(), values }
    }

    #[inline]
    pub(super) fn name(&self, alias: u16) -> &str {
        &self.names[usize::from(alias)]
    }

    #[inline]
    pub(crate) fn value(&self, value: u16) -> ValueRef<'_> {
        self.values[usize::from(value)].read(&self.bag)
    }

    pub(crate) fn type_of(&self, value: u16) -> Type {
        self.values[usize::from(value)].type_()
    }
}
