//! What can be wrong with an expression or a statement: the kinds of the layer below.

pub use kstone_core::error::Error;
pub(crate) use kstone_core::error::Result;
