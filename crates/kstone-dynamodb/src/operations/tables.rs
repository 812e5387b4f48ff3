//! What operations on tables share: making one, describing one.

use std::sync::Arc;

use kstone_api::TableSchema;

use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::description::Described;
use crate::catalog::phase::Phase;
use crate::catalog::settings::Settings;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// Makes a table. The caller holds the lock of changes.
///
/// # Errors
/// ResourceInUseException for a name that is taken, and what the table below refuses.
pub(super) fn create(call: &Call<'_>, schema: TableSchema, settings: Settings) -> Result<Arc<CatalogTable>, Refusal> {
    let shared = call.shared();
    let name: Box<str> = schema.table_name().unwrap_or_default().into();
    if shared.catalog.entry(&name).is_some() {
        return Err(Refusal::new(RefusalKind::ResourceInUse, Text::TableExists { name: name.into() }));
    }
    let table = shared.tables.create_table(schema).map_err(|error| call.below(&error))?;
    let layout = table.schema().key_layout().map_err(|error| call.below(&error))?;
    let layout = layout.expect("a table of typed keys");
    let phase = match shared.options.transition_seconds {
        ..=0 => Phase::Settled,
        seconds => Phase::Creating(shared.catalog.now().saturating_add(seconds)),
    };
    Ok(shared.catalog.insert(CatalogTable { name, table, layout, settings, phase }))
}

/// Writes a table's description; `status` stands in the place of the one in force.
pub(super) fn describe(call: &Call<'_>, table: &CatalogTable, status: Option<&'static str>, answer: &mut Answer) {
    let catalog = &call.shared().catalog;
    Described { place: &catalog.place, table, now: catalog.now(), status }.write(answer);
}

/// An identifier that nothing else has, as a UUID is written.
pub(super) fn new_id() -> String {
    let random = fastrand::Rng::new().u128(..);
    // Version 4 and the variant of RFC 9562.
    let bits = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// What a stream that is switched on now is called: the moment, as ISO 8601 has it.
pub(super) fn stream_label(now_millis: i64) -> String {
    let (seconds, millis) = (now_millis.div_euclid(1000), now_millis.rem_euclid(1000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{:02}.{millis:03}", second % 60)
}

/// Year, month and day of so many days since the epoch, by the calendar that began in 1582 carried back.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years that begin in March end with the leap day; 400 of them have as many days as any other 400.
    let from_march = days + 719_468;
    let (era, day_of_era) = (from_march.div_euclid(146_097), from_march.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_moments() {
        for (millis, label) in [
            (0, "1970-01-01T00:00:00.000"),
            (951_782_400_001, "2000-02-29T00:00:00.001"),
            (1_700_000_000_999, "2023-11-14T22:13:20.999"),
            (-1, "1969-12-31T23:59:59.999"),
        ] {
            assert_eq!(stream_label(millis), label);
        }
    }

    #[test]
    fn identifiers_are_uuids() {
        let id = new_id();
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], id.matches('-').count()), ("4", 4));
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"), "{id}");
        assert_ne!(id, new_id());
    }
}
