//! The shape of GetRecords.

use serde_json::{Value as Json, json};

use super::*;
use crate::model::json::{JsonForm, item_from_str};

fn version(pk: &[u8], sk: &[u8], plain: &str) -> Record {
    let mut item = item_from_str(plain, JsonForm::Plain).unwrap();
    Record::put(KeyRef::new(pk, sk).unwrap(), item.finish())
}

fn parsed(stream: &Stream) -> Json {
    let records = stream.read(0, 100).unwrap();
    serde_json::from_str(&records_to_json(&records)).unwrap()
}

/// The sizes are those of records that DynamoDB made for items like these, of a table whose key attribute has a name of
/// two letters too.
#[test]
fn an_item_s_life_has_the_documented_shape_and_dynamodb_s_sizes() {
    let stream = Stream { id: 0xfeed, ..stream(StreamViewType::NewAndOldImages) };
    let (first, second) =
        (version(b"1", b"", r#"{"key":"value","pk":"1"}"#), version(b"1", b"", r#"{"key":"updated","pk":"1"}"#));
    drop(stream.append(stream.change(None, &first), 1_480_452_500));
    drop(stream.append(stream.change(Some(&first), &second), 1_480_452_540));
    drop(stream.append(stream.change(Some(&second), &gone("1")), 1_480_452_660));
    let shape = |n: u64, name: &str, created: i64, size: usize, images: Json| {
        let mut dynamodb = json!({
            "ApproximateCreationDateTime": created,
            "Keys": {"pk": {"S": "1"}},
            "SequenceNumber": format!("{n:021}"),
            "SizeBytes": size,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        });
        dynamodb.as_object_mut().unwrap().extend(images.as_object().unwrap().clone());
        json!({
            "eventID": format!("000000000000feed{n:016x}"),
            "eventName": name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "dynamodb": dynamodb,
        })
    };
    let value = json!({"pk": {"S": "1"}, "key": {"S": "value"}});
    let updated = json!({"pk": {"S": "1"}, "key": {"S": "updated"}});
    let expected = json!({"Records": [
        shape(1, "INSERT", 1_480_452_500, 14, json!({"NewImage": value})),
        shape(2, "MODIFY", 1_480_452_540, 27, json!({"NewImage": updated, "OldImage": value})),
        shape(3, "REMOVE", 1_480_452_660, 16, json!({"OldImage": updated})),
    ]});
    assert_eq!(parsed(&stream), expected);
}

#[test]
fn a_record_is_written_member_by_member_in_this_order() {
    let stream = Stream { id: 1, ..stream(StreamViewType::OldImage) };
    drop(
        stream.append(
            [stream.removal(&version(b"a\"b", b"2", r#"{"n":1.50,"l":[null,true]}"#), Remover::TimeToLive)],
            -1,
        ),
    );
    let record = &stream.read(0, 1).unwrap()[0];
    let expected = concat!(
        r#"{"eventID":"00000000000000010000000000000001","eventName":"REMOVE","eventVersion":"1.1","#,
        r#""eventSource":"aws:dynamodb","dynamodb":{"ApproximateCreationDateTime":-1,"#,
        r#""Keys":{"pk":{"S":"a\"b"},"sk":{"S":"2"}},"#,
        r#""OldImage":{"l":{"L":[{"NULL":true},{"BOOL":true}]},"n":{"N":"1.5"}},"#,
        r#""SequenceNumber":"000000000000000000001","SizeBytes":28,"StreamViewType":"OLD_IMAGE"},"#,
        r#""userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"}}"#,
    );
    assert_eq!(record.to_json(), expected);
}

#[test]
fn each_view_type_shows_its_members_and_no_others() {
    let (old, new) = (version(b"k", b"", "{}"), version(b"k", b"", r#"{"a":1}"#));
    for (view_type, images) in [
        (StreamViewType::KeysOnly, &[][..]),
        (StreamViewType::NewImage, &["NewImage"]),
        (StreamViewType::OldImage, &["OldImage"]),
        (StreamViewType::NewAndOldImages, &["NewImage", "OldImage"]),
    ] {
        let stream = stream(view_type);
        drop(stream.append(stream.change(Some(&old), &new), NOW));
        let record = &parsed(&stream)["Records"][0];
        let always = ["ApproximateCreationDateTime", "Keys", "SequenceNumber", "SizeBytes", "StreamViewType"];
        let mut expected = [&always, images].concat();
        expected.sort_unstable();
        let mut members: Vec<_> = record["dynamodb"].as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        assert_eq!(members, expected, "{view_type}");
        assert_eq!(record["dynamodb"]["StreamViewType"], view_type.name());
        assert!(record.get("userIdentity").is_none());
    }
}

/// Keys that are no UTF-8 are B; a bare key, whose record has no attributes, reads like any other.
#[test]
fn keys_are_shown_whatever_they_are_made_of_and_whatever_holds_them() {
    let old = version(b"\xff\x00", b"s", "{}");
    let new = version(b"\xff\x00", b"s", r#"{"a":1}"#);
    for view_type in StreamViewType::ALL {
        let stream = stream(view_type);
        let tombstone = Record::tombstone(KeyRef::new(b"\xff\x00", b"s").unwrap());
        let changes = [
            stream.change(None, &new),
            stream.change(Some(&old), &new),
            stream.change(Some(&old), &tombstone),
            Some(stream.removal(&old, Remover::TimeToLive)),
        ];
        drop(stream.append(changes.into_iter().flatten(), NOW));
        for record in parsed(&stream)["Records"].as_array().unwrap() {
            assert_eq!(record["dynamodb"]["Keys"], json!({"pk": {"B": "/wA="}, "sk": {"S": "s"}}));
        }
    }
}

#[test]
fn no_records_are_an_empty_list() {
    assert_eq!(records_to_json(&[]), r#"{"Records":[]}"#);
}

#[test]
fn sequence_numbers_have_21_to_40_digits_and_read_back_as_numbers() {
    let stream = stream(StreamViewType::KeysOnly);
    let record = StreamRecord::new(0, u64::MAX, NOW, stream.removal(&version(b"k", b"", "{}"), Remover::TimeToLive));
    let json: Json = serde_json::from_str(&record.to_json()).unwrap();
    let text = json["dynamodb"]["SequenceNumber"].as_str().unwrap();
    assert!((21..=40).contains(&text.len()));
    assert_eq!(text.parse(), Ok(u64::MAX));
}

#[test]
fn event_ids_differ_within_a_stream_and_between_streams_and_stay_the_same() {
    let streams: Vec<_> = (0..8).map(|_| stream(StreamViewType::KeysOnly)).collect();
    let mut ids = Vec::new();
    for stream in &streams {
        fill(stream, 8);
        let read = || stream.read(0, 8).unwrap().iter().map(StreamRecord::event_id).collect::<Vec<_>>();
        assert_eq!(read(), read());
        ids.extend(read());
    }
    assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit())));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 64);
}
