//! What a database takes is given back: a counting allocator around everything it does.
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait's implementation")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use kstone_api::{Database, ItemBuilder, Query, Result, Scan};

struct Counting;

thread_local! {
    /// Of this thread alone: the test runner's own threads allocate too, when they like.
    static HELD_BYTES: Cell<isize> = const { Cell::new(0) };
}

fn add(bytes: isize) {
    HELD_BYTES.with(|held| held.set(held.get() + bytes));
}

// SAFETY: every call goes to the system's allocator unchanged; only a counter is added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size() as isize);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        add(-(layout.size() as isize));
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> isize {
    HELD_BYTES.with(Cell::get)
}

#[test]
fn memory_is_small_when_empty_counted_when_full_and_freed_with_the_last_clone() -> Result<()> {
    let before = held();
    let db = Database::create_in_memory()?;
    assert!(held() - before < 8 * 1024, "an empty database takes {} bytes", held() - before);

    for i in 0..50_000 {
        let item = ItemBuilder::new().number("i", i).string("text", "some text that takes a little room").build();
        db.put_with_sk(format!("p{}", i % 5000).as_bytes(), format!("{i}").as_bytes(), item)?;
        if i % 3 == 0 {
            db.delete_with_sk(format!("p{}", i % 4000).as_bytes(), format!("{i}").as_bytes())?;
        }
    }
    let (counted, held_now) = (db.stats()?.total_bytes as f64, (held() - before) as f64);
    assert!((counted / held_now - 1.0).abs() < 0.15, "stats say {counted} bytes, the allocator {held_now}");

    let iterator = db.iter_scan(&Scan::new())?;
    let page = db.query_page(&Query::new().partition_key(b"p1"))?;
    let clone = db.clone();
    drop((db, iterator, page));
    assert!(held() - before > 1 << 20, "a clone keeps the database");
    drop(clone);
    assert_eq!(held(), before, "dropping the last clone frees everything");
    Ok(())
}
