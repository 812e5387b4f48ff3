//! Making an item's new body from the old one and an update.
//!
//! The actions, ordered by their paths, and the old item, ordered by names, are read together: what no path touches is
//! copied as it lies, in one piece up to what the next one touches; that is written anew level by level. Everything goes
//! into one buffer; a number is computed on the stack.
//!
//! ```text
//! SET m.b = :x REMOVE m.c     old   a S …   m M { a 1  b 2  c 3 }   z S …
//!                             new   a S …   m M { a 1  b :x     }   z S …
//! ```
//! Invariants: recursion ends at [`PATH_MAX_LEVELS`](super::PATH_MAX_LEVELS); no buffer outgrows a body by more than
//! one value. Thread safety: borrows only.

use std::cmp::Ordering;

use crate::refusal::{Refusal, Result};
use crate::texts::Reason;
use kstone_core::buffer::{Buffer, StackBuffer};
use kstone_core::item::{self, BODY_MAX_BYTES, ItemRef, MAX_NESTING_LEVELS, ValueRef, parts};
use kstone_core::key::KeyRef;
use kstone_core::value::Type;
use kstone_core::{error::Unit, number};

use super::ast::{NewValue, OperandSource, Verb};
use super::path::Place;
use super::resolve::Resolved;
use super::subject::Subject;
use super::update::Update;

/// See [`Update::apply_to`].
pub(super) fn apply(
    update: &Update<'_>,
    key: KeyRef<'_>,
    old: Option<ItemRef<'_>>,
    body: &mut impl Buffer,
) -> Result<bool> {
    let makes_nothing = |verb: &Verb| matches!(verb, Verb::Remove | Verb::Delete(_));
    let actions = &update.ast.actions;
    if old.is_none() && !actions.is_empty() && actions.iter().all(|action| makes_nothing(&action.verb)) {
        return Ok(false);
    }
    let subject =
        old.map_or_else(|| Subject::under(key, ItemRef::default()), |old| Subject::new(key.pk(), key.sk(), old));
    let resolved = Resolved::of(&update.bound, &update.ast.symbols, &subject, &[]);
    Writer { update, subject, resolved }.entries(body, subject.item().without_key(), &update.order, 0)?;
    item::check_size(&key, ItemRef::new(body)).map_err(|error| match error {
        kstone_core::Error::Limit { unit, limit, found, .. } => Refusal::limit(ITEM_SIZE, unit, limit, found),
        other => other.into(),
    })?;
    Ok(true)
}

const ITEM_SIZE: &str = "Item size to update";

/// A value that is in the old item or the request, or was made.
enum Made<'a> {
    Borrowed(ValueRef<'a>),
    Owned(Type, Payload),
}

/// What was made: a number fits, sign and point included, whatever else is small does.
type Payload = StackBuffer<64>;

impl Made<'_> {
    fn view(&self) -> ValueRef<'_> {
        match self {
            Self::Borrowed(value) => *value,
            Self::Owned(type_, payload) => ValueRef::from_parts(*type_, payload),
        }
    }
}

/// A path, and what it leads to in the old item.
type KnownPath<'a> = (u16, Option<ValueRef<'a>>);

struct Writer<'a> {
    update: &'a Update<'a>,
    subject: Subject<'a>,
    resolved: Resolved<'a, 'a>,
}

impl<'a> Writer<'a> {
    /// Writes the entries of a map, or of the item, changed by these actions, whose paths differ from this depth on. What
    /// lies between them is copied in one piece.
    fn entries(&self, out: &mut impl Buffer, old: ItemRef<'a>, actions: &[u16], depth: usize) -> Result<()> {
        let mut rest = old.raw_iter();
        let mut uncopied = rest.rest();
        for group in self.groups(actions, depth) {
            let Some(Place::Name(name)) = self.place(group, depth) else { return Err(Reason::PathInvalid.into()) };
            let (mut behind, mut value) = (rest.clone(), None);
            while let Some((other, found)) = behind.next() {
                match other.cmp(name.as_bytes()) {
                    Ordering::Less => rest = behind.clone(),
                    Ordering::Equal => {
                        value = Some(found);
                        break;
                    }
                    Ordering::Greater => break,
                }
            }
            out.extend_from_slice(&uncopied[..uncopied.len() - rest.rest().len()]);
            if value.is_some() {
                rest = behind;
            }
            uncopied = rest.rest();
            self.changed(out, value, (group, depth + 1), |out| parts::append_name(out, name))?;
            check_growth(out)?;
        }
        out.extend_from_slice(uncopied);
        check_growth(out)
    }

    /// Writes the elements of a list. Indexes are those of the old list; new elements go to its end in their order.
    fn elements(&self, out: &mut impl Buffer, old: ValueRef<'a>, actions: &[u16], depth: usize) -> Result<()> {
        let (mut rest, mut at) = (old.list(), 0);
        let mut uncopied = rest.rest();
        for group in self.groups(actions, depth) {
            let Some(Place::Index(index)) = self.place(group, depth) else { return Err(Reason::PathInvalid.into()) };
            while at < index && rest.next().is_some() {
                at += 1;
            }
            out.extend_from_slice(&uncopied[..uncopied.len() - rest.rest().len()]);
            let value = if at == index { rest.next() } else { None };
            at += u32::from(value.is_some());
            uncopied = rest.rest();
            self.changed(out, value, (group, depth + 1), |_| ())?;
            check_growth(out)?;
        }
        out.extend_from_slice(uncopied);
        check_growth(out)
    }

    /// Writes what becomes of a value, or of a place without one, by actions whose paths lead to it in this many steps:
    /// what `put_head` writes and the value, or nothing.
    fn changed<B: Buffer>(
        &self,
        out: &mut B,
        old: Option<ValueRef<'a>>,
        (actions, depth): (&[u16], usize),
        put_head: impl FnOnce(&mut B),
    ) -> Result<()> {
        let Some(next) = self.place(actions, depth) else {
            let Some(made) = self.act(actions[0], old)? else { return Ok(()) };
            // The path itself nests once less than it has steps.
            check_levels(depth - 1 + made.view().levels())?;
            put_head(out);
            parts::append_value(out, made.view());
            return Ok(());
        };
        let old = old.ok_or(Reason::PathInvalid)?;
        put_head(out);
        match (next, old.type_(), old.map()) {
            (Place::Name(_), type_, Some(map)) => {
                parts::append_framed(out, type_, |out| self.entries(out, map, actions, depth))
            }
            (Place::Index(_), Type::L, _) => {
                parts::append_framed(out, Type::L, |out| self.elements(out, old, actions, depth))
            }
            _ => Err(Reason::PathInvalid.into()),
        }
    }

    /// The step at this depth of the first action's path.
    fn place(&self, actions: &[u16], depth: usize) -> Option<Place<'a>> {
        let path = self.update.path(*actions.first()?);
        path.get(depth).map(|segment| self.update.bound.place(segment))
    }

    /// The actions whose paths have the step at this depth in common.
    fn groups<'g>(&self, mut actions: &'g [u16], depth: usize) -> impl Iterator<Item = &'g [u16]> {
        std::iter::from_fn(move || {
            let (_, others) = actions.split_first()?;
            let step = |actions: &[u16]| self.place(actions, depth);
            let alike = others.iter().take_while(|&&other| step(&[other]) == step(actions)).count();
            let (group, rest) = actions.split_at(1 + alike);
            actions = rest;
            Some(group)
        })
    }

    /// What one action makes of the value at its path.
    fn act(&self, action: u16, old: Option<ValueRef<'a>>) -> Result<Option<Made<'a>>> {
        let action = &self.update.ast.actions[usize::from(action)];
        match &action.verb {
            Verb::Set(new) => self.new_value(new, (action.path, old)).map(Some),
            Verb::Remove => Ok(None),
            Verb::Add(value) => add(old, self.update.bound.value(*value)).map(Some),
            Verb::Delete(value) => delete(old, self.update.bound.value(*value)),
        }
    }

    /// What SET makes for its own path, which leads to this in the old item.
    fn new_value(&self, new: &NewValue, own: KnownPath<'a>) -> Result<Made<'a>> {
        match new {
            NewValue::Source(source) => self.source(*source, own).map(Made::Borrowed),
            NewValue::Plus(left, right) => self.sum([*left, *right], own, number::add_to),
            NewValue::Minus(left, right) => self.sum([*left, *right], own, number::subtract_to),
            NewValue::ListAppend(first, second) => {
                let (first, second) = (self.source(*first, own)?, self.source(*second, own)?);
                if first.type_() != Type::L || second.type_() != Type::L {
                    return Err(Reason::OperandUnfit.into());
                }
                let mut payload = Payload::with_capacity(first.payload().len() + second.payload().len());
                [first, second].iter().for_each(|list| payload.extend_from_slice(list.payload()));
                Ok(Made::Owned(Type::L, payload))
            }
            // Binding refuses these.
            NewValue::Fault(reason) => Err(super::Kind::Update.refuse((**reason).clone())),
        }
    }

    fn sum(
        &self,
        [left, right]: [u16; 2],
        own: KnownPath<'a>,
        sum_to: impl FnOnce(&mut Payload, &str, &str) -> kstone_core::Result<()>,
    ) -> Result<Made<'a>> {
        let (left, right) = (self.source(left, own)?, self.source(right, own)?);
        let (Some(left), Some(right)) = (left.as_number(), right.as_number()) else {
            return Err(Reason::OperandUnfit.into());
        };
        let mut sum = Payload::new();
        sum_to(&mut sum, left, right)?;
        Ok(Made::Owned(Type::N, sum))
    }

    /// The value of a source in the old item or the request.
    fn source(&self, mut source: u16, (own_path, own): KnownPath<'a>) -> Result<ValueRef<'a>> {
        let follow = |path: u16| {
            if path == own_path {
                return own;
            }
            let segments = &self.update.ast.symbols.paths[usize::from(path)];
            self.resolved.get(path, || self.update.bound.follow(segments, &self.subject))
        };
        loop {
            match self.update.ast.sources[usize::from(source)] {
                OperandSource::Value(value) => return Ok(self.update.bound.value(value)),
                OperandSource::Path(path) => return follow(path).ok_or_else(|| Reason::AttributeMissing.into()),
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
        return Err(Reason::OperandUnfit.into());
    }
    if let (Some(old), Some(value)) = (old.as_number(), value.as_number()) {
        let mut sum = Payload::new();
        number::add_to(&mut sum, old, value)?;
        return Ok(Made::Owned(Type::N, sum));
    }
    let mut union = Payload::with_capacity(old.payload().len() + value.payload().len());
    merge(old, value, |element, _, _| parts::append_element(&mut union, element));
    Ok(Made::Owned(old.type_(), union))
}

/// DELETE: a set without these elements; nothing where none is left, for no set is empty.
fn delete<'a>(old: Option<ValueRef<'a>>, value: ValueRef<'a>) -> Result<Option<Made<'a>>> {
    let Some(old) = old else { return Ok(None) };
    if old.type_() != value.type_() {
        return Err(Reason::OperandUnfit.into());
    }
    let mut rest = Payload::with_capacity(old.payload().len());
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
    Err(Refusal::limit(ITEM_SIZE, Unit::Bytes, BODY_MAX_BYTES, found))
}

fn check_levels(found: usize) -> Result<()> {
    if found <= MAX_NESTING_LEVELS {
        return Ok(());
    }
    Err(Refusal::limit("Nesting Levels", Unit::Levels, MAX_NESTING_LEVELS, found))
}
