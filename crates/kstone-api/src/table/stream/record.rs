//! A record of the stream, as a reader gets it.
//!
//! Thread safety: immutable; it shares its images with the database and stays good after it.

use kstone_core::item::{ItemRef, item_size};
use kstone_core::record::Record;

use super::{Change, EventName, Remover, StreamViewType, UserIdentity};

/// One change of one item, in its place in the order of all changes of its database.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    stream_id: u64,
    sequence_number: u64,
    created: i64,
    change: Change,
}

impl StreamRecord {
    pub(super) fn new(stream_id: u64, sequence_number: u64, created: i64, change: Change) -> Self {
        Self { stream_id, sequence_number, created, change }
    }

    /// Its place: one more than that of the change before it.
    #[must_use]
    pub const fn sequence_number(&self) -> u64 {
        self.sequence_number
    }

    /// What happened.
    #[must_use]
    pub const fn event_name(&self) -> EventName {
        self.change.event_name()
    }

    /// What the stream shows.
    #[must_use]
    pub const fn view_type(&self) -> StreamViewType {
        self.change.view_type()
    }

    /// When, in seconds since the epoch by the database's clock. Clocks may be set back, so this need not rise.
    #[must_use]
    pub const fn approximate_creation_time(&self) -> i64 {
        self.created
    }

    /// The bytes of the item's partition key.
    #[must_use]
    pub fn pk(&self) -> &[u8] {
        self.change.key_record().pk()
    }

    /// The bytes of the item's sort key; empty where there is none.
    #[must_use]
    pub fn sk(&self) -> &[u8] {
        self.change.key_record().sk()
    }

    /// An item of the record's key: that of a typed table has it in [`ItemRef::named_key`], whose attributes may be those
    /// of any version, or none.
    #[must_use]
    pub fn key_item(&self) -> ItemRef<'_> {
        self.key_record().item()
    }

    /// The item after the change, shared: of an INSERT or MODIFY where the view type shows new images.
    #[must_use]
    pub const fn new_image(&self) -> Option<&Record> {
        self.change.new_image()
    }

    /// The item before the change, shared: of a MODIFY or REMOVE where the view type shows old images.
    #[must_use]
    pub const fn old_image(&self) -> Option<&Record> {
        self.change.old_image()
    }

    /// What removed the item; none where it was not removed.
    #[must_use]
    pub const fn remover(&self) -> Option<Remover> {
        self.change.remover()
    }

    /// DynamoDB's service for a removal by time to live, this library for an eviction; none for what a caller did.
    #[must_use]
    pub fn user_identity(&self) -> Option<UserIdentity> {
        self.remover().and_then(Remover::user_identity)
    }

    /// Bytes as DynamoDB counts them: the key, and each image with its key.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        let images = [self.new_image(), self.old_image()].into_iter().flatten();
        let key = item_size(self.key_record().key_ref(), Default::default());
        key + images.map(Record::item_size).sum::<usize>()
    }

    /// A name for the event, in 32 hexadecimal digits: a random half for its stream, and its sequence number. The same
    /// however often it is read.
    #[must_use]
    pub fn event_id(&self) -> String {
        format!("{:016x}{:016x}", self.stream_id, self.sequence_number)
    }

    pub(super) const fn key_record(&self) -> &Record {
        self.change.key_record()
    }
}
