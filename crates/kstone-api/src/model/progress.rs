//! How far saves and loads have come.

/// How far a save or a load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SnapshotProgress {
    /// Items written or read.
    pub done: u64,
    /// Items in all; 0 until they are counted.
    pub total: u64,
}
