//! A sentence about a place in a statement: with line, column and the text around it, in kstone's dialect.
//!
//! ```text
//! Statement wasn't well formed, can't be processed: line 2, column 6: expected FROM, found "FORM"
//!   SELECT name FORM users
//!               ^
//! ```

use std::fmt::{self, Display as _, Formatter, Write as _};

use super::Reason;

/// What DynamoDB says before the details.
const NOT_WELL_FORMED: &str = "Statement wasn't well formed, can't be processed";
/// How many characters of a line an excerpt shows on either side of the place.
const EXCERPT_CHARS: usize = 36;
/// How much of what was found instead is quoted.
const FOUND_CHARS: usize = 24;

/// The statement that a refusal is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InStatement {
    pub(crate) text: Box<str>,
    /// Whether it is well-formed, and cannot be done.
    pub(crate) is_well_formed: bool,
    /// What DynamoDB says.
    pub(crate) dynamodb: Box<str>,
}

impl InStatement {
    /// Writes what is wrong at this byte.
    pub(crate) fn write(&self, f: &mut Formatter<'_>, reason: &Reason, at: usize) -> fmt::Result {
        if f.alternate() {
            return f.write_str(&self.dynamodb);
        }
        let (before, behind) = self.text.split_at(at);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = at + behind.find('\n').unwrap_or(behind.len());
        let (line, column) = (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1);
        if self.is_well_formed {
            reason.fmt(f)?;
            write!(f, ": line {line}, column {column}")?;
        } else {
            write!(f, "{NOT_WELL_FORMED}: line {line}, column {column}: ")?;
            reason.fmt(f)?;
        }
        f.write_str("\n  ")?;
        excerpt(f, &self.text[line_start..line_end], column - 1)
    }
}

/// The line around a place, and a caret below it.
fn excerpt(f: &mut Formatter<'_>, line: &str, column: usize) -> fmt::Result {
    let first = column.saturating_sub(EXCERPT_CHARS);
    let chars = line.chars().count();
    let last = (column + EXCERPT_CHARS).min(chars);
    let (cut_before, cut_behind) = (first > 0, last < chars);
    f.write_str(if cut_before { "…" } else { "" })?;
    for c in line.chars().skip(first).take(last - first) {
        f.write_char(if c.is_control() { ' ' } else { c })?;
    }
    f.write_str(if cut_behind { "…" } else { "" })?;
    let indent = column - first + usize::from(cut_before);
    write!(f, "\n  {:indent$}^", "")
}

/// What stands where something else was expected, up to the next blank: how many bytes, and as it is quoted.
pub(crate) fn found(text: &str) -> (usize, Box<str>) {
    if text.is_empty() {
        return (0, "the end".into());
    }
    let is_of_word = |c: &char| !c.is_whitespace() && !c.is_control();
    let len = text.chars().take_while(is_of_word).map(char::len_utf8).sum();
    let mut shown: String = match len {
        0 => text.chars().take(1).flat_map(char::escape_default).collect(),
        len => text[..len].to_owned(),
    };
    if let Some((end, _)) = shown.char_indices().nth(FOUND_CHARS) {
        shown.truncate(end);
        shown.push('…');
    }
    (len, format!("\"{shown}\"").into())
}
