//! The command line of `kstone`: its arguments, examples and manual pages.

pub(crate) mod args;
pub(crate) mod dynamodb_local;
pub(crate) mod examples;
pub(crate) mod man;
