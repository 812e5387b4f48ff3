//! What is wrong with a statement's text, and where.
//!
//! ```text
//! Statement wasn't well formed, can't be processed: line 2, column 6: expected FROM, found "FORM"
//!   SELECT name FORM users
//!               ^
//! ```
//! Of several places where parsing could have gone on, the one furthest into the text is reported, with all that was
//! expected there.

use std::fmt::Write as _;

use crate::error::Error;
use winnow::error::{ErrMode, ParserError};
use winnow::stream::{Location, Stream};

/// What DynamoDB says before the details.
const NOT_WELL_FORMED: &str = "Statement wasn't well formed, can't be processed";
/// How many characters of a line an excerpt shows on either side of the place.
const EXCERPT_CHARS: usize = 36;
/// How much of what was found instead is quoted.
const FOUND_CHARS: usize = 24;

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
    Wrong(String),
    /// The statement is well formed, and this cannot be done.
    Refused(String),
}

/// A fault that ends the parse, whatever else could be tried.
pub(super) fn cut(at: usize, text: impl Into<String>) -> ErrMode<Fault> {
    ErrMode::Cut(Fault::new(at, text))
}

/// What cannot be done though it is well formed, which ends the parse.
pub(super) fn refuse(at: usize, text: impl Into<String>) -> ErrMode<Fault> {
    ErrMode::Cut(Fault::refused(at, text))
}

/// That this should stand here; something else may do.
pub(super) fn expected(at: usize, what: &'static str) -> ErrMode<Fault> {
    ErrMode::Backtrack(Fault { at, kind: FaultKind::Expected(vec![what]) })
}

impl Fault {
    /// What is wrong at this byte.
    pub(super) fn new(at: usize, text: impl Into<String>) -> Self {
        Self { at, kind: FaultKind::Wrong(text.into()) }
    }

    /// What cannot be done, said at this byte.
    pub(super) fn refused(at: usize, text: impl Into<String>) -> Self {
        Self { at, kind: FaultKind::Refused(text.into()) }
    }

    /// The fault behind a parser's mode.
    pub(super) fn of_mode(mode: ErrMode<Self>) -> Self {
        match mode {
            ErrMode::Cut(fault) | ErrMode::Backtrack(fault) => fault,
            // Statements are given as a whole.
            ErrMode::Incomplete(_) => Self::new(0, "the statement is incomplete"),
        }
    }

    /// The error for the caller, with line, column and an excerpt of the statement.
    pub(super) fn into_error(self, statement: &str) -> Error {
        let at = (0..=self.at.min(statement.len())).rev().find(|&at| statement.is_char_boundary(at)).unwrap_or(0);
        let (before, behind) = statement.split_at(at);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = at + behind.find('\n').unwrap_or(behind.len());
        let line = before.matches('\n').count() + 1;
        let column = before[line_start..].chars().count() + 1;
        let place = format!("line {line}, column {column}");
        let mut message = match self.kind {
            FaultKind::Refused(text) => format!("{text}: {place}"),
            FaultKind::Wrong(text) => format!("{NOT_WELL_FORMED}: {place}: {text}"),
            FaultKind::Expected(what) => {
                format!("{NOT_WELL_FORMED}: {place}: expected {}, found {}", one_of(&what), found(behind))
            }
        };
        message.push_str("\n  ");
        excerpt(&mut message, &statement[line_start..line_end], column - 1);
        Error::Invalid(message)
    }
}

/// The line around a place, and a caret below it.
fn excerpt(message: &mut String, line: &str, column: usize) {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let first = column.saturating_sub(EXCERPT_CHARS);
    let chars = line.chars().count();
    let last = (column + EXCERPT_CHARS).min(chars);
    let (cut_before, cut_behind) = (first > 0, last < chars);
    message.push_str(if cut_before { "…" } else { "" });
    message.extend(line.chars().skip(first).take(last - first).map(shown));
    message.push_str(if cut_behind { "…" } else { "" });
    let indent = column - first + usize::from(cut_before);
    write!(message, "\n  {:indent$}^", "").expect("writing to a String cannot fail");
}

fn one_of(what: &[&str]) -> String {
    match what {
        [] => "something else".to_owned(),
        [only] => named(only),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|what| named(what)).collect();
            format!("{} or {}", first.join(", "), named(last))
        }
    }
}

/// A sign between quotes, anything else as it is.
fn named(what: &str) -> String {
    let is_sign = what.chars().all(|c| c.is_ascii_punctuation());
    if is_sign { format!("\"{what}\"") } else { what.to_owned() }
}

/// What stands where something else was expected, up to the next blank.
fn found(text: &str) -> String {
    let mut shown: String = text.chars().take_while(|c| !c.is_whitespace() && !c.is_control()).collect();
    if text.is_empty() {
        return "the end".to_owned();
    }
    if shown.is_empty() {
        shown.extend(text.chars().next().map(|c| c.escape_default().to_string()));
    }
    if let Some((end, _)) = shown.char_indices().nth(FOUND_CHARS) {
        shown.truncate(end);
        shown.push('…');
    }
    format!("\"{shown}\"")
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
        fault.into_error(statement).to_string()
    }

    #[test]
    fn the_caret_stands_under_the_character() {
        let statement = "SELECT *\nFROM ä, b";
        let text = shown(Fault::new(statement.find(',').unwrap(), "no list"), statement);
        assert_eq!(
            text,
            "Statement wasn't well formed, can't be processed: line 2, column 7: no list\n  FROM ä, b\n        ^"
        );
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let statement = format!("{}!{}", "a".repeat(500), "b".repeat(500));
        let text = shown(Fault::new(500, "no"), &statement);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], format!("  …{}!{}…", "a".repeat(36), "b".repeat(35)));
        assert_eq!(lines[2].find('^'), Some(2 + 1 + 36));
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        assert!(shown(Fault::new(99, "no"), "ä").contains("line 1, column 2: no"));
        assert!(shown(Fault::new(1, "no"), "ä").contains("line 1, column 1: no"));
    }
}
