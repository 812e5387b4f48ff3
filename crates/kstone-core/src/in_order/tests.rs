use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;

/// Work on a part, which takes longer for some.
fn spin(part: usize) -> usize {
    let turns = if part.is_multiple_of(7) { 20_000 } else { 100 };
    for turn in 0..turns {
        std::hint::black_box(turn);
    }
    part
}

fn counting(parts: usize) -> impl FnMut() -> Result<Option<usize>, String> {
    let mut parts = 0..parts;
    move || Ok(parts.next())
}

#[test]
fn results_are_taken_in_the_order_of_their_parts() {
    for parts in [0, 1, 2, PENDING_MAX, 5_000] {
        let mut taken = Vec::new();
        in_order(counting(parts), spin, |part| {
            taken.push(part);
            Ok(())
        })
        .expect("nothing fails");
        assert_eq!(taken, (0..parts).collect::<Vec<_>>());
    }
}

/// This thread works on no part but the first one before a helper has come.
#[test]
fn helpers_share_the_work_of_several_parts() {
    if available_parallelism().is_ok_and(|processors| processors.get() == 1) {
        return;
    }
    let caller = thread::current().id();
    let helped = Arc::new((Mutex::new(false), Condvar::new()));
    let work = move |part| {
        let (came, changed) = &*helped;
        let mut came = came.lock();
        if thread::current().id() != caller {
            *came = true;
            changed.notify_all();
        }
        while part > 0 && !*came {
            changed.wait(&mut came);
        }
        part
    };
    in_order(counting(100), work, |_| Ok(())).expect("nothing fails");
}

#[test]
fn one_part_starts_no_thread() {
    let take = |thread| {
        assert_eq!(thread, thread::current().id());
        Ok(())
    };
    in_order(counting(1), |_| thread::current().id(), take).expect("nothing fails");
}

#[test]
fn an_error_of_reading_comes_after_what_was_read_before() {
    let mut parts = 0;
    let read = || {
        parts += 1;
        if parts <= 100 { Ok(Some(parts)) } else { Err("read".to_owned()) }
    };
    let mut taken = 0;
    let failed = in_order(read, spin, |_| {
        taken += 1;
        Ok(())
    });
    assert_eq!((failed, taken), (Err("read".to_owned()), 100));
    let mut parts = 0;
    let read = || {
        parts += 1;
        if parts <= 100 { Ok(Some(parts)) } else { Err("read".to_owned()) }
    };
    let take = |part| if part == 100 { Err("taken".to_owned()) } else { Ok(()) };
    assert_eq!(in_order(read, spin, take), Err("taken".to_owned()));
}

#[test]
fn few_parts_are_read_and_not_taken() {
    let pending = AtomicUsize::new(0);
    let mut parts = 0..2_000;
    let read = || {
        assert!(pending.load(SeqCst) < PENDING_MAX);
        let part = parts.next();
        pending.fetch_add(usize::from(part.is_some()), SeqCst);
        Ok::<_, String>(part)
    };
    in_order(read, spin, |_| {
        pending.fetch_sub(1, SeqCst);
        Ok(())
    })
    .expect("nothing fails");
}

#[test]
fn a_panic_of_the_work_goes_on_in_the_caller() {
    for bad in [0, 1, 50, 99] {
        let work = move |part| if part == bad { panic!("part {bad}") } else { spin(part) };
        let caught = catch_unwind(AssertUnwindSafe(|| in_order(counting(100), work, |_| Ok(()))));
        let message = caught.expect_err("it panics").downcast::<String>().expect("a formatted message");
        assert_eq!(*message, format!("part {bad}"));
    }
}

#[test]
fn helpers_have_ended_when_the_call_returns() {
    let held = Arc::new(());
    for stop_at in [3, 1_000] {
        let its = Arc::clone(&held);
        let work = move |part| (Arc::strong_count(&its), part);
        let take = |(_, part)| if part == stop_at { Err("enough".to_owned()) } else { Ok(()) };
        assert!(in_order(counting(1_001), work, take).is_err());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

#[test]
fn a_child_process_is_not_at_home() {
    let home = AtomicU32::new(0);
    let (parent, child) = (5, 6);
    assert!(is_home_of(&home, parent) && is_home_of(&home, parent));
    assert!(!is_home_of(&home, child));
    assert!(is_at_home());
}
