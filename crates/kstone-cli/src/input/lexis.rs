//! What a run of PartiQL's characters is: code, a string, a quoted name, a comment. No grammar.
//!
//! Just enough to know which `;` ends a statement, and to colour what is being typed. A scanner takes text in pieces,
//! such as lines, and remembers between them what it is inside of. Reading is linear in the text.

/// What a run of characters is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Place {
    /// Words, numbers and marks.
    #[default]
    Code,
    /// A string in single quotes, quotes included.
    Text,
    /// A name in double quotes, quotes included.
    Name,
    /// From `--` to the end of the line, without it.
    LineComment,
    /// From `/*` to `*/`.
    BlockComment,
    /// The semicolon that ends a statement.
    End,
}

/// Where in the text the scanner is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    inside: Place,
}

impl Scanner {
    /// What the scanner is inside of: code where nothing is open.
    pub(crate) fn inside(&self) -> Place {
        self.inside
    }

    /// Takes the first run off the text, which is not empty. A quote within quotes is written twice, so that such a
    /// string is two runs.
    pub(crate) fn next<'t>(&mut self, text: &mut &'t str) -> (Place, &'t str) {
        let mut opened = 0;
        if self.inside == Place::Code {
            let begun = match text.as_bytes() {
                [b';', ..] => Some((Place::End, 1)),
                [b'\'', ..] => Some((Place::Text, 1)),
                [b'"', ..] => Some((Place::Name, 1)),
                [b'-', b'-', ..] => Some((Place::LineComment, 2)),
                [b'/', b'*', ..] => Some((Place::BlockComment, 2)),
                _ => None,
            };
            (self.inside, opened) = begun.unwrap_or_default();
        }
        let place = self.inside;
        let rest = &text[opened..];
        let end = match place {
            Place::Code => code_end(rest),
            Place::End => Some(0),
            Place::Text => rest.find('\'').map(|at| at + 1),
            Place::Name => rest.find('"').map(|at| at + 1),
            Place::LineComment => rest.find('\n'),
            Place::BlockComment => rest.find("*/").map(|at| at + 2),
        };
        if end.is_some() {
            self.inside = Place::Code;
        }
        let (run, left) = text.split_at(opened + end.unwrap_or(rest.len()));
        *text = left;
        (place, run)
    }
}

/// Where code stops being code.
fn code_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len()).find(|&at| match bytes[at] {
        b';' | b'\'' | b'"' => true,
        b'-' => bytes.get(at + 1) == Some(&b'-'),
        b'/' => bytes.get(at + 1) == Some(&b'*'),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(mut text: &str) -> Vec<(Place, &str)> {
        let mut scanner = Scanner::default();
        let mut runs = Vec::new();
        while !text.is_empty() {
            runs.push(scanner.next(&mut text));
        }
        runs
    }

    #[test]
    fn quotes_and_comments_hide_what_is_in_them() {
        assert_eq!(
            runs("SELECT ';--' FROM \"a;\" -- b;\n/* ; */;"),
            [
                (Place::Code, "SELECT "),
                (Place::Text, "';--'"),
                (Place::Code, " FROM "),
                (Place::Name, "\"a;\""),
                (Place::Code, " "),
                (Place::LineComment, "-- b;"),
                (Place::Code, "\n"),
                (Place::BlockComment, "/* ; */"),
                (Place::End, ";"),
            ]
        );
    }

    #[test]
    fn a_doubled_quote_stays_inside() {
        assert_eq!(
            runs("'it''s;'-1/2;"),
            [(Place::Text, "'it'"), (Place::Text, "'s;'"), (Place::Code, "-1/2"), (Place::End, ";")]
        );
    }

    #[test]
    fn what_is_open_stays_open_over_pieces() {
        let mut scanner = Scanner::default();
        for (mut piece, inside) in
            [("/* one\n", Place::BlockComment), ("two; */ 'a\n", Place::Text), ("b' -- c", Place::LineComment)]
        {
            while !piece.is_empty() {
                scanner.next(&mut piece);
            }
            assert_eq!(scanner.inside(), inside);
        }
    }
}
