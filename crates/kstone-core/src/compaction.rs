//! Which SSTs of a stripe to merge, and when.
//!
//! Tiering: the newest SSTs are merged for as long as the next older one is at most [`RATIO`] times what has gathered,
//! in bytes of records. Sizes therefore fall steeply from old to new, so a stripe of n flushes keeps O(log n) SSTs, and
//! what newer SSTs hide in the oldest is a small part of it.
//!
//! ```text
//! before   40000 │ 1000 │ 1000       1000 ≤ 16 × 1000: merge; 40000 > 16 × 2000: stop
//! after    40000 │ 2000
//! ```
//!
//! A merge moves 8-byte handles, some 3 ns each, while every SST more costs each look-up two or three cold cache lines. So
//! the ratio is large: up to 4 million records, whose stripes hold 16 memtables each, a look-up meets one SST.

use crate::memory_sst::MemorySstReader;

const RATIO: usize = 16;

/// How many of the newest SSTs to merge into one, if any. `ssts` is oldest first.
pub(crate) fn newest_to_merge(ssts: &[MemorySstReader]) -> Option<usize> {
    let mut sizes = ssts.iter().rev().map(|sst| sst.record_bytes());
    let mut gathered = sizes.next()?;
    let mut count = 1;
    for size in sizes {
        if size > RATIO * gathered {
            break;
        }
        gathered += size;
        count += 1;
    }
    (count > 1).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;
    use crate::record::Record;
    use crate::run::Run;

    fn sst(len: usize) -> MemorySstReader {
        let sks: Vec<_> = (0..len).map(|i| format!("{i:06}")).collect();
        let key = |sk| KeyRef::new(b"p", str::as_bytes(sk)).expect("valid");
        let records: Vec<_> = sks.iter().map(|sk| Record::put(key(sk), b"")).collect();
        MemorySstReader::from_run("s".into(), Run::of(records))
    }

    #[test]
    fn newest_ssts_are_merged_up_to_one_that_is_much_larger() {
        let pick = |lengths: &[usize]| newest_to_merge(&lengths.iter().map(|&len| sst(len)).collect::<Vec<_>>());
        assert_eq!(pick(&[]), None);
        assert_eq!(pick(&[10]), None);
        assert_eq!(pick(&[10, 10]), Some(2));
        assert_eq!(pick(&[10 * RATIO, 10]), Some(2));
        assert_eq!(pick(&[10 * RATIO + 1, 10]), None);
        assert_eq!(pick(&[20 * RATIO + 1, 10, 10]), Some(2));
        assert_eq!(pick(&[20 * RATIO, 10, 10]), Some(3));
    }

    #[test]
    fn a_thousand_flushes_leave_few_ssts() {
        let mut ssts: Vec<MemorySstReader> = Vec::new();
        let mut most = 0;
        for _ in 0..1000 {
            ssts.push(sst(10));
            while let Some(count) = newest_to_merge(&ssts) {
                let merged = ssts.split_off(ssts.len() - count).iter().map(MemorySstReader::len).sum();
                ssts.push(sst(merged));
            }
            most = most.max(ssts.len());
        }
        assert!(most <= 6, "{most} SSTs");
    }
}
