//! Expressions whose `#names` are known, and whose `:values` are given for each run.
//!
//! ```text
//! text ──parse──▶ tree ──names──▶ PreparedExpression ──values of a run──▶ Condition, Update, …
//!                                  once                 lent, not copied
//! ```
//! A request may have several expressions, which share the request's parameters: each knows at which positions its own
//! values stand among them.
//!
//! Thread safety: immutable once made.

use std::sync::Arc;

use crate::refusal::{Refusal, Result};
use crate::texts::{Keys, Reason};
use kstone_core::item::ValueRef;

use super::ast::{Action, ConditionAst, NewValue, Predicate, ProjectionAst, Segment, Symbols, UpdateAst, Verb, index};
use super::bind::{Binder, BoundParameters};
use super::parameters::Parameters;
use super::{ExpressionCache, Kind};

/// What every sort of expression has: paths, names and values.
pub trait Expression: Clone {
    /// They are in here.
    fn symbols(&mut self) -> &mut Symbols;
}

impl Expression for ConditionAst {
    fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }
}

impl Expression for ProjectionAst {
    fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }
}

impl Expression for UpdateAst {
    fn symbols(&mut self) -> &mut Symbols {
        &mut self.symbols
    }
}

/// An expression without `#names`.
#[derive(Debug, Clone)]
pub struct PreparedExpression<T> {
    /// What the text was parsed to, with names in place of `#names`.
    pub ast: Arc<T>,
    /// For each of its values: the position among the parameters of the request; empty where they are the first of
    /// these, in their order.
    positions: Box<[u16]>,
}

impl<T> PreparedExpression<T> {
    /// Its values, of those that a run gives.
    pub fn bound<'v>(&'v self, given: &'v [ValueRef<'v>]) -> BoundParameters<'v> {
        match &*self.positions {
            [] => BoundParameters::lent(given),
            positions => BoundParameters::chosen(given, positions),
        }
    }
}

/// The parameters of a request, in the order of their first appearance.
#[derive(Debug, Clone, Default)]
pub struct ParameterNames(Box<[Box<str>]>);

impl ParameterNames {
    /// Those of a statement: `?1`, `?2` and so on.
    pub fn numbered(count: usize) -> Self {
        Self((1..=count).map(|number| format!("?{number}").into()).collect())
    }

    /// The names, with their sign.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// Refuses values that are not as many as the parameters.
    ///
    /// # Errors
    /// [`Refusal`] that names the parameters.
    #[inline]
    pub fn check(&self, found: usize) -> Result<()> {
        if found == self.0.len() { Ok(()) } else { Err(self.wrong_number(found)) }
    }

    #[cold]
    fn wrong_number(&self, found: usize) -> Refusal {
        Reason::PreparedValues { names: Keys(self.0.clone()), found }.into()
    }
}

/// Prepares the expressions of one request, which may have names of their own and share the parameters.
pub struct Preparing<'a> {
    cache: &'a ExpressionCache,
    parameters: Vec<Box<str>>,
}

impl<'a> Preparing<'a> {
    /// None yet; texts are parsed through this cache.
    pub fn new(cache: &'a ExpressionCache) -> Self {
        Self { cache, parameters: Vec::new() }
    }

    /// A condition or filter.
    ///
    /// # Errors
    /// As [`ExpressionCache::condition`], as far as no value is needed to tell.
    pub fn condition(
        &mut self,
        kind: Kind,
        text: &str,
        names: &mut Binder<'_>,
    ) -> Result<PreparedExpression<ConditionAst>> {
        let ast = self.cache.parsed_condition(kind, text)?;
        let prepared = self.expression(kind, ast, names)?;
        let fault = |predicate: &Predicate| {
            if let Predicate::Fault(reason) = predicate { Some(kind.refuse((**reason).clone())) } else { None }
        };
        prepared.ast.predicates.iter().find_map(fault).map_or(Ok(prepared), Err)
    }

    /// A projection.
    ///
    /// # Errors
    /// As [`ExpressionCache::projection`].
    pub fn projection(&mut self, text: &str, names: &mut Binder<'_>) -> Result<PreparedExpression<ProjectionAst>> {
        let ast = self.cache.parsed_projection(text)?;
        self.expression(Kind::Projection, ast, names)
    }

    /// An update.
    ///
    /// # Errors
    /// As [`ExpressionCache::update`], as far as no value is needed to tell.
    pub fn update(&mut self, text: &str, names: &mut Binder<'_>) -> Result<PreparedExpression<UpdateAst>> {
        let ast = self.cache.parsed_update(text)?;
        let prepared = self.expression(Kind::Update, ast, names)?;
        let fault = |action: &Action| match &action.verb {
            Verb::Set(NewValue::Fault(reason)) => Some(Kind::Update.refuse((**reason).clone())),
            _ => None,
        };
        prepared.ast.actions.iter().find_map(fault).map_or(Ok(prepared), Err)
    }

    fn expression<T: Expression>(
        &mut self,
        kind: Kind,
        ast: Arc<T>,
        names: &mut Binder<'_>,
    ) -> Result<PreparedExpression<T>> {
        let mut ast = (*ast).clone();
        let symbols = ast.symbols();
        let names = names.names(kind, symbols)?;
        symbols.aliases.clear();
        for segment in symbols.paths.iter_mut().flatten() {
            if let Segment::Alias(alias) = segment {
                *segment = Segment::Name(names[usize::from(*alias)].clone());
            }
        }
        let mut positions: Vec<u16> = symbols.values.iter().map(|value| self.position(value)).collect();
        if positions.iter().enumerate().all(|(at, &position)| at == usize::from(position)) {
            positions.clear();
        }
        let positions = positions.into();
        Ok(PreparedExpression { ast: Arc::new(ast), positions })
    }

    fn position(&mut self, value: &str) -> u16 {
        let known = self.parameters.iter().position(|other| **other == *value);
        index(known.unwrap_or_else(|| {
            self.parameters.push(value.into());
            self.parameters.len() - 1
        }))
    }

    /// How many parameters there are so far.
    pub fn count(&self) -> usize {
        self.parameters.len()
    }

    /// Ends the request: its parameters.
    pub fn finish(self) -> ParameterNames {
        ParameterNames(self.parameters.into())
    }
}

/// A binder of what is given when expressions are prepared.
///
/// # Errors
/// [`Refusal`] where there are values among the names: those are given for each run.
pub fn binder_of_names(names: &Parameters) -> Result<Binder<'_>> {
    match (0..names.len()).map(|at| names.key(at)).find(|key| key.first() != Some(&b'#')) {
        None => Ok(Binder::new(names)),
        Some(value) => Err(Reason::ValueAmongNames { key: String::from_utf8_lossy(value).into() }.into()),
    }
}
