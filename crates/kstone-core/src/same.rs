//! Equality of short byte strings: keys and names.

/// Whether the bytes are the same: `==`, without the call of a function that is made for long ones.
#[inline(always)]
pub(crate) fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let (Some(left_end), Some(right_end)) = (left.last_chunk::<8>(), right.last_chunk()) else {
        if left.len() >= 4 {
            return left.first_chunk::<4>() == right.first_chunk() && left.last_chunk::<4>() == right.last_chunk();
        }
        return left.iter().zip(right).all(|(left, right)| left == right);
    };
    if left.len() <= 16 {
        // The first eight and the last eight, which may overlap.
        return left.first_chunk::<8>() == right.first_chunk() && left_end == right_end;
    }
    let (left, right) = (left.as_chunks::<8>().0, right.as_chunks::<8>().0);
    left_end == right_end && left.iter().zip(right).all(|(left, right)| left == right)
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
