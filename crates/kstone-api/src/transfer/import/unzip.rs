//! An input with the gzip taken off it, where there is gzip.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

/// How the files of gzip begin. No JSON or CSV begins so.
const GZIP: u8 = 0x1f;

/// A reader of an input that may be compressed by gzip, in one member or several: which it is, its first byte says.
///
/// Data that ends within a member is an error of the kind [`io::ErrorKind::UnexpectedEof`], and data that was changed
/// one of the kind [`io::ErrorKind::InvalidData`], each with a text that says so.
///
/// ```
/// use std::io::Read as _;
/// use kstone_api::Unzip;
/// let mut text = String::new();
/// Unzip::new(&b"no gzip"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "no gzip");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Unzip<R>(Input<R>);

#[derive(Debug)]
enum Input<R> {
    Plain(R),
    Gzip(Box<BufReader<Decoder<R>>>),
}

impl<R: BufRead> Unzip<R> {
    /// Waits for the first byte of the input.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn new(mut input: R) -> io::Result<Self> {
        let is_gzip = loop {
            match input.fill_buf() {
                Ok(bytes) => break bytes.first() == Some(&GZIP),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        Ok(Self(if is_gzip { Input::gzip(input) } else { Input::Plain(input) }))
    }
}

impl<R: BufRead> Input<R> {
    /// Out of line: an input that is not compressed needs none of the stack on which the decoder is made.
    #[inline(never)]
    fn gzip(input: R) -> Self {
        Self::Gzip(Box::new(BufReader::new(Decoder(MultiGzDecoder::new(input)))))
    }
}

impl<R: BufRead> Read for Unzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Input::Plain(input) => input.read(buffer),
            Input::Gzip(input) => input.read(buffer),
        }
    }
}

impl<R: BufRead> BufRead for Unzip<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.0 {
            Input::Plain(input) => input.fill_buf(),
            Input::Gzip(input) => input.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        match &mut self.0 {
            Input::Plain(input) => input.consume(amount),
            Input::Gzip(input) => input.consume(amount),
        }
    }
}

/// The decoder with errors that say what they mean for a file.
#[derive(Debug)]
struct Decoder<R>(MultiGzDecoder<R>);

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            kind @ io::ErrorKind::UnexpectedEof => {
                io::Error::new(kind, "the gzip data ends in the middle: the file is truncated")
            }
            kind @ (io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                io::Error::new(kind, format!("the gzip data is damaged: {error}"))
            }
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn zipped(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish()).expect("compressed")
    }

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        Unzip::new(BufReader::with_capacity(7, bytes))?.read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn members_of_gzip_one_after_another_are_one_text() {
        let text = "some text, and more of it\n".repeat(1000);
        assert_eq!(read(&[zipped(&text), zipped(""), zipped("end")].concat()).expect("read"), format!("{text}end"));
        assert_eq!(read(text.as_bytes()).expect("read"), text);
        assert_eq!(read(b"").expect("read"), "");
    }

    #[test]
    fn gzip_that_is_truncated_or_changed_anywhere_is_an_error_that_says_so() {
        let whole = zipped("some text, and more of it\n");
        for len in 1..whole.len() {
            let error = read(&whole[..len]).expect_err("truncated").to_string();
            assert_eq!(error, "the gzip data ends in the middle: the file is truncated", "{len} bytes");
        }
        // The trailer's checksum and length guard the text; flags, time and system in the header guard nothing.
        for at in (0..3).chain(10..whole.len()) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            if at == 0 {
                continue;
            }
            assert!(read(&changed).is_err_and(|error| error.to_string().starts_with("the gzip data ")), "byte {at}");
        }
        let error = read(&[&whole[..], b"\0\0 and more that is no gzip"].concat()).expect_err("not gzip").to_string();
        assert!(error.starts_with("the gzip data is damaged: "), "{error}");
    }
}
