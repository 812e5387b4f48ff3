//! How the items of an input lie in it: an item a line, or items anywhere in JSON.

use std::io::{self, BufRead, Chain, Cursor, Read as _};

use super::lines::IMPORT_LINE_MAX_BYTES;

/// The members of a response of Scan or Query, as `aws dynamodb scan` prints it and as the service sends it.
pub(super) const RESPONSE: [&str; 6] =
    ["Items", "Count", "ScannedCount", "LastEvaluatedKey", "ConsumedCapacity", "NextToken"];

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Up to this length every part that arrives is looked at.
const LOOK_ALWAYS_BYTES: usize = 4096;

/// Where the items are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A line for each.
    Lines,
    /// In JSON that goes over lines: in arrays, in responses of Scan and Query, or one after another.
    Documents,
}

/// What was read to find the layout out, and then the rest.
pub(super) type Rest<R> = Chain<Cursor<Vec<u8>>, R>;

/// Reads as much as says which layout it is: up to the end of the first line at most, where that is not too long.
/// Nothing is lost: the input that comes back begins at the beginning.
pub(super) fn detect<R: BufRead>(mut input: R) -> io::Result<(Layout, Rest<R>)> {
    let mut head = Vec::new();
    // A long first line is looked at each time that it has doubled.
    let mut look_at = LOOK_ALWAYS_BYTES;
    let mut silent = 0;
    let layout = loop {
        let (read, line_ends) = match input.fill_buf() {
            Ok(bytes) => {
                head.extend_from_slice(bytes);
                (bytes.len(), bytes.contains(&b'\n'))
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        input.consume(read);
        silent = silent_bytes(&head, silent);
        let at_end = read == 0 || head.len() > IMPORT_LINE_MAX_BYTES;
        if line_ends || at_end || head.len() < LOOK_ALWAYS_BYTES || head.len() >= look_at {
            look_at = 2 * head.len();
            match layout_of(&head, silent) {
                Some(layout) => break layout,
                None if at_end => break Layout::Lines,
                None => {}
            }
        }
    };
    Ok((layout, Cursor::new(head).chain(input)))
}

/// How many bytes at the beginning say nothing, of which so many are known: a byte order mark, and blanks. Each is
/// looked at once, however many there are.
fn silent_bytes(head: &[u8], known: usize) -> usize {
    let known = if known == 0 && head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { known };
    known + head[known..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The layout of what begins so, behind what says nothing. None where it takes more to tell.
fn layout_of(head: &[u8], silent: usize) -> Option<Layout> {
    if head.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(head) {
        return None;
    }
    let text = &head[silent..];
    match text.first()? {
        b'[' => Some(Layout::Documents),
        b'{' => {
            let end = memchr::memchr(b'\n', text);
            // Of the first line alone, so that the parts in which an input arrives change nothing.
            let line = &text[..end.unwrap_or(text.len())];
            // As printed over lines. A line that was truncated is hardly truncated there.
            let goes_on = end.is_some() && matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b','));
            if begins_response(&line[1..]) || goes_on {
                return Some(Layout::Documents);
            }
            end.map(|_| Layout::Lines)
        }
        _ => Some(Layout::Lines),
    }
}

/// Whether what follows a brace is a response on one line: `Items` with an array, or two of its other members.
fn begins_response(members: &[u8]) -> bool {
    let Some((first, value)) = member(members) else { return false };
    let is_known = |name: &[u8]| RESPONSE.iter().any(|known| known.as_bytes() == name);
    if first == b"Items" {
        return value.first() == Some(&b'[');
    }
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let rest = value[digits..].trim_ascii_start();
    is_known(first)
        && digits > 0
        && rest.first() == Some(&b',')
        && member(&rest[1..]).is_some_and(|(name, _)| is_known(name))
}

/// The name of the first member, without escapes, and what follows its colon.
fn member(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let name = text.trim_ascii_start().strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', name)?;
    let value = name[end + 1..].trim_ascii_start().strip_prefix(b":")?;
    Some((&name[..end], value.trim_ascii_start()))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    #[test]
    fn the_first_line_says_how_items_lie_in_an_input() {
        for (text, expected) in [
            ("", Layout::Lines),
            ("\n \n", Layout::Lines),
            ("x", Layout::Lines),
            (r#"{"pk":"a"}"#, Layout::Lines),
            ("\u{feff}\r\n{\"pk\":\"a\"}\n", Layout::Lines),
            ("{\"pk\":\n", Layout::Lines),
            ("{\"Items\":\n[{\"pk\":{\"S\":\"a\"}}],\"Count\":1}", Layout::Lines),
            ("{\"Item\":{\"pk\":{\"S\":\"a\"}}}\n[\n", Layout::Lines),
            (r#"{"Items":{"S":"a"},"pk":{"S":"a"}}"#, Layout::Lines),
            (r#"{"Count":3,"pk":"a"}"#, Layout::Lines),
            (r#"{"Count":{"N":"3"},"Items":{"L":[]}}"#, Layout::Lines),
            ("[", Layout::Documents),
            ("\u{feff}\n  [{}]", Layout::Documents),
            ("{\n", Layout::Documents),
            ("{ \r\n", Layout::Documents),
            ("{\"pk\": \"a\",\n", Layout::Documents),
            (r#"{"Items":[{"pk":{"S":"a"}}],"Count":1}"#, Layout::Documents),
            (r#"{ "Items" : [ ], "Count" : 0 }"#, Layout::Documents),
            (r#"{"Count":1,"Items":[]}"#, Layout::Documents),
            (r#"{"Count": 1 , "LastEvaluatedKey":{}"#, Layout::Documents),
        ] {
            for capacity in [1, 2, 100] {
                let (layout, mut rest) = detect(BufReader::with_capacity(capacity, text.as_bytes())).expect("read");
                let mut all = String::new();
                rest.read_to_string(&mut all).expect("read");
                assert_eq!((layout, all.as_str()), (expected, text), "{capacity} bytes at a time");
            }
        }
    }

    /// A second look at all blanks with each of them would take minutes.
    #[test]
    fn blanks_are_looked_at_once_however_they_arrive() {
        let blanks = vec![b'\n'; IMPORT_LINE_MAX_BYTES];
        for (text, expected) in [(&b"["[..], Layout::Documents), (b"{}\n", Layout::Lines)] {
            let text = [&blanks[..2 << 20], text].concat();
            assert_eq!(detect(BufReader::with_capacity(1, &text[..])).expect("read").0, expected);
        }
        assert_eq!(detect(BufReader::with_capacity(1, &blanks[..])).expect("read").0, Layout::Lines);
    }

    /// Gives its parts one by one, and panics where more is asked of it: somebody would wait for ever.
    struct Open<'a>(Vec<&'a [u8]>);

    impl io::Read for Open<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let part = if self.0.is_empty() { panic!("waits for what does not come") } else { self.0.remove(0) };
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn nothing_waits_for_more_than_the_first_line() {
        for parts in
            [vec![&b"{\"pk\":"[..], b"\"a\"}", b"\n"], vec![b"\n", b"["], vec![b"{\n"], vec![b"{\"Items\": ", b"["]]
        {
            detect(BufReader::new(Open(parts))).expect("read");
        }
    }
}
