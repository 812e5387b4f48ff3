//! What every call crosses, in layers: each file knows only those below it.
//!
//! ```text
//! guard          runs a call, stops panics, hands out the error
//! error_object   what the caller learns of a failure        arguments, structs   what comes in, and outputs
//! handle         what callers hold: a tag and a value
//! failure        why a call fails
//! status         codes and their texts
//! text           C strings                                  contract             what callers promise
//! tag            what lies before every pointer handed out
//! ```

pub mod arguments;
pub(crate) mod contract;
pub mod error_object;
pub(crate) mod failure;
pub(crate) mod guard;
pub(crate) mod handle;
pub mod status;
pub(crate) mod structs;
pub(crate) mod tag;
pub(crate) mod text;

pub(crate) use arguments::{
    Out, OutBytes, bytes, checked_text, file_path, has_length, key_bytes, known_flags, set_text, text, text_bytes,
    usual_key_bytes,
};
pub(crate) use contract::by_contract;
pub(crate) use error_object::ErrorObject;
pub(crate) use failure::Failure;
pub(crate) use guard::{accessor, entry};
pub(crate) use handle::{Handle, Slot, Tagged, borrow, borrow_mut, hand_out};
pub(crate) use status::{KSTONE_OK, Status};
pub(crate) use structs::{c_struct, not_served, read_struct};
pub(crate) use tag::Tag;
