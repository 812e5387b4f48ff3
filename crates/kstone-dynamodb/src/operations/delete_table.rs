//! DeleteTable.

use super::tables;
use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;

/// Drops the table with everything in it.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let shared = call.shared();
    let _no_other_change = shared.catalog.changing.lock();
    let table = shared.catalog.described(&call.text("TableName"))?;
    let stream = table.table.change_stream();
    shared.tables.drop_table(&table.name).map_err(|error| call.below(&error))?;
    shared.catalog.remove(&table.name);
    if let Some(records) = stream {
        shared.streams.ended(&table.name, records, shared.catalog.now_millis());
    }
    answer.object(|answer| tables::describe(call, &table, Some("DELETING"), answer.name("TableDescription")));
    Ok(())
}
