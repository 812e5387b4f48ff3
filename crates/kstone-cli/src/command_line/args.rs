//! What is typed after `kstone`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::command_line::examples::help;
use crate::format::Format;
use crate::import::ImportOptions;

/// KeystoneDB's in-memory mode: DynamoDB's data model in this process.
#[derive(Debug, Parser)]
#[command(name = "kstone", version, arg_required_else_help = true, max_term_width = 100, after_long_help = help("kstone"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Statements and dot commands, typed or from a pipe, on a database in memory.
    ///
    /// On a terminal a line editor reads statements until ';'; .help lists the dot commands. From a pipe, and with -c,
    /// only results are printed, and the first error ends the run with exit code 1 and the line of its statement.
    ///
    /// Changes of a snapshot are lost unless .save writes them. On a terminal, .exit, .open and Ctrl-D ask about them;
    /// otherwise a warning on standard error tells of them, and the exit code stays as it is. A database that was never
    /// a file is temporary, and nothing asks about it.
    ///
    /// Ctrl-C ends what runs, and the database is as it was before that statement. On a terminal the prompt comes back;
    /// otherwise the run ends with exit code 130.
    ///
    /// Environment: NO_COLOR turns colours off; KSTONE_HISTORY names the history file, and turns history off where it
    /// is empty; KSTONE_PAGER or PAGER names the pager, and turns paging off where it is empty.
    #[command(after_long_help = help("shell"))]
    Shell(ShellArgs),
    /// Runs statements on a snapshot, or on an empty database.
    ///
    /// What the statements change is lost unless --save or .save writes it, which a warning on standard error tells.
    /// Ctrl-C ends the run with exit code 130.
    #[command(after_long_help = help("query"))]
    Query(QueryArgs),
    /// Loads files of items and writes a snapshot.
    ///
    /// JSON is read as lines, arrays, items one after another, and as `aws dynamodb scan` and `query` print it, typed or
    /// plain; DynamoDB's exports to S3, full ones and incremental ones, which also delete items. CSV has a line of
    /// headings; its rows may have 16 MiB. Any file may be compressed by gzip. Of a folder, the files with such names are
    /// read in the order of their names; hidden files and manifests are passed over and named. JSON may come from a pipe,
    /// such as /dev/stdin.
    ///
    /// The snapshot is written when everything was read. Where anything is wrong, the error names the file and the line,
    /// and the snapshot is as it was.
    #[command(after_long_help = help("import"))]
    Import(ImportArgs),
    /// Writes the items of a snapshot to a file, as lines of DynamoDB's JSON.
    #[command(after_long_help = help("export"))]
    Export(ExportArgs),
    /// Prints the completions of a command line shell.
    #[command(after_long_help = help("completions"))]
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Prints the manual page, or writes all of them into a directory.
    #[command(after_long_help = help("man"))]
    Man {
        /// Where to write kstone.1 and one page for each command.
        directory: Option<PathBuf>,
    },
}

/// How results look.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// How results are printed.
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Fit tables to this many columns; otherwise to the terminal, or not at all where there is none.
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..))]
    pub(crate) width: Option<u16>,
    /// After an error go on with the next statement. The exit code is 1 all the same.
    #[arg(long)]
    pub(crate) keep_going: bool,
}

/// What database is worked on.
#[derive(Debug, Args)]
pub(crate) struct DatabaseArgs {
    /// A snapshot to open, or ':memory:' for an empty database.
    #[arg(default_value = crate::session::database_file::MEMORY, value_name = "FILE.ksnap")]
    pub(crate) database: OsString,
    /// The schema of an empty database, a file or the JSON itself: name, indexes, TTL, stream.
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) schema: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Run this instead of reading standard input: statements or a dot command. May be given more than once.
    #[arg(long = "command", short = 'c', value_name = "STATEMENT", allow_hyphen_values = true)]
    pub(crate) commands: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Neither read nor write the history file.
    #[arg(long)]
    pub(crate) no_history: bool,
    /// Run this file first, in the place of the one that the shell reads on a terminal by itself: kstone/rc in
    /// $XDG_CONFIG_HOME or ~/.config, else ~/.kstonerc.
    #[arg(long, value_name = "FILE", conflicts_with = "no_rc")]
    pub(crate) rc: Option<PathBuf>,
    /// Run no such file.
    #[arg(long)]
    pub(crate) no_rc: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// A snapshot to open, or ':memory:' for an empty database.
    #[arg(value_name = "FILE.ksnap")]
    pub(crate) database: OsString,
    /// What to run, such as 'SELECT * FROM items'.
    #[arg(required = true, value_name = "STATEMENT")]
    pub(crate) statements: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    /// Write the database back to the snapshot when every statement has succeeded. No other can be opened meanwhile.
    #[arg(long)]
    pub(crate) save: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// What to load: CSV with a line of headings, JSON, an export of DynamoDB's, or a folder of such files.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The snapshot to write. One that is there already is added to.
    #[arg(long, value_name = "FILE.ksnap")]
    pub(crate) into: PathBuf,
    /// The schema of a new snapshot, a file or the JSON itself: name, indexes, TTL, stream.
    #[arg(long, value_name = "FILE|JSON")]
    pub(crate) schema: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) options: ImportOptions,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The snapshot to read.
    #[arg(value_name = "FILE.ksnap")]
    pub(crate) database: PathBuf,
    /// The file to write.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_description_of_the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
