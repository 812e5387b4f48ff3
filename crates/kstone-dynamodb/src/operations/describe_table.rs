//! DescribeTable.

use crate::answer::Answer;
use crate::call::Call;
use crate::catalog::CatalogTable;
use crate::refusal::Refusal;

/// Describes the table.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let name = call.input().get("TableName").expect("a required member");
    let table = call.shared().catalog.table(&name.text())?;
    answer.object(|answer| description(answer.name("Table"), &table, "ACTIVE"));
    Ok(())
}

/// A TableDescription.
pub(super) fn description(answer: &mut Answer, table: &CatalogTable, status: &str) {
    answer.object(|answer| {
        answer.name("TableName").text(&table.name);
        answer.name("TableStatus").text(status);
    });
}
