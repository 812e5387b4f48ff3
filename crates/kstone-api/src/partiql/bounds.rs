//! How much a statement may hold of what has to be seen as a whole.

use kstone_core::error::Unit;

use crate::error::{Error, Result};

/// The most bytes of records that are sorted, and of groups that are held: 64 MiB.
pub(super) const COLLECT_MAX_BYTES: usize = 64 << 20;
/// Refuses to hold more than is good for the process.
pub(super) fn check_bytes(what: &'static str, found: usize) -> Result<()> {
    if found <= COLLECT_MAX_BYTES {
        return Ok(());
    }
    Err(Error::limit(what, Unit::Bytes, COLLECT_MAX_BYTES, found))
}
