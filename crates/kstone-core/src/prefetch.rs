//! Asking for records ahead of their use, so that their cache misses overlap.

use crate::record::Record;

/// How far ahead of their use records are asked for.
pub(crate) const PREFETCH_AHEAD: usize = 10;

/// Drops the records, whose cache misses overlap.
pub(crate) fn release(held: Vec<Record>) {
    held.iter().take(PREFETCH_AHEAD).for_each(Record::prefetch);
    let mut left = held.into_iter();
    while let Some(first) = left.next() {
        if let Some(ahead) = left.as_slice().get(PREFETCH_AHEAD - 1) {
            ahead.prefetch();
        }
        drop(first);
    }
}
