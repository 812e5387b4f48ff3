//! Building expressions without text: what requests in another form, as DynamoDB's parameters from before expressions,
//! are lowered to.
//!
//! ```text
//! Node, UpdateNode ──build──▶ the same tree as of a text, and its values ──▶ Condition, Update, …
//! ```
//! What is built passes the checks and has the limits of what is parsed, and refuses in the same words. Names are as they
//! are: none is reserved, none a `#name`. Values are copied where an expression is built.
//!
//! | legacy | here |
//! | --- | --- |
//! | EQ, LE, LT, GE, GT | [`Node::compare`] |
//! | NE | [`Node::compare`] with [`Comparator::NotEqual`]: holds, too, where there is no such attribute |
//! | NULL, NOT_NULL | [`Node::not_exists`], [`Node::exists`] |
//! | CONTAINS | [`Node::contains`] |
//! | NOT_CONTAINS | [`Node::not_contains`]: holds, too, where there is no such attribute |
//! | BEGINS_WITH, BETWEEN, IN | [`Node::begins_with`], [`Node::between`], [`Node::is_in`] |
//! | ConditionalOperator | [`Node::and`], [`Node::or`] |
//! | PUT, ADD, DELETE | [`UpdateNode::put`], [`UpdateNode::add`] or [`UpdateNode::append`], [`UpdateNode::delete`] or [`UpdateNode::remove`] |
//! | AttributesToGet | [`projection`] |
//!
//! Invariants: nothing here recurses or keeps more than the limits allow, whatever is put together. Thread safety: plain
//! values.

use kstone_core::error::Unit;
use kstone_core::item::{BODY_MAX_BYTES, NAME_MAX_BYTES, ValueRef};
use std::sync::Arc;

use super::ast::{ProjectionAst, Segment, Symbols, index};
use super::bind::BoundParameters;
use super::parameters::Slot;
use super::parser::INDEX_MAX;
use super::projection::Projection;
use super::{EXPRESSION_MAX_BYTES, Kind, PATH_MAX_LEVELS};
use crate::refusal::{Refusal, Result};
use crate::texts::Reason;

mod condition;
mod update;

pub use super::ast::Comparator;
pub use condition::{Node, Operand};
pub use update::{Source, UpdateNode};

/// The most paths of a projection and actions of an update: as many as a text could hold.
pub const PATHS_MAX: usize = EXPRESSION_MAX_BYTES / 2;

/// A document path: an attribute, and steps into it.
///
/// ```
/// use kstone_expr::expression::build::Path;
/// let second_author = Path::attribute("book").name("authors").index(1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Segment>);

impl Path {
    /// An attribute of the item.
    #[must_use]
    pub fn attribute(name: &str) -> Self {
        Self(vec![Segment::Name(name.into())])
    }

    /// The entry of this name, in the map that the path leads to.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.step(Segment::Name(name.into()))
    }

    /// The element at this index, from 0, of the list that the path leads to.
    #[must_use]
    pub fn index(self, index: u32) -> Self {
        self.step(Segment::Index(index))
    }

    /// One step more; a path that is too long stays as long as shows it.
    fn step(mut self, segment: Segment) -> Self {
        if self.0.len() <= PATH_MAX_LEVELS {
            self.0.push(segment);
        }
        self
    }
}

impl From<&str> for Path {
    fn from(name: &str) -> Self {
        Self::attribute(name)
    }
}

/// A projection of these paths.
///
/// ```
/// use kstone_core::item::{ItemRef, ItemWriter};
/// use kstone_expr::expression::{Subject, build};
///
/// let projection = build::projection(["name", "size"].map(build::Path::attribute))?;
/// let mut item = ItemWriter::new();
/// item.set_str("name", "Al")?.set_i64("age", 30)?;
/// let body = projection.apply(&Subject::new(b"user#1", b"", item.as_item()));
/// assert_eq!(ItemRef::new(&body).get("name").unwrap().as_str(), Some("Al"));
/// assert_eq!(ItemRef::new(&body).len(), 1, "size is a reserved word in a text alone");
/// # Ok::<(), kstone_expr::Refusal>(())
/// ```
///
/// # Errors
/// As [`Projection::parse`], as far as it is not about a text; none and too many paths.
pub fn projection(paths: impl IntoIterator<Item = Path>) -> Result<Projection> {
    let (mut builder, mut ast) = (Builder::new(Kind::Projection), ProjectionAst::default());
    for path in paths {
        check_count("Paths of a projection", ast.paths.len())?;
        ast.paths.push(builder.path(path)?);
    }
    if ast.paths.is_empty() {
        return Err(empty(Kind::Projection));
    }
    ast.symbols = builder.symbols;
    Projection::new(Arc::new(ast))
}

/// Refuses one more than [`PATHS_MAX`].
fn check_count(what: &'static str, there: usize) -> Result<()> {
    if there < PATHS_MAX { Ok(()) } else { Err(Refusal::limit(what, Unit::Entries, PATHS_MAX, there + 1)) }
}

fn empty(kind: Kind) -> Refusal {
    kind.refuse(Reason::ExpressionEmpty)
}

/// Collects the paths and values of an expression.
#[derive(Debug)]
struct Builder {
    kind: Kind,
    symbols: Symbols,
    bag: Vec<u8>,
    slots: Vec<Slot>,
}

impl Builder {
    fn new(kind: Kind) -> Self {
        Self { kind, symbols: Symbols::default(), bag: Vec::new(), slots: Vec::new() }
    }

    /// The index of a path.
    fn path(&mut self, Path(segments): Path) -> Result<u16> {
        for segment in &segments {
            match segment {
                Segment::Name(name) if name.is_empty() => {
                    return Err(self.kind.refuse(Reason::EmptyName));
                }
                Segment::Name(name) if name.len() > NAME_MAX_BYTES => {
                    return Err(Refusal::limit("Attribute name", Unit::Bytes, NAME_MAX_BYTES, name.len()));
                }
                Segment::Index(index) if *index > INDEX_MAX => {
                    return Err(self.kind.refuse(Reason::IndexOutOfRange { index: index.to_string().into() }));
                }
                _ => {}
            }
        }
        if segments.len() > PATH_MAX_LEVELS {
            return Err(self.kind.refuse(Reason::PathTooLong { levels: segments.len() }));
        }
        Ok(self.symbols.add_path(segments))
    }

    /// The index of a value, which is copied.
    fn value(&mut self, value: ValueRef<'_>) -> Result<u16> {
        let bytes = self.bag.len() + value.payload().len();
        if bytes > BODY_MAX_BYTES {
            return Err(Refusal::limit("Values of an expression", Unit::Bytes, BODY_MAX_BYTES, bytes));
        }
        self.slots.push(Slot::append(&mut self.bag, value));
        self.symbols.values.push(format!(":{}", self.slots.len()).into());
        Ok(index(self.slots.len() - 1))
    }

    /// What was collected.
    fn finish(self) -> (Symbols, BoundParameters<'static>) {
        (self.symbols, BoundParameters::owned(self.bag, self.slots))
    }
}
