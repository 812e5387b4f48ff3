//! Key conditions: which partition, and which of its sort keys.
//!
//! The grammar is that of conditions; what is not `partition = value [AND a condition on the sort key]` is refused in
//! DynamoDB's words. The names and types of the key's attributes are the caller's, an index having its own.
//!
//! Thread safety: immutable.

use std::sync::Arc;

use crate::refusal::{Refusal, Result};
use crate::texts::{Keys, Reason};
use kstone_core::item::ValueRef;
use kstone_core::value::Type;

use super::Kind;
use super::ast::{Comparator, ConditionAst, Operand, Predicate, Step};
use super::bind::{Binder, BoundParameters};
use super::condition::Condition;
use super::condition_parser;
use kstone_core::key_layout::{KeyLayout, KeyPart};

/// The most attributes that the partition key or the sort key of an index may have each, DynamoDB's.
pub const KEY_PARTS_MAX: usize = 4;

/// The attributes of a table's or an index's key: one or, in an index, up to [`KEY_PARTS_MAX`] of each sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySchema<'a> {
    /// The partition key.
    pub partition: &'a [KeyPart],
    /// The sort key; empty where there is none.
    pub sort: &'a [KeyPart],
}

impl KeySchema<'static> {
    /// The key of an untyped table: `pk` and `sk`, bytes given as text or as binary.
    pub const ITEMS: Self = Self::of(KeyLayout::untyped());
}

impl<'a> KeySchema<'a> {
    /// The key of a table of this layout.
    #[must_use]
    pub const fn of(layout: &'a KeyLayout) -> Self {
        Self { partition: layout.partitions(), sort: layout.sorts() }
    }

    /// The names of all attributes.
    pub fn names(self) -> impl Iterator<Item = &'a str> {
        self.partition.iter().chain(self.sort).map(KeyPart::name)
    }
}

/// What is asked of the last attribute of the sort key that a condition names, with values of the type that the schema
/// says.
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
    /// The indexes of the partition's values.
    partition: Values,
    /// Those of the values that the first attributes of the sort key equal.
    equal: Values,
    /// What is asked of the next attribute of the sort key.
    sort: SortTest,
}

/// The indexes of up to [`KEY_PARTS_MAX`] values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Values {
    indexes: [u16; KEY_PARTS_MAX],
    len: u8,
}

impl Values {
    fn push(&mut self, value: u16) {
        // A schema has no more attributes.
        if let Some(place) = self.indexes.get_mut(usize::from(self.len)) {
            *place = value;
            self.len += 1;
        }
    }

    fn as_slice(&self) -> &[u16] {
        &self.indexes[..usize::from(self.len)]
    }
}

impl KeyPlan {
    /// What a condition asks of a key, whatever its values.
    ///
    /// # Errors
    /// As [`KeyCondition::new`], as far as no value is needed to tell.
    pub fn of(condition: &Condition<'_>, schema: KeySchema<'_>) -> Result<Self> {
        Reader { condition, checks_values: false }.read(schema)
    }
}

/// A condition on a key: what is asked, and the indexes of the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum SortTest {
    #[default]
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
        let plan = Reader { condition: &condition, checks_values: true }.read(schema)?;
        Ok(Self { bound: condition.bound, plan })
    }

    /// What was read before, of the same condition and on a key of the same attributes, with other values; none where
    /// these may have to be refused, which [`KeyCondition::new`] does.
    #[must_use]
    pub fn of_plan(plan: KeyPlan, bound: BoundParameters<'v>, schema: KeySchema<'_>) -> Option<Self> {
        let fits =
            |value: ValueRef<'_>, part: &KeyPart| part.types().contains(&value.type_()) && !value.payload().is_empty();
        let all_fit = |values: Values, parts: &[KeyPart]| {
            values.as_slice().iter().zip(parts).all(|(&value, part)| fits(bound.value(value), part))
        };
        let last = schema.sort.get(usize::from(plan.equal.len));
        let fits_last = |value| last.is_some_and(|part| fits(bound.value(value), part));
        let is_text = |value| bound.value(value).type_() != Type::N;
        let sort = match plan.sort {
            SortTest::Any => true,
            SortTest::Compare(_, value) => fits_last(value),
            SortTest::BeginsWith(prefix) => fits_last(prefix) && is_text(prefix),
            SortTest::Between(low, high) => {
                let is_ordered = bound.value(low).payload() <= bound.value(high).payload();
                [low, high].into_iter().all(|value| fits_last(value) && is_text(value)) && is_ordered
            }
        };
        let fits = all_fit(plan.partition, schema.partition) && all_fit(plan.equal, schema.sort) && sort;
        fits.then_some(Self { bound, plan })
    }

    /// The value of the partition key, of its first attribute where it has several; never empty.
    #[must_use]
    pub fn partition(&self) -> ValueRef<'_> {
        self.bound.value(self.plan.partition.indexes[0])
    }

    /// The values of all attributes of the partition key.
    pub fn partitions(&self) -> impl Iterator<Item = ValueRef<'_>> {
        self.plan.partition.as_slice().iter().map(|&value| self.bound.value(value))
    }

    /// The values that the attributes of the sort key before the last one that is named have to equal.
    pub fn equal(&self) -> impl Iterator<Item = ValueRef<'_>> {
        self.plan.equal.as_slice().iter().map(|&value| self.bound.value(value))
    }

    /// What is asked of the sort key, of the last attribute that is named where it has several. Its values are never empty.
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
    /// Whether the values are known, so that their types tell.
    checks_values: bool,
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
        let most = schema.partition.len() + schema.sort.len();
        if tests.len() > most.max(2) {
            return Err(Reason::KeyConditionCount { found: tests.len(), most }.into());
        }
        let missed = |part: &KeyPart| Reason::KeyMissed { attribute: part.name().into() };
        let of = |part: &KeyPart| tests.iter().find(|(name, _)| *name == part.name()).map(|&(_, test)| test);
        if schema.partition.len() == 1 && schema.sort.is_empty() && tests.len() > 1 {
            return Err(not_supported());
        }
        self.refuse_hash_gap(schema.partition, &tests)?;
        let mut partition = Values::default();
        for part in schema.partition {
            let test = of(part).ok_or_else(|| missed(part))?;
            self.check(part, test)?;
            let SortTest::Compare(Comparator::Equal, value) = test else { return Err(not_supported()) };
            partition.push(value);
        }
        let asked = tests.len() - schema.partition.len();
        if asked == 0 {
            return Ok(KeyPlan { partition, equal: Values::default(), sort: SortTest::Any });
        }
        let sorts: Vec<(&KeyPart, SortTest)> = schema.sort.iter().filter_map(|part| Some((part, of(part)?))).collect();
        match schema.sort.iter().find(|part| of(part).is_none()) {
            _ if sorts.len() == asked => {}
            Some(part) => return Err(missed(part).into()),
            None => return Err(not_supported()),
        }
        let (equal, sort) = self.gapless(schema.sort, &sorts)?;
        Ok(KeyPlan { partition, equal, sort })
    }

    /// Refuses a partition of several attributes of which not each has to equal a value.
    fn refuse_hash_gap(&self, parts: &[KeyPart], tests: &[(&str, SortTest)]) -> Result<()> {
        let is_equality = |part: &&KeyPart| {
            let test = tests.iter().find(|(name, _)| *name == part.name());
            matches!(test, Some((_, SortTest::Compare(Comparator::Equal, _))))
        };
        if parts.len() < 2 || parts.iter().all(|part| is_equality(&part)) {
            return Ok(());
        }
        let lacking: Vec<Box<str>> =
            parts.iter().filter(|part| !is_equality(part)).map(|part| part.name().into()).collect();
        Err(Reason::KeyHashGap { attributes: Keys(lacking.into()) }.into())
    }

    /// The equalities before the last attribute of a sort key that is asked about, which all have to be there, and what is
    /// asked of that one.
    fn gapless(&self, parts: &[KeyPart], sorts: &[(&KeyPart, SortTest)]) -> Result<(Values, SortTest)> {
        let Some((&(last, test), before)) = sorts.split_last() else { return Ok(Default::default()) };
        let mut equal = Values::default();
        let mut lacking: Vec<Box<str>> = Vec::new();
        for part in parts.iter().take_while(|part| *part != last) {
            match before.iter().find(|(asked, _)| *asked == part) {
                Some(&(part, test @ SortTest::Compare(Comparator::Equal, value))) => {
                    self.check(part, test)?;
                    equal.push(value);
                }
                _ => lacking.push(part.name().into()),
            }
        }
        if !lacking.is_empty() {
            return Err(Reason::KeyGap { attributes: Keys(lacking.into()), asked: last.name().into() }.into());
        }
        self.check(last, test)?;
        Ok((equal, test))
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
    fn check(&self, attribute: &KeyPart, test: SortTest) -> Result<()> {
        let values = match test {
            _ if !self.checks_values => [None, None],
            SortTest::Any => [None, None],
            SortTest::Compare(_, value) | SortTest::BeginsWith(value) => [Some(value), None],
            SortTest::Between(low, high) => [Some(low), Some(high)],
        };
        for value in values.into_iter().flatten().map(|value| self.condition.bound.value(value)) {
            if !attribute.types().contains(&value.type_()) {
                return Err(Reason::KeyType.into());
            }
            if value.payload().is_empty() {
                let kind = if value.type_() == Type::B { "binary" } else { "string" };
                return Err(Reason::EmptyKey { kind, attribute: attribute.name().into() }.into());
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
