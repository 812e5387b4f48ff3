//! Values for what is prepared, from values of Rust.
//!
//! Thread safety: immutable once made.

use crate::error::{Error, Reason, Result};
use kstone_core::item::{ItemRef, ItemWriter, ValueRef};
use kstone_core::value::Value;

use crate::expression::Slot;

/// Values in the stored form, as runs of what is prepared take them: encoded once, lent to any number of runs.
///
/// ```
/// use kstone_api::{KeystoneValue, PreparedValues, Type};
/// let values = PreparedValues::encode(&[KeystoneValue::string("a"), KeystoneValue::number(2)])?;
/// assert_eq!(values.lent()[1].as_number(), Some("2"));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PreparedValues {
    bag: Vec<u8>,
    slots: Vec<Slot>,
}

impl PreparedValues {
    /// Encodes values in their order.
    ///
    /// # Errors
    /// [`Error::Invalid`] and [`Error::Limit`] for a value that no item can hold, saying which.
    pub fn encode(values: &[Value]) -> Result<Self> {
        const NAME: &str = "value";
        let mut encoded = Self::default();
        let mut writer = ItemWriter::new();
        for (at, value) in values.iter().enumerate() {
            writer.clear();
            writer.set_value(NAME, value).map_err(|error| match error {
                kstone_core::Error::Invalid(refusal) => {
                    let refusal = refusal.without_attribute(NAME).into();
                    Reason::ValueInvalid { refusal, number: at + 1 }.into()
                }
                other => Error::from(other),
            })?;
            if let Some(value) = ItemRef::new(writer.finish()).get(NAME) {
                encoded.slots.push(Slot::append(&mut encoded.bag, value));
            }
        }
        Ok(encoded)
    }

    /// The values, as a run takes them.
    #[must_use]
    pub fn lent(&self) -> Vec<ValueRef<'_>> {
        self.slots.iter().map(|slot| slot.read(&self.bag)).collect()
    }
}
