//! Projections: the parts of an item that paths lead to, in the places where they are in it.
//!
//! ```text
//! projection := path (',' path)*
//!
//! a.b[2].y, a.c    of    {"a": M {"b": L [1, 2, {"x": 3, "y": 4}], "c": 5, "d": 6}}
//!                  is    {"a": M {"b": L [{"y": 4}], "c": 5}}
//! ```
//! Maps keep the way to what was asked for, lists the chosen elements in their order without gaps. A path that leads
//! nowhere leaves nothing behind.
//!
//! Thread safety: immutable.

use std::sync::Arc;

use crate::refusal::Result;
use kstone_core::item::{ValueRef, parts};
use kstone_core::value::Type;

use super::Kind;
use super::ast::{ProjectionAst, Segment, Symbols};
use super::bind::{Binder, BoundParameters};
use super::lexer::Token;
use super::parser::Parser;
use super::path::Place;
use super::resolve::{entries, seek};
use super::subject::Subject;

/// A projection, ready to be taken of items.
///
/// ```
/// use kstone_expr::expression::{Binder, Parameters, Projection, Subject};
/// use kstone_core::item::{ItemRef, ItemWriter};
///
/// let nothing = Parameters::new();
/// let projection = Projection::parse("age, pk", &mut Binder::new(&nothing))?;
/// let mut item = ItemWriter::new();
/// item.set_str("nickname", "Al")?.set_i64("age", 30)?;
/// let body = projection.apply(&Subject::new(b"user#1", b"", item.as_item()));
/// assert_eq!(ItemRef::new(&body).iter().map(|(name, _)| name).collect::<Vec<_>>(), ["age", "pk"]);
/// # Ok::<(), kstone_expr::Refusal>(())
/// ```
#[derive(Debug, Clone)]
pub struct Projection {
    ast: Arc<ProjectionAst>,
    bound: BoundParameters<'static>,
    /// The paths, those with a common beginning together.
    order: Arc<[u16]>,
}

/// Parses a projection.
pub(super) fn parse(text: &str) -> Result<ProjectionAst> {
    let mut parser = Parser::new(Kind::Projection, text, &[])?;
    let mut paths = vec![parser.path()?];
    while parser.cursor.take(Token::Comma) {
        paths.push(parser.path()?);
    }
    if parser.cursor.token() != Token::End {
        return Err(parser.cursor.syntax_error());
    }
    Ok(ProjectionAst { symbols: parser.finish()?, paths })
}

impl Projection {
    /// Parses and binds. [`ExpressionCache::projection`](super::ExpressionCache::projection) parses each text once.
    ///
    /// # Errors
    /// [`Refusal`](crate::Refusal) with DynamoDB's text, also for paths that overlap or conflict.
    pub fn parse(text: &str, binder: &mut Binder<'_>) -> Result<Self> {
        Self::bind(Arc::new(parse(text)?), binder)
    }

    pub(super) fn bind(ast: Arc<ProjectionAst>, binder: &mut Binder<'_>) -> Result<Self> {
        let bound = binder.bind(Kind::Projection, &ast.symbols)?;
        Self::with_names(ast, bound)
    }

    /// A projection without `#names`.
    ///
    /// # Errors
    /// As [`Projection::parse`], for paths that overlap or conflict.
    pub fn new(ast: Arc<ProjectionAst>) -> Result<Self> {
        Self::with_names(ast, BoundParameters::lent(&[]))
    }

    fn with_names(ast: Arc<ProjectionAst>, bound: BoundParameters<'static>) -> Result<Self> {
        // Refuses a path that is there twice, so that what it says of their places is also said of their numbers.
        let order = bound.in_order(Kind::Projection, &ast.symbols, &ast.paths)?.into();
        Ok(Self { ast, bound, order })
    }

    /// The body of what the projection leaves of an item. Copies what it takes, once for each level of its path.
    #[must_use]
    pub fn apply(&self, subject: &Subject<'_>) -> Vec<u8> {
        select(&self.ast.symbols, &self.bound, &self.order, subject)
    }

    /// The names of the attributes that the paths begin with, ascending, some maybe more than once.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(|&path| self.bound.root(&self.ast.symbols.paths[usize::from(path)]))
    }

    /// The names of those attributes that its paths go into.
    pub fn nested_attributes(&self) -> impl Iterator<Item = &str> {
        self.ast.symbols.paths.iter().filter(|path| path.len() > 1).map(|path| self.bound.root(path))
    }
}

/// The body of what these paths, in [`BoundParameters::in_order`], lead to.
pub(super) fn select(symbols: &Symbols, bound: &BoundParameters, order: &[u16], subject: &Subject<'_>) -> Vec<u8> {
    let selection = ProjectedPaths { symbols, bound };
    let mut body = Vec::new();
    let mut attributes = entries(subject.item().raw_iter());
    for group in selection.groups(order, 0) {
        let Some(Place::Name(name)) = selection.place(group, 0) else { continue };
        let value = if subject.is_key(name) { subject.get(name) } else { seek(&mut attributes, name.as_bytes()) };
        if let Some(value) = value {
            selection.take(value, group, 1, |value| parts::append_entry(&mut body, name, value));
        }
    }
    body
}

struct ProjectedPaths<'a> {
    symbols: &'a Symbols,
    bound: &'a BoundParameters<'a>,
}

impl<'a> ProjectedPaths<'a> {
    fn path(&self, path: u16) -> &'a [Segment] {
        &self.symbols.paths[usize::from(path)]
    }

    /// The step at this depth of the first path.
    fn place(&self, group: &[u16], depth: usize) -> Option<Place<'a>> {
        self.path(*group.first()?).get(depth).map(|segment| self.bound.place(segment))
    }

    /// The paths that have the step at this depth in common; all before it they have.
    fn groups<'g>(&self, order: &'g [u16], depth: usize) -> impl Iterator<Item = &'g [u16]> {
        order.chunk_by(move |&a, &b| self.place(&[a], depth) == self.place(&[b], depth))
    }

    /// Puts down what the paths of a group, followed to this depth, take of a value. Recurses once a level of the paths,
    /// of which there are at most [`super::PATH_MAX_LEVELS`].
    fn take(&self, value: ValueRef<'_>, group: &[u16], depth: usize, put: impl FnOnce(ValueRef<'_>)) {
        if self.place(group, depth).is_none() {
            return put(value);
        }
        let mut payload = Vec::new();
        let mut attributes = entries(value.map().unwrap_or_default().raw_iter());
        let mut elements = entries((0..).zip(value.list()));
        for group in self.groups(group, depth) {
            match (self.place(group, depth), value.type_()) {
                (Some(Place::Name(name)), Type::M) => {
                    if let Some(found) = seek(&mut attributes, name.as_bytes()) {
                        self.nested(found, group, depth, &mut |value| parts::append_entry(&mut payload, name, value));
                    }
                }
                (Some(Place::Index(index)), Type::L) => {
                    if let Some(found) = seek(&mut elements, index) {
                        self.nested(found, group, depth, &mut |value| parts::append_value(&mut payload, value));
                    }
                }
                _ => {}
            }
        }
        if !payload.is_empty() {
            put(ValueRef::from_parts(value.type_(), &payload));
        }
    }

    /// [`ProjectedPaths::take`] one level deeper, through one type of callback.
    fn nested(&self, value: ValueRef<'_>, group: &[u16], depth: usize, put: &mut dyn FnMut(ValueRef<'_>)) {
        self.take(value, group, depth + 1, put);
    }
}
