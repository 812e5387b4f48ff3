//! What the dot commands are called, take and do, for help, completion and the manual page.

use clap::Command;

use super::{commands, unknown};
use crate::failure::Failure;

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
    if command.has_subcommands() {
        return Some(command.get_subcommands().map(Command::get_name).collect::<Vec<_>>().join("|"));
    }
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
Paths: ~ is the home directory.
";
