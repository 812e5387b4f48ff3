//! What the grammars share: limits, paths, operators counted, and what is wrong with an expression that is well-formed.
//!
//! Written by hand, not with a parser library (winnow 1.0, pest 2.9, chumsky 1.0-alpha, lalrpop 0.23 were looked at):
//! the errors must name DynamoDB's token and the text near it, the parsers must not recurse, for text may nest as
//! deep as it is long, and some mistakes are reported only if no graver one follows. With winnow, pest and chumsky nesting
//! is recursion; lalrpop's tables do not recurse, but a parenthesis that may open a condition or an operand is a conflict
//! in its grammar, and its generated code and build time outweigh these few hundred lines.
//!
//! Thread safety: one parse, one parser.

use crate::refusal::{Refusal, Result};
use crate::texts::Reason;

use super::ast::{Segment, Symbols};
use super::lexer::{Cursor, Keyword, Token};
use super::reserved::is_reserved;
use super::{EXPRESSION_MAX_BYTES, Kind, OPERATORS_MAX, PATH_MAX_LEVELS};

/// The largest index of a list's element, DynamoDB's.
pub(super) const INDEX_MAX: u32 = u32::MAX - 1;

/// What is wrong with an expression that is well-formed. Of several faults the first in this order is reported, of one
/// sort the first in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    RedundantParentheses,
    UnknownFunction,
    MisusedFunction,
    RepeatedSection,
    ReservedWord,
}

/// A parse under way.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    pub(super) cursor: Cursor<'a>,
    pub(super) symbols: Symbols,
    operators: usize,
    fault: Option<(Fault, Refusal)>,
    /// In an update a reserved word is reported before all else.
    reserved_first: bool,
}

impl<'a> Parser<'a> {
    /// A parser at the first token.
    ///
    /// # Errors
    /// [`Refusal`] where the text is empty or longer than [`EXPRESSION_MAX_BYTES`].
    pub(super) fn new(kind: Kind, text: &'a str, keywords: &'static [(&'static str, Keyword)]) -> Result<Self> {
        if text.len() > EXPRESSION_MAX_BYTES {
            return Err(kind.refuse(Reason::ExpressionTooLong { size: text.len() }));
        }
        let cursor = Cursor::new(kind, text, keywords);
        if text.is_empty() {
            return Err(kind.refuse(Reason::ExpressionEmpty));
        }
        if cursor.token() == Token::End {
            return Err(kind.refuse(Reason::SyntaxError { token: "<EOF>".into(), near: text.into() }));
        }
        let reserved_first = kind == Kind::Update;
        Ok(Self { cursor, symbols: Symbols::default(), operators: 0, fault: None, reserved_first })
    }

    /// Ends the parse: the symbols, unless a fault was found.
    pub(super) fn finish(self) -> Result<Symbols> {
        match self.fault {
            None => Ok(self.symbols),
            Some((_, refusal)) => Err(refusal),
        }
    }

    /// Remembers a fault at this token, to be reported where no graver one is found.
    pub(super) fn fault(&mut self, fault: Fault, reason: Reason) {
        self.remember(fault, self.cursor.refuse(reason));
    }

    /// The same of a part of the text.
    pub(super) fn fault_of(&mut self, fault: Fault, reason: Reason, part: &'a str) {
        self.remember(fault, self.cursor.refuse_part(reason, part));
    }

    fn remember(&mut self, fault: Fault, refusal: Refusal) {
        let rank = |fault| (!(self.reserved_first && fault == Fault::ReservedWord), fault);
        if self.fault.as_ref().is_none_or(|&(other, _)| rank(fault) < rank(other)) {
            self.fault = Some((fault, refusal));
        }
    }

    pub(super) fn redundant_parentheses(&mut self) {
        self.fault(Fault::RedundantParentheses, Reason::RedundantParentheses);
    }

    /// Counts an operator or a function against [`OPERATORS_MAX`].
    pub(super) fn count_operator(&mut self) -> Result<()> {
        self.operators += 1;
        if self.operators > OPERATORS_MAX {
            return Err(self.cursor.refuse(Reason::TooManyOperators { count: self.operators }));
        }
        Ok(())
    }

    /// A path that begins at this token. Returns its index.
    pub(super) fn path(&mut self) -> Result<u16> {
        match self.cursor.token() {
            Token::Word => {
                let name = self.cursor.text();
                self.cursor.advance();
                self.path_behind(name)
            }
            Token::Alias => {
                let first = self.alias();
                self.path_from(first)
            }
            _ => Err(self.cursor.syntax_error()),
        }
    }

    /// A path whose first name has been taken.
    pub(super) fn path_behind(&mut self, name: &'a str) -> Result<u16> {
        let first = self.name(name);
        self.path_from(first)
    }

    fn path_from(&mut self, first: Segment) -> Result<u16> {
        let mut segments = vec![first];
        loop {
            match self.cursor.token() {
                Token::Dot => {
                    self.cursor.advance();
                    segments.push(self.segment()?);
                }
                Token::OpenBracket => {
                    self.cursor.advance();
                    segments.push(self.list_index()?);
                }
                _ => break,
            }
        }
        if segments.len() > PATH_MAX_LEVELS {
            return Err(self.cursor.refuse(Reason::PathTooLong { levels: segments.len() }));
        }
        Ok(self.symbols.add_path(segments))
    }

    /// The name behind a dot.
    fn segment(&mut self) -> Result<Segment> {
        match self.cursor.token() {
            Token::Word => {
                let name = self.cursor.text();
                self.cursor.advance();
                Ok(self.name(name))
            }
            Token::Alias => Ok(self.alias()),
            _ => Err(self.cursor.syntax_error()),
        }
    }

    fn name(&mut self, name: &'a str) -> Segment {
        if is_reserved(name) {
            self.fault_of(Fault::ReservedWord, Reason::ReservedWord { word: name.into() }, name);
        }
        Segment::Name(name.into())
    }

    fn alias(&mut self) -> Segment {
        let alias = self.symbols.add_alias(self.cursor.text());
        self.cursor.advance();
        Segment::Alias(alias)
    }

    /// The number in brackets and the closing one.
    fn list_index(&mut self) -> Result<Segment> {
        if self.cursor.token() != Token::Number {
            return Err(self.cursor.syntax_error());
        }
        let digits = self.cursor.text();
        let Some(index) = digits.parse().ok().filter(|&index| index <= INDEX_MAX) else {
            return Err(self.cursor.refuse(Reason::IndexOutOfRange { index: digits.into() }));
        };
        self.cursor.advance();
        self.cursor.expect(Token::CloseBracket)?;
        Ok(Segment::Index(index))
    }
}

impl Kind {
    /// A refusal that names the expression, but for the one of a statement, as in DynamoDB.
    #[cold]
    pub(super) fn refuse(self, reason: Reason) -> Refusal {
        Refusal::of(reason, self, None)
    }
}
