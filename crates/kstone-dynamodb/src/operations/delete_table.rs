//! DeleteTable.

use super::{backups, table_change, tables};
use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::catalog::phase::Phase;
use crate::refusal::{Refusal, RefusalKind};
use crate::texts::Text;

/// Drops the table with everything in it. Its streams are read for a day.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let _no_other_change = shared.catalog.changing.lock();
    let table = shared.catalog.described(&call.text("TableName"))?;
    table_change::refuse_phase(call, &table, false)?;
    let now = call.now();
    if table.index_phases.iter().any(|phase| phase.is_under_way(now)) {
        return Err(Refusal::new(RefusalKind::ResourceInUse, Text::IndexesInPhase));
    }
    if table.settings.protected {
        return Err(Refusal::validation(Text::Protected));
    }
    let stream = table.table.change_stream();
    let mut described = CatalogTable { phase: Phase::Deleting(i64::MAX), moments: None, ..CatalogTable::clone(&table) };
    if table.moments.is_some() {
        backups::of_deleted(call, &table)?;
    }
    tables::drop_table(call, &table)?;
    if let Some(records) = stream {
        shared.streams.ended(&table.name, records, shared.catalog.now_millis());
    }
    // AWS describes what is left as empty; its name stays taken for as long as it shows.
    answer.object(|answer| tables::describe(call, &described, None, answer.name("TableDescription")));
    let seconds = shared.options.transition_seconds;
    if seconds > 0 {
        described.phase = Phase::Deleting(now.saturating_add(seconds));
        shared.catalog.insert_leaving(described);
    }
    Ok(())
}
