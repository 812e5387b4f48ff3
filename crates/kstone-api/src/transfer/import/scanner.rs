//! Values of a JSON text taken off an input one after another, by their brackets and quotes alone.

use std::io::{self, BufRead};

use super::lines::IMPORT_LINE_MAX_BYTES;
use super::records::{Failed, TextPlace};

/// Reads an input forwards and gathers what the caller wants to keep. What is in a value is not looked at.
pub(super) struct Scanner<R> {
    input: R,
    /// Where the next byte is.
    place: TextPlace,
    text: Vec<u8>,
    /// Whether all that was to be kept is in `text`.
    fits: bool,
}

impl<R: BufRead> Scanner<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, place: TextPlace { line: 1, column: 1 }, text: Vec::new(), fits: true }
    }

    /// What was kept since [`Scanner::start`]; none where that is more than an item may take.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.fits.then_some(&self.text)
    }

    /// Forgets what was kept; where the next byte is.
    pub(super) fn start(&mut self) -> TextPlace {
        self.text.clear();
        self.fits = true;
        self.place
    }

    pub(super) fn place(&self) -> TextPlace {
        self.place
    }

    /// How much was kept, and forgets the beginning of it.
    pub(super) fn kept(&self) -> usize {
        self.text.len()
    }

    pub(super) fn forget(&mut self, beginning: usize) {
        self.text.drain(..beginning);
    }

    /// An error at the next byte.
    pub(super) fn bad(&self, what: impl Into<String>) -> Failed {
        let TextPlace { line, column } = self.place;
        Failed::Bad { line, what: format!("{} (column {column})", what.into()) }
    }

    /// The next byte; none at the end.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Keeps blanks, and comes to the next byte behind them.
    pub(super) fn blanks(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(blank) if blank.is_ascii_whitespace() => self.keep(blank),
                other => return Ok(other),
            }
        }
    }

    /// Keeps the byte that was peeked.
    pub(super) fn keep(&mut self, byte: u8) {
        self.input.consume(1);
        keep(&[byte], &mut self.place, &mut self.text, &mut self.fits);
    }

    /// Keeps the value that is next.
    pub(super) fn value(&mut self) -> Result<(), Failed> {
        self.rest(0)
    }

    /// Keeps the rest of a value in which so many brackets are open.
    ///
    /// # Errors
    /// Where the input ends before the value does: at the line where this began.
    pub(super) fn rest(&mut self, mut open: usize) -> Result<(), Failed> {
        let began = self.place;
        let mut quoted = Quoted::No;
        loop {
            let bytes = match self.input.fill_buf() {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            if bytes.is_empty() {
                // A number ends with the input, too.
                if open == 0 && quoted == Quoted::No && self.place != began {
                    return Ok(());
                }
                let what = format!("what begins here has no end: the input is truncated (column {})", began.column);
                return Err(Failed::Bad { line: began.line, what });
            }
            let (len, ended) = end_of(bytes, &mut open, &mut quoted);
            keep(&bytes[..len], &mut self.place, &mut self.text, &mut self.fits);
            self.input.consume(len);
            if ended {
                return if self.place == began { Err(self.bad("a value is missing")) } else { Ok(()) };
            }
        }
    }
}

/// Whether a byte is in a string.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    No,
    Yes,
    /// Behind a backslash.
    Escaped,
}

/// How many of the bytes belong to a value, and whether it ends with them.
fn end_of(bytes: &[u8], open: &mut usize, quoted: &mut Quoted) -> (usize, bool) {
    for (at, byte) in bytes.iter().enumerate() {
        match (*quoted, byte) {
            (Quoted::Escaped, _) => *quoted = Quoted::Yes,
            (Quoted::Yes, b'\\') => *quoted = Quoted::Escaped,
            (Quoted::Yes, b'"') => {
                *quoted = Quoted::No;
                if *open == 0 {
                    return (at + 1, true);
                }
            }
            (Quoted::Yes, _) => {}
            (Quoted::No, b'"') => *quoted = Quoted::Yes,
            (Quoted::No, b'{' | b'[') => *open += 1,
            (Quoted::No, b'}' | b']' | b',' | b':') if *open == 0 => return (at, true),
            (Quoted::No, blank) if *open == 0 && blank.is_ascii_whitespace() => return (at, true),
            (Quoted::No, b'}' | b']') => {
                *open -= 1;
                if *open == 0 {
                    return (at + 1, true);
                }
            }
            (Quoted::No, _) => {}
        }
    }
    (bytes.len(), false)
}

/// Moves the place behind the bytes, and keeps them where they fit.
fn keep(bytes: &[u8], place: &mut TextPlace, text: &mut Vec<u8>, fits: &mut bool) {
    let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
    match memchr::memrchr(b'\n', bytes) {
        Some(last) => *place = TextPlace { line: place.line + lines, column: (bytes.len() - last) as u64 },
        None => place.column += bytes.len() as u64,
    }
    *fits &= text.len() + bytes.len() <= IMPORT_LINE_MAX_BYTES;
    if *fits {
        text.extend_from_slice(bytes);
    }
}
