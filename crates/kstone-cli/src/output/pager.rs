//! Standard output, through a pager where a result does not fit the terminal.
//!
//! What is written is held back until it is longer or wider than the terminal; then the pager is started. The pager is
//! what `KSTONE_PAGER` or `PAGER` says, else `less`; an empty name turns paging off, and where the program does not
//! start the result is printed as it is.
//!
//! Invariant: no more than a terminal's height of lines is held.

use std::io::{self, Write as _};
use std::process::{Child, Command, Stdio};

use super::screen::escaped_output;
use super::terminal::Look;
use super::text::width;

/// What less is told unless `LESS` says otherwise: quit where one screen is enough, show colours, do not wrap, leave
/// the screen as it is.
const LESS: &str = "FRSX";

/// Standard output, through a pager perhaps.
pub(super) struct Pager {
    command: String,
    height: usize,
    width: Option<usize>,
    held: Vec<u8>,
    /// How many lines of `held` have been looked at; their bytes end at the last line break.
    lines: usize,
    running: Option<Running>,
}

/// Where the result goes once it is known to be too large.
enum Running {
    Pager(Child),
    /// The pager did not start.
    Unpaged,
}

impl Pager {
    /// Where there is a terminal, and a pager.
    pub(super) fn wanted(look: Look) -> Option<Self> {
        let (height, command) = (look.height?, pager_command()?);
        Some(Self { command, height, width: look.width, held: Vec::new(), lines: 0, running: None })
    }

    /// Whether a pager was started.
    pub(super) fn is_running(&self) -> bool {
        matches!(self.running, Some(Running::Pager(_)))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.running {
            Some(Running::Unpaged) => escaped_output().write(bytes),
            Some(Running::Pager(child)) => child.stdin.as_mut().map_or(Ok(bytes.len()), |stdin| stdin.write(bytes)),
            None => {
                self.held.extend_from_slice(bytes);
                if bytes.contains(&b'\n') && self.is_too_large() {
                    self.start()?;
                }
                Ok(bytes.len())
            }
        }
    }

    fn is_too_large(&mut self) -> bool {
        let text = String::from_utf8_lossy(&self.held);
        let wide = self.width.is_some_and(|width| text.lines().skip(self.lines).any(|line| shown_width(line) > width));
        self.lines = text.matches('\n').count();
        // The prompt needs a line, too.
        wide || self.lines >= self.height
    }

    fn start(&mut self) -> io::Result<()> {
        let mut command = Command::new("sh");
        command.arg("-c").arg(&self.command).stdin(Stdio::piped());
        if std::env::var_os("LESS").is_none() {
            command.env("LESS", LESS);
        }
        let held = std::mem::take(&mut self.held);
        match command.spawn() {
            Ok(child) => self.running = Some(Running::Pager(child)),
            Err(_) => self.running = Some(Running::Unpaged),
        }
        self.write_all(&held)
    }

    /// Prints what is left and waits for the pager.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.running {
            Some(Running::Pager(mut child)) => {
                drop(child.stdin.take());
                child.wait().map(drop)
            }
            Some(Running::Unpaged) => escaped_output().flush(),
            None => {
                let mut out = escaped_output();
                out.write_all(&self.held)?;
                out.flush()
            }
        }
    }

    pub(super) fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = self.write(bytes)?;
            bytes = &bytes[written..];
        }
        Ok(())
    }
}

/// The pager that is wanted, and there.
fn pager_command() -> Option<String> {
    let wanted =
        std::env::var("KSTONE_PAGER").or_else(|_| std::env::var("PAGER")).unwrap_or_else(|_| "less".to_owned());
    let program = wanted.split_whitespace().next()?;
    is_program(program).then_some(wanted)
}

/// Whether the shell would find a program of this name.
fn is_program(name: &str) -> bool {
    if name.contains('/') {
        return std::path::Path::new(name).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(name).is_file())
}

/// How wide a line is without its colours.
fn shown_width(line: &str) -> usize {
    let mut shown = String::with_capacity(line.len());
    for (at, part) in line.split('\u{1b}').enumerate() {
        let text = if at == 0 { part } else { part.split_once('m').map_or("", |(_, text)| text) };
        shown.push_str(text);
    }
    width(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pager(height: usize, width: usize) -> Pager {
        let command = "cat >/dev/null".to_owned();
        Pager { command, height, width: Some(width), held: Vec::new(), lines: 0, running: None }
    }

    #[test]
    fn what_fits_is_held_and_what_does_not_is_paged() {
        for (text, paged) in [
            ("a\nb\n", false),
            ("a\nb\nc\n", true),
            ("0123456789\n", false),
            ("0123456789x\n", true),
            ("\u{1b}[1m0123456789\u{1b}[0m\n", false),
            ("a\n日本語日本語\n", true),
        ] {
            let mut pager = pager(3, 10);
            pager.write_all(text.as_bytes()).unwrap();
            assert_eq!(pager.running.is_some(), paged, "{text}");
            if paged {
                pager.finish().unwrap();
            }
        }
    }
}
