//! Numbers as bytes whose order is the order of the numbers, for use inside keys.
//!
//! A number is written in base 100 as `0.X₁X₂…Xₙ × 100^k`, where neither X₁ nor Xₙ is zero. DynamoDB's range makes k
//! run from -64 to 63, which is 128 values, so that sign and exponent share one byte:
//!
//! ```text
//!            head        a byte per base-100 digit
//! positive   80 + 64+k   2X+1 while more follow, 2X for the last
//! negative   7F - 64-k   the same, complemented
//! zero       80          00                                          as if it were 0.00 × 100^-64
//!
//!  1234.5  =  0.12 34 50 × 100^2      C2 │ 19 45 64
//!  12      =  0.12       × 100^1      C1 │ 18
//!  0.05    =  0.05       × 100^0      C0 │ 0A
//!  0                                  80 │ 00
//! -0.05                               3F │ F5
//! -12                                 3E │ E7
//! -1234.5                             3D │ E6 BA 9B
//! ```
//!
//! The low bit of a digit's byte says whether more follow. Of two numbers that share their first digits the one that
//! goes on is greater, and so is its byte; the complement turns both round. So the bytes end themselves, no number's
//! bytes are the start of another's, and whatever follows them in a key decides between equal numbers alone.
//!
//! Equal numbers have equal bytes, and n digits take n/2 + 1 or n/2 + 2 bytes, [`MAX_BYTES`] at most.
//!
//!

use super::{MAX_CANONICAL_BYTES, MAX_DIGITS};
use crate::buffer::Buffer;

/// The most bytes that [`encode`] writes for a number: the head, and 38 digits that start in the middle of a pair.
pub const MAX_BYTES: usize = 1 + MAX_DIGITS / 2 + 1;

/// The head of positive numbers below 100^-64, and of zero.
const POSITIVE: u8 = 0x80;
/// What is added to the exponent k to count from 0.
const BIAS: i32 = 64;
/// The low bit of a digit's byte.
const MORE: u8 = 1;

/// Appends the bytes of the number that this canonical text spells.
///
/// Costs a pass over the text, no allocation beyond `out`. Of text that is not canonical the bytes mean nothing, but
/// there are some, and no panic.
///
/// ```
/// use kstone_core::number::ordered::encode;
///
/// let bytes = |text: &str| {
///     let mut out = Vec::new();
///     encode(text, &mut out);
///     out
/// };
/// assert!(bytes("-10") < bytes("-9") && bytes("-9") < bytes("0") && bytes("9") < bytes("10"));
/// assert_eq!(bytes("1234.5"), [0xC2, 0x19, 0x45, 0x64]);
/// ```
pub fn encode(canonical: &str, out: &mut impl Buffer) {
    let (negative, magnitude) = match canonical.as_bytes() {
        [b'-', magnitude @ ..] => (true, magnitude),
        magnitude => (false, magnitude),
    };
    let start = out.len();
    let whole = magnitude.iter().position(|&byte| byte == b'.').unwrap_or(magnitude.len());
    let digits = || magnitude.iter().enumerate().filter(|(_, byte)| byte.is_ascii_digit());
    let Some((first, _)) = digits().find(|(_, byte)| **byte != b'0') else {
        out.extend_from_slice(&[POSITIVE, 0]);
        return;
    };
    // The power of ten of the leading digit: places before the point count from 0 up, those behind it from -1 down.
    let power = if first < whole { whole as i32 - 1 - first as i32 } else { whole as i32 - first as i32 };
    let exponent = power.div_euclid(2) + 1;
    out.push(POSITIVE | (exponent + BIAS) as u8);
    // An even power begins in the middle of a pair.
    let mut is_second = power.rem_euclid(2) == 0;
    if is_second {
        out.push(MORE);
    }
    // Zeros at the end of an integer are not written: they are what `end` leaves behind.
    let mut end = out.len();
    for (_, &byte) in digits().skip_while(|(at, _)| *at < first) {
        let digit = (byte - b'0') << 1;
        match out.last_mut() {
            Some(pair) if is_second => *pair = ((*pair & !MORE) * 10 + digit) | MORE,
            _ => out.push(digit | MORE),
        }
        is_second = !is_second;
        if digit != 0 {
            end = out.len();
        }
    }
    // A pair that lacks its second digit has a zero there.
    if let (true, Some(pair)) = (is_second, out.last_mut()) {
        *pair = ((*pair & !MORE) * 10) | MORE;
    }
    out.truncate(end);
    if let Some(last) = out[start + 1..].last_mut() {
        *last &= !MORE;
    }
    if negative {
        out[start..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// Takes a number's bytes from the front of `cursor` and gives its canonical text back.
///
/// `None`, and the cursor stays, where it does not begin with what [`encode`] writes for a canonical text.
///
/// ```
/// use kstone_core::number::ordered::{decode, encode};
///
/// let mut key = Vec::new();
/// encode("-0.125", &mut key);
/// key.extend_from_slice(b"what follows");
/// let mut cursor = key.as_slice();
/// assert_eq!(decode(&mut cursor).as_deref(), Some("-0.125"));
/// assert_eq!(cursor, b"what follows");
/// ```
#[must_use]
pub fn decode(cursor: &mut &[u8]) -> Option<String> {
    let mut rest = *cursor;
    let bytes = skip(&mut rest)?;
    let mask = sign_mask(bytes[0]);
    let pairs = || bytes[1..].iter().map(|byte| (byte ^ mask) >> 1);
    let text = if bytes == [POSITIVE, 0] {
        "0".to_owned()
    } else {
        let exponent = i32::from((bytes[0] ^ mask) & !POSITIVE) - BIAS;
        let (first, last) = (pairs().next()?, pairs().next_back()?);
        if first == 0 || last == 0 || pairs().any(|pair| pair > 99) {
            return None;
        }
        let digits: String = pairs().flat_map(|pair| [pair / 10, pair % 10]).map(|d| char::from(b'0' + d)).collect();
        let leading = usize::from(first < 10);
        let digits = digits[leading..].trim_end_matches('0');
        if digits.len() > MAX_DIGITS {
            return None;
        }
        plain(mask != 0, digits, 2 * exponent - leading as i32)
    };
    *cursor = rest;
    Some(text)
}

/// Takes a number's bytes from the front of `cursor` as they are, without looking at what they mean.
#[must_use]
pub fn skip<'a>(cursor: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (&head, digits) = cursor.split_first()?;
    let mask = sign_mask(head);
    let last = digits.iter().position(|byte| (byte ^ mask) & MORE == 0)?;
    let (bytes, rest) = cursor.split_at(1 + last + 1);
    if bytes.len() > MAX_BYTES {
        return None;
    }
    *cursor = rest;
    Some(bytes)
}

/// What the bytes of a number with this head are combined with to give those of its magnitude.
fn sign_mask(head: u8) -> u8 {
    if head & POSITIVE == 0 { 0xFF } else { 0 }
}

/// The text of `0.digits × 10^power`, whose first and last digits are not zero.
fn plain(negative: bool, digits: &str, power: i32) -> String {
    let mut text = String::with_capacity(MAX_CANONICAL_BYTES);
    if negative {
        text.push('-');
    }
    let zeros = |text: &mut String, count: usize| text.extend(std::iter::repeat_n('0', count));
    match usize::try_from(power) {
        Ok(whole) if whole >= digits.len() => {
            text.push_str(digits);
            zeros(&mut text, whole - digits.len());
        }
        Ok(whole) if whole > 0 => {
            text.push_str(&digits[..whole]);
            text.push('.');
            text.push_str(&digits[whole..]);
        }
        _ => {
            text.push_str("0.");
            zeros(&mut text, power.unsigned_abs() as usize);
            text.push_str(digits);
        }
    }
    text
}

#[cfg(test)]
mod tests;
