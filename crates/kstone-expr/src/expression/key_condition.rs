//! Key conditions: which partition, and which of its sort keys.
//!
//! The grammar is that of conditions; what is not `partition = value [AND a condition on the sort key]` is refused in
//! DynamoDB's words. The names and types of the key's attributes are the caller's, an index having its own.
//!
//! Thread safety: immutable.

use std::sync::Arc;

use crate::refusal::{Refusal, Result};
use crate::texts::Reason;
use kstone_core::item::ValueRef;
use kstone_core::value::Type;

use super::Kind;
use super::ast::{Comparator, ConditionAst, Operand, Predicate, Step};
use super::bind::{Binder, BoundParameters};
use super::condition::Condition;
use super::condition_parser;
use super::subject::{PARTITION_KEY, SORT_KEY};
use kstone_core::key_layout::{KeyLayout, KeyPart};

/// An attribute of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAttribute<'a> {
    /// Its name.
    pub name: &'a str,
    /// The types that its values may have.
    pub types: &'a [Type],
}

/// The attributes of a table's or an index's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySchema<'a> {
    /// The partition key.
    pub partition: KeyAttribute<'a>,
    /// The sort key, where there is one.
    pub sort: Option<KeyAttribute<'a>>,
}

impl KeySchema<'static> {
    /// The key of the items themselves: `pk` and `sk`, bytes given as text or as binary.
    pub const ITEMS: Self = Self {
        partition: KeyAttribute { name: PARTITION_KEY, types: &[Type::S, Type::B] },
        sort: Some(KeyAttribute { name: SORT_KEY, types: &[Type::S, Type::B] }),
    };
}

impl<'a> KeySchema<'a> {
    /// The key of a table of this layout.
    #[must_use]
    pub fn of(layout: &'a KeyLayout) -> Self {
        let attribute = |part: &'a KeyPart| KeyAttribute { name: part.name(), types: part.types() };
        Self { partition: attribute(layout.partition()), sort: layout.sort().map(attribute) }
    }
}

/// What is asked of the sort key, with values of the type that the schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortCondition<'a> {
    /// Nothing.
    Any,
    /// Equal to this.
    Eq(ValueRef<'a>),
    /// Less than this.
    Lt(ValueRef<'a>),
    /// Less than or equal to this.
    Le(ValueRef<'a>),
    /// Greater than this.
    Gt(ValueRef<'a>),
    /// Greater than or equal to this.
    Ge(ValueRef<'a>),
    /// From the first to the second, both included; both are of one type, and the first is not the greater.
    Between(ValueRef<'a>, ValueRef<'a>),
    /// Beginning with this.
    BeginsWith(ValueRef<'a>),
}

/// A key condition, ready to be read off.
///
/// ```
/// use kstone_expr::expression::{Binder, KeyCondition, KeySchema, Parameters, SortCondition};
/// use kstone_core::value::{Item, Value};
///
/// let values = [(":p".to_string(), Value::string("user#1")), (":s".to_string(), Value::string("2024"))];
/// let parameters = Parameters::from_maps([], &Item::from(values))?;
/// let mut binder = Binder::new(&parameters);
/// let condition = KeyCondition::parse("pk = :p AND begins_with(sk, :s)", KeySchema::ITEMS, &mut binder)?;
/// assert_eq!(condition.partition().as_str(), Some("user#1"));
/// assert!(matches!(condition.sort(), SortCondition::BeginsWith(prefix) if prefix.as_str() == Some("2024")));
/// # Ok::<(), kstone_expr::Refusal>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeyCondition<'v> {
    bound: BoundParameters<'v>,
    plan: KeyPlan,
}

/// What a key condition asks, whatever the values: read once where these come with each run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPlan {
    /// The index of the partition's value.
    partition: u16,
    sort: SortTest,
}

/// A condition on a key: what is asked, and the indexes of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SortTest {
    Any,
    Compare(Comparator, u16),
    Between(u16, u16),
    BeginsWith(u16),
}

impl KeyCondition<'static> {
    /// Parses and binds. [`ExpressionCache::key_condition`](super::ExpressionCache::key_condition) parses each text once.
    ///
    /// # Errors
    /// [`Refusal`] with DynamoDB's text, as [`Condition::parse`], and for what is no condition on the schema's key
    /// or has values of other types.
    pub fn parse(text: &str, schema: KeySchema<'_>, binder: &mut Binder<'_>) -> Result<Self> {
        Self::bind(Arc::new(condition_parser::parse(Kind::KeyCondition, text)?), schema, binder)
    }

    pub(super) fn bind(ast: Arc<ConditionAst>, schema: KeySchema<'_>, binder: &mut Binder<'_>) -> Result<Self> {
        Self::new(Condition::bind(Kind::KeyCondition, ast, binder)?, schema)
    }
}

impl<'v> KeyCondition<'v> {
    /// A condition, read as one on a key.
    ///
    /// # Errors
    /// As [`KeyCondition::parse`], for what is no condition on the schema's key or has values of other types.
    pub fn new(condition: Condition<'v>, schema: KeySchema<'_>) -> Result<Self> {
        let plan = Reader { condition: &condition }.read(schema)?;
        Ok(Self { bound: condition.bound, plan })
    }

    /// What was read before, of the same condition and on a key of the same attributes, with other values; none where
    /// these may have to be refused, which [`KeyCondition::new`] does.
    #[must_use]
    pub fn of_plan(plan: KeyPlan, bound: BoundParameters<'v>, schema: KeySchema<'_>) -> Option<Self> {
        let fits = |value: ValueRef<'_>, types: &[Type]| types.contains(&value.type_()) && !value.payload().is_empty();
        let partition = fits(bound.value(plan.partition), schema.partition.types);
        let sort_types = schema.sort.map_or(&[][..], |sort| sort.types);
        let fits_sort = |value| fits(bound.value(value), sort_types);
        let is_text = |value| bound.value(value).type_() != Type::N;
        let sort = match plan.sort {
            SortTest::Any => true,
            SortTest::Compare(_, value) => fits_sort(value),
            SortTest::BeginsWith(prefix) => fits_sort(prefix) && is_text(prefix),
            SortTest::Between(low, high) => {
                let is_ordered = bound.value(low).payload() <= bound.value(high).payload();
                [low, high].into_iter().all(|value| fits_sort(value) && is_text(value)) && is_ordered
            }
        };
        (partition && sort).then_some(Self { bound, plan })
    }

    /// What it asks, whatever its values.
    #[must_use]
    pub fn plan(&self) -> KeyPlan {
        self.plan
    }

    /// The value of the partition key, never empty.
    #[must_use]
    pub fn partition(&self) -> ValueRef<'_> {
        self.bound.value(self.plan.partition)
    }

    /// What is asked of the sort key. Its values are never empty.
    #[must_use]
    pub fn sort(&self) -> SortCondition<'_> {
        let value = |value| self.bound.value(value);
        match self.plan.sort {
            // Reading refuses `<>`.
            SortTest::Any | SortTest::Compare(Comparator::NotEqual, _) => SortCondition::Any,
            SortTest::Compare(Comparator::Equal, bound) => SortCondition::Eq(value(bound)),
            SortTest::Compare(Comparator::Less, bound) => SortCondition::Lt(value(bound)),
            SortTest::Compare(Comparator::LessOrEqual, bound) => SortCondition::Le(value(bound)),
            SortTest::Compare(Comparator::Greater, bound) => SortCondition::Gt(value(bound)),
            SortTest::Compare(Comparator::GreaterOrEqual, bound) => SortCondition::Ge(value(bound)),
            SortTest::Between(low, high) => SortCondition::Between(value(low), value(high)),
            SortTest::BeginsWith(prefix) => SortCondition::BeginsWith(value(prefix)),
        }
    }
}

/// Reads a condition as one on a key.
struct Reader<'a> {
    condition: &'a Condition<'a>,
}

impl<'a> Reader<'a> {
    fn read(&self, schema: KeySchema<'_>) -> Result<KeyPlan> {
        let ast = &self.condition.ast;
        for (step, operator) in [(is_or as fn(&Step) -> bool, "OR"), (is_not, "NOT")] {
            if ast.steps.iter().any(step) {
                return Err(invalid_operator(operator));
            }
        }
        let mut tests: Vec<(&str, SortTest)> = Vec::new();
        for predicate in &ast.predicates {
            let (name, test) = self.test(predicate)?;
            if tests.iter().any(|(other, _)| *other == name) {
                return Err(Reason::KeyTwice.into());
            }
            tests.push((name, test));
        }
        if tests.len() > 2 {
            return Err(Reason::KeyConditionCount.into());
        }
        let missed = |name: &str| Reason::KeyMissed { attribute: name.into() };
        let of = |attribute: &str| tests.iter().find(|(name, _)| *name == attribute).map(|&(_, test)| test);
        let partition = of(schema.partition.name).ok_or_else(|| missed(schema.partition.name))?;
        let SortTest::Compare(Comparator::Equal, value) = partition else { return Err(not_supported()) };
        self.check(schema.partition, partition)?;
        let sort = match schema.sort {
            _ if tests.len() == 1 => SortTest::Any,
            None => return Err(not_supported()),
            Some(attribute) => {
                let sort = of(attribute.name).ok_or_else(|| missed(attribute.name))?;
                self.check(attribute, sort)?;
                sort
            }
        };
        Ok(KeyPlan { partition: value, sort })
    }

    /// The attribute that a predicate asks about, and what it asks.
    fn test(&self, predicate: &Predicate) -> Result<(&'a str, SortTest)> {
        match predicate {
            Predicate::Compare(Comparator::NotEqual, ..) => Err(invalid_operator("<>")),
            Predicate::In(..) => Err(invalid_operator("IN")),
            Predicate::Present | Predicate::Exists(_) => Err(invalid_operator("attribute_exists")),
            Predicate::Absent | Predicate::NotExists(_) => Err(invalid_operator("attribute_not_exists")),
            Predicate::HasType(..) => Err(invalid_operator("attribute_type")),
            Predicate::Contains(..) | Predicate::NotContains(..) => Err(invalid_operator("contains")),
            Predicate::Compare(comparator, left, right) => {
                let name = self.attribute(&[*left, *right])?;
                let (comparator, value) = match (*left, *right) {
                    (Operand::Value(value), _) => (comparator.turned(), value),
                    (_, Operand::Value(value)) => (*comparator, value),
                    _ => return Err(no_attribute()),
                };
                Ok((name, SortTest::Compare(comparator, value)))
            }
            Predicate::Between(operand, low, high) => {
                self.first_is_attribute("BETWEEN", *operand)?;
                let name = self.attribute(&[*operand, *low, *high])?;
                match (*low, *high) {
                    (Operand::Value(low), Operand::Value(high)) => Ok((name, SortTest::Between(low, high))),
                    _ => Err(no_attribute()),
                }
            }
            Predicate::BeginsWith(operand, prefix) => {
                self.first_is_attribute("begins_with", *operand)?;
                let name = self.attribute(&[*operand, *prefix])?;
                match *prefix {
                    Operand::Value(prefix) => Ok((name, SortTest::BeginsWith(prefix))),
                    _ => Err(no_attribute()),
                }
            }
            // Binding refuses these.
            Predicate::Fault(reason) => Err(Kind::KeyCondition.refuse((**reason).clone())),
        }
    }

    /// The one attribute among the operands, at the top of the item.
    fn attribute(&self, operands: &[Operand]) -> Result<&'a str> {
        let mut found = None;
        for operand in operands {
            match *operand {
                Operand::Value(_) => {}
                Operand::SizeOfPath(_) | Operand::SizeOfValue(_) => {
                    return Err(Reason::KeyNestedOperation.into());
                }
                Operand::Path(_) if found.is_some() => {
                    return Err(Reason::KeyAttributes.into());
                }
                Operand::Path(path) => {
                    let path = &self.condition.ast.symbols.paths[usize::from(path)];
                    if path.len() > 1 {
                        return Err(Reason::KeyNestedPath.into());
                    }
                    found = Some(self.condition.bound.root(path));
                }
            }
        }
        found.ok_or_else(no_attribute)
    }

    fn first_is_attribute(&self, operator: &'static str, operand: Operand) -> Result<()> {
        match operand {
            Operand::Value(_) => Err(Reason::KeyNotFirst { operator }.into()),
            _ => Ok(()),
        }
    }

    /// Checks the values against the attribute's types; no key can be empty.
    fn check(&self, attribute: KeyAttribute<'_>, test: SortTest) -> Result<()> {
        let values = match test {
            SortTest::Any => [None, None],
            SortTest::Compare(_, value) | SortTest::BeginsWith(value) => [Some(value), None],
            SortTest::Between(low, high) => [Some(low), Some(high)],
        };
        for value in values.into_iter().flatten().map(|value| self.condition.bound.value(value)) {
            if !attribute.types.contains(&value.type_()) {
                return Err(Reason::KeyType.into());
            }
            if value.payload().is_empty() {
                let kind = if value.type_() == Type::B { "binary" } else { "string" };
                return Err(Reason::EmptyKey { kind, attribute: attribute.name.into() }.into());
            }
        }
        Ok(())
    }
}

fn is_or(step: &Step) -> bool {
    matches!(step, Step::OrElse(_))
}

fn is_not(step: &Step) -> bool {
    matches!(step, Step::Not)
}

fn invalid_operator(operator: &'static str) -> Refusal {
    Reason::KeyOperator { operator }.into()
}

fn no_attribute() -> Refusal {
    Reason::NoKeyAttribute.into()
}

fn not_supported() -> Refusal {
    Reason::KeyConditionUnsupported.into()
}
