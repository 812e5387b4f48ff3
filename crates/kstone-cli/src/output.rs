//! Everything that leads to the terminal: what it is, how text looks on it, and paging.

use std::fmt;

pub(crate) mod indent;
pub(crate) mod pager;
pub(crate) mod style;
pub(crate) mod terminal;
pub(crate) mod text;

/// Writes `kstone: …` to standard error.
pub(crate) fn tell(what: impl fmt::Display) {
    eprintln!("kstone: {what}");
}
