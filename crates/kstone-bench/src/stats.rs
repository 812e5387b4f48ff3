//! The statistics of a few rounds: median, extremes and spread.

use serde::Serialize;

/// What the rounds of one measurement say together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    /// The middle one, or the mean of the middle two.
    pub(crate) median: f64,
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
}

impl Summary {
    /// None where there are no values.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Some(Self { median, min, max })
    }

    /// How far the rounds lie apart, as a part of the median.
    pub(crate) fn spread(&self) -> f64 {
        if self.median == 0.0 { 0.0 } else { (self.max - self.min) / self.median }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_odd_count_is_the_middle_one() {
        let summary = Summary::of(&[9.0, 1.0, 4.0]).expect("three values");
        assert_eq!(summary, Summary { median: 4.0, min: 1.0, max: 9.0 });
    }

    #[test]
    fn median_of_an_even_count_is_the_mean_of_the_middle_two() {
        let summary = Summary::of(&[10.0, 1.0, 2.0, 4.0]).expect("four values");
        assert_eq!(summary, Summary { median: 3.0, min: 1.0, max: 10.0 });
    }

    #[test]
    fn one_value_is_its_own_median_and_has_no_spread() {
        let summary = Summary::of(&[7.0]).expect("one value");
        assert_eq!((summary.median, summary.spread()), (7.0, 0.0));
    }

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn spread_is_relative_to_the_median() {
        let summary = Summary::of(&[80.0, 100.0, 130.0]).expect("three values");
        assert_eq!(summary.spread(), 0.5);
        assert_eq!(Summary::of(&[0.0, 0.0]).expect("two values").spread(), 0.0);
    }
}
