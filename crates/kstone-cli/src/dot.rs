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

mod describe;
mod home;
#[cfg(test)]
mod tests;

pub(crate) use describe::{arguments, descriptions, help, names, options};
use home::path;

/// How many slips of the finger a name may be away to be suggested.
const SUGGESTED_DISTANCE_MAX: usize = 2;

/// What a schema may say.
const SCHEMA: &str = r#"A schema may have these members, and none is needed:
  {"name": "orders",
   "partition_key": {"name": "customer", "type": "S"}, "sort_key": {"name": "number", "type": "N"},
   "local_indexes": [{"name": "by-total", "sort_key": "total"}],
   "global_indexes": [{"name": "by-status", "partition_key": "status", "sort_key": "total",
                       "projection": ["city"]}],
   "ttl_attribute": "expires_at",
   "stream": {"view_type": "NEW_IMAGE", "capacity": 1000}}"#;

const DUMP: &str = "\
What it prints is a text file: `kstone shell < FILE` and .read FILE make the database again. INSERT is for what a \
statement can say; .put is for the rest, such as bytes. To save a database, .save is shorter and faster.";

const OUTPUT: &str = "\
Results are what a pipe gets of `kstone query`; errors and notes stay on the terminal. Results cannot be sent to a \
command: `kstone query FILE.ksnap STATEMENT | COMMAND` does that.";

const PARAMETER: &str = r#"Such as:
  .parameter set :age 36
  .parameter set :name "O'Hara"
  .parameter set :tags --typed '{"SS": ["a", "b"]}'
  UPDATE items SET age = :age, tags = :tags WHERE pk = 'user#1';
  .parameter set 1 'user#1'
  SELECT * FROM items WHERE pk = ?;"#;

const PREPARE: &str = r#"Such as:
  .prepare add "INSERT INTO items VALUE {'pk': ?, 'age': ?}"
  .run add user#1 36
  .run add user#2 '"27"'"#;

const WIDTH: &str = "\
A column is as wide as its number says and longer text is shortened; 0 is as wide as needed, and a negative number sets \
the text to the right. .width 0 makes all columns as wide as needed again.";

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
        #[arg(value_name = "FILE|JSON", value_parser = path)]
        schema: Option<PathBuf>,
    },
    /// List the indexes
    #[command(name = ".indexes")]
    Indexes,
    /// List the table and its indexes, as FROM takes them
    #[command(name = ".tables")]
    Tables,
    /// Show what the database holds
    #[command(name = ".stats")]
    Stats,
    /// Print statements and commands that make this database again, for .read
    #[command(name = ".dump", after_help = DUMP)]
    Dump,
    /// Put an item, which takes the place of one with the same key
    #[command(name = ".put")]
    Put {
        /// The item as DynamoDB's JSON between single quotes, such as '{"pk": {"S": "a"}}'
        item: String,
    },
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
        #[arg(value_parser = path)]
        file: PathBuf,
    },
    /// Load items: CSV with headings, JSON, an export of DynamoDB's, or a folder of such files
    #[command(name = ".import")]
    Import {
        /// The file
        #[arg(value_parser = path)]
        file: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
    },
    /// Write all items to a file, as lines of DynamoDB's JSON
    #[command(name = ".export")]
    Export {
        /// The file
        #[arg(value_parser = path)]
        file: PathBuf,
    },
    /// Write a snapshot
    #[command(name = ".save")]
    Save {
        /// The file [default: the one that was opened]
        #[arg(value_parser = path)]
        file: Option<PathBuf>,
    },
    /// Open a snapshot, or an empty database with :memory:, in the place of this one
    #[command(name = ".open")]
    Open {
        /// The file
        #[arg(value_parser = path)]
        file: PathBuf,
    },
    /// Send results to a file, or back to the terminal
    #[command(name = ".output", after_help = OUTPUT)]
    Output {
        /// The file, which is written anew; off and no file at all are the terminal
        #[arg(value_name = "FILE|off", value_parser = path)]
        file: Option<PathBuf>,
    },
    /// Send the results of the next statement or command to a file
    #[command(name = ".once", after_help = OUTPUT)]
    Once {
        /// The file, which is written anew
        #[arg(value_parser = path)]
        file: PathBuf,
    },
    /// Give values to ? and :name in statements
    #[command(name = ".parameter", after_help = PARAMETER)]
    Parameter {
        #[command(subcommand)]
        action: ParameterAction,
    },
    /// Read a statement once, to run it many times
    #[command(name = ".prepare", after_help = PREPARE)]
    Prepare {
        /// What .run calls it; one of the same name is replaced
        name: String,
        /// The statement, with ? for its values, best between double quotes
        #[arg(required = true, value_name = "STATEMENT")]
        statement: Vec<String>,
    },
    /// Run a prepared statement
    #[command(name = ".run", after_help = PREPARE)]
    Run {
        /// The name that .prepare gave it
        name: String,
        /// The values of its ?, in order: JSON; what is no JSON is a text
        #[arg(value_name = "VALUE", allow_hyphen_values = true)]
        values: Vec<String>,
    },
    /// Change what stands for null in tables and CSV, or show it
    #[command(name = ".nullvalue")]
    Nullvalue {
        /// The text
        text: Option<String>,
    },
    /// Set how wide the columns of tables are, or show it
    #[command(name = ".width", after_help = WIDTH)]
    Width {
        /// Columns of the terminal, for the table's columns from the left
        #[arg(allow_negative_numbers = true, value_parser = clap::value_parser!(i16).range(-1000..=1000))]
        columns: Vec<i16>,
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

/// What is done to the parameters of statements.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ParameterAction {
    /// Give a parameter a value
    Set {
        /// :name, or a number: the ? of that place
        name: String,
        /// JSON; what is no JSON is a text
        #[arg(allow_hyphen_values = true)]
        value: String,
        /// The value is of DynamoDB's typed JSON, such as {"SS": ["a"]}
        #[arg(long)]
        typed: bool,
    },
    /// Take a parameter's value away
    Unset {
        /// :name, or a number
        name: String,
    },
    /// List the parameters
    List,
    /// Take all values away
    Clear,
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
    /// Forget the database it was made from.
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
    Dot::augment_subcommands(line).mut_subcommands(without_help)
}

/// `.help` shows it.
fn without_help(command: Command) -> Command {
    command.disable_help_flag(true).disable_help_subcommand(true).mut_subcommands(without_help)
}

fn explain(words: &[String], error: &clap::Error) -> Failure {
    let name = words.first().map_or(".", String::as_str);
    if error.kind() == ErrorKind::InvalidSubcommand && arguments(name).is_none() {
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
