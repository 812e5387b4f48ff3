//! RestoreTableFromBackup and RestoreTableToPointInTime (ack-api-quirks, `table-restore.md` and DDB-TABLE-442, captured in
//! October 2026).
//!
//! A restored table has the items, keys, indexes and ways to pay of its source, or what overrides them. Stream, time to live,
//! tags, policy, protection, recovery and insights are off, as on AWS. The items are copied: a pass over them, and their bytes
//! once more while it runs.

use kstone_api::{GlobalSecondaryIndex, LocalSecondaryIndex, Table, TableSchema};

use super::{backups, encryption, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::arn::Place;
use crate::catalog::definition::{self, Definitions, elements, text};
use crate::catalog::recovery::{self, Moment};
use crate::catalog::settings::{Billing, Restored, Settings};
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;
use crate::view::Structure;

/// What a table is restored from.
struct Source {
    table: Table,
    schema: TableSchema,
    settings: Settings,
    restored: Restored,
}

/// Restores a backup.
pub(super) fn from_backup(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let backup = backups::find(call)?;
    let restored = Restored {
        backup_arn: Some(backup.arn.clone()),
        table_arn: call.shared().catalog.place.table_arn(&backup.table_name),
        moment: backup.created,
    };
    let (table, schema) = (backup.table.clone(), backup.schema.clone());
    restore(call, answer, Source { table, schema, settings: backup.settings.clone(), restored })
}

/// Restores a table as it was, or is.
pub(super) fn to_point_in_time(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (input, catalog) = (call.input(), &call.shared().catalog);
    let name = match (input.get("SourceTableArn"), input.get("SourceTableName")) {
        (Some(source), None) | (None, Some(source)) => source.text().into_owned(),
        _ => return Err(Refusal::validation(Text::RestoreSource)),
    };
    let latest = input.get("UseLatestRestorableTime").is_some_and(|latest| latest.boolean());
    let asked = input.get("RestoreDateTime").map(|moment| backups::millis(moment.json()));
    if latest == asked.is_some() {
        return Err(Refusal::validation(Text::RestoreTimeMissing));
    }
    let table = backups::table_of(call, &name)?;
    let Some(moments) = &table.moments else {
        let text = Text::RecoveryDisabled { table: table.name.clone() };
        return Err(Refusal::new(RefusalKind::PointInTimeRecoveryUnavailable, text));
    };
    let now = catalog.now_millis();
    let moment = match asked {
        Some(asked) if asked > now || asked < moments.earliest() => None,
        // The request knows whole seconds: this very one is now.
        Some(asked) if asked.div_euclid(1000) < now.div_euclid(1000) => moments.at(asked),
        _ => Some(recovery::now(&table.table, &table.settings, now).map_err(|error| call.below(&error))?),
    };
    let Some(Moment { at, table: fork, settings }) = moment else {
        return Err(Refusal::new(RefusalKind::InvalidRestoreTime, Text::RestoreTimeInvalid));
    };
    let table_arn = catalog.place.table_arn(&table.name);
    let restored = Restored { backup_arn: None, table_arn, moment: at };
    let schema = fork.schema();
    restore(call, answer, Source { table: fork, schema, settings, restored })
}

fn restore(call: &Call<'_>, answer: &mut Answer, source: Source) -> Result<(), Refusal> {
    let (shared, input) = (call.shared(), call.input());
    let name = text(input, "TargetTableName");
    let _no_other_change = shared.catalog.changing.lock();
    if shared.catalog.entry(&name).is_some() {
        return Err(Refusal::new(RefusalKind::TableAlreadyExists, Text::TargetExists { name }));
    }
    let settings = settings_of(input, &source, &shared.catalog.place, shared.catalog.now_millis())?;
    let schema = schema_of(input, &source)?.name(&name);
    let table = tables::make(call, schema.clone(), settings)?;
    if let Err(error) = copy(&source.table, &table.table, schema) {
        shared.tables.drop_table(&name).map_err(|error| call.below(&error))?;
        return Err(call.below(&error));
    }
    let table = shared.catalog.insert(table);
    answer.object(|answer| tables::describe(call, &table, Some("CREATING"), answer.name("TableDescription")));
    Ok(())
}

/// Copies the items into an empty table of another schema with the same keys.
fn copy(from: &Table, to: &Table, schema: TableSchema) -> kstone_api::Result<()> {
    // A fork takes the schema of the new table: whatever a load makes of it is what the new table is to have.
    let fork = from.fork()?;
    let name = fork.schema().table_name().map(str::to_owned);
    fork.configure(name.into_iter().fold(schema, TableSchema::name))?;
    let mut bytes = Vec::new();
    fork.save_snapshot_to(&mut bytes)?;
    to.load_snapshot_from(&bytes[..]).map(drop)
}

/// Keys and indexes of the source, as far as they are not overridden.
fn schema_of(input: &Structure<'_>, source: &Source) -> Result<TableSchema, Refusal> {
    let mut schema = source.schema.clone().without_ttl().without_stream();
    let of_source = definitions_of(source);
    if let Some(overridden) = input.get("GlobalSecondaryIndexOverride") {
        let wanted: Vec<GlobalSecondaryIndex> =
            elements(Some(overridden)).map(|index| definition::global_index(&index.structure(), &of_source)).collect();
        let is_known = |index: &GlobalSecondaryIndex| schema.global_indexes().contains(index);
        if let Some(unknown) = wanted.iter().find(|index| !is_known(index)) {
            return Err(unknown_index(unknown.index_name()));
        }
        let is_wanted = |name: &str| wanted.iter().any(|index| index.index_name() == name);
        let dropped: Vec<String> =
            names(schema.global_indexes().iter().map(GlobalSecondaryIndex::index_name), is_wanted);
        schema = dropped.iter().fold(schema, |schema, name| schema.without_global_index(name));
    }
    if let Some(overridden) = input.get("LocalSecondaryIndexOverride") {
        let wanted: Vec<LocalSecondaryIndex> =
            elements(Some(overridden)).map(|index| definition::local_index(&index.structure(), &of_source)).collect();
        let is_known = |index: &LocalSecondaryIndex| schema.local_indexes().contains(index);
        if let Some(unknown) = wanted.iter().find(|index| !is_known(index)) {
            return Err(unknown_index(unknown.index_name()));
        }
        let is_wanted = |name: &str| wanted.iter().any(|index| index.index_name() == name);
        let dropped: Vec<String> = names(schema.local_indexes().iter().map(LocalSecondaryIndex::index_name), is_wanted);
        schema = dropped.iter().fold(schema, |schema, name| schema.without_local_index(name));
    }
    Ok(schema)
}

fn names<'n>(all: impl Iterator<Item = &'n str>, is_wanted: impl Fn(&str) -> bool) -> Vec<String> {
    all.filter(|name| !is_wanted(name)).map(str::to_owned).collect()
}

fn unknown_index(name: &str) -> Refusal {
    Refusal::validation(Text::RestoreIndexUnknown { index: name.to_owned() })
}

/// The types of attributes of the source's keys.
fn definitions_of(source: &Source) -> Definitions<'static> {
    let global = source.schema.global_indexes().iter();
    let of_global = global.flat_map(|index| index.partition_parts().iter().chain(index.sort_parts()));
    let of_local = source.schema.local_indexes().iter().map(LocalSecondaryIndex::sort_part);
    let layout = crate::copies::layout_of(&source.table);
    Definitions::of_parts(of_global.chain(of_local).chain(layout.parts()))
}

/// What the restored table is told: the ways to pay of its source, or those of the request.
fn settings_of(input: &Structure<'_>, source: &Source, place: &Place, now: i64) -> Result<Settings, Refusal> {
    let before = &source.settings;
    let mode = input.get("BillingModeOverride").map(|mode| mode.quoted().is("PAY_PER_REQUEST"));
    let on_demand = mode.unwrap_or(before.billing.on_demand);
    let units = input
        .get("ProvisionedThroughputOverride")
        .map(|_| definition::units_of(input, "ProvisionedThroughputOverride"));
    let throughput = match (units, on_demand) {
        (Some(_), true) => return Err(Refusal::validation(Text::RestoreThroughputOnDemand)),
        (None, false) if before.billing.on_demand => {
            return Err(Refusal::validation(Text::RestoreThroughputMissing));
        }
        (Some(units), false) => units,
        (None, true) => Default::default(),
        (None, false) => before.throughput.clone(),
    };
    let mut settings = Settings {
        id: tables::new_id(),
        created_millis: now,
        definitions: before.definitions.clone(),
        billing: Billing { on_demand, on_demand_since: on_demand.then_some(now) },
        throughput,
        on_demand: before.on_demand.filter(|_| on_demand),
        encryption: before.encryption.clone(),
        indexes: before.indexes.clone(),
        vectors: before.vectors.clone(),
        restored: Some(source.restored.clone()),
        ..Settings::default()
    };
    if let Some(limits) = definition::limits_of(input, "OnDemandThroughputOverride") {
        settings.on_demand = Some(limits);
    }
    if input.has("SSESpecificationOverride") {
        settings.encryption = encryption::asked_as(input, "SSESpecificationOverride", place);
    }
    for index in elements(input.get("GlobalSecondaryIndexOverride")) {
        let index = index.structure();
        settings.indexes.insert(text(&index, "IndexName"), definition::index_settings(&index));
    }
    if on_demand {
        settings.indexes.values_mut().for_each(|index| index.throughput = Default::default());
    }
    if let Some(overridden) = input.get("VectorIndexOverride") {
        let wanted: Vec<_> =
            elements(Some(overridden)).map(|index| definition::vector_index(&index.structure())).collect();
        if let Some(unknown) = wanted.iter().find(|index| !before.vectors.contains(index)) {
            return Err(unknown_index(&unknown.name));
        }
        settings.vectors = wanted;
    }
    Ok(settings)
}
