//! DescribeTable.

use super::tables;
use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;

/// Describes the table.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let table = call.shared().catalog.described(&call.text("TableName"))?;
    answer.object(|answer| tables::describe(call, &table, None, answer.name("Table")));
    Ok(())
}
