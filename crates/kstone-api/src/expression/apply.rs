//! Making an item's new body from the old one and an update.
//!
//! The actions, ordered by their paths, and the old item, ordered by names, are read together: what no path touches is
//! copied as it lies, what one touches is written anew level by level.
//!
//! ```text
//! SET m.b = :x REMOVE m.c     old   a S …   m M { a 1  b 2  c 3 }   z S …
//!                             new   a S …   m M { a 1  b :x     }   z S …
//! ```
//! Invariants: recursion ends at [`PATH_MAX_LEVELS`](super::PATH_MAX_LEVELS); no buffer outgrows a body by more than
//! one value. Thread safety: borrows only.

use std::cmp::Ordering;

use crate::error::{Error, Result};
use kstone_core::item::{self, BODY_MAX_BYTES, ItemRef, MAX_NESTING_LEVELS, ValueRef, parts};
use kstone_core::value::Type;
use kstone_core::{error::Unit, number};

use super::ast::{NewValue, OperandSource, Verb};
use super::path::Place;
use super::resolve::Resolved;
use super::subject::Subject;
use super::update::Update;

/// See [`Update::apply`].
pub(super) fn apply(update: &Update, pk: &[u8], sk: &[u8], old: Option<ItemRef<'_>>) -> Result<Option<Vec<u8>>> {
    let makes_nothing = |verb: &Verb| matches!(verb, Verb::Remove | Verb::Delete(_));
    if old.is_none() && update.ast.actions.iter().all(|action| makes_nothing(&action.verb)) {
        return Ok(None);
    }
    let subject = Subject::new(pk, sk, old.unwrap_or_default());
    let mut body = Vec::with_capacity(subject.item().as_bytes().len() + 64);
    let resolved = Resolved::of(&update.bound, &update.ast.symbols, &subject);
    Writer { update, subject, resolved }.entries(&mut body, subject.item(), &update.order, 0)?;
    item::check_size(pk, sk, ItemRef::new(&body)).map_err(|error| match error {
        kstone_core::Error::Limit { unit, limit, found, .. } => Error::limit(ITEM_SIZE, unit, limit, found),
        other => other.into(),
    })?;
    Ok(Some(body))
}

const ITEM_SIZE: &str = "Item size to update";
const INVALID_PATH: &str = "The document path provided in the update expression is invalid for update";
const MISSING: &str = "The provided expression refers to an attribute that does not exist in the item";
const WRONG_TYPE: &str = "An operand in the update expression has an incorrect data type";

/// A value that is in the old item or the request, or was made.
enum Made<'a> {
    Borrowed(ValueRef<'a>),
    Owned(Type, Vec<u8>),
}

impl Made<'_> {
    fn view(&self) -> ValueRef<'_> {
        match self {
            Self::Borrowed(value) => *value,
            Self::Owned(type_, payload) => ValueRef::from_parts(*type_, payload),
        }
    }
}

struct Writer<'a> {
    update: &'a Update<'a>,
    subject: Subject<'a>,
    resolved: Resolved<'a>,
}

impl<'a> Writer<'a> {
    /// Writes the entries of a map, or of the item, changed by these actions, whose paths differ from this depth on.
    fn entries(&self, out: &mut Vec<u8>, old: ItemRef<'a>, actions: &[u16], depth: usize) -> Result<()> {
        let mut rest = old.iter().peekable();
        for group in self.groups(actions, depth) {
            let Some(Place::Name(name)) = self.place(group, depth) else { return Err(Error::invalid(INVALID_PATH)) };
            while let Some((other, value)) = rest.next_if(|(other, _)| *other < name) {
                parts::append_entry(out, other, value);
            }
            let value = rest.next_if(|(other, _)| *other == name).map(|(_, value)| value);
            if let Some(made) = self.changed(value, group, depth + 1)? {
                parts::append_entry(out, name, made.view());
            }
            check_growth(out)?;
        }
        for (name, value) in rest {
            parts::append_entry(out, name, value);
        }
        check_growth(out)
    }

    /// Writes the elements of a list. Indexes are those of the old list; new elements go to its end in their order.
    fn elements(&self, out: &mut Vec<u8>, old: ValueRef<'a>, actions: &[u16], depth: usize) -> Result<()> {
        let mut rest = (0..).zip(old.list()).peekable();
        for group in self.groups(actions, depth) {
            let Some(Place::Index(index)) = self.place(group, depth) else { return Err(Error::invalid(INVALID_PATH)) };
            while let Some((_, value)) = rest.next_if(|(at, _)| *at < index) {
                parts::append_value(out, value);
            }
            let value = rest.next_if(|(at, _)| *at == index).map(|(_, value)| value);
            if let Some(made) = self.changed(value, group, depth + 1)? {
                parts::append_value(out, made.view());
            }
            check_growth(out)?;
        }
        rest.for_each(|(_, value)| parts::append_value(out, value));
        check_growth(out)
    }

    /// What becomes of a value, or of a place without one, by actions whose paths lead to it in this many steps.
    fn changed(&self, old: Option<ValueRef<'a>>, actions: &[u16], depth: usize) -> Result<Option<Made<'a>>> {
        let Some(next) = self.place(actions, depth) else {
            let made = self.act(actions[0], old)?;
            if let Some(made) = &made {
                // The path itself nests once less than it has steps.
                check_levels(depth - 1 + made.view().levels())?;
            }
            return Ok(made);
        };
        let old = old.ok_or_else(|| Error::invalid(INVALID_PATH))?;
        let mut payload = Vec::with_capacity(old.payload().len() + 64);
        match (next, old.type_(), old.map()) {
            (Place::Name(_), _, Some(map)) => self.entries(&mut payload, map, actions, depth)?,
            (Place::Index(_), Type::L, _) => self.elements(&mut payload, old, actions, depth)?,
            _ => return Err(Error::invalid(INVALID_PATH)),
        }
        Ok(Some(Made::Owned(old.type_(), payload)))
    }

    /// The step at this depth of the first action's path.
    fn place(&self, actions: &[u16], depth: usize) -> Option<Place<'a>> {
        let path = self.update.path(*actions.first()?);
        path.get(depth).map(|segment| self.update.bound.place(segment))
    }

    /// The actions whose paths have the step at this depth in common.
    fn groups<'g>(&self, actions: &'g [u16], depth: usize) -> impl Iterator<Item = &'g [u16]> {
        actions.chunk_by(move |&a, &b| self.place(&[a], depth) == self.place(&[b], depth))
    }

    /// What one action makes of the value at its path.
    fn act(&self, action: u16, old: Option<ValueRef<'a>>) -> Result<Option<Made<'a>>> {
        match &self.update.ast.actions[usize::from(action)].verb {
            Verb::Set(new) => self.new_value(new).map(Some),
            Verb::Remove => Ok(None),
            Verb::Add(value) => add(old, self.update.bound.value(*value)).map(Some),
            Verb::Delete(value) => delete(old, self.update.bound.value(*value)),
        }
    }

    fn new_value(&self, new: &NewValue) -> Result<Made<'a>> {
        match new {
            NewValue::Source(source) => self.source(*source).map(Made::Borrowed),
            NewValue::Plus(left, right) => self.sum(*left, *right, number::add),
            NewValue::Minus(left, right) => self.sum(*left, *right, number::subtract),
            NewValue::ListAppend(first, second) => {
                let (first, second) = (self.source(*first)?, self.source(*second)?);
                if first.type_() != Type::L || second.type_() != Type::L {
                    return Err(Error::invalid(WRONG_TYPE));
                }
                Ok(Made::Owned(Type::L, [first.payload(), second.payload()].concat()))
            }
            // Binding refuses these.
            NewValue::Fault(text) => Err(super::Kind::Update.invalid(text)),
        }
    }

    fn sum(
        &self,
        left: u16,
        right: u16,
        sum: impl FnOnce(&str, &str) -> kstone_core::Result<String>,
    ) -> Result<Made<'a>> {
        match (self.source(left)?.as_number(), self.source(right)?.as_number()) {
            (Some(left), Some(right)) => Ok(Made::Owned(Type::N, sum(left, right)?.into_bytes())),
            _ => Err(Error::invalid(WRONG_TYPE)),
        }
    }

    /// The value of a source in the old item or the request.
    fn source(&self, mut source: u16) -> Result<ValueRef<'a>> {
        let follow = |path: u16| self.resolved.get(&self.update.bound, &self.update.ast.symbols, &self.subject, path);
        loop {
            match self.update.ast.sources[usize::from(source)] {
                OperandSource::Value(value) => return Ok(self.update.bound.value(value)),
                OperandSource::Path(path) => return follow(path).ok_or_else(|| Error::invalid(MISSING)),
                OperandSource::IfNotExists(path, otherwise) => match follow(path) {
                    Some(value) => return Ok(value),
                    None => source = otherwise,
                },
            }
        }
    }
}

/// ADD: a number to a number, a set to a set; the value itself where there was nothing.
fn add<'a>(old: Option<ValueRef<'a>>, value: ValueRef<'a>) -> Result<Made<'a>> {
    let Some(old) = old else { return Ok(Made::Borrowed(value)) };
    if old.type_() != value.type_() {
        return Err(Error::invalid(WRONG_TYPE));
    }
    if let (Some(old), Some(value)) = (old.as_number(), value.as_number()) {
        return Ok(Made::Owned(Type::N, number::add(old, value)?.into_bytes()));
    }
    let mut union = Vec::with_capacity(old.payload().len() + value.payload().len());
    merge(old, value, |element, _, _| parts::append_element(&mut union, element));
    Ok(Made::Owned(old.type_(), union))
}

/// DELETE: a set without these elements; nothing where none is left, for no set is empty.
fn delete<'a>(old: Option<ValueRef<'a>>, value: ValueRef<'a>) -> Result<Option<Made<'a>>> {
    let Some(old) = old else { return Ok(None) };
    if old.type_() != value.type_() {
        return Err(Error::invalid(WRONG_TYPE));
    }
    let mut rest = Vec::with_capacity(old.payload().len());
    merge(old, value, |element, in_old, in_value| {
        if in_old && !in_value {
            parts::append_element(&mut rest, element);
        }
    });
    Ok((!rest.is_empty()).then_some(Made::Owned(old.type_(), rest)))
}

/// An iterator over two sets of one type in their order: each element once, and in which of them it is.
fn merge<'a>(a: ValueRef<'a>, b: ValueRef<'a>, mut visit: impl FnMut(&'a [u8], bool, bool)) {
    let (mut left, mut right) = (a.set().peekable(), b.set().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => element_order(a.type_(), left, right),
        };
        let (from_left, from_right) = (order.is_le().then(|| left.next()), order.is_ge().then(|| right.next()));
        if let Some(element) = from_left.flatten().or(from_right.flatten()) {
            visit(element, order.is_le(), order.is_ge());
        }
    }
}

/// The order of a set's elements.
fn element_order(set: Type, a: &[u8], b: &[u8]) -> Ordering {
    match (set, std::str::from_utf8(a), std::str::from_utf8(b)) {
        (Type::NS, Ok(a), Ok(b)) => number::compare(a, b),
        _ => a.cmp(b),
    }
}

/// Refuses a body, or a part of one, that has outgrown any body, before it grows further.
fn check_growth(out: &[u8]) -> Result<()> {
    let found = out.len();
    if found <= BODY_MAX_BYTES {
        return Ok(());
    }
    Err(Error::limit(ITEM_SIZE, Unit::Bytes, BODY_MAX_BYTES, found))
}

fn check_levels(found: usize) -> Result<()> {
    if found <= MAX_NESTING_LEVELS {
        return Ok(());
    }
    Err(Error::limit("Nesting Levels", Unit::Levels, MAX_NESTING_LEVELS, found))
}
