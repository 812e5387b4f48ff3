//! Records of several attributes: puts with indexes, filters over documents, and indexes that are made and dropped. kstone
//! compared with SQLite, whose table has a column for each attribute.
//!
//! A document has 20 attributes of 42 bytes of text, 1 KB with their names. The filters ask for one in the middle, which
//! has a hundred values; the index is over the next one, which has ten thousand.

use crate::clock::{Elapsed, time};
use crate::data::{Data, Key};
use crate::peers::Scale;
use crate::runner::{Measure, Measurement, expect_seen};
use crate::store::Result;
use crate::workload::{Stage, Workload};

/// How many attributes a document has.
pub(crate) const ATTRIBUTES: usize = 20;
/// The attribute that filters ask for.
pub(crate) const FILTERED: usize = 10;
/// The attribute that an index is made over.
pub(crate) const INDEXED: usize = 11;
/// Bytes of an attribute's text.
const TEXT_BYTES: usize = 42;
/// How many values an attribute has.
const VALUES: usize = 100;
/// How many values the indexed attribute has.
const INDEXED_VALUES: usize = 10_000;
/// More documents are not made: at this number the bars are set.
const DOCUMENTS_MAX: usize = 100_000;
/// More records with indexes are not made.
const INDEXED_RECORDS_MAX: usize = 250_000;
/// How often the documents are filtered, and how often an index comes and goes, in one measurement; the median counts.
const REPEATS: usize = 3;

/// What a filter asks of the attribute in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// It has one value.
    Equal,
    /// It has one of two values, by OR.
    Or,
    /// It has one of six values, by IN.
    In,
}

impl Filter {
    /// How many values are asked for: those of the numbers below.
    pub(crate) fn values(self) -> usize {
        match self {
            Self::Equal => 1,
            Self::Or => 2,
            Self::In => 6,
        }
    }
}

/// A store of records with attributes.
pub(crate) trait Documents: Sized {
    /// An empty store of documents, without an index.
    fn open_documents() -> Result<Self>;

    /// Puts a document under each key.
    fn put_documents(&mut self, keys: &[Key]);

    /// How many documents the filter lets through; their attribute is touched.
    fn filter(&mut self, filter: Filter) -> usize;

    /// Makes an index over an attribute of the documents.
    fn build_index(&mut self);

    /// Drops it.
    fn drop_index(&mut self);

    /// An empty store of records with a value and three attributes, of which so many are indexed.
    fn open_indexed(indexes: usize) -> Result<Self>;

    /// Puts such a record under each key.
    fn put_indexed(&mut self, keys: &[Key]);
}

/// The text of an attribute of the document under a key.
pub(crate) fn text(key: &Key, attribute: usize) -> String {
    text_of(value_number(key, attribute))
}

/// The text of a value by its number.
pub(crate) fn text_of(value: usize) -> String {
    let text = format!("value-{value:06}-of-an-attribute-of-a-document");
    debug_assert_eq!(text.len(), TEXT_BYTES);
    text
}

fn value_number(key: &Key, attribute: usize) -> usize {
    let number = u64::from_ne_bytes(*key.first_chunk().expect("a key has 16 bytes"));
    let values = if attribute == INDEXED { INDEXED_VALUES } else { VALUES };
    let scrambled = number.wrapping_add(attribute as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (scrambled >> 32) as usize % values
}

/// The ten letters of an indexed attribute of a record.
pub(crate) fn index_key(key: &Key, attribute: usize) -> [u8; 10] {
    let number = u64::from_ne_bytes(*key.last_chunk().expect("a key has 16 bytes"));
    let mut letters = number.rotate_left(20 * attribute as u32);
    std::array::from_fn(|_| {
        let letter = b'a' + (letters % 26) as u8;
        letters /= 26;
        letter
    })
}

/// The measurements of the stages [`Stage::Documents`] and [`Stage::Indexed`].
pub(crate) struct DocumentRunner<S> {
    records: Data,
    documents: usize,
    store: Option<S>,
    /// The same store with a tenth of the documents.
    small: Option<S>,
}

impl<S: Documents> DocumentRunner<S> {
    /// Makes the keys.
    pub(crate) fn new(scale: Scale) -> Self {
        let records = Data::points(scale.records.min(INDEXED_RECORDS_MAX), 0, scale.seed, 0);
        let documents = scale.records.min(DOCUMENTS_MAX);
        Self { records, documents, store: None, small: None }
    }

    fn keys(&self, workload: Workload) -> &[Key] {
        match workload {
            Workload::IndexDropSmall => &self.records.load[..self.documents / 10],
            _ if workload.stage() == Stage::Documents => &self.records.load[..self.documents],
            _ => &self.records.load,
        }
    }

    fn put_indexed(&self, indexes: usize) -> Result<Elapsed> {
        let mut store = S::open_indexed(indexes)?;
        Ok(time(|| store.put_indexed(&self.records.load)).1)
    }

    fn put_documents(&self, keys: &[Key]) -> Result<(S, Elapsed)> {
        let mut store = S::open_documents()?;
        let ((), elapsed) = time(|| store.put_documents(keys));
        Ok((store, elapsed))
    }

    /// The store with all documents, or with a tenth of them.
    fn loaded(&mut self, workload: Workload) -> Result<&mut S> {
        let keys = self.keys(workload);
        let is_small = workload == Workload::IndexDropSmall;
        let missing = if is_small { self.small.is_none() } else { self.store.is_none() };
        let made = if missing { Some(self.put_documents(keys)?.0) } else { None };
        let place = if is_small { &mut self.small } else { &mut self.store };
        if made.is_some() {
            *place = made;
        }
        place.as_mut().ok_or_else(|| "the store was just made".into())
    }

    fn filter(&mut self, workload: Workload, filter: Filter) -> Result<Elapsed> {
        let asked = |key: &&Key| value_number(key, FILTERED) < filter.values();
        let expected = self.keys(workload).iter().filter(asked).count();
        let store = self.loaded(workload)?;
        let mut times = Vec::with_capacity(REPEATS);
        for _ in 0..REPEATS {
            let (seen, elapsed) = time(|| store.filter(filter));
            expect_seen(seen as u64, expected)?;
            times.push(elapsed);
        }
        Elapsed::median(&times).ok_or_else(|| "nothing was filtered".into())
    }

    /// How long it takes to make the index, and to drop it.
    fn index(&mut self, workload: Workload) -> Result<(Elapsed, Elapsed)> {
        let store = self.loaded(workload)?;
        let (mut made, mut dropped) = (Vec::with_capacity(REPEATS), Vec::with_capacity(REPEATS));
        for _ in 0..REPEATS {
            made.push(time(|| store.build_index()).1);
            dropped.push(time(|| store.drop_index()).1);
        }
        Elapsed::median(&made).zip(Elapsed::median(&dropped)).ok_or_else(|| "no index was made".into())
    }
}

impl<S: Documents> Measure for DocumentRunner<S> {
    fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>> {
        let items = self.keys(workload).len() as f64;
        let elapsed = match workload {
            Workload::PutPlain => self.put_indexed(0)?,
            Workload::PutIndexed => self.put_indexed(1)?,
            Workload::PutIndexedThrice => self.put_indexed(3)?,
            Workload::DocPut => {
                let (store, elapsed) = self.put_documents(self.keys(workload))?;
                self.store = Some(store);
                elapsed
            }
            Workload::DocFilter => self.filter(workload, Filter::Equal)?,
            Workload::DocOr => self.filter(workload, Filter::Or)?,
            Workload::DocIn => self.filter(workload, Filter::In)?,
            Workload::IndexBuild => self.index(workload)?.0,
            Workload::IndexDrop | Workload::IndexDropSmall => {
                return Ok(Some(self.index(workload)?.1.measured(|time| time.as_secs_f64() * 1e6)));
            }
            _ => return Ok(None),
        };
        Ok(Some(elapsed.measured(|time| time.as_secs_f64() * 1e9 / items)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::kstone::Kstone;
    use crate::peers::sqlite::Sqlite;

    fn everything_is_measured<S: Documents>() {
        let scale = Scale { records: 3_000, operations: 0, threads: 1, seed: 1 };
        let mut runner = DocumentRunner::<S>::new(scale);
        for &workload in Workload::ALL {
            let has_part = matches!(workload.stage(), Stage::Documents | Stage::Indexed);
            let measured = runner.measure(workload).expect("it is measured");
            assert_eq!(measured.is_some_and(|measured| measured.value > 0.0), has_part, "{}", workload.name());
        }
    }

    #[test]
    fn kstone_and_sqlite_let_the_same_documents_through() {
        everything_is_measured::<Kstone>();
        everything_is_measured::<Sqlite>();
    }

    #[test]
    fn every_value_is_there() {
        let keys = Data::points(5_000, 0, 1, 0).load;
        let numbers: std::collections::HashSet<usize> = keys.iter().map(|key| value_number(key, FILTERED)).collect();
        assert_eq!(numbers.len(), VALUES);
        assert_eq!(text(&keys[0], 3).len(), TEXT_BYTES);
        assert_ne!(index_key(&keys[0], 1), index_key(&keys[0], 2));
    }
}
