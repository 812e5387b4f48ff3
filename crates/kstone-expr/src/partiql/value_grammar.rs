//! Values, paths, and what SET gives a path.
//!
//! ```text
//! value   := text | '-'? number | TRUE | FALSE | NULL | '?' | '[' (value (',' value)*)? ']'
//!          | '{' (key ':' value (',' key ':' value)*)? '}' | '<<' (value (',' value)*)? '>>'
//! key     := text | name
//! path    := name ('.' name | '[' '-'? number ']' | '[' text ']')*
//! expr    := term (('+' | '-') term)?
//! term    := value | path | function '(' expr (',' expr)* ')'
//! ```
//! Thread safety: one parse, one parser.

use winnow::ModalResult;
use winnow::combinator::{alt, cut_err, delimited, opt, separated};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{Location, Stream};

use kstone_core::number;
use kstone_core::value::Value;

use super::NESTING_MAX_LEVELS;
use super::ast::{Expr, Literal, Path, Template};
use super::fault::{Fault, cut, expected, refuse};
use super::grammar::{Tokens, is_reserved, keyword, name, sign};
use super::lexer::TokenKind;
use crate::expression::PATH_MAX_LEVELS;
use crate::expression::ast::Segment;
use crate::texts::Reason;

/// The largest index of a list's element, DynamoDB's.
const INDEX_MAX: u32 = u32::MAX - 1;

/// A value and where it stands.
pub(super) fn literal(input: &mut Tokens<'_>) -> ModalResult<Literal, Fault> {
    let at = input.current_token_start();
    value(0).map(|template| Literal { template, at }).parse_next(input)
}

/// A value inside this many others.
fn value<'a>(levels: usize) -> impl Parser<Tokens<'a>, Template, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| {
        let at = input.current_token_start();
        let Some(token) = input.peek_token() else { return Err(expected(at, "a value")) };
        let nests = matches!(token.kind, TokenKind::Sign("[" | "{" | "<<"));
        if nests && levels == NESTING_MAX_LEVELS {
            return Err(cut(at, Reason::TooDeep { what: "values", limit: NESTING_MAX_LEVELS }));
        }
        match token.kind {
            TokenKind::Text => {
                input.next_token();
                Ok(Template::Value(Value::S(token.unquoted())))
            }
            TokenKind::Number | TokenKind::Sign("-") => signed_number(input),
            TokenKind::Parameter(parameter) => {
                input.next_token();
                Ok(Template::Parameter(parameter))
            }
            TokenKind::Sign("[") => list(input, "[", "]", levels).map(Template::List),
            TokenKind::Sign("<<") => list(input, "<<", ">>", levels).map(Template::Set),
            TokenKind::Sign("{") => tuple(input, levels),
            TokenKind::Word => alt((
                keyword("TRUE").value(Value::Bool(true)),
                keyword("FALSE").value(Value::Bool(false)),
                keyword("NULL").value(Value::Null),
            ))
            .map(Template::Value)
            .parse_next(input)
            .map_err(|_: ErrMode<Fault>| expected(at, "a value")),
            _ => Err(expected(at, "a value")),
        }
    }
}

fn signed_number<'a>(input: &mut Tokens<'a>) -> ModalResult<Template, Fault> {
    let at = input.current_token_start();
    let negative = opt(sign("-")).parse_next(input)?.is_some();
    let digits = number_token(input)?;
    if !has_scale(digits) {
        return Err(cut(at, Reason::NumberExpected));
    }
    let text = if negative { format!("-{digits}") } else { digits.to_owned() };
    let canonical = number::canonical(&text).map_err(|error| cut(at, Reason::Below { error }))?;
    Ok(Template::Value(Value::N(canonical.into_owned())))
}

/// Whether the exponent of a number, and the digits behind its point less the exponent, are numbers of 32 bits: others are
/// no numbers to DynamoDB, rather than too large ones.
fn has_scale(digits: &str) -> bool {
    let Some((mantissa, exponent)) = digits.split_once(['e', 'E']) else { return true };
    let fraction = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let fraction = i32::try_from(fraction).unwrap_or(i32::MAX);
    exponent.parse::<i32>().is_ok_and(|exponent| fraction.checked_sub(exponent).is_some())
}

fn number_token<'a>(input: &mut Tokens<'a>) -> ModalResult<&'a str, Fault> {
    match input.peek_token() {
        Some(token) if token.kind == TokenKind::Number => {
            input.next_token();
            Ok(token.text)
        }
        _ => Err(cut(input.current_token_start(), Reason::NumberExpected)),
    }
}

/// Values between two signs.
fn list(
    input: &mut Tokens<'_>,
    open: &'static str,
    close: &'static str,
    levels: usize,
) -> ModalResult<Vec<Template>, Fault> {
    let elements = separated(0.., value(levels + 1), sign(","));
    delimited(sign(open), elements, cut_err(sign(close))).parse_next(input)
}

fn tuple(input: &mut Tokens<'_>, levels: usize) -> ModalResult<Template, Fault> {
    let mut entries: Vec<(String, Literal)> = Vec::new();
    sign("{").parse_next(input)?;
    while opt(sign("}")).parse_next(input)?.is_none() {
        if !entries.is_empty() {
            cut_err(sign(",")).parse_next(input)?;
        }
        let at = input.current_token_start();
        let key = cut_err(key).parse_next(input)?;
        if entries.iter().any(|(other, _)| *other == key) {
            return Err(cut(at, Reason::NameTwice { name: key.into() }));
        }
        cut_err(sign(":")).parse_next(input)?;
        let at = input.current_token_start();
        let template = cut_err(value(levels + 1)).parse_next(input)?;
        entries.push((key, Literal { template, at }));
    }
    Ok(Template::Map(entries))
}

/// The name of a tuple's entry.
fn key(input: &mut Tokens<'_>) -> ModalResult<String, Fault> {
    match input.peek_token() {
        Some(token) if token.kind == TokenKind::Text => {
            input.next_token();
            Ok(token.unquoted())
        }
        _ => name.map(|name| name.text).parse_next(input).map_err(|error| match error {
            ErrMode::Backtrack(_) => expected(input.current_token_start(), "a name between single quotes"),
            error => error,
        }),
    }
}

/// A document path.
pub(super) fn path(input: &mut Tokens<'_>) -> ModalResult<Path, Fault> {
    let first = name(input)?;
    let mut segments = vec![Segment::Name(first.text.into())];
    loop {
        let at = input.current_token_start();
        if opt(sign(".")).parse_next(input)?.is_some() {
            segments.push(Segment::Name(cut_err(name).parse_next(input)?.text.into()));
        } else if opt(sign("[")).parse_next(input)?.is_some() {
            segments.push(step(input)?);
            cut_err(sign("]")).parse_next(input)?;
        } else {
            return Ok(Path { segments, at: first.at });
        }
        if segments.len() > PATH_MAX_LEVELS {
            return Err(cut(at, Reason::TooManySteps { limit: PATH_MAX_LEVELS }));
        }
    }
}

/// What stands between brackets.
fn step(input: &mut Tokens<'_>) -> ModalResult<Segment, Fault> {
    let at = input.current_token_start();
    match input.peek_token() {
        Some(token) if token.kind == TokenKind::Text && token.text.len() > 2 => {
            input.next_token();
            Ok(Segment::Name(token.unquoted().into()))
        }
        Some(token) if matches!(token.kind, TokenKind::Number | TokenKind::Sign("-")) => {
            let minus = if opt(sign("-")).parse_next(input)?.is_some() { "-" } else { "" };
            let digits = number_token(input)?;
            let index = digits.parse().ok().filter(|&index| index <= INDEX_MAX && (minus.is_empty() || index == 0));
            index
                .map(Segment::Index)
                .ok_or_else(|| refuse(at, Reason::IndexOutOfRange { index: format!("{minus}{digits}").into() }))
        }
        _ => Err(cut(at, Reason::StepExpected)),
    }
}

/// What SET gives a path.
pub(super) fn expr(input: &mut Tokens<'_>) -> ModalResult<Expr, Fault> {
    nested_expr(0).parse_next(input)
}

fn nested_expr<'a>(levels: usize) -> impl Parser<Tokens<'a>, Expr, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| {
        let left = term(input, levels)?;
        let Some(plus) = opt(alt((sign("+").value(true), sign("-").value(false)))).parse_next(input)? else {
            return Ok(left);
        };
        let right = term(input, levels).map_err(ErrMode::cut)?;
        Ok(match plus {
            true => Expr::Plus(Box::new(left), Box::new(right)),
            false => Expr::Minus(Box::new(left), Box::new(right)),
        })
    }
}

fn term(input: &mut Tokens<'_>, levels: usize) -> ModalResult<Expr, Fault> {
    let at = input.current_token_start();
    let is_word = input.peek_token().is_some_and(|token| token.kind == TokenKind::Word && !is_reserved(token.text));
    if is_word && input.get(1).is_some_and(|token| token.kind == TokenKind::Sign("(")) {
        if levels == NESTING_MAX_LEVELS {
            return Err(cut(at, Reason::TooDeep { what: "functions", limit: NESTING_MAX_LEVELS }));
        }
        let function = name(input)?;
        let arguments = separated(0.., nested_expr(levels + 1), sign(","));
        let arguments = delimited(sign("("), arguments, cut_err(sign(")"))).parse_next(input)?;
        return Ok(Expr::Call(function, arguments));
    }
    match input.peek_token().map(|token| token.kind) {
        Some(TokenKind::Word) if is_word => path.map(Expr::Path).parse_next(input),
        Some(TokenKind::Name) => path.map(Expr::Path).parse_next(input),
        _ => literal.map(Expr::Literal).parse_next(input).map_err(|error| match error {
            ErrMode::Backtrack(_) => expected(at, "a value, a path or a function"),
            error => error,
        }),
    }
}
