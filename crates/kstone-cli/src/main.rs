//! The `kstone` command: a shell and a few one-off commands on an in-memory database, on `kstone-api` alone.
//!
//! ```text
//! args        what is typed after `kstone`
//! command     carries it out: shell, query, import, export, completions, man
//! shell       the interactive loop       script   statements from a file, a pipe or the command line
//!     assistant, history                     lines
//!                  └────────── splitter ─────────┘     statements and dot commands out of text
//!                              session                 one database, its settings, and what runs on it
//!                    dot, dot_run    execute           dot commands; statements, page by page
//!                                    format/, pager    results as text
//!                                    import/           files into the database
//! ```
//!
//! Results go to standard output, everything else to standard error. One thread; a signal handler sets a flag.

mod args;
mod assistant;
mod banner;
mod command;
mod database_file;
mod dot;
mod dot_run;
mod examples;
mod execute;
mod failure;
mod format;
mod history;
mod import;
mod indent;
mod indexes;
mod interrupt;
mod lexis;
mod lines;
mod man;
mod pager;
mod script;
mod session;
mod shell;
mod splitter;
mod style;
mod terminal;
mod text;
mod vocabulary;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match command::run(args::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
