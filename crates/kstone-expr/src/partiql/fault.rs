//! What is wrong with a statement's text, and where.
//!
//! Of several places where parsing could have gone on, the one furthest into the text is reported, with all that was
//! expected there.

use winnow::error::{ErrMode, ParserError};
use winnow::stream::{Location, Stream};

use super::dynamodb;
use crate::refusal::{Place, Refusal};
use crate::texts::in_statement::{InStatement, found};
use crate::texts::{Expected, Reason};

/// A place in a statement and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    at: usize,
    kind: FaultKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum FaultKind {
    /// One of these should stand here.
    Expected(Vec<&'static str>),
    /// What stands here cannot be.
    Wrong(Reason),
    /// The statement is well formed, and this cannot be done.
    Refused(Reason),
}

/// A fault that ends the parse, whatever else could be tried.
pub(super) fn cut(at: usize, reason: Reason) -> ErrMode<Fault> {
    ErrMode::Cut(Fault::new(at, reason))
}

/// What cannot be done though it is well formed, which ends the parse.
pub(super) fn refuse(at: usize, reason: Reason) -> ErrMode<Fault> {
    ErrMode::Cut(Fault::refused(at, reason))
}

/// That this should stand here; something else may do.
pub(super) fn expected(at: usize, what: &'static str) -> ErrMode<Fault> {
    ErrMode::Backtrack(Fault { at, kind: FaultKind::Expected(vec![what]) })
}

impl Fault {
    /// What is wrong at this byte.
    pub(super) fn new(at: usize, reason: Reason) -> Self {
        Self { at, kind: FaultKind::Wrong(reason) }
    }

    /// What cannot be done, said at this byte.
    pub(super) fn refused(at: usize, reason: Reason) -> Self {
        Self { at, kind: FaultKind::Refused(reason) }
    }

    /// The fault behind a parser's mode.
    pub(super) fn of_mode(mode: ErrMode<Self>) -> Self {
        match mode {
            ErrMode::Cut(fault) | ErrMode::Backtrack(fault) => fault,
            // Statements are given as a whole.
            ErrMode::Incomplete(_) => Self { at: 0, kind: FaultKind::Expected(Vec::new()) },
        }
    }

    /// The refusal for the caller, with the statement that it is about.
    #[cold]
    pub(super) fn into_refusal(self, statement: &str) -> Refusal {
        let at = (0..=self.at.min(statement.len())).rev().find(|&at| statement.is_char_boundary(at)).unwrap_or(0);
        let (len, found) = found(&statement[at..]);
        let (is_well_formed, reason) = match self.kind {
            FaultKind::Refused(reason) => (true, reason),
            FaultKind::Wrong(reason) => (false, reason),
            FaultKind::Expected(what) => (false, Reason::Expected { what: Expected(what.into()), found }),
        };
        let dynamodb = dynamodb::sentence(statement, at, &reason, is_well_formed).into();
        let statement = InStatement { text: statement.into(), is_well_formed, dynamodb };
        Refusal::in_statement(reason, Place { at, len }, statement)
    }
}

impl<I: Stream + Location> ParserError<I> for Fault {
    type Inner = Self;

    fn from_input(input: &I) -> Self {
        Self { at: input.current_token_start(), kind: FaultKind::Expected(Vec::new()) }
    }

    fn or(self, other: Self) -> Self {
        if self.at != other.at {
            return if self.at > other.at { self } else { other };
        }
        match (self.kind, other.kind) {
            (FaultKind::Expected(mut all), FaultKind::Expected(more)) => {
                all.extend(more);
                Self { at: self.at, kind: FaultKind::Expected(all) }
            }
            (kind @ (FaultKind::Wrong(_) | FaultKind::Refused(_)), _) | (_, kind) => Self { at: self.at, kind },
        }
    }

    fn into_inner(self) -> Result<Self, Self> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(fault: Fault, statement: &str) -> String {
        fault.into_refusal(statement).to_string()
    }

    #[test]
    fn the_caret_stands_under_the_character() {
        let statement = "SELECT *\nFROM ä, b";
        let text = shown(Fault::new(statement.find(',').unwrap(), Reason::Aliased), statement);
        assert_eq!(
            text,
            "Statement wasn't well formed, can't be processed: line 2, column 7: Aliasing is not supported\n  FROM ä, b\n        ^"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let statement = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let text = shown(Fault::new(500, Reason::Aliased), &statement);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], format!("  …{}!{}…", "a".repeat(36), "b".repeat(35)));
        assert_eq!(lines[2].find('^'), Some(2 + 1 + 36));
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        assert!(shown(Fault::new(99, Reason::Aliased), "ä").contains("line 1, column 2: Aliasing"));
        assert!(shown(Fault::new(1, Reason::Aliased), "ä").contains("line 1, column 1: Aliasing"));
    }
}
