//! What there is to write to.

use std::io::{IsTerminal as _, stdin, stdout};

use terminal_size::{Height, Width, terminal_size_of};

/// Where results go: how large it is, and whether colours are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Look {
    /// Columns to fit into; none where nothing is to be shortened.
    pub(crate) width: Option<usize>,
    /// Lines of the terminal; none where nothing is to be paged.
    pub(crate) height: Option<usize>,
    pub(crate) colours: bool,
}

impl Look {
    /// What standard output is, as of now: a window may have another size every time.
    pub(crate) fn of_stdout(width: Option<usize>) -> Self {
        if !stdout().is_terminal() {
            return Self { width, ..Self::default() };
        }
        let size = terminal_size_of(stdout()).filter(|(Width(columns), Height(lines))| *columns > 0 && *lines > 0);
        Self {
            width: width.or(size.map(|(Width(columns), _)| usize::from(columns))),
            height: size.map(|(_, Height(lines))| usize::from(lines)),
            colours: colours_wanted(),
        }
    }
}

/// Whether somebody types and reads.
pub(crate) fn is_interactive() -> bool {
    stdin().is_terminal() && stdout().is_terminal()
}

/// What NO_COLOR and the kind of terminal say; the caller has made sure that it is one.
pub(crate) fn colours_wanted() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|kind| kind == "dumb");
    !is_set("NO_COLOR") && !dumb
}
