//! Lines of a file, each of bounded memory.

use std::io::{self, BufRead};

use super::layout::BYTE_ORDER_MARK;

/// The most bytes that a line may have: some times what any item takes as JSON without spaces.
pub const IMPORT_LINE_MAX_BYTES: usize = 8 << 20;

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Bytes(&'a [u8]),
    /// One of more bytes than a line may have; they are passed over.
    TooLong,
}

/// Reads lines, which end with LF or with the input. A byte order mark at the very beginning is left out.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// How many lines have been read.
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn of(input: R) -> Self {
        Self { input, line: Vec::new(), number: 0 }
    }

    /// The next line and its number, the first being 1; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Line<'_>)>> {
        self.line.clear();
        let mut too_long = false;
        loop {
            let available = match self.input.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let end = memchr::memchr(b'\n', available);
            let part = &available[..end.unwrap_or(available.len())];
            let at_the_end = available.is_empty();
            too_long |= self.line.len() + part.len() > IMPORT_LINE_MAX_BYTES;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let taken = part.len() + usize::from(end.is_some());
            self.input.consume(taken);
            if at_the_end && self.line.is_empty() && !too_long {
                return Ok(None);
            }
            if at_the_end || end.is_some() {
                break;
            }
        }
        self.number += 1;
        let first = self.number == 1;
        let line = if too_long { Line::TooLong } else { Line::Bytes(without_mark(&self.line, first)) };
        Ok(Some((self.number, line)))
    }
}

fn without_mark(line: &[u8], first: bool) -> &[u8] {
    if first { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn lines_of(input: &[u8], buffer: usize) -> Vec<(u64, Option<Vec<u8>>)> {
        let mut lines = Lines::of(BufReader::with_capacity(buffer, input));
        let mut all = Vec::new();
        while let Some((number, line)) = lines.next().expect("read") {
            let bytes = match line {
                Line::Bytes(bytes) => Some(bytes.to_vec()),
                Line::TooLong => None,
            };
            all.push((number, bytes));
        }
        all
    }

    #[test]
    fn lines_end_with_a_line_feed_or_with_the_input() {
        for buffer in [1, 2, 3, 1000] {
            let owned = |number, text: &str| (number, Some(text.as_bytes().to_vec()));
            assert_eq!(lines_of(b"", buffer), []);
            assert_eq!(lines_of(b"\n", buffer), [owned(1, "")]);
            assert_eq!(lines_of(b"a\r\n\nb", buffer), [owned(1, "a\r"), owned(2, ""), owned(3, "b")]);
            assert_eq!(lines_of(b"\xef\xbb\xbfa\n", buffer), [owned(1, "a")]);
            assert_eq!(lines_of(b"\xef\xbb\xbf", buffer), [owned(1, "")]);
            let marked_later = lines_of(b"a\n\xef\xbb\xbfb", buffer);
            assert_eq!(marked_later, [owned(1, "a"), (2, Some(b"\xef\xbb\xbfb".to_vec()))]);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_takes_no_memory() {
        let mut input = vec![b'x'; IMPORT_LINE_MAX_BYTES];
        input.extend_from_slice(b"\n");
        input.resize(input.len() + IMPORT_LINE_MAX_BYTES + 1, b'y');
        input.extend_from_slice(b"\nz\n");
        input.resize(input.len() + IMPORT_LINE_MAX_BYTES + 1, b'y');
        let found: Vec<_> =
            lines_of(&input, 1 << 16).into_iter().map(|(number, line)| (number, line.map(|line| line.len()))).collect();
        assert_eq!(found, [(1, Some(IMPORT_LINE_MAX_BYTES)), (2, None), (3, Some(1)), (4, None)]);
    }
}
