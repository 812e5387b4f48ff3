//! What a read makes of the records that it meets: which it sees, which it returns, and what of them.

use std::cell::Cell;
use std::sync::Arc;

use crate::error::{Error, Reason, Result};
use kstone_core::engine::PointInTimeView;
use kstone_core::key::KeyRef;
use kstone_core::record::Record;

use crate::expression::{Condition, Projection, Subject};
use crate::model::item_check::keys_only;
use crate::request::page_limits::{ReadSizes, examined_bytes};
use crate::request::read_request::Select;
use crate::table::index::{Index, IndexEntry, IndexId, IndexKind};
use crate::table::state::{ReadContext, TableState};

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

/// Where items are read, and how large they are together.
pub(crate) struct Measured<'a, I> {
    items: &'a I,
    sizes: Cell<ReadSizes>,
}

impl<'a, I> Measured<'a, I> {
    pub(crate) fn of(items: &'a I) -> Self {
        Self { items, sizes: Cell::default() }
    }

    /// The sizes of the items that were read.
    pub(crate) fn sizes(&self) -> ReadSizes {
        self.sizes.get()
    }
}

impl<I: Items> Items for Measured<'_, I> {
    fn item(&self, key: KeyRef<'_>) -> Result<Option<Record>> {
        let found = self.items.item(key)?;
        let mut sizes = self.sizes.get();
        sizes.add_fetched(found.as_ref());
        self.sizes.set(sizes);
        Ok(found)
    }
}

impl Selection {
    /// What becomes of records, or of the entries of an index, by these expressions.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit together or the index does not hold.
    pub(crate) fn of(
        (select, asks_beyond): (Select, bool),
        index: Option<&Index>,
        context: ReadContext<'_>,
        (filter, projection): (Option<Condition<'static>>, Option<Projection>),
    ) -> Result<Self> {
        let ReadContext { table, now, .. } = context;
        if projection.is_some() && select != Select::All {
            return Err(Error::from(Reason::ProjectionOfCount));
        }
        let fetches = match index {
            None => false,
            Some(index) if select == Select::Whole => {
                if index.kind() == IndexKind::Global && !index.projects_all() {
                    return Err(Error::from(Reason::WholeItems { index: index.name().into() }));
                }
                !index.projects_all()
            }
            Some(index) => {
                let asked = filter.iter().flat_map(Condition::attributes).filter(|_| !asks_beyond);
                let shown = projection.iter().flat_map(Projection::attributes);
                !index.beyond(asked, shown, true)?.is_empty()
            }
        };
        let index = index.map(Index::id);
        Ok(Self { table, now, index, fetches, filter, projection, select })
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

    /// The same for what shows whole items.
    pub(crate) fn showing(self) -> Self {
        Self { select: Select::All, ..self }
    }

    /// Whether the number that is kept of its items is that of the request, as far as time goes: none of them has expired.
    pub(crate) fn none_has_expired(&self) -> bool {
        let expiries = self.table.expiries.as_ref().filter(|_| self.is_hidden_by_time());
        expiries.is_none_or(|expiries| expiries.due(self.now).is_none())
    }

    /// The table that is read.
    pub(crate) fn table(&self) -> &Arc<TableState> {
        &self.table
    }

    /// The index whose entries are read.
    pub(crate) fn index(&self) -> Option<&Index> {
        self.index.and_then(|id| self.table.indexes.by_id(id))
    }

    /// The filter.
    pub(crate) fn filter(&self) -> Option<&Condition<'static>> {
        self.filter.as_ref()
    }

    /// How large the items are that the request sees among these records.
    pub(crate) fn bytes_of(&self, met: &[Record]) -> usize {
        met.iter().filter(|record| self.seen(record).is_some()).map(examined_bytes).sum()
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
        if self.fetches && self.select == Select::Whole {
            let fetched = self.fetch(key, &subject, items)?;
            let shown = fetched.filter(|item| passes(&Subject::of_record(item)));
            return Ok(shown.map_or(Selected::LeftOut, Selected::Made));
        }
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
        let Some(index) = self.index() else { return Ok(None) };
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
            (None, Select::All | Select::Whole | Select::Count) => None,
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
