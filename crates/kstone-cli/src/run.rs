//! What one statement or dot command does to a session.

use std::path::PathBuf;

use crate::dot;
use crate::failure::Failure;
use crate::input::splitter::Unit;
use crate::session::Session;

mod command;
mod dump;
mod statement;

/// What is to be done after a statement or a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// The next one.
    Continue,
    /// Nothing: the session ends.
    Exit,
    /// The statements and commands of this file.
    Read(PathBuf),
}

/// Runs one statement or command and prints what it gives.
///
/// # Errors
/// What the database or the command says; [`Failure::PipeClosed`]; [`Failure::Interrupted`].
pub(crate) fn unit(session: &mut Session, unit: &Unit) -> Result<Next, Failure> {
    session.destination.begin();
    let outcome = match unit {
        Unit::Statement(text) if statement::is_a(text, "DELETE") => {
            session.deleting(|session| statement::run(session, text)).map(|()| Next::Continue)
        }
        Unit::Statement(text) => statement::run(session, text).map(|()| Next::Continue),
        Unit::Command(line) => dot::parse(line).and_then(|dot| command::run(session, dot)),
    };
    session.destination.end();
    if matches!(unit, Unit::Command(_)) && outcome.is_ok() {
        session.learn_database();
    }
    outcome
}
