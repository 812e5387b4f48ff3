//! Every sentence that this crate refuses with itself.
//!
//! `tests/refusals.rs` has a case for every line and pins both texts.

use super::Refusal;

kstone_core::texts! {
    /// Why a call is refused by the layer of tables and requests, with what a sentence about it quotes.
    pub enum Reason;

    TableDeleted Data "the table was deleted" | "Requested resource not found";
    KeyAttributeDiffers { name: &'static str } Data "One or more parameter values were invalid: the attribute {name} must equal the item's key where it is present: type S or B with the bytes of the key";
    ValueInvalid { refusal: Refusal, number: usize } Data "{refusal} (value {number})" | "{refusal:#}";
    Text { text: Box<str> } Data "{text}";
}
