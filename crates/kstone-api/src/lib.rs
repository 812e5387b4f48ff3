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
//! A [`Database`] is one [`Table`]; an [`Account`] has any number of them, by name, which are seen and written together.
//!
//! Nothing survives the process and nothing is written to disk, but for what a [`snapshot`] or an
//! [export](Table::export_json) is asked to. Every type here may be used from any thread.

mod account;
mod database;
pub mod error;
pub mod expression;
mod interrupt;
mod model;
mod partiql;
mod request;
mod table;
mod transfer;

pub use account::{Account, AccountView, NamesTable, TableView};
pub use database::Database;
pub use error::{CancellationReason, Error, IoCause, Position, Result};
pub use interrupt::Interrupt;
/// Why a key, an item or a number is refused by the storage engine below; becomes an [`Error`] by `?`.
pub use kstone_core::Error as CoreError;
pub use kstone_core::engine::{
    Eviction, GLANCE_KEY_BYTES, MEMORY_MAX_BYTES_MIN, MEMTABLE_MAX_RECORDS, MEMTABLE_MAX_RECORDS_LIMIT, Present,
};
pub use kstone_core::error::Unit;
pub use kstone_core::freed::when_much_is_freed;
pub use kstone_core::item::{
    ItemRef, ItemWriter, Member, Members, NAME_MAX_BYTES, NEAR_NAME_BYTES, NestedWriter, ValueRef, is_plain_path,
};
pub use kstone_core::key::{Key, KeyRef, PARTITION_KEY_MAX_BYTES, SORT_KEY_MAX_BYTES};
pub use kstone_core::key_layout::{KeyLayout, KeyPart, KeyType};
pub use kstone_core::number;
pub use kstone_core::record::{Glance, Record, RecordRef};
pub use kstone_core::utf8;
pub use kstone_core::value::{Item, Type, Value as KeystoneValue};
/// What a statement says, taken apart: see [`PreparedStatement::says`].
pub use kstone_expr::partiql::parsed as statement;
pub use model::index_keys::IndexKeys;
pub use model::item_builder::ItemBuilder;
pub use model::options::DatabaseOptions;
pub use model::progress::SnapshotProgress;
pub use model::schema::{
    GLOBAL_INDEXES_MAX, GlobalSecondaryIndex, KEY_PARTS_MAX, LOCAL_INDEXES_MAX, LocalSecondaryIndex,
    PROJECTED_ATTRIBUTES_MAX, Projection, StreamSpecification, TableSchema,
};
pub use model::statistic::Statistic;
pub use model::stats::Stats;
pub use model::{clock, json};
pub use partiql::{PreparedStatement, STATEMENT_MAX_CHARS, Statement, StatementOutcome, StatementResult};
pub use request::cursor::Cursor;
pub use request::key_range::KeyRange;
pub use request::lent_write::LentWrite;
pub use request::operation::{Operation, TransactError};
pub use request::operation_list::OperationList;
pub use request::page::{Page, PageEnd, PageRecord, QueryResult};
pub use request::page_limits::ReadSizes;
pub use request::parsed_write::ParsedWrite;
pub use request::prepared_query::PreparedQuery;
pub use request::prepared_values::PreparedValues;
pub use request::prepared_write::{BoundWrite, PreparedWrite, WriteRun, WriteTemplate};
pub use request::query::Query;
pub use request::read_request::{ReadExpression, ReadKeys, ReadRequest, ReadStart, Select};
pub use request::records::Records;
pub use request::scan::Scan;
pub use request::sort_key::SortKeyCondition;
pub use request::transaction::{TRANSACTION_MAX, TRANSACTION_MAX_BYTES, TransactWriteRequest};
pub use request::write::Write;
pub use table::commit::outcome::{IndexChange, WriteOutcome};
pub use table::stream::StreamViewType;
pub use table::{Table, index, stream, ttl};
pub use transfer::import::{
    IMPORT_LINE_MAX_BYTES, ImportOptions, ImportReport, SKIPPED_SHOWN, SkippedRecord, Unzip, foreign_format,
};
pub use transfer::snapshot;
