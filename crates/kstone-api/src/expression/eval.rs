//! Asking a condition of an item, where it lies.
//!
//! An attribute that is not there is equal to nothing, not even to another such, so it is unequal to everything and in no
//! order; so are values of different types. The table's key is bytes without a type of its own, so that it is compared
//! with text and with binary alike: see [`Seen::facing`]. Nothing is
//! allocated but where several paths lead through a large item; nothing recurses but for those. Thread safety: borrows only.

use std::cmp::Ordering;

use kstone_core::item::ValueRef;
use kstone_core::number;
use kstone_core::value::Type;
use memchr::memmem;

use super::ast::{Comparator, ConditionAst, Operand, Predicate, Step};
use super::bind::BoundParameters;
use super::resolve::Resolved;
use super::subject::Subject;

/// Runs the program of a condition.
pub(super) fn holds(ast: &ConditionAst, bound: &BoundParameters, subject: &Subject<'_>) -> bool {
    let resolved = Resolved::of(bound, &ast.symbols, subject);
    let asked = Asked { ast, bound, subject, resolved };
    let mut answer = false;
    let mut at = 0;
    while let Some(step) = ast.steps.get(at) {
        at += 1;
        match *step {
            Step::Test(predicate) => answer = asked.predicate(&ast.predicates[usize::from(predicate)]),
            Step::Not => answer = !answer,
            Step::AndThen(end) if !answer => at = usize::from(end),
            Step::OrElse(end) if answer => at = usize::from(end),
            Step::AndThen(_) | Step::OrElse(_) => {}
        }
    }
    answer
}

/// The order of two values of one type that has an order.
pub(crate) fn order(a: ValueRef<'_>, b: ValueRef<'_>) -> Option<Ordering> {
    match (a.type_(), b.type_()) {
        (Type::S, Type::S) | (Type::B, Type::B) => Some(a.payload().cmp(b.payload())),
        (Type::N, Type::N) => Some(number::compare(a.as_number()?, b.as_number()?)),
        _ => None,
    }
}

/// An operand's value.
#[derive(Clone, Copy)]
struct Seen<'a> {
    value: ValueRef<'a>,
    /// Whether it is the table's partition key or sort key.
    is_key: bool,
}

impl<'a> Seen<'a> {
    fn plain(value: ValueRef<'a>) -> Self {
        Self { value, is_key: false }
    }

    /// The value as it is compared with another: a key takes the type of the text, the binary value or the set of such
    /// that it meets, whatever its bytes spell.
    #[inline]
    fn facing(self, other: Self) -> ValueRef<'a> {
        if !self.is_key {
            return self.value;
        }
        let type_ = match other.value.type_() {
            _ if other.is_key => Type::B,
            Type::S | Type::SS => Type::S,
            Type::B | Type::BS => Type::B,
            _ => return self.value,
        };
        ValueRef::from_parts(type_, self.value.payload())
    }
}

/// Whether two bounds of one key are in order; `None` where they are no bounds of a key.
pub(super) fn key_bounds(low: ValueRef<'_>, high: ValueRef<'_>) -> Option<Ordering> {
    let is_bytes = |value: ValueRef<'_>| matches!(value.type_(), Type::S | Type::B);
    (is_bytes(low) && is_bytes(high)).then(|| low.payload().cmp(high.payload()))
}

/// A condition and the item it is asked of.
struct Asked<'a, 's> {
    ast: &'a ConditionAst,
    bound: &'a BoundParameters<'a>,
    subject: &'a Subject<'s>,
    resolved: Resolved<'s>,
}

/// The digits of a size, so that it can be compared as a number.
#[derive(Default)]
struct Digits {
    bytes: [u8; 20],
}

impl<'s> Asked<'_, 's> {
    fn predicate(&self, predicate: &Predicate) -> bool {
        match predicate {
            Predicate::Compare(comparator, left, right) => self.compare(*comparator, *left, *right),
            Predicate::Between(operand, low, high) => {
                let holds = |operand, bound, wanted: fn(Ordering) -> bool| self.is_ordered(operand, bound, wanted);
                holds(*operand, *low, Ordering::is_ge) && holds(*operand, *high, Ordering::is_le)
            }
            Predicate::In(operand, list) => list.iter().any(|other| self.is_equal(*operand, *other)),
            Predicate::Exists(path) => self.follow(*path).is_some(),
            Predicate::NotExists(path) => self.follow(*path).is_none(),
            Predicate::HasType(operand, type_) => {
                let is_of = |seen: Seen<'_>, name: &str| seen.value.type_().name() == name;
                self.with(*operand, |seen| {
                    self.with(*type_, |name| name.value.as_str().is_some_and(|name| is_of(seen, name)))
                })
            }
            Predicate::BeginsWith(operand, prefix) => self.with_both(*operand, *prefix, begins_with),
            Predicate::Contains(operand, wanted) => {
                self.with(*operand, |seen| self.with(*wanted, |wanted| contains(seen, wanted)))
            }
            // Binding refuses these.
            Predicate::Fault(_) => false,
        }
    }

    fn compare(&self, comparator: Comparator, left: Operand, right: Operand) -> bool {
        match comparator {
            Comparator::Equal => self.is_equal(left, right),
            Comparator::NotEqual => !self.is_equal(left, right),
            Comparator::Less => self.is_ordered(left, right, Ordering::is_lt),
            Comparator::LessOrEqual => self.is_ordered(left, right, Ordering::is_le),
            Comparator::Greater => self.is_ordered(left, right, Ordering::is_gt),
            Comparator::GreaterOrEqual => self.is_ordered(left, right, Ordering::is_ge),
        }
    }

    #[inline]
    fn is_equal(&self, left: Operand, right: Operand) -> bool {
        // Equal values have equal bytes, sets in whatever order and numbers however they were written.
        self.with_both(left, right, |left, right| left == right)
    }

    fn is_ordered(&self, left: Operand, right: Operand, wanted: impl FnOnce(Ordering) -> bool) -> bool {
        self.with_both(left, right, |left, right| order(left, right).is_some_and(wanted))
    }

    /// Calls back with two values as they are compared with each other; false where one is not there.
    #[inline]
    fn with_both(&self, left: Operand, right: Operand, ask: impl FnOnce(ValueRef<'_>, ValueRef<'_>) -> bool) -> bool {
        self.with(left, |left| self.with(right, |right| ask(left.facing(right), right.facing(left))))
    }

    /// Calls back with the operand's value; false where there is none.
    #[inline]
    fn with(&self, operand: Operand, ask: impl FnOnce(Seen<'_>) -> bool) -> bool {
        match operand {
            Operand::Path(path) => {
                self.follow(path).is_some_and(|value| ask(Seen { value, is_key: self.is_key(path) }))
            }
            Operand::Value(value) => ask(Seen::plain(self.bound.value(value))),
            Operand::SizeOfPath(path) => self.follow(path).is_some_and(|value| with_size(value, ask)),
            Operand::SizeOfValue(value) => with_size(self.bound.value(value), ask),
        }
    }

    #[inline]
    fn is_key(&self, path: u16) -> bool {
        self.bound.is_key(&self.ast.symbols.paths[usize::from(path)])
    }

    #[inline]
    fn follow(&self, path: u16) -> Option<ValueRef<'s>> {
        self.resolved.get(self.bound, &self.ast.symbols, self.subject, path)
    }
}

fn with_size(value: ValueRef<'_>, ask: impl FnOnce(Seen<'_>) -> bool) -> bool {
    let Some(size) = size(value) else { return false };
    let mut digits = Digits::default();
    let start = digits.write(size);
    ask(Seen::plain(ValueRef::from_parts(Type::N, &digits.bytes[start..])))
}

/// What `size` is of a value: of text the number of its UTF-16 units, of bytes theirs, of a list, map or set the number of
/// elements.
fn size(value: ValueRef<'_>) -> Option<usize> {
    match value.type_() {
        Type::S => value.as_str().map(|text| text.encode_utf16().count()),
        Type::B => Some(value.payload().len()),
        Type::L => Some(value.list().count()),
        Type::M => value.map().map(|map| map.len()),
        Type::SS | Type::NS | Type::BS => Some(value.set().count()),
        Type::N | Type::Bool | Type::Null => None,
    }
}

impl Digits {
    /// Writes a number at the end of the buffer; returns where it starts.
    fn write(&mut self, mut number: usize) -> usize {
        let mut start = self.bytes.len();
        loop {
            start -= 1;
            self.bytes[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return start;
            }
        }
    }
}

fn begins_with(value: ValueRef<'_>, prefix: ValueRef<'_>) -> bool {
    matches!((value.type_(), prefix.type_()), (Type::S, Type::S) | (Type::B, Type::B))
        && value.payload().starts_with(prefix.payload())
}

fn contains(seen: Seen<'_>, wanted_seen: Seen<'_>) -> bool {
    let (value, wanted) = (seen.facing(wanted_seen), wanted_seen.facing(seen));
    match (value.type_(), wanted.type_()) {
        (Type::S, Type::S) | (Type::B, Type::B) => memmem::find(value.payload(), wanted.payload()).is_some(),
        (Type::SS, Type::S) | (Type::NS, Type::N) | (Type::BS, Type::B) => {
            value.set().any(|element| element == wanted.payload())
        }
        (Type::L, _) => value.list().any(|element| element == wanted_seen.facing(Seen::plain(element))),
        _ => false,
    }
}
