//! The write-ahead log, in memory: the writes since the last flush, in their order.
//!
//! Nothing is replayed from it (nothing survives the process), but it is what holds and counts writes until they are
//! flushed. It holds references to records, not copies.
//!
//! A stripe owns a `WalSegment` under its own lock, which is its memtable too (`memtable.rs`). [`MemoryWal`] is the same
//! thing as a handle of its own that threads may share.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::Result;
use crate::record::Record;

/// The number of a record in one log: from 1, rising by one with each append, never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

/// The log of one stripe. Not synchronised: its owner holds the lock.
#[derive(Default)]
pub(crate) struct WalSegment {
    records: Vec<Record>,
    last: Lsn,
}

impl WalSegment {
    #[inline(always)]
    pub(crate) fn append(&mut self, record: Record) -> Lsn {
        self.last = Lsn(self.last.0 + 1);
        if self.records.len() == self.records.capacity() {
            self.grow();
        }
        self.records.push(record);
        self.last
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.records.reserve_exact(Self::spare(self.records.len()));
    }

    /// How many free places a log of so many records is given. Not as many again: a log is short, and what it does not
    /// use is memory all the same: a write may add no more of it than the memory limit has set aside for it.
    fn spare(records: usize) -> usize {
        const QUICK: usize = 64;
        (records / 4).min(QUICK).max(records / 16) + 4
    }

    /// An empty log whose numbers go on from here.
    pub(crate) fn following(&self) -> Self {
        Self { last: self.last, ..Self::default() }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// The records, to be put in another order by an owner who needs no numbers of them.
    pub(crate) fn records_mut(&mut self) -> &mut Vec<Record> {
        &mut self.records
    }

    /// Empties the log and gives its records back, so that they can be released outside a lock. Numbers go on rising.
    pub(crate) fn clear(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Gives back the space that so few records do not need.
    pub(crate) fn fit(&mut self) {
        self.records.shrink_to(self.records.len() + Self::spare(self.records.len()));
    }

    /// Heap bytes without the records.
    pub(crate) fn handle_bytes(&self) -> usize {
        self.records.capacity() * size_of::<Record>()
    }
}

/// A write-ahead log in memory that threads may share; clones share one log.
///
/// ```
/// use kstone_core::{key::KeyRef, memory_wal::MemoryWal, record::Record};
/// let wal = MemoryWal::create()?;
/// let first = wal.append(Record::put(KeyRef::new(b"a", b"")?, &[]))?;
/// let second = wal.append(Record::tombstone(KeyRef::new(b"a", b"")?))?;
/// assert!(first < second);
/// assert_eq!(wal.read_all()?.len(), 2);
/// wal.flush()?;
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct MemoryWal {
    segment: Arc<Mutex<WalSegment>>,
}

impl MemoryWal {
    /// An empty log.
    ///
    /// # Errors
    /// None today; the signature is the disk log's.
    pub fn create() -> Result<Self> {
        Ok(Self::default())
    }

    /// Adds a record and numbers it. O(1); the record is shared, not copied.
    ///
    /// # Errors
    /// None today; the signature is the disk log's.
    pub fn append(&self, record: Record) -> Result<Lsn> {
        Ok(self.segment.lock().append(record))
    }

    /// Does nothing: there is nowhere to flush to.
    ///
    /// # Errors
    /// None today; the signature is the disk log's.
    pub fn flush(&self) -> Result<()> {
        Ok(())
    }

    /// Every record held, oldest first. O(n) handles; no bytes are copied.
    ///
    /// # Errors
    /// None today; the signature is the disk log's.
    pub fn read_all(&self) -> Result<Vec<(Lsn, Record)>> {
        let segment = self.segment.lock();
        // Nothing is dropped from the middle of this log, so the numbers of what it holds are the last ones.
        let before = segment.last.0 - segment.records.len() as u64;
        Ok((before + 1..).map(Lsn).zip(segment.records.iter().cloned()).collect())
    }

    /// Empties the log. Numbers go on rising.
    pub fn clear(&self) {
        let records = self.segment.lock().clear();
        drop(records);
    }

    /// How many records are held.
    pub fn len(&self) -> usize {
        self.segment.lock().records().len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRef;

    fn record(pk: &str) -> Record {
        Record::put(KeyRef::new(pk.as_bytes(), b"").expect("valid key"), b"")
    }

    #[test]
    fn appends_are_numbered_in_order_and_read_back() {
        let wal = MemoryWal::create().expect("created");
        assert!(wal.is_empty());
        for (i, pk) in ["a", "b", "a"].into_iter().enumerate() {
            assert_eq!(wal.append(record(pk)).expect("appended"), Lsn(i as u64 + 1));
        }
        let all = wal.read_all().expect("read");
        let keys: Vec<_> = all.iter().map(|(lsn, record)| (lsn.0, record.pk())).collect();
        assert_eq!(keys, [(1, &b"a"[..]), (2, b"b"), (3, b"a")]);
    }

    #[test]
    fn numbers_are_never_given_twice_across_a_clear() {
        let wal = MemoryWal::create().expect("created");
        wal.append(record("a")).expect("appended");
        wal.clear();
        assert_eq!((wal.len(), wal.append(record("b")).expect("appended")), (0, Lsn(2)));
        assert_eq!(wal.read_all().expect("read"), [(Lsn(2), record("b"))]);
    }

    #[test]
    fn clones_and_threads_share_one_log() {
        let wal = MemoryWal::create().expect("created");
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let wal = wal.clone();
                scope.spawn(move || {
                    for _ in 0..100 {
                        wal.append(record("a")).expect("appended");
                    }
                });
            }
        });
        let lsns: Vec<_> = wal.read_all().expect("read").iter().map(|(lsn, _)| lsn.0).collect();
        assert_eq!(lsns, (1..=400).collect::<Vec<_>>());
    }
}
