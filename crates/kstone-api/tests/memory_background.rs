//! Memory where another thread merges: what the whole process holds, by a counting allocator.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait's implementation")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::Duration;

use kstone_api::{Database, DatabaseOptions, Eviction, ItemWriter, Result};
use parking_lot::Mutex;

struct Counting;

/// Of all threads; so one test at a time, and what the test runner allocates meanwhile is little.
static HELD_BYTES: AtomicIsize = AtomicIsize::new(0);
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD_BYTES.fetch_add(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        HELD_BYTES.fetch_sub(layout.size() as isize, Ordering::Relaxed);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> isize {
    HELD_BYTES.load(Ordering::Relaxed)
}

fn key(i: usize) -> Vec<u8> {
    format!("key-{i:012}").into_bytes()
}

fn body(i: usize) -> Vec<u8> {
    ItemWriter::new().set_str("text", &format!("{i:0100}")).expect("fits").finish().to_vec()
}

fn background() -> DatabaseOptions {
    DatabaseOptions { background_compaction: true, ..DatabaseOptions::default() }
}

#[test]
fn overwriting_never_holds_more_than_two_and_a_half_times_what_is_live() -> Result<()> {
    const KEYS: usize = 10_000;
    let _alone = ONE_AT_A_TIME.lock();
    for memtable_max_records in [0, 20] {
        let keys: Vec<Vec<u8>> = (0..KEYS).map(key).collect();
        let bodies = [body(1), body(2)];
        let before = held();
        let db = Database::create_in_memory_with_options(DatabaseOptions { memtable_max_records, ..background() })?;
        for key in &keys {
            db.put_body(key, b"", &bodies[0])?;
        }
        let live = db.stats()?.live_bytes as isize;
        for round in 0..150 {
            for (i, key) in keys.iter().enumerate() {
                // In order, against it, and one key many times.
                let key = match round % 10 {
                    9 => &keys[i / 500],
                    even if even % 2 == 0 => key,
                    _ => &keys[KEYS - 1 - i],
                };
                db.put_body(key, b"", &bodies[round % 2])?;
                let holds = held() - before;
                assert!(holds * 2 < live * 5, "{holds} bytes, {live} of them live, in round {round}");
            }
        }
        assert_eq!(db.stats()?.live_bytes as isize, live);
    }
    Ok(())
}

/// What the queue of those to evict holds of the past is counted and released, on whichever thread merges happen.
#[test]
fn eviction_pins_nothing_that_is_not_counted() -> Result<()> {
    let _alone = ONE_AT_A_TIME.lock();
    for options in [DatabaseOptions::default(), background()] {
        let before = held();
        let limit = 8 << 20;
        let db = Database::create_in_memory_with_options(DatabaseOptions {
            memory_max_bytes: limit as usize,
            eviction: Eviction::Lru,
            memtable_max_records: 20,
            ..options
        })?;
        for i in 0..80_000 {
            db.put_body(&key(i), b"", &body(i))?;
        }
        assert!(db.stats()?.evictions > 20_000, "there is a queue");
        for round in 0..10 {
            for i in 60_000..80_000 {
                db.put_body(&key(i), b"", &body(i + round))?;
                let holds = held() - before;
                assert!(holds < limit + limit / 8, "{holds} bytes in round {round}");
            }
        }
        assert_counted(&db, before)?;
        for i in 0..80_000 {
            db.delete(&key(i))?;
        }
        assert_counted(&db, before)?;
        let left = held() - before;
        assert!(left < limit / 20 + 256 * 1024, "{left} bytes are left");
    }
    Ok(())
}

/// The statistics agree with the allocator, once the thread has done its work.
fn assert_counted(db: &Database, before: isize) -> Result<()> {
    for _ in 0..1000 {
        let (holds, counted) = ((held() - before) as f64, db.stats()?.total_bytes as f64);
        if (counted / holds - 1.0).abs() < 0.15 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("stats say {:?}, the allocator {}", db.stats()?, held() - before)
}
