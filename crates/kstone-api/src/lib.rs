//! DynamoDB's data model in memory: items of typed attributes under a partition key and an optional sort key.
//!
//! ```
//! use kstone_api::{Database, ItemBuilder, Query};
//!
//! let db = Database::create_in_memory()?;
//! let item = ItemBuilder::new().string("name", "Alice").number("age", 30).build();
//! db.put(b"user#1", item)?;
//! assert!(db.get(b"user#1")?.is_some());
//!
//! let page = db.query(Query::new().partition_key(b"user#1").build())?;
//! assert_eq!(page.items[0]["name"].as_string(), Some("Alice"));
//! # Ok::<(), kstone_api::Error>(())
//! ```
//!
//! Nothing survives the process and nothing is written to disk, but for what a [`snapshot`] or an
//! [export](Database::export_json) is asked to. Every type here may be used from any thread.

mod bindings;
pub mod clock;
mod commit;
mod configure;
mod database;
mod expiries;
mod export;
pub mod expression;
mod file;
mod fork;
mod import;
pub mod index;
mod item_builder;
mod item_check;
pub mod json;
mod operation;
mod options;
mod page;
mod partiql;
mod query;
mod read;
mod records;
mod room;
mod scan;
mod schema;
pub mod snapshot;
mod stats;
pub mod stream;
mod table;
mod token;
mod transaction;
pub mod ttl;
mod walk;
mod write;

pub use database::Database;
pub use import::{IMPORT_LINE_MAX_BYTES, ImportOptions, ImportReport, SKIPPED_SHOWN, SkippedRecord};
pub use item_builder::ItemBuilder;
pub use kstone_core::engine::{
    Eviction, MEMORY_MAX_BYTES_MIN, MEMTABLE_MAX_RECORDS, MEMTABLE_MAX_RECORDS_LIMIT, Present,
};
pub use kstone_core::error::{CancellationReason, Error, IoCause, Position, Result, Unit};
pub use kstone_core::item::{ItemRef, ItemWriter, ValueRef, is_plain_path};
pub use kstone_core::key::{Key, KeyRef};
pub use kstone_core::record::{Record, RecordRef};
pub use kstone_core::utf8;
pub use kstone_core::value::{Item, Type, Value as KeystoneValue};
pub use operation::{Operation, TransactError};
pub use options::DatabaseOptions;
pub use page::{Page, QueryResult};
pub use partiql::{BATCH_STATEMENTS_MAX, STATEMENT_MAX_CHARS, Statement, StatementResult};
pub use query::{Query, Select, SortKeyCondition};
pub use records::Records;
pub use scan::Scan;
pub use schema::{
    GLOBAL_INDEXES_MAX, GlobalSecondaryIndex, LOCAL_INDEXES_MAX, LocalSecondaryIndex, PROJECTED_ATTRIBUTES_MAX,
    Projection, StreamSpecification, TableSchema,
};
pub use snapshot::SnapshotProgress;
pub use stats::Stats;
pub use stream::StreamViewType;
pub use transaction::{BATCH_GETS_MAX, BATCH_WRITES_MAX, TRANSACTION_MAX, TransactWriteRequest};
pub use write::Write;
