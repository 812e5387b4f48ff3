//! DescribeContinuousBackups and UpdateContinuousBackups: recovery to points in time.

use std::sync::Arc;

use super::backups;
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::description::time;
use crate::catalog::recovery::{self, Moments};
use crate::catalog::settings::Recovery;
use crate::refusal::Refusal;
use crate::texts::Text;

/// For how many days moments are kept, where nobody says.
const DEFAULT_DAYS: i64 = 35;

/// Says whether recovery is on, and what can be restored.
pub(super) fn describe(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let table = backups::table_of(call, &call.text("TableName"))?;
    write(call, answer, &table);
    Ok(())
}

/// Switches recovery on or off.
pub(super) fn update(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let asked = call.input().get("PointInTimeRecoverySpecification").expect("a required member").structure();
    let is_on = asked.get("PointInTimeRecoveryEnabled").is_some_and(|enabled| enabled.boolean());
    let days = asked.get("RecoveryPeriodInDays").map(|days| days.integer());
    if !is_on && days.is_some() {
        return Err(Refusal::validation(Text::RecoveryPeriod));
    }
    let _no_other_change = shared.catalog.changing.lock();
    let table = backups::table_of(call, &call.text("TableName"))?;
    let mut changed = CatalogTable::clone(&table);
    if is_on {
        let now = shared.catalog.now_millis();
        let present = table.settings.recovery.clone();
        let (since, days_before) = present.map_or((now, DEFAULT_DAYS), |present| (present.since, present.days));
        changed.settings.recovery = Some(Recovery { days: days.unwrap_or(days_before), since });
        if table.moments.is_none() {
            let first = recovery::now(&table.table, &changed.settings, now).map_err(|error| call.below(&error))?;
            changed.moments = Some(Arc::new(Moments::beginning(first)));
        }
    } else {
        (changed.settings.recovery, changed.moments) = (None, None);
    }
    let changed = shared.catalog.insert(changed);
    write(call, answer, &changed);
    Ok(())
}

fn write(call: &Call<'_>, answer: &mut Answer, table: &CatalogTable) {
    let now = call.shared().catalog.now_millis();
    answer.object(|answer| {
        answer.name("ContinuousBackupsDescription").object(|answer| {
            answer.name("ContinuousBackupsStatus").text("ENABLED");
            answer.name("PointInTimeRecoveryDescription").object(|answer| {
                let Some((recovery, moments)) = table.settings.recovery.as_ref().zip(table.moments.as_ref()) else {
                    return answer.name("PointInTimeRecoveryStatus").text("DISABLED");
                };
                answer.name("PointInTimeRecoveryStatus").text("ENABLED");
                answer.name("RecoveryPeriodInDays").integer(recovery.days);
                time(answer.name("EarliestRestorableDateTime"), moments.earliest());
                time(answer.name("LatestRestorableDateTime"), now);
            });
        });
    });
}
