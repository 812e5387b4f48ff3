//! The rules of each operation that need no table: one file each, with its [`Pipeline`].
//!
//! An operation that is not named here has no rules between its members: its shape says all.

mod account_limits;
mod backups;
mod batch_execute_statement;
mod batch_get_item;
mod batch_write_item;
mod continuous_backups;
mod control_plane;
mod create_table;
mod delete_item;
mod delete_table;
mod describe_stream;
mod describe_table;
mod encryption;
mod execute_statement;
mod execute_transaction;
mod exports;
mod get_item;
mod get_records;
mod get_shard_iterator;
mod imports;
mod index_change;
mod indexes;
mod insights;
mod item_collections;
mod item_pages;
mod key_paths;
mod list_streams;
mod list_tables;
mod many;
mod not_here;
mod pages;
mod policy;
mod put_item;
mod query;
mod restore;
mod scan;
mod search_vectors;
mod statements;
mod steps;
mod streams;
mod table_change;
mod tables;
mod tags;
mod time_to_live;
mod transact_get_items;
mod transact_write_items;
mod update_item;
mod update_table;
mod vectors;
mod written;

pub(crate) use tables::new_id;

use crate::call::CarryOut;
use crate::pipeline::{self, Pipeline};
use crate::refusal::{Cohort, Refusal};
use crate::request::Request;

/// Checks the rules between the members of a request whose shape is right.
pub(crate) fn check(request: &Request<'_>, cohort: Cohort) -> Result<(), Refusal> {
    match pipeline(request.operation().name) {
        Some(pipeline) => pipeline::run(pipeline, request, cohort),
        None => Ok(()),
    }
}

/// The rules of an operation, if it has any.
fn pipeline(operation: &str) -> Option<&'static Pipeline> {
    Some(match operation {
        "BatchGetItem" => &batch_get_item::PIPELINE,
        "BatchWriteItem" => &batch_write_item::PIPELINE,
        "CreateTable" => &create_table::PIPELINE,
        "DeleteItem" => &delete_item::PIPELINE,
        "ExecuteStatement" => &statements::ONE,
        "ExecuteTransaction" => &statements::TRANSACTION,
        "GetItem" => &get_item::PIPELINE,
        "GetShardIterator" => &get_shard_iterator::PIPELINE,
        "ListTagsOfResource" => &tags::LIST,
        "PutItem" => &put_item::PIPELINE,
        "Query" => &query::PIPELINE,
        "Scan" => &scan::PIPELINE,
        "SearchVectors" => &search_vectors::PIPELINE,
        "TagResource" => &tags::TAG,
        "TransactGetItems" => &transact_get_items::PIPELINE,
        "TransactWriteItems" => &transact_write_items::PIPELINE,
        "UntagResource" => &tags::UNTAG,
        "UpdateItem" => &update_item::PIPELINE,
        "UpdateTable" => &update_table::PIPELINE,
        _ => return None,
    })
}

/// What carries out an operation.
pub(crate) fn carry_out(operation: &str) -> Option<CarryOut> {
    Some(match operation {
        "BatchExecuteStatement" => batch_execute_statement::carry_out,
        "BatchGetItem" => batch_get_item::carry_out,
        "BatchWriteItem" => batch_write_item::carry_out,
        "DeleteItem" => delete_item::carry_out,
        "DescribeStream" => describe_stream::carry_out,
        "ExecuteStatement" => execute_statement::carry_out,
        "ExecuteTransaction" => execute_transaction::carry_out,
        "GetItem" => get_item::carry_out,
        "GetRecords" => get_records::carry_out,
        "GetShardIterator" => get_shard_iterator::carry_out,
        "ListStreams" => list_streams::carry_out,
        "PutItem" => put_item::carry_out,
        "Query" => query::carry_out,
        "Scan" => scan::carry_out,
        "SearchVectors" => search_vectors::carry_out,
        "TransactGetItems" => transact_get_items::carry_out,
        "TransactWriteItems" => transact_write_items::carry_out,
        "UpdateItem" => update_item::carry_out,
        _ => return control_plane::carry_out(operation),
    })
}
