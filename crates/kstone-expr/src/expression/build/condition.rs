//! Conditions, filters and key conditions out of nodes.

use std::sync::Arc;

use kstone_core::item::ValueRef;
use kstone_core::key_layout::KeyLayout;

use super::super::ast::{self, Comparator, ConditionAst, Predicate, Step};
use super::super::bind::BoundParameters;
use super::super::condition::Condition;
use super::super::condition_parser::IN_MAX_OPERANDS;
use super::super::key_condition::{KeyCondition, KeySchema};
use super::super::{Kind, OPERATORS_MAX};
use super::{Builder, Path, index};
use crate::refusal::Result;
use crate::texts::Reason;

/// What a condition compares.
#[derive(Debug, Clone)]
pub enum Operand<'v> {
    /// What a path leads to.
    Path(Path),
    /// A value.
    Value(ValueRef<'v>),
    /// `size` of what a path leads to.
    SizeOfPath(Path),
    /// `size` of a value.
    SizeOfValue(ValueRef<'v>),
}

impl From<Path> for Operand<'_> {
    fn from(path: Path) -> Self {
        Self::Path(path)
    }
}

impl<'v> From<ValueRef<'v>> for Operand<'v> {
    fn from(value: ValueRef<'v>) -> Self {
        Self::Value(value)
    }
}

/// A condition under construction: one test, or several with AND, OR and NOT.
///
/// ```
/// use kstone_core::item::ItemWriter;
/// use kstone_core::key_layout::KeyLayout;
/// use kstone_expr::expression::build::{Comparator, Node, Path};
/// use kstone_expr::expression::{Kind, Subject};
///
/// let mut values = ItemWriter::new();
/// values.set_i64("min", 18)?.set_str("word", "spam")?;
/// let values = values.as_item();
/// let value = |name| values.get(name).unwrap();
/// // Expected: age GE 18 and tags NOT_CONTAINS "spam".
/// let node = Node::compare(Comparator::GreaterOrEqual, Path::attribute("age"), value("min"))
///     .and(Node::not_contains(Path::attribute("tags"), value("word")));
/// let condition = node.condition(Kind::Condition, KeyLayout::untyped())?;
///
/// let mut item = ItemWriter::new();
/// item.set_i64("age", 20)?;
/// assert!(condition.evaluate(&Subject::new(b"user#1", b"", item.as_item())));
/// assert!(!condition.evaluate(&Subject::absent()));
/// # Ok::<(), kstone_expr::Refusal>(())
/// ```
#[derive(Debug, Clone)]
pub struct Node<'v> {
    tests: Vec<Test<'v>>,
    steps: Vec<Step>,
    /// Counted as a text's are. Beyond [`OPERATORS_MAX`] nothing else is kept.
    operators: usize,
    /// How many operands an IN has that has too many.
    too_many: Option<usize>,
}

#[derive(Debug, Clone)]
enum Test<'v> {
    Present,
    Absent,
    Compare(Comparator, Operand<'v>, Operand<'v>),
    Between(Operand<'v>, Operand<'v>, Operand<'v>),
    In(Operand<'v>, Vec<Operand<'v>>),
    Exists(Path),
    NotExists(Path),
    HasType(Operand<'v>, Operand<'v>),
    BeginsWith(Operand<'v>, Operand<'v>),
    Contains(Operand<'v>, Operand<'v>),
    NotContains(Operand<'v>, Operand<'v>),
}

impl<'v> Node<'v> {
    fn of(test: Test<'v>) -> Self {
        let operators = 1 + test.sizes();
        Self { tests: vec![test], steps: vec![Step::Test(0)], operators, too_many: None }
    }

    /// That there is an item.
    #[must_use]
    pub fn present() -> Self {
        Self::of(Test::Present)
    }

    /// That there is no item.
    #[must_use]
    pub fn absent() -> Self {
        Self::of(Test::Absent)
    }

    /// How two operands compare.
    pub fn compare(comparator: Comparator, left: impl Into<Operand<'v>>, right: impl Into<Operand<'v>>) -> Self {
        Self::of(Test::Compare(comparator, left.into(), right.into()))
    }

    /// That an operand lies between two others, or is equal to one of them.
    pub fn between(of: impl Into<Operand<'v>>, low: impl Into<Operand<'v>>, high: impl Into<Operand<'v>>) -> Self {
        Self::of(Test::Between(of.into(), low.into(), high.into()))
    }

    /// That an operand is equal to one of these.
    pub fn is_in(of: impl Into<Operand<'v>>, list: impl IntoIterator<Item = Operand<'v>>) -> Self {
        let mut list = list.into_iter();
        let kept: Vec<_> = list.by_ref().take(IN_MAX_OPERANDS).collect();
        let more = list.count();
        let too_many = (more > 0).then(|| kept.len() + more);
        Self { too_many, ..Self::of(Test::In(of.into(), kept)) }
    }

    /// That a path leads to something.
    pub fn exists(path: impl Into<Path>) -> Self {
        Self::of(Test::Exists(path.into()))
    }

    /// That a path leads to nothing.
    pub fn not_exists(path: impl Into<Path>) -> Self {
        Self::of(Test::NotExists(path.into()))
    }

    /// That an operand has the type that the other one names.
    pub fn has_type(of: impl Into<Operand<'v>>, type_: impl Into<Operand<'v>>) -> Self {
        Self::of(Test::HasType(of.into(), type_.into()))
    }

    /// That an operand begins with the other one.
    pub fn begins_with(of: impl Into<Operand<'v>>, prefix: impl Into<Operand<'v>>) -> Self {
        Self::of(Test::BeginsWith(of.into(), prefix.into()))
    }

    /// That an operand holds the other one.
    pub fn contains(of: impl Into<Operand<'v>>, wanted: impl Into<Operand<'v>>) -> Self {
        Self::of(Test::Contains(of.into(), wanted.into()))
    }

    /// That an operand does not hold the other one, or is not there.
    pub fn not_contains(of: impl Into<Operand<'v>>, wanted: impl Into<Operand<'v>>) -> Self {
        Self::of(Test::NotContains(of.into(), wanted.into()))
    }

    /// That both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.join(other, Step::AndThen)
    }

    /// That one of them holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.join(other, Step::OrElse)
    }

    /// That it does not hold.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "NOT of a condition reads as AND and OR do")]
    pub fn not(mut self) -> Self {
        self.operators += 1;
        if self.is_kept() {
            self.steps.push(Step::Not);
        }
        self
    }

    fn is_kept(&mut self) -> bool {
        if self.operators > OPERATORS_MAX {
            (self.tests, self.steps) = (Vec::new(), Vec::new());
        }
        self.operators <= OPERATORS_MAX
    }

    fn join(mut self, other: Self, jump: fn(u16) -> Step) -> Self {
        self.operators = self.operators.saturating_add(other.operators).saturating_add(1);
        self.too_many = self.too_many.or(other.too_many);
        if !self.is_kept() {
            return self;
        }
        let (steps, tests) = (index(self.steps.len() + 1), index(self.tests.len()));
        self.steps.push(jump(steps + index(other.steps.len())));
        self.steps.extend(other.steps.into_iter().map(|step| match step {
            Step::Test(test) => Step::Test(test + tests),
            Step::Not => Step::Not,
            Step::AndThen(end) => Step::AndThen(end + steps),
            Step::OrElse(end) => Step::OrElse(end + steps),
        }));
        self.tests.extend(other.tests);
        self
    }

    /// The condition, about a table of this key, or a typed one that is not known yet. `kind` says what errors call it.
    ///
    /// # Errors
    /// As [`Condition::parse`], as far as it is not about a text.
    pub fn condition<'k>(self, kind: Kind, layout: impl Into<Option<&'k KeyLayout>>) -> Result<Condition<'static>> {
        let (ast, bound) = self.lower(kind)?;
        Condition::new(kind, Arc::new(ast), bound, layout)
    }

    /// The condition as one on a key of this schema, which is the key of a table of this layout or of an index of it.
    ///
    /// # Errors
    /// As [`KeyCondition::parse`], as far as it is not about a text.
    pub fn key_condition(self, schema: KeySchema<'_>, layout: &KeyLayout) -> Result<KeyCondition<'static>> {
        KeyCondition::new(self.condition(Kind::KeyCondition, layout)?, schema)
    }

    fn lower(self, kind: Kind) -> Result<(ConditionAst, BoundParameters<'static>)> {
        if self.operators > OPERATORS_MAX {
            return Err(kind.refuse(Reason::TooManyOperators { count: self.operators }));
        }
        if let Some(count) = self.too_many {
            return Err(kind.refuse(Reason::TooManyInOperands { count }));
        }
        let mut builder = Builder::new(kind);
        let predicates = self.tests.into_iter().map(|test| builder.predicate(test)).collect::<Result<_>>()?;
        let (symbols, bound) = builder.finish();
        Ok((ConditionAst { symbols, predicates, steps: self.steps }, bound))
    }
}

impl Test<'_> {
    /// How many of its operands are sizes, which are operators of their own.
    fn sizes(&self) -> usize {
        let is_size = |operand: &&Operand<'_>| matches!(operand, Operand::SizeOfPath(_) | Operand::SizeOfValue(_));
        match self {
            Self::Present | Self::Absent | Self::Exists(_) | Self::NotExists(_) => 0,
            Self::Compare(_, a, b)
            | Self::HasType(a, b)
            | Self::BeginsWith(a, b)
            | Self::Contains(a, b)
            | Self::NotContains(a, b) => [a, b].iter().filter(|operand| is_size(operand)).count(),
            Self::Between(a, b, c) => [a, b, c].iter().filter(|operand| is_size(operand)).count(),
            Self::In(a, list) => list.iter().chain([a]).filter(is_size).count(),
        }
    }
}

impl Builder {
    fn predicate(&mut self, test: Test<'_>) -> Result<Predicate> {
        Ok(match test {
            Test::Present => Predicate::Present,
            Test::Absent => Predicate::Absent,
            Test::Compare(comparator, a, b) => Predicate::Compare(comparator, self.operand(a)?, self.operand(b)?),
            Test::Between(a, b, c) => Predicate::Between(self.operand(a)?, self.operand(b)?, self.operand(c)?),
            Test::In(_, list) if list.is_empty() => {
                return Err(self.kind.refuse(Reason::OperandCount { function: "IN".into(), count: 0 }));
            }
            Test::In(a, list) => {
                let a = self.operand(a)?;
                Predicate::In(a, list.into_iter().map(|operand| self.operand(operand)).collect::<Result<_>>()?)
            }
            Test::Exists(path) => Predicate::Exists(self.path(path)?),
            Test::NotExists(path) => Predicate::NotExists(self.path(path)?),
            Test::HasType(a, b) => Predicate::HasType(self.operand(a)?, self.operand(b)?),
            Test::BeginsWith(a, b) => Predicate::BeginsWith(self.operand(a)?, self.operand(b)?),
            Test::Contains(a, b) => Predicate::Contains(self.operand(a)?, self.operand(b)?),
            Test::NotContains(a, b) => Predicate::NotContains(self.operand(a)?, self.operand(b)?),
        })
    }

    fn operand(&mut self, operand: Operand<'_>) -> Result<ast::Operand> {
        Ok(match operand {
            Operand::Path(path) => ast::Operand::Path(self.path(path)?),
            Operand::Value(value) => ast::Operand::Value(self.value(value)?),
            Operand::SizeOfPath(path) => ast::Operand::SizeOfPath(self.path(path)?),
            Operand::SizeOfValue(value) => ast::Operand::SizeOfValue(self.value(value)?),
        })
    }
}
