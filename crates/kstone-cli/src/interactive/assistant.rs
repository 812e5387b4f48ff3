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
use crate::input::words::is_keyword;
use crate::output::style::{COMMAND, FAINT, KEYWORD, NAME, NUMBER, TEXT, paint};
use crate::output::text::{is_unsafe, visible_lines};
use crate::session::vocabulary::Vocabulary;

mod complete;

use complete::{Completion, complete};

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
            Completion::File => {
                let (start, mut files) = match at_home(line, pos) {
                    Some((expanded, home)) => {
                        let (start, mut files) = self.files.complete_path(&expanded, expanded.len())?;
                        for file in &mut files {
                            file.replacement = file.replacement.replacen(&home, "~", 1);
                        }
                        (start, files)
                    }
                    None => self.files.complete_path(line, pos)?,
                };
                files.retain(|file| is_shown(&file.replacement));
                Ok((start, files))
            }
            Completion::Words(start, words) => {
                let pair = |word: String| Pair { display: word.trim_end().to_owned(), replacement: word };
                Ok((start, words.into_iter().filter(|word| is_shown(word)).map(pair).collect()))
            }
        }
    }
}

/// The line up to the cursor with the home directory in the place of the `~` that its last word begins with, and that
/// directory; none where there is no such word, or the directory would have to be quoted.
fn at_home(line: &str, pos: usize) -> Option<(String, String)> {
    let typed = &line[..pos];
    let (before, word) = typed.split_at(typed.rfind(' ')? + 1);
    let inside = word.strip_prefix('~').filter(|inside| inside.starts_with('/'))?;
    let home = std::env::var("HOME").ok()?;
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    (home.starts_with('/') && home.chars().all(is_plain)).then(|| (format!("{before}{home}{inside}"), home))
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
        if let Some(text) = self.history.hint(line, pos, context).filter(|text| is_shown(text)) {
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
        match (marked(line), self.colours) {
            (line, true) => Cow::Owned(highlight(&line)),
            (line, false) => line,
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colours { Cow::Owned(paint(true, FAINT, hint)) } else { Cow::Borrowed(hint) }
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

/// Whether a text may be offered: one that a terminal would act upon is not, for it could only be typed escaped.
fn is_shown(text: &str) -> bool {
    visible_lines(text) == text
}

/// The line as it is shown while it is edited: a mark for each character that a terminal would act upon.
fn marked(line: &str) -> Cow<'_, str> {
    if is_shown(line) {
        return Cow::Borrowed(line);
    }
    Cow::Owned(line.chars().map(|c| if is_unsafe(c) && !matches!(c, '\n' | '\t') { MARK } else { c }).collect())
}

/// What stands for a character that cannot be shown.
const MARK: char = '\u{fffd}';

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
    use super::{highlight, is_shown, marked};

    #[test]
    fn what_a_terminal_would_act_upon_is_marked_while_it_is_edited_and_never_offered() {
        for (line, shown) in [
            ("SELECT '\u{1b}]52;c;aGk=\u{7}'", "SELECT '\u{fffd}]52;c;aGk=\u{fffd}'"),
            ("a\u{202e}\u{9b}b", "a\u{fffd}\u{fffd}b"),
        ] {
            assert_eq!(marked(line), shown);
            assert!(!is_shown(line));
        }
        assert!(is_shown("SELECT\n\t'ä'") && marked("SELECT\n\t'ä'") == "SELECT\n\t'ä'");
    }

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
