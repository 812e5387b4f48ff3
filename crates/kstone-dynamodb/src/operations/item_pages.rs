//! What Query and Scan have in common: what is read, where it begins, and the page that is answered.
//!
//! Thread safety: plain values.

use kstone_api::index::IndexKind;
use kstone_api::{
    ItemRef, KeyPart, Page, PageEnd, Projection, ReadKeys, ReadRequest, ReadStart, Record, Select, ValueRef,
};

use crate::answer::Answer;
use crate::attributes;
use crate::call::Call;
use crate::capacity::{Consumed, Detail, Units};
use crate::catalog::CatalogTable;
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::view::{Structure, Value};

/// An index that is read.
pub(super) struct IndexRead {
    pub(super) name: String,
    pub(super) kind: IndexKind,
    partition: Vec<KeyPart>,
    sort: Vec<KeyPart>,
    /// Whether it holds whole items.
    holds_all: bool,
}

/// What is read: a table, or one of its indexes.
pub(super) struct Source<'t> {
    pub(super) table: &'t CatalogTable,
    pub(super) index: Option<IndexRead>,
}

impl<'t> Source<'t> {
    /// What a request reads; none where the table does not have the index.
    pub(super) fn of(input: &Structure<'_>, table: &'t CatalogTable) -> Option<Self> {
        let Some(name) = input.get("IndexName") else { return Some(Self { table, index: None }) };
        let index = IndexRead::of(table, &name.text())?;
        Some(Self { table, index: Some(index) })
    }

    /// The attributes of the key's partition.
    pub(super) fn partition(&self) -> &[KeyPart] {
        self.index.as_ref().map_or(self.table.layout.partitions(), |index| &index.partition)
    }

    /// The attributes that put the partition in order.
    pub(super) fn sort(&self) -> &[KeyPart] {
        self.index.as_ref().map_or(self.table.layout.sorts(), |index| &index.sort)
    }

    /// Refuses what global indexes do not have: reads that are consistent.
    ///
    /// # Errors
    /// A ValidationException (facts 55).
    pub(super) fn refuse_consistent(&self, input: &Structure<'_>) -> Result<(), Refusal> {
        let is_global = self.index.as_ref().is_some_and(|index| index.kind == IndexKind::Global);
        if is_global && is_consistent(input) { Err(Refusal::validation(Text::ConsistentIndexRead)) } else { Ok(()) }
    }

    /// Refuses whole items of a global index that holds parts of them.
    ///
    /// # Errors
    /// A ValidationException (facts 56).
    pub(super) fn refuse_whole(&self, input: &Structure<'_>) -> Result<(), Refusal> {
        let Some(index) = &self.index else { return Ok(()) };
        if asks_whole(input) && index.kind == IndexKind::Global && !index.holds_all {
            return Err(Refusal::validation(Text::SelectBeyondIndex { index: index.name.clone() }));
        }
        Ok(())
    }

    /// How many attributes the key of a start has.
    fn start_len(&self) -> usize {
        let is_of_table = |part: &&KeyPart| self.table.layout.has(part.name());
        let of_index = self.index.iter().flat_map(|index| index.partition.iter().chain(&index.sort));
        self.table.layout.parts().count() + of_index.filter(|part| !is_of_table(part)).count()
    }
}

impl IndexRead {
    fn of(table: &CatalogTable, name: &str) -> Option<Self> {
        let schema = table.table.schema();
        let name_of = || name.to_owned();
        if let Some(index) = schema.local_indexes().iter().find(|index| index.index_name() == name) {
            return Some(Self {
                name: name_of(),
                kind: IndexKind::Local,
                partition: table.layout.partitions().to_vec(),
                sort: vec![index.sort_part().clone()],
                holds_all: matches!(index.projected(), Projection::All),
            });
        }
        let index = schema.global_indexes().iter().find(|index| index.index_name() == name)?;
        Some(Self {
            name: name_of(),
            kind: IndexKind::Global,
            partition: index.partition_parts().to_vec(),
            sort: index.sort_parts().to_vec(),
            holds_all: matches!(index.projected(), Projection::All),
        })
    }
}

/// Whether a read has to be consistent.
pub(super) fn is_consistent(input: &Structure<'_>) -> bool {
    input.get("ConsistentRead").is_some_and(|value| value.boolean())
}

fn asks_whole(input: &Structure<'_>) -> bool {
    input.get("Select").is_some_and(|select| select.quoted().is("ALL_ATTRIBUTES"))
}

/// A key behind which a read begins, while it is checked.
pub(super) struct StartKey<'a> {
    source: &'a Source<'a>,
    /// In the stored form.
    body: Vec<u8>,
}

impl<'a> StartKey<'a> {
    /// The member `ExclusiveStartKey`, of as many attributes as the key has.
    ///
    /// # Errors
    /// A ValidationException; `wrong_length` is what is said of another number of attributes.
    pub(super) fn of(source: &'a Source<'a>, key: Value<'_>, wrong_length: Text) -> Result<Self, Refusal> {
        if key.count() != source.start_len() {
            return Err(Refusal::validation(wrong_length));
        }
        let mut body = Vec::new();
        attributes::put_map(&mut body, key).map_err(Refusal::validation)?;
        Ok(Self { source, body })
    }

    /// The key in the stored form.
    pub(super) fn item(&self) -> ItemRef<'_> {
        ItemRef::new(&self.body)
    }

    /// The value of an attribute of the key; none where it is not there.
    pub(super) fn get(&self, part: &KeyPart) -> Option<ValueRef<'_>> {
        self.item().get(part.name())
    }

    /// Checks these attributes of the key that is read (dynalite, `actions/query.js`, whose tests run against AWS).
    ///
    /// # Errors
    /// A ValidationException for one that is missing, of another type or empty.
    pub(super) fn check(&self, call: &Call<'_>, parts: &[KeyPart]) -> Result<(), Refusal> {
        for part in parts {
            let value = self.get(part).ok_or_else(|| Refusal::validation(Text::StartKeyInvalid))?;
            if !part.types().contains(&value.type_()) {
                return Err(Refusal::validation(Text::KeyElementMismatch));
            }
            part.check(value.type_(), value.payload()).map_err(|error| call.below(&error.into()))?;
        }
        Ok(())
    }

    /// Checks the attributes of the table's key.
    ///
    /// # Errors
    /// A ValidationException for one that is missing or of another type.
    pub(super) fn check_table(&self) -> Result<(), Refusal> {
        let fits = |part: &KeyPart| {
            self.get(part).is_some_and(|value| part.types().contains(&value.type_()) && !value.payload().is_empty())
        };
        if self.source.table.layout.parts().all(fits) {
            return Ok(());
        }
        let reason = Box::new(Text::KeyElementMismatch);
        Err(Refusal::validation(Text::StartKeyValue { reason }))
    }
}

/// Fills in what a request says whatever it reads.
pub(super) fn fill<'r>(
    input: &Structure<'_>,
    source: &'r Source<'_>,
    start: Option<&'r StartKey<'_>>,
    request: ReadRequest<'r>,
) -> ReadRequest<'r> {
    let is_count = input.get("Select").is_some_and(|select| select.quoted().is("COUNT"));
    let limit = input.get("Limit").map(|limit| usize::try_from(limit.integer()).unwrap_or(usize::MAX));
    let holds_parts = source.index.as_ref().is_some_and(|index| !index.holds_all);
    ReadRequest {
        index: source.index.as_ref().map(|index| index.name.as_str()),
        limit,
        start: start.map_or(ReadStart::First, |start| ReadStart::After(start.item())),
        select: match () {
            () if is_count => Select::Count,
            () if holds_parts && asks_whole(input) => Select::Whole,
            () => Select::All,
        },
        asks_beyond: matches!(request.keys, ReadKeys::Segment { .. }),
        // A number of all items is known without sizes, and a page of it would have no end.
        measures: is_count || Detail::of(input).is_asked(),
        ..request
    }
}

/// Answers a page.
///
/// # Errors
/// A ValidationException where the index is gone meanwhile.
pub(super) fn respond(
    call: &Call<'_>,
    source: &Source<'_>,
    page: &Page<Record, PageEnd>,
    answer: &mut Answer,
) -> Result<(), Refusal> {
    let input = call.input();
    let last = source.table.table.last_key(page).map_err(|error| call.below(&error))?;
    let shows_items = !input.get("Select").is_some_and(|select| select.quoted().is("COUNT"));
    answer.object(|answer| {
        if shows_items {
            answer.name("Items").list(|answer| page.records.iter().for_each(|record| answer.item(record.item())));
        }
        answer.name("Count").integer(number_of(page.count));
        answer.name("ScannedCount").integer(number_of(page.scanned));
        if let Some(last) = &last {
            answer.name("LastEvaluatedKey").item(ItemRef::new(last));
        }
        let detail = Detail::of(input);
        if detail.is_asked() {
            let consumed = consumed(source, page, is_consistent(input));
            consumed.write(answer.name("ConsumedCapacity"), &source.table.name, detail);
        }
    });
    Ok(())
}

fn number_of(items: usize) -> i64 {
    i64::try_from(items).unwrap_or(i64::MAX)
}

/// What a page costs: the sizes of all items that it examined together, and of those that were read after their entries
/// (facts 61, 66 and 68).
fn consumed(source: &Source<'_>, page: &Page<Record, PageEnd>, is_consistent: bool) -> Consumed {
    let mut consumed = Consumed::default();
    let examined = Units::of_read(page.sizes.examined, is_consistent);
    match &source.index {
        None => consumed.add_table(examined),
        Some(index) => {
            consumed.add_index(&index.name, index.kind, examined);
            if page.sizes.fetched > 0 {
                consumed.add_table(Units::of_read(page.sizes.fetched, is_consistent));
            }
        }
    }
    consumed
}
