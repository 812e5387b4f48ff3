//! How kstone keeps records: an in-memory LSM of 256 stripes.
//!
//! From the outside in: [`engine`] routes a key to its stripe and owns the order of locks; a stripe is one lock
//! around a memtable, a WAL segment and a few SSTs; `merge` reads them newest first; compaction keeps them few.
//! What is stored is a [`record::Record`]: one counted, immutable buffer of key and item. [`item`] reads the item's
//! attributes in place; [`value`] is the owned form callers build.
//!
//! # Invariants
//! 1. A stripe is its own world; an operation that needs several locks them in ascending order.
//! 2. The newest version of a key wins everywhere, and a delete hides every older one, after flush and compaction too.
//! 3. A query touches only the records of its partition and range, and stops at its limit.
//! 4. A lock is held for the look-up, never while the caller reads an item.
//! 5. An item's bytes exist once: flush and compaction move references.

pub mod buffer;
mod compaction;
pub mod engine;
pub mod error;
mod filter;
pub mod freed;
pub mod in_order;
pub mod item;
pub mod key;
pub mod key_layout;
pub mod label;
mod live_counts;
mod live_index;
pub mod memory_sst;
pub mod memory_wal;
mod memtable;
mod merge;
mod merge_runs;
mod mode;
pub mod number;
mod page_buffer;
mod poison_lock;
mod prefetch;
mod raw;
pub mod record;
mod run;
mod same;
mod search;
mod second_chance;
mod shared;
mod source;
mod span;
mod stripe;
mod tag;
mod tree;
pub mod typed_key;
pub mod value;

pub use error::{Error, Result};
pub use raw::text::utf8;
