//! Taking a path such as `a.b[0].c` apart.
//!
//! ```text
//! path  := name ( '.' name | '[' digit+ ']' )*
//! name  := one or more bytes other than '.', '[' and ']'
//! ```
//! An index too large for any list is well-formed and leads nowhere. Thread safety: borrows only.

use crate::error::{Error, Reason, Result};
use crate::number::quoted;

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment<'a> {
    /// Into a map.
    Name(&'a str),
    /// Into a list, from 0.
    Index(usize),
}

/// The steps of a path: [`Segments::first`] once, then [`Segments::next`] until it is `None`.
pub(super) struct Segments<'a> {
    path: &'a str,
    at: usize,
}

impl<'a> Segments<'a> {
    pub(super) fn new(path: &'a str) -> Self {
        Self { path, at: 0 }
    }

    /// The name that every path begins with.
    pub(super) fn first(&mut self) -> Result<&'a str> {
        self.name()
    }

    pub(super) fn next(&mut self) -> Result<Option<Segment<'a>>> {
        let Some(&byte) = self.path.as_bytes().get(self.at) else { return Ok(None) };
        match byte {
            b'.' => {
                self.at += 1;
                Ok(Some(Segment::Name(self.name()?)))
            }
            b'[' => {
                self.at += 1;
                Ok(Some(Segment::Index(self.index()?)))
            }
            _ => Err(self.expected("'.' or '['")),
        }
    }

    fn name(&mut self) -> Result<&'a str> {
        let rest = &self.path[self.at..];
        let end = rest.bytes().position(|byte| matches!(byte, b'.' | b'[' | b']'));
        let name = &rest[..end.unwrap_or(rest.len())];
        if name.is_empty() {
            return Err(self.expected("an attribute name"));
        }
        self.at += name.len();
        Ok(name)
    }

    /// The digits and the closing bracket.
    fn index(&mut self) -> Result<usize> {
        let rest = &self.path[self.at..];
        let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
        if digits.is_empty() {
            return Err(self.expected("an index"));
        }
        self.at += digits.len();
        if self.path.as_bytes().get(self.at) != Some(&b']') {
            return Err(self.expected("']'"));
        }
        self.at += 1;
        // Digits that do not fit an index are beyond the end of every list.
        Ok(digits.parse().unwrap_or(usize::MAX))
    }

    fn expected(&self, expected: &'static str) -> Error {
        Reason::PathSyntax { path: quoted(self.path).into(), expected, at: self.at }.into()
    }
}
