//! What parsing an expression gives: plain data without names or values, shared by all requests with the same text.
//!
//! A condition is a little program over one truth value, so that evaluating it neither recurses nor allocates:
//!
//! ```text
//! a = :x AND (b = :y OR NOT c = :z)      0 Test(a = :x)
//!                                        1 AndThen(6)      ends here, at 6, if false
//!                                        2 Test(b = :y)
//!                                        3 OrElse(6)       ends here, at 6, if true
//!                                        4 Test(c = :z)
//!                                        5 Not
//! ```
//! Everything refers to everything else by index. An expression's text has at most
//! [`EXPRESSION_MAX_BYTES`](super::EXPRESSION_MAX_BYTES) bytes, so a `u16` indexes whatever it can hold.
//!
//! Thread safety: immutable once made.

use std::sync::Arc;

/// One step of a document path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A name as it stands in the text.
    Name(Box<str>),
    /// A `#name`: its index among the expression's aliases.
    Alias(u16),
    /// `[n]`.
    Index(u32),
}

/// The paths, `#names` and `:values` of an expression, in order of appearance and once each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Symbols {
    pub(crate) paths: Vec<Box<[Segment]>>,
    /// Whether a path appears more than once.
    pub(crate) repeats_paths: bool,
    pub(crate) aliases: Vec<Box<str>>,
    pub(crate) values: Vec<Box<str>>,
}

impl Symbols {
    pub(crate) fn add_path(&mut self, path: Vec<Segment>) -> u16 {
        if let Some(at) = self.paths.iter().position(|other| **other == *path) {
            self.repeats_paths = true;
            return index(at);
        }
        self.paths.push(path.into_boxed_slice());
        index(self.paths.len() - 1)
    }

    pub(crate) fn add_alias(&mut self, alias: &str) -> u16 {
        intern(&mut self.aliases, alias)
    }

    pub(crate) fn add_value(&mut self, value: &str) -> u16 {
        intern(&mut self.values, value)
    }
}

fn intern(known: &mut Vec<Box<str>>, text: &str) -> u16 {
    let at = known.iter().position(|other| **other == *text).unwrap_or_else(|| {
        known.push(text.into());
        known.len() - 1
    });
    index(at)
}

/// An index into something that an expression holds.
pub(crate) fn index(at: usize) -> u16 {
    u16::try_from(at).expect("an expression of 4 KB holds fewer than 65,536 of anything")
}

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operand {
    Path(u16),
    Value(u16),
    SizeOfPath(u16),
    SizeOfValue(u16),
}

/// The six comparators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    /// The comparator with its sides exchanged.
    pub(crate) fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// What is true or false of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Predicate {
    Compare(Comparator, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Box<[Operand]>),
    Exists(u16),
    NotExists(u16),
    HasType(Operand, Operand),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
    /// What DynamoDB says of an operand or a function that can never be valid, once names and values are known.
    Fault(Box<str>),
}

/// One step of a condition's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Asks this predicate.
    Test(u16),
    Not,
    /// Goes on where the answer is true, to that step where it is false.
    AndThen(u16),
    /// Goes on where the answer is false, to that step where it is true.
    OrElse(u16),
}

/// A condition, filter or key condition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ConditionAst {
    pub(crate) symbols: Symbols,
    pub(crate) predicates: Vec<Predicate>,
    pub(crate) steps: Vec<Step>,
}

/// A projection: its paths, in order of appearance.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ProjectionAst {
    pub(crate) symbols: Symbols,
    pub(crate) paths: Vec<u16>,
}

/// An update.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct UpdateAst {
    pub(crate) symbols: Symbols,
    pub(crate) sources: Vec<OperandSource>,
    pub(crate) actions: Vec<Action>,
    /// The actions by their paths, where these are sound and no `#name` is needed to tell.
    pub(crate) order: Option<Arc<[u16]>>,
}

/// Where SET takes a value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OperandSource {
    Path(u16),
    Value(u16),
    /// What the path holds, or else another source.
    IfNotExists(u16, u16),
}

/// What SET makes of its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NewValue {
    Source(u16),
    Plus(u16, u16),
    Minus(u16, u16),
    ListAppend(u16, u16),
    /// As [`Predicate::Fault`].
    Fault(Box<str>),
}

/// What one action does with its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verb {
    Set(NewValue),
    Remove,
    Add(u16),
    Delete(u16),
}

/// One action of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Action {
    pub(crate) path: u16,
    pub(crate) verb: Verb,
}
