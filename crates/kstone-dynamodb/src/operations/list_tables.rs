//! ListTables.

use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;

/// Lists the tables.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let names = call.shared().catalog.names();
    answer.object(|answer| {
        answer.name("TableNames").list(|answer| names.iter().for_each(|name| answer.text(name)));
    });
    Ok(())
}
