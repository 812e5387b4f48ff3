//! The engine against a plain ordered map: random writes, flushes, compactions, queries and scans.
//!
//! Each run prints its seed; `KSTONE_SEED=n` repeats one, `KSTONE_OPERATIONS=n` makes it longer.

use std::collections::BTreeMap;
use std::ops::Bound;

use kstone_core::engine::{Engine, EngineOptions, PageLimits, RecordPage, ScanRange};
use kstone_core::error::{Error, Reason};
use kstone_core::key::{KeyRef, Keyspace};
use kstone_core::record::{Glance, Record, RecordRef};

type Pair = (Vec<u8>, Vec<u8>);

struct Run {
    engine: Engine,
    model: BTreeMap<Pair, Vec<u8>>,
    random: fastrand::Rng,
}

const NO_LIMIT: PageLimits = PageLimits::NONE;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

fn key((pk, sk): &Pair) -> KeyRef<'_> {
    KeyRef::new(pk, sk).expect("model keys are valid")
}

fn pair(record: &Record) -> (Pair, Vec<u8>) {
    ((record.pk().to_vec(), record.sk().to_vec()), record.body().to_vec())
}

impl Run {
    /// Few partitions, some of them wide; bytes 00 and FF, prefixes of each other, and no sort key at all.
    fn random_key(&mut self) -> Pair {
        let pk = match self.random.u8(..10) {
            0 => b"p".to_vec(),
            1 => b"p\0".to_vec(),
            2 => b"\xFF\xFF".to_vec(),
            _ => format!("pk{}", self.random.u16(..60)).into_bytes(),
        };
        (pk, self.random_sort_key())
    }

    fn random_sort_key(&mut self) -> Vec<u8> {
        let len = self.random.usize(..4);
        (0..len).map(|_| *self.random.choice(b"\0\x01abc\xFF").expect("not empty")).collect()
    }

    fn random_bound(&mut self) -> Bound<Vec<u8>> {
        let sk = self.random_sort_key();
        match self.random.u8(..4) {
            0 => Bound::Unbounded,
            1 => Bound::Excluded(sk),
            _ => Bound::Included(sk),
        }
    }

    fn random_limits(&mut self) -> PageLimits {
        match self.random.u8(..3) {
            0 => NO_LIMIT,
            1 => PageLimits::of_records(self.random.usize(1..20)),
            _ => PageLimits { bytes: self.random.usize(1..200), ..PageLimits::NONE },
        }
    }

    fn step(&mut self) {
        match self.random.u32(..1000) {
            0 => self.engine.flush().expect("flushed"),
            1 => self.engine.compact().expect("compacted"),
            2 if self.random.u8(..20) == 0 => {
                self.engine.clear().expect("cleared");
                self.model.clear();
            }
            3..=4 => self.check_scan(),
            461..=480 => self.check_counts(),
            481..=500 => self.write_entry(),
            5..=6 => self.check_view(),
            7..=60 => self.check_query(),
            61..=300 => {
                let pair = self.random_key();
                self.engine.delete(key(&pair)).expect("deleted");
                self.model.remove(&pair);
            }
            301..=400 => {
                let pair = self.random_key();
                let found = self.engine.get(key(&pair)).expect("read").map(|record| record.body().to_vec());
                assert_eq!(found.as_ref(), self.model.get(&pair), "get {pair:?}");
                let mut shown = None;
                let take = |record: RecordRef<'_>| {
                    shown = Some(record.body().to_vec());
                    true
                };
                match self.engine.glance(&pair.0, &pair.1, take) {
                    Glance::Item => assert_eq!(shown, found, "glance {pair:?}"),
                    Glance::Nothing => assert_eq!(found, None, "glance {pair:?}"),
                    Glance::Unclear => {}
                }
            }
            401..=450 => self.commit_several(),
            _ => {
                let pair = self.random_key();
                let body = self.random.u64(..).to_le_bytes()[..self.random.usize(..8)].to_vec();
                self.engine.put(key(&pair), &body).expect("put");
                self.model.insert(pair, body);
            }
        }
    }

    /// An index entry, which the model does not hold: no query and no scan of items may meet it.
    fn write_entry(&mut self) {
        let partition = [&[0, self.random.u8(..3)], &self.random.u16(..300).to_be_bytes()[..]].concat();
        let entry = KeyRef::index_entry(&partition, b"").expect("valid");
        let written = match self.random.u8(..3) {
            0 => self.engine.delete(entry),
            length => self.engine.put(entry, &[0; 2][..usize::from(length)]),
        };
        written.expect("written");
    }

    fn commit_several(&mut self) {
        let pairs: Vec<Pair> = (0..self.random.usize(1..6)).map(|_| self.random_key()).collect();
        let keys: Vec<_> = pairs.iter().map(key).collect();
        let refused = self.random.u8(..4) == 0;
        let outcome = self.engine.commit(&keys, |present| {
            let mut records = Vec::new();
            for pair in &pairs {
                let found = present.get(key(pair)).map(|record| record.body().to_vec());
                assert_eq!(found.as_ref(), self.model.get(pair), "present {pair:?}");
                records.push(match found {
                    Some(_) => Record::tombstone(key(pair)),
                    None => Record::put(key(pair), b"committed"),
                });
            }
            if refused { Err(Error::from(Reason::NothingOpen)) } else { Ok((records, ())) }
        });
        assert_eq!(outcome.is_err(), refused);
        if outcome.is_ok() {
            let before = self.model.clone();
            for pair in pairs {
                match before.contains_key(&pair) {
                    true => self.model.remove(&pair),
                    false => self.model.insert(pair, b"committed".to_vec()),
                };
            }
        }
    }

    fn check_query(&mut self) {
        let (pk, _) = self.random_key();
        let (from, to) = (self.random_bound(), self.random_bound());
        let reverse = self.random.bool();
        let in_range = |sk: &Vec<u8>| {
            let above = match &from {
                Bound::Unbounded => true,
                Bound::Included(low) => sk >= low,
                Bound::Excluded(low) => sk > low,
            };
            above
                && match &to {
                    Bound::Unbounded => true,
                    Bound::Included(high) => sk <= high,
                    Bound::Excluded(high) => sk < high,
                }
        };
        let partition = self.model.iter().filter(|((model_pk, sk), _)| *model_pk == pk && in_range(sk));
        let mut expected: Vec<_> = partition.map(|(pair, body)| (pair.clone(), body.clone())).collect();
        if reverse {
            expected.reverse();
        }
        let limits = self.random_limits();
        let mut found = Vec::new();
        let (mut low, mut high) = (from.clone(), to.clone());
        loop {
            let range = (low.as_ref().map(Vec::as_slice), high.as_ref().map(Vec::as_slice));
            let page = self.engine.query(&pk, range, reverse, limits).expect("queried");
            assert_page_within(&page, limits);
            found.extend(page.records.iter().map(pair));
            let Some(((_, sk), _)) = found.last().filter(|_| page.limited) else { break };
            *(if reverse { &mut high } else { &mut low }) = Bound::Excluded(sk.clone());
        }
        assert_eq!(found, expected, "query of {pk:?} from {from:?} to {to:?}, reverse {reverse}");
    }

    fn check_scan(&mut self) {
        let segments = *self.random.choice([1, 1, 3, 7, 300, 5000].as_slice()).expect("not empty");
        let limits = self.random_limits();
        let mut found = Vec::new();
        for segment in 0..segments {
            let range = ScanRange::segment(segment, segments).expect("a segment of the segments");
            let mut after: Option<Pair> = None;
            loop {
                let range = after.as_ref().map_or(range, |(pk, sk)| range.after(pk, sk));
                let page = self.engine.scan(range, limits).expect("scanned");
                assert_page_within(&page, limits);
                found.extend(page.records.iter().map(pair));
                if !page.limited {
                    break;
                }
                after = page.records.last().map(|record| pair(record).0);
            }
        }
        let count = found.len();
        let found: BTreeMap<_, _> = found.into_iter().collect();
        assert_eq!(found.len(), count, "a scan returns each item once");
        assert_eq!(found, self.model, "scan by {segments} segments");
    }

    /// A view shows its moment, whatever is written afterwards.
    fn check_view(&mut self) {
        let cut = self.engine.view().expect("cut");
        let before = self.model.clone();
        for _ in 0..50 {
            let pair = self.random_key();
            if self.random.bool() {
                self.engine.put(key(&pair), b"later").expect("put");
                self.model.insert(pair, b"later".to_vec());
            } else {
                self.engine.delete(key(&pair)).expect("deleted");
                self.model.remove(&pair);
            }
        }
        let seen: BTreeMap<_, _> = cut.scan(ScanRange::all(), NO_LIMIT).records.iter().map(pair).collect();
        assert_eq!(seen, before, "scan of a view");
        let (pk, _) = self.random_key();
        let page = cut.query(&pk, (Bound::Unbounded, Bound::Unbounded), false, NO_LIMIT);
        let expected: Vec<_> = before.into_iter().filter(|((model_pk, _), _)| *model_pk == pk).collect();
        assert_eq!(page.records.iter().map(pair).collect::<Vec<_>>(), expected, "query of a view");
    }
}

fn assert_page_within(page: &RecordPage, limits: PageLimits) {
    assert!(page.records.len() <= limits.records);
    let bytes = |records: &[Record]| records.iter().map(Record::data_len).sum::<usize>();
    let before_the_last = &page.records[..page.records.len().saturating_sub(1)];
    assert!(page.records.is_empty() || bytes(before_the_last) < limits.bytes, "a page goes on past {}", limits.bytes);
    assert!(!page.limited || !page.records.is_empty(), "a page that ends at its limit shows where it ended");
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let options = EngineOptions {
            memtable_max_records: random.usize(1..300),
            background_compaction: random.bool(),
            ..EngineOptions::default()
        };
        println!("KSTONE_SEED={seed} {options:?}");
        Self { engine: Engine::new(options).expect("created"), model: BTreeMap::new(), random }
    }

    fn fork(&mut self) -> Self {
        let (engine, ()) = self.engine.fork(|| ()).expect("forked");
        Self { engine, model: self.model.clone(), random: self.random.fork() }
    }

    /// What is counted with every write is what there is.
    fn check_counts(&self) {
        let bytes = self.model.iter().map(|(pair, body)| Record::footprint_of(key(pair), body));
        let stats = self.engine.stats().expect("counted");
        assert_eq!((stats.items, stats.live_bytes), (self.model.len() as u64, bytes.sum()));
        assert_eq!(self.engine.count(), Ok(stats.items));
        let entries = self.engine.scan(ScanRange::all().in_keyspace(Keyspace::Index), NO_LIMIT).expect("scanned");
        let entry_bytes: usize = entries.records.iter().map(Record::footprint).sum();
        assert_eq!((stats.index_entries, stats.index_entry_bytes), (entries.records.len() as u64, entry_bytes));
    }

    fn check_everything(&mut self) {
        self.check_scan();
        self.check_counts();
    }
}

fn seed() -> u64 {
    from_environment("KSTONE_SEED").unwrap_or_else(|| fastrand::u64(..))
}

fn operations() -> u64 {
    from_environment("KSTONE_OPERATIONS").unwrap_or(200_000)
}

#[test]
fn random_operations_agree_with_an_ordered_map() {
    let mut run = Run::new(seed());
    for _ in 0..operations() {
        run.step();
    }
    run.check_everything();
    let stats = run.engine.stats().expect("counted");
    assert!(stats.flushes > 100 && stats.compactions > 100, "the run reached both: {stats:?}");
}

#[test]
fn forks_and_their_parents_each_agree_with_a_map_of_their_own() {
    let mut random = fastrand::Rng::with_seed(seed());
    let mut family = vec![Run::new(random.u64(..))];
    for _ in 0..operations() / 100 {
        let one = random.usize(..family.len());
        match random.u32(..10) {
            0 if family.len() < 5 => {
                let fork = family[one].fork();
                family.push(fork);
            }
            1 if family.len() > 1 => drop(family.swap_remove(one)),
            _ => (0..100).for_each(|_| family[one].step()),
        }
    }
    family.iter_mut().for_each(Run::check_everything);
}

#[test]
fn parent_and_forks_are_isolated_while_all_are_written_at_once() {
    let mut parent = Run::new(seed());
    for _ in 0..operations() / 20 {
        parent.step();
    }
    for _ in 0..5 {
        let mut family: Vec<Run> = (0..3).map(|_| parent.fork()).collect();
        std::thread::scope(|scope| {
            for run in family.iter_mut().chain([&mut parent]) {
                scope.spawn(|| {
                    for _ in 0..operations() / 40 {
                        run.step();
                    }
                    run.check_everything();
                });
            }
        });
    }
}
