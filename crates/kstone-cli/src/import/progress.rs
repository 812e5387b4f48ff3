//! How far an import has come, on a terminal: a bar, the lines so far and how many a second.

use std::cell::Cell;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::interrupt::{Input, Interrupt};

/// Draws to standard error where that is a terminal, at most some 20 times a second.
pub(super) struct Progress<'a> {
    bar: ProgressBar,
    /// Whether lines can be counted: not where they are compressed.
    counts_lines: bool,
    interrupt: &'a Interrupt,
    interrupted: Rc<Cell<bool>>,
}

impl<'a> Progress<'a> {
    /// Of a file that is read so many times, by its bytes.
    pub(super) fn new(path: &Path, times: u64, interrupt: &'a Interrupt) -> Self {
        let bar = ProgressBar::new(times * fs::metadata(path).map_or(0, |file| file.len()));
        let style = ProgressStyle::with_template("{wide_bar} {percent:>3} %  {msg}").expect("the template is sound");
        bar.set_style(style);
        let counts_lines = path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("gz"));
        Self { bar, counts_lines, interrupt, interrupted: Rc::default() }
    }

    /// Opens a file or a pipe, as [`Progress::reading`] reads it; Ctrl-C ends waiting for a pipe, too.
    pub(super) fn open(&self, path: &Path) -> io::Result<Reading<'a, Input>> {
        Ok(self.reading(self.interrupt.open(path)?))
    }

    /// A reader of the file that moves the bar, and fails after Ctrl-C, of which [`Progress::check`] tells.
    pub(super) fn reading<R: Read>(&self, input: R) -> Reading<'a, R> {
        let Self { bar, counts_lines, interrupt, interrupted } = self;
        let lines = counts_lines.then_some(0);
        Reading { input, lines, bar: bar.clone(), interrupt, interrupted: Rc::clone(interrupted) }
    }

    /// # Errors
    /// [`Failure::Interrupted`] after Ctrl-C.
    pub(super) fn check(&self) -> Result<(), Failure> {
        if self.interrupted.get() { Err(Failure::Interrupted) } else { self.interrupt.check() }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// See [`Progress::reading`].
pub(super) struct Reading<'a, R> {
    input: R,
    lines: Option<usize>,
    bar: ProgressBar,
    interrupt: &'a Interrupt,
    interrupted: Rc<Cell<bool>>,
}

impl<R: Read> Read for Reading<'_, R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.interrupt.check().is_err() {
            self.interrupted.set(true);
            return Err(io::Error::other("interrupted"));
        }
        let count = self.input.read(bytes)?;
        self.bar.inc(count as u64);
        if let Some(lines) = &mut self.lines {
            *lines += bytes[..count].iter().filter(|byte| **byte == b'\n').count();
            let rate = *lines as f64 / self.bar.elapsed().as_secs_f64().max(1e-9);
            self.bar.set_message(format!("{lines} lines, {rate:.0} a second"));
        }
        Ok(count)
    }
}

impl<R: Seek> Seek for Reading<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.input.seek(to)
    }
}
