//! What conditions ask of attributes that could be those of a key.
//!
//! ```text
//! pk = 'a' AND n > 1                             pk = 'a', and more
//! pk = 'a' OR pk IN ['b', 'c']                   pk is one of a, b, c, and nothing more
//! (pk = 'a' AND sk = '1') OR (pk = 'b' AND …)    pk is one of a, b, and more
//! ```

use super::parsed::{Ask, Asks, KeyTest};
use crate::expression::ast::{Comparator, Operand, Predicate, Segment, Symbols};

/// What one predicate asks.
pub(super) fn of_predicate(predicate: &Predicate, symbols: &Symbols) -> Asks {
    let test = ask(predicate).and_then(|(path, ask)| match &*symbols.paths[usize::from(path)] {
        [Segment::Name(attribute)] => Some(KeyTest { attribute: (**attribute).into(), ask }),
        _ => None,
    });
    Asks { exact: test.is_some(), tests: test.into_iter().collect() }
}

/// What conditions ask that must all hold.
pub(super) fn all(parts: Vec<Asks>) -> Asks {
    let exact = parts.iter().all(|part| part.exact);
    Asks { tests: parts.into_iter().flat_map(|part| part.tests).collect(), exact }
}

/// What conditions ask of which one must hold: of each attribute that all of them give values, that it has one of
/// these.
pub(super) fn any(parts: Vec<Asks>) -> Asks {
    let Some((first, rest)) = parts.split_first() else { return Asks::default() };
    let mut tests: Vec<KeyTest> = Vec::new();
    for KeyTest { attribute, .. } in &first.tests {
        let is_known = tests.iter().any(|test| test.attribute == *attribute);
        if !is_known
            && let Some(values) = parts.iter().map(|part| values_of(part, attribute)).collect::<Option<Vec<_>>>()
        {
            tests.push(KeyTest { attribute: attribute.clone(), ask: Ask::In(values.concat()) });
        }
    }
    let is_sole = |part: &Asks| part.exact && part.tests.len() == 1;
    let exact = tests.len() == 1 && is_sole(first) && rest.iter().all(is_sole);
    Asks { tests, exact }
}

/// The values that a condition leaves to an attribute, where it leaves only some.
fn values_of(asks: &Asks, attribute: &str) -> Option<Vec<u16>> {
    asks.tests.iter().filter(|test| *test.attribute == *attribute).find_map(|test| match &test.ask {
        Ask::Eq(value) => Some(vec![*value]),
        Ask::In(values) => Some(values.clone()),
        _ => None,
    })
}

fn ask(predicate: &Predicate) -> Option<(u16, Ask)> {
    use Operand::{Path, Value};
    Some(match *predicate {
        Predicate::Compare(Comparator::NotEqual, ..) => return None,
        Predicate::Compare(Comparator::Equal, Path(path), Value(value))
        | Predicate::Compare(Comparator::Equal, Value(value), Path(path)) => (path, Ask::Eq(value)),
        Predicate::Compare(comparator, Path(path), Value(value)) => (path, Ask::Compare(comparator, value)),
        Predicate::Compare(comparator, Value(value), Path(path)) => (path, Ask::Compare(comparator.turned(), value)),
        Predicate::Between(Path(path), Value(low), Value(high)) => (path, Ask::Between(low, high)),
        Predicate::In(Path(path), ref list) => {
            let value = |operand: &Operand| if let Value(value) = *operand { Some(value) } else { None };
            (path, Ask::In(list.iter().map(value).collect::<Option<_>>()?))
        }
        Predicate::BeginsWith(Path(path), Value(prefix)) => (path, Ask::BeginsWith(prefix)),
        Predicate::NotExists(path) => (path, Ask::Missing),
        Predicate::Exists(path) => (path, Ask::Present),
        _ => return None,
    })
}
