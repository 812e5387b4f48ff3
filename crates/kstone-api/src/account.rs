//! Accounts: tables that share a clock, a memory limit and caches, and that are written together.

pub(crate) mod environment;
