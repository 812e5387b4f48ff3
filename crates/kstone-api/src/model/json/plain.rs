//! How far a string is what it looks like: up to a quote, a backslash or a control character, looked for eight bytes at
//! a time.

/// How many bytes at the start are neither quote, backslash nor control character: those of a JSON string that stand for
/// themselves.
///
/// ```
/// assert_eq!(kstone_api::json::plain_len(b"plain\\n\""), 5);
/// ```
#[inline]
#[must_use]
pub fn plain_len(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let ends = string_ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return 8 * i + ends.trailing_zeros() as usize / 8;
        }
    }
    let ends = |&byte: &u8| byte == b'"' || byte == b'\\' || byte < 0x20;
    8 * words.len() + rest.iter().position(ends).unwrap_or(rest.len())
}

/// The high bit of the first byte of eight, from the lowest on, that is a quote, a backslash or a control character; 0
/// where none is. Bits above that one mean nothing.
#[inline]
fn string_ends(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    // The high bit of each byte below `limit`, but for what a lower such byte borrows, and those that are not ASCII.
    let below = |bytes: u64, limit: u64| bytes.wrapping_sub(ONES * limit) & !bytes;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_plain_or_ends_the_string() {
        for byte in 0..=u8::MAX {
            let is_plain = byte >= 0x20 && byte != b'"' && byte != b'\\';
            for len in 1..20 {
                for at in 0..len {
                    for around in [b' ', b'~', 0x80, 0xff] {
                        let mut bytes = vec![around; len];
                        bytes[at] = byte;
                        assert_eq!(plain_len(&bytes), if is_plain { len } else { at }, "{byte} at {at} of {bytes:?}");
                    }
                }
            }
        }
        assert_eq!(plain_len(b""), 0);
    }
}
