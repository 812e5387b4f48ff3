//! What each dot command does.

use std::path::Path;

use kstone_api::json::JsonForm;
use kstone_api::{Database, ImportOptions, ItemWriter, KeyRef, KeystoneValue, PreparedValues, Record};

use crate::dot::{Dot, ForkEnd, ParameterAction, Switch, help};
use crate::input::words::name_as_written;
use crate::session::database_file::{Source, read_schema, refuse_own};

use crate::failure::Failure;
use crate::format::Columns;
use crate::import::import;
use crate::output::Screen;
use crate::output::indent::indent;
use crate::output::text::{self, items, visible_json};
use crate::session::indexes::{self, indexes};
use crate::session::{Session, Settings};

use super::Next;
use super::dump;
use super::statement::{self, show};
use crate::session::parameters::plain_value;

/// Carries a command out.
///
/// # Errors
/// What is wrong with its arguments, or with what it does; then nothing has changed.
pub(super) fn run(session: &mut Session, dot: Dot) -> Result<Next, Failure> {
    match dot {
        Dot::Exit => return exit(session),
        Dot::Read { file } => return Ok(Next::Read(file)),
        Dot::Help { command } => print(session, &help(command.as_deref())?)?,
        Dot::Format { format: Some(format) } => session.settings.format = format,
        Dot::Format { format: None } => print(session, &format!("{}\n", session.format().name()))?,
        Dot::Timer { switch } => switch_over(session, |settings| &mut settings.timer, switch)?,
        Dot::Explain { switch } => switch_over(session, |settings| &mut settings.explain, switch)?,
        Dot::Clear => clear()?,
        Dot::Tables => show_rows(session, &["name", "kind"], tables(session)?)?,
        Dot::Dump => dump::dump(session)?,
        Dot::Put { item } => put(session, &item)?,
        Dot::Schema { schema: None } => {
            print(session, &format!("{}\n", visible_json(indent(&session.db().schema().to_json(), 0))))?
        }
        Dot::Schema { schema: schema @ Some(_) } => {
            session.db().configure(read_schema(schema.as_deref())?)?;
            session.note("the schema is in force")?;
        }
        Dot::Indexes => show_indexes(session)?,
        Dot::Stats => show_rows(session, &["statistic", "value"], statistics(session)?)?,
        Dot::Import { file, options } => {
            let interrupt = session.interrupt().clone();
            let imported = session.try_on_fork(|fork| import(fork, &file, &options, &interrupt))?;
            session.note(&imported.to_string())?;
        }
        Dot::Export { file } => {
            refuse_own(session.source().file(), &file)?;
            let exported = session.db().export_json_file(&file)?;
            session.note(&format!("{} written to {}", items(exported), text::path(&file)))?;
        }
        Dot::Save { file } => {
            let (file, items) = session.save(file)?;
            session.note_saved(&file, items)?;
        }
        Dot::Open { file } => open(session, &file)?,
        Dot::Output { file } => output(session, file.as_deref().filter(|file| !is_off(file)))?,
        Dot::Once { file } => {
            let own = session.source().file().map(Path::to_owned);
            session.destination.send_next(&file, own.as_deref())?;
        }
        Dot::Parameter { action } => parameter(session, action)?,
        Dot::Prepare { name, statement } => prepare(session, name, &statement.join(" "))?,
        Dot::Run { name, values } => run_prepared(session, &name, &values)?,
        Dot::Nullvalue { text: Some(text) } => session.settings.null = Some(text),
        Dot::Nullvalue { text: None } => show_null(session)?,
        Dot::Width { columns } if columns.is_empty() => show_widths(session)?,
        Dot::Width { columns } => session.settings.column_widths = columns,
        Dot::Fork { end } => fork(session, end)?,
    }
    Ok(Next::Continue)
}

/// Leaves, unless there is something to keep.
fn exit(session: &mut Session) -> Result<Next, Failure> {
    // Where there is no terminal, the end of the program warns.
    let leaves = !session.is_interactive() || session.may_leave("leaving")?;
    Ok(if leaves { Next::Exit } else { Next::Continue })
}

fn clear() -> Result<(), Failure> {
    let mut screen = Screen::output();
    screen.clear()?;
    Ok(screen.finish()?)
}

fn show_indexes(session: &Session) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for index in indexes(&session.db().schema()) {
        let mut row = ItemWriter::new();
        for (name, text) in indexes::COLUMNS.iter().zip(index.row()).filter(|(_, text)| !text.is_empty()) {
            row.set_str(name, text)?;
        }
        rows.push(row);
    }
    show_rows(session, &indexes::COLUMNS, rows)
}

fn open(session: &mut Session, file: &Path) -> Result<(), Failure> {
    session.open(Source::of(file.as_os_str()))?;
    session.note(&match session.source() {
        Source::Memory => "opened an empty database".to_owned(),
        file @ Source::File(_) => format!("opened {file}"),
    })
}

fn fork(session: &mut Session, end: Option<ForkEnd>) -> Result<(), Failure> {
    let had_changes = session.is_unsaved();
    let Some(end) = end else {
        session.fork()?;
        return session.note("on a fork now: .fork keep stays with it, .fork drop goes back");
    };
    session.end_fork(end == ForkEnd::Keep)?;
    session.note(match end {
        ForkEnd::Keep => "kept the fork",
        ForkEnd::Drop if had_changes && !session.is_unsaved() => "dropped the fork and its changes",
        ForkEnd::Drop => "dropped the fork",
    })
}

fn show_null(session: &Session) -> Result<(), Failure> {
    let text = session.settings.null.as_deref().unwrap_or("null in tables, nothing in CSV");
    print(session, &format!("{text}\n"))
}

fn show_widths(session: &Session) -> Result<(), Failure> {
    let widths: Vec<_> = session.settings.column_widths.iter().map(i16::to_string).collect();
    print(session, &format!("{}\n", if widths.is_empty() { "0".to_owned() } else { widths.join(" ") }))
}

/// What stands for the terminal in the place of a file's name; sqlite3 says stdout.
fn is_off(file: &Path) -> bool {
    ["off", "stdout"].iter().any(|name| file.as_os_str() == *name)
}

fn output(session: &mut Session, file: Option<&Path>) -> Result<(), Failure> {
    let own = session.source().file().map(Path::to_owned);
    session.destination.send_all(file, own.as_deref())?;
    session.note(&match file {
        Some(file) => format!("results go to {}: .output off ends that", text::path(file)),
        None => "results go to the terminal".to_owned(),
    })
}

fn prepare(session: &mut Session, name: String, statement: &str) -> Result<(), Failure> {
    let prepared = session.db().prepare_statement(statement)?;
    let values = prepared.parameters().len();
    session.note(&format!("prepared {name}: it takes {values} {}", if values == 1 { "value" } else { "values" }))?;
    session.prepared.insert(name, prepared);
    Ok(())
}

fn run_prepared(session: &mut Session, name: &str, values: &[String]) -> Result<(), Failure> {
    let Some(prepared) = session.prepared.get(name).cloned() else {
        return Err(Failure::message(format!("nothing is prepared as {name}: .prepare {name} STATEMENT prepares it")));
    };
    let values: Vec<KeystoneValue> = values.iter().map(|value| plain_value(value)).collect();
    let statement = prepared.bound(&PreparedValues::encode(&values)?.lent())?;
    if statement::is_a(prepared.text(), "DELETE") {
        return session.deleting(|session| statement::run_bound(session, &statement));
    }
    statement::run_bound(session, &statement)
}

fn parameter(session: &mut Session, action: ParameterAction) -> Result<(), Failure> {
    match action {
        ParameterAction::Set { name, value, typed } => session.parameters.set(&name, &value, typed),
        ParameterAction::Unset { name } => session.parameters.unset(&name),
        ParameterAction::Clear => {
            session.parameters.clear();
            Ok(())
        }
        ParameterAction::List => {
            let mut rows = Vec::new();
            for (name, value) in session.parameters.list() {
                let mut row = ItemWriter::new();
                row.set_str("parameter", name)?.set_value("value", value)?;
                rows.push(row);
            }
            show_rows(session, &["parameter", "value"], rows)
        }
    }
}

/// Puts an item by the reader of import lines.
fn put(session: &mut Session, item: &str) -> Result<(), Failure> {
    if item.contains('\n') {
        return Err(Failure::message("the item takes more than one line"));
    }
    if !item.trim_start().starts_with('{') && !item.trim().is_empty() {
        return Err(Failure::message("an item is a JSON object, such as {\"pk\": {\"S\": \"a\"}}"));
    }
    let options = ImportOptions::new().form(JsonForm::Typed);
    session.try_on_fork(|db: &Database| match db.import_json(std::io::Cursor::new(item), &options)?.loaded {
        0 => Err(Failure::message("there is no item between the quotes")),
        1 => Ok(()),
        _ => Err(Failure::message("there is more than one item between the quotes")),
    })?;
    session.note("OK")
}

fn tables(session: &Session) -> Result<Vec<ItemWriter>, Failure> {
    let schema = session.db().schema();
    let table = name_as_written(schema.table_name().unwrap_or("items"));
    let mut rows = vec![ItemWriter::new()];
    rows[0].set_str("name", &table)?.set_str("kind", "table")?;
    for index in indexes(&schema) {
        let mut row = ItemWriter::new();
        let kind = format!("{} index", index.kind);
        row.set_str("name", &format!("{table}.{}", name_as_written(&index.name)))?.set_str("kind", &kind)?;
        rows.push(row);
    }
    Ok(rows)
}

/// Prints what a command gives where results go.
fn print(session: &Session, text: &str) -> Result<(), Failure> {
    let mut out = session.results();
    out.text(text)?;
    Ok(out.finish()?)
}

/// Changes a setting, or says what it is.
fn switch_over(
    session: &mut Session,
    setting: impl Fn(&mut Settings) -> &mut bool,
    switch: Option<Switch>,
) -> Result<(), Failure> {
    let setting = setting(&mut session.settings);
    match switch {
        Some(switch) => *setting = switch == Switch::On,
        None => {
            let text = if *setting { "on\n" } else { "off\n" };
            print(session, text)?;
        }
    }
    Ok(())
}

/// Prints rows of what is no table of the database as if it were.
fn show_rows(session: &Session, columns: &[&str], rows: Vec<ItemWriter>) -> Result<(), Failure> {
    let columns: Vec<String> = columns.iter().map(|&name| name.to_owned()).collect();
    let key = KeyRef::new(b"row", b"")?;
    let mut rows = Some(rows.into_iter().map(|mut row| Record::put(key, row.finish())).collect());
    show(session, Columns::named(&columns), || Ok(rows.take())).map(drop)
}

fn statistics(session: &Session) -> Result<Vec<ItemWriter>, Failure> {
    let stats = serde_json::to_value(session.db().stats()?).map_err(|error| Failure::message(error.to_string()))?;
    let mut rows = Vec::new();
    for (name, value) in stats.as_object().into_iter().flatten() {
        let mut row = ItemWriter::new();
        row.set_str("statistic", name)?.set_num("value", &value.to_string())?;
        rows.push(row);
    }
    Ok(rows)
}
