//! Numbers as DynamoDB takes them, and what it says of the others.
//!
//! kstone-core keeps numbers in canonical form and compares them ([`kstone_core::number`]). Here is what a request's
//! spelling adds: the sentence that AWS has for each refusal, spellings of any length, and the size that AWS counts.

use std::borrow::Cow;

use kstone_core::number::{MAX_DIGITS, MAX_TEXT_BYTES};

use crate::echo::Echo;
use crate::refusal::Layer;
use crate::texts::Text;

/// The power of ten of the leading digit of the largest number.
const MAX_EXPONENT: i64 = 125;
/// The power of ten of the leading digit of the number closest to zero.
const MIN_EXPONENT: i64 = -130;

/// A number's text taken apart.
struct Spelling<'a> {
    negative: bool,
    /// All digits, and where among them the point is.
    digits: Cow<'a, str>,
    point: i64,
    /// The exponent as it is written.
    exponent: i64,
}

/// The significant part of a number: none of zero.
struct Significant<'a> {
    digits: &'a str,
    /// The power of ten of the first digit.
    leading: i64,
}

impl<'a> Spelling<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = if fraction.is_empty() { Cow::Borrowed(whole) } else { Cow::Owned(format!("{whole}{fraction}")) };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let whole = i64::try_from(whole.len()).ok()?;
        Some(Self { negative, digits, point: exponent.saturating_add(whole), exponent })
    }

    fn significant(&self) -> Option<Significant<'_>> {
        let first = self.digits.find(|c| c != '0')?;
        let leading = self.point.saturating_sub(1 + i64::try_from(first).ok()?);
        Some(Significant { digits: self.digits[first..].trim_end_matches('0'), leading })
    }
}

fn exponent(text: &str) -> Option<i64> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    // What 64 bits do not hold is no exponent to the service either (parity, `limits/numberExponent`).
    let value: i64 = digits.parse().ok()?;
    Some(if negative { -value } else { value })
}

/// Whether DynamoDB takes this number.
///
/// # Errors
/// Its sentence, where it does not (facts 11 and 12).
///
/// ```
/// use kstone_dynamodb::number::check;
///
/// use kstone_dynamodb::Layer::{Newer, Older};
///
/// assert!(check("+.5e3", Newer).is_ok());
/// assert_eq!(check("1e126", Newer).unwrap_err().to_string().split('.').next(), Some("Number overflow"));
/// assert_eq!(check("b", Older).unwrap_err().to_string(), "The parameter cannot be converted to a numeric value: b");
/// ```
pub fn check(text: &str, layer: Layer) -> Result<(), Text> {
    if text.is_empty() && layer == Layer::Older {
        return Err(Text::NotNumericEmpty);
    }
    let not_numeric = || Text::NotNumeric { text: Echo::of(text) };
    let spelling = Spelling::parse(text).ok_or_else(not_numeric)?;
    let significant = spelling.significant();
    // To the newer layer, zero is as large as the exponent that it is written with (parity, `limits/numberExponent`).
    let of_zero = if layer == Layer::Newer { spelling.exponent } else { 0 };
    let leading = significant.as_ref().map_or(of_zero, |significant| significant.leading);
    if layer == Layer::Older {
        // That layer's exponents and scales, which are exponents turned round, are of 32 bits, and the power of the leading digit wraps around.
        i32::try_from(-spelling.exponent).map_err(|_| not_numeric())?;
        i32::try_from(spelling.exponent).map_err(|_| not_numeric())?;
        if leading >= i64::from(i32::MAX) {
            return Err(Text::NumberUnderflow);
        }
    }
    if leading > MAX_EXPONENT {
        return Err(Text::NumberOverflow);
    }
    if leading < MIN_EXPONENT {
        return Err(Text::NumberUnderflow);
    }
    if significant.is_some_and(|significant| significant.digits.len() > MAX_DIGITS) {
        return Err(Text::NumberTooPrecise);
    }
    Ok(())
}

/// The canonical text of a number that DynamoDB takes: `1E2` is `100`, `-0` is `0`.
///
/// # Errors
/// As [`check`].
pub fn canonical(text: &str) -> Result<Cow<'_, str>, Text> {
    check(text, Layer::Older)?;
    // The core reads spellings of a bounded length; longer ones are mostly zeros.
    let short = if text.len() <= MAX_TEXT_BYTES { Cow::Borrowed(text) } else { shortened(text) };
    let refused = || Text::NotNumeric { text: Echo::of(text) };
    match short {
        Cow::Borrowed(text) => kstone_core::number::canonical(text).map_err(|_| refused()),
        Cow::Owned(text) => {
            kstone_core::number::canonical(&text).map(|text| Cow::Owned(text.into_owned())).map_err(|_| refused())
        }
    }
}

/// Significant digits and an exponent.
fn shortened(text: &str) -> Cow<'_, str> {
    let Some(spelling) = Spelling::parse(text) else { return Cow::Borrowed(text) };
    let Some(significant) = spelling.significant() else { return Cow::Owned("0".to_owned()) };
    let sign = if spelling.negative { "-" } else { "" };
    let (first, rest) = significant.digits.split_at(1);
    Cow::Owned(format!("{sign}{first}.{rest}0E{}", significant.leading))
}

/// The bytes that DynamoDB counts for a number: one, one for each two significant digits before the point and behind it,
/// and one below zero (facts 20: captured in eu-west-2 by bisecting the limit of items).
///
/// ```
/// use kstone_dynamodb::number::size;
///
/// assert_eq!((size("0"), size("100"), size("1E125"), size("-12.5"), size("123")), (1, 2, 2, 4, 3));
/// ```
#[must_use]
pub fn size(text: &str) -> usize {
    let Some(spelling) = Spelling::parse(text) else { return 1 };
    let Some(significant) = spelling.significant() else { return 1 };
    let before_point = usize::try_from(significant.leading + 1).unwrap_or(0);
    let whole = significant.digits.len().min(before_point);
    let fraction = significant.digits.len() - whole;
    1 + whole.div_ceil(2) + fraction.div_ceil(2) + usize::from(spelling.negative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_taken_is_what_the_core_takes(text in "[+-]?[0-9]{0,45}\\.?[0-9]{0,45}([eE][+-]?[0-9]{1,4})?") {
            let core = kstone_core::number::canonical(&text);
            // Zero with an exponent out of range is taken by the core and by the older layer.
            let layer = if core.as_ref().is_ok_and(|core| core == "0") { Layer::Older } else { Layer::Newer };
            prop_assert_eq!(check(&text, layer).is_ok(), core.is_ok(), "{}", text);
            if let (Err(ours), Err(theirs)) = (check(&text, Layer::Newer), &core) {
                prop_assert!(theirs.to_string().starts_with(ours.to_string().trim_end_matches(": ")), "{}: {} {}", text, ours, theirs);
            }
            if let (Ok(core), Layer::Newer) = (core, layer) {
                prop_assert_eq!(canonical(&text).unwrap(), core);
            }
        }

        #[test]
        fn any_text_has_an_answer(text in ".{0,40}") {
            let _ = (check(&text, Layer::Newer).is_ok(), size(&text));
        }
    }

    #[test]
    fn spellings_of_any_length_are_read() {
        let zeros = "0".repeat(5000);
        assert_eq!(canonical(&format!("{zeros}1.5{zeros}")).unwrap(), "1.5");
        assert_eq!(canonical(&format!("-0.{zeros}")).unwrap(), "0");
        assert_eq!(canonical(&format!("0.{zeros}1e5001")).unwrap(), "1");
        assert_eq!(check(&format!("1{zeros}"), Layer::Newer), Err(Text::NumberOverflow));
        assert_eq!(check(&"9".repeat(39), Layer::Newer), Err(Text::NumberTooPrecise));
    }

    #[test]
    fn exponents_are_of_64_bits_in_the_newer_layer_and_of_32_in_the_older() {
        let said = |text: &str, layer| check(text, layer).err().map(|text| text.name());
        for (text, newer, older) in [
            ("1e2147483647", Some("NumberOverflow"), Some("NumberUnderflow")),
            ("1e99999999999", Some("NumberOverflow"), Some("NotNumeric")),
            ("1e-99999999999", Some("NumberUnderflow"), Some("NotNumeric")),
            ("1e-2147483648", Some("NumberUnderflow"), Some("NotNumeric")),
            ("1e-2147483647", Some("NumberUnderflow"), Some("NumberUnderflow")),
            ("1e9223372036854775807", Some("NumberOverflow"), Some("NotNumeric")),
            ("1e9223372036854775808", Some("NotNumeric"), Some("NotNumeric")),
            ("0e126", Some("NumberOverflow"), None),
            ("0e-131", Some("NumberUnderflow"), None),
            ("0e125", None, None),
        ] {
            assert_eq!((said(text, Layer::Newer), said(text, Layer::Older)), (newer, older), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["1+2", "+e2", "e", ".", "-", " 1", "1 ", "1e", "1.2.3", "0x1", "NaN", "Infinity", "١"] {
            assert!(matches!(check(text, Layer::Newer), Err(Text::NotNumeric { .. })), "{text}");
        }
        assert_eq!(check("", Layer::Older), Err(Text::NotNumericEmpty));
        assert_eq!(
            check("", Layer::Newer).unwrap_err().to_string(),
            "The parameter cannot be converted to a numeric value: "
        );
    }

    #[test]
    fn sizes_count_digits_on_either_side_of_the_point() {
        for (text, expected) in [("0.0000001", 2), ("1.5", 3), ("1234", 3), ("12345", 4), ("-1", 3), ("1000.001", 5)] {
            assert_eq!(size(text), expected, "{text}");
        }
    }
}
