//! Equality of short byte strings: keys and names.

/// Whether the bytes are the same: `==`, without the call of a function that is made for long ones.
#[inline(always)]
pub(crate) fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    let len = left.len();
    if len != right.len() {
        return false;
    }
    // The first and the last eight bytes, or four, or bytes, which may overlap; of more than sixteen all that are between.
    if len >= 8 {
        let mut at = 8;
        while at < len - 8 && chunk::<8>(left, at) == chunk(right, at) {
            at += 8;
        }
        return at >= len - 8
            && chunk::<8>(left, 0) == chunk(right, 0)
            && chunk::<8>(left, len - 8) == chunk(right, len - 8);
    }
    if len >= 4 {
        return chunk::<4>(left, 0) == chunk(right, 0) && chunk::<4>(left, len - 4) == chunk(right, len - 4);
    }
    len == 0 || [0, len / 2, len - 1].iter().all(|at| left[*at] == right[*at])
}

#[inline(always)]
fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::same_bytes;

    #[test]
    fn bytes_are_the_same_where_every_one_is() {
        for len in 0..40 {
            let bytes: Vec<u8> = (0..len).collect();
            assert!(same_bytes(&bytes, &bytes.clone()));
            assert!(!same_bytes(&bytes, &[&bytes[..], &[0]].concat()));
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 0x80;
                assert!(!same_bytes(&bytes, &other), "{len} bytes that differ at {at}");
            }
        }
    }
}
