//! The commands: what each line of `kstone --help` does.

use std::io;
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::command_line::args::{Cli, Command, ExportArgs, ImportArgs, OutputArgs, QueryArgs, ShellArgs};
use crate::command_line::man;
use crate::failure::Failure;
use crate::import;
use crate::interactive::{self, history};
use crate::interrupt::Interrupt;
use crate::output::terminal::is_interactive;
use crate::output::text::{self, items};
use crate::output::{print, tell};
use crate::script::{self, Flow};
use crate::session::database_file::{self, MEMORY};
use crate::session::{Session, Settings};

/// Carries out what was typed.
///
/// # Errors
/// What the program ends with.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Shell(args) => shell(&args),
        Command::Query(args) => query(&args),
        Command::Import(args) => import(&args),
        Command::Export(args) => export(&args),
        Command::Completions { shell } => completions(shell),
        Command::Man { directory: None } => man::print(),
        Command::Man { directory: Some(directory) } => man::write(&directory),
    }
}

fn shell(args: &ShellArgs) -> Result<(), Failure> {
    let name = &args.database.database;
    let db = database_file::open(name, args.database.schema.as_deref())?;
    let typed = args.commands.is_empty() && is_interactive();
    let mut session = Session::new(db, name, settings(&args.output), typed);
    if typed {
        let history = if args.no_history { None } else { history::path() };
        interactive::run(&mut session, history.as_deref())
    } else if args.commands.is_empty() {
        script::run(&mut session, "standard input", io::stdin().lock()).map(drop)
    } else {
        run_all(&mut session, &args.commands, "-c")
    }
}

fn query(args: &QueryArgs) -> Result<(), Failure> {
    let db = database_file::open(&args.database, None)?;
    if args.save && args.database == MEMORY {
        return Err(Failure::message("--save needs a snapshot to write to"));
    }
    let mut session = Session::new(db, &args.database, settings(&args.output), false);
    run_all(&mut session, &args.statements, "STATEMENT")?;
    if args.save {
        session.db().save_snapshot(&args.database)?;
    }
    Ok(())
}

fn settings(output: &OutputArgs) -> Settings {
    Settings::new(output.format, output.keep_going, output.width.map(usize::from))
}

/// Runs texts of the command line, each as a script of its own.
fn run_all(session: &mut Session, texts: &[String], name: &str) -> Result<(), Failure> {
    let mut outcome = Ok(());
    for (at, text) in texts.iter().enumerate() {
        let name = if texts.len() == 1 { name.to_owned() } else { format!("{name} {}", at + 1) };
        match script::run(session, &name, text.as_bytes()) {
            Ok(Flow::Continue) => {}
            Ok(Flow::Exit) => break,
            Err(Failure::Reported) if session.settings.keep_going => outcome = Err(Failure::Reported),
            Err(failure) => return Err(failure),
        }
    }
    outcome
}

fn import(args: &ImportArgs) -> Result<(), Failure> {
    let into = text::path(&args.into);
    let name = if args.into.exists() { into.as_str() } else { MEMORY };
    let db = database_file::open(name, args.schema.as_deref())?;
    for file in &args.files {
        let imported = import::import(&db, file, &args.options, &Interrupt::default())?;
        tell(format_args!("{}: {imported}", text::path(file)));
    }
    db.save_snapshot(Path::new(&args.into))?;
    Ok(())
}

fn export(args: &ExportArgs) -> Result<(), Failure> {
    let db = database_file::open(&text::path(&args.database), None)?;
    let exported = db.export_json_file(&args.file)?;
    tell(format_args!("{} written to {}", items(exported), text::path(&args.file)));
    Ok(())
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kstone", &mut text);
    Ok(print(&String::from_utf8_lossy(&text))?)
}
