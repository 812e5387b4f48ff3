//! What an account in one process cannot have, said clearly: a 400 that no SDK tries again.

use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::texts::Text;

/// Operations on global tables, of the version of 2017 and of their scaling.
pub(super) fn global_tables(call: &Call<'_>, _: &mut Answer) -> Result<(), Refusal> {
    refuse(call, "an account of kstone is in one region, without global tables")
}

/// There are none.
pub(super) fn list_global_tables(_: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    answer.object(|answer| answer.name("GlobalTables").list(|_| {}));
    Ok(())
}

/// Kinesis is another service.
pub(super) fn kinesis(call: &Call<'_>, _: &mut Answer) -> Result<(), Refusal> {
    refuse(call, "there are no streams of Kinesis here; DynamoDB's own streams show the same changes")
}

/// No destination is ever there.
pub(super) fn describe_kinesis(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let table = call.shared().catalog.described(&call.text("TableName"))?;
    answer.object(|answer| {
        answer.name("TableName").text(&table.name);
        answer.name("KinesisDataStreamDestinations").list(|_| {});
    });
    Ok(())
}

fn refuse(call: &Call<'_>, why: &'static str) -> Result<(), Refusal> {
    Err(Refusal::validation(Text::NotHere { operation: call.request.operation().name, why }))
}
