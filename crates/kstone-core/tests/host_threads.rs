//! Threads of a host that are not like others: one that is ending, one with a small stack.

use std::cell::RefCell;
use std::ops::Bound;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::Builder;

use kstone_core::engine::{Cursor, Engine, EngineOptions, Eviction, FillingPart, PageLimits, ScanRange};
use kstone_core::key::{KeyRef, Keyspace};
use kstone_core::record::Record;
use kstone_core::{Error, Result};

const NO_LIMIT: PageLimits = PageLimits::NONE;

fn key(sk: &[u8]) -> KeyRef<'_> {
    KeyRef::new(b"wide partition", sk).expect("valid")
}

/// An engine with an SST over a partition that is wide enough for a filter.
fn engine(background_compaction: bool) -> Engine {
    let options = EngineOptions {
        memory_max_bytes: Some(8 << 20),
        eviction: Eviction::Lru,
        background_compaction,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).expect("created");
    for i in 0..500_u32 {
        engine.put(key(&i.to_be_bytes()), b"body").expect("put");
    }
    engine.flush().expect("flushed");
    engine
}

/// Every kind of operation once; what it finds is right.
fn use_everything(engine: &Engine) -> Result<()> {
    let (present, absent) = (7_u32.to_be_bytes(), 1_000_000_u32.to_be_bytes());
    assert!(engine.get(key(&present))?.is_some() && engine.get(key(&absent))?.is_none());
    assert_eq!(engine.get_many(&[key(&present), key(&absent)])?.iter().flatten().count(), 1);
    assert_eq!(engine.present(&[key(&absent)])?, [None]);
    engine.note_use(key(&present))?;
    engine.delete(key(&absent))?;
    engine.put(key(&present), b"other")?;
    engine.commit(&[key(&absent)], |present| {
        assert!(present.get(key(&absent)).is_none());
        Ok::<_, Error>((vec![Record::put(key(&absent), b"new")], ()))
    })?;
    let all = (Bound::Unbounded, Bound::Unbounded);
    assert_eq!(engine.query(b"wide partition", all, false, NO_LIMIT)?.records.len(), 501);
    assert_eq!(engine.scan(ScanRange::all(), NO_LIMIT)?.records.len(), 501);
    let mut cursor = Cursor::over(engine.view_of_partition(Keyspace::Items, b"wide partition")?);
    assert!(!cursor.scan(ScanRange::all(), NO_LIMIT) && cursor.advance());
    let (fork, ()) = engine.fork(|| ())?;
    fork.delete(key(&absent))?;
    fork.flush()?;
    fork.compact()?;
    fork.clear()?;
    let mut filling = fork.filling();
    let mut part = FillingPart::default();
    part.add(Record::put(key(b"loaded"), b""));
    filling.append(part);
    filling.sorted().expect("one key").install(0, || Ok::<_, Error>(()))?;
    assert_eq!(fork.stats()?.items, 1);
    drop(fork);
    assert!(!engine.take_victims()?.is_empty() && engine.stats()?.items == 501);
    engine.delete(key(&absent)).map(drop)
}

/// Uses an engine when its thread ends.
struct AtThreadExit {
    engine: Arc<Engine>,
    outcome: Sender<Result<()>>,
}

impl Drop for AtThreadExit {
    fn drop(&mut self) {
        let engine = &self.engine;
        let opened = || {
            let other = Engine::new(EngineOptions { background_compaction: true, ..EngineOptions::default() })?;
            other.put(key(b"a"), b"")
        };
        self.outcome.send(use_everything(engine).and_then(|()| opened().map(drop))).expect("the test waits");
    }
}

thread_local! {
    static LAST: RefCell<Option<AtThreadExit>> = const { RefCell::new(None) };
}

/// What a thread keeps for itself is gone when such a destructor runs, so that nothing may need it.
#[test]
fn everything_works_in_a_destructor_that_runs_when_a_thread_ends() {
    for background_compaction in [false, true] {
        let engine = Arc::new(engine(background_compaction));
        let (outcome, outcomes) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Registered before whatever the engine may register, so it runs after that is gone.
                LAST.with_borrow_mut(|last| *last = Some(AtThreadExit { engine: Arc::clone(&engine), outcome }));
                use_everything(&engine).expect("works before");
            });
        });
        assert_eq!(outcomes.recv().expect("it ran"), Ok(()));
        assert!(engine.get(key(&7_u32.to_be_bytes())).expect("not poisoned").is_some());
    }
}

/// Stacks of threads that plugins and languages with light threads run in.
#[test]
fn everything_works_on_a_stack_of_48_kibibytes() {
    let outcome = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&outcome);
    let small = Builder::new().stack_size(48 << 10).spawn(move || {
        let engine = engine(false);
        *noted.lock().expect("one thread") = Some(use_everything(&engine));
    });
    small.expect("spawned").join().expect("it did not overflow");
    assert_eq!(outcome.lock().expect("one thread").take(), Some(Ok(())));
}
