//! What is being done to an index, as its status says it.
//!
//! ```text
//! added     CREATING, Backfilling false, the table UPDATING ─► CREATING, Backfilling true, the table ACTIVE ─► ACTIVE
//! changed   UPDATING ─► ACTIVE
//! dropped   DELETING ─► gone
//! ```
//! As with tables (`phase.rs`), what is done is done at once, and the status says otherwise for a while.
//!
//! Thread safety: plain values.

use kstone_api::GlobalSecondaryIndex;

use super::settings::{IndexSettings, VectorIndex};

/// What is being done to an index.
#[derive(Clone, Debug)]
pub(crate) struct IndexPhase {
    pub(crate) name: String,
    pub(crate) doing: Doing,
    /// From when until when, in epoch seconds.
    pub(crate) since: i64,
    pub(crate) until: i64,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    Creating,
    Updating,
    /// It is described as it was.
    Deleting(Box<Leaving>),
}

/// An index that the table has no longer.
#[derive(Clone, Debug)]
pub(crate) enum Leaving {
    Global(GlobalSecondaryIndex, IndexSettings),
    Vector(VectorIndex),
}

impl IndexPhase {
    /// Whether it is being done at this time.
    pub(crate) fn is_under_way(&self, now: i64) -> bool {
        now < self.until
    }

    /// DynamoDB's name of the index's status.
    pub(crate) fn status(&self) -> &'static str {
        match self.doing {
            Doing::Creating => "CREATING",
            Doing::Updating => "UPDATING",
            Doing::Deleting(_) => "DELETING",
        }
    }

    /// Whether the items that are there are being put into it, of an index that is being made.
    pub(crate) fn backfills(&self, now: i64) -> Option<bool> {
        matches!(self.doing, Doing::Creating).then(|| now >= self.half())
    }

    /// Whether no other index can be made or dropped meanwhile.
    pub(crate) fn is_online(&self) -> bool {
        !matches!(self.doing, Doing::Updating)
    }

    /// Until when the table is UPDATING for it.
    pub(crate) fn table_until(&self) -> i64 {
        match self.doing {
            Doing::Creating => self.half(),
            Doing::Updating => self.since,
            Doing::Deleting(_) => self.until,
        }
    }

    fn half(&self) -> i64 {
        self.since.saturating_add(self.until.saturating_sub(self.since) / 2)
    }
}
