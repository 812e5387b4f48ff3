//! What carries out the operations on tables themselves, and on what is kept of them.

use super::{
    account_limits, backups, continuous_backups, create_table, delete_table, describe_table, exports, imports,
    insights, list_tables, not_here, policy, restore, tags, time_to_live, update_table,
};
use crate::call::CarryOut;

/// What carries out an operation of the control plane.
pub(super) fn carry_out(operation: &str) -> Option<CarryOut> {
    Some(match operation {
        "CreateBackup" => backups::create,
        "CreateTable" => create_table::carry_out,
        "DeleteBackup" => backups::delete,
        "DeleteResourcePolicy" => policy::delete,
        "DeleteTable" => delete_table::carry_out,
        "DescribeBackup" => backups::describe,
        "DescribeContinuousBackups" => continuous_backups::describe,
        "DescribeContributorInsights" => insights::describe,
        "DescribeEndpoints" => account_limits::describe_endpoints,
        "DescribeExport" => exports::describe,
        "DescribeImport" => imports::describe,
        "DescribeKinesisStreamingDestination" => not_here::describe_kinesis,
        "DescribeLimits" => account_limits::describe_limits,
        "DescribeTable" => describe_table::carry_out,
        "DescribeTimeToLive" => time_to_live::describe,
        "ExportTableToPointInTime" => exports::export,
        "GetResourcePolicy" => policy::get,
        "ListBackups" => backups::list,
        "ListContributorInsights" => insights::list,
        "ImportTable" => imports::import,
        "ListExports" => exports::list,
        "ListGlobalTables" => not_here::list_global_tables,
        "ListImports" => imports::list,
        "ListTables" => list_tables::carry_out,
        "ListTagsOfResource" => tags::show,
        "PutResourcePolicy" => policy::put,
        "RestoreTableFromBackup" => restore::from_backup,
        "RestoreTableToPointInTime" => restore::to_point_in_time,
        "TagResource" => tags::add,
        "UntagResource" => tags::remove,
        "UpdateContinuousBackups" => continuous_backups::update,
        "UpdateContributorInsights" => insights::update,
        "UpdateTable" => update_table::carry_out,
        "UpdateTimeToLive" => time_to_live::update,
        "CreateGlobalTable"
        | "UpdateGlobalTable"
        | "DescribeGlobalTable"
        | "DescribeGlobalTableSettings"
        | "UpdateGlobalTableSettings"
        | "DescribeTableReplicaAutoScaling"
        | "UpdateTableReplicaAutoScaling" => not_here::global_tables,
        "EnableKinesisStreamingDestination"
        | "DisableKinesisStreamingDestination"
        | "UpdateKinesisStreamingDestination" => not_here::kinesis,
        _ => return None,
    })
}
