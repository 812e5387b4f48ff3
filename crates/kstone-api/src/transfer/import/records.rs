//! The texts of the records of an input, whatever layout it has, each with its place.

use std::io::{self, BufRead};

use super::documents::Documents;
use super::layout::{Layout, Rest, detect};
use super::lines::{Line, Lines};
use super::unzip::Unzip;

/// Where a text begins: its line, the first being 1, and its column there, in bytes, the first being 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextPlace {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl TextPlace {
    /// The line of an error about the text that begins here, and what it says by the columns of that line. Errors count
    /// lines and columns from the beginning of the text.
    pub(super) fn locate(self, error: &str) -> (u64, String) {
        let Some((before, line, column, after)) = place_in(error) else { return (self.line, error.to_owned()) };
        let column = if line == 1 { self.column + column - 1 } else { column };
        (self.line + line - 1, format!("{before}column {column}{after}"))
    }
}

/// The parts of an error around the place that it ends with: `… line 1 column 14)`.
fn place_in(error: &str) -> Option<(&str, u64, u64, &str)> {
    let (before, place) = error.rsplit_once("line ")?;
    let (line, rest) = place.split_once(" column ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (column, after) = rest.split_at(digits);
    Some((before, line.parse().ok()?, column.parse().ok()?, after))
}

/// Why there are no more records.
pub(super) enum Failed {
    /// The input cannot be read.
    Io(io::Error),
    /// What it holds is no records.
    Bad { line: u64, what: String },
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads records from an input that may be compressed.
pub(super) enum Records<R: BufRead> {
    Lines(Lines<Rest<Unzip<R>>>),
    Documents(Documents<Rest<Unzip<R>>>),
}

/// The text of a record, or what it is that is too long to be one.
pub(super) type RecordText<'a> = Result<&'a [u8], &'static str>;

impl<R: BufRead> Records<R> {
    /// Reads as much of the input as says what it is.
    pub(super) fn of(input: R) -> Result<Self, Failed> {
        let (layout, input) = detect(Unzip::new(input)?)?;
        if let Some(what) = foreign_format(input.get_ref().0.get_ref()) {
            return Err(Failed::Bad { line: 1, what: format!("this is {what}") });
        }
        Ok(match layout {
            Layout::Lines => Self::Lines(Lines::of(input)),
            Layout::Documents => Self::Documents(Documents::of(input)),
        })
    }

    /// The next record and where it begins; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<(TextPlace, RecordText<'_>)>, Failed> {
        Ok(match self {
            Self::Lines(lines) => lines.next()?.map(|(line, text)| {
                let text = match text {
                    Line::Bytes(bytes) => Ok(bytes),
                    Line::TooLong => Err("the line"),
                };
                (TextPlace { line, column: 1 }, text)
            }),
            Self::Documents(documents) => documents.next()?.map(|place| (place, documents.text().ok_or("the item"))),
        })
    }
}

/// What a file is that begins so and that no import reads: what it is called, and what to do about it.
///
/// ```
/// assert_eq!(kstone_api::foreign_format(b"PAR1..."), Some("a Parquet file"));
/// assert_eq!(kstone_api::foreign_format(b"{\"pk\": \"a\"}"), None);
/// ```
#[must_use]
pub fn foreign_format(head: &[u8]) -> Option<&'static str> {
    const FOREIGN: [(&[u8], &str); 11] = [
        (b"\xe0\x01\x00\xea", "an export in Amazon Ion: export the table as DynamoDB JSON"),
        (b"$ion_1_0", "an export in Amazon Ion: export the table as DynamoDB JSON"),
        (b"\x89KSNAP\r\n", "a snapshot of kstone: load or open it"),
        (b"\xff\xfe", "UTF-16: write it as UTF-8"),
        (b"\xfe\xff", "UTF-16: write it as UTF-8"),
        (b"PAR1", "a Parquet file"),
        (b"PK\x03\x04", "a zip archive or a spreadsheet: unpack it or export it as CSV"),
        (b"BZh", "compressed by bzip2: only gzip is read"),
        (b"\xfd7zXZ\x00", "compressed by xz: only gzip is read"),
        (b"\x28\xb5\x2f\xfd", "compressed by zstd: only gzip is read"),
        (b"\x1f\x8b", "compressed by gzip twice: decompress it once"),
    ];
    FOREIGN.into_iter().find(|(magic, _)| head.starts_with(magic)).map(|(_, what)| what)
}
