//! Time to live: when an item says that it is over, read from its stored form in place.
//!
//! | the attribute is | the item expires |
//! | --- | --- |
//! | missing, not at the top of the item, or of another type than N | never |
//! | a number | once the time is later than it: `value < now` |
//! | a number with a fraction, `1.5` | as any number is compared: after second 1, so at second 2 |
//! | more than five years past, such as zero | never: DynamoDB takes it for a mistake |
//! | milliseconds, or larger than any time | in some 50,000 years, or never |
//!
//! Sources: the API reference of UpdateTimeToLive, by which an item is expired where the number is *less than* the
//! current time, so an item is still there in the very second that it names; the Developer Guide, "Using time to live
//! in DynamoDB", for the type and the place of the attribute and for the five years. That fractions are compared as
//! numbers is not documented, but what users of DynamoDB report.
//!
//! # What requests see of an expired item
//! One rule for each table, in its schema, and every door keeps to it: gets, queries, scans and exports, conditions,
//! updates, deletes, transactions and PartiQL.
//!
//! | [`TableSchema::with_ttl_visible`](crate::TableSchema::with_ttl_visible) | reads | writes | it is removed by |
//! | --- | --- | --- | --- |
//! | not set, the default | do not show it | find no item: an update begins anew | writes to its stripe, `purge_expired`, `compact`, the memory limit |
//! | set, DynamoDB's rule | show it | update what is there | `purge_expired`, `compact`, the memory limit |
//!
//! An item that nothing has removed within five years of its time stays, and is seen again: DynamoDB's rule looks at
//! the present alone.
//!
//! Thread safety: immutable.

use std::num::IntErrorKind;

use crate::error::{Error, Reason, Result};
use kstone_core::item::ItemRef;
use kstone_core::number;

/// The most characters of the attribute's name, DynamoDB's.
pub const TTL_ATTRIBUTE_MAX_CHARS: usize = 255;

/// How long after its time an item may still expire: five years of 365 days.
pub const TTL_PAST_MAX_SECONDS: i64 = 5 * 365 * 24 * 60 * 60;

/// Which attribute says when an item expires.
///
/// ```
/// use kstone_api::ItemWriter;
/// use kstone_api::ttl::Ttl;
///
/// let ttl = Ttl::new("expires_at")?;
/// let mut session = ItemWriter::new();
/// session.set_i64("expires_at", 1_700_000_000)?;
/// assert_eq!(ttl.expires_at(session.as_item()), Some(1_700_000_000));
/// assert!(!ttl.is_expired(session.as_item(), 1_700_000_000));
/// assert!(ttl.is_expired(session.as_item(), 1_700_000_001));
/// # Ok::<(), kstone_api::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ttl {
    attribute: Box<str>,
}

impl Ttl {
    /// Items expire by the attribute of this name, at the top of the item: dots and brackets are part of the name.
    ///
    /// # Errors
    /// [`Error::Invalid`] where the name is empty or longer than [`TTL_ATTRIBUTE_MAX_CHARS`].
    pub fn new(attribute: &str) -> Result<Self> {
        match attribute.chars().count() {
            1..=TTL_ATTRIBUTE_MAX_CHARS => Ok(Self { attribute: attribute.into() }),
            chars => Err(Error::from(Reason::TtlNameLength { most: TTL_ATTRIBUTE_MAX_CHARS, found: chars })),
        }
    }

    /// The attribute's name.
    #[must_use]
    pub fn attribute(&self) -> &str {
        &self.attribute
    }

    /// The last second in which the item is there; none where it does not expire. A fraction is rounded down, and what
    /// no `i64` holds is the nearest one, which does not change what is expired at a whole second.
    ///
    /// Costs a pass over the names before the attribute's and reads up to 20 digits; allocates nothing. It asks no
    /// clock, so a reader of one item asks for the time only where this is some.
    #[inline]
    #[must_use]
    pub fn expires_at(&self, item: ItemRef<'_>) -> Option<i64> {
        let text = item.get(&self.attribute)?.as_number()?;
        number::to_i64(text).or_else(|| rounded_down(text))
    }

    /// Whether the item is expired at this time, in seconds since the epoch.
    #[inline]
    #[must_use]
    pub fn is_expired(&self, item: ItemRef<'_>, now_epoch_seconds: i64) -> bool {
        self.expires_at(item).is_some_and(|expires_at| has_passed(expires_at, now_epoch_seconds))
    }
}

/// Whether an item that [expires at](Ttl::expires_at) this time is expired: where it is strictly before now, by at most
/// [`TTL_PAST_MAX_SECONDS`].
#[inline]
#[must_use]
pub const fn has_passed(expires_at: i64, now_epoch_seconds: i64) -> bool {
    expires_at < now_epoch_seconds && may_pass(expires_at, now_epoch_seconds)
}

/// Whether an item that expires at this time is expired now or will be: it is not, once the time lies too far back.
#[inline]
pub(crate) const fn may_pass(expires_at: i64, now_epoch_seconds: i64) -> bool {
    now_epoch_seconds.saturating_sub(expires_at) <= TTL_PAST_MAX_SECONDS
}

/// The largest `i64` that is not above a canonical number which is none itself, or the smallest there is.
#[cold]
fn rounded_down(text: &str) -> Option<i64> {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    match whole.parse::<i64>() {
        // Canonical text has a fraction only where it is not zero, so below zero the floor is one further down.
        Ok(seconds) if text.starts_with('-') => Some(seconds.saturating_sub(1)),
        Ok(seconds) => Some(seconds),
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => Some(i64::MAX),
            IntErrorKind::NegOverflow => Some(i64::MIN),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ItemWriter, KeystoneValue as Value};

    fn item(value: &Value) -> ItemWriter {
        let mut item = ItemWriter::new();
        item.set_str("a", "before").unwrap().set_value("ttl", value).unwrap().set_str("z", "after").unwrap();
        item
    }

    #[test]
    fn a_number_expires_once_the_time_is_later() {
        // The number, and the last second in which its item is there.
        for (number, last) in [
            ("1700000000", 1_700_000_000),
            ("1700000000.999", 1_700_000_000),
            ("1", 1),
            ("0.5", 0),
            ("0", 0),
            ("-0.0", 0),
            ("-0.5", -1),
            ("-1", -1),
            ("-1.5", -2),
            ("-1700000000", -1_700_000_000),
            ("1E9", 1_000_000_000),
            // Milliseconds are seconds of the year 55841.
            ("1700000000000", 1_700_000_000_000),
            ("9223372036854775806.5", i64::MAX - 1),
            ("9223372036854775807", i64::MAX),
            ("9223372036854775808", i64::MAX),
            ("1E125", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("-9223372036854775808.5", i64::MIN),
            ("-9223372036854775809", i64::MIN),
            ("-1E125", i64::MIN),
            ("1E-130", 0),
            ("-1E-130", -1),
        ] {
            let ttl = Ttl::new("ttl").unwrap();
            let mut item = item(&Value::N(number.to_owned()));
            let item = item.as_item();
            assert_eq!(ttl.expires_at(item), Some(last), "{number}");
            assert!(!ttl.is_expired(item, last), "{number}");
            if let Some(next) = last.checked_add(1) {
                assert!(ttl.is_expired(item, next), "{number}");
            }
            if let Some(five_years_on) = last.checked_add(TTL_PAST_MAX_SECONDS) {
                assert!(ttl.is_expired(item, five_years_on), "{number}");
                assert!(!ttl.is_expired(item, five_years_on.saturating_add(1)), "{number}");
            }
            assert_eq!(
                ttl.is_expired(item, i64::MAX),
                (i64::MAX - TTL_PAST_MAX_SECONDS..i64::MAX).contains(&last),
                "{number}"
            );
            assert!(!ttl.is_expired(item, i64::MIN), "{number}");
        }
    }

    #[test]
    fn an_item_whose_time_is_more_than_five_years_past_is_not_expired() {
        let ttl = Ttl::new("ttl").unwrap();
        let now = 1_700_000_000;
        for (number, expired) in [(0, false), (-1, false), (1_500_000_000, false), (1_600_000_000, true)] {
            let mut item = item(&Value::number(number));
            assert_eq!(ttl.is_expired(item.as_item(), now), expired, "{number}");
        }
    }

    #[test]
    fn what_is_no_number_never_expires() {
        let ttl = Ttl::new("ttl").unwrap();
        for value in [
            Value::string("1"),
            Value::string("2020-01-01T00:00:00Z"),
            Value::binary("1"),
            Value::bool(true),
            Value::null(),
            Value::list([Value::number(1)]),
            Value::map([("ttl", Value::number(1))]),
            Value::NS(vec!["1".to_owned()]),
            Value::SS(vec!["1".to_owned()]),
        ] {
            let mut item = item(&value);
            assert_eq!(ttl.expires_at(item.as_item()), None, "{value:?}");
            assert!(!ttl.is_expired(item.as_item(), i64::MAX), "{value:?}");
        }
    }

    #[test]
    fn only_the_attribute_of_exactly_this_name_counts() {
        let mut item = ItemWriter::new();
        item.set_i64("TTL", 1).unwrap().set_value("m", &Value::map([("ttl", Value::number(1))])).unwrap();
        item.set_i64("ttl2", 1).unwrap().set_i64("m.x", 7).unwrap();
        for (name, expected) in [("ttl", None), ("m.ttl", None), ("m", None), ("TTL", Some(1)), ("m.x", Some(7))] {
            assert_eq!(Ttl::new(name).unwrap().expires_at(item.as_item()), expected, "{name}");
        }
        assert_eq!(Ttl::new("ttl").unwrap().expires_at(ItemRef::default()), None);
    }

    #[test]
    fn a_name_has_1_to_255_characters() {
        assert!(Ttl::new("é").is_ok() && Ttl::new(&"é".repeat(255)).is_ok());
        for name in [String::new(), "a".repeat(256)] {
            let error = Ttl::new(&name).unwrap_err();
            assert!(matches!(error, Error::Invalid(_)) && error.to_string().contains(&format!("found {}", name.len())));
        }
        assert_eq!(Ttl::new("expires_at").unwrap().attribute(), "expires_at");
    }

    #[test]
    fn malformed_stored_text_reads_as_no_expiry() {
        for text in ["", "-", ".", "x", "1x", "-.5"] {
            let text = text.as_bytes();
            let body = [&[1, b't', 2, text.len() as u8], text].concat();
            assert_eq!(Ttl::new("t").unwrap().expires_at(ItemRef::new(&body)), None);
        }
    }
}
