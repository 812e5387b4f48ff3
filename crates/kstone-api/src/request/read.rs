//! What a query or a scan does with the items it finds: the expressions of the request, and the page they make of records.

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::{PointInTimeView, SortKeyRange};
use kstone_core::item::ValueRef;
use kstone_core::key::{KeyRef, Keyspace};
use kstone_core::record::Record;
use smallvec::SmallVec;

use crate::expression::{
    Binder, Condition, ExpressionCache, KeyCondition, KeySchema, Kind, Projection, SortCondition, Subject,
};
use crate::request::page::keys_only;
use crate::request::parameters::RequestParameters;
use crate::request::query::{Query, Select};
use crate::request::scan::Scan;
use crate::request::sort_key::SortKeyCondition;
use crate::table::Table;
use crate::table::index::{self, Index, IndexEntry, IndexId, IndexRange, KeyValue};
use crate::table::state::TableState;

/// The expressions of a query or scan, as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadExpressions {
    pub(crate) key_condition: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) projection: Option<String>,
    pub(crate) parameters: RequestParameters,
}

/// How many records ahead of the filter its attributes are asked for.
const FILTERED_AHEAD: usize = 4;

/// What becomes of each record that was examined.
pub(crate) struct Selection {
    table: Arc<TableState>,
    now: i64,
    /// Where entries of an index are read: those of another are passed over.
    index: Option<IndexId>,
    /// Whether rows show more than the index holds, so that each item is read after its entry.
    fetches: bool,
    filter: Option<Condition<'static>>,
    projection: Option<Projection>,
    select: Select,
}

/// What becomes of one record.
pub(crate) enum Selected {
    /// The request does not see it.
    Unseen,
    /// It is examined and not returned.
    LeftOut,
    /// It is returned as it is.
    AsItIs,
    /// This is returned of it.
    Made(Record),
}

/// Where the items of entries are read.
pub(crate) trait Items {
    /// The item of this key.
    fn item(&self, key: KeyRef<'_>) -> Result<Option<Record>>;
}

impl Items for Table {
    fn item(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        Ok(self.engine().get(key)?)
    }
}

/// The items of the same moment as the entries.
impl Items for PointInTimeView {
    fn item(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        Ok(self.get(key))
    }
}

/// No view is needed where no item is asked for.
impl Items for Option<&PointInTimeView> {
    fn item(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        Ok(self.and_then(|view| view.get(key)))
    }
}

/// The database's side of a read: what is in force when it begins.
pub(crate) struct ReadContext<'a> {
    pub(crate) cache: &'a ExpressionCache,
    pub(crate) table: Arc<TableState>,
    pub(crate) now: i64,
}

/// A query whose key condition is known.
pub(crate) struct Keyed<'q> {
    /// The query, its partition and sort-key condition set where it reads items.
    pub(crate) query: Cow<'q, Query>,
    /// The entries to read, where it reads an index.
    pub(crate) entries: Option<IndexRange>,
}

impl Keyed<'_> {
    /// The partition of the records, an index's or the table's.
    pub(crate) fn partition(&self) -> &[u8] {
        self.entries.as_ref().map_or(self.query.partition_key.as_slice(), IndexRange::pk)
    }

    /// Checks its keys and calls back with where its records are, behind the sort key `ended_at`.
    pub(crate) fn with_range<T>(
        &self,
        ended_at: Option<&[u8]>,
        read: impl FnOnce(Keyspace, &[u8], SortKeyRange<'_>) -> T,
    ) -> Result<T> {
        let Some(entries) = &self.entries else {
            return self.query.with_range(ended_at, |range| read(Keyspace::Items, &self.query.partition_key, range));
        };
        let behind = ended_at.map(|sk| entries.clone().behind(sk, self.query.reverse));
        let entries = behind.as_ref().unwrap_or(entries);
        Ok(read(Keyspace::Index, entries.pk(), entries.sort_keys()))
    }
}

impl Query {
    /// Parses and binds the expressions, and finds out which records the query is about.
    pub(crate) fn prepare(&self, context: ReadContext<'_>) -> Result<(Keyed<'_>, Selection)> {
        match &self.expressions {
            None if self.index.is_none() => {
                let query = self.encoded(context.table.keys)?;
                Ok((Keyed { query, entries: None }, Selection::of_all(context, self.select)))
            }
            None => keyed(Cow::Borrowed(self), context, &mut NoExpressions),
            Some(expressions) => {
                let parameters = expressions.parameters.gathered()?;
                let binder = Binder::for_table(&parameters, context.table.layout());
                let mut texts = Texts { expressions, cache: context.cache, binder };
                let prepared = keyed(Cow::Borrowed(self), context, &mut texts)?;
                texts.binder.finish()?;
                Ok(prepared)
            }
        }
    }
}

impl Scan {
    /// Parses and binds the expressions.
    pub(crate) fn prepare(&self, context: ReadContext<'_>) -> Result<Selection> {
        match &self.expressions {
            None if self.index.is_none() => Ok(Selection::of_all(context, self.select)),
            None => selection(self.select, self.index.as_deref(), context, &mut NoExpressions),
            Some(expressions) => {
                let parameters = expressions.parameters.gathered()?;
                let binder = Binder::for_table(&parameters, context.table.layout());
                let mut texts = Texts { expressions, cache: context.cache, binder };
                let selection = selection(self.select, self.index.as_deref(), context, &mut texts)?;
                texts.binder.finish()?;
                Ok(selection)
            }
        }
    }
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

/// A read without expressions.
struct NoExpressions;

impl BoundExpressions for NoExpressions {
    fn key_condition(&mut self, _: KeySchema<'_>) -> Result<Option<KeyCondition<'_>>> {
        Ok(None)
    }

    fn filter(&mut self) -> Result<Option<Condition<'static>>> {
        Ok(None)
    }

    fn projection(&mut self) -> Result<Option<Projection>> {
        Ok(None)
    }
}

/// Expressions as texts, with their parameters.
struct Texts<'a> {
    expressions: &'a ReadExpressions,
    cache: &'a ExpressionCache,
    binder: Binder<'a>,
}

impl BoundExpressions for Texts<'_> {
    fn key_condition(&mut self, schema: KeySchema<'_>) -> Result<Option<KeyCondition<'_>>> {
        let text = self.expressions.key_condition.as_ref();
        Ok(text.map(|text| self.cache.key_condition(text, schema, &mut self.binder)).transpose()?)
    }

    fn filter(&mut self) -> Result<Option<Condition<'static>>> {
        let text = self.expressions.filter.as_ref();
        Ok(text.map(|text| self.cache.condition(Kind::Filter, text, &mut self.binder)).transpose()?)
    }

    fn projection(&mut self) -> Result<Option<Projection>> {
        let text = self.expressions.projection.as_ref();
        Ok(text.map(|text| self.cache.projection(text, &mut self.binder)).transpose()?)
    }
}

/// Which records a query is about, and what becomes of them.
pub(crate) fn keyed<'q>(
    query: Cow<'q, Query>,
    context: ReadContext<'_>,
    expressions: &mut impl BoundExpressions,
) -> Result<(Keyed<'q>, Selection)> {
    let table = Arc::clone(&context.table);
    let index = query.index.as_ref().map(|name| table.readable_index(name)).transpose()?;
    let schema = index.map_or(KeySchema::of(table.layout()), Index::key_schema);
    let condition = expressions.key_condition(schema)?;
    let select = query.select;
    let mut keyed = Keyed { query, entries: None };
    let query = &keyed.query;
    if condition.is_some() {
        query.refuse_key_twice()?;
    }
    match (index, &condition) {
        (None, condition) => {
            if let Some(condition) = condition {
                let query = keyed.query.to_mut();
                query.partition_key = condition.partition().payload().to_vec();
                query.sort_key = SortKeyCondition::from(condition.sort()).map(|value| value.payload().to_vec());
            }
            keyed.query = Cow::Owned(keyed.query.encoded(table.keys)?.into_owned());
        }
        (Some(index), None) => {
            keyed.entries = Some(index.range_of_bytes(&query.partition_key, &query.sort_key)?);
        }
        (Some(index), Some(condition)) => {
            let partition = condition.partitions().map(key_value).collect::<Result<SmallVec<[_; 1]>>>()?;
            let equal = condition.equal().map(key_value).collect::<Result<SmallVec<[_; 1]>>>()?;
            keyed.entries = Some(index.range_of(&partition, &equal, entry_condition(condition.sort())?)?);
        }
    }
    let selection = selection(select, index.map(Index::name), context, expressions)?;
    if let Some(filter) = &selection.filter {
        let names: SmallVec<[&str; 2]> = schema.names().collect();
        filter.refuse_attributes(&names)?;
    }
    Ok((keyed, selection))
}

fn selection(
    select: Select,
    index: Option<&str>,
    context: ReadContext<'_>,
    expressions: &mut impl BoundExpressions,
) -> Result<Selection> {
    let ReadContext { table, now, .. } = context;
    let filter = expressions.filter()?;
    let projection = expressions.projection()?;
    if projection.is_some() && select != Select::All {
        return Err(Error::from(Reason::ProjectionOfCount));
    }
    let index = index.map(|name| table.readable_index(name)).transpose()?;
    let fetches = match index {
        None => false,
        Some(index) => {
            let asked = filter.iter().flat_map(Condition::attributes);
            let shown = projection.iter().flat_map(Projection::attributes);
            !index.beyond(asked, shown, true)?.is_empty()
        }
    };
    let index = index.map(Index::id);
    Ok(Selection { table, now, index, fetches, filter, projection, select })
}

impl Selection {
    /// What becomes of records where no expression has a say.
    fn of_all(context: ReadContext<'_>, select: Select) -> Self {
        let ReadContext { table, now, .. } = context;
        Self { table, now, index: None, fetches: false, filter: None, projection: None, select }
    }

    /// What becomes of records where only a filter decides.
    pub(crate) fn of_filter(
        table: Arc<TableState>,
        now: i64,
        index: Option<IndexId>,
        filter: Option<Condition<'static>>,
    ) -> Self {
        Self { table, now, index, fetches: false, filter, projection: None, select: Select::All }
    }

    /// The same, each item that meets the filter being read after its entry.
    pub(crate) fn fetching(self, fetches: bool) -> Self {
        Self { fetches, ..self }
    }

    /// The same for what the number is asked of.
    pub(crate) fn counting(self) -> Self {
        Self { select: Select::Count, projection: None, ..self }
    }

    /// The number of all items of the table or of the index, from what is kept of it; none where that may include items
    /// that have expired.
    pub(crate) fn kept_count(&self, database: &Table) -> Result<Option<usize>> {
        if !self.asks_for_number() {
            return Ok(None);
        }
        let expiries = self.table.expiries.as_ref().filter(|_| self.is_hidden_by_time());
        let is_right =
            || database.is_current(&self.table) && expiries.is_none_or(|expiries| expiries.due(self.now).is_none());
        let (count, is_right) = database.engine().count_with(self.index.map(|IndexId(index)| index), is_right)?;
        Ok(usize::try_from(count).ok().filter(|_| is_right))
    }

    /// The table that is read.
    pub(crate) fn table(&self) -> &TableState {
        &self.table
    }

    /// The index whose entries are read.
    pub(crate) fn index(&self) -> Option<IndexId> {
        self.index
    }

    /// What the request makes of a record that it met. Copies nothing but what it returns of an entry or in part.
    ///
    /// # Errors
    /// What `items` returns.
    pub(crate) fn select(&self, record: &Record, items: &impl Items) -> Result<Selected> {
        let passes = |item: &Subject<'_>| self.filter.as_ref().is_none_or(|filter| filter.evaluate(item));
        self.select_where(record, items, passes)
    }

    /// As [`Selection::select`], for a caller that has prepared the filter.
    fn select_where(
        &self,
        record: &Record,
        items: &impl Items,
        passes: impl FnOnce(&Subject<'_>) -> bool,
    ) -> Result<Selected> {
        let Some((key, subject)) = self.seen(record) else { return Ok(Selected::Unseen) };
        if !passes(&subject) {
            return Ok(Selected::LeftOut);
        }
        if self.fetches {
            let fetched = self.fetch(key, &subject, items)?;
            let Some(item) = fetched else { return Ok(Selected::LeftOut) };
            let part = self.part(item.key_ref(), &Subject::of_record(&item));
            return Ok(Selected::Made(part.unwrap_or(item)));
        }
        Ok(match self.part(key, &subject) {
            Some(part) => Selected::Made(part),
            None if self.index.is_none() || self.counts() => Selected::AsItIs,
            None => Selected::Made(Record::whole_row(key, subject.item().as_bytes())),
        })
    }

    /// The item that a record stands for with its key, where the request can see it: of an entry, what the index shows of
    /// its item.
    fn seen<'r>(&self, record: &'r Record) -> Option<(KeyRef<'r>, Subject<'r>)> {
        if self.table.is_hidden(record, self.now) {
            return None;
        }
        let Some(index) = self.index else { return Some((record.key_ref(), Subject::of_record(record))) };
        let entry = IndexEntry::read(record)?;
        let subject = || Subject::new(entry.table_pk(), entry.table_sk(), entry.item());
        (entry.index() == index).then(|| (entry.table_key(), subject()))
    }

    /// The item of an entry. One that was written in between, so that the entry is no longer its own, is none of the
    /// index's any more.
    fn fetch(&self, key: KeyRef<'_>, entry: &Subject<'_>, items: &impl Items) -> Result<Option<Record>> {
        let Some(index) = self.index.and_then(|id| self.table.indexes.by_id(id)) else { return Ok(None) };
        let found = items.item(key)?;
        Ok(found.filter(|item| !self.table.is_hidden(item, self.now)).filter(|item| {
            let item = Subject::of_record(item);
            index.key_schema().names().all(|name| item.get(name) == entry.get(name))
        }))
    }

    /// What the request shows of an item that it returns; none where that is all of it.
    fn part(&self, key: KeyRef<'_>, item: &Subject<'_>) -> Option<Record> {
        match (&self.projection, self.select) {
            (Some(projection), _) => Some(Record::row(key, &projection.apply(item))),
            (None, Select::KeysOnly) if !key.label().is_empty() => Some(Record::whole_row(key, &[])),
            (None, Select::KeysOnly) => Some(Record::row(key, &keys_only(item.pk(), item.sk()))),
            (None, Select::All | Select::Count) => None,
        }
    }

    /// Whether it is entries of an index that are read.
    pub(crate) fn reads_index(&self) -> bool {
        self.index.is_some()
    }

    /// # Errors
    /// [`Error::Invalid`] where this table has not the index that the request reads.
    pub(crate) fn check_index(&self, table: &TableState) -> Result<()> {
        let Some(id) = self.index else { return Ok(()) };
        if table.indexes.by_id(id).is_some() {
            return Ok(());
        }
        let name = self.table.indexes.by_id(id).map_or("", Index::name);
        Err(Error::from(Reason::NoIndex { name: name.into() }))
    }

    /// Whether the request wants a number instead of items.
    pub(crate) fn counts(&self) -> bool {
        self.select == Select::Count
    }

    /// Whether the request returns every record that it meets, as it is.
    pub(crate) fn shows_all(&self) -> bool {
        let is_whole = self.filter.is_none() && self.projection.is_none() && self.select == Select::All;
        is_whole && self.examines_all()
    }

    /// Whether the request asks for the number of items alone, whatever they are.
    pub(crate) fn asks_for_number(&self) -> bool {
        self.counts() && self.filter.is_none()
    }

    /// Whether the request counts every record that it meets.
    pub(crate) fn counts_all(&self) -> bool {
        self.asks_for_number() && !self.is_hidden_by_time()
    }

    /// Whether the request examines every record that it meets: none has expired, none is of an index that is gone.
    pub(crate) fn examines_all(&self) -> bool {
        self.index.is_none() && !self.is_hidden_by_time()
    }

    /// Whether the items of entries are read, too.
    pub(crate) fn fetches(&self) -> bool {
        self.fetches
    }

    fn is_hidden_by_time(&self) -> bool {
        self.table.ttl.is_some() && self.table.hides_expired()
    }

    /// What the request returns of the records it met, how many items they are, and how many were examined.
    ///
    /// # Errors
    /// What `items` returns.
    pub(crate) fn apply_all<R: From<Record>>(
        &self,
        met: Vec<Record>,
        items: &impl Items,
    ) -> Result<(Vec<R>, usize, usize)> {
        if self.shows_all() {
            let count = met.len();
            return Ok((met.into_iter().map(R::from).collect(), count, count));
        }
        let filter = self.filter.as_ref().map(|filter| filter.of_many(self.table.layout()));
        let most = if self.counts() || self.filter.is_some() { 0 } else { met.len() };
        let (mut records, mut count, mut scanned) = (Vec::with_capacity(most), 0, 0);
        let mut left = met.into_iter();
        while let Some(record) = left.next() {
            if let (Some(filter), Some(ahead)) = (&filter, left.as_slice().get(FILTERED_AHEAD)) {
                filter.prefetch(ahead.item());
            }
            let selected =
                self.select_where(&record, items, |item| filter.as_ref().is_none_or(|filter| filter.evaluate(item)))?;
            scanned += usize::from(!matches!(selected, Selected::Unseen));
            let shown = match selected {
                Selected::Unseen | Selected::LeftOut => continue,
                Selected::AsItIs => record,
                Selected::Made(made) => made,
            };
            count += 1;
            if !self.counts() {
                records.push(R::from(shown));
            }
        }
        Ok((records, count, scanned))
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
