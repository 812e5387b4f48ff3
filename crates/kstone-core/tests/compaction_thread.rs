//! The compaction thread as its host sees it: none unless asked for, named, and deaf to the host's signals.
#![cfg(target_os = "linux")]

use std::fs;

use kstone_core::engine::{Engine, EngineOptions};
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
    // A thread gives itself its name when it begins.
    while threads("kstone-compact").len() < 2 {
        std::thread::yield_now();
    }
    for status in threads("kstone-compact") {
        // All but SIGKILL and SIGSTOP, which nobody blocks, and the two that the C library keeps for itself.
        const CANNOT: u64 = 1 << (9 - 1) | 1 << (19 - 1) | 0b11 << (32 - 1);
        assert_eq!(blocked(&status) | CANNOT, u64::MAX, "{status}");
    }
    assert_eq!(this_thread(), before, "the thread that opens a database keeps its mask");
    drop((engine, fork));
    // It has ended; the system may show it for an instant more.
    while !threads("kstone-compact").is_empty() {
        std::thread::yield_now();
    }
}
