//! Where results go: the terminal or the pipe, or a file that `.output` or `.once` names.

use std::fs::File;
use std::path::Path;

use super::database_file::refuse_own;
use crate::failure::Failure;
use crate::output::Screen;
use crate::output::terminal::Look;
use crate::output::text;

/// Where results go. `.once` comes before `.output`, and both before standard output.
#[derive(Debug, Default)]
pub(crate) struct Destination {
    all: Option<File>,
    /// For the statement or command after this one.
    next: Option<File>,
    /// For the one that runs.
    current: Option<File>,
}

impl Destination {
    /// Sends all results to a file that is written anew, or back to standard output.
    ///
    /// # Errors
    /// As [`Destination::send_next`].
    pub(crate) fn send_all(&mut self, file: Option<&Path>, own: Option<&Path>) -> Result<(), Failure> {
        self.all = file.map(|file| create(file, own)).transpose()?;
        Ok(())
    }

    /// Sends the results of the next statement or command to a file that is written anew.
    ///
    /// # Errors
    /// Where the file cannot be written, or is `own`, the snapshot that is open.
    pub(crate) fn send_next(&mut self, file: &Path, own: Option<&Path>) -> Result<(), Failure> {
        self.next = Some(create(file, own)?);
        Ok(())
    }

    /// To be called before each statement or command.
    pub(crate) fn begin(&mut self) {
        self.current = self.next.take();
    }

    /// To be called after each statement or command.
    pub(crate) fn end(&mut self) {
        self.current = None;
    }

    /// What fits there, and how it looks.
    pub(crate) fn look(&self, width: Option<usize>) -> Look {
        match self.file() {
            Some(_) => Look { width, ..Look::default() },
            None => Look::of_stdout(width),
        }
    }

    /// A writer of results.
    pub(crate) fn screen(&self, look: Look) -> Screen<'_> {
        match self.file() {
            Some(file) => Screen::file(file),
            None => Screen::paged(look),
        }
    }

    fn file(&self) -> Option<&File> {
        self.current.as_ref().or(self.all.as_ref())
    }
}

fn create(file: &Path, own: Option<&Path>) -> Result<File, Failure> {
    let shown = text::path(file);
    if shown.starts_with('|') {
        return Err(Failure::message(format!(
            "results cannot be sent to a command: `kstone query FILE.ksnap STATEMENT {shown}` does it, and ./{shown} \
             is a file"
        )));
    }
    refuse_own(own, file)?;
    File::create(file).map_err(|error| Failure::from(error).at(shown))
}
