//! Order and loss under threads: what the stripes' locks are to the engine, a lock for each key is here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const WRITERS: usize = 4;
const KEYS: usize = 16;
const WRITES: usize = 5_000;

struct Table {
    stream: Stream,
    keys: Vec<Mutex<Option<Record>>>,
}

impl Table {
    fn new(stream: Stream) -> Self {
        Self { stream, keys: (0..KEYS).map(|_| Mutex::new(None)).collect() }
    }

    /// Writes to two keys as one, under both their locks; a delete for every fifth write.
    fn write(&self, random: &mut fastrand::Rng, text: &str) {
        let (a, b) = (random.usize(..KEYS), random.usize(..KEYS));
        let mut present: Vec<_> = if a == b { vec![a] } else { vec![a.min(b), a.max(b)] }
            .into_iter()
            .map(|at| (format!("k{at}"), self.keys[at].lock()))
            .collect();
        let mut changes = Vec::new();
        for (pk, slot) in &mut present {
            let written = if random.u8(..5) == 0 { gone(pk) } else { put(pk, text) };
            changes.extend(self.stream.change(slot.as_ref(), &written));
            **slot = Some(written).filter(|written| !written.is_tombstone());
        }
        let garbage = self.stream.append(changes, NOW);
        drop(present);
        drop(garbage);
    }

    fn write_from_threads(&self, done: &AtomicBool) {
        std::thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(writer as u64);
                    for i in 0..WRITES {
                        self.write(&mut random, &format!("{writer}/{i}"));
                    }
                });
            }
        });
        done.store(true, Ordering::Release);
    }
}

fn text(record: &Record) -> &str {
    record.item().get("t").unwrap().as_str().unwrap()
}

/// Plays the stream back, checking that each event fits the state its key is in.
#[derive(Default)]
struct Replay {
    state: HashMap<Vec<u8>, Record>,
    last: u64,
    /// Places of each write's events.
    writes: HashMap<String, Vec<u64>>,
}

impl Replay {
    fn apply(&mut self, record: &StreamRecord) {
        assert_eq!(record.sequence_number(), self.last + 1, "no gap and no repetition");
        self.last += 1;
        let before = match record.new_image() {
            Some(new) => {
                self.writes.entry(text(new).to_owned()).or_default().push(self.last);
                self.state.insert(record.pk().to_vec(), new.clone())
            }
            None => self.state.remove(record.pk()),
        };
        assert!(is_same(record.old_image(), before.as_ref()), "the version that the last event of the key left");
        let expected = match (record.old_image(), record.new_image()) {
            (None, Some(_)) => EventName::Insert,
            (Some(_), Some(_)) => EventName::Modify,
            _ => EventName::Remove,
        };
        assert_eq!(record.event_name(), expected);
    }
}

#[test]
fn one_order_of_four_writers_agrees_with_the_order_of_each_key() {
    let table = Table::new(stream(StreamViewType::NewAndOldImages));
    let done = AtomicBool::new(false);
    let replays = std::thread::scope(|scope| {
        let readers: Vec<_> = [7, 1000]
            .map(|max| {
                let (table, done) = (&table, &done);
                scope.spawn(move || {
                    let mut replay = Replay::default();
                    loop {
                        let last_round = done.load(Ordering::Acquire);
                        let records = table.stream.read(replay.last, max).unwrap();
                        records.iter().for_each(|record| replay.apply(record));
                        if records.is_empty() && last_round {
                            return replay;
                        }
                    }
                })
            })
            .into();
        table.write_from_threads(&done);
        readers.into_iter().map(|reader| reader.join().unwrap()).collect::<Vec<_>>()
    });
    for replay in replays {
        assert_eq!(replay.last, table.stream.stats().last);
        for (at, slot) in table.keys.iter().enumerate() {
            let replayed = replay.state.get(format!("k{at}").as_bytes());
            assert!(is_same(replayed, slot.lock().as_ref()), "the stream leads to what the table holds");
        }
        // A write has one event or two, and two stand side by side.
        assert!(replay.writes.values().all(|at| at.len() == 1 || at[..] == [at[0], at[0] + 1]));
        assert!(replay.writes.values().any(|at| at.len() == 2));
    }
}

#[test]
fn a_slow_reader_of_a_small_ring_never_misses_a_record_without_being_told() {
    let table = Table::new(bounded(50, 0));
    let done = AtomicBool::new(false);
    let (read, lost) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut after, mut read, mut lost) = (0, 0, 0);
            loop {
                let last_round = done.load(Ordering::Acquire);
                match table.stream.read(after, 10) {
                    Ok(records) if records.is_empty() && last_round => return (read, lost),
                    Ok(records) => {
                        for record in records {
                            assert_eq!(record.sequence_number(), after + 1);
                            after += 1;
                            read += 1;
                        }
                    }
                    Err(Error::Trimmed { after: behind, oldest }) => {
                        assert!(behind == after && oldest > after + 1);
                        lost += oldest - 1 - after;
                        after = oldest - 1;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        });
        table.write_from_threads(&done);
        reader.join().unwrap()
    });
    let StreamStats { records, last, oldest, .. } = table.stream.stats();
    assert_eq!((records, oldest), (50, last - 49));
    assert_eq!(read + lost, last);
}

/// Reads at every hold's border while another thread trims: what comes is without gaps.
#[test]
fn a_read_of_many_holds_is_without_gaps_while_the_ring_is_trimmed_and_cleared() {
    let stream = bounded(300, 0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..40_000 {
                drop(stream.append(stream.change(None, &put("k", "x")), NOW));
                if i % 5_000 == 4_999 {
                    drop(stream.clear());
                }
            }
            done.store(true, Ordering::Release);
        });
        while !done.load(Ordering::Acquire) {
            let after = stream.stats().oldest - 1;
            if let Ok(records) = stream.read(after, 1000) {
                let expected: Vec<_> = (after + 1..).take(records.len()).collect();
                assert_eq!(numbers(&records), expected);
            }
        }
    });
    assert_eq!(stream.stats().last, 40_000 + 8);
}
