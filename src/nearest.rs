//! The double nearest to a decimal number, whatever rounding mode the program has set.
//!
//! Rust reads short numbers by one division or multiplication of doubles, which rounds as the thread's mode says
//! (`fesetround`). Where that is not to the nearest, the number is read in integers here.

use std::hint::black_box;

use num_bigint::BigUint;

const MANTISSA_BITS: i64 = f64::MANTISSA_DIGITS as i64;
const EXPONENT_BIAS: i64 = f64::MAX_EXP as i64 - 1;

/// The double nearest to a number in its stored form: canonical decimal text without an exponent.
pub(crate) fn nearest_double(digits: &str) -> Option<f64> {
    if rounds_to_nearest() { digits.parse().ok() } else { in_integers(digits) }
}

/// Whether this thread's arithmetic rounds to the nearest double: only then both sums round back to 1.
fn rounds_to_nearest() -> bool {
    const TINY: f64 = f64::EPSILON / 8.0;
    black_box(1.0) + black_box(TINY) == 1.0 && black_box(1.0) - black_box(TINY) == 1.0
}

/// The nearest double, by integers alone; a tie goes to the even one.
#[cold]
fn in_integers(digits: &str) -> Option<f64> {
    let (sign, magnitude) = match digits.strip_prefix('-') {
        Some(magnitude) => (1, magnitude),
        None => (0, digits),
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let numerator = BigUint::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10)?;
    if numerator == BigUint::ZERO {
        return Some(0.0);
    }
    let denominator = BigUint::from(10u32).pow(u32::try_from(fraction.len()).ok()?);
    // The quotient is to have two or three bits more than a mantissa.
    let shift = MANTISSA_BITS + 2 + denominator.bits() as i64 - numerator.bits() as i64;
    let scale = |number: BigUint, by: i64| if by > 0 { number << by } else { number };
    let (numerator, denominator) = (scale(numerator, shift), scale(denominator, -shift));
    let quotient = &numerator / &denominator;
    let has_rest = &quotient * &denominator != numerator;
    let quotient = u64::try_from(quotient).ok()?;

    let spare = i64::from(u64::BITS - quotient.leading_zeros()) - MANTISSA_BITS;
    let (mantissa, dropped, half) = (quotient >> spare, quotient & ((1 << spare) - 1), 1 << (spare - 1));
    let above_half = dropped > half || dropped == half && (has_rest || mantissa & 1 == 1);
    // A mantissa that is rounded up to a power of two carries into the exponent, as it should.
    let exponent = spare - shift + MANTISSA_BITS - 1 + EXPONENT_BIAS;
    let magnitude = u64::try_from(exponent - 1).ok()? << (MANTISSA_BITS - 1);
    Some(f64::from_bits(sign << 63 | (magnitude + mantissa + u64::from(above_half))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_find_the_double_that_rust_finds() {
        let fixed = ["0", "1", "-1", "0.1", "9.9", "-12.5", "0.3", "123456789012345678901234567890.12345678"];
        let ties = ["9007199254740993", "9007199254740995", "9007199254740992.5", "9007199254740992.50000001"];
        let carries = ["9007199254740991.9", "4503599627370495.99", "1.9999999999999999999"];
        for digits in fixed.iter().chain(&ties).chain(&carries) {
            assert_eq!(in_integers(digits).map(f64::to_bits), digits.parse().ok().map(f64::to_bits), "{digits}");
        }
        // A plain generator: numbers of 1 to 38 digits with the point anywhere from 130 places before to 125 after.
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..20_000 {
            let len = 1 + next(38);
            let digits: String = (0..len).map(|at| char::from(b'0' + (next(9) + u64::from(at == 0)) as u8)).collect();
            let text = match next(3) {
                0 => format!("0.{}{digits}", "0".repeat(next(130) as usize)),
                1 => format!("-{digits}{}", "0".repeat(next(88) as usize)),
                _ => format!("{digits}.{}1", next(1000)),
            };
            assert_eq!(in_integers(&text).map(f64::to_bits), text.parse().ok().map(f64::to_bits), "{text}");
        }
    }

    #[test]
    fn tests_run_in_the_usual_mode() {
        assert!(rounds_to_nearest());
        assert_eq!(nearest_double("9.9"), Some(9.9));
        assert_eq!((nearest_double("x"), in_integers("x"), in_integers("")), (None, None, None));
    }
}
