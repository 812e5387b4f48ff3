//! What a statement says, as its grammar reads it. [`super::lower`] makes of it what is executed.

use std::ops::Range;

use kstone_core::value::Value;

use crate::expression::ast::{Comparator, Segment};

/// A statement.
#[derive(Debug)]
pub(super) struct Ast {
    /// Whether the plan is asked for, instead of the rows.
    pub(super) explain: bool,
    pub(super) verb: AstVerb,
}

#[derive(Debug)]
pub(super) enum AstVerb {
    Select(AstSelect),
    /// `EXISTS (SELECT …)`, a condition of a transaction.
    Exists(AstSelect),
    Insert(ReadTarget, Literal),
    Update(AstUpdate),
    Delete(AstDelete),
}

/// A name and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// A table, or an index of it.
#[derive(Debug)]
pub(super) struct ReadTarget {
    pub(super) table: Name,
    pub(super) index: Option<Name>,
}

#[derive(Debug)]
pub(super) struct AstSelect {
    /// What is selected; nothing stands for `*`.
    pub(super) list: Vec<AstColumn>,
    pub(super) source: ReadTarget,
    pub(super) condition: Option<Clause>,
    pub(super) group_by: Vec<Path>,
    pub(super) order_by: Vec<(Path, bool)>,
    pub(super) limit: Option<Literal>,
    pub(super) offset: Option<Literal>,
}

#[derive(Debug)]
pub(super) struct AstColumn {
    pub(super) what: AstCell,
    pub(super) alias: Option<Name>,
    pub(super) at: usize,
}

#[derive(Debug)]
pub(super) enum AstCell {
    Path(Path),
    /// An aggregate; `COUNT(*)` has no path.
    Aggregate(Aggregate, Option<Path>),
}

/// What is made of a column over many items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// Their sum.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Their mean.
    Avg,
}

impl Aggregate {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Count, Self::Sum, Self::Min, Self::Max, Self::Avg];

    /// Its name in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Avg => "AVG",
        }
    }
}

#[derive(Debug)]
pub(super) struct AstUpdate {
    pub(super) source: ReadTarget,
    pub(super) actions: Vec<(Path, AstAction)>,
    pub(super) condition: Option<Clause>,
    pub(super) returning: Option<Returning>,
    /// Where a WHERE is missed.
    pub(super) end: usize,
}

#[derive(Debug)]
pub(super) enum AstAction {
    Set(Expr),
    Remove,
}

/// What SET gives a path.
#[derive(Debug)]
pub(super) enum Expr {
    Literal(Literal),
    Path(Path),
    Call(Name, Vec<Expr>),
    Plus(Box<Expr>, Box<Expr>),
    Minus(Box<Expr>, Box<Expr>),
}

#[derive(Debug)]
pub(super) struct AstDelete {
    pub(super) source: ReadTarget,
    pub(super) condition: Option<Clause>,
    pub(super) returning: Option<Returning>,
    pub(super) end: usize,
}

/// What a write gives back of its item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Returning {
    /// The attributes that were written, or all of them.
    pub modified: bool,
    /// As they are, or as they were.
    pub new: bool,
    /// Where it stands in the statement.
    pub at: usize,
}

/// A condition and where it stands.
#[derive(Debug)]
pub(super) struct Clause {
    pub(super) tree: Tree,
    pub(super) span: Range<usize>,
}

/// How conditions hold together. No deeper than [`super::NESTING_MAX_LEVELS`].
#[derive(Debug)]
pub(super) enum Tree {
    And(Vec<Clause>),
    Or(Vec<Clause>),
    Not(Box<Clause>),
    Test(Test),
}

/// What is asked of an item.
#[derive(Debug)]
pub(super) enum Test {
    Compare(Comparator, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    /// Whether the path holds a value of one of these types.
    IsOneOf(Path, &'static [&'static str]),
    HasType(Operand, Operand),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

#[derive(Debug)]
pub(super) enum Operand {
    Path(Path),
    Literal(Literal),
    SizeOfPath(Path),
    SizeOfLiteral(Literal),
}

/// A document path; its first segment is a name.
#[derive(Debug, Clone)]
pub(super) struct Path {
    pub(super) segments: Vec<Segment>,
    pub(super) at: usize,
}

/// A value in the text, which may hold parameters.
#[derive(Debug, Clone)]
pub(super) struct Literal {
    pub(super) template: Template,
    pub(super) at: usize,
}

/// A value with places for parameters. No deeper than [`super::NESTING_MAX_LEVELS`].
#[derive(Debug, Clone)]
pub(super) enum Template {
    Value(Value),
    Parameter(usize),
    List(Vec<Template>),
    Map(Vec<(String, Literal)>),
    Set(Vec<Template>),
}
