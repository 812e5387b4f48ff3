//! What the line editor asks while a statement is typed: is it complete, what may follow, how is it coloured.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use crate::dot;
use crate::input::lexis::{Place, Scanner};
use crate::input::splitter::is_complete;
use crate::input::with_dot;
use crate::output::style::{COMMAND, FAINT, KEYWORD, NAME, NUMBER, TEXT, paint};
use crate::session::vocabulary::Vocabulary;

mod complete;

use complete::{Completion, complete, is_keyword};

/// Serves the line editor; shares its vocabulary with the session.
pub(crate) struct Assistant {
    vocabulary: Rc<RefCell<Vocabulary>>,
    files: FilenameCompleter,
    history: HistoryHinter,
    colours: bool,
}

impl Assistant {
    pub(crate) fn new(vocabulary: Rc<RefCell<Vocabulary>>, colours: bool) -> Self {
        Self { vocabulary, files: FilenameCompleter::new(), history: HistoryHinter::new(), colours }
    }
}

impl Helper for Assistant {}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let complete = is_complete(&with_dot(context.input()));
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        match complete(&line[..pos], &self.vocabulary.borrow()) {
            Completion::File => self.files.complete_path(line, pos),
            Completion::Words(start, words) => {
                let pair = |word: String| Pair { display: word.trim_end().to_owned(), replacement: word };
                Ok((start, words.into_iter().map(pair).collect()))
            }
        }
    }
}

/// What is shown behind the cursor.
pub(crate) struct Suggestion {
    text: String,
    /// Whether the right arrow takes it over.
    usable: bool,
}

impl Hint for Suggestion {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.usable.then_some(self.text.as_str())
    }
}

impl Hinter for Assistant {
    type Hint = Suggestion;

    /// What was typed before and began like this; else what a dot command takes.
    fn hint(&self, line: &str, pos: usize, context: &Context<'_>) -> Option<Suggestion> {
        if let Some(text) = self.history.hint(line, pos, context) {
            return Some(Suggestion { text, usable: true });
        }
        let arguments =
            dot::arguments(line.trim_end()).filter(|arguments| pos == line.len() && !arguments.is_empty())?;
        let blank = if line.ends_with(' ') { "" } else { " " };
        Some(Suggestion { text: format!("{blank}{arguments}"), usable: false })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.colours { Cow::Owned(highlight(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colours { Cow::Owned(paint(true, FAINT, hint)) } else { Cow::Borrowed(hint) }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.colours && kind != CmdKind::MoveCursor
    }
}

fn highlight(line: &str) -> String {
    if line.trim_start().starts_with('.') {
        return paint(true, COMMAND, line);
    }
    let mut coloured = String::with_capacity(line.len() * 2);
    let mut scanner = Scanner::default();
    let mut rest = line;
    while !rest.is_empty() {
        match scanner.next(&mut rest) {
            (Place::Code, run) => highlight_code(run, &mut coloured),
            (Place::Text, run) => coloured.push_str(&paint(true, TEXT, run)),
            (Place::Name, run) => coloured.push_str(&paint(true, NAME, run)),
            (Place::LineComment | Place::BlockComment, run) => coloured.push_str(&paint(true, FAINT, run)),
            (Place::End, run) => coloured.push_str(run),
        }
    }
    coloured
}

fn highlight_code(code: &str, coloured: &mut String) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| is_word(c) != is_word(first);
        let (run, left) = rest.split_at(rest.find(same).unwrap_or(rest.len()));
        rest = left;
        if is_keyword(run) {
            coloured.push_str(&paint(true, KEYWORD, run));
        } else if first.is_ascii_digit() {
            coloured.push_str(&paint(true, NUMBER, run));
        } else {
            coloured.push_str(run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::highlight;

    #[test]
    fn colours_tell_keywords_strings_names_numbers_and_comments_apart() {
        let marked = highlight("select a1 FROM \"t\" WHERE n >= 12 and s='x' -- c")
            .replace("\u{1b}[1m\u{1b}[34m", "<k>")
            .replace("\u{1b}[32m", "<t>")
            .replace("\u{1b}[36m", "<n>")
            .replace("\u{1b}[33m", "<#>")
            .replace("\u{1b}[2m", "<c>")
            .replace("\u{1b}[0m", "</>");
        assert_eq!(
            marked,
            "<k>select</> a1 <k>FROM</> <n>\"t\"</> <k>WHERE</> n >= <#>12</> <k>and</> s=<t>'x'</> <c>-- c</>"
        );
        assert_eq!(highlight(".format json"), "\u{1b}[35m.format json\u{1b}[0m");
    }
}
