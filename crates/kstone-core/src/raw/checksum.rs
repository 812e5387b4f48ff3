//! The CRC-32 of keys, read eight bytes at a time.
//!
//! A caller writes its key right before the call, in pieces of up to eight bytes. A load of sixteen bytes that no single
//! store covers waits until those stores have left the processor's store buffer, which is after everything older has
//! retired, the cache misses of the call before included: independent look-ups would come one after another. So a short
//! key is read in loads that lie inside of what one store wrote, and folded by carry-less multiplication where the
//! processor has it.
//!
//! ```text
//! state = !0      for each eight bytes x of the key:  state = (state ^ x) * t^32 mod P       crc = !state
//! ```
//!
//! The remainder of 64 bits is Barrett's: with MU = the quotient of t^96 by P, the high half of (state ^ x) * MU is the
//! quotient q of what is to be divided, and the remainder is the low 32 bits of q * P. Polynomials are bit-reversed,
//! the first bit being the highest power, so high and low change places.

use std::sync::LazyLock;

/// The CRC-32 of these bytes, that of zip and Ethernet.
#[inline(always)]
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    match crc32_of_short(bytes) {
        Some(crc) => crc,
        None => crc32_of_any(bytes),
    }
}

/// The same of bytes that are not long, without a call: none says nothing, and [`crc32`] does.
#[inline(always)]
pub(crate) fn crc32_of_short(bytes: &[u8]) -> Option<u32> {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() <= multiplied::KEY_MAX_BYTES && multiplied::is_known() {
        // SAFETY: the processor has the one instruction that the function needs.
        return Some(unsafe { multiplied::crc32(bytes) });
    }
    None
}

/// The checksum where it is not known yet what the processor has, and of long keys.
#[cold]
#[inline(never)]
fn crc32_of_any(bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if !multiplied::is_known() && multiplied::find_out() {
        return crc32(bytes);
    }
    crc32_of_long(bytes)
}

/// The checksum of long keys, and of all where the processor has no carry-less multiplication.
fn crc32_of_long(bytes: &[u8]) -> u32 {
    // Not made anew: that asks what the processor can do, which takes as long as the checksum of a key.
    static HASHER: LazyLock<crc32fast::Hasher> = LazyLock::new(crc32fast::Hasher::new);
    let mut hasher = HASHER.clone();
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(target_arch = "x86_64")]
mod multiplied {
    use std::arch::asm;
    use std::arch::x86_64::{
        __m128i, _mm_cvtsi32_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si32, _mm_loadl_epi64, _mm_set_epi64x,
        _mm_xor_si128,
    };
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Longer keys are for [`crc32fast`], which folds 64 bytes at once.
    pub(super) const KEY_MAX_BYTES: usize = 128;

    /// The polynomial without its first bit, 0xEDB8_8320, one place further: the product's low bits then begin a word.
    const POLYNOMIAL: i64 = 0x1_DB71_0640;
    /// The quotient of t^96 by the polynomial, without its last bit, which decides nothing.
    const MU: i64 = 0xB4E5_B025_F701_1641_u64 as i64;

    /// Whether the processor has PCLMULQDQ, once that was found out: half of what asking the standard library takes.
    static HAS_PCLMULQDQ: AtomicBool = AtomicBool::new(false);

    /// Whether the processor is known to have PCLMULQDQ.
    #[inline(always)]
    pub(super) fn is_known() -> bool {
        HAS_PCLMULQDQ.load(Ordering::Relaxed)
    }

    /// Whether it has, which is known from then on.
    pub(super) fn find_out() -> bool {
        let has = std::is_x86_feature_detected!("pclmulqdq");
        HAS_PCLMULQDQ.store(has, Ordering::Relaxed);
        has
    }

    /// # Safety
    /// The processor has PCLMULQDQ.
    #[inline(always)]
    pub(super) unsafe fn crc32(bytes: &[u8]) -> u32 {
        let (words, rest) = bytes.as_chunks::<8>();
        // SAFETY: every x86-64 processor has SSE2, and this one what is asked of it; a word is as long as what is read.
        let (constants, state) = unsafe {
            let (constants, mut state) = (_mm_set_epi64x(POLYNOMIAL, MU), _mm_cvtsi32_si128(!0));
            for word in words {
                state = remainder(_mm_xor_si128(state, _mm_loadl_epi64(word.as_ptr().cast())), constants);
            }
            (constants, _mm_cvtsi128_si32(state) as u32)
        };
        if rest.is_empty() {
            return !state;
        }
        let bits = 8 * rest.len() as u32;
        let last = u64::from(state) ^ few_bytes(rest);
        // SAFETY: as above.
        let remainder = unsafe {
            let word = _mm_cvtsi64_si128((last << (u64::BITS - bits)) as i64);
            _mm_cvtsi128_si32(remainder(word, constants)) as u32
        };
        // What is left of the state where fewer than four bytes are.
        !(remainder ^ (last >> bits) as u32)
    }

    /// What is left of the low 64 bits times t^32, divided by the polynomial: 32 bits, and zeros above them.
    ///
    /// # Safety
    /// The processor has PCLMULQDQ.
    #[inline(always)]
    unsafe fn remainder(word: __m128i, constants: __m128i) -> __m128i {
        let mut product = word;
        // SAFETY: every x86-64 processor has SSE2, and this one has PCLMULQDQ; registers alone are read and written. Not
        // that one's intrinsic, which is a call where the compiler may not assume the instruction: the call and what it
        // spills take as long as the checksum.
        unsafe {
            asm!(
                "pclmulqdq {product}, {constants}, 0x00",
                "pclmulqdq {product}, {constants}, 0x10",
                "psrldq {product}, 8",
                product = inout(xmm_reg) product,
                constants = in(xmm_reg) constants,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        product
    }

    /// Fewer than eight bytes, the first one lowest.
    #[inline(always)]
    fn few_bytes(bytes: &[u8]) -> u64 {
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            // Where they overlap they are the same.
            let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
            return u64::from(u32::from_le_bytes(*first)) | last;
        }
        bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(len: usize) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(len as u64);
        std::iter::repeat_with(|| random.u8(..)).take(len).collect()
    }

    #[test]
    fn checksums_are_those_of_crc32fast_at_every_length_and_place() {
        let all = bytes(4096 + 16);
        for place in 0..16 {
            for len in (0..300).chain(300 + place..=4096).step_by(if place == 0 { 1 } else { 7 }) {
                let bytes = &all[place..place + len];
                assert_eq!(crc32(bytes), crc32fast::hash(bytes), "{len} bytes from {place}");
            }
        }
    }

    #[test]
    fn every_bit_of_a_short_key_tells() {
        for len in 1..40 {
            let mut key = bytes(len);
            for bit in 0..8 * len {
                key[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(crc32(&key), crc32fast::hash(&key), "{len} bytes, bit {bit}");
            }
        }
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn processors_without_the_instruction_have_the_same_checksums() {
        for len in 0..300 {
            assert_eq!(crc32_of_long(&bytes(len)), crc32(&bytes(len)));
        }
    }
}
