//! What operations on tables share: making one, describing one.

use std::sync::Arc;

use kstone_api::TableSchema;

use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::description::Described;
use crate::catalog::phase::Phase;
use crate::catalog::settings::Settings;
use crate::echo::Echo;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// Makes a table. The caller holds the lock of changes.
///
/// # Errors
/// As [`make`].
pub(super) fn create(call: &Call<'_>, schema: TableSchema, settings: Settings) -> Result<Arc<CatalogTable>, Refusal> {
    make(call, schema, settings).map(|table| call.shared().catalog.insert(table))
}

/// Makes a table that no request finds before it is put into the catalog: who fills it is alone with it. The caller holds
/// the lock of changes.
///
/// # Errors
/// ResourceInUseException for a name that is taken, and what the table below refuses.
pub(super) fn make(call: &Call<'_>, schema: TableSchema, mut settings: Settings) -> Result<CatalogTable, Refusal> {
    let shared = call.shared();
    let name: Box<str> = schema.table_name().unwrap_or_default().into();
    if shared.catalog.entry(&name).is_some() {
        return Err(Refusal::new(RefusalKind::ResourceInUse, Text::TableExists { name: name.into() }));
    }
    let table = shared.tables.create_table(schema).map_err(|error| call.below(&error))?;
    let layout = table.schema().key_layout().map_err(|error| call.below(&error))?;
    let layout = layout.expect("a table of typed keys");
    if table.change_stream().is_some() {
        settings.stream_label = Some(shared.streams.opened(&table, &name, &layout, shared.catalog.now_millis()));
    }
    let phase = match shared.options.transition_seconds {
        ..=0 => Phase::Settled,
        seconds => Phase::Creating(shared.catalog.now().saturating_add(seconds)),
    };
    Ok(CatalogTable { phase, ..CatalogTable::settled(name, table, layout, settings) })
}

/// Tells a table something else. The caller holds the lock of changes.
pub(super) fn change_settings(call: &Call<'_>, table: &CatalogTable, change: impl FnOnce(&mut Settings)) {
    let mut changed = CatalogTable::clone(table);
    change(&mut changed.settings);
    if changed.settings != table.settings {
        call.shared().catalog.insert(changed);
    }
}

/// The table that a policy's `ResourceArn` is of, or one of its streams (ack-api-quirks, DDB-TABLE-205 and -442).
///
/// # Errors
/// A ValidationException for anything but the ARN of a table here; ResourceNotFoundException.
pub(super) fn of_resource(call: &Call<'_>, arn: &str) -> Result<Arc<CatalogTable>, Refusal> {
    let catalog = &call.shared().catalog;
    let wrong = |text: fn(Echo) -> Text| Err(Refusal::validation(text(Echo::of(arn))));
    if !arn.starts_with("arn:") {
        return wrong(|arn| Text::ArnStart { arn });
    }
    if !arn.starts_with("arn:aws:dynamodb:") {
        return wrong(|arn| Text::ArnOfOther { arn });
    }
    let Some(name) = catalog.place.after_prefix(arn) else { return wrong(|arn| Text::ArnElsewhere { arn }) };
    if name.contains("/index/") {
        return wrong(|arn| Text::ArnOfIndex { arn });
    }
    let name = name.split_once("/stream/").map_or(name, |(name, _)| name);
    if name.contains('/') {
        return wrong(|arn| Text::ArnOfOther { arn });
    }
    catalog.described(name)
}

/// Writes a TimeToLiveDescription.
pub(super) fn time_to_live(answer: &mut Answer, attribute: Option<&str>) {
    answer.object(|answer| {
        answer.name("TimeToLiveStatus").text(if attribute.is_some() { "ENABLED" } else { "DISABLED" });
        if let Some(attribute) = attribute {
            answer.name("AttributeName").text(attribute);
        }
    });
}

/// Drops a table. The caller holds the lock of changes.
pub(super) fn drop_table(call: &Call<'_>, table: &CatalogTable) -> Result<(), Refusal> {
    let shared = call.shared();
    shared.tables.drop_table(&table.name).map_err(|error| call.below(&error))?;
    shared.catalog.remove(&table.name);
    Ok(())
}

/// Writes a table's description; `status` stands in the place of the one in force.
pub(super) fn describe(call: &Call<'_>, table: &CatalogTable, status: Option<&'static str>, answer: &mut Answer) {
    let catalog = &call.shared().catalog;
    Described { place: &catalog.place, table, now: catalog.now(), status }.write(answer);
}

/// The identifier of what is done at this time: a backup, an export, an import.
pub(super) fn job_id(now_millis: i64) -> String {
    format!("{now_millis:014}-{:08x}", crate::checksum::random().u32(..))
}

/// An identifier that nothing else has, as a UUID is written.
pub(crate) fn new_id() -> String {
    let random = crate::checksum::random().u128(..);
    // Version 4 and the variant of RFC 9562.
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_uuids() {
        let id = new_id();
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], id.matches('-').count()), ("4", 4));
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_ne!(id, new_id());
    }
}
