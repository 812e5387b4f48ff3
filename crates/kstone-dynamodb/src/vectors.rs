//! Vectors: lists of 32-bit floating-point numbers in items, how far they are from each other, and the nearest of many.
//!
//! ```text
//! item ─► the index's schema: does it hold? ─► its vector ─► score ─► among the best so far? ─► kept, the worst dropped
//! ```
//! A search is exact: it looks at every item that its index has, as the table was when the search began, and holds no more
//! than what it will answer. What is no vector of the index's dimensions is not put, and where an update makes it, in no index.
//!
//! Thread safety: plain values.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use kstone_api::expression::Subject;
use kstone_api::{ItemRef, Record, Scan, Type, ValueRef, WriteOutcome};
use kstone_core::item::item_size;
use kstone_core::number;

use crate::catalog::CatalogTable;
use crate::catalog::settings::VectorIndex;
use crate::refusal::Refusal;
use crate::texts::Text;

/// The fewest bytes that a search, or a write to an index, is charged.
pub(crate) const MIN_BYTES: usize = 1024;
/// The bytes of a dimension, as they are charged.
const DIMENSION_BYTES: usize = 4;

/// How DynamoDB measures how alike two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distance {
    /// One less the cosine of their angle: from 0 for one direction to 2 for opposite ones.
    Cosine,
    /// The distance of the points.
    Euclidean,
    /// Their dot product: the greater, the more alike.
    DotProduct,
}

impl Distance {
    /// By DynamoDB's name.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "EUCLIDEAN" => Self::Euclidean,
            "DOT_PRODUCT" => Self::DotProduct,
            _ => Self::Cosine,
        }
    }

    /// The score of two vectors of as many dimensions. A vector without a direction is as far from all as one at a right
    /// angle is, by its cosine.
    pub(crate) fn score(self, a: &[f32], b: &[f32]) -> f64 {
        let score = match self {
            Self::DotProduct => dot(a, b),
            Self::Euclidean => squares(a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b))).sqrt(),
            Self::Cosine => cosine(a, b),
        };
        score.clamp(f64::from(f32::MIN), f64::from(f32::MAX))
    }

    /// The score turned so that less is more alike.
    fn rank(self, score: f64) -> f64 {
        if self == Self::DotProduct { -score } else { score }
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let of = |vector: &[f32]| squares(vector.iter().map(|number| f64::from(*number)));
    let lengths = (of(a) * of(b)).sqrt();
    if lengths == 0.0 {
        return 1.0;
    }
    // Rounding must not part what is the same.
    if a == b { 0.0 } else { (1.0 - dot(a, b) / lengths).clamp(0.0, 2.0) }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn squares(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|number| number * number).sum()
}

/// A canonical number as an element of a vector; none where it is beyond those.
pub(crate) fn element(number: &str) -> Option<f32> {
    let float: f32 = number.parse().ok()?;
    // What lies a little beyond the greatest float is read as that.
    let is_beyond = || number::to_f64(number).is_none_or(|double| double.abs() > f64::from(f32::MAX));
    if float.abs() < f32::MAX || !is_beyond() { Some(float) } else { None }
}

/// Puts the vector that an attribute holds into a buffer; false where that is none of so many dimensions.
pub(crate) fn read(value: ValueRef<'_>, dimensions: usize, vector: &mut Vec<f32>) -> bool {
    vector.clear();
    for of_list in value.list() {
        match of_list.as_number().and_then(element) {
            Some(number) if vector.len() < dimensions => vector.push(number),
            _ => return false,
        }
    }
    vector.len() == dimensions
}

impl VectorIndex {
    /// How many numbers its vectors have.
    pub(crate) fn length(&self) -> usize {
        usize::try_from(self.dimensions).unwrap_or(0)
    }

    /// The attribute that parts it, if one does.
    pub(crate) fn hash(&self) -> Option<&str> {
        self.search_schema.iter().find(|(_, kind)| kind == "HASH").map(|(attribute, _)| &**attribute)
    }

    /// Whether it holds an attribute of its items.
    pub(crate) fn holds(&self, table: &CatalogTable, attribute: &str) -> bool {
        self.projection == "ALL"
            || attribute == self.attribute
            || table.layout.parts().any(|part| part.name() == attribute)
            || self.search_schema.iter().any(|(name, _)| name == attribute)
            || self.included.iter().any(|name| name == attribute)
    }

    /// What it holds of an item except for the vector; none where it does not have the item.
    fn entry(&self, table: &CatalogTable, record: &Record) -> Option<Vec<u8>> {
        let subject = Subject::of_record(record);
        let vector = subject.get(&self.attribute)?;
        if !read(vector, self.length(), &mut Vec::new()) || self.hash().is_some_and(|hash| subject.get(hash).is_none())
        {
            return None;
        }
        Some(self.rest(table, record))
    }

    /// How many items it has, and the bytes of what it holds of them. Costs a pass over the table.
    pub(crate) fn measured(&self, table: &CatalogTable) -> (usize, usize) {
        let Ok(records) = table.table.iter_scan(&Scan::new()) else { return (0, 0) };
        let mut sum = (0, 0);
        for record in records {
            if let Some(rest) = self.entry(table, &record) {
                sum = (sum.0 + 1, sum.1 + self.size_with(&record, &rest));
            }
        }
        sum
    }

    /// Refuses the attributes of an item that it could not hold: a vector that is none of its own, and a part of nothing. An
    /// item without a vector is just not in it.
    fn check(&self, item: ItemRef<'_>) -> Result<(), Text> {
        let (attribute, index) = (|| self.attribute.clone(), || self.name.clone());
        if let Some(vector) = item.get(&self.attribute) {
            if vector.type_() != Type::L {
                return Err(Text::VectorNoList { attribute: attribute(), index: index() });
            }
            let actual = vector.list().count();
            if actual != self.length() {
                let expected = self.dimensions;
                return Err(Text::VectorSize { attribute: attribute(), expected, actual, index: index() });
            }
            let mut elements = vector.list().enumerate();
            let wrong = elements.find(|(_, of_list)| of_list.as_number().and_then(element).is_none());
            if let Some((at, of_list)) = wrong {
                let type_ = of_list.type_().name();
                return Err(Text::VectorElement { attribute: attribute(), at, type_, index: index() });
            }
        }
        match self.hash().filter(|hash| item.get(hash).is_some_and(|value| value.as_str() == Some(""))) {
            Some(hash) => Err(Text::VectorKeyEmpty { index: index(), key: hash.to_owned() }),
            None => Ok(()),
        }
    }

    fn rest(&self, table: &CatalogTable, record: &Record) -> Vec<u8> {
        let mut rest = Vec::new();
        let keeps = |name: &str| name != self.attribute && self.holds(table, name);
        Subject::of_record(record).item().copy_where(&mut rest, keeps);
        rest
    }

    /// The bytes of what it holds of an item that it has (parity, `vectorSearch/consumedCapacity`).
    pub(crate) fn entry_size(&self, table: &CatalogTable, record: &Record) -> usize {
        self.size_with(record, &self.rest(table, record))
    }

    fn size_with(&self, record: &Record, rest: &[u8]) -> usize {
        item_size(record.key_ref(), ItemRef::new(rest)) + self.attribute.len() + DIMENSION_BYTES * self.length()
    }
}

/// Refuses an item that is put, by the body of its attributes, which an index of vectors could not hold (parity,
/// `error-messages/vectorWrites`).
///
/// # Errors
/// What is wrong with it, by the first index.
pub(crate) fn check(table: &CatalogTable, body: &[u8]) -> Result<(), Refusal> {
    let item = ItemRef::new(body);
    table.settings.vectors.iter().try_for_each(|index| index.check(item)).map_err(Refusal::validation)
}

/// The bytes that a write changes in an index; none where this stays as it is.
pub(crate) fn written_to(index: &VectorIndex, table: &CatalogTable, outcome: &WriteOutcome) -> Option<usize> {
    fn entry<'r>(
        index: &VectorIndex,
        table: &CatalogTable,
        record: Option<&'r Record>,
    ) -> Option<(Vec<u8>, &'r Record)> {
        record.and_then(|record| Some((index.entry(table, record)?, record)))
    }
    let vector =
        |record: &Record| Subject::of_record(record).get(&index.attribute).map(|value| value.payload().to_vec());
    match (entry(index, table, outcome.old()), entry(index, table, outcome.new_item())) {
        (None, None) => None,
        (Some((before, old)), Some((after, new))) if before == after && vector(old) == vector(new) => None,
        (_, Some((rest, record))) | (Some((rest, record)), None) => Some(index.size_with(record, &rest)),
    }
}

/// The bytes of an item, as its write is charged: of a vector four for each dimension, whatever its numbers are (parity,
/// `vectorSearch/consumedCapacity`, captured on 2026-10-09).
pub(crate) fn written_size(table: &CatalogTable, record: &Record) -> usize {
    let indexes = &table.settings.vectors;
    if indexes.is_empty() {
        return record.item_size();
    }
    let item = Subject::of_record(record).item();
    let is_vector = |name: &str| {
        let index = indexes.iter().find(|index| index.attribute == name)?;
        item.get(name).is_some_and(|value| read(value, index.length(), &mut Vec::new())).then(|| index.length())
    };
    let mut rest = Vec::new();
    let mut vectors = 0;
    item.copy_where(&mut rest, |name| match is_vector(name) {
        None => true,
        Some(length) => {
            vectors += name.len() + DIMENSION_BYTES * length;
            false
        }
    });
    item_size(record.key_ref(), ItemRef::new(&rest)) + vectors
}

/// An item that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) score: f64,
    pub(crate) item: Record,
    rank: f64,
}

impl Found {
    /// The better first; of equals the one whose key is the lesser.
    fn order(&self, other: &Self) -> Ordering {
        let (a, b) = (self.item.key_ref(), other.item.key_ref());
        self.rank.total_cmp(&other.rank).then_with(|| (a.pk(), a.sk()).cmp(&(b.pk(), b.sk())))
    }
}

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        self.order(other).is_eq()
    }
}

impl Eq for Found {}

impl PartialOrd for Found {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Found {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order(other)
    }
}

/// The best of the items that are shown to it.
#[derive(Debug)]
pub(crate) struct Nearest<'v> {
    distance: Distance,
    vector: &'v [f32],
    most: usize,
    /// The worst of them is on top.
    found: BinaryHeap<Found>,
}

impl<'v> Nearest<'v> {
    /// Looks for so many items whose vectors are like this one.
    pub(crate) fn new(distance: Distance, vector: &'v [f32], most: usize) -> Self {
        Self { distance, vector, most, found: BinaryHeap::with_capacity(most + 1) }
    }

    /// Takes an item with its vector if it is among the best so far.
    pub(crate) fn show(&mut self, item: Record, vector: &[f32]) {
        let score = self.distance.score(self.vector, vector);
        let found = Found { score, item, rank: self.distance.rank(score) };
        if self.found.len() < self.most {
            self.found.push(found);
        } else if let Some(mut worst) = self.found.peek_mut()
            && found < *worst
        {
            *worst = found;
        }
    }

    /// The items, the best first.
    pub(crate) fn finish(self) -> Vec<Found> {
        self.found.into_sorted_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_of_the_distances() {
        use Distance::{Cosine, DotProduct, Euclidean};
        let table: &[(Distance, &[f32], &[f32], f64)] = &[
            (Cosine, &[1.0, 0.0], &[5.0, 0.0], 0.0),
            (Cosine, &[1.0, 0.0], &[0.0, 2.0], 1.0),
            (Cosine, &[1.0, 0.0], &[-3.0, 0.0], 2.0),
            (Cosine, &[0.1, 0.7, 0.3], &[0.1, 0.7, 0.3], 0.0),
            (Cosine, &[0.0, 0.0], &[1.0, 0.0], 1.0),
            (Cosine, &[0.0, 0.0], &[0.0, 0.0], 1.0),
            (Euclidean, &[0.0, 0.0], &[3.0, 4.0], 5.0),
            (DotProduct, &[1.0, 2.0], &[3.0, -4.0], -5.0),
            (DotProduct, &[f32::MAX], &[f32::MAX], f64::from(f32::MAX)),
            (DotProduct, &[f32::MAX], &[f32::MIN], f64::from(f32::MIN)),
            (Euclidean, &[f32::MAX, f32::MAX], &[f32::MIN, f32::MIN], f64::from(f32::MAX)),
        ];
        for (distance, a, b, score) in table {
            let found = distance.score(a, b);
            assert!((found - score).abs() <= score.abs() * 1e-12, "{distance:?} {a:?} {b:?}: {found}");
        }
    }

    #[test]
    fn elements_are_numbers_that_a_float_holds() {
        let maximum = "340282346638528859811704183484516925440";
        assert_eq!(element(maximum), Some(f32::MAX));
        assert_eq!(element("1000000000000000000000000000000000000000"), None);
        assert_eq!(element("340282346700000000000000000000000000000"), None);
        assert_eq!((element("0.1"), element("-3")), (Some(0.1), Some(-3.0)));
    }
}
