//! Where in an SST the records of a tag are.

use std::ops::Range;

use crate::key::Tag;
use crate::record::Record;

/// How many records a bucket holds on average, about: half a cache line of handles.
pub(super) const BUCKET_RECORDS: usize = 4;

/// Where the records of each bucket of tags begin, from the first record's bucket to the last one's.
pub(super) struct TagDirectory {
    shift: u32,
    first_bucket: usize,
    starts: Starts,
}

/// In two bytes each where they fit, so that the directories of a large table stay in a near cache.
enum Starts {
    TwoBytes(Vec<u16>),
    FourBytes(Vec<u32>),
}

impl TagDirectory {
    pub(super) fn over(records: &[Record]) -> Self {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Self { shift: 0, first_bucket: 0, starts: Starts::TwoBytes(Vec::new()) };
        };
        // Items use half of the tags, so one bit more than the number of buckets asks for.
        let bits = ((records.len() / BUCKET_RECORDS).max(1).ilog2() + 1).min(u16::BITS);
        let shift = u16::BITS - bits;
        let bucket = |record: &Record| usize::from(record.tag().0) >> shift;
        let first_bucket = bucket(first);
        let buckets = bucket(last) - first_bucket + 1;
        let starts = |push: &mut dyn FnMut(usize)| {
            let mut next = first_bucket;
            for (at, record) in records.iter().enumerate() {
                while next <= bucket(record) {
                    push(at);
                    next += 1;
                }
            }
            push(records.len());
        };
        let starts = if records.len() <= usize::from(u16::MAX) {
            let mut two_bytes = Vec::with_capacity(buckets + 1);
            starts(&mut |at| two_bytes.push(at as u16));
            Starts::TwoBytes(two_bytes)
        } else {
            let mut four_bytes = Vec::with_capacity(buckets + 1);
            starts(&mut |at| four_bytes.push(u32::try_from(at).expect("a stripe holds fewer than 2^32 records")));
            Starts::FourBytes(four_bytes)
        };
        Self { shift, first_bucket, starts }
    }

    #[inline(always)]
    pub(super) fn bucket(&self, tag: Tag) -> Range<usize> {
        let bucket = usize::from(tag.0) >> self.shift;
        let Some(at) = bucket.checked_sub(self.first_bucket) else { return 0..0 };
        match &self.starts {
            Starts::TwoBytes(starts) => bucket_at(starts, at),
            Starts::FourBytes(starts) => bucket_at(starts, at),
        }
    }

    /// Whether a place takes four bytes.
    #[cfg(test)]
    pub(super) fn has_wide_starts(&self) -> bool {
        matches!(self.starts, Starts::FourBytes(_))
    }

    /// Heap bytes.
    pub(super) fn bytes(&self) -> usize {
        match &self.starts {
            Starts::TwoBytes(starts) => starts.capacity() * size_of::<u16>(),
            Starts::FourBytes(starts) => starts.capacity() * size_of::<u32>(),
        }
    }
}

#[inline(always)]
fn bucket_at<T: Copy + Into<u32>>(starts: &[T], at: usize) -> Range<usize> {
    let place = |start: &T| (*start).into() as usize;
    match starts.get(at..at + 2) {
        Some([from, to]) => place(from)..place(to),
        _ => {
            let end = starts.last().map_or(0, place);
            end..end
        }
    }
}
