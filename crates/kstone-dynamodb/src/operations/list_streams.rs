//! ListStreams: those in force, and those that ended less than a day ago.

use super::streams::write_name;
use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::texts::Text;

/// The most streams of an answer.
const MAX_STREAMS: usize = 100;

/// Lists streams, ascending by their ARNs.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (input, streams) = (call.input(), &call.shared().streams);
    let table = input.get("TableName").map(|name| name.text());
    let start = match input.get("ExclusiveStartStreamArn").map(|arn| arn.text()) {
        None => None,
        Some(arn) => Some(streams.name_in(&arn).ok_or_else(|| Refusal::validation(Text::StreamArnInvalid))?),
    };
    let most = input.get("Limit").and_then(|limit| usize::try_from(limit.integer()).ok()).unwrap_or(MAX_STREAMS);
    // One more says whether something follows.
    let mut names = streams.after(start.as_ref(), table.as_deref(), (most + 1, call.now()));
    let more = names.len() > most;
    names.truncate(most);
    answer.object(|answer| {
        answer.name("Streams").list(|answer| {
            for name in &names {
                answer.object(|answer| write_name(call, answer, name));
            }
        });
        if let Some(last) = names.last().filter(|_| more) {
            answer.name("LastEvaluatedStreamArn").text(&streams.arn(last));
        }
    });
    Ok(())
}
