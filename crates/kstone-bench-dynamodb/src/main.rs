//! DynamoDB's operations, JSON in and JSON out: kstone's account through its C ABI, and dynoxide embedded, in one run.
//!
//! ```text
//! main ─ args ─ run ─┬ requests   the bodies, made before anything is timed
//!                    ├ engine     what both sides do: a request in, an answer out
//!                    │  ├ account    kstone_account_call, the response used again
//!                    │  └ peer       dynoxide: serde_json in, its method, serde_json out
//!                    └ report     medians, ratios and bars
//! ```
//! **Fair.** Both hold the same tables and get the same bytes in the same order; before anything is timed, the answers of
//! both to one request of each kind are compared as JSON. dynoxide is called in the quickest way that its library has: a
//! request read from the bytes by serde, the method, the answer written by serde into a buffer that is used again.
//!
//! **Time** is that of a whole workload by the monotonic clock and by the thread's CPU time, divided by its operations.
//! In each round one side runs a workload right after the other, which of them first changes from round to round; the
//! medians of the rounds count.

mod account;
mod args;
mod engine;
mod peer;
mod report;
mod requests;
mod run;

use std::process::ExitCode;

/// What goes wrong here is shown and ends the run.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = args::parse(std::env::args_os().skip(1)).and_then(|plan| match plan {
        Some(plan) => run::run(&plan).map(|measured| print!("{}", report::text(&plan, &measured))),
        None => {
            print!("{}", args::HELP);
            Ok(())
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kstone-bench-dynamodb: {error}");
            ExitCode::FAILURE
        }
    }
}
