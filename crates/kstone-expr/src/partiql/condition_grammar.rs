//! Conditions.
//!
//! ```text
//! condition := and (OR and)*                       and := not (AND not)*
//! not       := NOT not | '(' condition ')' | test
//! test      := operand ('=' | '<>' | '!=' | '<' | '<=' | '>' | '>=') operand
//!            | operand NOT? BETWEEN operand AND operand
//!            | operand NOT? IN ('[' operand (',' operand)* ']' | '(' … ')')
//!            | path IS NOT? (MISSING | NULL | type)
//!            | begins_with '(' operand ',' operand ')' | contains '(' operand ',' operand ')'
//!            | attribute_type '(' path ',' value ')' | attribute_exists '(' path ')'
//!            | attribute_not_exists '(' path ')'
//! operand   := value | path | size '(' (path | value) ')'
//! ```
//! Thread safety: one parse, one parser.

use winnow::ModalResult;
use winnow::combinator::{alt, cut_err, opt, preceded, separated};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{Location, Stream};

use super::NESTING_MAX_LEVELS;
use super::ast::{Clause, Operand, Path, Test, Tree};
use super::fault::{Fault, cut, expected, refuse};
use super::grammar::{Tokens, is_reserved, keyword, peek_word, sign};
use super::lexer::TokenKind;
use super::value_grammar::{literal, path};
use crate::expression::ast::Comparator;
use crate::texts::Reason;

/// The most values that IN takes, DynamoDB's.
const IN_MAX_VALUES: usize = 100;

/// The types that IS knows, by DynamoDB's names and PartiQL's.
const TYPES: [(&str, &[&str]); 22] = [
    ("NULL", &["NULL"]),
    ("S", &["S"]),
    ("STRING", &["S"]),
    ("N", &["N"]),
    ("NUMBER", &["N"]),
    ("B", &["B"]),
    ("BINARY", &["B"]),
    ("BLOB", &["B"]),
    ("BOOL", &["BOOL"]),
    ("BOOLEAN", &["BOOL"]),
    ("L", &["L"]),
    ("LIST", &["L"]),
    ("M", &["M"]),
    ("MAP", &["M"]),
    ("STRUCT", &["M"]),
    ("TUPLE", &["M"]),
    ("SS", &["SS"]),
    ("NS", &["NS"]),
    ("BS", &["BS"]),
    ("BAG", &["SS", "NS", "BS"]),
    ("SET", &["SS", "NS", "BS"]),
    ("DECIMAL", &["N"]),
];

/// The functions that are true or false.
const PREDICATES: [&str; 5] = ["attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains"];

/// A condition.
pub(super) fn condition(input: &mut Tokens<'_>) -> ModalResult<Clause, Fault> {
    either(0).parse_next(input)
}

/// A condition inside this many parentheses and NOTs.
fn either<'a>(levels: usize) -> impl Parser<Tokens<'a>, Clause, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| chain(input, "OR", both(levels), Tree::Or)
}

fn both<'a>(levels: usize) -> impl Parser<Tokens<'a>, Clause, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| chain(input, "AND", not(levels), Tree::And)
}

/// Conditions with one word between them; one alone is itself.
fn chain<'a>(
    input: &mut Tokens<'a>,
    word: &'static str,
    mut part: impl Parser<Tokens<'a>, Clause, ErrMode<Fault>>,
    make: fn(Vec<Clause>) -> Tree,
) -> ModalResult<Clause, Fault> {
    let first = part.parse_next(input)?;
    let mut parts = vec![first];
    while opt(keyword(word)).parse_next(input)?.is_some() {
        parts.push(part.parse_next(input).map_err(ErrMode::cut)?);
    }
    Ok(match <[Clause; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => {
            let ends = parts.first().zip(parts.last()).map(|(first, last)| (first.span.start, last.span.end));
            let (start, end) = ends.unwrap_or_default();
            Clause { tree: make(parts), span: start..end }
        }
    })
}

fn not<'a>(levels: usize) -> impl Parser<Tokens<'a>, Clause, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| {
        let start = input.current_token_start();
        let is_not = peek_word(input).as_deref() == Some("NOT");
        let is_group = input.peek_token().is_some_and(|token| token.kind == TokenKind::Sign("("));
        if (is_not || is_group) && levels == NESTING_MAX_LEVELS {
            return Err(cut(start, Reason::TooDeep { what: "conditions", limit: NESTING_MAX_LEVELS }));
        }
        let tree = if is_not {
            input.next_token();
            Tree::Not(Box::new(cut_err(not(levels + 1)).parse_next(input)?))
        } else if is_group {
            input.next_token();
            let inner = cut_err(either(levels + 1)).parse_next(input)?;
            cut_err(sign(")")).parse_next(input)?;
            inner.tree
        } else {
            test(input)?
        };
        Ok(Clause { tree, span: start..input.previous_token_end() })
    }
}

fn test(input: &mut Tokens<'_>) -> ModalResult<Tree, Fault> {
    let start = input.current_token_start();
    if let Some(test) = function(input)? {
        return truth_of(input, test, start);
    }
    let left = operand(input)?;
    let at = input.current_token_start();
    if let Some(comparator) = opt(comparator).parse_next(input)? {
        let right = cut_err(operand).parse_next(input)?;
        return Ok(Tree::Test(Test::Compare(comparator, left, right)));
    }
    if peek_word(input).as_deref() == Some("IS") {
        input.next_token();
        let Operand::Path(path) = left else { return Err(cut(at, Reason::IsOfValue)) };
        return cut_err(is(path)).parse_next(input);
    }
    let negated = opt(keyword("NOT")).parse_next(input)?.is_some();
    let test = match peek_word(input).as_deref() {
        Some("BETWEEN") => {
            input.next_token();
            let low = cut_err(operand).parse_next(input)?;
            let high = preceded(cut_err(keyword("AND")), cut_err(operand)).parse_next(input)?;
            Test::Between(left, low, high)
        }
        Some("IN") => {
            input.next_token();
            Test::In(left, values(input)?)
        }
        _ if negated => return Err(expected(input.current_token_start(), "BETWEEN or IN").cut()),
        _ => return Err(expected(at, "a comparison such as =, BETWEEN, IN or IS").cut()),
    };
    Ok(if negated { negation(test, at..input.previous_token_end()) } else { Tree::Test(test) })
}

/// A function that is true or false, and what it may be compared with.
fn truth_of(input: &mut Tokens<'_>, test: Test, start: usize) -> ModalResult<Tree, Fault> {
    if opt(sign("=")).parse_next(input)?.is_none() {
        return Ok(Tree::Test(test));
    }
    let is_true = cut_err(alt((keyword("TRUE").value(true), keyword("FALSE").value(false)))).parse_next(input)?;
    Ok(if is_true { Tree::Test(test) } else { negation(test, start..input.previous_token_end()) })
}

fn negation(test: Test, span: std::ops::Range<usize>) -> Tree {
    Tree::Not(Box::new(Clause { tree: Tree::Test(test), span }))
}

/// What follows IS.
fn is<'a>(path: Path) -> impl Parser<Tokens<'a>, Tree, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| {
        let start = input.current_token_start();
        let negated = opt(keyword("NOT")).parse_next(input)?.is_some();
        let at = input.current_token_start();
        let word = peek_word(input);
        let test = match word.as_deref() {
            Some("MISSING") if negated => {
                input.next_token();
                return Ok(Tree::Test(Test::Exists(path.clone())));
            }
            Some("MISSING") => Test::NotExists(path.clone()),
            word => match TYPES.iter().find(|(name, _)| Some(*name) == word) {
                Some((_, types)) => Test::IsOneOf(path.clone(), types),
                None => return Err(expected(at, "MISSING, NULL or a type such as STRING, NUMBER, LIST or MAP")),
            },
        };
        input.next_token();
        Ok(if negated { negation(test, start..input.previous_token_end()) } else { Tree::Test(test) })
    }
}

/// The values of IN.
fn values(input: &mut Tokens<'_>) -> ModalResult<Vec<Operand>, Fault> {
    let at = input.current_token_start();
    let open = cut_err(alt((sign("[").value("]"), sign("(").value(")"))));
    let close: &'static str = { open }.parse_next(input)?;
    let values: Vec<Operand> = cut_err(separated(1.., operand, sign(","))).parse_next(input)?;
    cut_err(sign(close)).parse_next(input)?;
    if values.len() > IN_MAX_VALUES {
        let count = values.len();
        return Err(cut(at, Reason::TooManyInOperands { count }));
    }
    Ok(values)
}

fn comparator(input: &mut Tokens<'_>) -> ModalResult<Comparator, Fault> {
    alt((
        sign("=").value(Comparator::Equal),
        alt((sign("<>"), sign("!="))).value(Comparator::NotEqual),
        sign("<").value(Comparator::Less),
        sign("<=").value(Comparator::LessOrEqual),
        sign(">").value(Comparator::Greater),
        sign(">=").value(Comparator::GreaterOrEqual),
    ))
    .parse_next(input)
}

/// A function that is true or false, if one stands here.
fn function(input: &mut Tokens<'_>) -> ModalResult<Option<Test>, Fault> {
    let Some((at, word)) = function_name(input) else { return Ok(None) };
    let test = match word.as_str() {
        "SIZE" => return Ok(None),
        "EXISTS" => {
            return Err(cut(at, Reason::ExistsInside));
        }
        "BEGINS_WITH" => two(input, operand, operand).map(|(of, prefix)| Test::BeginsWith(of, prefix)),
        "CONTAINS" => two(input, operand, operand).map(|(of, wanted)| Test::Contains(of, wanted)),
        "ATTRIBUTE_TYPE" => two(input, operand, operand).map(|(of, type_)| Test::HasType(of, type_)),
        "ATTRIBUTE_EXISTS" => path_of(input, "attribute_exists").map(Test::Exists),
        "ATTRIBUTE_NOT_EXISTS" => path_of(input, "attribute_not_exists").map(Test::NotExists),
        _ => return Err(cut(at, Reason::UnknownFunction { function: word.to_ascii_lowercase().into() })),
    };
    test.map(Some).map_err(ErrMode::cut)
}

/// Where a function stands here, and its name.
fn function_name(input: &Tokens<'_>) -> Option<(usize, String)> {
    let opens = input.get(1).is_some_and(|token| token.kind == TokenKind::Sign("("));
    let word = peek_word(input).filter(|word| opens && (word == "EXISTS" || !is_reserved(word)))?;
    Some((input.current_token_start(), word))
}

/// The path that a function is asked of, which is all that it takes.
fn path_of(input: &mut Tokens<'_>, function: &'static str) -> ModalResult<Path, Fault> {
    let at = input.current_token_start();
    let arguments: Vec<Operand> = one(input, separated(0.., operand, sign(",")))?;
    let count = arguments.len();
    match <[Operand; 1]>::try_from(arguments) {
        Ok([Operand::Path(path)]) => Ok(path),
        Ok(_) => Err(refuse(at, Reason::PathRequired { function: function.into() })),
        Err(_) => Err(refuse(at, Reason::OperandCount { function: function.into(), count })),
    }
}

fn one<'a, T>(input: &mut Tokens<'a>, argument: impl Parser<Tokens<'a>, T, ErrMode<Fault>>) -> ModalResult<T, Fault> {
    input.next_token();
    (sign("("), argument, sign(")")).map(|(_, argument, _)| argument).parse_next(input)
}

fn two<'a, T, U>(
    input: &mut Tokens<'a>,
    first: impl Parser<Tokens<'a>, T, ErrMode<Fault>>,
    second: impl Parser<Tokens<'a>, U, ErrMode<Fault>>,
) -> ModalResult<(T, U), Fault> {
    input.next_token();
    (sign("("), first, sign(","), second, sign(")")).map(|(_, first, _, second, _)| (first, second)).parse_next(input)
}

fn operand(input: &mut Tokens<'_>) -> ModalResult<Operand, Fault> {
    let at = input.current_token_start();
    if let Some((at, function)) = function_name(input) {
        if function == "SIZE" {
            return one(input, operand_of_size).map_err(ErrMode::cut);
        }
        let name = function.to_ascii_lowercase();
        let is_predicate = PREDICATES.contains(&name.as_str());
        let function = name.into();
        return Err(cut(
            at,
            match is_predicate {
                true => Reason::PredicateAsValue { function },
                false => Reason::UnknownFunction { function },
            },
        ));
    }
    if is_path(input) {
        return path.map(Operand::Path).parse_next(input);
    }
    literal.map(Operand::Literal).parse_next(input).map_err(|error| match error {
        ErrMode::Backtrack(_) => expected(at, "a value, a path or a function"),
        error => error,
    })
}

fn operand_of_size(input: &mut Tokens<'_>) -> ModalResult<Operand, Fault> {
    match is_path(input) {
        true => path.map(Operand::SizeOfPath).parse_next(input),
        false => literal.map(Operand::SizeOfLiteral).parse_next(input),
    }
}

/// Whether a path begins at this token.
fn is_path(input: &Tokens<'_>) -> bool {
    input.peek_token().is_some_and(|token| match token.kind {
        TokenKind::Name => true,
        TokenKind::Word => !is_reserved(token.text),
        _ => false,
    })
}
