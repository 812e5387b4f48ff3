//! The records of a page while it is filled, and its limits.

use crate::merge::Merge;
use crate::record::Record;

/// How much one page may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// The most records.
    pub records: usize,
    /// The most bytes of keys and stored items. The first record is taken whatever its size.
    pub bytes: usize,
}

/// The records of a page so far, as handles that count or borrow, and how much more it may take.
pub(crate) struct PageBuffer<T = Record> {
    pub(crate) records: Vec<T>,
    left: PageLimits,
}

impl<T> PageBuffer<T> {
    pub(crate) fn new(limits: PageLimits) -> Self {
        // Most pages are small, and growing one from nothing costs a query of ten two reallocations.
        Self::within(Vec::with_capacity(limits.records.min(16)), limits)
    }

    /// A page in this list, which is empty.
    pub(crate) fn within(records: Vec<T>, limits: PageLimits) -> Self {
        Self { records, left: limits }
    }

    /// Takes records until the page is full (true) or the merge ends (false).
    #[inline(never)]
    pub(crate) fn fill<'a>(&mut self, merge: &mut Merge<'a>, handle: impl Fn(&'a Record) -> T) -> bool {
        loop {
            if self.left.records == 0 {
                return true;
            }
            let Some(record) = merge.next() else { return false };
            let bytes = record.data_len();
            if bytes > self.left.bytes && !self.records.is_empty() {
                return true;
            }
            self.left.bytes = self.left.bytes.saturating_sub(bytes);
            self.left.records -= 1;
            self.records.push(handle(record));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;
    use crate::source::Source;

    #[test]
    fn a_page_takes_its_first_record_whatever_the_size_and_stops_before_the_next() {
        let put = |sk: &[u8], body: &[u8]| Record::put(KeyRef::new(b"p", sk).expect("valid key"), body);
        let records = [put(b"a", &[0; 100]), put(b"b", b"")];
        let mut merge = Merge::of(vec![Source::of_run(&records)], false, true);
        let mut page = PageBuffer::new(PageLimits { records: 10, bytes: 50 });
        assert!(page.fill(&mut merge, Record::clone));
        assert_eq!(page.records.len(), 1);
    }
}
