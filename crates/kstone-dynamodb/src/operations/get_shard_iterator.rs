//! GetShardIterator: a place in a stream.

use super::backups;
use super::streams::{bounds, named, no_shard, trimmed};
use crate::answer::Answer;
use crate::call::Call;
use crate::pipeline::{Pipeline, Rules};
use crate::refusal::Refusal;
use crate::streams::KnownStream;
use crate::streams::iterator::{From, ShardIterator, number_of};
use crate::texts::Text;
use crate::view::Structure;

pub(super) const PIPELINE: Pipeline = Pipeline::of(&[sequence_number, timestamp]);

/// Those types need a number that count from one, and no others take it (ScyllaDB's `test_streams.py`, whose tests run
/// against AWS).
fn sequence_number(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(kind) = input.get("ShardIteratorType").map(|kind| kind.text()) else { return Ok(()) };
    let needs_number = matches!(&*kind, "AT_SEQUENCE_NUMBER" | "AFTER_SEQUENCE_NUMBER");
    match input.get("SequenceNumber").map(|number| number.text()) {
        None if needs_number => Err(Text::SequenceNumberMissing),
        Some(_) if !needs_number => Err(Text::SequenceNumberUnexpected),
        Some(number) if number_of(&number).is_none() => Err(Text::SequenceNumberInvalid),
        _ => Ok(()),
    }
}

/// A time is for the type that begins at one.
fn timestamp(_: &Rules<'_>, input: &Structure<'_>) -> Result<(), Text> {
    let Some(kind) = input.get("ShardIteratorType").map(|kind| kind.text()) else { return Ok(()) };
    match (kind == "AT_TIMESTAMP", input.has("Timestamp")) {
        (true, false) => Err(Text::TimestampMissing),
        (false, true) => Err(Text::TimestampUnexpected),
        _ => Ok(()),
    }
}

/// The number of the last record from before the time that is asked for. Records know whole seconds: a time within one
/// begins with the first record of that second, so that none is missed.
fn before_time(stream: &KnownStream, input: &Structure<'_>) -> u64 {
    let seconds = input.get("Timestamp").map_or(0, |moment| backups::millis(moment.json()).div_euclid(1000));
    stream.records().map_or(0, |records| records.first_since(seconds).saturating_sub(1))
}

/// Gives out an iterator.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let input = call.input();
    let (stream, now) = named(call)?;
    if input.get("ShardId").is_none_or(|shard| shard.text() != stream.shard_id()) {
        return Err(no_shard());
    }
    let (oldest, last) = bounds(&stream, now);
    let number = input.get("SequenceNumber").and_then(|number| number_of(&number.text())).unwrap_or(0);
    let kind = input.get("ShardIteratorType").expect("a required member").text();
    let from = match &*kind {
        "TRIM_HORIZON" => From::Oldest,
        "LATEST" => From::After(last),
        "AT_SEQUENCE_NUMBER" => From::After(number.saturating_sub(1)),
        "AT_TIMESTAMP" => From::After(before_time(&stream, input).max(oldest - 1)),
        _ => From::After(number),
    };
    if matches!(from, From::After(number) if number.saturating_add(1) < oldest) {
        return Err(trimmed());
    }
    let iterator = ShardIterator { stream: stream.name.clone(), from, moment: now };
    answer.object(|answer| answer.name("ShardIterator").text(&iterator.encode(&call.shared().streams)));
    Ok(())
}
