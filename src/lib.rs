//! The C ABI of kstone: `libkstone.so`, `libkstone.a` and `include/kstone.h`.
//!
//! Nothing here knows how items are kept; every function checks its arguments, calls `kstone_api` and turns the answer
//! into handles, bytes and a status. The header's declarations and comments are made of this crate (`scripts/header`), so
//! doc comments of exported functions are written for C programmers: what the function does, ownership, errors, cost
//! and threads.
//!
//! # Map: each layer knows only those below it
//! ```text
//! library                                                                        kstone_free knows every handle
//! account                                                                        DynamoDB's operations, and tables
//! batch  prepared  execute  iter  cursor  page  write  stored  access            requests
//! callback  snapshot  transfer  schema  stats  maintenance  database             a database as a whole
//! response  account_options                                                      what requests get, and accounts
//! nested  value  bound  item  item_build  error  spec  cond  options  import_spec  items, errors, structs
//! item_view  built_item  json_form  nearest                                      items that come in
//! boundary                                                                       what every call crosses
//! ```
//!
//! # Invariants
//! 1. Directly before every pointer handed out lies a `Tag`: one `kstone_free` releases everything, and a
//!    handle of the wrong kind is refused instead of being believed.
//! 2. No panic leaves the crate: every exported function that can panic is an `entry!` or an `accessor!`.
//! 3. Outputs are written after everything that can fail, so a failed call has written none.
//! 4. An item that was read *is* its stored record: reading allocates nothing and copies no byte of the item.
//!
//! # Thread safety
//! Databases, accounts, items that were read, pages and errors may be used by any number of threads at once, every other handle by
//! one at a time. There is no global state but the freed items of `built_item`, which belong to their thread.
#![expect(clippy::missing_safety_doc, reason = "boundary::contract says it once for every exported function")]
#![expect(unsafe_code, reason = "the C ABI: raw pointers come in and go out here, and nowhere else above the core")]

pub mod access;
pub mod account;
pub mod account_options;
#[cfg(feature = "mimalloc")]
mod allocator;
pub mod attribute;
pub mod batch;
pub mod bound;
pub mod boundary;
mod built_item;
pub mod callback;
mod cancellation;
pub mod cond;
pub mod cursor;
pub mod database;
pub mod error;
pub mod execute;
pub mod import_spec;
pub mod item;
pub mod item_build;
pub mod item_view;
pub mod iter;
pub mod json_form;
pub mod library;
pub mod maintenance;
pub mod many;
mod nearest;
pub mod nested;
pub mod options;
pub mod page;
pub mod prepared;
pub mod response;
pub mod schema;
pub mod snapshot;
pub mod spec;
pub mod stats;
pub mod stored;
pub mod transfer;
pub mod value;
pub mod write;

/// The library's memory, not that of the program it is loaded into.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

/// Gives free memory back to the system, where the library has an allocator of its own.
fn give_memory_back() {
    #[cfg(feature = "mimalloc")]
    allocator::give_back();
}

#[cfg(test)]
mod tests;
