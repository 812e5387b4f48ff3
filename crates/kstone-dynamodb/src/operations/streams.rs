//! What the operations of streams have in common: finding a stream, describing it.

use std::sync::Arc;

use crate::answer::Answer;
use crate::call::Call;
use crate::echo::Echo;
use crate::refusal::{Refusal, RefusalKind};
use crate::streams::{KnownStream, RETENTION_SECONDS, StreamName};
use crate::texts::Text;

/// The stream of the member `StreamArn`, and the time.
///
/// # Errors
/// ValidationException for what is no stream's ARN, ResourceNotFoundException where there is no such stream (ScyllaDB's
/// `test_streams.py`, whose tests run against AWS).
pub(super) fn named(call: &Call<'_>) -> Result<(Arc<KnownStream>, i64), Refusal> {
    let arn = call.input().get("StreamArn").expect("a required member").text();
    let now = call.now();
    let is_arn = arn.starts_with("arn:") && arn.contains("/stream/");
    if !is_arn {
        return Err(Refusal::validation(Text::StreamArnInvalid));
    }
    let name = call.shared().streams.name_in(&arn);
    let found = name.and_then(|name| call.shared().streams.get(&name, now));
    Ok((found.ok_or_else(|| not_found(&arn))?, now))
}

/// That there is no stream of this ARN.
pub(super) fn not_found(arn: &str) -> Refusal {
    Refusal::new(RefusalKind::ResourceNotFound, Text::StreamNotFound { arn: Echo::of(arn) })
}

/// That a stream has no such shard.
pub(super) fn no_shard() -> Refusal {
    Refusal::new(RefusalKind::ResourceNotFound, Text::ShardNotFound)
}

/// That a place lies before all that is kept.
pub(super) fn trimmed() -> Refusal {
    Refusal::new(RefusalKind::TrimmedDataAccess, Text::Trimmed)
}

/// The number of the oldest record of a stream that may still be read, and the one that it gave last.
pub(super) fn bounds(stream: &KnownStream, now: i64) -> (u64, u64) {
    let Some(records) = stream.records() else { return (1, 0) };
    (records.first_since(now.saturating_sub(RETENTION_SECONDS)), records.stats().last)
}

/// Writes the members that name a stream.
pub(super) fn write_name(call: &Call<'_>, answer: &mut Answer, name: &StreamName) {
    answer.name("StreamArn").text(&call.shared().streams.arn(name));
    answer.name("TableName").text(&name.table);
    answer.name("StreamLabel").text(&name.label);
}
