//! The C ABI of kstone: `libkstone.so`, `libkstone.a` and `include/kstone.h`.
//!
//! Nothing here knows how items are kept; every function checks its arguments, calls `kstone_api` and turns the answer
//! into handles, bytes and a status. The header is generated from the doc comments of this crate (see `build.rs`), so
//! they are written for C programmers. A function's cost, owner, errors and threads belong into its doc comment.
//!
//! # Map
//! ```text
//! library  error  database  schema  snapshot  transfer  access  write  batch  execute
//! item  item_build  page  iter  stored                                              the extern "C" functions
//!     │                                               │
//!     ▼                                               ▼
//! boundary   arguments in, outputs out, panics stopped        pool    freed items kept for the next one
//!     │
//!     ▼
//! status  codes and their texts    options, spec, cond  structs that callers fill in
//!     │
//!     ▼
//! handle  the tag before every pointer handed out             text    C strings with such a tag
//! ```
//!
//! # Invariants
//! 1. Directly before every pointer handed out lies a `handle::Kind`: one `kstone_free` releases everything, and a
//!    handle of the wrong kind is refused instead of being believed.
//! 2. No panic leaves the crate: every exported function that can panic runs inside `boundary::enter` or
//!    `boundary::read`.
//! 3. Outputs are written after everything that can fail, so a failed call has written none.
//! 4. An item that was read *is* its stored record: reading allocates nothing and copies no byte of the item.
//!
//! # Thread safety
//! A database may be used by any number of threads, every other handle by one at a time. There is no global state but
//! `pool`, which belongs to its thread.
#![expect(unsafe_code, reason = "the C ABI: raw pointers come in and go out here, and nowhere else above the core")]

pub mod access;
#[cfg(feature = "mimalloc")]
mod allocator;
pub mod batch;
pub mod boundary;
mod cancellation;
pub mod cond;
pub mod database;
pub mod error;
pub mod execute;
mod handle;
pub mod item;
pub mod item_build;
pub mod iter;
pub mod library;
pub mod options;
pub mod page;
mod pool;
pub mod schema;
pub mod snapshot;
pub mod spec;
pub mod status;
pub mod stored;
mod text;
pub mod transfer;
pub mod write;

/// The library's memory, not that of the program it is loaded into.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: allocator::Allocator = allocator::Allocator;

#[cfg(test)]
mod tests;
