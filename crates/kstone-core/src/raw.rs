//! The one room of this crate that holds `unsafe` code: the counted record, the check of text.
#![expect(unsafe_code, reason = "a record is one counted allocation behind a tagged pointer, 8 bytes a handle")]

pub(crate) mod counted;
pub(crate) mod text;
