//! Asking a condition of an item, where it lies.
//!
//! An attribute that is not there is equal to nothing, not even to another such, so it is unequal to everything and in no
//! order; so are values of different types. An untyped table's key is bytes without a type of its own, so that it is
//! compared with text and with binary alike: see [`Seen::facing`]. Nothing is
//! allocated but where several paths lead through a large item; nothing recurses but for those. Thread safety: borrows only.

use std::cmp::Ordering;

use kstone_core::item::{HashedName, ValueRef};
use kstone_core::number;
use kstone_core::value::Type;
use memchr::memmem;

use super::ast::{Comparator, ConditionAst, Operand, Predicate, Step};
use super::bind::BoundParameters;
use super::resolve::{Known, Resolved};
use super::subject::Subject;

/// Runs the program of a condition. `attributes` may say of each path, or of none, which attribute it names where it is no
/// more than that.
pub(super) fn holds(
    ast: &ConditionAst,
    bound: &BoundParameters,
    attributes: &[Option<HashedName<'_>>],
    subject: &Subject<'_>,
) -> bool {
    let known = if ast.symbols.repeats_paths { &Known::default()[..] } else { &[] };
    let resolved = Resolved::of(bound, &ast.symbols, subject, known);
    let asked = Asked { ast, bound, attributes, subject, resolved };
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
pub fn order(a: ValueRef<'_>, b: ValueRef<'_>) -> Option<Ordering> {
    match (a.type_(), b.type_()) {
        (Type::S, Type::S) | (Type::B, Type::B) => Some(a.payload().cmp(b.payload())),
        (Type::N, Type::N) => Some(number::compare_bytes(a.payload(), b.payload())),
        _ => None,
    }
}

/// An operand's value.
#[derive(Clone, Copy)]
struct Seen<'a> {
    value: ValueRef<'a>,
    /// Whether it is the partition key or sort key of an untyped table.
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
    attributes: &'a [Option<HashedName<'a>>],
    subject: &'a Subject<'s>,
    resolved: Resolved<'a, 's>,
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
                let digits = &mut Digits::default();
                let Some(seen) = self.seen(*operand, digits) else { return false };
                self.is_ordered(seen, *low, Ordering::is_ge) && self.is_ordered(seen, *high, Ordering::is_le)
            }
            Predicate::In(operand, list) => {
                let digits = &mut Digits::default();
                let Some(seen) = self.seen(*operand, digits) else { return false };
                list.iter().any(|other| self.is_equal(seen, *other))
            }
            Predicate::Present => self.subject.is_present(),
            Predicate::Absent => !self.subject.is_present(),
            Predicate::Exists(path) => self.follow(*path).is_some(),
            Predicate::NotExists(path) => self.follow(*path).is_none(),
            Predicate::HasType(operand, type_) => self.both(*operand, *type_, |seen, name| {
                name.value.as_str().is_some_and(|name| seen.value.type_().name() == name)
            }),
            Predicate::BeginsWith(operand, prefix) => {
                self.both(*operand, *prefix, |seen, prefix| begins_with(seen.facing(prefix), prefix.facing(seen)))
            }
            Predicate::Contains(operand, wanted) => self.both(*operand, *wanted, contains),
            Predicate::NotContains(operand, wanted) => !self.both(*operand, *wanted, contains),
            // Binding refuses these.
            Predicate::Fault(_) => false,
        }
    }

    fn compare(&self, comparator: Comparator, left: Operand, right: Operand) -> bool {
        let digits = &mut Digits::default();
        let left = self.seen(left, digits);
        let is_equal = || left.is_some_and(|left| self.is_equal(left, right));
        let is_ordered = |wanted| left.is_some_and(|left| self.is_ordered(left, right, wanted));
        match comparator {
            Comparator::Equal => is_equal(),
            Comparator::NotEqual => !is_equal(),
            Comparator::Less => is_ordered(Ordering::is_lt),
            Comparator::LessOrEqual => is_ordered(Ordering::is_le),
            Comparator::Greater => is_ordered(Ordering::is_gt),
            Comparator::GreaterOrEqual => is_ordered(Ordering::is_ge),
        }
    }

    fn is_equal(&self, left: Seen<'_>, right: Operand) -> bool {
        let digits = &mut Digits::default();
        // Equal values have equal bytes, sets in whatever order and numbers however they were written.
        self.seen(right, digits).is_some_and(|right| left.facing(right) == right.facing(left))
    }

    fn is_ordered(&self, left: Seen<'_>, right: Operand, wanted: fn(Ordering) -> bool) -> bool {
        let digits = &mut Digits::default();
        let Some(right) = self.seen(right, digits) else { return false };
        order(left.facing(right), right.facing(left)).is_some_and(wanted)
    }

    /// What is asked of the values of two operands; false where one is not there.
    fn both(&self, left: Operand, right: Operand, ask: fn(Seen<'_>, Seen<'_>) -> bool) -> bool {
        let (left_digits, right_digits) = (&mut Digits::default(), &mut Digits::default());
        let (left, right) = (self.seen(left, left_digits), self.seen(right, right_digits));
        left.zip(right).is_some_and(|(left, right)| ask(left, right))
    }

    /// The operand's value, where there is one; that of a size lies in `digits`.
    #[inline]
    fn seen<'d>(&'d self, operand: Operand, digits: &'d mut Digits) -> Option<Seen<'d>> {
        match operand {
            Operand::Path(path) => Some(Seen { value: self.follow(path)?, is_key: self.is_key(path) }),
            Operand::Value(value) => Some(Seen::plain(self.bound.value(value))),
            Operand::SizeOfPath(path) => digits.seen_size(self.follow(path)?),
            Operand::SizeOfValue(value) => digits.seen_size(self.bound.value(value)),
        }
    }

    #[inline]
    fn is_key(&self, path: u16) -> bool {
        self.attribute(path).is_none()
            && self.bound.is_untyped_key(&self.ast.symbols.paths[usize::from(path)])
            && self.subject.item().named_key().is_none()
    }

    #[inline]
    fn follow(&self, path: u16) -> Option<ValueRef<'s>> {
        self.resolved.get(path, || match self.attribute(path) {
            Some(name) => self.subject.item().get_hashed(name),
            None => self.bound.follow(&self.ast.symbols.paths[usize::from(path)], self.subject),
        })
    }

    /// The attribute that a path names, where that is known.
    #[inline]
    fn attribute(&self, path: u16) -> Option<HashedName<'_>> {
        self.attributes.get(usize::from(path)).copied().flatten()
    }
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
    /// The size of a value that has one, as a number.
    fn seen_size(&mut self, value: ValueRef<'_>) -> Option<Seen<'_>> {
        let start = self.write(size(value)?);
        Some(Seen::plain(ValueRef::from_parts(Type::N, &self.bytes[start..])))
    }

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
