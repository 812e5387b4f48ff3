//! Lines of a file or a pipe: UTF-8, with or without a byte order mark, of bounded length, numbered.

use std::io::{BufRead, Read as _};

use crate::failure::Failure;

/// The longest line, in bytes: more than the typed JSON of the largest item takes.
const LINE_MAX_BYTES: usize = 16 << 20;

/// Reads line by line; holds one line.
pub(crate) struct Lines<R> {
    input: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, number: 0 }
    }

    /// The next line with its line end; none at the end of the input.
    ///
    /// # Errors
    /// Where the input cannot be read, or the line is too long or not UTF-8: says which line.
    pub(crate) fn next(&mut self) -> Result<Option<String>, Failure> {
        let mut bytes = Vec::new();
        self.number += 1;
        let place = format!("line {}", self.number);
        let mut limited = (&mut self.input).take(LINE_MAX_BYTES as u64 + 1);
        limited.read_until(b'\n', &mut bytes).map_err(|error| Failure::from(error).at(&place))?;
        if bytes.len() > LINE_MAX_BYTES {
            return Err(Failure::message(format!("{place}: longer than {LINE_MAX_BYTES} bytes")));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid = error.utf8_error().valid_up_to();
            let found = error.as_bytes()[valid];
            Failure::message(format!("{place}: not UTF-8: byte 0x{found:02x} after {valid} good ones"))
        })?;
        let text = match text.strip_prefix('\u{feff}') {
            Some(marked) if self.number == 1 => marked.to_owned(),
            _ => text,
        };
        Ok((!text.is_empty()).then_some(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_with_their_ends_and_without_a_byte_order_mark() {
        let mut lines = Lines::new(&b"\xef\xbb\xbfa\r\n\nb"[..]);
        for expected in [Some("a\r\n"), Some("\n"), Some("b"), None] {
            assert_eq!(lines.next().unwrap().as_deref(), expected);
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused_with_its_place() {
        let mut lines = Lines::new(&b"a\n\xc3\xa4\xffb\n"[..]);
        lines.next().unwrap();
        assert_eq!(lines.next().unwrap_err().to_string(), "line 2: not UTF-8: byte 0xff after 2 good ones");
    }

    #[test]
    fn a_line_without_end_is_refused_before_it_fills_the_memory() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));
        assert_eq!(Lines::new(endless).next().unwrap_err().to_string(), "line 1: longer than 16777216 bytes");
    }
}
