//! ListTables: pages of names, ascending by their bytes (facts 85).

use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;

/// The most names of a page.
const MAX_NAMES: usize = 100;

/// Lists the tables.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let behind = call.text("ExclusiveStartTableName");
    let limit = call.input().get("Limit").and_then(|limit| usize::try_from(limit.integer()).ok());
    let limit = limit.unwrap_or(MAX_NAMES).min(MAX_NAMES);
    let mut names = call.shared().catalog.names_after(&behind, limit + 1);
    let has_more = names.len() > limit;
    names.truncate(limit);
    answer.object(|answer| {
        answer.name("TableNames").list(|answer| names.iter().for_each(|name| answer.text(name)));
        if let (true, Some(last)) = (has_more, names.last()) {
            answer.name("LastEvaluatedTableName").text(last);
        }
    });
    Ok(())
}
