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

use crate::texts::Reason;

/// One step of a document path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A name as it stands in the text.
    Name(Box<str>),
    /// A `#name`: its index among the expression's aliases.
    Alias(u16),
    /// `[n]`.
    Index(u32),
}

/// The paths, `#names` and `:values` of an expression, in order of appearance and once each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Symbols {
    /// The paths, by their indexes.
    pub paths: Vec<Box<[Segment]>>,
    /// Whether a path appears more than once.
    pub repeats_paths: bool,
    /// The `#names`, with their sign.
    pub aliases: Vec<Box<str>>,
    /// The `:values`, with their sign.
    pub values: Vec<Box<str>>,
}

impl Symbols {
    /// Takes a path in; its index.
    pub fn add_path(&mut self, path: Vec<Segment>) -> u16 {
        if let Some(at) = self.paths.iter().position(|other| **other == *path) {
            self.repeats_paths = true;
            return index(at);
        }
        self.paths.push(path.into_boxed_slice());
        index(self.paths.len() - 1)
    }

    /// Takes a `#name` in; its index.
    pub fn add_alias(&mut self, alias: &str) -> u16 {
        intern(&mut self.aliases, alias)
    }

    /// Takes a `:value` in; its index.
    pub fn add_value(&mut self, value: &str) -> u16 {
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
pub fn index(at: usize) -> u16 {
    u16::try_from(at).expect("an expression of 4 KB holds fewer than 65,536 of anything")
}

/// What a condition compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// What the path of this index leads to.
    Path(u16),
    /// The value of this index.
    Value(u16),
    /// `size` of what the path leads to.
    SizeOfPath(u16),
    /// `size` of the value.
    SizeOfValue(u16),
}

impl Operand {
    /// The index of the value that it names, if it names one.
    fn value(self) -> Option<u16> {
        match self {
            Self::Value(value) | Self::SizeOfValue(value) => Some(value),
            Self::Path(_) | Self::SizeOfPath(_) => None,
        }
    }
}

/// The six comparators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparator {
    /// The comparator with its sides exchanged.
    pub fn turned(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal | Self::NotEqual => self,
        }
    }

    /// The comparator as it is written.
    pub fn name(self) -> &'static str {
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
pub enum Predicate {
    /// That there is an item.
    Present,
    /// That there is no item.
    Absent,
    /// How two operands compare.
    Compare(Comparator, Operand, Operand),
    /// `BETWEEN`: the first from the second to the third, both included.
    Between(Operand, Operand, Operand),
    /// `IN`: equal to one of the list.
    In(Operand, Box<[Operand]>),
    /// `attribute_exists`
    Exists(u16),
    /// `attribute_not_exists`
    NotExists(u16),
    /// `attribute_type`: the first has the type that the second names.
    HasType(Operand, Operand),
    /// `begins_with`: the first begins with the second.
    BeginsWith(Operand, Operand),
    /// `contains`: the first holds the second.
    Contains(Operand, Operand),
    /// That the first does not hold the second, or is not there: NOT_CONTAINS of the parameters before expressions.
    NotContains(Operand, Operand),
    /// Why an operand or a function can never be valid: said once names and values are known.
    Fault(Box<Reason>),
}

impl Predicate {
    /// The indexes of the values that it names, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = u16> {
        let (some, list): ([Option<Operand>; 3], &[Operand]) = match self {
            Self::Present | Self::Absent | Self::Exists(_) | Self::NotExists(_) | Self::Fault(_) => ([None; 3], &[]),
            Self::Compare(_, a, b)
            | Self::HasType(a, b)
            | Self::BeginsWith(a, b)
            | Self::Contains(a, b)
            | Self::NotContains(a, b) => ([Some(*a), Some(*b), None], &[]),
            Self::Between(a, b, c) => ([Some(*a), Some(*b), Some(*c)], &[]),
            Self::In(a, list) => ([Some(*a), None, None], list),
        };
        some.into_iter().flatten().chain(list.iter().copied()).filter_map(Operand::value)
    }
}

/// One step of a condition's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Asks this predicate.
    Test(u16),
    /// Turns the answer round.
    Not,
    /// Goes on where the answer is true, to that step where it is false.
    AndThen(u16),
    /// Goes on where the answer is false, to that step where it is true.
    OrElse(u16),
}

/// A condition, filter or key condition.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ConditionAst {
    /// What it refers to.
    pub symbols: Symbols,
    /// What is asked.
    pub predicates: Vec<Predicate>,
    /// The program that asks.
    pub steps: Vec<Step>,
}

/// A projection: its paths, in order of appearance.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ProjectionAst {
    /// What it refers to.
    pub symbols: Symbols,
    /// Its paths, in order of appearance.
    pub paths: Vec<u16>,
}

/// An update.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct UpdateAst {
    /// What it refers to.
    pub symbols: Symbols,
    /// Where SET takes values from.
    pub sources: Vec<OperandSource>,
    /// What it does, in order of appearance.
    pub actions: Vec<Action>,
    /// The actions by their paths, where these do not clash and no `#name` is needed to tell.
    pub order: Option<Arc<[u16]>>,
}

/// Where SET takes a value from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperandSource {
    /// What the path of this index leads to.
    Path(u16),
    /// The value of this index.
    Value(u16),
    /// What the path holds, or else another source.
    IfNotExists(u16, u16),
}

/// What SET makes of its sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewValue {
    /// A source as it is.
    Source(u16),
    /// The sum of two.
    Plus(u16, u16),
    /// The difference of two.
    Minus(u16, u16),
    /// `list_append`: one list and then the other.
    ListAppend(u16, u16),
    /// As [`Predicate::Fault`].
    Fault(Box<Reason>),
}

/// What one action does with its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    /// `SET path = …`
    Set(NewValue),
    /// `REMOVE path`
    Remove,
    /// `ADD path :value`
    Add(u16),
    /// `DELETE path :value`
    Delete(u16),
}

/// One action of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The path that it changes.
    pub path: u16,
    /// How it changes it.
    pub verb: Verb,
}
