//! CreateBackup, DescribeBackup, ListBackups, DeleteBackup (ack-api-quirks, `backup.md`, captured in October 2026).

use kstone_api::TableSchema;

use super::{pages, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::description::{self, time};
use crate::catalog::phase::Phase;
use crate::catalog::settings::Settings;
use crate::echo::Echo;
use crate::kept::Backup;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// The most backups of a page.
const MAX_BACKUPS: usize = 100;
/// How long a backup is kept that nobody asked for: 35 days, in milliseconds.
const SYSTEM_MILLIS: i64 = 35 * 24 * 60 * 60 * 1000;

/// Backs the table up: a fork of it.
pub(super) fn create(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let _no_other_change = shared.catalog.changing.lock();
    let table = table_of(call, &call.text("TableName"))?;
    let backup = backup_of(call, &table, &call.text("BackupName"), None)?;
    answer.object(|answer| details(answer.name("BackupDetails"), &backup, "CREATING"));
    shared.kept.add(backup);
    Ok(())
}

/// The table of a name or an ARN, of which backups speak with an exception of their own.
pub(super) fn table_of(call: &Call<'_>, name: &str) -> Result<std::sync::Arc<CatalogTable>, Refusal> {
    let catalog = &call.shared().catalog;
    let table = catalog.entry(catalog.place.table_name(name)?);
    let is_there = |table: &std::sync::Arc<CatalogTable>| {
        matches!(table.phase.at(call.now()), Phase::Settled | Phase::Updating(_))
    };
    let not_found = || Refusal::new(RefusalKind::TableNotFound, Text::TableNotThere { name: name.to_owned() });
    table.filter(is_there).ok_or_else(not_found)
}

/// Keeps what a deleted table held whose recovery was on.
pub(super) fn of_deleted(call: &Call<'_>, table: &CatalogTable) -> Result<(), Refusal> {
    let until = call.shared().catalog.now_millis().saturating_add(SYSTEM_MILLIS);
    let name = format!("{}$DeletedTableBackup", table.name);
    call.shared().kept.add(backup_of(call, table, &name, Some(until))?);
    Ok(())
}

fn backup_of(call: &Call<'_>, table: &CatalogTable, name: &str, until: Option<i64>) -> Result<Backup, Refusal> {
    let shared = call.shared();
    let created = shared.catalog.now_millis();
    let fork = table.table.fork().map_err(|error| call.below(&error))?;
    let stats = fork.stats().map_err(|error| call.below(&error))?;
    let id = if until.is_some() { format!("{created:014}-00000000") } else { tables::job_id(created) };
    let arn = format!("{}/backup/{id}", shared.catalog.place.table_arn(&table.name));
    let (schema, settings) = (table.table.schema(), table.settings.clone());
    let (items, bytes) = (stats.items, stats.live_bytes);
    let (name, table_name) = (name.to_owned(), table.name.clone());
    Ok(Backup { arn, name, table_name, created, until, table: fork, schema, settings, items, bytes })
}

/// Describes a backup.
pub(super) fn describe(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let backup = find(call)?;
    answer.object(|answer| description(call, answer.name("BackupDescription"), &backup, "AVAILABLE"));
    Ok(())
}

/// Deletes a backup.
pub(super) fn delete(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let backup = find(call)?;
    if let Some(until) = backup.until {
        let (arn, until) = (Echo::of(&backup.arn), crate::streams::label::label(until));
        return Err(Refusal::validation(Text::BackupOfSystem { arn, until }));
    }
    call.shared().kept.remove(&backup.arn);
    answer.object(|answer| description(call, answer.name("BackupDescription"), &backup, "DELETED"));
    Ok(())
}

/// The backup that a request names.
pub(super) fn find(call: &Call<'_>) -> Result<std::sync::Arc<Backup>, Refusal> {
    let arn = call.text("BackupArn");
    let is_of_backup = arn.starts_with("arn:aws:dynamodb:") && arn.contains("/backup/");
    if !is_of_backup {
        return Err(Refusal::validation(Text::BackupArnInvalid));
    }
    let found = call.shared().kept.backup(&arn, call.shared().catalog.now_millis());
    found.ok_or_else(|| Refusal::new(RefusalKind::BackupNotFound, Text::BackupNotFound { arn: Echo::of(&arn) }))
}

/// Lists backups, the oldest first.
pub(super) fn list(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (input, catalog) = (call.input(), &call.shared().catalog);
    let table = match input.get("TableName") {
        Some(name) => Some(catalog.place.table_name(&name.text())?.to_owned()),
        None => None,
    };
    let moment = |member: &str| input.get(member).map(|moment| millis(moment.json()));
    let (from, to) = (moment("TimeRangeLowerBound"), moment("TimeRangeUpperBound"));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(Refusal::validation(Text::BackupTimes));
    }
    let kind = input.get("BackupType").map_or("USER".into(), |kind| kind.text());
    let behind = input.get("ExclusiveStartBackupArn").map(|arn| arn.text().into_owned());
    let place_of = |arn: &str| arn.rsplit_once("/backup/").map(|(_, id)| id.to_owned());
    let behind = behind.as_deref().and_then(place_of);
    let is_wanted = |backup: &Backup| {
        let is_kind = match &*kind {
            "ALL" => true,
            "SYSTEM" => backup.until.is_some(),
            "USER" => backup.until.is_none(),
            _ => false,
        };
        is_kind
            && table.as_ref().is_none_or(|table| **table == *backup.table_name)
            && from.is_none_or(|from| backup.created >= from)
            && to.is_none_or(|to| backup.created < to)
            && behind.as_ref().is_none_or(|behind| place_of(&backup.arn).is_some_and(|id| id > *behind))
    };
    let mut found = call.shared().kept.backups(catalog.now_millis());
    found.retain(|backup| is_wanted(backup));
    found.sort_by_key(|backup| place_of(&backup.arn));
    let limit = pages::limit(input.get("Limit"), MAX_BACKUPS);
    let has_more = found.len() > limit;
    found.truncate(limit);
    answer.object(|answer| {
        answer.name("BackupSummaries").list(|answer| {
            for backup in &found {
                answer.object(|answer| {
                    answer.name("TableName").text(&backup.table_name);
                    answer.name("TableId").text(&backup.settings.id);
                    answer.name("TableArn").text(&catalog.place.table_arn(&backup.table_name));
                    members(answer, backup, "AVAILABLE");
                });
            }
        });
        if let (true, Some(last)) = (has_more, found.last()) {
            answer.name("LastEvaluatedBackupArn").text(&last.arn);
        }
    });
    Ok(())
}

/// A moment in JSON, seconds with a fraction, in milliseconds.
pub(super) fn millis(json: &str) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a double saturates, which is what is meant")]
    json.parse::<f64>().map_or(0, |seconds| (seconds * 1000.0).round() as i64)
}

fn details(answer: &mut Answer, backup: &Backup, status: &str) {
    answer.object(|answer| members(answer, backup, status));
}

fn members(answer: &mut Answer, backup: &Backup, status: &str) {
    answer.name("BackupArn").text(&backup.arn);
    answer.name("BackupName").text(&backup.name);
    answer.name("BackupSizeBytes").integer(i64::try_from(backup.bytes).unwrap_or(i64::MAX));
    answer.name("BackupStatus").text(status);
    answer.name("BackupType").text(if backup.until.is_some() { "SYSTEM" } else { "USER" });
    time(answer.name("BackupCreationDateTime"), backup.created);
    if let Some(until) = backup.until {
        time(answer.name("BackupExpiryDateTime"), until);
    }
}

fn description(call: &Call<'_>, answer: &mut Answer, backup: &Backup, status: &str) {
    answer.object(|answer| {
        details(answer.name("BackupDetails"), backup, status);
        answer.name("SourceTableDetails").object(|answer| source(call, answer, backup));
        answer.name("SourceTableFeatureDetails").object(|answer| {
            if backup.until.is_none() {
                features(answer, &backup.schema, &backup.settings);
            }
        });
    });
}

fn source(call: &Call<'_>, answer: &mut Answer, backup: &Backup) {
    let settings = &backup.settings;
    answer.name("TableName").text(&backup.table_name);
    answer.name("TableId").text(&settings.id);
    answer.name("TableArn").text(&call.shared().catalog.place.table_arn(&backup.table_name));
    answer.name("TableSizeBytes").integer(i64::try_from(backup.bytes).unwrap_or(i64::MAX));
    let layout = crate::copies::layout_of(&backup.table);
    description::key_schema(answer, layout.parts());
    time(answer.name("TableCreationDateTime"), settings.created_millis);
    description::units(answer, &settings.throughput);
    description::on_demand(answer, settings.on_demand);
    answer.name("ItemCount").integer(i64::try_from(backup.items).unwrap_or(i64::MAX));
    answer.name("BillingMode").text(if settings.billing.on_demand { "PAY_PER_REQUEST" } else { "PROVISIONED" });
}

/// What the table had: indexes, stream, time to live, encryption, where it had them.
fn features(answer: &mut Answer, schema: &TableSchema, settings: &Settings) {
    description::index_infos(answer, schema, settings);
    if let Some(stream) = schema.stream() {
        answer.name("StreamDescription").object(|answer| {
            answer.name("StreamEnabled").boolean(true);
            answer.name("StreamViewType").text(stream.view_type.name());
        });
    }
    if schema.ttl_attribute().is_some() {
        tables::time_to_live(answer.name("TimeToLiveDescription"), schema.ttl_attribute());
    }
    description::encryption(answer, settings.encryption.as_ref());
}
