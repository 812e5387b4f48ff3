//! GetRecords: the changes of items, in order.

use kstone_api::stream::{READ_MAX_RECORDS, StreamRecord};
use kstone_core::item::ItemRef;

use super::streams::{bounds, not_found, trimmed};
use crate::answer::Answer;
use crate::call::Call;
use crate::refusal::{Refusal, RefusalKind};
use crate::streams::iterator::{From, ShardIterator, sequence};
use crate::texts::Text;

/// The version of the record's format that AWS gives.
const EVENT_VERSION: &str = "1.1";
const EVENT_SOURCE: &str = "aws:dynamodb";

/// Reads on from an iterator.
pub(super) fn carry_out(call: &Call<'_>, answer: &mut Answer) -> Result<(), Refusal> {
    let (input, shared) = (call.input(), call.shared());
    let text = input.get("ShardIterator").expect("a required member").text();
    let iterator = ShardIterator::decode(&text, &shared.streams);
    let iterator = iterator.ok_or_else(|| Refusal::validation(Text::ShardIteratorInvalid))?;
    let now = call.now();
    if iterator.is_expired(now) {
        return Err(Refusal::new(RefusalKind::ExpiredIterator, Text::ShardIteratorExpired));
    }
    let stream = shared.streams.get(&iterator.stream, now);
    let stream = stream.ok_or_else(|| not_found(&shared.streams.arn(&iterator.stream)))?;
    let (oldest, last) = bounds(&stream, now);
    let after = match iterator.from {
        From::Oldest => oldest - 1,
        From::After(number) if number.saturating_add(1) < oldest => return Err(trimmed()),
        From::After(number) => number,
    };
    let limit = input.get("Limit").and_then(|limit| usize::try_from(limit.integer()).ok());
    let records = match stream.records() {
        Some(records) => read(&records, after, limit.unwrap_or(READ_MAX_RECORDS))?,
        None => Vec::new(),
    };
    let after = records.last().map_or(after, StreamRecord::sequence_number);
    // The shard of a stream that has ended is closed: who has read it to its end gets no further iterator.
    let is_over = stream.ended().is_some() && after >= last;
    answer.object(|answer| {
        answer.name("Records").list(|answer| {
            for one in &records {
                answer.object(|answer| record(answer, one, &shared.options.region));
            }
        });
        if !is_over {
            let next = ShardIterator { from: From::After(after), moment: now, ..iterator };
            answer.name("NextShardIterator").text(&next.encode(&shared.streams));
        }
    });
    Ok(())
}

fn read(records: &kstone_api::stream::Stream, after: u64, limit: usize) -> Result<Vec<StreamRecord>, Refusal> {
    // What was trimmed since the bounds were looked at.
    records.read(after, limit).map_err(|_| trimmed())
}

fn record(answer: &mut Answer, record: &StreamRecord, region: &str) {
    answer.name("eventID").text(&record.event_id());
    answer.name("eventName").text(record.event_name().name());
    answer.name("eventVersion").text(EVENT_VERSION);
    answer.name("eventSource").text(EVENT_SOURCE);
    answer.name("awsRegion").text(region);
    answer.name("dynamodb").object(|answer| {
        answer.name("ApproximateCreationDateTime").integer(record.approximate_creation_time());
        let of_key = record.key_item().named_key();
        answer.name("Keys").item(ItemRef::default().with_key(of_key));
        if let Some(image) = record.new_image() {
            answer.name("NewImage").item(image.item());
        }
        if let Some(image) = record.old_image() {
            answer.name("OldImage").item(image.item());
        }
        answer.name("SequenceNumber").text(&sequence(record.sequence_number()));
        answer.name("SizeBytes").integer(i64::try_from(record.size_bytes()).unwrap_or(i64::MAX));
        answer.name("StreamViewType").text(record.view_type().name());
    });
    if let Some(identity) = record.user_identity() {
        answer.name("userIdentity").object(|answer| {
            answer.name("PrincipalId").text(identity.principal_id);
            answer.name("Type").text(identity.type_);
        });
    }
}
