//! The filter of an SST: says for certain that a key is absent, where finding that out is dear.
//!
//! In most partitions it is not: the tags in the record handles rule out all but one record in thousands without
//! touching any, at a few ns, while a Bloom filter costs tens. It pays for **wide** partitions, whose records all
//! share one tag: looking for one sort key among n touches log2(n) cold records. So an SST builds a filter over the
//! keys of its wide partitions only, and asks it only there; the largest SSTs do without.

use std::cell::RefCell;

use bloomfilter::Bloom;

use crate::record::Record;

/// A run with more records gets no filter: building one costs a tenth of a microsecond a record at every merge, and the
/// largest run of a stripe is where a key most likely is.
const FILTERED_RECORDS_MAX: usize = 1 << 14;

/// A run of records under one tag that is longer than this is wide.
pub(crate) const WIDE_RECORDS: usize = 64;

/// Each probe costs a 64-bit modulo when a filter is built and when it is asked: 5 of them instead of the 7 of one in a hundred.
const FALSE_POSITIVE_RATE: f64 = 0.05;
/// Filters are private to a process and hold no secrets; a fixed seed keeps runs repeatable.
const SEED: [u8; 32] = *b"kstone: filter of wide partition";

thread_local! {
    /// Where a key is joined for a look-up, so that none allocates.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

pub(crate) struct Filter {
    bloom: Bloom<[u8]>,
    bytes: usize,
}

impl Filter {
    /// A filter over the wide runs of sorted records; none where no run is wide.
    pub(crate) fn over_wide_runs(records: &[Record]) -> Option<Self> {
        // A wide run covers two places that lie this far apart.
        let is_wide = |pair: &[Record]| pair[0].tag() == pair[pair.len() - 1].tag();
        if !records.windows(WIDE_RECORDS / 2 + 1).step_by(WIDE_RECORDS / 2).any(is_wide) {
            return None;
        }
        let wide_runs = || records.chunk_by(|a, b| a.tag() == b.tag()).filter(|run| run.len() > WIDE_RECORDS);
        let keys: usize = wide_runs().map(<[Record]>::len).sum();
        if keys == 0 || records.len() > FILTERED_RECORDS_MAX {
            return None;
        }
        let mut bloom = Bloom::new_for_fp_rate_with_seed(keys, FALSE_POSITIVE_RATE, &SEED)
            .expect("a count of at least one and a rate between 0 and 1 are accepted");
        let mut key = Vec::new();
        for record in wide_runs().flatten() {
            bloom.set(join(&mut key, record.pk(), record.sk()));
        }
        let bytes = Bloom::<[u8]>::compute_bitmap_size(keys, FALSE_POSITIVE_RATE);
        Some(Self { bloom, bytes })
    }

    /// False: no record of a wide run has this key. True: one may have it.
    pub(crate) fn may_contain(&self, pk: &[u8], sk: &[u8]) -> bool {
        SCRATCH.with_borrow_mut(|scratch| self.bloom.check(join(scratch, pk, sk)))
    }

    /// Bytes, its own and on the heap.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

/// One byte string per key: the length of the partition key keeps ("a", "bc") from ("ab", "c").
fn join<'a>(buffer: &'a mut Vec<u8>, pk: &[u8], sk: &[u8]) -> &'a [u8] {
    buffer.clear();
    buffer.extend_from_slice(&(pk.len() as u16).to_le_bytes());
    buffer.extend_from_slice(pk);
    buffer.extend_from_slice(sk);
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    fn partition(pk: &str, records: usize) -> Vec<Record> {
        let sks: Vec<_> = (0..records).map(|i| format!("{i:05}")).collect();
        sks.iter().map(|sk| Record::put(KeyRef::new(pk.as_bytes(), sk.as_bytes()).expect("valid"), b"")).collect()
    }

    #[test]
    fn narrow_partitions_get_no_filter() {
        assert!(Filter::over_wide_runs(&[]).is_none());
        assert!(Filter::over_wide_runs(&partition("p", WIDE_RECORDS)).is_none());
    }

    #[test]
    fn wide_partition_has_no_false_negative_and_few_false_positives() {
        let filter = Filter::over_wide_runs(&partition("p", 10_000)).expect("wide");
        assert!((0..10_000).all(|i| filter.may_contain(b"p", format!("{i:05}").as_bytes())));
        let wrong = (0..10_000).filter(|i| filter.may_contain(b"p", format!("x{i:05}").as_bytes())).count();
        assert!(wrong < 800, "{wrong} of 10,000 absent keys passed a 5 % filter");
    }

    #[test]
    fn the_largest_runs_get_no_filter() {
        assert!(Filter::over_wide_runs(&partition("p", FILTERED_RECORDS_MAX)).is_some());
        assert!(Filter::over_wide_runs(&partition("p", FILTERED_RECORDS_MAX + 1)).is_none());
    }

    #[test]
    fn where_the_partition_key_ends_matters() {
        let filter = Filter::over_wide_runs(&partition("p0", 100)).expect("wide");
        assert!(filter.may_contain(b"p0", b"00007"));
        assert!(!filter.may_contain(b"p", b"000007"));
    }
}
