//! What is shown of each command by `--help` and by its manual page: lines to type, and what they do.

type Example = (&'static str, &'static str);

const KSTONE: [Example; 3] = [
    ("kstone shell", "A database in memory to try things in."),
    (
        "kstone import airports.csv --into airports.ksnap --key state --sort iata",
        "A snapshot of a CSV file, its columns state and iata being the key.",
    ),
    (
        r#"kstone query airports.ksnap "SELECT name FROM items WHERE pk = 'CA'" -f csv"#,
        "What the snapshot has to say, as CSV.",
    ),
];

const SHELL: [Example; 4] = [
    ("kstone shell", "An empty database; .help lists the commands."),
    ("kstone shell airports.ksnap", "What a snapshot holds; .save writes it back."),
    (
        r#"kstone shell -c '.import airports.csv --key state --sort iata' -c 'SELECT COUNT(*) FROM items'"#,
        "Commands and statements without a terminal.",
    ),
    ("kstone shell -f jsonl < statements.sql > rows.jsonl", "Statements from a file."),
];

const QUERY: [Example; 2] = [
    (
        r#"kstone query airports.ksnap "SELECT * FROM items WHERE pk = 'CA' AND sk = 'SFO'" -f json"#,
        "One item of a snapshot.",
    ),
    (
        r#"kstone query --save airports.ksnap "DELETE FROM items WHERE pk = 'CA' AND sk = 'SFO'""#,
        "A change to a snapshot.",
    ),
];

const IMPORT: [Example; 6] = [
    (
        "kstone import airports.csv --into airports.ksnap --key state --sort iata --types latitude=S",
        "CSV; the types of its columns are inferred but for one.",
    ),
    (
        "kstone import frame.csv --into frame.ksnap --key id --csv-skip 1 --csv-rename pk=parent",
        "CSV as pandas writes it: without its first column, which has no name, and with another name for one.",
    ),
    ("kstone import users.jsonl --into app.ksnap", "JSON lines whose attributes pk and sk are the key."),
    (
        "kstone import AWSDynamoDB/01234567890123-abcdef --into app.ksnap --key Artist --sort SongTitle",
        "An export of DynamoDB's.",
    ),
    (
        "kstone import AWSDynamoDB --into app.ksnap --key Artist --sort SongTitle",
        "An incremental one, after the full one.",
    ),
    (
        "aws dynamodb scan --table-name Music | kstone import /dev/stdin --into app.ksnap --key Artist",
        "A table, through a pipe.",
    ),
];

const EXPORT: [Example; 1] = [("kstone export app.ksnap app.jsonl", "Lines of DynamoDB's JSON, one for each item.")];

const SERVE: [Example; 4] = [
    ("kstone serve", "The endpoint at port 8000 of this machine; tables are gone when it ends."),
    (
        "kstone serve --port 0 --schema tables.json --metrics",
        "At any free port, with tables, and counters for Prometheus.",
    ),
    ("kstone serve --snapshot app.ksnap --save-every 60", "Tables that are kept in a file."),
    ("kstone serve --host 0.0.0.0 --auth AKIDEXAMPLE:secret", "For other machines: signatures are verified."),
];

const HEALTHCHECK: [Example; 1] = [("kstone healthcheck http://127.0.0.1:8000", "Whether a server answers.")];

const COMPLETIONS: [Example; 2] = [
    ("kstone completions bash > ~/.local/share/bash-completion/completions/kstone", "For bash."),
    ("kstone completions fish > ~/.config/fish/completions/kstone.fish", "For fish."),
];

const MAN: [Example; 2] = [
    ("kstone man | man -l -", "The manual page, read at once."),
    ("kstone man ~/.local/share/man/man1", "All of them, installed."),
];

/// The examples of a command; those of the program for any other name.
pub(crate) fn examples(command: &str) -> &'static [Example] {
    match command {
        "shell" => &SHELL,
        "query" => &QUERY,
        "import" => &IMPORT,
        "export" => &EXPORT,
        "serve" => &SERVE,
        "healthcheck" => &HEALTHCHECK,
        "completions" => &COMPLETIONS,
        "man" => &MAN,
        _ => &KSTONE,
    }
}

/// The same for the end of `--help`.
pub(crate) fn help(command: &str) -> String {
    let lines = examples(command).iter().map(|(line, what)| format!("  # {what}\n  {line}\n"));
    format!("Examples:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::command_line::args::Cli;

    /// The part that calls `kstone` is read as it would be typed, without what it is redirected to and what it is piped from
    /// and to.
    #[test]
    fn every_example_is_a_command_line() {
        let command = Cli::command();
        let names = command.get_subcommands().map(clap::Command::get_name).chain(["kstone"]);
        for (line, what) in names.flat_map(examples) {
            let words = shlex::split(line).expect(line);
            let words = words.split(|word| word == "|").find(|part| part[0] == "kstone").expect(line);
            let words = words.iter().take_while(|word| !matches!(word.as_str(), "<" | ">"));
            Cli::try_parse_from(words).expect(line);
            assert!(what.ends_with('.'), "{what}");
        }
    }
}
