//! One run of each fuzzer: bytes in, and whatever they are, the call ends, panics nowhere, and what fails has changed
//! nothing.
//!
//! One module per door that data comes in through. libFuzzer drives them (`fuzz_targets/`, `scripts/fuzz`); a test of
//! `kstone-api` drives [`statement`] with mutations from a seed.

pub mod account_call;
pub mod c_calls;
pub mod condition;
pub mod csv;
mod database;
pub mod dynamodb_request;
#[expect(dead_code, reason = "of the command's failures its reader of rows knows one")]
#[path = "../../crates/kstone-cli/src/failure.rs"]
mod failure;
pub mod import_lines;
pub mod json;
pub mod key_condition;
mod parameters;
pub mod projection;
pub mod schema;
pub mod snapshot;
pub mod statement;
pub mod stored_form;
pub mod update;
