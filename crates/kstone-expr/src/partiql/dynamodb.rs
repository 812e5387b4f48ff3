//! What DynamoDB says of a statement that it refuses. Its parser's words name what it met, not what could have stood there.
//!
//! ```text
//! SLECT * FROM t                  Statement wasn't well formed, can't be processed: Expected data manipulation
//! SELECT * FROM t WHERE           …: Unexpected term
//! SELECT * FROM t WHERE a = 1 b   …: Unexpected token after expression
//! SELECT f(a) FROM t              Unexpected path component at 1:8:1          line, column and length, in characters
//! ```
//! Source: the public conformance suite that was measured on AWS in October 2026 (paritysuite/dynamodb-conformance,
//! `partiqlGrammar`, `partiqlFunctions`, `partiqlIndexQualifier`). What it does not have is said in kstone's words.

use super::lexer::{Token, TokenKind, tokens};
use crate::texts::Reason;

const NOT_WELL_FORMED: &str = "Statement wasn't well formed, can't be processed: ";

/// Words that stand between two operands, or before one.
const OPERATORS: [&str; 6] = ["BETWEEN", "CONTAINS", "IN", "IS", "LIKE", "UNION"];
/// Words that no name and no value begins with.
const KEYWORDS: [&str; 21] = [
    "AND",
    "AS",
    "BY",
    "DELETE",
    "FROM",
    "GROUP",
    "HAVING",
    "INSERT",
    "INTO",
    "LIMIT",
    "OFFSET",
    "OR",
    "ORDER",
    "REMOVE",
    "RETURNING",
    "SELECT",
    "SET",
    "UPDATE",
    "VALUE",
    "VALUES",
    "WHERE",
];

/// The sentence for what is wrong at this byte of a statement; `is_well_formed` says that it is none of the grammar's.
pub(super) fn sentence(statement: &str, at: usize, reason: &Reason, is_well_formed: bool) -> String {
    let is_insert = first_word(statement).eq_ignore_ascii_case("INSERT");
    match reason {
        Reason::Aliased | Reason::EmptyBag => reason.to_string(),
        Reason::NoColumn => placed("Unexpected path component", statement, at),
        Reason::ExistsInside => placed("Unrecognized function: exists", statement, at),
        Reason::UnknownFunction { function } => placed(&format!("Unrecognized function: {function}"), statement, at),
        Reason::SetFunctionArguments { .. } | Reason::SetFunctionTarget { .. } => {
            placed(&reason.to_string(), statement, at)
        }
        // The first argument's place.
        Reason::NoSet { .. } => {
            let open = statement[..at].rfind('(').map_or(at, |open| open + 1);
            let blanks = statement[open..].len() - statement[open..].trim_start().len();
            placed(&reason.to_string(), statement, open + blanks)
        }
        Reason::DeleteReturns { .. } => format!("{reason}."),
        Reason::WriteOnIndex if is_insert => {
            let what = "FROM clause may only contain a single table name in data manipulation statements";
            placed(what, statement, at)
        }
        Reason::ColumnTwice { column } => format!("Duplicate identifiers in select clause: {column}"),
        Reason::QuotedNameEmpty => "Path component cannot be an empty string".to_owned(),
        Reason::Unsupported { .. } => placed(&format!("{reason:#}"), statement, at),
        Reason::Below { error }
            if statement[at..].starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.')) =>
        {
            format!("{error:#} under {}", literal_path(statement, at))
        }
        Reason::Below { error } => format!("{error:#}"),
        _ if is_well_formed => format!("{reason:#}"),
        Reason::Expected { .. }
        | Reason::NoStatement
        | Reason::SecondStatement
        | Reason::CommentOpen
        | Reason::QuoteOpen { .. }
        | Reason::UnknownCharacter { .. }
        | Reason::Keyword { .. }
        | Reason::NumberExpected
        | Reason::IsOfValue => grammar(statement, at, reason, is_insert),
        _ => format!("{NOT_WELL_FORMED}{reason:#}"),
    }
}

/// What the grammar met at this byte.
fn grammar(statement: &str, at: usize, reason: &Reason, is_insert: bool) -> String {
    let Ok(tokens) = tokens(statement) else {
        let detail = if matches!(reason, Reason::SecondStatement) { "Unexpected token after expression" } else { "" };
        return format!("{NOT_WELL_FORMED}{detail}");
    };
    if matches!(reason, Reason::NumberExpected) {
        return NOT_WELL_FORMED.to_owned();
    }
    let here = tokens.iter().position(|token| token.start >= at).unwrap_or(tokens.len() - 1);
    let (met, before) = (&tokens[here], here.checked_sub(1).map(|before| &tokens[before]));
    let opens = tokens.get(here + 1).is_some_and(|next| next.kind == TokenKind::Sign("("));
    if is_insert && opens && met.kind == TokenKind::Word && expects(reason, "a value") {
        let (name, path) = (met.text, path_of(&tokens, at, true));
        return placed(&format!("Unsupported data type: {name} under key {path}"), statement, at);
    }
    let has_from = || tokens.iter().any(|token| is_word(token, "FROM"));
    let detail = match reason {
        Reason::NoStatement if has_from() => "Expected data manipulation",
        Reason::NoStatement => "Unexpected token after expression",
        _ if expects(reason, "the end of the statement") || expects(reason, "VALUE") => {
            "Unexpected token after expression"
        }
        _ => unexpected(met, before, is_delete_or_update(statement)),
    };
    format!("{NOT_WELL_FORMED}{detail}")
}

/// What is wrong with a token behind another one, where a term should stand.
fn unexpected(met: &Token<'_>, before: Option<&Token<'_>>, is_write: bool) -> &'static str {
    let follows = |word: &str| before.is_some_and(|before| is_word(before, word));
    let is_end = matches!(met.kind, TokenKind::End | TokenKind::Sign(")"));
    let is_of = |words: &[&str]| words.iter().any(|word| is_word(met, word));
    let is_sign = |token: &Token<'_>| {
        matches!(token.kind, TokenKind::Sign("=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-"))
    };
    if (follows("FROM") && is_write) || follows("INTO") || follows("UPDATE") {
        "Expected identifier for simple path"
    } else if follows("IS") || (follows("NOT") && !is_end && before.is_some() && !is_of(&KEYWORDS)) {
        "Expected type name"
    } else if is_end && (follows("AND") || follows("OR") || before.is_some_and(is_sign)) {
        "Missing right-hand side expression of infix operator"
    } else if is_end {
        "Unexpected term"
    } else if is_of(&KEYWORDS) {
        "Unexpected keyword"
    } else if is_of(&OPERATORS) || is_sign(met) {
        "Unexpected operator"
    } else {
        "Unexpected token after expression"
    }
}

fn expects(reason: &Reason, wanted: &str) -> bool {
    matches!(reason, Reason::Expected { what, .. } if what.0.contains(&wanted))
}

fn is_word(token: &Token<'_>, word: &str) -> bool {
    token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(word)
}

fn first_word(statement: &str) -> &str {
    statement.split_whitespace().next().unwrap_or_default()
}

fn is_delete_or_update(statement: &str) -> bool {
    let first = first_word(statement);
    first.eq_ignore_ascii_case("DELETE") || first.eq_ignore_ascii_case("UPDATE")
}

/// The sentence with a place: line, column and length of what stands there.
fn placed(what: &str, statement: &str, at: usize) -> String {
    let (before, behind) = statement.split_at(at);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
    let is_of_word = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '$');
    let length = match behind.chars().next() {
        Some(quote @ ('"' | '\'')) => behind.chars().skip(1).position(|c| c == quote).map_or(1, |end| end + 2),
        _ => behind.chars().take_while(is_of_word).count().max(1),
    };
    format!("{what} at {line}:{column}:{length}")
}

/// The path of the value at this byte in the literal that it is a part of: `root.x[1]`. Of an INSERT, in its attribute.
fn literal_path(statement: &str, at: usize) -> String {
    let is_insert = first_word(statement).eq_ignore_ascii_case("INSERT");
    tokens(statement).map_or_else(|_| "root".to_owned(), |tokens| path_of(&tokens, at, is_insert))
}

fn path_of(tokens: &[Token<'_>], at: usize, is_insert: bool) -> String {
    /// A list or a map that is open, and where in it the next value stands.
    enum Open {
        List(usize),
        Map(String),
    }
    let mut open: Vec<Open> = Vec::new();
    for (place, token) in tokens.iter().enumerate().take_while(|(_, token)| token.start < at) {
        match token.kind {
            TokenKind::Sign("[" | "<<") => open.push(Open::List(0)),
            TokenKind::Sign("{") => open.push(Open::Map(String::new())),
            TokenKind::Sign("]" | ">>" | "}") => drop(open.pop()),
            TokenKind::Sign(",") => {
                if let Some(Open::List(element)) = open.last_mut() {
                    *element += 1;
                }
            }
            TokenKind::Sign(":") => {
                if let (Some(Open::Map(name)), Some(key)) = (open.last_mut(), place.checked_sub(1)) {
                    *name = tokens[key].unquoted();
                }
            }
            _ => {}
        }
    }
    let steps = open.iter().skip(usize::from(is_insert)).map(|open| match open {
        Open::List(element) => format!("[{element}]"),
        Open::Map(name) => format!(".{name}"),
    });
    std::iter::once("root".to_owned()).chain(steps).collect()
}
