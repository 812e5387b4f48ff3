//! The rows of a CSV file, each with the line that it begins on, of bounded length.
//!
//! Rows end with LF, CR LF or CR outside of quotes; empty ones are passed over, and so is a byte order mark. What is in a
//! row is told by the `csv-core` crate.

use std::io::{self, BufRead};

use csv_core::ReaderBuilder;

use crate::failure::Failure;

/// The most bytes that a row may have: more than the JSON of the largest item takes.
pub(super) const ROW_MAX_BYTES: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads rows; holds one.
pub(super) struct Rows<R> {
    input: R,
    delimiter: u8,
    /// The line of the byte that is read next.
    line: u64,
    /// Whether the beginning of the file was read.
    begun: bool,
    /// Whether the byte before was a CR that ended a line.
    after_cr: bool,
    row: Vec<u8>,
    parser: csv_core::Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

/// Where in a row a byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// At the beginning of a cell, where a quote opens.
    Beginning,
    Cell,
    Quotes,
    /// Behind a quote within quotes, which closes them or is one of two.
    Quote,
}

impl Within {
    /// Where a byte is that comes after one that is here, and ends no row.
    fn after(self, byte: u8, delimiter: u8) -> Self {
        match self {
            Self::Quotes if byte == b'"' => Self::Quote,
            Self::Quotes => Self::Quotes,
            Self::Quote | Self::Beginning if byte == b'"' => Self::Quotes,
            _ if byte == delimiter => Self::Beginning,
            _ => Self::Cell,
        }
    }
}

/// A row: the line that it begins on, and its cells.
pub(super) struct Row<'a> {
    pub(super) line: u64,
    cells: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &'a str> {
        let (cells, ends) = (self.cells, self.ends);
        ends.iter().enumerate().map(move |(at, &end)| &cells[if at == 0 { 0 } else { ends[at - 1] }..end])
    }
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        let mut parser = ReaderBuilder::new().delimiter(delimiter).build();
        // It would take a byte order mark off the first row that it sees, which has lost its own by then.
        let _blank_line = parser.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            input,
            delimiter,
            line: 1,
            begun: false,
            after_cr: false,
            row: Vec::new(),
            parser,
            cells: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// Where the file cannot be read, a row is too long or not UTF-8, a quote is never closed, or text follows one that is:
    /// says at which line.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, Failure> {
        let Some(line) = self.take_row()? else { return Ok(None) };
        if let Err(error) = str::from_utf8(&self.row) {
            let (line, column) = place_in(&self.row, line, error.valid_up_to());
            let byte = self.row[error.valid_up_to()];
            let utf16 = [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| line == 1 && self.row.starts_with(*mark));
            let hint = if utf16 { ": the file is UTF-16, write it as UTF-8" } else { "" };
            return Err(Failure::message(format!(
                "line {line}: not UTF-8: byte 0x{byte:02x} at column {column}{hint}"
            )));
        }
        self.split();
        let cells = str::from_utf8(&self.cells).expect("cells are parts of text around ASCII");
        Ok(Some(Row { line, cells, ends: &self.ends }))
    }

    /// Takes a row that is not empty off the input, without its end; the line that it begins on.
    fn take_row(&mut self) -> Result<Option<u64>, Failure> {
        self.row.clear();
        if !self.begun {
            self.begun = true;
            self.skip_mark()?;
        }
        let mut within = if self.row.is_empty() { Within::Beginning } else { Within::Cell };
        // Which line the row begins on, and how many of its bytes lie before the quote that was opened last.
        let (mut began, mut opened) = (self.line, 0);
        loop {
            let Some(byte) = peek(&mut self.input)? else {
                if within == Within::Quotes {
                    let (line, column) = place_in(&self.row, began, opened);
                    let what = "the quote that opens here is never closed";
                    return Err(Failure::message(format!("line {line}: {what} (column {column})")));
                }
                return Ok((!self.row.is_empty()).then_some(began));
            };
            self.input.consume(1);
            let ends = matches!(byte, b'\n' | b'\r') && within != Within::Quotes;
            // CR LF is the end of one line.
            self.line += u64::from(byte == b'\n' && !self.after_cr || byte == b'\r' && ends);
            self.after_cr = byte == b'\r' && ends;
            if ends && self.row.is_empty() {
                began = self.line;
                continue;
            } else if ends {
                return Ok(Some(began));
            }
            if within == Within::Beginning {
                opened = self.row.len();
            }
            let before = within;
            within = before.after(byte, self.delimiter);
            if (before, within) == (Within::Quote, Within::Cell) {
                let (line, column) = place_in(&self.row, began, self.row.len());
                let what = "text behind a closing quote";
                let hint = "a quote within quotes is written twice";
                return Err(Failure::message(format!("line {line}: {what} (column {column}): {hint}")));
            }
            self.row.push(byte);
            if self.row.len() > ROW_MAX_BYTES {
                let (line, what) = match within {
                    Within::Quotes => {
                        (place_in(&self.row, began, opened).0, "the quote that opens here is not closed in")
                    }
                    _ => (began, "the row is longer than"),
                };
                return Err(Failure::message(format!("line {line}: {what} {ROW_MAX_BYTES} bytes")));
            }
        }
    }

    /// Passes over a byte order mark. What only begins like one is the beginning of the row.
    fn skip_mark(&mut self) -> io::Result<()> {
        for &expected in BYTE_ORDER_MARK {
            if peek(&mut self.input)? != Some(expected) {
                return Ok(());
            }
            self.input.consume(1);
            self.row.push(expected);
        }
        self.row.clear();
        Ok(())
    }

    /// Splits the row into cells.
    fn split(&mut self) {
        self.row.push(b'\n');
        self.cells.resize(self.row.len(), 0);
        self.ends.resize(self.row.iter().filter(|byte| **byte == self.delimiter).count() + 1, 0);
        let (_, _, cells, ends) = self.parser.read_record(&self.row, &mut self.cells, &mut self.ends);
        self.cells.truncate(cells);
        self.ends.truncate(ends);
    }
}

/// The next byte; none at the end.
fn peek(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        match input.fill_buf() {
            Ok(bytes) => return Ok(bytes.first().copied()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The line and the column, in bytes from 1, of a byte of a row that begins on a line.
fn place_in(row: &[u8], line: u64, at: usize) -> (u64, usize) {
    let before = &row[..at];
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    (line + lines as u64, at - line_start + 1)
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read as _};

    use super::*;

    fn rows(bytes: &[u8]) -> Result<Vec<(u64, Vec<String>)>, String> {
        let read = |capacity| {
            let mut rows = Rows::new(BufReader::with_capacity(capacity, bytes), b',');
            let mut all = Vec::new();
            while let Some(row) = rows.next().map_err(|error| error.to_string())? {
                assert_eq!(row.len(), row.cells().count());
                all.push((row.line, row.cells().map(str::to_owned).collect()));
            }
            Ok(all)
        };
        let all: Result<_, String> = read(1000);
        for capacity in [1, 2, 3] {
            assert_eq!(read(capacity), all);
        }
        all
    }

    #[test]
    fn rows_come_with_the_line_that_they_begin_on() {
        let row = |line, cells: &[&str]| (line, cells.iter().map(|&cell| cell.to_owned()).collect());
        for (text, expected) in [
            ("", vec![]),
            ("\n\r\n\n", vec![]),
            ("a", vec![row(1, &["a"])]),
            ("a,b\n1,2", vec![row(1, &["a", "b"]), row(2, &["1", "2"])]),
            (
                "a,b\r\n\r\n\n1,2\r3,4\r\r5,6",
                vec![row(1, &["a", "b"]), row(4, &["1", "2"]), row(5, &["3", "4"]), row(7, &["5", "6"])],
            ),
            ("\u{feff}a,\n", vec![row(1, &["a", ""])]),
            ("\u{feff}\"a,b\"\n", vec![row(1, &["a,b"])]),
            ("\"a\n\r\n\"\"b\"\"\",\"\"\nc,d\n", vec![row(1, &["a\n\r\n\"b\"", ""]), row(4, &["c", "d"])]),
            ("a\"b,c\"\"d\n", vec![row(1, &["a\"b", "c\"\"d"])]),
            ("\u{feff}\u{feff}a\n\u{feff}b\n", vec![row(1, &["\u{feff}a"]), row(2, &["\u{feff}b"])]),
        ] {
            assert_eq!(rows(text.as_bytes()), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_with_its_own_line() {
        for (bytes, error) in [
            (&b"a,b\n1,\"2\n3,4\n"[..], "line 2: the quote that opens here is never closed (column 3)"),
            (b"a,b\n\"x\ny\",\"2\n3,4\n", "line 3: the quote that opens here is never closed (column 4)"),
            (
                b"a\n1,\"say \\\"hi\\\"\"\n",
                "line 2: text behind a closing quote (column 10): a quote within quotes is written twice",
            ),
            (
                b"a\n\"x\ny\" ,2\n",
                "line 3: text behind a closing quote (column 3): a quote within quotes is written twice",
            ),
            (b"a\n\"x\ny\xff\"\n", "line 3: not UTF-8: byte 0xff at column 2"),
            (b"a\n\nb,\xe9t\xe9\n", "line 3: not UTF-8: byte 0xe9 at column 3"),
            (b"\xff\xfea\0", "line 1: not UTF-8: byte 0xff at column 1: the file is UTF-16, write it as UTF-8"),
        ] {
            assert_eq!(rows(bytes).unwrap_err(), error);
        }
    }

    #[test]
    fn rows_are_of_bounded_length() {
        for (begin, error) in [
            (&b"a\nb"[..], "line 2: the row is longer than 16777216 bytes"),
            (b"a\nx,\"\n\"\"b", "line 2: the quote that opens here is not closed in 16777216 bytes"),
        ] {
            let endless = begin.chain(BufReader::new(io::repeat(b'x')));
            let mut rows = Rows::new(endless, b',');
            assert!(rows.next().is_ok_and(|row| row.is_some()));
            assert_eq!(rows.next().map(drop).unwrap_err().to_string(), error);
        }
    }

    /// Any bytes are split as the `csv` crate splits them, or refused where it would drop a quote.
    #[test]
    fn rows_are_those_of_the_csv_crate() {
        let parts = ["a", "\"", ",", "\n", "\r", "\r\n", "\"\"", " ", "\u{e9}"];
        let mut state = 1_u64;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                text.push_str(parts[(state >> 33) as usize % parts.len()]);
            }
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> =
                reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
            match rows(text.as_bytes()) {
                Ok(rows) => {
                    assert_eq!(rows.into_iter().map(|(_, cells)| cells).collect::<Vec<_>>(), expected, "{text:?}")
                }
                Err(error) => {
                    let is_quoting = error.contains("never closed") || error.contains("behind a closing quote");
                    assert!(is_quoting, "{text:?}: {error}");
                }
            }
        }
    }
}
