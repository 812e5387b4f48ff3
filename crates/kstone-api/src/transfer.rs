//! The database in files and back: snapshots, exports and imports.

pub(crate) mod export;
pub(crate) mod file;
pub(crate) mod import;
pub mod snapshot;
