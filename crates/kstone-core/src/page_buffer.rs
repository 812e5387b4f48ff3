//! The records of a page while it is filled, and its limits.

use std::borrow::Borrow;

use crate::merge::Merge;
use crate::record::Record;

/// How much one page may hold.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// The most records.
    pub records: usize,
    /// The bytes at which a page ends, as `size` counts: with the record that reaches them.
    pub bytes: usize,
    /// The size of a record, at most twice the bytes of its key, its body and its label, and 4.
    pub size: fn(&Record) -> usize,
}

impl PageLimits {
    /// As many records as there are.
    pub const NONE: Self = Self { records: usize::MAX, bytes: usize::MAX, size: Record::data_len };

    /// At most so many records, of any size.
    #[must_use]
    pub const fn of_records(records: usize) -> Self {
        Self { records, ..Self::NONE }
    }
}

/// For so many records at most space is reserved at once: a page may end far before a stripe does.
const RESERVED_MAX: usize = 1024;

/// The records of a page so far, as handles that count or borrow, and how much more it may take.
pub(crate) struct PageBuffer<T = Record> {
    pub(crate) records: Vec<T>,
    records_left: usize,
    limits: PageLimits,
    /// So many bytes more may be taken before records have to be measured, no record being larger than [`size_at_most`].
    unmeasured_bytes_left: usize,
    /// How many of the records were measured, and their sizes together.
    measured: usize,
    measured_bytes: usize,
}

/// See [`PageLimits::size`].
#[inline(always)]
fn size_at_most(record: &Record) -> usize {
    2 * (record.data_len() + record.label_len()) + 4
}

impl<T: Borrow<Record>> PageBuffer<T> {
    pub(crate) fn new(limits: PageLimits) -> Self {
        Self::within(Vec::new(), limits)
    }

    /// A page in this list, which is empty.
    pub(crate) fn within(records: Vec<T>, limits: PageLimits) -> Self {
        let (records_left, unmeasured_bytes_left) = (limits.records, limits.bytes);
        Self { records, records_left, limits, unmeasured_bytes_left, measured: 0, measured_bytes: 0 }
    }

    /// Takes records until the page is full (true) or the merge ends (false).
    #[inline(never)]
    pub(crate) fn fill<'a>(&mut self, merge: &mut Merge<'a>, handle: impl Fn(&'a Record) -> T) -> bool {
        let len = merge.len_at_most().min(self.records_left).min(RESERVED_MAX);
        if self.records.capacity() == 0 {
            self.records = Vec::with_capacity(len);
        } else {
            self.records.reserve(len);
        }
        if self.take_few(merge, &handle) {
            return true;
        }
        loop {
            if self.records_left == 0 || self.unmeasured_bytes_left == 0 && self.is_full() {
                return true;
            }
            let stretch = merge.next_stretch(self.records_left);
            let full = match merge.reverse {
                _ if stretch.is_empty() => return false,
                false => stretch.iter().any(|record| self.take(record, &handle)),
                true => stretch.iter().rev().any(|record| self.take(record, &handle)),
            };
            if full {
                return true;
            }
        }
    }

    /// Takes the records of a merge of few; whether the page is full.
    #[inline(always)]
    fn take_few<'a>(&mut self, merge: &Merge<'a>, handle: &impl Fn(&'a Record) -> T) -> bool {
        // In registers.
        let (mut left, mut bytes_left) = (self.records_left, self.unmeasured_bytes_left);
        for record in merge.few().filter(|record| !record.is_tombstone()) {
            if left == 0 {
                break;
            }
            left -= 1;
            bytes_left = bytes_left.saturating_sub(size_at_most(record));
            self.records.push(handle(record));
            if bytes_left == 0 {
                if self.is_full() {
                    return true;
                }
                bytes_left = self.unmeasured_bytes_left;
            }
        }
        (self.records_left, self.unmeasured_bytes_left) = (left, bytes_left);
        left == 0
    }

    /// Takes a record, if it is one; whether the page has all the bytes that it may.
    #[inline(always)]
    fn take<'a>(&mut self, record: &'a Record, handle: &impl Fn(&'a Record) -> T) -> bool {
        if record.is_tombstone() {
            return false;
        }
        self.records_left -= 1;
        self.unmeasured_bytes_left = self.unmeasured_bytes_left.saturating_sub(size_at_most(record));
        self.records.push(handle(record));
        self.unmeasured_bytes_left == 0 && self.is_full()
    }

    /// Whether the sizes of all records reach the limit: each is measured once, and none of a page that is far from it.
    #[cold]
    fn is_full(&mut self) -> bool {
        let unmeasured = self.records[self.measured..].iter();
        let exact: usize = unmeasured.map(|record| (self.limits.size)(record.borrow())).sum();
        self.measured_bytes = self.measured_bytes.saturating_add(exact);
        self.measured = self.records.len();
        self.unmeasured_bytes_left = self.limits.bytes.saturating_sub(self.measured_bytes);
        self.unmeasured_bytes_left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;
    use crate::source::Source;

    fn filled(records: &[Record], limits: PageLimits) -> (usize, bool) {
        let mut merge = Merge::of([Source::of_run(records)], false, true);
        let mut page = PageBuffer::new(limits);
        let full = page.fill(&mut merge, Record::clone);
        (page.records.len(), full)
    }

    #[test]
    fn a_page_ends_with_the_record_that_reaches_its_bytes() {
        let put = |sk: &[u8], body: &[u8]| Record::put(KeyRef::new(b"p", sk).expect("valid key"), body);
        let records = [put(b"a", &[0; 98]), put(b"b", &[0; 98]), put(b"c", &[0; 98])];
        let stored = |bytes| PageLimits { bytes, ..PageLimits::NONE };
        assert_eq!(filled(&records, stored(1)), (1, true));
        assert_eq!(filled(&records, stored(100)), (1, true));
        assert_eq!(filled(&records, stored(101)), (2, true));
        assert_eq!(filled(&records, stored(300)), (3, true));
        assert_eq!(filled(&records, stored(301)), (3, false));
        // A size of the caller's, smaller or larger than what is stored.
        let of_one = |bytes| PageLimits { bytes, size: |_| 1, ..PageLimits::NONE };
        assert_eq!(filled(&records, of_one(2)), (2, true));
        assert_eq!(filled(&records, of_one(4)), (3, false));
        let twice = PageLimits { bytes: 300, size: |record| 2 * record.data_len(), ..PageLimits::NONE };
        assert_eq!(filled(&records, twice), (2, true));
    }

    #[test]
    fn a_page_far_from_its_limit_measures_nothing_and_others_each_record_once() {
        thread_local! {
            static MEASURED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
        }
        let size = |record: &Record| {
            MEASURED.set(MEASURED.get() + 1);
            record.data_len()
        };
        let put = |at: u8| Record::put(KeyRef::new(b"p", &[at]).expect("valid key"), &[0; 98]);
        let records: Vec<Record> = (0..100).map(put).collect();
        filled(&records, PageLimits { bytes: 1 << 20, size, ..PageLimits::NONE });
        assert_eq!(MEASURED.get(), 0);
        assert_eq!(filled(&records, PageLimits { bytes: 9_999, size, ..PageLimits::NONE }), (100, true));
        assert_eq!(MEASURED.get(), 100);
    }
}
