//! The values of a statement: literals, parameters, and what is made of both.
//!
//! ```text
//! literals   encoded when the statement was parsed                 values   each refers to one of these
//! given      the parameters of this run, where the caller has them
//! made       values that hold parameters, encoded for this run
//! ```
//! Thread safety: immutable once made.

use crate::refusal::{Refusal, Result};
use crate::texts::Reason;
use kstone_core::item::{ItemRef, ItemWriter, ValueRef};
use kstone_core::value::Value;
use smallvec::SmallVec;

use super::ast::{Literal, Template};
use super::fault::Fault;
use crate::expression::Slot;

/// The name that a value has while it is encoded; errors lose it.
const NAME: &str = "value";

/// The values of a statement, by their indexes.
#[derive(Debug, Default)]
pub struct Values {
    literals: Vec<u8>,
    sources: Vec<ValueSource>,
    parameters: usize,
}

/// Values, the few of most statements in place.
pub type ValueRefs<'v> = SmallVec<[ValueRef<'v>; 8]>;

#[derive(Debug)]
enum ValueSource {
    Literal(Slot),
    Parameter(usize),
    Made(Template),
}

impl Values {
    /// For a statement with this many parameters.
    pub(super) fn new(parameters: usize) -> Self {
        Self { parameters, ..Self::default() }
    }

    /// Takes a literal in; its index.
    pub(super) fn add(&mut self, literal: Literal) -> Result<u16, Fault> {
        let Literal { template, at } = literal;
        let source = match template {
            Template::Parameter(parameter) => ValueSource::Parameter(parameter),
            template if template.has_parameters() => ValueSource::Made(template),
            template => {
                let value = template.fill(&[]).map_err(|reason| Fault::new(at, reason))?;
                let body = encode(&value).map_err(|error| Fault::new(at, Reason::Below { error }))?;
                ValueSource::Literal(Slot::append(&mut self.literals, sole(&body)))
            }
        };
        self.sources.push(source);
        Ok(crate::expression::ast::index(self.sources.len() - 1))
    }

    /// A text that the statement implies.
    pub(super) fn add_text(&mut self, text: &str) -> u16 {
        let slot = Slot::append(&mut self.literals, ValueRef::from_parts(kstone_core::value::Type::S, text.as_bytes()));
        self.sources.push(ValueSource::Literal(slot));
        crate::expression::ast::index(self.sources.len() - 1)
    }

    /// The value, where the text says it.
    pub(super) fn literal(&self, value: u16) -> Option<ValueRef<'_>> {
        match self.sources.get(usize::from(value))? {
            ValueSource::Literal(slot) => Some(slot.read(&self.literals)),
            ValueSource::Parameter(_) | ValueSource::Made(_) => None,
        }
    }

    /// How many parameters there are.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// All values, those of the parameters being `given`. What has to be made of parameters lies in `made`.
    ///
    /// # Errors
    /// [`Refusal`] with DynamoDB's text for too few or too many parameters, and for what cannot be a value.
    pub fn bind<'v>(&'v self, given: &[ValueRef<'v>], made: &'v mut Vec<u8>) -> Result<ValueRefs<'v>> {
        if given.len() != self.parameters {
            return Err(self.wrong_number(given.len()));
        }
        let mut slots: SmallVec<[Slot; 4]> = SmallVec::new();
        for source in &self.sources {
            if let ValueSource::Made(template) = source {
                let body = encode(&template.fill(given)?)?;
                slots.push(Slot::append(made, sole(&body)));
            }
        }
        let made: &'v [u8] = made;
        let mut slots = slots.into_iter();
        let value = |source: &ValueSource| match source {
            ValueSource::Literal(slot) => Some(slot.read(&self.literals)),
            ValueSource::Parameter(parameter) => Some(given[*parameter]),
            ValueSource::Made(_) => slots.next().map(|slot| slot.read(made)),
        };
        Ok(self.sources.iter().filter_map(value).collect())
    }

    /// The parameters that a body holds as `?1`, `?2` and so on, in their order.
    ///
    /// # Errors
    /// [`Refusal`] with DynamoDB's text for too few or too many.
    pub fn given<'v>(&self, body: ItemRef<'v>) -> Result<ValueRefs<'v>> {
        let mut given: SmallVec<[Option<ValueRef<'v>>; 8]> = SmallVec::from_elem(None, self.parameters);
        let mut count = 0;
        for (name, value) in body {
            count += 1;
            let at = name.strip_prefix('?').and_then(|digits| digits.parse::<usize>().ok());
            if let Some(place) = at.and_then(|at| given.get_mut(at.checked_sub(1)?)) {
                *place = Some(value);
            }
        }
        let all: Option<ValueRefs<'v>> = given.into_iter().collect();
        all.filter(|all| all.len() == count).ok_or_else(|| self.wrong_number(count))
    }

    #[cold]
    fn wrong_number(&self, found: usize) -> Refusal {
        Reason::ParameterCount { wanted: self.parameters, found }.into()
    }
}

/// Parameters as [`Values::given`] takes them.
///
/// # Errors
/// [`Refusal`] for a value that no item can hold.
pub fn encode_parameters(parameters: &[Value]) -> Result<Vec<u8>> {
    let mut writer = ItemWriter::new();
    for (at, value) in parameters.iter().enumerate() {
        writer.set_value(&format!("?{}", at + 1), value)?;
    }
    Ok(writer.into_body())
}

/// The same of values in the stored form.
pub fn encode_refs(parameters: &[ValueRef<'_>]) -> Result<Vec<u8>> {
    let mut writer = ItemWriter::new();
    for (at, value) in parameters.iter().enumerate() {
        writer.set_ref(&format!("?{}", at + 1), *value)?;
    }
    Ok(writer.into_body())
}

fn encode(value: &Value) -> kstone_core::Result<Vec<u8>> {
    let mut writer = ItemWriter::new();
    writer.set_value(NAME, value).map_err(|error| match error {
        kstone_core::Error::Invalid(refusal) => kstone_core::Error::Invalid(refusal.without_attribute(NAME)),
        other => other,
    })?;
    Ok(writer.into_body())
}

/// The one value of a body that [`encode`] made.
fn sole(body: &[u8]) -> ValueRef<'_> {
    ItemRef::new(body).get(NAME).expect("it was set")
}

impl Template {
    fn has_parameters(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::Parameter(_) => true,
            Self::List(elements) | Self::Set(elements) => elements.iter().any(Self::has_parameters),
            Self::Map(entries) => entries.iter().any(|(_, literal)| literal.template.has_parameters()),
        }
    }

    /// The value with its parameters, or what is wrong with it.
    fn fill(&self, parameters: &[ValueRef<'_>]) -> Result<Value, Reason> {
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Parameter(parameter) => parameters[*parameter].to_value(),
            Self::List(elements) => {
                Value::L(elements.iter().map(|element| element.fill(parameters)).collect::<Result<_, _>>()?)
            }
            Self::Map(entries) => {
                let filled =
                    entries.iter().map(|(name, literal)| Ok((name.clone(), literal.template.fill(parameters)?)));
                Value::M(filled.collect::<Result<_, Reason>>()?)
            }
            Self::Set(elements) => {
                set(elements.iter().map(|element| element.fill(parameters)).collect::<Result<_, _>>()?)?
            }
        })
    }
}

/// A set of these elements.
fn set(elements: Vec<Value>) -> Result<Value, Reason> {
    let mixed = || Reason::MixedBag;
    match elements.first() {
        None => Err(Reason::EmptyBag),
        Some(Value::S(_)) => {
            let text = |value| if let Value::S(text) = value { Some(text) } else { None };
            elements.into_iter().map(text).collect::<Option<_>>().map(Value::SS).ok_or_else(mixed)
        }
        Some(Value::N(_)) => {
            let number = |value| if let Value::N(text) = value { Some(text) } else { None };
            elements.into_iter().map(number).collect::<Option<_>>().map(Value::NS).ok_or_else(mixed)
        }
        Some(Value::B(_)) => {
            let bytes = |value| if let Value::B(bytes) = value { Some(bytes) } else { None };
            elements.into_iter().map(bytes).collect::<Option<_>>().map(Value::BS).ok_or_else(mixed)
        }
        Some(_) => Err(mixed()),
    }
}
