//! A value of the wrong JSON type, and the sentence that the service has for it.
//!
//! The sentences are those of the service's own deserializer and depend on what was expected, on what came and, for
//! containers, on whether a member, an element or an entry was expected (dynalite, `test/helpers.js`, whose expectations
//! were taken from AWS; facts 5).

use crate::json::{Quoted, Token};
use crate::model::observed::{class_name, package};
use crate::model::{Kind, Member, Operation, Service, ShapeId};
use crate::texts::Text;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the body.
    Top,
    /// In a structure.
    Member,
    /// In a list.
    Element,
    /// In a map.
    Entry,
}

/// What was expected, and where.
#[derive(Clone, Copy)]
pub(crate) struct Whereabouts<'m> {
    pub(crate) operation: Option<&'m Operation>,
    pub(crate) shape: ShapeId,
    pub(crate) place: Place,
    /// The byte after the token, which one operation counts as its column.
    pub(crate) column: usize,
}

/// The sentence for `token`, where it is not of the shape that was expected.
pub(crate) fn of(token: Token<'_>, expected: Whereabouts<'_>) -> Option<Text> {
    if token == Token::Null {
        return null(expected);
    }
    match expected.shape.shape().kind {
        Kind::Text { .. } => scalar(token, "java.lang.String", matches!(token, Token::Text(_))),
        Kind::Boolean => boolean(token),
        Kind::Integer(_) => integer(token, expected),
        Kind::Long(_) => scalar(token, "java.lang.Long", matches!(token, Token::Number(_))),
        Kind::Double(_) => scalar(token, "java.lang.Double", matches!(token, Token::Number(_))),
        Kind::Timestamp => scalar(token, "java.util.Date", matches!(token, Token::Number(_))),
        Kind::Blob => blob(token),
        Kind::List { .. } => list(token, expected.place),
        Kind::Map { value, .. } => map(token, expected, value),
        Kind::Structure(_) => structure(token, expected),
    }
}

/// Nothing is the absence of a member, but not to SearchVectors where that is required: that is another program (parity,
/// `error-messages/searchVectors`, October 2026).
fn null(expected: Whereabouts<'_>) -> Option<Text> {
    let operation = expected.operation.filter(|operation| operation.name == "SearchVectors")?;
    let is_it = |member: &Member| member.required && member.shape == expected.shape;
    if expected.place != Place::Member || !operation.input.shape().members().iter().any(is_it) {
        return None;
    }
    let wanted = match expected.shape.shape().kind {
        Kind::Integer(_) => "i32",
        Kind::List { .. } => "a sequence",
        _ => "a string",
    };
    Some(Text::NullMember { wanted, column: expected.column })
}

/// A scalar of a Java class.
fn scalar(token: Token<'_>, class: &'static str, fits: bool) -> Option<Text> {
    if fits {
        return None;
    }
    Some(match token {
        Token::Array => Text::UnrecognizedClass { class: class.to_owned() },
        Token::Object => Text::StartOfStructure,
        _ => {
            let class = class.rsplit('.').next().unwrap_or(class);
            Text::CannotConvert { token: token.service_name(), class }
        }
    })
}

/// Strings that spell a truth value are one.
fn boolean(token: Token<'_>) -> Option<Text> {
    match token {
        Token::Text(text) if spelled_truth(text).is_none() => Some(Text::UnexpectedToken),
        Token::Text(_) => None,
        _ => scalar(token, "java.lang.Boolean", matches!(token, Token::Boolean(_))),
    }
}

/// The truth value that a string spells (dynalite, `validations/index.js`).
pub(crate) fn spelled_truth(text: Quoted<'_>) -> Option<bool> {
    let text = text.decode();
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "1", "yes"]) {
        Some(true)
    } else if is(["false", "0", "no"]) {
        Some(false)
    } else {
        None
    }
}

/// Fractions are cut off, but not by SearchVectors, which is another program (captured in eu-west-2 and us-east-1 on
/// 2026-08-13: dynoxide, `actions/search_vectors.rs`).
fn integer(token: Token<'_>, expected: Whereabouts<'_>) -> Option<Text> {
    let searches = expected.operation.is_some_and(|operation| operation.name == "SearchVectors");
    match token {
        Token::Number(number) if searches && token.service_name() == "DECIMAL_VALUE" => {
            Some(Text::FractionalInteger { number: number.chars().take(64).collect(), column: expected.column })
        }
        _ => scalar(token, "java.lang.Integer", matches!(token, Token::Number(_))),
    }
}

fn blob(token: Token<'_>) -> Option<Text> {
    match token {
        Token::Text(text) => base64(text),
        Token::Array => Some(Text::UnrecognizedClass { class: "java.nio.ByteBuffer".to_owned() }),
        Token::Object => Some(Text::StartOfStructure),
        _ => Some(Text::NotBase64Type),
    }
}

/// Whether a string is canonical Base64: whole groups of four, padding at the end alone and no bits behind the last byte.
fn base64(text: Quoted<'_>) -> Option<Text> {
    let text = text.decode();
    if !text.len().is_multiple_of(4) {
        return Some(Text::Base64Length { found: text.chars().count() });
    }
    let bytes = text.as_bytes();
    let padding = bytes.iter().rev().take_while(|&&b| b == b'=').count();
    let digits = &bytes[..bytes.len() - padding];
    let value = |b: u8| match b {
        b'A'..=b'Z' => Some(b - b'A'),
        b'a'..=b'z' => Some(b - b'a' + 26),
        b'0'..=b'9' => Some(b - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let spare = [0, 0b11, 0b1111];
    let last = digits.last().and_then(|&b| value(b)).unwrap_or(0);
    let canonical = padding <= 2 && digits.iter().all(|&b| value(b).is_some()) && last & spare[padding.min(2)] == 0;
    // Padding alone is nothing at all.
    let canonical = canonical && !(digits.is_empty() && padding > 0);
    (!canonical).then_some(Text::Base64Character)
}

fn list(token: Token<'_>, place: Place) -> Option<Text> {
    match token {
        Token::Array => None,
        Token::Object => Some(Text::StartOfStructure),
        _ => Some(container_scalar(place)),
    }
}

fn map(token: Token<'_>, expected: Whereabouts<'_>, value: ShapeId) -> Option<Text> {
    match token {
        Token::Object => None,
        Token::Array => {
            let class = format!("java.util.Map<java.lang.String, {}>", java_class(service(expected.operation), value));
            Some(Text::UnrecognizedType { class })
        }
        _ => Some(container_scalar(expected.place)),
    }
}

fn structure(token: Token<'_>, expected: Whereabouts<'_>) -> Option<Text> {
    match token {
        Token::Object => None,
        Token::Array => {
            Some(Text::UnrecognizedClass { class: java_class(service(expected.operation), expected.shape) })
        }
        // A body that is no object at all: not captured.
        _ if matches!(expected.place, Place::Member | Place::Top) => Some(Text::UnexpectedFieldType),
        _ => Some(Text::UnexpectedValueType),
    }
}

/// A scalar where a list or map was expected.
fn container_scalar(place: Place) -> Text {
    match place {
        Place::Member | Place::Top => Text::UnexpectedFieldType,
        Place::Element | Place::Entry => Text::ParameterizedCast,
    }
}

fn service(operation: Option<&Operation>) -> Service {
    operation.map_or(Service::DynamoDb, |operation| operation.service)
}

/// The Java class of a shape, with its package.
fn java_class(service: Service, shape: ShapeId) -> String {
    match shape.shape().kind {
        Kind::Structure(_) => format!("{}.{}", package(service), class_name(shape)),
        Kind::List { element, .. } => format!("java.util.List<{}>", java_class(service, element)),
        Kind::Map { value, .. } => format!("java.util.Map<java.lang.String, {}>", java_class(service, value)),
        Kind::Boolean => "java.lang.Boolean".to_owned(),
        Kind::Integer(_) => "java.lang.Integer".to_owned(),
        Kind::Long(_) => "java.lang.Long".to_owned(),
        Kind::Double(_) => "java.lang.Double".to_owned(),
        Kind::Blob => "java.nio.ByteBuffer".to_owned(),
        Kind::Timestamp => "java.util.Date".to_owned(),
        Kind::Text { .. } => "java.lang.String".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine;
    use ::base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn base64_is_what_the_crate_says(text in "[A-Za-z0-9+/=!]{0,12}") {
            let expected = STANDARD.decode(&text).is_ok();
            prop_assert_eq!(base64(Quoted(&text)).is_none(), expected, "{}", text);
        }
    }

    #[test]
    fn truth_is_spelled_in_three_ways() {
        assert_eq!(spelled_truth(Quoted("TRUE")), Some(true));
        assert_eq!(spelled_truth(Quoted("no")), Some(false));
        assert_eq!(spelled_truth(Quoted("23")), None);
    }
}
