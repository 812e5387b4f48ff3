//! What callers give and get: items and their JSON, the schema, options, statistics and the clock.
//!
//! Nothing here knows a database.

pub mod clock;
pub(crate) mod index_keys;
pub(crate) mod item_builder;
pub(crate) mod item_check;
pub mod json;
pub(crate) mod options;
pub(crate) mod progress;
pub(crate) mod schema;
pub(crate) mod statistic;
pub(crate) mod stats;
