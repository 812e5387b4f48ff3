//! Everything that leads to the terminal: what it is, how text looks on it, and the one writer to it.

use std::fmt;
use std::io;

use clap::error::ErrorKind;

pub(crate) mod indent;
mod pager;
mod screen;
pub(crate) mod style;
pub(crate) mod terminal;
pub(crate) mod text;

pub(crate) use screen::Screen;

/// Writes `kstone: …` to standard error.
pub(crate) fn tell(what: impl fmt::Display) {
    complain(|screen| writeln!(screen, "kstone: {what}"));
}

/// Writes to standard error. Where that fails nobody is left to be told.
pub(crate) fn complain(write: impl FnOnce(&mut Screen<'_>) -> io::Result<()>) {
    let mut screen = Screen::errors();
    let _unread = write(&mut screen).and_then(|()| screen.finish());
}

/// Writes a text to standard output.
///
/// # Errors
/// Where it cannot be written.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut screen = Screen::output();
    screen.text(text)?;
    screen.finish()
}

/// Prints the help that was asked for to standard output, what is wrong with the command line to standard error. Help
/// is the program's own text, which `clap` colours; an error quotes what was typed.
pub(crate) fn usage(error: &clap::Error) {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        let _unread = error.print();
    } else {
        let text = error.render().to_string();
        let (label, rest) = text.split_at(text.find(' ').unwrap_or(0));
        complain(|screen| {
            screen.styled(style::ERROR, label)?;
            screen.text(rest)
        });
    }
}
