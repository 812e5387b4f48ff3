//! DynamoDB's numbers: exact decimals of 38 significant digits, kept as canonical text.
//!
//! The canonical text of a number is plain notation: no exponent, no `+`, no leading zeros (`0.5` keeps its one), no
//! zeros at the end of a fraction, and zero is `0` whatever its sign. Each number has exactly one canonical text, so
//! equal numbers are equal bytes:
//!
//! ```text
//! "5" "05" "5.0" "+5" "50E-1"  ->  "5"            "1E3"  ->  "1000"            "-0.00"  ->  "0"
//! ```
//!
//! Range and precision follow DynamoDB (Developer Guide, "Supported data types and naming rules"): magnitudes from
//! 1E-130 to 9.9999999999999999999999999999999999999E+125, at most 38 significant digits. Zeros before the first and
//! after the last other digit are not significant. The longest canonical text has [`MAX_CANONICAL_BYTES`] bytes.
//!
//! Invariant: work is bounded by [`MAX_TEXT_BYTES`], never by the value of an exponent. Thread safety: free functions
//! over borrowed text, without state.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::str::FromStr;

use bigdecimal::{BigDecimal, Zero};

use crate::buffer::Buffer;
use crate::error::{Error, Reason, Result, Unit};

pub mod ordered;
mod sum;

pub use sum::Sum;

/// The most significant digits that a number can have.
pub const MAX_DIGITS: usize = 38;

/// The most bytes that the text of a number may have on its way in, far beyond what any number in range needs. Longer
/// text is refused unread.
pub const MAX_TEXT_BYTES: usize = 1024;

/// The most bytes that a canonical text can have: sign, `0.`, 129 zeros and 38 digits.
pub const MAX_CANONICAL_BYTES: usize = 1 + 2 + 129 + MAX_DIGITS;

/// The most bytes of an `i64` in canonical form.
pub const INTEGER_MAX_BYTES: usize = 20;

/// The power of ten of the leading digit of the largest number.
const MAX_EXPONENT: i64 = 125;
/// The power of ten of the leading digit of the number closest to zero.
const MIN_EXPONENT: i64 = -130;
/// Exponents stop counting here: with at most [`MAX_TEXT_BYTES`] digits, the number is out of range anyway.
const EXPONENT_CEILING: i64 = 1_000_000;
/// Refused text is quoted up to this many characters.
const QUOTED_CHARS: usize = 64;

/// The canonical text of the number that `text` spells.
///
/// `text` is an optional sign, digits with at most one point among or around them, and an optional exponent (`e` or
/// `E`, optional sign, digits). Nothing else, no spaces, is a number.
///
/// Text that is canonical already comes back borrowed: up to 38 digits in one pass without allocation (about 10 ns for
/// a few digits). Anything else goes through a big decimal and costs some hundred nanoseconds.
///
/// # Errors
/// [`Error::Invalid`] with DynamoDB's text where `text` is no number, its magnitude is out of range or it has more than
/// 38 significant digits; [`Error::Limit`] where it is longer than [`MAX_TEXT_BYTES`].
///
/// ```
/// use kstone_core::number::canonical;
///
/// assert_eq!(canonical("1.50e2").unwrap(), "150");
/// assert_eq!(canonical("-.5").unwrap(), "-0.5");
/// assert_eq!(canonical("-0").unwrap(), "0");
/// assert!(canonical("1E999999999").unwrap_err().to_string().starts_with("Number overflow."));
/// assert!(canonical("ten").is_err());
/// ```
pub fn canonical(text: &str) -> Result<Cow<'_, str>> {
    if is_short_canonical(text.as_bytes()) {
        return Ok(Cow::Borrowed(text));
    }
    canonical_of_any(text)
}

/// Whether `text` is the canonical text of a number in range. Costs what [`canonical`] costs.
///
/// ```
/// use kstone_core::number::is_canonical;
///
/// assert!(is_canonical("-12.5"));
/// assert!(!is_canonical("12.50") && !is_canonical("1E3") && !is_canonical("-0") && !is_canonical(""));
/// ```
#[must_use]
pub fn is_canonical(text: &str) -> bool {
    matches!(canonical(text), Ok(Cow::Borrowed(_)))
}

/// The numeric order of two canonical texts, by looking at their digits: no parsing, no allocation, a few nanoseconds.
///
/// Of texts that are not canonical the answer means nothing, but there is one, and no panic.
///
/// ```
/// use kstone_core::number::compare;
/// use std::cmp::Ordering;
///
/// assert_eq!(compare("9", "10"), Ordering::Less);
/// assert_eq!(compare("-9", "-10"), Ordering::Greater);
/// assert_eq!(compare("0.25", "0.3"), Ordering::Less);
/// ```
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    compare_bytes(a.as_bytes(), b.as_bytes())
}

/// [`compare`] of texts that lie in an item as bytes.
#[inline]
#[must_use]
pub fn compare_bytes(a: &[u8], b: &[u8]) -> Ordering {
    match (a, b) {
        ([b'-', a @ ..], [b'-', b @ ..]) => compare_magnitudes(b, a),
        ([b'-', ..], _) => Ordering::Less,
        (_, [b'-', ..]) => Ordering::Greater,
        (a, b) => compare_magnitudes(a, b),
    }
}

/// The exact sum of two canonical texts, as canonical text. Integers of up to 18 digits cost a few nanoseconds in
/// addition to the text; anything else goes through a big decimal.
///
/// # Errors
/// As [`canonical`]: where the sum is out of range or has more than 38 significant digits. Nothing is ever rounded.
///
/// ```
/// use kstone_core::number::add;
///
/// assert_eq!(add("0.1", "0.2").unwrap(), "0.3");
/// assert_eq!(add("99", "-99").unwrap(), "0");
/// assert!(add(&"9".repeat(38), "0.1").is_err());
/// ```
pub fn add(a: &str, b: &str) -> Result<String> {
    text_of(|out| add_to(out, a, b))
}

/// As [`add`], appended to a buffer: allocates nothing where both numbers and their sum are integers of 64 bits.
///
/// # Errors
/// As [`add`].
pub fn add_to(out: &mut impl Buffer, a: &str, b: &str) -> Result<()> {
    combine(out, (a, b), i64::checked_add, |a, b| a + b)
}

/// The exact difference of two canonical texts. See [`add`] for cost.
///
/// # Errors
/// As [`add`].
///
/// ```
/// assert_eq!(kstone_core::number::subtract("1", "0.25").unwrap(), "0.75");
/// ```
pub fn subtract(a: &str, b: &str) -> Result<String> {
    text_of(|out| subtract_to(out, a, b))
}

/// As [`subtract`], appended to a buffer as [`add_to`] does.
///
/// # Errors
/// As [`add`].
pub fn subtract_to(out: &mut impl Buffer, a: &str, b: &str) -> Result<()> {
    combine(out, (a, b), i64::checked_sub, |a, b| a - b)
}

/// An integer in canonical form, in the last bytes of `text`.
#[inline]
#[must_use]
pub fn integer(number: i64, text: &mut [u8; INTEGER_MAX_BYTES]) -> &[u8] {
    let mut start = text.len();
    let mut rest = number.unsigned_abs();
    loop {
        start -= 1;
        text[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        text[start] = b'-';
    }
    &text[start..]
}

/// The number as an `i64`, if it is one exactly: `None` for fractions and for what does not fit.
///
/// ```
/// use kstone_core::number::to_i64;
///
/// assert_eq!(to_i64("-42"), Some(-42));
/// assert_eq!(to_i64("0.5"), None);
/// assert_eq!(to_i64("9223372036854775808"), None);
/// ```
#[must_use]
pub fn to_i64(canonical: &str) -> Option<i64> {
    canonical.parse().ok()
}

/// The `f64` closest to the number; `None` only where the text is no canonical number.
///
/// Every number in range has one, since `f64` reaches further than DynamoDB's numbers.
///
/// ```
/// assert_eq!(kstone_core::number::to_f64("0.1"), Some(0.1));
/// assert_eq!(kstone_core::number::to_f64("NaN"), None);
/// ```
#[must_use]
pub fn to_f64(canonical: &str) -> Option<f64> {
    // The standard parser also takes "inf" and "nan", which are no numbers here.
    canonical.bytes().all(|b| matches!(b, b'0'..=b'9' | b'-' | b'.')).then(|| canonical.parse().ok()).flatten()
}

/// The bytes that DynamoDB counts for a number given as canonical text.
///
/// One byte for each two significant digits before the point and for each two behind it, one for the exponent, and one
/// more below zero; zero is a single byte. The Developer Guide ("DynamoDB item sizes and formats") calls its rule
/// approximate and leaves out the sign and the point; both were found on AWS, by items at the limit of their size.
///
/// ```
/// use kstone_core::number::size;
///
/// assert_eq!(size("0"), 1);
/// assert_eq!(size("1000"), 2);
/// assert_eq!(size("-12.5"), 4);
/// assert_eq!(size("123.5"), 4);
/// ```
#[must_use]
pub fn size(canonical: &str) -> usize {
    let (whole, fraction) = significant_digits(canonical.as_bytes());
    let sign = usize::from(canonical.starts_with('-'));
    if whole + fraction == 0 { 1 } else { 1 + whole.div_ceil(2) + fraction.div_ceil(2) + sign }
}

fn text_of(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<String> {
    let mut text = Vec::new();
    write(&mut text)?;
    String::from_utf8(text).map_err(|_| Error::from(Reason::NoNumber))
}

/// [`add`] and [`subtract`]: in integers where they do, in big decimals otherwise.
fn combine(
    out: &mut impl Buffer,
    (a, b): (&str, &str),
    integers: impl FnOnce(i64, i64) -> Option<i64>,
    decimals: impl FnOnce(BigDecimal, BigDecimal) -> BigDecimal,
) -> Result<()> {
    if let (Some(a), Some(b)) = (to_i64(a), to_i64(b))
        && let Some(result) = integers(a, b)
    {
        out.extend_from_slice(integer(result, &mut [0; INTEGER_MAX_BYTES]));
        return Ok(());
    }
    let decimal = |text: &str| BigDecimal::from_str(text).map_err(|_| Error::from(Reason::NoNumber));
    // Two numbers in range span some 260 digits, so the plain text stays far below what `canonical` reads.
    let plain = decimals(decimal(a)?, decimal(b)?).to_plain_string();
    out.extend_from_slice(canonical(&plain)?.as_bytes());
    Ok(())
}

/// How many significant digits there are before the point and behind it.
fn significant_digits(text: &[u8]) -> (usize, usize) {
    let is_significant = |b: &u8| matches!(b, b'1'..=b'9');
    let Some(first) = text.iter().position(is_significant) else { return (0, 0) };
    let last = text.iter().rposition(is_significant).unwrap_or(first);
    match text.iter().position(|&b| b == b'.') {
        None => (last + 1 - first, 0),
        Some(point) if last < point => (last + 1 - first, 0),
        Some(point) if first > point => (0, last + 1 - first),
        Some(point) => (point - first, last - point),
    }
}

/// Recognises canonical text of up to 38 digits, the case that must cost next to nothing. Digits are counted with
/// zeros, so the range need not be looked at; text that fails here may still be canonical.
fn is_short_canonical(text: &[u8]) -> bool {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut point = None;
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(at),
            _ => return false,
        }
    }
    let whole = point.unwrap_or(digits.len());
    let no_leading_zero = whole == 1 || (whole > 1 && digits[0] != b'0');
    let ends_well = match point {
        Some(point) => point + 1 < digits.len() && !digits.ends_with(b"0"),
        None => !(negative && digits == b"0"),
    };
    no_leading_zero && ends_well && digits.len() - usize::from(point.is_some()) <= MAX_DIGITS
}

/// [`canonical`] of any spelling, through a big decimal.
#[cold]
fn canonical_of_any(text: &str) -> Result<Cow<'_, str>> {
    if text.is_empty() {
        return Err(Reason::NoNumber.into());
    }
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::limit("Number text", Unit::Bytes, MAX_TEXT_BYTES, text.len()));
    }
    let not_a_number = || Error::from(Reason::NotNumeric { text: quoted(text).into() });
    let spelling = Spelling::parse(text).ok_or_else(not_a_number)?;
    // Without the written exponent, so that no step below can be made to grow by it.
    let mantissa = BigDecimal::from_str(&spelling.mantissa).map_err(|_| not_a_number())?.normalized();
    if mantissa.is_zero() {
        // Owned even so: what comes back borrowed is the text that was given.
        return Ok(Cow::Owned("0".to_owned()));
    }
    let digit_count = i64::try_from(mantissa.digits()).expect("bounded by MAX_TEXT_BYTES");
    let (digits, scale) = mantissa.into_bigint_and_exponent();
    let scale = scale - spelling.exponent;
    let leading = digit_count - 1 - scale;
    if leading > MAX_EXPONENT {
        return Err(Reason::NumberOverflow.into());
    }
    if leading < MIN_EXPONENT {
        return Err(Reason::NumberUnderflow.into());
    }
    if digit_count > MAX_DIGITS as i64 {
        return Err(Reason::NumberTooPrecise.into());
    }
    let plain = BigDecimal::new(digits, scale).to_plain_string();
    Ok(if plain == text { Cow::Borrowed(text) } else { Cow::Owned(plain) })
}

/// A number's text taken apart.
struct Spelling {
    /// Sign, digits and point.
    mantissa: String,
    /// The written exponent, clamped to ±[`EXPONENT_CEILING`].
    exponent: i64,
}

impl Spelling {
    /// `None` where `text` is not spelled like a number.
    fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], Self::exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let negative = mantissa.starts_with('-');
        let unsigned = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let sign = if negative { "-" } else { "" };
        // The big decimal's parser wants a digit on both sides of the point; 0 changes nothing.
        Some(Self { mantissa: format!("{sign}0{whole}.{fraction}0"), exponent })
    }

    fn exponent(text: &str) -> Option<i64> {
        let negative = text.starts_with('-');
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let clamped = digits.bytes().fold(0, |sum: i64, b| (sum * 10 + i64::from(b - b'0')).min(EXPONENT_CEILING));
        Some(if negative { -clamped } else { clamped })
    }
}

/// Canonical texts without their signs.
fn compare_magnitudes(a: &[u8], b: &[u8]) -> Ordering {
    let whole = |text: &[u8]| text.iter().position(|&b| b == b'.').unwrap_or(text.len());
    // Without leading zeros more digits before the point are more. With as many, the points lie in the same place, and
    // texts order like words: without trailing zeros, one that goes on is more.
    whole(a).cmp(&whole(b)).then_with(|| a.cmp(b))
}

/// `text`, cut where it is long, for an error's text.
pub(crate) fn quoted(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED_CHARS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
