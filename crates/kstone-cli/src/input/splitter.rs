//! Statements and dot commands out of text, line by line.
//!
//! A statement ends at a `;` outside strings, quoted names and comments; a dot command is a line that begins with a dot
//! where no statement is open. Comments become blanks, so that what follows keeps its line and column.
//!
//! Invariant: at most [`STATEMENT_MAX_BYTES`] are held, and each byte is looked at once.

use crate::failure::Failure;
use crate::input::lexis::{Place, Scanner};

/// The most that is held of a statement: more than the database reads, and a bound for input that never ends one.
const STATEMENT_MAX_BYTES: usize = 1 << 20;

/// Something to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unit {
    /// A statement, without its semicolon.
    Statement(String),
    /// A dot command, without blanks around it.
    Command(String),
}

/// A unit and the line on which it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) unit: Unit,
    pub(crate) line: usize,
}

/// Takes lines and gives units.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    scanner: Scanner,
    statement: String,
    /// Where the statement begins; meaningless while it is empty.
    begun: usize,
    /// Where the string, name or comment begins that is open.
    opened: usize,
    line: usize,
}

impl Splitter {
    /// Takes the next line, with its line end, and gives what it completes.
    pub(crate) fn push(&mut self, line: &str) -> Result<Vec<Located>, Failure> {
        self.line += 1;
        if self.is_idle() && line.trim_start().starts_with('.') {
            let unit = Unit::Command(line.trim().to_owned());
            return Ok(vec![Located { unit, line: self.line }]);
        }
        let mut complete = Vec::new();
        let mut rest = line;
        while !rest.is_empty() {
            let was_open = self.scanner.inside() != Place::Code;
            let (place, run) = self.scanner.next(&mut rest);
            match place {
                Place::End => complete.extend(self.take()),
                Place::LineComment | Place::BlockComment => {
                    let blank = run.chars().map(|c| if c == '\n' { c } else { ' ' });
                    self.add(&blank.collect::<String>());
                }
                Place::Code | Place::Text | Place::Name => self.add(run),
            }
            if !was_open {
                self.opened = self.line;
            }
        }
        if self.statement.len() > STATEMENT_MAX_BYTES {
            let begun = self.begun;
            return Err(Failure::message(format!(
                "the statement that begins at line {begun} is longer than {STATEMENT_MAX_BYTES} bytes: is a ; missing?"
            )));
        }
        Ok(complete)
    }

    /// Whether nothing is open: no statement, no comment but one that the line's end closes.
    pub(crate) fn is_idle(&self) -> bool {
        self.statement.is_empty() && matches!(self.scanner.inside(), Place::Code | Place::LineComment)
    }

    /// The statement that the end of the input leaves, which then needs no semicolon.
    ///
    /// # Errors
    /// Where a string, a name or a comment is not closed.
    pub(crate) fn finish(mut self) -> Result<Option<Located>, Failure> {
        let open = match self.scanner.inside() {
            Place::Text => "string",
            Place::Name => "quoted name",
            Place::BlockComment => "comment",
            Place::Code | Place::LineComment | Place::End => return Ok(self.take()),
        };
        Err(Failure::message(format!("the {open} that begins at line {} is not closed", self.opened)))
    }

    fn add(&mut self, run: &str) {
        let run = if self.statement.is_empty() { run.trim_start() } else { run };
        if self.statement.is_empty() {
            self.begun = self.line;
        }
        self.statement.push_str(run);
    }

    fn take(&mut self) -> Option<Located> {
        let mut statement = std::mem::take(&mut self.statement);
        statement.truncate(statement.trim_end().len());
        (!statement.is_empty()).then_some(Located { unit: Unit::Statement(statement), line: self.begun })
    }
}

/// The units of a whole text.
///
/// # Errors
/// As [`Splitter::push`] and [`Splitter::finish`].
pub(crate) fn split(text: &str) -> Result<Vec<Located>, Failure> {
    let mut splitter = Splitter::default();
    let mut units = Vec::new();
    for line in text.split_inclusive('\n') {
        units.extend(splitter.push(line)?);
    }
    units.extend(splitter.finish()?);
    Ok(units)
}

/// Whether Enter runs this text, instead of going on with the statement on another line.
pub(crate) fn is_complete(text: &str) -> bool {
    let mut splitter = Splitter::default();
    let pushed = text.split_inclusive('\n').try_for_each(|line| splitter.push(line).map(drop));
    pushed.is_err() || splitter.is_idle()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(text: &str, line: usize) -> Located {
        Located { unit: Unit::Statement(text.to_owned()), line }
    }

    #[test]
    fn statements_end_at_semicolons_outside_quotes_and_comments() {
        let text = "SELECT ';' FROM a; -- not; this\n\n/* nor;\nthis */ SELECT\n  \"b;\" ;; SELECT 3";
        assert_eq!(
            split(text).unwrap(),
            [statement("SELECT ';' FROM a", 1), statement("SELECT\n  \"b;\"", 4), statement("SELECT 3", 5)]
        );
    }

    #[test]
    fn a_comment_inside_a_statement_leaves_lines_and_columns_alone() {
        assert_eq!(split("SELECT -- all\n/* of\nit */ *;").unwrap(), [statement("SELECT       \n     \n      *", 1)]);
    }

    #[test]
    fn a_dot_command_is_a_line_where_no_statement_is_open() {
        let command = |text: &str, line| Located { unit: Unit::Command(text.to_owned()), line };
        assert_eq!(
            split(".help\n SELECT a\n.5;\n  .quit  \n-- c\n.stats").unwrap(),
            [command(".help", 1), statement("SELECT a\n.5", 2), command(".quit", 4), command(".stats", 6)]
        );
    }

    #[test]
    fn what_is_open_at_the_end_is_an_error_that_says_where() {
        for (text, error) in [
            ("SELECT\n'a\nb", "the string that begins at line 2 is not closed"),
            ("\"a", "the quoted name that begins at line 1 is not closed"),
            ("a;\n\n/* b", "the comment that begins at line 3 is not closed"),
        ] {
            assert_eq!(split(text).unwrap_err().to_string(), error);
        }
        assert_eq!(split("-- nothing").unwrap(), []);
    }

    #[test]
    fn a_statement_that_never_ends_is_refused() {
        let line = format!("{}\n", "x".repeat(1 << 20));
        let error = split(&line.repeat(2)).unwrap_err().to_string();
        assert!(error.starts_with("the statement that begins at line 1 is longer than"), "{error}");
    }

    #[test]
    fn enter_runs_what_is_complete() {
        for complete in ["", "  \n", ".help", "SELECT 1;", "SELECT 1; -- done", "-- comment", "a;\nb;"] {
            assert!(is_complete(complete), "{complete}");
        }
        for incomplete in ["SELECT", "SELECT ';", "/* a", "a; b", "SELECT\n.5"] {
            assert!(!is_complete(incomplete), "{incomplete}");
        }
    }
}
