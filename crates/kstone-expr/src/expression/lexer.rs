//! Taking an expression's text apart into tokens, one at a time, with the text around the token for errors.
//!
//! ```text
//! word   := letter (letter | digit | '_')*          names, functions, keywords
//! alias  := '#' (letter | digit | '_')+             value := ':' (letter | digit | '_')+
//! number := digit+                                  signs := ( ) [ ] . , = <> < <= > >= + -
//! ```
//! Letters and digits are ASCII; blanks, tabs and line ends separate. Any other character is a token that no grammar
//! takes. Nothing is allocated. Thread safety: borrows only.

use crate::refusal::{Place, Refusal, Result};
use crate::texts::Reason;

use super::Kind;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Word,
    Keyword(Keyword),
    Alias,
    Value,
    Number,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Dot,
    Comma,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    /// A character that begins no token.
    Unknown,
    End,
}

/// The words that a grammar takes for itself, however they are capitalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    And,
    Or,
    Not,
    Between,
    In,
    Set,
    Remove,
    Add,
    Delete,
}

/// The keywords of conditions.
pub(super) const CONDITION_KEYWORDS: &[(&str, Keyword)] = &[
    ("AND", Keyword::And),
    ("OR", Keyword::Or),
    ("NOT", Keyword::Not),
    ("BETWEEN", Keyword::Between),
    ("IN", Keyword::In),
];

/// The keywords of updates.
pub(super) const UPDATE_KEYWORDS: &[(&str, Keyword)] =
    &[("SET", Keyword::Set), ("REMOVE", Keyword::Remove), ("ADD", Keyword::Add), ("DELETE", Keyword::Delete)];

/// A token and where it lies.
#[derive(Debug, Clone, Copy)]
struct Lexeme {
    token: Token,
    start: usize,
    end: usize,
}

/// A place in an expression: the token there and the one before.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    kind: Kind,
    text: &'a str,
    keywords: &'static [(&'static str, Keyword)],
    previous: Option<Lexeme>,
    current: Lexeme,
}

impl<'a> Cursor<'a> {
    /// The first token of `text`.
    pub(super) fn new(kind: Kind, text: &'a str, keywords: &'static [(&'static str, Keyword)]) -> Self {
        Self { kind, text, keywords, previous: None, current: lex(text, 0, keywords) }
    }

    pub(super) fn token(&self) -> Token {
        self.current.token
    }

    /// The text of the token; empty at the end.
    pub(super) fn text(&self) -> &'a str {
        &self.text[self.current.start..self.current.end]
    }

    pub(super) fn advance(&mut self) {
        self.previous = Some(self.current);
        self.current = lex(self.text, self.current.end, self.keywords);
    }

    /// Takes the token if it is this one.
    pub(super) fn take(&mut self, token: Token) -> bool {
        let found = self.token() == token;
        if found {
            self.advance();
        }
        found
    }

    /// Takes the token, which must be this one.
    pub(super) fn expect(&mut self, token: Token) -> Result<()> {
        if self.take(token) { Ok(()) } else { Err(self.syntax_error()) }
    }

    /// That this token cannot stand here, in DynamoDB's form: the token, and the text from the one before to the one
    /// behind.
    #[cold]
    pub(super) fn syntax_error(&self) -> Refusal {
        let Lexeme { token, end, .. } = self.current;
        let shown = if token == Token::End { "<EOF>" } else { self.text() };
        let next = if token == Token::End { self.current } else { lex(self.text, end, self.keywords) };
        let near_start = self.previous.map_or(self.current.start, |previous| previous.start);
        let near_end = if next.token == Token::End { end } else { next.end };
        let near = self.text[near_start..near_end].trim_end();
        self.refuse(Reason::SyntaxError { token: shown.into(), near: near.into() })
    }

    /// A refusal that says which expression is meant, at a part of its text.
    #[cold]
    pub(super) fn refuse_part(&self, reason: Reason, part: &'a str) -> Refusal {
        let at = (part.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        Refusal::of(reason, self.kind, Some(Place { at, len: part.len() }))
    }

    /// The same at this token.
    #[cold]
    pub(super) fn refuse(&self, reason: Reason) -> Refusal {
        let Lexeme { start, end, .. } = self.current;
        Refusal::of(reason, self.kind, Some(Place { at: start, len: end - start }))
    }
}

/// The token at `from` or behind the blanks there.
fn lex(text: &str, from: usize, keywords: &[(&str, Keyword)]) -> Lexeme {
    let bytes = text.as_bytes();
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = from + bytes[from..].iter().take_while(|byte| is_blank(byte)).count();
    let Some(&first) = bytes.get(start) else { return Lexeme { token: Token::End, start, end: start } };
    let run = |from: usize| {
        let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
        from + bytes[from..].iter().take_while(is_word).count()
    };
    let (token, end) = match first {
        b'a'..=b'z' | b'A'..=b'Z' => {
            let end = run(start);
            (word(&text[start..end], keywords), end)
        }
        b'#' | b':' => match run(start + 1) {
            end if end == start + 1 => (Token::Unknown, end),
            end if first == b'#' => (Token::Alias, end),
            end => (Token::Value, end),
        },
        b'0'..=b'9' => (Token::Number, start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count()),
        b'<' | b'>' => match (first, bytes.get(start + 1)) {
            (b'<', Some(b'>')) => (Token::NotEqual, start + 2),
            (b'<', Some(b'=')) => (Token::LessOrEqual, start + 2),
            (b'>', Some(b'=')) => (Token::GreaterOrEqual, start + 2),
            (b'<', _) => (Token::Less, start + 1),
            _ => (Token::Greater, start + 1),
        },
        _ => match sign(first) {
            Some(token) => (token, start + 1),
            None => (Token::Unknown, start + text[start..].chars().next().map_or(1, char::len_utf8)),
        },
    };
    Lexeme { token, start, end }
}

fn word(text: &str, keywords: &[(&str, Keyword)]) -> Token {
    let keyword = keywords.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    keyword.map_or(Token::Word, |&(_, keyword)| Token::Keyword(keyword))
}

fn sign(byte: u8) -> Option<Token> {
    Some(match byte {
        b'(' => Token::Open,
        b')' => Token::Close,
        b'[' => Token::OpenBracket,
        b']' => Token::CloseBracket,
        b'.' => Token::Dot,
        b',' => Token::Comma,
        b'=' => Token::Equal,
        b'+' => Token::Plus,
        b'-' => Token::Minus,
        _ => return None,
    })
}
