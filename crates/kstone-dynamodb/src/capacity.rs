//! What requests are charged: ReturnConsumedCapacity and ReturnItemCollectionMetrics.
//!
//! | what | units |
//! | --- | --- |
//! | a read | 1 for each 4 KB that are begun, at least one; half of that where it may be stale; twice in a transaction |
//! | a write | 1 for each KB that is begun, at least one, of the larger of the item before and after; twice in a transaction |
//! | an index of vectors, written | the bytes of its entry, at least 1 KB, where it changes: told by themselves |
//! | an index, written | the same of its entry: one write where the entry stays in its place, two where it moves, none where what the index shows stays the same |
//!
//! Facts 61 to 68. Units are counted in halves, so that sums are exact.
//!
//! Thread safety: plain values.

use kstone_api::index::IndexKind;
use kstone_api::{Record, WriteOutcome};

use crate::answer::Answer;
use crate::catalog::CatalogTable;
use crate::vectors::{self, MIN_BYTES};
use crate::view::Structure;

/// The bytes of a read unit.
const READ_BYTES: usize = 4096;
/// The bytes of a write unit.
const WRITE_BYTES: usize = 1024;

/// How much of what is consumed is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    Total,
    Indexes,
}

impl Detail {
    /// What a request asks for.
    pub(crate) fn of(input: &Structure<'_>) -> Self {
        match input.get("ReturnConsumedCapacity").map(|detail| detail.quoted()) {
            Some(detail) if detail.is("INDEXES") => Self::Indexes,
            Some(detail) if detail.is("TOTAL") => Self::Total,
            _ => Self::None,
        }
    }

    /// Whether anything is told.
    pub(crate) fn is_asked(self) -> bool {
        self != Self::None
    }
}

/// Capacity units, in halves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Units(u64);

impl Units {
    /// Of a read of so many bytes. Of several items that a page has, of all their bytes together.
    pub(crate) fn of_read(bytes: usize, is_consistent: bool) -> Self {
        let blocks = bytes.div_ceil(READ_BYTES).max(1) as u64;
        Self(blocks * if is_consistent { 2 } else { 1 })
    }

    /// Of reads of so many units, each item of which was rounded up by itself.
    pub(crate) fn of_read_blocks(blocks: usize, is_consistent: bool) -> Self {
        Self(blocks as u64 * if is_consistent { 2 } else { 1 })
    }

    /// Of a write of an item of so many bytes.
    pub(crate) fn of_write(bytes: usize) -> Self {
        Self(2 * bytes.div_ceil(WRITE_BYTES).max(1) as u64)
    }

    /// What a transaction is charged.
    pub(crate) fn doubled(self) -> Self {
        Self(2 * self.0)
    }

    /// As it is printed.
    pub(crate) fn as_double(self) -> f64 {
        self.0 as f64 / 2.0
    }
}

impl std::ops::AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

/// Which units a transaction's answer tells apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InTransaction {
    Reads,
    Writes,
}

/// What a request has consumed of one table and its indexes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consumed {
    table: Units,
    /// By their names.
    indexes: Vec<(Box<str>, IndexKind, Units)>,
    /// Bytes that were written to indexes of vectors, by the names of these.
    vectors: Vec<(Box<str>, usize)>,
    transaction: Option<InTransaction>,
}

impl Consumed {
    /// Of a transaction, whose items cost twice.
    pub(crate) fn in_transaction(kind: InTransaction) -> Self {
        Self { transaction: Some(kind), ..Self::default() }
    }

    /// Adds what the table itself is charged; twice that in a transaction.
    pub(crate) fn add_table(&mut self, units: Units) {
        self.table += if self.transaction.is_some() { units.doubled() } else { units };
    }

    /// Adds what an index is charged.
    pub(crate) fn add_index(&mut self, name: &str, kind: IndexKind, units: Units) {
        match self.indexes.binary_search_by(|(other, ..)| (**other).cmp(name)) {
            Ok(at) => self.indexes[at].2 += units,
            Err(at) => self.indexes.insert(at, (name.into(), kind, units)),
        }
    }

    /// Adds what a write to this table is charged. Costs a pass over the item before and after.
    pub(crate) fn add_write(&mut self, outcome: &WriteOutcome, table: &CatalogTable) {
        let size = |record: Option<&Record>| record.map_or(0, |record| vectors::written_size(table, record));
        self.add_table(Units::of_write(size(outcome.old()).max(size(outcome.new_item()))));
        for change in outcome.index_changes() {
            let entry = |record: &Option<Record>| record.as_ref().map(Record::item_size);
            let (removed, added) = (entry(&change.removed), entry(&change.added));
            let mut units = Units::default();
            match (removed, added) {
                (Some(removed), Some(added)) if change.in_place => units += Units::of_write(removed.max(added)),
                _ => removed.into_iter().chain(added).for_each(|bytes| units += Units::of_write(bytes)),
            }
            self.add_index(&change.index, change.kind, units);
        }
        for index in &table.settings.vectors {
            if let Some(bytes) = vectors::written_to(index, table, outcome) {
                self.add_vectors(&index.name, bytes.max(MIN_BYTES));
            }
        }
    }

    fn add_vectors(&mut self, index: &str, bytes: usize) {
        match self.vectors.binary_search_by(|(other, _)| (**other).cmp(index)) {
            Ok(at) => self.vectors[at].1 += bytes,
            Err(at) => self.vectors.insert(at, (index.into(), bytes)),
        }
    }

    /// Writes it as the value of a member, or as an element of a list.
    pub(crate) fn write(&self, answer: &mut Answer, table: &str, detail: Detail) {
        let mut total = self.table;
        self.indexes.iter().for_each(|(.., units)| total += *units);
        answer.object(|answer| {
            answer.name("TableName").text(table);
            self.write_units(answer, total);
            if detail != Detail::Indexes {
                return;
            }
            answer.name("Table").object(|answer| self.write_units(answer, self.table));
            for (member, kind) in
                [("LocalSecondaryIndexes", IndexKind::Local), ("GlobalSecondaryIndexes", IndexKind::Global)]
            {
                let mut of_kind = self.indexes.iter().filter(|(_, other, _)| *other == kind).peekable();
                if of_kind.peek().is_none() {
                    continue;
                }
                answer.name(member).object(|answer| {
                    for (name, _, units) in of_kind {
                        answer.data_name(name);
                        answer.object(|answer| self.write_units(answer, *units));
                    }
                });
            }
            if !self.vectors.is_empty() {
                answer.name("VectorIndexes").object(|answer| {
                    for (name, bytes) in &self.vectors {
                        answer.data_name(name);
                        answer.object(|answer| answer.name("VectorWriteRequestBytes").double(*bytes as f64));
                    }
                });
            }
        });
    }

    fn write_units(&self, answer: &mut Answer, units: Units) {
        match self.transaction {
            None => {}
            Some(InTransaction::Reads) => answer.name("ReadCapacityUnits").double(units.as_double()),
            Some(InTransaction::Writes) => answer.name("WriteCapacityUnits").double(units.as_double()),
        }
        answer.name("CapacityUnits").double(units.as_double());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(consumed: &Consumed, detail: Detail) -> String {
        let mut answer = Answer::default();
        consumed.write(&mut answer, "t", detail);
        answer.into_buffer()
    }

    #[test]
    fn units_are_begun_blocks() {
        let reads = [(0, 0.5), (1, 0.5), (4096, 0.5), (4097, 1.0)];
        for (bytes, units) in reads {
            assert_eq!(Units::of_read(bytes, false).as_double(), units, "{bytes}");
            assert_eq!(Units::of_read(bytes, true).as_double(), 2.0 * units, "{bytes}");
        }
        for (bytes, units) in [(0, 1.0), (1024, 1.0), (1025, 2.0), (409_600, 400.0)] {
            assert_eq!(Units::of_write(bytes).as_double(), units, "{bytes}");
        }
    }

    #[test]
    fn indexes_are_told_apart_where_that_is_asked_for() {
        let mut consumed = Consumed::default();
        consumed.add_table(Units::of_write(10));
        consumed.add_index("g", IndexKind::Global, Units::of_write(2000));
        consumed.add_index("g", IndexKind::Global, Units::of_write(1));
        consumed.add_index("l", IndexKind::Local, Units::of_write(1));
        assert_eq!(shown(&consumed, Detail::Total), r#"{"TableName":"t","CapacityUnits":5.0}"#);
        assert_eq!(
            shown(&consumed, Detail::Indexes),
            r#"{"TableName":"t","CapacityUnits":5.0,"Table":{"CapacityUnits":1.0},"LocalSecondaryIndexes":{"l":{"CapacityUnits":1.0}},"GlobalSecondaryIndexes":{"g":{"CapacityUnits":3.0}}}"#
        );
    }

    #[test]
    fn a_transaction_costs_twice_but_for_its_indexes() {
        let mut consumed = Consumed::in_transaction(InTransaction::Writes);
        consumed.add_table(Units::of_write(10));
        consumed.add_index("g", IndexKind::Global, Units::of_write(1));
        assert_eq!(
            shown(&consumed, Detail::Indexes),
            r#"{"TableName":"t","WriteCapacityUnits":3.0,"CapacityUnits":3.0,"Table":{"WriteCapacityUnits":2.0,"CapacityUnits":2.0},"GlobalSecondaryIndexes":{"g":{"WriteCapacityUnits":1.0,"CapacityUnits":1.0}}}"#
        );
    }
}
