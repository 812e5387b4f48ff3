//! The commands: what each line of `kstone --help` does.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::command_line::args::{Cli, Command, ExportArgs, ImportArgs, OutputArgs, QueryArgs, ShellArgs};
use crate::command_line::man;
use crate::failure::Failure;
use crate::import;
use crate::interactive::{self, history, rc};
use crate::interrupt::Interrupt;
use crate::output::terminal::is_interactive;
use crate::output::text::{self, items};
use crate::output::{print, tell};
use crate::script::{self, Flow};
use crate::serve;
use crate::session::database_file::{self, Source};
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
        Command::Serve(args) => serve::run(&args),
        Command::Healthcheck { url } => serve::healthcheck(&url),
        Command::Completions { shell } => completions(shell),
        Command::Man { directory: None } => man::print(),
        Command::Man { directory: Some(directory) } => man::write(&directory),
    }
}

fn shell(args: &ShellArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::caught()?;
    let source = Source::of(&args.database.database);
    let db = database_file::open(&source, args.database.schema.as_deref(), &interrupt)?;
    let typed = args.commands.is_empty() && is_interactive();
    let mut session = Session::new(db, source, settings(&args.output), interrupt, typed);
    let rc = args.rc.clone().or_else(|| rc::path().filter(|_| typed && !args.no_rc));
    if typed {
        let history = if args.no_history { None } else { history::path() };
        return interactive::run(&mut session, rc.as_deref(), history.as_deref());
    }
    let outcome = run_script(&mut session, rc.as_deref(), &args.commands);
    warn_unsaved(&session, ".save");
    outcome
}

/// Runs what there is where nobody types.
fn run_script(session: &mut Session, rc: Option<&Path>, commands: &[String]) -> Result<(), Failure> {
    if let Some(rc) = rc
        && script::run_file(session, rc)? == Flow::Exit
    {
        return Ok(());
    }
    if commands.is_empty() {
        let input = session.input()?;
        return script::run(session, "standard input", input).map(drop);
    }
    run_all(session, commands, "-c")
}

fn query(args: &QueryArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::caught()?;
    let source = Source::of(&args.database);
    if args.save && source == Source::Memory {
        return Err(Failure::message("--save needs a snapshot to write to"));
    }
    let db = database_file::open(&source, None, &interrupt)?;
    let mut session = Session::new(db, source, settings(&args.output), interrupt, false);
    if args.save {
        session = session.pinned();
    }
    let outcome = run_all(&mut session, &args.statements, "STATEMENT").and_then(|()| match args.save {
        true if session.forks() > 0 => Err(Failure::message("--save: .fork keep or .fork drop says what to save")),
        true => session.save(None).map(drop),
        false => Ok(()),
    });
    warn_unsaved(&session, "--save");
    outcome
}

/// Tells of changes that get lost, where nobody is asked.
fn warn_unsaved(session: &Session, how: &str) {
    if session.is_unsaved() {
        tell(format_args!("warning: {}: {how} does that", session.unsaved()));
    }
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
    let interrupt = Interrupt::caught()?;
    let source = if args.into.exists() { Source::File(args.into.clone()) } else { Source::Memory };
    let db = database_file::open(&source, args.schema.as_deref(), &interrupt)?;
    for file in &args.files {
        let imported =
            import::import(&db, file, &args.options, &interrupt).map_err(|failure| interrupt.blamed(failure))?;
        tell(format_args!("{}: {imported}", text::path(file)));
    }
    db.save_snapshot(&args.into)?;
    Ok(())
}

fn export(args: &ExportArgs) -> Result<(), Failure> {
    let interrupt = Interrupt::caught()?;
    database_file::refuse_own(Some(&args.database), &args.file)?;
    let db = database_file::open(&Source::File(args.database.clone()), None, &interrupt)?;
    let exported = db.export_json_file(&args.file)?;
    tell(format_args!("{} written to {}", items(exported), text::path(&args.file)));
    Ok(())
}

fn completions(shell: Shell) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kstone", &mut text);
    Ok(print(&String::from_utf8_lossy(&text))?)
}
