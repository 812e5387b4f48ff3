//! A stream's label: the moment when it was switched on, as AWS writes it.

/// `2026-08-11T09:30:00.123`.
pub(crate) fn label(epoch_millis: i64) -> String {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let (days, millis) = (epoch_millis.div_euclid(DAY), epoch_millis.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}")
}

/// Year, month and day of a number of days since 1970-01-01. Counts in years that begin in March, whose leap day comes
/// last.
fn date(days: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let from_march = days + 719_468;
    let (era, of_era) = (from_march.div_euclid(ERA), from_march.rem_euclid(ERA));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_are_dates_of_the_calendar() {
        for (millis, expected) in [
            (0, "1970-01-01T00:00:00.000"),
            (-1, "1969-12-31T23:59:59.999"),
            (951_782_400_000, "2000-02-29T00:00:00.000"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999"),
            (1_786_440_600_123, "2026-08-11T09:30:00.123"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000"),
        ] {
            assert_eq!(label(millis), expected);
        }
    }
}
