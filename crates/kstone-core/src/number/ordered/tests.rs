//! The order of the bytes against `number::compare`, and that nothing but what `encode` writes is read.

use proptest::prelude::*;

use super::super::{canonical, compare};
use super::*;

fn bytes(canonical: &str) -> Vec<u8> {
    let mut out = Vec::new();
    encode(canonical, &mut out);
    out
}

fn canonical_text(text: &str) -> String {
    canonical(text).expect(text).into_owned()
}

/// Numbers of every size and length, most of them close to another.
fn numbers() -> impl Strategy<Value = String> {
    let in_range = |text: String| canonical(&text).ok().map(std::borrow::Cow::into_owned);
    prop_oneof![
        "-?[0-9]{1,3}(\\.[0-9]{1,3})?".prop_filter_map("in range", in_range),
        "-?1[0-9]?0{0,4}(\\.0{0,4}[0-9])?".prop_filter_map("in range", in_range),
        "-?[0-9]{1,38}E-?[0-9]{1,2}".prop_filter_map("in range", in_range),
        "-?[1-9](\\.[0-9]{1,37})?E-?1[0-3][0-9]".prop_filter_map("in range", in_range),
    ]
}

/// From lowest to highest: signs, exponents, lengths and the ends of the range.
fn ascending() -> Vec<String> {
    let nines = format!("9.{}E125", "9".repeat(37));
    let positive = [
        "1E-130",
        "1.5E-130",
        "9E-130",
        "1E-129",
        "1.1E-129",
        "1E-128",
        "0.0001",
        "0.00099",
        "0.001",
        "0.0099",
        "0.01",
        "0.010001",
        "0.05",
        "0.099",
        "0.1",
        "0.10001",
        "0.11",
        "0.5",
        "0.99",
        "0.999",
        "1",
        "1.00000001",
        "1.5",
        "9",
        "9.9",
        "10",
        "10.01",
        "11",
        "12",
        "99",
        "99.9",
        "100",
        "100.5",
        "101",
        "110",
        "999",
        "1000",
        "1234.5",
        "1E60",
        "1E124",
        "9.9E124",
        "1E125",
        "9E125",
        &nines,
    ];
    let negative = positive.iter().rev().map(|text| format!("-{text}"));
    let all = negative.chain(["0".to_owned()]).chain(positive.iter().map(|text| (*text).to_owned()));
    all.map(|text| canonical_text(&text)).collect()
}

#[test]
fn golden_bytes_are_those_of_the_diagram() {
    let cases: [(&str, &[u8]); 9] = [
        ("1234.5", &[0xC2, 0x19, 0x45, 0x64]),
        ("12", &[0xC1, 0x18]),
        ("0.05", &[0xC0, 0x0A]),
        ("0", &[0x80, 0x00]),
        ("-0.05", &[0x3F, 0xF5]),
        ("-12", &[0x3E, 0xE7]),
        ("-1234.5", &[0x3D, 0xE6, 0xBA, 0x9B]),
        ("1000", &[0xC2, 0x14]),
        ("5", &[0xC1, 0x0A]),
    ];
    for (text, expected) in cases {
        assert_eq!(bytes(text), expected, "{text}: {:02X?}", bytes(text));
    }
}

#[test]
fn order_of_bytes_is_order_of_numbers_and_all_read_back() {
    let ascending = ascending();
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            assert_eq!(bytes(a).cmp(&bytes(b)), i.cmp(&j), "{a} and {b}");
            assert!(i == j || !bytes(a).starts_with(&bytes(b)), "{b} begins {a}");
        }
        assert_eq!(decode(&mut bytes(a).as_slice()).as_ref(), Some(a));
    }
}

#[test]
fn the_ends_of_the_range_use_the_first_and_the_last_head() {
    let heads = ["-9E125", "-1E-130", "0", "1E-130", "9E125"].map(|text| bytes(&canonical_text(text))[0]);
    assert_eq!(heads, [0x00, 0x7F, 0x80, 0x80, 0xFF]);
}

#[test]
fn numbers_are_as_short_as_stated() {
    for digits in 1..=MAX_DIGITS {
        for exponent in [0, 1] {
            let text = canonical_text(&format!("-{}E{exponent}", "7".repeat(digits)));
            let len = bytes(&text).len();
            assert!((digits / 2 + 1..=digits / 2 + 2).contains(&len), "{digits} digits take {len} bytes");
        }
    }
    let longest = canonical_text(&format!("1.{}E-130", "1".repeat(37)));
    assert_eq!(bytes(&longest).len(), MAX_BYTES);
}

#[test]
fn what_encode_does_not_write_is_not_read() {
    let refused: [&[u8]; 14] = [
        &[],
        &[0x80],
        &[0xC1],
        &[0x3E],
        &[0xC1, 0x19],             // more was to follow
        &[0x3E, 0xE6],             // the same, below zero
        &[0xC1, 0x00],             // zero with another exponent
        &[0x7F, 0xFF],             // negative zero
        &[0xC1, 0x01, 0x0A],       // a leading pair of zeros
        &[0xC1, 0x19, 0x00],       // a pair of zeros at the end
        &[0xC1, 200],              // no pair of digits
        &[0xC1, 201, 0x0A],        // the same, not the last
        &[0xC1, 0xFE],             // the highest there could be
        &[0x00, 0x00, 0x00, 0x01], // below zero, no pairs of digits
    ];
    for mut cursor in refused {
        let before = cursor;
        assert_eq!(decode(&mut cursor), None, "{before:02X?}");
        assert_eq!(cursor, before, "the cursor stays");
    }
}

#[test]
fn more_digits_than_a_number_has_are_not_read() {
    let pairs = |first: u8, more: usize, last: u8| {
        let mut bytes = vec![0xC1, first];
        bytes.extend(std::iter::repeat_n(0x23, more));
        bytes.push(last);
        bytes
    };
    assert!(decode(&mut pairs(0x23, 17, 0x22).as_slice()).is_some(), "38 digits in 19 pairs");
    assert!(decode(&mut pairs(0x03, 18, 0x14).as_slice()).is_some(), "38 digits in 20 pairs, half used at both ends");
    for bytes in [pairs(0x23, 18, 0x14), pairs(0x03, 18, 0x22), pairs(0x23, 100, 0x22)] {
        assert_eq!(decode(&mut bytes.as_slice()), None, "{} bytes", bytes.len());
    }
}

#[test]
fn text_that_is_not_canonical_gives_some_bytes() {
    for text in
        ["", "-", ".", "x", "--1", "1e5", "-0", "007", "1.50", "1..2", "é", &"9".repeat(5000), &"0".repeat(5000)]
    {
        assert!(bytes(text).len() >= 2, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn random_numbers_order_as_compare_says(a in numbers(), b in numbers()) {
        prop_assert_eq!(bytes(&a).cmp(&bytes(&b)), compare(&a, &b), "{} and {}", a, b);
    }

    #[test]
    fn what_follows_a_number_changes_no_order(a in numbers(), b in numbers(), x: Vec<u8>, y: Vec<u8>) {
        let key = |text: &str, rest: &[u8]| [bytes(text), rest.to_vec()].concat();
        prop_assert_eq!(key(&a, &x).cmp(&key(&b, &y)), compare(&a, &b).then_with(|| x.cmp(&y)));
    }

    #[test]
    fn random_numbers_read_back_and_leave_the_rest(text in numbers(), rest: Vec<u8>) {
        let key = [bytes(&text), rest.clone()].concat();
        let mut cursor = key.as_slice();
        prop_assert_eq!(decode(&mut cursor), Some(text.clone()));
        prop_assert_eq!(cursor, rest.as_slice());
        let mut cursor = key.as_slice();
        prop_assert_eq!(skip(&mut cursor).map(<[u8]>::len), Some(key.len() - rest.len()));
    }

    #[test]
    fn whatever_is_read_is_canonical_and_written_the_same(garbage in prop::collection::vec(any::<u8>(), 0..24)) {
        let mut cursor = garbage.as_slice();
        if let Some(text) = decode(&mut cursor) {
            prop_assert!(super::super::is_canonical(&text), "{}", text);
            prop_assert_eq!(bytes(&text), &garbage[..garbage.len() - cursor.len()]);
        }
    }

    #[test]
    fn any_text_gives_bytes_without_panic(text: String) {
        bytes(&text);
    }
}
