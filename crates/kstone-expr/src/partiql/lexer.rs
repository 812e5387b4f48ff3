//! Taking a statement apart into tokens.
//!
//! ```text
//! word      := (letter | '_' | '$') (letter | digit | '_' | '$')*      keywords, functions and names
//! name      := '"' (any but '"' | '""')* '"'                           names as they stand
//! text      := ''' (any but ''' | ''' ''')* '''
//! number    := (digit+ ('.' digit+)? | '.' digit+) ('e' sign? digit+)?
//! parameter := '?'
//! sign      := << >> <> <= >= != < > = + - ( ) [ ] { } , . : * ;
//! ```
//! Blanks, `-- comments` to the end of the line and `/* comments */` separate. Letters are those of ASCII: other names
//! are put between quotes. On `winnow`. Thread safety: borrows only.

use winnow::ModalResult;
use winnow::ascii::digit1;
use winnow::combinator::{alt, cut_err, opt, preceded, repeat};
use winnow::prelude::*;
use winnow::stream::{LocatingSlice, Location};
use winnow::token::{literal, one_of, take_till, take_until, take_while};

use super::fault::{Fault, cut};
use crate::texts::Reason;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    Name,
    Text,
    Number,
    /// A `?`: which one, from 0.
    Parameter(usize),
    Sign(&'static str),
    End,
}

/// A token and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Token<'_> {
    /// What a name or a text says, its doubled quotes made one.
    pub(super) fn unquoted(&self) -> String {
        match self.kind {
            TokenKind::Name => self.text[1..self.text.len() - 1].replace("\"\"", "\""),
            TokenKind::Text => self.text[1..self.text.len() - 1].replace("''", "'"),
            _ => self.text.to_owned(),
        }
    }
}

impl Location for Token<'_> {
    fn previous_token_end(&self) -> usize {
        self.end
    }

    fn current_token_start(&self) -> usize {
        self.start
    }
}

type StatementText<'a> = LocatingSlice<&'a str>;

/// The signs, those that begin as another does before it.
const SIGNS: [&str; 21] =
    ["<<", ">>", "<>", "<=", ">=", "!=", "<", ">", "=", "+", "-", "(", ")", "[", "]", "{", "}", ",", ".", ":", "*"];

/// All tokens of a statement; the last is [`TokenKind::End`]. One semicolon may close the statement.
pub(super) fn tokens(statement: &str) -> Result<Vec<Token<'_>>, Fault> {
    let mut source = StatementText::new(statement);
    let mut tokens = Vec::new();
    let mut parameters = 0;
    let mut closed = None;
    loop {
        blanks.parse_next(&mut source).map_err(Fault::of_mode)?;
        let start = source.current_token_start();
        if let Some(closed) = closed.filter(|_| !source.is_empty()) {
            return Err(Fault::new(closed, Reason::SecondStatement));
        }
        if source.is_empty() {
            tokens.push(Token { kind: TokenKind::End, text: "", start, end: start });
            return Ok(tokens);
        }
        if literal::<_, _, winnow::error::ErrMode<Fault>>(";").parse_next(&mut source).is_ok() {
            closed = Some(start);
            continue;
        }
        let (mut kind, text) = token.with_taken().parse_next(&mut source).map_err(Fault::of_mode)?;
        if let TokenKind::Parameter(at) = &mut kind {
            *at = parameters;
            parameters += 1;
        }
        tokens.push(Token { kind, text, start, end: start + text.len() });
    }
}

/// What separates tokens.
fn blanks(source: &mut StatementText<'_>) -> ModalResult<(), Fault> {
    let line_comment = ("--", take_till(0.., '\n')).void();
    repeat(0.., alt((take_while(1.., (' ', '\t', '\r', '\n')).void(), line_comment, block_comment))).parse_next(source)
}

fn block_comment(source: &mut StatementText<'_>) -> ModalResult<(), Fault> {
    let start = source.current_token_start();
    literal("/*").parse_next(source)?;
    let ended: ModalResult<_, Fault> = (take_until(0.., "*/"), "*/").void().parse_next(source);
    ended.map_err(|_| cut(start, Reason::CommentOpen))
}

fn token(source: &mut StatementText<'_>) -> ModalResult<TokenKind, Fault> {
    let start = source.current_token_start();
    let first = source.chars().next().unwrap_or_default();
    match first {
        '\'' => quoted(source, '\'', "text").map(|()| TokenKind::Text),
        '"' => quoted(source, '"', "name").map(|()| TokenKind::Name),
        'a'..='z' | 'A'..='Z' | '_' | '$' => {
            take_while(1.., |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$')
                .value(TokenKind::Word)
                .parse_next(source)
        }
        '?' => literal("?").value(TokenKind::Parameter(0)).parse_next(source),
        _ => match opt(number).parse_next(source)? {
            Some(()) => Ok(TokenKind::Number),
            None => match SIGNS.iter().find(|sign| source.starts_with(**sign)) {
                Some(sign) => literal(*sign).value(TokenKind::Sign(sign)).parse_next(source),
                None => Err(cut(start, Reason::UnknownCharacter { found: first })),
            },
        },
    }
}

fn number(source: &mut StatementText<'_>) -> ModalResult<(), Fault> {
    let fraction = || (".", digit1);
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), digit1);
    (alt(((digit1, opt(fraction())).void(), fraction().void())), opt(exponent)).void().parse_next(source)
}

/// Something between two of these quotes, a doubled one standing for itself.
fn quoted(source: &mut StatementText<'_>, quote: char, what: &'static str) -> ModalResult<(), Fault> {
    let start = source.current_token_start();
    let part = || (take_till(0.., quote), quote);
    let result: ModalResult<(), Fault> =
        preceded(quote, (part(), repeat::<_, _, (), _, _>(0.., (quote, cut_err(part()))))).void().parse_next(source);
    result.map_err(|_| cut(start, Reason::QuoteOpen { what, quote }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(statement: &str) -> Vec<(TokenKind, &str)> {
        tokens(statement).unwrap().into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn tokens_of_every_kind() {
        assert_eq!(
            kinds("a.\"b \"\" c\"[10] >= 'it''s' -- to here ' \n AND/* and ; */?<>.5e-3;"),
            [
                (TokenKind::Word, "a"),
                (TokenKind::Sign("."), "."),
                (TokenKind::Name, "\"b \"\" c\""),
                (TokenKind::Sign("["), "["),
                (TokenKind::Number, "10"),
                (TokenKind::Sign("]"), "]"),
                (TokenKind::Sign(">="), ">="),
                (TokenKind::Text, "'it''s'"),
                (TokenKind::Word, "AND"),
                (TokenKind::Parameter(0), "?"),
                (TokenKind::Sign("<>"), "<>"),
                (TokenKind::Number, ".5e-3"),
                (TokenKind::End, ""),
            ]
        );
        assert_eq!(tokens("'it''s'").unwrap()[0].unquoted(), "it's");
        assert_eq!(tokens("\"a\"\"b\"").unwrap()[0].unquoted(), "a\"b");
    }

    #[test]
    fn numbers_end_where_a_path_goes_on() {
        assert_eq!(kinds("1.a")[..2], [(TokenKind::Number, "1"), (TokenKind::Sign("."), ".")]);
        assert_eq!(kinds("1e")[..2], [(TokenKind::Number, "1"), (TokenKind::Word, "e")]);
    }

    #[test]
    fn what_has_no_end_is_found_where_it_begins() {
        for (statement, at) in [("a 'b", 2), ("a \"b''", 2), ("a /* b", 2), ("a 'b''", 2), ("ä", 0), ("a; b", 1)] {
            let fault = tokens(statement).unwrap_err().into_refusal(statement).to_string();
            assert!(fault.contains(&format!("column {}:", at + 1)), "{statement}: {fault}");
        }
    }
}
