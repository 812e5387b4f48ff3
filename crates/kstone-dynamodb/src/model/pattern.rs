//! The dozen patterns of the model, each as a predicate over a text.
//!
//! A regular-expression engine would compile them at run time, for what a loop over characters says. A pattern that the
//! model gains makes the test fail which compares the two.

/// Whether all of `text` matches `pattern`; `None` where the pattern is not known here.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> Option<bool> {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let hexadecimal = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    Some(match pattern {
        "[a-zA-Z0-9_.-]+" => !text.is_empty() && text.chars().all(name),
        "^[^\\$]+$" => !text.is_empty() && !text.contains('$'),
        "^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$" => {
            let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
            text.len() >= 2 && text.chars().all(name) && ends(text.chars().next()) && ends(text.chars().next_back())
        }
        "[0-9]{12}" => text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()),
        "[,;:|\\t ]" => matches!(text, "," | ";" | ":" | "|" | "\t" | " "),
        "[\\x20-\\x21\\x23-\\x2B\\x2D-\\x7E]*" => {
            text.bytes().all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x2b | 0x2d..=0x7e))
        }
        "([0-9a-f]{16})+" => !text.is_empty() && text.len().is_multiple_of(16) && text.chars().all(hexadecimal),
        "\\p{Print}+" => !text.is_empty() && text.bytes().all(|b| matches!(b, 0x20..=0x7e)),
        "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*" => {
            text.chars().all(|c| matches!(c, '\r' | '\n' | '\t') || (c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}')))
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;
    use crate::model::{Kind, all_shapes};

    #[test]
    fn every_pattern_of_the_model_is_known() {
        for shape in all_shapes() {
            if let Kind::Text { pattern: Some(pattern), .. } = shape.kind {
                assert!(matches(pattern, "a").is_some(), "{}: {pattern}", shape.name);
            }
        }
        assert_eq!(matches("a pattern of tomorrow", "a"), None);
    }

    #[test]
    fn names_are_letters_digits_and_three_signs() {
        for (text, expected) in [("abc", true), ("a.b-c_9", true), ("", false), ("abc;", false), ("ä", false)] {
            assert_eq!(matches("[a-zA-Z0-9_.-]+", text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_others_accept_and_refuse() {
        let cases: [(&str, &str, bool); 14] = [
            ("^[^\\$]+$", "a b", true),
            ("^[^\\$]+$", "a$", false),
            ("^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$", "my-bucket", true),
            ("^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$", "-bucket", false),
            ("[0-9]{12}", "123456789012", true),
            ("[0-9]{12}", "12345678901", false),
            ("[,;:|\\t ]", ";", true),
            ("[,;:|\\t ]", "x", false),
            ("[\\x20-\\x21\\x23-\\x2B\\x2D-\\x7E]*", "name", true),
            ("[\\x20-\\x21\\x23-\\x2B\\x2D-\\x7E]*", "a,b", false),
            ("([0-9a-f]{16})+", "0123456789abcdef", true),
            ("([0-9a-f]{16})+", "0123456789abcde", false),
            ("\\p{Print}+", "abc", true),
            ("\\p{Print}+", "a\n", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), Some(expected), "{pattern} {text:?}");
        }
    }
}
