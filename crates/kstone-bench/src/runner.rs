//! One system in one process: its data, its store, and the workloads of its stage.

use std::sync::Barrier;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::clock::{Elapsed, time};
use crate::data::{Data, Key, Shape, is_filtered, value_of};
use crate::memory::private_resident;
use crate::peers::Scale;
use crate::store::{FIRST_ITEMS, Result, Shared, Store, Tally, Work};
use crate::workload::{Stage, Workload};

/// How many records the small dataset has.
const SMALL_RECORDS: usize = 20_000;
/// How many records are compared, byte by byte, after each load.
const CHECKED_RECORDS: usize = 1_000;
/// Puts of a transaction.
const TRANSACTION_PUTS: usize = 4;
/// How often the first items are read in one measurement.
const SHORT_SCANS: usize = 2_000;
/// How often the records are counted in one measurement.
const COUNTS: usize = 20;
/// Beyond so many records nobody forks: the copies of the peers would be in each other's way.
const FORKED_RECORDS_MAX: usize = 1_000_000;
/// How often a store is forked in one measurement; the median counts.
const FORKS: usize = 5;
/// How many records are overwritten before each fork.
const OVERWRITTEN_RECORDS: usize = 1_000;

/// One measured number, in the unit of its workload.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// By the monotonic clock, or whatever the workload counts.
    pub(crate) value: f64,
    /// The same by the CPU time of the one thread that did it; none where there were several.
    pub(crate) cpu: Option<f64>,
}

impl Measurement {
    fn of(value: f64) -> Self {
        Self { value, cpu: None }
    }
}

/// What takes the measurements of one system in one stage.
pub(crate) trait Measure {
    /// Runs the workload; none where the system has no part in it.
    fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>>;
}

/// The stores of one system in one process.
pub(crate) struct StoreRunner<S> {
    stage: Stage,
    scale: Scale,
    /// One dataset, and in the stage with a store for each thread one for each.
    data: Vec<Data>,
    /// As many as datasets, once they are loaded.
    stores: Vec<S>,
    bytes_per_record: f64,
}

impl<S: Store + 'static> StoreRunner<S> {
    /// Makes the data of the stage; none where the system has no part in it.
    pub(crate) fn boxed(stage: Stage, scale: Scale) -> Result<Option<Box<dyn Measure>>> {
        let has_part = match stage {
            Stage::Tens | Stage::Thousands => S::ORDERED,
            Stage::Threads | Stage::Alone | Stage::Apart => S::open(0, Shape::Points)?.shared().is_some(),
            Stage::Fork => scale.records <= FORKED_RECORDS_MAX && S::open(0, Shape::Points)?.fork().is_some(),
            Stage::Points | Stage::Slowest | Stage::Small | Stage::Requests => true,
            Stage::EmptiedAtRandom | Stage::EmptiedInOrder => true,
            Stage::Indexed | Stage::Documents | Stage::Files | Stage::Calls => false,
        };
        if !has_part {
            return Ok(None);
        }
        let data = data_of(stage, scale);
        Ok(Some(Box::new(Self { stage, scale, data, stores: Vec::new(), bytes_per_record: 0.0 })))
    }

    fn open(&self) -> Result<Vec<S>> {
        let shape = match self.stage {
            Stage::Tens | Stage::Thousands => Shape::Partitions,
            _ => Shape::Points,
        };
        self.data.iter().map(|data| S::open(data.load.len(), shape)).collect()
    }

    /// Loads the stage's records, in the way of the stage, and checks some of them.
    fn load(&mut self) -> Result<Measurement> {
        let before = private_resident()?;
        self.stores = self.open()?;
        let measurement = match self.stage {
            Stage::Threads => {
                let parts = self.parts(&self.data[0].load, Work::Put);
                timed_together(&parts, &self.shared_by_all()?)?.0
            }
            Stage::Apart => {
                let parts: Vec<Work<'_>> = self.data.iter().map(|data| Work::Put(&data.load)).collect();
                timed_together(&parts, &self.shared_by_one_each()?)?.0
            }
            Stage::Slowest => {
                let tally = self.stores[0].run(&Work::PutTimed(&self.data[0].load));
                Measurement::of(tally.slowest.as_secs_f64() * 1e6)
            }
            _ => timed(&mut self.stores[0], &Work::Put(&self.data[0].load)).0,
        };
        self.stores.iter_mut().for_each(Store::settle);
        let files = self.stores.iter().map(Store::file_bytes).sum::<Result<u64>>()?;
        let grown = private_resident()?.saturating_sub(before) + files;
        let records: usize = self.data.iter().map(|data| data.load.len()).sum();
        self.bytes_per_record = grown as f64 / records as f64;
        self.check()?;
        Ok(measurement)
    }

    /// A store that lost or mixed up records is no peer.
    fn check(&mut self) -> Result<()> {
        for (store, data) in self.stores.iter_mut().zip(&self.data) {
            let step = (data.load.len() / CHECKED_RECORDS).max(1);
            let keys: Vec<Key> = data.load.iter().copied().step_by(step).collect();
            if store.run(&Work::Check(&keys)).seen != keys.len() as u64 {
                return Err("a record is not as it was loaded".into());
            }
        }
        Ok(())
    }

    /// A part of the keys for each thread.
    fn parts<'a>(&self, keys: &'a [Key], work: fn(&'a [Key]) -> Work<'a>) -> Vec<Work<'a>> {
        keys.chunks(keys.len().div_ceil(self.scale.threads)).map(work).collect()
    }

    /// The one store, once for each thread.
    fn shared_by_all(&self) -> Result<Vec<&dyn Shared>> {
        let shared = self.stores[0].shared().ok_or("one thread at a time")?;
        Ok(vec![shared; self.scale.threads])
    }

    /// A store for each thread.
    fn shared_by_one_each(&self) -> Result<Vec<&dyn Shared>> {
        self.stores.iter().map(|store| store.shared().ok_or_else(|| "one thread at a time".into())).collect()
    }

    /// Runs a work on one thread, which must see so many values.
    fn one(&mut self, expected: usize, work: impl Fn(&Data) -> Work<'_>) -> Result<Option<Measurement>> {
        let (measurement, tally) = timed(&mut self.stores[0], &work(&self.data[0]));
        expect_seen(tally.seen, expected)?;
        Ok(Some(measurement))
    }

    /// Runs one transaction after another, each committed by itself.
    fn transactions(&mut self) -> Option<Measurement> {
        if !S::ATOMIC {
            return None;
        }
        let groups = self.data[0].access.chunks_exact(TRANSACTION_PUTS);
        let operations = groups.len() as f64;
        let store = &mut self.stores[0];
        let ((), elapsed) = time(|| {
            for keys in groups {
                store.run(&Work::PutTogether(keys));
            }
        });
        Some(elapsed.measured(|time| time.as_secs_f64() * 1e9 / operations))
    }

    /// Loads everything and deletes it again: how much of the memory at its peak the process then still has. Nothing is
    /// asked of the store in between.
    fn left(&mut self, workload: Workload) -> Result<Measurement> {
        self.stores.clear();
        let before = private_resident()?;
        let held = |store: &S| -> Result<u64> { Ok(private_resident()?.saturating_sub(before) + store.file_bytes()?) };
        let data = &self.data[0];
        let mut store = S::open(data.load.len(), Shape::Points)?;
        store.run(&Work::Put(&data.load));
        let peak = held(&store)?;
        let keys = if workload == Workload::LeftAtRandom { &data.access } else { &data.load };
        store.run(&Work::Delete(keys));
        let left = held(&store)?;
        expect_seen(store.run(&Work::Check(&data.load[..CHECKED_RECORDS.min(data.load.len())])).seen, 0)?;
        Ok(Measurement::of(left as f64 * 100.0 / peak.max(1) as f64))
    }

    /// Forks the store a few times, with overwrites between. The fork must be like the store.
    fn forks(&mut self) -> Result<Measurement> {
        let (store, data) = (&mut self.stores[0], &self.data[0]);
        let mut times: Vec<Elapsed> = Vec::with_capacity(FORKS);
        let mut parts = data.access.chunks(OVERWRITTEN_RECORDS).cycle();
        for _ in 0..FORKS {
            let part = parts.next().ok_or("there are keys to overwrite")?;
            store.run(&Work::Put(part));
            let (fork, elapsed) = time(|| store.fork());
            let mut fork = fork.ok_or("a store that forks when empty forks always")?;
            expect_seen(fork.run(&Work::Check(part)).seen, part.len())?;
            times.push(elapsed);
        }
        let median = Elapsed::median(&times).ok_or("nothing was forked")?;
        Ok(median.measured(|time| time.as_secs_f64() * 1e6))
    }

    /// Runs a part of the work on each thread.
    fn many(&self, expected: usize, work: fn(&[Key]) -> Work<'_>) -> Result<Option<Measurement>> {
        if self.stores[0].shared().is_none() {
            return Ok(None);
        }
        let (parts, stores) = if self.stage == Stage::Apart {
            let parts = self.data.iter().map(|data| work(&data.access)).collect();
            (parts, self.shared_by_one_each()?)
        } else {
            (self.parts(&self.data[0].access, work), self.shared_by_all()?)
        };
        let (measurement, seen) = timed_together(&parts, &stores)?;
        expect_seen(seen, expected)?;
        Ok(Some(measurement))
    }
}

impl<S: Store + 'static> Measure for StoreRunner<S> {
    fn measure(&mut self, workload: Workload) -> Result<Option<Measurement>> {
        if matches!(
            workload,
            Workload::Load | Workload::LoadThreads | Workload::LoadAlone | Workload::LoadApart | Workload::SlowestPut
        ) {
            return self.load().map(Some);
        }
        if workload.is_extra() && !S::EXTRA.contains(&workload) {
            return Ok(None);
        }
        if matches!(workload, Workload::LeftAtRandom | Workload::LeftInOrder) {
            return self.left(workload).map(Some);
        }
        if self.stores.is_empty() {
            self.load()?;
        }
        let records = self.data[0].load.len();
        let operations: usize = self.data.iter().map(|data| data.access.len()).sum();
        let queries = self.data[0].partitions.len();
        match workload {
            Workload::Memory => Ok(Some(Measurement::of(self.bytes_per_record))),
            Workload::Get | Workload::GetAlone | Workload::GetSmall => {
                self.one(operations, |data| Work::Get(&data.access))
            }
            Workload::GetFresh | Workload::GetSmallFresh => self.one(operations, |data| Work::GetFresh(&data.access)),
            Workload::GetMany => self.one(operations, |data| Work::GetMany(&data.access)),
            Workload::GetAttribute => self.one(operations, |data| Work::GetAttribute(&data.access)),
            Workload::GetChain => self.one(operations, |data| Work::GetChain(&data.access)),
            Workload::Absent => self.one(0, |data| Work::Get(&data.absent)),
            Workload::AbsentFresh => self.one(0, |data| Work::GetFresh(&data.absent)),
            Workload::ScanFirst => self.one(FIRST_ITEMS * SHORT_SCANS, |_| Work::ScanFirst(SHORT_SCANS)),
            Workload::ScanFirstPage => self.one(FIRST_ITEMS * SHORT_SCANS, |_| Work::ScanFirstPage(SHORT_SCANS)),
            Workload::Count | Workload::CountSmall => self.one(records * COUNTS, |_| Work::Count(COUNTS)),
            Workload::Scan => Ok(self.one(records, |_| Work::Scan)?.map(|whole| per_item(whole, records))),
            Workload::ScanPages => Ok(self.one(records, |_| Work::ScanPages)?.map(|whole| per_item(whole, records))),
            Workload::GetThreads | Workload::GetApart => self.many(operations, |keys| Work::Get(keys)),
            Workload::Overwrite => self.one(0, |data| Work::Put(&data.access)),
            Workload::OverwriteFresh => self.one(0, |data| Work::PutFresh(&data.access)),
            Workload::Mix => self.one(operations.div_ceil(2), |data| Work::Mix(&data.access)),
            Workload::MixThreads => {
                // Each thread begins with a get.
                let parts = self.parts(&self.data[0].access, Work::Mix);
                let gets = parts.iter().map(|part| part.operations().div_ceil(2)).sum();
                self.many(gets, |keys| Work::Mix(keys))
            }
            Workload::Delete => {
                let present = records.min(operations);
                self.one(0, |data| Work::Delete(&data.access[..present]))
            }
            Workload::Filter => {
                let passing = self.data[0].load.iter().filter(|key| is_filtered(value_of(key))).count();
                Ok(self.one(passing, |_| Work::Filter)?.map(|whole| per_item(whole, records)))
            }
            Workload::Update => self.one(0, |data| Work::Update(&data.access)),
            Workload::UpdatePrepared => self.one(0, |data| Work::UpdatePrepared(&data.access)),
            Workload::Transact => Ok(self.transactions()),
            Workload::Fork => self.forks().map(Some),
            Workload::Query10 => self.one(queries * 10, |data| Work::Query(&data.partitions)),
            Workload::Last => self.one(queries, |data| Work::Last(&data.partitions)),
            Workload::Query1000 => self.one(queries * 1000, |data| Work::QueryTouch(&data.partitions)),
            _ => Ok(None),
        }
    }
}

fn data_of(stage: Stage, scale: Scale) -> Vec<Data> {
    let Scale { records, operations, threads, seed } = scale;
    let points = |records, operations, set| Data::points(records, operations, seed, set);
    match stage {
        Stage::Points => vec![points(records, operations, 0)],
        Stage::Requests => vec![points(records, operations / 10, 0)],
        Stage::EmptiedAtRandom | Stage::EmptiedInOrder => vec![points(records, records, 0)],
        Stage::Fork => vec![points(records, FORKS * OVERWRITTEN_RECORDS, 0)],
        Stage::Threads | Stage::Slowest => vec![points(records, 0, 0)],
        Stage::Indexed | Stage::Documents | Stage::Files | Stage::Calls => Vec::new(),
        Stage::Alone => vec![points(records / threads, operations / threads, 0)],
        Stage::Apart => (0..threads).map(|set| points(records / threads, operations / threads, set as u64)).collect(),
        Stage::Small => vec![points(SMALL_RECORDS, operations, 0)],
        Stage::Tens => vec![Data::partitions(records, 10, operations / 5, seed)],
        // Two million records for the default number of operations: each partition twice at a million.
        Stage::Thousands => vec![Data::partitions(records, 1_000, (operations / 250).max(1), seed)],
    }
}

fn timed(store: &mut impl Store, work: &Work<'_>) -> (Measurement, Tally) {
    let operations = work.operations() as f64;
    let (tally, elapsed) = time(|| store.run(work));
    (elapsed.measured(|time| time.as_secs_f64() * 1e9 / operations), tally)
}

/// Each thread does its part on its store; from the first one's start to the last one's end. Gives also how many values
/// they saw.
fn timed_together(parts: &[Work<'_>], stores: &[&dyn Shared]) -> Result<(Measurement, u64)> {
    let barrier = Barrier::new(parts.len());
    let runs: Vec<(Instant, Instant, u64)> = std::thread::scope(|scope| {
        let start = |(part, store)| {
            let (part, store): (&Work<'_>, &&dyn Shared) = (part, store);
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let start = Instant::now();
                let tally = store.run_shared(part);
                (start, Instant::now(), tally.seen)
            })
        };
        let threads: Vec<_> = parts.iter().zip(stores).map(start).collect();
        threads.into_iter().map(|thread| thread.join().expect("the work does not panic")).collect()
    });
    let start = runs.iter().map(|run| run.0).min().ok_or("there are no threads")?;
    let end = runs.iter().map(|run| run.1).max().ok_or("there are no threads")?;
    let operations: usize = parts.iter().map(Work::operations).sum();
    let value = (end - start).as_secs_f64() * 1e9 / operations as f64;
    Ok((Measurement::of(value), runs.iter().map(|run| run.2).sum()))
}

fn per_item(whole: Measurement, items: usize) -> Measurement {
    Measurement { value: whole.value / items as f64, cpu: whole.cpu.map(|cpu| cpu / items as f64) }
}

/// Fails where a workload has not seen as many values as there are.
pub(crate) fn expect_seen(seen: u64, expected: usize) -> Result<()> {
    if seen == expected as u64 { Ok(()) } else { Err(format!("{seen} values were seen instead of {expected}").into()) }
}
