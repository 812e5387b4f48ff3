//! What is typed after `kstone`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use kstone_dynamodb::AccountOptions;
use kstone_server::Credentials;

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
    /// Serves DynamoDB's HTTP interface: any AWS SDK calls it as it would call AWS.
    ///
    /// Tables are in memory, all of them in one namespace whatever the credentials. SDKs find the server by
    /// AWS_ENDPOINT_URL_DYNAMODB=http://127.0.0.1:8000. Signatures are looked at, and verified where --auth gives keys, without
    /// which only loopback is listened at. Ctrl-C and SIGTERM end it once the requests under way are answered.
    ///
    /// The options of DynamoDB Local are understood, too: -port, -sharedDb, -inMemory, -dbPath, -cors,
    /// -delayTransientStatuses, also behind -jar DynamoDBLocal.jar.
    #[command(after_long_help = help("serve"))]
    Serve(ServeArgs),
    /// Asks a server whether it is well: exit code 0 where it is.
    #[command(after_long_help = help("healthcheck"))]
    Healthcheck {
        /// Where it is.
        #[arg(default_value = "http://127.0.0.1:8000")]
        url: String,
    },
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

/// What `kstone serve` is told.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The address to listen at.
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Its port; 0 takes any that is free, which the first line says.
    #[arg(long, default_value_t = 8000)]
    pub(crate) port: u16,
    /// A socket file to listen at, too.
    #[arg(long, value_name = "PATH")]
    pub(crate) unix: Option<PathBuf>,
    /// The region that ARNs name.
    #[arg(long, default_value = "us-east-1", value_parser = region)]
    pub(crate) region: String,
    /// The account that ARNs name.
    #[arg(long, default_value = "000000000000", value_parser = account_id)]
    pub(crate) account_id: String,
    /// The most memory that all tables take: bytes, or with K, M or G. Writes beyond it fail.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(crate) memory_max: Option<usize>,
    /// Whether items that have expired are visible until they are removed, as on AWS, or hidden at once.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) ttl: TtlRule,
    /// For how many seconds a new table is CREATING and a changed one UPDATING.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_value_t = 0, default_missing_value = "1")]
    pub(crate) delay_transitions: u32,
    /// Whose validation texts are said: those of AWS's new layer, as in us-east-1, or the older ones.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) texts: Texts,
    /// A snapshot: loaded at the start where it is there, saved at the end.
    #[arg(long, value_name = "FILE.ksnap")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Save the snapshot every so many seconds, too.
    #[arg(long, value_name = "SECONDS", requires = "snapshot", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) save_every: Option<u32>,
    /// The folder whose folders are the buckets of ExportTableToPointInTime and ImportTable, which are refused without it.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) files: Option<PathBuf>,
    /// Tables to create at the start: files of CreateTable requests, one or several behind each other.
    #[arg(long, value_name = "FILE")]
    pub(crate) schema: Vec<PathBuf>,
    /// Keys whose signatures are verified; what is beyond loopback needs some.
    #[arg(long, value_name = "KEY:SECRET", env = "KSTONE_AUTH", hide_env_values = true, value_parser = credentials)]
    pub(crate) auth: Vec<Credentials>,
    /// Answer requests that are not signed at all.
    #[arg(long, conflicts_with = "auth")]
    pub(crate) allow_unsigned: bool,
    /// Origins whose pages may call the server, such as http://localhost:3000; '*' for any.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) cors: Vec<String>,
    /// A name under which clients may call the server, in addition to addresses and localhost.
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// Answer GET /metrics, for Prometheus.
    #[arg(long)]
    pub(crate) metrics: bool,
    /// Write a line for each request to standard error.
    #[arg(long, value_enum)]
    pub(crate) log: Option<LogForm>,
    /// How many threads serve connections; otherwise one for each core.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,
    /// How many connections there may be at once.
    #[arg(long, value_name = "COUNT", default_value_t = 16_384)]
    pub(crate) max_connections: usize,
    /// How long a connection may be without a request.
    #[arg(long, value_name = "SECONDS", default_value_t = 75)]
    pub(crate) idle_timeout: u32,
    /// How long a request's body may take to arrive.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub(crate) request_timeout: u32,
}

/// What is seen of items that have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum TtlRule {
    /// Until something removes them.
    #[default]
    Visible,
    /// Nothing.
    Hidden,
}

/// Whose validation texts are said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Texts {
    /// Those of AWS's new layer.
    #[default]
    Current,
    /// The older ones.
    Classic,
}

/// How requests are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogForm {
    /// As lines of JSON.
    Json,
}

fn region(text: &str) -> Result<String, String> {
    match AccountOptions::is_region(text) {
        true => Ok(text.to_owned()),
        false => Err("a region has up to 32 lower-case letters, digits and hyphens".to_owned()),
    }
}

fn account_id(text: &str) -> Result<String, String> {
    match AccountOptions::is_account_id(text) {
        true => Ok(text.to_owned()),
        false => Err("an account has twelve digits".to_owned()),
    }
}

fn credentials(text: &str) -> Result<Credentials, String> {
    Credentials::parse(text).ok_or_else(|| "a key, a colon and its secret are expected".to_owned())
}

/// A number of bytes: `268435456`, `256M`, `256MiB`.
fn size(text: &str) -> Result<usize, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "K" | "k" => 10,
        "M" | "m" => 20,
        "G" | "g" => 30,
        _ => return Err(format!("{unit} is no unit: K, M and G are")),
    };
    let number: usize = number.parse().map_err(|_| "a number is expected".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is more than there can be".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_description_of_the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn a_server_takes_regions_and_accounts_that_there_can_be() {
        assert_eq!(super::region("eu-central-1"), Ok("eu-central-1".to_owned()));
        for wrong in ["", "EU", "eu central", "a\"b", "a-region-name-that-is-far-too-long"] {
            assert!(super::region(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "12345678901", "12345678901x", "1234567890123"] {
            assert!(super::account_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(super::size("4096"), Ok(4096));
        assert_eq!(super::size("256M"), Ok(256 << 20));
        assert_eq!(super::size("2GiB"), Ok(2 << 30));
        for wrong in ["", "M", "1T", "-1", "99999999999999999999", "99999999999999G"] {
            assert!(super::size(wrong).is_err(), "{wrong}");
        }
    }
}
