//! The filter of an SST: says for certain that a key is absent, where finding that out is dear.
//!
//! In most partitions it is not: the tags in the record handles rule out all but one record in thousands without
//! touching any, at a few ns, while a Bloom filter costs tens. It pays for **wide** partitions, whose records all
//! share one tag: looking for one sort key among n touches log2(n) cold records. So an SST builds a filter over the
//! keys of its wide partitions only, and asks it only there; the largest SSTs do without.

use bloomfilter::Bloom;

use crate::key::{Tag, crc32};
use crate::record::Record;

/// A run with more records gets no filter: building one costs a tenth of a microsecond a record at every merge, and the
/// largest run of a stripe is where a key most likely is.
const FILTERED_RECORDS_MAX: usize = 1 << 14;

/// A run of records under one tag that is longer than this is wide.
pub(crate) const WIDE_RECORDS: usize = 64;

/// Each probe costs a 64-bit modulo when a filter is built and when it is asked: 4 of them instead of the 7 of one in a hundred.
const FALSE_POSITIVE_RATE: f64 = 0.1;
/// Filters are private to a process and hold no secrets; a fixed seed keeps runs repeatable.
const SEED: [u8; 32] = *b"kstone: filter of wide partition";

pub(crate) struct Filter {
    bloom: Bloom<u64>,
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
        for record in wide_runs().flatten() {
            bloom.set(&digest(record.tag(), record.sk()));
        }
        let bytes = Bloom::<u64>::compute_bitmap_size(keys, FALSE_POSITIVE_RATE);
        Some(Self { bloom, bytes })
    }

    /// False: no record of the tag's wide run has this sort key. True: one may have it.
    pub(crate) fn may_contain(&self, tag: Tag, sk: &[u8]) -> bool {
        self.bloom.check(&digest(tag, sk))
    }

    /// Bytes, its own and on the heap.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.bytes
    }
}

/// What the filter knows of a key. Its tag stands for the partition, which is longer and nearly always the only one of its
/// tag; its checksum for the sort key, so that no look-up has to join the two in memory.
fn digest(tag: Tag, sk: &[u8]) -> u64 {
    u64::from(tag.0) << u32::BITS | u64::from(crc32(sk))
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
        let records = partition("p", 10_000);
        let (filter, tag) = (Filter::over_wide_runs(&records).expect("wide"), records[0].tag());
        assert!(records.iter().all(|record| filter.may_contain(tag, record.sk())));
        let wrong = (0..10_000).filter(|i| filter.may_contain(tag, format!("x{i:05}").as_bytes())).count();
        assert!(wrong < 1300, "{wrong} of 10,000 absent keys passed a 10 % filter");
    }

    #[test]
    fn the_largest_runs_get_no_filter() {
        assert!(Filter::over_wide_runs(&partition("p", FILTERED_RECORDS_MAX)).is_some());
        assert!(Filter::over_wide_runs(&partition("p", FILTERED_RECORDS_MAX + 1)).is_none());
    }

    #[test]
    fn sort_keys_of_another_partition_are_told_apart() {
        let (records, other) = (partition("p", 1000), partition("other", 1000));
        let filter = Filter::over_wide_runs(&records).expect("wide");
        let wrong = other.iter().filter(|record| filter.may_contain(record.tag(), record.sk())).count();
        assert!(wrong < 200, "{wrong} of 1,000 keys of another partition passed a 10 % filter");
    }
}
