//! Which JSON is meant.

use kstone_api::json::JsonForm;

use crate::boundary::{Failure, known_flags};

/// Flag of the functions on JSON: {"age":30} instead of DynamoDB's typed form {"age":{"N":"30"}}.
pub const KSTONE_JSON_PLAIN: u32 = 1u32;

/// The form that the flags ask for.
pub(crate) fn form_of(flags: u32) -> Result<JsonForm, Failure> {
    known_flags(flags, KSTONE_JSON_PLAIN)?;
    Ok(if flags & KSTONE_JSON_PLAIN != 0 { JsonForm::Plain } else { JsonForm::Typed })
}
