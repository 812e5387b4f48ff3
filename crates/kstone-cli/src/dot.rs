//! Dot commands: their names, arguments and help.
//!
//! A line is split into words as a POSIX shell does, so that names with blanks can be quoted, and parsed as a command
//! line of its own.

use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches as _, Subcommand, ValueEnum};

use crate::failure::Failure;
use crate::format::Format;
use crate::import::ImportOptions;

/// How many slips of the finger a name may be away to be suggested.
const SUGGESTED_DISTANCE_MAX: usize = 2;

/// What a schema may say.
const SCHEMA: &str = r#"A schema may have these members, and none is needed:
  {"name": "orders",
   "local_indexes": [{"name": "by-total", "sort_key": "total"}],
   "global_indexes": [{"name": "by-status", "partition_key": "status", "sort_key": "total",
                       "projection": ["city"]}],
   "ttl_attribute": "expires_at",
   "stream": {"view_type": "NEW_IMAGE", "capacity": 1000}}"#;

/// A dot command.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Dot {
    /// Show all commands, or one of them
    #[command(name = ".help")]
    Help {
        /// The command to explain
        command: Option<String>,
    },
    /// Change how results are printed, or show how
    #[command(name = ".format")]
    Format {
        /// The new format
        format: Option<Format>,
    },
    /// Exit the shell
    #[command(name = ".exit", visible_alias = ".quit")]
    Exit,
    /// Show the schema as JSON, or put another in force
    #[command(name = ".schema", after_help = SCHEMA)]
    Schema {
        /// A file with a schema as JSON, or the JSON itself between single quotes
        #[arg(value_name = "FILE|JSON")]
        schema: Option<PathBuf>,
    },
    /// List the indexes
    #[command(name = ".indexes")]
    Indexes,
    /// Show what the database holds
    #[command(name = ".stats")]
    Stats,
    /// Show how long statements take
    #[command(name = ".timer")]
    Timer {
        /// Whether to
        switch: Option<Switch>,
    },
    /// Clear the screen
    #[command(name = ".clear")]
    Clear,
    /// Run the statements and commands of a file
    #[command(name = ".read")]
    Read {
        /// The file
        file: PathBuf,
    },
    /// Load items: CSV with headings, JSON lines or an export of DynamoDB's
    #[command(name = ".import")]
    Import {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
    /// Write all items to a file, as lines of DynamoDB's JSON
    #[command(name = ".export")]
    Export {
        /// The file
        file: PathBuf,
    },
    /// Write a snapshot
    #[command(name = ".save")]
    Save {
        /// The file [default: the one that was opened]
        file: Option<PathBuf>,
    },
    /// Open a snapshot, or an empty database with :memory:, in the place of this one
    #[command(name = ".open")]
    Open {
        /// The file
        file: String,
    },
    /// Show how each SELECT is carried out
    #[command(name = ".explain")]
    Explain {
        /// Whether to
        switch: Option<Switch>,
    },
    /// Go on with a copy, to try something; keep it or drop it afterwards
    #[command(name = ".fork")]
    Fork {
        /// What becomes of the copy; without it a new one is made
        end: Option<ForkEnd>,
    },
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

/// How a fork ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForkEnd {
    /// Let go of the database it was made from.
    Keep,
    /// Go back to the database it was made from.
    Drop,
}

/// Reads a line that begins with a dot.
///
/// # Errors
/// Says what is wrong, and what may have been meant.
pub(crate) fn parse(line: &str) -> Result<Dot, Failure> {
    let Some(words) = shlex::split(line) else {
        return Err(Failure::message("a quote is not closed"));
    };
    let matches = commands().try_get_matches_from(&words).and_then(|matches| Dot::from_arg_matches(&matches));
    matches.map_err(|error| explain(&words, &error))
}

/// All commands. `.help` is what shows their help.
fn commands() -> Command {
    let line = Command::new("").no_binary_name(true).subcommand_required(true).disable_help_subcommand(true);
    Dot::augment_subcommands(line).mut_subcommands(|command| command.disable_help_flag(true))
}

fn explain(words: &[String], error: &clap::Error) -> Failure {
    let name = words.first().map_or(".", String::as_str);
    if error.kind() == ErrorKind::InvalidSubcommand {
        return Failure::message(unknown(name));
    }
    let text = error.render().to_string();
    Failure::message(text.trim().trim_start_matches("error: "))
}

fn unknown(name: &str) -> String {
    let distance = |known: &String| strsim::osa_distance(name, known);
    match names().min_by_key(distance).filter(|known| distance(known) <= SUGGESTED_DISTANCE_MAX) {
        Some(nearest) => format!("unknown command {name}: did you mean {nearest}?"),
        None => format!("unknown command {name}: .help lists all there are"),
    }
}

/// The names of all commands, the second names included.
pub(crate) fn names() -> impl Iterator<Item = String> {
    let all: Vec<Command> = commands().get_subcommands().cloned().collect();
    all.into_iter().flat_map(|command| {
        let aliases = command.get_visible_aliases().map(str::to_owned).collect::<Vec<_>>();
        std::iter::once(command.get_name().to_owned()).chain(aliases)
    })
}

/// What may follow a command's name, such as `[on|off]`; none for what is no command.
pub(crate) fn arguments(name: &str) -> Option<String> {
    let all = commands();
    let command = all.find_subcommand(name)?;
    let arguments = command.get_arguments().map(|argument| {
        let values: Vec<_> = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        let value = match argument.get_value_names() {
            Some([name, ..]) if values.is_empty() => name.to_string(),
            _ => values.join("|"),
        };
        let text = argument.get_long().map_or(value.clone(), |long| format!("--{long} {value}"));
        if argument.is_required_set() { text } else { format!("[{text}]") }
    });
    Some(arguments.collect::<Vec<_>>().join(" "))
}

/// Each command with its arguments, and what it does.
pub(crate) fn descriptions() -> Vec<(String, String)> {
    let described = |command: &Command| {
        let name = command.get_name();
        let usage = arguments(name).unwrap_or_default();
        let aliases: String = command.get_visible_aliases().map(|alias| format!(", {alias}")).collect();
        let about = command.get_about().map(|about| format!("{about}.")).unwrap_or_default();
        (format!("{name}{aliases} {usage}").trim_end().to_owned(), about)
    };
    commands().get_subcommands().map(described).collect()
}

/// The options of a command, such as `--key`.
pub(crate) fn options(name: &str) -> Vec<String> {
    let all = commands();
    let arguments = all.find_subcommand(name).into_iter().flat_map(Command::get_arguments);
    arguments.filter_map(|argument| argument.get_long()).map(|long| format!("--{long}")).collect()
}

/// What `.help` says, of all commands or of one.
///
/// # Errors
/// Where there is no such command.
pub(crate) fn help(name: Option<&str>) -> Result<String, Failure> {
    let Some(name) = name else { return Ok(help_of_all()) };
    let dotted = if name.starts_with('.') { name.to_owned() } else { format!(".{name}") };
    let mut all = commands();
    match all.find_subcommand_mut(&dotted) {
        Some(command) => Ok(format!("{}\n", command.render_help().to_string().trim_end())),
        None => Err(Failure::message(unknown(&dotted))),
    }
}

fn help_of_all() -> String {
    let mut text = String::from("Commands, each on a line of its own:\n");
    for command in commands().get_subcommands() {
        let mut name = command.get_name().to_owned();
        command.get_visible_aliases().for_each(|alias| name = format!("{name}, {alias}"));
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  {name:<14} {about}\n"));
    }
    text.push_str(STATEMENTS);
    text
}

const STATEMENTS: &str = "
Statements end with ; and may take several lines:
  SELECT * FROM items WHERE pk = 'user#1';
  INSERT INTO items VALUE {'pk': 'user#1', 'name': 'Alice'};
  UPDATE items SET age = 30 WHERE pk = 'user#1';
  DELETE FROM items WHERE pk = 'user#1';
  EXPLAIN SELECT * FROM items;

Keys: Tab completes, Up and Down go through the history, Ctrl-R searches it,
      Ctrl-C cancels what is typed or running, Ctrl-D leaves.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn every_command_is_read() {
        for (line, dot) in [
            (".help", Dot::Help { command: None }),
            (".help .import", Dot::Help { command: Some(".import".to_owned()) }),
            (".format jsonl", Dot::Format { format: Some(Format::Jsonl) }),
            (".exit", Dot::Exit),
            (".quit", Dot::Exit),
            (".schema", Dot::Schema { schema: None }),
            (".indexes", Dot::Indexes),
            (".stats", Dot::Stats),
            (".timer on", Dot::Timer { switch: Some(Switch::On) }),
            (".clear", Dot::Clear),
            (".read 'a file'", Dot::Read { file: "a file".into() }),
            (".export a.jsonl", Dot::Export { file: "a.jsonl".into() }),
            (".save \"a b\"", Dot::Save { file: Some("a b".into()) }),
            (".save", Dot::Save { file: None }),
            (".open :memory:", Dot::Open { file: ":memory:".to_owned() }),
            (".explain off", Dot::Explain { switch: Some(Switch::Off) }),
            (".fork", Dot::Fork { end: None }),
            (".fork keep", Dot::Fork { end: Some(ForkEnd::Keep) }),
        ] {
            assert_eq!(parse(line).unwrap(), dot, "{line}");
        }
    }

    #[test]
    fn what_is_unknown_is_told_the_nearest() {
        assert_eq!(error(".hlep"), "unknown command .hlep: did you mean .help?");
        assert_eq!(error(".index"), "unknown command .index: did you mean .indexes?");
        assert_eq!(error(".qit"), "unknown command .qit: did you mean .quit?");
        assert_eq!(error(".teleport"), "unknown command .teleport: .help lists all there are");
        assert_eq!(error("."), "unknown command .: .help lists all there are");
    }

    #[test]
    fn wrong_arguments_are_told_what_is_right() {
        for (line, part) in [
            (".format xml", "possible values: table, json, jsonl, compact, csv"),
            (".timer", ""),
            (".read", "<FILE>"),
            (".exit now", "unexpected argument 'now'"),
            (".exit --help", "unexpected argument '--help'"),
            (".save 'a", "a quote is not closed"),
        ] {
            match parse(line) {
                Err(failure) => assert!(failure.to_string().contains(part), "{line}: {failure}"),
                Ok(dot) => assert_eq!(dot, Dot::Timer { switch: None }),
            }
        }
    }

    #[test]
    fn help_tells_of_every_command() {
        let all = help(None).unwrap();
        for name in names() {
            assert!(all.contains(&name), "{name}");
            assert!(help(Some(&name)).unwrap().contains("Usage: "), "{name}");
        }
        assert!(help(Some("import")).unwrap().contains("--key"));
        assert_eq!(help(Some("hepl")).unwrap_err().to_string(), "unknown command .hepl: did you mean .help?");
    }

    #[test]
    fn arguments_are_shown_as_they_are_typed() {
        assert_eq!(arguments(".format").as_deref(), Some("[table|json|jsonl|compact|csv]"));
        assert_eq!(arguments(".read").as_deref(), Some("FILE"));
        assert_eq!(arguments(".save").as_deref(), Some("[FILE]"));
        assert_eq!(arguments(".quit").as_deref(), Some(""));
        assert_eq!(arguments(".nothing"), None);
    }
}
