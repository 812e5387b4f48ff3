//! What a system must be able to do, and the loops that are timed.
//!
//! A [`Store`] runs a whole [`Work`] at a time: it opens its transaction, table or statements, lets the work use them
//! as a [`Session`], and commits. The loops of the work are compiled for each session by itself, so that a peer is
//! called as directly as its own users call it; what a store opens and commits is part of the time.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use crate::clock::thread_cpu;
use crate::data::{FreshKey, Key, Partition, Shape, VALUE_BYTES, Value, is_filtered, value_of};
use crate::workload::Workload;

/// Whatever may go wrong before and between the measurements.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A system under test, with its records.
pub(crate) trait Store: Sized {
    /// Whether it finds the records of a partition in key order.
    const ORDERED: bool;

    /// Whether it writes several records all or none, and all at one moment.
    const ATOMIC: bool;

    /// The workloads that it has a call of its own for, of those that not every store is asked for.
    const EXTRA: &'static [Workload] = &[];

    /// An empty store that will take so many records.
    fn open(records: usize, shape: Shape) -> Result<Self>;

    /// Does all of the work, on this thread.
    fn run(&mut self, work: &Work<'_>) -> Tally;

    /// The store for several threads at once; none where it takes one at a time.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }

    /// A copy that is changed by itself from now on; none where the store has no such thing.
    fn fork(&self) -> Option<Self> {
        None
    }

    /// Waits for what the store does in the background after a load.
    fn settle(&mut self) {}

    /// Bytes that it holds outside its process, on a RAM disk.
    fn file_bytes(&self) -> Result<u64> {
        Ok(0)
    }
}

/// A store that many threads use at once.
pub(crate) trait Shared: Sync {
    /// Does all of the work, on the calling thread.
    fn run_shared(&self, work: &Work<'_>) -> Tally;
}

/// A store as one thread uses it for one workload. Failures panic: a benchmark has no use for half a result.
pub(crate) trait Session {
    /// Stores the value in place of what was there.
    fn put(&mut self, key: &Key, value: &Value);

    /// Copies the value out; false where there is none.
    fn get(&mut self, key: &Key, out: &mut Value) -> bool;

    /// Deletes a record that is there.
    fn delete(&mut self, key: &Key);

    /// Visits every value, in whatever order costs least.
    fn scan(&mut self, visit: impl FnMut(&[u8]));

    /// Visits the values of a partition in key order.
    fn query(&mut self, _partition: Partition, _visit: impl FnMut(&[u8])) {
        unreachable!("only ordered stores are asked");
    }

    /// Visits the value of the greatest key in a partition.
    fn last(&mut self, _partition: Partition, _visit: impl FnMut(&[u8])) {
        unreachable!("only ordered stores are asked");
    }

    /// Reads a record that is there, changes it and writes it.
    fn update(&mut self, key: &Key) {
        let mut value = [0; VALUE_BYTES];
        assert!(self.get(key, &mut value), "the key is present");
        // Another letter: values stay text.
        value[0] ^= 1;
        self.put(key, &value);
    }

    /// Puts the records of these keys, all or none.
    fn put_together(&mut self, keys: &[Key]) {
        keys.iter().for_each(|key| self.put(key, value_of(key)));
    }

    /// Visits the values that begin with [`crate::data::FILTERED`].
    fn filter(&mut self, mut visit: impl FnMut(&[u8])) {
        self.scan(|value| {
            if is_filtered(value) {
                visit(value);
            }
        });
    }

    /// Visits every value, page by page.
    fn scan_pages(&mut self, _visit: impl FnMut(&[u8])) {
        unreachable!("{NOT_EXTRA}");
    }

    /// Visits the first values of a scan, through an iterator.
    fn scan_first(&mut self, _items: usize, _visit: impl FnMut(&[u8])) {
        unreachable!("{NOT_EXTRA}");
    }

    /// Visits the first values of a scan, as one page.
    fn scan_first_page(&mut self, _items: usize, _visit: impl FnMut(&[u8])) {
        unreachable!("{NOT_EXTRA}");
    }

    /// How many records there are.
    fn count(&mut self) -> u64 {
        unreachable!("{NOT_EXTRA}");
    }

    /// Copies out the values of some keys by one call; says how many there are.
    fn get_many(&mut self, _keys: &[Key], _out: &mut Value) -> u64 {
        unreachable!("{NOT_EXTRA}");
    }

    /// [`Session::get`] by a call that copies one attribute.
    fn get_attribute(&mut self, _key: &Key, _out: &mut Value) -> bool {
        unreachable!("{NOT_EXTRA}");
    }

    /// [`Session::update`] by a prepared statement.
    fn update_prepared(&mut self, _key: &Key) {
        unreachable!("{NOT_EXTRA}");
    }
}

/// Why a store is not asked for what it has no call for.
const NOT_EXTRA: &str = "only stores are asked that name the workload in their EXTRA";
/// How many keys a call of [`Session::get_many`] gets at most.
pub(crate) const KEYS_OF_A_CALL: usize = 16;
/// How many items [`Work::ScanFirst`] visits.
pub(crate) const FIRST_ITEMS: usize = 100;

/// A loop over keys or partitions.
#[derive(Clone, Copy)]
pub(crate) enum Work<'a> {
    /// Puts each key.
    Put(&'a [Key]),
    /// Puts each key, which is written right before.
    PutFresh(&'a [Key]),
    /// Puts each key and times each put by itself.
    PutTimed(&'a [Key]),
    /// Reads each key.
    Get(&'a [Key]),
    /// Reads each key, which is written right before.
    GetFresh(&'a [Key]),
    /// Reads 16 keys by each call.
    GetMany(&'a [Key]),
    /// Reads one attribute of each key.
    GetAttribute(&'a [Key]),
    /// Reads each key; which is next is known only when the value is there.
    GetChain(&'a [Key]),
    /// Reads and overwrites in turns.
    Mix(&'a [Key]),
    /// Deletes each key.
    Delete(&'a [Key]),
    /// Reads each partition and copies the values out.
    Query(&'a [Partition]),
    /// Reads each partition and touches the values.
    QueryTouch(&'a [Partition]),
    /// Reads the last record of each partition and copies the value out.
    Last(&'a [Partition]),
    /// Reads, changes and writes each key.
    Update(&'a [Key]),
    /// The same by a prepared statement.
    UpdatePrepared(&'a [Key]),
    /// Puts the keys in one transaction.
    PutTogether(&'a [Key]),
    /// Examines everything and touches the values that a filter lets through.
    Filter,
    /// Reads everything and touches the values.
    Scan,
    /// The same by pages.
    ScanPages,
    /// Reads the first items so often and touches the values.
    ScanFirst(usize),
    /// The same by a page.
    ScanFirstPage(usize),
    /// Counts the records so often.
    Count(usize),
    /// Compares each key's value with the one that belongs to it; counts those that agree.
    Check(&'a [Key]),
}

/// What came of a work.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    /// How many values were seen, for the check that none is missing.
    pub(crate) seen: u64,
    /// CPU time of the slowest put, where each was timed.
    pub(crate) slowest: Duration,
}

impl Work<'_> {
    /// Whether the work changes anything.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Put(_)
            | Self::PutFresh(_)
            | Self::PutTimed(_)
            | Self::Mix(_)
            | Self::Delete(_)
            | Self::Update(_)
            | Self::UpdatePrepared(_)
            | Self::PutTogether(_) => true,
            Self::Get(_) | Self::GetFresh(_) | Self::GetChain(_) | Self::GetMany(_) => false,
            Self::GetAttribute(_) | Self::Check(_) => false,
            Self::Query(_) | Self::QueryTouch(_) | Self::Last(_) => false,
            Self::Filter | Self::Scan | Self::ScanPages => false,
            Self::ScanFirst(_) | Self::ScanFirstPage(_) | Self::Count(_) => false,
        }
    }

    /// How many operations the time is divided by; a scan and a transaction are one.
    pub(crate) fn operations(&self) -> usize {
        match self {
            Self::Put(keys)
            | Self::PutFresh(keys)
            | Self::PutTimed(keys)
            | Self::Get(keys)
            | Self::GetFresh(keys)
            | Self::GetMany(keys)
            | Self::GetAttribute(keys)
            | Self::GetChain(keys)
            | Self::Mix(keys)
            | Self::Delete(keys)
            | Self::Update(keys)
            | Self::UpdatePrepared(keys)
            | Self::Check(keys) => keys.len(),
            Self::ScanFirst(times) | Self::ScanFirstPage(times) | Self::Count(times) => *times,
            Self::Query(partitions) | Self::QueryTouch(partitions) | Self::Last(partitions) => partitions.len(),
            Self::PutTogether(_) | Self::Filter | Self::Scan | Self::ScanPages => 1,
        }
    }

    /// Does all of the work.
    pub(crate) fn perform(&self, session: &mut impl Session) -> Tally {
        let mut out = [0; VALUE_BYTES];
        let mut sum = 0;
        let mut seen = 0;
        let mut slowest = Duration::ZERO;
        match *self {
            Self::Put(keys) => keys.iter().for_each(|key| session.put(key, value_of(key))),
            Self::PutFresh(keys) => put_fresh(session, keys),
            Self::PutTimed(keys) => slowest = slowest_put(session, keys),
            Self::Get(keys) => seen = get(session, keys),
            Self::GetFresh(keys) => seen = get_fresh(session, keys),
            Self::GetMany(keys) => {
                for some in keys.chunks(KEYS_OF_A_CALL) {
                    seen += session.get_many(some, &mut out);
                }
            }
            Self::GetAttribute(keys) => {
                for key in keys {
                    seen += u64::from(session.get_attribute(key, &mut out));
                    black_box(&out);
                }
            }
            Self::GetChain(keys) => seen = get_chain(session, keys),
            Self::Mix(keys) => seen = mix(session, keys),
            Self::Delete(keys) => keys.iter().for_each(|key| session.delete(key)),
            Self::Update(keys) => keys.iter().for_each(|key| session.update(key)),
            Self::UpdatePrepared(keys) => keys.iter().for_each(|key| session.update_prepared(key)),
            Self::PutTogether(keys) => session.put_together(keys),
            Self::Query(partitions) => {
                for &partition in partitions {
                    session.query(partition, |value| seen += copy_out(value, &mut out));
                }
            }
            Self::QueryTouch(partitions) => {
                for &partition in partitions {
                    session.query(partition, |value| seen += touch(value, &mut sum));
                }
            }
            Self::Last(partitions) => {
                for &partition in partitions {
                    session.last(partition, |value| seen += copy_out(value, &mut out));
                }
            }
            Self::Filter => session.filter(|value| seen += touch(value, &mut sum)),
            Self::Scan => session.scan(|value| seen += touch(value, &mut sum)),
            Self::ScanPages => session.scan_pages(|value| seen += touch(value, &mut sum)),
            Self::ScanFirst(times) => {
                (0..times).for_each(|_| session.scan_first(FIRST_ITEMS, |value| seen += touch(value, &mut sum)));
            }
            Self::ScanFirstPage(times) => {
                (0..times).for_each(|_| session.scan_first_page(FIRST_ITEMS, |value| seen += touch(value, &mut sum)));
            }
            Self::Count(times) => (0..times).for_each(|_| seen += session.count()),
            Self::Check(keys) => {
                for key in keys {
                    seen += u64::from(session.get(key, &mut out) && out == *value_of(key));
                }
            }
        }
        black_box(sum);
        Tally { seen, slowest }
    }
}

fn get(session: &mut impl Session, keys: &[Key]) -> u64 {
    let mut out = [0; VALUE_BYTES];
    let mut seen = 0;
    for key in keys {
        seen += u64::from(session.get(key, &mut out));
        black_box(&out);
    }
    seen
}

/// As callers that make a key out of numbers right before the call.
fn get_fresh(session: &mut impl Session, keys: &[Key]) -> u64 {
    let mut fresh = FreshKey::default();
    let mut out = [0; VALUE_BYTES];
    let mut seen = 0;
    for key in keys {
        seen += u64::from(session.get(fresh.write(key), &mut out));
        black_box(&out);
    }
    seen
}

fn put_fresh(session: &mut impl Session, keys: &[Key]) {
    let mut fresh = FreshKey::default();
    for key in keys {
        session.put(fresh.write(key), value_of(key));
    }
}

/// Unlike the loop of [`Work::Get`], the processor cannot begin a read while it waits for the memory of the one before.
fn get_chain(session: &mut impl Session, keys: &[Key]) -> u64 {
    let mut out = [0; VALUE_BYTES];
    let mut seen = 0;
    let mut step = 0;
    for i in 0..keys.len() {
        seen += u64::from(session.get(&keys[i + step], &mut out));
        // 0, because values are ASCII; but that takes the value to know.
        step = usize::from(black_box(&out)[0] >> 7);
    }
    seen
}

fn mix(session: &mut impl Session, keys: &[Key]) -> u64 {
    let mut out = [0; VALUE_BYTES];
    let mut seen = 0;
    for pair in keys.chunks(2) {
        seen += u64::from(session.get(&pair[0], &mut out));
        black_box(&out);
        if let Some(key) = pair.get(1) {
            session.put(key, value_of(key));
        }
    }
    seen
}

fn slowest_put(session: &mut impl Session, keys: &[Key]) -> Duration {
    let mut slowest = Duration::ZERO;
    let mut before = thread_cpu();
    for key in keys {
        session.put(key, value_of(key));
        let after = thread_cpu();
        slowest = slowest.max(after - before);
        before = after;
    }
    slowest
}

/// As a caller takes a value home: all of it, into memory of its own.
#[inline]
fn copy_out(value: &[u8], out: &mut Value) -> u64 {
    out.copy_from_slice(value);
    black_box(&*out);
    1
}

/// As a caller looks at a value in place: its first and its last byte.
#[inline]
fn touch(value: &[u8], sum: &mut u64) -> u64 {
    if let [first, .., last] = value {
        *sum = sum.wrapping_add(u64::from(*first)).wrapping_add(u64::from(*last));
    }
    1
}
