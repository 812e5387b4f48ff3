//! The parameters from before expressions, lowered to what expressions are parsed to.
//!
//! | parameter | what it is made into |
//! | --- | --- |
//! | Expected, ConditionalOperator | a condition |
//! | AttributeUpdates | an update |
//! | AttributesToGet | a projection |
//! | QueryFilter, ScanFilter, ConditionalOperator | a filter |
//! | KeyConditions | a condition on a key |
//!
//! Thread safety: plain values.

use kstone_api::expression::Kind;
use kstone_api::expression::build::{self, Comparator, Node, Operand, Path, UpdateNode};

use crate::attributes::StoredValue;
use crate::bound::{Bound, below};
use crate::call::Call;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::{Structure, Value};

/// Lowers those of these parameters that are there.
///
/// # Errors
/// A ValidationException for an operator that does not take its values, and for what exceeds the limits of expressions.
pub(crate) fn into(
    bound: &mut Bound,
    structure: &Structure<'_>,
    parameters: &[&str],
    call: &Call<'_>,
) -> Result<(), Refusal> {
    let is_or = parameters.contains(&"ConditionalOperator")
        && structure.get("ConditionalOperator").is_some_and(|operator| operator.quoted().is("OR"));
    for &name in parameters {
        let Some(parameter) = structure.get(name) else { continue };
        let refuse = |refusal| below(call, refusal);
        match name {
            "Expected" => {
                let tests = tests(parameter)?;
                bound.condition = joined(&tests, is_or)
                    .map(|node| node.condition(Kind::Condition, None))
                    .transpose()
                    .map_err(refuse)?;
            }
            "QueryFilter" | "ScanFilter" => {
                let tests = tests(parameter)?;
                bound.filter =
                    joined(&tests, is_or).map(|node| node.condition(Kind::Filter, None)).transpose().map_err(refuse)?;
            }
            "KeyConditions" => {
                let tests = tests(parameter)?;
                let node = joined(&tests, false);
                bound.key_condition =
                    node.map(|node| node.condition(Kind::KeyCondition, None)).transpose().map_err(refuse)?;
            }
            "AttributeUpdates" => {
                let node = update(parameter).map_err(Refusal::validation)?;
                bound.update = node.map(|node| node.update(None)).transpose().map_err(refuse)?;
            }
            "AttributesToGet" => {
                let names: Vec<Path> = parameter.elements().map(|name| Path::attribute(&name.text())).collect();
                bound.projection = Some(build::projection(names).map_err(refuse)?);
            }
            _ => {}
        }
    }
    Ok(())
}

/// What is asked of one attribute.
struct Test {
    attribute: Path,
    operator: Box<str>,
    values: Vec<StoredValue>,
}

/// What Expected, KeyConditions or a filter asks.
fn tests(conditions: Value<'_>) -> Result<Vec<Test>, Refusal> {
    let test = |(name, condition): (crate::json::Quoted<'_>, Value<'_>)| {
        let attribute = Path::attribute(&name.decode());
        let condition = condition.structure();
        // Filters and conditions on keys have no members `Value` and `Exists`.
        let member = |name: &str| condition.shape().shape().has_member(name).then(|| condition.get(name)).flatten();
        let list = condition.get("AttributeValueList");
        let given = list.into_iter().flat_map(|list| list.elements()).chain(member("Value"));
        let values = given.map(StoredValue::of).collect::<Result<Vec<_>, _>>()?;
        let operator = condition.get("ComparisonOperator").map_or_else(
            || if values.is_empty() { "NULL".into() } else { "EQ".into() },
            |operator| operator.text().into_owned().into_boxed_str(),
        );
        Ok(Test { attribute, operator, values })
    };
    conditions.entries().map(test).collect::<Result<_, Text>>().map_err(Refusal::validation)
}

/// All tests as one condition; none of no tests.
fn joined(tests: &[Test], is_or: bool) -> Option<Node<'_>> {
    tests.iter().map(Test::node).reduce(if is_or { Node::or } else { Node::and })
}

impl Test {
    fn node(&self) -> Node<'_> {
        let path = || self.attribute.clone();
        let mut values = self.values.iter().map(|value| Operand::Value(value.get()));
        let compare = |comparator, value| Node::compare(comparator, path(), value);
        let (first, second) = match &*self.operator {
            "IN" => return Node::is_in(path(), values),
            _ => (values.next(), values.next()),
        };
        // The rules have seen that there are as many as the operator takes.
        match (&*self.operator, first, second) {
            ("NOT_NULL", ..) => Node::exists(path()),
            ("EQ", Some(value), _) => compare(Comparator::Equal, value),
            ("NE", Some(value), _) => compare(Comparator::NotEqual, value),
            ("LE", Some(value), _) => compare(Comparator::LessOrEqual, value),
            ("LT", Some(value), _) => compare(Comparator::Less, value),
            ("GE", Some(value), _) => compare(Comparator::GreaterOrEqual, value),
            ("GT", Some(value), _) => compare(Comparator::Greater, value),
            ("CONTAINS", Some(value), _) => Node::contains(path(), value),
            ("NOT_CONTAINS", Some(value), _) => Node::not_contains(path(), value),
            ("BEGINS_WITH", Some(value), _) => Node::begins_with(path(), value),
            ("BETWEEN", Some(low), Some(high)) => Node::between(path(), low, high),
            _ => Node::not_exists(path()),
        }
    }
}

/// What AttributeUpdates does; none where it does nothing.
fn update(updates: Value<'_>) -> Result<Option<UpdateNode>, Text> {
    let mut node: Option<UpdateNode> = None;
    for (name, update) in updates.entries() {
        let (path, update) = (Path::attribute(&name.decode()), update.structure());
        let value = update.get("Value").map(StoredValue::of).transpose()?;
        let action = update.get("Action").map(|action| action.text());
        let before = node.unwrap_or_default();
        node = Some(match (action.as_deref(), value) {
            (Some("DELETE"), None) | (_, None) => before.remove(path),
            (Some("DELETE"), Some(value)) => before.delete(path, value.get()),
            (Some("ADD"), Some(value)) if value.type_() == kstone_api::Type::L => before.append(path, value.get()),
            (Some("ADD"), Some(value)) => before.add(path, value.get()),
            (_, Some(value)) => before.put(path, value.get()),
        });
    }
    Ok(node)
}
