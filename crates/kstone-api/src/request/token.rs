//! The page token: where a page ended, in a form that does not fit another request.
//!
//! ```text
//! version u8 │ shape u32 │ pk length u16 │ pk │ sk │ crc32 u32 of all before      (little-endian)
//! ```
//!
//! The shape is a crc over what the request asks for, the limit aside: a caller may change the size of its pages.

use crate::error::{Error, Reason, Result};

const VERSION: u8 = 1;
const HEAD_LEN: usize = 1 + 4 + 2;
const CRC_LEN: usize = 4;

/// What a request asks for, in one number; the parts are told apart by their lengths.
pub(crate) fn shape(parts: &[&[u8]]) -> u32 {
    // One checksum of all costs less than one of each.
    let mut all = Vec::with_capacity(parts.iter().map(|part| size_of::<u64>() + part.len()).sum());
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_le_bytes());
        all.extend_from_slice(part);
    }
    crc32fast::hash(&all)
}

/// The token of a page that ended at this key.
pub(crate) fn encode(shape: u32, pk: &[u8], sk: &[u8]) -> Vec<u8> {
    let mut token = Vec::with_capacity(HEAD_LEN + pk.len() + sk.len() + CRC_LEN);
    token.push(VERSION);
    token.extend_from_slice(&shape.to_le_bytes());
    token.extend_from_slice(&(pk.len() as u16).to_le_bytes());
    token.extend_from_slice(pk);
    token.extend_from_slice(sk);
    token.extend_from_slice(&crc32fast::hash(&token).to_le_bytes());
    token
}

/// The key at which the page of this token ended.
pub(crate) fn decode(token: &[u8], shape: u32) -> Result<(&[u8], &[u8])> {
    let damaged = || Error::from(Reason::TokenDamaged);
    let (content, crc) = token.split_last_chunk::<CRC_LEN>().ok_or_else(damaged)?;
    if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
        return Err(damaged());
    }
    let (head, keys) = content.split_first_chunk::<HEAD_LEN>().ok_or_else(damaged)?;
    let [version, s0, s1, s2, s3, l0, l1] = *head;
    if version != VERSION {
        return Err(Error::from(Reason::TokenVersion { found: version, known: VERSION }));
    }
    if u32::from_le_bytes([s0, s1, s2, s3]) != shape {
        return Err(Error::from(Reason::TokenOfAnother));
    }
    keys.split_at_checked(u16::from_le_bytes([l0, l1]).into()).ok_or_else(damaged)
}

/// The sort key at which the page of this token ended, in the partition that it has to be of.
pub(crate) fn decode_in<'a>(token: &'a [u8], shape: u32, partition: &[u8]) -> Result<&'a [u8]> {
    let (pk, sk) = decode(token, shape)?;
    if pk == partition { Ok(sk) } else { Err(Error::from(Reason::TokenOfAnother)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_gives_its_key_back_to_the_same_shape_alone() {
        let token = encode(7, b"p\0k", b"");
        assert_eq!(decode(&token, 7), Ok((&b"p\0k"[..], &b""[..])));
        assert!(decode(&token, 8).is_err());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_found() {
        let token = encode(7, b"pk", b"sort");
        for len in 0..token.len() {
            assert!(decode(&token[..len], 7).is_err(), "cut to {len} bytes");
        }
        for bit in 0..token.len() * 8 {
            let mut flipped = token.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&flipped, 7).is_err(), "bit {bit} flipped");
        }
    }

    #[test]
    fn a_token_of_another_partition_is_refused() {
        let token = encode(7, b"pk", b"sort");
        assert_eq!(decode_in(&token, 7, b"pk"), Ok(&b"sort"[..]));
        assert!(decode_in(&token, 7, b"pks").is_err());
    }

    #[test]
    fn parts_of_a_shape_do_not_run_together() {
        assert_ne!(shape(&[b"ab", b"c"]), shape(&[b"a", b"bc"]));
    }
}
