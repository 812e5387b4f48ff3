//! Statements from libFuzzer. `scripts/fuzz partiql` builds and runs it; so does `cargo +nightly fuzz run partiql`.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/statement.rs"]
mod statement;

fuzz_target!(|data: &[u8]| statement::execute(data));
