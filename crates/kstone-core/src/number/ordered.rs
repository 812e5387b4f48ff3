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
    let mut text = Vec::with_capacity(MAX_CANONICAL_BYTES);
    decode_to(cursor, &mut text)?;
    String::from_utf8(text).ok()
}

/// As [`decode`], with a buffer that the text is appended to. Allocates nothing itself.
///
/// `None`, and neither changes, where the cursor does not begin with a number's bytes.
pub fn decode_to(cursor: &mut &[u8], text: &mut impl Buffer) -> Option<()> {
    let mut rest = *cursor;
    let bytes = skip(&mut rest)?;
    let mask = sign_mask(bytes[0]);
    if bytes == [POSITIVE, 0] {
        text.push(b'0');
        *cursor = rest;
        return Some(());
    }
    let exponent = i32::from((bytes[0] ^ mask) & !POSITIVE) - BIAS;
    let mut digits = [0; 2 * (MAX_BYTES - 1)];
    for (two, byte) in digits.chunks_exact_mut(2).zip(&bytes[1..]) {
        let pair = (byte ^ mask) >> 1;
        if pair > 99 {
            return None;
        }
        two.copy_from_slice(&[b'0' + pair / 10, b'0' + pair % 10]);
    }
    let digits = &digits[..2 * (bytes.len() - 1)];
    if digits.starts_with(b"00") || digits.ends_with(b"00") {
        return None;
    }
    let leading = usize::from(digits[0] == b'0');
    let trailing = usize::from(digits[digits.len() - 1] == b'0');
    let digits = &digits[leading..digits.len() - trailing];
    if digits.len() > MAX_DIGITS {
        return None;
    }
    plain(mask != 0, digits, 2 * exponent - leading as i32, text);
    *cursor = rest;
    Some(())
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

/// Appends the text of `0.digits × 10^power`, whose first and last digits are not zero.
fn plain(negative: bool, digits: &[u8], power: i32, text: &mut impl Buffer) {
    /// As many as the smallest exponent puts behind the point, one of them for its own leading digit.
    const ZEROS: [u8; 2 * BIAS as usize + 1] = [b'0'; 2 * BIAS as usize + 1];
    if negative {
        text.push(b'-');
    }
    match usize::try_from(power) {
        Ok(whole) if whole >= digits.len() => {
            text.extend_from_slice(digits);
            text.extend_from_slice(&ZEROS[..whole - digits.len()]);
        }
        Ok(whole) if whole > 0 => {
            text.extend_from_slice(&digits[..whole]);
            text.push(b'.');
            text.extend_from_slice(&digits[whole..]);
        }
        _ => {
            text.extend_from_slice(b"0.");
            text.extend_from_slice(&ZEROS[..power.unsigned_abs() as usize]);
            text.extend_from_slice(digits);
        }
    }
}

#[cfg(test)]
mod tests;
