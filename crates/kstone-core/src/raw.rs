//! The one module of this crate that holds `unsafe` code: the counted record and its uncounted handle, the checksum of
//! keys, the signals of a thread, the check of text, the buffer on the stack, the value that is shared at first.
#![expect(
    unsafe_code,
    reason = "a record is one counted allocation behind a tagged pointer; the checksum uses an instruction of some \
              processors; the mask of signals is the C library's; a buffer on the stack is not \
              written before it is used; a value that is shared at first is found by one load"
)]

pub(crate) mod checksum;
pub(crate) mod counted;
pub(crate) mod shared_at_first;
pub(crate) mod signals;
pub(crate) mod stack_buffer;
pub(crate) mod text;
pub(crate) mod uncounted;
