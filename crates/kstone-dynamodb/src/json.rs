//! JSON over bytes that are already text: tokens and their places, and nothing kept.
//!
//! [`Scanner`] reads what may be wrong, token by token. What it has accepted is looked at again with [`skip`] and
//! [`Quoted`], which trust it: a request is checked once and its parts are found by their places after that.

use std::borrow::Cow;

use kstone_api::json::plain_len;

/// The body is no JSON, or nested beyond [`MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

/// How deep objects and arrays may nest, as Jackson's default has it. An attribute value of 32 levels takes 64.
pub const MAX_DEPTH: usize = 1000;

/// A token, or where one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// `{`
    Object,
    /// `[`
    Array,
    /// A string.
    Text(Quoted<'a>),
    /// A number as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`
    Null,
}

impl Token<'_> {
    /// The service's name for a scalar token in its messages.
    #[must_use]
    pub fn service_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "STRING_VALUE",
            Self::Number(text) if text.contains(['.', 'e', 'E']) => "DECIMAL_VALUE",
            Self::Number(_) => "NUMBER_VALUE",
            Self::Boolean(true) => "TRUE_VALUE",
            Self::Boolean(false) => "FALSE_VALUE",
            Self::Object | Self::Array | Self::Null => "VALUE",
        }
    }
}

/// A JSON string without its quotation marks, escapes and all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted<'a>(pub &'a str);

impl<'a> Quoted<'a> {
    /// The text that it stands for; borrowed where nothing is escaped.
    #[must_use]
    pub fn decode(self) -> Cow<'a, str> {
        if !self.0.contains('\\') {
            return Cow::Borrowed(self.0);
        }
        Cow::Owned(self.chars().collect())
    }

    /// Its characters, with escapes undone.
    pub fn chars(self) -> impl Iterator<Item = char> + 'a {
        let mut rest = self.0.chars();
        std::iter::from_fn(move || {
            let c = rest.next()?;
            if c != '\\' {
                return Some(c);
            }
            Some(match rest.next()? {
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let high = hexadecimal(&mut rest)?;
                    if (0xd800..0xdc00).contains(&high) {
                        // The scanner has seen to it that a low half follows.
                        rest.nth(1)?;
                        let low = hexadecimal(&mut rest)?;
                        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff))?
                    } else {
                        char::from_u32(high)?
                    }
                }
                other => other,
            })
        })
    }

    /// Whether it stands for `text`.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        // An escape is longer than what it stands for.
        self.0 == text || (self.0.len() > text.len() && self.0.contains('\\') && self.chars().eq(text.chars()))
    }
}

/// Four hexadecimal digits.
fn hexadecimal(digits: &mut std::str::Chars<'_>) -> Option<u32> {
    let mut value = 0;
    for _ in 0..4 {
        value = value * 16 + digits.next()?.to_digit(16)?;
    }
    Some(value)
}

/// Reads JSON that may be wrong.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    /// At the beginning of `text`.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Where it stands.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// Goes on from this place.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next byte that is no white space, which stays unread.
    pub fn peek(&mut self) -> Option<u8> {
        if let Some(&byte) = self.text.as_bytes().get(self.at)
            && byte > b' '
        {
            return Some(byte);
        }
        let rest = &self.text.as_bytes()[self.at..];
        let blank = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.at += blank;
        Some(rest[blank])
    }

    /// Takes `byte`, if it is the next one after white space.
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// Nothing but white space is left.
    pub fn at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next value's token; of objects and arrays the opening bracket alone.
    ///
    /// # Errors
    /// [`NotJson`], as everywhere here.
    pub fn token(&mut self) -> Result<Token<'a>, NotJson> {
        match self.peek().ok_or(NotJson)? {
            b'{' => self.step(Token::Object),
            b'[' => self.step(Token::Array),
            b'"' => self.string().map(Token::Text),
            b'-' | b'0'..=b'9' => self.number().map(Token::Number),
            b't' => self.word("true", Token::Boolean(true)),
            b'f' => self.word("false", Token::Boolean(false)),
            b'n' => self.word("null", Token::Null),
            _ => Err(NotJson),
        }
    }

    /// A string, the next token.
    ///
    /// # Errors
    /// Where it is none, does not end, holds a control character, an unknown escape or half a surrogate pair.
    pub fn string(&mut self) -> Result<Quoted<'a>, NotJson> {
        if !self.take(b'"') {
            return Err(NotJson);
        }
        let start = self.at;
        loop {
            self.at += plain_len(&self.text.as_bytes()[self.at..]);
            match self.text.as_bytes().get(self.at).ok_or(NotJson)? {
                b'"' => {
                    self.at += 1;
                    return Ok(Quoted(&self.text[start..self.at - 1]));
                }
                b'\\' => self.escape()?,
                _ => return Err(NotJson),
            }
        }
    }

    /// One escape, at its backslash.
    fn escape(&mut self) -> Result<(), NotJson> {
        match self.text.as_bytes().get(self.at + 1).ok_or(NotJson)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {
                self.at += 2;
                Ok(())
            }
            b'u' => {
                let unit = self.code_unit()?;
                match unit {
                    0xd800..0xdc00 => match self.code_unit()? {
                        0xdc00..0xe000 => Ok(()),
                        _ => Err(NotJson),
                    },
                    0xdc00..0xe000 => Err(NotJson),
                    _ => Ok(()),
                }
            }
            _ => Err(NotJson),
        }
    }

    /// `\u` and four digits.
    fn code_unit(&mut self) -> Result<u32, NotJson> {
        let bytes = self.text.as_bytes();
        let escape = bytes.get(self.at..self.at + 6).ok_or(NotJson)?;
        if &escape[..2] != b"\\u" {
            return Err(NotJson);
        }
        self.at += 6;
        escape[2..].iter().try_fold(0, |sum, &b| Some(sum * 16 + char::from(b).to_digit(16)?)).ok_or(NotJson)
    }

    fn number(&mut self) -> Result<&'a str, NotJson> {
        let start = self.at;
        self.at += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), NotJson> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(NotJson) } else { Ok(()) }
    }

    fn word(&mut self, word: &str, token: Token<'a>) -> Result<Token<'a>, NotJson> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return Err(NotJson);
        }
        self.at += word.len();
        Ok(token)
    }

    fn step(&mut self, token: Token<'a>) -> Result<Token<'a>, NotJson> {
        self.at += 1;
        Ok(token)
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

/// Where the value ends that begins at `at`, in text that a [`Scanner`] has accepted.
#[must_use]
pub fn skip(text: &str, mut at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut depth = 0_usize;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => {
                at = end_of_string(bytes, at);
                if depth == 0 {
                    return at;
                }
                continue;
            }
            Some(b'{' | b'[') => depth += 1,
            Some(b'}' | b']') if depth <= 1 => return if depth == 0 { at } else { at + 1 },
            Some(b'}' | b']') => depth -= 1,
            Some(b',' | b' ' | b'\t' | b'\n' | b'\r') if depth == 0 => return at,
            Some(_) => {}
        }
        at += 1;
    }
}

/// The place after the string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(rest) = bytes.get(at..) {
        at += plain_len(rest);
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every token of a text, until its end or what is wrong.
    fn strings(text: &str) -> Result<String, NotJson> {
        let mut scanner = Scanner::new(text);
        let quoted = scanner.string()?;
        if scanner.at_end() { Ok(quoted.decode().into_owned()) } else { Err(NotJson) }
    }

    #[test]
    fn escapes_are_undone() {
        assert_eq!(strings(r#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00ä""#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\tä😀ä");
        assert!(Scanner::new(r#""\u0061b""#).string().unwrap().is("ab"));
        assert!(!Scanner::new(r#""\u0061b""#).string().unwrap().is("abc"));
    }

    #[test]
    fn what_is_no_string_is_refused() {
        for text in [
            "\"",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\n\"",
            "\"\\ud83d\"",
            "\"\\ud83dx\"",
            "\"\\ude00\"",
            "\"\\ud83d\\u0041\"",
            "a",
        ] {
            assert_eq!(strings(text), Err(NotJson), "{text}");
        }
    }

    #[test]
    fn numbers_are_jsons() {
        for good in ["0", "-0", "12", "1.5", "1e5", "1E+5", "-1.25e-3"] {
            assert_eq!(Scanner::new(good).token(), Ok(Token::Number(good)));
        }
        for bad in ["-", "1.", ".5", "1e", "1e+", "+1"] {
            assert_eq!(Scanner::new(bad).token(), Err(NotJson), "{bad}");
        }
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, end) in
            [("12,", 2), ("\"a]\\\"\" ", 6), ("{\"a\":[1,{}]},", 12), ("[] ]", 2), ("true}", 4), ("null", 4)]
        {
            assert_eq!(skip(text, 0), end, "{text}");
        }
    }
}
