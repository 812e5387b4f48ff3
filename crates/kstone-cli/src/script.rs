//! Statements and dot commands from a file, a pipe or the command line.

use std::io::{BufRead, BufReader};
use std::path::Path;

use crate::failure::Failure;
use crate::input::lines::Lines;
use crate::input::splitter::{Located, Splitter, Unit};
use crate::output::text;
use crate::run::{self, Next};
use crate::session::Session;

/// Whether there is more to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Continue,
    Exit,
}

/// Runs one statement or command, and the file that it names where it is `.read`.
///
/// # Errors
/// Those of the statement or command; [`Failure::Reported`] where the user has been told already.
pub(crate) fn run_unit(session: &mut Session, unit: &Unit) -> Result<Flow, Failure> {
    match run::unit(session, unit)? {
        Next::Continue => Ok(Flow::Continue),
        Next::Exit => Ok(Flow::Exit),
        Next::Read(file) => run_file(session, &file),
    }
}

/// Runs everything there is, up to the first error or to the end, as the session's settings say.
///
/// Errors are told as they occur, with `name` and the line on which their statement begins.
///
/// # Errors
/// [`Failure::Reported`] after an error that was told; [`Failure::PipeClosed`]; [`Failure::Interrupted`].
pub(crate) fn run(session: &mut Session, name: &str, input: impl BufRead) -> Result<Flow, Failure> {
    let mut lines = Lines::new(input);
    let mut splitter = Splitter::default();
    let mut failed = false;
    loop {
        let line = lines.next().map_err(|failure| session.interrupt().blamed(failure));
        let line = line.map_err(|failure| told(session, failure, &name))?;
        let at_end = line.is_none();
        let units = match line {
            Some(line) => splitter.push(&line),
            None => std::mem::take(&mut splitter).finish().map(|unit| unit.into_iter().collect()),
        };
        for Located { unit, line } in units.map_err(|failure| told(session, failure, &name))? {
            match run_unit(session, &unit) {
                Ok(Flow::Continue) => {}
                Ok(Flow::Exit) => return ended(failed, Flow::Exit),
                Err(failure @ (Failure::Message(_) | Failure::Reported)) => {
                    told(session, failure, &format_args!("{name}: line {line}"));
                    failed = true;
                    if !session.settings.keep_going {
                        return Err(Failure::Reported);
                    }
                }
                Err(failure) => return Err(failure),
            }
        }
        if at_end {
            return ended(failed, Flow::Continue);
        }
    }
}

/// Runs a file, which may run others.
///
/// # Errors
/// As [`run`]; where the file cannot be read.
pub(crate) fn run_file(session: &mut Session, path: &Path) -> Result<Flow, Failure> {
    let name = text::path(path);
    let file = session.interrupt().open(path).map_err(|error| Failure::from(error).at(&name))?;
    session.nested(|session| run(session, &name, BufReader::new(file)))
}

fn ended(failed: bool, flow: Flow) -> Result<Flow, Failure> {
    if failed { Err(Failure::Reported) } else { Ok(flow) }
}

/// Tells the user of a failure at a place, unless that was done.
fn told(session: &Session, failure: Failure, place: &dyn std::fmt::Display) -> Failure {
    match failure.at(place) {
        failure @ Failure::Message(_) => {
            session.complain(&failure);
            Failure::Reported
        }
        other => other,
    }
}
