//! The `kstone` command: a shell and a few one-off commands on an in-memory database, on `kstone-api`, and `kstone serve` on
//! `kstone-server`.
//!
//! ```text
//! command            carries out what was typed after `kstone`: shell, query, import, export, completions, man
//!     command_line/  arguments, examples, manual pages
//! interactive/       the shell: line editor, completion, history, banner
//! script             statements from a file, a pipe or the command line; files that read files
//! run/               what one statement or dot command does to a session
//! dot                the dot commands: names, arguments, help
//! session/           one database, the file it is of, its forks and settings
//! serve              DynamoDB's HTTP interface, on kstone-server
//! import             files into a database
//! format/            results as text
//! input/             statements and dot commands out of text
//! output/            the terminal: colours, widths, paging
//! ```
//! Each knows only what stands below it.
//!
//! Results go to standard output, everything else to standard error. One thread; a signal handler sets a flag.

mod command;
mod command_line;
mod dot;
mod failure;
mod format;
mod import;
mod input;
mod interactive;
mod interrupt;
mod output;
mod run;
mod script;
mod serve;
mod session;

use std::process::ExitCode;

use clap::Parser as _;

use command_line::dynamodb_local;
use failure::Failure;

fn main() -> ExitCode {
    let outcome = match command_line::args::Cli::try_parse_from(dynamodb_local::translated(std::env::args_os())) {
        Ok(cli) => command::run(cli),
        Err(error) => return usage(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure),
    }
}

/// Prints the help that was asked for, or what is wrong with the command line.
fn usage(error: &clap::Error) -> ExitCode {
    output::usage(error);
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What a command line shell takes for the end by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Tells the user why the program ends; what it exits with.
fn report(failure: &Failure) -> ExitCode {
    match failure {
        Failure::Message(_) => {
            output::tell(failure);
            ExitCode::FAILURE
        }
        Failure::Interrupted => {
            output::tell(failure);
            ExitCode::from(INTERRUPTED)
        }
        Failure::Reported => ExitCode::FAILURE,
        Failure::PipeClosed => ExitCode::SUCCESS,
    }
}
