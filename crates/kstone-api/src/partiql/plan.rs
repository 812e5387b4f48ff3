//! From a WHERE clause to the records that have to be read: the cheapest of get, query, index query and scan.
//!
//! ```text
//! rank  plan          where the clause has
//! 0     get           pk = (or IN) and sk = (or IN, or, of an untyped table, IS MISSING)
//! 1     query         pk = (or IN) and a range of sk
//! 2     index query   the same of a local index's attribute
//! 3     query         pk = (or IN)
//! 4     index query   a global index's partition = (or IN), and a range of its sort attribute where it has one
//! 5     scan          none of these
//! ```
//! `pk` and `sk` stand for the names of the table's key, whose values have its types. A SELECT that names an index reads
//! that one, see [`super::projection`] and, of several attributes, [`several_parts`]. One that names none may be answered by
//! an index of one partition attribute and one sort attribute that is sure to hold what the table would give: its key
//! attributes are in the clause, be it only that they are not missing, it has left out no item when it was filled, and it
//! holds all that the statement looks at. Of several, one that gives the order that is asked for goes first. Whatever is
//! read, the rest of the clause is asked of each item, so a plan decides what a statement costs and never what it returns.
//!
//! Thread safety: a plan is made for one call.

use std::cmp::Ordering;

use crate::error::{Error, Reason, Result};
use kstone_core::item::ValueRef;
use kstone_core::key::{PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};
use kstone_core::key_layout::{KeyLayout, KeyPart};
use kstone_core::typed_key::MadeKey;
use kstone_core::value::Type;

use super::key::{can_be, key_bytes, named_key, sort_key_condition};
use super::projection::{beyond, holds_all};
use crate::expression::ast::Comparator;
use crate::expression::{BoundParameters, SortCondition, order};
use crate::request::extent::Extent;
use crate::request::key_range::KeyRange;
use crate::request::read::{entry_condition, key_value};
use crate::request::sort_key::SortKeyCondition;
use crate::table::index::{Index, IndexKind};
use crate::table::state::TableState;
use kstone_expr::partiql::parsed::{Ask, KeyTest, OrderKey, Select};

mod several_parts;

/// The most partitions that IN and OR may name, DynamoDB's.
const PARTITIONS_MAX: usize = 50;
/// The most keys that one statement gets one by one; where there would be more, it queries their partitions.
const GETS_MAX: usize = 100;

/// What a SELECT reads.
pub(super) struct Plan<'a> {
    pub(super) kind: PlanKind,
    pub(super) index: Option<&'a Index>,
    pub(super) ranges: Vec<Range>,
    /// The conditions of the clause that decide what is read.
    pub(super) used: Vec<usize>,
    /// Whether the clause has to be asked of what is read.
    pub(super) filters: bool,
    /// What the rows show that the index does not hold, so that each item has to be read, too.
    pub(super) fetched: Vec<&'a str>,
    /// Whether the rows have to be sorted, since they are not read in the order that is asked for.
    pub(super) sorts: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlanKind {
    Get,
    Query,
    IndexQuery,
    Scan,
    IndexScan,
}

impl PlanKind {
    /// What EXPLAIN calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Query => "query",
            Self::IndexQuery => "index query",
            Self::Scan => "scan",
            Self::IndexScan => "index scan",
        }
    }
}

/// Records that lie together.
pub(super) enum Range {
    Get(MadeKey),
    Read(Extent),
}

/// Plans a SELECT.
///
/// # Errors
/// [`Error::Invalid`] for an index that is not there or being filled, and for values that no key can have.
pub(super) fn plan<'a>(
    select: &'a Select,
    bound: &'a BoundParameters<'a>,
    table: &'a TableState,
    strict: bool,
) -> Result<Plan<'a>> {
    let planner = Planner { select, bound, table, strict };
    match &select.target.index {
        Some(name) => planner.named_index(table.readable_index(name)?),
        None => planner.table(),
    }
}

struct Planner<'a> {
    select: &'a Select,
    bound: &'a BoundParameters<'a>,
    table: &'a TableState,
    /// Whether DynamoDB's rules alone hold.
    strict: bool,
}

/// The values that a partition key may have, and which condition says so.
struct Partitions<'a> {
    values: Vec<ValueRef<'a>>,
    used: usize,
}

/// What is asked of a sort key, and which conditions say so.
struct Sorts<'a> {
    ask: SortAsk<'a>,
    used: Vec<usize>,
}

enum SortAsk<'a> {
    /// One of these.
    OneOf(Vec<ValueRef<'a>>),
    /// That there is none.
    Missing,
    Range(SortCondition<'a>),
}

/// The directions in which to read.
#[derive(Clone, Copy)]
struct Directions {
    partitions_descending: bool,
    reverse: bool,
    sorts: bool,
}

impl<'a> Planner<'a> {
    fn table(&self) -> Result<Plan<'a>> {
        // What the general way would come to, for the statements that are the most frequent.
        if let Some(point) = self.select.condition.as_ref().and_then(|condition| condition.point(self.table.layout())) {
            let (pk, sk) = (self.bound.value(point.key.pk), point.key.sk.map(|sk| self.bound.value(sk)));
            return Ok(Plan {
                kind: PlanKind::Get,
                index: None,
                ranges: vec![Range::Get(named_key(self.table.keys, pk, sk)?)],
                used: point.used,
                filters: point.filters,
                fetched: Vec::new(),
                sorts: false,
            });
        }
        let layout = self.layout();
        let partitions = self.partitions(layout.partition().name())?;
        if let Some(partitions) = &partitions {
            let sorts = layout.sort().and_then(|sort| self.sorts(sort.name()));
            let fixed = match &sorts {
                None => layout.sort().is_none(),
                Some(Sorts { ask: SortAsk::OneOf(_), .. }) => true,
                // Every item of a typed table has all of its key.
                Some(Sorts { ask: SortAsk::Missing, .. }) => !layout.is_typed(),
                Some(Sorts { ask: SortAsk::Range(_), .. }) => false,
            };
            if fixed && let Some(plan) = self.gets(partitions, sorts.as_ref())? {
                return Ok(plan);
            }
            let ranged = sorts.filter(|sorts| matches!(sorts.ask, SortAsk::Range(_)));
            if ranged.is_none()
                && let Some(plan) = self.helpful_index(IndexKind::Local)
            {
                return Ok(plan);
            }
            return self.queries(partitions, ranged);
        }
        match self.helpful_index(IndexKind::Global) {
            Some(plan) => Ok(plan),
            None => Ok(self.scan(None)),
        }
    }

    fn named_index(&self, index: &'a Index) -> Result<Plan<'a>> {
        let asks = !self.strict || self.is_keyed(index);
        let fetched = beyond(self.select, index, asks)?;
        let plan = match index.has_several_parts() {
            true => self.query_of_parts(index)?,
            false => {
                let partitions = self.partitions(index.partition_attribute())?;
                partitions.map(|partitions| self.index_queries(index, &partitions)).transpose()?
            }
        };
        Ok(Plan { fetched, ..plan.unwrap_or_else(|| self.scan(Some(index))) })
    }

    /// The index of this kind that is sure to hold all that the statement wants, one that gives the order and one that
    /// narrows most first.
    fn helpful_index(&self, kind: IndexKind) -> Option<Plan<'a>> {
        if self.strict {
            return None;
        }
        let candidates = self.table.indexes.iter().filter(|index| index.kind() == kind && !index.has_several_parts());
        let usable = candidates.filter(|index| self.table.is_complete(index) && holds_all(self.select, index));
        let sorted = |index: &&Index| index.sort_attribute().is_none();
        let mut usable: Vec<&Index> = usable.collect();
        usable.sort_by_key(sorted);
        let plans = usable.into_iter().filter_map(|index| {
            let partitions = self.partitions(index.partition_attribute()).ok().flatten()?;
            let can_be_key = |value: &ValueRef<'_>| is_key_type(value.type_()) && !value.payload().is_empty();
            if !partitions.values.iter().all(can_be_key) {
                return None;
            }
            let mut narrows = true;
            if let Some(sort) = index.sort_attribute() {
                let has_all = match self.sorts(sort).map(|sorts| sorts.ask) {
                    Some(SortAsk::Missing) => false,
                    Some(SortAsk::OneOf(values)) => values.iter().all(can_be_key),
                    Some(SortAsk::Range(_)) => true,
                    None => {
                        narrows = kind == IndexKind::Global;
                        self.tests(sort).any(|(_, test)| matches!(test.ask, Ask::Present))
                    }
                };
                if !has_all {
                    return None;
                }
            }
            let plan = self.index_queries(index, &partitions).ok()?;
            (narrows || self.is_ordered() && !plan.sorts).then_some(plan)
        });
        // Of two that narrow alike, the one that gives the order; the first of those.
        plans.min_by_key(|plan| plan.sorts)
    }

    /// Whether a condition of its own says which partitions of an index are read. DynamoDB takes what a filter asks for
    /// beyond the index for missing where none does.
    fn is_keyed(&self, index: &Index) -> bool {
        self.tests(index.partition_attribute())
            .any(|(at, test)| self.is_asked(at) && matches!(test.ask, Ask::Eq(_) | Ask::In(_)))
    }

    fn scan(&self, index: Option<&'a Index>) -> Plan<'a> {
        Plan {
            kind: if index.is_some() { PlanKind::IndexScan } else { PlanKind::Scan },
            index,
            ranges: vec![Range::Read(Extent::whole(index.map(Index::id)))],
            used: Vec::new(),
            filters: self.select.condition.is_some(),
            fetched: Vec::new(),
            sorts: self.is_ordered(),
        }
    }

    /// The names and types of the table's key.
    fn layout(&self) -> &'static KeyLayout {
        self.table.layout()
    }

    /// Reads one key for each partition and sort key, unless these are too many.
    fn gets(&self, partitions: &Partitions<'a>, sorts: Option<&Sorts<'a>>) -> Result<Option<Plan<'a>>> {
        let sort_keys: Vec<Option<ValueRef<'a>>> = match sorts.map(|sorts| &sorts.ask) {
            Some(SortAsk::OneOf(values)) => values.iter().copied().map(Some).collect(),
            _ => vec![None],
        };
        if partitions.values.len() * sort_keys.len() > GETS_MAX {
            return Ok(None);
        }
        let several = partitions.values.len() > 1;
        let directions = self.directions_of_items(several);
        let mut used = vec![partitions.used];
        used.extend(sorts.iter().flat_map(|sorts| &sorts.used));
        let mut keys = Vec::with_capacity(partitions.values.len() * sort_keys.len());
        for pk in &partitions.values {
            for sk in &sort_keys {
                keys.push(named_key(self.table.keys, *pk, *sk)?);
            }
        }
        let ranges = in_order(keys, directions, |key| (key.key_ref().pk(), key.key_ref().sk()));
        let ranges = ranges.into_iter().map(Range::Get).collect();
        let filters = self.has_more_than(&used);
        Ok(Some(Plan {
            kind: PlanKind::Get,
            index: None,
            ranges,
            used,
            filters,
            fetched: Vec::new(),
            sorts: directions.sorts,
        }))
    }

    fn queries(&self, partitions: &Partitions<'a>, sorts: Option<Sorts<'a>>) -> Result<Plan<'a>> {
        let (condition, used_by_sort) = match sorts {
            Some(Sorts { ask: SortAsk::Range(condition), used }) => (condition, used),
            _ => (SortCondition::Any, Vec::new()),
        };
        let (partition, sort) = (self.layout().partition(), self.layout().sort());
        let sort = sort.map_or(Ok(SortKeyCondition::Any), |sort| sort_key_condition(sort, condition))?;
        let partition_keys: Vec<Vec<u8>> =
            partitions.values.iter().map(|value| key_bytes(partition, *value)).collect::<Result<_>>()?;
        let directions = self.directions_of_items(partition_keys.len() > 1);
        let range = |pk: Vec<u8>| -> Result<Range> {
            let keys = KeyRange::of_items(&pk, &sort.borrowed())?;
            Ok(Range::Read(Extent::of_items(keys, directions.reverse)))
        };
        let partition_keys = in_order(partition_keys, directions, |pk| (pk.as_slice(), &[]));
        let ranges = partition_keys.into_iter().map(range).collect::<Result<_>>()?;
        // Two bounds are read as BETWEEN, whatever their comparators.
        let filters = !used_by_sort.is_empty() || self.has_more_than(&[partitions.used]);
        let used = std::iter::once(partitions.used).chain(used_by_sort).collect();
        Ok(Plan {
            kind: PlanKind::Query,
            index: None,
            ranges,
            used,
            filters,
            fetched: Vec::new(),
            sorts: directions.sorts,
        })
    }

    fn index_queries(&self, index: &'a Index, partitions: &Partitions<'a>) -> Result<Plan<'a>> {
        let sorts = index.sort_attribute().and_then(|sort| self.sorts(sort));
        let (conditions, used_by_sort) = match sorts {
            Some(Sorts { ask: SortAsk::OneOf(values), used }) if values.len() * partitions.values.len() <= GETS_MAX => {
                (values.into_iter().map(SortCondition::Eq).collect(), used)
            }
            Some(Sorts { ask: SortAsk::Range(condition), used }) => (vec![condition], used),
            // An index holds no item without its sort attribute.
            _ => (vec![SortCondition::Any], Vec::new()),
        };
        let several = partitions.values.len() > 1 || conditions.len() > 1;
        let directions = self.directions(index.partition_attribute(), index.sort_attribute(), several);
        let mut extents = Vec::with_capacity(partitions.values.len() * conditions.len());
        for partition in &partitions.values {
            for condition in &conditions {
                let entries = index.range(key_value(*partition)?, entry_condition(*condition)?)?;
                let entries = Extent::of_entries(entries, directions.reverse);
                // Text and binary of the same bytes are one.
                if !extents.contains(&entries) {
                    extents.push(entries);
                }
            }
        }
        let used: Vec<usize> = std::iter::once(partitions.used).chain(used_by_sort).collect();
        // The order of several ranges of an index is not that of their values.
        let sorts = directions.sorts || (several && self.is_ordered());
        Ok(Plan {
            kind: PlanKind::IndexQuery,
            index: Some(index),
            ranges: extents.into_iter().map(Range::Read).collect(),
            used,
            filters: true,
            fetched: Vec::new(),
            sorts,
        })
    }

    /// Whether the clause has conditions besides these, or these ask for more than a key.
    fn has_more_than(&self, used: &[usize]) -> bool {
        let conjuncts = self.select.condition.iter().flat_map(|condition| condition.conjuncts.iter().enumerate());
        conjuncts.into_iter().any(|(at, conjunct)| !conjunct.asks.exact || !used.contains(&at))
    }

    fn is_ordered(&self) -> bool {
        !self.select.order_by.is_empty() && self.select.groups.is_none()
    }

    fn directions_of_items(&self, several: bool) -> Directions {
        let layout = self.layout();
        self.directions(layout.partition().name(), layout.sort().map(KeyPart::name), several)
    }

    /// How to read so that the rows come in the order that is asked for, if they can.
    fn directions(&self, partition: &str, sort: Option<&str>, several: bool) -> Directions {
        let natural = |partitions_descending, reverse| Directions { partitions_descending, reverse, sorts: false };
        if !self.is_ordered() {
            return natural(false, false);
        }
        let mut keys: &[OrderKey] = &self.select.order_by;
        let mut partitions_descending = false;
        match keys {
            [first, rest @ ..] if first.attribute() == Some(partition) => {
                partitions_descending = first.descending;
                keys = rest;
            }
            _ if several => return Directions { sorts: true, ..natural(false, false) },
            _ => {}
        }
        match keys {
            [] => natural(partitions_descending, partitions_descending),
            [key] if sort.is_some() && key.attribute() == sort => natural(partitions_descending, key.descending),
            _ => Directions { sorts: true, ..natural(false, false) },
        }
    }

    fn tests(&self, attribute: &str) -> impl Iterator<Item = (usize, &'a KeyTest)> {
        let tests = self.select.condition.iter().flat_map(move |condition| condition.tests(attribute));
        tests.filter(move |(at, test)| self.is_asked(*at) || self.can_be_keys(test))
    }

    /// Whether a condition says itself what a key is: then values that no key has are errors.
    fn is_asked(&self, conjunct: usize) -> bool {
        self.select.condition.as_ref().is_some_and(|condition| condition.conjuncts[conjunct].asks.exact)
    }

    /// Whether what follows from a condition names keys that there may be, and not too many.
    fn can_be_keys(&self, test: &KeyTest) -> bool {
        let values = self.values(&test.ask);
        let (layout, attribute) = (self.layout(), &*test.attribute);
        let can_be = |value: &ValueRef<'_>| match (layout.partition(), layout.sort()) {
            (partition, _) if partition.name() == attribute => can_be(partition, PARTITION_KEY_MAX_BYTES, *value),
            (_, Some(sort)) if sort.name() == attribute => can_be(sort, SORT_KEY_MAX_BYTES, *value),
            _ => self.can_be_in_index(attribute, *value),
        };
        values.len() <= PARTITIONS_MAX && values.iter().all(can_be)
    }

    /// Whether a value can be that of an index's key attribute of this name, which may have a declared type.
    fn can_be_in_index(&self, attribute: &str, value: ValueRef<'_>) -> bool {
        let declared = self.table.indexes.declared_type(attribute);
        let is_of_type = declared.is_none_or(|type_| type_.type_() == value.type_());
        is_key_type(value.type_()) && is_of_type && !value.payload().is_empty()
    }

    /// The values that the clause leaves to a partition key.
    fn partitions(&self, attribute: &str) -> Result<Option<Partitions<'a>>> {
        let equal = self.tests(attribute).find(|(_, test)| matches!(test.ask, Ask::Eq(_)));
        let found = equal.or_else(|| self.tests(attribute).find(|(_, test)| matches!(test.ask, Ask::In(_))));
        let Some((used, test)) = found else { return Ok(None) };
        let values = self.values(&test.ask);
        if values.len() > PARTITIONS_MAX {
            let count = values.len();
            return Err(Error::from(Reason::TooManyPartitions { most: PARTITIONS_MAX, count }));
        }
        Ok(Some(Partitions { values, used }))
    }

    /// The values of an equality or an IN, each once.
    fn values(&self, ask: &Ask) -> Vec<ValueRef<'a>> {
        let mut values: Vec<ValueRef<'a>> = Vec::new();
        let all: &[u16] = match ask {
            Ask::Eq(value) => std::slice::from_ref(value),
            Ask::In(values) => values,
            _ => &[],
        };
        for value in all.iter().map(|&value| self.bound.value(value)) {
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    }

    /// What the clause asks of a sort key, as far as one range can answer it: the most narrow that it says.
    fn sorts(&self, attribute: &str) -> Option<Sorts<'a>> {
        let find = |wanted: fn(&Ask) -> bool| self.tests(attribute).find(|(_, test)| wanted(&test.ask));
        let value = |value: u16| Some(self.bound.value(value)).filter(|value| self.can_be_in_index(attribute, *value));
        for wanted in [|ask: &Ask| matches!(ask, Ask::Eq(_)), |ask: &Ask| matches!(ask, Ask::In(_))] {
            if let Some((used, test)) = find(wanted) {
                return Some(Sorts { ask: SortAsk::OneOf(self.values(&test.ask)), used: vec![used] });
            }
        }
        if let Some((used, _)) = find(|ask| matches!(ask, Ask::Missing)) {
            return Some(Sorts { ask: SortAsk::Missing, used: vec![used] });
        }
        let range = |condition, used| Some(Sorts { ask: SortAsk::Range(condition), used });
        for (used, test) in self.tests(attribute) {
            match test.ask {
                Ask::Between(low, high) => {
                    if let (Some(low), Some(high)) = (value(low), value(high)) {
                        return range(SortCondition::Between(low, high), vec![used]);
                    }
                }
                Ask::BeginsWith(prefix) => {
                    if let Some(prefix) = value(prefix).filter(|prefix| prefix.type_() != Type::N) {
                        return range(SortCondition::BeginsWith(prefix), vec![used]);
                    }
                }
                _ => {}
            }
        }
        let mut low = None;
        let mut high = None;
        for (used, test) in self.tests(attribute) {
            let Ask::Compare(comparator, operand) = test.ask else { continue };
            let Some(operand) = value(operand) else { continue };
            match comparator {
                Comparator::Greater | Comparator::GreaterOrEqual => low = low.or(Some((comparator, operand, used))),
                Comparator::Less | Comparator::LessOrEqual => high = high.or(Some((comparator, operand, used))),
                Comparator::Equal | Comparator::NotEqual => {}
            }
        }
        match (low, high) {
            (Some((_, low, low_used)), Some((_, high, high_used))) if is_span(low, high) => {
                range(SortCondition::Between(low, high), vec![low_used, high_used])
            }
            (Some((comparator, value, used)), _) | (None, Some((comparator, value, used))) => {
                let condition = match comparator {
                    Comparator::Greater => SortCondition::Gt(value),
                    Comparator::GreaterOrEqual => SortCondition::Ge(value),
                    Comparator::Less => SortCondition::Lt(value),
                    _ => SortCondition::Le(value),
                };
                range(condition, vec![used])
            }
            (None, None) => None,
        }
    }
}

fn is_key_type(type_: Type) -> bool {
    matches!(type_, Type::S | Type::N | Type::B)
}

/// Whether something can lie between two values.
fn is_span(low: ValueRef<'_>, high: ValueRef<'_>) -> bool {
    order(low, high).is_some_and(Ordering::is_le)
}

/// Keys in the order in which they are read, each once.
fn in_order<K>(mut keys: Vec<K>, directions: Directions, parts: impl Fn(&K) -> (&[u8], &[u8])) -> Vec<K> {
    let directed = |order: Ordering, descending: bool| if descending { order.reverse() } else { order };
    keys.sort_unstable_by(|a, b| {
        let ((a_pk, a_sk), (b_pk, b_sk)) = (parts(a), parts(b));
        let by_partition = directed(a_pk.cmp(b_pk), directions.partitions_descending);
        by_partition.then_with(|| directed(a_sk.cmp(b_sk), directions.reverse))
    });
    keys.dedup_by(|a, b| parts(a) == parts(b));
    keys
}
