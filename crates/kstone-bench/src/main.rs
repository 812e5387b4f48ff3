//! The yardstick: kstone through its C ABI compared with other stores.
//!
//! ```text
//! main ─ args      what to do
//!      ├ run       the rounds: interleaves the systems ─── process ┐ a process for each system and stage
//!      │                                                          serve ─ runner ─ peers/*   stores
//!      │                                                                ├ calls            flush, items, JSON
//!      │                                                                ├ documents        indexes, filters
//!      │                                                                └ data, workload, store, clock, memory
//!      └ results ─ report, bars, plot
//! ```
//! **Fair.** Every system holds the same keys of 16 bytes, put in the same random order, and values of 100 bytes, which
//! kstone's peers store and copy out as bytes; kstone builds an item with the value as its one attribute, puts it and
//! frees it, and on a read gets the item, finds the attribute, copies its bytes out and frees the item. Transactional
//! peers have one transaction for a whole workload. The peers use the system's allocator, kstone the one inside it; with
//! the feature `mimalloc` the peers in Rust have the same, for a second table. After each load a sample of the
//! records is compared with what was put, and every workload checks how many values it saw.
//!
//! **Time** is that of a whole workload by the monotonic clock, divided by its operations; of the rounds the medians
//! count, and the spread is shown. In each round every workload is run by one system after another before the next
//! workload begins, in an order that rotates, so that a slow moment of the machine hits all alike. Where others use the
//! same cores, `--clock cpu` shows the CPU time of the threads instead.
//!
//! **Keys** are prepared, in an array, or fresh: written in two pieces right before the call, see [`data::FreshKey`].
//!
//! Reads by key in a loop are independent, so that a processor overlaps the waits for memory of several: the more, the
//! fewer instructions each has. `get-chain` shows the time of one read by itself.
//!
//! **Memory** is the growth of the process's private resident memory by the load, and of files on a RAM disk.

mod args;
mod bars;
mod calls;
mod clock;
mod data;
mod documents;
mod ffi;
mod memory;
mod peers;
mod plot;
mod process;
mod report;
mod results;
mod run;
mod runner;
mod snapshots;
mod stats;
mod store;
mod workload;

use std::process::ExitCode;

use args::Command;
use store::Result;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match act() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kstone-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn act() -> Result<()> {
    match args::parse(std::env::args_os().skip(1))? {
        Command::Help => {
            print!("{}", args::help());
            Ok(())
        }
        Command::Run(plan) => run::run(plan),
        Command::Child(system, stage, scale) => process::serve(system, stage, scale),
    }
}
