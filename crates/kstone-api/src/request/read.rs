//! From a request to what is read: keys and expressions bound to the state of the table that is in force.

use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::item::ValueRef;
use smallvec::SmallVec;

use crate::expression::{
    Binder, Condition, ExpressionCache, KeyCondition, KeySchema, Kind, Parameters, Projection, SortCondition,
};
use crate::request::extent::{Extent, Place};
use crate::request::key_range::KeyRange;
use crate::request::partition::QueryScratch;
use crate::request::read_request::{ReadExpression, ReadKeys, ReadRequest};
use crate::request::selection::Selection;
use crate::request::sort_key::SortKeyCondition;
use crate::table::index::{self, Index, KeyValue};
use crate::table::state::{ReadContext, TableState};

/// A request that was checked against the table's state: which records are read, and what becomes of them.
pub(crate) struct Read {
    pub(crate) extent: Extent,
    pub(crate) selection: Selection,
    pub(crate) limit: Option<usize>,
    /// The place of the record behind which it begins.
    pub(crate) last: Option<Place>,
    /// Whether the sizes of the items are wanted.
    pub(crate) measures: bool,
}

impl Read {
    /// All records of an extent.
    pub(crate) fn all(extent: Extent, selection: Selection) -> Self {
        Self { extent, selection, limit: None, last: None, measures: false }
    }
}

impl ReadRequest<'_> {
    /// Reads and binds the expressions, and finds out which records the request is about.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for what is wrong with the request, whatever the table holds.
    pub(crate) fn plan(&self, context: ReadContext<'_>) -> Result<Read> {
        let none = Parameters::new();
        let parameters = self.parameters.as_ref().unwrap_or(&none);
        let binder = Binder::for_table(parameters, context.table.layout());
        let mut given = Given { request: self, cache: context.cache, binder };
        let read = self.plan_with(context, &mut given)?;
        given.binder.finish()?;
        Ok(read)
    }

    /// The same, where the expressions are bound.
    pub(crate) fn plan_with(&self, context: ReadContext<'_>, expressions: &mut impl BoundExpressions) -> Result<Read> {
        let table = Arc::clone(&context.table);
        let index = self.index.map(|name| table.readable_index(name)).transpose()?;
        let range = match self.keys {
            ReadKeys::Segment { .. } => None,
            _ => Some(self.range(&table, index, expressions)?),
        };
        let selection = Selection::of(
            (self.select, self.asks_beyond),
            index,
            context,
            (expressions.filter()?, expressions.projection()?),
        )?;
        let extent = match (self.keys, range) {
            (_, Some(range)) => {
                refuse_key_attributes(selection.filter(), key_schema(&table, index))?;
                range
            }
            (ReadKeys::Segment { segment, segments }, None) => {
                Extent::segment((segment, segments), index.map(Index::id))?
            }
            (_, None) => return Err(Error::from(Reason::KeyConditionUnsupported)),
        };
        let last = self.start.place(&extent, &selection)?;
        Ok(Read { extent, selection, limit: self.limit, last, measures: self.measures })
    }

    /// The range of a partition that its keys or its key condition say.
    fn range(
        &self,
        table: &TableState,
        index: Option<&Index>,
        expressions: &mut impl BoundExpressions,
    ) -> Result<Extent> {
        let condition = expressions.key_condition(key_schema(table, index))?;
        let (partition_key, sort_key) = match (self.keys, &condition) {
            (_, Some(condition)) => match index {
                Some(index) => return Ok(Extent::of_entries(entries_of(index, condition)?, self.reverse)),
                None => {
                    let sort = SortKeyCondition::from(condition.sort()).map(|value| value.payload());
                    (condition.partition().payload(), sort)
                }
            },
            (ReadKeys::Partition { partition_key, sort_key }, None) => (partition_key, sort_key),
            (ReadKeys::Condition(_) | ReadKeys::Segment { .. }, None) => {
                return Err(Error::from(Reason::KeyConditionUnsupported));
            }
        };
        if let Some(index) = index {
            return Ok(Extent::of_entries(index.range_of_bytes(partition_key, &sort_key)?, self.reverse));
        }
        let Some(layout) = table.keys else {
            return Ok(Extent::of_items(KeyRange::of_items(partition_key, &sort_key)?, self.reverse));
        };
        let mut scratch = QueryScratch::default();
        let (partition_key, sort_key) = scratch.encode(layout, partition_key, &sort_key)?;
        Ok(Extent::of_items(KeyRange::of_items(partition_key, &sort_key)?, self.reverse))
    }
}

/// The key as conditions on it name it: that of the index, or of the table.
fn key_schema<'a>(table: &TableState, index: Option<&'a Index>) -> KeySchema<'a> {
    index.map_or(KeySchema::of(table.layout()), Index::key_schema)
}

/// Refuses a filter that asks for attributes of the key, which belong into the key condition.
fn refuse_key_attributes(filter: Option<&Condition<'_>>, schema: KeySchema<'_>) -> Result<()> {
    let Some(filter) = filter else { return Ok(()) };
    let names: SmallVec<[&str; 2]> = schema.names().collect();
    Ok(filter.refuse_attributes(&names)?)
}

/// The entries of an index that a key condition is about.
fn entries_of(index: &Index, condition: &KeyCondition<'_>) -> Result<KeyRange> {
    let partition = condition.partitions().map(key_value).collect::<Result<SmallVec<[_; 1]>>>()?;
    let equal = condition.equal().map(key_value).collect::<Result<SmallVec<[_; 1]>>>()?;
    index.range_of(&partition, &equal, entry_condition(condition.sort())?)
}

/// The expressions of a read, names and values known: parsed for it, or prepared before.
pub(crate) trait BoundExpressions {
    /// Which items are read.
    fn key_condition(&mut self, schema: KeySchema<'_>) -> Result<Option<KeyCondition<'_>>>;
    /// Which of them are returned.
    fn filter(&mut self) -> Result<Option<Condition<'static>>>;
    /// Which parts of them.
    fn projection(&mut self) -> Result<Option<Projection>>;
}

/// The expressions of a request, those that are texts with its parameters.
struct Given<'a> {
    request: &'a ReadRequest<'a>,
    cache: &'a ExpressionCache,
    binder: Binder<'a>,
}

impl BoundExpressions for Given<'_> {
    fn key_condition(&mut self, schema: KeySchema<'_>) -> Result<Option<KeyCondition<'_>>> {
        Ok(match self.request.keys {
            ReadKeys::Condition(ReadExpression::Text(text)) => {
                Some(self.cache.key_condition(text, schema, &mut self.binder)?)
            }
            ReadKeys::Condition(ReadExpression::Bound(condition)) => Some(condition.clone()),
            ReadKeys::Partition { .. } | ReadKeys::Segment { .. } => None,
        })
    }

    fn filter(&mut self) -> Result<Option<Condition<'static>>> {
        Ok(match self.request.filter {
            Some(ReadExpression::Text(text)) => Some(self.cache.condition(Kind::Filter, text, &mut self.binder)?),
            Some(ReadExpression::Bound(filter)) => Some(filter.clone()),
            None => None,
        })
    }

    fn projection(&mut self) -> Result<Option<Projection>> {
        Ok(match self.request.projection {
            Some(ReadExpression::Text(text)) => Some(self.cache.projection(text, &mut self.binder)?),
            Some(ReadExpression::Bound(projection)) => Some(projection.clone()),
            None => None,
        })
    }
}

/// A value as one of an index's key.
pub(crate) fn key_value(value: ValueRef<'_>) -> Result<KeyValue<'_>> {
    KeyValue::of_value(value).ok_or_else(|| Error::from(Reason::OperandMistyped))
}

/// A condition on the sort values of an index.
pub(crate) fn entry_condition(condition: SortCondition<'_>) -> Result<index::KeyCondition<'_>> {
    Ok(SortKeyCondition::from(condition).try_map(|value| key_value(*value))?.into())
}
