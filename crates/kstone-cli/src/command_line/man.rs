//! Manual pages, made of the same description as `--help`, and of what a command line cannot say of itself.

use std::fs;
use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::command_line::args::Cli;
use crate::command_line::examples::examples;
use crate::dot;
use crate::failure::Failure;
use crate::output::{self, text};

/// Terms and what there is to say of each, under a heading.
struct Section {
    heading: &'static str,
    entries: Vec<(String, String)>,
}

/// Prints kstone(1).
///
/// # Errors
/// Where the output cannot be written.
pub(crate) fn print() -> Result<(), Failure> {
    Ok(output::print(&String::from_utf8_lossy(&page(command())?))?)
}

/// Writes kstone(1) and a page for each command, such as kstone-shell(1).
///
/// # Errors
/// Where the directory cannot be made or written to.
pub(crate) fn write(directory: &Path) -> Result<(), Failure> {
    let kstone = command();
    let commands: Vec<Command> = kstone.get_subcommands().cloned().collect();
    let failed = |error: io::Error| Failure::from(error).at(text::path(directory));
    fs::create_dir_all(directory).map_err(failed)?;
    for command in commands.into_iter().chain([kstone]) {
        let file = directory.join(Man::new(command.clone()).get_filename());
        fs::write(file, page(command)?).map_err(failed)?;
    }
    Ok(())
}

/// The description of the command line, the name of each command's page in it.
fn command() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let name = command.get_name().to_owned();
    let has_commands = command.has_subcommands();
    let man = Man::new(command).source(concat!("kstone ", env!("CARGO_PKG_VERSION"))).manual("KeystoneDB");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_commands {
        man.render_subcommands_section(&mut page)?;
    }
    for Section { heading, entries } in sections(&name).into_iter().filter(|section| !section.entries.is_empty()) {
        let mut text = Roff::new();
        text.control("SH", [heading]);
        for (term, what) in entries {
            text.control("TP", []).text([bold(term)]).text([roman(what)]);
        }
        text.to_writer(&mut page)?;
    }
    Ok(page)
}

/// What the page of a command has behind its options.
fn sections(command: &str) -> Vec<Section> {
    let entries = |entries: &[(&str, &str)]| -> Vec<(String, String)> {
        entries.iter().map(|(term, what)| ((*term).to_owned(), (*what).to_owned())).collect()
    };
    let of_shell = |all: &[(&str, &str)]| if command == "shell" { entries(all) } else { Vec::new() };
    let dot_commands = if command == "shell" { dot::descriptions() } else { Vec::new() };
    let runs = matches!(command, "shell" | "query");
    vec![
        Section { heading: "DOT COMMANDS", entries: dot_commands },
        Section { heading: "KEYS", entries: of_shell(&KEYS) },
        Section { heading: "ENVIRONMENT", entries: if runs { entries(&ENVIRONMENT) } else { Vec::new() } },
        Section { heading: "FILES", entries: of_shell(&FILES) },
        Section { heading: "EXIT STATUS", entries: entries(&EXIT_STATUS) },
        Section { heading: "EXAMPLES", entries: entries(examples(command)) },
        Section { heading: "SEE ALSO", entries: entries(&SEE_ALSO) },
    ]
}

const KEYS: [(&str, &str); 5] = [
    ("Tab", "completes keywords, names of the table, of indexes and of attributes, dot commands and names of files."),
    ("Up, Down", "go through the history."),
    ("Ctrl-R", "searches it."),
    ("Ctrl-C", "cancels what is typed, and ends what runs: the database is as it was before that statement."),
    ("Ctrl-D", "leaves; asks about changes of a snapshot that are not saved."),
];

const ENVIRONMENT: [(&str, &str); 4] = [
    ("NO_COLOR", "turns colours off."),
    ("KSTONE_HISTORY", "names the history file, and turns history off where it is empty."),
    ("KSTONE_PAGER, PAGER", "name the pager, and turn paging off where they are empty."),
    ("LESS", "the options of less; without it FRSX."),
];

const FILES: [(&str, &str); 2] = [
    ("$XDG_STATE_HOME/kstone/history", "what was typed; without that variable ~/.local/state/kstone/history."),
    (
        "$XDG_CONFIG_HOME/kstone/rc",
        "statements and dot commands that the shell runs on a terminal before the first prompt; without that variable \
         ~/.config/kstone/rc; where there is none, ~/.kstonerc. --rc names another, --no-rc turns it off.",
    ),
];

const EXIT_STATUS: [(&str, &str); 4] = [
    ("0", "All went well, also where a warning tells of changes that were not saved."),
    ("1", "Something failed; standard error says what and, of statements, on which line."),
    ("2", "The command line is wrong."),
    ("130", "Ctrl-C ended it. Files that it was to write are as they were."),
];

const SEE_ALSO: [(&str, &str); 1] = [(
    "docs/partiql.md",
    "in the sources of kstone is the reference of its PartiQL; include/kstone.h that of the library.",
)];
