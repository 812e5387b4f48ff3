//! Statements.
//!
//! ```text
//! statement := EXPLAIN? select | EXISTS '(' select ')' | insert | update | from | delete
//! select    := SELECT ('*' | column (',' column)*) FROM source (WHERE condition)? (GROUP BY path (',' path)*)?
//!              (ORDER BY path (ASC | DESC)? (',' …)*)? (LIMIT count)? (OFFSET count)?
//! column    := (path | aggregate '(' path ')' | COUNT '(' '*' ')') (AS name)?
//! source    := name ('.' name)?
//! insert    := INSERT INTO source VALUE value
//! update    := UPDATE source (SET set (',' set)* | REMOVE path (',' path)*)+ WHERE condition returning?
//! from      := FROM source (WHERE condition)? (SET set (',' set)* | REMOVE path (',' path)*)+ returning?
//! set       := path '=' expr
//! delete    := DELETE FROM source WHERE condition returning?
//! returning := RETURNING (ALL | MODIFIED) (OLD | NEW) '*'
//! ```
//! Conditions are in [`super::condition_grammar`], values, paths and what SET takes in [`super::value_grammar`]. On
//! `winnow`, which of the parser libraries that were looked at (winnow 1.0, chumsky 0.12, lalrpop 0.23) has no
//! dependency, no generated code and the shortest build. Its parsers recurse, so what nests is bounded at
//! [`super::NESTING_MAX_LEVELS`]; lists and chains of AND and OR take no stack.
//!
//! Thread safety: one parse, one parser.

use winnow::ModalResult;
use winnow::combinator::{alt, cut_err, opt, preceded, separated};
use winnow::error::ErrMode;
use winnow::prelude::*;
use winnow::stream::{Location, Stream, TokenSlice};

use super::ast::{
    Aggregate, Ast, AstAction, AstCell, AstColumn, AstDelete, AstSelect, AstUpdate, AstVerb, Literal, Name, Path,
    ReadTarget, Returning,
};
use super::condition_grammar::condition;
use super::fault::{Fault, cut, expected, refuse};
use super::lexer::{Token, TokenKind, tokens};
use super::value_grammar::{expr, literal, path};
use crate::texts::Reason;

pub(super) type Tokens<'a> = TokenSlice<'a, Token<'a>>;

/// The words that the grammar keeps for itself: as names they stand between double quotes.
const RESERVED: [&str; 26] = [
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "DELETE",
    "EXISTS",
    "FALSE",
    "FROM",
    "GROUP",
    "IN",
    "INSERT",
    "INTO",
    "IS",
    "LIKE",
    "LIMIT",
    "MISSING",
    "NOT",
    "NULL",
    "OFFSET",
    "OR",
    "ORDER",
    "RETURNING",
    "SELECT",
    "TRUE",
    "UPDATE",
    "WHERE",
];

/// Reads a statement, and how many parameters it has.
pub(super) fn parse(statement: &str) -> Result<(Ast, usize), Fault> {
    let tokens = tokens(statement)?;
    let parameters = tokens.iter().filter(|token| matches!(token.kind, TokenKind::Parameter(_))).count();
    let mut input = Tokens::new(&tokens);
    let ast = whole.parse_next(&mut input).map_err(Fault::of_mode)?;
    Ok((ast, parameters))
}

fn whole(input: &mut Tokens<'_>) -> ModalResult<Ast, Fault> {
    let explain = opt(keyword("EXPLAIN")).parse_next(input)?.is_some();
    let at = input.current_token_start();
    let verb = match peek_word(input).as_deref() {
        Some("SELECT") => select(input).map(AstVerb::Select),
        _ if explain => Err(expected(at, "SELECT")),
        Some("EXISTS") => {
            (keyword("EXISTS"), sign("("), select, sign(")")).map(|(.., s, _)| AstVerb::Exists(s)).parse_next(input)
        }
        Some("INSERT") => insert(input),
        Some("UPDATE") => update(input).map(AstVerb::Update),
        Some("FROM") => update_from(input).map(AstVerb::Update),
        Some("DELETE") => delete(input).map(AstVerb::Delete),
        _ => Err(cut(at, Reason::NoStatement)),
    }?;
    end.parse_next(input)?;
    Ok(Ast { explain, verb })
}

fn select(input: &mut Tokens<'_>) -> ModalResult<AstSelect, Fault> {
    keyword("SELECT").parse_next(input)?;
    let list = alt((sign("*").map(|_| Vec::new()), separated(1.., column, sign(",")))).parse_next(input)?;
    let source = preceded(cut_err(keyword("FROM")), cut_err(unaliased)).parse_next(input)?;
    let condition = opt(preceded(keyword("WHERE"), cut_err(condition))).parse_next(input)?;
    let paths = separated(1.., path, sign(","));
    let group_by = opt(preceded((keyword("GROUP"), cut_err(keyword("BY"))), cut_err(paths))).parse_next(input)?;
    let keys = separated(1.., order_key, sign(","));
    let order_by = opt(preceded((keyword("ORDER"), cut_err(keyword("BY"))), cut_err(keys))).parse_next(input)?;
    let limit = opt(preceded(keyword("LIMIT"), cut_err(count))).parse_next(input)?;
    let offset = opt(preceded(keyword("OFFSET"), cut_err(count))).parse_next(input)?;
    let (group_by, order_by) = (group_by.unwrap_or_default(), order_by.unwrap_or_default());
    Ok(AstSelect { list, source, condition, group_by, order_by, limit, offset })
}

fn column(input: &mut Tokens<'_>) -> ModalResult<AstColumn, Fault> {
    let at = input.current_token_start();
    let aggregate = input.peek_token().filter(|token| token.kind == TokenKind::Word).and_then(|token| {
        Aggregate::ALL.into_iter().find(|aggregate| aggregate.name().eq_ignore_ascii_case(token.text))
    });
    let is_call = input.get(1).is_some_and(|token| token.kind == TokenKind::Sign("("));
    let what = match aggregate.filter(|_| is_call) {
        None if is_call => return Err(cut(at, Reason::NoColumn)),
        None => path.map(AstCell::Path).parse_next(input)?,
        Some(aggregate) => {
            input.next_token();
            sign("(").parse_next(input)?;
            let star = if aggregate == Aggregate::Count { opt(sign("*")).parse_next(input)? } else { None };
            let of = if star.is_some() { None } else { Some(cut_err(path).parse_next(input)?) };
            cut_err(sign(")")).parse_next(input)?;
            AstCell::Aggregate(aggregate, of)
        }
    };
    let alias = opt(preceded(keyword("AS"), cut_err(name))).parse_next(input)?;
    Ok(AstColumn { what, alias, at })
}

/// What a SELECT reads, or a write writes to.
fn source(input: &mut Tokens<'_>) -> ModalResult<ReadTarget, Fault> {
    let (table, index) = (name, opt(preceded(sign("."), cut_err(name)))).parse_next(input)?;
    let at = input.current_token_start();
    if index.is_some() && opt(sign(".")).parse_next(input)?.is_some() {
        return Err(refuse(at, Reason::TooManyComponents));
    }
    Ok(ReadTarget { table, index })
}

/// A source that no other name follows.
fn unaliased(input: &mut Tokens<'_>) -> ModalResult<ReadTarget, Fault> {
    const NEXT: [&str; 8] = ["WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET", "SET", "REMOVE", "RETURNING"];
    let is_next = |word: &str| NEXT.iter().any(|next| next.eq_ignore_ascii_case(word));
    let source = source(input)?;
    let at = input.current_token_start();
    let is_alias = input.peek_token().is_some_and(|token| match token.kind {
        TokenKind::Name => true,
        TokenKind::Word => !is_reserved(token.text) && !is_next(token.text),
        _ => false,
    });
    let goes_on = input.get(1).is_some_and(|token| token.kind == TokenKind::End || is_next(token.text));
    if is_alias && goes_on || peek_word(input).as_deref() == Some("AS") {
        return Err(refuse(at, Reason::Aliased));
    }
    Ok(source)
}

fn order_key(input: &mut Tokens<'_>) -> ModalResult<(Path, bool), Fault> {
    let direction = opt(alt((keyword("ASC").value(false), keyword("DESC").value(true))));
    (path, direction.map(Option::unwrap_or_default)).parse_next(input)
}

/// A number or a parameter.
fn count(input: &mut Tokens<'_>) -> ModalResult<Literal, Fault> {
    match input.peek_token().map(|token| token.kind) {
        Some(TokenKind::Number | TokenKind::Parameter(_)) => literal(input),
        _ => Err(expected(input.current_token_start(), "a number or ?")),
    }
}

fn insert(input: &mut Tokens<'_>) -> ModalResult<AstVerb, Fault> {
    (keyword("INSERT"), keyword("INTO"), source, keyword("VALUE"), literal)
        .map(|(_, _, source, _, item)| AstVerb::Insert(source, item))
        .parse_next(input)
}

fn update(input: &mut Tokens<'_>) -> ModalResult<AstUpdate, Fault> {
    let source = preceded(keyword("UPDATE"), unaliased).parse_next(input)?;
    let actions = actions(input)?;
    let (condition, returning, end) = condition_and_returning(input)?;
    Ok(AstUpdate { source, actions, condition, returning, end })
}

/// An UPDATE that begins with its table and its condition.
fn update_from(input: &mut Tokens<'_>) -> ModalResult<AstUpdate, Fault> {
    let source = preceded(keyword("FROM"), unaliased).parse_next(input)?;
    let end = input.current_token_start();
    let condition = opt(preceded(keyword("WHERE"), cut_err(condition))).parse_next(input)?;
    let actions = actions(input)?;
    let returning = opt(returning).parse_next(input)?;
    Ok(AstUpdate { source, actions, condition, returning, end })
}

/// What an UPDATE does to its item.
fn actions(input: &mut Tokens<'_>) -> ModalResult<Vec<(Path, AstAction)>, Fault> {
    let mut actions = Vec::new();
    loop {
        let set = (path, sign("="), expr).map(|(path, _, new)| (path, AstAction::Set(new)));
        let sets = preceded(keyword("SET"), cut_err(separated(1.., set, sign(","))));
        let remove = path.map(|path| (path, AstAction::Remove));
        let removes = preceded(keyword("REMOVE"), cut_err(separated(1.., remove, sign(","))));
        match alt((sets, removes)).parse_next(input) {
            Ok::<Vec<_>, _>(more) => actions.extend(more),
            Err(ErrMode::Backtrack(_)) if !actions.is_empty() => return Ok(actions),
            Err(error) => return Err(error),
        }
    }
}

fn delete(input: &mut Tokens<'_>) -> ModalResult<AstDelete, Fault> {
    let source = preceded((keyword("DELETE"), keyword("FROM")), unaliased).parse_next(input)?;
    let (condition, returning, end) = condition_and_returning(input)?;
    Ok(AstDelete { source, condition, returning, end })
}

type Rest = (Option<super::ast::Clause>, Option<Returning>, usize);

fn condition_and_returning(input: &mut Tokens<'_>) -> ModalResult<Rest, Fault> {
    let at = input.current_token_start();
    let condition = opt(preceded(keyword("WHERE"), cut_err(condition))).parse_next(input)?;
    let returning = opt(returning).parse_next(input)?;
    Ok((condition, returning, at))
}

fn returning(input: &mut Tokens<'_>) -> ModalResult<Returning, Fault> {
    let at = keyword("RETURNING").parse_next(input)?;
    let modified = cut_err(alt((keyword("ALL").value(false), keyword("MODIFIED").value(true)))).parse_next(input)?;
    let new = cut_err(alt((keyword("OLD").value(false), keyword("NEW").value(true)))).parse_next(input)?;
    cut_err(sign("*")).parse_next(input)?;
    Ok(Returning { modified, new, at })
}

/// A name: a word that is not reserved, or whatever stands between double quotes.
pub(super) fn name(input: &mut Tokens<'_>) -> ModalResult<Name, Fault> {
    let at = input.current_token_start();
    match input.peek_token() {
        Some(token) if token.kind == TokenKind::Word && is_reserved(token.text) => {
            Err(ErrMode::Backtrack(Fault::new(at, Reason::Keyword { word: token.text.into() })))
        }
        Some(token) if token.kind == TokenKind::Name && token.text.len() == 2 => Err(cut(at, Reason::QuotedNameEmpty)),
        Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::Name) => {
            input.next_token();
            Ok(Name { text: token.unquoted(), at })
        }
        _ => Err(expected(at, "a name")),
    }
}

pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// The word at this token, capitalised.
pub(super) fn peek_word(input: &Tokens<'_>) -> Option<String> {
    input.peek_token().filter(|token| token.kind == TokenKind::Word).map(|token| token.text.to_ascii_uppercase())
}

/// A keyword, however it is capitalised; where it stands.
pub(super) fn keyword<'a>(word: &'static str) -> impl Parser<Tokens<'a>, usize, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| match input.peek_token() {
        Some(token) if token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(word) => {
            input.next_token();
            Ok(token.start)
        }
        _ => Err(expected(input.current_token_start(), word)),
    }
}

/// A sign; where it stands.
pub(super) fn sign<'a>(sign: &'static str) -> impl Parser<Tokens<'a>, usize, ErrMode<Fault>> {
    move |input: &mut Tokens<'a>| match input.peek_token() {
        Some(token) if token.kind == TokenKind::Sign(sign) => {
            input.next_token();
            Ok(token.start)
        }
        _ => Err(expected(input.current_token_start(), sign)),
    }
}

fn end(input: &mut Tokens<'_>) -> ModalResult<(), Fault> {
    match input.peek_token().map(|token| token.kind) {
        Some(TokenKind::End) | None => Ok(()),
        _ => Err(expected(input.current_token_start(), "the end of the statement")),
    }
}
