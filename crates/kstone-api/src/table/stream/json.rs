//! Stream records as JSON, in the shape of DynamoDB's GetRecords.
//!
//! ```text
//! {"Records":[{"eventID","eventName","eventVersion","eventSource",
//!              "dynamodb":{"ApproximateCreationDateTime","Keys","NewImage"?,"OldImage"?,
//!                          "SequenceNumber","SizeBytes","StreamViewType"},
//!              "userIdentity"?:{"type","principalId"}}]}
//! ```
//!
//! Keys and images are in the typed form of [`crate::model::json`]. `Keys` has the attributes of the table's key, of an
//! untyped table `pk` and, where there is one, `sk` (S where the key is UTF-8, B otherwise); an image is the item, that of
//! a typed table with its key. The time is a number of
//! seconds. A sequence number is decimal text, led by zeros to the 21 digits that DynamoDB documents as its least
//! length, so that texts order as numbers; as a number it is what [`Stream::read`](super::Stream::read) takes. There is
//! no `awsRegion`, which the API does not require: a database in memory is in none.
//!
//! Sources: the API reference of DynamoDB Streams, Record, StreamRecord and GetRecords; the Developer Guide, "DynamoDB
//! Streams and Time to Live", for the spelling of `userIdentity`.

use std::fmt::Write as _;

use kstone_core::item::ItemRef;
use kstone_core::record::Record;

use super::StreamRecord;
use crate::model::item_check::keys_only;
use crate::model::json::{JsonForm, write_item};

/// The version of the record's format that DynamoDB gives.
const EVENT_VERSION: &str = "1.1";
const EVENT_SOURCE: &str = "aws:dynamodb";

/// The records of a read, as an object with the one member `Records`. Costs a pass over every image; takes no lock.
#[must_use]
pub fn records_to_json(records: &[StreamRecord]) -> String {
    let mut out = String::from("{\"Records\":[");
    for (i, record) in records.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        record.write_json(&mut out);
    }
    out.push_str("]}");
    out
}

impl StreamRecord {
    /// One record as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }

    /// [`StreamRecord::to_json`] at the end of `out`.
    pub fn write_json(&self, out: &mut String) {
        push(out, format_args!("{{\"eventID\":\"{}\",\"eventName\":\"{}\"", self.event_id(), self.event_name()));
        push(out, format_args!(",\"eventVersion\":\"{EVENT_VERSION}\",\"eventSource\":\"{EVENT_SOURCE}\""));
        let created = self.approximate_creation_time();
        push(out, format_args!(",\"dynamodb\":{{\"ApproximateCreationDateTime\":{created}"));
        let key = self.key_record();
        match key.item().named_key() {
            Some(named) => image(out, "Keys", Some(ItemRef::default().with_key(Some(named)))),
            None => image(out, "Keys", Some(ItemRef::new(&keys_only(key.pk(), key.sk())))),
        }
        image(out, "NewImage", self.new_image().map(Record::item));
        image(out, "OldImage", self.old_image().map(Record::item));
        push(out, format_args!(",\"SequenceNumber\":\"{:021}\"", self.sequence_number()));
        push(out, format_args!(",\"SizeBytes\":{}", self.size_bytes()));
        push(out, format_args!(",\"StreamViewType\":\"{}\"}}", self.view_type()));
        if let Some(identity) = self.user_identity() {
            let (type_, principal) = (identity.type_, identity.principal_id);
            push(out, format_args!(",\"userIdentity\":{{\"type\":\"{type_}\",\"principalId\":\"{principal}\"}}"));
        }
        out.push('}');
    }
}

fn image(out: &mut String, name: &str, item: Option<ItemRef<'_>>) {
    if let Some(item) = item {
        push(out, format_args!(",\"{name}\":"));
        write_item(out, item, JsonForm::Typed);
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String does not fail");
}
