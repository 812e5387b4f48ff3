//! The one writer through which text reaches standard output, standard error and the files of `.output`.
//!
//! ```text
//! text, a name, an error ──► Screen ──► a terminal or its pager    what a terminal would act upon is escaped
//!                                  └──► a pipe or a file           every byte as it is
//! ```
//! Invariant: no other part of the command writes to standard output or standard error (`tests/layers.rs`), so that no
//! data, name or error text moves the cursor, sets the clipboard or reorders a line. Colours are asked for by
//! [`Screen::styled`], never written as text.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use anstyle::Style;

use super::pager::Pager;
use super::style::paint;
use super::terminal::{Look, colours_wanted};
use super::text::visible_lines;

/// Clears the screen and goes to its upper left corner.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// A place to write text to.
pub(crate) struct Screen<'w> {
    target: Target<'w>,
    is_terminal: bool,
    colours: bool,
}

enum Target<'w> {
    Writer(BufWriter<Box<dyn Write + 'w>>),
    /// Standard output, through a pager where it does not fit.
    Paged(Pager),
}

impl<'w> Screen<'w> {
    /// Standard output.
    pub(crate) fn output() -> Self {
        let out = io::stdout();
        let is_terminal = out.is_terminal();
        Self::new(out, is_terminal, is_terminal && colours_wanted())
    }

    /// Standard error.
    pub(crate) fn errors() -> Self {
        let out = io::stderr();
        let is_terminal = out.is_terminal();
        Self::new(out, is_terminal, is_terminal && colours_wanted())
    }

    /// Standard output for a result, which is paged where it does not fit the terminal.
    pub(crate) fn paged(look: Look) -> Self {
        match Pager::wanted(look) {
            Some(pager) => Self { target: Target::Paged(pager), is_terminal: true, colours: look.colours },
            None => Self { colours: look.colours, ..Self::output() },
        }
    }

    /// A file, which gets every byte as it is.
    pub(crate) fn file(file: impl Write + 'w) -> Self {
        Self::new(file, false, false)
    }

    /// Somewhere that is to be treated as a terminal, or not.
    pub(super) fn new(out: impl Write + 'w, is_terminal: bool, colours: bool) -> Self {
        Self { target: Target::Writer(BufWriter::new(Box::new(out))), is_terminal, colours }
    }

    /// What a test looks at.
    #[cfg(test)]
    pub(crate) fn of_test(out: &'w mut Vec<u8>, is_terminal: bool, colours: bool) -> Self {
        Self::new(out, is_terminal, colours)
    }

    /// Writes text. A terminal gets line feeds, tabs and what it shows; all else that it would act upon is escaped.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        if self.is_terminal { self.write(visible_lines(text).as_bytes()) } else { self.write(text.as_bytes()) }
    }

    /// The same in a style, where there are colours.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn styled(&mut self, style: Style, text: &str) -> io::Result<()> {
        if self.colours { self.write(paint(true, style, text).as_bytes()) } else { self.text(text) }
    }

    /// What `write!` calls: [`Screen::text`].
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn write_fmt(&mut self, text: fmt::Arguments<'_>) -> io::Result<()> {
        match text.as_str() {
            Some(text) => self.text(text),
            None => self.text(&text.to_string()),
        }
    }

    /// Clears a terminal.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn clear(&mut self) -> io::Result<()> {
        if self.is_terminal { self.write(CLEAR.as_bytes()) } else { Ok(()) }
    }

    /// Whether a pager shows the text; one that is closed ends the result, not the program.
    pub(crate) fn is_paged(&self) -> bool {
        matches!(&self.target, Target::Paged(pager) if pager.is_running())
    }

    /// Shows what was written so far, which a pager does by itself.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Writer(out) => out.flush(),
            Target::Paged(_) => Ok(()),
        }
    }

    /// Writes what is left and waits for the pager.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self.target {
            Target::Writer(mut out) => out.flush(),
            Target::Paged(pager) => pager.finish(),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.target {
            Target::Writer(out) => out.write_all(bytes),
            Target::Paged(pager) => pager.write_all(bytes),
        }
    }
}

/// Standard output for the pager, which is told what was escaped already.
pub(super) fn escaped_output() -> impl Write {
    io::stdout()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::style::ERROR;

    fn written(is_terminal: bool, colours: bool, write: impl Fn(&mut Screen<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::of_test(&mut out, is_terminal, colours);
        write(&mut screen).unwrap();
        screen.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_terminal_is_shown_what_it_would_act_upon_and_a_file_gets_it_as_it_is() {
        for (text, shown) in [
            ("\u{1b}]52;c;aGk=\u{7}", r"\u{1b}]52;c;aGk=\u{7}"),
            ("a\u{8}\u{7f}\r\n\tb\n", "a\\u{8}\\u{7f}\\r\n\tb\n"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{202e}txt.exe\u{2066}\u{61c}", r"\u{202e}txt.exe\u{2066}\u{61c}"),
            ("plain ä 日本", "plain ä 日本"),
        ] {
            assert_eq!(written(true, true, |screen| screen.text(text)), shown);
            assert_eq!(written(true, false, |screen| write!(screen, "{text}")), shown);
            assert_eq!(written(false, false, |screen| screen.text(text)), text);
            assert_eq!(written(true, true, |screen| screen.styled(ERROR, text)), format!("{ERROR}{shown}{ERROR:#}"));
            assert_eq!(written(true, false, |screen| screen.styled(ERROR, text)), shown);
            assert_eq!(written(false, false, |screen| screen.styled(ERROR, text)), text);
        }
    }

    #[test]
    fn only_a_terminal_is_cleared() {
        assert_eq!(written(true, false, |screen| screen.clear()), CLEAR);
        assert_eq!(written(false, false, |screen| screen.clear()), "");
    }
}
