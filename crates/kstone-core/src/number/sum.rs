//! Sums and averages: exact however many numbers there are and in whatever order, rounded once at the end.
//!
//! Two numbers in range lie up to 255 decimal places apart, so that a sum of both has more digits than a number may have,
//! and a sum may leave the range and come back. Thread safety: a sum has one user.

use std::str::FromStr;

use bigdecimal::num_bigint::BigInt;
use bigdecimal::{BigDecimal, Signed, Zero};

use super::{MAX_DIGITS, canonical, to_i64};
use crate::error::{Error, Reason, Result};

/// A sum under construction. Costs a few nanoseconds for an integer of up to 18 digits; a big decimal of at most some
/// 300 digits for anything else.
///
/// ```
/// use kstone_core::number::Sum;
///
/// let mut sum = Sum::default();
/// for number in ["1E125", "0.5", "-1E125", "2"] {
///     sum.add(number)?;
/// }
/// assert_eq!(sum.total()?, "2.5");
/// assert_eq!(sum.mean(4)?, "0.625");
/// # Ok::<(), kstone_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Sum {
    /// Of the numbers that are small integers; 2^64 of them fit.
    integers: i128,
    /// Of all others.
    rest: Option<Box<BigDecimal>>,
}

impl Sum {
    /// Takes a number in.
    ///
    /// # Errors
    /// [`Error::Invalid`] for text that is no number.
    pub fn add(&mut self, number: &str) -> Result<()> {
        if let Some(integer) = to_i64(number) {
            self.integers += i128::from(integer);
            return Ok(());
        }
        let number = BigDecimal::from_str(number).map_err(|_| Error::from(Reason::NoNumber))?;
        match &mut self.rest {
            Some(rest) => **rest += number,
            None => self.rest = Some(Box::new(number)),
        }
        Ok(())
    }

    /// The sum, rounded to 38 digits, half to even.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is out of range.
    pub fn total(&self) -> Result<String> {
        self.mean(1)
    }

    /// The sum divided by a count, rounded to 38 digits, half to even.
    ///
    /// # Errors
    /// [`Error::Invalid`] where it is out of range, and for a count of 0.
    pub fn mean(&self, count: u64) -> Result<String> {
        if count == 0 {
            return Err(Reason::DividedByZero.into());
        }
        let integers = BigDecimal::from(BigInt::from(self.integers));
        let exact = self.rest.as_ref().map_or_else(|| integers.clone(), |rest| integers.clone() + &**rest);
        let (digits, scale) = exact.normalized().into_bigint_and_exponent();
        canonical(&rounded_quotient(digits, scale, count).to_plain_string()).map(std::borrow::Cow::into_owned)
    }
}

/// `digits` × 10^-`scale` divided by a count, rounded once.
fn rounded_quotient(digits: BigInt, scale: i64, count: u64) -> BigDecimal {
    let count = BigInt::from(count);
    // So many more places that the quotient has a digit beyond those that are kept, whatever the count.
    let places = (MAX_DIGITS + count.to_string().len() + 2).saturating_sub(digits.abs().to_string().len());
    let widened = digits * BigInt::from(10).pow(places as u32);
    let scale = scale + places as i64;
    let (quotient, rest) = (&widened / &count, &widened % &count);
    let text = quotient.abs().to_string();
    let surplus = text.len().saturating_sub(MAX_DIGITS);
    let unit = BigInt::from(10).pow(surplus as u32);
    let (mut kept, cut) = (&quotient / &unit, (&quotient % &unit).abs());
    let half = &unit / BigInt::from(2);
    let is_odd = !(&kept % BigInt::from(2)).is_zero();
    let is_above = cut > half || (cut == half && !rest.is_zero());
    if surplus > 0 && (is_above || (cut == half && is_odd)) {
        kept += if widened.is_negative() { BigInt::from(-1) } else { BigInt::from(1) };
    }
    BigDecimal::new(kept, scale - surplus as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(numbers: &[&str]) -> Sum {
        let mut sum = Sum::default();
        numbers.iter().for_each(|number| sum.add(number).expect("a number"));
        sum
    }

    #[test]
    fn the_order_of_the_numbers_decides_nothing() {
        let nines = "9".repeat(38);
        let tiny = format!("0.{}1", "0".repeat(129));
        let large = format!("1{}", "0".repeat(125));
        let mut numbers = vec![nines.as_str(), "1", "0.5", &tiny, &large, "-7", "-0.25"];
        let negated = format!("-{large}");
        numbers.push(&negated);
        let mut random = fastrand::Rng::with_seed(1);
        let expected = (sum(&numbers).total(), sum(&numbers).mean(7));
        // 10^38 - 1 + 1 + 0.5 - 7 - 0.25 and next to nothing.
        assert_eq!(expected.0, Ok(format!("{}93", "9".repeat(36))));
        for _ in 0..200 {
            random.shuffle(&mut numbers);
            assert_eq!((sum(&numbers).total(), sum(&numbers).mean(7)), expected, "{numbers:?}");
        }
    }

    #[test]
    fn a_sum_is_rounded_once_half_to_even() {
        let nines = "9".repeat(38);
        let plus = |number: &str| sum(&[&nines, number]).total();
        assert_eq!(plus("0.4"), Ok(nines.clone()));
        assert_eq!(plus("0.5"), Ok(format!("1{}", "0".repeat(38))), "to the even one");
        assert_eq!(plus("1"), Ok(format!("1{}", "0".repeat(38))));
        let even = format!("{}8", "9".repeat(37));
        assert_eq!(sum(&[&even, "0.5"]).total(), Ok(even.clone()), "to the even one");
        let just_above = format!("0.5{}1", "0".repeat(100));
        assert_eq!(sum(&[&even, &just_above]).total(), Ok(nines.clone()), "all digits count");
        assert_eq!(sum(&[&format!("-{even}"), &format!("-{just_above}")]).total(), Ok(format!("-{nines}")));
    }

    #[test]
    fn a_sum_may_leave_the_range_and_come_back() {
        let large = format!("9{}", "0".repeat(125));
        let minus = format!("-{large}");
        assert_eq!(sum(&[&large, &large, &minus, &minus, "3"]).total(), Ok("3".to_owned()));
        assert_eq!(sum(&[&large, &large]).mean(2), Ok(large.clone()), "an average of numbers in range is in range");
        let error = sum(&[&large, &large]).total().expect_err("out of range").to_string();
        assert!(error.starts_with("Number overflow"), "{error}");
    }

    #[test]
    fn averages_are_rounded_once() {
        assert_eq!(sum(&["10"]).mean(4), Ok("2.5".to_owned()));
        assert_eq!(sum(&["2"]).mean(3), Ok(format!("0.{}7", "6".repeat(37))));
        assert_eq!(sum(&["-2"]).mean(3), Ok(format!("-0.{}7", "6".repeat(37))));
        assert_eq!(sum(&["0"]).mean(3), Ok("0".to_owned()));
        assert_eq!(
            sum(&["1"]).mean(u64::MAX),
            Ok(format!("0.{}54210108624275221703311375920552804341", "0".repeat(19)))
        );
        assert!(sum(&["1"]).mean(0).is_err());
        assert!(Sum::default().add("ten").is_err());
        assert_eq!(Sum::default().total(), Ok("0".to_owned()));
    }
}
