//! The one room of this crate that holds `unsafe` code: the counted record.
#![expect(unsafe_code, reason = "a record is one counted allocation behind a tagged pointer, 8 bytes a handle")]

pub(crate) mod counted;
