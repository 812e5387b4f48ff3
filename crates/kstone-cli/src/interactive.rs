//! The interactive loop: a line editor that reads whole statements, and what they do.

use std::fs;
use std::path::{Path, PathBuf};

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, Config, Editor};

use crate::failure::Failure;
use crate::input::splitter::split;
use crate::input::with_dot;
use crate::output::style::{PROMPT, paint};
use crate::output::terminal::colours_wanted;
use crate::output::text;
use crate::output::{print, tell};
use crate::script::{Flow, run_file, run_unit};
use crate::session::Session;

mod assistant;
mod banner;
pub(crate) mod history;
pub(crate) mod rc;

use assistant::Assistant;
use banner::banner;

/// How many entries the history keeps.
const HISTORY_MAX: usize = 1_000;

/// How often Ctrl-D is pressed in a row before the shell leaves without asking.
const ENDS_MAX: usize = 8;

type LineEditor = Editor<Assistant, FileHistory>;

/// Reads and runs until the user leaves.
///
/// # Errors
/// Where the terminal fails.
pub(crate) fn run(session: &mut Session, rc: Option<&Path>, history: Option<&Path>) -> Result<(), Failure> {
    print(&format!("{}\n", banner(session.source())))?;
    let mut editor = editor(session).map_err(editing_failed)?;
    let mut history = history.map(Path::to_owned);
    if let Some(path) = &history {
        load_history(&mut editor, path);
    }
    if let Some(rc) = rc
        && run_rc(session, rc)? == Flow::Exit
    {
        return Ok(());
    }
    let mut ends = 0;
    loop {
        let plain = prompt(session);
        let styled = paint(colours_wanted(), PROMPT, &plain);
        let read = editor.readline(&(plain, styled));
        ends = if matches!(read, Err(ReadlineError::Eof)) { ends + 1 } else { 0 };
        match read {
            Ok(text) if text.trim().is_empty() => {}
            Ok(text) => {
                remember(&mut editor, &mut history, text.trim());
                if run_text(session, &text)? == Flow::Exit {
                    return Ok(());
                }
            }
            Err(ReadlineError::Interrupted) => {}
            // A terminal that is gone ends for ever: then there is nobody to ask.
            Err(ReadlineError::Eof) if ends > ENDS_MAX || session.may_leave("leaving")? => return Ok(()),
            Err(ReadlineError::Eof) => {}
            Err(error) => return Err(editing_failed(error)),
        }
    }
}

/// Runs the file of settings. What is wrong with it is told, with its line, and does not keep the shell from starting.
fn run_rc(session: &mut Session, rc: &Path) -> Result<Flow, Failure> {
    match run_file(session, rc) {
        Ok(flow) => Ok(flow),
        Err(Failure::PipeClosed) => Err(Failure::PipeClosed),
        Err(Failure::Reported) => Ok(Flow::Continue),
        Err(failure) => {
            session.complain(&failure);
            Ok(Flow::Continue)
        }
    }
}

/// Runs what was typed, up to its first error.
fn run_text(session: &mut Session, text: &str) -> Result<Flow, Failure> {
    session.interrupt().clear();
    let done = split(&with_dot(text)).and_then(|units| {
        for located in units {
            if run_unit(session, &located.unit)? == Flow::Exit {
                return Ok(Flow::Exit);
            }
        }
        Ok(Flow::Continue)
    });
    match done {
        Err(Failure::PipeClosed) => return Err(Failure::PipeClosed),
        Err(Failure::Reported) => {}
        Err(failure) => session.complain(&failure),
        Ok(flow) => return Ok(flow),
    }
    Ok(Flow::Continue)
}

fn prompt(session: &Session) -> String {
    match session.forks() {
        0 => "kstone> ".to_owned(),
        1 => "kstone (fork)> ".to_owned(),
        forks => format!("kstone (fork {forks})> "),
    }
}

fn editor(session: &Session) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .completion_type(rustyline::CompletionType::List)
        .completion_show_all_if_ambiguous(true)
        // What is edited is always shown by the assistant, which has colours of its own or none.
        .color_mode(ColorMode::Forced)
        .max_history_size(HISTORY_MAX)?
        .history_ignore_space(true)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::new(session.vocabulary().clone(), colours_wanted())));
    Ok(editor)
}

/// A history that cannot be read is told and then written anew at the same place.
fn load_history(editor: &mut LineEditor, path: &Path) {
    if path.exists()
        && let Err(error) = editor.load_history(path)
    {
        tell(format_args!("the history in {} cannot be read: {error}", text::path(path)));
    }
}

/// Adds an entry to the history and its file; where the file cannot be written, the user is told once.
fn remember(editor: &mut LineEditor, history: &mut Option<PathBuf>, text: &str) {
    // Only what is longer than the history may be is not added, or what begins with a blank.
    let added = editor.add_history_entry(text);
    let Some(path) = history else { return };
    let written = added.and_then(|_| {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        editor.append_history(path)
    });
    if let Err(error) = written {
        tell(format_args!("the history cannot be written to {}: {error}", text::path(path)));
        *history = None;
    }
}

fn editing_failed(error: ReadlineError) -> Failure {
    Failure::message(format!("the line cannot be edited: {error}"))
}
