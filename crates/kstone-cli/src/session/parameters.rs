//! The values that `.parameter` gives to `?` and `:name` in statements.
//!
//! DynamoDB's statements know `?` alone, whose values stand in order. A `:name` outside strings, quoted names and
//! comments becomes a `?` of the same length, so that the columns in errors stay right.

use std::collections::BTreeMap;

use kstone_api::json::{JsonForm, value_from_str};
use kstone_api::{KeystoneValue, Statement};

use crate::failure::Failure;
use crate::input::lexis::{Place, Scanner};

/// The values by name: `:name`, or the number of a `?` from 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Parameters(BTreeMap<String, KeystoneValue>);

impl Parameters {
    /// Gives a parameter a value: JSON, with the types of DynamoDB where `typed`; what is no JSON is a text.
    ///
    /// # Errors
    /// Where the name is none, or the value is not what it should be.
    pub(crate) fn set(&mut self, name: &str, value: &str, typed: bool) -> Result<(), Failure> {
        let name = checked(name)?;
        let value = match typed {
            true => value_from_str(value, JsonForm::Typed).map_err(|error| Failure::from(error).at("the value"))?,
            false => plain_value(value),
        };
        self.0.insert(name, value);
        Ok(())
    }

    /// Takes a value away.
    ///
    /// # Errors
    /// Where the parameter has none.
    pub(crate) fn unset(&mut self, name: &str) -> Result<(), Failure> {
        let name = checked(name)?;
        match self.0.remove(&name) {
            Some(_) => Ok(()),
            None => Err(Failure::message(format!("the parameter {name} has no value"))),
        }
    }

    /// Takes all values away.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The parameters and their values, by name.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&str, &KeystoneValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The statement with the values of its parameters.
    ///
    /// # Errors
    /// Where one has none: says which.
    pub(crate) fn bind(&self, text: &str) -> Result<Statement, Failure> {
        let (bound, values) = self.bound(text)?;
        Ok(Statement::new(bound).parameters(values))
    }

    /// The text with a `?` for each parameter, and their values.
    fn bound(&self, text: &str) -> Result<(String, Vec<KeystoneValue>), Failure> {
        let mut bound = String::with_capacity(text.len());
        let mut values = Vec::new();
        let mut positional = 0;
        let mut scanner = Scanner::default();
        let mut rest = text;
        while !rest.is_empty() {
            match scanner.next(&mut rest) {
                (Place::Code, code) => self.bind_code(code, &mut bound, &mut values, &mut positional)?,
                (_, run) => bound.push_str(run),
            }
        }
        Ok((bound, values))
    }

    fn bind_code(
        &self,
        code: &str,
        bound: &mut String,
        values: &mut Vec<KeystoneValue>,
        positional: &mut usize,
    ) -> Result<(), Failure> {
        let mut rest = code;
        while let Some(at) = rest.find([':', '?']) {
            bound.push_str(&rest[..at]);
            rest = &rest[at..];
            let length = if rest.starts_with('?') {
                *positional += 1;
                values.push(self.value(&positional.to_string())?);
                1
            } else {
                // A colon that no name follows separates the name and the value of a tuple's entry.
                name_length(&rest[1..]).map_or(0, |length| length + 1)
            };
            if length > 1 {
                values.push(self.value(&rest[..length])?);
            }
            if length == 0 {
                bound.push(':');
                rest = &rest[1..];
            } else {
                bound.push('?');
                bound.extend(std::iter::repeat_n(' ', length - 1));
                rest = &rest[length..];
            }
        }
        bound.push_str(rest);
        Ok(())
    }

    fn value(&self, name: &str) -> Result<KeystoneValue, Failure> {
        self.0.get(name).cloned().ok_or_else(|| {
            let shown = if name.starts_with(':') { name.to_owned() } else { format!("? number {name}") };
            Failure::message(format!("the parameter {shown} has no value: .parameter set {name} VALUE gives it one"))
        })
    }
}

/// A value in JSON; what is no JSON is a text.
pub(crate) fn plain_value(text: &str) -> KeystoneValue {
    value_from_str(text, JsonForm::Plain).unwrap_or_else(|_| KeystoneValue::string(text))
}

/// How long the name is that a text begins with; none where it begins with no name, or with a word of PartiQL that may
/// be the value of a tuple's entry.
fn name_length(text: &str) -> Option<usize> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = text.find(|c: char| !is_word(c)).unwrap_or(text.len());
    let name = &text[..length];
    let is_value = ["true", "false", "null"].iter().any(|word| word.eq_ignore_ascii_case(name));
    (name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && !is_value).then_some(length)
}

/// The name as it is kept: with its colon, or a number.
fn checked(name: &str) -> Result<String, Failure> {
    let bare = name.strip_prefix([':', '?']).unwrap_or(name);
    if !name.starts_with(':') && bare.parse::<u16>().is_ok_and(|number| number > 0) {
        return Ok(bare.trim_start_matches('0').to_owned());
    }
    if !name.starts_with('?') && name_length(bare) == Some(bare.len()) {
        return Ok(format!(":{bare}"));
    }
    Err(Failure::message(format!("{name} is no parameter: :name is one, and a number, for a ? of the statement")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters() -> Parameters {
        let mut parameters = Parameters::default();
        for (name, value, typed) in [
            (":age", "36", false),
            ("name", "O'Hara", false),
            ("1", "\"one\"", false),
            ("?2", "{\"SS\":[\"a\"]}", true),
            (":list", "[1,{\"a\":null}]", false),
        ] {
            parameters.set(name, value, typed).unwrap();
        }
        parameters
    }

    #[test]
    fn names_become_question_marks_where_they_stand() {
        let age = || KeystoneValue::number(36);
        let one = || KeystoneValue::string("one");
        let hara = KeystoneValue::string("O'Hara");
        let list = KeystoneValue::list([KeystoneValue::number(1), KeystoneValue::map([("a", KeystoneValue::Null)])]);
        let set = KeystoneValue::string_set(["a"]);
        for (text, bound, values) in [
            ("a = :age AND b = :name", "a = ?    AND b = ?    ", vec![age(), hara]),
            ("':age', \":age\" -- :none\n/* :none */", "':age', \":age\" -- :none\n/* :none */", vec![]),
            ("{'a':1,'b':true,'c': ?,'d':'x','e':?}", "{'a':1,'b':true,'c': ?,'d':'x','e':?}", vec![one(), set]),
            (":age, ?, :age", "?   , ?, ?   ", vec![age(), one(), age()]),
            ("x:NULL y: :list z::age", "x:NULL y: ?     z:?   ", vec![list, age()]),
        ] {
            assert_eq!(parameters().bound(text).unwrap(), (bound.to_owned(), values));
        }
    }

    #[test]
    fn what_has_no_value_is_named() {
        for (text, error) in [
            ("SELECT :nobody", "the parameter :nobody has no value: .parameter set :nobody VALUE gives it one"),
            ("SELECT ?, ?, ?", "the parameter ? number 3 has no value: .parameter set 3 VALUE gives it one"),
        ] {
            assert_eq!(parameters().bound(text).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn names_and_values_that_are_none_are_refused() {
        let mut parameters = Parameters::default();
        for name in ["", ":", "?", "0", "?0", "a-b", ":1a", "99999", "?a", ":ä", "true"] {
            let error = parameters.set(name, "1", false).unwrap_err().to_string();
            assert!(error.contains("is no parameter"), "{name}: {error}");
        }
        assert!(parameters.set("a", "1", true).unwrap_err().to_string().starts_with("the value: "));
        assert!(parameters.set("a", "{\"X\":1}", true).is_err());
        assert_eq!(parameters.unset(":a").unwrap_err().to_string(), "the parameter :a has no value");
        assert_eq!(parameters, Parameters::default());
    }
}
