//! Canonical text against the written rules and against `bigdecimal`; more that is refused than that is taken.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> String {
    canonical(text).expect_err(text).to_string()
}

#[test]
fn every_spelling_has_one_canonical_text() {
    let spellings = [
        ("0", "0 -0 +0 0.0 -0.000 .0 0. 00 0E999999999999999999999 -0e-5 000.000E+7"),
        ("5", "5 05 5.0 +5 5. 50E-1 0.5e1 .5E1 5e0 5E+0 5E-0 00005.0000 500000e-5"),
        ("-5", "-5 -05 -5.0 -50e-1 -0.05E2"),
        ("0.5", "0.5 .5 00.50 5E-1 +.5 0.5e0 0.05e+1"),
        ("-0.5", "-0.5 -.5 -5e-1"),
        ("1000", "1000 1E3 1e+3 1.000e3 0.001e6 1000.000 10E00000000000000000002"),
        ("12.34", "12.34 1234e-2 0.1234e2 012.3400"),
        ("100.001", "100.001 100001e-3 0.100001E3"),
    ];
    for (expected, texts) in spellings {
        for text in texts.split(' ') {
            assert_eq!(canonical(text).unwrap(), expected, "{text}");
            assert_eq!(is_canonical(text), text == expected, "{text}");
        }
        assert!(matches!(canonical(expected).unwrap(), Cow::Borrowed(_)), "{expected} is borrowed");
    }
}

#[test]
fn text_that_is_no_number_is_refused_and_quoted() {
    let texts = [
        "-", "+", ".", "-.", "e", "e5", "E", "1e", "1e+", "1e-", "1e5.0", "1e5e5", "1.2.3", "..", "1..2", "--1", "+-1",
        "-+1", "1-", "1 ", " 1", "1 2", "\t1", "1\n", "1,5", "1_000", "0x10", "NaN", "nan", "inf", "Infinity", "-inf",
        "ten", "1e5 ", "٣", "1٣", "½", "1f", "\0", "1\0", "1e1_0", "$1", "-e1", ".e1",
    ];
    for text in texts {
        let error = refused(text);
        assert_eq!(error, format!("The parameter cannot be converted to a numeric value: {text}"));
        assert!(!is_canonical(text), "{text}");
    }
    assert_eq!(refused(""), "The parameter cannot be converted to a numeric value");
}

#[test]
fn long_refused_text_is_cut_in_the_error() {
    let error = refused(&"é".repeat(500));
    assert!(error.ends_with(&format!(": {}…", "é".repeat(64))), "{error}");
}

#[test]
fn the_range_ends_where_dynamodb_says() {
    let nines = "9".repeat(38);
    for text in ["1E125", "9.9999999999999999999999999999999999999E+125", "1E-130", "-1E-130", "-1e125", "0.1E-129"] {
        assert!(canonical(text).is_ok(), "{text}");
    }
    for text in
        ["1E126", "-1E126", "10E125", "0.1E127", "1e999999999", "1e99999999999999999999999999", "1E9223372036854775807"]
    {
        assert!(refused(text).starts_with("Number overflow."), "{text}");
    }
    for text in [
        "1E-131",
        "-1E-131",
        "0.1E-130",
        "9.9E-131",
        "1e-999999999",
        "1E-9223372036854775808",
        "1e-99999999999999999999",
    ] {
        assert!(refused(text).starts_with("Number underflow."), "{text}");
    }
    assert!(canonical(&format!("{nines}E88")).is_ok());
    assert!(refused(&format!("{nines}E89")).starts_with("Number overflow."));
    assert_eq!(canonical("1E125").unwrap(), format!("1{}", "0".repeat(125)));
    assert_eq!(canonical("1E-130").unwrap(), format!("0.{}1", "0".repeat(129)));
}

#[test]
fn digits_are_counted_from_the_first_to_the_last_that_is_not_zero() {
    let ones = "1".repeat(38);
    for text in [
        ones.clone(),
        format!("000{ones}000"),
        format!("0.000{ones}"),
        format!("{ones}.000"),
        format!("-{}.{}", &ones[..20], &ones[20..]),
        format!("1{}1", "0".repeat(36)),
        format!("1{}", "0".repeat(100)),
    ] {
        assert!(canonical(&text).is_ok(), "{text}");
    }
    for text in [format!("{ones}1"), format!("0.{ones}1"), format!("-{ones}.1"), format!("1{}1", "0".repeat(37))] {
        assert_eq!(refused(&text), "Attempting to store more than 38 significant digits in a Number", "{text}");
    }
}

#[test]
fn the_longest_canonical_text_has_the_stated_length() {
    let text = canonical(&format!("-1.{}E-130", "1".repeat(37))).unwrap().into_owned();
    assert_eq!(text.len(), MAX_CANONICAL_BYTES);
    assert!(is_canonical(&text), "long canonical text is recognised");
}

#[test]
fn long_text_is_refused_unread() {
    assert!(canonical(&"0".repeat(MAX_TEXT_BYTES)).is_ok());
    let found = 5_000_000;
    let error = canonical(&"9".repeat(found)).unwrap_err();
    assert_eq!(error, Error::limit("Number text", Unit::Bytes, MAX_TEXT_BYTES, found));
}

#[test]
fn hostile_numbers_answer_at_once() {
    let started = Instant::now();
    for _ in 0..100 {
        for text in ["1E999999999", "1E-999999999", "1E9223372036854775807", "0E-9223372036854775808"] {
            let _ = canonical(text);
        }
        let _ = canonical(&"9".repeat(MAX_TEXT_BYTES));
        let _ = canonical(&format!("0.{}1", "0".repeat(MAX_TEXT_BYTES - 3)));
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn order_is_numeric() {
    let ascending = [
        "-1000", "-100.5", "-100", "-99.9", "-10", "-9", "-1.5", "-1.25", "-1", "-0.5", "-0.05", "-0.01", "0", "0.01",
        "0.05", "0.0501", "0.5", "1", "1.25", "1.5", "9", "10", "99.9", "100", "100.5", "1000",
    ];
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(compare(a, b), i.cmp(&j), "{a} and {b}");
        }
    }
}

#[test]
fn integers_are_read_exactly_or_not_at_all() {
    for n in [0, 1, -1, i64::MAX, i64::MIN] {
        assert_eq!(to_i64(&n.to_string()), Some(n));
    }
    for text in
        ["0.5", "-1.5", "9223372036854775808", "-9223372036854775809", "1E3", "", "x", &format!("1{}", "0".repeat(125))]
    {
        assert_eq!(to_i64(text), None, "{text}");
    }
}

#[test]
fn floats_are_the_nearest() {
    assert_eq!(to_f64("9007199254740993"), Some(9_007_199_254_740_992.0));
    assert_eq!(to_f64(&canonical("1E125").unwrap()), Some(1e125));
    assert_eq!(to_f64(&canonical("-1E-130").unwrap()), Some(-1e-130));
    for text in ["", "inf", "-inf", "NaN", "infinity", "1E3", "x", "-", "."] {
        assert_eq!(to_f64(text), None, "{text}");
    }
}

#[test]
fn size_counts_significant_digits_on_either_side_of_the_point() {
    let whole = [("0", 1), ("1", 2), ("10", 2), ("12", 2), ("123", 3), ("-1", 3), ("1010", 3)];
    let fractions =
        [("0.001", 2), ("0.00123", 3), ("100.001", 5), ("-0.5", 3), ("123.5", 4), ("12.5", 3), ("1000.5", 4)];
    for (text, expected) in whole.into_iter().chain(fractions) {
        assert_eq!(size(text), expected, "{text}");
    }
    assert_eq!(size(&format!("-{}", "9".repeat(38))), 21, "the largest");
}

/// Text in the grammar of numbers, in and out of range.
fn spelled_numbers() -> impl Strategy<Value = String> {
    ("[+-]?", "[0-9]{0,45}", "(\\.[0-9]{0,45})?", "([eE][+-]?[0-9]{1,3})?")
        .prop_map(|(sign, whole, fraction, exponent)| format!("{sign}{whole}{fraction}{exponent}"))
}

/// Numbers in range, mostly close to each other.
fn numbers() -> impl Strategy<Value = String> {
    let canonical_text = |text: String| canonical(&text).ok().map(Cow::into_owned);
    prop_oneof![
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?".prop_filter_map("in range", canonical_text),
        "-?[0-9]{1,38}E-?[0-9]{1,2}".prop_filter_map("in range", canonical_text),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn canonical_text_is_the_same_number_and_stays_as_it_is(text in spelled_numbers()) {
        if let Ok(first) = canonical(&text) {
            prop_assert_eq!(BigDecimal::from_str(&first).unwrap(), Spelling::parse(&text).map(|spelling| {
                BigDecimal::from_str(&spelling.mantissa).unwrap() * BigDecimal::new(1.into(), -spelling.exponent)
            }).unwrap());
            prop_assert!(first.len() <= MAX_CANONICAL_BYTES);
            prop_assert!(matches!(canonical(&first).unwrap(), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn any_text_answers_without_panic(text in any::<String>(), other in any::<String>()) {
        let _ = (canonical(&text), is_canonical(&text), to_i64(&text), to_f64(&text), size(&text));
        let _ = compare(&text, &other);
    }

    #[test]
    fn order_is_that_of_bigdecimal(a in numbers(), b in numbers()) {
        let expected = BigDecimal::from_str(&a).unwrap().cmp(&BigDecimal::from_str(&b).unwrap());
        prop_assert_eq!(compare(&a, &b), expected);
        prop_assert_eq!(compare(&b, &a), expected.reverse());
        prop_assert_eq!(a == b, expected.is_eq());
    }

    #[test]
    fn the_short_check_agrees_with_the_long_way(text in "-?[0-9]{0,4}(\\.[0-9]{0,4})?") {
        let long_way = canonical_of_any(&text).map(Cow::into_owned);
        if is_short_canonical(text.as_bytes()) {
            prop_assert_eq!(long_way, Ok(text));
        } else {
            prop_assert_ne!(long_way, Ok(text));
        }
    }
}

#[test]
fn sums_and_differences_are_exact() {
    let nines = "9".repeat(38);
    for (a, b, sum, difference) in [
        ("1", "2", "3", "-1"),
        ("0.1", "0.2", "0.3", "-0.1"),
        ("-0.5", "0.5", "0", "-1"),
        ("9223372036854775807", "1", "9223372036854775808", "9223372036854775806"),
        ("-9223372036854775808", "1", "-9223372036854775807", "-9223372036854775809"),
        ("100", "0.01", "100.01", "99.99"),
        ("12345678901234567890123456789012345678", "-12345678901234567890123456789012345677", "1", ""),
    ] {
        assert_eq!(add(a, b).unwrap(), sum, "{a} + {b}");
        assert_eq!(add(b, a).unwrap(), sum, "{b} + {a}");
        if !difference.is_empty() {
            assert_eq!(subtract(a, b).unwrap(), difference, "{a} - {b}");
        }
    }
    assert_eq!(subtract(&nines, &nines).unwrap(), "0");
    assert_eq!(add(&nines, "1").unwrap(), format!("1{}", "0".repeat(38)), "one digit, and zeros");
}

#[test]
fn sums_beyond_the_range_or_the_digits_are_refused_in_dynamodbs_words() {
    let (nines, huge) = ("9".repeat(38), format!("9{}", "0".repeat(125)));
    let tiny = format!("0.{}1", "0".repeat(129));
    let text = |result: Result<String>| result.unwrap_err().to_string();
    assert!(text(add(&huge, &huge)).starts_with("Number overflow."));
    assert!(text(subtract(&format!("-{huge}"), &huge)).starts_with("Number overflow."));
    assert!(text(add(&nines, "0.1")).contains("more than 38 significant digits"));
    assert!(text(add("1", &tiny)).contains("more than 38 significant digits"));
    assert!(text(add(&huge, &tiny)).contains("more than 38 significant digits"));
    assert!(text(subtract("1", "ten")).starts_with("The parameter cannot be converted"));
}

proptest! {
    #[test]
    fn adding_and_taking_away_again_gives_the_number_back(a in any::<i64>(), b in any::<i64>(), scale in 0usize..20) {
        let shifted = |n: i64| canonical(&format!("{n}e-{scale}")).unwrap().into_owned();
        let (a, b) = (shifted(a), b.to_string());
        if let Ok(sum) = add(&a, &b) {
            prop_assert!(is_canonical(&sum));
            prop_assert_eq!(subtract(&sum, &b).unwrap(), a);
        }
    }
}

#[test]
fn sums_of_integers_to_the_ends_of_their_range_are_appended_as_text() {
    for number in [0, 1, -1, 9, 10, -10, 99, 100, i64::MAX, i64::MIN, i64::MIN + 1] {
        let mut out = b"before".to_vec();
        add_to(&mut out, &number.to_string(), "0").unwrap();
        assert_eq!(out, format!("before{number}").into_bytes());
        let mut out = Vec::new();
        subtract_to(&mut out, "0", &number.to_string()).unwrap();
        assert_eq!(out, (-i128::from(number)).to_string().into_bytes());
    }
}
