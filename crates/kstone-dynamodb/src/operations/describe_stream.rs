//! DescribeStream: a stream and its only shard.

use super::streams::{bounds, named, no_shard, write_name};
use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::Refusal;
use crate::streams::KnownStream;
use crate::streams::iterator::sequence;

/// Describes the stream.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (stream, now) = named(call)?;
    let shows_shard = shows_shard(call, &stream)?;
    let view_type = stream.records().map(|records| records.view_type().name());
    answer.object(|answer| {
        answer.name("StreamDescription").object(|answer| {
            write_name(call, answer, &stream.name);
            answer.name("StreamStatus").text(status(call, &stream, now));
            if let Some(view_type) = view_type {
                answer.name("StreamViewType").text(view_type);
            }
            answer.name("CreationRequestDateTime").raw(&seconds(stream.created_millis));
            answer.name("KeySchema").list(|answer| {
                for (part, kind) in stream.layout.parts().zip(["HASH", "RANGE"]) {
                    answer.object(|answer| {
                        answer.name("AttributeName").text(part.name());
                        answer.name("KeyType").text(kind);
                    });
                }
            });
            answer.name("Shards").list(|answer| {
                if shows_shard {
                    answer.object(|answer| shard(answer, &stream, now));
                }
            });
        });
    });
    Ok(())
}

/// Whether the stream's only shard lies behind the one that the request starts at, and is what it filters for: it is
/// nobody's child.
fn shows_shard(call: &Call<'_>, stream: &KnownStream) -> Result<bool, Refusal> {
    let (input, shard) = (call.input(), stream.shard_id());
    if let Some(filter) = input.get("ShardFilter").map(|filter| filter.structure()) {
        return match filter.get("ShardId") {
            Some(parent) if parent.text() != shard => Err(no_shard()),
            Some(_) => Ok(false),
            None => Ok(!filter.has("Type")),
        };
    }
    Ok(input.get("ExclusiveStartShardId").is_none_or(|start| *start.text() < *shard))
}

/// Streams are switched on and off as long as their tables are changed.
fn status(call: &Call<'_>, stream: &KnownStream, now: i64) -> &'static str {
    let transition = call.shared().options.transition_seconds;
    let is_in_transition = |since: i64| now < since.saturating_add(transition);
    match stream.ended() {
        Some(at) if is_in_transition(at) => "DISABLING",
        Some(_) => "DISABLED",
        None if is_in_transition(stream.created_millis.div_euclid(1000)) => "ENABLING",
        None => "ENABLED",
    }
}

/// A shard that is closed says where it ended.
fn shard(answer: &mut Answer, stream: &KnownStream, now: i64) {
    let (oldest, last) = bounds(stream, now);
    answer.name("ShardId").text(&stream.shard_id());
    answer.name("SequenceNumberRange").object(|answer| {
        answer.name("StartingSequenceNumber").text(&sequence(oldest));
        if stream.ended().is_some() {
            answer.name("EndingSequenceNumber").text(&sequence(last.max(oldest)));
        }
    });
}

/// A number of milliseconds as one of seconds with a fraction.
fn seconds(millis: i64) -> String {
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}
