//! Expressions evaluated the plain way: recursively, over owned values. What the real ones are compared with.

use std::cmp::Ordering;

use kstone_core::number;
use kstone_core::value::{Item, Value};
use proptest::prelude::*;

use super::super::ast::Comparator;
use super::trees::{self, Action, New, Source, Term, Tree};

/// The value that a `:value` of the tests stands for, by its name.
pub(super) fn value_named(key: &str) -> Value {
    match key.trim_start_matches(':') {
        "n" | "v" | "a" => Value::number(5),
        "n2" => Value::number("10.50"),
        "s" => Value::string("be"),
        "s2" => Value::string("bee"),
        "b" => Value::binary(b"be"),
        "t" => Value::bool(true),
        "z" => Value::null(),
        "l" => Value::list([Value::number("5.0"), Value::string("be")]),
        "m" => Value::map([("x", Value::number(5))]),
        "ss" => Value::string_set(["bee", "be"]),
        "ns" => Value::number_set(["10.5", "5"]),
        "ss2" => Value::string_set(["bee", "cat"]),
        "ns2" => Value::number_set(["5", "-1"]),
        name => Value::string(name.trim_start_matches("type")),
    }
}

/// An item with something under most of the tests' paths.
pub(super) fn item() -> Item {
    let inner = Value::list([Value::string("be"), Value::map([("y", Value::number(5))])]);
    Item::from([
        ("a".to_owned(), Value::number(5)),
        ("b".to_owned(), Value::string("bee")),
        ("l".to_owned(), Value::list([Value::number(5), Value::string("be"), Value::null()])),
        ("m".to_owned(), Value::map([("x", Value::number(10.5)), ("l", inner), ("a", Value::bool(true))])),
        ("ss".to_owned(), Value::string_set(["be", "bee"])),
        ("ns".to_owned(), Value::number_set([5.0, 10.5])),
    ])
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = proptest::sample::select(trees::VALUES).prop_map(value_named);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = proptest::sample::select(&["x", "l", "y", "q", "a", "r"][..]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            proptest::collection::vec((name, inner), 0..4).prop_map(Value::map),
        ]
    })
}

/// Items near [`item`]: each attribute that, another value, or absent.
pub(super) fn items() -> impl Strategy<Value = Item> {
    let names = ["a", "b", "l", "m", "ss", "ns"].map(|name| {
        prop_oneof![3 => Just(item().remove(name)), 2 => value().prop_map(Some), 1 => Just(None)]
            .prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    });
    names.prop_map(|attributes| attributes.into_iter().flatten().collect())
}

/// An item with its key, or none.
pub(super) struct Model {
    attributes: Item,
}

impl Model {
    pub(super) fn new(item: Option<(&[u8], &[u8], &Item)>) -> Self {
        let mut attributes = Item::new();
        if let Some((pk, sk, item)) = item {
            attributes = item.clone();
            for (name, key) in [("pk", pk), ("sk", sk)].into_iter().filter(|(_, key)| !key.is_empty()) {
                let text = std::str::from_utf8(key).map(Value::string);
                attributes.insert(name.to_owned(), text.unwrap_or_else(|_| Value::binary(key)));
            }
        }
        Self { attributes }
    }

    pub(super) fn holds(&self, tree: &Tree) -> bool {
        match tree {
            Tree::Not(a) => !self.holds(a),
            Tree::And(a, b) => self.holds(a) & self.holds(b),
            Tree::Or(a, b) => self.holds(a) | self.holds(b),
            Tree::Compare(comparator, a, b) => self.compares(*comparator, a, b),
            Tree::Between(a, low, high) => {
                self.compares(Comparator::GreaterOrEqual, a, low) && self.compares(Comparator::LessOrEqual, a, high)
            }
            Tree::In(a, list) => list.iter().any(|b| self.compares(Comparator::Equal, a, b)),
            Tree::Exists(path) => self.at(path).is_some(),
            Tree::NotExists(path) => self.at(path).is_none(),
            Tree::HasType(a, b) => match (self.value(a), self.value(b)) {
                (Some(a), Some(b)) => b.as_string() == Some(a.type_().name()),
                _ => false,
            },
            Tree::BeginsWith(a, b) => match self.pair(a, b) {
                (Some(Value::S(a)), Some(Value::S(b))) => a.starts_with(&b),
                (Some(Value::B(a)), Some(Value::B(b))) => a.starts_with(&b),
                _ => false,
            },
            Tree::Contains(a, b) => match self.pair(a, b) {
                (Some(Value::S(a)), Some(Value::S(b))) => a.contains(&b),
                (Some(Value::B(a)), Some(Value::B(b))) => b.is_empty() || a.windows(b.len()).any(|part| part == b),
                (Some(Value::L(a)), Some(b)) => a.contains(&b),
                (Some(Value::SS(a)), Some(Value::S(b))) => a.contains(&b),
                (Some(Value::BS(a)), Some(Value::B(b))) => a.contains(&b),
                (Some(Value::NS(a)), Some(b @ Value::N(_))) => a.iter().any(|a| Value::number(a.as_str()) == b),
                _ => false,
            },
        }
    }

    fn compares(&self, comparator: Comparator, a: &Term, b: &Term) -> bool {
        let (a, b) = self.pair(a, b);
        let order = match (&a, &b) {
            (Some(Value::S(a)), Some(Value::S(b))) => Some(a.cmp(b)),
            (Some(Value::B(a)), Some(Value::B(b))) => Some(a.cmp(b)),
            (Some(Value::N(a)), Some(Value::N(b))) => {
                Some(number::compare(&number::canonical(a).unwrap(), &number::canonical(b).unwrap()))
            }
            _ => None,
        };
        match comparator {
            Comparator::Equal => a.is_some() && a == b,
            Comparator::NotEqual => a.is_none() || a != b,
            Comparator::Less => order == Some(Ordering::Less),
            Comparator::LessOrEqual => order.is_some_and(Ordering::is_le),
            Comparator::Greater => order == Some(Ordering::Greater),
            Comparator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }

    /// Two values to be compared: text is binary next to a key.
    fn pair(&self, a: &Term, b: &Term) -> (Option<Value>, Option<Value>) {
        let is_key = |term: &Term| matches!(term, Term::Path(path) if ["pk", "sk"].contains(&name(path)));
        let meets_key = is_key(a) || is_key(b);
        let seen = |term: &Term| self.value(term).map(|value| if meets_key { as_bytes(value) } else { value });
        (seen(a), seen(b))
    }

    fn value(&self, term: &Term) -> Option<Value> {
        match term {
            Term::Path(path) => self.at(path).cloned(),
            Term::Value(key) => Some(value_named(key)),
            Term::SizeOfPath(path) => size(self.at(path)?),
            Term::SizeOfValue(key) => size(&value_named(key)),
        }
    }

    fn at(&self, path: &str) -> Option<&Value> {
        let mut steps = trees::steps(path);
        let mut found = self.attributes.get(name(steps.next()?))?;
        for step in steps {
            found = match (found, step.parse::<usize>()) {
                (Value::L(list), Ok(index)) => list.get(index)?,
                (Value::M(map), Err(_)) => map.get(name(step))?,
                _ => return None,
            };
        }
        Some(found)
    }

    fn source(&self, source: &Source) -> Option<Value> {
        match source {
            Source::Path(path) => self.at(path).cloned(),
            Source::Value(key) => Some(value_named(key)),
            Source::IfNotExists(path, key) => Some(self.at(path).cloned().unwrap_or_else(|| value_named(key))),
        }
    }

    /// What an action makes of the value at its path; the outer `None` is an error.
    fn made(&self, action: &Action, old: Option<&Value>) -> Option<Option<Value>> {
        let sum = |a: &Source, b: &Source, sum: fn(&str, &str) -> kstone_core::Result<String>| {
            let (a, b) = (self.source(a)?, self.source(b)?);
            let (a, b) = (number::canonical(a.as_number()?).ok()?, number::canonical(b.as_number()?).ok()?);
            sum(&a, &b).ok().map(|sum| Some(Value::N(sum)))
        };
        match (action.0, &action.2) {
            ("REMOVE", _) => Some(None),
            (_, New::Operand(source)) => self.source(source).map(Some),
            (_, New::Plus(a, b)) => sum(a, b, number::add),
            (_, New::Minus(a, b)) => sum(a, b, number::subtract),
            (_, New::Append(a, b)) => match (self.source(a)?, self.source(b)?) {
                (Value::L(a), Value::L(b)) => Some(Some(Value::L([a, b].concat()))),
                _ => None,
            },
            ("ADD", New::Value(key)) => match (old.cloned(), value_named(key)) {
                (None, value) => Some(Some(value)),
                (Some(Value::N(a)), Value::N(b)) => {
                    let (a, b) = (number::canonical(&a).ok()?, number::canonical(&b).ok()?);
                    number::add(&a, &b).ok().map(|sum| Some(Value::N(sum)))
                }
                (Some(Value::SS(mut a)), Value::SS(b)) => {
                    a.extend(b.into_iter().filter(|b| !a.contains(b)).collect::<Vec<_>>());
                    Some(Some(Value::SS(a)))
                }
                (Some(Value::NS(mut a)), Value::NS(b)) => {
                    a.extend(b.into_iter().filter(|b| !a.contains(b)).collect::<Vec<_>>());
                    Some(Some(Value::NS(a)))
                }
                _ => None,
            },
            (_, New::Value(key)) => match (old.cloned(), value_named(key)) {
                (None, _) => Some(None),
                (Some(Value::SS(mut a)), Value::SS(b)) => {
                    a.retain(|a| !b.contains(a));
                    Some((!a.is_empty()).then_some(Value::SS(a)))
                }
                (Some(Value::NS(mut a)), Value::NS(b)) => {
                    a.retain(|a| !b.contains(a));
                    Some((!a.is_empty()).then_some(Value::NS(a)))
                }
                _ => None,
            },
            (_, New::Nothing) => Some(None),
        }
    }
}

/// The name that a step stands for: the tests' `#name`s all mean `a`.
fn name(step: &str) -> &str {
    if step.starts_with('#') { "a" } else { step }
}

fn size(value: &Value) -> Option<Value> {
    let size = match value {
        Value::S(text) => text.encode_utf16().count(),
        Value::B(bytes) => bytes.len(),
        Value::L(list) => list.len(),
        Value::M(map) => map.len(),
        Value::SS(set) => set.len(),
        Value::NS(set) => set.len(),
        _ => return None,
    };
    Some(Value::number(size))
}

/// The item after an update; none where the update fails. Changes go from the greatest index of a list to the least, so
/// that none moves what another means.
pub(super) fn updated(item: &Item, actions: &[Action]) -> Option<Item> {
    let before = Model::new(Some((b"user#1", b"", item)));
    let mut root = Value::M(item.clone());
    let key = |action: &Action| -> Vec<(String, i64)> {
        trees::steps(action.1).map(|step| (name(step).to_owned(), step.parse().unwrap_or(-1))).collect()
    };
    let mut actions: Vec<_> = actions.iter().collect();
    // New elements go behind the old ones in the order of their indexes, so first, from the least on.
    actions.sort_by_key(|action| key(action));
    let (beyond, within): (Vec<_>, Vec<_>) = actions.into_iter().partition(|action| {
        let parent = action.1.rsplit_once('[');
        parent.is_some_and(|(parent, index)| {
            let index = index.trim_end_matches(']').parse::<usize>();
            matches!((before.at(parent), index), (Some(Value::L(list)), Ok(index)) if index >= list.len())
        })
    });
    for action in beyond.into_iter().chain(within.into_iter().rev()) {
        let made = before.made(action, before.at(action.1))?;
        let steps: Vec<_> = trees::steps(action.1).map(name).collect();
        change(&mut root, &steps, made)?;
    }
    match root {
        Value::M(item) => Some(item),
        _ => None,
    }
}

fn change(value: &mut Value, steps: &[&str], made: Option<Value>) -> Option<()> {
    let (step, rest) = steps.split_first()?;
    match (value, step.parse::<usize>()) {
        (Value::M(map), Err(_)) if rest.is_empty() => {
            match made {
                Some(made) => map.insert((*step).to_owned(), made),
                None => map.remove(*step),
            };
            Some(())
        }
        (Value::L(list), Ok(index)) if rest.is_empty() => {
            match made {
                Some(made) if index < list.len() => list[index] = made,
                Some(made) => list.push(made),
                None if index < list.len() => drop(list.remove(index)),
                None => {}
            }
            Some(())
        }
        (Value::M(map), Err(_)) => change(map.get_mut(*step)?, rest, made),
        (Value::L(list), Ok(index)) => change(list.get_mut(index)?, rest, made),
        _ => None,
    }
}

/// What paths that do not overlap take of an item.
pub(super) fn projected(item: &Item, paths: &[&str]) -> Item {
    let model = Model::new(Some((b"user#1", b"", item)));
    let wanted: Vec<Vec<&str>> = paths.iter().map(|path| trees::steps(path).map(name).collect()).collect();
    let wanted: Vec<&[&str]> = wanted.iter().map(Vec::as_slice).collect();
    match taken(&Value::M(model.attributes), &wanted) {
        Some(Value::M(taken)) => taken,
        _ => Item::new(),
    }
}

fn taken(value: &Value, wanted: &[&[&str]]) -> Option<Value> {
    if wanted.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let inner = |step: &str, value: &Value| {
        let deeper: Vec<_> = wanted.iter().filter(|path| path[0] == step).map(|path| &path[1..]).collect();
        if deeper.is_empty() { None } else { taken(value, &deeper) }
    };
    match value {
        Value::M(map) => {
            let map: Item = map.iter().filter_map(|(key, value)| Some((key.clone(), inner(key, value)?))).collect();
            (!map.is_empty()).then_some(Value::M(map))
        }
        Value::L(list) => {
            let list: Vec<_> =
                list.iter().enumerate().filter_map(|(at, value)| inner(&at.to_string(), value)).collect();
            (!list.is_empty()).then_some(Value::L(list))
        }
        _ => None,
    }
}

fn as_bytes(value: Value) -> Value {
    match value {
        Value::S(text) => Value::binary(text.into_bytes()),
        Value::SS(texts) => Value::BS(texts.into_iter().map(|text| text.into_bytes().into()).collect()),
        Value::L(elements) => Value::L(elements.into_iter().map(as_bytes).collect()),
        other => other,
    }
}
