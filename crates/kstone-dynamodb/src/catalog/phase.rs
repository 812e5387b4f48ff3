//! What is being done to a table, as its status says it.
//!
//! ```text
//! CREATING ─► ACTIVE ─► UPDATING ─► ACTIVE ─► DELETING ─► gone
//! ```
//! What is done is done at once; the status says otherwise for as many seconds as the account was told. Without such
//! seconds a table is always settled, and nobody asks for the time.
//!
//! Thread safety: plain values.

/// What is being done to a table, and until when in epoch seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing.
    #[default]
    Settled,
    /// It is being created: it has no items yet.
    Creating(i64),
    /// It is being changed.
    Updating(i64),
    /// It is being deleted: it has no items any more.
    Deleting(i64),
}

impl Phase {
    /// Whether nothing is being done, whatever the time.
    #[inline]
    pub(crate) fn is_settled(self) -> bool {
        self == Self::Settled
    }

    /// Whether items can be read and written.
    pub(crate) fn has_items(self, now: i64) -> bool {
        match self {
            Self::Settled | Self::Updating(_) => true,
            Self::Creating(until) => now >= until,
            Self::Deleting(_) => false,
        }
    }

    /// Whether the table is gone.
    pub(crate) fn is_over(self, now: i64) -> bool {
        matches!(self, Self::Deleting(until) if now >= until)
    }

    /// What it is at this time.
    pub(crate) fn at(self, now: i64) -> Self {
        match self {
            Self::Creating(until) | Self::Updating(until) if now >= until => Self::Settled,
            other => other,
        }
    }

    /// DynamoDB's name of it.
    pub(crate) fn status(self, now: i64) -> &'static str {
        match self.at(now) {
            Self::Settled => "ACTIVE",
            Self::Creating(_) => "CREATING",
            Self::Updating(_) => "UPDATING",
            Self::Deleting(_) => "DELETING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Phase::{Creating, Deleting, Settled, Updating};

    #[test]
    fn what_is_being_done_ends_with_its_time() {
        for (phase, before, has_items) in
            [(Creating(5), "CREATING", false), (Updating(5), "UPDATING", true), (Deleting(5), "DELETING", false)]
        {
            assert_eq!((phase.status(4), phase.has_items(4), phase.is_over(4)), (before, has_items, false));
            assert_eq!(phase.is_over(5), phase == Deleting(5));
            assert_eq!(phase.has_items(5), phase != Deleting(5));
        }
        assert_eq!((Creating(5).status(5), Updating(5).at(5), Settled.status(0)), ("ACTIVE", Settled, "ACTIVE"));
    }
}
