//! SearchVectors (captured in eu-west-2 on 2026-08-11: parity, `error-messages/searchVectors`).
//!
//! ```text
//! equalities only? ─► table ─► index ─► dimensions ─► attributes of the search schema ─► their types ─► search
//! ```

use kstone_api::expression::{Equality, Projection, Subject};
use kstone_api::{ItemRef, ItemWriter, Scan, ValueRef};
use kstone_core::value::Value;

use crate::answer::Answer;
use crate::bound;
use crate::call::Call;
use crate::capacity::Detail;
use crate::catalog::CatalogTable;
use crate::catalog::settings::VectorIndex;
use crate::echo::Echo;
use crate::expressions::{Parameters, expressions, mixing};
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Refusal;
use crate::texts::Text;
use crate::vectors::{self, Distance, Found, MIN_BYTES, Nearest};
use crate::view::Structure;

/// The most results of a search.
const MAX_TOP_K: i64 = 100;

pub(super) const PIPELINE: Pipeline = Pipeline {
    parameters: Parameters {
        expressions: &["ProjectionExpression", "SearchConditionExpression"],
        legacy: &[],
        parsed: &["SearchConditionExpression", "ProjectionExpression"],
    },
    steps: &[top_k, search_vector, mixing, expressions],
};

fn top_k(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    match input.get("TopK").map(|value| value.integer()) {
        Some(value) if value > MAX_TOP_K => Err(Text::TopKRange { value }),
        _ => Ok(()),
    }
}

/// Numbers that a float can hold.
fn search_vector(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(vector) = input.get("SearchVector") else { return Ok(()) };
    for of_value in vector.elements() {
        let number = of_value.structure().get("N").map(|number| number.text());
        let fits = |text: &str| {
            crate::number::check(text, crate::refusal::Layer::Older).is_ok()
                && text.parse::<f64>().is_ok_and(|double| double.abs() <= f64::from(f32::MAX))
        };
        if !number.is_some_and(|text| fits(&text)) {
            return Err(Text::SearchVectorValue);
        }
    }
    Ok(())
}

/// Searches.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let bound = bound::of(call, input, &PIPELINE.parameters)?;
    let asked = match &bound.search_condition {
        None => Vec::new(),
        Some(condition) => condition.equalities().ok_or_else(|| Refusal::validation(Text::SearchComparator))?,
    };
    let table = call.table()?;
    let name = input.get("IndexName").expect("a required member").text();
    let index = table.settings.vectors.iter().find(|index| index.name == *name);
    let index = index.ok_or_else(|| Refusal::validation(Text::VectorIndexMissing { index: Echo::of(&name) }))?;
    let vector = vector_of(input, index).map_err(Refusal::validation)?;
    check(&asked, index, &table).map_err(Refusal::validation)?;
    let most = input.get("TopK").and_then(|most| usize::try_from(most.integer()).ok()).unwrap_or(0);
    let nearest = Nearest::new(Distance::of(&index.distance), &vector, most);
    let counts = Detail::of(input).is_asked();
    let mut search = Search { index, asked, nearest, counts, bytes: 0 };
    search.run(&table).map_err(|error| call.below(&error))?;
    let bytes = search.bytes.max(MIN_BYTES);
    let found = search.nearest.finish();
    answer.object(|answer| {
        answer.name("SearchResults").list(|answer| {
            for one in &found {
                answer.object(|answer| result(answer, one, index, &table, bound.projection.as_ref()));
            }
        });
        if counts {
            answer.name("ConsumedCapacity").object(|answer| {
                answer.name("VectorSearchRequestBytes").double(bytes as f64);
            });
        }
    });
    Ok(())
}

/// The vector that is looked for.
fn vector_of(input: &Structure<'_>, index: &VectorIndex) -> Result<Vec<f32>, Text> {
    let elements = input.get("SearchVector").into_iter().flat_map(|vector| vector.elements());
    let number = |of_value: crate::view::Value<'_>| {
        let text = of_value.structure().get("N").map(|number| number.text())?;
        vectors::element(&kstone_core::number::canonical(&text).ok()?)
    };
    let vector: Vec<f32> = elements.map(number).collect::<Option<_>>().ok_or(Text::SearchVectorValue)?;
    let expected = index.dimensions;
    if usize::try_from(expected).is_ok_and(|expected| expected == vector.len()) {
        Ok(vector)
    } else {
        Err(Text::SearchVectorDimensions { given: vector.len(), expected })
    }
}

/// What is asked is asked of the attributes that the search schema has, once of each, and of the one that parts the index.
fn check(asked: &[Equality<'_>], index: &VectorIndex, table: &CatalogTable) -> Result<(), Text> {
    let schema = &index.search_schema;
    for one in asked {
        if !schema.iter().any(|(attribute, _)| attribute == one.attribute) {
            return Err(Text::SearchOutsideSchema { attribute: Echo::of(one.attribute) });
        }
        if one.is_nested {
            return Err(Text::SearchNested);
        }
    }
    for (at, one) in asked.iter().enumerate() {
        if asked[..at].iter().any(|other| other.attribute == one.attribute) {
            return Err(Text::SearchTwice);
        }
    }
    let hash = index.hash();
    if hash.is_some_and(|hash| !asked.iter().any(|one| one.attribute == hash)) {
        return Err(Text::SearchWithoutHash);
    }
    for one in asked {
        let defined = table.settings.definitions.iter().find(|(attribute, _)| attribute == one.attribute);
        let given = one.value.type_().name();
        if let Some((_, expected)) = defined
            && expected != given
        {
            let (attribute, expected) = (Echo::of(one.attribute), Echo::of(expected));
            return Err(Text::SearchType { attribute, given, expected });
        }
        if hash.is_some_and(|hash| hash == one.attribute) && one.value.payload().is_empty() {
            return Err(Text::SearchEmptyKey { attribute: Echo::of(one.attribute) });
        }
    }
    Ok(())
}

/// A search on its way.
struct Search<'a> {
    index: &'a VectorIndex,
    asked: Vec<Equality<'a>>,
    nearest: Nearest<'a>,
    /// Whether bytes are counted.
    counts: bool,
    /// Of the entries that were looked at.
    bytes: usize,
}

impl Search<'_> {
    /// Looks at all items, as the table is now.
    fn run(&mut self, table: &CatalogTable) -> Result<(), kstone_api::Error> {
        let index = self.index;
        let (dimensions, hash) = (index.length(), index.hash());
        let mut vector = Vec::with_capacity(dimensions);
        let mut records = table.table.iter_scan(&Scan::new())?;
        for record in records.by_ref() {
            let subject = Subject::of_record(&record);
            let holds = |one: &Equality<'_>| subject.get(one.attribute) == Some(one.value);
            // Other partitions of the index are not looked at.
            if !self.asked.iter().filter(|one| Some(one.attribute) == hash).all(holds) {
                continue;
            }
            let attribute = subject.get(&index.attribute);
            if !attribute.is_some_and(|attribute| vectors::read(attribute, dimensions, &mut vector)) {
                continue;
            }
            if self.counts {
                self.bytes += index.entry_size(table, &record);
            }
            if self.asked.iter().all(holds) {
                self.nearest.show(record, &vector);
            }
        }
        records.check_interrupt()
    }
}

fn result(
    answer: &mut Answer,
    found: &Found,
    index: &VectorIndex,
    table: &CatalogTable,
    projection: Option<&Projection>,
) {
    let subject = Subject::of_record(&found.item);
    let projected = projection.map(|projection| projection.apply(&subject));
    let item = projected.as_ref().map_or_else(|| subject.item(), |body| ItemRef::new(body));
    let mut shown = ItemWriter::new();
    // The vector is shown to those who ask for it.
    let is_shown = |name: &str| index.holds(table, name) && (projection.is_some() || name != index.attribute);
    for (name, value) in item.iter().filter(|(name, _)| is_shown(name)) {
        let written = match name == index.attribute {
            true => shown.set_value(name, &in_floats(value)),
            false => shown.set_ref(name, value),
        };
        written.expect("an item's attributes make an item");
    }
    answer.name("Item").item(shown.as_item());
    answer.name("Score").double(found.score);
}

/// A vector, or an element of one, as the index holds it: in the shortest numbers that a float is read from.
fn in_floats(value: ValueRef<'_>) -> Value {
    match value.as_number().and_then(vectors::element) {
        Some(number) => Value::number(number),
        None => Value::list(value.list().map(in_floats)),
    }
}
