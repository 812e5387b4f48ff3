//! Groups of items, and what COUNT, SUM, MIN, MAX and AVG make of them.
//!
//! Missing values and NULL take no part in an aggregate. Of none at all COUNT is 0 and the others are NULL. Sums and
//! averages are those of the exact sum, rounded once to 38 digits, half to even: the order of the items decides nothing.
//!
//! Thread safety: one statement, one collection of groups.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::error::{Error, Reason, Result};
use kstone_core::item::{ValueRef, parts};
use kstone_core::number::Sum;
use kstone_core::record::Record;
use kstone_core::value::Type;

use super::bounds::check_bytes;
use super::order::compare_values;
use crate::expression::ast::Segment;
use crate::expression::{BoundParameters, Subject};
use crate::interrupt::{Interrupt, sort_by};
use kstone_expr::partiql::Aggregate;
use kstone_expr::partiql::parsed::{Cell, Column, Columns, Select};

/// What a group costs besides its key and its values, roughly.
const GROUP_BYTES: usize = 160;

/// Groups under construction.
pub(super) struct Groups<'a> {
    paths: &'a [Box<[Segment]>],
    columns: &'a Columns,
    bound: &'a BoundParameters<'a>,
    /// By the stored form of their keys.
    groups: BTreeMap<Vec<u8>, Group>,
    bytes: usize,
}

struct Group {
    /// What the items have in common, a value for each path.
    keys: Vec<Option<CopiedValue>>,
    /// A state for each column.
    states: Vec<State>,
}

/// A value, copied out.
struct CopiedValue {
    type_: Type,
    payload: Box<[u8]>,
}

/// How far an aggregate is. A column of the key has none.
#[derive(Default)]
struct State {
    count: u64,
    sum: Option<Sum>,
    best: Option<CopiedValue>,
}

impl CopiedValue {
    fn of(value: ValueRef<'_>) -> Self {
        Self { type_: value.type_(), payload: value.payload().into() }
    }

    fn view(&self) -> ValueRef<'_> {
        ValueRef::from_parts(self.type_, &self.payload)
    }
}

impl<'a> Groups<'a> {
    /// Groups for a SELECT that has some.
    pub(super) fn new(select: &'a Select, bound: &'a BoundParameters<'a>) -> Option<Self> {
        let (paths, columns) = (select.groups.as_deref()?, select.columns.as_ref()?);
        let mut groups = BTreeMap::new();
        if paths.is_empty() {
            // All items are one group, be there any or none.
            groups.insert(Vec::new(), Group::new(Vec::new(), columns));
        }
        Some(Self { paths, columns, bound, groups, bytes: 0 })
    }

    /// Takes an item in.
    pub(super) fn take(&mut self, record: &Record) -> Result<()> {
        let subject = Subject::of_record(record);
        let values: Vec<Option<ValueRef<'_>>> =
            self.paths.iter().map(|path| self.bound.follow(path, &subject)).collect();
        let mut key = Vec::new();
        for value in &values {
            key.push(u8::from(value.is_some()));
            if let Some(value) = value {
                parts::append_value(&mut key, *value);
            }
        }
        let key_bytes = key.len();
        let group = self.groups.entry(key).or_insert_with(|| {
            self.bytes += 2 * key_bytes + GROUP_BYTES * (1 + self.columns.list.len());
            Group::new(values.into_iter().map(|value| value.map(CopiedValue::of)).collect(), self.columns)
        });
        for (column, state) in self.columns.list.iter().zip(&mut group.states) {
            let Cell::Aggregate(aggregate, path) = &column.cell else { continue };
            let value = path.as_ref().map(|path| self.bound.follow(path, &subject));
            match value {
                // COUNT(*).
                None => state.count += 1,
                Some(Some(value)) if !value.is_null() => {
                    self.bytes += state.take(*aggregate, value).map_err(|error| in_column(column, error))?;
                }
                Some(_) => {}
            }
        }
        check_bytes("The groups", self.bytes)
    }

    /// Whether the number of all items decides the one row.
    pub(super) fn only_count(&self) -> bool {
        let is_count = |column: &Column| matches!(column.cell, Cell::Aggregate(Aggregate::Count, None));
        self.paths.is_empty() && self.columns.list.iter().all(is_count)
    }

    /// Takes so many items in where [their number decides](Self::only_count).
    pub(super) fn count(&mut self, items: usize) {
        let states = self.groups.values_mut().flat_map(|group| &mut group.states);
        states.for_each(|state| state.count += items as u64);
    }

    /// A row for each group, by ascending keys.
    pub(super) fn into_rows(self, interrupt: Option<&Interrupt>) -> Result<Vec<Record>> {
        let Self { paths, columns, groups, .. } = self;
        let mut groups: Vec<Group> = groups.into_values().collect();
        sort_by(&mut groups, interrupt, |a, b| {
            let orders = a
                .keys
                .iter()
                .zip(&b.keys)
                .map(|(a, b)| compare_values(a.as_ref().map(CopiedValue::view), b.as_ref().map(CopiedValue::view)));
            orders.fold(Ordering::Equal, Ordering::then)
        })?;
        groups.iter().map(|group| group.row(paths, columns)).collect()
    }
}

fn in_column(column: &Column, error: Error) -> Error {
    match error {
        Error::Invalid(refusal) => Reason::InColumn { column: column.name.as_str().into(), refusal }.into(),
        other => other,
    }
}

impl Group {
    fn new(keys: Vec<Option<CopiedValue>>, columns: &Columns) -> Self {
        Self { keys, states: columns.list.iter().map(|_| State::default()).collect() }
    }

    fn row(&self, paths: &[Box<[Segment]>], columns: &Columns) -> Result<Record> {
        let mut body = Vec::new();
        for &at in &columns.by_name {
            let column = &columns.list[at];
            match &column.cell {
                Cell::Path(path) => {
                    let key = paths.iter().zip(&self.keys).find(|(other, _)| *other == path);
                    if let Some((_, Some(held))) = key {
                        parts::append_entry(&mut body, &column.name, held.view());
                    }
                }
                Cell::Aggregate(aggregate, _) => {
                    let value = self.states[at].result(*aggregate).map_err(|error| in_column(column, error))?;
                    parts::append_entry(&mut body, &column.name, value.view());
                }
            }
        }
        Ok(Record::computed(&body))
    }
}

impl State {
    /// Takes a value in; how many bytes more are held, or why it cannot be taken.
    fn take(&mut self, aggregate: Aggregate, value: ValueRef<'_>) -> Result<usize> {
        self.count += 1;
        match aggregate {
            Aggregate::Count => Ok(0),
            Aggregate::Sum | Aggregate::Avg => {
                let number = value.as_number().ok_or_else(|| unfit(value))?;
                self.sum.get_or_insert_default().add(number)?;
                Ok(0)
            }
            Aggregate::Min | Aggregate::Max => {
                if !matches!(value.type_(), Type::N | Type::S | Type::B) {
                    return Err(unfit(value));
                }
                let order = self.best.as_ref().map(|best| {
                    // Text before binary of the same bytes, so that the order of the items decides nothing.
                    let by_type = || value.type_().code().cmp(&best.type_.code());
                    compare_values(Some(value), Some(best.view())).then_with(by_type)
                });
                let is_better =
                    order.is_none_or(|order| if aggregate == Aggregate::Min { order.is_lt() } else { order.is_gt() });
                if !is_better {
                    return Ok(0);
                }
                let held = self.best.as_ref().map_or(0, |best| best.payload.len());
                self.best = Some(CopiedValue::of(value));
                Ok(value.payload().len().saturating_sub(held))
            }
        }
    }

    fn result(&self, aggregate: Aggregate) -> Result<CopiedValue> {
        let number = |text: String| CopiedValue { type_: Type::N, payload: text.into_bytes().into() };
        let null = || CopiedValue { type_: Type::Null, payload: Box::default() };
        Ok(match (aggregate, &self.sum, &self.best) {
            (Aggregate::Count, ..) => number(self.count.to_string()),
            (Aggregate::Sum, Some(sum), _) => number(sum.total()?),
            (Aggregate::Avg, Some(sum), _) => number(sum.mean(self.count)?),
            (Aggregate::Min | Aggregate::Max, _, Some(best)) => CopiedValue::of(best.view()),
            _ => null(),
        })
    }
}

fn unfit(value: ValueRef<'_>) -> Error {
    Reason::AggregateOperand { found: value.type_().name() }.into()
}
