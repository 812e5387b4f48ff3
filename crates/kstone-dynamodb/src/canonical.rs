//! A number that two texts of JSON share where they say the same, whatever the order of their members.
//!
//! Members that are `null` are as if they were not there, escapes are undone, and numbers are their texts. Members that the
//! model does not know count, too.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::json::{NotJson, Scanner, Token};

/// What numbers begin with: those of texts, of other scalars, of lists and of objects differ.
const HASHER: FixedState = FixedState::with_seed(0x6b73_746f_6e65);

/// An object or a list that is open.
struct Open {
    is_object: bool,
    sum: u64,
    /// Of the member whose value comes next.
    name: u64,
}

/// The number of a text that a [`Scanner`] has accepted; 0 for any other. Costs a pass over the text.
pub(crate) fn number_of(json: &str) -> u64 {
    read(json).unwrap_or_default()
}

fn read(json: &str) -> Result<u64, NotJson> {
    let mut scanner = Scanner::new(json);
    let mut open: Vec<Open> = Vec::new();
    loop {
        let Some(number) = next(&mut scanner, &mut open)? else { continue };
        let Some(parent) = open.last_mut() else { return Ok(number.unwrap_or_default()) };
        match (number, parent.is_object) {
            (Some(number), true) => parent.sum = parent.sum.wrapping_add(HASHER.hash_one((parent.name, number))),
            (Some(number), false) => parent.sum = HASHER.hash_one((parent.sum, number)),
            (None, true) => {}
            (None, false) => parent.sum = HASHER.hash_one((parent.sum, "null")),
        }
    }
}

/// Reads on until a value is complete; its number, which `null` has none of. None where an object or a list was opened.
fn next(scanner: &mut Scanner<'_>, open: &mut Vec<Open>) -> Result<Option<Option<u64>>, NotJson> {
    if let Some(parent) = open.last_mut() {
        if scanner.take(if parent.is_object { b'}' } else { b']' }) {
            let number = HASHER.hash_one((parent.is_object, parent.sum));
            open.pop();
            return Ok(Some(Some(number)));
        }
        scanner.take(b',');
        if parent.is_object {
            parent.name = HASHER.hash_one(&*scanner.string()?.decode());
            scanner.take(b':');
        }
    }
    Ok(Some(match scanner.token()? {
        Token::Object => {
            open.push(Open { is_object: true, sum: 0, name: 0 });
            return Ok(None);
        }
        Token::Array => {
            open.push(Open { is_object: false, sum: 0, name: 0 });
            return Ok(None);
        }
        Token::Text(text) => Some(HASHER.hash_one(("text", &*text.decode()))),
        Token::Number(text) => Some(HASHER.hash_one(("number", text))),
        Token::Boolean(value) => Some(HASHER.hash_one(("boolean", value))),
        Token::Null => None,
    }))
}

#[cfg(test)]
mod tests {
    use super::number_of;

    #[test]
    fn the_order_of_members_their_spelling_and_nulls_make_no_difference() {
        let texts = [
            r#"[{"Put":{"TableName":"t","Item":{"a":{"S":"b"},"c":{"L":[{"N":"1"},{}]}}}},{"Delete":{}}]"#,
            r#" [ {"Put":{"Item":{"c":{"L":[{"N":"1"},{}]},"\u0061":{"S":"\u0062"}},"TableName":"t"}} , {"Delete":{}}]"#,
            r#"[{"Put":{"TableName":"t","x":null,"Item":{"a":{"S":"b"},"c":{"L":[{"N":"1"},{}]}}},"Check":null},{"Delete":{}}]"#,
        ];
        for text in texts {
            assert_eq!(number_of(text), number_of(texts[0]), "{text}");
        }
    }

    #[test]
    fn what_says_something_else_differs() {
        let texts = [
            r#"{"a":"b"}"#,
            r#"{"a":"c"}"#,
            r#"{"b":"a"}"#,
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":["b"]}"#,
            r#"["a","b"]"#,
            r#"["b","a"]"#,
            r#"[["a"],"b"]"#,
            r#"["a",["b"]]"#,
            r#"[null,"a"]"#,
            r#"["a",null]"#,
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            r#"{"a":true}"#,
            r#"{"a":"true"}"#,
            r#"{"a":1.0}"#,
            "{}",
            "[]",
        ];
        for (at, one) in texts.iter().enumerate() {
            for other in &texts[..at] {
                assert_ne!(number_of(one), number_of(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn nesting_takes_no_stack() {
        let depth = 100_000;
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_ne!(number_of(&text), 0);
    }
}
