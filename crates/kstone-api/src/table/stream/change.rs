//! What a write did to one item, and what of it the stream's view type keeps.
//!
//! Invariant: a change always holds a record that carries the item's key: an image, or a record without attributes.
//! Thread safety: immutable; counted references.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Reason, Result};
use kstone_core::record::Record;

/// What the records of a stream show, in addition to the item's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamViewType {
    /// The key alone.
    KeysOnly,
    /// The item as it was after the change.
    NewImage,
    /// The item as it was before the change.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamViewType {
    /// Every view type.
    pub const ALL: [Self; 4] = [Self::KeysOnly, Self::NewImage, Self::OldImage, Self::NewAndOldImages];

    /// DynamoDB's name, such as "KEYS_ONLY".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }

    const fn shows_new(self) -> bool {
        matches!(self, Self::NewImage | Self::NewAndOldImages)
    }

    const fn shows_old(self) -> bool {
        matches!(self, Self::OldImage | Self::NewAndOldImages)
    }
}

impl fmt::Display for StreamViewType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads DynamoDB's name, in capitals.
///
/// ```
/// use kstone_api::stream::StreamViewType;
///
/// assert_eq!("NEW_IMAGE".parse(), Ok(StreamViewType::NewImage));
/// assert!("new_image".parse::<StreamViewType>().is_err());
/// ```
impl FromStr for StreamViewType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|view_type| view_type.name() == name).ok_or_else(|| {
            let short: String = name.chars().take(32).collect();
            Error::from(Reason::ViewType { name: short.into() })
        })
    }
}

/// What happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventName {
    /// It is new.
    Insert,
    /// One or more of its attributes changed.
    Modify,
    /// It was deleted, its time to live was over, or it was evicted.
    Remove,
}

impl EventName {
    /// DynamoDB's name, such as "INSERT".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What removed an item. Every removal is told which one here; what stream records say of it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remover {
    /// A delete that a caller asked for.
    Caller,
    /// The database: the item's time to live was over.
    TimeToLive,
    /// The database, which needed the memory of the least recently used items at its limit.
    Eviction,
}

impl Remover {
    /// What a stream record says of it; none of a caller.
    #[must_use]
    pub const fn user_identity(self) -> Option<UserIdentity> {
        match self {
            Self::Caller => None,
            Self::TimeToLive => Some(UserIdentity::TIME_TO_LIVE),
            Self::Eviction => Some(UserIdentity::EVICTION),
        }
    }
}

/// The author of a change, where it was not a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UserIdentity {
    /// DynamoDB's `type`.
    pub type_: &'static str,
    /// DynamoDB's `principalId`.
    pub principal_id: &'static str,
}

impl UserIdentity {
    /// The remover of items whose time to live is over.
    pub const TIME_TO_LIVE: Self = Self { type_: "Service", principal_id: "dynamodb.amazonaws.com" };
    /// The remover of items that are evicted at the memory limit. DynamoDB has no such thing.
    pub const EVICTION: Self = Self { type_: "Service", principal_id: "kstone:eviction" };
}

/// What a write did to one item, ready to be appended to a stream. Made by [`Stream::change`](super::Stream::change).
#[derive(Debug, Clone)]
pub struct Change {
    images: Images,
    /// Bytes of the version that this change superseded, where records of its stream hold versions at all.
    superseded_bytes: usize,
    event_name: EventName,
    view_type: StreamViewType,
    /// Of a removal.
    remover: Remover,
}

/// The versions that a change keeps.
#[derive(Debug, Clone)]
enum Images {
    /// None: a record that has the key and no attributes.
    Key(Record),
    New(Record),
    Old(Record),
    Both {
        new: Record,
        old: Record,
    },
}

impl Change {
    pub(super) fn of_write(view_type: StreamViewType, old: Option<&Record>, written: &Record) -> Option<Self> {
        let old = old.filter(|old| !old.is_tombstone());
        debug_assert!(
            old.is_none_or(|old| (old.pk(), old.sk()) == (written.pk(), written.sk())),
            "one item's versions"
        );
        match (old, written.is_tombstone()) {
            (None, true) => None,
            (None, false) => Some(Self::new(view_type, EventName::Insert, None, Some(written), None)),
            (Some(old), true) => Some(Self::new(view_type, EventName::Remove, Some(old), None, Some(written))),
            // Equal items have equal bytes.
            (Some(old), false) if old.body() == written.body() => None,
            (Some(old), false) => Some(Self::new(view_type, EventName::Modify, Some(old), Some(written), None)),
        }
    }

    pub(super) fn of_removal(view_type: StreamViewType, old: &Record, by: Remover) -> Self {
        Self { remover: by, ..Self::new(view_type, EventName::Remove, Some(old), None, None) }
    }

    /// One of `old` and `new` is there. `key` is a record of the same key without attributes, if the caller has one.
    fn new(
        view_type: StreamViewType,
        event_name: EventName,
        old: Option<&Record>,
        new: Option<&Record>,
        key: Option<&Record>,
    ) -> Self {
        let shown_old = old.filter(|_| view_type.shows_old());
        let shown_new = new.filter(|_| view_type.shows_new());
        let images = match (shown_new, shown_old) {
            (Some(new), Some(old)) => Images::Both { new: new.clone(), old: old.clone() },
            (Some(new), None) => Images::New(new.clone()),
            (None, Some(old)) => Images::Old(old.clone()),
            (None, None) => {
                let version = new.or(old).expect("a change has an old version, a new one or both");
                Images::Key(key.map_or_else(|| key_alone(version), Record::clone))
            }
        };
        let superseded = old.filter(|_| view_type != StreamViewType::KeysOnly);
        let superseded_bytes = superseded.map_or(0, Record::footprint);
        Self { images, superseded_bytes, event_name, view_type, remover: Remover::Caller }
    }

    /// What happened.
    #[must_use]
    pub const fn event_name(&self) -> EventName {
        self.event_name
    }

    /// What is shown.
    #[must_use]
    pub const fn view_type(&self) -> StreamViewType {
        self.view_type
    }

    /// What removed the item; none where it was not removed.
    #[must_use]
    pub const fn remover(&self) -> Option<Remover> {
        match self.event_name {
            EventName::Remove => Some(self.remover),
            EventName::Insert | EventName::Modify => None,
        }
    }

    /// A record of the item's key; its attributes may be those of any version, or none.
    pub(super) const fn key_record(&self) -> &Record {
        match &self.images {
            Images::Key(record) | Images::New(record) | Images::Old(record) | Images::Both { new: record, .. } => {
                record
            }
        }
    }

    /// The item after the change, where it is shown.
    #[must_use]
    pub const fn new_image(&self) -> Option<&Record> {
        match &self.images {
            Images::New(new) | Images::Both { new, .. } => Some(new),
            Images::Key(_) | Images::Old(_) => None,
        }
    }

    /// The item before the change, where it is shown.
    #[must_use]
    pub const fn old_image(&self) -> Option<&Record> {
        match &self.images {
            Images::Old(old) | Images::Both { old, .. } => Some(old),
            Images::Key(_) | Images::New(_) => None,
        }
    }

    /// Bytes of the images that are shown.
    pub(super) fn image_bytes(&self) -> usize {
        [self.new_image(), self.old_image()].into_iter().flatten().map(Record::footprint).sum()
    }

    /// Bytes that are kept on account of this change; see the parent module.
    pub(super) fn pinned_bytes(&self) -> usize {
        let own_key = if let Images::Key(key) = &self.images { key.footprint() } else { 0 };
        self.superseded_bytes + own_key
    }
}

fn key_alone(version: &Record) -> Record {
    Record::tombstone(version.key_ref())
}
