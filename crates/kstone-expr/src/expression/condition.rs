//! Conditions with their names and values: what can be seen to be wrong before any item is looked at.
//!
//! DynamoDB knows the type of a `:value` from the request and refuses at once what such a value cannot do; the same of an
//! attribute only makes the answer false. Thread safety: immutable.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::refusal::{Refusal, Result};
use crate::texts::{Reason, ShownValue};
use kstone_core::item::{HashedName, ItemRef, ValueRef};
use kstone_core::key_layout::KeyLayout;
use kstone_core::value::Type;

use smallvec::SmallVec;

use super::ast::{Comparator, ConditionAst, Operand, Predicate, Segment, Step};
use super::bind::{Binder, BoundParameters};
use super::eval;
use super::subject::Subject;
use super::{Kind, condition_parser};

/// The attributes of how many paths are asked for ahead: each look-up costs as much again as finding it.
const PREFETCHED_PATHS: usize = 2;

/// A condition or filter, ready to be asked of items.
#[derive(Debug, Clone)]
pub struct Condition<'v> {
    pub(super) ast: Arc<ConditionAst>,
    pub(super) bound: BoundParameters<'v>,
}

impl Condition<'static> {
    /// Parses and binds. [`ExpressionCache::condition`](super::ExpressionCache::condition) parses each text once.
    ///
    /// # Errors
    /// [`Refusal`] with DynamoDB's text for an expression that is not well-formed, reaches a limit, names a
    /// reserved word, or a name or value that is not there, or asks of a value what its type cannot do.
    ///
    /// ```
    /// use kstone_expr::expression::{Binder, Condition, Kind, Parameters};
    ///
    /// let nothing = Parameters::new();
    /// let error = Condition::parse(Kind::Filter, "size(tags) > > 3", &mut Binder::new(&nothing)).unwrap_err();
    /// assert_eq!(error.to_string(), "Invalid FilterExpression: Syntax error; token: \">\", near: \"> > 3\"");
    /// ```
    pub fn parse(kind: Kind, text: &str, binder: &mut Binder<'_>) -> Result<Self> {
        Self::bind(kind, Arc::new(condition_parser::parse(kind, text)?), binder)
    }

    pub(super) fn bind(kind: Kind, ast: Arc<ConditionAst>, binder: &mut Binder<'_>) -> Result<Self> {
        let bound = binder.bind(kind, &ast.symbols);
        let bound = match bound {
            Err(undefined) if kind == Kind::KeyCondition => return Err(first_refusal(&ast, binder, undefined)),
            bound => bound?,
        };
        Self::new(kind, ast, bound, binder.layout())
    }
}

impl<'v> Condition<'v> {
    /// A condition whose values are known, about a table of this key, or about one of which only that it is typed is known.
    ///
    /// # Errors
    /// As [`Condition::parse`], for what its values cannot do.
    pub fn new<'k>(
        kind: Kind,
        ast: Arc<ConditionAst>,
        bound: BoundParameters<'v>,
        layout: impl Into<Option<&'k KeyLayout>>,
    ) -> Result<Self> {
        let is_typed = layout.into().is_none_or(KeyLayout::is_typed);
        let check = Check { kind, ast: &ast, bound: &bound, is_typed };
        ast.predicates.iter().try_for_each(|predicate| check.predicate(predicate))?;
        Ok(Self { ast, bound })
    }

    /// The same with values of its own.
    pub fn into_owned(self) -> Condition<'static> {
        Condition { ast: self.ast, bound: self.bound.into_owned() }
    }

    /// Whether the condition holds. Reads the item in place; allocates nothing; stops as soon as the answer is known.
    #[must_use]
    pub fn evaluate(&self, subject: &Subject<'_>) -> bool {
        eval::holds(&self.ast, &self.bound, &[], subject)
    }

    /// The same, to be asked of many items of a table of this key.
    pub fn of_many(&self, layout: &KeyLayout) -> ConditionOfMany<'_> {
        let paths = self.ast.symbols.paths.iter();
        let attributes = paths.map(|path| self.bound.attribute(path, layout).map(HashedName::new)).collect();
        ConditionOfMany { condition: self, attributes }
    }

    /// The names of the attributes that its paths begin with, some maybe more than once.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.ast.symbols.paths.iter().map(|path| self.bound.root(path))
    }

    /// What it asks, in order of appearance, where that is only that attributes equal values, all of them.
    ///
    /// ```
    /// use kstone_core::value::Value;
    /// use kstone_expr::expression::{Binder, Condition, Kind, Parameters};
    ///
    /// let values = Parameters::from_maps([], &[(":a".to_string(), Value::string("x"))].into())?;
    /// let parse = |text| Condition::parse(Kind::SearchCondition, text, &mut Binder::new(&values));
    /// assert_eq!(parse("tenant = :a")?.equalities().expect("one")[0].attribute, "tenant");
    /// assert!(parse("tenant > :a")?.equalities().is_none());
    /// # Ok::<(), kstone_expr::Refusal>(())
    /// ```
    #[must_use]
    pub fn equalities(&self) -> Option<Vec<Equality<'_>>> {
        let asked = self.ast.steps.iter().filter_map(|step| match step {
            Step::Test(at) => Some(self.equality(&self.ast.predicates[usize::from(*at)])),
            Step::AndThen(_) => None,
            Step::Not | Step::OrElse(_) => Some(None),
        });
        asked.collect()
    }

    fn equality(&self, predicate: &Predicate) -> Option<Equality<'_>> {
        let (Predicate::Compare(Comparator::Equal, Operand::Path(path), Operand::Value(value))
        | Predicate::Compare(Comparator::Equal, Operand::Value(value), Operand::Path(path))) = predicate
        else {
            return None;
        };
        let path = &self.ast.symbols.paths[usize::from(*path)];
        let (attribute, is_nested) = (self.bound.root(path), path.len() > 1);
        Some(Equality { attribute, is_nested, value: self.bound.value(*value) })
    }

    /// The names of those attributes that its paths go into.
    pub fn nested_attributes(&self) -> impl Iterator<Item = &str> {
        self.ast.symbols.paths.iter().filter(|path| path.len() > 1).map(|path| self.bound.root(path))
    }

    /// Refuses a filter that looks at one of these attributes, the key of what a query reads.
    ///
    /// # Errors
    /// [`Refusal`] with DynamoDB's text.
    pub fn refuse_attributes(&self, names: &[&str]) -> Result<()> {
        match self.attributes().find(|root| names.contains(root)) {
            None => Ok(()),
            Some(root) => Err(Reason::FilterOnKey { attribute: root.into() }.into()),
        }
    }
}

/// That an attribute, or what is in it, equals a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equality<'c> {
    /// The attribute, or the one that holds what is compared.
    pub attribute: &'c str,
    /// Whether it is what the attribute holds that is compared.
    pub is_nested: bool,
    /// The value.
    pub value: ValueRef<'c>,
}

/// A condition that is asked of many items: what is the same for all of them is known.
pub struct ConditionOfMany<'c> {
    condition: &'c Condition<'c>,
    /// For each path the attribute that it names, where it is no more than that.
    attributes: SmallVec<[Option<HashedName<'c>>; 4]>,
}

impl ConditionOfMany<'_> {
    /// As [`Condition::evaluate`].
    pub fn evaluate(&self, subject: &Subject<'_>) -> bool {
        eval::holds(&self.condition.ast, &self.condition.bound, &self.attributes, subject)
    }

    /// Asks the processor for the memory that evaluating it over a large item will read first, some items ahead.
    pub fn prefetch(&self, item: ItemRef<'_>) {
        self.attributes.iter().flatten().take(PREFETCHED_PATHS).for_each(|name| item.prefetch(*name));
    }
}

/// Of a key condition with a value that is not defined: what is wrong with the tests that stand before it, or else that.
/// DynamoDB reads the tests of a key condition one after another.
#[cold]
fn first_refusal(ast: &ConditionAst, binder: &mut Binder<'_>, undefined: Refusal) -> Refusal {
    let Ok((bound, defined)) = binder.bind_first(Kind::KeyCondition, &ast.symbols) else { return undefined };
    let is_typed = binder.layout().is_none_or(KeyLayout::is_typed);
    let check = Check { kind: Kind::KeyCondition, ast, bound: &bound, is_typed };
    let is_defined = |predicate: &&Predicate| predicate.values().all(|value| usize::from(value) < defined);
    let earlier = ast.predicates.iter().take_while(is_defined).find_map(|predicate| check.predicate(predicate).err());
    earlier.unwrap_or(undefined)
}

/// A condition whose names and values are known, to be checked.
struct Check<'a> {
    kind: Kind,
    ast: &'a ConditionAst,
    bound: &'a BoundParameters<'a>,
    is_typed: bool,
}

impl Check<'_> {
    fn predicate(&self, predicate: &Predicate) -> Result<()> {
        match predicate {
            Predicate::Fault(reason) => Err(self.kind.refuse((**reason).clone())),
            Predicate::Compare(comparator, left, right) => {
                self.sized(&[*left, *right])?;
                self.distinct(comparator.name(), *left, &[*right])?;
                match comparator {
                    Comparator::Equal | Comparator::NotEqual => Ok(()),
                    _ => self.types(comparator.name(), &[*left, *right], is_ordered),
                }
            }
            Predicate::Between(operand, low, high) => {
                self.sized(&[*operand, *low, *high])?;
                self.distinct("BETWEEN", *operand, &[*low, *high])?;
                self.types("BETWEEN", &[*operand, *low, *high], is_ordered)?;
                self.bounds(*operand, *low, *high)
            }
            Predicate::In(operand, list) => {
                self.sized(&[*operand])?;
                self.sized(list)?;
                self.distinct("IN", *operand, list)
            }
            Predicate::Present | Predicate::Absent | Predicate::Exists(_) | Predicate::NotExists(_) => Ok(()),
            Predicate::HasType(operand, type_) => {
                self.sized(&[*operand])?;
                self.type_name(*type_)
            }
            Predicate::BeginsWith(operand, prefix) => {
                self.sized(&[*operand, *prefix])?;
                self.distinct("begins_with", *operand, &[*prefix])?;
                self.types("begins_with", &[*operand, *prefix], |type_| matches!(type_, Type::S | Type::B))
            }
            Predicate::Contains(operand, wanted) | Predicate::NotContains(operand, wanted) => {
                self.sized(&[*operand, *wanted])?;
                self.distinct("contains", *operand, &[*wanted])
            }
        }
    }

    fn path(&self, path: u16) -> &[Segment] {
        &self.ast.symbols.paths[usize::from(path)]
    }

    /// The type of an operand where the request says it.
    fn type_of(&self, operand: Operand) -> Option<Type> {
        match operand {
            Operand::Path(_) => None,
            Operand::Value(value) => Some(self.bound.type_of(value)),
            Operand::SizeOfPath(_) | Operand::SizeOfValue(_) => Some(Type::N),
        }
    }

    /// Refuses `size` of values that have none.
    fn sized(&self, operands: &[Operand]) -> Result<()> {
        for operand in operands {
            if let Operand::SizeOfValue(value) = *operand
                && let type_ @ (Type::N | Type::Bool | Type::Null) = self.bound.type_of(value)
            {
                return Err(self.unfit("size", type_.name()));
            }
        }
        Ok(())
    }

    fn types(&self, function: &'static str, operands: &[Operand], fits: impl Fn(Type) -> bool) -> Result<()> {
        match operands.iter().filter_map(|&operand| self.type_of(operand)).find(|&type_| !fits(type_)) {
            None => Ok(()),
            Some(type_) => Err(self.unfit(function, type_.name())),
        }
    }

    /// Refuses to compare a path with itself.
    fn distinct(&self, operator: &'static str, first: Operand, rest: &[Operand]) -> Result<()> {
        let Operand::Path(path) = first else { return Ok(()) };
        let path = self.path(path);
        let is_first = |operand: &Operand| match operand {
            Operand::Path(other) => self.bound.compare(path, self.path(*other)) == Ordering::Equal,
            _ => false,
        };
        if !rest.iter().any(is_first) {
            return Ok(());
        }
        Err(self.kind.refuse(Reason::SameOperand { operator, path: self.bound.show(path) }))
    }

    #[cold]
    fn unfit(&self, function: &'static str, found: &'static str) -> Refusal {
        self.kind.refuse(Reason::OperandType { function, found })
    }

    /// Refuses bounds of BETWEEN that no value can lie between, where both are values. Those of an untyped key are bytes.
    fn bounds(&self, operand: Operand, low: Operand, high: Operand) -> Result<()> {
        let (Operand::Value(low), Operand::Value(high)) = (low, high) else { return Ok(()) };
        let (low, high) = (self.bound.value(low), self.bound.value(high));
        let is_key = match operand {
            Operand::Path(_) if self.is_typed => false,
            Operand::Path(path) => self.kind == Kind::KeyCondition || self.bound.is_untyped_key(self.path(path)),
            _ => false,
        };
        let as_key = if is_key { eval::key_bounds(low, high) } else { None };
        let shown = || (ShownValue::of(low), ShownValue::of(high));
        match as_key.or_else(|| eval::order(low, high)) {
            None => {
                let (low, high) = shown();
                Err(self.kind.refuse(Reason::BoundTypes { low, high }))
            }
            Some(Ordering::Greater) => {
                let (low, high) = shown();
                Err(self.kind.refuse(Reason::BoundsReversed { low, high }))
            }
            Some(_) => Ok(()),
        }
    }

    fn type_name(&self, operand: Operand) -> Result<()> {
        let Operand::Value(value) = operand else {
            let type_ = self.type_of(operand).map_or(ANY_TYPE, Type::name);
            return Err(self.unfit("attribute_type", type_));
        };
        let value = self.bound.value(value);
        let Some(name) = value.as_str() else {
            return Err(self.unfit("attribute_type", value.type_().name()));
        };
        if Type::from_name(name).is_some() {
            return Ok(());
        }
        Err(self.kind.refuse(Reason::UnknownType { name: name.into() }))
    }
}

/// All types, as DynamoDB's errors list them.
const ANY_TYPE: &str = "{S,SS,N,NS,B,BS,BOOL,NULL,L,M}";

/// Whether values of this type have an order.
fn is_ordered(type_: Type) -> bool {
    matches!(type_, Type::S | Type::N | Type::B)
}
