//! The compaction thread as its host sees it: none unless asked for, named, and deaf to the host's signals.
#![cfg(target_os = "linux")]

use std::fs;

use kstone_core::engine::{Engine, EngineGroup, EngineOptions, EngineOrdinal};
use kstone_core::key::KeyRef;

/// The status of each thread of this process that has this name.
fn threads(name: &str) -> Vec<String> {
    let tasks = fs::read_dir("/proc/self/task").expect("Linux shows threads");
    let status = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("status")).ok());
    status.filter(|status| status.lines().next().is_some_and(|line| line.ends_with(name))).collect()
}

/// Which signals the thread of this status blocks, bit 0 for signal 1.
fn blocked(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("hexadecimal")
}

/// A thread gives itself its name when it begins, and the system may show one that has ended for an instant more.
fn await_threads(count: usize) {
    while threads("kstone-compact").len() != count {
        std::thread::yield_now();
    }
}

#[test]
fn the_compaction_thread_is_started_when_asked_for_and_blocks_the_signals_of_the_host() {
    let this_thread = || blocked(&fs::read_to_string("/proc/thread-self/status").expect("Linux shows threads"));
    let before = this_thread();
    let engine = Engine::new(EngineOptions::default()).expect("created");
    engine.put(KeyRef::new(b"a", b"").expect("valid"), b"").expect("put");
    let (fork, ()) = engine.fork(|| ()).expect("forked");
    assert!(threads("kstone-compact").is_empty(), "nobody has asked for it");
    drop((engine, fork));

    let options = EngineOptions { background_compaction: true, ..EngineOptions::default() };
    let engine = Engine::new(options).expect("created");
    let (fork, ()) = engine.fork(|| ()).expect("forked");
    await_threads(2);
    for status in threads("kstone-compact") {
        // All but SIGKILL and SIGSTOP, which nobody blocks, and the two that the C library keeps for itself.
        const CANNOT: u64 = 1 << (9 - 1) | 1 << (19 - 1) | 0b11 << (32 - 1);
        assert_eq!(blocked(&status) | CANNOT, u64::MAX, "{status}");
    }
    assert_eq!(this_thread(), before, "the thread that opens a database keeps its mask");
    drop((engine, fork));
    await_threads(0);

    // Engines of a group share one, which stops with the last of them.
    let group = EngineGroup::new(options).expect("created");
    let (one, other) = (group.engine(EngineOrdinal(1)), group.engine(EngineOrdinal(2)));
    await_threads(1);
    let (fork, ()) = one.fork_into(&group, || ()).expect("forked");
    assert_eq!(threads("kstone-compact").len(), 1);
    drop((group, one, fork));
    assert_eq!(threads("kstone-compact").len(), 1);
    drop(other);
    await_threads(0);
}
