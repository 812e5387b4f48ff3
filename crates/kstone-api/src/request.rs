//! Requests: what can be asked of a database to read and to write, and what comes back.

pub(crate) mod cursor;
pub(crate) mod extent;
pub(crate) mod key_range;
pub(crate) mod lent_write;
pub(crate) mod many;
pub(crate) mod operation;
pub(crate) mod operation_list;
pub(crate) mod page;
pub(crate) mod parameters;
pub(crate) mod parsed_write;
pub(crate) mod partition;
pub(crate) mod prepared_query;
pub(crate) mod prepared_values;
pub(crate) mod prepared_write;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod read_options;
pub(crate) mod read_request;
pub(crate) mod records;
pub(crate) mod scan;
pub(crate) mod selection;
pub(crate) mod sort_key;
pub(crate) mod start;
pub(crate) mod token;
pub(crate) mod transaction;
pub(crate) mod write;
