//! Text in bytes, found to be UTF-8 at the price of looking for a byte that is not ASCII: most text has none, and the
//! standard check takes three times as many instructions for a hundred bytes.

use std::str::Utf8Error;

/// The text of these bytes, which are checked.
///
/// # Errors
/// Where the bytes are not UTF-8, saying how far they are.
///
/// ```
/// assert_eq!(kstone_core::utf8("naïve".as_bytes()), Ok("naïve"));
/// assert_eq!(kstone_core::utf8(b"abc\xff").unwrap_err().valid_up_to(), 3);
/// ```
#[inline]
pub fn utf8(bytes: &[u8]) -> Result<&str, Utf8Error> {
    if is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(bytes) });
    }
    str::from_utf8(bytes)
}

/// Eight bytes at a time, the last eight once more if need be. The standard library's stops early, and so is not made
/// of vectors.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().fold(0, |all, byte| all | byte) < 0x80;
    };
    let (words, _) = bytes.as_chunks();
    let all = words.iter().fold(u64::from_ne_bytes(*last), |all, word| all | u64::from_ne_bytes(*word));
    all & HIGH_BITS == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_those_of_the_standard_library() {
        for len in 0..70 {
            for at in 0..=len {
                for wrong in [0x7f, 0x80, 0xc3, 0xff] {
                    let mut bytes = vec![b'a'; len];
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = wrong;
                    }
                    assert_eq!(utf8(&bytes), str::from_utf8(&bytes));
                }
            }
        }
        assert_eq!(utf8("é€😀".as_bytes()), Ok("é€😀"));
    }
}
