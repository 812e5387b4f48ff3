//! The bytes of the stored form: varints and what they delimit.
//!
//! Readers take a cursor (`&mut &[u8]`) and return `None`, leaving the cursor where it was or further on, where the
//! bytes are not what they should be; the caller stops there.

use crate::buffer::Buffer;
use crate::value::Type;

/// The most bytes of a varint here: 4 hold 28 bits, far beyond the largest body.
pub(super) const VARINT_MAX_BYTES: usize = 4;

/// Appends `n`, which is less than 2^28.
#[inline]
pub(super) fn put_varint(out: &mut impl Buffer, mut n: usize) {
    debug_assert!(n < 1 << (7 * VARINT_MAX_BYTES));
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// How many bytes [`put_varint`] appends.
#[inline]
pub(super) fn varint_len(n: usize) -> usize {
    match n {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

/// Appends `bytes` behind their length.
#[inline]
pub(super) fn put_bytes(out: &mut impl Buffer, bytes: &[u8]) {
    put_varint(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// Appends what `payload` appends, behind its length.
#[inline]
pub(super) fn framed<B: Buffer, E>(out: &mut B, payload: impl FnOnce(&mut B) -> Result<(), E>) -> Result<(), E> {
    let start = begin_frame(out);
    payload(out)?;
    end_frame(out, start);
    Ok(())
}

/// Leaves a place for a length of one byte; where the payload starts, for [`end_frame`].
#[inline]
pub(super) fn begin_frame(out: &mut impl Buffer) -> usize {
    out.push(0);
    out.len()
}

/// Writes the length of the payload from `start` to the end before it. A length of more than one byte moves the
/// payload.
#[inline]
pub(super) fn end_frame(out: &mut impl Buffer, start: usize) {
    let end = out.len();
    let len = end - start;
    if len < 0x80 {
        out[start - 1] = len as u8;
        return;
    }
    put_varint(out, len);
    out[start - 1] = out[end];
    let more_bytes = out.len() - end - 1;
    out.copy_within(end + 1.., end);
    out.truncate(end + more_bytes);
    out[start..].rotate_right(more_bytes);
}

/// Takes a varint, shortest form or not.
#[inline]
pub(super) fn take_varint(cursor: &mut &[u8]) -> Option<usize> {
    let (&first, rest) = cursor.split_first()?;
    if first < 0x80 {
        *cursor = rest;
        return Some(usize::from(first));
    }
    // By value: the cursor itself then stays in registers.
    let (n, rest) = long_varint(cursor)?;
    *cursor = rest;
    Some(n)
}

#[cold]
#[inline(never)]
fn long_varint(cursor: &[u8]) -> Option<(usize, &[u8])> {
    let mut n = 0;
    for (i, &byte) in cursor.iter().take(VARINT_MAX_BYTES).enumerate() {
        n |= usize::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            return Some((n, &cursor[i + 1..]));
        }
    }
    None
}

/// Takes bytes behind their length.
#[inline]
pub(super) fn take_bytes<'a>(cursor: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = take_varint(cursor)?;
    let (bytes, rest) = cursor.split_at_checked(len)?;
    *cursor = rest;
    Some(bytes)
}

/// Takes an attribute, and says the length of its name, the code of its type, and the payload, where the name has fewer
/// than 128 bytes and the payload fewer than 16 KiB; none of more.
#[inline(always)]
pub(super) fn take_near<'a>(cursor: &mut &'a [u8]) -> Option<(usize, u8, &'a [u8])> {
    let name_len = usize::from(*cursor.first().filter(|len| **len < 0x80)?);
    // The length stands before the name, and code and length behind it.
    let (&[code, low], mut rest) = cursor.get(1 + name_len..)?.split_first_chunk()?;
    let mut len = usize::from(low);
    if low >= 0x80 {
        let (&high, behind) = rest.split_first().filter(|(high, _)| **high < 0x80)?;
        (len, rest) = (len & 0x7f | usize::from(high) << 7, behind);
    }
    let (payload, rest) = rest.split_at_checked(len)?;
    *cursor = rest;
    Some((name_len, code, payload))
}

/// Takes a value: its type and payload.
#[inline]
pub(super) fn take_value<'a>(cursor: &mut &'a [u8]) -> Option<(Type, &'a [u8])> {
    let (&code, rest) = cursor.split_first()?;
    *cursor = rest;
    Some((Type::from_code(code)?, take_bytes(cursor)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_shortest_and_read_back() {
        for (n, bytes) in [(0, &[0][..]), (127, &[127]), (128, &[0x80, 1]), (16_384, &[0x80, 0x80, 1])] {
            let mut out = Vec::new();
            put_varint(&mut out, n);
            assert_eq!(out, bytes);
            assert_eq!(varint_len(n), bytes.len());
            let mut cursor = &out[..];
            assert_eq!(take_varint(&mut cursor), Some(n));
            assert!(cursor.is_empty());
        }
    }

    #[test]
    fn what_is_framed_lies_behind_its_length() {
        for len in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_152] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let (mut framed_bytes, mut expected) = (b"before".to_vec(), b"before".to_vec());
            let write = |out: &mut Vec<u8>| {
                out.extend_from_slice(&bytes);
                Ok::<(), ()>(())
            };
            framed(&mut framed_bytes, write).unwrap();
            put_bytes(&mut expected, &bytes);
            assert_eq!(framed_bytes, expected);
        }
        assert_eq!(framed(&mut Vec::new(), |_| Err("no")), Err("no"));
    }

    #[test]
    fn a_varint_that_does_not_end_is_none() {
        for bytes in [&[][..], &[0x80], &[0xff; 3], &[0xff; 4], &[0xff; 64]] {
            assert_eq!(take_varint(&mut &bytes[..]), None);
        }
    }

    #[test]
    fn a_length_beyond_the_end_is_none() {
        assert_eq!(take_bytes(&mut &[2, 1][..]), None);
        assert_eq!(take_bytes(&mut &[0xff, 0xff, 0xff, 0x7f, 1][..]), None);
    }
}
